"""Hours that a PBX's clock went through: by its time zone, which the calls of a quiet night do not show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tests.analyses.frames import calls
from ucm_analytics import analyses
from ucm_analytics.analyses.instants import hours
from ucm_analytics.period import Period

BERLIN = {"clinic": ZoneInfo("Europe/Berlin")}
SPRING = Period.of("2026-W13")  # the clock changes on its last day, a Sunday
AUTUMN = Period.of("2026-W43")
QUIET = ("2026-03-27 09:00:00", 3600)  # a Friday


def rows_of_sunday(frame: pd.DataFrame) -> int:
    return int((frame["local_at"].dt.day_of_week == 6).sum())


@pytest.mark.parametrize(
    "counted",
    [
        lambda made, **more: analyses.call_volume(made, freq="1h", **more),
        lambda made, **more: analyses.anomalies(made, weekdays=range(7), **more),
        lambda made, **more: analyses.concurrent_calls(made, freq="1h", **more),
    ],
)
@pytest.mark.parametrize(("period", "call", "long"), [(SPRING, QUIET, 23), (AUTUMN, ("2026-10-23 09:00", 7200), 25)])
def test_a_sunday_without_calls_is_as_long_as_the_zone_says(
    counted: Any, period: Period, call: tuple[str, int], long: int
) -> None:
    made = calls("local_at utc_offset_s", call)
    assert rows_of_sunday(counted(made, period=period, zones=BERLIN)) == long
    assert rows_of_sunday(counted(made, period=period)) == 24  # nothing tells


def test_means_divide_by_the_hours_that_there_were() -> None:
    made = calls("local_at utc_offset_s", QUIET)
    week = analyses.hour_of_week(made, period=SPRING, weekdays=range(7), zones=BERLIN).set_index(["weekday", "hour"])
    assert week.loc[(6, 2), "days"] == 0
    assert week["days"].sum() == 7 * 24 - 1
    day = analyses.busy_hour(made, period=SPRING, weekdays=range(7), zones=BERLIN)
    assert day["days"].to_list() == [6 if hour == 2 else 7 for hour in range(24)]


def test_days_without_a_call_have_the_offsets_of_the_zone() -> None:
    made = calls("local_at utc_offset_s", QUIET).iloc[:0]
    found = analyses.call_volume(made, freq="1h", period=SPRING, zones=BERLIN)
    assert (len(found), found["calls"].sum()) == (7 * 24 - 1, 0)
    assert found["utc_offset_s"].to_list() == [3600] * (6 * 24 + 2) + [7200] * 21


def test_without_calls_several_zones_tell_no_offset() -> None:
    made = calls("local_at utc_offset_s", QUIET).iloc[:0]
    zones = {**BERLIN, "north": ZoneInfo("America/New_York")}
    week = analyses.hour_of_week(made, period=SPRING, weekdays=range(7), zones=zones)
    assert set(week["days"]) == {1}
    assert analyses.call_volume(made, freq="1h", period=SPRING, zones=zones)["utc_offset_s"].isna().all()


def test_calls_that_show_no_offset_are_counted_all_the_same() -> None:
    made = calls("local_at utc_offset_s", ("2026-03-27 09:00:00", None), ("2026-03-29 02:30:00", None))
    assert analyses.call_volume(made, freq="1h", period=SPRING, zones=BERLIN)["calls"].sum() == 2
    assert analyses.concurrent_calls(made, freq="1h", period=SPRING, zones=BERLIN)["calls"].sum() == 2


def test_calls_that_contradict_the_zone_are_believed() -> None:
    """A PBX whose clock did not change: every call is counted, by the clock that it was shown on."""
    made = calls("local_at utc_offset_s", QUIET, ("2026-03-29 02:30:00", 3600), ("2026-03-29 12:00:00", 3600))
    found = analyses.call_volume(made, freq="1h", period=SPRING, zones=BERLIN)
    pd.testing.assert_frame_equal(found, analyses.call_volume(made, freq="1h", period=SPRING))
    assert (len(found), found["calls"].sum(), set(found["utc_offset_s"])) == (7 * 24, 3, {3600})


def test_each_pbx_has_its_zone() -> None:
    made = calls("pbx local_at utc_offset_s", ("clinic", *QUIET), ("north", "2026-03-27 09:00:00", -14400))
    zones = {**BERLIN, "north": ZoneInfo("America/New_York")}  # which changed three weeks before
    found = analyses.concurrent_calls(made, freq="1h", period=SPRING, zones=zones)
    assert found.groupby("pbx", observed=True).size().to_dict() == {"clinic": 167, "north": 168}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
def test_hours_by_a_loop_over_the_instants_of_a_year(zone: str) -> None:
    named, year = ZoneInfo(zone), Period.of("2026-01-01", "2026-12-31")
    expected: dict[tuple[datetime, int], None] = {}
    at = datetime(2025, 12, 31, tzinfo=UTC)
    while at < datetime(2027, 1, 2, tzinfo=UTC):
        wall = at.astimezone(named)
        offset = wall.utcoffset() or timedelta()
        if wall.year == 2026:
            expected[wall.replace(tzinfo=None, minute=0), int(offset.total_seconds())] = None
        at += timedelta(minutes=30)
    nobody = pd.DataFrame({"pbx": [], "local_at": pd.to_datetime([]), "utc_offset_s": []})
    found = hours(nobody, year, {"clinic": named})
    assert list(zip(found["local_at"].dt.to_pydatetime(), found["utc_offset_s"], strict=True)) == list(expected)


def test_watching_ends_at_the_midnight_of_the_zone() -> None:
    """23:30 on Saturday in winter time: 24 hours later it is Monday in summer time, and the week is over."""
    made = calls("local_at utc_offset_s caller", ("2026-03-28 23:30:00", 3600, "12025550142"))
    known = analyses.repeat_callers(made, window_h=24, by=None, period=SPRING, zones=BERLIN)
    assert known[["undecided", "decided"]].iloc[0].to_list() == [1, 0]
    guessed = analyses.repeat_callers(made, window_h=24, by=None, period=SPRING)
    assert guessed[["undecided", "decided"]].iloc[0].to_list() == [0, 1]
