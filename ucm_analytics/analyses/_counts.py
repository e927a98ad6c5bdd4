"""The band in which counts of calls in intervals usually lie."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from ucm_analytics.analyses._estimates import count_band

_TAIL: Final = 0.025
_FEWEST: Final = 2


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
    low, high = count_band(expected, size, _TAIL)
    bands = pd.DataFrame({"low": low, "high": high}, index=sums.index, dtype="Int64")
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
