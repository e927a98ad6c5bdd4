"""Parquet files of the store: written whole or not at all, and each says where it came from.

A file is written beside the dataset, flushed to the disk and renamed into place, so a kill at any
instant leaves the old file or the new one. The footer of a legs file holds what is known about its
days; there is no second list that could disagree.

Each file carries checksums of all its bytes (docs/decisions/0013): a bit that flips is never read as
another value.
"""

from __future__ import annotations

import errno
import os
import stat
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import lru_cache, reduce
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ucm_analytics.errors import DamagedFile, ForeignFile, StoreError
from ucm_analytics.schema import DIRECTORY, STORED, VERSION, Column

T = TypeVar("T")

_META: Final = b"ucm_analytics"
_CHECKSUMS: Final = b"ucm_analytics.crc32"
"""Of the bytes before the footer, and of the footer with zeros in place of its own: eight digits each."""

_VALUE: Final = b"\x18\x10"
"""What stands between a name and its value in a footer: the value's type and length."""

_ZERO: Final = b"0" * 8
_MAGIC: Final = b"PAR1"
_ROW_GROUP = 50_000
_CHUNK: Final = 1 << 20
_TORN = (OSError, pa.ArrowException, msgspec.MsgspecError, KeyError, ValueError)
_IN_THE_WAY = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENXIO}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Day(msgspec.Struct, frozen=True):
    """What is known about one local day: how it was asked for and what came.

    Attributes
    ----------
    state : str
        `settled` days are never asked for again.
    source : str
        `pbx`, or `file` for legs that were imported.
    legs, pages, vanished : int
        Legs of the day, pages they came in, and stored legs that the PBX no longer sends.
    longest_s : int
        Longest call that came [s].
    pulled_at : datetime
        When the look at the day began, UTC.
    asked_from, asked_to : datetime, optional
        Window that was asked for, on the PBX's wall clock; None for files.
    serial : str
        Serial number of the PBX that was asked; empty where it does not tell.
    """

    state: Literal["settled", "provisional"]
    source: Literal["pbx", "file"]
    legs: int
    pages: int
    longest_s: int
    pulled_at: datetime
    asked_from: datetime | None = None
    asked_to: datetime | None = None
    firmware: str = ""
    sha256: str = ""
    vanished: int = 0
    serial: str = ""


class Footer(msgspec.Struct, frozen=True):
    """Where a file came from.

    Attributes
    ----------
    version : int
        `schema.VERSION` of the code that wrote it.
    id : str
        Names these very legs; empty on other tables.
    made_from : str
        `id` of the legs that a table was made from; empty on legs.
    month : str
        Month of the file; empty in files of older versions.
    zone, country : str
        Time zone and country of the PBX, where they were known.
    days : dict
        Local days of the file's month.
    """

    version: int = VERSION
    id: str = ""
    made_from: str = ""
    month: str = ""
    zone: str = ""
    country: str = ""
    days: dict[date, Day] = msgspec.field(default_factory=dict)


def read_footer(path: Path) -> Footer | None:
    """Footer of a file, None where there is no file.

    Raises
    ------
    DamagedFile
        The file is there and cannot be read, or was not written by this package.
    """
    try:
        return _twice(lambda: _opened(path, _version(path)).footer, path)
    except FileNotFoundError:
        return None


def check(path: Path) -> None:
    """Look at every byte of a file, once in this process, for an engine that reads it without looking at checksums.

    A file of a time before there were checksums is read as far as it goes.

    Raises
    ------
    DamagedFile
        It is not as it was written.
    FileNotFoundError
        There is no such file.
    """
    _twice(lambda: _checked(path, _version(path)), path)


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Rows of a file, or some of its columns.

    Raises
    ------
    DamagedFile
        The file cannot be read.
    FileNotFoundError
        There is no such file.
    """
    return _twice(lambda: _rows(path, columns), path)


def rows_between(
    path: Path, column: str, low: datetime | None = None, high: datetime | None = None
) -> Iterator[pa.Table]:
    """Rows of a sorted file with `column` in [low, high), one table for each row group that has some.

    Raises
    ------
    DamagedFile
        The file cannot be read.
    """
    try:
        with _parquet(path, _version(path)) as file:
            place = file.schema_arrow.get_field_index(column)
            for number in range(file.num_row_groups):
                known = file.metadata.row_group(number).column(place).statistics
                passed = known and known.has_min_max and ((low and known.max < low) or (high and known.min >= high))
                if not passed:
                    yield _between(file.read_row_group(number).replace_schema_metadata(None), column, low, high)
    except _TORN as error:
        raise damaged(path) from error


def write_table(rows: pa.Table | Iterable[pa.Table], path: Path, footer: Footer, *, scratch: Path) -> None:
    """Write a file at once: another process sees the old file or the new one.

    Parameters
    ----------
    rows : pyarrow.Table or iterable of them
        The rows, sorted, in one table or several of one schema.
    path : Path
        Where the file belongs.
    footer : Footer
        Where the rows came from.
    scratch : Path
        Where the file is written first: on the same file system, outside the dataset.

    Raises
    ------
    StoreError
        The folder is not writable or the disk is full; the old file is as it was.
    """
    groups = _groups([rows] if isinstance(rows, pa.Table) else rows)
    first = next(groups)
    schema = first.schema.with_metadata({_META: msgspec.json.encode(footer), _CHECKSUMS: _ZERO * 2})
    try:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        scratch.unlink(missing_ok=True)
        new = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(scratch, schema, compression="zstd", write_page_checksum=True) as file:
            file.write_table(first.replace_schema_metadata(schema.metadata))
            del first
            for group in groups:
                file.write_table(group.replace_schema_metadata(schema.metadata))
        _seal(scratch)
        replace(scratch, path)
        for folder in new:
            _flush(folder.parent)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def replace(temporary: Path, path: Path) -> None:
    """Put a finished file in its place, so that it stays there after a power cut."""
    _flush(temporary)
    temporary.replace(path)
    _flush(path.parent)


def unwritable(path: Path, error: OSError) -> StoreError:
    """Error for a file that could not be written."""
    if error.errno in _NO_ROOM:
        hint = "make room on the disk and sync again; the store is as it was before this file"
        return StoreError(f"no room to write {path}", hint=hint)
    do = "move away what lies there" if error.errno in _IN_THE_WAY else "make the folder writable"
    return StoreError(f"cannot write {path} ({error.strerror or error})", hint=f"{do}, or choose another one")


def unreadable(path: Path, error: OSError) -> StoreError:
    """Error for a folder that could not be looked into."""
    return StoreError(
        f"cannot read {path} ({error.strerror or error})",
        hint="make it a folder that this user may read, or move it away",
    )


def folders(parent: Path, key: str, allowed: Callable[[str], bool]) -> list[str]:
    """Names of the folders ``key=name`` in a folder, in order; what else is called so is left out.

    Raises
    ------
    StoreError
        The folder cannot be looked into.

    Warns
    -----
    ForeignFile
        Something is left out.
    """
    names = []
    try:
        for entry in sorted(parent.iterdir()):
            start, _, name = entry.name.partition("=")
            if start != key:
                continue
            if allowed(name) and entry.is_dir():
                names.append(name)
            else:
                why = "it is no folder" if allowed(name) else f"{name!r} names no {key}"
                warnings.warn(f"{entry} is left out: {why}; move it away", ForeignFile, stacklevel=2)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not parent.is_symlink():
            return []
        raise unreadable(parent, error) from error
    return names


def is_there(path: Path) -> bool:
    """Whether there is a file, be it readable or not.

    Raises
    ------
    StoreError
        Its folder cannot be looked into.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(path.parent, error) from error
    return True


class _Opened(NamedTuple):
    """A file's footer, how many bytes lie before it, and their checksum, if there is one."""

    footer: Footer
    before: int
    crc: bytes


def _version(path: Path) -> tuple[int, ...]:
    """What no two versions of a file share: a file is never written in place."""
    try:
        state = path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():
            raise OSError(f"{path} leads to nothing") from error
        raise
    if not stat.S_ISREG(state.st_mode):  # a pipe would be waited for
        raise OSError(f"{path} is no file")
    return state.st_dev, state.st_ino, state.st_mtime_ns, state.st_ctime_ns, state.st_size


# every look at a store asks for the footers of all its months
@lru_cache(maxsize=10_000)
def _opened(path: Path, _of: tuple[int, ...]) -> _Opened:
    with path.open("rb") as file:
        before, tail = _split(file)
    crc = b""
    if (at := tail.rfind(_CHECKSUMS)) >= 0:  # what a PBX sent can stand only before them
        place = at + len(_CHECKSUMS + _VALUE)
        crc, own = bytes(tail[place : place + 8]), bytes(tail[place + 8 : place + 16])
        tail[place + 8 : place + 16] = _ZERO
        if own != _digits(zlib.crc32(tail)):
            raise OSError(f"the footer of {path} is not as it was written")
    metadata = pq.read_metadata(path)
    footer = msgspec.json.decode((metadata.metadata or {})[_META], type=Footer)
    names = metadata.schema.to_arrow_schema().names
    if footer.version == VERSION and any(column.name not in names for column in _columns(path)):
        raise OSError(f"{path} is the file of another table")
    return _Opened(footer, before, crc)


def _columns(path: Path) -> tuple[Column, ...]:
    """Columns that a file has by the folder it lies in; none outside of a store."""
    if path.parts[-3] == "directory":
        return DIRECTORY
    return {str(name): columns for name, columns in STORED.items()}.get(path.parts[-4], ())


@lru_cache(maxsize=10_000)
def _checked(path: Path, of: tuple[int, ...]) -> None:
    with _parquet(path, of) as file:
        if not _opened(path, of).crc:
            for _ in file.iter_batches():
                pass


@contextmanager
def _parquet(path: Path, of: tuple[int, ...]) -> Iterator[pq.ParquetFile]:
    """An open file all of whose bytes are as they were written."""
    opened = _opened(path, of)
    with pa.OSFile(str(path)) as file:
        if opened.crc and opened.crc != _crc(file, opened.before):
            raise OSError(f"{path} is not as it was written")
        yield pq.ParquetFile(file, page_checksum_verification=True)


def _seal(path: Path) -> None:
    """Put the checksums of a finished file into its footer."""
    with path.open("r+b") as file:
        before, tail = _split(file)
        place = tail.rindex(_CHECKSUMS + _VALUE + _ZERO * 2) + len(_CHECKSUMS + _VALUE)
        tail[place : place + 8] = _crc(file, before)
        tail[place + 8 : place + 16] = _digits(zlib.crc32(tail))
        file.seek(before)
        file.write(tail)


def _split(file: BinaryIO) -> tuple[int, bytearray]:
    """How many bytes of a Parquet file lie before its footer, and the footer to the end of the file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    end = file.read()
    before = size - 8 - int.from_bytes(end[:4], "little")
    if end[4:] != _MAGIC or before < len(_MAGIC):
        raise OSError("no Parquet file")
    file.seek(before)
    return before, bytearray(file.read())


def _crc(file: BinaryIO | pa.OSFile, size: int) -> bytes:
    """Checksum of the first bytes of a file."""
    file.seek(0)
    crc = 0
    while size > 0 and (chunk := file.read(min(size, _CHUNK))):
        crc = zlib.crc32(chunk, crc)
        size -= len(chunk)
    return _digits(crc)


def _digits(crc: int) -> bytes:
    return b"%08x" % crc


def _between(rows: pa.Table, column: str, low: datetime | None, high: datetime | None) -> pa.Table:
    """Rows with `column` in [low, high); the table itself where all of them are."""
    inside = [pc.is_valid(rows[column])]
    inside += [pc.greater_equal(rows[column], low)] if low else []
    inside += [pc.less(rows[column], high)] if high else []
    kept = reduce(pc.and_kleene, inside)
    return rows if pc.all(kept).as_py() else rows.filter(kept)


def _groups(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows in tables of one row group each: full ones and a rest, which may be empty if it is all."""
    rest: pa.Table | None = None
    begun = False
    for part in parts:
        rest = part if rest is None else pa.concat_tables([rest, part]).unify_dictionaries()
        while rest is not None and rest.num_rows >= _ROW_GROUP:  # a full one goes at once: waiting costs its memory
            yield rest.slice(0, _ROW_GROUP)
            begun = True
            rest = rest.slice(_ROW_GROUP) if rest.num_rows > _ROW_GROUP else None
    if rest is not None and (rest.num_rows or not begun):
        yield rest


def _rows(path: Path, columns: Sequence[str] | None) -> pa.Table:
    with _parquet(path, _version(path)) as file:
        return file.read(columns=None if columns is None else list(columns)).replace_schema_metadata(None)


def _twice(read: Callable[[], T], path: Path) -> T:
    """Result of `read`; a file that is replaced in the middle of it is read once more."""
    try:
        with suppress(*_TORN):
            return read()
        return read()
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise StoreError(f"may not read {path}", hint="make the file readable for this user") from error
    except _TORN as error:
        raise damaged(path) from error


def damaged(path: Path) -> DamagedFile:
    """Error for a file that cannot be read."""
    month = path.parent.name.removeprefix("month=")
    if path.parts[-4] == "legs":
        first = f"{month}-01" if month[:1].isdigit() else "DAY"  # nobody knows when undated legs came
        do = f"move it away and pull the month again: ucm-analytics sync --since {first}"
    else:
        do = "delete it; the store makes it again"
    return DamagedFile(f"{path} cannot be read", hint=do)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
