"""Charts of a report: each says which days it is about, and how much of them is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ucm_analytics.documents.formats import period_name, separators, written_for

if TYPE_CHECKING:
    from ucm_analytics.documents.document import Document, Section

_FIRST_PX = 24
_NEXT_PX = 17


def figures(report: Document) -> list[dict[str, Any]]:
    """The charts of a report, with period and coverage in the subtitle and numbers as its locale writes them.

    As the dictionaries that plotly.js draws: another Figure would check every value of the section's again.
    """
    with written_for(report.locale):
        return [_of(section, report) for section in report.sections]


def _of(section: Section, report: Document) -> dict[str, Any]:
    drawn: dict[str, Any] = section.figure.to_dict()
    layout = drawn["layout"]
    subtitle = layout.setdefault("title", {}).setdefault("subtitle", {})
    note = subtitle.get("text")
    made_from = f"{period_name(report.period)}. {report.days.short}"
    subtitle["text"] = f"{note}<br>{made_from}" if note else made_from
    layout["separators"] = separators()
    room = _NEXT_PX if note else _FIRST_PX
    margin = layout.setdefault("margin", {})
    usual = section.figure.layout.template.layout.margin.t
    margin["t"] = (margin.get("t") or usual or 0) + room
    if layout.get("height"):
        layout["height"] += room
    return drawn
