"""The model's answer equals what really happened, call by call, over a year of each firmware.

Not part of `make test`: some minutes. It prints the table of differences.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from tests.model.test_truth import CERTAIN
from tests.model.truth import table
from ucm_analytics.simulator import PROFILES

YEAR = (date(2025, 1, 1), date(2025, 12, 31))  # past: the pretend PBX writes no calls of the future


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_call_of_a_year(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    count, found = table(profile, first=YEAR[0], last=YEAR[1], calls_per_day=60, seed=2025)
    with capsys.disabled():
        print(f"\n{profile}: {count:,} calls, {len({d.call_id for d in found}):,} differ in some field")
        for (name, why), number in sorted(Counter((d.field, d.why) for d in found).items()):
            print(f"  {number:6,} {name:13} {why or 'NOT EXPLAINED'}")
        for difference in [d for d in found if not d.why][:5]:
            print(f"  {difference}")
    assert count > 12_000
    assert [d for d in found if not d.why] == []
    assert [d for d in found if d.field in CERTAIN] == []
    assert len({d.call_id for d in found if d.field in ("wait_s", "talk_s")}) < 0.06 * count
