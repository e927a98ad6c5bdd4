"""A store of four weeks of a pretend clinic in which every day is settled, but for what a test changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ucm_analytics.store import Store

from .changes import DEMO


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The committed demo store, 2 to 29 March 2026, all days settled; a copy that the test may change."""
    shutil.copytree(DEMO, tmp_path / "store")
    return Store(tmp_path / "store")
