"""Every report, every analysis and its chart on a matrix of stores that hold next to nothing; some minutes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests.reports.thin import CASES, SITES, analyses_on, period_of, reports_on, store_of
from ucm_analytics.reports import names


@pytest.mark.timeout(3600)
def test_the_matrix_of_thin_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for n, (case, site) in enumerate(product(CASES, SITES)):
        store = store_of(case, site, tmp_path / str(n))
        trials = [*reports_on(store, period_of(case), names()), *analyses_on(store)]
        found += [(f"{case}, {site}", trial) for trial in trials]
    wrong = [f"{where}: {trial.of}: {trial.wrong}" for where, trial in found if trial.wrong]
    slowest_at, slowest = max(found, key=lambda each: each[1].seconds)
    with capsys.disabled():
        count = len({trial.of for _, trial in found})
        print(f"\n{count} reports and analyses x {len(CASES) * len(SITES)} thin stores: {len(found):,} tried,")
        print(f"{len(wrong)} crashed or made no sense; slowest {slowest.of} on {slowest_at}, {slowest.seconds:.1f} s")
        print("\n".join(wrong))
    assert not wrong
