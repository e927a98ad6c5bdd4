"""Every analysis on Spark gives what it gives in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.analyses.frames import as_arrow, table
from tests.analyses.runs import RUNS, TABLES
from tests.analyses.test_kinds_of_frame import ANSWERING
from tests.engines import same
from tests.spark.conftest import Make
from ucm_analytics import analyses
from ucm_analytics.errors import WrongColumns
from ucm_analytics.period import Period


@cache
def blank(name: str) -> pa.Table:
    """Two rows of nothing but NA."""
    schema = TABLES[name].schema
    return pa.table([pa.nulls(2, field.type) for field in schema], schema=schema)


@pytest.mark.parametrize("name", RUNS)
def test_the_answer_is_that_of_pyarrow_and_comes_back_on_spark(name: str, on_spark_gives: Callable[[str], Any]) -> None:
    result = on_spark_gives(name)
    assert isinstance(result, DataFrame)
    assert same(result, name) == ""


@pytest.mark.parametrize("few", ["no rows", "one row", "nothing but NA"])
@pytest.mark.parametrize("name", ANSWERING)
def test_few_rows(name: str, few: str, on_spark: Make, made: dict[tuple[str, str], Any]) -> None:
    tables = {}
    for kind, rows in TABLES.items():
        if (few, kind) not in made:
            less = {"no rows": rows.slice(0, 0), "one row": rows.slice(0, 1), "nothing but NA": blank(kind)}[few]
            made[few, kind] = less, on_spark(less)
        tables[kind] = made[few, kind]
    expected = as_arrow(RUNS[name]({kind: arrow for kind, (arrow, _) in tables.items()}))
    found = as_arrow(RUNS[name]({kind: frame for kind, (_, frame) in tables.items()}))
    assert found.schema.equals(expected.schema)
    for column in expected.column_names:
        exact = expected[column].to_pylist()
        assert found[column].to_pylist() == (
            pytest.approx(exact, nan_ok=True) if found.schema.field(column).type == pa.float64() else exact
        ), column


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], Any]:
    return {}


@pytest.mark.parametrize("name", RUNS)
def test_a_frame_without_its_columns_is_refused_by_name(name: str, spark: SparkSession) -> None:
    bare = spark.createDataFrame([(1,)], "unrelated int")
    with pytest.raises(WrongColumns, match=r"lacks the columns \w+"):
        RUNS[name](dict.fromkeys(TABLES, bare))


def test_an_instant_is_no_wall_time(frames: dict[str, Any]) -> None:
    calls = frames["calls"].withColumn("local_at", frames["calls"]["local_at"].cast("timestamp"))
    with pytest.raises(WrongColumns, match="local_at is Datetime"):
        analyses.call_volume(calls)


def test_wall_times_stay_what_they_are_in_any_zone_of_the_session(spark: SparkSession, on_spark: Make) -> None:
    """On 29 March 2026 the session's clock has no 02:30; a day of the PBX's begins and ends by its own clock."""
    hours = ["2026-03-29 00:00", "2026-03-29 02:30", "2026-03-29 23:59", "2026-03-30 00:00", "2026-03-28 23:59"]
    calls = on_spark(table("calls", "local_at utc_offset_s", [(hour, 0) for hour in hours]))
    found = as_arrow(analyses.call_volume(calls, period=Period.of("2026-03-29")))
    counted = {at: n for at, n in zip(*(found[c].to_pylist() for c in ("local_at", "calls")), strict=True) if n}
    assert counted == {datetime(2026, 3, 29, hour): 1 for hour in (0, 2, 23)}
    by_month = analyses.call_volume(calls, freq="1mo")
    assert by_month.collect()[0]["local_at"] == datetime(2026, 3, 1)
    assert by_month.collect()[0]["calls"] == len(hours)
