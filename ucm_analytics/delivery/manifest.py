"""What a folder of reports was made from: `manifest.json` beside the files.

It names every day with what the store held of it, and as many days before, with which the summary
compares; the versions that made the reports; and every file with its hash. No clock is read: the
same period and the same data give the same manifest, but for hashes of files that hold floats, whose
last digits can differ on another kind of processor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics import __version__
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period
from ucm_analytics.schema import LEGS, VERSION

if TYPE_CHECKING:
    from ucm_analytics.store import Store

NAME: Final = "manifest.json"
_NAMED: Final = ["kind", "number", "key", "target", "target_kind", "name"]


class MadeFrom(msgspec.Struct, frozen=True):
    """One day of one PBX, as the store held it.

    Attributes
    ----------
    state : str
        settled, provisional or missing.
    legs : int
        CDR rows that came with the last pull of the day.
    sha256 : str
        Hash of what the PBX answered; empty for days that came from a file.
    content : str
        Hash of the legs of the day's calls in the store, whatever their order; empty without legs.
    """

    pbx: str
    day: date
    state: Literal["settled", "provisional", "missing"]
    legs: int
    sha256: str
    content: str
    pulled_at: datetime | None = None


class Manifest(msgspec.Struct, frozen=True):
    """A folder of reports: what it is about, what it was made from, and by what.

    Attributes
    ----------
    kind, period : str
        ``weekly`` and ``2026-W11``, for example.
    pbx : str, optional
        The only PBX that the reports are about; None if it is all of them.
    state : str
        `final`, or `provisional` where days could still change.
    version : str
        Version of this package.
    schema : int
        Version of the tables and of the model's rules.
    days : list of MadeFrom
        One entry a day and PBX, of the period and of as many days before it.
    history : dict
        For each PBX the hash of what was known of the days before those, for forecasts and the like.
    names : dict
        For each PBX the hash of the names and menus that were shown.
    files : dict
        SHA-256 of every file of the folder, but for the manifest and the note about mails.
    """

    kind: str
    period: str
    first: date
    last: date
    pbx: str | None
    state: Literal["final", "provisional"]
    version: str
    schema: int
    days: list[MadeFrom]
    history: dict[str, str]
    names: dict[str, str]
    files: dict[str, str]

    @property
    def data(self) -> str:
        """Hash of what the reports are about: the period, its data, and whether they are final."""
        days = [(each.pbx, each.day, each.content) for each in self.days]
        told = msgspec.json.encode([self.kind, self.period, self.pbx, self.state, days])
        return hashlib.sha256(told).hexdigest()

    def encode(self) -> bytes:
        """The manifest as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=2) + b"\n"


def manifest_of(
    store: Store,
    period: Period,
    *,
    kind: str,
    label: str,
    pbx: str | None,
    state: Literal["final", "provisional"],
    files: Sequence[Path],
) -> Manifest:
    """Manifest of files that were just made from a store."""
    return Manifest(
        kind=kind,
        period=label,
        first=period.first,
        last=period.last,
        pbx=pbx,
        state=state,
        version=__version__,
        schema=VERSION,
        days=days_of(store, period, pbx=pbx),
        history=history_of(store, period, pbx=pbx),
        names=names_of(store, pbx=pbx),
        files={file.name: file_hash(file) for file in sorted(files)},
    )


def read_manifest(folder: Path) -> Manifest:
    """Manifest of a folder.

    Raises
    ------
    SettingError
        There is none, or it cannot be read.
    """
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise SettingError(
            f"{folder} holds no {NAME}", hint="name a folder that `ucm-analytics report weekly` or a like has made"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingError(f"cannot read {path} ({error})", hint="make the reports again") from error


def days_of(store: Store, period: Period, *, pbx: str | None) -> list[MadeFrom]:
    """What the store holds of each day of a period and of as many days before, PBX by PBX."""
    compared = Period(_earliest(period), period.last)
    contents = _contents(store, compared, pbx=pbx)
    days = []
    for row in store.coverage(compared, pbx=pbx).to_dict("records"):
        name, day, pulled = str(row["pbx"]), row["day"].date(), row["pulled_at"]
        days.append(
            MadeFrom(
                pbx=name,
                day=day,
                state=row["state"],
                legs=0 if pd.isna(row["legs"]) else int(row["legs"]),
                sha256="" if pd.isna(row["sha256"]) else str(row["sha256"]),
                content=contents.get((name, day), ""),
                pulled_at=None if pd.isna(pulled) else pulled.to_pydatetime(),
            )
        )
    return sorted(days, key=lambda each: (each.pbx, each.day))


def history_of(store: Store, period: Period, *, pbx: str | None) -> dict[str, str]:
    """For each PBX the hash of what is known of the days before those of `days_of`."""
    known = store.coverage(pbx=pbx)
    known = known[(known["day"] < pd.Timestamp(_earliest(period))) & (known["state"] != "missing")]
    rows = known[["pbx", "day", "legs", "sha256"]].astype({"pbx": str})
    return {str(name): _hash_of(part.sort_values("day")) for name, part in rows.groupby("pbx")}


def names_of(store: Store, *, pbx: str | None) -> dict[str, str]:
    """For each PBX the hash of the names and menus that its reports show."""
    hashes = {}
    for name in [pbx] if pbx else store.pbxs:
        rows = store.directory(pbx=name)[_NAMED].astype(str).sort_values(_NAMED)
        hashes[name] = _hash_of(rows)
    return hashes


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _earliest(period: Period) -> date:
    return period.first - timedelta(days=len(period))


def _hash_of(rows: pd.DataFrame) -> str:
    return hashlib.sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _contents(store: Store, period: Period, *, pbx: str | None) -> dict[tuple[str, date], str]:
    """Hash of the legs of each PBX and day, by the first start of their call as `Store.coverage` counts them."""
    legs = nw.to_native(store.scan("legs", period, pbx=pbx))
    row = ", ".join(f'coalesce(CAST("{column.name}" AS VARCHAR), chr(30))' for column in LEGS)
    found = legs.query(
        "legs",
        f"""
        WITH hashed AS (
            SELECT pbx, call_id, CASE WHEN set_aside IS NULL THEN start_at END AS start_at, called_at,
                sha256(concat_ws(chr(31), {row})) AS leg
            FROM legs
        ),
        begun AS (
            SELECT pbx, call_id, CAST(coalesce(min(start_at), CAST(min(called_at) AS TIMESTAMP)) AS DATE) AS day
            FROM hashed GROUP BY pbx, call_id
        )
        SELECT CAST(pbx AS VARCHAR), greatest(least(day, DATE '{period.last}'), DATE '{period.first}') AS day,
            sha256(string_agg(leg, '' ORDER BY leg))
        FROM hashed JOIN begun USING (pbx, call_id) GROUP BY ALL
        """,
    )
    return {(name, day): content for name, day, content in (found.fetchall() if found else ())}
