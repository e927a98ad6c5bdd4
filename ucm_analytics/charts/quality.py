"""Quality: records into calls, states of the days, reports that findings touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ucm_analytics.charts.template import ACCENT, NEUTRAL, OUTCOME_COLORS, chart, figure, without, words

_ROW_PX: Final = 20
_GAP_PX: Final = 58
_WIDTH_PX: Final = 800
_BAD: Final = OUTCOME_COLORS["abandoned"]
STATE_COLORS: Final = {
    "settled": OUTCOME_COLORS["answered"],
    "empty": "#BFE3D5",
    "provisional": ACCENT,
    "missing": _BAD,
}
SEVERITY_COLORS: Final = {"error": _BAD, "warning": ACCENT, "note": OUTCOME_COLORS["voicemail"]}
_STATE_WORDS: Final = {"empty": "settled, no records", "provisional": "provisional: may still change"}
_WEEKS: Final = 40
"""A shorter calendar is drawn as long as this, so that its days stay together."""

_DAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_TITLES: Final = {
    "calls": "from records to calls",
    "answered": "from ANSWERED records to answered calls",
    "callers": "from calls to callers",
    "rings": "from records to phones that rang",
    "calls by rings": "from phones that rang to calls",
    "steps": "from records to steps",
}
_LINES: Final = {
    "did": "number dialled",
    "brought": "brought to a person",
    "records": "records",
    "silent": "no phone rang",
}


@chart
def reconciliation(reconciliation: pd.DataFrame) -> go.Figure:
    """Draw the way from records to each grain as waterfalls, one below the other.

    Parameters
    ----------
    reconciliation : pandas.DataFrame
        Result of `ucm_analytics.analyses.reconciliation`.

    Returns
    -------
    plotly.graph_objects.Figure
        One waterfall per grain, x [records, rings, calls or callers]. Lines of 0 are left out.

    Raises
    ------
    WrongColumns
        `reconciliation` is not such a result.
    """
    title = "From records to calls"
    if not reconciliation["count"].sum():
        return without("no records", title)
    reconciliation = reconciliation[(reconciliation["count"] != 0) | reconciliation["part"].isin(["start", "total"])]
    parts = [(str(grain), rows) for grain, rows in reconciliation.groupby("grain", sort=False, observed=True)]
    height = sum(len(rows) * _ROW_PX + _GAP_PX for _, rows in parts)
    made = make_subplots(
        rows=len(parts),
        cols=1,
        subplot_titles=[_TITLES.get(grain, grain) for grain, _ in parts],
        row_heights=[len(rows) for _, rows in parts],
        vertical_spacing=_GAP_PX / height,
    )
    made.update_layout(figure(title, height=height + 92, margin_t=92).layout)
    made.update_annotations(x=0, xref="paper", xanchor="left", font_size=13)
    for row, (grain, rows) in enumerate(parts, 1):
        whole = rows["part"].isin(["start", "total"])
        bars = rows["effect"].mask(whole, rows["count"])
        # the browser writes numbers as the locale of the page does
        shown = whole.map({True: "%{customdata[0]:,}", False: "%{customdata[0]:+,}"})
        made.add_trace(
            go.Waterfall(
                orientation="h",
                y=[_line(what, part) for what, part in zip(rows["what"], rows["part"], strict=True)],
                x=bars,
                measure=[{"start": "absolute", "total": "total"}.get(str(part), "relative") for part in rows["part"]],
                texttemplate=shown.to_list(),
                textposition="auto",
                constraintext="none",
                cliponaxis=False,
                customdata=list(zip(bars, rows["meaning"], strict=True)),
                hovertemplate=("%{y}: " + shown + "<br>%{customdata[1]}<extra></extra>").to_list(),
                decreasing_marker_color="#B8C4CC",
                increasing_marker_color=OUTCOME_COLORS["voicemail"],
                totals_marker_color=NEUTRAL,
                connector={"line": {"color": "#888888", "width": 1}},
                name=grain,
                showlegend=False,
            ),
            row=row,
            col=1,
        )
    made.update_xaxes(rangemode="tozero", tickformat=",")
    made.update_yaxes(type="category", autorange="reversed", showgrid=False, tickfont_size=11)
    return made


@chart
def coverage_calendar(coverage_calendar: pd.DataFrame) -> go.Figure:
    """Draw the state of each day as a calendar, one block a year.

    Parameters
    ----------
    coverage_calendar : pandas.DataFrame
        Result of `ucm_analytics.analyses.coverage_calendar`.

    Returns
    -------
    plotly.graph_objects.Figure
        x the week, y the weekday, colour the state.

    Raises
    ------
    WrongColumns
        `coverage_calendar` is not such a result.
    """
    title = "Days in the store"
    if coverage_calendar.empty:
        return without("no days", title)
    years = sorted(coverage_calendar["day"].dt.year.unique())
    made = make_subplots(rows=len(years), cols=1, vertical_spacing=0.3 / len(years) if len(years) > 1 else 0)
    height = 110 + 175 * len(years)
    made.update_layout(figure(title, height=height, legend={"itemsizing": "constant"}).layout)
    week = pd.Timedelta(days=7)
    shown: set[str] = set()
    for row, year in enumerate(years, 1):
        days = coverage_calendar[coverage_calendar["day"].dt.year == year]
        monday = days["day"] - pd.to_timedelta(days["day"].dt.day_of_week, unit="D")
        first, last = pd.Timestamp(f"{year}-01-01"), pd.Timestamp(f"{year}-12-31")
        ticks, form = pd.date_range(first, last, freq="MS"), "%b\n%Y"
        if len(years) == 1 and (monday.max() - monday.min()) / week < _WEEKS:
            first, last = monday.min(), monday.min() + _WEEKS * week
            ticks, form = pd.date_range(first, monday.max(), freq="14D"), "%-d %b\n%Y"
        size = max(6, min(20, _WIDTH_PX / ((last - first) / week + 2) - 2))
        for state, color in STATE_COLORS.items():
            some = days["state"] == state
            if not some.any():
                continue
            said = _STATE_WORDS.get(state, state)
            made.add_trace(
                go.Scatter(
                    x=monday[some],
                    y=days.loc[some, "day"].dt.day_of_week,
                    mode="markers",
                    marker={"symbol": "square", "size": size, "color": color},
                    name=said,
                    legendgroup=state,
                    showlegend=state not in shown,
                    customdata=list(
                        zip(days.loc[some, "day"].dt.strftime("%a %Y-%m-%d"), days.loc[some, "legs"], strict=True)
                    ),
                    hovertemplate=f"%{{customdata[0]}}: {said}<br>%{{customdata[1]:,}} records<extra></extra>",
                ),
                row=row,
                col=1,
            )
            shown.add(state)
        made.update_xaxes(
            range=[first - week, last + week],
            tickvals=list(ticks),
            ticktext=_without_repeats([f"{tick:{form}}" for tick in ticks]),
            showgrid=False,
            row=row,
            col=1,
        )
    made.update_yaxes(
        tickvals=list(range(7)), ticktext=_DAYS, range=[6.6, -0.6], showgrid=False, zeroline=False, tickfont_size=11
    )
    return made


@chart
def affected_reports(affected_reports: pd.DataFrame) -> go.Figure:
    """Draw how many findings touch each report, as stacked bars.

    Parameters
    ----------
    affected_reports : pandas.DataFrame
        Result of `ucm_analytics.analyses.affected_reports`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per report, x [findings] by severity.

    Raises
    ------
    WrongColumns
        `affected_reports` is not such a result.
    """
    title = "Findings that touch each report"
    if affected_reports.empty:
        return without("nothing was found", title)
    order = list(dict.fromkeys(affected_reports["report"].astype(str)))
    made = figure(title, x="findings", barmode="stack", height=max(220, 140 + 26 * len(order)))
    for severity, color in SEVERITY_COLORS.items():
        some = affected_reports[affected_reports["severity"] == severity]
        if len(some):
            made.add_bar(
                x=some["findings"],
                y=some["report"].astype(str),
                orientation="h",
                name=severity,
                marker={"color": color, "line": {"width": 0}},
                hovertemplate=f"%{{y}}: %{{x}} × {severity}<extra></extra>",
            )
    made.update_layout(showlegend=True)
    made.update_xaxes(rangemode="tozero", dtick=1 if affected_reports["findings"].sum() < 12 else None, tickformat="d")
    made.update_yaxes(
        type="category", categoryorder="array", categoryarray=order, autorange="reversed", dtick=1, showgrid=False
    )
    return made


def _without_repeats(labels: Sequence[str]) -> list[str]:
    """Labels with the year under the first of each year only."""
    kept, years = [], set()
    for label in labels:
        top, _, year = label.partition("\n")
        kept.append(top if year in years else f"{top}<br>{year}")
        years.add(year)
    return kept


def _line(what: str, part: str) -> str:
    if part == "total":
        what = "calls" if what == "calls by rings" else what
    sign = {"less": "− ", "more": "+ ", "total": "= "}.get(str(part), "")
    return f"{sign}{_LINES.get(what, words(what))}"
