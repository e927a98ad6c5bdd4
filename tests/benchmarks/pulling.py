"""A month and a million calls from the simulated PBX into the store: share of time spent parsing, peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = str(Path(sys.executable).parent / "ucm-analytics")

# a process of its own, so that its peak memory is that of the pull and nothing else
PULL = """
import json, sys, time
from ucm_analytics.cli import spare_memory
spare_memory()
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from ucm_analytics import UCM, Store
import ucm_analytics.sources.ucm.cdr as cdr
import ucm_analytics.store.sync as sync
from tests.benchmarks.timing import peak_mb
spent = 0.0
def timed(function):
    def run(*args, **kwargs):
        global spent
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent += time.perf_counter() - began
    return run
cdr.decode = timed(cdr.decode)
sync.legs_table = timed(sync.legs_table)
url, fingerprint, folder, first, last = sys.argv[1:]
began = time.perf_counter()
with UCM(url, "cdrapi", "cdrapi123", fingerprint=fingerprint) as ucm:
    done = Store(folder).sync(ucm, pbx="b", since=first, until=last, zone=ZoneInfo("Europe/Berlin"),
                              now=datetime(2028, 1, 1, tzinfo=UTC), progress=False)
took = time.perf_counter() - began
print(json.dumps({"legs": done.new, "took_s": took, "parse_s": spent, "peak_mb": peak_mb()}))
"""


@contextmanager
def simulated(*words: str) -> Iterator[dict[str, str]]:
    """A simulated PBX in a process of its own."""
    with subprocess.Popen([COMMAND, "simulate", *words], text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


def rows() -> Iterator[str]:
    """Lines of the result."""
    first = "2025-03-01"  # what has not ended by the clock of the simulated PBX is not told
    for calls_per_day, last in ((400, "2025-03-31"), (4000, "2025-03-31"), (4000, "2026-01-31")):
        words = ("--from", first, "--to", last, "--calls-per-day", str(calls_per_day))
        with simulated(*words) as pbx, tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", PULL, pbx["url"], pbx["fingerprint"], f"{folder}/store", first, last],
                check=True,
                capture_output=True,
                text=True,
            )
        found = json.loads(done.stdout.splitlines()[0])
        yield (
            f"{found['legs']:9,} legs to {last}: {found['took_s']:6.1f} s, "
            f"{found['took_s'] / found['parse_s']:4.1f} x the time of parsing, peak {found['peak_mb']:.0f} MB"
        )
