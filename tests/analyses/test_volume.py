from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import nbinom

from tests.analyses.frames import as_arrow, calls, random_calls
from ucm_analytics import analyses
from ucm_analytics.errors import SettingError
from ucm_analytics.period import EVERY_WEEKDAY, Period

RUNS = {
    "call_volume by": {"freq": "1w", "by": "outcome", "period": Period.of("2026-10")},
    "busy_hour of weekdays": {"weekdays": (1, 5, 6)},
    "busy_hour but for holidays": {"holidays": list(Period.of("2026-10-24", "2026-10-26"))},
}


def hours(volume: pd.DataFrame) -> list[tuple[str, int, int]]:
    stamps = volume["local_at"].dt.strftime("%d %H:%M")
    return list(zip(stamps, volume["utc_offset_s"] // 3600, volume["calls"], strict=True))


def test_an_hour_without_calls_is_a_row_with_0() -> None:
    made = calls(
        "local_at outcome",
        ("2026-03-02 09:00:00", "answered"),
        ("2026-03-02 09:59:59", "abandoned"),
        ("2026-03-02 11:00:00", "voicemail"),
    )
    volume = analyses.call_volume(made)
    assert len(volume) == 24
    assert volume["calls"].to_list() == [0] * 9 + [2, 0, 1] + [0] * 12
    assert volume["answered"].to_list() == [0] * 9 + [1] + [0] * 14
    assert volume["utc_offset_s"].unique().tolist() == [3600]


def test_the_period_is_filled_and_cut() -> None:
    made = calls("local_at", ("2026-03-01 23:59:59",), ("2026-03-02 00:00:00",), ("2026-03-05 00:00:00",))
    volume = analyses.call_volume(made, freq="1d", period=Period(date(2026, 3, 2), date(2026, 3, 4)))
    assert volume["local_at"].dt.day.to_list() == [2, 3, 4]
    assert volume["calls"].to_list() == [1, 0, 0]
    assert "utc_offset_s" not in volume


def test_split_by_direction_has_each_interval_for_each_direction() -> None:
    made = calls(
        "local_at direction",
        ("2026-03-02 09:00:00", "inbound"),
        ("2026-03-04 09:00:00", "outbound"),
        ("2026-03-04 10:00:00", "outbound"),
    )
    volume = analyses.call_volume(made, freq="1d", by="direction")
    assert volume["direction"].dtype == "category"
    assert list(zip(volume["local_at"].dt.day, volume["direction"], volume["calls"], strict=True)) == [
        (2, "inbound", 1),
        (2, "outbound", 0),
        (3, "inbound", 0),
        (3, "outbound", 0),
        (4, "inbound", 0),
        (4, "outbound", 2),
    ]


def test_calls_without_a_queue_are_counted_too() -> None:
    made = calls("local_at queue", ("2026-03-02 09:00:00", "6500"), ("2026-03-02 10:00:00", None))
    volume = analyses.call_volume(made, freq="1d", by="queue")
    assert volume["calls"].to_list() == [1, 1]
    assert volume["queue"].isna().to_list() == [False, True]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    made = calls("local_at", ("2026-03-01 12:00:00",), ("2026-03-02 00:00:00",), ("2026-04-01 00:00:00",))
    weeks = analyses.call_volume(made, freq="1w")
    assert weeks["local_at"].dt.strftime("%m-%d").to_list() == ["02-23", "03-02", "03-09", "03-16", "03-23", "03-30"]
    assert weeks["calls"].to_list() == [1, 1, 0, 0, 0, 1]
    months = analyses.call_volume(made, freq="1mo")
    assert months["local_at"].dt.strftime("%m-%d").to_list() == ["03-01", "04-01"]
    assert months["calls"].to_list() == [2, 1]


def test_forwarded_halves_are_not_counted() -> None:
    made = calls("local_at is_forward", ("2026-03-02 09:00:00", False), ("2026-03-02 09:00:30", True))
    assert analyses.call_volume(made)["calls"].sum() == 1
    assert analyses.hour_of_week(made)["calls"].sum() == 1
    assert analyses.busy_hour(made)["peak_calls"].max() == 1


def test_the_hour_that_happens_twice_is_two_rows() -> None:
    # Montreal, 1 November 2020: 01:00-02:00 at -04:00, then again at -05:00.
    made = calls(
        "local_at utc_offset_s",
        ("2020-11-01 00:30:00", -14400),
        ("2020-11-01 01:10:00", -14400),
        ("2020-11-01 01:50:00", -14400),
        ("2020-11-01 01:20:00", -18000),
        ("2020-11-01 02:05:00", -18000),
    )
    volume = analyses.call_volume(made)
    assert len(volume) == 25
    assert hours(volume)[:4] == [
        ("01 00:00", -4, 1),
        ("01 01:00", -4, 2),
        ("01 01:00", -5, 1),
        ("01 02:00", -5, 1),
    ]


def test_the_hour_that_does_not_happen_is_no_row() -> None:
    made = calls("local_at utc_offset_s", ("2026-03-29 01:30:00", 3600), ("2026-03-29 03:30:00", 7200))
    volume = analyses.call_volume(made)
    assert len(volume) == 23
    assert hours(volume)[:4] == [("29 00:00", 1, 0), ("29 01:00", 1, 1), ("29 03:00", 2, 1), ("29 04:00", 2, 0)]


def test_a_change_that_no_call_pins_falls_on_sunday_night() -> None:
    spring = calls("local_at utc_offset_s", ("2026-03-27 15:00:00", 3600), ("2026-03-30 09:00:00", 7200))
    volume = analyses.call_volume(spring)
    sunday = volume[volume["local_at"].dt.day == 29]
    assert len(volume) == 4 * 24 - 1
    assert hours(sunday)[:3] == [("29 00:00", 1, 0), ("29 01:00", 1, 0), ("29 03:00", 2, 0)]
    autumn = calls("local_at utc_offset_s", ("2026-10-23 15:00:00", 7200), ("2026-10-26 09:00:00", 3600))
    volume = analyses.call_volume(autumn)
    sunday = volume[volume["local_at"].dt.day == 25]
    assert len(volume) == 4 * 24 + 1
    assert hours(sunday)[2:4] == [("25 02:00", 2, 0), ("25 02:00", 1, 0)]


def test_an_unknown_offset_loses_no_call() -> None:
    made = calls(
        "local_at utc_offset_s",
        ("2026-03-02 09:00:00", None),
        ("2026-03-02 10:00:00", 3600),
        ("2026-03-02 11:00:00", None),
    )
    volume = analyses.call_volume(made)
    assert volume["calls"].sum() == 3
    assert volume["utc_offset_s"].unique().tolist() == [3600]
    nowhere = analyses.call_volume(made.assign(utc_offset_s=pd.NA))
    assert nowhere["calls"].sum() == 3
    assert nowhere["utc_offset_s"].isna().all()


def test_two_phone_systems_in_two_zones_keep_their_hours_apart() -> None:
    made = calls(
        "pbx local_at utc_offset_s",
        ("clinic", "2026-03-02 09:00:00", 3600),
        ("office", "2026-03-02 09:30:00", -18000),
        ("clinic", "2026-03-02 23:00:00", 3600),
    )
    volume = analyses.call_volume(made, by="pbx")
    assert len(volume) == 24 * 2 * 2
    some = volume[volume["calls"] > 0]
    assert list(zip(some["pbx"], some["local_at"].dt.hour, some["utc_offset_s"], strict=True)) == [
        ("clinic", 9, 3600),
        ("office", 9, -18000),
        ("clinic", 23, 3600),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_call_volume_equals_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    period = Period(date(2026, 10, 14), date(2026, 10, 27))
    expected: Counter[tuple[pd.Timestamp, int, str]] = Counter()
    answered: Counter[tuple[pd.Timestamp, int, str]] = Counter()
    for call in made.to_pylist():
        at = pd.Timestamp(call["local_at"])
        if call["is_forward"] or not period.start <= at < period.end:
            continue
        key = (at.floor("h"), call["utc_offset_s"], call["outcome"])
        expected[key] += 1
        answered[key] += call["outcome"] == "answered"
    volume = as_arrow(analyses.call_volume(made, by="outcome", period=period)).to_pylist()
    assert len(volume) == (14 * 24 + 1) * len({outcome for _, _, outcome in expected})
    keys = [(pd.Timestamp(row["local_at"]), row["utc_offset_s"], row["outcome"]) for row in volume]
    assert len(set(keys)) == len(keys)
    assert {k: r["calls"] for k, r in zip(keys, volume, strict=True) if r["calls"]} == dict(expected)
    assert {k: r["answered"] for k, r in zip(keys, volume, strict=True) if r["answered"]} == {
        k: n for k, n in answered.items() if n
    }
    utc = [at - timedelta(seconds=offset) for at, offset, _ in keys]
    assert utc == sorted(utc)


@pytest.mark.parametrize("freq", ["1h", "1d", "1w", "1mo"])
def test_every_interval_length_counts_every_call(freq: analyses.volume.Freq) -> None:
    made = random_calls(3)
    callers = sum(not call["is_forward"] for call in made.to_pylist())
    volume = analyses.call_volume(made.to_pandas(), freq=freq)
    assert volume["calls"].sum() == callers
    assert not volume.duplicated([name for name in ("local_at", "utc_offset_s") if name in volume]).any()


def test_hour_of_week_by_hand() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-03-09 09:59:59",), ("2026-03-08 23:00:00",))
    week = analyses.hour_of_week(made, weekdays=EVERY_WEEKDAY)
    assert len(week) == 168
    monday, sunday = week.iloc[9], week.iloc[6 * 24 + 23]
    assert (monday["calls"], monday["days"], monday["calls_per_day"]) == (2, 2, 1.0)
    assert (sunday["weekday"], sunday["hour"], sunday["calls"], sunday["days"]) == (6, 23, 1, 1)
    assert week["calls"].sum() == 3


def test_hour_of_week_takes_its_days_from_the_period() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-04-06 09:00:00",))
    week = analyses.hour_of_week(made, period=Period.of("2026-03"), weekdays=EVERY_WEEKDAY)
    assert week["calls"].sum() == 1
    assert week.groupby("weekday")["days"].first().to_list() == [5, 5, 4, 4, 4, 4, 5]
    assert week.iloc[9]["calls_per_day"] == 0.2


def test_hour_of_week_without_days_is_na() -> None:
    week = analyses.hour_of_week(calls("local_at"))
    assert len(week) == 168
    assert week["calls_per_day"].isna().all()
    assert week["calls"].sum() == week["days"].sum() == 0
    assert (analyses.hour_of_week(calls("local_at"), period=Period.of("2026-W11"))["calls_per_day"] == 0).all()


def test_busy_hour_by_hand() -> None:
    # 09:40-10:40 holds four calls; no clock hour of that day holds more than three.
    made = calls(
        "local_at",
        ("2026-03-02 09:40:00",),
        ("2026-03-02 10:00:00",),
        ("2026-03-02 10:20:00",),
        ("2026-03-02 10:39:59",),
        ("2026-03-02 10:40:00",),
        ("2026-03-03 14:00:00",),
        ("2026-03-03 14:30:00",),
        ("2026-03-03 15:00:00",),
    )
    busy = analyses.busy_hour(made).set_index("hour")
    assert busy.index.to_list() == list(range(24))
    assert busy["peak_calls"].loc[[9, 10, 14, 15, 0]].to_list() == [4, 4, 2, 1, 0]
    assert busy["peak_at"].loc[9] == pd.Timestamp("2026-03-02 09:40:00")
    assert busy.index[busy["is_peak"]].to_list() == [9]
    assert busy.index[busy["is_busy_hour"]].to_list() == [10]
    assert busy["calls_per_day"].loc[10] == 2.0
    assert busy["days"].unique().tolist() == [2]


def test_sixty_minutes_are_sixty_minutes_when_the_clock_goes_back() -> None:
    made = calls("local_at utc_offset_s", ("2026-10-25 02:30:00", 7200), ("2026-10-25 02:31:00", 3600))
    assert analyses.busy_hour(made)["peak_calls"].max() == 1


@pytest.mark.parametrize("seed", range(5))
def test_busy_hour_equals_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    starts = sorted(
        (pd.Timestamp(c["local_at"]) - timedelta(seconds=c["utc_offset_s"]), pd.Timestamp(c["local_at"]))
        for c in made.to_pylist()
        if not c["is_forward"]
    )
    windows = [(sum(a <= b < a + timedelta(hours=1) for b, _ in starts), -n) for n, (a, _) in enumerate(starts)]
    most, earliest = max(windows)
    busy = analyses.busy_hour(made.to_pandas())
    peak = busy[busy["is_peak"]].iloc[0]
    assert (peak["peak_calls"], peak["peak_at"]) == (most, starts[-earliest][1])
    by_hour = Counter(at.hour for _, at in starts)
    assert busy["calls"].to_list() == [by_hour[hour] for hour in range(24)]
    assert busy["hour"][busy["is_busy_hour"]].item() == min(by_hour, key=lambda h: (-by_hour[h] / (21 + (h == 2)), h))
    days = (max(at for _, at in starts).date() - min(at for _, at in starts).date()).days + 1
    happened = [days + (hour == 2) for hour in range(24)]  # 02:00 of 25 October is there twice
    assert busy["days"].to_list() == happened
    assert busy["calls_per_day"].to_list() == pytest.approx([by_hour[hour] / happened[hour] for hour in range(24)])


@pytest.mark.parametrize("seed", range(6))
def test_peak_of_each_hour_equals_a_plain_loop(seed: int) -> None:
    draw = random.Random(seed)
    began = [
        (datetime(2026, 3, draw.randint(1, 3), draw.randint(8, 11), draw.randint(0, 59), draw.randint(0, 59)), offset)
        for offset in draw.choices([3600, 7200, 5437], [6, 3, 1], k=draw.choice([40, 400]))
    ]
    starts = sorted((at - timedelta(seconds=offset), offset, at) for at, offset in began)
    best: dict[int, tuple[int, datetime]] = {}
    for instant, _, at in starts:
        held = sum(instant <= other < instant + timedelta(hours=1) for other, _, _ in starts)
        if held > best.get(at.hour, (0, at))[0]:
            best[at.hour] = (held, at)
    busy = analyses.busy_hour(calls("local_at utc_offset_s", *began)).set_index("hour")
    assert busy["peak_calls"].to_dict() == {hour: best.get(hour, (0, None))[0] for hour in range(24)}
    assert busy["peak_at"].dropna().to_dict() == {hour: at for hour, (_, at) in best.items()}


def test_busy_hour_without_calls() -> None:
    busy = analyses.busy_hour(calls("local_at utc_offset_s"))
    assert len(busy) == 24
    assert not busy["is_busy_hour"].any()
    assert not busy["is_peak"].any()
    assert busy["peak_at"].isna().all()
    assert busy["calls_per_day"].isna().all()
    quiet = analyses.busy_hour(calls("local_at utc_offset_s"), period=Period.of("2026-03"))
    assert (quiet["calls_per_day"] == 0).all()


def test_an_empty_period_is_hours_with_0() -> None:
    volume = analyses.call_volume(calls("local_at"), period=Period.of("2026-03-02"))
    assert volume["calls"].to_list() == [0] * 24
    assert len(analyses.call_volume(calls("local_at"))) == 0
    assert len(analyses.call_volume(calls("local_at"), by="direction", period=Period.of("2026-03-02"))) == 0


def test_a_year_of_days() -> None:
    volume = analyses.call_volume(calls("local_at"), freq="1d", period=Period(date(2028, 1, 1), date(2028, 12, 31)))
    assert len(volume) == 366


@pytest.mark.parametrize("wrong", [{"freq": "15m"}, {"by": "caller"}])
def test_unknown_choices_name_the_known_ones(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="use one of"):
        analyses.call_volume(calls("local_at"), **wrong)  # type: ignore[arg-type]


def test_the_argument_is_not_changed() -> None:
    made = random_calls(1).to_pandas()
    before = made.copy(deep=True)
    analyses.call_volume(made, freq="1w", by="direction")
    analyses.busy_hour(made)
    pd.testing.assert_frame_equal(made, before)


def test_row_order_is_irrelevant() -> None:
    made = random_calls(2)
    turned = made.take(pa.array(range(len(made) - 1, -1, -1)))
    for analysis in (analyses.call_volume, analyses.hour_of_week, analyses.busy_hour):
        assert as_arrow(analysis(made)) == as_arrow(analysis(turned))


def test_band_of_even_days_is_that_of_a_count_whose_mean_is_uncertain() -> None:
    days = pd.date_range("2026-03-02", periods=28)
    made = pd.DataFrame({"pbx": "clinic", "local_at": (days + pd.Timedelta(hours=9)).repeat(10)})
    made = made.assign(utc_offset_s=3600, outcome="answered", is_forward=False)
    expected, size = 40.5 / 4, 40.5  # four such weekdays, no more spread than Poisson
    low, high = nbinom.ppf([0.025, 0.975], size, size / (size + expected))
    volume = analyses.call_volume(made, freq="1d")
    assert volume["low"].to_list() == [low] * 28
    assert volume["high"].to_list() == [high] * 28
    week = analyses.hour_of_week(made)
    assert week.loc[week["hour"] == 9, ["low", "high"]].to_numpy().tolist() == [[low, high]] * 7
    expected, size = 280.5 / 28, 280.5
    busy = analyses.busy_hour(made).set_index("hour").loc[9]
    assert [busy["low"], busy["high"]] == nbinom.ppf([0.025, 0.975], size, size / (size + expected)).tolist()


def test_band_holds_95_of_100_days_of_counts_that_spread_more_than_poisson() -> None:
    random = np.random.default_rng(7)
    profile = np.array([90, 60, 65, 70, 55, 20, 5])
    held = of = 0
    for _ in range(60):
        counts = random.poisson(np.tile(profile, 13) * random.gamma(20, 1 / 20, 91))
        days = pd.date_range("2026-03-02", periods=91)
        made = pd.DataFrame({"pbx": "clinic", "local_at": days[:84].repeat(counts[:84])})
        made = made.assign(utc_offset_s=0, outcome="answered", is_forward=False)
        bands = analyses.call_volume(made, freq="1d", period=Period(days[0].date(), days[83].date())).iloc[:7]
        held += int(((counts[84:] >= bands["low"]) & (counts[84:] <= bands["high"])).sum())
        of += 7
    assert 0.92 < held / of < 0.985


def test_no_band_from_one_day_or_for_parts() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",))
    assert analyses.call_volume(made, freq="1d")[["low", "high"]].isna().all(axis=None)
    assert analyses.hour_of_week(made)[["low", "high"]].isna().all(axis=None)
    assert analyses.busy_hour(made)[["low", "high"]].isna().all(axis=None)
    for options in ({"freq": "1d", "by": "direction"}, {"freq": "1w"}, {"freq": "1mo"}):
        assert not {"low", "high"} & set(analyses.call_volume(made, **options))
