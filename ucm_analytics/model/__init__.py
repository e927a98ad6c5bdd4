"""Legs to steps, rings and calls: what happened to each caller.

Legs are grouped by the session that each carries, never by the nesting of the answer, which one
firmware shifts by a leg. Four stages, one file each, every one a SQL view over the one before:

`_legs`   what each leg is, and when it happened in seconds since its call began
`_steps`  parallel legs become one stage of the caller's way
`_rings`  each phone that rang
`_calls`  one row a session, and what became of it: the outcome table
`_links`  sessions that go on with another one: follow-me, picked up from park
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from ucm_analytics.model import _calls, _legs, _links, _rings, _steps
from ucm_analytics.model._calls import OUTCOME_RULES
from ucm_analytics.model._clock import clock_changes
from ucm_analytics.schema import TableName, arrow_schema

__all__ = ["OUTCOME_RULES", "Built", "build"]


_MEMORY: Final = "150MB"
"""What the engine may hold; the rest goes to a temporary folder. Results, and legs in memory, come on top."""


# naive UTC inside, so that no engine's idea of a session zone comes in between
_COLUMNS: Final = ", ".join(
    "make_timestamp(epoch_us(called_at)) AS called_at" if name == "called_at" else name for name in _legs.COLUMNS
)


@dataclass(frozen=True)
class Built:
    """The three tables that are made from legs, sorted by start of the call, then call and position."""

    steps: pa.Table
    rings: pa.Table
    calls: pa.Table


def build(legs: pa.Table | Path, *, zone: ZoneInfo | None = None) -> Built:
    """Steps, rings and calls of a table of legs.

    Parameters
    ----------
    legs : pyarrow.Table or Path
        Columns of `schema.LEGS`, in any order, all legs of each call; or a Parquet file of them, which is read
        piece by piece.
    zone : ZoneInfo, optional
        The PBX's time zone. Without it the offset of each call comes from its own records, which is
        right but for calls that last through a change of the clock.

    Returns
    -------
    Built
        Columns of `schema.STEPS`, `schema.RINGS` and `schema.CALLS`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ucm-analytics-") as spill,
        duckdb.connect(
            config={"preserve_insertion_order": False, "memory_limit": _MEMORY, "temp_directory": spill}
        ) as connection,
    ):
        connection.execute("SET enable_progress_bar_print = false")  # it goes to stdout
        if isinstance(legs, Path):
            connection.read_parquet(str(legs), hive_partitioning=False).create_view("legs")
        else:
            connection.register("legs", legs)
        connection.execute(f"CREATE TEMP VIEW raw AS SELECT {_COLUMNS} FROM legs")
        (span,) = connection.execute("SELECT min(called_at), max(called_at) FROM raw").fetchall()
        connection.register("clock", clock_changes(zone, *span))
        for name, sql in (
            ("leg", _legs.SQL),
            ("step", _steps.SQL),
            ("ring", _rings.SQL),
            ("call", _calls.SQL),
            ("linked", _links.SQL),
        ):
            connection.execute(f"CREATE TEMP TABLE {name} AS {sql}")
        return Built(
            steps=_fetch(connection, "steps", _steps.SELECT),
            rings=_fetch(connection, "rings", _rings.SELECT),
            calls=_fetch(connection, "calls", _links.SELECT),
        )


def _fetch(connection: duckdb.DuckDBPyConnection, table: TableName, sql: str) -> pa.Table:
    schema = arrow_schema(table)
    result = connection.sql(sql).to_arrow_table().select(schema.names)
    return result.cast(schema).unify_dictionaries().combine_chunks()
