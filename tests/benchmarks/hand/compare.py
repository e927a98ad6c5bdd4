"""compare by hand: a month, the month before and the month a year ago.

What the model of weekdays and days makes of them is left out: the level before, the change, its interval, the verdict.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import ucm_analytics as ucm
from tests.benchmarks.hand import ByHand
from ucm_analytics.period import Period

_MONTH, _NEXT, _DAYS = datetime(2026, 3, 1), datetime(2026, 4, 1), 31
_OTHERS = pd.DataFrame(
    {
        "against": ["previous", "last_year"],
        "first": [datetime(2026, 2, 1), datetime(2025, 3, 1)],
        "last": [datetime(2026, 2, 28), datetime(2025, 3, 31)],
    }
)
_ALL = [datetime(2025, 3, 1), datetime(2026, 2, 1), _MONTH]
_MEASURES = {
    "calls": ("calls", None),
    "answered_rate": ("answered", "inbound"),
    "wait_s": ("wait_s", "waits"),
    "talk_s": ("talk_s", "talks"),
}
"""What is added up, and what it is divided by."""

_SQL = """
SELECT date_trunc('month', local_at) AS month, count(*) AS calls, count(*) FILTER (direction = 'inbound') AS inbound,
    count(*) FILTER (direction = 'inbound' AND outcome = 'answered') AS answered,
    count(*) FILTER (waited) AS waits, sum(wait_s) FILTER (waited) AS wait_s,
    count(*) FILTER (outcome = 'answered') AS talks,
    sum(talk_s) FILTER (outcome = 'answered') AS talk_s
FROM (
    FROM calls SELECT *, direction = 'inbound'
        AND (outcome IN ('answered', 'no_answer') OR phones > 0 OR queue IS NOT NULL) AS waited
) WHERE NOT is_forward AND (
    (local_at >= '2026-02-01' AND local_at < '2026-04-01') OR (local_at >= '2025-03-01' AND local_at < '2025-04-01'))
GROUP BY ALL
"""


def _table(sums: pd.DataFrame) -> pd.DataFrame:
    """Rows of the result from the sums of each month."""
    sums = sums.set_index("month").reindex(_ALL).fillna(0)
    parts = []
    for measure, (above, below) in _MEASURES.items():
        counted = sums[below or "calls"]
        over = counted.replace(0, np.nan) if below else _DAYS
        part = _OTHERS.assign(measure=measure, calls=int(counted[_MONTH]), value=(sums[above] / over)[_MONTH])
        part["days"], part["days_before"] = _DAYS, (_OTHERS["last"] - _OTHERS["first"]).dt.days + 1
        parts.append(part.assign(calls_before=counted.reindex(_OTHERS["first"]).to_numpy(dtype=int)))
    return pd.concat(parts)


def _by_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return _table(connection.sql(_SQL).df())


def _by_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    at, inbound, answered = pl.col("local_at"), pl.col("direction") == "inbound", pl.col("outcome") == "answered"
    offered = (
        pl.col("outcome").is_in(["answered", "no_answer"]) | (pl.col("phones") > 0) | pl.col("queue").is_not_null()
    )
    sums = (
        tables["calls"]
        .filter(
            ~pl.col("is_forward"),
            ((at >= _ALL[1]) & (at < _NEXT)) | ((at >= _ALL[0]) & (at < datetime(2025, 4, 1))),
        )
        .group_by(month=at.dt.truncate("1mo"))
        .agg(
            calls=pl.len(),
            inbound=inbound.sum(),
            answered=(inbound & answered).sum(),
            waits=(inbound & offered).sum(),
            wait_s=pl.col("wait_s").filter(inbound & offered).sum(),
            talks=answered.sum(),
            talk_s=pl.col("talk_s").filter(answered).sum(),
        )
        .collect(engine="streaming")
    )
    return pl.from_pandas(_table(sums.to_pandas()))


def _by_pandas(folder: Path) -> pd.DataFrame:
    columns = ["local_at", "direction", "outcome", "queue", "phones", "wait_s", "talk_s", "is_forward"]
    spans = [
        [("local_at", ">=", _ALL[1]), ("local_at", "<", _NEXT)],
        [("local_at", ">=", _ALL[0]), ("local_at", "<", datetime(2025, 4, 1))],
    ]
    calls = pd.read_parquet(folder / "calls", columns=columns, filters=spans)
    calls = calls[~calls["is_forward"]]
    inbound, answered = calls["direction"] == "inbound", calls["outcome"] == "answered"
    offered = calls["outcome"].isin(["answered", "no_answer"]) | (calls["phones"] > 0) | calls["queue"].notna()
    calls = calls.assign(
        calls=1,
        month=calls["local_at"].dt.to_period("M").dt.to_timestamp(),
        inbound=inbound,
        answered=inbound & answered,
        waits=inbound & offered,
        wait_s=calls["wait_s"].where(inbound & offered, 0),
        talks=answered,
        talk_s=calls["talk_s"].where(answered, 0),
    )
    names = ["calls", "inbound", "answered", "waits", "wait_s", "talks", "talk_s"]
    return _table(calls.groupby("month")[names].sum().reset_index())


WAYS = {
    "compare": ByHand(
        ours=lambda store: ucm.compare(store.scan("calls"), Period.of("2026-03")),
        sql=_by_sql,
        polars=_by_polars,
        pandas=_by_pandas,
        keys=("measure", "against"),
    ),
}
