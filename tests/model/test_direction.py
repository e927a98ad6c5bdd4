"""The direction of attempts that reached no trunk: the PBX calls them all Internal, the number tells more."""

from __future__ import annotations

from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ucm_analytics import model
from ucm_analytics.legs import legs_table

Leg = dict[str, str]

SHORT = ("2", "22", "112", "201", "1015", "20001", "555014", "*98", "s", "")
FULL = ("5550142", "02025550142", "12025550142", "+12025550142", "00112025550142", "9" * 20)
OVERLONG = ("9" * 21, "+" + "9" * 30)
ROUTED = (("outbound-route-4", "GotoIf", "1?novfax"), ("after-outbound-context", "Congestion", "3"))
REFUSED = ("after-outbound-context", "Playback", "silence/1&wrong-number,noanswer")
TRUNK = {"dstchannel": "PJSIP/trunk_1-00000a02", "dstchannel_ext": "trunk_1", "dst_trunk_name": "Telco"}


def attempt(number: str, context: tuple[str, str, str], **more: str) -> Leg:
    dcontext, app, data = context
    leg = {"src": "1001", "dst": number, "dcontext": dcontext, "channel_ext": "1001", "dstchannel_ext": number}
    leg |= {"lastapp": app, "lastdata": data, "start": "2026-03-10 09:00:00", "duration": "0", "billsec": "0"}
    return leg | {"disposition": "FAILED", "userfield": "Internal", "action_type": "DIAL"} | more


def calls(legs: list[Leg]) -> list[dict[str, Any]]:
    keys = [
        {"AcctId": str(n), "session": f"1773129600{n:06}-1001", "uniqueid": f"1773129600.{n}"} for n in range(len(legs))
    ]
    table = legs_table([leg | key for leg, key in zip(legs, keys, strict=True)], pbx="clinic")
    rows = model.build(table, zone=ZoneInfo("Europe/Berlin")).calls.to_pylist()
    return sorted(rows, key=lambda row: row["call_id"])


@pytest.mark.parametrize(
    ("numbers", "contexts", "direction", "kind"),
    [
        (FULL, (*ROUTED, REFUSED), "outbound", "external"),
        (SHORT, (REFUSED,), "internal", "extension"),
        (OVERLONG, (REFUSED,), "internal", "extension"),
        (SHORT, ROUTED, "unknown", "external"),
        (OVERLONG, ROUTED, "unknown", "external"),
        (SHORT, (("from-internal", "Set", "CFBEXT="),), "internal", "extension"),
    ],
)
def test_attempts_without_a_trunk(numbers: Any, contexts: Any, direction: str, kind: str) -> None:
    found = calls([attempt(*each) for each in product(numbers, contexts)])
    assert {(row["direction"], row["ended_in"], row["outcome"]) for row in found} == {(direction, kind, "failed")}


def test_a_trunk_is_proof_however_short_the_number() -> None:
    found = calls([attempt(number, ROUTED[0], **TRUNK) for number in SHORT])
    assert {row["direction"] for row in found} == {"outbound"}


@pytest.mark.parametrize("userfield", ["", "Something"])
def test_what_the_pbx_does_not_say_is_not_guessed(userfield: str) -> None:
    found = calls([attempt("1002", ("from-internal", "Set", ""), userfield=userfield)])
    assert found[0]["direction"] == "unknown"


def test_share_of_outbound_calls_that_were_answered() -> None:
    """The same by a plain loop over the records, which counts only what is a call to outside."""
    answered = {"disposition": "ANSWERED", "userfield": "Outbound", "answer": "2026-03-10 09:00:00",
                "end": "2026-03-10 09:01:00", "duration": "60", "billsec": "60"}  # fmt: skip
    legs = [attempt("12025550142", ROUTED[0], **TRUNK, **answered)] * 9
    legs += [attempt("12025550142", ROUTED[0], **TRUNK, userfield="Outbound")] * 3
    legs += [attempt(number, REFUSED) for number in ("2", "201", "12025550142", "2001")]
    tried = picked_up = 0
    for leg in legs:
        if leg.get("dst_trunk_name") or len(leg["dst"]) >= 7:
            tried += 1
            picked_up += leg["disposition"] == "ANSWERED"
    outbound = [row for row in calls(legs) if row["direction"] == "outbound"]
    assert (len(outbound), sum(row["outcome"] == "answered" for row in outbound)) == (tried, picked_up) == (13, 9)
