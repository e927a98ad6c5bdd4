"""One Spark cluster for all: a driver here, two executors in processes of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.analyses.runs import RUNS, TABLES

EXECUTORS = 2
ZONE = "Europe/Berlin"
"""Zone of the session: its clock skips an hour, and Python's (see `spark`) is another one."""

Make = Callable[[pa.Table], DataFrame]


@pytest.fixture(scope="session")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the event log, in which Spark says what each executor did."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="session")
def spark(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.default.parallelism": "2",
        "spark.sql.session.timeZone": ZONE,
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": events.as_uri(),
    }
    odd = {"TZ": "Asia/Kolkata", "SPARK_LOCAL_IP": "127.0.0.1"}
    before = {name: os.environ.get(name) for name in odd}
    os.environ.update(odd)
    time.tzset()
    builder = SparkSession.builder.master(f"local-cluster[{EXECUTORS},1,1024]").appName("tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
    for name, value in before.items():
        os.environ.pop(name)
        if value is not None:
            os.environ[name] = value
    time.tzset()


@pytest.fixture(scope="session")
def on_spark(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a Spark frame of an Arrow table, by way of two Parquet files, so that both executors read."""

    def make(table: pa.Table) -> DataFrame:
        folder = tmp_path_factory.mktemp("parquet")
        half = len(table) // 2
        for n, part in enumerate((table.slice(0, half), table.slice(half))):
            pq.write_table(part, folder / f"{n}.parquet")
        return spark.read.parquet(str(folder))

    return make


@pytest.fixture(scope="session")
def frames(on_spark: Make) -> dict[str, Any]:
    """The tables of tests/analyses/runs.py."""
    return {name: on_spark(table) for name, table in TABLES.items()}


@pytest.fixture(scope="session")
def on_spark_gives(frames: dict[str, Any]) -> Callable[[str], Any]:
    """Answer of an analysis on Spark, by its name in RUNS; found once."""
    return cache(lambda name: RUNS[name](frames))
