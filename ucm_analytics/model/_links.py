"""Sessions that go on with another one: follow-me, picked up from park."""

from __future__ import annotations

# A follow-me attempt is a session of its own that names the extension it came from, and shows the
# original caller or the DID. It is linked where exactly one call tried that extension for that caller
# at that moment, directly or in a ring group or queue. A call that is picked up from park keeps its
# uniqueid in the session of the one who picks it up, so that link is certain.
SQL = """
WITH rung AS (
    SELECT DISTINCT pbx, call_id, person AS extension FROM leg
    WHERE kind IN ('extension', 'transfer', 'ring_group', 'queue') AND lastapp IS DISTINCT FROM 'ForkCDR'
        AND person IN (SELECT forwarded_from FROM call WHERE follow_me)
),
candidates AS (
    SELECT f.pbx, f.call_id, p.call_id AS parent
    FROM call f
    JOIN rung r ON r.pbx = f.pbx AND r.extension = f.forwarded_from AND r.call_id <> f.call_id
    JOIN call p ON p.pbx = r.pbx AND p.call_id = r.call_id
    WHERE f.follow_me AND NOT p.follow_me AND (p.caller IS NOT DISTINCT FROM f.caller OR p.did = f.caller)
        AND f.began BETWEEN p.began AND p.began + to_seconds(p.t_end + 2)
    UNION
    SELECT c.pbx, c.call_id, p.call_id
    FROM call c
    JOIN call p ON p.pbx = c.pbx AND p.uniqueid = c.parked_uniqueid AND p.call_id <> c.call_id
    WHERE c.parked_uniqueid IS NOT NULL AND c.began > p.began
)
SELECT pbx, call_id, min(parent) AS parent FROM candidates
GROUP BY pbx, call_id HAVING count(*) = 1
"""

SELECT = """
WITH reached AS (
    SELECT
        l.pbx, l.parent AS call_id,
        arg_min(struct_pack(
            at_s := epoch(f.began) + f.answered_at_s, ended_s := epoch(f.began) + f.t_end,
            answered_by := f.answered_by, talk_s := f.talk_s, exact := f.exact_pickup
        ), row(epoch(f.began) + f.answered_at_s, f.call_id)) AS forward
    FROM linked l JOIN call f USING (pbx, call_id)
    WHERE f.answered_at_s IS NOT NULL
    GROUP BY l.pbx, l.parent
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
        SELECT c.*, c.answered_at_s IS NULL AND r.forward IS NOT NULL AS hit FROM call c
        LEFT JOIN reached r USING (pbx, call_id)
    ) c
    LEFT JOIN reached r USING (pbx, call_id)
)
SELECT
    r.pbx, r.call_id,
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
    l.parent AS forward_of,
    follow_me OR l.parent IS NOT NULL AS is_forward
FROM resolved r LEFT JOIN linked l USING (pbx, call_id)
ORDER BY began, r.pbx, r.call_id
"""
