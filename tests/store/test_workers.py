"""One store in several threads, in forked processes, and pickled: everywhere the same counts."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import narwhals.stable.v2 as nw
import pytest

import ucm_analytics as ucm
from ucm_analytics.errors import SettingError
from ucm_analytics.store import Store

RUNS = 24


@pytest.fixture(scope="module")
def store() -> Store:
    return ucm.demo_store()


def scanned(store: Store) -> tuple[int, int, int]:
    calls, rings = store.scan("calls", "2026-03"), store.scan("rings", "2026-03")
    joined = rings.join(calls.select("call_id", "pbx"), on=["call_id", "pbx"]).select(nw.len()).collect().item()
    return int(ucm.call_volume(calls, freq="1d")["calls"].sum()), len(ucm.extensions(calls, rings)), joined


def test_threads_share_a_store(store: Store) -> None:
    alone = scanned(store)
    with ThreadPoolExecutor(4) as pool:
        assert Counter(pool.map(scanned, [store] * RUNS)) == {alone: RUNS}


def test_threads_share_frames_in_memory(store: Store) -> None:
    calls, rings, steps = store.calls("2026-03"), store.rings("2026-03"), store.steps("2026-03")

    def counted(_: int) -> tuple[int, int, int]:
        volume = int(ucm.call_volume(calls, freq="1d")["calls"].sum())
        return volume, len(ucm.extensions(calls, rings)), len(ucm.queues(steps, calls))

    alone = counted(0)
    with ThreadPoolExecutor(4) as pool:
        assert Counter(pool.map(counted, range(RUNS))) == {alone: RUNS}


def test_a_frame_that_another_thread_reads_is_named(store: Store) -> None:
    calls = store.scan("calls", "2026-03")
    volume = len(ucm.call_volume(calls, freq="1d"))

    def counted(_: int) -> int | str:
        try:
            return len(ucm.call_volume(calls, freq="1d"))
        except SettingError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(counted, range(RUNS)))
    assert answers <= {volume, "another thread is reading this frame: call Store.scan() once in each thread"}


def test_a_store_is_copied_and_pickled(store: Store) -> None:
    alone = scanned(store)
    for other in (pickle.loads(pickle.dumps(store)), copy.deepcopy(store)):
        assert other.path == store.path
        assert scanned(other) == alone


FORKED = """
import gc, multiprocessing, os
from concurrent.futures import ProcessPoolExecutor
import ucm_analytics as ucm
store = ucm.demo_store()
frame, calls = store.scan("calls", "2026-03"), store.calls("2026-03")

def count(_):
    scanned = ucm.call_volume(store.scan("calls", "2026-03"), freq="1d")["calls"].sum()
    return int(scanned), int(ucm.call_volume(calls, freq="1d")["calls"].sum())

def forget(_):
    global frame, store
    del frame, store
    return gc.collect() >= 0

alone = count(0)
with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
    assert list(pool.map(count, range(4))) == [alone] * 4, alone
    assert all(pool.map(forget, range(1)))
assert count(0) == alone
print(*alone)
"""


def test_forked_processes_share_a_store(store: Store) -> None:
    # in a process of its own: the one that runs the tests has threads of others
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(scanned(store)[0])] * 2
