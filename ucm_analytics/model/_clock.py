"""When the PBX's wall clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

_SCHEMA = pa.schema([("since", pa.timestamp("us")), ("offset_s", pa.int64())])


def clock_changes(zone: ZoneInfo | None, first: datetime | None, last: datetime | None) -> pa.Table:
    """Offsets of a zone over a span.

    Parameters
    ----------
    zone : ZoneInfo or None
        None gives an empty table.
    first, last : datetime or None
        The span: naive, in UTC. None gives an empty table.

    Returns
    -------
    pyarrow.Table
        `since` (naive, in UTC) and `offset_s` [s]: one row for the start of the span, one for every change.
    """
    if zone is None or first is None or last is None:
        return _SCHEMA.empty_table()
    first = first.replace(tzinfo=UTC) - timedelta(days=2)
    last = last.replace(tzinfo=UTC) + timedelta(days=2)
    rows = [(first, _offset(zone, first))]
    here = first
    while here < last:
        there = here + timedelta(days=1)
        if _offset(zone, there) != rows[-1][1]:
            change = _change(zone, here, there)
            rows.append((change, _offset(zone, change)))
        here = there
    return pa.table(
        {"since": [row[0].replace(tzinfo=None) for row in rows], "offset_s": [row[1] for row in rows]},
        schema=_SCHEMA,
    )


def _offset(zone: ZoneInfo, instant: datetime) -> int:
    return int((instant.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """First second of the new offset between two instants."""
    low, high = int(before.timestamp()), int(after.timestamp())
    old = _offset(zone, before)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
