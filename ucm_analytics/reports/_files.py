"""Reports as files: pages, pictures, tables, and the index that links them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from ucm_analytics.errors import SettingError
from ucm_analytics.reports._report import Report

if TYPE_CHECKING:
    import plotly.graph_objects as go

Format = Literal["html", "png", "csv"]
FORMATS: tuple[Format, ...] = ("html", "png", "csv")
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
PNG: dict[str, object] = {"format": "png", "width": 1200, "scale": 2}
PNG_HEIGHT = 600


def write_all(reports: Sequence[Report], folder: str | Path, *, formats: Sequence[Format] = ("html",)) -> list[Path]:
    """Write several reports into one folder, with an `index.html` of links and headlines.

    Parameters
    ----------
    reports : sequence of Report
        What to write.
    folder : str or Path
        Where; it is made when it is not there.
    formats : sequence of {"html", "png", "csv"}
        Which files each report becomes; the index comes with ``html``.

    Returns
    -------
    list of Path
        The files, the index first.

    Raises
    ------
    SettingError
        No such format, no Chromium for PNG, or the folder cannot be written.
    """
    from ucm_analytics.reports._render import index

    unknown = [each for each in formats if each not in FORMATS]
    if unknown:
        raise SettingError(f"no report format is called {unknown[0]!r}", hint=f"use {', '.join(FORMATS)}")
    folder = Path(folder)
    written: list[Path] = []
    if "html" in formats:
        written.append(write(folder / "index.html", index(reports).encode()))
        for report in reports:
            report.to_html(folder / f"{report.name}.html")
            written.append(folder / f"{report.name}.html")
    if "csv" in formats:
        written += [path for report in reports for path in write_csv(report, folder)]
    if "png" in formats:
        written += write_png(reports, folder)
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


def write_png(reports: Sequence[Report], folder: Path) -> list[Path]:
    """One PNG file a section, all of them drawn by one browser."""
    sections = [(report, section) for report in reports for section in report.sections]
    pictures = _pictures([section.figure for _, section in sections])
    return [
        write(folder / f"{report.name}-{section.slug}.png", picture)
        for (report, section), picture in zip(sections, pictures, strict=True)
    ]


def _pictures(figures: Sequence[go.Figure]) -> list[bytes]:
    try:
        import kaleido
    except ImportError:
        raise SettingError(
            "pictures need the package kaleido, which is not installed",
            hint='install it with pip install "ucm-analytics[export]", or use the HTML report',
        ) from None

    async def draw() -> list[bytes]:
        # without mathjax=False every picture would wait for a download
        async with kaleido.Kaleido(n=1, mathjax=False) as browser:
            return [await browser.calc_fig(figure, opts=PNG | _height(figure)) for figure in figures]

    try:
        # a thread of its own, because a notebook already runs an event loop in this one
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(asyncio.run, draw()).result()
    except RuntimeError as error:
        raise SettingError(
            f"no browser could draw the pictures ({str(error).strip().partition('. ')[0]})",
            hint="install Chromium (Debian: apt install chromium), or set BROWSER_PATH to a Chrome or "
            "Chromium, or use the HTML report, which needs none",
        ) from error


def _height(figure: go.Figure) -> dict[str, object]:
    return {"height": figure.layout.height or PNG_HEIGHT}


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value
