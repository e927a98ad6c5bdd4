"""call_volume, hour_of_week and busy_hour by hand.

The clock's offset in an hour without calls is that of the last call before it (`call_volume` knows a little
more of it: see there).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

CLOCK_SQL = """
clock AS (
    SELECT local_at - to_seconds(utc_offset_s) AS utc, utc_offset_s FROM seen
    QUALIFY utc_offset_s IS DISTINCT FROM lag(utc_offset_s) OVER (ORDER BY utc)
), span AS (
    SELECT min(local_at)::DATE AS first, max(local_at)::DATE + 1 AS stop,
        arg_min(utc_offset_s, local_at) AS first_offset, arg_max(utc_offset_s, local_at) AS last_offset FROM seen
), ticks AS (
    SELECT unnest(range(first - to_seconds(first_offset), stop - to_seconds(last_offset), INTERVAL {minutes} MINUTES))
        AS utc, first_offset FROM span
), grid AS (
    SELECT ticks.utc + to_seconds(coalesce(utc_offset_s, first_offset)) AS local_at,
        coalesce(utc_offset_s, first_offset) AS utc_offset_s
    FROM ticks ASOF LEFT JOIN clock ON ticks.utc >= clock.utc
)
"""
"""Intervals that the clock went through, from what is counted of them in `seen`."""


def clock_polars(seen: pl.DataFrame, every: str) -> pl.DataFrame:
    """The same intervals: ``local_at``, ``utc_offset_s``."""
    seen = seen.with_columns(utc=pl.col("local_at") - pl.duration(seconds="utc_offset_s"))
    clock = seen.select("utc", "utc_offset_s").unique().sort("utc")
    offsets = clock["utc_offset_s"]
    first = seen["local_at"].min().replace(hour=0, minute=0) - pd.Timedelta(seconds=offsets[0])
    last = seen["local_at"].max().replace(hour=23, minute=59) - pd.Timedelta(seconds=offsets[-1])
    ticks = pl.DataFrame({"utc": pl.datetime_range(first, last, every, time_unit="us", eager=True)})
    grid = ticks.set_sorted("utc").join_asof(clock, on="utc").with_columns(pl.col("utc_offset_s").fill_null(offsets[0]))
    return grid.select(pl.col("utc") + pl.duration(seconds="utc_offset_s"), "utc_offset_s").rename({"utc": "local_at"})


def clock_pandas(seen: pd.DataFrame, freq: str) -> pd.DataFrame:
    """The same intervals: ``local_at``, ``utc_offset_s``."""
    clock = seen[["local_at", "utc_offset_s"]].drop_duplicates()
    clock["utc"] = clock["local_at"] - pd.to_timedelta(clock["utc_offset_s"], unit="s")
    clock = clock[["utc", "utc_offset_s"]].sort_values("utc")
    offsets = pd.to_timedelta(clock["utc_offset_s"], unit="s")
    first, last = seen["local_at"].min().floor("D"), seen["local_at"].max().floor("D") + pd.Timedelta(days=1)
    utc = pd.date_range(first - offsets.iloc[0], last - offsets.iloc[-1], freq=freq, inclusive="left", unit="us")
    grid = pd.merge_asof(pd.DataFrame({"utc": utc}), clock, on="utc").bfill()
    grid["local_at"] = grid["utc"] + pd.to_timedelta(grid["utc_offset_s"], unit="s")
    return grid[["local_at", "utc_offset_s"]]


_VOLUME_SQL = f"""
WITH seen AS MATERIALIZED (
    SELECT date_trunc('hour', local_at) AS local_at, utc_offset_s, direction,
        count(*) AS calls, count(*) FILTER (outcome = 'answered') AS answered
    FROM calls WHERE NOT is_forward GROUP BY ALL
), {CLOCK_SQL.format(minutes=60)}
SELECT local_at, utc_offset_s, direction, coalesce(calls, 0) AS calls, coalesce(answered, 0) AS answered
FROM grid CROSS JOIN (SELECT DISTINCT direction FROM seen) LEFT JOIN seen USING (local_at, utc_offset_s, direction)
ORDER BY local_at, utc_offset_s DESC, direction
"""


def _volume_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_VOLUME_SQL).df()


def _volume_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    seen = (
        tables["calls"]
        .filter(~pl.col("is_forward"))
        .group_by(pl.col("local_at").dt.truncate("1h"), "utc_offset_s", "direction")
        .agg(calls=pl.len(), answered=(pl.col("outcome") == "answered").sum())
        .collect(engine="streaming")
    )
    keys = ["local_at", "utc_offset_s", "direction"]
    return (
        clock_polars(seen, "1h")
        .join(seen.select("direction").unique(), how="cross")
        .join(seen, how="left", on=keys)
        .select(*keys, pl.col("calls", "answered").fill_null(0))
        .sort(keys)
    )


def _volume_pandas(folder: Path) -> pd.DataFrame:
    columns = ["local_at", "utc_offset_s", "direction", "outcome", "is_forward"]
    calls = pd.read_parquet(folder / "calls", columns=columns)
    calls = calls[~calls["is_forward"]]
    hours = calls["local_at"].dt.floor("h")
    answered = calls["outcome"] == "answered"
    keys = ["local_at", "utc_offset_s", "direction"]
    seen = answered.groupby([hours, calls["utc_offset_s"], calls["direction"]], observed=True).agg(["size", "sum"])
    seen = seen.set_axis(["calls", "answered"], axis=1).reset_index()
    grid = clock_pandas(seen, "h").merge(seen[["direction"]].drop_duplicates(), how="cross")
    volume = grid.merge(seen, how="left", on=keys).sort_values(keys)
    volume[["calls", "answered"]] = volume[["calls", "answered"]].fillna(0).astype("int64")
    return volume[[*keys, "calls", "answered"]].astype({"utc_offset_s": "int64"})


_HOURS_SQL = f"""
seen AS (
    SELECT date_trunc('hour', local_at) AS local_at, utc_offset_s, count(*) AS calls
    FROM calls WHERE NOT is_forward GROUP BY ALL
), {CLOCK_SQL.format(minutes=60)}, every AS (
    SELECT isodow(local_at) - 1 AS weekday, hour(local_at) AS hour, coalesce(calls, 0) AS calls
    FROM grid LEFT JOIN seen USING (local_at, utc_offset_s)
)
"""
_WEEK_SQL = f"""
WITH {_HOURS_SQL}
SELECT weekday, hour, coalesce(sum(calls), 0)::BIGINT AS calls, count(calls) AS days, sum(calls) / count(calls)
    AS calls_per_day
FROM (SELECT unnest(range(7)) AS weekday) CROSS JOIN (SELECT unnest(range(24)) AS hour)
LEFT JOIN every USING (weekday, hour) GROUP BY ALL ORDER BY ALL
"""


def _week_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_WEEK_SQL).df()


def _hours_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    """Calls of each hour that the clock went through."""
    seen = (
        tables["calls"]
        .filter(~pl.col("is_forward"))
        .group_by(pl.col("local_at").dt.truncate("1h"), "utc_offset_s")
        .agg(calls=pl.len().cast(pl.Int64))
        .collect(engine="streaming")
    )
    every = clock_polars(seen, "1h").join(seen, on=["local_at", "utc_offset_s"], how="left")
    at = pl.col("local_at").dt
    return every.select(
        weekday=(at.weekday() - 1).cast(pl.Int64), hour=at.hour().cast(pl.Int64), calls=pl.col("calls").fill_null(0)
    )


def _week_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    means = _hours_polars(tables).group_by("weekday", "hour").agg(pl.col("calls").sum(), days=pl.len().cast(pl.Int64))
    week = pl.DataFrame({"weekday": range(7)}).join(pl.DataFrame({"hour": range(24)}), how="cross")
    joined = week.join(means, on=["weekday", "hour"], how="left").with_columns(pl.col("calls", "days").fill_null(0))
    return joined.with_columns(calls_per_day=pl.when(pl.col("days") > 0).then(pl.col("calls") / pl.col("days")))


def _hours_pandas(calls: pd.DataFrame) -> pd.Series:
    """Calls of each hour that the clock went through, by time."""
    seen = calls.groupby([calls["local_at"].dt.floor("h"), calls["utc_offset_s"]]).size().rename("calls")
    every = clock_pandas(seen.reset_index(), "h").merge(seen.reset_index(), how="left", on=["local_at", "utc_offset_s"])
    return every.set_index("local_at")["calls"].fillna(0).astype("int64")


def _week_pandas(folder: Path) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=["local_at", "utc_offset_s", "is_forward"])
    every = _hours_pandas(calls[~calls["is_forward"]])
    week = pd.MultiIndex.from_product([range(7), range(24)], names=["weekday", "hour"])
    result = every.groupby([every.index.day_of_week, every.index.hour]).agg(["sum", "size"]).reindex(week, fill_value=0)
    result = result.set_axis(["calls", "days"], axis=1).reset_index()
    result["calls_per_day"] = result["calls"] / result["days"].where(result["days"] > 0)
    return result


_BUSY_SQL = f"""
WITH {_HOURS_SQL}, starts AS (
    SELECT local_at, local_at - to_seconds(utc_offset_s) AS utc, count(*) AS calls
    FROM calls WHERE NOT is_forward GROUP BY ALL
), added AS MATERIALIZED (
    SELECT *, sum(calls) OVER (ORDER BY utc) AS upto FROM starts
), windows AS (
    SELECT a.local_at, a.utc, a.calls, hour(a.local_at) AS hour, b.upto - a.upto + a.calls AS ahead
    FROM added a ASOF JOIN (SELECT utc, upto FROM added) b ON a.utc + INTERVAL 3599 SECONDS >= b.utc
), times AS (
    SELECT hour, count(*) AS days FROM every GROUP BY hour
), hours AS (
    SELECT hour, sum(calls)::BIGINT AS calls, max(ahead)::BIGINT AS peak_calls,
        arg_max(struct_pack(local_at, utc), (ahead, -epoch(utc))) AS peak
    FROM windows GROUP BY hour
), filled AS (
    SELECT h.hour, coalesce(calls, 0) AS calls, days, coalesce(peak_calls, 0) AS peak_calls, peak
    FROM (SELECT unnest(range(24)) AS hour) h LEFT JOIN hours USING (hour) JOIN times USING (hour)
)
SELECT hour, calls, days, calls / days AS calls_per_day, peak_calls, peak.local_at AS peak_at,
    row_number() OVER (ORDER BY calls / days DESC, hour) = 1 AS is_busy_hour,
    row_number() OVER (ORDER BY peak_calls DESC, peak.utc) = 1 AS is_peak
FROM filled ORDER BY hour
"""


def _busy_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_BUSY_SQL).df()


def _busy_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    starts = (
        tables["calls"]
        .filter(~pl.col("is_forward"))
        .group_by("local_at", utc=pl.col("local_at") - pl.duration(seconds="utc_offset_s"))
        .agg(calls=pl.len())
        .sort("utc")
        .collect(engine="streaming")
    )
    ahead = starts.rolling("utc", period="60m", offset="0s", closed="left").agg(ahead=pl.col("calls").sum())
    windows = starts.with_columns(ahead["ahead"], hour=pl.col("local_at").dt.hour().cast(pl.Int64))
    first_best = pl.col("ahead").arg_max()
    hours = windows.group_by("hour", maintain_order=True).agg(
        pl.col("calls").sum(),
        peak_calls=pl.col("ahead").max(),
        peak_at=pl.col("local_at").get(first_best),
        peak_utc=pl.col("utc").get(first_best),
    )
    days = _hours_polars(tables).group_by("hour").agg(days=pl.len().cast(pl.Int64)).sort("hour")
    result = days.join(hours, on="hour", how="left", maintain_order="left")
    result = result.with_columns(pl.col("calls", "peak_calls").fill_null(0))
    peak = result.filter(pl.col("peak_calls") == pl.col("peak_calls").max()).sort("peak_utc")["hour"][0]
    return result.select(
        "hour",
        "calls",
        days="days",
        calls_per_day=pl.col("calls") / pl.col("days"),
        peak_calls="peak_calls",
        peak_at="peak_at",
        is_busy_hour=pl.col("hour") == (pl.col("calls") / pl.col("days")).arg_max(),
        is_peak=pl.col("hour") == peak,
    )


def _busy_pandas(folder: Path) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=["local_at", "utc_offset_s", "is_forward"])
    calls = calls[~calls["is_forward"]]
    utc = (calls["local_at"] - pd.to_timedelta(calls["utc_offset_s"], unit="s")).rename("utc")
    calls = calls.assign(utc=utc).sort_values("utc", ignore_index=True)
    at = calls["utc"].to_numpy()
    calls["ahead"] = np.searchsorted(at, at + np.timedelta64(1, "h")) - np.searchsorted(at, at)
    calls["hour"] = calls["local_at"].dt.hour
    best = calls.loc[calls.groupby("hour")["ahead"].idxmax()].set_index("hour").reindex(range(24))
    result = pd.DataFrame({"calls": calls.groupby("hour").size().reindex(range(24), fill_value=0)})
    every = _hours_pandas(calls)
    result["days"] = every.groupby(every.index.hour).size()
    result["calls_per_day"] = result["calls"] / result["days"]
    result["peak_calls"] = best["ahead"].fillna(0).astype("int64")
    result["peak_at"] = best["local_at"]
    result["is_busy_hour"] = result.index == result["calls_per_day"].idxmax()
    result["is_peak"] = result.index == calls["hour"].iloc[calls["ahead"].argmax()]
    return result.rename_axis("hour").reset_index()


WAYS = {
    "call_volume": ByHand(
        ours=lambda store: ucm.call_volume(store.scan("calls"), freq="1h", by="direction"),
        sql=_volume_sql,
        polars=_volume_polars,
        pandas=_volume_pandas,
        keys=("local_at", "utc_offset_s", "direction"),
    ),
    "hour_of_week": ByHand(
        ours=lambda store: ucm.hour_of_week(store.scan("calls")),
        sql=_week_sql,
        polars=_week_polars,
        pandas=_week_pandas,
        keys=("weekday", "hour"),
    ),
    "busy_hour": ByHand(
        ours=lambda store: ucm.busy_hour(store.scan("calls")),
        sql=_busy_sql,
        polars=_busy_polars,
        pandas=_busy_pandas,
        keys=("hour",),
    ),
}
