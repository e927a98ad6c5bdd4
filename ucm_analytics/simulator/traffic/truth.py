"""The truth about each caller, told from what happened and not from call records."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ucm_analytics.simulator.records import Call
from ucm_analytics.simulator.traffic.plan import CallPlan

_RINGING = frozenset({"extension", "ring_group", "external"})


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened to one caller; one row of the table of calls, as it should come out.

    Attributes
    ----------
    session : str
        Session of the call.
    started_at : float
        Epoch [s] at which the call reached the PBX.
    direction, caller, callee, outcome, ended_in, path : str
        As in the table of calls.
        Picking up a parked caller is a call of its own, ``park:<extension>``; the path of the caller's own
        call ends in ``park:<slot>``, but its `talk_s` and `duration_s` go on until the caller has hung up.
    answered_by : str or None
        First person who answered. A caller who was sent on by follow-me was answered by the mobile.
    answered_at : float or None
        Epoch [s] of that.
    wait_s, ring_s, ivr_s, queue_s, talk_s, voicemail_s, duration_s : int
        As in the table of calls, from the true instants, rounded to whole seconds [s]. A caller on
        hold counts as talking. A busy phone does not ring; one whose owner declines rings until then.
    forward_of : str or None
        Session of the call that this one carries on: forwards by follow-me, or picks up from park.
    exact_pickup : bool
        False where the records cannot show when somebody picked up: the winner of a group that rings
        in order or in which nobody else rang, and the target of any transfer, as they do not tell a
        blind one from an attended one. `talk_s` leaves the ringing of a blind one out.
    flow : str
        Kind of story, one of `FLOWS`.
    keys : list of (str, str)
        Menu and key, for each key really pressed, invalid ones too; a dialled extension is one key.
    """

    session: str
    started_at: float
    direction: str
    caller: str
    callee: str
    outcome: str
    ended_in: str
    answered_by: str | None
    answered_at: float | None
    wait_s: int
    ring_s: int
    ivr_s: int
    queue_s: int
    talk_s: int
    voicemail_s: int
    duration_s: int
    path: str
    forward_of: str | None
    exact_pickup: bool
    flow: str
    keys: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Story:
    """A call as the PBX reports it, and the truth about it."""

    call: Call
    truth: Truth


def truth_of(plan: CallPlan) -> Truth:
    """Tell the truth about a call."""
    answered_at: float | None = None
    answered_by: str | None = None
    mailbox_at: float | None = None
    ring_s = ivr_s = queue_s = talk_s = voicemail_s = 0.0
    for stage in plan.stages:
        until = stage.left if stage.picked_up is None else stage.picked_up
        if stage.kind == "ivr":
            ivr_s += stage.left - stage.entered
        elif stage.kind == "queue":
            queue_s += until - stage.entered
        elif stage.kind == "voicemail":
            voicemail_s += stage.left - stage.entered
            if mailbox_at is None:
                mailbox_at = stage.entered
        elif stage.kind in _RINGING and stage.rang is not None and answered_at is None:
            ring_s += until - stage.rang
        if stage.picked_up is not None:
            talk_s += stage.left - stage.picked_up
            if answered_at is None:
                answered_at, answered_by = stage.picked_up, stage.person
    ended = plan.ended
    if plan.retrieved is not None:
        ended = plan.retrieved.ended
        talk_s += sum(stage.left - stage.picked_up for stage in plan.retrieved.stages if stage.picked_up is not None)
    waited_until = answered_at if answered_at is not None else mailbox_at
    if waited_until is None:
        waited_until = plan.ended
    return Truth(
        session=plan.session,
        started_at=plan.started,
        direction=plan.direction,
        caller=plan.caller,
        callee=plan.callee,
        outcome=plan.outcome,
        ended_in=plan.stages[-1].kind,
        answered_by=answered_by,
        answered_at=answered_at if answered_at is None else round(answered_at, 6),
        wait_s=round(waited_until - plan.started),
        ring_s=round(ring_s),
        ivr_s=round(ivr_s),
        queue_s=round(queue_s),
        talk_s=round(talk_s),
        voicemail_s=round(voicemail_s),
        duration_s=round(ended - plan.started),
        path=" > ".join([f"{stage.kind}:{stage.target}" for stage in plan.stages]),
        forward_of=plan.forward_of,
        exact_pickup=plan.exact,
        flow=plan.flow,
        keys=plan.keys,
    )


def write_truth(stories: Iterable[Story], folder: Path) -> Path:
    """Write the truth about calls to ``calls.jsonl``, one JSON object a line.

    Parameters
    ----------
    stories : iterable of Story
        Consumed one by one; nothing is held in memory.
    folder : pathlib.Path
        Made if it is not there.

    Returns
    -------
    pathlib.Path
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "calls.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for story in stories:
            file.write(json.dumps(asdict(story.truth), ensure_ascii=False) + "\n")
    return path
