"""Names and menus."""

from __future__ import annotations

import logging

import pandas as pd
import pyarrow as pa
import pytest

from tests.store.pretend import Pbx, call
from ucm_analytics.errors import SettingError
from ucm_analytics.schema import DIRECTORY
from ucm_analytics.simulator import User
from ucm_analytics.store import Store
from ucm_analytics.store.files import Footer, write_table
from ucm_analytics.store.months import Months

DAYS = ["valid_from", "valid_to"]


def test_sync_asks_for_names_and_menus(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00")], "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-09")
    assert store.directory("ivr").drop(columns=["pbx", "kind", *DAYS]).values.tolist() == [
        ["7000", "Main", "", "", ""],
        ["7000", "Main", "0", "ring_group", "6400"],
        ["7000", "Main", "1", "queue", "6500"],
        ["7000", "Main", "2", "extension", "1001"],
        ["7000", "Main", "3", "ivr", "7001"],  # the key names the menu's id
        ["7000", "Main", "4", "voicemail", "1002"],
        ["7000", "Main", "dial", "extension", ""],
        ["7000", "Main", "timeout", "other", "goodbye"],
        ["7001", "Wards", "", "", ""],
        ["7001", "Wards", "dial", "extension", ""],
    ]
    others = store.directory()
    others = others[others["kind"] != "ivr"]
    assert others.drop(columns=["pbx", "key", *DAYS]).values.tolist() == [
        ["extension", "1001", "Anna Reyes", "", ""],
        ["extension", "1002", "Ben Sommer", "", ""],
        ["queue", "6500", "Reception", "", ""],
        ["ring_group", "6400", "Operators", "", ""],
        ["trunk", "1", "MainLine", "", ""],
        ["did", "12025550100", "Inbound_1", "ivr", "7000"],
    ]


def test_lists_that_may_not_be_read_stay_as_they_were(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.save_directory("clinic", [{"kind": "queue", "number": "6500", "name": "Reception"}])
    allowed = frozenset({"cdrapi", "listAccount", "getSystemStatus"})
    users = {"cdrapi": User("cdrapi123", permissions=allowed)}
    with Pbx([call("2026-03-09 09:00")], "2026-03-09 12:00", users=users) as pbx, caplog.at_level(logging.WARNING):
        pbx.sync(store, since="2026-03-09")
    assert store.directory()["name"].tolist() == ["Anna Reyes", "Ben Sommer", "Reception"]
    assert f"the queue list of PBX {pbx.ucm.address} is not refreshed" in caplog.text


def test_saved_rows_come_back_sorted_and_typed(store: Store) -> None:
    rows = [
        {"kind": "ivr", "number": "7000", "key": "1", "target_kind": "queue", "target": "6500"},
        {"kind": "ivr", "number": "7000", "name": "Main"},
        {"kind": "extension", "number": "1001", "name": "Anna"},
    ]
    store.save_directory("clinic", rows)
    frame = store.directory(pbx="clinic")
    assert frame[["kind", "number", "key"]].values.tolist() == [
        ["extension", "1001", ""],
        ["ivr", "7000", ""],
        ["ivr", "7000", "1"],
    ]
    assert list(frame.columns) == [column.name for column in DIRECTORY]
    assert isinstance(frame["kind"].dtype, pd.CategoricalDtype)


def test_no_directory_is_an_empty_one(store: Store) -> None:
    assert list(store.directory("did").columns) == [column.name for column in DIRECTORY]
    assert store.directory().empty


def test_unknown_kinds(store: Store) -> None:
    with pytest.raises(SettingError, match="choose from extension, queue"):
        store.directory("phone")
    with pytest.raises(SettingError, match="'phone' is no kind"):
        store.save_directory("clinic", [{"kind": "phone"}])


def anna(name: str = "Anna") -> dict[str, str]:
    return {"kind": "extension", "number": "1001", "name": name}


BEN = {"kind": "extension", "number": "1002", "name": "Ben"}


def held(store: Store, on: str | None = None) -> list[str]:
    return store.directory("extension", pbx="clinic", on=on)["name"].tolist()


def history(store: Store) -> list[tuple[str, ...]]:
    """Name, first and last day of every row that is stored."""
    rows = Months(store.path, "clinic").directory().to_pylist()
    return [(row["name"], *(f"{row[day]:%m-%d}" if row[day] else "" for day in DAYS)) for row in rows]


def test_people_move(store: Store) -> None:
    store.save_directory("clinic", [anna(), BEN], on="2026-03-02")
    store.save_directory("clinic", [anna(), BEN], on="2026-03-03")
    store.save_directory("clinic", [anna("Carla"), BEN], on="2026-03-10")
    store.save_directory("clinic", [anna("Carla")], on="2026-03-12")
    assert history(store) == [("Anna", "", "03-10"), ("Carla", "03-10", ""), ("Ben", "", "03-12")]
    assert held(store) == ["Carla"]
    assert held(store, "2020-01-01") == ["Anna", "Ben"]  # before the first look: what it saw
    assert held(store, "2026-03-09") == ["Anna", "Ben"]
    assert held(store, "2026-03-10") == ["Carla", "Ben"]
    assert held(store, "2026-03-12") == ["Carla"]
    store.save_directory("clinic", [anna(), BEN], on="2026-04-01")  # and back
    assert held(store, "2026-03-31") == ["Carla"]
    assert held(store, "2026-04-01") == ["Anna", "Ben"]
    assert len(history(store)) == 5


def test_changes_within_a_day_leave_the_last(store: Store) -> None:
    store.save_directory("clinic", [anna()], on="2026-03-02")
    store.save_directory("clinic", [anna("Carla")], on="2026-03-10")
    store.save_directory("clinic", [anna("Dora")], on="2026-03-10")
    assert history(store) == [("Anna", "", "03-10"), ("Dora", "03-10", "")]
    store.save_directory("clinic", [anna()], on="2026-03-10")
    assert history(store) == [("Anna", "", "")]


def test_a_clock_that_went_back_ends_nothing_before_it_began(store: Store) -> None:
    store.save_directory("clinic", [anna()], on="2026-03-02")
    store.save_directory("clinic", [anna("Carla")], on="2026-03-10")
    store.save_directory("clinic", [anna("Dora"), BEN], on="2026-03-05")
    store.save_directory("clinic", [anna("Dora")], on="2026-03-12")
    assert history(store) == [("Anna", "", "03-10"), ("Dora", "03-10", ""), ("Ben", "03-10", "03-12")]


def test_a_kind_that_is_seen_for_the_first_time_always_held(store: Store) -> None:
    store.save_directory("clinic", [anna()], on="2026-03-02")
    store.save_directory("clinic", [anna(), {"kind": "queue", "number": "6500", "name": "Desk"}], on="2026-03-10")
    assert store.directory("queue", pbx="clinic", on="2026-01-01")["name"].tolist() == ["Desk"]


def test_the_same_row_twice_is_one(store: Store) -> None:
    store.save_directory("clinic", [anna(), anna()], on="2026-03-02")
    assert held(store) == ["Anna"]


def test_a_file_without_days_is_read_as_held_always(store: Store) -> None:
    old = {"pbx": "clinic", **anna(), "key": "", "target_kind": "", "target": ""}
    months = Months(store.path, "clinic")
    write_table(pa.Table.from_pylist([old]), months.directory_path, Footer(version=1), scratch=store.path / "_part")
    assert history(store) == [("Anna", "", "")]
    store.save_directory("clinic", [anna("Carla")], on="2026-03-10")
    assert history(store) == [("Anna", "", "03-10"), ("Carla", "03-10", "")]


def test_a_sync_notes_the_day_on_the_clock_of_the_pbx(store: Store) -> None:
    store.save_directory("clinic", [{"kind": "extension", "number": "1001", "name": "Old Name"}], on="2026-03-01")
    with Pbx([call("2026-03-09 09:00")], "2026-03-09 00:30") as pbx:  # still the 8th in UTC
        pbx.sync(store, since="2026-03-08")
    assert held(store, "2026-03-08") == ["Old Name"]
    assert held(store, "2026-03-09") == ["Anna Reyes", "Ben Sommer"]
    assert store.directory("queue", on="2026-03-08")["name"].tolist() == ["Reception"]


def test_names_of_a_day_of_two_pbxs(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00")], "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-09")
        pbx.sync(store, pbx="branch", since="2026-03-09")
    store.save_directory("branch", [BEN], on="2026-03-20")
    found = store.directory("extension", on="2026-03-20")
    assert found[["pbx", "name"]].values.tolist() == [
        ["branch", "Ben"],
        ["clinic", "Anna Reyes"],
        ["clinic", "Ben Sommer"],
    ]
    assert [str(found[day].dtype) for day in DAYS] == ["datetime64[us]"] * 2
