"""The work is done by executors in processes of their own, not by the driver."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import psutil
from pyspark.sql import SparkSession

from tests.analyses.runs import RUNS, TABLES
from tests.spark.conftest import EXECUTORS
from ucm_analytics.analyses.frames import required, select_required, with_interval_start


def logged(events: Path) -> list[dict[str, Any]]:
    (log,) = events.iterdir()
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def tasks_of(events: Path, name: str) -> list[dict[str, Any]]:
    """Tasks of the jobs that were described so, once the log says that their stages are complete."""
    deadline = time.monotonic() + 30
    while True:
        log = logged(events)
        stages = [
            event["Stage Info"]["Stage ID"]
            for event in log
            if event["Event"] == "SparkListenerStageSubmitted"
            and event.get("Properties", {}).get("spark.job.description") == name
        ]
        ended = {e["Stage Info"]["Stage ID"] for e in log if e["Event"] == "SparkListenerStageCompleted"}
        if stages and set(stages) <= ended:
            return [e for e in log if e["Event"] == "SparkListenerTaskEnd" and e["Stage ID"] in stages]
        assert time.monotonic() < deadline, f"no completed stage of {name!r} in the log"
        time.sleep(0.2)


def executors() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):  # what Spark's launcher left behind
            if any("CoarseGrainedExecutorBackend" in word for word in process.cmdline()):
                found.append(process)
    return found


def test_the_executors_are_processes_that_did_work(spark: SparkSession) -> None:
    spark.range(0, 4, numPartitions=4).groupBy("id").count().toArrow()
    running = executors()
    assert len(running) == EXECUTORS
    assert len({process.pid for process in running}) == EXECUTORS
    for process in running:
        assert process.name() == "java"
        assert process.cpu_times().user > 0


def test_the_rows_are_read_and_reduced_by_the_executors(
    spark: SparkSession, events: Path, frames: dict[str, Any]
) -> None:
    by_executor: Counter[str] = Counter()
    for name in ("call_volume", "durations by", "ivr_paths", "extensions", "ivr_dropoff", "reconciliation"):
        spark.sparkContext.setJobDescription(f"reduces: {name}")
        RUNS[name](frames)
        spark.sparkContext.setJobDescription(None)
        tasks = tasks_of(events, f"reduces: {name}")
        ran = Counter(task["Task Info"]["Executor ID"] for task in tasks)
        assert "driver" not in ran, name
        read = sum(task["Task Metrics"]["Input Metrics"]["Records Read"] for task in tasks)
        assert read >= min(TABLES[table].num_rows for table in ("calls", "steps", "rings")), name
        shuffled = sum(task["Task Metrics"]["Shuffle Write Metrics"]["Shuffle Records Written"] for task in tasks)
        assert shuffled > 0, f"{name} was not grouped by the executors"
        by_executor += ran
    assert set(by_executor) == {str(n) for n in range(EXECUTORS)}


def test_the_plan_groups_where_the_rows_lie(frames: dict[str, Any]) -> None:
    """Rows are first summed on each executor, then exchanged, then summed again."""
    frame = select_required(frames["calls"], "calls", required("calls", "local_at"))
    native = with_interval_start(frame, "1h").group_by("local_at").agg(calls=nw.len()).to_native()
    plan = native._jdf.queryExecution().executedPlan().toString()
    assert plan.count("HashAggregate") == 2
    assert plan.count("Exchange") == 1
    assert sum(row["calls"] for row in native.collect()) == TABLES["calls"].num_rows
