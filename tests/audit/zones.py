"""A time zone that is not that of the records: who stands off it, counted in a plain loop over the raw records."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ucm_analytics.legs import legs_table
from ucm_analytics.quality import audit
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.store import Store

from .records import by_id

PAIRS = (
    ("Africa/Lagos", "Europe/Berlin", {"zone_changed"}),
    ("Europe/Berlin", "Africa/Lagos", set[str]()),
    ("Europe/London", "Europe/Berlin", {"clock_changed"}),
)
"""The zone named, that of the PBX, and what its changes of the clock are called."""


def check(
    named: str, real: str, changes: set[str], folder: Path, *, first: date, last: date, calls_per_day: int
) -> int:
    """Number of calls that stand off the zone named; raises where data quality says something else."""
    stories = generate(clinic(real), first=first, last=last, calls_per_day=calls_per_day, seed=2)
    legs = [leg for story in stories for leg in story.call.legs]
    starts: dict[str, datetime] = {}
    for leg in legs:
        start = datetime.fromisoformat(leg["start"])
        starts[leg["session"]] = min(start, starts.get(leg["session"], start))
    by_h = Counter[int]()
    for session, start in starts.items():
        instant = datetime.fromtimestamp(int(session[:10]), UTC)
        there = instant.astimezone(ZoneInfo(named)).replace(tzinfo=None)
        by_h[round((start - there) / timedelta(hours=1))] += 1
    right = by_h.pop(0, 0)
    ((hours, off),) = by_h.items()

    store = Store(folder / "store")
    store.add(legs_table(legs, pbx="clinic"), pbx="clinic", zone=ZoneInfo(named))
    findings = by_id(audit(store))
    told = findings["zone_contradicted"]
    assert told.count == off > 100
    assert told.severity == "warning" and "UCM_TIMEZONE" in told.means and "Store.rebuild(zone=" in told.means
    assert told.detail.startswith(
        f"clinic: {off:,} of {off + right:,} calls ({off / (off + right):.1%}) stand {abs(hours)} h "
        f"{'ahead of' if hours > 0 else 'behind'} {named}, {first.year}-"
    )
    assert {name for name in ("zone_changed", "clock_changed") if name in findings} == changes
    store.rebuild(zone=ZoneInfo(real))
    assert "zone_contradicted" not in by_id(audit(store))
    return off
