"""From the bytes of a request to those of its answer: the `/api` of a PBX."""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

from ucm_analytics.simulator.access import Access, Bursts, Refused
from ucm_analytics.simulator.archive import Withheld
from ucm_analytics.simulator.cdr import CONTENT_TYPES, CdrAnswer, CdrSource
from ucm_analytics.simulator.clock import Clock
from ucm_analytics.simulator.directory import Directory, Row
from ucm_analytics.simulator.faults import Faults
from ucm_analytics.simulator.profiles import Profile
from ucm_analytics.simulator.queues import queue_statistics
from ucm_analytics.simulator.recordings import Recordings
from ucm_analytics.simulator.status import SERIAL, LiveCalls, general_status, system_status

JSON: Final = CONTENT_TYPES["json"]
HTML: Final = "text/html"
CLOCK_JUMP_S: Final = 3600.0

_SECRETS: Final = ("cookie", "token")
_LOGIN_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>Grandstream UCM</title></head>"
    b'<body><form id="login"><input name="username"/><input name="password" type="password"/></form>'
    b"</body></html>"
)
_FORBIDDEN_PAGE: Final = b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
_ERROR_PAGE: Final = (
    b"<html><head><title>500 Internal Server Error</title></head><body><h1>500 Internal Server Error</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; with `reset` the connection is reset in the middle of its body."""

    body: bytes
    content_type: str = JSON
    http_status: int = 200
    reset: bool = False


@dataclass
class Doors:
    """Whether the API is on, and for whom; `permitted` None means every address."""

    enabled: bool = True
    permitted: Sequence[str] | None = None

    def admits(self, address: str) -> bool:
        """Whether an address is permitted; entries are ``address`` or ``address/mask``."""
        if self.permitted is None:
            return True
        client = ipaddress.ip_address(address)
        return any(client in ipaddress.ip_network(entry, strict=False) for entry in self.permitted)


@dataclass
class Api:
    """The API of one PBX.

    Attributes
    ----------
    now : Clock
        The PBX's clock.
    requests : list of tuple
        Action and parameters of every request, without cookies and tokens.
    slow_s : float
        How long the fault ``slow`` waits [s].
    latency_s : float
        How long `cdrapi` takes for each thousand records that match [s].
    serial : str
        Serial number of the PBX.
    """

    cdr: CdrSource
    access: Access
    directory: Directory
    profile: Profile
    faults: Faults
    doors: Doors
    now: Clock
    bursts: Bursts | None = None
    slow_s: float = 2.0
    latency_s: float = 0.0
    serial: str = SERIAL
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)
    _withheld: Withheld | None = None
    _last_page: tuple[dict[str, Any], bytes] | None = None

    def __post_init__(self) -> None:
        self._started_at = self.now()
        archive, shape = self.cdr.archive, self.cdr.shape
        self._recordings = Recordings(archive, shape)
        self._live = LiveCalls(archive, shape, self.cdr.zone)
        lists = {name: self._list(name) for name in self.directory.lists}
        self._actions: dict[str, Callable[[Mapping[str, Any]], Row]] = {
            **lists,
            "getIVR": self.directory.ivr,
            "listBridgedChannels": lambda params: self._live.bridged(params, self.now()),
            "listUnBridgedChannels": lambda params: self._live.unbridged(params, self.now()),
            "getSystemStatus": lambda _: system_status(self.now(), self._started_at, self.cdr.zone, self.serial),
            "getSystemGeneralStatus": lambda _: general_status(self.profile),
            "getRecordInfosByCall": lambda params: self._recordings.of_leg(params, self.now()),
        }

    def handle(self, method: str, path: str, body: bytes, address: str) -> Reply:
        """Answer to one HTTP request."""
        if not self.doors.admits(address):
            return Reply(_FORBIDDEN_PAGE, HTML, 403)
        request = _request(body) if method == "POST" and path.partition("?")[0] == "/api" else None
        if request is None or not self.doors.enabled:
            return _refusal(Refused(-1))
        action = str(request.get("action", ""))
        self.requests.append(
            (action, {key: value for key, value in request.items() if key not in ("action", *_SECRETS)})
        )
        instead = self._before(action)
        if instead is not None:
            return instead
        try:
            reply = self._dispatch(action, request, address)
        except Refused as refused:
            reply = _refusal(refused)
        return self._after(action, reply)

    def _dispatch(self, action: str, request: Mapping[str, Any], address: str) -> Reply:
        if self.bursts is not None:
            self.bursts.check(address)
        text = {key: str(request.get(key) or "") for key in ("user", "token", "cookie")}
        if not action:
            raise Refused(-1)
        if action == "challenge":
            return _success({"challenge": self.access.challenge(text["user"], address)})
        if action == "login":
            return _success({"cookie": self.access.login(text["user"], text["token"], address)})
        user = self.access.user_of(text["cookie"])
        if action == "logout":
            self.access.logout(text["cookie"])
            return _success({})
        if not user.may(action):
            raise Refused(-47)
        params = {key: value for key, value in request.items() if key not in ("action", "cookie")}
        if action == "cdrapi":
            return self._cdr(params)
        if action == "queueapi":
            return Reply(_json(queue_statistics(self.cdr.archive, self.cdr.shape, params, self.now())))
        if action == "recapi":
            content_type, body = self._recordings.answer(params, self.now())
            return Reply(body, content_type)
        if action not in self._actions:
            raise Refused(-47)
        return _success(self._actions[action](params))

    def _cdr(self, params: dict[str, Any]) -> Reply:
        window = {key: value for key, value in params.items() if key != "offset"}
        later = str(params.get("offset") or "0") != "0"
        if later and self._withheld is not None:
            self.cdr.archive.release(self._withheld)
            self._withheld = None
        answer = self.cdr.answer(params, self.now())
        if not later and len(answer.matched) > 1 and self.faults.fires("drift", "cdrapi"):
            answer = self._withholding(answer, params)
        self.stopping.wait(self.latency_s * len(answer.matched) / 1000)
        body = answer.body
        last = self._last_page
        if later and last is not None and last[0] == window and self.faults.fires("repeat-page", "cdrapi"):
            body = last[1]
        self._last_page = (window, body)
        return Reply(body, CONTENT_TYPES[answer.format])

    def _withholding(self, answer: CdrAnswer, params: Mapping[str, Any]) -> CdrAnswer:
        """The same answer without its first record, which appears when the next page is asked."""
        if self._withheld is not None:
            self.cdr.archive.release(self._withheld)
        self._withheld = self.cdr.archive.withhold(answer.matched[0])
        return self.cdr.answer(params, self.now())

    def _before(self, action: str) -> Reply | None:
        if self.faults.fires("clock-jump", action):
            self.now.jump(CLOCK_JUMP_S)
        if self.faults.fires("expire-cookie", action):
            self.access.expire_sessions()
        if self.faults.fires("slow", action):
            self.stopping.wait(self.slow_s)
        if self.faults.fires("http-500", action):
            return Reply(_ERROR_PAGE, HTML, 500)
        if self.faults.fires("html", action):
            return Reply(_LOGIN_PAGE, HTML)
        return None

    def _after(self, action: str, reply: Reply) -> Reply:
        if self.faults.fires("truncated", action):
            return Reply(reply.body[: len(reply.body) // 2], reply.content_type)
        if self.faults.fires("reset", action):
            return Reply(reply.body, reply.content_type, reset=True)
        return reply

    def _list(self, name: str) -> Callable[[Mapping[str, Any]], Row]:
        return lambda params: self.directory.page(name, params)


def track_id() -> str:
    """Value of a new TRACKID cookie."""
    return secrets.token_hex(16)


def _request(body: bytes) -> dict[str, Any] | None:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return None
    request = envelope.get("request") if isinstance(envelope, dict) else None
    return request if isinstance(request, dict) else None


def _success(response: Mapping[str, Any]) -> Reply:
    return Reply(_json({"response": response, "status": 0}))


def _refusal(refused: Refused) -> Reply:
    response = refused.response
    if refused.status == -1:
        response = {"error_msg": "Invalid parameters!"}
    return Reply(_json({"response": response, "status": refused.status}))


def _json(answer: Any) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
