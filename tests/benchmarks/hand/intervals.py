"""anomalies, forecast and forecast_backtest by hand: the calls of each interval, and then the package's own model.

So the ratios tell what counting costs beside the model; the columns that the model makes are no second way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand
from ucm_analytics.analyses.anomalies import anomalies_from
from ucm_analytics.analyses.forecast import backtest_from, forecast_from
from ucm_analytics.store import Store

Model = Callable[[pd.DataFrame], pd.DataFrame]


def _by_sql(connection: duckdb.DuckDBPyConnection, *, minutes: int, model: Model) -> pd.DataFrame:
    counts = f"""
    WITH seen AS (
        SELECT time_bucket(INTERVAL {minutes} MINUTES, local_at, TIMESTAMP '2000-01-01') AS local_at, count(*) AS calls
        FROM calls WHERE NOT is_forward GROUP BY ALL
    ), grid AS (
        SELECT unnest(range(min(local_at)::DATE, max(local_at)::DATE + 1, INTERVAL {minutes} MINUTES)) AS local_at
        FROM seen
    )
    SELECT local_at, coalesce(calls, 0) AS calls FROM grid LEFT JOIN seen USING (local_at) ORDER BY local_at
    """
    return model(connection.sql(counts).df())


def _by_polars(tables: dict[str, pl.LazyFrame], *, minutes: int, model: Model) -> pl.DataFrame:
    seen = (
        tables["calls"]
        .filter(~pl.col("is_forward"))
        .group_by(pl.col("local_at").dt.truncate(f"{minutes}m"))
        .agg(calls=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )
    first, last = seen["local_at"].min().replace(hour=0, minute=0), seen["local_at"].max().replace(hour=23, minute=59)
    grid = pl.datetime_range(first, last, f"{minutes}m", eager=True).to_frame("local_at")
    counts = grid.join(seen, on="local_at", how="left").with_columns(pl.col("calls").fill_null(0)).sort("local_at")
    return pl.from_pandas(model(counts.to_pandas()))


def _by_pandas(folder: Path, *, minutes: int, model: Model) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=["local_at", "is_forward"])
    at = calls.loc[~calls["is_forward"], "local_at"]
    first, last = at.min().floor("D"), at.max().floor("D") + pd.Timedelta(days=1)
    grid = pd.date_range(first, last, freq=f"{minutes}min", inclusive="left", unit="us", name="local_at")
    counts = at.dt.floor(f"{minutes}min").value_counts().reindex(grid, fill_value=0)
    return model(counts.rename("calls").reset_index())


def _ways(ours: Callable[[Store], pd.DataFrame], minutes: int, model: Model, key: str) -> ByHand:
    said = {"minutes": minutes, "model": model}
    return ByHand(
        ours=ours,
        sql=partial(_by_sql, **said),
        polars=partial(_by_polars, **said),
        pandas=partial(_by_pandas, **said),
        keys=(key,),
    )


WAYS = {
    "anomalies": _ways(
        lambda store: ucm.anomalies(store.scan("calls")),
        60,
        partial(anomalies_from, freq="1h", false_alarms=1.0, holidays=()),
        "local_at",
    ),
    "forecast": _ways(
        lambda store: ucm.forecast(store.scan("calls")),
        30,
        partial(forecast_from, days=7, freq="30min", level=0.9, holidays=()),
        "local_at",
    ),
    "forecast_backtest": _ways(
        lambda store: ucm.forecast_backtest(store.scan("calls")),
        30,
        partial(backtest_from, freq="30min", level=0.9, holidays=()),
        "first",
    ),
}
