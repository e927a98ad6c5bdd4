"""Instants on one clock, whatever the PBX's wall clock showed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics.analyses._frame import collect
from ucm_analytics.period import Period

SECOND: Final = timedelta(seconds=1)


def utc() -> nw.Expr:
    """Instant of ``local_at``; null where the offset is."""
    return nw.col("local_at") - nw.col("utc_offset_s") * nw.lit(SECOND)


def placed_in_time(
    frame: nw.LazyFrame[Any], period: Period | None
) -> tuple[nw.LazyFrame[Any], pd.Timestamp, pd.Timestamp]:
    """The frame with its instants as ``utc``, and the first and last instant that was watched.

    A call without offset has that of the call before it (or after) on the same PBX. Without a period the
    first and last call are the ends.
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
    begin, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    return frame, begin - shift.iloc[first.argmin()], end - shift.iloc[last.argmax()]


def _clocks(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """First and last call at each offset: a look at two columns, where a window would sort all calls."""
    at = nw.col("local_at")
    return collect(frame.group_by("utc_offset_s").agg(first=at.min(), last=at.max()))
