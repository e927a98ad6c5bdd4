"""What each leg says, a second time: a check of `classify`, with which it shares no code, no engine and no words.

`analyses.reconciliation` counts the legs by these kinds and compares with what the model made of them.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, Final

import narwhals.stable.v2 as nw

FIELDS: Final = (
    *("dst", "dcontext", "dstchannel", "dstchannel_ext", "lastapp", "disposition", "billsec_s"),
    *("action_type", "dst_trunk_name"),
)
"""Columns of LEGS that are read."""

_RUNG: Final = ("queue", "ring_group", "park", "transfer", "extension")
"""Kinds of leg behind which a phone can ring; an action that is not known rings one if it dials."""

_SHORTEST: Final = 7
"""Digits of the shortest number outside that is certainly one."""


def classified(legs: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Legs with `kind`, and whether each `is_ring` of a phone, was `answered`, was `picked_up` by a person.

    Parameters
    ----------
    legs : narwhals LazyFrame
        One row per CDR row, with `FIELDS`.
    """
    app, dst, raw = nw.col("lastapp").fill_null(""), nw.col("dst").fill_null(""), nw.col("raw")
    frame = legs.with_columns(
        raw=nw.when(~nw.col("action_type").is_null())
        .then(nw.col("action_type"))
        .otherwise(nw.when(app == "VoiceMail").then(nw.lit("VM")).otherwise(nw.lit("DIAL"))),
        answered=(nw.col("disposition") == "ANSWERED").fill_null(False),
        has_phone=~nw.col("dstchannel").is_null() & (app != "ForkCDR"),
    )
    # regular expressions are slow: they see only the rows that the tests before leave over
    own_menu = raw.str.replace_all(r"\].*$", "]") == nw.concat_str(nw.lit("IVR["), dst, nw.lit("]"))
    # an announcement instead of a call, for what is too short to be a number outside
    misdialled = dst.str.len_chars() < _SHORTEST
    # whatever sent it out; the legs of a call that went out can keep the name of its trunk, whatever they ring
    sent_out = (
        nw.col("dstchannel_ext").str.contains(r"^(trunk_.+|o\d+|g\d+)$").fill_null(False)
        | nw.col("dstchannel").str.contains(r"^[^/]+/(trunk_[^-@;/]+|o\d+|g\d+)([-@;/]|$)").fill_null(False)
        | (~nw.col("dst_trunk_name").is_null() & dst.str.contains(r"^\+?[0-9]{7,20}$"))
    )
    dialled_out = (
        ~nw.col("dst_trunk_name").is_null()
        | nw.col("dcontext").str.starts_with("outbound-route").fill_null(False)
        | ((nw.col("dcontext") == "after-outbound-context") & ~((app == "Playback") & misdialled)).fill_null(False)
    )
    kinds = (
        ("did", (app == "ForkCDR") & _is(raw, "DIAL") & ~nw.col("answered")),
        ("voicemail", _is(raw, "VM") | (app == "VoiceMail")),
        ("menu", nw.when(_is(raw, "IVR")).then(own_menu).otherwise(nw.lit(False))),
        ("outside", sent_out),
        ("park", _is(raw, "PARKEDCALL")),
        ("queue", _is(raw, "QUEUE")),
        ("ring_group", _is(raw, "RINGGROUP")),
        ("transfer", _is(raw, "TRANSFER")),
        ("outside", dialled_out),
        ("extension", _is(raw, "DIAL") | _is(raw, "IVR") | _is(raw, "FOLLOWME")),
    )
    kind = reduce(
        lambda otherwise, each: nw.when(each[1]).then(nw.lit(each[0])).otherwise(otherwise),
        reversed(kinds),
        nw.lit("other"),
    )
    frame = frame.with_columns(kind=kind)
    rung = nw.col("has_phone") & (nw.col("kind").is_in(_RUNG) | ((nw.col("kind") == "other") & (app == "Dial")))
    # a queue leg that was answered for 0 s played an announcement
    spoke = ~_is(raw, "QUEUE") | (nw.col("billsec_s") > 0).fill_null(False)
    return frame.with_columns(
        is_ring=rung,
        picked_up=nw.col("answered") & (rung | (nw.col("has_phone") & (nw.col("kind") == "outside"))) & spoke,
    )


def _is(raw: nw.Expr, action: str) -> nw.Expr:
    """Whether a raw action such as ``QUEUE[6500]`` is of this kind."""
    return (raw == action) | raw.str.starts_with(f"{action}[")
