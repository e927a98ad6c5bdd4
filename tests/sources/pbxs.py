"""Calls made by hand, a session with a simulated PBX, and a PBX that answers as a test says."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from ucm_analytics.simulator import Call, Simulator
from ucm_analytics.simulator.certificate import ensure_certificate, fingerprint_of
from ucm_analytics.sources.ucm import UCM, Retries

PASSWORD = "cdrapi123"
DAY = datetime(2026, 3, 2)
END = datetime(2026, 3, 4)


def call(number: int, start: datetime, legs: int = 1) -> Call:
    """A call of so many legs, one second each."""
    epoch = int((start - datetime(1970, 1, 1)).total_seconds())
    caller = "12025550142"
    session = f"{epoch}{number:06d}-{caller}"
    rows = []
    for leg in range(legs):
        began, ended = start + timedelta(seconds=leg), start + timedelta(seconds=leg + 1)
        rows.append(
            {
                "src": caller,
                "dst": f"10{leg:02d}",
                "dstchannel": f"PJSIP/10{leg:02d}-{number:08x}",
                "lastapp": "Dial",
                "start": f"{began:%Y-%m-%d %H:%M:%S}",
                "answer": f"{began:%Y-%m-%d %H:%M:%S}",
                "end": f"{ended:%Y-%m-%d %H:%M:%S}",
                "duration": "1",
                "billsec": "1",
                "disposition": "ANSWERED",
                "uniqueid": f"{epoch}.{number}",
                "userfield": "Inbound",
                "session": session,
                "action_type": "DIAL",
            }
        )
    return Call(session=session, start=start, legs=tuple(rows), ended_at=epoch + legs)


def calls(count: int, *, group_every: int = 5, day: datetime = DAY) -> list[Call]:
    """Calls of one day from 08:00 on, 20 s apart; every n-th has three legs."""
    return [
        call(n, day + timedelta(hours=8, seconds=20 * n), 3 if n % group_every == group_every - 1 else 1)
        for n in range(count)
    ]


class Session(UCM):
    """A session that does not wait; `waits` are the seconds that it would have waited."""

    def __init__(self, url: str, password: str = PASSWORD, **options: Any) -> None:
        super().__init__(url, options.pop("user", "cdrapi"), password, **options)
        self.waits: list[float] = []
        self.sleep = self.waits.append


def session(pbx: Simulator, password: str = PASSWORD, **options: Any) -> Session:
    """A session with a simulated PBX, pinned to its certificate."""
    options.setdefault("fingerprint", pbx.fingerprint)
    options.setdefault("retries", Retries(jitter=0.0))
    return Session(pbx.url, password, **options)


Answer = Callable[[str, Mapping[str, Any]], "tuple[int, bytes] | dict[str, Any] | None"]


class Stub:
    """A server over TLS whose answers a test decides; challenge and login work unless it decides them."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self.answer = answer
        self.actions: list[str] = []
        pem, key = ensure_certificate(folder, san=False)
        self.fingerprint = fingerprint_of(pem)
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
                status, body = stub.reply(request)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"

    def reply(self, request: dict[str, Any]) -> tuple[int, bytes]:
        action = request["action"]
        self.actions.append(action)
        told = self.answer(action, request)
        if told is None:
            usual = {
                "challenge": {"response": {"challenge": "0000000891268968"}, "status": 0},
                "login": {"response": {"cookie": "sid743052864-1771597757"}, "status": 0},
            }
            told = usual.get(action, {"response": {}, "status": 0})
        return told if isinstance(told, tuple) else (200, json.dumps(told).encode())


@contextmanager
def stub(folder: Path, answer: Answer) -> Iterator[Stub]:
    """A running `Stub`."""
    made = Stub(folder, answer)
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()
