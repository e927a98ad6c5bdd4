"""When people call: opening hours, weekly and daily rhythm, holidays."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from math import sqrt
from random import Random
from typing import Final

from ucm_analytics.simulator.traffic.wall_clock import WallClock

_WEEKDAYS: Final = (1.25, 1.05, 0.9, 1.0, 0.8)
_SATURDAY: Final = 0.28
_CLOSED: Final = 0.04
_NIGHT_SHARE: Final = 0.02
_OPEN_HOURS: Final = {8: 1.4, 9: 1.6, 10: 1.4, 11: 1.2, 12: 0.5, 13: 0.6, 14: 1.1, 15: 1.1, 16: 0.9, 17: 0.6}
_SATURDAY_HOURS: Final = {9: 1.0, 10: 1.1, 11: 0.8}


@cache
def holidays(year: int) -> frozenset[date]:
    """Public holidays on which the clinic is closed.

    Notes
    -----
    Nationwide holidays in Germany; Easter by the anonymous Gregorian algorithm.
    """
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    easter = date(year, month, day + 1)
    moving = {easter + timedelta(days=days) for days in (-2, 1, 39, 50)}
    fixed = {date(year, 1, 1), date(year, 5, 1), date(year, 10, 3), date(year, 12, 25), date(year, 12, 26)}
    return frozenset(moving | fixed)


def opening_hours(day: date) -> dict[int, float]:
    """Open hours of a day, each with its weight; empty when the clinic is closed."""
    if day.weekday() == 6 or day in holidays(day.year):
        return {}
    return _SATURDAY_HOURS if day.weekday() == 5 else _OPEN_HOURS


def day_factor(day: date) -> float:
    """Traffic of a day, as a multiple of a normal weekday."""
    if not opening_hours(day):
        return _CLOSED
    return _SATURDAY if day.weekday() == 5 else _WEEKDAYS[day.weekday()]


def arrivals(clock: WallClock, mean: float, rng: Random) -> list[float]:
    """Instants at which calls begin on a day.

    Parameters
    ----------
    clock : WallClock
        The day. An hour that happens twice on it is two hours, a skipped one is none.
    mean : float
        Calls of a normal weekday.
    rng : random.Random
        Source of chance.

    Returns
    -------
    list of float
        Epochs [s], not sorted.
    """
    expected = mean * day_factor(clock.day)
    count = max(0, round(rng.gauss(expected, sqrt(expected))))
    open_hours = opening_hours(clock.day)
    total_open = sum(open_hours.values())
    hours = [clock.begin + 3600.0 * n for n in range(round((clock.end - clock.begin) / 3600))]
    weights = []
    for start in hours:
        weight = open_hours.get(int(clock.hour(start)), 0.0)
        night = _NIGHT_SHARE if open_hours else 1.0
        weights.append(weight / total_open * (1 - _NIGHT_SHARE) if weight else night / len(hours))
    return [start + 3600.0 * rng.random() for start in rng.choices(hours, weights, k=count)] if count else []
