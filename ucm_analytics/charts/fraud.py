"""Signs of toll fraud: calls out by a trunk that look like someone else's, with the calls that are the evidence."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import RULE_COLORS, chart, figure, without

_MOST: Final = 20
_ROW_PX: Final = 24
_WORDS: Final = {
    "night": "while closed",
    "burst": "many in an hour",
    "short": "many short ones",
    "long": "very long",
    "at_once": "at the same time",
    "first_time": "never called before",
}


@chart
def fraud_signals(signals: pd.DataFrame) -> go.Figure:
    """Draw the score of each signal, the highest first.

    Parameters
    ----------
    signals : pandas.DataFrame
        Result of `ucm_analytics.analyses.fraud_signals`.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar per signal, x score [0-100]; at most 20 rows.

    Raises
    ------
    WrongColumns
        `signals` is not such a result.
    """
    title = "Signs of toll fraud, by score"
    if not signals["calls"].sum():
        return without("no signs of toll fraud", title)
    shown = signals.head(_MOST)
    note = "" if len(shown) == len(signals) else f"the {_MOST} highest of {len(signals)}"
    drawn = figure(title, note, x="score", height=max(240, 170 + _ROW_PX * len(shown)))
    for rule, color in RULE_COLORS.items():
        some = shown[shown["rule"].astype(str) == rule]
        if len(some):
            drawn.add_bar(
                x=some["score"],
                y=[_row(*row) for row in zip(some["signal"], some["extension"], some["area"], strict=True)],
                orientation="h",
                name=_WORDS[rule],
                marker={"color": color, "line": {"width": 0}},
                customdata=some[["calls", "talk_s"]].assign(at=some["first_at"].dt.strftime("%a %Y-%m-%d %H:%M")),
                hovertemplate=f"%{{y}}<br>{_WORDS[rule]}: score %{{x}}<br>%{{customdata[0]}} calls, "
                "%{customdata[1]} s talked<br>from %{customdata[2]}<extra></extra>",
            )
    rows = [_row(*row) for row in zip(shown["signal"], shown["extension"], shown["area"], strict=True)]
    drawn.update_xaxes(range=[0, 100])
    drawn.update_yaxes(type="category", categoryarray=rows, categoryorder="array", dtick=1, showgrid=False)
    drawn.update_yaxes(range=[len(rows) - 0.5, -0.5])
    drawn.update_layout(showlegend=True, barmode="stack")
    return drawn


@chart
def fraud_evidence(evidence: pd.DataFrame) -> go.Figure:
    """Draw when the calls behind the signals were made, by day and clock hour.

    Parameters
    ----------
    evidence : pandas.DataFrame
        Result of `ucm_analytics.analyses.fraud_evidence`.

    Returns
    -------
    plotly.graph_objects.Figure
        One mark per signal and call, x day, y clock time [h], colour by rule.

    Raises
    ------
    WrongColumns
        `evidence` is not such a result.
    """
    title = "Calls behind the signs of toll fraud"
    if not evidence["calls"].sum():
        return without("no calls are the evidence of a sign", title)
    drawn = figure(title, x="day", y="clock hour")
    for rule, color in RULE_COLORS.items():
        some = evidence[evidence["rule"].astype(str) == rule]
        if len(some):
            at = some["local_at"].dt
            drawn.add_scatter(
                x=at.normalize(),
                y=at.hour + at.minute / 60,
                mode="markers",
                name=_WORDS[rule],
                marker={"color": color, "size": 8, "opacity": 0.7},
                customdata=some[["signal", "extension", "callee", "talk_s"]].astype(object).fillna("?"),
                hovertemplate="%{x|%a %Y-%m-%d}<br>signal %{customdata[0]}: %{customdata[1]} called "
                "%{customdata[2]}<br>%{customdata[3]} s talked<extra></extra>",
            )
    drawn.update_yaxes(range=[24, 0], dtick=4)
    drawn.update_layout(showlegend=True)
    return drawn


def _row(signal: int, extension: object, area: object) -> str:
    who = "several" if pd.isna(extension) else str(extension)  # type: ignore[call-overload]
    return f"{signal}: {who}" + ("" if pd.isna(area) else f" to {area}")  # type: ignore[call-overload]
