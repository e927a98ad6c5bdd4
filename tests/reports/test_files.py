"""Reports as files: CSV that spreadsheets do not run, pictures, the index."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from pypdf import PdfReader

from ucm_analytics.documents.csv import csv_text
from ucm_analytics.documents.html import page
from ucm_analytics.errors import SettingError
from ucm_analytics.reports import write_all

from .by_hand import HOSTILE, report, section


def test_no_cell_is_run_by_a_spreadsheet() -> None:
    table = pd.DataFrame(
        {
            "text": pd.Series(["=1", "+1", "-1", "@a", "\tx", "\rx", "plain", None], dtype="str"),
            "kind": pd.Series(["=1", "b", "b", "b", "b", "b", "b", None], dtype="category"),
            "n": pd.Series([-1, -2, -3, -4, -5, -6, -7, None], dtype="Int64"),
        }
    )
    back = pd.read_csv(io.StringIO(csv_text(table)))
    assert back["text"].tolist()[:7] == ["'=1", "'+1", "'-1", "'@a", "'\tx", "'\rx", "plain"]
    assert back["kind"].tolist()[:2] == ["'=1", "b"]
    assert back["n"].tolist()[:7] == [-1, -2, -3, -4, -5, -6, -7]
    assert back.iloc[7].isna().all()
    assert table["text"][0] == "=1", "the caller's table stays as it was"


def test_a_heading_is_not_run_either() -> None:
    assert csv_text(pd.DataFrame({"=1+1": [1]})) == "'=1+1\r\n1\r\n"


def test_csv_files_are_complete_and_spreadsheets_know_their_encoding(tmp_path: Path) -> None:
    many = [f"caller {n}" for n in range(3000)]
    files = report(section(many), section(HOSTILE, title="Odd ones")).to_csv(tmp_path / "new")
    assert [path.name for path in files] == ["callers-calls-by-caller.csv", "callers-odd-ones.csv"]
    assert files[0].read_bytes().startswith(b"\xef\xbb\xbfcaller,calls,talk_s,answered_rate\r\ncaller 0,1000,200,\r\n")
    assert len(pd.read_csv(files[0])) == 3000
    assert pd.read_csv(files[1])["caller"][6] == HOSTILE[6]


@pytest.mark.usefixtures("chromium")
def test_pictures_are_drawn_by_the_browser(tmp_path: Path) -> None:
    files = report(section(["Anna"]), section(HOSTILE, title="Odd ones")).to_png(tmp_path)
    assert [path.name for path in files] == ["callers-calls-by-caller.png", "callers-odd-ones.png"]
    for path in files:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">II", content[16:24]) == (2400, 1200)
        assert len(content) > 20_000


@pytest.mark.usefixtures("chromium")
def test_pictures_say_what_they_are_about(tmp_path: Path) -> None:
    (file,) = report(section(HOSTILE)).to_image(tmp_path, format="svg")
    svg = ElementTree.parse(file)
    texts = ["".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "March 2026. PBX clinic: 31 of 31 days settled" in texts
    assert HOSTILE[0] in texts
    assert not list(svg.iter("{http://www.w3.org/2000/svg}script"))
    with pytest.raises(SettingError, match="no picture format is called 'gif'"):
        report(section(["Anna"])).to_image(tmp_path, format="gif")  # type: ignore[arg-type]


@pytest.mark.usefixtures("chromium")
def test_a_pdf_holds_the_report_on_pages_of_its_own(tmp_path: Path) -> None:
    chapter = report(section(["Ben"]), section(["Eva"], title="Friends"), name="others")
    made = report(section(HOSTILE), section([f"caller {n}" for n in range(80)], title="Many"), chapters=(chapter,))
    pdf = PdfReader(made.to_pdf(tmp_path / "report.pdf"))
    assert len(pdf.pages) == 5, "Many has a chart and 31 rows: two pages"
    pages = [page.extract_text() for page in pdf.pages]
    assert all("Callers, March 2026" in text and "PBX clinic: 31 of 31 days settled" in text for text in pages)
    assert [f"{n} of 5" in text for n, text in enumerate(pages, 1)] == [True] * 5
    assert ["Answered" in text for text in pages] == [True] * 5, "the heading of a table on each of its pages"
    assert HOSTILE[0] in pages[0]
    assert ["Many\n" in text for text in pages] == [False, True, False, False, False]
    assert "caller 0" in pages[1]
    assert "caller 30" in pages[2]
    assert "49 more rows in the CSV" in pages[2]
    assert "Table as CSV" not in "".join(pages)
    assert pdf.pages[0].mediabox.width == pytest.approx(595, abs=1)
    assert pdf.metadata is not None
    assert str(pdf.metadata.creation_date) == "2026-04-03 06:10:00+00:00"
    assert (tmp_path / "report.pdf").read_bytes() == made.to_pdf(tmp_path / "again.pdf").read_bytes()


@pytest.mark.parametrize("leave", ["to_png", "to_pdf"])
def test_without_a_browser_the_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: str) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    with pytest.raises(SettingError, match="no browser could draw the pictures") as caught:
        getattr(report(section(["Anna"])), leave)(tmp_path / "out")
    assert "apt install chromium" in caught.value.hint
    assert "BROWSER_PATH" in caught.value.hint
    assert "HTML, Excel or CSV" in caught.value.hint


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    made = report(section(["Anna"]))
    for action in (made.to_csv, lambda folder: made.to_html(folder / "report.html")):
        with pytest.raises(SettingError, match=r"cannot write .*Not a directory") as caught:
            action(blocker / "folder")
        assert "another folder" in caught.value.hint


def test_write_all_writes_the_formats_and_the_index(tmp_path: Path) -> None:
    reports = [report(section(["Anna"])), report(section(["Ben"]), name="others")]
    files = write_all(reports, tmp_path, formats=["html", "csv"])
    assert [path.name for path in files] == [
        "index.html",
        "callers.html",
        "others.html",
        "callers-calls-by-caller.csv",
        "others-calls-by-caller.csv",
    ]
    assert (tmp_path / "callers.html").read_text(encoding="utf-8") == page(reports[0], beside=reports)


def test_an_unknown_format_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no report format is called 'docx'"):
        write_all([report(section(["Anna"]))], tmp_path, formats=["html", "docx"])  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []
