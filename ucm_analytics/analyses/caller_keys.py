"""The caller's key: one for each number, however it is written."""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.analyses.dialling import WRITTEN
from ucm_analytics.analyses.frames import collect, collect_arrow, on_engine_of

COMPARABLE: Final = 9
"""Digits that two ways of writing a number must share at the end: the shortest national numbers with area code."""


def with_keys(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The frame with ``key``: the same whole number for all writings of one ``number``, null if it is withheld.

    Two numbers are the same if the digits of one, at least nine without leading zeros, end the digits of the
    other. A short writing that fits several long ones is none of them. Only the different numbers come into memory.
    """
    written = collect_arrow(frame.select("number").unique())["number"].combine_chunks()
    keys = _keys(written)
    shown = keys.is_valid()
    keyed = pa.table({"number": written.filter(shown), "key": keys.filter(shown)})
    return frame.join(on_engine_of(frame, keyed), on="number", how="left")


def keyed(numbers: pd.Series[Any]) -> pd.Series[Any]:
    """Key of each number in memory, as `with_keys` gives it."""
    written = pa.array(numbers, pa.string(), from_pandas=True)
    keys = _keys(written.combine_chunks() if isinstance(written, pa.ChunkedArray) else written)
    whole: pd.Series[Any] = keys.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return whole.set_axis(numbers.index)


def fullest(numbers: pd.Series[str]) -> pd.Series[str]:
    """The way of writing each number that tells most of those that occur; what shows no number stays as it is.

    That with a plus, else that with 00, else the longest.
    """
    key = keyed(numbers)
    several = key.notna() & key.duplicated(keep=False)
    written = numbers[several].str.strip()
    order = pd.DataFrame({"plus": written.str.startswith("+"), "abroad": written.str.startswith("00")})
    order["digits"] = written.str.replace("[^0-9]", "", regex=True).str.lstrip("0").str.len()
    order["number"] = numbers
    order = order.sort_values([*order], ascending=[False, False, False, True])
    return numbers.mask(several, order.groupby(key)["number"].transform("first"))


def with_one_writing(frame: nw.LazyFrame[Any], name: str, where: nw.Expr) -> nw.LazyFrame[Any]:
    """The frame with the `fullest` way of writing each number in the column, in the rows that the expression names."""
    written = collect(frame.filter(where).select(name).unique())
    written["whole"] = fullest(written[name])
    other = written[written["whole"] != written[name]].dropna()
    if other.empty:
        return frame
    frame = frame.join(on_engine_of(frame, pa.Table.from_pandas(other, preserve_index=False)), on=name, how="left")
    is_other = where & ~nw.col("whole").is_null()
    return frame.with_columns(nw.when(is_other).then("whole").otherwise(name).alias(name)).drop("whole")


def _keys(written: pa.Array) -> pa.Array:
    """Key of each number, null for those that are withheld."""
    digits = _digits(written)
    shown = digits.is_valid()
    # Reversed and sorted, the numbers that end in a number follow it directly.
    backwards, place = np.unique(_bytes(pc.ascii_reverse(digits.filter(shown))), return_inverse=True)
    keys = pa.nulls(len(written), pa.int64())
    return pc.replace_with_mask(keys, shown, pa.array(_whole(backwards)[place]))


def _digits(written: pa.Array) -> pa.Array:
    """Digits of each number without leading zeros, null for those that are withheld."""
    digits = pc.ascii_ltrim(written, "+0")
    rest = pc.invert(pc.ascii_is_decimal(digits)).fill_null(False)  # few: regular expressions are slow
    odd = written.filter(rest)
    odd = pc.if_else(pc.match_substring_regex(odd, WRITTEN), odd, None)
    odd = pc.ascii_ltrim(pc.replace_substring_regex(odd, "[^0-9]", ""), "0")
    return pc.replace_with_mask(digits, rest, pc.if_else(pc.not_equal(odd, ""), odd, None))


def _whole(backwards: npt.NDArray[np.bytes_]) -> npt.NDArray[np.int64]:
    """Place of the one longest number that begins with each number; its own if there are several."""
    places = np.arange(len(backwards))
    if len(backwards) < 2:
        return places
    is_longest = np.append(~np.strings.startswith(backwards[1:], backwards[:-1]), True)
    longest = np.minimum.accumulate(np.where(is_longest, places, len(places))[::-1])[::-1]
    after = np.minimum(longest + 1, len(places) - 1)
    several = (after > longest) & np.strings.startswith(backwards[after], backwards)
    comparable = np.strings.str_len(backwards) >= COMPARABLE
    return np.where(comparable & ~several, longest, places)


def _bytes(texts: pa.Array) -> npt.NDArray[np.bytes_]:
    """Texts of ASCII as NumPy bytes, without a Python object for each."""
    width = pc.max(pc.binary_length(texts)).as_py() or 1
    padded = pc.ascii_rpad(texts, width, padding="\0").cast(pa.binary(), safe=True)
    return np.frombuffer(pa.concat_arrays([padded]).buffers()[2] or b"", dtype=f"S{width}", count=len(texts))
