"""A bit in every byte of a small store, flipped one after the other; and bits of a larger month."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

import ucm_analytics as ucm
from tests.store.flips import file_read, outcomes
from tests.store.pretend import Pbx, daily
from ucm_analytics.store import Store
from ucm_analytics.store.files import read_footer, read_table, write_table


@pytest.mark.timeout(3600)
def test_a_bit_in_every_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(8)
    store = Store(tmp_path / "store")
    with Pbx(daily(date(2026, 3, 2), date(2026, 3, 2)), "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-03-02", until="2026-03-02")
    for path in sorted(store.path.rglob("part.parquet")):
        bits = [byte * 8 + chance.randrange(8) for byte in range(path.stat().st_size)]
        found = outcomes(path, bits, file_read(path))
        with capsys.disabled():
            print(f"\n{path.relative_to(store.path)}: {len(bits):,} bits flipped, {dict(found)}")
        assert found["unseen"] == 0


@pytest.mark.timeout(3600)
def test_bits_of_a_large_month(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source,) = (ucm.demo_store().path / "legs").rglob("part.parquet")
    path = tmp_path / "legs" / "part.parquet"
    footer = read_footer(source)
    assert footer
    write_table(read_table(source), path, footer, scratch=tmp_path / "scratch")
    bits = random.Random(1).sample(range(path.stat().st_size * 8), 5000)
    found = outcomes(path, bits, file_read(path))
    with capsys.disabled():
        print(f"\nthe demo's month: {len(bits):,} bits flipped, {dict(found)}")
    assert found["unseen"] == 0
