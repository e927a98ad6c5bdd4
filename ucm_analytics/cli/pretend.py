"""Without a PBX of one's own: a demo, and a PBX that is simulated."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from ucm_analytics.cli.options import Since, Until
from ucm_analytics.cli.output import note, tell
from ucm_analytics.period import days

app = typer.Typer()
PANEL = "Without a PBX"


@app.command(rich_help_panel=PANEL, epilog="Example: ucm-analytics demo --out demo-output")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the store and the reports.")] = Path("demo-output"),
) -> None:
    """Run it all on a pretend PBX: connect, pull four weeks, write the reports."""
    from ucm_analytics.demo import run_demo

    reports = run_demo(out, note)
    tell(f"{len(reports)} reports in {out}: {', '.join(report.name for report in reports)}")
    tell(f"open {out / 'index.html'}")
    tell()
    for report in [r for r in reports if r.name in ("call-volume", "ivr-paths", "extensions")]:
        tell(f"* {report.headline}")


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: ucm-analytics simulate --port 8089 --from 2026-03-02 --to 2026-03-29 --truth truth",
)
def simulate(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    port_file: Annotated[Path | None, typer.Option(help="File to write the port to.")] = None,
    profile: Annotated[str, typer.Option(help="Firmware: f32, f43, f43-shifted or newest.")] = "f43",
    seed: Annotated[int, typer.Option(help="Seed of the traffic.")] = 1,
    since: Since = None,
    until: Until = None,
    calls_per_day: Annotated[int, typer.Option(help="Calls on a normal weekday.")] = 120,
    replay: Annotated[list[Path] | None, typer.Option(metavar="FILE...", help="Serve saved answers instead.")] = None,
    user: Annotated[str, typer.Option(help="API user.")] = "cdrapi",
    fault: Annotated[list[str] | None, typer.Option(metavar="NAME...", help="Switch faults on.")] = None,
    truth: Annotated[Path | None, typer.Option(metavar="DIR", help="Write what really happened to DIR.")] = None,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
) -> None:
    """Be a PBX: the same HTTPS API on this machine, with made-up calls or a replay.

    Prints one JSON line with url, user and fingerprint when it is ready, and serves until it is
    stopped. The password is UCM_SIM_PASSWORD, or cdrapi123.
    """
    from ucm_analytics.simulator import FAULTS, run

    # an option takes one value, so the rest of `--replay A B` or `--fault A B` arrives as arguments
    faults = [*(fault or ()), *(name for name in more or () if name in FAULTS)]
    files = [*(replay or ()), *(Path(name) for name in more or () if name not in FAULTS)]
    if files and not replay:
        raise typer.BadParameter(f"what is {str(files[0])!r}? Faults are {', '.join(FAULTS)}")
    first, last = days(since, until)
    run(
        password=os.environ.get("UCM_SIM_PASSWORD", "cdrapi123"),
        on_ready=lambda ready: tell(json.dumps(ready)),
        port=port,
        port_file=port_file,
        profile=profile,
        seed=seed,
        first=first,
        last=last,
        calls_per_day=calls_per_day,
        replay=files,
        user=user,
        faults=faults,
        truth=truth,
    )
