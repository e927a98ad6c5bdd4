"""The committed data is what the code makes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from data.make import dictionary
from ucm_analytics.demo import PERIOD, demo_store
from ucm_analytics.store import Store

DATA = Path(__file__).resolve().parents[1] / "data"


def test_dictionary_is_fresh() -> None:
    assert (DATA / "dictionary.md").read_text(encoding="utf-8") == dictionary(), "run make data"


def test_demo_store_is_what_is_committed(tmp_path: Path) -> None:
    made, kept = demo_store(tmp_path / "store"), Store(DATA / "demo")
    for table in ("legs", "steps", "rings", "calls"):
        pd.testing.assert_frame_equal(getattr(made, table)(), getattr(kept, table)())
    days = kept.coverage(PERIOD)
    assert len(days) == 28
    assert (days["state"] == "settled").all()
    pd.testing.assert_frame_equal(made.coverage(PERIOD), days)
    assert sum(file.stat().st_size for file in (DATA / "demo").rglob("*.parquet")) < 2_000_000


def test_demo_store_is_made_once(tmp_path: Path) -> None:
    first = demo_store(tmp_path / "store")
    written = {file: file.stat().st_mtime_ns for file in first.path.rglob("*.parquet")}
    again = demo_store(tmp_path / "store")
    assert {file: file.stat().st_mtime_ns for file in again.path.rglob("*.parquet")} == written
