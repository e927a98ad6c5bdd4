"""Connect a PBX under a name of its own, and pull from one that is known."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ucm_analytics.config import Settings, check_name, known_pbxs, zone
from ucm_analytics.errors import SettingError, UCMError
from ucm_analytics.period import days

if TYPE_CHECKING:
    from ucm_analytics.sources.ucm.connect import Check
    from ucm_analytics.sources.ucm.tls import Certificate
    from ucm_analytics.store import Store
    from ucm_analytics.store.sync import SyncReport

Tables = Mapping[str, Mapping[str, str]]
"""What the settings say of each PBX."""


@dataclass(frozen=True)
class Connected:
    """A PBX that answered, and is remembered.

    Attributes
    ----------
    settings : Settings
        As they were saved.
    path : Path
        The settings file.
    product, firmware : str
        As the PBX names them; empty where it does not.
    before : mapping
        What the settings said of this name before; empty for a new one.
    """

    settings: Settings
    path: Path
    product: str
    firmware: str
    before: Mapping[str, str]

    @property
    def another(self) -> bool:
        """Whether another PBX was known by this name."""
        return self.before.get("serial", "") not in ("", self.settings.serial)


def local_zone(utc_offset: str) -> str:
    """IANA name of this computer's time zone where its clock agrees with an offset, else empty."""
    name = os.environ.get("TZ") or str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    try:
        offset = datetime.now(zone(name)).strftime("%z") if name else ""
    except SettingError:
        return ""
    return name if offset and offset == utc_offset.replace(":", "").removeprefix("UTC") else ""


def connect(
    url: str,
    *,
    password: Callable[[Settings], str],
    confirm: Callable[[Certificate], bool],
    user: str | None = None,
    name: str | None = None,
    replaced: bool = False,
    timezone: Callable[[str], str] = local_zone,
    on_step: Callable[[Check], None] = lambda _: None,
) -> Connected:
    """Check the way to a PBX step by step, and remember it in the settings.

    Parameters
    ----------
    url : str
        Address of the PBX, as in its web interface.
    password : callable
        Gives the password of the API user in the settings; called once, when it is needed.
    confirm : callable
        Whether to trust the certificate that the PBX shows, where nothing else vouches for it.
    user : str, optional
        API user, instead of the one in the settings.
    name : str, optional
        Name of the PBX; without it the one that is known at the address, ``pbx`` for the first.
    replaced : bool
        It takes the place of the PBX of this name.
    timezone : callable
        Gives the IANA name of the PBX's time zone for its offset, ``UTC+01:00``, where the settings name none.
    on_step : callable
        Gets each step when it is done, the one that fails too.

    Raises
    ------
    SettingError
        A step failed, or another PBX is known by this name or at this address.
    """
    from ucm_analytics.sources.ucm.connect import diagnose

    tables = known_pbxs()
    settings = Settings.load(name_of(url, name, tables), url=url, user=user)
    known = tables.get(settings.pbx, {})
    if replaced:
        # what the other PBX was known by; the environment may still name the certificate of this one
        kept = "" if settings.fingerprint == known.get("fingerprint") else settings.fingerprint
        settings = replace(settings, fingerprint=kept, serial="")
    facts: dict[str, str] = {}
    for step in diagnose(
        url,
        settings.user,
        lambda: password(settings),
        fingerprint=settings.fingerprint or None,
        ca=settings.ca or None,
        confirm=confirm,
    ):
        hint = step.hint
        if step.stops and step.name == "certificate" and known.get("fingerprint"):
            hint += f"; if another PBX takes the place of {settings.pbx}, say --replace"
        on_step(replace(step, hint=hint))
        if step.stops:
            raise SettingError(f"{step.name}: {step.detail}", hint=hint)
        facts |= step.facts
    serial = facts.get("serial", "")
    if not replaced:
        check_same(settings.pbx, known, url=url, serial=serial)
    settings = replace(
        settings,
        fingerprint=facts.get("fingerprint", settings.fingerprint),
        timezone=settings.timezone or timezone(facts.get("utc_offset", "")),
        serial=serial or settings.serial,
    )
    return Connected(settings, settings.save(), facts.get("product", ""), facts.get("firmware", ""), known)


def pull(
    store: Store,
    pbx: str | None = None,
    *,
    password: Callable[[Settings], str],
    since: str | date | None = None,
    until: str | date | None = None,
    replaced: bool = False,
    progress: bool = True,
) -> SyncReport:
    """Pull what is new from a PBX that the settings know into a store.

    Parameters
    ----------
    store : Store
        Where the calls go.
    pbx : str, optional
        Name of the PBX; not needed if the settings hold one.
    password : callable
        As for `connect`.
    since, until, replaced, progress
        As for `Store.sync`.

    Raises
    ------
    SettingError
        Nothing is known about this PBX, or no such days.
    UCMError
        As `Store.sync` raises them.
    """
    from ucm_analytics.sources.ucm import UCM

    settings = Settings.load(pbx)
    first, last = days(since, until)
    if not settings.url:
        raise SettingError(
            f"nothing is known about PBX {settings.pbx!r}", hint="run ucm-analytics connect URL, or set UCM_URL"
        )
    with UCM(
        settings.url,
        settings.user,
        lambda: password(settings),
        fingerprint=settings.fingerprint or None,
        ca=settings.ca or None,
    ) as ucm:
        return store.sync(
            ucm,
            pbx=settings.pbx,
            since=first,
            until=last,
            zone=zone(settings.timezone) if settings.timezone else None,
            country=settings.country,
            replaced=replaced,
            progress=progress,
        )


def name_of(url: str, name: str | None, known: Tables) -> str:
    """Name of the PBX at an address: the one that was said, else the one that is known there.

    Raises
    ------
    SettingError
        PBXs are known, and none or several of them at this address.

    Examples
    --------
    >>> name_of("192.0.2.10", None, {"clinic": {"url": "https://192.0.2.10:8089"}, "north": {}})
    'clinic'
    """
    if name:
        return check_name(name)
    if not known:
        return "pbx"
    here = [each for each, table in known.items() if _same_address(table.get("url", ""), url)]
    if len(here) != 1:
        listed = ", ".join(f"{each} at {table.get('url', 'no address')}" for each, table in sorted(known.items()))
        raise SettingError(
            f"{url} is {'the address of several PBXs' if here else 'a new address'}; known are {listed}",
            hint=f"give a new PBX a name of its own: ucm-analytics connect {url} --name NAME; "
            "or name the one that has moved there",
        )
    return here[0]


def check_same(name: str, known: Mapping[str, str], *, url: str, serial: str) -> None:
    """Refuse to write a PBX over another one.

    Parameters
    ----------
    name : str
        Name of the PBX.
    known : mapping
        What the settings say of it; empty for a new one.
    url, serial : str
        Address and serial number of the PBX that answers; the number is empty where it does not tell.

    Raises
    ------
    SettingError
        It has another serial number, or another address and none of the two numbers is there to compare.
    """
    before, was = known.get("serial", ""), known.get("url", "")
    hint = (
        f"give it a name of its own: ucm-analytics connect {url} --name NAME; "
        f"if it takes the place of {name}: ucm-analytics connect {url} --name {name} --replace"
    )
    if before and serial and before != serial:
        raise SettingError(
            f"the PBX at {url} (serial number {serial}) is not the one known as {name} "
            f"(serial number {before}, {was or 'no address'})",
            hint=hint,
        )
    if was and not _same_address(was, url) and not (before and serial):
        raise SettingError(
            f"{name} is known at {was}, and it cannot be told whether the PBX at {url} is the same one", hint=hint
        )


def _same_address(one: str, other: str) -> bool:
    from ucm_analytics.sources.ucm.address import Address

    try:
        return Address.of(one) == Address.of(other)
    except UCMError:
        return False
