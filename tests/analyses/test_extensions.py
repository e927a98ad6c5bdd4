from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pandas as pd
import pytest

from tests.analyses.frames import as_arrow, calls, random_calls, random_rings, rings
from ucm_analytics import analyses

AT = "2026-03-02 09:00:00"
NINE, TEN = "2026-03-02 09:10:00", "2026-03-02 10:10:00"


def of(result: pd.DataFrame, extension: str) -> dict[str, Any]:
    return result[result["extension"] == extension].iloc[0].to_dict()


def test_by_hand() -> None:
    rang = rings(
        "call_id extension local_at ring_s talk_s result",
        # a: a queue rings 1004 and 1005 in vain, then again, and 1004 picks up
        ("a", "1004", NINE, 15, 0, "missed"),
        ("a", "1005", NINE, 15, 0, "missed"),
        ("a", "1004", NINE, 6, 60, "answered"),
        ("a", "1005", NINE, 6, 0, "elsewhere"),
        ("b", "1004", TEN, 20, 0, "missed"),
        ("c", "1004", TEN, 10, 120, "answered"),
        ("d", "1006", NINE, 0, 0, "busy"),
    )
    made = calls(
        "local_at direction outcome caller talk_s is_forward",
        (NINE, "inbound", "answered", "12025550142", 60, False),
        (TEN, "outbound", "no_answer", "1004", 0, False),
        (TEN, "outbound", "answered", "1004", 45, False),
        (TEN, "internal", "answered", "1007", 30, False),
        (TEN, "outbound", "answered", "1004", 99, True),
    )
    result = analyses.extensions(made, rang)
    assert result["extension"].to_list() == ["1004", "1005", "1006", "1007"]
    first = of(result, "1004")
    assert (first["offered"], first["rung"]) == (3, 4)
    assert (first["answered"], first["elsewhere"], first["missed"], first["unreachable"]) == (2, 0, 1, 0)
    assert first["answered_rate"] == pytest.approx(2 / 3)
    assert (first["talk_s"], first["mean_talk_s"], first["mean_ring_s"]) == (180, 90, 8)
    assert (first["placed"], first["placed_talk_s"]) == (2, 45)
    assert first["busiest_hour"] == 10
    second = of(result, "1005")
    assert (second["offered"], second["elsewhere"], second["missed"]) == (1, 1, 0)
    assert pd.isna(second["answered_rate"])
    third = of(result, "1006")
    assert (third["offered"], third["unreachable"]) == (1, 1)
    assert pd.isna(third["answered_rate"])
    fourth = of(result, "1007")
    assert (fourth["offered"], fourth["placed"], fourth["placed_talk_s"], fourth["busiest_hour"]) == (0, 1, 30, 10)


def test_an_outbound_call_that_nobody_answers_is_never_missed() -> None:
    made = calls("local_at direction outcome caller", (AT, "outbound", "no_answer", "1004"))
    result = of(analyses.extensions(made, rings("extension")), "1004")
    assert (result["placed"], result["missed"], result["offered"]) == (1, 0, 0)
    assert pd.isna(result["answered_rate"])


def test_the_same_number_on_two_systems_is_two_extensions() -> None:
    rang = rings("pbx call_id extension local_at", ("clinic", "a", "1004", AT), ("office", "a", "1004", AT))
    result = analyses.extensions(calls("local_at"), rang)
    assert result[["pbx", "extension", "answered"]].to_numpy().tolist() == [
        ["clinic", "1004", 1],
        ["office", "1004", 1],
    ]


def test_of_equally_busy_hours_the_earliest_is_named() -> None:
    rang = rings("call_id extension local_at", ("a", "1004", TEN), ("b", "1004", NINE))
    assert of(analyses.extensions(calls("local_at"), rang), "1004")["busiest_hour"] == 9


@pytest.mark.parametrize("seed", range(4))
def test_extensions_equal_a_plain_loop(seed: int) -> None:
    made, rang = random_calls(seed), random_rings(seed)
    order = ["answered", "elsewhere", "missed", "unreachable"]
    best: dict[tuple[str, str], int] = {}
    count: dict[str, Counter[str]] = defaultdict(Counter)
    at: dict[str, Counter[int]] = defaultdict(Counter)
    for ring in rang.to_pylist():
        extension = ring["extension"]
        rank = order.index(ring["result"]) if ring["result"] in order else 3
        key = (extension, ring["call_id"])
        best[key] = min(rank, best.get(key, 3))
        count[extension]["rung"] += 1
        count[extension]["talk_s"] += ring["talk_s"]
        at[extension][ring["local_at"].hour] += 1
        if ring["result"] == "answered":
            count[extension]["picked"] += 1
            count[extension]["picked_s"] += ring["ring_s"]
    for (extension, _), rank in best.items():
        count[extension]["offered"] += 1
        count[extension][order[rank]] += 1
    for call in made.to_pylist():
        if call["direction"] in ("outbound", "internal") and not call["is_forward"]:
            count[call["caller"]]["placed"] += 1
            count[call["caller"]]["placed_talk_s"] += call["talk_s"]
            at[call["caller"]][call["local_at"].hour] += 1
    result = as_arrow(analyses.extensions(made, rang)).to_pylist()
    assert [row["extension"] for row in result] == sorted(count)
    for row in result:
        expected = count[row["extension"]]
        for name in ("offered", "rung", *order, "talk_s", "placed", "placed_talk_s"):
            assert row[name] == expected[name], name
        decided = expected["answered"] + expected["missed"]
        assert row["answered_rate"] == (pytest.approx(expected["answered"] / decided) if decided else None)
        answered = expected["answered"]
        assert row["mean_talk_s"] == (pytest.approx(expected["talk_s"] / answered) if answered else None)
        picked = expected["picked"]
        assert row["mean_ring_s"] == (pytest.approx(expected["picked_s"] / picked) if picked else None)
        hours = at[row["extension"]]
        assert row["busiest_hour"] == min(hours, key=lambda hour: (-hours[hour], hour))


def test_nothing_gives_typed_nothing() -> None:
    result = analyses.extensions(calls("local_at"), rings("extension"))
    assert len(result) == 0
    assert result.dtypes.astype(str).to_dict()["busiest_hour"] == "Int64"
