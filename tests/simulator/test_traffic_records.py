"""Legs of generated calls: the shapes measured on genuine records."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from functools import cache
from random import Random

import pytest

from ucm_analytics import schema
from ucm_analytics.simulator.traffic import Story, clinic, generate
from ucm_analytics.simulator.traffic.day import Day, enter
from ucm_analytics.simulator.traffic.legs import legs_of
from ucm_analytics.simulator.traffic.plan import CallPlan, Ring
from ucm_analytics.simulator.traffic.site import ANALOG_LINE, MAIN_LINE
from ucm_analytics.simulator.traffic.wall_clock import WallClock

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 29)
RAW = {column.raw for column in schema.LEGS}


@cache
def month() -> tuple[Story, ...]:
    return tuple(generate(clinic(), first=FIRST, last=LAST))


def every_leg() -> list[dict[str, str]]:
    return [leg for story in month() for leg in story.call.legs]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_fields_are_known_and_text():
    for leg in every_leg():
        assert set(leg) <= RAW
        assert all(isinstance(value, str) for value in leg.values())
        assert leg["amaflags"] == "DOCUMENTATION"
        assert len(leg["lastdata"]) <= 255


def test_answer_and_end_follow_the_disposition():
    seen = Counter(leg["disposition"] for leg in every_leg())
    assert set(seen) == {"ANSWERED", "NO ANSWER", "BUSY", "FAILED"}
    for leg in every_leg():
        group = leg["action_type"].startswith("RINGGROUP")
        if leg["disposition"] == "NO ANSWER":
            assert leg["answer"] == leg["end"] != ""
        elif leg["disposition"] == "ANSWERED":
            assert leg["answer"] and leg["end"]
        elif leg["disposition"] == "BUSY" and group:
            assert leg["start"] == leg["answer"] == leg["end"]
        else:
            assert leg.get("answer", "") == leg.get("end", "") == ""
        if leg["disposition"] != "ANSWERED":
            assert leg["billsec"] == "0"
            assert not leg.get("dstanswer")


def test_durations_are_cut_not_rounded():
    clock_changes_at = datetime(2026, 3, 29, 1, 30)
    short = Counter()
    for leg in every_leg():
        if not leg.get("end") or leg["disposition"] == "BUSY" or instant(leg["end"]) > clock_changes_at:
            continue
        off = int(leg["duration"]) - round((instant(leg["end"]) - instant(leg["start"])).total_seconds())
        assert off in {0, -1}
        short[off] += 1
        if leg["disposition"] == "ANSWERED":
            seconds = round((instant(leg["end"]) - instant(leg["answer"])).total_seconds())
            assert int(leg["billsec"]) - seconds in {0, -1}
    assert short[-1] > short[0] / 4


def test_session_uniqueid_and_trunks_agree():
    for story in month():
        for leg in story.call.legs:
            assert leg["session"] == story.call.session
            if leg["action_type"] != "PARKEDCALL":
                assert leg["uniqueid"].partition(".")[0] == leg["session"][:10]
            inbound, outbound = bool(leg.get("src_trunk_name")), bool(leg.get("dst_trunk_name"))
            expected = {"Inbound": (True, False), "Outbound": (False, True), "External": (True, True)}
            assert expected.get(leg["userfield"], (False, False)) == (inbound, outbound)
            assert leg["action_type"] == "TRANSFER" or leg["action_owner"] == leg["src"]


def test_session_holds_unpadded_microseconds():
    lengths = Counter()
    for story in month():
        digits, _, caller = story.call.session.partition("-")
        assert caller
        assert float(digits[:10]) + int(digits[10:]) / 1e6 == pytest.approx(story.truth.started_at, abs=1e-6)
        assert digits[10] != "0" or len(digits) == 11
        lengths[len(digits) - 10] += 1
    assert lengths[6] > 2000
    assert lengths[5] > 100


def test_sessions_are_unique_and_in_start_order():
    stories = month()
    assert len({story.call.session for story in stories}) == len(stories)
    starts = [story.truth.started_at for story in stories]
    assert starts == sorted(starts)


def test_leg_keys_are_unique():
    keys = Counter(
        (leg["session"], leg["uniqueid"], leg["dstchannel"], leg["start"], leg["lastapp"], leg["dst"])
        for leg in every_leg()
    )
    assert keys.most_common(1)[0][1] == 1


def test_uniqueids_grow_until_the_restart_on_sunday():
    last: dict[int, int] = defaultdict(int)
    for story in month():
        epoch, _, sequence = story.call.legs[0]["uniqueid"].partition(".")
        if story.truth.flow == "retrieved":
            continue
        week = (story.call.start.date().toordinal()) // 7
        assert int(sequence) > last[week], epoch
        last[week] = int(sequence)
    assert len(last) >= 4


def test_legs_begin_in_order_and_end_before_the_record_is_there():
    for story in month():
        starts = [leg["start"] for leg in story.call.legs]
        assert starts[0] == str(story.call.start)
        assert story.call.ended_at >= story.truth.started_at
        if story.truth.flow != "clock_change":
            fronts = [leg["start"] for leg in story.call.legs if leg["lastapp"] not in {"Dial", "Queue"}]
            assert fronts == sorted(fronts)


def test_no_pressed_digit_appears_in_a_record():
    direct = [story for story in month() if any(len(key) == 1 for _, key in story.truth.keys)]
    assert len(direct) > 300
    for story in direct:
        for leg in story.call.legs:
            assert leg["lastdata"].startswith(
                ("are", "ae", "KEY,", "an-error", "PJSIP/", "DAHDI/", "65", "10", "default")
            ) or (leg["lastapp"] == "Hangup")


# Hand-worked calls: instants of genuine records, and the legs that the PBX wrote for them.

EPOCH = 1_767_600_000.0  # 2026-01-05 09:00:00 in Berlin


def quiet_day() -> Day:
    return Day(clinic(), WallClock("Europe/Berlin", date(2026, 1, 5)), Random(1), 100)


def shape(day: Day, plot: CallPlan) -> list[tuple[str, ...]]:
    fields = ("dst", "lastapp", "start", "answer", "end", "duration", "billsec", "disposition", "action_type")
    return [
        tuple(leg.get(name, "")[11:] if name in {"start", "answer", "end"} else leg.get(name, "") for name in fields)
        for leg in legs_of(day, plot)
    ]


def test_menu_on_the_analog_line_then_extension():
    day = quiet_day()
    plot = day.call(EPOCH + 0.144, "inbound", "12125550101", "7000", line=ANALOG_LINE)
    menu = enter(plot, "ivr", "7000", EPOCH + 12.2, "next")
    menu.left = EPOCH + 23.5
    rung = enter(plot, "extension", "1004", EPOCH + 23.5)
    rung.rang, rung.picked_up, rung.person, rung.left = EPOCH + 23.5, EPOCH + 27.6, "1004", EPOCH + 35.4
    plot.end(rung.left, "answered", "extension_answered")
    assert shape(day, plot) == [
        ("7000", "ForkCDR", "09:00:00", "09:00:12", "09:00:23", "23", "11", "ANSWERED", "IVR[7000]"),
        ("1004", "Dial", "09:00:23", "09:00:27", "09:00:35", "11", "7", "ANSWERED", "IVR[7000]"),
    ]


def test_number_dialled_is_forked_and_the_next_leg_keeps_its_start():
    day = quiet_day()
    plot = day.call(EPOCH + 0.162, "inbound", "12125550101", "12025550110", line=MAIN_LINE)
    plot.did, plot.did_until = "12025550110", EPOCH + 10.3
    rung = enter(plot, "extension", "1013", EPOCH + 10.3)
    rung.rang, rung.picked_up, rung.person, rung.left = EPOCH + 10.3, EPOCH + 13.9, "1013", EPOCH + 53.1
    plot.end(rung.left, "answered", "extension_answered")
    assert shape(day, plot) == [
        ("12025550110", "ForkCDR", "09:00:00", "09:00:10", "09:00:10", "10", "0", "NO ANSWER", "DIAL"),
        ("1013", "Dial", "09:00:00", "09:00:13", "09:00:53", "52", "39", "ANSWERED", "DIAL"),
    ]


def test_ring_group_winner_counts_ringing_and_losers_end_at_the_pick_up():
    day = quiet_day()
    plot = day.call(EPOCH + 0.24, "inbound", "12125550101", "12025550102", line=MAIN_LINE)
    plot.did, plot.did_until = "12025550102", EPOCH + 0.26
    group = enter(plot, "ring_group", "6400", EPOCH + 0.26)
    group.rang, group.picked_up, group.person, group.left = EPOCH + 9.3, EPOCH + 14.2, "1001", EPOCH + 380.1
    group.rings = [
        Ring("1000", EPOCH + 9.3, EPOCH + 14.2, "elsewhere"),
        Ring("1001", EPOCH + 9.3, EPOCH + 14.2, "answered"),
        Ring("1002", EPOCH + 9.3, EPOCH + 9.3, "busy"),
    ]
    plot.end(group.left, "answered", "group_answered")
    action = "RINGGROUP[6400]"
    assert shape(day, plot) == [
        ("12025550102", "ForkCDR", "09:00:00", "09:00:00", "09:00:00", "0", "0", "NO ANSWER", "DIAL"),
        ("6400", "ForkCDR", "09:00:00", "09:00:09", "09:00:09", "9", "0", "ANSWERED", action),
        ("1000", "Dial", "09:00:09", "09:00:14", "09:00:14", "4", "0", "NO ANSWER", action),
        ("1001", "Dial", "09:00:09", "09:00:09", "09:06:20", "370", "370", "ANSWERED", action),
        ("1002", "Dial", "09:00:09", "09:00:09", "09:00:09", "370", "0", "BUSY", action),
    ]


def test_busy_leg_runs_until_the_caller_has_left_the_mailbox():
    day = quiet_day()
    plot = day.call(EPOCH + 0.357, "inbound", "12125550101", "1004", line=MAIN_LINE)
    rung = enter(plot, "extension", "1004", plot.started, "busy")
    rung.rang, rung.left = plot.started, EPOCH + 16.2
    box = enter(plot, "voicemail", "1004", EPOCH + 16.2, "b")
    box.left = EPOCH + 38.5
    plot.end(box.left, "voicemail", "extension_declined")
    plot.number = 1
    assert shape(day, plot) == [
        ("1004", "Dial", "09:00:00", "", "", "38", "0", "BUSY", "DIAL"),
        ("1004", "VoiceMail", "09:00:16", "09:00:16", "09:00:38", "22", "22", "ANSWERED", "VM"),
    ]


def test_queue_writes_a_holding_leg_and_one_leg_a_rung_agent():
    day = quiet_day()
    plot = day.call(EPOCH + 0.1, "inbound", "12125550101", "12025550101", line=MAIN_LINE)
    plot.did, plot.did_until = "12025550101", EPOCH + 0.1
    queue = enter(plot, "queue", "6500", EPOCH + 0.1)
    queue.rang, queue.picked_up, queue.person, queue.left = EPOCH + 5.5, EPOCH + 30.2, "1001", EPOCH + 90.7
    queue.rings = [
        Ring("1000", EPOCH + 6.0, EPOCH + 21.0, "missed"),
        Ring("1001", EPOCH + 23.4, EPOCH + 30.2, "answered"),
    ]
    plot.end(queue.left, "answered", "queue_answered")
    legs = legs_of(day, plot)
    assert [leg["dstchannel_ext"] for leg in legs] == ["12025550101", "6500", "6500", "1000", "1001"]
    assert [leg.get("dstanswer", "") for leg in legs] == ["", "6500", "", "", "1001"]
    assert {leg["dst"] for leg in legs[1:]} == {"6500"}
    assert [(leg["answer"][11:], leg["end"][11:], leg["billsec"]) for leg in legs[2:]] == [
        ("09:00:30", "09:00:30", "0"),
        ("09:00:21", "09:00:21", "0"),
        ("09:00:30", "09:01:30", "60"),
    ]


def test_retrieved_call_carries_the_retrievers_session_and_the_callers_uniqueid():
    parked = [story for story in month() if story.truth.flow == "parked"]
    retrieved = [story for story in month() if story.truth.flow == "retrieved"]
    assert len(parked) == len(retrieved) >= 5
    uniqueids = {story.call.legs[0]["uniqueid"]: story for story in parked}
    for story in retrieved:
        taken, own = story.call.legs
        caller = uniqueids[taken["uniqueid"]]
        assert taken["src"] == caller.truth.caller == story.truth.caller
        assert taken["session"].endswith(f"-{story.truth.answered_by}")
        assert taken["channel"] == caller.call.legs[-1]["channel"]
        assert taken["start"] == caller.call.legs[-1]["end"]
        assert own["lastapp"] == "ParkedCall"
        assert story.truth.forward_of == caller.call.session
        assert own["dst"] == caller.call.legs[-1]["dst"]
        assert caller.call.ended_at == pytest.approx(story.call.ended_at)


def test_transfers_have_a_new_uniqueid_in_the_same_session():
    transfers = [story for story in month() if " > transfer:" in story.truth.path]
    assert len(transfers) > 50
    for story in transfers:
        *before, leg = story.call.legs
        assert leg["action_type"] == "TRANSFER"
        assert leg["uniqueid"] not in {other["uniqueid"] for other in before}
        assert leg["dcontext"] == "from-internal-xfer"
        if leg["disposition"] == "ANSWERED":
            assert leg["answer"] == leg["start"]


def test_forward_overlaps_the_leg_of_its_extension():
    stories = {story.call.session: story for story in month()}
    forwards = [story for story in month() if story.truth.flow == "follow_me_leg"]
    assert len(forwards) > 20
    for story in forwards:
        parent = stories[story.truth.forward_of or ""]
        (rung,) = [
            leg for leg in parent.call.legs if leg["dst"] in {"1013", "1014", "1015"} and leg["lastapp"] == "Dial"
        ]
        (leg,) = story.call.legs
        assert leg["action_type"] == f"FOLLOWME[{rung['dst']}]"
        assert leg["src"] == parent.truth.caller
        assert rung["disposition"] == "NO ANSWER"
        assert rung["start"] < leg["start"] < rung["end"]
        assert rung["end"] == leg["answer"]


def test_recordings_are_named_by_epoch_and_parties():
    names = [leg for leg in every_leg() if leg.get("recordfiles")]
    assert len(names) > 100
    for leg in names:
        folder, _, name = leg["recordfiles"].rstrip("@").partition("/")
        assert folder == leg["start"][:7]
        assert name.startswith("auto-")
        assert name.endswith(".wav")
        if "#" not in name:
            seconds = int(leg["recordfiles_desc"].partition("duration=")[2].partition(",")[0])
            assert 0 <= seconds - int(leg["billsec"]) <= 1
