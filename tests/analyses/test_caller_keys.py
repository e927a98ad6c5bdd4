"""Keys of callers in the engine, against those of a plain loop."""

from __future__ import annotations

import random

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa
import pytest

from tests.analyses.by_loop import keys
from tests.analyses.frames import ENGINES, KINDS, as_arrow, table
from ucm_analytics import analyses, model
from ucm_analytics.analyses.caller_keys import fullest, with_keys
from ucm_analytics.analyses.frames import collect_arrow, select_required
from ucm_analytics.legs import legs_table
from ucm_analytics.schema import Column


def made(seed: int) -> pa.Table:
    """Few digits, so that many a number ends another."""
    rng = random.Random(seed)
    shown = ["".join(rng.choices("01", k=rng.randrange(1, 14))) for _ in range(40)]
    numbers = [rng.choice(["", "+", "00", "1", "49", "(9) "]) + number for number in shown]
    return pa.table({"number": pa.array([*numbers, *numbers, "anonymous", "", None, "0000"], pa.string())})


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("seed", range(20))
def test_one_key_for_all_writings_of_a_number(seed: int, kind: str) -> None:
    table = made(seed)
    frame = with_keys(select_required(KINDS[kind](table), "calls", (Column("number", "string", "number"),)))
    found = collect_arrow(frame.select("number", "key"))
    assert sorted(map(str, found["number"].to_pylist())) == sorted(map(str, table["number"].to_pylist()))
    expected = keys(table["number"].to_pylist())
    pairs = {(expected.get(row["number"]), row["key"]) for row in found.to_pylist()}
    assert len({key for key, _ in pairs}) == len({key for _, key in pairs}) == len(pairs)
    assert (None, None) in pairs


@pytest.mark.parametrize("numbers", [[], ["anonymous"], [None], ["+12025550142"]])
def test_none_and_one(numbers: list[str | None]) -> None:
    frame = nw.from_native(pa.table({"number": pa.array(numbers, pa.string())})).lazy("duckdb")
    assert collect_arrow(with_keys(frame))["key"].to_pylist() == [
        0 if number and "+" in number else None for number in numbers
    ]


def test_the_fullest_writing_tells_most() -> None:
    written = ["2025550142", "+12025550142", "912025550142", "0305550142", "0049305550142", "1004", "anonymous", None]
    found = fullest(pd.Series(written, index=range(10, 18), dtype="str"))
    assert found.index.to_list() == list(range(10, 18))
    assert found.fillna("").to_list() == [*["+12025550142"] * 3, *["0049305550142"] * 2, "1004", "anonymous", ""]


SPELLINGS = [
    ("+1 202 555 0142", "0012025550142", "12025550142"),
    ("2025550142", "12025550142", "+12025550142"),
    ("0305550142", "+49305550142", "0049 (30) 555-0142"),
    ("011 44 20 7946 0142", "+442079460142", "442079460142"),
]


@pytest.mark.parametrize("kind", ["pandas", "polars lazy"])
@pytest.mark.parametrize("spellings", SPELLINGS)
def test_one_number_is_one_caller_in_every_analysis(spellings: tuple[str, ...], kind: str) -> None:
    """Three calls of one number, and one of another that differs in one digit."""
    other = spellings[0][:-1] + "3"
    columns = "local_at direction caller callee outcome path talk_s duration_s"
    came = [(f"2026-03-02 0{n}:00", "inbound", who, "1000", "abandoned", "", 0, 9) for n, who in enumerate(spellings)]
    came.append(("2026-03-02 09:00", "inbound", other, "1000", "abandoned", "", 0, 9))
    sent = [("2026-03-03 12:00", "external", row[2], "+881655501", "answered", "", 60, 90) for row in came]
    back = [("2026-03-04 12:00", "outbound", "1004", who, "answered", "", 60, 90) for who in spellings]

    def frame(*rows: tuple[object, ...]) -> object:
        return KINDS[kind](table("calls", columns, rows))

    def rows(result: object) -> list[dict[str, object]]:
        return as_arrow(result).to_pylist()  # type: ignore[no-any-return]

    calls = frame(*came)
    assert sorted(row["calls"] for row in rows(analyses.top_callers(calls))) == [1, 3]  # type: ignore[type-var]
    assert rows(analyses.caller_concentration(calls))[-1]["callers"] == 2
    assert {row["calls"] for row in rows(analyses.missed_calls(calls))} == {1, 3}
    assert rows(analyses.time_to_callback(calls))[0]["calls"] == 2
    assert rows(analyses.repeat_callers(calls, window_h=1, by=None))[0]["followed"] == 2
    legs = legs_table([], pbx="clinic")
    nothing = model.build(legs)
    lines = rows(analyses.reconciliation(legs, steps=nothing.steps, rings=nothing.rings, calls=calls))
    assert [row["count"] for row in lines if row["grain"] == row["what"] == "callers"] == [2]
    # in one area together; the other number may be one in national form, of which nobody knows where it is
    assert {row["callers"] for row in rows(analyses.caller_areas(frame(*came[:3])))} == {1}

    tariff = pd.DataFrame({"prefix": [""], "per_minute": [1.0], "setup": [0.0], "rounding_s": [1]})
    by_caller = rows(analyses.cost(frame(*sent), tariff, by="caller"))
    assert sorted(row["calls"] for row in by_caller) == [1, 3]  # type: ignore[type-var]
    at_once = [row for row in rows(analyses.fraud_signals(frame(*sent))) if row["rule"] == "at_once"]
    assert [row["calls"] for row in at_once] == [3]
    priced = rows(analyses.cost(frame(*back), tariff.assign(prefix=spellings[-1].lstrip("+0")[:2])))
    assert len(priced) == 1
    assert sum(row["calls"] for row in rows(analyses.missed_calls(frame(*came[:3], *back)))) == 3  # type: ignore[misc]
    assert [row["status"] for row in rows(analyses.missed_calls(frame(*came[:3], *back)))] == ["returned"]
