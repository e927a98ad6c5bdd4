"""What a PBX says about itself: extensions, queues, menus, trunks, live calls, recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final, Literal, TypeAlias

from ucm_analytics.errors import RequestRejected, UnexpectedAnswer
from ucm_analytics.sources.ucm.codes import number
from ucm_analytics.sources.ucm.session import Session

Record: TypeAlias = dict[str, Any]
"""One item of a list, as the PBX's own JSON object."""

QueueStatistics = Literal["overview", "calldetail", "loginhistory", "pausedhistory"]

_ITEMS: Final = 100
_PAGES: Final = 1000
_SERIAL: Final = 64
_NO_RECORDING: Final = -15


def accounts(ucm: Session) -> list[Record]:
    """Extensions: `extension`, `fullname`, `status`, ..."""
    return _all(ucm, "listAccount", "account")


def queues(ucm: Session) -> list[Record]:
    """Queues.

    Parameters
    ----------
    ucm : Session
        The PBX.

    Returns
    -------
    list of dict
        `extension`, `queue_name`, `strategy`, `members` (numbers joined by commas), and what else the PBX sends.

    Examples
    --------
    >>> from ucm_analytics.demo import pretend_pbx
    >>> with pretend_pbx() as (_, ucm):
    ...     [queue["queue_name"] for queue in queues(ucm)]
    ['Reception', 'Billing']
    """
    return _all(ucm, "listQueue", "queue")


def ring_groups(ucm: Session) -> list[Record]:
    """Ring groups: `extension`, `ringgroup_name`, `members` (numbers joined by commas)."""
    return _all(ucm, "listRinggroup", "ringgroup")


def ivrs(ucm: Session) -> list[Record]:
    """Menus: `ivr_id`, `ivr_name`, `extension`."""
    return _all(ucm, "listIVR", "ivr")


def ivr_menu(ucm: Session, ivr_id: str | int) -> Record:
    """One menu with its keys under `members`: `keypress`, `keypress_event`, and the target under the event's name.

    Raises
    ------
    RequestRejected
        There is no such menu.
    """
    answer = ucm.request("getIVR", ivr=str(ivr_id))
    menu = answer.get("ivr", answer)
    if not isinstance(menu, dict):
        raise _foreign(ucm, "getIVR")
    return {**menu, "members": menu.get("members", answer.get("members", []))}


def voip_trunks(ucm: Session) -> list[Record]:
    """VoIP trunks: `trunk_index`, `trunk_name`, `host`, ..."""
    return _all(ucm, "listVoIPTrunk", "voip_trunk")


def inbound_routes(ucm: Session, trunk_index: str | int) -> list[Record]:
    """Inbound routes of one trunk: `did_pattern_match`, `destination_type`, ..."""
    return _all(ucm, "listInboundRoute", "inbound_route", trunk_index=trunk_index)


def bridged_channels(ucm: Session) -> list[Record]:
    """Calls in which two parties are connected right now."""
    return _walk(ucm, "listBridgedChannels", "channel")[0]


def current_calls(ucm: Session) -> int:
    """Number of calls in which two parties are connected right now: the PBX's own `total_item`."""
    answer = ucm.request("listBridgedChannels", page=1, item_num=1)
    total = number(answer.get("total_item"))
    if total is None:
        raise _foreign(ucm, "listBridgedChannels")
    return total


def unbridged_channels(ucm: Session) -> list[Record]:
    """Channels right now that are not connected to another: ringing, in a menu, waiting."""
    return _walk(ucm, "listUnBridgedChannels", "channel")[0]


def system_status(ucm: Session) -> Record:
    """Serial number, `up-time`, `system-time` as ``23-11-2022 14:37:26 UTC+00:00``."""
    return ucm.request("getSystemStatus")


def serial_number(status: Record) -> str:
    """Serial number in what `system_status` gave, else the MAC address; empty where it holds neither.

    Examples
    --------
    >>> serial_number({"serial-number": "", "mac": "c0:74:ad:00:00:01"})
    'C0:74:AD:00:00:01'
    """
    told = (re.sub(r"[^0-9A-Za-z:-]", "", str(status.get(name) or "")) for name in ("serial-number", "mac"))
    return next(filter(None, told), "")[:_SERIAL].upper()


def system_general_status(ucm: Session) -> Record:
    """`product-model` and the versions of the firmware, `prog-version` being the one people quote."""
    return ucm.request("getSystemGeneralStatus")


def queue_statistics(
    ucm: Session, kind: QueueStatistics, first: date, last: date, *, queue: str = "*", agent: str = "*"
) -> list[Record]:
    """Statistics of queues over whole days, both included.

    Parameters
    ----------
    ucm : Session
        The PBX.
    kind : {"overview", "calldetail", "loginhistory", "pausedhistory"}
        Which statistics.
    first, last : datetime.date
        The days.
    queue, agent : str
        Numbers joined by commas; ``*`` for all.

    Returns
    -------
    list of dict
        As the PBX gives them: each with one key (`total`, `queue` or `agent`) that holds the fields.
        Exact duplicates occur.
    """
    answer = ucm.request(
        "queueapi",
        format="json",
        startTime=first.isoformat(),
        endTime=last.isoformat(),
        queue=queue,
        agent=agent,
        statisticsType=kind,
    )
    for name in ("queue_statistics", "root_statistics"):
        if name in answer:
            found = answer[name]
            return [found] if isinstance(found, dict) else list(found or [])
    raise _foreign(ucm, "queueapi")


def recording_folders(ucm: Session) -> list[str]:
    """Folders of recordings: monitor, queue, ..."""
    return _column(ucm.raw("recapi"))


def recording_files(ucm: Session, folder: str) -> list[str]:
    """Names of the recordings in a folder.

    Raises
    ------
    RequestRejected
        There is no such folder (-25).
    """
    return _column(ucm.raw("recapi", filedir=folder))


def recording(ucm: Session, folder: str, name: str) -> bytes:
    """One recording, a WAV file; `name` without its month folder and without ``@``.

    Raises
    ------
    RequestRejected
        There is no such file (-25).
    UnexpectedAnswer
        The answer is text.
    """
    body = ucm.raw("recapi", filedir=folder, filename=name)
    if body[:4] not in (b"RIFF", b"GSFF"):
        raise UnexpectedAnswer(
            f"PBX {ucm.address} answered with {len(body)} bytes that are no recording instead of {name!r}",
            hint="look for the file under CDR > Recording Files",
        )
    return body


def recordings_of_leg(ucm: Session, acct_id: str | int) -> list[str]:
    """Recordings of the CDR row with this AcctId, as ``YYYY-MM/file.wav``; empty if it has none."""
    try:
        answer = ucm.request("getRecordInfosByCall", id=str(acct_id))
    except RequestRejected as error:
        if error.status == _NO_RECORDING:
            return []
        raise
    return [name for name in str(answer.get("recordfiles") or "").split(",") if name]


def _all(ucm: Session, action: str, key: str, **params: Any) -> list[Record]:
    """A whole list, which must hold as many items as the PBX says that it has."""
    items, promised = _walk(ucm, action, key, **params)
    if promised is not None and len(items) != promised:
        raise UnexpectedAnswer(
            f"{action} of PBX {ucm.address} promised {promised} items and gave {len(items)}",
            hint="try again; somebody may have changed the list meanwhile",
        )
    return items


def _walk(ucm: Session, action: str, key: str, **params: Any) -> tuple[list[Record], int | None]:
    """Items over all pages, and how many the PBX says there are."""
    items: list[Record] = []
    promised = None
    for answer in _pages(ucm, action, params):
        found = answer.get(key)
        if not isinstance(found, list):
            raise _foreign(ucm, action)
        items += found
        promised = number(answer.get("total_item"))
        if not found:
            break
    return items, promised


def _pages(ucm: Session, action: str, params: dict[str, Any]) -> Iterator[Record]:
    for page in range(1, _PAGES + 1):
        answer = ucm.request(action, page=page, item_num=_ITEMS, **params)
        yield answer
        if page >= (number(answer.get("total_page")) or 1):
            return


def _column(body: bytes) -> list[str]:
    """Last column of a list of folders or files, without its heading."""
    lines = body.decode("utf-8", "replace").splitlines()[1:]
    return [line.rsplit(",", 1)[-1].strip() for line in lines if line.strip()]


def _foreign(ucm: Session, action: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"PBX {ucm.address} answered {action!r} in an unknown shape",
        hint="its firmware may be newer than this package; see System Status > System Information",
    )
