"""The PBX's records, held compactly: compressed blocks of blobs and a few numbers a record.

A million calls of the 43-field firmware are about 4 GB of JSON and about a tenth of it here.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from threading import RLock
from zoneinfo import ZoneInfo

from ucm_analytics.simulator.records import Call
from ucm_analytics.simulator.shaping import ProfileShape, Stored

_EPOCH = datetime(1970, 1, 1)
_BLOCK = 256
_CACHED_BLOCKS = 16
_NEVER = float("inf")
_BETWEEN_BLOBS = b"\x01"


@dataclass(frozen=True, slots=True)
class Record:
    """A record to store: its order, wall start and end [s], the epoch from which it is seen, its legs."""

    order: int
    start: int
    end: int
    visible_at: float
    legs: int
    blob: bytes


@dataclass(frozen=True, slots=True)
class Withheld:
    """A record that is hidden for a while."""

    where: int
    visible_at: float


class Archive:
    """Records in order of the call's start.

    Indexes count all records, those that cannot be seen yet as well.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self._blocks: list[bytes] = []
        self._open: list[bytes] = []
        self._cache: OrderedDict[int, list[bytes]] = OrderedDict()
        self._order = array("q")
        self._start = array("q")
        self._end = array("q")
        self._visible = array("d")
        self._legs = array("H")
        self._where = array("q")
        self._first_id = array("q")
        self._next_id: dict[str, int] = {}
        self._bounds: tuple[array[int], array[int], array[float]] | None = None

    def __len__(self) -> int:
        return len(self._start)

    def load(self, records: Iterable[Record], *, zone: ZoneInfo | None = None, monthly_ids: bool = False) -> None:
        """Add many records, and give AcctIds in the order in which the calls ended."""
        with self.lock:
            first = len(self)
            for record in records:
                self._insert(record, first_id=0)
            unnumbered = [i for i in range(len(self)) if self._first_id[i] == 0] if first else range(len(self))
            for index in sorted(unnumbered, key=self._visible.__getitem__):
                self._first_id[index] = self._ids(index, zone, monthly_ids)

    def add(self, record: Record, *, zone: ZoneInfo | None = None, monthly_ids: bool = False) -> None:
        """Add one record among those that stand; its AcctIds follow the last ones given."""
        with self.lock:
            index = self._insert(record, first_id=0)
            self._first_id[index] = self._ids(index, zone, monthly_ids)

    def stored(self, index: int) -> Stored:
        """Record at an index."""
        with self.lock:
            block, place = divmod(self._where[index], _BLOCK)
            return Stored(self._block(block)[place], self._first_id[index], self._legs[index])

    def started_within(self, first: float, last: float, now: float) -> Sequence[int]:
        """Indexes of the records seen at `now` whose wall start lies in ``[first, last]`` [s]."""
        with self.lock:
            highest, lowest, seen = self._prepared()
            low, high = bisect_left(highest, first), bisect_right(lowest, last)
            if low >= high:
                return range(0)
            if lowest[low] >= first and highest[high - 1] <= last and seen[high - 1] <= now:
                return range(low, high)
            start, visible = self._start, self._visible
            return [i for i in range(low, high) if first <= start[i] <= last and visible[i] <= now]

    def ended_within(self, first: float, last: float, now: float) -> Sequence[int]:
        """Indexes of the records seen at `now` whose wall end lies in ``[first, last]`` [s]."""
        with self.lock:
            pairs = zip(self._end, self._visible, strict=True)
            return [i for i, (end, seen) in enumerate(pairs) if first <= end <= last and seen <= now]

    def in_progress(self, now: float) -> list[int]:
        """Indexes of the calls that have begun and not ended at `now`; only meant for generated calls."""
        with self.lock:
            stop = bisect_right(self._order, now)
            return [i for i in range(stop) if now < self._visible[i] < _NEVER]

    def legs_of(self, index: int) -> int:
        """Number of legs of a record."""
        return self._legs[index]

    def withhold(self, index: int) -> Withheld:
        """Hide a record until `release`."""
        with self.lock:
            withheld = Withheld(self._where[index], self._visible[index])
            self._visible[index] = _NEVER
            self._bounds = None
            return withheld

    def release(self, withheld: Withheld) -> None:
        """Show a withheld record again."""
        with self.lock:
            self._visible[self._where.index(withheld.where)] = withheld.visible_at
            self._bounds = None

    def with_acct_id(self, acct_id: int, now: float) -> int | None:
        """Index of the newest record, seen at `now`, that holds a leg of this AcctId."""
        with self.lock:
            found = None
            for i, first in enumerate(self._first_id):
                if 0 < first <= acct_id < first + self._legs[i] and self._visible[i] <= now:
                    found = i
            return found

    def _insert(self, record: Record, *, first_id: int) -> int:
        where = len(self._blocks) * _BLOCK + len(self._open)
        self._open.append(record.blob)
        if len(self._open) == _BLOCK:
            self._blocks.append(zlib.compress(_BETWEEN_BLOBS.join(self._open), level=1))
            self._open = []
        index = bisect_right(self._order, record.order)
        self._order.insert(index, record.order)
        self._start.insert(index, record.start)
        self._end.insert(index, record.end)
        self._visible.insert(index, record.visible_at)
        self._legs.insert(index, record.legs)
        self._where.insert(index, where)
        self._first_id.insert(index, first_id)
        self._bounds = None
        return index

    def _ids(self, index: int, zone: ZoneInfo | None, monthly_ids: bool) -> int:
        month = datetime.fromtimestamp(self._visible[index], zone).strftime("%Y-%m") if monthly_ids else ""
        first = self._next_id.get(month, 1)
        self._next_id[month] = first + self._legs[index]
        return first

    def _block(self, number: int) -> list[bytes]:
        if number == len(self._blocks):
            return self._open
        blobs = self._cache.pop(number, None)
        if blobs is None:
            blobs = zlib.decompress(self._blocks[number]).split(_BETWEEN_BLOBS)
        self._cache[number] = blobs
        if len(self._cache) > _CACHED_BLOCKS:
            self._cache.popitem(last=False)
        return blobs

    def _prepared(self) -> tuple[array[int], array[int], array[float]]:
        """Highest start so far, lowest start from here on, and latest `visible_at` so far, of every record.

        Both starts rise along the records, also in the night whose clock goes back: they can be bisected.
        """
        if self._bounds is None:
            lowest = array("q", accumulate(reversed(self._start), min))
            lowest.reverse()
            self._bounds = (
                array("q", accumulate(self._start, max)),
                lowest,
                array("d", accumulate(self._visible, max)),
            )
        return self._bounds


def call_records(calls: Iterable[Call], shape: ProfileShape) -> Iterator[Record]:
    """Records of calls as a profile writes them."""
    for call in calls:
        start = wall_seconds(call.start)
        yield Record(
            order=_started_epoch(call, start),
            start=start,
            end=_wall_end(call, start),
            visible_at=call.ended_at,
            legs=len(call.legs),
            blob=shape.blob(call),
        )


def wall_seconds(wall: datetime) -> int:
    """Seconds from 1970-01-01 to a naive wall time, on the wall clock."""
    return int((wall - _EPOCH).total_seconds())


def _started_epoch(call: Call, wall_start: int) -> int:
    digits = call.session[:10]
    return int(digits) if len(digits) == 10 and digits.isdecimal() else wall_start


def _wall_end(call: Call, wall_start: int) -> int:
    ends = [end for leg in call.legs if (end := leg.get("end", ""))]
    if ends:
        return wall_seconds(datetime.fromisoformat(max(ends)))
    return wall_start + max(int(leg.get("duration") or 0) for leg in call.legs)
