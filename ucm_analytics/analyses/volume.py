"""How many calls, and when: intervals, hours of the week, the busy hour."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.calendar import on_holiday, span, starts
from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect, on_engine_of, with_interval_start
from ucm_analytics.analyses.instants import Zones, hours, utc, with_offsets
from ucm_analytics.analyses.intervals import every_interval, interval_counts
from ucm_analytics.analyses.population import counted_calls, on_days
from ucm_analytics.analyses.statistics import expected_band
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

Freq = Literal["1h", "1d", "1w", "1mo"]
VolumeBy = Literal["direction", "outcome", "entry", "ended_in", "answered_by", "queue", "trunk", "pbx"]

_FREQS: Final = ("1h", "1d", "1w", "1mo")
_BY: Final = ("direction", "outcome", "entry", "ended_in", "answered_by", "queue", "trunk", "pbx")
_MINUTES: Final = np.timedelta64(60, "m")


@analysis(
    ResultColumn("local_at", "wall", "start of the interval on the PBX's wall clock"),
    ResultColumn("utc_offset_s", "Int64", "wall clock minus UTC; with freq='1h' only", "s", optional=True),
    ResultColumn("calls", "int64", "calls that started in the interval", metric="calls"),
    ResultColumn("answered", "int64", "those that a person answered", metric="calls_answered"),
    ResultColumn(
        "low",
        "Int64",
        "fewest calls that are usual; hours and days that are not split only",
        optional=True,
        metric="usual_calls",
    ),
    ResultColumn("high", "Int64", "most calls that are usual", optional=True, metric="usual_calls"),
    ResultColumn("freq", "category", "length of the interval: 1h, 1d, 1w, 1mo; the same in every row"),
)
def call_volume(
    calls: Any,
    *,
    freq: Freq = "1h",
    by: VolumeBy | None = None,
    holidays: Collection[date] = (),
    period: Period | None = None,
    zones: Zones | None = None,
) -> pa.Table:
    """Count the calls that start in each interval.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, local_at, utc_offset_s, outcome, is_forward`` and `by`.
    freq : {'1h', '1d', '1w', '1mo'}
        Length of an interval: hour, day, week (from Monday), month, on the PBX's wall clock.
    by : str, optional
        Split each interval by this column of `calls`.
    holidays : collection of datetime.date
        Days that are neither counted nor divided by: those on which nobody works, or that were never pulled.
    period : Period, optional
        Days to count; by default from the first day with a call to the last.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in. One row per interval and value of `by`, in order of time: ``local_at``,
        ``utc_offset_s`` [s] (hours only), `by`, ``calls``, ``answered``; ``low`` and ``high`` for hours and days
        that are not split; ``freq``. Intervals without calls are rows with 0, for each value of `by` that occurs in the
        period.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `freq` or `by` is unknown.

    Notes
    -----
    calls = number of rows with local_at in [start, next start); answered = those with outcome 'answered'.
    Rows with ``is_forward`` are the second half of a call that is counted already, and are left out.

    In the autumn night the hour that happens twice is two rows, told apart by ``utc_offset_s``; in spring
    the hour that does not happen is no row. `zones` tell when; without the zone of a PBX, or where a call
    contradicts it, the offsets of the calls do. Where none of them shows the hour of a change, it is put as near
    as they allow to 02:00 (forward) or 03:00 (back), on a Sunday if there is one. ``utc_offset_s`` is NA where
    nothing tells the offset.

    Intervals of a week or month that begin before the period count only the calls inside the period. Hours and days of
    holidays, and weeks and months that hold nothing else, are no rows.

    low to high holds 95 of 100 such intervals: counts of one weekday (and clock hour) are taken as negative
    binomial around their mean, with one over-dispersion for all of them; NA where the period holds fewer than two.
    To find the unusual ones use `anomalies`, which leaves each interval out of its own band.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic",
    ...     "local_at": pd.to_datetime(["2026-03-02 09:05", "2026-03-02 09:40", "2026-03-04 11:00"]),
    ...     "utc_offset_s": 3600, "outcome": ["answered", "abandoned", "answered"], "is_forward": False})
    >>> call_volume(calls, freq="1d")[["local_at", "calls", "answered"]]
        local_at  calls  answered
    0 2026-03-02      2         1
    1 2026-03-03      0         0
    2 2026-03-04      1         1
    """
    if freq not in _FREQS:
        raise SettingError(f"freq={freq!r} is no interval", hint=f"use one of {', '.join(_FREQS)}")
    if by is not None and by not in _BY:
        raise SettingError(f"call_volume cannot split by {by!r}", hint=f"use one of {', '.join(_BY)}")
    keys = list(dict.fromkeys(["pbx", "local_at", "utc_offset_s", *([by] if by else [])]))
    frame = on_days(counted_calls(calls, *keys, "outcome"), period, holidays=holidays)
    seen = collect(
        with_interval_start(frame, "1d" if freq == "1w" else freq)
        .group_by(keys)
        .agg(
            calls=nw.len().cast(nw.Int64),
            answered=(nw.col("outcome") == "answered").cast(nw.Int64).sum().cast(nw.Int64),
        )
    )
    days = period or span(seen["local_at"])
    interval = ["local_at"]
    together = True
    if freq == "1h":  # of one PBX with known offsets each row is an interval already
        together = seen["pbx"].nunique(dropna=False) > 1 or bool(seen["utc_offset_s"].isna().any())
        seen = with_offsets(seen)
        interval.append("utc_offset_s")
        grid = hours(seen, days, zones)
        grid = grid[~on_holiday(grid["local_at"], holidays)]
    else:
        seen["local_at"] = _beginning(seen["local_at"], freq)
        every = pd.Series(starts(days, "1d"))
        grid = _beginning(every[~on_holiday(every, holidays)], freq).drop_duplicates().to_frame("local_at")
    groups = interval + ([by] if by else [])
    if by:
        grid = grid.merge(seen[[by]].drop_duplicates(), how="cross")
    if together:
        seen = seen.groupby(groups, dropna=False, as_index=False)[["calls", "answered"]].sum()
    volume = grid.merge(seen[[*groups, "calls", "answered"]], how="left", on=groups)
    volume = volume.fillna({"calls": 0, "answered": 0})
    if freq in ("1h", "1d") and not by:
        cell = volume["local_at"].dt.day_of_week * 24 + volume["local_at"].dt.hour
        volume = volume.join(expected_band(volume["calls"], cell, cell))
    volume["freq"] = freq
    order: list[Any] = [("local_at", "ascending")]
    if freq == "1h":
        order.append(("utc_offset_s", "descending"))
    if by:
        order.append((by, "ascending"))
    return arrow(volume, sort=order)


@analysis(
    ResultColumn("weekday", "int64", "0 Monday to 6 Sunday"),
    ResultColumn("hour", "int64", "clock hour, 0 to 23"),
    ResultColumn("calls", "int64", "calls that started in this hour, all weeks together", metric="calls"),
    ResultColumn(
        "days", "int64", "how often the clock went through this hour: such days, one more where it happens twice"
    ),
    ResultColumn("calls_per_day", "float64", "calls / days; NA without days", metric="calls_per_day"),
    ResultColumn(
        "low",
        "Int64",
        "fewest calls that are usual in one such hour; NA with fewer than two days",
        metric="usual_calls",
    ),
    ResultColumn("high", "Int64", "most calls that are usual in one such hour", metric="usual_calls"),
    divides_by="days of the weekday that are meant, an hour as often as the clock went through it",
)
def hour_of_week(
    calls: Any,
    *,
    holidays: Collection[date] = (),
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
    zones: Zones | None = None,
) -> pa.Table:
    """Count calls by weekday and clock hour.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, local_at, utc_offset_s, is_forward``.
    holidays : collection of datetime.date
        Days that are neither counted nor divided by: those on which nobody works, or that were never pulled.
    period : Period, optional
        Days to count; by default from the first day with a call to the last.
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `calls` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in; 168 rows, whatever the data: ``weekday`` (0 Monday), ``hour``, ``calls``,
        ``days``, ``calls_per_day``, ``low``, ``high``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `weekdays` are none.

    Notes
    -----
    calls_per_day = calls / days, where days is how often the hour lies in the period, days without calls
    included. An hour that happens twice in an autumn night counts twice, one that does not happen in spring does not
    count; see `call_volume` for how the change is found. Weekdays that are not meant have 0 days. low to high
    holds 95 of 100 such hours, as in `call_volume`.

    Examples
    --------
    >>> import pandas as pd
    >>> mondays = pd.DataFrame({
    ...     "pbx": "clinic", "utc_offset_s": 3600, "is_forward": False,
    ...     "local_at": pd.to_datetime(["2026-03-02 09:05", "2026-03-02 09:40", "2026-03-09 09:10"])})
    >>> hour_of_week(mondays, weekdays=[0])[["weekday", "hour", "calls", "days", "calls_per_day"]].iloc[8:11]
        weekday  hour  calls  days  calls_per_day
    8         0     8      0     2            0.0
    9         0     9      3     2            1.5
    10        0    10      0     2            0.0
    """
    every = interval_counts(calls, freq="1h", period=period, weekdays=weekdays, holidays=holidays, zones=zones)
    cell = every["local_at"].dt.day_of_week * 24 + every["local_at"].dt.hour
    result = pd.DataFrame({"weekday": np.repeat(range(7), 24), "hour": np.tile(range(24), 7)})
    result = result.join(_means(every["calls"], cell, 7 * 24))
    result = result.join(expected_band(every["calls"], cell, pd.Series(result.index)))
    return arrow(result, sort=[("weekday", "ascending"), ("hour", "ascending")])


@analysis(
    ResultColumn("hour", "int64", "clock hour, 0 to 23"),
    ResultColumn("calls", "int64", "calls that started in this clock hour, all days together", metric="calls"),
    ResultColumn("days", "int64", "how often the clock went through this hour: days, one more where it happens twice"),
    ResultColumn("calls_per_day", "float64", "calls / days; NA without days", metric="calls_per_day"),
    ResultColumn(
        "low",
        "Int64",
        "fewest calls that are usual in this hour of a day; NA with fewer than two days",
        metric="usual_calls",
    ),
    ResultColumn("high", "Int64", "most calls that are usual in this hour of a day", metric="usual_calls"),
    ResultColumn(
        "peak_calls", "int64", "most calls in any 60 minutes that begin in this clock hour", metric="busy_hour"
    ),
    ResultColumn("peak_at", "wall", "start of those 60 minutes; NA without calls"),
    ResultColumn("is_busy_hour", "bool", "the time-consistent busy hour: the highest calls_per_day", metric="tcbh"),
    ResultColumn("is_peak", "bool", "holds the busiest 60 minutes of the period"),
    divides_by="days that are meant, an hour as often as the clock went through it",
)
def busy_hour(
    calls: Any,
    *,
    holidays: Collection[date] = (),
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
    zones: Zones | None = None,
) -> pa.Table:
    """Find the busiest clock hour of the day, and the busiest 60 minutes of the period.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, local_at, utc_offset_s, is_forward``.
    holidays : collection of datetime.date
        Days that are neither counted nor divided by: those on which nobody works, or that were never pulled.
    period : Period, optional
        Days to count; by default from the first day with a call to the last.
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `calls` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in; 24 rows, one per clock hour: ``hour``, ``calls``, ``days``, ``calls_per_day``,
        ``low``, ``high``, ``peak_calls``, ``peak_at``, ``is_busy_hour``, ``is_peak``. Each flag is set in one
        row, or in none if there are no calls.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `weekdays` are none.

    Notes
    -----
    The time-consistent busy hour is the clock hour with the highest mean of calls over the days of the period; an
    hour that happens twice in an autumn night counts twice, one that does not happen in spring does not count. The
    peak is the window [t, t + 60 min) with the most calls starting in it; some busiest window always begins at the
    start of a call, so these are all that are tried, and the peak is exact. Windows are 60 minutes of real time, also
    when the clock changes. Of equals the earliest is taken. low to high holds the calls of this clock hour on 95 of
    100 days, as in `call_volume`; all days are taken alike.

    References
    ----------
    ITU-T E.500 and E.600: busy hour, time-consistent busy hour.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "utc_offset_s": 3600, "is_forward": False,
    ...     "local_at": pd.to_datetime(["2026-03-02 09:50", "2026-03-02 10:05", "2026-03-03 10:20"])})
    >>> busy_hour(calls).loc[9:11, ["hour", "calls_per_day", "peak_calls", "is_busy_hour", "is_peak"]]
        hour  calls_per_day  peak_calls  is_busy_hour  is_peak
    9      9            0.5           2         False     True
    10    10            1.0           1          True    False
    11    11            0.0           0         False    False
    """
    frame = on_days(counted_calls(calls, "pbx", "local_at", "utc_offset_s"), period, weekdays, holidays)
    frame = with_interval_start(frame.drop_nulls("utc_offset_s"), "1h", "hour_at").with_columns(local_at=utc())
    frame = with_interval_start(frame, "1m", "minute").rename({"local_at": "utc"})
    keys = ["pbx", "hour_at", "utc_offset_s"]
    seen = collect(frame.group_by([*keys, "minute"]).agg(calls=nw.len().cast(nw.Int64)))
    seen["hour"] = seen["hour_at"].dt.hour
    by_hour = seen.groupby(keys, dropna=False, as_index=False)[["calls"]].sum()
    by_hour = by_hour.rename(columns={"hour_at": "local_at"})
    every = every_interval(by_hour, freq="1h", period=period, weekdays=weekdays, holidays=holidays, zones=zones)
    near = on_engine_of(frame, _near_a_peak(seen))
    starts = collect(
        frame.join(near, on="minute", how="semi").group_by("utc", "utc_offset_s").agg(calls=nw.len().cast(nw.Int64))
    )
    starts = starts.sort_values(["utc", "utc_offset_s"], ignore_index=True)
    before = np.concatenate([[0], starts["calls"].cumsum().to_numpy()])
    at = starts["utc"].to_numpy()
    begin, end = np.searchsorted(at, at), np.searchsorted(at, at + np.timedelta64(3600, "s"))
    starts["peak_calls"] = before[end] - before[begin]
    starts["peak_at"] = starts["utc"] + pd.to_timedelta(starts["utc_offset_s"], unit="s")
    starts["hour"] = starts["peak_at"].dt.hour
    best = starts.loc[starts.groupby("hour")["peak_calls"].idxmax()].set_index("hour").reindex(range(24))
    result = pd.DataFrame({"hour": range(24)})
    result = result.join(_means(every["calls"], every["local_at"].dt.hour, 24))
    result = result.join(expected_band(every["calls"], every["local_at"].dt.hour, result["hour"]))
    result["peak_calls"] = best["peak_calls"].fillna(0).astype("int64")
    result["peak_at"] = best["peak_at"]
    if starts.empty:
        result[["is_busy_hour", "is_peak"]] = False
    else:
        result["is_busy_hour"] = result["hour"] == result["calls_per_day"].argmax()
        result["is_peak"] = result["hour"] == starts["hour"].iloc[starts["peak_calls"].argmax()]
    return arrow(result, sort=[("hour", "ascending")])


def _beginning(at: pd.Series[Any], freq: Freq) -> pd.Series[Any]:
    """Start of the day, week or month that each of these days lies in."""
    back = {"1d": 0, "1w": at.dt.day_of_week, "1mo": at.dt.day - 1}[freq]
    return at - pd.to_timedelta(back, unit="D")  # type: ignore[no-any-return]


def _means(calls: pd.Series[Any], cell: pd.Series[Any], cells: int) -> pd.DataFrame:
    """Calls of the hours of each cell, how many hours they are, and the mean."""
    hours = calls.groupby(cell)
    means = pd.DataFrame({"calls": hours.sum(), "days": hours.size()}).reindex(range(cells), fill_value=0)
    means["calls_per_day"] = means["calls"] / means["days"].where(means["days"] > 0)
    return means


def _near_a_peak(seen: pd.DataFrame) -> pa.Table:
    """Minutes whose calls decide the busiest 60 minutes of each clock hour; calls in all others cannot matter.

    60 minutes that begin with the first call of a clock hour in a minute hold its calls and those of the 59 minutes
    after; no 60 minutes that begin in a minute hold more than it and the 60 after do.
    """
    minutes = seen.groupby("minute")["calls"].sum()
    at = minutes.index.to_numpy()
    before = np.concatenate([[0], minutes.cumsum().to_numpy()])
    place = np.searchsorted(at, seen["minute"].to_numpy())
    begin = seen["minute"].to_numpy()
    least = seen["calls"] + before[np.searchsorted(at, begin + _MINUTES)] - before[place + 1]
    stop = np.searchsorted(at, begin + _MINUTES + np.timedelta64(1, "m"))
    decides = before[stop] - before[place] >= least.groupby(seen["hour"]).transform("max")
    edges = np.zeros(len(at) + 1, dtype=int)
    np.add.at(edges, place[decides], 1)
    np.add.at(edges, stop[decides], -1)
    return pa.table({"minute": pa.array(at[np.cumsum(edges)[:-1] > 0], pa.timestamp("us"))})
