"""Properties of the model that no single story shows."""

from __future__ import annotations

import random
from zoneinfo import ZoneInfo

import pytest

from tests.scenarios.conftest import read_story
from tests.scenarios.test_scenarios import STORIES
from ucm_analytics import model
from ucm_analytics.legs import legs_table
from ucm_analytics.model import OUTCOME_RULES
from ucm_analytics.schema import OUTCOMES, RING_RESULTS, STEP_KINDS, STEP_RESULTS, TABLES, arrow_schema

BERLIN = [story for story in map(read_story, STORIES) if story.zone == ZoneInfo("Europe/Berlin")]


def all_legs() -> list[dict[str, str]]:
    """All stories as one table: sessions are made distinct by their story."""
    legs = []
    for number, story in enumerate(BERLIN):
        for leg in story.legs:
            session, uniqueid = f"{leg['session']}{number:03d}", f"{leg['uniqueid']}{number:03d}"
            legs.append({**leg, "session": session, "uniqueid": uniqueid})
    return legs


def test_row_order_is_irrelevant() -> None:
    legs = all_legs()
    shuffled = legs[:]
    random.Random(1).shuffle(shuffled)
    first = model.build(legs_table(legs, pbx="clinic"), zone=ZoneInfo("Europe/Berlin"))
    second = model.build(legs_table(shuffled, pbx="clinic"), zone=ZoneInfo("Europe/Berlin"))
    assert first.calls.to_pylist() == second.calls.to_pylist()
    assert first.steps.to_pylist() == second.steps.to_pylist()
    assert first.rings.to_pylist() == second.rings.to_pylist()


def test_counts_add_up() -> None:
    legs = all_legs()
    built = model.build(legs_table(legs, pbx="clinic"), zone=ZoneInfo("Europe/Berlin"))
    calls = built.calls.to_pylist()
    assert len(calls) == len({leg["session"] for leg in legs})
    assert sum(call["legs"] for call in calls) == len(legs)
    assert sum(step["legs"] for step in built.steps.to_pylist()) == len(legs)
    assert sum(call["steps"] for call in calls) == built.steps.num_rows
    assert sum(call["phones"] for call in calls) == built.rings.num_rows
    for call in calls:
        assert 0 <= call["wait_s"] <= call["duration_s"]
        assert call["talk_s"] + call["voicemail_s"] <= call["duration_s"]
        assert call["ring_s"] + call["ivr_s"] + call["queue_s"] <= call["duration_s"]
        assert (call["outcome"] == "answered") == (call["answered_by"] is not None)
        assert (call["answered_at"] is None) == (call["answered_by"] is None)


def test_vocabulary() -> None:
    built = model.build(legs_table(all_legs(), pbx="clinic"))
    assert set(built.calls["outcome"].to_pylist()) <= set(OUTCOMES)
    assert set(built.steps["kind"].to_pylist()) <= set(STEP_KINDS)
    assert set(built.steps["result"].to_pylist()) <= set(STEP_RESULTS)
    assert set(built.rings["result"].to_pylist()) <= set(RING_RESULTS)


def test_the_outcome_table_is_total() -> None:
    assert OUTCOME_RULES[-1].condition == "true"
    assert [rule.outcome for rule in OUTCOME_RULES] == list(dict.fromkeys(r.outcome for r in OUTCOME_RULES))
    assert {rule.outcome for rule in OUTCOME_RULES} == set(OUTCOMES)


@pytest.mark.parametrize("table", ["steps", "rings", "calls"])
def test_no_legs_no_rows_same_columns(table: str) -> None:
    built = model.build(legs_table([], pbx="clinic"), zone=ZoneInfo("Europe/Berlin"))
    found = getattr(built, table)
    assert found.num_rows == 0
    assert found.schema == arrow_schema(table)  # type: ignore[arg-type]
    assert found.schema.names == [column.name for column in TABLES[table]]  # type: ignore[index]


def test_two_pbxs_with_the_same_session_stay_apart() -> None:
    import pyarrow as pa

    legs = BERLIN[0].legs
    both = pa.concat_tables([legs_table(legs, pbx="a"), legs_table(legs, pbx="b")]).unify_dictionaries()
    built = model.build(both, zone=ZoneInfo("Europe/Berlin"))
    assert sorted(built.calls["pbx"].to_pylist()) == sorted(["a", "b"] * len({leg["session"] for leg in legs}))
    assert {call["legs"] for call in built.calls.to_pylist()} == {
        call["legs"] for call in model.build(legs_table(legs, pbx="a")).calls.to_pylist()
    }
