"""Connect to a PBX, pull its calls, see what is stored."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated

import typer

from ucm_analytics import connecting
from ucm_analytics.cli import output, prompts
from ucm_analytics.cli.options import Pbx
from ucm_analytics.cli.output import note, say, tell

if TYPE_CHECKING:
    from ucm_analytics.sources.ucm.connect import Check
    from ucm_analytics.sources.ucm.tls import Certificate

app = typer.Typer()
PANEL = "Calls from your PBX"


@app.command(
    rich_help_panel=PANEL,
    epilog="Example: ucm-analytics connect https://192.0.2.10:8089 --user cdrapi --name clinic",
)
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
    asked: list[str] = []
    done = connecting.connect(
        url,
        user=user,
        name=name,
        replaced=replace,
        password=partial(prompts.password, asked=asked),
        confirm=_confirm,
        timezone=prompts.timezone,
        on_step=_show,
    )
    prompts.offer_keyring(done.settings, asked)
    pbx, before = done.settings.pbx, done.before
    tell(f"connected to {pbx}: {done.product or 'PBX'}, firmware {done.firmware or 'unknown'}")
    if replace and before:
        serial = f"serial number {before.get('serial') or 'unknown'}"
        note(f"it takes the place of {before.get('url', 'no address')}, {serial}")
    note(f"remembered in {done.path}; next: ucm-analytics sync --pbx {pbx}{' --replaced' * done.another}")


def _confirm(shown: Certificate) -> bool:
    say("  The PBX shows a certificate that no authority vouches for:")
    say(str(shown))
    if not sys.stdin.isatty():
        say("  Nobody is here to confirm it. If it is the right one, set UCM_FINGERPRINT to its SHA-256.")
        return False
    return typer.confirm("  Is this your PBX? Compare it with the browser's view of the web interface", err=True)


def _show(step: Check) -> None:
    line = note if step.ok else say
    line(f"{'ok  ' if step.ok else 'FAIL'}  {step.name}: {step.detail}")
    if step.hint:
        line(f"{'      ' if step.ok else 'hint: '}{step.hint}")
    if step.stops:
        raise typer.Exit(1)  # all is said


@app.command(rich_help_panel=PANEL, epilog="Example: ucm-analytics sync --since 2026-03-01")
def sync(
    pbx: Pbx = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="First day, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day, included.")] = None,
    replaced: Annotated[
        bool, typer.Option("--replaced", help="Another PBX took the place of the one that is stored.")
    ] = False,
) -> None:
    """Pull what is new into the store. The first time: the last 30 days, unless --since says otherwise."""
    from ucm_analytics.store import Store

    done = connecting.pull(
        Store(),
        pbx,
        password=partial(prompts.password, asked=[]),
        since=since,
        until=until,
        replaced=replaced,
        progress=not output.quiet,
    )
    tell(
        f"{done.pbx}: {len(done.days)} days asked, {done.settled} settled, "
        f"{done.new} new records, {done.updated} updated"
    )


@app.command(rich_help_panel=PANEL, epilog="Example: ucm-analytics status --json")
def status(
    pbx: Pbx = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
) -> None:
    """Say what the store holds: days, records, and which days may still change."""
    from ucm_analytics.store import Store

    store = Store()
    found = store.status(pbx)
    if as_json:
        answer = {"store": str(store.path), "pbxs": {name: asdict(known) for name, known in found.items()}}
        tell(json.dumps(answer, default=methodcaller("isoformat")))
        return
    tell(f"store {store.path}")
    if not found:
        tell("  empty; run ucm-analytics connect URL, then ucm-analytics sync")
    for name, known in found.items():
        tell(f"  {name}: {known.first_day} to {known.last_day}, {known.legs:,} records")
        tell(
            f"    days: {known.settled_days} settled, {known.provisional_days} may still change, "
            f"{known.missing_days} missing"
        )
        if aside := known.set_aside:
            reasons = ", ".join(f"{reason}: {count:,}" for reason, count in aside.items())
            count = sum(aside.values())
            tell(f"    set aside: {count:,} record{'s' * (count > 1)} of which no call can be made ({reasons})")
        tell(f"    last pull: {known.last_pull.isoformat() if known.last_pull else 'never'}")
