"""How many calls, and when: intervals, hours of the week, the busy hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics import analyses
from ucm_analytics.charts.template import (
    ACCENT,
    CLOSED,
    DIRECTION_COLORS,
    NAMED,
    NEUTRAL,
    NOT_ANSWERED,
    OUTCOME_COLORS,
    PALE_TO_DARK,
    chart,
    figure,
    node,
    ordered,
    over_days,
    without,
    words,
)

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOUR_MS: Final = 3_600_000
_INTERVALS: Final[dict[str, tuple[str, Any, pd.DateOffset]]] = {
    "1h": ("hour", _HOUR_MS, pd.DateOffset(hours=1)),
    "1d": ("day", 24 * _HOUR_MS, pd.DateOffset(days=1)),
    "1w": ("week", 7 * 24 * _HOUR_MS, pd.DateOffset(weeks=1)),
    "1mo": ("month", "M1", pd.DateOffset(months=1)),
}
"""Name of an interval, and its length as plotly and as pandas want it."""
_TICKS: Final = {
    "hour": "%H:%M<br>%a %d %b",
    "day": "%a<br>%d %b",
    "week": "from<br>%d %b",
    "month": "%b<br>%Y",
}
_VALUES: Final = 7
"""Values that have a colour each, beside one for all others."""
_SPLIT: Final = {"answered_by": "person who answered", "ended_in": "last step", "pbx": "PBX"}
_STEPS: Final = ("entry", "ended_in")
_COLORS: Final = {"direction": DIRECTION_COLORS, "outcome": OUTCOME_COLORS}


@chart
def call_volume(volume: pd.DataFrame) -> go.Figure:
    """Draw calls per interval as bars, stacked by what they were split by.

    Parameters
    ----------
    volume : pandas.DataFrame
        Result of `ucm_analytics.analyses.call_volume`.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace per value of the column that the volume was split by, at most seven and one for all others;
        y [calls per interval], x wall clock.

    Raises
    ------
    WrongColumns
        `volume` is not such a result.
    """
    by = next((str(n) for n in volume if n not in {c.name for c in analyses.call_volume.columns}), None)
    by_what = f", by {_SPLIT.get(by, by)}" if by else ""
    if volume.empty:
        return without("no calls", f"Calls{by_what}")
    name, period, length = _INTERVALS[volume["freq"].iloc[0]]
    title = f"Calls per {name}{by_what}"
    if not volume["calls"].sum():
        return without("no calls", title)
    drawn = figure(title, x=name, y=f"calls per {name}", barmode="stack")
    colors = _COLORS.get(by or "", {})
    if by and not colors:
        volume = _few(volume, by)
    label = node if by in _STEPS else words
    for value in ordered(volume[by], colors) if by else [None]:
        drawn.add_trace(_bars(volume if by is None else volume[volume[by] == value], value, period, colors, label))
    if by and volume[by].isna().any():
        none = f"no {_SPLIT.get(by, by)}"
        drawn.add_trace(_bars(volume[volume[by].isna()], none, period, {none: NOT_ANSWERED}, words))
    drawn.update_yaxes(rangemode="tozero")
    drawn.update_layout(showlegend=by is not None)
    first = volume["local_at"].iloc[0]
    if volume["local_at"].nunique() == 1:  # plotly names a period only beside others
        middle = first + (first + length - first) / 2
        return drawn.update_xaxes(tickvals=[middle], ticktext=[f"{first:{_TICKS[name]}}"])
    if name in ("hour", "day"):
        return over_days(drawn, volume["local_at"].min(), volume["local_at"].max(), hours=name == "hour")
    if volume["local_at"].nunique() <= NAMED:
        drawn.update_xaxes(tick0=first, dtick=period, tickformat=_TICKS[name], ticklabelmode="period")
    return drawn


@chart
def hour_of_week(hours: pd.DataFrame, *, opening: Mapping[int, tuple[int, int]] | None = None) -> go.Figure:
    """Draw the mean of calls in each hour of the week as a heat map, closed hours in grey.

    Parameters
    ----------
    hours : pandas.DataFrame
        Result of `ucm_analytics.analyses.hour_of_week`.
    opening : mapping of int to (int, int), optional
        For each weekday (0 Monday) the hour that opens it and the hour that closes it: ``{0: (8, 18)}`` is
        Monday 08:00 to 18:00; a weekday that is not there is closed. Without it, an hour of the week in which
        no call came in the whole period is taken as closed.

    Returns
    -------
    plotly.graph_objects.Figure
        Rows Monday to Sunday, columns 0 to 23 h, colour mean calls per hour; closed hours grey, with the mean
        as text where there were calls.

    Raises
    ------
    WrongColumns
        `hours` is not such a result.
    """
    title = "Mean calls per hour, by hour of the week"
    if not hours["calls"].sum():
        return without("no calls", title)
    week = hours.pivot_table(
        index="weekday", columns="hour", values=["calls_per_day", "calls", "days"], aggfunc="first"
    )
    counts = [
        [[week["calls"].loc[day, hour], week["days"].loc[day, hour]] for hour in week["calls"].columns]
        for day in week.index
    ]
    means = week["calls_per_day"]
    closed = pd.DataFrame(
        [[_is_closed(day, hour, opening, means.loc[day, hour]) for hour in means.columns] for day in means.index]
    )
    note = "grey: closed" if opening is not None else "grey: no call in the whole period, taken as closed"
    drawn = figure(title, note if closed.to_numpy().any() else "", x="clock hour")
    drawn.add_trace(
        go.Heatmap(
            x=week["calls"].columns.to_list(),
            y=[_DAYS[day] for day in week.index],
            z=means.to_numpy(),
            customdata=counts,
            colorscale=PALE_TO_DARK,
            zmin=0,
            xgap=1,
            ygap=1,
            colorbar={"title": {"text": "calls<br>per hour"}, "thickness": 14},
            hovertemplate="%{y} %{x}:00<br>%{z:.2f} calls per hour<br>"
            "%{customdata[0]} calls on %{customdata[1]} days<extra></extra>",
        )
    )
    if closed.to_numpy().any():
        drawn.add_trace(
            go.Heatmap(
                x=means.columns.to_list(),
                y=[_DAYS[day] for day in means.index],
                z=closed.astype(float).where(closed).to_numpy(),
                text=means.where(closed.to_numpy()).map(lambda mean: f"{mean:.1f}" if mean > 0 else "").to_numpy(),
                texttemplate="%{text}",
                textfont={"size": 10, "color": "#222222"},
                customdata=counts,
                colorscale=[[0, CLOSED], [1, CLOSED]],
                showscale=False,
                xgap=1,
                ygap=1,
                hoverongaps=False,
                hovertemplate="%{y} %{x}:00, closed<br>%{customdata[0]} calls on %{customdata[1]} days<extra></extra>",
            )
        )
    drawn.update_xaxes(dtick=2, tick0=0, showgrid=False, zeroline=False, tickangle=0)
    drawn.update_yaxes(autorange="reversed", showgrid=False)
    return drawn


@chart
def busy_hour(hours: pd.DataFrame) -> go.Figure:
    """Draw the mean day by clock hour, and the busiest 60 minutes that begin in each hour.

    Parameters
    ----------
    hours : pandas.DataFrame
        Result of `ucm_analytics.analyses.busy_hour`.

    Returns
    -------
    plotly.graph_objects.Figure
        Bars: mean calls per clock hour, the busy hour in another colour. Lines: from the fewest to the most calls
        that are usual. Diamonds: the most calls in any 60 minutes that begin in the hour.

    Raises
    ------
    WrongColumns
        `hours` is not such a result.
    """
    title = "Busy hour: calls in 60 minutes, by clock hour"
    if not hours["calls"].sum():
        return without("no calls", title)
    note = "bars: mean over days; lines: usual range; diamonds: most in 60 min that begin then"
    drawn = figure(title, note, x="clock hour", y="calls in 60 minutes", barmode="overlay", showlegend=False)
    for busy, name, color in ((False, "mean over days", NEUTRAL), (True, "busy hour, mean over days", ACCENT)):
        some = hours[hours["is_busy_hour"] == busy]
        drawn.add_bar(
            x=some["hour"],
            y=some["calls_per_day"],
            name=name,
            marker_color=color,
            error_y=_whiskers(some),
            customdata=some[["calls", "days", "low", "high"]],
            hovertemplate="%{x}:00<br>%{y:.2f} calls a day, usually %{customdata[2]} to %{customdata[3]}<br>"
            "%{customdata[0]} calls in %{customdata[1]} days<extra></extra>",
        )
    peaks = hours[hours["peak_calls"] > 0]
    drawn.add_scatter(
        x=peaks["hour"],
        y=peaks["peak_calls"],
        mode="markers",
        name="most in any 60 minutes from this hour",
        marker={"symbol": "diamond", "size": 9, "color": "#555555"},
        customdata=peaks["peak_at"].dt.strftime("%a %Y-%m-%d %H:%M:%S"),
        hovertemplate="%{y} calls in the 60 minutes<br>from %{customdata}<extra></extra>",
    )
    heights = hours[["calls_per_day", "high", "peak_calls"]].astype("float64").max(axis=1)
    peak = hours[hours["is_peak"]]
    labels = [
        (hour, "busy hour", heights[(hours["hour"] - hour).abs() <= 2].max(), 12)
        for hour in hours.loc[hours["is_busy_hour"], "hour"]
    ]
    labels += [
        (hour, f"{calls} {'call' if calls == 1 else 'calls'} from {at:%a %Y-%m-%d %H:%M}", 1.25 * heights.max(), 0)
        for hour, calls, at in zip(peak["hour"], peak["peak_calls"], peak["peak_at"], strict=True)
    ]
    for hour, text, height, up in labels:  # above all whiskers and diamonds
        side = "left" if hour < 6 else "right" if hour > 17 else "center"
        place = {"xanchor": side, "yanchor": "middle" if up else "top", "yshift": up}
        drawn.add_annotation(x=hour, y=height, text=text, showarrow=False, **place)
    drawn.update_xaxes(dtick=2, tick0=0, tickangle=0, range=[-0.6, 23.6], showgrid=False)
    drawn.update_yaxes(range=[0, 1.25 * heights.max()])
    return drawn


def _whiskers(hours: pd.DataFrame) -> dict[str, Any]:
    """From the mean to the ends of what is usual."""
    mean = hours["calls_per_day"]
    return {
        "array": (hours["high"].astype("float64") - mean).clip(lower=0),
        "arrayminus": (mean - hours["low"].astype("float64")).clip(lower=0),
        "color": "#777777",
        "thickness": 1,
        "width": 3,
    }


def _is_closed(day: int, hour: int, opening: Mapping[int, tuple[int, int]] | None, calls: float) -> bool:
    if opening is None:
        return bool(calls == 0)
    first, last = opening.get(day, (0, 0))
    return not first <= hour < last


def _few(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """No more values than there are colours: all but those with most calls together."""
    values = frame[by].astype("str")
    sums = frame["calls"].groupby(values).sum().sort_values(ascending=False, kind="stable")
    rare = sums.index[_VALUES:]
    if len(rare) < 2:
        return frame
    named = frame.assign(**{by: values.where(~values.isin(rare), f"{len(rare)} others")})
    keys = [name for name in frame if name not in ("calls", "answered")]
    return named.groupby(keys, as_index=False, dropna=False, sort=False, observed=True)[["calls", "answered"]].sum()


def _bars(
    frame: pd.DataFrame, value: str | None, period: Any, colors: dict[str, str], label: Callable[[str], str]
) -> go.Bar:
    shown = label(value) if value else "calls"
    return go.Bar(
        x=frame["local_at"],
        y=frame["calls"],
        name=shown,
        marker={"color": colors.get(value or "", NEUTRAL if value is None else None), "line": {"width": 0}},
        xperiod=period,
        xperiod0=frame["local_at"].iloc[0],
        xperiodalignment="middle",
        customdata=frame["answered"],
        hovertemplate=f"%{{x|%a %Y-%m-%d %H:%M}}<br>%{{y}} {shown}<br>%{{customdata}} answered<extra></extra>",
    )
