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
from tests.benchmarks.hand.volume import CLOCK_SQL, clock_pandas, clock_polars
from ucm_analytics.analyses.anomalies import anomalies_from
from ucm_analytics.analyses.forecast import backtest_from, forecast_from
from ucm_analytics.store import Store

Model = Callable[[pd.DataFrame], pd.DataFrame]


def _by_sql(connection: duckdb.DuckDBPyConnection, *, minutes: int, model: Model) -> pd.DataFrame:
    counts = f"""
    WITH seen AS (
        SELECT time_bucket(INTERVAL {minutes} MINUTES, local_at, TIMESTAMP '2000-01-01') AS local_at, utc_offset_s,
            count(*) AS calls
        FROM calls WHERE NOT is_forward GROUP BY ALL
    ), {CLOCK_SQL.format(minutes=minutes)}
    SELECT local_at, utc_offset_s, coalesce(calls, 0) AS calls FROM grid LEFT JOIN seen USING (local_at, utc_offset_s)
    ORDER BY local_at, utc_offset_s DESC
    """
    return model(connection.sql(counts).df())


def _by_polars(tables: dict[str, pl.LazyFrame], *, minutes: int, model: Model) -> pl.DataFrame:
    seen = (
        tables["calls"]
        .filter(~pl.col("is_forward"))
        .group_by(pl.col("local_at").dt.truncate(f"{minutes}m"), "utc_offset_s")
        .agg(calls=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )
    counts = clock_polars(seen, f"{minutes}m").join(seen, on=["local_at", "utc_offset_s"], how="left")
    counts = counts.with_columns(pl.col("calls").fill_null(0)).sort(
        "local_at", "utc_offset_s", descending=[False, True]
    )
    return pl.from_pandas(model(counts.to_pandas()))


def _by_pandas(folder: Path, *, minutes: int, model: Model) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=["local_at", "utc_offset_s", "is_forward"])
    calls = calls[~calls["is_forward"]]
    keys = [calls["local_at"].dt.floor(f"{minutes}min"), calls["utc_offset_s"]]
    seen = calls.groupby(keys).size().rename("calls").reset_index()
    counts = clock_pandas(seen, f"{minutes}min").merge(seen, how="left", on=["local_at", "utc_offset_s"])
    return model(counts.fillna({"calls": 0}).astype({"calls": "int64"}))


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
