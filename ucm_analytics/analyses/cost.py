"""What the calls that leave by a trunk cost, by the user's own tariff."""

from __future__ import annotations

from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.caller_keys import fullest
from ucm_analytics.analyses.dialling import checked_home, in_full, optional
from ucm_analytics.analyses.frames import (
    ResultColumn,
    analysis,
    arrow,
    as_narwhals,
    collect,
    on_engine_of,
    required,
    select_required,
    with_interval_start,
)
from ucm_analytics.analyses.leaving import READ, leaving, with_callers
from ucm_analytics.analyses.population import in_period
from ucm_analytics.errors import SettingError, WrongColumns
from ucm_analytics.period import Period

CostBy = Literal["caller", "trunk", "pbx", "day"]

_BY: Final = ("caller", "trunk", "pbx", "day")
_RATES: Final = ("per_minute", "setup", "rounding_s")


@analysis(
    ResultColumn("prefix", "category", "prefix of the tariff that fits best; NA if none fits"),
    ResultColumn("calls", "int64", "calls that left by a trunk and were answered"),
    ResultColumn("talk_s", "int64", "time talked", "s"),
    ResultColumn("billed_s", "Int64", "time billed, each call rounded up; NA without a tariff", "s"),
    ResultColumn("cost", "float64", "in the money of the tariff; NA without a tariff"),
    ResultColumn("share", "float64", "cost / cost of all calls, 0-1; NA if nothing cost anything"),
    divides_by="cost of all calls that have a tariff",
)
def cost(
    calls: Any, tariff: Any, *, by: CostBy | None = None, home: str = "", period: Period | None = None
) -> pa.Table:
    """Price the calls that leave by a trunk by the longest prefix of a tariff that fits the number.

    Parameters
    ----------
    calls : frame
        One row per call: ``local_at, direction, callee, path, outcome, talk_s`` and `by`; ``callee_number`` (and
        with by='caller' ``caller_number``) where it is there.
    tariff : frame
        One row per prefix: ``prefix`` (text: ``+49``, ``0049`` or ``49``; empty for all other numbers),
        ``per_minute`` and ``setup`` [money], ``rounding_s`` [s] (1 bills by the second, 60 by the minute).
    by : {'caller', 'trunk', 'pbx', 'day'}, optional
        Split by this too.
    home : str
        Country code of the PBX, such as ``49``: numbers in national form are then priced by it.
    period : Period, optional
        Days to count; by default all calls.

    Returns
    -------
    frame
        The kind of `calls`. One row per prefix (and value of `by`), dearest first: ``prefix``, ``calls``,
        ``talk_s`` [s], ``billed_s`` [s], ``cost``, ``share``. Calls that no prefix fits are rows without cost,
        so that nothing is missing unseen.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        A prefix is twice in the tariff or no number, a price is negative, a rounding is below 1, `home` is no
        country code, or `by` is unknown.

    Notes
    -----
    cost of a call = setup + per_minute · billed_s / 60, with billed_s = ⌈talk_s / rounding_s⌉ · rounding_s; calls
    that nobody answered cost nothing and are not counted.

    A call leaves by a trunk if it is outbound, if it goes from trunk to trunk (external), or if its ``path`` leads to
    a number outside: a key of a menu, a forwarding, a transfer. The price is that of the number outside, of two that
    of the one it was sent on to; the caller is who called first. The talk is that of the whole call: before a
    transfer somebody talked too, which the provider bills otherwise or not at all, and that number may not have
    answered. Follow-me is a row of its own (``is_forward``). With by='caller' a number outside is one caller however
    it is written, shown in the writing that tells most. With by='trunk' a call that came in by a trunk is one of
    that trunk: `calls` does not say by which it left.

    Numbers and prefixes are compared in international form; see `caller_areas` for how they are read. A number in
    national form fits only the empty prefix as long as `home` is not given. talk_s is what the PBX saw; the provider
    counts for itself, often a second more.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "local_at": pd.Timestamp("2026-03-02 09:05"), "direction": "outbound", "outcome": "answered",
    ...     "callee": ["+442079460142", "+442079460143", "+12025550142"], "path": "", "talk_s": [61, 30, 10]})
    >>> tariff = pd.DataFrame({
    ...     "prefix": ["44", "4420"], "per_minute": [0.6, 0.3], "setup": [0.0, 0.1], "rounding_s": [1, 60]})
    >>> cost(calls, tariff)
      prefix  calls  talk_s  billed_s  cost  share
    0   4420      2      91       180   1.1    1.0
    1    NaN      1      10      <NA>   NaN    NaN
    """
    checked_home(home)
    if by is not None and by not in _BY:
        raise SettingError(f"cost cannot split by {by!r}", hint=f"use one of {', '.join(_BY)}")
    prices = _prices(tariff, home)
    more = optional(calls, "callee_number", *(["caller_number"] if by == "caller" else []))
    names = ("local_at", *READ, "outcome", "talk_s", *([by] if by not in (None, "day") else []))
    frame = select_required(calls, "calls", (*required("calls", *names), *more))
    frame = in_period(leaving(frame.filter(nw.col("outcome") == "answered"), more), period)
    if by == "caller":
        frame = with_callers(frame, more)
    frame = _with_prefix(with_interval_start(frame, "1d", "day"), prices.index, home)
    groups = [by] if by else []
    seen = collect(frame.group_by("prefix", "talk_s", *groups).agg(calls=nw.len().cast(nw.Int64)))
    # sums of floats depend on the order, and the engine's is not always the same
    seen = seen.sort_values(["prefix", "talk_s", *groups], ignore_index=True)
    seen["talk_s"] = seen["talk_s"].fillna(0).astype("int64")
    seen["prefix"] = seen["prefix"].astype("str")
    priced = seen.join(prices, on="prefix")
    billed = np.ceil(priced["talk_s"] / priced["rounding_s"]) * priced["rounding_s"]
    priced["cost"] = (priced["setup"] + priced["per_minute"] * billed / 60) * priced["calls"]
    priced["billed_s"] = (billed * priced["calls"]).round().astype("Int64")
    priced["talk_s"] *= priced["calls"]
    if by == "day":
        priced["day"] = priced["day"].dt.strftime("%Y-%m-%d")
    grouped = priced.groupby(["prefix", *groups], dropna=False)
    result = grouped[["calls", "talk_s"]].sum()
    result[["billed_s", "cost"]] = grouped[["billed_s", "cost"]].sum(min_count=1)
    result = result.reset_index()
    total = result["cost"].sum()
    result["share"] = result["cost"] / total if total > 0 else np.nan
    order = [*groups, *(column.name for column in cost.columns)]
    return arrow(
        result[order].astype({"billed_s": "Int64", "cost": "float64", "share": "float64"}),
        sort=[("cost", "descending"), ("prefix", "ascending"), *((name, "ascending") for name in groups)],
    )


def _with_prefix(frame: nw.LazyFrame[Any], prefixes: pd.Index[Any], home: str) -> nw.LazyFrame[Any]:
    """The frame with the longest of the prefixes that its ``number`` begins with, null if there is none."""
    frame = frame.with_columns(nw.col("number").fill_null(""))
    called = collect(frame.select("number").unique())
    full = in_full(fullest(called["number"]), home).fillna("")
    called["prefix"] = pd.Series(np.nan, index=called.index, dtype="str")
    for n in sorted(set(map(len, prefixes))):
        begin = full.str.slice(0, n)
        called["prefix"] = called["prefix"].mask((begin.str.len() == n) & begin.isin(prefixes), begin)
    return frame.join(on_engine_of(frame, pa.Table.from_pandas(called, preserve_index=False)), on="number", how="left")


def _prices(tariff: Any, home: str) -> pd.DataFrame:
    """Tariff by prefix in international form."""
    frame = as_narwhals(tariff, "tariff")
    missing = [name for name in ("prefix", *_RATES) if name not in frame.columns]
    if missing:
        raise WrongColumns(
            f"tariff lacks the columns {', '.join(missing)}",
            hint="give it prefix, per_minute, setup and rounding_s",
        )
    chosen = frame.select("prefix", *_RATES)
    table = collect(chosen) if isinstance(chosen, nw.LazyFrame) else chosen.to_arrow().to_pandas()
    wrong = [name for name in _RATES if not pd.api.types.is_numeric_dtype(table[name]) or table[name].isna().any()]
    if len(table) and (wrong or pd.api.types.is_numeric_dtype(table["prefix"])):
        raise WrongColumns(
            f"the tariff's columns {', '.join(wrong or ['prefix'])} have the wrong type or gaps",
            hint="prefixes are text, for they may begin with 0; the other columns are numbers without gaps",
        )
    written = table["prefix"].astype("str").fillna("").str.strip()
    prefix = in_full(written, home, shortest=1).where(written != "", "")
    if prefix.isna().any():
        raise SettingError(
            f"{written[prefix.isna()].iloc[0]!r} is no prefix",
            hint="write it as +49, 0049 or 49; one in national form, such as 030, needs the country: home='49'",
        )
    prices = table[list(_RATES)].astype("float64").set_axis(pd.Index(prefix, name="prefix"))
    if not prices.index.is_unique:
        twice = sorted(set(prices.index[prices.index.duplicated()]))
        raise SettingError(f"the tariff has the prefixes {', '.join(twice)} twice", hint="give each prefix one row")
    if (prices[["per_minute", "setup"]] < 0).any(axis=None) or (prices["rounding_s"] < 1).any():
        raise SettingError("the tariff has a negative price, or a rounding below 1 s", hint="correct these rows")
    return prices
