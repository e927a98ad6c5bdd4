"""Charts: each draws the result of the analysis of the same name as a plotly figure, and computes nothing."""

from ucm_analytics.charts.anomalies import anomalies
from ucm_analytics.charts.callers import caller_areas, caller_concentration, top_callers
from ucm_analytics.charts.compare import compare
from ucm_analytics.charts.cost import cost
from ucm_analytics.charts.durations import duration_histogram, durations, long_and_short_calls
from ucm_analytics.charts.extensions import extensions
from ucm_analytics.charts.forecast import forecast, forecast_backtest
from ucm_analytics.charts.fraud import fraud_evidence, fraud_signals
from ucm_analytics.charts.ivr import ivr_choices, ivr_dropoff, ivr_paths, ivr_transitions
from ucm_analytics.charts.missed import missed_calls, repeat_callers, time_to_callback
from ucm_analytics.charts.patience import patience
from ucm_analytics.charts.quality import affected_reports, coverage_calendar, reconciliation
from ucm_analytics.charts.queues import queue_agents, queues
from ucm_analytics.charts.service import queue_waits, service_level
from ucm_analytics.charts.staffing import staffing, staffing_check
from ucm_analytics.charts.traffic import concurrent_calls, trunk_usage
from ucm_analytics.charts.volume import busy_hour, call_volume, hour_of_week

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
