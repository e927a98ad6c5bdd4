"""Can the numbers be trusted: what is wrong with the stored records, and how they become calls."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ucm_analytics.period import Period
from ucm_analytics.quality._audit import Audit, Finding, audit
from ucm_analytics.quality._checks import CHECKS, SEVERITIES, UNSEEN, Check, Severity
from ucm_analytics.quality._measure import Source

if TYPE_CHECKING:
    import pandas as pd

    from ucm_analytics.store import Store

__all__ = ["CHECKS", "SEVERITIES", "UNSEEN", "Audit", "Check", "Finding", "Severity", "audit", "reconcile"]


def reconcile(
    store: Store,
    period: str | date | Period | None = None,
    *,
    pbx: str | None = None,
) -> pd.DataFrame:
    """Show how the records of a period become rings, calls and callers; see `analyses.reconciliation`.

    Parameters
    ----------
    store : Store
        Where the records are.
    period : str, date or Period, optional
        ``2026-03``, ``2026-W11``, a day, or ``Period.of(first, last)``; without it everything stored.
    pbx : str, optional
        Only this PBX.

    Returns
    -------
    pandas.DataFrame
        One row a difference: ``grain``, ``what``, ``part``, ``count``, ``effect``, ``meaning``.

    Raises
    ------
    NoData
        The store holds nothing at all, or not this PBX.
    SettingError
        No such period.
    DamagedFile
        A file cannot be read.

    Examples
    --------
    >>> import ucm_analytics as ucm
    >>> ucm.reconcile(ucm.demo_store(), "2026-W11")["grain"].unique().tolist()
    ['calls', 'answered', 'callers', 'rings', 'calls by rings', 'steps']
    """
    days = None if period is None else Period.of(period)
    return Source(store, days, pbx, store.coverage(days, pbx=pbx)).reconciliation()
