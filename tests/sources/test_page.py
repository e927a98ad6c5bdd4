"""Bytes of an answer to elements: every known shape, nothing lost, nothing taken for an answer that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ucm_analytics.errors import NotPermitted, UnexpectedAnswer
from ucm_analytics.sources.ucm.page import decode

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"
A, B, C = ({"src": f"100{n}", "AcctId": str(n)} for n in range(3))


@pytest.mark.parametrize(
    "answer",
    [
        {"cdr_root": [A, B]},
        {"cdr_root": [A, "", None, {}, B]},
        {"cdr_root": [A, B], "status": 0},
        {"response": {"cdr_root": [A, B]}, "status": 0},
        {"response": {"cdr": [A, B]}, "status": "0"},
        {"cdr": [A, B]},
        [A, B],
    ],
)
def test_shapes_of_an_answer(answer: Any) -> None:
    assert decode(json.dumps(answer).encode()) == [[A], [B]]


def test_one_record_alone() -> None:
    assert decode(json.dumps(A).encode()) == [[A]]


@pytest.mark.parametrize(
    "body",
    [
        b'{"cdr_root":[]}',
        b'{"cdr_root":[],"status":0}',
        b'{"response":{"cdr_root":[]},"status":0}',
        b'{"cdr":[]}',
        b"[]",
    ],
)
def test_empty_answers(body: bytes) -> None:
    assert decode(body) == []


def test_groups_in_the_order_of_their_numbers() -> None:
    group = {"cdr": "x", "main_cdr": {"src": "stale"}, "sub_cdr_10": C, "sub_cdr_2": B, "sub_cdr_1": A}
    assert decode(json.dumps({"cdr_root": [group]}).encode()) == [[A, B, C]]


def test_a_group_has_any_number_of_legs() -> None:
    legs = [{"src": "1000", "AcctId": str(n)} for n in range(1, 41)]
    group = {"cdr": "", "main_cdr": A, **{f"sub_cdr_{n}": leg for n, leg in enumerate(legs, 1)}}
    assert decode(json.dumps({"cdr_root": [group, B]}).encode()) == [legs, [B]]


def test_a_group_without_parts_keeps_its_sum() -> None:
    assert decode(json.dumps({"cdr_root": [{"cdr": "", "main_cdr": A}]}).encode()) == [[A]]


@pytest.mark.parametrize("field", ["main_cdr", "sub_cdr_1"])
@pytest.mark.parametrize("empty", ["", None, {}, []])
def test_an_empty_field_of_a_group_hides_no_leg(field: str, empty: object) -> None:
    assert decode(json.dumps({"cdr_root": [A | {field: empty}]}).encode()) == [[A | {field: empty}]]


@pytest.mark.parametrize(
    "group",
    [
        {"main_cdr": A, "sub_cdr": [B, C]},
        {"main_cdr": {}, "sub_cdr": [B, C]},
        {"main_cdr": A, "sub_cdrs": {"1": B}},
        {"main_cdr": A, "Sub_cdr_1": B},
    ],
)
def test_parts_of_unknown_names_are_not_lost(group: dict[str, object]) -> None:
    with pytest.raises(UnexpectedAnswer, match="a group whose parts have unknown names"):
        decode(json.dumps({"cdr_root": [group]}).encode())


def test_values_that_are_no_text_are_kept() -> None:
    leg = {"src": "1000", "duration": 12, "tags": ["x"], "deep": {"a": 1.5}, "none": None, "yes": True}
    assert decode(json.dumps({"cdr_root": [leg]}).encode()) == [[leg]]


def test_names_are_not_only_ascii() -> None:
    leg = {"src": "1000", "caller_name": "Señora Müller"}
    for ascii_only in (True, False):
        assert decode(json.dumps({"cdr_root": [leg]}, ensure_ascii=ascii_only).encode()) == [[leg]]


def test_a_name_cut_within_a_character_costs_no_record() -> None:
    body = '{"cdr_root":[{"src":"1000","caller_name":"Müller"},{"src":"1001"}]}'.encode().replace(b"\xbc", b"")
    assert decode(body) == [[{"src": "1000", "caller_name": "M\ufffdller"}], [{"src": "1001"}]]


@given(st.text(st.sampled_from('a\\u\ud83d\ude00\udfff\U0001f600ü"')))
def test_a_name_cut_between_two_escapes_costs_no_record(name: str) -> None:
    body = json.dumps({"cdr_root": [{"src": "1000", "caller_name": name}, {"src": "1001"}]}).encode()
    whole = json.loads(json.dumps(name))  # two halves that meet are one character
    expected = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in whole)
    assert decode(body) == [[{"src": "1000", "caller_name": expected}], [{"src": "1001"}]]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b'{"cdr_root":null}', "JSON without call records"),
        (b'{"cdr_root":""}', "JSON without call records"),
        (b'{"cdr_root":{}}', "JSON without call records"),
        (b'{"response":{"cdr_root":null},"status":0}', "JSON without call records"),
        (b"null", "JSON without call records"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"cdr_root":[{"src":' + b"[" * 100_000, "nested too deep"),
        (b'{"cdr_root":[],"status":' + b"9" * 10_000 + b"}", "a number that is too long"),
        (b"<!DOCTYPE html><html><title>Login</title></html>", "HTML"),
        (b'{"cdr_root":[{"src":"1000","dst":"10', "broken JSON"),
        (b'{"cdr_root":[{"src":"\xff', "broken JSON"),
        (b'{"weather":"fine"}', "JSON without call records"),
        (b'"text"', "JSON without call records"),
        (b"42", "JSON without call records"),
        (b'{"cdr_root":[{"city":"Berlin"}]}', "a record without any field"),
        (b'{"cdr_root":["text"]}', "an element that is no record"),
        (b'{"cdr_root":[7]}', "an element that is no record"),
        (b'{"cdr_root":{"a":1}}', "JSON without call records"),
        (b'{"cdr_root":[{"main_cdr":{"src":"1"},"sub_cdr_1":"x"}]}', "a record without any field"),
    ],
)
def test_what_is_no_answer(body: bytes, says: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=says) as caught:
        decode(body)
    assert caught.value.hint


def test_numbers_of_any_length_are_no_trouble() -> None:
    group = {"main_cdr": A, "sub_cdr_1": B, "sub_cdr_" + "1" * 10_000: C, "sub_cdr_٣": C}
    assert decode(json.dumps({"cdr_root": [group], "status": "-" + "9" * 10_000}).encode()) == [[B]]
    leg = {"src": "1000", "duration": 10**4000}
    assert decode(json.dumps({"cdr_root": [leg]}).encode()) == [[leg]]


def test_a_record_needs_one_field_of_a_call() -> None:
    leg = {"session": "1772438400000000-1000"}
    assert decode(json.dumps({"cdr_root": [leg]}).encode()) == [[leg]]


def test_excerpts_show_no_numbers() -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        decode(b'{"cdr_root":[{"src":"12025550142","cookie":"sid743052864-1771597757","dst"')
    assert "sid…-…" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("12025550142", "743052864", "1771597757"))


def test_a_return_code_is_an_error() -> None:
    with pytest.raises(NotPermitted, match=r"PBX 192\.0\.2\.10:8089 refused 'cdrapi' of user 'cdrapi'"):
        decode(b'{"response":{},"status":-47}', host="192.0.2.10:8089", user="cdrapi")
    with pytest.raises(NotPermitted):
        decode(b'{"cdr_root":[],"status":-47}')


text = st.text(max_size=8)
# a leg with a field of a container's name would be a container
field = text.filter(lambda name: name != "main_cdr" and not name.startswith("sub_cdr_"))
leg = st.dictionaries(field, text | st.none(), max_size=6).map(lambda fields: {**fields, "src": "1000"})


@given(st.lists(st.lists(leg, min_size=1, max_size=12), max_size=6))
def test_what_is_written_is_read(groups: list[list[dict[str, str | None]]]) -> None:
    elements = [
        group[0]
        if len(group) == 1
        else {"cdr": "", "main_cdr": group[0], **{f"sub_cdr_{n}": one for n, one in enumerate(group, 1)}}
        for group in groups
    ]
    assert decode(json.dumps({"cdr_root": elements}).encode()) == groups


def test_genuine_answers() -> None:
    legs = {}
    for path in sorted(SAMPLES.glob("*.json")) if SAMPLES.is_dir() else ():
        if path.name[:2] in ("01", "20", "30"):
            legs[path.name[:3]] = [len(element) for element in decode(path.read_bytes())]
    if legs:
        assert legs["01a"] == [1]
        assert legs["01b"] == [2]
        assert legs["01c"] == [2, 11, 11, 1]
        assert legs["20m"] == [2, 2]
        assert len(legs["20t"]) >= 2
        assert all(legs.values())
