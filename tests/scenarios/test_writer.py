"""A stored call becomes a story that reads back the same, and says nothing of anybody."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from tests.scenarios.conftest import Story, read_story
from tests.scenarios.test_scenarios import STORIES, plain, rows
from ucm_analytics import model
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.legs import legs_table
from ucm_analytics.scenario import story_of, write_scenario
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.store import Store

ZONE = ZoneInfo("Europe/Berlin")
NUMBERS = ("dwell_s", "wait_s", "talk_s", "phones", "legs", "kind", "result")
SECONDS = ("wait_s", "ring_s", "ivr_s", "queue_s", "talk_s", "voicemail_s", "duration_s", "transfers", "steps", "legs")
SAME = (*SECONDS, "direction", "outcome", "ended_in", "exact_pickup", "is_forward")


@pytest.fixture(scope="module")
def traffic() -> list:
    return list(generate(clinic(), first=date(2026, 3, 16), last=date(2026, 3, 27), calls_per_day=80, seed=5))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, traffic: list) -> Store:
    legs, number = [], 0
    for story in traffic:
        for leg in story.call.legs:
            number += 1
            legs.append({"AcctId": str(number), **leg})
    store = Store(tmp_path_factory.mktemp("writer") / "store")
    store.add(legs_table(legs, pbx="clinic"), pbx="clinic", zone=ZONE)
    return store


def read(text: str, folder: Path) -> tuple[Story, model.ModelTables]:
    path = folder / "story.txt"
    path.write_text(text, encoding="utf-8")
    story = read_story(path)
    return story, model.build(legs_table(story.legs, pbx="clinic"), zone=story.zone)


def tells(story: Story, built: model.ModelTables) -> None:
    for expected, call in zip(story.calls, built.calls.to_pylist(), strict=True):
        assert {name: plain(call[name]) for name in expected} == expected
    assert rows(built.steps, list(story.steps[0])) == story.steps
    assert rows(built.rings, list(story.rings[0])) == story.rings if story.rings else built.rings.num_rows == 0


def test_flows_read_back_and_say_nothing_of_anybody(store: Store, traffic: list, tmp_path: Path) -> None:
    flows = {story.truth.flow: story for story in traffic}
    assert len(flows) > 25
    calls = store.calls().set_index("call_id")
    steps = store.steps()
    continued = {flow for flow, told in flows.items() if told.truth.forward_of}
    for flow in sorted({*sorted(flows)[::4], *continued}):
        told = flows[flow]
        session = told.truth.session
        text = write_scenario(store, session)
        story, built = read(text, tmp_path)
        tells(story, built)
        # the masked call is the call: who is masked, what happened is not
        family = [session]
        if told.truth.forward_of:
            family.insert(0, told.truth.forward_of)
        family += [c for c in calls.index[calls["forward_of"] == family[0]] if c not in family]
        found = {call["call_id"]: call for call in built.calls.to_pylist()}
        assert len(found) == len(family), flow
        for call_id, call in zip(
            sorted(family, key=lambda c: (calls.loc[c, "started_at"], c)), found.values(), strict=True
        ):
            stored = calls.loc[call_id]
            assert {name: call[name] for name in SAME} == {name: stored[name] for name in SAME}, flow
            assert f"{call['local_at']:%H:%M:%S}" == f"{stored['local_at']:%H:%M:%S}"
            own = steps[steps["call_id"] == call_id]
            masked = [step for step in built.steps.to_pylist() if step["call_id"] == call["call_id"]]
            assert [{n: step[n] for n in NUMBERS} for step in masked] == own[list(NUMBERS)].to_dict("records"), flow
        for call_id in family:
            for leg in next(s for s in traffic if s.truth.session == call_id).call.legs:
                secrets = {found for value in leg.values() for found in re.findall(r"\d{7,}", value)}
                secrets |= {leg.get(name, "") for name in ("caller_name", "src_trunk_name", "dst_trunk_name")} - {""}
                secrets |= set(re.findall(r"/([^@/]+\.wav)", leg.get("recordfiles", "")))
                for secret in secrets:
                    if not re.fullmatch(r"1202555\d{4}|0+[0-9a-f]*", secret):
                        assert secret not in text, (flow, secret)
        assert "192.0.2." not in text and "sip:" not in text


def test_a_night_of_another_hour_keeps_its_date(tmp_path: Path) -> None:
    for name in ("autumn_night_menu_then_phone", "spring_night_menu_then_phone", "autumn_night_second_hour"):
        path = next(path for path in STORIES if path.stem == name)
        original = read_story(path)
        store = Store(tmp_path / name)
        store.add(legs_table(original.legs, pbx="clinic"), pbx="clinic", zone=ZONE)
        story, built = read(write_scenario(store, original.legs[0]["session"]), tmp_path)
        tells(story, built)
        assert story.zone == ZONE
        assert story.legs[0]["start"] == original.legs[0]["start"]
        expected = original.calls[0]
        assert {name: story.calls[0][name] for name in expected if name in story.calls[0]} == {
            name: value for name, value in expected.items() if name in story.calls[0]
        }


def test_summer_moves_to_winter_with_its_wall_time_and_a_wrong_clock_stays_wrong(tmp_path: Path) -> None:
    original = read_story(next(path for path in STORIES if path.stem == "clock_hour_behind"))
    store = Store(tmp_path / "store")
    store.add(legs_table(original.legs, pbx="clinic"), pbx="clinic", zone=ZONE)
    story, built = read(write_scenario(store, original.legs[0]["session"]), tmp_path)
    tells(story, built)
    assert story.legs[0]["start"] == "2026-03-10 08:00:00"
    assert story.calls[0]["local_at"] == "2026-03-10 08:00:00"
    # an hour behind its zone in summer, an hour behind it in winter
    assert original.calls[0]["utc_offset_s"] == "3600" and story.calls[0]["utc_offset_s"] == "0"


@pytest.mark.parametrize("path", STORIES[::4], ids=lambda path: path.stem)
def test_a_story_can_be_written_again(path: Path, tmp_path: Path) -> None:
    original = read_story(path)
    story, built = read(story_of(legs_table(original.legs, pbx="clinic"), zone=original.zone), tmp_path)
    tells(story, built)
    for ours, theirs in zip(story.calls, original.calls, strict=True):
        unmasked = [name for name in theirs if name in SAME and name in ours]
        assert {name: ours[name] for name in unmasked} == {name: theirs[name] for name in unmasked}


def test_no_such_call(store: Store) -> None:
    with pytest.raises(NoData, match="17731296001-1001"):
        write_scenario(store, "17731296001-1001")


def test_the_same_call_on_two_pbxs(tmp_path: Path) -> None:
    legs = read_story(STORIES[0]).legs
    store = Store(tmp_path)
    for pbx in ("north", "south"):
        store.add(legs_table(legs, pbx=pbx), pbx=pbx, zone=ZONE)
    with pytest.raises(SettingError, match="north, south"):
        write_scenario(store, legs[0]["session"])
    assert isinstance(write_scenario(store, legs[0]["session"], pbx="north"), str)


def test_names_in_any_field_are_masked(tmp_path: Path) -> None:
    leg = {
        **read_story(Path(__file__).with_name("direct_answered.txt")).legs[0],
        "src": "Zaphod",
        "dst": "004915155501234",
        "dstanswer": "004915155501234",
        "dstchannel": "PJSIP/004915155501234-00000a02",
        "new_src": "4915155501234",
        "clid": '"Zaphod Beeblebrox" <Zaphod>',
        "caller_name": "Zaphod Beeblebrox",
        "channel": "PJSIP/heartofgold-00000a01",
        "channel_ext": "trunk_heartofgold",
        "src_trunk_name": "Heart of Gold",
        "lastdata": "PJSIP/1004/sip:zaphod@198.51.100.7:5060,60,",
        "action_type": "IVR[7000]NAME[Betelgeuse | Five]",
        "recordfiles": "2026-03/auto-1773129600-Zaphod-4915155501234.wav@",
        "session": "1773129600123-Zaphod",
        "device_info": "Towel 42",
    }
    store = Store(tmp_path / "store")
    store.add(pa.concat_tables([legs_table([leg], pbx="clinic")]), pbx="clinic")
    text = write_scenario(store, leg["session"])
    for secret in ("zaphod", "heart", "gold", "betelgeuse", "198.51", "towel", "4915155501234"):
        assert secret not in text.lower()
    story, built = read(text, tmp_path)
    tells(story, built)
    assert story.zone is None
    assert story.legs[0]["session"].endswith(story.legs[0]["src"])
