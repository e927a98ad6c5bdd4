"""Where legs come from: one package or file a kind of source, each of which the store can pull.

A source gives rows of `schema.LEGS` in the words of the UCM's records; what another vendor's records say is
translated by its source. Merging, settled days and the tables made from legs are the store's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Protocol, TypeAlias

import pyarrow as pa

Entries: TypeAlias = Sequence[Mapping[str, str]]
"""Rows of `schema.DIRECTORY` but `pbx` and the days; what is missing is empty."""


@dataclass(frozen=True)
class Pulled:
    """All legs of a day's window, and the proof that they came.

    Attributes
    ----------
    legs : pyarrow.Table
        Columns of `schema.LEGS`.
    pages : int
        Answers that were read.
    asked_from, asked_to : datetime.datetime
        Naive PBX wall time, both included.
    sha256 : str
        Over the contents of all legs, whatever their order.
    """

    legs: pa.Table
    pages: int
    asked_from: datetime
    asked_to: datetime
    sha256: str


class Source(Protocol):
    """A PBX that can be asked for the legs of a day."""

    @property
    def address(self) -> object:
        """What to call it in a message."""
        ...

    def serial(self) -> str:
        """Serial number of the PBX; empty where it does not tell."""
        ...

    def firmware(self) -> str:
        """Version of the PBX's program; empty where it does not tell."""
        ...

    def clock(self) -> tzinfo:
        """The PBX's present offset from UTC.

        Raises
        ------
        SettingError
            It does not say.
        """
        ...

    def pull_day(self, day: date, *, pbx: str, frozen_end: datetime, known: int = 0) -> Pulled:
        """All legs of the calls that started on one day of the PBX's wall clock, proved complete.

        Parameters
        ----------
        day : date
            The day.
        pbx : str
            Name of the PBX, for the legs.
        frozen_end : datetime.datetime
            Naive PBX wall time; nothing later is asked for.
        known : int
            Legs of the day that were seen already: then an empty answer is not true.

        Raises
        ------
        IncompletePull, Unreachable, APIError, UnexpectedAnswer
            Not all of it came.
        """
        ...

    def directory(self) -> Iterable[tuple[str, Entries | None]]:
        """Each kind of `schema.DIRECTORY_KINDS` with all its rows; None where they could not be asked for."""
        ...
