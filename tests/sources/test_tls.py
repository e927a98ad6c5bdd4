"""Whom the client trusts, and what it says of those whom it does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.sources.pbxs import Session, session
from ucm_analytics.errors import (
    CertificateChanged,
    CertificateUntrusted,
    PlainHTTP,
    SettingError,
    TLSError,
    Unreachable,
)
from ucm_analytics.simulator import Simulator
from ucm_analytics.sources.ucm.tls import context, normal_fingerprint, shown_certificate, shown_fingerprint

OTHER = ":".join(["AB"] * 32)


def test_fingerprints_in_any_form() -> None:
    for text in ("ab" * 32, "AB:" * 31 + "AB", " " + "ab " * 32):
        assert normal_fingerprint(text) == OTHER
    for text in ("", "ab" * 31, "xy" * 32):
        with pytest.raises(SettingError, match="no SHA-256 fingerprint"):
            normal_fingerprint(text)


def test_pinned_certificate_in_any_form() -> None:
    with Simulator() as pbx:
        for form in (pbx.fingerprint, pbx.fingerprint.replace(":", "").lower()):
            with session(pbx, fingerprint=form) as ucm:
                assert ucm.request("getSystemStatus")


def test_pin_holds_where_a_bundle_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with Simulator(folder=tmp_path / "other") as other:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.ca_pem))
        with Simulator() as pbx, session(pbx) as ucm:
            assert ucm.request("getSystemStatus")
        with session(other, fingerprint=OTHER) as ucm, pytest.raises(CertificateChanged):
            ucm.login()


def test_another_certificate_shows_both() -> None:
    with Simulator() as pbx, session(pbx, fingerprint=OTHER) as ucm:
        with pytest.raises(CertificateChanged) as caught:
            ucm.login()
        assert (caught.value.expected, caught.value.shown) == (OTHER, pbx.fingerprint)
        assert OTHER in str(caught.value)
        assert pbx.fingerprint in str(caught.value)
        assert ucm.waits == []
        assert pbx.requests == []


def test_certificate_changed_between_two_sessions(tmp_path: Path) -> None:
    with Simulator(folder=tmp_path / "old") as pbx:
        port, pin = pbx.port, pbx.fingerprint
        ucm = session(pbx)
        ucm.request("getSystemStatus")
    with Simulator(folder=tmp_path / "new", port=port) as pbx:
        with pytest.raises(CertificateChanged) as caught:
            ucm.request("getSystemStatus")
        assert (caught.value.expected, caught.value.shown) == (pin, pbx.fingerprint)


def test_nobody_vouches_for_a_self_signed_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with Simulator() as pbx, session(pbx, fingerprint=None) as ucm:
        with pytest.raises(CertificateUntrusted) as caught:
            ucm.login()
        assert caught.value.fingerprint == pbx.fingerprint
        assert "CN=Grandstream UCM" in str(caught.value)
        assert pbx.requests == []


def test_ca_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with Simulator(san=True) as pbx, Simulator(folder=tmp_path / "other", san=True) as other:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.ca_pem))
        with session(pbx, fingerprint=None, ca=pbx.ca_pem) as ucm:
            assert ucm.request("getSystemStatus")
        with session(pbx, fingerprint=None, ca=other.ca_pem) as ucm, pytest.raises(CertificateUntrusted):
            ucm.login()


def test_ca_does_not_help_a_certificate_without_the_address() -> None:
    with (
        Simulator(san=False) as pbx,
        session(pbx, fingerprint=None, ca=pbx.ca_pem) as ucm,
        pytest.raises(CertificateUntrusted),
    ):
        ucm.login()


def test_missing_ca_file(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no file of authorities"):
        Session("192.0.2.10", ca=tmp_path / "missing.pem")


def test_what_a_server_shows() -> None:
    with Simulator() as pbx:
        assert shown_fingerprint("127.0.0.1", pbx.port) == pbx.fingerprint
        shown = shown_certificate("127.0.0.1", pbx.port)
        assert shown.subject == "CN=Grandstream UCM"
        assert shown.valid_from is not None
        assert shown.valid_until is not None
        assert (shown.valid_until - shown.valid_from).days == 3651
        assert str(shown).endswith(f"SHA-256 {pbx.fingerprint}")


@contextmanager
def plain_http() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_port_that_speaks_http() -> None:
    with plain_http() as port:
        for fingerprint in (None, OTHER):
            with (
                Session(f"127.0.0.1:{port}", fingerprint=fingerprint) as ucm,
                pytest.raises(PlainHTTP, match="HTTPS port, under System Settings > HTTP Server"),
            ):
                ucm.login()
        with pytest.raises(PlainHTTP):
            shown_fingerprint("127.0.0.1", port)


def test_port_that_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5.0)

        def greet() -> None:
            for _ in range(4):
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    one.sendall(b"220 mail.example.org ESMTP\r\n")
                    one.recv(1024)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        with Session(f"127.0.0.1:{server.getsockname()[1]}", timeout=(2.0, 2.0)) as ucm:
            with pytest.raises(TLSError, match="no secured connection") as caught:
                ucm.login()
            assert type(caught.value) is TLSError


def test_wrong_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Session(f"127.0.0.1:{port}") as ucm, pytest.raises(Unreachable, match=f"no PBX answers at 127.0.0.1:{port}"):
        ucm.login()
    assert ucm.waits == []
    with pytest.raises(Unreachable):
        shown_fingerprint("127.0.0.1", port)


def test_unknown_host() -> None:
    with Session("pbx.invalid") as ucm, pytest.raises(Unreachable, match=r"pbx\.invalid:8089"):
        ucm.login()


def test_a_pbx_that_goes_away_is_tried_again() -> None:
    with Simulator() as pbx:
        ucm = session(pbx)
        ucm.request("getSystemStatus")
    with pytest.raises(Unreachable):
        ucm.request("getSystemStatus")
    assert ucm.waits == [1.0, 2.0, 4.0]


def test_weak_keys_only_where_asked_for() -> None:
    assert context(legacy=True, answer_s=1.0).security_level == 1
    assert context(legacy=False, answer_s=1.0).security_level >= 1
    assert context(legacy=False, answer_s=1.0).minimum_version.name == "TLSv1_2"
    with Simulator() as pbx, session(pbx, legacy_tls=True) as ucm:
        assert ucm.request("getSystemStatus")
