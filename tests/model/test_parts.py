"""Many legs are worked on in parts; nothing may depend on where the parts end."""

from __future__ import annotations

import random
from datetime import date
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.model.test_properties import EPOCH, Tree
from ucm_analytics import model
from ucm_analytics.legs import legs_table
from ucm_analytics.simulator.traffic import clinic, generate

ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def legs() -> pa.Table:
    stories = generate(clinic(), first=date(2026, 3, 28), last=date(2026, 3, 31), calls_per_day=300, seed=8)
    rows = [leg for story in stories for leg in story.call.legs]
    table = legs_table([{**leg, "AcctId": str(n)} for n, leg in enumerate(rows, 1)], pbx="clinic")
    order = list(range(table.num_rows))
    random.Random(8).shuffle(order)
    return table.take(order)


def of_parts(legs: pa.Table, part: int, monkeypatch: pytest.MonkeyPatch) -> tuple[model.ModelTables, int]:
    """What is built of parts of so many legs, and how many parts there were."""
    begun = []
    fetch = model._fetch
    monkeypatch.setattr(model, "_PART", part)
    monkeypatch.setattr(model, "_fetch", lambda *args: begun.append(args[1]) or fetch(*args))
    return model.build(legs, zone=ZONE), begun.count("steps")


def test_parts_give_what_the_whole_gives(legs: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model.build(legs, zone=ZONE)
    assert pc.sum(whole.calls["is_forward"]).as_py() > 3  # links from one call to another
    for part, at_least in ((1, 40), (400, 5), (10**6, 1)):
        built, parts = of_parts(legs, part, monkeypatch)
        assert parts >= at_least
        for name in ("steps", "rings", "calls"):
            assert getattr(built, name).equals(getattr(whole, name)), name


def test_a_link_leads_from_part_to_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parked at the end of one hour, picked up at the beginning of the next."""
    stories = generate(clinic(), first=date(2026, 3, 3), last=date(2026, 3, 3), calls_per_day=300, seed=10)
    rows = [leg for story in stories for leg in story.call.legs]
    table = legs_table([{**leg, "AcctId": str(n)} for n, leg in enumerate(rows, 1)], pbx="clinic")
    built, _ = of_parts(table, 1, monkeypatch)
    calls = built.calls.select(["call_id", "forward_of", "started_at"]).to_pandas()
    linked = calls.merge(calls, left_on="forward_of", right_on="call_id", suffixes=("", "_before"))
    apart = linked[linked["started_at"].dt.floor("h") > linked["started_at_before"].dt.floor("h")]
    assert len(apart) > 0


def test_a_call_whose_legs_name_several_hours_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    for number in range(0, 6 * 3600, 600):
        tree = Tree(number)
        tree.menu("7000", 8)
        tree.extension("1004", 5, 30)
        calls.append(tree.legs)
    for leg, hour in zip(calls[6], (1, 3), strict=True):  # no session to tell the time: each leg has its own
        leg |= {"session": "", "uniqueid": f"{EPOCH + 3600 * hour}.17"}
    rows = [leg for call in calls for leg in call]
    table = legs_table(rows, pbx="clinic")
    table = table.set_column(
        table.schema.get_field_index("call_id"),
        "call_id",
        pa.array(["one" if not leg["session"] else leg["session"] for leg in rows]),
    )
    built, parts = of_parts(table, 1, monkeypatch)
    assert parts > 3
    whole, _ = of_parts(table, 10**6, monkeypatch)
    assert built.calls.equals(whole.calls)
    assert built.steps.equals(whole.steps)


def test_legs_without_a_time_are_in_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    timeless = {"AcctId": "9", "session": "one", "dst": "1004", "disposition": "NO ANSWER", "lastapp": "Dial"}
    first = Tree(0)
    first.extension("1004", 5, 30)
    later = Tree(7200)
    later.extension("1004", 5, 30)
    table = legs_table([timeless, *first.legs, *later.legs], pbx="clinic")
    built, parts = of_parts(table, 1, monkeypatch)
    assert parts == 2
    assert "one" not in built.calls["call_id"].to_pylist()
    assert len(built.calls) == 2


def test_nothing_but_legs_without_a_time_is_one_empty_part(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"AcctId": str(n), "session": f"s{n}", "dst": "1004", "disposition": "NO ANSWER"} for n in range(9)]
    built, parts = of_parts(legs_table(rows, pbx="clinic"), 1, monkeypatch)
    assert (parts, len(built.calls)) == (1, 0)


def test_no_legs_are_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    built, parts = of_parts(legs_table([], pbx="clinic"), 1, monkeypatch)
    assert (parts, len(built.calls)) == (1, 0)
