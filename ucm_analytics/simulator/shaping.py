"""Calls and replayed records as the JSON elements of a `cdrapi` answer.

What is stored of a call (its *blob*) is the text of its parts without the AcctIds, joined by NUL,
a byte that JSON never holds: the value of ``cdr``, the ``main_cdr``, then each leg. AcctIds are given
when calls end and are set in on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from ucm_analytics.simulator.profiles import Profile
from ucm_analytics.simulator.records import Call, Site

SEPARATOR: Final = b"\x00"
MAIN_FIELDS: Final = ("src", "dst", "start", "session", "action_type")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the archive hands it out: its blob and the AcctId of its first leg."""

    blob: bytes
    first_id: int
    legs: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Legs `first` to `stop` (exclusive) of a stored record."""

    stored: Stored
    first: int
    stop: int

    @property
    def whole(self) -> bool:
        return self.first == 0 and self.stop == self.stored.legs


class Shape(Protocol):
    """How stored records become elements."""

    shifted: bool
    """Elements hold the legs of two neighbouring calls."""
    cuttable: bool
    """A record may be cut into its legs, and its AcctIds are those of the archive."""
    fields: tuple[str, ...]
    """Columns of a CSV answer."""

    def element(self, pieces: Sequence[Piece], first_of_answer: Stored | None) -> bytes:
        """JSON text of one element."""

    def legs(self, stored: Stored) -> list[dict[str, Any]]:
        """Legs of one record."""


class ProfileShape:
    """Elements as a firmware profile writes them."""

    cuttable = True

    def __init__(self, profile: Profile, site: Site) -> None:
        self.profile = profile
        self.shifted = profile.shifted
        self.fields = profile.fields
        self._fields = profile.fields[1:]  # AcctId is set in when an element is written
        self._named = _action_names(site) if profile.named_actions else None

    def blob(self, call: Call) -> bytes:
        """Parts of a call, without AcctIds."""
        named = self._named
        legs = []
        for raw in call.legs:
            leg = {field: raw.get(field, "") for field in self._fields}
            if named is not None:
                leg["action_type"] = named(leg["action_type"])
            legs.append(leg)
        cdr = _encode(call.session) if self.profile.cdr_is_session else b'""'
        main = self._main(legs, legs[0]) if len(legs) > 1 else b""
        return SEPARATOR.join([cdr, main, *map(_encode, legs)])

    def element(self, pieces: Sequence[Piece], first_of_answer: Stored | None) -> bytes:
        if len(pieces) == 1 and pieces[0].whole and not self.shifted:
            stored = pieces[0].stored
            parts = stored.blob.split(SEPARATOR)
            return _written(parts[0], parts[1], parts[2:], range(stored.first_id, stored.first_id + stored.legs))
        cdr = b'""'
        legs: list[bytes] = []
        ids: list[int] = []
        for piece in pieces:
            parts = piece.stored.blob.split(SEPARATOR)
            cdr = parts[0]
            legs += parts[2 + piece.first : 2 + piece.stop]
            ids += range(piece.stored.first_id + piece.first, piece.stored.first_id + piece.stop)
        main = b""
        if len(legs) > 1:
            head = first_of_answer.blob.split(SEPARATOR)[2] if first_of_answer is not None else legs[0]
            main = self._main([_decode(leg) for leg in legs], _decode(head))
        return _written(cdr, main, legs, ids)

    def legs(self, stored: Stored) -> list[dict[str, Any]]:
        parts = stored.blob.split(SEPARATOR)[2:]
        return [{"AcctId": str(stored.first_id + n), **_decode(leg)} for n, leg in enumerate(parts)]

    def _main(self, legs: Sequence[dict[str, str]], head: dict[str, str]) -> bytes:
        main = dict.fromkeys(self.profile.fields, "")
        for field in MAIN_FIELDS:
            main[field] = head[field]
        main["duration"] = str(sum(whole_of(leg, "duration") for leg in legs))
        main["billsec"] = str(sum(whole_of(leg, "billsec") for leg in legs))
        return _encode(main)


class ReplayShape:
    """Elements of real answers, as they are."""

    shifted = False
    cuttable = False

    def __init__(self, fields: tuple[str, ...]) -> None:
        self.fields = fields

    def element(self, pieces: Sequence[Piece], first_of_answer: Stored | None) -> bytes:  # noqa: ARG002
        return pieces[0].stored.blob

    def legs(self, stored: Stored) -> list[dict[str, Any]]:
        return element_legs(msgspec.json.decode(stored.blob))


def element_legs(element: Any) -> list[dict[str, Any]]:
    """Legs of one decoded element: itself, or its ``sub_cdr_N`` in order; none of null or empty text."""
    if not isinstance(element, dict):
        return []
    subs = [key for key, value in element.items() if key.startswith("sub_cdr_") and isinstance(value, dict)]
    if subs or "main_cdr" in element:
        return [element[key] for key in sorted(subs, key=lambda key: (len(key), key))]
    return [element] if element else []


def whole_of(leg: Mapping[str, Any], field: str) -> int:
    """Whole number in a field of a leg; 0 where it holds none."""
    text = str(leg.get(field) or "")
    return int(text) if text.isdecimal() else 0


def _written(cdr: bytes, main: bytes, legs: Sequence[bytes], ids: Sequence[int]) -> bytes:
    if len(legs) == 1:
        return b'{"cdr":%b,"AcctId":"%d",%b' % (cdr, ids[0], legs[0][1:])
    subs = [
        b'"sub_cdr_%d":{"AcctId":"%d",%b' % (n, id_, leg[1:])
        for n, (leg, id_) in enumerate(zip(legs, ids, strict=True), start=1)
    ]
    return b'{"cdr":%b,"main_cdr":%b,%b}' % (cdr, main, b",".join(subs))


def _action_names(site: Site) -> Callable[[str], str]:
    """Function that writes ``IVR[7000]`` as ``IVR[7000]NAME[Main]`` where the site knows the name."""
    entries = [
        *(("IVR", ivr.extension, ivr.name) for ivr in site.ivrs),
        *(("QUEUE", queue.extension, queue.name) for queue in site.queues),
        *(("RINGGROUP", group.extension, group.name) for group in site.ring_groups),
    ]
    named = {f"{kind}[{number}]": f"{kind}[{number}]NAME[{name}]" for kind, number, name in entries}
    return lambda action: named.get(action, action)
