"""The parameters of a `cdrapi` request: times, number patterns, durations, paging."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from ucm_analytics.simulator.shaping import whole_of

MAX_RECORDS: Final = 1000

BlankTime = Literal["empty", "accepted"]
LegTest = Callable[[Mapping[str, Any]], bool]

_EPOCH: Final = datetime(1970, 1, 1)
_ALLOWED: Final = re.compile(r"[\w+*#.@,\- ]*\Z")
_WHOLE: Final = re.compile(r"[0-9]{1,18}\Z")
_TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})?(?P<sep>[T ])?"
    r"(?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?(?P<offset>[+-]\d{2}:?\d{2}|Z)?\Z"
)


class NotUnderstood(Exception):
    """A value that makes the PBX answer with an empty container."""


@dataclass(frozen=True)
class Query:
    """What a `cdrapi` request asks for.

    Attributes
    ----------
    first, last : float
        Bounds of the wall time [s], both inclusive.
    by_end : bool
        The bounds are those of the call's end.
    tests : list of callable
        Every one must hold for one and the same leg of a record.
    limit, offset : int
        How many, and how many to skip.
    """

    first: float = float("-inf")
    last: float = float("inf")
    by_end: bool = False
    tests: list[LegTest] = field(default_factory=list)
    limit: int = MAX_RECORDS
    offset: int = 0


def parse_query(params: Mapping[str, Any], *, zone: ZoneInfo, now: float, blank_time: BlankTime) -> Query:
    """Query of a request; names of parameters are taken in any case, unknown ones do nothing.

    Raises
    ------
    NotUnderstood
        A value is not one that the PBX takes.
    """
    values = {name.lower(): _text(value) for name, value in params.items()}

    def value(name: str) -> str:
        return values.get(name, "")

    tests: list[LegTest] = []
    for name, raw in (
        ("caller", "src"),
        ("callee", "dst"),
        ("answeredby", "dstanswer"),
        ("callername", "caller_name"),
    ):
        if value(name):
            tests.append(_matches(raw, number_pattern(value(name))))
    if value("uniqueid"):
        wanted = value("uniqueid")
        tests.append(lambda leg: leg.get("uniqueid") == wanted)
    if value("mindur"):
        shortest = _whole(value("mindur"))
        tests.append(lambda leg: whole_of(leg, "billsec") >= shortest)
    if value("maxdur"):
        longest = _whole(value("maxdur"))
        tests.append(lambda leg: whole_of(leg, "billsec") <= longest)
    bounds = [
        wall_time(value(name), zone=zone, now=now, blank_time=blank_time) if value(name) else open_end
        for name, open_end in (("starttime", float("-inf")), ("endtime", float("inf")))
    ]
    # the vendor's own text misspells the name
    kind = value("timefiltertype") or value("tinefiltertype") or "start"
    if kind.lower() not in ("start", "end"):
        raise NotUnderstood(kind)
    return Query(
        first=bounds[0],
        last=bounds[1],
        by_end=kind.lower() == "end",
        tests=tests,
        limit=min(_whole(value("numrecords") or str(MAX_RECORDS)), MAX_RECORDS),
        offset=_whole(value("offset") or "0"),
    )


def wall_time(text: str, *, zone: ZoneInfo, now: float, blank_time: BlankTime = "empty") -> float:
    """Wall time [s since 1970 on the PBX's clock] of one of the time forms that `cdrapi` takes.

    A date alone is its midnight, a time alone is on 2000-01-01; without an offset both are PBX local time.

    Raises
    ------
    NotUnderstood
        It is none of the forms.
    """
    if text == "now":
        return _on_wall(datetime.fromtimestamp(now, zone))
    if re.fullmatch(r"\d{10}", text):
        return _on_wall(datetime.fromtimestamp(int(text), zone))
    parts = _TIME.match(text)
    if parts is None or not (parts["date"] or parts["time"]):
        raise NotUnderstood(text)
    if bool(parts["sep"]) != bool(parts["date"] and parts["time"]) or (parts["offset"] and not parts["time"]):
        raise NotUnderstood(text)
    if parts["sep"] == " " and blank_time == "empty":
        raise NotUnderstood(text)
    try:
        day = datetime.strptime(parts["date"] or "2000-01-01", "%Y-%m-%d").date()
        moment = datetime.combine(day, time.fromisoformat(parts["time"] or "00:00"))
        if parts["offset"]:
            moment = datetime.fromisoformat(moment.isoformat() + parts["offset"]).astimezone(zone)
    except (ValueError, OverflowError):
        raise NotUnderstood(text) from None
    return _on_wall(moment)


def number_pattern(text: str) -> Callable[[str], bool]:
    """Test of a number against a comma list of numbers, ranges and wildcards.

    ``@`` stands for any run of characters, ``_`` for exactly one; ``5302-5304`` is a numeric range, and
    ``0-0`` stands for everything that is not a number.

    Raises
    ------
    NotUnderstood
        Leading or double comma, a range with several hyphens, or characters that numbers never have.
    """
    items = text.split(",")
    if items[-1] == "":
        items.pop()
    if not items or "" in items or not _ALLOWED.match(text):
        raise NotUnderstood(text)
    tests = [_one_pattern(item.strip()) for item in items]
    return lambda number: any(test(number) for test in tests)


def _one_pattern(item: str) -> Callable[[str], bool]:
    if "@" in item or "_" in item:
        signs = {"@": ".*", "_": "."}
        pattern = re.compile("".join(signs.get(char) or re.escape(char) for char in item), re.DOTALL)
        return lambda number: pattern.fullmatch(number) is not None
    if item == "0-0":
        return lambda number: not number.isdecimal()
    if "-" not in item:
        return lambda number: number == item
    if item.count("-") > 1:
        raise NotUnderstood(item)
    ends = [re.sub(r"\D", "", end) for end in item.split("-")]
    low, high = map(_whole, ends)
    return lambda number: number.isdecimal() and low <= int(number) <= high


def _matches(raw: str, pattern: Callable[[str], bool]) -> LegTest:
    return lambda leg: pattern(str(leg.get(raw) or ""))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None:
        return ""
    raise NotUnderstood(repr(value))


def _whole(text: str) -> int:
    if not _WHOLE.match(text):
        raise NotUnderstood(text)
    return int(text)


def _on_wall(moment: datetime) -> float:
    return (moment.replace(tzinfo=None) - _EPOCH).total_seconds()
