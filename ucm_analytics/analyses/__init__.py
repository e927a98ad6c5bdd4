"""Analyses: a table of calls, steps or rings goes in, a result table of the same kind comes out.

Each takes pandas, Polars, PyArrow, a DuckDB relation, or the lazy frame of ``Store.scan()`` (which comes
back as pandas), and reads no clock, file or setting. `ucm_analytics.charts` draws the result of each by a
function of the same name.
"""

from ucm_analytics.analyses.durations import duration_histogram, durations
from ucm_analytics.analyses.extensions import extensions
from ucm_analytics.analyses.ivr import ivr_choices, ivr_dropoff, ivr_paths, ivr_transitions
from ucm_analytics.analyses.missed import missed_calls, repeat_callers, time_to_callback
from ucm_analytics.analyses.quality import affected_reports, coverage_calendar, reconciliation
from ucm_analytics.analyses.volume import busy_hour, call_volume, hour_of_week

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
