"""Clocks that follow their zone, that do not, and that were set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from ucm_analytics.clock import clock_changes
from ucm_analytics.errors import WrongColumns
from ucm_analytics.schema import CALLS
from ucm_analytics.simulator import Simulator, User
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store

BERLIN = ZoneInfo("Europe/Berlin")
SYDNEY = ZoneInfo("Australia/Sydney")
HOUR = 3600


def calls(*rows: tuple[str, int], pbx: str = "clinic", length_s: int = 60) -> pd.DataFrame:
    """Calls from UTC start and hours that the wall clock is ahead of UTC."""
    started = pd.to_datetime([row[0] for row in rows], utc=True)
    offset = [row[1] * HOUR for row in rows]
    return pd.DataFrame(
        {
            "pbx": pbx,
            "call_id": [f"{pbx}{n}" for n in range(len(rows))],
            "started_at": started,
            "ended_at": started + pd.Timedelta(seconds=length_s),
            "local_at": started.tz_localize(None) + pd.to_timedelta(offset, unit="s"),
            "utc_offset_s": offset,
            "forward_of": pd.array([None] * len(rows), "str"),
        }
    )


def found(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [
        (f"{row.day:%m-%d}", row.from_offset_s // HOUR, row.to_offset_s // HOUR, row.expected, row.times)
        for row in frame.itertuples()
    ]


def test_summer_time_begins_and_ends() -> None:
    year = calls(("2026-03-28 12:00", 1), ("2026-03-29 12:00", 2), ("2026-10-24 12:00", 2), ("2026-10-26 12:00", 1))
    changes = clock_changes(year, zone=BERLIN)
    assert found(changes) == [("03-29", 1, 2, True, 1), ("10-26", 2, 1, True, 1)]
    assert changes["meaning"].tolist() == [
        "the clock went forward by 1 h, as in Europe/Berlin",
        "the clock went back by 1 h, as in Europe/Berlin",
    ]
    assert list(changes.dtypes.astype(str)) == [
        "category", "datetime64[us]", "Int64", "Int64", "boolean", "int64", "str",
    ]  # fmt: skip


def test_both_hours_of_the_autumn_night() -> None:
    """02:30 comes twice; the offset tells the two apart."""
    night = calls(("2026-10-25 00:30", 2), ("2026-10-25 01:30", 1))
    assert night["local_at"].nunique() == 1
    assert found(clock_changes(night, zone=BERLIN)) == [("10-25", 2, 1, True, 1)]


def test_the_southern_summer_and_half_hours() -> None:
    assert found(clock_changes(calls(("2026-04-04 10:00", 11), ("2026-04-05 10:00", 10)), zone=SYDNEY)) == [
        ("04-05", 11, 10, True, 1)
    ]
    howe = calls(("2026-04-04 10:00", 11), ("2026-04-05 10:00", 11))
    howe.loc[1, "utc_offset_s"] = 37800
    changes = clock_changes(howe, zone=ZoneInfo("Australia/Lord_Howe"))
    assert changes["meaning"].tolist() == ["the clock went back by 30 min, as in Australia/Lord_Howe"]


def test_a_clock_that_does_not_know_summer_time() -> None:
    year = calls(("2026-03-28 12:00", 1), ("2026-03-29 12:00", 1), ("2026-07-01 12:00", 1), ("2026-10-26 12:00", 1))
    changes = clock_changes(year, zone=BERLIN)
    assert found(changes) == [("03-29", 1, 1, False, 1), ("10-26", 1, 1, False, 1)]
    assert changes["meaning"].tolist() == [
        "Europe/Berlin changed its time and the clock did not: it is 1 h behind Europe/Berlin",
        "the clock agrees with Europe/Berlin again",
    ]


def test_a_zone_that_was_changed_and_changed_back() -> None:
    june = calls(("2026-06-01 12:00", 2), ("2026-06-02 12:00", 1), ("2026-10-26 12:00", 0), ("2026-10-27 12:00", 1))
    changes = clock_changes(june, zone=BERLIN)
    assert found(changes) == [("06-02", 2, 1, False, 1), ("10-26", 1, 0, True, 1), ("10-27", 0, 1, False, 1)]
    assert changes["meaning"].tolist() == [
        "the clock went back by 1 h, as Europe/Berlin never did then: its zone was changed or it was set;"
        " it is 1 h behind Europe/Berlin",
        "the clock went back by 1 h, as in Europe/Berlin, and stays 1 h behind Europe/Berlin",
        "the clock agrees with Europe/Berlin again",
    ]


def test_a_clock_that_is_wrong_from_the_first_call_on() -> None:
    changes = clock_changes(calls(("2026-06-01 12:00", 3), ("2026-06-02 12:00", 3)), zone=BERLIN)
    assert found(changes) == [("06-01", 2, 3, False, 1)]
    assert changes["meaning"][0].startswith("the clock is 1 h ahead of Europe/Berlin from the first call on")


def test_a_clock_that_jumps_to_and_fro_is_counted() -> None:
    day = calls(*[(f"2026-06-01 {hour:02d}:00", 2 + hour % 2) for hour in range(6, 12)])
    assert found(clock_changes(day, zone=BERLIN)) == [("06-01", 2, 3, False, 3), ("06-01", 3, 2, False, 2)]


def test_without_a_zone_nothing_is_expected_or_not() -> None:
    changes = clock_changes(calls(("2026-03-28 12:00", 1), ("2026-03-29 12:00", 2)))
    assert found(changes.assign(expected=changes["expected"].isna())) == [("03-29", 1, 2, True, 1)]
    assert changes["meaning"][0] == "the clock went forward by 1 h; no time zone is known to compare it with"


def test_each_pbx_by_itself_and_rows_in_any_order() -> None:
    one = calls(("2026-03-29 12:00", 2), ("2026-03-28 12:00", 1))
    other = calls(("2026-03-28 13:00", 1), ("2026-06-01 12:00", 1), pbx="branch")
    both = pd.concat([one, other]).astype({"pbx": "category"})
    before = both.copy()
    changes = clock_changes(both, zone=BERLIN)
    assert changes["pbx"].tolist() == ["branch", "clinic"]
    assert found(changes) == [("06-01", 1, 1, False, 1), ("03-29", 1, 2, True, 1)]
    pd.testing.assert_frame_equal(both, before)


def legs(frame: pd.DataFrame, *acct_ids: int, length_s: int = 60) -> pd.DataFrame:
    """One leg a call with the numbers given."""
    return pd.DataFrame(
        {
            "pbx": frame["pbx"],
            "call_id": frame["call_id"],
            "acct_id": pd.array(acct_ids, "Int64"),
            "called_at": frame["started_at"],
            "duration_s": pd.array([length_s] * len(frame), "Int64"),
        }
    )


def test_a_clock_that_was_set_back() -> None:
    day = calls(*[(f"2026-06-01 {time}", 2) for time in ("10:00", "10:10", "09:40", "09:50", "10:05", "10:20")])
    changes = clock_changes(day, zone=BERLIN, legs=legs(day, 1, 2, 3, 4, 5, 6))
    # the record of 10:10 was written at 10:11 at the earliest; the three after it end at 09:41, 09:51, 10:06
    assert changes.empty  # a clock that is off by less than five minutes is no matter
    day.loc[4, ["started_at", "ended_at"]] -= pd.Timedelta(minutes=1)
    changes = clock_changes(day, zone=BERLIN, legs=legs(day, 1, 2, 3, 4, 5, 6))
    assert found(changes) == [("06-01", 2, 2, False, 1)]
    assert "a clock set back by 30 min or more explains" in changes["meaning"][0]
    assert clock_changes(day, zone=BERLIN).empty


def test_a_parked_caller_is_no_clock_that_was_set_back() -> None:
    """Its records wait for the end of the call that picked it up."""
    rows = [("10:00", 1), ("10:30", 2), ("09:00", 3), ("09:02", 4), ("09:04", 5), ("10:10", 6)]
    day = calls(*[(f"2026-06-01 {time}", 2) for time, _ in rows])
    numbers = legs(day, *(number for _, number in rows))
    assert len(clock_changes(day, zone=BERLIN, legs=numbers)) == 1
    day.loc[5, "forward_of"] = day.loc[4, "call_id"]
    day.loc[5, "ended_at"] = pd.Timestamp("2026-06-01 10:40", tz="UTC")
    assert clock_changes(day, zone=BERLIN, legs=numbers).empty


def test_long_calls_are_no_clock_that_was_set_back() -> None:
    """A call's records are numbered when it ends, or when each leg ends: both orders are right."""
    day = calls(("2026-06-01 10:00", 2), ("2026-06-01 11:00", 2), ("2026-06-01 12:00", 2))
    day.loc[0, "ended_at"] = day.loc[0, "started_at"] + pd.Timedelta(hours=3)
    at_the_end, by_leg = legs(day, 9, 7, 8), legs(day, 6, 7, 8)
    last = {**by_leg.iloc[0].to_dict(), "acct_id": 9, "duration_s": 3 * HOUR}
    assert clock_changes(day, zone=BERLIN, legs=at_the_end).empty
    assert clock_changes(day, zone=BERLIN, legs=pd.concat([by_leg, pd.DataFrame([last])])).empty


def test_numbers_that_begin_anew_each_month() -> None:
    months = calls(("2026-05-30 10:00", 2), ("2026-05-31 21:59", 2), ("2026-06-01 10:00", 2), ("2026-06-02 10:00", 2))
    months.loc[1, "ended_at"] = months.loc[1, "started_at"] + pd.Timedelta(minutes=9)
    assert clock_changes(months, zone=BERLIN, legs=legs(months, 9, 1, 2, 3)).empty
    twice = calls(*[(f"2026-06-01 {hour}:00", 2) for hour in (12, 11, 10, 9)])
    assert clock_changes(twice, zone=BERLIN, legs=legs(twice, 1, 1, 2, 3)).empty  # cannot be told
    assert len(clock_changes(twice, zone=BERLIN, legs=legs(twice, 1, 2, 3, 4))) == 1


def test_nothing_gives_typed_columns() -> None:
    nothing = calls(("2026-06-01 10:00", 2)).iloc[:0]
    for frame in (clock_changes(nothing), clock_changes(nothing, zone=BERLIN, legs=legs(nothing))):
        assert frame.empty
        assert str(frame["day"].dtype) == "datetime64[us]"


def test_columns_that_are_missing() -> None:
    with pytest.raises(WrongColumns, match="calls lacks the columns started_at, ended_at"):
        clock_changes(pd.DataFrame({"pbx": [], "call_id": []}))
    with pytest.raises(WrongColumns, match="legs lacks the columns acct_id"):
        clock_changes(calls(("2026-06-01 10:00", 2)), legs=pd.DataFrame({"pbx": [], "call_id": []}))


@pytest.fixture(scope="module", params=["f32", "f43"])
def autumn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The end of summer time and a change of month, on firmware that numbers by month and one that does not."""
    site, first, last = clinic("Europe/Berlin"), date(2026, 10, 24), date(2026, 11, 2)
    stories = generate(site, first=first, last=last, calls_per_day=60, seed=3)
    store = Store(tmp_path_factory.mktemp("autumn") / "store")
    with (
        Simulator((s.call for s in stories), site=site, profile=request.param, users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as ucm,
    ):
        now = datetime(2026, 11, 20, tzinfo=UTC)
        store.sync(ucm, pbx="clinic", since=first, until=last, zone=BERLIN, now=now, progress=False)
    yield store


def test_a_pbx_that_does_what_its_zone_does(autumn: Store) -> None:
    changes = clock_changes(autumn.calls(), zone=BERLIN, legs=autumn.legs())
    assert found(changes) == [("10-25", 2, 1, True, 1)]
    night = autumn.calls("2026-10-25")
    assert set(night["utc_offset_s"]) == {3600, 7200}
    assert (night["local_at"] - night["started_at"].dt.tz_localize(None)).dt.total_seconds().tolist() == night[
        "utc_offset_s"
    ].tolist()
    assert {column.name for column in CALLS} <= set(night.columns)


def test_the_day_of_23_hours() -> None:
    demo = Store(Path(__file__).resolve().parents[1] / "data" / "demo")
    changes = clock_changes(demo.calls(), zone=BERLIN, legs=demo.legs())
    assert found(changes) == [("03-29", 1, 2, True, 1)]
    day = demo.calls("2026-03-29")
    assert not day["local_at"].dt.hour.eq(2).any()
    assert (day["local_at"] < "2026-03-29 02:00").any()  # calls of both sides of the missing hour
    assert set(day["utc_offset_s"]) == {3600, 7200}
