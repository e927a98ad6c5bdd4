"""What the pages show on Spark is what happens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

import ucm_analytics as ucm
from tests import engines
from tests.analyses.frames import as_arrow
from tests.analyses.runs import RUNS
from tests.test_docs import DEMO, DOCS, PAGES, python, value


def test_one_page_shows_spark() -> None:
    assert [page for page in PAGES if python(page, "python spark")] == ["scaling-out.md"]


def test_spark_reads_the_folder(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/scaling-out.md shows it, and then what every other table gives."""
    shutil.copytree(DEMO, tmp_path / "store")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    (block,) = python("scaling-out.md", "python spark")
    # a path is looked up where the cluster was started, not where this process is
    result = value(block.replace('"store/', f'"{tmp_path}/store/'), names)
    store = ucm.Store("store")
    assert isinstance(result, DataFrame)
    scanned = as_arrow(ucm.durations(store.scan("calls", "2026-03")))
    found = as_arrow(result)
    assert found.schema.equals(scanned.schema)
    for column in found.column_names:
        assert found[column].to_pylist() == pytest.approx(scanned[column].to_pylist()), column
    assert names["spark"] is spark
    steps, rings = (spark.read.parquet(f"{tmp_path}/store/{table}") for table in ("steps", "rings"))
    dropoff = as_arrow(ucm.ivr_dropoff(steps))
    assert dropoff["passes"].to_pylist() == as_arrow(ucm.ivr_dropoff(store.scan("steps")))["passes"].to_pylist()
    phones = as_arrow(ucm.extensions(spark.read.parquet(f"{tmp_path}/store/calls"), rings))
    again = as_arrow(ucm.extensions(store.scan("calls"), store.scan("rings")))
    assert phones["extension"].to_pylist() == again["extension"].to_pylist()
    assert phones["answered"].to_pylist() == again["answered"].to_pylist()


def test_the_table_of_engines_is_what_was_found(on_spark_gives: Callable[[str], Any], tmp_path: Path) -> None:
    scanned = engines.scanned(tmp_path)
    tables = {**engines.MEMORY, "`store.scan()`": scanned}
    ways = {shown: (lambda name, some=some: RUNS[name](some)) for shown, some in tables.items()}
    page = engines.page({**ways, "PySpark": on_spark_gives})
    if os.environ.get("UCM_WRITE_ENGINES"):
        (DOCS / "engines.md").write_text(page, encoding="utf-8")
    assert (DOCS / "engines.md").read_text(encoding="utf-8") == page
    assert " no " not in page
