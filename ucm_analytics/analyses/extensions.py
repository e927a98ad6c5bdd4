"""Extensions: what rang, who picked up, who called out."""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect, required, select_required
from ucm_analytics.analyses.population import counted_calls

_EXTENSION: Final = ["pbx", "extension"]
_FATES: Final = ("answered", "elsewhere", "missed")


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("extension", "category", "number of the extension"),
    ResultColumn("offered", "int64", "different calls that rang it", metric="phone_offered"),
    ResultColumn("rung", "int64", "times that it rang; a call may ring it again and again", metric="solicitations"),
    ResultColumn("answered", "int64", "calls that it picked up", metric="phone_answered"),
    ResultColumn(
        "elsewhere",
        "int64",
        "calls that it did not pick up, but another phone did while it rang",
        metric="phone_elsewhere",
    ),
    ResultColumn(
        "missed", "int64", "calls that rang it and that nobody picked up while it rang", metric="phone_missed"
    ),
    ResultColumn("unreachable", "int64", "calls that found it only busy or not reachable", metric="phone_unreachable"),
    ResultColumn(
        "answered_rate", "float64", "answered / (answered + missed), 0-1; NA if both are 0", metric="picked_up_rate"
    ),
    ResultColumn("talk_s", "int64", "time talked in calls that it picked up", "s", metric="phone_talk"),
    ResultColumn("mean_talk_s", "float64", "talk_s / answered; NA if it answered none", "s", metric="phone_mean_talk"),
    ResultColumn(
        "mean_ring_s", "float64", "mean ringing before it picked up; NA if it answered none", "s", metric="mean_ring"
    ),
    ResultColumn("placed", "int64", "calls that it made: outbound, internal, or of unknown direction", metric="placed"),
    ResultColumn("placed_talk_s", "int64", "time talked in them", "s", metric="placed_talk"),
    ResultColumn(
        "busiest_hour",
        "Int64",
        "clock hour in which it rang and called most; of equals the earliest",
        metric="busiest_hour",
    ),
    divides_by="calls picked up and missed, no others (rate); calls (talk) or times (ringing) that it was picked up",
)
def extensions(calls: Any, rings: Any) -> pa.Table:
    """Say for each extension how often it rang, picked up, missed and called out.

    Parameters
    ----------
    calls : frame
        One row per call: ``pbx, local_at, direction, caller, talk_s, is_forward``.
    rings : frame
        One row per phone that rang: ``pbx, call_id, extension, local_at, ring_s, talk_s, result``.

    Returns
    -------
    frame
        The kind of `calls`. One row per extension that rang or called, in order of its number: ``pbx``,
        ``extension``, ``offered``, ``rung``, ``answered``, ``elsewhere``, ``missed``, ``unreachable``,
        ``answered_rate``, ``talk_s``, ``mean_talk_s``, ``mean_ring_s`` [s], ``placed``, ``placed_talk_s``
        [s], ``busiest_hour`` (0-23).

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    A call counts once for an extension, however often it rang it, by the best that came of it: answered, else
    elsewhere, else missed, else unreachable; so offered = answered + elsewhere + missed + unreachable. A call
    picked up at another phone is nobody's fault and is not in the rate:
    answered_rate = answered / (answered + missed).

    An outbound or internal call that nobody answers is ``placed`` by its caller and never missed by it.
    Rows with ``is_forward`` are placed by the PBX and not counted. Rings of calls that were forwarded on
    are.

    Examples
    --------
    >>> import pandas as pd
    >>> at = pd.Timestamp("2026-03-02 09:05")
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "local_at": at, "direction": ["inbound", "outbound"],
    ...     "caller": ["12025550142", "1004"], "talk_s": [60, 0], "is_forward": False})
    >>> rings = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": "a", "extension": ["1004", "1005", "1004", "1005"], "local_at": at,
    ...     "ring_s": [15, 15, 6, 6], "talk_s": [0, 0, 60, 0],
    ...     "result": ["missed", "missed", "answered", "elsewhere"]})
    >>> extensions(calls, rings)[["extension", "offered", "rung", "answered", "elsewhere", "placed"]]
      extension  offered  rung  answered  elsewhere  placed
    0      1004        1     2         1          0       1
    1      1005        1     2         0          1       0
    """
    rang = select_required(
        rings, "rings", required("rings", *_EXTENSION, "call_id", "local_at", "ring_s", "talk_s", "result")
    )
    rang = rang.filter(~nw.col("extension").is_null())
    made = counted_calls(calls, "pbx", "local_at", "direction", "caller", "talk_s")
    made = made.filter(
        nw.col("direction").is_in(["outbound", "internal", "unknown"]), ~nw.col("caller").is_null()
    ).rename({"caller": "extension"})

    rings_by_hour = _by_hour(
        rang,
        talk_s=nw.col("talk_s"),
        answered_rings=(nw.col("result") == "answered").cast(nw.Int64),
        answered_ring_s=nw.when(nw.col("result") == "answered").then(nw.col("ring_s")),
    ).rename(columns={"events": "rung"})
    made_by_hour = _by_hour(made, placed_talk_s=nw.col("talk_s")).rename(columns={"events": "placed"})
    rung, placed = (_summed(hours) for hours in (rings_by_hour, made_by_hour))
    rung["mean_ring_s"] = rung.pop("answered_ring_s") / rung["answered_rings"].where(rung["answered_rings"] > 0)
    busiest = _busiest_hours(
        pd.concat([rings_by_hour.rename(columns={"rung": "events"}), made_by_hour.rename(columns={"placed": "events"})])
    )
    # Not an outer merge: pandas 3.1 cannot do that when both are empty.
    result = pd.concat([rung[_EXTENSION], placed[_EXTENSION]]).drop_duplicates()
    for part in (rung.drop(columns="answered_rings"), _offered(rang), placed, busiest):
        result = result.merge(part, how="left", on=_EXTENSION)
    counts = ["offered", "rung", *_FATES, "unreachable", "talk_s", "placed", "placed_talk_s"]
    result = result.fillna(dict.fromkeys(counts, 0)).astype(dict.fromkeys(counts, "int64"))
    decided = result["answered"] + result["missed"]
    result["answered_rate"] = result["answered"] / decided.where(decided > 0)
    result["mean_talk_s"] = result["talk_s"] / result["answered"].where(result["answered"] > 0)
    return arrow(
        result[[column.name for column in extensions.columns]],
        sort=[("extension", "ascending"), ("pbx", "ascending")],
    )


def _offered(rang: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Calls that rang each extension, and what came of them there: the best that any of their rings came to."""
    ring_result = nw.lit(0)
    for rank, name in enumerate(reversed(_FATES), 1):
        ring_result = nw.when(nw.col("result") == name).then(nw.lit(rank)).otherwise(ring_result)
    per_call = (
        rang.with_columns(ring_result=ring_result)
        .group_by([*_EXTENSION, "call_id"])
        .agg(ring_result=nw.col("ring_result").max())
    )
    counted = collect(per_call.group_by([*_EXTENSION, "ring_result"]).agg(calls=nw.len().cast(nw.Int64)))
    wide = (
        counted.groupby([*_EXTENSION, "ring_result"], dropna=False)["calls"].sum().unstack("ring_result", fill_value=0)
    )
    wide = wide.reindex(columns=range(len(_FATES) + 1), fill_value=0)
    wide.columns = pd.Index(["unreachable", *reversed(_FATES)])
    return wide.assign(offered=wide.sum(axis=1)).reset_index()


def _by_hour(frame: nw.LazyFrame[Any], **sums: nw.Expr) -> pd.DataFrame:
    """Events and sums of each extension by clock hour; NA is the hour of those without time."""
    dated = frame.with_columns(busiest_hour=nw.col("local_at").dt.hour().cast(nw.Int64))
    return collect(
        dated.group_by([*_EXTENSION, "busiest_hour"]).agg(
            events=nw.len().cast(nw.Int64), **{name: value.sum().cast(nw.Int64) for name, value in sums.items()}
        )
    )


def _summed(hours: pd.DataFrame) -> pd.DataFrame:
    return hours.drop(columns="busiest_hour").groupby(_EXTENSION, dropna=False).sum(min_count=1).reset_index()


def _busiest_hours(events: pd.DataFrame) -> pd.DataFrame:
    hourly = events.groupby([*_EXTENSION, "busiest_hour"])["events"].sum().reset_index()
    hourly = hourly.sort_values(["events", "busiest_hour"], ascending=[False, True])
    return hourly.drop_duplicates(_EXTENSION).drop(columns="events")
