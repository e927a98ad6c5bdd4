"""Erlang's formulas against queues that are simulated event by event, by somebody else's code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ciw
import numpy as np
import pytest

from ucm_analytics.erlang import erlang_a, erlang_b, erlang_c

RATE, HANDLE_S, PATIENCE_S = 0.04, 100.0, 60.0  # 4 erlang
UNTIL_S = 1_000_000.0
WARM_UP_S = 3_000.0
BATCHES = 15


def simulated(agents: int, seed: int, **more: Any) -> list[Any]:
    """Records of all callers who came after the warm-up, in order of arrival."""
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=RATE)],
        service_distributions=[ciw.dists.Exponential(rate=1 / HANDLE_S)],
        number_of_servers=[agents],
        **more,
    )
    run = ciw.Simulation(network)
    run.simulate_until_max_time(UNTIL_S)
    records = [record for record in run.get_all_records() if WARM_UP_S <= record.arrival_date < UNTIL_S - WARM_UP_S]
    return sorted(records, key=lambda record: record.arrival_date)


def agrees(records: list[Any], measure: Callable[[Any], float], expected: Any) -> None:
    """The mean lies within its own confidence interval (99.9 %, by batch means) of the formula."""
    values = np.array([measure(record) for record in records], dtype=float)
    means = np.array([batch.mean() for batch in np.array_split(values, BATCHES)])
    half = 4.14 * means.std(ddof=1) / np.sqrt(BATCHES)  # Student's t with 14 degrees of freedom
    assert half < 0.25 * float(expected) + 0.02
    assert values.mean() == pytest.approx(float(expected), abs=half)


def wait_s(record: Any) -> float:
    """Time until an agent answered or the caller left."""
    left = record.exit_date if record.record_type == "renege" else record.service_start_date
    return float(left - record.arrival_date)


def test_erlang_b() -> None:
    records = simulated(5, seed=1, queue_capacities=[0])
    agrees(records, lambda record: record.record_type == "rejection", erlang_b(RATE * HANDLE_S, 5))


def test_erlang_c() -> None:
    records = simulated(7, seed=2)
    queue = erlang_c(RATE, HANDLE_S, 7)
    agrees(records, lambda record: wait_s(record) > 0, queue.p_wait)
    agrees(records, wait_s, queue.mean_wait_s)
    agrees(records, lambda record: wait_s(record) <= 20, queue.answered_within(20))


def test_erlang_a() -> None:
    records = simulated(4, seed=3, reneging_time_distributions=[ciw.dists.Exponential(rate=1 / PATIENCE_S)])
    queue = erlang_a(RATE, HANDLE_S, 4, PATIENCE_S)
    agrees(records, lambda record: wait_s(record) > 0, queue.p_wait)
    agrees(records, wait_s, queue.mean_wait_s)
    agrees(records, lambda record: record.record_type == "renege", queue.p_abandon)
    agrees(records, lambda r: r.record_type == "service" and wait_s(r) <= 20, queue.answered_within(20))
    # patience is estimated as the sum of all waits by the number who left
    left = sum(record.record_type == "renege" for record in records)
    assert sum(map(wait_s, records)) / left == pytest.approx(PATIENCE_S, rel=4 / np.sqrt(left))
