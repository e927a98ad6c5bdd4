"""The reports that look for something: missed callers, unusual hours, a forecast, fraud. Counted a second way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser

from ucm_analytics.reports import run_report
from ucm_analytics.store import Store

from .by_hand import Page
from .clinic import SITE, store_of, stories
from .test_browser import look

SATELLITE = "00881655501"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Four weeks; in the last night one phone calls a satellite, again and again."""
    told = stories(date(2026, 3, 2), date(2026, 3, 29))
    call = next(s for s in told if s.truth.direction == "outbound" and s.truth.outcome == "answered")
    night = []
    for n in range(12):
        began = datetime(2026, 3, 29, 1, 10, tzinfo=ZoneInfo(SITE.timezone)) + n * timedelta(minutes=3)
        (leg,) = call.call.legs
        clock = {
            name: f"{began + timedelta(seconds=s):%F %T}" for name, s in (("start", 0), ("answer", 10), ("end", 60))
        }
        epoch = int(began.timestamp())
        key = {"session": f"{epoch}000000-{leg['src']}", "uniqueid": f"{epoch}.{n}"}
        legs = [leg | clock | key | {"dst": SATELLITE, "dstanswer": SATELLITE, "duration": "60", "billsec": "50"}]
        night.append(replace(call, call=replace(call.call, legs=legs)))
    return store_of([*told, *night], tmp_path_factory.mktemp("month"))


def test_the_work_list_is_every_missed_caller(store: Store) -> None:
    calls = store.calls("2026-03")
    missed = calls[(calls["direction"] == "inbound") & (calls["outcome"] != "answered") & ~calls["is_forward"]]
    report = run_report("missed-calls", store, "2026-03")
    table = report.sections[0].table
    assert table["calls"].sum() == len(missed)
    assert table["waited_s"].sum() == missed["wait_s"].sum()
    count = Counter(table["status"])
    assert f"({count['still open']}) are still open" in report.headline
    assert set(count) <= {"still open", "called back and reached", "called again and was answered", "number withheld"}


def test_the_most_frequent_callers(store: Store) -> None:
    calls = store.calls("2026-03")
    inbound = calls[(calls["direction"] == "inbound") & ~calls["is_forward"]]
    most = max(Counter(inbound["caller"][inbound["caller"] != "anonymous"]).values())
    report = run_report("callers", store, "2026-03")
    assert report.sections[0].table["calls"].iloc[0] == most
    assert report.sections[2].table["calls"].sum() == len(inbound)


def test_a_week_is_held_against_the_week_before(store: Store) -> None:
    report = run_report("compare", store, "2026-W12")
    table = report.sections[0].table
    calls = store.calls("2026-W12")
    assert table["calls"].iloc[0] == (~calls["is_forward"]).sum()
    assert table["against"].unique().tolist() == ["Week 11 of 2026 (9 to 15 March)", "Week 12 of 2025 (17 to 23 March)"]
    verdicts = dict(zip(zip(table["measure"], table["against"].str[-11:], strict=True), table["verdict"], strict=True))
    assert {v for (_, against), v in verdicts.items() if "2025" in against} <= {"unknown"}
    # The week before the first is not in the store: it is not taken for a week without calls.
    first = run_report("compare", store, "2026-W10")
    assert set(first.sections[0].table["verdict"]) == {"unknown"}
    assert "no earlier period is complete in the store" in first.headline


def test_the_night_is_unusual(store: Store) -> None:
    report = run_report("anomalies", store, "2026-W13")
    hours = report.sections[1].table
    assert "2026-03-29 01:00" in hours["local_at"].astype(str).str[:16].to_list()
    at = store.calls("2026-W13")["local_at"]
    night = int(((at >= "2026-03-29 01:00") & (at < "2026-03-29 02:00")).sum())
    assert night >= 12
    assert f"unusual; most of all Sun 2026-03-29 01:00, with {night} calls" in report.findings[1]


def test_the_forecast_is_of_the_week_after(store: Store) -> None:
    report = run_report("forecast", store, "2026-03-02", "2026-03-29")
    days = report.sections[0].table
    assert days["local_at"].dt.date.to_list() == [date(2026, 3, 30) + timedelta(days=n) for n in range(7)]
    short = run_report("forecast", store, "2026-W10")
    assert short.headline.endswith("no forecast by day: 7 days of calls are too few for a forecast.")
    assert short.sections[0].table["calls"].sum() == (~store.calls("2026-W10")["is_forward"]).sum()


def test_fraud_is_found_with_its_calls(store: Store) -> None:
    report = run_report("fraud", store, "2026-W13")
    signals, evidence = (section.table for section in report.sections)
    night = signals[signals["rule"] == "night"].iloc[0]
    assert (night["calls"], night["area"], night["score"]) == (12, "+881 satellite networks", 100)
    calls = store.calls("2026-W13")
    called = calls[calls["callee"] == SATELLITE]
    assert night["extension"].startswith(called["caller"].iloc[0])
    part = evidence[evidence["signal"] == night["signal"]]
    assert sorted(part["call_id"]) == sorted(called["call_id"])
    before = run_report("fraud", store, "2026-W12")
    assert "no signs of toll fraud in" in before.headline


@pytest.mark.parametrize("name", ["fraud", "forecast", "missed-calls"])
def test_the_pages_in_a_browser(store: Store, browser: Browser, tmp_path: Path, name: str) -> None:
    report = run_report(name, store, "2026-03-02", "2026-03-29")
    assert len(report.to_html().encode()) < 6_000_000
    assert [s.title for s in report.sections] == Page.of(report.to_html()).text("h2")[: len(report.sections)]
    path = tmp_path / "report.html"
    report.to_html(path)
    (seen,) = look(browser, path, (1280, "light"))
    assert seen.complaints == []
    assert seen.charts == len(report.sections)
