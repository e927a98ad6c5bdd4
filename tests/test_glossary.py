"""The glossary has a word for each value of the tables, and none that the tables do not have."""

from __future__ import annotations

import re
from pathlib import Path

from ucm_analytics.schema import DIRECTIONS, OUTCOMES, RING_RESULTS, STEP_KINDS, STEP_RESULTS, TABLES

ENTRY = re.compile(r"^\| (.+?) \| (.*?) \|$", re.MULTILINE)
VALUES = {*TABLES, *STEP_KINDS, *STEP_RESULTS, *RING_RESULTS, *DIRECTIONS, *OUTCOMES}


def entries() -> list[str]:
    text = Path("docs/glossary.md").read_text(encoding="utf-8")
    heads = ("word", "how a step ends", "how a ring ends", "---")
    return [word for word, _ in ENTRY.findall(text) if word not in heads]


def test_each_value_of_the_tables_has_an_entry() -> None:
    coded = {word.strip("`") for word in entries() if word.startswith("`")}
    assert coded == VALUES


def test_each_word_has_one_entry() -> None:
    words = entries()
    assert len(words) == len(set(words)) > len(VALUES)
