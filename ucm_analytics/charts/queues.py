"""Queues: who was answered, who gave up, who picked up."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import (
    ACCENT,
    MENU_COLORS,
    OUTCOME_COLORS,
    RING_COLORS,
    chart,
    figure,
    without,
)

_ROW_PX: Final = 20
_BAR_PX: Final = 44
_ENDS: Final = {
    "answered": ("answered", OUTCOME_COLORS["answered"]),
    "abandoned_long": ("caller left", OUTCOME_COLORS["abandoned"]),
    "abandoned_short": ("caller left at once", ACCENT),
    "overflowed": ("went on unanswered", MENU_COLORS["went on, not answered"]),
    "other": ("other end", MENU_COLORS["other"]),
}
_FATES: Final = {
    "answered": "answered",
    "elsewhere": "picked up by a colleague",
    "missed": "missed",
    "unreachable": "busy or not reachable",
}


@chart
def queues(queues: pd.DataFrame) -> go.Figure:
    """Draw how the visits to each queue ended, as stacked bars.

    Parameters
    ----------
    queues : pandas.DataFrame
        Result of `ucm_analytics.analyses.queues`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per queue, x [visits]: answered, abandoned, short abandons, overflowed, other.

    Raises
    ------
    WrongColumns
        `queues` is not such a result.
    """
    title = "How visits to queues ended"
    if not queues["offered"].sum():
        return without("no caller came to a queue", title)
    queues = queues.assign(abandoned_long=queues["abandoned"] - queues["abandoned_short"])
    drawn = figure(title, x="visits to the queue", barmode="stack", height=max(240, 150 + _BAR_PX * len(queues)))
    for name, (shown, color) in _ENDS.items():
        drawn.add_bar(
            x=queues[name],
            y=rows_of(queues),
            orientation="h",
            name=shown,
            showlegend=bool(queues[name].sum()),
            marker={"color": color, "line": {"width": 0}},
            customdata=queues[["offered"]],
            hovertemplate=f"queue %{{y}}<br>%{{x}} of %{{customdata[0]}} visits: {shown}<extra></extra>",
        )
    drawn.update_xaxes(rangemode="tozero")
    drawn.update_yaxes(type="category", autorange="reversed", dtick=1, showgrid=False)
    return drawn


@chart
def queue_agents(agents: pd.DataFrame) -> go.Figure:
    """Draw what came of the visits that rang each agent, as stacked bars.

    Parameters
    ----------
    agents : pandas.DataFrame
        Result of `ucm_analytics.analyses.queue_agents`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per queue and agent, x [visits]: answered, picked up by a colleague, missed, unreachable.

    Raises
    ------
    WrongColumns
        `agents` is not such a result.
    """
    title = "Visits that rang each agent"
    if not agents["offered"].sum():
        return without("no phone of an agent rang", title)
    rows = agents["extension"].astype(str)
    if agents["queue"].nunique() > 1 or agents["pbx"].nunique() > 1:
        rows = rows_of(agents) + " › " + rows
    drawn = figure(title, x="visits that rang the agent", barmode="stack", height=max(240, 150 + _ROW_PX * len(agents)))
    rate = [f"{value:.0%}" if pd.notna(value) else "–" for value in agents["answered_rate"]]
    for name, shown in _FATES.items():
        drawn.add_bar(
            x=agents[name],
            y=rows,
            orientation="h",
            name=shown,
            showlegend=bool(agents[name].sum()),
            marker={"color": RING_COLORS[name], "line": {"width": 0}},
            customdata=list(zip(agents["offered"], rate, strict=True)),
            hovertemplate=f"%{{y}}<br>%{{x}} of %{{customdata[0]}} visits {shown}<br>"
            "answered rate %{customdata[1]}<extra></extra>",
        )
    drawn.update_xaxes(rangemode="tozero")
    drawn.update_yaxes(type="category", autorange="reversed", dtick=1, showgrid=False, tickfont_size=11)
    return drawn


def rows_of(frame: pd.DataFrame) -> pd.Series:
    """Labels of queues, with the PBX where there are several."""
    rows = frame["queue"].astype(str)
    return rows + " @ " + frame["pbx"].astype(str) if frame["pbx"].nunique() > 1 else rows
