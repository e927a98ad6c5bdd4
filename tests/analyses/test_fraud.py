"""Signs of toll fraud: each rule by hand at its threshold, and nothing on ordinary days."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import pytest

from tests.analyses.by_loop import international, number_outside
from tests.analyses.frames import as_arrow, calls, random_calls, sent_out
from ucm_analytics import analyses
from ucm_analytics.analyses.dialling import in_full
from ucm_analytics.analyses.fraud import RULES
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

RUNS = {"fraud_signals": {"home": "1"}, "fraud_evidence": {"period": Period.of("2026-10")}}
COLUMNS = "local_at direction caller callee outcome talk_s duration_s"
UK, SATELLITE, HOME = "+442079460142", "+881655501", "+493055550142"
NIGHT, NOON = "2026-03-04 02:00", "2026-03-04 12:00"


def outbound(
    at: str, callee: str = UK, talk_s: int = 60, caller: str = "1004", outcome: str = "answered"
) -> tuple[Any, ...]:
    return (at, "outbound", caller, callee, outcome, talk_s, talk_s + 5)


def every(at: str, seconds: int, count: int, callee: str = UK, **more: Any) -> list[tuple[Any, ...]]:
    start = pd.Timestamp(at)
    return [outbound(str(start + pd.Timedelta(seconds=seconds * n)), callee, **more) for n in range(count)]


def signals(*rows: tuple[Any, ...], **arguments: Any) -> list[dict[str, Any]]:
    return analyses.fraud_signals(calls(COLUMNS, *rows), **({"home": "49"} | arguments)).to_dict("records")


def scores(*rows: tuple[Any, ...], **arguments: Any) -> dict[str, int]:
    return {row["rule"]: row["score"] for row in signals(*rows, **arguments)}


def test_calls_abroad_at_night() -> None:
    assert scores(*every(NIGHT, 300, 2)) == {}
    (row,) = signals(*every(NIGHT, 300, 3))
    assert (row["rule"], row["score"], row["calls"], row["extension"]) == ("night", 50, 3, "1004")
    assert (row["area"], row["talk_s"]) == ("+44 Britain (UK) and others", 180)
    assert (row["first_at"], row["last_at"]) == (pd.Timestamp(NIGHT), pd.Timestamp("2026-03-04 02:10"))
    assert scores(*every(NIGHT, 300, 6))["night"] == 75
    assert scores(*every(NOON, 300, 6)) == {}
    assert scores(*every(NIGHT, 300, 6, HOME)) == {}
    # One call to a satellite is enough: strength 1/3, doubled for its price.
    assert scores(outbound(NIGHT, SATELLITE)) == {"night": 37}
    assert scores(*every(NIGHT, 300, 6), open_hours=(0, 24)) == {}


def test_calls_that_the_pbx_sends_on_abroad() -> None:
    """Somebody set a phone's forwarding to a number abroad, and calls it from several numbers."""
    rows = [(*row[:2], f"1202555014{n}", *row[3:], True) for n, row in enumerate(every(NIGHT, 10, 4, talk_s=300))]
    made = calls(f"{COLUMNS} is_forward", *rows)
    (signal,) = analyses.fraud_signals(made, home="49").to_dict("records")
    assert (signal["rule"], signal["calls"], signal["score"]) == ("night", 4, 60)
    assert pd.isna(signal["extension"])
    assert analyses.fraud_evidence(made, home="49")["extension"].isna().all()
    # the same from one phone would be at once too
    by_phone = analyses.fraud_signals(made.assign(is_forward=False, caller="1004"), home="49")
    assert by_phone["rule"].to_list() == ["at_once", "night"]


def test_a_weekend_is_closed_and_a_night_is_one_night() -> None:
    assert scores(*every("2026-03-07 12:00", 300, 3)) == {"night": 50}
    over_midnight = [*every("2026-03-03 23:50", 300, 2), *every("2026-03-04 00:10", 300, 1)]
    assert scores(*over_midnight) == {"night": 50}
    two_nights = [*every("2026-03-03 23:50", 300, 2), *every("2026-03-04 23:50", 300, 2)]
    assert scores(*two_nights) == {}


def test_a_burst_to_numbers_that_begin_alike() -> None:
    assert scores(*every(NOON, 300, 9)) == {}
    (row,) = signals(*every(NOON, 300, 10))
    assert (row["rule"], row["score"], row["measured"]) == ("burst", 50, 10)
    # Nine an hour for two hours is no burst; the window is 60 minutes, half-open.
    assert scores(*every(NOON, 400, 18)) == {}
    (row,) = signals(*every(NOON, 300, 12), *every("2026-03-04 15:00", 60, 10, "+442079460199", caller="1005"))[:1]
    assert row["measured"] == 12
    from_many = [outbound(f"2026-03-04 12:{n:02}:00", UK, caller=f"10{n:02}") for n in range(10)]
    (row,) = signals(*from_many)
    assert (row["rule"], row["calls"]) == ("burst", 10)
    assert pd.isna(row["extension"])


def test_many_short_calls() -> None:
    numbers = [f"+4420794{n}0142" for n in range(10)] + [f"+331990{n}0142" for n in range(10)]
    rows = [outbound(f"2026-03-04 12:{2 * n:02}:00", number, 8) for n, number in enumerate(numbers)]
    assert scores(*rows)["short"] == 75
    assert "short" not in scores(*[(*row[:5], 11, 16) for row in rows])


def test_a_long_call_to_a_rare_country() -> None:
    usual = [outbound(f"2026-03-{day:02} 10:{n:02}:00", UK, 60) for day in (2, 3, 4, 5) for n in range(0, 50, 10)]
    assert scores(*usual, outbound("2026-03-05 15:00", "+33199001234", 3600))["long"] == 50
    assert "long" not in scores(*usual, outbound("2026-03-05 15:00", "+33199001234", 3599))
    assert "long" not in scores(*usual, outbound("2026-03-05 15:00", UK, 7200))
    assert scores(*usual, outbound("2026-03-05 15:00", SATELLITE, 3600))["long"] == 75


def test_calls_at_the_same_time() -> None:
    rows = [outbound(f"2026-03-04 12:0{n}:00", HOME, 595) for n in range(3)]
    (row,) = signals(*rows)
    assert (row["rule"], row["score"], row["calls"]) == ("at_once", 50, 3)
    # Back to back is not at once: each lasts to the second in which the next begins.
    assert scores(*every(NOON, 600, 5, HOME, talk_s=595)) == {}
    assert scores(*(outbound(f"2026-03-04 12:0{n}:00", HOME, 595, caller=f"100{n}") for n in range(3))) == {}


def test_a_country_never_called_before() -> None:
    usual = [outbound(f"2026-03-{day:02} 10:00:00", UK) for day in range(2, 20)]
    (row,) = signals(*usual, outbound("2026-03-19 11:00", "+33199001234"))
    assert (row["rule"], row["score"], row["area"]) == ("first_time", 50, "+33 France")
    assert scores(*usual, outbound("2026-03-19 11:00", SATELLITE)) == {"first_time": 75}
    # Nothing is known of the first two weeks.
    assert scores(*usual[:10], outbound("2026-03-15 11:00", "+33199001234")) == {}


def test_the_evidence_is_the_calls() -> None:
    made = calls(COLUMNS, *every(NIGHT, 300, 12), *every("2026-03-07 12:00", 60, 1, SATELLITE), outbound(NOON))
    found = analyses.fraud_signals(made, home="49")
    evidence = analyses.fraud_evidence(made, home="49")
    assert found["signal"].to_list() == [1, 2, 3]
    assert found["score"].is_monotonic_decreasing
    for row in found.to_dict("records"):
        part = evidence[evidence["signal"] == row["signal"]]
        assert len(part) == row["calls"]
        assert part["talk_s"].sum() == row["talk_s"]
        assert set(part["rule"]) == {row["rule"]}
        assert set(part["call_id"]) <= set(made["call_id"])
    assert Counter(evidence["rule"]) == {"night": 13, "burst": 12}


def test_calls_before_the_period_only_tell_what_is_usual() -> None:
    rows = [*every(NIGHT, 300, 6), outbound("2026-03-25 11:00", "+33199001234")]
    assert scores(*rows, period=Period.of("2026-03-25")) == {"first_time": 50}
    assert scores(*rows, period=Period.of("2026-03-04")) == {"night": 75}


def test_home_is_the_country_called_most() -> None:
    rows = [*every(NIGHT, 300, 6), *every(NOON, 1000, 4, HOME)]
    assert scores(*rows, home="") == {}
    assert scores(*rows, home="49") == {"night": 75}


def test_every_rule_is_found_and_described() -> None:
    assert set(RULES) == {"night", "burst", "short", "long", "at_once", "first_time"}
    rows = [outbound(f"2026-02-{day:02} 10:00:00", UK) for day in range(2, 20)]
    rows += every(NIGHT, 30, 12, SATELLITE, talk_s=5, caller="1005")
    rows += [outbound(f"2026-03-05 12:0{n}:00", SATELLITE, 4000, caller="1006") for n in range(3)]
    assert set(scores(*rows)) == set(RULES)


@pytest.mark.parametrize("seed", range(3))
def test_nights_equal_a_plain_loop(seed: int) -> None:
    made = sent_out(random_calls(seed, 900))
    nights: Counter[tuple[str | None, str]] = Counter()
    dear = set()
    for row in made.to_pylist():
        out = number_outside(row)
        number = (out or "").replace(" ", "").removeprefix("+").removeprefix("00")
        abroad = number.startswith(("44", "881"))
        at = row["local_at"]
        closed = at.weekday() > 4 or not 7 <= at.hour < 20
        if out is not None and abroad and closed:
            inside = not row["is_forward"] and row["direction"] in ("outbound", "internal")
            key = (row["caller"] if inside else None, str((at - pd.Timedelta(hours=12)).date()))
            nights[key] += 1
            dear |= {key} if number.startswith("881") else set()
    expected = sorted(n for key, n in nights.items() if n >= 3 or key in dear)
    found = as_arrow(analyses.fraud_signals(made, home="1")).to_pylist()
    assert sorted(row["calls"] for row in found if row["rule"] == "night") == expected
    assert expected


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SettingError, match="no hours of a day"):
        analyses.fraud_signals(calls(COLUMNS), open_hours=(20, 7))
    with pytest.raises(SettingError, match="home='X' is no country code"):
        analyses.fraud_evidence(calls(COLUMNS), home="X")


@pytest.mark.parametrize("home", ["", "1", "49"])
def test_numbers_lie_where_the_plain_functions_say(home: str) -> None:
    numbers = ["+49 (0)30", "00442079460142", "011442079460142", "12025550142", "2025550142", "0305550142", "0", "00"]
    numbers += ["5550", "1004", "anonymous", "", "+", "+881655501", "+999555", "8816555014", "+7", "0 0", " +44 20"]
    found = in_full(pd.Series([*numbers, None], dtype="str"), home)
    assert [None if pd.isna(full) else full for full in found] == [international(n, home) for n in (*numbers, None)]
