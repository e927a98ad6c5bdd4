"""queue_waits and service_level by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

_WAITS_SQL = """
WITH counted AS (
    SELECT result, least(greatest(wait_s - 1, 0) // 10, 40) AS bin, count(*) AS calls
    FROM steps WHERE kind = 'queue' AND target IS NOT NULL AND result IN ('answered', 'hung_up') AND wait_s IS NOT NULL
    GROUP BY ALL
),
bins AS (
    SELECT result, name, unnest(range(41)) AS bin
    FROM (VALUES ('answered', 'answered'), ('hung_up', 'abandoned')) AS ends(result, name)
)
SELECT name AS result, bin * 10 AS from_s, CASE WHEN bin < 40 THEN bin * 10 + 10 END AS to_s,
    coalesce(c.calls, 0) AS calls, coalesce(c.calls, 0) / sum(c.calls) OVER (PARTITION BY name) AS share
FROM bins LEFT JOIN counted c USING (result, bin) ORDER BY name DESC, from_s
"""


def _waits_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_WAITS_SQL).df()


def _waits_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    counted = (
        tables["steps"]
        .filter(
            pl.col("kind") == "queue",
            pl.col("target").is_not_null(),
            pl.col("result").cast(pl.String).is_in(["answered", "hung_up"]),
            pl.col("wait_s").is_not_null(),
        )
        .group_by(
            result=pl.when(pl.col("result") == "answered").then(pl.lit("answered")).otherwise(pl.lit("abandoned")),
            bin=((pl.col("wait_s") - 1).clip(0) // 10).clip(0, 40),
        )
        .agg(calls=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )
    ends, bins = pl.DataFrame({"result": ["answered", "abandoned"]}), pl.DataFrame({"bin": range(41)})
    return (
        ends.join(bins, how="cross")
        .join(counted, how="left", on=["result", "bin"])
        .select(
            "result",
            from_s=pl.col("bin") * 10,
            to_s=pl.when(pl.col("bin") < 40).then(pl.col("bin") * 10 + 10),
            calls=pl.col("calls").fill_null(0),
            share=pl.col("calls").fill_null(0) / pl.col("calls").sum().over("result"),
        )
    )


def _waits_pandas(folder: Path) -> pd.DataFrame:
    steps = pd.read_parquet(folder / "steps", columns=["kind", "target", "wait_s", "result"])
    steps = steps[(steps["kind"] == "queue") & steps["target"].notna() & steps["wait_s"].notna()]
    found = []
    for result, name in (("answered", "answered"), ("hung_up", "abandoned")):
        waits = steps.loc[steps["result"] == result, "wait_s"]
        counts = np.bincount(((waits - 1).clip(lower=0) // 10).clip(upper=40).astype("int64"), minlength=41)
        bins = pd.DataFrame({"result": name, "from_s": np.arange(41) * 10, "calls": counts})
        found.append(bins.assign(to_s=(bins["from_s"] + 10).where(bins["from_s"] < 400), share=counts / counts.sum()))
    waits = pd.concat(found, ignore_index=True)
    return waits.assign(to_s=waits["to_s"].astype("Int64"))


_LEVEL_SQL = """
WITH stay AS (
    SELECT pbx, target AS queue, count(*) AS offered,
        count(*) FILTER (result = 'answered') AS a, count(*) FILTER (result = 'hung_up') AS ab,
        count(*) FILTER (result = 'answered' AND wait_s <= 20) AS a20,
        count(*) FILTER (result = 'hung_up' AND wait_s <= 20) AS ab20,
        count(*) FILTER (result = 'hung_up' AND wait_s <= 5) AS ab5
    FROM steps WHERE kind = 'queue' AND target IS NOT NULL GROUP BY ALL
),
formula AS (
    SELECT pbx, queue, offered, 'sl_f1' AS variant, a20 + ab20 AS numerator, a + ab AS denominator FROM stay
    UNION ALL SELECT pbx, queue, offered, 'sl_f2', a20, a FROM stay
    UNION ALL SELECT pbx, queue, offered, 'sl_f3', a20, a + ab FROM stay
    UNION ALL SELECT pbx, queue, offered, 'sl_f4', a20, a + ab - ab20 FROM stay
    UNION ALL SELECT pbx, queue, offered, 'sl_f5', a20 + ab5, a + ab FROM stay
    UNION ALL SELECT pbx, queue, offered, 'sl_genesys', a20, a + ab FROM stay
)
SELECT *, variant = 'sl_f1' AS is_headline, numerator / nullif(denominator, 0) AS service_level, 20 AS target_s
FROM formula ORDER BY queue, pbx, variant
"""


def _level_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_LEVEL_SQL).df()


def _formulas(stays: pd.DataFrame) -> pd.DataFrame:
    """Six rows a queue, of its counts."""
    a, ab, a20, ab20, ab5 = (stays[name] for name in ("a", "ab", "a20", "ab20", "ab5"))
    formulas = {
        "sl_f1": (a20 + ab20, a + ab),
        "sl_f2": (a20, a),
        "sl_f3": (a20, a + ab),
        "sl_f4": (a20, a + ab - ab20),
        "sl_f5": (a20 + ab5, a + ab),
        "sl_genesys": (a20, a + ab),
    }
    queues = stays[["pbx", "queue", "offered"]]
    parts = [queues.assign(variant=name, numerator=n, denominator=d) for name, (n, d) in formulas.items()]
    levels = pd.concat(parts, ignore_index=True)
    levels["is_headline"] = levels["variant"] == "sl_f1"
    levels["service_level"] = levels["numerator"] / levels["denominator"].where(levels["denominator"] > 0)
    return levels.assign(target_s=20)


def _level_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    answered, abandoned = pl.col("result") == "answered", pl.col("result") == "hung_up"
    stays = (
        tables["steps"]
        .filter(pl.col("kind") == "queue", pl.col("target").is_not_null())
        .group_by("pbx", queue="target")
        .agg(
            offered=pl.len(),
            a=answered.sum(),
            ab=abandoned.sum(),
            a20=(answered & (pl.col("wait_s") <= 20)).sum(),
            ab20=(abandoned & (pl.col("wait_s") <= 20)).sum(),
            ab5=(abandoned & (pl.col("wait_s") <= 5)).sum(),
        )
        .cast({pl.UInt32: pl.Int64})
        .collect(engine="streaming")
    )
    return pl.from_pandas(_formulas(stays.to_pandas()))


def _level_pandas(folder: Path) -> pd.DataFrame:
    steps = pd.read_parquet(folder / "steps", columns=["pbx", "kind", "target", "wait_s", "result"])
    steps = steps[steps["kind"] == "queue"].rename(columns={"target": "queue"})
    steps["a"], steps["ab"] = steps["result"] == "answered", steps["result"] == "hung_up"
    steps["a20"], steps["ab20"] = (steps[name] & (steps["wait_s"] <= 20) for name in ("a", "ab"))
    steps["ab5"] = steps["ab"] & (steps["wait_s"] <= 5)
    grouped = steps.groupby(["pbx", "queue"], observed=True)
    stays = grouped[["a", "ab", "a20", "ab20", "ab5"]].sum()
    return _formulas(stays.assign(offered=grouped.size()).reset_index())


WAYS = {
    "queue_waits": ByHand(
        ours=lambda store: ucm.queue_waits(store.scan("steps")),
        sql=_waits_sql,
        polars=_waits_polars,
        pandas=_waits_pandas,
        keys=("result", "from_s"),
    ),
    "service_level": ByHand(
        ours=lambda store: ucm.service_level(store.scan("steps")),
        sql=_level_sql,
        polars=_level_polars,
        pandas=_level_pandas,
        keys=("pbx", "queue", "variant"),
    ),
}
