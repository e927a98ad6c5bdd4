"""How tests run each analysis: on the tables that its parameters are named after, whatever analysis there is.

What else it needs, and how else it is to be run, its own test module says: `RUNS` there holds keyword arguments under
the name of the analysis, or under its name and what is special about them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.analyses.frames import (
    random_calls,
    random_coverage,
    random_findings,
    random_legs,
    random_rings,
    random_steps,
)
from ucm_analytics import analyses


def random_tables(seed: int) -> dict[str, pa.Table]:
    """A table of each kind that analyses take, by the name of the parameter."""
    return {
        "calls": random_calls(seed),
        "steps": random_steps(seed),
        "rings": random_rings(seed),
        "legs": random_legs(seed),
        "coverage": random_coverage(seed),
        "findings": random_findings(seed),
    }


def _run(name: str, arguments: Mapping[str, Any], tables: Mapping[str, Any]) -> Any:
    analysis = getattr(analyses, name.partition(" ")[0])
    first, *more = (parameter for parameter in inspect.signature(analysis).parameters if parameter in tables)
    return analysis(tables[first], **{table: tables[table] for table in more} | arguments)


def _declared() -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {name: {} for name in analyses.__all__}
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        if file.stem != "test_kinds_of_frame":  # which imports this module
            found |= getattr(import_module(f"tests.analyses.{file.stem}"), "RUNS", {})
    return found


TABLES = random_tables(11)
RUNS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    name: partial(_run, name, arguments) for name, arguments in _declared().items()
}
"""What runs each analysis on tables by their name."""
