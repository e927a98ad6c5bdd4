"""Ten analyses once more, in SQL as an analyst writes it on the files of a store: one file each, beside this one.

They are the four core reports, and six whose numbers head other pages and that each ask for another kind of
query: callers followed through their calls (missed_calls), stays joined with what came after them (queues),
formulas over counts (service_level), a sweep over starts and ends (concurrent_calls), numbers brought to one
form and ranked (top_callers), a window of time around each call (repeat_callers).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

import ucm_analytics as ucm
from ucm_analytics.engine import Engine
from ucm_analytics.store import Store

OURS: Final[dict[str, Callable[[Store], pd.DataFrame]]] = {
    "call_volume": lambda store: ucm.call_volume(store.scan("calls"), freq="1h", by="direction"),
    "durations": lambda store: ucm.durations(store.scan("calls")),
    "ivr_paths": lambda store: ucm.ivr_paths(store.scan("calls")),
    "extensions": lambda store: ucm.extensions(store.scan("calls"), store.scan("rings")),
    "missed_calls": lambda store: ucm.missed_calls(store.scan("calls")),
    "queues": lambda store: ucm.queues(store.scan("steps"), store.scan("calls")),
    "service_level": lambda store: ucm.service_level(store.scan("steps")),
    "concurrent_calls": lambda store: ucm.concurrent_calls(store.scan("calls"), by="trunk"),
    "top_callers": lambda store: ucm.top_callers(store.scan("calls")),
    "repeat_callers": lambda store: ucm.repeat_callers(store.scan("calls")),
}
"""The analyses, by name."""


def query(name: str) -> str:
    """The same analysis by hand."""
    return (Path(__file__).parent / f"{name}.sql").read_text()


def answer(sql: str, folder: Path) -> pd.DataFrame:
    """What a query gives on the files of a store, within the limits that `Store.scan` has: memory, threads, spill."""
    connection = Engine(folder / ".state" / "spill").connection()
    for table in ("steps", "rings", "calls"):
        files = f"read_parquet('{folder / table}/**/*.parquet', hive_partitioning = false)"
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {files}")
    return connection.sql(sql).df()


def difference(ours: pd.DataFrame, other: pd.DataFrame) -> str:
    """What is not the same in two tables, row by row; empty if nothing. Sums added up in another order may differ."""
    try:
        pd.testing.assert_frame_equal(_plain(other), _plain(ours), check_dtype=False, rtol=1e-12, atol=0)
    except AssertionError as error:
        return "\n".join(line[:120] for line in str(error).splitlines())
    return ""


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """The same values, whatever a library holds them in."""
    texts = [name for name, dtype in table.dtypes.items() if dtype.name in ("category", "object")]
    return table.astype(dict.fromkeys(texts, "str")).convert_dtypes()
