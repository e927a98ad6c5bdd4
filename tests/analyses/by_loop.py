"""Telephone numbers one by one, as the analyses read them in the engine: the second way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

_WRITTEN: Final = re.compile(r"[+\d\s()./-]+")


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
    backwards = sorted({found[::-1] for found in of.values() if len(found) >= 9})
    longest: dict[str, str | None] = {}
    for n in range(len(backwards) - 1, -1, -1):
        this = backwards[n]
        longer = [*_starting(this, backwards, n + 1)]
        longest[this] = this if not longer else longest[longer[0]] if len(longer) == 1 else None
    whole = {this[::-1]: (end or this)[::-1] for this, end in longest.items()}
    return {written: whole.get(found, found) for written, found in of.items()}


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


def longest_prefix(full: str | None, prefixes: Iterable[str]) -> str | None:
    """The longest of `prefixes` that a number begins with."""
    if full is None:
        return None
    return max((p for p in prefixes if full.startswith(p)), key=len, default=None)


def number_outside(call: Mapping[str, Any]) -> str | None:
    """The number to which a call leaves by a trunk; None if it does not.

    Examples
    --------
    >>> number_outside({"direction": "external", "callee": "12025550142", "path": ""})
    '12025550142'
    >>> number_outside({"direction": "inbound", "callee": "1000", "path": "ivr:7000 > external:12025550177"})
    '12025550177'
    >>> sent_on = "external:12025550142 > transfer:12025550177"
    >>> number_outside({"direction": "outbound", "callee": "12025550142", "path": sent_on})
    '12025550177'
    >>> number_outside({"direction": "inbound", "callee": "1000", "path": "extension:1004 > transfer:1005"})
    """
    steps = [step.partition(":") for step in (call["path"] or "").split(" > ")]
    kind, _, target = steps[-1]
    if len(steps) > 1 and kind == "transfer" and len(target.lstrip("+")) >= 7:
        return target
    if call["direction"] in ("outbound", "external"):
        return call["callee"] or ""
    for wanted, shortest in (("external", 0), ("transfer", 7)):
        away = [target for kind, _, target in steps if kind == wanted and len(target.lstrip("+")) >= shortest]
        if away:
            return away[-1]
    return None
