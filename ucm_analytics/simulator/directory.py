"""The list actions: what a site's phones, queues, menus, trunks and routes look like to the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from ucm_analytics.simulator.access import Refused
from ucm_analytics.simulator.records import InboundRoute, Ivr, Site

Row = dict[str, Any]

DEFAULT_ITEMS: Final = 30
_DESTINATIONS: Final = (
    "account",
    "voicemail",
    "conference",
    "vmgroup",
    "ivr",
    "ringgroup",
    "queue",
    "paginggroup",
    "fax",
    "disa",
    "directory",
    "external_number",
)


class Directory:
    """Answers of the list actions.

    Each answer is a page: ``page``, ``item_num`` (30), ``sidx``, ``sord`` and ``options`` (names of the
    fields wanted) are taken as numbers or text.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.lists: dict[str, tuple[str, list[Row]]] = {
            "listAccount": ("account", self._accounts()),
            "listQueue": ("queue", self._queues()),
            "listIVR": ("ivr", self._ivrs()),
            "listRinggroup": ("ringgroup", self._ring_groups()),
            "listVoIPTrunk": ("voip_trunk", self._trunks()),
            "listInboundRoute": ("inbound_route", [_route(route) for route in site.inbound_routes]),
        }

    def page(self, action: str, params: Mapping[str, Any]) -> Row:
        """One page of a list; `listInboundRoute` may be narrowed to one ``trunk_index``."""
        key, rows = self.lists[action]
        trunk = str(params.get("trunk_index") or "")
        if action == "listInboundRoute" and trunk:
            rows = [row for row in rows if str(row["trunk_index"]) == trunk]
        return paged(key, rows, params)

    def ivr(self, params: Mapping[str, Any]) -> Row:
        """A menu and its keys.

        Raises
        ------
        Refused
            -1 without ``ivr``, -16 if there is no such menu.
        """
        wanted = str(params.get("ivr", ""))
        if not wanted:
            raise Refused(-1)
        for ivr in self.site.ivrs:
            if str(ivr.id) == wanted:
                members = [
                    {"keypress": key.keypress, "keypress_event": key.event, key.event: key.target} for key in ivr.keys
                ]
                return {"ivr": _menu(ivr), "members": members}
        raise Refused(-16)

    def _accounts(self) -> list[Row]:
        return [
            {
                "extension": phone.number,
                "account_type": "SIP(WebRTC)",
                "fullname": phone.name,
                "out_of_service": "no",
                "status": "Idle",
                "addr": "-",
                "urgemsg": 0,
                "newmsg": 0,
                "oldmsg": 0,
                "lockflag": 0,
                "presence_status": "available",
                "presence_def_script": "",
                "user_name": phone.number,
                "email_to_user": "no",
                "enable_contact": 1,
            }
            for phone in self.site.extensions
        ]

    def _queues(self) -> list[Row]:
        return [
            {
                "extension": queue.extension,
                "queue_name": queue.name,
                "strategy": queue.strategy,
                "queue_chairmans": "",
                "members": ",".join(queue.members),
            }
            for queue in self.site.queues
        ]

    def _ivrs(self) -> list[Row]:
        return [
            {
                "ivr_id": ivr.id,
                "ivr_name": ivr.name,
                "extension": ivr.extension,
                "response_timeout": 10,
                "digit_timeout": 3,
            }
            for ivr in self.site.ivrs
        ]

    def _ring_groups(self) -> list[Row]:
        return [
            {
                "extension": group.extension,
                "ringgroup_name": group.name,
                "members": ",".join(group.members),
            }
            for group in self.site.ring_groups
        ]

    def _trunks(self) -> list[Row]:
        return [
            {
                "trunk_index": trunk.index,
                "trunk_name": trunk.name,
                "host": trunk.host,
                "trunk_type": "peer",
                "username": "",
            }
            for trunk in self.site.trunks
        ]


def paged(key: str, rows: Sequence[Row], params: Mapping[str, Any]) -> Row:
    """A page of rows with ``total_item``, ``total_page`` and ``page``.

    Raises
    ------
    Refused
        -1 where ``page`` or ``item_num`` is not a number above 0.
    """
    items, page = _number(params, "item_num", DEFAULT_ITEMS), _number(params, "page", 1)
    sort_by, options = params.get("sidx"), params.get("options")
    if isinstance(sort_by, str) and sort_by and all(sort_by in row for row in rows):
        rows = sorted(rows, key=lambda row: str(row[sort_by]), reverse=params.get("sord") == "desc")
    if isinstance(options, str) and options:
        wanted = options.split(",")
        rows = [{field: value for field, value in row.items() if field in wanted} for row in rows]
    return {
        key: list(rows[(page - 1) * items : page * items]),
        "total_item": len(rows),
        "total_page": ceil(len(rows) / items),
        "page": page,
    }


def _number(params: Mapping[str, Any], name: str, default: int) -> int:
    text = str(params.get(name) or default)
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise Refused(-1)
    return int(text)


def _menu(ivr: Ivr) -> Row:
    return {
        "ivr_id": ivr.id,
        "ivr_name": ivr.name,
        "extension": ivr.extension,
        "dial_extension": "yes",
        "dial_conference": "no",
        "dial_queue": "no",
        "dial_ringgroup": "no",
        "dial_vmgroup": "no",
        "dial_paginggroup": "no",
        "dial_fax": "no",
        "dial_trunk": "no",
        "dial_directory": "no",
        "welcome_prompt": f"record/{ivr.name}",
        "response_timeout": 10,
        "digit_timeout": 3,
        "timeout_prompt": "ivr-create-timeout",
        "invalid_prompt": "invalid",
        "tloop": 3,
        "iloop": 3,
        "language": "",
        "permission": "internal",
        "replace_caller_id": "no",
        "alertinfo": "",
        "switch": "no",
        "ivr_blackwhite_list": "",
        "ivr_out_blackwhite_list": "",
    }


def _route(route: InboundRoute) -> Row:
    row: Row = {
        "inbound_rt_index": route.index,
        "trunk_index": route.trunk_index,
        "did_pattern_match": "",
        "did_pattern_allow": "",
        "destination_type": route.destination_type,
    }
    for name in _DESTINATIONS:
        row[name] = route.destination if name == route.destination_type else ""
    row |= {
        "did_strip": 0,
        "permission": "internal",
        "prepend_trunk_name": "no",
        "alertinfo": "",
        "callback": "",
        "out_of_service": "no",
        "dialdirect": "no",
        "announcement": "",
        "multimedia_conference": "",
        "inbound_rt_name": f"Inbound_{route.index}",
        "auto_recording": "no",
        "did_pattern_match_list": f"_{route.did}",
        "tmp": route.index,
        "members": [],
        "inbound_mode": 0,
    }
    return row
