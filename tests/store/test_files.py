"""Files of several row groups: written in full ones, read between two instants."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ucm_analytics.store import files
from ucm_analytics.store.files import Footer, read_footer, rows_between, write_table

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def rows(*minutes: int | None) -> pa.Table:
    at = [None if minute is None else NOON.replace(minute=minute) for minute in minutes]
    return pa.table({"called_at": pa.array(at, pa.timestamp("us", tz="UTC")), "minute": pa.array(minutes, pa.int64())})


@pytest.mark.parametrize(
    ("parts", "groups"),
    [
        ([0], [0]),
        ([4], [4]),
        ([4, 0], [4]),
        ([0, 4, 4], [4, 4]),
        ([9], [4, 4, 1]),
        ([1, 2, 3, 4, 5], [4, 4, 4, 3]),
    ],
)
def test_row_groups_are_full(
    parts: list[int], groups: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_ROW_GROUP", 4)
    path = tmp_path / "legs" / "part.parquet"
    made = [rows(*range(sum(parts[:n]), sum(parts[: n + 1]))) for n in range(len(parts))]
    write_table(iter(made), path, Footer(id="these"), scratch=tmp_path / "scratch")
    written = pq.ParquetFile(path)
    assert [written.metadata.row_group(n).num_rows for n in range(written.num_row_groups)] == groups
    assert written.read()["minute"].to_pylist() == list(range(sum(parts)))
    assert read_footer(path) == Footer(id="these")


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (None, None, [0, 1, 2, 3, 4, 5]),
        (2, None, [2, 3, 4, 5]),
        (None, 3, [0, 1, 2]),
        (1, 5, [1, 2, 3, 4]),
        (0, 6, [0, 1, 2, 3, 4, 5]),
        (6, 9, []),
    ],
)
def test_rows_between_two_instants(
    low: int | None, high: int | None, found: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_ROW_GROUP", 3)
    path = tmp_path / "legs" / "part.parquet"
    write_table(rows(0, 1, 2, 3, None, 4, 5, None), path, Footer(), scratch=tmp_path / "scratch")
    between = (None if minute is None else NOON.replace(minute=minute) for minute in (low, high))
    assert [
        minute for part in rows_between(path, "called_at", *between) for minute in part["minute"].to_pylist()
    ] == found
