"""Every fault by its name."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest

from tests.simulator.pbx import Asker, connected, flat_calls, numbers
from ucm_analytics.simulator import FAULTS, Simulator
from ucm_analytics.simulator.faults import Faults


def send_pull(asker: Asker, **params: Any) -> tuple[int, bytes]:
    request = {"action": "cdrapi", "cookie": asker.cookie, "format": "json", **params}
    return asker.send(json.dumps({"request": request}).encode())


def test_a_named_fault_fires_once_after_what_the_table_says() -> None:
    for name, after in FAULTS.items():
        faults = Faults([name])
        fired = [faults.fires(name, "cdrapi") for _ in range(after + 3)]
        assert fired == [False] * after + [True, False, False]


def test_counting_of_requests() -> None:
    faults = Faults()
    faults.arm("slow", after=2, times=2)
    assert [faults.fires("slow", "cdrapi") for _ in range(6)] == [False, False, True, True, False, False]
    faults.arm("slow", after=0, times=None)
    assert [faults.fires("slow", action) for action in ("cdrapi", "login", "cdrapi")] == [True, False, True]
    faults.arm("slow", after=0, times=None, action=None)
    assert faults.fires("slow", "login")
    faults.disarm("slow")
    assert not faults.fires("slow", "cdrapi")


def test_expire_cookie() -> None:
    with connected(Simulator(flat_calls(3), faults=["expire-cookie"])) as asker:
        assert len(asker.records()) == 3
        assert asker.status("cdrapi") == -6
        asker.login()
        assert len(asker.records()) == 3


def test_reset_cuts_the_body() -> None:
    with connected(Simulator(flat_calls(300), faults=["reset"])) as asker:
        whole = send_pull(asker)[1]
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)) as raised:
            send_pull(asker)
        if isinstance(raised.value, http.client.IncompleteRead):
            assert 0 < len(raised.value.partial) < len(whole)
        asker.connection.close()
        assert send_pull(asker)[1] == whole


def test_http_500_and_html() -> None:
    with connected(Simulator(flat_calls(3), faults=["http-500", "html"])) as asker:
        answers = [send_pull(asker) for _ in range(4)]
        assert [status for status, _ in answers] == [200, 500, 200, 200]
        assert b"500 Internal Server Error" in answers[1][1]
        assert answers[2][1].startswith(b"<!DOCTYPE html>")
        assert answers[3] == answers[0]


def test_html_for_another_action() -> None:
    pbx = Simulator()
    with connected(pbx) as asker:
        pbx.faults.arm("html", after=0, action="getSystemStatus")
        assert b"<html>" in asker.raw("getSystemStatus")
        assert asker.headers["Content-Type"] == "text/html"
        assert asker.status("getSystemStatus") == 0


def test_slow() -> None:
    with connected(Simulator(flat_calls(3), faults=["slow"], slow_s=0.3)) as asker:
        took = []
        for _ in range(3):
            began = time.perf_counter()
            asker.records()
            took.append(time.perf_counter() - began)
    assert took[1] >= 0.3


def test_truncated() -> None:
    with connected(Simulator(flat_calls(3), faults=["truncated"])) as asker:
        whole, cut, again = (send_pull(asker) for _ in range(3))
    assert cut == (200, whole[1][: len(whole[1]) // 2])
    assert again == whole


def test_repeat_page() -> None:
    with connected(Simulator(flat_calls(5), faults=["repeat-page"])) as asker:
        pages = [numbers(asker.records(numRecords=2, offset=offset)) for offset in (0, 2, 2, 4)]
    assert pages == [["1000", "1001"], ["1000", "1001"], ["1002", "1003"], ["1004"]]


def test_repeat_page_stays_in_its_window() -> None:
    with connected(Simulator(flat_calls(5), faults=["repeat-page"])) as asker:
        assert numbers(asker.records(numRecords=2)) == ["1000", "1001"]
        assert numbers(asker.records(numRecords=2, offset=2, endTime="2026-03-03")) == ["1002", "1003"]


def test_drift() -> None:
    with connected(Simulator(flat_calls(4), faults=["drift"])) as asker:
        pages = [numbers(asker.records(numRecords=2, offset=offset)) for offset in (0, 2, 4, 0)]
    assert pages == [["1001", "1002"], ["1002", "1003"], [], ["1000", "1001"]]


def test_clock_jump() -> None:
    with connected(Simulator(flat_calls(3), faults=["clock-jump"])) as asker:
        before = asker.ask("getSystemStatus")["response"]["system-time"]
        assert len(asker.records()) == 3
        assert asker.status("cdrapi") == -6
        asker.login()
        after = asker.ask("getSystemStatus")["response"]["system-time"]
    assert (int(after[11:13]) - int(before[11:13])) % 24 in (1, 2)
