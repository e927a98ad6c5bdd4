"""Charts: each draws the result of the analysis of the same name as a plotly figure, and computes nothing."""

from ucm_analytics.charts.durations import duration_histogram, durations
from ucm_analytics.charts.extensions import extensions
from ucm_analytics.charts.ivr import ivr_choices, ivr_dropoff, ivr_paths, ivr_transitions
from ucm_analytics.charts.missed import missed_calls, repeat_callers, time_to_callback
from ucm_analytics.charts.quality import affected_reports, coverage_calendar, reconciliation
from ucm_analytics.charts.volume import busy_hour, call_volume, hour_of_week

__all__ = [
    "affected_reports",
    "busy_hour",
    "call_volume",
    "coverage_calendar",
    "duration_histogram",
    "durations",
    "extensions",
    "hour_of_week",
    "ivr_choices",
    "ivr_dropoff",
    "ivr_paths",
    "ivr_transitions",
    "missed_calls",
    "reconciliation",
    "repeat_callers",
    "time_to_callback",
]
