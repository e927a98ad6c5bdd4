"""Erlang C and A: printed numbers, and what must hold for any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucm_analytics.erlang import agents_needed, erlang_a, erlang_c
from ucm_analytics.errors import SettingError

RATE = 100 / 1800  # 100 calls in half an hour
HANDLE_S = 180.0

# agents: share who wait, mean wait [s], answered within 20 s
WORKED = {
    11: (0.682118, 122.781, 0.389614),
    12: (0.449388, 40.445, 0.640158),
    13: (0.285270, 17.116, 0.795595),
    14: (0.1741319335950498, 7.8359, 0.8883500191794669),
}


def births_and_deaths(rate: float, handle_s: float, agents: int, patience_s: float) -> list[float]:
    """Chances of 0, 1, ... callers in the system, by a plain loop over the balance of each state."""
    weights = [1.0]
    for k in range(1, agents + 2000):
        weights.append(weights[-1] * rate / (min(k, agents) / handle_s + max(k - agents, 0) / patience_s))
    total = sum(weights)
    return [weight / total for weight in weights]


@pytest.mark.parametrize("agents", WORKED)
def test_a_hundred_calls_in_half_an_hour(agents: int) -> None:
    queue = erlang_c(RATE, HANDLE_S, agents)
    p_wait, wait_s, level = WORKED[agents]
    assert queue.p_wait == pytest.approx(p_wait, abs=1e-6)
    assert queue.mean_wait_s == pytest.approx(wait_s, abs=1e-3)
    assert queue.answered_within(20) == pytest.approx(level, abs=1e-6)
    assert queue.occupancy == pytest.approx(10 / agents)
    assert queue.p_abandon == 0


def test_fourteen_agents_are_the_first_for_eighty_per_cent() -> None:
    assert erlang_c(RATE, HANDLE_S, 14).p_wait == pytest.approx(0.1741319335950498, rel=1e-12)
    assert erlang_c(RATE, HANDLE_S, 14).answered_within(20) == pytest.approx(0.8883500191794669, rel=1e-12)
    assert agents_needed(RATE, HANDLE_S, target_s=20, level=0.8) == 14


def test_three_hundred_and_sixty_calls() -> None:
    queue = erlang_c(360 / 1800, 240.0, 55)
    assert queue.p_wait == pytest.approx(0.238701, abs=1e-6)
    assert queue.mean_wait_s == pytest.approx(8.184, abs=1e-3)
    assert queue.answered_within(15) == pytest.approx(0.845883, abs=1e-6)


def test_five_minutes_of_patience() -> None:
    queue = erlang_a(RATE, HANDLE_S, 14, 300.0)
    assert queue.p_wait == pytest.approx(0.14526, abs=1e-5)
    assert queue.p_abandon == pytest.approx(0.013984, abs=1e-6)
    assert queue.occupancy == pytest.approx(0.704297, abs=1e-6)
    assert queue.mean_wait_s == pytest.approx(60 * 0.069919, abs=1e-4)


def test_fifty_agents_near_their_limit() -> None:
    queue = erlang_a(48 / 60, 60.0, 50, 120.0)
    assert queue.p_abandon == pytest.approx(0.03091, abs=1e-5)
    assert queue.mean_wait_s == pytest.approx(3.709, abs=1e-3)
    assert queue.occupancy == pytest.approx(0.9303, abs=1e-4)
    assert queue.mean_queue == pytest.approx(2.968, abs=1e-3)
    assert queue.p_wait == pytest.approx(0.467774, abs=1e-6)


@pytest.mark.parametrize(
    ("rate", "handle_s", "agents", "patience_s"),
    [(RATE, 180, 14, 300), (0.8, 60, 50, 120), (0.1, 300, 20, 60), (0.5, 100, 3, 40), (0.02, 90, 1, 2000)],
)
def test_erlang_a_equals_a_plain_loop_over_the_states(
    rate: float, handle_s: float, agents: int, patience_s: float
) -> None:
    chances = births_and_deaths(rate, handle_s, agents, patience_s)
    queue = erlang_a(rate, handle_s, agents, patience_s)
    waiting = sum((k - agents) * chance for k, chance in enumerate(chances) if k > agents)
    assert queue.p_wait == pytest.approx(sum(chances[agents:]), rel=1e-9)
    assert queue.mean_queue == pytest.approx(waiting, rel=1e-9)
    assert queue.p_abandon == pytest.approx(waiting / patience_s / rate, rel=1e-9)
    assert queue.occupancy == pytest.approx(
        sum(min(k, agents) * chance for k, chance in enumerate(chances)) / agents, rel=1e-9
    )


@pytest.mark.parametrize("agents", [11, 14, 20])
def test_with_endless_patience_erlang_a_is_erlang_c(agents: int) -> None:
    a, c = erlang_a(RATE, HANDLE_S, agents, 1e9), erlang_c(RATE, HANDLE_S, agents)
    assert a.p_wait == pytest.approx(c.p_wait, rel=1e-4)
    assert a.mean_wait_s == pytest.approx(c.mean_wait_s, rel=1e-4)
    assert a.p_abandon == pytest.approx(0, abs=1e-4)
    for seconds in (0, 5, 20, 300):
        assert a.answered_within(seconds) == pytest.approx(c.answered_within(seconds), abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(min_value=0.001, max_value=0.5),
    st.floats(min_value=10, max_value=600),
    st.integers(min_value=1, max_value=60),
    st.floats(min_value=10, max_value=5000),
)
def test_everybody_is_answered_or_leaves(rate: float, handle_s: float, agents: int, patience_s: float) -> None:
    queue = erlang_a(rate, handle_s, agents, patience_s)
    assert queue.answered_within(0) == pytest.approx(1 - queue.p_wait, abs=1e-9)
    assert queue.answered_within(60 * patience_s) == pytest.approx(1 - queue.p_abandon, abs=1e-6)
    levels = [float(queue.answered_within(t)) for t in (0, 5, 20, 60, 300)]
    assert levels == sorted(levels)
    more = erlang_a(rate, handle_s, agents + 1, patience_s)
    assert more.p_wait <= queue.p_wait + 1e-12
    assert more.answered_within(20) >= queue.answered_within(20) - 1e-9
    assert queue.p_wait <= erlang_c(rate, handle_s, agents).p_wait + 1e-9


@settings(deadline=None, max_examples=60)
@given(
    st.floats(min_value=0.001, max_value=0.2),
    st.floats(min_value=10, max_value=400),
    st.sampled_from([0.5, 0.8, 0.95]),
    st.sampled_from([None, 60.0, 600.0]),
)
def test_agents_needed_are_the_fewest(rate: float, handle_s: float, level: float, patience_s: float | None) -> None:
    agents = agents_needed(rate, handle_s, target_s=20, level=level, patience_s=patience_s)
    assert isinstance(agents, int)

    def reached(n: int) -> float:
        queue = erlang_c(rate, handle_s, n) if patience_s is None else erlang_a(rate, handle_s, n, patience_s)
        return float(queue.answered_within(20))

    assert reached(agents) >= level
    assert reached(agents - 1) < level


def test_too_few_agents_wait_for_ever_unless_callers_leave() -> None:
    queue = erlang_c(RATE, HANDLE_S, 10)
    assert queue.p_wait == 1
    assert queue.mean_wait_s == np.inf
    assert queue.answered_within(3600) == 0
    assert queue.occupancy == 1
    nobody = erlang_a(RATE, HANDLE_S, 0, 300.0)
    assert nobody.p_abandon == pytest.approx(1)
    assert nobody.answered_within(1000) == 0
    assert np.isnan(nobody.occupancy)
    assert erlang_a(RATE, HANDLE_S, 5, 300.0).p_abandon == pytest.approx(0.5, abs=0.01)


def test_no_calls_need_no_agents() -> None:
    assert agents_needed(0.0, HANDLE_S, target_s=20, level=0.8) == 0
    for queue in (erlang_c(0.0, HANDLE_S, 3), erlang_a(0.0, HANDLE_S, 3, 300.0)):
        assert queue.p_wait == queue.p_abandon == queue.mean_wait_s == queue.occupancy == 0
        assert queue.answered_within(0) == 1


def test_arrays_are_worked_out_elementwise() -> None:
    rate = np.array([[0.0, 0.01], [RATE, 0.1]])
    found = np.asarray(agents_needed(rate, HANDLE_S, target_s=20, level=0.8, patience_s=300.0))
    plain = [[agents_needed(r, HANDLE_S, target_s=20, level=0.8, patience_s=300.0) for r in row] for row in rate]
    assert found.tolist() == plain
    together = np.asarray(erlang_a(rate, HANDLE_S, 9, 300.0).answered_within(20))
    alone = [[float(erlang_a(r, HANDLE_S, 9, 300.0).answered_within(20)) for r in row] for row in rate]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: erlang_c(-1.0, 180.0, 3),
        lambda: erlang_c(1.0, 0.0, 3),
        lambda: erlang_a(1.0, 180.0, 3, 0.0),
        lambda: erlang_a(1.0, 180.0, -3, 60.0),
        lambda: agents_needed(1.0, 180.0, target_s=-1, level=0.8),
        lambda: agents_needed(1.0, 180.0, target_s=20, level=1.0),
    ],
)
def test_what_cannot_be_is_refused(call: object) -> None:
    with pytest.raises(SettingError, match="use "):
        call()  # type: ignore[operator]
