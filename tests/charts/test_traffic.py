"""Charts of lines in use."""

from __future__ import annotations

import pandas as pd

from tests.analyses.queued import on_trunks, random_held
from tests.charts.test_charts import FULL, drawn, numbers
from ucm_analytics import analyses
from ucm_analytics.period import Period

HELD = random_held(6).to_pandas()


def test_concurrency_is_drawn_in_steps_to_the_end_of_the_last_interval() -> None:
    result = analyses.concurrent_calls(HELD, by="trunk", period=Period.of("2026-10-24", "2026-10-26"))
    figure = drawn("concurrent_calls", result)
    assert [trace.name for trace in figure.data] == [
        f"{trunk} ({pbx})" for pbx in ("clinic", "north") for trunk in ("MainLine", "OldLine")
    ]
    for trace, (_, some) in zip(figure.data, result.groupby(["pbx", "trunk"], observed=True), strict=True):
        assert trace.line.shape == "hv"
        assert numbers(trace.y) == [*some["peak"], some["peak"].iloc[-1]]
        assert pd.Timestamp(trace.x[-1]) == pd.Timestamp("2026-10-27")
    top = result.loc[result["peak"].idxmax()]
    (note,) = figure.layout.annotations
    assert note.text == f"{top['peak']} at {top['peak_at']:%a %Y-%m-%d %H:%M}"
    assert figure.layout.yaxis.range[1] > top["peak"]


def test_concurrency_of_a_pbx_by_the_hour_is_one_line() -> None:
    result = analyses.concurrent_calls(on_trunks(FULL["calls"]), freq="1h")
    figure = drawn("concurrent_calls", result)
    (trace,) = figure.data
    assert trace.name == "clinic"
    assert not figure.layout.showlegend
    assert figure.layout.title.text == "Most calls at the same time, per hour"


def test_trunk_usage_draws_traffic_lines_and_peak() -> None:
    result = analyses.trunk_usage(HELD)
    bars, lines, peaks = drawn("trunk_usage", result).data
    assert numbers(bars.x) == result["traffic"].to_list()
    assert numbers(lines.x) == result["lines"].to_list()
    assert numbers(lines.error_x.array) == (result["lines_high"] - result["lines"]).to_list()
    assert numbers(lines.error_x.arrayminus) == (result["lines"] - result["lines_low"]).to_list()
    assert numbers(peaks.x) == result["peak"].to_list()
    assert list(bars.y) == list(peaks.y) == [f"{t} ({p})" for p, t in zip(result["pbx"], result["trunk"], strict=True)]
