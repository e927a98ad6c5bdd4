"""Every analysis once more, as people write it without the package: in SQL, in Polars, and in pandas.

One file a subject, found by being there; `every` collects their `WAYS`. The benchmark `analysing` measures
them, and a test holds each against the analysis on the demo store, so they are a second way as well.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
import polars as pl

from ucm_analytics.store import Store

TABLES: Final = ("legs", "steps", "rings", "calls", "directory")
_CLOSE: Final = 1e-9
"""Relative difference of two floats that are the same sum, added up in another order."""


@dataclass(frozen=True)
class ByHand:
    """One analysis, as people write it without the package; the three give the same table as ours.

    Attributes
    ----------
    ours : function
        The analysis, on a store.
    sql : function
        The same on a connection with a view for each of `TABLES`.
    polars : function
        The same on lazy frames of `TABLES`, by name.
    pandas : function
        The same on the folder of the store.
    keys : tuple of str
        Columns that name a row.
    """

    ours: Callable[[Store], pd.DataFrame]
    sql: Callable[[duckdb.DuckDBPyConnection], pd.DataFrame]
    polars: Callable[[dict[str, pl.LazyFrame]], pl.DataFrame]
    pandas: Callable[[Path], pd.DataFrame]
    keys: tuple[str, ...]


def every() -> dict[str, ByHand]:
    """All that are written, by the name of the analysis; a variant follows after a space."""
    ways: dict[str, ByHand] = {}
    for module in pkgutil.iter_modules(__path__):
        ways |= importlib.import_module(f"{__name__}.{module.name}").WAYS
    return ways


def views(connection: duckdb.DuckDBPyConnection, folder: Path) -> duckdb.DuckDBPyConnection:
    """The connection, with a view for each table of a store."""
    for table in TABLES:
        files = f"read_parquet('{folder / table}/**/*.parquet', hive_partitioning = false)"
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {files}")
    return connection


def scans(folder: Path) -> dict[str, pl.LazyFrame]:
    """A lazy frame for each table of a store."""
    return {
        table: pl.scan_parquet(folder / table / "**/*.parquet", hive_partitioning=table != "directory")
        for table in TABLES
    }


def difference(ours: pd.DataFrame, other: pd.DataFrame, keys: Sequence[str]) -> str:
    """What is not the same in two tables, empty if nothing; columns that only ours has do not count.

    Whole numbers, text and times must be equal, floats to 1e-9 of their size.
    """
    missing = [name for name in keys if name not in other]
    added = [name for name in other if name not in ours]
    if missing or added:
        return f"lacks the keys {missing}, has the columns {added} more"
    if len(ours) != len(other):
        return f"{len(other):,} rows for {len(ours):,}"
    sides = [
        pd.DataFrame({name: _plain(side[name]) for name in other}).sort_values(list(keys), ignore_index=True)
        for side in (ours, other)
    ]
    for name in other:
        a, b = (side[name] for side in sides)
        wrong = _unlike(a, b).to_numpy(dtype=bool, na_value=True)
        if wrong.any():
            n = int(wrong.argmax())
            row = ", ".join(f"{key}={sides[0][key][n]!r}" for key in keys)
            return f"{name} differs in {int(wrong.sum()):,} rows, first at {row}: {b[n]!r} for {a[n]!r}"
    return ""


def _plain(values: pd.Series[Any]) -> pd.Series[Any]:
    """The same values, whatever a library holds them in."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return values.astype("str")
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype):
        return values.astype("Int64")
    if pd.api.types.is_float_dtype(dtype):
        return values.astype("float64")
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return values.astype("datetime64[us]")
    if values.isna().all():
        return pd.Series(pd.NA, index=values.index, dtype="str")
    return values.astype("str")


def _unlike(a: pd.Series[Any], b: pd.Series[Any]) -> pd.Series[Any]:
    gone = a.isna() & b.isna()
    if pd.api.types.is_numeric_dtype(a.dtype) and pd.api.types.is_numeric_dtype(b.dtype):
        if pd.api.types.is_integer_dtype(a.dtype) and pd.api.types.is_integer_dtype(b.dtype):
            return ~gone & ((a != b).fillna(True))
        left, right = (side.to_numpy(dtype=float, na_value=np.nan) for side in (a, b))
        far = ~(np.abs(left - right) <= _CLOSE * np.maximum(np.abs(left), np.abs(right)))
        return ~gone & pd.Series(far, index=a.index)
    if a.isna().all() or b.isna().all():
        return ~gone
    return ~gone & ((a != b) | a.isna() | b.isna())
