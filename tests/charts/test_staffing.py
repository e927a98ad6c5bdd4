"""Charts of the agents needed, and of the level reached."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.analyses.queued import queued
from tests.charts.test_charts import FULL, drawn
from ucm_analytics import analyses

STEPS = queued(FULL["steps"])


def test_agents_are_drawn_in_steps_with_their_band() -> None:
    need = analyses.staffing(STEPS)
    figure = drawn("staffing", need)
    low, high, by_c, by_a = figure.data
    some = need[(need["day_type"] == "Monday to Friday") & need["minute"].between(7.5 * 60, 12 * 60)]
    for trace, column in ((low, "agents_c_low"), (high, "agents_c_high"), (by_c, "agents_c"), (by_a, "agents_a")):
        assert trace.line.shape == "hv"
        assert list(trace.y) == [*some[column], some[column].iloc[-1]]
    assert [f"{pd.Timestamp(at):%H:%M}" for at in (by_c.x[0], by_c.x[-1])] == ["07:30", "12:30"]
    assert high.fill == "tonexty"
    assert [note.text for note in figure.layout.annotations] == ["queue 6500, Monday to Friday"]


def test_the_level_reached_is_drawn_beside_the_prediction() -> None:
    check = analyses.staffing_check(STEPS)
    some = check[check["offered"] > 0]
    _, _, predicted, reached = drawn("staffing_check", check).data
    assert list(predicted.y) == some["level_a"].to_list()
    assert list(reached.y) == some["reached_level"].to_list()
    assert list(reached.error_y.array) == (some["reached_high"] - some["reached_level"]).to_list()
    assert predicted.name == "predicted by Erlang A"


def test_where_nobody_hung_up_erlang_c_is_drawn() -> None:
    stayed = STEPS[STEPS["result"] != "hung_up"]
    figure = drawn("staffing_check", analyses.staffing_check(stayed))
    assert [trace.name for trace in figure.data if trace.mode == "lines+markers"] == ["predicted by Erlang C"]
    assert {trace.name for trace in drawn("staffing", analyses.staffing(stayed)).data} == {
        None,
        "95 % interval of Erlang C",
        "agents by Erlang C",
    }


def test_nobody_was_ever_answered() -> None:
    lost = STEPS[STEPS["result"] == "hung_up"]
    assert not drawn("staffing", analyses.staffing(lost)).data
    assert [trace.name for trace in drawn("staffing_check", analyses.staffing_check(lost)).data] == [
        "reached, 95 % interval"
    ]


@pytest.mark.parametrize("name", ["staffing", "staffing_check"])
def test_many_queues_are_cut_and_it_says_so(name: str) -> None:
    every = pd.concat([STEPS.assign(target=str(6500 + n)) for n in range(15)], ignore_index=True)
    figure = drawn(name, getattr(analyses, name)(every))
    assert len(figure.layout.annotations) == 12
    assert figure.layout.title.subtitle.text == "the first 12 of 15 queues and kinds of days"
