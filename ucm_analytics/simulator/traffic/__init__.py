"""Seeded traffic of a pretend clinic: call records, and the truth about each caller beside them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Final

from ucm_analytics.errors import SettingError
from ucm_analytics.simulator.records import Call, Site
from ucm_analytics.simulator.traffic.day import Day
from ucm_analytics.simulator.traffic.legs import legs_of
from ucm_analytics.simulator.traffic.origins import inbound, internal, on_duty, outbound, through
from ucm_analytics.simulator.traffic.plan import FLOWS
from ucm_analytics.simulator.traffic.rhythm import arrivals
from ucm_analytics.simulator.traffic.site import clinic
from ucm_analytics.simulator.traffic.truth import Story, Truth, truth_of, write_truth
from ucm_analytics.simulator.traffic.wall_clock import WallClock

__all__ = ["FLOWS", "Story", "Truth", "clinic", "generate", "write_truth"]

_CALLS_PER_ARRIVAL: Final = 1.1
"""Call-backs, forwards and questions back come on top of the calls that begin by themselves."""


def generate(site: Site, *, first: date, last: date, calls_per_day: int = 120, seed: int = 1) -> Iterator[Story]:
    """Tell the calls of a period, in the order in which they start.

    Parameters
    ----------
    site : Site
        The clinic.
    first, last : datetime.date
        First and last day, both included.
    calls_per_day : int
        Mean number of sessions of a normal weekday.
    seed : int
        The same seed gives the same calls. A day depends on the seed and its date alone, not on
        the other days asked for.

    Yields
    ------
    Story
        A call and the truth about it. One day at a time is held in memory.

    Raises
    ------
    SettingError
        The zone is unknown, the end lies before the start, or `calls_per_day` is negative.
    """
    if last < first:
        raise SettingError(f"the last day {last} lies before the first {first}", hint="exchange the two")
    if calls_per_day < 0:
        raise SettingError(f"{calls_per_day} calls a day are not possible", hint="give 0 or more")
    for number in range((last - first).days + 1):
        yield from _tell(site, first + timedelta(days=number), calls_per_day, seed)


def _tell(site: Site, date_: date, calls_per_day: int, seed: int) -> Iterator[Story]:
    clock = WallClock(site.timezone, date_)
    day = Day(site, clock, Random(f"{seed}:{date_}"), calls_per_day)
    _play(day, calls_per_day)
    for plan in sorted(day.plots, key=lambda plan: (plan.started, plan.number)):
        yield Story(
            Call(plan.session, clock.wall(plan.started), legs_of(day, plan), plan.released),
            truth_of(plan),
        )


def _play(day: Day, calls_per_day: int) -> None:
    rng = day.rng
    pending = [
        (instant, number, "", ("", ""))
        for number, instant in enumerate(arrivals(day.clock, calls_per_day / _CALLS_PER_ARRIVAL, rng))
    ]
    heapq.heapify(pending)
    count = len(pending)
    while pending:
        instant, _, kind, who = heapq.heappop(pending)
        day.now = instant
        roll = rng.random()
        if kind == "callback":
            outbound(day, instant, who[0])
            continue
        if not kind and day.open_at(instant) and roll > 0.56:
            if roll < 0.79:
                outbound(day, instant, day.outsider()[0])
            elif roll < 0.99:
                internal(day, instant)
            else:
                through(day, instant)
            continue
        caller = who if kind else day.outsider()
        begun = len(day.plots)
        inbound(day, instant, caller)
        if day.plots[begun].outcome in {"abandoned", "disconnected", "busy"} and roll < 0.25:
            again, by = (
                (instant + 60.0 + rng.expovariate(1 / 900), "again")
                if rng.random() < 0.65
                else (instant + 300.0 + rng.expovariate(1 / 2400), "callback")
            )
            if not day.late(again) and day.open_at(again):
                count += 1
                heapq.heappush(pending, (again, count, by, caller))
    _duties(day, calls_per_day)


def _duties(day: Day, calls_per_day: int) -> None:
    if calls_per_day and day.rng.random() < 0.3:
        late = day.clock.end - day.rng.uniform(60, 1100)
        on_duty(day, late, day.rng.uniform(600, 2400), "night_call")
    switch = day.clock.switch
    if calls_per_day and switch is not None and switch < day.clock.end:
        for after_s, talk_s in ((-3000.5, 240.25), (-900.5, 1800.75), (600.5, 240.25)):
            on_duty(day, switch + after_s, talk_s, "clock_change")
