"""Names and menus."""

from __future__ import annotations

import logging

import pandas as pd
import pytest

from tests.store.made import Pbx, call
from ucm_analytics.errors import SettingError
from ucm_analytics.schema import DIRECTORY
from ucm_analytics.simulator import User
from ucm_analytics.store import Store

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
        ["7000", "Main", "timeout", "other", "goodbye"],
        ["7001", "Wards", "", "", ""],
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
    assert "the queue list of PBX clinic is not refreshed" in caplog.text


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
