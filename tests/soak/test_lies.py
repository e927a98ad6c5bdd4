"""One untrue answer, at any request of any small window: all legs come out, or an error that names the day.

Every window of up to six legs, in every way in which they fall into calls; of seven to twelve legs flat,
in pairs, in threes, in one group, mixed, and others drawn at random.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.sources.lies import SIZES, UNITS, Tally, forms, try_all

ALL_UP_TO = 6
DRAWN = 3


def windows() -> list[tuple[int, ...]]:
    chance = random.Random(20260310)
    chosen = [form for legs in range(ALL_UP_TO + 1) for form in forms(legs)]
    for legs in range(ALL_UP_TO + 1, 13):
        mixed = tuple((1, 3, 2)[n % 3] for n in range(legs))
        in_order = [(1,) * legs, (2,) * (legs // 2) + (1,) * (legs % 2), (legs,), mixed[: _fitting(mixed, legs)]]
        chosen += [*in_order, *chance.sample(list(forms(legs)), DRAWN)]
    return chosen


def _fitting(form: Sequence[int], legs: int) -> int:
    return next(n for n in range(1, len(form) + 1) if sum(form[:n]) >= legs)


def tried(form: tuple[int, ...]) -> Tally:
    tally = Tally()
    for unit in UNITS:
        for size in SIZES:
            try_all(form, unit, size, tally)
    return tally


@pytest.mark.timeout(7200)
def test_no_lie_loses_or_invents_a_leg(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = windows()
    kinds, wrong, errors = Counter[str](), list[str](), 0
    with ProcessPoolExecutor(2) as pool:
        for tally in pool.map(tried, sorted(chosen, key=sum, reverse=True)):
            kinds += tally.kinds
            wrong += tally.wrong
            errors += tally.errors
    with capsys.disabled():
        print(f"\n{len(chosen)} windows, pages of {', '.join(map(str, SIZES))}, offset in {', '.join(UNITS)}")
        for kind, count in kinds.most_common():
            print(f"  {count:9,} {kind}")
        print(f"  {kinds.total():9,} cases: {errors:,} errors that name the day, wrong outcomes {len(wrong)}")
    assert wrong == []
