"""Raw legs to a typed table, and back, losing nothing.

A field is one column where its text has the column's plain form. An empty text is null. What a
column cannot hold as it came (a number that is none, a date of zeros, a text without end, an unknown
field, a JSON null) stays in `extra` as JSON, and `fields` remembers which fields came in which order; so
`dump_legs` writes the PBX's own objects again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.aside import TEXT, believed, epoch, reasons
from ucm_analytics.schema import LEGS, Column, arrow_schema

_COLUMNS = {column.raw: column for column in LEGS if column.raw}
_READ: dict[str, pa.DataType] = {"int64": pa.int64(), "wall": pa.timestamp("s")}
_YEAR_1 = pa.scalar(datetime.min, pa.timestamp("s"))


def legs_table(legs: Sequence[Mapping[str, Any]], *, pbx: str) -> pa.Table:
    """Typed table of legs given as the PBX's own JSON objects.

    Parameters
    ----------
    legs : sequence of mappings
        Raw field name to raw value.
    pbx : str
        Name of the PBX.

    Returns
    -------
    pyarrow.Table
        One row a leg, in the order given, columns of `schema.LEGS`.
    """
    layouts: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, leg in enumerate(legs):
        layouts[tuple(leg)].append(index)
    schema = arrow_schema("legs")
    if not layouts:
        return schema.empty_table()
    parts = [_typed(layout, [legs[i] for i in rows], pbx, schema) for layout, rows in layouts.items()]
    table = parts[0]
    if len(parts) > 1:
        order = pa.array(list(chain.from_iterable(layouts.values())), pa.int64())
        table = pa.concat_tables(parts).unify_dictionaries().take(pc.array_sort_indices(order)).combine_chunks()
    place = schema.get_field_index("set_aside")
    return table.set_column(place, schema.field(place), reasons(table).cast(schema.field(place).type))


def dump_legs(legs: pa.Table) -> list[dict[str, Any]]:
    """Legs as the PBX's own JSON objects: the same fields, order and values.

    Parameters
    ----------
    legs : pyarrow.Table
        Columns of `schema.LEGS`.

    Returns
    -------
    list of dict
        One object a row.
    """
    values = {raw: _texts(legs[column.name], column) for raw, column in _COLUMNS.items()}
    extras: list[list[tuple[str, str]] | None] = legs["extra"].to_pylist()
    objects = []
    for row, fields in enumerate(legs["fields"].to_pylist()):
        extra = dict(extras[row] or ())
        objects.append(
            {name: json.loads(extra[name]) if name in extra else values[name][row] for name in json.loads(fields)}
        )
    return objects


def unknown_fields(legs: pa.Table) -> dict[str, int]:
    """Fields that `schema.LEGS` does not declare, with the number of legs that carry each.

    Parameters
    ----------
    legs : pyarrow.Table
        Columns of `schema.LEGS`.

    Returns
    -------
    dict
        Field name to count, empty where all fields are known.
    """
    counts: dict[str, int] = {}
    for layout in pc.value_counts(legs["fields"].combine_chunks().cast(pa.string())).to_pylist():
        for name in json.loads(layout["values"]):
            if name not in _COLUMNS:
                counts[name] = counts.get(name, 0) + layout["counts"]
    return counts


def _typed(layout: tuple[str, ...], legs: list[Mapping[str, Any]], pbx: str, schema: pa.Schema) -> pa.Table:
    """Table of legs that all have the same fields."""
    rows = len(legs)
    values: dict[str, Sequence[Any]]
    if len(layout) == 1:
        values = {layout[0]: [leg[layout[0]] for leg in legs]}
    else:
        values = dict(zip(layout, zip(*map(itemgetter(*layout), legs), strict=True), strict=True))
    extra: dict[int, list[tuple[str, str]]] = {}
    columns: dict[str, pa.Array] = {}
    for raw, given in values.items():
        column = _COLUMNS.get(raw)
        if column is None:
            for row, value in enumerate(given):
                extra.setdefault(row, []).append((raw, json.dumps(value, ensure_ascii=False)))
            continue
        dtype = schema.field(column.name).type
        if given[0] == "" and given.count("") == rows:  # most fields of most firmware are empty
            columns[column.name] = pa.nulls(rows, dtype)
            continue
        columns[column.name], odd = _column(given, column, dtype)
        for row in odd:
            extra.setdefault(row, []).append((raw, json.dumps(given[row], ensure_ascii=False)))
    nothing = pa.nulls(rows, pa.string())
    session, uniqueid = columns.get("session", nothing), columns.get("uniqueid", nothing)
    start = columns.get("start_at", pa.nulls(rows, pa.timestamp("us")))
    number = columns.get("acct_id", pa.nulls(rows, pa.int64())).cast(pa.string())
    own = pc.binary_join_element_wise(
        pc.coalesce(start.cast(pa.string()), ""), pc.coalesce(number, ""), "#", null_handling="skip"
    )
    columns["pbx"] = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([pbx]))
    columns["call_id"] = pc.coalesce(session, uniqueid, own)
    instants = (epoch(session), epoch(uniqueid), start.cast(pa.timestamp("us", tz="UTC")))
    columns["called_at"] = pc.coalesce(*map(believed, instants))
    columns["fields"] = pa.DictionaryArray.from_arrays(
        pa.array([0] * rows, pa.int32()), pa.array([json.dumps(layout, ensure_ascii=False)])
    )
    if extra:
        columns["extra"] = pa.array([extra.get(row) for row in range(rows)], schema.field("extra").type)
    return pa.table([columns.get(f.name, pa.nulls(rows, f.type)) for f in schema], schema=schema)


def _column(given: Sequence[Any], column: Column, dtype: pa.DataType) -> tuple[pa.Array, list[int]]:
    """One typed column, and the rows whose value it cannot hold as it came."""
    try:
        texts = pa.array(given, pa.string())
        odd = [row for row, value in enumerate(given) if value is None] if texts.null_count else []
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        odd = [row for row, value in enumerate(given) if not isinstance(value, str)]
        texts = pa.array([value if isinstance(value, str) else None for value in given], pa.string())
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    sizes = pc.binary_length(texts)
    if (pc.max(sizes).as_py() or 0) > TEXT:
        odd += pc.indices_nonzero(pc.greater(sizes, TEXT)).to_pylist()
        texts = pc.if_else(pc.greater(sizes, TEXT), None, texts)
    if column.dtype in _READ:
        read = _READ[column.dtype]
        try:
            typed = texts.cast(read)
        except pa.ArrowInvalid:
            typed = pa.array([_read(text, read) for text in texts.to_pylist()], read)
        # what does not print as it came ("007", "2026-02-28T10:00:00") is not this column's, nor is the year 0
        same = pc.fill_null(pc.equal(typed.cast(pa.string()), texts), False)
        if column.dtype == "wall":
            same = pc.and_(same, pc.fill_null(pc.greater_equal(typed, _YEAR_1), False))
        odd += pc.indices_nonzero(pc.and_(pc.invert(same), texts.is_valid())).to_pylist()
        return pc.if_else(same, typed, None).cast(dtype), odd
    return texts if dtype == pa.string() else texts.cast(dtype), odd


def _read(text: str | None, dtype: pa.DataType) -> Any:
    """One text as Arrow reads it, or None."""
    try:
        return pa.scalar(text).cast(dtype).as_py()
    except (pa.ArrowInvalid, OverflowError):  # the year 0 is a time for Arrow, and none for Python
        return None


def _texts(column: pa.ChunkedArray, declared: Column) -> list[str]:
    """The PBX's texts of a column; null is the empty text."""
    if declared.dtype == "wall":
        column = column.cast(pa.timestamp("s"))
    return pc.fill_null(column.cast(pa.string()), "").to_pylist()  # type: ignore[no-any-return]
