"""Periods against each other: by hand, by a plain loop, and on noise that must be called noise."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analyses.frames import as_arrow, calls, random_calls
from ucm_analytics import analyses
from ucm_analytics.analyses.compare import _counts, last_year, previous
from ucm_analytics.period import EVERY_WEEKDAY, Period

RUNS = {"compare": {"period": Period.of("2026-W43"), "weekdays": range(7)}}
WEEK = Period.of("2026-W11")


def made(counts: dict[str, int], **columns: Any) -> pd.DataFrame:
    """So many calls at noon of each day."""
    rows = [(f"{day} 12:00:00",) for day, n in counts.items() for _ in range(n)]
    return calls("local_at", *rows).assign(**columns)


def row(result: pd.DataFrame, measure: str, against: str = "previous") -> dict[str, Any]:
    found = result[(result["measure"] == measure) & (result["against"] == against)]
    return found.iloc[0].to_dict()


def days(period: Period) -> list[str]:
    return [str(day) for day in period]


def test_the_periods() -> None:
    assert previous(Period.of("2026-03")) == Period.of("2026-02")
    assert previous(Period.of("2026-01")) == Period.of("2025-12")
    assert previous(Period.of("2026-03-10")) == Period.of("2026-03-03")
    assert previous(Period.of("2026-03-01", "2026-03-10")) == Period.of("2026-02-15", "2026-02-24")
    assert last_year(Period.of("2026-02")) == Period.of("2025-02")
    assert last_year(Period.of("2026-W11")) == Period.of("2025-W11")
    for period in (Period.of("2026-03-01", "2026-03-10"), WEEK, Period.of("2026-03-10")):
        for other in (previous(period), last_year(period)):
            assert other.first.weekday() == period.first.weekday()
            assert len(other) == len(period)


def test_calls_by_hand() -> None:
    before, now = days(previous(WEEK)), days(WEEK)
    counts = dict(zip(before, [10, 10, 10, 10, 10, 5, 5], strict=True))
    counts |= dict(zip(now, [20, 20, 20, 20, 20, 10, 10], strict=True))
    found = row(analyses.compare(made(counts), WEEK), "calls")
    assert (found["calls"], found["calls_before"]) == (120, 60)
    assert (found["value"], found["before"], found["change"]) == pytest.approx((120 / 7, 60 / 7, 1))
    # Every day fits, so the counts are taken as Poisson; 14 days, 7 weekdays and one level leave 6: t = 2.447.
    half = 2.4469 * math.sqrt(1 / 120 + 1 / 60)
    assert (found["low"], found["high"]) == pytest.approx((2 * math.exp(-half) - 1, 2 * math.exp(half) - 1), rel=1e-3)
    assert found["verdict"] == "higher"
    assert found["first"] == pd.Timestamp("2026-03-02")


def test_a_month_with_more_mondays_is_not_busier() -> None:
    # March 2026 has five Sundays to Tuesdays, February four of each; Mondays bring 30 calls, other days 10.
    march, february = Period.of("2026-03"), Period.of("2026-02")
    counts = {str(day): 30 if day.weekday() == 0 else 10 for period in (march, february) for day in period}
    found = row(analyses.compare(made(counts), march), "calls")
    assert found["change"] == pytest.approx(0, abs=1e-9)
    assert found["verdict"] == "noise"


def test_means_by_hand() -> None:
    frame = calls(
        "local_at direction outcome wait_s talk_s",
        ("2026-03-09 09:00:00", "inbound", "answered", 10, 60),
        ("2026-03-10 09:00:00", "inbound", "abandoned", 30, 0),
        ("2026-03-10 10:00:00", "outbound", "answered", 99, 120),
        ("2026-03-02 09:00:00", "inbound", "answered", 5, 30),
        ("2026-03-03 09:00:00", "inbound", "answered", 15, 30),
    )
    result = analyses.compare(frame, WEEK, weekdays=EVERY_WEEKDAY)
    rate, wait, talk = (row(result, name) for name in ("answered_rate", "wait_s", "talk_s"))
    assert (rate["value"], rate["before"], rate["change"]) == (0.5, 1, -0.5)
    assert (wait["value"], wait["before"], wait["change"]) == (20, 10, pytest.approx(1))
    assert (talk["value"], talk["before"], talk["calls"]) == (90, 30, 2)
    # R = 20 on two days of one call: 2/1 * (10² + 10²) / 40²; before 2/1 * (5² + 5²) / 20²; two degrees of freedom.
    spread = math.sqrt(2 * 200 / 1600 + 2 * 50 / 400)
    assert math.log1p(wait["high"]) - math.log(2) == pytest.approx(4.303 * spread, rel=1e-3)
    assert wait["verdict"] == "noise"


def test_who_left_in_a_menu_did_not_wait_for_people() -> None:
    """The mean is that of `durations`."""
    frame = calls(
        "local_at direction outcome phones wait_s",
        ("2026-03-09 09:00:00", "inbound", "answered", 1, 10),
        ("2026-03-10 09:00:00", "inbound", "abandoned", 0, 90),
        ("2026-03-10 10:00:00", "inbound", "no_answer", 0, 20),
    )
    found = row(analyses.compare(frame, WEEK, weekdays=EVERY_WEEKDAY), "wait_s")
    waits = analyses.durations(frame, by=()).set_index("measure").loc["wait_s"]
    assert (found["value"], found["calls"]) == (waits["mean_s"], waits["calls"]) == (15, 2)


def test_nothing_to_compare_with_is_unknown() -> None:
    result = analyses.compare(made({"2026-03-10": 5}), WEEK, weekdays=EVERY_WEEKDAY)
    assert result["verdict"].unique().tolist() == ["unknown"]
    assert row(result, "calls")["value"] == pytest.approx(5 / 7)
    assert pd.isna(row(result, "calls")["before"])
    empty = analyses.compare(calls("local_at"), WEEK)
    assert len(empty) == 8
    assert empty["value"].isna().all()


def test_one_day_against_one_day_tells_nothing() -> None:
    found = row(analyses.compare(made({"2026-03-10": 20, "2026-03-03": 10}), Period.of("2026-03-10")), "calls")
    assert (found["change"], found["verdict"]) == (pytest.approx(1), "unknown")


@pytest.mark.parametrize("dispersion", [1, 4])
def test_noise_is_called_noise(dispersion: int) -> None:
    """Of 1000 pairs of weeks with the same level, at most 5 % are called changed, however much the days vary."""
    rng = np.random.default_rng(7)
    level = np.tile([60, 50, 50, 50, 40, 15, 5], 2)
    weeks = pd.DataFrame({"local_at": pd.date_range("2026-03-02", "2026-03-15"), "now": [False] * 7 + [True] * 7})
    called = 0
    for _ in range(1000):
        if dispersion == 1:
            seen = rng.poisson(level)
        else:
            seen = rng.negative_binomial(level / (dispersion - 1), 1 / dispersion)
        called += _counts(weeks.assign(calls=seen))["verdict"] != "noise"
    assert 5 <= called <= 65  # 50 +- 2 standard deviations above; a spread below that of Poisson counts as Poisson


def test_a_doubling_is_no_noise() -> None:
    counts = {day: 30 + n % 3 for n, day in enumerate(days(previous(WEEK)))}
    counts |= {day: 60 + n % 4 for n, day in enumerate(days(WEEK))}
    assert row(analyses.compare(made(counts), WEEK), "calls")["verdict"] == "higher"


@pytest.mark.parametrize("seed", range(3))
def test_values_equal_a_plain_loop(seed: int) -> None:
    table = random_calls(seed)
    period = Period.of("2026-W43")
    sums: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for call in table.to_pylist():
        day = call["local_at"].date()
        if call["is_forward"] or (day not in period and day not in previous(period)):
            continue
        count = sums[day in period]
        count["calls"] += 1
        if call["direction"] == "inbound":
            count["inbound"] += 1
            if call["outcome"] in ("answered", "no_answer") or call["phones"] or call["queue"]:
                count["waits"] += 1
                count["wait_s"] += call["wait_s"]
            count["answered"] += call["outcome"] == "answered"
        if call["outcome"] == "answered":
            count["talks"] += 1
            count["talk_s"] += call["talk_s"]
    result = analyses.compare(table.to_pandas(), period)
    for now, name in ((True, "value"), (False, "before")):
        count = sums[now]
        assert row(result, "calls")[name] == pytest.approx(count["calls"] / 7)
        assert row(result, "answered_rate")[name] == pytest.approx(count["answered"] / count["inbound"])
        assert row(result, "wait_s")[name] == pytest.approx(count["wait_s"] / count["waits"])
        assert row(result, "talk_s")[name] == pytest.approx(count["talk_s"] / count["talks"])
    assert as_arrow(analyses.compare(table, period)).num_rows == 8
