"""Service level by every formula, and the spread of waits, by hand and by a plain loop."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.analyses.frames import as_arrow, steps
from tests.analyses.visits import random_visits, visits
from ucm_analytics import analyses

# A = 1000, AB = 60, A≤20 = 860, AB≤20 = 20, AB>20 = 40, AB≤5 = 10: waits on the very edges
PUBLISHED = visits(
    ("answered", 0, 400), ("answered", 20, 460), ("answered", 21, 140),
    ("hung_up", 5, 10), ("hung_up", 6, 5), ("hung_up", 20, 5), ("hung_up", 21, 40),
)  # fmt: skip


def levels(made: Any, **choices: Any) -> dict[str, float]:
    result = analyses.service_level(made, **choices)
    return dict(zip(result["variant"].astype(str), result["service_level"], strict=True))


def test_the_published_numbers_come_out() -> None:
    found = levels(PUBLISHED)
    assert {name: round(100 * level, 4) for name, level in found.items() if name != "sl_genesys"} == {
        "sl_f1": 83.0189,
        "sl_f2": 86.0,
        "sl_f3": 81.1321,
        "sl_f4": 82.6923,
        "sl_f5": 82.0755,
    }
    published = [("sl_f1", 83), ("sl_f2", 86), ("sl_f3", 81), ("sl_f4", 83)]
    assert [(name, round(100 * found[name])) for name, _ in published] == published


@pytest.mark.parametrize(
    ("switches", "below"),
    [
        ({}, 5 + 6),
        ({"include_short": False}, 5 + 6 - 2),
        ({"include_abandoned": False}, 5),
        ({"include_abandoned": False, "include_short": False}, 5),  # the short ones are not taken off twice
        ({"include_overflowed": True}, 5 + 6 + 3),
        ({"include_short": False, "include_overflowed": True}, 5 + 6 - 2 + 3),
    ],
)
def test_the_switches_of_genesys(switches: dict[str, bool], below: int) -> None:
    made = visits(
        ("answered", 20, 4), ("answered", 21), ("hung_up", 4, 2), ("hung_up", 5), ("hung_up", 30, 3), ("next", 90, 3)
    )
    result = analyses.service_level(made, **switches).set_index("variant")
    assert result.loc["sl_genesys", ["numerator", "denominator"]].to_list() == [4, below]
    assert levels(made, **switches)["sl_f1"] == pytest.approx((4 + 3) / 11)  # the switches are for one formula only


def test_an_abandon_of_exactly_the_threshold() -> None:
    made = visits(("answered", 1), ("hung_up", 5))
    assert levels(made)["sl_f5"] == 1  # 5 s is within 5 s
    assert analyses.queues(made)["abandoned_short"].item() == 0  # and no short abandon, which is below 5 s


def test_overflow_is_in_no_formula_unless_switched_on() -> None:
    made = visits(("answered", 5), ("next", 5, 9), ("busy", 5))
    assert set(levels(made).values()) == {1.0}
    assert levels(made, include_overflowed=True)["sl_genesys"] == 0.1


def test_no_calls_have_no_service_level() -> None:
    assert len(analyses.service_level(visits())) == 0
    only_overflow = analyses.service_level(visits(("next", 90)))
    assert only_overflow["service_level"].isna().all()
    assert only_overflow["offered"].to_list() == [1] * 6
    nobody_answered = levels(visits(("hung_up", 30)))
    assert pd.isna(nobody_answered["sl_f2"])  # nobody was answered: not 0, not 100 %
    assert nobody_answered["sl_f1"] == 0


def test_the_headline_is_the_one_chosen() -> None:
    result = analyses.service_level(PUBLISHED, headline="sl_f4")
    assert result.loc[result["is_headline"], "variant"].to_list() == ["sl_f4"]
    assert analyses.service_level(PUBLISHED)["is_headline"].to_list() == [True] + [False] * 5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("target", "short"), [(20, 5), (5, 10), (0, 0)])
def test_service_level_equals_a_plain_loop(seed: int, target: int, short: int) -> None:
    made = random_visits(seed)
    result = as_arrow(analyses.service_level(made, target_s=target, short_s=short, include_short=False)).to_pylist()
    for row in result:
        mine = [
            visit
            for visit in made.to_pylist()
            if (visit["kind"], visit["pbx"], visit["target"]) == ("queue", row["pbx"], row["queue"])
        ]
        a = [visit["wait_s"] for visit in mine if visit["result"] == "answered"]
        ab = [visit["wait_s"] for visit in mine if visit["result"] == "hung_up"]
        good = sum(w is not None and w <= target for w in a)
        left = sum(w is not None and w <= target for w in ab)
        above, below = {
            "sl_f1": (good + left, len(a) + len(ab)),
            "sl_f2": (good, len(a)),
            "sl_f3": (good, len(a) + len(ab)),
            "sl_f4": (good, len(a) + len(ab) - left),
            "sl_f5": (good + sum(w is not None and w <= short for w in ab), len(a) + len(ab)),
            "sl_genesys": (good, len(a) + len(ab) - sum(w is not None and w < short for w in ab)),
        }[row["variant"]]
        assert (row["numerator"], row["denominator"], row["offered"]) == (above, below, len(mine))
        assert row["service_level"] == pytest.approx(above / below)


def test_waits_by_hand() -> None:
    made = visits(("answered", 0), ("answered", 10), ("answered", 11), ("hung_up", 400), ("hung_up", 401), ("next", 5))
    result = analyses.queue_waits(made)
    answered, abandoned = result[:41], result[41:]
    assert answered["result"].unique().tolist() == ["answered"]
    assert answered["calls"].to_list() == [2, 1] + [0] * 39
    assert abandoned["calls"].to_list() == [0] * 39 + [1, 1]
    assert answered["from_s"].to_list() == abandoned["from_s"].to_list() == list(range(0, 410, 10))
    assert pd.isna(answered["to_s"].iloc[-1])
    assert answered["share"].iloc[0] == pytest.approx(2 / 3)


def test_waits_of_one_queue_and_of_none() -> None:
    made = steps(
        "kind target result wait_s",
        ("queue", "6500", "answered", 5), ("queue", "6501", "answered", 5), ("queue", "6501", "hung_up", 5),
    )  # fmt: skip
    assert analyses.queue_waits(made)["calls"].sum() == 3
    assert analyses.queue_waits(made, queue="6501")["calls"].sum() == 2
    nothing = analyses.queue_waits(made, queue="6599")
    assert len(nothing) == 82
    assert nothing["share"].isna().all()


@pytest.mark.parametrize("bin_s", [5, 10, 20])
@pytest.mark.parametrize("target", [0, 20, 60, 100])
def test_the_bins_up_to_the_target_are_what_is_within_it(bin_s: int, target: int) -> None:
    for made in (PUBLISHED, random_visits(4).to_pandas().dropna(subset="wait_s")):
        waits = analyses.queue_waits(made, bin_s=bin_s)
        level = analyses.service_level(made, target_s=target).groupby("variant", observed=True)["numerator"].sum()
        if target:
            within = waits[waits["to_s"] <= target].groupby("result", observed=True)["calls"].sum()
            assert within["answered"] == level["sl_f3"]
            assert within["answered"] + within["abandoned"] == level["sl_f1"]
        else:
            queues = made[made["kind"] == "queue"]
            at_once = (queues["result"] == "answered") & (queues["wait_s"] == 0)
            assert level["sl_f3"] == at_once.sum()
