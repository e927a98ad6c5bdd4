"""Calls from 10 M legs, month by month, against pandas and one DuckDB query written by hand.

Both hand-written versions do the part that scripts do: outcome, who answered, wait and talk of each
call. Steps, rings, menus, queues, links and clock changes are left out of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ucm_analytics.parse import legs_table
from ucm_analytics.schema import arrow_schema
from ucm_analytics.simulator.traffic import clinic, generate

TOTAL = 10_000_000
MONTHS = 4
CALLS_PER_DAY = 4000
PEOPLE = ["extension", "external", "ring_group", "queue", "transfer", "park"]

BY_HAND_SQL = """
WITH leg AS (
    SELECT *,
        CASE WHEN lastapp = 'ForkCDR' AND action_type = 'DIAL' AND disposition <> 'ANSWERED' THEN 'did'
             WHEN action_type LIKE 'VM%' THEN 'voicemail'
             WHEN action_type LIKE 'PARKEDCALL%' THEN 'park'
             WHEN action_type = 'IVR[' || dst || ']' THEN 'ivr'
             WHEN action_type LIKE 'QUEUE%' THEN 'queue'
             WHEN action_type LIKE 'RINGGROUP%' THEN 'ring_group'
             WHEN action_type LIKE 'TRANSFER%' THEN 'transfer'
             WHEN dst_trunk_name IS NOT NULL OR dcontext = 'after-outbound-context'
                  OR dcontext LIKE 'outbound-route%' THEN 'external'
             ELSE 'extension' END AS kind,
        min(start_at) OVER (PARTITION BY call_id) AS began,
        row_number() OVER (PARTITION BY call_id ORDER BY start_at, acct_id) AS n,
        count(*) OVER (PARTITION BY call_id) AS legs
    FROM raw
),
person AS (
    SELECT *, disposition = 'ANSWERED' AND lastapp <> 'ForkCDR' AND dstchannel IS NOT NULL
        AND kind IN ('extension', 'external', 'ring_group', 'queue', 'transfer', 'park')
        AND (kind <> 'queue' OR billsec_s > 0) AS answered
    FROM leg
),
losers AS (
    SELECT call_id, action_type, start_at, max(end_at) AS picked_up FROM person
    WHERE kind = 'ring_group' AND disposition = 'NO ANSWER' AND dstchannel IS NOT NULL GROUP BY ALL
),
picked AS (
    SELECT p.*, CASE WHEN answered THEN coalesce(
        CASE WHEN p.kind = 'ring_group' AND p.answer_at = p.start_at THEN l.picked_up END, p.answer_at) END AS picked_up
    FROM person p LEFT JOIN losers l
        ON p.call_id = l.call_id AND p.action_type = l.action_type AND p.start_at = l.start_at
        AND l.picked_up > p.start_at AND l.picked_up <= p.end_at
)
SELECT call_id,
    CASE WHEN bool_or(answered) THEN 'answered' WHEN bool_or(kind = 'voicemail') THEN 'voicemail'
         WHEN bool_or(n = legs AND kind = 'ivr' AND lastapp = 'Playback') THEN 'disconnected'
         WHEN bool_or(n = legs AND disposition = 'BUSY') THEN 'busy'
         WHEN bool_or(n = legs AND disposition = 'FAILED') THEN 'failed'
         WHEN bool_or(n = 1 AND userfield = 'Inbound') OR bool_or(n = legs AND kind IN ('ivr', 'queue', 'park'))
         THEN 'abandoned' ELSE 'no_answer' END AS outcome,
    epoch(coalesce(min(picked_up), min(CASE WHEN kind = 'voicemail' THEN start_at END),
        max(coalesce(end_at, start_at + to_seconds(duration_s))))) - epoch(min(began)) AS wait_s,
    coalesce(sum(epoch(end_at) - epoch(picked_up)), 0) AS talk_s
FROM picked GROUP BY call_id ORDER BY call_id
"""


def by_hand_pandas(legs: pd.DataFrame) -> pd.DataFrame:
    """The same in pandas, with masks and one group-by, as an analyst writes it."""
    legs = legs.sort_values(["call_id", "start_at", "acct_id"])
    action = legs["action_type"].astype("str")
    legs["kind"] = np.select(
        [
            (legs["lastapp"] == "ForkCDR") & (action == "DIAL") & (legs["disposition"] != "ANSWERED"),
            action.str.startswith("VM"),
            action.str.startswith("PARKEDCALL"),
            action == "IVR[" + legs["dst"].astype("str") + "]",
            action.str.startswith("QUEUE"),
            action.str.startswith("RINGGROUP"),
            action.str.startswith("TRANSFER"),
            legs["dst_trunk_name"].notna()
            | (legs["dcontext"] == "after-outbound-context")
            | legs["dcontext"].astype("str").str.startswith("outbound-route"),
        ],
        ["did", "voicemail", "park", "ivr", "queue", "ring_group", "transfer", "external"],
        "extension",
    )
    answered = (
        (legs["disposition"] == "ANSWERED")
        & (legs["lastapp"] != "ForkCDR")
        & legs["dstchannel"].notna()
        & legs["kind"].isin(PEOPLE)
        & ((legs["kind"] != "queue") | (legs["billsec_s"] > 0))
    )
    ringing = legs[(legs["kind"] == "ring_group") & (legs["disposition"] == "NO ANSWER") & legs["dstchannel"].notna()]
    stopped = ringing.groupby(["call_id", "start_at"])["end_at"].max().rename("stopped").reset_index()
    legs = legs.assign(answered=answered).merge(stopped, on=["call_id", "start_at"], how="left")
    hidden = (
        (legs["kind"] == "ring_group")
        & (legs["answer_at"] == legs["start_at"])
        & (legs["stopped"] > legs["start_at"])
        & (legs["stopped"] <= legs["end_at"])
    )
    picked_up = legs["stopped"].where(hidden, legs["answer_at"])
    legs["picked_up"] = picked_up.where(legs["answered"])
    legs["mailbox_at"] = legs["start_at"].where(legs["kind"] == "voicemail")
    legs["until"] = legs["end_at"].fillna(legs["start_at"] + pd.to_timedelta(legs["duration_s"], unit="s"))
    legs["talk_s"] = (legs["end_at"] - legs["picked_up"]).dt.total_seconds()
    calls = legs.groupby("call_id").agg(
        began=("start_at", "min"),
        picked_up=("picked_up", "min"),
        mailbox_at=("mailbox_at", "min"),
        until=("until", "max"),
        talk_s=("talk_s", "sum"),
        userfield=("userfield", "first"),
        last_kind=("kind", "last"),
        last_app=("lastapp", "last"),
        last_disposition=("disposition", "last"),
    )
    calls["outcome"] = np.select(
        [
            calls["picked_up"].notna(),
            calls["mailbox_at"].notna(),
            (calls["last_kind"] == "ivr") & (calls["last_app"] == "Playback"),
            calls["last_disposition"] == "BUSY",
            calls["last_disposition"] == "FAILED",
            (calls["userfield"] == "Inbound") | calls["last_kind"].isin(["ivr", "queue", "park"]),
        ],
        ["answered", "voicemail", "disconnected", "busy", "failed", "abandoned"],
        "no_answer",
    )
    waited = calls["picked_up"].fillna(calls["mailbox_at"]).fillna(calls["until"])
    calls["wait_s"] = (waited - calls["began"]).dt.total_seconds()
    return calls[["outcome", "wait_s", "talk_s"]].reset_index()


def months(folder: Path) -> list[Path]:
    """Four months of legs as month files."""
    files = []
    for month in range(1, MONTHS + 1):
        first = date(2026, month, 1)
        last = date(2026, month, 28)
        parts, legs, count = [], [], 0
        for story in generate(clinic(), first=first, last=last, calls_per_day=CALLS_PER_DAY, seed=1):
            for leg in story.call.legs:
                count += 1
                legs.append({**leg, "AcctId": str(count)})
            if len(legs) > 20_000:
                parts.append(legs_table(legs, pbx="b"))
                legs = []
        parts.append(legs_table(legs, pbx="b"))
        files.append(folder / f"{month:02d}.parquet")
        pq.write_table(pa.concat_tables(parts).unify_dictionaries(), files[-1])
    return files


def read(file: Path) -> pa.Table:
    """Legs of a month."""
    return pq.read_table(file).cast(arrow_schema("legs"))


def run(way: str, files: list[str]) -> None:
    """One way over all files, again and again until 10 M legs are done; prints what it took."""
    import resource
    import time
    from zoneinfo import ZoneInfo

    from ucm_analytics import model

    began, legs, calls = time.perf_counter(), 0, 0
    limit = TOTAL if way != "pandas" else TOTAL // 5
    while legs < limit:
        for file in files:
            table = read(Path(file))
            if way == "model":
                calls += model.build(table, zone=ZoneInfo("Europe/Berlin")).calls.num_rows
            elif way == "sql":
                with duckdb.connect() as connection:
                    connection.register("raw", table)
                    calls += connection.sql(BY_HAND_SQL).to_arrow_table().num_rows
            else:
                calls += len(by_hand_pandas(table.to_pandas()))
            legs += table.num_rows
            if legs >= limit:
                break
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"legs": legs, "calls": calls, "took_s": took, "peak_mb": peak}))


def agreement(file: Path) -> str:
    """How many calls of one month all three tell alike."""
    from zoneinfo import ZoneInfo

    from ucm_analytics import model

    table = read(file)
    ours = model.build(table, zone=ZoneInfo("Europe/Berlin")).calls.to_pandas().set_index("call_id").sort_index()
    with duckdb.connect() as connection:
        connection.register("raw", table)
        sql = connection.sql(BY_HAND_SQL).df().set_index("call_id")
    hand = by_hand_pandas(table.to_pandas()).set_index("call_id").sort_index()
    kept = ~ours["is_forward"] & ours["exact_pickup"]
    shares = []
    for other in (sql, hand):
        same = (ours["outcome"].astype("str") == other["outcome"]) & (ours["wait_s"] == other["wait_s"])
        shares.append(f"{(same & (ours['talk_s'] == other['talk_s']))[kept].mean():.1%}")
    return f"same outcome, wait and talk as the model: SQL {shares[0]}, pandas {shares[1]} of {kept.sum():,} calls"


def rows() -> Iterator[str]:
    """Lines of the result."""
    with tempfile.TemporaryDirectory() as folder:
        files = months(Path(folder))
        yield agreement(files[2])
        seconds = {}
        for way in ("model", "sql", "pandas"):
            words = [sys.executable, "-m", "tests.benchmarks.modelling", way, *map(str, files)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[0])
            seconds[way] = found["took_s"] / found["legs"] * 1e6
            yield (
                f"{way:7} {found['legs']:11,} legs, {found['calls']:10,} calls: {found['took_s']:6.1f} s, "
                f"{seconds[way]:5.2f} s a million legs, {seconds[way] / seconds['model']:4.2f} x, "
                f"peak {found['peak_mb']:.0f} MB"
            )


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
