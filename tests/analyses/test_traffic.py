from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.analyses.frames import KINDS, as_arrow, calls
from tests.analyses.queued import random_held
from ucm_analytics import analyses
from ucm_analytics.analyses import traffic
from ucm_analytics.erlang import erlang_b
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

RUNS = {"concurrent_calls by": {"by": "trunk", "freq": "1h", "period": Period.of("2026-10")}}
OCTOBER = Period.of("2026-10-24", "2026-10-27")
HELD = "local_at duration_s trunk"


def one(result: pd.DataFrame, **values: Any) -> pd.Series[Any]:
    for name, value in values.items():
        result = result[result[name] == value]
    assert len(result) == 1
    return result.iloc[0]


def test_back_to_back_calls_do_not_add() -> None:
    made = calls(
        HELD,
        ("2026-03-02 09:00:00", 60, "Main"),
        ("2026-03-02 09:01:00", 60, "Main"),  # begins as the first ends
        ("2026-03-02 09:01:59", 30, "Main"),  # one second before the second ends
    )
    found = one(analyses.concurrent_calls(made, by="trunk"))
    assert (found["calls"], found["peak"], found["busy_s"]) == (3, 2, 150)
    assert found["peak_at"] == pd.Timestamp("2026-03-02 09:01:59")
    assert found["traffic"] == pytest.approx(150 / 86400)
    assert one(analyses.concurrent_calls(made.head(2)))["peak"] == 1


def test_a_call_of_no_length_is_a_call_but_holds_nothing() -> None:
    found = one(analyses.concurrent_calls(calls(HELD, ("2026-03-02 09:00:00", 0, "Main"))))
    assert (found["calls"], found["peak"], found["busy_s"]) == (1, 0, 0)
    assert pd.isna(found["peak_at"])


def test_a_call_over_midnight_counts_on_both_days() -> None:
    made = calls(
        HELD,
        ("2026-03-02 23:50:00", 1200, "Main"),
        ("2026-03-02 23:59:59", 1, "Main"),
        ("2026-03-03 00:10:00", 60, "Main"),  # begins as the long one ends
    )
    days = analyses.concurrent_calls(made, by="trunk", period=Period.of("2026-03-02", "2026-03-04"))
    assert days["peak"].to_list() == [2, 1, 0]
    assert days["calls"].to_list() == [2, 1, 0]
    assert days["busy_s"].to_list() == [601, 660, 0]
    assert days["peak_at"].to_list()[:2] == [pd.Timestamp("2026-03-02 23:59:59"), pd.Timestamp("2026-03-03")]
    hours = analyses.concurrent_calls(made, by="trunk", freq="1h")
    assert hours["peak"].to_list()[22:26] == [0, 2, 1, 0]
    assert len(hours) == 48


def test_a_call_from_before_the_period_still_holds_its_line() -> None:
    made = calls(HELD, ("2026-03-01 20:00:00", 18000, "Main"), ("2026-03-02 00:30:00", 60, "Main"))
    found = one(analyses.concurrent_calls(made, period=Period.of("2026-03-02")))
    assert (found["calls"], found["peak"], found["busy_s"]) == (1, 2, 3660)


def test_the_night_when_the_clock_goes_back_has_25_hours() -> None:
    made = calls(
        "local_at utc_offset_s duration_s",
        ("2026-10-25 02:30:00", 7200, 3600),  # ends at 02:30, an hour later
        ("2026-10-25 02:30:00", 3600, 60),
        ("2026-10-26 12:00:00", 3600, 60),
    )
    hours = analyses.concurrent_calls(made, freq="1h")
    twice = hours[hours["local_at"] == pd.Timestamp("2026-10-25 02:00")]
    assert twice["utc_offset_s"].to_list() == [7200, 3600]
    assert twice["peak"].to_list() == [1, 1]
    assert twice["busy_s"].to_list() == [1800, 1860]
    assert len(hours) == 25 + 24
    day = analyses.concurrent_calls(made).iloc[0]
    assert day["traffic"] == pytest.approx(3660 / (25 * 3600))


def test_forwards_hold_a_line_but_are_no_second_call() -> None:
    made = calls(
        "local_at duration_s trunk is_forward",
        ("2026-03-02 09:00:00", 60, "Main", False),
        ("2026-03-02 09:00:10", 40, "Main", True),
        ("2026-03-02 09:00:10", 40, None, False),
    )
    assert one(analyses.concurrent_calls(made, by="trunk"))["peak"] == 2
    assert one(analyses.concurrent_calls(made))["calls"] == 2


def test_a_caller_who_is_picked_up_from_park_is_on_the_line_already() -> None:
    made = calls(
        "local_at duration_s trunk entry is_forward",
        ("2026-03-02 09:00:00", 100, "Main", "did:12025550100", False),
        ("2026-03-02 09:00:40", 60, "Main", "park:71", True),
        ("2026-03-02 09:00:40", 20, "Main", "external:12025550187", True),
    )
    assert (one(analyses.concurrent_calls(made, by="trunk"))[["calls", "peak", "busy_s"]] == [2, 2, 120]).all()
    assert (one(analyses.trunk_usage(made))[["calls", "peak", "busy_s"]] == [2, 2, 120]).all()


def plain(made: pa.Table, by: str | None) -> dict[tuple[Any, ...], tuple[int, int, datetime | None, int]]:
    """Calls, peak, its instant and seconds per line and day, second by second where something changes."""
    found: dict[tuple[Any, ...], tuple[int, int, datetime | None, int]] = {}
    lines = defaultdict(list)
    for call in made.to_pylist():
        if (call["trunk"] if by else not call["is_forward"]) and call["local_at"] < OCTOBER.end:
            start = call["local_at"] - timedelta(seconds=call["utc_offset_s"])
            end = start + timedelta(seconds=call["duration_s"])
            lines[call["pbx"], *([call["trunk"]] if by else [])].append((start, end, call["local_at"]))
    for key, held in lines.items():
        for day in OCTOBER:
            midnight = datetime.combine(day, datetime.min.time())
            summer = timedelta(hours=2)
            begin = midnight - (summer if day <= datetime(2026, 10, 25).date() else timedelta(hours=1))
            until = (
                midnight + timedelta(days=1) - (summer if day < datetime(2026, 10, 25).date() else timedelta(hours=1))
            )
            here = [(max(a, begin), min(b, until)) for a, b, _ in held if a < until and b > begin and b > a]
            levels = [(sum(a <= t < b for a, b in here), t) for t in sorted({a for a, _ in here})]
            peak = max((level for level, _ in levels), default=0)
            at = next((t for level, t in levels if level == peak), None)
            change = datetime(2026, 10, 25, 1)
            wall = at and at + (summer if at < change else timedelta(hours=1))
            calls_ = sum(local.date() == day for _, _, local in held)
            seconds = sum((b - a).total_seconds() for a, b in here)
            found[*key, midnight] = (calls_, peak, wall if peak else None, int(seconds))
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("by", [None, "trunk"])
@pytest.mark.parametrize("at_once", [500_000, 40])
def test_concurrency_equals_a_plain_loop(seed: int, by: Any, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "_SLICE", at_once)
    made = random_held(seed)
    result = as_arrow(analyses.concurrent_calls(made, by=by, period=OCTOBER)).to_pylist()
    found = {
        (row["pbx"], *([row["trunk"]] if by else []), row["local_at"]): (
            row["calls"],
            row["peak"],
            row["peak_at"],
            row["busy_s"],
        )
        for row in result
    }
    assert found == plain(made, by)
    assert list(found) == sorted(found)


def test_hours_add_up_to_days() -> None:
    made = random_held(9)
    hours = analyses.concurrent_calls(made.to_pandas(), by="trunk", freq="1h", period=OCTOBER)
    days = analyses.concurrent_calls(made.to_pandas(), by="trunk", period=OCTOBER)
    keys = ["pbx", "trunk", hours["local_at"].dt.normalize()]
    grouped = hours.groupby(keys, observed=True)
    for name in ("calls", "busy_s"):
        assert grouped[name].sum().to_list() == days[name].to_list()
    assert grouped["peak"].max().to_list() == days["peak"].to_list()
    assert (hours["peak"] >= hours["traffic"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_equal_on_every_kind_of_frame(kind: str) -> None:
    made = random_held(4)
    for run in (
        lambda frame: analyses.concurrent_calls(frame, by="trunk", freq="1h"),
        lambda frame: analyses.trunk_usage(frame, period=OCTOBER),
    ):
        assert as_arrow(run(KINDS[kind](made))) == as_arrow(run(made))


def test_without_a_known_offset_the_wall_clock_is_taken() -> None:
    made = calls("local_at duration_s utc_offset_s", ("2026-03-02 09:00", 60, None), ("2026-03-02 09:00:30", 60, None))
    found = one(analyses.concurrent_calls(made))
    assert (found["peak"], found["peak_at"]) == (2, pd.Timestamp("2026-03-02 09:00:30"))


def test_sixty_erlang() -> None:
    # 1200 calls of 180 s in one hour
    made = calls(
        HELD, *((pd.Timestamp("2026-03-02 09:00") + pd.Timedelta(seconds=3 * n), 180, "M") for n in range(1200))
    )
    found = one(analyses.trunk_usage(made))
    assert (found["bhca"], found["mean_hold_s"], found["traffic"]) == (1200, 180, 60)
    assert (found["busy_hour"], found["peak"], found["lines"]) == (9, 60, 75)
    # equal holds: the interval is that of a Poisson count of 1200, within a rounding of the normal one
    assert found["traffic_low"] == pytest.approx(60 * (1 - 1.96 / sqrt(1200)), rel=0.005)
    assert found["traffic_high"] == pytest.approx(60 * (1 + 1.96 / sqrt(1200)), rel=0.005)
    assert found["lines_low"] < 75 < found["lines_high"]


def test_the_interval_is_the_exact_one_of_a_poisson_count() -> None:
    made = calls(HELD, *((f"2026-03-02 09:0{n}:00", 360, "M") for n in range(10)))
    found = one(analyses.trunk_usage(made))
    # Garwood for a count of 10: 4.79539 to 18.39036
    assert found["traffic"] == 1
    assert found["traffic_low"] == pytest.approx(0.479539, abs=1e-6)
    assert found["traffic_high"] == pytest.approx(1.839036, abs=1e-6)


def test_the_busy_hour_is_of_the_days_that_carry_the_traffic() -> None:
    weekdays = [(f"2026-03-0{day} 10:{minute}:00", 360, "M") for day in (2, 3, 4, 5) for minute in (10, 20, 30)]
    morning = [(f"2026-03-0{day} 09:10:00", 360, "M") for day in (2, 3, 4, 5)]
    sunday = [("2026-03-08 11:00:00", 2400, "M")]  # more than on a weekday, but once
    found = one(analyses.trunk_usage(calls(HELD, *weekdays, *morning, *sunday)))
    assert (found["day_type"], found["busy_hour"], found["days"]) == ("Monday to Friday", 10, 4)
    assert found["bhca"] == 3
    assert found["traffic"] == pytest.approx(3 * 360 / 3600)
    assert found["calls"] == 17
    assert found["busy_s"] == 16 * 360 + 2400


def test_lines_are_the_fewest_at_the_grade_of_service() -> None:
    result = analyses.trunk_usage(random_held(2).to_pandas(), blocking=0.02, retry=0.6)
    assert len(result) == 4
    for row in result.itertuples():
        for traffic_, lines in ((row.traffic, row.lines), (row.traffic_high, row.lines_high)):
            assert erlang_b(traffic_, lines) <= 0.02 < erlang_b(traffic_, lines - 1)
        assert row.lines_low <= row.lines <= row.lines_high
        assert row.lines_retry >= row.lines
        assert row.traffic_low < row.traffic < row.traffic_high


def test_a_trunk_whose_calls_all_failed_needs_no_line() -> None:
    found = one(
        analyses.trunk_usage(calls("local_at duration_s trunk outcome", ("2026-03-02 09:00", 0, "M", "failed")))
    )
    assert (found["calls"], found["answered"], found["traffic"], found["lines"], found["peak"]) == (1, 0, 0, 0, 0)
    assert pd.isna(found["peak_at"])


def test_calls_without_trunk_use_none() -> None:
    made = calls(HELD, ("2026-03-02 09:00:00", 60, None))
    assert analyses.trunk_usage(made).empty
    assert analyses.concurrent_calls(made, by="trunk").empty
    assert len(analyses.concurrent_calls(made)) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda made: analyses.concurrent_calls(made, by="queue"),
        lambda made: analyses.concurrent_calls(made, freq="1w"),
        lambda made: analyses.trunk_usage(made, blocking=0),
        lambda made: analyses.trunk_usage(made, blocking=1.5),
        lambda made: analyses.trunk_usage(made, retry=1),
    ],
)
def test_unknown_choices_say_what_to_use(call: Any) -> None:
    with pytest.raises(SettingError, match="use "):
        call(calls("local_at"))
