"""Visits to queues, which all queue analyses begin with.

Each row of `steps` with kind ``queue`` is one visit of a call to a queue, however many agents rang. A call that
comes to a queue twice has two visits.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from ucm_analytics.analyses.frames import required, select_required
from ucm_analytics.errors import SettingError

QUEUE: Final = ["pbx", "queue"]
BY_QUEUE: Final[list[tuple[str, Literal["ascending", "descending"]]]] = [("queue", "ascending"), ("pbx", "ascending")]
ENDS: Final = {"answered": "answered", "abandoned": "hung_up", "overflowed": "next"}
"""How a visit ends, and the result of the step that says so."""


def queue_visits(steps: Any, *more: str) -> nw.LazyFrame[Any]:
    """Visits to queues, with a column for each way to end that is true where they ended so."""
    frame = select_required(steps, "steps", required("steps", "pbx", "kind", "target", "wait_s", "result", *more))
    ends = {end: (nw.col("result") == result).fill_null(False) for end, result in ENDS.items()}
    return (
        frame.filter(nw.col("kind") == "queue", ~nw.col("target").is_null())
        .rename({"target": "queue"})
        .with_columns(**ends)
    )


def count_true(test: nw.Expr) -> nw.Expr:
    """How often a test holds; NA is no."""
    return test.fill_null(False).cast(nw.Int64).sum().cast(nw.Int64)


def ratio(above: pd.Series[Any], below: pd.Series[Any]) -> pd.Series[Any]:
    """A rate; NA where nothing is below the line."""
    return above / below.where(below > 0, np.nan)


def check_seconds(*, least: int = 0, **values: int) -> None:
    """Refuse what is no whole number of seconds.

    Raises
    ------
    SettingError
        A value is none, or below `least`.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise SettingError(f"{name} cannot be {value!r}", hint=f"use a whole number of seconds, {least} or more")
