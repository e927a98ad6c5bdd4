"""Legs that come from elsewhere, and the merge that both ways share."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.store.pretend import ZONE, Pbx, call, contents, daily, plain, states
from ucm_analytics.errors import SettingError, WrongColumns
from ucm_analytics.legs import dump_legs, legs_table
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.store import Store, files
from ucm_analytics.store.files import read_table
from ucm_analytics.store.merge import by_month, call_days, longest_call_s, merge, no_legs
from ucm_analytics.store.months import Months

CALLS = daily(date(2026, 2, 27), date(2026, 3, 2))


def raw(*calls: str, **fields: str) -> list[dict[str, str]]:
    return [{"AcctId": str(n), **call(start).legs[0], **fields} for n, start in enumerate(calls)]


def table(*calls: str, **fields: str) -> pa.Table:
    return legs_table(raw(*calls, **fields), pbx="clinic")


def test_days_of_files_are_provisional(store: Store) -> None:
    put = store.add(table("2026-02-28 09:00", "2026-03-01 00:30", "2026-03-02 09:00"), pbx="clinic", zone=ZONE)
    assert (put.new, put.updated, put.months) == (3, 0, ("2026-02", "2026-03"))
    coverage = store.coverage()
    assert coverage["state"].tolist() == ["provisional"] * 3
    assert coverage["source"].tolist() == ["file"] * 3
    assert coverage["legs"].tolist() == [1, 1, 1]
    assert len(store.calls("2026-03")) == 2


def test_adding_twice_changes_nothing(store: Store) -> None:
    store.add(table("2026-03-01 09:00"), pbx="clinic")
    before = contents(store)
    put = store.add(table("2026-03-01 09:00"), pbx="clinic")
    assert (put.new, put.updated) == (0, 0)
    assert contents(store) == before


def test_days_of_files_are_asked_for_by_a_sync_that_covers_them(store: Store) -> None:
    store.add(table("2026-02-01 09:00", "2026-03-01 09:00"), pbx="clinic")
    with Pbx([call("2026-03-01 09:00"), call("2026-03-02 09:00")], "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-03-01", until="2026-03-02")
        assert pbx.sync(store, until="2026-03-02").days == ()  # the file of February asks for nothing
    assert states(store, "2026-02-01") == {"02-01": "provisional"}
    assert states(store, "2026-03-01", "2026-03-02") == {"03-01": "settled", "03-02": "settled"}
    store.add(table("2026-03-01 10:00"), pbx="clinic")
    assert states(store, "2026-03-01") == {"03-01": "settled"}


def test_legs_of_another_shape_are_refused(store: Store) -> None:
    with pytest.raises(WrongColumns, match=r"legs\.legs_table"):
        store.add(pa.table({"src": ["1001"]}), pbx="clinic")
    assert not store.path.exists()


def numbers(store: Store, month: str) -> list[str | None]:
    found = store.scan("calls", month).select("caller_number").collect("pyarrow").to_native()
    return list(found["caller_number"].to_pylist())


def test_numbers_are_read_by_the_country(store: Store) -> None:
    inbound = {"userfield": "Inbound", "src": "2025550142", "channel_ext": "trunk_1", "src_trunk_name": "MainLine"}
    with Pbx([call("2026-01-05 09:00")], "2026-01-20 12:00") as pbx:
        pbx.sync(store, since="2026-01-05", until="2026-01-05")
    store.add(table("2026-02-01 09:00", **inbound), pbx="clinic")
    store.add(table("2026-03-01 09:00", **inbound), pbx="clinic", country="us")
    assert numbers(store, "2026-01") == ["1001"]
    assert numbers(store, "2026-02") == [None]
    assert numbers(store, "2026-03") == ["+12025550142"]

    store.add(table("2026-03-02 09:00", **inbound), pbx="clinic")  # the month knows its country
    assert numbers(store, "2026-03") == ["+12025550142"] * 2
    assert store.add(table("2026-02-01 09:00", **inbound), pbx="clinic", country="US").months == ("2026-02",)
    assert numbers(store, "2026-02") == ["+12025550142"]

    store.rebuild(country="DE")
    assert numbers(store, "2026-02") + numbers(store, "2026-03") == ["+492025550142"] * 3
    before = contents(store)
    store.rebuild()
    assert contents(store) == before
    for reading in (lambda: store.rebuild(country="Germany"), lambda: store.add(no_legs(), pbx="a", country="D")):
        with pytest.raises(SettingError, match="two letters"):
            reading()


def test_a_sync_reads_numbers_by_the_country(store: Store) -> None:
    outward = call("2026-03-09 09:00", callee="2025550142")
    leg = {**outward.legs[0], "userfield": "Outbound", "dst_trunk_name": "MainLine", "dstchannel_ext": "trunk_1"}
    with Pbx([replace(outward, legs=(leg,))], "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-03-09", until="2026-03-09", country="US")
    assert store.calls()[["caller_number", "callee_number", "caller_kind"]].values.tolist() == [
        ["1001", "+12025550142", "extension"]
    ]


def test_legs_without_any_time_are_kept(store: Store) -> None:
    odd = legs_table([{"AcctId": "7", "src": "1001", "dst": "1002"}], pbx="clinic")
    assert store.add(odd, pbx="clinic").months == ("undated",)
    assert dump_legs(read_table(Months(store.path, "clinic").path("legs", "undated"))) == [
        {"AcctId": "7", "src": "1001", "dst": "1002"}
    ]
    assert len(store.legs()) == 1
    assert len(store.legs("2026-03")) == 0
    another = legs_table([{"AcctId": "8", "src": "1001", "dst": "1002"}], pbx="clinic")
    assert store.add(pa.concat_tables([another, odd]), pbx="clinic").new == 1
    assert sorted(store.legs()["acct_id"]) == [7, 8]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_legs_in_any_order_and_number_of_pieces_give_one_store(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stories = generate(clinic(), first=date(2026, 2, 27), last=date(2026, 3, 9), calls_per_day=15, seed=seed)
    days: dict[str, list[dict[str, str]]] = {}
    legs: list[dict[str, str]] = []
    for story in stories:
        made = [{**leg, "AcctId": str(len(legs) + n)} for n, leg in enumerate(story.call.legs)]
        days.setdefault(min(leg["start"] for leg in made)[:10], []).extend(made)
        legs += made
    whole = Store(tmp_path / "whole")
    whole.add(legs_table(legs, pbx="clinic"), pbx="clinic", zone=ZONE)

    monkeypatch.setattr(files, "_ROW_GROUP", 23)
    order = random.Random(seed)
    pieces = [*days.values(), *order.sample([*days.values()], 3)]
    order.shuffle(pieces)
    pieced = Store(tmp_path / "pieced")
    new = sum(pieced.add(legs_table(piece, pbx="clinic"), pbx="clinic", zone=ZONE).new for piece in pieces)
    assert new == len(legs)
    counts = [store.coverage()[["day", "legs"]].to_dict("records") for store in (pieced, whole)]
    assert counts[0] == counts[1]
    assert contents(pieced) | {"coverage": counts} == contents(whole) | {"coverage": counts}
    path = Months(pieced.path, "clinic").path("legs", "2026-03")
    sizes = [pq.read_metadata(path).row_group(n).num_rows for n in range(pq.read_metadata(path).num_row_groups)]
    assert set(sizes[:-1]) == {23} and 0 < sizes[-1] <= 23


def test_merge_counts_by_hand() -> None:
    stored = merge(no_legs(), table("2026-03-01 09:00", "2026-03-01 10:00", "2026-03-02 09:00")).legs
    fresh = table("2026-03-01 09:00", "2026-03-01 10:00")
    newer = legs_table(
        [*raw("2026-03-01 09:00"), {**raw("2026-03-01 10:00")[0], "AcctId": "1", "caller_name": "Anna"}], pbx="clinic"
    )
    assert merge(stored, fresh).updated == 0
    merged = merge(stored, pa.concat_tables([newer, table("2026-03-01 11:00")]), days=[date(2026, 3, 2)])
    assert (merged.new, merged.updated, merged.legs.num_rows) == (1, 1, 4)
    assert merged.vanished == {date(2026, 3, 2): 1}
    assert merged.legs["caller_name"].to_pylist() == [None, "Anna", None, None]


def test_merge_does_not_depend_on_the_order_of_rows() -> None:
    legs = table(*[f"2026-03-{day:02d} {hour:02d}:00" for day in range(1, 11) for hour in range(8, 18)])
    expected = merge(no_legs(), legs).legs
    rows = list(range(legs.num_rows))
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        shuffled = legs.take(pa.array(rows))
        assert plain(merge(no_legs(), shuffled).legs) == plain(expected)
        half = merge(no_legs(), shuffled.slice(0, 50)).legs
        assert plain(merge(half, shuffled.slice(30)).legs) == plain(expected)


def test_months_and_days_of_legs() -> None:
    legs = table("2026-02-28 23:30", "2026-03-01 00:30", "2026-03-01 01:00", end="2026-03-01 03:00:00")
    assert {month: part.num_rows for month, part in by_month(legs).items()} == {"2026-02": 2, "2026-03": 1}
    assert call_days(legs).to_pylist() == [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 1)]
    assert longest_call_s(legs) == 3 * 3600 + 1800
    assert longest_call_s(no_legs()) == 0


def test_legs_without_a_number_are_told_apart_by_what_they_say(store: Store) -> None:
    """Six menu legs of one session without AcctId and dstchannel; and the newer version of one of them."""
    legs = [
        {"session": "1772438400000001-1000", "src": "1000", "dst": f"70{n:02d}", "AcctId": number}
        | {"start": f"2026-03-02 08:00:{n:02d}", "lastapp": "Background", "action_type": f"IVR[70{n:02d}]"}
        for n, number in enumerate(["", "", "", "x", "9" * 30, "9" * 30])
    ]
    assert store.add(legs_table(legs, pbx="clinic"), pbx="clinic").new == 6
    again = store.add(legs_table([*legs, legs[0] | {"recordfiles": "2026-03/a.wav@"}], pbx="clinic"), pbx="clinic")
    assert (again.new, again.updated) == (0, 1)
    assert sorted(store.legs()["dst"]) == [leg["dst"] for leg in legs]
    assert store.coverage()["legs"].sum() == 6


def test_the_zone_of_a_pbx_is_that_of_its_newest_month_that_names_one(store: Store) -> None:
    assert store.zones() == {}
    store.add(table("2026-02-28 09:00"), pbx="clinic", zone=ZoneInfo("America/New_York"))
    store.add(table("2026-03-02 09:00"), pbx="clinic", zone=ZONE)
    store.add(table("2026-04-02 09:00"), pbx="clinic")  # names none
    store.add(table("2026-04-02 09:00"), pbx="north")
    assert store.zones() == store.zones("clinic") == {"clinic": ZONE}
    assert store.zones("north") == {}
    store.rebuild(zone=ZoneInfo("Asia/Kolkata"))
    assert {name: zone.key for name, zone in store.zones().items()} == dict.fromkeys(store.pbxs, "Asia/Kolkata")
