"""The outcome table holds for every combination of what it looks at."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import product

import duckdb
import pyarrow as pa
import pytest

from ucm_analytics.model import OUTCOME_RULES
from ucm_analytics.schema import DIRECTIONS, OUTCOMES, STEP_KINDS, STEP_RESULTS

INPUTS = ("answered_at_s", "voicemail_at_s", "last_result", "direction", "ended_in")
Row = tuple[int | None, int | None, str | None, str, str]
GRID: list[Row] = list(product((None, 0, 7), (None, 0, 7), (None, *STEP_RESULTS), DIRECTIONS, STEP_KINDS))


@cache
def holding() -> dict[Row, list[bool | None]]:
    """For each row of the grid, which rules hold, as the engine says."""
    conditions = ", ".join(f"({rule.condition})" for rule in OUTCOME_RULES)
    with duckdb.connect() as connection:
        columns = zip(*GRID, strict=True)
        types = (pa.int64(), pa.int64(), pa.string(), pa.string(), pa.string())
        arrays = [pa.array(column, dtype) for column, dtype in zip(columns, types, strict=True)]
        connection.register("grid", pa.table(arrays, names=list(INPUTS)))
        found = connection.execute(f"SELECT {', '.join(INPUTS)}, {conditions} FROM grid").fetchall()
    return {row[: len(INPUTS)]: list(row[len(INPUTS) :]) for row in found}


def first(row: Row) -> str:
    return next(rule.outcome for rule, holds in zip(OUTCOME_RULES, holding()[row], strict=True) if holds)


def test_the_grid_is_whole() -> None:
    assert len(holding()) == len(GRID) == len(set(GRID)) == 3 * 3 * 8 * 5 * 10


def test_total_every_combination_has_an_outcome() -> None:
    assert all(any(holds) for holds in holding().values())


def test_no_condition_is_unknown_where_its_inputs_are_known() -> None:
    # an unknown condition would skip a rule without anybody noticing
    for row, holds in holding().items():
        if None not in row[2:]:
            assert None not in holds, row


def test_exclusive_one_rule_an_outcome_and_each_can_be_the_first() -> None:
    firsts = Counter(first(row) for row in GRID)
    assert set(firsts) == set(OUTCOMES) == {rule.outcome for rule in OUTCOME_RULES}
    assert len(OUTCOME_RULES) == len(OUTCOMES)
    assert sum(firsts.values()) == len(GRID)


@pytest.mark.parametrize("number", range(len(OUTCOME_RULES)))
def test_no_rule_is_hidden_by_those_before(number: int) -> None:
    assert any(holds[number] and not any(holds[:number]) for holds in holding().values())


def test_the_table_says_what_its_words_say() -> None:
    """The words of each rule once more, as a person would decide."""
    for row in GRID:
        answered, voicemail, last, direction, ended_in = row
        if answered is not None:
            expected = "answered"
        elif voicemail is not None:
            expected = "voicemail"
        elif last == "timed_out":
            expected = "disconnected"
        elif last in ("busy", "failed"):
            expected = last
        elif direction == "inbound" or ended_in in ("ivr", "queue", "park"):
            expected = "abandoned"
        else:
            expected = "no_answer"
        assert first(row) == expected, row


def test_the_words_are_for_people() -> None:
    for rule in OUTCOME_RULES:
        assert rule.words == rule.words.strip() and "_" not in rule.words and len(rule.words) > 10
