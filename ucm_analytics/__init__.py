"""Call analytics for Grandstream UCM63xx phone systems.

>>> import ucm_analytics as ucm
>>> store = ucm.demo_store()
>>> calls = store.calls("2026-03")
>>> ucm.durations(calls)["measure"].unique().tolist()
['talk_s', 'wait_s', 'ring_s', 'ivr_s', 'queue_s']
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

# at once, not when it is first used: the module has the name of its function
from ucm_analytics.metrics import explain, metrics

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ucm_analytics import charts, errors
    from ucm_analytics.analyses import (
        anomalies,
        busy_hour,
        call_volume,
        caller_areas,
        caller_concentration,
        compare,
        concurrent_calls,
        cost,
        duration_histogram,
        durations,
        extensions,
        forecast,
        forecast_backtest,
        fraud_evidence,
        fraud_signals,
        hour_of_week,
        ivr_choices,
        ivr_dropoff,
        ivr_paths,
        ivr_transitions,
        long_and_short_calls,
        missed_calls,
        patience,
        queue_agents,
        queue_waits,
        queues,
        repeat_callers,
        service_level,
        staffing,
        staffing_check,
        time_to_callback,
        top_callers,
        trunk_usage,
    )
    from ucm_analytics.config import Settings
    from ucm_analytics.demo import demo_store
    from ucm_analytics.explorer import Explorer
    from ucm_analytics.period import Period
    from ucm_analytics.quality import audit, reconcile
    from ucm_analytics.reports import run_report
    from ucm_analytics.sources.ucm import UCM
    from ucm_analytics.store import Store

# Where each public name lives. Imported when it is first used: `import ucm_analytics` alone stays
# fast and loads no pandas, plotly or duckdb.
_HOMES = {
    "Explorer": "explorer",
    "Period": "period",
    "Settings": "config",
    "Store": "store",
    "UCM": "sources.ucm",
    "anomalies": "analyses",
    "audit": "quality",
    "busy_hour": "analyses",
    "call_volume": "analyses",
    "caller_areas": "analyses",
    "caller_concentration": "analyses",
    "charts": "",
    "compare": "analyses",
    "concurrent_calls": "analyses",
    "cost": "analyses",
    "demo_store": "demo",
    "duration_histogram": "analyses",
    "durations": "analyses",
    "errors": "",
    "extensions": "analyses",
    "forecast": "analyses",
    "forecast_backtest": "analyses",
    "fraud_evidence": "analyses",
    "fraud_signals": "analyses",
    "hour_of_week": "analyses",
    "ivr_choices": "analyses",
    "ivr_dropoff": "analyses",
    "ivr_paths": "analyses",
    "ivr_transitions": "analyses",
    "long_and_short_calls": "analyses",
    "missed_calls": "analyses",
    "patience": "analyses",
    "queue_agents": "analyses",
    "queue_waits": "analyses",
    "queues": "analyses",
    "reconcile": "quality",
    "repeat_callers": "analyses",
    "run_report": "reports",
    "service_level": "analyses",
    "staffing": "analyses",
    "staffing_check": "analyses",
    "time_to_callback": "analyses",
    "top_callers": "analyses",
    "trunk_usage": "analyses",
}

__all__ = [
    "UCM",
    "Explorer",
    "Period",
    "Settings",
    "Store",
    "anomalies",
    "audit",
    "busy_hour",
    "call_volume",
    "caller_areas",
    "caller_concentration",
    "charts",
    "compare",
    "concurrent_calls",
    "cost",
    "demo_store",
    "duration_histogram",
    "durations",
    "errors",
    "explain",
    "extensions",
    "forecast",
    "forecast_backtest",
    "fraud_evidence",
    "fraud_signals",
    "hour_of_week",
    "ivr_choices",
    "ivr_dropoff",
    "ivr_paths",
    "ivr_transitions",
    "long_and_short_calls",
    "metrics",
    "missed_calls",
    "patience",
    "queue_agents",
    "queue_waits",
    "queues",
    "reconcile",
    "repeat_callers",
    "run_report",
    "service_level",
    "staffing",
    "staffing_check",
    "time_to_callback",
    "top_callers",
    "trunk_usage",
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
