"""Things that do not belong into a store, at every place of one, and whatever a store or a command does then."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner

from tests.store.pretend import Pbx
from ucm_analytics.cli import app
from ucm_analytics.errors import UCMError, UCMWarning
from ucm_analytics.store import Store

NOBODY = 65534
HANG_S = 20


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(here)


def _closed_file(path: Path) -> None:
    path.write_bytes(b"PAR1")
    path.chmod(0)


def _closed_folder(path: Path) -> None:
    path.mkdir()
    (path / "part.parquet").touch()
    path.chmod(0)


def _full_folder(path: Path) -> None:
    path.mkdir()
    for name in ("part.parquet", "month=2026-03", "pbx=other"):
        (path / name).mkdir()


def _another_table(path: Path) -> None:
    root = next(folder for folder in path.parents if folder.name == "store")
    other = "steps" if "rings" in path.parts else "rings"
    shutil.copyfile(root / other / "pbx=clinic/month=2026-02/part.parquet", path)


THINGS: dict[str, Callable[[Path], object]] = {
    "empty file": Path.touch,
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 4),
    "text": lambda path: path.write_text("2026-03\n9999-12\n0001-01 x ../../.. ünï\n", encoding="utf-8"),
    "foreign Parquet": lambda path: pq.write_table(pa.table({"a": [1]}), path),
    "another table": _another_table,
    "empty folder": Path.mkdir,
    "folder": _full_folder,
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to its folder": lambda path: path.symlink_to("."),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "pipe": os.mkfifo,
    "socket": _socket,
    "closed file": _closed_file,
    "closed folder": _closed_folder,
}

_TABLES = ("legs", "steps", "calls", "directory")
PLACES = [
    *("foreign", *_TABLES, ".state"),
    *(f"{table}/{name}" for table in _TABLES for name in ("foreign", "pbx=x", "pbx=not a name", "pbx=clinic")),
    *(f"legs/pbx=clinic/month={month}" for month in ("9999-12", "0001-01", "0000-00", "2026-13", "2026-04", "undated")),
    *("legs/pbx=clinic/month=9999-12/part.parquet", "legs/pbx=clinic/foreign"),
    *(f"{table}/pbx=clinic/month=2026-03{below}" for table in _TABLES[:3] for below in ("", "/part.parquet", "/x")),
    *("directory/pbx=clinic/part.parquet", "directory/pbx=clinic/x"),
    *(f".state/{name}" for name in ("clinic", "spill", "foreign")),
    *(f".state/clinic/{name}" for name in ("unfinished", "_unfinished", "sync.lock", "write.lock", "_part.parquet")),
]


def _command(*words: str) -> Callable[[Store, Pbx], object]:
    def run(store: Store, pbx: Pbx) -> object:
        env = {"UCM_DATA": str(store.path), "UCM_URL": pbx.sim.url, "UCM_FINGERPRINT": pbx.sim.fingerprint}
        env |= {"UCM_PASSWORD": "cdrapi123", "UCM_TIMEZONE": "Europe/Berlin", "UCM_CONFIG": str(store.path / "no.toml")}
        out = str(store.path.parent / "out")
        result = CliRunner().invoke(app, [word.replace("OUT", out) for word in words], env=env)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    return run


_MONTH = ("--from", "2026-03-01", "--to", "2026-03-03")
OPERATIONS: dict[str, Callable[[Store, Pbx], object]] = {
    "pbxs": lambda store, _: store.pbxs,
    "repr": lambda store, _: (repr(store), store._repr_html_()),
    "coverage": lambda store, _: (store.coverage("2026-03"), store.coverage(pbx="clinic")),
    "all coverage": lambda store, _: store.coverage(),
    "calls": lambda store, _: (store.calls("2026-03"), store.steps("2026-03-01"), store.legs("2026-W10")),
    "all calls": lambda store, _: store.calls(),
    "scan": lambda store, _: [store.scan(t, "2026-03").collect() for t in ("calls", "rings", "legs")],  # type: ignore[arg-type]
    "all legs": lambda store, _: store.scan("legs").collect(),
    "directory": lambda store, _: store.directory(),
    "save_directory": lambda store, _: store.save_directory("clinic", [{"kind": "queue", "number": "6500"}]),
    "rebuild": lambda store, _: store.rebuild(),
    "sync": lambda store, pbx: pbx.sync(store, since="2026-03-01", until="2026-03-04"),
    "sync on": lambda store, pbx: pbx.sync(store, until="2026-03-04"),
    "$ status": _command("status"),
    "$ report": _command("report", "call-volume", *_MONTH, "--format", "csv", "--out", "OUT"),
    "$ export": _command("export", "legs", *_MONTH, "--out", "OUT/legs.csv"),
    "$ sync": _command("sync", "--pbx", "clinic", "--since", "2026-03-01", "--until", "2026-03-04"),
}


class Hanging(Exception):
    """An operation did not end."""


@contextmanager
def odd_store(made: Path, place: str, thing: str) -> Iterator[Store]:
    """A copy of a store with a thing put at a place, instead of what was there."""
    with tempfile.TemporaryDirectory(prefix="odd-") as folder, suppress(FileNotFoundError):
        store = Store(shutil.copytree(made, Path(folder) / "store"))
        path = store.path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        THINGS[thing](path)
        if os.geteuid() == 0:
            for each in (Path(folder), *Path(folder).rglob("*")):
                os.chown(each, NOBODY, NOBODY, follow_symlinks=False)
        yield store
        if "closed" in thing and not path.is_symlink() and path.exists():
            path.chmod(0o700)


def loaded(made: Path, pbx: Pbx) -> None:
    """Run each operation once, so that no module has to be read by nobody."""
    for operation in OPERATIONS.values():
        with odd_store(made, "foreign", "empty file") as store:
            operation(store, pbx)


def tried(operation: str, store: Store, pbx: Pbx) -> str:
    """How an operation ends: with a result, or with an error that says what to do; anything else is raised."""
    with warnings.catch_warnings(), _as_nobody(), _within(HANG_S):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UCMWarning)
        try:
            OPERATIONS[operation](store, pbx)
        except UCMError as error:
            assert error.hint, repr(error)
            return type(error).__name__
    return "result"


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Without the rights of root, who may read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise Hanging(f"no end within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
