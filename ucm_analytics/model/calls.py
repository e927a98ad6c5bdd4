"""One row a session, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass


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
WITH firsts AS (
    SELECT call_no, caller_channel, direction AS said, shown_number, own_number, caller_name, dialled
    FROM leg WHERE leg_no = 1
),
legs AS (
    SELECT
        call_no,
        min(forwarded_from) AS forwarded_from,
        bool_or(goes_out) AS goes_out,
        arg_min(trunk, leg_no) AS trunk,
        max(t_end) AS t_end,
        CAST(count(*) AS INTEGER) AS legs
    FROM leg GROUP BY call_no
),
recorded AS (
    SELECT call_no, string_agg(recordings, '@' ORDER BY leg_no) AS recordings
    FROM leg WHERE recordings IS NOT NULL GROUP BY call_no
),
steps AS (
    SELECT
        call_no,
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
    FROM step GROUP BY call_no
),
ringing AS (
    SELECT s.call_no, sum(greatest(coalesce(s.t_pickup, s.t_left) - s.t_ring, 0)) AS ring_s
    FROM step s JOIN steps a USING (call_no)
    WHERE s.kind <> 'queue' AND s.t_ring IS NOT NULL
        AND s.t_entered <= coalesce(a.answered_at_s, a.voicemail_at_s, s.t_entered)
    GROUP BY s.call_no
),
joined AS (
    SELECT
        * REPLACE (
            -- legs that overlap where they cannot (a wrong clock) add up to no more than the call
            least(coalesce(ring_s, 0), coalesce(answered_at_s, voicemail_at_s, t_end)) AS ring_s,
            least(coalesce(ivr_s, 0), t_end) AS ivr_s,
            least(coalesce(queue_s, 0), t_end) AS queue_s,
            least(coalesce(voicemail_s, 0), t_end) AS voicemail_s
        ),
        -- where an attempt fails before a trunk is chosen, the record says internal; only the number dialled can tell
        CASE
            WHEN said = 'inbound' THEN 'inbound'
            WHEN first_kind = 'park' THEN 'internal'
            WHEN said = 'external' THEN 'external'
            WHEN said = 'outbound' OR said = 'internal' AND first_kind = 'external' AND goes_out THEN 'outbound'
            WHEN said = 'internal' AND first_kind IS DISTINCT FROM 'external' THEN 'internal'
            ELSE 'unknown'
        END AS direction
    FROM session JOIN firsts USING (call_no) JOIN legs USING (call_no) JOIN steps USING (call_no)
        LEFT JOIN ringing USING (call_no) LEFT JOIN recorded USING (call_no)
)
SELECT
    * EXCLUDE (said, goes_out, shown_number, own_number, dialled, t_change, change_s),
    CASE WHEN direction IN ('inbound', 'external') OR forwarded_from IS NOT NULL THEN shown_number ELSE own_number
    END AS caller,
    coalesce(did, dialled) AS callee,
    {_OUTCOME} AS outcome
FROM joined
"""
