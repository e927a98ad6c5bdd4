"""What the store holds of a period, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from ucm_analytics.documents.formats import clock, day_ranges, plain_day, plural
from ucm_analytics.period import Period

if TYPE_CHECKING:
    from ucm_analytics.store import Store


@dataclass(frozen=True)
class Coverage:
    """Days of a period by state, and where they came from.

    A day counts as settled when it is settled on every PBX of the report, as missing when it is
    missing on any of them, and as provisional otherwise. `absent` are the missing of which no PBX is stored,
    `span` goes from the first to the last day that is stored of any PBX, and `zones` are the time zones of the PBXs,
    as far as they are known.
    """

    settled: tuple[date, ...]
    provisional: tuple[date, ...]
    missing: tuple[date, ...]
    absent: tuple[date, ...]
    pbxs: tuple[str, ...]
    span: Period | None
    zones: Mapping[str, ZoneInfo]
    legs: int
    pulled: tuple[pd.Timestamp, pd.Timestamp] | None

    @property
    def complete(self) -> bool:
        """Whether every day is settled: nothing in the report will change."""
        return not self.provisional and not self.missing

    @property
    def never_pulled(self) -> bool:
        """Whether the store holds no day of the period."""
        return not self.settled and not self.provisional

    @property
    def uncounted(self) -> tuple[date, ...]:
        """Days that no mean may count: the missing, but where a report has none but these."""
        return () if self.never_pulled else self.missing

    @property
    def line(self) -> str:
        """One line on what the report was made from."""
        total = len(self.settled) + len(self.provisional) + len(self.missing)
        if self.never_pulled:
            return (
                f"None of the {plural(total, 'day')} is in the store. "
                "Pull the days with `ucm-analytics sync --since ... --until ...`."
            )
        parts = [_settled(len(self.settled), total)]
        if self.provisional:
            days = day_ranges(self.provisional)
            parts.append(f"{len(self.provisional)} provisional, may still change ({days})")
        if self.missing:
            parts.append(f"{len(self.missing)} missing, never pulled ({day_ranges(self.missing)})")
        source = f"PBX {', '.join(self.pbxs)}" if len(self.pbxs) == 1 else f"PBXs {', '.join(self.pbxs)}"
        return f"{'; '.join(parts)}. Made from {plural(self.legs, 'CDR row')} of {source}{self._pulled()}."

    @property
    def short(self) -> str:
        """The same in a few words, for the subtitle of a chart."""
        if self.never_pulled:
            return "not in the store"
        total = len(self.settled) + len(self.provisional) + len(self.missing)
        parts = [f"{len(self.settled)} of {plural(total, 'day')} settled"]
        parts += [
            f"{len(days)} {name}"
            for name, days in (("provisional", self.provisional), ("missing", self.missing))
            if days
        ]
        return f"PBX {', '.join(self.pbxs)}: {', '.join(parts)}"

    def _pulled(self) -> str:
        if self.pulled is None:
            return ""
        first, last = (f"{plain_day(moment)} {clock(moment)}" for moment in self.pulled)
        return f", pulled {first} UTC" if first == last else f", pulled between {first} and {last} UTC"


def coverage(store: Store, period: Period, *, pbx: str | None = None) -> Coverage:
    """Coverage of a period, from `Store.coverage`.

    Raises
    ------
    NoData
        The store holds nothing at all, or not this PBX.
    """
    store.check(pbx)
    rows = store.coverage(period, pbx=pbx)
    rows = rows.assign(day=[pd.Timestamp(day).date() for day in rows["day"]], state=rows["state"].astype(str))
    pbxs = tuple(sorted(rows["pbx"].astype(str).unique()))
    states: dict[date, set[str]] = {day: set() for day in period}
    for day, state in zip(rows["day"], rows["state"], strict=True):
        states[day].add(state)
    missing = tuple(day for day, seen in states.items() if not seen or "missing" in seen)
    settled = tuple(day for day, seen in states.items() if seen == {"settled"})
    pulled = rows["pulled_at"].dropna()
    held = [day for day, seen in states.items() if seen - {"missing"}]
    return Coverage(
        settled=settled,
        provisional=tuple(day for day in states if day not in settled and day not in missing),
        missing=missing,
        absent=tuple(day for day in missing if day not in held),
        pbxs=pbxs,
        span=Period(held[0], held[-1]) if held else None,
        zones=store.zones(pbx),
        legs=int(rows["legs"].fillna(0).sum()),
        pulled=(_utc(pulled.min()), _utc(pulled.max())) if len(pulled) else None,
    )


def _settled(settled: int, total: int) -> str:
    if settled == total:
        return "The day is settled" if total == 1 else f"All {total} days are settled"
    return f"{settled} of {plural(total, 'day')} settled"


def _utc(moment: object) -> pd.Timestamp:
    stamp = pd.Timestamp(str(moment))
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
