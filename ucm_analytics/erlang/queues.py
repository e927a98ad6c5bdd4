"""Agents for a queue: callers wait for one (Erlang C), or lose patience (Erlang A)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ucm_analytics.erlang._arguments import Array, Numbers, numbers, share
from ucm_analytics.erlang.lines import erlang_b
from ucm_analytics.errors import SettingError

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANEL: Final = 8.0  # events that a panel of the quadrature spans
_MANY, _MOST = 16, 512  # panels
_NARROWER: Final = 40  # halvings
_NEGLIGIBLE: Final = 40.0
"""exp(-40) of a sum is below the precision of a float."""


@dataclass(frozen=True, eq=False)
class Queue:
    """A queue in its steady state, as `erlang_c` or `erlang_a` computes it.

    Attributes
    ----------
    p_wait : float or array
        Share of callers who do not get an agent at once, 0-1.
    p_abandon : float or array
        Share of callers who leave before an agent answers, 0-1.
    mean_wait_s : float or array
        Mean wait of all callers until they are answered or leave [s].
    occupancy : float or array
        Share of the agents' time spent on calls, 0-1.
    mean_queue : float or array
        Mean number of callers who wait.
    """

    p_wait: Numbers
    p_abandon: Numbers
    mean_wait_s: Numbers
    occupancy: Numbers
    mean_queue: Numbers
    _rate: Array = field(repr=False)
    _leave: Array = field(repr=False)
    _serve: Array = field(repr=False)
    _log_density: Array = field(repr=False)

    def answered_within(self, target_s: float) -> Numbers:
        """Share of all callers who are answered within a time [s]: the service level."""
        return (1 - np.asarray(self.p_wait) + self._integral(target_s))[()]

    def _integral(self, until_s: float) -> Array:
        """Integral from 0 to `until_s` of the density of the offered wait, times exp(-leave t)."""
        fastest = float(np.max(self._serve + self._rate + self._leave, initial=0.0))
        until = np.full_like(self._rate, until_s)
        if fastest * until_s > _PANEL * _MANY:
            until = self._end(until)
        panels = int(np.clip(np.ceil(fastest * np.max(until, initial=0.0) / _PANEL), 1, _MOST))
        width = until / panels
        total = np.zeros_like(self._rate)
        for panel in range(panels):
            for node, weight in zip(_NODES, _WEIGHTS, strict=True):
                at = width * (panel + (1 + node) / 2)
                total = total + np.exp(self._log_at(at) - self._leave * at) * (weight * width / 2)
        return np.asarray(np.minimum(total, self.p_wait))

    def _log_at(self, at: Array) -> Array:
        stay = np.where(self._leave > 0, -np.expm1(-self._leave * at) / _one_if_zero(self._leave), at)
        return np.asarray(self._log_density - self._serve * at + self._rate * stay)

    def _end(self, until: Array) -> Array:
        """`until`, or the wait beyond which the density is negligible: it has one peak and falls after it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            peak = np.log(self._rate / self._serve) / self._leave
        low, high = np.clip(np.nan_to_num(peak, nan=0.0, posinf=0.0, neginf=0.0), 0.0, until), until
        for _ in range(_NARROWER):
            middle = (low + high) / 2
            seen = self._log_at(middle) > -_NEGLIGIBLE
            low, high = np.where(seen, middle, low), np.where(seen, high, middle)
        return high


def erlang_c(rate: Numbers, handle_s: Numbers, agents: int) -> Queue:
    """Queue in which nobody leaves (M/M/n).

    Parameters
    ----------
    rate : float or array
        Calls that arrive [1/s].
    handle_s : float or array
        Mean time that a call keeps an agent [s].
    agents : int
        Agents, 0 or more.

    Returns
    -------
    Queue
        Where the traffic is not below `agents` the queue grows without end: everybody waits, for ever.

    Raises
    ------
    SettingError
        A number cannot be used.

    Notes
    -----
    a = rate x handle; P(wait) = n B / (n - a (1 - B)); mean wait = P(wait) handle / (n - a); service level
    (T) = 1 - P(wait) exp(-(n - a) T / handle).

    Examples
    --------
    >>> queue = erlang_c(100 / 1800, 180, 14)
    >>> round(float(queue.p_wait), 4), round(float(queue.mean_wait_s), 2), round(float(queue.answered_within(20)), 4)
    (0.1741, 7.84, 0.8884)
    """
    arriving, handle = np.broadcast_arrays(numbers("rate", rate), numbers("handle_s", handle_s, zero=False))
    a = arriving * handle
    blocking = np.asarray(erlang_b(a, agents))
    stable = a < agents
    spare = np.where(stable, agents - a, 1.0)
    p_wait = np.where(stable, agents * blocking / np.where(stable, agents - a * (1 - blocking), 1.0), 1.0)
    wait = np.where(stable, p_wait * handle / spare, np.inf)
    with np.errstate(divide="ignore"):
        log_density = np.where(stable, np.log(p_wait * spare / handle), -np.inf)
    return Queue(
        p_wait=p_wait[()],
        p_abandon=np.zeros_like(a)[()],
        mean_wait_s=wait[()],
        occupancy=np.minimum(a / max(agents, 1), 1.0)[()] if agents else np.full_like(a, np.nan)[()],
        mean_queue=np.where(stable, arriving * np.where(stable, wait, 0.0), np.inf)[()],
        _rate=arriving,
        _leave=np.zeros_like(a),
        _serve=np.asarray(agents / handle),
        _log_density=log_density,
    )


def erlang_a(rate: Numbers, handle_s: Numbers, agents: int, patience_s: Numbers) -> Queue:
    """Queue in which callers lose patience (M/M/n+M).

    Parameters
    ----------
    rate : float or array
        Calls that arrive [1/s].
    handle_s : float or array
        Mean time that a call keeps an agent [s].
    agents : int
        Agents, 0 or more.
    patience_s : float or array
        Mean time that a caller would wait before leaving [s].

    Returns
    -------
    Queue
        Steady state; there is one whatever the traffic.

    Raises
    ------
    SettingError
        A number cannot be used.

    Notes
    -----
    Birth and death process: births at `rate`, deaths at min(k, n) / handle + max(k - n, 0) / patience. With
    x(j) = 1 / (1 + r(j+1) / x(j+1)) and r(j) = rate / (n / handle + j / patience), computed backwards from
    where the rest is negligible: P(wait) = 1 / (1 + (1/B - 1) x(0)). Mean wait = mean queue / rate, P(abandon)
    = mean wait / patience (Little's law). The offered wait has the density
    P(wait) x(0) n/handle exp(-n t / handle + rate patience (1 - exp(-t / patience))).

    Examples
    --------
    >>> queue = erlang_a(100 / 1800, 180, 14, 300)
    >>> round(float(queue.p_wait), 4), round(float(queue.p_abandon), 4), round(float(queue.mean_wait_s), 2)
    (0.1453, 0.014, 4.2)
    """
    arriving, handle, patience = np.broadcast_arrays(
        numbers("rate", rate),
        numbers("handle_s", handle_s, zero=False),
        numbers("patience_s", patience_s, zero=False),
    )
    serve, leave = agents / handle, 1 / patience
    blocking = np.asarray(erlang_b(arriving * handle, agents))
    log_left = np.zeros_like(arriving)  # log x(j); x(j) is the share of the states from n+j upward that is n+j itself
    beyond = np.zeros_like(arriving)  # mean number of callers beyond j, given at least j
    with np.errstate(divide="ignore"):
        log_rate = np.log(arriving)
    for j in range(_states(arriving, serve, leave), 0, -1):
        log_left = log_left - np.logaddexp(log_left, log_rate - np.log(serve + j * leave))
        beyond = -np.expm1(log_left) * (1 + beyond)
    left = np.exp(log_left)
    p_wait = np.where(arriving > 0, blocking / (blocking + (1 - blocking) * left), 1.0 if agents == 0 else 0.0)
    queue = p_wait * beyond
    wait = np.where(arriving > 0, queue / _one_if_zero(arriving), 0.0)
    p_abandon = wait * leave
    with np.errstate(divide="ignore"):
        log_density = np.log(p_wait * serve) + log_left
    carried = arriving * handle * (1 - p_abandon)
    return Queue(
        p_wait=p_wait[()],
        p_abandon=p_abandon[()],
        mean_wait_s=wait[()],
        occupancy=(np.minimum(carried / agents, 1.0) if agents else np.full_like(carried, np.nan))[()],
        mean_queue=queue[()],
        _rate=arriving,
        _leave=leave,
        _serve=serve,
        _log_density=log_density,
    )


def agents_needed(
    rate: Numbers, handle_s: Numbers, *, target_s: float, level: float, patience_s: Numbers | None = None
) -> int | NDArray[np.int64]:
    """Fewest agents with whom a share of all callers is answered in time.

    Parameters
    ----------
    rate : float or array
        Calls that arrive [1/s].
    handle_s : float or array
        Mean time that a call keeps an agent [s].
    target_s : float
        Within this time callers are to be answered [s].
    level : float
        The share of all callers for whom that is to hold, between 0 and 1.
    patience_s : float or array, optional
        Mean patience [s]: Erlang A. Without it nobody leaves: Erlang C.

    Returns
    -------
    int or array of int
        Agents; 0 where no calls arrive.

    Raises
    ------
    SettingError
        A number cannot be used.

    Examples
    --------
    >>> agents_needed(100 / 1800, 180, target_s=20, level=0.8)
    14
    >>> agents_needed(100 / 1800, 180, target_s=20, level=0.8, patience_s=300)
    13
    """
    share("level", level)
    if not np.isfinite(target_s) or target_s < 0:
        raise SettingError(f"target_s={target_s!r} is no time", hint="use 0 seconds or more")
    arriving, handle, patience = np.broadcast_arrays(
        numbers("rate", rate),
        numbers("handle_s", handle_s, zero=False),
        np.ones(()) if patience_s is None else numbers("patience_s", patience_s, zero=False),
    )
    shape = arriving.shape
    arriving, handle, patience = arriving.ravel(), handle.ravel(), patience.ravel()
    agents = np.zeros(arriving.size, dtype=np.int64)
    short = np.flatnonzero(arriving > 0)
    n = 0
    while short.size:
        n += 1
        some = arriving[short], handle[short]
        queue = erlang_c(*some, n) if patience_s is None else erlang_a(*some, n, patience[short])
        agents[short] = n
        short = short[np.asarray(queue.answered_within(target_s)) < level]
    return agents.reshape(shape) if shape else int(agents[0])


def _states(rate: Array, serve: Array, leave: Array) -> int:
    """Callers waiting, beyond whom there are so rarely more that they do not count."""
    crowd = np.maximum(rate - serve, 0) / leave
    spread = np.sqrt(2 * _NEGLIGIBLE * np.maximum(rate, serve) / leave)
    falling = (rate > 0) & (rate < serve)
    decay = np.log(np.where(falling, serve, np.e) / np.where(falling, rate, 1.0))
    spread = np.where(falling, np.minimum(spread, _NEGLIGIBLE / np.maximum(decay, 1e-300)), spread)
    return int(np.ceil(np.max(crowd + spread, initial=0.0))) + 10


def _one_if_zero(values: Array) -> Array:
    return np.where(values == 0, 1.0, values)
