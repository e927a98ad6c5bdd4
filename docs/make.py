"""Writes the pages of this folder that are made from the code: `python -m docs.make`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ucm_analytics.metrics import METRICS, Metric

HERE = Path(__file__).parent


def definitions() -> str:
    """Every number that the toolkit shows, as Markdown."""
    words = import_module("ucm_analytics.metrics").__doc__ or ""
    symbols = " ".join(words[words.index("Symbols, ") :].split())
    lines = ["# Definitions", "", "Made from `ucm_analytics/metrics.py` by `python -m docs.make`.", ""]
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
        lines.append(_row((_code(metric.id), _code(counted), _listed(metric.shown), metric.source)))
    return "\n".join(lines) + "\n"


def _named(metric: Metric) -> str:
    return f"{metric.name} {_code(metric.id)}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(_code(name) for name in names)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    (HERE / "definitions.md").write_text(definitions(), encoding="utf-8")
