"""What changed since earlier periods, and what is only noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.compare import last_year, previous
from ucm_analytics.period import Period
from ucm_analytics.reports._coverage import coverage
from ucm_analytics.reports._format import period_name
from ucm_analytics.reports._report import Section, Shown

if TYPE_CHECKING:
    from ucm_analytics.store import Store

TITLE = "Compared with before"
QUESTION = "What changed since the period before and since last year, and what is only noise?"

_MEASURES: Final = {
    "calls": "Calls a day",
    "answered_rate": "Answered rate",
    "wait_s": "Mean wait [s]",
    "talk_s": "Mean talk [s]",
}
_AGAINST: Final = {"previous": "the period before", "last_year": "last year"}


def build(store: Store, period: Period, *, pbx: str | None = None) -> list[Section]:
    """All measures against the period before and against last year."""
    earlier = {"previous": previous(period), "last_year": last_year(period)}
    calls = store.scan("calls", Period(min(other.first for other in earlier.values()), period.last), pbx=pbx)
    # Days that were never pulled are no days without calls: a period that lacks some is not compared with.
    lacking = [other for other in earlier.values() if coverage(store, other, pbx=pbx).missing]
    for other in lacking:
        calls = calls.filter(~((nw.col("local_at") >= other.start) & (nw.col("local_at") < other.end)))
    changes = analyses.compare(calls, period)
    table = changes.assign(
        measure=changes["measure"].astype(str).map(_MEASURES),
        against=[period_name(earlier[str(name)]) for name in changes["against"]],
        verdict=changes["verdict"].astype(str),
    )
    return [
        Section(
            title="Changes",
            sentence=_headline(changes),
            figure=charts.compare(changes),
            table=table,
            columns=(
                Shown("measure", "Measure"),
                Shown("against", "Against"),
                Shown("value", "Now", "number"),
                Shown("before", "Before", "number"),
                Shown("change", "Change", "share"),
                Shown("low", "at least", "share"),
                Shown("high", "at most", "share"),
                Shown("verdict", "Verdict"),
                Shown("calls", "Calls now", "count"),
                Shown("calls_before", "Calls before", "count"),
            ),
            formula="change = now / before - 1 [share of 1], calls weekday by weekday; interval 95 %: calls "
            "exp(log ratio ± t √(φ/n + φ/n')), φ = max(1, χ²/degrees of freedom) over the days (quasi-Poisson); the "
            "others from the spread of the daily ratios. noise = the interval holds 0.",
            reading="Noise means that days differ by so much anyway, not that nothing changed. Eight comparisons at "
            "95 % find a change that is none about once in three reports. A period of which days were never pulled is "
            "not compared with.",
        )
    ]


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
            f"{_MEASURES[measure].removesuffix(' [s]').lower()} {change:+.0%} ({low:+.0%} to {high:+.0%})"
            for measure, change, low, high, verdict in part[["measure", "change", "low", "high", "verdict"]].itertuples(
                index=False
            )
            if verdict != "noise"
        ]
        said.append(f"against {words} {', '.join(changed) if changed else 'all changes are within the noise'}")
    return "; ".join(said) + "."
