"""Tables of a store as files; `test_cli.py` reads each format back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ucm_analytics.errors import NoData
from ucm_analytics.export import Exported, export_table
from ucm_analytics.period import Period
from ucm_analytics.store import Store

DEMO = Store(Path(__file__).resolve().parents[1] / "data" / "demo")
"""2 to 29 March 2026."""


@pytest.mark.parametrize(("last", "missing"), [("2026-03-29", 0), ("2026-04-02", 4)])
def test_what_was_written_is_said(last: str, missing: int, tmp_path: Path) -> None:
    file = tmp_path / "new" / "calls.csv"
    done = export_table(DEMO, "calls", period=Period.of("2026-03-28", last), path=file)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert done == Exported(len(rows), missing)
    assert {row["started_at"][:10] for row in rows} == {"2026-03-28", "2026-03-29"}


def test_nothing_is_written_of_a_pbx_that_is_not_stored(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="north"):
        export_table(DEMO, "legs", period=Period.of("2026-03"), path=tmp_path / "x.csv", pbx="north")
    assert not list(tmp_path.iterdir())
