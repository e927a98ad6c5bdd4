"""What somebody chose, and the calls, steps and rings that this leaves: filtered in the engine, nothing loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.population import continues
from ucm_analytics.documents.labels import Names
from ucm_analytics.errors import NoData
from ucm_analytics.period import Period
from ucm_analytics.schema import stored_schema

if TYPE_CHECKING:
    from ucm_analytics.store import Store

_KEY: Final = ["pbx", "call_id"]
_WEEKS: Final = timedelta(days=28)
_NULLABLE: Final = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype()}


@dataclass(frozen=True)
class Place:
    """An extension or a queue: its number, which may be another place on another PBX."""

    pbx: str
    number: str


@dataclass(frozen=True)
class Choice:
    """Which calls to look at; nothing means all of them.

    A call has to do with an extension that rang, answered or placed it, and with every queue that it went through.
    """

    period: Period
    pbx: str | None = None
    direction: str | None = None
    outcome: str | None = None
    extension: Place | None = None
    queue: Place | None = None


@dataclass(frozen=True)
class Chosen:
    """The calls of a choice, with their steps and rings, as lazy frames of the store."""

    calls: nw.LazyFrame[Any]
    steps: nw.LazyFrame[Any]
    rings: nw.LazyFrame[Any]

    @property
    def counted(self) -> nw.LazyFrame[Any]:
        """The calls without those rows that go on with a call that has a row of its own."""
        return self.calls.filter(~continues())

    def newest(self, first: int, rows: int) -> pd.DataFrame:
        """So many calls from the `first` on, counted from 0, the newest first, as the store gives them."""
        ordered = self.counted.sort("started_at", "call_id", descending=True).head(first + rows)
        schema = stored_schema("calls")
        table = ordered.select(schema.names).collect("pyarrow").to_native().cast(schema)
        frame: pd.DataFrame = table.slice(first).to_pandas(types_mapper=_NULLABLE.get)
        return frame


def chosen(store: Store, choice: Choice) -> Chosen:
    """What a choice leaves of a store."""
    calls, steps, rings = (store.scan(table, choice.period, pbx=choice.pbx) for table in ("calls", "steps", "rings"))
    every = calls
    for column, value in (("direction", choice.direction), ("outcome", choice.outcome)):
        if value is not None:
            calls = calls.filter(nw.col(column) == value)
    if place := choice.extension:
        rang = rings.filter(_at("extension", place)).select(_KEY)
        placed = calls.filter(_at("caller", place) | _at("answered_by", place)).select(_KEY)
        calls = calls.join(nw.concat([rang, placed]).unique(), on=_KEY, how="semi")
    if place := choice.queue:
        entered = steps.filter(_at("target", place), nw.col("kind") == "queue").select(_KEY).unique()
        calls = calls.join(entered, on=_KEY, how="semi")
    if calls is every:
        return Chosen(calls, steps, rings)
    kept = calls.select(_KEY)
    return Chosen(calls, steps.join(kept, on=_KEY, how="semi"), rings.join(kept, on=_KEY, how="semi"))


def places(store: Store, kind: Literal["extension", "queue"], pbx: str | None) -> dict[str, Place]:
    """Every extension or queue that the directory names or a call went to, by number and name, in order."""
    if kind == "queue":
        used = store.scan("steps", pbx=pbx).filter(nw.col("kind") == "queue").rename({"target": "number"})
    else:
        used = store.scan("rings", pbx=pbx).rename({"extension": "number"})
    used = used.select("pbx", "number").filter(~nw.col("number").is_null()).unique()
    listed = store.directory(kind, pbx=pbx)[["pbx", "number"]]
    seen = used.collect("pandas").to_native()
    rows = pd.concat([listed.astype("str"), seen.astype("str")]).drop_duplicates()
    rows = rows.sort_values(["number", "pbx"], ignore_index=True)
    labels = Names.of(store, pbx=pbx).numbers(kind, rows, "number")
    return {label: Place(*row) for label, row in zip(labels, rows.itertuples(index=False), strict=True)}


def held_days(store: Store) -> Period:
    """First to last day that is stored of any PBX.

    Raises
    ------
    NoData
        There is none.
    """
    days = store.coverage()["day"]
    if days.empty:
        raise NoData(f"the store {store.path} holds no calls", hint="pull some: ucm-analytics sync")
    return Period(days.min().date(), days.max().date())


def periods(held: Period) -> Mapping[str, Period]:
    """Periods to choose at once, those that the store holds from end to end, by name; the usual one first.

    Weeks run from Monday to Sunday; the last of a kind is the last that is over on the last day stored.

    Examples
    --------
    >>> for name, period in periods(Period.of("2026-02-20", "2026-04-02")).items():
    ...     print(f"{name}: {period}")
    Last four weeks: 2026-03-02 to 2026-03-29
    Last week: 2026-03-23 to 2026-03-29
    Last month: 2026-03-01 to 2026-03-31
    Last day: 2026-04-02
    All days: 2026-02-20 to 2026-04-02
    """
    sunday = held.last - timedelta(days=(held.last.weekday() + 1) % 7)
    month = _month_over_on(held.last)
    named = {
        "Last four weeks": Period(sunday - _WEEKS + timedelta(days=1), sunday),
        "Last week": Period(sunday - timedelta(days=6), sunday),
        "Last month": month,
        "Last day": Period(held.last, held.last),
    }
    inside = {name: period for name, period in named.items() if held.first <= period.first}
    return {**inside, "All days": held} if "Last four weeks" in inside else {"All days": held, **inside}


def _month_over_on(day: date) -> Period:
    """The last calendar month that ends on or before a day."""
    tomorrow = day + timedelta(days=1)
    return Period.month_of(tomorrow.replace(day=1) - timedelta(days=1))


def _at(column: str, place: Place) -> nw.Expr:
    return (nw.col("pbx") == place.pbx) & (nw.col(column) == place.number)
