"""How long: talking, waiting, ringing, time in menus and queues."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ucm_analytics.charts.template import (
    ACCENT,
    DIRECTION_COLORS,
    NEUTRAL,
    PALE_TO_DARK,
    chart,
    figure,
    ordered,
    without,
    words,
)

_NAMES: Final = {
    "talk_s": "talk",
    "wait_s": "wait",
    "ring_s": "ring",
    "ivr_s": "in menus",
    "queue_s": "in queues",
}
_MARKS: Final = {"median_s": "circle", "mean_s": "line-ns-open", "p90_s": "diamond-open", "p95_s": "diamond"}
_ROW_PX: Final = 30
_GAP_PX: Final = 56
_HOUR_ROWS: Final = 4
_TALK_COLOR: Final = PALE_TO_DARK[2][1]


@chart
def durations(durations: pd.DataFrame) -> go.Figure:
    """Draw median, mean and percentiles of each measure, in a panel of its own with its own scale.

    Parameters
    ----------
    durations : pandas.DataFrame
        Result of `ucm_analytics.analyses.durations`.

    Returns
    -------
    plotly.graph_objects.Figure
        Without hours: a row per direction, marks at median, mean, p90 and p95 [s]. With hours: a line for
        the median and a dotted one for p90 [s] over the clock hour, one pair per direction.

    Raises
    ------
    WrongColumns
        `durations` is not such a result.
    """
    durations = _named(durations)
    title = "Durations in seconds" + (", by clock hour" if "hour" in durations else "")
    if not durations["calls"].sum():
        return without("no calls with a duration", title)
    durations = durations[durations["calls"] > 0] if "hour" not in durations else durations
    measures = [name for name in _NAMES if durations.loc[durations["measure"] == name, "calls"].sum()]
    groups = {name: _groups(durations[durations["measure"] == name]) for name in measures}
    rows = [_HOUR_ROWS if "hour" in durations else len(groups[name]) for name in measures]
    height = 150 + _GAP_PX * (len(measures) - 1) + _ROW_PX * sum(rows)
    drawn = make_subplots(
        rows=len(measures),
        cols=1,
        figure=figure(title, height=height, margin_t=64),
        subplot_titles=[f"{_NAMES[name]} [s]" for name in measures],
        row_heights=rows,
        vertical_spacing=_GAP_PX / (height - 150) if len(measures) > 1 else 0,
    )
    drawn.update_annotations(x=0, xanchor="left", font_size=13)
    for row, measure in enumerate(measures, start=1):
        some = durations[durations["measure"] == measure]
        for trace in _lines(some, groups[measure]) if "hour" in durations else _marks(some, groups[measure]):
            drawn.add_trace(trace, row=row, col=1)
    named = set()
    for trace in drawn.data:
        trace.showlegend = trace.legendgroup not in named
        named.add(trace.legendgroup)
    if "hour" in durations:
        drawn.update_xaxes(dtick=2, tick0=0, range=[-0.5, 23.5], showgrid=False)
        drawn.update_xaxes(title_text="clock hour", row=len(measures))
        drawn.update_yaxes(rangemode="tozero")
    else:
        drawn.update_xaxes(rangemode="tozero")
        drawn.update_yaxes(autorange="reversed", showgrid=False, showticklabels="direction" in durations)
    return drawn


@chart
def duration_histogram(histogram: pd.DataFrame) -> go.Figure:
    """Draw how many calls took how long.

    Parameters
    ----------
    histogram : pandas.DataFrame
        Result of `ucm_analytics.analyses.duration_histogram`.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar per bin up to the last with calls, x [s], y [calls], stacked by direction if there is one. The
        last bin of the result has no end and is marked by its label.

    Raises
    ------
    WrongColumns
        `histogram` is not such a result.
    """
    histogram = _named(histogram)
    measure = str(histogram["measure"].iloc[0]) if len(histogram) else ""
    title = f"Calls by duration: {_NAMES.get(measure, measure)} [s]" if measure else "Calls by duration"
    if not histogram["calls"].sum():
        return without("no calls with this duration", title)
    drawn = figure(title, x=f"{_NAMES.get(measure, measure)} [s]", y="calls", barmode="stack", bargap=0)
    last = histogram.loc[histogram["calls"] > 0, "from_s"].max()
    shown = histogram[histogram["from_s"] <= last]
    width = int(histogram["to_s"].iloc[0] - histogram["from_s"].iloc[0])
    by = "direction" if "direction" in histogram else None
    for value in ordered(shown[by], DIRECTION_COLORS) if by else [None]:
        some = shown if by is None else shown[shown[by] == value]
        ends = [
            f"{a} s or longer" if pd.isna(b) else f"{a} to {b} s"
            for a, b in zip(some["from_s"], some["to_s"], strict=True)
        ]
        drawn.add_bar(
            x=some["from_s"],
            y=some["calls"],
            width=width,
            offset=0,
            name=value or "calls",
            marker={"color": DIRECTION_COLORS.get(value or "", NEUTRAL), "line": {"color": "white", "width": 1}},
            customdata=list(zip(ends, some["share"], strict=True)),
            hovertemplate=f"%{{customdata[0]}}<br>%{{y}} calls{f', {value}' if value else ''}"
            "<br>%{customdata[1]:.1%}<extra></extra>",
        )
    if shown["to_s"].isna().any():
        drawn.add_annotation(
            x=last + width, y=0, text=f"{last} s or longer", showarrow=False, xanchor="right", yshift=-32
        )
    drawn.update_xaxes(range=[0, last + width], showgrid=False)
    drawn.update_yaxes(rangemode="tozero")
    drawn.update_layout(showlegend=by is not None)
    return drawn


@chart
def long_and_short_calls(counts: pd.DataFrame) -> go.Figure:
    """Draw the share of very short and of long calls, and of the talk that is in long ones.

    Parameters
    ----------
    counts : pandas.DataFrame
        Result of `ucm_analytics.analyses.long_and_short_calls`.

    Returns
    -------
    plotly.graph_objects.Figure
        A group of bars per direction, y [share]: very short calls, long calls, talk in long calls.

    Raises
    ------
    WrongColumns
        `counts` is not such a result.
    """
    counts = _named(counts)
    title = "Very short and long calls"
    if not counts["calls"].sum():
        return without("no calls that a person answered", title)
    short, long = int(counts["short_s"].iloc[0]), int(counts["long_s"].iloc[0])
    bars = {
        "short_rate": (f"calls below {short} s", "short", ACCENT),
        "long_rate": (f"calls of {long} s or more", "long", NEUTRAL),
        "long_talk_rate": ("talk that is in them", "long_talk_s", _TALK_COLOR),
    }
    drawn = figure(title, y="share", barmode="group")
    for rate, (shown, count, color) in bars.items():
        unit = " s" if count.endswith("_s") else ""
        drawn.add_bar(
            x=[words(direction) for direction in counts["direction"]],
            y=counts[rate],
            name=shown,
            marker={"color": color, "line": {"width": 0}},
            texttemplate="%{y:.1%}",
            textposition="outside",
            cliponaxis=False,
            customdata=counts[[count, "calls"]],
            hovertemplate=f"%{{x}}<br>%{{y:.1%}} {shown}<br>%{{customdata[0]}}{unit}, of %{{customdata[1]}} "
            "answered calls<extra></extra>",
        )
    drawn.update_xaxes(type="category", showgrid=False)
    drawn.update_yaxes(rangemode="tozero", tickformat=".1~%")
    return drawn


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Calls whose direction is not known are a group like the others."""
    return frame.assign(direction=frame["direction"].astype("str").fillna("unknown")) if "direction" in frame else frame


def _groups(frame: pd.DataFrame) -> list[Any]:
    return ordered(frame.loc[frame["calls"] > 0, "direction"], DIRECTION_COLORS) if "direction" in frame else [None]


def _marks(frame: pd.DataFrame, groups: list[Any]) -> list[go.Scatter]:
    rows = [words(group) if group else "all calls" for group in groups]
    colors = [DIRECTION_COLORS.get(group or "", NEUTRAL) for group in groups]
    some = frame.set_index("direction").reindex(groups) if groups != [None] else frame
    traces = []
    for name, symbol in _MARKS.items():
        shown = name.removesuffix("_s")
        traces.append(
            go.Scatter(
                x=some[name].to_numpy(dtype="float64"),
                y=rows,
                mode="markers",
                name=shown,
                legendgroup=name,
                marker={"symbol": symbol, "size": 12, "color": colors, "line": {"width": 2, "color": colors}},
                customdata=some[["calls"]].to_numpy(),
                hovertemplate=f"%{{y}}: {shown} %{{x:.0f}} s of %{{customdata[0]}} calls<extra></extra>",
            )
        )
    return traces


def _lines(frame: pd.DataFrame, groups: list[Any]) -> list[go.Scatter]:
    traces = []
    for group in groups:
        some = frame if group is None else frame[frame["direction"] == group]
        for name, dash in (("median_s", "solid"), ("p90_s", "dot")):
            shown = f"{words(group)}, {name[:-2]}" if group else name[:-2]
            traces.append(
                go.Scatter(
                    x=some["hour"],
                    y=some[name],
                    mode="lines+markers",
                    name=shown,
                    legendgroup=shown,
                    line={"dash": dash, "color": DIRECTION_COLORS.get(group or "", NEUTRAL), "width": 2},
                    marker={"size": 5},
                    customdata=some["calls"],
                    hovertemplate=f"%{{x}}:00<br>{shown} %{{y:.0f}} s of %{{customdata}} calls<extra></extra>",
                )
            )
    return traces
