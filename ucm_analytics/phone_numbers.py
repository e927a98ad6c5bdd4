"""Telephone numbers in one form: E.164, so that one caller is one text however the trunk writes it.

Numbers are told from extensions by the side that they come from: the caller of an inbound call is
outside, even where the text equals an extension's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.aside import in_calls
from ucm_analytics.errors import SettingError
from ucm_analytics.schema import CAME_BY_TRUNK, LEFT_BY_TRUNK, NUMBERS, stored_schema

_ANONYMOUS: Final = frozenset({"", "anonymous", "unknown", "private", "restricted", "unavailable"})
_INSIDE: Final = ("extension", "ring_group", "queue", "ivr", "voicemail", "park", "transfer")
"""Kinds of step whose target is a number of the PBX itself; a transfer can lead outside as well."""

_PUNCTUATION: Final = re.compile(r"[\s().\-/]")
_SHORTEST: Final = 7
"""Digits from which on a text is taken for a telephone number, though none that can be normalised."""


NUMBERED_BY: Final = ("call_id", "anonymous_call", "channel_ext", "dstchannel_ext", "set_aside")
"""Columns of LEGS that `with_numbers` reads."""


class Read(NamedTuple):
    """What a text stands for: the number in its one form, and one of `schema.CALLER_KINDS`."""

    number: str | None
    kind: str


def e164(text: str, country: str = "") -> str | None:
    """Number in international form, such as ``+12025550142``.

    Parameters
    ----------
    text : str
        The number as the PBX shows it.
    country : str
        Country in which it was dialled or shown, two letters. Without it only numbers that begin
        with ``+`` are understood: what ``00``, ``011`` or ``0`` mean depends on the country.

    Returns
    -------
    str or None
        None where the text is no number that is valid in its country.

    Raises
    ------
    SettingError
        There is no such country.

    Examples
    --------
    >>> e164("+1 202-555-0142")
    '+12025550142'
    >>> e164("12025550142") is None
    True
    """
    digits = _PUNCTUATION.sub("", text)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return None
    if not country:
        return digits if re.fullmatch(r"\+[1-9][0-9]{6,14}", digits) else None
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise SettingError(f"{country!r} is no country", hint="use its two letters, such as DE, GB or US (UCM_COUNTRY)")
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def read(text: str | None, *, inside: Collection[str] = (), country: str = "") -> Read:
    """Say what a caller or callee is.

    Parameters
    ----------
    text : str or None
        As the PBX shows it.
    inside : collection of str
        Numbers of the PBX itself, where the text may be one; empty for callers from outside.
    country : str
        As for `e164`.

    Returns
    -------
    Read
        `number` is E.164, or the extension as it is; None where neither is known.

    Examples
    --------
    >>> read("0012", inside={"0012"})
    Read(number='0012', kind='extension')
    >>> read("Anonymous")
    Read(number=None, kind='anonymous')
    """
    plain = (text or "").strip()
    if plain.casefold() in _ANONYMOUS:
        return Read(None, "anonymous")
    if plain in inside:
        return Read(plain, "extension")
    number = e164(plain, country)
    if number:
        return Read(number, "number")
    digits = _PUNCTUATION.sub("", plain)
    if re.fullmatch(r"\+?[0-9]+", digits):
        return Read(None, "number" if len(digits.removeprefix("+")) >= _SHORTEST else "unknown")
    return Read(None, "name" if any(letter.isalpha() for letter in plain) else "unknown")


def with_numbers(calls: pa.Table, *, steps: pa.Table, legs: pa.Table, country: str = "") -> pa.Table:
    """Calls with the columns `schema.NUMBERS`.

    Parameters
    ----------
    calls, steps : pyarrow.Table
        Columns of `schema.CALLS` and `schema.STEPS`, of one PBX, as `model.build` gives them.
    legs : pyarrow.Table
        The legs that they were built from; `NUMBERED_BY` is enough.
    country : str
        As for `e164`.

    Returns
    -------
    pyarrow.Table
        The rows of `calls`, with `caller_number`, `callee_number` and `caller_kind`.

    Notes
    -----
    Each text is read once, however often it occurs. A caller from outside whom a record calls
    anonymous is anonymous though the PBX knows the number, and has no `caller_number`.
    """
    inside = _own_numbers(steps, in_calls(legs))
    direction = calls["direction"].cast(pa.string())
    from_outside = pc.is_in(direction, value_set=pa.array(CAME_BY_TRUNK))
    to_outside = pc.is_in(direction, value_set=pa.array(LEFT_BY_TRUNK))
    hid = pc.and_(from_outside, pc.is_in(calls["call_id"], value_set=_hidden(legs)))
    caller, kind = _columns(calls["caller"], from_outside, inside, country)
    callee, _ = _columns(calls["callee"], to_outside, inside, country)
    added = {
        "caller_number": pc.if_else(hid, pa.scalar(None, pa.string()), caller),
        "callee_number": callee,
        "caller_kind": pc.if_else(hid, "anonymous", kind),
    }
    for column in NUMBERS:
        calls = calls.append_column(column.name, added[column.name])
    return calls.cast(stored_schema("calls")).unify_dictionaries().combine_chunks()


def _columns(
    texts: pa.ChunkedArray, outside: pa.ChunkedArray, inside: Collection[str], country: str
) -> tuple[pa.Array, pa.Array]:
    """Number and kind of each text."""
    coded = pc.fill_null(texts, "").combine_chunks().dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    here = [read(text, inside=inside, country=country) for text in distinct]
    there = [read(text, country=country) if text in inside else one for text, one in zip(distinct, here, strict=True)]
    row = pc.if_else(outside, pc.add(coded.indices, len(distinct)), coded.indices)
    numbers = pa.array([one.number for one in (*here, *there)], pa.string())
    kinds = pa.array([one.kind for one in (*here, *there)], pa.string())
    return numbers.take(row), kinds.take(row)


def _own_numbers(steps: pa.Table, legs: pa.Table) -> frozenset[str]:
    """Extensions and other numbers of the PBX itself, as far as these records name them."""
    kinds = steps["kind"].cast(pa.string())
    targets = steps["target"].cast(pa.string())
    targets = targets.filter(pc.is_in(kinds, value_set=pa.array(_INSIDE))).unique()
    names = {text for text in targets.to_pylist() if text and len(text) < _SHORTEST}
    # the far end of a leg can be a number outside, the near end is a trunk or an extension
    far = legs["dstchannel_ext"].cast(pa.string()).unique().to_pylist()
    near = legs["channel_ext"].cast(pa.string()).unique().to_pylist()
    names.update(text for text in far if text and text.isdecimal() and len(text) < _SHORTEST)
    names.update(text for text in near if text and text.isdecimal())
    return frozenset(names)


def _hidden(legs: pa.Table) -> pa.Array:
    """Calls that a record calls anonymous."""
    said = pc.equal(legs["anonymous_call"].cast(pa.string()), "yes")
    return legs["call_id"].filter(pc.fill_null(said, False)).unique()
