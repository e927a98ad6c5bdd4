"""The `cdrapi` answer: selection, paging and the three formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from ucm_analytics.simulator.archive import Archive
from ucm_analytics.simulator.query import BlankTime, NotUnderstood, Query, parse_query
from ucm_analytics.simulator.shaping import Piece, Shape

OffsetUnit = Literal["group", "row"]

CONTENT_TYPES: Final = {
    "json": "application/json;charset=UTF-8",
    "csv": "text/csv;charset=UTF-8",
    "xml": "text/xml;charset=UTF-8",
}


@dataclass(frozen=True)
class CdrAnswer:
    """Body of an answer, its format, and the query with the records that it matched."""

    body: bytes
    format: str
    query: Query | None
    matched: Sequence[int]


class CdrSource:
    """Answers `cdrapi` requests from an archive.

    Filters on numbers and durations look at legs: a record is returned whole when one of its legs meets
    all of them.
    """

    def __init__(
        self,
        archive: Archive,
        shape: Shape,
        *,
        zone: ZoneInfo,
        offset_unit: OffsetUnit,
        blank_time: BlankTime,
    ) -> None:
        self.archive = archive
        self.shape = shape
        self.zone = zone
        self.offset_unit = offset_unit
        self.blank_time: BlankTime = blank_time

    def query(self, params: Mapping[str, Any], now: float) -> Query | None:
        """Query of the parameters; None where the PBX answers with an empty container."""
        try:
            return parse_query(params, zone=self.zone, now=now, blank_time=self.blank_time)
        except NotUnderstood:
            return None

    def answer(self, params: Mapping[str, Any], now: float) -> CdrAnswer:
        """Answer to a request."""
        asked = str(params.get("format") or "csv").lower()
        query = self.query(params, now) if asked in CONTENT_TYPES else None
        form = asked if asked in CONTENT_TYPES else "csv"
        with self.archive.lock:
            matched = self.matched(query, now) if query else ()
            elements = self._page(matched, query) if query else []
            return CdrAnswer(self._body(elements, form), form, query, matched)

    def matched(self, query: Query, now: float) -> Sequence[int]:
        """Indexes of the records that a query selects, in order."""
        within = self.archive.ended_within if query.by_end else self.archive.started_within
        indexes = within(query.first, query.last, now)
        if not query.tests:
            return indexes
        return [index for index in indexes if self._passes(index, query)]

    def _passes(self, index: int, query: Query) -> bool:
        legs = self.shape.legs(self.archive.stored(index))
        return any(all(test(leg) for test in query.tests) for leg in legs)

    def _page(self, matched: Sequence[int], query: Query) -> list[list[Piece]]:
        if self.offset_unit == "row":
            pieces = self._rows(matched, query.offset, query.limit)
            if not self.shape.shifted:
                return [[piece] for piece in pieces]
            return _shifted(pieces.__getitem__, len(pieces), 0, len(pieces) + 1)
        if not self.shape.shifted:
            return [[self._whole(index)] for index in matched[query.offset : query.offset + query.limit]]
        return _shifted(lambda n: self._whole(matched[n]), len(matched), query.offset, query.limit)

    def _whole(self, index: int) -> Piece:
        stored = self.archive.stored(index)
        return Piece(stored, 0, stored.legs)

    def _rows(self, matched: Sequence[int], offset: int, limit: int) -> list[Piece]:
        """Rows `offset` to `offset + limit` of the matched legs; calls at its edges are cut."""
        pieces: list[Piece] = []
        row, stop = 0, offset + limit
        for index in matched:
            if row >= stop:
                break
            legs = self.archive.legs_of(index)
            first, last = max(offset - row, 0), min(stop - row, legs)
            if first < last:
                pieces.append(Piece(self.archive.stored(index), first, last))
            row += legs
        return pieces

    def _body(self, elements: Sequence[Sequence[Piece]], form: str) -> bytes:
        if form == "json":
            first = elements[0][0].stored if elements and self.shape.shifted else None
            return b'{"cdr_root":[%b]}' % b",".join(self.shape.element(pieces, first) for pieces in elements)
        rows = [leg for pieces in elements for piece in pieces for leg in self._piece_legs(piece)]
        return (_csv if form == "csv" else _xml)(rows, self.shape.fields)

    def _piece_legs(self, piece: Piece) -> list[dict[str, Any]]:
        return self.shape.legs(piece.stored)[piece.first : piece.stop]


def _shifted(piece_at: Callable[[int], Piece], count: int, offset: int, limit: int) -> list[list[Piece]]:
    """Containers shifted by one leg: the last leg of the call before, then all but the last of this one.

    The last leg of the last call is a container of its own; one that would be empty is left out.
    """
    if count == 0:
        return []
    skipped = 1 if _length(piece_at(0)) == 1 else 0
    containers = []
    for n in range(offset + skipped, min(offset + skipped + limit, count + 1)):
        pieces = []
        if n > 0:
            before = piece_at(n - 1)
            pieces.append(Piece(before.stored, before.stop - 1, before.stop))
        if n < count and _length(piece_at(n)) > 1:
            this = piece_at(n)
            pieces.append(Piece(this.stored, this.first, this.stop - 1))
        containers.append(pieces)
    return containers


def _length(piece: Piece) -> int:
    return piece.stop - piece.first


def _csv(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> bytes:
    """Header and one line a leg, unquoted as in the vendor's guide, also where values hold commas."""
    lines = [",".join(fields)]
    lines += [",".join(str(row.get(field, "")) for field in fields) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def _xml(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> bytes:
    """One element a leg, one child a field; the vendor has not published the names of the outer elements."""
    body = "".join(
        "<cdr>" + "".join(f"<{field}>{escape(str(row.get(field, '')))}</{field}>" for field in fields) + "</cdr>"
        for row in rows
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<cdr_root>{body}</cdr_root>\n'.encode()
