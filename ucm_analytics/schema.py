"""Every column of every table, declared once: type, unit, meaning.

The data dictionary is generated from here, files are written by it, and analyses check
their input against it. Naming: seconds end in ``_s``, instants in ``_at``, shares are 0-1
and end in ``_rate``.

Types are spelled ``string``, ``category`` (text with few distinct values: dictionary-encoded in
Arrow, ``category`` in pandas), ``int64``, ``int32``, ``bool``, ``wall`` (naive PBX wall time),
``utc`` (instant) and ``map`` (text to JSON text).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Dtype = Literal["string", "category", "int64", "int32", "bool", "wall", "utc", "map"]
TableName = Literal["legs", "steps", "rings", "calls"]

VERSION: Final = 3
"""Raised when a table's columns or the model's rules change; `Store.rebuild` then runs by itself."""


@dataclass(frozen=True)
class Column:
    """One column: its name, type, unit and meaning; `raw` is the PBX's own name for it."""

    name: str
    dtype: Dtype
    meaning: str
    unit: str = ""
    raw: str = ""

    @property
    def is_text(self) -> bool:
        return self.dtype in ("string", "category")


def _raw(raw: str, dtype: Dtype, meaning: str, name: str = "", unit: str = "") -> Column:
    return Column(name or raw, dtype, meaning, unit, raw)


_KEY = (
    Column("pbx", "category", "name of the PBX, as given to `connect --name`"),
    Column(
        "call_id",
        "string",
        "key of the call: the leg's session, else its uniqueid, else its own start and AcctId",
    ),
)

LEGS: Final[tuple[Column, ...]] = (
    *_KEY,
    Column(
        "called_at",
        "utc",
        "start of the call the leg belongs to: the epoch in session, else in uniqueid, else start; 2000 to 2099",
    ),
    # the 22 fields of 2013
    _raw("AcctId", "int64", "row number; restarts every month on some firmware", "acct_id"),
    _raw("accountcode", "category", "account code or PIN group"),
    _raw("src", "string", "caller number as presented"),
    _raw("dst", "string", "number dialled, or the destination object of the leg"),
    _raw("dcontext", "category", "dialplan context"),
    _raw("clid", "string", 'caller id, `"name" <number>`'),
    _raw("channel", "string", "channel of the calling side"),
    _raw("dstchannel", "string", "channel of the called side; empty for menus, voicemail, park"),
    _raw("lastapp", "category", "last dialplan application"),
    _raw("lastdata", "string", "its arguments, cut at about 255 characters"),
    _raw("start", "wall", "start of the leg", "start_at"),
    _raw("answer", "wall", "answer of the leg; filled on NO ANSWER legs too", "answer_at"),
    _raw("end", "wall", "end of the leg; empty on BUSY and FAILED", "end_at"),
    _raw("duration", "int64", "start to end, may be one second short", "duration_s", "s"),
    _raw("billsec", "int64", "answer to end; ring group winners count ringing too", "billsec_s", "s"),
    _raw("disposition", "category", "ANSWERED, NO ANSWER, BUSY, FAILED: of the leg, by anything"),
    _raw("amaflags", "category", "constant DOCUMENTATION"),
    _raw("uniqueid", "string", "`<epoch>.<sequence>` of the channel"),
    _raw("userfield", "category", "Inbound, Outbound, Internal, External"),
    _raw("channel_ext", "category", "extension or trunk behind channel"),
    _raw("dstchannel_ext", "category", "extension or trunk behind dstchannel"),
    _raw("service", "category", "s SIP, p PSTN"),
    # the 32-field firmware adds
    _raw("caller_name", "string", "caller name"),
    _raw("recordfiles", "string", "recordings, joined by `@`"),
    _raw("dstanswer", "string", "who answered"),
    _raw("chanext", "category", "unused"),
    _raw("dstchanext", "category", "unused"),
    _raw("session", "string", "`<epoch><microseconds, unpadded>-<caller>`, one per call"),
    _raw("action_owner", "string", "who triggered the action"),
    _raw("action_type", "category", "what this leg did: DIAL, IVR[7000], RINGGROUP[6400], ..."),
    _raw("src_trunk_name", "category", "trunk the call came in by"),
    _raw("dst_trunk_name", "category", "trunk the call went out by"),
    # the 43-field firmware adds
    _raw("nat_call", "category", "caller behind NAT"),
    _raw("nat_call_peer", "category", "callee behind NAT"),
    _raw("video_call", "category", "video"),
    _raw("gdms_unique_code", "category", "RemoteConnect id"),
    _raw("gds_call", "category", "door system call"),
    _raw("gsc_call", "category", "GSC call"),
    _raw("wave_src_seqid", "string", "Wave client message id, caller"),
    _raw("wave_dst_seqid", "string", "Wave client message id, callee"),
    _raw("device_info", "category", "caller's phone model"),
    _raw("device_info_peer", "category", "callee's phone model"),
    _raw("recordfiles_desc", "string", "length, size and start of each recording"),
    # newer firmware adds
    _raw("anonymous_call", "category", "caller hid the number"),
    _raw("reason", "category", "meaning not published"),
    _raw("wave_src_hide", "category", "Wave, caller hidden"),
    _raw("wave_dst_hide", "category", "Wave, callee hidden"),
    _raw("new_src", "string", "real internal caller when src is masked"),
    _raw("sn", "category", "serial number of the PBX"),
    # what makes the table lossless
    _raw("cdr", "string", "key that the PBX puts on a leg outside a group: the session, or empty"),
    Column("fields", "category", "the leg's field names in the order they arrived, a JSON list"),
    Column("extra", "map", "fields not declared here, and values a typed column cannot hold, as JSON"),
    Column("set_aside", "category", "why no call is made of this leg; null if one is"),
)

_READ: Final = frozenset(
    (
        *("pbx", "call_id", "called_at", "acct_id", "src", "dst", "dcontext", "clid", "dstchannel", "lastapp"),
        *("lastdata", "start_at", "answer_at", "end_at", "duration_s", "billsec_s", "disposition", "uniqueid"),
        *("userfield", "channel_ext", "dstchannel_ext", "caller_name", "recordfiles", "recordfiles_desc", "dstanswer"),
        *("action_type", "src_trunk_name", "dst_trunk_name", "new_src"),
    )
)
READ: Final = tuple(column for column in LEGS if column.name in _READ)
"""Columns of LEGS from which the story of a call is told."""

STEP_KINDS: Final[dict[str, str]] = {
    "did": "the number dialled from outside, before it is routed",
    "ivr": "a menu",
    "queue": "one visit to a queue, however many agents rang",
    "ring_group": "one round of a ring group, however many phones rang",
    "extension": "one extension rang, or could not be reached",
    "external": "a number outside, reached by a trunk or handed to the outbound routes in vain",
    "voicemail": "a mailbox recorded or played its greeting",
    "park": "waiting in a park slot, or picked up from it",
    "transfer": "sent on to this number after talking to somebody",
    "other": "anything else; the raw action is the target",
}

STEP_RESULTS: Final[dict[str, str]] = {
    "answered": "a person picked up in this step",
    "next": "the call went on to the next step without a person",
    "hung_up": "the call ended here: the caller left",
    "timed_out": "the PBX ended the call here: menu gave up after missing or invalid keys",
    "recorded": "voicemail took the call",
    "busy": "the called side was busy and the call ended here",
    "failed": "the call could not be placed and ended here",
}

STEPS: Final[tuple[Column, ...]] = (
    *_KEY,
    Column("step_no", "int32", "1, 2, ... in the order the caller went through"),
    Column("kind", "category", "one of STEP_KINDS"),
    Column("target", "category", "number of the menu, queue, group, extension, slot, or the number dialled"),
    Column("entered_at", "utc", "the caller came in"),
    Column("left_at", "utc", "the caller went on, or the call ended"),
    Column("local_at", "wall", "entered_at on the PBX's wall clock"),
    Column("dwell_s", "int64", "left_at - entered_at", "s"),
    Column("wait_s", "int64", "entered_at until a person picked up, else dwell_s", "s"),
    Column("talk_s", "int64", "time with a person in this step", "s"),
    Column("result", "category", "one of STEP_RESULTS"),
    Column("answered_by", "category", "extension or number of the person who picked up; null if nobody"),
    Column("phones", "int32", "phones that rang in this step"),
    Column("legs", "int32", "CDR rows in this step"),
)

RING_RESULTS: Final[dict[str, str]] = {
    "answered": "this phone was picked up",
    "elsewhere": "another phone of the same ring was picked up",
    "missed": "nobody picked up",
    "busy": "the phone was busy",
    "failed": "the phone could not be reached",
}

RINGS: Final[tuple[Column, ...]] = (
    *_KEY,
    Column("step_no", "int32", "the step in which the phone rang"),
    Column("ring_no", "int32", "1, 2, ... within the call"),
    Column("extension", "category", "the extension whose phone rang"),
    Column("rang_at", "utc", "ringing began"),
    Column("local_at", "wall", "rang_at on the PBX's wall clock"),
    Column("ring_s", "int64", "ringing until picked up or given up", "s"),
    Column("talk_s", "int64", "time the phone talked to the caller", "s"),
    Column("result", "category", "one of RING_RESULTS"),
    Column("via", "category", "kind of the step: extension, ring_group, queue, transfer, ..."),
    Column("direction", "category", "direction of the call"),
)

DIRECTIONS: Final[dict[str, str]] = {
    "inbound": "came in by a trunk",
    "outbound": "left by a trunk, or failed before one was chosen and the number dialled has 7 to 20 digits",
    "internal": "between extensions and objects of the PBX; or a number that no route takes, not of 7 to 20 digits",
    "external": "from trunk to trunk",
    "unknown": "failed on a route before a trunk was chosen, with another number; or the PBX does not say",
}

CAME_BY_TRUNK: Final = ("inbound", "external")
"""Directions whose caller is outside."""

LEFT_BY_TRUNK: Final = ("outbound", "external")
"""Directions whose dialled number is outside."""

OUTCOMES: Final[dict[str, str]] = {
    "answered": "a person answered the caller",
    "voicemail": "nobody answered, a mailbox took the call",
    "abandoned": "a caller from outside, or any caller in a menu or queue, left before anybody answered",
    "disconnected": "the menu ended the call after missing or invalid keys",
    "no_answer": "an outbound or internal call that rang and nobody answered",
    "busy": "the called side was busy",
    "failed": "the call could not be placed",
}

CALLS: Final[tuple[Column, ...]] = (
    *_KEY,
    Column("started_at", "utc", "the call reached the PBX"),
    Column("ended_at", "utc", "the last leg of the call ended, or of an answered row that goes on with it"),
    Column("local_at", "wall", "started_at on the PBX's wall clock"),
    Column("utc_offset_s", "int32", "local_at - started_at", "s"),
    Column("direction", "category", "one of DIRECTIONS"),
    Column("caller", "string", "number or extension of the caller"),
    Column("caller_name", "string", "name shown with it"),
    Column("callee", "string", "first number dialled: the DID of inbound calls, else the number"),
    Column("entry", "category", "`kind:target` of the first step behind the DID"),
    Column("outcome", "category", "one of OUTCOMES: what happened to the caller"),
    Column("ended_in", "category", "kind of the step in which the call ended"),
    Column(
        "answered_by",
        "category",
        "first person who answered, here or in a row that goes on with this call: extension or number; null if nobody",
    ),
    Column("answered_at", "utc", "when; null if nobody"),
    Column("wait_s", "int64", "started_at until a person or a mailbox answered, else until the end", "s"),
    Column("ring_s", "int64", "part of wait_s in which phones rang outside queues", "s"),
    Column("ivr_s", "int64", "time in menus", "s"),
    Column("queue_s", "int64", "time in queues until a person picked up or the caller left", "s"),
    Column(
        "talk_s",
        "int64",
        "time with people, all of them together, also in the rows that go on with this call; not in conference rooms,"
        " whose records do not show who was there",
        "s",
    ),
    Column("voicemail_s", "int64", "time in a mailbox", "s"),
    Column("duration_s", "int64", "ended_at - started_at", "s"),
    Column("path", "string", "`kind:target` of every step but the DID, joined by ` > `"),
    Column("steps", "int32", "steps of the call"),
    Column("legs", "int32", "CDR rows of the call"),
    Column("phones", "int32", "phones that rang"),
    Column("transfers", "int32", "transfers"),
    Column("queue", "category", "first queue; null if none"),
    Column("trunk", "category", "trunk in or out; null if internal"),
    Column("recordings", "string", "recording files, joined by `@`; null if none"),
    Column("exact_pickup", "bool", "false where the records do not show when the phone was picked up"),
    Column(
        "forward_of",
        "string",
        "call_id of the call that this row goes on with, the first of its line; null if none is certain",
    ),
    Column(
        "is_forward",
        "bool",
        "this row goes on with a call that has a row of its own (follow-me, picked up from park): no new caller",
    ),
)

CALLER_KINDS: Final[dict[str, str]] = {
    "number": "a telephone number; caller_number is null where it is not valid in the PBX's country",
    "extension": "an extension of the PBX",
    "anonymous": "the number is hidden",
    "name": "text that is no number",
    "unknown": "digits that are neither a telephone number nor an extension",
}

NUMBERS: Final[tuple[Column, ...]] = (
    Column(
        "caller_number",
        "string",
        "caller as E.164 (+12025550142) where valid in the PBX's country, extensions as they are, else null;"
        " without a country only numbers that begin with +",
    ),
    Column("callee_number", "string", "callee, likewise; extensions, queues and menus as they are"),
    Column("caller_kind", "category", "one of CALLER_KINDS"),
)
"""Columns that calls have in the store, after those of CALLS: read from `caller` and `callee`."""

DIRECTORY_KINDS: Final = ("extension", "queue", "ivr", "ring_group", "trunk", "did")

DIRECTORY: Final[tuple[Column, ...]] = (
    Column("pbx", "category", "name of the PBX, as given to `connect --name`"),
    Column("kind", "category", f"one of {', '.join(DIRECTORY_KINDS)}"),
    Column("number", "string", "its number; of trunks their index"),
    Column("name", "string", "its name"),
    Column(
        "key",
        "string",
        "key of the menu: 0 to 9, *, #, timeout, invalid; dial: callers may dial any number of the target's kind;"
        " empty for the thing itself",
    ),
    Column("target_kind", "category", "what the key or the number dialled leads to; empty if nothing"),
    Column("target", "string", "its number"),
    Column("valid_from", "wall", "day of the sync that first saw the row; null: always, as far as is known"),
    Column("valid_to", "wall", "day of the sync that no longer saw it, from which it does not hold; null: holds"),
)

TABLES: Final[dict[TableName, tuple[Column, ...]]] = {
    "legs": LEGS,
    "steps": STEPS,
    "rings": RINGS,
    "calls": CALLS,
}
"""Tables as `legs` and `model` make them."""

STORED: Final[dict[TableName, tuple[Column, ...]]] = {**TABLES, "calls": (*CALLS, *NUMBERS)}
"""Tables as the store holds them."""

KEY: Final = ("pbx", "session", "acct_id", "uniqueid", "dstchannel")
"""What makes a leg one leg. AcctId alone restarts every month on some firmware."""

UNNUMBERED: Final = ("start_at", "dst", "lastapp", "action_type")
"""What tells legs apart beside `KEY` where the PBX gave no number that can be read."""


@cache
def arrow_schema(table: TableName) -> pa.Schema:
    """Arrow schema of a table as `legs` and `model` make it."""
    return _arrow(TABLES[table])


@cache
def stored_schema(table: TableName | Literal["directory"]) -> pa.Schema:
    """Arrow schema of a table as the store holds it."""
    return _arrow(DIRECTORY if table == "directory" else STORED[table])


def _arrow(columns: tuple[Column, ...]) -> pa.Schema:
    import pyarrow as pa

    types: dict[Dtype, pa.DataType] = {
        "string": pa.string(),
        "category": pa.dictionary(pa.int32(), pa.string()),
        "int64": pa.int64(),
        "int32": pa.int32(),
        "bool": pa.bool_(),
        "wall": pa.timestamp("us"),
        "utc": pa.timestamp("us", tz="UTC"),
        "map": pa.map_(pa.string(), pa.string()),
    }
    return pa.schema([pa.field(c.name, types[c.dtype]) for c in columns])
