from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import Any

import pandas as pd
import pytest

from tests.analyses.frames import SOME_KEYS, as_arrow, calls, menus, random_calls, random_steps, steps
from ucm_analytics import analyses

RUNS = {"ivr_choices": {"menus": SOME_KEYS}}
STEPS = "call_id step_no kind target dwell_s result answered_by"

# a: hears the menu twice, then is answered in the queue. b: hangs up in the menu. c: sub-menu, lets it time out.
# d: dials an extension from the menu, ends in its mailbox. e: never sees a menu.
STORY = steps(
    STEPS,
    ("a", 1, "did", "12025550100", 0, "next", None),
    ("a", 2, "ivr", "7000", 10, "next", None),
    ("a", 3, "ivr", "7000", 20, "next", None),
    ("a", 4, "queue", "6500", 30, "answered", "1004"),
    ("b", 1, "did", "12025550100", 0, "next", None),
    ("b", 2, "ivr", "7000", 6, "hung_up", None),
    ("c", 1, "ivr", "7000", 8, "next", None),
    ("c", 2, "ivr", "7100", 15, "timed_out", None),
    ("d", 1, "ivr", "7000", 4, "next", None),
    ("d", 2, "extension", "1004", 20, "next", None),
    ("d", 3, "voicemail", "1004", 9, "recorded", None),
    ("e", 1, "did", "12025550199", 0, "next", None),
    ("e", 2, "extension", "1005", 5, "answered", "1005"),
)


def test_paths_by_hand() -> None:
    made = calls(
        "path outcome wait_s is_forward",
        ("ivr:7000 > queue:6500", "answered", 10, False),
        ("ivr:7000 > queue:6500", "abandoned", 31, False),
        ("ivr:7000 > queue:6500", "answered", 90, True),
        ("ivr:7000", "abandoned", 8, False),
        ("ivr:7000", "abandoned", 4, False),
        ("extension:1004", "answered", 5, False),
    )
    result = analyses.ivr_paths(made)
    assert result["path"].to_list() == ["ivr:7000", "ivr:7000 > queue:6500"]
    assert result["calls"].to_list() == [2, 2]
    assert result["share"].to_list() == [0.5, 0.5]
    assert result["answered"].to_list() == [0, 1]
    assert result["answered_rate"].to_list() == [0.0, 0.5]
    assert result["median_wait_s"].to_list() == [6.0, 20.5]


@pytest.mark.parametrize("seed", range(3))
def test_paths_equal_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    waits: dict[str, list[int]] = defaultdict(list)
    answered: Counter[str] = Counter()
    for call in made.to_pylist():
        if "ivr:" in call["path"] and not call["is_forward"]:
            waits[call["path"]].append(call["wait_s"])
            answered[call["path"]] += call["outcome"] == "answered"
    total = sum(len(values) for values in waits.values())
    expected = [
        (path, len(waits[path]), len(waits[path]) / total, answered[path], float(median(waits[path])))
        for path in sorted(waits, key=lambda path: (-len(waits[path]), path))
    ]
    result = as_arrow(analyses.ivr_paths(made)).to_pylist()
    found = [(r["path"], r["calls"], r["share"], r["answered"], r["median_wait_s"]) for r in result]
    assert found == expected


def test_transitions_by_hand() -> None:
    result = analyses.ivr_transitions(STORY)
    found = {(a, b): (c, p, m) for a, b, c, p, m in as_arrow(result).to_pandas().itertuples(index=False)}
    assert found == {
        ("did:12025550100", "ivr:7000"): (2, 2, 0),
        ("ivr:7000", "ivr:7000"): (1, 1, 10),
        ("ivr:7000", "queue:6500"): (1, 1, 20),
        ("queue:6500", "end:answered"): (1, 1, 30),
        ("ivr:7000", "end:hung_up"): (1, 1, 6),
        ("ivr:7000", "ivr:7100"): (1, 1, 8),
        ("ivr:7100", "end:timed_out"): (1, 1, 15),
        ("ivr:7000", "extension:1004"): (1, 1, 4),
        ("extension:1004", "voicemail:1004"): (1, 1, 20),
        ("voicemail:1004", "end:recorded"): (1, 1, 9),
    }
    assert result["from"].iloc[0] == "did:12025550100"


def test_a_step_that_was_left_out_is_not_jumped_over() -> None:
    made = STORY[~((STORY["call_id"] == "a") & (STORY["step_no"] == 3))]
    moves = {(row["from"], row["to"]): row["passes"] for row in analyses.ivr_transitions(made).to_dict("records")}
    assert ("ivr:7000", "queue:6500") not in moves
    assert moves["ivr:7000", "end:next"] == 1
    choices = analyses.ivr_choices(made, menus())
    assert choices["to"].to_list() == ["extension:1004", "ivr:7100"]
    dropped = analyses.ivr_dropoff(made).set_index("menu").loc["7000"]
    assert dropped[["passes", "repeated", "went_on", "hung_up", "other"]].to_list() == [4, 0, 2, 1, 1]


def test_two_systems_may_use_the_same_call_id() -> None:
    made = steps(
        "pbx call_id step_no kind target dwell_s result",
        ("clinic", "a", 1, "ivr", "7000", 1, "next"),
        ("clinic", "a", 2, "queue", "6500", 1, "answered"),
        ("office", "a", 1, "ivr", "7000", 1, "next"),
        ("office", "a", 2, "queue", "6500", 1, "hung_up"),
    )
    result = analyses.ivr_transitions(made)
    assert result["calls"].to_list() == result["passes"].to_list() == [2, 1, 1]
    assert analyses.ivr_dropoff(made)[["pbx", "passes", "answered"]].to_numpy().tolist() == [
        ["clinic", 1, 1],
        ["office", 1, 0],
    ]


def followed(made: Any) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each step with the one after it, by a plain loop."""
    by_call: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for step in made.to_pylist():
        by_call[step["pbx"], step["call_id"]].append(step)
    pairs = []
    for taken in by_call.values():
        taken.sort(key=lambda step: step["step_no"])
        pairs += list(zip(taken, [*taken[1:], None], strict=True))
    return pairs


def node(step: dict[str, Any]) -> str:
    return f"{step['kind']}:{step['target']}"


@pytest.mark.parametrize("seed", range(3))
def test_transitions_equal_a_plain_loop(seed: int) -> None:
    made = random_steps(seed)
    pairs = followed(made)
    through = {(a["pbx"], a["call_id"]) for a, _ in pairs if a["kind"] == "ivr"}
    passes: dict[tuple[str, str], list[int]] = defaultdict(list)
    different: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for step, after in pairs:
        call = (step["pbx"], step["call_id"])
        if call not in through:
            continue
        move = (node(step), node(after) if after else f"end:{step['result']}")
        passes[move].append(step["dwell_s"])
        different[move].add(call)
    expected = [
        (*move, len(different[move]), len(passes[move]), float(median(passes[move])))
        for move in sorted(passes, key=lambda move: (-len(passes[move]), move))
    ]
    result = as_arrow(analyses.ivr_transitions(made)).to_pylist()
    assert [tuple(row.values()) for row in result] == expected


def test_dropoff_by_hand() -> None:
    result = analyses.ivr_dropoff(STORY).set_index("menu")
    main, sub = result.loc["7000"], result.loc["7100"]
    names = ["calls", "passes", "repeated", "went_on", "answered", "hung_up", "timed_out", "other"]
    assert main[names].to_list() == [4, 5, 1, 3, 1, 1, 0, 0]
    assert sub[names].to_list() == [1, 1, 0, 0, 0, 0, 1, 0]
    assert main[["went_on_rate", "answered_rate", "hung_up_rate", "timed_out_rate"]].to_list() == [0.6, 0.2, 0.2, 0]
    # dwell 4 6 8 10 20: position 0.9 * 4 = 3.6
    assert (main["median_dwell_s"], main["p90_dwell_s"]) == (8, pytest.approx(16))
    assert result.index.to_list() == ["7000", "7100"]


@pytest.mark.parametrize("seed", range(3))
def test_dropoff_equals_a_plain_loop(seed: int) -> None:
    made = random_steps(seed)
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for step, after in followed(made):
        if step["kind"] != "ivr":
            continue
        count = counts[step["pbx"], step["target"]]
        count["passes"] += 1
        if after is None:
            fate = step["result"] if step["result"] in ("hung_up", "timed_out") else "other"
        else:
            fate = "repeated" if node(after) == node(step) else "went_on"
        count[fate] += 1
        later = [
            s
            for s in made.to_pylist()
            if (s["pbx"], s["call_id"]) == (step["pbx"], step["call_id"]) and s["step_no"] > step["step_no"]
        ]
        count["answered"] += fate == "went_on" and any(s["result"] == "answered" for s in later)
    result = as_arrow(analyses.ivr_dropoff(made)).to_pylist()
    assert {(r["pbx"], r["menu"]) for r in result} == set(counts)
    for found in result:
        count = counts[found["pbx"], found["menu"]]
        for name in ("passes", "repeated", "went_on", "answered", "hung_up", "timed_out", "other"):
            assert found[name] == count[name], name
        parts = ("repeated", "went_on", "hung_up", "timed_out", "other")
        assert sum(found[name] for name in parts) == found["passes"]


KEYS = menus(
    ("7000", "", "", ""),
    ("7000", "1", "queue", "6500"),
    ("7000", "2", "ivr", "7100"),
    ("7000", "3", "extension", "1004"),
    ("7000", "0", "extension", "1004"),
    ("7000", "timeout", "voicemail", "1003"),
    ("7100", "1", "queue", "6500"),
    ("7100", "timeout", "queue", "6500"),
    ("7100", "9", "ivr", "7100"),
)


def test_choices_by_hand() -> None:
    went = ["queue:6500", "queue:6500", "ivr:7100", "extension:1004", "voicemail:1003", "extension:1077", "ivr:7000"]
    rows = []
    for n, to in enumerate(went):
        kind, target = to.split(":")
        rows.append((f"c{n}", 1, "ivr", "7000", 5, "next", None))
        rows.append((f"c{n}", 2, kind, target, 5, "hung_up", None))
    for n, to in enumerate(["queue:6500", "ivr:7100"]):
        kind, target = to.split(":")
        rows.append((f"d{n}", 1, "ivr", "7100", 5, "next", None))
        rows.append((f"d{n}", 2, kind, target, 5, "hung_up", None))
    result = analyses.ivr_choices(steps(STEPS, *rows), KEYS)
    found = [
        tuple(None if pd.isna(value) else value for value in row)
        for row in as_arrow(result[["menu", "key", "certainty", "to", "passes"]])
        .to_pandas()
        .astype("object")
        .itertuples(index=False)
    ]
    assert found == [
        ("7000", "1", "certain", "queue:6500", 2),
        ("7000", "0/3", "ambiguous", "extension:1004", 1),
        ("7000", None, "unknown", "extension:1077", 1),
        ("7000", "repeat", "default", "ivr:7000", 1),
        ("7000", "2", "certain", "ivr:7100", 1),
        ("7000", "timeout", "default", "voicemail:1003", 1),
        ("7100", "9/repeat", "ambiguous", "ivr:7100", 1),
        ("7100", "1/timeout", "ambiguous", "queue:6500", 1),
    ]
    assert result["share"].to_list() == pytest.approx([2 / 7, *[1 / 7] * 5, 0.5, 0.5])


def test_a_key_table_of_another_system_is_not_used() -> None:
    result = analyses.ivr_choices(STORY, KEYS.assign(pbx="office"))
    assert result["certainty"].to_list() == ["unknown", "default", "unknown", "unknown"]


def test_choices_where_numbers_can_be_dialled() -> None:
    went = ["extension:1004", "extension:1005", "voicemail:1004", "voicemail:1005", "queue:6500", "ring_group:6400"]
    rows = []
    for n, to in enumerate(went):
        kind, target = to.split(":")
        rows.append((f"c{n}", 1, "ivr", "7000", 5, "next", None))
        rows.append((f"c{n}", 2, kind, target, 5, "hung_up", None))
    keys = [("7000", "1", "extension", "1004"), ("7000", "2", "queue", "6500")]
    extensions = ("7000", "dial", "extension", "")

    def choices(*table: tuple[str, str, str, str]) -> dict[str, tuple[str | None, str]]:
        found = analyses.ivr_choices(steps(STEPS, *rows), menus(*table)).astype(object)
        return {r.to: (None if pd.isna(r.key) else r.key, r.certainty) for r in found.itertuples()}

    assert choices(*keys, extensions) == {
        "extension:1004": ("1/dial", "ambiguous"),
        "extension:1005": ("dial", "certain"),
        "voicemail:1004": ("1/dial", "ambiguous"),  # a phone that is not registered leaves no step
        "voicemail:1005": ("dial", "certain"),
        "queue:6500": ("2", "certain"),
        "ring_group:6400": (None, "unknown"),
    }
    assert choices(*keys)["voicemail:1004"] == ("1", "certain")
    assert choices(*keys)["extension:1005"] == (None, "unknown")
    assert choices(*keys, ("7000", "dial", "queue", ""))["queue:6500"] == ("2/dial", "ambiguous")
    # a key without a target leads nowhere that can be known
    assert choices(("7000", "5", "extension", ""))["extension:1005"] == (None, "unknown")


def test_choices_without_any_key_table() -> None:
    result = analyses.ivr_choices(STORY, KEYS.head(0))
    assert result["passes"].sum() == 4
    assert set(result["certainty"]) == {"unknown", "default"}


@pytest.mark.parametrize("seed", range(3))
def test_choices_equal_a_plain_loop(seed: int) -> None:
    made = random_steps(seed)
    table: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key in KEYS.to_dict("records"):
        if key["key"]:
            table[key["number"], f"{key['target_kind']}:{key['target']}"].add(key["key"])
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for step, after in followed(made):
        if step["kind"] != "ivr" or after is None:
            continue
        candidates = table[step["target"], node(after)] if step["pbx"] == "clinic" else set()
        if node(after) == node(step):
            candidates = candidates | {"repeat"}
        pressed = candidates - {"repeat", "timeout", "invalid"}
        certainty = (
            "unknown"
            if not candidates
            else "default"
            if not pressed
            else "certain"
            if len(candidates) == 1
            else "ambiguous"
        )
        expected[step["pbx"], step["target"], node(after), certainty] += 1
    result = as_arrow(analyses.ivr_choices(made, KEYS)).to_pylist()
    assert {(r["pbx"], r["menu"], r["to"], r["certainty"]): r["passes"] for r in result} == dict(expected)


def test_nothing_gives_typed_nothing() -> None:
    none = STORY.head(0)
    for result in (analyses.ivr_transitions(none), analyses.ivr_dropoff(none), analyses.ivr_choices(none, KEYS)):
        assert len(result) == 0
        assert "passes" in result
    assert len(analyses.ivr_paths(calls("path"))) == 0
