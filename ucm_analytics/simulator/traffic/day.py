"""One day at the clinic: who is free, who calls, and the next identifiers of the PBX."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Final

from ucm_analytics.simulator.records import Site
from ucm_analytics.simulator.traffic.plan import CallPlan, Direction, Stage
from ucm_analytics.simulator.traffic.rhythm import opening_hours
from ucm_analytics.simulator.traffic.site import ANALOG_LINE, FOLLOW_ME, UNREGISTERED, Line
from ucm_analytics.simulator.traffic.wall_clock import WallClock

_AREA_CODES: Final = (
    "212", "303", "312", "404", "415", "503", "504", "512", "602", "612", "615", "617",
    "619", "702", "713", "716", "717", "801", "804", "808", "813", "816", "901", "907",
)  # fmt: skip
_NAMES: Final = ("Ahorn", "Birke", "Eibe", "Erle", "Esche", "Ginster", "Haselnuß", "Holunder", "Kürbis")

CALLERS: Final = tuple(
    (f"1{code}55501{n:02}", f"{_NAMES[n % 9]} {chr(65 + n % 26)}." if n % 5 < 2 else "")
    for n in range(100)
    for code in _AREA_CODES
)
"""Numbers outside, each with the name that its network sends; the first ones call most."""

_CALLS_PER_LINE: Final = 400
_SEQUENCES_PER_CALL: Final = 40
_LATE_S: Final = 900.0


class Day:
    """What the calls of one day share.

    Parameters
    ----------
    site : Site
        The clinic.
    clock : WallClock
        The day.
    rng : random.Random
        Source of chance of this day alone.
    calls_per_day : int
        Calls of a normal weekday. Phones have as many lines as that needs.
    """

    def __init__(self, site: Site, clock: WallClock, rng: Random, calls_per_day: int) -> None:
        self.site = site
        self.clock = clock
        self.rng = rng
        self.now = clock.begin
        self.plots: list[CallPlan] = []
        self.turns: dict[str, int] = defaultdict(int)
        self.names = {extension.number: extension.name for extension in site.extensions}
        self.queues = {queue.extension: queue.members for queue in site.queues}
        self.groups = {group.extension: group.members for group in site.ring_groups}
        self.menus = {
            menu.extension: {key.keypress: key for key in menu.keys if len(key.keypress) == 1} for menu in site.ivrs
        }
        self.desks = tuple(n for n in self.names if n not in UNREGISTERED and n not in FOLLOW_ME)
        self._lines = max(1, calls_per_day // _CALLS_PER_LINE)
        self._talks: dict[str, list[tuple[float, float]]] = defaultdict(list)
        # the PBX restarts in the night to Sunday: both counters begin again
        since_restart = (clock.day.weekday() + 1) % 7
        self._sequence = since_restart * (calls_per_day + 100) * _SEQUENCES_PER_CALL
        self._channel = self._sequence

    def open_at(self, instant: float) -> bool:
        """Whether the clinic is open."""
        return int(self.clock.hour(instant)) in opening_hours(self.clock.day)

    def late(self, instant: float) -> bool:
        """Whether the day is too old to begin further calls from this one."""
        return instant > self.clock.end - _LATE_S

    def occupy(self, extension: str, start: float, end: float) -> None:
        """Let an extension talk from `start` to `end`."""
        talks = self._talks[extension]
        if len(talks) > 4 * self._lines:
            talks[:] = [talk for talk in talks if talk[1] > self.now]
        talks.append((start, end))

    def free(self, extension: str, instant: float) -> bool:
        """Whether the extension can take a call."""
        engaged = 0
        for start, end in self._talks[extension]:
            if start <= instant < end:
                engaged += 1
        return engaged < self._lines

    def free_at(self, extension: str, instant: float) -> float:
        """When a busy extension has its next line free."""
        return min(end for start, end in self._talks[extension] if start <= instant < end)

    def somebody(self, instant: float, *, but: str = "") -> str | None:
        """Find a colleague at a desk who is free; None when nobody was found."""
        for _ in range(6):
            extension = self.rng.choice(self.desks)
            if extension != but and self.free(extension, instant):
                return extension
        return None

    def outsider(self) -> tuple[str, str]:
        """Number and name of somebody outside; some call often."""
        return CALLERS[int(len(CALLERS) * self.rng.random() ** 2)]

    def channel(self, tag: str) -> str:
        """Name of a new channel of an extension or trunk."""
        self._channel += 1
        if tag == ANALOG_LINE.tag:
            return f"DAHDI/{tag}-1"
        return f"PJSIP/{tag}-{self._channel:08x}"

    def uniqueid(self, started: float) -> str:
        """Make a new uniqueid; `started` is the epoch [s] of the call's start."""
        self._sequence += self.rng.randint(1, 4)
        return f"{int(started)}.{self._sequence}"

    def identify(self, plan: CallPlan) -> None:
        """Give a call its uniqueid and channel; calls get them in the order in which they start."""
        plan.uniqueid = self.uniqueid(plan.started)
        if plan.forward_of is not None and plan.parked is None:
            self._channel += 1
            plan.channel = f"Local/{plan.callee}@from-internal-{self._channel:08x};2"
        elif plan.parked is not None or plan.line is None or plan.direction == "outbound":
            plan.channel = self.channel(plan.session.rpartition("-")[2])
        else:
            plan.channel = self.channel(plan.line.tag)

    def call(
        self,
        started: float,
        direction: Direction,
        caller: str,
        callee: str,
        *,
        caller_name: str = "",
        line: Line | None = None,
    ) -> CallPlan:
        """Begin a call."""
        epoch = int(started)
        micros = int((started - epoch) * 1e6)
        started = epoch + micros / 1e6
        inside = direction in {"outbound", "internal"}
        plan = CallPlan(
            number=len(self.plots),
            started=started,
            session=f"{epoch}{micros}-{caller}",
            direction=direction,
            caller=caller,
            callee=callee,
            caller_name=self.names.get(caller, "") if inside else caller_name,
            line=line,
        )
        self.plots.append(plan)
        return plan


def enter(plan: CallPlan, kind: str, target: str, entered: float, detail: str = "") -> Stage:
    """Let the caller come to the next place."""
    stage = Stage(kind, target, entered, entered, detail)
    plan.stages.append(stage)
    return stage
