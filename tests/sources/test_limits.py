"""Answers without measure: each ends in a clear error, in bounded time and memory."""

from __future__ import annotations

import gzip
import ssl
import tracemalloc
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.sources.cuts import answer_to, serving
from tests.sources.pbxs import Session
from ucm_analytics.errors import UnexpectedAnswer, Unreachable
from ucm_analytics.sources.ucm import Retries

PACKED = gzip.compress(bytes(40 << 20), 1)
HEAD = b"HTTP/1.1 200 OK\r\n"


def asked(folder: Path, writes: Any) -> None:
    """Ask for records of a PBX that answers by writing these pieces, until there are no more."""

    def reply(secured: ssl.SSLSocket, request: dict[str, Any]) -> bool:
        if request["action"] != "cdrapi":
            secured.sendall(answer_to(request))
            return True
        for piece in writes():
            secured.sendall(piece)
        return False

    with serving(folder, reply) as pbx:
        ucm = Session(pbx.url, fingerprint=pbx.fingerprint, timeout=(5.0, 0.2), retries=Retries(attempts=1))
        try:
            ucm.request("cdrapi")
        finally:
            ucm.close()


def drop_by_drop(*first: bytes) -> Any:
    """Writes a byte now and then, for ever."""
    import time

    yield from first
    for _ in count():
        time.sleep(0.02)
        yield b" "


@pytest.mark.parametrize(
    "first",
    [(), (b"HTTP/1.1",), (HEAD,), (HEAD, b"Content-Length: 1000000\r\n\r\n"), (HEAD, b"Connection: close\r\n\r\n{")],
)
def test_an_answer_that_comes_a_byte_at_a_time_is_given_up(first: tuple[bytes, ...], tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"did not answer within 0\.2 s, or not all in 0\.6 s|broke the connection"):
        asked(tmp_path, lambda: drop_by_drop(*first))


def endless_chunks() -> Any:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b"[" * 65536 + b"\r\n"


def bomb() -> Any:
    yield HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED


def long_page() -> Any:
    yield HEAD + b"Content-Length: 9999999999999\r\n\r\n"
    while True:
        yield b" " * 65536


@pytest.mark.parametrize("writes", [endless_chunks, bomb, long_page])
def test_an_answer_that_is_too_long_is_given_up(writes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucm_analytics.sources.ucm.transport._LARGEST", 2 << 20)
    tracemalloc.start()
    with pytest.raises(UnexpectedAnswer, match="more than 2 MB"):
        asked(tmp_path, writes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


def test_an_answer_of_unknown_length_has_to_be_whole_json(tmp_path: Path) -> None:
    asked(tmp_path, lambda: [HEAD + b'Connection: close\r\n\r\n{"cdr_root":[]}'])
    for body in (b"", b'{"cdr_root":[', b"AcctId,src"):
        with pytest.raises(Unreachable, match="ended before it was complete"):
            asked(tmp_path, lambda body=body: [HEAD + b"Connection: close\r\n\r\n" + body])
