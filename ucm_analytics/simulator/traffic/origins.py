"""How calls begin: from outside, to outside, within the clinic, and through it."""

from __future__ import annotations

from typing import Final

from ucm_analytics.simulator.traffic.conversation import RECORDED_SHARE, finish, talk_length
from ucm_analytics.simulator.traffic.day import Day, enter
from ucm_analytics.simulator.traffic.destinations import extension, mailbox, menu, ring_group, visit
from ucm_analytics.simulator.traffic.plan import CallPlan
from ucm_analytics.simulator.traffic.site import (
    ANALOG_LINE,
    BRANCH_LINE,
    GENERAL_MAILBOX,
    LINES,
    MAIN_LINE,
    MAIN_MENU,
    MAIN_NUMBER,
    ON_CALL,
    OPERATORS,
)

_ROUTE_WEIGHTS: Final = {"ivr": 50.0, "queue": 7.0, "ringgroup": 11.0, "account": 3.0}
_ANALOG_SHARE: Final = 0.08
_BRANCH_SHARE: Final = 0.08
_FAILED_SHARE: Final = 0.012
_ANALOG_PICKUP_S: Final = 12.0


def inbound(day: Day, instant: float, caller: tuple[str, str]) -> None:
    """Let somebody outside call the clinic."""
    rng = day.rng
    number, name = caller
    if rng.random() < 0.02:
        number, name = "anonymous", "Anonymous"
    roll = rng.random()
    if not day.open_at(instant):
        _while_closed(day, instant, (number, name))
    elif roll < _ANALOG_SHARE:
        plan = day.call(instant, "inbound", number, MAIN_MENU, line=ANALOG_LINE)
        menu(day, plan, MAIN_MENU, plan.started + _ANALOG_PICKUP_S + rng.random())
    elif roll < _ANALOG_SHARE + _BRANCH_SHARE:
        desk = rng.choice(list(day.names))
        plan = day.call(instant, "inbound", number, desk, caller_name=name, line=BRANCH_LINE)
        extension(day, plan, desk, plan.started)
    elif roll < _ANALOG_SHARE + _BRANCH_SHARE + _FAILED_SHARE:
        desk = rng.choice(day.desks)
        plan = day.call(instant, "inbound", number, desk, caller_name=name, line=BRANCH_LINE)
        failed = enter(plan, "extension", desk, plan.started, "failed")
        failed.left = plan.started + rng.uniform(0.1, 2.5)
        plan.end(failed.left, "failed", "inbound_failed")
    else:
        routes = day.site.inbound_routes
        route = rng.choices(routes, [_ROUTE_WEIGHTS.get(route.destination_type, 1.0) for route in routes])[0]
        plan = _dial_did(day, instant, (number, name), route.did, trunk=route.trunk_index)
        visit(day, plan, route.destination_type, route.destination, plan.did_until)


def _dial_did(
    day: Day, instant: float, caller: tuple[str, str], did: str, *, trunk: int = 1, slow: bool = True
) -> CallPlan:
    number, name = caller
    plan = day.call(instant, "inbound", number, did, caller_name=name, line=LINES[trunk])
    plan.did = did
    handling = day.rng.uniform(1, 10) if slow and day.rng.random() < 0.08 else day.rng.uniform(0, 0.1)
    plan.did_until = plan.started + handling
    return plan


def _while_closed(day: Day, instant: float, caller: tuple[str, str]) -> None:
    if day.rng.random() < 0.7:
        plan = _dial_did(day, instant, caller, MAIN_NUMBER, slow=False)
        mailbox(day, plan, GENERAL_MAILBOX, plan.did_until, "u", flow="closed_mailbox")
    else:
        plan = _dial_did(day, instant, caller, "12025550113", slow=False)
        extension(day, plan, "1016", plan.did_until)


def on_duty(day: Day, instant: float, talk_s: float, flow: str) -> None:
    """Let the colleague on call duty talk to somebody outside for `talk_s` seconds."""
    plan = _dial_did(day, instant, day.outsider(), "12025550119", slow=False)
    stage = enter(plan, "extension", ON_CALL, plan.did_until)
    stage.rang, stage.picked_up, stage.person = plan.did_until, plan.did_until + 6.5, ON_CALL
    finish(day, plan, stage, stage.picked_up + talk_s, flow)


def outbound(day: Day, instant: float, number: str) -> None:
    """Let somebody at the clinic call `number` outside."""
    rng = day.rng
    colleague = day.somebody(instant)
    if colleague is None:
        return
    line = ANALOG_LINE if rng.random() < 0.1 else MAIN_LINE
    roll = rng.random()
    unroutable = roll < 0.03
    plan = day.call(instant, "outbound", colleague, number, line=None if unroutable else line)
    stage = enter(plan, "external", number, plan.started)
    started = plan.started
    if roll < 0.08:
        stage.detail = "unroutable" if unroutable else "failed"
        stage.left = started + rng.uniform(0.2, 7)
        plan.end(stage.left, "failed", f"outbound_{stage.detail}")
    elif roll < 0.14:
        stage.detail, stage.left = "busy", started + rng.uniform(1, 5)
        plan.end(stage.left, "busy", "outbound_busy")
    elif roll < 0.34:
        stage.detail, stage.rang, stage.left = "no_answer", started, started + rng.uniform(8, 45)
        plan.end(stage.left, "no_answer", "outbound_no_answer")
    else:
        stage.detail, stage.rang, stage.person = "answered", started, number
        stage.picked_up = started + rng.uniform(3, 28)
        stage.recorded = rng.random() < RECORDED_SHARE
        end = stage.picked_up + talk_length(day)
        handed_to = day.somebody(end, but=colleague) if rng.random() < 0.05 else None
        stage.left = end
        day.occupy(colleague, started, end)
        plan.end(end, "answered", "outbound_answered")
        if handed_to is not None:
            onward = enter(plan, "transfer", handed_to, end, "blind")
            onward.owner, onward.rang = colleague, end
            onward.picked_up, onward.person = end + rng.uniform(1.5, 10), handed_to
            plan.exact = False
            finish(day, plan, onward, onward.picked_up + talk_length(day), "outbound_transfer")


def internal(day: Day, instant: float) -> None:
    """Let somebody at the clinic call a colleague, a group, a menu, or a wrong number."""
    rng = day.rng
    colleague = day.somebody(instant)
    if colleague is None:
        return
    roll = rng.random()
    if roll < 0.03:
        plan = day.call(instant, "internal", colleague, "1099")
        failed = enter(plan, "extension", "1099", plan.started, "failed")
        failed.left = plan.started + rng.uniform(0.1, 3)
        plan.end(failed.left, "failed", "internal_failed")
        return
    if roll < 0.06:
        plan = day.call(instant, "internal", colleague, OPERATORS)
        ring_group(day, plan, OPERATORS, plan.started)
    elif roll < 0.08:
        plan = day.call(instant, "internal", colleague, MAIN_MENU)
        menu(day, plan, MAIN_MENU, plan.started)
    else:
        target = rng.choice([number for number in day.names if number != colleague])
        plan = day.call(instant, "internal", colleague, target)
        extension(day, plan, target, plan.started)
    day.occupy(colleague, plan.started, plan.ended)


def through(day: Day, instant: float) -> None:
    """Let a call come in by one trunk and leave by another."""
    number, name = day.outsider()
    plan = day.call(instant, "external", number, "12025550180", caller_name=name, line=MAIN_LINE)
    plan.out_line = BRANCH_LINE
    stage = enter(plan, "external", plan.callee, plan.started, "answered")
    stage.rang = plan.started
    if day.rng.random() < 0.75:
        stage.picked_up, stage.person = plan.started + day.rng.uniform(3, 15), plan.callee
        stage.left = stage.picked_up + talk_length(day)
        plan.end(stage.left, "answered", "trunk_to_trunk")
    else:
        stage.detail, stage.left = "no_answer", plan.started + day.rng.uniform(10, 40)
        plan.end(stage.left, "no_answer", "trunk_to_trunk_unanswered")
