"""Periodic reports: which days, when they are refused, and that they come out the same."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ucm_analytics.delivery.folder import LOCK
from ucm_analytics.delivery.manifest import NAME, read_manifest
from ucm_analytics.delivery.message import compose
from ucm_analytics.delivery.periodic import Kind, label_of, last_period, periodic
from ucm_analytics.documents.files import FORMATS
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.period import Period
from ucm_analytics.store import Store

from .changes import unsettled

FEW = ("call-volume", "extensions")
WEEK = Period.of("2026-W11")


@pytest.mark.parametrize(
    ("kind", "today", "which", "first", "last"),
    [
        ("daily", "2026-03-01", "last", "2026-02-28", "2026-02-28"),
        ("daily", "2026-03-01", "2026-01-31", "2026-01-31", "2026-01-31"),
        ("weekly", "2026-03-15", "last", "2026-03-02", "2026-03-08"),  # a Sunday: its own week has not ended
        ("weekly", "2026-03-16", "last", "2026-03-09", "2026-03-15"),
        ("weekly", "2026-01-02", "last", "2025-12-22", "2025-12-28"),
        ("weekly", "2026-03-16", "2026-W01", "2025-12-29", "2026-01-04"),
        ("monthly", "2026-01-01", "last", "2025-12-01", "2025-12-31"),
        ("monthly", "2024-03-31", "last", "2024-02-01", "2024-02-29"),
        ("monthly", "2026-03-16", "2026-02", "2026-02-01", "2026-02-28"),
    ],
)
def test_words_are_periods(kind: Kind, today: str, which: str, first: str, last: str) -> None:
    period = last_period(kind, date.fromisoformat(today), which)
    assert period == Period.of(first, last)


@pytest.mark.parametrize(
    ("kind", "which"),
    [
        ("weekly", "2026-03"),
        ("daily", "2026-W11"),
        ("monthly", "2026-W11"),
        ("weekly", "2026-03-09"),
        ("yearly", "last"),
    ],
)
def test_words_that_mean_another_period(kind: Kind, which: str) -> None:
    with pytest.raises(SettingError) as caught:
        last_period(kind, date(2026, 3, 16), which)
    assert caught.value.hint


def test_names_of_periods() -> None:
    assert label_of("weekly", Period.of("2025-12-29", "2026-01-04")) == "2026-W01"
    assert label_of("daily", Period.of("2026-03-31")) == "2026-03-31"
    with pytest.raises(SettingError, match="is no period of a weekly report"):
        label_of("weekly", Period.of("2026-03-10", "2026-03-16"))


def test_a_settled_week_is_final(store: Store, tmp_path: Path) -> None:
    done = periodic(store, "weekly", period=WEEK, folder=tmp_path / "out", reports=FEW)
    assert (done.state, done.label, done.folder) == ("final", "2026-W11", tmp_path / "out" / "2026-W11")
    assert [report.name for report in done.reports] == list(FEW)
    assert done.files[0].name == "index.html"
    assert all(file.is_file() for file in done.files)
    assert {file.name for file in (tmp_path / "out" / "2026-W11").iterdir()} == {file.name for file in done.files}
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"2026-W11", LOCK}
    assert done.line.startswith("weekly report on Week 11 of 2026 (9 to 15 March): All 7 days are settled.")
    assert "PROVISIONAL" not in done.files[0].read_text()


def test_the_manifest_names_the_data(store: Store, tmp_path: Path) -> None:
    done = periodic(store, "weekly", period=WEEK, folder=tmp_path, reports=FEW)
    assert done.folder is not None
    manifest = read_manifest(done.folder)
    known = store.coverage("2026-03-02", "2026-03-15")
    assert [each.day for each in manifest.days] == [day.date() for day in known["day"]]
    assert [each.legs for each in manifest.days] == known["legs"].tolist()
    assert [each.sha256 for each in manifest.days] == known["sha256"].tolist()
    assert [each.pulled_at for each in manifest.days] == known["pulled_at"].tolist()
    assert {each.state for each in manifest.days} == {"settled"}
    assert len({each.content for each in manifest.days}) == 14
    assert manifest.files == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in done.files if file.name != NAME
    }


@pytest.mark.parametrize("change", ["provisional", "missing"])
def test_an_unsettled_week_is_refused_or_marked_everywhere(store: Store, tmp_path: Path, change: str) -> None:
    unsettled(store, date(2026, 3, 11), missing=change == "missing")
    done = periodic(store, "weekly", period=WEEK, folder=tmp_path / "out", reports=FEW)
    assert (done.state, done.folder, done.files) == ("incomplete", None, ())
    assert done.line.startswith("no weekly report on Week 11 of 2026 (9 to 15 March) yet: 6 of 7 days settled; ")
    assert change in done.line
    assert not (tmp_path / "out").exists()

    marked = periodic(
        store, "weekly", period=WEEK, folder=tmp_path / "out", reports=FEW, formats=["html", "csv"], provisional_ok=True
    )
    assert marked.folder == tmp_path / "out" / "2026-W11-provisional"
    assert read_manifest(marked.folder).state == marked.state == "provisional"
    assert marked.line.startswith("PROVISIONAL weekly report")
    for report in marked.reports:
        assert report.title.startswith("PROVISIONAL: ")
        assert all(section.title.startswith("PROVISIONAL: ") for section in report.sections)
        assert all(section.figure.layout.title.text.startswith("PROVISIONAL: ") for section in report.sections)
    for file in marked.files:
        if file.suffix == ".html":
            assert "PROVISIONAL: " in file.read_text()
        if file.suffix == ".csv":
            assert "-provisional-" in file.name


def test_days_that_were_never_pulled_make_no_report(store: Store, tmp_path: Path) -> None:
    for ok in (False, True):
        week = Period.of("2026-W20")
        done = periodic(store, "weekly", period=week, folder=tmp_path / "out", provisional_ok=ok)
        assert done.state == "incomplete"
        assert "ucm-analytics sync" in done.line
    assert not (tmp_path / "out").exists()


def test_last_is_by_the_clock_of_the_pbx(store: Store, tmp_path: Path) -> None:
    labels = []
    for zone in ("Etc/GMT+12", "Pacific/Kiritimati"):  # 26 hours apart: never the same day
        store.rebuild(zone=ZoneInfo(zone))
        labels.append(periodic(store, "daily", folder=tmp_path, pbx="clinic").label)
    assert labels[0] < labels[1]
    assert periodic(store, "monthly", period="2026-05", folder=tmp_path).label == "2026-05"


def test_a_pbx_that_is_not_stored_is_no_period_without_days(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NoData, match="holds no PBX 'north'"):
        periodic(store, "weekly", period=WEEK, folder=tmp_path, pbx="north")


def test_the_folder_is_replaced_as_a_whole(store: Store, tmp_path: Path) -> None:
    periodic(store, "weekly", period=WEEK, folder=tmp_path, reports=FEW)
    (tmp_path / "2026-W11" / "mailed.json").write_text("{}")
    done = periodic(store, "weekly", period=WEEK, folder=tmp_path, reports=FEW[:1], formats=["html"])
    names = {file.name for file in (tmp_path / "2026-W11").iterdir()}
    assert names == {"index.html", "call-volume.html", "manifest.json", "mailed.json"}
    assert len(done.files) == 3


def test_a_report_that_fails_leaves_what_was_there(store: Store, tmp_path: Path) -> None:
    periodic(store, "weekly", period=WEEK, folder=tmp_path / "out", reports=FEW)
    before = {file.name: file.read_bytes() for file in (tmp_path / "out" / "2026-W11").iterdir()}
    with pytest.raises(SettingError, match="no report format is called"):
        periodic(store, "weekly", period=WEEK, folder=tmp_path / "out", reports=FEW, formats=["doc"])  # type: ignore[list-item]
    assert {file.name: file.read_bytes() for file in (tmp_path / "out" / "2026-W11").iterdir()} == before
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"2026-W11", LOCK}


def test_one_pbx_has_a_folder_of_its_own(store: Store, tmp_path: Path) -> None:
    done = periodic(store, "daily", period=Period.of("2026-03-11"), folder=tmp_path, reports=FEW[:1], pbx="clinic")
    assert done.folder == tmp_path / "2026-03-11-clinic"


MAKE = """
import sys
import zipfile
from ucm_analytics.delivery.message import compose
from ucm_analytics.delivery.periodic import periodic
from ucm_analytics.period import Period
from ucm_analytics.store import Store
store, folder, *formats = sys.argv[1:]
drawn = {"png", "svg", "pdf"}
texts = [each for each in formats if each not in drawn]
pictures = [each for each in formats if each in drawn]
made = periodic(Store(store), "weekly", period=Period.of("2026-W11"), folder=folder, formats=texts)
assert made.state == "final"
made = periodic(Store(store), "daily", period=Period.of("2026-03-11"), folder=folder, formats=pictures,
                reports=["call-volume"])
assert made.state == "final"
"""


@pytest.mark.usefixtures("chromium")
def test_the_same_data_give_the_same_bytes_in_another_process(store: Store, tmp_path: Path) -> None:
    running = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        command = [sys.executable, "-c", MAKE, str(store.path), str(tmp_path / seed), *FORMATS]
        running.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
    try:
        complaints = [process.communicate(timeout=280)[1] for process in running]
    finally:
        for process in running:
            process.kill()
            process.communicate()
    assert [process.returncode for process in running] == [0, 0], complaints
    made = [
        {
            str(file.relative_to(tmp_path / seed)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted((tmp_path / seed).rglob("*.*"))
            if file.is_file()
        }
        for seed in ("1", "2")
    ]
    assert {Path(name).suffix for name in made[0] if Path(name).name != ".lock"} == {
        ".json",
        *(f".{each}" for each in FORMATS),
    }
    assert [name for name in made[0] if made[0][name] != made[1].get(name)] == []
    assert made[0].keys() == made[1].keys()
    assert max((tmp_path / "1" / name).stat().st_size for name in made[0]) < 6_000_000


def test_the_locale_of_the_settings_reaches_every_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text('locale = "de_DE"\n')
    monkeypatch.setenv("UCM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("UCM_LOCALE", raising=False)
    shape = {"period": Period.of("2026-W11"), "reports": ["call-volume"], "formats": ["html", "xlsx"]}
    done = periodic(store, "weekly", folder=tmp_path / "out", **shape)  # type: ignore[arg-type]
    (report,) = done.reports
    assert report.locale == "de_DE"
    assert "Mon 9.3.2026" in report.headline
    page = (done.folder / "call-volume.html").read_text()  # type: ignore[operator]
    assert "1.955 CDR rows" in page
    assert "Mon 9.3.2026" in page
    with zipfile.ZipFile(done.folder / "call-volume.xlsx") as book:  # type: ignore[operator]
        assert "Mon 9.3.2026" in book.read("xl/sharedStrings.xml").decode()
    message, _ = compose(done, sender="a@example.org", to=["b@example.org"], now=datetime(2026, 4, 2, tzinfo=UTC))
    assert "Mon 9.3.2026" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Mon 2026-03-09" in periodic(store, "weekly", folder=tmp_path / "en", locale="", **shape).reports[0].headline  # type: ignore[arg-type]
