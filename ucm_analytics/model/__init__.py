"""Legs to steps, rings and calls: what happened to each caller.

Legs are grouped by the session that each carries, never by the nesting of the answer, which one
firmware shifts by a leg. Four stages, one file each, every one a SQL view over the one before:

`_legs`   what each leg is, and when it happened in seconds since its call began
`_steps`  parallel legs become one stage of the caller's way
`_rings`  each phone that rang
`_calls`  one row a session, and what became of it: the outcome table
`_links`  sessions that go on with another one: follow-me, picked up from park

All but the links look at one call at a time, so many legs are worked on in parts, one after the other.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from ucm_analytics.engine import file_name
from ucm_analytics.model import _calls, _legs, _links, _rings, _steps
from ucm_analytics.model._calls import OUTCOME_RULES
from ucm_analytics.model._clock import clock_changes
from ucm_analytics.schema import LEGS, TableName, arrow_schema

__all__ = ["OUTCOME_RULES", "ModelTables", "build"]


_ENGINE_BYTES: Final = 60_000_000
_LEG_BYTES: Final = 1_000
_CALL_BYTES: Final = 500
"""What the engine may hold: some, and so much for each leg or call that it works on; the rest goes to a temporary
folder. Results, and legs in memory, come on top."""

_COPIES: Final = 4
"""How often the engine holds a text, where texts are longer than usual."""

_PART: Final = 50_000
"""Legs that are worked on at the same time, so that a build needs no more memory for a larger month."""
_BATCH: Final = 20_000
_HOURS: Final = """
SELECT first, last, sum(legs)::BIGINT FROM (
    SELECT date_trunc('hour', min(called_at)) AS first, date_trunc('hour', max(called_at)) AS last, count(*) AS legs
    FROM every_leg GROUP BY pbx, call_id
) GROUP BY first, last ORDER BY first, last
"""


# naive UTC inside, so that no engine's idea of a session zone comes in between
_COLUMNS: Final = ", ".join(
    "make_timestamp(epoch_us(called_at)) AS called_at" if name == "called_at" else name for name in _legs.COLUMNS
)


_TEXT: Final = " + ".join(
    f"coalesce(strlen({column.name}), 0)"
    for column in LEGS
    if column.name in _legs.COLUMNS and column.dtype in ("string", "category")
)


@dataclass(frozen=True)
class ModelTables:
    """The three tables that are made from legs, sorted by start of the call, then call and position."""

    steps: pa.Table
    rings: pa.Table
    calls: pa.Table


def build(legs: pa.Table | Path, *, zone: ZoneInfo | None = None) -> ModelTables:
    """Steps, rings and calls of a table of legs.

    Parameters
    ----------
    legs : pyarrow.Table or Path
        Columns of `schema.LEGS`, in any order, all legs of each call; or a Parquet file of them, which is read
        piece by piece. Legs that are set aside are left out.
    zone : ZoneInfo, optional
        The PBX's time zone. Without it the offset of each call comes from its own records, which is
        right but for calls that last through a change of the clock.

    Returns
    -------
    ModelTables
        Columns of `schema.STEPS`, `schema.RINGS` and `schema.CALLS`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ucm-analytics-") as spill,
        duckdb.connect(config={"preserve_insertion_order": False, "temp_directory": spill}) as connection,
    ):
        connection.execute("SET enable_progress_bar_print = false")  # it goes to stdout
        if isinstance(legs, Path):
            connection.read_parquet(file_name(legs), hive_partitioning=False).create_view("legs")
        else:
            connection.register("legs", legs)
        connection.execute(f"CREATE TEMP VIEW every_leg AS SELECT {_COLUMNS} FROM legs WHERE set_aside IS NULL")
        ((*span, legs_in_all),) = connection.execute(
            "SELECT min(called_at), max(called_at), count(*) FROM every_leg"
        ).fetchall()
        connection.register("clock", clock_changes(zone, *span))
        steps, rings, calls = [], [], []
        numbered, long = [0], 0
        for number, (part, size) in enumerate(_parts(connection, legs_in_all)):
            connection.execute(f"CREATE OR REPLACE TEMP VIEW raw AS SELECT * FROM every_leg WHERE {part}")
            ((text,),) = connection.execute(f"SELECT coalesce(sum({_TEXT}), 0)::BIGINT FROM raw").fetchall()
            long = max(long, text * _COPIES - size * _LEG_BYTES)
            connection.execute(f"SET memory_limit = '{_ENGINE_BYTES + size * _LEG_BYTES + long}B'")
            connection.execute(f"SET VARIABLE calls_before = {numbered[-1]}")
            for name, sql in (("leg", _legs.SQL), ("step", _steps.SQL), ("ring", _rings.SQL), ("call", _calls.SQL)):
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
            steps.append(_fetch(connection, "steps", _steps.SELECT))
            rings.append(_fetch(connection, "rings", _rings.SELECT))
            for name, sql in (
                ("every_call", "FROM call"),
                ("rung", _links.RUNG),
                ("parked", _links.PARKED),
                ("talked", _links.TALKED),
            ):
                connection.execute(f"INSERT INTO {name} {sql}" if number else f"CREATE TEMP TABLE {name} AS {sql}")
            ((upto,),) = connection.execute("SELECT coalesce(max(call_no), 0) FROM every_call").fetchall()
            numbered.append(upto)
        connection.execute("DROP TABLE leg; DROP TABLE step; DROP TABLE ring; DROP TABLE call")
        connection.execute(f"SET memory_limit = '{_ENGINE_BYTES + numbered[-1] * _CALL_BYTES + long}B'")
        connection.execute(f"CREATE TEMP TABLE linked AS {_links.SQL}")
        for before, upto in pairwise(numbered):
            connection.execute(f"SET memory_limit = '{_ENGINE_BYTES + (upto - before) * _CALL_BYTES + long}B'")
            connection.execute(f"SET VARIABLE calls_before = {before}; SET VARIABLE calls_upto = {upto}")
            calls.append(_fetch(connection, "calls", _links.SELECT))
        return ModelTables(steps=_together(steps), rings=_together(rings), calls=_together(calls))


def _parts(connection: duckdb.DuckDBPyConnection, legs_in_all: int) -> list[tuple[str, int]]:
    """Conditions that part the legs by the time of their call, in order, with how many fit; a call lies in one part."""
    cuts: list[datetime] = []
    sizes: list[int] = []
    if legs_in_all > _PART:
        hours = connection.execute(_HOURS).fetchall()
        legs, reached = 0, hours[0][1]
        for first, last, more in hours:
            if legs + more > _PART and first > reached:
                cuts.append(first)
                sizes.append(legs)
                legs = 0
            legs, reached = legs + more, max(reached, last)
    at_least = ["true", *(f"called_at >= TIMESTAMP '{cut}'" for cut in cuts)]
    below = [*(f"called_at < TIMESTAMP '{cut}'" for cut in cuts), "true"]
    parts = [f"{low} AND {high}" for low, high in zip(at_least, below, strict=True)]
    return list(zip(parts, [*sizes, legs_in_all - sum(sizes)], strict=True))


def _fetch(connection: duckdb.DuckDBPyConnection, table: TableName, sql: str) -> pa.Table:
    """Rows of a query. They are coded as they come: all their plain text at once takes several times the memory."""
    schema = arrow_schema(table)
    batches = connection.sql(sql).to_arrow_reader(_BATCH)
    rows = [pa.Table.from_batches([batch]).select(schema.names).cast(schema) for batch in batches]
    return _together([schema.empty_table(), *rows])


def _together(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()
