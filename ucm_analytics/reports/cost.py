"""What the calls out by a trunk cost, by the user's own tariff."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.population import each_leaving
from ucm_analytics.config import tariff_file
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import plural, share, show
from ucm_analytics.documents.labels import Names, drawn
from ucm_analytics.metrics import formulas
from ucm_analytics.period import Period
from ucm_analytics.reports._context import Context
from ucm_analytics.tariff import EXAMPLE, Tariff, read_tariff

TITLE = "Cost"
QUESTION = "What do the calls out by a trunk cost, where do they go, and who makes them?"

_READING = (
    "Calls that no prefix of the tariff fits are rows without cost. A call that goes from trunk to trunk, or that is "
    "sent on to a number outside, is billed like one that is dialled, so it is priced as one, beside the name of the "
    "caller; of one that is sent on after a talk inside the whole talk is priced. The provider counts for itself, "
    "often a second more a call, and its free minutes are not known here: the bill decides."
)
_NOTHING = "no call out by a trunk was answered, so none cost anything."


def build(context: Context) -> list[Section]:
    """Cost by prefix, and by who called; without a tariff, how to give one."""
    period = context.period
    calls = context.scan("calls")
    path = tariff_file(context.pbx)
    if not path:
        return [_without_tariff(calls, period)]
    tariff = read_tariff(path)
    return [_by_prefix(calls, period, tariff), _by_caller(calls, period, tariff, context.names)]


def _without_tariff(calls: nw.LazyFrame[Any], period: Period) -> Section:
    billed = each_leaving(calls).filter(nw.col("outcome") == "answered")  # only what was answered costs
    volume = analyses.call_volume(billed, freq="1d", period=period)
    total = int(volume["calls"].sum())
    sentence = _NOTHING
    if total:
        sentence = (
            f"no tariff is set, so the cost of {plural(total, 'answered call')} out by a trunk is not known; what to "
            "write is under How to read it."
        )
    return Section(
        title="Cost by destination",
        sentence=sentence,
        figure=charts.call_volume(volume).update_layout(
            title_text="Answered calls out by a trunk per day: no tariff is set"
        ),
        table=volume if total else volume.head(0),
        columns=(TableColumn("local_at", "Day", "day"), TableColumn("calls", "Answered calls out by a trunk", "count")),
        formula=formulas("calls", "call_cost", "billed"),
        reading="Write what your provider charges into a table, and name it in the settings: tariff = "
        '"/srv/tariff.csv" above the tables, or in the table of one PBX, or UCM_TARIFF. The row without a prefix is '
        f"for all other numbers; the last column is the step of billing [s], 60 for whole minutes:\n{EXAMPLE}",
    )


def _by_prefix(calls: nw.LazyFrame[Any], period: Period, tariff: Tariff) -> Section:
    costs = analyses.cost(calls, tariff.table, home=tariff.home, period=period)
    return Section(
        title="Cost by destination",
        sentence=_headline(costs, tariff),
        figure=charts.cost(costs).update_xaxes(title_text=_unit(tariff, "cost")),
        table=costs.assign(destination=_destinations(costs)),
        columns=(TableColumn("destination", "Destination"), *_columns(tariff)),
        formula=formulas("call_cost", "billed", "cost_share"),
        reading=_READING,
    )


def _by_caller(calls: nw.LazyFrame[Any], period: Period, tariff: Tariff, names: Names) -> Section:
    costs = analyses.cost(calls, tariff.table, by="caller", home=tariff.home, period=period)
    callers = costs["caller"].astype(object).fillna("unknown").astype("str")
    labels = names.paths("extension:" + callers).str.removeprefix("extension:")
    sums = costs["cost"].groupby(labels).sum().sort_values(ascending=False, kind="stable")
    sentence = "No call cost anything."
    if len(sums) and sums.iloc[0] > 0:
        sentence = (
            f"Calls of {sums.index[0]} cost most, {_money(sums.iloc[0], tariff)}, "
            f"{share(sums.iloc[0] / sums.sum())} of all."
        )
    return Section(
        title="Cost by caller",
        sentence=sentence,
        figure=charts.cost(costs.assign(caller=drawn(labels))).update_xaxes(title_text=_unit(tariff, "cost")),
        table=costs.assign(caller=labels, destination=_destinations(costs)),
        columns=(TableColumn("caller", "Caller"), TableColumn("destination", "Destination"), *_columns(tariff)),
        formula=formulas("call_cost", "billed", "cost_share"),
        reading="A phone that many people use looks dear. Cost says nothing of what a call was good for.",
    )


def _columns(tariff: Tariff) -> tuple[TableColumn, ...]:
    return (
        TableColumn("calls", "Calls", "count"),
        TableColumn("talk_s", "Talk", "seconds"),
        TableColumn("billed_s", "Billed", "seconds"),
        TableColumn("cost", _unit(tariff), "money"),
        TableColumn("share", "Share", "share"),
    )


def _destinations(costs: pd.DataFrame) -> pd.Series[str]:
    words = [
        "no prefix fits" if pd.isna(prefix) else f"+{prefix}" if prefix else "all others"
        for prefix in costs["prefix"].astype(object)
    ]
    return pd.Series(words, index=costs.index, dtype="str")


def _unit(tariff: Tariff, word: str = "Cost") -> str:
    return f"{word} [{tariff.currency}]" if tariff.currency else word


def _money(value: float, tariff: Tariff) -> str:
    return f"{show(value, 'money')} {tariff.currency}".strip()


def _headline(costs: pd.DataFrame, tariff: Tariff) -> str:
    calls = int(costs["calls"].sum())
    if not calls:
        return _NOTHING
    total = float(costs["cost"].sum())
    parts = [f"{plural(calls, 'call')} out by a trunk cost {_money(total, tariff)}"]
    if total > 0:
        parts.append(f"most of it, {share(costs['share'].iloc[0])}, for calls to {_destinations(costs).iloc[0]}")
    if unpriced := int(costs.loc[costs["cost"].isna(), "calls"].sum()):
        parts.append(f"no prefix of the tariff fits {plural(unpriced, 'call')}")
    return "; ".join(parts) + "."
