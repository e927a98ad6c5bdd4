"""Who calls: by hand and by a plain loop."""

from __future__ import annotations

import math
from collections import Counter

import pandas as pd
import pytest

from tests.analyses.by_loop import international, longest_prefix
from tests.analyses.frames import as_arrow, calls, random_calls
from ucm_analytics import analyses
from ucm_analytics.analyses.dialling import _CODES, areas, codes, in_full
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

RUNS = {"top_callers": {"top": 2}, "caller_areas": {"digits": 3}}
ANNA, BEN = "12025550142", "13035550187"


def test_top_callers_by_hand() -> None:
    made = calls(
        "local_at direction caller caller_name outcome talk_s is_forward",
        ("2026-03-02 09:00:00", "inbound", ANNA, "Anna", "answered", 60, False),
        ("2026-03-03 09:00:00", "inbound", ANNA, None, "abandoned", 0, False),
        ("2026-03-04 09:00:00", "inbound", "+1 202 555 0142", None, "answered", 40, False),
        ("2026-03-04 09:00:00", "inbound", BEN, None, "voicemail", 0, False),
        ("2026-03-04 10:00:00", "inbound", "anonymous", None, "answered", 9, False),
        ("2026-03-04 11:00:00", "outbound", "1004", None, "answered", 9, False),
        ("2026-03-04 12:00:00", "inbound", BEN, None, "answered", 9, True),
    )
    found = analyses.top_callers(made)
    assert found["caller"].to_list() == [ANNA, BEN]
    assert found["caller_name"].fillna("").to_list() == ["Anna", ""]
    assert found["calls"].to_list() == [3, 1]
    assert found["share"].to_list() == [0.75, 0.25]
    assert found["answered_rate"].to_list() == [pytest.approx(2 / 3), 0]
    assert found["talk_s"].to_list() == [100, 0]
    assert found["last_at"].iloc[0] == pd.Timestamp("2026-03-04 09:00")
    assert analyses.top_callers(made, top=1)["share"].to_list() == [0.75]
    assert analyses.top_callers(made, period=Period.of("2026-03-02"))["calls"].to_list() == [1]


def test_concentration_by_hand() -> None:
    # Twelve callers: one calls 9 times, eleven once; two calls show no number.
    rows = [(f"1202555{n:04}",) for n in range(100, 111)] + [(ANNA,)] * 9 + [("anonymous",), (None,)]
    found = analyses.caller_concentration(calls("caller", *rows))
    assert found["callers"].to_list() == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    assert found["calls"].to_list() == [10, 11, 12, 13, 14, 16, 17, 18, 19, 20]
    assert found["share"].iloc[0] == 0.5
    assert found["withheld"].unique().tolist() == [2]
    entropy = -(9 / 20 * math.log2(9 / 20) + 11 / 20 * math.log2(1 / 20))
    assert found["entropy"].iloc[0] == pytest.approx(entropy)
    assert found["evenness"].iloc[0] == pytest.approx(entropy / math.log2(12))


def test_one_caller_has_no_evenness_and_no_entropy() -> None:
    found = analyses.caller_concentration(calls("caller", (ANNA,), (ANNA,)))
    assert found["entropy"].unique().tolist() == [0]
    assert found["evenness"].isna().all()
    assert found["share"].unique().tolist() == [1]


def test_areas_by_hand() -> None:
    rows = ["+442079460142", "0044 20 7946 0143", "0305550142", "2025550142", "5550", "anonymous", "+999555"]
    found = analyses.caller_areas(calls("caller", *((written,) for written in rows)))
    assert dict(zip(found["area"], found["calls"], strict=True)) == {
        "+44 Britain (UK) and others": 2,
        "national": 1,
        "+20 Egypt": 1,  # ten digits without a leading zero are taken as international, unless home is 1
        "internal": 2,
        "withheld": 1,
    }
    at_home = analyses.caller_areas(calls("caller", *((written,) for written in rows)), home="1", digits=3)
    assert at_home["prefix"].dropna().to_list() == ["44207", "1202"]


def test_numbers_in_international_form() -> None:
    assert international("+49 (0)30", "") == "49030"
    assert international("00442079460142", "49") == "442079460142"
    assert international("011442079460142", "1") == "442079460142"
    assert international("12025550142", "1") == "12025550142"
    assert international("0305550142", "49") == "49305550142"
    assert international("0305550142", "") is None
    assert international("anonymous", "49") is None
    assert international(None, "49") is None
    assert longest_prefix("8816555014", ["", "88", "881"]) == "881"
    assert longest_prefix("8816555014", ["7"]) is None


def test_no_country_code_begins_another() -> None:
    assert not [(a, b) for a in _CODES for b in _CODES if a != b and b.startswith(a)]


def test_codes_and_their_names() -> None:
    full = pd.Series(["8816555014", "2995550142", "12025550142", "999555", "38344555014", "4", None], dtype="str")
    code = codes(full)
    assert code.fillna("").to_list() == ["881", "299", "1", "", "383", "", ""]
    named = ["+881 satellite networks", "+299 Greenland", "+1 North America", "", "+383 XK", "", ""]
    assert areas(code).fillna("").to_list() == named


@pytest.mark.parametrize(
    ("home", "written", "full"),
    [
        ("39", "0612345678", "390612345678"),  # no trunk prefix: the zero belongs to the number
        ("34", "912345678", "34912345678"),  # national numbers of nine digits
        ("34", "442079460142", "442079460142"),
        ("7", "84955550142", "74955550142"),  # trunk prefix 8
        ("7", "810442079460142", "442079460142"),  # abroad by 810
        ("36", "0615550142", "3615550142"),  # trunk prefix 06
        ("61", "0011442079460142", "442079460142"),
        ("81", "010442079460142", "442079460142"),
        ("81", "0335550142", "81335550142"),
        ("881", "0035550142", "35550142"),
    ],
)
def test_one_dials_as_the_country_does(home: str, written: str, full: str) -> None:
    assert in_full(pd.Series([written], dtype="str"), home).to_list() == [full]


@pytest.mark.parametrize("seed", range(3))
def test_callers_equal_a_plain_loop(seed: int) -> None:
    made = random_calls(seed)
    rows = [r for r in made.to_pylist() if r["direction"] == "inbound" and not r["is_forward"]]
    count = Counter(r["caller"] for r in rows)
    answered = Counter(r["caller"] for r in rows if r["outcome"] == "answered")
    found = as_arrow(analyses.top_callers(made)).to_pylist()
    assert {r["caller"]: (r["calls"], r["answered"]) for r in found} == {c: (n, answered[c]) for c, n in count.items()}
    assert sum(r["share"] for r in found) == pytest.approx(1)
    areas = as_arrow(analyses.caller_areas(made)).to_pylist()
    assert {r["area"]: r["calls"] for r in areas} == {
        "+1 North America": count[ANNA],
        "internal": count["1004"] + count["1005"],
    }


def test_wrong_arguments_are_refused() -> None:
    made = calls("caller")
    with pytest.raises(SettingError, match="top=0 lists nobody"):
        analyses.top_callers(made, top=0)
    with pytest.raises(SettingError, match="home='DE' is no country code"):
        analyses.caller_areas(made, home="DE")
    with pytest.raises(SettingError, match="digits=-1 is negative"):
        analyses.caller_areas(made, digits=-1)
