"""Writes what in this folder is made from the code, definitions and a picture: `python -m docs.make`."""

from __future__ import annotations

import inspect
import shutil
import struct
import tempfile
import zlib
from importlib import import_module
from pathlib import Path

from playwright.sync_api import sync_playwright

from ucm_analytics import analyses
from ucm_analytics.metrics import METRICS, Metric
from ucm_analytics.reports import Report, run_all, write_all
from ucm_analytics.store import Store

HERE = Path(__file__).parent
WEEK = "2026-W11"
SCREEN = {"width": 1280, "height": 720}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def definitions() -> str:
    """Every number that the toolkit shows, as Markdown."""
    words = import_module("ucm_analytics.metrics").__doc__ or ""
    symbols = " ".join(words[words.index("Symbols, ") :].split())
    lines = ["# Definitions", "", "Made from `ucm_analytics/metrics.py` and the analyses by `python -m docs.make`.", ""]
    lines += ["Every number that reports and analyses show, with its formula. Where the field has several formulas"]
    lines += [
        "for one word, each has an entry of its own: the six service levels for instance. Columns are explained in"
    ]
    lines += ['the [data dictionary](../data/dictionary.md). In Python `print(ucm.explain("asa"))` shows one entry.']
    lines += ["", symbols, "", "| number | formula | in symbols | unit | without data |", "|---|---|---|---|---|"]
    for metric in METRICS.values():
        cells = (_named(metric), metric.words, _code(metric.symbols), metric.unit, metric.on_no_data)
        lines.append(_row(cells))
    lines += ["", "## Where each comes from", ""]
    lines += ["| number | counted from | shown in | source |", "|---|---|---|---|"]
    for metric in METRICS.values():
        counted = " / ".join(", ".join(part) for part in (metric.numerator, metric.denominator) if part)
        lines.append(_row((_code(metric.id), _code(counted), _listed(shown_in(metric)), metric.source)))
    lines += ["", "## What each analysis divides by", "", "| analysis | what it does | divided by |", "|---|---|---|"]
    for name in analyses.__all__:
        analysis = getattr(analyses, name)
        lines.append(_row((_code(name), inspect.getdoc(analysis).partition("\n")[0], analysis.divides_by)))
    return "\n".join(lines) + "\n"


def shown_in(metric: Metric) -> list[str]:
    """The columns of results that hold a number, as ``analysis.column``."""
    columns = [(name, column) for name in analyses.__all__ for column in getattr(analyses, name).columns]
    return [f"{name}.{column.name}" for name, column in columns if column.metric == metric.id]


def weekly_reports() -> list[Report]:
    """All reports on a week of the demo store."""
    return run_all(Store(HERE.parent / "data" / "demo"), WEEK)


def first_screen(reports: list[Report]) -> bytes:
    """What a browser shows of the first page of reports, as PNG that holds its words too: see `described`."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        index, *_ = write_all(reports, folder)
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SCREEN, color_scheme="light")
        page.goto(index.as_uri())
        page.wait_for_selector("html[data-charts=drawn]")
        picture = page.screenshot()
        browser.close()
    return described(picture, words(reports))


def words(reports: list[Report]) -> str:
    """What the first screen says."""
    return "\n".join(reports[0].findings)


def described(picture: bytes, text: str) -> bytes:
    """PNG with a description, by which a test sees whether it is fresh."""
    body = b"iTXtDescription\0\0\0\0\0" + text.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    header = len(_SIGNATURE) + 25
    return picture[:header] + chunk + picture[header:]


def _named(metric: Metric) -> str:
    return f"{metric.name} {_code(metric.id)}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _listed(names: list[str]) -> str:
    return ", ".join(_code(name) for name in names)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    (HERE / "definitions.md").write_text(definitions(), encoding="utf-8")
    (HERE / "weekly-report.png").write_bytes(first_screen(weekly_reports()))
