"""The PBX's wall clock: how far from UTC, when it changes, and when each leg was in seconds since its call began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

# The zone is believed where the first leg starts when it says; a PBX with a wrong clock or zone
# is taken at its own word: the first leg starts when the call does. In an autumn night the first
# leg is not the one with the earliest wall time, but it still has the lowest number.
SESSIONS = """
WITH sessions AS (
    SELECT
        pbx, call_id, min(called_at) AS began, min(start_wall) AS first_start,
        arg_min(start_wall, record_no + epoch(start_wall) / 1e10) AS numbered_start
    FROM said GROUP BY pbx, call_id
),
zoned AS (
    SELECT
        pbx, call_id, began, getvariable('calls_before') + row_number() OVER () AS call_no,
        CASE
            WHEN abs(epoch(first_start) - epoch(began) - c.offset_s) <= 900 OR first_start IS NULL
                OR abs(epoch(numbered_start) - epoch(began) - c.offset_s) <= 900
            THEN coalesce(c.offset_s, 0)
            ELSE CAST(round((epoch(first_start) - epoch(began)) / 900) * 900 AS BIGINT)
        END AS offset_s
    FROM sessions ASOF LEFT JOIN clock c ON began >= c.since
)
-- the next change of the clock, if the call could last through it
SELECT z.*, epoch(n.since) - epoch(z.began) AS t_change, coalesce(n.offset_s - z.offset_s, 0) AS change_s
FROM zoned z ASOF LEFT JOIN clock n ON z.began < n.since
"""

# t_*: seconds since the call began. Wall time that the old offset puts behind the change, or
# before the call, is read with the new one. No leg starts before its call.
TIMES = """
SELECT
    * EXCLUDE (
        pbx, call_id, called_at, start_wall, began, offset_s, t_change, change_s, t_wall, lasted_s, answered_s,
        recorded_epoch
    ),
    CAST(greatest(CASE
        WHEN t_wall >= t_change OR t_wall < 0 AND t_wall - change_s >= t_change THEN t_wall - change_s ELSE t_wall
    END, 0) AS BIGINT) AS t_start,
    CAST(t_start + lasted_s AS BIGINT) AS t_end,
    CAST(least(greatest(t_end - answered_s, t_start), t_end) AS BIGINT) AS t_answer,
    recorded_epoch - CAST(epoch(began) AS BIGINT) AS t_recorded
FROM (
    SELECT *, coalesce(epoch(start_wall) - epoch(began) - offset_s, 0) AS t_wall
    FROM said JOIN session USING (pbx, call_id)
)
"""

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
