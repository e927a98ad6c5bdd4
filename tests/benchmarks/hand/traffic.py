"""concurrent_calls and trunk_usage by hand: one sweep over all starts and ends of calls.

The lines that Erlang's formulas ask for, and the interval of the traffic, are left out of trunk_usage.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

_LINE = ["pbx", "trunk"]
_DAY_TYPES = ("Monday to Friday", "Saturday", "Sunday")

_CONCURRENT_SQL = """
WITH held AS (
    SELECT pbx, trunk, local_at, utc_offset_s, local_at - to_seconds(utc_offset_s) AS utc,
        to_seconds(greatest(duration_s, 0)) AS hold
    FROM calls WHERE trunk IS NOT NULL AND NOT (is_forward AND coalesce(entry, '') LIKE 'park:%')
), clock AS (
    SELECT DISTINCT pbx, date_trunc('hour', local_at) AS local_at, utc_offset_s FROM held
), span AS (
    SELECT pbx, min(local_at)::DATE AS first, max(local_at)::DATE AS last,
        arg_min(utc_offset_s, local_at) AS first_offset
    FROM clock GROUP BY pbx
), midnights AS (
    SELECT pbx, unnest(range(first, last + 2, INTERVAL 1 DAY)) AS day, first_offset FROM span
), days AS (
    SELECT m.pbx, m.day, coalesce(utc_offset_s, first_offset) AS utc_offset_s,
        m.day - to_seconds(coalesce(utc_offset_s, first_offset)) AS utc
    FROM midnights m ASOF LEFT JOIN clock c ON m.pbx = c.pbx AND m.day >= c.local_at
), grid AS (
    SELECT pbx, trunk, day, utc, utc_offset_s, lead(utc) OVER (PARTITION BY pbx, trunk ORDER BY day) AS until
    FROM days JOIN (SELECT DISTINCT pbx, trunk FROM held) USING (pbx)
), events AS (
    SELECT pbx, trunk, utc, min(local_at) AS local_at, sum(delta) AS delta FROM (
        SELECT pbx, trunk, utc, local_at, 1 AS delta FROM held
        UNION ALL SELECT pbx, trunk, utc + hold, local_at + hold, -1 FROM held
        UNION ALL SELECT pbx, trunk, utc, day, 0 FROM grid
    ) GROUP BY pbx, trunk, utc
), levels AS (
    SELECT *, sum(delta) OVER sweep AS level, lead(utc) OVER sweep AS next
    FROM events WINDOW sweep AS (PARTITION BY pbx, trunk ORDER BY utc)
), peaks AS (
    SELECT pbx, trunk, local_at::DATE AS day, max(level)::BIGINT AS peak,
        arg_max(local_at, (level, -epoch(utc))) AS peak_at, sum(level * epoch(next - utc))::BIGINT AS busy_s
    FROM levels GROUP BY ALL
), counts AS (
    SELECT pbx, trunk, local_at::DATE AS day, count(*) AS calls FROM held GROUP BY ALL
)
SELECT pbx, trunk, day AS local_at, coalesce(calls, 0) AS calls, peak, CASE WHEN peak > 0 THEN peak_at END AS peak_at,
    busy_s, busy_s / epoch(until - utc) AS traffic
FROM grid JOIN peaks USING (pbx, trunk, day) LEFT JOIN counts USING (pbx, trunk, day)
WHERE until IS NOT NULL ORDER BY pbx, trunk, day
"""


def _concurrent_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_CONCURRENT_SQL).df()


def _held_polars(tables: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    return (
        tables["calls"]
        .filter(
            pl.col("trunk").is_not_null(),
            ~(pl.col("is_forward") & pl.col("entry").cast(pl.String).str.starts_with("park:").fill_null(False)),
        )
        .select(*_LINE, "local_at", "outcome", "utc_offset_s", hold=pl.duration(seconds=pl.col("duration_s").clip(0)))
        .with_columns(utc=pl.col("local_at") - pl.duration(seconds="utc_offset_s"))
    )


def _sweep_polars(held: pl.LazyFrame, ticks: list[pl.LazyFrame]) -> pl.LazyFrame:
    """How many calls at the same time, from each event to the next."""
    starts = held.select(*_LINE, "utc", "local_at", delta=pl.lit(1, pl.Int64))
    ends = held.select(
        *_LINE, pl.col("utc") + pl.col("hold"), pl.col("local_at") + pl.col("hold"), delta=pl.lit(-1, pl.Int64)
    )
    events = pl.concat([starts, ends, *ticks]).group_by(*_LINE, "utc")
    levels = events.agg(pl.col("local_at").min(), pl.col("delta").sum()).sort(*_LINE, "utc")
    return levels.with_columns(level=pl.col("delta").cum_sum().over(_LINE), next=pl.col("utc").shift(-1).over(_LINE))


def _concurrent_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    held = _held_polars(tables)
    seen = held.group_by(*_LINE, pl.col("local_at").dt.truncate("1h"), "utc_offset_s").agg(calls=pl.len())
    seen = seen.sort("local_at").collect(engine="streaming")
    first, last = seen["local_at"].min().replace(hour=0), seen["local_at"].max().replace(hour=0)
    midnights = pl.DataFrame({"day": pl.datetime_range(first, last + pd.Timedelta(days=1), "1d", eager=True)})
    clock = seen.select("pbx", "local_at", "utc_offset_s").unique().sort("local_at")
    days = (
        clock.select("pbx")
        .unique()
        .join(midnights, how="cross")
        .sort("day")
        .join_asof(clock, left_on="day", right_on="local_at", by="pbx", check_sortedness=False)
        .with_columns(pl.col("utc_offset_s").fill_null(clock["utc_offset_s"][0]))
        .with_columns(utc=pl.col("day") - pl.duration(seconds="utc_offset_s"))
        .with_columns(length_s=(pl.col("utc").shift(-1).over("pbx") - pl.col("utc")).dt.total_seconds())
    )
    grid = days.join(seen.select(_LINE).unique(), on="pbx")
    ticks = grid.lazy().select(*_LINE, "utc", local_at="day", delta=pl.lit(0, pl.Int64))
    peaks = (
        _sweep_polars(held, [ticks])
        .group_by(*_LINE, day=pl.col("local_at").dt.truncate("1d"))
        .agg(
            peak=pl.col("level").max(),
            peak_at=pl.col("local_at").sort_by("utc").get(pl.col("level").sort_by("utc").arg_max()),
            busy_s=(pl.col("level") * (pl.col("next") - pl.col("utc")).dt.total_seconds()).sum(),
        )
        .collect()
    )
    calls = seen.group_by(*_LINE, day=pl.col("local_at").dt.truncate("1d")).agg(pl.col("calls").sum())
    keys = [*_LINE, "day"]
    return (
        grid.filter(pl.col("length_s").is_not_null())
        .join(peaks, on=keys)
        .join(calls, on=keys, how="left")
        .select(
            *_LINE,
            pl.col("calls").fill_null(0),
            "peak",
            "busy_s",
            local_at="day",
            peak_at=pl.when(pl.col("peak") > 0).then("peak_at"),
            traffic=pl.col("busy_s") / pl.col("length_s"),
        )
    )


def _held_pandas(folder: Path) -> pd.DataFrame:
    columns = [*_LINE, "local_at", "utc_offset_s", "duration_s", "outcome", "entry", "is_forward"]
    calls = pd.read_parquet(folder / "calls", columns=columns)
    parked = calls["is_forward"] & calls["entry"].astype("str").str.startswith("park:").fillna(False)
    calls = calls[calls["trunk"].notna() & ~parked].drop(columns=["entry", "is_forward"])
    hold = pd.to_timedelta(calls["duration_s"].clip(lower=0), unit="s")
    return calls.assign(hold=hold, utc=calls["local_at"] - pd.to_timedelta(calls["utc_offset_s"], unit="s"))


def _sweep_pandas(held: pd.DataFrame, ticks: list[pd.DataFrame]) -> pd.DataFrame:
    starts = held[[*_LINE, "utc", "local_at"]].assign(delta=1)
    ends = starts.assign(utc=held["utc"] + held["hold"], local_at=held["local_at"] + held["hold"], delta=-1)
    events = pd.concat([starts, ends, *ticks])
    levels = events.groupby([*_LINE, "utc"], observed=True).agg(local_at=("local_at", "min"), delta=("delta", "sum"))
    levels = levels.reset_index()
    lines = levels.groupby(_LINE, observed=True)
    return levels.assign(level=lines["delta"].cumsum(), next=lines["utc"].shift(-1))


def _concurrent_pandas(folder: Path) -> pd.DataFrame:
    held = _held_pandas(folder)
    held["day"] = held["local_at"].dt.floor("D")
    counts = held.groupby([*_LINE, "day"], observed=True).size().rename("calls").reset_index()
    clock = held[["pbx", "local_at", "utc_offset_s"]].assign(local_at=held["local_at"].dt.floor("h"))
    clock = clock.drop_duplicates().sort_values("local_at")
    midnights = pd.date_range(held["day"].min(), held["day"].max() + pd.Timedelta(days=1), unit="us")
    days = pd.DataFrame({"pbx": held["pbx"].unique()}).merge(pd.DataFrame({"day": midnights}), how="cross")
    days = pd.merge_asof(days.sort_values("day"), clock, left_on="day", right_on="local_at", by="pbx").bfill()
    days["utc"] = days["day"] - pd.to_timedelta(days["utc_offset_s"], unit="s")
    days["length_s"] = (days.groupby("pbx", observed=True)["utc"].shift(-1) - days["utc"]).dt.total_seconds()
    grid = days[["pbx", "day", "utc", "length_s"]].merge(held[_LINE].drop_duplicates(), on="pbx")
    ticks = grid[[*_LINE, "utc"]].assign(local_at=grid["day"], delta=0)
    levels = _sweep_pandas(held, [ticks])
    levels["busy_s"] = levels["level"] * (levels["next"] - levels["utc"]).dt.total_seconds()
    levels["day"] = levels["local_at"].dt.floor("D")
    keys = [*_LINE, "day"]
    by_day = levels.groupby(keys, observed=True)
    peaks = levels.loc[by_day["level"].idxmax(), [*keys, "level", "local_at"]].set_axis(
        [*keys, "peak", "peak_at"], axis=1
    )
    peaks = peaks.merge(by_day["busy_s"].sum().reset_index(), on=keys)
    result = grid[grid["length_s"].notna()].merge(peaks, on=keys).merge(counts, how="left", on=keys)
    result["calls"] = result["calls"].fillna(0).astype("int64")
    result["peak_at"] = result["peak_at"].where(result["peak"] > 0)
    result["traffic"] = result["busy_s"] / result["length_s"]
    return result.rename(columns={"day": "local_at"})[
        [*_LINE, "local_at", "calls", "peak", "peak_at", "busy_s", "traffic"]
    ].astype({"busy_s": "int64"})


_USAGE_SQL = """
WITH held AS (
    SELECT pbx, trunk, local_at, local_at - to_seconds(utc_offset_s) AS utc, outcome, greatest(duration_s, 0) AS hold_s
    FROM calls WHERE trunk IS NOT NULL AND NOT (is_forward AND coalesce(entry, '') LIKE 'park:%')
), totals AS (
    SELECT pbx, trunk, count(*) AS calls, count(*) FILTER (outcome = 'answered') AS answered,
        sum(hold_s)::BIGINT AS busy_s, avg(hold_s) AS mean_hold_s
    FROM held GROUP BY ALL
), hourly AS (
    SELECT pbx, trunk, local_at::DATE AS day, hour(local_at) AS hour, count(*) AS calls, sum(hold_s)::BIGINT AS busy_s,
        CASE isodow(local_at) WHEN 6 THEN 'Saturday' WHEN 7 THEN 'Sunday' ELSE 'Monday to Friday' END AS day_type
    FROM held GROUP BY ALL
), days AS (
    SELECT pbx, trunk, day_type, count(DISTINCT day) AS days FROM hourly GROUP BY ALL
), busiest AS (
    SELECT pbx, trunk, day_type, hour AS busy_hour, sum(calls) AS bh_calls, sum(busy_s) AS bh_busy_s
    FROM hourly GROUP BY pbx, trunk, day_type, hour
    QUALIFY row_number() OVER (PARTITION BY pbx, trunk ORDER BY bh_busy_s DESC, bh_calls DESC, hour) = 1
), events AS (
    SELECT pbx, trunk, utc, min(local_at) AS local_at, sum(delta) AS delta FROM (
        SELECT pbx, trunk, utc, local_at, 1 AS delta FROM held
        UNION ALL SELECT pbx, trunk, utc + to_seconds(hold_s), local_at + to_seconds(hold_s), -1 FROM held
    ) GROUP BY pbx, trunk, utc
), levels AS (
    SELECT *, sum(delta) OVER (PARTITION BY pbx, trunk ORDER BY utc) AS level FROM events
), peaks AS (
    SELECT pbx, trunk, max(level)::BIGINT AS peak, arg_max(local_at, (level, -epoch(utc))) AS peak_at
    FROM levels GROUP BY ALL
)
SELECT pbx, trunk, calls, answered, busy_s, mean_hold_s, peak, peak_at, day_type, busy_hour, days,
    bh_calls / days AS bhca, bh_busy_s / days / 3600 AS traffic
FROM totals JOIN peaks USING (pbx, trunk) JOIN busiest USING (pbx, trunk) JOIN days USING (pbx, trunk, day_type)
"""


def _usage_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_USAGE_SQL).df()


def _usage_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    held = _held_polars(tables)
    at = pl.col("local_at").dt
    hourly = (
        held.group_by(*_LINE, day=at.date(), busy_hour=at.hour())
        .agg(
            calls=pl.len(),
            answered=(pl.col("outcome") == "answered").sum(),
            busy_s=pl.col("hold").dt.total_seconds().sum(),
        )
        .with_columns(
            day_type=pl.col("day").dt.weekday().replace_strict({6: "Saturday", 7: "Sunday"}, default=_DAY_TYPES[0])
        )
        .collect(engine="streaming")
    )
    totals = hourly.group_by(_LINE).agg(pl.col("calls", "answered", "busy_s").sum())
    days = hourly.group_by(*_LINE, "day_type").agg(days=pl.col("day").n_unique())
    busiest = (
        hourly.group_by(*_LINE, "day_type", "busy_hour")
        .agg(bh_calls=pl.col("calls").sum(), bh_busy_s=pl.col("busy_s").sum())
        .sort("bh_busy_s", "bh_calls", "busy_hour", descending=[True, True, False])
        .unique(_LINE, keep="first", maintain_order=True)
        .join(days, on=[*_LINE, "day_type"])
    )
    peaks = (
        _sweep_polars(held, [])
        .group_by(_LINE)
        .agg(
            peak=pl.col("level").max(),
            peak_at=pl.col("local_at").sort_by("utc").get(pl.col("level").sort_by("utc").arg_max()),
        )
        .collect()
    )
    return (
        totals.join(peaks, on=_LINE)
        .join(busiest, on=_LINE)
        .select(
            *_LINE,
            "calls",
            "answered",
            "busy_s",
            "peak",
            "peak_at",
            "day_type",
            "busy_hour",
            "days",
            mean_hold_s=pl.col("busy_s") / pl.col("calls"),
            bhca=pl.col("bh_calls") / pl.col("days"),
            traffic=pl.col("bh_busy_s") / pl.col("days") / 3600,
        )
    )


def _usage_pandas(folder: Path) -> pd.DataFrame:
    held = _held_pandas(folder)
    held["hold_s"] = held["hold"].dt.total_seconds()
    held["is_answered"] = held["outcome"] == "answered"
    held["day"], held["busy_hour"] = held["local_at"].dt.floor("D"), held["local_at"].dt.hour
    weekday = held["local_at"].dt.day_of_week
    held["day_type"] = np.select([weekday < 5, weekday == 5], _DAY_TYPES[:2], _DAY_TYPES[2])
    result = held.groupby(_LINE, observed=True).agg(
        calls=("hold_s", "size"),
        answered=("is_answered", "sum"),
        busy_s=("hold_s", "sum"),
        mean_hold_s=("hold_s", "mean"),
    )
    days = held.groupby([*_LINE, "day_type"], observed=True)["day"].nunique().rename("days").reset_index()
    busiest = held.groupby([*_LINE, "day_type", "busy_hour"], observed=True)["hold_s"].agg(["size", "sum"])
    busiest = busiest.reset_index().sort_values(["sum", "size", "busy_hour"], ascending=[False, False, True])
    busiest = busiest.drop_duplicates(_LINE).merge(days, on=[*_LINE, "day_type"])
    levels = _sweep_pandas(held, [])
    peaks = levels.loc[levels.groupby(_LINE, observed=True)["level"].idxmax(), [*_LINE, "level", "local_at"]]
    peaks = peaks.set_axis([*_LINE, "peak", "peak_at"], axis=1)
    result = result.reset_index().merge(peaks, on=_LINE).merge(busiest, on=_LINE).astype({"busy_s": "int64"})
    result["bhca"] = result.pop("size") / result["days"]
    result["traffic"] = result.pop("sum") / result["days"] / 3600
    return result


WAYS = {
    "concurrent_calls": ByHand(
        ours=lambda store: ucm.concurrent_calls(store.scan("calls"), by="trunk"),
        sql=_concurrent_sql,
        polars=_concurrent_polars,
        pandas=_concurrent_pandas,
        keys=("pbx", "trunk", "local_at"),
    ),
    "trunk_usage": ByHand(
        ours=lambda store: ucm.trunk_usage(store.scan("calls")),
        sql=_usage_sql,
        polars=_usage_polars,
        pandas=_usage_pandas,
        keys=("pbx", "trunk"),
    ),
}
