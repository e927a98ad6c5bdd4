"""Hours that the clocks went through, and the calls that start in each interval."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from ucm_analytics.analyses._frame import collect, truncated
from ucm_analytics.analyses.calendar import meant, span, weekdays_meant
from ucm_analytics.analyses.population import counted_calls, on_days
from ucm_analytics.period import Period

_FREQS: Final = {"1h": "h", "1d": "D"}
_HOUR: Final = timedelta(hours=1)


def interval_counts(
    calls: Any,
    *,
    freq: str,
    period: Period | None,
    weekdays: Collection[int] | None = None,
    holidays: Collection[date] = (),
) -> pd.DataFrame:
    """Calls that start in each interval of the days, those without calls too; see `every_interval`."""
    clock = () if freq == "1d" else ("pbx", "utc_offset_s")
    frame = on_days(counted_calls(calls, "local_at", *clock), period, weekdays, holidays)
    keys, unit = ["local_at", *clock], freq
    if freq == "30min":  # DuckDB truncates to whole units only: a half-hour is an hour, and which half of it
        frame = frame.with_columns(half=nw.col("local_at").dt.minute() >= 30)
        keys, unit = [*keys, "half"], "1h"
    seen = collect(truncated(frame, unit).group_by(keys).agg(calls=nw.len().cast(nw.Int64)))
    if freq == "30min":
        seen["local_at"] += pd.to_timedelta(30 * seen.pop("half").astype("int64"), unit="m")
    return every_interval(seen, freq=freq, period=period, weekdays=weekdays, holidays=holidays)


def every_interval(
    seen: pd.DataFrame,
    *,
    freq: str,
    period: Period | None,
    weekdays: Collection[int] | None,
    holidays: Collection[date],
) -> pd.DataFrame:
    """Fill up what was counted with the intervals without calls: ``local_at, utc_offset_s`` (not of days)``, calls``.

    Of hours and half-hours there are as many as the clock went through: one that happened twice is two rows, one
    that did not happen is none. Where several PBXs were in several zones ``utc_offset_s`` is NA.
    """
    days = period or span(seen["local_at"])
    weekdays = weekdays_meant(seen["local_at"], days, weekdays, holidays)
    if freq == "1d":
        every = pd.DataFrame({"local_at": starts(days, "1d")}).merge(seen, how="left")
    else:
        every = _of_all(with_offsets(seen), days, freq)
    every = every[meant(every["local_at"], weekdays, holidays)].reset_index(drop=True)
    return every.fillna({"calls": 0}).astype({"calls": "int64"})


def _of_all(seen: pd.DataFrame, days: Period | None, freq: str) -> pd.DataFrame:
    """Intervals of the clocks of all PBXs; the first and the second time that one happens are two."""
    parts = []
    for some in [some for _, some in seen.groupby("pbx", dropna=False)] or [seen]:
        clock = hours(some.assign(local_at=some["local_at"].dt.floor("h")), days)
        clock["time"] = clock.groupby("local_at").cumcount()
        if freq == "30min":
            clock = pd.concat([clock, clock.assign(local_at=clock["local_at"] + timedelta(minutes=30))])
        parts.append(clock.merge(some.drop(columns="pbx"), how="left", on=["local_at", "utc_offset_s"]))
    if not parts[1:]:
        return parts[0].sort_values(["local_at", "time"]).drop(columns="time")
    every = pd.concat(parts).groupby(["local_at", "time"])
    offset = every["utc_offset_s"].agg("first").where(every["utc_offset_s"].nunique(dropna=False) == 1)
    return pd.DataFrame({"utc_offset_s": offset, "calls": every["calls"].sum()}).reset_index().drop(columns="time")


def starts(days: Period | None, freq: Literal["1h", "1d"]) -> pd.DatetimeIndex:
    """Starts of all hours of the days, or of the days themselves."""
    if days is None:
        return pd.DatetimeIndex([], dtype="datetime64[us]")
    return pd.date_range(days.start, days.end, freq=_FREQS[freq], inclusive="left", unit="us")


def with_offsets(seen: pd.DataFrame) -> pd.DataFrame:
    """Give an hour without offset that of the hour before it (or after) on the same PBX, so that no call is lost."""
    seen["utc_offset_s"] = seen["utc_offset_s"].astype("Int64")
    if not seen["utc_offset_s"].isna().any():
        return seen
    seen = seen.sort_values("local_at", ignore_index=True)
    for fill in ("ffill", "bfill"):
        seen["utc_offset_s"] = seen.groupby("pbx", dropna=False)["utc_offset_s"].transform(fill)
    return seen


def hours(seen: pd.DataFrame, days: Period | None) -> pd.DataFrame:
    """All hours of the days with their offset from UTC: the union of what each PBX's clock went through."""
    clocks = [_clock(clock, days) for _, clock in seen.groupby("pbx", dropna=False)] if days else []
    if not clocks:
        return _run(starts(days, "1h"), pd.NA)
    return pd.concat(clocks, ignore_index=True).drop_duplicates(ignore_index=True) if clocks[1:] else clocks[0]


def _clock(seen: pd.DataFrame, days: Period) -> pd.DataFrame:
    """Hours that one PBX's clock went through, from the hours in which it saw calls."""
    known = seen[["local_at", "utc_offset_s"]].drop_duplicates().dropna()
    if known.empty:
        return _run(starts(days, "1h"), pd.NA)
    known["utc"] = known["local_at"] - pd.to_timedelta(known["utc_offset_s"].astype("int64"), unit="s")
    known = known.sort_values("utc")
    at, offset = known["local_at"], known["utc_offset_s"].astype("int64").to_numpy()
    runs = []
    begin = pd.Timestamp(days.start)
    for n in np.flatnonzero(np.diff(offset)):
        shift = timedelta(seconds=int(offset[n + 1] - offset[n]))
        end, following = _change(at.iloc[n] + _HOUR, at.iloc[n + 1], shift)
        runs.append(_run(pd.date_range(begin, end, freq="h", inclusive="left", unit="us"), offset[n]))
        begin = following
    rest = pd.date_range(begin, days.end, freq="h", inclusive="left", unit="us")
    return pd.concat([*runs, _run(rest, offset[-1])], ignore_index=True)


def _run(hours: pd.DatetimeIndex, offset: Any) -> pd.DataFrame:
    return pd.DataFrame({"local_at": hours, "utc_offset_s": pd.array([offset] * len(hours), dtype="Int64")})


def _change(end: pd.Timestamp, start: pd.Timestamp, shift: timedelta) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Old clock's end and new clock's start, when it changed between `end` (old) and `start` (new)."""
    free = max(int((start - shift - end).total_seconds() // 3600), 0)
    usual = 2 if shift > timedelta(0) else 3
    candidates = [end + n * _HOUR for n in range(free + 1)]
    changed = min(candidates, key=lambda at: (at.weekday() != 6, abs(at.hour - usual)))
    return changed, min((changed + shift).floor("h"), start)
