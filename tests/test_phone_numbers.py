"""One form of each number, and what a caller is."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from ucm_analytics.errors import SettingError
from ucm_analytics.legs import legs_table
from ucm_analytics.model import build
from ucm_analytics.phone_numbers import e164, read, with_numbers
from ucm_analytics.schema import CALLER_KINDS, CALLS, NUMBERS, stored_schema


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("12025550142", "US", "+12025550142"),
        ("2025550142", "US", "+12025550142"),
        ("(202) 555-0142", "US", "+12025550142"),
        ("+12025550142", "DE", "+12025550142"),
        ("0012025550142", "DE", "+12025550142"),
        ("01112025550142", "US", "+12025550142"),
        ("12025550142", "DE", None),  # in Germany this is a local number, and not a valid one
        ("0012025550142", "US", None),  # nor does 00 dial abroad from there
        ("112", "DE", None),
        ("2025550142 ext 7", "US", None),
        ("call 2025550142", "US", None),
        ("", "US", None),
        ("+12025550142", "", "+12025550142"),
        ("+1 (202) 555-0142", "", "+12025550142"),
        ("0012025550142", "", None),
        ("12025550142", "", None),
        ("+0", "", None),
        ("٢٠٢٥٥٥٠١٤٢", "US", None),
    ],
)
def test_e164(text: str, country: str, number: str | None) -> None:
    assert e164(text, country) == number


@pytest.mark.parametrize(
    ("text", "country", "number", "kind"),
    [
        ("0012", "US", "0012", "extension"),
        (" 1001 ", "US", "1001", "extension"),
        ("2025550142", "US", "+12025550142", "number"),
        ("2025550142", "", None, "number"),
        ("9999999999", "US", None, "number"),
        ("10086", "US", None, "unknown"),
        ("*97", "US", None, "unknown"),
        ("Anna Reyes", "US", None, "name"),
        ("api", "US", None, "name"),
        ("7Eleven", "", None, "name"),
        *((text, "US", None, "anonymous") for text in ("anonymous", "Unknown", "PRIVATE", "restricted", "")),
        ("Unavailable", "", None, "anonymous"),
        (None, "US", None, "anonymous"),
    ],
)
def test_what_a_text_is(text: str | None, country: str, number: str | None, kind: str) -> None:
    assert read(text, inside={"0012", "1001"}, country=country) == (number, kind)
    assert kind in CALLER_KINDS


def leg(second: int, src: str, dst: str, userfield: str, **fields: str) -> dict[str, str]:
    epoch = 1_773_000_000 + second
    outward = userfield == "Outbound"
    return {
        "AcctId": str(second),
        "src": src,
        "dst": dst,
        "dstchannel": "PJSIP/x-00000001",
        "lastapp": "Dial",
        "start": f"2026-03-08 20:{second:02d}:00",
        "disposition": "NO ANSWER",
        "duration": "5",
        "uniqueid": f"{epoch}.1",
        "userfield": userfield,
        "channel_ext": "trunk_1" if userfield in ("Inbound", "External") else src,
        "dstchannel_ext": "trunk_1" if outward else dst,
        "session": f"{epoch}1-{src}",
        "action_type": "DIAL",
        "dst_trunk_name" if outward else "src_trunk_name": "" if userfield == "Internal" else "MainLine",
        **fields,
    }


LEGS = [
    leg(0, "12025550142", "1001", "Inbound"),
    leg(1, "0012", "1001", "Internal"),
    leg(2, "0012", "2025550143", "Outbound"),
    leg(3, "12025550199", "2025550144", "Outbound", channel_ext="1001"),  # masked
    leg(4, "0012", "1001", "Inbound"),  # another PBX's extension, not ours
    leg(5, "2025550145", "1001", "Inbound", anonymous_call="yes"),
    leg(6, "1001", "2025550146", "Outbound", anonymous_call="yes"),
    leg(7, "anonymous", "6500", "Inbound", action_type="QUEUE[6500]", dstchannel="", lastapp="Queue"),
    leg(8, "Anna", "1001", "Inbound"),
    leg(9, "1001", "*97", "Internal", dstchannel_ext=""),
]
EXPECTED = [
    ("+12025550142", "1001", "number"),
    ("0012", "1001", "extension"),
    ("0012", "+12025550143", "extension"),
    ("1001", "+12025550144", "extension"),
    (None, "1001", "unknown"),
    (None, "1001", "anonymous"),
    ("1001", "+12025550146", "extension"),
    (None, "6500", "anonymous"),
    (None, "1001", "name"),
    ("1001", "*97", "extension"),
]


def numbered(legs: list[dict[str, str]], country: str) -> pa.Table:
    table = legs_table(legs, pbx="clinic")
    built = build(table)
    return with_numbers(built.calls, steps=built.steps, legs=table, country=country)


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.select([column.name for column in NUMBERS]).to_pylist()]


def test_calls_by_hand() -> None:
    calls = numbered(LEGS, "US")
    assert rows(calls) == EXPECTED
    assert calls.schema == stored_schema("calls")
    unchanged = build(legs_table(LEGS, pbx="clinic")).calls
    assert calls.select([column.name for column in CALLS]).to_pylist() == unchanged.to_pylist()


def test_without_a_country_only_the_international_form_is_read() -> None:
    bare = rows(numbered(LEGS, ""))
    assert bare[0] == (None, "1001", "number")
    assert [row[2] for row in bare] == [row[2] for row in EXPECTED]
    assert [row for row in bare if row[0] and row[0].startswith("+")] == []
    assert rows(numbered([leg(0, "+12025550142", "1001", "Inbound")], "")) == [("+12025550142", "1001", "number")]


def test_no_calls() -> None:
    assert numbered([], "US").schema == stored_schema("calls")
    assert numbered([], "").num_rows == 0


def test_each_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("ucm_analytics.phone_numbers.e164", lambda text, _country: asked.append(text))
    many = [leg(n, "2025550142", "1001", "Inbound") for n in range(50)]
    assert numbered(many, "US").num_rows == 50
    assert sorted(asked) == ["1001", "2025550142"]  # each end once, whatever the rows


def test_no_such_country() -> None:
    with pytest.raises(SettingError, match=r"'UK' is no country: use its two letters, such as DE, GB"):
        e164("2025550142", "UK")
