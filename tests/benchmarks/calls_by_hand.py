"""Legs to calls as people write it for the firmware of their own PBX: one DuckDB query, and pandas.

Both give the same columns as the model for every call: direction, outcome, who answered, wait, talk, time
in menus and queues, the path, and which session goes on with another one. They know one firmware and no
wrong clocks, and make no table of steps or rings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

COLUMNS = (
    "direction",
    "outcome",
    "ended_in",
    "answered_by",
    "wait_s",
    "talk_s",
    "ivr_s",
    "queue_s",
    "path",
    "forward_of",
    "is_forward",
)
"""What is compared, call by call."""

SQL = r"""
WITH leg AS (
    SELECT call_id, acct_id, start_at, answer_at, end_at, disposition, lastapp, lastdata, dst, userfield, src, new_src,
        channel_ext, uniqueid, dcontext, action_type, dstchannel, action_type LIKE 'FOLLOWME%' AS follow_me,
        CASE WHEN lastapp = 'ForkCDR' AND action_type = 'DIAL' AND disposition <> 'ANSWERED' THEN 'did'
             WHEN action_type LIKE 'VM%' OR lastapp = 'VoiceMail' THEN 'voicemail'
             WHEN action_type LIKE 'PARKEDCALL%' THEN 'park'
             WHEN action_type = 'IVR[' || dst || ']' THEN 'ivr'
             WHEN action_type LIKE 'QUEUE%' THEN 'queue'
             WHEN action_type LIKE 'RINGGROUP%' THEN 'ring_group'
             WHEN action_type LIKE 'TRANSFER%' THEN 'transfer'
             WHEN dst_trunk_name IS NOT NULL OR dcontext = 'after-outbound-context'
                  OR dcontext LIKE 'outbound-route%' THEN 'external'
             ELSE 'extension' END AS kind,
        split_part(split_part(action_type, '[', 2), ']', 1) AS object,
        CASE WHEN kind IN ('ivr', 'queue', 'ring_group') THEN object
             WHEN kind = 'park' AND lastapp = 'ParkedCall' THEN src ELSE dst END AS target,
        CASE WHEN kind = 'external' OR dstchannel_ext LIKE 'trunk%' THEN coalesce(dstanswer, dst)
             ELSE coalesce(nullif(dstchannel_ext, object), nullif(dstanswer, object), dst) END AS person,
        disposition = 'ANSWERED' AND lastapp <> 'ForkCDR' AND dstchannel IS NOT NULL
            AND kind IN ('extension', 'external', 'ring_group', 'queue', 'transfer', 'park')
            AND (kind <> 'queue' OR billsec_s > 0) AS answered,
        lastapp <> 'ForkCDR' AND NOT (kind = 'queue' AND dstchannel IS NOT NULL) AS heard,
        coalesce(end_at, start_at + to_seconds(duration_s)) AS over_at,
        try_cast(regexp_extract(recordfiles_desc, 'start-time=(\d{10})', 1) AS BIGINT)
            - epoch(called_at)::BIGINT AS recorded_s
    FROM raw
),
numbered AS (
    SELECT *,
        row_number() OVER call AS n,
        CASE WHEN kind = lag(kind) OVER call AND target = lag(target) OVER call
                  AND (kind IN ('ring_group', 'queue', 'park') OR start_at = lag(start_at) OVER call)
                  AND (kind = 'park' OR uniqueid = lag(uniqueid) OVER call)
             THEN 0 ELSE 1 END AS is_new
    FROM leg WINDOW call AS (PARTITION BY call_id ORDER BY start_at, kind <> 'did', acct_id)
),
placed AS MATERIALIZED (SELECT *, sum(is_new) OVER (PARTITION BY call_id ORDER BY n) AS step FROM numbered),
winner AS (
    SELECT call_id, step, arg_min(struct_pack(start_at, answer_at, end_at, person, recorded_s), n) AS w,
        max(end_at) AS talked_until
    FROM placed WHERE answered GROUP BY ALL
),
loser AS (
    SELECT p.call_id, p.step, max(p.end_at) AS silent_at
    FROM placed p JOIN winner USING (call_id, step)
    WHERE kind = 'ring_group' AND disposition = 'NO ANSWER' AND dstchannel IS NOT NULL
        AND p.start_at <= w.start_at + INTERVAL 1 SECOND AND p.end_at > w.start_at AND p.end_at <= w.end_at
    GROUP BY ALL
),
stage AS (
    SELECT call_id, step, any_value(kind) AS kind, any_value(target) AS target,
        min(start_at) AS entered_at, max(over_at) AS over_at, arg_min(lastapp, n) AS app, arg_min(lastdata, n) AS data,
        bool_or(disposition = 'ANSWERED') AS connected,
        bool_and(disposition = 'BUSY') FILTER (heard) AS busy,
        bool_and(disposition IN ('BUSY', 'FAILED')) FILTER (heard) AS failed,
        sum(date_diff('second', answer_at, end_at)) FILTER (kind = 'ivr') AS heard_s
    FROM placed GROUP BY call_id, step
),
timed AS (
    SELECT *,
        greatest(entered_at, CASE WHEN lag(kind) OVER call = 'did' THEN lag(over_at) OVER call END) AS came_at,
        max(over_at) OVER (PARTITION BY call_id) AS call_over_at,
        min(entered_at) OVER (PARTITION BY call_id) AS began
    FROM stage WINDOW call AS (PARTITION BY call_id ORDER BY step)
),
way AS (
    SELECT t.*, w.person AS person, talked_until, lead(came_at) OVER call AS next_at,
        row_number() OVER (PARTITION BY call_id ORDER BY step DESC) AS from_end,
        greatest(CASE
            WHEN kind NOT IN ('ring_group', 'transfer') OR w.answer_at > w.start_at THEN w.answer_at
            WHEN silent_at IS NOT NULL THEN silent_at
            WHEN began + to_seconds(w.recorded_s) BETWEEN w.start_at AND w.end_at THEN began + to_seconds(w.recorded_s)
            ELSE w.answer_at END, CASE WHEN w IS NOT NULL THEN came_at END) AS picked_up
    FROM timed t LEFT JOIN winner USING (call_id, step) LEFT JOIN loser USING (call_id, step)
    WINDOW call AS (PARTITION BY call_id ORDER BY step)
),
story AS (
    SELECT *, greatest(0, date_diff('second', greatest(picked_up, max(talked_until) OVER (
            PARTITION BY call_id ORDER BY picked_up, step ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
            talked_until)) AS talk_s
    FROM way
),
head AS (
    SELECT call_id, userfield, uniqueid,
        CASE WHEN userfield = 'Inbound' OR follow_me OR channel_ext LIKE 'trunk%' THEN src
             ELSE coalesce(new_src, channel_ext, src) END AS caller
    FROM placed WHERE n = 1
),
whole AS (
    SELECT call_id, min(object) FILTER (follow_me) AS forwarded_from,
        arg_min(uniqueid, n) FILTER (kind = 'park') AS parked
    FROM placed GROUP BY call_id
),
call AS MATERIALIZED (
    SELECT *,
        CASE WHEN userfield = 'Inbound' THEN 'inbound'
             WHEN userfield = 'Outbound' OR userfield = 'Internal' AND first_kind = 'external' THEN 'outbound'
             WHEN userfield = 'External' THEN 'external' ELSE 'internal' END AS direction,
        CASE WHEN answered_at IS NOT NULL THEN 'answered' WHEN mailbox_at IS NOT NULL THEN 'voicemail'
             WHEN let_go THEN 'disconnected' WHEN busy THEN 'busy' WHEN failed THEN 'failed'
             WHEN userfield = 'Inbound' OR ended_in IN ('ivr', 'queue', 'park') THEN 'abandoned'
             ELSE 'no_answer' END AS outcome
    FROM (
        SELECT call_id, any_value(began) AS began, max(call_over_at) AS over_at, min(picked_up) AS answered_at,
            arg_min(person, row(picked_up, step)) FILTER (picked_up IS NOT NULL) AS answered_by,
            min(came_at) FILTER (kind = 'voicemail' AND connected) AS mailbox_at,
            arg_max(kind, step) AS ended_in, arg_min(kind, step) FILTER (kind <> 'did') AS first_kind,
            bool_or(from_end = 1 AND person IS NULL AND kind = 'ivr' AND app = 'Playback'
                    AND data LIKE '%error%') AS let_go,
            bool_or(from_end = 1 AND person IS NULL AND busy) AS busy,
            bool_or(from_end = 1 AND person IS NULL AND failed) AS failed,
            coalesce(sum(talk_s), 0) AS talk_s, coalesce(sum(heard_s), 0) AS ivr_s,
            coalesce(sum(date_diff('second', came_at, coalesce(picked_up, next_at, call_over_at)))
                FILTER (kind = 'queue'), 0) AS queue_s,
            coalesce(string_agg(kind || ':' || target, ' > ' ORDER BY step) FILTER (kind <> 'did'), '') AS path,
            arg_min(target, step) FILTER (kind = 'did') AS did
        FROM story GROUP BY call_id
    ) JOIN head USING (call_id) JOIN whole USING (call_id)
),
parent AS (
    SELECT call_id, min(of) AS of FROM (
        SELECT DISTINCT f.call_id, p.call_id AS of
        FROM call f JOIN placed r ON r.person = f.forwarded_from AND r.call_id <> f.call_id
        JOIN call p ON p.call_id = r.call_id
        WHERE p.forwarded_from IS NULL AND (p.caller = f.caller OR p.did = f.caller)
            AND r.kind IN ('extension', 'transfer', 'ring_group', 'queue') AND r.lastapp <> 'ForkCDR'
            AND f.began BETWEEN p.began AND p.over_at + INTERVAL 2 SECOND
        UNION
        SELECT c.call_id, p.call_id FROM call c JOIN call p ON p.uniqueid = c.parked AND p.call_id <> c.call_id
        WHERE c.began > p.began
    ) GROUP BY call_id HAVING count(*) = 1
),
brought AS (
    SELECT of AS call_id, arg_min(struct_pack(answered_at, answered_by), row(answered_at, call_id)) AS b,
        sum(talk_s) AS further_s
    FROM parent JOIN call USING (call_id) WHERE answered_at IS NOT NULL GROUP BY of
)
SELECT
    call_id, direction, CASE WHEN b IS NOT NULL AND answered_at IS NULL THEN 'answered' ELSE outcome END AS outcome,
    ended_in, coalesce(c.answered_by, CASE WHEN answered_at IS NULL THEN b.answered_by END) AS answered_by,
    date_diff('second', began, coalesce(c.answered_at, b.answered_at, mailbox_at, over_at)) AS wait_s,
    c.talk_s + coalesce(further_s, 0) AS talk_s,
    ivr_s, queue_s, path, of AS forward_of, forwarded_from IS NOT NULL OR of IS NOT NULL AS is_forward
FROM call c LEFT JOIN parent USING (call_id) LEFT JOIN brought USING (call_id)
ORDER BY call_id
"""


def calls(legs: pd.DataFrame) -> pd.DataFrame:
    """The same in pandas: masks, shifts and group-bys."""
    legs = _placed(legs)
    stages = _stages(legs)
    made = _told(legs, stages)
    parents = _parents(legs, made)
    made["forward_of"] = parents.reindex(made.index)
    made["is_forward"] = made["forwarded_from"].notna() | made["forward_of"].notna()
    reached = made[made["forward_of"].notna() & made["answered_at"].notna()].sort_values("answered_at", kind="stable")
    brought = reached.drop_duplicates("forward_of").set_index("forward_of").reindex(made.index)
    hit = made["answered_at"].isna() & brought["answered_at"].notna()
    for name in ("answered_at", "answered_by"):
        made[name] = brought[name].where(hit, made[name])
    further_s = reached.groupby("forward_of")["talk_s"].sum()
    made["talk_s"] += further_s.reindex(made.index, fill_value=0)
    made["outcome"] = made["outcome"].where(~hit, "answered")
    waited = made["answered_at"].fillna(made["mailbox_at"]).fillna(made["over_at"])
    made["wait_s"] = _seconds(waited - made["began"])
    return made[list(COLUMNS)].reset_index()


def _seconds(span: pd.Series[Any]) -> pd.Series[Any]:
    return span.dt.total_seconds()


def _object(action: pd.Series[Any]) -> pd.Series[Any]:
    return action.str.extract(r"\[([^\]]*)\]", expand=False)


def _placed(legs: pd.DataFrame) -> pd.DataFrame:
    """Legs in order, with kind, target and the number of their step."""
    texts = ["action_type", "dst", "dcontext", "lastapp", "src", "dstanswer", "dstchannel_ext"]
    legs = legs.astype(dict.fromkeys(texts, "str"))
    action = legs["action_type"]
    legs["kind"] = np.select(
        [
            (legs["lastapp"] == "ForkCDR") & (action == "DIAL") & (legs["disposition"] != "ANSWERED"),
            action.str.startswith("VM") | (legs["lastapp"] == "VoiceMail"),
            action.str.startswith("PARKEDCALL"),
            action == "IVR[" + legs["dst"] + "]",
            action.str.startswith("QUEUE"),
            action.str.startswith("RINGGROUP"),
            action.str.startswith("TRANSFER"),
            legs["dst_trunk_name"].notna()
            | (legs["dcontext"] == "after-outbound-context")
            | legs["dcontext"].str.startswith("outbound-route"),
        ],
        ["did", "voicemail", "park", "ivr", "queue", "ring_group", "transfer", "external"],
        "extension",
    )
    legs["object"] = _object(action)
    legs["target"] = legs["object"].where(legs["kind"].isin(["ivr", "queue", "ring_group"]), legs["dst"])
    legs["target"] = legs["src"].where((legs["kind"] == "park") & (legs["lastapp"] == "ParkedCall"), legs["target"])
    picked = legs["dstchannel_ext"].where(legs["dstchannel_ext"] != legs["object"])
    picked = picked.fillna(legs["dstanswer"].where(legs["dstanswer"] != legs["object"]))
    outside = (legs["kind"] == "external") | legs["dstchannel_ext"].str.startswith("trunk").fillna(False)
    legs["person"] = legs["dstanswer"].where(outside, picked).fillna(legs["dst"])
    people = ["extension", "external", "ring_group", "queue", "transfer", "park"]
    legs["answered"] = (
        (legs["disposition"] == "ANSWERED")
        & (legs["lastapp"] != "ForkCDR")
        & legs["dstchannel"].notna()
        & legs["kind"].isin(people)
        & ((legs["kind"] != "queue") | (legs["billsec_s"] > 0))
    )
    legs["over_at"] = legs["end_at"].fillna(legs["start_at"] + pd.to_timedelta(legs["duration_s"], unit="s"))
    legs["not_did"] = legs["kind"] != "did"
    legs = legs.sort_values(["call_id", "start_at", "not_did", "acct_id"], ignore_index=True)
    before = legs.groupby("call_id", observed=True)[["kind", "target", "uniqueid", "start_at"]].shift()
    goes_on = (
        (legs["kind"] == before["kind"])
        & (legs["target"] == before["target"])
        & (legs["kind"].isin(["ring_group", "queue", "park"]) | (legs["start_at"] == before["start_at"]))
        & ((legs["kind"] == "park") | (legs["uniqueid"].astype("str") == before["uniqueid"].astype("str")))
    )
    legs["step"] = (~goes_on).astype("int64").groupby(legs["call_id"], observed=True).cumsum()
    return legs


def _stages(legs: pd.DataFrame) -> pd.DataFrame:
    """One row a step, with the moment of pick-up and the seconds of talk."""
    step = ["call_id", "step"]
    winners = legs[legs["answered"]].groupby(step, observed=True)
    winner = winners[["start_at", "answer_at", "end_at", "person", "recordfiles_desc"]].nth(0)
    winner = legs.loc[winner.index, [*step, *winner.columns]]
    talked = winners["end_at"].max().rename("talked_until").reset_index()
    winner = winner.merge(talked, on=step).rename(columns={"start_at": "won_at"})
    recorded = winner.pop("recordfiles_desc").astype("str").str.extract(r"start-time=(\d{10})", expand=False)
    winner["recorded"] = pd.to_numeric(recorded)
    losing = legs[(legs["kind"] == "ring_group") & (legs["disposition"] == "NO ANSWER") & legs["dstchannel"].notna()]
    losing = losing[[*step, "start_at", "end_at"]].merge(
        winner[[*step, "won_at", "end_at"]], on=step, suffixes=("", "_w")
    )
    losing = losing[
        (losing["start_at"] <= losing["won_at"] + pd.Timedelta(seconds=1))
        & (losing["end_at"] > losing["won_at"])
        & (losing["end_at"] <= losing["end_at_w"])
    ]
    silent = losing.groupby(step, observed=True)["end_at"].max().rename("silent_at").reset_index()
    heard = (legs["lastapp"] != "ForkCDR") & ~((legs["kind"] == "queue") & legs["dstchannel"].notna())
    heard_legs = legs[heard]
    legs = legs.assign(
        connected=legs["disposition"] == "ANSWERED",
        heard_s=_seconds(legs["end_at"] - legs["answer_at"]).where(legs["kind"] == "ivr", 0).fillna(0),
    )
    stages = legs.groupby(step, observed=True, as_index=False).agg(
        kind=("kind", "first"),
        target=("target", "first"),
        entered_at=("start_at", "min"),
        over_at=("over_at", "max"),
        app=("lastapp", "first"),
        data=("lastdata", "first"),
        connected=("connected", "any"),
        heard_s=("heard_s", "sum"),
        called_at=("called_at", "first"),
    )
    flags = pd.DataFrame(
        {
            "call_id": heard_legs["call_id"],
            "step": heard_legs["step"],
            "busy": heard_legs["disposition"] == "BUSY",
            "failed": heard_legs["disposition"].isin(["BUSY", "FAILED"]),
        }
    )
    flags = flags.groupby(step, observed=True, as_index=False).all()
    for other in (flags, winner, silent):
        stages = stages.merge(other, how="left", on=step)
    by_call = stages.groupby("call_id", observed=True)
    let_go = by_call["over_at"].shift().where(by_call["kind"].shift() == "did")
    stages["came_at"] = stages[["entered_at"]].assign(let_go=let_go).max(axis=1)
    stages["began"] = by_call["entered_at"].transform("min")
    stages["call_over_at"] = by_call["over_at"].transform("max")
    stages["next_at"] = stages.groupby("call_id", observed=True)["came_at"].shift(-1)
    epoch = stages["called_at"].dt.tz_localize(None).astype("datetime64[s]").astype("int64")
    recorded = stages["began"] + pd.to_timedelta(stages["recorded"] - epoch, unit="s")
    hidden = stages["kind"].isin(["ring_group", "transfer"]) & ~(stages["answer_at"] > stages["won_at"])
    found = stages["silent_at"].fillna(recorded.where(recorded.between(stages["won_at"], stages["end_at"])))
    picked_up = found.where(hidden).fillna(stages["answer_at"])
    stages["picked_up"] = pd.DataFrame({"a": picked_up, "b": stages["came_at"]}).max(axis=1).where(picked_up.notna())
    stages = stages.sort_values(["call_id", "picked_up", "step"], ignore_index=True)
    until = stages.groupby("call_id", observed=True)["talked_until"].cummax()
    until = until.groupby(stages["call_id"], observed=True).shift()
    since = pd.DataFrame({"a": stages["picked_up"], "b": until}).max(axis=1)
    stages["talk_s"] = _seconds(stages["talked_until"] - since).clip(lower=0).fillna(0)
    return stages.sort_values(["call_id", "step"], ignore_index=True)


def _told(legs: pd.DataFrame, stages: pd.DataFrame) -> pd.DataFrame:
    """One row a call."""
    until = stages["picked_up"].fillna(stages["next_at"]).fillna(stages["call_over_at"])
    stages["queue_s"] = _seconds(until - stages["came_at"]).where(stages["kind"] == "queue", 0)
    stages["mailbox_at"] = stages["came_at"].where((stages["kind"] == "voicemail") & stages["connected"])
    stages["place"] = stages["kind"] + ":" + stages["target"].fillna("")
    calls = stages.groupby("call_id", observed=True).agg(
        began=("began", "first"),
        over_at=("call_over_at", "max"),
        answered_at=("picked_up", "min"),
        mailbox_at=("mailbox_at", "min"),
        ended_in=("kind", "last"),
        talk_s=("talk_s", "sum"),
        ivr_s=("heard_s", "sum"),
        queue_s=("queue_s", "sum"),
    )
    picked = stages[stages["picked_up"].notna()].sort_values(["call_id", "picked_up", "step"])
    calls["answered_by"] = picked.drop_duplicates("call_id").set_index("call_id")["person"]
    ways = stages[stages["kind"] != "did"].groupby("call_id", observed=True)
    calls["path"] = ways["place"].agg(" > ".join)
    calls["path"] = calls["path"].fillna("")
    calls["first_kind"] = ways["kind"].first()
    calls["did"] = stages[stages["kind"] == "did"].groupby("call_id", observed=True)["target"].first()
    last = stages.drop_duplicates("call_id", keep="last").set_index("call_id")
    alone = last["person"].isna()
    first = legs.drop_duplicates("call_id").set_index("call_id")
    followed = legs[legs["action_type"].str.startswith("FOLLOWME").fillna(False)]
    calls["forwarded_from"] = followed.groupby("call_id", observed=True)["object"].min()
    calls["uniqueid"] = first["uniqueid"].astype("str")
    shown = first["new_src"].astype("str").fillna(first["channel_ext"].astype("str")).fillna(first["src"])
    own = (first["userfield"] == "Inbound") | calls["forwarded_from"].notna()
    own |= first["channel_ext"].astype("str").str.startswith("trunk").fillna(False)
    calls["caller"] = first["src"].where(own, shown)
    field = first["userfield"].astype("str")
    calls["direction"] = np.select(
        [
            field == "Inbound",
            (field == "Outbound") | (field == "Internal") & (calls["first_kind"] == "external"),
            field == "External",
        ],
        ["inbound", "outbound", "external"],
        "internal",
    )
    timed_out = (last["kind"] == "ivr") & (last["app"] == "Playback") & last["data"].astype("str").str.contains("error")
    calls["outcome"] = np.select(
        [
            calls["answered_at"].notna(),
            calls["mailbox_at"].notna(),
            alone & timed_out.fillna(False).astype(bool),
            alone & (last["busy"] == True),  # noqa: E712 NA where nothing was heard
            alone & (last["failed"] == True),  # noqa: E712
            (field == "Inbound") | calls["ended_in"].isin(["ivr", "queue", "park"]),
        ],
        ["answered", "voicemail", "disconnected", "busy", "failed", "abandoned"],
        "no_answer",
    )
    return calls


def _parents(legs: pd.DataFrame, calls: pd.DataFrame) -> pd.Series[Any]:
    """The session that another one goes on with, where exactly one can be it."""
    every = calls.reset_index()
    forwards = every[every["forwarded_from"].notna()][["call_id", "forwarded_from", "caller", "began"]]
    rung = legs[legs["kind"].isin(["extension", "transfer", "ring_group", "queue"]) & (legs["lastapp"] != "ForkCDR")]
    rung = rung[["call_id", "person"]].rename(columns={"call_id": "of", "person": "forwarded_from"}).drop_duplicates()
    rung = rung[rung["forwarded_from"].isin(forwards["forwarded_from"])]
    parent = every[every["forwarded_from"].isna()][["call_id", "caller", "did", "began", "over_at"]]
    parent = rung.merge(parent.rename(columns={"call_id": "of"}), on="of")
    # a merge on the extension alone pairs every forward with every call of it: by day it stays small
    days = [parent.assign(day=parent["began"].dt.floor("D") + pd.Timedelta(days=n)) for n in (0, 1)]
    near = forwards.assign(day=forwards["began"].dt.floor("D")).merge(
        pd.concat(days), on=["forwarded_from", "day"], suffixes=("", "_p")
    )
    near = near[
        ((near["caller"] == near["caller_p"]) | (near["caller"] == near["did"]))
        & (near["began"] >= near["began_p"])
        & (near["began"] <= near["over_at"] + pd.Timedelta(seconds=2))
    ]
    parks = legs[legs["kind"] == "park"].drop_duplicates("call_id")[["call_id", "uniqueid"]].astype("str")
    parks = parks.merge(every[["call_id", "began"]], on="call_id")
    parks = parks.merge(every[["call_id", "uniqueid", "began"]], on="uniqueid", suffixes=("", "_p"))
    parks = parks[parks["began"] > parks["began_p"]].rename(columns={"call_id_p": "of"})
    links = pd.concat([near[["call_id", "of"]], parks[["call_id", "of"]]]).drop_duplicates()
    return links.drop_duplicates("call_id", keep=False).set_index("call_id")["of"]
