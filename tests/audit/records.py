"""Four weeks of records without a fault, to do damage to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from tests.store.pretend import ZONE, call
from ucm_analytics.legs import legs_table
from ucm_analytics.quality import Audit, Finding, audit
from ucm_analytics.store import Store

FIRST, LAST = date(2026, 2, 2), date(2026, 3, 1)
HOURS = range(8, 18)
Leg = dict[str, str]


def leg(start: str, **fields: str) -> Leg:
    """One answered call of 60 s between two extensions, some of its fields changed."""
    return {"AcctId": "1", **call(start).legs[0], **fields}


def sound(first: date = FIRST, last: date = LAST) -> list[Leg]:
    """Ten calls a day."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [leg(f"{day} {hour:02d}:30", AcctId=str(n)) for n, day in enumerate(days) for hour in HOURS]


def store_of(legs: Iterable[Leg], folder: Path, *, pbx: str = "clinic", zone: bool = True) -> Store:
    """Store with these legs."""
    store = Store(folder / "store")
    store.add(legs_table(list(legs), pbx=pbx), pbx=pbx, zone=ZONE if zone else None)
    return store


def found(legs: Iterable[Leg], folder: Path, *, zone: bool = True) -> dict[str, Finding]:
    """Findings by their id, but that legs from a file are never settled."""
    return by_id(audit(store_of(legs, folder, zone=zone)))


def by_id(audited: Audit) -> dict[str, Finding]:
    """Findings by their id, but that legs from a file are never settled."""
    return {each.id: each for each in audited.findings if each.id != "unsettled_days"}


def counts(findings: dict[str, Finding]) -> dict[str, int]:
    """How many of each."""
    return {name: each.count for name, each in findings.items()}
