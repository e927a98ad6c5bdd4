"""The committed data is what the code makes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from data.make import dictionary
from ucm_analytics import demo
from ucm_analytics.demo import PERIOD, demo_store
from ucm_analytics.errors import StoreError
from ucm_analytics.store import Store

DATA = Path(__file__).resolve().parents[1] / "data"


def test_dictionary_is_fresh() -> None:
    assert (DATA / "dictionary.md").read_text(encoding="utf-8") == dictionary(), "run make data"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The demo store, made anew."""
    return demo_store(tmp_path_factory.mktemp("made") / "store")


def test_demo_store_is_what_is_committed(made: Store) -> None:
    kept = Store(DATA / "demo")
    for table in ("legs", "steps", "rings", "calls"):
        pd.testing.assert_frame_equal(getattr(made, table)(), getattr(kept, table)())
    days = kept.coverage(PERIOD)
    assert len(days) == 28
    assert (days["state"] == "settled").all()
    pd.testing.assert_frame_equal(made.coverage(PERIOD), days)
    assert sum(file.stat().st_size for file in (DATA / "demo").rglob("*.parquet")) < 2_000_000


def test_demo_store_is_made_once(made: Store) -> None:
    written = {file: file.stat().st_mtime_ns for file in made.path.rglob("*.parquet")}
    again = demo_store(made.path)
    assert {file: file.stat().st_mtime_ns for file in again.path.rglob("*.parquet")} == written


def test_demo_store_is_made_anew_by_other_code(made: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Store(shutil.copytree(made.path, tmp_path / "store"))
    calls = first.calls()
    next(first.path.rglob("calls/**/*.parquet")).unlink()
    monkeypatch.setattr(demo, "_code", lambda: "another")
    pd.testing.assert_frame_equal(demo_store(tmp_path / "store").calls(), calls)


def test_demo_stores_made_at_once_are_one(tmp_path: Path) -> None:
    code = "import sys, ucm_analytics as ucm; print(len(ucm.demo_store(sys.argv[1]).calls()))"
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "store")], stdout=subprocess.PIPE, text=True)
    while other.poll() is None and not any(tmp_path.rglob("legs/**/part.parquet")):
        time.sleep(0.001)
    made = demo_store(tmp_path / "store").calls()
    assert other.communicate(timeout=120)[0] == f"{len(made)}\n"
    pd.testing.assert_frame_equal(made, Store(DATA / "demo").calls())


def test_demo_store_spares_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="holds something else"):
        demo_store(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
