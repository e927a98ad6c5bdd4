"""Legs into legs: one row a key, the newest version of a leg wins, nothing stored is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.aside import in_calls
from ucm_analytics.schema import KEY, UNNUMBERED, arrow_schema

UNDATED: Final = "undated"
"""Month of legs that carry no time that is believed."""

_KEY = [name for name in KEY if name != "pbx"]
_ORDER = ("called_at", "call_id", "start_at", *(name for name in _KEY if name != "session"))
_PART: Final = 50_000
_MARGIN: Final = timedelta(days=3)
"""A local day, and the calls that a wrong clock puts next to it, in UTC."""


@dataclass(frozen=True)
class Merged:
    """Stored and fresh legs as one table.

    Attributes
    ----------
    new, updated : int
        Legs that were not stored yet, and stored legs that came with other values.
    vanished : Counter
        For each day asked for: stored legs that did not come again.
    """

    _both: pa.Table
    _rows: pa.Array
    new: int
    updated: int
    vanished: Counter[date]

    @property
    def legs(self) -> pa.Table:
        """The legs, sorted by call, one row a key."""
        return pa.concat_tables(self.parts()).combine_chunks()

    def parts(self) -> Iterator[pa.Table]:
        """The legs in tables of moderate size, so that they need not lie in memory a second time; at least one."""
        for begin in range(0, max(len(self._rows), 1), _PART):
            yield self._both.take(self._rows.slice(begin, _PART))


def merge(stored: pa.Table, fresh: pa.Table, *, days: Collection[date] = ()) -> Merged:
    """Put fresh legs into stored ones.

    Parameters
    ----------
    stored, fresh : pyarrow.Table
        Columns of `schema.LEGS`, all of one PBX; `fresh` in the order of arrival.
    days : collection of date
        The local days of which `fresh` holds every leg that the PBX sends.
    """
    both = pa.concat_tables([stored, fresh]).unify_dictionaries()
    rows = both.num_rows
    numbered = both.select(_KEY).append_column("row", pa.array(range(rows), pa.int64()))
    key = _KEY
    if both["acct_id"].null_count:
        numbered, key = numbered.append_column("without", _unnumbered(both)), [*_KEY, "without"]
    kept = numbered.group_by(key).aggregate([("row", "min"), ("row", "max")])
    first, last = kept["row_min"].combine_chunks(), kept["row_max"].combine_chunks()
    was_there = pc.less(first, stored.num_rows)
    came = pc.greater_equal(last, stored.num_rows)
    again = pc.and_(was_there, came)
    order = pc.sort_indices(both.select(_ORDER).take(last), [(name, "ascending") for name in _ORDER])
    return Merged(
        both,
        last.take(order),
        new=pc.sum(pc.invert(was_there)).as_py() or 0,
        updated=_different(both.take(first.filter(again)), both.take(last.filter(again))),
        vanished=_vanished(both.select(["call_id", "called_at", "start_at", "set_aside"]).take(last), came, days),
    )


def span(fresh: pa.Table, days: Collection[date] = ()) -> tuple[datetime, datetime] | None:
    """Begin and end of the time in which stored legs can meet fresh ones, or have vanished; None if there is none.

    Versions of one leg carry one session, and so began at the same instant.
    """
    began = pc.min_max(fresh["called_at"]).as_py()
    instants = [instant for instant in began.values() if instant]
    if days:
        instants += [_utc(min(days) - _MARGIN).as_py(), _utc(max(days) + _MARGIN).as_py()]
    return (min(instants), max(instants) + timedelta(seconds=1)) if instants else None


def call_days(legs: pa.Table) -> pa.ChunkedArray:
    """Local day on which the call of each leg began; the PBX filters by it. Null where all its legs are set aside."""
    starts = in_calls(legs).group_by("call_id").aggregate([("start_at", "min"), ("called_at", "min")])
    began = pc.coalesce(starts["start_at_min"], starts["called_at_min"].cast(pa.timestamp("us")))
    row = pc.index_in(legs["call_id"], value_set=starts["call_id"].combine_chunks())
    return pc.take(began.cast(pa.date32()), row)


def count_days(legs: pa.Table) -> Counter[date]:
    """Legs for each local day, but for those that are set aside."""
    return _counts(call_days(in_calls(legs)))


def longest_call_s(legs: pa.Table) -> int:
    """Length of the longest call [s], but for legs that are set aside."""
    calls = in_calls(legs).group_by("call_id").aggregate([("start_at", "min"), ("end_at", "max")])
    lengths = pc.subtract(calls["end_at_max"], calls["start_at_min"]).cast(pa.int64())
    return max(0, pc.max(lengths).as_py() or 0) // 1_000_000


def by_month(legs: pa.Table) -> dict[str, pa.Table]:
    """Legs for each UTC month in which their call began."""
    months = pc.fill_null(pc.strftime(legs["called_at"], format="%Y-%m"), UNDATED)
    return _split(legs, months)


def by_local_month(legs: pa.Table) -> dict[str, pa.Table]:
    """Legs for each month of the local day on which their call began."""
    months = pc.fill_null(pc.strftime(call_days(legs), format="%Y-%m"), UNDATED)
    return _split(legs, months)


def no_legs() -> pa.Table:
    """A table of legs without rows."""
    return arrow_schema("legs").empty_table()


def _split(legs: pa.Table, months: pa.ChunkedArray) -> dict[str, pa.Table]:
    names = sorted(pc.unique(months).to_pylist())
    return {month: legs.filter(pc.equal(months, month)) if len(names) > 1 else legs for month in names}


def _unnumbered(legs: pa.Table) -> pa.ChunkedArray:
    """What tells legs without a number apart; null for those that have one."""
    texts = [pc.fill_null(legs[name].cast(pa.string()), "") for name in UNNUMBERED]
    return pc.if_else(pc.is_null(legs["acct_id"]), pc.binary_join_element_wise(*texts, "\x1f"), None)


def _different(old: pa.Table, new: pa.Table) -> int:
    """Rows that differ in any column."""
    changed = pa.array([False] * old.num_rows, pa.bool_())
    for name in old.column_names:
        before, after = _comparable(old[name]), _comparable(new[name])
        same = pc.fill_null(pc.equal(before, after), False)
        both_null = pc.and_(pc.is_null(before), pc.is_null(after))
        changed = pc.or_(changed, pc.invert(pc.or_(same, both_null)))
    return pc.sum(changed).as_py() or 0


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_map(column.type):
        return pa.array([None if pairs is None else repr(pairs) for pairs in column.to_pylist()], pa.string())
    return column


def _vanished(legs: pa.Table, came: pa.ChunkedArray, days: Collection[date]) -> Counter[date]:
    """Legs that did not come, for each of the days."""
    if not days:
        return Counter()
    near = pc.and_(
        pc.greater_equal(legs["called_at"], _utc(min(days) - _MARGIN)),
        pc.less(legs["called_at"], _utc(max(days) + _MARGIN)),
    )
    around = legs.append_column("came", came).filter(near)
    gone = _counts(call_days(around).filter(pc.invert(around["came"])))
    return Counter({day: count for day, count in gone.items() if day in days})


def _counts(days: pa.ChunkedArray) -> Counter[date]:
    pairs = pc.value_counts(days).to_pylist()
    return Counter({pair["values"]: pair["counts"] for pair in pairs if pair["values"] is not None})


def _utc(day: date) -> pa.Scalar:
    return pa.scalar(day, pa.date32()).cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
