"""Calls that are to be expected, by half-hours or days, with what the forecast was worth in the past."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.calendar import meant, on_holiday
from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow
from ucm_analytics.analyses.instants import Zones
from ucm_analytics.analyses.intervals import interval_counts
from ucm_analytics.analyses.statistics import Floats, count_band, dispersion
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.period import EVERY_WEEKDAY, Period

ForecastFreq = Literal["30min", "1h", "1d"]

_SLOTS: Final[dict[str, int]] = {"30min": 48, "1h": 24, "1d": 1}
_FEWEST_WEEKS: Final = 2
"""Weeks of history, with calls in each, under every forecast, those of the back-test too."""
_FOLDS: Final = 4
_WEEK: Final = 7


@analysis(
    ResultColumn("local_at", "wall", "start of the interval on the PBX's wall clock"),
    ResultColumn("calls", "float64", "calls expected"),
    ResultColumn("low", "int64", "lower end of the prediction interval"),
    ResultColumn("high", "int64", "upper end of it"),
    ResultColumn("weeks", "int64", "such intervals of the history behind it: this weekday and time, no holidays"),
    ResultColumn("is_open", "bool", "calls are expected at all: no holiday, no hour without calls in the history"),
    divides_by="weeks of the history with the weekday and time, holidays left out",
)
def forecast(
    calls: Any,
    *,
    days: int = 7,
    freq: ForecastFreq = "30min",
    level: float = 0.9,
    holidays: Collection[date] = (),
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
    zones: Zones | None = None,
) -> pa.Table:
    """Forecast the calls of the next days, or refuse where last week is as good a guess.

    Parameters
    ----------
    calls : frame
        One row per call: ``local_at, is_forward``, for hours and half-hours ``pbx, utc_offset_s`` too; three
        weeks at least, eight to twelve are better.
    days : int
        How many days to forecast, weekdays that are not meant included.
    freq : {'30min', '1h', '1d'}
        Length of an interval.
    level : float
        Share of the intervals that the prediction interval is to cover.
    holidays : collection of datetime.date
        Days, past and future, on which nobody works: left out of the history, and forecast as 0.
    period : Period, optional
        Days of the history; by default from the first day with a call to the last. The last must be complete.
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `calls` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in. One row per interval from the day after the history, in order of time:
        ``local_at``, ``calls``, ``low``, ``high``, ``weeks``, ``is_open``. Of a weekday that is not meant, or of
        which the history holds no day, there are no rows.

    Raises
    ------
    NoData
        The history is shorter than three weeks, has calls in fewer, or the forecast was no better in its last weeks
        than the count of the same interval one week before.
    WrongColumns
        A column is missing or has another type.
    SettingError
        `freq` is unknown, `days` is not positive, `level` is not between 0 and 1, or `weekdays` are none.

    Notes
    -----
    Base: calls of the weekday times the part that the slot has of a day, as a log-linear model of weekday and slot
    fits them. Each weekday and slot is then drawn from the base to its own mean as far as its count tells:
    (Σ + κ) / (m · base + κ) · base over m weeks, κ by moments (gamma prior, empirical Bayes). A weekday and slot
    without calls where the base expects three or more is closed: 0. The slots of a weekday are then scaled to add
    up to its mean, so that half-hours, hours and days of one history expect the same calls; of a weekday on which the
    clock changed, half-hours and hours expect those of a day as long as usual, and days the mean of all its days.

    Interval: negative binomial with variance mean + α mean², α from the errors of the back-test (see
    `forecast_backtest`), so it holds what the forecast was wrong by, not only what counts scatter by. Trends
    and seasons are not in the model.

    An hour that happened twice in an autumn night is two observations of its slot, one that did not happen in spring
    is none: see `call_volume`. Changes of the clock to come are not known.

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
    counts = interval_counts(calls, freq=freq, period=period, weekdays=weekdays, zones=zones)
    last = period.last if period else None
    result = forecast_from(
        counts, last, days=days, freq=freq, level=level, holidays=holidays, weekdays=weekdays or EVERY_WEEKDAY
    )
    return arrow(result, sort=[("local_at", "ascending")])


@analysis(
    ResultColumn("first", "wall", "first day of the week that was forecast"),
    ResultColumn("weeks", "int64", "weeks of history before it"),
    ResultColumn("calls", "int64", "calls that came"),
    ResultColumn("expected", "float64", "calls that were forecast"),
    ResultColumn("rmse", "float64", "root of the mean squared error of an interval"),
    ResultColumn("naive_rmse", "float64", "the same, if each interval of the week before had been the forecast"),
    ResultColumn("covered_rate", "float64", "share of the intervals inside their prediction interval, 0-1"),
    divides_by="intervals of the week that was forecast",
)
def forecast_backtest(
    calls: Any,
    *,
    freq: ForecastFreq = "30min",
    level: float = 0.9,
    holidays: Collection[date] = (),
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
    zones: Zones | None = None,
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
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `calls` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.
    zones : mapping of str to ZoneInfo, optional
        Time zone by PBX, from `Store.zones`: when its clock changed. Without it only the calls tell.

    Returns
    -------
    frame
        The kind that went in. One row per week of the back-test, at most four, in order of time: ``first``,
        ``weeks``, ``calls``, ``expected``, ``rmse``, ``naive_rmse``, ``covered_rate``. No rows if the history is
        shorter than three weeks, or has calls in fewer.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `freq` is unknown, `level` is not between 0 and 1, or `weekdays` are none.

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
    counts = interval_counts(calls, freq=freq, period=period, weekdays=weekdays, zones=zones)
    result = backtest_from(counts, freq=freq, level=level, holidays=holidays)
    return arrow(result, sort=[("first", "ascending")])


def forecast_from(
    counts: pd.DataFrame,
    last: date | None = None,
    *,
    days: int,
    freq: ForecastFreq,
    level: float,
    holidays: Collection[date],
    weekdays: Collection[int] = EVERY_WEEKDAY,
) -> pd.DataFrame:
    """Forecast from what `interval_counts` gives."""
    history = _History.of(counts, freq, holidays)
    folds, errors = _backtest(history)
    _worth(history, folds)
    alpha = _alpha(errors)
    begin = (last or history.days[-1]) + timedelta(days=1)
    ahead = pd.date_range(begin, periods=days * history.slots, freq=pd.Timedelta(days=1) / history.slots, unit="us")
    weekday, slot = ahead.day_of_week.to_numpy(), np.tile(np.arange(history.slots), days)
    result = pd.DataFrame({"local_at": ahead, "calls": history.fitted()[weekday, slot]})
    result.loc[on_holiday(result["local_at"], holidays), "calls"] = 0.0
    result["weeks"] = history.weeks()[weekday, slot].astype("int64")
    result = result[meant(result["local_at"], weekdays)].dropna(ignore_index=True)
    result["low"], result["high"] = count_band(result["calls"].to_numpy(), alpha, (1 - level) / 2)
    result["is_open"] = result["calls"] > 0
    return result[[column.name for column in forecast.columns]]


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
        low, high = count_band(mean, alpha, (1 - level) / 2)
        inside = (low <= seen) & (seen <= high)
        rows.append((*fold, float(inside.mean()) if len(inside) else np.nan))
    result = pd.DataFrame(rows, columns=[column.name for column in forecast_backtest.columns])
    return result.astype({"weeks": "int64", "calls": "int64", "first": "datetime64[us]"})


@dataclass(frozen=True)
class _History:
    """Counts of whole days: one row a day, one column a slot; and how often each slot happened and is to be used."""

    days: tuple[date, ...]
    counts: Floats
    often: Floats

    @classmethod
    def of(cls, counts: pd.DataFrame, freq: str, holidays: Collection[date]) -> _History:
        at = counts["local_at"]
        days = pd.date_range(at.min(), at.max(), normalize=True) if len(at) else pd.DatetimeIndex([])
        used = counts[~on_holiday(at, holidays)]
        at = used["local_at"].dt
        slot = (at.hour * 60 + at.minute) * _SLOTS[freq] // (24 * 60)
        place = days.get_indexer(pd.Index(at.normalize())), slot.to_numpy(dtype=int)
        seen, often = (np.zeros((len(days), _SLOTS[freq])) for _ in range(2))
        np.add.at(seen, place, used["calls"].to_numpy(dtype=float))
        np.add.at(often, place, 1.0)
        return cls(tuple(days.date), seen, often)

    @property
    def slots(self) -> int:
        return int(self.counts.shape[1])

    @property
    def weeks_with_calls(self) -> int:
        """Weeks, Monday to Sunday, with calls."""
        called = (day for day, seen in zip(self.days, self.counts, strict=True) if seen.any())
        return len({day - timedelta(days=day.weekday()) for day in called})

    def until(self, n: int) -> _History:
        """Only the first n days."""
        return _History(self.days[:n], self.counts[:n], self.often[:n])

    def weeks(self) -> Floats:
        """How often each slot of each weekday happened."""
        return self._by_weekday(self.often)

    def fitted(self) -> Floats:
        """Expected calls by weekday and slot; NaN for weekdays without a day."""
        weeks, total = self.weeks(), self._by_weekday(self.counts)
        base = _base(total, weeks)
        expected = np.nan_to_num(weeks * base)
        alpha = dispersion(total, expected)  # 1/κ
        drawn = np.where((total == 0) & (expected >= 3), 0.0, base * (alpha * total + 1) / (alpha * expected + 1))
        sums = drawn.sum(axis=1, keepdims=True)
        return np.asarray(
            drawn * np.divide(base.sum(axis=1, keepdims=True), sums, out=np.ones_like(sums), where=sums > 0)
        )

    def _by_weekday(self, values: Floats) -> Floats:
        total = np.zeros((_WEEK, self.slots))
        np.add.at(total, [day.weekday() for day in self.days], values)
        return total


def _base(total: Floats, weeks: Floats) -> Floats:
    """Log-linear model of weekday and slot: what a day of the weekday brings, times what the slot has of a day."""
    days = weeks.mean(axis=1, keepdims=True)
    of_day = np.where(days > 0, total.sum(axis=1, keepdims=True) / np.where(days > 0, days, 1.0), np.nan)
    part = total.sum(axis=0) / max(total.sum(), 1.0)
    return np.asarray(of_day * part)


def _backtest(history: _History) -> tuple[list[tuple[Any, ...]], list[tuple[Floats, Floats]]]:
    """The last weeks, each forecast from the days before it; and (seen, forecast) of each interval."""
    folds, errors = [], []
    for back in range(_FOLDS, 0, -1):
        begin = len(history.days) - back * _WEEK
        before = history.until(max(begin, 0))
        if begin < _FEWEST_WEEKS * _WEEK or before.weeks_with_calls < _FEWEST_WEEKS:
            continue
        week, last = slice(begin, begin + _WEEK), slice(begin - _WEEK, begin)
        often, often_before = history.often[week], history.often[last]
        fitted = before.fitted()[[day.weekday() for day in history.days[week]]]
        used = (often > 0) & (often_before > 0) & ~np.isnan(fitted)
        seen, mean = history.counts[week][used], (fitted * often)[used]
        naive = history.counts[last][used] / often_before[used] * often[used]
        sums = (int(seen.sum()), float(mean.sum()), _rmse(seen, mean), _rmse(seen, naive))
        folds.append((pd.Timestamp(history.days[begin]), begin // _WEEK, *sums))
        errors.append((seen, mean))
    return folds, errors


def _worth(history: _History, folds: list[tuple[Any, ...]]) -> None:
    """Refuse a forecast that would be worth nothing."""
    folds = [fold for fold in folds if not np.isnan(fold[4])]
    enough = f"give {(_FEWEST_WEEKS + 1) * _WEEK} days or more"
    if len(history.days) > _FEWEST_WEEKS * _WEEK and history.weeks_with_calls <= _FEWEST_WEEKS:
        weeks = "1 week" if history.weeks_with_calls == 1 else f"{history.weeks_with_calls} weeks"
        raise NoData(f"calls in {weeks} only are too few for a forecast", hint=f"{enough}, with calls in three weeks")
    if not folds:
        days = int(history.often.any(axis=1).sum())
        raise NoData(
            f"{days} {'day' if days == 1 else 'days'} of calls are too few for a forecast",
            hint=enough,
        )
    own, naive = (float(np.sqrt(np.mean([fold[n] ** 2 for fold in folds]))) for n in (4, 5))
    if not own < naive:
        weeks = "week" if len(folds) == 1 else f"{len(folds)} weeks"
        raise NoData(
            f"the forecast would be no better than last week's counts: in the last {weeks} it was wrong by "
            f"{own:.2f} calls an interval, they by {naive:.2f} (root mean square)",
            hint="look at a longer history, or name the holidays"
            + ("" if history.counts.shape[1] == 1 else ", or take days instead of half-hours"),
        )


def _alpha(errors: list[tuple[Floats, Floats]]) -> float:
    """α of the variance mean + α mean², from forecasts that were made."""
    seen, mean = (np.concatenate([pair[n] for pair in errors]) for n in (0, 1))
    return dispersion(seen, mean)


def _rmse(seen: Floats, mean: Floats) -> float:
    return float(np.sqrt(((seen - mean) ** 2).mean())) if len(seen) else np.nan


def _check(freq: str, days: int, level: float) -> None:
    if freq not in _SLOTS:
        raise SettingError(f"freq={freq!r} is no interval to forecast", hint=f"use one of {', '.join(_SLOTS)}")
    if days < 1:
        raise SettingError(f"days={days} forecasts nothing", hint="give a positive number of days")
    if not 0 < level < 1:
        raise SettingError(f"level={level} is not between 0 and 1", hint="0.9 is usual")
