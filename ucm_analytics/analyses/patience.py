"""Patience: how long callers are willing to wait in a queue."""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect
from ucm_analytics.analyses.queue_visits import count_true, queue_visits
from ucm_analytics.analyses.statistics import kaplan_meier

_HALF: Final = 0.5 + 1e-12
"""A product of fractions that is one half comes out a rounding error above it."""


@analysis(
    ResultColumn("wait_s", "int64", "wait after which visits ended", "s"),
    ResultColumn("offered", "int64", "visits that the curve is made of", metric="queue_offered"),
    ResultColumn("at_risk", "int64", "those that lasted this long", metric="patience_at_risk"),
    ResultColumn("abandoned", "int64", "those that ended now because the caller left", metric="queue_abandoned"),
    ResultColumn(
        "censored",
        "int64",
        "those that ended now in another way: answered, overflowed, ...",
        metric="patience_censored",
    ),
    ResultColumn(
        "patience_level", "float64", "S, share of callers who would wait longer than this, 0-1", metric="patience"
    ),
    ResultColumn(
        "low_level", "float64", "lower end of its 95 % band; NA while S is 1 and where it is 0", metric="patience_band"
    ),
    ResultColumn("high_level", "float64", "upper end of it", metric="patience_band"),
    ResultColumn(
        "median_s",
        "Int64",
        "median patience, the same in every row; NA if S is above one half",
        "s",
        metric="median_patience",
    ),
    ResultColumn("median_low_s", "Int64", "lower end of its 95 % interval", "s", metric="median_patience"),
    ResultColumn(
        "median_high_s", "Int64", "upper end of it; NA if the data do not tell", "s", metric="median_patience"
    ),
    divides_by="visits that lasted as long, wait by wait",
)
def patience(steps: Any, *, queue: str | None = None) -> pa.Table:
    """Estimate how long callers are willing to wait: the Kaplan-Meier curve of giving up.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, kind, target, wait_s, result``.
    queue : str, optional
        Only this queue; else all together.

    Returns
    -------
    frame
        The kind that went in. One row per length of wait that occurs, shortest first: ``wait_s`` [s],
        ``offered``, ``at_risk``, ``abandoned``, ``censored``, ``patience_level``, ``low_level``,
        ``high_level``, and in each row the same ``median_s``, ``median_low_s``, ``median_high_s`` [s].

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    Who is answered after 10 s would have waited at least 10 s: such a visit is censored, not short. The mean wait
    of those who gave up leaves it out, and so says little: it grows and shrinks with the queue, not with the
    callers. With d visits abandoned at wait t and n at risk, those that lasted at least t::

        S(w) = product over t <= w of (1 - d / n)
        G(w) = sum over t <= w of d / (n (n - d))
        band = S ^ exp(+-1.96 sqrt(G) / ln S)

    The median is the first wait with S <= 0.5, the ends of its interval the first waits at which the lower and
    the upper end of the band are. At equal waits abandoned come before censored.

    References
    ----------
    E. L. Kaplan, P. Meier: Nonparametric Estimation from Incomplete Observations. JASA 53 (1958) 457-481.
    R. Brookmeyer, J. Crowley: A Confidence Interval for the Median Survival Time. Biometrics 38 (1982) 29-41.
    L. Brown et al.: Statistical Analysis of a Telephone Call Center. JASA 100 (2005) 36-50.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({"pbx": "clinic", "kind": "queue", "target": "6500", "wait_s": [5, 10, 20, 30],
    ...     "result": ["answered", "hung_up", "answered", "hung_up"]})
    >>> patience(steps)[["wait_s", "at_risk", "abandoned", "censored", "patience_level", "median_s"]]
       wait_s  at_risk  abandoned  censored  patience_level  median_s
    0       5        4          0         1        1.000000        30
    1      10        3          1         0        0.666667        30
    2      20        2          0         1        0.666667        30
    3      30        1          1         0        0.000000        30
    """
    visits = queue_visits(steps).filter(~nw.col("wait_s").is_null())
    if queue is not None:
        visits = visits.filter(nw.col("queue") == queue)
    curve = collect(
        visits.group_by("wait_s").agg(ended=nw.len().cast(nw.Int64), abandoned=count_true(nw.col("abandoned")))
    ).sort_values("wait_s", ignore_index=True)
    curve["censored"] = curve["ended"] - curve["abandoned"]
    curve["offered"] = curve["ended"].sum()
    curve["at_risk"] = curve["offered"] - curve["ended"].cumsum() + curve["ended"]
    ends = ("", "low_", "high_")
    for end, values in zip(ends, kaplan_meier(curve["abandoned"], curve["at_risk"]), strict=True):
        reached = curve.loc[values <= _HALF, "wait_s"]
        curve[f"{end or 'patience_'}level"] = values
        curve[f"median_{end}s"] = pd.array([reached.iloc[0] if len(reached) else pd.NA] * len(curve), dtype="Int64")
    return arrow(curve[[column.name for column in patience.columns]], sort=[("wait_s", "ascending")])
