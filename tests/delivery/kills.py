"""Runs of a periodic report with mail that stop dead at one step of their work with files, and what comes of it.

A step is what Python is about to do to a file or folder below the reports: open it for writing, make, rename or
remove it. `Stopped` stands for the kill inside a process: after it no step succeeds, so nothing can tidy up.
"""

from __future__ import annotations

import os
import shutil
import signal
import smtplib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from ucm_analytics.delivery.folder import LOCK, alone
from ucm_analytics.delivery.mail import mail
from ucm_analytics.delivery.manifest import file_hash, read_manifest
from ucm_analytics.delivery.periodic import PeriodicReport, periodic
from ucm_analytics.delivery.smtp import MailServer
from ucm_analytics.period import Period
from ucm_analytics.store import Store

DAY = Period.of("2026-03-11")
ANNA, BEN = "anna@example.org", "ben@example.org"

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"}


class Stopped(BaseException):
    """The process is no more."""


class Clock:
    """Counts the steps below a folder and stops before the one with a number.

    With `half` only files that are written count, and half of the one with the number is there.
    """

    def __init__(self, folder: Path, stop: int, *, half: bool, really: bool) -> None:
        self.folder = str(folder)
        self.left = stop
        self.half = half
        self.really = really

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & _WRITES)
        if not (writes or (event in _STEPS and not self.half) or (event in _STEPS and self.left < 0)):
            return
        path = _path(event, arguments)
        if not path.startswith(self.folder) or path.endswith(LOCK):
            return
        if self.left > 0:
            self.left -= 1
            return
        if self.half and self.left == 0:
            self.folder, folder = "\0", self.folder  # this one is ours
            Path(path).write_bytes(b"[{")
            self.folder = folder
        self.left = -1
        if self.really:
            os.kill(os.getpid(), signal.SIGKILL)
        raise Stopped


def _path(event: str, arguments: tuple[Any, ...]) -> str:
    """Path that is meant, also where a tree is removed from within its open folders."""
    path, folder = str(arguments[0]), arguments[-1]
    if event in ("os.remove", "os.rmdir") and isinstance(folder, int) and folder >= 0:
        return str(Path(f"/proc/self/fd/{folder}").resolve() / path)
    return path


_running: list[Clock] = []


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _running:
        _running[-1](event, arguments)


@contextmanager
def stopping(folder: Path, stop: int, *, half: bool = False, really: bool = False) -> Iterator[Clock]:
    """Stop at a step, counted from 0; whether it came to that is in `Clock.left`, then below 0."""
    if not hasattr(sys, "_tests_hear_steps"):
        sys.addaudithook(_heard)  # can never be taken away, so there is one for all
        sys._tests_hear_steps = True  # type: ignore[attr-defined]
    _running.append(clock := Clock(folder, stop, half=half, really=really))
    try:
        yield clock
    finally:
        _running.remove(clock)


def post_office(letters: Path) -> type:
    """A mail server that takes it all, and writes down in a file to whom."""

    class Server:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def send_message(self, message: EmailMessage, from_addr: str, to_addrs: Sequence[str]) -> dict[str, Any]:
            with letters.open("a") as file:
                file.writelines(f"{address}\n" for address in to_addrs)
            return {}

    return Server


def made(store: Store, out: Path) -> PeriodicReport:
    """The report that is tried."""
    return periodic(store, "daily", period=DAY, folder=out, reports=["durations"], formats=["csv"])


def server(*to: str) -> MailServer:
    """Where it is handed in."""
    return MailServer(host="smtp.example.org", sender="r@example.org", to=to, security="none")


def killed_run(store: Path, out: Path, letters: Path, stop: int, half: bool) -> None:
    """Make the report and mail it, in a process of its own that ends itself with SIGKILL at a step."""
    smtplib.SMTP = post_office(letters)  # type: ignore[misc]
    with stopping(out, stop, half=half, really=True):
        mail(made(Store(store), out), server(ANNA, BEN))


def try_each_step(
    scenario: str,
    stores: tuple[Store, Store],
    folder: Path,
    stopped_run: Callable[[Store, Path, Path, int, bool], bool],
) -> int:
    """Stop a run at every step, let the next one come, and look at the report and the letters.

    Parameters
    ----------
    scenario : {"first", "made again", "other data"}
        There was no report; there was, and Anna has had it; there was, and a call has come since.
    stores : tuple of Store
        Before and after that call.
    folder : Path
        Where to work.
    stopped_run : callable
        Makes a report of a store in a folder and mails it to both, writes letters into a file, and stops at
        a step; whether it came to that.
    """
    letters = folder / "letters"
    smtplib.SMTP = post_office(letters)  # type: ignore[misc]
    begun = folder / "begun"
    begun.mkdir()
    if scenario != "first":
        mail(made(stores[0], begun), server(ANNA))
    sent = letters.read_text() if letters.exists() else ""
    store = stores[1] if scenario == "other data" else stores[0]
    times = 2 if scenario == "other data" else 1

    def run(stop: int, half: bool) -> bool:
        out = shutil.copytree(begun, folder / "out")
        letters.write_text(sent)
        came_to_it = stopped_run(store, out, letters, stop, half)
        step = f"{scenario}, step {stop}{' with half a file' * half}"
        with alone(out):  # whatever the next run is about
            assert scenario == "first" or complete(out / "2026-03-11"), f"{step}: the report is gone"
        delivered = made(store, out)
        done = mail(delivered, server(ANNA, BEN))
        assert complete(out / "2026-03-11"), step
        assert {entry.name for entry in out.iterdir()} == {"2026-03-11", LOCK}, step
        told = Counter(letters.read_text().split())
        assert told == {ANNA: times, BEN: 1}, f"{step}: mailed {dict(told)}"
        assert {*done.to, *done.before, *done.unsure} == {ANNA, BEN}, step
        assert mail(delivered, server(ANNA, BEN)).to == (), step
        shutil.rmtree(out)
        return came_to_it

    return each_step(run)


def each_step(run: Callable[[int, bool], bool]) -> int:
    """Try every step, and every file half written, until a run comes to its end; how many were tried."""
    tried = 0
    for half in (False, True):
        stop = 0
        while run(stop, half):
            stop += 1
        tried += stop
    return tried


def complete(folder: Path) -> bool:
    """Whether a folder holds what its manifest names, byte by byte."""
    files = read_manifest(folder).files
    return bool(files) and all(file_hash(folder / name) == sha256 for name, sha256 in files.items())
