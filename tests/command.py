"""The command in processes of their own, forked from one that has imported all of it: a start costs next to nothing.

That it starts from nothing is what the README's commands show.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ucm_analytics import charts, cli, reports, store  # loaded before the fork

COMMAND = str(Path(sys.executable).parent / "ucm-analytics")
LOADED = (charts.__all__, store.__name__, reports.names())
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.command"])


def run(words: Sequence[str], *, env: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with such an environment in a folder, with nobody to ask."""
    with tempfile.TemporaryDirectory() as kept:
        out, err = Path(kept, "out"), Path(kept, "err")
        process = _CONTEXT.Process(target=_command, args=(words, dict(env), folder, out, err))
        process.start()
        process.join(280)
        assert process.exitcode is not None, f"{words} does not end"
        return subprocess.CompletedProcess(words, process.exitcode, out.read_text(), err.read_text())


def _command(words: Sequence[str], env: Mapping[str, str], folder: Path, out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(folder)
    for number, path in enumerate((Path(os.devnull), out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    sys.argv = [COMMAND, *words]
    cli.main()
