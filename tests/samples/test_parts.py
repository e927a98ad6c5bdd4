"""Genuine answers through each part: parser, store, reconciliation, simulator."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from tests.audit.test_reconcile import assert_adds_up, reconciled
from tests.samples import RECORDS, SAMPLES
from tests.samples.test_line import legs_of
from tests.simulator.pbx import call, epoch, leg, legs_in
from tests.simulator.test_replay import compact, served
from tests.simulator.test_shaping import answer
from tests.sources.parsing import parse_page
from ucm_analytics.legs import dump_legs
from ucm_analytics.simulator import PROFILES, Call, Simulator
from ucm_analytics.store import Store
from ucm_analytics.store.files import read_table
from ucm_analytics.store.months import Months

BODIES = [path.read_bytes() for path in SAMPLES if path.name[0] in "02"]


def pages() -> list[pa.Table]:
    """Answers that hold records."""
    return [parse_page(body, pbx="clinic") for body in BODIES if b'"disposition"' in body]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_legs_come_back_as_they_were(path: Path) -> None:
    legs = legs_of(path)
    assert legs
    assert json.dumps(dump_legs(parse_page(path.read_bytes(), pbx="clinic"))) == json.dumps(legs)


def test_no_leg_is_lost_or_changed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    legs = pa.concat_tables(pages()).unify_dictionaries()
    put = store.add(legs, pbx="clinic")
    months = Months(store.path, "clinic")
    kept = [leg for month in months.names() for leg in dump_legs(read_table(months.path("legs", month)))]
    sent = {tuple(sorted(leg.items())) for leg in dump_legs(legs)}
    assert {tuple(sorted(leg.items())) for leg in kept} == sent
    assert put.new == len(kept) == len(sent)


def test_records_and_calls_are_reconciled() -> None:
    legs = pa.concat_tables(pages()).unify_dictionaries()
    keys = legs.select(["session", "acct_id", "uniqueid", "dstchannel"]).to_pylist()
    first = {tuple(key.values()): row for row, key in reversed(list(enumerate(keys)))}
    assert_adds_up(reconciled(legs.take(pa.array(sorted(first.values()))), None))


def test_answers_are_replayed_as_they_are() -> None:
    everything = []
    for path in RECORDS:
        body = json.loads(path.read_text())
        elements = body.get("cdr_root") or body.get("cdr")
        assert served(path) == compact(elements)
        everything += [json.dumps(row) for row in legs_in(elements)]
    together = json.loads(served(*RECORDS))["cdr_root"]
    assert sorted(json.dumps(row) for row in legs_in(together)) == sorted(everything)


@pytest.mark.parametrize(("begins", "profile"), [("01a", "f43"), ("20a", "f32")])
def test_fields_of_the_simulator_are_the_genuine_ones(begins: str, profile: str) -> None:
    (path,) = (path for path in RECORDS if path.name.startswith(begins))
    genuine = json.loads(path.read_text())["cdr_root"][0]
    assert list(genuine) == ["cdr", *PROFILES[profile].fields]


def test_shifted_groups_of_the_simulator_are_the_genuine_ones() -> None:
    (path,) = (path for path in RECORDS if path.name.startswith("01c"))
    genuine = json.loads(path.read_text())["cdr_root"]
    stale = genuine[0]["main_cdr"]
    first = leg(stale["start"], 1, src=stale["src"], dst=stale["dst"], session=stale["session"])
    by_session: dict[str, list[dict[str, str]]] = {stale["session"]: [first]}
    for row in legs_in(genuine):
        by_session.setdefault(row["session"], []).append(dict(row))
    calls = [
        Call(session, call(legs[0]).start, tuple(legs), epoch("2022-08-22 20:00:00"))
        for session, legs in by_session.items()
    ]
    made = answer(Simulator(calls, profile="f43-shifted"))[1:]
    for element in (*made, *genuine):
        for part in (element, *element.values()):
            if isinstance(part, dict):
                part.pop("AcctId", None)
    assert json.dumps(made) == json.dumps(genuine)
