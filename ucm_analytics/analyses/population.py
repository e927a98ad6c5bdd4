"""Which calls are meant: one definition each of a caller's call, a call from outside, one that leaves, a period.

`counted_calls` gives the calls that callers made, `on_days` and `in_period` those that began when it matters; the
others are conditions to filter any frame of calls by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, Final

import narwhals.stable.v2 as nw

from ucm_analytics.analyses.calendar import runs
from ucm_analytics.analyses.frames import required, select_required, wall_time
from ucm_analytics.errors import SettingError
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.schema import CAME_BY_TRUNK, LEFT_BY_TRUNK, Column

FROM_OUTSIDE: Final = "inbound"
"""Direction of a call from outside."""

_OUTSIDE: Final = r"(?:^| > )(?:external:|transfer:\+?[0-9]{7,}(?: |$))"
"""A step outside. Who is sent on to a number of seven digits or more is sent outside: no extension is so long."""


def counted_calls(calls: Any, *names: str, more: Iterable[Column] = ()) -> nw.LazyFrame[Any]:
    """These columns of the calls that callers made: no row that only goes on with another call."""
    frame = select_required(calls, "calls", (*required("calls", *names, "is_forward"), *more))
    return frame.filter(~continues())


def continues() -> nw.Expr:
    """Whether a row only goes on with a call that has a row of its own; one that does not say is a call."""
    return nw.col("is_forward").fill_null(False)


def from_outside() -> nw.Expr:
    """Whether a call is one from outside: to this house, not through it."""
    return nw.col("direction") == FROM_OUTSIDE


def came_by_trunk() -> nw.Expr:
    """Whether the caller is outside: a call from outside, or one from trunk to trunk."""
    return nw.col("direction").is_in(CAME_BY_TRUNK)


def dialled_outside() -> nw.Expr:
    """Whether the number dialled is outside: a call from inside, or one from trunk to trunk."""
    return nw.col("direction").is_in(LEFT_BY_TRUNK)


def leaves() -> nw.Expr:
    """Whether a call leaves by a trunk: dialled from inside, from trunk to trunk, or sent on on its way."""
    return (dialled_outside() | nw.col("path").str.contains(_OUTSIDE)).fill_null(False)


def each_leaving(calls: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The rows that leave by a trunk, each as a call: also one that is sent on holds a line and is billed."""
    return calls.filter(leaves()).with_columns(is_forward=nw.lit(False))


def offered() -> nw.Expr:
    """Whether a call was offered to people: only such a call waited."""
    outcome = nw.col("outcome")
    return (outcome == "answered") | (outcome == "no_answer") | (nw.col("phones") > 0) | ~nw.col("queue").is_null()


def in_period(frame: nw.LazyFrame[Any], period: Period | None) -> nw.LazyFrame[Any]:
    """Rows that begin in the period; all without one."""
    return frame if period is None else frame.filter(begins_in(period))


def begins_in(period: Period) -> nw.Expr:
    """Whether a row begins in the period."""
    at = nw.col("local_at")
    return (at >= wall_time(period.start)) & (at < wall_time(period.end))


def on_days(
    frame: nw.LazyFrame[Any],
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
    holidays: Collection[date] = (),
) -> nw.LazyFrame[Any]:
    """Rows that begin on these days, and on no holiday; none that has no time."""
    at = nw.col("local_at")
    frame = in_period(frame.filter(~at.is_null()), period)
    if others := [(at < wall_time(run.start)) | (at >= wall_time(run.end)) for run in runs(holidays)]:
        frame = frame.filter(nw.all_horizontal(*others, ignore_nulls=False))
    if weekdays is None:
        return frame
    if not weekdays or not set(weekdays) <= set(EVERY_WEEKDAY):
        raise SettingError(f"weekdays={weekdays!r} are no weekdays", hint="0 is Monday, 6 is Sunday, as in range(5)")
    # Sunday is 7 on one engine and 0 on another
    return frame.filter((at.dt.weekday() % 7).is_in([(day + 1) % 7 for day in weekdays]))
