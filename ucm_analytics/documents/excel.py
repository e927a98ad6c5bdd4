"""A report as an Excel workbook: typed cells, native charts, and how each number is computed."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ucm_analytics.documents.formats import Kind, clock, plain_day, weekday, written_for
from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    from ucm_analytics.documents.document import Document, Section, TableColumn

_FORMATS: Final[dict[Kind, str]] = {
    "count": "#,##0",
    "number": "#,##0.0",
    "money": "#,##0.00",
    "share": "0 %",
    "seconds": "#,##0",
    "day": "ddd yyyy-mm-dd",
    "time": "ddd yyyy-mm-dd hh:mm",
    "hour": '00":00"',
}
_SHEET_CHARS: Final = 31
_ROWS: Final = 1_048_000
_CHART_ROWS: Final = range(2, 61)
_CELL_CHARS: Final = 32_767
_WIDTHS: Final = range(8, 61)
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}


def workbook(report: Document) -> bytes:
    """Bytes of the workbook; the same report gives the same bytes.

    Raises
    ------
    SettingError
        There is no xlsxwriter.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise SettingError(
            "Excel files need the package xlsxwriter, which is not installed",
            hint='install it with pip install "ucm-analytics[excel]", or use HTML or CSV, which need nothing',
        ) from None
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, _OPTIONS)
    made_at = report.days.pulled[1].tz_localize(None) if report.days.pulled else report.period.start
    book.set_properties({"title": report.title, "subject": str(report.period), "created": made_at})
    names = _Names()
    with written_for(report.locale):
        sheets = {section: names.next(section.title) for part in report.parts for section in part.sections}
        _first(book, report, sheets)
        for defined, (section, name) in enumerate(sheets.items(), start=1):
            _sheet(book, section, name, defined)
        _definitions(book, report, sheets)
    book.close()
    return buffer.getvalue()


class _Names:
    """Names of sheets: short, without the signs that Excel forbids, each once."""

    def __init__(self) -> None:
        self._taken = {"report", "definitions", "history"}

    def next(self, title: str) -> str:
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", title).strip(" '") or "Section"
        name, n = plain[:_SHEET_CHARS], 1
        while name.lower() in self._taken:
            n += 1
            name = f"{plain[: _SHEET_CHARS - 4]} ({n})"
        self._taken.add(name.lower())
        return name


def _first(book: Any, report: Document, sheets: dict[Section, str]) -> None:
    sheet = book.add_worksheet("Report")
    title, bold, wrapped = (
        book.add_format({"bold": True, "font_size": 16}),
        book.add_format({"bold": True}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, report.title, title)
    rows = [("Question", report.question), ("Answer", report.headline), ("Made from", report.coverage)]
    rows += [(card.label, f"{card.value}, {card.change}. {card.action}") for card in report.cards]
    row = 1
    for name, text in rows:
        row += 1
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, text[:_CELL_CHARS], wrapped)
    row += 2
    for part in report.parts:
        sheet.write_string(row, 0, part.title, bold)
        row += 1
        for section in part.sections:
            sheet.write_url(
                row, 0, f"internal:'{sheets[section].replace(chr(39), chr(39) * 2)}'!A1", string=sheets[section]
            )
            sheet.write_string(row, 1, section.sentence[:_CELL_CHARS], wrapped)
            row += 1


def _sheet(book: Any, section: Section, name: str, defined: int) -> None:
    sheet = book.add_worksheet(name)
    heading = book.add_format({"bold": True, "bg_color": "#F4F6F8", "text_wrap": True, "valign": "top", "bottom": 1})
    formats = {kind: book.add_format({"num_format": pattern}) for kind, pattern in _FORMATS.items()}
    table = section.table.head(_ROWS)
    for n, column in enumerate(section.columns):
        label = f"{column.label} [s]" if column.kind == "seconds" else column.label
        sheet.write_string(0, n, label, heading)
        values = table[column.name]
        for row, value in enumerate(values, start=1):
            _cell(sheet, row, n, value, column.kind, formats.get(column.kind))
        sheet.set_column(n, n, _width(label, values, column.kind))
    sheet.freeze_panes(1, 1)
    if len(table):
        sheet.autofilter(0, 0, len(table), len(section.columns) - 1)
    _chart(book, sheet, section, name, defined)


def _cell(sheet: Any, row: int, column: int, value: Any, kind: Kind, cell_format: Any) -> None:
    if value is None or pd.isna(value):
        sheet.write_blank(row, column, None)
    elif kind in ("day", "time"):
        sheet.write_datetime(row, column, pd.Timestamp(value).to_pydatetime(), cell_format)
    elif kind == "weekday":
        sheet.write_string(row, column, weekday(value))
    elif kind == "text":
        sheet.write_string(row, column, str(value)[:_CELL_CHARS])
    elif math.isfinite(value):
        sheet.write_number(row, column, float(value), cell_format)


def _width(label: str, values: pd.Series[Any], kind: Kind) -> int:
    if kind in ("day", "time"):
        return 16 if kind == "day" else 22
    longest = max((len(str(value)) for value in values.head(500)), default=0) if kind == "text" else 10
    return min(max(longest + 2, len(label) + 2 if len(label) < 14 else 14, _WIDTHS.start), _WIDTHS.stop)


def _chart(book: Any, sheet: Any, section: Section, name: str, defined: int) -> None:
    """Bars of the first count, where the first column names so few rows that bars can show them.

    Titles are cells: a chart takes text such as ``x!A1`` for the place of one. `defined` is the section's row among
    the definitions.
    """
    counts = [n for n, column in enumerate(section.columns) if column.kind == "count" and n]
    rows = len(section.table)
    if not counts or rows not in _CHART_ROWS:
        return
    first: TableColumn = section.columns[0]
    chart = book.add_chart({"type": "bar" if first.kind == "text" else "column"})
    column = counts[0]
    chart.add_series(
        {
            "name": [name, 0, column],
            "categories": [name, 1, 0, rows, 0],
            "values": [name, 1, column, rows, column],
            "fill": {"color": "#0072B2"},
        }
    )
    chart.set_title({"name": ["Definitions", defined, 0], "overlay": False, "name_font": {"size": 12}})
    chart.set_legend({"none": True})
    axes = {"name": [name, 0, column], "min": 0}
    if first.kind == "text":
        chart.set_y_axis({"reverse": True})
        chart.set_x_axis(axes)
    else:
        chart.set_x_axis({"name": [name, 0, 0], "text_axis": True})
        chart.set_y_axis(axes)
    chart.set_size({"width": 720, "height": max(360, 22 * rows if first.kind == "text" else 0)})
    sheet.insert_chart(1, len(section.columns) + 1, chart, {"description": section.sentence})


def _definitions(book: Any, report: Document, sheets: dict[Section, str]) -> None:
    sheet = book.add_worksheet("Definitions")
    heading = book.add_format({"bold": True, "bg_color": "#F4F6F8", "bottom": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for n, (label, width) in enumerate((("Sheet", 32), ("How it is computed", 80), ("How to read it", 80))):
        sheet.write_string(0, n, label, heading)
        sheet.set_column(n, n, width)
    for row, (section, name) in enumerate(sheets.items(), start=1):
        for n, text in enumerate((name, section.formula, section.reading)):
            sheet.write_string(row, n, text[:_CELL_CHARS], wrapped)
    sheet.freeze_panes(1, 0)
    pulled = report.days.pulled
    note = f"Seconds are seconds. Days and hours are those of the PBX's clock. {report.days.short}"
    if pulled:
        note += f", pulled {plain_day(pulled[1])} {clock(pulled[1])} UTC"
    sheet.write_string(len(sheets) + 2, 0, f"{note}.", book.add_format({"italic": True}))
