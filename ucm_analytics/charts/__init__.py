"""Charts: each draws the result of the analysis of the same name as a plotly figure, and computes nothing.

What a file of this folder decorates with ``@chart`` is here.

Examples
--------
>>> import ucm_analytics as ucm
>>> volume = ucm.call_volume(ucm.demo_store().calls("2026-W11"), freq="1d", by="outcome")
>>> ucm.charts.call_volume(volume).layout.title.text
'Calls per day, by outcome'
"""

from importlib import import_module
from pkgutil import iter_modules

from ucm_analytics.charts.template import CHARTS

for _, _name, _ in iter_modules(__path__):
    import_module(f"{__name__}.{_name}")

__all__ = sorted(CHARTS)  # noqa: PLE0605  # type checkers read the stub beside this file
globals().update(CHARTS)  # a chart comes before the module of its name
