"""A day of call records, page by page, proved complete.

The proof has two halves.

One reading is complete in itself. Each page begins with the last thing already read, so it joins on
leg for leg (see `paging`), until one answer adds nothing and the next is empty.

A reading counts only when it was looked at twice. Every request of it is made once more, in the same
order, and each answer has to hold the same legs as before. So every leg, and every end, was told in
two answers; one untrue answer, whatever is wrong with it, disagrees with its twin, and the window is
read anew. Nothing of a reading is handed on before that, and nothing of one that was given up is
used again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import blake2b, sha256
from itertools import chain
from typing import Any, Final, Generic, TypeVar

import msgspec

from ucm_analytics.errors import (
    Busy,
    IncompletePull,
    RequestRejected,
    SessionExpired,
    SettingError,
    UnexpectedAnswer,
    Unreachable,
)
from ucm_analytics.sources.ucm.page import Element, Leg, decode
from ucm_analytics.sources.ucm.paging import Moved, Reading, Unit
from ucm_analytics.sources.ucm.session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")

_READINGS: Final = 4
_PAGES: Final = 10_000
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Receipt:
    """What was asked for one window, and the proof that all of it came.

    Attributes
    ----------
    asked_from, asked_to : datetime.datetime
        Naive PBX wall time, both included.
    pages : int
        Answers that were read, over all readings and second looks.
    elements : int
        Elements of the PBX.
    legs : int
        Legs, each once.
    unit : str
        What `offset` counts on this PBX: ``groups``, ``rows``, ``calls``; ``unknown`` where the
        window did not tell them apart.
    restarts : int
        Readings that were given up because records moved or two looks did not agree.
    sha256 : str
        Over the contents of all legs, whatever their order.
    duplicates : int
        Legs that the PBX sent twice, dropped.
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
    ucm: Session,
    day: date,
    *,
    frozen_end: datetime,
    keep: Callable[[list[Leg]], T] = list,  # type: ignore[assignment]
    known: int = 0,
    overlap: timedelta = timedelta(hours=2),
    page_size: int = 1000,
) -> tuple[list[T], Receipt]:
    """All legs of the calls that started on one day of the PBX's wall clock, and a bit beyond.

    Parameters
    ----------
    ucm : Session
        The PBX.
    day : datetime.date
        The day.
    frozen_end : datetime.datetime
        Naive PBX wall time a little in the past; nothing later is asked for, so that calls which
        end now do not move the pages.
    keep : callable
        What is held of the legs of a page until the window is proved, for example a typed table.
    known : int
        Legs of the day that the window of the day before has shown: then an empty answer is not true.
    overlap : datetime.timedelta
        How far into the next day to ask.
    page_size : int
        Elements to ask for at once, 2 to 1000.

    Returns
    -------
    pages : list
        What `keep` made of the new legs of each page, in the PBX's order.
    receipt : Receipt
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

    Examples
    --------
    >>> from ucm_analytics.demo import pretend_pbx
    >>> with pretend_pbx() as (_, ucm):
    ...     pages, receipt = pull_day(ucm, date(2026, 3, 9), frozen_end=datetime(2026, 3, 30))
    >>> sum(map(len, pages)) == receipt.legs, receipt.restarts
    (True, 0)
    """
    first = datetime.combine(day, datetime.min.time())
    last = min(first + timedelta(days=1) + overlap - _SECOND, frozen_end.replace(microsecond=0))
    if last < first:
        raise SettingError(f"{day} has not begun at {frozen_end:%Y-%m-%d %H:%M}", hint="ask for days up to today")
    if not 2 <= page_size <= 1000:
        raise SettingError(f"a page of {page_size} elements cannot be asked for", hint="use 2 to 1000")
    window = _Window(ucm, day, first, last, page_size)
    for restarts in range(_READINGS):
        try:
            found = window.read(keep)
            window.look_again(found)
            if known and not found.legs:
                raise Moved(f"it is empty, though the window before showed {known} legs of it")
        except Moved as reason:
            log.debug("%s of %s, reading %d: %s", day, ucm.address, restarts + 1, reason)
            moved = reason
            continue
        if not found.legs:
            verify_empty(ucm, day)
        return found.pages, window.receipt(found, restarts)
    raise window.incomplete(
        f"{_READINGS} readings could not be proved, last: {moved}",
        "pull again when fewer calls are going on, or ask for an earlier day",
    )


def verify_empty(ucm: Session, day: date) -> None:
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
    one = _ask(ucm, numRecords=1) or _ask(ucm, numRecords=1)
    if not one:
        return
    known = one[0][0]
    try:
        start = datetime.fromisoformat(str(known.get("start")))
        # A second on both sides: the PBX may compare with parts of seconds that it does not show.
        around = _times(start - _SECOND, start + _SECOND)
    except (ValueError, OverflowError):
        raise UnexpectedAnswer(
            f"PBX {ucm.address} has a record without a start, so that the time filter cannot be checked",
            hint="see the CDR page of the PBX's web interface for the first record",
        ) from None
    for _ in range(2):
        found = _ask(ucm, numRecords=1000, **around)
        if digest(known) in map(digest, chain.from_iterable(found)):
            ucm.time_filter_proved = True
            return
    raise RequestRejected(
        f"PBX {ucm.address} answers {day} with nothing, but does not find a record that it has "
        f"by its start {start} either: its firmware does not understand the time filter",
        hint="update the firmware under Maintenance > Upgrade, and report the version",
    )


def digest(leg: Leg) -> bytes:
    """Digest of all that a leg says, but for `cdr`, which an element has only while it is not in a group."""
    if "cdr" in leg:
        leg = {name: value for name, value in leg.items() if name != "cdr"}
    return blake2b(msgspec.json.encode(leg), digest_size=16).digest()


def _ask(ucm: Session, **params: Any) -> list[Element]:
    return ucm.ask(partial(_elements, ucm), "cdrapi", format="json", **params)


def _elements(ucm: Session, answer: bytes) -> list[Element]:
    return decode(answer, host=str(ucm.address), user=ucm.user)


def _times(first: datetime, last: datetime) -> dict[str, str]:
    # With a blank instead of the T some firmware finds nothing, without an error.
    return {name: at.isoformat(timespec="seconds") for name, at in (("startTime", first), ("endTime", last))}


@dataclass(frozen=True)
class _Answer:
    """What was asked, and what has to come again: the same bytes, or the same legs in any order."""

    offset: int
    size: int
    body: bytes
    rows: list[bytes]


@dataclass
class _Found(Generic[T]):
    """One reading of a window: what it gave, and all its answers, to look at again."""

    pages: list[T] = field(default_factory=list)
    legs: set[bytes] = field(default_factory=set)
    answers: list[_Answer] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)

    @property
    def duplicates(self) -> int:
        return len(self.reading.rows) - len(self.legs)


class _Window:
    """One window of time of one PBX."""

    def __init__(self, ucm: Session, day: date, first: datetime, last: datetime, page_size: int) -> None:
        self.ucm = ucm
        self.day = day
        self.first = first
        self.last = last
        self.page_size = page_size
        self.pages = 0

    def read(self, keep: Callable[[list[Leg]], T]) -> _Found[T]:
        """One reading, from the first page to an empty one."""
        found = _Found[T]()
        reading = found.reading
        offset, at_end = 0, False
        while True:
            elements, rows = self._page(found, offset)
            skip = reading.place(offset, rows)
            if not rows and (at_end or not reading.rows):
                break
            if skip is None:
                # Beyond what is known, so that nothing joins it: ask again by the unit that is left.
                at_end = False
            else:
                reading.add(elements, rows, skip)
                new = []
                for leg, row in zip(chain.from_iterable(elements), rows, strict=True):
                    if row not in found.legs:
                        found.legs.add(row)
                        new.append(leg)
                if new:
                    found.pages.append(keep(new))
                at_end = len(rows) <= skip
            offset = reading.total() - (0 if at_end else 1)
        # Groups that moved by one can look like rows at the end of a window, but not here.
        if (telling := reading.telling()) is not None:
            reading.place(telling, self._page(found, telling, size=1)[1])
        return found

    def look_again(self, found: _Found[T]) -> None:
        """Make each request of a reading once more; every answer has to hold the same legs."""
        for told in found.answers:
            body, elements = self._ask(told.offset, told.size, told.body)
            if body == told.body:
                continue
            if sorted(map(digest, chain.from_iterable(elements))) != sorted(told.rows):
                raise Moved(f"two answers from {told.offset} on do not hold the same records")

    def receipt(self, found: _Found[T], restarts: int) -> Receipt:
        """What was asked and got, after a proof."""
        return Receipt(
            asked_from=self.first,
            asked_to=self.last,
            pages=self.pages,
            elements=len(found.reading.groups),
            legs=len(found.legs),
            unit=found.reading.unit,
            restarts=restarts,
            sha256=sha256(b"".join(sorted(found.legs))).hexdigest(),
            duplicates=found.duplicates,
        )

    def incomplete(self, why: str, hint: str) -> IncompletePull:
        """The error for a window without a proof."""
        return IncompletePull(
            f"the calls of {self.day} from PBX {self.ucm.address} are incomplete: {why}",
            hint=f"{hint}; what is missing begins with {self.day}",
            resume_from=self.day,
        )

    def _page(self, found: _Found[T], offset: int, *, size: int | None = None) -> tuple[list[Element], list[bytes]]:
        size = size or self.page_size
        body, elements = self._ask(offset, size)
        rows = [digest(leg) for leg in chain.from_iterable(elements)]
        found.answers.append(_Answer(offset, size, body, rows))
        return elements, rows

    def _ask(self, offset: int, size: int, known: bytes = b"") -> tuple[bytes, list[Element]]:
        """Digest of an answer, and its elements, which are not read where the digest is known."""
        if self.pages >= _PAGES:
            raise self.incomplete(f"no end after {_PAGES} pages", "ask for a shorter overlap")

        def read(answer: bytes) -> tuple[bytes, list[Element]]:
            body = blake2b(answer, digest_size=16).digest()
            return body, [] if body == known else _elements(self.ucm, answer)

        times = _times(self.first, self.last)
        try:
            told = self.ucm.ask(read, "cdrapi", format="json", numRecords=size, offset=offset, **times)
        except (Unreachable, Busy, SessionExpired, RequestRejected, UnexpectedAnswer) as error:
            if not self.pages:
                said = f"the calls of {self.day} could not be asked for: {error.message}"
                raise type(error)(said, hint=error.hint, status=error.status) from error
            raise self.incomplete(error.message, error.hint or "pull again") from error
        self.pages += 1
        return told
