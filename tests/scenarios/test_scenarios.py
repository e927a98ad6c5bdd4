"""Every story comes out as it happened."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.scenarios.conftest import Story, read_story
from ucm_analytics import model
from ucm_analytics.legs import legs_table

STORIES = sorted(Path(__file__).parent.glob("*.txt"))
ORDERS = ("as written", "reversed")


def plain(value: object) -> str:
    """Cell as a story writes it."""
    if value is None:
        return "."
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def rows(table: pa.Table, columns: list[str]) -> list[dict[str, str]]:
    return [{name: plain(row[name]) for name in columns} for row in table.select(columns).to_pylist()]


@cache
def stories() -> dict[str, Story]:
    return {path.stem: read_story(path) for path in STORIES}


@cache
def built(zone: ZoneInfo | None, order: str) -> model.ModelTables:
    """All stories of a zone at once, each on a PBX of its own."""
    tables = []
    for name, story in stories().items():
        if story.zone == zone:
            tables.append(legs_table(story.legs if order == "as written" else story.legs[::-1], pbx=name))
    return model.build(pa.concat_tables(tables).unify_dictionaries(), zone=zone)


def own(table: pa.Table, name: str) -> pa.Table:
    return table.filter(pc.equal(table["pbx"].cast(pa.string()), name))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
@pytest.mark.parametrize("order", ORDERS)
def test_story(path: Path, order: str) -> None:
    story = stories()[path.stem]
    assert story.legs and story.calls, "a story has legs and says what the call was"
    found = built(story.zone, order)
    for expected, call in zip(story.calls, own(found.calls, path.stem).to_pylist(), strict=True):
        assert {name: plain(call[name]) for name in expected} == expected
    if story.steps:
        assert rows(own(found.steps, path.stem), list(story.steps[0])) == story.steps
    if story.rings:
        assert rows(own(found.rings, path.stem), list(story.rings[0])) == story.rings


def test_every_story_says_what_happened() -> None:
    for path in STORIES:
        assert path.read_text(encoding="utf-8").splitlines()[0].endswith("."), path.name
        assert len(stories()[path.stem].calls) == len(
            {leg.get("session") or leg.get("uniqueid", "") for leg in stories()[path.stem].legs}
        )
