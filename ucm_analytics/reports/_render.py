"""Reports as HTML: it knows sections, not reports.

A page is one file that asks nothing of any network. Its Content-Security-Policy lets the browser
run two scripts only, named by their hashes: plotly.js and `draw.js`. Data are never code: figures
lie in a JSON block that no browser runs, everything else passes through autoescape. Only the scripts and
that block are marked safe in the template.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2

from ucm_analytics.reports._files import csv_text
from ucm_analytics.reports._format import NUMERIC, period_name, plural, show

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ucm_analytics.reports._report import Report, Section

ROWS = 31
"""Rows of a table on the page: a month of days."""

CSV_ROWS = 2000
"""Rows of the CSV that lies in the page; the file made by `to_csv` has all of them."""

CARD_ROWS = 5
CHART_HEIGHT = 420


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, and whether it is a number."""

    text: str
    number: bool


def page(report: Report) -> str:
    """The report as one self-contained HTML page."""
    scripts = [_plotly_js(), _environment().get_template("draw.js").render()]
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            period=period_name(report.period),
            sections=[_section(section, rows=ROWS) for section in report.sections],
            figures=_json([_figure(section.figure) for section in report.sections]),
            scripts=scripts,
            hashes=[_hash(script) for script in scripts],
        )
    )


def index(reports: Sequence[Report]) -> str:
    """A page that links the pages of several reports."""
    periods = dict.fromkeys(period_name(report.period) for report in reports)
    days = {report.coverage: report.days for report in reports}
    template = _environment().get_template("index.html")
    common = next(iter(days.values())) if len(days) == 1 else None
    return template.render(reports=reports, periods=", ".join(periods), common=common)


def card(report: Report, *, sections: bool = True) -> str:
    """The report for a notebook: headline, coverage and, with `sections`, the first rows of every table."""
    parts = [_section(section, rows=CARD_ROWS) for section in report.sections] if sections else []
    return _environment().get_template("card.html").render(report=report, sections=parts)


def card_section(section: Section) -> str:
    """One section for a notebook, without its chart."""
    return _environment().get_template("card_section.html").render(section=_section(section, rows=CARD_ROWS))


def _section(section: Section, *, rows: int) -> dict[str, Any]:
    table = section.table
    head = table.head(CSV_ROWS)
    return {
        "title": section.title,
        "slug": section.slug,
        "sentence": section.sentence,
        "formula": section.formula,
        "reading": section.reading,
        "height": section.figure.layout.height or CHART_HEIGHT,
        "headings": [Cell(column.label, column.kind in NUMERIC) for column in section.columns],
        "rows": list(_rows(section, rows)),
        "more": f"{plural(len(table) - rows, 'more row')} in the CSV" if len(table) > rows else "",
        "csv": base64.b64encode(csv_text(head).encode("utf-8-sig")).decode(),
        "csv_note": (
            f"first {len(head):,} of {len(table):,} rows; the report written as csv has all"
            if len(head) < len(table)
            else plural(len(table), "row")
        ),
    }


def _rows(section: Section, rows: int) -> Iterable[list[Cell]]:
    shown = section.table.head(rows)[[column.name for column in section.columns]]
    kinds = [column.kind for column in section.columns]
    for values in shown.itertuples(index=False, name=None):
        yield [Cell(show(value, kind), kind in NUMERIC) for value, kind in zip(values, kinds, strict=True)]


def _figure(figure: go.Figure) -> Any:
    parsed = json.loads(figure.to_json(engine="json"))
    layout = parsed["layout"]
    layout.pop("width", None)
    layout["autosize"] = True
    layout.setdefault("height", CHART_HEIGHT)
    return {"data": parsed["data"], "layout": layout}


def _json(value: Any) -> str:
    """JSON that can stand inside a script element: no character of it can end the element."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _plotly_js() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("ucm_analytics.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
