"""Reports as HTML: it knows sections, not reports.

A page is one file that asks nothing of any network. Its Content-Security-Policy lets the browser
run two scripts only, named by their hashes: plotly.js and `draw.js`. Data are never code: figures
lie in the page as packed text, everything else passes through autoescape. Only `draw.js` is marked
safe in the template.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2
from plotly.io.json import to_json_plotly

from ucm_analytics.charts.template import ON_DARK
from ucm_analytics.documents.csv import csv_text
from ucm_analytics.documents.figures import figures
from ucm_analytics.documents.formats import NUMERIC, Kind, count, period_name, plural, show, written_for

if TYPE_CHECKING:
    from ucm_analytics.documents.document import Card, Document, Section

ROWS = 31
"""Rows of a table on the page: a month of days."""

CSV_ROWS = 2000
"""Rows of the CSV that lies in the page; the file made by `to_csv` has all of them."""

CHAPTER_ROWS = 10
CHAPTER_CSV_ROWS = 400
CARD_ROWS = 5
CHART_HEIGHT = 420
_SLOW_ENOUGH = 6
"""Level of compression: level 9 takes three times as long for two per cent."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, and how it is set: `number` to the right, `whole` on one line."""

    text: str
    style: str = ""


def style(kind: Kind) -> str:
    """How cells of a kind are set."""
    return "number" if kind in NUMERIC else "whole" if kind != "text" else ""


def page(report: Document, *, beside: Sequence[Document] = ()) -> str:
    """The report as one self-contained HTML page, with links to the pages of the reports `beside` it."""
    drawn = [figure for part in report.parts for figure in figures(part)]
    numbered = enumerate(drawn)
    own = _sections(report, numbered, rows=ROWS, csv_rows=CSV_ROWS)
    chapters = [
        {
            "report": chapter,
            "sections": _sections(
                chapter, numbered, rows=CHAPTER_ROWS, csv_rows=CHAPTER_CSV_ROWS, prefix=f"{chapter.name}-"
            ),
        }
        for chapter in report.chapters
    ]
    links = {each.name: f"{each.name}.html" for each in beside} | {
        part.name: f"#{part.name}" for part in report.chapters
    }
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            period=period_name(report.period),
            own=own,
            chapters=chapters,
            beside=beside,
            links=links,
            **_drawing(drawn),
        )
    )


def index(reports: Sequence[Document]) -> str:
    """The first page: the numbers that matter and their chart, where a report has some, and a link to every report."""
    periods = dict.fromkeys(period_name(report.period) for report in reports)
    days = {report.coverage: report.days for report in reports}
    line, common = next(iter(days.items())) if len(days) == 1 and len(periods) == 1 else ("", None)
    first = next((report for report in reports if report.cards), None)
    drawn = figures(first)[:1] if first else []
    shown = (
        _sections(replace(first, sections=first.sections[:1]), enumerate(drawn), rows=0, csv_rows=0) if first else []
    )
    return (
        _environment()
        .get_template("index.html")
        .render(
            reports=reports,
            first=first,
            section=next(iter(shown), None),
            cards=[_unbroken(card) for card in first.cards] if first else [],
            links={report.name: f"{report.name}.html" for report in reports},
            periods=", ".join(periods),
            common=common,
            common_line=line,
            **(_drawing(drawn) if drawn else {}),
        )
    )


def card(report: Document, *, sections: bool = True) -> str:
    """The report for a notebook: headline, coverage and, with `sections`, the first rows of every table."""
    with written_for(report.locale):
        parts = [_section(section, rows=CARD_ROWS, csv_rows=0) for section in report.sections if sections]
    return _environment().get_template("card.html").render(report=report, sections=parts)


def card_section(section: Section, locale: str = "") -> str:
    """One section for a notebook, without its chart."""
    with written_for(locale):
        shown = _section(section, rows=CARD_ROWS, csv_rows=0)
    return _environment().get_template("card_section.html").render(section=shown)


def _sections(
    report: Document, numbered: Iterator[tuple[int, dict[str, Any]]], *, rows: int, csv_rows: int, prefix: str = ""
) -> list[dict[str, Any]]:
    """Sections for the template; each takes the next of the page's charts."""
    with written_for(report.locale):
        return [
            _section(section, rows=rows, csv_rows=csv_rows)
            | {
                "id": prefix + section.slug,
                "figure": number,
                "height": figure["layout"].get("height", CHART_HEIGHT),
                "period": period_name(report.period),
                "file": f"{report.name}-{section.slug}.csv",
            }
            for section in report.sections
            for number, figure in [next(numbered)]
        ]


def _section(section: Section, *, rows: int, csv_rows: int) -> dict[str, Any]:
    table = section.table
    head = table.head(csv_rows)
    return {
        "title": section.title,
        "sentence": section.sentence,
        "cards": [_unbroken(card) for card in section.cards],
        "formula": section.formula,
        "reading": section.reading,
        "headings": [Cell(column.label, "number" if column.kind in NUMERIC else "") for column in section.columns],
        "rows": list(_rows(section, rows)),
        "more": f"{plural(len(table) - rows, 'more row')} in the CSV" if len(table) > rows else "",
        "csv": base64.b64encode(csv_text(head).encode("utf-8-sig")).decode(),
        "csv_note": (
            f"first {count(len(head))} of {count(len(table))} rows; the report written as csv has all"
            if len(head) < len(table)
            else plural(len(table), "row")
        ),
    }


def _unbroken(card: Card) -> Card:
    """The card with its dates, and its numbers with their units, on one line."""

    def whole(text: str) -> str:
        text = re.sub(r"(\d) (?=(?:%|s|min|h)\b|%)", "\\1\u00a0", text)
        return re.sub(r"\b(\d{4})-(\d\d)-(\d\d)\b", "\\1\u2011\\2\u2011\\3", text)

    return replace(card, change=whole(card.change), action=whole(card.action))


def _rows(section: Section, rows: int) -> Iterable[list[Cell]]:
    shown = section.table.head(rows)[[column.name for column in section.columns]]
    kinds = [column.kind for column in section.columns]
    for values in shown.itertuples(index=False, name=None):
        yield [Cell(show(value, kind), style(kind)) for value, kind in zip(values, kinds, strict=True)]


def _drawing(drawn: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a page needs to draw these charts: data, plotly.js, and the script with the hashes that let it run."""
    script = _environment().get_template("draw.js").render()
    data = {"templates": _templates(), "onDark": ON_DARK, "figures": [_figure(figure) for figure in drawn]}
    return {
        "figures": _packed(to_json_plotly(data, engine="json")),
        "plotly": _packed_plotly_js(),
        "script": script,
        "hashes": [_hash(_plotly_js()), _hash(script)],
    }


def _figure(figure: dict[str, Any]) -> dict[str, Any]:
    layout = {name: value for name, value in figure["layout"].items() if name not in ("width", "template")}
    return {"data": figure["data"], "layout": {"height": CHART_HEIGHT} | layout | {"autosize": True}}


def _templates() -> dict[str, Any]:
    import plotly.io as pio

    return {
        name: pio.templates[template].to_plotly_json() for name, template in (("light", "ucm"), ("dark", "ucm_dark"))
    }


def _packed(text: str) -> str:
    """Text as a script element can hold it: packed, and of letters, digits, plus and slash only."""
    return base64.b64encode(gzip.compress(text.encode(), _SLOW_ENOUGH, mtime=0)).decode()


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _plotly_js() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@cache
def _packed_plotly_js() -> str:
    return _packed(_plotly_js())


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("ucm_analytics.documents"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
