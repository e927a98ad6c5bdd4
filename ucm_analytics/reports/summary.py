"""The first page: five numbers that matter, how they changed, and what to do about each."""

from __future__ import annotations

import math
from calendar import month_name
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import narwhals.stable.v2 as nw
import pandas as pd

from ucm_analytics import analyses, charts
from ucm_analytics.analyses.compare import previous
from ucm_analytics.analyses.population import from_outside
from ucm_analytics.documents.coverage import Coverage
from ucm_analytics.documents.document import Card, Section, TableColumn
from ucm_analytics.documents.formats import NONE, count, day, hour, number, period_name, plural, seconds, share, weekday
from ucm_analytics.metrics import formulas
from ucm_analytics.period import EVERY_WEEKDAY, Period
from ucm_analytics.reports._context import Context
from ucm_analytics.reports.call_volume import busiest

if TYPE_CHECKING:
    from ucm_analytics.analyses.instants import Zones

TITLE = "Summary"
QUESTION = "What happened, what changed, and what should be done?"

_ENOUGH: Final = 20
"""Waits that an hour needs before it is compared with others; calls of a period by which one can plan."""
_SOME: Final = 5
"""Calls of an hour that tell something about it."""
_CHART_PX: Final = 300


@dataclass(frozen=True)
class _Numbers:
    """The five numbers of one period, and its days; NA where there is nothing to count."""

    calls: int
    answered_rate: float
    open: int
    open_since: pd.Timestamp
    median_wait_s: float
    busiest: pd.Series[Any] | None
    days: pd.DataFrame


def build(context: Context) -> list[Section]:
    """The five numbers, over the calls from outside by day and outcome."""
    period = context.period
    calls = context.scan("calls")
    days = context.days
    now = _numbers(calls, period, days)
    before, why_not = _before(context)
    verdicts = _verdicts(context) if before else {}
    cards = _cards(calls, period, days.zones, now, before, why_not, verdicts)
    table = pd.DataFrame(
        [(card.label, card.value, _value_before(n, before), card.change, card.action) for n, card in enumerate(cards)],
        columns=["number", "value", "before", "change", "action"],
        dtype="str",
    )
    volume = analyses.call_volume(
        calls.filter(from_outside()), freq="1d", by="outcome", holidays=days.absent, period=period
    )
    figure = charts.call_volume(volume).update_layout(
        title_text="Calls from outside per day, by outcome", height=_CHART_PX
    )
    return [
        Section(
            title="Five numbers",
            sentence=_headline(now),
            figure=figure,
            table=table if now.calls else table.head(0),
            columns=(
                TableColumn("number", "Number"),
                TableColumn("value", "Value"),
                TableColumn("before", "Before"),
                TableColumn("change", "Change"),
                TableColumn("action", "What to do"),
            ),
            formula=formulas("inbound", "inbound_answered", "unreturned_missed", "wait", "hour_of_week", "before"),
            reading="Small changes come by themselves, and a holiday in one of the periods makes large ones: the "
            "report Compared with before says which are more than chance. Callers who withheld their number cannot "
            "be called back and are not among those to call back.",
            cards=tuple(cards) if now.calls else (),
        )
    ]


def _numbers(calls: nw.LazyFrame[Any], period: Period, days: Coverage) -> _Numbers:
    inbound = calls.filter(from_outside())
    volume = analyses.call_volume(inbound, freq="1d", holidays=days.absent, period=period)
    total = int(volume["calls"].sum())
    missed = analyses.missed_calls(calls, period=period)
    waiting = missed[missed["status"].astype(str) == "open"]
    waits = analyses.durations(inbound, by=())
    hours = analyses.hour_of_week(
        inbound, holidays=days.uncounted, period=period, weekdays=EVERY_WEEKDAY, zones=days.zones
    )
    return _Numbers(
        calls=total,
        answered_rate=volume["answered"].sum() / total if total else float("nan"),
        open=len(waiting),
        open_since=waiting["first_at"].min(),
        median_wait_s=float(waits.loc[waits["measure"].astype(str) == "wait_s", "median_s"].iloc[0]),
        busiest=busiest(hours) if hours["calls"].sum() else None,
        days=volume,
    )


def _before(context: Context) -> tuple[_Numbers | None, str]:
    """Numbers of the period before, or why there are none."""
    earlier = previous(context.period)
    if context.days.missing:
        return None, "not comparable: days of the period are not in the store"
    days_before = context.coverage(earlier)
    if days_before.missing:
        return None, f"not comparable: {period_name(earlier)} is not all in the store"
    return _numbers(context.scan("calls", earlier), earlier, days_before), ""


def _verdicts(context: Context) -> dict[str, str]:
    """Whether calls from outside and their answered rate changed by more than chance: measure to verdict."""
    period = context.period
    both = context.scan("calls", Period(previous(period).first, period.last))
    found = analyses.compare(both.filter(from_outside()), period, weekdays=EVERY_WEEKDAY)
    found = found[found["against"].astype(str) == "previous"]
    return dict(zip(found["measure"].astype(str), found["verdict"].astype(str), strict=True))


def _cards(
    calls: nw.LazyFrame[Any],
    period: Period,
    zones: Zones,
    now: _Numbers,
    before: _Numbers | None,
    why_not: str,
    verdicts: dict[str, str],
) -> list[Card]:
    inbound = calls.filter(from_outside())
    changes = [why_not] * 5 if before is None else _changes(now, before, period, verdicts)
    hours = analyses.call_volume(inbound, freq="1h", period=period, zones=zones)
    actions = [
        _plan(now.days),
        _answer(hours, period),
        _call_back(now),
        _shorten(inbound),
        _staff(hours, now),
    ]
    labels = [
        "Calls from outside",
        "Answered by a person",
        "Callers to call back",
        "Median wait",
        "Busiest hour for calls from outside",
    ]
    details = ["call-volume", "call-volume", "missed-calls", "durations", "staffing"]
    return [Card(*card) for card in zip(labels, _values(now), changes, actions, details, strict=True)]


def _values(numbers: _Numbers) -> list[str]:
    return [
        count(numbers.calls),
        _or_none(share, numbers.answered_rate),
        count(numbers.open),
        _or_none(seconds, numbers.median_wait_s),
        NONE if numbers.busiest is None else _when(numbers.busiest),
    ]


def _value_before(n: int, before: _Numbers | None) -> str:
    return NONE if before is None else _values(before)[n]


def _changes(now: _Numbers, before: _Numbers, period: Period, verdicts: dict[str, str]) -> list[str]:
    shown = [f"{value} {_then(period)}" for value in _values(before)]
    earlier = previous(period)
    calls, answered = (
        ", within the usual ups and downs" if verdicts.get(measure) == "noise" else ""
        for measure in ("calls", "answered_rate")
    )
    return [
        _relative(now.calls / len(period), before.calls / len(earlier), shown[0], len(period) != len(earlier)) + calls,
        _points(now.answered_rate, before.answered_rate, shown[1]) + answered,
        _relative(now.open / len(period), before.open / len(earlier), shown[2], len(period) != len(earlier)),
        _longer(now.median_wait_s, before.median_wait_s, shown[3]),
        "the same before" if _values(now)[4] == _values(before)[4] else shown[4],
    ]


def _then(period: Period) -> str:
    """What the period before is called: the week before, in February."""
    earlier = previous(period)
    if period == Period.month_of(period.first):
        return f"in {month_name[earlier.first.month]}"
    if len(period) == 1:
        return "a week before"
    return "the week before" if len(period) == 7 else f"in {period_name(earlier)}"


def _relative(now: float, before: float, shown: str, a_day: bool = False) -> str:
    """Change of a count; `a_day` where the periods differ in length, so that the counts of a day are compared."""
    if now == before:
        return f"as many ({shown})"
    if not before:
        return f"more ({shown})"
    return f"{share(abs(now / before - 1))} {'more' if now > before else 'fewer'}{' a day' * a_day} ({shown})"


def _points(now: float, before: float, shown: str) -> str:
    if math.isnan(now) or math.isnan(before):
        return "nothing to compare"
    points = round(100 * now) - round(100 * before)
    if not points:
        return f"the same ({shown})"
    return f"{plural(abs(points), 'point')} {'higher' if points > 0 else 'lower'} ({shown})"


def _longer(now: float, before: float, shown: str) -> str:
    if math.isnan(now) or math.isnan(before):
        return "nothing to compare"
    if now == before:
        return f"the same ({shown})"
    return f"{seconds(abs(now - before))} {'longer' if now > before else 'shorter'} ({shown})"


def _plan(days: pd.DataFrame) -> str:
    if not days["calls"].sum():
        return "Nothing to do."
    top = days.iloc[int(days["calls"].argmax())]
    if len(days) == 1:
        return "Compare the day with others before you plan by it."
    if days["calls"].sum() < _ENOUGH:
        return f"Fewer than {_ENOUGH} calls are too few to plan by."
    return f"Plan for {plural(int(top['calls']), 'call')} from outside a day: so many came on {day(top['local_at'])}."


def _answer(hours: pd.DataFrame, period: Period) -> str:
    left, at = hours["calls"] - hours["answered"], hours["local_at"].dt
    cells = hours.assign(left=left).groupby([at.day_of_week, at.hour])[["left", "calls"]].sum()
    if not len(cells) or not cells["left"].max():
        return "Nothing to do: everybody reached a person."
    worst = cells.iloc[int(cells["left"].argmax())]
    on, clock = cells.index[int(cells["left"].argmax())]
    if worst["left"] < _SOME:
        return f"No hour of the week has {_SOME} callers who reached nobody: too few to say when to add people."
    return (
        f"Add people on {weekday(on)}{'s' * (len(period) > 7)} at {hour(clock)}, when {count(worst['left'])} of "
        f"{count(worst['calls'])} callers reached nobody."
    )


def _call_back(now: _Numbers) -> str:
    if not now.open:
        return "Nothing to do: every caller with a number was reached."
    return (
        f"Call them back, the latest first; the oldest waits since {day(now.open_since)}. The list is in Missed calls."
    )


def _shorten(inbound: nw.LazyFrame[Any]) -> str:
    rows = analyses.durations(inbound, by=("hour",))
    waits = rows[(rows["measure"].astype(str) == "wait_s") & (rows["calls"] >= _ENOUGH)]
    if waits.empty:
        return f"No hour has {_ENOUGH} waits: too few to say when to add people."
    worst = waits.iloc[int(waits["p90_s"].argmax())]
    return f"Shorten it at {hour(worst['hour'])} first: one in ten waits {seconds(worst['p90_s'])} or longer then."


def _staff(hours: pd.DataFrame, now: _Numbers) -> str:
    if now.busiest is None:
        return "Nothing to do."
    at = hours["local_at"].dt
    cell = hours[(at.day_of_week == now.busiest["weekday"]) & (at.hour == now.busiest["hour"])]
    if now.busiest["calls_per_day"] < 1 or cell["calls"].sum() < _SOME:
        return "Too few calls come in then to plan by."
    return (
        f"Have everybody there: {number(now.busiest['calls_per_day'])} calls come in then, "
        f"and {share(cell['answered'].sum() / cell['calls'].sum())} reach a person."
    )


def _headline(now: _Numbers) -> str:
    if not now.calls:
        return "no calls came in from outside."
    parts = [f"{plural(now.calls, 'call')} from outside, {share(now.answered_rate)} reached a person"]
    if now.open:
        parts.append(f"{plural(now.open, 'caller')} still {'waits' if now.open == 1 else 'wait'} for a call back")
    return "; ".join(parts) + "."


def _when(busiest: pd.Series[Any]) -> str:
    return f"{weekday(busiest['weekday'])[:3]} {hour(busiest['hour'])}"


def _or_none(shown: Any, value: float) -> str:
    return NONE if math.isnan(value) else str(shown(value))
