"""What each firmware profile makes of the same legs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.pbx import call, connected, leg, legs_in
from ucm_analytics.schema import LEGS
from ucm_analytics.simulator import PROFILES, Call, Simulator, Site
from ucm_analytics.simulator.records import Ivr, Queue, RingGroup

FLAT = call(leg("2026-03-02 08:00:00", 30))
MENU = call(
    leg("2026-03-02 09:00:00", 20, dst="7000", action_type="IVR[7000]"),
    leg("2026-03-02 09:00:20", 12, dst="1001", action_type="IVR[7000]", billsec="0", disposition="NO ANSWER"),
    leg("2026-03-02 09:00:32", 9, dst="1001", action_type="VM", dstchannel=""),
)


def answer(pbx: Simulator, **params: Any) -> list[Any]:
    with connected(pbx) as asker:
        return asker.records(**params)


@pytest.mark.parametrize(("profile", "count"), [("f32", 32), ("f43", 43), ("f43-shifted", 43), ("newest", 46)])
def test_fields_and_their_order(profile: str, count: int) -> None:
    flat, *rest = answer(Simulator([FLAT, call(leg("2026-03-02 08:30:00", 5)), MENU], profile=profile))
    group = next(element for element in rest if "main_cdr" in element)
    fields = list(PROFILES[profile].fields)
    assert len(fields) == count
    assert list(flat) == ["cdr", *fields]
    assert list(group["main_cdr"]) == fields
    assert list(group["sub_cdr_1"]) == fields
    assert {type(value) for value in flat.values()} == {str}


def test_fields_are_those_that_the_tables_declare() -> None:
    raw = [column.raw for column in LEGS if column.raw]
    for profile in PROFILES.values():
        assert set(profile.fields) < set(raw)
        shared = [field for field in raw if field in profile.fields]
        assert list(profile.fields) == shared


def test_group_and_its_main_record() -> None:
    group = answer(Simulator([MENU], profile="f43"))[0]
    assert list(group) == ["cdr", "main_cdr", "sub_cdr_1", "sub_cdr_2", "sub_cdr_3"]
    filled = {key: value for key, value in group["main_cdr"].items() if value}
    assert filled == {
        "src": "12025550142",
        "dst": "7000",
        "start": "2026-03-02 09:00:00",
        "duration": "41",
        "billsec": "29",
        "session": MENU.session,
        "action_type": "IVR[7000]",
    }


def test_cdr_is_the_session_or_empty() -> None:
    of_32 = answer(Simulator([FLAT, MENU], profile="f32"))
    assert [element["cdr"] for element in of_32] == [FLAT.session, MENU.session]
    of_43 = answer(Simulator([FLAT, MENU], profile="f43"))
    assert [element["cdr"] for element in of_43] == ["", ""]


def test_acct_ids_follow_the_ends_of_calls_and_those_of_a_call_stay_together() -> None:
    long = call(leg("2026-03-02 08:50:00", 3600))
    legs = legs_in(answer(Simulator([FLAT, long, MENU], profile="f43")))
    assert [leg["AcctId"] for leg in legs] == ["1", "5", "2", "3", "4"]


@pytest.mark.parametrize(("profile", "ids"), [("f32", ["1", "2", "1", "2"]), ("f43", ["1", "2", "3", "4"])])
def test_acct_ids_restart_with_the_month_on_old_firmware(profile: str, ids: list[str]) -> None:
    starts = ("2026-03-30 10:00:00", "2026-03-31 23:00:00", "2026-03-31 23:59:30", "2026-04-01 10:00:00")
    calls = [call(leg(start, 60)) for start in starts]
    pbx = Simulator(calls, profile=profile, clock=lambda: 2e9)
    assert [leg["AcctId"] for leg in answer(pbx)] == ids


def test_added_calls_get_the_next_acct_id() -> None:
    pbx = Simulator([FLAT], profile="f32")
    pbx.add(MENU)
    assert [leg["AcctId"] for leg in legs_in(answer(pbx))] == ["1", "2", "3", "4"]


def test_newest_firmware_names_its_objects() -> None:
    site = Site(
        "x",
        "UTC",
        ivrs=(Ivr(1, "7000", "Main", ()),),
        queues=(Queue("6500", "Reception", "ringall", ()),),
        ring_groups=(RingGroup("6400", "Desk", ()),),
    )
    actions = ("IVR[7000]", "QUEUE[6500]", "RINGGROUP[6400]", "IVR[7001]", "DIAL", "FOLLOWME[1001]")
    calls = [call(leg(f"2026-03-02 0{n}:00:00", 5, action_type=name)) for n, name in enumerate(actions)]
    assert [leg["action_type"] for leg in answer(Simulator(calls, site=site, profile="newest"))] == [
        "IVR[7000]NAME[Main]",
        "QUEUE[6500]NAME[Reception]",
        "RINGGROUP[6400]NAME[Desk]",
        "IVR[7001]",
        "DIAL",
        "FOLLOWME[1001]",
    ]


def sized(*sizes: int) -> list[Call]:
    return [
        call(*(leg(f"2026-03-02 {hour:02d}:00:{part:02d}", 1, dst=f"{hour}{part}") for part in range(size)))
        for hour, size in enumerate(sizes, start=1)
    ]


def containers(elements: list[Any]) -> str:
    return " | ".join(" ".join(leg["dst"] for leg in legs_in([element])) for element in elements)


@pytest.mark.parametrize(
    ("sizes", "shifted"),
    [
        ((2, 3, 1, 2), "10 | 11 20 21 | 22 | 30 40 | 41"),
        ((1, 2), "10 20 | 21"),
        ((1, 1), "10 | 20"),
        ((1,), "10"),
        ((3,), "10 11 | 12"),
    ],
)
def test_shifted_groups(sizes: tuple[int, ...], shifted: str) -> None:
    pbx = Simulator(sized(*sizes), profile="f43-shifted")
    with connected(pbx) as asker:
        assert containers(asker.records()) == shifted
        paged = [asker.records(numRecords=1, offset=n) for n in range(shifted.count("|") + 2)]
    assert " | ".join(map(containers, paged[:-1])) == shifted
    assert paged[-1] == []


def test_every_shifted_group_repeats_the_first_session_and_sums_its_own_legs() -> None:
    first, second, _ = sized(2, 3, 2)
    elements = answer(Simulator(sized(2, 3, 2), profile="f43-shifted"))
    mains = [element["main_cdr"] for element in elements if "main_cdr" in element]
    assert {main["session"] for main in mains} == {first.session}
    assert {main["start"] for main in mains} == {"2026-03-02 01:00:00"}
    assert [main["duration"] for main in mains] == ["3", "2"]
    assert elements[1]["sub_cdr_2"]["session"] == second.session
