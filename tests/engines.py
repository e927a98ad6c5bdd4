"""Which analysis runs on which engine, found by running all of them: `make test-spark` compares docs/engines.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.analyses.frames import KINDS, as_arrow
from tests.analyses.runs import RUNS, TABLES
from tests.analyses.test_kinds_of_frame import answer
from ucm_analytics import analyses
from ucm_analytics.schema import TableName, stored_schema
from ucm_analytics.store import Store
from ucm_analytics.store.files import Footer, write_table
from ucm_analytics.store.months import Months

Tables = Mapping[str, Any]

SHOWN = {"pandas": "pandas", "pyarrow": "PyArrow", "polars": "Polars", "polars lazy": "Polars, lazy"} | {
    "duckdb": "DuckDB relation"
}
MEMORY = {shown: {t: KINDS[kind](frame) for t, frame in TABLES.items()} for kind, shown in SHOWN.items()}


def same(found: Any, name: str) -> str:
    """Where an answer differs from that of PyArrow; empty if nowhere."""
    found, expected = as_arrow(found), as_arrow(answer(name))
    if not found.schema.equals(expected.schema):
        return f"types {found.schema}, not {expected.schema}"
    for field in expected.schema:
        values = expected[field.name].to_pylist()
        exact = pytest.approx(values) if field.type == pa.float64() else values
        if found[field.name].to_pylist() != exact:
            return f"column {field.name}"
    return ""


def runs(name: str, give: Callable[[str], Any]) -> bool:
    """Whether what `give` gives for one of `RUNS` is PyArrow's answer."""
    try:
        return not same(give(name), name)
    except Exception:  # noqa: BLE001  # whatever an engine raises: it does not run there
        return False


def scanned(folder: Path) -> Tables:
    """The tables as `Store.scan` gives them; those that lie in no file as they are."""
    months = Months(folder, "clinic")
    stored: tuple[TableName, ...] = ("legs", "steps", "rings", "calls")
    for name in stored:
        rows = TABLES[name]
        absent = {f.name: pa.nulls(len(rows), f.type) for f in stored_schema(name) if f.name not in rows.column_names}
        rows = pa.table({**dict(zip(rows.column_names, rows.columns, strict=True)), **absent})
        footer = Footer(id="made") if name == "legs" else Footer(made_from="made")
        write_table(rows, months.path(name, "2026-10"), footer, scratch=folder / "_part.parquet")
    store = Store(folder)
    return {**TABLES, **{name: store.scan(name) for name in stored}}


def page(engines: Mapping[str, Callable[[str], Any]]) -> str:
    """docs/engines.md, from what gives the answer of each of `RUNS` on each engine."""
    found = {engine: {name: runs(name, give) for name in RUNS} for engine, give in engines.items()}
    lines = [
        "# Engines",
        "",
        "Which analysis gives on which kind of table what it gives on PyArrow. "
        "Made by the tests, which run each on each,",
        "compare the answers value by value, and fail if this page says anything else. To write it again:",
        "`UCM_WRITE_ENGINES=1 make test-spark`.",
        "",
        f"| analysis | {' | '.join(engines)} |",
        f"|---|{'---|' * len(engines)}",
    ]
    for analysis in analyses.__all__:
        names = [name for name in RUNS if name.partition(" ")[0] == analysis]
        cells = ["yes" if all(found[engine][name] for name in names) else "no" for engine in engines]
        lines.append(f"| `{analysis}` | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
