"""One untrue answer, at any request: all legs come out, or an error that names the day.

`make soak` tries every window of up to six legs and many of up to twelve.
"""

from __future__ import annotations

import pytest

from tests.sources.lies import UNITS, Tally, Unit, try_all


@pytest.mark.parametrize("unit", UNITS)
def test_no_lie_loses_or_invents_a_leg(unit: Unit, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    for form, size in (((), 2), ((1,), 1000), ((3, 2), 2), ((1, 3, 1), 3), ((1,) * 5, 4), ((2, 1, 1), 1000)):
        try_all(form, unit, size, tally)
    with capsys.disabled():
        print(f"\n  {unit}: {tally.cases:,} answers changed, {tally.errors} errors, wrong {len(tally.wrong)}")
    assert tally.cases > 700
    assert tally.errors < tally.cases / 20
    assert tally.wrong == []
