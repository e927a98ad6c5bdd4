"""What changed since earlier periods, and what is only noise."""

from __future__ import annotations

from typing import Final

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.compare import last_year, previous
from ucm_analytics.analyses.population import begins_in
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import Kind, period_name, show
from ucm_analytics.metrics import formulas
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.reports._context import Context

TITLE = "Compared with before"
QUESTION = "What changed since the period before and since last year, and what is only chance?"

_MEASURES: Final = {
    "calls": "Calls a day",
    "answered_rate": "Answered rate",
    "wait_s": "Mean wait",
    "talk_s": "Mean talk",
}
_KINDS: Final[dict[str, Kind]] = {"calls": "number", "answered_rate": "share", "wait_s": "seconds", "talk_s": "seconds"}
_VERDICTS: Final = {"noise": "no more than chance", "unknown": "too few days to tell"}
_NOTHING: Final = "nothing to compare with"
_AGAINST: Final = {"previous": "the period before", "last_year": "last year"}


def build(context: Context) -> list[Section]:
    """All measures against the period before and against last year."""
    period = context.period
    earlier = {"previous": previous(period), "last_year": last_year(period)}
    calls = context.scan("calls", Period(min(other.first for other in earlier.values()), period.last))
    # Days that were never pulled are no days without calls: a period that lacks some is not compared with.
    lacking = [other for other in earlier.values() if context.coverage(other).missing]
    for other in lacking:
        calls = calls.filter(~begins_in(other))
    missing = context.days.uncounted
    changes = analyses.compare(calls, period, holidays=missing, weekdays=EVERY_WEEKDAY)
    table = changes.assign(
        measure=changes["measure"].astype(str).map(_MEASURES),
        against=[period_name(earlier[str(name)]) for name in changes["against"]],
        now=[_value(*row) for row in zip(changes["measure"], changes["value"], strict=True)],
        then=[_value(*row) for row in zip(changes["measure"], changes["before"], strict=True)],
        verdict=changes["verdict"].astype(str),
        judged=changes["verdict"].astype(str).replace(_VERDICTS).where(changes["change"].notna(), _NOTHING),
    )
    return [
        Section(
            title="Changes",
            sentence=_headline(changes),
            figure=charts.compare(changes),
            table=table,
            columns=(
                TableColumn("measure", "Measure"),
                TableColumn("against", "Against"),
                TableColumn("now", "Now"),
                TableColumn("then", "Before"),
                TableColumn("change", "Change", "share"),
                TableColumn("low", "at least", "share"),
                TableColumn("high", "at most", "share"),
                TableColumn("judged", "Verdict"),
                TableColumn("calls", "Calls now", "count"),
                TableColumn("calls_before", "Calls before", "count"),
            ),
            formula=formulas("change", "change_interval", "before"),
            reading="No more than chance: the interval holds 0, so days differ by so much anyway, not that nothing "
            "changed. Eight comparisons at 95 % find a change that is none about once in three reports. A period of "
            "which days were never pulled is not compared with.",
        )
    ]


def _value(measure: object, value: float) -> str:
    return show(value, _KINDS[str(measure)])


def _headline(changes: pd.DataFrame) -> str:
    known = changes[changes["verdict"].astype(str) != "unknown"]
    if known.empty:
        return "no earlier period is complete in the store and long enough to compare with."
    said = []
    for name, words in _AGAINST.items():
        part = known[known["against"].astype(str) == name]
        if part.empty:
            continue
        changed = [
            f"{_MEASURES[measure].lower()} {change:+.0%} ({low:+.0%} to {high:+.0%})"
            for measure, change, low, high, verdict in part[["measure", "change", "low", "high", "verdict"]].itertuples(
                index=False
            )
            if verdict != "noise"
        ]
        said.append(f"against {words} {', '.join(changed) if changed else 'nothing changed by more than chance'}")
    return "; ".join(said) + "."
