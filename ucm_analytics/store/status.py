"""What a store holds of one PBX, in a few numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Status:
    """What a store holds of one PBX.

    Attributes
    ----------
    first_day, last_day : date, optional
        First and last day that is stored; None if there is none.
    settled_days, provisional_days, missing_days : int
        Days between them by state, see `Store.coverage`.
    legs : int
        Records of which calls are made.
    set_aside : dict
        Records of which no call can be made, by their reason.
    last_pull : datetime, optional
        When the PBX was asked last, UTC; None if never.
    """

    first_day: date | None
    last_day: date | None
    settled_days: int
    provisional_days: int
    missing_days: int
    legs: int
    set_aside: dict[str, int]
    last_pull: datetime | None


def status_of(set_aside: pd.Series[Any], days: pd.DataFrame) -> Status:
    """Status of a PBX: why each of its legs is set aside, if it is, and its days as `Store.coverage` has them."""
    aside = set_aside.dropna().value_counts()
    states = days["state"].value_counts()
    return Status(
        first_day=days["day"].min().date() if len(days) else None,
        last_day=days["day"].max().date() if len(days) else None,
        settled_days=int(states["settled"]),
        provisional_days=int(states["provisional"]),
        missing_days=int(states["missing"]),
        legs=int(days["legs"].sum()),
        set_aside={str(reason): int(count) for reason, count in aside.items()},
        last_pull=days["pulled_at"].max() if days["pulled_at"].notna().any() else None,
    )
