"""One bit of a file flips: what is read then."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from ucm_analytics.errors import DamagedFile
from ucm_analytics.store.files import check, read_footer, read_table

_CLOCK = count(1_000_000_000)


def outcomes(path: Path, bits: Iterable[int], read: Callable[[], Any]) -> Counter[str]:
    """For each bit of a file that is flipped: `named` as damaged, the `same` rows, or other rows `unseen`."""
    expected = read()
    whole = path.read_bytes()
    found = Counter[str]()
    for bit in bits:
        with flipped(path, whole, bit):
            try:
                found["same" if read() == expected else "unseen"] += 1
            except DamagedFile:
                found["named"] += 1
    assert read() == expected
    return found


@contextmanager
def flipped(path: Path, whole: bytes, bit: int) -> Iterator[None]:
    """The file with one bit flipped, for a while."""
    harmed = bytearray(whole)
    harmed[bit // 8] ^= 1 << bit % 8
    try:
        write(path, harmed)
        yield
    finally:
        write(path, whole)


def write(path: Path, content: bytes | bytearray) -> None:
    """Write a file in place, at a time of its own however quick the next one follows."""
    path.write_bytes(content)
    os.utime(path, ns=(now := next(_CLOCK) * 1_000_000_000, now))


def file_read(path: Path) -> Callable[[], Any]:
    """What a file says: rows and footer."""

    def read() -> Any:
        check(path)
        return read_footer(path), read_table(path).to_pylist()

    return read


def last_bits(path: Path, size: int) -> range:
    """The bits of the last bytes of a file."""
    end = path.stat().st_size * 8
    return range(max(0, end - size * 8), end)
