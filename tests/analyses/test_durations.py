from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analyses.frames import as_arrow, calls, random_calls
from ucm_analytics import analyses, charts
from ucm_analytics.analyses.durations import DurationsBy
from ucm_analytics.errors import SettingError

RUNS = {"durations by": {"by": ("direction", "hour")}, "duration_histogram": {"by": "direction"}}
MEASURES = ["talk_s", "wait_s", "ring_s", "ivr_s", "queue_s"]
AT = "2026-03-02 09:00:00"


def row(result: pd.DataFrame, measure: str, **group: Any) -> pd.Series[Any]:
    some = result[result["measure"] == measure]
    for name, value in group.items():
        some = some[some[name] == value]
    assert len(some) == 1
    return some.iloc[0]


def test_quantiles_by_hand() -> None:
    made = calls("local_at talk_s", *((AT, talk) for talk in (10, 20, 30, 40, 100)))
    talk = row(analyses.durations(made), "talk_s", direction="inbound")
    assert talk["calls"] == 5
    assert talk["median_s"] == 30
    assert talk["mean_s"] == 40
    # position 0.9 * 4 = 3.6: 40 + 0.6 * (100 - 40); 0.95 * 4 = 3.8
    assert talk["p90_s"] == pytest.approx(76)
    assert talk["p95_s"] == pytest.approx(88)
    assert (talk["min_s"], talk["max_s"], talk["total_s"]) == (10, 100, 200)


def test_which_calls_have_which_measure() -> None:
    made = calls(
        "local_at outcome path queue phones talk_s wait_s ring_s ivr_s queue_s",
        (AT, "answered", "ivr:7000 > queue:6500", "6500", 2, 60, 30, 0, 10, 20),
        (AT, "abandoned", "ivr:7000", None, 0, 0, 9, 0, 9, 0),  # left in the menu: offered to nobody
        (AT, "abandoned", "queue:6500", "6500", 0, 0, 45, 0, 0, 45),  # queued with nobody logged in
        (AT, "voicemail", "extension:1004 > voicemail:1004", None, 1, 0, 25, 20, 0, 0),
        (AT, "voicemail", "voicemail:1004", None, 0, 0, 3, 0, 0, 0),  # straight to the mailbox
        (AT, "no_answer", "external:12025550142", None, 0, 0, 33, 30, 0, 0),
        (AT, "busy", "external:12025550142", None, 0, 0, 4, 0, 0, 0),
        (AT, "failed", "external:12025550142", None, 0, 0, 1, 0, 0, 0),
        (AT, "answered", "extension:1004", None, 1, 100, 5, 5, 0, 0),
    )
    result = analyses.durations(made).set_index("measure")
    assert result.index.to_list() == MEASURES
    assert result["calls"].to_list() == [2, 5, 3, 2, 2]
    assert result["total_s"].to_list() == [160, 30 + 45 + 25 + 33 + 5, 20 + 30 + 5, 19, 65]


def test_a_measure_that_nobody_has_is_na() -> None:
    result = analyses.durations(calls("local_at", (AT,)))
    queue = row(result, "queue_s", direction="inbound")
    assert queue["calls"] == queue["total_s"] == 0
    assert queue[["median_s", "mean_s", "p90_s", "p95_s", "min_s", "max_s"]].isna().all()


@pytest.mark.parametrize("known", [[], ["inbound"]])
@pytest.mark.parametrize("by", [("direction",), ("direction", "hour")])
def test_calls_without_direction_are_a_group(known: list[str], by: tuple[DurationsBy, ...]) -> None:
    made = calls("local_at talk_s direction", (AT, 10, None), (AT, 30, None), *((AT, 99, each) for each in known))
    result = analyses.durations(made, by=by)
    assert len(result) == (1 + len(known)) * 5 * (24 if "hour" in by else 1)
    talk = result[(result["measure"] == "talk_s") & result["direction"].isna() & (result["calls"] > 0)]
    assert talk[["calls", "median_s", "p90_s", "total_s"]].to_numpy().tolist() == [[2, 20, 28, 40]]


@pytest.mark.parametrize("known", [[], ["inbound"]])
def test_calls_without_direction_are_drawn(known: list[str]) -> None:
    made = calls("local_at talk_s direction", (AT, 10, None), (AT, 30, None), *((AT, 99, each) for each in known))
    figure = charts.durations(analyses.durations(made))
    talk = next(trace for trace in figure.data if trace.name == "median")
    assert dict(zip(talk.y, talk.x, strict=True)) == {"unknown": 20, **dict.fromkeys(known, 99)}
    bars = charts.duration_histogram(analyses.duration_histogram(made, by="direction")).data
    assert {bar.name: sum(bar.y) for bar in bars} == {"unknown": 2, **dict.fromkeys(known, 1)}
    short = charts.long_and_short_calls(analyses.long_and_short_calls(made)).data[0]
    assert set(short.x) == {"unknown", *known}


def test_forwarded_halves_are_not_counted() -> None:
    made = calls("local_at talk_s is_forward", (AT, 10, False), (AT, 99, True))
    assert row(analyses.durations(made), "talk_s")["total_s"] == 10
    assert analyses.duration_histogram(made)["calls"].sum() == 1


def test_by_hour_has_24_hours() -> None:
    made = calls("local_at talk_s direction", ("2026-03-02 09:59:59", 10, "inbound"), (AT, 30, "outbound"))
    result = analyses.durations(made, by=("hour",))
    assert len(result) == 24 * 5
    assert row(result, "talk_s", hour=9)["total_s"] == 40
    assert row(result, "talk_s", hour=10)["calls"] == 0
    both = analyses.durations(made, by=("direction", "hour"))
    assert len(both) == 2 * 24 * 5
    assert row(both, "talk_s", hour=9, direction="outbound")["median_s"] == 30
    assert list(both.columns[:3]) == ["measure", "direction", "hour"]


def test_by_nothing_is_a_row_per_measure() -> None:
    made = calls("local_at talk_s direction", (AT, 10, "inbound"), (AT, 30, "outbound"))
    result = analyses.durations(made, by=())
    assert result["measure"].to_list() == MEASURES
    assert result["median_s"].iloc[0] == 20
    nothing = analyses.durations(calls("local_at"), by=())
    assert nothing["calls"].to_list() == [0] * 5
    assert nothing["median_s"].isna().all()


def has(call: dict[str, Any], measure: str) -> bool:
    if call["is_forward"]:
        return False
    return {
        "talk_s": call["outcome"] == "answered",
        "wait_s": call["outcome"] in ("answered", "no_answer") or call["phones"] > 0 or call["queue"] is not None,
        "ring_s": call["ring_s"] > 0 or (call["phones"] > 0 and call["queue"] is None),
        "ivr_s": "ivr:" in call["path"],
        "queue_s": call["queue"] is not None,
    }[measure]


def quantile(values: list[int], q: float) -> float:
    values = sorted(values)
    place = q * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


@pytest.mark.parametrize("seed", range(4))
def test_durations_equal_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    values: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for call in made.to_pylist():
        for measure in MEASURES:
            if has(call, measure):
                values[measure, call["direction"], call["local_at"].hour].append(call[measure])
    result = as_arrow(analyses.durations(made, by=("direction", "hour"))).to_pylist()
    assert len(result) == 5 * 3 * 24
    for found in result:
        expected = values[found["measure"], found["direction"], found["hour"]]
        assert found["calls"] == len(expected)
        assert found["total_s"] == sum(expected)
        if not expected:
            assert found["median_s"] is found["p90_s"] is found["min_s"] is None
            continue
        assert found["mean_s"] == pytest.approx(sum(expected) / len(expected))
        assert found["median_s"] == pytest.approx(quantile(expected, 0.5))
        assert found["p90_s"] == pytest.approx(quantile(expected, 0.9))
        assert found["p95_s"] == pytest.approx(quantile(expected, 0.95))
        assert (found["min_s"], found["max_s"]) == (min(expected), max(expected))


@pytest.mark.parametrize("measure", MEASURES)
def test_the_histogram_equals_a_plain_loop(measure: analyses.durations.Measure) -> None:
    made = random_calls(7)
    expected = [0] * 41
    for call in made.to_pylist():
        if has(call, measure):
            expected[min(call[measure] // 20, 40)] += 1
    result = analyses.duration_histogram(made.to_pandas(), measure=measure, bin_s=20)
    assert result["calls"].to_list() == expected
    assert result["share"].to_list() == pytest.approx([n / sum(expected) for n in expected])
    split = analyses.duration_histogram(made.to_pandas(), measure=measure, bin_s=20, by="direction")
    assert split.groupby("from_s")["calls"].sum().to_list() == expected
    assert split.groupby("direction")["share"].sum().to_list() == pytest.approx([1] * split["direction"].nunique())


def test_bins_are_the_same_whatever_the_data() -> None:
    made = calls("local_at talk_s", (AT, 0), (AT, 29), (AT, 30), (AT, 1199), (AT, 1200), (AT, 86400))
    result = analyses.duration_histogram(made)
    assert result["from_s"].to_list() == list(range(0, 1230, 30))
    assert result["to_s"].to_list()[:-1] == list(range(30, 1230, 30))
    assert pd.isna(result["to_s"].iloc[-1])
    assert result["calls"].to_list() == [2, 1] + [0] * 37 + [1, 2]
    empty = analyses.duration_histogram(calls("local_at"))
    assert empty["from_s"].equals(result["from_s"])
    assert empty["share"].isna().all()
    assert empty["calls"].sum() == 0


def test_the_last_bin_holds_exactly_what_is_left() -> None:
    made = calls("local_at talk_s", (AT, 39), (AT, 40), (AT, 41))
    result = analyses.duration_histogram(made, bin_s=1)
    assert result["calls"].to_list()[-3:] == [0, 1, 2]
    assert np.isclose(result["share"].iloc[-1], 2 / 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda made: analyses.durations(made, by=("outcome",)),
        lambda made: analyses.duration_histogram(made, measure="duration_s"),
        lambda made: analyses.duration_histogram(made, bin_s=0),
        lambda made: analyses.duration_histogram(made, bin_s=2.5),
        lambda made: analyses.duration_histogram(made, by="hour"),
    ],
)
def test_unknown_choices_say_what_to_use(call: Any) -> None:
    with pytest.raises(SettingError, match="use "):
        call(calls("local_at"))
