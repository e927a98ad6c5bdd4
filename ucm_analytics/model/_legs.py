"""What each leg is, and when it happened in seconds since its call began."""

from __future__ import annotations

COLUMNS = (
    "pbx",
    "call_id",
    "called_at",
    "acct_id",
    "src",
    "dst",
    "dcontext",
    "clid",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start_at",
    "answer_at",
    "end_at",
    "duration_s",
    "billsec_s",
    "disposition",
    "uniqueid",
    "userfield",
    "channel_ext",
    "dstchannel_ext",
    "caller_name",
    "recordfiles",
    "recordfiles_desc",
    "dstanswer",
    "action_type",
    "src_trunk_name",
    "dst_trunk_name",
    "new_src",
)
"""Columns of LEGS from which the story of a call is told."""

TRUNK = r"^(trunk_.+|o\d+|g\d+)$"
"""What `channel_ext` and `dstchannel_ext` hold where the other side is a trunk."""

PEOPLE = ("extension", "external", "ring_group", "queue", "transfer", "park")
"""Kinds of step in which a person can pick up."""

OUTSIDE = r"^\+?[0-9]{7,20}$"
"""What can be a number outside: as long as a telephone number, before it at most an access code and a prefix."""

# Only a leg with a channel on the other side can have reached a person, whatever an unknown action
# is called. ForkCDR legs are copies. A queue leg without talk time is an announcement.
REACHES = f"""dstchannel IS NOT NULL AND lastapp IS DISTINCT FROM 'ForkCDR'
            AND (kind IN {PEOPLE} OR kind = 'other' AND lastapp = 'Dial')"""

# The first kind whose condition holds. A leg that a menu sent on still carries the menu's
# action_type, so a menu is recognised by its own number in dst.
KINDS = (
    ("did", "lastapp = 'ForkCDR' AND action = 'DIAL' AND disposition <> 'ANSWERED'", "dst"),
    # a mailbox behind a menu or a queue may keep their action
    ("voicemail", "action = 'VM' OR lastapp = 'VoiceMail'", "dst"),
    # the leg of the one who picks up says ParkedCall, and the slot; the caller's says who it was
    ("park", "action = 'PARKEDCALL' AND lastapp = 'ParkedCall'", "src"),
    ("park", "action = 'PARKEDCALL'", "dst"),
    ("ivr", "action = 'IVR' AND dst = object", "object"),
    ("queue", "action = 'QUEUE'", "object"),
    ("ring_group", "action = 'RINGGROUP'", "object"),
    ("transfer", "action = 'TRANSFER'", "dst"),
    (
        "external",
        "dst_trunk_name IS NOT NULL OR to_trunk"
        " OR dcontext LIKE 'outbound-route%' OR dcontext = 'after-outbound-context' AND NOT misdialled",
        "dst",
    ),
    ("extension", "action IN ('DIAL', 'IVR', 'FOLLOWME')", "dst"),
)


def _case(column: int) -> str:
    return "CASE " + " ".join(f"WHEN {kind[1]} THEN {_value(kind, column)}" for kind in KINDS)


def _value(kind: tuple[str, str, str], column: int) -> str:
    return f"'{kind[0]}'" if column == 0 else kind[column]


_TOLD = f"""
WITH named AS (
    SELECT
        raw.*,
        regexp_extract(dstchannel, '^[^/]+/([^-@;/]+)', 1) AS peer,
        coalesce(regexp_matches(dstchannel_ext, '{TRUNK}') OR regexp_matches(peer, '{TRUNK}'), false) AS to_trunk,
        coalesce(regexp_matches(dst, '{OUTSIDE}'), false) AS is_outside,
        -- the legs of a call that went out can keep the name of its trunk, whatever they ring
        to_trunk OR dst_trunk_name IS NOT NULL AND is_outside AS by_trunk,
        -- what is neither a number of the PBX nor a full number outside ends behind the outbound routes
        coalesce(lastdata LIKE '%wrong-number%', false) AND NOT is_outside AS misdialled,
        -- the firmware of 2013 has no action_type
        CASE
            WHEN action_type IS NOT NULL THEN regexp_extract(action_type, '^([^\\[]*)', 1)
            WHEN lastapp = 'VoiceMail' THEN 'VM'
            ELSE 'DIAL'
        END AS action,
        regexp_extract(action_type, '^[^\\[]*\\[([^\\]]*)\\]', 1) AS object,
        try_cast(regexp_extract(recordfiles_desc, 'start-time=(\\d{{10}})', 1) AS BIGINT) AS recorded
    FROM raw
),
kinds AS (
    SELECT
        *,
        {_case(0)} ELSE 'other' END AS kind,
        coalesce({_case(2)} ELSE coalesce(action_type, lastapp) END, '') AS target
    FROM named
),
offsets AS (
    SELECT
        pbx, call_id, min(called_at) AS began,
        min(start_at) AS first_start, arg_min(start_at, acct_id + epoch(start_at) / 1e10) AS numbered_start
    FROM raw GROUP BY pbx, call_id
),
zoned AS (
    SELECT o.*, c.offset_s AS zone_s FROM offsets o ASOF LEFT JOIN clock c ON o.began >= c.since
),
-- The zone is believed where the first leg starts when it says; a PBX with a wrong clock or zone
-- is taken at its own word: the first leg starts when the call does. In an autumn night the first
-- leg is not the one with the earliest wall time, but it still has the lowest number.
called AS (
    SELECT
        pbx, call_id, began, getvariable('calls_before') + row_number() OVER () AS call_no,
        CASE
            WHEN abs(epoch(first_start) - epoch(began) - zone_s) <= 900 OR first_start IS NULL
                OR abs(epoch(numbered_start) - epoch(began) - zone_s) <= 900
            THEN coalesce(zone_s, 0)
            ELSE CAST(round((epoch(first_start) - epoch(began)) / 900) * 900 AS BIGINT)
        END AS offset_s
    FROM zoned
),
-- The next change of the clock, if the call could last through it.
changing AS (
    SELECT a.*, n.since AS changes_at, n.offset_s - a.offset_s AS change_s
    FROM called a ASOF LEFT JOIN clock n ON a.began < n.since
),
-- t_*: seconds since the call began. Wall time that the old offset puts behind the change, or
-- before the call, is read with the new one. No leg starts before its call.
started AS (
    SELECT
        k.*, c.call_no, c.began, c.offset_s,
        coalesce(epoch(k.start_at) - epoch(c.began) - c.offset_s, 0) AS t_naive,
        epoch(c.changes_at) - epoch(c.began) AS t_change,
        coalesce(c.change_s, 0) AS change_s
    FROM kinds k JOIN changing c USING (pbx, call_id)
),
timed AS (
    SELECT
        *,
        CAST(greatest(CASE
            WHEN t_naive >= t_change OR t_naive < 0 AND t_naive - change_s >= t_change THEN t_naive - change_s
            ELSE t_naive
        END, 0) AS BIGINT) AS t_start,
        epoch(end_at) - epoch(start_at) AS wall_s,
        epoch(end_at) - epoch(answer_at) AS wall_answered_s
    FROM started
),
ended AS (
    SELECT
        *,
        CAST(t_start + CASE
            WHEN wall_s IS NULL OR wall_s < 0 OR abs(wall_s - duration_s) >= 900
            THEN greatest(coalesce(duration_s, 0), 0)
            ELSE wall_s
        END AS BIGINT) AS t_end
    FROM timed
)
SELECT
    call_no, pbx, call_id, began, offset_s, acct_id, uniqueid, src, new_src, dst, clid, caller_name, userfield,
    channel_ext, dcontext, dstchannel, lastapp, lastdata, disposition, src_trunk_name, dst_trunk_name, recordfiles,
    action, object, kind, target, t_start, t_end,
    CAST(least(greatest(t_end - CASE
        WHEN wall_answered_s IS NULL OR abs(wall_answered_s - billsec_s) >= 900 THEN coalesce(billsec_s, 0)
        ELSE wall_answered_s
    END, t_start), t_end) AS BIGINT) AS t_answer,
    recorded - CAST(epoch(began) AS BIGINT) AS t_recorded,
    {REACHES} AND disposition = 'ANSWERED' AND (kind <> 'queue' OR billsec_s > 0) AS by_person,
    CASE
        WHEN kind = 'external' OR by_trunk THEN coalesce(nullif(dstanswer, object), nullif(dst, object), dst)
        WHEN dstchannel_ext IS NOT NULL AND dstchannel_ext <> object THEN dstchannel_ext
        WHEN dstanswer IS NOT NULL AND dstanswer <> object THEN dstanswer
        ELSE coalesce(nullif(peer, ''), dst)
    END AS person,
    {REACHES} AND kind <> 'external' AND NOT by_trunk AS is_ring,
    {REACHES} AND (kind = 'external' OR by_trunk) AND disposition IN ('ANSWERED', 'NO ANSWER') AS rings_outside,
    kind = 'external' AND (to_trunk OR dst_trunk_name IS NOT NULL OR is_outside) AS goes_out,
    row_number() OVER () AS told_no,
    -- legs that no field of the key tells apart come in one order all the same
    hash(
        src, new_src, clid, caller_name, userfield, channel_ext, dstchannel_ext, dcontext, lastapp, lastdata, action,
        object, disposition, src_trunk_name, dst_trunk_name, dstanswer, recordfiles, recorded, t_end
    ) AS tie
FROM ended
"""
"""What each leg says by itself, and when; in any order."""

# A new step begins where kind or target changes, or the channel. The legs of a ring group round,
# of one stay in a queue, and of a call picked up from park follow each other, until a talk is over;
# a phone with several registrations has legs that start together.
#
# The windows see only the columns that they need, and the rest is joined to them: sorting whole legs
# costs twice the time.
SQL = f"""
WITH told AS MATERIALIZED ({_TOLD}),
ordered AS (
    SELECT
        told_no, call_no,
        row_number() OVER call AS leg_no,
        coalesce(
            kind = lag(kind) OVER call AND target = lag(target) OVER call
            AND (kind IN ('ring_group', 'queue', 'park') OR t_start = lag(t_start) OVER call)
            AND (kind = 'park' OR uniqueid = lag(uniqueid) OVER call)
            AND NOT coalesce(
                t_start >= max(t_talked) OVER before AND lag(t_start) OVER call < max(t_talked) OVER before, false
            ),
            false
        ) AS goes_on,
        dcontext = 'from-internal-xfer' AND kind <> 'park' AND uniqueid <> lag(uniqueid) OVER call AS moved
    FROM (SELECT *, CASE WHEN by_person THEN t_end END AS t_talked FROM told)
    WINDOW
        -- the numbers of the records start again with the month: a DID comes first all the same
        call AS (PARTITION BY call_no ORDER BY t_start, kind <> 'did', acct_id, uniqueid, dstchannel, dst, tie),
        before AS (
            PARTITION BY call_no ORDER BY t_start, kind <> 'did', acct_id, uniqueid, dstchannel, dst, tie
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),
placed AS (
    SELECT
        told_no, leg_no, moved,
        CAST(sum(CASE WHEN goes_on THEN 0 ELSE 1 END) OVER (
            PARTITION BY call_no ORDER BY leg_no) AS INTEGER) AS step_no
    FROM ordered
)
SELECT * EXCLUDE (told_no, tie, acct_id, dcontext) FROM told JOIN placed USING (told_no)
"""
