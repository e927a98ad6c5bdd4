"""One POST to a PBX: bytes back, or the error that says what stands in the way."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec
import requests
import urllib3

from ucm_analytics.errors import (
    CertificateChanged,
    CertificateUntrusted,
    NotPermitted,
    SettingError,
    UnexpectedAnswer,
    Unreachable,
)
from ucm_analytics.sources.ucm.address import Address
from ucm_analytics.sources.ucm.codes import API_PAGE, HTTP_PAGE
from ucm_analytics.sources.ucm.page import excerpt, loads
from ucm_analytics.sources.ucm.tls import (
    PinnedAdapter,
    VerifyingAdapter,
    normal_fingerprint,
    reason_of,
    shown_certificate,
    tls_failure,
    unreachable,
)

log = logging.getLogger(__name__)

_LARGEST: Final = 64 << 20
"""Bytes of an answer at most; a page of a thousand calls has one to three million."""
_WHOLE: Final = 3
"""Longest time for a whole answer, as a multiple of the longest silence in it."""
_BLOCK: Final = 1 << 16
_HEADERS: Final = {"Content-Type": "application/json;charset=UTF-8"}


class Broken(Exception):
    """A request without an answer that counts; `told` is the error for the user if no other try helps."""

    def __init__(self, told: Unreachable, *, connected: bool = True) -> None:
        super().__init__(told.message)
        self.told = told
        self.connected = connected


class Transport:
    """Verified HTTPS to one PBX; the connection is kept open between requests."""

    def __init__(
        self,
        address: Address,
        *,
        fingerprint: str | None,
        ca: str | Path | None,
        legacy_tls: bool,
        timeout: tuple[float, float],
    ) -> None:
        if ca is not None and not Path(ca).is_file():
            raise SettingError(f"there is no file of authorities at {ca}", hint="check the path (UCM_CA)")
        self.address = address
        self.fingerprint = normal_fingerprint(fingerprint) if fingerprint else None
        self._legacy_tls = legacy_tls
        self._timeout = timeout
        self._whole_s = _WHOLE * timeout[1]
        # Given with each request: REQUESTS_CA_BUNDLE overrides what is set on the session.
        self._verify: bool | str = True if ca is None else str(ca)
        self._http = requests.Session()
        self._http.mount(
            "https://",
            PinnedAdapter(self.fingerprint, legacy=legacy_tls, answer_s=self._whole_s)
            if self.fingerprint
            else VerifyingAdapter(legacy=legacy_tls, answer_s=self._whole_s),
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def post(self, action: str, params: dict[str, Any], *, in_session: bool) -> bytes:
        """Body of the answer to one request, which is complete.

        The answer says how long it is, or is whole JSON: where the connection ends within the head of
        an answer, nothing else would tell it from an answer without a body.

        Parameters
        ----------
        action : str
            Action to ask for.
        params : dict
            Its parameters.
        in_session : bool
            The PBX has answered before, so that a cut connection is worth another try.

        Raises
        ------
        Broken
            No answer, or HTTP 5xx.
        TLSError
            The connection is not secured, or not with whom it should be.
        NotPermitted
            The PBX lets this address not in.
        UnexpectedAnswer
            HTML, another HTTP status than 200, or more than 64 MB.
        """
        try:
            with self._http.post(
                self.address.url,
                data=msgspec.json.encode({"request": {"action": action, **params}}),
                headers=_HEADERS,
                timeout=self._timeout,
                verify=self._verify,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = self._body(action, answer)
        except requests.RequestException as error:
            # The request that hangs on the exception holds the cookie or the token.
            error.request = error.response = None
            self._failed(error, in_session)
        log.debug("%s of %s: HTTP %d, %d bytes", action, self.address, answer.status_code, len(body))
        self._check(action, answer.status_code, body)
        if not _says_its_length(answer) and not _is_json(body):
            raise Broken(
                Unreachable(
                    f"the answer of PBX {self.address} to {action!r} ended before it was complete",
                    hint="try again; if it lasts, see Maintenance > System Events and the network between",
                )
            )
        return body

    def _body(self, action: str, answer: requests.Response) -> bytes:
        body = bytearray()
        for block in answer.iter_content(_BLOCK):
            body += block
            if len(body) > _LARGEST:
                raise UnexpectedAnswer(
                    f"PBX {self.address} answered {action!r} with more than {_LARGEST >> 20} MB",
                    hint="no page of call records is that long; report it, with the firmware's version",
                )
        return bytes(body)

    def _failed(self, error: requests.RequestException, in_session: bool) -> NoReturn:
        reason = _innermost(error)
        if isinstance(error, requests.exceptions.SSLError) and not (in_session and isinstance(reason, ssl.SSLEOFError)):
            self._distrusted(error, reason)
        if isinstance(reason, TimeoutError | urllib3.exceptions.ReadTimeoutError) and _connected(error):
            told = Unreachable(
                f"PBX {self.address} did not answer within {self._timeout[1]:g} s, or not all in {self._whole_s:g} s",
                hint="ask for fewer days at once, or try again when the PBX is less busy",
            )
        elif _connected(error):
            told = Unreachable(
                f"PBX {self.address} broke the connection ({reason_of(reason)})",
                hint="try again; if it lasts, see Maintenance > System Events and the network between",
            )
        else:
            told = unreachable(self.address, reason)
        raise Broken(told, connected=in_session or _connected(error)) from error

    def _distrusted(self, error: BaseException, reason: BaseException) -> NoReturn:
        """Raise the error for a handshake that failed, showing the certificate if that is why."""
        where = self.address
        if not isinstance(reason, ssl.SSLCertVerificationError) and "ingerprint" not in str(reason):
            raise tls_failure(where, reason, self._timeout[0]) from error
        shown = shown_certificate(where.host, where.port, legacy=self._legacy_tls, timeout=self._timeout[0])
        if self.fingerprint:
            raise CertificateChanged(
                f"PBX {where} shows another certificate than the trusted one: "
                f"expected SHA-256 {self.fingerprint}, shown {shown.fingerprint}",
                hint=f"if it was renewed under {HTTP_PAGE}, run `ucm-analytics connect` again; "
                "if not, somebody may be listening in",
                expected=self.fingerprint,
                shown=shown.fingerprint,
            ) from error
        raise CertificateUntrusted(
            f"the certificate of PBX {where} is not trusted ({shown})",
            hint=f"compare the fingerprint with the certificate under {HTTP_PAGE}, "
            "then trust it with `ucm-analytics connect`",
            fingerprint=shown.fingerprint,
        ) from error

    def _check(self, action: str, status: int, body: bytes) -> None:
        html = body.lstrip()[:1] == b"<"
        if status == 403 or (html and b"403 Forbidden" in body[:4096]):
            raise NotPermitted(
                f"PBX {self.address} does not let this address in (403 Forbidden)",
                hint=f"add this computer to Permitted IP(s) under {HTTP_PAGE}, and under {API_PAGE}",
            )
        if status >= 500:
            raise Broken(
                Unreachable(
                    f"PBX {self.address} answered {action!r} with HTTP {status}",
                    hint="try again; if it lasts, see Maintenance > System Events",
                )
            )
        if status != 200 or html:
            # Nothing of an answer that may carry a challenge or a cookie is shown.
            begins = "" if action in ("challenge", "login") and not html else f", beginning {excerpt(body)}"
            raise UnexpectedAnswer(
                f"{self.address} answered {action!r} with HTTP {status}{' and HTML' if html else ''}{begins}",
                hint=f"check the port under {HTTP_PAGE}, and that the API is enabled under {API_PAGE}",
            )


def _says_its_length(answer: requests.Response) -> bool:
    head = answer.headers
    return head.get("Transfer-Encoding", "").lower() == "chunked" or head.get("Content-Length", "").isdecimal()


def _is_json(body: bytes) -> bool:
    try:
        loads(body)
    except msgspec.DecodeError:
        return False
    return True


def _innermost(error: BaseException) -> BaseException:
    """The reason that the libraries wrapped."""
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((a for a in reversed(error.args) if isinstance(a, BaseException)), None)
        if inner is None:
            return error
        error = inner


def _connected(error: requests.RequestException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return False
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return not isinstance(reason, urllib3.exceptions.NewConnectionError)
