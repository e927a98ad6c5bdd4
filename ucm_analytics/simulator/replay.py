"""Records of real answers, read from files and served as they are."""

from __future__ import annotations

import heapq
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ucm_analytics.errors import SettingError
from ucm_analytics.simulator.archive import Record, wall_seconds
from ucm_analytics.simulator.shaping import ReplayShape, element_legs


@dataclass(frozen=True, slots=True)
class _Element:
    order: int
    start: int
    end: int
    legs: int
    blob: bytes


def read_replay(paths: Sequence[Path]) -> tuple[list[Record], ReplayShape]:
    """Records of the answers in files, and their shape.

    The elements of one file keep their order; several files are merged by start.

    Parameters
    ----------
    paths : sequence of Path
        JSON of answers, with their ``cdr_root`` or ``cdr`` wrapper or without: a list of elements, or one.

    Raises
    ------
    SettingError
        A file cannot be read, or is not such an answer.
    """
    fields: dict[str, None] = {}
    files = []
    for path in paths:
        elements = _read(path)
        for element in elements:
            for leg in element_legs(element):
                fields |= dict.fromkeys(leg)
        files.append(list(_placed(elements)))
    fields.pop("cdr", None)
    merged = heapq.merge(*files, key=lambda element: element.order)
    records = [
        Record(number, element.start, element.end, float("-inf"), element.legs, element.blob)
        for number, element in enumerate(merged)
    ]
    return records, ReplayShape(tuple(fields))


def _placed(elements: Sequence[Any]) -> Iterator[_Element]:
    order = start = 0
    for element in elements:
        legs = element_legs(element)
        # an element without a start, such as null, stays where it stands in the file
        start = _seconds(legs[0].get("start")) or start if legs else start
        ends = [end for leg in legs if (end := _seconds(leg.get("end"))) is not None]
        order = max(order, start)
        yield _Element(order, start, max(ends, default=start), len(legs), msgspec.json.encode(element))


def _read(path: Path) -> list[Any]:
    try:
        answer = msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8))
    except OSError as error:
        raise SettingError(f"cannot read the replay file {path}", hint=error.strerror or "check the path") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not JSON ({error})", hint="give the JSON answers of cdrapi") from error
    elements = _elements(answer)
    if elements is None:
        raise SettingError(
            f"{path} holds no call records", hint="give a cdrapi answer, with or without its cdr_root wrapper"
        )
    return elements


def _elements(answer: Any) -> list[Any] | None:
    if isinstance(answer, dict):
        response = answer.get("response")
        for holder in (answer, response if isinstance(response, dict) else {}):
            for name in ("cdr_root", "cdr"):
                if isinstance(holder.get(name), list):
                    return list(holder[name])
        answer = [answer]
    if isinstance(answer, list) and all(_is_element(item) for item in answer):
        return answer
    return None


def _is_element(item: Any) -> bool:
    if item is None or item == "":
        return True
    return isinstance(item, dict) and any(
        "main_cdr" in part or {"src", "dst", "start"} & part.keys() for part in [item, *element_legs(item)]
    )


def _seconds(text: Any) -> int | None:
    try:
        return wall_seconds(datetime.fromisoformat(str(text)))
    except ValueError:
        return None
