"""Legs survive the way into typed columns and back."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.parsing import parse_page
from ucm_analytics.errors import RequestRejected, UnexpectedAnswer
from ucm_analytics.legs import dump_legs, legs_table, unknown_fields
from ucm_analytics.schema import LEGS, arrow_schema
from ucm_analytics.simulator import PROFILES, Simulator, User
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.sources.ucm import UCM

RAW = [column.raw for column in LEGS if column.raw]

LEG = {
    "AcctId": "17",
    "src": "12025550142",
    "dst": "1004",
    "start": "2026-03-10 09:00:00",
    "answer": "",
    "end": "",
    "duration": "5",
    "billsec": "0",
    "disposition": "BUSY",
    "uniqueid": "1773129600.17",
    "session": "1773129600123456-12025550142",
}


def page(*elements: Any) -> bytes:
    return json.dumps({"cdr_root": elements}).encode()


def test_columns_are_typed() -> None:
    table = parse_page(page({"cdr": "", **LEG}), pbx="clinic")
    assert table.schema == arrow_schema("legs")
    row = table.to_pylist()[0]
    assert (row["pbx"], row["acct_id"], row["duration_s"], row["answer_at"]) == ("clinic", 17, 5, None)
    assert str(row["start_at"]) == "2026-03-10 09:00:00"
    assert str(row["called_at"]) == "2026-03-10 08:00:00+00:00"
    assert row["call_id"] == LEG["session"]
    assert not row["extra"]


def test_groups_are_flattened_in_order_and_main_cdr_is_dropped() -> None:
    subs = {f"sub_cdr_{n}": {**LEG, "AcctId": str(n)} for n in range(1, 41)}
    shuffled = dict(sorted(subs.items()))  # sub_cdr_10 before sub_cdr_2
    table = parse_page(page({"cdr": "", "main_cdr": {**LEG, "duration": "9999"}, **shuffled}), pbx="clinic")
    assert table["acct_id"].to_pylist() == list(range(1, 41))
    assert set(table["duration_s"].to_pylist()) == {5}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("duration", "007"),
        ("duration", 5),
        ("duration", None),
        ("duration", "-1"),
        ("AcctId", "99999999999999999999"),
        ("answer", "0000-00-00 00:00:00"),
        ("answer", "2026-02-30 10:00:00"),
        ("answer", "2026-02-28T10:00:00"),
        ("src", None),
        ("disposition", 3.5),
        ("brand_new", "x"),
        ("brand_new", ""),
        ("brand_new", {"a": [1, None]}),
        ("caller_name", "Anaïs <script>"),
    ],
)
def test_odd_values_come_back_as_they_were(field: str, value: Any) -> None:
    odd = {**LEG, field: value}
    table = legs_table([LEG, odd, LEG], pbx="clinic")
    assert json.dumps(dump_legs(table)) == json.dumps([LEG, odd, LEG])


def test_unknown_fields_are_counted() -> None:
    table = legs_table([LEG, {**LEG, "brand_new": "x"}, {**LEG, "brand_new": "y", "other": ""}], pbx="clinic")
    assert unknown_fields(table) == {"brand_new": 2, "other": 1}


def test_a_record_without_session_is_kept() -> None:
    by_uniqueid = {k: v for k, v in LEG.items() if k != "session"}
    by_itself = {**LEG, "session": "", "uniqueid": ""}
    rows = legs_table([by_uniqueid, by_itself], pbx="clinic").to_pylist()
    assert [row["call_id"] for row in rows] == ["1773129600.17", "2026-03-10 09:00:00.000000#17"]
    assert [str(row["called_at"]) for row in rows] == [
        "2026-03-10 08:00:00+00:00",
        "2026-03-10 09:00:00+00:00",
    ]


def test_no_records() -> None:
    table = parse_page(page(), pbx="clinic")
    assert table.num_rows == 0
    assert table.schema == arrow_schema("legs")
    assert dump_legs(table) == []


def test_a_return_code_is_no_empty_page() -> None:
    with pytest.raises(RequestRejected):
        parse_page(b'{"response":{},"status":-1}', pbx="clinic")


@pytest.mark.parametrize("body", [b"<html>login</html>", b'{"cdr_root":[{"a":"b"}]}', b'{"cdr_root":[{"src":"1"'])
def test_foreign_answers_are_refused(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_page(body, pbx="clinic")


values = st.one_of(st.text(max_size=8), st.none(), st.integers(), st.sampled_from(["0", "12", "2026-03-10 09:00:00"]))
fields = st.sampled_from([*RAW, "unknown_1", 'odd,"name'])


@given(st.lists(st.dictionaries(fields, values, min_size=1, max_size=12), max_size=6))
def test_dump_of_a_table_is_what_went_in(legs: list[dict[str, Any]]) -> None:
    table = legs_table(legs, pbx="clinic")
    assert json.dumps(dump_legs(table)) == json.dumps(legs)
    assert legs_table(dump_legs(table), pbx="clinic").equals(table)


@pytest.mark.parametrize("profile", PROFILES)
def test_legs_of_every_firmware_come_back_as_they_were(profile: str) -> None:
    stories = generate(clinic(), first=date(2026, 3, 9), last=date(2026, 3, 15), calls_per_day=60, seed=3)
    with (
        Simulator((story.call for story in stories), profile=profile, users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as ucm,
    ):
        body = ucm.raw("cdrapi", format="json", numRecords=1000)
    legs = []
    for element in json.loads(body)["cdr_root"]:
        subs = [value for name, value in element.items() if name.startswith("sub_cdr_")]
        legs += subs or [element]
    table = parse_page(body, pbx="clinic")
    assert len(legs) > 500
    assert json.dumps(dump_legs(table)) == json.dumps(legs)
    assert legs_table(dump_legs(table), pbx="clinic").equals(table)
