"""Reports: by name, of a period, on a schedule, and whether they still hold."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from ucm_analytics.cli.options import Folder, Formats, Locale, Pbx, Since, Until, period
from ucm_analytics.cli.output import INCOMPLETE, note, say, tell
from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    from ucm_analytics.documents.files import Format

app = typer.Typer()
PANEL = "Reports"
Kind = Literal["daily", "weekly", "monthly"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Mail = Annotated[list[str] | None, typer.Option("--mail", metavar="ADDRESS", help="Mail it; repeatable.")]


@app.command(rich_help_panel=PANEL, epilog="Example: ucm-analytics reports")
def reports() -> None:
    """List the reports and the question that each answers."""
    from ucm_analytics.reports import names, report_module

    for name in names():
        tell(f"{name:14} {report_module(name).QUESTION}")


def _names_from(incomplete: str) -> list[str]:
    from ucm_analytics.reports import names

    return [name for name in (*KINDS, *names()) if name.startswith(incomplete)]


@app.command(
    rich_help_panel=PANEL, epilog="Example: ucm-analytics report call-volume queues --month 2026-03 --format html,png"
)
def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="See ucm-analytics reports.", autocompletion=_names_from),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All reports.")] = False,
    since: Since = None,
    until: Until = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="A month.")] = None,
    week: Annotated[str | None, typer.Option(metavar="YYYY-Www", help="An ISO week, 2026-W11.")] = None,
    pbx: Pbx = None,
    locale: Locale = None,
    out: Folder = Path("reports"),
    formats: Formats = "html",
) -> None:
    """Write reports on a period."""
    from ucm_analytics.reports import run_all, run_report, write_all
    from ucm_analytics.store import Store

    if bool(names) == everything:
        raise typer.BadParameter("name reports, or say --all")
    if kinds := {"daily", "weekly", "monthly"}.intersection(names or ()):
        kind = kinds.pop()
        raise typer.BadParameter(f"{kind} stands right after report, alone: ucm-analytics report {kind} ...")
    wanted, days, store = _wanted(formats), period(since, until, month, week), Store()
    if everything:
        made = run_all(store, days, pbx=pbx, locale=locale)
    else:
        made = [run_report(name, store, days, pbx=pbx, locale=locale) for name in dict.fromkeys(names or ())]
    for file in write_all(made, out, formats=wanted):
        tell(file)
    for each in made:
        note(f"* {each.headline}")
    if missing := len(made[0].days.missing):
        say(f"warning: {missing} of {len(days)} days are not in the store; run ucm-analytics sync")
        raise typer.Exit(INCOMPLETE)


def _wanted(formats: str) -> list[Format]:
    from ucm_analytics.reports import FORMATS

    if unknown := set(formats.split(",")) - set(FORMATS):
        raise typer.BadParameter(f"no such format: {', '.join(sorted(unknown))}", param_hint="--format")
    return [each for each in FORMATS if each in formats.split(",")]


def _add_periodic(kind: Kind, noun: str, metavar: str) -> None:
    """Add `report daily`, `report weekly` or `report monthly`: all that differs is how its period is named."""
    which = typer.Option("last", f"--{noun}", metavar=metavar, help=f"Which {noun}, or last.")

    @app.command(
        f"report {kind}",
        rich_help_panel=PANEL,
        help=f"Write all reports of a {noun} once it is settled, and mail them.",
        epilog=f"Example: ucm-analytics report {kind} --{noun} last --mail manager@example.org",
    )
    def periodic_report(
        name: str = which,
        pbx: Pbx = None,
        locale: Locale = None,
        out: Folder = Path("reports"),
        formats: Formats = "html",
        to: Mail = None,
        provisional: Annotated[bool, typer.Option(help="Make it though days may still change.")] = False,
    ) -> None:
        from ucm_analytics.delivery.mail import mail
        from ucm_analytics.delivery.periodic import MAILED, periodic
        from ucm_analytics.delivery.smtp import MailServer
        from ucm_analytics.store import Store

        wanted, server = _wanted(formats), MailServer.load(to=to) if to else None
        made = periodic(
            Store(), kind, period=name, folder=out, formats=wanted, pbx=pbx, locale=locale, provisional_ok=provisional
        )
        if made.folder is None:
            say(made.line)
            say("hint: run ucm-analytics sync, wait until the days are settled, or say --provisional")
            raise typer.Exit(INCOMPLETE)
        note(made.line)
        tell(made.folder)
        if server:
            sent = mail(made, server)
            note(sent.line)
            if sent.unsure:
                whom = ", ".join(sent.unsure)
                raise SettingError(
                    f"it is not known whether {whom} got it: a run was stopped while it was handed in",
                    hint=f'ask; to mail it again, take the entry that says "sending" out of {made.folder / MAILED}',
                )


_add_periodic("daily", "day", "DATE")
_add_periodic("weekly", "week", "YYYY-Www")
_add_periodic("monthly", "month", "YYYY-MM")


@app.command(rich_help_panel=PANEL, epilog="Example: ucm-analytics verify reports/2026-W11")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a daily, weekly or monthly report.")],
) -> None:
    """Say whether a periodic report still holds: its files, and the data that it was made from."""
    from ucm_analytics.delivery.verify import verify as verdict_on
    from ucm_analytics.store import Store

    verdict = verdict_on(folder, Store())
    for line in verdict.lines:
        tell(line)
    raise typer.Exit(0 if verdict.holds else INCOMPLETE)


@app.command(rich_help_panel=PANEL, epilog="Example: ucm-analytics schedule weekly --at 07:00 --system cron")
def schedule(
    kind: Annotated[Kind, typer.Argument(help="Which periodic report.")],
    at: Annotated[str, typer.Option(metavar="HH:MM", help="When, on this computer's clock.")] = "07:00",
    system: Annotated[Literal["systemd", "cron", "windows"], typer.Option(help="What is to run it.")] = "systemd",
    to: Mail = None,
    out: Annotated[Path, typer.Option(help="Folder for the files of the schedule.")] = Path("schedule"),
) -> None:
    """Write the files that make this computer pull and report by itself; how to install them is in them."""
    from ucm_analytics.delivery.schedule import schedule as files_of
    from ucm_analytics.export import write_text

    command = Path(shutil.which("ucm-analytics") or sys.argv[0]).absolute()
    for name, text in files_of(kind, at, command=command, directory=Path.cwd(), system=system, to=to or ()).items():
        write_text(text, out / name)
        tell(out / name)
