"""extensions by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

_KEY = ["pbx", "extension"]
_SUMS = ["offered", "rung", "answered", "elsewhere", "missed", "unreachable", "talk_s", "placed", "placed_talk_s"]

_SQL = """
WITH per_call AS (
    SELECT pbx, extension, call_id, count(*) AS rung, sum(talk_s) AS talk_s,
        bool_or(result = 'answered') AS answered, bool_or(result = 'elsewhere') AS elsewhere,
        bool_or(result = 'missed') AS missed,
        count(*) FILTER (result = 'answered') AS answers, sum(ring_s) FILTER (result = 'answered') AS answered_ring_s
    FROM rings WHERE extension IS NOT NULL GROUP BY ALL
), rung AS (
    SELECT pbx, extension, count(*) AS offered, sum(rung)::BIGINT AS rung,
        count(*) FILTER (answered) AS answered,
        count(*) FILTER (elsewhere AND NOT answered) AS elsewhere,
        count(*) FILTER (missed AND NOT elsewhere AND NOT answered) AS missed,
        count(*) FILTER (NOT missed AND NOT elsewhere AND NOT answered) AS unreachable,
        sum(talk_s)::BIGINT AS talk_s, sum(answered_ring_s) / nullif(sum(answers), 0) AS mean_ring_s
    FROM per_call GROUP BY ALL
), made AS (
    SELECT pbx, caller AS extension, local_at, talk_s FROM calls
    WHERE direction IN ('outbound', 'internal') AND NOT is_forward AND caller IS NOT NULL
), placed AS (
    SELECT pbx, extension, count(*) AS placed, sum(talk_s)::BIGINT AS placed_talk_s FROM made GROUP BY ALL
), hours AS (
    SELECT pbx, extension, hour(local_at) AS hour, count(*) AS events
    FROM (SELECT pbx, extension, local_at FROM rings WHERE extension IS NOT NULL
          UNION ALL SELECT pbx, extension, local_at FROM made) GROUP BY ALL
), busiest AS (
    SELECT pbx, extension, arg_max(hour, (events, -hour)) AS busiest_hour FROM hours GROUP BY ALL
)
SELECT pbx, extension, coalesce(offered, 0) AS offered, coalesce(rung, 0) AS rung, coalesce(answered, 0) AS answered,
    coalesce(elsewhere, 0) AS elsewhere, coalesce(missed, 0) AS missed, coalesce(unreachable, 0) AS unreachable,
    answered / nullif(answered + missed, 0) AS answered_rate, coalesce(talk_s, 0) AS talk_s,
    talk_s / nullif(answered, 0) AS mean_talk_s, mean_ring_s, coalesce(placed, 0) AS placed,
    coalesce(placed_talk_s, 0) AS placed_talk_s, busiest_hour
FROM rung FULL JOIN placed USING (pbx, extension) LEFT JOIN busiest USING (pbx, extension)
ORDER BY extension, pbx
"""


def _by_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_SQL).df()


def _by_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    key = [pl.col(name).cast(pl.String) for name in _KEY]
    rings = tables["rings"].filter(pl.col("extension").is_not_null()).with_columns(key)
    result = pl.col("result")
    answered, elsewhere, missed = (pl.col(name) for name in ("answered", "elsewhere", "missed"))
    rung = (
        rings.group_by(*_KEY, "call_id")
        .agg(
            rung=pl.len(),
            talk_s=pl.col("talk_s").sum(),
            answers=(result == "answered").sum(),
            answered_ring_s=pl.col("ring_s").filter(result == "answered").sum(),
            **{fate: (result == fate).any() for fate in ("answered", "elsewhere", "missed")},
        )
        .group_by(_KEY)
        .agg(
            pl.col("rung", "talk_s", "answers", "answered_ring_s").sum(),
            offered=pl.len(),
            answered=answered.sum(),
            elsewhere=(elsewhere & ~answered).sum(),
            missed=(missed & ~elsewhere & ~answered).sum(),
            unreachable=(~missed & ~elsewhere & ~answered).sum(),
        )
    )
    made = (
        tables["calls"]
        .filter(
            pl.col("direction").is_in(["outbound", "internal"]), ~pl.col("is_forward"), pl.col("caller").is_not_null()
        )
        .select(pl.col("pbx").cast(pl.String), "local_at", "talk_s", extension="caller")
    )
    placed = made.group_by(_KEY).agg(placed=pl.len(), placed_talk_s=pl.col("talk_s").sum())
    busiest = (
        pl.concat([rings.select(*_KEY, "local_at"), made.select(*_KEY, "local_at")])
        .group_by(*_KEY, busiest_hour=pl.col("local_at").dt.hour())
        .agg(events=pl.len())
        .group_by(_KEY)
        .agg(pl.col("busiest_hour").sort_by(-pl.col("events").cast(pl.Int64), "busiest_hour").first())
    )
    decided = answered + missed
    return (
        rung.join(placed, on=_KEY, how="full", coalesce=True)
        .join(busiest, on=_KEY, how="left")
        .with_columns(pl.col(_SUMS).fill_null(0))
        .with_columns(
            answered_rate=pl.when(decided > 0).then(answered / decided),
            mean_talk_s=pl.when(answered > 0).then(pl.col("talk_s") / answered),
            mean_ring_s=pl.when(pl.col("answers") > 0).then(pl.col("answered_ring_s") / pl.col("answers")),
        )
        .drop("answers", "answered_ring_s")
        .collect(engine="streaming")
    )


def _by_pandas(folder: Path) -> pd.DataFrame:
    rings = pd.read_parquet(
        folder / "rings", columns=["pbx", "call_id", "extension", "local_at", "ring_s", "talk_s", "result"]
    )
    rings = rings[rings["extension"].notna()]
    answered = rings["result"] == "answered"
    rings = rings.assign(
        answered=answered,
        elsewhere=rings["result"] == "elsewhere",
        missed=rings["result"] == "missed",
        answered_ring_s=rings["ring_s"].where(answered, 0),
    )
    per_call = rings.groupby([*_KEY, "call_id"], observed=True).agg(
        rung=("result", "size"),
        talk_s=("talk_s", "sum"),
        answers=("answered", "sum"),
        answered_ring_s=("answered_ring_s", "sum"),
        answered=("answered", "max"),
        elsewhere=("elsewhere", "max"),
        missed=("missed", "max"),
    )
    per_call["offered"] = 1
    per_call["elsewhere"] &= ~per_call["answered"]
    per_call["missed"] &= ~per_call["answered"] & ~per_call["elsewhere"]
    per_call["unreachable"] = ~(per_call["answered"] | per_call["elsewhere"] | per_call["missed"])
    rung = per_call.groupby(level=_KEY, observed=True).sum()
    calls = pd.read_parquet(
        folder / "calls", columns=["pbx", "direction", "caller", "local_at", "talk_s", "is_forward"]
    )
    made = calls[calls["direction"].isin(["outbound", "internal"]) & ~calls["is_forward"] & calls["caller"].notna()]
    made = made.rename(columns={"caller": "extension"})
    placed = made.groupby(_KEY, observed=True).agg(placed=("talk_s", "size"), placed_talk_s=("talk_s", "sum"))
    events = pd.concat([rings[[*_KEY, "local_at"]], made[[*_KEY, "local_at"]]])
    hours = events.astype(dict.fromkeys(_KEY, "str")).groupby([*_KEY, events["local_at"].dt.hour.rename("hour")]).size()
    result = rung.reset_index().astype(dict.fromkeys(_KEY, "str"))
    result = result.merge(placed.reset_index().astype(dict.fromkeys(_KEY, "str")), how="outer", on=_KEY)
    busiest = hours.groupby(level=_KEY).idxmax().str[-1].rename("busiest_hour").reset_index()
    result = result.merge(busiest, how="left", on=_KEY)
    result[_SUMS] = result[_SUMS].fillna(0).astype("int64")
    decided = result["answered"] + result["missed"]
    result["answered_rate"] = result["answered"] / decided.replace(0, np.nan)
    result["mean_talk_s"] = result["talk_s"] / result["answered"].replace(0, np.nan)
    result["mean_ring_s"] = result.pop("answered_ring_s") / result.pop("answers").replace(0, np.nan)
    return result


WAYS = {
    "extensions": ByHand(
        ours=lambda store: ucm.extensions(store.scan("calls"), store.scan("rings")),
        sql=_by_sql,
        polars=_by_polars,
        pandas=_by_pandas,
        keys=("extension", "pbx"),
    ),
}
