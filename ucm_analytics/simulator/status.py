"""What the PBX tells about itself, and about the calls that are going on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ucm_analytics.simulator.archive import Archive
from ucm_analytics.simulator.directory import Row, paged
from ucm_analytics.simulator.profiles import Profile
from ucm_analytics.simulator.shaping import Shape

SERIAL: Final = "00EXAMPLE0000000"
_UP_SINCE_S: Final = 42 * 60 + 53


def system_status(now: float, started_at: float, zone: ZoneInfo, serial: str) -> Row:
    """Serial numbers and clock."""
    local = datetime.fromtimestamp(now, zone)
    offset = local.strftime("%z")
    up = int(max(now - started_at, 0)) + _UP_SINCE_S
    return {
        "part-number": "9660000000A",
        "serial-number": serial,
        "up-time": f"{up // 3600:02d}:{up // 60 % 60:02d}:{up % 60:02d}",
        "idle-time": "00:00:00",
        "system-time": f"{local:%d-%m-%Y %H:%M:%S} UTC{offset[:3]}:{offset[3:5]}",
        "bindcode": "0" * 64,
        "mac": "C0:74:AD:00:00:01",
    }


def general_status(profile: Profile) -> Row:
    """Model and firmware."""
    parts = ("base", "prog", "boot", "core", "rcvr", "lang", "gswave")
    return {"product-model": profile.model} | {f"{part}-version": profile.version for part in parts}


class LiveCalls:
    """The calls that have begun and not ended, read from the records that they will leave."""

    def __init__(self, archive: Archive, shape: Shape, zone: ZoneInfo) -> None:
        self._archive = archive
        self._shape = shape
        self._zone = zone

    def bridged(self, params: Mapping[str, Any], now: float) -> Row:
        """Calls in which two sides talk."""
        rows = []
        for leg in self._current(now):
            if _talking(leg, self._wall(now)):
                rows.append(
                    {
                        "bridge_id": f"bridge-{leg['uniqueid']}",
                        "bridge_time": leg["answer"],
                        "channel1": leg["channel"],
                        "callerid1": leg["src"],
                        "name1": leg["caller_name"],
                        "uniqueid1": leg["uniqueid"],
                        "channel2": leg["dstchannel"],
                        "callerid2": leg["dst"],
                        "name2": "",
                        "uniqueid2": "",
                        "inbound_trunk_name": leg["src_trunk_name"],
                        "outbound_trunk_name": leg["dst_trunk_name"],
                    }
                )
        return paged("channel", rows, params)

    def unbridged(self, params: Mapping[str, Any], now: float) -> Row:
        """Callers who wait, ring, or are in a menu or mailbox."""
        rows = []
        for leg in self._current(now):
            if not _talking(leg, self._wall(now)):
                rows.append(
                    {
                        "channel": leg["channel"],
                        "state": "Ring" if leg["dstchannel"] else "Up",
                        "callernum": leg["src"],
                        "callername": leg["caller_name"],
                        "connectednum": leg["dst"],
                        "uniqueid": leg["uniqueid"],
                        "inbound_trunk_name": leg["src_trunk_name"],
                    }
                )
        return paged("channel", rows, params)

    def _wall(self, now: float) -> str:
        return datetime.fromtimestamp(now, self._zone).strftime("%Y-%m-%d %H:%M:%S")

    def _current(self, now: float) -> Iterator[dict[str, Any]]:
        """The leg that each call in progress is in: one that talks, else the last that has begun."""
        wall = self._wall(now)
        for index in self._archive.in_progress(now):
            begun = [leg for leg in self._shape.legs(self._archive.stored(index)) if leg["start"] <= wall]
            if begun:
                yield next((leg for leg in begun if _talking(leg, wall)), begun[-1])


def _talking(leg: Mapping[str, Any], wall: str) -> bool:
    return bool(
        leg["dstchannel"]
        and leg["disposition"] == "ANSWERED"
        and leg["billsec"] != "0"
        and leg["answer"] <= wall < leg["end"]
    )
