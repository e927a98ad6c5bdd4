"""Who was missed, who was called back, and who is still waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import count, plural, seconds, share
from ucm_analytics.documents.labels import Names, drawn, spoken
from ucm_analytics.metrics import formulas
from ucm_analytics.period import Period
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

    from ucm_analytics.analyses.instants import Zones

TITLE = "Missed calls"
QUESTION = "Which callers reached nobody, and who still waits for a call back?"

_STATUS: Final = {
    "open": "still open",
    "returned": "called back and reached",
    "reached": "called again and was answered",
    "withheld": "number withheld",
}
_WEEK_H: Final = 168
_DAY_H: Final = 24


def build(context: Context) -> list[Section]:
    """The work list, the time until contact, and who calls again."""
    period = context.period
    calls = context.scan("calls")
    zones = context.days.zones
    return [
        _work_list(calls, period, context.names),
        _contact(calls, period, zones),
        _repeats(calls, period, zones),
    ]


def _work_list(calls: nw.LazyFrame[Any], period: Period, names: Names) -> Section:
    missed = analyses.missed_calls(calls, period=period)
    table = missed.assign(
        status=missed["status"].astype(str).map(_STATUS),
        outcome=missed["outcome"].astype(str).str.replace("_", " "),
        ended_in=spoken(names.paths(missed["ended_in"])),
    )
    return Section(
        title="Missed callers",
        sentence=_headline(missed),
        figure=charts.missed_calls(missed.assign(caller=drawn(missed["caller"]))).update_xaxes(
            range=[period.start, period.end]
        ),
        table=table,
        columns=(
            TableColumn("status", "Status"),
            TableColumn("caller", "Caller"),
            TableColumn("caller_name", "Name"),
            TableColumn("calls", "Tries", "count"),
            TableColumn("first_at", "First try", "time"),
            TableColumn("last_at", "Last try", "time"),
            TableColumn("waited_s", "Waited", "seconds"),
            TableColumn("outcome", "Last try was"),
            TableColumn("ended_in", "It ended in"),
            TableColumn("callbacks", "Our calls to them", "count"),
            TableColumn("contact_at", "Contact", "time"),
            TableColumn("contact_s", "After", "seconds"),
        ),
        formula=formulas("missed", "missed_tries", "contact"),
        reading="The rows that are still open are the work list. Contact on another number is not seen, and a call of "
        "ours that reached the caller's own mailbox counts as contact. Callers who withhold their number cannot be "
        "followed; each of their calls is a row.",
    )


def _contact(calls: nw.LazyFrame[Any], period: Period, zones: Zones) -> Section:
    times = analyses.time_to_callback(calls, period=period, zones=zones)
    sentence = "No caller with a known number was missed."
    if len(times):
        hour, day = (times[times["after_s"] <= limit].iloc[-1] for limit in (3600, 86_400))
        sentence = (
            f"Of the missed callers, {share(1 - hour['open_rate'])} had contact within an hour and "
            f"{share(1 - day['open_rate'])} within a day; {share(day['returned_rate'])} within a day because "
            "somebody called them back."
        )
    return Section(
        title="Time until contact",
        sentence=sentence,
        figure=charts.time_to_callback(times),
        table=times,
        columns=(
            TableColumn("after_s", "After", "seconds"),
            TableColumn("calls", "Still watched", "count"),
            TableColumn("returned", "Called back", "count"),
            TableColumn("reached", "Called again", "count"),
            TableColumn("open_rate", "Still open", "share"),
            TableColumn("open_low", "at least", "share"),
            TableColumn("open_high", "at most", "share"),
            TableColumn("returned_rate", "Called back", "share"),
            TableColumn("reached_rate", "Called again", "share"),
        ),
        formula=formulas("missed", "still_open"),
        reading="Whoever was missed late in the period counts only for as long as they were watched, so the curve "
        "does not suffer from the end of the period. Its right end rests on few callers: look at the band.",
    )


def _repeats(calls: nw.LazyFrame[Any], period: Period, zones: Zones) -> Section:
    # A call is decided only when its whole window lies in the period: a week needs some weeks.
    window_h = _WEEK_H if len(period) >= 21 else _DAY_H
    repeats = analyses.repeat_callers(calls, window_h=window_h, period=period, zones=zones)
    (every,) = analyses.repeat_callers(calls, window_h=window_h, by=None, period=period, zones=zones).to_dict("records")
    within = "a week" if window_h == _WEEK_H else "a day"
    sentence = f"No call lies {within} or more before the end of the period, so repeats cannot be told."
    if every["decided"]:
        sentence = (
            f"After {share(every['repeat_rate'])} of {plural(every['decided'], 'call')} that could be followed for "
            f"{within} the same caller called again (95 % interval {share(every['repeat_low'])} to "
            f"{share(every['repeat_high'])})."
        )
    return Section(
        title="Callers who call again",
        sentence=sentence,
        figure=charts.repeat_callers(repeats),
        table=repeats.assign(outcome=repeats["outcome"].astype(str).str.replace("_", " ")),
        columns=(
            TableColumn("outcome", "Outcome of the call"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("withheld", "Withheld", "count"),
            TableColumn("undecided", "Undecided", "count"),
            TableColumn("decided", "Decided", "count"),
            TableColumn("followed", "Called again", "count"),
            TableColumn("repeat_rate", "Called again", "share"),
            TableColumn("repeat_low", "at least", "share"),
            TableColumn("repeat_high", "at most", "share"),
            TableColumn("first_calls", "First calls", "count"),
            TableColumn("settled", "Not repeated", "count"),
            TableColumn("fcr_rate", "First-contact resolution", "share"),
        ),
        formula=f"The window is {window_h} h; undecided: it goes beyond the end of the period.\n"
        + formulas("repeat_rate", "first_contact"),
        reading="Calling again is not always a failure: an appointment is made and then confirmed. Companies that show "
        "one number for all their phones look like one caller who calls very often.",
    )


def _headline(missed: pd.DataFrame) -> str:
    known = missed[missed["status"].astype(str) != "withheld"]
    if missed.empty:
        return "no caller from outside was missed."
    states = known["status"].astype(str).value_counts()
    still, returned, reached = (int(states.get(name, 0)) for name in ("open", "returned", "reached"))
    total = len(known)
    withheld = len(missed) - total
    apart = f"{plural(withheld, 'missed call')} showed no number" if withheld else ""
    if not total:
        return f"{apart}, and no other caller was missed."
    text = (
        f"callers were missed {plural(total, 'time')} ({plural(int(known['calls'].sum()), 'call')}); "
        f"{share(returned / total)} were called back and reached, {share(reached / total)} called again and were "
        f"answered, and {share(still / total)} ({count(still)}) are still open"
    )
    waited = known.loc[known["status"].astype(str) == "open", "waited_s"].sum()
    text += f", after waiting {seconds(waited)} together" if still else ""
    return f"{text}; {apart}." if apart else f"{text}."
