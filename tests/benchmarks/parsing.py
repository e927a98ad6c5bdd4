"""Bytes of pages to typed legs, against json + pandas.json_normalize + typing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pandas as pd
import pyarrow as pa

from tests.benchmarks.timing import medians
from tests.sources.parsing import parse_page
from ucm_analytics.simulator import Simulator, User
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.sources.ucm import UCM

PAGES = 10


def pages() -> list[bytes]:
    """Pages of 1,000 elements as the simulated PBX sends them."""
    stories = generate(clinic(), first=date(2026, 3, 2), last=date(2026, 3, 31), calls_per_day=600, seed=1)
    calls = [story.call for story in stories]
    with (
        Simulator(calls, users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as ucm,
    ):
        return [ucm.raw("cdrapi", format="json", numRecords=1000, offset=1000 * n) for n in range(PAGES)]


def by_hand_wide(body: bytes) -> pd.DataFrame:
    """What most scripts do: one wide row an element, and its times and numbers typed."""
    frame = pd.json_normalize(json.loads(body)["cdr_root"])
    for name in frame.columns:
        field = name.rpartition(".")[2]
        if field in ("start", "answer", "end"):
            frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d %H:%M:%S", errors="coerce")
        elif field in ("AcctId", "duration", "billsec"):
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
    return frame


def by_hand_legs(body: bytes) -> pd.DataFrame:
    """What a careful script does: legs split first, then normalised and typed."""
    legs = []
    for element in json.loads(body)["cdr_root"]:
        subs = [value for name, value in element.items() if name.startswith("sub_cdr_")]
        legs += subs or [element]
    frame = pd.json_normalize(legs)
    for name in ("start", "answer", "end"):
        frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d %H:%M:%S", errors="coerce")
    for name in ("AcctId", "duration", "billsec"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    return frame


def rows() -> Iterator[str]:
    """Lines of the result."""
    bodies = pages()
    legs = sum(len(by_hand_legs(body)) for body in bodies)
    assert legs == sum(parse_page(body, pbx="b").num_rows for body in bodies)
    seconds = medians(
        {
            "parse_page": lambda: pa.concat_tables([parse_page(body, pbx="b") for body in bodies]),
            "split, json_normalize, type": lambda: pd.concat([by_hand_legs(body) for body in bodies]),
            "json_normalize wide, type": lambda: [by_hand_wide(body) for body in bodies],
        }
    )
    ours = seconds["parse_page"]
    size = sum(map(len, bodies)) / 1e6
    yield f"{PAGES} pages, {legs:,} legs, {size:.1f} MB; parse_page {size / ours:.0f} MB/s"
    for name, taken in seconds.items():
        yield f"{taken:8.3f} s  {taken / ours:5.1f} x  {name}"
