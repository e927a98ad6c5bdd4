"""Reports on a month of 100,000 calls as pages: time, and size of the files."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from ucm_analytics.legs import legs_table
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.store import Store

COMMAND = str(Path(sys.executable).parent / "ucm-analytics")
CALLS_PER_DAY = 4200
"""On a normal weekday; with the weekends 100,000 in March."""
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
NO_DATA = 3
"""The command says so: legs that were not pulled from a PBX may not be all of a day."""


def rows() -> Iterator[str]:
    """Lines of the result."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        stories = generate(clinic(), first=FIRST, last=LAST, calls_per_day=CALLS_PER_DAY, seed=1)
        legs = [leg for story in stories for leg in story.call.legs]
        numbered = ({**leg, "AcctId": str(n)} for n, leg in enumerate(legs, 1))
        store.add(legs_table(list(numbered), pbx="b"), pbx="b", zone=ZoneInfo("Europe/Berlin"))
        began = time.perf_counter()
        calls = len(store.calls("2026-03"))
        loading = time.perf_counter() - began
        yield f"{loading:6.2f} s  {1:6.1f} x  {calls:,} calls read into pandas, all columns"
        for name in ("call-volume", "ivr-paths", "extensions", "durations", "summary", "--all"):
            out = Path(folder) / name.strip("-")
            began = time.perf_counter()
            done = subprocess.run(
                [COMMAND, "report", name, "--month", "2026-03", "--out", str(out)],
                env={**os.environ, "UCM_DATA": str(store.path)},
                capture_output=True,
                check=False,
            )
            took = time.perf_counter() - began
            assert done.returncode in (0, NO_DATA), done.stderr.decode()
            largest = max(page.stat().st_size for page in out.glob("*.html"))
            pages = len(list(out.glob("*.html")))
            yield f"{took:6.2f} s  {took / loading:6.1f} x  {name}: {pages} pages, the largest {largest / 1e6:.1f} MB"
