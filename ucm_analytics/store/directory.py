"""Names of a PBX's extensions, queues and numbers, and what the keys of its menus lead to, day by day.

A row is what one thing is called or leads to. It is never changed: when it no longer holds it gets
the day of the sync that noticed, and what holds from then on is a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.errors import SettingError
from ucm_analytics.schema import DIRECTORY_KINDS, stored_schema
from ucm_analytics.sources import Source
from ucm_analytics.store.months import Months


class _Entry(NamedTuple):
    """What a row says, in the order in which rows are stored."""

    kind: str
    number: str
    key: str
    target: str
    target_kind: str
    name: str


class _Held(NamedTuple):
    """Days on which an entry held: from `valid_from` on, and no longer on `valid_to`."""

    entry: _Entry
    valid_from: datetime | None
    valid_to: datetime | None


_ALWAYS: Final = datetime.min


def load_directory(pbxs: Sequence[Months], kind: str | None, on: date | None) -> pd.DataFrame:
    """Directory of some PBXs, or one kind of it, as it is now or was on a day.

    Raises
    ------
    SettingError
        No such kind.
    """
    if kind is not None:
        _check_kind(kind)
    schema = stored_schema("directory")
    rows = pa.concat_tables([schema.empty_table(), *(months.directory() for months in pbxs)]).unify_dictionaries()
    begun, ended = rows["valid_from"], rows["valid_to"]
    if on is None:
        holds = pc.is_null(ended)
    else:
        day = pa.scalar(_midnight(on), begun.type)
        holds = pc.and_(
            pc.fill_null(pc.less_equal(begun, day), True),
            pc.fill_null(pc.greater(ended, day), True),
        )
    if kind is not None:
        holds = pc.and_(holds, pc.equal(rows["kind"].cast(pa.string()), kind))
    return rows.filter(holds).to_pandas()  # type: ignore[no-any-return]


def save_directory(months: Months, rows: Iterable[Mapping[str, str]], *, on: date) -> None:
    """Note what holds on a day, and since or until when.

    Parameters
    ----------
    months : Months
        The PBX.
    rows : iterable of mappings
        Columns of `schema.DIRECTORY` but `pbx` and the days; what is missing is empty. All that holds.
    on : date
        The day on which it was asked for; never read as earlier than a change that is stored.

    Raises
    ------
    SettingError
        A row is of no known kind.
    StoreError
        The folder cannot be written.
    """
    entries = {_Entry(**{name: row.get(name, "") for name in _Entry._fields}) for row in rows}
    for entry in entries:
        _check_kind(entry.kind)
    months.change_directory(lambda stored: _table(months.pbx, _changed(_held(stored), entries, _midnight(on))))


def refresh_directory(months: Months, source: Source, *, on: date) -> None:
    """Note what the source tells about the PBX on a day; kinds that it cannot list stay as they were."""
    rows: list[Mapping[str, str]] = []
    for kind, listed in source.directory():
        if listed is not None:
            rows += listed
            continue
        kept = load_directory([months], kind, None)
        rows += [dict(zip(kept.columns, map(str, row), strict=True)) for row in kept.itertuples(index=False)]
    save_directory(months, rows, on=on)


def _changed(stored: Iterable[_Held], entries: Iterable[_Entry], day: datetime) -> list[_Held]:
    stored = list(stored)
    known = {held.entry.kind for held in stored}
    day = max([day, *(change for held in stored for change in held[1:] if change)])
    missing = set(entries)
    result = []
    for held in stored:
        there = held.entry in missing
        valid_to = held.valid_to
        if valid_to is None and not there:
            valid_to = day
        elif valid_to == day and there:  # gone and back within a day
            valid_to = None
        if valid_to is None:
            missing.discard(held.entry)
        if valid_to is None or valid_to > (held.valid_from or _ALWAYS):
            result.append(held._replace(valid_to=valid_to))
    # of a kind that is seen for the first time nobody knows since when it holds
    return result + [_Held(entry, day if entry.kind in known else None, None) for entry in missing]


def _held(stored: pa.Table) -> list[_Held]:
    return [
        _Held(_Entry(**{name: row[name] for name in _Entry._fields}), row["valid_from"], row["valid_to"])
        for row in stored.to_pylist()
    ]


def _table(pbx: str, rows: list[_Held]) -> pa.Table:
    rows.sort(key=lambda row: (DIRECTORY_KINDS.index(row.entry.kind), *row.entry[1:], row.valid_from or _ALWAYS))
    full: list[dict[str, Any]] = [{"pbx": pbx, **row.entry._asdict(), **row._asdict()} for row in rows]
    return pa.Table.from_pylist(full, schema=stored_schema("directory"))


def _check_kind(kind: str) -> None:
    if kind not in DIRECTORY_KINDS:
        raise SettingError(f"{kind!r} is no kind of the directory", hint=f"choose from {', '.join(DIRECTORY_KINDS)}")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())
