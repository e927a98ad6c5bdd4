"""How many calls at the same time, and how many lines a trunk needs."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import ACCENT, NEUTRAL, chart, figure, over_days, without

_ROW_PX: Final = 44
_HOUR: Final = pd.Timedelta(hours=1)


@chart
def concurrent_calls(concurrency: pd.DataFrame) -> go.Figure:
    """Draw the most calls at the same time in each interval, as steps.

    Parameters
    ----------
    concurrency : pandas.DataFrame
        Result of `ucm_analytics.analyses.concurrent_calls`.

    Returns
    -------
    plotly.graph_objects.Figure
        A line per trunk, or per PBX; y [lines in use, or calls, at the same time], x wall clock. The highest step is
        labelled.

    Raises
    ------
    WrongColumns
        `concurrency` is not such a result.
    """
    name, length = ("hour", _HOUR) if "utc_offset_s" in concurrency else ("day", 24 * _HOUR)
    # a forwarded call holds two lines, and is one call
    what = "lines in use" if "trunk" in concurrency else "calls"
    title = f"Most {what} at the same time, per {name}"
    if not concurrency["peak"].sum():
        return without("no call lasted a second", title)
    drawn = figure(title, x=name, y=f"{what} at the same time")
    labels = _labels(concurrency)
    for label in labels.drop_duplicates():
        some = concurrency[labels == label]
        peak_at = some["peak_at"].dt.strftime("%a %Y-%m-%d %H:%M:%S").fillna("no call")
        last = some["local_at"].iloc[-1] + length  # a step needs its end
        drawn.add_scatter(
            x=[*some["local_at"], last],
            y=[*some["peak"], some["peak"].iloc[-1]],
            mode="lines",
            line={"shape": "hv", "width": 2},
            name=label,
            customdata=[[at, traffic] for at, traffic in zip(peak_at, some["traffic"], strict=True)] + [["", 0]],
            hovertemplate=f"{label}<br>%{{y}} at the same time<br>first at %{{customdata[0]}}"
            "<br>mean %{customdata[1]:.2f} erlang<extra></extra>",
        )
    top = concurrency.iloc[int(concurrency["peak"].argmax())]
    first, end = concurrency["local_at"].min(), concurrency["local_at"].max() + length
    place = (top["local_at"] - first) / (end - first)
    drawn.add_annotation(
        x=top["local_at"] + length / 2,
        y=top["peak"],
        text=f"{top['peak']} at {top['peak_at']:%a %Y-%m-%d %H:%M}",
        showarrow=False,
        yshift=12,
        xanchor="left" if place < 0.2 else "right" if place > 0.8 else "center",
    )
    drawn.update_yaxes(range=[0, 1.15 * top["peak"] + 0.1])
    drawn.update_layout(showlegend=labels.nunique() > 1)
    return over_days(drawn, first, concurrency["local_at"].max(), hours=name == "hour")


@chart
def trunk_usage(usage: pd.DataFrame) -> go.Figure:
    """Draw the lines that each trunk needs beside the most calls that it held.

    Parameters
    ----------
    usage : pandas.DataFrame
        Result of `ucm_analytics.analyses.trunk_usage`.

    Returns
    -------
    plotly.graph_objects.Figure
        A row per trunk: a bar for the offered traffic of the busy hour [erlang], diamonds for the lines needed
        with their interval, circles for the most calls at the same time.

    Raises
    ------
    WrongColumns
        `usage` is not such a result.
    """
    title = "Lines: needed, and the most that were in use"
    if not usage["calls"].sum():
        return without("no call used a trunk", title)
    rows = _labels(usage)
    drawn = figure(title, x="lines, erlang", height=150 + _ROW_PX * max(len(usage), 2))
    drawn.add_bar(
        x=usage["traffic"],
        y=rows,
        orientation="h",
        name="traffic in the busy hour [erlang]",
        marker_color="#BFD9EA",
        customdata=usage[["busy_hour", "bhca"]],
        hovertemplate="%{y}: %{x:.2f} erlang from %{customdata[0]}:00<br>%{customdata[1]:.1f} attempts<extra></extra>",
    )
    drawn.add_scatter(
        x=usage["lines"],
        y=rows,
        mode="markers",
        name="lines needed, 95 % interval",
        marker={"symbol": "diamond", "size": 12, "color": NEUTRAL},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": usage["lines_high"] - usage["lines"],
            "arrayminus": usage["lines"] - usage["lines_low"],
            "color": NEUTRAL,
        },
        customdata=usage[["lines_low", "lines_high", "lines_retry"]],
        hovertemplate="%{y}: %{x} lines (%{customdata[0]} to %{customdata[1]})"
        "<br>%{customdata[2]} where blocked callers try again<extra></extra>",
    )
    drawn.add_scatter(
        x=usage["peak"],
        y=rows,
        mode="markers",
        name="most lines in use at the same time",
        marker={"symbol": "circle-open", "size": 16, "color": ACCENT, "line": {"width": 3}},
        customdata=usage["peak_at"].dt.strftime("%a %Y-%m-%d %H:%M:%S").fillna("no call"),
        hovertemplate="%{y}: %{x} at the same time<br>%{customdata}<extra></extra>",
    )
    drawn.update_xaxes(rangemode="tozero")
    drawn.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return drawn


def _labels(frame: pd.DataFrame) -> pd.Series[Any]:
    """Trunks, with their PBX where there are several; without trunks the PBXs."""
    pbxs = frame["pbx"].astype("str")
    if "trunk" not in frame:
        return pbxs
    trunks = frame["trunk"].astype("str")
    return trunks if pbxs.nunique() < 2 else trunks + " (" + pbxs + ")"
