"""Charts of a report: each says which days it is about, and how much of them is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from ucm_analytics.reports._format import period_name, separators, written_for

if TYPE_CHECKING:
    from ucm_analytics.reports._report import Report, Section

_FIRST_PX = 24
_NEXT_PX = 17


def figures(report: Report) -> list[go.Figure]:
    """The charts of a report, with period and coverage in the subtitle and numbers as its locale writes them."""
    with written_for(report.locale):
        return [_of(section, report) for section in report.sections]


def _of(section: Section, report: Report) -> go.Figure:
    drawn = go.Figure(section.figure)
    note = drawn.layout.title.subtitle.text
    made_from = f"{period_name(report.period)}. {report.days.short}"
    room = _NEXT_PX if note else _FIRST_PX
    drawn.update_layout(
        title_subtitle_text=f"{note}<br>{made_from}" if note else made_from,
        separators=separators(),
        margin_t=(drawn.layout.margin.t or drawn.layout.template.layout.margin.t or 0) + room,
        height=drawn.layout.height and drawn.layout.height + room,
    )
    return drawn
