"""Analyses: a table of calls, steps or rings goes in, a result table of the same kind comes out.

Each takes pandas, Polars, PyArrow, PySpark, a DuckDB relation, or the lazy frame of ``Store.scan()`` (which
comes back as pandas), and reads no clock, file or setting. `ucm_analytics.charts` draws the result of each by a
function of the same name. What a file of this folder decorates with ``@analysis`` is here.
"""

from importlib import import_module
from pkgutil import iter_modules

from ucm_analytics.analyses.frames import ANALYSES

for _, _name, _ in iter_modules(__path__):
    import_module(f"{__name__}.{_name}")

__all__ = sorted(ANALYSES)  # noqa: PLE0605  # type checkers read the stub beside this file
globals().update(ANALYSES)  # an analysis comes before the module of its name
