"""Time forms and number patterns of `cdrapi`."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.simulator.pbx import epoch
from ucm_analytics.simulator.query import NotUnderstood, number_pattern, parse_query, wall_time

BERLIN = ZoneInfo("Europe/Berlin")
NOON_IN_BERLIN = epoch("2026-03-02 11:00:00")


@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("2026-03-02", "2026-03-02 00:00:00"),
        ("2026-03-02T09:30", "2026-03-02 09:30:00"),
        ("2026-03-02T09:30:15", "2026-03-02 09:30:15"),
        ("2026-03-02T09:30:15.250", "2026-03-02 09:30:15.250"),
        ("2026-03-02T09:30:15+00:00", "2026-03-02 10:30:15"),
        ("2026-03-02T09:30-06:00", "2026-03-02 16:30:00"),
        ("2026-07-02T09:30:15Z", "2026-07-02 11:30:15"),
        ("09:30", "2000-01-01 09:30:00"),
        ("09:30:15.5", "2000-01-01 09:30:15.500"),
        ("now", "2026-03-02 12:00:00"),
        ("1772449200", "2026-03-02 12:00:00"),
    ],
)
def test_time_forms(text: str, wall: str) -> None:
    assert wall_time(text, zone=BERLIN, now=NOON_IN_BERLIN) == epoch(wall)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 09:30:15",
        "2026-13-02",
        "2026-02-30T10:00:00",
        "2026-03-02T25:00",
        "2026-03-02T",
        "T09:30",
        "2026-03-02+01:00",
        "2026-3-2",
        "02.03.2026",
        "177244920",
        "yesterday",
        "2026-03-02T09:30:15;",
    ],
)
def test_other_times_are_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        wall_time(text, zone=BERLIN, now=NOON_IN_BERLIN)


def test_blank_instead_of_t_is_a_switch() -> None:
    wall = wall_time("2026-03-02 09:30:15", zone=BERLIN, now=0.0, blank_time="accepted")
    assert wall == epoch("2026-03-02 09:30:15")


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("5300", ["5300"], ["530", "53000", ""]),
        ("5300,5302-5304,_4@", ["5300", "5302", "5303", "5304", "54", "14999"], ["5301", "5305", "4", "45"]),
        ("@", ["", "1", "api"], []),
        ("_", ["7", "x"], ["", "77"]),
        ("53@", ["53", "5399", "53-1"], ["153"]),
        ("5-@", ["5-", "5-12"], ["5", "512"]),
        ("x5302-5304", ["5303"], ["5301"]),
        ("0-0", ["", "api", "+1202"], ["0", "1202"]),
        ("1000,", ["1000"], ["1001", ""]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_number_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    test = number_pattern(pattern)
    assert [number for number in matching + others if test(number)] == matching


@pytest.mark.parametrize("pattern", [",1000", "1000,,1001", "1-2-3", "1000;1001", '"x"', "-5", "5-", ","])
def test_other_patterns_are_not_understood(pattern: str) -> None:
    with pytest.raises(NotUnderstood):
        number_pattern(pattern)


def test_parameters_are_numbers_or_text_in_any_case_and_empty_ones_absent() -> None:
    params = {"numrecords": "7", "OFFSET": 3, "caller": "", "minDur": "", "startTime": None, "start_date": "x"}
    query = parse_query(params, zone=BERLIN, now=0.0, blank_time="empty")
    assert (query.limit, query.offset, query.tests) == (7, 3, [])
    assert (query.first, query.last, query.by_end) == (float("-inf"), float("inf"), False)


@pytest.mark.parametrize(
    "params",
    [
        {"numRecords": "-1"},
        {"numRecords": 1.5},
        {"offset": "ten"},
        {"offset": "9" * 5000},
        {"caller": f"1-{'9' * 5000}"},
        {"startTime": "0001-01-01T00:00+10:00"},
        {"minDur": "3s"},
        {"caller": ["1000"]},
        {"timeFilterType": "Middle"},
    ],
)
def test_other_values_are_not_understood(params: dict[str, object]) -> None:
    with pytest.raises(NotUnderstood):
        parse_query(params, zone=BERLIN, now=0.0, blank_time="empty")


def test_no_more_than_a_thousand_records() -> None:
    assert parse_query({"numRecords": "5000"}, zone=BERLIN, now=0.0, blank_time="empty").limit == 1000
    assert parse_query({}, zone=BERLIN, now=0.0, blank_time="empty").limit == 1000
