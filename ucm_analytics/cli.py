"""The command line: results on stdout, everything else on stderr.

Exit codes: 0 done, 1 error, 2 wrong usage, 3 done as far as the data goes (days are missing).
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import shutil
import sys
import warnings
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, cast

import typer

from ucm_analytics import __version__
from ucm_analytics.asking import ask_timezone, offer_keyring, password
from ucm_analytics.config import Settings, known_pbxs, zone
from ucm_analytics.connecting import check_same, name_of
from ucm_analytics.errors import IncompletePull, NoData, SettingError, UCMError, printable
from ucm_analytics.period import Period, day

if TYPE_CHECKING:
    from ucm_analytics.delivery.periodic import Kind
    from ucm_analytics.documents.files import Format
    from ucm_analytics.sources.ucm.tls import Certificate
    from ucm_analytics.store import Store

INCOMPLETE = 3
_M_ARENA_MAX = -8
PERIODIC = ("daily", "weekly", "monthly")

app = typer.Typer(
    name="ucm-analytics",
    help="Call analytics for Grandstream UCM63xx phone systems.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Pbx = Annotated[str | None, typer.Option("--pbx", metavar="NAME", help="Which PBX; not needed if there is one.")]
Since = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, YYYY-MM-DD.")]
Locale = Annotated[
    str | None, typer.Option("--locale", metavar="LOCALE", help="Numbers and dates as in de_DE [default: UCM_LOCALE].")
]
Until = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day, included.")]


def main() -> NoReturn:
    """Entry point: errors become one line, a hint and an exit code."""
    warnings.showwarning = _show_warning
    spare_memory()
    try:
        app()
    except IncompletePull as error:
        _fail(error, INCOMPLETE)
    except UCMError as error:
        _fail(error, 1)
    sys.exit(0)


def spare_memory() -> None:
    """Make this process give back what it no longer needs; to be called before Arrow is imported."""
    # Arrow's own pool keeps a multiple of what the legs of a month take
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # glibc gives each thread a heap, and what is free in one of them helps no other; other systems have no mallopt
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _fail(error: UCMError, code: int) -> NoReturn:
    _say(f"error: {error.message}")
    if error.hint:
        _say(f"hint: {error.hint}")
    sys.exit(code)


def _say(text: str) -> None:
    """A line on stderr."""
    print(printable(text), file=sys.stderr)


def _tell(text: object = "") -> None:
    """A line of the result."""
    print(printable(str(text)), flush=True)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _say(f"warning: {message}")


def _version(wanted: bool) -> None:
    if wanted:
        _tell(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: ucm-analytics demo --out demo-output")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the store and the reports.")] = Path("demo-output"),
) -> None:
    """Run it all on a pretend PBX: connect, pull four weeks, write the reports."""
    from ucm_analytics.demo import run_demo

    reports = run_demo(out, _say)
    _tell(f"{len(reports)} reports in {out}: {', '.join(report.name for report in reports)}")
    _tell(f"open {out / 'index.html'}")
    _tell()
    for report in [r for r in reports if r.name in ("call-volume", "ivr-paths", "extensions")]:
        _tell(f"* {report.headline}")


@app.command(epilog="Example: ucm-analytics connect https://192.0.2.10:8089 --user cdrapi --name clinic")
def connect(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the PBX, as in its web interface.")],
    user: Annotated[str | None, typer.Option(help="API user [default: cdrapi].")] = None,
    name: Annotated[
        str | None, typer.Option(help="Name for this PBX [default: the one known at URL; pbx for the first].")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="It takes the place of the PBX of this name.")] = False,
) -> None:
    """Check the way to a PBX step by step, and remember it.

    The password comes from UCM_PASSWORD, the keyring, or a prompt. A self-signed certificate is
    shown once and, if you confirm it, trusted from then on.
    """
    from ucm_analytics.sources.ucm.connect import diagnose

    tables = known_pbxs()
    settings = Settings.load(name_of(url, name, tables), url=url, user=user)
    known = tables.get(settings.pbx, {})
    if replace:
        # what the other PBX was known by; the environment may still name the certificate of this one
        kept = "" if settings.fingerprint == known.get("fingerprint") else settings.fingerprint
        settings = dataclasses.replace(settings, fingerprint=kept, serial="")

    def confirm(shown: Certificate) -> bool:
        _say("  The PBX shows a certificate that no authority vouches for:")
        _say(str(shown))
        if not sys.stdin.isatty():
            _say("  Nobody is here to confirm it. If it is the right one, set UCM_FINGERPRINT to the line above.")
            return False
        return typer.confirm("  Is this your PBX? Compare it with the browser's view of the web interface", err=True)

    facts: dict[str, str] = {}
    asked: list[str] = []
    for step in diagnose(
        url,
        settings.user,
        lambda: password(settings, asked),
        fingerprint=settings.fingerprint or None,
        ca=settings.ca or None,
        confirm=confirm,
    ):
        _say(f"{'ok  ' if step.ok else 'FAIL'}  {step.name}: {step.detail}")
        if step.hint:
            _say(f"{'      ' if step.ok else 'hint: '}{step.hint}")
        # a clock that is off is worth mending, and no reason not to read the records
        if not step.ok and step.name != "clock":
            if step.name == "certificate" and known.get("fingerprint"):
                _say(f"      if another PBX takes the place of {settings.pbx}, say --replace")
            raise typer.Exit(1)
        facts.update(step.facts)
    serial = facts.get("serial", "")
    if not replace:
        check_same(settings.pbx, known, url=url, serial=serial)
    timezone = settings.timezone or ask_timezone(facts.get("utc_offset", ""), _say)
    path = dataclasses.replace(
        settings,
        fingerprint=facts.get("fingerprint", settings.fingerprint),
        timezone=timezone or "",
        serial=serial or settings.serial,
    ).save()
    offer_keyring(settings, asked, _say)
    _tell(f"connected to {settings.pbx}: {facts.get('product', 'PBX')}, firmware {facts.get('firmware', 'unknown')}")
    another = replace and bool(known.get("serial")) and known.get("serial") != serial
    if replace and known:
        _say(f"it takes the place of {known.get('url', 'no address')}, {_serial(known.get('serial'))}")
    _say(f"remembered in {path}; next: ucm-analytics sync --pbx {settings.pbx}{' --replaced' * another}")


@app.command(epilog="Example: ucm-analytics sync --since 2026-03-01")
def sync(
    pbx: Pbx = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="First day, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day, included.")] = None,
    replaced: Annotated[
        bool, typer.Option("--replaced", help="Another PBX took the place of the one that is stored.")
    ] = False,
) -> None:
    """Pull what is new into the store. The first time: the last 30 days, unless --since says otherwise."""
    from ucm_analytics.sources.ucm import UCM

    settings = Settings.load(pbx)
    first, last = (day(since) if since else None), (day(until) if until else None)
    if first and last:
        Period(first, last)
    if not settings.url:
        raise SettingError(
            f"nothing is known about PBX {settings.pbx!r}", hint="run ucm-analytics connect URL, or set UCM_URL"
        )
    with UCM(
        settings.url,
        settings.user,
        lambda: password(settings, []),
        fingerprint=settings.fingerprint or None,
        ca=settings.ca or None,
    ) as ucm:
        done = _store().sync(
            ucm,
            pbx=settings.pbx,
            since=first,
            until=last,
            zone=zone(settings.timezone) if settings.timezone else None,
            country=settings.country,
            replaced=replaced,
        )
    _tell(
        f"{done.pbx}: {len(done.days)} days asked, {done.settled} settled, "
        f"{done.new} new records, {done.updated} updated"
    )


@app.command(epilog="Example: ucm-analytics status --json")
def status(
    pbx: Pbx = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
) -> None:
    """Say what the store holds: days, records, and which days may still change."""
    store = _store()
    if pbx:
        _check_pbx(store, pbx)
    answer: dict[str, Any] = {"store": str(store.path), "pbxs": {}}
    for name in [pbx] if pbx else store.pbxs:
        aside = store.legs(pbx=name, columns=["set_aside"])["set_aside"].dropna().value_counts()
        days = store.coverage(pbx=name)
        states = days["state"].value_counts()
        answer["pbxs"][name] = {
            "first_day": f"{days['day'].min():%Y-%m-%d}" if len(days) else None,
            "last_day": f"{days['day'].max():%Y-%m-%d}" if len(days) else None,
            "settled_days": int(states.get("settled", 0)),
            "provisional_days": int(states.get("provisional", 0)),
            "missing_days": int(states.get("missing", 0)),
            "legs": int(days["legs"].sum()),
            "set_aside": {str(reason): int(count) for reason, count in aside.items()},
            "last_pull": days["pulled_at"].max().isoformat() if days["pulled_at"].notna().any() else None,
        }
    if as_json:
        _tell(json.dumps(answer))
        return
    _tell(f"store {store.path}")
    if not answer["pbxs"]:
        _tell("  empty; run ucm-analytics connect URL, then ucm-analytics sync")
    for name, known in answer["pbxs"].items():
        _tell(f"  {name}: {known['first_day']} to {known['last_day']}, {known['legs']:,} records")
        _tell(
            f"    days: {known['settled_days']} settled, {known['provisional_days']} may still change, "
            f"{known['missing_days']} missing"
        )
        if aside := known["set_aside"]:
            reasons = ", ".join(f"{reason}: {count:,}" for reason, count in aside.items())
            count = sum(aside.values())
            _tell(f"    set aside: {count:,} record{'s' * (count > 1)} of which no call can be made ({reasons})")
        _tell(f"    last pull: {known['last_pull'] or 'never'}")


@app.command(epilog="Example: ucm-analytics reports")
def reports() -> None:
    """List the reports and the question that each answers."""
    from ucm_analytics.reports import names, report_module

    for name in names():
        _tell(f"{name:14} {report_module(name).QUESTION}")


@app.command(epilog="Example: ucm-analytics report call-volume --month 2026-03 --format html,png")
def report(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="See ucm-analytics reports; or daily, weekly, monthly: all of a period."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All reports.")] = False,
    since: Since = None,
    until: Until = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="A month, or last.")] = None,
    week: Annotated[str | None, typer.Option(metavar="YYYY-Www", help="An ISO week, 2026-W11, or last.")] = None,
    on: Annotated[str | None, typer.Option("--day", metavar="DATE", help="For daily: a day, or last.")] = None,
    pbx: Pbx = None,
    locale: Locale = None,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("reports"),
    formats: Annotated[
        str, typer.Option("--format", help="html, pdf, xlsx, png, svg or csv; several: html,png")
    ] = "html",
    to: Annotated[list[str] | None, typer.Option("--mail", metavar="ADDRESS", help="Mail a periodic report.")] = None,
    provisional: Annotated[bool, typer.Option(help="Make a periodic report of days that may change.")] = False,
    check: Annotated[
        Path | None, typer.Option("--verify", metavar="DIR", help="Say whether a periodic report still holds.")
    ] = None,
) -> None:
    """Write reports on a period."""
    from ucm_analytics.delivery.verify import verify
    from ucm_analytics.reports import FORMATS, run_all, run_report, write_all

    if check:
        verdict = verify(check, _store())
        for line in verdict.lines:
            _tell(line)
        raise typer.Exit(0 if verdict.holds else INCOMPLETE)
    if bool(name) == everything:
        raise typer.BadParameter("name one report, or say --all")
    wanted = [each for each in FORMATS if each in formats.split(",")]
    if unknown := set(formats.split(",")) - set(FORMATS):
        raise typer.BadParameter(f"no such format: {', '.join(sorted(unknown))}", param_hint="--format")
    store = _store()
    _check_pbx(store, pbx)
    if name in PERIODIC:
        kind = cast("Kind", name)
        which = {"daily": on, "weekly": week, "monthly": month}[kind] or "last"
        _periodic(store, kind, which, out, wanted, pbx, to, locale=locale, provisional=provisional)
        return
    period = _period(since, until, month, week)
    made = (
        run_all(store, period, pbx=pbx, locale=locale)
        if everything
        else [run_report(str(name), store, period, pbx=pbx, locale=locale)]
    )
    files = write_all(made, out, formats=wanted)
    for file in files:
        _tell(file)
    for each in made:
        _say(f"* {each.headline}")
    if missing := len(made[0].days.missing):
        _say(f"warning: {missing} of {len(period)} days are not in the store; run ucm-analytics sync")
        raise typer.Exit(INCOMPLETE)


def _periodic(
    store: Store,
    kind: Kind,
    which: str,
    out: Path,
    formats: list[Format],
    pbx: str | None,
    to: list[str] | None,
    *,
    locale: str | None,
    provisional: bool,
) -> None:
    from ucm_analytics.delivery.mail import mail
    from ucm_analytics.delivery.periodic import MAILED, last_period, periodic
    from ucm_analytics.delivery.smtp import MailServer

    server = MailServer.load(to=to) if to else None
    zone_name = Settings.load(pbx).timezone if pbx or len(store.pbxs) == 1 else ""
    today = datetime.now(zone(zone_name) if zone_name else None).date()
    period = last_period(kind, today, which)
    made = periodic(
        store, kind, period=period, folder=out, formats=formats, pbx=pbx, locale=locale, provisional_ok=provisional
    )
    _say(made.line)
    if made.folder is None:
        _say("hint: run ucm-analytics sync, wait until the days are settled, or say --provisional")
        raise typer.Exit(INCOMPLETE)
    _tell(made.folder)
    if server:
        sent = mail(made, server)
        _say(
            f"mailed to {', '.join(sent.to) or 'nobody'}" + (f"; had it: {', '.join(sent.before)}" * bool(sent.before))
        )
        if sent.unsure:
            raise SettingError(
                f"it is not known whether {', '.join(sent.unsure)} got it: a run was stopped while it was handed in",
                hint=f'ask; to mail it again, take the entry that says "sending" out of {made.folder / MAILED}',
            )


@app.command(epilog="Example: ucm-analytics schedule weekly --at 07:00 --system cron")
def schedule(
    kind: Annotated[Literal["daily", "weekly", "monthly"], typer.Argument(help="Which periodic report.")],
    at: Annotated[str, typer.Option(metavar="HH:MM", help="When, on this computer's clock.")] = "07:00",
    system: Annotated[Literal["systemd", "cron", "windows"], typer.Option(help="What is to run it.")] = "systemd",
    to: Annotated[list[str] | None, typer.Option("--mail", metavar="ADDRESS", help="Mail it; repeatable.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the files of the schedule.")] = Path("schedule"),
) -> None:
    """Write the files that make this computer pull and report by itself; how to install them is in them."""
    from ucm_analytics.delivery.schedule import schedule as files_of
    from ucm_analytics.export import write_text

    command = Path(shutil.which("ucm-analytics") or sys.argv[0]).absolute()
    for name, text in files_of(kind, at, command=command, directory=Path.cwd(), system=system, to=to or ()).items():
        write_text(text, out / name)
        _tell(out / name)


@app.command(epilog="Example: ucm-analytics export calls --from 2026-03-01 --to 2026-03-31 --format xlsx --out c.xlsx")
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
    from ucm_analytics.export import write_table

    if (table == "scenario") != bool(call_id):
        raise typer.BadParameter("scenario, and nothing else, takes a CALL_ID")
    store = _store()
    _check_pbx(store, pbx)
    if call_id:
        _write_scenario(store, call_id, pbx, out)
        return
    period = _period(since, until, None, None)
    frame = getattr(store, table)(period, pbx=pbx)
    write_table(frame, out, file_format)
    _tell(f"{out}: {len(frame):,} {table}, {period}")
    if (store.coverage(period, pbx=pbx)["state"] == "missing").any():
        _say("warning: some of these days are not in the store; run ucm-analytics sync")
        raise typer.Exit(INCOMPLETE)


@app.command(epilog="Example: ucm-analytics explore --port 8866")
def explore(
    port: Annotated[int, typer.Option(help="Port to listen on, another if it is taken; 0 takes a free one.")] = 8866,
) -> None:
    """Serve the calls as a page to explore: numbers, charts and calls of the days and phones that you choose.

    Prints the address when the page is ready, and serves it to this computer only until it is stopped.
    """
    from ucm_analytics.explorer.serving import serve

    store = _store()
    _check_pbx(store, None)
    serve(store, port=port, on_ready=_tell)


@app.command(epilog="Example: ucm-analytics simulate --port 8089 --from 2026-03-02 --to 2026-03-29 --truth truth")
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
    first, last = (day(since) if since else None), (day(until) if until else None)
    if first and last:
        Period(first, last)
    run(
        password=os.environ.get("UCM_SIM_PASSWORD", "cdrapi123"),
        on_ready=lambda ready: _tell(json.dumps(ready)),
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


def _serial(number: str | None) -> str:
    return f"serial number {number}" if number else "serial number unknown"


def _write_scenario(store: Store, call_id: str, pbx: str | None, out: Path) -> None:
    from ucm_analytics.export import write_text
    from ucm_analytics.scenario import write_scenario

    write_text(write_scenario(store, call_id, pbx=pbx), out)
    _tell(f"{out}: read it through, correct what the model got wrong, and share it")


def _period(since: str | None, until: str | None, month: str | None, week: str | None) -> Period:
    """The one period that the options name."""
    if sum((bool(since or until), bool(month), bool(week))) != 1:
        raise typer.BadParameter("say --from and --to, or --month, or --week")
    if month or week:
        return Period.of(str(month or week))
    if not (since and until):
        raise typer.BadParameter("--from and --to belong together")
    return Period.of(since, until)


def _store() -> Store:
    from ucm_analytics.store import Store

    return Store()


def _check_pbx(store: Store, pbx: str | None) -> None:
    if not store.pbxs:
        raise NoData(f"the store {store.path} is empty", hint="run ucm-analytics sync, or set UCM_DATA")
    if pbx and pbx not in store.pbxs:
        raise NoData(f"the store holds no PBX {pbx!r}", hint=f"it holds {', '.join(store.pbxs)}")
