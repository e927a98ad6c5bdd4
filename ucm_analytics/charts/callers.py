"""Who calls: the most frequent callers, how much a few of them make up, and where they call from."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import NEUTRAL, NOT_ANSWERED, OUTCOME_COLORS, chart, figure, without

_MOST: Final = 25
"""So many rows have room for a label each."""
_ROW_PX: Final = 20


@chart
def top_callers(callers: pd.DataFrame) -> go.Figure:
    """Draw the calls of the most frequent callers, answered by a person and not.

    Parameters
    ----------
    callers : pandas.DataFrame
        Result of `ucm_analytics.analyses.top_callers`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per caller, x [calls]; at most 25 rows.

    Raises
    ------
    WrongColumns
        `callers` is not such a result.
    """
    title = "Most frequent callers"
    if not callers["calls"].sum():
        return without("no caller showed a number", title)
    return _stacked(title, callers, callers["caller"].astype(str))


@chart
def caller_concentration(shares: pd.DataFrame) -> go.Figure:
    """Draw which share of the calls the most frequent callers make.

    Parameters
    ----------
    shares : pandas.DataFrame
        Result of `ucm_analytics.analyses.caller_concentration`.

    Returns
    -------
    plotly.graph_objects.Figure
        x part of the callers, those who call most first, y share of the calls [0-1]; dashed: all call equally often.

    Raises
    ------
    WrongColumns
        `shares` is not such a result.
    """
    title = "Share of the calls that the most frequent callers make"
    if not shares["calls"].sum():
        return without("no caller showed a number", title)
    drawn = figure(title, x="most frequent callers, part of all", y="share of calls")
    drawn.add_scatter(
        x=[0, *shares["top_rate"]],
        y=[0, *shares["share"]],
        name="callers",
        mode="lines+markers",
        line={"color": NEUTRAL},
        customdata=[(0, 0), *zip(shares["callers"], shares["calls"], strict=True)],
        hovertemplate="%{customdata[0]} callers (%{x:.0%})<br>%{customdata[1]} calls (%{y:.0%})<extra></extra>",
    )
    drawn.add_scatter(
        x=[0, 1],
        y=[0, 1],
        name="if all called equally often",
        mode="lines",
        line={"color": "#999999", "dash": "dash"},
        hovertemplate="all equally often<extra></extra>",
    )
    drawn.add_annotation(
        x=0.5, y=0.5, text="if all called equally often", showarrow=False, xanchor="left", yanchor="top"
    )
    drawn.update_layout(showlegend=False)
    drawn.update_xaxes(tickformat=".0%", range=[0, 1.01])
    drawn.update_yaxes(tickformat=".0%", range=[0, 1.03])
    return drawn


@chart
def caller_areas(areas: pd.DataFrame) -> go.Figure:
    """Draw the calls from each area, answered by a person and not.

    Parameters
    ----------
    areas : pandas.DataFrame
        Result of `ucm_analytics.analyses.caller_areas`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per area and prefix, x [calls]; at most 25 rows.

    Raises
    ------
    WrongColumns
        `areas` is not such a result.
    """
    title = "Calls from outside, by area"
    if not areas["calls"].sum():
        return without("no calls from outside", title)
    split = areas["area"].astype(str).duplicated().any()
    rows = areas["area"].astype(str)
    if split:
        rows = rows + areas["prefix"].map(lambda prefix: f" ({prefix})", na_action="ignore").astype(object).fillna("")
    return _stacked(title, areas, rows)


def _stacked(title: str, frame: pd.DataFrame, rows: pd.Series) -> go.Figure:
    shown = frame.head(_MOST)
    note = "" if len(shown) == len(frame) else f"the {_MOST} with most calls of {len(frame)}"
    drawn = figure(title, note, x="calls", barmode="stack", height=max(240, 170 + _ROW_PX * len(shown)))
    parts = {
        "answered by a person": (shown["answered"], OUTCOME_COLORS["answered"]),
        "not answered": (shown["calls"] - shown["answered"], NOT_ANSWERED),
    }
    for name, (values, color) in parts.items():
        drawn.add_bar(
            x=values,
            y=rows.head(_MOST),
            orientation="h",
            name=name,
            marker={"color": color, "line": {"width": 0}},
            customdata=list(zip(shown["calls"], shown["share"], strict=True)),
            hovertemplate=f"%{{y}}<br>%{{x}} of %{{customdata[0]}} calls {name}<br>"
            "%{customdata[1]:.1%} of all calls<extra></extra>",
        )
    drawn.update_yaxes(type="category", autorange="reversed", dtick=1, showgrid=False, tickfont_size=11)
    return drawn
