"""The simulated PBX as an object that tests, benchmarks and the command line start and stop."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ucm_analytics.errors import SettingError
from ucm_analytics.simulator.access import COOKIE_LIFETIME_S, Access, Bursts, CookieTimeout, LoginRules, User
from ucm_analytics.simulator.api import Api, Doors
from ucm_analytics.simulator.archive import Archive, call_records
from ucm_analytics.simulator.cdr import CdrSource, OffsetUnit
from ucm_analytics.simulator.certificate import ensure_certificate, fingerprint_of
from ucm_analytics.simulator.clock import Clock
from ucm_analytics.simulator.directory import Directory
from ucm_analytics.simulator.faults import Faults
from ucm_analytics.simulator.profiles import profile_named
from ucm_analytics.simulator.query import BlankTime
from ucm_analytics.simulator.records import Call, Site
from ucm_analytics.simulator.replay import read_replay
from ucm_analytics.simulator.server import ApiServer
from ucm_analytics.simulator.shaping import ProfileShape, Shape
from ucm_analytics.simulator.status import SERIAL

DEFAULT_USERS: Final = {"cdrapi": User("cdrapi123")}
_EMPTY_SITE: Final = Site(name="Example", timezone="UTC")


class Simulator:
    """A Grandstream UCM that answers on loopback over TLS; use it in a ``with`` statement.

    Parameters
    ----------
    calls : iterable of Call
        What the PBX recorded; read once, held compactly.
    replay : sequence of Path
        Files of real answers, served instead of `calls`.
    site : Site, optional
        What the list actions answer, and the zone of the PBX's clock.
    profile : str
        Firmware profile: one of `profiles.PROFILES`.
    users : mapping of str to User
        The API users.
    port : int
        0 lets the system choose.
    faults : iterable of str
        Faults to arm once: names of `faults.FAULTS`.
    clock : callable
        Epoch [s]; records show when their calls have ended by this clock.
    folder : Path, optional
        Where the certificate is kept; without it a new one is made in a temporary folder.
    san : bool
        The certificate names 127.0.0.1 and localhost, so that it can be verified against `ca_pem`.
    offset_unit : {"group", "row"}
        What `offset` and `numRecords` count: elements, or rows with groups cut at the edges of a page.
    blank_time : {"empty", "accepted"}
        What a blank instead of the ``T`` in a time does.
    cookie_timeout : {"absolute", "sliding"}
        Whether use extends a cookie's life of `cookie_lifetime_s`.
    login_rules : LoginRules, optional
        When wrong logins lock the address out.
    permitted : sequence of str, optional
        Addresses that may ask, ``address`` or ``address/mask``; None means every one.
    enabled : bool
        Whether the API is on.
    burst : tuple of int and float, optional
        Requests allowed within so many seconds; more are answered with -45, then -57.
    slow_s : float
        How long the fault ``slow`` waits [s].
    latency_s : float
        How long `cdrapi` takes for each thousand records that match [s].
    serial : str
        Serial number, by which this PBX is told from others.

    Attributes
    ----------
    url : str
        ``https://127.0.0.1:PORT``, once started.
    fingerprint : str
        SHA-256 of the certificate, upper-case pairs with colons, once started.
    ca_pem : Path
        The certificate, once started.
    faults : Faults
        Switches of the faults.
    requests : list of tuple
        Action and parameters of each request, without cookies and tokens.

    Raises
    ------
    SettingError
        An unknown profile, fault or zone, a replay file that cannot be used, or a port that is taken.
    """

    def __init__(
        self,
        calls: Iterable[Call] = (),
        *,
        replay: Sequence[Path] = (),
        site: Site | None = None,
        profile: str = "f43",
        users: Mapping[str, User] | None = None,
        port: int = 0,
        faults: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
        folder: Path | None = None,
        san: bool = False,
        offset_unit: OffsetUnit = "group",
        blank_time: BlankTime = "empty",
        cookie_timeout: CookieTimeout = "absolute",
        cookie_lifetime_s: float = COOKIE_LIFETIME_S,
        login_rules: LoginRules | None = None,
        permitted: Sequence[str] | None = None,
        enabled: bool = True,
        burst: tuple[int, float] | None = None,
        slow_s: float = 2.0,
        latency_s: float = 0.0,
        serial: str = SERIAL,
    ) -> None:
        self.site = site or _EMPTY_SITE
        self.profile = profile_named(profile)
        self.faults = Faults(faults)
        self._zone = _zone(self.site.timezone)
        self._port = port
        self._archive = Archive()
        shape = self._fill(calls, replay)
        if offset_unit == "row" and not shape.cuttable:
            raise SettingError(
                "replayed records cannot be paged by rows", hint="leave offset_unit at 'group' for a replay"
            )
        source = CdrSource(self._archive, shape, zone=self._zone, offset_unit=offset_unit, blank_time=blank_time)
        now = Clock(clock)
        self._access = Access(
            DEFAULT_USERS if users is None else users,
            clock=now,
            timeout=cookie_timeout,
            lifetime_s=cookie_lifetime_s,
            rules=login_rules or LoginRules(),
        )
        self._api = Api(
            cdr=source,
            access=self._access,
            directory=Directory(self.site),
            profile=self.profile,
            faults=self.faults,
            doors=Doors(enabled, permitted),
            now=now,
            bursts=Bursts(*burst, clock=now) if burst else None,
            slow_s=slow_s,
            latency_s=latency_s,
            serial=serial,
        )
        self._folder = folder
        self._san = san
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._server: ApiServer | None = None
        self.ca_pem = Path()
        self.fingerprint = ""

    @property
    def url(self) -> str:
        """Address of the PBX."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return self._server.server_address[1] if self._server else self._port

    @property
    def requests(self) -> list[tuple[str, dict[str, Any]]]:
        """Action and parameters of each request, without cookies and tokens."""
        return self._api.requests

    def start(self) -> Self:
        """Listen; returns at once.

        Raises
        ------
        SettingError
            The port is taken or may not be used.
        """
        self._api.stopping.clear()
        folder = self._folder
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ucm-simulator-")
            folder = Path(self._temporary.name)
        self.ca_pem, key = ensure_certificate(folder, san=self._san)
        self.fingerprint = fingerprint_of(self.ca_pem)
        try:
            self._server = ApiServer(self._api, self._port, self.ca_pem, key)
        except (OSError, OverflowError) as error:
            self.stop()
            raise SettingError(
                f"cannot listen on port {self._port} of 127.0.0.1 ({error})", hint="choose another port, or 0"
            ) from error
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening and end all connections."""
        self._api.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.close_connections()
            self._server.server_close()
            self._server = None
        if self._temporary is not None:
            self._temporary.cleanup()

    def add(self, call: Call) -> None:
        """Record another call; it shows when it has ended by the clock."""
        shape = self._api.cdr.shape
        if not isinstance(shape, ProfileShape):
            raise SettingError("calls cannot be added to a replay", hint="start the simulator with calls instead")
        for record in call_records([call], shape):
            self._archive.add(record, zone=self._zone, monthly_ids=self.profile.monthly_ids)

    def expire_sessions(self) -> None:
        """Let every cookie time out."""
        self._access.expire_sessions()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Simulator {self.url}, profile {self.profile.name}, {len(self._archive)} records>"

    def _fill(self, calls: Iterable[Call], replay: Sequence[Path]) -> Shape:
        if replay:
            records, as_is = read_replay(replay)
            self._archive.load(records)
            return as_is
        shape = ProfileShape(self.profile, self.site)
        self._archive.load(call_records(calls, shape), zone=self._zone, monthly_ids=self.profile.monthly_ids)
        return shape


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingError(f"no time zone is called {name!r}", hint="use a name such as Europe/Berlin") from error
