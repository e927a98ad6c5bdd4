"""A month of a million legs, which is more than the engine may hold, is built like any other."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ucm_analytics import model
from ucm_analytics.legs import legs_table
from ucm_analytics.simulator.traffic import clinic, generate

CALLS_PER_DAY = 14_000


def test_a_million_legs(tmp_path: Path) -> None:
    parts = []
    for day in range(1, 32):
        stories = generate(
            clinic(), first=date(2026, 3, day), last=date(2026, 3, day), calls_per_day=CALLS_PER_DAY, seed=day
        )
        legs = [{**leg, "AcctId": f"{day}{n:06}"} for s in stories for n, leg in enumerate(s.call.legs, 1)]
        parts.append(legs_table(legs, pbx="b"))
    file = tmp_path / "part.parquet"
    table = pa.concat_tables(parts).unify_dictionaries()
    pq.write_table(table, file, row_group_size=50_000)
    assert table.num_rows > 900_000
    sessions = pc.count_distinct(table["call_id"]).as_py()
    del table, parts
    built = model.build(file, zone=ZoneInfo("Europe/Berlin"))
    assert built.calls.num_rows == sessions
    assert pc.sum(built.calls["legs"]).as_py() == pq.read_metadata(file).num_rows
    order = built.calls["started_at"]
    assert pc.all(pc.less_equal(order[:-1], order[1:])).as_py()
