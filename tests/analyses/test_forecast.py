"""Forecasts: by hand, by a plain loop, covered as promised, and refused where they are worth nothing."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analyses.frames import KINDS, random_calls
from ucm_analytics import analyses
from ucm_analytics.errors import NoData, SettingError, WrongColumns
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.schema import arrow_schema

RUNS = {"forecast": {"freq": "1d"}}
OFFICE = np.array([0.0] * 14 + [0.4, 1, 2, 4, 5, 6, 7, 7, 6, 5, 4, 3, 4, 5, 6, 6, 5, 5, 4, 3, 2, 1, 0.5] + [0.0] * 11)
WEEK = np.array([1.2, 1, 1, 1, 0.8, 0.2, 0])


def frame(counts: Any, freq: str) -> pd.DataFrame:
    starts = pd.date_range("2026-03-02", periods=len(counts), freq=freq)
    return pd.DataFrame({"pbx": "clinic", "local_at": starts.repeat(counts), "utc_offset_s": 0, "is_forward": False})


def site(weeks: int, seed: int, alpha: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    level = np.tile(np.outer(WEEK, OFFICE).ravel(), weeks)
    return frame(rng.poisson(level * rng.gamma(1 / alpha, alpha, len(level))), "30min")


def weeks(n: int) -> Period:
    return Period.of("2026-03-02", str(date(2026, 3, 1) + pd.Timedelta(days=7 * n)))


def test_the_mean_of_each_weekday() -> None:
    counts = [30, 20, 20, 20, 20, 6, 4, 34, 24, 16, 24, 20, 4, 6] * 2
    found = analyses.forecast(frame(counts, "D"), freq="1d")
    assert found["local_at"].to_list() == list(pd.date_range("2026-03-30", periods=7))
    assert found["calls"].to_list() == pytest.approx([32, 22, 18, 22, 20, 5, 5])
    assert found["is_open"].all()
    assert ((found["low"] < found["calls"]) & (found["calls"] < found["high"])).all()


def test_a_slot_is_drawn_to_its_own_mean_as_far_as_its_count_tells() -> None:
    """One interval by hand: κ by moments, then (Σ + κ) / (m base + κ) base, scaled to the mean of the weekday."""
    made = site(6, 1)
    period = weeks(6)
    found = analyses.forecast(made, freq="30min", period=period, weekdays=EVERY_WEEKDAY)
    counts = np.zeros((7, 48))
    for at in made["local_at"]:
        counts[at.weekday(), at.hour * 2 + at.minute // 30] += 1
    base = np.array([[counts[d].sum() / 6 * counts[:, s].sum() / counts.sum() for s in range(48)] for d in range(7)])
    above = ((counts - 6 * base) ** 2 - 6 * base).sum()
    kappa = ((6 * base) ** 2).sum() / above if above > 0 else math.inf
    expected = base if math.isinf(kappa) else (counts + kappa) / (6 * base + kappa) * base
    expected[(counts == 0) & (6 * base >= 3)] = 0
    for weekday in range(7):
        if expected[weekday].sum():
            expected[weekday] *= counts[weekday].sum() / 6 / expected[weekday].sum()
    assert found["calls"].to_numpy() == pytest.approx(expected.ravel())


@pytest.mark.parametrize("freq", ["30min", "1h"])
def test_half_hours_and_hours_add_up_to_the_days(freq: Any) -> None:
    made = site(6, 1)
    fine = analyses.forecast(made, freq=freq, period=weeks(6), weekdays=EVERY_WEEKDAY)
    daily = analyses.forecast(made, freq="1d", period=weeks(6), weekdays=EVERY_WEEKDAY)
    sums = fine["calls"].groupby(fine["local_at"].dt.normalize()).sum()
    assert sums.to_list() == pytest.approx(daily["calls"].to_list())


def test_closed_hours_and_holidays_are_nothing() -> None:
    holiday = date(2026, 4, 13)
    found = analyses.forecast(site(6, 2), holidays=[holiday], period=weeks(6), weekdays=EVERY_WEEKDAY)
    night = found["local_at"].dt.hour < 7
    assert found.loc[night, "calls"].unique().tolist() == [0]
    assert not found.loc[night, "is_open"].any()
    monday = found["local_at"].dt.date == holiday
    assert (found.loc[monday, "calls"].sum(), found.loc[monday, "high"].sum()) == (0, 0)
    tuesday = found["local_at"].dt.date == date(2026, 4, 14)
    assert found.loc[tuesday, "calls"].sum() == pytest.approx(OFFICE.sum(), rel=0.15)


def test_past_holidays_do_not_pull_the_forecast_down() -> None:
    counts = [30, 20, 20, 20, 20, 6, 4, 34, 24, 16, 24, 20, 4, 6] * 2
    counts[21] = 0  # a Monday off
    with_it = analyses.forecast(frame(counts, "D"), freq="1d", holidays=[date(2026, 3, 23)])
    assert with_it["calls"].iloc[0] == pytest.approx((30 + 34 + 30) / 3, rel=0.03)


def test_as_many_intervals_as_promised_are_covered() -> None:
    """Twelve sites: the week that followed lies inside the 90 % interval as often as that, or a little more."""
    inside = []
    for seed in range(12):
        made = site(9, seed)
        cut = pd.Timestamp("2026-04-27")
        found = analyses.forecast(made[made["local_at"] < cut], period=weeks(8), weekdays=EVERY_WEEKDAY)
        coming = made[made["local_at"] >= cut].groupby("local_at").size()
        seen = coming.reindex(found["local_at"], fill_value=0).to_numpy()
        open_ = found["is_open"].to_numpy()
        inside += ((seen >= found["low"]) & (seen <= found["high"])).to_numpy()[open_].tolist()
    assert 0.88 < np.mean(inside) < 0.97


def test_the_backtest_by_a_plain_loop() -> None:
    made = site(6, 3)
    found = analyses.forecast_backtest(made, period=weeks(6), weekdays=EVERY_WEEKDAY)
    assert found["first"].to_list() == list(pd.date_range("2026-03-16", periods=4, freq="7D"))
    assert found["weeks"].to_list() == [2, 3, 4, 5]
    for row in found.to_dict("records"):
        start = row["first"]
        before = made[made["local_at"] < start]
        model = None
        if row["weeks"] > 2:
            model = analyses.forecast(before, period=weeks(row["weeks"]), weekdays=EVERY_WEEKDAY)
        count = made["local_at"].value_counts()
        slots = pd.date_range(start, periods=336, freq="30min")
        seen = [int(count.get(at, 0)) for at in slots]
        naive = [int(count.get(at - pd.Timedelta(days=7), 0)) for at in slots]
        assert row["calls"] == sum(seen)
        wrong = [(a - b) ** 2 for a, b in zip(seen, naive, strict=True)]
        assert row["naive_rmse"] == pytest.approx(math.sqrt(sum(wrong) / 336))
        if model is not None:
            own = [(a - b) ** 2 for a, b in zip(seen, model["calls"], strict=True)]
            assert row["rmse"] == pytest.approx(math.sqrt(sum(own) / 336))
            assert row["expected"] == pytest.approx(model["calls"].sum())
    assert found["covered_rate"].between(0.88, 1).all()


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(NoData, match="20 days of calls are too few") as caught:
        analyses.forecast(frame([5] * 20, "D"), freq="1d")
    assert caught.value.hint == "give 21 days or more"
    assert len(analyses.forecast_backtest(frame([5] * 20, "D"), freq="1d")) == 0


@pytest.mark.parametrize("kind", ["pandas", "polars lazy", "narwhals"])
def test_nothing_is_refused(kind: str) -> None:
    with pytest.raises(NoData, match="0 days of calls"):
        analyses.forecast(KINDS[kind](arrow_schema("calls").empty_table()))
    blank = pd.DataFrame(dict.fromkeys(("pbx", "local_at", "utc_offset_s", "is_forward"), (None, None)))
    with pytest.raises(NoData, match="0 days of calls"):
        analyses.forecast(blank)
    one = random_calls(1).slice(0, 1)
    with pytest.raises(NoData, match=r"[01] days? of calls"):
        analyses.forecast(KINDS[kind](one))


def test_a_forecast_that_does_not_beat_last_week_is_refused() -> None:
    # Calls double from week to week: the mean of the past is further off than the last week.
    growing = frame([n * 2**week for week in range(5) for n in (9, 8, 8, 8, 7, 2, 1)], "D")
    with pytest.raises(NoData, match="no better than last week's counts: in the last 3 weeks it was wrong by"):
        analyses.forecast(growing, freq="1d")
    steady = frame([9, 8, 8, 8, 7, 2, 1] * 5, "D")  # last week's counts are exactly right
    with pytest.raises(NoData, match=r"they by 0\.00"):
        analyses.forecast(steady, freq="1d")


@pytest.mark.parametrize("first", [0, 21])
def test_calls_in_one_week_are_too_few(first: int) -> None:
    counts = [0] * first + [9, 8, 8, 8, 7, 2, 1] + [0] * (21 - first)
    march = Period(date(2026, 3, 2), date(2026, 3, 29))
    made = frame(counts, "D")
    with pytest.raises(NoData, match="calls in 1 week only are too few"):
        analyses.forecast(made, freq="1d", period=march)
    assert len(analyses.forecast_backtest(made, freq="1d", period=march)) == 0


def test_nothing_but_holidays_is_refused() -> None:
    every = [day.date() for day in pd.date_range("2026-03-02", periods=28)]
    with pytest.raises(NoData, match="too few"):
        analyses.forecast(frame([5] * 28, "D"), freq="1d", holidays=every)


def test_wrong_arguments_are_refused() -> None:
    made = frame([5] * 30, "D")
    with pytest.raises(SettingError, match="'1w' is no interval to forecast"):
        analyses.forecast(made, freq="1w")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="days=0 forecasts nothing"):
        analyses.forecast(made, days=0)
    with pytest.raises(SettingError, match="level=1 is not between 0 and 1"):
        analyses.forecast(made, level=1)
    with pytest.raises(WrongColumns, match="lacks the columns local_at"):
        analyses.forecast(made.drop(columns="local_at"))
