"""Rows of a period out of the month files, as pandas or as a lazy frame on DuckDB.

A period is days on the PBX's wall clock, and a row belongs to the day on which its call began. The
months of UTC that can hold those days are one day wider; only at their edges rows are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.errors import DamagedFile, SettingError
from ucm_analytics.period import Period
from ucm_analytics.schema import TableName, stored_schema
from ucm_analytics.store.files import read_table
from ucm_analytics.store.months import Months

if TYPE_CHECKING:
    import duckdb

_NULLABLE = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}


@dataclass(frozen=True)
class Source:
    """A month file to read; `whole` if all its rows lie in the period."""

    path: Path
    calls: Path
    whole: bool


def sources(shelves: Sequence[Months], table: TableName, period: Period | None) -> list[Source]:
    """Files that hold rows of a period, with tables that belong to their legs."""
    found = []
    for months in shelves:
        for month in months.names():
            if period is None:
                inside, whole = True, True
            else:
                inside, whole = _overlap(month, period)
            if inside:
                months.heal(month)
                found.append(Source(months.path(table, month), months.path("calls", month), whole))
    return found


def frame(
    files: Sequence[Source], table: TableName, period: Period | None, columns: Sequence[str] | None
) -> pd.DataFrame:
    """Rows of the files as pandas.

    Raises
    ------
    SettingError
        No such column.
    DamagedFile
        A file cannot be read.
    """
    schema = stored_schema(table)
    wanted = schema.names if columns is None else list(columns)
    unknown = [name for name in wanted if name not in schema.names]
    if unknown:
        raise SettingError(f"{table} has no column {', '.join(unknown)}", hint=f"choose from {', '.join(schema.names)}")
    schema = pa.schema([schema.field(name) for name in wanted])
    parts = [schema.empty_table(), *(_rows(file, table, period, wanted).cast(schema) for file in files)]
    rows = pa.concat_tables(parts).unify_dictionaries()
    return rows.to_pandas(types_mapper=_NULLABLE.get)  # type: ignore[no-any-return]


def relation(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Source], table: TableName, period: Period | None
) -> duckdb.DuckDBPyRelation:
    """Rows of the files as a DuckDB relation that has read nothing yet."""
    schema = stored_schema(table)
    if not files:
        plain = [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema]
        return connection.from_arrow(pa.schema(plain).empty_table())
    names = ", ".join(f'"{name}"' for name in schema.names)
    parts = []
    if whole := [file.path for file in files if file.whole]:
        parts.append(f"SELECT {names} FROM {_parquet(whole)}")
    if period and (edges := [file for file in files if not file.whole]):
        near = f"local_at >= TIMESTAMP '{period.start}' AND local_at < TIMESTAMP '{period.end}'"
        if table != "calls":
            calls = f"SELECT call_id, pbx FROM {_parquet([file.calls for file in edges])} WHERE {near}"
            near = f"(call_id, pbx) IN ({calls})"
        parts.append(f"SELECT {names} FROM {_parquet([file.path for file in edges])} WHERE {near}")
    return connection.sql(" UNION ALL ".join(parts))


def _rows(file: Source, table: TableName, period: Period | None, columns: list[str]) -> pa.Table:
    if file.whole or period is None:
        return _read(file.path, columns)
    start, end = pa.scalar(period.start, pa.timestamp("us")), pa.scalar(period.end, pa.timestamp("us"))
    key = "local_at" if table == "calls" else "call_id"
    rows = _read(file.path, list(dict.fromkeys([*columns, key])))
    calls = rows if table == "calls" else _read(file.calls, ["call_id", "local_at"])
    near = pc.and_(pc.greater_equal(calls["local_at"], start), pc.less(calls["local_at"], end))
    if table != "calls":
        near = pc.is_in(rows["call_id"], value_set=calls["call_id"].filter(near).combine_chunks())
    return rows.filter(near).select(columns)


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        return read_table(path, columns)
    except FileNotFoundError as error:
        raise DamagedFile(f"{path} vanished while it was read", hint="try again") from error


def _overlap(month: str, period: Period) -> tuple[bool, bool]:
    """Whether a UTC month can hold calls of the period, and whether all of them lie in it, in any zone."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        return False, False
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    day = timedelta(days=1)
    inside = first - day <= period.last and last + day >= period.first
    return inside, period.first <= first - day and last + day <= period.last


def _parquet(paths: Sequence[Path]) -> str:
    quoted = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{quoted}], hive_partitioning = false)"


def connect(spill: Path) -> duckdb.DuckDBPyConnection:
    """Connection with a memory limit that spills to a folder."""
    import duckdb

    connection = duckdb.connect(config={"memory_limit": "1400MB", "temp_directory": str(spill)})
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar_print = false")
    return connection
