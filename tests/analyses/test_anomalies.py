"""What is unusual: by hand, by a plain loop, and with as many false alarms as were asked for."""

from __future__ import annotations

from datetime import date
from statistics import mean

import numpy as np
import pandas as pd
import pytest

from tests.analyses.frames import as_arrow, calls, random_calls
from ucm_analytics import analyses
from ucm_analytics.analyses.anomalies import AnomalyFreq
from ucm_analytics.errors import SettingError
from ucm_analytics.period import EVERY_WEEKDAY, Period

RUNS = {"anomalies by day": {"freq": "1d", "period": Period.of("2026-10"), "weekdays": range(7)}}
OFFICE = np.array([0.05] * 7 + [2, 8, 14, 15, 12, 8, 9, 11, 10, 6, 2, 1] + [0.3] * 5)
WEEK = np.array([1.2, 1, 1, 1, 0.8, 0.3, 0.1])


def daily(counts: list[int]) -> pd.DataFrame:
    days = pd.date_range("2026-03-02", periods=len(counts))
    return hourly(days.repeat(counts))


def hourly(local_at: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame({"pbx": "clinic", "local_at": local_at, "utc_offset_s": 0, "is_forward": False})


def test_a_day_by_hand() -> None:
    found = analyses.anomalies(daily([10] * 16 + [40] + [10] * 11), freq="1d")
    assert found["is_anomaly"].to_list() == [n == 16 for n in range(28)]
    day = found.iloc[16]
    assert (day["calls"], day["weeks"], day["expected"]) == (40, 3, pytest.approx(30.5 / 3))
    # The other Wednesdays are not measured by the unusual one: two weeks are left, with 20 calls.
    other = found.iloc[9]
    assert (other["weeks"], other["expected"]) == (2, pytest.approx(20.5 / 2))


@pytest.mark.parametrize("first", [0, 21])
@pytest.mark.parametrize("freq", ["1d", "1h"])
def test_weeks_in_which_nobody_called_do_not_tell_what_is_usual(first: int, freq: AnomalyFreq) -> None:
    made = daily([0] * first + [20] * 7 + [0] * (21 - first))
    found = analyses.anomalies(made, freq=freq, period=Period(date(2026, 3, 2), date(2026, 3, 29)))
    assert found["expected"].isna().all()
    assert not found["is_anomaly"].any()


def test_a_week_without_calls_is_unusual_where_others_have_some() -> None:
    found = analyses.anomalies(daily([20] * 14 + [0] * 7 + [20] * 7), freq="1d")
    assert found["is_anomaly"].to_list() == [14 <= n < 21 for n in range(28)]
    assert found["weeks"].to_list() == [3 if 14 <= n < 21 else 2 for n in range(28)]


def test_a_day_without_calls_is_unusual_too() -> None:
    found = analyses.anomalies(daily([50] * 16 + [0] + [50] * 11), freq="1d")
    assert found.loc[found["is_anomaly"], "calls"].to_list() == [0]


def test_holidays_are_neither_judged_nor_used() -> None:
    found = analyses.anomalies(daily([50] * 16 + [0] + [50] * 11), freq="1d", holidays=[date(2026, 3, 18)])
    assert not found["is_anomaly"].any()
    assert found["weeks"].to_list() == [0 if n == 16 else 2 if n % 7 == 2 else 3 for n in range(28)]
    assert found["expected"].isna().to_list() == [n == 16 for n in range(28)]


def test_two_weeks_are_too_few() -> None:
    found = analyses.anomalies(daily([10] * 7 + [90] * 7), freq="1d")
    assert not found["is_anomaly"].any()
    assert found["expected"].isna().all()
    assert found["weeks"].to_list() == [1] * 14


def test_hours_without_calls_are_rows() -> None:
    made = calls("local_at", ("2026-03-02 09:30:00",), ("2026-03-03 10:30:00",))
    found = analyses.anomalies(made)
    assert len(found) == 48
    assert found["calls"].sum() == 2
    assert len(analyses.anomalies(made, period=Period.of("2026-03"), weekdays=EVERY_WEEKDAY)) == 31 * 24


@pytest.mark.parametrize("freq", ["1h", "1d"])
@pytest.mark.parametrize("alpha", [0, 0.05, 0.3])
def test_no_more_false_alarms_than_asked_for(freq: str, alpha: float) -> None:
    """Sites without anything unusual, Poisson and over-dispersed, 26 weeks of each: about one alarm a month."""
    rng = np.random.default_rng(11)
    level = np.tile(np.outer(WEEK, OFFICE).ravel(), 26)
    alarms = []
    for _ in range(6):
        counts = rng.poisson(level * (rng.gamma(1 / alpha, alpha, len(level)) if alpha else 1))
        hours = pd.date_range("2026-03-02", periods=len(level), freq="h")
        made = hourly(hours.repeat(counts))
        period = Period.of("2026-03-02", str(hours[-1].date()))
        found = analyses.anomalies(made, freq=freq, period=period)  # type: ignore[arg-type]
        alarms.append(int(found["is_anomaly"].sum()) / (26 * 7 / 30))
    # 36 months at one a month: at most 1.33 with 97.5 % probability. Whole numbers make it fewer than one.
    assert 0.1 < mean(alarms) < 1.33


def test_an_unusual_hour_is_found() -> None:
    rng = np.random.default_rng(5)
    level = np.tile(np.outer(WEEK, OFFICE).ravel(), 8)
    counts = rng.poisson(level)
    counts[24 * 9 + 3] = 9  # Wednesday night
    counts[24 * 30 + 10] = 0  # Wednesday, mid-morning
    hours = pd.date_range("2026-03-02", periods=len(level), freq="h")
    made = hourly(hours.repeat(counts))
    found = analyses.anomalies(made, false_alarms=0.5, period=Period.of("2026-03-02", "2026-04-26"))
    unusual = found.loc[found["is_anomaly"], "local_at"].to_list()
    assert {pd.Timestamp("2026-03-11 03:00"), pd.Timestamp("2026-04-01 10:00")} <= set(unusual)
    assert len(unusual) <= 4


@pytest.mark.parametrize("seed", range(2))
def test_counts_and_means_equal_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    counts: dict[pd.Timestamp, int] = {}
    for row in made.to_pylist():
        if not row["is_forward"]:
            at = pd.Timestamp(row["local_at"]).normalize()
            counts[at] = counts.get(at, 0) + 1
    found = as_arrow(analyses.anomalies(made, freq="1d")).to_pylist()
    # Only the cells in which nothing was left out are the plain mean.
    for row in found:
        at = pd.Timestamp(row["local_at"])
        assert row["calls"] == counts.get(at, 0)
        others = [counts.get(at + pd.Timedelta(days=7 * n), 0) for n in (-2, -1, 1, 2)]
        inside = [at + pd.Timedelta(days=7 * n) for n in (-2, -1, 1, 2)]
        known = [
            n for n, day in zip(others, inside, strict=True) if found[0]["local_at"] <= day <= found[-1]["local_at"]
        ]
        if row["weeks"] == len(known):
            assert row["expected"] == pytest.approx((sum(known) + 0.5) / len(known))


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SettingError, match="'30min' is no interval to judge"):
        analyses.anomalies(daily([1]), freq="30min")  # type: ignore[arg-type]
    for wrong in (0, 10, -1):
        with pytest.raises(SettingError, match="is not between 0 and 10"):
            analyses.anomalies(daily([1]), false_alarms=wrong)
