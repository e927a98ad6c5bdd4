"""Calls that are to be expected, by half-hours or days, with what the forecast was worth in the past."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses._counts import interval_counts
from ucm_analytics.analyses._estimates import Floats, count_band
from ucm_analytics.analyses._frame import Result, analysis, arrow
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.period import Period

ForecastFreq = Literal["30min", "1h", "1d"]

_SLOTS: Final[dict[str, int]] = {"30min": 48, "1h": 24, "1d": 1}
_FEWEST_WEEKS: Final = 2
"""Weeks of history under every forecast, those of the back-test too."""
_FOLDS: Final = 4
_WEEK: Final = 7


@analysis(
    Result("local_at", "wall", "start of the interval on the PBX's wall clock"),
    Result("calls", "float64", "calls expected"),
    Result("low", "int64", "lower end of the prediction interval"),
    Result("high", "int64", "upper end of it"),
    Result("is_open", "bool", "calls are expected at all: no holiday, no hour without calls in the history"),
)
def forecast(
    calls: Any,
    *,
    days: int = 7,
    freq: ForecastFreq = "30min",
    level: float = 0.9,
    holidays: Collection[date] = (),
    period: Period | None = None,
) -> pa.Table:
    """Forecast the calls of the next days, or refuse where last week is as good a guess.

    Parameters
    ----------
    calls : frame
        One row per call: ``local_at, is_forward``; three weeks at least, eight to twelve are better.
    days : int
        How many days to forecast.
    freq : {'30min', '1h', '1d'}
        Length of an interval.
    level : float
        Share of the intervals that the prediction interval is to cover.
    holidays : collection of datetime.date
        Days, past and future, on which nobody works: left out of the history, and forecast as 0.
    period : Period, optional
        Days of the history; by default from the first day with a call to the last. The last must be complete.

    Returns
    -------
    frame
        The kind that went in. One row per interval from the day after the history, in order of time:
        ``local_at``, ``calls``, ``low``, ``high``, ``is_open``.

    Raises
    ------
    NoData
        The history is shorter than three weeks, or the forecast was no better in its last weeks than the
        count of the same interval one week before.
    WrongColumns
        A column is missing or has another type.
    SettingError
        `freq` is unknown, `days` is not positive, or `level` is not between 0 and 1.

    Notes
    -----
    Base: calls of the weekday times the part that the slot has of a day, as a log-linear model of weekday and slot
    fits them. Each weekday and slot is then drawn from the base to its own mean as far as its count tells:
    (Σ + κ) / (m · base + κ) · base over m weeks, κ by moments (gamma prior, empirical Bayes). A weekday and slot
    without calls where the base expects three or more is closed: 0.

    Interval: negative binomial with variance mean + α mean², α from the errors of the back-test (see
    `forecast_backtest`), so it holds what the forecast was wrong by, not only what counts scatter by. Trends
    and seasons are not in the model.

    References
    ----------
    Clayton and Kaldor 1987, Biometrics 43 (empirical Bayes of rates); Hyndman and Athanasopoulos, Forecasting
    (seasonal naive, back-test).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-03-02", periods=28)
    >>> rates = [20, 30, 20, 24, 22, 4, 2, 26, 22, 24, 20, 18, 6, 4] * 2
    >>> calls = pd.DataFrame({"local_at": days.repeat(rates), "is_forward": False})
    >>> forecast(calls, days=2, freq="1d")[["calls", "low", "high", "is_open"]].round(1)
       calls  low  high  is_open
    0   23.0   15    31     True
    1   26.0   18    35     True
    """
    _check(freq, days, level)
    counts = interval_counts(calls, freq=freq, period=period)
    result = forecast_from(counts, days=days, freq=freq, level=level, holidays=holidays)
    return arrow(result, sort=[("local_at", "ascending")])


@analysis(
    Result("first", "wall", "first day of the week that was forecast"),
    Result("weeks", "int64", "weeks of history before it"),
    Result("calls", "int64", "calls that came"),
    Result("expected", "float64", "calls that were forecast"),
    Result("rmse", "float64", "root of the mean squared error of an interval"),
    Result("naive_rmse", "float64", "the same, if each interval of the week before had been the forecast"),
    Result("covered_rate", "float64", "share of the intervals inside their prediction interval, 0-1"),
)
def forecast_backtest(
    calls: Any,
    *,
    freq: ForecastFreq = "30min",
    level: float = 0.9,
    holidays: Collection[date] = (),
    period: Period | None = None,
) -> pa.Table:
    """Forecast the last weeks from what came before each, and say how wrong that was.

    Parameters
    ----------
    calls : frame
        What `forecast` takes.
    freq : {'30min', '1h', '1d'}
        Length of an interval.
    level : float
        Share of the intervals that the prediction interval is to cover.
    holidays : collection of datetime.date
        Days that are left out.
    period : Period, optional
        Days of the history; by default from the first day with a call to the last.

    Returns
    -------
    frame
        The kind that went in. One row per week of the back-test, at most four, in order of time: ``first``,
        ``weeks``, ``calls``, ``expected``, ``rmse``, ``naive_rmse``, ``covered_rate``. No rows if the history is
        shorter than three weeks.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `freq` is unknown, or `level` is not between 0 and 1.

    Notes
    -----
    Each week is forecast only from the days before it, two weeks of them at least. rmse = √(mean of
    (calls - forecast)²) over the intervals that are no holidays; the naive forecast is the count of the same
    interval seven days earlier, where that was no holiday. The squared error is used because the forecast is a
    mean: an absolute error would reward forecasting 0 for half-hours with few calls. The prediction intervals of
    a week use α from the other weeks of the back-test.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-03-02", periods=28)
    >>> rates = [20, 30, 20, 24, 22, 4, 2, 26, 22, 24, 20, 18, 6, 4] * 2
    >>> calls = pd.DataFrame({"local_at": days.repeat(rates), "is_forward": False})
    >>> forecast_backtest(calls, freq="1d")[["weeks", "calls", "expected", "rmse", "naive_rmse"]].round(1)
       weeks  calls  expected  rmse  naive_rmse
    0      2    122     121.0   2.4         4.7
    1      3    120     121.3   3.1         4.7
    """
    _check(freq, 1, level)
    counts = interval_counts(calls, freq=freq, period=period)
    result = backtest_from(counts, freq=freq, level=level, holidays=holidays)
    return arrow(result, sort=[("first", "ascending")])


def forecast_from(
    counts: pd.DataFrame, *, days: int, freq: ForecastFreq, level: float, holidays: Collection[date]
) -> pd.DataFrame:
    """Forecast from what `interval_counts` gives."""
    history = _History.of(counts, freq, holidays)
    folds, errors = _backtest(history)
    _worth(history, folds)
    alpha = _alpha(errors)
    ahead = [history.last + timedelta(days=n) for n in range(1, days + 1)]
    expected = np.concatenate([history.fitted()[day.weekday()] for day in ahead])
    closed = np.repeat([day in set(holidays) for day in ahead], history.slots)
    expected = np.where(closed, 0.0, expected)
    bands = [_band(mean, alpha, level) for mean in expected.tolist()]
    starts = pd.date_range(ahead[0], periods=len(expected), freq=pd.Timedelta(days=1) / history.slots, unit="us")
    result = pd.DataFrame({"local_at": starts, "calls": expected})
    result["low"], result["high"] = ([band[n] for band in bands] for n in (0, 1))
    result["is_open"] = expected > 0
    return result


def backtest_from(
    counts: pd.DataFrame, *, freq: ForecastFreq, level: float, holidays: Collection[date]
) -> pd.DataFrame:
    """Back-test from what `interval_counts` gives."""
    history = _History.of(counts, freq, holidays)
    folds, errors = _backtest(history)
    rows = []
    for n, fold in enumerate(folds):
        alpha = _alpha([other for k, other in enumerate(errors) if k != n] or errors)
        seen, mean = errors[n]
        bands = [_band(each, alpha, level) for each in mean.tolist()]
        inside = [low <= value <= high for value, (low, high) in zip(seen.tolist(), bands, strict=True)]
        rows.append((*fold, float(np.mean(inside)) if inside else np.nan))
    result = pd.DataFrame(rows, columns=[column.name for column in forecast_backtest.columns])
    return result.astype({"weeks": "int64", "calls": "int64", "first": "datetime64[us]"})


@dataclass(frozen=True)
class _History:
    """Counts of whole days: one row a day, one column a slot."""

    days: tuple[date, ...]
    counts: Floats
    free: Any
    slots: int

    @classmethod
    def of(cls, counts: pd.DataFrame, freq: str, holidays: Collection[date]) -> _History:
        slots = _SLOTS[freq]
        days = tuple(at.date() for at in counts["local_at"].iloc[::slots])
        seen = counts["calls"].to_numpy(dtype=float).reshape(-1, slots)
        return cls(days, seen, np.array([day not in set(holidays) for day in days], dtype=bool), slots)

    @property
    def last(self) -> date:
        return self.days[-1]

    def until(self, n: int) -> _History:
        """Only the first n days."""
        return _History(self.days[:n], self.counts[:n], self.free[:n], self.slots)

    def fitted(self) -> Floats:
        """Expected calls by weekday and slot."""
        weekday = np.array([day.weekday() for day in self.days], dtype=int)[self.free]
        weeks = np.bincount(weekday, minlength=_WEEK).astype(float)[:, None]
        total = np.zeros((_WEEK, self.slots))
        np.add.at(total, weekday, self.counts[self.free])
        base = _base(total, weeks)
        expected = weeks * base
        above = float(((total - expected) ** 2 - expected).sum())
        kappa = float((expected**2).sum()) / above if above > 0 else np.inf
        ratio = np.ones_like(base) if np.isinf(kappa) else (total + kappa) / (expected + kappa)
        return np.where((total == 0) & (expected >= 3), 0.0, base * ratio)


def _base(total: Floats, weeks: Floats) -> Floats:
    """Log-linear model of weekday and slot: what a day of the weekday brings, times what the slot has of a day."""
    # A day of the week that was never seen is taken for the mean of the others.
    of_day = np.where(weeks > 0, total.sum(axis=1, keepdims=True) / np.maximum(weeks, 1), np.nan)
    of_day = np.where(np.isnan(of_day), np.nanmean(of_day) if weeks.any() else 0.0, of_day)
    part = total.sum(axis=0) / max(total.sum(), 1.0)
    return np.asarray(of_day * part)


def _backtest(history: _History) -> tuple[list[tuple[Any, ...]], list[tuple[Floats, Floats]]]:
    """The last weeks, each forecast from the days before it; and (seen, forecast) of each interval."""
    folds, errors = [], []
    for back in range(_FOLDS, 0, -1):
        begin = len(history.days) - back * _WEEK
        if begin < _FEWEST_WEEKS * _WEEK:
            continue
        fitted = history.until(begin).fitted()
        week = range(begin, begin + _WEEK)
        used = [n for n in week if history.free[n] and history.free[n - _WEEK]]
        seen = history.counts[used].ravel()
        mean = np.array([fitted[history.days[n].weekday()] for n in used], dtype=float).ravel()
        naive = history.counts[[n - _WEEK for n in used]].ravel()
        sums = (int(seen.sum()), float(mean.sum()), _rmse(seen, mean), _rmse(seen, naive))
        folds.append((pd.Timestamp(history.days[begin]), begin // _WEEK, *sums))
        errors.append((seen, mean))
    return folds, errors


def _worth(history: _History, folds: list[tuple[Any, ...]]) -> None:
    """Refuse a forecast that would be worth nothing."""
    folds = [fold for fold in folds if not np.isnan(fold[4])]
    if not folds:
        raise NoData(
            f"{int(history.free.sum())} days of calls are too few for a forecast",
            hint=f"give {(_FEWEST_WEEKS + 1) * _WEEK} days or more",
        )
    own, naive = (float(np.sqrt(np.mean([fold[n] ** 2 for fold in folds]))) for n in (4, 5))
    if not own < naive:
        raise NoData(
            f"the forecast would be no better than last week's counts: in the last {len(folds)} weeks it was wrong by "
            f"{own:.2f} calls an interval, they by {naive:.2f} (root mean square)",
            hint="look at a longer history, name the holidays, or take days instead of half-hours",
        )


def _alpha(errors: list[tuple[Floats, Floats]]) -> float:
    """α of the variance mean + α mean², from forecasts that were made."""
    if not errors:
        return 0.0
    seen, mean = (np.concatenate([pair[n] for pair in errors]) for n in (0, 1))
    below = float((mean**2).sum())
    return max(float(((seen - mean) ** 2 - mean).sum()) / below, 0.0) if below > 0 else 0.0


def _band(mean: float, alpha: float, level: float) -> tuple[int, int]:
    return count_band(mean, 1 / alpha if alpha > 0 else np.inf, (1 - level) / 2)


def _rmse(seen: Floats, mean: Floats) -> float:
    return float(np.sqrt(((seen - mean) ** 2).mean())) if len(seen) else np.nan


def _check(freq: str, days: int, level: float) -> None:
    if freq not in _SLOTS:
        raise SettingError(f"freq={freq!r} is no interval to forecast", hint=f"use one of {', '.join(_SLOTS)}")
    if days < 1:
        raise SettingError(f"days={days} forecasts nothing", hint="give a positive number of days")
    if not 0 < level < 1:
        raise SettingError(f"level={level} is not between 0 and 1", hint="0.9 is usual")
