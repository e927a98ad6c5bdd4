"""Names of extensions, queues and menus, for display only: numbers stay what things are joined on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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

    def number(self, kind: str, number: str) -> str:
        """Number with its name: ``1004 Anna Reyes``."""
        name = self._names.get((kind, number))
        return f"{number} {name}" if name else number

    def node(self, node: str) -> str:
        """Step with its name: ``queue:6500`` becomes ``queue:6500 Reception``."""
        kind, colon, target = node.partition(":")
        return f"{kind}{colon}{self.number(kind, target)}"

    def path(self, path: str) -> str:
        """Path with the names of its steps."""
        return " > ".join(self.node(step) for step in path.split(" > "))

    def all(self, name: Callable[[str], str], column: pd.Series[Any]) -> pd.Series[Any]:
        """A whole column, each value named by `node` or `path`."""
        return pd.Series([name(value) for value in column.astype(str)], index=column.index, dtype="str")

    def numbers(self, kind: str, rows: pd.DataFrame, column: str) -> pd.Series[Any]:
        """Numbers of one kind in a column with their names, and with the PBX where there are several."""
        labels = self.all(lambda number: self.number(kind, number), rows[column])
        pbxs = rows["pbx"].astype("str")
        return labels if pbxs.nunique() < 2 else labels + " (" + pbxs + ")"
