"""Workbooks: typed cells, nothing that runs, headings that stay, a sheet of definitions."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd
import pytest

from ucm_analytics.errors import SettingError
from ucm_analytics.reports import Report, Section, TableColumn

from .by_hand import HOSTILE, card, days, report, section

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Sheet(NamedTuple):
    """A sheet as Excel reads it: cells by address with their type, and its XML."""

    cells: dict[str, tuple[str, str]]
    xml: str


def opened(path: Path) -> dict[str, Sheet]:
    """Sheets of a workbook by their names."""
    with zipfile.ZipFile(path) as book:
        strings = [
            "".join(text.text or "" for text in item.iter(f"{MAIN}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        names = [
            sheet.attrib["name"] for sheet in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{MAIN}sheet")
        ]
        sheets = {}
        for n, name in enumerate(names, 1):
            xml = book.read(f"xl/worksheets/sheet{n}.xml").decode()
            cells = {}
            for cell in ElementTree.fromstring(xml).iter(f"{MAIN}c"):
                value = cell.find(f"{MAIN}v")
                kind = cell.attrib.get("t", "n" if value is not None else "blank")
                text = "" if value is None else value.text or ""
                cells[cell.attrib["r"]] = (kind, strings[int(text)] if kind == "s" else text)
            sheets[name] = Sheet(cells, xml)
        return sheets


def test_cells_have_types(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "at": pd.to_datetime(["2026-03-09 10:15", None]),
            "hour": [9, 10],
            "weekday": [0, 6],
            "share": pd.array([0.25, None], dtype="Float64"),
            "talk": [200, 61],
            "who": ["1004", None],
        }
    )
    kinds = ("time", "hour", "weekday", "share", "seconds", "text")
    columns = tuple(TableColumn(name, name.title(), kind) for name, kind in zip(table, kinds, strict=True))  # type: ignore[arg-type]
    made = replace(section(["Anna"], title="Typed"), table=table, columns=columns)
    cells = opened(report(made).to_excel(tmp_path / "a.xlsx"))["Typed"].cells
    assert [cells[f"{column}1"] for column in "ABCDEF"] == [
        ("s", "At"),
        ("s", "Hour"),
        ("s", "Weekday"),
        ("s", "Share"),
        ("s", "Talk [s]"),
        ("s", "Who"),
    ]
    # 46090 days since 1899-12-30 are 2026-03-09
    assert (cells["A2"][0], float(cells["A2"][1])) == ("n", pytest.approx(46090 + (10 * 60 + 15) / 1440))
    assert [cells[f"{column}2"] for column in "BCDEF"] == [
        ("n", "9"),
        ("s", "Monday"),
        ("n", "0.25"),
        ("n", "200"),
        ("s", "1004"),
    ]
    assert "A3" not in cells
    assert "D3" not in cells


def test_no_text_becomes_a_formula_or_a_link(tmp_path: Path) -> None:
    links = ["https://example.org/x", "mailto:a@example.org", "internal:'Report'!A1"]
    sheets = opened(
        report(section([*HOSTILE, *links]), section(HOSTILE, title=HOSTILE[2])).to_excel(tmp_path / "a.xlsx")
    )
    cells = sheets["Calls by caller"].cells
    assert [cells[f"A{row}"] for row in range(2, 12)] == [("s", text) for text in [*HOSTILE, *links]]
    assert not any(re.search(r"<f[ >]", sheet.xml) for sheet in sheets.values())
    assert not any("<hyperlink " in sheet.xml for name, sheet in sheets.items() if name != "Report")


def test_headings_stay_and_can_be_filtered(tmp_path: Path) -> None:
    sheet = opened(report(section(["Anna", "Ben"])).to_excel(tmp_path / "a.xlsx"))["Calls by caller"]
    assert 'ySplit="1"' in sheet.xml
    assert 'state="frozen"' in sheet.xml
    assert '<autoFilter ref="A1:D3"/>' in sheet.xml


def test_charts_are_excels_own(tmp_path: Path) -> None:
    path = report(section(["Anna", "Ben"]), section(["Eva"], title="One row")).to_excel(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as book:
        charts = [name for name in book.namelist() if name.startswith("xl/charts/chart")]
        assert charts == ["xl/charts/chart1.xml"], "one row is no chart"
        chart = book.read(charts[0]).decode()
    assert "'Calls by caller'!$B$2:$B$3" in chart
    assert '<c:min val="0"/>' in chart


def test_the_first_sheet_answers_and_the_last_defines(tmp_path: Path) -> None:
    chapter = report(section(["Ben"]), name="others")
    made = report(section(["Anna"], cards=(card(),)), chapters=(chapter,), coverage=days(settled=30))
    sheets = opened(made.to_excel(tmp_path / "a.xlsx"))
    assert list(sheets) == ["Report", "Calls by caller", "Calls by caller (2)", "Definitions"]
    first = [text for _, text in sheets["Report"].cells.values()]
    assert "March 2026: 1 callers made calls." in first
    assert made.coverage in first
    assert "381, 8 % more (352 the week before). Plan for Mon 2026-03-16." in first
    definitions = sheets["Definitions"].cells
    assert definitions["A2"] == ("s", "Calls by caller")
    assert definitions["B2"] == ("s", "answered_rate = answered / offered [share of 1]")
    assert definitions["A5"][1].endswith("30 of 31 days settled, 1 provisional, pulled 2026-04-03 06:10 UTC.")


@pytest.mark.parametrize("title", ["a" * 40, "[x]:*?/\\", "'quoted'", "history", "REPORT", " "])
def test_sheets_get_names_that_excel_takes(tmp_path: Path, title: str) -> None:
    sheets = opened(twice(title).to_excel(tmp_path / "a.xlsx"))
    names = list(sheets)[1:-1]
    assert len({name.lower() for name in names}) == 2
    for name in names:
        assert 0 < len(name) <= 31
        assert not re.search(r"[\[\]:*?/\\]|^'|'$", name)
        assert name.lower() not in ("report", "definitions", "history")


def twice(title: str) -> Report:
    """A report whose two sections have one title."""
    both: tuple[Section, Section] = (section(["Anna"], title=title), section(["Ben"], title=title))
    return report(*both)


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (report(section(HOSTILE)).to_excel(tmp_path / name).read_bytes() for name in ("a.xlsx", "b.xlsx"))
    assert first == second
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert "2026-04-03T06:10:00Z" in book.read("docProps/core.xml").decode()


def test_a_workbook_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"cannot write .*a\.xlsx"):
        report(section(["Anna"])).to_excel(tmp_path / "file" / "a.xlsx")
