"""Ask a PBX for its directory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from ucm_analytics.errors import NotPermitted, RequestRejected, UnexpectedAnswer
from ucm_analytics.sources.ucm import lists
from ucm_analytics.sources.ucm.session import Session

log = logging.getLogger(__name__)

Row = dict[str, str]

_EVENTS: Final = {
    "member_account": "extension",
    "member_extension": "extension",
    "member_queue": "queue",
    "member_ringgroup": "ring_group",
    "member_ivr": "ivr",
    "member_voicemail": "voicemail",
}
_DIALLED: Final = {
    "dial_extension": "extension",
    "dial_queue": "queue",
    "dial_ringgroup": "ring_group",
    "dial_vmgroup": "voicemail",
}
"""Settings of a menu by which callers may dial numbers of a kind."""

_DESTINATIONS: Final = {
    "account": "extension",
    "queue": "queue",
    "ringgroup": "ring_group",
    "ivr": "ivr",
    "voicemail": "voicemail",
}


def directory(ucm: Session) -> Iterator[tuple[str, list[Row] | None]]:
    """Each kind of entry with all that the PBX lists; None where the API user may not read it."""
    for kind, ask in _LISTS.items():
        try:
            yield kind, [{"kind": kind, **row} for row in ask(ucm)]
        except (NotPermitted, RequestRejected, UnexpectedAnswer) as error:
            log.warning("the %s list of PBX %s is not refreshed: %s", kind, ucm.address, error.message)
            yield kind, None


def _extensions(ucm: Session) -> Iterator[Row]:
    for item in lists.accounts(ucm):
        yield _row(item, "extension", "fullname")


def _queues(ucm: Session) -> Iterator[Row]:
    for item in lists.queues(ucm):
        yield _row(item, "extension", "queue_name")


def _menus(ucm: Session) -> Iterator[Row]:
    items = lists.ivrs(ucm)
    numbers = {str(item.get("ivr_id", "")): str(item.get("extension", "")) for item in items}
    for item in items:
        menu = _row(item, "extension", "ivr_name")
        yield menu
        settings = lists.ivr_menu(ucm, item["ivr_id"])
        for field, kind in _DIALLED.items():
            if settings.get(field) == "yes":
                yield {**menu, "key": "dial", "target_kind": kind}
        for key in settings["members"]:
            event = str(key.get("keypress_event", ""))
            target = str(key.get(event, ""))
            if event == "member_ivr" and target not in numbers.values():
                target = numbers.get(target, target)
            yield {
                **menu,
                "key": str(key.get("keypress", "")),
                "target_kind": _EVENTS.get(event, "other"),
                "target": target,
            }


def _ring_groups(ucm: Session) -> Iterator[Row]:
    for item in lists.ring_groups(ucm):
        yield _row(item, "extension", "ringgroup_name")


def _trunks(ucm: Session) -> Iterator[Row]:
    for item in lists.voip_trunks(ucm):
        yield _row(item, "trunk_index", "trunk_name")


def _numbers(ucm: Session) -> Iterator[Row]:
    for trunk in lists.voip_trunks(ucm):
        for route in lists.inbound_routes(ucm, trunk["trunk_index"]):
            kind = str(route.get("destination_type", ""))
            for pattern in str(route.get("did_pattern_match_list", "")).split(","):
                yield {
                    "number": pattern.strip().removeprefix("_"),
                    "name": str(route.get("inbound_rt_name", "")),
                    "target_kind": _DESTINATIONS.get(kind, "other"),
                    "target": str(route.get(kind, "")),
                }


def _row(item: dict[str, Any], number: str, name: str) -> Row:
    return {"number": str(item.get(number, "")), "name": str(item.get(name, ""))}


_LISTS: Final[dict[str, Callable[[Session], Iterator[Row]]]] = {
    "extension": _extensions,
    "queue": _queues,
    "ivr": _menus,
    "ring_group": _ring_groups,
    "trunk": _trunks,
    "did": _numbers,
}
