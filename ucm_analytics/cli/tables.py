"""The calls themselves: as files for other programs, and as a page to explore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ucm_analytics.cli.options import Pbx, Since, Until, period
from ucm_analytics.cli.output import INCOMPLETE, say, tell

app = typer.Typer()
PANEL = "Calls one by one"


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: ucm-analytics export calls --from 2026-03-01 --to 2026-03-31 --format xlsx --out c.xlsx",
)
def export(
    table: Annotated[Literal["calls", "legs", "steps", "scenario"], typer.Argument(help="What to write.")],
    call_id: Annotated[
        str | None, typer.Argument(metavar="[CALL_ID]", help="For scenario: the call, masked, as a test's story.")
    ] = None,
    since: Since = None,
    until: Until = None,
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write.")],
    file_format: Annotated[Literal["csv", "parquet", "xlsx"], typer.Option("--format", help="File format.")] = "csv",
    pbx: Pbx = None,
) -> None:
    """Write a table of the store into one file."""
    from ucm_analytics.export import export_table, write_text
    from ucm_analytics.scenario import write_scenario
    from ucm_analytics.store import Store

    if (table == "scenario") != bool(call_id):
        raise typer.BadParameter("scenario, and nothing else, takes a CALL_ID")
    if table == "scenario":
        write_text(write_scenario(Store(), str(call_id), pbx=pbx), out)
        tell(f"{out}: read it through, correct what the model got wrong, and share it")
        return
    days = period(since, until)
    done = export_table(Store(), table, period=days, path=out, file_format=file_format, pbx=pbx)
    tell(f"{out}: {done.rows:,} {table}, {days}")
    if done.missing_days:
        say("warning: some of these days are not in the store; run ucm-analytics sync")
        raise typer.Exit(INCOMPLETE)


@app.command(rich_help_panel=PANEL, epilog="Example: ucm-analytics explore --port 8866")
def explore(
    port: Annotated[int, typer.Option(help="Port to listen on, another if it is taken; 0 takes a free one.")] = 8866,
) -> None:
    """Serve the calls as a page to explore: numbers, charts and calls of the days and phones that you choose.

    Prints the address when the page is ready, and serves it to this computer only until it is stopped.
    """
    from ucm_analytics.explorer.serving import serve
    from ucm_analytics.store import Store

    serve(Store(), port=port, on_ready=tell)
