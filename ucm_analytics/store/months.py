"""The month files of one PBX: put legs in, build the tables made from them, mend what a kill left.

A month is the UTC month in which a call began, which never changes; so the legs of a call lie in
one file, together with its steps, rings and calls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
from filelock import FileLock, Timeout

from ucm_analytics import config
from ucm_analytics.errors import DamagedFile, StoreError, StoreLocked
from ucm_analytics.legs import dump_legs, legs_table
from ucm_analytics.model import build
from ucm_analytics.phone_numbers import NUMBERED_BY, with_numbers
from ucm_analytics.schema import TABLES, VERSION, TableName, arrow_schema, stored_schema
from ucm_analytics.store.files import (
    Day,
    Footer,
    check,
    folders,
    is_there,
    read_footer,
    read_table,
    replace,
    rows_between,
    unwritable,
    write_table,
)
from ucm_analytics.store.merge import UNDATED, by_month, merge, no_legs, span

DERIVED: Final[tuple[TableName, ...]] = ("steps", "rings", "calls")
SYNC_WAIT_S: Final = 10.0
WRITE_WAIT_S: Final = 120.0


@dataclass(frozen=True)
class WriteSummary:
    """What putting legs in changed."""

    new: int
    updated: int
    vanished: int
    months: tuple[str, ...]


class Months:
    """Month files of one PBX.

    Parameters
    ----------
    root : Path
        Folder of the store.
    pbx : str
        Name of the PBX.
    """

    def __init__(self, root: Path, pbx: str) -> None:
        self.root = root.absolute()  # readers take a name that begins with ~ or file: for something else
        self.pbx = config.check_name(pbx)
        self._state = self.root / ".state" / pbx
        self._unfinished = self._state / "unfinished"
        self._scratch = self._state / "_part.parquet"

    def path(self, table: str, month: str) -> Path:
        """File of a table and month."""
        return self.root / f"{table}/pbx={self.pbx}/month={month}/part.parquet"

    @property
    def directory_path(self) -> Path:
        """File of the PBX's names and menus."""
        return self.root / "directory" / f"pbx={self.pbx}" / "part.parquet"

    def names(self) -> list[str]:
        """Months that are stored, in order."""
        found = folders(self.root / "legs" / f"pbx={self.pbx}", "month", _is_month)
        return [month for month in found if is_there(self.path("legs", month))]

    def size(self) -> int:
        """What the files take on the disk [B]."""
        files = [self.directory_path, *(self.path(table, month) for table in TABLES for month in self.names())]
        return sum(file.stat().st_size for file in files if is_there(file) and file.is_file())

    def coverage(self, months: Iterable[str]) -> dict[date, Day]:
        """What the footers of the legs of these months say about their days."""
        days: dict[date, Day] = {}
        for month in months:
            footer = self._legs_footer(month)
            days |= footer.days if footer else {}
        return days

    def zone(self, month: str = "") -> ZoneInfo | None:
        """Time zone that a month was made with; without a month, that of the newest that names one."""
        for name in [month] if month else reversed(self.names()):
            footer = self._legs_footer(name)
            if footer and footer.zone:
                return config.zone(footer.zone)
        return None

    @contextmanager
    def syncing(self) -> Iterator[None]:
        """Hold the PBX's data for one sync.

        Raises
        ------
        StoreLocked
            Another sync of this PBX is running.
        """
        with self._locked("sync", SYNC_WAIT_S):
            yield

    def put(self, legs: pa.Table, days: Mapping[date, Day], *, zone: str = "", country: str = "") -> WriteSummary:
        """Put legs, and what is known about the days they were asked for, into the month files.

        Files that hold only legs are written before the one that says that the days are there, so a
        kill never leaves a day marked whose legs are missing. `finish` has to follow.

        Parameters
        ----------
        legs : pyarrow.Table
            Columns of `schema.LEGS`, in the order of arrival.
        days : mapping
            Local days of one month; days from the PBX are complete in `legs`.
        zone, country : str
            Time zone and country of the PBX; where empty, those of the month file stay.
        """
        homes = {f"{day:%Y-%m}" for day in days}
        if len(homes) > 1:
            raise ValueError("days of several months in one put")
        fresh = by_month(legs)
        asked = [day for day, known in days.items() if known.source == "pbx"]
        counts = Counter[str]()
        vanished = Counter[date]()
        written = []
        with self._locked("write", WRITE_WAIT_S):
            self._mark({*self._marked(), *fresh, *homes})
            for month in (*sorted(fresh.keys() - homes), *homes):
                footer = self._legs_footer(month)
                before, stored, after = self._around(month, footer, span(came := fresh.get(month, no_legs()), asked))
                merged = merge(stored, came, days=asked)
                vanished += merged.vanished
                counts.update(new=merged.new, updated=merged.updated)
                old = footer or Footer()
                moved = zone not in ("", old.zone) or country not in ("", old.country)
                same = footer and not (merged.new or merged.updated or moved)
                known = dict(old.days)
                if month in homes:
                    known |= {d: msgspec.structs.replace(day, vanished=vanished[d]) for d, day in days.items()}
                if same and known == old.days and old.version == VERSION:
                    continue
                self._write(
                    "legs",
                    month,
                    chain(before, merged.parts(), after),
                    Footer(
                        id=old.id if same else uuid4().hex,
                        zone=zone or old.zone,
                        country=country or old.country,
                        days=dict(sorted(known.items())),
                    ),
                )
                written.append(month)
        return WriteSummary(counts["new"], counts["updated"], vanished.total(), tuple(sorted(written)))

    def finish(self, *, before: str = "~") -> None:
        """Build the tables of the months that were put in, or that a kill left unbuilt.

        Parameters
        ----------
        before : str
            Leave this month and later ones for later.
        """
        if not self._marked():
            return
        with self._locked("write", WRITE_WAIT_S):
            marked = self._marked()
            for month in sorted(marked):
                if month < before:
                    if self._stale(month):
                        self._build(month)
                    self._mark(marked := marked - {month})

    def repair(self, month: str) -> None:
        """Build the tables of a month again where they do not belong to its legs."""
        if self._stale(month):
            with self._locked("write", WRITE_WAIT_S):
                if self._stale(month):
                    self._build(month)

    def rebuild(self, *, zone: str = "", country: str = "") -> None:
        """Build all tables again from the legs; a zone or country that is given is that of the PBX from now on."""
        for month in self.names():
            with self._locked("write", WRITE_WAIT_S):
                self._build(month, zone, country)

    def change_directory(self, change: Callable[[pa.Table], pa.Table]) -> None:
        """Replace the file of the PBX's names and menus by what `change` makes of it."""
        with self._locked("write", WRITE_WAIT_S):
            rows = change(self.directory())
            write_table(rows, self.directory_path, Footer(), scratch=self._scratch)

    def directory(self) -> pa.Table:
        """Names and menus of the PBX, with those that held in the past."""
        schema = stored_schema("directory")
        try:
            rows = read_table(self.directory_path)
        except FileNotFoundError:
            return schema.empty_table()
        for field in schema:
            if field.name not in rows.column_names:  # files of version 1 have no days
                rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
        return rows.select(schema.names).cast(schema)

    def _build(self, month: str, zone: str = "", country: str = "") -> None:
        footer = self._legs_footer(month)
        if footer is None:
            return
        zone, country = zone or footer.zone, country or footer.country
        if (footer.version, footer.zone, footer.country) != (VERSION, zone, country):
            homes = by_month(self._legs(month, footer))
            legs = homes.pop(month, no_legs())
            for home, moved in homes.items():
                self._take_over(home, moved, footer)
            days = {day: known for day, known in footer.days.items() if legs.num_rows or known.source == "pbx"}
            footer = Footer(id=uuid4().hex, zone=zone, country=country, days=days)
            self._write("legs", month, legs, footer)
        path = self.path("legs", month)
        check(path)
        built = build(path, zone=config.zone(footer.zone) if footer.zone else None)
        pa.default_memory_pool().release_unused()  # what the engine gave back
        calls = with_numbers(built.calls, steps=built.steps, legs=read_table(path, NUMBERED_BY), country=country)
        for table, rows in (("steps", built.steps), ("rings", built.rings), ("calls", calls)):
            self._write(table, month, rows, Footer(made_from=footer.id))

    def _take_over(self, month: str, legs: pa.Table, told: Footer) -> None:
        """Put legs into the month in which this version sees them; reading it builds its tables.

        A kill before they have left their old month costs nothing: they are put in again.
        """
        footer = self._legs_footer(month)
        both = merge(self._legs(month, footer), legs)
        footer = footer or Footer(zone=told.zone, country=told.country)
        self._write("legs", month, both.parts(), msgspec.structs.replace(footer, id=uuid4().hex))

    def _stale(self, month: str) -> bool:
        legs = self._legs_footer(month)
        return legs is not None and (
            legs.version != VERSION or any(self._made_from(table, month) != (VERSION, legs.id) for table in DERIVED)
        )

    def _made_from(self, table: TableName, month: str) -> tuple[int, str]:
        try:
            footer = read_footer(self.path(table, month))
        except DamagedFile:
            return 0, ""
        return (footer.version, footer.made_from) if footer else (0, "")

    def _legs_footer(self, month: str) -> Footer | None:
        footer = read_footer(self.path("legs", month))
        if footer and footer.version > VERSION:
            raise StoreError(
                f"{self.path('legs', month)} was written by a newer version of this package",
                hint="upgrade ucm-analytics",
            )
        if footer and footer.month not in ("", month):
            raise DamagedFile(
                f"{self.path('legs', month)} holds the legs of {footer.month}: it was copied or renamed",
                hint="delete it, or give it its name again",
            )
        return footer

    def _around(
        self, month: str, footer: Footer | None, span: tuple[datetime, datetime] | None
    ) -> tuple[Iterable[pa.Table], pa.Table, Iterable[pa.Table]]:
        """Stored legs before a span, in it, and after it; only those in it lie in memory."""
        if footer is None or footer.version != VERSION or span is None or month == UNDATED:
            return (), self._legs(month, footer), ()
        between = partial(rows_between, self.path("legs", month), "called_at")
        inside = pa.concat_tables([no_legs(), *between(*span)]).unify_dictionaries()
        return between(high=span[0]), inside, between(low=span[1])

    def _legs(self, month: str, footer: Footer | None) -> pa.Table:
        """Stored legs, read anew from the PBX's own fields where an older version wrote them."""
        if footer is None:
            return no_legs()
        legs = read_table(self.path("legs", month))
        if footer.version == VERSION:
            return legs
        schema = arrow_schema("legs")
        missing = [field for field in schema if field.name not in legs.column_names]
        for field in missing:
            legs = legs.append_column(field, pa.nulls(legs.num_rows, field.type))
        return legs_table(dump_legs(legs), pbx=self.pbx)

    def _write(self, table: str, month: str, rows: pa.Table | Iterable[pa.Table], footer: Footer) -> None:
        footer = msgspec.structs.replace(footer, month=month)
        write_table(rows, self.path(table, month), footer, scratch=self._scratch)

    def _marked(self) -> set[str]:
        if not is_there(self._unfinished):
            return set()
        if self._unfinished.is_file():  # a pipe would be waited for
            with suppress(OSError, UnicodeError):
                return set(filter(_is_month, self._unfinished.read_text(encoding="ascii").split()))
        return set(self.names())  # nobody knows which, so all are looked at

    def _mark(self, months: set[str]) -> None:
        """Note the months whose tables may not belong to their legs yet."""
        temporary = self._state / "_unfinished"
        try:
            if months:
                temporary.unlink(missing_ok=True)
                temporary.write_text("\n".join(sorted(months)), encoding="ascii")
                replace(temporary, self._unfinished)
            else:
                self._unfinished.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._unfinished, error) from error

    @contextmanager
    def _locked(self, name: str, wait_s: float) -> Iterator[None]:
        path = self._state / f"{name}.lock"
        try:
            self._state.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path, timeout=wait_s)
            lock.acquire()
        except Timeout as error:
            raise StoreLocked(
                f"another sync is writing to {self.root} (PBX {self.pbx})",
                hint="wait until it is done and try again",
            ) from error
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            yield
        finally:
            lock.release()


def _is_month(name: str) -> bool:
    return name == UNDATED or bool(re.fullmatch("(?!0000)[0-9]{4}-(0[1-9]|1[0-2])", name))
