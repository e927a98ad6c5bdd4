"""An answer that ends too early, over real TLS: nothing is lost. `make soak` cuts after every byte of all answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.cuts import cut_everywhere


def test_a_cut_within_an_answer_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases, wrong = cut_everywhere(tmp_path, every=25, heads=1)
    with capsys.disabled():
        print(f"\n  {cases} cuts within an answer, lost {len(wrong)}")
    assert cases > 150
    assert wrong == []
