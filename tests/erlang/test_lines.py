"""Erlang B: printed numbers, and what must hold for any."""

from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucm_analytics.erlang import erlang_b, erlang_c, lines_needed
from ucm_analytics.errors import SettingError

TRAFFIC = st.floats(min_value=0.01, max_value=300)
LINES = st.integers(min_value=1, max_value=300)

# most traffic [erlang] at a blocking of 0.1, 0.5, 1, 2, 3, 5 and 10 %
TABLE = {
    1: (0.001, 0.005, 0.010, 0.020, 0.031, 0.053, 0.111),
    5: (0.762, 1.132, 1.361, 1.657, 1.875, 2.218, 2.881),
    10: (3.092, 3.961, 4.461, 5.084, 5.529, 6.216, 7.511),
    20: (9.411, 11.092, 12.031, 13.182, 13.997, 15.249, 17.613),
    50: (32.512, 35.982, 37.901, 40.255, 41.933, 44.533, 49.562),
    100: (75.242, 80.910, 84.064, 87.972, 90.794, 95.240, 104.110),
}


def with_retries(traffic: float, lines: int, retry: float) -> float:
    """Blocking where a share of the blocked dials again at once: round by round, until it settles."""
    attempts, before = traffic, 0.0
    while attempts - before > 1e-12 * attempts:
        before, attempts = attempts, traffic + retry * float(erlang_b(attempts, lines)) * attempts
    return float(erlang_b(attempts, lines))


def test_the_smallest_systems_are_exact() -> None:
    assert erlang_b(1.0, 1) == 0.5
    assert erlang_b(1.0, 2) == 0.2
    assert erlang_b(3.0, 0) == 1
    assert erlang_b(0.0, 3) == 0


@pytest.mark.parametrize(("traffic", "lines"), [(2, 3), (7, 5), (20, 30), (60, 75)])
def test_the_recursion_equals_the_sum_of_factorials(traffic: int, lines: int) -> None:
    terms = [Fraction(traffic) ** k / factorial(k) for k in range(lines + 1)]
    assert erlang_b(traffic, lines) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-12)


def test_fifteen_lines_at_one_per_cent() -> None:
    assert erlang_b(8.108043, 15) == pytest.approx(0.01, abs=1e-8)
    assert np.asarray(lines_needed(np.array([8.10804, 8.10805]), 0.01)).tolist() == [15, 16]


def test_lines_for_ten_erlang() -> None:
    assert lines_needed(10, 0.02) == 17
    assert erlang_b(10, 17) == pytest.approx(0.012949, abs=1e-6)
    assert erlang_b(10, 16) == pytest.approx(0.022302, abs=1e-6)


def test_at_the_boundary_seven_lines_do() -> None:
    assert lines_needed(100 * 90 / 3600, 0.01) == 7  # 2.5 erlang
    assert erlang_b(2.5, 7) == pytest.approx(0.009983, abs=1e-6)
    assert erlang_b(2.5, 6) == pytest.approx(0.028235, abs=1e-6)


@pytest.mark.parametrize("lines", TABLE)
def test_the_printed_table(lines: int) -> None:
    for blocking, printed in zip((0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1), TABLE[lines], strict=True):
        assert erlang_b(printed - 5.1e-4, lines) < blocking < erlang_b(printed + 5.1e-4, lines)
        around = np.array([printed - 5.1e-4, printed + 5.1e-4])
        assert np.asarray(lines_needed(around, blocking)).tolist() == [lines, lines + 1]


def test_retries_on_two_hundred_lines() -> None:
    assert with_retries(186.87729, 200, 0.7) == pytest.approx(0.03, abs=1e-6)
    assert np.asarray(lines_needed(np.array([186.8765, 186.8775]), 0.03, retry=0.7)).tolist() == [200, 201]


def test_twelve_hundred_calls_of_three_minutes_are_sixty_erlang() -> None:
    assert 1200 * 180 / 3600 == 60
    assert lines_needed(60.0, 0.01) == 75
    assert erlang_b(60, 75) <= 0.01 < erlang_b(60, 74)


def test_thousands_of_lines_do_not_overflow() -> None:
    assert 0 < erlang_b(5000.0, 5000) < 0.02
    assert lines_needed(0.0, 0.01) == 0


def test_arrays_are_worked_out_elementwise() -> None:
    traffic = np.array([0.0, 2.5, 10.0])
    assert np.asarray(erlang_b(traffic, 7)).tolist() == [float(erlang_b(a, 7)) for a in traffic]
    assert np.asarray(lines_needed(traffic, 0.01)).tolist() == [0, 7, 18]


@settings(deadline=None, max_examples=60)
@given(TRAFFIC, LINES)
def test_more_lines_block_less_and_more_traffic_blocks_more(traffic: float, lines: int) -> None:
    blocking = erlang_b(traffic, lines)
    assert 0 <= blocking <= 1
    assert erlang_b(traffic, lines + 1) <= blocking
    assert erlang_b(traffic * 1.1, lines) >= blocking


@settings(deadline=None, max_examples=60)
@given(TRAFFIC, LINES)
def test_who_may_wait_waits_more_often_than_who_is_lost(traffic: float, agents: int) -> None:
    assert erlang_b(traffic, agents) <= erlang_c(traffic / 100, 100.0, agents).p_wait


@settings(deadline=None, max_examples=60)
@given(TRAFFIC, st.sampled_from([0.001, 0.01, 0.05]), st.sampled_from([0.0, 0.3, 0.9]))
def test_lines_needed_are_the_fewest(traffic: float, blocking: float, retry: float) -> None:
    lines = lines_needed(traffic, blocking, retry=retry)
    assert isinstance(lines, int)
    slack = 1e-9
    assert with_retries(traffic, lines, retry) <= blocking + slack
    assert with_retries(traffic, lines - 1, retry) > blocking - slack


@pytest.mark.parametrize(
    "call",
    [
        lambda: erlang_b(-1.0, 2),
        lambda: erlang_b(float("nan"), 2),
        lambda: erlang_b(1.0, -1),
        lambda: erlang_b(1.0, 2.5),  # type: ignore[arg-type]
        lambda: lines_needed(1.0, 0.0),
        lambda: lines_needed(1.0, 1.0),
        lambda: lines_needed(1.0, 0.01, retry=1.0),
        lambda: lines_needed(1.0, 0.01, retry=-0.1),
    ],
)
def test_what_cannot_be_is_refused(call: object) -> None:
    with pytest.raises(SettingError, match="use "):
        call()  # type: ignore[operator]
