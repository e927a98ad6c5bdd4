"""Reports as files: pages, pictures, tables, and the index that links them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from ucm_analytics.errors import SettingError
from ucm_analytics.reports._report import Report

Format = Literal["html", "pdf", "xlsx", "png", "svg", "csv"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "xlsx", "png", "svg", "csv")
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_all(reports: Sequence[Report], folder: str | Path, *, formats: Sequence[Format] = ("html",)) -> list[Path]:
    """Write several reports into one folder; with HTML, `index.html` is the page to open first.

    Parameters
    ----------
    reports : sequence of Report
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
    from ucm_analytics.reports._render import index, page

    unknown = [each for each in formats if each not in FORMATS]
    if unknown:
        raise SettingError(f"no report format is called {unknown[0]!r}", hint=f"use {', '.join(FORMATS)}")
    folder = Path(folder)
    written: list[Path] = []
    if "html" in formats:
        written.append(write(folder / "index.html", index(reports).encode()))
        written += [write(folder / f"{report.name}.html", page(report, beside=reports).encode()) for report in reports]
    if "pdf" in formats:
        from ucm_analytics.reports._browser import pdfs

        names = [folder / f"{report.name}.pdf" for report in reports]
        written += [write(path, pdf) for path, pdf in zip(names, pdfs(reports), strict=True)]
    if "xlsx" in formats:
        written += [report.to_excel(folder / f"{report.name}.xlsx") for report in reports]
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


def csv_text(table: pd.DataFrame) -> str:
    """Table as CSV in which no text is run by a spreadsheet.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"caller": ["=1+1", "+12025550142"], "calls": [-1, 2]}))
    "caller,calls\\r\\n'=1+1,-1\\r\\n'+12025550142,2\\r\\n"
    """
    plain = table.copy()
    for column in plain.columns:
        if _is_text(plain[column]):
            plain[column] = plain[column].astype(object).map(_inert, na_action="ignore")
    buffer = io.StringIO()
    plain.columns = plain.columns.map(_inert)
    plain.to_csv(buffer, index=False, lineterminator="\r\n")
    return buffer.getvalue()


def write_csv(report: Report, folder: Path) -> list[Path]:
    """One CSV file a section; UTF-8 with a byte order mark, which spreadsheets need."""
    return [
        write(folder / f"{report.name}-{section.slug}.csv", csv_text(section.table).encode("utf-8-sig"))
        for section in report.sections
    ]


def write_images(reports: Sequence[Report], folder: Path, file_format: Literal["png", "svg"]) -> list[Path]:
    """One picture a section, all of them drawn by one browser."""
    from ucm_analytics.reports._browser import pictures

    if file_format not in ("png", "svg"):
        raise SettingError(f"no picture format is called {file_format!r}", hint="use png or svg")
    names = [f"{report.name}-{section.slug}.{file_format}" for report in reports for section in report.sections]
    drawn = pictures(reports, file_format)
    return [write(folder / name, picture) for name, picture in zip(names, drawn, strict=True)]


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value
