"""What only a person can say: password, time zone, whether to keep the password."""

from __future__ import annotations

import os
import sys

import typer

from ucm_analytics.cli.output import say
from ucm_analytics.config import Settings, zone
from ucm_analytics.connecting import local_zone
from ucm_analytics.errors import SettingError


def password(settings: Settings, asked: list[str]) -> str:
    """Password from the environment, the keyring, or the person; `asked` gets a typed one."""
    if known := os.environ.get("UCM_PASSWORD"):
        return known
    if known := _from_keyring(settings):
        return known
    if not sys.stdin.isatty():
        raise SettingError(
            f"no password for user {settings.user!r}",
            hint="set UCM_PASSWORD, or run the command in a terminal to be asked",
        )
    typed: str = typer.prompt(f"Password of API user {settings.user}", hide_input=True, err=True)
    asked.append(typed)
    return typed


def _from_keyring(settings: Settings) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password("ucm-analytics", f"{settings.user}@{settings.pbx}")
    except KeyringError:
        return None
    return found


def offer_keyring(settings: Settings, asked: list[str]) -> None:
    """Keep a typed password in the keyring, if there is one and the person agrees."""
    if not asked:
        return
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return
    if typer.confirm("Keep the password in this computer's keyring?", err=True):
        try:
            keyring.set_password("ucm-analytics", f"{settings.user}@{settings.pbx}", asked[-1])
        except KeyringError:
            say("This computer has no keyring; set UCM_PASSWORD instead.")


def timezone(utc_offset: str) -> str:
    """Zone of the PBX: this computer's, where its clock agrees, else what the person says."""
    here = local_zone(utc_offset)
    if not sys.stdin.isatty():
        if not here:
            say("      The time zone is not known; set UCM_TIMEZONE, for example Europe/Berlin.")
        return here
    typed = typer.prompt("Time zone of the PBX (IANA name)", default=here, err=True, show_default=bool(here))
    return zone(typed).key if typed else ""
