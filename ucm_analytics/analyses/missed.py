"""Missed callers: who was reached afterwards, how soon, and who calls again."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ucm_analytics.analyses.caller_keys import with_keys
from ucm_analytics.analyses.dialling import number, optional
from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect, collect_arrow, wall_time
from ucm_analytics.analyses.instants import Zones, placed_in_time
from ucm_analytics.analyses.population import came_by_trunk, counted_calls, from_outside, on_days
from ucm_analytics.analyses.statistics import kaplan_meier, wilson
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

RepeatBy = Literal["outcome", "entry", "queue", "ended_in", "answered_by", "pbx"]

_BY: Final = ("outcome", "entry", "queue", "ended_in", "answered_by", "pbx")
_READ: Final = ("pbx", "call_id", "local_at", "utc_offset_s", "direction", "caller", "callee", "outcome")
_SHOWN: Final = ("pbx", "caller", "outcome", "path")
_LISTED: Final = (*_SHOWN, "status", "caller_name", "calls", "first_at", "last_at", "waited_s", "callbacks")
_LISTED_TIMES: Final = ("contact_at", "first_utc", "contact_utc")
_EPISODE: Final = ["key", "episode"]
_WAYS: Final = ("missed", "reached", "tried", "returned")
"""What a call is to its caller; of two in the same second the first of these comes first."""


@analysis(
    ResultColumn("status", "category", "open, returned, reached or withheld"),
    ResultColumn("pbx", "category", "PBX of the last try"),
    ResultColumn("caller", "string", "number as shown in the last try"),
    ResultColumn("caller_name", "string", "name last shown with it; NA if none"),
    ResultColumn("calls", "int64", "tries: calls that no person answered, until there was contact"),
    ResultColumn("first_at", "wall", "first try"),
    ResultColumn("last_at", "wall", "last try"),
    ResultColumn("waited_s", "int64", "time waited in all tries together", "s"),
    ResultColumn("outcome", "category", "what happened to the caller in the last try"),
    ResultColumn("ended_in", "category", "`kind:target` of the step in which the last try ended"),
    ResultColumn(
        "callbacks", "int64", "calls that we made to the number since the first try, the one that reached it too"
    ),
    ResultColumn("contact_at", "wall", "start of the call in which there was contact; NA if there was none"),
    ResultColumn("contact_s", "Int64", "first try until contact; NA if there was none", "s"),
)
def missed_calls(calls: Any, *, period: Period | None = None) -> pa.Table:
    """List the callers from outside that no person answered, and say what came of each.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, call_id, local_at, utc_offset_s, direction, caller, callee, caller_name, outcome,
        path, wait_s, is_forward``; ``caller_number`` and ``callee_number`` where they are there.
    period : Period, optional
        Days to look at; by default all calls.

    Returns
    -------
    frame
        The kind that went in. One row per caller and time that they were missed, those still open first, the
        latest first: ``status``, ``pbx``, ``caller``, ``caller_name``, ``calls``, ``first_at``, ``last_at``,
        ``waited_s`` [s], ``outcome``, ``ended_in``, ``callbacks``, ``contact_at``, ``contact_s`` [s].

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    A call is missed if it came in from outside and its outcome is known and not 'answered': a mailbox, a menu
    or a queue is no person. Calls of one caller that follow each other without contact are tries of one row.
    Contact ends the row, and whatever is missed later begins a new one:

    - returned: a call that we made to the number was answered;
    - reached: the caller called again and a person answered;
    - open: neither, to the end of the period;
    - withheld: the number was not shown, so nobody can tell; each such call is a row.

    Callers are told apart by their number, national and international writings of it being one, on all PBXs
    together. That our call was 'answered' may mean the caller's own mailbox: the records cannot tell.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": list("abcd"), "utc_offset_s": 0, "caller_name": None, "wait_s": 30,
    ...     "is_forward": False,
    ...     "local_at": pd.to_datetime([f"2026-03-02 {at}" for at in ("09:00", "09:10", "11:00", "12:00")]),
    ...     "direction": ["inbound", "inbound", "outbound", "inbound"],
    ...     "caller": ["12025550142", "+1 202 555 0142", "1004", "12025550187"],
    ...     "callee": ["12025550100", "12025550100", "12025550142", "12025550100"],
    ...     "outcome": ["abandoned", "voicemail", "answered", "abandoned"],
    ...     "path": ["queue:6500", "queue:6500 > voicemail:1004", "external:12025550142", "queue:6500"]})
    >>> missed_calls(calls)[["status", "caller", "calls", "waited_s", "callbacks", "contact_s"]]
         status           caller  calls  waited_s  callbacks  contact_s
    0      open      12025550187      1        30          0       <NA>
    1  returned  +1 202 555 0142      2        60          1       7200
    """
    events, _ = _events(calls, period, None)
    # by windows and not by groups: to join the texts of the last try would mean to put all events in order again
    is_try, no = nw.col("event") == 0, nw.col("no")
    of_episode = {
        "calls": is_try.cast(nw.Int64).sum(),
        "waited_s": nw.col("wait_s").sum(),
        "first_at": nw.when(is_try).then(nw.col("local_at")).min(),
        "last_no": nw.when(is_try).then(no).max(),
        "placed_before": nw.when(is_try).then(nw.col("placed")).min(),
        "placed_after": nw.col("placed").max(),
        **_contact(),
    }
    known = _ordered(events).with_columns(
        caller_name=nw.col("caller_name").fill_null(strategy="forward").over(*_EPISODE, order_by="no"),
        **{name: total.over(*_EPISODE) for name, total in of_episode.items()},
    )
    known = known.filter(no == nw.col("last_no")).with_columns(
        calls=nw.col("calls").cast(nw.Int64),
        waited_s=nw.col("waited_s").fill_null(0).cast(nw.Int64),
        last_at="local_at",
        callbacks=nw.col("placed_after") - nw.col("placed_before"),
    )
    known = known.with_columns(status=nw.col("contact").replace_strict([1, 3], ["reached", "returned"], default="open"))
    withheld = events.filter(nw.col("event") == 0, nw.col("key").is_null()).with_columns(
        status=nw.lit("withheld"),
        calls=nw.lit(1, dtype=nw.Int64),
        callbacks=nw.lit(0, dtype=nw.Int64),
        waited_s=nw.col("wait_s").fill_null(0),
        first_at="local_at",
        last_at="local_at",
        first_utc="utc",
        contact_at=nw.lit(None, dtype=nw.Datetime("us")),
        contact_utc=nw.lit(None, dtype=nw.Datetime("us")),
    )
    found = nw.concat([part.select(*_LISTED, *_LISTED_TIMES) for part in (known, withheld)])
    by = ("status", "last_at", "caller", "first_at", "pbx", "outcome", "path", "waited_s")
    table = collect_arrow(found.sort(by, descending=[name == "last_at" for name in by], nulls_last=True))
    took = pc.subtract(table["contact_utc"], table["first_utc"])
    table = table.append_column("ended_in", pc.replace_substring_regex(table["path"], "^.* > ", ""))
    table = table.append_column("contact_s", pc.round(pc.divide(took.cast(pa.int64()), 1e6)).cast(pa.int64()))
    return table.select([column.name for column in missed_calls.columns])


@analysis(
    ResultColumn("after_s", "int64", "time since the first try", "s"),
    ResultColumn("calls", "int64", "missed callers without contact, and still watched, just before that time"),
    ResultColumn("returned", "int64", "of them, called back and reached at that time"),
    ResultColumn("reached", "int64", "of them, called again and answered at that time"),
    ResultColumn("open_rate", "float64", "share without contact until after that time, 0-1"),
    ResultColumn("open_low", "float64", "lower end of its 95 % interval; NA at 0 and 1"),
    ResultColumn("open_high", "float64", "upper end of it; NA at 0 and 1"),
    ResultColumn("returned_rate", "float64", "share called back and reached by then, 0-1"),
    ResultColumn("reached_rate", "float64", "share that called again and was answered by then, 0-1"),
    divides_by="missed callers without contact and still watched, time by time",
)
def time_to_callback(calls: Any, *, period: Period | None = None, zones: Zones | None = None) -> pa.Table:
    """Give the share of missed callers that still had no contact, by the time since they were missed.

    Parameters
    ----------
    calls : frame
        What `missed_calls` takes.
    period : Period, optional
        Days to look at; by default all calls, and the observation ends when the last of them began.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in. One row per time at which there was contact, after a row for time 0:
        ``after_s`` [s], ``calls``, ``returned``, ``reached``, ``open_rate``, ``open_low``, ``open_high``,
        ``returned_rate``, ``reached_rate``. No rows if nobody with a known number was missed.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    Callers who were missed late in the period had little time to be called back. They count as long as they
    were watched, and no longer (Kaplan–Meier): open_rate(t) = Π (1 - d_i / n_i) over the times t_i ≤ t, with
    d_i = returned + reached and n_i = ``calls``. The interval is Greenwood's on the scale log(-log). Each of the
    two ways grows by open_rate(t_i -) · its share of n_i (Aalen–Johansen), so that
    open_rate + returned_rate + reached_rate = 1. Callers who withheld their number are not in it.

    References
    ----------
    Kaplan and Meier 1958, JASA 53; Aalen and Johansen 1978, Scand. J. Statist. 5.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": list("abc"), "utc_offset_s": 0, "caller_name": None, "wait_s": 30,
    ...     "is_forward": False,
    ...     "local_at": pd.to_datetime(["2026-03-02 09:00", "2026-03-02 10:00", "2026-03-02 11:00"]),
    ...     "direction": ["inbound", "outbound", "inbound"], "caller": ["12025550142", "1004", "12025550187"],
    ...     "callee": ["12025550100", "12025550142", "12025550100"], "path": "queue:6500",
    ...     "outcome": ["abandoned", "answered", "abandoned"]})
    >>> time_to_callback(calls)[["after_s", "calls", "returned", "open_rate"]]
       after_s  calls  returned  open_rate
    0        0      2         0        1.0
    1     3600      1         1        0.0
    """
    seen, end = _events(calls, period, zones)
    found = collect(_ordered(seen).group_by(_EPISODE).agg(**_contact()).filter(~nw.col("first_utc").is_null()))
    watched = (found["contact_utc"].fillna(end) - found["first_utc"]).dt.total_seconds().round().clip(lower=0)
    events = pd.DataFrame(
        {
            "after_s": watched.astype("int64"),
            "left": 1,
            "returned": (found["contact"] == _WAYS.index("returned")).astype("int64"),
            "reached": (found["contact"] == _WAYS.index("reached")).astype("int64"),
        }
    )
    times = events.groupby("after_s", as_index=False).sum()
    times["calls"] = len(events) - times["left"].cumsum() + times["left"]
    times = times[times["returned"] + times["reached"] > 0]
    if len(events):
        start = pd.DataFrame({"after_s": [0], "calls": [len(events)], "returned": [0], "reached": [0]})
        times = pd.concat([start, times], ignore_index=True)
    curve = kaplan_meier(times["returned"] + times["reached"], times["calls"])
    times["open_rate"], times["open_low"], times["open_high"] = curve
    before = times["open_rate"].shift(fill_value=1.0)
    for contact in ("returned", "reached"):
        times[f"{contact}_rate"] = (before * times[contact] / times["calls"]).cumsum()
    return arrow(
        times[[column.name for column in time_to_callback.columns]],
        sort=[("after_s", "ascending"), ("open_rate", "descending")],
    )


@analysis(
    ResultColumn("calls", "int64", "calls from outside"),
    ResultColumn("withheld", "int64", "of them, those that show no number"),
    ResultColumn("undecided", "int64", "of them, those whose window goes beyond the end of the period"),
    ResultColumn("decided", "int64", "of them, all others"),
    ResultColumn(
        "followed", "int64", "of the decided, those after which the same caller called again within the window"
    ),
    ResultColumn("repeat_rate", "float64", "followed / decided, 0-1; NA if none is decided"),
    ResultColumn("repeat_low", "float64", "lower end of its 95 % interval"),
    ResultColumn("repeat_high", "float64", "upper end of it"),
    ResultColumn("first_calls", "int64", "decided calls before which the same caller did not call within the window"),
    ResultColumn("settled", "int64", "first calls that were not followed"),
    ResultColumn("fcr_rate", "float64", "settled / first_calls, 0-1; NA if there are none"),
    divides_by="calls whose window is over (repeats); those that are first calls (first-contact resolution)",
)
def repeat_callers(
    calls: Any,
    *,
    window_h: int = 168,
    by: RepeatBy | None = "outcome",
    period: Period | None = None,
    zones: Zones | None = None,
) -> pa.Table:
    """Say how many callers call again within a time, and how many were done with one call.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, local_at, utc_offset_s, direction, caller, is_forward`` and `by`;
        ``caller_number`` where it is there.
    window_h : int
        Time in which another call counts as a repeat [h]; a week by default.
    by : str, optional
        Split by this column of the call that was, or was not, followed; None for one row.
    period : Period, optional
        Days to look at; by default all calls, and the observation begins and ends with the first and last.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in. One row per value of `by`, most calls first: ``calls``, ``withheld``,
        ``undecided``, ``decided``, ``followed``, ``repeat_rate``, ``repeat_low``, ``repeat_high``,
        ``first_calls``, ``settled``, ``fcr_rate``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `window_h` is not positive, or `by` is unknown.

    Notes
    -----
    repeat_rate = followed / decided. A call is decided if its whole window lies before the end of the period,
    whether it was followed or not; the others are apart, for a late call has had little time to be repeated.
    fcr_rate (first-contact resolution) = settled / first_calls; a call is a first call if the window before it
    lies in the period too and holds no call of the same caller. calls = withheld + undecided + decided. Callers
    who withhold their number are never taken for each other. The interval is Wilson's; it takes calls as
    independent, so it is too narrow where a few callers make most repeats.

    References
    ----------
    QueueMetrics, First Call Resolution (window of a week); Wilson 1927, JASA 22.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "utc_offset_s": 0, "direction": "inbound", "is_forward": False,
    ...     "local_at": pd.to_datetime([f"2026-03-{at}:00" for at in ("02 09", "02 10", "03 09", "05 09")]),
    ...     "caller": ["12025550187", "12025550142", "12025550142", "12025550187"]})
    >>> repeat_callers(calls, window_h=24, by=None)[["calls", "undecided", "decided", "followed", "repeat_rate"]]
       calls  undecided  decided  followed  repeat_rate
    0      4          1        3         1     0.333333
    """
    if window_h <= 0:
        raise SettingError(f"window_h={window_h} is no window", hint="give a positive number of hours")
    if by is not None and by not in _BY:
        raise SettingError(f"repeat_callers cannot split by {by!r}", hint=f"use one of {', '.join(_BY)}")
    more = optional(calls, "caller_number")
    groups = [by] if by else []
    frame = on_days(
        counted_calls(calls, "pbx", "local_at", "utc_offset_s", "direction", "caller", *groups, more=more), period
    )
    frame, begin, end = placed_in_time(frame.filter(from_outside()), period, zones)
    rows = with_keys(frame.select("utc", *groups, number=number("caller", more)))
    at, window = nw.col("utc"), nw.lit(timedelta(hours=window_h))
    order = ["utc", *groups]  # of two calls in one second the same one comes first in every engine
    rows = rows.with_columns(
        followed=(at.shift(-1).over("key", order_by=order) <= at + window).fill_null(False),
        preceded=(at.shift(1).over("key", order_by=order) >= at - window).fill_null(False),
    )
    known, followed = ~nw.col("key").is_null(), nw.col("followed")
    decided = known & (at + window <= wall_time(end.to_pydatetime()))
    first = decided & ~nw.col("preceded") & (at - window >= wall_time(begin.to_pydatetime()))
    flags = {
        "withheld": ~known,
        "undecided": known & ~decided,
        "decided": decided,
        "followed": decided & followed,
        "first_calls": first,
        "settled": first & ~followed,
    }
    counts = {name: test.cast(nw.Int64).sum().cast(nw.Int64) for name, test in flags.items()}
    counts["calls"] = nw.len().cast(nw.Int64)
    counted = rows.group_by(by).agg(**counts) if by else rows.select(**counts)
    result = collect(counted).fillna(dict.fromkeys(flags, 0)).astype(dict.fromkeys(flags, "int64"))
    result["repeat_rate"] = result["followed"] / result["decided"].where(result["decided"] > 0)
    result["repeat_low"], result["repeat_high"] = wilson(result["followed"], result["decided"])
    result["fcr_rate"] = result["settled"] / result["first_calls"].where(result["first_calls"] > 0)
    order = [*([by] if by else []), *(column.name for column in repeat_callers.columns)]
    return arrow(result[order], sort=[("calls", "descending"), *([(by, "ascending")] if by else [])])  # type: ignore[list-item]


def _events(calls: Any, period: Period | None, zones: Zones | None) -> tuple[nw.LazyFrame[Any], pd.Timestamp]:
    """Calls that are one of _WAYS, with the key of the caller; only tries have texts. And the end of watching."""
    more = optional(calls, "caller_number", "callee_number")
    frame = on_days(counted_calls(calls, *_READ, "caller_name", "path", "wait_s", more=more), period)
    is_answered = (nw.col("outcome") == "answered").fill_null(False)
    outbound = nw.col("direction") == "outbound"
    kinds = (
        from_outside() & ~nw.col("outcome").is_null() & ~is_answered,
        came_by_trunk() & is_answered,
        outbound & ~is_answered,
        outbound & is_answered,
    )
    event = reduce(
        lambda found, n: nw.when(kinds[n]).then(n).otherwise(found), range(len(kinds)), nw.lit(None, nw.Int64)
    )
    frame, _, end = placed_in_time(frame.with_columns(event=event).filter(~nw.col("event").is_null()), period, zones)
    other = nw.when(nw.col("event") < 2).then(number("caller", more)).otherwise(number("callee", more))
    texts = [
        nw.when(nw.col("event") == 0).then(nw.col(name)).alias(name) for name in (*_SHOWN, "call_id", "caller_name")
    ]
    waited = nw.when(nw.col("event") == 0).then(nw.col("wait_s")).alias("wait_s")
    return with_keys(frame.select("local_at", "utc", "event", *texts, waited, number=other)), end


def _ordered(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Events of everybody who was ever missed: their number, and in which episode and after how many of our calls."""
    known = events.filter(~nw.col("key").is_null())
    known = known.join(known.filter(nw.col("event") == 0).select("key").unique(), on="key", how="semi")
    order = ["utc", "event", "call_id"]
    ends, placed = nw.col("event").is_in([1, 3]).cast(nw.Int64), (nw.col("event") >= 2).cast(nw.Int64)
    return known.with_columns(
        no=nw.col("event").cum_count().over("key", order_by=order).cast(nw.Int64),
        episode=ends.cum_sum().over("key", order_by=order).cast(nw.Int64) - ends,
        placed=placed.cum_sum().over("key", order_by=order).cast(nw.Int64),
    )


def _contact() -> dict[str, nw.Expr]:
    """First try of an episode, and the contact that ended it."""
    ends = nw.col("event").is_in([1, 3])
    return {
        "first_utc": nw.when(nw.col("event") == 0).then(nw.col("utc")).min(),
        "contact": nw.when(ends).then(nw.col("event")).max(),
        "contact_at": nw.when(ends).then(nw.col("local_at")).max(),
        "contact_utc": nw.when(ends).then(nw.col("utc")).max(),
    }
