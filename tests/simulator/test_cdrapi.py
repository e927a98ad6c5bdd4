"""The `cdrapi` action: filters, paging, formats, live records."""

from __future__ import annotations

import json
from itertools import pairwise
from time import perf_counter
from typing import Any

import pytest

from tests.simulator.pbx import call, connected, epoch, flat_calls, leg, legs_in, numbers
from ucm_analytics.simulator import Simulator, Site

ABANDONED = call(
    leg("2026-03-02 08:00:00", 20, dst="7000", dstanswer="7000", dstchannel="", action_type="IVR[7000]"),
    leg("2026-03-02 08:00:20", 15, dst="1003", disposition="NO ANSWER", billsec="0"),
)
SHORT = call(leg("2026-03-02 09:00:00", 5, dst="1001", dstanswer="1001", caller_name="Elm"))
LONG = call(leg("2026-03-02 10:00:00", 300, src="1001", dst="14155550123", dstanswer="14155550123"))
LATE = call(leg("2026-03-02 23:59:00", 120, dst="1002", dstanswer="1002", disposition="ANSWERED"))
CALLS = [ABANDONED, SHORT, LONG, LATE]
NAMES = {"7000": "abandoned", "1001": "short", "14155550123": "long", "1002": "late"}


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, "abandoned short long late"),
        ({"startTime": "2026-03-02T09:00:00"}, "short long late"),
        ({"startTime": "2026-03-02T09:00:01"}, "long late"),
        ({"endTime": "2026-03-02T09:00:00"}, "abandoned short"),
        ({"startTime": "2026-03-02T09:00:00", "endTime": "2026-03-02T09:00:00"}, "short"),
        ({"startTime": "2026-03-03"}, ""),
        ({"startTime": "2026-03-03", "timeFilterType": "End"}, "late"),
        ({"endTime": "2026-03-02T08:00:35", "tineFilterType": "end"}, "abandoned"),
        ({"startTime": "2026-03-02T10:00:00", "endTime": "2026-03-02T09:00:00"}, ""),
        ({"startTime": "2026-03-02 09:00:00"}, ""),
        ({"caller": "1001"}, "long"),
        ({"caller": "12025550142", "callee": "1001-1003"}, "abandoned short late"),
        ({"callee": "1@"}, "abandoned short long late"),
        ({"minDur": "5", "maxDur": 120}, "abandoned short late"),
        ({"callee": "1003", "minDur": 1}, ""),
        ({"answeredby": "7000"}, "abandoned"),
        ({"AnsweredBy": "7000"}, "abandoned"),
        ({"callerName": "Elm"}, "short"),
        ({"uniqueid": f"{int(epoch('2026-03-02 10:00:00'))}.1"}, "long"),
        ({"callee": ",1001"}, ""),
        ({"caller": "1001; rm"}, ""),
        ({"numRecords": "2", "offset": "1"}, "short long"),
        ({"numRecords": 0}, ""),
        ({"offset": 4}, ""),
        ({"start_date": "2026-03-03", "caller": ""}, "abandoned short long late"),
    ],
)
def test_filters(params: dict[str, Any], found: str) -> None:
    with connected(Simulator(CALLS)) as asker:
        assert " ".join(NAMES[number] for number in numbers(asker.records(**params))) == found


def test_a_record_that_matches_comes_whole() -> None:
    with connected(Simulator(CALLS)) as asker:
        assert [leg["dst"] for leg in legs_in(asker.records(callee="1003"))] == ["7000", "1003"]


def test_blank_time_can_be_accepted() -> None:
    with connected(Simulator(CALLS, blank_time="accepted")) as asker:
        assert numbers(asker.records(startTime="2026-03-02 10:00:00")) == ["14155550123", "1002"]


def test_times_follow_the_zone_of_the_site() -> None:
    with connected(Simulator(CALLS, site=Site("x", "America/New_York"))) as asker:
        # 14:00 UTC is 09:00 in New York
        assert numbers(asker.records(startTime="2026-03-02T14:00:01+00:00")) == ["14155550123", "1002"]


@pytest.mark.parametrize(("count", "pages"), [(999, [999, 0]), (1000, [1000, 0]), (1001, [1000, 1, 0])])
def test_pages_of_a_thousand(count: int, pages: list[int]) -> None:
    with connected(Simulator(flat_calls(count))) as asker:
        seen = [asker.records(numRecords=5000, offset=1000 * page) for page in range(len(pages))]
    assert [len(page) for page in seen] == pages
    assert [number for page in seen for number in numbers(page)] == [f"{1000 + n}" for n in range(count)]


def groups(*sizes: int) -> list[Any]:
    return [
        call(*(leg(f"2026-03-02 {hour:02d}:00:{part:02d}", 1, dst=f"{hour}{part}") for part in range(size)))
        for hour, size in enumerate(sizes, start=1)
    ]


def test_offset_by_row_cuts_groups_at_the_edges_of_pages() -> None:
    with connected(Simulator(groups(2, 1, 3), offset_unit="row")) as asker:
        pages = [asker.records(numRecords=2, offset=offset) for offset in (0, 1, 4, 6)]
    shapes = [[(len(legs_in([element])), "main_cdr" in element) for element in page] for page in pages]
    assert shapes == [[(2, True)], [(1, False), (1, False)], [(2, True)], []]
    assert [leg["dst"] for leg in legs_in(pages[1])] == ["11", "20"]
    assert [leg["dst"] for leg in legs_in(pages[2])] == ["31", "32"]
    assert pages[2][0]["main_cdr"]["duration"] == "2"


def test_offset_by_row_counts_every_leg_once() -> None:
    with connected(Simulator(groups(2, 1, 3), offset_unit="row")) as asker:
        rows = [leg["dst"] for offset in range(6) for leg in legs_in(asker.records(numRecords=1, offset=offset))]
    assert rows == ["10", "11", "20", "30", "31", "32"]


def test_records_appear_when_their_call_has_ended() -> None:
    now = [epoch("2026-03-02 09:00:04")]
    pbx = Simulator(CALLS, clock=lambda: now[0], cookie_lifetime_s=1e9)
    with connected(pbx) as asker:
        assert len(asker.records()) == 1
        now[0] += 1
        assert len(asker.records()) == 2
        now[0] = epoch("2026-03-02 23:59:30")
        assert numbers(asker.records(endTime="now")) == ["7000", "1001", "14155550123"]


def test_a_long_call_appears_before_shorter_ones_that_began_later() -> None:
    early = call(leg("2026-03-02 07:00:00", 3600, dst="1009"))
    now = [epoch("2026-03-02 07:30:00")]
    pbx = Simulator([early, *flat_calls(3, "2026-03-02")], clock=lambda: now[0], cookie_lifetime_s=1e9)
    with connected(pbx) as asker:
        pbx.add(call(leg("2026-03-02 07:10:00", 60, dst="1010")))
        assert numbers(asker.records()) == ["1000", "1001", "1002", "1010"]
        now[0] = epoch("2026-03-02 08:00:00")
        assert numbers(asker.records()) == ["1000", "1001", "1002", "1009", "1010"]


def test_order_is_that_of_the_calls_in_the_night_that_has_an_hour_twice() -> None:
    # 02:30 summer time is before 02:10 winter time
    first = call(leg("2026-10-25 02:30:00", 10, dst="1001"))
    second = call(leg("2026-10-25 02:10:00", 10, dst="1002"))
    third = call(leg("2026-10-25 02:40:00", 10, dst="1003"))
    at = (epoch("2026-10-25 00:30:00"), epoch("2026-10-25 01:10:00"), epoch("2026-10-25 01:40:00"))
    calls = [
        type(one)(f"{int(instant)}1-1", one.start, one.legs, instant + 10)
        for one, instant in zip((first, second, third), at, strict=True)
    ]
    with connected(Simulator(calls, clock=lambda: 2e9, cookie_lifetime_s=1e9)) as asker:
        assert numbers(asker.records()) == ["1001", "1002", "1003"]
        assert numbers(asker.records(startTime="2026-10-25T02:20:00")) == ["1001", "1003"]
        assert numbers(asker.records(endTime="2026-10-25T02:20:00")) == ["1002"]


def test_json_is_one_line_without_status() -> None:
    with connected(Simulator(CALLS)) as asker:
        body = asker.raw("cdrapi", format="JSON")
        assert body.startswith(b'{"cdr_root":[{"cdr":"","main_cdr":{"AcctId":"","accountcode":"","src":"1')
        assert b"\n" not in body
        assert list(json.loads(body)) == ["cdr_root"]
        assert asker.raw("cdrapi", format="json", startTime="2027-01-01") == b'{"cdr_root":[]}'
        assert asker.raw("cdrapi", format="json", startTime="soon") == b'{"cdr_root":[]}'


def test_csv_has_a_header_and_one_unquoted_line_a_leg() -> None:
    with connected(Simulator(CALLS, profile="f32")) as asker:
        body = asker.raw("cdrapi", numRecords=1).decode()
        header, *rows = body.splitlines()
        assert header.startswith("AcctId,accountcode,src,dst,dcontext,clid,channel")
        assert header.count(",") == 31
        assert [row.split(",")[3] for row in rows] == ["7000", "1003"]
        assert asker.headers["Content-Type"].startswith("text/csv")
        assert asker.raw("cdrapi", format="csv", caller=",x").decode().splitlines() == [header]
        assert asker.raw("cdrapi", format="yaml").decode().splitlines() == [header]


def test_xml_has_one_element_a_leg() -> None:
    with connected(Simulator([call(leg("2026-03-02 09:00:00", 5, clid='"A & B" <1>'))])) as asker:
        body = asker.raw("cdrapi", format="xml").decode()
        assert body.count("<cdr>") == 1
        assert '<clid>"A &amp; B" &lt;1&gt;</clid>' in body
        assert asker.raw("cdrapi", format="xml", offset=1).decode().endswith("<cdr_root></cdr_root>\n")


def test_large_windows_can_take_longer() -> None:
    with connected(Simulator(flat_calls(500), latency_s=0.6)) as asker:
        began = perf_counter()
        asker.records(numRecords=1)
        assert perf_counter() - began >= 0.3


def test_a_site_without_calls() -> None:
    with connected(Simulator(profile="f43-shifted")) as asker:
        assert asker.records() == []
        assert asker.records(offset=5) == []


def test_many_calls_keep_their_order_through_compressed_blocks() -> None:
    with connected(Simulator(flat_calls(900))) as asker:
        found = [int(number) for number in numbers(asker.records(offset=200, numRecords=600))]
    assert found[0] == 1200
    assert all(b - a == 1 for a, b in pairwise(found))
    assert len(found) == 600
