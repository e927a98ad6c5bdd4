"""queues, with the calls that came again, and queue_agents by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

_CALL = ["pbx", "call_id"]
_QUEUE = ["pbx", "queue"]
_AGENT = ["pbx", "queue", "extension"]

_QUEUES_SQL = """
WITH stay AS (
    SELECT s.*, target AS queue, result = 'answered' AND t.call_id IS NOT NULL AS sent_on
    FROM steps s LEFT JOIN (SELECT pbx, call_id, step_no - 1 AS step_no FROM steps WHERE kind = 'transfer') t
        USING (pbx, call_id, step_no)
    WHERE kind = 'queue' AND target IS NOT NULL
),
counted AS (
    SELECT pbx, queue, count(*) AS offered,
        count(*) FILTER (result = 'answered') AS answered, count(*) FILTER (result = 'hung_up') AS abandoned,
        count(*) FILTER (result = 'hung_up' AND wait_s < 5) AS abandoned_short,
        count(*) FILTER (result = 'next') AS overflowed,
        offered - answered - abandoned - overflowed AS other,
        avg(wait_s) FILTER (result = 'answered') AS asa_s, median(wait_s) AS median_wait_s,
        quantile_cont(wait_s, 0.9) AS p90_wait_s, max(wait_s) AS longest_wait_s,
        sum(talk_s)::BIGINT AS talk_s, count(*) FILTER (sent_on) AS transferred
    FROM stay GROUP BY ALL
),
visit AS (
    SELECT s.pbx, s.queue, regexp_replace(caller, '[^0-9]', '', 'g') AS who, call_id,
        min(s.local_at - to_seconds(utc_offset_s)) AS came,
        max(s.local_at - to_seconds(utc_offset_s) + to_seconds(dwell_s)) AS went
    FROM stay s JOIN calls c USING (pbx, call_id)
    WHERE NOT is_forward AND who <> '' GROUP BY ALL
),
again AS (
    SELECT pbx, queue, lead(came) OVER (PARTITION BY pbx, queue, who ORDER BY came, call_id) - went AS gap FROM visit
),
recalls AS (SELECT pbx, queue, count(*) AS recalls FROM again WHERE gap <= INTERVAL 1 HOUR GROUP BY ALL)
SELECT *, answered / offered AS answered_rate, abandoned / offered AS abandon_rate,
    (abandoned - abandoned_short) / nullif(offered - abandoned_short, 0) AS long_abandon_rate,
    talk_s / nullif(answered, 0) AS att_s, transferred / nullif(answered, 0) AS transfer_rate
FROM counted LEFT JOIN recalls USING (pbx, queue) ORDER BY queue, pbx
"""


def _queues_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    found = connection.sql(_QUEUES_SQL).df()
    return found.assign(recalls=found["recalls"].fillna(0).astype("int64"))


def _rates(queues: pd.DataFrame) -> pd.DataFrame:
    answered = queues["answered"].where(queues["answered"] > 0)
    long = queues["offered"] - queues["abandoned_short"]
    return queues.assign(
        recalls=queues["recalls"].fillna(0).astype("int64"),
        other=queues["offered"] - queues[["answered", "abandoned", "overflowed"]].sum(axis=1),
        answered_rate=queues["answered"] / queues["offered"],
        abandon_rate=queues["abandoned"] / queues["offered"],
        long_abandon_rate=(queues["abandoned"] - queues["abandoned_short"]) / long.where(long > 0),
        att_s=queues["talk_s"] / answered,
        transfer_rate=queues["transferred"] / answered,
    )


def _queues_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    answered, abandoned = pl.col("result") == "answered", pl.col("result") == "hung_up"
    after = tables["steps"].filter(pl.col("kind") == "transfer")
    after = after.select(*_CALL, step_no=pl.col("step_no") - 1, sent_on=pl.lit(True))
    stays = (
        tables["steps"]
        .filter(pl.col("kind") == "queue", pl.col("target").is_not_null())
        .rename({"target": "queue"})
        .join(after, how="left", on=[*_CALL, "step_no"])
    )
    counted = stays.group_by(_QUEUE).agg(
        offered=pl.len(),
        answered=answered.sum(),
        abandoned=abandoned.sum(),
        abandoned_short=(abandoned & (pl.col("wait_s") < 5)).sum(),
        overflowed=(pl.col("result") == "next").sum(),
        asa_s=pl.col("wait_s").filter(answered).mean(),
        median_wait_s=pl.col("wait_s").median(),
        p90_wait_s=pl.col("wait_s").quantile(0.9, "linear"),
        longest_wait_s=pl.col("wait_s").max(),
        talk_s=pl.col("talk_s").sum(),
        transferred=(answered & pl.col("sent_on").fill_null(False)).sum(),
    )
    callers = tables["calls"].filter(~pl.col("is_forward")).select(*_CALL, "caller", "utc_offset_s")
    callers = callers.with_columns(who=pl.col("caller").str.replace_all("[^0-9]", "")).filter(pl.col("who") != "")
    key = [*_QUEUE, "who"]
    utc = pl.col("local_at") - pl.duration(seconds="utc_offset_s")
    recalls = (
        stays.join(callers, on=_CALL)
        .group_by(*key, "call_id")
        .agg(came=utc.min(), went=(utc + pl.duration(seconds="dwell_s")).max())
        .sort(*key, "came", "call_id")
        .filter(pl.col("came").shift(-1).over(key) - pl.col("went") <= pl.duration(hours=1))
        .group_by(_QUEUE)
        .agg(recalls=pl.len())
    )
    found = counted.join(recalls, how="left", on=_QUEUE).cast({pl.UInt32: pl.Int64}).collect(engine="streaming")
    return pl.from_pandas(_rates(found.to_pandas()))


def _queues_pandas(folder: Path) -> pd.DataFrame:
    columns = [*_CALL, "step_no", "kind", "target", "local_at", "dwell_s", "wait_s", "talk_s", "result"]
    steps = pd.read_parquet(folder / "steps", columns=columns)
    after = steps.loc[steps["kind"] == "transfer", [*_CALL, "step_no"]]
    after = after.assign(step_no=after["step_no"] - 1, sent_on=True)
    stays = steps[(steps["kind"] == "queue") & steps["target"].notna()].rename(columns={"target": "queue"})
    stays = stays.merge(after, how="left", on=[*_CALL, "step_no"])
    stays["answered"], stays["abandoned"] = stays["result"] == "answered", stays["result"] == "hung_up"
    stays["overflowed"] = stays["result"] == "next"
    stays["abandoned_short"] = stays["abandoned"] & (stays["wait_s"] < 5)
    stays["transferred"] = stays["answered"] & stays["sent_on"].eq(True)
    stays["answered_wait_s"] = stays["wait_s"].where(stays["answered"])
    queues = stays.groupby(_QUEUE, observed=True)
    names = ["answered", "abandoned", "overflowed", "abandoned_short", "transferred", "talk_s"]
    found = queues[names].sum()
    found["offered"], found["asa_s"] = queues.size(), queues["answered_wait_s"].mean()
    found["median_wait_s"], found["p90_wait_s"] = queues["wait_s"].median(), queues["wait_s"].quantile(0.9)
    found["longest_wait_s"] = queues["wait_s"].max()

    calls = pd.read_parquet(folder / "calls", columns=[*_CALL, "caller", "utc_offset_s", "is_forward"])
    calls = calls[~calls["is_forward"]]
    calls["who"] = calls["caller"].str.replace(r"[^0-9]", "", regex=True)
    visits = stays.merge(calls[calls["who"].fillna("") != ""], on=_CALL)
    visits["came"] = visits["local_at"] - pd.to_timedelta(visits["utc_offset_s"], unit="s")
    visits["went"] = visits["came"] + pd.to_timedelta(visits["dwell_s"], unit="s")
    key = [*_QUEUE, "who"]
    each = visits.groupby([*key, "call_id"], observed=True).agg({"came": "min", "went": "max"}).reset_index()
    each = each.sort_values([*key, "came", "call_id"])
    gap = each.groupby(key, observed=True)["came"].shift(-1) - each["went"]
    found["recalls"] = each[gap <= pd.Timedelta(hours=1)].groupby(_QUEUE, observed=True).size()
    return _rates(found.reset_index())


_AGENTS_SQL = """
WITH per_stay AS (
    SELECT r.pbx, s.target AS queue, extension, call_id, step_no, count(*) AS rung, sum(r.talk_s) AS talk_s,
        count(*) FILTER (r.result = 'answered') AS picked_up,
        sum(r.ring_s) FILTER (r.result = 'answered') AS picked_up_s,
        bool_or(r.result = 'elsewhere') AS elsewhere, bool_or(r.result = 'missed') AS missed
    FROM rings r JOIN steps s USING (pbx, call_id, step_no)
    WHERE s.kind = 'queue' AND s.target IS NOT NULL AND extension IS NOT NULL GROUP BY ALL
)
SELECT pbx, queue, extension, count(*) AS offered, sum(p.rung)::BIGINT AS rung,
    count(*) FILTER (picked_up > 0) AS answered,
    count(*) FILTER (picked_up = 0 AND p.elsewhere) AS elsewhere,
    count(*) FILTER (picked_up = 0 AND NOT p.elsewhere AND p.missed) AS missed,
    count(*) FILTER (picked_up = 0 AND NOT p.elsewhere AND NOT p.missed) AS unreachable,
    count(*) FILTER (picked_up > 0)
        / nullif(count(*) FILTER (picked_up > 0 OR NOT p.elsewhere AND p.missed), 0) AS answered_rate,
    coalesce(sum(p.talk_s), 0)::BIGINT AS talk_s,
    sum(p.talk_s) / nullif(count(*) FILTER (picked_up > 0), 0) AS mean_talk_s,
    sum(picked_up_s) / nullif(sum(picked_up), 0) AS mean_ring_s
FROM per_stay p GROUP BY ALL ORDER BY queue, pbx, extension
"""


def _agents_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_AGENTS_SQL).df()


def _agents_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    stays = tables["steps"].filter(pl.col("kind") == "queue", pl.col("target").is_not_null())
    picked_up = pl.col("result") == "answered"
    answered, elsewhere, missed = pl.col("picked_up") > 0, pl.col("elsewhere"), pl.col("missed")
    return (
        tables["rings"]
        .filter(pl.col("extension").is_not_null())
        .select(*_CALL, "step_no", "extension", "ring_s", "talk_s", "result")
        .join(stays.select(*_CALL, "step_no", queue="target"), on=[*_CALL, "step_no"])
        .group_by(*_AGENT, "call_id", "step_no")
        .agg(
            rung=pl.len().cast(pl.Int64),
            talk_s=pl.col("talk_s").sum(),
            picked_up=picked_up.sum().cast(pl.Int64),
            picked_up_s=pl.col("ring_s").filter(picked_up).sum(),
            elsewhere=(pl.col("result") == "elsewhere").any(),
            missed=(pl.col("result") == "missed").any(),
        )
        .group_by(_AGENT)
        .agg(
            pl.col("rung", "talk_s", "picked_up", "picked_up_s").sum(),
            offered=pl.len(),
            answered=answered.sum(),
            elsewhere=(elsewhere & ~answered).sum(),
            missed=(missed & ~elsewhere & ~answered).sum(),
            unreachable=(~missed & ~elsewhere & ~answered).sum(),
        )
        .with_columns(
            answered_rate=(pl.col("answered") / (pl.col("answered") + pl.col("missed"))).fill_nan(None),
            mean_talk_s=(pl.col("talk_s") / pl.col("answered")).replace(float("inf"), None).fill_nan(None),
            mean_ring_s=(pl.col("picked_up_s") / pl.col("picked_up")).fill_nan(None),
        )
        .drop("picked_up", "picked_up_s")
        .collect(engine="streaming")
    )


def _agents_pandas(folder: Path) -> pd.DataFrame:
    steps = pd.read_parquet(folder / "steps", columns=[*_CALL, "step_no", "kind", "target"])
    stays = steps[(steps["kind"] == "queue") & steps["target"].notna()].rename(columns={"target": "queue"})
    rings = pd.read_parquet(folder / "rings", columns=[*_CALL, "step_no", "extension", "ring_s", "talk_s", "result"])
    rings = rings[rings["extension"].notna()].merge(stays.drop(columns="kind"), on=[*_CALL, "step_no"])
    for fate in ("answered", "elsewhere", "missed"):
        rings[fate] = rings["result"] == fate
    rings["picked_up_s"] = rings["ring_s"].where(rings["answered"])
    keys = [*_AGENT, "call_id", "step_no"]
    stay = rings.groupby(keys, observed=True)
    each = stay[["talk_s", "answered", "picked_up_s"]].sum().rename(columns={"answered": "picked_up"})
    each[["answered", "elsewhere", "missed"]] = stay[["answered", "elsewhere", "missed"]].any()
    each["rung"] = stay.size()
    each["elsewhere"] &= ~each["answered"]
    each["missed"] &= ~each["answered"] & ~each["elsewhere"]
    each["unreachable"] = ~each["answered"] & ~each["elsewhere"] & ~each["missed"]
    agents = each.groupby(_AGENT, observed=True)
    found = agents.sum()
    found["offered"] = agents.size()
    tried, answered = found["answered"] + found["missed"], found["answered"].where(found["answered"] > 0)
    found["answered_rate"] = found["answered"] / tried.where(tried > 0)
    found["mean_talk_s"] = found["talk_s"] / answered
    found["mean_ring_s"] = found["picked_up_s"] / found["picked_up"].where(found["picked_up"] > 0)
    return found.drop(columns=["picked_up", "picked_up_s"]).reset_index()


WAYS = {
    "queues": ByHand(
        ours=lambda store: ucm.queues(store.scan("steps"), store.scan("calls")),
        sql=_queues_sql,
        polars=_queues_polars,
        pandas=_queues_pandas,
        keys=("pbx", "queue"),
    ),
    "queue_agents": ByHand(
        ours=lambda store: ucm.queue_agents(store.scan("steps"), store.scan("rings")),
        sql=_agents_sql,
        polars=_agents_polars,
        pandas=_agents_pandas,
        keys=("pbx", "queue", "extension"),
    ),
}
