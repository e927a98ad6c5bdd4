"""Folders of reports: one is replaced whole, one run at a time, and a run that was killed is cleared up by the next.

A new folder is made beside its place. The one that stands there is moved aside before the new one takes its place, so
between the two moves there is none: who comes next puts the old one back, and with it the note of who has had it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ucm_analytics.errors import SettingError

LOCK: Final = ".lock"
WAIT_S: Final = 1800.0
"""How long one run waits for another that writes to the same folder [s]."""

# only what `replaced` makes: other hidden folders are none of our business
_HALF: Final = re.compile(r"\.(?P<name>\d{4}-(?:W\d\d|\d\d(?:-\d\d)?)(?:-[\w.-]+)?)\.(?P<state>new|old)")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder of reports for one run, and clear up what a killed one has left.

    Raises
    ------
    SettingError
        The folder cannot be written, or another run does not end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=WAIT_S)
        lock.acquire()
    except Timeout as error:
        raise SettingError(
            f"another run is writing reports to {folder}", hint="wait until it is done and try again"
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        _clear_up(folder)
        yield
    finally:
        try:
            _clear_up(folder)
        finally:
            lock.release()


def replaced(target: Path, make: Callable[[Path], None], *, keep: str) -> None:
    """Make a folder beside its place, and put it there when it is complete; within `alone`.

    Parameters
    ----------
    target : Path
        Where it belongs; a folder that stands there goes.
    make : callable
        Writes the files into the folder that it is given.
    keep : str
        File that the new folder takes over from the old one.

    Raises
    ------
    SettingError
        The folder cannot be written.
    """
    new, old = (target.with_name(f".{target.name}.{state}") for state in ("new", "old"))
    make(new)
    try:
        if target.exists():
            if (target / keep).exists():
                shutil.copy2(target / keep, new / keep)
            target.rename(old)
        new.rename(target)
    except OSError as error:
        raise _unwritable(target, error) from error


def _clear_up(folder: Path) -> None:
    """Put back what was moved aside with nothing in its place, and remove the rest."""
    try:
        for entry in list(folder.iterdir()):
            if half := _HALF.fullmatch(entry.name):
                target = folder / half["name"]
                if half["state"] == "old" and not target.exists():
                    entry.rename(target)
                else:
                    shutil.rmtree(entry)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> SettingError:
    return SettingError(
        f"cannot write {folder} ({error.strerror or error})", hint="choose another folder or mend this one"
    )
