"""How long: talking, waiting, ringing, time in menus and queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect
from ucm_analytics.analyses.population import counted_calls, offered
from ucm_analytics.errors import SettingError

Measure = Literal["talk_s", "wait_s", "ring_s", "ivr_s", "queue_s"]
DurationsBy = Literal["direction", "hour"]

_BIN_S: Final[dict[str, int]] = {"talk_s": 30, "wait_s": 10, "ring_s": 5, "ivr_s": 5, "queue_s": 15}
"""Measures in the order in which they are shown, and the usual width of their bins."""

_QUANTILES: Final = {"median_s": 0.5, "p90_s": 0.9, "p95_s": 0.95}
_BINS: Final = 40
_COLUMNS: Final = ("direction", "local_at", "outcome", "path", "queue", "phones", *_BIN_S)


@analysis(
    ResultColumn("measure", "category", "talk_s, wait_s, ring_s, ivr_s or queue_s"),
    ResultColumn("direction", "category", "direction of the calls", optional=True),
    ResultColumn("hour", "int64", "clock hour in which the calls started", optional=True),
    ResultColumn("calls", "int64", "calls that have this measure", metric="calls"),
    ResultColumn("median_s", "float64", "median", "s", metric="quantile"),
    ResultColumn("mean_s", "float64", "mean", "s", metric="mean"),
    ResultColumn("p90_s", "float64", "90th percentile", "s", metric="quantile"),
    ResultColumn("p95_s", "float64", "95th percentile", "s", metric="quantile"),
    ResultColumn("min_s", "Int64", "shortest", "s", metric="extreme"),
    ResultColumn("max_s", "Int64", "longest", "s", metric="extreme"),
    ResultColumn("total_s", "int64", "sum", "s", metric="total"),
    divides_by="calls of the group that have the measure",
)
def durations(calls: Any, *, by: Sequence[DurationsBy] = ("direction",)) -> pa.Table:
    """Describe how long callers talked, waited, heard ringing, and were in menus and queues.

    Parameters
    ----------
    calls : frame
        One row per call: ``direction, local_at, outcome, path, queue, phones, talk_s, wait_s, ring_s, ivr_s,
        queue_s, is_forward``.
    by : sequence of {'direction', 'hour'}
        What to split by: the direction, the clock hour in which the call started, both, or nothing: ``()``.

    Returns
    -------
    frame
        The kind that went in. One row per measure and group: ``measure``, `by`, ``calls`` and, in seconds,
        ``median_s, mean_s, p90_s, p95_s, min_s, max_s, total_s``. A measure that no call of the group has
        is a row with ``calls`` 0 and NA; with ``'hour'`` all 24 hours are there.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `by` holds something else.

    Notes
    -----
    Which calls have a measure (rows with ``is_forward`` are never counted, they are part of another call):

    - ``talk_s``: calls that a person answered (outcome 'answered').
    - ``wait_s``: calls that were offered to people: answered or not answered, or a phone rang, or they came
      to a queue. Callers who left in the menu, and calls that were busy or failed before any phone rang,
      are not in it. It counts from the start of the call, menus included, to the answer of a person or a
      mailbox, else to the end.
    - ``ring_s``: calls in which phones rang outside a queue.
    - ``ivr_s``: calls that went through a menu.
    - ``queue_s``: calls that went through a queue.

    Percentiles are exact, with linear interpolation between the two nearest values (Hyndman and Fan, type 7).

    References
    ----------
    R. J. Hyndman, Y. Fan: Sample Quantiles in Statistical Packages. The American Statistician 50 (1996)
    361-365.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "direction": "inbound", "local_at": pd.Timestamp("2026-03-02 09:05"),
    ...     "outcome": ["answered", "answered", "abandoned"], "path": "queue:6500", "queue": "6500",
    ...     "phones": 2, "talk_s": [60, 180, 0], "wait_s": [10, 20, 90], "ring_s": 0, "ivr_s": 0,
    ...     "queue_s": [10, 20, 90], "is_forward": False})
    >>> durations(calls)[["measure", "direction", "calls", "median_s", "p90_s", "total_s"]]
       measure direction  calls  median_s  p90_s  total_s
    0   talk_s   inbound      2     120.0  168.0      240
    1   wait_s   inbound      3      20.0   76.0      120
    2   ring_s   inbound      0       NaN    NaN        0
    3    ivr_s   inbound      0       NaN    NaN        0
    4  queue_s   inbound      3      20.0   76.0      120
    """
    unknown = [name for name in by if name not in ("direction", "hour")]
    if unknown:
        raise SettingError(f"durations cannot be split by {unknown[0]!r}", hint="use 'direction', 'hour' or both")
    keys = list(dict.fromkeys(by))
    every = counted_calls(calls, *_COLUMNS).with_columns(hour=nw.col("local_at").dt.hour().cast(nw.Int64))
    # whole seconds: how often each occurs is a small table that holds all that is asked, quantiles too
    each = [
        every.filter(has).select(*keys, measure=nw.lit(measure), value=nw.col(measure))
        for measure, has in _has().items()
    ]
    of = [*keys, "measure"]
    counts = [values.group_by(*of, "value").agg(calls=nw.len().cast(nw.Int64)) for values in each]
    counted = collect(nw.concat(counts, how="vertical"))
    result = pd.DataFrame({"measure": list(_BIN_S), "order": range(len(_BIN_S))})
    if "direction" in keys:
        result = result.merge(collect(every.group_by("direction").agg(calls=nw.len()))[["direction"]], how="cross")
    if "hour" in keys:
        result = result.merge(pd.DataFrame({"hour": range(24)}), how="cross")
    statistics = [column.name for column in durations.columns if column.name not in ("measure", "direction", "hour")]
    result = result.merge(_described(counted.dropna(subset="value"), of), how="left", on=of)
    types = {"calls": "int64", "total_s": "int64", "min_s": "Int64", "max_s": "Int64"}
    result = result.fillna({"calls": 0, "total_s": 0}).astype(types)
    return arrow(
        result[["order", "measure", *keys, *statistics]],
        sort=[("order", "ascending"), *((key, "ascending") for key in keys)],
    ).drop(["order"])


@analysis(
    ResultColumn("measure", "category", "talk_s, wait_s, ring_s, ivr_s or queue_s"),
    ResultColumn("direction", "category", "direction of the calls", optional=True),
    ResultColumn("from_s", "int64", "start of the bin, included", "s"),
    ResultColumn("to_s", "Int64", "end of the bin, not included; NA in the last, which is open", "s"),
    ResultColumn("calls", "int64", "calls in the bin", metric="calls"),
    ResultColumn("share", "float64", "calls / all calls of the group, 0-1; NA without calls", metric="bin_share"),
    divides_by="calls of the group that have the measure",
)
def duration_histogram(
    calls: Any,
    *,
    measure: Measure = "talk_s",
    bin_s: int | None = None,
    by: Literal["direction"] | None = None,
) -> pa.Table:
    """Count calls by how long a measure took.

    Parameters
    ----------
    calls : frame
        One row per call, the columns of `durations`.
    measure : {'talk_s', 'wait_s', 'ring_s', 'ivr_s', 'queue_s'}
        What to measure; the calls that have it are those of `durations`.
    bin_s : int, optional
        Width of a bin [s]; by default 30 for talk, 10 for wait, 5 for ring and menu, 15 for queue.
    by : 'direction', optional
        One histogram for each direction that occurs.

    Returns
    -------
    frame
        The kind that went in; always 41 rows (for each direction): ``measure``, ``direction`` (with `by`),
        ``from_s``, ``to_s``, ``calls``, ``share``. Bins start at 0 and depend on the arguments alone, so
        two periods can be laid side by side; the last has no end and holds the rest.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `measure`, `bin_s` or `by` cannot be used.

    Notes
    -----
    A call lies in the bin with from_s <= measure < to_s. share = calls / sum of calls.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "direction": "inbound", "local_at": pd.Timestamp("2026-03-02 09:05"),
    ...     "outcome": ["answered", "answered", "answered", "abandoned"], "path": "extension:1004",
    ...     "queue": None, "phones": 1, "talk_s": [29, 30, 45, 0], "wait_s": 5, "ring_s": 5, "ivr_s": 0,
    ...     "queue_s": 0, "is_forward": False})
    >>> duration_histogram(calls).head(3)
      measure  from_s  to_s  calls     share
    0  talk_s       0    30      1  0.333333
    1  talk_s      30    60      2  0.666667
    2  talk_s      60    90      0  0.000000
    """
    if measure not in _BIN_S:
        raise SettingError(f"{measure!r} is no measure", hint=f"use one of {', '.join(_BIN_S)}")
    width = _BIN_S[measure] if bin_s is None else bin_s
    if isinstance(width, bool) or not isinstance(width, int) or width < 1:
        raise SettingError(f"bins cannot be {width!r} seconds wide", hint="use a whole number of 1 or more")
    if by not in (None, "direction"):
        raise SettingError(f"duration_histogram cannot be split by {by!r}", hint="use 'direction'")
    groups = [by] if by else []
    keys = [*groups, "bin"]
    values = (
        counted_calls(calls, *_COLUMNS).filter(_has()[measure], ~nw.col(measure).is_null()).group_by(*groups, measure)
    )
    counted = collect(values.agg(calls=nw.len().cast(nw.Int64)))
    counted["bin"] = (counted[measure] // width).clip(upper=_BINS)
    counted = counted.groupby(keys, as_index=False, dropna=False)[["calls"]].sum()
    bins = pd.DataFrame({"bin": range(_BINS + 1)})
    grid = counted[[by]].drop_duplicates().merge(bins, how="cross") if by else bins
    result = grid.merge(counted, how="left", on=keys).fillna({"calls": 0}).astype({"calls": "int64"})
    result["from_s"] = result["bin"] * width
    result["to_s"] = (result["from_s"] + width).astype("Int64").where(result["bin"] < _BINS)
    total = result.groupby(by, dropna=False)["calls"].transform("sum") if by else result["calls"].sum()
    result["share"] = result["calls"] / np.where(total > 0, total, np.nan)
    result["measure"] = measure
    columns = ["measure", *groups, "from_s", "to_s", "calls", "share"]
    return arrow(result[columns], sort=[(key, "ascending") for key in [*groups, "from_s"]])


@analysis(
    ResultColumn("direction", "category", "direction of the calls"),
    ResultColumn("calls", "int64", "calls that a person answered", metric="calls_answered"),
    ResultColumn("short", "int64", "those with talk_s below short_s", metric="short_calls"),
    ResultColumn("long", "int64", "those with talk_s of long_s or more", metric="long_calls"),
    ResultColumn("short_rate", "float64", "short / calls, 0-1", metric="short_rate"),
    ResultColumn("long_rate", "float64", "long / calls, 0-1", metric="long_rate"),
    ResultColumn("long_talk_s", "int64", "talk of the long calls", "s", metric="long_talk"),
    ResultColumn(
        "long_talk_rate",
        "float64",
        "long_talk_s / talk of all these calls, 0-1; NA if nobody talked",
        metric="long_talk_rate",
    ),
    ResultColumn("short_s", "int64", "the threshold that was used", "s"),
    ResultColumn("long_s", "int64", "the threshold that was used", "s"),
    divides_by="calls that a person answered; their talk (share of the talk)",
)
def long_and_short_calls(calls: Any, *, short_s: int = 10, long_s: int = 1800) -> pa.Table:
    """Count the answered calls that ended at once, and those that went on and on.

    Parameters
    ----------
    calls : frame
        One row per call, the columns of `durations`.
    short_s : int
        A call with less talk is very short [s].
    long_s : int
        A call with so much talk or more is long [s].

    Returns
    -------
    frame
        The kind that went in. One row per direction: ``direction``, ``calls``, ``short``, ``long``,
        ``short_rate``, ``long_rate``, ``long_talk_s`` [s], ``long_talk_rate``, ``short_s``, ``long_s``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        The thresholds are no whole seconds, or `long_s` is below `short_s`.

    Notes
    -----
    Only calls that a person answered (outcome 'answered'), without rows with ``is_forward``: very short if
    talk_s < `short_s`, long if talk_s >= `long_s`. Very short calls are wrong numbers, lines that broke and
    faxes; long ones may be lines that nobody hung up.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "direction": "inbound", "local_at": pd.Timestamp("2026-03-02 09:05"), "outcome": "answered",
    ...     "path": "extension:1004", "queue": None, "phones": 1, "talk_s": [4, 200, 1800, 3600], "wait_s": 5,
    ...     "ring_s": 5, "ivr_s": 0, "queue_s": 0, "is_forward": False})
    >>> long_and_short_calls(calls)[["direction", "calls", "short", "long", "long_rate", "long_talk_s"]]
      direction  calls  short  long  long_rate  long_talk_s
    0   inbound      4      1     2        0.5         5400
    """
    for name, value in (("short_s", short_s), ("long_s", long_s)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SettingError(f"{name} cannot be {value!r}", hint="use a whole number of seconds")
    if long_s < short_s:
        raise SettingError(f"long calls of {long_s} s are shorter than short ones", hint="use long_s >= short_s")
    talk = nw.col("talk_s")
    long = talk >= long_s
    result = collect(
        counted_calls(calls, *_COLUMNS)
        .filter(_has()["talk_s"])
        .group_by("direction")
        .agg(
            calls=nw.len().cast(nw.Int64),
            short=(talk < short_s).fill_null(False).cast(nw.Int64).sum().cast(nw.Int64),
            long=long.fill_null(False).cast(nw.Int64).sum().cast(nw.Int64),
            long_talk_s=nw.when(long).then(talk).otherwise(0).sum().cast(nw.Int64),
            talk_s=talk.sum().cast(nw.Int64),
        )
    )
    result["short_rate"] = result["short"] / result["calls"]
    result["long_rate"] = result["long"] / result["calls"]
    result["long_talk_rate"] = result["long_talk_s"] / result["talk_s"].where(result["talk_s"] > 0)
    result = result.assign(short_s=short_s, long_s=long_s)
    return arrow(result[[column.name for column in long_and_short_calls.columns]], sort=[("direction", "ascending")])


def _has() -> dict[str, nw.Expr]:
    """Which calls have each measure."""
    in_queue, rang = ~nw.col("queue").is_null(), nw.col("phones") > 0
    return {
        "talk_s": nw.col("outcome") == "answered",
        "wait_s": offered(),
        "ring_s": (rang & ~in_queue) | (nw.col("ring_s") > 0),
        "ivr_s": nw.col("path").str.contains("ivr:", literal=True),
        "queue_s": in_queue,
    }


def _described(seen: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Statistics of each group, from its values [s] and how many calls have each."""
    seen = seen.sort_values([*by, "value"]).astype({"value": "int64"})
    seen["total_s"] = seen["value"] * seen["calls"]
    groups = seen.groupby(by, dropna=False, sort=False, as_index=False)
    table = groups.agg(
        calls=("calls", "sum"), min_s=("value", "min"), max_s=("value", "max"), total_s=("total_s", "sum")
    )
    table["mean_s"] = table["total_s"] / table["calls"]
    values, upto = seen["value"].to_numpy(), seen["calls"].cumsum()
    before = table["calls"].cumsum() - table["calls"]
    for name, share in _QUANTILES.items():
        place = share * (table["calls"] - 1)
        low, high = (
            values[np.searchsorted(upto, before + rank, side="right")] for rank in (np.floor(place), np.ceil(place))
        )
        table[name] = low + (high - low) * (place % 1)
    return table
