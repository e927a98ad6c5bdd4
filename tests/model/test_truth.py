"""The model's answer equals what really happened, call by call, on every firmware."""

from __future__ import annotations

from datetime import date

import pytest

from tests.model.truth import table
from ucm_analytics.simulator import PROFILES

CERTAIN = {"direction", "caller", "callee", "outcome", "ended_in", "answered_by", "path", "forward_of", "queue_s"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("first", "last", "seed"),
    [(date(2026, 3, 18), date(2026, 3, 31), 1), (date(2026, 10, 23), date(2026, 11, 2), 2)],
    ids=["spring", "autumn"],
)
def test_every_call(profile: str, first: date, last: date, seed: int) -> None:
    count, found = table(profile, first=first, last=last, calls_per_day=120, seed=seed)
    assert count > 800
    assert [d for d in found if not d.why] == []
    # what the caller went through is never in doubt, on any firmware
    assert [d for d in found if d.field in CERTAIN] == []
    assert len({d.call_id for d in found if d.field in ("wait_s", "talk_s")}) < 0.06 * count
