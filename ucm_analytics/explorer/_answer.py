"""What the calls of a choice come to: the numbers that matter, the charts, the rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.documents.document import TableColumn
from ucm_analytics.documents.formats import NONE, count, seconds, share, show
from ucm_analytics.documents.labels import Names, drawn, spoken
from ucm_analytics.explorer._choice import Chosen
from ucm_analytics.period import EVERY_WEEKDAY, Period

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ucm_analytics.analyses.volume import Freq
    from ucm_analytics.reports import Coverage

_HOURS_DAYS: Final = 3
_DAYS_DAYS: Final = 92
_WEEKS_DAYS: Final = 731
_EXTENSIONS: Final = 20
"""Extensions that a chart has room for."""

COLUMNS: Final = (
    TableColumn("local_at", "Began", "time"),
    TableColumn("direction", "Direction"),
    TableColumn("caller", "Caller"),
    TableColumn("caller_name", "Name"),
    TableColumn("callee", "Called"),
    TableColumn("outcome", "Outcome"),
    TableColumn("answered_by", "Answered by"),
    TableColumn("wait_s", "Wait", "seconds"),
    TableColumn("talk_s", "Talk", "seconds"),
    TableColumn("path", "Way"),
)


def numbers(found: Chosen, period: Period, held: Coverage) -> tuple[int, list[tuple[str, str, str]]]:
    """How many calls there are, and for each number that matters its label, its value and a note."""
    days = analyses.call_volume(found.calls, freq="1d", holidays=held.absent, period=period)
    counted = days.loc[~days["local_at"].dt.date.isin(held.uncounted), "calls"]
    calls, answered = int(days["calls"].sum()), int(days["answered"].sum())
    rows = analyses.durations(found.calls, by=())
    wait, talk = (rows[rows["measure"].astype(str) == measure].iloc[0] for measure in ("wait_s", "talk_s"))
    return calls, [
        ("Calls", count(calls), f"{count(counted.sum() / max(len(counted), 1))} a day"),
        ("Answered by a person", share(answered / calls) if calls else NONE, f"{count(answered)} calls"),
        ("Median wait", show(wait["median_s"], "seconds"), f"one in ten {show(wait['p90_s'], 'seconds')} or more"),
        ("Median talk", show(talk["median_s"], "seconds"), f"{seconds(talk['total_s'])} together"),
    ]


def figures(found: Chosen, period: Period, held: Coverage, names: Names) -> Iterator[tuple[str, go.Figure | None]]:
    """The charts by name, one after the other as they are computed; None where no call is of its kind."""
    volume = analyses.call_volume(
        found.calls, freq=_freq(period), by="outcome", holidays=held.absent, period=period, zones=held.zones
    )
    yield "volume", charts.call_volume(volume)
    hours = analyses.hour_of_week(
        found.calls, holidays=held.uncounted, period=period, weekdays=EVERY_WEEKDAY, zones=held.zones
    )
    yield "hours", charts.hour_of_week(hours)
    yield "durations", charts.durations(analyses.durations(found.calls))
    yield "extensions", _extensions(found, names)
    yield "queues", _queues(found, names)
    yield "menus", _menus(found, names)


def table(calls: pd.DataFrame, names: Names) -> pd.DataFrame:
    """Calls as people read them: names beside numbers, the way in words."""
    return calls.assign(
        outcome=calls["outcome"].astype("str").str.replace("_", " "),
        answered_by=_known(calls["answered_by"], names.numbers("extension", calls, "answered_by")),
        path=_known(calls["path"], spoken(names.paths(calls["path"]))),
    )


def _known(values: pd.Series, labels: pd.Series) -> pd.Series:
    """Labels of the values that are there."""
    return labels.where(values.notna())


def _freq(period: Period) -> Freq:
    if len(period) <= _HOURS_DAYS:
        return "1h"
    if len(period) <= _DAYS_DAYS:
        return "1d"
    return "1w" if len(period) <= _WEEKS_DAYS else "1mo"


def _queues(found: Chosen, names: Names) -> go.Figure | None:
    visits = analyses.queues(found.steps)
    if visits.empty:
        return None
    # the label names the PBX where there are several, and the chart need not
    labels = drawn(names.numbers("queue", visits, "queue"))
    return charts.queues(visits.assign(pbx="", queue=labels))


def _menus(found: Chosen, names: Names) -> go.Figure | None:
    moves = analyses.ivr_transitions(found.steps)
    if moves.empty:
        return None
    return charts.ivr_transitions(moves.assign(**{end: drawn(names.paths(moves[end])) for end in ("from", "to")}))


def _extensions(found: Chosen, names: Names) -> go.Figure | None:
    rang = analyses.extensions(found.calls, found.rings)
    rang = rang[rang["offered"] > 0]
    if rang.empty:
        return None
    most = rang.loc[rang["offered"].nlargest(_EXTENSIONS).index.sort_values()]
    labels = drawn(names.numbers("extension", most, "extension"))
    figure = charts.extensions(most.assign(pbx="", extension=labels))
    if len(most) < len(rang):
        figure.update_layout(title_subtitle_text=f"the {len(most)} that rang most of {len(rang)}", margin_t=64)
    return figure
