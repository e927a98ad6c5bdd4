"""Sessions that go on with another one: follow-me, picked up from park."""

from __future__ import annotations

from typing import Final

from ucm_analytics.schema import CALLS

RUNG = """
SELECT call_no, pbx, person AS extension FROM leg JOIN session USING (call_no)
WHERE kind IN ('extension', 'transfer', 'ring_group', 'queue') AND NOT is_copy
"""
"""Which extension was tried in which call, once or more often."""

PARKED = "SELECT DISTINCT call_no, pbx, caller_channel, began FROM leg JOIN session USING (call_no) WHERE kind = 'park'"
"""Which channel waited in a park slot, or was picked up from one, in which call."""

TALKED = """
SELECT call_no, epoch(began) + t_pickup AS since_s, epoch(began) + t_talk_end AS until_s
FROM step JOIN session USING (call_no) WHERE t_pickup IS NOT NULL
"""
"""When somebody talked, in which call."""

# A follow-me attempt is a session of its own that names the extension it came from, and shows the
# original caller or the DID. It is linked where exactly one call tried that extension for that caller
# at that moment, directly or in a ring group or queue. A call that is picked up from park keeps its
# channel in the session of the one who picks it up, so that link is certain, however often it is
# parked. Each session is linked to the first call of its line: the one that goes on with no other.
SQL = """
WITH RECURSIVE candidates AS (
    SELECT f.call_no, p.call_no AS parent
    FROM every_call f
    JOIN rung r ON r.pbx = f.pbx AND r.extension = f.forwarded_from AND r.call_no <> f.call_no
    JOIN every_call p ON p.call_no = r.call_no
    WHERE p.forwarded_from IS NULL AND (p.caller IS NOT DISTINCT FROM f.caller OR p.did = f.caller)
        AND f.began BETWEEN p.began AND p.began + to_seconds(p.t_end + 2)
    UNION
    SELECT c.call_no, arg_min(p.call_no, row(p.began, p.call_no))
    FROM parked c
    JOIN (
        SELECT call_no, pbx, caller_channel, began FROM every_call
        WHERE caller_channel IN (SELECT caller_channel FROM parked)
        UNION FROM parked
    ) p ON p.pbx = c.pbx AND p.caller_channel = c.caller_channel AND p.began < c.began
    GROUP BY c.call_no
),
certain AS (
    SELECT call_no, min(parent) AS parent FROM candidates
    GROUP BY call_no HAVING count(*) = 1
),
line AS (
    FROM certain
    UNION
    SELECT l.call_no, c.parent FROM line l JOIN certain c ON c.call_no = l.parent
)
SELECT call_no, parent FROM line WHERE parent NOT IN (SELECT call_no FROM certain)
"""

_MADE: Final = {
    "started_at": "began",
    "ended_at": "began + to_seconds(t_end)",
    "local_at": "began + to_seconds(offset_s)",
    "utc_offset_s": "offset_s",
    "entry": "coalesce(entry, 'did:' || callee)",
    "answered_at": "began + to_seconds(answered_at_s)",
    "wait_s": "coalesce(answered_at_s, voicemail_at_s, t_end)",
    "ring_s": "least(ring_s, coalesce(answered_at_s, voicemail_at_s, t_end))",
    "ivr_s": "coalesce(ivr_s, 0)",
    "queue_s": "coalesce(queue_s, 0)",
    "talk_s": "coalesce(talk_s, 0)",
    "voicemail_s": "coalesce(voicemail_s, 0)",
    "duration_s": "t_end",
    "path": "coalesce(path, '')",
    "is_forward": "forwarded_from IS NOT NULL OR parent IS NOT NULL",
}
"""Columns of CALLS that a call does not have by their name."""
_COLUMNS: Final = ", ".join(f"{_MADE.get(column.name, column.name)} AS {column.name}" for column in CALLS)

SELECT = f"""
WITH onward AS (
    SELECT l.parent AS call_no, f.*
    FROM linked l JOIN (
        SELECT call_no AS session_no, call_id, answered_by, exact_pickup,
            epoch(began) + answered_at_s AS at_s, epoch(began) + t_end AS ended_s
        FROM every_call WHERE answered_at_s IS NOT NULL
    ) f ON f.session_no = l.call_no
),
reached AS (
    SELECT
        call_no,
        min(at_s) AS at_s,
        arg_min(answered_by, row(at_s, call_id)) AS answered_by,
        max(ended_s) AS ended_s,
        bool_and(exact_pickup) AS exact_pickup
    FROM onward GROUP BY call_no
),
-- what people said in all sessions of a call together: nobody talks twice at once
talk AS (
    SELECT call_no, sum(new_s) AS talk_s FROM (
        SELECT call_no, greatest(until_s - greatest(since_s, max(until_s) OVER (
            PARTITION BY call_no ORDER BY since_s, until_s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )), 0) AS new_s
        FROM (
            SELECT o.call_no, since_s, until_s FROM onward o JOIN talked t ON t.call_no = o.session_no
            UNION ALL
            SELECT call_no, since_s, until_s FROM reached JOIN talked USING (call_no)
        )
    ) GROUP BY call_no
),
resolved AS (
    SELECT
        c.* EXCLUDE (outcome, answered_by, answered_at_s, talk_s, exact_pickup, t_end),
        -- a caller whom another session brought to a person was answered, though this one never was
        CASE WHEN r.at_s IS NULL THEN c.outcome ELSE 'answered' END AS outcome,
        CASE WHEN r.at_s < coalesce(epoch(c.began) + c.answered_at_s, 'inf'::DOUBLE)
            THEN r.answered_by ELSE c.answered_by END AS answered_by,
        least(c.answered_at_s, r.at_s - epoch(c.began)) AS answered_at_s,
        coalesce(t.talk_s, c.talk_s) AS talk_s,
        c.exact_pickup AND coalesce(r.exact_pickup, true) AS exact_pickup,
        greatest(c.t_end, r.ended_s - epoch(c.began)) AS t_end
    FROM every_call c LEFT JOIN reached r USING (call_no) LEFT JOIN talk t USING (call_no)
    WHERE c.call_no > getvariable('calls_before') AND c.call_no <= getvariable('calls_upto')
)
SELECT {_COLUMNS}
FROM resolved LEFT JOIN linked USING (call_no)
    LEFT JOIN (
        SELECT call_no AS parent, call_id AS forward_of FROM every_call
        WHERE call_no IN (SELECT parent FROM linked)
    ) USING (parent)
ORDER BY began, pbx, call_id
"""
