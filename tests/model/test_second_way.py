"""Every total once more by a plain loop over the PBX's own records: no SQL, no tables, other words."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from ucm_analytics import model
from ucm_analytics.legs import legs_table
from ucm_analytics.simulator.profiles import FIELDS_43
from ucm_analytics.simulator.traffic import clinic, generate

ZONE = ZoneInfo("Europe/Berlin")
SEEDS = (3, 4)
Leg = dict[str, str]


@cache
def records(seed: int) -> list[Leg]:
    """Three weeks without a change of the clock."""
    stories = generate(clinic(), first=date(2026, 2, 16), last=date(2026, 3, 8), calls_per_day=80, seed=seed)
    legs = [leg for story in stories for leg in story.call.legs]
    return [{**dict.fromkeys(FIELDS_43, ""), "AcctId": str(number), **leg} for number, leg in enumerate(legs, start=1)]


def at(leg: Leg, field: str) -> int:
    """Epoch [s] of a wall time of a leg."""
    return int(datetime.fromisoformat(leg[field]).replace(tzinfo=ZONE).timestamp())


def ends(leg: Leg) -> int:
    return at(leg, "end") if leg["end"] else at(leg, "start") + int(leg["duration"])


def began(session: str) -> int:
    return int(session[:10])


class Caller:
    """What became of one session, told leg by leg."""

    def __init__(self, session: str, legs: list[Leg]) -> None:
        self.session = session
        self.legs = sorted(legs, key=lambda leg: (at(leg, "start"), int(leg["AcctId"])))
        self.end = max(map(ends, legs))
        self.picked_up: list[tuple[int, int, str]] = []  # from, to, by whom
        for leg in self.legs:
            if leg["disposition"] == "ANSWERED" and leg["dstchannel"] and leg["lastapp"] in ("Dial", "Queue", "Park"):
                outside = leg["dstchannel_ext"].startswith(("trunk_", "o1", "g1"))
                by = leg["dstanswer"] if outside else leg["dstchannel_ext"]
                self.picked_up.append((self.instant(leg), ends(leg), by))
        self.mailbox = [leg for leg in self.legs if leg["action_type"] == "VM"]
        self.menus = [leg for leg in self.legs if leg["action_type"] == f"IVR[{leg['dst']}]"]
        self.queued = [leg for leg in self.legs if leg["action_type"].startswith("QUEUE")]

    def instant(self, winner: Leg) -> int:
        """When a phone was picked up: those that rang beside it tell, or its recording."""
        shown = at(winner, "answer")
        if winner["action_type"][:9] not in ("RINGGROUP", "TRANSFER") or shown > at(winner, "start"):
            return shown
        lost = [
            at(leg, "end")
            for leg in self.legs
            if leg["action_type"] == winner["action_type"] and leg["disposition"] == "NO ANSWER" and leg["dstchannel"]
        ]
        together = [
            end for leg, end in zip(
                [x for x in self.legs if x["action_type"] == winner["action_type"] and x["disposition"] == "NO ANSWER"
                 and x["dstchannel"]], lost, strict=True)
            if at(leg, "start") <= at(winner, "start") + 1 and end > at(winner, "start")
        ]  # fmt: skip
        if together and winner["action_type"].startswith("RING"):
            return max(together)
        if "start-time=" in winner.get("recordfiles_desc", ""):
            return int(winner["recordfiles_desc"].split("start-time=")[1][:10])
        return shown

    @property
    def person_at(self) -> int | None:
        return min((start for start, _, _ in self.picked_up), default=None)

    @property
    def talk(self) -> int:
        return sum(end - start for start, end, _ in self.picked_up)

    @property
    def outcome(self) -> str:
        last = self.legs[-1]
        group = [leg for leg in self.legs if leg["action_type"] == last["action_type"] and leg["dstchannel"]]
        if self.picked_up:
            return "answered"
        if self.mailbox:
            return "voicemail"
        if "error" in last["lastdata"] and last in self.menus:
            return "disconnected"
        if last["disposition"] == "BUSY" and all(leg["disposition"] == "BUSY" for leg in group):
            return "busy"
        if last["disposition"] == "FAILED":
            return "failed"
        if self.legs[0]["userfield"] == "Inbound" or last in self.menus or last in self.queued:
            return "abandoned"
        return "no_answer"


@cache
def callers(seed: int) -> dict[str, Caller]:
    sessions: defaultdict[str, list[Leg]] = defaultdict(list)
    for leg in records(seed):
        sessions[leg["session"]].append(leg)
    return {session: Caller(session, legs) for session, legs in sessions.items()}


@cache
def forwards(seed: int) -> dict[str, list[Caller]]:
    """Sessions of follow-me by the session of the one caller to whom they can belong."""
    found: defaultdict[str, list[Caller]] = defaultdict(list)
    everybody = list(callers(seed).values())
    for forward in everybody:
        action = forward.legs[0]["action_type"]
        if not action.startswith("FOLLOWME"):
            continue
        extension, shown = action[9:-1], forward.legs[0]["src"]
        parents = [
            caller
            for caller in everybody
            if caller is not forward
            and not caller.legs[0]["action_type"].startswith("FOLLOWME")
            and caller.legs[0]["src"] == shown
            and began(caller.session) <= began(forward.session) <= caller.end + 2
            and any(leg["dst"] == extension and leg["lastapp"] == "Dial" for leg in caller.legs)
        ]
        if len(parents) == 1:
            found[parents[0].session].append(forward)
    return dict(found)


def reached(seed: int, caller: Caller) -> Caller | None:
    """The forward that brought a caller to somebody, where nobody else picked up."""
    if caller.picked_up:
        return None
    answered = [forward for forward in forwards(seed).get(caller.session, []) if forward.picked_up]
    return min(answered, key=lambda forward: forward.person_at or 0) if answered else None


@cache
def picked_up_again(seed: int) -> dict[str, Caller]:
    """The session in which a parked caller was picked up, by the session in which the caller was parked."""
    parked = {}
    for caller in callers(seed).values():
        parked |= {leg["uniqueid"]: caller.session for leg in caller.legs if leg["lastdata"].startswith("default:")}
    return {
        parked[leg["uniqueid"]]: caller
        for caller in callers(seed).values()
        for leg in caller.legs
        if leg["lastapp"] == "Park" and leg["lastdata"] == "default"
    }


@cache
def built(seed: int) -> dict[str, list[dict]]:
    tables = model.build(legs_table(records(seed), pbx="clinic"), zone=ZONE)
    return {name: getattr(tables, name).to_pylist() for name in ("calls", "steps", "rings")}


@pytest.fixture(params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_number_of_calls_and_callers(seed: int) -> None:
    calls = built(seed)["calls"]
    assert len(calls) == len(callers(seed)) > 1000
    # everybody who is no forward and was not picked up from park
    continued = [caller for caller in callers(seed).values() if caller.legs[0]["action_type"].startswith("FOLLOWME")]
    continued += [c for c in callers(seed).values() if {leg["action_type"] for leg in c.legs} == {"PARKEDCALL"}]
    assert sum(call["is_forward"] for call in calls) == len(continued) > 10
    assert sum(call["legs"] for call in calls) == len(records(seed))


def test_outcomes(seed: int) -> None:
    expected: Counter[str] = Counter()
    for caller in callers(seed).values():
        expected["answered" if reached(seed, caller) else caller.outcome] += 1
    assert Counter(call["outcome"] for call in built(seed)["calls"]) == expected
    assert min(expected.values()) > 3 and len(expected) == 7


def test_talk_in_total_and_by_call(seed: int) -> None:
    expected = {}
    for session, caller in callers(seed).items():
        forward = reached(seed, caller)
        again = picked_up_again(seed).get(session)
        expected[session] = (forward or caller).talk + (again.talk if again else 0)
    found = {call["call_id"]: call["talk_s"] for call in built(seed)["calls"]}
    assert found == expected
    assert len(picked_up_again(seed)) > 5
    assert sum(found.values()) == sum(expected.values()) > 50_000


def test_wait_in_total_and_by_call(seed: int) -> None:
    expected = {}
    for session, caller in callers(seed).items():
        forward = reached(seed, caller)
        until = forward.person_at if forward else caller.person_at
        if until is None and caller.mailbox:
            until = at(caller.mailbox[0], "answer")
        expected[session] = (caller.end if until is None else until) - began(session)
    found = {call["call_id"]: call["wait_s"] for call in built(seed)["calls"]}
    assert found == expected


def test_durations_in_total_and_by_call(seed: int) -> None:
    expected = {}
    for session, caller in callers(seed).items():
        others = [reached(seed, caller), picked_up_again(seed).get(session)]
        expected[session] = max([caller.end, *(other.end for other in others if other)]) - began(session)
    assert {call["call_id"]: call["duration_s"] for call in built(seed)["calls"]} == expected


def test_answered_calls_of_each_extension(seed: int) -> None:
    expected = Counter(
        by for caller in callers(seed).values() for _, _, by in caller.picked_up if len(by) == 4 and by[0] == "1"
    )
    rings = built(seed)["rings"]
    assert Counter(ring["extension"] for ring in rings if ring["result"] == "answered") == expected
    assert len(expected) > 20


def test_phones_that_rang(seed: int) -> None:
    expected = Counter(
        leg["dstchannel_ext"]
        for leg in records(seed)
        if leg["dstchannel"] and leg["dstchannel_ext"].isdecimal() and leg["lastapp"] != "ForkCDR"
    )
    assert Counter(ring["extension"] for ring in built(seed)["rings"]) == expected


def test_menus(seed: int) -> None:
    entered: Counter[str] = Counter()
    heard = 0
    for caller in callers(seed).values():
        for leg in caller.menus:
            entered[leg["dst"]] += 1
            heard += at(leg, "end") - at(leg, "answer")
    steps = [step for step in built(seed)["steps"] if step["kind"] == "ivr"]
    assert Counter(step["target"] for step in steps) == entered
    assert sum(call["ivr_s"] for call in built(seed)["calls"]) == heard > 5000


def test_queues(seed: int) -> None:
    entered = answered = waited = 0
    for caller in callers(seed).values():
        if caller.queued:
            entered += 1
            talks = [leg for leg in caller.queued if leg["lastapp"] == "Queue" and leg["disposition"] == "ANSWERED"]
            first = min(at(leg, "start") for leg in caller.queued)
            did = [leg for leg in caller.legs if leg["lastdata"] == "ae"]
            first = (
                max([first, *(at(leg, "end") for leg in did)]) if caller.legs[0] in did and not caller.menus else first
            )
            later = [at(leg, "start") for leg in caller.legs if leg not in caller.queued and at(leg, "start") > first]
            if talks:
                answered += 1
                waited += at(talks[0], "answer") - first
            else:
                waited += min(later, default=caller.end) - first
    calls = built(seed)["calls"]
    assert sum(call["queue"] is not None for call in calls) == entered > 100
    steps = [step for step in built(seed)["steps"] if step["kind"] == "queue"]
    assert sum(step["result"] == "answered" for step in steps) == answered > 50
    assert sum(call["queue_s"] for call in calls) == waited


def test_voicemail(seed: int) -> None:
    expected = sum(at(leg, "end") - at(leg, "answer") for caller in callers(seed).values() for leg in caller.mailbox)
    assert sum(call["voicemail_s"] for call in built(seed)["calls"]) == expected > 500


def test_transfers(seed: int) -> None:
    expected = sum(leg["action_type"] == "TRANSFER" for leg in records(seed))
    assert sum(call["transfers"] for call in built(seed)["calls"]) == expected > 10
