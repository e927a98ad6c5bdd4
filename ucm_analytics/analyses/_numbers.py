"""Telephone numbers: one key for a caller however the number is written, and where a number lies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from typing import Any, Final

import narwhals.stable.v2 as nw

from ucm_analytics.analyses._countries import COUNTRIES
from ucm_analytics.analyses._frame import _narwhals
from ucm_analytics.schema import Column

OPTIONAL: Final = {
    name: Column(name, "string", "number in international form") for name in ("caller_number", "callee_number")
}
"""Columns that an analysis reads where a calls table has them."""

_WRITTEN: Final = re.compile(r"[+\d\s()./-]+")
COMPARABLE: Final = 9
"""Digits that two ways of writing a number must share at the end: the shortest national numbers with area code."""


def optional(calls: Any, *names: str) -> tuple[Column, ...]:
    """The columns among `names` that the frame has."""
    found = set(_narwhals(calls, "calls").columns)
    return tuple(OPTIONAL[name] for name in names if name in found)


def number(side: str, columns: Iterable[Column]) -> nw.Expr:
    """The number of ``caller`` or ``callee``: in international form where the frame has that."""
    if f"{side}_number" in {column.name for column in columns}:
        return nw.coalesce(f"{side}_number", side)
    return nw.col(side)


def country(full: str | None) -> str | None:
    """Country code that a number in international form begins with; None if there is no such code."""
    if full is None:
        return None
    return next((full[:n] for n in (3, 2, 1) if full[:n] in COUNTRIES), None)


def in_full(frame: nw.LazyFrame[Any], home: str) -> nw.LazyFrame[Any]:
    """The frame with ``full``, its ``number`` with country code, as digits.

    It is null for what is internal, withheld or a name, and for a national number where `home` is not given.
    """
    written = nw.col("number")
    # a column of its own is computed once; in each rule that names it again, once for each
    frame = frame.with_columns(plain=written.str.replace_all("[^0-9]", ""))
    plain = nw.col("plain")
    length = plain.str.len_chars()
    rules = [
        (written.str.strip_chars().str.starts_with("+"), plain),
        (plain.str.starts_with("00"), plain.str.slice(2)),
        *(
            [
                (plain.str.starts_with("011"), plain.str.slice(3)),
                ((length == 10) & ~plain.str.starts_with("0"), nw.concat_str(nw.lit("1"), plain)),
            ]
            if home == "1"
            else []
        ),
        (
            plain.str.starts_with("0"),
            nw.lit(None, nw.String) if home in ("", "1") else nw.concat_str(nw.lit(home), plain.str.slice(1)),
        ),
        (length >= 10, plain),
    ]
    full = reduce(
        lambda rest, rule: nw.when(rule[0]).then(rule[1]).otherwise(rest), rules[::-1], nw.lit(None, nw.String)
    )
    frame = frame.with_columns(full=nw.when(written.str.contains(r"^[+0-9\s()./-]+$")).then(full))
    return frame.with_columns(full=nw.when(nw.col("full") != "").then(nw.col("full"))).drop("plain")


def with_country(frame: nw.LazyFrame[Any], home: str) -> nw.LazyFrame[Any]:
    """The frame `in_full`, with ``code``, the country code of the number; null where there is no such code."""
    begins = [nw.col("full").str.head(n) for n in (1, 2, 3)]
    known = [
        nw.when(begin.is_in([code for code in COUNTRIES if len(code) == n])).then(begin)
        for n, begin in enumerate(begins, 1)
    ]
    return in_full(frame, home).with_columns(code=nw.coalesce(*known))


def area(code: str | None) -> str | None:
    """Name of a country code, such as ``+49 Germany``."""
    return None if code is None else f"+{code} {COUNTRIES[code]}"
