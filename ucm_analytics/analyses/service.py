"""Service level: who was answered in time, by every formula in use, and how the waits are spread."""

from __future__ import annotations

from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect
from ucm_analytics.analyses.queue_visits import BY_QUEUE, ENDS, QUEUE, check_seconds, count_true, queue_visits, ratio
from ucm_analytics.errors import SettingError
from ucm_analytics.metrics import SERVICE_LEVELS

ServiceLevel = Literal["sl_f1", "sl_f2", "sl_f3", "sl_f4", "sl_f5", "sl_genesys"]

_BINS: Final = 40


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("queue", "category", "number of the queue"),
    ResultColumn("variant", "category", "which formula: sl_f1 to sl_f5, sl_genesys"),
    ResultColumn("is_headline", "bool", "the formula that was chosen as headline"),
    ResultColumn("offered", "int64", "visits to the queue", metric="queue_offered"),
    ResultColumn("numerator", "int64", "visits above the line of the formula", metric="sl_numerator"),
    ResultColumn("denominator", "int64", "visits below it", metric="sl_denominator"),
    ResultColumn("service_level", "float64", "numerator / denominator, 0-1; NA if nothing is below the line"),
    ResultColumn("target_s", "int64", "the target that was used", "s"),
    divides_by="visits that the variant puts below the line, see denominator",
)
def service_level(
    steps: Any,
    *,
    target_s: int = 20,
    short_s: int = 5,
    headline: ServiceLevel = "sl_f1",
    include_short: bool = True,
    include_abandoned: bool = True,
    include_overflowed: bool = False,
) -> pa.Table:
    """Give the service level of each queue by all formulas in use, side by side.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, kind, target, wait_s, result``.
    target_s : int
        Wait that is still in time, included [s].
    short_s : int
        Threshold of a short abandon [s].
    headline : {'sl_f1', 'sl_f2', 'sl_f3', 'sl_f4', 'sl_f5', 'sl_genesys'}
        The formula to mark as the one that is meant when only one is shown.
    include_short, include_abandoned, include_overflowed : bool
        The switches of ``sl_genesys``: whether short abandons, abandoned and overflowed visits are below the line.

    Returns
    -------
    frame
        The kind that went in. Six rows per queue, in the order of the formulas: ``pbx``, ``queue``, ``variant``,
        ``is_headline``, ``offered``, ``numerator``, ``denominator``, ``service_level``, ``target_s``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        A threshold or the headline cannot be used.

    Notes
    -----
    With A answered and AB abandoned visits (result 'answered' and 'hung_up'), T = `target_s`, s = `short_s`::

        sl_f1       (A≤T + AB≤T) / (A + AB)
        sl_f2       A≤T / A
        sl_f3       A≤T / (A + AB)
        sl_f4       A≤T / (A + AB>T)
        sl_f5       (A≤T + AB≤s) / (A + AB)
        sl_genesys  A≤T / (A + AB [- AB<s | - AB] [+ overflowed])

    An abandon of exactly s seconds is within the threshold of sl_f5, and no short abandon, which is shorter
    than s. Overflowed visits are in no formula but the last. A wait includes the ringing of agents.

    References
    ----------
    ICMI and Call Centre Helper, the five service level formulas; Genesys Cloud, configure the service level
    calculation.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({"pbx": "clinic", "kind": "queue", "target": "6500", "wait_s": [8, 20, 45, 4],
    ...     "result": ["answered", "answered", "answered", "hung_up"]})
    >>> service_level(steps)[["variant", "numerator", "denominator", "service_level"]].head(4)
      variant  numerator  denominator  service_level
    0   sl_f1          3            4       0.750000
    1   sl_f2          2            3       0.666667
    2   sl_f3          2            4       0.500000
    3   sl_f4          2            3       0.666667
    """
    check_seconds(target_s=target_s, short_s=short_s)
    if headline not in SERVICE_LEVELS:
        raise SettingError(f"{headline!r} is no service level", hint=f"use one of {', '.join(SERVICE_LEVELS)}")
    wait = nw.col("wait_s")
    n = collect(
        queue_visits(steps)
        .group_by(QUEUE)
        .agg(
            offered=nw.len().cast(nw.Int64),
            **{end: count_true(nw.col(end)) for end in ENDS},
            answered_in_time=count_true(nw.col("answered") & (wait <= target_s)),
            abandoned_in_time=count_true(nw.col("abandoned") & (wait <= target_s)),
            abandoned_at_once=count_true(nw.col("abandoned") & (wait <= short_s)),
            abandoned_short=count_true(nw.col("abandoned") & (wait < short_s)),
        )
    )
    both = n["answered"] + n["abandoned"]
    left = n["abandoned"] - (0 if include_short else n["abandoned_short"]) if include_abandoned else 0
    formulas = {
        "sl_f1": (n["answered_in_time"] + n["abandoned_in_time"], both),
        "sl_f2": (n["answered_in_time"], n["answered"]),
        "sl_f3": (n["answered_in_time"], both),
        "sl_f4": (n["answered_in_time"], both - n["abandoned_in_time"]),
        "sl_f5": (n["answered_in_time"] + n["abandoned_at_once"], both),
        "sl_genesys": (n["answered_in_time"], n["answered"] + left + (n["overflowed"] if include_overflowed else 0)),
    }
    rows = [
        n[[*QUEUE, "offered"]].assign(order=order, variant=variant, numerator=above, denominator=below)
        for order, (variant, (above, below)) in enumerate(formulas.items())
    ]
    result = pd.concat(rows, ignore_index=True)
    result["is_headline"] = result["variant"] == headline
    result["service_level"] = ratio(result["numerator"], result["denominator"])
    result["target_s"] = target_s
    columns = [column.name for column in service_level.columns]
    return arrow(result[[*columns, "order"]], sort=[*BY_QUEUE, ("order", "ascending")]).drop(["order"])


@analysis(
    ResultColumn("result", "category", "answered or abandoned"),
    ResultColumn("from_s", "int64", "start of the bin, not included but for 0", "s"),
    ResultColumn("to_s", "Int64", "end of the bin, included; NA in the last, which is open", "s"),
    ResultColumn("calls", "int64", "visits in the bin", metric="wait_bin"),
    ResultColumn(
        "share", "float64", "visits / all visits with this result, 0-1; NA without any", metric="wait_bin_share"
    ),
    divides_by="visits with the same result",
)
def queue_waits(steps: Any, *, queue: str | None = None, bin_s: int = 10) -> pa.Table:
    """Count the visits to queues by how long they waited, answered and abandoned apart.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, kind, target, wait_s, result``.
    queue : str, optional
        Only this queue; else all together.
    bin_s : int
        Width of a bin [s].

    Returns
    -------
    frame
        The kind that went in; always 41 rows for each ``result``, answered first: ``from_s``, ``to_s``,
        ``calls``, ``share``. The last bin has no end and holds the rest.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        `bin_s` cannot be used.

    Notes
    -----
    A visit lies in the bin with from_s < wait <= to_s, and one of 0 s in the first: the bins up to a target add
    up to the visits that `service_level` counts as within it. share = visits / sum of visits with this result.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({"pbx": "clinic", "kind": "queue", "target": "6500", "wait_s": [0, 10, 11, 4],
    ...     "result": ["answered", "answered", "answered", "hung_up"]})
    >>> queue_waits(steps).head(3)
         result  from_s  to_s  calls     share
    0  answered       0    10      2  0.666667
    1  answered      10    20      1  0.333333
    2  answered      20    30      0  0.000000
    """
    check_seconds(bin_s=bin_s, least=1)
    visits = queue_visits(steps).filter(nw.col("answered") | nw.col("abandoned"), ~nw.col("wait_s").is_null())
    if queue is not None:
        visits = visits.filter(nw.col("queue") == queue)
    wait = nw.col("wait_s")
    counted = collect(
        visits.with_columns(
            end=nw.when(nw.col("answered")).then(0).otherwise(1).cast(nw.Int64),
            bin=nw.when(wait <= 0)
            .then(0)
            .otherwise(nw.when(wait > _BINS * bin_s).then(_BINS).otherwise((wait - 1) // bin_s))
            .cast(nw.Int64),
        )
        .group_by("end", "bin")
        .agg(calls=nw.len().cast(nw.Int64))
    )
    grid = pd.MultiIndex.from_product([range(2), range(_BINS + 1)], names=["end", "bin"]).to_frame(index=False)
    result = grid.merge(counted, how="left", on=["end", "bin"]).fillna({"calls": 0}).astype({"calls": "int64"})
    result["result"] = result["end"].map({0: "answered", 1: "abandoned"})
    result["from_s"] = result["bin"] * bin_s
    result["to_s"] = (result["from_s"] + bin_s).astype("Int64").where(result["bin"] < _BINS)
    result["share"] = ratio(result["calls"], result.groupby("end")["calls"].transform("sum"))
    columns = [column.name for column in queue_waits.columns]
    return arrow(result[[*columns, "end"]], sort=[("end", "ascending"), ("from_s", "ascending")]).drop(["end"])
