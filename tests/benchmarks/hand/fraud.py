"""fraud_signals and fraud_evidence by hand: which calls a rule can fit, and where they went.

The rules themselves are the package's in all four; they see the calls abroad, and those that ran when most of an
extension's calls of a day did, if those were three or more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand
from tests.benchmarks.hand.cost import CALLEE, LEAVES, NUMBER, leaving_pandas, leaving_polars
from ucm_analytics.analyses._countries import COUNTRIES
from ucm_analytics.analyses.fraud import listed, scored, summed

_COLUMNS = ["pbx", "call_id", "local_at", "utc_offset_s", "direction", "caller", "callee", "callee_number", "outcome"]
_COLUMNS += ["talk_s", "duration_s", "is_forward", "path"]
_DAY = ["pbx", "source", "day"]
_DEAR = ("1907", "1107")
"""One area of the demo store and one of the benchmark's: one call in a hundred."""
_WRITTEN = "^[+0-9 ()./-]+$"

_SQL = f"""
WITH number AS (
    SELECT pbx, call_id, local_at, utc_offset_s,
        CASE WHEN NOT is_forward AND direction NOT IN ('inbound', 'external') THEN caller END AS extension,
        CASE WHEN extension IS NOT NULL OR talk_s > 0 THEN caller END AS source, {CALLEE} AS callee,
        {NUMBER} AS number, outcome, talk_s, duration_s,
        local_at - to_seconds(utc_offset_s) AS utc, regexp_replace(number, '[^0-9]', '', 'g') AS plain
    FROM calls WHERE {LEAVES}
),
called AS (
    SELECT *, CASE WHEN NOT regexp_matches(number, '{_WRITTEN}') THEN NULL WHEN number LIKE '+%' THEN plain
        WHEN plain LIKE '00%' THEN plain[3:] WHEN plain LIKE '0%' THEN NULL WHEN len(plain) >= 10 THEN plain
        END AS "full"
    FROM number
),
country AS (
    SELECT *, CASE WHEN "full"[:1] IN $codes THEN "full"[:1] WHEN "full"[:2] IN $codes THEN "full"[:2]
        WHEN "full"[:3] IN $codes THEN "full"[:3] END AS code
    FROM called
),
home AS (SELECT code AS home, min(first) OVER () AS known FROM (
    SELECT code, count(*) AS calls, min(local_at) AS first FROM country GROUP BY code
) ORDER BY code IS NULL, calls DESC LIMIT 1),
lasting AS (
    SELECT pbx, source, local_at::DATE AS day, utc, utc + to_seconds(duration_s) AS stop FROM number
    WHERE duration_s > 0 AND source IS NOT NULL
),
running AS (
    SELECT pbx, source, day, edge,
        sum(more) OVER (PARTITION BY pbx, source, day ORDER BY edge, more ROWS UNBOUNDED PRECEDING) AS running
    FROM (SELECT *, utc AS edge, 1 AS more FROM lasting UNION ALL SELECT *, stop, -1 FROM lasting)
),
most AS (
    SELECT pbx, source, day, arg_max(edge, (running, -epoch_us(edge))) AS most_at FROM running
    WHERE running >= 3 GROUP BY ALL
),
placed AS (
    SELECT c.* EXCLUDE (plain), coalesce(regexp_matches("full", '^({"|".join(_DEAR)})'), false) AS is_dear,
        is_dear OR coalesce(code <> home, false) AS is_abroad, known,
        coalesce(utc <= most_at AND most_at < utc + to_seconds(duration_s), false) AS is_at_once
    FROM country c CROSS JOIN home
    LEFT JOIN most m ON m.pbx = c.pbx AND m.source = c.source AND m.day = local_at::DATE
)
SELECT *, coalesce("full"[:6], '') AS block FROM placed WHERE is_abroad OR is_at_once
"""


def _named(placed: pd.DataFrame) -> tuple[pd.DataFrame, pd.Timestamp]:
    areas = {code: f"+{code} {name}" for code, name in COUNTRIES.items()}
    return placed.assign(area=placed["code"].map(areas).astype("str")), placed["known"].iloc[0]


def _by_sql(connection: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.Timestamp]:
    return _named(connection.execute(_SQL, {"codes": list(COUNTRIES)}).df())


def _by_polars(tables: dict[str, pl.LazyFrame]) -> tuple[pd.DataFrame, pd.Timestamp]:
    number, plain, full = pl.col("number"), pl.col("plain"), pl.col("full")
    heads = [full.str.slice(0, n) for n in (1, 2, 3)]
    inside = ~pl.col("is_forward") & ~pl.col("direction").is_in(["inbound", "external"])
    out = (
        leaving_polars(tables["calls"].select(_COLUMNS))
        .with_columns(
            extension=pl.when(inside).then("caller"),
            source=pl.when(inside | (pl.col("talk_s") > 0)).then("caller"),
            utc=pl.col("local_at") - pl.duration(seconds="utc_offset_s"),
            day=pl.col("local_at").dt.date(),
        )
        .with_columns(stop=pl.col("utc") + pl.duration(seconds="duration_s"))
    )
    lasting = out.filter(pl.col("duration_s") > 0, pl.col("source").is_not_null())
    edges = pl.concat(
        lasting.select(*_DAY, at=pl.col(at), more=pl.lit(more)) for at, more in (("utc", 1), ("stop", -1))
    )
    most = (
        edges.with_columns(running=pl.col("more").cum_sum().over(_DAY, order_by=["at", "more"]))
        .filter(pl.col("running") >= 3)
        .sort("running", "at", descending=[True, False])
        .group_by(_DAY)
        .agg(most_at=pl.col("at").first())
    )
    ran = (pl.col("utc") <= pl.col("most_at")) & (pl.col("most_at") < pl.col("stop"))
    placed = (
        out.join(most, on=_DAY, how="left")
        .with_columns(plain=number.str.replace_all("[^0-9]", ""), is_at_once=ran.fill_null(False))
        .with_columns(
            full=pl.when(~number.str.contains(_WRITTEN))
            .then(None)
            .when(number.str.starts_with("+"))
            .then(plain)
            .when(plain.str.starts_with("00"))
            .then(plain.str.slice(2))
            .when(~plain.str.starts_with("0") & (plain.str.len_chars() >= 10))
            .then(plain)
        )
        .with_columns(code=pl.coalesce(pl.when(head.is_in(list(COUNTRIES))).then(head) for head in heads))
        .with_columns(
            home=pl.col("code").drop_nulls().mode().first(),
            known=pl.col("local_at").min(),
            is_dear=full.str.contains(f"^({'|'.join(_DEAR)})").fill_null(False),
            block=full.str.slice(0, 6).fill_null(""),
        )
        .with_columns(is_abroad=pl.col("is_dear") | (pl.col("code") != pl.col("home")).fill_null(False))
        .filter(pl.col("is_abroad") | pl.col("is_at_once"))
        .drop(
            "direction",
            "is_forward",
            "caller",
            "callee_number",
            "path",
            "plain",
            "day",
            "home",
            "stop",
            "most_at",
            "duration_s",
        )
        .cast({pl.Categorical: pl.String})
        .collect(engine="streaming")
    )
    return _named(placed.to_pandas())


def _by_pandas(folder: Path) -> tuple[pd.DataFrame, pd.Timestamp]:
    calls = pd.read_parquet(folder / "calls", columns=_COLUMNS)
    calls = leaving_pandas(calls)
    inside = ~calls["is_forward"] & ~calls["direction"].isin(["inbound", "external"])
    calls["extension"] = calls["caller"].where(inside)
    calls["source"] = calls["caller"].where(inside | (calls["talk_s"] > 0))
    number = calls["number"]
    plain = number.str.replace("[^0-9]", "", regex=True)
    written, plus = number.str.contains(_WRITTEN).fillna(False).astype(bool), number.str.startswith("+")
    full = plain.where(~plain.str.startswith("00") | plus, plain.str.slice(2))
    national = plain.str.startswith("0") & ~plain.str.startswith("00")
    calls["full"] = full.where(written & (plus | (plain.str.startswith("00") | (~national & (plain.str.len() >= 10)))))
    code = pd.Series(None, index=calls.index, dtype="str")
    for n in (1, 2, 3):
        head = calls["full"].str.slice(0, n)
        code = code.fillna(head.where(head.isin(list(COUNTRIES))))
    calls = calls.assign(code=code, block=calls["full"].str.slice(0, 6).fillna(""))
    calls["utc"] = calls["local_at"] - pd.to_timedelta(calls["utc_offset_s"], unit="s")
    calls["day"] = calls["local_at"].dt.normalize()
    calls["known"] = calls["local_at"].min()
    calls["is_dear"] = calls["full"].str.startswith(_DEAR).fillna(False).astype(bool)
    calls["is_abroad"] = calls["is_dear"] | (code.notna() & (code != code.mode().iloc[0]))
    calls["stop"] = calls["utc"] + pd.to_timedelta(calls["duration_s"], unit="s")
    lasting = calls[(calls["duration_s"] > 0) & calls["source"].notna()]
    edges = pd.concat(
        [lasting[_DAY].assign(at=lasting[at], more=more) for at, more in (("utc", 1), ("stop", -1))], ignore_index=True
    ).sort_values([*_DAY, "at", "more"])
    edges["running"] = edges.groupby(_DAY, observed=True)["more"].cumsum()
    most = edges[edges["running"] >= 3].sort_values(["running", "at"], ascending=[False, True]).drop_duplicates(_DAY)
    calls = calls.merge(most[[*_DAY, "at"]], how="left", on=_DAY)
    calls["is_at_once"] = (calls["utc"] <= calls["at"]) & (calls["at"] < calls["stop"])
    calls = calls[calls["is_abroad"] | calls["is_at_once"]]
    return _named(calls.astype({"outcome": "str", "pbx": "str"}))


def _by_hand(ours: Callable[..., pd.DataFrame], table: Callable[[pd.DataFrame], pa.Table], *keys: str) -> ByHand:
    def finished(found: tuple[pd.DataFrame, pd.Timestamp]) -> pd.DataFrame:
        return table(scored(*found, (7, 20), None)).to_pandas()

    return ByHand(
        ours=lambda store: ours(store.scan("calls"), dear=_DEAR),
        sql=lambda connection: finished(_by_sql(connection)),
        polars=lambda tables: pl.from_pandas(finished(_by_polars(tables))),
        pandas=lambda folder: finished(_by_pandas(folder)),
        keys=keys,
    )


WAYS = {
    "fraud_signals": _by_hand(ucm.fraud_signals, summed, "signal"),
    "fraud_evidence": _by_hand(ucm.fraud_evidence, listed, "signal", "call_id"),
}
