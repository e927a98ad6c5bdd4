"""Small typed frames from short tuples, and the same frame in every kind that an analysis takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa

from ucm_analytics.schema import TABLES, TableName, arrow_schema

DEFAULTS: dict[str, Any] = {
    "pbx": "clinic",
    "utc_offset_s": 3600,
    "direction": "inbound",
    "outcome": "answered",
    "caller": "12025550142",
    "path": "extension:1004",
    "phones": 1,
    "legs": 1,
    "steps": 1,
    "is_forward": False,
    "exact_pickup": True,
    "transfers": 0,
    "extension": "1004",
    "result": "answered",
    "step_no": 1,
    "ring_no": 1,
    "via": "extension",
    **dict.fromkeys(("wait_s", "ring_s", "ivr_s", "queue_s", "talk_s", "voicemail_s", "duration_s", "dwell_s"), 0),
}


def table(name: TableName, columns: str, rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Arrow table with all columns of the schema: `columns` from the rows, the rest from DEFAULTS or null."""
    given = columns.split()
    listed = [dict(zip(given, row, strict=True)) for row in rows]
    unknown = set(given) - {column.name for column in TABLES[name]}
    assert not unknown, unknown
    schema = arrow_schema(name)
    arrays = []
    for field in schema:
        values = [row.get(field.name, DEFAULTS.get(field.name)) for row in listed]
        if field.name == "call_id" and "call_id" not in given:
            values = [f"1772000000{n}-{n}" for n in range(len(listed))]
        if pa.types.is_timestamp(field.type):
            values = [v if v is None else pd.Timestamp(v, tz=field.type.tz) for v in values]
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values, field.type.value_type).dictionary_encode().cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.table(arrays, schema=schema)


def calls(columns: str, *rows: Sequence[Any]) -> pd.DataFrame:
    return table("calls", columns, rows).to_pandas()


def steps(columns: str, *rows: Sequence[Any]) -> pd.DataFrame:
    return table("steps", columns, rows).to_pandas()


def rings(columns: str, *rows: Sequence[Any]) -> pd.DataFrame:
    return table("rings", columns, rows).to_pandas()


def menus(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Key tables from (menu, key, target_kind, target)."""
    made = pd.DataFrame(rows, columns=["number", "key", "target_kind", "target"], dtype="str")
    return made.assign(pbx="clinic", kind="ivr", name="")


def relation(frame: pa.Table) -> duckdb.DuckDBPyRelation:
    return duckdb.connect().from_arrow(frame)


KINDS: dict[str, Callable[[pa.Table], Any]] = {
    "pandas": lambda frame: frame.to_pandas(),
    "pyarrow": lambda frame: frame,
    "polars": pl.from_arrow,
    "polars lazy": lambda frame: pl.from_arrow(frame).lazy(),
    "duckdb": relation,
    "narwhals": lambda frame: nw.from_native(relation(frame)),
}
"""How to make each kind of frame from Arrow."""
ENGINES = ("pandas", "polars lazy")
"""A kind of each engine under the analyses: DuckDB, on which all kinds but lazy Polars run, and Polars."""


def as_arrow(frame: Any) -> pa.Table:
    """Any result as Arrow, categories as text, to compare the kinds with each other."""
    if hasattr(frame, "toArrow"):  # PySpark, which not every environment has
        frame = frame.toArrow()
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, pl.DataFrame):
        frame = frame.to_arrow()
    elif isinstance(frame, pd.DataFrame):
        frame = pa.Table.from_pandas(frame, preserve_index=False)
    elif isinstance(frame, duckdb.DuckDBPyRelation):
        frame = frame.to_arrow_table()
    return frame.cast(pa.schema([(field.name, _plain(field.type)) for field in frame.schema]))


def _plain(dtype: pa.DataType) -> pa.DataType:
    text = pa.types.is_dictionary(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype)
    return pa.string() if text else dtype


OUTCOMES = ["answered", "voicemail", "abandoned", "disconnected", "no_answer", "busy", "failed"]
DIALLED = ["12025550142", "+442079460142", "0044 20 7946 0143", "anonymous", None, "00881655501", "12025550187"]
TARIFF = pd.DataFrame(
    {
        "prefix": ["1", "+44", "004420"],
        "per_minute": [0.01, 0.6, 0.3],
        "setup": [0.0, 0.0, 0.1],
        "rounding_s": [1, 1, 60],
    }
)
SOME_KEYS = menus(("7000", "1", "queue", "6500"), ("7000", "2", "ivr", "7100"), ("7100", "0", "extension", "1004"))
PATHS = ["ivr:7000", "ivr:7000 > queue:6500", "ivr:7000 > ivr:7100", "queue:6500", "extension:1004"]


def random_calls(seed: int, count: int = 300) -> pa.Table:
    """Calls of three weeks that hold the night of 25 October 2026, when Europe's clocks go back."""
    rng = random.Random(seed)
    changed = pd.Timestamp("2026-10-25 01:00")
    rows = []
    for n in range(count):
        utc = pd.Timestamp("2026-10-12") + pd.Timedelta(seconds=rng.randrange(21 * 86400))
        if rng.random() < 0.2:
            utc = changed + pd.Timedelta(seconds=rng.randrange(-7200, 7200))
        offset = 7200 if utc < changed else 3600
        path = rng.choice(PATHS)
        rows.append(
            (
                utc + pd.Timedelta(seconds=offset),
                offset,
                rng.choice(["inbound", "outbound", "internal"]),
                rng.choice(OUTCOMES),
                rng.choice(["1004", "1005", "12025550142"]),
                path,
                "6500" if "queue" in path else None,
                rng.randrange(3),
                *(rng.choice([0, rng.randrange(2000), rng.randrange(60)]) for _ in range(5)),
                rng.random() < 0.1,
                DIALLED[n % len(DIALLED)],
                (None, "Main", "Spare")[n % 3],
                n * 37 % 900,
            )
        )
    return table(
        "calls",
        "local_at utc_offset_s direction outcome caller path queue phones"
        " talk_s wait_s ring_s ivr_s queue_s is_forward callee trunk duration_s",
        rows,
    )


def sent_out(made: pa.Table) -> pa.Table:
    """The calls, of which some go from trunk to trunk, and some are sent on outside on their way."""
    frame = made.to_pandas().astype({"direction": "str", "path": "str"})
    ways = ["ivr:7000 > external:{}", "extension:1004 > transfer:{}", "external:12025550142 > external:{}"]
    for n, at in enumerate(range(0, len(frame), 5)):
        frame.loc[at, "path"] = ways[n % 3].format(["+442079460143", "00881655502", "1005"][n % 7 % 3])
        frame.loc[at + 1 : at + 1, "direction"] = "external"
    return pa.Table.from_pandas(frame, preserve_index=False)


def random_steps(seed: int, count: int = 120) -> pa.Table:
    rng = random.Random(seed)
    rows = []
    for n in range(count):
        length = rng.randrange(1, 6)
        for step in range(1, length + 1):
            kind, target = rng.choice(
                [("ivr", "7000"), ("ivr", "7000"), ("ivr", "7100"), ("queue", "6500"), ("extension", "1004")]
            )
            last = rng.choice(["hung_up", "timed_out", "answered", "recorded", "failed"])
            result = last if step == length else rng.choice(["next", "next", "answered"])
            rows.append(
                (rng.choice(["a", "b"]) if n % 2 else "a", f"call{n}", step, kind, target, rng.randrange(40), result)
            )
    return table("steps", "pbx call_id step_no kind target dwell_s result", _one_pbx_a_call(rows))


def _one_pbx_a_call(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    first = {}
    for row in rows:
        first.setdefault(row[1], row[0])
    return [(first[row[1]], *row[1:]) for row in rows]


def random_rings(seed: int, count: int = 200) -> pa.Table:
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        result = rng.choice(["answered", "elsewhere", "missed", "busy", "failed"])
        rows.append(
            (
                f"call{rng.randrange(60)}",
                rng.choice(["1003", "1004", "1005"]),
                pd.Timestamp("2026-03-02") + pd.Timedelta(seconds=rng.randrange(5 * 86400)),
                rng.randrange(30),
                rng.randrange(600) if result == "answered" else 0,
                result,
            )
        )
    return table("rings", "call_id extension local_at ring_s talk_s result", rows)


def random_legs(seed: int, count: int = 400) -> pa.Table:
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        action = rng.choice(["DIAL", "VM", "IVR[7000]", "QUEUE[6500]", "RINGGROUP[6400]", "TRANSFER", "PAGE[1]", None])
        rows.append(
            (
                f"call{rng.randrange(120)}",
                action,
                rng.choice(["7000", "1004", None]),
                rng.choice(["Dial", "ForkCDR", "VoiceMail", None]),
                rng.choice(["PJSIP/1004-00000001", None]),
                rng.choice(["1004", "trunk_1", None]),
                rng.choice(["ANSWERED", "NO ANSWER", "BUSY", None]),
                rng.choice([0, rng.randrange(600), None]),
            )
        )
    return table("legs", "call_id action_type dst lastapp dstchannel dstchannel_ext disposition billsec_s", rows)


def random_coverage(seed: int, count: int = 40) -> pa.Table:
    """What `Store.coverage` gives for two PBXs, over the end of a year."""
    rng = random.Random(seed)
    days = pd.date_range("2025-12-10", periods=count).as_unit("us")
    states = [rng.choice(["settled", "settled", "provisional", "missing"]) for _ in range(2 * count)]
    legs = [None if state == "missing" else rng.choice([0, rng.randrange(300)]) for state in states]
    return pa.table(
        {
            "pbx": ["clinic"] * count + ["north"] * count,
            "day": pa.array([*days, *days], pa.timestamp("us")),
            "state": pa.array(states).dictionary_encode(),
            "legs": pa.array(legs, pa.int64()),
        }
    )


def random_findings(seed: int, count: int = 12) -> pa.Table:
    """What `Audit.frame` holds."""
    rng = random.Random(seed)
    reports = ["call-volume", "durations", "extensions", "ivr-paths"]
    touches = [", ".join(rng.sample(reports, rng.randrange(4))) for _ in range(count - 1)]
    return pa.table(
        {
            "severity": ["error", *(rng.choice(["error", "warning", "note"]) for _ in touches)],
            "touches": ["durations, extensions", *touches],
        }
    )
