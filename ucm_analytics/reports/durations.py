"""How long callers talked, waited and heard ringing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.population import FROM_OUTSIDE
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import hour, plural, seconds
from ucm_analytics.metrics import formulas
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw


TITLE = "Durations"
QUESTION = "How long do callers wait, and how long do the conversations last?"

MEASURES: Final = {
    "talk_s": "Talking",
    "wait_s": "Waiting",
    "ring_s": "Ringing",
    "ivr_s": "In menus",
    "queue_s": "In queues",
}
_MEASURED: Final = ("talk", "wait", "ring", "in_menus", "in_queues")
_ENOUGH: Final = 20
"""Calls that an hour needs before it is compared with others."""

_STATISTICS: Final = (
    TableColumn("calls", "Calls", "count"),
    TableColumn("median_s", "Median", "seconds"),
    TableColumn("mean_s", "Mean", "seconds"),
    TableColumn("p90_s", "p90", "seconds"),
    TableColumn("p95_s", "p95", "seconds"),
    TableColumn("max_s", "Longest", "seconds"),
    TableColumn("total_s", "Total", "seconds"),
)


def build(context: Context) -> list[Section]:
    """Quantiles by direction and by hour, and how talk, wait and ringing are spread."""
    calls = context.scan("calls")
    return [
        _by_direction(calls),
        _by_hour(calls),
        _histogram(calls, "talk_s", "Spread of talk", "A few very long calls pull the mean up."),
        _histogram(calls, "wait_s", "Spread of waiting", "Callers who gave up early make waits look short."),
        _histogram(
            calls,
            "ring_s",
            "Spread of ringing",
            "A peak is often a timeout of the PBX.",
        ),
    ]


def _by_direction(calls: nw.LazyFrame[Any]) -> Section:
    rows = analyses.durations(calls, by=("direction",))
    table = rows.assign(measure=_named(rows["measure"]))
    return Section(
        title="Durations by direction",
        sentence=_headline(calls, rows),
        figure=charts.durations(rows),
        table=table,
        columns=(TableColumn("measure", "Measure"), TableColumn("direction", "Direction"), *_STATISTICS),
        formula=formulas(*_MEASURED, "quantile", "mean", "extreme", "total"),
        reading="The median is the usual call, p90 and p95 the patience that you ask of one caller in ten and one "
        "in twenty. Wait mixes callers who were answered with callers who gave up: a short wait can mean quick "
        "colleagues or impatient callers.",
    )


def _by_hour(calls: nw.LazyFrame[Any]) -> Section:
    rows = analyses.durations(calls, by=("direction", "hour"))
    waits = _waits_from_outside(rows)
    asked = waits[waits["calls"] >= _ENOUGH]
    sentence = f"No hour has {_ENOUGH} waits of callers from outside, too few to compare hours."
    if len(asked):
        worst = asked.iloc[int(asked["p90_s"].argmax())]
        sentence = (
            f"Callers from outside wait longest at {hour(worst['hour'])}: one in ten waits "
            f"{seconds(worst['p90_s'])} or longer."
        )
    waits = analyses.durations(calls, by=("hour",))
    return Section(
        title="Durations by hour",
        sentence=sentence,
        figure=charts.durations(waits),
        table=rows[rows["calls"] > 0].assign(measure=_named(rows["measure"])).reset_index(drop=True),
        columns=(
            TableColumn("measure", "Measure"),
            TableColumn("direction", "Direction"),
            TableColumn("hour", "Hour", "hour"),
            *_STATISTICS,
        ),
        formula=formulas(*_MEASURED, "quantile", "mean", "extreme", "total"),
        reading=f"The sentence looks only at hours with {_ENOUGH} calls or more; an hour with three calls has a "
        "p90 that says nothing. The hour is that in which the call started. The chart takes all directions together.",
    )


def _histogram(
    calls: nw.LazyFrame[Any], measure: Literal["talk_s", "wait_s", "ring_s"], title: str, misleads: str
) -> Section:
    bins = analyses.duration_histogram(calls, measure=measure, by="direction")
    every = analyses.duration_histogram(calls, measure=measure)
    total = int(every["calls"].sum())
    sentence = f"{MEASURES[measure]}: no call had any."
    if total:
        half, most = (_below(every, total, part) for part in (0.5, 0.9))
        sentence = (
            f"{MEASURES[measure]} took {half} in half of {plural(total, 'call')} of all directions and {most} in "
            "nine of ten."
        )
    return Section(
        title=title,
        sentence=sentence,
        figure=charts.duration_histogram(bins),
        table=every,
        columns=(
            TableColumn("from_s", "From", "seconds"),
            TableColumn("to_s", "Below", "seconds"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("share", "Share", "share"),
        ),
        formula=formulas(measure.removesuffix("_s"), "bin_share"),
        reading=f"{misleads} The last bar has no upper end and holds everything beyond.",
    )


def _headline(calls: nw.LazyFrame[Any], by_direction: pd.DataFrame) -> str:
    rows = analyses.durations(calls, by=())
    talk = rows[rows["measure"].astype(str) == "talk_s"].iloc[0]
    waits = _waits_from_outside(by_direction)
    parts = []
    if len(waits) and waits.iloc[0]["calls"]:
        wait = waits.iloc[0]
        parts.append(
            f"half of the callers from outside waited {seconds(wait['median_s'])} or less, "
            f"one in ten {seconds(wait['p90_s'])} or more"
        )
    if talk["calls"]:
        parts.append(
            f"half of {plural(int(talk['calls']), 'conversation')} lasted {seconds(talk['median_s'])} or less, "
            f"all together {seconds(talk['total_s'])}, each call counted once"
        )
    return "; ".join(parts) + "." if parts else "no calls with a duration were recorded."


def _waits_from_outside(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[(rows["direction"].astype(str) == FROM_OUTSIDE) & (rows["measure"].astype(str) == "wait_s")]


def _below(bins: pd.DataFrame, total: int, part: float) -> str:
    """What so large a part of the calls took at most, as exactly as the bins tell."""
    found = bins[bins["calls"].cumsum() >= part * total].iloc[0]
    if pd.isna(found["to_s"]):
        return f"up to more than {seconds(found['from_s'])}"
    return f"less than {seconds(found['to_s'])}"


def _named(measure: pd.Series) -> pd.Series:
    return measure.astype(str).map(MEASURES)
