"""How each check is counted: lazily over the store, a table at a time, never a table at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, cast

import pandas as pd

from ucm_analytics import config
from ucm_analytics.analyses.quality import reconciliation
from ucm_analytics.period import Period
from ucm_analytics.quality._checks import CHECKS
from ucm_analytics.schema import KEY, LEGS, UNNUMBERED, TableName
from ucm_analytics.store.months import Months

if TYPE_CHECKING:
    import duckdb

    from ucm_analytics.store import Store

EXAMPLES: Final = 5
_LOOKED_AT: Final = 25
"""Rows among which examples are looked for: several can belong to one call."""

_LEGIBLE: Final = 80
"""Characters of a name or example that are shown: an odd one may be endless."""

_MANY: Final = 10
"""Calls that a weekday has in the median for a day of it without calls to be odd."""

_WEEKDAYS: Final = 3
"""Such weekdays that must be there to say what is normal."""

_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_SUMMER_DAYS: Final = 28
_DECLARED: Final = {column.raw for column in LEGS if column.raw}


@dataclass(frozen=True)
class Observed:
    """What a check found: how many, the first calls or days, and more in words."""

    count: int = 0
    examples: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Source:
    """The part of a store that is looked at."""

    store: Store
    period: Period | None
    pbx: str | None
    coverage: pd.DataFrame

    def query(self, table: TableName, sql: str) -> list[dict[str, Any]]:
        """Rows of a query over one table, which bears its own name."""
        scanned = self.store.scan(table, self.period, pbx=self.pbx).to_native()
        found = cast("duckdb.DuckDBPyRelation", scanned.query(table, sql))
        return cast("list[dict[str, Any]]", found.to_arrow_table().to_pylist())

    def reconciliation(self) -> pd.DataFrame:
        """How the records become rings, calls and callers."""
        scan = partial(self.store.scan, first=self.period, pbx=self.pbx)
        return reconciliation(scan("legs"), steps=scan("steps"), rings=scan("rings"), calls=scan("calls"))

    @property
    def pulled_at(self) -> datetime | None:
        """When the latest day was pulled."""
        pulled = self.coverage["pulled_at"].dropna()
        return None if pulled.empty else cast("pd.Timestamp", pulled.max()).to_pydatetime()

    def zones(self, days: pd.DataFrame) -> list[str]:
        """Time zone that was named for the month of each `pbx` and `day`; empty where none was."""

        @cache
        def named(pbx: str, month: str) -> str:
            zone = Months(self.store.path, pbx).zone(month)
            return zone.key if zone else ""

        return [named(pbx, f"{day:%Y-%m}") for pbx, day in _pairs(days)]

    def days(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """First days of some rows with `pbx` and `day`, with the PBX where there are several."""
        several = self.coverage["pbx"].nunique() > 1
        first = rows.sort_values(["day", "pbx"]).head(EXAMPLES)
        return tuple(f"{day:%Y-%m-%d} ({pbx})" if several else f"{day:%Y-%m-%d}" for pbx, day in _pairs(first))


def unexplained(table: pd.DataFrame) -> Observed:
    """What is left over when the records are reconciled with the tables."""
    left = table[(table["part"] == "unexplained") & (table["count"] != 0)]
    words = ", ".join(f"{effect:+,} {grain}" for grain, effect in _cells(left, "grain", "effect"))
    return Observed(int(left["count"].sum()), (), words)


def measure(source: Source) -> dict[str, Observed]:
    """What each check found, by its id."""
    seen = {check.id: Observed() for check in CHECKS}
    tables: tuple[TableName, ...] = ("legs", "steps", "calls")
    for table in tables:
        seen |= _rows(source, table)
    for of_several in _MEASURES:
        seen |= of_several(source)
    return seen


def _rows(source: Source, table: TableName) -> dict[str, Observed]:
    """Every check with a condition on this table, in one pass."""
    checks = [check for check in CHECKS if check.table == table]
    pulled = source.pulled_at
    now = f"TIMESTAMPTZ '{pulled.isoformat()}'" if pulled else "CAST(NULL AS TIMESTAMPTZ)"
    aggregates = ", ".join(
        f"count(*) FILTER (WHERE {_bound(check.condition, now)}) AS {check.id}, "
        f"min(call_id, {_LOOKED_AT}) FILTER (WHERE {_bound(check.condition, now)}) AS {check.id}_calls"
        for check in checks
    )
    rows = f"{table} WHERE set_aside IS NULL" if table == "legs" else table
    (row,) = source.query(table, f"SELECT count(*) AS of, {aggregates} FROM {rows}")
    return {check.id: Observed(row[check.id], _calls(row[f"{check.id}_calls"])) for check in checks}


def _set_aside(source: Source) -> dict[str, Observed]:
    """Records in no call, by their reason; those without a time are in every period, for they may be of it."""
    sql = (
        f"SELECT set_aside AS name, count(*) AS n, min(call_id, {_LOOKED_AT}) AS calls FROM legs "
        "WHERE set_aside IS NOT NULL AND {} GROUP BY name ORDER BY n DESC, name"
    )
    rows = source.query("legs", sql.format("called_at IS NOT NULL"))
    rows += replace(source, period=None).query("legs", sql.format("called_at IS NULL"))
    return {"set_aside": _named(rows)} if rows else {}


def _unknown_actions(source: Source) -> dict[str, Observed]:
    rows = source.query(
        "steps",
        f"SELECT target AS name, count(*) AS n, min(call_id, {_LOOKED_AT}) AS calls FROM steps "
        "WHERE kind = 'other' GROUP BY target ORDER BY n DESC, name",
    )
    return {"unknown_actions": _named(rows)} if rows else {}


def _ambiguous(source: Source) -> dict[str, Observed]:
    (row,) = source.query(
        "calls",
        "SELECT count(*) FILTER (WHERE outcome = 'answered') AS answered, "
        "count(*) FILTER (WHERE outcome = 'answered' AND is_forward) AS forwards, "
        "count(*) FILTER (WHERE NOT exact_pickup AND outcome = 'answered') AS n, "
        f"min(call_id, {EXAMPLES}) FILTER (WHERE NOT exact_pickup AND outcome = 'answered') AS calls FROM calls",
    )
    if not row["n"]:
        return {}
    share = f"{row['n'] / row['answered']:.1%} of {row['answered']:,} answered calls"
    if row["forwards"]:
        share += f", {row['forwards']:,} of which only go on with another"
    return {"ambiguous_pickups": Observed(row["n"], _calls(row["calls"]), share)}


def _fields(source: Source) -> dict[str, Observed]:
    """Fields that are not declared, and values that a declared one cannot hold: both are in `extra`."""
    rows = source.query(
        "legs",
        f"SELECT name, count(*) AS n, min(call_id, {_LOOKED_AT}) AS calls FROM "
        "(SELECT call_id, unnest(map_keys(extra)) AS name FROM legs WHERE extra IS NOT NULL) "
        "GROUP BY name ORDER BY n DESC, name",
    )
    return {
        "unknown_fields": _named([row for row in rows if row["name"] not in _DECLARED]),
        "odd_values": _named([row for row in rows if row["name"] in _DECLARED]),
    }


def _duplicates(source: Source) -> dict[str, Observed]:
    key = f"hash({', '.join(KEY)}, CASE WHEN acct_id IS NULL THEN concat_ws('|', {', '.join(UNNUMBERED)}) END)"
    twice = source.query("legs", f"SELECT {key} AS k, count(*) AS n FROM legs GROUP BY k HAVING count(*) > 1")
    if not twice:
        return {}
    hashes = ", ".join(str(row["k"]) for row in twice[:_LOOKED_AT])
    rows = source.query("legs", f"SELECT DISTINCT call_id FROM legs WHERE {key} IN ({hashes}) ORDER BY call_id")
    return {
        "duplicate_legs": Observed(sum(row["n"] - 1 for row in twice), tuple(row["call_id"] for row in rows[:EXAMPLES]))
    }


def _days(source: Source) -> dict[str, Observed]:
    coverage = source.coverage
    missing = coverage[coverage["state"] == "missing"]
    open_ = coverage[coverage["state"] == "provisional"]
    vanished = coverage[coverage["vanished"].fillna(0) > 0]
    return {
        "missing_days": Observed(len(missing), source.days(missing)),
        "unsettled_days": Observed(len(open_), source.days(open_)),
        "vanished_legs": Observed(int(vanished["vanished"].sum()), source.days(vanished)),
        "silent_days": _silent(source),
    }


def _silent(source: Source) -> Observed:
    counted = source.query(
        "calls", "SELECT pbx, CAST(local_at AS DATE) AS day, count(*) AS calls FROM calls GROUP BY pbx, day"
    )
    calls = pd.DataFrame(counted, columns=["pbx", "day", "calls"])
    calls["day"] = pd.to_datetime(calls["day"])
    days = source.coverage.loc[source.coverage["state"] != "missing", ["pbx", "day"]].astype({"pbx": "str"})
    days = days.merge(calls.astype({"pbx": "str"}), on=["pbx", "day"], how="left").fillna({"calls": 0})
    alike = days.groupby(["pbx", days["day"].dt.day_of_week])["calls"]
    odd = days[(days["calls"] == 0) & (alike.transform("median") >= _MANY) & (alike.transform("size") >= _WEEKDAYS)]
    return Observed(len(odd), source.days(odd))


def _clock(source: Source) -> dict[str, Observed]:
    """Wall clock against the epoch in the session, on the first leg of each call."""
    rows = source.query(
        "legs",
        # a second of slack, because the PBX cuts its seconds off
        f"""
        SELECT pbx, CAST(began AS DATE) AS day, CAST(floor((lead_s + 1) / 900) * 900 AS BIGINT) AS offset_s,
            count(*) AS n, min(call_id, {EXAMPLES}) AS calls
        FROM (
            SELECT pbx, call_id, min(called_at) AS began, epoch(min(start_at)) - epoch(min(called_at)) AS lead_s
            FROM legs
            WHERE set_aside IS NULL AND start_at IS NOT NULL AND regexp_matches(call_id, '^[0-9]{{10}}')
            GROUP BY pbx, call_id
        )
        GROUP BY pbx, day, offset_s
        """,
    )
    found = pd.DataFrame(rows, columns=["pbx", "day", "offset_s", "n", "calls"])
    found["day"] = pd.to_datetime(found["day"])
    usual = found.sort_values(["n", "offset_s"], ascending=[False, True]).drop_duplicates(["pbx", "day"])
    usual = usual.sort_values(["pbx", "day"])[["pbx", "day", "offset_s"]]
    beside = usual.groupby("pbx")
    usual = usual.assign(
        before=beside["offset_s"].shift(1),
        after=beside["offset_s"].shift(-1),
        day_before=beside["day"].shift(1),
        zone=source.zones(usual),
    ).rename(columns={"offset_s": "usual"})
    found = found.merge(usual, on=["pbx", "day"])
    off = pd.concat([(found["offset_s"] - found[name]) for name in ("usual", "before", "after")], axis=1)
    odd = found[~(off == 0).any(axis=1)]
    past = odd["offset_s"] - odd["usual"]
    late = (past > 0) & (past != _HOUR_S)
    return {
        "late_first_leg": _grouped(odd[late]),
        "odd_clock": _grouped(odd[~late]),
        "zone_contradicted": _contradicted(source, usual),
        **_changes(source, usual),
    }


def _contradicted(source: Source, usual: pd.DataFrame) -> Observed:
    """Calls whose clock is usual on their day or beside it, and not that of the time zone named for the PBX."""
    rows = source.query(
        "calls",
        f"""
        SELECT pbx, CAST(started_at AS DATE) AS day, CAST(epoch(date_trunc('hour', started_at)) AS BIGINT) AS hour_s,
            utc_offset_s, count(*) AS n, min(call_id, {EXAMPLES}) AS calls
        FROM calls WHERE regexp_matches(call_id, '^[0-9]{{10}}')
        GROUP BY pbx, day, hour_s, utc_offset_s
        """,
    )
    found = pd.DataFrame(rows, columns=["pbx", "day", "hour_s", "utc_offset_s", "n", "calls"])
    found = found.assign(day=pd.to_datetime(found["day"])).merge(usual, on=["pbx", "day"])
    some = found[
        found[["usual", "before", "after"]].eq(found["utc_offset_s"], axis=0).any(axis=1) & (found["zone"] != "")
    ]
    by_s = [seen - _offset(zone, hour_s) for zone, hour_s, seen in _cells(some, "zone", "hour_s", "utc_offset_s")]
    off = some.assign(by_s=by_s)
    off = off[off["by_s"] != 0]
    kinds = off.groupby(["pbx", "zone", "by_s"]).agg(n=("n", "sum"), since=("day", "min"), until=("day", "max"))
    words = []
    for pbx, zone, by, n, since, until in _cells(kinds.reset_index(), "pbx", "zone", "by_s", "n", "since", "until"):
        of = int(found.loc[found["pbx"] == pbx, "n"].sum())
        words.append(
            f"{pbx}: {n:,} of {of:,} calls ({n / of:.1%}) stand {abs(by) / _HOUR_S:g} h "
            f"{'ahead of' if by > 0 else 'behind'} {zone}, {since:%Y-%m-%d} to {until:%Y-%m-%d}"
        )
    return replace(_grouped(off), detail="; ".join(words[:EXAMPLES]))


@cache
def _offset(zone: str, epoch_s: int) -> int:
    """Offset of a time zone at an instant [s]."""
    offset = datetime.fromtimestamp(epoch_s, config.zone(zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _rules(zone: str, before: pd.Timestamp, day: pd.Timestamp, by_s: int) -> bool:
    """Whether a time zone changes by so much between two days."""
    old, new = ([_offset(zone, int(at.timestamp()) + n * _DAY_S) for n in (0, 1)] for at in (before, day))
    return any(then - now == by_s for then in new for now in old)


def _changes(source: Source, usual: pd.DataFrame) -> dict[str, Observed]:
    moved = usual[usual["before"].notna() & (usual["before"] != usual["usual"])]
    moved = moved.assign(by_s=(moved["usual"] - moved["before"]).astype("int64"))
    to_next = -moved.groupby("pbx")["day"].diff(-1).dt.days
    since = moved.groupby("pbx")["day"].diff().dt.days
    brief = (to_next < _SUMMER_DAYS) | (since < _SUMMER_DAYS)
    changes = _cells(moved, "zone", "day_before", "day", "by_s")
    ruled = [not zone or _rules(zone, before, day, by_s) for zone, before, day, by_s in changes]
    expected = (moved["by_s"].abs() == _HOUR_S) & ~brief & pd.Series(ruled, index=moved.index, dtype=bool)
    words = [f"{day:%Y-%m-%d}: {_utc(a)} to {_utc(b)}" for day, a, b in _cells(moved, "day", "before", "usual")]
    return {
        name: Observed(
            int(some.sum()),
            source.days(moved[some]),
            "; ".join([word for word, is_some in zip(words, some, strict=True) if is_some][:EXAMPLES]),
        )
        for name, some in (("clock_changed", expected), ("zone_changed", ~expected))
    }


_MEASURES: Final[tuple[Callable[[Source], dict[str, Observed]], ...]] = (
    _set_aside,
    _unknown_actions,
    _ambiguous,
    _fields,
    _duplicates,
    _days,
    _clock,
)


def _bound(condition: str, now: str) -> str:
    return condition.replace("$pulled_at", now)


def _calls(found: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(call[:_LEGIBLE] for call in list(dict.fromkeys(found or ()))[:EXAMPLES])


def _named(rows: Sequence[dict[str, Any]]) -> Observed:
    """Rows by name, most first."""
    names = [f"{row['name'][:_LEGIBLE]} {row['n']:,} ×" for row in rows]
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return Observed(sum(row["n"] for row in rows), _calls(sorted(call for row in rows for call in row["calls"])), shown)


def _grouped(rows: pd.DataFrame) -> Observed:
    return Observed(int(rows["n"].sum()), _calls(sorted(call for calls in rows["calls"] for call in calls)))


def _pairs(rows: pd.DataFrame) -> list[tuple[str, pd.Timestamp]]:
    return [(str(pbx), pd.Timestamp(day)) for pbx, day in zip(rows["pbx"], rows["day"], strict=True)]


def _cells(rows: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name] for name in names), strict=True))


def _utc(offset_s: float) -> str:
    minutes = round(abs(offset_s) / 60)
    return f"UTC{'-' if offset_s < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
