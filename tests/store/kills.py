"""A sync that ends itself with SIGKILL at a chosen step of writing, run in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.store.pretend import ZONE, local
from ucm_analytics.errors import StoreError
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store
from ucm_analytics.store import sync as _loaded_before_the_fork  # noqa: F401

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.store.kills"])


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Run a function of this module in another process."""
    process = _CONTEXT.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def killed_sync(step: int, path: Path, url: str, fingerprint: str, now: str, since: str, until: str) -> None:
    """Sync, and die just before the step with this number, counted from 0."""
    left = step

    def dying(action: Callable[..., Any], *, half: Callable[..., None] | None = None) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            if left == 0:
                if half:
                    half(*arguments)
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return action(*arguments, **options)

        return run

    pq.ParquetWriter.write_table = dying(pq.ParquetWriter.write_table)
    pq.ParquetWriter.close = dying(pq.ParquetWriter.close)
    pq.ParquetWriter = dying(pq.ParquetWriter, half=lambda file, *_: Path(file).write_bytes(b"PAR1" * 100))
    Path.replace = dying(Path.replace)  # type: ignore[method-assign]
    Path.unlink = dying(Path.unlink)  # type: ignore[method-assign]
    plain_sync(path, url, fingerprint, now, since, until)


def plain_sync(path: Path, url: str, fingerprint: str, now: str, since: str, until: str) -> None:
    """Sync without more ado."""
    with UCM(url, "cdrapi", "cdrapi123", fingerprint=fingerprint) as ucm:
        Store(path).sync(ucm, pbx="clinic", since=since, until=until, zone=ZONE, now=local(now), progress=False)


def cramped_sync(limit: int, path: Path, url: str, fingerprint: str, now: str, since: str, until: str) -> None:
    """Sync where no file may grow beyond a limit; exits with 3 on the error that says so."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        plain_sync(path, url, fingerprint, now, since, until)
    except StoreError as error:
        raise SystemExit(3 if error.message.startswith("no room to write") else 4) from error
