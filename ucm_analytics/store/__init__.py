"""The data folder: plain Parquet, one file a PBX and month, that any tool reads as it is.

``<store>/legs/pbx=clinic/month=2026-03/part.parquet``, and the same under ``steps``, ``rings`` and
``calls``; ``directory`` holds names and menus. What is known about each day stands in the footers of
the legs files. Locks and unfinished files lie in ``<store>/.state``, outside the datasets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa

from ucm_analytics import config
from ucm_analytics.engine import Engine
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.period import Period
from ucm_analytics.period import day as as_day
from ucm_analytics.schema import TABLES, TableName
from ucm_analytics.store import read
from ucm_analytics.store.adding import add
from ucm_analytics.store.coverage import coverage_frame
from ucm_analytics.store.directory import load_directory, save_directory
from ucm_analytics.store.files import folders, is_there
from ucm_analytics.store.months import Months, WriteSummary
from ucm_analytics.store.status import Status, status_of

if TYPE_CHECKING:
    import duckdb
    import narwhals.stable.v2 as nw

    from ucm_analytics.sources import Source
    from ucm_analytics.store.sync import SyncReport

__all__ = ["Store"]


class Store:
    """Calls of one or several PBXs in a folder.

    Nothing is created before something is written. Threads can share a store, processes get a copy of
    it by fork or pickle; what `scan` gives belongs to the thread that asked for it.

    Parameters
    ----------
    path : str or Path, optional
        The folder; without it `config.data_folder()`.

    Raises
    ------
    SettingError
        The path is no folder.

    Examples
    --------
    >>> import ucm_analytics as ucm
    >>> store = ucm.demo_store()
    >>> store.calls("2026-W11", columns=["direction"]).value_counts().to_dict()[("inbound",)]
    357
    >>> store.scan("steps", "2026-03", pbx="clinic").columns[:4]
    ['pbx', 'call_id', 'step_no', 'kind']
    >>> store.coverage("2026-03-01", "2026-03-03")["state"].tolist()
    ['missing', 'settled', 'settled']
    >>> store.directory("queue")[["number", "name"]].values.tolist()
    [['6500', 'Reception'], ['6501', 'Billing']]
    >>> store.status()["clinic"].legs
    8024
    """

    def __init__(self, path: str | Path | None = None) -> None:
        named = str(path or config.data_folder())
        if "://" in named:
            raise SettingError(f"{named} is no folder of this machine", hint="name a folder for the store")
        if "\0" in named or named != named.encode(errors="replace").decode():
            raise SettingError(f"{named!r} can be no folder's name", hint="name a folder in UTF-8")
        self.path = Path(named)
        if is_there(self.path) and not self.path.is_dir():
            raise SettingError(f"{self.path} is a file", hint="name a folder for the store")
        self._engine = Engine(self.path / ".state" / "spill")

    def __reduce__(self) -> tuple[type[Store], tuple[Path]]:
        return type(self), (self.path,)

    def __repr__(self) -> str:
        days = self.coverage()["day"]
        span = f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else "no days"
        size = sum(Months(self.path, name).size() for name in self.pbxs)
        return f"Store({str(self.path)!r}: {', '.join(self.pbxs) or 'no PBX'}, {span}, {size / 1e6:.1f} MB)"

    def _repr_html_(self) -> str:
        states = self.coverage().groupby(["pbx", "state"], observed=True)
        days = states.agg(days=("day", "size"), first=("day", "min"), last=("day", "max"), legs=("legs", "sum"))
        return f"<p>Store <code>{escape(str(self.path))}</code></p>{days.reset_index().to_html(index=False)}"

    @property
    def pbxs(self) -> list[str]:
        """Names of the PBXs that are stored, in order."""
        return folders(self.path.absolute() / "legs", "pbx", config.is_name)

    def check(self, pbx: str | None = None) -> None:
        """Refuse a store that holds nothing.

        Parameters
        ----------
        pbx : str, optional
            One PBX that has to be stored.

        Raises
        ------
        NoData
            The store holds nothing at all, or not this PBX.
        """
        names = self.pbxs
        if not names:
            raise NoData(f"the store {self.path} holds no calls", hint="run ucm-analytics sync, or set UCM_DATA")
        if pbx is not None and pbx not in names:
            raise NoData(f"the store {self.path} holds no PBX {pbx!r}", hint=f"it holds {', '.join(names)}")

    def status(self, pbx: str | None = None) -> dict[str, Status]:
        """What is stored, in a few numbers.

        Parameters
        ----------
        pbx : str, optional
            One PBX; all of them if not given.

        Returns
        -------
        dict of str to Status
            By name: days by state, legs, those set aside, last pull.

        Raises
        ------
        NoData
            The PBX that is named is not stored.
        """
        if pbx is not None:
            self.check(pbx)
        return {
            name: status_of(self.legs(pbx=name, columns=["set_aside"])["set_aside"], self.coverage(pbx=name))
            for name in ([pbx] if pbx else self.pbxs)
        }

    def calls(
        self,
        first: str | date | Period | None = None,
        last: str | date | None = None,
        *,
        pbx: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Calls that began in a period, as columns of `schema.CALLS`.

        Parameters
        ----------
        first : str, date or Period, optional
            ``2026-03``, ``2026-W11``, a day or, with `last`, the first day, on the PBX's wall clock.
        last : str or date, optional
            Last day, included.
        pbx : str, optional
            One PBX; all of them if not given.
        columns : sequence of str, optional
            Columns wanted.

        Returns
        -------
        pandas.DataFrame
            One row a call; no rows where there were none. `coverage` tells which days are stored.

        Raises
        ------
        NoData
            The store holds nothing at all, or not this PBX.
        SettingError
            No such period or column.
        DamagedFile
            A file cannot be read.
        """
        return self._frame("calls", first, last, pbx, columns)

    def steps(
        self,
        first: str | date | Period | None = None,
        last: str | date | None = None,
        *,
        pbx: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Steps of the calls that began in a period, as columns of `schema.STEPS`.

        Parameters
        ----------
        first, last, pbx, columns
            As for `calls`.

        Returns
        -------
        pandas.DataFrame
            One row a stage of a call.

        Raises
        ------
        NoData, SettingError, DamagedFile
            As for `calls`.
        """
        return self._frame("steps", first, last, pbx, columns)

    def rings(
        self,
        first: str | date | Period | None = None,
        last: str | date | None = None,
        *,
        pbx: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Rings of the calls that began in a period, as columns of `schema.RINGS`.

        Parameters
        ----------
        first, last, pbx, columns
            As for `calls`.

        Returns
        -------
        pandas.DataFrame
            One row a phone that rang.

        Raises
        ------
        NoData, SettingError, DamagedFile
            As for `calls`.
        """
        return self._frame("rings", first, last, pbx, columns)

    def legs(
        self,
        first: str | date | Period | None = None,
        last: str | date | None = None,
        *,
        pbx: str | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Legs of the calls that began in a period, as columns of `schema.LEGS`.

        Legs that are set aside come too, by the UTC day of `called_at`; those without it only without a period.

        Parameters
        ----------
        first, last, pbx, columns
            As for `calls`.

        Returns
        -------
        pandas.DataFrame
            One row a record of the PBX.

        Raises
        ------
        NoData, SettingError, DamagedFile
            As for `calls`.
        """
        return self._frame("legs", first, last, pbx, columns)

    def scan(
        self,
        table: TableName,
        first: str | date | Period | None = None,
        last: str | date | None = None,
        *,
        pbx: str | None = None,
    ) -> nw.LazyFrame[duckdb.DuckDBPyRelation]:
        """Lazy frame over a table: reads only the months and columns that are used in the end.

        Checksums are looked at here, of all bytes of each file of the period, once in a process.

        Parameters
        ----------
        table : str
            ``calls``, ``steps``, ``rings`` or ``legs``.
        first, last, pbx
            As for `calls`.

        Returns
        -------
        narwhals.stable.v2.LazyFrame
            On DuckDB, which keeps within 1.4 GB and spills the rest to the store's ``.state``.
            Frames that one thread scans of one `Store` can be joined.

        Raises
        ------
        NoData, SettingError, DamagedFile
            As for `calls`.
        """
        import narwhals.stable.v2 as nw

        if table not in TABLES:
            raise SettingError(f"{table!r} is no table", hint=f"choose from {', '.join(TABLES)}")
        period = _period(first, last)
        files = read.sources(self._stored(pbx), table, period)
        return nw.from_native(read.relation(self._engine.connection(), files, table, period))

    def coverage(
        self,
        first: str | date | Period | None = None,
        last: str | date | None = None,
        *,
        pbx: str | None = None,
    ) -> pd.DataFrame:
        """What is known about each day.

        Parameters
        ----------
        first, last, pbx
            As for `calls`; without a period, from the first to the last day that is stored.

        Returns
        -------
        pandas.DataFrame
            One row a day and PBX: `pbx`, `day`, `state` (settled, provisional, missing), `source`
            (pbx, file), `legs` (but for those set aside), `pages`, `vanished` (stored legs that the PBX no
            longer sends), `pulled_at` (UTC), `asked_from`, `asked_to` (PBX wall clock), `firmware`, `sha256`.
        """
        period = _period(first, last)
        return coverage_frame(self._months(pbx), period)

    def zones(self, pbx: str | None = None) -> dict[str, ZoneInfo]:
        """Time zones of the PBXs, as the newest calls of each were read by.

        Parameters
        ----------
        pbx : str, optional
            One PBX; all of them if not given.

        Returns
        -------
        dict of str to ZoneInfo
            By name; a PBX whose zone was never named is not in it. Analyses take it as `zones`.

        Examples
        --------
        >>> import ucm_analytics as ucm
        >>> ucm.demo_store().zones()
        {'clinic': zoneinfo.ZoneInfo(key='Europe/Berlin')}
        """
        known = {months.pbx: months.zone() for months in self._months(pbx)}
        return {name: zone for name, zone in known.items() if zone}

    def sync(
        self,
        source: Source,
        *,
        pbx: str,
        since: str | date | None = None,
        until: str | date | None = None,
        zone: ZoneInfo | None = None,
        country: str = "",
        now: datetime | None = None,
        lag: timedelta = timedelta(days=2),
        progress: bool = True,
        replaced: bool = False,
    ) -> SyncReport:
        """Pull every day that is not settled, and build the tables made from its legs.

        Parameters
        ----------
        source : Source
            The PBX, such as a `UCM`.
        pbx : str
            Name under which its data is stored.
        since : str or date, optional
            First day; without it the first stored day that is not settled, else 30 days back.
        until : str or date, optional
            Last day; never later than today on the PBX's clock, which is the default.
        zone : ZoneInfo, optional
            Time zone of the PBX; without it the PBX is asked for its clock.
        country : str
            Country of the PBX, two letters, to read its numbers by; where empty, that which the month
            files name already.
        now : datetime, optional
            The time to go by, with a zone, instead of this machine's clock.
        lag : timedelta
            How long after its end a day may still change.
        progress : bool
            Show a bar on a terminal or in a notebook.
        replaced : bool
            Go on with another PBX than the one whose calls are stored under this name.

        Returns
        -------
        SyncReport
            Days asked for, those settled, legs that are new, updated or vanished, months written.

        Raises
        ------
        IncompletePull, Unreachable, APIError, UnexpectedAnswer
            A day could not be pulled; the days before it are stored, nothing of it is marked.
        StoreLocked
            Another sync of this PBX is running.
        StoreError, DamagedFile
            The folder cannot be used.
        SettingError
            No such days or country, no way to know the PBX's clock, or another PBX than the one that is
            stored under this name.

        Warns
        -----
        UnknownFields
            The PBX sent fields that are not declared; they are kept.
        """
        from ucm_analytics.store.sync import sync

        if now is not None and now.tzinfo is None:
            raise SettingError(f"the time {now} carries no zone", hint="pass an aware datetime")
        return sync(
            Months(self.path, pbx),
            source,
            since=None if since is None else as_day(since),
            until=None if until is None else as_day(until),
            zone=zone,
            country=country and config.country_code(country),
            now=lambda: now or datetime.now(UTC),
            lag=lag,
            progress=progress,
            replaced=replaced,
        )

    def add(self, legs: pa.Table, *, pbx: str, zone: ZoneInfo | None = None, country: str = "") -> WriteSummary:
        """Put legs in that came from elsewhere, such as a saved answer.

        Days that no sync has asked for become provisional, with source ``file``.

        Parameters
        ----------
        legs : pyarrow.Table
            Columns of `schema.LEGS`, as `legs.legs_table` gives them.
        pbx : str
            Name under which they are stored.
        zone : ZoneInfo, optional
            Time zone of the PBX.
        country : str
            Country of the PBX, as for `sync`.

        Returns
        -------
        WriteSummary
            `new` and `updated` legs, and `months` that were written.

        Raises
        ------
        WrongColumns
            The table has not the columns of legs.
        StoreLocked, StoreError, DamagedFile
            As for `sync`.
        """
        country = country and config.country_code(country)
        return add(Months(self.path, pbx), legs, zone=zone.key if zone else "", country=country)

    def rebuild(self, pbx: str | None = None, *, zone: ZoneInfo | None = None, country: str = "") -> None:
        """Build steps, rings and calls again from the legs of one PBX, or of all.

        Parameters
        ----------
        pbx : str, optional
            One PBX; all of them if not given.
        zone : ZoneInfo, optional
            Time zone to read all clocks by, from now on; without it, that which each month names.
        country : str
            Country to read all numbers by, from now on; where empty, that which each month names.
        """
        country = country and config.country_code(country)
        for months in self._stored(pbx):
            months.rebuild(zone=zone.key if zone else "", country=country)

    def directory(
        self, kind: str | None = None, *, pbx: str | None = None, on: str | date | None = None
    ) -> pd.DataFrame:
        """Names of extensions, queues, ring groups, trunks and numbers, and the keys of the menus.

        Parameters
        ----------
        kind : str, optional
            ``extension``, ``queue``, ``ivr``, ``ring_group``, ``trunk`` or ``did``.
        pbx : str, optional
            One PBX; all of them if not given.
        on : str or date, optional
            What held on this day; without it what holds now. Changes are known to the day of the sync
            that saw them; before the first sync, what that one saw.

        Returns
        -------
        pandas.DataFrame
            Columns of `schema.DIRECTORY`. A menu has one row with an empty `key`, and one row a
            key with what it leads to in `target_kind` and `target`.
        """
        pbxs = self._months(pbx)
        return load_directory(pbxs, kind, None if on is None else as_day(on))

    def save_directory(self, pbx: str, rows: Iterable[Mapping[str, str]], *, on: str | date | None = None) -> None:
        """Store all names and menus that a PBX has on a day; see `directory`.

        Rows that are stored and not among `rows` end on that day, and those that are new begin.

        Parameters
        ----------
        pbx : str
            Name of the PBX.
        rows : iterable of mapping
            Columns of `schema.DIRECTORY` but `pbx` and the days; what is missing is empty.
        on : str or date, optional
            The day; today if not given.
        """
        day = datetime.now(UTC).date() if on is None else as_day(on)
        save_directory(Months(self.path, pbx), rows, on=day)

    def _months(self, pbx: str | None) -> list[Months]:
        return [Months(self.path, name) for name in ([pbx] if pbx else self.pbxs)]

    def _stored(self, pbx: str | None) -> list[Months]:
        self.check(pbx)
        return self._months(pbx)

    def _frame(
        self,
        table: TableName,
        first: str | date | Period | None,
        last: str | date | None,
        pbx: str | None,
        columns: Sequence[str] | None,
    ) -> pd.DataFrame:
        period = _period(first, last)
        return read.frame(read.sources(self._stored(pbx), table, period), table, period, columns)


def _period(first: str | date | Period | None, last: str | date | None) -> Period | None:
    if first is None:
        if last is not None:
            raise SettingError("a period needs its first day", hint="give both days, or a month such as 2026-03")
        return None
    return Period.of(first, last)
