"""Pull the days that may have changed, and note what is known about each.

A day is settled, and never asked for again, when it was pulled completely, which takes two answers
that agree for each of its records, and a look long after its end could not have missed anything:
either `lag` after the end of the day with no fewer legs than before, or `_SECOND_LOOK` after it with
just the legs of an earlier look. A call is reported when it ends, so both waits are never shorter than
the longest call seen.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
from tqdm.auto import tqdm

from ucm_analytics.aside import LONGEST
from ucm_analytics.errors import SettingError, UnknownFields
from ucm_analytics.legs import unknown_fields
from ucm_analytics.period import Period
from ucm_analytics.sources import Source
from ucm_analytics.store.directory import refresh_directory
from ucm_analytics.store.files import Day
from ucm_analytics.store.identity import checked_serial
from ucm_analytics.store.merge import count_days, longest_call_s
from ucm_analytics.store.months import Months

log = logging.getLogger(__name__)

FIRST_PULL: Final = timedelta(days=30)
_SECOND_LOOK: Final = timedelta(hours=6)
_GRACE: Final = timedelta(minutes=1)
_PENDING_LEGS: Final = 30_000


@dataclass(frozen=True)
class SyncReport:
    """What a sync did.

    Attributes
    ----------
    pbx : str
        Name of the PBX.
    days : tuple of date
        Days that were asked for.
    settled : int
        How many of them will not be asked for again.
    new, updated, vanished : int
        Legs that were new, that came with other values than before, and that the PBX no longer
        sends (they are kept).
    months : tuple of str
        Month files that were written.
    duration_s : float
        How long it took [s].
    """

    pbx: str
    days: tuple[date, ...]
    settled: int
    new: int
    updated: int
    vanished: int
    months: tuple[str, ...]
    duration_s: float


def sync(
    months: Months,
    source: Source,
    *,
    since: date | None,
    until: date | None,
    zone: ZoneInfo | None,
    country: str,
    now: Callable[[], datetime],
    lag: timedelta,
    progress: bool,
    replaced: bool,
) -> SyncReport:
    """Bring the month files of one PBX up to date; see `Store.sync`."""
    began = time.monotonic()
    with months.syncing():
        serial = checked_serial(months, source, replaced=replaced)
        months.finish()
        clock = zone or source.clock()
        today = (now() - _GRACE).astimezone(clock).date()
        days, known = _unsettled(months, since, until, today)
        pull = _Pull(
            months,
            source,
            zone=zone,
            country=country,
            clock=clock,
            now=now,
            lag=lag,
            known=known,
            firmware=source.firmware() if days else "",
            serial=serial,
        )
        try:
            for day in tqdm(days, desc=months.pbx, unit="day", leave=False, disable=None) if progress else days:
                pull.day(day)
        finally:
            pull.write()
            months.finish()
        refresh_directory(months, source, on=today)
    if pull.unknown:
        names = ", ".join(f"{name} ({count} legs)" for name, count in sorted(pull.unknown.items()))
        warnings.warn(
            f"PBX {months.pbx} sent fields that are not declared: {names}; they are kept in `extra`",
            UnknownFields,
            stacklevel=3,
        )
    return SyncReport(
        pbx=months.pbx,
        days=tuple(days),
        settled=pull.settled,
        new=pull.counts["new"],
        updated=pull.counts["updated"],
        vanished=pull.counts["vanished"],
        months=tuple(sorted(pull.months)),
        duration_s=time.monotonic() - began,
    )


class _Pull:
    """Days on their way from the PBX into the month files."""

    def __init__(
        self,
        months: Months,
        source: Source,
        *,
        zone: ZoneInfo | None,
        country: str,
        clock: tzinfo,
        now: Callable[[], datetime],
        lag: timedelta,
        known: Mapping[date, Day],
        firmware: str,
        serial: str,
    ) -> None:
        self._store = months
        self._source = source
        self._zone = zone
        self._country = country
        self._clock = clock
        self._now = now
        self._lag = lag
        self._known = known
        self._firmware = firmware
        self._serial = serial
        seen_s = max((day.longest_s for day in known.values()), default=0)
        self._longest_s = min(seen_s, int(LONGEST.total_seconds()))  # older versions noted a clock that jumped
        self._legs: list[pa.Table] = []
        self._days: dict[date, Day] = {}
        self._ahead = Counter[date]()
        self.settled = 0
        self.counts = Counter[str]()
        self.months: set[str] = set()
        self.unknown = Counter[str]()

    def day(self, day: date) -> None:
        """Pull one day; it counts only when all of it came."""
        if self._days and f"{day:%Y-%m}" != f"{next(iter(self._days)):%Y-%m}":
            self.write()
            self._store.finish(before=f"{day:%Y-%m}")
        began = self._now()
        frozen_end = (began - _GRACE).astimezone(self._clock).replace(tzinfo=None)
        pulled = self._source.pull_day(day, pbx=self._store.pbx, frozen_end=frozen_end, known=self._ahead[day])
        legs = pulled.legs
        self._ahead = count_days(legs)
        self._longest_s = max(self._longest_s, longest := longest_call_s(legs))
        self.unknown.update(unknown_fields(legs))
        settled = self._is_settled(day, began, pulled.sha256, legs=self._ahead[day])
        self._legs.append(legs)
        self._days[day] = Day(
            state="settled" if settled else "provisional",
            source="pbx",
            legs=self._ahead[day],
            pages=pulled.pages,
            longest_s=longest,
            pulled_at=began,
            asked_from=pulled.asked_from,
            asked_to=pulled.asked_to,
            firmware=self._firmware,
            sha256=pulled.sha256,
            serial=self._serial,
        )
        self.settled += settled
        if sum(table.num_rows for table in self._legs) > _PENDING_LEGS:
            self.write()

    def write(self) -> None:
        """Put what was pulled so far into the month files."""
        if not self._days:
            return
        put = self._store.put(
            pa.concat_tables(self._legs).unify_dictionaries(),
            self._days,
            zone=self._zone.key if self._zone else "",
            country=self._country,
        )
        self.counts.update(new=put.new, updated=put.updated, vanished=put.vanished)
        self.months |= set(put.months)
        self._legs, self._days = [], {}
        pa.default_memory_pool().release_unused()

    def _is_settled(self, day: date, began: datetime, sha256: str, *, legs: int) -> bool:
        end = datetime.combine(day + timedelta(days=1), datetime.min.time(), self._clock).astimezone(UTC)
        longest = timedelta(seconds=self._longest_s)
        before = self._known.get(day)
        if began >= end + max(self._lag, longest) and not (before and before.legs > legs):
            return True
        return (
            before is not None
            and before.sha256 == sha256
            and before.pulled_at >= end
            and began >= end + max(_SECOND_LOOK, longest)
        )


def _unsettled(
    months: Months, since: date | None, until: date | None, today: date
) -> tuple[list[date], dict[date, Day]]:
    """Days to ask for, and what is known about the days around them."""
    last = min(until or today, today)
    if since is None:
        known = months.coverage(months.names())
        pulled = [day for day, entry in known.items() if entry.source == "pbx"]
        first = min(pulled) if pulled else last - FIRST_PULL
        if last < first:
            return [], known
    else:
        if since > today:
            raise SettingError(
                f"{since} lies in the future: the PBX's clock says {today}", hint="ask for days up to today"
            )
        first = Period(since, until).first if until else since
        known = months.coverage(sorted({f"{day:%Y-%m}" for day in Period(first, last)}))
    return [day for day in Period(first, last) if day not in known or known[day].state != "settled"], known
