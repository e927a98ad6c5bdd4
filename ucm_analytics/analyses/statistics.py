"""Intervals, bands and curves that several analyses need, each once, on what an engine has counted.

The quantiles are those of `scipy.special`: `scipy.stats` gives the same numbers, and takes a second to import.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_TAIL: Final = 0.025
"""What an interval of 95 % leaves out on either side."""
_Z: Final = float(special.ndtri(1 - _TAIL))
_FEWEST: Final = 2
_LEAST: Final = 1e-12
"""A smaller mean, or size, leaves so little above 0 that every quantile is 0."""
_POISSON: Final = 1e9
"""A size of so many times the mean adds nothing to the variance that could be seen."""
_MOST: Final = 2.0**53
"""Up to here a float holds every count."""


def wilson(hits: Any, of: Any) -> tuple[Floats, Floats]:
    """95 % interval of a share (Wilson 1927); NaN where `of` is 0."""
    k, n = np.asarray(hits, dtype=float), np.asarray(of, dtype=float)
    n = np.where(n > 0, n, np.nan)
    beyond = _Z**2 / 2 - _Z * np.sqrt(k * (n - k) / n + _Z**2 / 4)  # 0 at both ends, which so are 0 and 1
    return (k + beyond) / (n + _Z**2), 1 - (n - k + beyond) / (n + _Z**2)


def kaplan_meier(events: Any, at_risk: Any) -> tuple[Floats, Floats, Floats]:
    """Survival curve, and its 95 % log-log band by Greenwood's variance; NaN where the curve is 1 or 0.

    One value for each time at which something ended, first to last: `scipy.stats.ecdf` would need one for each caller.
    """
    d, n = np.asarray(events, dtype=float), np.asarray(at_risk, dtype=float)
    level = np.cumprod(1 - d / n)
    inside = (level > 0) & (level < 1)
    greenwood = np.cumsum(d[inside] / (n * (n - d))[inside])
    power = np.exp(_Z * np.sqrt(greenwood) / np.log(level[inside]))
    low, high = np.full_like(level, np.nan), np.full_like(level, np.nan)
    low[inside], high[inside] = level[inside] ** (1 / power), level[inside] ** power
    return level, low, high


def student(freedom: float) -> float:
    """97.5 % quantile of Student's t."""
    return float(special.stdtrit(freedom, 1 - _TAIL))


def poisson_limits(count: Floats) -> tuple[Floats, Floats]:
    """95 % limits of the mean of a Poisson count above 0, which need not be whole (Garwood 1936)."""
    return special.gammaincinv(count, _TAIL), special.gammaincinv(count + 1, 1 - _TAIL)


def count_band(mean: Any, alpha: Any, tail: float) -> tuple[Counts, Counts]:
    """Smallest and largest count that are not in a tail of this probability; they hold the mean between them.

    Parameters
    ----------
    mean : float or array
        Expected count.
    alpha : float or array
        Dispersion of the negative binomial: its variance is mean + alpha mean²; 0 for Poisson.
    tail : float
        Probability below the first count, and above the second, at most.
    """
    mean, alpha = np.asarray(mean, dtype=float), np.asarray(alpha, dtype=float)
    some = np.maximum(mean, _LEAST)
    size = 1 / np.clip(alpha, 1 / (_POISSON * some), 1 / _LEAST)
    # the inverse of a continuous function between the counts
    low, high = (np.ceil(special.nbdtrik(share, size, size / (size + some)).clip(0)) for share in (tail, 1 - tail))
    # of a distribution that is nearly all 0 and seldom very large, even a quantile near 1 lies below the mean
    high = np.maximum(high, np.floor(mean))
    return np.minimum(low, _MOST).astype(np.int64), np.minimum(high, _MOST).astype(np.int64)


def predictive_band(total: Any, weeks: Any, alpha: float, tail: float) -> tuple[Any, Counts, Counts]:
    """Mean of one more interval like these, which held `total` calls in so many weeks, and the band of its calls.

    mean = (Σ + 1/2) / m; the variance is mean + mean² (α (1 + 1/m) + 1/(Σ + 1/2)), for the mean is an estimate too.
    """
    mean = (total + 0.5) / weeks
    return mean, *count_band(mean, alpha * (1 + 1 / weeks) + 1 / (total + 0.5), tail)


def expected_band(calls: pd.Series[Any], cell: pd.Series[Any], of: pd.Series[Any]) -> pd.DataFrame:
    """Band in which 95 of 100 more intervals of a cell would lie: ``low`` and ``high`` for each of the cells `of`.

    As `predictive_band`, with the dispersion of the intervals of all cells. NA with fewer than two intervals.
    """
    seen = calls.to_numpy(dtype=float)
    cells = pd.DataFrame({"m": 1.0, "total": seen}).groupby(cell.to_numpy())
    others = cells["m"].transform("sum").to_numpy() - 1
    mean = (cells["total"].transform("sum").to_numpy() - seen) / np.maximum(others, 1)
    sums = cells.sum()
    alpha = dispersion(seen, mean, np.maximum(others, 1), others >= 1)
    _, low, high = predictive_band(sums["total"], sums["m"], alpha, _TAIL)
    bands = pd.DataFrame({"low": low, "high": high}, index=sums.index, dtype="Int64")
    return bands.where(sums["m"] >= _FEWEST).reindex(of.to_numpy()).set_axis(of.index)


def dispersion(seen: Floats, mean: Floats, weeks: Any = np.inf, used: Any = True, trimmed: float = 0.0) -> float:
    """α of the variance mean + α mean², by moments, from counts and what was expected of each.

    A mean of few weeks is off by itself, and the residuals hold that too. Of those `used`, this share is left out:
    the most unusual.
    """
    square = (seen - mean) ** 2 / (1 + 1 / weeks)
    if trimmed and used.any():
        unusual = np.where(used, square / (mean + 0.5), -1.0)
        used = used & (unusual < np.sort(unusual)[-int(np.ceil(trimmed * used.sum()))])
    above = float((square - mean).sum(where=used))
    below = float((mean**2 - square / weeks).sum(where=used))
    return max(above / below, 0.0) if below > 0 else 0.0
