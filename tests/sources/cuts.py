"""A PBX over real TLS that ends the connection within an answer, after any byte of it."""

from __future__ import annotations

import json
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from tests.sources.lies import DAY, END, body_of, cut, window
from tests.sources.pbxs import Session
from ucm_analytics.errors import UCMError
from ucm_analytics.simulator.certificate import ensure_certificate, fingerprint_of
from ucm_analytics.sources.ucm.cdr import pull_day

CALLS = window((2, 1))
RIGHT = Counter(row["dstchannel"] for call in CALLS for row in call)


def answer_to(request: dict[str, Any]) -> bytes:
    """A whole answer, head and body."""
    if request["action"] != "cdrapi":
        body = b'{"response":{"challenge":"0000000891268968","cookie":"sid1-1"},"status":0}'
    else:
        body = body_of(cut(CALLS, "groups", request["offset"], request["numRecords"]))
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


Reply = Callable[[ssl.SSLSocket, dict[str, Any]], bool]
"""Writes what answers a request; whether the connection stays open."""


class Server:
    """A server over TLS that writes just the bytes that a test wants, one connection after the other."""

    def __init__(self, folder: Path, reply: Reply) -> None:
        pem, key = ensure_certificate(folder, san=False)
        self.fingerprint = fingerprint_of(pem)
        self._reply = reply
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem, key)
        self._context.num_tickets = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Serve until the listener is closed."""
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError), closing(self._context.wrap_socket(plain, server_side=True)) as secured:
                self._talk(secured)

    def _talk(self, secured: ssl.SSLSocket) -> None:
        stream = secured.makefile("rb")
        while line := stream.readline():
            length = 0
            while line.strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                line = stream.readline()
            if not self._reply(secured, json.loads(stream.read(length))["request"]):
                return

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def serving(folder: Path, reply: Reply) -> Iterator[Server]:
    """A running `Server`."""
    made = Server(folder, reply)
    thread = Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join()


class Cutter:
    """Ends the answer to the cdrapi request number `at` after `bytes_` bytes, once.

    Attributes
    ----------
    answers : list of bytes
        The whole answers to the cdrapi requests so far.
    said_goodbye : bool
        Whether the connection is then closed as TLS wants it.
    """

    def __init__(self) -> None:
        self.cut_after(0, -1)

    def cut_after(self, at: int, bytes_: int, *, said_goodbye: bool = True) -> None:
        """What the next pull meets."""
        self.at, self.bytes, self.said_goodbye = at, bytes_, said_goodbye
        self.answers: list[bytes] = []

    def reply(self, secured: ssl.SSLSocket, request: dict[str, Any]) -> bool:
        whole = answer_to(request)
        if request["action"] == "cdrapi":
            self.answers.append(whole)
            if len(self.answers) == self.at:
                secured.sendall(whole[: self.bytes])
                if self.said_goodbye:
                    secured.setblocking(False)  # say it, and do not wait for the other side to say it too
                    secured.unwrap()
                return False
        secured.sendall(whole)
        return True


def pull(ucm: Session) -> str:
    """Empty if all legs came, or an error that names the day; else what went wrong."""
    try:
        pages, _ = pull_day(ucm, DAY, frozen_end=END, page_size=1000)
    except UCMError as error:
        return "" if str(DAY) in str(error) else str(error)
    got = Counter(row["dstchannel"] for page in pages for row in page)
    return "" if got == RIGHT else f"{sum(got.values())} of {sum(RIGHT.values())} legs"


def cut_everywhere(folder: Path, *, every: int, heads: int) -> tuple[int, list[str]]:
    """Cut each answer of a pull after each byte: how many cases, and what was wrong.

    Parameters
    ----------
    every : int
        Every so many bytes of a body; heads are cut at each byte.
    heads : int
        In so many of the answers; in all if 0.
    """
    cutter = Cutter()
    with serving(folder, cutter.reply) as pbx:
        ucm = Session(pbx.url, fingerprint=pbx.fingerprint)
        assert pull(ucm) == ""
        whole = cutter.answers[: heads or None]
        cases, wrong = 0, []
        for at, answer in enumerate(whole, 1):
            head = answer.index(b"\r\n\r\n") + 4
            for bytes_ in [*range(head), *range(head, len(answer), every)]:
                for said_goodbye in (True, False):
                    cutter.cut_after(at, bytes_, said_goodbye=said_goodbye)
                    cases += 1
                    if problem := pull(ucm):
                        wrong.append(f"answer {at} cut after {bytes_} bytes, goodbye {said_goodbye}: {problem}")
        cutter.cut_after(0, -1)
        ucm.close()
    return cases, wrong
