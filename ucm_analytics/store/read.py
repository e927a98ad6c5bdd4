"""Rows of a period out of the month files, as pandas or as a lazy frame on DuckDB.

A period is days on the PBX's wall clock, and a row belongs to the day on which its call began. The
months of UTC that can hold those days are one day wider; only at their edges rows are looked at.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.engine import file_name
from ucm_analytics.errors import DamagedFile, SettingError
from ucm_analytics.period import Period
from ucm_analytics.schema import TableName, stored_schema
from ucm_analytics.store.files import check, read_table
from ucm_analytics.store.merge import UNDATED
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


def sources(pbxs: Sequence[Months], table: TableName, period: Period | None) -> list[Source]:
    """Files that hold rows of a period, with tables that belong to their legs."""
    found = []
    for months in pbxs:
        for month in months.names():
            if period is None:
                inside, whole = True, True
            else:
                inside, whole = _overlap(month, period)
            if inside:
                months.repair(month)
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
    """Rows of the files as a DuckDB relation that has read nothing yet, of files whose bytes were looked at."""
    schema = stored_schema(table)
    if not files:
        plain = [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema]
        return connection.from_arrow(pa.schema(plain).empty_table())
    for path in {path for file in files for path in (file.path, file.calls)}:
        check(path)
    names = ", ".join(f'"{name}"' for name in schema.names)
    parts = []
    if whole := [file.path for file in files if file.whole]:
        parts.append(f"SELECT {names} FROM {_parquet(whole)}")
    for file in files:
        if period and not file.whole:
            parts.append(f"SELECT {names} FROM {_parquet([file.path])} WHERE {_near(file, table, period)}")
    return connection.sql(" UNION ALL ".join(parts))


def _near(file: Source, table: TableName, period: Period) -> str:
    """Condition for the rows of a file whose calls began in the period."""
    near = f"local_at >= TIMESTAMP '{period.start}' AND local_at < TIMESTAMP '{period.end}'"
    if table != "calls":
        near = f"call_id IN (SELECT call_id FROM {_parquet([file.calls])} WHERE {near})"
    if table == "legs":  # those that are set aside may be in no call: they go by UTC
        near += " OR set_aside IS NOT NULL AND make_timestamp(epoch_us(called_at))"
        near += f" BETWEEN TIMESTAMP '{period.start}' AND TIMESTAMP '{period.end}' - INTERVAL 1 MICROSECOND"
    return near


def _rows(file: Source, table: TableName, period: Period | None, columns: list[str]) -> pa.Table:
    if file.whole or period is None:
        return _read(file.path, columns)
    start, end = pa.scalar(period.start, pa.timestamp("us")), pa.scalar(period.end, pa.timestamp("us"))
    keys = {"calls": ["local_at"], "legs": ["call_id", "called_at", "set_aside"]}.get(table, ["call_id"])
    rows = _read(file.path, list(dict.fromkeys([*columns, *keys])))
    calls = rows if table == "calls" else _read(file.calls, ["call_id", "local_at"])
    near = pc.and_(pc.greater_equal(calls["local_at"], start), pc.less(calls["local_at"], end))
    if table != "calls":
        near = pc.is_in(rows["call_id"], value_set=calls["call_id"].filter(near).combine_chunks())
    if table == "legs":  # those that are set aside may be in no call: they go by UTC
        at = rows["called_at"].cast(pa.timestamp("us"))
        aside = pc.and_(pc.is_valid(rows["set_aside"]), pc.and_(pc.greater_equal(at, start), pc.less(at, end)))
        near = pc.or_(near, pc.fill_null(aside, False))
    return rows.filter(near).select(columns)


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        return read_table(path, columns)
    except FileNotFoundError as error:
        raise DamagedFile(f"{path} vanished while it was read", hint="try again") from error


def _overlap(month: str, period: Period) -> tuple[bool, bool]:
    """Whether a UTC month can hold calls of the period, and whether all of them lie in it, in any zone."""
    if month == UNDATED:
        return False, False
    year, number = map(int, month.split("-"))
    first = date(year, number, 1).toordinal()  # which, other than dates, has no end
    last = first + monthrange(year, number)[1] - 1
    begin, end = period.first.toordinal(), period.last.toordinal()
    return first - 1 <= end and last + 1 >= begin, begin <= first - 1 and last + 1 <= end


def _parquet(paths: Sequence[Path]) -> str:
    quoted = ", ".join("'" + file_name(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{quoted}], hive_partitioning = false)"
