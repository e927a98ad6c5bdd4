"""What happened, as the PBX writes it into call records: one leg after the other.

Choices where no genuine record is known:

- A queue writes one leg that holds the caller (NO ANSWER, no called channel, from entry until
  the pick-up or the end), then one leg for each phone it rang. ``dst`` of all is the queue, the
  agent is in ``dstchannel_ext`` and ``dstanswer``; the winner's ``answer`` is the true pick-up.
  A queue dialled from outside has an ANSWERED ForkCDR leg of its greeting before them. Queues
  that ring all agents write one more ANSWERED ForkCDR copy of the talk (``answer`` = ``start``).
- Follow-me: the leg of the extension is NO ANSWER and ends when the mobile picks up or is given
  up, so that it overlaps the session of the forward. The forward shows the original caller in
  ``src`` and ``channel_ext``, the extension in its action; nothing else links the two.
- Park: the session of the retriever has the leg of the parked caller (that caller's channel and
  uniqueid) and beside it the retriever's own ParkedCall leg, of the same length.
- A transferred channel is up already, so the leg of a transfer has ``answer`` = ``start``.
- A ring group that rings in order writes its legs like one that rings all, each from its own turn.
"""

from __future__ import annotations

from typing import Final

from ucm_analytics.simulator.traffic.day import Day
from ucm_analytics.simulator.traffic.leg_writer import Leg, LegWriter
from ucm_analytics.simulator.traffic.plan import CallPlan, Stage
from ucm_analytics.simulator.traffic.site import BRANCH_LINE, IN_ORDER_GROUPS, RING_ALL_QUEUES

_DIAL_OPTIONS: Final = "zb(callee-handler^s^1)"
_MENU_DIAL_OPTIONS: Final = "zm(rbt)m(rbt)b(callee-handler^s^1)"
_TRUNK_OPTIONS: Final = "b(callee-handler^s^1)"
_RECORDED_OPTIONS: Final = "TKXM(record-check,StartMonitor)b(callee-handler^s^1)"
_LASTDATA_LIMIT: Final = 255

_UNROUTABLE: Final = (
    ("after-outbound-context", "Playback", "silence/1&wrong-number,noanswer"),
    ("after-outbound-context", "Congestion", "3"),
    ("outbound-route-1", "Hangup", ""),
)
_NOT_PLACED: Final = (("Wait", "1"), ("Congestion", "10"), ("Set", "CALL_OPTIONS=z"))
_MENU_APPS: Final = {"next": "ForkCDR", "error": "Playback", "hung_up": "ReadExten"}
_MENU_DATA: Final = {
    "next": "are",
    "error": "an-error-has-occured&vm-goodbye",
    "hung_up": "KEY,record/welcome,,,",
}


def legs_of(day: Day, plan: CallPlan) -> tuple[Leg, ...]:
    """Write the legs of a call, in the order in which the PBX numbers them.

    Parameters
    ----------
    day : Day
        Gives the wall clock and new identifiers.
    plan : CallPlan
        What happened.
    """
    day.identify(plan)
    scribe = _Scribe(day, plan)
    for index, stage in enumerate(plan.stages):
        # the PBX does not reset the clock when it forks the record of the number dialled
        start = stage.entered if index else plan.started
        match stage.kind:
            case "ivr":
                scribe.menu(stage, start)
            case "queue":
                scribe.queue(stage, start)
            case "ring_group":
                scribe.ring_group(stage, start)
            case "extension":
                scribe.extension(stage, start)
            case "voicemail":
                scribe.mailbox(stage, start)
            case "transfer":
                scribe.transfer(stage)
            case "park":
                scribe.park(stage)
            case _:
                scribe.external(stage)
    return tuple(scribe.pen.legs)


def _contact(extension: str) -> str:
    return f"PJSIP/{extension}/sip:{extension}@192.0.2.{100 + int(extension) % 100}:5060"


def _outcome(stage: Stage) -> tuple[float | None, str]:
    if stage.picked_up is not None:
        return stage.picked_up, "ANSWERED"
    if stage.detail == "no_answer":
        return stage.left, "NO ANSWER"
    return None, stage.detail.upper()


class _Scribe:
    def __init__(self, day: Day, plan: CallPlan) -> None:
        self.pen = LegWriter(day.clock, plan)
        self._day = day
        self._plot = plan
        self._menu = ""
        if plan.did:
            self.pen.leg(
                plan.did,
                "DIAL",
                plan.started,
                plan.did_until,
                plan.did_until,
                disposition="NO ANSWER",
                app="ForkCDR",
                data="ae",
                context=f"ext-did-{plan.did[-2:]}",
            )

    def _context(self) -> str:
        if self._menu or self._plot.did:
            return "from-did-direct"
        return "did-local" if self._plot.direction == "inbound" else "from-internal"

    def menu(self, stage: Stage, start: float) -> None:
        self._menu = stage.target
        self.pen.leg(
            stage.target,
            f"IVR[{stage.target}]",
            start,
            stage.entered,
            stage.left,
            app=_MENU_APPS[stage.detail],
            data=_MENU_DATA[stage.detail],
            context=f"ivr-{int(stage.target) - 6999}",
        )

    def extension(self, stage: Stage, start: float) -> None:
        target, context = stage.target, self._context()
        action = f"IVR[{self._menu}]" if self._menu else "DIAL"
        if stage.detail == "failed":
            inside = self._plot.direction == "internal"
            app, data = ("Set", "CFBEXT=") if inside else _NOT_PLACED[self._plot.number % 3]
            self.pen.leg(
                target,
                action,
                start,
                None,
                stage.left,
                disposition="FAILED",
                app=app,
                data=data,
                context=context,
            )
            return
        answer, disposition = _outcome(stage)
        end = stage.left
        if stage.detail == "busy":
            # such a leg runs on until the caller is gone
            end = self._plot.ended
        elif stage.detail == "follow_me":
            end = answer = stage.left if stage.picked_up is None else stage.picked_up
            disposition = "NO ANSWER"
        options = _MENU_DIAL_OPTIONS if self._menu else _DIAL_OPTIONS
        leg = self.pen.leg(
            target,
            action,
            start,
            answer,
            end,
            disposition=disposition,
            data=f"{_contact(target)},60,{_RECORDED_OPTIONS if stage.recorded else options}",
            context=context,
            dstchannel=self._day.channel(target),
        )
        if stage.recorded and stage.picked_up is not None:
            self.pen.record(leg, stage.entered, stage.picked_up, stage.left)

    def mailbox(self, stage: Stage, start: float) -> None:
        target, context = stage.target, self._context()
        if stage.detail == "flat":
            app, data = "Dial", f"PJSIP/{target},60,{_DIAL_OPTIONS}"
        else:
            app, data = "VoiceMail", f"{target}@default,{stage.detail}"
            if self._plot.number % 7 == 0:
                app, data = "Hangup", ""
            if stage.detail == "b" or context == "from-internal":
                context = ""
        self.pen.leg(target, "VM", start, stage.entered, stage.left, app=app, data=data, context=context)

    def ring_group(self, stage: Stage, start: float) -> None:
        group = stage.target
        action = f"RINGGROUP[{group}]"
        begins = stage.entered if stage.rang is None else stage.rang
        self.pen.leg(group, action, start, begins, begins, app="ForkCDR", data="are", context="ivr-from-internal")
        everybody = "&".join(map(_contact, self._day.groups[group]))[:_LASTDATA_LIMIT]
        for extension, rang, stopped, result in stage.rings:
            answer, end, disposition = stopped, stopped, "NO ANSWER"
            if result == "answered":
                # the PBX counts the winner's ringing as talk
                answer, end, disposition = rang, stage.left, "ANSWERED"
            elif result == "busy":
                answer, disposition = rang, "BUSY"
            in_order = group in IN_ORDER_GROUPS
            leg = self.pen.leg(
                extension,
                action,
                rang,
                answer,
                end,
                disposition=disposition,
                data=f"{_contact(extension)},12,{_DIAL_OPTIONS}" if in_order else everybody,
                context="from-internal",
                dstchannel=self._day.channel(extension),
            )
            if result == "busy":
                leg["duration"] = str(int(stage.left - rang))
            elif result == "answered" and stage.recorded:
                self.pen.record_group(leg, rang, group)

    def queue(self, stage: Stage, start: float) -> None:
        queue, pen = stage.target, self.pen
        action, context, data = f"QUEUE[{queue}]", "ext-queues", f"{queue},tTkKxX,,,90"
        held = stage.entered if stage.rang is None else stage.rang
        until = stage.left if stage.picked_up is None else stage.picked_up
        if held > stage.entered:
            pen.leg(queue, action, start, held, held, app="ForkCDR", data="are", context=context)
        pen.leg(
            queue,
            action,
            held,
            until,
            until,
            disposition="NO ANSWER",
            app="Queue",
            data=data,
            context=context,
        )
        for extension, rang, stopped, result in stage.rings:
            won = result == "answered"
            leg = pen.leg(
                queue,
                action,
                rang,
                stopped,
                stage.left if won else stopped,
                disposition="ANSWERED" if won else "NO ANSWER",
                app="Queue",
                data=data,
                context=context,
                dstchannel=self._day.channel(extension),
                behind=extension,
            )
            if won and stage.recorded:
                pen.record(leg, stopped, stopped, stage.left)
        if stage.picked_up is not None and queue in RING_ALL_QUEUES:
            pen.leg(queue, action, until, until, stage.left, app="ForkCDR", data="are", context=context)

    def transfer(self, stage: Stage) -> None:
        plan, target = self._plot, stage.target
        answered = stage.picked_up is not None
        leg = self.pen.leg(
            target,
            "TRANSFER",
            stage.entered,
            stage.entered if answered else stage.left,
            stage.left,
            disposition="ANSWERED" if answered else "NO ANSWER",
            data=f"{_contact(target)},60,{_DIAL_OPTIONS}",
            context="from-internal-xfer",
            dstchannel=self._day.channel(target),
        )
        leg["uniqueid"] = self._day.uniqueid(plan.started)
        leg["action_owner"] = stage.owner
        if plan.direction == "outbound":
            # the side that stays is the one outside: it becomes the caller, on its own channel
            first = self.pen.legs[0]
            leg["src"], leg["clid"], leg["caller_name"] = plan.callee, f'"" <{plan.callee}>', ""
            leg["channel"], leg["channel_ext"] = first["dstchannel"], first["dstchannel_ext"]
            leg["service"] = plan.line.service if plan.line else "s"
            leg["userfield"], leg["dst_trunk_name"], leg["device_info"] = "Internal", "", ""

    def park(self, stage: Stage) -> None:
        if self._plot.parked is None:
            self._parked_leg(stage, stage.target, f"default:{stage.target}")
        else:
            self._retrieve(stage, self._plot.parked)

    def _retrieve(self, stage: Stage, parked: CallPlan) -> None:
        pen, slot, retriever = self.pen, parked.stages[-1].target, stage.target
        leg = self._parked_leg(stage, retriever, "default", self._plot.channel)
        leg["channel"], leg["uniqueid"] = parked.channel, parked.uniqueid
        if stage.recorded:
            pen.record(leg, stage.entered, stage.entered, stage.left)
        own = self._parked_leg(stage, slot, f"default,{slot}")
        name = self._day.names.get(retriever, "")
        own["src"] = own["channel_ext"] = own["action_owner"] = retriever
        own["clid"], own["caller_name"] = f'"{name}" <{retriever}>', name
        own["lastapp"], own["dcontext"] = "ParkedCall", "from-internal"
        own["userfield"], own["src_trunk_name"], own["service"] = "Internal", "", "s"

    def _parked_leg(self, stage: Stage, dst: str, data: str, dstchannel: str = "") -> Leg:
        return self.pen.leg(
            dst,
            "PARKEDCALL",
            stage.entered,
            stage.entered,
            stage.left,
            app="Park",
            data=data,
            context="from-internal-xfer",
            dstchannel=dstchannel,
        )

    def external(self, stage: Stage) -> None:
        plan, number = self._plot, stage.target
        line = plan.out_line or plan.line
        if line is None:
            context, app, data = _UNROUTABLE[plan.number % 3]
            self.pen.leg(
                number,
                "DIAL",
                plan.started,
                None,
                stage.left,
                disposition="FAILED",
                app=app,
                data=data,
                context=context,
            )
            return
        answer, disposition = _outcome(stage)
        forwarded = plan.forward_of is not None
        by = f"DAHDI/g1/{number}" if line.service == "p" else f"PJSIP/{number}@{line.tag}"
        leg = self.pen.leg(
            number,
            f"FOLLOWME[{stage.owner}]" if forwarded else "DIAL",
            plan.started,
            answer,
            stage.left,
            disposition=disposition,
            data=f"{by},,{_RECORDED_OPTIONS if stage.recorded else _TRUNK_OPTIONS}",
            context=f"outbound-route-{2 if line == BRANCH_LINE else 1}",
            dstchannel=self._day.channel(line.tag),
            behind=line.tag,
        )
        if forwarded:
            leg["channel_ext"], leg["service"] = plan.caller, "p"
        if stage.recorded and stage.picked_up is not None:
            self.pen.record(leg, plan.started, stage.picked_up, stage.left)
