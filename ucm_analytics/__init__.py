"""Call analytics for Grandstream UCM63xx phone systems.

>>> import ucm_analytics as ucm
>>> store = ucm.demo_store()
>>> calls = store.calls("2026-03")
>>> ucm.durations(calls)["measure"].unique().tolist()
['talk_s', 'wait_s', 'ring_s', 'ivr_s', 'queue_s']
"""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

# at once, not when it is first used: the module has the name of its function
from ucm_analytics.metrics import explain as explain
from ucm_analytics.metrics import metrics as metrics

__version__ = "0.2.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())

if TYPE_CHECKING:
    from ucm_analytics import charts as charts
    from ucm_analytics import errors as errors
    from ucm_analytics.analyses import *  # noqa: F403
    from ucm_analytics.config import Settings as Settings
    from ucm_analytics.demo import demo_store as demo_store
    from ucm_analytics.explorer import Explorer as Explorer
    from ucm_analytics.period import Period as Period
    from ucm_analytics.quality import audit as audit
    from ucm_analytics.quality import reconcile as reconcile
    from ucm_analytics.reports import run_report as run_report
    from ucm_analytics.sources.ucm import UCM as UCM
    from ucm_analytics.store import Store as Store

# Where each public name lives that is neither a module of this package nor an analysis. All are imported when they
# are first used: `import ucm_analytics` alone stays fast and loads no pandas, plotly or duckdb.
_HOMES = {
    "Explorer": "explorer",
    "Period": "period",
    "Settings": "config",
    "Store": "store",
    "UCM": "sources.ucm",
    "audit": "quality",
    "demo_store": "demo",
    "reconcile": "quality",
    "run_report": "reports",
}


def __dir__() -> list[str]:
    analyses = import_module(f"{__name__}.analyses").__all__
    return sorted([*_HOMES, *analyses, "__version__", "charts", "errors", "explain", "metrics"])


if not TYPE_CHECKING:  # which would take any name for a public one

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return [public for public in __dir__() if public != "__version__"]
        if name in _HOMES:
            return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        if not name.startswith("_"):
            if find_spec(f"{__name__}.{name}"):  # before the analyses: `from ucm_analytics import cli` asks here too
                return import_module(f"{__name__}.{name}")
            analyses = import_module(f"{__name__}.analyses")
            if name in analyses.__all__:
                return getattr(analyses, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
