"""Calls that start in each interval, and the intervals in which none does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics.analyses.calendar import meant, span, starts, weekdays_meant
from ucm_analytics.analyses.frames import collect, with_interval_start
from ucm_analytics.analyses.instants import Zones, hours, with_offsets
from ucm_analytics.analyses.population import counted_calls, on_days
from ucm_analytics.period import Period


def interval_counts(
    calls: Any,
    *,
    freq: str,
    period: Period | None,
    weekdays: Collection[int] | None = None,
    holidays: Collection[date] = (),
    zones: Zones | None = None,
) -> pd.DataFrame:
    """Calls that start in each interval of the days, those without calls too; see `every_interval`."""
    clock = () if freq == "1d" else ("pbx", "utc_offset_s")
    frame = on_days(counted_calls(calls, "local_at", *clock), period, weekdays, holidays)
    keys, unit = ["local_at", *clock], freq
    if freq == "30min":  # DuckDB truncates to whole units only: a half-hour is an hour, and which half of it
        frame = frame.with_columns(half=nw.col("local_at").dt.minute() >= 30)
        keys, unit = [*keys, "half"], "1h"
    seen = collect(with_interval_start(frame, unit).group_by(keys).agg(calls=nw.len().cast(nw.Int64)))
    if freq == "30min":
        seen["local_at"] += pd.to_timedelta(30 * seen.pop("half").astype("int64"), unit="m")
    return every_interval(seen, freq=freq, period=period, weekdays=weekdays, holidays=holidays, zones=zones)


def every_interval(
    seen: pd.DataFrame,
    *,
    freq: str,
    period: Period | None,
    weekdays: Collection[int] | None,
    holidays: Collection[date],
    zones: Zones | None,
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
        every = _of_all(with_offsets(seen), days, freq, zones)
    every = every[meant(every["local_at"], weekdays, holidays)].reset_index(drop=True)
    return every.fillna({"calls": 0}).astype({"calls": "int64"})


def _of_all(seen: pd.DataFrame, days: Period | None, freq: str, zones: Zones | None) -> pd.DataFrame:
    """Intervals of the clocks of all PBXs; the first and the second time that one happens are two."""
    parts = []
    for some in [some for _, some in seen.groupby("pbx", dropna=False)] or [seen]:
        clock = hours(some.assign(local_at=some["local_at"].dt.floor("h")), days, zones)
        clock["time"] = clock.groupby("local_at").cumcount()
        if freq == "30min":
            clock = pd.concat([clock, clock.assign(local_at=clock["local_at"] + timedelta(minutes=30))])
        parts.append(clock.merge(some.drop(columns="pbx"), how="left", on=["local_at", "utc_offset_s"]))
    if not parts[1:]:
        return parts[0].sort_values(["local_at", "time"]).drop(columns="time")
    every = pd.concat(parts).groupby(["local_at", "time"])
    offset = every["utc_offset_s"].agg("first").where(every["utc_offset_s"].nunique(dropna=False) == 1)
    return pd.DataFrame({"utc_offset_s": offset, "calls": every["calls"].sum()}).reset_index().drop(columns="time")
