"""Periods of whole days, as people write them: ``2026-03``, ``2026-W11``, two dates."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, cast

from ucm_analytics.errors import SettingError

EVERY_WEEKDAY: Final = range(7)
"""0 Monday to 6 Sunday."""
_YEARS: Final = range(2000, 2100)
"""Years in which a call can be: those that are believed of a record, see `aside`."""


def day(text: str | date) -> date:
    """Date of ``YYYY-MM-DD``.

    Raises
    ------
    SettingError
        The text is no date.
    """
    if isinstance(text, datetime):
        return text.date()
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingError(f"{text!r} is no date", hint="write it as YYYY-MM-DD, for example 2026-03-31") from None


def days(first: str | date | None, last: str | date | None) -> tuple[date | None, date | None]:
    """First and last day of a period that may be open on either side.

    Raises
    ------
    SettingError
        One of them is no date, or the end lies before the start.
    """
    start, end = (day(each) if each else None for each in (first, last))
    if start or end:
        _named(Period(cast(date, start or end), cast(date, end or start)))
    return start, end


@dataclass(frozen=True)
class Period:
    """Whole days of the PBX's wall clock, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise SettingError(
                f"the period ends on {self.last}, before it starts on {self.first}",
                hint="swap the two dates",
            )

    @classmethod
    def of(cls, first: str | date | Period, last: str | date | None = None) -> Period:
        """Period of a month, an ISO week, one day, or two days.

        Parameters
        ----------
        first : str, date or Period
            ``2026-03``, ``2026-W11`` or ``2026-03-31``; with `last`, the first day.
        last : str or date, optional
            The last day, included.

        Raises
        ------
        SettingError
            The text is no period, or the end lies before the start.

        Examples
        --------
        >>> Period.of("2026-W11")
        Period(first=datetime.date(2026, 3, 9), last=datetime.date(2026, 3, 15))
        >>> len(Period.of("2026-02"))
        28
        """
        if isinstance(first, Period):
            return first
        if last is not None:
            return _named(cls(day(first), day(last)))
        try:
            if isinstance(first, date):
                period = cls(day(first), day(first))
            elif re.fullmatch(r"\d{4}-\d{2}", first):
                period = cls.month_of(date.fromisoformat(f"{first}-01"))
            elif re.fullmatch(r"\d{4}-W\d{2}", first):
                period = cls(date.fromisoformat(f"{first}-1"), date.fromisoformat(f"{first}-7"))
            else:
                period = cls(day(first), day(first))
        except ValueError:
            raise SettingError(
                f"{first!r} is no period",
                hint="write a month as 2026-03, a week as 2026-W11, a day as 2026-03-31",
            ) from None
        return _named(period)

    @classmethod
    def month_of(cls, day: date) -> Period:
        """The month in which a day lies."""
        return cls(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(len(self)))

    def __contains__(self, item: object) -> bool:
        return isinstance(item, date) and self.first <= item <= self.last

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def start(self) -> datetime:
        """First instant, naive wall time."""
        return datetime.combine(self.first, datetime.min.time())

    @property
    def end(self) -> datetime:
        """First instant after the period, naive wall time."""
        return datetime.combine(self.last + timedelta(days=1), datetime.min.time())


def _named(period: Period) -> Period:
    """Refuse what somebody named and no call can be of; the days before it may lie in any year."""
    if period.first.year in _YEARS and period.last.year in _YEARS:
        return period
    raise SettingError(f"no call can be of {period}", hint=f"name days from {_YEARS.start} to {_YEARS.stop - 1}")
