"""Every error and warning of the package, in one tree.

::

    UCMError                     .hint .status .retryable
    ├── SettingError             a setting or argument that cannot be used
    ├── Unreachable              no PBX answered at this address
    ├── TLSError                 the connection could not be secured
    │   ├── PlainHTTP            the port speaks HTTP, not HTTPS
    │   ├── CertificateUntrusted nobody has vouched for the certificate yet
    │   └── CertificateChanged   not the certificate that was trusted
    ├── APIError                 the PBX answered with a return code
    │   ├── LoginRefused         user or password
    │   ├── LockedOut            too many wrong logins from this address
    │   ├── SessionExpired       the cookie is unknown or too old
    │   ├── NotPermitted         user or address may not run this action
    │   ├── Busy                 asked too often, or another task is running
    │   └── RequestRejected      the PBX does not accept the request
    ├── UnexpectedAnswer         not what this API answers (HTML, foreign JSON)
    ├── IncompletePull           .resume_from
    ├── StoreError               the data folder
    │   ├── StoreLocked          another sync is writing
    │   └── DamagedFile          a Parquet file cannot be read
    ├── NoData                   the store holds nothing for what was asked
    └── WrongColumns             a frame lacks columns, or their types are wrong

    UCMWarning
    ├── ForeignFile              something in the data folder that is not the store's
    ├── UnknownFields            the PBX sent fields that schema.py does not declare
    └── SilentWeekdays           weekdays without a call, of which nobody said whether they belong
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

_CONTROLS: Final = {"Cc", "Cs", "Zl", "Zp"}
_TURNS: Final = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def printable(text: str) -> str:
    r"""Text on one line that cannot steer a terminal: what would is written as an escape.

    Control characters, ends of lines, halves of characters, and what turns the direction of writing. Names
    and answers of a PBX may hold any of them.

    Examples
    --------
    >>> print(printable("Zoë\x1b[2J 東京"))
    Zoë\x1b[2J 東京
    """
    return "".join(c.encode("unicode_escape").decode() if _steers(c) else c for c in text)


def _steers(c: str) -> bool:
    return unicodedata.category(c) in _CONTROLS or unicodedata.bidirectional(c) in _TURNS


class UCMError(Exception):
    """Base of all errors.

    Parameters
    ----------
    message : str
        What happened, and to what.
    hint : str
        What to do next.
    status : int, optional
        The PBX's return code, where there is one.
    """

    retryable = False

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message := printable(message))
        self.message = message
        self.hint = printable(hint)
        self.status = status

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class SettingError(UCMError, ValueError):
    """A setting or argument that cannot be used."""


class Unreachable(UCMError):
    """No PBX answered at this address."""

    retryable = True


class TLSError(UCMError):
    """The connection could not be secured."""


class PlainHTTP(TLSError):
    """The port speaks HTTP, not HTTPS."""


class CertificateUntrusted(TLSError):
    """Nobody has vouched for the PBX's certificate yet; `.fingerprint` is what it showed."""

    def __init__(self, message: str, *, hint: str = "", fingerprint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fingerprint = fingerprint


class CertificateChanged(TLSError):
    """The PBX shows another certificate than the one that was trusted."""

    def __init__(self, message: str, *, hint: str = "", expected: str, shown: str) -> None:
        super().__init__(message, hint=hint)
        self.expected = expected
        self.shown = shown


class APIError(UCMError):
    """The PBX answered with a return code other than 0."""


class LoginRefused(APIError):
    """The PBX does not accept the user or the password."""


class LockedOut(APIError):
    """The PBX refuses logins from this address for a while."""


class SessionExpired(APIError):
    """The session cookie is missing, unknown or too old."""

    retryable = True


class NotPermitted(APIError):
    """The API user, or this address, may not run the action."""


class Busy(APIError):
    """The PBX was asked too often, or another task is running."""

    retryable = True


class RequestRejected(APIError):
    """The PBX does not accept the request as it was sent."""


class UnexpectedAnswer(UCMError):
    """An answer that this API does not give: HTML, broken or foreign JSON."""


class IncompletePull(UCMError):
    """A pull that could not be proved complete.

    Attributes
    ----------
    resume_from : datetime.date
        The first day that is not complete.
    """

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        resume_from: Any = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.resume_from = resume_from


class StoreError(UCMError):
    """The data folder cannot be used."""


class StoreLocked(StoreError):
    """Another sync is writing to the store."""

    retryable = True


class DamagedFile(StoreError):
    """A Parquet file of the store cannot be read."""


class NoData(UCMError):
    """The store holds nothing for what was asked."""


class WrongColumns(UCMError, TypeError):
    """A frame lacks columns, or their types are wrong."""


class UCMWarning(UserWarning):
    """Base of all warnings."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class ForeignFile(UCMWarning):
    """Something in the data folder is called like a part of the store and is none; it is left out."""


class UnknownFields(UCMWarning):
    """The PBX sent fields that `schema.py` does not declare; they are kept in `extra`."""


class SilentWeekdays(UCMWarning):
    """Weekdays hold no call while others do, and nobody said whether they belong: nothing is divided by them."""
