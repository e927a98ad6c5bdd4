"""One row a session, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from ucm_analytics.model._legs import TRUNK


@dataclass(frozen=True)
class Rule:
    """One row of the outcome table."""

    outcome: str
    condition: str
    words: str


OUTCOME_RULES = (
    Rule("answered", "answered_at_s IS NOT NULL", "a person picked up: not a menu, mailbox or park slot"),
    Rule("voicemail", "voicemail_at_s IS NOT NULL", "else a mailbox took the call"),
    Rule("disconnected", "last_result = 'timed_out'", "else a menu hung up after missing or invalid keys"),
    Rule("busy", "last_result = 'busy'", "else all that were called last were busy"),
    Rule("failed", "last_result = 'failed'", "else the last attempt could not be placed"),
    Rule(
        "abandoned",
        "direction = 'inbound' OR ended_in IN ('ivr', 'queue', 'park')",
        "else a caller from outside left, or any caller left a menu, queue or park slot",
    ),
    Rule("no_answer", "true", "else it rang, or was to ring, and nobody answered"),
)
"""What happened to the caller: the first rule that holds. The last one always does."""

_OUTCOME = "CASE " + " ".join(f"WHEN {rule.condition} THEN '{rule.outcome}'" for rule in OUTCOME_RULES) + " END"

SQL = f"""
WITH legs AS (
    SELECT
        pbx, call_id,
        any_value(began) AS began,
        any_value(offset_s) AS offset_s,
        arg_min(struct_pack(userfield, src, new_src, channel_ext, caller_name, clid, dst, action), leg_no) AS f,
        any_value(uniqueid) FILTER (leg_no = 1) AS uniqueid,
        min(object) FILTER (action = 'FOLLOWME') AS forwarded_from,
        arg_min(uniqueid, leg_no) FILTER (kind = 'park') AS parked_uniqueid,
        bool_or(action = 'FOLLOWME') AS follow_me,
        any_value(coalesce(src_trunk_name, dst_trunk_name) ORDER BY leg_no) AS trunk,
        string_agg(rtrim(recordfiles, '@'), '@' ORDER BY leg_no) AS recordings,
        max(t_end) AS t_end,
        CAST(count(*) AS INTEGER) AS legs
    FROM leg GROUP BY pbx, call_id
),
steps AS (
    SELECT
        pbx, call_id,
        CAST(count(*) AS INTEGER) AS steps,
        CAST(sum(phones) AS INTEGER) AS phones,
        CAST(count(*) FILTER (kind = 'transfer' OR moved) AS INTEGER) AS transfers,
        min(t_pickup) AS answered_at_s,
        arg_min(answered_by, row(t_pickup, step_no)) FILTER (t_pickup IS NOT NULL) AS answered_by,
        min(t_entered) FILTER (result = 'recorded') AS voicemail_at_s,
        arg_max(kind, step_no) AS ended_in,
        arg_max(result, step_no) AS last_result,
        arg_min(target, step_no) FILTER (kind = 'did') AS did,
        arg_min(kind || ':' || target, step_no) FILTER (kind <> 'did') AS entry,
        arg_min(kind, step_no) FILTER (kind <> 'did') AS first_kind,
        arg_min(target, step_no) FILTER (kind = 'queue') AS queue,
        string_agg(kind || ':' || target, ' > ' ORDER BY step_no) FILTER (kind <> 'did') AS path,
        sum(new_talk_s) AS talk_s,
        sum(self_s) FILTER (kind = 'ivr') AS ivr_s,
        sum(self_s) FILTER (kind = 'voicemail') AS voicemail_s,
        sum(coalesce(t_pickup, t_left) - t_entered) FILTER (kind = 'queue') AS queue_s,
        bool_and(exact) AS exact_pickup
    FROM step GROUP BY pbx, call_id
),
ringing AS (
    SELECT s.pbx, s.call_id, sum(greatest(coalesce(s.t_pickup, s.t_left) - s.t_ring, 0)) AS ring_s
    FROM step s JOIN steps a USING (pbx, call_id)
    WHERE s.kind <> 'queue' AND s.t_ring IS NOT NULL
        AND s.t_entered <= coalesce(a.answered_at_s, a.voicemail_at_s, s.t_entered)
    GROUP BY s.pbx, s.call_id
),
joined AS (
    SELECT
        * EXCLUDE (f) REPLACE (
            -- legs that overlap where they cannot (a wrong clock) add up to no more than the call
            least(coalesce(ring_s, 0), coalesce(answered_at_s, voicemail_at_s, t_end)) AS ring_s,
            least(coalesce(ivr_s, 0), t_end) AS ivr_s,
            least(coalesce(queue_s, 0), t_end) AS queue_s,
            least(coalesce(voicemail_s, 0), t_end) AS voicemail_s
        ),
        CASE
            WHEN f.userfield = 'Inbound' THEN 'inbound'
            WHEN f.userfield = 'Outbound' OR f.userfield = 'Internal' AND first_kind = 'external' THEN 'outbound'
            WHEN f.userfield = 'External' THEN 'external'
            ELSE 'internal'
        END AS direction,
        f
    FROM legs JOIN steps USING (pbx, call_id) LEFT JOIN ringing USING (pbx, call_id)
)
SELECT
    *,
    CASE
        WHEN direction IN ('inbound', 'external') OR follow_me
            OR regexp_matches(f.channel_ext, '{TRUNK}')
        THEN f.src
        ELSE coalesce(f.new_src, f.channel_ext, f.src)
    END AS caller,
    coalesce(f.caller_name, nullif(regexp_extract(f.clid, '^"([^"]+)"', 1), '')) AS caller_name,
    coalesce(did, f.dst) AS callee,
    {_OUTCOME} AS outcome
FROM joined
"""
