"""Service level by every formula in use, and how the waits are spread."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.queues import rows_of
from ucm_analytics.charts.template import NEUTRAL, OUTCOME_COLORS, chart, figure, ordered, without

_ROW_PX: Final = 100
_STEP: Final = 0.15
FORMULAS: Final = {
    "sl_f1": "1: left in time counts as served",
    "sl_f2": "2: of the answered only",
    "sl_f3": "3: of answered and left",
    "sl_f4": "4: without left in time",
    "sl_f5": "5: left at once counts as served",
    "sl_genesys": "Genesys",
}
"""What tells one formula of the service level from the others."""
_SYMBOLS: Final = ("circle", "triangle-up", "square", "diamond", "cross", "x")


@chart
def service_level(levels: pd.DataFrame) -> go.Figure:
    """Draw the service level of each queue by each formula, as dots; the headline is filled.

    Parameters
    ----------
    levels : pandas.DataFrame
        Result of `ucm_analytics.analyses.service_level`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per queue, x [share], one mark per formula; a level that is NA has no mark.

    Raises
    ------
    WrongColumns
        `levels` is not such a result.
    """
    title = "Service level, by formula"
    if not levels["offered"].sum():
        return without("no caller came to a queue", title)
    title += f": within {levels['target_s'].iloc[0]} s"
    labels = rows_of(levels)
    rows = {label: row for row, label in enumerate(dict.fromkeys(labels))}
    drawn = figure(title, x="service level", height=190 + _ROW_PX * len(rows))
    for place, ((variant, shown), symbol) in enumerate(zip(FORMULAS.items(), _SYMBOLS, strict=True)):
        some = levels[levels["variant"] == variant]
        chosen = bool(some["is_headline"].any())
        drawn.add_scatter(
            x=some["service_level"],
            # formulas often agree: each has a line of its own in the row of its queue
            y=labels[some.index].map(rows) + (place - (len(FORMULAS) - 1) / 2) * _STEP,
            mode="markers",
            name=f"{shown} (headline)" if chosen else shown,
            marker={
                "symbol": symbol if chosen else f"{symbol}-open",
                "size": 13 if chosen else 10,
                "color": NEUTRAL if chosen else "#555555",
                "line": {"width": 2},
            },
            customdata=list(zip(labels[some.index], some["numerator"], some["denominator"], strict=True)),
            hovertemplate=f"queue %{{customdata[0]}}<br>formula {shown}<br>%{{x:.1%}}: %{{customdata[1]}} of "
            "%{customdata[2]}<extra></extra>",
        )
    drawn.update_xaxes(range=[-0.02, 1.02], tickformat=".0%")
    drawn.update_yaxes(
        range=[len(rows) - 0.5, -0.5],
        tickvals=list(rows.values()),
        ticktext=list(rows),
        showgrid=False,
        zeroline=False,
    )
    for row in range(1, len(rows)):
        drawn.add_hline(y=row - 0.5, line={"width": 1, "color": "#CCCCCC"})
    return drawn


@chart
def queue_waits(waits: pd.DataFrame) -> go.Figure:
    """Draw how many visits waited how long, answered and abandoned stacked.

    Parameters
    ----------
    waits : pandas.DataFrame
        Result of `ucm_analytics.analyses.queue_waits`.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar per bin up to the last with visits, x wait [s], y [visits].

    Raises
    ------
    WrongColumns
        `waits` is not such a result.
    """
    title = "Answered and abandoned visits to queues, by their wait"
    if not waits["calls"].sum():
        return without("no visit to a queue was answered or abandoned", title)
    drawn = figure(title, x="wait [s]", y="visits to the queue", barmode="stack", bargap=0)
    last = int(waits.loc[waits["calls"] > 0, "from_s"].max())
    shown = waits[waits["from_s"] <= last]
    width = int(waits["to_s"].iloc[0] - waits["from_s"].iloc[0])
    for result in ordered(shown["result"], OUTCOME_COLORS):
        some = shown[shown["result"] == result]
        ends = [
            f"longer than {a} s" if pd.isna(b) else f"up to {b} s" if a == 0 else f"over {a} to {b} s"
            for a, b in zip(some["from_s"], some["to_s"], strict=True)
        ]
        drawn.add_bar(
            x=some["from_s"],
            y=some["calls"],
            width=width,
            offset=0,
            name=result,
            marker={"color": OUTCOME_COLORS[result], "line": {"color": "white", "width": 1}},
            customdata=list(zip(ends, some["share"], strict=True)),
            hovertemplate=f"%{{customdata[0]}}<br>%{{y}} {result}<br>%{{customdata[1]:.1%}} of them<extra></extra>",
        )
    if shown["to_s"].isna().any():
        drawn.add_annotation(
            x=last + width, y=0, text=f"longer than {last} s", showarrow=False, xanchor="right", yshift=-32
        )
    drawn.update_xaxes(range=[0, last + width], showgrid=False)
    drawn.update_yaxes(rangemode="tozero")
    return drawn
