from __future__ import annotations

from datetime import date, datetime

import pytest

from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period, day, days


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-03", date(2026, 3, 1), date(2026, 3, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-W11", date(2026, 3, 9), date(2026, 3, 15)),
        ("2026-03-31", date(2026, 3, 31), date(2026, 3, 31)),
    ],
)
def test_texts(text: str, first: date, last: date) -> None:
    assert Period.of(text) == Period(first, last)


@pytest.mark.parametrize("text", ["2026-13", "2026-W60", "2026", "March", "2026-02-30", "", "2026-3"])
def test_no_period(text: str) -> None:
    with pytest.raises(SettingError, match="2026"):
        Period.of(text)


def test_two_days_both_included() -> None:
    period = Period.of("2026-03-30", date(2026, 4, 2))
    assert len(period) == 4
    assert list(period)[-1] == date(2026, 4, 2)
    assert date(2026, 4, 2) in period
    assert date(2026, 4, 3) not in period
    assert (period.start, period.end) == (datetime(2026, 3, 30), datetime(2026, 4, 3))
    assert str(period) == "2026-03-30 to 2026-04-02"


def test_end_before_start() -> None:
    with pytest.raises(SettingError, match="swap"):
        Period.of("2026-04-02", "2026-03-30")


@pytest.mark.parametrize("first", ["0001-01-01", "1999-12-31"])
@pytest.mark.parametrize("last", ["9999-12-31", "2100-01-01", "2026-03-30"])
def test_years_in_which_no_call_can_be(first: str, last: str) -> None:
    with pytest.raises(SettingError, match="2000 to 2099"):
        Period.of(first, last)
    with pytest.raises(SettingError, match="2000 to 2099"):
        days(first, None)


def test_the_last_month() -> None:
    assert Period.of("2099-12").last == date(2099, 12, 31)
    assert str(Period.month_of(date(9999, 12, 1))) == "9999-12-01 to 9999-12-31"
    for text in ("9999-12", "0001-01", "2100-W52"):
        with pytest.raises(SettingError, match="2000 to 2099"):
            Period.of(text)


def test_day_of_a_datetime() -> None:
    assert day(datetime(2026, 3, 1, 23)) == date(2026, 3, 1)
