"""Patience: published curve, a second way, and a simulation whose truth is known."""

from __future__ import annotations

from fractions import Fraction
from math import log
from typing import Any

import ciw
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.analyses.frames import steps
from tests.analyses.visits import random_visits, visits
from ucm_analytics import analyses

# remission of 21 patients in weeks, + is censored (Freireich and others 1963, the 6-MP arm)
MP = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"


def remission() -> pd.DataFrame:
    return visits(*(("answered" if "+" in week else "hung_up", int(week.rstrip("+"))) for week in MP.split()))


def test_the_textbook_curve_comes_out() -> None:
    curve = analyses.patience(remission())
    level = curve.set_index("wait_s")["patience_level"].round(4)
    assert level.loc[[6, 7, 10, 13, 16, 22, 23]].to_list() == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert curve["median_s"].unique().tolist() == [23]
    assert curve.set_index("wait_s")["at_risk"].loc[[6, 7, 10, 23]].to_list() == [21, 17, 15, 6]
    assert curve["abandoned"].sum() == 9
    assert curve["censored"].sum() == 12
    assert set(curve["offered"]) == {21}


def test_the_band_is_that_of_scipy() -> None:
    for made in (remission(), random_visits(2).to_pandas().dropna(subset="wait_s")):
        queue = made[made["kind"] == "queue"]
        sample = stats.CensoredData.right_censored(
            queue["wait_s"].to_numpy(), (queue["result"] != "hung_up").to_numpy()
        )
        survival = stats.ecdf(sample).sf
        with np.errstate(divide="ignore", invalid="ignore"):
            band = survival.confidence_interval(0.95, method="log-log")
        curve = analyses.patience(made)
        assert curve["wait_s"].to_list() == survival.quantiles.tolist()
        assert curve["patience_level"].to_numpy() == pytest.approx(survival.probabilities)
        inside = curve["low_level"].notna()
        assert inside.equals((curve["patience_level"] > 0) & (curve["patience_level"] < 1))
        assert curve["low_level"][inside].to_numpy() == pytest.approx(band.low.probabilities[inside])
        assert curve["high_level"][inside].to_numpy() == pytest.approx(band.high.probabilities[inside])


def test_the_interval_of_the_median() -> None:
    # lower band .5032 at 10 weeks, .4316 at 13; the upper one never falls to one half
    first = analyses.patience(remission()).iloc[0]
    assert first["median_low_s"] == 13
    assert pd.isna(first["median_high_s"])


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_equals_a_plain_loop(seed: int) -> None:
    made = random_visits(seed)
    mine = [s for s in made.to_pylist() if s["kind"] == "queue" and s["target"] == "6500" and s["wait_s"] is not None]
    left = Fraction(1)
    expected = []
    for wait in sorted({visit["wait_s"] for visit in mine}):
        at_risk = sum(visit["wait_s"] >= wait for visit in mine)
        gone = sum(visit["wait_s"] == wait and visit["result"] == "hung_up" for visit in mine)
        left *= 1 - Fraction(gone, at_risk)
        expected.append((wait, at_risk, gone, pytest.approx(float(left))))
    curve = analyses.patience(made.to_pandas(), queue="6500")
    found = curve[["wait_s", "at_risk", "abandoned", "patience_level"]].itertuples(index=False)
    assert [tuple(row) for row in found] == expected


def test_a_half_that_is_exact_is_the_median() -> None:
    # 3/4 * 2/3 is one half, and a little more in floating point on some machines
    made = visits(("hung_up", 10), ("hung_up", 20), ("answered", 30), ("answered", 40))
    assert analyses.patience(made)["median_s"].unique().tolist() == [20]


def test_abandoned_come_before_censored_of_the_same_second() -> None:
    curve = analyses.patience(visits(("hung_up", 10), ("answered", 10)))
    assert curve[["wait_s", "at_risk", "abandoned", "censored", "patience_level"]].to_numpy().tolist() == [
        [10, 2, 1, 1, 0.5]
    ]


def test_when_nobody_gives_up_patience_is_not_known() -> None:
    curve = analyses.patience(visits(("answered", 10), ("next", 90)))
    assert curve["patience_level"].to_list() == [1, 1]
    assert curve[["low_level", "high_level", "median_s", "median_low_s", "median_high_s"]].isna().all(axis=None)
    assert len(analyses.patience(visits())) == 0
    assert len(analyses.patience(visits(("answered", None)))) == 0


def test_everybody_gives_up() -> None:
    curve = analyses.patience(visits(("hung_up", 10)))
    assert curve["patience_level"].to_list() == [0]
    assert curve["low_level"].isna().all()
    assert curve["median_s"].to_list() == [10]


def test_overflow_and_other_ends_are_censored() -> None:
    made = visits(("hung_up", 10), ("next", 20), ("busy", 20), (None, 20), ("answered", 20))
    assert analyses.patience(made)["censored"].to_list() == [0, 4]


@pytest.fixture(scope="module")
def simulated() -> pd.DataFrame:
    """Queue of 8 agents, simulated event by event; callers wait 404 s in the mean, exponentially: median 280 s."""
    ciw.seed(7)
    network: Any = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=1 / 22)],
        service_distributions=[ciw.dists.Exponential(rate=1 / 180)],
        number_of_servers=[8],
        reneging_time_distributions=[ciw.dists.Exponential(rate=log(2) / 280)],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(150_000)
    records = simulation.get_all_records(only=["service", "renege"])
    rows = [("answered" if r.record_type == "service" else "hung_up", int(r.waiting_time)) for r in records]
    return visits(*rows)


def test_the_curve_finds_the_true_patience(simulated: pd.DataFrame) -> None:
    curve = analyses.patience(simulated)
    first = curve.iloc[0]
    assert first["median_low_s"] <= 280
    assert pd.isna(first["median_high_s"]) or first["median_high_s"] >= 280
    watched = curve[(curve["at_risk"] >= 100) & curve["low_level"].notna()]
    truth = 0.5 ** ((watched["wait_s"] + 1) / 280)  # a visit of [w, w + 1) seconds is one of w
    # a pointwise band of 95 % may be left now and then
    assert ((watched["low_level"] <= truth) & (truth <= watched["high_level"])).mean() > 0.9


def test_the_mean_of_those_who_left_is_not_patience(simulated: pd.DataFrame) -> None:
    left = simulated.loc[simulated["result"] == "hung_up", "wait_s"].mean()
    median = analyses.patience(simulated)["median_s"].iloc[0]
    assert left < 100
    assert median > 2.5 * left


def test_one_queue_or_all() -> None:
    made = steps(
        "kind target result wait_s",
        ("queue", "6500", "hung_up", 5),
        ("queue", "6501", "answered", 9),
        ("ivr", "7000", "hung_up", 3),
    )
    assert analyses.patience(made)["wait_s"].to_list() == [5, 9]
    assert analyses.patience(made, queue="6501")["wait_s"].to_list() == [9]
