"""Sync of one new day with 60 months stored, against the same with 1 month stored."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.benchmarks.timing import medians
from ucm_analytics.legs import legs_table
from ucm_analytics.simulator import Simulator, User
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store

MONTHS = 60
CALLS_PER_DAY = 300
LAST = date(2026, 3, 31)
ROUNDS = 5


def fill(store: Store, months: int) -> int:
    """Store the given number of months, the last of them up to a week before its end; gives legs."""
    count, first, last = 0, LAST.replace(day=1), LAST - timedelta(days=7)
    for _ in range(months):
        legs = []
        for story in generate(clinic(), first=first, last=last, calls_per_day=CALLS_PER_DAY, seed=1):
            for leg in story.call.legs:
                legs.append({**leg, "AcctId": str(len(legs))})
        store.add(legs_table(legs, pbx="b"), pbx="b", zone=ZoneInfo("Europe/Berlin"))
        count += len(legs)
        last = first - timedelta(days=1)
        first = last.replace(day=1)
    return count


def rows() -> Iterator[str]:
    """Lines of the result."""
    week = [LAST - timedelta(days=n) for n in range(ROUNDS, -1, -1)]
    stories = generate(clinic(), first=week[0], last=week[-1], calls_per_day=CALLS_PER_DAY, seed=1)
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator((s.call for s in stories), users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as ucm,
    ):
        stores = {months: Store(Path(folder) / str(months)) for months in (1, MONTHS)}
        legs = {months: fill(store, months) for months, store in stores.items()}
        days = {months: iter(week) for months in stores}

        def one_day(months: int) -> None:
            day = next(days[months])
            stores[months].sync(
                ucm,
                pbx="b",
                since=day,
                until=day,
                zone=ZoneInfo("Europe/Berlin"),
                now=datetime(2026, 12, 1, tzinfo=UTC),
                progress=False,
            )

        seconds = medians({f"{months} stored": (lambda m=months: one_day(m)) for months in stores}, rounds=ROUNDS)
    few, many = seconds["1 stored"], seconds[f"{MONTHS} stored"]
    yield f"{few:8.3f} s   1.00 x  with 1 month stored ({legs[1]:,} legs)"
    yield f"{many:8.3f} s  {many / few:5.2f} x  with {MONTHS} months stored ({legs[MONTHS]:,} legs)"
