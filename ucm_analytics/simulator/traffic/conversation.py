"""What people do once they talk: hang up, send the caller on, ask back, park."""

from __future__ import annotations

from typing import Final

from ucm_analytics.simulator.traffic.day import Day, enter
from ucm_analytics.simulator.traffic.plan import CallPlan, Stage
from ucm_analytics.simulator.traffic.site import PARK_SLOTS

_BLIND_SHARE: Final = 0.045
_ATTENDED_SHARE: Final = 0.035
_PARK_SHARE: Final = 0.07
RECORDED_SHARE: Final = 0.3
_LONGEST_TALK_S: Final = 3600.0


def talk_length(day: Day) -> float:
    """Length of a conversation [s]: median 110, mean 150."""
    return min(_LONGEST_TALK_S, 2.0 + day.rng.lognormvariate(4.7, 0.8))


def converse(day: Day, plan: CallPlan, stage: Stage, person: str, instant: float, *, flow: str) -> None:
    """Let `person` pick up, and the call go on to its end.

    Parameters
    ----------
    day, plan, stage
        Where it happens.
    person : str
        Extension that picks up.
    instant : float
        Epoch [s] of the pick-up.
    flow : str
        Kind of story, if nothing more special comes of it.
    """
    stage.picked_up, stage.person = instant, person
    stage.recorded = day.rng.random() < RECORDED_SHARE
    roll = day.rng.random()
    end = instant + talk_length(day)
    if day.late(end) or roll > _BLIND_SHARE + _ATTENDED_SHARE + _PARK_SHARE:
        finish(day, plan, stage, end, flow)
    elif roll < _BLIND_SHARE:
        _send_on(day, plan, stage, instant, flow)
    elif roll < _BLIND_SHARE + _ATTENDED_SHARE:
        _ask_and_send_on(day, plan, stage, instant, flow)
    elif plan.direction == "inbound" and stage.kind != "queue":
        _park(day, plan, stage, instant, flow)
    else:
        finish(day, plan, stage, end, flow)


def finish(day: Day, plan: CallPlan, stage: Stage, instant: float, flow: str) -> None:
    """End the talk of a stage, and the call with it."""
    stage.left = instant
    if stage.picked_up is not None:
        day.occupy(stage.person, stage.picked_up, instant)
    plan.end(instant, "answered", flow)


def _send_on(day: Day, plan: CallPlan, stage: Stage, picked_up: float, flow: str) -> None:
    rng = day.rng
    instant = picked_up + rng.uniform(12, 70)
    target = day.somebody(instant, but=stage.person)
    finish(day, plan, stage, instant, flow)
    if target is None:
        return
    onward = enter(plan, "transfer", target, instant, "blind")
    onward.owner, onward.rang = stage.person, instant
    if rng.random() < 0.8:
        onward.picked_up, onward.person = instant + rng.uniform(1.5, 12), target
        plan.exact = False
        finish(day, plan, onward, onward.picked_up + talk_length(day), "blind_transfer")
    else:
        onward.left = instant + rng.uniform(8, 30)
        plan.end(onward.left, "answered", "blind_transfer_unanswered")


def _ask_and_send_on(day: Day, plan: CallPlan, stage: Stage, picked_up: float, flow: str) -> None:
    rng = day.rng
    asked_at = picked_up + rng.uniform(12, 60)
    target = day.somebody(asked_at, but=stage.person)
    if target is None or day.late(asked_at):
        finish(day, plan, stage, asked_at, flow)
        return
    question = day.call(asked_at, "internal", stage.person, target)
    asked = enter(question, "extension", target, question.started)
    asked.rang, asked.picked_up, asked.person = question.started, asked_at + rng.uniform(1.5, 9), target
    instant = asked.picked_up + rng.uniform(5, 30)
    finish(day, question, asked, instant, "consultation")
    finish(day, plan, stage, instant, flow)
    onward = enter(plan, "transfer", target, instant, "attended")
    onward.owner, onward.picked_up, onward.person = stage.person, instant, target
    plan.exact = False
    finish(day, plan, onward, instant + talk_length(day), "attended_transfer")


def _park(day: Day, plan: CallPlan, stage: Stage, picked_up: float, flow: str) -> None:
    rng = day.rng
    instant = picked_up + rng.uniform(10, 60)
    finish(day, plan, stage, instant, flow)
    slot = enter(plan, "park", rng.choice(PARK_SLOTS), instant)
    slot.left = instant + rng.uniform(6, 60)
    colleague = day.somebody(slot.left, but=stage.person)
    if colleague is None or day.late(slot.left) or rng.random() < 0.25:
        plan.end(slot.left, "answered", "parked_left")
        return
    picked = day.call(slot.left, "inbound", colleague, colleague, line=plan.line)
    slot.left = picked.started
    picked.caller, picked.caller_name, picked.parked = plan.caller, plan.caller_name, plan
    picked.forward_of, plan.retrieved = plan.session, picked
    taken = enter(picked, "park", colleague, picked.started, "retrieved")
    taken.picked_up, taken.person = picked.started, colleague
    taken.recorded = rng.random() < RECORDED_SHARE
    finish(day, picked, taken, picked.started + talk_length(day), "retrieved")
    plan.end(slot.left, "answered", "parked")
    plan.released = picked.ended
