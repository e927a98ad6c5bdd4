"""What comes out: periods, columns, types, lazy frames, and the folder as other tools see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest

from tests.store.pretend import Pbx, call, daily
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.period import Period
from ucm_analytics.schema import STORED, TableName
from ucm_analytics.store import Store

TABLE_NAMES: list[TableName] = list(STORED)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """27 February to 3 March, at midnight, 00:30, 09:00 and 23:30 each, of two PBXs."""
    store = Store(tmp_path_factory.mktemp("read") / "store")
    calls = daily(date(2026, 2, 27), date(2026, 3, 3), hours=(0, 9))
    calls += [call(f"{day} {time}") for day in ("2026-02-28", "2026-03-01") for time in ("00:30", "23:30")]
    with Pbx(calls, "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-02-27", until="2026-03-03")
        pbx.sync(store, pbx="branch", since="2026-03-03", until="2026-03-03")
    yield store


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_a_period_is_days_of_the_wall_clock(filled: Store, table: TableName) -> None:
    def rows(*period: str) -> int:
        whole = getattr(filled, table)(*period, pbx="clinic")
        assert len(whole) == len(filled.scan(table, *period, pbx="clinic").collect().to_native())
        return len(whole)

    # each call has one leg, one step and one ring
    assert rows() == 14
    assert rows("2026-02-28") == 4
    assert rows("2026-03-01") == 4
    assert rows("2026-02") == 6
    assert rows("2026-03") == 8
    assert rows("2026-02-28", "2026-03-01") == 8
    assert rows("2026-W09") == 10
    assert rows("2026-01-01", "2026-12-31") == 14
    assert rows("2025-01") == 0


def test_both_pbxs_or_one(filled: Store) -> None:
    assert filled.pbxs == ["branch", "clinic"]
    assert filled.calls("2026-03-03")["pbx"].tolist() == ["branch", "branch", "clinic", "clinic"]
    assert len(filled.calls("2026-03-03", pbx="branch")) == 2
    assert len(filled.scan("steps", "2026-03-03").collect().to_native()) == 4


def test_status_of_each_pbx(filled: Store) -> None:
    status = filled.status()
    assert list(status) == ["branch", "clinic"]
    assert filled.status("branch") == {"branch": status["branch"]}
    assert [(each.legs, each.set_aside) for each in status.values()] == [(2, {}), (14, {})]
    clinic = status["clinic"]
    assert (clinic.first_day, clinic.last_day) == (date(2026, 2, 27), date(2026, 3, 3))
    assert (clinic.settled_days, clinic.provisional_days, clinic.missing_days) == (5, 0, 0)
    assert clinic.last_pull == datetime(2026, 3, 20, 11, tzinfo=UTC)  # 12:00 in Berlin


def test_a_store_without_calls_is_refused_where_some_are_needed(filled: Store, tmp_path: Path) -> None:
    empty = Store(tmp_path / "nothing")
    assert empty.status() == {}
    filled.check("branch")
    for store, pbx, message in ((empty, None, "holds no calls"), (filled, "north", "holds no PBX 'north'")):
        with pytest.raises(NoData, match=message):
            store.check(pbx)
    with pytest.raises(NoData, match="north"):
        filled.status("north")


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_types_are_those_of_the_schema_with_and_without_rows(filled: Store, table: TableName) -> None:
    expected = {
        "string": "str",
        "category": "category",
        "int64": "Int64",
        "int32": "Int32",
        "bool": "bool",
        "wall": "datetime64[us]",
        "utc": "datetime64[us, UTC]",
        "map": "object",
    }
    for frame in (getattr(filled, table)("2026-03"), getattr(filled, table)("2019-03")):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
            column.name: expected[column.dtype] for column in STORED[table]
        }
    lazy, empty = filled.scan(table, "2026-03").collect_schema(), filled.scan(table, "2019-03").collect_schema()
    assert lazy == empty
    assert lazy.names() == [column.name for column in STORED[table]]


def test_instants_of_a_scan_are_utc(filled: Store) -> None:
    assert filled.scan("calls").collect_schema()["started_at"] == nw.Datetime("us", "UTC")


def test_chosen_columns_come_in_the_order_asked_for(filled: Store) -> None:
    frame = filled.calls("2026-02-28", columns=["talk_s", "caller"])
    assert list(frame.columns) == ["talk_s", "caller"]
    assert len(frame) == 4
    assert list(filled.steps("2026-02-28", columns=["kind"]).columns) == ["kind"]


def test_scans_of_one_store_can_be_joined(filled: Store) -> None:
    calls = filled.scan("calls", "2026-03", pbx="clinic").select("call_id", "outcome")
    steps = filled.scan("steps", "2026-03", pbx="clinic").select("call_id", "kind")
    joined = steps.join(calls, on="call_id").group_by("outcome", "kind").agg(nw.len().alias("n")).collect()
    assert joined.rows(named=True) == [{"outcome": "answered", "kind": "extension", "n": 8}]


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_other_tools_read_the_folder_as_it_is(filled: Store, table: TableName) -> None:
    folder = filled.path / table
    names = [column.name for column in STORED[table]]
    by_pandas = pd.read_parquet(folder)
    by_polars = pl.read_parquet(folder)
    by_duckdb = duckdb.sql(f"SELECT * FROM '{folder}/**/*.parquet'").to_arrow_table()
    for columns in (list(by_pandas.columns), by_polars.columns, by_duckdb.column_names):
        assert sorted(columns) == sorted([*names, "month"])
    assert len(by_pandas) == len(by_polars) == len(by_duckdb) == 16
    assert sorted(by_pandas["month"].unique()) == ["2026-02", "2026-03"]
    assert sorted(by_polars["pbx"].cast(pl.String).unique()) == ["branch", "clinic"]


def test_nothing_but_parquet_lies_in_the_datasets(filled: Store) -> None:
    files = [file for table in (*TABLE_NAMES, "directory") for file in (filled.path / table).rglob("*")]
    assert {file.name for file in files if file.is_file()} == {"part.parquet"}


def test_arguments_that_cannot_be_used(filled: Store, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="is no period"):
        filled.calls("2026-13")
    with pytest.raises(SettingError, match="before it starts"):
        filled.calls("2026-03-02", "2026-03-01")
    with pytest.raises(SettingError, match="needs its first day"):
        filled.calls(last="2026-03-01")
    with pytest.raises(SettingError, match="calls has no column talk"):
        filled.calls(columns=["talk"])
    with pytest.raises(SettingError, match="is no table"):
        filled.scan("call")  # type: ignore[arg-type]
    with pytest.raises(NoData, match="it holds branch, clinic"):
        filled.calls(pbx="clinc")
    with pytest.raises(SettingError, match="is no folder of this machine"):
        Store("s3://bucket/store")
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="is a file"):
        Store(tmp_path / "file")


def test_a_period_object_is_taken_as_it_is(filled: Store) -> None:
    assert len(filled.calls(Period.of("2026-02"), pbx="clinic")) == 6


def test_reading_an_empty_store_says_so_and_makes_nothing(store: Store) -> None:
    with pytest.raises(NoData, match="ucm-analytics sync"):
        store.calls("2026-03")
    assert store.coverage().empty
    assert store.coverage("2026-03", pbx="clinic")["state"].unique().tolist() == ["missing"]
    assert repr(store).endswith("no PBX, no days, 0.0 MB)")
    assert "<table" in store._repr_html_()
    assert not store.path.exists()


def test_the_store_describes_itself(filled: Store) -> None:
    assert f"{filled.path}': branch, clinic, 2026-02-27 to 2026-03-03, 0.1 MB" in repr(filled)
    assert "<td>settled</td>" in filled._repr_html_()


def test_the_path_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UCM_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("UCM_DATA", str(tmp_path / "elsewhere"))
    assert Store().path == tmp_path / "elsewhere"
    monkeypatch.delenv("UCM_DATA")
    assert Store().path == Path("data/store")


def test_the_store_of_several_pbxs_needs_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("UCM_DATA", raising=False)
    monkeypatch.setenv("UCM_CONFIG", str(tmp_path / "config.toml"))
    tables = '[pbx.clinic]\nurl = "https://192.0.2.10"\n[pbx.school]\nurl = "https://192.0.2.11"\n'
    (tmp_path / "config.toml").write_text(f'data = "{tmp_path / "calls"}"\n{tables}')
    assert Store().path == tmp_path / "calls"


def test_a_folder_with_a_quote_in_its_name(tmp_path: Path) -> None:
    store = Store(tmp_path / "Anna's store")
    with Pbx([call("2026-03-09 09:00")], "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-03-09", until="2026-03-09")
    assert len(store.scan("steps", "2026-03").collect().to_native()) == 1


def test_a_store_sees_what_a_sync_brought_since_the_last_look(store: Store) -> None:
    with Pbx([call("2026-03-09 09:00")], "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-09")
        scanned = store.scan("calls", "2026-03")
        assert (len(store.calls()), len(scanned.collect().to_native())) == (1, 1)
        pbx.sim.add(call("2026-03-09 13:00"))
        pbx.sync(store, now="2026-03-09 14:00")
    assert (len(store.calls()), len(store.scan("calls", "2026-03").collect().to_native())) == (2, 2)
    assert len(scanned.collect().to_native()) == 2
