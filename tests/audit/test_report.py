"""The report and its charts say what the audit found."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ucm_analytics import analyses, charts
from ucm_analytics.charts import quality as drawing
from ucm_analytics.quality import SEVERITIES, audit, reconcile
from ucm_analytics.reports import Report, run_report
from ucm_analytics.store import Store

from .records import leg, sound, store_of

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("demo") / "store"
    shutil.copytree(REPO / "data/demo", folder)
    return Store(folder)


@pytest.fixture(scope="module")
def report(demo: Store) -> Report:
    return run_report("data-quality", demo, "2026-03-02", "2026-03-29")


def test_the_first_sentence_says_whether_the_numbers_can_be_trusted(report: Report, tmp_path: Path) -> None:
    assert report.headline.startswith("2 to 29 March 2026: the numbers can be trusted: ")
    assert report.findings[1] == (
        "8,024 records are 2,535 different calls, for which phones rang 3,726 times; 929 numbers called from outside. "
        "Where the PBX counts 3,676 rows as ANSWERED, a person answered 1,700 calls. Nothing is left unexplained."
    )
    assert report.findings[2] == "28 days: 28 settled."

    gap = store_of([each for each in sound() if each["start"][:10] != "2026-02-10"], tmp_path)
    found = run_report("data-quality", gap, "2026-02")
    assert "the numbers cannot be trusted yet: days that were never pulled (1) (" in found.headline
    assert found.findings[2] == "27 days: 26 may still change, 1 never pulled."
    assert "2026-02-10" in found.to_html()


def test_the_numbers_are_those_of_the_store(report: Report, demo: Store) -> None:
    calls, rings = demo.calls(), demo.rings()
    own = calls[~calls["is_forward"]]
    assert (len(own), len(rings), (own["outcome"] == "answered").sum()) == (2535, 3726, 1700)
    assert (demo.legs(columns=["disposition"])["disposition"] == "ANSWERED").sum() == 3676
    findings, records, days = report.sections
    pd.testing.assert_frame_equal(findings.table, audit(demo).frame)
    assert records.table["count"].sum() == reconcile(demo)["count"].sum()
    assert days.table["legs"].sum() == len(demo.legs(columns=["pbx"]))


def test_the_waterfalls_draw_every_line(demo: Store) -> None:
    table = reconcile(demo)
    figure = charts.reconciliation(table)
    shown = table[(table["count"] != 0) | table["part"].isin(["start", "total"])]
    assert len(figure.data) == table["grain"].nunique() == 6
    for trace, (_, rows) in zip(figure.data, shown.groupby("grain", sort=False, observed=True), strict=True):
        drawn = dict(zip(trace.measure, np.asarray(trace.x).tolist(), strict=True))
        assert drawn["absolute"] == rows["count"].iloc[0]
        assert drawn["total"] == rows["count"].iloc[-1]
        steps = [x for x, measure in zip(trace.x, trace.measure, strict=True) if measure == "relative"]
        assert drawn["absolute"] + sum(steps) == drawn["total"]
    assert figure.layout.annotations[0].text == "from records to calls"


def test_the_calendar_draws_every_day_in_its_state(tmp_path: Path) -> None:
    store = store_of([*sound(date(2025, 12, 20), date(2026, 1, 10)), leg("2026-01-14 09:00")], tmp_path)
    calendar = analyses.coverage_calendar(store.coverage())
    assert calendar["state"].astype(str).value_counts().to_dict() == {"provisional": 23, "missing": 3}
    figure = charts.coverage_calendar(calendar)
    by_name = dict.fromkeys(("provisional: may still change", "missing"), 0)
    for trace in figure.data:
        by_name[trace.name] += len(trace.x)
        for x, y, (said, _) in zip(trace.x, trace.y, trace.customdata, strict=True):
            day = pd.Timestamp(x) + pd.Timedelta(days=int(y))
            assert said == f"{day:%a %Y-%m-%d}"
    assert by_name == {"provisional: may still change": 23, "missing": 3}
    assert sorted(trace.name for trace in figure.data if trace.showlegend) == sorted(by_name)
    assert figure.layout.yaxis.ticktext[0] == "Mon"


def test_affected_reports_counts_each_finding_for_each_report() -> None:
    found = pd.DataFrame(
        {
            "severity": ["error", "note", "note", "warning"],
            "touches": ["durations, extensions", "durations", "", "durations"],
        }
    )
    result = analyses.affected_reports(found)
    assert result.to_dict("list") == {
        "report": ["durations", "durations", "durations", "extensions"],
        "severity": ["error", "note", "warning", "error"],
        "findings": [1, 1, 1, 1],
    }
    figure = charts.affected_reports(result)
    assert [trace.name for trace in figure.data] == ["error", "warning", "note"]
    assert sum(np.asarray(trace.x).sum() for trace in figure.data) == 4


def test_a_day_has_the_worst_state_of_its_pbxs() -> None:
    days = pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]).as_unit("us")
    coverage = pd.DataFrame(
        {
            "pbx": ["a"] * 4 + ["b"] * 4,
            "day": [*days, *days],
            "state": ["settled"] * 4 + ["settled", "provisional", "missing", "settled"],
            "legs": pd.array([5, 5, 5, 0, 2, 2, None, 0], "Int64"),
        }
    )
    result = analyses.coverage_calendar(coverage)
    assert result["state"].tolist() == ["settled", "provisional", "missing", "empty"]
    assert result["legs"].tolist() == [7, 7, 5, 0]


def test_colours_cover_the_vocabulary_and_differ() -> None:
    assert set(drawing.SEVERITY_COLORS) == set(SEVERITIES)
    assert len(set(drawing.SEVERITY_COLORS.values())) == 3
    assert len(set(drawing.STATE_COLORS.values())) == 4


def test_every_line_of_the_reconciliation_has_words(demo: Store) -> None:
    table = reconcile(demo)
    assert (table["meaning"].str.len() > 10).all()
    assert set(table["grain"].astype(str)) == set(drawing._TITLES)
