"""Calls, a pretend PBX whose clock the test sets, and what a store holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from ucm_analytics.schema import TABLES, stored_schema
from ucm_analytics.simulator import Call, Simulator
from ucm_analytics.simulator.records import Extension, InboundRoute, Ivr, Key, Queue, RingGroup, Site, Trunk
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store
from ucm_analytics.store.files import read_table
from ucm_analytics.store.months import Months
from ucm_analytics.store.sync import SyncReport

ZONE = ZoneInfo("Europe/Berlin")
SITE = Site(
    name="Example",
    timezone="Europe/Berlin",
    extensions=(Extension("1001", "Anna Reyes"), Extension("1002", "Ben Sommer")),
    queues=(Queue("6500", "Reception", "ringall", ("1001", "1002")),),
    ivrs=(
        Ivr(
            "1",
            "7000",
            "Main",
            (
                Key("0", "member_ringgroup", "6400"),
                Key("1", "member_queue", "6500"),
                Key("2", "member_account", "1001"),
                Key("3", "member_ivr", "2"),
                Key("4", "member_voicemail", "1002"),
                Key("timeout", "member_prompt", "goodbye"),
            ),
        ),
        Ivr("2", "7001", "Wards", ()),
    ),
    ring_groups=(RingGroup("6400", "Operators", ("1001", "1002")),),
    trunks=(Trunk("1", "MainLine", "192.0.2.20"),),
    inbound_routes=(InboundRoute("1", "1", "12025550100", "ivr", "7000"),),
)


def call(start: str, *, seconds: int = 60, callee: str = "1002", caller: str = "1001", recorded: str = "") -> Call:
    """An answered call between two extensions that began at a local time such as ``2026-03-10 09:00``."""
    began = datetime.fromisoformat(start)
    epoch = int(began.replace(tzinfo=ZONE).timestamp())
    ended = datetime.fromtimestamp(epoch + seconds, ZONE).replace(tzinfo=None)
    session = f"{epoch}4711-{caller}"
    leg = {
        "src": caller,
        "dst": callee,
        "dcontext": "from-internal",
        "clid": f'"{caller}" <{caller}>',
        "channel": f"PJSIP/{caller}-00000001",
        "dstchannel": f"PJSIP/{callee}-00000002",
        "lastapp": "Dial",
        "start": f"{began:%Y-%m-%d %H:%M:%S}",
        "answer": f"{began:%Y-%m-%d %H:%M:%S}",
        "end": f"{ended:%Y-%m-%d %H:%M:%S}",
        "duration": str(seconds),
        "billsec": str(seconds),
        "disposition": "ANSWERED",
        "amaflags": "DOCUMENTATION",
        "uniqueid": f"{epoch}.7",
        "userfield": "Internal",
        "channel_ext": caller,
        "dstchannel_ext": callee,
        "service": "s",
        "recordfiles": recorded,
        "dstanswer": callee,
        "session": session,
        "action_owner": caller,
        "action_type": "DIAL",
    }
    return Call(session, began, (leg,), float(epoch + seconds))


def daily(first: date, last: date, *, hours: Iterable[int] = (9, 14)) -> list[Call]:
    """Calls at the given hours of every day."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [call(f"{day} {hour:02d}:00") for day in days for hour in hours]


def local(text: str) -> datetime:
    """Instant of a wall time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


class Pbx:
    """A simulated PBX and a session with it, both going by `now`."""

    def __init__(self, calls: Iterable[Call], now: str, *, site: Site = SITE, **options: Any) -> None:
        self.now = local(now)
        self.sim = Simulator(calls, site=site, clock=self._epoch, **options)
        self.sim.start()
        self.ucm = UCM(self.sim.url, "cdrapi", "cdrapi123", fingerprint=self.sim.fingerprint)
        self.ucm.sleep = lambda _seconds: None

    def __enter__(self) -> Pbx:
        return self

    def __exit__(self, *_: object) -> None:
        self.ucm.__exit__(None, None, None)
        self.sim.stop()

    def _epoch(self) -> float:
        return self.now.timestamp()

    def sync(self, store: Store, *, now: str | None = None, pbx: str = "clinic", **options: Any) -> SyncReport:
        """Sync at a local time, which becomes the PBX's time as well."""
        self.now = local(now) if now else self.now
        return store.sync(self.ucm, pbx=pbx, now=self.now, **{"zone": ZONE, "progress": False, **options})

    def days_asked(self) -> set[str]:
        """Days whose records were asked for so far."""
        return {
            str(params["startTime"])[:10]
            for action, params in self.sim.requests
            if action == "cdrapi" and str(params.get("startTime", "")).endswith("T00:00:00")
        }


def contents(store: Store) -> dict[str, Any]:
    """Everything a store holds, without what differs from run to run."""
    held: dict[str, Any] = {"coverage": store.coverage().to_dict("records")}
    for pbx in store.pbxs:
        months = Months(store.path, pbx)
        for table in TABLES:
            for month in months.names():
                rows = read_table(months.path(table, month))
                assert rows.schema.equals(stored_schema(table))
                held[f"{table} {pbx} {month}"] = plain(rows)
    held["directory"] = store.directory().to_dict("records")
    return held


def plain(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows as Python values, whatever their dictionaries."""
    return rows.to_pylist()  # type: ignore[no-any-return]


def states(store: Store, *period: str) -> dict[str, str]:
    """State of each day."""
    return {f"{row.day:%m-%d}": row.state for row in store.coverage(*period).itertuples()}
