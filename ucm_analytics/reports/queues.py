"""Who waits in the queues, who is answered in time, who gives up, who picks up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.charts.service import FORMULAS
from ucm_analytics.config import ServiceTarget, service_target
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import number, plural, seconds, share
from ucm_analytics.documents.labels import Names, drawn
from ucm_analytics.metrics import METRICS, SERVICE_LEVELS, formulas
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

    from ucm_analytics.analyses.service import ServiceLevel

TITLE = "Queues"
QUESTION = "How long do callers wait in the queues, and who is answered, gives up or is sent on?"

_IN_TIME: Final = "sl_f2"
"""The formula that counts above the line who was answered within the target, and nobody else."""
_VISIT: Final = "A visit is one call that comes to a queue; a call that comes twice makes two."


def build(context: Context) -> list[Section]:
    """Counts and waits per queue, service level by every formula, spread of waits, patience, agents."""
    steps = context.scan("steps")
    names = context.names
    aim = service_target(context.pbx)
    levels = analyses.service_level(
        steps, target_s=aim.target_s, short_s=aim.short_s, headline=cast("ServiceLevel", aim.service_level)
    )
    found = analyses.queues(steps, context.scan("calls"), short_s=aim.short_s)
    return [
        _queues(found, levels, names, aim),
        _service_level(levels, names, aim),
        _waits(steps),
        _patience(steps),
        _agents(analyses.queue_agents(steps, context.scan("rings")), names),
    ]


def _queues(found: pd.DataFrame, levels: pd.DataFrame, names: Names, aim: ServiceTarget) -> Section:
    labels = names.numbers("queue", found, "queue")
    return Section(
        title="Queues",
        sentence=_headline(found, levels, aim),
        figure=charts.queues(_labelled(found, queue=labels)),
        table=found.assign(queue=labels),
        columns=(
            TableColumn("queue", "Queue"),
            TableColumn("offered", "Offered", "count"),
            TableColumn("answered", "Answered", "count"),
            TableColumn("abandoned", "Abandoned", "count"),
            TableColumn("abandoned_short", "Short", "count"),
            TableColumn("overflowed", "Overflowed", "count"),
            *((TableColumn("other", "Other ends", "count"),) if found["other"].any() else ()),
            TableColumn("answered_rate", "Answered rate", "share"),
            TableColumn("abandon_rate", "Abandon rate", "share"),
            TableColumn("long_abandon_rate", "Rate without short", "share"),
            TableColumn("asa_s", "Speed of answer", "seconds"),
            TableColumn("median_wait_s", "Median wait", "seconds"),
            TableColumn("p90_wait_s", "p90 wait", "seconds"),
            TableColumn("longest_wait_s", "Longest wait", "seconds"),
            TableColumn("att_s", "Talk a call", "seconds"),
            TableColumn("transfer_rate", "Sent on", "share"),
            TableColumn("recalls", "Called again", "count"),
        ),
        formula=f"{_VISIT} Short: below {aim.short_s} s; called again: within an hour.\n"
        + formulas(
            *("queue_answered", "queue_abandoned", "queue_abandoned_short", "queue_overflowed", "queue_other"),
            *("answered_rate", "abandon_rate", "long_abandon_rate", "asa", "queue_wait_quantile", "longest_wait"),
            *("att", "queue_transferred", "transfer_rate", "queue_recalls"),
        ),
        reading="Answered means that a person picked up; an announcement or a mailbox is no answer. The speed of "
        "answer knows only callers who were answered: it gets better when those who would have waited longest give "
        "up, so read it beside the abandon rate. Overflow is in neither: the caller may be answered elsewhere.",
    )


def _service_level(levels: pd.DataFrame, names: Names, aim: ServiceTarget) -> Section:
    labels = names.numbers("queue", levels, "queue")
    wide = levels.assign(queue=labels, variant=levels["variant"].astype(str)).pivot_table(
        index="queue", columns="variant", values="service_level", sort=False, dropna=False
    )
    table = wide.reindex(columns=list(SERVICE_LEVELS)).rename_axis(columns=None).reset_index()
    level = _overall(levels, aim.service_level)
    sentence = "No service level: no caller came to a queue and was answered or gave up."
    if pd.notna(level):
        others = [_overall(levels, variant) for variant in SERVICE_LEVELS if variant != aim.service_level]
        every = [found for found in others if pd.notna(found)]
        sentence = (
            f"The service level within {aim.target_s} s is {share(level)} by the formula chosen here; by the others in "
            f"use it lies between {share(min(every))} and {share(max(every))}."
        )
    return Section(
        title="Service level",
        sentence=sentence,
        figure=charts.service_level(_labelled(levels, queue=labels)),
        table=table,
        columns=(
            TableColumn("queue", "Queue"),
            *(
                TableColumn(id, METRICS[id].name.removeprefix("Service level, ").capitalize(), "share")
                for id in SERVICE_LEVELS
            ),
        ),
        formula=f"Target {aim.target_s} s, included; short threshold {aim.short_s} s. "
        f"Headline: {METRICS[aim.service_level].name}.\n" + formulas(*SERVICE_LEVELS),
        reading="The formulas differ only in what they do with callers who gave up. Before you compare with a "
        "contract or another system, find out which one it means. Formula 2 hides every caller who gave up: it "
        "rises when more do.",
    )


def _waits(steps: nw.LazyFrame[Any]) -> Section:
    waits = analyses.queue_waits(steps)
    totals = waits.groupby(waits["result"].astype(str))["calls"].sum()
    total, answered = int(totals.sum()), waits[waits["result"].astype(str) == "answered"]
    sentence = "No visit to a queue was answered or abandoned."
    if total:
        parts = []
        if totals["answered"]:
            first = int(answered.iloc[0]["calls"])
            parts.append(
                f"{share(first / totals['answered'])} of {plural(int(totals['answered']), 'answered visit')} "
                f"were answered within {int(answered.iloc[0]['to_s'])} s"
            )
        if totals["abandoned"]:
            parts.append(f"callers left {plural(int(totals['abandoned']), 'time')} before anybody answered")
        text = "; ".join(parts)
        sentence = f"{text[0].upper()}{text[1:]}."
    return Section(
        title="How long they waited",
        sentence=sentence,
        figure=charts.queue_waits(waits),
        table=waits[waits["calls"] > 0].reset_index(drop=True),
        columns=(
            TableColumn("result", "End"),
            TableColumn("from_s", "Over", "seconds"),
            TableColumn("to_s", "Up to", "seconds"),
            TableColumn("calls", "Visits", "count"),
            TableColumn("share", "Share", "share"),
        ),
        formula=f"{_VISIT}\n" + formulas("wait_bin", "wait_bin_share"),
        reading="A bar holds the waits up to its right edge, that edge included, as a service level does. Waits of "
        "those who left are cut short by their leaving: they do not show how long callers are willing to wait.",
    )


def _patience(steps: nw.LazyFrame[Any]) -> Section:
    curve = analyses.patience(steps)
    sentence = "No visits to queues, so nothing is known about patience."
    if len(curve):
        first, left = curve.iloc[0], int(curve["abandoned"].sum())
        offered = int(first["offered"])
        longest = seconds(int(curve["wait_s"].iloc[-1]))
        if not left:
            sentence = f"No caller gave up in {plural(offered, 'visit')} of up to {longest}."
        elif pd.isna(first["median_s"]):
            sentence = (
                f"More than half of the callers would still wait at {longest}, the longest wait: their median patience "
                f"cannot be told from {plural(left, 'abandoned visit')} of {number(offered)}."
            )
        else:
            low, high = first["median_low_s"], first["median_high_s"]
            upper = f"to {seconds(high)}" if pd.notna(high) else "upwards"
            # where the last callers at risk gave up at once, there is a median and no interval
            interval = f" (95 % interval {seconds(low)} {upper})" if pd.notna(low) else ""
            sentence = (
                f"Half of the callers give up before {seconds(first['median_s'])} if nobody answers{interval}, "
                f"estimated from {plural(left, 'abandoned visit')} of {number(offered)}."
            )
    return Section(
        title="Patience",
        sentence=sentence,
        figure=charts.patience(curve),
        table=curve,
        columns=(
            TableColumn("wait_s", "Wait", "seconds"),
            TableColumn("at_risk", "Lasted so long", "count"),
            TableColumn("abandoned", "Left now", "count"),
            TableColumn("censored", "Ended otherwise", "count"),
            TableColumn("patience_level", "Would still wait", "share"),
            TableColumn("low_level", "At least", "share"),
            TableColumn("high_level", "At most", "share"),
        ),
        formula=formulas("patience", "patience_band", "median_patience"),
        reading="Who is answered after 10 s would have waited at least 10 s: the curve uses that, the mean wait of "
        "those who left does not and comes out far too short. Where few visits lasted so long the band is wide; the "
        "curve also takes it that callers are answered without regard to how patient they are.",
    )


def _agents(found: pd.DataFrame, names: Names) -> Section:
    queue, agent = names.numbers("queue", found, "queue"), names.numbers("extension", found, "extension")
    table = found.assign(queue=queue, extension=agent)
    sentence = "No phone of an agent rang for a queue."
    if len(found):
        top = table.iloc[int(found["answered"].argmax())]
        phones = plural(len(found[["pbx", "extension"]].drop_duplicates()), "phone")
        sentence = (
            f"Queues rang {phones}; {top['extension']} picked up most for one queue, {number(top['answered'])} of "
            f"{plural(int(top['offered']), 'visit')} offered."
            if top["answered"]
            else f"Queues rang {phones}, and nobody picked up."
        )
    return Section(
        title="Agents",
        sentence=sentence,
        figure=charts.queue_agents(_labelled(found, queue=queue, extension=agent)),
        table=table,
        columns=(
            TableColumn("queue", "Queue"),
            TableColumn("extension", "Agent"),
            TableColumn("offered", "Offered", "count"),
            TableColumn("rung", "Rung", "count"),
            TableColumn("answered", "Answered", "count"),
            TableColumn("elsewhere", "Elsewhere", "count"),
            TableColumn("missed", "Missed", "count"),
            TableColumn("unreachable", "Unreachable", "count"),
            TableColumn("answered_rate", "Answered rate", "share"),
            TableColumn("talk_s", "Talk", "seconds"),
            TableColumn("mean_talk_s", "Talk a call", "seconds"),
            TableColumn("mean_ring_s", "Ring before answer", "seconds"),
        ),
        formula=formulas(
            *("phone_offered", "solicitations", "phone_answered", "phone_elsewhere", "phone_missed"),
            *("phone_unreachable", "picked_up_rate", "phone_talk", "phone_mean_talk", "mean_ring"),
        ),
        reading="A queue that rings one phone after the other makes every phone before the last a miss; one that rings "
        "all at once makes all but one 'elsewhere'. So compare agents of one queue only. The records do not say "
        "who was logged in.",
    )


def _headline(found: pd.DataFrame, levels: pd.DataFrame, aim: ServiceTarget) -> str:
    offered = int(found["offered"].sum())
    if not offered:
        return "no calls came to a queue."
    answered, left = int(found["answered"].sum()), int(found["abandoned"].sum())
    parts = [
        f"{plural(offered, 'visit')} to {plural(len(found), 'queue')}",
        f"{share(answered / offered)} were answered",
    ]
    if answered:
        in_time = int(levels.loc[levels["variant"].astype(str) == _IN_TIME, "numerator"].sum())
        asa_s = (found["asa_s"].fillna(0) * found["answered"]).sum() / answered
        parts[-1] += f", after {seconds(asa_s)} on average, {share(in_time / offered)} within {aim.target_s} s"
    parts.append(f"callers gave up in {share(left / offered)}")
    level = _overall(levels, aim.service_level)
    if pd.notna(level):
        parts.append(f"the service level is {share(level)} (formula {FORMULAS[aim.service_level]})")
    return "; ".join(parts) + "."


def _overall(levels: pd.DataFrame, variant: str) -> float:
    some = levels[levels["variant"].astype(str) == variant]
    below = int(some["denominator"].sum())
    return int(some["numerator"].sum()) / below if below else float("nan")


def _labelled(frame: pd.DataFrame, **labels: pd.Series) -> pd.DataFrame:
    """Frame for a chart: labels name the PBX where that is needed, the chart need not."""
    return frame.assign(pbx="", **{name: drawn(label) for name, label in labels.items()})
