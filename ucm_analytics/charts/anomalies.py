"""Hours and days with more or fewer calls than their weekday and hour explain."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import NEUTRAL, OUTCOME_COLORS, chart, figure, over_points, without

_BAND: Final = "rgba(153,153,153,0.30)"
_LABELLED: Final = 12
"""More labels would cover each other."""


@chart
def anomalies(found: pd.DataFrame) -> go.Figure:
    """Draw the calls of each hour or day with the band of what is usual, and what lies outside.

    Parameters
    ----------
    found : pandas.DataFrame
        Result of `ucm_analytics.analyses.anomalies`.

    Returns
    -------
    plotly.graph_objects.Figure
        x wall clock, y [calls]: the band, the calls, and a mark at each interval outside of the band.

    Raises
    ------
    WrongColumns
        `found` is not such a result.
    """
    name = "hour" if "utc_offset_s" in found else "day"
    title = f"Calls per {name}, and what is usual"
    if not found["calls"].sum():
        return without("no calls", title)
    drawn = figure(title, x=name, y=f"calls per {name}")
    edge = {"mode": "lines", "line": {"width": 0, "shape": "hvh"}, "x": found["local_at"]}
    drawn.add_scatter(
        y=found["low"].astype("float64"),
        name="fewest usual",
        showlegend=False,
        hovertemplate="at least %{y}<extra></extra>",
        **edge,
    )
    drawn.add_scatter(
        y=found["high"].astype("float64"),
        name="usual",
        fill="tonexty",
        fillcolor=_BAND,
        showlegend=bool(found["high"].notna().any()),
        hovertemplate="at most %{y} usual<extra></extra>",
        **edge,
    )
    drawn.add_scatter(
        x=found["local_at"],
        y=found["calls"],
        name=f"calls per {name}",
        mode="lines+markers" if len(found) == 1 else "lines",
        line={"color": NEUTRAL, "width": 1.2},
        customdata=found["expected"],
        hovertemplate="%{x|%a %Y-%m-%d %H:%M}<br>%{y} calls, %{customdata:.1f} expected<extra></extra>",
    )
    some = found[found["is_anomaly"]]
    drawn.add_scatter(
        x=some["local_at"],
        y=some["calls"],
        name="unusual",
        showlegend=bool(len(some)),
        mode="markers+text" if len(some) <= _LABELLED else "markers",
        text=[f"{at:%a %d %b}" if name != "hour" else f"{at:%a %d %b %H:%M}" for at in some["local_at"]],
        textposition=[f"{end} center" for end in (some["calls"] > some["high"]).map({True: "top", False: "bottom"})],
        marker={"color": OUTCOME_COLORS["abandoned"], "size": 9, "symbol": "diamond"},
        customdata=some[["expected", "low", "high"]],
        hovertemplate="%{x|%a %Y-%m-%d %H:%M}<br>%{y} calls, %{customdata[0]:.1f} expected, "
        "%{customdata[1]} to %{customdata[2]} usual<extra></extra>",
    )
    drawn.update_yaxes(rangemode="tozero")
    return over_points(drawn, found["local_at"], hours=name != "day")
