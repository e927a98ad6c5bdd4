"""Where calls go that leave the house by a trunk: what a provider bills, and what toll fraud is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import narwhals.stable.v2 as nw

from ucm_analytics.analyses.caller_keys import with_one_writing
from ucm_analytics.analyses.dialling import number
from ucm_analytics.analyses.population import came_by_trunk, dialled_outside, leaves
from ucm_analytics.schema import Column

READ: Final = ("direction", "callee", "path")
"""Columns that tell."""

_SENT_ON: Final = r" > transfer:\+?[0-9]{7,}$"
"""Sent on outside as the last thing: then it is that number that talks, whoever was called before."""


def leaving(frame: nw.LazyFrame[Any], columns: Iterable[Column]) -> nw.LazyFrame[Any]:
    """The calls that leave by a trunk; ``callee`` is the number outside, and ``number`` its international form."""
    on = nw.col("path").str.contains(_SENT_ON).fill_null(False)
    called = nw.col("path").str.contains("external:") & ~on
    sent = nw.when(called).then(_last("external")).otherwise(_last("transfer"))
    dialled = nw.when(dialled_outside() & ~on)
    return frame.filter(leaves()).with_columns(
        callee=dialled.then(nw.col("callee")).otherwise(sent),
        number=dialled.then(number("callee", columns)).otherwise(sent),
    )


def with_callers(frame: nw.LazyFrame[Any], columns: Iterable[Column]) -> nw.LazyFrame[Any]:
    """The calls, ``caller`` in one way of writing where it is a number outside."""
    outside = came_by_trunk()
    caller = nw.when(outside).then(number("caller", columns)).otherwise("caller")
    return with_one_writing(frame.with_columns(caller=caller), "caller", outside)


def _last(kind: str) -> nw.Expr:
    """Target of the last step of this kind."""
    return nw.col("path").str.replace_all(f"^.*{kind}:", "").str.replace_all(" > .*$", "")
