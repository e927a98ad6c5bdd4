"""The report on queues, its numbers counted a second way."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from ucm_analytics.documents.formats import seconds, share
from ucm_analytics.metrics import METRICS, SERVICE_LEVELS
from ucm_analytics.reports import Report, run_report
from ucm_analytics.store import Store

from .clinic import store_of, stories

WEEK = "2026-W11"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_of(stories(date(2026, 3, 9), date(2026, 3, 15)), tmp_path_factory.mktemp("week"))


@pytest.fixture(scope="module")
def report(store: Store) -> Report:
    return run_report("queues", store, WEEK)


@pytest.fixture(scope="module")
def waits(store: Store) -> pd.DataFrame:
    steps = store.steps(WEEK)
    return steps[steps["kind"] == "queue"]


def test_headline_counted_by_hand(report: Report, waits: pd.DataFrame) -> None:
    answered, left = waits[waits["result"] == "answered"], waits[waits["result"] == "hung_up"]
    in_time = (answered["wait_s"] <= 20).sum()
    served = in_time + (left["wait_s"] <= 20).sum()
    assert report.sections[0].sentence == (
        f"{len(waits)} visits to {waits['target'].nunique()} queues; "
        f"{share(len(answered) / len(waits))} were answered, after {seconds(answered['wait_s'].mean())} on average, "
        f"{share(in_time / len(waits))} within 20 s; "
        f"callers gave up in {share(len(left) / len(waits))}; "
        f"the service level is {share(served / (len(answered) + len(left)))} "
        "(formula 1: left in time counts as served)."
    )


def test_tables_counted_by_hand(report: Report, waits: pd.DataFrame, store: Store) -> None:
    queues, levels, spread, patience, agents = (section.table for section in report.sections)
    assert queues["offered"].sum() == len(waits)
    assert queues["longest_wait_s"].max() == waits["wait_s"].max()
    assert queues["talk_s"].sum() == waits["talk_s"].sum()
    assert list(levels.columns) == ["queue", *SERVICE_LEVELS]
    answered = waits[waits["result"] == "answered"]
    in_time = (answered["wait_s"] <= 20).groupby(answered["target"], observed=True).mean()
    assert levels["sl_f2"].to_list() == pytest.approx(in_time.to_list())
    assert spread["calls"].sum() == waits["result"].isin(["answered", "hung_up"]).sum()
    assert patience["abandoned"].sum() == (waits["result"] == "hung_up").sum()
    rings = store.rings(WEEK)
    rings = rings[rings["via"] == "queue"]
    assert agents["rung"].sum() == len(rings)
    assert agents["answered"].sum() == (rings["result"] == "answered").sum()


def test_every_formula_comes_from_the_registry(report: Report) -> None:
    for section, id in zip(report.sections, ("asa", "sl_f3", "wait_bin", "patience", "picked_up_rate"), strict=True):
        assert METRICS[id].formula in section.formula
    for variant in SERVICE_LEVELS:
        assert METRICS[variant].formula in report.sections[1].formula
    assert f"Headline: {METRICS['sl_f1'].name}." in report.sections[1].formula


def test_queues_carry_their_names(report: Report) -> None:
    assert all(" " in queue for queue in report.sections[0].table["queue"])
    assert list(report.sections[0].figure.data[0].y) == report.sections[0].table["queue"].to_list()


def test_two_pbxs_are_told_apart_once(tmp_path: Path) -> None:
    told = stories(date(2026, 3, 10), date(2026, 3, 10))
    store_of(told, tmp_path)
    both = run_report("queues", store_of(told, tmp_path, pbx="north"), "2026-03-10")
    labels = both.sections[0].figure.data[0].y
    assert len(set(labels)) == len(labels) == 4
    assert all(label.count("clinic") + label.count("north") == 1 and "@" not in label for label in labels)
    assert both.sections[1].table["queue"].is_unique


def test_the_promise_of_the_settings_is_the_headline(
    store: Store, waits: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UCM_SERVICE_LEVEL", "sl_f3")
    monkeypatch.setenv("UCM_TARGET_S", "8")
    answered, left = waits[waits["result"] == "answered"], waits[waits["result"] == "hung_up"]
    level = share((answered["wait_s"] <= 8).sum() / (len(answered) + len(left)))
    queues, staffing = run_report("queues", store, WEEK), run_report("staffing", store, WEEK)
    assert f"the service level is {level} (formula 3: of answered and left)." in queues.sections[0].sentence
    assert f"within 8 s is {level} by" in queues.sections[1].sentence
    assert METRICS["sl_f3"].name in queues.sections[1].formula.splitlines()[0]
    assert "were answered within 8 s" in staffing.sections[1].sentence
