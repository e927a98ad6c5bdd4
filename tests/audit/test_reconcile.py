"""Records, rings, calls and callers add up: by hand, by a plain loop, on every story and every firmware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest

import ucm_analytics as ucm
from tests.analyses.frames import calls
from tests.scenarios.conftest import read_story
from tests.scenarios.test_scenarios import STORIES
from ucm_analytics import analyses, model
from ucm_analytics.legs import dump_legs, legs_table
from ucm_analytics.simulator import PROFILES, Simulator, User
from ucm_analytics.simulator.profiles import FIELDS_22
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2026, 3, 27), date(2026, 3, 30)


def reconciled(legs: pa.Table, zone: ZoneInfo | None = BERLIN) -> pd.DataFrame:
    built = model.build(legs, zone=zone)
    table = analyses.reconciliation(legs, steps=built.steps, rings=built.rings, calls=built.calls)
    return table.to_pandas()


def lines(table: pd.DataFrame, grain: str) -> dict[str, int]:
    """Lines of a grain that are not 0, with their sign; the total under its own name."""
    some = table[(table["grain"] == grain) & (table["count"] != 0)]
    effects = {what: effect for what, effect, part in _rows(some) if part != "total"}
    return effects | {"total": int(some.loc[some["part"] == "total", "count"].sum())}


def _rows(table: pd.DataFrame) -> list[tuple[str, int, str]]:
    return list(zip(table["what"], table["effect"], table["part"], strict=True))


def assert_adds_up(table: pd.DataFrame) -> None:
    for grain, rows in table.groupby("grain", sort=False, observed=True):
        assert rows["part"].tolist()[0] == "start", grain
        assert rows["part"].tolist()[-2:] == ["unexplained", "total"], grain
        assert rows["effect"].sum() == rows["count"].iloc[-1], grain
        assert rows.loc[rows["part"] == "unexplained", "count"].item() == 0, (grain, rows.to_string())


HAND = """\
session | src | userfield | dst | lastapp | action_type | dstchannel | dstchannel_ext | billsec | disposition
A | 12025550142 | Inbound | 12025550100 | ForkCDR | DIAL | | | 0 | NO ANSWER
A | 12025550142 | Inbound | 7000 | ForkCDR | IVR[7000] | | | 8 | ANSWERED
A | 12025550142 | Inbound | 6400 | ForkCDR | RINGGROUP[6400] | | | 0 | ANSWERED
A | 12025550142 | Inbound | 1001 | Dial | RINGGROUP[6400] | PJSIP/1001-1 | 1001 | 0 | NO ANSWER
A | 12025550142 | Inbound | 1002 | Dial | RINGGROUP[6400] | PJSIP/1002-1 | 1002 | 40 | ANSWERED
A | 12025550142 | Inbound | 1003 | Dial | TRANSFER | PJSIP/1003-1 | 1003 | 20 | ANSWERED
B | 12025550142 | Inbound | 7000 | ReadExten | IVR[7000] | | | 9 | ANSWERED
C | anonymous | Inbound | 6500 | Queue | QUEUE[6500] | PJSIP/1001-2 | 1001 | 0 | NO ANSWER
C | anonymous | Inbound | 1001 | VoiceMail | VM | | | 12 | ANSWERED
D | 1001 | Outbound | 12025550199 | Dial | DIAL | PJSIP/trunk_1-1 | trunk_1 | 30 | ANSWERED
E | 1001 | Internal | 1002 | Dial | DIAL | PJSIP/1002-2 | 1002 | 0 | NO ANSWER
E | 1001 | Internal | 1002 | Dial | VM | | | 5 | ANSWERED
F | 1002 | Internal | 1009 | Congestion | DIAL | | | 0 | FAILED
G | 12025550143 | Inbound | 8000 | Page | PAGE[8000] | PJSIP/1001-3 | 1001 | 5 | ANSWERED
"""


def by_hand() -> pa.Table:
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in HAND.splitlines())
    legs = []
    for number, row in enumerate(rows):
        leg = dict(zip(head, row, strict=True))
        second = ord(leg["session"]) - ord("A")
        leg["session"] = f"{1773129600 + 60 * second}1234-{leg['src']}"
        leg["AcctId"], leg["uniqueid"] = str(number), f"{1773129600 + 60 * second}.{second}"
        start = f"2026-03-10 09:{second:02d}:{number:02d}"
        ends = "" if leg["disposition"] == "FAILED" else f"2026-03-10 09:{second + 1:02d}:{number:02d}"
        legs.append(leg | {"start": start, "answer": ends and start, "end": ends, "duration": "60"})
    return legs_table(legs, pbx="clinic")


def test_by_hand() -> None:
    table = reconciled(by_hand())
    assert_adds_up(table)
    assert lines(table, "rings") == {
        "records": 14,
        "did": -1,
        "menu": -2,
        "voicemail": -2,
        "outside": -1,
        "ring_group": -1,
        "extension": -1,
        "other": -1,
        "total": 5,
    }
    assert lines(table, "calls") == {"records": 14, "further_legs": -7, "total": 7}
    assert lines(table, "calls by rings") == {"rings": 5, "further_rings": -2, "silent": 4, "total": 7}
    assert lines(table, "callers") == {
        "calls": 7,
        "outbound": -1,
        "internal": -2,
        "anonymous": -1,
        "repeated": -1,
        "total": 2,
    }
    # A twice (answered and transferred), D: the PBX says 9
    assert lines(table, "answered") == {
        "answered_records": 9,
        "menu": -2,
        "voicemail": -2,
        "ring_group": -1,
        "other": -1,
        "further_pickups": -1,
        "total": 2,
    }


def test_a_caller_is_one_however_the_number_is_written_and_at_whichever_pbx() -> None:
    """And a call that was sent on to a number outside is no call from outside: `top_callers` says the same."""
    rows = [
        ("a", "12025550142", "inbound"),
        ("b", "+12025550142", "inbound"),
        ("b", "001 202 555-0142", "inbound"),
        ("a", "12025550143", "inbound"),
        ("a", "anonymous", "inbound"),
        ("a", "12025550144", "external"),
        ("a", "1001", None),
    ]
    frame = calls("pbx caller direction", *rows)
    no_legs = by_hand().slice(0, 0)
    nothing = model.build(no_legs, zone=BERLIN)
    table = analyses.reconciliation(
        no_legs, steps=nothing.steps, rings=nothing.rings, calls=pa.Table.from_pandas(frame)
    ).to_pandas()
    assert lines(table, "callers") == {
        "calls": 7,
        "external": -1,
        "unknown": -1,
        "anonymous": -1,
        "repeated": -2,
        "total": 2,
    }
    assert analyses.caller_concentration(frame)["callers"].iloc[-1] == len(analyses.top_callers(frame)) == 2


def test_what_the_tables_lack_is_left_unexplained() -> None:
    legs = by_hand()
    built = model.build(legs, zone=BERLIN)
    table = analyses.reconciliation(
        legs, steps=built.steps.slice(1), rings=built.rings.slice(1), calls=built.calls.slice(1)
    ).to_pandas()
    left = table[table["part"] == "unexplained"].set_index("grain")
    # the first call is answered and of six records; its first step is the DID's, of one record
    assert left["effect"].to_dict() == {
        "calls": -1,
        "answered": -1,
        "callers": 0,
        "rings": -1,
        "calls by rings": -1,
        "steps": -1,
    }
    assert (left["count"] == left["effect"].abs()).all()
    for _, rows in table.groupby("grain", sort=False, observed=True):
        assert rows["effect"].sum() == rows["count"].iloc[-1]


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_story(path: Path) -> None:
    story = read_story(path)
    assert_adds_up(reconciled(legs_table(story.legs, pbx="clinic"), story.zone))


def test_whatever_a_trunk_carries_rings_no_phone() -> None:
    """Every action with every other side, each leg a call: nobody else picks up, and no trunk is a phone."""
    actions = [
        "DIAL",
        "TRANSFER",
        "RINGGROUP[6400]",
        "QUEUE[6500]",
        "IVR[7000]",
        "FOLLOWME[1005]",
        "PARKEDCALL",
        "NEW",
        "",
    ]
    sides = [("PJSIP/trunk_2-1", "trunk_2"), ("DAHDI/o1-1", "o1"), ("DAHDI/g1-1", ""), ("PJSIP/trunk_2-1", "")]
    sides += [("PJSIP/1001-1", "1001"), ("PJSIP/1001-1", ""), ("", "1001"), ("Local/1001@from-queue-1;1", "6500")]
    keys = ("action_type", "dstchannel", "dstchannel_ext", "dst", "dst_trunk_name", "disposition", "billsec")
    values = [
        (action, *side, dst, trunk, *end)
        for action, side, dst, trunk, end in product(
            actions, sides, ("12025550177", "1001", "6500"), ("", "Telco"), (("ANSWERED", "30"), ("NO ANSWER", "0"))
        )
    ]
    legs = []
    for number, value in enumerate(values):
        at = {"start": "2026-03-10 09:00:00", "answer": "2026-03-10 09:00:10", "end": "2026-03-10 09:00:40"}
        leg = {"src": "1002", "lastapp": "Dial", "userfield": "Internal", "duration": "40"} | at
        leg |= {"AcctId": str(number), "uniqueid": f"1773133200.{number}", "session": f"1773133200{number:06}-1002"}
        legs.append(leg | dict(zip(keys, value, strict=True)))
    print(len(legs), "legs")
    table = legs_table(legs, pbx="clinic")
    assert_adds_up(reconciled(table))
    built = model.build(table, zone=BERLIN)
    assert set(built.rings["extension"].to_pylist()) <= {"1001", "6500"}
    by_trunk = {leg["session"] for leg in legs if "trunk_" in leg["dstchannel"] or "DAHDI" in leg["dstchannel"]}
    assert not by_trunk & set(built.rings["call_id"].to_pylist())
    people = Counter(row["answered_by"] for row in built.calls.to_pylist() if row["call_id"] in by_trunk)
    assert people.keys() <= {None, "12025550177", "1001", "6500"} and people["12025550177"] > 50


@pytest.mark.parametrize("profile", PROFILES)
def test_every_firmware_against_a_plain_loop(profile: str, tmp_path: Path) -> None:
    site = clinic(BERLIN.key)
    stories = list(generate(site, first=FIRST, last=LAST, calls_per_day=120, seed=3))
    store = Store(tmp_path / "store")
    with (
        Simulator((s.call for s in stories), site=site, profile=profile, users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as client,
    ):
        now = datetime(2026, 4, 10, tzinfo=UTC)
        store.sync(client, pbx="clinic", since=FIRST, until=LAST, zone=BERLIN, now=now, progress=False)
    table = ucm.reconcile(store)
    assert_adds_up(table)

    goes_on = {s.truth.session for s in stories if s.truth.forward_of or _follows(s.call.legs)}
    legs = [leg for story in stories for leg in story.call.legs]
    own = [story.truth for story in stories if story.truth.session not in goes_on]
    outside = [t.caller for t in own if t.direction == "inbound"]
    totals = table[table["part"] == "total"].set_index("grain")["count"].to_dict()
    starts = table[table["part"] == "start"].set_index("grain")["count"].to_dict()
    assert starts["rings"] == starts["steps"] == starts["calls"] == len(legs)
    assert totals["calls"] == totals["calls by rings"] == starts["callers"] == len(own)
    assert starts["answered"] == sum(leg["disposition"] == "ANSWERED" for leg in legs)
    assert totals["answered"] == sum(truth.outcome == "answered" for truth in own)
    assert totals["callers"] == len({caller for caller in outside if any(char.isdigit() for char in caller)})
    callers = table[table["grain"] == "callers"].set_index("what")["count"]
    assert callers["anonymous"] == sum(not any(char.isdigit() for char in caller) for caller in outside)
    for direction in ("outbound", "internal", "external"):
        assert callers[direction] == sum(truth.direction == direction for truth in own)
    assert (
        table.loc[table["what"] == "voicemail", "count"].tolist()
        == [sum(leg.get("action_type") == "VM" for leg in legs)] * 2
    )
    assert ucm.audit(store).worst == "note"


def _follows(legs: Iterable[Mapping[str, str]]) -> bool:
    return any(leg.get("action_type", "").startswith("FOLLOWME") for leg in legs)


def test_records_of_2013() -> None:
    stories = generate(clinic(BERLIN.key), first=FIRST, last=FIRST, calls_per_day=120, seed=3)
    legs = [{name: leg.get(name, "") for name in FIELDS_22} for story in stories for leg in story.call.legs]
    table = reconciled(legs_table([leg | {"AcctId": str(n)} for n, leg in enumerate(legs)], pbx="clinic"))
    assert_adds_up(table)
    assert table.loc[0, "count"] == len(legs)


def test_no_records() -> None:
    table = reconciled(legs_table([], pbx="clinic"))
    assert_adds_up(table)
    assert table["count"].sum() == 0


def test_two_pbxs_and_the_order_of_rows_do_not_matter() -> None:
    one = by_hand()
    two = pa.concat_tables([one, legs_table(dump_legs(one), pbx="north")]).unify_dictionaries()
    assert_adds_up(reconciled(two))
    single = reconciled(one).set_index(["grain", "what"])["count"]
    double = 2 * single
    double["callers", "callers"] //= 2  # the same people call both
    double["callers", "repeated"] += double["callers", "callers"]
    assert reconciled(two).set_index(["grain", "what"])["count"].to_dict() == double.to_dict()
    backwards = one.take(pa.array(range(one.num_rows - 1, -1, -1)))
    assert reconciled(backwards).equals(reconciled(one))


def test_reconcile_takes_a_period_and_a_pbx(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.add(by_hand(), pbx="clinic", zone=BERLIN)
    store.add(by_hand(), pbx="north", zone=BERLIN)
    both, one = ucm.reconcile(store, "2026-03"), ucm.reconcile(store, "2026-03-10", pbx="north")
    some = one["grain"] != "callers"  # the same people call both
    assert (both["count"] == 2 * one["count"])[some].all()
    assert lines(one, "calls") == {"records": 14, "further_legs": -7, "total": 7}
    assert ucm.reconcile(store, "2026-04")["count"].sum() == 0
    assert Counter(one["part"])["total"] == 6
