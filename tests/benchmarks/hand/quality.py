"""reconciliation by hand: the same counts and rules, laid out by one loop.

The hand-written lines carry no `meaning`, which is text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

from tests.benchmarks.hand import ByHand
from ucm_analytics import analyses
from ucm_analytics.store import Store

_CALL = ["pbx", "call_id"]
_RUNG = ["queue", "ring_group", "park", "transfer", "extension"]
_KINDS = ["did", "menu", "voicemail", "outside", "queue", "ring_group", "park", "transfer", "extension", "other"]
_TRUNK = r"^(trunk_.+|o\d+|g\d+)$"
_BY_TRUNK = r"^[^/]+/(trunk_[^-@;/]+|o\d+|g\d+)([-@;/]|$)"
_NUMBER = r"^\+?[0-9]{7,20}$"

_LEGS_SQL = r"""
WITH leg AS (
    SELECT pbx, call_id, coalesce(lastapp, '') AS app, dst, dstchannel, billsec_s, dcontext, dstchannel_ext,
        dst_trunk_name,
        CASE WHEN action_type IS NOT NULL THEN split_part(action_type, '[', 1)
             WHEN lastapp = 'VoiceMail' THEN 'VM' ELSE 'DIAL' END AS action,
        coalesce(regexp_extract(action_type, '^[^\]]*\]?') = 'IVR[' || coalesce(dst, '') || ']', false) AS own_menu,
        coalesce(disposition = 'ANSWERED', false) AS answered
    FROM legs
),
kinds AS (
    SELECT *, CASE
            WHEN app = 'ForkCDR' AND action = 'DIAL' AND NOT answered THEN 'did'
            WHEN action = 'VM' OR app = 'VoiceMail' THEN 'voicemail'
            WHEN action = 'IVR' AND own_menu THEN 'menu'
            WHEN regexp_matches(dstchannel_ext, '^(trunk_.+|o\d+|g\d+)$')
                OR regexp_matches(dstchannel, '^[^/]+/(trunk_[^-@;/]+|o\d+|g\d+)([-@;/]|$)')
                OR dst_trunk_name IS NOT NULL AND regexp_matches(dst, '^\+?[0-9]{7,20}$') THEN 'outside'
            WHEN action = 'PARKEDCALL' THEN 'park'
            WHEN action = 'QUEUE' THEN 'queue'
            WHEN action = 'RINGGROUP' THEN 'ring_group'
            WHEN action = 'TRANSFER' THEN 'transfer'
            WHEN dst_trunk_name IS NOT NULL OR dcontext LIKE 'outbound-route%'
                OR dcontext = 'after-outbound-context' THEN 'outside'
            WHEN action IN ('DIAL', 'IVR', 'FOLLOWME') THEN 'extension'
            ELSE 'other' END AS kind,
        dstchannel IS NOT NULL AND app <> 'ForkCDR' AS has_phone
    FROM leg
),
rung AS (
    SELECT *, has_phone AND (kind IN ('queue', 'ring_group', 'park', 'transfer', 'extension')
        OR kind = 'other' AND app = 'Dial') AS is_ring FROM kinds
)
SELECT pbx, call_id, kind, is_ring, answered, answered AND (is_ring OR has_phone AND kind = 'outside')
    AND (action <> 'QUEUE' OR coalesce(billsec_s > 0, false)) AS picked_up
FROM rung
"""

_BY_KIND_SQL = f"SELECT kind, is_ring, answered, picked_up, count(*) AS legs FROM ({_LEGS_SQL}) GROUP BY ALL"

_COUNTS_SQL = f"""
WITH sessions AS (SELECT bool_or(picked_up) AS own FROM ({_LEGS_SQL}) GROUP BY pbx, call_id),
rung AS (SELECT count(*) AS rings FROM rings GROUP BY pbx, call_id),
answered AS (FROM calls WHERE outcome = 'answered'),
own AS (FROM calls WHERE NOT is_forward),
brought AS (
    SELECT DISTINCT c.pbx, c.call_id FROM answered c JOIN answered o ON o.pbx = c.pbx AND o.forward_of = c.call_id
    WHERE epoch(o.local_at) - o.utc_offset_s + o.wait_s = epoch(c.local_at) - c.utc_offset_s + c.wait_s
)
SELECT
    (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FILTER (own) FROM sessions) AS own,
    (SELECT count(*) FROM steps) AS steps, (SELECT sum(legs)::BIGINT FROM steps) AS step_legs,
    (SELECT sum(rings)::BIGINT FROM rung) AS rings, (SELECT count(*) FROM rung) AS rang,
    (SELECT count(*) FROM brought) AS brought,
    (SELECT count(*) FROM calls) AS calls, (SELECT count(*) FROM own) AS own_calls,
    (SELECT count(*) FROM answered) AS answered, (SELECT count(*) FILTER (is_forward) FROM answered) AS forwards,
    (SELECT count(*) FILTER (direction = 'outbound') FROM own) AS outbound,
    (SELECT count(*) FILTER (direction = 'internal') FROM own) AS internal,
    (SELECT count(*) FILTER (direction = 'external') FROM own) AS external,
    (SELECT count(*) FILTER (direction IS NULL) FROM own) AS unknown,
    (SELECT count(*) FROM own
        WHERE direction = 'inbound' AND NOT coalesce(regexp_matches(caller, '[0-9]'), false)) AS anonymous,
    (SELECT count(DISTINCT caller) FROM own WHERE direction = 'inbound' AND regexp_matches(caller, '[0-9]')) AS callers
"""


def _ours(store: Store) -> pd.DataFrame:
    tables = {name: store.scan(name) for name in ("steps", "rings", "calls")}  # type: ignore[arg-type]
    return analyses.reconciliation(store.scan("legs"), **tables)


def _laid_out(by_kind: pd.DataFrame, n: Mapping[str, int]) -> pd.DataFrame:
    """All lines, of what was counted."""
    legs = int(by_kind["legs"].sum())
    silent = by_kind[~by_kind["is_ring"]].groupby("kind")["legs"].sum()
    answered = by_kind[by_kind["answered"]]
    by_nobody = answered[~answered["picked_up"]].groupby("kind")["legs"].sum()
    pickups = int(by_kind.loc[by_kind["picked_up"], "legs"].sum())
    order = _KINDS
    forwards = n["calls"] - n["own_calls"]
    ways = ("outbound", "internal", "external", "unknown")
    came = n["own_calls"] - sum(n[way] for way in ways)
    grains = {
        "calls": (
            ("records", legs),
            [("further_legs", n["sessions"] - legs), ("continuations", -forwards)],
            n["own_calls"],
        ),
        "answered": (
            ("answered_records", int(answered["legs"].sum())),
            [
                *((kind, -int(by_nobody.get(kind, 0))) for kind in order),
                ("further_pickups", n["own"] - pickups),
                ("brought", n["brought"]),
                ("continuations", -n["forwards"]),
            ],
            n["answered"] - n["forwards"],
        ),
        "callers": (
            ("calls", n["own_calls"]),
            [
                *((way, -n[way]) for way in ways),
                ("anonymous", -n["anonymous"]),
                ("repeated", n["callers"] - came + n["anonymous"]),
            ],
            n["callers"],
        ),
        "rings": (("records", legs), [(kind, -int(silent.get(kind, 0))) for kind in order], n["rings"]),
        "calls by rings": (
            ("rings", n["rings"]),
            [
                ("further_rings", n["rang"] - n["rings"]),
                ("silent", n["sessions"] - n["rang"]),
                ("continuations", -forwards),
            ],
            n["own_calls"],
        ),
        "steps": (("records", legs), [("parallel", n["steps"] - n["step_legs"])], n["steps"]),
    }
    lines = []
    for grain, ((what, start), effects, total) in grains.items():
        left = total - start - sum(effect for _, effect in effects)
        lines.append((grain, what, "start", start, start))
        lines += [(grain, what, "more" if e > 0 else "less", abs(e), e) for what, e in effects]
        lines += [(grain, "unexplained", "unexplained", abs(left), left), (grain, grain, "total", total, 0)]
    return pd.DataFrame(lines, columns=["grain", "what", "part", "count", "effect"])


def _by_sql(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    counts = connection.sql(_COUNTS_SQL).df().iloc[0].astype("int64").to_dict()
    return _laid_out(connection.sql(_BY_KIND_SQL).df(), counts)


def _legs_polars(legs: pl.LazyFrame) -> pl.LazyFrame:
    raw, app = pl.col("action_type").cast(pl.String), pl.col("lastapp").cast(pl.String).fill_null("")
    context, action, kind = pl.col("dcontext").cast(pl.String), pl.col("action"), pl.col("kind")
    answered = pl.col("answered")
    own_menu = raw.str.extract(r"^([^\]]*\]?)") == pl.format("IVR[{}]", pl.col("dst").fill_null(""))
    by_trunk = (
        pl.col("dstchannel_ext").cast(pl.String).str.contains(_TRUNK).fill_null(False)
        | pl.col("dstchannel").str.contains(_BY_TRUNK).fill_null(False)
        | (pl.col("dst_trunk_name").is_not_null() & pl.col("dst").str.contains(_NUMBER).fill_null(False))
    )
    dialled = pl.col("dst_trunk_name").is_not_null() | (
        context.str.starts_with("outbound-route") | (context == "after-outbound-context")
    ).fill_null(False)
    by_app = pl.when(app == "VoiceMail").then(pl.lit("VM")).otherwise(pl.lit("DIAL"))
    return (
        legs.with_columns(
            action=pl.when(raw.is_not_null()).then(raw.str.extract(r"^([^\[]*)")).otherwise(by_app),
            answered=(pl.col("disposition").cast(pl.String) == "ANSWERED").fill_null(False),
            has_phone=pl.col("dstchannel").is_not_null() & (app != "ForkCDR"),
        )
        .with_columns(
            kind=pl.when((app == "ForkCDR") & (action == "DIAL") & ~answered)
            .then(pl.lit("did"))
            .when((action == "VM") | (app == "VoiceMail"))
            .then(pl.lit("voicemail"))
            .when((action == "IVR") & own_menu.fill_null(False))
            .then(pl.lit("menu"))
            .when(by_trunk)
            .then(pl.lit("outside"))
            .when(action == "PARKEDCALL")
            .then(pl.lit("park"))
            .when(action == "QUEUE")
            .then(pl.lit("queue"))
            .when(action == "RINGGROUP")
            .then(pl.lit("ring_group"))
            .when(action == "TRANSFER")
            .then(pl.lit("transfer"))
            .when(dialled)
            .then(pl.lit("outside"))
            .when(action.is_in(["DIAL", "IVR", "FOLLOWME"]))
            .then(pl.lit("extension"))
            .otherwise(pl.lit("other"))
        )
        .with_columns(is_ring=pl.col("has_phone") & (kind.is_in(_RUNG) | ((kind == "other") & (app == "Dial"))))
        .with_columns(
            picked_up=answered
            & (pl.col("is_ring") | (pl.col("has_phone") & (kind == "outside")))
            & ((action != "QUEUE") | (pl.col("billsec_s") > 0).fill_null(False))
        )
        .select(*_CALL, "kind", "is_ring", "answered", "picked_up")
    )


def _by_polars(tables: dict[str, pl.LazyFrame]) -> pl.DataFrame:
    legs = _legs_polars(tables["legs"])
    calls = tables["calls"].with_columns(pl.col("outcome", "direction").cast(pl.String))
    own, answered = calls.filter(~pl.col("is_forward")), calls.filter(pl.col("outcome") == "answered")
    came = own.filter(pl.col("direction") == "inbound")
    numbered = pl.col("caller").str.contains("[0-9]").fill_null(False)
    picked_up_at = pl.col("local_at").dt.epoch("s") - pl.col("utc_offset_s") + pl.col("wait_s")
    on = answered.filter(pl.col("forward_of").is_not_null())
    brought = (
        answered.select(*_CALL, at=picked_up_at)
        .join(on.select("pbx", call_id="forward_of", on_at=picked_up_at), on=_CALL)
        .filter(pl.col("at") == pl.col("on_at"))
        .unique(_CALL)
    )
    sessions = legs.group_by(_CALL).agg(own=pl.col("picked_up").any())
    rung = tables["rings"].group_by(_CALL).agg(rings=pl.len())
    counts = (
        sessions.select(sessions=pl.len(), own=pl.col("own").sum()),
        tables["steps"].select(steps=pl.len(), step_legs=pl.col("legs").cast(pl.Int64).sum()),
        rung.select(rings=pl.col("rings").sum(), rang=pl.len()),
        brought.select(brought=pl.len()),
        calls.select(calls=pl.len()),
        own.select(
            own_calls=pl.len(),
            outbound=(pl.col("direction") == "outbound").sum(),
            internal=(pl.col("direction") == "internal").sum(),
            external=(pl.col("direction") == "external").sum(),
            unknown=pl.col("direction").is_null().sum(),
        ),
        answered.select(answered=pl.len(), forwards=pl.col("is_forward").sum()),
        came.select(anonymous=(~numbered).sum()),
        came.filter(numbered).unique("caller").select(callers=pl.len()),
    )
    by_kind = legs.group_by("kind", "is_ring", "answered", "picked_up").agg(legs=pl.len().cast(pl.Int64))
    found, *parts = pl.collect_all([by_kind, *counts], engine="streaming")
    n = {name: int(value) for part in parts for name, value in part.row(0, named=True).items()}
    return pl.from_pandas(_laid_out(found.to_pandas(), n))


def _legs_pandas(folder: Path) -> pd.DataFrame:
    texts = ["lastapp", "action_type", "disposition", "dcontext", "dstchannel_ext", "dst_trunk_name"]
    legs = pd.read_parquet(folder / "legs", columns=[*_CALL, *texts, "dst", "dstchannel", "billsec_s"])
    raw, app = legs["action_type"].astype("str"), legs["lastapp"].astype("str").fillna("")
    by_app = (app == "VoiceMail").map({True: "VM", False: "DIAL"})
    action = raw.str.replace(r"\[.*$", "", regex=True).fillna(by_app)
    own_menu = raw.str.replace(r"\].*$", "]", regex=True) == "IVR[" + legs["dst"].fillna("") + "]"
    legs["answered"] = (legs["disposition"] == "ANSWERED").fillna(False)
    context = legs["dcontext"].astype("str").fillna("")
    by_trunk = (
        legs["dstchannel_ext"].astype("str").str.contains(_TRUNK.replace("(", "(?:")).fillna(False)
        | legs["dstchannel"].astype("str").str.contains(_BY_TRUNK.replace("(", "(?:")).fillna(False)
        | (legs["dst_trunk_name"].notna() & legs["dst"].astype("str").str.contains(_NUMBER).fillna(False))
    )
    dialled = (
        legs["dst_trunk_name"].notna()
        | context.str.startswith("outbound-route")
        | (context == "after-outbound-context")
    )
    kinds = [
        ("did", (app == "ForkCDR") & (action == "DIAL") & ~legs["answered"]),
        ("voicemail", (action == "VM") | (app == "VoiceMail")),
        ("menu", (action == "IVR") & own_menu),
        ("outside", by_trunk),
        ("park", action == "PARKEDCALL"),
        ("queue", action == "QUEUE"),
        ("ring_group", action == "RINGGROUP"),
        ("transfer", action == "TRANSFER"),
        ("outside", dialled),
        ("extension", action.isin(["DIAL", "IVR", "FOLLOWME"])),
    ]
    legs["kind"] = "other"
    for kind, test in reversed(kinds):
        legs.loc[test, "kind"] = kind
    has_phone = legs["dstchannel"].notna() & (app != "ForkCDR")
    legs["is_ring"] = has_phone & (legs["kind"].isin(_RUNG) | ((legs["kind"] == "other") & (app == "Dial")))
    spoke = (action != "QUEUE") | (legs["billsec_s"] > 0)
    legs["picked_up"] = legs["answered"] & (legs["is_ring"] | (has_phone & (legs["kind"] == "outside"))) & spoke
    return legs[[*_CALL, "kind", "is_ring", "answered", "picked_up"]]


def _by_pandas(folder: Path) -> pd.DataFrame:
    legs = _legs_pandas(folder)
    by_kind = legs.groupby(["kind", "is_ring", "answered", "picked_up"]).size().rename("legs").reset_index()
    sessions = legs.groupby(_CALL, observed=True)["picked_up"].any()
    counts = {"sessions": len(sessions), "own": sessions.sum()}
    del legs, sessions
    steps = pd.read_parquet(folder / "steps", columns=["legs"])["legs"]
    rings = pd.read_parquet(folder / "rings", columns=_CALL)
    counts |= {"steps": len(steps), "step_legs": steps.sum(), "rings": len(rings), "rang": len(rings.drop_duplicates())}
    columns = ["caller", "direction", "forward_of", "is_forward", "local_at", "outcome", "utc_offset_s", "wait_s"]
    calls = pd.read_parquet(folder / "calls", columns=[*_CALL, *columns])
    at = calls["local_at"] + pd.to_timedelta(calls["wait_s"] - calls["utc_offset_s"], unit="s")
    answered = calls[calls["outcome"] == "answered"].assign(at=at)
    on = answered.loc[answered["forward_of"].notna(), ["pbx", "forward_of", "at"]]
    both = answered.merge(on.rename(columns={"forward_of": "call_id"}), on=[*_CALL, "at"])
    own = calls[~calls["is_forward"]]
    came = own[own["direction"] == "inbound"]
    numbered = came["caller"].str.contains("[0-9]").fillna(False).astype(bool)
    counts |= {
        "brought": len(both.drop_duplicates(_CALL)),
        "calls": len(calls),
        "own_calls": len(own),
        "answered": len(answered),
        "forwards": answered["is_forward"].sum(),
        "outbound": (own["direction"] == "outbound").sum(),
        "internal": (own["direction"] == "internal").sum(),
        "external": (own["direction"] == "external").sum(),
        "unknown": own["direction"].isna().sum(),
        "anonymous": (~numbered).sum(),
        "callers": came.loc[numbered, "caller"].nunique(),
    }
    return _laid_out(by_kind, {name: int(value) for name, value in counts.items()})


WAYS = {
    "reconciliation": ByHand(
        ours=_ours, sql=_by_sql, polars=_by_polars, pandas=_by_pandas, keys=("grain", "part", "what")
    )
}
