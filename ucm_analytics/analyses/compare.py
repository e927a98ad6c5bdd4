"""This period against earlier ones, with what is only noise called noise."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.calendar import meant, weekdays_meant
from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect, with_interval_start
from ucm_analytics.analyses.population import begins_in, counted_calls, from_outside, offered, on_days
from ucm_analytics.analyses.statistics import student
from ucm_analytics.period import Period

_SUMS: Final = {
    "answered_rate": ("answered", "inbound"),
    "wait_s": ("wait_s", "waits"),
    "talk_s": ("talk_s", "talks"),
}
"""A mean is one daily sum over another."""
_DAILY: Final = ("calls", "inbound", "answered", "waits", "wait_s", "talks", "talk_s")


@analysis(
    ResultColumn("measure", "category", "calls (a day), answered_rate, wait_s or talk_s"),
    ResultColumn("against", "category", "previous or last_year"),
    ResultColumn("first", "wall", "first day of the period compared with"),
    ResultColumn("last", "wall", "last day of it"),
    ResultColumn("calls", "int64", "calls behind the value of this period"),
    ResultColumn("calls_before", "int64", "calls behind the value of the period compared with"),
    ResultColumn("days", "int64", "days of this period that are meant"),
    ResultColumn("days_before", "int64", "days of the period compared with that are meant"),
    ResultColumn("value", "float64", "value in this period; NA if there were no calls"),
    ResultColumn(
        "before", "float64", "value in the other period, calls as if it had this one's weekdays; NA if no calls"
    ),
    ResultColumn("change", "float64", "value / before - 1; NA if either is NA or 0"),
    ResultColumn("low", "float64", "lower end of its 95 % interval; NA if too few days tell"),
    ResultColumn("high", "float64", "upper end of it"),
    ResultColumn("verdict", "category", "higher, lower, noise, or unknown"),
    divides_by="days that are meant; calls from outside (rate); calls that have it (means); the value before (change)",
)
def compare(
    calls: Any, period: Period, *, holidays: Collection[date] = (), weekdays: Collection[int] | None = None
) -> pa.Table:
    """Compare a period with the one before it and with the same one last year.

    Parameters
    ----------
    calls : frame
        One row per call, of all the periods: ``local_at, direction, outcome, queue, phones, wait_s, talk_s,
        is_forward``.
    period : Period
        The days to judge.
    holidays : collection of datetime.date
        Days of any of the periods that are neither counted nor divided by: those on which nobody works, or that were
        never pulled.
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `calls` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.

    Returns
    -------
    frame
        The kind that went in. Eight rows, whatever the data: for each ``measure`` and each period ``against``
        which it is held, ``first``, ``last``, ``calls``, ``calls_before``, ``days``, ``days_before``, ``value``,
        ``before``, ``change``, ``low``, ``high``, ``verdict``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `weekdays` are none.

    Notes
    -----
    Measures: calls = calls a day; answered_rate = inbound calls that a person answered / inbound calls;
    wait_s [s] = mean wait of the inbound calls that were offered to people, as in `durations`; talk_s [s] = mean talk
    of calls that a person answered.

    Before a calendar month lies the month before, otherwise the same weekdays as near as possible; last year is
    the same month, or the same weekdays 52 weeks (or a multiple of a week nearest to a year) earlier.

    Calls of a day are counts with the mean (level of the period) · (profile of the weekday) and the variance
    φ · mean; φ = max(1, χ² / degrees of freedom) over the days of both periods (quasi-Poisson). The change of
    calls is the ratio of the two levels, so a month with five Mondays is not busier for that, and its interval is
    exp(log ratio ± t √(φ/calls + φ/calls_before)). The other measures are ratios of daily sums, and their
    variance comes from the days too: m/(m-1) Σ (y - R n)² / N². Verdict: 'noise' if the interval holds 0,
    'unknown' if there is no interval. Eight comparisons at 95 % call noise a change about once in three reports.

    References
    ----------
    McCullagh and Nelder 1989, Generalized Linear Models (over-dispersion); Cochran 1977, Sampling Techniques
    (ratio estimators).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2026-03-02", periods=14)
    >>> calls = pd.DataFrame({
    ...     "local_at": days.repeat([10] * 7 + [20] * 7), "direction": "inbound", "outcome": "answered",
    ...     "queue": None, "phones": 1, "wait_s": 10, "talk_s": 60, "is_forward": False})
    >>> compare(calls, Period.of("2026-W11"))[["measure", "value", "before", "change", "verdict"]].head(1)
      measure  value  before  change verdict
    0   calls   20.0    10.0     1.0  higher
    """
    others = {"previous": previous(period), "last_year": last_year(period)}
    daily = _daily(calls, (period, *others.values()), weekdays, holidays)
    weekdays = weekdays_meant(daily["local_at"], period, weekdays, holidays)
    rows = []
    for against, other in others.items():
        days = pd.concat([_filled(daily, period).assign(now=True), _filled(daily, other).assign(now=False)])
        days = days[meant(days["local_at"], weekdays, holidays)]
        frame = {"against": against, "first": pd.Timestamp(other.first), "last": pd.Timestamp(other.last)}
        frame |= {"days": int(days["now"].sum()), "days_before": int((~days["now"]).sum())}
        rows.append(frame | {"measure": "calls"} | _counts(days))
        rows += [frame | {"measure": name} | _ratio(days, *sums) for name, sums in _SUMS.items()]
    result = pd.DataFrame(rows)
    for name in ("first", "last"):
        result[name] = result[name].astype("datetime64[us]")
    floats = ["value", "before", "change", "low", "high"]
    result[floats] = result[floats].astype("float64")
    result["order"] = result["measure"].map({name: n for n, name in enumerate(("calls", *_SUMS))})
    table = arrow(result, sort=[("order", "ascending"), ("against", "descending")])
    return table.select([column.name for column in compare.columns])


def previous(period: Period) -> Period:
    """The period before: the month before a month, otherwise the nearest days with the same weekdays.

    Examples
    --------
    >>> previous(Period.of("2026-03")) == Period.of("2026-02")
    True
    >>> previous(Period.of("2026-W11")) == Period.of("2026-W10")
    True
    """
    if _is_month(period):
        return Period.month_of(period.first - timedelta(days=1))
    return _shifted(period, -(-len(period) // 7))


def last_year(period: Period) -> Period:
    """The same month a year ago, otherwise the same weekdays nearest to a year ago.

    Examples
    --------
    >>> last_year(Period.of("2024-02")) == Period.of("2023-02")
    True
    >>> last_year(Period.of("2026-W11")).first
    datetime.date(2025, 3, 10)
    """
    if _is_month(period):
        return Period.month_of(period.first.replace(year=period.first.year - 1))
    return _shifted(period, 52 if len(period) <= 364 else 52 * -(-len(period) // 364))


def _is_month(period: Period) -> bool:
    return period == Period.month_of(period.first)


def _shifted(period: Period, weeks: int) -> Period:
    back = timedelta(weeks=weeks)
    return Period(period.first - back, period.last - back)


def _daily(
    calls: Any, periods: tuple[Period, ...], weekdays: Collection[int] | None, holidays: Collection[date]
) -> pd.DataFrame:
    frame = counted_calls(calls, "local_at", "direction", "outcome", "queue", "phones", "wait_s", "talk_s")
    # the plain limits let an engine leave whole files unread
    around = Period(min(period.first for period in periods), max(period.last for period in periods))
    frame = on_days(frame, around, weekdays, holidays).filter(
        nw.any_horizontal(*map(begins_in, periods), ignore_nulls=False)
    )
    inbound = from_outside().fill_null(False)
    answered = (nw.col("outcome") == "answered").fill_null(False)
    waited = inbound & offered().fill_null(False)
    sums = {
        "inbound": inbound.cast(nw.Int64),
        "answered": (inbound & answered).cast(nw.Int64),
        "waits": waited.cast(nw.Int64),
        "wait_s": nw.when(waited).then(nw.col("wait_s")).otherwise(0),
        "talks": answered.cast(nw.Int64),
        "talk_s": nw.when(answered).then(nw.col("talk_s")).otherwise(0),
    }
    return collect(
        with_interval_start(frame.with_columns(**sums), "1d")
        .group_by("local_at")
        .agg(calls=nw.len().cast(nw.Int64), **{name: nw.col(name).sum().cast(nw.Int64) for name in sums})
    )


def _filled(daily: pd.DataFrame, period: Period) -> pd.DataFrame:
    days = pd.DataFrame({"local_at": pd.date_range(period.first, period.last, unit="us")})
    return days.merge(daily, how="left", on="local_at").fillna(dict.fromkeys(_DAILY, 0))


def _counts(days: pd.DataFrame) -> dict[str, Any]:
    """Level of one period against the other, weekday by weekday."""
    weekday, now = days["local_at"].dt.day_of_week.to_numpy(), days["now"].to_numpy(dtype=bool)
    seen = days["calls"].to_numpy(dtype=float)
    n, n_before = float(seen[now].sum()), float(seen[~now].sum())
    found: dict[str, Any] = {
        "calls": int(n),
        "calls_before": int(n_before),
        "value": n / now.sum() if n else math.nan,
    }
    if not n or not n_before:
        missing = {"before": n_before / (~now).sum() if n_before else math.nan}
        return found | missing | _judged(math.nan, math.nan, 0)
    level, profile = np.ones(2), np.ones(7)
    side = now.astype(int)
    for _ in range(200):  # maximum likelihood of a log-linear model by turns; exact after one where no day is missing
        fitted = np.bincount(weekday, weights=level[side], minlength=7)
        profile = np.bincount(weekday, weights=seen, minlength=7) / np.where(fitted > 0, fitted, 1)
        level = np.array([n_before, n]) / np.bincount(side, weights=profile[weekday])
    mean = level[side] * profile[weekday]
    some = mean > 0
    freedom = int(some.sum()) - len(set(weekday[some])) - 1
    spread = math.nan
    if freedom > 0:
        dispersion = max(1.0, float(((seen - mean)[some] ** 2 / mean[some]).sum()) / freedom)
        spread = math.sqrt(dispersion / n + dispersion / n_before)
    ratio = float(level[1] / level[0])
    return found | {"before": found["value"] / ratio} | _judged(math.log(ratio), spread, freedom)


def _ratio(days: pd.DataFrame, above: str, below: str) -> dict[str, Any]:
    """Ratio of two daily sums in both periods, with its spread over the days."""
    rates, parts, counts, freedom = [], [], [], 0
    for now in (True, False):
        some = days[days["now"] == now]
        total, over = float(some[below].sum()), float(some[above].sum())
        rate = over / total if total else math.nan
        m = int((some[below] > 0).sum())
        part = math.nan
        if m > 1 and over > 0:
            residuals = (some[above] - rate * some[below]).to_numpy(dtype=float)
            part = m / (m - 1) * float((residuals**2).sum()) / over**2
        rates.append(rate)
        parts.append(part)
        counts.append(int(total))
        freedom += m - 1
    value, before = rates
    log_ratio = math.log(value / before) if value > 0 and before > 0 else math.nan
    found = {"calls": counts[0], "calls_before": counts[1], "value": value, "before": before}
    return found | _judged(log_ratio, math.sqrt(sum(parts)), freedom)


def _judged(log_ratio: float, spread: float, freedom: int) -> dict[str, Any]:
    if math.isnan(log_ratio):
        return {"change": math.nan, "low": math.nan, "high": math.nan, "verdict": "unknown"}
    change = math.expm1(log_ratio)
    if math.isnan(spread) or freedom < 1:
        return {"change": change, "low": math.nan, "high": math.nan, "verdict": "unknown"}
    half = student(freedom) * spread
    low, high = math.expm1(log_ratio - half), math.expm1(log_ratio + half)
    verdict = "higher" if low > 0 else "lower" if high < 0 else "noise"
    return {"change": change, "low": low, "high": high, "verdict": verdict}
