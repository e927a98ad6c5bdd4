"""Instants behind a PBX's wall clock, and the hours that it went through.

The time zone of the PBX tells them; where none is known, the offsets that its calls show are all there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from ucm_analytics.analyses.calendar import starts, within
from ucm_analytics.analyses.frames import collect
from ucm_analytics.period import Period

Zones: TypeAlias = Mapping[str, ZoneInfo]
"""Time zone by PBX, as `Store.zones` gives them."""

SECOND: Final = timedelta(seconds=1)
_HOUR: Final = timedelta(hours=1)


def utc() -> nw.Expr:
    """Instant of ``local_at``; null where the offset is."""
    return nw.col("local_at") - nw.col("utc_offset_s") * nw.lit(SECOND)


def placed_in_time(
    frame: nw.LazyFrame[Any], period: Period | None, zones: Zones | None
) -> tuple[nw.LazyFrame[Any], pd.Timestamp, pd.Timestamp]:
    """The frame with its instants as ``utc``, and the first and last instant that was watched.

    A call without offset has that of the call before it (or after) on the same PBX. Without a period the
    first and last call are the ends; without zones the ends of a period have the offset of the call next to them.
    """
    clocks = _clocks(frame)
    if clocks["utc_offset_s"].isna().any():
        offset = nw.col("utc_offset_s")
        for strategy in ("forward", "backward"):
            filled = offset.fill_null(strategy=strategy).over("pbx", order_by=["local_at", "utc_offset_s"])
            frame = frame.with_columns(utc_offset_s=filled)
        frame = frame.with_columns(offset.fill_null(0))
        clocks = _clocks(frame)
    frame = frame.with_columns(utc=utc())
    if clocks.empty:
        return frame, pd.Timestamp(0), pd.Timestamp(0)
    shift = pd.to_timedelta(clocks["utc_offset_s"].astype("int64"), unit="s")
    first, last = clocks["first"] - shift, clocks["last"] - shift
    if period is None:
        return frame, first.min(), last.max()
    if zones:
        begins, ends = ([_instant(at, zone) for zone in zones.values()] for at in (period.start, period.end))
        return frame, min(begins), max(ends)
    begin, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    return frame, begin - shift.iloc[first.argmin()], end - shift.iloc[last.argmax()]


def _clocks(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """First and last call at each offset: a look at two columns, where a window would sort all calls."""
    at = nw.col("local_at")
    return collect(frame.group_by("utc_offset_s").agg(first=at.min(), last=at.max()))


def with_offsets(seen: pd.DataFrame) -> pd.DataFrame:
    """Give an hour without offset that of the hour before it (or after) on the same PBX, so that no call is lost."""
    seen["utc_offset_s"] = seen["utc_offset_s"].astype("Int64")
    if not seen["utc_offset_s"].isna().any():
        return seen
    seen = seen.sort_values("local_at", ignore_index=True)
    for fill in ("ffill", "bfill"):
        seen["utc_offset_s"] = seen.groupby("pbx", dropna=False)["utc_offset_s"].transform(fill)
    return seen


def hours(seen: pd.DataFrame, days: Period | None, zones: Zones | None) -> pd.DataFrame:
    """All hours of the days with their offset from UTC: the union of what each PBX's clock went through."""
    if days is None:
        return _run(starts(None, "1h"), pd.NA)
    zones = zones or {}
    clocks = [_clock(clock, days, zones.get(str(pbx))) for pbx, clock in seen.groupby("pbx", dropna=False)]
    if not clocks:
        only = set(zones.values())
        return _of_zone(only.pop(), days) if len(only) == 1 else _run(starts(days, "1h"), pd.NA)
    return pd.concat(clocks, ignore_index=True).drop_duplicates(ignore_index=True) if clocks[1:] else clocks[0]


def _clock(seen: pd.DataFrame, days: Period, zone: ZoneInfo | None) -> pd.DataFrame:
    """Hours that one PBX's clock went through, by its zone; from the hours in which it saw calls if they differ."""
    known = seen[["local_at", "utc_offset_s"]].drop_duplicates().dropna()
    if known.empty:
        return _run(starts(days, "1h"), pd.NA)
    if zone:
        of_zone, inside = _of_zone(zone, days), known[within(known["local_at"], days)]
        if len(inside.merge(of_zone)) == len(inside):
            return of_zone
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


def _of_zone(zone: ZoneInfo, days: Period) -> pd.DataFrame:
    """Hours of the days in a time zone, by their halves, which a change may leave over."""
    begin, end = _instant(days.start, zone), _instant(days.end, zone)
    utc = pd.date_range(begin, end, freq="30min", inclusive="left", unit="us")
    local = utc.tz_localize("UTC").tz_convert(zone).tz_localize(None)
    run = pd.DataFrame({"local_at": local.floor("h"), "utc_offset_s": (local - utc) // SECOND})
    return run.drop_duplicates(ignore_index=True).astype({"utc_offset_s": "Int64"})


def _instant(at: datetime, zone: ZoneInfo) -> pd.Timestamp:
    """Instant of a wall time, in UTC; the first of two, and the one that would have been of none."""
    return pd.Timestamp(at.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None))


def _run(hours: pd.DatetimeIndex, offset: Any) -> pd.DataFrame:
    return pd.DataFrame({"local_at": hours, "utc_offset_s": pd.array([offset] * len(hours), dtype="Int64")})


def _change(end: pd.Timestamp, start: pd.Timestamp, shift: timedelta) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Old clock's end and new clock's start, when it changed between `end` (old) and `start` (new)."""
    free = max(int((start - shift - end).total_seconds() // 3600), 0)
    usual = 2 if shift > timedelta(0) else 3
    candidates = [end + n * _HOUR for n in range(free + 1)]
    changed = min(candidates, key=lambda at: (at.weekday() != 6, abs(at.hour - usual)))
    return changed, min((changed + shift).floor("h"), start)
