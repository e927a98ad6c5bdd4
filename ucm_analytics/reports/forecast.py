"""How many calls to expect next week."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.documents.coverage import Coverage
from ucm_analytics.documents.document import Section, TableColumn
from ucm_analytics.documents.formats import day, number, period_name, plural, share, time
from ucm_analytics.errors import NoData
from ucm_analytics.metrics import formulas
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    from datetime import date

    import narwhals.stable.v2 as nw

    from ucm_analytics.analyses.forecast import ForecastFreq

TITLE = "Forecast"
QUESTION = "How many calls are to be expected in the seven days after the period?"

_HISTORY: Final = timedelta(weeks=12)
_AHEAD: Final = 7
_LEVEL: Final = 0.9
_REFUSED: Final = (TableColumn("local_at", "Day", "day"), TableColumn("calls", "Calls", "count"))
_NAMES: Final[dict[ForecastFreq, str]] = {"1d": "day", "30min": "half-hour"}


def build(context: Context) -> list[Section]:
    """Days, then half-hours, and what such forecasts were worth in past weeks."""
    period = context.period
    first = period.last - _HISTORY + timedelta(days=1)
    days = context.coverage(Period(first, period.last))
    history = days.span or period
    calls = context.scan("calls", history)
    by_day = _ahead(calls, history, days, "1d")
    refused = by_day.columns == _REFUSED
    by_half_hour = _ahead(calls, history, days, "30min", with_sum=not refused)
    sections = [by_day, by_half_hour]
    if refused and by_half_hour.columns == _REFUSED:
        # the same days twice would say nothing more
        sections = sections[:1]
    backtest = analyses.forecast_backtest(
        calls,
        freq="30min",
        level=_LEVEL,
        holidays=days.missing,
        period=history,
        weekdays=EVERY_WEEKDAY,
        zones=days.zones,
    ).dropna(subset=["rmse"])
    return [*sections, _past(backtest.reset_index(drop=True))] if len(backtest) else sections


def _ahead(
    calls: nw.LazyFrame[Any],
    history: Period,
    held: Coverage,
    freq: ForecastFreq,
    *,
    with_sum: bool = True,
) -> Section:
    name = _NAMES[freq]
    title = f"Calls to expect by {name}"
    try:
        expected = analyses.forecast(
            calls,
            days=_AHEAD,
            freq=freq,
            level=_LEVEL,
            holidays=held.missing,
            period=history,
            weekdays=EVERY_WEEKDAY,
            zones=held.zones,
        )
    except NoData as refusal:
        # The first sentence follows the name of the period.
        no = "no" if freq == "1d" else "No"
        return _refused(calls, history, held.missing, title, f"{no} forecast by {name}: {refusal.message}.")
    at = expected.iloc[int(expected["calls"].argmax())]
    when = day(at["local_at"]) if freq == "1d" else time(at["local_at"])
    days = expected["local_at"].dt.normalize().nunique()
    ahead = "in seven days"
    if days < _AHEAD:
        ahead = f"on {days} of seven days (the history holds no day of the other weekdays)"
    week = int(np.floor(expected["calls"].sum() + 0.5))
    busiest = f"he busiest {name} begins {when}, with {number(at['calls'])} ({at['low']} to {at['high']})"
    sentence = f"{plural(week, 'call')} {'is' if week == 1 else 'are'} to be expected {ahead}; t{busiest}."
    if not with_sum:
        # the sum would be the very forecast that was refused
        sentence = f"T{busiest}; what they add up to is no forecast, as there is none by day."
    return Section(
        title=title,
        sentence=sentence,
        figure=charts.forecast(expected),
        table=expected,
        columns=(
            TableColumn("local_at", name.capitalize(), "day" if freq == "1d" else "time"),
            TableColumn("calls", "Expected", "number"),
            TableColumn("low", "at least", "count"),
            TableColumn("high", "at most", "count"),
        ),
        formula=f"The interval covers {share(_LEVEL)} of the {name}s.\n" + formulas("forecast", "forecast_interval"),
        reading="Made from up to twelve weeks before the end of the period. Trends, seasons and coming holidays are "
        "not in it. One interval in ten lies outside of its band by design.",
    )


def _refused(
    calls: nw.LazyFrame[Any], history: Period, missing: tuple[date, ...], title: str, sentence: str
) -> Section:
    """What was there, in place of a forecast that would be worth nothing."""
    volume = analyses.call_volume(calls, freq="1d", holidays=missing, period=history)
    figure = charts.call_volume(volume).update_layout(title_text=f"Calls per day, {period_name(history)}")
    return Section(
        title=title,
        sentence=sentence,
        figure=figure,
        table=volume if volume["calls"].sum() else volume.head(0),
        columns=_REFUSED,
        formula="A forecast must have a smaller error in the last weeks than the counts of the week before; otherwise "
        "there is none.\n" + formulas("calls", "forecast_error"),
        reading="The chart shows the days that there are, no forecast. Three weeks are the least; eight to twelve are "
        "better.",
    )


def _past(backtest: pd.DataFrame) -> Section:
    own, naive = (float(np.sqrt((backtest[name] ** 2).mean())) for name in ("rmse", "naive_rmse"))
    return Section(
        title="What such forecasts were worth",
        sentence=f"In the last {plural(len(backtest), 'week')} the forecast of a half-hour was wrong by "
        f"{own:.2f} calls, the count of the week before by {naive:.2f}; {share(backtest['covered_rate'].mean())} of "
        "the half-hours lay inside their interval.",
        figure=charts.forecast_backtest(backtest),
        table=backtest,
        columns=(
            TableColumn("first", "Week from", "day"),
            TableColumn("weeks", "Weeks of history", "count"),
            TableColumn("calls", "Calls", "count"),
            TableColumn("expected", "Forecast", "number"),
            TableColumn("rmse", "Error", "number"),
            TableColumn("naive_rmse", "Error of the week before", "number"),
            TableColumn("covered_rate", "Inside the interval", "share"),
        ),
        formula="The error is over half-hours; each week is forecast only from the days before it.\n"
        + formulas("forecast_error", "forecast_interval"),
        reading="The error of half-hours with few calls is mostly chance, which no forecast removes. A week with a "
        "holiday that nobody named looks like a bad forecast.",
    )
