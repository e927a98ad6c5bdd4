"""How many lines are in use at the same time, and how many are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import hour, number, plural, plural_mean, share, time
from ucm_analytics.documents.labels import Names, drawn
from ucm_analytics.metrics import formulas
from ucm_analytics.period import Period
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

    from ucm_analytics.analyses.instants import Zones

TITLE = "Trunks and traffic"
QUESTION = "How many calls are there at the same time, and how many lines does each trunk need?"

_BLOCKING: Final = 0.01
_RETRY: Final = 0.5
_TWO_LINES: Final = "A forwarded call holds a second line."
_HELD: Final = (
    "A call holds its line from its start to its end, menus and ringing included; calls last to the second, and one "
    "that begins in the second in which another ends does not add."
)


def build(context: Context) -> list[Section]:
    """Lines needed per trunk, most calls at the same time by day and trunk, and by hour."""
    period = context.period
    calls = context.scan("calls")
    names = context.names
    return [
        _trunks(calls, period, names),
        _by_day(calls, period, names, context.days.zones),
        _by_hour(calls, period, context.days.zones),
    ]


def _trunks(calls: nw.LazyFrame[Any], period: Period, names: Names) -> Section:
    usage = analyses.trunk_usage(calls, blocking=_BLOCKING, retry=_RETRY, period=period)
    labels = names.numbers("trunk", usage, "trunk")
    busy_on = [f"{days}, {hour(at)}" for days, at in zip(usage["day_type"], usage["busy_hour"], strict=True)]
    table = usage.assign(
        trunk=labels, busy_on=pd.Series(busy_on, index=usage.index, dtype="str"), line_s=3600 * usage["traffic"]
    )
    return Section(
        title="Lines needed",
        sentence=_headline(table),
        figure=charts.trunk_usage(usage.assign(pbx="", trunk=drawn(labels))),
        table=table,
        columns=(
            TableColumn("trunk", "Trunk"),
            TableColumn("calls", "Attempts", "count"),
            TableColumn("answered", "Answered", "count"),
            TableColumn("mean_hold_s", "Mean hold", "seconds"),
            TableColumn("peak", "Most lines at once", "count"),
            TableColumn("busy_on", "Hour of most line time"),
            TableColumn("bhca", "Attempts in it", "number"),
            TableColumn("line_s", "Line time in it", "seconds"),
            TableColumn("lines", "Lines needed", "count"),
            TableColumn("lines_low", "At least", "count"),
            TableColumn("lines_high", "At most", "count"),
            TableColumn("lines_retry", "With retries", "count"),
        ),
        formula=f"{_HELD} Lines needed: the fewest that block at most {share(_BLOCKING)} of the attempts in the busy "
        "hour, which is the clock hour of one kind of days with the most traffic. The interval (95 %) is that of a sum "
        f"of holds that come by chance. With retries: {share(_RETRY)} of the blocked callers dial again at once.\n"
        + formulas("concurrency", "bhca", "traffic", "line_time", "erlang_b", "erlang_b_extended"),
        reading="Lines needed is what the mean busy hour asks for, most at once what the worst second took: on a "
        "small trunk the second is often the larger, and it is what a caller feels. Callers whom the provider turned "
        "away leave no record, so where most at once equals the lines that you have, more are needed than shown.",
    )


def _by_day(calls: nw.LazyFrame[Any], period: Period, names: Names, zones: Zones) -> Section:
    days = analyses.concurrent_calls(calls, by="trunk", period=period, zones=zones)
    labels = names.numbers("trunk", days, "trunk")
    table = days.assign(trunk=labels)
    sentence = "No trunk was in use on any day."
    if days["peak"].sum():
        top = table.iloc[int(table["peak"].argmax())]
        full = int((table.loc[table["trunk"] == top["trunk"], "peak"] == top["peak"]).sum())
        sentence = (
            f"{top['trunk']} had {plural(int(top['peak']), 'line')} in use at the same time on {plural(full, 'day')}, "
            f"first on {time(top['peak_at'])}. {_TWO_LINES}"
        )
    return Section(
        title="Most lines in use by day and trunk",
        sentence=sentence,
        figure=charts.concurrent_calls(days.assign(pbx="", trunk=drawn(labels))),
        table=table,
        columns=(
            TableColumn("trunk", "Trunk"),
            TableColumn("local_at", "Day", "day"),
            TableColumn("calls", "Attempts", "count"),
            TableColumn("peak", "Most lines at once", "count"),
            TableColumn("peak_at", "First at", "time"),
            TableColumn("busy_s", "In use", "seconds"),
        ),
        formula=f"{_HELD}\n" + formulas("concurrency"),
        reading="A trunk that reaches the same number on many days and never one more is likely to be full at that "
        "number. A lone high day is a fault or a campaign more often than a need. A call over midnight counts on "
        "both days; it is one call of the first.",
    )


def _by_hour(calls: nw.LazyFrame[Any], period: Period, zones: Zones) -> Section:
    hours = analyses.concurrent_calls(calls, freq="1h", period=period, zones=zones)
    table = hours.sort_values(["peak", "local_at"], ascending=[False, True], kind="stable", ignore_index=True)
    sentence = "No calls in any hour."
    if hours["peak"].sum():
        top = table.iloc[0]
        busy = hours[hours["peak"] > 0]
        sentence = (
            f"The PBX held at most {plural(int(top['peak']), 'call')} at the same time, {time(top['peak_at'])}, a "
            f"forwarded one counted once; in half of the {plural(len(busy), 'hour')} in which a call was going on it "
            f"held {number(busy['peak'].median())} or fewer."
        )
    return Section(
        title="Most calls at once by hour",
        sentence=sentence,
        figure=charts.concurrent_calls(hours),
        table=table,
        columns=(
            TableColumn("local_at", "Hour from", "time"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("peak", "Most calls at once", "count"),
            TableColumn("peak_at", "First at", "time"),
            TableColumn("busy_s", "All calls together", "seconds"),
        ),
        formula=f"{_HELD} Calls inside the house count too; the second half of a forwarded call does not.\n"
        + formulas("concurrency"),
        reading="This is the load of the PBX, not of a line: an internal call needs no trunk. The highest hours come "
        "first. Between two peaks of one hour there may have been no call at all; the time of all calls "
        "together tells how full the hour was.",
    )


def _headline(usage: pd.DataFrame) -> str:
    if usage.empty:
        return "no calls used a trunk."
    if not usage["peak"].sum():
        return f"no call held a line; {plural(int(usage['calls'].sum()), 'attempt')} failed at once."
    top = usage.iloc[int(usage["traffic"].argmax())]
    attempts = plural_mean(top["bhca"], "attempt")
    need = "needs" if attempts == "1 attempt" else "need"
    low, high = int(top["lines_low"]), int(top["lines_high"])
    span = f" ({low} to {high})" if low < high else ""
    return (
        f"{top['trunk']} carries most: {attempts} in its hour of most line time ({top['busy_on']}) "
        f"{need} {plural(int(top['lines']), 'line')}{span} if at most {share(_BLOCKING)} are "
        f"to be blocked; at most {plural(int(top['peak']), 'line')} {'was' if top['peak'] == 1 else 'were'} in use at "
        f"the same time, {time(top['peak_at'])}."
    )
