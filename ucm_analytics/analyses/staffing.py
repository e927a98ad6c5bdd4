"""How many agents a queue needs, half hour by half hour, and whether that would have been right."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ucm_analytics.analyses.calendar import DAY_TYPES, day_types, meant, span, starts, weekdays_meant
from ucm_analytics.analyses.frames import (
    ResultColumn,
    analysis,
    arrow,
    collect,
    required,
    select_required,
    with_interval_start,
)
from ucm_analytics.analyses.population import on_days
from ucm_analytics.analyses.statistics import Floats, wilson
from ucm_analytics.erlang import agents_needed, erlang_a, erlang_c
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

_COLUMNS: Final = ("pbx", "kind", "target", "local_at", "wait_s", "talk_s", "result", "answered_by")
_QUEUE: Final = ["pbx", "queue"]
_KEYS: Final = [*_QUEUE, "day_type", "minute"]
_HALF_HOUR_S: Final = 1800
_SLOTS: Final = 48
_DRAWS: Final = 400
_SEED: Final = 20260302


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("queue", "category", "number of the queue"),
    ResultColumn("day_type", "category", "Monday to Friday, Saturday or Sunday"),
    ResultColumn("minute", "int64", "start of the half hour, minutes after midnight"),
    ResultColumn("days", "int64", "such days in the period that are meant"),
    ResultColumn("offered", "int64", "callers who came to the queue in this half hour, all days together"),
    ResultColumn("answered", "int64", "those whom an agent answered"),
    ResultColumn("abandoned", "int64", "those who hung up in the queue"),
    ResultColumn("callers", "float64", "offered / days; NA without days"),
    ResultColumn(
        "dispersion", "float64", "variance of the daily counts / their mean, of the queue on such days; at least 1"
    ),
    ResultColumn("handle_s", "float64", "mean talk of the queue's answered callers and wrap-up", "s"),
    ResultColumn("patience_s", "float64", "mean patience of the queue's callers; NA if nobody hung up", "s"),
    ResultColumn("agents_c", "Int64", "agents needed by Erlang C; NA if nobody was ever answered"),
    ResultColumn("agents_c_low", "Int64", "lower end of its 95 % interval"),
    ResultColumn("agents_c_high", "Int64", "upper end"),
    ResultColumn("agents_a", "Int64", "agents needed by Erlang A; NA where the patience is"),
    ResultColumn("agents_a_low", "Int64", "lower end of its 95 % interval"),
    ResultColumn("agents_a_high", "Int64", "upper end"),
    divides_by="days of the kind that are meant (callers); callers answered (handle time) or who hung up (patience)",
)
def staffing(
    steps: Any,
    *,
    target_s: float = 20,
    level: float = 0.8,
    wrap_up_s: float = 0,
    holidays: Collection[date] = (),
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
) -> pa.Table:
    """Work out the agents that each queue needs in each half hour of a weekday, Saturday and Sunday.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, kind, target, local_at, wait_s, talk_s, result, answered_by``. Steps of kind
        'queue' are looked at.
    target_s : float, default 20
        Within this time callers are to be answered [s].
    level : float, default 0.8
        The share of callers for whom that is to hold, between 0 and 1.
    wrap_up_s : float, default 0
        Work after each call [s]. The records do not know it; without it the need is understated.
    holidays : collection of datetime.date
        Days that are neither counted nor divided by: those on which nobody works, or that were never pulled.
    period : Period, optional
        Days to look at; by default from the first day with a caller in a queue to the last.
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `steps` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.

    Returns
    -------
    frame
        The kind that went in. 144 rows per PBX and queue, whatever the data: ``pbx``, ``queue``, ``day_type``,
        ``minute``, ``days``, ``offered``, ``answered``, ``abandoned``, ``callers``, ``dispersion``,
        ``handle_s`` [s], ``patience_s`` [s], ``agents_c``, ``agents_c_low``, ``agents_c_high``, ``agents_a``,
        ``agents_a_low``, ``agents_a_high``. A half hour without callers needs 0 agents.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `target_s`, `level`, `wrap_up_s` or `weekdays` cannot be used.

    Notes
    -----
    agents = fewest n with P(answered within target) >= level, in the steady state of Erlang C (nobody leaves)
    or Erlang A (callers leave), for callers / 1800 s, handle_s and patience_s. The level is answered in time /
    all who came, those who left included.

    handle_s = mean talk_s of answered steps + wrap-up; it does not hold the ringing at the agent's phone.
    patience_s = sum of all waits / number who hung up: the estimate for exponential patience, where whoever
    was answered or sent on would have waited longer. Both are of the queue as a whole.

    The 95 % intervals are a parametric bootstrap, 400 draws from a fixed seed: callers from a gamma
    distribution with the variance of a mean of over-dispersed counts (dispersion x callers / days), handle
    time from one with the variance of its mean, the rate of hanging up from one with as many events as were
    seen. They do not hold what changes between the period and the days that are planned for.

    Steps do not hold the clock's offset: the hour that happens twice in an autumn night counts as one.

    References
    ----------
    A. Mandelbaum, S. Zeltyn: Service Engineering in Action: The Palm/Erlang-A Queue (2007).

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({
    ...     "pbx": "clinic", "kind": "queue", "target": "6500", "wait_s": 5, "talk_s": 180,
    ...     "local_at": pd.date_range("2026-03-02 09:00", periods=100, freq="18s"),
    ...     "result": "answered", "answered_by": "1004"})
    >>> need = staffing(steps)
    >>> need.loc[need["offered"] > 0, ["day_type", "minute", "callers", "agents_c", "agents_c_low", "agents_c_high"]]
                day_type  minute  callers  agents_c  agents_c_low  agents_c_high
    18  Monday to Friday     540    100.0        14            11             16
    """
    _refuse(target_s, level, wrap_up_s)
    return needed(Queues.of(steps, target_s, wrap_up_s, period, weekdays, holidays), target_s, level)


def needed(queues: Queues, target_s: float, level: float) -> pa.Table:
    """Result of `staffing`, of queues that are reduced to counts."""
    result = queues.slots
    for model in ("c", "a"):
        for end in ("", "_low", "_high"):
            result[f"agents_{model}{end}"] = pd.array([pd.NA] * len(result), dtype="Int64")
    for at, inputs in queues.inputs():
        for model, patience in (("c", None), ("a", inputs.patience_s)):
            if model == "a" and patience is None:
                continue
            found = np.asarray(
                agents_needed(inputs.rate, inputs.handle_s, target_s=target_s, level=level, patience_s=patience)
            )
            low, high = np.quantile(found[:, 1:], [0.025, 0.975], axis=1, method="inverted_cdf")
            for end, values in (("", found[:, 0]), ("_low", low), ("_high", high)):
                result.loc[at, f"agents_{model}{end}"] = values
    return _finished(result, staffing.columns)


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("queue", "category", "number of the queue"),
    ResultColumn("day_type", "category", "Monday to Friday, Saturday or Sunday"),
    ResultColumn("minute", "int64", "start of the half hour, minutes after midnight"),
    ResultColumn("days", "int64", "such days in the period that are meant"),
    ResultColumn("offered", "int64", "callers who came to the queue in this half hour, all days together"),
    ResultColumn("in_time", "int64", "those whom an agent answered within the target"),
    ResultColumn("agents", "float64", "agents who were there, mean over the callers; NA without callers"),
    ResultColumn("reached_level", "float64", "in_time / offered, 0-1; NA without callers"),
    ResultColumn("reached_low", "float64", "lower end of its 95 % interval"),
    ResultColumn("reached_high", "float64", "upper end"),
    ResultColumn("level_c", "float64", "what Erlang C predicts for these agents, 0-1"),
    ResultColumn("level_c_low", "float64", "lower end of its 95 % interval"),
    ResultColumn("level_c_high", "float64", "upper end"),
    ResultColumn("level_a", "float64", "what Erlang A predicts, 0-1; NA if nobody hung up"),
    ResultColumn("level_a_low", "float64", "lower end of its 95 % interval"),
    ResultColumn("level_a_high", "float64", "upper end"),
    divides_by="callers who came to the queue",
)
def staffing_check(
    steps: Any,
    *,
    target_s: float = 20,
    wrap_up_s: float = 0,
    holidays: Collection[date] = (),
    period: Period | None = None,
    weekdays: Collection[int] | None = None,
) -> pa.Table:
    """Lay the service level that Erlang's formulas predict beside the one that was reached.

    Parameters
    ----------
    steps : frame
        One row per step, the columns of `staffing`.
    target_s : float, default 20
        Within this time callers are to be answered [s].
    wrap_up_s : float, default 0
        Work after each call [s].
    holidays : collection of datetime.date
        Days that are neither counted nor divided by: those on which nobody works, or that were never pulled.
    period : Period, optional
        Days to look at; by default from the first day with a caller in a queue to the last.
    weekdays : collection of int, optional
        Only these, 0 Monday to 6 Sunday. Without it, a weekday of which `steps` holds nothing is not divided by, and
        warned of: say ``range(7)`` if it belongs.

    Returns
    -------
    frame
        The kind that went in. The rows of `staffing`: ``pbx``, ``queue``, ``day_type``, ``minute``, ``days``,
        ``offered``, ``in_time``, ``agents``, ``reached_level``, ``reached_low``, ``reached_high``,
        ``level_c``, ``level_c_low``, ``level_c_high``, ``level_a``, ``level_a_low``, ``level_a_high``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `target_s`, `wrap_up_s` or `weekdays` cannot be used.

    Notes
    -----
    reached = in_time / offered, with Wilson's interval. predicted = mean over the callers of P(answered within
    target) for the agents who were there on their day; its interval is the bootstrap of `staffing`.

    Who was logged in is not in the records. An agent is taken to be there from the half hour of the first
    caller whom he or she answered in the queue on that day to that of the last: breaks count as presence,
    and who was there before the first call or after the last, or took no call at all, is not seen.

    References
    ----------
    E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference. Journal of the American
    Statistical Association 22 (1927) 209-212.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({
    ...     "pbx": "clinic", "kind": "queue", "target": "6500", "wait_s": [5, 5, 40, 5], "talk_s": 120,
    ...     "local_at": pd.date_range("2026-03-02 09:00", periods=4, freq="6min"),
    ...     "result": ["answered", "answered", "hung_up", "answered"], "answered_by": ["1004", "1005", None, "1004"]})
    >>> check = staffing_check(steps)
    >>> check.loc[check["offered"] > 0, ["minute", "offered", "in_time", "agents", "reached_level", "level_c"]].round(3)
        minute  offered  in_time  agents  reached_level  level_c
    18     540        4        3     2.0           0.75    0.976
    """
    _refuse(target_s, 0.5, wrap_up_s)
    return predicted(Queues.of(steps, target_s, wrap_up_s, period, weekdays, holidays), target_s)


def predicted(queues: Queues, target_s: float) -> pa.Table:
    """Result of `staffing_check`, of queues that are reduced to counts."""
    result = queues.slots
    share = queues.presence()
    result["agents"] = (share * np.arange(share.shape[1])).sum(axis=1)
    result["agents"] = result["agents"].where(result["offered"] > 0)
    offered = result["offered"].to_numpy(float)
    reached = np.divide(result["in_time"], offered, out=np.full(len(result), np.nan), where=offered > 0)
    result["reached_level"] = reached
    result["reached_low"], result["reached_high"] = wilson(result["in_time"], offered)
    for model in ("c", "a"):
        for end in ("", "_low", "_high"):
            result[f"level_{model}{end}"] = np.nan
    for at, inputs in queues.inputs():
        some = np.flatnonzero(result["offered"].to_numpy()[at])
        rate = inputs.rate[some]
        for model, patience in (("c", None), ("a", inputs.patience_s)):
            if model == "a" and patience is None:
                continue
            levels = np.zeros_like(rate)
            for agents in np.flatnonzero(share[at[some]].any(axis=0)).tolist():
                queue = (
                    erlang_c(rate, inputs.handle_s, agents)
                    if patience is None
                    else erlang_a(rate, inputs.handle_s, agents, patience)
                )
                levels += share[at[some], agents][:, None] * np.asarray(queue.answered_within(target_s))
            low, high = np.quantile(levels[:, 1:], [0.025, 0.975], axis=1)
            for end, values in (("", levels[:, 0]), ("_low", low), ("_high", high)):
                result.loc[at[some], f"level_{model}{end}"] = values
    return _finished(result, staffing_check.columns)


_SUMMED: Final = ("answered", "abandoned", "wait_s", "talk_s", "talk_squares")


@dataclass(frozen=True)
class _Inputs:
    """What the formulas take, for one queue: column 0 the estimate, the others draws of the bootstrap."""

    rate: Floats
    handle_s: Floats
    patience_s: Floats | None


@dataclass(frozen=True)
class Queues:
    """Counts per half hour of each kind of day, per day, per queue, and the visits of the agents."""

    slots: pd.DataFrame
    daily: pd.DataFrame
    totals: pd.DataFrame
    visits: pd.DataFrame

    @classmethod
    def of(
        cls,
        steps: Any,
        target_s: float,
        wrap_up_s: float,
        period: Period | None,
        weekdays: Collection[int] | None,
        holidays: Collection[date],
    ) -> Queues:
        """Reduce the steps in the engine."""
        frame = select_required(steps, "steps", required("steps", *_COLUMNS))
        every = on_days(frame, period, weekdays, holidays)
        frame = every.filter(nw.col("kind") == "queue", ~nw.col("target").is_null())
        at = nw.col("local_at")
        frame = with_interval_start(frame, "1d", "day").with_columns(
            pbx=nw.col("pbx").fill_null(""),
            queue=nw.col("target"),
            slot=(at.dt.hour().cast(nw.Int64) * 2 + nw.when(at.dt.minute() >= 30).then(1).otherwise(0)),
            wait=nw.col("wait_s").fill_null(0),
            talk=nw.col("talk_s").fill_null(0).cast(nw.Float64),
        )
        answered = nw.col("result") == "answered"
        daily = collect(
            frame.with_columns(talk=nw.when(answered).then(nw.col("talk")))
            .group_by([*_QUEUE, "day", "slot"])
            .agg(
                offered=nw.len().cast(nw.Int64),
                answered=_count(answered),
                abandoned=_count(nw.col("result") == "hung_up"),
                in_time=_count(answered & (nw.col("wait") <= target_s)),
                wait_s=nw.col("wait").sum().cast(nw.Float64),
                talk_s=nw.col("talk").sum(),
                talk_squares=(nw.col("talk") * nw.col("talk")).sum(),
            )
        )
        visits = collect(
            frame.filter(answered, ~nw.col("answered_by").is_null())
            .group_by([*_QUEUE, "day", "answered_by"])
            .agg(first=nw.col("slot").min(), last=nw.col("slot").max())
        )
        if weekdays is None:  # a day whose calls came to no queue is no day that was left out
            seen = collect(with_interval_start(every, "1d", "day").select("day").unique())
            weekdays = weekdays_meant(seen["day"], period or span(daily["day"]), None, holidays)
        return cls.counted(daily, visits, wrap_up_s, period, weekdays, holidays)

    @classmethod
    def counted(
        cls,
        daily: pd.DataFrame,
        visits: pd.DataFrame,
        wrap_up_s: float,
        period: Period | None,
        weekdays: Collection[int],
        holidays: Collection[date] = (),
    ) -> Queues:
        """Lay out what was counted, in half hours of each kind of day."""
        daily["day_type"] = day_types(daily["day"])
        # sums of floats depend on the order, and the engine's is not always the same
        daily = daily.sort_values([*_QUEUE, "day", "slot"], ignore_index=True)
        days = pd.Series(starts(period or span(daily["day"]), "1d"))
        days = days[meant(days, weekdays, holidays)]
        totals = daily.groupby(_QUEUE, as_index=False)[list(_SUMMED)].sum()
        return cls(_slots(daily, totals, days, wrap_up_s), daily, totals, visits)

    def inputs(self) -> Iterator[tuple[NDArray[np.int64], _Inputs]]:
        """Rows of `slots` of each queue in which somebody was ever answered, and what the formulas take."""
        for position, total in self.totals.iterrows():
            at = np.arange(len(DAY_TYPES) * _SLOTS) + len(DAY_TYPES) * _SLOTS * int(str(position))
            slots = self.slots.iloc[at]
            handle = total["handle_s"]
            # without days there is nothing to count; without talk no agent was ever busy
            at, slots = at[slots["days"] > 0], slots[slots["days"] > 0]
            if not handle > 0 or not len(at):
                continue
            rng = np.random.default_rng(_SEED)
            spread = slots["dispersion"].to_numpy(float)[:, None]
            count, days = (slots[name].to_numpy(float)[:, None] for name in ("offered", "days"))
            drawn = rng.gamma(np.maximum(count / spread, 1e-9), spread, size=(len(at), _DRAWS)) * (count > 0)
            rate = np.concatenate([count, drawn], axis=1) / days / _HALF_HOUR_S
            shape = handle**2 / total["handle_var"] if total["handle_var"] > 0 else np.inf
            handles = handle * (rng.gamma(shape, size=_DRAWS) / shape if np.isfinite(shape) else np.ones(_DRAWS))
            patience = None
            if total["abandoned"] and total["wait_s"] > 0:
                left = rng.gamma(total["abandoned"], size=_DRAWS)
                patience = total["wait_s"] / np.concatenate([[total["abandoned"]], left])[None, :]
            yield at, _Inputs(rate, np.concatenate([[handle], handles])[None, :], patience)

    def presence(self) -> Floats:
        """Share of the callers of each row of `slots` who came while 0, 1, 2, ... agents were there."""
        long = self.visits.loc[self.visits.index.repeat(self.visits["last"] - self.visits["first"] + 1)]
        long = long.assign(slot=long["first"] + long.groupby(level=0).cumcount())
        there = long.groupby([*_QUEUE, "day", "slot"]).size().rename("agents").reset_index()
        daily = self.daily.merge(there, how="left", on=[*_QUEUE, "day", "slot"])
        daily["agents"] = daily["agents"].fillna(0).astype("int64")
        rows = self.slots.reset_index().merge(daily.assign(minute=daily["slot"] * 30), on=_KEYS, suffixes=("", "_day"))
        share = np.zeros((len(self.slots), int(daily["agents"].max() if len(daily) else 0) + 1))
        parts = rows["offered_day"] / rows["offered"]
        np.add.at(share, (rows["index"].to_numpy(), rows["agents"].to_numpy()), parts.to_numpy(float))
        return share


def _slots(daily: pd.DataFrame, totals: pd.DataFrame, days: pd.Series[Any], wrap_up_s: float) -> pd.DataFrame:
    """144 rows per queue, in the order of `totals`, to which handle time and patience are added."""
    answered, mean = totals["answered"], totals["talk_s"] / totals["answered"].where(totals["answered"] > 0)
    totals["handle_s"] = mean + wrap_up_s
    totals["handle_var"] = ((totals["talk_squares"] / answered.where(answered > 0) - mean**2) / answered).clip(lower=0)
    totals["patience_s"] = totals["wait_s"] / totals["abandoned"].where(totals["abandoned"] > 0)
    grid = pd.MultiIndex.from_product([DAY_TYPES, range(0, 1440, 30)], names=["day_type", "minute"]).to_frame(False)
    slots = totals[[*_QUEUE, "handle_s", "patience_s"]].merge(grid, how="cross")
    counts = daily.assign(minute=daily["slot"] * 30, squares=daily["offered"] ** 2)
    names = ["offered", "answered", "abandoned", "in_time", "squares"]
    slots = slots.merge(counts.groupby(_KEYS, as_index=False)[names].sum(), how="left", on=_KEYS)
    slots[names] = slots[names].fillna(0).astype("int64")
    of_type = day_types(days).value_counts()
    slots["days"] = slots["day_type"].map(of_type).fillna(0).astype("int64")
    slots["callers"] = slots["offered"] / slots["days"].where(slots["days"] > 0)
    busy = slots[slots["offered"] > 0]
    chi = busy["squares"] / busy["callers"] - busy["offered"]  # sum over days of (x - mean)^2 / mean
    pearson = busy.assign(chi=chi, free=busy["days"] - 1).groupby(_KEYS[:3], as_index=False)[["chi", "free"]].sum()
    slots = slots.merge(pearson, how="left", on=_KEYS[:3])
    slots["dispersion"] = (slots["chi"] / slots["free"].where(slots["free"] > 0)).clip(lower=1).fillna(1.0)
    return slots


def _finished(result: pd.DataFrame, columns: tuple[ResultColumn, ...]) -> pa.Table:
    result["order"] = pd.Series(result["day_type"]).map({name: n for n, name in enumerate(DAY_TYPES)})
    order = [*_QUEUE, "order", "minute"]
    sorted_ = arrow(result[[*(column.name for column in columns), "order"]], sort=[(k, "ascending") for k in order])
    return sorted_.drop(["order"])


def _count(test: nw.Expr) -> nw.Expr:
    return test.fill_null(False).cast(nw.Int64).sum().cast(nw.Int64)


def _refuse(target_s: float, level: float, wrap_up_s: float) -> None:
    for name, value in (("target_s", target_s), ("wrap_up_s", wrap_up_s)):
        if not 0 <= value < np.inf:
            raise SettingError(f"{name} cannot be {value!r}", hint="use 0 seconds or more")
    if not 0 < level < 1:
        raise SettingError(f"level cannot be {level!r}", hint="use a share between 0 and 1, such as 0.8")
