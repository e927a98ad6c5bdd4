"""Every untrue answer that a PBX could give once, at every request of a pull, for every small window.

The PBX is a list in this process: the session, its retries and the decoding are the real ones, only the
socket is left out. What has to come out is known without the code under test: the legs of the list.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Literal

from ucm_analytics.errors import UCMError
from ucm_analytics.sources.ucm import UCM, Retries
from ucm_analytics.sources.ucm.cdr import pull_day
from ucm_analytics.sources.ucm.page import Leg

DAY = date(2026, 3, 10)
END = datetime(2026, 3, 12)
SIZES = (2, 3, 4, 5, 1000)
UNITS = ("groups", "rows", "calls")
Unit = Literal["groups", "rows", "calls"]
Rows = list[Leg]


def leg(number: int, call: int, *, day: date = DAY) -> Leg:
    """A leg of a call, in as few fields as a record can have."""
    return {
        "AcctId": str(number + 1),
        "src": "12025550142",
        "start": f"{day} 08:{call:02d}:{number:02d}",
        "dstchannel": f"PJSIP/1001-{number:08x}",
        "session": f"17731{call:05d}000000-x",
    }


def window(form: Sequence[int]) -> list[Rows]:
    """Calls of so many legs each."""
    numbers = iter(range(sum(form)))
    return [[leg(next(numbers), call) for _ in range(legs)] for call, legs in enumerate(form)]


def forms(legs: int) -> Iterator[tuple[int, ...]]:
    """Every way in which so many legs fall into calls, one after the other."""
    if not legs:
        yield ()
    for first in range(1, legs + 1):
        for rest in forms(legs - first):
            yield (first, *rest)


def body_of(elements: Sequence[Rows]) -> bytes:
    """An answer: one leg is flat, several are a group."""

    def element(rows: Rows) -> dict[str, Any]:
        if len(rows) == 1:
            return {"cdr": rows[0]["session"], **rows[0]}
        return {"cdr": "", "main_cdr": {"src": "x"}, **{f"sub_cdr_{n}": row for n, row in enumerate(rows, 1)}}

    return json.dumps({"cdr_root": [element(rows) for rows in elements if rows]}).encode()


def by_call(rows: Rows) -> list[Rows]:
    return [list(same) for _, same in groupby(rows, key=lambda row: row["session"])]


def cut(calls: Sequence[Rows], unit: Unit, offset: int, size: int) -> list[Rows]:
    """What an honest PBX answers; one that counts calls makes its groups anew, a leg too early."""
    if unit == "groups":
        return list(calls[offset : offset + size])
    if unit == "rows":
        return by_call([row for call in calls for row in call][offset : offset + size])
    shifted: list[Rows] = [[]]
    for call in calls[offset : offset + size]:
        shifted[-1] += call[:-1]
        shifted.append(call[-1:])
    return [rows for rows in shifted if rows]


UCM_ = UCM("192.0.2.10", "cdrapi", "pw", retries=Retries(jitter=0.0))
"""One for all: reading the system's authorities takes longer than a hundred pulls."""
UCM_.sleep = lambda _seconds: None

Lie = Callable[[list[Rows], list[Rows]], bytes]
"""From the true answer, and the elements of another one, to what is told instead."""

GHOST = leg(57, 59)


def _rows(elements: list[Rows], change: Callable[[Rows], Rows]) -> bytes:
    """An answer whose rows are changed, in groups as the rows then fall."""
    return body_of(by_call(change([row for rows in elements for row in rows])))


def lies(elements: list[Rows]) -> Iterator[tuple[str, Lie]]:
    """Every lie about an answer."""
    count = sum(map(len, elements))
    yield "empty", lambda _true, _other: b'{"cdr_root":[]}'
    yield "null", lambda _true, _other: b'{"cdr_root":null}'
    yield "no body", lambda _true, _other: b""
    yield "cut", lambda true, _other: body_of(true)[:-3]
    yield "page repeated", lambda _true, other: body_of(other)
    yield "row of another page put first", lambda true, other: body_of([*other[:1], *true])
    yield "row of another page put last", lambda true, other: body_of([*true, *other[-1:]])
    yield "row of another page for the last", lambda true, other: body_of([*true[:-1], *other[:1]])
    yield "first row again", lambda true, _other: _rows(true, lambda rows: rows + rows[:1])
    yield "first row for the last", lambda true, _other: _rows(true, lambda rows: rows[:-1] + rows[:1])
    yield "last row missing", lambda true, _other: _rows(true, lambda rows: rows[:-1])
    for at in range(count + 1):
        yield "record inserted", lambda true, _other, at=at: _rows(true, lambda rows: [*rows[:at], GHOST, *rows[at:]])
    for at in range(count):
        yield "record gone", lambda true, _other, at=at: _rows(true, lambda rows: rows[:at] + rows[at + 1 :])
        yield (
            "record gone, the next moved up",
            lambda true, other, at=at: _rows([*true, *other[:1]], lambda rows: rows[:at] + rows[at + 1 :]),
        )
    for at in range(count - 1):
        yield (
            "two rows swapped",
            lambda true, _other, at=at: _rows(true, lambda rows: [*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]),
        )


@dataclass
class Pbx:
    """Calls of a day, and of another day; the answer to one request is what a test says."""

    calls: list[Rows]
    unit: Unit
    tell: Callable[[int, list[Rows], list[Rows]], bytes | None] = lambda _number, _true, _other: None
    asked: int = 0
    seen: list[list[Rows]] = field(default_factory=list)

    def post(self, action: str, params: dict[str, Any], *, in_session: bool) -> bytes:
        """In place of the socket."""
        if action != "cdrapi":
            return b'{"response":{"challenge":"0000000891268968","cookie":"sid1-1"},"status":0}'
        self.asked += 1
        if "offset" in params:
            true = cut(self.calls, self.unit, params["offset"], params["numRecords"])
        else:  # is there any record, and is it found by its start?
            true = [[leg(0, 0, day=DAY - timedelta(days=9))]]
        other = self.seen[-1] if self.seen else []
        told = self.tell(self.asked, true, other)
        self.seen.append(true)
        return body_of(true) if told is None else told

    def pull(self, size: int) -> Counter[str] | UCMError:
        """Legs that a pull of the day hands on, or its error."""
        UCM_.time_filter_proved = False
        UCM_._transport = self  # type: ignore[assignment]
        try:
            pages, _ = pull_day(UCM_, DAY, frozen_end=END, page_size=size)
        except UCMError as error:
            return error
        return Counter(row["dstchannel"] for page in pages for row in page)


@dataclass
class Tally:
    """How many cases were tried, and what was wrong."""

    cases: int = 0
    errors: int = 0
    wrong: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def count(self, case: str, kind: str, got: Counter[str] | UCMError, *right: Counter[str]) -> None:
        self.cases += 1
        self.kinds[kind] += 1
        if isinstance(got, UCMError):
            self.errors += 1
            if str(DAY) not in str(got):
                self.wrong.append(f"{case}: {got}")
        elif got not in right:
            self.wrong.append(f"{case}: {sum(got.values())} of {sum(right[0].values())} legs")


def try_all(form: Sequence[int], unit: Unit, size: int, tally: Tally) -> None:
    """Each lie at each request of one window, once; and each change that stays."""
    calls = window(form)
    right = Counter(row["dstchannel"] for call in calls for row in call)
    honest = Pbx(calls, unit)
    tally.count(f"{form} {unit} {size} honest", "honest", honest.pull(size), right)
    for at in range(1, honest.asked + 1):
        for kind, lie in lies(honest.seen[at - 1]):

            def tell(number: int, true: list[Rows], other: list[Rows], *, at: int = at, lie: Lie = lie) -> bytes | None:
                return lie(true, other) if number == at else None

            pbx = Pbx(calls, unit, tell)
            tally.count(f"{form} {unit} {size} {kind} at {at}", kind, pbx.pull(size), right)
        for kind, later in changes(calls):
            pbx = Pbx(calls, unit)

            def change(
                number: int, _true: list[Rows], _other: list[Rows], *, at: int = at, pbx: Pbx = pbx, later: Any = later
            ) -> None:
                if number == at:
                    pbx.calls = later

            pbx.tell = change
            now = Counter(row["dstchannel"] for call in later for row in call)
            # what all was there before the change, or all that is there after it
            tally.count(f"{form} {unit} {size} {kind} after {at}", kind, pbx.pull(size), now, right)


def changes(calls: list[Rows]) -> Iterator[tuple[str, list[Rows]]]:
    """What may happen to the records of a window for good, between two answers."""
    for at in range(len(calls) + 1):
        yield "record comes", [*calls[:at], [GHOST], *calls[at:]]
    for at in range(len(calls)):
        yield "record goes", calls[:at] + calls[at + 1 :]
