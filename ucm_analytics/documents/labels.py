"""Names of extensions, queues and menus, for display only: numbers stay what things are joined on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from ucm_analytics.store import Store


class Names:
    """Number with name of everything in the directory, such as ``1004 Anna Reyes``.

    A number that carries different names on different PBXs is shown without one.
    """

    def __init__(self, directory: pd.DataFrame) -> None:
        found: dict[tuple[str, str], set[str]] = {}
        rows = directory[["kind", "number", "name"]].astype(object)
        for kind, number, name in rows[rows.notna().all(axis=1)].itertuples(index=False):
            if name and name != number:
                found.setdefault((kind, number), set()).add(name)
        self._names = {key: names.pop() for key, names in found.items() if len(names) == 1}

    @classmethod
    def of(cls, store: Store, *, pbx: str | None = None) -> Names:
        """Names from the directory of a store."""
        return cls(store.directory(pbx=pbx))

    def paths(self, column: pd.Series[Any]) -> pd.Series[Any]:
        """Steps and paths with the names of their steps: ``queue:6500 Reception > extension:1004 Anna``."""
        return _each(lambda path: " > ".join(self._step(step) for step in path.split(" > ")), column)

    def numbers(self, kind: str, rows: pd.DataFrame, column: str) -> pd.Series[Any]:
        """Numbers of one kind in a column with their names, and with the PBX where there are several."""
        labels = _each(lambda number: self._number(kind, number), rows[column])
        pbxs = rows["pbx"].astype("str")
        return labels if pbxs.nunique() < 2 else labels + " (" + pbxs + ")"

    def _number(self, kind: str, number: str) -> str:
        name = self._names.get((kind, number))
        return f"{number} {name}" if name else number

    def _step(self, step: str) -> str:
        kind, colon, target = step.partition(":")
        return f"{kind}{colon}{self._number(kind, target)}"


def spoken(paths: pd.Series[Any]) -> pd.Series[Any]:
    """Steps and paths in words, for tables: ``menu 7000 Main > queue 6500 Reception``."""
    return _each(lambda path: " > ".join(_spoken(step) for step in path.split(" > ")), paths)


def drawn(labels: pd.Series[Any]) -> pd.Series[Any]:
    """Labels for a chart: plotly reads tags and links in text, and a name may hold some."""
    return _each(lambda label: label.replace("&", "&amp;").replace("<", "&lt;"), labels)


def _spoken(step: str) -> str:
    kind, colon, target = step.partition(":")
    if kind == "end":
        return f"end: {target.replace('_', ' ')}"
    return f"{_WORDS.get(kind, kind.replace('_', ' '))}{colon and ' '}{target}"


_WORDS: Final = {"ivr": "menu", "did": "DID"}


def _each(change: Callable[[str], str], column: pd.Series[Any]) -> pd.Series[Any]:
    """Each text changed; where there is none, there is none after it."""
    texts = [None if pd.isna(value) else change(value) for value in column.astype(str)]
    return pd.Series(texts, index=column.index, dtype="str")
