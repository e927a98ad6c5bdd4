"""Lines for a trunk: calls that find all of them busy are lost (Erlang B)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ucm_analytics.erlang._arguments import Array, Numbers, numbers, share, whole


def erlang_b(traffic: Numbers, lines: int) -> Numbers:
    """Share of calls that find all lines busy and are lost.

    Parameters
    ----------
    traffic : float or array
        Offered traffic [erlang], 0 or more.
    lines : int
        Lines, 0 or more.

    Returns
    -------
    float or array
        Blocking, 0-1.

    Raises
    ------
    SettingError
        A number is negative or not finite.

    Notes
    -----
    B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1)).

    Examples
    --------
    >>> round(float(erlang_b(1.0, 2)), 3)
    0.2
    """
    a = numbers("traffic", traffic)
    whole("lines", lines)
    blocking = np.ones_like(a)
    for k in range(1, lines + 1):
        blocking = _next_b(a, blocking, k)
    return blocking[()]


def lines_needed(traffic: Numbers, blocking: float, *, retry: float = 0.0) -> int | NDArray[np.int64]:
    """Fewest lines that block no more than a given share of the calls.

    Parameters
    ----------
    traffic : float or array
        Offered traffic of first attempts [erlang].
    blocking : float
        Grade of service: the share of attempts that may be blocked, between 0 and 1.
    retry : float, default 0
        Share of the blocked calls that are tried again.

    Returns
    -------
    int or array of int
        Lines.

    Raises
    ------
    SettingError
        A number cannot be used.

    Notes
    -----
    At the boundary, where blocking is exact, the traffic of all attempts is a0 / (1 - retry x blocking), so
    the extended formula needs no other recursion.

    Examples
    --------
    >>> lines_needed(10.0, 0.02), lines_needed(10.0, 0.02, retry=0.7)
    (17, 17)
    """
    share("blocking", blocking)
    share("retry", retry, zero=True)
    a = numbers("traffic", traffic) / (1 - retry * blocking)
    lines = np.zeros(a.shape, dtype=np.int64)
    b = np.ones_like(a)
    b[a == 0] = 0.0
    while (short := b > blocking).any():
        lines += short
        b = _next_b(a, b, int(lines.max()))
    return lines if lines.ndim else int(lines)


def _next_b(traffic: Array, blocking: Array, k: int) -> Array:
    return traffic * blocking / (k + traffic * blocking)
