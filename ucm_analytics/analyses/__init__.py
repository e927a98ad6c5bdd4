"""Analyses: a table of calls, steps or rings goes in, a result table of the same kind comes out.

Each takes pandas, Polars, PyArrow, PySpark, a DuckDB relation, or the lazy frame of ``Store.scan()`` (which
comes back as pandas), and reads no clock, file or setting. `ucm_analytics.charts` draws the result of each by a
function of the same name.
"""

from ucm_analytics.analyses.anomalies import anomalies
from ucm_analytics.analyses.callers import caller_areas, caller_concentration, top_callers
from ucm_analytics.analyses.compare import compare
from ucm_analytics.analyses.cost import cost
from ucm_analytics.analyses.durations import duration_histogram, durations, long_and_short_calls
from ucm_analytics.analyses.extensions import extensions
from ucm_analytics.analyses.forecast import forecast, forecast_backtest
from ucm_analytics.analyses.fraud import fraud_evidence, fraud_signals
from ucm_analytics.analyses.ivr import ivr_choices, ivr_dropoff, ivr_paths, ivr_transitions
from ucm_analytics.analyses.missed import missed_calls, repeat_callers, time_to_callback
from ucm_analytics.analyses.patience import patience
from ucm_analytics.analyses.quality import affected_reports, coverage_calendar, reconciliation
from ucm_analytics.analyses.queues import queue_agents, queues
from ucm_analytics.analyses.service import queue_waits, service_level
from ucm_analytics.analyses.staffing import staffing, staffing_check
from ucm_analytics.analyses.traffic import concurrent_calls, trunk_usage
from ucm_analytics.analyses.volume import busy_hour, call_volume, hour_of_week

__all__ = [
    "affected_reports",
    "anomalies",
    "busy_hour",
    "call_volume",
    "caller_areas",
    "caller_concentration",
    "compare",
    "concurrent_calls",
    "cost",
    "coverage_calendar",
    "duration_histogram",
    "durations",
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
    "missed_calls",
    "patience",
    "queue_agents",
    "queue_waits",
    "queues",
    "reconciliation",
    "repeat_callers",
    "service_level",
    "staffing",
    "staffing_check",
    "time_to_callback",
    "top_callers",
    "trunk_usage",
]
