"""How many agents a queue needs, half hour by half hour, and whether that would have been right."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ucm_analytics.charts.template import ACCENT, NEUTRAL, chart, figure, without

_PANEL_PX: Final = 190
_GAP_PX: Final = 60
_MOST: Final = 12
"""So many panels fit on a page that somebody still reads."""

_FEW: Final = 8  # agents that have a tick each
_MODELS: Final = {"c": ("Erlang C", NEUTRAL, "rgba(0, 114, 178, 0.18)"), "a": ("Erlang A", ACCENT, "rgba(0, 0, 0, 0)")}
_DAY: Final = "2000-01-01"


@chart
def staffing(need: pd.DataFrame) -> go.Figure:
    """Draw the agents that each queue needs over the day, with the interval of the estimate.

    Parameters
    ----------
    need : pandas.DataFrame
        Result of `ucm_analytics.analyses.staffing`.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel per queue and kind of day that has callers, at most twelve: steps for the agents needed by
        Erlang C with their 95 % band, and by Erlang A; x time of day.

    Raises
    ------
    WrongColumns
        `need` is not such a result.
    """
    title = "Agents needed, per half hour"
    if not need["offered"].sum():
        return without("no caller came to a queue", title)
    drawn, panels = _panels(need, title)
    for row, some in enumerate(panels, start=1):
        for model, (name, color, band) in _MODELS.items():
            known = some[some[f"agents_{model}"].notna()]
            if known.empty:
                continue
            at = _steps(known)
            values = {end: _closed(known[f"agents_{model}{end}"]) for end in ("", "_low", "_high")}
            if model == "c":
                drawn.add_traces(_band(at, values["_low"], values["_high"], name, band, "hv"), rows=row, cols=1)
            drawn.add_scatter(
                x=at,
                y=values[""],
                mode="lines",
                line={"shape": "hv", "color": color, "width": 2, "dash": "solid" if model == "c" else "dot"},
                name=f"agents by {name}",
                legendgroup=model,
                customdata=list(zip(values["_low"], values["_high"], _closed(known["callers"]), strict=True)),
                hovertemplate=f"%{{x|%H:%M}}<br>{name}: %{{y}} agents (%{{customdata[0]}} to %{{customdata[1]}})"
                "<br>%{customdata[2]:.1f} callers<extra></extra>",
                row=row,
                col=1,
            )
    highest = need[["agents_c", "agents_c_high"]].max().max()
    few = {"dtick": 1} if pd.notna(highest) and highest <= _FEW else {}
    drawn.update_yaxes(rangemode="tozero", title_text="agents", **few)
    return _once(drawn)


@chart
def staffing_check(check: pd.DataFrame) -> go.Figure:
    """Draw the service level that was reached beside the one that the formulas predict.

    Parameters
    ----------
    check : pandas.DataFrame
        Result of `ucm_analytics.analyses.staffing_check`.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel per queue and kind of day that has callers, at most twelve: dots with 95 % intervals for the
        level reached, a line with its band for Erlang A (C where nobody hung up); x time of day, y [share].

    Raises
    ------
    WrongColumns
        `check` is not such a result.
    """
    title = "Answered in time: predicted and reached, per half hour"
    if not check["offered"].sum():
        return without("no caller came to a queue", title)
    drawn, panels = _panels(check, title)
    for row, every in enumerate(panels, start=1):
        some = every[every["offered"] > 0]
        at = _times(some) + pd.Timedelta(minutes=15)
        model = "a" if some["level_a"].notna().any() else "c"
        name = _MODELS[model][0]
        if some[f"level_{model}"].notna().any():
            band = _MODELS["c"][2]
            low, high = some[f"level_{model}_low"].to_list(), some[f"level_{model}_high"].to_list()
            drawn.add_traces(_band(at.to_list(), low, high, name, band, "linear"), rows=row, cols=1)
            drawn.add_scatter(
                x=at,
                y=some[f"level_{model}"],
                mode="lines+markers",
                line={"color": NEUTRAL, "width": 2},
                marker={"size": 4},
                name=f"predicted by {name}",
                legendgroup=model,
                customdata=some["agents"],
                hovertemplate=f"%{{x|%H:%M}}<br>{name}: %{{y:.0%}} with %{{customdata:.1f}} agents<extra></extra>",
                row=row,
                col=1,
            )
        drawn.add_scatter(
            x=at,
            y=some["reached_level"],
            mode="markers",
            marker={"color": ACCENT, "size": 8},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": some["reached_high"] - some["reached_level"],
                "arrayminus": some["reached_level"] - some["reached_low"],
                "color": ACCENT,
                "thickness": 1,
                "width": 2,
            },
            name="reached, 95 % interval",
            legendgroup="reached",
            customdata=some[["in_time", "offered"]],
            hovertemplate="%{x|%H:%M}<br>reached %{y:.0%}: %{customdata[0]} of %{customdata[1]}<extra></extra>",
            row=row,
            col=1,
        )
    drawn.update_yaxes(range=[-0.05, 1.05], tickformat=".0%", title_text="answered in time")
    return _once(drawn)


def _panels(frame: pd.DataFrame, title: str) -> tuple[go.Figure, list[pd.DataFrame]]:
    """An empty panel per queue and kind of day with callers, and the rows to draw in it."""
    queues = frame["queue"].astype("str")
    pbxs = frame["pbx"].astype("str")
    labels = "queue " + (queues if pbxs.nunique() < 2 else queues + " (" + pbxs + ")")
    labels = labels + ", " + frame["day_type"].astype("str")
    calls = frame["offered"].groupby(labels, sort=False).sum()
    shown = calls[calls > 0].index[:_MOST]
    minutes = frame.loc[frame["offered"] > 0, "minute"]
    within = frame["minute"].between(max(minutes.min() - 30, 0), min(minutes.max() + 30, 1410))
    height = 150 + _PANEL_PX * len(shown) + _GAP_PX * (len(shown) - 1)
    note = (
        f"the first {_MOST} of {int((calls > 0).sum())} queues and kinds of days" if (calls > 0).sum() > _MOST else ""
    )
    drawn = make_subplots(
        rows=len(shown),
        cols=1,
        shared_xaxes="all",
        figure=figure(title, note, height=height),
        subplot_titles=list(shown),
        vertical_spacing=_GAP_PX / (height - 150) if len(shown) > 1 else 0,
    )
    drawn.update_layout(margin_t=88)
    drawn.update_annotations(x=0, xanchor="left", font_size=13)
    drawn.update_xaxes(tickformat="%H:%M", showticklabels=True)
    drawn.update_xaxes(title_text="time of day", row=len(shown))
    return drawn, [frame[(labels == label) & within] for label in shown]


def _times(frame: pd.DataFrame) -> pd.Series[Any]:
    return pd.Timestamp(_DAY) + pd.to_timedelta(frame["minute"], unit="min")


def _steps(frame: pd.DataFrame) -> list[pd.Timestamp]:
    """Starts of the half hours and the end of the last one."""
    at = _times(frame)
    return [*at, at.iloc[-1] + pd.Timedelta(minutes=30)]


def _closed(values: pd.Series[Any]) -> list[Any]:
    return [*values, values.iloc[-1]]


def _band(at: list[Any], low: list[Any], high: list[Any], name: str, color: str, shape: str) -> list[go.Scatter]:
    common = {"x": at, "mode": "lines", "legendgroup": f"band {name}"}
    hover = f"%{{x|%H:%M}}<br>%{{y}} END end of the 95 % interval of {name}<extra></extra>"
    line = {"shape": shape, "width": 0}
    return [
        go.Scatter(y=low, line=line, showlegend=False, hovertemplate=hover.replace("END", "is the lower"), **common),
        go.Scatter(
            y=high,
            line=line,
            fill="tonexty",
            fillcolor=color,
            name=f"95 % interval of {name}",
            hovertemplate=hover.replace("END", "is the upper"),
            **common,
        ),
    ]


def _once(drawn: go.Figure) -> go.Figure:
    """Each name in the legend once; it switches its traces in all panels."""
    named = set()
    for trace in drawn.data:
        if trace.name is not None:
            trace.showlegend = trace.name not in named
            named.add(trace.name)
    return drawn
