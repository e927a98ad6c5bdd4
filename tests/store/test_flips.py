"""No bit that flips in a file is read as another value; `make soak` flips one in every byte."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.store.flips import file_read, flipped, last_bits, outcomes, write
from tests.store.pretend import Pbx, daily
from ucm_analytics.errors import DamagedFile
from ucm_analytics.store import Store
from ucm_analytics.store.files import Footer, check, read_footer, read_table, rows_between, write_table

TABLES = ("legs", "steps", "rings", "calls", "directory")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(tmp_path_factory.mktemp("made") / "store")
    with Pbx(daily(date(2026, 3, 2), date(2026, 3, 3)), "2026-03-20 12:00") as pbx:
        pbx.sync(store, since="2026-03-02", until="2026-03-03")
    return store.path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copytree(made, tmp_path / "store"))


def file(store: Store, table: str) -> Path:
    (path,) = (store.path / table).rglob("part.parquet")
    return path


def some(bits: int, number: int) -> Iterable[int]:
    return random.Random(20260302).sample(range(bits), number)


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_no_flip_in_a_file_goes_unseen(store: Store, table: str) -> None:
    path = file(store, table)
    bits = [*some(path.stat().st_size * 8, 200), *last_bits(path, 20)]
    found = outcomes(path, bits, file_read(path))
    print(f"{table}: {len(bits):,} bits flipped, {dict(found)}")
    assert found["unseen"] == 0
    assert found["named"] > 0.9 * len(bits)


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_no_flip_goes_unseen_by_a_store(store: Store, table: str) -> None:
    path = file(store, table)

    def read() -> Any:
        answers: list[pd.DataFrame] = [store.coverage(), store.directory()]
        if table != "directory":
            answers += [
                getattr(store, table)("2026-03"),
                store.scan(table, "2026-03").collect().to_native().to_pandas(),
            ]  # type: ignore[arg-type]
        return [answer.astype(str).to_dict("records") for answer in answers]

    found = outcomes(path, some(path.stat().st_size * 8, 8), read)
    assert found["unseen"] == 0, found


def test_a_build_reads_no_flip(store: Store) -> None:
    path = file(store, "legs")
    whole = path.read_bytes()
    found = Counter[str]()
    for bit in some((len(whole) // 3) * 8, 10):  # among the rows
        with flipped(path, whole, bit), pytest.raises(DamagedFile, match="move it away"):
            store.rebuild()
        found["named"] += 1
    assert len(store.calls()) == 4
    assert found == {"named": 10}


def test_rows_between_reads_no_flip(store: Store) -> None:
    path = file(store, "legs")
    rows = outcomes(path, some(path.stat().st_size * 8, 100), lambda: [*rows_between(path, "called_at")])
    assert rows["unseen"] == 0


def test_every_page_of_a_file_carries_its_checksum(store: Store) -> None:
    """Other readers of Parquet can see a flip as well."""
    path = file(store, "legs")
    whole = path.read_bytes()
    column = pq.read_metadata(path).row_group(0).column(0)
    first = column.dictionary_page_offset or column.data_page_offset
    last = (first + column.total_compressed_size - 3) * 8
    with flipped(path, whole, last), pytest.raises(OSError, match="CRC checksum"):
        pq.ParquetFile(path, page_checksum_verification=True).read()


def test_files_without_checksums_are_read(store: Store) -> None:
    expected = store.legs().to_dict("records")
    path = file(store, "legs")
    rows, footer = read_table(path), read_footer(path)
    assert footer
    pq.write_table(rows.replace_schema_metadata({b"ucm_analytics": msgspec.json.encode(footer)}), path)
    assert store.legs().to_dict("records") == expected
    assert len(store.scan("legs").collect().to_native()) == 4
    whole = bytearray(path.read_bytes())
    whole[4:2000] = bytes(1996)
    write(path, whole)
    for reading in (store.legs, store.rebuild, lambda: store.scan("legs")):
        with pytest.raises(DamagedFile, match="move it away"):
            reading()


def test_what_a_pbx_sends_is_not_taken_for_a_checksum(tmp_path: Path) -> None:
    path = tmp_path / "legs" / "part.parquet"
    mark = "ucm_analytics.crc32\x18\x100000000000000000"
    rows = pa.table({mark: [mark, mark + "z"]})
    write_table(rows, path, Footer(id=mark, country=mark), scratch=tmp_path / "scratch")
    check(path)
    assert read_table(path).equals(rows)
    assert outcomes(path, last_bits(path, 40), file_read(path))["unseen"] == 0
