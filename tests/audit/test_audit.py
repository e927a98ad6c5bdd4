"""Each kind of damage is found, counted right, with its examples; and nothing else is."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from tests.store.pretend import Pbx, call, daily
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.legs import legs_table
from ucm_analytics.period import Period
from ucm_analytics.quality import CHECKS, SEVERITIES, audit
from ucm_analytics.quality._audit import Audit
from ucm_analytics.store import Store
from ucm_analytics.store.files import Footer, read_footer, read_table, write_table
from ucm_analytics.store.months import Months

from . import zones
from .records import FIRST, HOURS, LAST, ZONE, by_id, counts, found, leg, sound, store_of

REPO = Path(__file__).resolve().parents[2]


def test_sound_records_have_no_finding_but_that_they_are_not_settled(tmp_path: Path) -> None:
    audited = audit(store_of(sound(), tmp_path))
    assert [(each.id, each.count) for each in audited.findings] == [("unsettled_days", 28)]
    assert audited.findings[0].examples == ("2026-02-02", "2026-02-03", "2026-02-04", "2026-02-05", "2026-02-06")
    assert (audited.days, audited.legs, audited.calls) == (28, 280, 280)
    assert audited.worst == "warning"
    assert audited.verdict == (
        "the numbers can be used with care: days that may still change (28) (280 records of 280 calls on 28 days)."
    )


def test_the_demo_store_gives_only_what_is_known(tmp_path: Path) -> None:
    shutil.copytree(REPO / "data/demo", tmp_path / "demo")
    audited = audit(Store(tmp_path / "demo"))
    assert {each.id for each in audited.findings} == {"clock_changed", "ambiguous_pickups", "unconfirmed_recordings"}
    assert audited.worst == "note"
    findings = by_id(audited)
    assert findings["clock_changed"].examples == ("2026-03-29",)
    assert findings["clock_changed"].detail == "2026-03-29: UTC+01:00 to UTC+02:00"
    calls = Store(tmp_path / "demo").calls()
    answered = calls[calls["outcome"] == "answered"]
    hidden = answered.loc[~answered["exact_pickup"], "call_id"]
    assert findings["ambiguous_pickups"].count == len(hidden)
    assert findings["ambiguous_pickups"].examples == tuple(sorted(hidden)[:5])
    assert findings["ambiguous_pickups"].detail == (
        f"{len(hidden) / len(answered):.1%} of {len(answered):,} answered calls, "
        f"{answered['is_forward'].sum():,} of which only go on with another"
    )
    assert audited.verdict == (
        f"the numbers can be trusted: {len(CHECKS)} checks found no fault, and 3 things to know when reading them "
        f"(8,024 records of {(~calls['is_forward']).sum():,} calls on 28 days)."
    )


def test_a_gap_between_the_days(tmp_path: Path) -> None:
    legs = [each for each in sound() if each["start"][:10] not in ("2026-02-10", "2026-02-11")]
    findings = found(legs, tmp_path)
    assert counts(findings) == {"missing_days": 2}
    assert findings["missing_days"].examples == ("2026-02-10", "2026-02-11")
    assert findings["missing_days"].severity == "error"


def test_days_of_the_period_that_are_not_stored_are_missing(tmp_path: Path) -> None:
    audited = audit(store_of(sound(), tmp_path), "2026-02")
    assert by_id(audited)["missing_days"].examples == ("2026-02-01",)
    assert audited.verdict.startswith("the numbers cannot be trusted yet: days that were never pulled (1) (270 ")


def test_settled_days_vanished_legs_and_silent_days(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    calls = [each for each in daily(FIRST, LAST, hours=HOURS) if each.start.date() != date(2026, 2, 16)]
    with Pbx(calls, "2026-03-20 12:00") as pbx:
        pbx.sync(store, since=FIRST, until=LAST)
    findings = by_id(audit(store))
    assert counts(findings) == {"silent_days": 1}
    assert findings["silent_days"].examples == ("2026-02-16",)
    assert "unsettled_days" not in {each.id for each in audit(store).findings}

    with Pbx(daily(LAST, LAST, hours=(9, 14)), "2026-03-02 06:00") as pbx:
        pbx.sync(store := Store(tmp_path / "other"), since=LAST, until=LAST)
    with Pbx(daily(LAST, LAST, hours=(9,)), "2026-03-20 12:00") as pbx:
        pbx.sync(store, since=LAST, until=LAST)
    findings = by_id(audit(store))
    assert counts(findings) == {"vanished_legs": 1}
    assert findings["vanished_legs"].examples == ("2026-03-01",)


def test_a_few_calls_a_day_make_no_silent_day(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    calls = [each for each in daily(FIRST, LAST) if each.start.date() != date(2026, 2, 16)]
    with Pbx(calls, "2026-03-20 12:00") as pbx:
        pbx.sync(store, since=FIRST, until=LAST)
    assert audit(store).findings == ()
    assert audit(store).worst is None
    assert audit(store).frame.empty
    assert audit(store).verdict == (
        f"the numbers can be trusted: {len(CHECKS)} checks found no fault (54 records of 54 calls on 28 days)."
    )


def test_a_month_copied_by_hand(tmp_path: Path) -> None:
    """As older versions wrote it: the files of newer ones know their month, and are refused."""
    store = store_of(sound(), tmp_path)
    months = Months(store.path, "clinic")
    for table in ("legs", "steps", "rings", "calls"):
        file = months.path(table, "2026-03")
        footer = msgspec.structs.replace(read_footer(file) or Footer(), month="")
        write_table(read_table(file), months.path(table, "2026-04"), footer, scratch=tmp_path / "_part.parquet")
    findings = by_id(audit(store))
    # ten calls on 1 March: each is one call too many among calls, calls by rings and answered
    assert counts(findings) == {"duplicate_legs": 10, "unexplained": 30}
    assert findings["unexplained"].detail == "+10 calls, +10 answered, +10 calls by rings"
    assert findings["duplicate_legs"].examples == tuple(
        leg(f"2026-03-01 {hour:02d}:30")["session"] for hour in range(8, 13)
    )


@pytest.mark.parametrize(
    ("id_", "fields"),
    [
        ("end_before_start", {"end": "2026-02-10 09:29:00", "answer": "", "billsec": "0", "disposition": "NO ANSWER"}),
        ("negative_seconds", {"billsec": "-3"}),
        ("talk_too_long", {"billsec": "62"}),
        ("answer_outside", {"answer": "2026-02-10 09:29:58"}),
        ("answer_outside", {"answer": "2026-02-10 09:31:01"}),
        ("unconfirmed_recordings", {"recordfiles": "2026-02/auto-1.wav@", "recordfiles_desc": ""}),
        ("without_session", {"session": ""}),
    ],
)
def test_two_records_that_cannot_be(tmp_path: Path, id_: str, fields: dict[str, str]) -> None:
    day = sound()
    bad = [dict(each, **fields) for each in day if each["start"] == "2026-02-10 09:30:00"]
    again = leg("2026-02-10 09:30", AcctId="77", uniqueid=f"{bad[0]['uniqueid']}1", **fields)
    findings = found([*(each for each in day if each["start"] != "2026-02-10 09:30:00"), *bad, again], tmp_path)
    assert counts(findings) == {id_: 2}
    ids = {each["session"] or each["uniqueid"] for each in (*bad, again)}
    assert set(findings[id_].examples) == ids


def test_a_second_of_rounding_is_no_finding(tmp_path: Path) -> None:
    edge = leg("2026-02-10 12:00", billsec="61", answer="2026-02-10 12:00:00")
    recorded = leg("2026-02-10 12:10", recordfiles="a.wav@", recordfiles_desc="duration=3@")
    without_field = leg("2026-02-10 12:20", recordfiles="a.wav@")
    assert found([*sound(), edge, recorded, without_field], tmp_path) == {}


def test_a_talk_through_the_hour_that_happens_twice_is_no_finding(tmp_path: Path) -> None:
    through = leg(
        "2026-10-25 01:50", answer="2026-10-25 01:50:05", end="2026-10-25 02:10:00", duration="4800", billsec="4795"
    )
    ended_before = leg(
        "2026-10-25 02:50",
        answer="2026-10-25 02:50:05",
        end="2026-10-25 02:10:00",
        duration="1200",
        billsec="1195",
    )
    assert counts(found([*sound(date(2026, 10, 20), date(2026, 10, 24)), through, ended_before], tmp_path)) == {}


def test_records_from_the_future(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    ahead = datetime.now(UTC) + timedelta(days=40)
    start = f"{ahead.astimezone(ZONE):%Y-%m-%d %H:%M}"
    store.add(legs_table([leg(start)], pbx="clinic"), pbx="clinic", zone=ZONE)
    findings = by_id(audit(store))
    assert counts(findings) == {"future_legs": 1}
    assert findings["future_legs"].examples == (leg(start)["session"],)


def test_records_without_any_time(tmp_path: Path) -> None:
    findings = found([*sound(), {"AcctId": "7", "src": "1001", "dst": "1002", "session": "x"}], tmp_path)
    assert counts(findings) == {"set_aside": 1}
    assert findings["set_aside"].examples == ("x",)


def test_calls_that_begin_in_the_middle(tmp_path: Path) -> None:
    moved = leg("2026-02-10 12:00", action_type="TRANSFER", dst="1003", answer="2026-02-10 12:00:05", billsec="55")
    parked = leg("2026-02-11 12:00", action_type="PARKEDCALL", lastapp="Park", dst="71", dstchannel="")
    findings = found([*sound(), moved, parked], tmp_path)
    assert counts(findings) == {"orphan_calls": 2}
    assert findings["orphan_calls"].examples == (moved["session"], parked["session"])
    assert findings["orphan_calls"].touches == ("call-volume", "durations", "ivr-paths")


def test_parked_and_picked_up_is_no_orphan(tmp_path: Path) -> None:
    shutil.copytree(REPO / "data/demo", tmp_path / "demo")
    store = Store(tmp_path / "demo")
    picked_up = store.calls()["entry"].astype(str).str.startswith("park:")
    assert picked_up.sum() == 34
    assert "orphan_calls" not in by_id(audit(store))


@pytest.mark.parametrize("zone", [True, False])
def test_a_first_leg_that_starts_late(tmp_path: Path, zone: bool) -> None:
    late = leg("2026-02-10 12:20", session=leg("2026-02-10 12:00")["session"])
    hold = leg("2026-02-11 12:14", session=leg("2026-02-11 12:00")["session"])
    findings = found([*sound(), late, hold], tmp_path, zone=zone)
    assert counts(findings) == {"late_first_leg": 1}
    assert findings["late_first_leg"].examples == (late["session"],)


def test_a_clock_that_jumps(tmp_path: Path) -> None:
    back = leg("2026-02-10 09:00", session=leg("2026-02-10 11:00")["session"])
    forth = leg("2026-02-12 12:00", session=leg("2026-02-12 11:00")["session"])
    findings = found([*sound(), back, forth], tmp_path)
    assert counts(findings) == {"odd_clock": 2}
    assert findings["odd_clock"].examples == (back["session"], forth["session"])


def test_a_time_zone_that_was_changed(tmp_path: Path) -> None:
    legs = sound()
    for each in legs:
        if each["start"] >= "2026-02-16":
            for name in ("start", "answer", "end"):
                each[name] = f"{pd.Timestamp(each[name]) - pd.Timedelta(hours=6)}"
    findings = found(legs, tmp_path)
    assert counts(findings) == {"zone_changed": 1, "zone_contradicted": 140}
    assert findings["zone_changed"].detail == "2026-02-16: UTC+01:00 to UTC-05:00"


def test_an_hour_for_a_week_is_no_summer_time(tmp_path: Path) -> None:
    legs = sound()
    for each in legs:
        if "2026-02-09" <= each["start"] < "2026-02-16":
            for name in ("start", "answer", "end"):
                each[name] = f"{pd.Timestamp(each[name]) + pd.Timedelta(hours=1)}"
    findings = found(legs, tmp_path)
    assert counts(findings) == {"zone_changed": 2, "zone_contradicted": 70}
    assert findings["zone_changed"].examples == ("2026-02-09", "2026-02-16")


def test_the_change_of_the_clock_is_told(tmp_path: Path) -> None:
    findings = found(sound(date(2026, 3, 20), date(2026, 4, 5)), tmp_path)
    assert counts(findings) == {"clock_changed": 1}
    assert findings["clock_changed"].examples == ("2026-03-29",)


@pytest.mark.parametrize(("named", "real", "changes"), zones.PAIRS)
def test_a_zone_that_is_not_that_of_the_records(named: str, real: str, changes: set[str], tmp_path: Path) -> None:
    zones.check(named, real, changes, tmp_path, first=date(2025, 3, 10), last=date(2025, 4, 15), calls_per_day=20)


def test_where_no_zone_is_named_none_is_contradicted(tmp_path: Path) -> None:
    assert counts(found(sound(date(2026, 3, 20), date(2026, 4, 5)), tmp_path, zone=False)) == {"clock_changed": 1}


def test_calls_longer_than_half_a_day(tmp_path: Path) -> None:
    ends = "2026-02-11 01:00:00"
    long = leg("2026-02-10 12:00", end=ends, duration="46800", billsec="46800")
    edge = leg("2026-02-12 12:00", end="2026-02-13 00:00:00", duration="43200", billsec="43200")
    findings = found([*sound(), long, edge], tmp_path)
    assert counts(findings) == {"long_calls": 1}
    assert findings["long_calls"].examples == (long["session"],)


def test_unknown_fields_values_and_actions(tmp_path: Path) -> None:
    new = [leg(f"2026-02-10 12:0{n}", tomorrow="x", AcctId=str(n)) for n in range(3)]
    zeros = leg("2026-02-11 12:00", answer="0000-00-00 00:00:00")
    page = [leg(f"2026-02-12 12:0{n}", action_type="PAGE[8000]", dstchannel="") for n in range(2)]
    fax = leg("2026-02-12 12:05", action_type="VFAX[1]", dstchannel="")
    findings = found([*sound(), *new, zeros, *page, fax], tmp_path)
    assert counts(findings) == {"unknown_fields": 3, "odd_values": 1, "unknown_actions": 3}
    assert findings["unknown_fields"].detail == "tomorrow 3 ×"
    assert findings["unknown_fields"].examples == tuple(each["session"] for each in new)
    assert findings["odd_values"].detail == "answer 1 ×"
    assert findings["unknown_actions"].detail == "PAGE[8000] 2 ×, VFAX[1] 1 ×"
    assert findings["unknown_actions"].examples == tuple(each["session"] for each in (*page, fax))


def test_several_pbxs_are_told_apart_and_chosen(tmp_path: Path) -> None:
    store = store_of(sound(), tmp_path)
    gap = [each for each in sound() if not each["start"].startswith("2026-02-10")]
    store.add(legs_table(gap, pbx="north"), pbx="north", zone=ZONE)
    assert by_id(audit(store))["missing_days"].examples == ("2026-02-10 (north)",)
    assert by_id(audit(store, pbx="clinic")) == {}
    assert by_id(audit(store, pbx="north"))["missing_days"].examples == ("2026-02-10",)
    # the same calls on two PBXs are no duplicates
    assert "duplicate_legs" not in by_id(audit(store))


def test_a_period_is_looked_at_alone(tmp_path: Path) -> None:
    bad = leg("2026-02-20 12:00", billsec="99")
    store = store_of([*sound(), bad], tmp_path)
    assert counts(by_id(audit(store, Period.of("2026-02-16", "2026-02-22")))) == {"talk_too_long": 1}
    assert counts(by_id(audit(store, "2026-W07"))) == {}


def test_it_shows_itself_and_what_is_hostile_stays_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    fields = {hostile: "x", "session": f"1770721200123456-{hostile}"}
    audited = audit(store_of([*sound(), leg("2026-02-10 12:00", **fields)], tmp_path))
    shown = audited._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 1 ×" in shown
    assert repr(audited).splitlines()[0].startswith("Audit: the numbers can be used with care")
    assert "note            1  records with fields that are not known" in repr(audited)
    frame = audited.frame
    assert frame.columns.tolist() == [
        *("id", "severity", "title", "count", "unit", "examples", "detail", "means", "touches")
    ]
    assert frame["count"].dtype == "int64"
    assert frame["severity"].tolist() == sorted(frame["severity"], key=list(SEVERITIES).index)


def test_nothing_and_nonsense(tmp_path: Path) -> None:
    with pytest.raises(NoData):
        audit(Store(tmp_path / "none"))
    store = store_of(sound(), tmp_path)
    with pytest.raises(NoData, match="north"):
        audit(store, pbx="north")
    with pytest.raises(SettingError, match="'March' is no period"):
        audit(store, "March")
    empty = audit(store, "2025-07")
    assert isinstance(empty, Audit)
    assert (empty.legs, empty.calls, empty.days) == (0, 0, 0)
    assert counts(by_id(empty)) == {"missing_days": 31}
    assert empty.verdict == "no records are stored, so there is nothing to trust or to doubt."


def test_the_table_of_checks() -> None:
    ids = [check.id for check in CHECKS]
    assert len(ids) == len(set(ids))
    ranks = [list(SEVERITIES).index(check.severity) for check in CHECKS]
    assert ranks == sorted(ranks)
    for check in CHECKS:
        assert check.title.startswith((check.unit, "answered calls", "stored records")) or check.id == "unexplained"
        assert check.means.endswith(".")
        assert bool(check.table) == bool(check.condition)


def test_one_call_counts_once_among_the_examples(tmp_path: Path) -> None:
    session = call("2026-02-10 12:00").session
    legs = [
        leg("2026-02-10 12:00", AcctId=str(n), uniqueid=f"1770721200.{n}", billsec="99", session=session)
        for n in range(8)
    ]
    findings = found([*sound(), *legs], tmp_path)
    assert findings["talk_too_long"].count == 8
    assert findings["talk_too_long"].examples == (session,)
