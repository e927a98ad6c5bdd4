"""Which days are asked for, what is stored of them, and when they are settled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.sources.pbxs import Session, stub
from tests.store.pretend import ZONE, Pbx, call, contents, daily, local, states
from ucm_analytics.errors import IncompletePull, SettingError, StoreLocked, UnexpectedAnswer, UnknownFields
from ucm_analytics.simulator import Call, User
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store, months
from ucm_analytics.store.sync import SyncReport

MARCH = daily(date(2026, 3, 1), date(2026, 3, 10))


def test_first_sync_stores_every_call_of_the_days_asked_for(store: Store) -> None:
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        report = pbx.sync(store, since="2026-03-05")
    assert report.days == tuple(date(2026, 3, day) for day in range(5, 11))
    assert (report.new, report.updated, report.vanished) == (11, 0, 0)  # 14:00 of the 10th is yet to come
    assert report.settled == 3  # 5th to 7th: two days have passed since their end
    assert report.months == ("2026-03",)
    assert len(store.calls()) == len(store.legs()) == 11
    assert store.calls("2026-03-06")["talk_s"].tolist() == [60, 60]
    assert states(store) == {
        "03-05": "settled",
        "03-06": "settled",
        "03-07": "settled",
        "03-08": "provisional",
        "03-09": "provisional",
        "03-10": "provisional",
    }


def test_settled_days_are_not_asked_for_again(store: Store) -> None:
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        pbx.sync(store, since="2026-03-05")
        pbx.sim.requests.clear()
        report = pbx.sync(store, since="2026-03-05")
        assert pbx.days_asked() == {"2026-03-08", "2026-03-09", "2026-03-10"}
    assert (report.new, report.updated, report.vanished) == (0, 0, 0)


def test_sync_twice_is_sync_once(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        pbx.sync(store, since="2026-02-20", lag=timedelta(0))
        pbx.sync(store, since="2026-02-20", lag=timedelta(0))
        pbx.sync(other, since="2026-02-20", lag=timedelta(0))
    assert contents(store) == contents(other)


def test_the_order_of_the_days_does_not_matter(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    calls = daily(date(2026, 2, 26), date(2026, 3, 3), hours=(0, 1, 9, 23))
    with Pbx(calls, "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-02-26", until="2026-03-03")
        for day in (3, 1, 2):
            pbx.sync(other, since=f"2026-03-0{day}", until=f"2026-03-0{day}")
        pbx.sync(other, since="2026-02-26", until="2026-03-03")
    assert contents(store) == contents(other)
    assert len(store.calls()) == 24


def test_without_a_first_day_the_last_thirty_are_asked_for(store: Store) -> None:
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        report = pbx.sync(store)
    assert (report.days[0], report.days[-1]) == (date(2026, 2, 8), date(2026, 3, 10))


def test_without_a_first_day_holes_are_filled(store: Store) -> None:
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        pbx.sync(store, since="2026-03-01", until="2026-03-02")
        pbx.sync(store, since="2026-03-04", until="2026-03-05")
        assert states(store)["03-03"] == "missing"
        report = pbx.sync(store, until="2026-03-05")
        assert report.days == (date(2026, 3, 3),)
        assert pbx.sync(store, until="2026-03-05").days == ()
    assert set(states(store).values()) == {"settled"}


def test_a_day_that_ended_is_settled_by_a_second_look_that_finds_nothing_new(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00")], "2026-03-10 01:00") as pbx:
        pbx.sync(store, since="2026-03-09", until="2026-03-09")
        pbx.sync(store, since="2026-03-09", until="2026-03-09", now="2026-03-10 05:59")
        assert states(store) == {"03-09": "provisional"}
        pbx.sync(store, since="2026-03-09", until="2026-03-09", now="2026-03-10 06:01")
    assert states(store) == {"03-09": "settled"}


def test_a_second_look_with_something_new_settles_nothing(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00")], "2026-03-10 07:00") as pbx:
        pbx.sync(store, since="2026-03-09", until="2026-03-09")
        pbx.sim.add(call("2026-03-09 10:00"))
        report = pbx.sync(store, since="2026-03-09", until="2026-03-09", now="2026-03-10 08:00")
    assert report.new == 1
    assert states(store) == {"03-09": "provisional"}


def test_a_day_stays_open_as_long_as_the_longest_call_seen(store: Store) -> None:
    calls = [call("2026-03-01 09:00", seconds=3 * 86400), call("2026-03-06 09:00")]
    with Pbx(calls, "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-01")
        assert states(store)["03-05"] == "settled"
        assert states(store)["03-06"] == "provisional"  # 2.5 days after its end, and a call took 3
        pbx.sync(store, now="2026-03-10 00:02")
        assert states(store)["03-06"] == "settled"


def test_a_call_that_ends_after_the_first_sync_is_picked_up_by_the_next(store: Store) -> None:
    late = call("2026-03-09 23:50", seconds=3 * 3600)
    with Pbx([call("2026-03-09 09:00"), late], "2026-03-10 01:00") as pbx:
        assert pbx.sync(store, since="2026-03-09").new == 1
        report = pbx.sync(store, now="2026-03-10 03:00")
        assert report.new == 1
        assert store.calls("2026-03-09")["duration_s"].tolist() == [60, 10_800]


def test_legs_of_the_next_day_that_come_along_are_kept_but_do_not_mark_it(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00"), call("2026-03-10 01:30")], "2026-03-10 12:00") as pbx:
        pbx.sync(store, since="2026-03-09", until="2026-03-09")
        assert len(store.calls("2026-03-10")) == 1
        assert states(store, "2026-03-09", "2026-03-10") == {"03-09": "provisional", "03-10": "missing"}
        assert store.coverage("2026-03-09")["legs"].tolist() == [1]
        report = pbx.sync(store)
        assert (report.new, report.updated, report.vanished) == (0, 0, 0)


def test_the_newest_version_of_a_leg_wins(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00")], "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-09")
    with Pbx([call("2026-03-09 09:00", recorded="2026-03/auto-1.wav@")], "2026-03-09 13:00") as pbx:
        report = pbx.sync(store)
    assert (report.new, report.updated) == (0, 1)
    assert store.legs()["recordfiles"].tolist() == ["2026-03/auto-1.wav@"]
    assert store.calls()["recordings"].notna().all()


def test_legs_that_the_pbx_no_longer_sends_are_kept_and_counted(store: Store) -> None:
    kept, gone = call("2026-03-08 09:00"), call("2026-03-09 09:00")
    with Pbx([kept, gone], "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-08")
    with Pbx([kept], "2026-03-09 13:00") as pbx:
        report = pbx.sync(store)
    assert report.vanished == 1
    assert len(store.calls()) == 2
    assert store.coverage()["vanished"].tolist() == [0, 1]


def test_calls_around_new_year_lie_in_the_month_of_their_utc_start(store: Store) -> None:
    calls = [call("2025-12-31 23:30"), call("2026-01-01 00:30"), call("2026-01-01 01:30")]
    with Pbx(calls, "2026-01-20 12:00") as pbx:
        report = pbx.sync(store, since="2025-12-31", until="2026-01-01")
    assert report.months == ("2025-12", "2026-01")
    held = contents(store)
    assert len(held["legs clinic 2025-12"]) == 2  # 00:30 in Berlin is 23:30 UTC
    assert len(held["legs clinic 2026-01"]) == 1
    assert len(store.calls("2025-12")) == 1
    assert len(store.calls("2026-01")) == 2
    assert store.coverage()["legs"].tolist() == [1, 2]


def test_a_day_without_calls_is_marked_too(store: Store) -> None:
    with Pbx([call("2026-03-01 09:00")], "2026-03-10 12:00") as pbx:
        report = pbx.sync(store, since="2026-02-27", until="2026-02-28")
    assert report.new == 0
    assert states(store) == {"02-27": "settled", "02-28": "settled"}
    assert len(store.calls("2026-02")) == 0


def test_a_failed_day_keeps_the_days_before_it_and_is_not_marked(store: Store) -> None:
    with Pbx(MARCH, "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-03-01", until="2026-03-01")
        asked = sum(action == "cdrapi" for action, _ in pbx.sim.requests)
        pbx.sim.faults.arm("html", after=asked, times=100)  # as many pages again: the third of March
        with pytest.raises(UnexpectedAnswer):
            pbx.sync(store, since="2026-03-02", until="2026-03-05")
        assert states(store, "2026-03-01", "2026-03-05") == {
            "03-01": "settled",
            "03-02": "settled",
            "03-03": "missing",
            "03-04": "missing",
            "03-05": "missing",
        }
        assert len(store.calls()) == 4
    with Pbx(MARCH, "2026-03-20 12:00") as pbx:
        assert pbx.sync(store, until="2026-03-05").days == tuple(date(2026, 3, day) for day in (3, 4, 5))


def test_faults_on_the_way_lose_nothing(store: Store, tmp_path: Path) -> None:
    clean = Store(tmp_path / "clean")
    with Pbx(MARCH, "2026-03-20 12:00") as pbx:
        pbx.sync(clean, since="2026-03-01", until="2026-03-10")
    with Pbx(MARCH, "2026-03-20 12:00", faults=("reset", "http-500", "expire-cookie", "repeat-page")) as pbx:
        pbx.sync(store, since="2026-03-01", until="2026-03-10")
    assert store.legs().equals(clean.legs())


def test_the_clock_of_the_pbx_stands_in_for_an_unknown_zone(store: Store) -> None:
    with Pbx(MARCH, "2026-03-10 00:30") as pbx:  # 23:30 UTC of the 9th
        report = pbx.sync(store, since="2026-03-09", zone=None)
    assert report.days == (date(2026, 3, 9), date(2026, 3, 10))
    assert store.calls("2026-03-09")["utc_offset_s"].tolist() == [3600, 3600]


def test_without_zone_and_without_a_clock_the_zone_is_asked_for(store: Store) -> None:
    users = {"cdrapi": User("cdrapi123", permissions=frozenset({"cdrapi"}))}
    with Pbx(MARCH, "2026-03-10 12:00", users=users) as pbx:
        with pytest.raises(SettingError, match="UCM_TIMEZONE"):
            pbx.sync(store, zone=None)
        assert pbx.sync(store, since="2026-03-09").new == 3  # with a zone, cdrapi is enough
    assert store.coverage()["firmware"].tolist() == ["", ""]
    assert store.directory().empty


def test_a_second_sync_at_the_same_time_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months, "SYNC_WAIT_S", 0.1)
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        pbx.sync(store, since="2026-03-10")
        with FileLock(store.path / ".state" / "clinic" / "sync.lock"), pytest.raises(StoreLocked, match="another sync"):
            pbx.sync(store)
        pbx.sync(store, pbx="branch", since="2026-03-10")  # another PBX is not held up
    assert store.pbxs == ["branch", "clinic"]


def test_days_that_cannot_be_asked_for(store: Store) -> None:
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        with pytest.raises(SettingError, match="lies in the future"):
            pbx.sync(store, since="2026-03-11")
        with pytest.raises(SettingError, match="before it starts"):
            pbx.sync(store, since="2026-03-05", until="2026-03-04")
        with pytest.raises(SettingError, match="is no date"):
            pbx.sync(store, since="2026-02-30")
        with pytest.raises(SettingError, match="cannot name a PBX"):
            pbx.sync(store, pbx="../clinic")
        with pytest.raises(SettingError, match="carries no zone"):
            store.sync(pbx.ucm, pbx="clinic", now=datetime(2026, 3, 10))
        assert pbx.sync(store, since="2026-03-10", until="2026-12-31").days == (date(2026, 3, 10),)
    assert not (store.path / "legs" / "pbx=..").exists()


def test_unknown_fields_are_kept_and_said(store: Store, tmp_path: Path) -> None:
    leg = {"AcctId": "1", **call("2026-03-09 09:00").legs[0], "mood": "sunny", "cdr": ""}
    saved = tmp_path / "answer.json"
    saved.write_text(json.dumps({"cdr_root": [leg]}))
    with Pbx([], "2026-03-10 12:00", replay=[saved]) as pbx, pytest.warns(UnknownFields, match=r"mood \(1 legs\)"):
        pbx.sync(store, since="2026-03-09", until="2026-03-09")
    assert store.legs()["extra"].tolist() == [[("mood", '"sunny"')]]


def test_an_answer_that_is_none_stops_before_anything_is_written(store: Store) -> None:
    with Pbx(MARCH, "2026-03-10 12:00") as pbx:
        pbx.sim.faults.arm("truncated", after=0, times=100)
        with pytest.raises(UnexpectedAnswer):
            pbx.sync(store, since="2026-03-09")
    assert store.pbxs == []


def test_an_empty_answer_does_not_settle_a_day_that_the_store_knows(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00")], "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-09", until="2026-03-09")
    with Pbx([], "2026-03-20 12:00") as pbx:
        report = pbx.sync(store, until="2026-03-09")
        assert (report.vanished, states(store)) == (1, {"03-09": "provisional"})
        pbx.sync(store, until="2026-03-09")  # and says so again
        assert states(store) == {"03-09": "settled"}
    assert len(store.calls()) == 1


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with stub(tmp_path / "pbx", (answers := Told()).answer) as pbx:
        answers.ucm = Session(pbx.url, fingerprint=pbx.fingerprint)
        yield answers
        answers.ucm.close()


class Told:
    """A PBX over TLS that holds the legs of some calls, and lies about them as a test says."""

    ucm: UCM

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.lie: Callable[[str, int], list[Any] | None] = lambda _day, _number: None
        self.number = 0

    def answer(self, action: str, params: Mapping[str, Any]) -> Any:
        if action != "cdrapi":
            return {"response": {}, "status": -47} if action not in ("challenge", "login") else None
        self.number += 1
        first, last, at = (
            str(params.get("startTime", "")),
            str(params.get("endTime", "~")),
            int(params.get("offset", 0)),
        )
        inside = [one for one in self.calls if first <= one.start.isoformat() <= last]
        true = [dict(leg) for one in inside for leg in one.legs][at : at + int(params["numRecords"])]
        told = self.lie(first[:10], self.number)
        return {"cdr_root": true if told is None else told}

    def sync(self, store: Store, **options: Any) -> SyncReport:
        return store.sync(self.ucm, pbx="clinic", zone=ZONE, now=local("2026-03-20 12:00"), progress=False, **options)


@pytest.mark.parametrize("number", range(1, 8))
def test_one_answer_without_records_loses_none(number: int, told: Told, store: Store) -> None:
    told.calls = MARCH[:6]
    told.lie = lambda _day, n: [] if n == number else None
    told.sync(store, since="2026-03-01", until="2026-03-03")
    assert store.coverage()["legs"].tolist() == [2, 2, 2]
    assert states(store) == {"03-01": "settled", "03-02": "settled", "03-03": "settled"}


def test_a_day_is_not_empty_where_the_window_before_showed_calls_of_it(told: Told, store: Store) -> None:
    told.calls = [call("2026-03-09 09:00"), call("2026-03-10 00:30")]
    told.lie = lambda day, _number: [] if day == "2026-03-10" else None
    with pytest.raises(IncompletePull, match=r"2026-03-10 .* showed 1 legs of it"):
        told.sync(store, since="2026-03-09", until="2026-03-10")
    assert states(store, "2026-03-09", "2026-03-10") == {"03-09": "settled", "03-10": "missing"}
    told.lie = lambda _day, _number: None
    told.sync(store, until="2026-03-10")
    assert states(store, "2026-03-09", "2026-03-10") == {"03-09": "settled", "03-10": "settled"}
