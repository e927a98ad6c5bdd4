"""HTTPS as a PBX speaks it."""

from __future__ import annotations

import hashlib
import http.client
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.simulator.pbx import PASSWORD, Asker, connected, flat_calls, numbers
from ucm_analytics.errors import SettingError
from ucm_analytics.simulator import Simulator, User

INVALID = b'{"response":{"error_msg":"Invalid parameters!"},"status":-1}'


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_speaks_tls_1_2_and_1_3(version: ssl.TLSVersion) -> None:
    with Simulator() as pbx:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", pbx.port)) as plain,
            context.wrap_socket(plain) as secured,
        ):
            assert secured.version() == version.name.replace("_", ".")
            shown = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest().upper()
    assert pbx.fingerprint == ":".join(re.findall("..", shown))


def test_certificate_without_alternative_names_does_not_verify_for_an_address() -> None:
    with Simulator() as pbx:
        context = ssl.create_default_context(cafile=str(pbx.ca_pem))
        connection = http.client.HTTPSConnection("127.0.0.1", pbx.port, context=context)
        with pytest.raises(ssl.SSLCertVerificationError, match=r"IP address mismatch|not valid for"):
            connection.connect()
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_certificate_with_alternative_names_verifies(host: str) -> None:
    with Simulator(san=True) as pbx:
        context = ssl.create_default_context(cafile=str(pbx.ca_pem))
        connection = http.client.HTTPSConnection(host, pbx.port, context=context, timeout=10)
        connection.request("POST", "/api", b"{}")
        assert connection.getresponse().read() == INVALID
        connection.close()


def test_certificate_belongs_to_the_folder(tmp_path: Path) -> None:
    seen = []
    for name in ("a", "a", "b"):
        with Simulator(folder=tmp_path / name) as pbx:
            seen.append(pbx.fingerprint)
    assert seen[0] == seen[1] != seen[2]
    assert (tmp_path / "a" / "key.pem").stat().st_mode & 0o077 == 0


def test_connection_is_kept_and_closed_as_asked() -> None:
    with connected(Simulator()) as asker:
        before = asker.connection.sock
        asker.ask("getSystemStatus")
        assert asker.connection.sock is before is not None
        assert "Connection" not in asker.headers
        asker.send(b"{}", close=True)
        assert asker.headers["Connection"] == "close"
        assert asker.connection.sock is None


def test_headers() -> None:
    with connected(Simulator()) as asker:
        asker.ask("getSystemStatus")
        assert asker.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert asker.headers["Set-Cookie"].startswith("TRACKID=")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/anything", b""),
        ("GET", "/api", b""),
        ("POST", "/elsewhere", b'{"request":{"action":"challenge","user":"cdrapi"}}'),
        ("POST", "/api", b"not json"),
        ("POST", "/api", b"\xff\xfe"),
        ("POST", "/api", b"[1]"),
        ("POST", "/api", b'{"request":"challenge"}'),
        ("POST", "/api", b'{"request":{}}'),
        ("POST", "/api", b"[" * 100_000),
    ],
)
def test_anything_else_has_invalid_parameters(method: str, path: str, body: bytes) -> None:
    with Simulator() as pbx:
        asker = Asker(pbx)
        assert asker.send(body, method=method, path=path) == (200, INVALID)
        asker.connection.close()


def test_a_body_in_chunks_is_read() -> None:
    with Simulator() as pbx:
        asker = Asker(pbx)
        for _ in range(2):
            body = iter([b'{"request":{"action":', b'"challenge","user":"nobody"}}'])
            asker.connection.request("POST", "/api", body, encode_chunked=True)
            assert asker.connection.getresponse().read() == b'{"response":{},"status":-71}'
        asker.connection.close()


@pytest.mark.parametrize("length", ["-5", "ten", "1000001"])
def test_a_body_of_no_possible_length_ends_the_connection(length: str) -> None:
    with Simulator() as pbx:
        asker = Asker(pbx)
        asker.connection.putrequest("POST", "/api")
        asker.connection.putheader("Content-Length", length)
        asker.connection.endheaders()
        response = asker.connection.getresponse()
        assert response.read() == INVALID
        assert response.getheader("Connection") == "close"
        asker.connection.close()


def test_plain_http_is_hung_up_on_and_others_are_served() -> None:
    with Simulator() as pbx, socket.create_connection(("127.0.0.1", pbx.port)) as silent:
        plain = http.client.HTTPConnection("127.0.0.1", pbx.port, timeout=10)
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            plain.request("GET", "/")
            plain.getresponse()
        plain.close()
        asker = Asker(pbx)  # while another client has connected and says nothing
        assert asker.status("challenge", user="cdrapi") == 0
        asker.connection.close()
        silent.close()


def test_several_clients_at_a_time() -> None:
    users = [f"analyst{n}" for n in range(6)]  # a second challenge for one user replaces the first
    with Simulator(flat_calls(600), users={user: User(PASSWORD) for user in users}) as pbx:

        def pull(user: str) -> list[str]:
            asker = Asker(pbx)
            asker.login(user)
            pages = [asker.records(numRecords=100, offset=offset) for offset in range(0, 600, 100)]
            asker.connection.close()
            return [number for page in pages for number in numbers(page)]

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(pull, users)) == [[f"{1000 + n}" for n in range(600)]] * 6


def test_a_port_that_is_taken_is_named() -> None:
    with Simulator() as pbx, pytest.raises(SettingError, match=f"cannot listen on port {pbx.port} of 127.0.0.1"):
        Simulator(port=pbx.port).start()


def test_stops_with_a_connection_open_and_listens_no_more() -> None:
    with Simulator() as pbx:
        port = pbx.port
        asker = Asker(pbx)
        asker.login()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    asker.connection.close()


def test_requests_are_noted_without_secrets() -> None:
    pbx = Simulator()
    with connected(pbx) as asker:
        asker.records(numRecords=1)
    assert [action for action, _ in pbx.requests] == ["challenge", "login", "cdrapi"]
    assert pbx.requests[2] == ("cdrapi", {"format": "json", "numRecords": 1})
    assert "token" not in pbx.requests[1][1]
    assert "cdrapi123" not in repr(pbx)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"profile": "f99"}, "no firmware profile is called 'f99'"),
        ({"faults": ["fire"]}, "no fault is called 'fire'"),
    ],
)
def test_unknown_names_are_refused(setting: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Simulator(**setting)  # type: ignore[arg-type]
