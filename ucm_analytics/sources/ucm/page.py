"""Bytes of one `cdrapi` answer to elements: lists of raw legs, as the PBX grouped them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final, TypeAlias

import msgspec

from ucm_analytics.errors import UnexpectedAnswer
from ucm_analytics.sources.ucm.codes import number, raise_for

Leg: TypeAlias = dict[str, Any]
"""One CDR row, as the PBX's own JSON object."""

Element: TypeAlias = list[Leg]
"""The legs of one element of an answer: one if it is flat, several if it is a group."""

_Text = dict[str, dict[str, str | None] | str | None]


class _Typed(msgspec.Struct):
    """A page as every known firmware writes it: all values are text."""

    cdr_root: list[_Text | str | None]


_typed: Final = msgspec.json.Decoder(_Typed)
_untyped: Final = msgspec.json.Decoder()
_MARKS: Final = frozenset(("src", "dst", "start", "end", "session", "uniqueid", "AcctId"))
"""Fields of which a record has at least one."""
_SURROGATE: Final = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""An escaped backslash, an escaped character of two halves, or half of one, which no text can hold."""
_PRIVATE: Final = re.compile(r"[0-9a-f]{32}|\d{4,}")


def decode(body: bytes, *, host: str = "", user: str = "") -> list[Element]:
    """Elements of one `cdrapi` answer, in the PBX's order.

    A group gives its `sub_cdr_N` in the order of N. Its `main_cdr` is dropped: it is derived from
    them, and stale on some firmware.

    Parameters
    ----------
    body : bytes
        The answer. Records may stand under `cdr_root`, `response.cdr_root`, `response.cdr` or `cdr`,
        or be the answer itself.
    host, user : str
        Named in the error if the answer is a return code.

    Returns
    -------
    list of list of dict
        For each element its legs; no element for an empty list.

    Raises
    ------
    APIError
        The answer is a return code other than 0.
    UnexpectedAnswer
        The answer is empty, HTML, cut off, nested too deep, or JSON that is no list of CDR.

    Examples
    --------
    >>> decode(b'{"cdr_root":[{"cdr":"","src":"1000"}]}')
    [[{'cdr': '', 'src': '1000'}]]
    """
    records: Any
    try:
        # `status` stands outside of the typed form, but an answer with records is a success.
        records = _typed.decode(body).cdr_root
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        records = None
    if not records:
        records = _records(_any(body), body, host, user)
    return [legs for legs in (_legs(record, body) for record in records if record) if legs]


def excerpt(body: bytes, limit: int = 160) -> str:
    """First characters of an answer, on one line, without numbers, cookies, tokens and challenges."""
    text = " ".join(body[: 4 * limit].decode("utf-8", "replace").split())
    return repr(_PRIVATE.sub("…", text)[:limit])


def loads(body: bytes) -> Any:
    """Any JSON.

    A name that the PBX cut in the middle of a character, or of the two escapes of one, becomes U+FFFD
    there: one byte must not cost a day of records.

    Raises
    ------
    msgspec.DecodeError
        The bytes are no JSON, or nested deeper than any answer of a PBX.
    """
    try:
        return _untyped.decode(body)
    except UnicodeDecodeError:
        return loads(body.decode("utf-8", "replace").encode())
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deep") from error
    except msgspec.DecodeError:
        whole = _SURROGATE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], body)
        if whole == body:
            raise
        return loads(whole)


def _any(body: bytes) -> Any:
    if not body.strip():
        raise _unexpected(body, "an empty body")
    try:
        return loads(body)
    except msgspec.ValidationError as error:
        raise _unexpected(body, "a number that is too long") from error
    except msgspec.DecodeError as error:
        raise _unexpected(body, "broken JSON" if error.__cause__ is None else "JSON nested too deep") from error


def _records(answer: Any, body: bytes, host: str, user: str) -> list[Any]:
    """The list of records in an answer of any known shape."""
    if isinstance(answer, list):
        return answer
    if isinstance(answer, dict):
        response = answer.get("response")
        status = number(answer.get("status"))
        raise_for(status or 0, "cdrapi", response if isinstance(response, dict) else None, host, user)
        for holder in (answer, response):
            for name in ("cdr_root", "cdr"):
                if isinstance(holder, dict) and isinstance(found := holder.get(name), list):
                    return found
        if _is_leg(answer) or "main_cdr" in answer:
            return [answer]
    raise _unexpected(body, "JSON without call records")


def _legs(record: Any, body: bytes) -> Element:
    """The legs of one element."""
    if not isinstance(record, dict):
        raise _unexpected(body, "an element that is no record")
    if "main_cdr" in record or "sub_cdr_1" in record:
        numbered = [
            (nth, leg)
            for key, leg in record.items()
            if leg and key[:8] == "sub_cdr_" and (nth := number(key[8:])) is not None
        ]
        if any(first > second for (first, _), (second, _) in pairwise(numbered)):
            numbered.sort(key=lambda pair: pair[0])
        legs = [leg for _, leg in numbered]
        if not legs:
            # A group without its parts: the sum is all there is, and better than nothing. Without a sum it is no group.
            others = [value for key, value in record.items() if key != "main_cdr"]
            if any(isinstance(value, dict | list) and value for value in others):
                raise _unexpected(body, "a group whose parts have unknown names")
            legs = [record.get("main_cdr") or record]
    else:
        legs = [record]
    for leg in legs:
        if not _is_leg(leg):
            raise _unexpected(body, "a record without any field of a call")
    return legs


def _is_leg(leg: Any) -> bool:
    return isinstance(leg, dict) and not _MARKS.isdisjoint(leg)


def _unexpected(body: bytes, what: str) -> UnexpectedAnswer:
    html = body.lstrip()[:1] == b"<"
    return UnexpectedAnswer(
        f"cdrapi answered {'HTML or XML' if html else what}, beginning {excerpt(body)}",
        hint="check that the address and port are those of the UCM's HTTPS API "
        "(Value-added Features > API Configuration > HTTPS API Settings (New))",
    )
