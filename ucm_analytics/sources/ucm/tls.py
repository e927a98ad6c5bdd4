"""TLS: a certificate authority or a pinned fingerprint, never nothing.

A PBX signs its certificate itself, mostly without an address in it, so that the ordinary check
cannot succeed. Its SHA-256 fingerprint, shown once and confirmed by a person, can.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from requests.adapters import HTTPAdapter

from ucm_analytics.errors import PlainHTTP, SettingError, TLSError, Unreachable
from ucm_analytics.sources.ucm.address import Address


@dataclass(frozen=True)
class Certificate:
    """What a PBX showed; the validity is None where the certificate cannot be read."""

    fingerprint: str
    subject: str
    valid_from: datetime | None
    valid_until: datetime | None

    def __str__(self) -> str:
        until = f", valid until {self.valid_until:%Y-%m-%d}" if self.valid_until else ""
        return f"{self.subject or 'no subject'}{until}, SHA-256 {self.fingerprint}"


def normal_fingerprint(text: str) -> str:
    """SHA-256 fingerprint as upper-case pairs with colons.

    Raises
    ------
    SettingError
        The text is no SHA-256 fingerprint.

    Examples
    --------
    >>> normal_fingerprint("ab" * 32)[:11]
    'AB:AB:AB:AB'
    """
    digits = re.sub(r"[\s:]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{64}", digits):
        raise SettingError(
            f"{text!r} is no SHA-256 fingerprint",
            hint="it has 64 hexadecimal digits; `ucm-analytics connect` shows the PBX's",
        )
    return ":".join(digits[i : i + 2] for i in range(0, 64, 2))


def context(*, legacy: bool, answer_s: float) -> ssl.SSLContext:
    """TLS 1.2 or newer, trusting the system's authorities.

    Parameters
    ----------
    legacy : bool
        Accept the weak Diffie-Hellman group of UCM62xx units.
    answer_s : float
        Longest time from the end of a request to the end of its answer [s].
    """
    made = ssl.create_default_context()
    made.sslsocket_class = type("Hurried", (_Hurried,), {"answer_s": answer_s})
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if legacy:
        made.set_ciphers("DEFAULT:@SECLEVEL=1")
    return made


class _Hurried(ssl.SSLSocket):
    """A socket on which an answer ends in time, also one that comes a byte at a time."""

    answer_s: float
    _until = float("inf")

    def sendall(self, data: Any, flags: int = 0) -> None:
        super().sendall(data, flags)
        self._until = time.monotonic() + self.answer_s

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        silence = self.gettimeout()
        self.settimeout(left if silence is None else min(silence, left))
        return super().recv_into(*args, **kwargs)


class VerifyingAdapter(HTTPAdapter):
    """Checks the certificate against the system's authorities, or those of a file."""

    def __init__(self, *, legacy: bool, answer_s: float) -> None:
        self._context = context(legacy=legacy, answer_s=answer_s)
        super().__init__(pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def close(self) -> None:
        # a pool that the traceback of a failed request still holds is not closed by forgetting it
        pools = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 - it has no other way in
            pools[key].close()
        super().close()


class PinnedAdapter(VerifyingAdapter):
    """Accepts the one certificate that has the pinned fingerprint."""

    def __init__(self, fingerprint: str, *, legacy: bool, answer_s: float) -> None:
        self._fingerprint = normal_fingerprint(fingerprint)
        super().__init__(legacy=legacy, answer_s=answer_s)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        self._context.check_hostname = False
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **kwargs)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ARG002
        # The fingerprint is checked after the handshake, also where REQUESTS_CA_BUNDLE is set;
        # the authorities must not refuse the self-signed certificate before.
        super().cert_verify(conn, url, False, cert)  # type: ignore[no-untyped-call]


def shown_fingerprint(host: str, port: int, *, timeout: float = 10.0) -> str:
    """SHA-256 fingerprint of the certificate that a server shows, as upper-case pairs with colons.

    Raises
    ------
    Unreachable, PlainHTTP, TLSError
        Nobody listens there, or not with TLS.
    """
    return shown_certificate(host, port, timeout=timeout).fingerprint


def shown_certificate(host: str, port: int, *, legacy: bool = False, timeout: float = 10.0) -> Certificate:
    """Certificate that a server shows, not verified: nothing is sent to the server.

    Raises
    ------
    Unreachable, PlainHTTP, TLSError
        Nobody listens there, or not with TLS.
    """
    looking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    looking.minimum_version = ssl.TLSVersion.TLSv1_2
    looking.check_hostname = False
    looking.verify_mode = ssl.CERT_NONE
    if legacy:
        looking.set_ciphers("DEFAULT:@SECLEVEL=1")
    where = Address(host, port)
    try:
        with socket.create_connection((host, port), timeout=timeout) as plain:
            try:
                with looking.wrap_socket(plain, server_hostname=host) as secured:
                    return _read(secured.getpeercert(binary_form=True) or b"")
            except ssl.SSLError as error:
                failure = error
    except OSError as error:
        raise unreachable(where, error) from error
    raise tls_failure(where, failure, timeout) from failure


def _read(der: bytes) -> Certificate:
    fingerprint = normal_fingerprint(sha256(der).hexdigest())
    try:
        known = x509.load_der_x509_certificate(der)
        subject = known.subject.rfc4514_string()
    except ValueError:
        # Some devices write certificates that strict readers refuse; the fingerprint is what counts.
        return Certificate(fingerprint, "", None, None)
    return Certificate(fingerprint, subject, known.not_valid_before_utc, known.not_valid_after_utc)


def unreachable(where: Address, error: BaseException) -> Unreachable:
    """The error for a PBX that no connection reaches."""
    return Unreachable(
        f"no PBX answers at {where} ({reason_of(error)})",
        hint="check the address, the network, and the port under System Settings > HTTP Server (mostly 8089)",
    )


def reason_of(error: BaseException) -> str:
    """Few words of the operating system or of a library."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def tls_failure(where: Address, error: BaseException, timeout: float = 10.0) -> TLSError:
    """The error for a handshake that failed for another reason than trust."""
    if speaks_http(where, timeout):
        return PlainHTTP(
            f"{where} speaks HTTP, not HTTPS",
            hint="set the protocol to HTTPS, or use the HTTPS port, under System Settings > HTTP Server",
        )
    if "DH_KEY_TOO_SMALL" in str(error):
        hint = "this is an old UCM62xx; update its firmware, or connect with legacy_tls=True"
    else:
        hint = "check the port and the firmware under System Settings > HTTP Server; TLS 1.2 or newer is needed"
    reason = getattr(error, "reason", None) or type(error).__name__
    return TLSError(f"no secured connection to {where} ({reason})", hint=hint)


def speaks_http(where: Address, timeout: float = 10.0) -> bool:
    """Whether a server answers unencrypted HTTP."""
    try:
        with socket.create_connection((where.host, where.port), timeout=timeout) as plain:
            plain.settimeout(min(timeout, 5.0))
            plain.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            return plain.recv(5) == b"HTTP/"
    except OSError:
        return False
