"""The neutral form of calls and of a site: what traffic makes and the server shapes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """One session as the PBX will report it.

    Attributes
    ----------
    session : str
        ``<epoch><microseconds, unpadded>-<caller id>``.
    start : datetime.datetime
        Naive wall time of the call's start.
    legs : tuple of dict
        The legs in order; each maps raw CDR field names to text. A field that is missing is ``""``.
    ended_at : float
        Epoch [s] when the last leg ended; the record can be read from then on.
    """

    session: str
    start: datetime
    legs: tuple[dict[str, str], ...]
    ended_at: float


@dataclass(frozen=True, slots=True)
class Extension:
    """A phone of the site."""

    number: str
    name: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A call queue and the extensions of its agents."""

    extension: str
    name: str
    strategy: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RingGroup:
    """A ring group and its members."""

    extension: str
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """What a key of a menu does.

    Attributes
    ----------
    keypress : str
        ``"0"`` to ``"9"``, ``"*"``, ``"timeout"`` or ``"invalid"``.
    event : str
        ``member_account``, ``member_queue``, ``member_ringgroup``, ``member_ivr``, ``member_prompt``
        or ``member_voicemail``.
    target : str
        The number, or the name of the prompt.
    """

    keypress: str
    event: str
    target: str


@dataclass(frozen=True, slots=True)
class Ivr:
    """A menu and its keys."""

    id: int
    extension: str
    name: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk of the site."""

    index: int
    name: str
    host: str


@dataclass(frozen=True, slots=True)
class InboundRoute:
    """Where calls to a DID go; `destination_type` is the raw name, such as ``ivr`` or ``ringgroup``."""

    index: int
    trunk_index: int
    did: str
    destination_type: str
    destination: str


@dataclass(frozen=True, slots=True)
class Site:
    """What the list actions answer, and the zone of the PBX's wall clock."""

    name: str
    timezone: str
    extensions: tuple[Extension, ...] = ()
    queues: tuple[Queue, ...] = ()
    ivrs: tuple[Ivr, ...] = ()
    ring_groups: tuple[RingGroup, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    inbound_routes: tuple[InboundRoute, ...] = ()
