"""The truth beside generated calls, and the rhythm in which they come."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest

from ucm_analytics import schema
from ucm_analytics.errors import SettingError
from ucm_analytics.simulator.traffic import FLOWS, Story, clinic, generate, write_truth
from ucm_analytics.simulator.traffic.day import Day, enter
from ucm_analytics.simulator.traffic.rhythm import holidays
from ucm_analytics.simulator.traffic.site import MAIN_LINE
from ucm_analytics.simulator.traffic.truth import truth_of
from ucm_analytics.simulator.traffic.wall_clock import WallClock

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 29)


@cache
def month() -> tuple[Story, ...]:
    return tuple(generate(clinic(), first=FIRST, last=LAST))


def days(stories: Iterable[Story]) -> Counter[date]:
    return Counter(story.call.start.date() for story in stories)


def test_same_seed_same_calls():
    again = tuple(generate(clinic(), first=date(2026, 3, 2), last=date(2026, 3, 4)))
    assert again == tuple(story for story in month() if story.call.start.date() <= date(2026, 3, 4))
    other = tuple(generate(clinic(), first=date(2026, 3, 2), last=date(2026, 3, 4), seed=2))
    assert {story.call.session for story in other}.isdisjoint({story.call.session for story in again})


def test_a_day_does_not_depend_on_the_days_around_it():
    alone = tuple(generate(clinic(), first=date(2026, 3, 11), last=date(2026, 3, 11)))
    assert alone == tuple(story for story in month() if story.call.start.date() == date(2026, 3, 11))


def test_every_flow_occurs_in_four_weeks():
    assert set(FLOWS) == {story.truth.flow for story in month()}


def test_vocabulary_is_the_schemas():
    for story in month():
        truth = story.truth
        assert truth.direction in schema.DIRECTIONS
        assert truth.outcome in schema.OUTCOMES
        assert truth.ended_in in schema.STEP_KINDS
        kinds = [step.partition(":")[0] for step in truth.path.split(" > ")]
        assert set(kinds) <= set(schema.STEP_KINDS)
        assert kinds[-1] == truth.ended_in
    outcomes = {story.truth.outcome for story in month()}
    assert outcomes == set(schema.OUTCOMES)
    assert {story.truth.direction for story in month()} == set(schema.DIRECTIONS) - {"unknown"}


def test_truth_is_consistent():
    for story in month():
        truth = story.truth
        length = story.call.ended_at - truth.started_at
        parts = truth.ivr_s + truth.queue_s + truth.ring_s + truth.talk_s + truth.voicemail_s
        assert parts <= length + 3
        assert truth.ring_s <= truth.wait_s + 1
        assert min(truth.wait_s, truth.ivr_s, truth.queue_s, truth.talk_s, truth.voicemail_s) >= 0
        if truth.outcome == "answered":
            assert truth.answered_by
            assert truth.answered_at is not None
            assert truth.wait_s == pytest.approx(truth.answered_at - truth.started_at, abs=0.51)
        else:
            assert truth.answered_by is truth.answered_at is None
            assert truth.talk_s == 0
            assert (truth.outcome == "voicemail") == (truth.voicemail_s > 0)


def test_outcomes_fit_the_direction():
    for story in month():
        truth = story.truth
        if truth.outcome == "abandoned":
            assert truth.direction == "inbound" or truth.ended_in in ("ivr", "queue")
        if truth.outcome == "no_answer":
            assert truth.direction in {"outbound", "internal", "external"}
        if truth.direction in {"outbound", "external"}:
            assert truth.path.startswith(f"external:{truth.callee}")


def test_talk_and_wait_show_in_the_records_where_they_can():
    plain = {"extension_answered", "outbound_answered", "internal_answered", "trunk_to_trunk", "night_call"}
    checked = 0
    for story in month():
        if story.truth.flow not in plain:
            continue
        (leg,) = [leg for leg in story.call.legs if leg["lastapp"] == "Dial"]
        assert abs(int(leg["billsec"]) - story.truth.talk_s) <= 1
        waited = datetime.fromisoformat(leg["answer"]) - story.call.start
        assert abs(waited.total_seconds() - story.truth.wait_s) <= 1
        assert leg["dstanswer"] == story.truth.answered_by
        checked += 1
    assert checked > 500


def test_hidden_pick_ups_are_marked():
    hidden = [story for story in month() if not story.truth.exact_pickup]
    kinds = Counter(story.truth.flow for story in hidden)
    assert kinds["turns_answered"] > 5
    assert kinds["blind_transfer"] > 10
    assert kinds["extension_answered"] == kinds["queue_answered"] == 0
    for story in month():
        if story.truth.flow == "group_answered":
            losers = [leg for leg in story.call.legs if leg["disposition"] == "NO ANSWER" and leg["lastapp"] == "Dial"]
            assert story.truth.exact_pickup == bool(losers)


def test_keys_lead_where_the_caller_went():
    targets = {(menu.extension, key.keypress): key.target for menu in clinic().ivrs for key in menu.keys}
    chosen = 0
    for story in month():
        steps = [step.partition(":")[2] for step in story.truth.path.split(" > ")]
        for menu, key in story.truth.keys:
            if (menu, key) in targets:
                assert targets[menu, key] in steps
                chosen += 1
            else:
                assert len(key) == 4 or story.truth.path.startswith("ivr:7000")
    assert chosen > 300


def test_hand_worked_call():
    day = Day(clinic(), WallClock("Europe/Berlin", date(2026, 1, 5)), Random(1), 100)
    begun = 1_767_600_000.0
    plot = day.call(begun, "inbound", "12125550101", "12025550100", line=MAIN_LINE)
    plot.did, plot.did_until = "12025550100", begun + 0.5
    menu = enter(plot, "ivr", "7000", begun + 0.5, "next")
    menu.left = begun + 10.0
    queue = enter(plot, "queue", "6500", begun + 10.0)
    queue.picked_up, queue.person, queue.left = begun + 42.4, "1001", begun + 100.0
    sent = enter(plot, "transfer", "1007", begun + 100.0, "blind")
    sent.rang, sent.picked_up, sent.person, sent.left = begun + 100.0, begun + 108.0, "1007", begun + 128.0
    plot.end(begun + 128.0, "answered", "blind_transfer")
    truth = truth_of(plot)
    assert truth.path == "ivr:7000 > queue:6500 > transfer:1007"
    assert (truth.outcome, truth.ended_in, truth.answered_by) == ("answered", "transfer", "1001")
    assert truth.answered_at == begun + 42.4
    assert (truth.wait_s, truth.ring_s, truth.ivr_s, truth.queue_s) == (42, 0, 10, 32)
    assert (truth.talk_s, truth.voicemail_s) == (78, 0)


def test_mailbox_ends_the_wait():
    day = Day(clinic(), WallClock("Europe/Berlin", date(2026, 1, 5)), Random(1), 100)
    begun = 1_767_600_000.0
    plot = day.call(begun, "internal", "1001", "1004")
    rung = enter(plot, "extension", "1004", begun, "no_answer")
    rung.rang, rung.left = begun, begun + 30.2
    box = enter(plot, "voicemail", "1004", begun + 30.2, "u")
    box.left = begun + 50.0
    plot.end(box.left, "voicemail", "internal_mailbox")
    truth = truth_of(plot)
    assert (truth.wait_s, truth.ring_s, truth.voicemail_s, truth.talk_s) == (30, 30, 20, 0)
    assert (truth.path, truth.answered_by) == ("extension:1004 > voicemail:1004", None)


def test_follow_me_reaches_the_caller_by_the_mobile():
    forwards = {story.truth.forward_of: story.truth for story in month() if story.truth.flow == "follow_me_leg"}
    reached = [story.truth for story in month() if story.truth.flow == "follow_me"]
    assert len(reached) > 10
    for truth in reached:
        forward = forwards[truth.session]
        assert truth.answered_by == forward.answered_by == forward.callee
        assert truth.answered_at == forward.answered_at
        assert truth.talk_s == forward.talk_s
        assert truth.wait_s > forward.wait_s
        assert forward.path == f"external:{forward.callee}"


def test_weekdays_come_near_the_mean_asked_for():
    counts = days(month())
    weekdays = [counts[FIRST + timedelta(days=n)] for n in range(28) if (FIRST + timedelta(days=n)).weekday() < 5]
    assert 110 <= sum(weekdays) / len(weekdays) <= 130
    saturdays = [counts[date(2026, 3, day)] for day in (7, 14, 21, 28)]
    assert 15 <= min(saturdays) <= max(saturdays) <= 60
    assert 0 < counts[date(2026, 3, 8)] <= 15


def test_busiest_hour_is_nine_and_lunch_is_quiet():
    hours = Counter(story.call.start.hour for story in month() if story.call.start.weekday() < 5)
    assert hours.most_common(1)[0][0] == 9
    assert hours[12] < hours[11] / 1.7
    assert 0 < sum(hours[hour] for hour in (*range(8), *range(18, 24))) < sum(hours.values()) * 0.06


def test_holidays_are_closed():
    assert {date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 14), date(2026, 5, 25)} <= holidays(2026)
    assert date(2025, 4, 18) in holidays(2025)
    assert date(2025, 4, 21) in holidays(2025)
    good_friday = tuple(generate(clinic(), first=date(2026, 4, 3), last=date(2026, 4, 3)))
    assert len(good_friday) <= 15


def test_abandoned_callers_call_again():
    again = 0
    abandoned: dict[str, float] = {}
    for story in month():
        truth = story.truth
        number = truth.callee if truth.direction == "outbound" else truth.caller
        if number in abandoned and truth.started_at - abandoned[number] < 3600:
            again += 1
        if truth.outcome == "abandoned":
            abandoned[number] = truth.started_at
    assert again > 15


def test_calls_run_over_midnight():
    over = [story for story in month() if any(leg.get("end", "")[:10] > leg["start"][:10] for leg in story.call.legs)]
    assert len(over) >= 2
    assert all(story.truth.talk_s > 60 for story in over)


def test_spring_skips_an_hour():
    night = [story for story in month() if story.truth.flow == "clock_change"]
    assert len(night) == 3
    assert [story.call.start.strftime("%H:%M") for story in night] == ["01:09", "01:44", "03:10"]
    through = night[1].call.legs[-1]
    assert (through["answer"][11:16], through["end"][11:16]) == ("01:45", "03:15")
    assert through["billsec"] == "1800"


def test_autumn_has_an_hour_twice():
    stories = tuple(generate(clinic(), first=date(2026, 10, 25), last=date(2026, 10, 25)))
    night = [story for story in stories if story.truth.flow == "clock_change"]
    assert [story.call.start.strftime("%H:%M") for story in night] == ["02:09", "02:44", "02:10"]
    epochs = [story.truth.started_at for story in night]
    assert epochs[2] - epochs[0] == 3601.0
    through = night[1].call.legs[-1]
    assert (through["answer"][11:16], through["end"][11:16]) == ("02:45", "02:15")


def test_wall_times_follow_the_zone():
    (story, *_) = generate(clinic("America/New_York"), first=date(2026, 7, 1), last=date(2026, 7, 1))
    utc = datetime.fromtimestamp(int(story.truth.started_at), UTC)
    assert story.call.start == utc.replace(tzinfo=None) - timedelta(hours=4)


def test_large_sites_keep_their_mix():
    stories = tuple(generate(clinic(), first=date(2026, 3, 3), last=date(2026, 3, 3), calls_per_day=2000))
    assert 1800 <= len(stories) <= 2400
    share = Counter(story.truth.outcome for story in stories)["answered"] / len(stories)
    assert 0.55 < share < 0.85


def test_no_calls_asked_for_are_none():
    assert list(generate(clinic(), first=FIRST, last=LAST, calls_per_day=0)) == []


def test_impossible_periods_and_zones_are_refused():
    with pytest.raises(SettingError, match="before the first"):
        next(generate(clinic(), first=LAST, last=FIRST))
    with pytest.raises(SettingError, match="no time zone"):
        next(generate(clinic("Europe/Nowhere"), first=FIRST, last=FIRST))
    with pytest.raises(SettingError, match="not possible"):
        next(generate(clinic(), first=FIRST, last=FIRST, calls_per_day=-1))


def test_truth_is_written_as_lines(tmp_path: Path):
    path = write_truth(iter(month()[:50]), tmp_path / "truth")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert path.name == "calls.jsonl"
    assert len(lines) == 50
    first = json.loads(lines[0])
    assert first["session"] == month()[0].call.session
    assert list(first)[:3] == ["session", "started_at", "direction"]


def test_site_has_what_the_clinic_needs():
    site = clinic()
    assert len(site.extensions) == 30
    assert [menu.extension for menu in site.ivrs] == ["7000", "7001"]
    assert [queue.extension for queue in site.queues] == ["6500", "6501"]
    numbers = {extension.number for extension in site.extensions}
    for members in [queue.members for queue in site.queues] + [group.members for group in site.ring_groups]:
        assert set(members) <= numbers
