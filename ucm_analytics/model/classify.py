"""What each leg says, in our own words: all that is known of the PBX's way to write records.

Behind this view no stage of the model reads a field of the PBX. A quirk of a firmware is a line here, and a story in
`tests/scenarios`.
"""

from __future__ import annotations

from typing import Final

TRUNK: Final = r"^(trunk_.+|o\d+|g\d+)$"
"""What `channel_ext` and `dstchannel_ext` hold where that side is a trunk."""

OUTSIDE: Final = r"^\+?[0-9]{7,20}$"
"""What can be a number outside: as long as a telephone number, before it at most an access code and a prefix."""

KINDS: Final = (
    ("did", "is_copy AND action = 'DIAL' AND disposition <> 'ANSWERED'", "dst"),
    # a mailbox behind a menu or a queue may keep their action
    ("voicemail", "action = 'VM' OR lastapp = 'VoiceMail'", "dst"),
    # the leg of the one who picks up says ParkedCall, and the slot; the caller's says who it was
    ("park", "action = 'PARKEDCALL' AND lastapp = 'ParkedCall'", "src"),
    ("park", "action = 'PARKEDCALL'", "dst"),
    # a leg that a menu sent on still carries the menu's action
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
    ("other", "true", "coalesce(action_type, lastapp)"),
)
"""Kind of step, when a leg is one, and its target: the first condition that holds."""

_KIND = " ".join(f"WHEN {condition} THEN '{kind}'" for kind, condition, _ in KINDS)
_TARGET = " ".join(f"WHEN {condition} THEN {target}" for _, condition, target in KINDS)

SQL: Final = rf"""
WITH named AS (
    SELECT
        *,
        coalesce(lastapp = 'ForkCDR', false) AS is_copy,
        -- the firmware of 2013 has no action_type
        CASE
            WHEN action_type IS NOT NULL THEN regexp_extract(action_type, '^([^\[]*)', 1)
            WHEN lastapp = 'VoiceMail' THEN 'VM'
            ELSE 'DIAL'
        END AS action,
        regexp_extract(action_type, '^[^\[]*\[([^\]]*)\]', 1) AS object,
        regexp_extract(dstchannel, '^[^/]+/([^-@;/]+)', 1) AS peer,
        coalesce(regexp_matches(dstchannel_ext, '{TRUNK}') OR regexp_matches(peer, '{TRUNK}'), false) AS to_trunk,
        coalesce(regexp_matches(dst, '{OUTSIDE}'), false) AS is_outside,
        -- the legs of a call that went out can keep the name of its trunk, whatever they ring
        to_trunk OR dst_trunk_name IS NOT NULL AND is_outside AS by_trunk,
        -- what is neither a number of the PBX nor a full number outside ends behind the outbound routes
        coalesce(lastdata LIKE '%wrong-number%', false) AND NOT is_outside AS misdialled,
        epoch(end_at) - epoch(start_at) AS wall_s,
        epoch(end_at) - epoch(answer_at) AS wall_answered_s
    FROM raw
),
kinds AS (
    SELECT
        *,
        CASE {_KIND} END AS kind,
        kind = 'external' OR by_trunk AS leaves,
        -- Only a leg with a channel on the other side can have reached a person, whatever an unknown action is called.
        dstchannel IS NOT NULL AND NOT is_copy AND (
            kind IN ('extension', 'external', 'ring_group', 'queue', 'transfer', 'park')
            OR kind = 'other' AND lastapp = 'Dial'
        ) AS reaches
    FROM named
)
SELECT
    pbx, call_id, called_at, start_at AS start_wall,
    acct_id AS record_no, uniqueid AS caller_channel, dstchannel AS peer_channel,
    kind, coalesce(CASE {_TARGET} END, '') AS target, dst AS dialled,
    CASE
        WHEN leaves THEN coalesce(nullif(dstanswer, object), nullif(dst, object), dst)
        WHEN dstchannel_ext IS NOT NULL AND dstchannel_ext <> object THEN dstchannel_ext
        WHEN dstanswer IS NOT NULL AND dstanswer <> object THEN dstanswer
        ELSE coalesce(nullif(peer, ''), dst)
    END AS person,
    CASE
        WHEN disposition = 'ANSWERED' THEN 'answered'
        WHEN disposition = 'NO ANSWER' THEN 'no_answer'
        WHEN disposition = 'BUSY' THEN 'busy'
        WHEN disposition IN ('FAILED', 'CONGESTION', 'CHANUNAVAIL') THEN 'failed'
        WHEN disposition IS NOT NULL THEN 'unknown'
    END AS result,
    -- a queue leg without talk time is an announcement
    reaches AND disposition = 'ANSWERED' AND (kind <> 'queue' OR billsec_s > 0) AS by_person,
    reaches AND NOT leaves AS is_ring,
    reaches AND leaves AND disposition IN ('ANSWERED', 'NO ANSWER') AS rings_outside,
    kind = 'external' AND (to_trunk OR dst_trunk_name IS NOT NULL OR is_outside) AS goes_out,
    is_copy,
    dcontext = 'from-internal-xfer' AS is_transferred,
    lastapp = 'Playback' AND lastdata LIKE '%error%' AS gave_up,
    CASE WHEN action = 'FOLLOWME' THEN object END AS forwarded_from,
    CASE WHEN userfield IN ('Inbound', 'Outbound', 'External') THEN lower(userfield)
        WHEN userfield IN ('Internal', 'EXT') THEN 'internal'
    END AS direction,
    src AS shown_number,
    CASE WHEN regexp_matches(channel_ext, '{TRUNK}') THEN src ELSE coalesce(new_src, channel_ext, src)
    END AS own_number,
    coalesce(caller_name, nullif(regexp_extract(clid, '^"([^"]+)"', 1), '')) AS caller_name,
    coalesce(src_trunk_name, dst_trunk_name) AS trunk,
    rtrim(recordfiles, '@') AS recordings,
    try_cast(regexp_extract(recordfiles_desc, 'start-time=(\d{{10}})', 1) AS BIGINT) AS recorded_epoch,
    CASE WHEN wall_s IS NULL OR wall_s < 0 OR abs(wall_s - duration_s) >= 900
        THEN greatest(coalesce(duration_s, 0), 0) ELSE wall_s
    END AS lasted_s,
    CASE WHEN wall_answered_s IS NULL OR abs(wall_answered_s - billsec_s) >= 900
        THEN coalesce(billsec_s, 0) ELSE wall_answered_s
    END AS answered_s,
    hash(
        src, new_src, clid, caller_name, userfield, channel_ext, dstchannel_ext, dcontext, lastapp, lastdata, action,
        object, disposition, src_trunk_name, dst_trunk_name, dstanswer, recordfiles, recordfiles_desc, lasted_s
    ) AS tie
FROM kinds
"""
"""One row a leg. Words that need a word:

- `target`, `dialled`, `person`: what the leg is about, the number it was called by, who was or would have been reached
- `by_person`, `is_ring`, `rings_outside`: a person picked up; a phone of the house rang; a number outside rang
- `goes_out`: it went, or was to go, to a number outside
- `is_copy`: it tells once more what another leg tells
- `is_transferred`: the channel was moved here by a transfer
- `gave_up`: the PBX hung up after missing or invalid keys
- `shown_number`, `own_number`: the caller as shown; and as the PBX knows its own extensions
- `lasted_s`, `answered_s`: start to end, and answer to end [s], on the wall clock as long as it did not change between
- `tie`: makes legs that nothing else tells apart come in one order all the same
"""
