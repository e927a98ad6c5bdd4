"""Signs of toll fraud: calls out by a trunk that look like someone else's, with the calls that are the evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.calendar import within
from ucm_analytics.analyses.caller_keys import fullest
from ucm_analytics.analyses.dialling import areas, checked_home, codes, in_full, optional
from ucm_analytics.analyses.frames import (
    ResultColumn,
    analysis,
    arrow,
    collect,
    on_engine_of,
    required,
    select_required,
    with_interval_start,
)
from ucm_analytics.analyses.instants import SECOND, utc
from ucm_analytics.analyses.leaving import READ, leaving, with_callers
from ucm_analytics.analyses.population import came_by_trunk, continues, on_days
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

DEAR: Final = ("870", "881", "882", "883", "979")
"""Networks without a country: satellites, international networks, international premium rate."""
_WINDOW_S: Final = 3600
_PREFIX: Final = 6
"""Digits of a number that make one destination: country code and the block behind it."""
_RARE: Final = 0.01
_LEARNING: Final = pd.Timedelta(days=14)
_KEY: Final = ("pbx", "extension")
_DAY: Final = ["place", "source", "day"]
_OF_NUMBER: Final = ["number", "code", "area", "block", "is_dear", "is_abroad"]


@dataclass(frozen=True)
class Rule:
    """What makes a signal: so many (or so much) of this at once has the score 50."""

    name: str
    meaning: str
    threshold: int
    unit: str = "calls"


RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("night", "calls abroad or to dear prefixes while closed, one extension, one night", 3),
        Rule("burst", "calls abroad or to dear prefixes that begin alike, one PBX, in one hour", 10),
        Rule("short", "calls abroad or to dear prefixes of at most 10 s, one extension, in one hour", 10),
        Rule("long", "one call to a country that gets less than 1 % of the calls abroad", 3600, "s"),
        Rule("at_once", "calls out of one caller that lasted at the same time", 3),
        Rule("first_time", "calls to a country not called in the two weeks and more before, first day", 1),
    )
}

_EVIDENCE: Final = (
    ResultColumn("signal", "int64", "number of the signal, 1 for the highest score"),
    ResultColumn("rule", "category", "one of RULES: night, burst, short, long, at_once, first_time"),
    ResultColumn("score", "int64", "0-100; 50 at the threshold of the rule"),
    ResultColumn("pbx", "category", "name of the PBX"),
)


@analysis(
    *_EVIDENCE,
    ResultColumn(
        "extension", "category", "caller; NA if they came from several, from outside, or were sent on by the PBX"
    ),
    ResultColumn("area", "category", "country or network called; NA if several, or none is known"),
    ResultColumn("first_at", "wall", "first call of the evidence"),
    ResultColumn("last_at", "wall", "last call of it"),
    ResultColumn("calls", "int64", "calls that are the evidence"),
    ResultColumn("measured", "int64", "what the rule counts: calls, or seconds for `long`"),
    ResultColumn("talk_s", "int64", "time talked in them", "s"),
)
def fraud_signals(
    calls: Any,
    *,
    home: str = "",
    dear: Collection[str] = DEAR,
    open_hours: tuple[int, int] = (7, 20),
    period: Period | None = None,
) -> pa.Table:
    """Score the calls that leave by a trunk by rules of what toll fraud looks like.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, call_id, local_at, utc_offset_s, direction, caller, callee, path, outcome, talk_s,
        duration_s, is_forward``; ``caller_number`` and ``callee_number`` where they are there. Older calls help to
        know what is usual.
    home : str
        Country code of the PBX, such as ``49``; by default the country that is called most.
    dear : collection of str
        Prefixes in international form, without +, that cost much: satellites and premium rate by default.
    open_hours : (int, int)
        First and last clock hour of a working day, the last excluded. Saturdays and Sundays are closed.
    period : Period, optional
        Days to look at; calls before it only tell what is usual.

    Returns
    -------
    frame
        The kind that went in. One row per signal, the highest score first: ``signal``, ``rule``, ``score``,
        ``pbx``, ``extension``, ``area``, ``first_at``, ``last_at``, ``calls``, ``measured``, ``talk_s`` [s].
        `fraud_evidence` lists the calls behind each ``signal``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `home` is no country code, or `open_hours` are no hours.

    Notes
    -----
    score = 100 · (1 - 2^(-measured / threshold)), the strength doubled if a dear prefix was called: 50 at the
    threshold, 75 at twice of it. Thresholds: night 3 calls, burst 10 calls in an hour, short 10 calls of at
    most 10 s in an hour, long 3600 s, at_once 3 calls, first_time 1 call. night, burst and short begin at the
    threshold, or at one call to a dear prefix for night. Calls are abroad if their number in international form
    (see `caller_areas`) has another country code than `home`. first_time needs two weeks of calls before it.

    All calls that leave by a trunk count, as `cost` has them: forwarding is a way of toll fraud. A call that came
    from outside, or that the PBX sent on (``is_forward``), has no extension, since its record names the original
    caller. at_once goes by the caller, whoever it is; of the calls without an extension only those with talk count,
    for follow-me may ring several numbers together.

    Scores are for sorting, not probabilities: a new supplier abroad looks like fraud, and fraud within the
    country looks like work. Calls that the PBX refused count too, for they show somebody trying.

    Examples
    --------
    >>> import pandas as pd
    >>> night = pd.Timestamp("2026-03-03 02:00") + pd.to_timedelta(range(6), unit="min")
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": [f"c{n}" for n in range(6)], "local_at": night, "utc_offset_s": 3600,
    ...     "direction": "outbound", "caller": "1004", "callee": "+881655501", "path": "", "outcome": "answered",
    ...     "talk_s": 50, "duration_s": 55, "is_forward": False})
    >>> fraud_signals(calls, home="49")[["rule", "score", "extension", "area", "calls"]]
        rule  score extension                     area  calls
    0  night     94      1004  +881 satellite networks      6
    """
    return summed(_signals(calls, home, dear, open_hours, period))


def summed(signals: pd.DataFrame) -> pa.Table:
    """Result of `fraud_signals`, of what `scored` gives."""
    grouped = signals.groupby("signal")
    result = grouped.agg(
        rule=("rule", "first"),
        score=("score", "first"),
        pbx=("pbx", "first"),
        first_at=("local_at", "min"),
        last_at=("local_at", "max"),
        calls=("call_id", "size"),
        measured=("measured", "first"),
        talk_s=("talk_s", "sum"),
    )
    for name in ("extension", "area"):
        result[name] = grouped[name].first().where(grouped[name].nunique(dropna=False) == 1)
    return arrow(
        result.reset_index()[[column.name for column in fraud_signals.columns]], sort=[("signal", "ascending")]
    )


@analysis(
    *_EVIDENCE,
    ResultColumn("call_id", "string", "key of the call"),
    ResultColumn("local_at", "wall", "start of the call on the PBX's wall clock"),
    ResultColumn("extension", "category", "caller; NA if the call came from outside, or the PBX sent it on"),
    ResultColumn("callee", "string", "number called"),
    ResultColumn("area", "category", "its country or network; NA if none is known"),
    ResultColumn("outcome", "category", "what came of the call"),
    ResultColumn("calls", "int64", "1, to add up"),
    ResultColumn("talk_s", "int64", "time talked", "s"),
)
def fraud_evidence(
    calls: Any,
    *,
    home: str = "",
    dear: Collection[str] = DEAR,
    open_hours: tuple[int, int] = (7, 20),
    period: Period | None = None,
) -> pa.Table:
    """List the calls behind each signal of `fraud_signals`.

    Parameters
    ----------
    calls : frame
        What `fraud_signals` takes.
    home : str
        Country code of the PBX, such as ``49``; by default the country that is called most.
    dear : collection of str
        Prefixes in international form, without +, that cost much: satellites and premium rate by default.
    open_hours : (int, int)
        First and last clock hour of a working day, the last excluded. Saturdays and Sundays are closed.
    period : Period, optional
        Days to look at; calls before it only tell what is usual.

    Returns
    -------
    frame
        The kind that went in. One row per signal and call, in order of the signal and of time: ``signal``,
        ``rule``, ``score``, ``pbx``, ``call_id``, ``local_at``, ``extension``, ``callee``, ``area``, ``outcome``,
        ``calls``, ``talk_s`` [s].

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `home` is no country code, or `open_hours` are no hours.

    Notes
    -----
    A call may be evidence of several signals. The rules are those of `fraud_signals`, and with the same arguments
    ``signal`` is the same number.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": "c1", "local_at": pd.to_datetime(["2026-03-07 11:00"]), "utc_offset_s": 3600,
    ...     "direction": "outbound", "caller": "1004", "callee": "+881655501", "path": "", "outcome": "answered",
    ...     "talk_s": 50, "duration_s": 55, "is_forward": False})
    >>> fraud_evidence(calls, home="49")[["signal", "rule", "score", "call_id", "callee"]]
       signal   rule  score call_id      callee
    0       1  night     37      c1  +881655501
    """
    return listed(_signals(calls, home, dear, open_hours, period))


def listed(signals: pd.DataFrame) -> pa.Table:
    """Result of `fraud_evidence`, of what `scored` gives."""
    return arrow(
        signals[[column.name for column in fraud_evidence.columns]],
        sort=[("signal", "ascending"), ("local_at", "ascending"), ("call_id", "ascending")],
    )


def _signals(
    calls: Any, home: str, dear: Collection[str], open_hours: tuple[int, int], period: Period | None
) -> pd.DataFrame:
    checked_home(home)
    if not 0 <= open_hours[0] < open_hours[1] <= 24:
        raise SettingError(f"open_hours={open_hours} are no hours of a day", hint="give for example (7, 20)")
    placed, known = _placed(calls, home, dear)
    return scored(placed, known, open_hours, period)


def scored(
    placed: pd.DataFrame, known: pd.Timestamp | None, open_hours: tuple[int, int], period: Period | None
) -> pd.DataFrame:
    """Evidence of all rules in the calls that one can fit: one row per signal and call, numbered by score."""
    placed = placed.sort_values(["local_at", "call_id"], ignore_index=True)
    at = placed["local_at"].dt
    working = (at.hour >= open_hours[0]) & (at.hour < open_hours[1]) & (at.day_of_week < 5)
    placed["is_closed"] = ~working
    placed["in_period"] = True if period is None else within(placed["local_at"], period)
    found = [rule(placed, known).assign(rule=name) for name, rule in _FINDERS.items()]
    signals = pd.concat(found, ignore_index=True)
    signals["measured"] = signals["measured"].astype("int64")
    of_signal = signals.groupby(["rule", "group"])
    threshold = signals["rule"].map({name: rule.threshold for name, rule in RULES.items()}).astype("float64")
    strength = signals["measured"] / threshold * np.where(of_signal["is_dear"].transform("any").astype(bool), 2, 1)
    signals["score"] = np.floor(100 * (1 - 0.5**strength) + 0.5).astype("int64")
    signals["first_at"] = of_signal["local_at"].transform("min")
    signals = signals.sort_values(
        ["score", "first_at", "rule", "group", "local_at", "call_id"],
        ascending=[False, True, True, True, True, True],
        ignore_index=True,
    )
    numbered = signals[["rule", "group"]].drop_duplicates(ignore_index=True)
    numbered["signal"] = np.arange(1, len(numbered) + 1)
    return signals.merge(numbered, on=["rule", "group"])


def _placed(calls: Any, home: str, dear: Collection[str]) -> tuple[pd.DataFrame, pd.Timestamp | None]:
    """Calls out by a trunk that a rule can fit, with where they went; and when the first of all was."""
    more = optional(calls, "caller_number", "callee_number")
    names = ("pbx", "call_id", "local_at", "utc_offset_s", "caller", "outcome", "talk_s", "duration_s", "is_forward")
    frame = select_required(calls, "calls", (*required("calls", *names, *READ), *more))
    frame = with_callers(leaving(on_days(frame), more), more)
    caller = nw.col("caller")
    frame = frame.with_columns(
        nw.col("utc_offset_s", "talk_s", "duration_s").fill_null(0),
        extension=nw.when(~(continues() | came_by_trunk().fill_null(False))).then(caller),
        place=nw.col("pbx").fill_null("?"),
    )
    talks = ~nw.col("extension").is_null() | (nw.col("talk_s") > 0)
    frame = frame.with_columns(source=nw.when(talks).then(caller))
    frame = with_interval_start(frame, "1d", "day").with_columns(utc=utc())
    called, known = _called(frame, home, dear)
    abroad = pa.Table.from_pandas(called.loc[called["is_abroad"], ["number", "is_abroad"]], preserve_index=False)
    most = on_engine_of(frame, _at_most(frame))
    frame = frame.join(on_engine_of(frame, abroad), how="left", on="number").join(most, how="left", on=_DAY)
    running = (nw.col("utc") <= nw.col("most_at")) & (nw.col("most_at") < _end()) & (nw.col("duration_s") > 0)
    frame = frame.with_columns(is_at_once=running.fill_null(False))
    some = frame.filter(~nw.col("is_abroad").is_null() | nw.col("is_at_once"))
    columns = (*names[:4], "extension", "source", "callee", "number", "outcome", "talk_s", "utc", "is_at_once")
    placed = collect(some.select(*columns)).merge(called[_OF_NUMBER], how="left", on="number")
    for flag in ("is_dear", "is_abroad"):
        placed[flag] = placed[flag].astype("boolean").fillna(False).astype(bool)
    return placed, known


def _called(frame: nw.LazyFrame[Any], home: str, dear: Collection[str]) -> tuple[pd.DataFrame, pd.Timestamp | None]:
    """Where each number called lies; and when the first of all was called."""
    at = nw.col("local_at")
    called = collect(frame.group_by("number").agg(calls=nw.len().cast(nw.Int64), first=at.min()))
    called["full"] = in_full(fullest(called["number"]), home)
    called["code"] = codes(called["full"])
    called["area"] = areas(called["code"])
    known = called["first"].min() if len(called) else None
    if not home:
        most = called.groupby("code")["calls"].sum()
        home = str(most.idxmax()) if len(most) else ""
    called["block"] = called["full"].fillna("").str.slice(0, _PREFIX)
    called["is_dear"] = called["full"].fillna("").str.startswith(tuple(dear))
    called["is_abroad"] = called["is_dear"] | (called["code"].notna() & (called["code"] != home))
    return called, known


def _at_most(frame: nw.LazyFrame[Any]) -> pa.Table:
    """Days of a caller with as many calls at the same time as `at_once` asks for, and when they first were most.

    Half-open, so calls that are back to back are not at once.
    """
    some = frame.filter(~nw.col("source").is_null(), nw.col("duration_s") > 0)
    twice = some.select(*_DAY, "utc", end=_end()).join(on_engine_of(frame, pa.table({"more": [1, -1]})), how="cross")
    edges = twice.with_columns(at=nw.when(nw.col("more") == 1).then(nw.col("utc")).otherwise(nw.col("end")))
    swept = edges.with_columns(running=nw.col("more").cum_sum().over(*_DAY, order_by=["at", "more"]))
    deep = swept.filter(nw.col("running") >= RULES["at_once"].threshold)
    found = collect(deep.group_by(*_DAY, "running").agg(most_at=nw.col("at").min()))
    most = found.sort_values("running", ascending=False).drop_duplicates(_DAY)
    return pa.Table.from_pandas(most[[*_DAY, "most_at"]], preserve_index=False)


def _end() -> nw.Expr:
    return nw.col("utc") + nw.col("duration_s") * nw.lit(SECOND)


def _night(placed: pd.DataFrame, _: Any) -> pd.DataFrame:
    some = placed[placed["in_period"] & placed["is_closed"] & placed["is_abroad"]]
    # A night belongs to the day on which it began: until noon it is that of the day before.
    night = (some["local_at"] - pd.Timedelta(hours=12)).dt.strftime("%Y-%m-%d")
    some = _grouped(some, _joined(some, "pbx", "extension") + " " + night)
    enough = (some["measured"] >= RULES["night"].threshold) | some.groupby("group")["is_dear"].transform("any").astype(
        bool
    )
    return some[enough]


def _burst(placed: pd.DataFrame, _: Any) -> pd.DataFrame:
    some = placed[placed["in_period"] & placed["is_abroad"]]
    return _crowded(some, ["pbx", "block"], RULES["burst"].threshold)


def _short(placed: pd.DataFrame, _: Any) -> pd.DataFrame:
    some = placed[placed["in_period"] & placed["is_abroad"] & (placed["talk_s"] <= 10)]
    return _crowded(some, list(_KEY), RULES["short"].threshold)


def _long(placed: pd.DataFrame, _: Any) -> pd.DataFrame:
    abroad = placed[placed["is_abroad"]]
    counts = abroad.groupby("code", dropna=False)["call_id"].transform("size")
    rare = (counts < max(_RARE * len(abroad), 2)) | abroad["is_dear"]
    some = abroad[rare & abroad["in_period"] & (abroad["talk_s"] >= RULES["long"].threshold)]
    return _grouped(some, some["call_id"].astype(str)).assign(measured=some["talk_s"])


def _at_once(placed: pd.DataFrame, _: Any) -> pd.DataFrame:
    some = placed[placed["in_period"] & placed["is_at_once"]]
    return _grouped(some, _joined(some, "pbx", "source") + " " + some["local_at"].dt.strftime("%Y-%m-%d"))


def _first_time(placed: pd.DataFrame, known: Any) -> pd.DataFrame:
    abroad = placed[placed["is_abroad"] & placed["code"].notna()]
    first = abroad.groupby(["pbx", "code"])["local_at"].transform("min")
    new = (abroad["local_at"].dt.normalize() == first.dt.normalize()) & abroad["in_period"]
    if known is not None:
        new &= first >= known + _LEARNING
    some = abroad[new]
    return _grouped(some, _joined(some, "pbx", "code"))


def _crowded(some: pd.DataFrame, keys: list[str], threshold: int) -> pd.DataFrame:
    """Runs of calls in which each hour that begins with a call of the run holds the threshold; and the most in one."""
    runs = []
    for group, part in some.sort_values("utc", kind="stable").groupby(keys, dropna=False):
        at = part["utc"].to_numpy()
        upto = np.searchsorted(at, at + np.timedelta64(_WINDOW_S, "s"))
        count = upto - np.arange(len(at))
        begin = 0
        while begin < len(at):
            if count[begin] < threshold:
                begin += 1
                continue
            end = upto[begin]
            most = count[begin]
            last = begin
            while last + 1 < end:
                last += 1
                if count[last] >= threshold:
                    end, most = max(end, upto[last]), max(most, count[last])
            name = f"{' '.join(map(str, group))} {part['local_at'].iloc[begin]}"
            runs.append(pd.DataFrame({"group": name, "measured": most}, index=part.index[begin:end]))
            begin = end
    if not runs:
        return _grouped(some.head(0), some.head(0)["call_id"].astype(str))
    run = pd.concat(runs)
    return _grouped(some.loc[run.index], run["group"]).assign(measured=run["measured"])


def _joined(some: pd.DataFrame, first: str, second: str) -> pd.Series:
    return some[first].astype("str").fillna("?") + " " + some[second].astype("str").fillna("?")


def _grouped(some: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Calls with the signal that they belong to, which measures how many they are."""
    marked = some.assign(group=group.astype("str"), calls=1)
    return marked.assign(measured=marked.groupby("group")["call_id"].transform("size"))


_FINDERS: Final[dict[str, Callable[[pd.DataFrame, Any], pd.DataFrame]]] = {
    "night": _night,
    "burst": _burst,
    "short": _short,
    "long": _long,
    "at_once": _at_once,
    "first_time": _first_time,
}
