"""Keys of callers in the engine, against those of a plain loop."""

from __future__ import annotations

import random

import narwhals.stable.v2 as nw
import pyarrow as pa
import pytest

from tests.analyses.by_loop import keys
from tests.analyses.frames import KINDS
from ucm_analytics.analyses._frame import gathered, lazy
from ucm_analytics.analyses._keys import with_keys
from ucm_analytics.schema import Column


def made(seed: int) -> pa.Table:
    """Few digits, so that many a number ends another."""
    rng = random.Random(seed)
    shown = ["".join(rng.choices("01", k=rng.randrange(1, 14))) for _ in range(40)]
    numbers = [rng.choice(["", "+", "00", "1", "49", "(9) "]) + number for number in shown]
    return pa.table({"number": pa.array([*numbers, *numbers, "anonymous", "", None, "0000"], pa.string())})


@pytest.mark.parametrize("kind", ["pyarrow", "polars lazy", "duckdb", "narwhals"])
@pytest.mark.parametrize("seed", range(20))
def test_one_key_for_all_writings_of_a_number(seed: int, kind: str) -> None:
    table = made(seed)
    frame = with_keys(lazy(KINDS[kind](table), "calls", (Column("number", "string", "number"),)))
    found = gathered(frame.select("number", "key"))
    assert sorted(map(str, found["number"].to_pylist())) == sorted(map(str, table["number"].to_pylist()))
    expected = keys(table["number"].to_pylist())
    pairs = {(expected.get(row["number"]), row["key"]) for row in found.to_pylist()}
    assert len({key for key, _ in pairs}) == len({key for _, key in pairs}) == len(pairs)
    assert (None, None) in pairs


@pytest.mark.parametrize("numbers", [[], ["anonymous"], [None], ["+12025550142"]])
def test_none_and_one(numbers: list[str | None]) -> None:
    frame = nw.from_native(pa.table({"number": pa.array(numbers, pa.string())})).lazy("duckdb")
    assert gathered(with_keys(frame))["key"].to_pylist() == [
        0 if number and "+" in number else None for number in numbers
    ]
