"""Numbers, times and periods as people write them.

Reports are in English. Numbers and dates are written as `written_for` says, by default 1,234.5 and 2026-03-09.
"""

from __future__ import annotations

import math
from calendar import day_name, month_name
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd

from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

Kind = Literal["text", "count", "number", "money", "share", "seconds", "day", "time", "hour", "weekday"]
"""How a value is shown: `share` is 0-1 shown as per cent, `hour` 0-23 shown as 09:00."""

NUMERIC: frozenset[Kind] = frozenset({"count", "number", "money", "share", "seconds"})
NONE = "–"

_LOCALE: ContextVar[str] = ContextVar("locale", default="")


@contextmanager
def written_for(locale: str) -> Iterator[None]:
    """Write numbers and dates as readers of this locale do, such as ``de_DE``; ``""`` for 1,234.5 and 2026-03-09.

    Raises
    ------
    SettingError
        There is no such locale, or the package Babel is missing.
    """
    if locale:
        try:
            from babel import Locale, UnknownLocaleError
        except ImportError:
            raise SettingError(
                f"numbers and dates as in {locale!r} need the package Babel, which is not installed",
                hint='install it with pip install "ucm-analytics[locale]"',
            ) from None
        try:
            locale = str(Locale.parse(locale, sep="-" if "-" in locale else "_"))
        except (UnknownLocaleError, ValueError):
            raise SettingError(
                f"{locale!r} is no locale",
                hint="use a language and a country, such as de_DE or en_US (UCM_LOCALE, or locale in the settings)",
            ) from None
    token = _LOCALE.set(locale)
    try:
        yield
    finally:
        _LOCALE.reset(token)


def separators() -> str:
    """Decimal sign and sign between thousands, as plotly wants them."""
    if not _LOCALE.get():
        return ".,"
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return get_decimal_symbol(_LOCALE.get()) + get_group_symbol(_LOCALE.get())


def show(value: Any, kind: Kind = "text") -> str:
    """Text of one value; an en dash where there is none.

    Examples
    --------
    >>> show(2412, "count"), show(0.884, "share"), show(200, "seconds"), show(None, "share")
    ('2,412', '88 %', '3 min 20 s', '–')
    """
    if value is None or pd.isna(value):
        return NONE
    return _SHOW[kind](value)


def count(value: Any) -> str:
    """Whole number with thousands separators."""
    return _decimal(round(value))


def number(value: Any) -> str:
    """Number with one decimal, without it where it is zero; 0 only where nothing is meant.

    Examples
    --------
    >>> number(12.04), number(0.5), number(0.04), number(0)
    ('12', '0.5', '<0.1', '0')
    """
    if 0 < value < 0.05:
        return f"<{_decimal(0.1)}"
    rounded = float(f"{value:.1f}")
    return _decimal(round(rounded) if rounded.is_integer() else rounded)


def money(value: Any) -> str:
    """Amount of money with two decimals, without its currency.

    Examples
    --------
    >>> money(1234.5), money(0.004)
    ('1,234.50', '0.00')
    """
    if not _LOCALE.get():
        return f"{value:,.2f}"
    from babel.numbers import format_decimal

    return str(format_decimal(round(value, 2), "#,##0.00", locale=_LOCALE.get()))


def share(value: Any) -> str:
    """Share in per cent; 0 % and 100 % only where nothing, or nothing else, is meant.

    Examples
    --------
    >>> share(0.004), share(0.996), share(1.0)
    ('<1 %', '>99 %', '100 %')
    """
    if 0 < value < 0.005:
        return "<1 %"
    if 0.995 <= value < 1:
        return ">99 %"
    return f"{math.floor(value * 100 + 0.5)} %"


def seconds(value: Any) -> str:
    """Duration in hours, minutes and seconds, the two largest that are needed.

    Examples
    --------
    >>> seconds(45), seconds(12.5), seconds(180), seconds(3725)
    ('45 s', '12.5 s', '3 min', '1 h 2 min')
    """
    if value < 60 and round(value, 1) < 60:
        return f"{number(value)} s"
    whole = math.floor(value + 0.5)
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(math.floor(whole / 60 + 0.5), 60)
    return f"{count(hours)} h {minutes} min" if minutes else f"{count(hours)} h"


def day(value: Any) -> str:
    """Date with its weekday, such as Mon 2026-03-09."""
    moment = pd.Timestamp(value)
    return f"{day_name[moment.weekday()][:3]} {plain_day(moment)}"


def plain_day(value: Any) -> str:
    """Date without its weekday, such as 2026-03-09."""
    moment = pd.Timestamp(value)
    if not _LOCALE.get():
        return f"{moment:%Y-%m-%d}"
    from babel.dates import format_skeleton

    # digits only: the names of months are English wherever they stand
    return str(format_skeleton("yMd", moment.to_pydatetime(), locale=_LOCALE.get()))


def clock(value: Any) -> str:
    """Time of the day, such as 10:15."""
    moment = pd.Timestamp(value)
    if not _LOCALE.get():
        return f"{moment:%H:%M}"
    from babel.dates import format_time

    return str(format_time(moment.to_pydatetime(), "short", locale=_LOCALE.get()))


def time(value: Any) -> str:
    """Weekday, date and time, such as Mon 2026-03-09 10:15."""
    return f"{day(value)} {clock(value)}"


def hour(value: Any) -> str:
    """Hour of the day, such as 09:00."""
    return clock(pd.Timestamp(2000, 1, 1, int(value)))


def weekday(value: Any) -> str:
    """Name of the weekday, 0 for Monday."""
    return day_name[int(value)]


def plural(n: int, one: str, many: str = "") -> str:
    """Number with its noun.

    Examples
    --------
    >>> plural(1, "call"), plural(2412, "call")
    ('1 call', '2,412 calls')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def plural_mean(value: Any, one: str) -> str:
    """Mean with its noun: one only where 1 is what is shown.

    Examples
    --------
    >>> plural_mean(1.02, "call"), plural_mean(0.5, "call")
    ('1 call', '0.5 calls')
    """
    shown = number(value)
    return f"{shown} {one if shown == '1' else one + 's'}"


def period_name(period: Period) -> str:
    """Name of a period: a month, a week, a day or two dates.

    Examples
    --------
    >>> period_name(Period.of("2026-03")), period_name(Period.of("2026-W11"))
    ('March 2026', 'Week 11 of 2026 (9 to 15 March)')
    >>> period_name(Period.of("2026-03-09"))
    'Monday 9 March 2026'
    """
    first, last = period.first, period.last
    if first == last:
        return f"{day_name[first.weekday()]} {_day(first)} {first.year}"
    if period == Period.month_of(first):
        return f"{month_name[first.month]} {first.year}"
    start = f"{first.day}" if (first.year, first.month) == (last.year, last.month) else _day(first)
    if first.year != last.year:
        start = f"{start} {first.year}"
    year, week, weekday = first.isocalendar()
    if weekday == 1 and len(period) == 7:
        end = _day(last) if first.year == last.year else f"{_day(last)} {last.year}"
        return f"Week {week} of {year} ({start} to {end})"
    return f"{start} to {_day(last)} {last.year}"


def day_ranges(days: Iterable[date]) -> str:
    """Days as text, runs of them as `first to last`.

    Examples
    --------
    >>> day_ranges([date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 9)])
    '2026-03-01 to 2026-03-03, 2026-03-09'
    """
    runs: list[list[date]] = []
    for each in sorted(days):
        if runs and each - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(
        plain_day(run[0]) if len(run) == 1 else f"{plain_day(run[0])} to {plain_day(run[-1])}" for run in runs
    )


def _decimal(value: float) -> str:
    if not _LOCALE.get():
        return f"{value:,}"
    from babel.numbers import format_decimal

    return str(format_decimal(value, locale=_LOCALE.get()))


def _day(moment: date) -> str:
    return f"{moment.day} {month_name[moment.month]}"


_SHOW: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "count": count,
    "number": number,
    "money": money,
    "share": share,
    "seconds": seconds,
    "day": day,
    "time": time,
    "hour": hour,
    "weekday": weekday,
}
