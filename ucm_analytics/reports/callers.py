"""Who calls, how much a few of them make up, and where they call from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ucm_analytics import analyses, charts
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import count, plural, share
from ucm_analytics.documents.labels import drawn
from ucm_analytics.metrics import formulas
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import pandas as pd


TITLE = "Callers"
QUESTION = "Who calls most, how much do a few callers make up, and where do they call from?"


def build(context: Context) -> list[Section]:
    """The most frequent callers, their share, and the areas."""
    calls = context.scan("calls")
    shares = analyses.caller_concentration(calls)
    return [_top(calls, shares), _concentration(shares), _areas(calls)]


def _top(calls: nw.LazyFrame[Any], shares: pd.DataFrame) -> Section:
    callers = analyses.top_callers(calls)
    sentence = "no calls from outside showed a number."
    if len(callers):
        first, every = callers.iloc[0], shares.iloc[-1]
        sentence = (
            f"{plural(int(every['callers']), 'caller')} made {plural(int(every['calls']), 'call')}"
            + (f", and {count(every['withheld'])} more showed no number; " if every["withheld"] else "; ")
            + f"{first['caller']} called most, {plural(int(first['calls']), 'time')}, and reached a person in "
            f"{share(first['answered_rate'])} of them."
        )
    return Section(
        title="Most frequent callers",
        sentence=sentence,
        figure=charts.top_callers(callers.assign(caller=drawn(callers["caller"]))),
        table=callers,
        columns=(
            TableColumn("caller", "Caller"),
            TableColumn("caller_name", "Name"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("share", "Share", "share"),
            TableColumn("answered", "Answered", "count"),
            TableColumn("answered_rate", "Answered rate", "share"),
            TableColumn("talk_s", "Talk", "seconds"),
            TableColumn("first_at", "First call", "time"),
            TableColumn("last_at", "Last call", "time"),
        ),
        formula=formulas("caller_share", "caller_answered"),
        reading="National and international writings of one number count as one caller. A company that shows one "
        "number for all its phones is one caller here, and may be a hundred people.",
    )


def _concentration(shares: pd.DataFrame) -> Section:
    sentence = "No calls from outside showed a number."
    if len(shares):
        tenth, every = shares.iloc[0], shares.iloc[-1]
        sentence = (
            f"The tenth of the callers who call most ({count(tenth['callers'])}) made {share(tenth['share'])} of "
            f"{plural(int(every['calls']), 'call')} that showed a number."
        )
    return Section(
        title="How much a few callers make up",
        sentence=sentence,
        figure=charts.caller_concentration(shares),
        table=shares,
        columns=(
            TableColumn("top_rate", "Most frequent callers", "share"),
            TableColumn("callers", "Callers", "count"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("share", "Share of the calls", "share"),
        ),
        formula=formulas("concentration", "entropy")
        + (f"\nHere it is {shares['entropy'].iloc[0]:.2f} bit." if len(shares) else ""),
        reading="The further the curve lies above the dashed line, the more a few callers make up. A short period "
        "makes callers look alike: most had no time to call twice.",
    )


def _areas(calls: nw.LazyFrame[Any]) -> Section:
    areas = analyses.caller_areas(calls)
    sentence = "No calls came from outside."
    if len(areas):
        first = areas.iloc[0]
        sentence = (
            f"Most of {plural(int(areas['calls'].sum()), 'call')} from outside, {share(first['share'])}, are from the "
            f"area {first['area']}, by {plural(int(first['callers']), 'caller')}."
        )
    return Section(
        title="Where they call from",
        sentence=sentence,
        figure=charts.caller_areas(areas),
        table=areas,
        columns=(
            TableColumn("area", "Area"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("share", "Share", "share"),
            TableColumn("callers", "Callers", "count"),
            TableColumn("answered_rate", "Answered rate", "share"),
            TableColumn("talk_s", "Talk", "seconds"),
        ),
        formula="An area is the country code (ITU-T E.164) of numbers in international form; national: begins with "
        "zero; internal: shorter.\n" + formulas("area_share", "caller_answered"),
        reading="The country is that of the number, not of the person: mobiles travel, and a provider may show "
        "numbers without their country code, which are then read wrongly.",
    )
