"""Who calls: the most frequent callers, how much a few of them make up, and where they call from."""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.caller_keys import fullest, keyed
from ucm_analytics.analyses.dialling import (
    areas,
    checked_home,
    codes,
    in_full,
    number,
    optional,
)
from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect
from ucm_analytics.analyses.population import counted_calls, from_outside, in_period
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period

_TENTHS: Final = 10
_SUMS: Final = ("calls", "answered", "talk_s")


@analysis(
    ResultColumn("caller", "string", "number as shown most often"),
    ResultColumn("caller_name", "string", "name shown most often with it; NA if none"),
    ResultColumn("calls", "int64", "calls from it"),
    ResultColumn("share", "float64", "calls / calls of all callers with a number, 0-1"),
    ResultColumn("answered", "int64", "calls that a person answered"),
    ResultColumn("answered_rate", "float64", "answered / calls, 0-1"),
    ResultColumn("talk_s", "int64", "time talked", "s"),
    ResultColumn("first_at", "wall", "first call"),
    ResultColumn("last_at", "wall", "last call"),
    divides_by="calls of all callers with a number (share); calls of the caller (answered rate)",
)
def top_callers(calls: Any, *, top: int = 100, period: Period | None = None) -> pa.Table:
    """List the callers from outside who call most often.

    Parameters
    ----------
    calls : frame
        One row per call: ``local_at, direction, caller, caller_name, outcome, talk_s, is_forward``;
        ``caller_number`` where it is there.
    top : int
        How many callers to list.
    period : Period, optional
        Days to count; by default all calls.

    Returns
    -------
    frame
        The kind that went in. One row per caller, most calls first: ``caller``, ``caller_name``, ``calls``,
        ``share``, ``answered``, ``answered_rate``, ``talk_s`` [s], ``first_at``, ``last_at``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `top` is not positive.

    Notes
    -----
    share = calls / calls of all callers with a number, those not listed included. National and international
    writings of one number are one caller. Callers who withhold their number are left out: `caller_concentration`
    counts them.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "local_at": pd.Timestamp("2026-03-02 09:05"), "direction": "inbound", "caller_name": None,
    ...     "caller": ["12025550142", "+12025550142", "12025550187", "anonymous"], "talk_s": [60, 0, 30, 10],
    ...     "outcome": ["answered", "abandoned", "answered", "answered"], "is_forward": False})
    >>> top_callers(calls)[["caller", "calls", "share", "answered_rate"]]
             caller  calls     share  answered_rate
    0  +12025550142      2  0.666667            0.5
    1   12025550187      1  0.333333            1.0
    """
    if top < 1:
        raise SettingError(f"top={top} lists nobody", hint="give a positive number of callers")
    seen = collect(_by(calls, period, "number", "caller_name"))
    seen["key"] = keyed(seen["number"])
    seen = seen.dropna(subset=["key"])
    made = seen.groupby("key")["calls"].sum()
    listed = made[made >= made.nlargest(top).min()]  # those level with the last too: their numbers decide
    seen = seen[seen["key"].isin(listed.index)].sort_values(["number", "caller_name"])
    seen["shown"] = seen.groupby("number")["calls"].transform("sum")
    seen = seen.sort_values(["shown", "number", "calls"], ascending=[False, True, False], kind="stable")
    callers = seen.groupby("key").agg(
        caller=("number", "first"),
        caller_name=("caller_name", "first"),
        calls=("calls", "sum"),
        answered=("answered", "sum"),
        talk_s=("talk_s", "sum"),
        first_at=("first_at", "min"),
        last_at=("last_at", "max"),
    )
    callers["share"] = callers["calls"] / made.sum()
    callers["answered_rate"] = callers["answered"] / callers["calls"]
    callers = callers.sort_values(["calls", "caller"], ascending=[False, True]).head(top)
    return arrow(
        callers[[column.name for column in top_callers.columns]],
        sort=[("calls", "descending"), ("caller", "ascending")],
    )


@analysis(
    ResultColumn("top_rate", "float64", "this part of the callers, those who call most, 0-1"),
    ResultColumn("callers", "int64", "so many callers, rounded up"),
    ResultColumn("calls", "int64", "their calls"),
    ResultColumn("share", "float64", "calls / calls of all callers with a number, 0-1"),
    ResultColumn("withheld", "int64", "calls that show no number, in no other column; the same in every row"),
    ResultColumn("entropy", "float64", "entropy of the calls over the callers, in bit; the same in every row"),
    ResultColumn("evenness", "float64", "entropy / log2(callers), 0-1; NA for one caller; the same in every row"),
    divides_by="calls, or callers, with a number",
)
def caller_concentration(calls: Any, *, period: Period | None = None) -> pa.Table:
    """Say which share of the calls the most frequent callers make.

    Parameters
    ----------
    calls : frame
        What `top_callers` takes.
    period : Period, optional
        Days to count; by default all calls.

    Returns
    -------
    frame
        The kind that went in. Ten rows, for a tenth of the callers, two tenths, to all of them: ``top_rate``,
        ``callers``, ``calls``, ``share``, ``withheld``, ``entropy`` [bit], ``evenness``. No rows without calls.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    callers = ⌈top_rate · all callers⌉; share = their calls / all calls with a number. entropy = -Σ p log2 p with p
    the share of each caller: 0 if one makes all calls. evenness = entropy / log2(number of callers): 1 if all
    call equally often.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "local_at": pd.Timestamp("2026-03-02 09:05"), "direction": "inbound", "caller_name": None,
    ...     "caller": ["12025550142", "12025550142", "12025550142", "12025550187"], "talk_s": 0,
    ...     "outcome": "answered", "is_forward": False})
    >>> caller_concentration(calls).loc[[0, 9], ["top_rate", "callers", "calls", "share", "entropy"]]
       top_rate  callers  calls  share   entropy
    0       0.1        1      3   0.75  0.811278
    9       1.0        2      4   1.00  0.811278
    """
    seen = collect(_by(calls, period, "number").select("number", "calls"))
    seen["key"] = keyed(seen["number"])
    counts = seen.dropna(subset=["key"]).groupby("key")["calls"].sum().sort_values(ascending=False).to_numpy(dtype=int)
    withheld = int(seen.loc[seen["key"].isna(), "calls"].sum())
    tenths = np.arange(1, _TENTHS + 1) if len(counts) else np.array([], dtype=int)
    callers = -(-tenths * len(counts) // _TENTHS)
    made = np.cumsum(counts)[callers - 1] if len(counts) else np.array([], dtype=int)
    part = counts / counts.sum() if len(counts) else counts
    entropy = float(-(part * np.log2(part)).sum()) + 0.0 if len(counts) else np.nan
    result = pd.DataFrame({"top_rate": tenths / _TENTHS, "callers": callers, "calls": made})
    result["share"] = result["calls"] / max(int(counts.sum()), 1)
    result["withheld"] = withheld
    result["entropy"] = entropy
    result["evenness"] = entropy / np.log2(len(counts)) if len(counts) > 1 else np.nan
    return arrow(result, sort=[("top_rate", "ascending")])


@analysis(
    ResultColumn("area", "category", "country code and country; or national, internal, withheld"),
    ResultColumn("prefix", "category", "first digits behind the country code too; NA where the area is no country"),
    ResultColumn("calls", "int64", "calls from there"),
    ResultColumn("share", "float64", "calls / all calls from outside, 0-1"),
    ResultColumn("callers", "int64", "different numbers; 0 where they are withheld"),
    ResultColumn("answered", "int64", "calls that a person answered"),
    ResultColumn("answered_rate", "float64", "answered / calls, 0-1"),
    ResultColumn("talk_s", "int64", "time talked", "s"),
    divides_by="calls from outside, hidden numbers too (share); calls of the area (answered rate)",
)
def caller_areas(calls: Any, *, home: str = "", digits: int = 0, period: Period | None = None) -> pa.Table:
    """Count the calls from outside by country, or by country and the first digits of the number.

    Parameters
    ----------
    calls : frame
        What `top_callers` takes.
    home : str
        Country code of the PBX, such as ``49``: numbers in national form then count for it.
    digits : int
        So many digits behind the country code split it further: 3 gives the area codes of North America.
    period : Period, optional
        Days to count; by default all calls.

    Returns
    -------
    frame
        The kind that went in. One row per area and prefix, most calls first: ``area``, ``prefix``, ``calls``,
        ``share``, ``callers``, ``answered``, ``answered_rate``, ``talk_s`` [s].

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `home` is no country code, or `digits` is negative.

    Notes
    -----
    A number is read as international if it begins with + or 00 (or what one dials for calls abroad in `home`), as one
    of `home` if it has the trunk prefix or the length of its national numbers, and else as international if it has ten
    digits or more and no leading zero. It is 'national' if it begins with zero and fits neither, and 'internal' if it
    is shorter. Of several writings of a number the one that tells most decides. A code that countries share has
    the name of the main one. share = calls / all calls from outside, those without a number included.

    References
    ----------
    ITU-T E.164, assigned country codes; libphonenumber, prefixes and lengths of numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "local_at": pd.Timestamp("2026-03-02 09:05"), "direction": "inbound", "caller_name": None,
    ...     "caller": ["+442079460142", "0305550142", "0305550187", "anonymous"], "talk_s": 0,
    ...     "outcome": "answered", "is_forward": False})
    >>> caller_areas(calls, home="49", digits=2)[["area", "prefix", "calls", "share", "callers"]]
                              area prefix  calls  share  callers
    0                  +49 Germany   4930      2   0.50        2
    1  +44 Britain (UK) and others   4420      1   0.25        1
    2                     withheld    NaN      1   0.25        0
    """
    checked_home(home)
    if digits < 0:
        raise SettingError(f"digits={digits} is negative", hint="give 0, or how many digits to split by")
    seen = collect(_by(calls, period, "number").select("number", *_SUMS))
    seen["key"] = keyed(seen["number"])
    whole = fullest(seen["number"])
    full = in_full(whole, home)
    code = codes(full)
    length = code.str.len()
    seen["prefix"] = pd.Series(np.nan, index=seen.index, dtype="str")
    for n in length.dropna().unique():
        seen["prefix"] = seen["prefix"].mask(length == n, full.str.slice(0, int(n) + digits))
    national = whole.str.strip().str.startswith("0", na=False)
    elsewhere = np.select([seen["key"].isna(), national], ["withheld", "national"], "internal")
    seen["area"] = areas(code).fillna(pd.Series(elsewhere, index=seen.index))
    grouped = seen.groupby(["area", "prefix"], dropna=False)
    result = grouped[list(_SUMS)].sum().join(grouped["key"].nunique().rename("callers")).reset_index()
    result["share"] = result["calls"] / result["calls"].sum()
    result["answered_rate"] = result["answered"] / result["calls"]
    return arrow(
        result[[column.name for column in caller_areas.columns]],
        sort=[("calls", "descending"), ("area", "ascending"), ("prefix", "ascending")],
    )


def _by(calls: Any, period: Period | None, *groups: str) -> nw.LazyFrame[Any]:
    """Calls from outside by number as shown, or by number and name."""
    more = optional(calls, "caller_number")
    frame = counted_calls(calls, "local_at", "direction", "caller", "caller_name", "outcome", "talk_s", more=more)
    return (
        in_period(frame.filter(from_outside()), period)
        .with_columns(number=number("caller", more))
        .group_by(*groups)
        .agg(
            calls=nw.len().cast(nw.Int64),
            answered=(nw.col("outcome") == "answered").fill_null(False).cast(nw.Int64).sum().cast(nw.Int64),
            talk_s=nw.col("talk_s").fill_null(0).sum().cast(nw.Int64),
            first_at=nw.col("local_at").min(),
            last_at=nw.col("local_at").max(),
        )
    )
