"""Kinds of days that are staffed, and called, alike."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

DAY_TYPES: Final = ("Monday to Friday", "Saturday", "Sunday")


def day_types(days: pd.Series[Any]) -> pd.Series[Any]:
    """Kind of each day."""
    weekday = days.dt.day_of_week
    return pd.Series(np.select([weekday < 5, weekday == 5], DAY_TYPES[:2], DAY_TYPES[2]), index=days.index, dtype="str")
