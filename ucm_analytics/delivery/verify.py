"""Whether reports that were made long ago still hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ucm_analytics import __version__
from ucm_analytics.delivery.manifest import MadeFrom, Manifest, days_of, file_hash, history_of, names_of, read_manifest
from ucm_analytics.period import Period
from ucm_analytics.schema import VERSION

if TYPE_CHECKING:
    from ucm_analytics.store import Store


State = Literal["unchanged", "file edited", "data changed", "history changed", "other version"]


@dataclass(frozen=True)
class ChangedDay:
    """A day whose legs in the store are not those that the reports were made from."""

    pbx: str
    day: date
    legs_before: int
    legs_now: int

    def __str__(self) -> str:
        if self.legs_before == self.legs_now:
            return f"{self.day} of {self.pbx}: {self.legs_now:,} legs as before, with other values"
        return f"{self.day} of {self.pbx}: {self.legs_before:,} legs then, {self.legs_now:,} now"


@dataclass(frozen=True)
class Verdict:
    """What a folder of reports is worth today.

    Attributes
    ----------
    state : {'unchanged', 'file edited', 'data changed', 'history changed', 'other version'}
        The worst that was found, in the order: a file is not as it was written; the store holds
        other legs; it holds other days long before the period; another version of the tables or the
        package made it.
    label : str
        The period that the reports are about.
    provisional : bool
        Whether they were made while days could still change.
    edited, gone : tuple of str
        Files that are not as they were written, and files that are not there.
    changed : tuple of ChangedDay
        Days whose legs differ.
    renamed : tuple of str
        PBXs whose names or menus are others now; the numbers do not depend on them.
    history : tuple of str
        PBXs of which the store holds other days long before the period, which forecasts and the like
        look at.
    version, schema : tuple
        Of the package and of the tables: then, now.
    """

    state: State
    label: str
    provisional: bool
    edited: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[ChangedDay, ...]
    renamed: tuple[str, ...]
    history: tuple[str, ...]
    version: tuple[str, str]
    schema: tuple[int, int]

    @property
    def holds(self) -> bool:
        """Whether the reports, made again, would say the same."""
        return self.state == "unchanged"

    @property
    def lines(self) -> list[str]:
        """The verdict in plain sentences, the conclusion first."""
        found = [f"{self.label}: {self.state}"]
        found += [f"{name} is not as it was written" for name in self.edited]
        found += [f"{name} is not there" for name in self.gone]
        found += [str(each) for each in self.changed]
        if self.schema[0] != self.schema[1]:
            found.append(f"made with version {self.schema[0]} of the tables and the model; now it is {self.schema[1]}")
        if self.version[0] != self.version[1]:
            found.append(f"made by ucm-analytics {self.version[0]}; this is {self.version[1]}")
        found += [f"names or menus of {pbx} have changed since; the numbers have not" for pbx in self.renamed]
        found += [f"days of {pbx} long before are others now: forecasts and the like change" for pbx in self.history]
        if self.provisional:
            found.append("the reports were provisional when they were made")
        return found


def verify(folder: str | Path, store: Store) -> Verdict:
    """Compare a folder of reports with its manifest and with the store of today.

    Parameters
    ----------
    folder : str or Path
        A folder that `periodic` has made.
    store : Store
        The store that it was made from, or a copy.

    Returns
    -------
    Verdict
        `holds`, and what differs. It trusts the manifest: who changes a file and its hash in there is
        not found out.

    Raises
    ------
    SettingError
        The folder holds no manifest, or one that cannot be read.
    NoData
        The store holds nothing at all, or not the PBX of the reports.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    period = Period(manifest.first, manifest.last)
    gone = tuple(name for name in manifest.files if not (folder / name).is_file())
    edited = tuple(
        name for name, sha256 in manifest.files.items() if name not in gone and file_hash(folder / name) != sha256
    )
    changed = tuple(_changed(manifest, days_of(store, period, pbx=manifest.pbx)))
    names = names_of(store, pbx=manifest.pbx)
    history = history_of(store, period, pbx=manifest.pbx)
    renamed = tuple(pbx for pbx, known in manifest.names.items() if names.get(pbx) != known)
    other_history = tuple(pbx for pbx in manifest.names if manifest.history.get(pbx) != history.get(pbx))
    version, schema = (manifest.version, __version__), (manifest.schema, VERSION)
    state: State = "unchanged"
    if edited or gone:
        state = "file edited"
    elif changed:
        state = "data changed"
    elif other_history:
        state = "history changed"
    elif version[0] != version[1] or schema[0] != schema[1]:
        state = "other version"
    return Verdict(
        state=state,
        label=manifest.period,
        provisional=manifest.state == "provisional",
        edited=edited,
        gone=gone,
        changed=changed,
        renamed=renamed,
        history=other_history,
        version=version,
        schema=schema,
    )


def _changed(manifest: Manifest, now: list[MadeFrom]) -> list[ChangedDay]:
    before = {(each.pbx, each.day): each for each in manifest.days}
    after = {(each.pbx, each.day): each for each in now}
    changed = []
    for key in sorted(before.keys() | after.keys()):
        was, is_now = before.get(key), after.get(key)
        if _held(was, manifest.schema) != _held(is_now, manifest.schema):
            changed.append(ChangedDay(*key, was.legs if was else 0, is_now.legs if is_now else 0))
    return changed


def _held(day: MadeFrom | None, schema: int) -> object:
    """What tells the data of a day from other data; columns of another version cannot be compared."""
    if day is None or day.state == "missing":
        return None
    return day.content if schema == VERSION else (day.legs, day.sha256)
