"""How many calls, and when."""

from __future__ import annotations

from typing import Any, Literal

import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.population import FROM_OUTSIDE, from_outside
from ucm_analytics.documents.coverage import Coverage
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import clock, count, day, hour, number, plural, plural_mean, share, time, weekday
from ucm_analytics.metrics import formulas
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.reports._context import Context
from ucm_analytics.schema import DIRECTIONS, OUTCOMES

TITLE = "Call volume"
QUESTION = "How many calls were there, and when is the switchboard busiest?"

_WEEKS = 3
"""Fewer weeks are too few bars to say anything: a shorter period is shown by day."""


def build(context: Context) -> list[Section]:
    """Calls by day, week, hour of the week, hour of the day, and hour by hour."""
    period = context.period
    calls = context.scan("calls")
    days = context.days
    hours = _hours(calls, period, days)
    daily = analyses.call_volume(calls, freq="1d", holidays=days.absent, period=period)
    return [
        _by_day(calls, period, days, daily, hours),
        _by_direction(calls, period, days, daily),
        _by_hour_of_week(calls, period, days),
        _by_hour_of_day(hours),
        _hour_by_hour(calls, period, days),
    ]


def _hours(calls: nw.LazyFrame[Any], period: Period, days: Coverage) -> pd.DataFrame:
    """Means of the clock hours over the days that every PBX has, and the peaks of all days."""
    hours: pd.DataFrame = analyses.busy_hour(
        calls, holidays=days.uncounted, period=period, weekdays=EVERY_WEEKDAY, zones=days.zones
    )
    if days.uncounted == days.absent:
        return hours
    every = analyses.busy_hour(calls, period=period, weekdays=EVERY_WEEKDAY, zones=days.zones)
    return hours.assign(**every[["peak_calls", "peak_at", "is_peak"]])


def _by_day(
    calls: nw.LazyFrame[Any], period: Period, days: Coverage, daily: pd.DataFrame, hours: pd.DataFrame
) -> Section:
    volume = analyses.call_volume(calls, freq="1d", by="outcome", holidays=days.absent, period=period)
    table, columns = _wide(daily, volume, "outcome")
    return Section(
        title="Calls by day and outcome",
        sentence=_headline(calls, period, hours),
        figure=charts.call_volume(volume),
        table=table,
        columns=(TableColumn("local_at", "Day", "day"), *columns),
        formula=formulas("calls", "calls_answered"),
        reading="Answered means that a person picked up; a call that only a menu or a mailbox took is not "
        "answered. No answer is said of outbound and internal calls only. A day without calls is a row with 0, "
        "which may be a holiday or a line that was down: the records cannot tell. A day that was never "
        "pulled is no row.",
    )


def _by_direction(calls: nw.LazyFrame[Any], period: Period, days: Coverage, daily: pd.DataFrame) -> Section:
    freq: Literal["1d", "1w"] = "1w" if len(period) >= 7 * _WEEKS else "1d"
    name = "week" if freq == "1w" else "day"
    volume = analyses.call_volume(calls, freq=freq, by="direction", holidays=days.absent, period=period)
    every = analyses.call_volume(calls, freq=freq, holidays=days.absent, period=period)
    table, columns = _wide(every, volume, "direction")
    total = int(every["calls"].sum())
    counted = daily.loc[~daily["local_at"].dt.date.isin(days.uncounted), "calls"]
    over = f" over the {plural(len(counted), 'day')} pulled" if days.uncounted else ""
    sums = table[[shown.name for shown in columns[2:]]].sum().sort_values(ascending=False, kind="stable")
    by_direction = [f"{count(calls)} {name}" for name, calls in sums.items()]
    return Section(
        title=f"Calls by {name} and direction",
        sentence=f"{plural_mean(counted.mean(), 'call')} a day on average{over}: {', '.join(by_direction)} in all."
        if total
        else f"No calls in any {name}.",
        figure=charts.call_volume(volume),
        table=table,
        columns=(TableColumn("local_at", "Day" if name == "day" else "Week from", "day"), *columns),
        formula=formulas("calls", "calls_answered", "calls_per_day"),
        reading="Inbound came in by a trunk, outbound left by one, internal stayed inside. Weeks begin on Monday; the "
        "first and the last count only the days inside the period, so they look small when the period cuts them.",
    )


def _by_hour_of_week(calls: nw.LazyFrame[Any], period: Period, days: Coverage) -> Section:
    hours = analyses.hour_of_week(
        calls, holidays=days.uncounted, period=period, weekdays=EVERY_WEEKDAY, zones=days.zones
    )
    table = hours.pivot_table(index="hour", columns="weekday", values="calls_per_day", dropna=False)
    table = table.reindex(index=range(24), columns=range(7)).rename(columns=lambda n: weekday(n).lower())
    sentence = "No calls in any hour of the week."
    if hours["calls"].sum():
        top = busiest(hours)
        sentence = (
            f"{_at(top)} is the busiest hour of the week, with {plural_mean(top['calls_per_day'], 'call')} on average"
        )
        of_outside = calls.filter(from_outside())
        inbound = analyses.hour_of_week(
            of_outside, holidays=days.uncounted, period=period, weekdays=EVERY_WEEKDAY, zones=days.zones
        )
        if inbound["calls"].sum():
            outside = busiest(inbound)
            sentence += f"; for calls from outside it is {_at(outside)}, with {number(outside['calls_per_day'])}"
        sentence += "."
    return Section(
        title="Hours of the week",
        sentence=sentence,
        figure=charts.hour_of_week(hours),
        table=table.reset_index().rename_axis(columns=None),
        columns=(
            TableColumn("hour", "Hour", "hour"),
            *(TableColumn(weekday(n).lower(), weekday(n), "number") for n in range(7)),
        ),
        formula=formulas("hour_of_week"),
        reading="Dark cells are the hours to staff first. A period of few weeks says little about one cell: one "
        "unusual Monday moves every Monday hour.",
    )


def _by_hour_of_day(hours: pd.DataFrame) -> Section:
    sentence = "No calls in any hour of the day."
    if hours["calls"].sum():
        busy, peak = hours[hours["is_busy_hour"]].iloc[0], hours[hours["is_peak"]].iloc[0]
        sentence = (
            f"The hour of the day with most calls is {hour(busy['hour'])}, with {number(busy['calls_per_day'])} a day "
            "over all weekdays; the busiest "
            f"60 minutes began on {time(peak['peak_at'])}, with {plural(int(peak['peak_calls']), 'call')}."
        )
    return Section(
        title="Busy hour",
        sentence=sentence,
        figure=charts.busy_hour(hours),
        table=hours,
        columns=(
            TableColumn("hour", "Hour", "hour"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("calls_per_day", "Calls a day", "number"),
            TableColumn("low", "Usual from", "count"),
            TableColumn("high", "Usual to", "count"),
            TableColumn("peak_calls", "Most in 60 minutes", "count"),
            TableColumn("peak_at", "Beginning", "time"),
        ),
        formula=formulas("calls", "calls_per_day", "usual_calls", "tcbh", "busy_hour"),
        reading="The busy hour is what to plan for, the busiest 60 minutes is the worst that happened. Weekends "
        "and holidays are among the days, so the average of a working day lies higher.",
    )


def _hour_by_hour(calls: nw.LazyFrame[Any], period: Period, days: Coverage) -> Section:
    volume = analyses.call_volume(
        calls, freq="1h", by="direction", holidays=days.absent, period=period, zones=days.zones
    )
    every = analyses.call_volume(calls, freq="1h", holidays=days.absent, period=period, zones=days.zones)
    table = every.sort_values("calls", ascending=False, kind="stable", ignore_index=True)
    total = int(table["calls"].sum())
    half = int((table["calls"].cumsum() < total / 2).sum()) + 1
    return Section(
        title="Hour by hour",
        sentence=f"Calls began in {count((table['calls'] > 0).sum())} of {plural(len(table), 'hour')}; "
        f"the busiest {plural(half, 'hour')} {'holds' if half == 1 else 'hold'} half of them."
        if total
        else "No calls in any hour.",
        figure=charts.call_volume(volume),
        table=table,
        columns=(
            TableColumn("local_at", "Hour from", "time"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("low", "Usual from", "count"),
            TableColumn("high", "Usual to", "count"),
            TableColumn("answered", "Answered", "count"),
        ),
        formula=formulas("calls", "usual_calls", "calls_answered"),
        reading="A lone tall bar is one busy hour, not a habit. In the night when the clock goes back the hour "
        "that happens twice is two rows.",
    )


def busiest(hours: pd.DataFrame) -> pd.Series[Any]:
    """Row of `analyses.hour_of_week` with most calls a day, the first of equals."""
    return hours.iloc[int(hours["calls_per_day"].argmax())]


def _at(cell: pd.Series[Any]) -> str:
    return f"{weekday(cell['weekday'])} at {hour(cell['hour'])}"


def _headline(calls: nw.LazyFrame[Any], period: Period, hours: pd.DataFrame) -> str:
    volume = analyses.call_volume(calls, freq="1mo", by="direction", period=period)
    totals = volume.groupby(volume["direction"].astype(str))[["calls", "answered"]].sum()
    total = int(totals["calls"].sum())
    if not total:
        return "no calls were recorded."
    parts = [plural(total, "call")]
    if FROM_OUTSIDE in totals.index:
        inbound, answered = (int(n) for n in totals.loc[FROM_OUTSIDE, ["calls", "answered"]])
        if inbound:
            parts[0] += f", {count(inbound)} of them from outside" if inbound < total else ", all from outside"
            parts.append(f"{share(answered / inbound)} of the calls from outside reached a person")
    peak = hours[hours["is_peak"]].iloc[0]
    parts.append(
        f"the busiest 60 minutes began on {day(peak['peak_at'])} at {clock(peak['peak_at'])}, "
        f"with {plural(int(peak['peak_calls']), 'call')}"
    )
    return "; ".join(parts) + "."


def _wide(every: pd.DataFrame, volume: pd.DataFrame, by: str) -> tuple[pd.DataFrame, tuple[TableColumn, ...]]:
    """One row an interval, one column a value of `by`, and how to show all but the interval."""
    split = volume.assign(**{by: volume[by].astype(str)}).pivot_table(
        index="local_at", columns=by, values="calls", aggfunc="sum", fill_value=0
    )
    names = [name for name in (*OUTCOMES, *DIRECTIONS) if name in split and name != "answered"]
    others = split[names].rename_axis(columns=None)
    columns = (
        TableColumn("calls", "Calls", "count"),
        TableColumn("answered", "Answered by a person", "count"),
        *(TableColumn(name, name.replace("_", " ").capitalize(), "count") for name in names),
    )
    return every.merge(others, how="left", left_on="local_at", right_index=True), columns
