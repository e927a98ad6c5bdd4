-- Legs to calls as people write it for the firmware of their own PBX: direction, outcome, who answered, wait, talk,
-- time in menus and queues, the path, and which session goes on with another one. It knows no wrong clocks, and makes
-- no table of steps or rings.
WITH leg AS (
    SELECT call_id, acct_id, start_at, answer_at, end_at, disposition, lastapp, lastdata, dst, userfield, src, new_src,
        channel_ext, uniqueid, dcontext, action_type, dstchannel, action_type LIKE 'FOLLOWME%' AS follow_me,
        CASE WHEN lastapp = 'ForkCDR' AND action_type = 'DIAL' AND disposition <> 'ANSWERED' THEN 'did'
             WHEN action_type LIKE 'VM%' OR lastapp = 'VoiceMail' THEN 'voicemail'
             WHEN action_type LIKE 'PARKEDCALL%' THEN 'park'
             WHEN action_type = 'IVR[' || dst || ']' THEN 'ivr'
             WHEN action_type LIKE 'QUEUE%' THEN 'queue'
             WHEN action_type LIKE 'RINGGROUP%' THEN 'ring_group'
             WHEN action_type LIKE 'TRANSFER%' THEN 'transfer'
             WHEN dst_trunk_name IS NOT NULL OR dcontext = 'after-outbound-context'
                  OR dcontext LIKE 'outbound-route%' THEN 'external'
             ELSE 'extension' END AS kind,
        split_part(split_part(action_type, '[', 2), ']', 1) AS object,
        CASE WHEN kind IN ('ivr', 'queue', 'ring_group') THEN object
             WHEN kind = 'park' AND lastapp = 'ParkedCall' THEN src ELSE dst END AS target,
        CASE WHEN kind = 'external' OR dstchannel_ext LIKE 'trunk%' THEN coalesce(dstanswer, dst)
             ELSE coalesce(nullif(dstchannel_ext, object), nullif(dstanswer, object), dst) END AS person,
        disposition = 'ANSWERED' AND lastapp <> 'ForkCDR' AND dstchannel IS NOT NULL
            AND kind IN ('extension', 'external', 'ring_group', 'queue', 'transfer', 'park')
            AND (kind <> 'queue' OR billsec_s > 0) AS answered,
        lastapp <> 'ForkCDR' AND NOT (kind = 'queue' AND dstchannel IS NOT NULL) AS heard,
        coalesce(end_at, start_at + to_seconds(duration_s)) AS over_at,
        try_cast(regexp_extract(recordfiles_desc, 'start-time=(\d{10})', 1) AS BIGINT)
            - epoch(called_at)::BIGINT AS recorded_s
    FROM raw
),
numbered AS (
    SELECT *,
        row_number() OVER call AS n,
        CASE WHEN kind = lag(kind) OVER call AND target = lag(target) OVER call
                  AND (kind IN ('ring_group', 'queue', 'park') OR start_at = lag(start_at) OVER call)
                  AND (kind = 'park' OR uniqueid = lag(uniqueid) OVER call)
             THEN 0 ELSE 1 END AS is_new
    FROM leg WINDOW call AS (PARTITION BY call_id ORDER BY start_at, kind <> 'did', acct_id)
),
placed AS MATERIALIZED (SELECT *, sum(is_new) OVER (PARTITION BY call_id ORDER BY n) AS step FROM numbered),
winner AS (
    SELECT call_id, step, arg_min(struct_pack(start_at, answer_at, end_at, person, recorded_s), n) AS w,
        max(end_at) AS talked_until
    FROM placed WHERE answered GROUP BY ALL
),
loser AS (
    SELECT p.call_id, p.step, max(p.end_at) AS silent_at
    FROM placed p JOIN winner USING (call_id, step)
    WHERE kind = 'ring_group' AND disposition = 'NO ANSWER' AND dstchannel IS NOT NULL
        AND p.start_at <= w.start_at + INTERVAL 1 SECOND AND p.end_at > w.start_at AND p.end_at <= w.end_at
    GROUP BY ALL
),
stage AS (
    SELECT call_id, step, any_value(kind) AS kind, any_value(target) AS target,
        min(start_at) AS entered_at, max(over_at) AS over_at, arg_min(lastapp, n) AS app, arg_min(lastdata, n) AS data,
        bool_or(disposition = 'ANSWERED') AS connected,
        bool_and(disposition = 'BUSY') FILTER (heard) AS busy,
        bool_and(disposition IN ('BUSY', 'FAILED')) FILTER (heard) AS failed,
        sum(date_diff('second', answer_at, end_at)) FILTER (kind = 'ivr') AS heard_s
    FROM placed GROUP BY call_id, step
),
timed AS (
    SELECT *,
        greatest(entered_at, CASE WHEN lag(kind) OVER call = 'did' THEN lag(over_at) OVER call END) AS came_at,
        max(over_at) OVER (PARTITION BY call_id) AS call_over_at,
        min(entered_at) OVER (PARTITION BY call_id) AS began
    FROM stage WINDOW call AS (PARTITION BY call_id ORDER BY step)
),
way AS (
    SELECT t.*, w.person AS person, talked_until, lead(came_at) OVER call AS next_at,
        row_number() OVER (PARTITION BY call_id ORDER BY step DESC) AS from_end,
        greatest(CASE
            WHEN kind NOT IN ('ring_group', 'transfer') OR w.answer_at > w.start_at THEN w.answer_at
            WHEN silent_at IS NOT NULL THEN silent_at
            WHEN began + to_seconds(w.recorded_s) BETWEEN w.start_at AND w.end_at THEN began + to_seconds(w.recorded_s)
            ELSE w.answer_at END, CASE WHEN w IS NOT NULL THEN came_at END) AS picked_up
    FROM timed t LEFT JOIN winner USING (call_id, step) LEFT JOIN loser USING (call_id, step)
    WINDOW call AS (PARTITION BY call_id ORDER BY step)
),
story AS (
    SELECT *, greatest(0, date_diff('second', greatest(picked_up, max(talked_until) OVER (
            PARTITION BY call_id ORDER BY picked_up, step ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
            talked_until)) AS talk_s
    FROM way
),
head AS (
    SELECT call_id, userfield, uniqueid,
        CASE WHEN userfield = 'Inbound' OR follow_me OR channel_ext LIKE 'trunk%' THEN src
             ELSE coalesce(new_src, channel_ext, src) END AS caller
    FROM placed WHERE n = 1
),
whole AS (
    SELECT call_id, min(object) FILTER (follow_me) AS forwarded_from,
        arg_min(uniqueid, n) FILTER (kind = 'park') AS parked
    FROM placed GROUP BY call_id
),
call AS MATERIALIZED (
    SELECT *,
        CASE WHEN userfield = 'Inbound' THEN 'inbound'
             WHEN userfield = 'Outbound' OR userfield = 'Internal' AND first_kind = 'external' THEN 'outbound'
             WHEN userfield = 'External' THEN 'external' ELSE 'internal' END AS direction,
        CASE WHEN answered_at IS NOT NULL THEN 'answered' WHEN mailbox_at IS NOT NULL THEN 'voicemail'
             WHEN let_go THEN 'disconnected' WHEN busy THEN 'busy' WHEN failed THEN 'failed'
             WHEN userfield = 'Inbound' OR ended_in IN ('ivr', 'queue', 'park') THEN 'abandoned'
             ELSE 'no_answer' END AS outcome
    FROM (
        SELECT call_id, any_value(began) AS began, max(call_over_at) AS over_at, min(picked_up) AS answered_at,
            arg_min(person, row(picked_up, step)) FILTER (picked_up IS NOT NULL) AS answered_by,
            min(came_at) FILTER (kind = 'voicemail' AND connected) AS mailbox_at,
            arg_max(kind, step) AS ended_in, arg_min(kind, step) FILTER (kind <> 'did') AS first_kind,
            bool_or(from_end = 1 AND person IS NULL AND kind = 'ivr' AND app = 'Playback'
                    AND data LIKE '%error%') AS let_go,
            bool_or(from_end = 1 AND person IS NULL AND busy) AS busy,
            bool_or(from_end = 1 AND person IS NULL AND failed) AS failed,
            coalesce(sum(talk_s), 0) AS talk_s, coalesce(sum(heard_s), 0) AS ivr_s,
            coalesce(sum(date_diff('second', came_at, coalesce(picked_up, next_at, call_over_at)))
                FILTER (kind = 'queue'), 0) AS queue_s,
            coalesce(string_agg(kind || ':' || target, ' > ' ORDER BY step) FILTER (kind <> 'did'), '') AS path,
            arg_min(target, step) FILTER (kind = 'did') AS did
        FROM story GROUP BY call_id
    ) JOIN head USING (call_id) JOIN whole USING (call_id)
),
parent AS (
    SELECT call_id, min(of) AS of FROM (
        SELECT DISTINCT f.call_id, p.call_id AS of
        FROM call f JOIN placed r ON r.person = f.forwarded_from AND r.call_id <> f.call_id
        JOIN call p ON p.call_id = r.call_id
        WHERE p.forwarded_from IS NULL AND (p.caller = f.caller OR p.did = f.caller)
            AND r.kind IN ('extension', 'transfer', 'ring_group', 'queue') AND r.lastapp <> 'ForkCDR'
            AND f.began BETWEEN p.began AND p.over_at + INTERVAL 2 SECOND
        UNION
        SELECT c.call_id, p.call_id FROM call c JOIN call p ON p.uniqueid = c.parked AND p.call_id <> c.call_id
        WHERE c.began > p.began
    ) GROUP BY call_id HAVING count(*) = 1
),
brought AS (
    SELECT of AS call_id, arg_min(struct_pack(answered_at, answered_by), row(answered_at, call_id)) AS b,
        sum(talk_s) AS further_s
    FROM parent JOIN call USING (call_id) WHERE answered_at IS NOT NULL GROUP BY of
)
SELECT
    call_id, direction, CASE WHEN b IS NOT NULL AND answered_at IS NULL THEN 'answered' ELSE outcome END AS outcome,
    ended_in, coalesce(c.answered_by, CASE WHEN answered_at IS NULL THEN b.answered_by END) AS answered_by,
    date_diff('second', began, coalesce(c.answered_at, b.answered_at, mailbox_at, over_at)) AS wait_s,
    (c.talk_s + coalesce(further_s, 0))::BIGINT AS talk_s, ivr_s::BIGINT AS ivr_s, queue_s::BIGINT AS queue_s,
    path, of AS forward_of, forwarded_from IS NOT NULL OR of IS NOT NULL AS is_forward
FROM call c LEFT JOIN parent USING (call_id) LEFT JOIN brought USING (call_id)
ORDER BY call_id
