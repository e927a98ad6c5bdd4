"""The pull of a day: complete whatever the PBX counts and whatever goes wrong, or an error."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.sources.pbxs import DAY, END, call, calls, session, stub
from tests.sources.pbxs import Session as StubSession
from ucm_analytics.errors import IncompletePull, RequestRejected, SettingError, UnexpectedAnswer, Unreachable
from ucm_analytics.simulator import PROFILES, Call, Simulator
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.sources.ucm.cdr import Receipt, pull_day, verify_empty
from ucm_analytics.sources.ucm.page import Leg

MONDAY = DAY.date()


def pulled(ucm: UCM, day: date = MONDAY, **options: Any) -> tuple[list[list[Leg]], Receipt]:
    return pull_day(ucm, day, **{"frozen_end": END, **options})


def channels(pages: Sequence[list[Leg]]) -> list[str]:
    return [leg["dstchannel"] for page in pages for leg in page]


def expected(made: Sequence[Call]) -> list[str]:
    return [leg["dstchannel"] for one in made for leg in one.legs]


def offsets(pbx: Simulator) -> list[int]:
    return [int(params["offset"]) for action, params in pbx.requests if action == "cdrapi"]


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_page_boundaries_with_groups_counted(count: int) -> None:
    made = calls(count)
    with Simulator(made) as pbx, session(pbx) as ucm:
        pages, receipt = pulled(ucm)
    assert channels(pages) == expected(made)
    assert (receipt.elements, receipt.legs) == (count, len(expected(made)))
    assert (receipt.unit, receipt.restarts, receipt.duplicates) == ("groups", 0, 0)
    assert len(pages) == (2 if count == 1001 else 1)
    asked = {999: [0, 998, 999], 1000: [0, 999, 1000], 1001: [0, 999, 1000, 1001]}[count]
    assert offsets(pbx) == asked * 2  # each answer is looked at twice


def test_page_boundaries_with_rows_counted() -> None:
    made = calls(2500)  # 3,500 rows, groups cut at the edges of pages
    with Simulator(made, offset_unit="row") as pbx, session(pbx) as ucm:
        pages, receipt = pulled(ucm)
    assert channels(pages) == expected(made)
    assert (receipt.unit, receipt.legs, receipt.restarts) == ("rows", 3500, 0)


@pytest.mark.parametrize("unit", ["group", "row"])
@pytest.mark.parametrize("size", [2, 3, 7, 20])
def test_small_pages(unit: Any, size: int) -> None:
    made = calls(23, group_every=3)
    with Simulator(made, offset_unit=unit) as pbx, session(pbx) as ucm:
        pages, receipt = pulled(ucm, page_size=size)
    assert channels(pages) == expected(made)
    assert receipt.restarts == 0


@pytest.mark.parametrize("unit", ["group", "row"])
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile(profile: str, unit: Any) -> None:
    made = calls(57, group_every=4)
    with Simulator(made, profile=profile, offset_unit=unit) as pbx, session(pbx) as ucm:
        pages, receipt = pulled(ucm, page_size=10)
    assert sorted(channels(pages)) == sorted(expected(made))
    assert receipt.legs == len(expected(made))


def test_units_cannot_be_told_apart_where_all_calls_have_one_leg() -> None:
    with Simulator(calls(30, group_every=99)) as pbx, session(pbx) as ucm:
        _, receipt = pulled(ucm, page_size=10)
    assert (receipt.unit, receipt.elements, receipt.legs) == ("unknown", 30, 30)


def test_what_is_asked() -> None:
    with Simulator(calls(3)) as pbx, session(pbx) as ucm:
        _, receipt = pulled(ucm)
        _, second = pulled(ucm, frozen_end=datetime(2026, 3, 2, 18, 30, 5))
    times = [(params["startTime"], params["endTime"]) for action, params in pbx.requests if action == "cdrapi"]
    assert times[0] == ("2026-03-02T00:00:00", "2026-03-03T01:59:59")
    assert times[-1] == ("2026-03-02T00:00:00", "2026-03-02T18:30:05")
    assert (receipt.asked_from, receipt.asked_to) == (DAY, DAY + timedelta(hours=26, seconds=-1))
    assert second.asked_to == datetime(2026, 3, 2, 18, 30, 5)
    assert {params["format"] for action, params in pbx.requests if action == "cdrapi"} == {"json"}


def test_receipt_hash_does_not_depend_on_pages_but_on_contents() -> None:
    made = calls(40)
    hashes = []
    for serve, size in ((made, 1000), (made, 7), (made[:-1], 1000)):
        with Simulator(serve) as pbx, session(pbx) as ucm:
            hashes.append(pulled(ucm, page_size=size)[1].sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_drift_restarts_and_loses_nothing() -> None:
    made = calls(50)
    with Simulator(made) as pbx, session(pbx) as ucm:
        pbx.faults.arm("drift")
        pages, receipt = pulled(ucm, page_size=10)
    assert sorted(channels(pages)) == sorted(expected(made))
    assert len(channels(pages)) == len(set(channels(pages)))
    assert receipt.restarts == 1


@pytest.mark.parametrize("extra_legs", [1, 2, 3])
@pytest.mark.parametrize("group_at", range(5))
def test_drift_that_looks_like_another_unit(group_at: int, extra_legs: int) -> None:
    """One group and one record that moves: at the end of the window, groups then look like rows."""
    made = [call(n, DAY + timedelta(hours=9, minutes=n), 1 + extra_legs if n == group_at + 1 else 1) for n in range(7)]
    with Simulator(made) as pbx, session(pbx) as ucm:
        pbx.faults.arm("drift")
        pages, receipt = pulled(ucm, page_size=4)
    assert sorted(channels(pages)) == sorted(expected(made))
    assert receipt.restarts >= 1


def test_drift_without_end_is_incomplete() -> None:
    made = calls(50)
    with Simulator(made) as pbx, session(pbx) as ucm:
        pbx.faults.arm("drift", times=None)
        with pytest.raises(IncompletePull) as caught:
            pulled(ucm, page_size=10)
    assert caught.value.resume_from == MONDAY
    assert "2026-03-02" in str(caught.value)
    assert "4 readings" in str(caught.value)


def test_repeated_page_restarts() -> None:
    made = calls(50)
    with Simulator(made) as pbx, session(pbx) as ucm:
        pbx.faults.arm("repeat-page", after=0)
        pages, receipt = pulled(ucm, page_size=10)
    assert channels(pages) == expected(made)
    assert receipt.restarts == 1


def test_pbx_that_ignores_offset_is_found() -> None:
    with Simulator(calls(50)) as pbx, session(pbx) as ucm:
        pbx.faults.arm("repeat-page", after=0, times=None)
        with pytest.raises(IncompletePull, match="gave the first page again"):
            pulled(ucm, page_size=10)


@pytest.mark.parametrize("fault", ["reset", "http-500", "html", "truncated", "expire-cookie", "clock-jump"])
@pytest.mark.parametrize("after", [0, 1, 2, 6])
def test_one_fault_mid_pull_is_survived(fault: str, after: int) -> None:
    made = calls(50)
    with Simulator(made) as pbx, session(pbx) as ucm:
        pbx.faults.arm(fault, after=after)
        pages, receipt = pulled(ucm, page_size=10)
        logins = [action for action, _ in pbx.requests].count("login")
    assert channels(pages) == expected(made)
    assert receipt.restarts == 0
    assert logins == (2 if fault in ("html", "truncated", "expire-cookie", "clock-jump") else 1)
    assert ucm.waits == ([1.0] if fault in ("reset", "http-500") else [])


@pytest.mark.parametrize(
    ("fault", "first_error", "says"),
    [
        ("reset", Unreachable, "broke the connection"),
        ("http-500", Unreachable, "HTTP 500"),
        ("html", UnexpectedAnswer, "HTML"),
        ("truncated", UnexpectedAnswer, "broken JSON"),
    ],
)
def test_lasting_fault(fault: str, first_error: type[Exception], says: str) -> None:
    with Simulator(calls(50)) as pbx, session(pbx) as ucm:
        pbx.faults.arm(fault, after=0, times=None)
        with pytest.raises(first_error, match=says):
            pulled(ucm, page_size=10)
        pbx.faults.arm(fault, after=2, times=None)
        with pytest.raises(IncompletePull, match=says) as caught:
            pulled(ucm, page_size=10)
    assert caught.value.resume_from == MONDAY
    assert isinstance(caught.value.__cause__, first_error)


def test_slow_answer_times_out_and_is_asked_again() -> None:
    made = calls(12)
    with Simulator(made, slow_s=1.5) as pbx, session(pbx, timeout=(2.0, 0.5)) as ucm:
        pbx.faults.arm("slow", after=1)
        pages, _ = pulled(ucm, page_size=10)
    assert channels(pages) == expected(made)
    assert ucm.waits == [1.0]


def test_calls_that_end_while_paging_do_not_count_later_than_frozen_end() -> None:
    made = calls(30)
    late = call(900, datetime(2026, 3, 2, 23, 0))
    with Simulator(made) as pbx, session(pbx) as ucm:

        def keep(page: list[Leg]) -> list[Leg]:
            pbx.add(late)
            return page

        pages, _ = pulled(ucm, frozen_end=datetime(2026, 3, 2, 20, 0), page_size=10, keep=keep)
    assert channels(pages) == expected(made)


def test_empty_day_of_a_pbx_with_calls() -> None:
    with Simulator(calls(3)) as pbx, session(pbx) as ucm:
        pages, receipt = pulled(ucm, date(2026, 3, 1), overlap=timedelta(0))
        assert (pages, receipt.legs, receipt.elements, receipt.pages) == ([], 0, 0, 2)
        asked = len(offsets_or_all(pbx))
        pulled(ucm, date(2026, 2, 28), overlap=timedelta(0))
        assert len(offsets_or_all(pbx)) == asked + 2  # proved once a session
    start = [
        params["startTime"] for _, params in offsets_or_all(pbx) if "offset" not in params and "startTime" in params
    ]
    assert start == ["2026-03-02T07:59:59"]


def offsets_or_all(pbx: Simulator) -> list[tuple[str, dict[str, Any]]]:
    return [request for request in pbx.requests if request[0] == "cdrapi"]


def test_empty_day_of_a_pbx_without_calls() -> None:
    with Simulator() as pbx, session(pbx) as ucm:
        assert pulled(ucm)[1].legs == 0
        assert not ucm.time_filter_proved


def test_firmware_that_does_not_understand_the_time_filter(tmp_path: Path) -> None:
    leg = {"cdr": "", "AcctId": "1", "src": "1000", "start": "2026-03-02 08:00:00", "session": "1-1"}

    def answer(action: str, params: Any) -> Any:
        return {"cdr_root": [] if "startTime" in params else [leg]} if action == "cdrapi" else None

    with stub(tmp_path, answer) as pbx:
        ucm = StubSession(pbx.url, fingerprint=pbx.fingerprint)
        with pytest.raises(RequestRejected, match="does not understand the time filter"):
            pulled(ucm)
        with pytest.raises(RequestRejected):
            verify_empty(ucm, MONDAY)
        ucm.close()


def serving(elements: list[dict[str, Any]], *, least: int = 0) -> Any:
    """A PBX that pages a list of elements, `least` at once at least."""

    def answer(action: str, params: Any) -> Any:
        if action != "cdrapi":
            return None
        size, offset = max(int(params["numRecords"]), least), int(params["offset"])
        return {"cdr_root": elements[offset : offset + size]}

    return answer


def flat(number: int) -> dict[str, Any]:
    return {
        "cdr": "",
        "AcctId": str(number),
        "src": "1000",
        "dst": "1001",
        "dstchannel": f"PJSIP/1001-{number:08x}",
        "start": "2026-03-02 08:00:00",
        "uniqueid": f"1772438400.{number}",
        "session": f"1772438400{number:06d}-1000",
    }


def test_pages_longer_than_asked(tmp_path: Path) -> None:
    with stub(tmp_path, serving([flat(n) for n in range(60)], least=25)) as pbx:
        ucm = StubSession(pbx.url, fingerprint=pbx.fingerprint)
        pages, receipt = pulled(ucm, page_size=10)
        ucm.close()
    assert [len(page) for page in pages] == [25, 24, 11]
    assert receipt.legs == 60


def test_same_leg_twice_in_a_page_counts_once(tmp_path: Path) -> None:
    elements = [flat(0), flat(1), flat(1), flat(2), flat(3)]
    with stub(tmp_path, serving(elements)) as pbx:
        ucm = StubSession(pbx.url, fingerprint=pbx.fingerprint)
        pages, receipt = pulled(ucm)
        ucm.close()
    assert channels(pages) == [flat(n)["dstchannel"] for n in range(4)]
    assert (receipt.legs, receipt.duplicates, receipt.elements) == (4, 1, 5)


def test_two_rows_with_one_key_and_other_contents_are_both_kept(tmp_path: Path) -> None:
    other = {**flat(1), "disposition": "BUSY"}
    with stub(tmp_path, serving([flat(0), flat(1), other, flat(2)])) as pbx:
        ucm = StubSession(pbx.url, fingerprint=pbx.fingerprint)
        pages, receipt = pulled(ucm)
        ucm.close()
    assert [leg.get("disposition") for page in pages for leg in page] == [None, None, "BUSY", None]
    assert (receipt.legs, receipt.duplicates) == (4, 0)


def test_a_leg_of_a_reading_that_was_given_up_does_not_count(tmp_path: Path) -> None:
    """One answer shows a leg that no other has."""
    asked: list[int] = []

    def answer(action: str, params: Any) -> Any:
        if action != "cdrapi":
            return None
        asked.append(int(params["offset"]))
        elements = [flat(n) for n in range(20)] if len(asked) == 1 else [flat(n) for n in range(1, 20)]
        return serving(elements)(action, params)

    with stub(tmp_path, answer) as pbx:
        ucm = StubSession(pbx.url, fingerprint=pbx.fingerprint)
        pages, receipt = pulled(ucm, page_size=10)
        ucm.close()
    assert channels(pages) == [flat(n)["dstchannel"] for n in range(1, 20)]
    assert receipt.restarts == 1


def test_pbx_without_end_is_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucm_analytics.sources.ucm.cdr._PAGES", 12)

    def answer(action: str, params: Any) -> Any:
        if action != "cdrapi":
            return None
        offset = int(params["offset"])
        return {"cdr_root": [flat(n) for n in range(offset, offset + int(params["numRecords"]))]}

    with stub(tmp_path, answer) as pbx:
        ucm = StubSession(pbx.url, fingerprint=pbx.fingerprint)
        with pytest.raises(IncompletePull, match="no end after 12 pages"):
            pulled(ucm, page_size=10)
        ucm.close()


def test_calls_counted_where_groups_are_made_anew_for_each_answer(tmp_path: Path) -> None:
    """Firmware that shifts the groups of each answer by one leg: offset counts calls, not groups."""
    sessions = [[{**flat(10 * n + leg), "session": f"17724384{n:02d}1-1000"} for leg in range(3)] for n in range(9)]

    def answer(action: str, params: Any) -> Any:
        if action != "cdrapi":
            return None
        offset, size = int(params["offset"]), int(params["numRecords"])
        legs = [leg for one in sessions[offset : offset + size] for leg in one]
        cuts = [0, *range(2, len(legs), 3), len(legs)] if legs else []
        groups = [legs[a:b] for a, b in pairwise(cuts)]
        return {
            "cdr_root": [
                {"cdr": "", "main_cdr": legs[0], **{f"sub_cdr_{i}": leg for i, leg in enumerate(group, 1)}}
                for group in groups
            ]
        }

    with stub(tmp_path, answer) as pbx:
        ucm = StubSession(pbx.url, fingerprint=pbx.fingerprint)
        pages, receipt = pulled(ucm, page_size=4)
        ucm.close()
    assert channels(pages) == [leg["dstchannel"] for one in sessions for leg in one]
    assert (receipt.unit, receipt.legs, receipt.restarts) == ("calls", 27, 0)


def test_bad_arguments() -> None:
    with Simulator() as pbx:
        ucm = session(pbx)
        with pytest.raises(SettingError, match="2026-03-05 has not begun at 2026-03-04 00:00"):
            pulled(ucm, date(2026, 3, 5))
        for size in (1, 1001):
            with pytest.raises(SettingError, match=f"page of {size} elements"):
                pulled(ucm, page_size=size)
        assert pbx.requests == []
