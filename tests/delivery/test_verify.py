"""Months later: do the reports still hold, and if not, why?"""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest

from ucm_analytics.delivery.manifest import NAME, read_manifest
from ucm_analytics.delivery.periodic import periodic
from ucm_analytics.delivery.verify import ChangedDay, verify
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.period import Period
from ucm_analytics.store import Store

from .changes import DEMO, late_call, unsettled

WEEK = Period.of("2026-W11")
FEW = ("extensions", "call-volume")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    shutil.copytree(DEMO, root / "store")
    done = periodic(Store(root / "store"), "weekly", period=WEEK, folder=root, reports=FEW, formats=["csv"])
    assert done.folder is not None
    return done.folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A folder with reports on a week, which the test may change."""
    return Path(shutil.copytree(made, tmp_path / "out" / made.name))


def on(day: str) -> dict[str, str]:
    """The late call on another day."""
    epoch = int(datetime.fromisoformat(f"{day}T08:00:00+00:00").timestamp())
    times = {"start": f"{day} 09:00:00", "answer": f"{day} 09:00:05", "end": f"{day} 09:01:05"}
    return {**times, "session": f"{epoch}123456-1001", "uniqueid": f"{epoch}.1"}


def rewrite(folder: Path, **changes: object) -> None:
    manifest = msgspec.structs.replace(read_manifest(folder), **changes)
    (folder / NAME).write_bytes(manifest.encode())


def test_nothing_has_changed(store: Store, folder: Path) -> None:
    (folder / "mailed.json").write_text("{}")
    verdict = verify(folder, Store(store.path))
    assert (verdict.state, verdict.holds, verdict.lines) == ("unchanged", True, ["2026-W11: unchanged"])


def test_a_rebuilt_store_holds_the_same_data(store: Store, folder: Path) -> None:
    store.rebuild()
    assert verify(folder, store).holds


def test_a_call_that_came_later_is_named_by_its_day(store: Store, folder: Path) -> None:
    before = store.coverage("2026-03-11")["legs"].item()
    late_call(store)
    verdict = verify(folder, store)
    assert (verdict.state, verdict.holds) == ("data changed", False)
    assert [(each.pbx, each.day, each.legs_before) for each in verdict.changed] == [
        ("clinic", date(2026, 3, 11), before)
    ]
    assert verdict.lines[1].startswith("2026-03-11 of clinic: ")


def test_a_leg_that_came_with_other_values(store: Store, folder: Path, tmp_path: Path) -> None:
    late_call(store)
    made = periodic(store, "weekly", period=WEEK, folder=tmp_path / "again", reports=FEW, formats=["csv"])
    assert made.folder is not None
    assert verify(made.folder, store).holds
    late_call(store, billsec="59")
    verdict = verify(made.folder, store)
    assert [each.day for each in verdict.changed] == [date(2026, 3, 11)]
    assert verdict.lines[1].endswith(" legs as before, with other values")


def test_a_day_that_was_forgotten(store: Store, folder: Path) -> None:
    legs = int(store.coverage("2026-03-12")["legs"].item())
    unsettled(store, date(2026, 3, 12), missing=True)
    assert verify(folder, store).changed == (ChangedDay("clinic", date(2026, 3, 12), legs, 0),)


def test_a_day_that_settles_with_the_same_legs_changes_nothing(store: Store, folder: Path) -> None:
    unsettled(store, date(2026, 3, 11))
    assert verify(folder, store).holds


def test_the_days_that_the_summary_compares_with_count_too(store: Store, folder: Path) -> None:
    late_call(store, **on("2026-03-04"))
    assert [each.day for each in verify(folder, store).changed] == [date(2026, 3, 4)]


def test_later_days_do_not_matter(store: Store, folder: Path) -> None:
    late_call(store, **on("2026-03-20"))
    assert verify(folder, store).lines == ["2026-W11: unchanged"]


def test_days_long_before_change_forecasts_only(store: Store, folder: Path) -> None:
    late_call(store, **on("2026-02-10"))
    verdict = verify(folder, store)
    assert (verdict.state, verdict.holds, verdict.changed) == ("history changed", False, ())
    assert verdict.lines == [
        "2026-W11: history changed",
        "days of clinic long before are others now: forecasts and the like change",
    ]


def test_a_file_that_was_edited_or_is_gone(store: Store, folder: Path) -> None:
    table = folder / "extensions-extensions.csv"
    table.write_bytes(table.read_bytes().replace(b"1001", b"1009", 1))
    (folder / "call-volume-busy-hour.csv").unlink()
    verdict = verify(folder, store)
    assert verdict.state == "file edited"
    assert (verdict.edited, verdict.gone) == (("extensions-extensions.csv",), ("call-volume-busy-hour.csv",))
    assert verdict.lines == [
        "2026-W11: file edited",
        "extensions-extensions.csv is not as it was written",
        "call-volume-busy-hour.csv is not there",
    ]


def test_another_version_made_it(store: Store, folder: Path) -> None:
    rewrite(folder, version="0.0.9")
    verdict = verify(folder, store)
    assert (verdict.state, verdict.holds) == ("other version", False)
    assert verdict.lines[1].startswith("made by ucm-analytics 0.0.9; this is ")


def test_another_version_of_the_tables(store: Store, folder: Path) -> None:
    known = read_manifest(folder)
    rewrite(folder, schema=0, days=[msgspec.structs.replace(each, content="other columns") for each in known.days])
    verdict = verify(folder, store)
    assert (verdict.state, verdict.changed) == ("other version", ())
    rewrite(folder, days=[msgspec.structs.replace(each, sha256="other answer") for each in known.days])
    assert verify(folder, store).state == "data changed"


def test_other_names_leave_the_numbers_as_they_are(store: Store, folder: Path) -> None:
    rows = store.directory(pbx="clinic")[["kind", "number", "key", "target", "target_kind", "name"]].astype(str)
    rows.loc[rows["kind"] == "extension", "name"] = "Somebody Else"
    store.save_directory("clinic", rows.to_dict("records"))
    verdict = verify(folder, store)
    assert verdict.holds
    assert verdict.renamed == ("clinic",)


def test_a_provisional_report_says_so(store: Store, tmp_path: Path) -> None:
    unsettled(store, date(2026, 3, 11))
    made = periodic(store, "weekly", period=WEEK, folder=tmp_path, reports=FEW, formats=["csv"], provisional_ok=True)
    assert made.folder is not None
    assert verify(made.folder, store).lines[-1] == "the reports were provisional when they were made"


def test_what_cannot_be_verified(store: Store, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"holds no manifest\.json"):
        verify(tmp_path, store)
    with pytest.raises(NoData):
        verify(folder, Store(tmp_path / "nothing"))
    (folder / NAME).write_text('{"kind": 1}')
    with pytest.raises(SettingError, match="cannot read"):
        verify(folder, store)
