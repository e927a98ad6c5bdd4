"""Can the numbers be trusted: what is wrong with the records, how they become calls, which days are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ucm_analytics import analyses, charts
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import count, plural
from ucm_analytics.metrics import formulas
from ucm_analytics.quality import SEVERITIES, UNSEEN, Audit, audit
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import pandas as pd


TITLE = "Data quality"
QUESTION = "Can the numbers be trusted?"


def build(context: Context) -> list[Section]:
    """Findings, the way from records to calls, and the days in the store."""
    audited = audit(context.store, context.period, pbx=context.pbx)
    return [_findings(audited), _records(audited), _days(context.store.coverage(context.period, pbx=context.pbx))]


def _findings(audited: Audit) -> Section:
    found = audited.frame
    return Section(
        title="Findings",
        sentence=audited.judged(count),
        figure=charts.affected_reports(analyses.affected_reports(found)),
        table=found,
        columns=(
            TableColumn("severity", "Severity"),
            TableColumn("count", "Count", "count"),
            TableColumn("title", "What"),
            TableColumn("detail", "In detail"),
            TableColumn("means", "Meaning"),
            TableColumn("touches", "Touches"),
            TableColumn("examples", "Examples: call or day"),
        ),
        formula="\n".join(
            [*(f"{name.capitalize()}: {meaning}." for name, meaning in SEVERITIES.items()), formulas("findings")]
        ),
        reading=f"No findings does not mean no faults. {UNSEEN}",
    )


def _records(audited: Audit) -> Section:
    table = audited.reconciliation
    counts = {(grain, what): n for grain, what, n in zip(table["grain"], table["what"], table["count"], strict=True)}
    some = table[table["count"] != 0]
    lines = [_line(*row) for row in zip(some["what"], some["part"], strict=True)]
    left = int(table.loc[table["part"] == "unexplained", "count"].sum())
    sentence = "No records to count."
    if audited.legs:
        sentence = (
            f"{plural(audited.legs, 'record')} {'is' if audited.legs == 1 else 'are'} "
            f"{plural(counts['calls', 'calls'], 'different call')}, for which "
            f"phones rang {plural(counts['rings', 'rings'], 'time')}; {plural(counts['callers', 'callers'], 'number')} "
            "called from outside. Where the PBX counts "
            f"{plural(counts['answered', 'answered_records'], 'row')} as ANSWERED, a person "
            f"answered {plural(counts['answered', 'answered'], 'call')}. "
            + (f"{count(left)} are not explained." if left else "Nothing is left unexplained.")
        )
    return Section(
        title="From records to calls",
        sentence=sentence,
        figure=charts.reconciliation(table),
        table=some.assign(line=lines).reset_index(drop=True),
        columns=(
            TableColumn("grain", "Counting"),
            TableColumn("line", "Line"),
            TableColumn("count", "Count", "count"),
            TableColumn("effect", "Effect", "count"),
            TableColumn("meaning", "Meaning"),
        ),
        formula="The lines come from the raw records, the totals from the tables that the reports use.\n"
        + formulas("unexplained"),
        reading="One call writes a record for every stage and every phone that rings, and a menu or a mailbox "
        "ANSWERS too: so the number of records, and of ANSWERED records, is never the number of calls. A caller with "
        "two phones counts as two callers.",
    )


def _line(what: str, part: str) -> str:
    """`less further legs`, `= calls`."""
    said = "calls" if what == "calls by rings" else str(what).replace("_", " ")
    return {"less": f"less {said}", "more": f"more {said}", "total": f"= {said}"}.get(str(part), said)


def _days(coverage: pd.DataFrame) -> Section:
    calendar = analyses.coverage_calendar(coverage)
    counts = calendar["state"].astype(str).value_counts()
    words = {
        "settled": "settled",
        "empty": "settled without a record",
        "provisional": "may still change",
        "missing": "never pulled",
    }
    parts = [f"{count(counts[state])} {said}" for state, said in words.items() if state in counts.index]
    pulled = len(calendar) - int(counts.get("missing", 0))
    return Section(
        title="Days in the store",
        sentence=f"{plural(len(calendar), 'day')}: {', '.join(parts)}." if pulled else "No day is in the store.",
        figure=charts.coverage_calendar(calendar),
        table=calendar,
        columns=(
            TableColumn("day", "Day", "day"),
            TableColumn("state", "State"),
            TableColumn("legs", "Records", "count"),
        ),
        formula="Settled: the day had ended for long, and a later look found nothing new; provisional: pulled, but it "
        "may still change; missing: never pulled.\n" + formulas("records"),
        reading="A settled day without a record may be a holiday or a line that was down. With several PBXs a day has "
        "the worst of their states.",
    )
