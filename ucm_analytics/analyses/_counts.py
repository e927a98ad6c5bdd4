"""Counts of calls in intervals, and the band in which they usually lie."""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from ucm_analytics.analyses._estimates import count_band
from ucm_analytics.analyses._frame import collect, lazy, needs, truncated, wall
from ucm_analytics.period import Period

_TAIL: Final = 0.025
_FEWEST: Final = 2


def interval_counts(calls: Any, *, freq: str, period: Period | None) -> pd.DataFrame:
    """Calls that start in each interval of the days, those without calls too: ``local_at``, ``calls``."""
    frame = lazy(calls, "calls", needs("calls", "local_at", "is_forward"))
    frame = frame.filter(~nw.col("is_forward").fill_null(False), ~nw.col("local_at").is_null())
    if period is not None:
        frame = frame.filter(nw.col("local_at") >= wall(period.start), nw.col("local_at") < wall(period.end))
    keys, unit = ["local_at"], freq
    if freq == "30min":  # DuckDB truncates to whole units only: a half-hour is an hour, and which half of it
        frame = frame.with_columns(half=nw.col("local_at").dt.minute() >= 30)
        keys, unit = ["local_at", "half"], "1h"
    seen = collect(truncated(frame, unit).group_by(keys).agg(calls=nw.len().cast(nw.Int64)))
    if freq == "30min":
        seen["local_at"] += pd.to_timedelta(30 * seen.pop("half").astype("int64"), unit="m")
    if period is None and seen.empty:
        return seen
    days = period or Period(seen["local_at"].min().date(), seen["local_at"].max().date())
    grid = pd.date_range(
        days.start, days.end, freq=freq.replace("1d", "D").replace("1h", "h"), inclusive="left", unit="us"
    )
    return pd.DataFrame({"local_at": grid}).merge(seen, how="left").fillna({"calls": 0}).astype({"calls": "int64"})


def usual(calls: pd.Series[Any], cell: pd.Series[Any], of: pd.Series[Any]) -> pd.DataFrame:
    """Band in which 95 of 100 more intervals of a cell would lie: ``low`` and ``high`` for each of the cells `of`.

    One interval of a cell with m intervals and Σ calls is taken as negative binomial with the mean (Σ + 1/2) / m
    and the variance mean + mean² / size, 1/size = α (1 + 1/m) + 1/(Σ + 1/2), as in `anomalies`; α comes from the
    intervals of all cells. NA with fewer than two intervals.
    """
    seen = calls.to_numpy(dtype=float)
    cells = pd.DataFrame({"m": 1.0, "total": seen}).groupby(cell.to_numpy())
    others = cells["m"].transform("sum").to_numpy() - 1
    mean = (cells["total"].transform("sum").to_numpy() - seen) / np.maximum(others, 1)
    alpha = dispersion(seen, mean, np.maximum(others, 1), others >= 1, 0.0)
    sums = cells.sum()
    expected = (sums["total"] + 0.5) / sums["m"]
    size = 1 / (alpha * (1 + 1 / sums["m"]) + 1 / (sums["total"] + 0.5))
    found = [count_band(*pair, _TAIL) for pair in zip(expected, size, strict=True)]
    bands = pd.DataFrame(found, index=sums.index, columns=["low", "high"], dtype="Int64")
    return bands.where(sums["m"] >= _FEWEST).reindex(of.to_numpy()).set_axis(of.index)


def dispersion(seen: Any, mean: Any, weeks: Any, used: Any, trimmed: float) -> float:
    """α of the variance mean + α mean², by moments: residuals hold the variance of the mean too."""
    square = (seen - mean) ** 2 / (1 + 1 / weeks)
    if trimmed and used.any():
        unusual = np.where(used, square / (mean + 0.5), -1.0)
        used = used & (unusual < np.sort(unusual)[-int(np.ceil(trimmed * used.sum()))])
    above = float((square - mean)[used].sum())
    below = float((mean**2 - square / weeks)[used].sum())
    return max(above / below, 0.0) if below > 0 else 0.0
