"""Every analysis on both engines, and every kind of frame; `make test-spark` runs each on each."""

from __future__ import annotations

import inspect
from functools import cache
from itertools import product
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.analyses.frames import ENGINES, KINDS, SOME_KEYS, as_arrow, calls, rings, steps
from tests.analyses.runs import RUNS, TABLES
from ucm_analytics import analyses
from ucm_analytics.errors import WrongColumns

ARROW_OF = {
    "category": pa.string(),
    "string": pa.string(),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "wall": pa.timestamp("us"),
}

ANSWERING = [name for name in RUNS if name != "forecast"]
"""forecast() refuses too short a history instead: see test_forecast."""


@cache
def answer(name: str, kind: str = "pyarrow") -> Any:
    return RUNS[name]({table: KINDS[kind](frame) for table, frame in TABLES.items()})


def analysis(name: str) -> Any:
    return getattr(analyses, name.partition(" ")[0])


def test_every_analysis_is_run_here() -> None:
    assert {name.partition(" ")[0] for name in RUNS} == set(analyses.__all__)
    assert len(RUNS) > len(analyses.__all__) > 30


EVERY_TABLE = ["extensions", "ivr_choices", "reconciliation", "coverage_calendar", "affected_reports"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [*product(RUNS, ENGINES), *product(EVERY_TABLE, sorted(KINDS.keys() - ENGINES - {"pyarrow"}))],
)
def test_equal_answers_and_types(name: str, kind: str) -> None:
    expected = as_arrow(answer(name))
    found = as_arrow(answer(name, kind))
    assert found.schema.equals(expected.schema)
    for column in expected.column_names:
        values = expected[column].to_pylist()
        exact = values if expected.schema.field(column).type != pa.float64() else pytest.approx(values)
        assert found[column].to_pylist() == exact, column
    declared = {column.name: column for column in analysis(name).columns}
    for column in expected.column_names:
        if column in declared:
            assert expected.schema.field(column).type == ARROW_OF[declared[column].dtype], column
    assert {n for n, column in declared.items() if not column.optional} <= set(expected.column_names)


@pytest.mark.parametrize(
    ("kind", "comes_back"),
    [
        ("pandas", pd.DataFrame),
        ("pyarrow", pa.Table),
        ("polars", pl.DataFrame),
        ("polars lazy", pl.LazyFrame),
        ("duckdb", duckdb.DuckDBPyRelation),
        ("narwhals", pd.DataFrame),
    ],
)
def test_what_goes_in_comes_out(kind: str, comes_back: type) -> None:
    assert isinstance(analyses.ivr_paths(KINDS[kind](TABLES["calls"])), comes_back)


@pytest.mark.parametrize("name", RUNS)
def test_pandas_types_are_those_declared(name: str) -> None:
    result = answer(name, "pandas")
    pandas = {"string": "str", "wall": "datetime64[us]"}
    for column in analysis(name).columns:
        if column.name in result:
            assert str(result[column.name].dtype) == pandas.get(column.dtype, column.dtype), column.name


@pytest.mark.parametrize("name", ANSWERING)
@pytest.mark.parametrize("kind", [*ENGINES, "narwhals"])
def test_no_rows(name: str, kind: str) -> None:
    full = as_arrow(answer(name))
    nothing = {table: KINDS[kind](frame.slice(0, 0)) for table, frame in TABLES.items()}
    result = as_arrow(RUNS[name](nothing))
    assert result.schema.equals(full.schema)
    if "calls" in result.column_names:
        assert sum(result["calls"].to_pylist()) == 0
    for rate in ("answered_rate", "share", "calls_per_day"):
        if rate in result.column_names:
            assert set(result[rate].to_pylist()) <= {None}


@pytest.mark.parametrize("name", ANSWERING)
def test_one_row(name: str) -> None:
    full = as_arrow(answer(name))
    one = {table: frame.slice(0, 1) for table, frame in TABLES.items()}
    assert as_arrow(RUNS[name](one)).schema.equals(full.schema)


@pytest.mark.parametrize("name", ANSWERING)
def test_nothing_but_na(name: str) -> None:
    full = as_arrow(answer(name))
    blank = {t: pd.DataFrame(dict.fromkeys(frame.column_names, (None, None))) for t, frame in TABLES.items()}
    assert as_arrow(RUNS[name](blank)).schema.equals(full.schema)


@pytest.mark.parametrize("name", RUNS)
def test_a_frame_without_its_columns_is_refused_by_name(name: str) -> None:
    bare = {table: pd.DataFrame({"unrelated": [1]}) for table in TABLES}
    with pytest.raises(WrongColumns, match=r"lacks the columns \w+"):
        RUNS[name](bare)


def test_the_missing_columns_are_named() -> None:
    made = calls("local_at").drop(columns=["outcome", "is_forward"])
    with pytest.raises(WrongColumns, match="calls lacks the columns outcome, is_forward"):
        analyses.call_volume(made)
    with pytest.raises(WrongColumns, match="rings lacks the columns ring_s"):
        analyses.extensions(calls("local_at"), rings("extension").drop(columns="ring_s"))
    with pytest.raises(WrongColumns, match="menus lacks the columns key"):
        analyses.ivr_choices(steps("call_id"), SOME_KEYS.drop(columns="key"))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("local_at", ["2026-03-02 09:00:00"]),
        ("local_at", pd.to_datetime(["2026-03-02 09:00:00"]).tz_localize("UTC")),
        ("outcome", [7]),
        ("utc_offset_s", ["3600"]),
        ("utc_offset_s", [3600.5]),
        ("is_forward", ["no"]),
    ],
)
@pytest.mark.parametrize("kind", ["pandas", "polars lazy", "narwhals"])
def test_a_wrong_type_is_named(column: str, values: Any, kind: str) -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",)).assign(**{column: values})
    frame = made if kind == "pandas" else KINDS[kind](pa.Table.from_pandas(made, preserve_index=False))
    with pytest.raises(WrongColumns, match=f"{column} is"):
        analyses.call_volume(frame)


def test_mixed_types_are_refused() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-03-02 10:00:00",))
    made["outcome"] = pd.Series([1, "answered"], dtype="object")
    with pytest.raises(WrongColumns):
        analyses.call_volume(made)


@pytest.mark.parametrize("thing", [[1, 2], {"a": 1}, None, "calls.parquet"])
def test_what_is_no_frame_is_refused(thing: Any) -> None:
    with pytest.raises(WrongColumns, match="which is no frame"):
        analyses.call_volume(thing)


def test_plain_text_columns_do_as_well_as_categories() -> None:
    made = TABLES["calls"].to_pandas()
    plain = made.astype(dict.fromkeys(made.select_dtypes("category"), "str"))
    for run in (RUNS["durations by"], RUNS["call_volume by"], RUNS["ivr_paths"]):
        assert as_arrow(run({"calls": made})) == as_arrow(run({"calls": plain}))


def test_narwhals_frames_of_either_version_are_taken() -> None:
    import narwhals

    expected = analyses.ivr_paths(TABLES["calls"].to_pandas())
    for lazy in (narwhals.from_native(TABLES["calls"]).lazy(), nw.from_native(TABLES["calls"])):
        pd.testing.assert_frame_equal(analyses.ivr_paths(lazy), expected)


@pytest.mark.parametrize("name", analyses.__all__)
def test_conventions(name: str) -> None:
    function = getattr(analyses, name)
    doc = inspect.getdoc(function) or ""
    for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
        assert f"\n{section}\n---" in doc, section
    assert doc.splitlines()[0].endswith(".")
    parameters = inspect.signature(function).parameters.values()
    assert sum(p.kind is not p.KEYWORD_ONLY for p in parameters) <= 2
    assert next(iter(parameters)).name in TABLES
    for column in function.columns:
        assert f"{column.name}" in doc, column.name
        if column.name.endswith("_s"):
            assert column.unit == "s", column.name
