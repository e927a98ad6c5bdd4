"""Queues: who was answered, who gave up, who picked up."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect, in_duckdb, required, select_required
from ucm_analytics.analyses.instants import SECOND, utc
from ucm_analytics.analyses.population import counted_calls
from ucm_analytics.analyses.queue_visits import BY_QUEUE, ENDS, QUEUE, check_seconds, count_true, queue_visits, ratio

_AGENT: Final = [*QUEUE, "extension"]
_VISIT: Final = ["pbx", "call_id", "step_no"]
_RING_RESULTS: Final = ("answered", "elsewhere", "missed")


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("queue", "category", "number of the queue"),
    ResultColumn(
        "offered", "int64", "visits to the queue = answered + abandoned + overflowed + other", metric="queue_offered"
    ),
    ResultColumn("answered", "int64", "visits that ended with a person", metric="queue_answered"),
    ResultColumn("abandoned", "int64", "visits that ended because the caller left", metric="queue_abandoned"),
    ResultColumn(
        "abandoned_short", "int64", "those of abandoned with a wait below short_s", metric="queue_abandoned_short"
    ),
    ResultColumn(
        "overflowed", "int64", "visits after which the call went on without a person", metric="queue_overflowed"
    ),
    ResultColumn("other", "int64", "visits that ended in another way: all agents busy, failed", metric="queue_other"),
    ResultColumn("answered_rate", "float64", "answered / offered, 0-1", metric="answered_rate"),
    ResultColumn("abandon_rate", "float64", "abandoned / offered, 0-1", metric="abandon_rate"),
    ResultColumn(
        "long_abandon_rate",
        "float64",
        "the same without short abandons above and below; NA if none is left",
        metric="long_abandon_rate",
    ),
    ResultColumn("asa_s", "float64", "mean wait of the answered, ringing included; NA if none", "s", metric="asa"),
    ResultColumn("median_wait_s", "float64", "median wait of all visits", "s", metric="queue_wait_quantile"),
    ResultColumn("p90_wait_s", "float64", "90th percentile of it", "s", metric="queue_wait_quantile"),
    ResultColumn("longest_wait_s", "Int64", "longest wait", "s", metric="longest_wait"),
    ResultColumn("talk_s", "int64", "time with people", "s", metric="queue_talk"),
    ResultColumn("att_s", "float64", "talk_s / answered; NA if none", "s", metric="att"),
    ResultColumn("transferred", "int64", "answered visits that were sent on right after", metric="queue_transferred"),
    ResultColumn("transfer_rate", "float64", "transferred / answered, 0-1; NA if none", metric="transfer_rate"),
    ResultColumn(
        "recalls",
        "int64",
        "calls whose caller came to the queue again, in another call",
        optional=True,
        metric="queue_recalls",
    ),
    divides_by="visits (rates), without short ones or not; visits answered (means, transfers)",
)
def queues(steps: Any, calls: Any = None, *, short_s: int = 5, recall_s: int = 3600) -> pa.Table:
    """Say for each queue how many were offered, answered, gave up and overflowed, and how long they waited.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, call_id, step_no, kind, target, local_at, dwell_s, wait_s, talk_s, result``.
    calls : frame, optional
        One row per call: ``pbx, call_id, caller, utc_offset_s, is_forward``. With it, re-calls are counted.
    short_s : int
        An abandoned visit with a shorter wait is a short abandon [s].
    recall_s : int
        A re-call comes at most so long after the call before it left the queue [s].

    Returns
    -------
    frame
        The kind that went in. One row per queue: ``pbx``, ``queue``, ``offered``, ``answered``, ``abandoned``,
        ``abandoned_short``, ``overflowed``, ``other``, ``answered_rate``, ``abandon_rate``,
        ``long_abandon_rate``, and in seconds ``asa_s``, ``median_wait_s``, ``p90_wait_s``, ``longest_wait_s``,
        ``talk_s``, ``att_s``; ``transferred``, ``transfer_rate``, and with `calls` ``recalls``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.
    SettingError
        A number of seconds cannot be used.

    Notes
    -----
    Answered means that a person picked up: a queue that plays its announcement, or that hands the call to a
    mailbox, has not answered it. asa = sum of the waits of the answered / answered. A wait runs from entering
    the queue to the pick-up, or until the caller left or went on; it includes the time that agents' phones rang.
    long_abandon_rate = (abandoned - abandoned_short) / (offered - abandoned_short).

    A re-call is the same caller's next call to the same queue within `recall_s`, by the digits of the number;
    hidden and non-numeric callers and rows with ``is_forward`` are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({"pbx": "clinic", "call_id": ["a", "b", "c", "d"], "step_no": 1, "kind": "queue",
    ...     "target": "6500", "local_at": pd.Timestamp("2026-03-02 09:05"), "dwell_s": [70, 90, 30, 95],
    ...     "wait_s": [10, 30, 30, 95], "talk_s": [60, 60, 0, 0],
    ...     "result": ["answered", "answered", "hung_up", "next"]})
    >>> queues(steps)[["queue", "offered", "answered", "abandoned", "overflowed", "asa_s", "longest_wait_s"]]
      queue  offered  answered  abandoned  overflowed  asa_s  longest_wait_s
    0  6500        4         2          1           1   20.0              95
    """
    check_seconds(short_s=short_s, recall_s=recall_s)
    wait = nw.col("wait_s")
    visits = queue_visits(steps, "call_id", "step_no", "local_at", "dwell_s", "talk_s")
    result = collect(
        visits.group_by(QUEUE).agg(
            offered=nw.len().cast(nw.Int64),
            **{end: count_true(nw.col(end)) for end in ENDS},
            abandoned_short=count_true(nw.col("abandoned") & (wait < short_s)),
            asa_s=nw.when(nw.col("answered")).then(wait).mean(),
            median_wait_s=wait.median().cast(nw.Float64),
            p90_wait_s=wait.quantile(0.9, "linear"),
            longest_wait_s=wait.max(),
            talk_s=nw.col("talk_s").sum().cast(nw.Int64),
        )
    )
    parts = [_transferred(steps, visits)] + ([] if calls is None else [_recalls(visits, calls, recall_s)])
    for part in parts:
        result = result.merge(part, how="left", on=QUEUE)
    counts = {name: "int64" for name in ("talk_s", "transferred", "recalls") if name in result}
    result = result.fillna(dict.fromkeys(counts, 0)).astype({**counts, "longest_wait_s": "Int64"})
    result["other"] = result["offered"] - result[list(ENDS)].sum(axis=1)
    long = result["abandoned"] - result["abandoned_short"], result["offered"] - result["abandoned_short"]
    result["answered_rate"] = ratio(result["answered"], result["offered"])
    result["abandon_rate"] = ratio(result["abandoned"], result["offered"])
    result["long_abandon_rate"] = ratio(*long)
    result["att_s"] = ratio(result["talk_s"], result["answered"])
    result["transfer_rate"] = ratio(result["transferred"], result["answered"])
    return arrow(result[[c.name for c in queues.columns if c.name in result]], sort=BY_QUEUE)


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("queue", "category", "number of the queue"),
    ResultColumn("extension", "category", "number of the agent's extension"),
    ResultColumn("offered", "int64", "different visits that rang the agent", metric="phone_offered"),
    ResultColumn("rung", "int64", "times that it rang; a visit may ring it again and again", metric="solicitations"),
    ResultColumn("answered", "int64", "visits that the agent picked up", metric="phone_answered"),
    ResultColumn("elsewhere", "int64", "visits that another agent picked up while it rang", metric="phone_elsewhere"),
    ResultColumn(
        "missed", "int64", "visits that rang it and that nobody picked up while it rang", metric="phone_missed"
    ),
    ResultColumn("unreachable", "int64", "visits that found it only busy or not reachable", metric="phone_unreachable"),
    ResultColumn(
        "answered_rate", "float64", "answered / (answered + missed), 0-1; NA if both are 0", metric="picked_up_rate"
    ),
    ResultColumn("talk_s", "int64", "time talked in the visits picked up", "s", metric="phone_talk"),
    ResultColumn("mean_talk_s", "float64", "talk_s / answered; NA if none", "s", metric="phone_mean_talk"),
    ResultColumn("mean_ring_s", "float64", "mean ringing before the pick-up; NA if none", "s", metric="mean_ring"),
    divides_by="visits picked up and missed, no others (rate); visits (talk) or times (ringing) that it was picked up",
)
def queue_agents(steps: Any, rings: Any) -> pa.Table:
    """Say for each agent of each queue how often the queue rang it, and what came of that.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, call_id, step_no, kind, target, wait_s, result``.
    rings : frame
        One row per phone that rang: ``pbx, call_id, step_no, extension, ring_s, talk_s, result``.

    Returns
    -------
    frame
        The kind of `steps`. One row per queue and agent that it rang: ``pbx``, ``queue``, ``extension``,
        ``offered``, ``rung``, ``answered``, ``elsewhere``, ``missed``, ``unreachable``, ``answered_rate``,
        ``talk_s``, ``mean_talk_s``, ``mean_ring_s`` [s].

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    As in `extensions`, with visits in place of calls: a visit counts once for an agent, by the best that came of
    it: answered, else elsewhere, else missed, else unreachable. answered_rate = answered / (answered + missed).
    An agent who was logged in but was never rung has no row: the records do not say who was logged in.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({"pbx": "clinic", "call_id": "a", "step_no": 1, "kind": "queue", "target": ["6500"],
    ...     "wait_s": 21, "result": "answered"})
    >>> rings = pd.DataFrame({"pbx": "clinic", "call_id": "a", "step_no": 1, "ring_s": [15, 6, 6],
    ...     "extension": ["1004", "1004", "1005"], "talk_s": [0, 0, 60], "result": ["missed", "elsewhere", "answered"]})
    >>> queue_agents(steps, rings)[["queue", "extension", "offered", "rung", "answered", "elsewhere", "missed"]]
      queue extension  offered  rung  answered  elsewhere  missed
    0  6500      1004        1     2         0          1       0
    1  6500      1005        1     1         1          0       0
    """
    rang = select_required(rings, "rings", required("rings", *_VISIT, "extension", "ring_s", "talk_s", "result"))
    rang = rang.filter(~nw.col("extension").is_null())
    of_queues = _joined(rang, queue_visits(steps, "call_id", "step_no").select(*_VISIT, "queue"), _VISIT)
    per_stay = of_queues.group_by([*_AGENT, "call_id", "step_no"]).agg(
        rung=nw.col("queue").count().cast(nw.Int64),  # of the other side: DuckDB joins before it groups
        talk_s=nw.col("talk_s").sum().cast(nw.Int64),
        picked_up=count_true(nw.col("result") == "answered"),
        picked_up_s=nw.when(nw.col("result") == "answered").then(nw.col("ring_s")).sum().cast(nw.Int64),
        **{result: count_true(nw.col("result") == result) > 0 for result in _RING_RESULTS},
    )
    answered, elsewhere, missed = (nw.col(result) for result in _RING_RESULTS)
    result = collect(
        per_stay.group_by(_AGENT).agg(
            offered=nw.len().cast(nw.Int64),
            **{name: nw.col(name).sum().cast(nw.Int64) for name in ("rung", "talk_s", "picked_up", "picked_up_s")},
            answered=count_true(answered),
            elsewhere=count_true(elsewhere & ~answered),
            missed=count_true(missed & ~elsewhere & ~answered),
            unreachable=count_true(~missed & ~elsewhere & ~answered),
        )
    )
    result = result.fillna({"talk_s": 0, "picked_up_s": 0}).astype({"talk_s": "int64"})
    result["answered_rate"] = ratio(result["answered"], result["answered"] + result["missed"])
    result["mean_talk_s"] = ratio(result["talk_s"], result["answered"])
    result["mean_ring_s"] = ratio(result["picked_up_s"], result["picked_up"])
    columns = [column.name for column in queue_agents.columns]
    return arrow(result[columns], sort=[*BY_QUEUE, ("extension", "ascending")])


def _transferred(steps: Any, visits: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Answered visits of each queue whose next step is a transfer."""
    after = select_required(steps, "steps", required("steps", *_VISIT, "kind")).filter(nw.col("kind") == "transfer")
    after = after.select("pbx", "call_id", step_no=nw.col("step_no") - 1)
    sent_on = visits.filter(nw.col("answered")).join(after, on=_VISIT)
    return collect(sent_on.group_by(QUEUE).agg(transferred=nw.len().cast(nw.Int64)))


def _recalls(visits: nw.LazyFrame[Any], calls: Any, recall_s: int) -> pd.DataFrame:
    """Calls of each queue after which the same caller called it again."""
    called = counted_calls(calls, "pbx", "call_id", "caller", "utc_offset_s").drop("is_forward")
    key = [*QUEUE, "caller"]
    known = _joined(visits, called, ["pbx", "call_id"]).with_columns(
        utc=utc(), caller=nw.col("caller").str.replace_all(r"\D", "")
    )
    known = known.filter(nw.col("caller") != "")
    each = known.group_by([*key, "call_id"]).agg(
        came=nw.col("utc").min(), went=(nw.col("utc") + nw.col("dwell_s") * nw.lit(SECOND)).max()
    )
    again = nw.col("came").shift(-1).over(*key, order_by=["came", "call_id"])
    recalls = each.with_columns(again=again <= nw.col("went") + nw.lit(SECOND * recall_s))
    return collect(recalls.filter(nw.col("again")).group_by(QUEUE).agg(recalls=nw.len().cast(nw.Int64)))


def _joined(left: nw.LazyFrame[Any], right: nw.LazyFrame[Any], on: list[str]) -> nw.LazyFrame[Any]:
    """Inner join; frames of different engines or connections meet in DuckDB."""
    if left.implementation is right.implementation:
        with suppress(duckdb.InvalidInputException):  # relations of two connections
            return left.join(right, on=on)
    return in_duckdb(left.collect("pyarrow").to_native()).join(in_duckdb(right.collect("pyarrow").to_native()), on=on)
