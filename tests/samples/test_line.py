"""Genuine answers through the whole line: simulator, TLS, client, parser, store, model."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tests.samples import RECORDS
from ucm_analytics.legs import dump_legs, legs_table
from ucm_analytics.simulator import Simulator, User
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store


def legs_of(path: Path) -> list[dict[str, Any]]:
    """Legs of a file, by a plain loop."""
    answer = json.loads(path.read_bytes())
    legs = []
    for element in answer.get("cdr_root", answer.get("cdr")):
        legs += [value for name, value in element.items() if name.startswith("sub_cdr_")] or [element]
    return legs


def line(files: list[Path], folder: Path) -> Store:
    """Replay files and pull the days that they are about."""
    days = sorted(date.fromisoformat(leg["start"][:10]) for path in files for leg in legs_of(path))
    store = Store(folder)
    with (
        Simulator(replay=files, users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as ucm,
    ):
        store.sync(
            ucm,
            pbx="sample",
            since=days[0],
            until=days[-1],
            zone=ZoneInfo("UTC"),
            now=datetime(2026, 11, 1, tzinfo=UTC),
            progress=False,
        )
    return store


def canonical(legs: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(leg) for leg in legs)


def stored(store: Store) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    files = sorted((store.path / "legs").rglob("*.parquet"))
    return [leg for file in files for leg in dump_legs(pq.read_table(file, partitioning=None))]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_no_leg_is_lost_or_counted_twice(path: Path, tmp_path: Path) -> None:
    store = line([path], tmp_path / "store")
    legs = legs_of(path)
    assert canonical(stored(store)) == canonical(legs)
    calls = store.calls()
    assert calls["legs"].sum() == len(legs)
    assert set(calls["call_id"]) == {leg.get("session") or leg["uniqueid"] for leg in legs}
    assert calls["call_id"].is_unique


def test_all_files_of_one_pbx_together(tmp_path: Path) -> None:
    files = [path for path in RECORDS if path.name.startswith("20")]
    store = line(files, tmp_path / "store")
    legs = [leg for path in files for leg in legs_of(path)]
    assert canonical(stored(store)) == canonical(legs)
    assert canonical(dump_legs(legs_table(legs, pbx="sample"))) == canonical(legs)
    assert store.calls()["legs"].sum() == len(legs) == 48


def test_shifted_groups_come_out_as_the_right_calls(tmp_path: Path) -> None:
    files = [path for path in RECORDS if path.name.startswith("01")]
    store = line(files, tmp_path / "store")
    calls = store.calls().set_index("call_id")
    columns = ["direction", "outcome", "answered_by", "path", "wait_s", "talk_s", "phones", "legs"]
    found = {key: tuple(None if pd.isna(v) else v for v in row) for key, *row in calls[columns].itertuples()}
    assert found == {
        "1661157236570719-07700900106": ("inbound", "answered", "203", "park:71", 71, 31, 0, 1),
        "166115730767640-203": ("inbound", "answered", "203", "park:203", 0, 31, 1, 1),
        "1661157838988180-230": ("outbound", "answered", "07700900106", "external:07700900106", 14, 420, 0, 1),
        "1661174339936805-203": ("internal", "answered", "230", "extension:230", 5, 1429, 1, 1),
        "166117495239747-07700900105": ("inbound", "abandoned", None, "ivr:7000", 2, 0, 0, 2),
        "1661175956244577-07700900105": ("inbound", "answered", "203", "ring_group:6400", 14, 366, 9, 11),
        "1661180306559734-07700900104": ("inbound", "answered", "230", "ring_group:6400", 17, 588, 9, 11),
    }
    # the true instant of pick-up is where the losers stop ringing, not where billsec starts
    group = calls.loc["1661175956244577-07700900105"]
    assert str(group["answered_at"]) == "2022-08-22 13:46:10+00:00"
    assert group["exact_pickup"]
