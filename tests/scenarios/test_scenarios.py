"""Every story comes out as it happened."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.scenarios.conftest import Story, read_story
from ucm_analytics import model
from ucm_analytics.parse import legs_table

STORIES = sorted(Path(__file__).parent.glob("*.txt"))


def plain(value: object) -> str:
    """Cell as a story writes it."""
    if value is None:
        return "."
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def rows(table: pa.Table, columns: list[str]) -> list[dict[str, str]]:
    return [{name: plain(row[name]) for name in columns} for row in table.select(columns).to_pylist()]


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
@pytest.mark.parametrize("order", ["as written", "reversed"])
def test_story(path: Path, order: str) -> None:
    story: Story = read_story(path)
    assert story.legs and story.calls, "a story has legs and says what the call was"
    legs = story.legs if order == "as written" else story.legs[::-1]
    built = model.build(legs_table(legs, pbx="clinic"), zone=story.zone)
    for expected, found in zip(story.calls, built.calls.to_pylist(), strict=True):
        assert {name: plain(found[name]) for name in expected} == expected
    if story.steps:
        assert rows(built.steps, list(story.steps[0])) == story.steps
    if story.rings:
        assert rows(built.rings, list(story.rings[0])) == story.rings
