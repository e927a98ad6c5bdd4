"""The calls of the model once more, from the queries that the benchmark takes for hand-written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.benchmarks import modelling
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


def test_sql_and_pandas_written_by_hand_give_the_same_calls(month: Path) -> None:
    assert modelling.compared(month) > 2000


@pytest.mark.parametrize("way", ["sql", "pandas"])
def test_a_difference_in_one_call_is_found(month: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = modelling.made

    def off_by_a_second(which: str, legs: object) -> pd.DataFrame:
        calls = made(which, legs)
        frame = calls if isinstance(calls, pd.DataFrame) else calls.to_pandas()
        if which == way:
            frame.loc[frame.index[7], "wait_s"] += 1
        return frame

    monkeypatch.setattr(modelling, "made", off_by_a_second)
    with pytest.raises(AssertionError, match="wait_s"):
        modelling.compared(month)
