"""Pages go by the time zone that the store knows."""

from __future__ import annotations

from pathlib import Path

from tests.store.pretend import ZONE, call
from ucm_analytics.legs import legs_table
from ucm_analytics.reports import run_report
from ucm_analytics.store import Store

CHANGE = "2026-03-29"


def test_hours_of_a_day_on_which_no_call_shows_that_the_clock_changed(tmp_path: Path) -> None:
    legs = legs_table([{"AcctId": "1", **call(f"{CHANGE} 00:30").legs[0]}], pbx="clinic")
    for name, zone, hours in (("known", ZONE, 23), ("unknown", None, 24)):
        store = Store(tmp_path / name)
        store.add(legs, pbx="clinic", zone=zone)
        for report in ("call-volume", "traffic"):
            assert len(run_report(report, store, CHANGE, locale="").sections[-1].table) == hours
