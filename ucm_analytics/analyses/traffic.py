"""How many calls at the same time, and how many lines a trunk needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ucm_analytics.analyses.calendar import day_types, span
from ucm_analytics.analyses.frames import (
    ResultColumn,
    analysis,
    arrow,
    collect,
    required,
    select_required,
    wall_time,
    with_interval_start,
)
from ucm_analytics.analyses.instants import Zones, hours, with_offsets
from ucm_analytics.analyses.population import continues, in_period, on_days
from ucm_analytics.analyses.statistics import Floats, poisson_limits
from ucm_analytics.erlang import lines_needed
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

ConcurrencyFreq = Literal["1h", "1d"]

_COLUMNS: Final = ("pbx", "trunk", "local_at", "utc_offset_s", "duration_s", "outcome", "entry", "is_forward")
_HOUR_S: Final = 3600
_SLICE: Final = 500_000
"""Calls that are looked at together: what bounds the memory."""

_Seconds = NDArray[np.int64]


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("trunk", "category", "trunk; with by='trunk' only", optional=True),
    ResultColumn("local_at", "wall", "start of the interval on the PBX's wall clock"),
    ResultColumn("utc_offset_s", "Int64", "wall clock minus UTC; with freq='1h' only", "s", optional=True),
    ResultColumn("calls", "int64", "calls that started in the interval"),
    ResultColumn("peak", "int64", "most calls at the same time"),
    ResultColumn("peak_at", "wall", "when first; NA without calls"),
    ResultColumn("busy_s", "int64", "time of all calls within the interval, added up", "s"),
    ResultColumn("traffic", "float64", "mean number of calls at the same time", "erlang"),
    divides_by="length of the interval",
)
def concurrent_calls(
    calls: Any,
    *,
    by: Literal["trunk"] | None = None,
    freq: ConcurrencyFreq = "1d",
    period: Period | None = None,
    zones: Zones | None = None,
) -> pa.Table:
    """Find the most calls at the same time in each interval, and when.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, trunk, local_at, utc_offset_s, duration_s, outcome, entry, is_forward``.
    by : 'trunk', optional
        For each trunk; by default for each PBX as a whole.
    freq : {'1h', '1d'}
        Length of an interval on the PBX's wall clock.
    period : Period, optional
        Days to look at; by default from the first day with a call to the last. Calls that began before are
        counted while they last, if `calls` holds them.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in. One row per PBX, trunk (with `by`) and interval: ``pbx``, ``trunk``,
        ``local_at``, ``utc_offset_s`` [s] (hours only), ``calls``, ``peak``, ``peak_at``, ``busy_s`` [s],
        ``traffic`` [erlang]. Intervals without calls are rows with 0.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `by` or `freq` is unknown.

    Notes
    -----
    concurrency(t) = number of calls with start <= t < end. The interval is half-open, so a call that starts in
    the second in which another ends does not add, and a call of 0 s never counts. peak = max of concurrency
    over the interval, exact to the second; traffic = busy_s / seconds of the interval.

    A call lasts from ``started_at`` to ``ended_at``, ringing and menus included: so long it holds its line.
    With `by` a forward (``is_forward``) counts, as it holds a line of its own, but for a call that is picked up from
    park: its caller is on the line already. Without `by` it is the second half of a call that is counted already, so
    a trunk may have more lines in use than the PBX has calls. A call from trunk to trunk, or one that is sent on
    outside on its way, counts on the trunk that it came in by.

    References
    ----------
    ITU-T E.600: traffic intensity, erlang.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "trunk": "Main", "utc_offset_s": 3600, "duration_s": [60, 60, 30],
    ...     "local_at": pd.to_datetime(["2026-03-02 09:00:00", "2026-03-02 09:00:59", "2026-03-02 09:01:00"]),
    ...     "outcome": "answered", "entry": "did:1", "is_forward": False})
    >>> concurrent_calls(calls, by="trunk")[["trunk", "calls", "peak", "peak_at", "busy_s"]]
      trunk  calls  peak             peak_at  busy_s
    0  Main      3     2 2026-03-02 09:00:59     150
    """
    if by not in (None, "trunk"):
        raise SettingError(f"concurrent_calls cannot be split by {by!r}", hint="use 'trunk'")
    if freq not in ("1h", "1d"):
        raise SettingError(f"freq={freq!r} is no interval", hint="use one of 1h, 1d")
    keys = ["pbx", *([by] if by else [])]
    hours = _concurrency(_held(calls, by), keys, period, zones)
    if freq == "1d":
        hours = _by_day(hours, keys)
    order = [*keys, "local_at"]
    columns = [*order, *(["utc_offset_s"] if freq == "1h" else []), "calls", "peak", "peak_at", "busy_s", "traffic"]
    hours["traffic"] = hours["busy_s"] / hours["length_s"]
    result = hours.sort_values("utc", kind="stable")[columns].reset_index(drop=True)
    result["row"] = range(len(result))  # the hour that happens twice keeps its order
    return arrow(result, sort=[(key, "ascending") for key in [*order, "row"]]).drop(["row"])


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("trunk", "category", "trunk"),
    ResultColumn("calls", "int64", "attempts: calls that held a line of the trunk, also those that failed"),
    ResultColumn("answered", "int64", "those that a person answered"),
    ResultColumn("busy_s", "int64", "time that they held a line, added up", "s"),
    ResultColumn("mean_hold_s", "float64", "busy_s / calls", "s"),
    ResultColumn("peak", "int64", "most calls at the same time"),
    ResultColumn("peak_at", "wall", "when first; NA if no call lasted a second"),
    ResultColumn("day_type", "category", "kind of the days of the busy hour: Monday to Friday, Saturday or Sunday"),
    ResultColumn("busy_hour", "int64", "clock hour with the most traffic, all days of a kind together"),
    ResultColumn("days", "int64", "days of this kind on which the trunk had calls"),
    ResultColumn("bhca", "float64", "attempts in the busy hour, mean over these days"),
    ResultColumn("traffic", "float64", "offered in the busy hour", "erlang"),
    ResultColumn("traffic_low", "float64", "lower end of its 95 % interval", "erlang"),
    ResultColumn("traffic_high", "float64", "upper end", "erlang"),
    ResultColumn("lines", "int64", "lines needed for `traffic` at the grade of service"),
    ResultColumn("lines_low", "int64", "lines needed for `traffic_low`"),
    ResultColumn("lines_high", "int64", "lines needed for `traffic_high`"),
    ResultColumn("lines_retry", "int64", "lines needed for `traffic` where blocked callers try again"),
    divides_by="attempts (mean hold); days on which the trunk had calls, and the hour (attempts, traffic)",
)
def trunk_usage(calls: Any, *, blocking: float = 0.01, retry: float = 0.5, period: Period | None = None) -> pa.Table:
    """Describe how each trunk is used, and how many lines it needs.

    Parameters
    ----------
    calls : frame
        One row per call, the columns of `concurrent_calls`. Calls without a trunk do not count.
    blocking : float, default 0.01
        Grade of service: the share of attempts in the busy hour that may find all lines busy, 0-1.
    retry : float, default 0.5
        Share of the blocked callers who dial again at once, for ``lines_retry``.
    period : Period, optional
        Days to look at: calls that start on them; by default all.

    Returns
    -------
    frame
        The kind that went in. One row per PBX and trunk: ``pbx``, ``trunk``, ``calls``, ``answered``,
        ``busy_s`` [s], ``mean_hold_s`` [s], ``peak``, ``peak_at``, ``day_type``, ``busy_hour``, ``days``,
        ``bhca``, ``traffic``, ``traffic_low``, ``traffic_high`` [erlang], ``lines``, ``lines_low``, ``lines_high``,
        ``lines_retry``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `blocking` or `retry` cannot be used.

    Notes
    -----
    traffic = bhca x mean hold of the busy hour's attempts / 3600, with bhca = attempts in the busy hour / days.
    The busy hour is time-consistent: of the clock hours of Monday to Friday, of Saturday and of Sunday the one
    with the most traffic over all its days; days on which the trunk had no call at all, holidays for example,
    do not count. lines = fewest n with B(n, traffic) <= blocking (Erlang B); lines_retry the same by the extended
    formula, where a share `retry` of the blocked attempts comes back. An hour that happens twice in an autumn night
    counts as one.

    The interval is that of a compound Poisson sum: calls come by chance and hold by chance, so the sum of the
    holds has the relative spread of a Poisson count of (sum of holds)^2 / sum of squared holds, whose 95 %
    limits are exact. It does not hold the growth of the business, nor that the busy hour was chosen because
    it was the highest.

    Offered is what reached the PBX or was tried from it. Callers whom the provider turned away because all
    lines were busy leave no record: where ``peak`` equals the lines that you have, the true traffic is higher.

    References
    ----------
    ITU-T E.500, E.501: busy hour, offered traffic. F. Garwood: Fiducial Limits for the Poisson Distribution.
    Biometrika 28 (1936) 437-442.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "trunk": "Main", "utc_offset_s": 3600, "duration_s": 90,
    ...     "local_at": pd.date_range("2026-03-02 09:00", periods=100, freq="36s"),
    ...     "outcome": "answered", "entry": "did:1", "is_forward": False})
    >>> trunk_usage(calls)[["trunk", "calls", "peak", "bhca", "traffic", "lines", "lines_high"]]
      trunk  calls  peak   bhca  traffic  lines  lines_high
    0  Main    100     3  100.0      2.5      7           8
    """
    lines_needed(0.0, blocking, retry=retry)  # refuses what is no share, also where there are no calls
    keys = ["pbx", "trunk"]
    frame = in_period(_held(calls, "trunk"), period)
    held = nw.col("duration_s").cast(nw.Float64)
    hourly = collect(
        with_interval_start(frame, "1d", "day")
        .with_columns(hour=nw.col("local_at").dt.hour())
        .group_by([*keys, "day", "hour"])
        .agg(
            calls=nw.len().cast(nw.Int64),
            answered=(nw.col("outcome") == "answered").cast(nw.Int64).sum().cast(nw.Int64),
            busy_s=nw.col("duration_s").sum().cast(nw.Int64),
            squares=(held * held).sum(),
        )
    )
    hourly["day_type"] = day_types(hourly["day"])
    trunks = hourly.groupby(keys)[["calls", "answered", "busy_s"]].sum()
    clock = hourly.groupby([*keys, "day_type", "hour"], as_index=False)[["calls", "busy_s", "squares"]].sum()
    days = hourly.groupby([*keys, "day_type"], as_index=False).agg(days=("day", "nunique"))
    clock = clock.merge(days, on=[*keys, "day_type"])
    busiest = clock.sort_values(["busy_s", "calls", "hour"], ascending=[False, False, True], kind="stable")
    busiest = busiest.drop_duplicates(keys).set_index(keys)
    busiest = busiest.rename(columns={name: f"bh_{name}" for name in ("calls", "busy_s", "squares")})
    peaks = _concurrency(frame, keys, period, None).sort_values(["peak", "utc"], ascending=[False, True], kind="stable")
    peaks = peaks.drop_duplicates(keys).set_index(keys)[["peak", "peak_at"]]
    result = trunks.join(busiest).join(peaks).reset_index()
    result["mean_hold_s"] = result["busy_s"] / result["calls"]
    result["busy_hour"] = result["hour"].astype("int64")
    result["bhca"] = result["bh_calls"] / result["days"]
    result["traffic"] = result["bh_busy_s"] / result["days"] / _HOUR_S
    low, high = _limits(result["bh_busy_s"].to_numpy(float), result["bh_squares"].to_numpy(float))
    result["traffic_low"], result["traffic_high"] = result["traffic"] * low, result["traffic"] * high
    for end in ("", "_low", "_high"):
        result[f"lines{end}"] = lines_needed(result[f"traffic{end}"].to_numpy(float), blocking)
    result["lines_retry"] = lines_needed(result["traffic"].to_numpy(float), blocking, retry=retry)
    columns = [column.name for column in trunk_usage.columns]
    return arrow(result[columns], sort=[(key, "ascending") for key in keys])


def _held(calls: Any, by: str | None) -> nw.LazyFrame[Any]:
    """Calls that hold a line each."""
    frame = on_days(select_required(calls, "calls", required("calls", *_COLUMNS)))
    left_out = continues()
    if by is not None:
        left_out = nw.col("trunk").is_null() | (left_out & nw.col("entry").str.starts_with("park:").fill_null(False))
    duration = nw.col("duration_s").fill_null(0)
    return frame.filter(~left_out).with_columns(
        pbx=nw.col("pbx").fill_null(""), duration_s=nw.when(duration > 0).then(duration).otherwise(0)
    )


@dataclass
class _Line:
    """One trunk, or one PBX: its hours, what is known of them, and the calls that are still open."""

    hours: _Seconds
    calls: _Seconds = field(init=False)
    peak: _Seconds = field(init=False)
    peak_at: _Seconds = field(init=False)
    busy_s: _Seconds = field(init=False)
    open_until: _Seconds = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        self.calls, self.peak, self.peak_at, self.busy_s = (np.zeros(len(self.hours), np.int64) for _ in range(4))

    def go_on(self, start: _Seconds, duration: _Seconds, since: int, until: int) -> None:
        """Sweep over the time from `since` to `until`, in which these calls start."""
        hour = np.searchsorted(self.hours, start, "right") - 1
        within = (hour >= 0) & (start < self.hours[-1] + _HOUR_S)
        self.calls += np.bincount(hour[within], minlength=len(self.hours))
        start, end = start[duration > 0], (start + duration)[duration > 0]
        level = len(self.open_until)
        end = np.concatenate([self.open_until, end])
        self.open_until = end[end >= until]
        end = end[end < until]
        first, last = max(since, int(self.hours[0])), min(until, int(self.hours[-1]) + _HOUR_S)
        if first >= last:
            return
        ticks = np.unique(np.append(self.hours[(self.hours > first) & (self.hours < last)], first))
        at, where = np.unique(np.concatenate([start, end, ticks, [last]]), return_inverse=True)
        change = np.bincount(where[: len(start)], minlength=len(at))
        change -= np.bincount(where[len(start) : len(start) + len(end)], minlength=len(at))
        levels = (level + np.cumsum(change))[: np.searchsorted(at, last)]
        begin = np.searchsorted(at, ticks)
        highest = np.maximum.reduceat(levels, begin)
        lasting = levels * np.diff(at[: len(levels) + 1])
        reached = np.repeat(highest, np.diff(np.append(begin, len(levels)))) == levels[begin[0] :]
        when = np.minimum.reduceat(np.where(reached, at[begin[0] : len(levels)], last), begin - begin[0])
        hour = np.searchsorted(self.hours, ticks, "right") - 1
        better = highest > self.peak[hour]
        self.peak_at[hour[better]] = when[better]
        self.peak[hour] = np.maximum(self.peak[hour], highest)
        self.busy_s[hour] += np.add.reduceat(lasting, begin)


def _concurrency(frame: nw.LazyFrame[Any], keys: list[str], period: Period | None, zones: Zones | None) -> pd.DataFrame:
    """One row per line and hour: calls, peak, peak_at, busy_s, length_s and utc, the hour's start [s]."""
    if period is not None:
        frame = frame.filter(nw.col("local_at") < wall_time(period.end))
    seen = collect(
        with_interval_start(frame, "1h").group_by("pbx", "local_at", "utc_offset_s").agg(calls=nw.len().cast(nw.Int64))
    )
    days = period or span(seen["local_at"])
    clocks = _clocks(seen, days, zones)
    usual = {pbx: int(clock["utc_offset_s"].mode().iloc[0]) for pbx, clock in clocks.items()}
    lines: dict[tuple[str, ...], _Line] = {}
    for since, until in _slices(seen):
        some = collect(_within(frame, since, until).select(*keys, "local_at", "utc_offset_s", "duration_s"))
        offset = some["utc_offset_s"]
        if offset.isna().any():
            offset = offset.fillna(some["pbx"].map(usual))
        some["start"] = _epoch(some["local_at"]) - offset.to_numpy(dtype=np.int64)
        some = some[(some["start"] >= since) & (some["start"] < until)]
        starts = {_key(key): rows for key, rows in some.groupby(keys, sort=False)}
        for key in starts:
            lines.setdefault(key, _Line(clocks[key[0]]["utc"].to_numpy(np.int64)))
        for key, line in lines.items():
            rows = starts.get(key, some.iloc[:0])
            line.go_on(rows["start"].to_numpy(np.int64), rows["duration_s"].to_numpy(np.int64), since, until)
    return _table(lines, clocks, keys)


def _clocks(seen: pd.DataFrame, days: Period | None, zones: Zones | None) -> dict[str, pd.DataFrame]:
    """Hours that the clock of each PBX went through, with their start in UTC [s]."""
    clocks = {}
    for pbx, some in with_offsets(seen).groupby("pbx"):
        clock = hours(some, days, zones)
        clock["utc_offset_s"] = clock["utc_offset_s"].fillna(0)
        clock["utc"] = _epoch(clock["local_at"]) - clock["utc_offset_s"].to_numpy(dtype=np.int64)
        clock = clock.sort_values("utc").drop_duplicates("utc")
        clock["length_s"] = np.minimum(np.diff(clock["utc"], append=clock["utc"].iloc[-1] + _HOUR_S), _HOUR_S)
        clocks[str(pbx)] = clock
    return clocks


def _slices(seen: pd.DataFrame) -> list[tuple[int, int]]:
    """Spans of time, one after the other from the first to the last instant, none with too many calls."""
    daily = seen.groupby(seen["local_at"].dt.normalize())["calls"].sum()
    full = (daily.cumsum() // _SLICE).diff() > 0
    edges = [-(2**62), *_epoch(daily.index[full].to_series()).tolist(), 2**62]
    return list(pairwise(edges)) if len(daily) else []


def _within(frame: nw.LazyFrame[Any], since: int, until: int) -> nw.LazyFrame[Any]:
    """Calls that can start between the two instants, whatever the offset of their clock."""
    margin = timedelta(days=1)
    if since > -(2**62):
        frame = frame.filter(nw.col("local_at") >= wall_time(pd.Timestamp(since, unit="s").to_pydatetime() - margin))
    if until < 2**62:
        frame = frame.filter(nw.col("local_at") < wall_time(pd.Timestamp(until, unit="s").to_pydatetime() + margin))
    return frame


def _table(lines: dict[tuple[str, ...], _Line], clocks: dict[str, pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    parts = []
    for key, line in lines.items():
        clock = clocks[key[0]]
        peak_at = pd.to_datetime(line.peak_at + clock["utc_offset_s"].to_numpy(dtype=np.int64), unit="s")
        found = {"calls": line.calls, "peak": line.peak, "peak_at": peak_at, "busy_s": line.busy_s}
        part = clock.assign(**dict(zip(keys, key, strict=True)), **found)
        part["peak_at"] = part["peak_at"].where(part["peak"] > 0).astype("datetime64[us]")
        parts.append(part)
    if parts:
        return pd.concat(parts, ignore_index=True)
    dtypes = {**dict.fromkeys(keys, "str"), "local_at": "datetime64[us]", "utc_offset_s": "Int64"}
    dtypes |= {"calls": "int64", "peak": "int64", "peak_at": "datetime64[us]", "busy_s": "int64", "length_s": "int64"}
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in (dtypes | {"utc": "int64"}).items()})


def _by_day(hours: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    hours = hours.assign(local_at=hours["local_at"].dt.normalize())
    days = hours.groupby([*keys, "local_at"], as_index=False).agg(
        calls=("calls", "sum"), busy_s=("busy_s", "sum"), length_s=("length_s", "sum"), utc=("utc", "min")
    )
    best = hours.sort_values(["peak", "utc"], ascending=[False, True], kind="stable")
    best = best.drop_duplicates([*keys, "local_at"])[[*keys, "local_at", "peak", "peak_at"]]
    return days.merge(best, on=[*keys, "local_at"])


def _limits(total: Floats, squares: Floats) -> tuple[Floats, Floats]:
    """Limits of a compound Poisson sum, as parts of the sum; 1 where the sum is 0."""
    count = np.where(total > 0, total**2 / np.where(squares > 0, squares, 1.0), 1.0)
    low, high = poisson_limits(count)
    return np.where(total > 0, low / count, 1.0), np.where(total > 0, high / count, 1.0)


def _epoch(local_at: pd.Series[Any]) -> _Seconds:
    return local_at.to_numpy().astype("datetime64[s]").astype(np.int64)


def _key(key: Any) -> tuple[str, ...]:
    return tuple(str(part) for part in key)
