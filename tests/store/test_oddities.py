"""Things that do not belong into a store are left out and said, or named in an error: no traceback, no hanging."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.store.oddities import OPERATIONS, PLACES, THINGS, loaded, odd_store, tried
from tests.store.pretend import Pbx, contents, daily
from ucm_analytics.errors import DamagedFile, ForeignFile, StoreError
from ucm_analytics.store import Store, months

NOW = "2026-03-20 12:00"


@pytest.fixture(scope="module")
def pbx() -> Iterator[Pbx]:
    with Pbx(daily(date(2026, 2, 27), date(2026, 3, 4)), NOW) as running:
        yield running


@pytest.fixture(scope="module")
def made(pbx: Pbx, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(tmp_path_factory.mktemp("made") / "store")
    pbx.sync(store, since="2026-02-27", until="2026-03-03")
    return store.path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copytree(made, tmp_path / "store"))


@pytest.mark.slow
def test_each_place_and_each_thing(pbx: Pbx, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One operation for each place; `make soak` tries all of them with all things."""
    monkeypatch.setattr(months, "SYNC_WAIT_S", 0.1)
    monkeypatch.setattr(months, "WRITE_WAIT_S", 0.1)
    things, operations = list(THINGS), list(OPERATIONS)
    loaded(made, pbx)
    ends = Counter[str]()
    for number, place in enumerate(PLACES):
        thing, operation = things[number * 5 % len(things)], operations[number * 7 % len(operations)]
        with odd_store(made, place, thing) as odd:
            ends[tried(operation, odd, pbx)] += 1
    print(f"{ends.total()} things at places of a store: {dict(ends)}")
    assert ends.total() == len(PLACES)


@pytest.mark.parametrize("month", ["9999-12", "0001-01"])
def test_months_at_the_ends_of_the_calendar(store: Store, month: str) -> None:
    expected = {period: len(store.calls(period)) for period in ("2026-02", "2026-03", "2026-02-28")}
    for table in ("legs", "steps", "rings", "calls"):
        shutil.copytree(
            store.path / table / "pbx=clinic/month=2026-03", store.path / table / f"pbx=clinic/month={month}"
        )
    assert {period: len(store.calls(period)) for period in expected} == expected
    assert store.scan("calls", "2026-03").select("call_id").collect().shape[0] == expected["2026-03"]


def test_what_is_called_like_a_part_and_is_none_is_left_out(store: Store) -> None:
    expected = contents(store)
    (store.path / "legs" / "pbx=x").touch()
    (store.path / "directory" / "notes.txt").write_text("hello")
    (store.path / "legs" / ".DS_Store").touch()
    with pytest.warns(ForeignFile, match=r"legs/pbx=x is left out: it is no folder; move it away"):
        assert store.pbxs == ["clinic"]
    (store.path / "legs" / "pbx=x").unlink()
    (store.path / "legs" / "pbx=clinic (copy)").mkdir()
    with pytest.warns(ForeignFile, match=r"is left out: 'clinic \(copy\)' names no pbx"):
        assert len(store.calls()) == 10
    (store.path / "legs" / "pbx=clinic (copy)").rmdir()
    (store.path / "legs" / "pbx=clinic" / "month=2026-13").mkdir()
    with pytest.warns(ForeignFile, match="'2026-13' names no month"):
        assert len(store.calls()) == 10
    (store.path / "legs" / "pbx=clinic" / "month=2026-13").rmdir()
    assert contents(store) == expected


@pytest.mark.parametrize("note", [b"\xff\xfe\x00", b"2026-03\n../../../x\n9999-99", b""])
def test_a_note_that_cannot_be_read_means_all_months(store: Store, pbx: Pbx, note: bytes) -> None:
    unfinished = store.path / ".state" / "clinic" / "unfinished"
    unfinished.write_bytes(note)
    shutil.rmtree(store.path / "calls")
    pbx.sync(store, until="2026-03-04")
    assert (store.path / "calls/pbx=clinic/month=2026-03/part.parquet").exists()
    assert len(store.calls()) == 12
    if note:
        assert not unfinished.exists()


def test_links_to_nothing_are_not_taken_for_nothing(store: Store) -> None:
    legs = store.path / "legs/pbx=clinic/month=2026-03/part.parquet"
    legs.unlink()
    legs.symlink_to("unmounted")
    for reading in (store.calls, store.coverage, lambda: store.scan("calls")):
        with pytest.raises(DamagedFile, match="cannot be read"):
            reading()
    shutil.rmtree(store.path / "legs")
    (store.path / "legs").symlink_to("unmounted")
    with pytest.raises(StoreError, match=r"cannot read .*legs .*: make it a folder"):
        store.calls()


def test_the_hint_goes_by_the_table_and_not_by_the_path(made: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(made, tmp_path / "legs" / "store"))
    calls = store.path / "calls/pbx=clinic/month=2026-03/part.parquet"
    whole = bytearray(calls.read_bytes())
    whole[100] ^= 1
    calls.write_bytes(whole)
    with pytest.raises(DamagedFile, match="delete it; the store makes it again"):
        store.calls("2026-03")
    calls.unlink()
    assert len(store.calls("2026-03")) == 6
