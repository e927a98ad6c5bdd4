"""A day of call records, page by page, proved complete.

What `offset` counts differs between firmware and is not documented: elements, rows or calls. So
each page is asked for such that it begins with the last thing already known. It counts only if its
legs repeat the end of what is known, leg for leg, at the place where one of the three units puts
them. Everything else means that records moved between two pages: the window is read again.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import blake2b, sha256
from itertools import chain
from typing import Any, Final, Literal

import msgspec

from ucm_analytics.client.page import Element, Leg, decode
from ucm_analytics.client.session import UCM
from ucm_analytics.errors import (
    Busy,
    IncompletePull,
    RequestRejected,
    SessionExpired,
    SettingError,
    UnexpectedAnswer,
    Unreachable,
)

log = logging.getLogger(__name__)

Unit = Literal["groups", "rows", "calls", "unknown"]

_RESTARTS: Final = 3
_PAGES: Final = 5000
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Page:
    """Legs that one answer added to a window.

    Attributes
    ----------
    legs : list of dict
        Raw legs, in the PBX's order, that no earlier page of the window held.
    number : int
        1, 2, ... within the window.
    elements : int
        Elements of the answer.
    """

    legs: list[Leg]
    number: int
    elements: int


@dataclass(frozen=True)
class Receipt:
    """What was asked for one window, and the proof that all of it came.

    Attributes
    ----------
    asked_from, asked_to : datetime.datetime
        Naive PBX wall time, both included.
    pages : int
        Answers that were read, over all passes.
    elements : int
        Elements of the PBX in the last pass.
    legs : int
        Legs yielded.
    unit : str
        What `offset` counts on this PBX: ``groups``, ``rows``, ``calls``; ``unknown`` where the
        window did not tell them apart.
    restarts : int
        Passes that were given up because records moved.
    sha256 : str
        Over the contents of all legs, whatever their order.
    duplicates : int
        Legs that the PBX sent twice in one page, dropped.
    """

    asked_from: datetime
    asked_to: datetime
    pages: int
    elements: int
    legs: int
    unit: Unit
    restarts: int
    sha256: str
    duplicates: int


def pull_day(
    ucm: UCM,
    day: date,
    *,
    frozen_end: datetime,
    overlap: timedelta = timedelta(hours=2),
    page_size: int = 1000,
) -> Generator[Page, None, Receipt]:
    """All legs of the calls that started on one day of the PBX's wall clock, and a bit beyond.

    Parameters
    ----------
    ucm : UCM
        The PBX.
    day : datetime.date
        The day.
    frozen_end : datetime.datetime
        Naive PBX wall time a little in the past; nothing later is asked for, so that calls which
        end now do not move the pages.
    overlap : datetime.timedelta
        How far into the next day to ask.
    page_size : int
        Elements to ask for at once, 2 to 1000.

    Yields
    ------
    Page
        Legs not yielded before. Of earlier pages only digests are held, and their text as
        bytes (about 1 kB a leg) for `IncompletePull.received`.

    Returns
    -------
    Receipt
        What was asked and got.

    Raises
    ------
    SettingError
        The day has not begun at `frozen_end`, or `page_size` is out of range.
    IncompletePull
        The window could not be proved complete.
    RequestRejected
        The window is empty and the PBX does not understand the time filter.
    APIError, Unreachable, TLSError, UnexpectedAnswer
        The first request of the window already failed, or user and password were refused.
    """
    first = datetime.combine(day, datetime.min.time())
    last = min(first + timedelta(days=1) + overlap - _SECOND, frozen_end.replace(microsecond=0))
    if last < first:
        raise SettingError(f"{day} has not begun at {frozen_end:%Y-%m-%d %H:%M}", hint="ask for days up to today")
    if not 2 <= page_size <= 1000:
        raise SettingError(f"a page of {page_size} elements cannot be asked for", hint="use 2 to 1000")
    window = _Window(ucm, day, first, last, page_size)
    for restarts in range(_RESTARTS + 1):
        try:
            yield from window.read()
        except _Moved as reason:
            log.debug("%s of %s, pass %d: %s", day, ucm.address, restarts + 1, reason)
            moved = reason
            continue
        if not window.contents:
            verify_empty(ucm, day)
        return window.receipt(restarts)
    raise window.incomplete(
        f"the records moved between the pages in {_RESTARTS + 1} passes, last: {moved}",
        "pull again when fewer calls are going on, or ask for an earlier day",
    )


def verify_empty(ucm: UCM, day: date) -> None:
    """Prove, once for each session, that an empty answer means no calls.

    A firmware that does not understand the form of the times answers with nothing, and no error.
    So a record that is known to exist is asked for by its own start.

    Raises
    ------
    RequestRejected
        The record did not come back.
    """
    if ucm.time_filter_proved:
        return
    one = _ask(ucm, numRecords=1)
    if not one:
        return
    known = one[0][0]
    try:
        start = datetime.fromisoformat(str(known.get("start")))
    except ValueError:
        raise UnexpectedAnswer(
            f"PBX {ucm.address} has a record without a start, so that the time filter cannot be checked",
            hint="see the CDR page of the PBX's web interface for the first record",
        ) from None
    # A second on both sides: the PBX may compare with parts of seconds that it does not show.
    found = _ask(ucm, numRecords=1000, **_times(start - _SECOND, start + _SECOND))
    if not any(_key(leg) == _key(known) for leg in chain.from_iterable(found)):
        raise RequestRejected(
            f"PBX {ucm.address} answers {day} with nothing, but does not find a record that it has "
            f"by its start {start} either: its firmware does not understand the time filter",
            hint="update the firmware under Maintenance > Upgrade, and report the version",
        )
    ucm.time_filter_proved = True


def _ask(ucm: UCM, **params: Any) -> list[Element]:
    read = partial(decode, host=str(ucm.address), user=ucm.user)
    return ucm.ask(read, "cdrapi", format="json", **params)


def _times(first: datetime, last: datetime) -> dict[str, str]:
    # With a blank instead of the T some firmware finds nothing, without an error.
    return {"startTime": f"{first:%Y-%m-%dT%H:%M:%S}", "endTime": f"{last:%Y-%m-%dT%H:%M:%S}"}


def _key(leg: Leg) -> bytes:
    """Digest of what makes a leg one leg; AcctId alone restarts every month on some firmware."""
    parts = (leg.get("session"), leg.get("AcctId"), leg.get("uniqueid"), leg.get("dstchannel"))
    return blake2b("\x1f".join(str(part or "") for part in parts).encode(), digest_size=16).digest()


class _Moved(Exception):
    """Records moved between two pages of a pass."""


@dataclass
class _Known:
    """What one pass has seen: its rows, and where in them each unit begins."""

    rows: list[bytes] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)
    groups: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    call: str | None = None

    def start(self, unit: Unit, offset: int) -> int | None:
        """Row at which the item number `offset` begins; None if it lies beyond what is known."""
        if unit == "rows":
            return offset if offset < len(self.rows) else None
        starts = self.groups if unit == "groups" else self.calls
        return starts[offset] if offset < len(starts) else None

    def total(self, unit: Unit) -> int:
        """Items known."""
        return {"rows": len(self.rows), "groups": len(self.groups)}.get(unit, len(self.calls))

    def fits(self, unit: Unit, offset: int, answer: list[bytes]) -> bool:
        """Whether an answer can be what stands at `offset`, counted in `unit`."""
        at = self.start(unit, offset)
        if at is None:
            return not answer or answer[0] not in self.keys
        repeated = min(len(self.rows) - at, len(answer))
        return repeated > 0 and self.rows[at : at + repeated] == answer[:repeated]

    def add(self, elements: list[Element], keys: list[bytes], skip: int) -> None:
        """Take over an answer, but for its first `skip` legs, which are known."""
        at = 0
        for element in elements:
            for nth, leg in enumerate(element):
                if at >= skip:
                    call = str(leg.get("session") or leg.get("uniqueid") or "")
                    if nth == 0:
                        self.groups.append(len(self.rows))
                    if call != self.call:
                        self.calls.append(len(self.rows))
                        self.call = call
                    self.rows.append(keys[at])
                at += 1
        self.keys.update(keys)


class _Window:
    """One window: what came so far, over all passes."""

    def __init__(self, ucm: UCM, day: date, first: datetime, last: datetime, page_size: int) -> None:
        self.ucm = ucm
        self.day = day
        self.first = first
        self.last = last
        self.page_size = page_size
        self.contents: dict[bytes, list[bytes]] = {}
        self.pages = 0
        self.known = _Known()
        self.units: list[Unit] = []
        self._duplicates: set[bytes] = set()
        self._received: list[bytes] = []

    def read(self) -> Generator[Page, None, None]:
        """One pass from the first page to a proved end; yields what no earlier pass yielded."""
        known = self.known = _Known()
        self.units = ["groups", "rows", "calls"]
        offset, at_end = 0, False
        while True:
            elements = self._page(offset)
            legs = list(chain.from_iterable(elements))
            keys = [_key(leg) for leg in legs]
            if known.rows:
                self._place(offset, keys)
            if not legs and (at_end or not known.rows):
                break
            start = known.start(self.units[0], offset) if known.rows else 0
            if start is None:
                # Beyond what is known, so that nothing joins it: ask again by the unit that is left.
                at_end = False
            else:
                skip = len(known.rows) - start
                new = self._take(legs[skip:], keys[skip:])
                known.add(elements, keys, skip)
                if new:
                    yield Page(new, self.pages, len(elements))
                at_end = len(keys) <= skip
            offset = known.total(self.units[0]) - (0 if at_end else 1)
        self._confirm()
        if known.keys != self.contents.keys():
            raise _Moved("legs of an earlier pass are gone")

    def receipt(self, restarts: int) -> Receipt:
        """What was asked and got, after a proved pass."""
        digest = sha256()
        for key in sorted(self.contents):
            digest.update(key + b"".join(sorted(self.contents[key])))
        return Receipt(
            asked_from=self.first,
            asked_to=self.last,
            pages=self.pages,
            elements=len(self.known.groups),
            legs=sum(map(len, self.contents.values())),
            # Groups and calls are the same but on firmware that shifts its groups.
            unit="unknown" if "rows" in self.units[1:] else self.units[0],
            restarts=restarts,
            sha256=digest.hexdigest(),
            duplicates=len(self._duplicates),
        )

    def incomplete(self, why: str, hint: str) -> IncompletePull:
        """The error for a window without a proof, with all legs that came."""
        received: list[Leg] = [msgspec.json.decode(text) for text in self._received]
        came = f"{len(received)} legs came"
        return IncompletePull(
            f"the calls of {self.day} from PBX {self.ucm.address} are incomplete ({came}): {why}",
            hint=f"{hint}; what is missing begins with {self.day}",
            received=received,
            resume_from=self.day,
        )

    def _confirm(self) -> None:
        """Ask once more at the first place where the unit differs from groups.

        Groups that moved by one can look like rows at the end of the window, but not there.
        """
        unit = self.units[0]
        if unit == "groups":
            return
        for offset in range(self.known.total(unit)):
            if self.known.start(unit, offset) != self.known.start("groups", offset):
                self._place(offset, [_key(leg) for leg in chain.from_iterable(self._page(offset, size=1))])
                return

    def _page(self, offset: int, *, size: int | None = None) -> list[Element]:
        if self.pages >= _PAGES:
            raise self.incomplete(f"no end after {_PAGES} pages", "ask for a shorter overlap")
        try:
            elements = _ask(self.ucm, numRecords=size or self.page_size, offset=offset, **_times(self.first, self.last))
        except (Unreachable, Busy, SessionExpired, UnexpectedAnswer) as error:
            if not self.pages:
                raise
            raise self.incomplete(error.message, error.hint or "pull again") from error
        self.pages += 1
        return elements

    def _place(self, offset: int, keys: list[bytes]) -> None:
        """Keep the units by which an answer is what stands at `offset`."""
        self.units = [unit for unit in self.units if self.known.fits(unit, offset, keys)]
        if not self.units:
            same = offset > 0 and keys[:1] == self.known.rows[:1]
            raise _Moved(
                "the PBX gave the first page again"
                if same
                else f"the answer from {offset} on does not continue what came before"
            )

    def _take(self, legs: list[Leg], keys: list[bytes]) -> list[Leg]:
        """The legs that no page held before, remembered."""
        new = []
        here: set[bytes] = set()
        for leg, key in zip(legs, keys, strict=True):
            if key in self.known.keys:
                raise _Moved("a leg came a second time on a later page")
            text = msgspec.json.encode(leg)
            content = blake2b(text, digest_size=16).digest()
            known = self.contents.setdefault(key, [])
            if content in known and key in here:
                self._duplicates.add(content)
            elif not known or (key in here and content not in known):
                # Two rows of one page with the same key and other contents are two rows.
                known.append(content)
                self._received.append(text)
                new.append(leg)
            here.add(key)
        return new
