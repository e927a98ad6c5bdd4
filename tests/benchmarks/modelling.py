"""Calls from 10 M legs, month by month, against one DuckDB query that gives the same calls.

The query by hand knows one firmware; the model makes steps and rings besides. Every month is compared
call by call before anything is timed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.hand import difference, query
from tests.benchmarks.timing import peak_mb
from ucm_analytics import model
from ucm_analytics.legs import legs_table
from ucm_analytics.schema import arrow_schema
from ucm_analytics.simulator.traffic import clinic, generate

TOTAL = 10_000_000
MONTHS = 4
CALLS_PER_DAY = 4000
WAYS = ("model", "sql")


def months(folder: Path) -> list[Path]:
    """Four months of legs as month files."""
    files = []
    for month in range(1, MONTHS + 1):
        first = date(2026, month, 1)
        last = date(2026, month, 28)
        parts, legs, count = [], [], 0
        for story in generate(clinic(), first=first, last=last, calls_per_day=CALLS_PER_DAY, seed=1):
            for leg in story.call.legs:
                count += 1
                legs.append({**leg, "AcctId": str(count)})
            if len(legs) > 20_000:
                parts.append(legs_table(legs, pbx="b"))
                legs = []
        parts.append(legs_table(legs, pbx="b"))
        files.append(folder / f"{month:02d}.parquet")
        pq.write_table(pa.concat_tables(parts).unify_dictionaries(), files[-1])
    return files


def read(file: Path) -> pa.Table:
    """Legs of a month."""
    return pq.read_table(file).cast(arrow_schema("legs"))


def made(way: str, legs: pa.Table) -> pa.Table:
    """Calls of one month, in one way."""
    if way == "model":
        return model.build(legs, zone=ZoneInfo("Europe/Berlin")).calls
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar_print = false")
        connection.register("raw", legs)
        return connection.sql(query("calls")).to_arrow_table()


def run(way: str, files: list[str]) -> None:
    """One way over all files, again and again until 10 M legs are done; prints what it took."""
    began, legs, calls = time.perf_counter(), 0, 0
    while legs < TOTAL:
        for file in files:
            table = read(Path(file))
            calls += len(made(way, table))
            legs += table.num_rows
            if legs >= TOTAL:
                break
    took = time.perf_counter() - began
    print(json.dumps({"legs": legs, "calls": calls, "took_s": took, "peak_mb": peak_mb()}))


def compared(file: Path) -> pa.Table:
    """Calls of one month by hand; raises if a column of them is not as the model tells it."""
    ours, calls = (made(way, read(file)) for way in WAYS)
    ours = ours.sort_by("call_id").select(calls.column_names)
    if unlike := difference(ours.to_pandas(), calls.to_pandas()):
        raise SystemExit(f"by hand is not the same as the model: {unlike}")
    return calls


def rows() -> Iterator[str]:
    """Lines of the result."""
    with tempfile.TemporaryDirectory() as folder:
        files = months(Path(folder))
        alike = [compared(file) for file in files]
        yield f"{sum(map(len, alike)):,} calls, the same {alike[0].num_columns} columns from both"
        seconds = {}
        for way in WAYS:
            words = [sys.executable, "-m", "tests.benchmarks.modelling", way, *map(str, files)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[0])
            seconds[way] = found["took_s"] / found["legs"] * 1e6
            yield (
                f"{way:7} {found['legs']:11,} legs, {found['calls']:10,} calls: {found['took_s']:6.1f} s, "
                f"{seconds[way]:5.2f} s a million legs, {seconds[way] / seconds['model']:4.2f} x, "
                f"peak {found['peak_mb']:.0f} MB"
            )


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
