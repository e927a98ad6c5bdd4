"""A store with hostile names in it, and the second way to every number: plain pandas on what the store gives."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from tests.delivery.changes import DEMO, late_call
from ucm_analytics.store import Store

SCRIPT = "<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"
IMAGE = "<img src=x onerror=alert(1)>"
LAST_DAY = "2026-03-29"


def hostile_store(folder: Path) -> Store:
    """The demo with two more calls, the newest of all, whose callers are no names, and such an extension."""
    shutil.copytree(DEMO, folder)
    store = Store(folder)
    for number, name in enumerate((SCRIPT, FORMULA)):
        began = datetime.fromisoformat(f"{LAST_DAY}T22:0{number}:00")
        epoch = int(began.replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp())
        times = {"start": began, "answer": began + timedelta(seconds=5), "end": began + timedelta(seconds=65)}
        late_call(
            store,
            AcctId=str(990100 + number),
            caller_name=name,
            uniqueid=f"{epoch}.1",
            session=f"{epoch}123456-1001",
            **{field: f"{at:%Y-%m-%d %H:%M:%S}" for field, at in times.items()},
        )
    rows = store.directory().fillna("").astype("str")
    rows.loc[(rows["kind"] == "extension") & (rows["number"] == "1000"), "name"] = IMAGE
    store.save_directory("clinic", rows.drop(columns=["pbx", "valid_from", "valid_to"]).to_dict("records"))
    return store


def counted(store: Store, first: str = "2026-03-02", last: str = LAST_DAY) -> pd.DataFrame:
    """The calls of a period that are counted."""
    calls = store.calls(first, last)
    return calls[~calls["is_forward"]]


def with_extension(store: Store, calls: pd.DataFrame, number: str) -> pd.DataFrame:
    """Those that have to do with an extension."""
    rings = store.rings()
    rang = set(rings.loc[rings["extension"] == number, "call_id"])
    mine = [
        call_id in rang or number in (caller, answered_by)
        for call_id, caller, answered_by in zip(calls["call_id"], calls["caller"], calls["answered_by"], strict=True)
    ]
    return calls[mine]


def with_queue(store: Store, calls: pd.DataFrame, number: str) -> pd.DataFrame:
    """Those that went through a queue."""
    steps = store.steps()
    entered = set(steps.loc[(steps["kind"] == "queue") & (steps["target"] == number), "call_id"])
    return calls[[call_id in entered for call_id in calls["call_id"]]]


def waits(calls: pd.DataFrame) -> pd.Series:
    """Waits of the calls that have one: answered, rang, or in a queue."""
    has = calls["outcome"].isin(["answered", "no_answer"]) | (calls["phones"] > 0) | calls["queue"].notna()
    return calls.loc[has, "wait_s"]
