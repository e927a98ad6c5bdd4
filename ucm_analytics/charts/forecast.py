"""Calls that are to be expected, with what the forecast was worth in the past."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import ACCENT, NEUTRAL, chart, figure, over_points, without

_BAND: Final = "rgba(0,114,178,0.18)"
_UNITS: Final = ((pd.Timedelta(hours=1), "half-hour"), (pd.Timedelta(days=1), "hour"))


@chart
def forecast(expected: pd.DataFrame) -> go.Figure:
    """Draw the expected calls with their prediction interval.

    Parameters
    ----------
    expected : pandas.DataFrame
        Result of `ucm_analytics.analyses.forecast`.

    Returns
    -------
    plotly.graph_objects.Figure
        x wall clock, y [calls per interval]: the forecast and its band.

    Raises
    ------
    WrongColumns
        `expected` is not such a result.
    """
    step = expected["local_at"].diff().min()
    name = next((word for limit, word in _UNITS if step < limit), "day")
    title = f"Calls to expect per {name}"
    if not expected["calls"].sum():
        return without("no calls are to be expected", title)
    drawn = figure(title, x=name, y=f"calls per {name}")
    edge = {"x": expected["local_at"], "mode": "lines", "line": {"width": 0, "shape": "hvh"}}
    drawn.add_scatter(
        y=expected["low"], name="at least", showlegend=False, hovertemplate="at least %{y}<extra></extra>", **edge
    )
    drawn.add_scatter(
        y=expected["high"],
        name="prediction interval",
        fill="tonexty",
        fillcolor=_BAND,
        hovertemplate="at most %{y}<extra></extra>",
        **edge,
    )
    drawn.add_scatter(
        x=expected["local_at"],
        y=expected["calls"],
        name="expected",
        mode="lines+markers" if name == "day" else "lines",
        line={"color": NEUTRAL, "shape": "hvh"},
        hovertemplate="%{x|%a %Y-%m-%d %H:%M}<br>%{y:.1f} calls expected<extra></extra>",
    )
    drawn.update_yaxes(rangemode="tozero")
    return over_points(drawn, expected["local_at"], hours=name != "day")


@chart
def forecast_backtest(weeks: pd.DataFrame) -> go.Figure:
    """Draw the error of the forecast of past weeks beside that of last week's counts.

    Parameters
    ----------
    weeks : pandas.DataFrame
        Result of `ucm_analytics.analyses.forecast_backtest`.

    Returns
    -------
    plotly.graph_objects.Figure
        One pair of bars per week, y [calls per interval, root mean square].

    Raises
    ------
    WrongColumns
        `weeks` is not such a result.
    """
    title = "Error of the forecast in past weeks"
    if not weeks["calls"].sum():
        return without("no week to forecast had calls", title)
    drawn = figure(title, x="week from", y="error, calls per interval", barmode="group")
    rows = [f"{first:%d %b %Y}" for first in weeks["first"]]
    for column, name, color in (
        ("rmse", "forecast", NEUTRAL),
        ("naive_rmse", "same interval of the week before", ACCENT),
    ):
        drawn.add_bar(
            x=rows,
            y=weeks[column],
            name=name,
            marker={"color": color, "line": {"width": 0}},
            customdata=weeks[["calls", "expected", "covered_rate"]],
            hovertemplate=f"%{{x}}<br>{name}: off by %{{y:.2f}} calls<br>%{{customdata[0]}} calls, "
            "%{customdata[1]:.0f} forecast<br>%{customdata[2]:.0%} inside the interval<extra></extra>",
        )
    drawn.update_xaxes(type="category")
    return drawn
