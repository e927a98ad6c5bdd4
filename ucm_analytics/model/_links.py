"""Sessions that go on with another one: follow-me, picked up from park."""

from __future__ import annotations

RUNG = """
SELECT DISTINCT call_no, pbx, person AS extension FROM leg
WHERE kind IN ('extension', 'transfer', 'ring_group', 'queue') AND lastapp IS DISTINCT FROM 'ForkCDR'
"""
"""Which extension was tried in which call."""

# A follow-me attempt is a session of its own that names the extension it came from, and shows the
# original caller or the DID. It is linked where exactly one call tried that extension for that caller
# at that moment, directly or in a ring group or queue. A call that is picked up from park keeps its
# uniqueid in the session of the one who picks it up, so that link is certain.
SQL = """
WITH candidates AS (
    SELECT f.call_no, p.call_no AS parent
    FROM every_call f
    JOIN rung r ON r.pbx = f.pbx AND r.extension = f.forwarded_from AND r.call_no <> f.call_no
    JOIN every_call p ON p.call_no = r.call_no
    WHERE f.follow_me AND NOT p.follow_me AND (p.caller IS NOT DISTINCT FROM f.caller OR p.did = f.caller)
        AND f.began BETWEEN p.began AND p.began + to_seconds(p.t_end + 2)
    UNION
    SELECT c.call_no, p.call_no
    FROM every_call c
    JOIN every_call p ON p.pbx = c.pbx AND p.uniqueid = c.parked_uniqueid AND p.call_no <> c.call_no
    WHERE c.parked_uniqueid IS NOT NULL AND c.began > p.began
)
SELECT call_no, min(parent) AS parent FROM candidates
GROUP BY call_no HAVING count(*) = 1
"""

SELECT = """
WITH reached AS (
    SELECT
        l.parent AS call_no,
        arg_min(struct_pack(
            at_s := epoch(f.began) + f.answered_at_s, ended_s := epoch(f.began) + f.t_end,
            answered_by := f.answered_by, talk_s := f.talk_s, exact := f.exact_pickup
        ), row(epoch(f.began) + f.answered_at_s, f.call_id)) AS forward
    FROM linked l JOIN every_call f USING (call_no)
    WHERE f.answered_at_s IS NOT NULL
    GROUP BY l.parent
),
resolved AS (
    SELECT
        c.* EXCLUDE (outcome, answered_by, answered_at_s, talk_s, exact_pickup, t_end),
        -- a caller whom the other session brought to a person was answered, though this one never was
        CASE WHEN hit THEN 'answered' ELSE c.outcome END AS outcome,
        CASE WHEN hit THEN r.forward.answered_by ELSE c.answered_by END AS answered_by,
        CASE WHEN hit THEN r.forward.at_s - epoch(c.began) ELSE c.answered_at_s END AS answered_at_s,
        CASE WHEN hit THEN r.forward.talk_s ELSE c.talk_s END AS talk_s,
        CASE WHEN hit THEN r.forward.exact ELSE c.exact_pickup END AS exact_pickup,
        CASE WHEN hit THEN greatest(r.forward.ended_s - epoch(c.began), c.t_end) ELSE c.t_end END AS t_end
    FROM (
        SELECT c.*, c.answered_at_s IS NULL AND r.forward IS NOT NULL AS hit FROM every_call c
        LEFT JOIN reached r USING (call_no)
        WHERE c.call_no > getvariable('calls_before') AND c.call_no <= getvariable('calls_upto')
    ) c
    LEFT JOIN reached r USING (call_no)
)
SELECT
    pbx, call_id,
    began AS started_at,
    began + to_seconds(t_end) AS ended_at,
    began + to_seconds(offset_s) AS local_at,
    offset_s AS utc_offset_s,
    direction, caller, caller_name, callee, coalesce(entry, 'did:' || callee) AS entry,
    outcome, ended_in, answered_by,
    began + to_seconds(answered_at_s) AS answered_at,
    coalesce(answered_at_s, voicemail_at_s, t_end) AS wait_s,
    coalesce(ring_s, 0) AS ring_s,
    coalesce(ivr_s, 0) AS ivr_s,
    coalesce(queue_s, 0) AS queue_s,
    coalesce(talk_s, 0) AS talk_s,
    coalesce(voicemail_s, 0) AS voicemail_s,
    t_end AS duration_s,
    coalesce(path, '') AS path,
    steps, legs, phones, transfers, queue, trunk, recordings, exact_pickup,
    forward_of,
    follow_me OR parent IS NOT NULL AS is_forward
FROM resolved LEFT JOIN linked USING (call_no)
    LEFT JOIN (
        SELECT call_no AS parent, call_id AS forward_of FROM every_call
        WHERE call_no IN (SELECT parent FROM linked)
    ) USING (parent)
ORDER BY began, pbx, call_id
"""
