"""Every way in which a call leaves by a trunk costs the same, and looks the same to whoever looks for fraud."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.analyses.frames import calls
from ucm_analytics import analyses

SATELLITE = "+8816555012"
TARIFF = pd.DataFrame({"prefix": ["881", ""], "per_minute": [5.0, 0.0], "setup": 0.0, "rounding_s": 1})
COLUMNS = "local_at direction caller callee path outcome talk_s duration_s is_forward trunk"
WAYS: dict[str, tuple[str, str, str, bool]] = {
    "dialled": ("outbound", SATELLITE, f"external:{SATELLITE}", False),
    "trunk to trunk": ("external", SATELLITE, f"external:{SATELLITE}", False),
    "follow-me": ("outbound", SATELLITE, f"external:{SATELLITE}", True),
    "key of a menu": ("inbound", "12025550100", f"ivr:7000 > external:{SATELLITE}", False),
    "second trunk": ("inbound", "12025550100", f"external:12025550177 > external:{SATELLITE}", False),
    "transferred": ("inbound", "12025550100", f"extension:1004 > transfer:{SATELLITE}", False),
    "transferred, from inside": ("internal", "1004", f"extension:1004 > transfer:{SATELLITE}", False),
}
INSIDE: dict[str, tuple[str, str, str, bool]] = {
    "picked up": ("inbound", SATELLITE, "extension:1004", False),
    "transferred inside": ("inbound", SATELLITE, "extension:1004 > transfer:1005", False),
    "internal": ("internal", "1005", "extension:1005", False),
    "without a way": ("inbound", SATELLITE, "", False),
}


def at_night(way: tuple[str, str, str, bool], *, talk_s: int = 3600, **more: Any) -> pd.DataFrame:
    """Forty calls of an hour each, all at the same time, on the night to a Sunday."""
    direction, callee, path, is_forward = way
    rows = [
        (at, direction, "12025550142", callee, path, "answered", talk_s, 3620, is_forward, "Main")
        for at in pd.date_range("2026-03-08 03:00", periods=40, freq="60s")
    ]
    return calls(COLUMNS, *rows).assign(**more)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_out_costs_the_same_and_gives_the_same_signs(way: str) -> None:
    made = at_night(WAYS[way])
    assert analyses.cost(made, TARIFF)["cost"].to_list() == [pytest.approx(40 * 60 * 5.0)]
    signs = analyses.fraud_signals(made, home="1")
    assert signs["rule"].value_counts().to_dict() == {"long": 40, "night": 1, "burst": 1, "at_once": 1}
    assert signs[["rule", "score", "calls", "measured", "talk_s", "area"]].equals(
        analyses.fraud_signals(at_night(WAYS["dialled"]), home="1")[
            ["rule", "score", "calls", "measured", "talk_s", "area"]
        ]
    )
    evidence = analyses.fraud_evidence(made, home="1")
    assert len(evidence) == 4 * 40
    assert set(evidence["callee"]) == {SATELLITE}
    inside = way in ("dialled", "transferred, from inside")
    assert set(evidence["extension"].dropna()) == ({"12025550142"} if inside else set())


@pytest.mark.parametrize("way", INSIDE)
def test_what_stays_inside_costs_nothing_and_gives_no_sign(way: str) -> None:
    made = at_night(INSIDE[way])
    assert analyses.cost(made, TARIFF).empty
    assert analyses.fraud_signals(made, home="1").empty


def test_a_way_that_is_not_known_is_no_way_out() -> None:
    made = at_night(INSIDE["picked up"]).assign(path=None, direction=None)
    assert analyses.cost(made, TARIFF).empty
    assert analyses.cost(at_night(WAYS["trunk to trunk"]).assign(path=None), TARIFF)["calls"].to_list() == [40]


def test_numbers_that_ring_together_for_one_call_are_not_at_once() -> None:
    """Follow-me rings the mobile, the home and the office of a person at the same time; one of them is picked up."""
    made = at_night(WAYS["follow-me"], talk_s=0, callee="+12025550177", local_at=pd.Timestamp("2026-03-10 12:00"))
    made.loc[0, "talk_s"] = 60
    assert analyses.fraud_signals(made, home="1").empty


def test_calls_sent_on_for_several_callers_are_not_at_once() -> None:
    made = at_night(WAYS["follow-me"], caller=[f"120255501{n:02}" for n in range(40)])
    assert "at_once" not in set(analyses.fraud_signals(made, home="1")["rule"])
