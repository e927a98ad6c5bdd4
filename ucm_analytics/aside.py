"""Which records are set aside: kept as they came, but in no call, because no call can be like that.

A PBX may send anything: its clock starts in 2000 after a power cut and is set years ahead during a
call, counters overflow, texts do not end. One such record must not keep the others from becoming calls, and
must not move sums, means or the time that a day stays open by years. So a leg is set aside by itself, with
the first reason that holds, where the model meets it first; the other legs of its call tell the call without it.

What cannot be read at all (a date of zeros, a number that is none) is no reason: it counts as absent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.schema import READ

FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
END: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Instants that are believed: no PBX of this kind is older, and a clock without power starts in 2000 or later."""

LONGEST: Final = timedelta(days=7)
"""The longest call that is believed: a receiver that lay beside its phone over the holidays, but no clock that
was set. As long as the longest call that came, days stay open."""

_ZONE: Final = timedelta(days=1)
"""Wall clocks are less than a day from UTC."""

TEXT: Final = 4_000
"""Bytes of the longest text that is believed, and that a column holds. The PBX cuts most at about 255; a record of
many recordings has more."""

_TEXTS: Final = pa.array(["session", *(column.raw for column in READ if column.raw and column.is_text)])
"""Texts that the model reads: fields of the PBX."""


@dataclass(frozen=True)
class Rule:
    """One reason to set a leg aside, in words, and the legs for which it holds: true, false or null."""

    reason: str
    holds: Callable[[pa.Table], pa.Array]


RULES: Final = (
    Rule("no time from 2000 to 2099", lambda legs: pc.is_null(legs["called_at"])),
    Rule("session from before 2000 or after 2099", lambda legs: _incredible(epoch(legs["session"]))),
    Rule("start far from the call", lambda legs: _far(legs, "start_at")),
    Rule("answer far from the call", lambda legs: _far(legs, "answer_at")),
    Rule("end far from the call", lambda legs: _far(legs, "end_at")),
    Rule("duration of more than 7 days", lambda legs: _long(legs["duration_s"])),
    Rule("billsec of more than 7 days", lambda legs: _long(legs["billsec_s"])),
    Rule("text of more than 4,000 bytes", lambda legs: _endless(legs["extra"].combine_chunks())),
)
"""The first one that holds is the reason. Legs are told by their own fields, so that the reason never changes."""


def reasons(legs: pa.Table) -> pa.ChunkedArray:
    """Why each leg is set aside; null for those of which calls are made.

    Parameters
    ----------
    legs : pyarrow.Table
        Columns of `schema.LEGS`.
    """
    nothing = pa.scalar(None, pa.string())
    return pc.coalesce(*(pc.if_else(rule.holds(legs), rule.reason, nothing) for rule in RULES))


def believed(instants: pa.Array) -> pa.Array:
    """The instants from `FIRST` to before `END`, null for the others."""
    low, high = (pa.scalar(instant, instants.type) for instant in (FIRST, END))
    return pc.if_else(pc.and_(pc.greater_equal(instants, low), pc.less(instants, high)), instants, None)


def epoch(ids: pa.Array) -> pa.Array:
    """UTC instant in the first ten digits of a session, or of a channel's number; null where there is none."""
    digits = pc.if_else(pc.match_substring_regex(ids, r"^[0-9]{10}"), pc.utf8_slice_codeunits(ids, 0, 10), None)
    return pc.multiply(digits.cast(pa.int64()), 1_000_000).cast(pa.timestamp("us", tz="UTC"))


def in_calls(legs: pa.Table) -> pa.Table:
    """The legs that are not set aside."""
    return legs.filter(pc.is_null(legs["set_aside"])) if legs["set_aside"].null_count < legs.num_rows else legs


def _incredible(instants: pa.Array) -> pa.Array:
    return pc.and_(pc.is_valid(instants), pc.is_null(believed(instants)))


def _far(legs: pa.Table, name: str) -> pa.Array:
    """Whether a wall time lies before the call or more than the longest call after it, in any zone."""
    wall, called = legs[name].cast(pa.int64()), legs["called_at"].cast(pa.int64())
    low = pc.subtract(called, _us(_ZONE))
    return pc.or_(pc.less(wall, low), pc.greater(wall, pc.add(called, _us(LONGEST + _ZONE))))


def _long(seconds: pa.Array) -> pa.Array:
    most = int(LONGEST.total_seconds())
    return pc.or_(pc.less(seconds, -most), pc.greater(seconds, most))


def _endless(extra: pa.MapArray) -> pa.Array:
    """Whether a text that the model reads is too long for its column."""
    named = pc.is_in(extra.keys, value_set=_TEXTS)
    found = pc.indices_nonzero(pc.and_(named, pc.greater(pc.binary_length(extra.items), TEXT))).to_pylist()
    ends = extra.offsets.to_pylist() if found else []
    rows = {bisect_right(ends, place) - 1 for place in found}
    return pa.array([row in rows for row in range(len(extra))], pa.bool_())


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
