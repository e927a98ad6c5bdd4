"""Analyses against SQL by hand: on the demo store, for the result alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

from tests.benchmarks import analysing
from tests.benchmarks.hand import OURS, answer, difference, query
from tests.benchmarks.timing import peak_mb
from ucm_analytics.store import Store

ROOT: Final = Path(__file__).resolve().parents[1]
MISTAKES: Final = {
    "call_volume": ("NOT is_forward", "true"),
    "durations": ("phones > 0 AND queue IS NULL", "phones > 0"),
    "ivr_paths": ("median(wait_s)", "avg(wait_s)"),
    "extensions": ("missed AND NOT elsewhere AND", "missed AND"),
    "missed_calls": ("way IN (1, 3)", "way = 3"),
    "queues": ("gap <= INTERVAL 1 HOUR", "gap < INTERVAL 1 MINUTE"),
    "service_level": ("a + ab - ab20", "a + ab"),
    "concurrent_calls": ("AS peak_at, sum(level", "AS peak_at, sum(1 + level"),
    "top_callers": ("direction = 'inbound' AND ", ""),
    "repeat_callers": ("utc + INTERVAL 168 HOUR <= max", "utc <= max"),
}
"""One that an analyst could make in each query."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(ROOT / "data" / "demo", tmp_path_factory.mktemp("demo") / "store")


@pytest.mark.parametrize("name", OURS)
def test_sql_by_hand_gives_the_same_table(name: str, folder: Path) -> None:
    ours, sql = OURS[name](Store(folder)), query(name)
    assert len(ours)
    assert difference(ours, answer(sql, folder)) == ""
    right, wrong = MISTAKES[name]
    assert right in sql
    assert difference(ours, answer(sql.replace(right, wrong), folder))


def test_a_table_that_differs_is_reported_and_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysing, "_SLOW_S", 0)
    monkeypatch.setattr(analysing, "store_of", lambda calls: folder)
    monkeypatch.setattr(analysing, "_apart", analysing.run)
    names = ["service_level", "ivr_paths"]
    assert len(list(analysing.measured(1_000_000, names))) == 2
    monkeypatch.setattr(analysing, "query", lambda name: query(name).replace("median(", "avg("))
    lines: list[str] = []
    with pytest.raises(SystemExit, match=r"not the same as ours: ivr_paths$"):
        lines.extend(analysing.measured(1_000_000, names))
    assert [line.split()[0] for line in lines] == ["1", "1", "NOT"]
    assert "median_wait_s" in lines[2]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"n": [1, 2, 3]}, '"n"'),
        ({"n": pd.array([1, 2, None], "Int64")}, ""),
        ({"x": [0.1, 0.2 * (1 + 1e-11), None]}, '"x"'),
        ({"x": [0.1, 0.2 * (1 + 1e-13), None]}, ""),
        ({"key": pd.Categorical(["a", "b", "c"])}, ""),
        ({"key": ["a", "b", None]}, '"key"'),
        ({"none": pd.Series([None] * 3, dtype="object")}, ""),
        ({"more": 1}, "shape"),
    ],
)
def test_differences_are_seen(changed: dict[str, Any], said: str) -> None:
    ours = pd.DataFrame({"key": ["a", "b", "c"], "n": [1, 2, None], "x": [0.1, 0.2, None]})
    ours["none"] = pd.Series(dtype="str")
    found = difference(ours, ours.assign(**changed))
    assert (said in found) if said else (found == "")
    assert "shape" in difference(ours, ours.iloc[:2])
    assert difference(ours, ours.iloc[::-1])


def test_peak_memory_is_that_of_the_process_alone() -> None:
    words = [sys.executable, "-c", "from tests.benchmarks.timing import peak_mb; print(peak_mb())"]
    child = subprocess.run(words, check=True, cwd=ROOT, capture_output=True, text=True)
    assert 5 < float(child.stdout) < peak_mb() / 2
