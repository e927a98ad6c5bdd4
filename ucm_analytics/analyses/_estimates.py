"""Intervals that several analyses need. SciPy's quantiles are imported where they are used: that takes a while."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_Z95: Final = NormalDist().inv_cdf(0.975)
_LEAST: Final = 1e-12
"""A smaller mean, or size, leaves so little above 0 that every quantile is 0."""
_POISSON: Final = 1e9
"""A size of so many times the mean adds nothing to the variance that could be seen."""
_MOST: Final = 2.0**53
"""Up to here a float holds every count."""


def wilson(hits: Any, of: Any) -> tuple[Floats, Floats]:
    """95 % interval of a share (Wilson 1927); NaN where `of` is 0."""
    k, n = np.asarray(hits, dtype=float), np.asarray(of, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (k + _Z95**2 / 2) / (n + _Z95**2)
        half = _Z95 / (n + _Z95**2) * np.sqrt(k * (n - k) / n + _Z95**2 / 4)
    none = n == 0
    return (
        np.where(none, np.nan, np.where(k == 0, 0.0, centre - half)),
        np.where(none, np.nan, np.where(k == n, 1.0, centre + half)),
    )


def survival_band(level: Floats, events: Floats, at_risk: Floats) -> tuple[Floats, Floats]:
    """95 % log-log band of a Kaplan-Meier curve, by Greenwood's variance; NaN where the curve is 1 or 0."""
    inside = (level > 0) & (level < 1)
    left = np.where(at_risk > events, at_risk - events, np.nan)
    greenwood = np.cumsum(events / (at_risk * left))
    logarithm = np.log(level, where=inside, out=np.full_like(level, np.nan))
    power = np.exp(_Z95 * np.sqrt(greenwood) / logarithm)
    # 1 ** NaN is 1, but there is no band before anything happened
    return np.where(inside, level ** (1 / power), np.nan), np.where(inside, level**power, np.nan)


def student(freedom: float) -> float:
    """97.5 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def poisson_limits(count: Floats) -> tuple[Floats, Floats]:
    """95 % limits of the mean of a Poisson count above 0, which need not be whole (Garwood 1936)."""
    from scipy.special import gammaincinv

    return gammaincinv(count, 0.025), gammaincinv(count + 1, 0.975)


def count_band(mean: Any, size: Any, tail: float) -> tuple[Counts, Counts]:
    """Smallest and largest count that are not in a tail of this probability; they hold the mean between them.

    Parameters
    ----------
    mean : float or array
        Expected count.
    size : float or array
        Size of the negative binomial: its variance is mean + mean² / size; infinite for Poisson.
    tail : float
        Probability below the first count, and above the second, at most.
    """
    mean, size = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(size, dtype=float))
    low, high = (_quantile(share, mean, size) for share in (tail, 1 - tail))
    # of a distribution that is nearly all 0 and seldom very large, even a quantile near 1 lies below the mean
    high = np.maximum(high, np.floor(mean))
    return np.minimum(low, _MOST).astype(np.int64), np.minimum(high, _MOST).astype(np.int64)


def _quantile(share: float, mean: Floats, size: Floats) -> Floats:
    """Smallest count with a distribution function of at least `share`.

    The special functions take bounded time; `scipy.stats.nbinom.ppf` takes minutes for some dispersions.
    """
    from scipy.special import betainc, nbdtrik

    mean = np.maximum(mean, _LEAST)
    size = np.clip(size, _LEAST, _POISSON * mean)
    p = size / (size + mean)
    # inverse of the continuous function between the counts; the next count, but for the error of the inverse
    count = np.ceil(nbdtrik(share, size, p).clip(0))
    before = betainc(size, np.maximum(count, 1), p)
    return np.asarray(np.where((count > 0) & (before >= share), count - 1, count))
