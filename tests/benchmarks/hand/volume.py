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

_VOLUME_SQL = """
WITH seen AS MATERIALIZED (
    SELECT date_trunc('hour', local_at) AS local_at, utc_offset_s, direction,
        count(*) AS calls, count(*) FILTER (outcome = 'answered') AS answered
    FROM calls WHERE NOT is_forward GROUP BY ALL
), clock AS (
    SELECT local_at - to_seconds(utc_offset_s) AS utc, utc_offset_s FROM seen
    QUALIFY utc_offset_s IS DISTINCT FROM lag(utc_offset_s) OVER (ORDER BY utc)
), span AS (
    SELECT min(local_at)::DATE AS first, max(local_at)::DATE + 1 AS stop,
        arg_min(utc_offset_s, local_at) AS first_offset, arg_max(utc_offset_s, local_at) AS last_offset FROM seen
), hours AS (
    SELECT unnest(range(first - to_seconds(first_offset), stop - to_seconds(last_offset), INTERVAL 1 HOUR)) AS utc,
        first_offset FROM span
), grid AS (
    SELECT hours.utc + to_seconds(coalesce(utc_offset_s, first_offset)) AS local_at,
        coalesce(utc_offset_s, first_offset) AS utc_offset_s
    FROM hours ASOF LEFT JOIN clock ON hours.utc >= clock.utc
)
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
        .with_columns(utc=pl.col("local_at") - pl.duration(seconds="utc_offset_s"))
        .sort("utc")
    )
    clock = seen.select("utc", "utc_offset_s").unique().sort("utc")
    offsets = clock["utc_offset_s"]
    first = seen["local_at"].min().replace(hour=0)
    last = seen["local_at"].max().replace(hour=23)
    hours = pl.DataFrame(
        {
            "utc": pl.datetime_range(
                first - pd.Timedelta(seconds=offsets[0]),
                last - pd.Timedelta(seconds=offsets[-1]),
                "1h",
                time_unit="us",
                eager=True,
            )
        }
    )
    grid = hours.set_sorted("utc").join_asof(clock, on="utc").with_columns(pl.col("utc_offset_s").fill_null(offsets[0]))
    grid = grid.with_columns(local_at=pl.col("utc") + pl.duration(seconds="utc_offset_s"))
    keys = ["local_at", "utc_offset_s", "direction"]
    return (
        grid.join(seen.select("direction").unique(), how="cross")
        .join(seen.drop("utc"), how="left", on=keys)
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
    seen["utc"] = seen["local_at"] - pd.to_timedelta(seen["utc_offset_s"], unit="s")
    clock = seen[["utc", "utc_offset_s"]].drop_duplicates().sort_values("utc")
    offsets = pd.to_timedelta(clock["utc_offset_s"], unit="s")
    first, last = seen["local_at"].min().floor("D"), seen["local_at"].max().floor("D") + pd.Timedelta(days=1)
    utc = pd.date_range(first - offsets.iloc[0], last - offsets.iloc[-1], freq="h", inclusive="left", unit="us")
    grid = pd.merge_asof(pd.DataFrame({"utc": utc}), clock, on="utc").bfill()
    grid["local_at"] = grid["utc"] + pd.to_timedelta(grid["utc_offset_s"], unit="s")
    grid = grid.merge(seen[["direction"]].drop_duplicates(), how="cross")
    volume = grid.merge(seen.drop(columns="utc"), how="left", on=keys).sort_values(keys)
    volume[["calls", "answered"]] = volume[["calls", "answered"]].fillna(0).astype("int64")
    return volume[[*keys, "calls", "answered"]].astype({"utc_offset_s": "int64"})


_WEEK_SQL = """
WITH seen AS (
    SELECT local_at::DATE AS day, hour(local_at) AS hour, count(*) AS calls
    FROM calls WHERE NOT is_forward GROUP BY ALL
), days AS (
    SELECT isodow(day) - 1 AS weekday, count(*) AS days
    FROM (SELECT unnest(range(min(day), max(day) + 1, INTERVAL 1 DAY)) AS day FROM seen) GROUP BY ALL
), summed AS (
    SELECT isodow(day) - 1 AS weekday, hour, sum(calls)::BIGINT AS calls FROM seen GROUP BY ALL
)
SELECT weekday, hour, coalesce(calls, 0) AS calls, coalesce(days, 0) AS days,
    coalesce(calls, 0) / nullif(coalesce(days, 0), 0) AS calls_per_day
FROM (SELECT unnest(range(7)) AS weekday) CROSS JOIN (SELECT unnest(range(24)) AS hour)
LEFT JOIN days USING (weekday) LEFT JOIN summed USING (weekday, hour) ORDER BY ALL
"""


def _week_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_WEEK_SQL).df()


def _week_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    seen = (
        tables["calls"]
        .filter(~pl.col("is_forward"))
        .group_by(pl.col("local_at").dt.truncate("1h"))
        .agg(calls=pl.len())
        .collect(engine="streaming")
    )
    at = pl.col("local_at").dt
    summed = seen.group_by(weekday=(at.weekday() - 1).cast(pl.Int64), hour=at.hour().cast(pl.Int64)).agg(
        pl.col("calls").sum()
    )
    dates = seen["local_at"].dt.date()
    every_day = pl.date_range(dates.min(), dates.max(), eager=True)
    days = (
        every_day.to_frame("day").group_by(weekday=(pl.col("day").dt.weekday() - 1).cast(pl.Int64)).agg(days=pl.len())
    )
    week = pl.DataFrame({"weekday": range(7)}).join(pl.DataFrame({"hour": range(24)}), how="cross")
    joined = week.join(days, on="weekday", how="left").join(summed, on=["weekday", "hour"], how="left")
    return joined.with_columns(pl.col("calls", "days").fill_null(0)).select(
        "weekday", "hour", "calls", "days", calls_per_day=pl.col("calls") / pl.col("days")
    )


def _week_pandas(folder: Path) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=["local_at", "is_forward"])
    at = calls.loc[~calls["is_forward"], "local_at"]
    week = pd.MultiIndex.from_product([range(7), range(24)], names=["weekday", "hour"])
    counted = at.groupby([at.dt.day_of_week.rename("weekday"), at.dt.hour.rename("hour")]).size()
    result = counted.reindex(week, fill_value=0).rename("calls").reset_index()
    days = pd.Series(pd.date_range(at.min().floor("D"), at.max().floor("D")))
    result["days"] = result["weekday"].map(days.dt.day_of_week.value_counts())
    result["calls_per_day"] = result["calls"] / result["days"]
    return result


_BUSY_SQL = """
WITH starts AS (
    SELECT local_at, local_at - to_seconds(utc_offset_s) AS utc, count(*) AS calls
    FROM calls WHERE NOT is_forward GROUP BY ALL
), added AS MATERIALIZED (
    SELECT *, sum(calls) OVER (ORDER BY utc) AS upto FROM starts
), windows AS (
    SELECT a.local_at, a.utc, a.calls, hour(a.local_at) AS hour, b.upto - a.upto + a.calls AS ahead
    FROM added a ASOF JOIN (SELECT utc, upto FROM added) b ON a.utc + INTERVAL 3599 SECONDS >= b.utc
), span AS (
    SELECT max(local_at)::DATE - min(local_at)::DATE + 1 AS days FROM added
), hours AS (
    SELECT hour, sum(calls)::BIGINT AS calls, max(ahead)::BIGINT AS peak_calls,
        arg_max(struct_pack(local_at, utc), (ahead, -epoch(utc))) AS peak
    FROM windows GROUP BY hour
), filled AS (
    SELECT h.hour, coalesce(calls, 0) AS calls, days, coalesce(peak_calls, 0) AS peak_calls, peak
    FROM (SELECT unnest(range(24)) AS hour) h LEFT JOIN hours USING (hour) CROSS JOIN span
)
SELECT hour, calls, days, calls / days AS calls_per_day, peak_calls, peak.local_at AS peak_at,
    row_number() OVER (ORDER BY calls DESC, hour) = 1 AS is_busy_hour,
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
    days = (starts["local_at"].dt.date().max() - starts["local_at"].dt.date().min()).days + 1
    result = pl.DataFrame({"hour": range(24)}).join(hours, on="hour", how="left")
    result = result.with_columns(pl.col("calls", "peak_calls").fill_null(0))
    peak = result.filter(pl.col("peak_calls") == pl.col("peak_calls").max()).sort("peak_utc")["hour"][0]
    return result.select(
        "hour",
        "calls",
        days=pl.lit(days),
        calls_per_day=pl.col("calls") / days,
        peak_calls="peak_calls",
        peak_at="peak_at",
        is_busy_hour=pl.col("hour") == pl.col("calls").arg_max(),
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
    result["days"] = (calls["local_at"].max().floor("D") - calls["local_at"].min().floor("D")).days + 1
    result["calls_per_day"] = result["calls"] / result["days"]
    result["peak_calls"] = best["ahead"].fillna(0).astype("int64")
    result["peak_at"] = best["local_at"]
    result["is_busy_hour"] = result.index == result["calls"].idxmax()
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
