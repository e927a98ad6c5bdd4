"""missed_calls, time_to_callback and repeat_callers by hand.

A caller is the last ten digits of the number, which is right for the numbers of one country; ours finds out
which writings are one number. Intervals are left out: they are NumPy on the table that is there.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand

_WINDOW = pd.Timedelta(hours=168)
_COLUMNS = ["pbx", "call_id", "local_at", "utc_offset_s", "direction", "caller", "callee", "outcome", "is_forward"]
_COLUMNS += ["caller_number", "callee_number", "caller_name", "path", "wait_s"]
_WRITTEN = "^[+0-9 ()./-]+$"
_ORDER = ["key", "utc", "way", "call_id"]
_TURN = ["key", "turn"]
_ENDS = (1, 3)

_KEY_SQL = r"""CASE WHEN regexp_matches({0}, '^[+0-9 ()./-]+$')
    THEN nullif(right(ltrim(regexp_replace({0}, '[^0-9]', '', 'g'), '0'), 10), '') END"""

# Ways: 0 missed, 1 reached, 2 tried, 3 returned. Tries of a caller up to a contact are one turn.
_TURNS_SQL = f"""
WITH call AS (
    SELECT *, local_at - to_seconds(utc_offset_s) AS utc, outcome = 'answered' AS is_answered,
        CASE WHEN direction = 'outbound' THEN coalesce(callee_number, callee)
            ELSE coalesce(caller_number, caller) END AS number
    FROM calls WHERE NOT is_forward AND outcome IS NOT NULL
),
event AS (
    SELECT *, {_KEY_SQL.format("number")} AS key, CASE WHEN direction = 'inbound' AND NOT is_answered THEN 0
        WHEN direction <> 'outbound' THEN 1 WHEN is_answered THEN 3 ELSE 2 END AS way
    FROM call WHERE direction IN ('inbound', 'outbound') OR direction = 'external' AND is_answered
),
known AS (
    SELECT *, coalesce(count(*) FILTER (way IN (1, 3)) OVER before, 0) AS turn
    FROM event SEMI JOIN (SELECT DISTINCT key FROM event WHERE way = 0) USING (key)
    WINDOW before AS (PARTITION BY key ORDER BY utc, way, call_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
placed AS (SELECT *, min(utc) FILTER (way = 0) OVER (PARTITION BY key, turn) AS first_utc FROM known),
turns AS (
    SELECT arg_max(struct_pack(pbx, caller, outcome, path), (utc, call_id)) FILTER (way = 0) AS last,
        arg_max(caller_name, (utc, call_id)) FILTER (way = 0) AS caller_name,
        count(*) FILTER (way = 0) AS calls, arg_min(local_at, utc) FILTER (way = 0) AS first_at,
        arg_max(local_at, utc) FILTER (way = 0) AS last_at, any_value(first_utc) AS first_utc,
        sum(wait_s) FILTER (way = 0) AS waited_s, count(*) FILTER (way IN (2, 3) AND utc >= first_utc) AS callbacks,
        any_value(local_at) FILTER (way IN (1, 3)) AS contact_at, any_value(utc) FILTER (way IN (1, 3)) AS contact_utc,
        any_value(way) FILTER (way IN (1, 3)) AS contact
    FROM placed GROUP BY key, turn HAVING calls > 0
)
"""

_MISSED_SQL = f"""
{_TURNS_SQL},
listed AS (
    SELECT CASE contact WHEN 1 THEN 'reached' WHEN 3 THEN 'returned' ELSE 'open' END AS status, last.pbx, last.caller,
        caller_name, calls, first_at, last_at, waited_s::BIGINT AS waited_s, last.outcome, last.path, callbacks,
        contact_at, epoch(contact_utc - first_utc)::BIGINT AS contact_s
    FROM turns
    UNION ALL SELECT 'withheld', pbx, caller, caller_name, 1, local_at, local_at, wait_s, outcome, path, 0, NULL, NULL
    FROM event WHERE way = 0 AND key IS NULL
)
SELECT * EXCLUDE (path), regexp_replace(path, '^.* > ', '') AS ended_in FROM listed
ORDER BY status, last_at DESC, caller
"""

_WATCHED_SQL = f"""
{_TURNS_SQL}
SELECT epoch(coalesce(contact_utc, (SELECT max(utc) FROM event)) - first_utc)::BIGINT AS after_s, count(*) AS "left",
    count(*) FILTER (contact = 3) AS returned, count(*) FILTER (contact = 1) AS reached
FROM turns GROUP BY ALL
"""

_REPEAT_SQL = f"""
WITH number AS (
    SELECT outcome, local_at - to_seconds(utc_offset_s) AS utc, coalesce(caller_number, caller) AS number
    FROM calls WHERE NOT is_forward AND direction = 'inbound'
),
known AS (SELECT outcome, utc, {_KEY_SQL.format("number")} AS key FROM number),
flagged AS (
    SELECT outcome, key IS NULL AS withheld,
        key IS NOT NULL AND utc + INTERVAL 168 HOUR <= max(utc) OVER () AS decided,
        coalesce(lead(utc) OVER near <= utc + INTERVAL 168 HOUR, false) AS followed,
        utc - INTERVAL 168 HOUR >= min(utc) OVER ()
            AND NOT coalesce(lag(utc) OVER near >= utc - INTERVAL 168 HOUR, false) AS first
    FROM known WINDOW near AS (PARTITION BY key ORDER BY utc, outcome)
)
SELECT outcome, count(*) AS calls, count(*) FILTER (withheld) AS withheld,
    count(*) FILTER (NOT withheld AND NOT decided) AS undecided, count(*) FILTER (decided) AS decided,
    count(*) FILTER (decided AND followed) AS followed, count(*) FILTER (decided AND first) AS first_calls,
    count(*) FILTER (decided AND first AND NOT followed) AS settled
FROM flagged f GROUP BY outcome ORDER BY count(*) DESC, outcome
"""


def _curve(times: pd.DataFrame) -> pd.DataFrame:
    """Kaplan-Meier and Aalen-Johansen, of how many had contact at each second and how many only left."""
    times = times.sort_values("after_s", ignore_index=True)
    everybody = times["left"].sum()
    times["calls"] = everybody - times["left"].cumsum() + times["left"]
    times = times[times["returned"] + times["reached"] > 0]
    start = pd.DataFrame({"after_s": [0], "calls": [everybody], "returned": [0], "reached": [0]})
    times = pd.concat([start, times.drop(columns="left")], ignore_index=True)
    times["open_rate"] = np.cumprod(1 - (times["returned"] + times["reached"]) / times["calls"])
    before = times["open_rate"].shift(1, fill_value=1.0)
    for way in ("returned", "reached"):
        times[f"{way}_rate"] = (before * times[way] / times["calls"]).cumsum()
    return times


def _rates(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.assign(
        repeat_rate=counts["followed"] / counts["decided"].where(counts["decided"] > 0),
        fcr_rate=counts["settled"] / counts["first_calls"].where(counts["first_calls"] > 0),
    )


def _missed_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.sql(_MISSED_SQL).df()


def _callback_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return _curve(connection.sql(_WATCHED_SQL).df())


def _repeat_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return _rates(connection.sql(_REPEAT_SQL).df())


def _key_polars(number: pl.Expr) -> pl.Expr:
    digits = number.str.replace_all("[^0-9]", "").str.strip_chars_start("0").str.tail(10)
    return pl.when(number.str.contains(_WRITTEN) & (digits != "")).then(digits)


def _events_polars(calls: pl.LazyFrame) -> pl.LazyFrame:
    answered, direction = pl.col("outcome") == "answered", pl.col("direction").cast(pl.String)
    theirs, ours = pl.coalesce("caller_number", "caller"), pl.coalesce("callee_number", "callee")
    return (
        calls.select(_COLUMNS)
        .filter(~pl.col("is_forward"), pl.col("outcome").is_not_null())
        .filter(direction.is_in(["inbound", "outbound"]) | ((direction == "external") & answered))
        .with_columns(
            utc=pl.col("local_at") - pl.duration(seconds="utc_offset_s"),
            key=_key_polars(pl.when(direction == "outbound").then(ours).otherwise(theirs)),
            way=pl.when((direction == "inbound") & ~answered)
            .then(0)
            .when(direction != "outbound")
            .then(1)
            .when(answered)
            .then(3)
            .otherwise(2),
        )
        .drop("direction", "callee", "caller_number", "callee_number", "is_forward", "utc_offset_s")
    )


def _turns_polars(events: pl.LazyFrame) -> pl.LazyFrame:
    missed, ends = pl.col("way") == 0, pl.col("way").is_in(_ENDS)
    tries = pl.col("pbx", "caller", "outcome", "path").filter(missed)
    return (
        events.join(events.filter(missed).select("key").unique(), on="key", how="semi")
        .sort(_ORDER)
        .with_columns(turn=ends.cast(pl.Int64).cum_sum().over("key") - ends.cast(pl.Int64))
        .group_by(_TURN, maintain_order=True)
        .agg(
            tries.last(),
            caller_name=pl.col("caller_name").filter(missed).drop_nulls().last(),
            calls=missed.sum().cast(pl.Int64),
            first_at=pl.col("local_at").filter(missed).first(),
            last_at=pl.col("local_at").filter(missed).last(),
            first_utc=pl.col("utc").filter(missed).first(),
            waited_s=pl.col("wait_s").filter(missed).sum(),
            callbacks=(pl.col("way").is_in([2, 3]) & (pl.col("utc") >= pl.col("utc").filter(missed).first())).sum(),
            contact_at=pl.col("local_at").filter(ends).first(),
            contact_utc=pl.col("utc").filter(ends).first(),
            contact=pl.col("way").filter(ends).first(),
        )
        .filter(pl.col("calls") > 0)
    )


def _missed_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    events = _events_polars(tables["calls"])
    listed = ["status", "pbx", "caller", "caller_name", "calls", "first_at", "last_at", "waited_s", "outcome"]
    listed += ["ended_in", "callbacks", "contact_at", "contact_s"]
    ended_in = pl.col("path").str.replace("^.* > ", "")
    turns = _turns_polars(events).with_columns(
        status=pl.col("contact").replace_strict({1: "reached", 3: "returned"}, default="open", return_dtype=pl.String),
        ended_in=ended_in,
        callbacks=pl.col("callbacks").cast(pl.Int64),
        contact_s=(pl.col("contact_utc") - pl.col("first_utc")).dt.total_seconds(),
    )
    withheld = events.filter(pl.col("way") == 0, pl.col("key").is_null()).with_columns(
        status=pl.lit("withheld"),
        calls=pl.lit(1, pl.Int64),
        first_at="local_at",
        last_at="local_at",
        waited_s="wait_s",
        ended_in=ended_in,
        callbacks=pl.lit(0, pl.Int64),
        contact_at=pl.lit(None, pl.Datetime("us")),
        contact_s=pl.lit(None, pl.Int64),
    )
    found = pl.concat([turns.select(listed), withheld.select(listed)])
    return found.sort("status", "last_at", "caller", descending=[False, True, False]).collect(engine="streaming")


def _callback_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    events = _events_polars(tables["calls"])
    end = events.select(end=pl.col("utc").max())
    times = (
        _turns_polars(events)
        .join(end, how="cross")
        .group_by(after_s=(pl.col("contact_utc").fill_null(pl.col("end")) - pl.col("first_utc")).dt.total_seconds())
        .agg(left=pl.len(), returned=(pl.col("contact") == 3).sum(), reached=(pl.col("contact") == 1).sum())
        .cast({pl.UInt32: pl.Int64})
        .collect(engine="streaming")
    )
    return pl.from_pandas(_curve(times.to_pandas()))


def _repeat_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    utc, known, decided, first = pl.col("utc"), pl.col("key").is_not_null(), pl.col("decided"), pl.col("first")
    followed = pl.col("followed")
    counts = (
        tables["calls"]
        .filter(~pl.col("is_forward"), pl.col("direction") == "inbound")
        .select(
            pl.col("outcome").cast(pl.String),
            utc=pl.col("local_at") - pl.duration(seconds="utc_offset_s"),
            key=_key_polars(pl.coalesce("caller_number", "caller")),
        )
        .sort("key", "utc", "outcome")
        .with_columns(
            decided=known & (utc + _WINDOW <= utc.max()),
            followed=(utc.shift(-1).over("key") <= utc + _WINDOW).fill_null(False),
            first=(utc - _WINDOW >= utc.min()) & ~(utc.shift(1).over("key") >= utc - _WINDOW).fill_null(False),
        )
        .group_by("outcome")
        .agg(
            calls=pl.len(),
            withheld=(~known).sum(),
            undecided=(known & ~decided).sum(),
            decided=decided.sum(),
            followed=(decided & followed).sum(),
            first_calls=(decided & first).sum(),
            settled=(decided & first & ~followed).sum(),
        )
        .cast({pl.UInt32: pl.Int64})
        .collect(engine="streaming")
    )
    return pl.from_pandas(_rates(counts.to_pandas()))


def _key_pandas(number: pd.Series) -> pd.Series:
    digits = number.str.replace("[^0-9]", "", regex=True).str.lstrip("0").str.slice(-10)
    return digits.where(number.str.contains(_WRITTEN).fillna(False).astype(bool) & (digits != ""))


def _events_pandas(folder: Path) -> pd.DataFrame:
    calls = pd.read_parquet(folder / "calls", columns=_COLUMNS)
    calls = calls[~calls["is_forward"] & calls["outcome"].notna()]
    answered, direction = calls["outcome"] == "answered", calls["direction"]
    ways = [(direction == "inbound") & ~answered, (direction != "outbound") & answered, ~answered]
    calls["way"] = np.select([*ways, answered], [0, 1, 2, 3])
    calls = calls[direction.isin(["inbound", "outbound"]) | ((direction == "external") & answered)]
    theirs = calls["caller_number"].fillna(calls["caller"])
    ours = calls["callee_number"].fillna(calls["callee"])
    calls["key"] = _key_pandas(theirs.where(calls["direction"] != "outbound", ours))
    calls["utc"] = calls["local_at"] - pd.to_timedelta(calls["utc_offset_s"], unit="s")
    return calls.drop(columns=["callee", "caller_number", "callee_number", "direction", "is_forward", "utc_offset_s"])


def _turns_pandas(events: pd.DataFrame) -> pd.DataFrame:
    known = events[events["key"].isin(events.loc[(events["way"] == 0) & events["key"].notna(), "key"])]
    known = known.sort_values(_ORDER)
    ends = known["way"].isin(_ENDS).astype("int64")
    known["turn"] = ends.groupby(known["key"]).cumsum() - ends
    tries = known[known["way"] == 0].groupby(_TURN)
    turns = tries.agg(
        pbx=("pbx", "last"),
        caller=("caller", "last"),
        caller_name=("caller_name", "last"),
        calls=("way", "size"),
        first_at=("local_at", "first"),
        last_at=("local_at", "last"),
        first_utc=("utc", "first"),
        waited_s=("wait_s", "sum"),
        outcome=("outcome", "last"),
        path=("path", "last"),
    ).reset_index()
    contact = known.loc[known["way"].isin(_ENDS), [*_TURN, "way", "local_at", "utc"]]
    contact = contact.rename(columns={"way": "contact", "local_at": "contact_at", "utc": "contact_utc"})
    turns = turns.merge(contact, how="left", on=_TURN)
    placed = known.loc[known["way"].isin([2, 3]), [*_TURN, "utc"]].merge(turns[[*_TURN, "first_utc"]], on=_TURN)
    placed = placed[placed["utc"] >= placed["first_utc"]].groupby(_TURN).size().rename("callbacks")
    turns = turns.merge(placed.reset_index(), how="left", on=_TURN)
    return turns.assign(callbacks=turns["callbacks"].fillna(0).astype("int64"))


def _missed_pandas(folder: Path) -> pd.DataFrame:
    events = _events_pandas(folder)
    turns = _turns_pandas(events)
    turns["status"] = turns["contact"].map({1: "reached", 3: "returned"}).fillna("open")
    turns["contact_s"] = (turns["contact_utc"] - turns["first_utc"]).dt.total_seconds().astype("Int64")
    withheld = events[(events["way"] == 0) & events["key"].isna()]
    withheld = withheld.assign(status="withheld", calls=1, callbacks=0, first_at=withheld["local_at"])
    withheld = withheld.rename(columns={"local_at": "last_at", "wait_s": "waited_s"})
    found = pd.concat([turns, withheld.drop(columns=["utc", "way", "call_id"])], ignore_index=True)
    found["ended_in"] = found["path"].str.rpartition(" > ")[2]
    found = found.drop(columns=["key", "turn", "path", "contact", "contact_utc", "first_utc"])
    return found.sort_values(["status", "last_at", "caller"], ascending=[True, False, True])


def _callback_pandas(folder: Path) -> pd.DataFrame:
    events = _events_pandas(folder)
    turns = _turns_pandas(events)
    watched = turns["contact_utc"].fillna(events["utc"].max()) - turns["first_utc"]
    times = pd.DataFrame({"after_s": watched.dt.total_seconds().astype("int64"), "left": 1})
    times["returned"], times["reached"] = (turns["contact"] == 3).astype(int), (turns["contact"] == 1).astype(int)
    return _curve(times.groupby("after_s", as_index=False).sum())


def _repeat_pandas(folder: Path) -> pd.DataFrame:
    columns = ["local_at", "utc_offset_s", "direction", "caller", "caller_number", "outcome", "is_forward"]
    calls = pd.read_parquet(folder / "calls", columns=columns)
    calls = calls[~calls["is_forward"] & (calls["direction"] == "inbound")]
    calls["utc"] = calls["local_at"] - pd.to_timedelta(calls["utc_offset_s"], unit="s")
    calls["key"] = _key_pandas(calls["caller_number"].fillna(calls["caller"]))
    calls["outcome"] = calls["outcome"].astype("str")
    calls = calls.sort_values(["key", "utc", "outcome"])
    utc, known, turns = calls["utc"], calls["key"].notna(), calls.groupby("key")["utc"]
    followed, preceded = turns.shift(-1) <= utc + _WINDOW, turns.shift(1) >= utc - _WINDOW
    decided = known & (utc + _WINDOW <= utc.max())
    first = decided & (utc - _WINDOW >= utc.min()) & ~preceded
    flags = {
        "calls": True,
        "withheld": ~known,
        "undecided": known & ~decided,
        "decided": decided,
        "followed": decided & followed,
        "first_calls": first,
        "settled": first & ~followed,
    }
    counts = pd.DataFrame(flags, index=calls.index).groupby(calls["outcome"], observed=True).sum()
    return _rates(counts.reset_index())


WAYS = {
    "missed_calls": ByHand(
        ours=lambda store: ucm.missed_calls(store.scan("calls")),
        sql=_missed_sql,
        polars=_missed_polars,
        pandas=_missed_pandas,
        keys=("status", "last_at", "caller", "first_at", "outcome", "ended_in", "waited_s"),
    ),
    "time_to_callback": ByHand(
        ours=lambda store: ucm.time_to_callback(store.scan("calls")),
        sql=_callback_sql,
        polars=_callback_polars,
        pandas=_callback_pandas,
        keys=("after_s", "calls"),
    ),
    "repeat_callers": ByHand(
        ours=lambda store: ucm.repeat_callers(store.scan("calls")),
        sql=_repeat_sql,
        polars=_repeat_polars,
        pandas=_repeat_pandas,
        keys=("outcome",),
    ),
}
