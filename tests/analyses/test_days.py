"""Which days are meant: weekdays that were left out do not pull means down, and hours that happen twice are two."""

from __future__ import annotations

import random
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from tests.analyses.frames import ENGINES, KINDS, as_arrow, calls, random_calls, steps
from ucm_analytics import analyses
from ucm_analytics.errors import SettingError, SilentWeekdays
from ucm_analytics.period import Period

FOUR_WEEKS = [date(2026, 3, 2) + timedelta(days=n) for n in range(28)]
PERIOD = Period(FOUR_WEEKS[0], FOUR_WEEKS[-1])


def at_ten(*, weekdays: range = range(7), n: int = 10) -> pd.DataFrame:
    """So many calls at ten on these weekdays of four weeks, in each other week four more."""
    rows = [
        (f"{day} 10:{minute:02}:00",)
        for day in FOUR_WEEKS
        if day.weekday() in weekdays
        for minute in range(n + 4 * ((day - PERIOD.first).days // 7 % 2))
    ]
    return calls("local_at", *rows)


def in_queue(*, weekdays: range = range(7)) -> pd.DataFrame:
    rows = [
        ("queue", "6500", f"{day} 10:0{n}:00", 5, 60, "answered", "1004")
        for day in FOUR_WEEKS
        if day.weekday() in weekdays
        for n in range(4)
    ]
    return steps("kind target local_at wait_s talk_s result answered_by", *rows)


DIVIDING: dict[str, Callable[..., pd.DataFrame]] = {
    "hour_of_week": lambda some, **more: analyses.hour_of_week(at_ten(weekdays=some), **more),
    "busy_hour": lambda some, **more: analyses.busy_hour(at_ten(weekdays=some), **more),
    "anomalies": lambda some, **more: analyses.anomalies(at_ten(weekdays=some), **more),
    "anomalies by day": lambda some, **more: analyses.anomalies(at_ten(weekdays=some), freq="1d", **more),
    "forecast": lambda some, **more: analyses.forecast(at_ten(weekdays=some), freq="1d", **more),
    "forecast_backtest": lambda some, **more: analyses.forecast_backtest(at_ten(weekdays=some), freq="1d", **more),
    "compare": lambda some, **more: analyses.compare(at_ten(weekdays=some), Period.of("2026-W12"), **more),
    "staffing": lambda some, **more: analyses.staffing(in_queue(weekdays=some), **more),
    "staffing_check": lambda some, **more: analyses.staffing_check(in_queue(weekdays=some), **more),
}


@pytest.mark.parametrize("name", DIVIDING)
def test_weekdays_that_hold_no_call_are_warned_of_where_the_caller_stands(name: str) -> None:
    with pytest.warns(
        SilentWeekdays, match="no call on any Saturday or Sunday.*weekdays=range.7. if they belong"
    ) as seen:
        DIVIDING[name](range(5))
    assert [warning.filename for warning in seen] == [__file__]
    assert "weekdays=[0, 1, 2, 3, 4] if they were left out" in str(seen[0].message)


@pytest.mark.parametrize("name", DIVIDING)
def test_weekdays_that_hold_no_call_are_not_divided_by_unless_somebody_says_so(name: str) -> None:
    with pytest.warns(SilentWeekdays):
        silent = DIVIDING[name](range(5))
    pd.testing.assert_frame_equal(silent, DIVIDING[name](range(5), weekdays=range(5)))


@pytest.mark.parametrize("name", DIVIDING)
def test_nothing_is_warned_of_where_it_is_said_or_nothing_is_silent(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DIVIDING[name](range(5), weekdays=range(5))
        DIVIDING[name](range(5), weekdays=range(7))
        DIVIDING[name](range(7))


@pytest.mark.parametrize("name", DIVIDING)
def test_a_frame_that_was_filtered_gives_what_the_whole_one_gives_for_these_weekdays(name: str) -> None:
    filtered, whole = (DIVIDING[name](some, weekdays=range(5)) for some in (range(5), range(7)))
    pd.testing.assert_frame_equal(filtered, whole)


@pytest.mark.parametrize("name", DIVIDING)
@pytest.mark.parametrize("wrong", [[], [7], [-1]])
def test_what_is_no_weekday_is_refused(name: str, wrong: list[int]) -> None:
    with pytest.raises(SettingError, match="are no weekdays: 0 is Monday, 6 is Sunday"):
        DIVIDING[name](range(7), weekdays=wrong)


def test_means_of_weekdays_by_hand() -> None:
    made = at_ten(weekdays=range(5), n=16)  # 16, 20, 16 and 20 calls a day
    ten = analyses.busy_hour(made, weekdays=range(5)).loc[10]
    assert (ten["calls"], ten["days"], ten["calls_per_day"]) == (360, 20, 18.0)
    # the same over all days of the period, where somebody says so
    ten = analyses.busy_hour(made, period=PERIOD, weekdays=range(7)).loc[10]
    assert (ten["days"], ten["calls_per_day"]) == (28, 360 / 28)
    week = analyses.hour_of_week(made, weekdays=range(5)).set_index(["weekday", "hour"])
    assert week.loc[(0, 10), ["calls", "days"]].to_list() == [72, 4]
    assert week.loc[(5, 10), "days"] == 0
    assert pd.isna(week.loc[(5, 10), "calls_per_day"])


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("weekday", range(7))
def test_each_weekday_is_the_one_that_is_meant(weekday: int, kind: str) -> None:
    made = random_calls(5)
    at = [row["local_at"] for row in made.to_pylist() if not row["is_forward"]]
    found = as_arrow(analyses.hour_of_week(KINDS[kind](made), weekdays=[weekday])).to_pylist()
    assert sum(row["calls"] for row in found) == sum(when.weekday() == weekday for when in at)
    assert {row["weekday"] for row in found if row["days"]} == {weekday}


COUNTING = [name for name in DIVIDING if not name.startswith(("anomalies", "forecast"))]
SECOND_WEEK = FOUR_WEEKS[7:14]


@pytest.mark.parametrize("name", COUNTING)
def test_holidays_are_neither_counted_nor_divided_by(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened on them makes no difference, and to name them does."""
    said, unsaid = DIVIDING[name](range(7), holidays=SECOND_WEEK), DIVIDING[name](range(7))
    monkeypatch.setattr(f"{__name__}.FOUR_WEEKS", [day for day in FOUR_WEEKS if day not in SECOND_WEEK])
    again = DIVIDING[name](range(7), holidays=SECOND_WEEK)
    assert not said.equals(unsaid)
    pd.testing.assert_frame_equal(said, again)


@pytest.mark.parametrize("name", COUNTING)
def test_a_weekday_of_holidays_is_not_silent(name: str) -> None:
    sundays = [day for day in FOUR_WEEKS if day.weekday() == 6]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DIVIDING[name](range(6), holidays=sundays, **{} if name == "compare" else {"period": PERIOD})


def test_means_but_for_holidays_by_hand() -> None:
    made = at_ten()  # 10, 14, 10 and 14 calls a day, week by week
    ten = analyses.busy_hour(made, holidays=SECOND_WEEK).loc[10]
    assert (ten["calls"], ten["days"], ten["calls_per_day"]) == (34 * 7, 21, 34 / 3)
    week = analyses.hour_of_week(made, holidays=[*SECOND_WEEK, FOUR_WEEKS[0]]).set_index(["weekday", "hour"])
    assert week.loc[(0, 10), ["calls", "days", "calls_per_day"]].to_list() == [24, 2, 12.0]
    assert week.loc[(1, 10), ["calls", "days"]].to_list() == [34, 3]
    need = analyses.staffing(in_queue(), holidays=SECOND_WEEK)
    assert need.loc[need["minute"] == 600, ["offered", "days", "callers"]].values.tolist() == [
        [60, 15, 4.0],
        [12, 3, 4.0],
        [12, 3, 4.0],
    ]
    found = analyses.compare(made, Period.of("2026-W12"), holidays=[*SECOND_WEEK[2:], FOUR_WEEKS[14]])
    row = found[(found["measure"] == "calls") & (found["against"] == "previous")].iloc[0]
    assert (row["days"], row["days_before"], row["value"], row["calls_before"]) == (6, 2, 10.0, 28)


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("seed", range(2))
def test_counts_but_for_holidays_one_by_one(seed: int, kind: str) -> None:
    made, first, last = random_calls(seed), date(2026, 10, 14), date(2026, 10, 30)
    rng = random.Random(seed)
    days = list(Period(first, last))
    holidays = [*rng.sample(days, 5), date(2026, 10, 19), pd.Timestamp("2026-10-25"), date(2027, 1, 1)]
    counted = [day for day in days if day not in [date(h.year, h.month, h.day) for h in holidays]]
    at = [row["local_at"] for row in made.to_pylist() if not row["is_forward"] and row["local_at"].date() in counted]
    more: dict[str, Any] = {"period": Period(first, last), "holidays": holidays}
    frame = KINDS[kind](made)
    for row in as_arrow(analyses.busy_hour(frame, weekdays=range(7), **more)).to_pylist():
        calls = sum(when.hour == row["hour"] for when in at)
        assert (row["calls"], row["days"], row["calls_per_day"]) == (calls, len(counted), calls / len(counted))
    for row in as_arrow(analyses.hour_of_week(frame, weekdays=range(7), **more)).to_pylist():
        on = sum(day.weekday() == row["weekday"] for day in counted)
        calls = sum((when.weekday(), when.hour) == (row["weekday"], row["hour"]) for when in at)
        assert (row["calls"], row["days"]) == (calls, on)
        assert row["calls_per_day"] == (calls / on if on else None)
    by_day = {row["local_at"].date(): row["calls"] for row in as_arrow(volume(frame, "1d", more)).to_pylist()}
    assert by_day == {day: sum(when.date() == day for when in at) for day in counted}
    by_week = Counter({day - timedelta(days=day.weekday()): 0 for day in counted})
    by_week.update(when.date() - timedelta(days=when.weekday()) for when in at)
    found = {row["local_at"].date(): row["calls"] for row in as_arrow(volume(frame, "1w", more)).to_pylist()}
    assert found == dict(by_week)
    by_hour = as_arrow(volume(frame, "1h", more)).to_pylist()
    assert Counter(row["local_at"].date() for row in by_hour) == dict.fromkeys(counted, 24)
    assert sum(row["calls"] for row in by_hour) == len(at)


def volume(frame: Any, freq: Any, more: dict[str, Any]) -> Any:
    return analyses.call_volume(frame, freq=freq, **more)


def test_a_week_or_month_of_holidays_is_no_row() -> None:
    march = Period.of("2026-02-23", "2026-04-05")
    holidays = [*SECOND_WEEK, *Period.of("2026-02-23", "2026-02-28")]
    weeks = analyses.call_volume(at_ten(), freq="1w", holidays=holidays, period=march)
    assert [(f"{at:%m-%d}", n) for at, n in zip(weeks["local_at"], weeks["calls"], strict=True)] == [
        ("02-23", 0),
        ("03-02", 70),
        ("03-16", 70),
        ("03-23", 98),
        ("03-30", 0),
    ]
    months = analyses.call_volume(at_ten(), freq="1mo", holidays=holidays, period=march)
    assert months["local_at"].dt.month.to_list() == [3, 4]


def test_nothing_but_holidays() -> None:
    made = at_ten()
    assert analyses.call_volume(made, holidays=FOUR_WEEKS, period=PERIOD).empty
    busy = analyses.busy_hour(made, holidays=FOUR_WEEKS, period=PERIOD)
    assert (len(busy), busy["days"].sum(), busy["is_busy_hour"].any()) == (24, 0, False)
    assert busy["calls_per_day"].isna().all()
    assert analyses.hour_of_week(made, holidays=FOUR_WEEKS, period=PERIOD)["calls_per_day"].isna().all()


def test_staffing_of_mondays_divides_by_mondays() -> None:
    need = analyses.staffing(in_queue(weekdays=range(1)), weekdays=[0])
    ten = need[(need["day_type"] == "Monday to Friday") & (need["minute"] == 600)].iloc[0]
    assert (ten["offered"], ten["days"], ten["callers"]) == (16, 4, 4.0)


def test_a_day_whose_calls_came_to_no_queue_is_no_silent_day() -> None:
    menu = steps("kind local_at", *(("ivr", f"{day} 12:00:00") for day in FOUR_WEEKS))
    made = pd.concat([in_queue(weekdays=range(5)), menu]).astype({"kind": "category"})
    need = analyses.staffing(made)
    assert need.loc[(need["minute"] == 600), "days"].to_list() == [20, 3, 3]  # the last queue day is a Friday


def test_a_forecast_of_weekdays_learns_and_promises_no_other_day() -> None:
    made = at_ten(weekdays=range(5))
    found = analyses.forecast(made, freq="1d", weekdays=range(5), period=PERIOD)
    assert found["local_at"].dt.day_of_week.to_list() == [0, 1, 2, 3, 4]
    assert found["local_at"].iloc[0] == pd.Timestamp("2026-03-30")
    assert found["calls"].to_list() == [pytest.approx(12)] * 5
    assert found["weeks"].to_list() == [4] * 5
    unusual = analyses.anomalies(made, freq="1d", weekdays=range(5), period=PERIOD)
    assert set(unusual["local_at"].dt.day_of_week) == set(range(5))
    assert unusual["calls"].min() == 10


def test_a_weekday_of_which_nothing_is_known_is_not_forecast() -> None:
    sundays = [day for day in FOUR_WEEKS if day.weekday() == 6]
    found = analyses.forecast(at_ten(), freq="1d", holidays=sundays)
    assert found["local_at"].dt.day_of_week.to_list() == [0, 1, 2, 3, 4, 5]


def test_compare_says_the_days_that_it_divides_by() -> None:
    found = analyses.compare(at_ten(weekdays=range(5)), Period.of("2026-W12"), weekdays=range(5))
    row = found[(found["measure"] == "calls") & (found["against"] == "previous")].iloc[0]
    assert (row["days"], row["days_before"], row["value"], row["before"]) == (5, 5, 10.0, pytest.approx(14.0))


def test_weeks_of_two_pbxs_in_two_zones_are_added_up() -> None:
    made = at_ten()
    north = made.assign(pbx="north", utc_offset_s=-18000)
    both = pd.concat([made, north], ignore_index=True)
    found = analyses.anomalies(both, period=PERIOD)
    assert len(found) == 28 * 24
    assert found["calls"].sum() == len(both)
    assert found["utc_offset_s"].isna().all()
    assert analyses.busy_hour(both).loc[10, "calls_per_day"] == 2 * analyses.busy_hour(made).loc[10, "calls_per_day"]


def by_the_hour(made: Any, first: date, last: date) -> Counter[tuple[pd.Timestamp, int]]:
    """Calls of each clock hour and offset."""
    return Counter(
        (pd.Timestamp(row["local_at"]).floor("h"), row["utc_offset_s"])
        for row in made.to_pylist()
        if not row["is_forward"] and first <= row["local_at"].date() <= last
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_hour_that_happens_twice_is_two(seed: int) -> None:
    made = random_calls(seed)
    expected = by_the_hour(made, date(2026, 10, 12), date(2026, 11, 1))
    period = Period.of("2026-10-12", "2026-11-01")
    found = analyses.anomalies(made.to_pandas(), period=period)
    assert len(found) == 21 * 24 + 1
    rows = zip(found["local_at"], found["utc_offset_s"], found["calls"], strict=True)
    assert {(at, offset): n for at, offset, n in rows if n} == dict(expected)
    night = found[found["local_at"] == "2026-10-25 02:00"]
    assert night["utc_offset_s"].to_list() == [7200, 3600]
    assert set(found["weeks"]) <= {0, 1, 2, 3}

    week = analyses.hour_of_week(made.to_pandas(), period=period).set_index(["weekday", "hour"])
    assert week["days"].to_dict() == {(d, h): 4 if (d, h) == (6, 2) else 3 for d in range(7) for h in range(24)}
    twice = expected[pd.Timestamp("2026-10-25 02:00"), 7200] + expected[pd.Timestamp("2026-10-25 02:00"), 3600]
    others = sum(expected[pd.Timestamp(f"{day} 02:00"), o] for day, o in (("2026-10-18", 7200), ("2026-11-01", 3600)))
    assert week.loc[(6, 2), "calls_per_day"] == (twice + others) / 4


def test_the_hour_that_does_not_happen_is_none() -> None:
    spring = [
        (f"{day} {hour:02}:30:00", 7200 if (day, hour) > (date(2026, 3, 29), 2) else 3600)
        for day in FOUR_WEEKS
        for hour in range(24)
        if (day, hour) != (date(2026, 3, 29), 2)
    ]
    made = calls("local_at utc_offset_s", *spring)
    found = analyses.anomalies(made)
    assert len(found) == 28 * 24 - 1
    assert set(found["calls"]) == {1}
    assert not found["is_anomaly"].any()
    week = analyses.hour_of_week(made)
    assert set(week["calls_per_day"]) == {1.0}
    assert week.loc[(week["weekday"] == 6) & (week["hour"] == 2), "days"].item() == 3
    assert set(analyses.busy_hour(made)["calls_per_day"]) == {1.0}


@pytest.mark.parametrize("freq", ["1h", "30min"])
def test_a_forecast_takes_each_time_of_an_hour_for_itself(freq: Any) -> None:
    """Ten or twelve calls every half-hour: the hour that came twice, or not at all, makes Sunday's no different."""
    for change, offsets in (
        (pd.Timestamp("2026-10-25 01:00"), (7200, 3600)),
        (pd.Timestamp("2026-03-29 01:00"), (3600, 7200)),
    ):
        utc = pd.date_range(
            change.normalize() - pd.Timedelta(days=27), change.normalize() + pd.Timedelta(days=2), freq="30min"
        )
        rows = [
            (at + pd.Timedelta(seconds=offsets[at >= change]), offsets[at >= change])
            for n, at in enumerate(utc)
            for _ in range(10 + 2 * (n % 337 % 2))
        ]
        first = (change - pd.Timedelta(days=26)).date()
        period = Period(first, first + timedelta(days=27))
        made = calls("local_at utc_offset_s", *rows)
        weeks = analyses.forecast_backtest(made, freq=freq, period=period)
        assert weeks["rmse"].max() < 2.2
        found = analyses.forecast(made, freq=freq, period=period)
        assert found["calls"].between(*((9, 13) if freq == "30min" else (20, 24))).all()
        sunday = found[(found["local_at"].dt.day_of_week == 6) & (found["local_at"].dt.hour == 2)]
        assert set(sunday["weeks"]) == {5 if change.month == 10 else 3}
