"""durations, duration_histogram and long_and_short_calls by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

MEASURES = ("talk_s", "wait_s", "ring_s", "ivr_s", "queue_s")
_LAST_S = 40 * 10
_COLUMNS = ["direction", "outcome", "path", "queue", "phones", *MEASURES, "is_forward"]

_HAS_SQL = {
    "talk_s": "outcome = 'answered'",
    "wait_s": "outcome IN ('answered', 'no_answer') OR phones > 0 OR queue IS NOT NULL",
    "ring_s": "(phones > 0 AND queue IS NULL) OR ring_s > 0",
    "ivr_s": "contains(path, 'ivr:')",
    "queue_s": "queue IS NOT NULL",
}
_HAS_POLARS = {
    "talk_s": pl.col("outcome") == "answered",
    "wait_s": pl.col("outcome").is_in(["answered", "no_answer"])
    | (pl.col("phones") > 0)
    | pl.col("queue").is_not_null(),
    "ring_s": ((pl.col("phones") > 0) & pl.col("queue").is_null()) | (pl.col("ring_s") > 0),
    "ivr_s": pl.col("path").str.contains("ivr:", literal=True),
    "queue_s": pl.col("queue").is_not_null(),
}


def _durations_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    each = [
        f"""SELECT '{measure}' AS measure, direction, count(value) AS calls, median(value)::DOUBLE AS median_s,
            avg(value) AS mean_s, quantile_cont(value, 0.9) AS p90_s, quantile_cont(value, 0.95) AS p95_s,
            min(value) AS min_s, max(value) AS max_s, coalesce(sum(value), 0)::BIGINT AS total_s
        FROM (SELECT direction, CASE WHEN {has} THEN {measure} END AS value FROM calls WHERE NOT is_forward)
        GROUP BY direction"""
        for measure, has in _HAS_SQL.items()
    ]
    return connection.sql(" UNION ALL ".join(each)).df()


def _durations_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    calls = tables["calls"].filter(~pl.col("is_forward"))
    measured = calls.select("direction", **{name: pl.when(has).then(name) for name, has in _HAS_POLARS.items()})
    each = []
    for measure in MEASURES:
        value = pl.col(measure)
        each.append(
            measured.group_by("direction").agg(
                measure=pl.lit(measure),
                calls=value.count(),
                median_s=value.median(),
                mean_s=value.mean(),
                p90_s=value.quantile(0.9, "linear"),
                p95_s=value.quantile(0.95, "linear"),
                min_s=value.min(),
                max_s=value.max(),
                total_s=value.sum(),
            )
        )
    return pl.concat(each).collect(engine="streaming")


def _durations_pandas(folder: Path) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=_COLUMNS)
    calls = calls[~calls["is_forward"]]
    has = _has(calls)
    each = []
    for measure in MEASURES:
        grouped = calls[measure].where(has[measure]).groupby(calls["direction"], observed=True)
        table = grouped.agg(["count", "median", "mean", "min", "max", "sum"])
        table["p90_s"], table["p95_s"] = grouped.quantile(0.9), grouped.quantile(0.95)
        table["measure"] = measure
        each.append(table.reset_index())
    names = {"count": "calls", **{name: f"{name}_s" for name in ("median", "mean", "min", "max")}, "sum": "total_s"}
    return pd.concat(each).rename(columns=names)


def _has(calls: pd.DataFrame) -> dict[str, pd.Series]:
    rang, in_queue = calls["phones"] > 0, calls["queue"].notna()
    return {
        "talk_s": calls["outcome"] == "answered",
        "wait_s": calls["outcome"].isin(["answered", "no_answer"]) | rang | in_queue,
        "ring_s": (rang & ~in_queue) | (calls["ring_s"] > 0),
        "ivr_s": calls["path"].str.contains("ivr:", regex=False),
        "queue_s": in_queue,
    }


_HISTOGRAM_SQL = f"""
WITH counted AS (
    SELECT direction, least(wait_s // 10, 40) AS bin, count(*) AS calls
    FROM calls WHERE NOT is_forward AND ({_HAS_SQL["wait_s"]}) GROUP BY ALL
)
SELECT direction, bin * 10 AS from_s, CASE WHEN bin < 40 THEN bin * 10 + 10 END AS to_s,
    coalesce(calls, 0) AS calls, calls / sum(calls) OVER (PARTITION BY direction) AS share
FROM (SELECT DISTINCT direction FROM counted) CROSS JOIN (SELECT unnest(range(41)) AS bin)
LEFT JOIN counted USING (direction, bin)
"""


def _histogram_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_HISTOGRAM_SQL).df().fillna({"share": 0.0})


def _histogram_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    counted = (
        tables["calls"]
        .filter(~pl.col("is_forward"), _HAS_POLARS["wait_s"])
        .group_by("direction", from_s=pl.min_horizontal(pl.col("wait_s") // 10 * 10, _LAST_S).cast(pl.Int64))
        .agg(calls=pl.len())
        .collect(engine="streaming")
    )
    grid = counted.select("direction").unique().join(pl.DataFrame({"from_s": range(0, _LAST_S + 1, 10)}), how="cross")
    return (
        grid.join(counted, on=["direction", "from_s"], how="left")
        .with_columns(pl.col("calls").fill_null(0))
        .with_columns(
            to_s=pl.when(pl.col("from_s") < _LAST_S).then(pl.col("from_s") + 10),
            share=pl.col("calls") / pl.col("calls").sum().over("direction"),
        )
    )


def _histogram_pandas(folder: Path) -> pd.DataFrame:
    columns = ["direction", "outcome", "queue", "phones", "wait_s", "is_forward"]
    calls = pd.read_parquet(folder / "calls", columns=columns)
    waited = calls["outcome"].isin(["answered", "no_answer"]) | (calls["phones"] > 0) | calls["queue"].notna()
    calls = calls[waited & ~calls["is_forward"]]
    from_s = (calls["wait_s"] // 10 * 10).clip(upper=_LAST_S).rename("from_s")
    counted = calls.groupby([calls["direction"], from_s], observed=True).size().unstack(fill_value=0)
    counted = counted.reindex(columns=range(0, _LAST_S + 1, 10), fill_value=0)
    result = counted.stack().rename("calls").reset_index()
    result["to_s"] = (result["from_s"] + 10).where(result["from_s"] < _LAST_S)
    result["share"] = result["calls"] / result.groupby("direction", observed=True)["calls"].transform("sum")
    return result


_LONG_SQL = """
SELECT direction, count(*) AS calls, count(*) FILTER (talk_s < 10) AS short, count(*) FILTER (talk_s >= 1800) AS long,
    count(*) FILTER (talk_s < 10) / count(*) AS short_rate,
    count(*) FILTER (talk_s >= 1800) / count(*) AS long_rate,
    coalesce(sum(talk_s) FILTER (talk_s >= 1800), 0)::BIGINT AS long_talk_s,
    coalesce(sum(talk_s) FILTER (talk_s >= 1800), 0) / nullif(sum(talk_s), 0) AS long_talk_rate
FROM calls WHERE NOT is_forward AND outcome = 'answered' GROUP BY direction
"""


def _long_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_LONG_SQL).df()


def _long_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    talk = pl.col("talk_s")
    return (
        tables["calls"]
        .filter(~pl.col("is_forward"), pl.col("outcome") == "answered")
        .group_by("direction")
        .agg(
            calls=pl.len(),
            short=(talk < 10).sum(),
            long=(talk >= 1800).sum(),
            long_talk_s=talk.filter(talk >= 1800).sum(),
            talked=talk.sum(),
        )
        .with_columns(
            short_rate=pl.col("short") / pl.col("calls"),
            long_rate=pl.col("long") / pl.col("calls"),
            long_talk_rate=pl.when(pl.col("talked") > 0).then(pl.col("long_talk_s") / pl.col("talked")),
        )
        .drop("talked")
        .collect(engine="streaming")
    )


def _long_pandas(folder: Path) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=["direction", "outcome", "talk_s", "is_forward"])
    calls = calls[~calls["is_forward"] & (calls["outcome"] == "answered")]
    short, long = calls["talk_s"] < 10, calls["talk_s"] >= 1800
    calls = calls.assign(short=short, long=long, long_talk_s=calls["talk_s"].where(long, 0))
    grouped = calls.groupby("direction", observed=True)
    result = grouped[["short", "long", "long_talk_s", "talk_s"]].sum()
    result.insert(0, "calls", grouped.size())
    result["short_rate"] = result["short"] / result["calls"]
    result["long_rate"] = result["long"] / result["calls"]
    talk_s = result.pop("talk_s")
    result["long_talk_rate"] = result["long_talk_s"] / talk_s.where(talk_s > 0, np.nan)
    return result.reset_index()


WAYS = {
    "durations": ByHand(
        ours=lambda store: ucm.durations(store.scan("calls")),
        sql=_durations_sql,
        polars=_durations_polars,
        pandas=_durations_pandas,
        keys=("measure", "direction"),
    ),
    "duration_histogram": ByHand(
        ours=lambda store: ucm.duration_histogram(store.scan("calls"), measure="wait_s", by="direction"),
        sql=_histogram_sql,
        polars=_histogram_polars,
        pandas=_histogram_pandas,
        keys=("direction", "from_s"),
    ),
    "long_and_short_calls": ByHand(
        ours=lambda store: ucm.long_and_short_calls(store.scan("calls")),
        sql=_long_sql,
        polars=_long_polars,
        pandas=_long_pandas,
        keys=("direction",),
    ),
}
