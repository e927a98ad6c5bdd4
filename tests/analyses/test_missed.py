"""Missed callers: by hand, by plain loops, and at the edges of the period."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import pandas as pd
import pytest

from tests.analyses.by_loop import digits, keys
from tests.analyses.frames import as_arrow, calls, random_calls
from ucm_analytics import analyses
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

RUNS = {"repeat_callers by": {"by": "queue", "window_h": 24, "period": Period.of("2026-10")}}
DAY = "2026-03-02"
COLUMNS = "local_at direction caller callee outcome wait_s path"
ANNA, BEN = "12025550142", "12025550187"


def inbound(at: str, caller: str | None, outcome: str, wait_s: int = 20, path: str = "queue:6500") -> tuple[Any, ...]:
    return (f"{DAY} {at}", "inbound", caller, "12025550100", outcome, wait_s, path)


def outbound(at: str, callee: str, outcome: str) -> tuple[Any, ...]:
    return (f"{DAY} {at}", "outbound", "1004", callee, outcome, 5, f"external:{callee}")


def missed(*rows: tuple[Any, ...], period: Period | None = None) -> list[dict[str, Any]]:
    return analyses.missed_calls(calls(COLUMNS, *rows), period=period).to_dict("records")


def test_the_work_list_by_hand() -> None:
    rows = missed(
        inbound("09:00:00", ANNA, "abandoned", 30),
        inbound("09:05:00", ANNA, "voicemail", 40, "queue:6500 > voicemail:1004"),
        outbound("09:10:00", ANNA, "no_answer"),
        outbound("09:20:00", ANNA, "answered"),
        inbound("10:00:00", ANNA, "busy", 0, "extension:1004"),
        inbound("11:00:00", BEN, "abandoned", 15),
        inbound("11:10:00", BEN, "answered"),
    )
    assert [(r["status"], r["caller"], r["calls"], r["waited_s"], r["callbacks"]) for r in rows] == [
        ("open", ANNA, 1, 0, 0),
        ("reached", BEN, 1, 15, 0),
        ("returned", ANNA, 2, 70, 2),
    ]
    back = rows[2]
    assert (back["first_at"], back["last_at"]) == (pd.Timestamp(f"{DAY} 09:00"), pd.Timestamp(f"{DAY} 09:05"))
    assert (back["outcome"], back["ended_in"]) == ("voicemail", "voicemail:1004")
    assert (back["contact_at"], back["contact_s"]) == (pd.Timestamp(f"{DAY} 09:20"), 1200)
    assert rows[0]["ended_in"] == "extension:1004"
    assert pd.isna(rows[0]["contact_at"])
    assert pd.isna(rows[0]["contact_s"])


def test_an_outbound_call_that_nobody_answers_is_not_missed() -> None:
    assert missed(outbound("09:00:00", ANNA, "no_answer")) == []


def test_contact_before_the_call_does_not_count() -> None:
    (row,) = missed(outbound("08:00:00", ANNA, "answered"), inbound("09:00:00", ANNA, "abandoned"))
    assert (row["status"], row["callbacks"]) == ("open", 0)


@pytest.mark.parametrize("blank", ["anonymous", "", None, "Private", "0000"])
def test_withheld_numbers_are_never_taken_for_one_caller(blank: str | None) -> None:
    rows = missed(
        inbound("09:00:00", blank, "abandoned"),
        inbound("09:05:00", blank, "abandoned"),
        inbound("09:10:00", blank, "answered"),
    )
    assert [(row["status"], row["calls"]) for row in rows] == [("withheld", 1), ("withheld", 1)]


def test_a_number_dialled_in_another_form_is_the_same_caller() -> None:
    rows = missed(
        inbound("09:00:00", "+49305550142", "abandoned"),
        inbound("09:30:00", "+49895550142", "abandoned"),
        outbound("10:00:00", "0305550142", "answered"),
    )
    assert [(row["status"], row["caller"]) for row in rows] == [
        ("open", "+49895550142"),
        ("returned", "+49305550142"),
    ]


def test_the_international_number_is_used_where_there_is_one() -> None:
    made = calls(COLUMNS, inbound("09:00:00", "5550142", "abandoned"), outbound("10:00:00", "5550142", "answered"))
    numbered = made.assign(caller_number=["+12025550142", None], callee_number=[None, "+13035550142"])
    assert analyses.missed_calls(made)["status"].to_list() == ["returned"]
    assert analyses.missed_calls(numbered)["status"].to_list() == ["open"]


def test_numbers_that_end_alike() -> None:
    assert digits("(202) 555-0142") == "2025550142"
    assert keys(["12025550142", "13025550142"]) == {"12025550142": "12025550142", "13025550142": "13025550142"}
    # The short writing fits both, so it is neither.
    assert keys(["1305550142", "49305550142", "305550142"])["305550142"] == "305550142"
    # Each ends the next: one number with and without area, country and line prefix.
    assert set(keys(["912025550142", "12025550142", "2025550142"]).values()) == {"912025550142"}
    # Too short to say.
    assert keys(["5550142", "12025550142"])["5550142"] == "5550142"


@pytest.mark.parametrize("seed", range(4))
def test_missed_calls_equal_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    waiting: dict[str, dict[str, Any]] = {}
    expected = []
    rows = [row for row in made.to_pylist() if not row["is_forward"]]
    forms = {number: key for row in rows for number, key in keys([row["caller"], row["callee"]]).items()}
    forms = keys([*forms])
    for n, row in enumerate(sorted(rows, key=lambda r: r["local_at"].timestamp() - r["utc_offset_s"])):
        utc = row["local_at"].timestamp() - row["utc_offset_s"]
        answered = row["outcome"] == "answered"
        if row["direction"] == "outbound":
            caller = forms.get(row["callee"])
            if caller in waiting:
                waiting[caller]["callbacks"] += 1
                if answered:
                    expected.append(waiting.pop(caller) | {"status": "returned", "contact_s": utc})
        elif row["direction"] == "inbound":
            caller = forms.get(row["caller"], f"withheld {n}")
            if answered and caller in waiting:
                expected.append(waiting.pop(caller) | {"status": "reached", "contact_s": utc})
            elif not answered:
                start = {"status": "open", "calls": 0, "waited_s": 0, "callbacks": 0, "first": utc, "contact_s": None}
                this = waiting.setdefault(caller, start)
                this["calls"] += 1
                this["waited_s"] += row["wait_s"]
    expected += waiting.values()
    for row in expected:
        row["contact_s"] = row["contact_s"] and round(row["contact_s"] - row.pop("first"))
        row.pop("first", None)
    names = ("status", "calls", "waited_s", "callbacks", "contact_s")
    found = [{name: row[name] for name in names} for row in as_arrow(analyses.missed_calls(made)).to_pylist()]
    assert sorted(map(str, found)) == sorted(str({name: row[name] for name in names}) for row in expected)


def curve(*rows: tuple[Any, ...], period: Period | None = None) -> pd.DataFrame:
    return analyses.time_to_callback(calls(COLUMNS, *rows), period=period)


def test_the_curve_by_hand() -> None:
    # Four callers: reached after 1 h, called back after 2 h, two open; the period ends at midnight.
    rows = [inbound(f"1{n}:00:00", f"1202555014{n}", "abandoned") for n in range(4)]
    rows += [inbound("11:00:00", "12025550140", "answered"), outbound("13:00:00", "12025550141", "answered")]
    found = curve(*rows, period=Period.of(DAY))
    assert found["after_s"].to_list() == [0, 3600, 7200]
    assert found["calls"].to_list() == [4, 4, 3]
    assert found["open_rate"].to_list() == [1, 0.75, 0.5]
    assert found["reached_rate"].to_list() == [0, 0.25, 0.25]
    assert found["returned_rate"].to_list() == [0, 0, 0.25]
    # Greenwood with 1/(4*3) + 1/(3*2) on log(-log S): 0.5 ** exp(+-1.95996 * 0.5 / ln 0.5)
    theta = 1.959963985 * math.sqrt(1 / 12 + 1 / 6) / math.log(0.5)
    assert found["open_low"].iloc[2] == pytest.approx(0.5 ** math.exp(-theta))
    assert found["open_high"].iloc[2] == pytest.approx(0.5 ** math.exp(theta))
    assert pd.isna(found["open_low"].iloc[0])


def test_who_was_missed_late_leaves_the_risk_set_and_not_the_curve() -> None:
    # Missed at 23:00: watched for one hour only. The other is reached after two hours, when one is at risk.
    rows = [inbound("10:00:00", ANNA, "abandoned"), inbound("12:00:00", ANNA, "answered")]
    found = curve(*rows, inbound("23:00:00", BEN, "abandoned"), period=Period.of(DAY))
    assert found["calls"].to_list() == [2, 1]
    assert found["open_rate"].to_list() == [1, 0]
    early = curve(*rows, inbound("09:00:00", BEN, "abandoned"), period=Period.of(DAY))
    assert early["open_rate"].to_list() == [1, 0.5]


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_equals_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    period = Period.of("2026-10-12", "2026-11-01")
    end = pd.Timestamp(period.end).timestamp() - 3600
    watched = []
    for row in as_arrow(analyses.missed_calls(made)).to_pylist():
        if row["status"] == "withheld":
            continue
        if row["contact_s"] is not None:
            watched.append((row["contact_s"], row["status"]))
        else:
            offsets = [r["utc_offset_s"] for r in made.to_pylist() if r["local_at"] == row["first_at"]]
            watched.append((round(end - (row["first_at"].timestamp() - offsets[0])), "open"))
    open_rate = 1.0
    expected = []
    for time in sorted({after for after, status in watched if status != "open"}):
        at_risk = sum(after >= time for after, _ in watched)
        events = sum(after == time and status != "open" for after, status in watched)
        open_rate *= 1 - events / at_risk
        expected.append((time, at_risk, pytest.approx(open_rate)))
    found = as_arrow(analyses.time_to_callback(made, period=period)).to_pylist()
    assert [(row["after_s"], row["calls"], row["open_rate"]) for row in found[1:]] == expected
    for row in found:
        assert row["open_rate"] + row["returned_rate"] + row["reached_rate"] == pytest.approx(1)


def test_repeats_by_hand() -> None:
    made = calls(
        "local_at caller direction",
        ("2026-03-02 09:00:00", ANNA, "inbound"),
        ("2026-03-04 09:00:00", ANNA, "inbound"),  # first: nothing in the 24 h before; followed
        ("2026-03-05 08:00:00", ANNA, "inbound"),  # repeat, not followed
        ("2026-03-06 09:00:00", BEN, "inbound"),  # first, not followed: settled
        ("2026-03-06 09:00:00", "anonymous", "inbound"),
        ("2026-03-06 10:00:00", "anonymous", "inbound"),
        ("2026-03-06 10:00:00", BEN, "outbound"),
        ("2026-03-08 10:00:00", BEN, "inbound"),  # window not over
    )
    period = Period.of("2026-03-02", "2026-03-08")
    (row,) = analyses.repeat_callers(made, window_h=24, by=None, period=period).to_dict("records")
    counts = [row[name] for name in ("calls", "withheld", "undecided", "decided", "followed")]
    assert counts == [7, 2, 1, 4, 1]
    # The call of 2 March has only nine hours before it: whether it is a first call is not known.
    assert (row["first_calls"], row["settled"]) == (2, 1)
    assert (row["repeat_rate"], row["fcr_rate"]) == (0.25, 0.5)
    assert (row["repeat_low"], row["repeat_high"]) == (
        pytest.approx(0.04559, abs=1e-5),
        pytest.approx(0.69936, abs=1e-5),
    )


def test_a_period_shorter_than_the_window_decides_nothing() -> None:
    made = calls("local_at caller", (f"{DAY} 09:00:00", ANNA), (f"{DAY} 10:00:00", ANNA))
    (row,) = analyses.repeat_callers(made, by=None, period=Period.of(DAY)).to_dict("records")
    assert (row["undecided"], row["decided"]) == (2, 0)
    assert pd.isna(row["repeat_rate"])
    assert pd.isna(row["repeat_low"])
    assert pd.isna(row["fcr_rate"])


@pytest.mark.parametrize("seed", range(3))
def test_repeats_equal_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    rows = [r for r in made.to_pylist() if r["direction"] == "inbound" and not r["is_forward"]]
    for row in rows:
        row["utc"] = row["local_at"].timestamp() - row["utc_offset_s"]
    begin, end = min(row["utc"] for row in rows), max(row["utc"] for row in rows)
    window = 24 * 3600
    expected: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    ordered = sorted(rows, key=lambda row: row["utc"])
    for n, row in enumerate(ordered):
        same = [other["utc"] - row["utc"] for other in ordered if other["caller"] == row["caller"]]
        twin = sum(other["utc"] == row["utc"] and other["caller"] == row["caller"] for other in ordered[n + 1 :])
        followed = bool(twin) or any(0 < gap <= window for gap in same)
        count = expected[row["outcome"]]
        count[0] += 1
        if row["utc"] + window <= end:
            first = row["utc"] - window >= begin and not any(-window <= gap < 0 for gap in same)
            count[1] += 1
            count[2] += followed
            count[3] += first
            count[4] += first and not followed
    found = as_arrow(analyses.repeat_callers(made, window_h=24)).to_pylist()
    names = ("calls", "decided", "followed", "first_calls", "settled")
    assert {row["outcome"]: [row[name] for name in names] for row in found} == dict(expected)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(SettingError, match="window_h=0 is no window"):
        analyses.repeat_callers(calls("local_at"), window_h=0)
    with pytest.raises(SettingError, match="cannot split by 'caller'"):
        analyses.repeat_callers(calls("local_at"), by="caller")  # type: ignore[arg-type]
