"""The charts of queues draw the numbers of their analyses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.io as pio

from tests.analyses.frames import calls
from tests.analyses.visits import random_visits, ringing, visits
from ucm_analytics import analyses, charts
from ucm_analytics.charts.template import OUTCOME_COLORS

STEPS = random_visits(5)
FRAME = STEPS.to_pandas()


def drawn(figure: Any) -> Any:
    pio.from_json(figure.to_json())
    return figure


def xs(figure: Any) -> list[list[float]]:
    return [np.asarray(trace.x).tolist() for trace in figure.data]


def test_queues_stack_to_what_was_offered() -> None:
    result = analyses.queues(FRAME)
    figure = drawn(charts.queues(result))
    assert [trace.name for trace in figure.data] == [
        *("answered", "caller left", "caller left at once", "went on unanswered", "other end"),
    ]
    assert np.sum(xs(figure), axis=0).tolist() == result["offered"].to_list()
    assert xs(figure)[2] == result["abandoned_short"].to_list()
    assert list(figure.data[0].y) == [f"{q} @ {p}" for q, p in zip(result["queue"], result["pbx"], strict=True)]
    assert figure.data[0].marker.color == OUTCOME_COLORS["answered"]


def test_agents_stack_to_what_was_offered() -> None:
    result = analyses.queue_agents(FRAME, ringing(STEPS).to_pandas())
    figure = drawn(charts.queue_agents(result))
    assert np.sum(xs(figure), axis=0).tolist() == result["offered"].to_list()
    assert figure.data[0].y[0] == "6500 @ a › 1003"
    assert len(set(figure.data[0].y)) == len(result)


def test_agents_of_one_queue_are_their_numbers() -> None:
    made = visits(("answered", 5), ("answered", 5)).assign(step_no=1)
    result = analyses.queue_agents(made, ringing(made).to_pandas())
    figure = drawn(charts.queue_agents(result))
    assert set(figure.data[0].y) <= {"1003", "1004", "1005"}


def test_each_formula_is_a_mark_at_its_level() -> None:
    result = analyses.service_level(FRAME, headline="sl_f4", target_s=30)
    figure = drawn(charts.service_level(result))
    assert figure.layout.title.text == "Service level, by formula: within 30 s"
    for trace, (variant, some) in zip(figure.data, result.groupby("variant", sort=False, observed=True), strict=True):
        assert np.asarray(trace.x).tolist() == some["service_level"].to_list()
        assert ("headline" in trace.name) == (variant == "sl_f4")
        assert trace.marker.symbol.endswith("-open") == (variant != "sl_f4")
    marks = {(x, y) for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True)}
    assert len(marks) == len(result), "no mark hides another"
    assert len(figure.layout.yaxis.ticktext) == 4


def test_a_level_of_nothing_has_no_mark() -> None:
    figure = drawn(charts.service_level(analyses.service_level(visits(("next", 90)))))
    assert np.isnan([trace.x[0] for trace in figure.data]).all()


def test_waits_are_drawn_up_to_the_last() -> None:
    result = analyses.queue_waits(visits(("answered", 0), ("answered", 25), ("hung_up", 10)))
    figure = drawn(charts.queue_waits(result))
    assert [trace.name for trace in figure.data] == ["answered", "abandoned"]
    assert [np.asarray(trace.y).tolist() for trace in figure.data] == [[1, 0, 1], [1, 0, 0]]
    assert not figure.layout.annotations
    assert figure.data[0].customdata[0][0] == "up to 10 s"
    assert figure.data[0].customdata[1][0] == "over 10 to 20 s"
    long = drawn(charts.queue_waits(analyses.queue_waits(visits(("answered", 900)))))
    assert [note.text for note in long.layout.annotations] == ["longer than 400 s"]


def test_the_curve_begins_at_one_and_marks_the_median() -> None:
    made = visits(("hung_up", 10, 2), ("answered", 15), ("hung_up", 20, 3), ("answered", 30))
    result = analyses.patience(made)
    figure = drawn(charts.patience(result))
    low, high, curve, median = figure.data
    assert np.asarray(curve.x).tolist() == [0, *result["wait_s"]]
    assert np.asarray(curve.y).tolist() == [1, *result["patience_level"]]
    assert curve.line.shape == "hv"
    assert np.asarray(low.y).tolist() == result["low_level"].dropna().to_list()
    assert np.asarray(high.y).tolist() == result["high_level"].dropna().to_list()
    assert (median.x[0], median.text[0]) == (20, "median 20 s")
    assert figure.layout.title.subtitle.text == "7 visits, 5 of them abandoned; shaded: 95 % band"


def test_without_a_median_none_is_marked() -> None:
    figure = drawn(charts.patience(analyses.patience(visits(("answered", 10), ("answered", 20)))))
    assert "median" not in [trace.name for trace in figure.data]


def test_long_and_short_calls_are_shares() -> None:
    made = calls(
        "direction outcome talk_s",
        *(("inbound", "answered", talk) for talk in (5, 100, 2000, 2000)),
        ("outbound", "answered", 0),
    )
    result = analyses.long_and_short_calls(made)
    figure = drawn(charts.long_and_short_calls(result))
    for trace, rate in zip(figure.data, ("short_rate", "long_rate", "long_talk_rate"), strict=True):
        assert np.array_equal(np.asarray(trace.y, dtype=float), result[rate].to_numpy(), equal_nan=True)
    assert {trace.texttemplate for trace in figure.data} == {"%{y:.1%}"}
    # nobody talked: no share, so no bar that could be labelled
    assert pd.isna(result["long_talk_rate"].iloc[1])
