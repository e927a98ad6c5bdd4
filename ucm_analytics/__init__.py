"""Call analytics for Grandstream UCM63xx phone systems.

>>> import ucm_analytics as ucm
>>> store = ucm.demo_store()
>>> calls = store.calls("2026-03")
>>> ucm.durations(calls)["measure"].unique().tolist()
['talk', 'wait', 'ring', 'ivr', 'queue']
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ucm_analytics import charts, errors
    from ucm_analytics.analyses import (
        busy_hour,
        call_volume,
        duration_histogram,
        durations,
        extensions,
        hour_of_week,
        ivr_choices,
        ivr_dropoff,
        ivr_paths,
        ivr_transitions,
    )
    from ucm_analytics.client import UCM
    from ucm_analytics.config import Settings
    from ucm_analytics.demo import demo_store
    from ucm_analytics.period import Period
    from ucm_analytics.quality import audit, reconcile
    from ucm_analytics.reports import run_report
    from ucm_analytics.store import Store

# Where each public name lives. Imported when it is first used: `import ucm_analytics` alone stays
# fast and loads no pandas, plotly or duckdb.
_HOMES = {
    "Period": "period",
    "Settings": "config",
    "Store": "store",
    "UCM": "client",
    "audit": "quality",
    "busy_hour": "analyses",
    "call_volume": "analyses",
    "charts": "",
    "demo_store": "demo",
    "duration_histogram": "analyses",
    "durations": "analyses",
    "errors": "",
    "extensions": "analyses",
    "hour_of_week": "analyses",
    "ivr_choices": "analyses",
    "ivr_dropoff": "analyses",
    "ivr_paths": "analyses",
    "ivr_transitions": "analyses",
    "reconcile": "quality",
    "run_report": "reports",
}

__all__ = [
    "UCM",
    "Period",
    "Settings",
    "Store",
    "audit",
    "busy_hour",
    "call_volume",
    "charts",
    "demo_store",
    "duration_histogram",
    "durations",
    "errors",
    "extensions",
    "hour_of_week",
    "ivr_choices",
    "ivr_dropoff",
    "ivr_paths",
    "ivr_transitions",
    "reconcile",
    "run_report",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    value = (
        getattr(importlib.import_module(f"{__name__}.{home}"), name)
        if home
        else importlib.import_module(f"{__name__}.{name}")
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
