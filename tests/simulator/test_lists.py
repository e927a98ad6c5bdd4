"""The other actions: lists, menus, status, live calls, queues, recordings."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest

from tests.simulator.pbx import call, connected, epoch, leg
from ucm_analytics.simulator import Simulator, Site
from ucm_analytics.simulator.records import Extension, InboundRoute, Ivr, Key, Queue, RingGroup, Trunk

SITE = Site(
    name="Clinic",
    timezone="Europe/Berlin",
    extensions=tuple(Extension(str(1000 + n), f"Person {n}") for n in range(35)),
    queues=(Queue("6500", "Reception", "ringall", ("1000", "1001")),),
    ivrs=(Ivr(1, "7000", "Main", (Key("1", "member_queue", "6500"), Key("timeout", "member_prompt", "goodbye"))),),
    ring_groups=(RingGroup("6400", "Desk", ("1002", "1003")),),
    trunks=(Trunk(1, "TelcoA", "192.0.2.20"), Trunk(2, "TelcoB", "192.0.2.21")),
    inbound_routes=(
        InboundRoute(1, 1, "12025550100", "ivr", "7000"),
        InboundRoute(2, 2, "12025550101", "ringgroup", "6400"),
    ),
)


def ask(action: str, **params: Any) -> Any:
    with connected(Simulator(site=SITE)) as asker:
        return asker.ask(action, **params)


def test_accounts() -> None:
    answer = ask("listAccount")
    assert list(answer) == ["response", "status"]
    response = answer["response"]
    assert list(response) == ["account", "total_item", "total_page", "page"]
    assert (len(response["account"]), response["total_item"], response["total_page"]) == (30, 35, 2)
    assert list(response["account"][0]) == [
        *("extension", "account_type", "fullname", "out_of_service", "status", "addr", "urgemsg", "newmsg"),
        *("oldmsg", "lockflag", "presence_status", "presence_def_script", "user_name", "email_to_user"),
        "enable_contact",
    ]


def test_pages_order_and_fields_of_a_list() -> None:
    response = ask("listAccount", page="2", item_num=10, sidx="extension", sord="desc", options="extension")
    assert response["response"]["account"][:2] == [{"extension": "1024"}, {"extension": "1023"}]
    assert response["response"]["page"] == 2
    assert ask("listAccount", page=9)["response"]["account"] == []
    assert ask("listAccount", page="first")["status"] == -1
    assert ask("listAccount", page="9" * 5000)["status"] == -1


def test_queues_menus_trunks_and_groups() -> None:
    queue = {"extension": "6500", "queue_name": "Reception", "strategy": "ringall"}
    assert ask("listQueue")["response"]["queue"] == [{**queue, "queue_chairmans": "", "members": "1000,1001"}]
    menu = ask("listIVR")["response"]["ivr"][0]
    assert (menu["ivr_id"], menu["ivr_name"], menu["extension"]) == (1, "Main", "7000")
    assert ask("listVoIPTrunk")["response"]["voip_trunk"][1] == {
        "trunk_index": 2,
        "trunk_name": "TelcoB",
        "host": "192.0.2.21",
        "trunk_type": "peer",
        "username": "",
    }
    assert ask("listRinggroup")["response"]["ringgroup"][0]["members"] == "1002,1003"


def test_inbound_routes_of_one_trunk_or_all() -> None:
    assert len(ask("listInboundRoute")["response"]["inbound_route"]) == 2
    (route,) = ask("listInboundRoute", trunk_index=2)["response"]["inbound_route"]
    assert (route["destination_type"], route["ringgroup"], route["ivr"]) == ("ringgroup", "6400", "")
    assert route["did_pattern_match_list"] == "_12025550101"


def test_menu_with_its_keys() -> None:
    response = ask("getIVR", ivr="1")["response"]
    assert (response["ivr"]["extension"], response["ivr"]["dial_extension"]) == ("7000", "yes")
    assert response["members"] == [
        {"keypress": "1", "keypress_event": "member_queue", "member_queue": "6500"},
        {"keypress": "timeout", "keypress_event": "member_prompt", "member_prompt": "goodbye"},
    ]
    assert ask("getIVR", ivr=9)["status"] == -16
    assert ask("getIVR")["status"] == -1


def test_status() -> None:
    now = [epoch("2026-07-01 10:00:00")]
    with connected(Simulator(site=SITE, clock=lambda: now[0])) as asker:
        status = asker.ask("getSystemStatus")["response"]
        keys = ["part-number", "serial-number", "up-time", "idle-time", "system-time", "bindcode", "mac"]
        assert list(status) == keys
        assert status["system-time"] == "01-07-2026 12:00:00 UTC+02:00"
        assert status["up-time"] == "00:42:53"
        general = asker.ask("getSystemGeneralStatus")["response"]
    assert general["product-model"] == "UCM6302  V1.2B"
    assert general["prog-version"] == "1.0.15.13"


def test_live_calls() -> None:
    menu = leg("2026-03-02 08:59:50", 30, dst="7000", dstchannel="", channel="PJSIP/trunk_1-1", caller_name="")
    talk = {"uniqueid": "1.1", "caller_name": "", "channel": "PJSIP/trunk_1-2", "dst": "1001"}
    talking = leg("2026-03-02 08:59:00", 300, **talk, src_trunk_name="TelcoA", dst_trunk_name="")
    ringing = leg("2026-03-02 08:59:55", 20, **talk, disposition="NO ANSWER", billsec="0")
    pbx = Simulator([call(talking), call(menu), call(ringing)], clock=lambda: epoch("2026-03-02 09:00:00"))
    with connected(pbx) as asker:
        bridged = asker.ask("listBridgedChannels")["response"]
        unbridged = asker.ask("listUnBridgedChannels")["response"]
    assert bridged["total_item"] == 1
    assert list(bridged["channel"][0]) == [
        *("bridge_id", "bridge_time", "channel1", "callerid1", "name1", "uniqueid1", "channel2", "callerid2"),
        *("name2", "uniqueid2", "inbound_trunk_name", "outbound_trunk_name"),
    ]
    assert bridged["channel"][0]["callerid2"] == "1001"
    assert [(row["connectednum"], row["state"]) for row in unbridged["channel"]] == [("7000", "Up"), ("1001", "Ring")]


def queue_leg(start: str, seconds: int, agent: str, talk: int, queue: str = "6500") -> dict[str, str]:
    return leg(
        start,
        seconds,
        lastapp="Queue",
        action_type=f"QUEUE[{queue}]",
        dstchannel=f"PJSIP/{agent}-1" if agent else "",
        dstchannel_ext=agent or queue,
        billsec=str(talk),
        disposition="ANSWERED" if talk else "NO ANSWER",
    )


QUEUED = [
    call(queue_leg("2026-03-02 09:00:00", 15, "1000", 0), queue_leg("2026-03-02 09:00:15", 70, "1001", 60)),
    call(queue_leg("2026-03-02 10:00:00", 40, "", 0)),
    call(queue_leg("2026-03-02 11:00:00", 25, "1000", 20, queue="6501")),
    call(leg("2026-03-02 12:00:00", 5)),
    call(queue_leg("2026-03-03 09:00:00", 15, "1000", 10)),
]


def queue_answer(kind: str, **params: str) -> Any:
    period = {"startTime": "2026-03-02", "endTime": "2026-03-02", "statisticsType": kind, "format": "json"}
    with connected(Simulator(QUEUED)) as asker:
        return asker.ask("queueapi", **{**period, **params})


def test_queue_details() -> None:
    answer = queue_answer("calldetail", queue="6500", agent="*")
    assert list(answer) == ["queue_statistics"]
    details = [element["agent"] for element in answer["queue_statistics"]]
    assert list(details[0]) == [
        *("callernum", "start_time", "agent", "extension", "wait_time", "talk_time", "connect", "queuechairman"),
    ]
    found = [(row["agent"], row["wait_time"], row["talk_time"], row["connect"]) for row in details]
    assert found == [("1000", "15", "0", "no"), ("1001", "10", "60", "yes"), ("NONE", "40", "0", "no")]


def test_queue_overview() -> None:
    total, *parts = queue_answer("overview")["queue_statistics"]
    assert total["total"] == {
        "queuechairman": "",
        "total_calls": "3",
        "abandoned_rate": "33.33",
        "avg_wait": "8",
        "avg_talk": "40",
        "vq_total_calls": "0",
    }
    assert [next(iter(part)) for part in parts] == ["queue", "queue", "agent", "agent", "agent"]
    assert (parts[0]["queue"]["total_calls"], parts[0]["queue"]["answered_rate"]) == ("2", "50.00")
    assert parts[3]["agent"]["agent"] == "1001"


def test_queue_logins_and_pauses() -> None:
    logins = [element["agent"] for element in queue_answer("loginhistory", queue="6500")["queue_statistics"]]
    assert [(row["agent"], row["login_data"], row["online_time"]) for row in logins] == [
        ("1000", "2026-03-02 09:00:00", "15"),
        ("1001", "2026-03-02 09:00:15", "70"),
    ]
    assert queue_answer("pausedhistory") == {"queue_statistics": []}


def test_some_queue_details_come_twice() -> None:
    calls = [call(queue_leg(f"2026-03-02 10:{minute:02d}:00", 9, "1000", 5)) for minute in range(20)]
    with connected(Simulator(calls)) as asker:
        answer = asker.ask(
            "queueapi", startTime="2026-03-02", endTime="2026-03-02", statisticsType="calldetail", format="json"
        )
    starts = [element["agent"]["start_time"] for element in answer["queue_statistics"]]
    assert len(starts) == 21
    assert starts.count("2026-03-02 10:16:00") == 2


@pytest.mark.parametrize(
    "params", [{"startTime": ""}, {"endTime": "soon"}, {"statisticsType": "all"}, {"format": "xml"}]
)
def test_queue_requests_that_are_refused(params: dict[str, str]) -> None:
    assert queue_answer("overview", **params)["status"] == -1


RECORDED = [
    call(leg("2026-03-02 09:00:00", 60, recordfiles="2026-03/auto-1-a-b.wav@2026-03/auto-2-a-b.wav@")),
    call(leg("2026-03-02 10:00:00", 60, recordfiles="2026-03/q6500-1.wav@", action_type="QUEUE[6500]")),
    call(leg("2026-03-02 11:00:00", 60)),
]


def test_recordings() -> None:
    with connected(Simulator(RECORDED)) as asker:
        assert asker.raw("recapi") == b"Filedir\nmonitor\nqueue\n"
        listed = asker.raw("recapi", filedir="monitor").decode().splitlines()
        assert listed == ["Filedir,Filename", "monitor,auto-1-a-b.wav", "monitor,auto-2-a-b.wav"]
        body = asker.raw("recapi", filename="auto-1-a-b.wav")
        assert asker.headers["Content-Type"] == "audio/wav"
        with wave.open(io.BytesIO(body)) as recording:
            assert (recording.getframerate(), recording.getnframes()) == (8000, 8000)
        assert asker.raw("recapi", filedir="queue", filename="q6500-1.wav")[:4] == b"RIFF"


@pytest.mark.parametrize(
    "params",
    [
        {"filedir": "nowhere"},
        {"filename": "gone.wav"},
        {"filename": "q6500-1.wav"},
        {"filename": "2026-03/auto-1-a-b.wav"},
        {"filename": "auto-1-a-b.wav@"},
        {"filedir": "queue", "filename": "auto-1-a-b.wav"},
    ],
)
def test_recordings_that_are_not_there(params: dict[str, str]) -> None:
    with connected(Simulator(RECORDED)) as asker:
        assert asker.ask("recapi", **params) == {"response": {}, "status": -25}


def test_recordings_of_a_leg() -> None:
    with connected(Simulator(RECORDED)) as asker:
        files = asker.ask("getRecordInfosByCall", id="1")["response"]
        assert files == {"recordfiles": "2026-03/auto-1-a-b.wav,2026-03/auto-2-a-b.wav"}
        statuses = [asker.status("getRecordInfosByCall", id=number) for number in (3, 99, "x", "9" * 5000)]
        assert statuses == [-15, -15, -15, -15]
