"""Intervals, bands and curves against SciPy's own of single values, printed tables, and by adding up."""

from __future__ import annotations

import tracemalloc
from math import comb, exp, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ucm_analytics.analyses.statistics import (
    count_band,
    dispersion,
    kaplan_meier,
    poisson_limits,
    predictive_band,
    student,
    wilson,
)

COUNTS = st.integers(min_value=0, max_value=10**7)


def test_wilson_of_textbooks() -> None:
    low, high = wilson([0, 10, 5, 0], [10, 10, 10, 0])
    assert low[:3].tolist() == pytest.approx([0, 0.7225, 0.2366], abs=1e-4)
    assert high[:3].tolist() == pytest.approx([0.2775, 1, 0.7634], abs=1e-4)
    every = np.arange(1, 5000)
    assert (wilson(0, every)[0] == 0).all()
    assert (wilson(every, every)[1] == 1).all()
    assert np.isnan([low[3], high[3]]).all()


@settings(deadline=None, max_examples=50)
@given(COUNTS, COUNTS)
def test_wilson_is_that_of_scipy(hits: int, others: int) -> None:
    if hits + others:
        expected = stats.binomtest(hits, hits + others).proportion_ci(method="wilson")
        low, high = wilson(hits, hits + others)
        assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-15)


def test_a_survival_curve_as_other_packages_print_it() -> None:
    # remission of the 6-MP arm (Freireich and others 1963), as R's survfit(conf.type = "log-log") and Stata's sts list
    level, low, high = kaplan_meier([3, 1, 0, 1, 0, 1, 1, 1, 1], [21, 17, 16, 15, 13, 12, 11, 7, 6])
    printed = {
        0: (0.8571, 0.6197, 0.9516),
        1: (0.8067, 0.5631, 0.9228),
        3: (0.7529, 0.5032, 0.8894),
        5: (0.6902, 0.4316, 0.8491),
        6: (0.6275, 0.3675, 0.8049),
        7: (0.5378, 0.2678, 0.7468),
        8: (0.4482, 0.1881, 0.6801),
    }
    for at, row in printed.items():
        assert (level[at], low[at], high[at]) == pytest.approx(row, abs=5.1e-5)


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
@pytest.mark.parametrize("seed", range(8))
def test_a_survival_curve_of_counts_is_that_of_scipy_of_single_times(seed: int) -> None:
    random = np.random.default_rng(seed)
    time, ended = random.integers(0, 30, 200), random.random(200) < [0, 0.02, 0.3, 1][seed % 4]
    at = np.unique(time)
    found = kaplan_meier([(ended & (time == t)).sum() for t in at], [(time >= t).sum() for t in at])
    survival = stats.ecdf(stats.CensoredData.right_censored(time, ~ended)).sf
    assert found[0] == pytest.approx(survival.probabilities)
    with np.errstate(divide="ignore", invalid="ignore"):
        band = survival.confidence_interval(0.95, method="log-log")
    inside = (found[0] > 0) & (found[0] < 1)
    for mine, theirs in zip(found[1:], (band.low, band.high), strict=True):
        assert np.isnan(mine).tolist() == (~inside).tolist()
        assert mine[inside] == pytest.approx(theirs.probabilities[inside])


def test_students_t_of_a_printed_table() -> None:
    table = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 6: 2.447, 10: 2.228, 30: 2.042, 120: 1.980}
    assert {f: student(f) for f in table} == pytest.approx(table, abs=5e-4)
    assert student(2.5) == pytest.approx(stats.t.ppf(0.975, 2.5), rel=1e-12)


def test_limits_of_a_poisson_count() -> None:
    # Garwood's table for 1 and 10
    assert poisson_limits(np.array([1.0, 10.0])) == (
        pytest.approx([0.0253, 4.795], abs=5e-4),
        pytest.approx([5.572, 18.39], abs=5e-3),
    )
    count = np.array([0.1, 2.5, 100, 1e4])
    low, high = poisson_limits(count)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2, rel=1e-12)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, rel=1e-12)


def negative_binomial(k: int, expected: float, size: int) -> float:
    p = size / (size + expected)
    return comb(k + size - 1, k) * p**size * (1 - p) ** k


@pytest.mark.parametrize("expected", [0.2, 3.0, 40.0])
@pytest.mark.parametrize("alpha", [1, 0.2, 0])
@pytest.mark.parametrize("tail", [0.05, 0.001])
def test_bands_by_adding_up(expected: float, alpha: float, tail: float) -> None:
    def probability(k: int) -> float:
        if not alpha:
            return exp(-expected) * expected**k / factorial(k)
        return negative_binomial(k, expected, round(1 / alpha))

    low, high = count_band(expected, alpha, tail)
    below = sum(probability(k) for k in range(low))
    upto = sum(probability(k) for k in range(high + 1))
    assert below <= tail < below + probability(low)
    assert upto >= 1 - tail > upto - probability(high)


def test_bands_of_large_and_of_no_counts() -> None:
    low, high = count_band(100_000, 0, 0.025)
    assert (low, high) == (pytest.approx(100_000 - 1.96 * 316.2, abs=2), pytest.approx(100_000 + 1.96 * 316.2, abs=2))
    assert count_band(0, 0, 0.01) == (0, 0)


@pytest.mark.parametrize("tail", [1e-7, 1e-5, 7e-4, 0.025, 0.2])
def test_bands_of_every_mean_and_spread_take_no_room(tail: float) -> None:
    means = [0, 1e-300, 1e-9, 1e-3, 0.5, 1, 20, 1e3, 1e6, 1e9, 1e12]
    spreads = [0, 1e-300, 1e-15, 1e-12, 1e-9, 1e-3, 0.1, 1, 2, 10, 1e3, 1e6, 1e9, 1e12, 1e300]
    mean, alpha = (axis.ravel() for axis in np.meshgrid(means, spreads))
    tracemalloc.start()
    low, high = count_band(mean, alpha, tail)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1e6
    assert ((low >= 0) & (low <= mean) & (high >= np.floor(mean)) & (high <= 2**53)).all()
    for m, a, k in zip(mean.tolist(), alpha.tolist(), high.tolist(), strict=True):
        if 0 < m < 1e6 and 1e-6 < a < 1e3:  # where SciPy's distribution takes no time and loses no digits
            of = stats.nbinom(1 / a, 1 / (1 + a * m))
            assert of.cdf(k) >= (1 - tail) * (1 - 1e-12), (m, a)
            assert k <= m or of.sf(k - 1) > tail * (1 - 1e-6), (m, a)


def test_the_band_of_a_mean_that_is_an_estimate_is_wider() -> None:
    # 40 calls in 4 weeks: a gamma of 40.5 / 4, of whose Poisson counts 95 of 100 are in the band
    mean, low, high = predictive_band(40, 4, 0.0, 0.025)
    assert (mean, low, high) == (10.125, *stats.nbinom.ppf([0.025, 0.975], 40.5, 40.5 / (40.5 + 10.125)))
    random = np.random.default_rng(3)
    drawn = random.poisson(random.gamma(40.5, 1 / 4, 100_000))
    assert 0.95 <= ((low <= drawn) & (drawn <= high)).mean() < 0.975
    assert high > count_band(mean, 0, 0.025)[1]


def test_the_dispersion_that_counts_were_drawn_with() -> None:
    random = np.random.default_rng(4)
    mean = random.uniform(5, 50, 20_000)
    drawn = random.negative_binomial(1 / 0.2, 1 / (1 + 0.2 * mean)).astype(float)
    assert dispersion(drawn, mean) == pytest.approx(0.2, rel=0.05)
    assert dispersion(random.poisson(mean).astype(float), mean) == pytest.approx(0, abs=0.005)
    # a mean of four others is off by a quarter of the variance: left out of account, that would count as spread
    weeks = random.negative_binomial(1 / 0.2, 1 / (1 + 0.2 * mean), (4, len(mean))).mean(axis=0)
    assert dispersion(drawn, weeks, 4) == pytest.approx(0.2, rel=0.05)
    assert dispersion(drawn, weeks) > 0.23
    gross = np.where(np.arange(len(mean)) < 100, 1000.0, drawn)
    assert dispersion(gross, mean, used=np.arange(len(mean)) >= 100) == pytest.approx(0.2, rel=0.05)
    assert dispersion(gross, mean, used=mean > 0, trimmed=0.005) == pytest.approx(0.2, rel=0.05)
    assert dispersion(gross, mean) > 1
    assert dispersion(np.zeros(0), np.zeros(0)) == dispersion(np.zeros(3), np.zeros(3)) == 0
