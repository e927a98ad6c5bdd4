"""Who was called, who picked up, who called out."""

from __future__ import annotations

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import count, plural, seconds
from ucm_analytics.documents.labels import drawn
from ucm_analytics.metrics import formulas
from ucm_analytics.reports._context import Context

TITLE = "Extensions"
QUESTION = "Which phones ring, who picks up, and what is missed?"


def build(context: Context) -> list[Section]:
    """One row an extension."""
    names = context.names
    found = analyses.extensions(context.scan("calls"), context.scan("rings"))
    labels = names.numbers("extension", found, "extension")
    table = found.assign(extension=labels)
    return [
        Section(
            title="Extensions",
            sentence=_headline(table),
            figure=charts.extensions(found.assign(pbx="", extension=drawn(labels))),
            table=table,
            columns=(
                TableColumn("extension", "Extension"),
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
                TableColumn("placed", "Placed", "count"),
                TableColumn("busiest_hour", "Busiest hour", "hour"),
            ),
            formula=formulas(
                *("phone_offered", "solicitations", "phone_answered", "phone_elsewhere", "phone_missed"),
                *("phone_unreachable", "picked_up_rate", "phone_talk", "phone_mean_talk", "mean_ring", "placed"),
                "busiest_hour",
            ),
            reading="Elsewhere means that a colleague of the same group or queue was faster; it is not in "
            "the rate. A low rate may mean that nobody was meant to sit there: the records do not say who was "
            "logged in or at work.",
        )
    ]


def _headline(found: pd.DataFrame) -> str:
    answered, missed = int(found["answered"].sum()), int(found["missed"].sum())
    if not answered + missed:
        placed = int(found["placed"].sum())
        return (
            f"no phone rang; {plural(placed, 'call')} {'was' if placed == 1 else 'were'} placed."
            if placed
            else "no phone rang."
        )
    parts = [f"{plural(int((found['offered'] > 0).sum()), 'phone')} rang and picked up {plural(answered, 'call')}"]
    top = found.iloc[int(found["answered"].argmax())]
    if top["answered"]:
        parts.append(f"{top['extension']} picked up most, {count(top['answered'])}")
    worst = found.iloc[int(found["missed"].argmax())]
    if worst["missed"]:
        left = int(worst["answered"] + worst["missed"])
        parts.append(f"{worst['extension']} missed most, {count(worst['missed'])} of {count(left)}")
    talk = seconds(found["talk_s"].sum() + found["placed_talk_s"].sum())
    return (
        f"{'; '.join(parts)}; all together they talked {talk}. A call counts at each phone that took part, an "
        "internal call at two."
    )
