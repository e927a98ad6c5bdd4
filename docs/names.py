"""Writes the stubs from which type checkers know the analyses and the charts: `python -m docs.names`.

Python finds them by the files in their folder, which a type checker does not run.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "ucm_analytics"
STUBS = {name: PACKAGE / name / "__init__.pyi" for name in ("analyses", "charts")}


def stub(package: str) -> str:
    """What the stub of a package says: where each of its functions lives."""
    module = import_module(f"ucm_analytics.{package}")
    found = [getattr(module, name) for name in module.__all__]
    lines = sorted(f"from {each.__module__} import {each.__name__} as {each.__name__}\n" for each in found)
    return "".join(["# Made by `python -m docs.names`.\n\n", *lines])


if __name__ == "__main__":
    for package, path in STUBS.items():
        path.write_text(stub(package), encoding="utf-8")
