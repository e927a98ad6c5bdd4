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
    found = set(_narwhals(calls, "calls").collect_schema().names())
    return tuple(OPTIONAL[name] for name in names if name in found)


def number(side: str, columns: Iterable[Column]) -> nw.Expr:
    """The number of ``caller`` or ``callee``: in international form where the frame has that."""
    if f"{side}_number" in {column.name for column in columns}:
        return nw.coalesce(f"{side}_number", side)
    return nw.col(side)


def digits(written: Any) -> str | None:
    """Digits of a number, without leading zeros; None if it is withheld, a name or nothing.

    Examples
    --------
    >>> digits("+49 30 5550142"), digits("00493055550142"), digits("anonymous"), digits("")
    ('49305550142', '493055550142', None, None)
    """
    if not isinstance(written, str) or not _WRITTEN.fullmatch(written):
        return None
    return re.sub(r"\D", "", written).lstrip("0") or None


def keys(numbers: Iterable[Any]) -> dict[Any, str]:
    """One key for each number, the same for national and international writings of one number.

    Two numbers are the same if the digits of one, at least nine without leading zeros, end the digits of the
    other. A short writing that fits several long ones is none of them. Numbers that are withheld have no key.

    Examples
    --------
    >>> keys(["+49305550142", "0305550142", "12125550142", "13125550142", "anonymous"])
    {'+49305550142': '49305550142', '0305550142': '49305550142', '12125550142': '12125550142', \
'13125550142': '13125550142'}
    """
    of = {written: found for written in numbers if (found := digits(written)) is not None}
    # Reversed and sorted, the numbers that end in a number follow it directly.
    backwards = sorted({found[::-1] for found in of.values() if len(found) >= COMPARABLE})
    longest: dict[str, str | None] = {}
    for n in range(len(backwards) - 1, -1, -1):
        this = backwards[n]
        longer = [*_starting(this, backwards, n + 1)]
        longest[this] = this if not longer else longest[longer[0]] if len(longer) == 1 else None
    whole = {this[::-1]: (end or this)[::-1] for this, end in longest.items()}
    return {written: whole.get(found, found) for written, found in of.items()}


def international(written: Any, home: str) -> str | None:
    """Number with its country code, as digits; None if it is internal, or national and `home` is not given.

    Examples
    --------
    >>> international("0305550142", "49"), international("011442079460142", "1"), international("+881655501", "")
    ('49305550142', '442079460142', '881655501')
    >>> international("2025550142", "1"), international("1004", "1"), international("0305550142", "")
    ('12025550142', None, None)
    """
    if not isinstance(written, str) or not _WRITTEN.fullmatch(written):
        return None
    plain = re.sub(r"\D", "", written)
    if written.strip().startswith("+"):
        return plain or None
    if plain.startswith("00"):
        return plain[2:] or None
    if home == "1":
        if plain.startswith("011"):
            return plain[3:] or None
        if len(plain) == 10 and not plain.startswith("0"):
            return f"1{plain}"
    if plain.startswith("0"):
        return home + plain[1:] if home not in ("", "1") else None
    return plain if len(plain) >= 10 else None


def country(full: str | None) -> str | None:
    """Country code that a number in international form begins with; None if there is no such code."""
    if full is None:
        return None
    return next((full[:n] for n in (3, 2, 1) if full[:n] in COUNTRIES), None)


def with_country(frame: nw.LazyFrame[Any], home: str) -> nw.LazyFrame[Any]:
    """The frame with ``full`` and ``code``: what `international` and `country` say of its ``number``."""
    written = nw.col("number")
    plain = written.str.replace_all("[^0-9]", "")
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
    frame = frame.with_columns(full=nw.when(nw.col("full") != "").then(nw.col("full")))
    begins = [nw.col("full").str.head(n) for n in (1, 2, 3)]
    known = [
        nw.when(begin.is_in([code for code in COUNTRIES if len(code) == n])).then(begin)
        for n, begin in enumerate(begins, 1)
    ]
    return frame.with_columns(code=nw.coalesce(*known))


def area(code: str | None) -> str | None:
    """Name of a country code, such as ``+49 Germany``."""
    return None if code is None else f"+{code} {COUNTRIES[code]}"


def longest_prefix(full: str | None, prefixes: Iterable[str]) -> str | None:
    """The longest of `prefixes` that a number begins with."""
    if full is None:
        return None
    return max((p for p in prefixes if full.startswith(p)), key=len, default=None)


def _starting(this: str, backwards: list[str], begin: int) -> Iterable[str]:
    """The nearest of the texts from `begin` that start with `this`, one for each branch."""
    branch: str | None = None
    for n in range(begin, len(backwards)):
        other = backwards[n]
        if not other.startswith(this):
            return
        if branch is None or not other.startswith(branch):
            branch = other
            yield other
