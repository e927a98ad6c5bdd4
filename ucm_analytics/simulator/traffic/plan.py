"""What happens in one call, before anybody writes it down: instants, places and people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from ucm_analytics.simulator.traffic.site import Line

Direction = Literal["inbound", "outbound", "internal", "external"]
RingResult = Literal["answered", "elsewhere", "missed", "busy"]


FLOWS: Final[dict[str, str]] = {
    "menu_hung_up": "left in a menu",
    "menu_error": "let go by a menu after missing or invalid keys",
    "menu_mailbox": "chose a mailbox in a menu",
    "queue_answered": "an agent of a queue picked up",
    "queue_abandoned": "left a queue",
    "queue_timed_out": "sent from a queue to the mailbox",
    "group_answered": "a member of a ring group picked up",
    "group_abandoned": "left while a ring group rang",
    "group_mailbox": "sent from a ring group to the mailbox",
    "turns_answered": "a member of a group that rings in order picked up",
    "turns_abandoned": "left while a group rang in order",
    "turns_mailbox": "sent from a group that rings in order to the mailbox",
    "extension_answered": "the extension picked up",
    "extension_unanswered": "left, or was let go, while the extension rang",
    "extension_mailbox": "sent to the extension's mailbox",
    "extension_busy": "found the extension busy",
    "extension_busy_mailbox": "found the extension busy and got its mailbox",
    "extension_declined": "was declined and got the mailbox",
    "extension_unregistered": "the phone is not there, its mailbox is",
    "follow_me": "reached the mobile behind an extension",
    "follow_me_failed": "the mobile behind an extension did not answer either",
    "follow_me_leg": "the PBX's own call to the mobile",
    "blind_transfer": "sent on without a word",
    "blind_transfer_unanswered": "sent on, and nobody was there",
    "attended_transfer": "sent on after a question back",
    "consultation": "the question back",
    "parked": "parked, then picked up by somebody",
    "parked_left": "parked, and left",
    "retrieved": "the parked caller, as the colleague who picked up has it",
    "closed_mailbox": "called while closed, got the mailbox",
    "inbound_failed": "came in and could not be placed",
    "night_call": "long call on duty, over midnight as a rule",
    "clock_change": "call on duty around a change of the clock",
    "outbound_answered": "called out, answered",
    "outbound_no_answer": "called out, nobody there",
    "outbound_busy": "called out, busy",
    "outbound_failed": "called out, the trunk refused",
    "outbound_unroutable": "called out, failed before a trunk was chosen",
    "outbound_transfer": "called out and handed the other side to a colleague",
    "trunk_to_trunk": "from trunk to trunk, answered",
    "trunk_to_trunk_unanswered": "from trunk to trunk, nobody there",
    "internal_answered": "between extensions, answered",
    "internal_unanswered": "between extensions, nobody there",
    "internal_mailbox": "between extensions, got the mailbox",
    "internal_busy": "between extensions, busy",
    "internal_busy_mailbox": "between extensions, busy, got the mailbox",
    "internal_declined": "between extensions, declined, got the mailbox",
    "internal_unregistered": "to a phone that is not there",
    "internal_failed": "to a number that does not exist",
}
"""The kinds of stories, each with what it is about."""


class Ring(NamedTuple):
    """One phone that rang, from `start` to `end`; a busy phone did not ring."""

    extension: str
    start: float
    end: float
    result: RingResult


@dataclass(slots=True)
class Stage:
    """One place that the caller went through.

    Attributes
    ----------
    kind, target : str
        As in the table of steps.
    entered, left : float
        Epochs [s] at which the caller came and went.
    detail : str
        How it went, in words of the kind: what records show depends on it.
    rang : float or None
        Epoch [s] at which phones began to ring.
    picked_up : float or None
        Epoch [s] at which a person picked up.
    person : str
        Who picked up.
    owner : str
        Who sent the caller here, for transfers.
    rings : list of Ring
        The phones of a queue or group.
    """

    kind: str
    target: str
    entered: float
    left: float = 0.0
    detail: str = ""
    rang: float | None = None
    picked_up: float | None = None
    person: str = ""
    owner: str = ""
    recorded: bool = False
    rings: list[Ring] = field(default_factory=list)


@dataclass(slots=True)
class CallPlan:
    """One call from its first to its last instant.

    Attributes
    ----------
    number : int
        Running number of the call within its day.
    started, ended : float
        Epochs [s].
    session, uniqueid, channel : str
        What the PBX calls it; the last two are given when its records are written.
    direction, caller, caller_name, callee : str
        As in the table of calls.
    line : Line or None
        Trunk of the caller, or of the called side when the call goes out.
    out_line : Line or None
        Second trunk of a call from trunk to trunk.
    did : str
        Number dialled from outside, if the PBX forks its record there.
    did_until : float
        Epoch [s] at which the PBX had dealt with that number.
    flow : str
        Kind of story, one of `FLOWS`.
    outcome : str
        One of the outcomes of calls.
    released : float
        Epoch [s] at which the caller's channel was gone and its records were written.
    exact : bool
        False where the records cannot show when somebody picked up, the first person or a later one.
    forward_of : str or None
        Session of the call that this one carries on: forwards by follow-me, or picks up from park.
    parked : CallPlan or None
        The parked call that this call picks up.
    retrieved : CallPlan or None
        The call that picks this one up from park.
    keys : list of (str, str)
        Menu and key, for each key really pressed.
    """

    number: int
    started: float
    session: str
    direction: Direction
    caller: str
    callee: str
    caller_name: str = ""
    line: Line | None = None
    out_line: Line | None = None
    did: str = ""
    did_until: float = 0.0
    ended: float = 0.0
    released: float = 0.0
    flow: str = ""
    outcome: str = ""
    uniqueid: str = ""
    channel: str = ""
    exact: bool = True
    forward_of: str | None = None
    parked: CallPlan | None = None
    retrieved: CallPlan | None = None
    stages: list[Stage] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)

    def end(self, instant: float, outcome: str, flow: str) -> None:
        """Let the call end: what became of the caller, and which kind of story that is."""
        self.ended = instant
        self.released = max(self.released, instant)
        self.outcome = outcome
        self.flow = flow

    def unanswered(self) -> str:
        """Outcome of a call that nobody answered: from outside, or in a menu or queue, it was abandoned."""
        inside = bool(self.stages) and self.stages[-1].kind in ("ivr", "queue")
        return "abandoned" if self.direction == "inbound" or inside else "no_answer"
