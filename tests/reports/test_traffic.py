"""The reports on trunks and on staffing, their numbers counted a second way."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from ucm_analytics.documents.formats import share
from ucm_analytics.erlang import agents_needed, lines_needed
from ucm_analytics.reports import Report, run_report
from ucm_analytics.store import Store

from .clinic import store_of, stories

WEEK = "2026-W11"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_of(stories(date(2026, 3, 9), date(2026, 3, 15)), tmp_path_factory.mktemp("trunks"))


@pytest.fixture(scope="module")
def traffic(store: Store) -> Report:
    return run_report("traffic", store, WEEK)


@pytest.fixture(scope="module")
def staffing(store: Store) -> Report:
    return run_report("staffing", store, WEEK)


def picked_up_from_park(calls: pd.DataFrame) -> pd.Series:
    """Sessions whose caller is on the line already, in the call that was parked."""
    return calls["is_forward"] & calls["entry"].astype("str").str.startswith("park:")


def at_once(held: pd.DataFrame) -> int:
    times = list(zip(held["started_at"], held["ended_at"], strict=True))
    return max(sum(start <= at < end for start, end in times) for at, _ in times)


def test_lines_counted_by_hand(traffic: Report, store: Store) -> None:
    calls = store.calls(WEEK)
    held = calls[calls["trunk"].notna() & ~picked_up_from_park(calls)]
    table = traffic.sections[0].table
    assert table["calls"].sum() == len(held)
    assert table["busy_s"].sum() == (held["ended_at"] - held["started_at"]).dt.total_seconds().sum()
    for trunk, some in held.groupby("trunk", observed=True):
        row = table[table["trunk"] == trunk].iloc[0]
        assert row["peak"] == at_once(some)
        assert row["lines"] == lines_needed(row["traffic"], 0.01)
        busy = some[some["local_at"].dt.hour == row["busy_hour"]]
        if row["day_type"] == "Monday to Friday":
            busy = busy[busy["local_at"].dt.day_of_week < 5]
            assert row["bhca"] * row["days"] == len(busy)
            assert row["line_s"] * row["days"] == pytest.approx(busy["duration_s"].sum())
    top = table.loc[table["traffic"].idxmax()]
    assert traffic.headline.startswith(f"Week 11 of 2026 (9 to 15 March): {top['trunk']} carries most: ")


def test_calls_at_once_counted_by_hand(traffic: Report, store: Store) -> None:
    calls = store.calls(WEEK)
    held = calls[calls["trunk"].notna() & ~picked_up_from_park(calls)]
    days = traffic.sections[1].table
    assert days["calls"].sum() == len(held)
    for trunk, some in held.groupby("trunk", observed=True):
        assert days.loc[days["trunk"] == trunk, "peak"].max() == at_once(some)
    own = calls[~calls["is_forward"]]
    hours = traffic.sections[2].table
    assert len(hours) == 7 * 24
    assert hours["peak"].iloc[0] == hours["peak"].max() == at_once(own)
    assert f"The PBX held at most {at_once(own)} calls at the same time" in traffic.sections[2].sentence


def test_agents_counted_by_hand(staffing: Report, store: Store) -> None:
    steps = store.steps(WEEK)
    visits = steps[steps["kind"] == "queue"]
    need, check = (section.table for section in staffing.sections)
    assert need["offered"].sum() == check["offered"].sum() == len(visits)
    in_time = (visits["result"] == "answered") & (visits["wait_s"] <= 20)
    assert check["in_time"].sum() == in_time.sum()
    assert staffing.sections[1].sentence.startswith(
        f"{share(in_time.sum() / len(visits))} of {len(visits)} visits to queues were answered within 20 s; "
    )
    for row in need.itertuples():
        assert row.agents_c == agents_needed(row.callers / 1800, row.handle_s, target_s=20, level=0.8)
        assert row.agents_c_low <= row.agents_c <= row.agents_c_high
    first = visits.loc[visits["local_at"].idxmin()]
    floor = first["local_at"] - timedelta(minutes=first["local_at"].minute % 30)
    assert f"{floor:%H:%M}" in set(need["half_hour"])
