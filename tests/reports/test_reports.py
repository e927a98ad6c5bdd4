"""The reports on real stores: their numbers counted a second way, and nothing, and one call."""

from __future__ import annotations

import re
from calendar import day_name
from collections import Counter
from datetime import date
from pathlib import Path
from statistics import median

import pandas as pd
import pytest
from playwright.sync_api import Browser

from ucm_analytics import reports
from ucm_analytics.documents.formats import seconds, share
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.metrics import METRICS
from ucm_analytics.reports import FIRST, Report, names, run_all, run_report
from ucm_analytics.store import Store

from .by_hand import HOSTILE, Page
from .clinic import SITE, store_of, stories
from .test_browser import look

EVERY = names()
WEEK = "2026-W11"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_of(stories(date(2026, 3, 9), date(2026, 3, 15)), tmp_path_factory.mktemp("week"))


@pytest.fixture(scope="module")
def week(store: Store) -> dict[str, Report]:
    return {report.name: report for report in run_all(store, WEEK)}


@pytest.fixture(scope="module")
def never(store: Store) -> dict[str, Report]:
    return {report.name: report for report in run_all(store, "2025-07")}


@pytest.fixture(scope="module")
def month(store: Store) -> dict[str, Report]:
    return {report.name: report for report in run_all(store, "2026-03")}


def headings(report: Report) -> list[str]:
    """Headings of the second level of a page."""
    return [section.title for section in report.sections] + [chapter.title for chapter in report.chapters]


@pytest.fixture(scope="module")
def calls(store: Store) -> pd.DataFrame:
    frame = store.calls(WEEK)
    return frame[~frame["is_forward"]]


def test_the_reports_are_the_files_of_the_folder() -> None:
    assert {"call-volume", "durations", "extensions", "ivr-paths", "missed-calls"} <= set(EVERY)
    files = Path(reports.__file__).parent.glob("[!_]*.py")
    others = sorted(name for file in files if (name := file.stem.replace("_", "-")) not in FIRST)
    assert [*FIRST, *others] == EVERY


@pytest.mark.parametrize("name", EVERY)
def test_every_section_is_complete(week: dict[str, Report], name: str) -> None:
    report = week[name]
    assert report.title
    assert report.question.endswith("?")
    slugs = [section.slug for section in report.sections]
    assert len(set(slugs)) == len(slugs)
    for section in report.sections:
        assert section.sentence.endswith(".")
        assert {column.name for column in section.columns} <= set(section.table.columns)
        assert section.figure.data, section.title
        assert len(section.table), section.title
        assert len(section.reading) > 60
    page = Page.of(report.to_html())
    assert page.text("h2") == headings(report)
    assert len(page.all("table")) == sum(len(part.sections) for part in report.parts)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")} <= set(ids)


@pytest.mark.parametrize("name", EVERY)
def test_every_formula_is_the_registry_s(week: dict[str, Report], never: dict[str, Report], name: str) -> None:
    known = {metric.formula for metric in METRICS.values()}
    for section in [*week[name].sections, *never[name].sections]:
        lines = section.formula.splitlines()
        assert known & set(lines), section.title
        for note in set(lines) - known:
            assert "=" not in note, f"{section.title}: a formula belongs into the registry"
            assert "[" not in note, f"{section.title}: a formula belongs into the registry"


def test_call_volume_counted_by_hand(week: dict[str, Report], calls: pd.DataFrame) -> None:
    inbound = calls[calls["direction"] == "inbound"]
    answered = int((inbound["outcome"] == "answered").sum())
    starts = sorted(zip(calls["started_at"], calls["local_at"], strict=True))
    peak, peak_at = max(
        ((sum(at <= other < at + pd.Timedelta(hours=1) for other, _ in starts), local) for at, local in starts),
        key=lambda found: (found[0], -found[1].value),
    )
    assert week["call-volume"].headline == (
        f"Week 11 of 2026 (9 to 15 March): {len(calls)} calls, {len(inbound)} of them from outside; "
        f"{share(answered / len(inbound))} of the calls from outside reached a person; "
        f"the busiest 60 minutes began on {peak_at:%a %Y-%m-%d} at {peak_at:%H:%M}, with {peak} calls."
    )
    by_day = week["call-volume"].sections[0].table.set_index("local_at")
    for day, found in calls.groupby(calls["local_at"].dt.normalize()):
        outcomes = Counter(found["outcome"])
        assert by_day.loc[day, "calls"] == len(found)
        for outcome, count in outcomes.items():
            assert by_day.loc[day, outcome] == count
    assert by_day.index.tolist() == list(pd.date_range("2026-03-09", "2026-03-15"))

    by_direction = week["call-volume"].sections[1].table
    assert by_direction["calls"].sum() == len(calls)
    assert by_direction["inbound"].sum() == len(inbound)

    hours = calls.groupby([calls["local_at"].dt.day_of_week, calls["local_at"].dt.hour]).size()
    heat = week["call-volume"].sections[2].table.set_index("hour")
    for (weekday, hour), count in hours.items():
        assert heat.loc[hour, day_name[weekday].lower()] == count


def test_durations_counted_by_hand(week: dict[str, Report], calls: pd.DataFrame) -> None:
    talks = calls.loc[calls["outcome"] == "answered", "talk_s"].tolist()
    headline = week["durations"].headline
    assert f"half of {len(talks)} conversations lasted {seconds(median(talks))} or less" in headline
    assert f"all together {seconds(sum(talks))}, each call counted once." in headline
    spread = week["durations"].sections[2].table
    assert spread["calls"].sum() == len(talks)
    assert spread.loc[2, "calls"] == sum(60 <= talk < 90 for talk in talks)


def test_extensions_counted_by_hand(week: dict[str, Report], store: Store) -> None:
    rings = store.rings(WEEK)
    picked = Counter(rings.loc[rings["result"] == "answered", "extension"])
    table = week["extensions"].sections[0].table
    assert table["answered"].sum() == sum(picked.values())
    number, most = max(picked.items(), key=lambda item: (item[1], item[0]))
    named = {e.number: e.name for e in SITE.extensions} | dict(
        zip((e.number for e in SITE.extensions), HOSTILE, strict=False)
    )
    assert most in table.loc[table["extension"] == f"{number} {named[number]}", "answered"].tolist()
    assert f"picked up most, {most};" in week["extensions"].headline


def test_ivr_paths_counted_by_hand(week: dict[str, Report], store: Store, calls: pd.DataFrame) -> None:
    through = calls[calls["path"].str.contains("ivr:")]
    table = week["ivr-paths"].sections[0].table
    assert table["calls"].sum() == len(through)
    assert f"{len(through)} calls went through a menu in {through['path'].nunique()} different ways" in (
        week["ivr-paths"].headline
    )
    steps = store.steps(WEEK)
    menus = steps[steps["kind"] == "ivr"]
    left = week["ivr-paths"].sections[2].table
    assert left["passes"].sum() == len(menus)
    assert left["hung_up"].sum() == (menus["result"] == "hung_up").sum()
    assert left["timed_out"].sum() == (menus["result"] == "timed_out").sum()
    assert all(menu.startswith(("7000 <b>Main</b> &", "7001 <b>Main</b> &")) for menu in left["menu"])


def test_imported_days_are_provisional_and_said_at_the_top(week: dict[str, Report], store: Store) -> None:
    report = week["call-volume"]
    assert not report.days.complete
    legs = len(store.legs(WEEK))
    assert report.coverage.startswith(
        f"0 of 7 days settled; 7 provisional, may still change (2026-03-09 to 2026-03-15). "
        f"Made from {legs:,} CDR rows of PBX clinic, pulled "
    )
    notes = [p["class"] for p in Page.of(report.to_html()).all("p") if p.get("role") == "note"]
    assert notes == ["coverage open"]


@pytest.mark.parametrize("name", EVERY)
def test_days_outside_the_store_are_no_days_without_calls(
    month: dict[str, Report], week: dict[str, Report], name: str
) -> None:
    assert month[name].headline.startswith("March 2026 (7 of 31 days pulled): ")
    for wide, narrow in zip(month[name].sections, week[name].sections, strict=True):
        pd.testing.assert_frame_equal(wide.table, narrow.table)


@pytest.mark.parametrize("name", EVERY)
def test_days_that_were_never_pulled(never: dict[str, Report], tmp_path: Path, name: str) -> None:
    report = never[name]
    assert report.findings[0] == ("July 2025: these days were never pulled from a PBX, so there is nothing to report.")
    assert all(re.search(r"\b[Nn]o ", section.sentence) for section in report.sections)
    assert Page.of(report.to_html()).text("h2") == headings(report)
    report.to_csv(tmp_path)
    report.to_excel(tmp_path / "report.xlsx")


def test_a_report_alone_is_that_among_all(store: Store, week: dict[str, Report]) -> None:
    alone = run_report("durations", store, WEEK)
    assert alone.to_html() == week["durations"].to_html()


def test_one_call(tmp_path: Path) -> None:
    story = next(
        story
        for story in stories(date(2026, 3, 10), date(2026, 3, 10))
        if story.truth.flow
        and story.truth.path.count(">") == 0
        and story.truth.path.startswith("queue:6500")
        and story.truth.outcome == "answered"
    )
    store = store_of([story], tmp_path / "store")
    found = {report.name: report for report in run_all(store, "2026-03-10")}
    at = story.call.start
    assert found["call-volume"].headline == (
        "Tuesday 10 March 2026: 1 call, all from outside; 100 % of the calls from outside reached a person; "
        f"the busiest 60 minutes began on Tue 2026-03-10 at {at:%H:%M}, with 1 call."
    )
    assert found["ivr-paths"].headline == "Tuesday 10 March 2026: no calls went through a menu."
    assert f"half of 1 conversation lasted {seconds(story.truth.talk_s)} or less" in found["durations"].headline
    for report in found.values():
        assert Page.of(report.to_html()).text("h2") == headings(report)


def test_a_store_or_pbx_that_is_not_there(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NoData, match="holds no calls"):
        run_report("call-volume", Store(tmp_path / "none"), WEEK)
    with pytest.raises(NoData, match="holds no PBX 'north'"):
        run_report("call-volume", store, WEEK, pbx="north")
    with pytest.raises(SettingError, match="no report is called 'volume'") as caught:
        run_report("volume", store, WEEK)
    assert caught.value.hint == f"choose one of {', '.join(EVERY)}"
    with pytest.raises(SettingError, match="'March' is no period"):
        run_report("durations", store, "March")


def test_two_pbxs_are_told_apart(tmp_path: Path) -> None:
    told = stories(date(2026, 3, 10), date(2026, 3, 10))
    store_of(told, tmp_path)
    store = store_of(told, tmp_path, pbx="north")
    both, one = (
        run_report("extensions", store, "2026-03-10"),
        run_report("extensions", store, "2026-03-10", pbx="north"),
    )
    assert len(both.sections[0].table) == 2 * len(one.sections[0].table)
    assert both.sections[0].table["extension"].is_unique
    assert both.sections[0].table["extension"].iloc[0].endswith("(clinic)")
    assert "of PBXs clinic, north, pulled" in both.coverage
    assert "of PBX north, pulled" in one.coverage


def test_every_report_in_a_browser(week: dict[str, Report], browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "summary.html"
    week["summary"].to_html(path)
    charts = sum(len(part.sections) for part in week["summary"].parts)
    phone, screen = look(browser, path, (360, "dark"), (1280, "light"))
    assert (phone.width, screen.width) == (360, 1280)
    for seen in (phone, screen):
        assert seen.complaints == []
        assert seen.requests == [path.as_uri()]
        assert seen.charts == charts
        assert HOSTILE[0] in seen.texts
        assert HOSTILE[1] in seen.texts
        assert "<b>Main</b> & <a href='https://example.org'>x</a>" in seen.texts.replace("\u00a0", " ")
