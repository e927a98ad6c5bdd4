"""DuckDB, the engine under the analyses: one database for each user of it, one connection for each thread."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    import duckdb

__all__ = ["IN_MEMORY", "Engine", "file_name"]


class Engine:
    """A database in memory, made when it is first asked for.

    A connection runs one query at a time, so each thread has its own; a fork takes none of the
    database's threads along, so a child process has a database of its own.

    Parameters
    ----------
    spill : Path, optional
        Folder for what exceeds 1.4 GB; without it the engine's own limit holds.
    """

    _database: duckdb.DuckDBPyConnection | None

    def __init__(self, spill: Path | None = None) -> None:
        self._spill = spill
        self._begin()
        _engines.add(self)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection of this thread; what it gives can be joined with each other."""
        me = threading.get_ident()
        with self._lock:
            if me not in self._connections:
                self._database = self._database or self._connect()
                cursor = self._connections[me] = self._database.cursor()
                cursor.execute("SET TimeZone = 'UTC'")
                cursor.execute("SET enable_progress_bar_print = false")  # it goes to stdout
            return self._connections[me]

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._database = None
        self._connections: dict[int, duckdb.DuckDBPyConnection] = {}

    def _connect(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        limits: dict[str, Any] = {"memory_limit": "1400MB", "temp_directory": str(self._spill)} if self._spill else {}
        return duckdb.connect(config=limits)


def file_name(path: Path) -> str:
    """The name by which DuckDB opens this file and no other: it takes names for patterns.

    Raises
    ------
    SettingError
        There is no such name.
    """
    name = path.absolute().as_posix()
    if not _WILD.intersection(name):
        return name
    if "\\" in name:
        raise SettingError(
            f"the engine cannot read {name}, which has a backslash and one of * ? [ in its name",
            hint="give the folder another name",
        )
    return "".join(f"[{letter}]" if letter in _WILD else letter for letter in name)


def _after_fork() -> None:
    """Begin anew, and keep what the parent opened: to close it here would end the process."""
    for engine in list(_engines):
        _of_parent.append(vars(engine).copy())
        engine._begin()


_WILD: Final = frozenset("*?[")
_engines: Final[WeakSet[Engine]] = WeakSet()
_of_parent: Final[list[object]] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

IN_MEMORY: Final = Engine()
"""For frames that lie in memory."""
