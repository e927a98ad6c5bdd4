"""Stores with the calls of a pretend clinic, whose names are as hostile as names can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from ucm_analytics.legs import legs_table
from ucm_analytics.simulator import Site
from ucm_analytics.simulator.traffic import Story, clinic, generate
from ucm_analytics.store import Store

from .by_hand import HOSTILE

SITE = clinic()
TARGETS = {
    "member_account": "extension",
    "member_queue": "queue",
    "member_ringgroup": "ring_group",
    "member_ivr": "ivr",
    "member_voicemail": "voicemail",
}


def stories(first: date, last: date, *, seed: int = 7) -> list[Story]:
    """Calls and the truth about them."""
    return list(generate(SITE, first=first, last=last, calls_per_day=120, seed=seed))


def store_of(told: Iterable[Story], folder: Path, *, pbx: str = "clinic") -> Store:
    """Store with these calls and the names of the site; the first extensions have hostile names."""
    store = Store(folder)
    rows = [leg for story in told for leg in story.call.legs]
    legs = [leg | {"AcctId": str(number)} for number, leg in enumerate(rows, 1)]
    store.add(legs_table(legs, pbx=pbx), pbx=pbx, zone=ZoneInfo(SITE.timezone))
    store.save_directory(pbx, directory_of(SITE, HOSTILE))
    return store


def directory_of(site: Site, hostile: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """Names and menus of a site; the first extensions have other names."""
    for number, extension in enumerate(site.extensions):
        name = hostile[number] if number < len(hostile) else extension.name
        yield {"kind": "extension", "number": extension.number, "name": name}
    for queue in site.queues:
        yield {"kind": "queue", "number": queue.extension, "name": queue.name}
    for menu in site.ivrs:
        yield {"kind": "ivr", "number": menu.extension, "name": "<b>Main</b> & <a href='https://example.org'>x</a>"}
        for key in menu.keys:
            target = TARGETS.get(key.event, "other")
            yield {
                "kind": "ivr",
                "number": menu.extension,
                "key": key.keypress,
                "target_kind": target,
                "target": key.target,
            }
