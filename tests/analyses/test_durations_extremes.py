"""Very short and long calls, by hand and by a plain loop."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.analyses.frames import as_arrow, calls, random_calls
from ucm_analytics import analyses
from ucm_analytics.errors import SettingError


def test_by_hand() -> None:
    made = calls(
        "direction outcome talk_s is_forward",
        *(("inbound", "answered", talk, False) for talk in (0, 9, 10, 1799, 1800, 3600)),
        ("inbound", "abandoned", 0, False),  # nobody answered: not a short conversation
        ("inbound", "answered", 5, True),
        ("outbound", "answered", 100, False),
    )
    first, second = analyses.long_and_short_calls(made).to_dict("records")
    assert (first["direction"], first["calls"], first["short"], first["long"]) == ("inbound", 6, 2, 2)
    assert (first["short_rate"], first["long_rate"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert first["long_talk_s"] == 5400
    assert first["long_talk_rate"] == pytest.approx(5400 / (9 + 10 + 1799 + 5400))
    assert (second["calls"], second["short"], second["long"], second["long_talk_s"]) == (1, 0, 0, 0)


def test_nobody_talked() -> None:
    row = analyses.long_and_short_calls(calls("talk_s", (0,))).iloc[0]
    assert row["short"] == 1
    assert pd.isna(row["long_talk_rate"])
    assert len(analyses.long_and_short_calls(calls("talk_s"))) == 0


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    answered = [c for c in made.to_pylist() if c["outcome"] == "answered" and not c["is_forward"]]
    for row in as_arrow(analyses.long_and_short_calls(made, short_s=30, long_s=600)).to_pylist():
        talks = [call["talk_s"] for call in answered if call["direction"] == row["direction"]]
        assert row["calls"] == len(talks)
        assert row["short"] == sum(talk < 30 for talk in talks)
        assert row["long"] == sum(talk >= 600 for talk in talks)
        assert row["long_talk_s"] == sum(talk for talk in talks if talk >= 600)


@pytest.mark.parametrize("choice", [{"short_s": -1}, {"long_s": 1.5}, {"short_s": 60, "long_s": 30}])
def test_thresholds_that_cannot_be(choice: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="use "):
        analyses.long_and_short_calls(calls("talk_s"), **choice)
