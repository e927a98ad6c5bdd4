"""Changes to a store: a day that is not settled, a call that came later."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from ucm_analytics.legs import legs_table
from ucm_analytics.store import Store
from ucm_analytics.store.files import read_footer, read_table, write_table

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
"""The committed store: 2 to 29 March 2026, all days settled."""

LATE = {
    "AcctId": "990001",
    "src": "1001",
    "dst": "1002",
    "channel": "PJSIP/1001-00000001",
    "dstchannel": "PJSIP/1002-00000002",
    "lastapp": "Dial",
    "start": "2026-03-11 09:00:00",
    "answer": "2026-03-11 09:00:05",
    "end": "2026-03-11 09:01:05",
    "duration": "65",
    "billsec": "60",
    "disposition": "ANSWERED",
    "uniqueid": "1773216000.1",
    "userfield": "Internal",
    "session": "1773216000123456-1001",
    "action_type": "DIAL",
}


def unsettled(store: Store, day: date, *, missing: bool = False) -> None:
    """Make a day provisional, or forget that it was ever asked for."""
    path: Path = store.path / "legs" / "pbx=clinic" / f"month={day:%Y-%m}" / "part.parquet"
    footer = read_footer(path)
    assert footer is not None
    days = dict(footer.days)
    known = days.pop(day)
    if not missing:
        days[day] = msgspec.structs.replace(known, state="provisional")
    changed = msgspec.structs.replace(footer, days=days)
    write_table(read_table(path), path, changed, scratch=store.path / ".state" / "scratch")


def late_call(store: Store, **fields: str) -> None:
    """Add an internal call of 2026-03-11, 09:00."""
    store.add(legs_table([LATE | fields], pbx="clinic"), pbx="clinic", zone=ZoneInfo("Europe/Berlin"))
