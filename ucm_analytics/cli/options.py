"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ucm_analytics.period import Period

Pbx = Annotated[str | None, typer.Option("--pbx", metavar="NAME", help="Which PBX; not needed if there is one.")]
Since = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, YYYY-MM-DD.")]
Until = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, included.")]
Locale = Annotated[
    str | None, typer.Option("--locale", metavar="LOCALE", help="Numbers and dates as in de_DE [default: UCM_LOCALE].")
]
Folder = Annotated[Path, typer.Option("--out", help="Folder for the files.")]
Formats = Annotated[str, typer.Option("--format", help="html, pdf, xlsx, png, svg or csv; several: html,png")]


def period(since: str | None, until: str | None, month: str | None = None, week: str | None = None) -> Period:
    """The one period that the options name."""
    if sum((bool(since or until), bool(month), bool(week))) != 1:
        raise typer.BadParameter("say --from and --to, or --month, or --week")
    if month or week:
        return Period.of(str(month or week))
    if not (since and until):
        raise typer.BadParameter("--from and --to belong together")
    return Period.of(since, until)
