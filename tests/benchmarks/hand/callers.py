"""top_callers, caller_concentration and caller_areas by hand.

A number that is the end of exactly one longer number is that number, as in the package; three writings of one
number, each the end of the next, are not looked for. Country codes are those of the package: a list of the ITU's.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand
from ucm_analytics.analyses._countries import COUNTRIES

_WRITTEN = r"[+\d\s()./-]+"
_CODES = pd.DataFrame({"code": list(COUNTRIES), "country": [f"+{code} {name}" for code, name in COUNTRIES.items()]})
_AREA_DIGITS = 3

_KEYED_SQL = rf"""
WITH seen AS (
    SELECT coalesce(caller_number, caller) AS number, caller_name, count(*) AS calls,
        count(*) FILTER (outcome = 'answered') AS answered, sum(talk_s)::BIGINT AS talk_s,
        min(local_at) AS first_at, max(local_at) AS last_at
    FROM calls WHERE direction = 'inbound' AND NOT is_forward GROUP BY ALL
), numbers AS (
    SELECT DISTINCT number, CASE WHEN regexp_full_match(number, '{_WRITTEN}')
        THEN nullif(ltrim(regexp_replace(number, '\D', '', 'g'), '0'), '') END AS digits
    FROM seen
), ends AS (
    SELECT right(digits, n) AS digits, any_value(digits) AS whole FROM (
        SELECT digits, unnest(range(9, length(digits))) AS n FROM (SELECT DISTINCT digits FROM numbers)
    ) GROUP BY ALL HAVING count(*) = 1
), keyed AS (
    SELECT seen.*, coalesce(whole, digits) AS key
    FROM seen LEFT JOIN numbers USING (number) LEFT JOIN ends USING (digits)
)
"""

_TOP_SQL = f"""{_KEYED_SQL}, shown AS (
    SELECT *, sum(calls) OVER (PARTITION BY number) AS shown FROM keyed WHERE key IS NOT NULL
)
SELECT arg_min(number, (-shown, number)) AS caller,
    arg_min(caller_name, (-shown, number, -calls, caller_name)) FILTER (caller_name IS NOT NULL) AS caller_name,
    sum(calls)::BIGINT AS calls, sum(calls) / sum(sum(calls)) OVER () AS share, sum(answered)::BIGINT AS answered,
    sum(answered) / sum(calls) AS answered_rate, sum(talk_s)::BIGINT AS talk_s,
    min(first_at) AS first_at, max(last_at) AS last_at
FROM shown GROUP BY key ORDER BY sum(calls) DESC, caller LIMIT 100
"""


def _top_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_TOP_SQL).df()


def _keyed_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    seen = (
        tables["calls"]
        .filter(pl.col("direction") == "inbound", ~pl.col("is_forward"))
        .group_by("caller_name", number=pl.coalesce("caller_number", "caller"))
        .agg(
            calls=pl.len().cast(pl.Int64),
            answered=(pl.col("outcome") == "answered").sum(),
            talk_s=pl.col("talk_s").sum(),
            first_at=pl.col("local_at").min(),
            last_at=pl.col("local_at").max(),
        )
        .collect(engine="streaming")
    )
    plain = pl.col("number").str.replace_all(r"\D", "").str.strip_chars_start("0")
    is_number = pl.col("number").str.contains(f"^{_WRITTEN}$") & (plain != "")
    seen = seen.with_columns(digits=pl.when(is_number).then(plain))
    digits = seen.select("digits").drop_nulls().unique()
    parts = [
        digits.filter(pl.col("digits").str.len_bytes() > n).select(
            digits=pl.col("digits").str.slice(-n), whole="digits"
        )
        for n in range(9, digits["digits"].str.len_bytes().max())
    ]
    ends = pl.concat(parts).group_by("digits").agg(pl.col("whole").first(), n=pl.len()).filter(pl.col("n") == 1)
    keyed = seen.join(ends.drop("n"), on="digits", how="left")
    return keyed.with_columns(key=pl.coalesce("whole", "digits"))


def _top_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    keyed = _keyed_polars(tables).drop_nulls("key").with_columns(shown=pl.col("calls").sum().over("number"))
    keyed = keyed.sort("shown", "number", "calls", "caller_name", descending=[True, False, True, False])
    return (
        keyed.group_by("key", maintain_order=True)
        .agg(
            pl.col("number").first().alias("caller"),
            pl.col("caller_name").drop_nulls().first(),
            pl.col("calls", "answered", "talk_s").sum(),
            pl.col("first_at").min(),
            pl.col("last_at").max(),
        )
        .with_columns(share=pl.col("calls") / pl.col("calls").sum(), answered_rate=pl.col("answered") / pl.col("calls"))
        .sort("calls", "caller", descending=[True, False])
        .head(100)
        .drop("key")
    )


def _keyed_pandas(folder: Path) -> pd.DataFrame:
    columns = [*("direction", "caller", "caller_name", "caller_number", "outcome", "talk_s", "local_at", "is_forward")]
    calls = pd.read_parquet(folder / "calls", columns=columns)
    calls = calls[(calls["direction"] == "inbound") & ~calls["is_forward"]]
    calls = calls.assign(number=calls["caller_number"].fillna(calls["caller"]), answered=calls["outcome"] == "answered")
    seen = calls.groupby(["number", "caller_name"], dropna=False).agg(
        calls=("answered", "size"),
        answered=("answered", "sum"),
        talk_s=("talk_s", "sum"),
        first_at=("local_at", "min"),
        last_at=("local_at", "max"),
    )
    seen = seen.reset_index()
    digits = seen["number"].str.replace(r"\D", "", regex=True).str.lstrip("0")
    digits = digits.where(seen["number"].str.fullmatch(_WRITTEN).fillna(False) & (digits != ""))
    different = digits.dropna().drop_duplicates()
    parts = [
        pd.DataFrame({"digits": different.str[-n:], "whole": different})[different.str.len() > n]
        for n in range(9, int(different.str.len().max()))
    ]
    ends = pd.concat(parts).drop_duplicates("digits", keep=False).set_index("digits")["whole"]
    return seen.assign(key=digits.map(ends).fillna(digits))


def _top_pandas(folder: Path) -> pd.DataFrame:
    keyed = _keyed_pandas(folder).dropna(subset="key")
    keyed["shown"] = keyed.groupby("number")["calls"].transform("sum")
    keyed = keyed.sort_values(["shown", "number", "calls", "caller_name"], ascending=[False, True, False, True])
    callers = keyed.groupby("key").agg(
        caller=("number", "first"),
        caller_name=("caller_name", "first"),
        calls=("calls", "sum"),
        answered=("answered", "sum"),
        talk_s=("talk_s", "sum"),
        first_at=("first_at", "min"),
        last_at=("last_at", "max"),
    )
    callers["share"] = callers["calls"] / callers["calls"].sum()
    callers["answered_rate"] = callers["answered"] / callers["calls"]
    return callers.sort_values(["calls", "caller"], ascending=[False, True]).head(100)


_CONCENTRATION_SQL = f"""{_KEYED_SQL}, callers AS (
    SELECT sum(calls)::BIGINT AS calls FROM keyed WHERE key IS NOT NULL GROUP BY key
), ranked AS (
    SELECT calls, row_number() OVER (ORDER BY calls DESC) AS n,
        sum(calls) OVER (ORDER BY calls DESC ROWS UNBOUNDED PRECEDING)::BIGINT AS so_far FROM callers
), whole AS (
    SELECT count(*) AS number, sum(calls) AS total,
        -sum(calls / (SELECT sum(calls) FROM callers) * log2(calls / (SELECT sum(calls) FROM callers))) AS entropy
    FROM callers
), tenths AS (
    SELECT tenth, (tenth * number + 9) // 10 AS callers, number, total, entropy
    FROM (SELECT unnest(range(1, 11)) AS tenth) CROSS JOIN whole
)
SELECT tenth / 10 AS top_rate, callers, so_far AS calls, so_far / total AS share,
    (SELECT coalesce(sum(calls), 0)::BIGINT FROM keyed WHERE key IS NULL) AS withheld,
    entropy, CASE WHEN number > 1 THEN entropy / log2(number) END AS evenness
FROM tenths JOIN ranked ON n = callers ORDER BY tenth
"""


def _concentration_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_CONCENTRATION_SQL).df()


def _tenths(calls: np.ndarray, withheld: int) -> pd.DataFrame:
    tenths = np.arange(1, 11)
    callers = -(-tenths * len(calls) // 10)
    made = np.cumsum(np.sort(calls)[::-1])[callers - 1]
    part = calls / calls.sum()
    entropy = -(part * np.log2(part)).sum()
    found = {"top_rate": tenths / 10, "callers": callers, "calls": made, "share": made / calls.sum()}
    return pd.DataFrame(found).assign(withheld=withheld, entropy=entropy, evenness=entropy / np.log2(len(calls)))


def _concentration_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    keyed = _keyed_polars(tables)
    callers = keyed.drop_nulls("key").group_by("key").agg(pl.col("calls").sum())
    withheld = keyed.filter(pl.col("key").is_null())["calls"].sum()
    return pl.from_pandas(_tenths(callers["calls"].to_numpy(), withheld))


def _concentration_pandas(folder: Path) -> pd.DataFrame:
    keyed = _keyed_pandas(folder)
    withheld = int(keyed.loc[keyed["key"].isna(), "calls"].sum())
    return _tenths(keyed.groupby("key")["calls"].sum().to_numpy(), withheld)


_AREAS_SQL = rf"""{_KEYED_SQL}, plain AS (
    SELECT DISTINCT number, key, trim(number) AS shown, regexp_replace(number, '\D', '', 'g') AS plain
    FROM keyed WHERE key IS NOT NULL
), whole AS (
    SELECT number, shown, CASE WHEN shown LIKE '+%' THEN plain WHEN plain LIKE '00%' THEN substr(plain, 3)
        WHEN plain LIKE '011%' THEN substr(plain, 4)
        WHEN length(plain) = 10 AND plain NOT LIKE '0%' THEN '1' || plain
        WHEN plain NOT LIKE '0%' AND length(plain) >= 10 THEN plain END AS whole
    FROM plain
), placed AS (
    SELECT number, coalesce(c3.country, c2.country, c1.country,
            CASE WHEN shown LIKE '0%' THEN 'national' ELSE 'internal' END) AS area,
        left(whole, length(coalesce(c3.code, c2.code, c1.code)) + {_AREA_DIGITS}) AS prefix
    FROM whole LEFT JOIN codes c3 ON c3.code = left(whole, 3) LEFT JOIN codes c2 ON c2.code = left(whole, 2)
    LEFT JOIN codes c1 ON c1.code = left(whole, 1)
)
SELECT coalesce(area, 'withheld') AS area, prefix, sum(calls)::BIGINT AS calls,
    sum(calls) / sum(sum(calls)) OVER () AS share, count(DISTINCT key) AS callers, sum(answered)::BIGINT AS answered,
    sum(answered) / sum(calls) AS answered_rate, sum(talk_s)::BIGINT AS talk_s
FROM keyed LEFT JOIN placed USING (number) GROUP BY ALL
"""


def _areas_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    connection.register("codes", _CODES)
    return connection.sql(_AREAS_SQL).df()


def _areas_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    keyed = _keyed_polars(tables)
    shown, plain = pl.col("number").str.strip_chars(), pl.col("number").str.replace_all(r"\D", "")
    full = (
        pl.when(shown.str.starts_with("+"))
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
    keyed = keyed.with_columns(full=pl.when(pl.col("key").is_not_null()).then(full))
    codes = pl.from_pandas(_CODES)
    for n in (3, 2, 1):
        some = codes.rename({"code": f"code{n}", "country": f"country{n}"})
        keyed = keyed.with_columns(**{f"code{n}": pl.col("full").str.slice(0, n)})
        keyed = keyed.join(some, on=f"code{n}", how="left")
    code_length = pl.coalesce(*(pl.when(pl.col(f"country{n}").is_not_null()).then(n) for n in (3, 2, 1)))
    elsewhere = pl.when(shown.str.starts_with("0")).then(pl.lit("national")).otherwise(pl.lit("internal"))
    return (
        keyed.with_columns(
            area=pl.when(pl.col("key").is_null())
            .then(pl.lit("withheld"))
            .otherwise(pl.coalesce("country3", "country2", "country1", elsewhere)),
            prefix=pl.col("full").str.slice(0, code_length + _AREA_DIGITS),
        )
        .with_columns(prefix=pl.when(code_length.is_not_null()).then("prefix"))
        .group_by("area", "prefix")
        .agg(pl.col("calls", "answered", "talk_s").sum(), callers=pl.col("key").drop_nulls().n_unique())
        .with_columns(share=pl.col("calls") / pl.col("calls").sum(), answered_rate=pl.col("answered") / pl.col("calls"))
    )


def _areas_pandas(folder: Path) -> pd.DataFrame:
    keyed = _keyed_pandas(folder)
    shown = keyed["number"].str.strip().where(keyed["key"].notna())
    plain = shown.str.replace(r"\D", "", regex=True)
    begins = {begin: plain.str.startswith(begin).fillna(False) for begin in ("0", "00", "011")}
    ways = [
        (shown.str.startswith("+").fillna(False), plain),
        (begins["00"], plain.str[2:]),
        (begins["011"], plain.str[3:]),
        ((plain.str.len() == 10) & ~begins["0"], "1" + plain),
        (~begins["0"] & (plain.str.len() >= 10), plain),
    ]
    full = pd.Series(np.nan, index=keyed.index, dtype="str")
    for test, written in reversed(ways):
        full = full.mask(test, written)
    area = pd.Series(np.select([shown.isna(), begins["0"]], ["withheld", "national"], "internal"), index=keyed.index)
    prefix = pd.Series(np.nan, index=keyed.index, dtype="str")
    countries = _CODES.set_index("code")["country"]
    for n in (1, 2, 3):
        country = full.str[:n].map(countries)
        area = area.mask(country.notna(), country)
        prefix = prefix.mask(country.notna(), full.str[: n + _AREA_DIGITS])
    keyed = keyed.assign(area=area.astype("str"), prefix=prefix)
    grouped = keyed.groupby(["area", "prefix"], dropna=False)
    result = grouped[["calls", "answered", "talk_s"]].sum().join(grouped["key"].nunique().rename("callers"))
    result["share"] = result["calls"] / result["calls"].sum()
    result["answered_rate"] = result["answered"] / result["calls"]
    return result.reset_index()


WAYS = {
    "top_callers": ByHand(
        ours=lambda store: ucm.top_callers(store.scan("calls")),
        sql=_top_sql,
        polars=_top_polars,
        pandas=_top_pandas,
        keys=("caller",),
    ),
    "caller_concentration": ByHand(
        ours=lambda store: ucm.caller_concentration(store.scan("calls")),
        sql=_concentration_sql,
        polars=_concentration_polars,
        pandas=_concentration_pandas,
        keys=("top_rate",),
    ),
    "caller_areas": ByHand(
        ours=lambda store: ucm.caller_areas(store.scan("calls"), home="1", digits=_AREA_DIGITS),
        sql=_areas_sql,
        polars=_areas_polars,
        pandas=_areas_pandas,
        keys=("area", "prefix"),
    ),
}
