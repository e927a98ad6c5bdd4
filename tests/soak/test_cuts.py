"""Each answer of a pull ends after each of its bytes, over real TLS, with and without a goodbye: nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.cuts import cut_everywhere


@pytest.mark.timeout(3600)
def test_a_cut_after_any_byte_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases, wrong = cut_everywhere(tmp_path, every=1, heads=0)
    with capsys.disabled():
        print(f"\n  {cases:,} cuts within an answer over TLS, lost {len(wrong)}")
    assert wrong == []
