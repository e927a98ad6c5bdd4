from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from typing import Any

import ciw
import numpy as np
import pandas as pd
import pytest

from tests.analyses.frames import KINDS, as_arrow, random_steps, steps, table
from tests.analyses.queued import queued
from ucm_analytics import analyses
from ucm_analytics.erlang import agents_needed, erlang_a, erlang_c
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

visit = "kind target local_at wait_s talk_s result answered_by"
WEEK = Period.of("2026-W10")


def visits(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return steps(visit, *(("queue", "6500", *row) for row in rows))


def at(result: pd.DataFrame, minute: int, day_type: str = "Monday to Friday") -> pd.Series[Any]:
    some = result[(result["minute"] == minute) & (result["day_type"] == day_type)]
    assert len(some) == 1
    return some.iloc[0]


def test_a_hundred_calls_in_half_an_hour_need_fourteen_agents() -> None:
    morning = pd.Timestamp("2026-03-02 09:00")
    made = visits(*((morning + pd.Timedelta(seconds=18 * n), 5, 180, "answered", "1004") for n in range(100)))
    found = at(analyses.staffing(made), 540)
    assert (found["offered"], found["days"], found["callers"], found["handle_s"]) == (100, 1, 100, 180)
    assert found["agents_c"] == agents_needed(100 / 1800, 180.0, target_s=20, level=0.8) == 14
    # 1.96 standard deviations of a count of 100 either way
    assert found["agents_c_low"] == agents_needed(81 / 1800, 180.0, target_s=20, level=0.8)
    assert found["agents_c_high"] == agents_needed(120 / 1800, 180.0, target_s=20, level=0.8)
    # nobody hung up: patience is not known
    assert pd.isna(found["patience_s"])
    assert found[["agents_a", "agents_a_low", "agents_a_high"]].isna().all()


def test_callers_handle_time_and_patience_by_hand() -> None:
    made = visits(
        ("2026-03-02 09:00:00", 10, 100, "answered", "1004"),
        ("2026-03-02 09:29:59", 30, 200, "answered", "1005"),
        ("2026-03-02 09:30:00", 50, 0, "hung_up", None),
        ("2026-03-03 09:05:00", 90, 0, "hung_up", None),
        ("2026-03-03 09:06:00", 120, 0, "next", None),  # sent on: neither answered nor gone
        ("2026-03-07 09:00:00", 0, 300, "answered", "1004"),
    )
    result = analyses.staffing(made, wrap_up_s=40, period=WEEK, weekdays=range(7))
    assert len(result) == 144
    nine, half = at(result, 540), at(result, 570)
    assert (nine["offered"], nine["answered"], nine["abandoned"], nine["days"]) == (4, 2, 1, 5)
    assert nine["callers"] == pytest.approx(0.8)
    assert (half["offered"], half["abandoned"]) == (1, 1)
    assert (at(result, 540, "Saturday")["offered"], at(result, 540, "Saturday")["days"]) == (1, 1)
    assert set(result["handle_s"]) == {200 + 40}
    assert set(result["patience_s"]) == {300 / 2}
    assert (at(result, 600)["offered"], at(result, 600)["agents_c"], at(result, 600)["agents_c_high"]) == (0, 0, 0)
    # at 9:00 the counts of the five days are 2, 2, 0, 0, 0; at 9:30 1, 0, 0, 0, 0
    chi = (2 * 1.2**2 + 3 * 0.8**2) / 0.8 + (0.8**2 + 4 * 0.2**2) / 0.2
    assert nine["dispersion"] == pytest.approx(chi / 8)


def test_intervals_without_days_or_answers_are_na() -> None:
    made = visits(("2026-03-02 09:00:00", 90, 0, "hung_up", None))
    result = analyses.staffing(made)
    assert at(result, 540)["abandoned"] == 1
    assert result[["agents_c", "agents_a"]].isna().all().all()  # nobody was answered: no handle time
    assert at(result, 540, "Sunday")["days"] == 0
    assert pd.isna(at(result, 540, "Sunday")["callers"])
    check = at(analyses.staffing_check(made), 540)
    assert (check["reached_level"], check["agents"]) == (0, 0)
    assert pd.isna(check["level_c"])


def test_only_queues_are_staffed() -> None:
    made = steps(visit, ("ring_group", "6400", "2026-03-02 09:00:00", 5, 60, "answered", "1004"))
    assert analyses.staffing(made).empty
    assert analyses.staffing_check(made).empty


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_a_plain_loop(seed: int) -> None:
    rng = random.Random(seed)
    rows = []
    for _ in range(400):
        when = pd.Timestamp("2026-03-02") + timedelta(seconds=rng.randrange(14 * 86400))
        result = rng.choice(["answered", "answered", "hung_up", "next", "recorded"])
        by = rng.choice(["1001", "1002", "1003"]) if result == "answered" else None
        rows.append(("queue", rng.choice(["6500", "6501"]), when, rng.randrange(60), rng.randrange(300), result, by))
    made = table("steps", visit, rows)
    counts: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    seen: dict[Any, set[int]] = defaultdict(set)
    for _, queue, when, wait, _, result, by in rows:
        kind = "Saturday" if when.weekday() == 5 else "Sunday" if when.weekday() == 6 else "Monday to Friday"
        slot = when.hour * 2 + when.minute // 30
        row = counts[queue, kind, slot * 30]
        row[0] += 1
        row[1] += result == "answered"
        row[2] += result == "hung_up"
        row[3] += result == "answered" and wait <= 20
        if by:
            seen[queue, when.date(), by].add(slot)
    need = as_arrow(analyses.staffing(made)).to_pylist()
    check = as_arrow(analyses.staffing_check(made)).to_pylist()
    agents: dict[Any, list[int]] = defaultdict(list)
    for _, queue, when, *_ in rows:
        slot = when.hour * 2 + when.minute // 30
        kind = "Saturday" if when.weekday() == 5 else "Sunday" if when.weekday() == 6 else "Monday to Friday"
        there = sum(
            min(slots) <= slot <= max(slots)
            for (of, day, _), slots in seen.items()
            if (of, day) == (queue, when.date())
        )
        agents[queue, kind, slot * 30].append(there)
    assert len(need) == len(check) == 288
    for a, b in zip(need, check, strict=True):
        key = a["queue"], a["day_type"], a["minute"]
        assert key == (b["queue"], b["day_type"], b["minute"])
        assert [a["offered"], a["answered"], a["abandoned"], b["in_time"]] == counts[key]
        assert b["offered"] == a["offered"]
        if a["offered"]:
            assert b["agents"] == pytest.approx(np.mean(agents[key]))
            assert b["reached_level"] == pytest.approx(b["in_time"] / a["offered"])
            assert 0 <= b["reached_low"] <= b["reached_level"] <= b["reached_high"] <= 1
            predicted = [
                float(erlang_a(a["callers"] / 1800, a["handle_s"], n, a["patience_s"]).answered_within(20))
                for n in agents[key]
            ]
            assert b["level_a"] == pytest.approx(np.mean(predicted))
            predicted = [
                float(erlang_c(a["callers"] / 1800, a["handle_s"], n).answered_within(20)) for n in agents[key]
            ]
            assert b["level_c"] == pytest.approx(np.mean(predicted))
        else:
            assert b["agents"] is b["reached_level"] is b["level_a"] is None


def test_wilson_by_hand() -> None:
    # 8 of 10: 0.490 to 0.943
    rows = [(f"2026-03-02 09:0{n}:00", 5 if n < 8 else 60, 60, "answered", "1004") for n in range(10)]
    found = at(analyses.staffing_check(visits(*rows)), 540)
    assert found["reached_level"] == 0.8
    assert (found["reached_low"], found["reached_high"]) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def simulated(seed: int, days: int, agents: int) -> pd.DataFrame:
    """Visits from 8:00 to 18:00 on weekdays, in a queue that is simulated event by event."""
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=1 / 60)],
        service_distributions=[ciw.dists.Exponential(rate=1 / 180)],
        reneging_time_distributions=[ciw.dists.Exponential(rate=1 / 150)],
        number_of_servers=[agents],
    )
    rows = []
    for day in pd.bdate_range("2026-03-02", periods=days):
        run = ciw.Simulation(network)
        run.simulate_until_max_time(11 * 3600)
        for record in run.get_all_records():
            if record.arrival_date < 3600:
                continue  # an hour to fill up
            left = record.record_type == "renege"
            wait = record.exit_date - record.arrival_date if left else record.waiting_time
            when = day + pd.Timedelta(seconds=7 * 3600 + int(record.arrival_date))
            by = None if left else f"10{record.server_id:02}"
            talk = 0 if left else round(record.service_time)
            rows.append((when, round(wait), talk, "hung_up" if left else "answered", by))
    return visits(*rows)


def test_a_simulated_queue_reaches_what_is_predicted() -> None:
    made = simulated(5, days=30, agents=4)
    need = analyses.staffing(made, weekdays=range(5))
    middle = need[(need["minute"] >= 9 * 60) & (need["minute"] < 17 * 60) & (need["offered"] > 0)]
    assert middle["handle_s"].iloc[0] == pytest.approx(180, rel=0.03)
    assert middle["patience_s"].iloc[0] == pytest.approx(150, rel=0.08)
    assert middle["callers"].mean() == pytest.approx(30, rel=0.05)
    right = agents_needed(1 / 60, 180.0, target_s=20, level=0.8, patience_s=150.0)
    assert (middle["agents_a"] == right).mean() > 0.7
    assert ((middle["agents_a_low"] <= right) & (right <= middle["agents_a_high"])).mean() >= 0.9
    check = analyses.staffing_check(made, weekdays=range(5))
    check = check[(check["minute"] >= 9 * 60) & (check["minute"] < 17 * 60) & (check["offered"] > 0)]
    assert check["agents"].mean() == pytest.approx(4, abs=0.05)
    reached = check["in_time"].sum() / check["offered"].sum()
    assert (check["level_a"] * check["offered"]).sum() / check["offered"].sum() == pytest.approx(reached, abs=0.03)
    overlap = (check["level_a_low"] <= check["reached_high"]) & (check["reached_low"] <= check["level_a_high"])
    assert overlap.mean() >= 0.85
    # Erlang C knows of nobody who leaves, and expects worse
    assert (check["level_c"] < check["level_a"]).all()


def test_the_interval_holds_the_true_rate_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    right, held = agents_needed(12 / 1800, 180.0, target_s=20, level=0.8), 0
    for _ in range(40):
        rows = []
        for day in pd.bdate_range("2026-03-02", periods=10):
            seconds = rng.integers(0, 1800, rng.poisson(12))
            talks = rng.exponential(180, len(seconds)).round()
            rows += [
                (day + pd.Timedelta(seconds=32400 + int(at)), 5, int(talk), "answered", "1004")
                for at, talk in zip(seconds, talks, strict=True)
            ]
        found = at(analyses.staffing(visits(*rows), weekdays=range(5)), 540)
        held += found["agents_c_low"] <= right <= found["agents_c_high"]
    assert held >= 36


@pytest.mark.parametrize("kind", KINDS)
def test_equal_on_every_kind_of_frame(kind: str) -> None:
    import pyarrow as pa

    made = pa.Table.from_pandas(queued(random_steps(3).to_pandas()), preserve_index=False)
    for run in (analyses.staffing, analyses.staffing_check):
        expected, found = as_arrow(run(made)), as_arrow(run(KINDS[kind](made)))
        pd.testing.assert_frame_equal(found.to_pandas(), expected.to_pandas(), rtol=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda made: analyses.staffing(made, target_s=-1),
        lambda made: analyses.staffing(made, level=1),
        lambda made: analyses.staffing(made, wrap_up_s=-5),
        lambda made: analyses.staffing_check(made, target_s=float("nan")),
    ],
)
def test_what_cannot_be_is_refused(call: Any) -> None:
    with pytest.raises(SettingError, match="use "):
        call(steps("call_id"))
