"""Which calls are meant: by hand, and that no other file has a definition of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import narwhals.stable.v2 as nw
import pandas as pd
import pytest

from tests.analyses.frames import calls
from ucm_analytics.analyses.frames import collect
from ucm_analytics.analyses.population import (
    came_by_trunk,
    counted_calls,
    dialled_outside,
    each_leaving,
    from_outside,
    in_period,
    leaves,
    on_days,
)
from ucm_analytics.period import Period
from ucm_analytics.schema import DIRECTIONS

PACKAGE = Path(__file__).resolve().parents[2] / "ucm_analytics"
# where the words are made or declared, and the check that shares no code with the rest
OWN_WORDS = ("analyses/population.py", "analyses/calendar.py", "schema.py", "model/", "simulator/", "store/read.py")


def some(*columns: str) -> nw.LazyFrame[object]:
    """A call a direction, and one whose direction nobody knows; each goes the same way inside."""
    made = calls("direction path", *((name, "extension:1004") for name in (*DIRECTIONS, None)))
    return counted_calls(made, "direction", "path", *columns)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (from_outside, {"inbound"}),
        (came_by_trunk, {"inbound", "external"}),
        (dialled_outside, {"outbound", "external"}),
        (leaves, {"outbound", "external"}),
    ],
)
def test_directions(test: object, expected: set[str]) -> None:
    assert set(collect(some().filter(test()))["direction"]) == expected  # type: ignore[operator]


def test_a_row_that_goes_on_with_another_is_no_call_and_one_that_does_not_say_is() -> None:
    made = calls("call_id is_forward", ("own", False), ("goes on", True), ("silent", None))
    assert collect(counted_calls(made, "call_id"))["call_id"].to_list() == ["own", "silent"]


def test_what_is_sent_on_outside_leaves_as_a_call_of_its_own() -> None:
    made = calls(
        "call_id direction path is_forward",
        ("menu", "inbound", "ivr:7000 > external:12025550177", False),
        ("follow-me", "outbound", "external:12025550177", True),
        ("colleague", "inbound", "extension:1004 > transfer:1005", False),
    )
    gone = each_leaving(nw.from_native(made).lazy())
    assert collect(counted_calls(gone, "call_id"))["call_id"].to_list() == ["menu", "follow-me"]


def test_a_period_holds_its_first_instant_and_not_the_one_after_its_last() -> None:
    times = ("2026-03-01 23:59:59", "2026-03-02", "2026-03-03 23:59:59", "2026-03-04", None)
    frame = counted_calls(calls("call_id local_at", *zip("abcde", times, strict=True)), "call_id", "local_at")
    two = Period.of("2026-03-02", "2026-03-03")

    def left(rows: nw.LazyFrame[object]) -> str:
        return "".join(collect(rows)["call_id"])

    assert left(in_period(frame, two)) == "bc"
    assert left(in_period(frame, None)) == "abcde"
    assert left(on_days(frame)) == "abcd"  # a call without a time began on no day
    assert left(on_days(frame, two, holidays=[date(2026, 3, 3)])) == "b"
    assert left(on_days(frame, weekdays=[1, 2])) == "cd"


def definitions(code: str) -> Iterator[str]:
    """Places that decide on their own which calls are meant."""
    places = (ast.Compare, ast.Call, ast.Subscript, ast.keyword)
    for node in (node for node in ast.walk(ast.parse(code)) if isinstance(node, places)):
        words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
        if isinstance(node, ast.Compare):
            if words & {"inbound", "external"}:
                yield f"{node.lineno}: compares a direction"
            starts = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            if "start" in starts and isinstance(node.ops[0], ast.GtE):
                yield f"{node.lineno}: compares with the start of a period"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("is_in", "isin") and words & {"inbound", "external"}:
                yield f"{node.lineno}: compares a direction"
            if node.func.attr == "col" and "is_forward" in words:
                yield f"{node.lineno}: reads is_forward"
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and "is_forward" in words:
            yield f"{node.lineno}: reads is_forward"
        elif isinstance(node, ast.keyword) and node.arg == "is_forward":
            yield f"{node.value.lineno}: sets is_forward"


@pytest.mark.parametrize(
    "code",
    [
        "frame.filter(~nw.col('is_forward'))",
        "calls[~calls['is_forward']]",
        "calls.with_columns(is_forward=nw.lit(False))",
        "nw.col('direction') == 'inbound'",
        "nw.col('direction').is_in(['inbound', 'external'])",
        "calls['local_at'] >= period.start",
    ],
)
def test_a_second_definition_would_be_seen(code: str) -> None:
    assert len(list(definitions(code))) == 1


def test_there_is_one_definition_of_which_calls_are_meant() -> None:
    found = {}
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        if not name.startswith(OWN_WORDS):
            found[name] = list(definitions(file.read_text(encoding="utf-8")))
    assert len(found) > 100
    assert not {name: places for name, places in found.items() if places}


def test_missing_is_no_direction() -> None:
    assert collect(some().filter(~from_outside()))["direction"].notna().all()
    assert pd.isna(collect(some())["direction"]).sum() == 1
