"""What holds for any legs at all: random call trees, and records that no sane PBX writes."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ucm_analytics import model
from ucm_analytics.legs import legs_table
from ucm_analytics.schema import DIRECTIONS, OUTCOMES, RING_RESULTS, STEP_KINDS, STEP_RESULTS, arrow_schema

ZONE = ZoneInfo("Europe/Berlin")
EPOCH = 1773129600  # 2026-03-10 09:00:00 there
RUNS = settings(derandomize=True, deadline=None, max_examples=30, database=None)

Leg = dict[str, str]


def wall(second: int) -> str:
    day, rest = divmod(9 * 3600 + second, 86400)
    return f"2026-03-{10 + day:02d} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


# -- call trees: stages one after the other, and what they mean for the caller


@dataclass
class Tree:
    """Legs of one call, and what becomes of the caller, told while the legs are written."""

    number: int
    now: int = 0
    sequence: int = 17
    legs: list[Leg] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    answered_by: str | None = None
    wait: int | None = None
    talk: int = 0
    ivr: int = 0
    queue: int = 0
    mailbox: int = 0
    phones: int = 0
    over: bool = False

    def leg(self, dst: str, app: str, action: str, start: int, answer: int, end: int, disposition: str) -> Leg:
        leg = {
            "AcctId": str(len(self.legs) + 1),
            "src": "12025550142",
            "dst": dst,
            "channel": f"PJSIP/trunk_1-{self.number:08x}",
            "channel_ext": "trunk_1",
            "dstchannel": "",
            "dstchannel_ext": dst,
            "dstanswer": dst if disposition == "ANSWERED" else "",
            "lastapp": app,
            "action_type": action,
            "start": wall(self.number + start),
            "answer": wall(self.number + answer),
            "end": wall(self.number + end),
            "duration": str(end - start),
            "billsec": str(end - answer if disposition == "ANSWERED" else 0),
            "disposition": disposition,
            "uniqueid": f"{EPOCH + self.number}.{self.sequence}",
            "session": f"{EPOCH + self.number}5-12025550142",
            "userfield": "Inbound",
            "src_trunk_name": "Telco",
        }
        self.legs.append(leg)
        return leg

    def phone(self, leg: Leg, extension: str) -> None:
        leg["dstchannel"] = f"PJSIP/{extension}-{len(self.legs):08x}"
        leg["dstchannel_ext"] = extension
        if leg["disposition"] == "ANSWERED":
            leg["dstanswer"] = extension
        self.phones += 1

    def talks(self, by: str, until: int, end: int) -> None:
        if self.answered_by is None:
            self.answered_by, self.wait = by, until
        self.talk += end - until
        self.now = end

    def menu(self, number: str, seconds: int) -> None:
        self.leg(number, "ForkCDR", f"IVR[{number}]", self.now, self.now, self.now + seconds, "ANSWERED")
        self.path.append(f"ivr:{number}")
        self.ivr += seconds
        self.now += seconds

    def rung(self, action: str, kind: str, extension: str, rings: int, talk: int) -> None:
        start, until, end = self.now, self.now + rings, self.now + rings + talk
        leg = self.leg(extension, "Dial", action, start, until, end, "ANSWERED" if talk else "NO ANSWER")
        self.phone(leg, extension)
        self.path.append(f"{kind}:{extension}")
        if talk:
            self.talks(extension, until, end)
        else:
            self.now = until

    def extension(self, extension: str, rings: int, talk: int) -> None:
        menu = self.path[-1].removeprefix("ivr:") if self.path and self.path[-1].startswith("ivr:") else ""
        self.rung(f"IVR[{menu}]" if menu else "DIAL", "extension", extension, rings, talk)

    def transfer(self, extension: str, rings: int, talk: int) -> None:
        self.sequence += 1
        # the records hide how long the target of an answered transfer rang
        self.rung("TRANSFER", "transfer", extension, 0 if talk else rings, talk)

    def waiting(self, queue: str, agents: list[str], rings: int, talk: int) -> None:
        start = self.now
        action = f"QUEUE[{queue}]"
        for turn, agent in enumerate(agents):
            last = turn == len(agents) - 1
            rang = self.now
            self.now += rings
            won = last and talk > 0
            leg = self.leg(
                queue, "Queue", action, rang, self.now, self.now + talk * won, "ANSWERED" if won else "NO ANSWER"
            )
            self.phone(leg, agent)
        self.queue += self.now - start
        self.path.append(f"queue:{queue}")
        if talk:
            self.talks(agents[-1], self.now, self.now + talk)

    def group(self, group: str, members: list[str], rings: int, talk: int) -> None:
        start, until, end = self.now, self.now + rings, self.now + rings + talk
        action = f"RINGGROUP[{group}]"
        self.leg(group, "ForkCDR", action, start, start, start, "ANSWERED")
        for turn, member in enumerate(members):
            won = talk > 0 and turn == 0
            leg = self.leg(
                member, "Dial", action, start, start if won else until, end if won else until,
                "ANSWERED" if won else "NO ANSWER",
            )  # fmt: skip
            self.phone(leg, member)
        self.path.append(f"ring_group:{group}")
        if talk:
            self.talks(members[0], until, end)
        else:
            self.now = until

    def voicemail(self, extension: str, seconds: int) -> None:
        self.leg(extension, "VoiceMail", "VM", self.now, self.now, self.now + seconds, "ANSWERED")
        self.path.append(f"voicemail:{extension}")
        if self.wait is None:
            self.wait = self.now
        self.mailbox += seconds
        self.now += seconds
        self.over = True


seconds = st.integers(1, 400)
talks = st.one_of(st.just(0), st.integers(1, 900))
phones = st.sampled_from([f"10{n:02d}" for n in range(20)])


@st.composite
def trees(draw: st.DrawFn, number: int) -> Tree:
    """Menus, then places to ring, then transfers, then perhaps a mailbox."""
    tree = Tree(number)
    for menu in draw(st.lists(st.sampled_from(["7000", "7001", "7002"]), max_size=3)):
        tree.menu(menu, draw(seconds))
    for place in draw(st.lists(st.sampled_from(["extension", "queue", "group"]), max_size=3)):
        # the next queue or group has another number than the one before: else it is one stay
        stay = len(tree.path)
        match place:
            case "extension":
                tree.extension(draw(phones), draw(seconds), draw(talks))
            case "queue":
                agents = draw(st.lists(phones, min_size=1, max_size=4))
                tree.waiting(f"65{stay:02d}", agents, draw(seconds), draw(talks))
            case _:
                members = draw(st.lists(phones, min_size=2, max_size=5, unique=True))
                tree.group(f"64{stay:02d}", members, draw(seconds), draw(talks))
        if tree.answered_by:
            break
    if tree.answered_by:
        for extension in draw(st.lists(phones, max_size=2)):
            tree.transfer(extension, draw(seconds), draw(talks))
    elif draw(st.booleans()) or not tree.legs:
        tree.voicemail(draw(phones), draw(seconds))
    return tree


@RUNS
@given(st.data())
def test_call_trees(data: st.DataObject) -> None:
    forest = [data.draw(trees(number), label=f"call {number}") for number in range(data.draw(st.integers(1, 6)))]
    legs = [leg for tree in forest for leg in tree.legs]
    random.Random(len(legs)).shuffle(legs)
    built = model.build(legs_table(legs, pbx="clinic"), zone=ZONE)
    check(built, len(legs))
    for tree, call in zip(forest, built.calls.to_pylist(), strict=True):
        assert call["path"] == " > ".join(tree.path)
        assert call["answered_by"] == tree.answered_by
        assert call["wait_s"] == (tree.now if tree.wait is None else tree.wait)
        assert call["talk_s"] == tree.talk
        assert call["ivr_s"] == tree.ivr
        assert call["queue_s"] == tree.queue
        assert call["voicemail_s"] == tree.mailbox
        assert call["duration_s"] == tree.now
        assert call["phones"] == tree.phones
        assert call["ivr_s"] + call["queue_s"] + call["ring_s"] <= call["wait_s"] + call["voicemail_s"]
        expected = "answered" if tree.answered_by else "voicemail" if tree.mailbox else "abandoned"
        assert call["outcome"] == expected


# -- records that no sane PBX writes: anything missing, anything anywhere

APPS = ["Dial", "Queue", "ForkCDR", "VoiceMail", "Playback", "Park", "ParkedCall", "ReadExten", "Set", "Foo", ""]
ACTIONS = [
    "DIAL", "VM", "TRANSFER", "PARKEDCALL", "IVR[7000]", "IVR[7099]NAME[IVR]", "QUEUE[6500]", "RINGGROUP[6400]",
    "FOLLOWME[1005]", "FOLLOWME[]", "IVR[", "[]", "SOMETHING[1][2]", "", "dial",
]  # fmt: skip
NUMBERS = ["1001", "1005", "7000", "6500", "6400", "71", "12025550142", "12025550177", "s", "", "äö 'x' \\"]
CHANNELS = ["", "PJSIP/1001-00000a01", "PJSIP/trunk_1-00000a02", "Local/1005@from-queue-1;2", "DAHDI/o1-1", "x", "/"]
TIMES = st.one_of(
    st.just(""),
    st.just("0000-00-00 00:00:00"),
    st.integers(-7200, 100_000).map(wall),
    st.sampled_from(["2026-03-29 02:30:00", "2026-10-25 02:30:00", "1999-12-31 23:59:59", "now"]),
)
COUNTS = st.one_of(st.just(""), st.just("x"), st.integers(-100, 100_000).map(str))
IDS = ["1773129600.17", "1773129600.18", "1773129700.19", "x", ""]
SESSIONS = ["17731296001-12025550142", "177312960099-1001", "1773129700123456-12025550142", "no epoch", ""]

any_leg = st.fixed_dictionaries(
    {"dst": st.sampled_from(NUMBERS)},
    optional={
        "AcctId": st.one_of(st.integers(0, 9).map(str), st.just("")),
        "src": st.sampled_from(NUMBERS),
        "dcontext": st.sampled_from(["", "from-internal-xfer", "outbound-route-1", "ivr-1"]),
        "clid": st.sampled_from(["", '"Ann" <1001>', '"']),
        "channel": st.sampled_from(CHANNELS),
        "dstchannel": st.sampled_from(CHANNELS),
        "lastapp": st.sampled_from(APPS),
        "lastdata": st.sampled_from(["", "an-error-has-occured&vm-goodbye"]),
        "start": TIMES,
        "answer": TIMES,
        "end": TIMES,
        "duration": COUNTS,
        "billsec": COUNTS,
        "disposition": st.sampled_from(["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION", "", "?"]),
        "uniqueid": st.sampled_from(IDS),
        "session": st.sampled_from(SESSIONS),
        "userfield": st.sampled_from(["Inbound", "Outbound", "Internal", "External", "EXT", ""]),
        "channel_ext": st.sampled_from([*NUMBERS, "trunk_1", "o1"]),
        "dstchannel_ext": st.sampled_from([*NUMBERS, "trunk_1"]),
        "dstanswer": st.sampled_from(NUMBERS),
        "action_type": st.sampled_from(ACTIONS),
        "dst_trunk_name": st.sampled_from(["", "Telco"]),
        "recordfiles": st.sampled_from(["", "2026-03/a.wav@"]),
        "recordfiles_desc": st.sampled_from(["", "start-time=1773129610@", "start-time=99"]),
    },
)
KEY = ("session", "AcctId", "uniqueid", "dstchannel")


def key(leg: dict[str, Any]) -> tuple[str, ...]:
    """What the store lets in once only."""
    if not leg.get("session") and not leg.get("uniqueid"):
        return (leg.get("start", ""), leg.get("AcctId", ""), leg.get("dstchannel", ""))
    return tuple(leg.get(name, "") for name in KEY)


@RUNS
@given(st.lists(any_leg, min_size=1, max_size=25, unique_by=key), st.randoms(use_true_random=False), st.booleans())
def test_any_records(legs: list[Leg], shuffler: random.Random, zoned: bool) -> None:
    zone = ZONE if zoned else None
    table = legs_table(legs, pbx="clinic")
    built = model.build(table, zone=zone)
    check(built, table["set_aside"].null_count)
    shuffled = legs[:]
    shuffler.shuffle(shuffled)
    again = model.build(legs_table(shuffled, pbx="clinic"), zone=zone)
    for name in ("calls", "steps", "rings"):
        for one, other in zip(getattr(built, name).to_pylist(), getattr(again, name).to_pylist(), strict=True):
            assert {(k, v, other[k]) for k, v in one.items() if v != other[k]} == set()


def check(built: model.ModelTables, legs: int) -> None:
    """What holds whatever came in."""
    for name in ("calls", "steps", "rings"):
        assert getattr(built, name).schema == arrow_schema(name)  # type: ignore[arg-type]
    calls, steps, rings = (table.to_pylist() for table in (built.calls, built.steps, built.rings))
    assert len({call["call_id"] for call in calls}) == len(calls)
    assert sum(call["legs"] for call in calls) == sum(step["legs"] for step in steps) == legs
    assert sum(call["steps"] for call in calls) == len(steps)
    assert sum(call["phones"] for call in calls) == sum(step["phones"] for step in steps) == len(rings)
    for call in calls:
        assert call["outcome"] in OUTCOMES and call["direction"] in DIRECTIONS and call["ended_in"] in STEP_KINDS
        parts = ("wait_s", "ring_s", "ivr_s", "queue_s", "talk_s", "voicemail_s")
        assert all(0 <= call[part] <= call["duration_s"] for part in parts), call
        assert call["ring_s"] <= call["wait_s"]
        assert call["wait_s"] + call["talk_s"] <= call["duration_s"]
        assert (call["outcome"] == "answered") == (call["answered_by"] is not None)
        assert (call["answered_at"] is None) == (call["answered_by"] is None or call["started_at"] is None)
        assert call["path"] is not None and call["entry"] is not None
    numbers: dict[str, list[int]] = {}
    for step in steps:
        numbers.setdefault(step["call_id"], []).append(step["step_no"])
        assert step["kind"] in STEP_KINDS and step["result"] in STEP_RESULTS and step["target"] is not None
        assert min(step["dwell_s"], step["wait_s"], step["talk_s"]) >= 0
        assert (step["result"] == "answered") == (step["answered_by"] is not None)
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    for ring in rings:
        assert ring["result"] in RING_RESULTS and min(ring["ring_s"], ring["talk_s"]) >= 0
        assert ring["talk_s"] == 0 or ring["result"] == "answered"


def test_no_legs() -> None:
    built = model.build(legs_table([], pbx="clinic"), zone=ZONE)
    check(built, 0)
    assert isinstance(built.calls, pa.Table)
