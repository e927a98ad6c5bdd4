"""What the simulator's tests share: a bare client of the API, and calls made by hand."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ucm_analytics.simulator import Call, Simulator

PASSWORD = "cdrapi123"


class Asker:
    """Talks to a simulator with nothing but the standard library."""

    def __init__(self, simulator: Simulator) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(simulator.ca_pem)
        self.connection = http.client.HTTPSConnection("127.0.0.1", simulator.port, context=context, timeout=10)
        self.headers: dict[str, str] = {}
        self.cookie = ""

    def send(self, body: bytes, *, method: str = "POST", path: str = "/api", close: bool = False) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"} | ({"Connection": "close"} if close else {})
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        text = response.read()
        self.headers = dict(response.getheaders())
        return response.status, text

    def raw(self, action: str, **params: Any) -> bytes:
        cookie = {"cookie": self.cookie} if self.cookie else {}
        status, text = self.send(json.dumps({"request": {"action": action, **cookie, **params}}).encode())
        assert status == 200
        return text

    def ask(self, action: str, **params: Any) -> Any:
        return json.loads(self.raw(action, **params))

    def status(self, action: str, **params: Any) -> int:
        return int(self.ask(action, **params)["status"])

    def login(self, user: str = "cdrapi", password: str = PASSWORD) -> Any:
        challenge = self.ask("challenge", user=user)["response"].get("challenge", "")
        token = hashlib.md5((challenge + password).encode()).hexdigest()
        answer = self.ask("login", user=user, token=token)
        self.cookie = answer["response"].get("cookie", "")
        return answer

    def records(self, **params: Any) -> list[Any]:
        return list(self.ask("cdrapi", format="json", **params)["cdr_root"])


@contextmanager
def connected(simulator: Simulator) -> Iterator[Asker]:
    """A running simulator and an asker that has logged in."""
    with simulator:
        asker = Asker(simulator)
        asker.login()
        try:
            yield asker
        finally:
            asker.connection.close()


def epoch(text: str) -> float:
    """Epoch of a UTC time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def leg(start: str, seconds: int, **fields: str) -> dict[str, str]:
    """An answered Dial leg on a UTC wall clock; `fields` overrides any of it."""
    began = datetime.fromisoformat(start)
    end = datetime.fromtimestamp(began.timestamp() + seconds)
    return {
        "src": "12025550142",
        "dst": "1000",
        "lastapp": "Dial",
        "dstchannel": "PJSIP/1000-00000001",
        "dstchannel_ext": "1000",
        "start": str(began),
        "answer": str(began),
        "end": str(end),
        "duration": str(seconds),
        "billsec": str(seconds),
        "disposition": "ANSWERED",
        "amaflags": "DOCUMENTATION",
        "action_type": "DIAL",
        **fields,
    }


def call(*legs: dict[str, str], ended_at: float | None = None) -> Call:
    """A call of these legs; its session begins when its first leg does."""
    start = datetime.fromisoformat(legs[0]["start"])
    began = int(start.replace(tzinfo=UTC).timestamp())
    session = f"{began}4711-{legs[0]['src']}"
    whole = tuple({"session": session, "uniqueid": f"{began}.1", **fields} for fields in legs)
    last = max(datetime.fromisoformat(fields["end"] or fields["start"]) for fields in legs)
    ended = last.replace(tzinfo=UTC).timestamp() if ended_at is None else ended_at
    return Call(session, start, whole, ended)


def flat_calls(count: int, day: str = "2026-03-02") -> list[Call]:
    """Calls of one leg, one a minute from midnight on, to 1000, 1001, ..."""
    return [
        call(leg(f"{day} {n // 60:02d}:{n % 60:02d}:00", 30, dst=f"{1000 + n}", dstanswer=f"{1000 + n}"))
        for n in range(count)
    ]


def numbers(elements: list[Any]) -> list[str]:
    """`dst` of each element."""
    return [(element.get("main_cdr") or element)["dst"] for element in elements]


def legs_in(elements: list[Any]) -> list[Any]:
    """All legs of an answer, in order."""
    legs = []
    for element in elements:
        subs = [element[key] for key in element if key.startswith("sub_cdr_")]
        legs += subs or [element]
    return legs
