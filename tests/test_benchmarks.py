"""Every analysis against the same by hand, in SQL, Polars and pandas: on the demo store, for the result alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd
import pytest

from tests.benchmarks.hand import difference, every, scans, views
from ucm_analytics import analyses
from ucm_analytics.store import Store

DEMO: Final = Path(__file__).resolve().parents[1] / "data" / "demo"
WAYS: Final = every()


NOT_BY_HAND: Final = {
    "affected_reports": "takes a table of a few findings",
    "coverage_calendar": "takes a table of a row a day",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(DEMO, tmp_path_factory.mktemp("demo") / "store")


@pytest.mark.parametrize("name", WAYS)
def test_hand_written_versions_give_the_same_table(name: str, folder: Path) -> None:
    hand = WAYS[name]
    ours = hand.ours(Store(folder))
    assert len(ours)
    with duckdb.connect() as connection:
        by_sql = hand.sql(views(connection, folder))
    by_pandas = hand.pandas(folder)
    assert set(by_sql) == set(by_pandas), "the versions leave out different columns"
    for way, table in (
        ("sql", by_sql),
        ("polars", hand.polars(scans(folder)).select(*by_sql).to_pandas()),
        ("pandas", by_pandas),
    ):
        assert not difference(ours, table, hand.keys), way


def test_every_analysis_is_written_by_hand() -> None:
    written = {name.split()[0] for name in WAYS}
    assert written | NOT_BY_HAND.keys() == set(analyses.__all__)
    assert not written & NOT_BY_HAND.keys()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"n": [1, 2, 3]}, "n differs in 1 rows, first at key='c'"),
        ({"n": [1, 2, None]}, ""),
        ({"x": [0.1, 0.2 * (1 + 1e-8), None]}, "x differs in 1 rows, first at key='b'"),
        ({"x": [0.1, 0.2 * (1 + 1e-10), None]}, ""),
        ({"key": ["a", "b", "d"]}, "key differs in 1 rows"),
        ({"more": 1}, "has the columns ['more'] more"),
    ],
)
def test_differences_are_seen(changed: dict[str, object], said: str) -> None:
    ours = pd.DataFrame({"key": ["a", "b", "c"], "n": pd.array([1, 2, None], "Int64"), "x": [0.1, 0.2, None]})
    other = ours.iloc[[2, 0, 1]].sort_values("key").assign(**changed).sample(frac=1, random_state=1)
    found = difference(ours, other, ["key"])
    assert (said in found) if said else (found == "")
    assert difference(ours, ours.iloc[:2], ["key"]) == "2 rows for 3"
