"""Days and hours that were not as usual."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.calendar import within
from ucm_analytics.documents.coverage import Coverage
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import count, day, number, plural, time
from ucm_analytics.metrics import formulas
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

    from ucm_analytics.analyses.anomalies import AnomalyFreq

TITLE = "Unusual days and hours"
QUESTION = "When were there more or fewer calls than usual?"

_HISTORY: Final = timedelta(weeks=12)
_FALSE_ALARMS: Final = 1.0


def build(context: Context) -> list[Section]:
    """Days, then hours, outside of the band of the same weekdays and hours."""
    period = context.period
    days = context.coverage(Period(period.first - _HISTORY, period.last))
    known = days.span or period
    calls = context.scan("calls", known)
    return [_section(calls, period, known, days, freq) for freq in ("1d", "1h")]


def _section(calls: nw.LazyFrame[Any], period: Period, known: Period, days: Coverage, freq: AnomalyFreq) -> Section:
    found = analyses.anomalies(
        calls,
        freq=freq,
        false_alarms=_FALSE_ALARMS,
        holidays=days.missing,
        period=known,
        weekdays=EVERY_WEEKDAY,
        zones=days.zones,
    )
    found = found[within(found["local_at"], period)].reset_index(drop=True)
    unusual = found[found["is_anomaly"]]
    name = "day" if freq == "1d" else "hour"
    shown = unusual if len(unusual) else found[found["calls"] > 0] if found["calls"].sum() else found.head(0)
    return Section(
        title=f"Unusual {name}s",
        sentence=_sentence(found, unusual, name),
        figure=charts.anomalies(found),
        table=shown.reset_index(drop=True),
        columns=(
            TableColumn("local_at", name.capitalize(), "day" if freq == "1d" else "time"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("expected", "Expected", "number"),
            TableColumn("low", "Fewest usual", "count"),
            TableColumn("high", "Most usual", "count"),
            TableColumn("weeks", "Weeks compared", "count"),
        ),
        formula=f"{number(_FALSE_ALARMS)} false alarm a month of 30 days is allowed.\n" + formulas("usual"),
        reading="What is usual comes from the other weeks of the period and of up to twelve weeks before it. Expect "
        "one false alarm a month: a mark is a reason to look, not a finding. Public holidays show up as unusual; days "
        "that were never pulled are left out.",
    )


def _sentence(found: pd.DataFrame, unusual: pd.DataFrame, name: str) -> str:
    no = "no" if name == "day" else "No"  # the first sentence follows the name of the period
    if not found["expected"].notna().any():
        return f"{no} {name} can be judged: it takes two other weeks of calls to know what is usual."
    if unusual.empty:
        return f"{no} {name} was unusual among {plural(int(found['expected'].notna().sum()), name)}."
    gap = (unusual["calls"] - unusual["expected"]).abs() / unusual["expected"].pow(0.5)
    worst = unusual.iloc[int(gap.argmax())]
    at = day(worst["local_at"]) if name == "day" else time(worst["local_at"])
    return (
        f"{plural(len(unusual), name)} of {count(found['expected'].notna().sum())} "
        f"{'was' if len(unusual) == 1 else 'were'} unusual; most of all {at}, with "
        f"{plural(int(worst['calls']), 'call')} where {number(worst['expected'])} were expected."
    )
