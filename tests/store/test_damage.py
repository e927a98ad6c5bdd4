"""Files that are damaged, old or newer, folders that cannot be written, disks that are full."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.store.kills import cramped_sync, start
from tests.store.pretend import Pbx, call, contents, daily, states
from ucm_analytics.errors import DamagedFile, StoreError
from ucm_analytics.schema import TABLES, VERSION
from ucm_analytics.store import Store
from ucm_analytics.store.files import Footer, read_footer, read_table, write_table
from ucm_analytics.store.months import Months

NOW = "2026-03-20 12:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two months, copied by each test that harms it."""
    store = Store(tmp_path_factory.mktemp("made") / "store")
    with Pbx(daily(date(2026, 2, 27), date(2026, 3, 2)), NOW) as pbx:
        pbx.sync(store, since="2026-02-27", until="2026-03-02")
    return store.path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copytree(made, tmp_path / "store"))


def file(store: Store, table: str, month: str = "2026-03") -> Path:
    return Months(store.path, "clinic").path(table, month)


@pytest.mark.parametrize("harm", [b"", b"PAR1 and then nothing", None], ids=["empty", "broken", "foreign"])
def test_damaged_legs_are_named_and_nothing_is_written_over_them(store: Store, harm: bytes | None) -> None:
    if harm is None:
        pq.write_table(pa.table({"a": [1]}), file(store, "legs"))
    else:
        file(store, "legs").write_bytes(harm)
    before = file(store, "legs").read_bytes()
    with Pbx(daily(date(2026, 2, 27), date(2026, 3, 2)), NOW) as pbx:
        for reading in (store.calls, store.coverage, lambda: store.scan("legs", "2026-03"), lambda: pbx.sync(store)):
            with pytest.raises(
                DamagedFile, match=r"2026-03/part\.parquet cannot be read: move it away and .* 2026-03-01"
            ):
                reading()
        assert file(store, "legs").read_bytes() == before
        assert len(store.calls("2026-02-27")) == 2  # other months are not held up

        file(store, "legs").rename(store.path / "damaged.parquet")
        pbx.sync(store, since="2026-03-01", until="2026-03-02")
    assert len(store.calls()) == 8
    assert set(states(store).values()) == {"settled"}


def test_the_hint_for_legs_without_a_time_names_no_such_month(store: Store) -> None:
    file(store, "legs", "undated").parent.mkdir()
    file(store, "legs", "undated").touch()
    with pytest.raises(DamagedFile, match="sync --since DAY"):
        store.legs()


def test_legs_damaged_inside_are_named_when_they_are_read(store: Store) -> None:
    whole = bytearray(file(store, "legs").read_bytes())
    whole[4:4000] = bytes(3996)
    file(store, "legs").write_bytes(whole)
    for reading in (store.legs, store.rebuild):
        with pytest.raises(DamagedFile, match="cannot be read: move it away"):
            reading()


@pytest.mark.parametrize("table", ["steps", "rings", "calls"])
def test_other_tables_are_made_again_from_the_legs(store: Store, table: str) -> None:
    expected = contents(store)
    file(store, table).write_bytes(b"")
    file(store, table, "2026-02").unlink()
    assert len(getattr(store, table)()) == 8
    assert contents(store) == expected


def test_the_file_of_another_table_is_none_of_this_one(store: Store) -> None:
    expected = contents(store)
    shutil.copyfile(file(store, "rings"), file(store, "calls"))
    assert len(store.calls("2026-03")) == 4
    assert contents(store) == expected
    shutil.copyfile(file(store, "calls"), file(store, "legs"))
    with pytest.raises(DamagedFile, match="move it away"):
        store.calls("2026-03")
    directory = store.path / "directory" / "pbx=clinic" / "part.parquet"
    shutil.copyfile(file(store, "rings"), directory)
    with pytest.raises(DamagedFile, match="delete it"):
        store.save_directory("clinic", [])


def test_rebuild_equals_the_first_build(store: Store) -> None:
    expected = contents(store)
    for table in ("steps", "rings", "calls"):
        shutil.rmtree(store.path / table)
    store.rebuild()
    assert contents(store) == expected
    store.rebuild("clinic")
    assert contents(store) == expected


def test_files_of_an_older_version_are_read_anew(store: Store, tmp_path: Path) -> None:
    expected = contents(store)
    footer = read_footer(file(store, "legs"))
    assert footer
    old = Footer(version=VERSION - 1, id=footer.id, zone=footer.zone, days=footer.days)
    legs = read_table(file(store, "legs")).drop_columns(["sn", "new_src"])
    write_table(legs, file(store, "legs"), old, scratch=tmp_path / "part")
    calls = read_table(file(store, "calls")).drop_columns(["exact_pickup"])
    outdated = Footer(version=VERSION - 1, made_from=footer.id)
    write_table(calls, file(store, "calls"), outdated, scratch=tmp_path / "part")
    assert len(store.legs("2026-03")) == 4
    assert contents(store) == expected
    renewed = read_footer(file(store, "legs"))
    assert renewed
    assert renewed.version == VERSION


def test_sync_into_files_of_an_older_version(store: Store, tmp_path: Path) -> None:
    footer = read_footer(file(store, "legs"))
    assert footer
    old = Footer(version=VERSION - 1, id=footer.id, zone=footer.zone, days=footer.days)
    legs = read_table(file(store, "legs")).drop_columns(["sn"])
    write_table(legs, file(store, "legs"), old, scratch=tmp_path / "part")
    with Pbx([call("2026-03-03 09:00")], NOW) as pbx:
        pbx.sync(store, since="2026-03-03", until="2026-03-03")
    assert len(store.calls("2026-03")) == 5
    renewed = read_footer(file(store, "legs"))
    assert renewed
    assert (renewed.version, len(renewed.days)) == (VERSION, 3)


def test_files_of_a_newer_version_are_left_alone(store: Store, tmp_path: Path) -> None:
    legs = read_table(file(store, "legs"))
    write_table(legs, file(store, "legs"), Footer(version=VERSION + 1, id="1"), scratch=tmp_path / "part")
    with pytest.raises(StoreError, match="newer version of this package: upgrade"):
        store.calls("2026-03")
    with Pbx([], NOW) as pbx, pytest.raises(StoreError, match="newer version"):
        pbx.sync(store)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "store")
    with Pbx([], NOW) as pbx, pytest.raises(StoreError, match=r"cannot write .*: move away what lies there"):
        pbx.sync(store)


def test_a_full_disk_leaves_the_store_as_it_was(store: Store) -> None:
    expected = contents(store)
    calls = daily(date(2026, 2, 27), date(2026, 3, 10), hours=range(24))
    with Pbx(calls, NOW) as pbx:
        arguments = (pbx.sim.url, pbx.sim.fingerprint, NOW, "2026-03-03", "2026-03-10")
        limit = file(store, "legs").stat().st_size + 1000
        process = start(cramped_sync, limit, store.path, *arguments)
        process.join(30)
        assert process.exitcode == 3
        assert contents(store) == expected
        assert not list(store.path.rglob("_*"))

        pbx.sync(store, since="2026-03-03", until="2026-03-10")
    assert len(store.calls("2026-03-03", "2026-03-10")) == 8 * 24


@pytest.mark.parametrize("tables", [("legs",), tuple(TABLES)])
def test_a_month_under_the_name_of_another_is_not_read_twice(tables: tuple[str, ...], store: Store) -> None:
    before = len(store.calls("2026-03-02"))
    for table in tables:
        folder = store.path / table / "pbx=clinic"
        shutil.copytree(folder / "month=2026-03", folder / "month=2026-04")
    for read in (store.calls, store.legs, store.coverage, lambda: store.scan("calls"), store.rebuild):
        with pytest.raises(DamagedFile, match="holds the legs of 2026-03: it was copied or renamed"):
            read()
    assert len(store.calls("2026-03-02")) == before > 0  # a month that is not asked for does no harm
