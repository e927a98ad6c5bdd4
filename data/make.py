"""Writes what this folder holds: `python -m data.make`.

`demo/` is the store of `ucm_analytics.demo_store()`; `dictionary.md` says what every column means.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ucm_analytics import schema
from ucm_analytics.demo import demo_store
from ucm_analytics.model import OUTCOME_RULES

HERE = Path(__file__).parent
TABLES = {
    "legs": "One row per CDR row, as the PBX sent it: nothing is lost, known columns are typed.",
    "steps": "One row per stage that a caller went through, in order.",
    "rings": "One row per phone that rang.",
    "calls": "One row per call.",
    "directory": "What an extension, queue, menu, trunk or number is called and leads to, and on which days.",
}
WORDS = {
    "calls.outcome": schema.OUTCOMES,
    "calls.direction": schema.DIRECTIONS,
    "calls.caller_kind": schema.CALLER_KINDS,
    "steps.kind": schema.STEP_KINDS,
    "steps.result": schema.STEP_RESULTS,
    "rings.result": schema.RING_RESULTS,
}


def dictionary() -> str:
    """The data dictionary as Markdown."""
    lines = ["# Data dictionary", "", "Made from `ucm_analytics/schema.py` by `make data`.", ""]
    lines += ["`utc` is an instant in UTC, `wall` the naive wall clock of the PBX; `category` is text with few"]
    lines += ["distinct values. Monthly files are named for the UTC month in which a call began.", ""]
    for name, columns in [*schema.STORED.items(), ("directory", schema.DIRECTORY)]:
        lines += [f"## {name}", "", TABLES[name], "", "| column | type | unit | meaning |", "|---|---|---|---|"]
        for column in columns:
            raw = f" (`{column.raw}`)" if column.raw and column.raw != column.name else ""
            lines.append(f"| {column.name}{raw} | {column.dtype} | {column.unit} | {_cell(column.meaning)} |")
        lines.append("")
    for name, words in WORDS.items():
        lines += [f"## {name}", "", "| value | meaning |", "|---|---|"]
        lines += [f"| {word} | {_cell(meaning)} |" for word, meaning in words.items()]
        lines.append("")
    lines += ["## How the outcome is decided", "", "The first rule that holds:", ""]
    lines += [f"{n}. **{rule.outcome}** – {rule.words}" for n, rule in enumerate(OUTCOME_RULES, 1)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write_demo(folder: Path) -> None:
    """Write the demo store, without its locks."""
    with tempfile.TemporaryDirectory() as scratch:
        store = demo_store(Path(scratch) / "store")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(store.path, folder, ignore=shutil.ignore_patterns(".*"))


if __name__ == "__main__":
    (HERE / "dictionary.md").write_text(dictionary(), encoding="utf-8")
    write_demo(HERE / "demo")
