"""Calls out by a trunk that look like toll fraud."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.fraud import RULES
from ucm_analytics.analyses.population import each_leaving
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import plural, time
from ucm_analytics.documents.labels import Names, drawn
from ucm_analytics.metrics import formulas
from ucm_analytics.period import Period
from ucm_analytics.reports._context import Context

TITLE = "Signs of toll fraud"
QUESTION = "Does somebody else call at our cost?"

_HISTORY: Final = timedelta(weeks=12)
_SHOWN: Final = 500
_FORMULA: Final = "\n".join(
    [
        formulas("fraud_score"),
        *(
            f"Threshold of {rule.name.replace('_', ' ')}: {rule.threshold} "
            f"{rule.unit.removesuffix('s') if rule.threshold == 1 else rule.unit} ({rule.meaning})."
            for rule in RULES.values()
        ),
    ]
)
_READING: Final = (
    "A score is for sorting, it is no probability: a new supplier abroad looks like fraud, and fraud within the "
    "country looks like work. Home is the country that is called most; closed is before 7, from 20, and the weekend."
)


def build(context: Context) -> list[Section]:
    """Signals by score, and the calls that are their evidence."""
    period = context.period
    known = context.coverage(Period(period.first - _HISTORY, period.last)).span or period
    calls = context.scan("calls", known)
    names = context.names
    signals = analyses.fraud_signals(calls, period=period)
    if signals.empty:
        return [_nothing(calls, period)]
    return [_found(signals, names), _evidence(analyses.fraud_evidence(calls, period=period), names)]


def _nothing(calls: nw.LazyFrame[Any], period: Period) -> Section:
    volume = analyses.call_volume(each_leaving(calls), freq="1d", period=period)
    figure = charts.call_volume(volume).update_layout(title_text="Calls out by a trunk per day: no signs of toll fraud")
    total = int(volume["calls"].sum())
    return Section(
        title="Signs of toll fraud",
        sentence=f"no signs of toll fraud in {plural(total, 'call')} out by a trunk.",
        figure=figure,
        table=volume if total else volume.head(0),
        columns=(TableColumn("local_at", "Day", "day"), TableColumn("calls", "Calls out by a trunk", "count")),
        formula=_FORMULA,
        reading=f"The chart shows the calls that were looked at: all that leave by a trunk. {_READING}",
    )


def _found(signals: pd.DataFrame, names: Names) -> Section:
    known = signals["extension"].notna()
    labels = names.numbers("extension", signals[known], "extension").reindex(signals.index)
    table = signals.assign(extension=labels, rule=signals["rule"].astype(str).str.replace("_", " "))
    top = table.iloc[0]
    who = "" if pd.isna(top["extension"]) else f" of {top['extension']}"
    return Section(
        title="Signs of toll fraud",
        sentence=f"{plural(len(signals), 'sign')} of toll fraud; the strongest (score {top['score']}, {top['rule']}) "
        f"is {plural(int(top['calls']), 'call')}{who} from {time(top['first_at'])}.",
        figure=charts.fraud_signals(signals.assign(extension=drawn(labels.dropna()).reindex(signals.index))),
        table=table,
        columns=(
            TableColumn("signal", "Signal", "count"),
            TableColumn("score", "Score", "count"),
            TableColumn("rule", "Rule"),
            TableColumn("extension", "Extension"),
            TableColumn("area", "Called"),
            TableColumn("first_at", "First call", "time"),
            TableColumn("last_at", "Last call", "time"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("talk_s", "Talk", "seconds"),
        ),
        formula=_FORMULA,
        reading=_READING,
    )


def _evidence(evidence: pd.DataFrame, names: Names) -> Section:
    known = evidence["extension"].notna()
    labels = names.numbers("extension", evidence[known], "extension").reindex(evidence.index)
    calls = evidence["call_id"].nunique()
    return Section(
        title="The calls behind the signs",
        sentence=f"{plural(calls, 'call')} {'is' if calls == 1 else 'are'} the evidence.",
        figure=charts.fraud_evidence(
            evidence.assign(
                extension=drawn(labels.dropna()).reindex(evidence.index), callee=drawn(evidence["callee"].fillna("?"))
            )
        ),
        table=evidence.assign(extension=labels, rule=evidence["rule"].astype(str).str.replace("_", " ")).head(_SHOWN),
        columns=(
            TableColumn("signal", "Signal", "count"),
            TableColumn("rule", "Rule"),
            TableColumn("local_at", "Call", "time"),
            TableColumn("extension", "Extension"),
            TableColumn("callee", "Number called"),
            TableColumn("area", "Area"),
            TableColumn("outcome", "Outcome"),
            TableColumn("talk_s", "Talk", "seconds"),
        ),
        formula=f"One row is one call of one signal, at most {_SHOWN}; a call may be evidence of several signals.\n"
        + formulas("fraud_score"),
        reading="The numbers are as dialled. Ask the extension's owner first: whoever works at night for a customer "
        "abroad looks exactly like this.",
    )
