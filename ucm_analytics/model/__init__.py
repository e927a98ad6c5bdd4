"""Legs to steps, rings and calls: what happened to each caller.

Legs are grouped by the session that each carries, never by the nesting of the answer, which one
firmware shifts by a leg. One file a stage, every one SQL over the ones before:

`classify`  what each leg says, in our own words; the only one that knows how the PBX writes
`offsets`   when it happened, in seconds since its call began
`steps`     legs in order; parallel ones become one stage of the caller's way
`rings`     each phone that rang
`calls`     one row a session, and what became of it: the outcome table
`links`     sessions that go on with another one: follow-me, picked up from park

`crosscheck` is no stage: it classifies the legs a second time, by rules of its own.

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
from ucm_analytics.model import calls, classify, links, offsets, rings, steps
from ucm_analytics.model.calls import OUTCOME_RULES
from ucm_analytics.schema import READ, TableName, arrow_schema

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
_LEGS: Final = """
-- naive UTC inside, so that no engine's idea of a session zone comes in between
SELECT * REPLACE (make_timestamp(epoch_us(called_at)) AS called_at) FROM legs WHERE set_aside IS NULL
"""
_TEXT: Final = " + ".join(f"coalesce(strlen({column.name}), 0)" for column in READ if column.is_text)


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
        connection.execute(f"CREATE TEMP VIEW every_leg AS {_LEGS}")
        ((*span, legs_in_all),) = connection.execute(
            "SELECT min(called_at), max(called_at), count(*) FROM every_leg"
        ).fetchall()
        connection.execute("CREATE TEMP VIEW raw AS FROM every_leg")
        connection.execute(f"CREATE TEMP VIEW said AS {classify.SQL}")
        connection.register("clock", offsets.clock_changes(zone, *span))
        made: dict[TableName, list[pa.Table]] = {"steps": [], "rings": [], "calls": []}
        numbered, long = [0], 0
        for number, (part, size) in enumerate(_parts(connection, legs_in_all)):
            connection.execute(f"CREATE OR REPLACE TEMP VIEW raw AS FROM every_leg WHERE {part}")
            ((text,),) = connection.execute(f"SELECT coalesce(sum({_TEXT}), 0)::BIGINT FROM raw").fetchall()
            long = max(long, text * _COPIES - size * _LEG_BYTES)
            connection.execute(f"SET memory_limit = '{_ENGINE_BYTES + size * _LEG_BYTES + long}B'")
            connection.execute(f"SET VARIABLE calls_before = {numbered[-1]}")
            for name, sql in (
                ("session", offsets.SESSIONS),
                ("leg", steps.LEGS),
                ("step", steps.SQL),
                ("ring", rings.SQL),
                ("call", calls.SQL),
            ):
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
            made["steps"].append(_fetch(connection, "steps", steps.SELECT))
            made["rings"].append(_fetch(connection, "rings", rings.SELECT))
            for name, sql in (
                ("every_call", "FROM call"),
                ("rung", links.RUNG),
                ("parked", links.PARKED),
                ("talked", links.TALKED),
            ):
                connection.execute(f"INSERT INTO {name} {sql}" if number else f"CREATE TEMP TABLE {name} AS {sql}")
            ((upto,),) = connection.execute("SELECT coalesce(max(call_no), 0) FROM every_call").fetchall()
            numbered.append(upto)
        connection.execute("DROP TABLE session; DROP TABLE leg; DROP TABLE step; DROP TABLE ring; DROP TABLE call")
        connection.execute(f"SET memory_limit = '{_ENGINE_BYTES + numbered[-1] * _CALL_BYTES + long}B'")
        connection.execute(f"CREATE TEMP TABLE linked AS {links.SQL}")
        for before, upto in pairwise(numbered):
            connection.execute(f"SET memory_limit = '{_ENGINE_BYTES + (upto - before) * _CALL_BYTES + long}B'")
            connection.execute(f"SET VARIABLE calls_before = {before}; SET VARIABLE calls_upto = {upto}")
            made["calls"].append(_fetch(connection, "calls", links.SELECT))
        return ModelTables(**{name: _together(parts) for name, parts in made.items()})


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
