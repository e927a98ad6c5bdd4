"""The forecast learns from what it says: up to twelve weeks before the end of the period, however long that is."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.store.pretend import ZONE, call
from ucm_analytics.legs import legs_table
from ucm_analytics.period import Period
from ucm_analytics.reports import Report, run_report
from ucm_analytics.store import Store

LAST = date(2026, 3, 29)
BEGIN, QUIET = LAST - timedelta(weeks=20) + timedelta(days=1), LAST - timedelta(weeks=12) + timedelta(days=1)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Eight weeks of 60 calls, then twelve of ten and twenty by turns, all from Monday to Friday."""
    legs = []
    for n in range(20 * 7):
        day = BEGIN + timedelta(days=n)
        calls = 0 if day.weekday() > 4 else 12 if day < QUIET else 2 + 2 * (n // 7 % 2)
        for k in range(calls):
            legs += call(f"{day} 09:{4 * k:02}", caller="12025550142").legs
    numbered = [leg | {"AcctId": str(n)} for n, leg in enumerate(legs, 1)]
    store = Store(tmp_path_factory.mktemp("quiet"))
    store.add(legs_table(numbered, pbx="shop"), pbx="shop", zone=ZONE)
    return run_report("forecast", store, Period(BEGIN, LAST))


def test_the_last_twelve_weeks_are_what_is_to_be_expected(report: Report) -> None:
    days, *_, past = report.sections
    assert days.table["calls"].to_list() == [pytest.approx(3, abs=0.1)] * 5
    assert days.table["weeks"].to_list() == [12] * 5
    assert "15 calls are to be expected on 5 of seven days (the history holds no day of the other weekdays)" in (
        days.sentence
    )
    assert "up to twelve weeks before the end of the period" in days.reading
    assert past.table["weeks"].to_list() == [7, 8, 9, 10]
    # each week is forecast with 15 calls, and brings ten or twenty
    assert past.table["expected"].to_list() == [pytest.approx(15, abs=1.2)] * 4
    assert (past.table["rmse"] < past.table["naive_rmse"]).all()


def test_no_day_is_forecast_of_which_nothing_is_known(report: Report) -> None:
    assert report.sections[0].table["local_at"].dt.day_of_week.to_list() == [0, 1, 2, 3, 4]


def test_half_hours_do_not_add_up_to_the_forecast_that_days_refuse(tmp_path: Path) -> None:
    """Twelve weeks that bring ever more calls: last week is the better guess by day, not by half-hour."""
    chance = random.Random(3)
    first = LAST - timedelta(weeks=12) + timedelta(days=1)
    legs = []
    for n in range(12 * 7):
        day = first + timedelta(days=n)
        for _ in range(0 if day.weekday() > 4 else round(4 + n / 2)):
            legs += call(f"{day} {chance.randrange(8, 18):02}:{chance.randrange(60):02}", caller="12025550142").legs
    store = Store(tmp_path)
    store.add(
        legs_table([leg | {"AcctId": str(n)} for n, leg in enumerate(legs, 1)], pbx="shop"), pbx="shop", zone=ZONE
    )
    by_day, by_half_hour, _ = run_report("forecast", store, Period(first, LAST)).sections
    assert by_day.sentence.startswith("no forecast by day: the forecast would be no better than last week's counts")
    assert by_half_hour.sentence.startswith("The busiest half-hour begins ")
    assert "expected" not in by_half_hour.sentence and "no forecast, as there is none by day" in by_half_hour.sentence
