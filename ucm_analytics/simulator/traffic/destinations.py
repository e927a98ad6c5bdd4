"""The places that a caller can come to: menu, queue, ring group, extension, mailbox."""

from __future__ import annotations

from typing import Final

from ucm_analytics.simulator.traffic.conversation import converse, talk_length
from ucm_analytics.simulator.traffic.day import Day, enter
from ucm_analytics.simulator.traffic.plan import CallPlan, Ring, Stage
from ucm_analytics.simulator.traffic.site import (
    DIRECT_DIAL_SHARE,
    FOLLOW_ME,
    GENERAL_MAILBOX,
    IN_MEETING,
    IN_ORDER_GROUPS,
    KEY_WEIGHTS,
    MAIN_LINE,
    MAIN_MENU,
    NO_MAILBOX,
    RING_ALL_QUEUES,
    UNREGISTERED,
)

_MENU_TRIES: Final = 3
_MENU_PROMPT_S: Final = 14.0
_QUEUE_LIMIT_S: Final = 90.0
_AGENTS_AT_LUNCH: Final = 2
_PATIENTS_AT_THE_DESK: Final = frozenset({9, 10, 12, 13})
_GROUP_LIMIT_S: Final = 45.0
_TURN_S: Final = 12.0
_RING_LIMIT_S: Final = 30.0
_LONG_RING_LIMIT_S: Final = 60.0
_FOLLOW_ME_AFTER_S: Final = 20.0


def visit(day: Day, plan: CallPlan, kind: str, target: str, instant: float) -> None:
    """Let the caller come to `kind`: the name used by inbound routes or menu keys."""
    match kind:
        case "ivr" | "member_ivr":
            menu(day, plan, target, instant)
        case "queue" | "member_queue":
            queue(day, plan, target, instant)
        case "ringgroup" | "member_ringgroup":
            ring_group(day, plan, target, instant)
        case "member_voicemail":
            mailbox(day, plan, target, instant, "u", flow="menu_mailbox")
        case _:
            extension(day, plan, target, instant)


def mailbox(day: Day, plan: CallPlan, owner: str, instant: float, detail: str, *, flow: str) -> None:
    """Let a mailbox take the call; `detail` is ``u`` unavailable, ``b`` busy, ``flat`` unregistered."""
    stage = enter(plan, "voicemail", owner, instant, detail)
    stage.left = instant + 4.0 + min(180.0, day.rng.expovariate(1 / 22))
    plan.end(stage.left, "voicemail", flow)


def menu(day: Day, plan: CallPlan, number: str, instant: float) -> None:
    """Let the caller listen to a menu and press keys."""
    rng = day.rng
    stage = enter(plan, "ivr", number, instant, "next")
    keys = day.menus[number]
    now = instant
    silent = rng.random() < 0.02
    for _ in range(_MENU_TRIES):
        roll = 0.1 if silent else rng.random()
        if roll < 0.06:
            stage.detail = "hung_up"
            stage.left = now + rng.uniform(0.6, 25)
            plan.end(stage.left, plan.unanswered(), "menu_hung_up")
            return
        if roll < 0.16:
            now += _MENU_PROMPT_S + 10.0
            continue
        now += rng.uniform(1.5, _MENU_PROMPT_S)
        if roll < 0.24:
            plan.keys.append((number, rng.choice([key for key in "46789" if key not in keys])))
            now += 2.5
            continue
        stage.left = now
        if number == MAIN_MENU and rng.random() < DIRECT_DIAL_SHARE:
            dialled = rng.choice(list(day.names))
            plan.keys.append((number, dialled))
            stage.left = now + 1.0
            extension(day, plan, dialled, stage.left)
            return
        names = list(keys)
        pressed = rng.choices(names, [KEY_WEIGHTS.get((number, name), 1.0) for name in names])[0]
        plan.keys.append((number, pressed))
        visit(day, plan, keys[pressed].event, keys[pressed].target, now)
        return
    stage.detail = "error"
    stage.left = now + 3.0
    plan.end(stage.left, "disconnected", "menu_error")


def queue(day: Day, plan: CallPlan, number: str, instant: float) -> None:
    """Let the caller wait in a queue until an agent picks up, patience ends, or the queue gives up."""
    rng = day.rng
    stage = enter(plan, "queue", number, instant)
    greeted = instant if any(before.kind == "ivr" for before in plan.stages) else instant + rng.uniform(3, 6)
    stage.rang = greeted
    patience = 6.0 + rng.expovariate(1 / 100)
    leaves = greeted + min(patience, _QUEUE_LIMIT_S)
    together = number in RING_ALL_QUEUES
    members = day.queues[number]
    hour = int(day.clock.hour(greeted))
    if hour in {12, 13}:
        members = members[:_AGENTS_AT_LUNCH]
    willing = (0.4 if together else 0.6) / (2 if hour in _PATIENTS_AT_THE_DESK else 1)
    now = greeted + rng.uniform(0.1, 1.0)
    while now < leaves:
        free = [member for member in members if day.free(member, now)]
        if not free:
            now = min(day.free_at(member, now) for member in members) + rng.uniform(0.3, 2.0)
            continue
        if not together:
            day.turns[number] += 1
            free = [free[day.turns[number] % len(free)]]
        stop = min(now + (20.0 if together else 15.0), leaves)
        winner, picked_up = _first_to_pick_up(day, free, now, willing, 13.0)
        if winner and picked_up < stop:
            _ring_all(stage, free, now, picked_up, winner)
            converse(day, plan, stage, winner, picked_up, flow="queue_answered")
            return
        _ring_all(stage, free, now, stop)
        now = stop + rng.uniform(1.0, 4.0)
    stage.left = leaves
    if patience > _QUEUE_LIMIT_S:
        mailbox(day, plan, GENERAL_MAILBOX, leaves, "u", flow="queue_timed_out")
    else:
        plan.end(leaves, plan.unanswered(), "queue_abandoned")


def _first_to_pick_up(day: Day, phones: list[str], start: float, willing: float, slowest_s: float) -> tuple[str, float]:
    first, when = "", start + 1e6
    for phone in phones:
        if day.rng.random() < willing:
            instant = start + day.rng.uniform(1.2, slowest_s)
            if instant < when:
                first, when = phone, instant
    return first, when


def _ring_all(stage: Stage, phones: list[str], start: float, stop: float, winner: str = "") -> None:
    for phone in phones:
        if phone == winner:
            stage.rings.append(Ring(phone, start, stop, "answered"))
        else:
            stage.rings.append(Ring(phone, start, stop, "elsewhere" if winner else "missed"))


def ring_group(day: Day, plan: CallPlan, number: str, instant: float) -> None:
    """Let a ring group ring, all phones together or one after the other."""
    stage = enter(plan, "ring_group", number, instant)
    begins = instant + day.rng.uniform(0.2, 9.0)
    patience = begins + 8.0 + day.rng.expovariate(1 / 70)
    stage.rang = begins
    if number in IN_ORDER_GROUPS:
        _ring_in_order(day, plan, stage, begins, patience)
    else:
        _ring_together(day, plan, stage, begins, patience)


def _ring_together(day: Day, plan: CallPlan, stage: Stage, begins: float, patience: float) -> None:
    hour = day.clock.hour(begins)
    away = IN_MEETING if 12 <= hour < 14 or day.clock.day.weekday() == 5 else frozenset()
    present = [member for member in day.groups[stage.target] if member not in away]
    phones = [member for member in present if day.free(member, begins)]
    stage.rings = [Ring(phone, begins, begins, "busy") for phone in present if phone not in phones]
    limit = begins + (_GROUP_LIMIT_S if phones else 1.0)
    stop = min(limit, patience)
    winner, picked_up = _first_to_pick_up(day, phones, begins, 0.4, 20.0)
    if winner and picked_up < stop:
        _ring_all(stage, phones, begins, picked_up, winner)
        # only a phone that lost shows when the winner picked up
        plan.exact = len(phones) > 1
        converse(day, plan, stage, winner, picked_up, flow="group_answered")
        return
    _ring_all(stage, phones, begins, stop)
    _nobody(day, plan, stage, stop, left=patience <= limit, flow="group")


def _ring_in_order(day: Day, plan: CallPlan, stage: Stage, begins: float, patience: float) -> None:
    now = begins
    for member in day.groups[stage.target]:
        if not day.free(member, now):
            stage.rings.append(Ring(member, now, now, "busy"))
            continue
        stop = min(now + _TURN_S, patience)
        winner, picked_up = _first_to_pick_up(day, [member], now, 0.4, _TURN_S)
        if winner and picked_up < stop:
            stage.rings.append(Ring(member, now, picked_up, "answered"))
            plan.exact = False
            converse(day, plan, stage, member, picked_up, flow="turns_answered")
            return
        stage.rings.append(Ring(member, now, stop, "missed"))
        now = stop
        if stop == patience:
            break
    if now == begins:
        now += 1.0
    _nobody(day, plan, stage, now, left=now == patience, flow="turns")


def _nobody(day: Day, plan: CallPlan, stage: Stage, instant: float, *, left: bool, flow: str) -> None:
    stage.left = instant
    if left:
        plan.end(instant, plan.unanswered(), f"{flow}_abandoned")
    else:
        mailbox(day, plan, GENERAL_MAILBOX, instant, "u", flow=f"{flow}_mailbox")


def extension(day: Day, plan: CallPlan, number: str, instant: float) -> None:
    """Let one extension ring, be busy, or not be there."""
    rng = day.rng
    side = "internal" if plan.direction == "internal" else "extension"
    if number in UNREGISTERED:
        mailbox(day, plan, number, instant, "flat", flow=f"{side}_unregistered")
        return
    stage = enter(plan, "extension", number, instant)
    has_mailbox = number not in NO_MAILBOX
    roll = rng.random()
    if roll < (0.03 if has_mailbox else 0.07) or not day.free(number, instant):
        stage.detail, stage.left = "busy", instant + rng.uniform(0.1, 0.9)
        if has_mailbox:
            mailbox(day, plan, number, stage.left, "b", flow=f"{side}_busy_mailbox")
        else:
            plan.end(stage.left, "busy", f"{side}_busy")
        return
    stage.rang = instant
    if roll < 0.07 and has_mailbox:
        stage.detail, stage.left = "busy", instant + rng.uniform(3, 16)
        mailbox(day, plan, number, stage.left, "b", flow=f"{side}_declined")
        return
    if roll < 0.14:
        stage.detail, stage.left = "no_answer", instant + rng.uniform(2, 19)
        plan.end(stage.left, plan.unanswered(), f"{side}_unanswered")
        return
    follows = number in FOLLOW_ME and not day.late(instant)
    if roll < (0.55 if follows else 0.80):
        converse(day, plan, stage, number, instant + rng.uniform(1.5, 19), flow=f"{side}_answered")
        return
    if follows:
        _follow_me(day, plan, stage)
        return
    stage.detail = "no_answer"
    stage.left = instant + (_RING_LIMIT_S if has_mailbox else _LONG_RING_LIMIT_S) + rng.random()
    if has_mailbox:
        mailbox(day, plan, number, stage.left, "u", flow=f"{side}_mailbox")
    else:
        plan.end(stage.left, plan.unanswered(), f"{side}_unanswered")


def _follow_me(day: Day, plan: CallPlan, stage: Stage) -> None:
    rng = day.rng
    mobile = FOLLOW_ME[stage.target]
    begins = stage.entered + _FOLLOW_ME_AFTER_S + rng.random()
    forward = day.call(begins, "outbound", plan.caller, mobile, line=MAIN_LINE)
    forward.caller_name = plan.caller_name
    forward.forward_of = plan.session
    rung = enter(forward, "external", mobile, forward.started, "no_answer")
    rung.rang, rung.owner = forward.started, stage.target
    stage.detail = "follow_me"
    if rng.random() < 0.6:
        picked_up = begins + rng.uniform(3, 18)
        end = picked_up + talk_length(day)
        for place in (stage, rung):
            place.picked_up, place.person, place.left = picked_up, mobile, end
        rung.detail = "answered"
        forward.end(end, "answered", "follow_me_leg")
        plan.end(end, "answered", "follow_me")
        return
    stage.left = rung.left = begins + rng.uniform(6, 25)
    forward.end(rung.left, "no_answer", "follow_me_leg")
    if rng.random() < 0.6:
        mailbox(day, plan, stage.target, stage.left, "u", flow="follow_me_failed")
    else:
        plan.end(stage.left, plan.unanswered(), "follow_me_failed")
