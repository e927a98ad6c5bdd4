"""Intervals and quantiles that several analyses need, in closed form or by plain summation."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z95: Final = NormalDist().inv_cdf(0.975)


def wilson(hits: Any, of: Any) -> tuple[Floats, Floats]:
    """95 % interval of a share (Wilson 1927); NaN where `of` is 0."""
    k, n = np.asarray(hits, dtype=float), np.asarray(of, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (k + Z95**2 / 2) / (n + Z95**2)
        half = Z95 / (n + Z95**2) * np.sqrt(k * (n - k) / n + Z95**2 / 4)
    none = n == 0
    return (
        np.where(none, np.nan, np.where(k == 0, 0.0, centre - half)),
        np.where(none, np.nan, np.where(k == n, 1.0, centre + half)),
    )


def student(freedom: float) -> float:
    """97.5 % quantile of Student's t, within 1 % (Abramowitz and Stegun 26.7.5)."""
    if freedom <= 2:
        return 4.3027 if freedom == 2 else 12.7062
    z, f = Z95, freedom
    return float(
        z
        + (z**3 + z) / (4 * f)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
    )


def count_band(mean: float, size: float, tail: float) -> tuple[int, int]:
    """Smallest and largest count that are not in a tail of this probability.

    Parameters
    ----------
    mean : float
        Expected count.
    size : float
        Size of the negative binomial: its variance is mean + mean² / size; infinite for Poisson.
    tail : float
        Probability below the first count, and above the second, at most.
    """
    if mean <= 0:
        return 0, 0
    variance = mean + mean * mean / size
    top = int(mean + 12 * np.sqrt(variance) + 60 / max(-np.log1p(-1 / (1 + size / mean)), 0.05)) + 10
    counts = np.arange(top)
    if np.isinf(size):
        first, steps = -mean, np.log(mean / (counts + 1.0))
    else:
        first = -size * np.log1p(mean / size)
        steps = np.log((counts + size) / (counts + 1.0)) - np.log1p(size / mean)
    below = np.cumsum(np.exp(first + np.concatenate([[0.0], np.cumsum(steps)])))
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1 - tail, side="left"))
    return low, min(high, top)
