"""cost by hand: calls priced by the longest prefix that fits."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

_AREAS = [*range(100, 200, 7), 202, 303, 312, 404]
TARIFF = pd.DataFrame(
    {
        "prefix": ["1", "44", "4420", *(f"1{area}" for area in _AREAS)],
        "per_minute": [0.02, 0.1, 0.12, *(0.01 + n % 5 / 100 for n in range(len(_AREAS)))],
        "setup": [0.0, 0.05, 0.05, *(n % 3 / 50 for n in range(len(_AREAS)))],
        "rounding_s": [1, 60, 60, *((1, 6, 30, 60)[n % 4] for n in range(len(_AREAS)))],
    }
)
_LONGEST = int(TARIFF["prefix"].str.len().max())

_AWAY = r"(^| > )(external:|transfer:\+?[0-9]{7,}( |$))"
_LAST = [f".*{kind}:([^ ]*)" for kind in ("external", "transfer")]
_DIALLED = "direction IN ('outbound', 'external')"
_SENT = f"coalesce(nullif(regexp_extract(path, '{_LAST[0]}', 1), ''), regexp_extract(path, '{_LAST[1]}', 1))"
LEAVES = f"({_DIALLED} OR coalesce(regexp_matches(path, '{_AWAY}'), false))"
CALLEE = f"CASE WHEN {_DIALLED} THEN callee ELSE {_SENT} END"
NUMBER = f"CASE WHEN {_DIALLED} THEN coalesce(callee_number, callee) ELSE {_SENT} END"
"""What leaves by a trunk, and to which number."""


def leaving_polars(calls: pl.LazyFrame) -> pl.LazyFrame:
    """Calls that leave by a trunk, with `callee` and `number`."""
    dialled = pl.col("direction").is_in(["outbound", "external"])
    sent = pl.coalesce(*(pl.col("path").str.extract(last) for last in _LAST))
    return calls.filter(dialled | pl.col("path").str.contains(_AWAY)).with_columns(
        callee=pl.when(dialled).then("callee").otherwise(sent),
        number=pl.when(dialled).then(pl.coalesce("callee_number", "callee")).otherwise(sent),
    )


def leaving_pandas(calls: pd.DataFrame) -> pd.DataFrame:
    """Calls that leave by a trunk, with `callee` and `number`."""
    away = calls["path"].str.split(" > ").map(lambda steps: [step for step in steps if re.match(_AWAY, step)])
    calls = calls[calls["direction"].isin(["outbound", "external"]) | away.str.len().gt(0)]
    dialled = calls["direction"].isin(["outbound", "external"])
    external, transfer = (calls["path"].str.extract(last, expand=False) for last in _LAST)
    sent = external.fillna(transfer)
    number = calls["callee_number"].fillna(calls["callee"]).where(dialled, sent)
    return calls.assign(callee=calls["callee"].where(dialled, sent), number=number)


_SQL = rf"""
WITH seen AS (
    SELECT {NUMBER} AS number, talk_s, count(*) AS calls FROM calls
    WHERE {LEAVES} AND outcome = 'answered' GROUP BY ALL
), plain AS (
    SELECT DISTINCT number, regexp_replace(number, '\D', '', 'g') AS plain FROM seen
    WHERE regexp_full_match(number, '[+\d\s()./-]+')
), whole AS (
    SELECT number, CASE WHEN trim(number) LIKE '+%' THEN plain WHEN plain LIKE '00%' THEN substr(plain, 3)
        WHEN plain LIKE '011%' THEN substr(plain, 4)
        WHEN length(plain) = 10 AND plain NOT LIKE '0%' THEN '1' || plain
        WHEN plain NOT LIKE '0%' AND length(plain) >= 10 THEN plain END AS whole
    FROM plain
), fits AS (
    SELECT number, arg_max(prefix, length(prefix)) AS prefix
    FROM (SELECT number, whole, unnest(range(1, {_LONGEST + 1})) AS n FROM whole)
    JOIN tariff ON prefix = left(whole, n) GROUP BY number
), billed AS (
    SELECT prefix, calls, talk_s, setup, per_minute, ceil(talk_s / rounding_s) * rounding_s AS billed_s
    FROM seen LEFT JOIN fits USING (number) LEFT JOIN tariff USING (prefix)
)
SELECT prefix, sum(calls)::BIGINT AS calls, sum(calls * talk_s)::BIGINT AS talk_s,
    sum(calls * billed_s)::BIGINT AS billed_s, sum(calls * (setup + per_minute * billed_s / 60)) AS cost,
    sum(calls * (setup + per_minute * billed_s / 60))
        / sum(sum(calls * (setup + per_minute * billed_s / 60))) OVER () AS share
FROM billed GROUP BY prefix
"""


def _by_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    connection.register("tariff", TARIFF)
    return connection.sql(_SQL).df()


def _by_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    number = pl.col("number")
    plain = number.str.replace_all(r"\D", "")
    whole = (
        pl.when(number.str.strip_chars().str.starts_with("+"))
        .then(plain)
        .when(plain.str.starts_with("00"))
        .then(plain.str.slice(2))
        .when(plain.str.starts_with("011"))
        .then(plain.str.slice(3))
        .when((plain.str.len_bytes() == 10) & ~plain.str.starts_with("0"))
        .then("1" + plain)
        .when(~plain.str.starts_with("0") & (plain.str.len_bytes() >= 10))
        .then(plain)
    )
    is_number = number.str.contains(r"^[+\d\s()./-]+$")
    tariff = pl.from_pandas(TARIFF)
    calls = leaving_polars(tables["calls"].filter(pl.col("outcome") == "answered"))
    calls = calls.select("talk_s", whole=pl.when(is_number).then(whole))
    for n in range(1, _LONGEST + 1):
        some = tariff.lazy().select(pl.col("prefix").alias(f"prefix{n}"), fits=pl.col("prefix"))
        calls = calls.with_columns(pl.col("whole").str.slice(0, n).alias(f"prefix{n}"))
        calls = calls.join(some, on=f"prefix{n}", how="left").with_columns(pl.col("fits").alias(f"prefix{n}"))
        calls = calls.drop("fits")
    prefix = pl.coalesce(*(f"prefix{n}" for n in range(_LONGEST, 0, -1)))
    billed = (pl.col("talk_s") / pl.col("rounding_s")).ceil() * pl.col("rounding_s")
    result = (
        calls.select("talk_s", prefix=prefix)
        .join(tariff.lazy(), on="prefix", how="left")
        .with_columns(billed_s=billed)
        .with_columns(cost=pl.col("setup") + pl.col("per_minute") * pl.col("billed_s") / 60)
        .group_by("prefix")
        .agg(
            calls=pl.len(), talk_s=pl.col("talk_s").sum(), billed_s=pl.col("billed_s").sum(), cost=pl.col("cost").sum()
        )
        .collect(engine="streaming")
    )
    priced = pl.col("prefix").is_not_null()
    return result.with_columns(pl.when(priced).then(name).alias(name) for name in ("billed_s", "cost")).with_columns(
        pl.col("billed_s").cast(pl.Int64), share=pl.col("cost") / pl.col("cost").sum()
    )


def _by_pandas(folder: Path) -> pd.DataFrame:
    columns = ["direction", "callee", "callee_number", "path", "outcome", "talk_s"]
    calls = pd.read_parquet(folder / "calls", columns=columns)
    calls = leaving_pandas(calls[calls["outcome"] == "answered"])
    number = calls["number"]
    plain = number.str.replace(r"\D", "", regex=True).where(number.str.fullmatch(r"[+\d\s()./-]+").fillna(False))
    begins = {begin: plain.str.startswith(begin).fillna(False) for begin in ("0", "00", "011")}
    ways = [
        (number.str.strip().str.startswith("+").fillna(False), plain),
        (begins["00"], plain.str[2:]),
        (begins["011"], plain.str[3:]),
        ((plain.str.len() == 10) & ~begins["0"], "1" + plain),
        (~begins["0"] & (plain.str.len() >= 10), plain),
    ]
    full = pd.Series(np.nan, index=calls.index, dtype="str")
    for test, written in reversed(ways):
        full = full.mask(test, written)
    prefix = pd.Series(np.nan, index=calls.index, dtype="str")
    for n in range(1, _LONGEST + 1):
        begin = full.str[:n]
        prefix = prefix.mask(begin.isin(TARIFF["prefix"]), begin)
    priced = calls[["talk_s"]].assign(prefix=prefix).merge(TARIFF, how="left", on="prefix")
    priced["billed_s"] = np.ceil(priced["talk_s"] / priced["rounding_s"]) * priced["rounding_s"]
    priced["cost"] = priced["setup"] + priced["per_minute"] * priced["billed_s"] / 60
    grouped = priced.groupby("prefix", dropna=False)
    result = grouped.agg(calls=("talk_s", "size"), talk_s=("talk_s", "sum"))
    result[["billed_s", "cost"]] = grouped[["billed_s", "cost"]].sum(min_count=1)
    result["share"] = result["cost"] / result["cost"].sum()
    return result.reset_index().astype({"billed_s": "Int64"})


WAYS = {
    "cost": ByHand(
        ours=lambda store: ucm.cost(store.scan("calls"), TARIFF, home="1"),
        sql=_by_sql,
        polars=_by_polars,
        pandas=_by_pandas,
        keys=("prefix",),
    ),
}
