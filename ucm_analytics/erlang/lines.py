"""Lines for a trunk: calls that find all of them busy are lost (Erlang B)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ucm_analytics.erlang._arguments import Array, Numbers, numbers, share, whole

_HALVINGS: Final = 60


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


def extended_erlang_b(traffic: Numbers, lines: int, *, retry: float) -> Numbers:
    """Blocking where a share of the blocked callers dials again at once.

    Parameters
    ----------
    traffic : float or array
        Offered traffic of first attempts [erlang].
    lines : int
        Lines.
    retry : float
        Share of the blocked calls that are tried again, 0 to below 1.

    Returns
    -------
    float or array
        Share of attempts that are blocked, 0-1.

    Raises
    ------
    SettingError
        A number cannot be used.

    Notes
    -----
    The offered traffic a solves a = a0 + retry B(a) a; with it B(a) is the blocking. a (1 - retry B(a)) rises
    with a, so it is found by bisection.

    Examples
    --------
    >>> round(float(extended_erlang_b(10.0, 15, retry=0.0)), 4), round(float(extended_erlang_b(10.0, 15, retry=0.7)), 4)
    (0.0365, 0.0428)
    """
    first = numbers("traffic", traffic)
    share("retry", retry, zero=True)
    low, high = first, first / (1 - retry)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = middle * (1 - retry * np.asarray(erlang_b(middle, lines))) > first
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return erlang_b(high, lines)


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
    k = 0
    while (b > blocking).any():
        k += 1
        b = _next_b(a, b, k)
        lines[(lines == 0) & (a > 0) & (b <= blocking)] = k
    return lines if lines.ndim else int(lines)


def most_traffic(lines: int, blocking: float, *, retry: float = 0.0) -> float:
    """Most traffic that so many lines carry at a grade of service.

    Parameters
    ----------
    lines : int
        Lines.
    blocking : float
        Share of attempts that may be blocked, between 0 and 1.
    retry : float, default 0
        Share of the blocked calls that are tried again.

    Returns
    -------
    float
        Traffic of first attempts [erlang].

    Raises
    ------
    SettingError
        A number cannot be used.

    Examples
    --------
    >>> round(most_traffic(15, 0.01), 3), round(most_traffic(200, 0.03, retry=0.7), 3)
    (8.108, 186.877)
    """
    share("blocking", blocking)
    share("retry", retry, zero=True)
    # no more than the lines can be carried: a (1 - B) <= lines
    low, high = 0.0, lines / (1 - blocking)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if erlang_b(middle, lines) <= blocking else (low, middle)
    return low * (1 - retry * blocking)


def _next_b(traffic: Array, blocking: Array, k: int) -> Array:
    return traffic * blocking / (k + traffic * blocking)
