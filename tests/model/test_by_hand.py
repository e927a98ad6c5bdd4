"""The calls of the model once more, from the query that the benchmark takes for hand-written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.benchmarks import hand, modelling
from ucm_analytics.legs import legs_table
from ucm_analytics.simulator.traffic import clinic, generate


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    legs = []
    for story in generate(clinic(), first=date(2026, 3, 2), last=date(2026, 3, 15), calls_per_day=300, seed=5):
        legs += [{**leg, "AcctId": str(len(legs) + n)} for n, leg in enumerate(story.call.legs)]
    file = tmp_path_factory.mktemp("legs") / "part.parquet"
    pq.write_table(legs_table(legs, pbx="b"), file)
    return file


def test_sql_by_hand_gives_the_same_calls(month: Path) -> None:
    calls = modelling.compared(month)
    assert calls.num_rows > 2000
    assert calls.num_columns == 12


@pytest.mark.parametrize(
    ("right", "wrong", "column"),
    [
        ("WHEN let_go THEN 'disconnected'", "", "outcome"),
        ("WHEN silent_at IS NOT NULL THEN silent_at", "", "wait_s"),
    ],
)
def test_a_difference_is_found(
    month: Path, right: str, wrong: str, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = hand.query("calls")
    assert right in sql
    monkeypatch.setattr(modelling, "query", lambda name: sql.replace(right, wrong))
    with pytest.raises(SystemExit, match=f'"{column}"'):
        modelling.compared(month)
