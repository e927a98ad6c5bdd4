"""Which days the store holds, from the footers of its legs files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from ucm_analytics.period import Period
from ucm_analytics.store.months import Months

_DTYPES: Final[dict[str, Any]] = {
    "pbx": "category",
    "day": "datetime64[us]",
    "state": pd.CategoricalDtype(["settled", "provisional", "missing"]),
    "source": pd.CategoricalDtype(["pbx", "file"]),
    "legs": "Int64",
    "pages": "Int64",
    "vanished": "Int64",
    "pulled_at": "datetime64[us, UTC]",
    "asked_from": "datetime64[us]",
    "asked_to": "datetime64[us]",
    "firmware": "str",
    "sha256": "str",
}


def coverage_frame(pbxs: Sequence[Months], period: Period | None) -> pd.DataFrame:
    """One row a day and PBX: what is stored of it."""
    rows: list[dict[str, Any]] = []
    for months in pbxs:
        if period is None:
            known = months.coverage(months.names())
            days = list(Period(min(known), max(known))) if known else []
        else:
            days = list(period)
            known = months.coverage(sorted({f"{day:%Y-%m}" for day in days}))
        for day in days:
            entry = known.get(day)
            row: dict[str, Any] = {"pbx": months.pbx, "day": pd.Timestamp(day), "state": "missing"}
            if entry is not None:
                row |= {name: getattr(entry, name) for name in _DTYPES if name not in ("pbx", "day")}
            rows.append(row)
    return pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)
