"""What the PBX says about itself, through the simulated one."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest

from tests.sources.pbxs import DAY, Session, call, session, stub
from ucm_analytics.errors import RequestRejected, UnexpectedAnswer
from ucm_analytics.simulator import Call, Simulator, Site
from ucm_analytics.simulator.records import Extension, InboundRoute, Ivr, Key, Queue, RingGroup, Trunk
from ucm_analytics.sources.ucm import lists

SITE = Site(
    name="Example",
    timezone="Europe/Berlin",
    extensions=tuple(Extension(f"{1000 + n}", f"Phone {n}") for n in range(230)),
    queues=(Queue("6500", "Reception", "ringall", ("1000", "1001")),),
    ivrs=(Ivr(1, "7000", "Main", (Key("1", "member_queue", "6500"), Key("timeout", "member_prompt", "bye"))),),
    ring_groups=tuple(RingGroup(f"{6400 + n}", f"Group {n}", ("1000", "1001")) for n in range(101)),
    trunks=(Trunk(1, "Example Trunk", "192.0.2.20"),),
    inbound_routes=(InboundRoute(1, 1, "12025550100", "ivr", "7000"),),
)


def test_lists_walk_all_pages() -> None:
    with Simulator(site=SITE) as pbx, session(pbx) as ucm:
        found = lists.accounts(ucm)
        assert [one["extension"] for one in found] == [f"{1000 + n}" for n in range(230)]
        assert [params["page"] for action, params in pbx.requests if action == "listAccount"] == [1, 2, 3]


def test_site() -> None:
    with Simulator(site=SITE) as pbx, session(pbx) as ucm:
        assert [(q["extension"], q["members"]) for q in lists.queues(ucm)] == [("6500", "1000,1001")]
        groups = lists.ring_groups(ucm)
        assert (len(groups), groups[100]["ringgroup_name"], groups[0]["members"]) == (101, "Group 100", "1000,1001")
        assert [(i["ivr_id"], i["extension"]) for i in lists.ivrs(ucm)] == [(1, "7000")]
        assert [t["trunk_name"] for t in lists.voip_trunks(ucm)] == ["Example Trunk"]
        (route,) = lists.inbound_routes(ucm, 1)
        assert (route["destination_type"], route["ivr"]) == ("ivr", "7000")
        menu = lists.ivr_menu(ucm, 1)
        assert menu["ivr_name"] == "Main"
        assert menu["members"] == [
            {"keypress": "1", "keypress_event": "member_queue", "member_queue": "6500"},
            {"keypress": "timeout", "keypress_event": "member_prompt", "member_prompt": "bye"},
        ]
        with pytest.raises(RequestRejected, match="no such item"):
            lists.ivr_menu(ucm, 99)


def test_system() -> None:
    with Simulator(clock=lambda: 1_772_438_400.0) as pbx, session(pbx) as ucm:
        assert lists.system_status(ucm)["system-time"] == "02-03-2026 08:00:00 UTC+00:00"
        assert lists.system_general_status(ucm)["product-model"].startswith("UCM63")


def test_live_calls() -> None:
    """A call of 60 s seen at its 30th second."""
    leg = {**call(1, DAY).legs[0], "channel": "PJSIP/1000-00000001", "billsec": "60", "duration": "60"}
    leg |= {"end": "2026-03-02 00:01:00"}
    epoch = DAY.replace(tzinfo=UTC).timestamp()
    live = Call(session=leg["session"], start=DAY, legs=(leg,), ended_at=epoch + 60)
    with Simulator([live], clock=lambda: epoch + 30) as pbx, session(pbx) as ucm:
        assert lists.current_calls(ucm) == 1
        (channel,) = lists.bridged_channels(ucm)
        assert channel["callerid1"] == "12025550142"
        assert lists.unbridged_channels(ucm) == []
    with Simulator([live], clock=lambda: epoch + 90) as pbx, session(pbx) as ucm:
        assert lists.current_calls(ucm) == 0
        assert lists.bridged_channels(ucm) == []


def queued() -> Call:
    made = call(1, DAY)
    leg = {**made.legs[0], "lastapp": "Queue", "action_type": "QUEUE[6500]", "dstchannel_ext": "1001"}
    leg |= {"recordfiles": "2026-03/q6500-x.wav@", "duration": "13", "billsec": "10"}
    return Call(session=made.session, start=DAY, legs=(leg,), ended_at=made.ended_at)


def test_queue_statistics() -> None:
    with Simulator([queued()]) as pbx, session(pbx) as ucm:
        (detail,) = lists.queue_statistics(ucm, "calldetail", date(2026, 3, 2), date(2026, 3, 2))
        assert detail["agent"]["extension"] == "6500"
        assert (detail["agent"]["agent"], detail["agent"]["talk_time"]) == ("1001", "10")
        kinds = [next(iter(one)) for one in lists.queue_statistics(ucm, "overview", date(2026, 3, 2), date(2026, 3, 2))]
        assert kinds == ["total", "queue", "agent"]
        assert lists.queue_statistics(ucm, "calldetail", date(2026, 3, 1), date(2026, 3, 1)) == []
        assert lists.queue_statistics(ucm, "calldetail", date(2026, 3, 2), date(2026, 3, 2), queue="6501") == []


def test_recordings() -> None:
    with Simulator([queued()]) as pbx, session(pbx) as ucm:
        assert lists.recording_folders(ucm) == ["monitor", "queue"]
        assert lists.recording_files(ucm, "queue") == ["q6500-x.wav"]
        assert lists.recording_files(ucm, "monitor") == []
        assert lists.recording(ucm, "queue", "q6500-x.wav")[:4] == b"RIFF"
        for folder, name in (("queue", "2026-03/q6500-x.wav"), ("monitor", "q6500-x.wav"), ("no", "q6500-x.wav")):
            with pytest.raises(RequestRejected) as caught:
                lists.recording(ucm, folder, name)
            assert caught.value.status == -25
        assert lists.recordings_of_leg(ucm, 1) == ["2026-03/q6500-x.wav"]
        assert lists.recordings_of_leg(ucm, 2) == []


@pytest.mark.parametrize(
    ("response", "says"),
    [
        ({"account": [{"extension": "1000"}], "total_item": 2, "total_page": 1}, "promised 2 items and gave 1"),
        ({"account": [], "total_item": 1, "total_page": 9}, "promised 1 items and gave 0"),
        ({"accounts": []}, "unknown shape"),
        ({"account": "none"}, "unknown shape"),
    ],
)
def test_a_list_is_never_short(response: dict[str, Any], says: str, tmp_path: Path) -> None:
    def answer(action: str, params: Any) -> Any:
        return {"response": response, "status": 0} if action == "listAccount" else None

    with (
        stub(tmp_path, answer) as pbx,
        Session(pbx.url, fingerprint=pbx.fingerprint) as ucm,
        pytest.raises(UnexpectedAnswer, match=says),
    ):
        lists.accounts(ucm)


@pytest.mark.parametrize(
    ("ask", "answered"),
    [
        (lists.current_calls, {"response": {}, "status": 0}),
        (lambda ucm: lists.ivr_menu(ucm, 1), {"response": {"ivr": "none"}, "status": 0}),
        (lambda ucm: lists.queue_statistics(ucm, "overview", DAY, DAY), {"other": []}),
        (lambda ucm: lists.recording(ucm, "monitor", "a.wav"), (200, b"Filename\n")),
    ],
)
def test_foreign_answers(ask: Any, answered: Any, tmp_path: Path) -> None:
    def answer(action: str, params: Any) -> Any:
        return None if action in ("challenge", "login", "logout") else answered

    with (
        stub(tmp_path, answer) as pbx,
        Session(pbx.url, fingerprint=pbx.fingerprint) as ucm,
        pytest.raises(UnexpectedAnswer),
    ):
        ask(ucm)


def test_answers_without_counts_and_older_names(tmp_path: Path) -> None:
    answers: dict[str, Any] = {
        "listIVR": {"response": {"ivr": [{"ivr_id": 1}]}, "status": 0},
        "getIVR": {"response": {"ivr_name": "Main", "members": [{"keypress": "1"}]}, "status": 0},
        "queueapi": {"root_statistics": {"total": {"total_calls": "1"}}},
    }
    with (
        stub(tmp_path, lambda action, params: answers.get(action)) as pbx,
        Session(pbx.url, fingerprint=pbx.fingerprint) as ucm,
    ):
        assert lists.ivrs(ucm) == [{"ivr_id": 1}]
        assert lists.ivr_menu(ucm, 1)["members"] == [{"keypress": "1"}]
        statistics = lists.queue_statistics(ucm, "overview", date(2026, 3, 2), date(2026, 3, 2))
        assert statistics == [{"total": {"total_calls": "1"}}]
