"""What commands print, none of it able to steer a terminal."""

from __future__ import annotations

import sys

from ucm_analytics.errors import printable

INCOMPLETE = 3
"""Exit code of what was done as far as the data goes."""

quiet = False
"""Whether to leave out what only tells that all goes well."""


def tell(text: object = "") -> None:
    """A line of the result, on stdout."""
    print(printable(str(text)), flush=True)


def note(text: str) -> None:
    """A line on stderr that tells how it goes."""
    if not quiet:
        say(text)


def say(text: str) -> None:
    """A line on stderr that somebody has to see."""
    print(printable(text), file=sys.stderr)
