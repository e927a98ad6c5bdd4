"""Thousands of settings files are saved, and say the same but for what was saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.test_settings_file import NAMES, TRIED, VALUES, check, documents


@pytest.mark.timeout(1800)
def test_saves_of_many_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    @settings(max_examples=3_000, deadline=None)
    @given(text=documents(), pbx=NAMES, values=VALUES)
    def saved(text: str, pbx: str, values: dict[str, str]) -> None:
        check(tmp_path / "config.toml", text, pbx, values)

    saved()
    with capsys.disabled():
        print(f"\nsettings files saved: {TRIED['documents']}, of which another document: 0")
