"""Thousands of settings files are saved, and say the same but for what was saved."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings

from tests.test_settings_file import NAMES, TRIED, VALUES, check, documents


def test_saves_of_many_documents(tmp_path: Path) -> None:
    @settings(max_examples=3_000, deadline=None)
    @given(text=documents(), pbx=NAMES, values=VALUES)
    def saved(text: str, pbx: str, values: dict[str, str]) -> None:
        check(tmp_path / "config.toml", text, pbx, values)

    saved()
    print(f"settings files saved: {TRIED['documents']}, of which another document: 0")
