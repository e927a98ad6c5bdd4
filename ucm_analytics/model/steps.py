"""Parallel legs become one stage of the caller's way."""

from __future__ import annotations

from ucm_analytics.model import offsets

# A new step begins where kind or target changes, or the channel. The legs of a ring group round,
# of one stay in a queue, and of a call picked up from park follow each other, until a talk is over;
# a phone with several registrations has legs that start together.
#
# The windows see only the columns that they need, and the rest is joined to them: sorting whole legs
# costs twice the time.
LEGS = f"""
WITH timed AS MATERIALIZED (SELECT *, row_number() OVER () AS row_no FROM ({offsets.TIMES})),
ordered AS (
    SELECT
        row_no, call_no,
        row_number() OVER call AS leg_no,
        coalesce(
            kind = lag(kind) OVER call AND target = lag(target) OVER call
            AND (kind IN ('ring_group', 'queue', 'park') OR t_start = lag(t_start) OVER call)
            AND (kind = 'park' OR caller_channel = lag(caller_channel) OVER call)
            AND NOT coalesce(
                t_start >= max(t_talked) OVER before AND lag(t_start) OVER call < max(t_talked) OVER before, false
            ),
            false
        ) AS goes_on,
        is_transferred AND kind <> 'park' AND caller_channel <> lag(caller_channel) OVER call AS moved
    FROM (SELECT *, CASE WHEN by_person THEN t_end END AS t_talked FROM timed)
    WINDOW
        -- the numbers of the records start again with the month: a DID comes first all the same
        call AS (
            PARTITION BY call_no
            ORDER BY t_start, kind <> 'did', record_no, caller_channel, peer_channel, dialled, tie
        ),
        before AS (call ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
placed AS (
    SELECT
        row_no, leg_no, moved,
        CAST(sum(CASE WHEN goes_on THEN 0 ELSE 1 END) OVER (
            PARTITION BY call_no ORDER BY leg_no) AS INTEGER) AS step_no
    FROM ordered
)
SELECT * EXCLUDE (row_no, record_no, tie, is_transferred) FROM timed JOIN placed USING (row_no)
"""
"""Legs in order, and the step that each is part of."""

SQL = """
WITH winners AS (
    SELECT
        call_no, step_no,
        arg_min(struct_pack(t_start, t_answer, t_end, t_recorded, person), leg_no) AS w,
        max(t_end) AS t_talk_end
    FROM leg WHERE by_person GROUP BY ALL
),
-- A ring group writes the winner's answer at the start of ringing, a transfer too. The losers of a
-- ring group stop ringing when somebody picks up: the end of those that rang with the winner is the
-- real instant. Else a recording's start is, where there is one.
losers AS (
    SELECT n.call_no, n.step_no, max(n.t_end) AS t_pickup
    FROM leg n JOIN winners USING (call_no, step_no)
    WHERE n.kind = 'ring_group' AND n.result = 'no_answer' AND n.peer_channel IS NOT NULL
        AND n.t_start <= w.t_start + 1 AND n.t_end > w.t_start AND n.t_end <= w.t_end
    GROUP BY ALL
),
grouped AS (
    SELECT
        call_no, step_no,
        any_value(kind) AS kind,
        any_value(target) AS target,
        arg_min(gave_up, leg_no) AS gave_up,
        min(t_start) AS t_entered,
        max(t_end) AS t_end,
        min(t_start) FILTER (is_ring OR rings_outside) AS t_ring,
        sum(CASE WHEN kind = 'ivr' OR kind = 'voicemail' THEN t_end - t_answer END) AS self_s,
        bool_and(result = 'busy') FILTER (heard) AS all_busy,
        bool_and(result IN ('busy', 'failed')) FILTER (heard) AS all_failed,
        bool_or(result = 'answered') AS connected,
        coalesce(bool_or(moved), false) AS moved,
        CAST(count(*) FILTER (is_ring) AS INTEGER) AS phones,
        CAST(count(*) AS INTEGER) AS legs
    FROM (
        -- a caller in a queue hears music, not that an agent is busy
        SELECT *, NOT is_copy AND NOT (kind = 'queue' AND peer_channel IS NOT NULL) AS heard FROM leg
    ) GROUP BY call_no, step_no
),
-- The leg behind a DID can carry the DID's start: the caller came in when the DID let go.
entered AS (
    SELECT
        * REPLACE (
            greatest(t_entered, t_let_go) AS t_entered,
            CASE WHEN t_ring IS NOT NULL THEN greatest(t_ring, t_let_go) END AS t_ring
        )
    FROM (
        SELECT *, CASE WHEN lag(kind) OVER call = 'did' THEN lag(t_end) OVER call END AS t_let_go
        FROM grouped WINDOW call AS (PARTITION BY call_no ORDER BY step_no)
    )
),
timed AS (
    SELECT
        g.*, w.person AS answered_by, t_talk_end, w.t_start AS t_won,
        CASE
            WHEN w IS NULL THEN NULL
            WHEN kind NOT IN ('ring_group', 'transfer') OR w.t_answer > w.t_start THEN w.t_answer
            WHEN l.t_pickup IS NOT NULL THEN l.t_pickup
            WHEN w.t_recorded BETWEEN w.t_start AND w.t_end THEN w.t_recorded
            ELSE w.t_answer
        END AS t_pickup,
        w IS NULL OR kind NOT IN ('ring_group', 'transfer') OR w.t_answer > w.t_start
            OR l.t_pickup IS NOT NULL
            OR coalesce(w.t_recorded BETWEEN w.t_start AND w.t_end, false) AS exact,
        lead(t_entered) OVER call AS t_next,
        max(t_end) OVER (PARTITION BY g.call_no) AS t_call_end
    FROM entered g
    LEFT JOIN winners USING (call_no, step_no)
    LEFT JOIN losers l USING (call_no, step_no)
    WINDOW call AS (PARTITION BY g.call_no ORDER BY step_no)
)
SELECT
    * REPLACE (greatest(t_pickup, CASE WHEN t_pickup IS NOT NULL THEN t_entered END) AS t_pickup),
    -- nobody talks twice at once, though the legs of a transfer may overlap
    greatest(t_talk_end - greatest(t_pickup, t_entered, max(t_talk_end) OVER (
        PARTITION BY call_no ORDER BY t_pickup, step_no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )), 0) AS new_talk_s,
    greatest(coalesce(t_next, t_call_end), t_entered) AS t_left,
    CASE
        WHEN answered_by IS NOT NULL THEN 'answered'
        WHEN kind = 'voicemail' AND connected THEN 'recorded'
        WHEN t_next IS NOT NULL THEN 'next'
        WHEN kind = 'ivr' AND gave_up THEN 'timed_out'
        WHEN all_busy THEN 'busy'
        WHEN all_failed THEN 'failed'
        ELSE 'hung_up'
    END AS result
FROM timed
"""

SELECT = """
SELECT
    pbx, call_id, step_no, kind, target,
    began + to_seconds(t_entered) AS entered_at,
    began + to_seconds(t_left) AS left_at,
    began + to_seconds(t_entered + offset_s) AS local_at,
    t_left - t_entered AS dwell_s,
    coalesce(t_pickup, t_left) - t_entered AS wait_s,
    greatest(coalesce(t_talk_end - t_pickup, 0), 0) AS talk_s,
    result, answered_by, phones, legs
FROM step JOIN session USING (call_no) ORDER BY began, pbx, call_id, step_no
"""
