"""The command line: results on stdout, everything else on stderr.

Exit codes: 0 done, 1 error, 2 wrong usage, 3 done as far as the data goes (days are missing).
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import typer

from ucm_analytics import __version__
from ucm_analytics.cli import output, pretend, pulling, reporting, tables
from ucm_analytics.cli.grouping import Commands
from ucm_analytics.errors import IncompletePull, UCMError

_M_ARENA_MAX = -8

app = typer.Typer(
    name="ucm-analytics",
    help="Call analytics for Grandstream UCM63xx phone systems.",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (pulling, reporting, tables, pretend):
    app.add_typer(part.app)


def main() -> NoReturn:
    """Entry point: errors become one line, a hint and an exit code."""
    warnings.showwarning = _show_warning
    spare_memory()
    try:
        app()
    except UCMError as error:
        output.say(f"error: {error.message}")
        if error.hint:
            output.say(f"hint: {error.hint}")
        sys.exit(output.INCOMPLETE if isinstance(error, IncompletePull) else 1)
    sys.exit(0)


def spare_memory() -> None:
    """Make this process give back what it no longer needs; to be called before Arrow is imported."""
    # Arrow's own pool keeps a multiple of what the legs of a month take
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # glibc gives each thread a heap, and what is free in one of them helps no other; other systems have no mallopt
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    output.say(f"warning: {message}")


def _version(wanted: bool) -> None:
    if wanted:
        output.tell(__version__)
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="No progress: on stderr errors, warnings and questions only.")
    ] = False,
) -> None:
    output.quiet = quiet
