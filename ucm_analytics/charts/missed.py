"""Missed callers: who was reached afterwards, how soon, and who calls again."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics import analyses
from ucm_analytics.charts.template import (
    CONTACT_COLORS,
    NEUTRAL,
    chart,
    figure,
    over_days,
    without,
    words,
)

_DAY_MS: Final = 86_400_000
_POINTS: Final = 1500
"""A curve of more points looks the same and makes the page larger."""
_NAMES: Final = {
    "returned": "called back and reached",
    "reached": "called again and was answered",
    "open": "still open",
    "withheld": "number withheld",
}
_ROW_PX: Final = 30


@chart
def missed_calls(missed: pd.DataFrame) -> go.Figure:
    """Draw the missed callers of each day, stacked by what came of them.

    Parameters
    ----------
    missed : pandas.DataFrame
        Result of `ucm_analytics.analyses.missed_calls`.

    Returns
    -------
    plotly.graph_objects.Figure
        x day of the first try, y [callers]: returned, reached, open, withheld.

    Raises
    ------
    WrongColumns
        `missed` is not such a result.
    """
    title = "Missed callers, by what came of them"
    if not len(missed):
        return without("no caller was missed", title)
    drawn = figure(title, x="day of the first try", y="callers", barmode="stack")
    for status, shown in _NAMES.items():
        some = missed[missed["status"].astype(str) == status]
        if len(some):
            drawn.add_histogram(
                x=some["first_at"],
                name=shown,
                xbins={"start": missed["first_at"].min().normalize(), "size": _DAY_MS},
                marker={"color": CONTACT_COLORS[status], "line": {"width": 0}},
                hovertemplate=f"%{{x}}<br>%{{y}} {shown}<extra></extra>",
            )
    drawn.update_layout(showlegend=True)
    return over_days(drawn, missed["first_at"].min(), missed["first_at"].max())


@chart
def time_to_callback(times: pd.DataFrame) -> go.Figure:
    """Draw the share of missed callers without contact by the time since they were missed, as steps.

    Parameters
    ----------
    times : pandas.DataFrame
        Result of `ucm_analytics.analyses.time_to_callback`.

    Returns
    -------
    plotly.graph_objects.Figure
        x [h] since the first try, y [share]: still open with its 95 % band, called back, called again.

    Raises
    ------
    WrongColumns
        `times` is not such a result.
    """
    title = "What came of missed callers, by time since the first try"
    if not len(times):
        return without("no caller with a known number was missed", title)
    times = times.iloc[_thinned(len(times))]
    hours = times["after_s"] / 3600
    drawn = figure(title, x="hours since the first try", y="share of missed callers")
    band = times.dropna(subset=["open_low", "open_high"])
    around = {"x": band["after_s"] / 3600, "mode": "lines", "line": {"shape": "hv", "width": 0}}
    at_least, at_most = (f"{end} %{{y:.1%}} still open<extra></extra>" for end in ("at least", "at most"))
    drawn.add_scatter(y=band["open_low"], name="at least", showlegend=False, hovertemplate=at_least, **around)
    drawn.add_scatter(
        y=band["open_high"],
        name="95 % interval",
        fill="tonexty",
        fillcolor="rgba(213,94,0,0.18)",
        hovertemplate=at_most,
        **around,
    )
    for name, status in (("open_rate", "open"), ("returned_rate", "returned"), ("reached_rate", "reached")):
        drawn.add_scatter(
            x=hours,
            y=times[name],
            name=_NAMES[status],
            mode="lines",
            line={"shape": "hv", "color": CONTACT_COLORS[status]},
            customdata=times["calls"],
            hovertemplate=f"after %{{x:.1f}} h<br>%{{y:.1%}} {_NAMES[status]}<br>"
            "%{customdata} callers still open and watched<extra></extra>",
        )
    drawn.update_yaxes(range=[0, 1.02], tickformat=".0%")
    drawn.update_xaxes(rangemode="tozero")
    return drawn


@chart
def repeat_callers(repeats: pd.DataFrame) -> go.Figure:
    """Draw the share of calls that were followed by another of the same caller, with intervals.

    Parameters
    ----------
    repeats : pandas.DataFrame
        Result of `ucm_analytics.analyses.repeat_callers`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per value that the calls were split by, x [share] with 95 % interval.

    Raises
    ------
    WrongColumns
        `repeats` is not such a result.
    """
    by = next((str(n) for n in repeats if n not in {c.name for c in analyses.repeat_callers.columns}), None)
    title = "Calls after which the caller called again" + (f", by {words(by)} of the call" if by else "")
    if not repeats["calls"].sum():
        return without("no calls from outside", title)
    if not repeats["decided"].sum():
        return without("no call could be followed to the end of its time", title)
    rows = ["all calls"] * len(repeats) if by is None else [_value(value, by) for value in repeats[by]]
    drawn = figure(title, x="share of the calls that could be followed", height=max(240, 150 + _ROW_PX * len(repeats)))
    drawn.add_scatter(
        x=repeats["repeat_rate"],
        y=rows,
        mode="markers",
        marker={"size": 10, "color": NEUTRAL},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": repeats["repeat_high"] - repeats["repeat_rate"],
            "arrayminus": repeats["repeat_rate"] - repeats["repeat_low"],
            "thickness": 1.5,
            "color": NEUTRAL,
        },
        customdata=repeats[["followed", "decided", "undecided"]],
        hovertemplate="%{y}<br>%{x:.0%} called again<br>%{customdata[0]} of %{customdata[1]} decided calls"
        "<br>%{customdata[2]} undecided<extra></extra>",
    )
    drawn.update_xaxes(range=[0, 1], tickformat=".0%")
    drawn.update_yaxes(type="category", categoryarray=rows, categoryorder="array", autorange="reversed", dtick=1)
    return drawn


def _thinned(rows: int) -> list[int]:
    step = max(1, -(-rows // _POINTS))
    return sorted({*range(0, rows, step), rows - 1})


def _value(value: Any, by: str) -> str:
    return f"no {words(by)}" if pd.isna(value) else words(str(value))
