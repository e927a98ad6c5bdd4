"""Folders by any name: a store reads its own files and no others, whatever its path looks like."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.store.pretend import Pbx, contents, daily
from ucm_analytics.errors import SettingError
from ucm_analytics.store import Store

NAMES = [
    *("calls*", "*", "**", "calls?", "?", "calls[ab]", "[!x]*", "calls[a", "calls]", "[", "]", "[*]", "[[]", "[a-z]*"),
    *("{calls,callsa}", "calls{a}", "callsa;b", "a=b", "pbx=clinic", "month=2026-03/calls*", "a?=b[c]*"),
    *("Anna's store", 'the "store"', " lead", "trail ", "two  blanks", "100%", "%41", "calls%2a", "a&b", "#a", "$HOME"),
    *(
        "~",
        "~calls",
        "-calls",
        "a:b",
        "file:a",
        "s3:*",
        "a\tb",
        "two\nlines",
        "two\nlines*",
        "büro*",
        "事務所?",
        "🙂[a]",
    ),
    *("a\\b", "calls.parquet", "part.parquet/*", ".calls*", "'; DROP TABLE x; --"),
]
"""Of folders, below one that holds foreign stores whose names these are patterns of."""

FOREIGN = (
    "calls",
    "callsa",
    "callsb",
    "a",
    "b",
    "x",
    "calls1",
    "a=b=c",
    "aa=bc",
    "s3:a",
    "two\nlinesa",
    "büros",
    "🙂a",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store of two calls, and a foreign one of six."""
    own, foreign = (tmp_path_factory.mktemp("made") / name for name in ("own", "foreign"))
    with Pbx(daily(date(2026, 3, 2), date(2026, 3, 4)), "2026-03-20 12:00") as pbx:
        pbx.sync(Store(own), since="2026-03-02", until="2026-03-02")
        pbx.sync(Store(foreign), since="2026-03-02", until="2026-03-04")
    return own, foreign


def beside_foreign_ones(made: tuple[Path, Path], folder: Path, name: str) -> Path:
    own, foreign = made
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in FOREIGN:
        if other != name:
            (path.parent / other).symlink_to(foreign)
    shutil.copytree(own, path)
    return path


def check(store: Store, expected: dict[str, object]) -> None:
    assert len(store.calls()) == len(store.legs("2026-03-02")) == 2
    for table, period in (("calls", "2026-03"), ("legs", None), ("steps", "2026-03-02")):
        assert len(store.scan(table, period).collect().to_native()) == 2  # type: ignore[arg-type]
    if set("*?[~:").intersection(str(store.path)):
        store.rebuild()
    assert contents(store) == expected


@pytest.mark.slow
def test_each_store_reads_its_own_files(made: tuple[Path, Path], tmp_path: Path) -> None:
    expected = contents(Store(made[0]))
    for number, name in enumerate(NAMES):
        check(Store(beside_foreign_ones(made, tmp_path / str(number), name)), expected)
    print(f"{len(NAMES)} names of folders: each store read its own files")


@pytest.mark.parametrize("name", ["~", "~calls", "file:a", "calls[ab]", "-calls"])
def test_relative_paths(name: str, made: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside_foreign_ones(made, tmp_path, name)
    monkeypatch.chdir(tmp_path)
    check(Store(name), contents(Store(made[0])))


def test_a_name_that_the_engine_cannot_open_is_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    store = Store(beside_foreign_ones(made, tmp_path, "a\\*"))
    assert len(store.calls()) == 2
    for reading in (lambda: store.scan("calls"), store.rebuild):
        with pytest.raises(SettingError, match=r"a backslash and one of .* give the folder another name"):
            reading()


@pytest.mark.parametrize("name", ["a\0b", "a\udcffb"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="can be no folder's name"):
        Store(name)
