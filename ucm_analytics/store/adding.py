"""Legs that come from elsewhere than the PBX itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from ucm_analytics.errors import WrongColumns
from ucm_analytics.schema import arrow_schema
from ucm_analytics.store.files import Day
from ucm_analytics.store.merge import by_local_month, count_days, longest_call_s
from ucm_analytics.store.months import Months, WriteSummary


def add(months: Months, legs: pa.Table, *, zone: str, country: str) -> WriteSummary:
    """Put legs into the month files of one PBX; see `Store.add`."""
    schema = arrow_schema("legs")
    if legs.schema.names != schema.names:
        raise WrongColumns("the table has not the columns of legs", hint="make it with legs.legs_table")
    named = pa.array([months.pbx] * legs.num_rows, pa.string()).cast(schema.field("pbx").type)
    legs = legs.set_column(schema.get_field_index("pbx"), "pbx", named).cast(schema)
    puts = []
    with months.syncing():
        months.finish()
        for month, part in by_local_month(legs).items():
            known = months.coverage([month])
            days = {day: _from_file(part, count) for day, count in count_days(part).items() if day not in known}
            puts.append(months.put(part, days, zone=zone, country=country))
        months.finish()
    return WriteSummary(
        new=sum(put.new for put in puts),
        updated=sum(put.updated for put in puts),
        vanished=0,
        months=tuple(sorted({month for put in puts for month in put.months})),
    )


def _from_file(legs: pa.Table, count: int) -> Day:
    return Day(
        state="provisional",
        source="file",
        legs=count,
        pages=0,
        longest_s=longest_call_s(legs),
        pulled_at=datetime.now(UTC),
    )
