"""Calls from 10 M legs, month by month, against one DuckDB query and pandas that give the same calls.

The hand-written ones know one firmware; the model makes steps and rings besides. Every month is compared
call by call before anything is timed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks import calls_by_hand
from ucm_analytics.legs import legs_table
from ucm_analytics.schema import arrow_schema
from ucm_analytics.simulator.traffic import clinic, generate

TOTAL = 10_000_000
MONTHS = 4
CALLS_PER_DAY = 4000
WAYS = ("model", "sql", "pandas")


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


def made(way: str, legs: pa.Table) -> pd.DataFrame | pa.Table:
    """Calls of one month, in one way."""
    from zoneinfo import ZoneInfo

    from ucm_analytics import model

    if way == "model":
        return model.build(legs, zone=ZoneInfo("Europe/Berlin")).calls
    if way == "pandas":
        return calls_by_hand.calls(legs.to_pandas())
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar_print = false")
        connection.register("raw", legs)
        return connection.sql(calls_by_hand.SQL).to_arrow_table()


def run(way: str, files: list[str]) -> None:
    """One way over all files, again and again until 10 M legs are done; prints what it took."""
    import resource
    import time

    began, legs, calls = time.perf_counter(), 0, 0
    while legs < TOTAL:
        for file in files:
            table = read(Path(file))
            calls += len(made(way, table))
            legs += table.num_rows
            if legs >= TOTAL:
                break
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"legs": legs, "calls": calls, "took_s": took, "peak_mb": peak}))


def compared(file: Path) -> int:
    """Calls of one month, which all three ways tell alike; raises if they do not."""
    table = read(file)
    found = {}
    for way in WAYS:
        calls = made(way, table)
        frame = calls if isinstance(calls, pd.DataFrame) else calls.to_pandas()
        frame = frame.set_index("call_id").sort_index()[list(calls_by_hand.COLUMNS)]
        seconds = {name: "float64" for name in frame.columns if name.endswith("_s")}
        found[way] = frame.astype("object").where(frame.notna(), None).astype(seconds)
    for way in WAYS[1:]:
        pd.testing.assert_frame_equal(found[way], found["model"], check_index_type=False, obj=way)
    return len(found["model"])


def rows() -> Iterator[str]:
    """Lines of the result."""
    with tempfile.TemporaryDirectory() as folder:
        files = months(Path(folder))
        alike = sum(compared(file) for file in files)
        yield f"{alike:,} calls, the same {len(calls_by_hand.COLUMNS)} columns from all: {', '.join(WAYS)}"
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
