"""Patience: how long callers are willing to wait in a queue."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import ACCENT, NEUTRAL, chart, figure, without

_BAND: Final = "rgba(0,114,178,0.18)"


@chart
def patience(patience: pd.DataFrame) -> go.Figure:
    """Draw the share of callers who would wait longer, as steps with a band, and the median.

    Parameters
    ----------
    patience : pandas.DataFrame
        Result of `ucm_analytics.analyses.patience`.

    Returns
    -------
    plotly.graph_objects.Figure
        x wait [s], y [share]: the Kaplan-Meier curve, its 95 % band, and the median where there is one.

    Raises
    ------
    WrongColumns
        `patience` is not such a result.
    """
    title = "Patience: share of callers who would still wait"
    if not patience["offered"].sum():
        return without("no caller came to a queue", title)
    note = (
        f"{patience['offered'].iloc[0]:,} visits, {patience['abandoned'].sum():,} of them abandoned; shaded: 95 % band"
    )
    drawn = figure(title, note, x="wait [s]", y="share of callers", showlegend=False)
    band = patience.dropna(subset=["low_level", "high_level"])
    around: dict[str, Any] = {"x": band["wait_s"], "mode": "lines", "line": {"shape": "hv", "width": 0}}
    for name, end in (("low_level", "at least"), ("high_level", "at most")):
        drawn.add_scatter(
            y=band[name],
            name="95 % band",
            fill="tonexty" if name == "high_level" else None,
            fillcolor=_BAND,
            hovertemplate=f"{end} %{{y:.1%}}<extra></extra>",
            **around,
        )
    drawn.add_scatter(
        x=[0, *patience["wait_s"]],
        y=[1, *patience["patience_level"]],
        mode="lines",
        name="would still wait",
        line={"shape": "hv", "color": NEUTRAL, "width": 2},
        customdata=[int(patience["offered"].iloc[0]), *patience["at_risk"]],
        hovertemplate="after %{x} s<br>%{y:.1%} would still wait<br>%{customdata} visits lasted so long<extra></extra>",
    )
    median = patience["median_s"].iloc[0]
    if pd.notna(median):
        drawn.add_scatter(
            x=[int(median)],
            y=[0.5],
            mode="markers+text",
            name="median",
            text=[f"median {median} s"],
            textposition="top right" if median < patience["wait_s"].iloc[-1] * 0.8 else "top left",
            marker={"color": ACCENT, "size": 11, "line": {"color": "white", "width": 1}},
            hovertemplate=f"half would have left by {median} s<extra></extra>",
        )
    drawn.update_yaxes(range=[0, 1.02], tickformat=".0%")
    drawn.update_xaxes(rangemode="tozero")
    return drawn
