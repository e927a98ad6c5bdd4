"""Hours and days with more or fewer calls than their weekday and hour explain."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.calendar import on_holiday
from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow
from ucm_analytics.analyses.instants import Zones
from ucm_analytics.analyses.intervals import interval_counts
from ucm_analytics.analyses.statistics import dispersion, predictive_band
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

AnomalyFreq = Literal["1h", "1d"]

_A_MONTH: Final[dict[str, float]] = {"1h": 30 * 24, "1d": 30}
_GROSS: Final = 1e-4
"""Tail beyond which an interval does not tell what is usual; a larger one would cut real spread off."""
_TRIMMED: Final = 0.01
"""Part of the intervals, the most unusual, that does not count at first: one of them could hide itself and others."""
_FEWEST: Final = 2
"""So many other weeks are needed to say what is usual."""


@analysis(
    ResultColumn("local_at", "wall", "start of the hour or day on the PBX's wall clock"),
    ResultColumn("utc_offset_s", "Int64", "wall clock minus UTC; with freq='1h' only", "s", optional=True),
    ResultColumn("calls", "int64", "calls that started in it"),
    ResultColumn("weeks", "int64", "other weeks that it is compared with"),
    ResultColumn("expected", "float64", "calls expected from them; NA with fewer than two, and on holidays"),
    ResultColumn("low", "Int64", "fewest calls that are not unusual"),
    ResultColumn("high", "Int64", "most calls that are not unusual"),
    ResultColumn("is_anomaly", "bool", "calls < low or calls > high"),
    divides_by="weeks with the same weekday and clock hour, but for the one that is judged",
)
def anomalies(
    calls: Any,
    *,
    freq: AnomalyFreq = "1h",
    false_alarms: float = 1.0,
    holidays: Collection[date] = (),
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
    zones: Zones | None = None,
) -> pa.Table:
    """Find the hours or days whose number of calls the same hours of other weeks do not explain.

    Parameters
    ----------
    calls : frame
        One row per call: ``local_at, is_forward``; for hours ``pbx, utc_offset_s`` too.
    freq : {'1h', '1d'}
        Judge hours or days.
    false_alarms : float
        How many false alarms a month of 30 days may bring on average.
    holidays : collection of datetime.date
        Days that are neither judged nor used to judge others.
    period : Period, optional
        Days to look at; by default from the first day with a call to the last.
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `calls` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in. One row per hour or day, in order of time: ``local_at``, ``utc_offset_s`` [s] (hours
        only), ``calls``, ``weeks``, ``expected``, ``low``, ``high``, ``is_anomaly``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `freq` is unknown, `false_alarms` is not between 0 and 10, or `weekdays` are none.

    Notes
    -----
    An interval is compared with the same weekday (and hour) of the m other weeks, Σ calls together:
    expected = (Σ + 1/2) / m. Its calls are taken as negative binomial with that mean and the variance
    mean + mean² / size, 1/size = α (1 + 1/m) + 1/(Σ + 1/2): α is how much more than Poisson the intervals of all
    weeks vary (by moments, those beyond a tail of 1/10 000 left out), and the other terms are what the mean
    itself is uncertain by. low and high cut off a tail of false_alarms / (2 · intervals a month) each. Counts are
    whole numbers, so the tails are smaller than that: expect at most `false_alarms` a month, fewer at night.

    In the autumn night the hour that happens twice is two rows, told apart by ``utc_offset_s``; in spring the hour
    that does not happen is no row: see `call_volume`.

    A week (Monday to Sunday) without a single call tells nothing of what is usual: nobody used the PBX, or it was
    not yet there. Its days are judged where two other weeks tell. A trend or season over the weeks is not in the
    model: it widens the band. The hours of one unusual day are unusual together, so alarms come in clusters.

    References
    ----------
    Farrington et al. 1996, JRSS A 159 (outbreak detection with over-dispersed counts); Gelman et al., Bayesian
    Data Analysis (Poisson with a gamma prior predicts a negative binomial).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-03-02", periods=28)
    >>> calls = pd.DataFrame({"local_at": days.repeat([20] * 16 + [60] + [20] * 11), "is_forward": False})
    >>> found = anomalies(calls, freq="1d")
    >>> found.loc[found["is_anomaly"], ["local_at", "calls", "weeks", "expected"]]
         local_at  calls  weeks   expected
    16 2026-03-18     60      3  20.166667
    """
    if freq not in _A_MONTH:
        raise SettingError(f"freq={freq!r} is no interval to judge", hint="use 1h or 1d")
    if not 0 < false_alarms < 10:
        raise SettingError(f"false_alarms={false_alarms} is not between 0 and 10", hint="1 is usual")
    counts = interval_counts(calls, freq=freq, period=period, weekdays=weekdays, zones=zones)
    result = anomalies_from(counts, freq, false_alarms, holidays)
    order: list[Any] = [("local_at", "ascending"), *([("utc_offset_s", "descending")] if freq == "1h" else [])]
    return arrow(result[[column.name for column in anomalies.columns if column.name in result]], sort=order)


def anomalies_from(
    counts: pd.DataFrame, freq: AnomalyFreq, false_alarms: float, holidays: Collection[date]
) -> pd.DataFrame:
    """Judge what `interval_counts` gives."""
    free = ~on_holiday(counts["local_at"], holidays)
    monday = counts["local_at"].dt.normalize() - pd.to_timedelta(counts["local_at"].dt.day_of_week, unit="D")
    in_use = free & (counts.groupby(monday)["calls"].transform("sum") > 0)
    cell = counts["local_at"].dt.day_of_week * 24 + (counts["local_at"].dt.hour if freq == "1h" else 0)
    usual = in_use
    for trimmed in (_TRIMMED, 0.0):
        usual = in_use & ~_judged(counts["calls"], cell, usual, _GROSS, trimmed)["is_anomaly"]
    judged = _judged(counts["calls"], cell, usual, false_alarms / _A_MONTH[freq] / 2, 0.0)
    result = counts.join(judged)
    nothing = ~free | (result["weeks"] < _FEWEST)
    result["weeks"] = result["weeks"].where(free, 0)
    for name in ("expected", "low", "high"):
        result[name] = result[name].where(~nothing)
    for name in ("low", "high"):
        result[name] = result[name].astype("Int64")
    result["is_anomaly"] = result["is_anomaly"] & ~nothing
    return result


def _judged(calls: pd.Series, cell: pd.Series, usual: pd.Series, tail: float, trimmed: float) -> pd.DataFrame:
    """What each interval is expected to hold, from the usual ones of its cell other than itself."""
    seen = calls.to_numpy(dtype=float)
    inside = usual.to_numpy(dtype=bool)
    others = pd.DataFrame({"n": inside.astype(float), "total": np.where(inside, seen, 0.0)}).groupby(cell.to_numpy())
    m = others["n"].transform("sum").to_numpy() - inside
    total = others["total"].transform("sum").to_numpy() - np.where(inside, seen, 0.0)
    known = m >= _FEWEST
    weeks = np.where(known, m, 1.0)
    alpha = dispersion(seen, total / weeks, weeks, known & inside, trimmed)
    expected, low, high = predictive_band(total, weeks, alpha, tail)
    is_anomaly = known & ((seen < low) | (seen > high))
    found = {"weeks": m.astype("int64"), "expected": expected, "low": low, "high": high, "is_anomaly": is_anomaly}
    return pd.DataFrame(found, index=calls.index)
