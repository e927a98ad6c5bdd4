"""staffing and staffing_check by hand: the counts are, the models that they are handed to are the package's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand
from ucm_analytics.analyses.staffing import Queues, needed, predicted

_SLOT = ["pbx", "queue", "day", "slot"]
_QUEUE = ["pbx", "queue"]

_STAY_SQL = """
CREATE OR REPLACE TEMP VIEW stay AS
SELECT pbx, target AS queue, date_trunc('day', local_at)::TIMESTAMP AS day,
    hour(local_at) * 2 + (minute(local_at) >= 30)::INT AS slot, wait_s, talk_s, result, answered_by
FROM steps WHERE kind = 'queue' AND target IS NOT NULL
"""
_DAILY_SQL = """
SELECT pbx, queue, day, slot, count(*) AS offered, count(*) FILTER (result = 'answered') AS answered,
    count(*) FILTER (result = 'hung_up') AS abandoned,
    count(*) FILTER (result = 'answered' AND wait_s <= 20) AS in_time,
    sum(wait_s)::DOUBLE AS wait_s, sum(talk_s) FILTER (result = 'answered')::DOUBLE AS talk_s,
    sum(talk_s * talk_s) FILTER (result = 'answered')::DOUBLE AS talk_squares
FROM stay GROUP BY ALL
"""
_STAYS_SQL = """
SELECT pbx, queue, day, answered_by, min(slot) AS first, max(slot) AS last
FROM stay WHERE result = 'answered' AND answered_by IS NOT NULL GROUP BY ALL
"""

Counts = tuple[pd.DataFrame, pd.DataFrame]


def _counts_sql(connection: duckdb.DuckDBPyConnection) -> Counts:
    connection.execute(_STAY_SQL)
    return connection.sql(_DAILY_SQL).df(), connection.sql(_STAYS_SQL).df()


def _counts_polars(tables: dict[str, pl.LazyFrame]) -> Counts:
    at, answered = pl.col("local_at"), pl.col("result") == "answered"
    stay = (
        tables["steps"]
        .filter(pl.col("kind") == "queue", pl.col("target").is_not_null())
        .select(
            "pbx",
            pl.col("target").alias("queue"),
            at.dt.truncate("1d").alias("day"),
            (at.dt.hour().cast(pl.Int64) * 2 + (at.dt.minute() >= 30)).alias("slot"),
            "wait_s",
            pl.col("talk_s").cast(pl.Float64),
            "result",
            "answered_by",
        )
    )
    talk = pl.col("talk_s").filter(answered)
    daily = stay.group_by(_SLOT).agg(
        offered=pl.len().cast(pl.Int64),
        answered=answered.sum(),
        abandoned=(pl.col("result") == "hung_up").sum(),
        in_time=(answered & (pl.col("wait_s") <= 20)).sum(),
        wait_s=pl.col("wait_s").sum().cast(pl.Float64),
        talk_s=talk.sum(),
        talk_squares=(talk * talk).sum(),
    )
    stays = (
        stay.filter(answered, pl.col("answered_by").is_not_null())
        .group_by(*_QUEUE, "day", "answered_by")
        .agg(first=pl.col("slot").min(), last=pl.col("slot").max())
    )
    frames = [frame.cast({pl.Categorical: pl.String, pl.UInt32: pl.Int64}) for frame in (daily, stays)]
    found = pl.collect_all(frames, engine="streaming")
    return found[0].to_pandas(), found[1].to_pandas()


def _counts_pandas(folder: Path) -> Counts:
    columns = ["pbx", "kind", "target", "local_at", "wait_s", "talk_s", "result", "answered_by"]
    steps = pd.read_parquet(folder / "steps", columns=columns)
    stay = steps[(steps["kind"] == "queue") & steps["target"].notna()].rename(columns={"target": "queue"})
    stay["day"] = stay["local_at"].dt.normalize()
    stay["slot"] = stay["local_at"].dt.hour.astype("int64") * 2 + (stay["local_at"].dt.minute >= 30)
    stay["answered"], stay["abandoned"] = stay["result"] == "answered", stay["result"] == "hung_up"
    stay["in_time"] = stay["answered"] & (stay["wait_s"] <= 20)
    stay["talk_s"] = stay["talk_s"].where(stay["answered"]).astype("float64")
    stay["talk_squares"] = stay["talk_s"] ** 2
    slots = stay.groupby(_SLOT, observed=True)
    names = ["answered", "abandoned", "in_time", "wait_s", "talk_s", "talk_squares"]
    daily = slots[names].sum().assign(offered=slots.size()).reset_index().astype({"wait_s": "float64"})
    taken = stay[stay["answered"] & stay["answered_by"].notna()]
    stays = taken.groupby([*_QUEUE, "day", "answered_by"], observed=True)["slot"].agg(first="min", last="max")
    plain = {"pbx": "str", "queue": "str"}
    return daily.astype(plain), stays.reset_index().astype({**plain, "answered_by": "str"})


def _by_hand(ours: Callable[..., pd.DataFrame], model: Callable[[Queues], pa.Table]) -> ByHand:
    def finished(counts: Counts) -> pd.DataFrame:
        return model(Queues.counted(*counts, 0, None, range(7))).to_pandas()

    return ByHand(
        ours=lambda store: ours(store.scan("steps"), weekdays=range(7)),
        sql=lambda connection: finished(_counts_sql(connection)),
        polars=lambda tables: pl.from_pandas(finished(_counts_polars(tables))),
        pandas=lambda folder: finished(_counts_pandas(folder)),
        keys=("pbx", "queue", "day_type", "minute"),
    )


WAYS = {
    "staffing": _by_hand(ucm.staffing, lambda queues: needed(queues, 20, 0.8)),
    "staffing_check": _by_hand(ucm.staffing_check, lambda queues: predicted(queues, 20)),
}
