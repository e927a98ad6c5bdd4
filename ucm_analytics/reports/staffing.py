"""How many agents the queues need, and whether the formulas would have been right."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.config import ServiceTarget, service_target
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import plural, seconds, share
from ucm_analytics.documents.labels import Names, drawn
from ucm_analytics.metrics import formulas
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw


TITLE = "Staffing"
QUESTION = "How many agents does each queue need, half hour by half hour?"


def build(context: Context) -> list[Section]:
    """Agents needed per queue and half hour, and the level predicted beside the one reached."""
    period = context.period
    steps = context.scan("steps")
    names = context.names
    aim = service_target(context.pbx)
    missing = context.days.uncounted
    return [_needed(steps, period, missing, names, aim), _reached(steps, period, missing, names, aim)]


def _needed(
    steps: nw.LazyFrame[Any], period: Period, missing: tuple[date, ...], names: Names, aim: ServiceTarget
) -> Section:
    need = analyses.staffing(
        steps, target_s=aim.target_s, level=aim.target_level, holidays=missing, period=period, weekdays=EVERY_WEEKDAY
    )
    labels = names.numbers("queue", need, "queue")
    table = _shown(need.assign(queue=labels))
    return Section(
        title="Agents needed",
        sentence=_headline(table, aim),
        figure=charts.staffing(need.assign(pbx="", queue=drawn(labels))),
        table=table,
        columns=(
            TableColumn("queue", "Queue"),
            TableColumn("day_type", "Days"),
            TableColumn("half_hour", "From"),
            TableColumn("offered", "Offered", "count"),
            TableColumn("callers", "Callers a day", "number"),
            TableColumn("handle_s", "Handle time", "seconds"),
            TableColumn("patience_s", "Patience", "seconds"),
            TableColumn("agents_c", "Agents (C)", "count"),
            TableColumn("agents_c_low", "At least", "count"),
            TableColumn("agents_c_high", "At most", "count"),
            TableColumn("agents_a", "Agents (A)", "count"),
        ),
        formula=f"Agents: the fewest with whom {share(aim.target_level)} of all callers are answered within "
        f"{aim.target_s} s. The interval (95 %) holds the chance in the counts of callers, in the handle times and "
        "in the number who gave up (parametric bootstrap, 400 draws).\n"
        + formulas("callers_a_day", "handle_time", "erlang_c", "erlang_a", "patience_exponential"),
        reading="Agents means people who are free for this queue in this half hour: add breaks, meetings and "
        "wrap-up yourself. Erlang C supposes that nobody gives up and asks for a little more than Erlang A. A holiday "
        "among the days makes all of them look quieter. One agent can be enough for the callers and too few for a day "
        "on which that agent is ill.",
    )


def _reached(
    steps: nw.LazyFrame[Any], period: Period, missing: tuple[date, ...], names: Names, aim: ServiceTarget
) -> Section:
    check = analyses.staffing_check(
        steps, target_s=aim.target_s, holidays=missing, period=period, weekdays=EVERY_WEEKDAY
    )
    labels = names.numbers("queue", check, "queue")
    table = _shown(check.assign(queue=labels))
    return Section(
        title="Predicted and reached",
        sentence=_compared(table, aim),
        figure=charts.staffing_check(check.assign(pbx="", queue=drawn(labels))),
        table=table,
        columns=(
            TableColumn("queue", "Queue"),
            TableColumn("day_type", "Days"),
            TableColumn("half_hour", "From"),
            TableColumn("offered", "Offered", "count"),
            TableColumn("in_time", "Answered in time", "count"),
            TableColumn("agents", "Agents seen", "number"),
            TableColumn("reached_level", "Reached", "share"),
            TableColumn("reached_low", "At least", "share"),
            TableColumn("reached_high", "At most", "share"),
            TableColumn("level_a", "Erlang A", "share"),
            TableColumn("level_c", "Erlang C", "share"),
        ),
        formula=f"The target is {aim.target_s} s. Predicted: the same share by the formula for the agents seen: "
        "those who took a call of the queue before, or in, and after, or in, the half hour on that day.\n"
        + formulas("reached_level", "handle_time", "erlang_c", "erlang_a"),
        reading="This tells whether to believe the section above. Where the dots lie below the line, agents were "
        "away or busy elsewhere while they count as seen, phones rang for long before they were picked up, or callers "
        "heard an announcement first: none of it is in the formulas. Then plan for more agents than they ask for.",
    )


def _headline(need: pd.DataFrame, aim: ServiceTarget) -> str:
    if need.empty:
        return "no caller came to a queue."
    known = need[need["agents_c"].notna()]
    if known.empty:
        return f"no agent ever answered any of {plural(int(need['offered'].sum()), 'visit')} to the queues."
    top = known.sort_values(["agents_c", "callers"], ascending=False, kind="stable").iloc[0]
    low, high = int(top["agents_c_low"]), int(top["agents_c_high"])
    span = f" ({low} to {high})" if low < high else ""
    return (
        f"queue {top['queue']} needs {plural(int(top['agents_c']), 'agent')}{span} in the half hour that needs most, "
        f"{top['day_type']} at {top['half_hour']}, for {share(aim.target_level)} of its callers to be answered within "
        f"{seconds(aim.target_s)}."
    )


def _compared(check: pd.DataFrame, aim: ServiceTarget) -> str:
    if check.empty:
        return "No caller came to a queue."
    offered = int(check["offered"].sum())
    reached = check["in_time"].sum() / offered
    level = check["level_a"].fillna(check["level_c"])
    sentence = f"{share(reached)} of {plural(offered, 'visit')} to queues were answered within {seconds(aim.target_s)}"
    weight = check["offered"].where(level.notna(), 0)
    if not weight.sum():
        return f"{sentence}."
    predicted = (level.fillna(0) * weight).sum() / weight.sum()
    return f"{sentence}; for the agents who were seen the formula promises {share(predicted)}."


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with callers, the half hour as people write it."""
    rows = rows[rows["offered"] > 0].reset_index(drop=True)
    half_hours = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in rows["minute"]]
    return rows.assign(half_hour=pd.Series(half_hours, dtype="str"))
