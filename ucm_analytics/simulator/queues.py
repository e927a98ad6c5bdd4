"""The `queueapi` answer, computed from the queue legs of the records.

A queue leg has lastapp ``Queue`` and action type ``QUEUE[...]``: one ring of one agent's phone, or, without
a called channel, a caller whom nobody was rung for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ucm_analytics.simulator.access import Refused
from ucm_analytics.simulator.archive import Archive, wall_seconds
from ucm_analytics.simulator.directory import Row
from ucm_analytics.simulator.shaping import Shape, whole_of

_QUEUE: Final = re.compile(r"QUEUE\[(\w+)\]")
_DUPLICATED_EVERY: Final = 17


@dataclass(frozen=True, slots=True)
class _Ring:
    call: int
    number: int
    queue: str
    agent: str
    caller: str
    start: str
    end: str
    wait: int
    talk: int
    connected: bool


def queue_statistics(archive: Archive, shape: Shape, params: Mapping[str, Any], now: float) -> Row:
    """Answer to a `queueapi` request.

    Raises
    ------
    Refused
        -1 where a date is missing or wrong, or the type or format is unknown.
    """
    kinds: dict[str, Callable[[Sequence[_Ring]], list[Row]]] = {
        "overview": _overview,
        "calldetail": _calldetail,
        "loginhistory": _loginhistory,
        "pausedhistory": lambda _: [],  # nobody pauses at this site
    }
    kind = kinds.get(str(params.get("statisticsType") or "overview"))
    if kind is None or str(params.get("format") or "json").lower() != "json":
        raise Refused(-1)
    first = _day(params, "startTime")
    last = _day(params, "endTime") + timedelta(days=1) - timedelta(seconds=1)
    queues, agents = _chosen(params, "queue"), _chosen(params, "agent")
    rings = [
        ring
        for index in archive.started_within(wall_seconds(first), wall_seconds(last), now)
        for ring in _rings(index, shape.legs(archive.stored(index)))
        if (queues is None or ring.queue in queues) and (agents is None or ring.agent in agents)
    ]
    return {"queue_statistics": kind(rings)}


def _rings(call: int, legs: Sequence[Mapping[str, Any]]) -> Iterator[_Ring]:
    queued = [
        (match[1], leg)
        for leg in legs
        if leg.get("lastapp") == "Queue" and (match := _QUEUE.match(_text(leg, "action_type")))
    ]
    rung = {queue for queue, leg in queued if _text(leg, "dstchannel")}
    for queue, leg in queued:
        phone = _text(leg, "dstchannel")
        if not phone and queue in rung:
            continue
        talk = whole_of(leg, "billsec") if phone and leg.get("disposition") == "ANSWERED" else 0
        yield _Ring(
            call=call,
            number=whole_of(leg, "AcctId"),
            queue=queue,
            agent=_text(leg, "dstchannel_ext") if phone else "NONE",
            caller=_text(leg, "src"),
            start=_text(leg, "start"),
            end=_text(leg, "end") or _text(leg, "start"),
            wait=whole_of(leg, "duration") - talk,
            talk=talk,
            connected=talk > 0,
        )


def _calldetail(rings: Sequence[_Ring]) -> list[Row]:
    details = []
    for ring in rings:
        detail = {
            "agent": {
                "callernum": ring.caller,
                "start_time": ring.start,
                "agent": ring.agent,
                "extension": ring.queue,
                "wait_time": str(ring.wait),
                "talk_time": str(ring.talk),
                "connect": "yes" if ring.connected else "no",
                "queuechairman": "",
            }
        }
        # devices repeat some rows exactly
        details += [detail] * (2 if ring.number % _DUPLICATED_EVERY == 0 else 1)
    return details


def _overview(rings: Sequence[_Ring]) -> list[Row]:
    total = {"queuechairman": "", **_counts(rings)}
    statistics: list[Row] = [
        {
            "total": {
                field: total[field]
                for field in (
                    "queuechairman",
                    "total_calls",
                    "abandoned_rate",
                    "avg_wait",
                    "avg_talk",
                    "vq_total_calls",
                )
            }
        }
    ]
    for queue, of_queue in _grouped(rings, "queue").items():
        counts = _counts(of_queue)
        del counts["abandoned_rate"]
        statistics.append({"queue": {"queuechairman": "", "queue": queue, **counts}})
    for agent, of_agent in _grouped(rings, "agent").items():
        counts = _counts(of_agent)
        del counts["abandoned_rate"], counts["avg_wait"]
        statistics.append({"agent": {"queuechairman": "", "agent": agent, **counts}})
    return statistics


def _loginhistory(rings: Sequence[_Ring]) -> list[Row]:
    """One stay a day for each agent, from the first ring to the last: the records tell no more."""
    by_day: dict[tuple[str, str, str], list[_Ring]] = defaultdict(list)
    for ring in rings:
        if ring.agent != "NONE":
            by_day[ring.queue, ring.agent, ring.start[:10]].append(ring)
    history = []
    for (queue, agent, _), stays in sorted(by_day.items()):
        begin, end = min(ring.start for ring in stays), max(ring.end for ring in stays)
        online = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
        history.append(
            {
                "agent": {
                    "queuechairman": "",
                    "extension": queue,
                    "agent": agent,
                    "login_data": begin,
                    "logoff_data": end,
                    "online_time": str(int(online.total_seconds())),
                }
            }
        )
    return history


def _counts(rings: Sequence[_Ring]) -> dict[str, str]:
    calls = {ring.call for ring in rings}
    connected = [ring for ring in rings if ring.connected]
    answered = {ring.call for ring in connected}
    talk = sum(ring.talk for ring in connected)
    wait = sum(ring.wait for ring in connected)
    return {
        "total_calls": str(len(calls)),
        "answered_calls": str(len(answered)),
        "answered_rate": _share(len(answered), len(calls)),
        "abandoned_rate": _share(len(calls) - len(answered), len(calls)),
        "avg_wait": str(round(wait / len(connected)) if connected else 0),
        "avg_talk": str(round(talk / len(connected)) if connected else 0),
        "vq_total_calls": "0",
    }


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else "0.00"


def _grouped(rings: Sequence[_Ring], name: str) -> dict[str, list[_Ring]]:
    groups: dict[str, list[_Ring]] = defaultdict(list)
    for ring in rings:
        groups[getattr(ring, name)].append(ring)
    return dict(sorted(groups.items()))


def _chosen(params: Mapping[str, Any], name: str) -> set[str] | None:
    text = str(params.get(name) or "*")
    return None if text == "*" else set(text.split(","))


def _day(params: Mapping[str, Any], name: str) -> datetime:
    try:
        return datetime.strptime(str(params.get(name, "")), "%Y-%m-%d")
    except ValueError:
        raise Refused(-1) from None


def _text(leg: Mapping[str, Any], field: str) -> str:
    return str(leg.get(field) or "")
