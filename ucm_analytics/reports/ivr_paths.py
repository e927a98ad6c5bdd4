"""Where callers go in the menus, and where they leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import count, plural, seconds, share
from ucm_analytics.documents.labels import Names, drawn, spoken
from ucm_analytics.metrics import formulas
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw


TITLE = "IVR paths"
QUESTION = "Where do callers go in the menus, and where do they leave?"


def build(context: Context) -> list[Section]:
    """Variants, transitions, drop-off and time per menu, inferred choices."""
    calls = context.scan("calls")
    steps = context.scan("steps")
    names = context.names
    menus = analyses.ivr_dropoff(steps)
    return [
        _variants(calls, menus, names),
        _transitions(steps, names),
        _dropoff(menus, names),
        _choices(steps, context.store.directory(pbx=context.pbx), names),
    ]


def _variants(calls: nw.LazyFrame[Any], menus: pd.DataFrame, names: Names) -> Section:
    paths = analyses.ivr_paths(calls)
    named = names.paths(paths["path"])
    table = paths.assign(path=spoken(named))
    return Section(
        title="Ways through the menus",
        sentence=_headline(table, menus),
        figure=charts.ivr_paths(paths.assign(path=drawn(named))),
        table=table,
        columns=(
            TableColumn("path", "Way"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("share", "Share", "share"),
            TableColumn("answered_rate", "Answered by a person", "share"),
            TableColumn("median_wait_s", "Median wait", "seconds"),
        ),
        formula=formulas("path_share", "path_answered_rate", "wait", "quantile"),
        reading="A way is every step of the call in order. Ways that differ only in "
        "the person who picked up are different ways, so the long tail of rare ways is normal.",
    )


def _transitions(steps: nw.LazyFrame[Any], names: Names) -> Section:
    moves = analyses.ivr_transitions(steps)
    named = {end: names.paths(moves[end]) for end in ("from", "to")}
    table = moves.assign(**{end: spoken(labels) for end, labels in named.items()})
    inner = table[named["from"].str.startswith("ivr:") & ~named["to"].str.startswith("end:")]
    sentence = "No call went from a menu to anything else."
    if len(inner):
        top = inner.iloc[0]
        sentence = (
            f"The most frequent move out of a menu is from {top['from']} to {top['to']}: "
            f"{plural(int(top['passes']), 'time')}, after {seconds(top['median_dwell_s'])} in the median."
        )
    return Section(
        title="From step to step",
        sentence=sentence,
        figure=charts.ivr_transitions(moves.assign(**{end: drawn(labels) for end, labels in named.items()})),
        table=table,
        columns=(
            TableColumn("from", "From"),
            TableColumn("to", "To"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("passes", "Times", "count"),
            TableColumn("median_dwell_s", "Median time before", "seconds"),
        ),
        formula=formulas("calls", "passes", "quantile"),
        reading="A call's last step leads to its end. The width of a band is how often the move was made. Bands show "
        "moves, not whole ways: that a menu leads to a queue and the queue to a mailbox does not say that the same "
        "callers did both.",
    )


def _dropoff(menus: pd.DataFrame, names: Names) -> Section:
    labels = names.numbers("ivr", menus, "menu")
    table = menus.assign(menu=labels)
    ended = menus["hung_up"] + menus["timed_out"]
    sentence = "No call ended in a menu."
    if ended.sum():
        worst = table.iloc[int(ended.argmax())]
        left = int(ended.max())
        sentence = (
            f"Most calls end in menu {worst['menu']}: {count(left)} of "
            f"{plural(int(worst['passes']), 'pass', 'passes')} ({share(left / worst['passes'])}) "
            "ended there; half of its callers stay "
            f"{seconds(worst['median_dwell_s'])} or less."
        )
    return Section(
        title="Where callers leave",
        sentence=sentence,
        figure=charts.ivr_dropoff(menus.assign(pbx="", menu=drawn(labels))),
        table=table,
        columns=(
            TableColumn("menu", "Menu"),
            TableColumn("passes", "Passes", "count"),
            TableColumn("repeated", "Heard again", "count"),
            TableColumn("went_on", "Went on", "count"),
            TableColumn("answered", "Answered later", "count"),
            TableColumn("hung_up", "Hung up", "count"),
            TableColumn("timed_out", "Timed out", "count"),
            TableColumn("hung_up_rate", "Hung up", "share"),
            TableColumn("timed_out_rate", "Timed out", "share"),
            TableColumn("median_dwell_s", "Median time", "seconds"),
            TableColumn("p90_dwell_s", "p90 time", "seconds"),
        ),
        formula=formulas(
            *("passes", "menu_repeated", "menu_went_on", "menu_answered", "menu_hung_up", "menu_timed_out"),
            *("menu_other", "menu_rates", "quantile"),
        ),
        reading="Hung up: the caller left; timed out: the PBX ended the call after missing or invalid keys. Who "
        "hangs up in a menu may have heard what they wanted, opening hours for instance: the records cannot tell.",
    )


def _choices(steps: nw.LazyFrame[Any], directory: pd.DataFrame, names: Names) -> Section:
    choices = analyses.ivr_choices(steps, directory)
    menu, to = names.numbers("ivr", choices, "menu"), names.paths(choices["to"])
    total = int(choices["passes"].sum())
    sentence = "No choice was made in a menu."
    if total:
        by_certainty = choices.groupby(choices["certainty"].astype(str))["passes"].sum()
        parts = [
            f"{share(by_certainty[certainty] / total)} {text}"
            for certainty, text in _CERTAINTY.items()
            if certainty in by_certainty
        ]
        sentence = f"Of {plural(total, 'choice')}, {', '.join(parts)}."
    return Section(
        title="What callers choose",
        sentence=sentence,
        figure=charts.ivr_choices(choices.assign(pbx="", menu=drawn(menu), to=drawn(to))),
        table=choices.assign(menu=menu, to=spoken(to)),
        columns=(
            TableColumn("menu", "Menu"),
            TableColumn("key", "Key"),
            TableColumn("certainty", "Certainty"),
            TableColumn("to", "Next step"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("passes", "Times", "count"),
            TableColumn("share", "Share of the menu", "share"),
        ),
        formula="The records hold no digits: a key is inferred from the menu's key table and the next step. Certain: "
        "one key leads there; ambiguous: several do; default: no key was needed (timeout, invalid, the menu again); "
        "unknown: the table leads nowhere near.\n" + formulas("passes", "choice_share"),
        reading="The key table is that of the last sync. Calls from before a change of the menu are read by the "
        "new table, and then look certain although they are not.",
    )


def _headline(paths: pd.DataFrame, menus: pd.DataFrame) -> str:
    total = int(paths["calls"].sum())
    if not total:
        return "no calls went through a menu."
    top = paths.iloc[0]
    parts = [
        f"{plural(total, 'call')} went through a menu in {plural(len(paths), 'different way')}",
        f"{share(paths['answered'].sum() / total)} of them reached a person",
        f"the most frequent way, {top['path']}, was taken by {share(top['share'])}",
    ]
    lost = int((menus["hung_up"] + menus["timed_out"]).sum())
    if lost:
        parts.append(f"{share(lost / total)} ended in a menu")
    return "; ".join(parts) + "."


_CERTAINTY: Final = {
    "certain": "are certain",
    "ambiguous": "fit several keys",
    "default": "needed no key",
    "unknown": "cannot be told",
}
