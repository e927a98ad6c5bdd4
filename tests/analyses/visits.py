"""Visits to queues for the tests of the queue analyses."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pyarrow as pa

from tests.analyses.frames import table

AT = pd.Timestamp("2026-03-02 09:00:00")


def visits(*rows: tuple[Any, ...], queue: str = "6500") -> pd.DataFrame:
    """Visits from (result, wait) or (result, wait, how many)."""
    each = [(queue, result, wait) for result, wait, *times in rows for _ in range(times[0] if times else 1)]
    made = [(f"call{n}", "queue", *row) for n, row in enumerate(each)]
    return table("steps", "call_id kind target result wait_s", made).to_pandas()


def random_visits(seed: int, count: int = 150) -> pa.Table:
    """Steps of calls that go through menus, queues and transfers, with every result and some holes."""
    rng = random.Random(seed)
    rows = []
    for n in range(count):
        pbx, at = rng.choice(["a", "b"]), AT + pd.Timedelta(seconds=rng.randrange(20_000))
        for step in range(1, rng.randrange(2, 6)):
            kind, target = rng.choice(
                [("ivr", "7000"), ("queue", "6500"), ("queue", "6501"), ("queue", "6500"), ("transfer", "1004")]
            )
            result = rng.choice(["answered", "answered", "hung_up", "next", "busy", None])
            wait = rng.choice([rng.randrange(60), rng.randrange(600), 5, 10, 20, 0, None])
            talk = rng.randrange(300) if result == "answered" else 0
            dwell = (wait or 0) + talk
            rows.append((pbx, f"call{n}", step, kind, target, at, dwell, wait, talk, result))
            at += pd.Timedelta(seconds=dwell)
    return table("steps", "pbx call_id step_no kind target local_at dwell_s wait_s talk_s result", rows)


def callers(steps: pa.Table, seed: int = 0) -> pa.Table:
    """A call for each call_id, from few callers, some of them hidden."""
    rng = random.Random(seed)
    found = dict(zip(steps["call_id"].to_pylist(), steps["pbx"].to_pylist(), strict=True))
    numbers = ["12025550142", "+1 (202) 555-0142", "12025550143", "anonymous", "", None]
    rows = [
        (pbx, call, rng.choice(numbers), rng.choice([3600, 7200]), rng.random() < 0.1) for call, pbx in found.items()
    ]
    return table("calls", "pbx call_id caller utc_offset_s is_forward", rows)


def ringing(steps: pa.Table | pd.DataFrame, seed: int = 0) -> pa.Table:
    """Agents' phones that rang in the visits, and one that rang elsewhere."""
    rng = random.Random(seed)
    rows = []
    if isinstance(steps, pd.DataFrame):
        steps = pa.Table.from_pandas(steps, preserve_index=False)
    for step in steps.select(["pbx", "call_id", "step_no"]).to_pylist():
        for _ in range(rng.randrange(5)):
            result = rng.choice(["answered", "elsewhere", "missed", "busy", "failed", None])
            talk = rng.randrange(300) if result == "answered" else 0
            extension = rng.choice(["1003", "1004", "1005", None])
            rows.append((*step.values(), extension, rng.randrange(30), talk, result))
    return table("rings", "pbx call_id step_no extension ring_s talk_s result", rows)
