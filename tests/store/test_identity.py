"""The calls of another PBX are not mixed in: each day names the PBX that it came from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from tests.store.pretend import Pbx, call, contents, daily
from ucm_analytics.errors import SettingError, UCMError
from ucm_analytics.simulator import User
from ucm_analytics.sources.ucm.lists import serial_number
from ucm_analytics.store import Store
from ucm_analytics.store.files import Day, read_footer, read_table, write_table
from ucm_analytics.store.identity import stored_serial
from ucm_analytics.store.months import Months

NOW = "2026-03-10 12:00"
SHY = {"cdrapi": User("cdrapi123", permissions=frozenset({"cdrapi"}))}


def serial(store: Store) -> str:
    return stored_serial(Months(store.path, "clinic"))


def forgotten(store: Store) -> None:
    """Make the store one that an older version wrote: no day names a PBX."""
    months = Months(store.path, "clinic")
    for month in months.names():
        path = months.path("legs", month)
        footer = read_footer(path)
        assert footer is not None
        days = {day: msgspec.structs.replace(known, serial="") for day, known in footer.days.items()}
        old = msgspec.structs.replace(footer, days=days)
        write_table(read_table(path), path, old, scratch=store.path / ".state" / "scratch")


def asked(pbx: Pbx) -> set[str]:
    return {action for action, _ in pbx.sim.requests}


def test_another_pbx_under_the_name_is_refused_before_anything(store: Store) -> None:
    calls = daily(date(2026, 2, 27), date(2026, 3, 9))
    with Pbx(calls, NOW, serial="20EXAMPLEA") as a, Pbx([call("2026-03-10 10:30")], NOW, serial="20EXAMPLEB") as b:
        a.sync(store, since="2026-02-27")
        before = contents(store)
        assert serial(store) == "20EXAMPLEA"
        with pytest.raises(SettingError, match=r"20EXAMPLEB\) is not the one .* clinic .*20EXAMPLEA\)") as caught:
            b.sync(store, since="2026-03-08")
        assert "--name NAME" in caught.value.hint
        assert "sync --pbx clinic --replaced" in caught.value.hint
        assert contents(store) == before
        assert asked(b) <= {"challenge", "login", "getSystemStatus"}

        b.sync(store, pbx="north", since="2026-03-08")  # a name of its own
        assert len(store.legs("2026-03-10", pbx="north")) == 1
        a.sync(store)  # the first goes on

        assert store.legs("2026-03-10", pbx="clinic").empty

        b.sync(store, replaced=True)
        assert len(store.legs("2026-03-10", pbx="clinic")) == 1
        assert serial(store) == "20EXAMPLEB"
        b.sync(store, now="2026-03-10 13:00")  # said once, it holds
        with pytest.raises(SettingError, match=r"20EXAMPLEA\) is not the one .*20EXAMPLEB\)"):
            a.sync(store, now="2026-03-10 13:00")


def test_a_store_without_a_serial_number_learns_it(store: Store) -> None:
    with Pbx(daily(date(2026, 3, 8), date(2026, 3, 9)), NOW, serial="20EXAMPLEA") as a:
        a.sync(store, since="2026-03-08")
        forgotten(store)
        assert serial(store) == ""
        a.sync(store, now="2026-03-10 13:00")
    assert serial(store) == "20EXAMPLEA"


def test_a_pbx_that_does_not_tell_is_let_in(store: Store) -> None:
    with (
        Pbx([call("2026-03-09 09:00")], NOW, users=SHY, serial="20EXAMPLEA") as shy,
        Pbx([call("2026-03-09 09:00")], NOW, serial="20EXAMPLEA") as open_pbx,
    ):
        shy.sync(store, since="2026-03-09")
        assert serial(store) == ""
        open_pbx.sync(store)
        assert serial(store) == "20EXAMPLEA"
        shy.sync(store, now="2026-03-10 13:00")
        assert serial(store) == "20EXAMPLEA", "what is known stays known"


def test_a_sync_that_breaks_off_has_learnt_whose_calls_these_are(store: Store) -> None:
    with Pbx(daily(date(2026, 2, 27), date(2026, 3, 9)), NOW, serial="20EXAMPLEA") as a:
        a.sim.faults.arm("html", after=10, times=100)
        with pytest.raises(UCMError):
            a.sync(store, since="2026-02-27")
        assert set(store.coverage()["state"]) == {"settled"}
    assert serial(store) == "20EXAMPLEA"


def test_a_damaged_month_does_not_hide_the_others(store: Store) -> None:
    with Pbx(daily(date(2026, 2, 27), date(2026, 3, 9)), NOW, serial="20EXAMPLEA") as a:
        a.sync(store, since="2026-02-27")
    Path(Months(store.path, "clinic").path("legs", "2026-02")).write_bytes(b"PAR1")
    assert serial(store) == "20EXAMPLEA"


def test_days_of_older_versions_name_no_pbx() -> None:
    day = b'{"state":"settled","source":"pbx","legs":1,"pages":1,"longest_s":1,"pulled_at":"2026-03-10T11:00:00Z"}'
    assert msgspec.json.decode(day, type=Day).serial == ""


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"serial-number": " 20example0 ", "mac": "C0:74:AD:00:00:01"}, "20EXAMPLE0"),
        ({"mac": "c0:74:ad:00:00:01"}, "C0:74:AD:00:00:01"),
        ({"serial-number": None, "mac": None}, ""),
        ({"serial-number": 2005, "mac": ""}, "2005"),
        ({"serial-number": "\x1b[31mX\n", "mac": ""}, "31MX"),
        ({"serial-number": [], "mac": {}}, ""),
        ({"serial-number": "9" * 1000}, "9" * 64),
        ({}, ""),
    ],
)
def test_what_a_pbx_may_call_its_serial_number(status: dict[str, object], expected: str) -> None:
    assert serial_number(status) == expected
