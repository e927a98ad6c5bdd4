"""patience by hand; the band and the median are left out, for they are NumPy on a few hundred rows in all four."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

_SQL = """
SELECT wait_s, count(*) AS ended, count(*) FILTER (result = 'hung_up') AS abandoned
FROM steps WHERE kind = 'queue' AND target IS NOT NULL AND wait_s IS NOT NULL GROUP BY wait_s ORDER BY wait_s
"""


def _curve(ends: pd.DataFrame) -> pd.DataFrame:
    """Kaplan-Meier, of how many stays ended at each second."""
    ends["censored"] = ends["ended"] - ends["abandoned"]
    ends["offered"] = ends["ended"].sum()
    ends["at_risk"] = ends["ended"][::-1].cumsum()[::-1]
    ends["patience_level"] = np.cumprod(1 - ends["abandoned"] / ends["at_risk"])
    return ends.drop(columns="ended")


def _by_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return _curve(connection.sql(_SQL).df())


def _by_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    ends = (
        tables["steps"]
        .filter(pl.col("kind") == "queue", pl.col("target").is_not_null(), pl.col("wait_s").is_not_null())
        .group_by("wait_s")
        .agg(ended=pl.len().cast(pl.Int64), abandoned=(pl.col("result") == "hung_up").sum().cast(pl.Int64))
        .sort("wait_s")
        .collect(engine="streaming")
    )
    return pl.from_pandas(_curve(ends.to_pandas()))


def _by_pandas(folder: Path) -> pd.DataFrame:
    steps = pd.read_parquet(folder / "steps", columns=["kind", "target", "wait_s", "result"])
    steps = steps[(steps["kind"] == "queue") & steps["target"].notna()]
    left = steps["result"] == "hung_up"
    ends = left.groupby(steps["wait_s"]).agg(ended="size", abandoned="sum")
    return _curve(ends.reset_index())


WAYS = {
    "patience": ByHand(
        ours=lambda store: ucm.patience(store.scan("steps")),
        sql=_by_sql,
        polars=_by_polars,
        pandas=_by_pandas,
        keys=("wait_s",),
    )
}
