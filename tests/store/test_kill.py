"""kill -9 at every step of writing, and at random times: the next sync ends where a sync without a kill ends."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import date
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from tests.store.kills import killed_sync, plain_sync, start
from tests.store.pretend import Pbx, contents, daily
from ucm_analytics.store import Store

NOW = "2026-03-20 12:00"
SINCE, UNTIL = "2026-02-28", "2026-03-01"


@pytest.fixture(scope="module")
def pbx() -> Iterator[Pbx]:
    with Pbx(daily(date(2026, 2, 26), date(2026, 3, 2), hours=(0, 9, 14)), NOW) as running:
        yield running


def settle(pbx: Pbx, store: Store) -> dict[str, Any]:
    pbx.sync(store, since=SINCE, until=UNTIL)
    return contents(store)


def begun(pbx: Pbx, folder: Path) -> Store:
    """A store with the days before, as every run finds it."""
    store = Store(folder)
    pbx.sync(store, since="2026-02-26", until="2026-02-27")
    return store


@pytest.mark.slow
def test_kill_at_every_step_of_writing(pbx: Pbx, tmp_path: Path) -> None:
    before = begun(pbx, tmp_path / "before")
    expected = settle(pbx, begun(pbx, tmp_path / "unharmed"))
    legs = {day.day.isoformat()[:10]: day.legs for day in Store(tmp_path / "unharmed").coverage().itertuples()}

    def kill(step: int) -> tuple[Store, BaseProcess]:
        store = Store(shutil.copytree(before.path, tmp_path / f"killed-{step}"))
        arguments = (store.path, pbx.sim.url, pbx.sim.fingerprint, NOW, SINCE, UNTIL)
        return store, start(killed_sync, step, *arguments)

    step = 0
    following = kill(step)
    while True:
        store, process = following
        process.join(30)
        if process.exitcode == 0:
            break
        following = kill(step + 1)
        assert process.exitcode == -signal.SIGKILL
        days = store.coverage()
        for day in days[days["state"] != "missing"].itertuples():
            held = store.legs(day.day.date())
            assert len(held) == day.legs == legs[day.day.isoformat()[:10]], f"step {step}"
        assert settle(pbx, store) == expected, f"step {step}"
        assert not (store.path / ".state" / "clinic" / "unfinished").exists()
        shutil.rmtree(store.path)
        step += 1
    assert step > 20
    assert contents(store) | {"coverage": None} == expected | {"coverage": None}


@pytest.mark.slow
def test_kill_at_random_times(pbx: Pbx, tmp_path: Path) -> None:
    expected = settle(pbx, begun(pbx, tmp_path / "unharmed"))
    store = begun(pbx, tmp_path / "killed")
    chance = random.Random(20260301)
    for _ in range(10):
        process = start(plain_sync, store.path, pbx.sim.url, pbx.sim.fingerprint, NOW, SINCE, UNTIL)
        time.sleep(chance.uniform(0.05, 0.6))
        process.kill()
        process.join(30)
    assert settle(pbx, store) | {"coverage": None} == expected | {"coverage": None}


@pytest.mark.slow
def test_tables_of_a_killed_sync_are_built_by_the_next_reader(pbx: Pbx, tmp_path: Path) -> None:
    store = Store(tmp_path / "killed")
    step = 0
    while not list(store.path.glob("legs/pbx=clinic/month=2026-03/part.parquet")):
        process = start(killed_sync, step, store.path, pbx.sim.url, pbx.sim.fingerprint, NOW, SINCE, UNTIL)
        process.join(30)
        step += 1
    assert not list(store.path.glob("calls/pbx=clinic/month=2026-03/part.parquet"))
    assert len(store.calls("2026-03-01")) == 3
    assert list(store.path.glob("calls/pbx=clinic/month=2026-03/part.parquet"))


def test_syncs_at_the_same_time_wait_for_each_other(pbx: Pbx, tmp_path: Path) -> None:
    expected = settle(pbx, begun(pbx, tmp_path / "one"))
    store = begun(pbx, tmp_path / "three")
    arguments = (store.path, pbx.sim.url, pbx.sim.fingerprint, NOW, SINCE, UNTIL)
    processes = [start(plain_sync, *arguments) for _ in range(3)]
    while any(process.is_alive() for process in processes):
        assert len(store.calls("2026-02-26")) == 3  # a reader is never in the way
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert contents(store) == expected
