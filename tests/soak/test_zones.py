"""Time zones that contradict the records, over a year with both changes of the clock."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.audit import zones


@pytest.mark.parametrize(("named", "real", "changes"), zones.PAIRS)
def test_a_year(named: str, real: str, changes: set[str], tmp_path: Path) -> None:
    off = zones.check(named, real, changes, tmp_path, first=date(2025, 1, 1), last=date(2025, 12, 31), calls_per_day=8)
    print(f"{off:,} calls off {named}, all told")
