"""Calls on trunks and callers in queues, made from any calls and steps, or at random."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.analyses.frames import table


def on_trunks(calls: pd.DataFrame) -> pd.DataFrame:
    """The calls on two trunks in turn, each some minutes long."""
    n = np.arange(len(calls))
    return calls.assign(
        trunk=pd.Series(np.where(n % 3 > 0, "MainLine", "OldLine"), dtype="str", index=calls.index),
        duration_s=pd.Series(30 + 97 * n % 900, index=calls.index, dtype="int64"),
    )


def queued(steps: pd.DataFrame) -> pd.DataFrame:
    """The steps as visits in one queue on weekday mornings, answered, left and sent on in turn."""
    n = np.arange(len(steps))
    at = pd.Timestamp("2026-03-02 08:10") + pd.to_timedelta(n % 5, unit="D") + pd.to_timedelta(n * 37 % 14400, unit="s")
    return steps.assign(
        kind="queue",
        target="6500",
        pbx="clinic",
        local_at=pd.Series(pd.DatetimeIndex(at).as_unit("us"), index=steps.index),
        wait_s=pd.Series(n % 60, index=steps.index, dtype="int64"),
        talk_s=pd.Series(np.where(n % 6 < 4, 100 + n % 90, 0), index=steps.index, dtype="int64"),
        result=pd.Series(np.array(["answered"] * 4 + ["hung_up", "next"])[n % 6], dtype="str", index=steps.index),
        answered_by=pd.Series(np.where(n % 6 < 4, "100" + pd.Series(n % 4).astype("str"), None), index=steps.index),
    )


def random_held(seed: int, count: int = 300) -> pa.Table:
    """Calls of two PBXs and three trunks over the night when the clocks go back, some of them days long."""
    rng = random.Random(seed)
    changed = pd.Timestamp("2026-10-25 01:00")
    rows = []

    def add(pbx: str, trunk: str | None, utc: pd.Timestamp, duration: int, *rest: Any) -> None:
        offset = 7200 if utc < changed else 3600
        rows.append((pbx, trunk, utc + pd.Timedelta(seconds=offset), offset, duration, *rest))

    for n in range(count):
        utc = pd.Timestamp("2026-10-23 20:00") + pd.Timedelta(seconds=rng.randrange(3 * 86400))
        pbx, trunk = rng.choice(["clinic", "clinic", "north"]), rng.choice(["MainLine", "OldLine", None])
        duration = rng.choice([0, 60, 60, rng.randrange(4000), rng.randrange(4000), rng.randrange(200_000)])
        rest = rng.choice(["answered", "abandoned"]), rng.random() < 0.1
        add(pbx, trunk, utc, duration, *rest)
        if n % 3 == 0:  # in the second in which this call ends the next begins
            add(pbx, trunk, utc + pd.Timedelta(seconds=duration), 120, *rest)
    return table("calls", "pbx trunk local_at utc_offset_s duration_s outcome is_forward", rows)
