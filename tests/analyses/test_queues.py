"""Queues and their agents, by hand and by plain loops."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import pytest

from tests.analyses.frames import ENGINES, KINDS, as_arrow, calls, rings, steps, table
from tests.analyses.visits import AT, callers, random_visits, ringing, visits
from tests.scenarios.conftest import read_story
from ucm_analytics import analyses, model
from ucm_analytics.errors import SettingError
from ucm_analytics.legs import legs_table

RUNS = {"queues without calls": {"calls": None}}
SCENARIOS = Path(__file__).parents[1] / "scenarios"
ENDS = {"answered": "answered", "hung_up": "abandoned", "next": "overflowed"}


def test_one_queue_by_hand() -> None:
    made = visits(
        ("answered", 10), ("answered", 30), ("hung_up", 4), ("hung_up", 5), ("hung_up", 60), ("next", 95), ("busy", 2)
    )
    (row,) = analyses.queues(made.assign(talk_s=[100, 50, 0, 0, 0, 0, 0])).to_dict("records")
    assert (row["offered"], row["answered"], row["abandoned"], row["overflowed"], row["other"]) == (7, 2, 3, 1, 1)
    assert row["abandoned_short"] == 1  # 4 s is shorter than 5 s, 5 s is not
    assert row["answered_rate"] == pytest.approx(2 / 7)
    assert row["abandon_rate"] == pytest.approx(3 / 7)
    assert row["long_abandon_rate"] == pytest.approx(2 / 6)
    assert row["asa_s"] == 20
    assert row["median_wait_s"] == 10
    assert row["p90_wait_s"] == pytest.approx(60 + 0.4 * 35)  # position 0.9 * 6 = 5.4
    assert row["longest_wait_s"] == 95
    assert (row["talk_s"], row["att_s"]) == (150, 75)


def test_what_an_announcement_picked_up_is_not_answered() -> None:
    story = read_story(SCENARIOS / "queue_announcement_then_left.txt")
    assert [leg["disposition"] for leg in story.legs] == ["ANSWERED", "NO ANSWER"]
    built = model.build(legs_table(story.legs, pbx="clinic"), zone=story.zone)
    (row,) = analyses.queues(built.steps.to_pandas()).to_dict("records")
    assert (row["offered"], row["answered"], row["abandoned"], row["longest_wait_s"]) == (1, 0, 1, 45)
    assert pd.isna(row["asa_s"])
    assert analyses.service_level(built.steps.to_pandas())["numerator"].to_list() == [0] * 6


def test_what_a_mailbox_or_menu_took_is_not_answered() -> None:
    made = steps(
        "call_id step_no kind target result wait_s",
        ("a", 1, "ivr", "7000", "next", 8),
        ("a", 2, "queue", "6500", "next", 90),
        ("a", 3, "voicemail", "6500", "recorded", 20),
    )
    (row,) = analyses.queues(made).to_dict("records")
    assert (row["offered"], row["answered"], row["overflowed"], row["abandoned"]) == (1, 0, 1, 0)


def test_a_rate_of_nothing_is_na() -> None:
    (row,) = analyses.queues(visits(("next", 95), ("hung_up", 3))).to_dict("records")
    assert row["answered_rate"] == 0
    for name in ("asa_s", "att_s", "transfer_rate"):
        assert pd.isna(row[name])
    (row,) = analyses.queues(visits(("hung_up", 3))).to_dict("records")
    assert row["abandon_rate"] == 1
    assert pd.isna(row["long_abandon_rate"])
    assert len(analyses.queues(visits())) == 0


def test_transferred_is_what_the_agent_sent_on() -> None:
    made = steps(
        "call_id step_no kind target result talk_s",
        ("a", 1, "queue", "6500", "answered", 60),
        ("a", 2, "transfer", "1009", "answered", 60),
        ("b", 1, "queue", "6500", "answered", 60),
        ("b", 2, "queue", "6501", "answered", 60),
        ("c", 1, "extension", "1004", "answered", 60),
        ("c", 2, "transfer", "6500", "answered", 60),
    )
    result = analyses.queues(made).set_index("queue")
    assert result["transferred"].to_dict() == {"6500": 1, "6501": 0}
    assert result["transfer_rate"].to_dict() == {"6500": 0.5, "6501": 0}


def recall_rows(*rows: tuple[str, str | None, int, int]) -> dict[str, Any]:
    """Visits of an hour's window from (call, caller, seconds after nine, visit)."""
    made = [(call, "queue", "6500", AT + pd.Timedelta(seconds=at), visit, "hung_up") for call, _, at, visit in rows]
    known = {call: caller for call, caller, _, _ in rows}
    return {
        "steps": steps("call_id kind target local_at dwell_s result", *made),
        "calls": calls("call_id caller", *known.items()),
    }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("a", "12025550142", 0, 100), ("b", "12025550142", 3700, 10)], 1),  # exactly an hour after it left
        ([("a", "12025550142", 0, 100), ("b", "12025550142", 3701, 10)], 0),
        ([("a", "+1 202 555-0142", 0, 10), ("b", "12025550142", 60, 10)], 1),
        ([("a", "12025550142", 0, 10), ("b", "12025550143", 60, 10)], 0),
        ([("a", "12025550142", 0, 10), ("a", "12025550142", 60, 10)], 0),  # the same call came round again
        ([("a", "anonymous", 0, 10), ("b", "anonymous", 60, 10)], 0),
        ([("a", "", 0, 10), ("b", "", 60, 10)], 0),
        ([("a", None, 0, 10), ("b", None, 60, 10)], 0),
        ([("a", "12025550142", 0, 10), ("b", "12025550142", 60, 10), ("c", "12025550142", 120, 10)], 2),
    ],
)
def test_recalls(rows: list[Any], expected: int) -> None:
    made = recall_rows(*rows)
    assert analyses.queues(made["steps"], made["calls"])["recalls"].to_list() == [expected]


def test_the_hour_that_happens_twice_does_not_hide_a_recall() -> None:
    made = recall_rows(("a", "12025550142", 0, 10), ("b", "12025550142", -1800, 10))
    made["calls"]["utc_offset_s"] = pd.array([7200, 3600], dtype="int32")  # 02:30 summer time, then 02:00 winter time
    assert analyses.queues(made["steps"], made["calls"])["recalls"].to_list() == [1]


def test_without_calls_there_are_no_recalls() -> None:
    assert "recalls" not in analyses.queues(visits(("answered", 1)))


@pytest.mark.parametrize("seed", range(3))
def test_queues_equal_a_plain_loop(seed: int) -> None:
    made = random_visits(seed)
    found = {(row["pbx"], row["queue"]): row for row in as_arrow(analyses.queues(made, short_s=10)).to_pylist()}
    rows = made.to_pylist()
    kinds = {(row["pbx"], row["call_id"], row["step_no"]): row["kind"] for row in rows}
    groups = defaultdict(list)
    for row in rows:
        if row["kind"] == "queue":
            groups[row["pbx"], row["target"]].append(row)
    assert set(found) == set(groups)
    for key, each in groups.items():
        row = found[key]
        ends = [ENDS.get(visit["result"], "other") for visit in each]
        for end in (*ENDS.values(), "other"):
            assert row[end] == ends.count(end)
        waits = [visit["wait_s"] for visit in each if visit["wait_s"] is not None]
        answered = [s["wait_s"] for s in each if s["result"] == "answered" and s["wait_s"] is not None]
        assert row["offered"] == len(each)
        assert row["asa_s"] == pytest.approx(sum(answered) / len(answered))
        assert row["median_wait_s"] == median(waits)
        assert row["longest_wait_s"] == max(waits)
        assert row["talk_s"] == sum(visit["talk_s"] for visit in each)
        short = [s for s in each if s["result"] == "hung_up" and s["wait_s"] is not None and s["wait_s"] < 10]
        assert row["abandoned_short"] == len(short)
        assert row["transferred"] == sum(
            visit["result"] == "answered" and kinds.get((key[0], visit["call_id"], visit["step_no"] + 1)) == "transfer"
            for visit in each
        )


@pytest.mark.parametrize("seed", range(3))
def test_recalls_equal_a_plain_loop(seed: int) -> None:
    made = random_visits(seed, 60)
    known = callers(made, seed)
    of = {
        row["call_id"]: ("".join(c for c in row["caller"] or "" if c.isdigit()), row["utc_offset_s"])
        for row in known.to_pylist()
        if not row["is_forward"]
    }
    visits: dict[Any, dict[str, list[Any]]] = defaultdict(dict)
    for row in made.to_pylist():
        caller, offset = of.get(row["call_id"], ("", 0))
        if row["kind"] == "queue" and caller:
            begin = row["local_at"] - pd.Timedelta(seconds=offset)
            visit = visits[row["pbx"], row["target"], caller].setdefault(row["call_id"], [begin, begin])
            visit[0] = min(visit[0], begin)
            visit[1] = max(visit[1], begin + pd.Timedelta(seconds=row["dwell_s"]))
    expected: dict[Any, int] = defaultdict(int)
    for (pbx, queue, _), of_caller in visits.items():
        each = sorted((*times, call) for call, times in of_caller.items())
        each.sort(key=lambda visit: (visit[0], visit[2]))
        for before, after in pairwise(each):
            expected[pbx, queue] += after[0] - before[1] <= pd.Timedelta(seconds=900)
    result = as_arrow(analyses.queues(made, known, recall_s=900)).to_pylist()
    assert sum(row["recalls"] for row in result) > 0
    assert {(row["pbx"], row["queue"]): row["recalls"] for row in result} == {
        (row["pbx"], row["queue"]): expected[row["pbx"], row["queue"]] for row in result
    }


def test_agents_by_hand() -> None:
    made = steps("call_id step_no kind target result", ("a", 1, "queue", "6500", "answered"))
    rang = rings(
        "call_id step_no extension ring_s talk_s result",
        ("a", 1, "1004", 15, 0, "missed"),
        ("a", 1, "1005", 15, 0, "missed"),
        ("a", 1, "1004", 6, 60, "answered"),
        ("a", 1, "1005", 6, 0, "elsewhere"),
        ("a", 1, "1006", 0, 0, "busy"),
        ("a", 2, "1007", 9, 90, "answered"),  # rang in another step
    )
    result = analyses.queue_agents(made, rang).set_index("extension")
    counts = ["offered", "rung", "answered", "elsewhere", "missed", "unreachable", "talk_s"]
    assert result[counts].to_numpy().tolist() == [[1, 2, 1, 0, 0, 0, 60], [1, 2, 0, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1, 0]]
    assert result.loc["1004", ["answered_rate", "mean_talk_s", "mean_ring_s"]].to_list() == [1, 60, 6]
    assert result.loc[["1005", "1006"], ["answered_rate", "mean_talk_s", "mean_ring_s"]].isna().all(axis=None)


@pytest.mark.parametrize("seed", range(3))
def test_agents_equal_a_plain_loop(seed: int) -> None:
    made = random_visits(seed)
    rang = ringing(made, seed)
    queue_of = {
        (row["pbx"], row["call_id"], row["step_no"]): row["target"]
        for row in made.to_pylist()
        if row["kind"] == "queue"
    }
    heard: dict[Any, dict[Any, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rang.to_pylist():
        visit = row["pbx"], row["call_id"], row["step_no"]
        if visit in queue_of and row["extension"]:
            heard[row["pbx"], queue_of[visit], row["extension"]][visit].append(row)
    result = as_arrow(analyses.queue_agents(made, rang)).to_pylist()
    assert [(row["queue"], row["pbx"], row["extension"]) for row in result] == sorted(
        (queue, pbx, extension) for pbx, queue, extension in heard
    )
    for row in result:
        each = heard[row["pbx"], row["queue"], row["extension"]]
        best = []
        for of_stay in each.values():
            results = {ring["result"] for ring in of_stay}
            best.append(next((fate for fate in ("answered", "elsewhere", "missed") if fate in results), "unreachable"))
        for fate in ("answered", "elsewhere", "missed", "unreachable"):
            assert row[fate] == best.count(fate)
        every = [ring for of_stay in each.values() for ring in of_stay]
        picked = [ring["ring_s"] for ring in every if ring["result"] == "answered"]
        assert (row["offered"], row["rung"]) == (len(each), len(every))
        assert row["talk_s"] == sum(ring["talk_s"] for ring in every)
        assert row["mean_ring_s"] == (pytest.approx(sum(picked) / len(picked)) if picked else None)


@pytest.mark.parametrize("kind", ENGINES)
def test_equal_on_both_engines(kind: str) -> None:
    made = random_visits(9)
    tables = {"steps": made, "rings": ringing(made, 9), "calls": callers(made, 9)}
    given = {name: KINDS[kind](frame) for name, frame in tables.items()}
    for run in (
        lambda t: analyses.queues(t["steps"], t["calls"]),
        lambda t: analyses.queue_agents(t["steps"], t["rings"]),
        lambda t: analyses.service_level(t["steps"], headline="sl_f3"),
        lambda t: analyses.queue_waits(t["steps"], queue="6500"),
        lambda t: analyses.patience(t["steps"]),
    ):
        expected, found = as_arrow(run(tables)), as_arrow(run(given))
        assert expected.num_rows > 1
        assert found.schema.equals(expected.schema)
        for name in expected.column_names:
            values = expected[name].to_pylist()
            exact = pytest.approx(values) if "float" in str(expected.schema.field(name).type) else values
            assert found[name].to_pylist() == exact, name


def test_frames_of_different_kinds_meet() -> None:
    made = random_visits(9)
    expected = as_arrow(analyses.queue_agents(made, ringing(made)))
    found = analyses.queue_agents(KINDS["polars lazy"](made), KINDS["duckdb"](ringing(made)))
    assert as_arrow(found).equals(expected)


@pytest.mark.parametrize(
    "call",
    [
        lambda made: analyses.queues(made, short_s=-1),
        lambda made: analyses.queues(made, recall_s=1.5),
        lambda made: analyses.service_level(made, target_s=True),
        lambda made: analyses.service_level(made, headline="sl_f6"),
        lambda made: analyses.queue_waits(made, bin_s=0),
    ],
)
def test_unknown_choices_say_what_to_use(call: Any) -> None:
    with pytest.raises(SettingError, match="use "):
        call(visits(("answered", 1)))


def test_rows_are_of_queues_only() -> None:
    made = table("steps", "kind target result wait_s", [("ring_group", "6400", "answered", 3), (None, "6500", None, 3)])
    assert len(analyses.queues(made.to_pandas())) == 0
