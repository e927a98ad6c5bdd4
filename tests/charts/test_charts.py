"""Every chart, on the result of the analysis of its name."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any, cast, get_args

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from tests.analyses.frames import calls, rings
from tests.analyses.queued import on_trunks, queued
from tests.analyses.runs import RUNS, random_tables
from tests.analyses.visits import ringing
from ucm_analytics import analyses, charts
from ucm_analytics.analyses.volume import VolumeBy
from ucm_analytics.charts import template
from ucm_analytics.errors import NoData, WrongColumns
from ucm_analytics.period import Period
from ucm_analytics.schema import DIRECTIONS, OUTCOMES, STEP_KINDS

FULL = {table: rows.to_pandas() for table, rows in random_tables(5).items()}
FULL_FOR: dict[str, dict[str, pd.DataFrame]] = {
    "concurrent_calls": {"calls": on_trunks(FULL["calls"])},
    "trunk_usage": {"calls": on_trunks(FULL["calls"])},
    "queue_agents": {"rings": ringing(FULL["steps"]).to_pandas()},
    "staffing": {"steps": queued(FULL["steps"])},
    "staffing_check": {"steps": queued(FULL["steps"])},
}
"""Where a chart of random tables would show next to nothing."""


@cache
def result_of(name: str, few: int | None = None) -> pd.DataFrame:
    """What the analysis gives on full tables, or on their first rows."""
    tables = {
        table: frame if few is None else frame.head(few) for table, frame in (FULL | FULL_FOR.get(name, {})).items()
    }
    try:
        return cast("pd.DataFrame", RUNS[name](tables))
    except NoData:  # too short a history to forecast: an empty result is cut from a full one
        return result_of(name).head(0)


NOTHING = {
    "affected_reports": "nothing was found",
    "anomalies": "no calls",
    "busy_hour": "no calls",
    "call_volume": "no calls",
    "caller_areas": "no calls from outside",
    "caller_concentration": "no caller showed a number",
    "compare": "no calls in the period",
    "concurrent_calls": "no call lasted a second",
    "cost": "no calls that could cost anything",
    "coverage_calendar": "no days",
    "duration_histogram": "no calls with this duration",
    "durations": "no calls with a duration",
    "extensions": "no phone rang",
    "forecast": "no calls are to be expected",
    "forecast_backtest": "no week to forecast had calls",
    "fraud_evidence": "no calls are the evidence of a sign",
    "fraud_signals": "no signs of toll fraud",
    "hour_of_week": "no calls",
    "ivr_choices": "no choice was made in a menu",
    "ivr_dropoff": "no calls went through a menu",
    "ivr_paths": "no calls went through a menu",
    "ivr_transitions": "no calls went through a menu",
    "long_and_short_calls": "no calls that a person answered",
    "missed_calls": "no caller was missed",
    "patience": "no caller came to a queue",
    "queue_agents": "no phone of an agent rang",
    "queue_waits": "no visit to a queue was answered or abandoned",
    "queues": "no caller came to a queue",
    "reconciliation": "no records",
    "repeat_callers": "no calls from outside",
    "service_level": "no caller came to a queue",
    "staffing": "no caller came to a queue",
    "staffing_check": "no caller came to a queue",
    "time_to_callback": "no caller with a known number was missed",
    "top_callers": "no caller showed a number",
    "trunk_usage": "no call used a trunk",
}
"""What charts say that there is none of: never more than the result tells, which is no period and no calls."""


def drawn(name: str, result: pd.DataFrame) -> go.Figure:
    figure = getattr(charts, name)(result)
    assert isinstance(figure, go.Figure)
    pio.from_json(figure.to_json())  # what the browser gets, validated
    return figure


def numbers(values: Any) -> list[Any]:
    return np.asarray(values).tolist()


def test_a_chart_for_each_analysis() -> None:
    assert charts.__all__ == analyses.__all__
    for name in charts.__all__:
        chart, analysis = getattr(charts, name), getattr(analyses, name)
        assert chart.__module__.rpartition(".")[2] == analysis.__module__.rpartition(".")[2]
        kinds = [parameter.kind for parameter in inspect.signature(chart).parameters.values()]
        assert set(kinds[1:]) <= {inspect.Parameter.KEYWORD_ONLY}, "the result, and at most how to draw it"
        doc = inspect.getdoc(chart) or ""
        for section in ("Parameters", "Returns", "Raises"):
            assert f"\n{section}\n---" in doc


@pytest.mark.parametrize("name", charts.__all__)
def test_title_units_and_template(name: str) -> None:
    figure = drawn(name, result_of(name))
    assert figure.layout.title.text
    assert figure.layout.template.layout.paper_bgcolor == "white"
    assert figure.data
    assert all(trace.type == "sankey" or trace.hovertemplate for trace in figure.data)


@pytest.mark.parametrize("name", charts.__all__)
def test_counts_begin_at_zero(name: str) -> None:
    figure = drawn(name, result_of(name))
    only_bars = {trace.type for trace in figure.data} <= {"bar", "histogram", "waterfall"}
    for axis in [*figure.select_xaxes(), *figure.select_yaxes()]:
        counted = re.match(r"(calls|callers|visits|passes|agents|lines|findings|cost|error)\b", axis.title.text or "")
        if counted and not only_bars:  # plotly never cuts bars off
            assert axis.rangemode == "tozero" or min(axis.range) == 0, axis.title.text


@pytest.mark.parametrize("name", charts.__all__)
def test_every_axis_of_numbers_has_its_unit(name: str) -> None:
    figure = drawn(name, result_of(name))
    if name in ("ivr_transitions", "coverage_calendar"):
        return  # bands that say their numbers, and days
    titles = [axis.title.text for axis in [*figure.select_xaxes(), *figure.select_yaxes()] if axis.title.text]
    panels = [note.text for note in figure.layout.annotations if "[" in note.text or "from " in note.text]
    bars = [trace.colorbar.title.text for trace in figure.data if trace.type == "heatmap" and trace.colorbar.title.text]
    assert titles or panels or bars, "nothing says what the numbers are"


@pytest.mark.parametrize("name", charts.__all__)
def test_an_empty_result_says_so(name: str) -> None:
    figure = drawn(name, result_of(name, 0))
    (said,) = (note.text for note in figure.layout.annotations)
    assert said == NOTHING.get(name, said)
    assert said.startswith(("no ", "nothing "))
    assert not figure.data
    assert figure.layout.title.text


@pytest.mark.parametrize("name", charts.__all__)
def test_one_call(name: str) -> None:
    drawn(name, result_of(name, 1))


@pytest.mark.parametrize("name", charts.__all__)
def test_a_chart_refuses_what_it_cannot_draw(name: str) -> None:
    found = result_of(name)
    chart = getattr(charts, name)
    for column in getattr(analyses, name).columns:
        if not column.optional:
            with pytest.raises(WrongColumns, match=f"charts.{name} lacks the columns {column.name}: pass"):
                chart(found.drop(columns=column.name))
        if column.dtype == "int64" and column.name in found:
            with pytest.raises(WrongColumns, match=f"charts.{name} cannot draw {column.name} of type"):
                chart(found.astype({column.name: "str"}))
    with pytest.raises(WrongColumns, match="cannot draw a list"):
        chart([1, 2])


@pytest.mark.parametrize("name", charts.__all__)
def test_the_argument_is_not_changed(name: str) -> None:
    found = result_of(name)
    before = found.copy(deep=True)
    getattr(charts, name)(found)
    pd.testing.assert_frame_equal(found, before)


@pytest.mark.parametrize("by", ["direction", "outcome", "queue"])
def test_call_volume_draws_every_call(by: Any) -> None:
    volume = analyses.call_volume(FULL["calls"], freq="1d", by=by)
    figure = drawn("call_volume", volume)
    assert figure.layout.barmode == "stack"
    for trace in figure.data:
        value = trace.name.replace(" ", "_")
        some = volume[volume[by] == value] if value in set(volume[by]) else volume[volume[by].isna()]
        assert numbers(trace.y) == some["calls"].to_list()
        assert list(pd.to_datetime(trace.x)) == some["local_at"].to_list()
    assert sum(sum(numbers(trace.y)) for trace in figure.data) == volume["calls"].sum()
    assert figure.layout.yaxis.rangemode == "tozero"


@pytest.mark.parametrize(("freq", "name"), [("1h", "hour"), ("1d", "day"), ("1w", "week"), ("1mo", "month")])
def test_call_volume_names_its_interval(freq: Any, name: str) -> None:
    volume = analyses.call_volume(FULL["calls"], freq=freq, period=Period.of("2026-09-01", "2026-11-30"))
    figure = drawn("call_volume", volume)
    assert figure.layout.title.text == f"Calls per {name}"
    assert figure.layout.yaxis.title.text == f"calls per {name}"


INTERVALS = {"1h": "hour", "1d": "day", "1w": "week", "1mo": "month"}


@pytest.mark.parametrize("freq", INTERVALS)
@pytest.mark.parametrize("by", [None, *get_args(VolumeBy)])
def test_a_title_names_the_interval_that_is_drawn(freq: Any, by: Any) -> None:
    """Of a single bar too, whose length cannot be seen."""
    volume = analyses.call_volume(FULL["calls"], freq=freq, by=by)
    single = volume[volume["local_at"] == volume.loc[volume["calls"] > 0, "local_at"].iloc[0]]
    said = {"answered_by": "person who answered", "ended_in": "last step", "pbx": "PBX"}
    by_what = f", by {said.get(by, by)}" if by else ""
    for figure in (drawn("call_volume", volume), drawn("call_volume", single)):
        assert figure.layout.title.text == f"Calls per {INTERVALS[freq]}{by_what}"
        assert figure.layout.xaxis.title.text == INTERVALS[freq]
        assert figure.layout.yaxis.title.text == f"calls per {INTERVALS[freq]}"


def test_more_values_than_colours_are_drawn_together() -> None:
    rows = [("2026-03-02 09:00:00", f"extension:{n}") for n in range(1000, 1020) for _ in range(n - 999)]
    volume = analyses.call_volume(calls("local_at entry", *rows, ("2026-03-02 09:00:00", None)), freq="1d", by="entry")
    bars = {bar.name: numbers(bar.y) for bar in drawn("call_volume", volume).data}
    assert list(bars) == ["13 others", *(f"extension {n}" for n in range(1013, 1020)), "no entry"]
    assert bars["13 others"] == [sum(range(1, 14))]
    assert sum(y for (y,) in bars.values()) == len(rows) + 1


def test_a_month_is_no_day() -> None:
    month = analyses.call_volume(FULL["calls"], freq="1mo", period=Period.of("2026-10"))
    assert len(month) == 1
    assert drawn("call_volume", month).layout.title.text == "Calls per month"
    (bar,) = drawn("call_volume", month).data
    assert bar.xperiod == "M1"


@pytest.mark.parametrize(
    ("freq", "label"),
    [("1h", "10:00<br>Wed 21 Oct"), ("1d", "Wed<br>21 Oct"), ("1w", "from<br>19 Oct"), ("1mo", "Oct<br>2026")],
)
def test_a_single_bar_says_when(freq: Any, label: str) -> None:
    """plotly names a period only beside others."""
    made = calls("local_at", ("2026-10-21 10:30:00",))
    volume = analyses.call_volume(made, freq=freq, period=Period.of("2026-10-21"))
    axis = drawn("call_volume", volume[volume["calls"] > 0]).layout.xaxis
    assert list(axis.ticktext) == [label]
    first, (middle,) = volume.loc[volume["calls"] > 0, "local_at"].iloc[0], axis.tickvals
    assert first < pd.Timestamp(middle) < first + pd.Timedelta(days=31)


def test_the_hours_of_one_day_have_labels() -> None:
    made = calls("local_at", ("2026-10-21 10:30:00",))
    for result in (
        analyses.call_volume(made, freq="1h"),
        analyses.anomalies(made, freq="1h", period=Period.of("2026-10-21")),
        analyses.concurrent_calls(made.assign(duration_s=60), freq="1h"),
    ):
        name = "concurrent_calls" if "peak" in result else "anomalies" if "expected" in result else "call_volume"
        assert drawn(name, result).layout.xaxis.tickformat.startswith("%H:%M")


def test_a_lone_point_is_seen_and_says_when() -> None:
    one = analyses.anomalies(calls("local_at", ("2026-10-21 10:30:00",)), freq="1d")
    figure = drawn("anomalies", one)
    assert "markers" in figure.data[2].mode
    assert list(figure.layout.xaxis.tickvals) == [pd.Timestamp("2026-10-21")]


@pytest.mark.parametrize("freq", ["30min", "1h", "1d"])
def test_a_forecast_names_its_interval(freq: Any) -> None:
    name = {"30min": "half-hour", "1h": "hour", "1d": "day"}[freq]
    starts = pd.date_range("2026-03-02 09:00", periods=3, freq="D")
    if freq != "1d":
        starts = pd.date_range("2026-03-02 09:00", periods=3, freq=freq)
    expected = pd.DataFrame(
        {"local_at": starts, "calls": [2.0, 3.0, 1.0], "low": 0, "high": 5, "weeks": 4, "is_open": True}
    )
    figure = drawn("forecast", expected)
    assert figure.layout.title.text == f"Calls to expect per {name}"
    assert figure.layout.yaxis.title.text == f"calls per {name}"


@pytest.mark.parametrize("freq", ["1h", "1d"])
def test_anomalies_name_their_interval(freq: Any) -> None:
    found = analyses.anomalies(FULL["calls"], freq=freq)
    assert drawn("anomalies", found).layout.title.text == f"Calls per {INTERVALS[freq]}, and what is usual"
    one = found[found["calls"] > 0].head(1)
    assert drawn("anomalies", one).layout.yaxis.title.text == f"calls per {INTERVALS[freq]}"


@pytest.mark.parametrize("freq", ["1h", "1d"])
@pytest.mark.parametrize(("by", "what"), [(None, "calls"), ("trunk", "lines in use")])
def test_concurrency_names_what_is_in_use(freq: Any, by: Any, what: str) -> None:
    figure = drawn("concurrent_calls", analyses.concurrent_calls(on_trunks(FULL["calls"]), by=by, freq=freq))
    assert figure.layout.title.text == f"Most {what} at the same time, per {INTERVALS[freq]}"
    assert figure.layout.yaxis.title.text == f"{what} at the same time"


@pytest.mark.parametrize("by", [None, "outcome"])
def test_repeats_name_what_they_are_split_by(by: Any) -> None:
    figure = drawn("repeat_callers", analyses.repeat_callers(FULL["calls"], by=by))
    of = " of the call"
    assert figure.layout.title.text == "Calls after which the caller called again" + (f", by {by}{of}" if by else "")


@pytest.mark.parametrize("name", charts.__all__)
def test_labels_leave_it_to_the_page_how_numbers_are_written(name: str) -> None:
    """A text that holds 2,412 or 9.7% stays so in a report that writes 2.412 and 9,7 %."""
    for trace in drawn(name, result_of(name)).data:
        written = getattr(trace, "text", None)
        texts = [written] if isinstance(written, str) else written if written is not None else []
        assert not [text for text in texts if re.search(r"\d,\d{3}|\d\.\d+%", str(text))]


def test_repeats_that_cannot_be_told_are_said_to_be_none() -> None:
    one = calls("local_at caller direction", ("2026-03-10 10:30:00", "12025550142", "inbound"))
    figure = drawn("repeat_callers", analyses.repeat_callers(one))
    assert [note.text for note in figure.layout.annotations] == ["no call could be followed to the end of its time"]
    assert not figure.data


@pytest.mark.parametrize("measure", ["talk_s", "wait_s", "ring_s", "ivr_s", "queue_s"])
def test_a_histogram_names_its_measure(measure: Any) -> None:
    name = {"ivr_s": "in menus", "queue_s": "in queues"}.get(measure, measure.removesuffix("_s"))
    figure = drawn("duration_histogram", analyses.duration_histogram(FULL["calls"], measure=measure))
    assert figure.layout.title.text == f"Calls by duration: {name} [s]"
    assert figure.layout.xaxis.title.text == f"{name} [s]"
    assert figure.layout.yaxis.title.text == "calls"


def test_hour_of_week_is_monday_first() -> None:
    week = analyses.hour_of_week(FULL["calls"])
    heat, closed = drawn("hour_of_week", week).data
    assert list(heat.y) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert numbers(heat.x) == list(range(24))
    assert np.asarray(heat.z).ravel().tolist() == week["calls_per_day"].to_list()
    assert np.asarray(heat.customdata).reshape(-1, 2)[:, 0].tolist() == week["calls"].to_list()
    assert (np.asarray(closed.z).ravel() == 1).tolist() == (week["calls"] == 0).to_list()


def test_busy_hour_shows_means_and_peak() -> None:
    hours = analyses.busy_hour(FULL["calls"])
    figure = drawn("busy_hour", hours)
    bars = {x: y for trace in figure.data[:2] for x, y in zip(numbers(trace.x), numbers(trace.y), strict=True)}
    assert [bars[hour] for hour in range(24)] == hours["calls_per_day"].to_list()
    assert numbers(figure.data[1].x) == hours["hour"][hours["is_busy_hour"]].to_list()
    assert numbers(figure.data[2].y) == hours["peak_calls"][hours["peak_calls"] > 0].to_list()
    peak = hours[hours["is_peak"]].iloc[0]
    notes = [note.text for note in figure.layout.annotations]
    assert notes == ["busy hour", f"{peak['peak_calls']} calls from {peak['peak_at']:%a %Y-%m-%d %H:%M}"]


def test_durations_draw_each_statistic() -> None:
    result = analyses.durations(FULL["calls"])
    some = result[result["calls"] > 0]
    figure = drawn("durations", result)
    shown = sorted(x for trace in figure.data for x in numbers(trace.x))
    assert shown == sorted(some[["median_s", "mean_s", "p90_s", "p95_s"]].to_numpy().ravel().tolist())
    panels = [note.text for note in figure.layout.annotations]
    assert panels == ["talk [s]", "wait [s]", "ring [s]", "in menus [s]", "in queues [s]"]


@pytest.mark.parametrize("by", [("hour",), ("direction", "hour")])
def test_durations_by_hour_draw_median_and_p90(by: Any) -> None:
    result = analyses.durations(FULL["calls"], by=by)
    figure = drawn("durations", result)
    groups = result["direction"].nunique() if "direction" in by else 1
    assert len(figure.data) == 5 * 2 * groups
    first = result[result["measure"] == "talk_s"]
    if "direction" in by:
        first = first[first["direction"] == "inbound"]
    assert np.array_equal(np.asarray(figure.data[0].y, dtype=float), first["median_s"].to_numpy(), equal_nan=True)


def test_durations_of_all_calls_together() -> None:
    result = analyses.durations(FULL["calls"], by=())
    figure = drawn("durations", result)
    assert numbers(figure.data[0].x) == [result["median_s"].iloc[0]]


def test_the_histogram_is_drawn_up_to_its_last_call() -> None:
    made = calls(
        "local_at talk_s direction", *((f"2026-03-02 09:00:{n:02}", t, "inbound") for n, t in enumerate((5, 40, 95)))
    )
    result = analyses.duration_histogram(made, by="direction")
    figure = drawn("duration_histogram", result)
    (trace,) = figure.data
    assert (numbers(trace.x), numbers(trace.y), trace.width) == ([0, 30, 60, 90], [1, 1, 0, 1], 30)
    assert trace.name == "inbound"
    assert not figure.layout.annotations
    assert figure.layout.title.text == "Calls by duration: talk [s]"


def test_the_open_bin_is_labelled() -> None:
    made = calls("local_at wait_s", ("2026-03-02 09:00:00", 5000))
    figure = drawn("duration_histogram", analyses.duration_histogram(made, measure="wait_s"))
    assert [note.text for note in figure.layout.annotations] == ["400 s or longer"]


def test_extensions_stack_to_what_was_offered() -> None:
    result = analyses.extensions(FULL["calls"], FULL["rings"])
    figure = drawn("extensions", result)
    assert [trace.name for trace in figure.data] == [
        "answered",
        "picked up elsewhere",
        "missed",
        "busy or not reachable",
    ]
    stacked = np.sum([numbers(trace.x) for trace in figure.data], axis=0)
    assert stacked.tolist() == result["offered"].to_list()
    assert list(figure.data[0].y) == result["extension"].to_list()


def test_thirty_extensions_have_room_for_their_names() -> None:
    rang = rings("call_id extension local_at", *((f"c{n}", str(1000 + n), "2026-03-02 09:00:00") for n in range(30)))
    figure = drawn("extensions", analyses.extensions(FULL["calls"].head(0), rang))
    assert figure.layout.height >= 30 * 18
    assert figure.layout.yaxis.dtick == 1


def test_paths_are_labelled_in_full() -> None:
    long = " > ".join(["ivr:7000"] * 12 + ["queue:6500", "voicemail:1004"])
    made = calls("path outcome", (long, "abandoned"), ("ivr:7000", "answered"), ("ivr:7000", "abandoned"))
    figure = drawn("ivr_paths", analyses.ivr_paths(made))
    assert [numbers(trace.x) for trace in figure.data] == [[1, 0], [1, 1]]
    first, second = (note.text.replace("<br>", " ").replace("\u00a0", " ") for note in figure.layout.annotations)
    assert first == "menu 7000 (2)"
    assert second == " → ".join(["menu 7000"] * 12 + ["queue 6500", "voicemail 1004"]) + " (1)"


def test_sankey_links_are_the_moves() -> None:
    result = analyses.ivr_transitions(FULL["steps"])
    figure = drawn("ivr_transitions", result)
    (sankey,) = figure.data
    moves = result[result["from"].astype("str") != result["to"].astype("str")]
    assert numbers(sankey.link.value) == moves["passes"].to_list()
    labels = list(sankey.node.label)
    sources = [labels[n].partition(" (again")[0] for n in sankey.link.source]
    assert sources == [template.node(name) for name in moves["from"]]
    again = result[(result["from"] == "ivr:7000") & (result["to"] == "ivr:7000")]["passes"].item()
    assert f"menu 7000 (again {again} times)" in labels


def test_ways_back_end_in_a_mark_of_their_own() -> None:
    """A Sankey diagram draws circles as empty loops."""
    moves = [("did:1", "ivr:1", 9), ("ivr:1", "ivr:2", 5), ("ivr:2", "queue:6500", 4), ("queue:6500", "ivr:1", 2)]
    result = analyses.ivr_transitions(FULL["steps"]).head(0).astype(object)
    rows = pd.DataFrame(moves, columns=["from", "to", "passes"]).assign(calls=1, median_dwell_s=5.0)
    circle = pd.concat([result, rows], ignore_index=True).astype(
        {"passes": "int64", "calls": "int64", "median_dwell_s": "float64"}
    )
    (sankey,) = drawn("ivr_transitions", circle).data
    labels = list(sankey.node.label)
    links = [(labels[a], labels[b]) for a, b in zip(sankey.link.source, sankey.link.target, strict=True)]
    assert links == [
        ("DID 1", "menu 1"),
        ("menu 1", "menu 2"),
        ("menu 2", "queue 6500"),
        ("queue 6500", "back to menu 1"),
    ]
    assert numbers(sankey.link.value) == [9, 5, 4, 2]
    assert sankey.node.color[labels.index("back to menu 1")] == sankey.node.color[labels.index("menu 1")]


def test_a_comparison_that_is_missing_takes_no_rows() -> None:
    result = analyses.compare(FULL["calls"], Period.of("2026-10"))
    kept = result.copy()
    kept.loc[kept["against"].astype(str) == "previous", ["change", "low", "high"]] = [0.1, -0.1, 0.3]
    kept.loc[kept["against"].astype(str) == "last_year", ["change", "low", "high"]] = np.nan
    figure = drawn("compare", kept)
    assert figure.layout.title.text == "Change against the period before"
    assert figure.layout.title.subtitle.text == "last year: nothing to compare with"
    assert list(figure.layout.yaxis.categoryarray) == ["calls a day", "answered rate", "mean wait", "mean talk"]


def test_what_never_happened_is_not_in_the_legend() -> None:
    result = analyses.extensions(FULL["calls"], FULL["rings"]).assign(unreachable=0)
    shown = {trace.name: trace.showlegend for trace in drawn("extensions", result).data}
    assert shown["busy or not reachable"] is False
    assert shown["answered"] is True


def test_sankey_keeps_every_pass_though_rare_places_are_drawn_together() -> None:
    rare = pd.DataFrame(
        {
            "from": ["ivr:7000"] * 30 + [f"extension:{n}" for n in range(1000, 1030)],
            "to": [f"extension:{n}" for n in range(1000, 1030)] + ["end:answered"] * 30,
            "passes": [*range(30, 0, -1)] * 2,
            "calls": 1,
            "median_dwell_s": 5.0,
        }
    )
    result = analyses.ivr_transitions(FULL["steps"]).head(0)
    many = pd.concat([result.astype(object), rare], ignore_index=True).astype({"passes": "int64", "calls": "int64"})
    (sankey,) = drawn("ivr_transitions", many.astype({"median_dwell_s": "float64"})).data
    assert sum(numbers(sankey.link.value)) == 2 * sum(range(1, 31))
    assert len(sankey.node.label) == 1 + 5 + 1 + 1
    assert "other extensions" in sankey.node.label


def test_dropoff_stacks_to_the_passes() -> None:
    result = analyses.ivr_dropoff(FULL["steps"])
    figure = drawn("ivr_dropoff", result)
    assert np.sum([numbers(trace.x) for trace in figure.data], axis=0).tolist() == result["passes"].to_list()
    assert list(figure.data[0].y) == [f"menu {m} @ {p}" for m, p in zip(result["menu"], result["pbx"], strict=True)]


def test_choices_are_coloured_by_certainty() -> None:
    result = result_of("ivr_choices")
    figure = drawn("ivr_choices", result)
    for trace in figure.data:
        some = result[result["certainty"] == trace.name]
        assert numbers(trace.x) == some["passes"].to_list()
        assert trace.marker.color == template.CERTAINTY_COLORS[trace.name]
    assert len(figure.layout.yaxis.ticktext) == len(result)


def test_many_choices_are_cut_and_it_says_so() -> None:
    many = pd.concat([result_of("ivr_choices")] * 10, ignore_index=True)
    figure = drawn("ivr_choices", many)
    assert sum(len(trace.x) for trace in figure.data) == 25
    assert figure.layout.title.subtitle.text.endswith(f"the 25 most frequent of {len(many)}")


def test_colours_cover_the_vocabulary_and_differ() -> None:
    assert set(template.OUTCOME_COLORS) == set(OUTCOMES)
    assert set(template.DIRECTION_COLORS) == set(DIRECTIONS)
    assert set(template.KIND_COLORS) - {"end"} <= set(STEP_KINDS)
    for colors in (template.OUTCOME_COLORS, template.DIRECTION_COLORS, template.RING_COLORS, template.MENU_COLORS):
        assert len(set(colors.values())) == len(colors)


def test_the_same_outcome_has_the_same_colour_everywhere() -> None:
    answered = template.OUTCOME_COLORS["answered"]
    assert template.RING_COLORS["answered"] == template.MENU_COLORS["answered"] == answered
    assert template.RING_COLORS["missed"] == template.OUTCOME_COLORS["abandoned"] == template.MENU_COLORS["hung up"]


def test_a_hostile_name_is_text_not_markup() -> None:
    rang = rings("call_id extension local_at", ("a", "<script>alert(1)</script>", "2026-03-02 09:00:00"))
    html = charts.extensions(analyses.extensions(FULL["calls"].head(0), rang)).to_html(include_plotlyjs=False)
    assert "<script>alert(1)" not in html
