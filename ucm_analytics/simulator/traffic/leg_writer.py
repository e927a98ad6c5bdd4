"""How one leg is written: fields that a call's legs share, times, recordings."""

from __future__ import annotations

from typing import Final

from ucm_analytics.simulator.traffic.plan import CallPlan
from ucm_analytics.simulator.traffic.site import PHONE_MODELS
from ucm_analytics.simulator.traffic.wall_clock import WallClock

Leg = dict[str, str]

_BYTES_PER_SECOND: Final = 16_000
_HEADER_BYTES: Final = 764
_USERFIELDS: Final = {
    "inbound": "Inbound",
    "outbound": "Outbound",
    "internal": "Internal",
    "external": "External",
}


class LegWriter:
    """Writes legs of one call, one after the other, into `legs`.

    Parameters
    ----------
    clock : WallClock
        Wall clock of the day.
    plan : CallPlan
        What happened.
    """

    def __init__(self, clock: WallClock, plan: CallPlan) -> None:
        self.legs: list[Leg] = []
        self._clock = clock
        line, outward = plan.line, plan.direction == "outbound"
        by_phone = line is None or (outward and plan.forward_of is None)
        self._base: Leg = {
            "src": plan.caller,
            "clid": f'"{plan.caller_name}" <{plan.caller}>',
            "channel": plan.channel,
            "amaflags": "DOCUMENTATION",
            "uniqueid": plan.uniqueid,
            "userfield": _USERFIELDS[plan.direction] if line or not outward else "Internal",
            "channel_ext": plan.caller if by_phone or line is None else line.tag,
            "service": "s" if by_phone or line is None else line.service,
            "caller_name": plan.caller_name,
            "session": plan.session,
            "action_owner": plan.caller,
            "nat_call": "no",
            "nat_call_peer": "no",
            "video_call": "no",
            "gds_call": "no",
            "gsc_call": "no",
        }
        if line is not None:
            self._base["dst_trunk_name" if outward else "src_trunk_name"] = line.name
        if plan.out_line is not None:
            self._base["dst_trunk_name"] = plan.out_line.name
        if by_phone and plan.caller in PHONE_MODELS:
            self._base["device_info"] = PHONE_MODELS[plan.caller]

    def leg(
        self,
        dst: str,
        action: str,
        start: float,
        answer: float | None,
        end: float,
        *,
        disposition: str = "ANSWERED",
        app: str = "Dial",
        data: str = "",
        context: str = "",
        dstchannel: str = "",
        behind: str = "",
    ) -> Leg:
        """Write a leg.

        Parameters
        ----------
        dst, action : str
            ``dst`` and ``action_type``.
        start, answer, end : float
            Epochs [s]. Without an answer, ``answer`` and ``end`` stay empty, as on BUSY and FAILED.
        disposition, app, data, context, dstchannel : str
            The fields of those names.
        behind : str
            ``dstchannel_ext``, where it is not `dst`.

        Returns
        -------
        dict
            The leg, for what else is to be noted on it.
        """
        text = self._clock.text
        leg = {
            **self._base,
            "dst": dst,
            "dcontext": context,
            "dstchannel": dstchannel,
            "lastapp": app,
            "lastdata": data,
            "start": text(start),
            "duration": str(int(end - start)),
            "billsec": "0",
            "disposition": disposition,
            "dstchannel_ext": behind or dst,
            "action_type": action,
        }
        if answer is not None:
            leg["answer"], leg["end"] = text(answer), text(end)
            if disposition == "ANSWERED":
                leg["billsec"] = str(int(end - answer))
                leg["dstanswer"] = behind if behind and app == "Queue" else dst
        if dstchannel and leg["dstchannel_ext"] in PHONE_MODELS:
            leg["device_info_peer"] = PHONE_MODELS[leg["dstchannel_ext"]]
        self.legs.append(leg)
        return leg

    def record(self, leg: Leg, named_at: float, picked_up: float, left: float) -> None:
        """Note a recording of the talk from `picked_up` to `left` on a leg."""
        seconds = round(left - picked_up)
        leg["recordfiles"] = self._file(named_at, f"{leg['src']}-{leg['dst']}")
        leg["recordfiles_desc"] = (
            f"duration={seconds},size={seconds * _BYTES_PER_SECOND + _HEADER_BYTES}B,start-time={int(picked_up)}@"
        )

    def record_group(self, leg: Leg, named_at: float, group: str) -> None:
        """Note a recording of a ring group's talk: its file is not described."""
        leg["recordfiles"] = self._file(named_at, f"{leg['src']}-{group}", f"#{leg['dst']}")

    def _file(self, named_at: float, parties: str, member: str = "") -> str:
        return f"{self._clock.text(named_at)[:7]}/auto-{int(named_at)}{member}-{parties}.wav@"
