"""Menus, by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand
from ucm_analytics.store import Store

CALL = ["pbx", "call_id"]
STEPS = [*CALL, "step_no", "kind", "target", "dwell_s", "result"]

PATHS_SQL = """
SELECT path, count(*) AS calls, count(*) / sum(count(*)) OVER () AS share,
    count(*) FILTER (outcome = 'answered') AS answered, answered / count(*) AS answered_rate,
    median(wait_s) AS median_wait_s
FROM calls WHERE NOT is_forward AND contains(path, 'ivr:') GROUP BY path ORDER BY count(*) DESC, path
"""


def paths_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    return (
        tables["calls"]
        .filter(~pl.col("is_forward"), pl.col("path").str.contains("ivr:", literal=True))
        .group_by("path")
        .agg(
            calls=pl.len(),
            answered=(pl.col("outcome").cast(pl.String) == "answered").sum(),
            median_wait_s=pl.col("wait_s").median(),
        )
        .with_columns(share=pl.col("calls") / pl.col("calls").sum(), answered_rate=pl.col("answered") / pl.col("calls"))
        .sort("calls", "path", descending=[True, False])
        .collect(engine="streaming")
    )


def paths_pandas(folder: Path) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=["path", "outcome", "wait_s", "is_forward"])
    calls = calls[~calls["is_forward"] & calls["path"].str.contains("ivr:", regex=False)]
    calls["answered"] = calls["outcome"] == "answered"
    paths = calls.groupby("path").agg(
        calls=("wait_s", "size"), answered=("answered", "sum"), median_wait_s=("wait_s", "median")
    )
    paths["share"] = paths["calls"] / paths["calls"].sum()
    paths["answered_rate"] = paths["answered"] / paths["calls"]
    return paths.reset_index().sort_values(["calls", "path"], ascending=[False, True])


FOLLOWED_SQL = """
WITH menu AS (SELECT DISTINCT pbx, call_id FROM steps WHERE kind = 'ivr'),
followed AS (
    SELECT *, kind || ':' || coalesce(target, '') AS node,
        lead(node) OVER (PARTITION BY pbx, call_id ORDER BY step_no) AS next_node
    FROM steps SEMI JOIN menu USING (pbx, call_id)
)
"""

TRANSITIONS_SQL = f"""
{FOLLOWED_SQL}
SELECT node AS "from", coalesce(next_node, 'end:' || result) AS "to", count(DISTINCT (pbx, call_id)) AS calls,
    count(*) AS passes, median(dwell_s) AS median_dwell_s
FROM followed GROUP BY ALL ORDER BY passes DESC, "from", "to"
"""


def _followed_polars(steps: pl.LazyFrame) -> pl.LazyFrame:
    menu = steps.filter(pl.col("kind").cast(pl.String) == "ivr").select(CALL).unique()
    steps = steps.join(menu, on=CALL, how="semi").with_columns(
        node=pl.col("kind").cast(pl.String) + ":" + pl.col("target").cast(pl.String).fill_null("")
    )
    return steps.sort(*CALL, "step_no").with_columns(next_node=pl.col("node").shift(-1).over(CALL))


def transitions_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    steps = _followed_polars(tables["steps"].select(STEPS))
    return (
        steps.with_columns(to=pl.col("next_node").fill_null("end:" + pl.col("result").cast(pl.String)))
        .rename({"node": "from"})
        .group_by("from", "to")
        .agg(
            calls=pl.struct(CALL).n_unique(),
            passes=pl.len(),
            median_dwell_s=pl.col("dwell_s").median(),
        )
        .sort("passes", "from", "to", descending=[True, False, False])
        .collect(engine="streaming")
    )


def _followed_pandas(folder: Path) -> pd.DataFrame:
    steps = pd.read_parquet(folder / "steps", columns=STEPS)
    steps["call"] = steps.groupby(CALL, observed=True).ngroup()
    steps = steps[steps["call"].isin(steps.loc[steps["kind"] == "ivr", "call"])]
    steps = steps.sort_values(["call", "step_no"])
    steps["node"] = steps["kind"].astype("str") + ":" + steps["target"].astype("str").fillna("")
    steps["next_node"] = steps["node"].shift(-1).where(steps["call"] == steps["call"].shift(-1))
    return steps


def transitions_pandas(folder: Path) -> pd.DataFrame:
    steps = _followed_pandas(folder)
    steps["to"] = steps["next_node"].fillna("end:" + steps["result"].astype("str"))
    moves = steps.rename(columns={"node": "from"}).groupby(["from", "to"])
    found = moves.agg(calls=("call", "nunique"), passes=("call", "size"), median_dwell_s=("dwell_s", "median"))
    return found.reset_index().sort_values(["passes", "from", "to"], ascending=[False, True, True])


DROPOFF_SQL = f"""
{FOLLOWED_SQL},
pass AS (
    SELECT *, target AS menu, next_node = node AS again, next_node <> node AS onward,
        max(step_no) FILTER (result = 'answered') OVER (PARTITION BY pbx, call_id) > step_no AS later
    FROM followed
),
counted AS (
    SELECT pbx, menu, count(DISTINCT call_id) AS calls, count(*) AS passes,
        count(*) FILTER (again) AS repeated, count(*) FILTER (onward) AS went_on,
        count(*) FILTER (onward AND later) AS answered,
        count(*) FILTER (next_node IS NULL AND result = 'hung_up') AS hung_up,
        count(*) FILTER (next_node IS NULL AND result = 'timed_out') AS timed_out,
        passes - repeated - went_on - hung_up - timed_out AS other,
        median(dwell_s) AS median_dwell_s, quantile_cont(dwell_s, 0.9) AS p90_dwell_s
    FROM pass WHERE kind = 'ivr' GROUP BY ALL
)
SELECT *, went_on / passes AS went_on_rate, answered / passes AS answered_rate, hung_up / passes AS hung_up_rate,
    timed_out / passes AS timed_out_rate
FROM counted ORDER BY passes DESC, menu, pbx
"""


def dropoff_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    result = pl.col("result").cast(pl.String)
    again, onward = pl.col("next_node") == pl.col("node"), pl.col("next_node") != pl.col("node")
    ended = pl.col("next_node").is_null()
    return (
        _followed_polars(tables["steps"].select(STEPS))
        .with_columns(answer_no=pl.when(result == "answered").then("step_no").max().over(CALL))
        .filter(pl.col("kind").cast(pl.String) == "ivr")
        .group_by("pbx", menu="target")
        .agg(
            calls=pl.col("call_id").n_unique(),
            passes=pl.len().cast(pl.Int64),
            repeated=again.sum(),
            went_on=onward.sum(),
            answered=(onward & (pl.col("answer_no") > pl.col("step_no"))).sum(),
            hung_up=(ended & (result == "hung_up")).sum(),
            timed_out=(ended & (result == "timed_out")).sum(),
            median_dwell_s=pl.col("dwell_s").median(),
            p90_dwell_s=pl.col("dwell_s").quantile(0.9, "linear"),
        )
        .with_columns(other=pl.col("passes") - pl.sum_horizontal("repeated", "went_on", "hung_up", "timed_out"))
        .with_columns(
            (pl.col(name) / pl.col("passes")).alias(f"{name}_rate")
            for name in ("went_on", "answered", "hung_up", "timed_out")
        )
        .collect(engine="streaming")
    )


def dropoff_pandas(folder: Path) -> pd.DataFrame:
    steps = _followed_pandas(folder)
    answer_no = steps["step_no"].where(steps["result"] == "answered").groupby(steps["call"]).transform("max")
    ended = steps["next_node"].isna()
    steps["repeated"] = steps["next_node"] == steps["node"]
    steps["went_on"] = ~ended & ~steps["repeated"]
    steps["answered"] = steps["went_on"] & (answer_no > steps["step_no"])
    for name in ("hung_up", "timed_out"):
        steps[name] = ended & (steps["result"] == name)
    menus = steps[steps["kind"] == "ivr"].rename(columns={"target": "menu"}).groupby(["pbx", "menu"], observed=True)
    counts = ["repeated", "went_on", "answered", "hung_up", "timed_out"]
    found = menus[counts].sum()
    found["passes"], found["calls"] = menus.size(), menus["call"].nunique()
    found["other"] = found["passes"] - found[["repeated", "went_on", "hung_up", "timed_out"]].sum(axis=1)
    found["median_dwell_s"], found["p90_dwell_s"] = menus["dwell_s"].median(), menus["dwell_s"].quantile(0.9)
    for name in counts[1:]:
        found[f"{name}_rate"] = found[name] / found["passes"]
    return found.reset_index()


CHOICES_SQL = f"""
{FOLLOWED_SQL}
SELECT pbx, target AS menu, next_node AS "to", count(DISTINCT call_id) AS calls, count(*) AS passes,
    count(*) / sum(count(*)) OVER (PARTITION BY pbx, target) AS share
FROM followed WHERE kind = 'ivr' AND next_node IS NOT NULL GROUP BY pbx, target, next_node
"""


def _read(choices: pd.DataFrame, directory: pd.DataFrame) -> pd.DataFrame:
    """The key to each of a few choices, with a loop: a mailbox is reached by the key of its extension."""
    keys = directory[(directory["kind"] == "ivr") & (directory["key"] != "")]
    found = []
    for row in choices.itertuples():
        kind, _, number = row.to.partition(":")
        kinds = {kind, "extension"} if kind == "voicemail" else {kind}
        own = keys[(keys["pbx"] == row.pbx) & (keys["number"] == row.menu) & keys["target_kind"].isin(kinds)]
        leads = set(own.loc[(own["target"] == number) | ((own["target"] == "") & (own["key"] == "dial")), "key"])
        pressed = sorted(leads - {"timeout", "invalid"})
        otherwise = sorted(leads & {"timeout", "invalid"}) + (["repeat"] if row.to == f"ivr:{row.menu}" else [])
        certain = len(pressed) == 1 and not otherwise
        found.append(
            (
                "/".join([*pressed, *otherwise]) or None,
                "certain" if certain else "ambiguous" if pressed else "default" if otherwise else "unknown",
            )
        )
    return choices.assign(key=[key for key, _ in found], certainty=[certainty for _, certainty in found])


def choices_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return _read(connection.sql(CHOICES_SQL).df(), connection.sql("FROM directory").df())


def choices_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    counted = (
        _followed_polars(tables["steps"].select(STEPS))
        .filter(pl.col("kind").cast(pl.String) == "ivr", pl.col("next_node").is_not_null())
        .group_by("pbx", menu="target", to="next_node")
        .agg(calls=pl.col("call_id").n_unique(), passes=pl.len())
        .with_columns(share=pl.col("passes") / pl.col("passes").sum().over("pbx", "menu"))
        .collect(engine="streaming")
    )
    return pl.from_pandas(_read(counted.to_pandas(), tables["directory"].collect().to_pandas()))


def choices_pandas(folder: Path) -> pd.DataFrame:
    steps = _followed_pandas(folder)
    steps = steps[(steps["kind"] == "ivr") & steps["next_node"].notna()]
    onward = steps.rename(columns={"target": "menu", "next_node": "to"}).groupby(["pbx", "menu", "to"], observed=True)
    found = onward.agg(calls=("call", "nunique"), passes=("call", "size")).reset_index()
    found["share"] = found["passes"] / found.groupby(["pbx", "menu"], observed=True)["passes"].transform("sum")
    return _read(found, pd.read_parquet(folder / "directory"))


def _sql(query: str):
    def run(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        return connection.sql(query).df()

    return run


def _choices(store: Store) -> pd.DataFrame:
    return ucm.ivr_choices(store.scan("steps"), store.directory())


WAYS = {
    "ivr_paths": ByHand(
        lambda s: ucm.ivr_paths(s.scan("calls")), _sql(PATHS_SQL), paths_polars, paths_pandas, ("path",)
    ),
    "ivr_transitions": ByHand(
        lambda s: ucm.ivr_transitions(s.scan("steps")),
        _sql(TRANSITIONS_SQL),
        transitions_polars,
        transitions_pandas,
        ("from", "to"),
    ),
    "ivr_dropoff": ByHand(
        lambda s: ucm.ivr_dropoff(s.scan("steps")), _sql(DROPOFF_SQL), dropoff_polars, dropoff_pandas, ("pbx", "menu")
    ),
    "ivr_choices": ByHand(_choices, choices_sql, choices_polars, choices_pandas, ("pbx", "menu", "to")),
}
