"""What a report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ucm_analytics.documents.coverage import Coverage, coverage
from ucm_analytics.documents.labels import Names
from ucm_analytics.period import Period
from ucm_analytics.schema import TableName

if TYPE_CHECKING:
    import duckdb
    import narwhals.stable.v2 as nw

    from ucm_analytics.store import Store


@dataclass(frozen=True)
class Context:
    """Calls of a period, and what is known about them: the one argument of a report's ``build``.

    Attributes
    ----------
    store : Store
        Where the calls are.
    period : Period
        The days to report, from the first to the last that is stored.
    pbx : str, optional
        The PBX to report; all of the store without it.
    """

    store: Store
    period: Period
    pbx: str | None = None

    @cached_property
    def days(self) -> Coverage:
        """Which days of the period are stored."""
        return self.coverage(self.period)

    @cached_property
    def names(self) -> Names:
        """Names of extensions, queues and menus."""
        return Names.of(self.store, pbx=self.pbx)

    def scan(self, table: TableName, period: Period | None = None) -> nw.LazyFrame[duckdb.DuckDBPyRelation]:
        """Rows of a table, of this period or of another one; see `Store.scan`."""
        return self.store.scan(table, period or self.period, pbx=self.pbx)

    def coverage(self, period: Period) -> Coverage:
        """Which days of another period are stored."""
        return coverage(self.store, period, pbx=self.pbx)
