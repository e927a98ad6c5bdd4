"""The published how-to, step by step: what works, and for the first thing that does not, what to change where."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, Final

from ucm_analytics.errors import (
    APIError,
    CertificateUntrusted,
    LockedOut,
    LoginRefused,
    NotPermitted,
    UCMError,
    UnexpectedAnswer,
)
from ucm_analytics.sources.ucm.address import Address
from ucm_analytics.sources.ucm.codes import API_PAGE, HTTP_PAGE, TIME_PAGE
from ucm_analytics.sources.ucm.lists import serial_number, system_general_status, system_status
from ucm_analytics.sources.ucm.page import decode
from ucm_analytics.sources.ucm.session import Session
from ucm_analytics.sources.ucm.tls import Certificate, normal_fingerprint, shown_certificate, unreachable

log = logging.getLogger(__name__)

_CLOCK_TOLERANCE: Final = timedelta(seconds=60)
_NO_SUCH_USER: Final = -71


@dataclass(frozen=True)
class Check:
    """One step of the how-to.

    Attributes
    ----------
    name : str
        ``reachable``, ``TLS``, ``certificate``, ``API``, ``address``, ``user``, ``password``,
        ``CDR permission`` or ``clock``.
    ok : bool
        Whether it works.
    detail : str
        What was found.
    hint : str
        What to change where; empty if nothing.
    facts : mapping
        What was learnt: ``fingerprint``; ``serial``, ``product``, ``firmware``, ``utc_offset``,
        ``difference_s``.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def stops(self) -> bool:
        """Whether nothing works without it; a clock that is off is no reason not to read the records."""
        return not self.ok and self.name != "clock"


def diagnose(
    url: str,
    user: str,
    password_supplier: Callable[[], str],
    *,
    fingerprint: str | None = None,
    ca: str | Path | None = None,
    confirm: Callable[[Certificate], bool],
    timeout: tuple[float, float] = (10.0, 120.0),
) -> Iterator[Check]:
    """Walk the steps from the address to the records; the first that fails is the last.

    Parameters
    ----------
    url : str
        Address of the PBX, as for `UCM`.
    user : str
        API user.
    password_supplier : callable
        Gives the password; called when it is needed, once.
    fingerprint : str, optional
        The certificate that is trusted already.
    ca : str or path, optional
        File of authorities.
    confirm : callable
        Whether to trust the certificate that the PBX shows, where nothing else vouches for it.
    timeout : tuple of float
        Longest wait for the connection, and for an answer [s].

    Yields
    ------
    Step
        Each step when it is done.
    """
    try:
        address = Address.of(url)
        _connect(address, timeout[0])
    except UCMError as error:
        yield _failed("reachable", error)
        return
    yield Check("reachable", True, f"{address} accepts connections")

    try:
        shown = shown_certificate(address.host, address.port, timeout=timeout[0])
    except UCMError as error:
        yield _failed("TLS", error)
        return
    yield Check("TLS", True, f"{address} speaks HTTPS")

    with closing(_Walk(url, user, password_supplier, ca, timeout)) as walk:
        yield walk.certificate(shown, fingerprint, confirm)
        if walk.ucm is not None:
            yield from _api(walk.ucm)


class _Walk:
    """The session with the PBX, once its certificate is trusted."""

    def __init__(
        self,
        url: str,
        user: str,
        password: Callable[[], str],
        ca: str | Path | None,
        timeout: tuple[float, float],
    ) -> None:
        self.ucm: Session | None = None
        self._user = user
        self._make = partial(Session, url, user, password, ca=ca, timeout=timeout)

    def close(self) -> None:
        """End the session."""
        if self.ucm is not None:
            self.ucm.close()

    def certificate(self, shown: Certificate, fingerprint: str | None, confirm: Callable[[Certificate], bool]) -> Check:
        """Whether the certificate is the trusted one, or is signed, or is confirmed now."""
        facts = {"fingerprint": shown.fingerprint}
        try:
            pin = normal_fingerprint(fingerprint) if fingerprint else None
            if pin is None and self._signed():
                return Check("certificate", True, f"signed by a trusted authority: {shown}")
        except UCMError as error:
            return _failed("certificate", error)
        if pin is not None and pin != shown.fingerprint:
            return Check(
                "certificate",
                False,
                f"expected SHA-256 {pin}, shown {shown.fingerprint}",
                f"if the certificate was renewed under {HTTP_PAGE}, connect again without the old fingerprint; "
                "if not, somebody may be listening in",
                facts,
            )
        if pin is None and not confirm(shown):
            return Check(
                "certificate",
                False,
                f"not trusted: {shown}",
                f"compare it with the certificate under {HTTP_PAGE}, then confirm it, or give the file of "
                "the authority that signed it",
                facts,
            )
        self.ucm = self._make(ca=None, fingerprint=shown.fingerprint)
        return Check("certificate", True, f"{'confirmed' if pin is None else 'the trusted one'}: {shown}", "", facts)

    def _signed(self) -> bool:
        """Whether an authority vouches for the certificate; the session is then the one to use."""
        ucm = self._make()
        try:
            ucm.challenge()
        except CertificateUntrusted:
            ucm.close()
            return False
        except (APIError, UnexpectedAnswer) as error:
            # Answered, so it is trusted; the next steps say what is wrong.
            log.debug("challenge of %s: %s", ucm.address, type(error).__name__)
        except UCMError:
            ucm.close()
            raise
        self.ucm = ucm
        return True


def _api(ucm: Session) -> Iterator[Check]:
    """API, address, user, password, CDR permission, clock."""
    for step in _doors(ucm):
        yield step
        if not step.ok:
            return
    permission = _records(ucm)
    yield permission
    if permission.ok:
        yield _clock(ucm)


def _doors(ucm: Session) -> Iterator[Check]:
    """API, address, user and password."""
    try:
        ucm.challenge()
    except (NotPermitted, LockedOut) as error:
        yield Check("API", True, f"a web server answers at {ucm.address}")
        yield _failed("address", error)
        return
    except LoginRefused as error:
        yield from _let_in()
        yield _failed("user", error)
        return
    except UCMError as error:
        hint = f"tick Enable under {API_PAGE}, check the user there, and Permitted IP(s) under {HTTP_PAGE}"
        yield _failed("API", error, hint if isinstance(error, APIError) and error.status == -1 else "")
        return
    yield from _let_in()
    try:
        ucm.login()
    except UCMError as error:
        if isinstance(error, LoginRefused) and error.status == _NO_SUCH_USER:
            yield _failed("user", error)
            return
        yield Check("user", True, f"the PBX gives {ucm.user!r} a challenge")
        yield _failed("password", error)
        return
    yield Check("user", True, f"the PBX knows {ucm.user!r}")
    yield Check("password", True, f"logged in as {ucm.user!r}")


def _let_in() -> Iterator[Check]:
    yield Check("API", True, "the HTTPS API is enabled")
    yield Check("address", True, "this computer's address is permitted")


def _records(ucm: Session) -> Check:
    read = partial(decode, host=str(ucm.address), user=ucm.user)
    try:
        found = ucm.ask(read, "cdrapi", format="json", numRecords=1)
    except UCMError as error:
        return _failed("CDR permission", error, f"tick cdrapi among the user's permissions under {API_PAGE}")
    return Check("CDR permission", True, "call records can be read" if found else "allowed; there are no calls yet")


def _clock(ucm: Session) -> Check:
    """The PBX's clock against this computer's, with product and firmware."""
    facts: dict[str, str] = {}
    try:
        asked_at = datetime.now(UTC)
        status = system_status(ucm)
        said = str(status.get("system-time", ""))
        facts["serial"] = serial_number(status)
        general = system_general_status(ucm)
    except APIError as error:
        return Check(
            "clock",
            True,
            f"not shown to {ucm.user!r} ({error.message})",
            f"tick getSystemStatus and getSystemGeneralStatus under {API_PAGE}, or set UCM_TIMEZONE",
            facts,
        )
    except UCMError as error:
        return _failed("clock", error)
    facts["product"] = " ".join(str(general.get("product-model", "")).split())
    facts["firmware"] = str(general.get("prog-version", ""))
    device = f"{facts['product']}, firmware {facts['firmware']}"
    clock = _system_time(said)
    if clock is None:
        return Check("clock", True, f"{device}; the PBX's clock reads {said!r}", "set UCM_TIMEZONE", facts)
    difference = clock - asked_at
    facts["utc_offset"] = clock.strftime("%z")[:3] + ":" + clock.strftime("%z")[3:]
    facts["difference_s"] = str(round(difference.total_seconds()))
    detail = (
        f"{device}; {clock:%Y-%m-%d %H:%M:%S} UTC{facts['utc_offset']}, {facts['difference_s']} s off this computer"
    )
    if abs(difference) > _CLOCK_TOLERANCE:
        return Check("clock", False, detail, f"set clock, zone and NTP server under {TIME_PAGE}", facts)
    return Check("clock", True, detail, "", facts)


def _system_time(text: str) -> datetime | None:
    """Instant of ``23-11-2022 14:37:26 UTC+00:00``."""
    match = re.fullmatch(r"(\d{2}-\d{2}-\d{4} \d{2}:\d{2}:\d{2}) UTC([+-])(\d{2}):(\d{2})", text.strip())
    if match is None:
        return None
    offset = timedelta(hours=int(match[3]), minutes=int(match[4])) * (1 if match[2] == "+" else -1)
    try:
        return datetime.strptime(match[1], "%d-%m-%Y %H:%M:%S").replace(tzinfo=timezone(offset))
    except ValueError:
        return None


def _connect(address: Address, timeout: float) -> None:
    try:
        socket.create_connection((address.host, address.port), timeout=timeout).close()
    except OSError as error:
        raise unreachable(address, error) from error


def _failed(name: str, error: UCMError, hint: str = "") -> Check:
    facts: dict[str, Any] = {} if error.status is None else {"status": str(error.status)}
    return Check(name, False, error.message, hint or error.hint, facts)
