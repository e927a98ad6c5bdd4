"""Days that are looked at, and kinds of days that are staffed, and called, alike."""

from __future__ import annotations

import sys
import warnings
from calendar import day_name
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from ucm_analytics.errors import SilentWeekdays
from ucm_analytics.period import EVERY_WEEKDAY, Period

DAY_TYPES: Final = ("Monday to Friday", "Saturday", "Sunday")
_FREQS: Final = {"1h": "h", "1d": "D"}


def day_types(days: pd.Series[Any]) -> pd.Series[Any]:
    """Kind of each day."""
    weekday = days.dt.day_of_week
    return pd.Series(np.select([weekday < 5, weekday == 5], DAY_TYPES[:2], DAY_TYPES[2]), index=days.index, dtype="str")


def meant(at: pd.Series[Any], weekdays: Collection[int], holidays: Collection[date] = ()) -> pd.Series[Any]:
    """Which of these times lie on the weekdays, and on no holiday."""
    return at.dt.day_of_week.isin(list(weekdays)) & ~on_holiday(at, holidays)  # type: ignore[no-any-return]


def on_holiday(at: pd.Series[Any], holidays: Collection[date]) -> pd.Series[Any]:
    """Which of these times lie on one of the holidays."""
    return at.dt.normalize().isin([pd.Timestamp(day) for day in holidays])  # type: ignore[no-any-return]


def within(at: pd.Series[Any], period: Period) -> pd.Series[Any]:
    """Which of these times lie in the period."""
    return (at >= period.start) & (at < period.end)


def span(at: pd.Series[Any]) -> Period | None:
    """From the day of the first of these times to that of the last; None if there are none."""
    return Period(at.min().date(), at.max().date()) if len(at) else None


def starts(days: Period | None, freq: Literal["1h", "1d"]) -> pd.DatetimeIndex:
    """Starts of all hours of the days, or of the days themselves."""
    if days is None:
        return pd.DatetimeIndex([], dtype="datetime64[us]")
    return pd.date_range(days.start, days.end, freq=_FREQS[freq], inclusive="left", unit="us")


def weekdays_meant(
    at: pd.Series[Any], days: Period | None, weekdays: Collection[int] | None, holidays: Collection[date] = ()
) -> Collection[int]:
    """The weekdays that are divided by: those that were said, else those that hold one of these times.

    Weekdays without a single call while others have some may have been left out of the frame on purpose, and would
    pull every mean down: they are left out here too, with a warning, unless somebody says that they belong.
    """
    if weekdays is not None or days is None or at.empty:
        return EVERY_WEEKDAY if weekdays is None else weekdays
    some = sorted(set(at.dt.day_of_week))
    counted = set(days).difference(_dates(holidays))
    if silent := sorted({day.weekday() for day in counted}.difference(some)):
        names = " or ".join(day_name[day] for day in silent)
        warnings.warn(
            f"{days} holds no call on any {names}, and nothing is divided by these days: say weekdays=range(7) if "
            f"they belong, weekdays={some} if they were left out",
            SilentWeekdays,
            stacklevel=_caller(),
        )
        return some
    return EVERY_WEEKDAY


def runs(days: Collection[date]) -> Iterator[Period]:
    """Days without a gap between them, as one period each."""
    run: Period | None = None
    for day in sorted(set(_dates(days))):
        if run and day == run.end.date():
            run = Period(run.first, day)
            continue
        if run:
            yield run
        run = Period(day, day)
    if run:
        yield run


def _dates(days: Collection[date]) -> list[date]:
    """Dates, which timestamps of pandas are no more than to the eye."""
    return [pd.Timestamp(day).date() for day in days]


def _caller() -> int:
    """How far up the stack, seen from whoever asks, the first line outside of the package is."""
    level, frame = 0, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("ucm_analytics."):
        level, frame = level + 1, frame.f_back
    return level + 1
