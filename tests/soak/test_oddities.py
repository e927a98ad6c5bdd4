"""Every odd thing at every place of a store, and every operation on it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import product
from pathlib import Path

import pytest

from tests.store.oddities import OPERATIONS, PLACES, THINGS, loaded, odd_store, tried
from tests.store.pretend import Pbx, daily
from ucm_analytics.store import Store, months


@pytest.mark.timeout(7200)
def test_everything_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(months, "SYNC_WAIT_S", 0.1)
    monkeypatch.setattr(months, "WRITE_WAIT_S", 0.1)
    ends, raised = Counter[str](), []
    with Pbx(daily(date(2026, 2, 27), date(2026, 3, 4)), "2026-03-20 12:00") as pbx:
        store = Store(tmp_path / "store")
        pbx.sync(store, since="2026-02-27", until="2026-03-03")
        loaded(store.path, pbx)
        for place, thing, operation in product(PLACES, THINGS, OPERATIONS):
            with odd_store(store.path, place, thing) as odd:
                try:
                    ends[tried(operation, odd, pbx)] += 1
                except Exception as error:  # noqa: BLE001 - that is what must not come
                    raised.append(f"{thing} at {place}, {operation}: {error!r}")
    with capsys.disabled():
        print(f"\n{len(PLACES) * len(THINGS) * len(OPERATIONS):,} tried: {dict(ends)}, other exceptions {len(raised)}")
        print("\n".join(raised[:20]))
    assert not raised
