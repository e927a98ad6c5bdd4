"""Names of a PBX's extensions, queues and numbers, and what the keys of its menus lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.errors import SettingError
from ucm_analytics.schema import Column
from ucm_analytics.store.files import read_table
from ucm_analytics.store.months import Months

KINDS: Final = ("extension", "queue", "ivr", "ring_group", "trunk", "did")

DIRECTORY: Final[tuple[Column, ...]] = (
    Column("pbx", "category", "name of the PBX, as given to `connect --name`"),
    Column("kind", "category", f"one of {', '.join(KINDS)}"),
    Column("number", "string", "its number; of trunks their index"),
    Column("name", "string", "its name"),
    Column("key", "string", "key of the menu: 0 to 9, *, #, timeout, invalid; empty for the thing itself"),
    Column("target_kind", "category", "what the key or the number dialled leads to; empty if nothing"),
    Column("target", "string", "its number"),
)

_SCHEMA: Final = pa.schema(
    [
        (column.name, pa.dictionary(pa.int32(), pa.string()) if column.dtype == "category" else pa.string())
        for column in DIRECTORY
    ]
)


def load_directory(shelves: Sequence[Months], kind: str | None) -> pd.DataFrame:
    """Directory of some PBXs, or one kind of it.

    Raises
    ------
    SettingError
        No such kind.
    """
    if kind is not None and kind not in KINDS:
        raise SettingError(f"{kind!r} is no kind of the directory", hint=f"choose from {', '.join(KINDS)}")
    parts = [_SCHEMA.empty_table()]
    for months in shelves:
        try:
            parts.append(read_table(months.directory_path))
        except FileNotFoundError:
            continue
    rows = pa.concat_tables(parts).unify_dictionaries()
    if kind is not None:
        rows = rows.filter(pc.equal(rows["kind"].cast(pa.string()), kind))
    return rows.to_pandas()  # type: ignore[no-any-return]


def save_directory(months: Months, rows: Iterable[Mapping[str, str]]) -> None:
    """Replace the directory of a PBX.

    Parameters
    ----------
    months : Months
        The PBX.
    rows : iterable of mappings
        Columns of `DIRECTORY` but `pbx`; what is missing is empty.

    Raises
    ------
    SettingError
        A row is of no known kind.
    StoreError
        The folder cannot be written.
    """
    full = [{name: row.get(name, "") for name in _SCHEMA.names} | {"pbx": months.pbx} for row in rows]
    unknown = {row["kind"] for row in full}.difference(KINDS)
    if unknown:
        raise SettingError(f"{min(unknown)!r} is no kind of the directory", hint=f"choose from {', '.join(KINDS)}")
    full.sort(key=lambda row: (KINDS.index(row["kind"]), row["number"], row["key"], row["target"]))
    months.put_directory(pa.Table.from_pylist(full, schema=_SCHEMA))
