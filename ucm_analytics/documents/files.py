"""Reports as files: pages, pictures, tables, and the index that links them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ucm_analytics.documents.browser import pdfs, pictures
from ucm_analytics.documents.csv import csv_text
from ucm_analytics.documents.document import Document
from ucm_analytics.documents.excel import workbook
from ucm_analytics.documents.html import index, page
from ucm_analytics.errors import SettingError

Format = Literal["html", "pdf", "xlsx", "png", "svg", "csv"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "xlsx", "png", "svg", "csv")


def write_all(reports: Sequence[Document], folder: str | Path, *, formats: Sequence[Format] = ("html",)) -> list[Path]:
    """Write several reports into one folder; with HTML, `index.html` is the page to open first.

    Parameters
    ----------
    reports : sequence of Document
        What to write.
    folder : str or Path
        Where; it is made when it is not there.
    formats : sequence of {"html", "pdf", "xlsx", "png", "svg", "csv"}
        Which files each report becomes: one page, PDF and workbook a report, one picture and one CSV a section.

    Returns
    -------
    list of Path
        The files, the index first.

    Raises
    ------
    SettingError
        No such format, a package or Chromium is missing, or the folder cannot be written.
    """
    unknown = [each for each in formats if each not in FORMATS]
    if unknown:
        raise SettingError(f"no report format is called {unknown[0]!r}", hint=f"use {', '.join(FORMATS)}")
    folder = Path(folder)
    written: list[Path] = []
    if "html" in formats:
        written.append(write(folder / "index.html", index(reports).encode()))
        written += [write(folder / f"{report.name}.html", page(report, beside=reports).encode()) for report in reports]
    if "pdf" in formats:
        names = [folder / f"{report.name}.pdf" for report in reports]
        written += [write(path, pdf) for path, pdf in zip(names, pdfs(reports), strict=True)]
    if "xlsx" in formats:
        written += [write(folder / f"{report.name}.xlsx", workbook(report)) for report in reports]
    if "csv" in formats:
        written += [path for report in reports for path in write_csv(report, folder)]
    for picture in ("png", "svg"):
        if picture in formats:
            written += write_images(reports, folder, picture)
    return written


def write(path: Path, content: bytes) -> Path:
    """Write a file and return its path; its folder is made when it is not there.

    Raises
    ------
    SettingError
        The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise SettingError(
            f"cannot write {path} ({error.strerror})", hint="choose another folder or free space on the disk"
        ) from error
    return path


def write_csv(report: Document, folder: Path) -> list[Path]:
    """One CSV file a section; UTF-8 with a byte order mark, which spreadsheets need."""
    return [
        write(folder / f"{report.name}-{section.slug}.csv", csv_text(section.table).encode("utf-8-sig"))
        for section in report.sections
    ]


def write_images(reports: Sequence[Document], folder: Path, file_format: Literal["png", "svg"]) -> list[Path]:
    """One picture a section, all of them drawn by one browser."""
    if file_format not in ("png", "svg"):
        raise SettingError(f"no picture format is called {file_format!r}", hint="use png or svg")
    names = [f"{report.name}-{section.slug}.{file_format}" for report in reports for section in report.sections]
    drawn = pictures(reports, file_format)
    return [write(folder / name, picture) for name, picture in zip(names, drawn, strict=True)]
