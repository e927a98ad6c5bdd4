"""Return codes of the UCM's HTTPS API: one table, code to error, hint and waiting time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ucm_analytics.errors import (
    APIError,
    Busy,
    LockedOut,
    LoginRefused,
    NotPermitted,
    RequestRejected,
    SessionExpired,
)

API_PAGE: Final = "Value-added Features > API Configuration > HTTPS API Settings (New)"
HTTP_PAGE: Final = "System Settings > HTTP Server"
LOGIN_PAGE: Final = "System Settings > Security Settings > Login Restrictions"
TIME_PAGE: Final = "System Settings > Time Settings"


class Code(NamedTuple):
    """What one return code means; `wait_s` is how long to wait before asking again, 0 to not ask again."""

    error: type[APIError]
    meaning: str
    hint: str
    wait_s: float = 0.0


_API_USER = f"check user and password under {API_PAGE}"
_ADDRESS = f"wait until it ends, or add this address to the login allow-list under {LOGIN_PAGE}"
_LATER = "other clients are using the API too; try again later"
_APPLY = "try again when it has ended (see System Status > Active Calls)"
_REPORT = "see Maintenance > System Events and the firmware version under System Status > System Information"
_VALUE = "this firmware does not know the action or a value; see its version under System Status"

CODES: Final[Mapping[int, Code]] = {
    -1: Code(RequestRejected, "invalid parameters", _VALUE),
    -5: Code(SessionExpired, "need authentication", f"log in again; the API user is set under {API_PAGE}"),
    -6: Code(SessionExpired, "cookie error", f"log in again; let nobody else use the API user of {API_PAGE}"),
    -7: Code(Busy, "connection closed", _LATER),
    -8: Code(SessionExpired, "system timeout", f"log in again; the API user is set under {API_PAGE}"),
    -10: Code(NotPermitted, "no permission for call records", f"allow CDR for this API user under {API_PAGE}"),
    -9: Code(RequestRejected, "abnormal system error", _REPORT),
    -15: Code(RequestRejected, "invalid value", _VALUE),
    -16: Code(RequestRejected, "no such item", "it was deleted or renamed on the PBX; list the items again"),
    -19: Code(RequestRejected, "unsupported", _VALUE),
    -24: Code(RequestRejected, "failed to operate data", _REPORT),
    -25: Code(
        RequestRejected,
        "failed to update data",
        "the file or folder does not exist; see CDR > Recording Files",
    ),
    -26: Code(RequestRejected, "failed to get data", _REPORT),
    -37: Code(LoginRefused, "wrong account or password", _API_USER),
    -43: Code(RequestRejected, "data was modified or deleted", "list the items again"),
    -44: Code(RequestRejected, "item was already added", "nothing is left to do"),
    -45: Code(Busy, "asked too often, or others are doing the same", _LATER, 15.0),
    -46: Code(Busy, "asked too often, or others are doing the same", _LATER, 15.0),
    -47: Code(
        NotPermitted,
        "no permission",
        f"allow the action for this API user, and this address, under {API_PAGE}; "
        "older firmware answers this for actions that it does not have, too",
    ),
    -50: Code(RequestRejected, "command contains sensitive characters", "leave out quotes, brackets and semicolons"),
    -51: Code(Busy, "another task is running", _LATER),
    -57: Code(Busy, "asked too often", _LATER, 60.0),
    -68: Code(LockedOut, "login restriction", _ADDRESS),
    -69: Code(Busy, "a conference is going on", _APPLY),
    -70: Code(LockedOut, "login forbidden", _ADDRESS),
    -71: Code(
        LoginRefused,
        "user name does not exist",
        f"create the API user, or correct its name, under {API_PAGE}",
    ),
    -90: Code(Busy, "conference busy", _APPLY),
    -98: Code(Busy, "digital calls present", _APPLY),
}
_UNKNOWN: Final = Code(APIError, "a code that is not in the vendor's table", _REPORT)


def number(value: Any) -> int | None:
    """The whole number in a value of an answer, which some firmware writes as text; None if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 10**18 else None
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) else None


def raise_for(status: int, action: str, response: Mapping[str, Any] | None, host: str, user: str) -> None:
    """Raise the error that a return code stands for; nothing if it is 0.

    Parameters
    ----------
    status : int
        Return code of the answer.
    action : str
        Action that was asked for.
    response : mapping or None
        The answer's `response` object; a refused login says there how many tries are left.
    host, user : str
        Who answered, and for whom.

    Raises
    ------
    APIError
        The subclass that `CODES` names for the code.
    """
    if status == 0:
        return
    code = CODES.get(status, _UNKNOWN)
    asked = "the login" if action in ("challenge", "login") else repr(action)
    why = f"status {status}: {code.meaning}{_left(response or {})}"
    raise code.error(
        f"PBX {host} refused {asked} of user {user!r} ({why})",
        hint=code.hint,
        status=status,
    )


def _left(response: Mapping[str, Any]) -> str:
    """What a refused login says about further tries."""
    said = ""
    tries, seconds = number(response.get("remain_num")), number(response.get("remain_time"))
    if tries is not None and tries >= 0:
        said += f"; {tries} tries left"
    if seconds is not None and seconds > 0:
        said += f"; locked for {seconds} s"
    return said
