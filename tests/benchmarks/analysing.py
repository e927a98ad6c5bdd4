"""Ten analyses over 1 M and 10 M calls of a store, against SQL written by hand.

`python -m tests.benchmarks.analysing [--calls N] [NAME...]` runs one size, or those analyses only.

The calls are sixteen weeks of the simulated clinic, told again and again for five years; see `store_of`.
Ours and SQL take three processes each, by turns, and the middle one counts: a disk that is still busy with
what was spilt before makes one process two or three times as slow. A process times from the files to the
finished table, after the imports: the median of as many runs as begin within five seconds, nine at most.
All rows of all tables are compared; a difference makes the run fail.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pyarrow as pa

from tests.benchmarks.hand import OURS, answer, difference, query
from tests.benchmarks.timing import peak_mb
from ucm_analytics.schema import TableName, stored_schema
from ucm_analytics.store import Store
from ucm_analytics.store.files import Footer, write_table

CACHE = Path(tempfile.gettempdir()) / "ucm-analytics-bench"
SIZES = (1_000_000, 10_000_000)
TURNS = ("ours", "sql") * 3
ZONE = "America/Phoenix"
"""Where the clock never changes, so that weeks can be told again at another time of the year."""

_FIRST, _DAYS = date(2026, 1, 5), 16 * 7
_CALLS_PER_DAY = 7350
"""On a normal weekday; with the weekends 10 M in 60 months."""
_MONTHS = 60
_LAST_MONTH = (2026, 6)
_NUMBERS = 1_000_000
_TOLD = ("caller", "caller_name", "callee", "caller_number", "callee_number")
_DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"

_SLOW_S = 5.0
_RUNS = 9

# A caller outside has one number a day, out of a million, of which some are much more frequent than others;
# one in ten is shown with its country code and a plus, another without the country code.
_RENUMBERED = f"""
WITH drawn AS (
    SELECT call_id, caller, callee, caller_name, caller_number, callee_number,
        regexp_full_match(caller, '1[0-9]{{3}}55501[0-9]{{2}}') AS caller_out,
        direction = 'outbound' AND regexp_full_match(callee, '1[0-9]{{3}}55501[0-9]{{2}}') AS callee_out,
        hash(caller, local_at::DATE + to_days($days)) AS caller_hash,
        hash(callee, local_at::DATE + to_days($days)) AS callee_hash
    FROM base_calls
), numbered AS (
    SELECT *,
        ({_NUMBERS} * pow((caller_hash % 1000003) / 1000003, 3))::INT AS caller_id,
        ({_NUMBERS} * pow((callee_hash % 1000003) / 1000003, 3))::INT AS callee_id
    FROM drawn
), written AS (
    SELECT *,
        CASE caller_hash % 10 WHEN 0 THEN '+1' WHEN 1 THEN '' ELSE '1' END
            || (100 + caller_id // 10000) || '555' || lpad((caller_id % 10000)::VARCHAR, 4, '0') AS new_caller,
        CASE callee_hash % 10 WHEN 0 THEN '+1' WHEN 1 THEN '' ELSE '1' END
            || (100 + callee_id // 10000) || '555' || lpad((callee_id % 10000)::VARCHAR, 4, '0') AS new_callee
    FROM numbered
)
SELECT call_id,
    CASE WHEN caller_out THEN new_caller ELSE caller END AS caller,
    CASE WHEN NOT caller_out THEN caller_name WHEN caller_id % 5 < 2 THEN 'Caller ' || caller_id % 10000 END
        AS caller_name,
    CASE WHEN callee_out THEN new_callee ELSE callee END AS callee,
    CASE WHEN caller_out AND (caller_number = caller OR new_caller LIKE '+%') THEN new_caller ELSE caller_number END
        AS caller_number,
    CASE WHEN callee_out AND (callee_number = callee OR new_callee LIKE '+%') THEN new_callee ELSE callee_number END
        AS callee_number
FROM written
"""


def store_of(calls: int) -> Path:
    """Store of about so many calls, made when it is not there.

    Sixteen weeks of the simulated clinic go through parser and model; then they are told again, each time sixteen
    weeks earlier, with their instants and call_ids moved and with other callers (up to a million; numbers in paths
    stay as they were). 1 M is the last six months of it. Files are written as the store writes them.
    """
    folder = CACHE / str(SIZES[-1])
    if not (folder / "done").exists():
        _make(folder)
        (folder / "done").touch()
    if calls == SIZES[-1]:
        return folder
    some = CACHE / str(calls)
    if not (some / "done").exists():
        for file in folder.rglob("*.parquet"):
            month = file.parent.name.removeprefix("month=")
            if month.startswith("pbx=") or month in _months()[-_MONTHS * calls // SIZES[-1] :]:
                copy = some / file.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.unlink(missing_ok=True)
                os.link(file, copy)
        (some / "done").touch()
    return some


def _months() -> list[str]:
    year, month = _LAST_MONTH
    numbers = range(year * 12 + month - _MONTHS, year * 12 + month)
    return [f"{n // 12}-{n % 12 + 1:02}" for n in numbers]


def _make(folder: Path) -> None:
    print(f"   (making {SIZES[-1]:,} calls in {folder}, once)", file=sys.stderr, flush=True)
    rows = Store(_DEMO).directory().fillna("").astype("str")
    names = rows[["kind", "number", "name", "key", "target_kind", "target"]].to_dict("records")
    Store(folder).save_directory("clinic", names, on=_FIRST)
    months = {month: date.fromisoformat(f"{month}-01") for month in _months()}
    earliest, latest = (
        (day - _FIRST).days // _DAYS for day in (min(months.values()) - timedelta(1), max(months.values()))
    )
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar_print = false")
        for name, table in _base().items():
            connection.register(f"base_{name}", table)
        for shift in range(earliest, latest + 2):
            connection.execute(f'CREATE TABLE "told{shift}" AS {_RENUMBERED}', {"days": shift * _DAYS})
        for month, first in months.items():
            shift = (first - timedelta(1) - _FIRST).days // _DAYS
            legs = uuid4().hex
            for name in ("legs", "steps", "rings", "calls"):
                table = _month(connection, name, month, (shift, shift + 1))
                footer = Footer(id=legs, zone=ZONE) if name == "legs" else Footer(made_from=legs)
                file = folder / name / "pbx=clinic" / f"month={month}" / "part.parquet"
                write_table(table, file, footer, scratch=folder / ".state" / "_part.parquet")


def _base() -> dict[str, pa.Table]:
    """Legs, steps, rings and calls of the weeks that are told again and again."""
    from ucm_analytics import model
    from ucm_analytics.legs import legs_table
    from ucm_analytics.phone_numbers import with_numbers
    from ucm_analytics.simulator.traffic import clinic, generate

    parts: dict[str, list[pa.Table]] = {name: [] for name in ("legs", "steps", "rings", "calls")}
    for week in range(_DAYS // 7):
        first = _FIRST + timedelta(weeks=week)
        stories = generate(
            clinic(ZONE), first=first, last=first + timedelta(days=6), calls_per_day=_CALLS_PER_DAY, seed=1
        )
        rows = [leg for story in stories for leg in story.call.legs]
        legs = legs_table([{**leg, "AcctId": str(n)} for n, leg in enumerate(rows, 1)], pbx="clinic")
        built = model.build(legs, zone=ZoneInfo(ZONE))
        calls = with_numbers(built.calls, steps=built.steps, legs=legs, country="")
        for name, table in (("legs", legs), ("steps", built.steps), ("rings", built.rings), ("calls", calls)):
            parts[name].append(table)
    return {name: pa.concat_tables(tables).unify_dictionaries().combine_chunks() for name, tables in parts.items()}


def _month(connection: duckdb.DuckDBPyConnection, name: TableName, month: str, shifts: Sequence[int]) -> pa.Table:
    """Rows of the calls that began in a UTC month, out of the tellings that reach into it."""
    schema = stored_schema(name)
    parts = []
    for shift in shifts:
        columns = {f.name: f"r.{f.name} + to_days({shift * _DAYS})" for f in schema if pa.types.is_timestamp(f.type)}
        epoch = f"(substr(r.call_id, 1, 10)::BIGINT + {shift * _DAYS * 86_400})"
        columns["call_id"] = f"{epoch} || substr(r.call_id, 11)"
        joined = ""
        if name == "calls":
            columns["forward_of"] = columns["call_id"].replace("call_id", "forward_of")
            columns |= {told: f"t.{told}" for told in _TOLD}
            joined = f'JOIN "told{shift}" t USING (call_id)'
        chosen = ", ".join(f"{columns.get(f.name, f'r.{f.name}')} AS {f.name}" for f in schema)
        began = f"strftime(make_timestamp({epoch} * 1_000_000), '%Y-%m')"
        parts.append(f"SELECT {chosen} FROM base_{name} r {joined} WHERE {began} = '{month}'")
    table = connection.sql(" UNION ALL ".join(parts)).to_arrow_table().cast(schema)
    return table.sort_by([("started_at", "ascending"), ("call_id", "ascending")]) if name == "calls" else table


def run(way: str, name: str, folder: Path) -> dict[str, Any]:
    """One way to one analysis: what it took, and how its table differs from the one that ours left behind."""
    took: list[float] = []
    while not took or (len(took) < _RUNS and sum(took) < _SLOW_S):
        began = time.perf_counter()
        table = OURS[name](Store(folder)) if way == "ours" else answer(query(name), folder)
        took.append(time.perf_counter() - began)
    peak = peak_mb()
    kept = folder / ".state" / f"{name}.parquet"
    if way == "ours":
        kept.parent.mkdir(exist_ok=True)
        table.to_parquet(kept)
    unlike = difference(pd.read_parquet(kept), table)
    return {"rows": len(table), "took_s": statistics.median(took), "peak_mb": peak, "unlike": unlike}


def _apart(way: str, name: str, folder: Path) -> dict[str, Any]:
    """The same in a process of its own."""
    words = [sys.executable, "-m", "tests.benchmarks.analysing", "--run", way, name, str(folder)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(calls: int, names: Sequence[str]) -> Iterator[str]:
    """One line an analysis: how much longer SQL takes than ours, and the peak memory of both.

    Raises
    ------
    SystemExit
        A table by hand is not the same as ours.
    """
    folder = store_of(calls)
    wrong = []
    for name in names:
        runs = [(way, _apart(way, name, folder)) for way in TURNS]
        ours, sql = (_middle([run for way, run in runs if way == which]) for which in TURNS[:2])
        bars = {"1.2 x SQL": ours["took_s"] > 1.2 * sql["took_s"], "2 GB": ours["peak_mb"] >= 2000}
        over = ", ".join(bar for bar, missed in bars.items() if missed)
        yield (
            f"{calls // 1_000_000:2} M {name:16} {ours['rows']:9,} rows  "
            f"ours {ours['took_s']:6.2f} s {ours['peak_mb']:5.0f} MB  "
            f"sql {sql['took_s'] / ours['took_s']:6.2f} x {sql['peak_mb']:5.0f} MB{over and f'  over {over}'}"
        )
        if sql["unlike"]:
            wrong.append(name)
            yield f"   NOT THE SAME  {sql['unlike']}"
    if wrong:
        raise SystemExit(f"by hand is not the same as ours: {', '.join(wrong)}")


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run of the middle time, with the highest peak and any difference of all of them."""
    run = sorted(runs, key=lambda each: float(each["took_s"]))[len(runs) // 2]
    peak = max(each["peak_mb"] for each in runs)
    return run | {"peak_mb": peak, "unlike": next((each["unlike"] for each in runs if each["unlike"]), "")}


def rows() -> Iterator[str]:
    """Lines of the result."""
    for calls in SIZES:
        yield from measured(calls, list(OURS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="analyses; all if none is named")
    parser.add_argument("--calls", type=int, choices=SIZES, help="how many; else both, one after the other")
    parser.add_argument("--run", nargs=3, metavar=("WAY", "NAME", "FOLDER"), help="one way, in this process")
    given = parser.parse_args()
    if given.run:
        print(json.dumps(run(given.run[0], given.run[1], Path(given.run[2]))))
    else:
        for size in [given.calls] if given.calls else SIZES:
            for line in measured(size, given.names or list(OURS)):
                print(line, flush=True)
