"""Quality: how records become rings, calls and callers, which days are there, which reports are touched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.caller_keys import keyed
from ucm_analytics.analyses.dialling import number, optional
from ucm_analytics.analyses.frames import (
    ResultColumn,
    analysis,
    arrow,
    collect,
    on_engine_of,
    required,
    select_required,
)
from ucm_analytics.analyses.population import continues, from_outside
from ucm_analytics.model import crosscheck
from ucm_analytics.schema import Column

_CALL: Final = ["pbx", "call_id"]
_BY_CALL: Final[list[Any]] = [(name, "ascending") for name in _CALL]
_NO_PHONE: Final = {
    "did": "copies for the number dialled from outside, before it was routed",
    "menu": "time spent in menus",
    "voicemail": "mailboxes that recorded or played a greeting",
    "outside": "attempts to reach a number outside by a trunk",
    "queue": "queues that hold the caller, and copies of queue conversations: no phone of their own",
    "ring_group": "starts of ring group rounds: no phone of their own",
    "park": "callers waiting in a park slot",
    "transfer": "transfers to something that is no phone",
    "extension": "extensions without a phone that could ring",
    "other": "actions that are not known",
}
_STATES: Final = ("missing", "provisional", "settled", "empty")


@analysis(
    ResultColumn(
        "grain", "category", "what is counted in the end: calls, answered, callers, rings, calls by rings, steps"
    ),
    ResultColumn("what", "category", "name of the line"),
    ResultColumn("part", "category", "start, less, more, unexplained or total"),
    ResultColumn("count", "int64", "how many"),
    ResultColumn("effect", "int64", "count with its sign; 0 in the total"),
    ResultColumn("meaning", "string", "what is counted here"),
)
def reconciliation(legs: Any, *, steps: Any, rings: Any, calls: Any) -> pa.Table:
    """Show how legs become calls, answered calls, callers, rings and steps, every difference named and counted.

    Parameters
    ----------
    legs : frame
        One row per CDR row: ``pbx, call_id, set_aside``, and ``model.crosscheck.FIELDS``, from which kinds of rows
        are told. Rows that are set aside are in no line.
    steps : frame
        One row per step: ``pbx, legs``.
    rings : frame
        One row per phone that rang: ``pbx, call_id``.
    calls : frame
        One row per call: ``pbx, call_id, local_at, utc_offset_s, direction, caller, outcome, wait_s, forward_of,
        is_forward``.

    Returns
    -------
    frame
        The kind of `legs`. For each grain a ``start``, what it is ``less`` or ``more``, what is
        ``unexplained``, and the ``total``, as columns ``grain``, ``what``, ``part``, ``count``, ``effect``,
        ``meaning``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    In each grain the effects add up to the count of the total. The start and the lines come from the
    legs, by rules of their own; the total is the number of rows of the table that the reports use. So
    ``unexplained`` = total - (start + effects) is 0 unless one of the two is wrong.

    Grain ``answered`` starts with the PBX's own way: rows whose disposition is ANSWERED.

    Examples
    --------
    >>> import ucm_analytics as ucm
    >>> store = ucm.demo_store()
    >>> tables = {name: store.scan(name, "2026-03") for name in ("steps", "rings", "calls")}
    >>> found = reconciliation(store.scan("legs", "2026-03"), **tables)
    >>> found[found["part"] == "total"][["what", "count"]].to_dict("records")[0]
    {'what': 'calls', 'count': 2535}
    >>> int(found.loc[found["part"] == "unexplained", "count"].sum())
    0
    """
    rows = crosscheck.classified(
        select_required(legs, "legs", required("legs", *_CALL, "set_aside", *crosscheck.FIELDS)).filter(
            nw.col("set_aside").is_null()
        )
    )
    by_kind = collect(
        rows.group_by("kind", "is_ring", "answered", "picked_up").agg(legs=nw.len().cast(nw.Int64))
    ).reset_index(drop=True)
    sessions = _sessions(rows, by_kind)
    more = optional(calls, "caller_number")
    known = select_required(calls, "calls", (*required("calls", *_CALL, *_OF_CALLS), *more))
    outcomes = known.with_columns(continues=continues(), answered=(nw.col("outcome") == "answered").fill_null(False))
    by_call = collect(outcomes.group_by("continues", "answered").agg(calls=nw.len().cast(nw.Int64)))
    stages = select_required(steps, "steps", required("steps", "pbx", "legs")).select(
        _sum("legs"), steps=nw.len().cast(nw.Int64)
    )
    rung = select_required(rings, "rings", required("rings", *_CALL)).group_by(_CALL).agg(rings=nw.len().cast(nw.Int64))
    rung = rung.select(rings=_sum("rings"), calls=nw.len().cast(nw.Int64))
    ringing = collect(rung).fillna(0).iloc[0]
    lines = [
        *_calls(sessions, by_call),
        *_answered(by_kind, sessions, by_call, brought=_brought(known, rows)),
        *_callers(known.with_columns(number=number("caller", more))),
        *_rings(by_kind, rings=int(ringing["rings"])),
        *_calls_by_rings(sessions, by_call, rings=int(ringing["rings"]), rang=int(ringing["calls"])),
        *_steps(int(by_kind["legs"].sum()), collect(stages).fillna(0).iloc[0]),
    ]
    return pa.Table.from_pandas(pd.DataFrame(lines, columns=_COLUMNS), preserve_index=False)


@analysis(
    ResultColumn("day", "wall", "the day"),
    ResultColumn("state", "category", "missing, provisional, settled, or empty: settled, and nobody called"),
    ResultColumn("legs", "int64", "CDR rows"),
)
def coverage_calendar(coverage: Any) -> pa.Table:
    """State of each day, all PBXs together.

    Parameters
    ----------
    coverage : frame
        What `Store.coverage` gives: ``pbx, day, state, legs``.

    Returns
    -------
    frame
        The kind of `coverage`. One row per day: ``day``, ``state``, ``legs``. A day has the worst state that
        it has on any PBX: missing, then provisional, then settled.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    ``empty`` is not ``missing``: the PBX was asked, and holds no record of the day.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-03-02", "2026-03-03", "2026-03-04"])
    >>> coverage = pd.DataFrame({
    ...     "pbx": "clinic", "day": days, "state": ["settled", "settled", "missing"], "legs": [40, 0, 0]})
    >>> coverage_calendar(coverage)["state"].tolist()
    ['settled', 'empty', 'missing']
    """
    frame = select_required(coverage, "coverage", _COVERAGE)
    rank = reduce(
        lambda otherwise, state: (
            nw.when(nw.col("state") == state).then(nw.lit(_STATES.index(state))).otherwise(otherwise)
        ),
        ("settled", "provisional", "missing"),
        nw.lit(_STATES.index("missing")),
    )
    days = collect(
        frame.filter(~nw.col("day").is_null())
        .with_columns(rank=rank.cast(nw.Int64))
        .group_by("day")
        .agg(nw.col("rank").min(), legs=_sum("legs"))
    )
    days["legs"] = days["legs"].fillna(0).astype("int64")
    days.loc[(days["rank"] == _STATES.index("settled")) & (days["legs"] == 0), "rank"] = _STATES.index("empty")
    days["state"] = days["rank"].map(dict(enumerate(_STATES))).astype("str")
    return arrow(days[["day", "state", "legs"]], sort=[("day", "ascending")])


@analysis(
    ResultColumn("report", "category", "name of the report"),
    ResultColumn("severity", "category", "error, warning or note"),
    ResultColumn("findings", "int64", "findings of this severity that touch the report"),
)
def affected_reports(findings: Any) -> pa.Table:
    """Count the findings that touch each report.

    Parameters
    ----------
    findings : frame
        What `Audit.frame` holds: ``severity``, and ``touches``, names of reports joined by ``, ``.

    Returns
    -------
    frame
        The kind of `findings`. One row per report and severity, most findings first: ``report``,
        ``severity``, ``findings``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    A finding that touches several reports counts for each of them.

    Examples
    --------
    >>> import pandas as pd
    >>> found = pd.DataFrame({"severity": ["error", "note"], "touches": ["durations, extensions", "durations"]})
    >>> affected_reports(found)[["report", "severity"]].values.tolist()
    [['durations', 'error'], ['durations', 'note'], ['extensions', 'error']]
    """
    found = collect(select_required(findings, "findings", _FINDINGS))
    touched = found.assign(report=found["touches"].fillna("").str.split(", ")).explode("report")
    touched = touched[touched["report"].fillna("") != ""]
    counts = touched.groupby(["report", "severity"]).size().reset_index(name="findings")
    counts["all"] = counts.groupby("report")["findings"].transform("sum")
    table = arrow(counts, sort=[("all", "descending"), ("report", "ascending"), ("severity", "ascending")])
    return table.drop_columns("all")


_COLUMNS: Final = ["grain", "what", "part", "count", "effect", "meaning"]
_COVERAGE: Final = (
    Column("day", "wall", "the day"),
    Column("state", "category", "settled, provisional, missing"),
    Column("legs", "int64", "CDR rows"),
)
_FINDINGS: Final = (
    Column("severity", "category", "error, warning or note"),
    Column("touches", "string", "reports"),
)

_OF_CALLS: Final = ("caller", "direction", "forward_of", "is_forward", "local_at", "outcome", "utc_offset_s", "wait_s")
_GOES_ON: Final = "sessions that only go on with another call: follow-me attempts, calls picked up from park"
_RECORDS: Final = "CDR rows, called legs: what the PBX writes, but for those that are set aside"

Line = tuple[str, str, str, int, int, str]


def _sessions(rows: nw.LazyFrame[Any], by_kind: pd.DataFrame) -> pd.Series[Any]:
    """Sessions of the legs, and those in which the legs show that a person picked up."""
    each = rows.group_by(_CALL).agg(own=nw.col("picked_up").cast(nw.Int64).max())
    found = collect(each.select(_sum("own"), sessions=nw.len().cast(nw.Int64))).fillna(0).iloc[0]
    found["legs"] = by_kind["legs"].sum()
    found["pickups"] = by_kind.loc[by_kind["picked_up"].astype(bool), "legs"].sum()
    return found


def _brought(calls: nw.LazyFrame[Any], legs: nw.LazyFrame[Any]) -> int:
    """Calls whose legs show no pick-up, and that show the very pick-up of a session that goes on with them."""
    when = ("local_at", "utc_offset_s", "wait_s")
    answered = calls.filter(nw.col("outcome") == "answered")
    went_on = answered.filter(~nw.col("forward_of").is_null())
    went_on = went_on.select("pbx", nw.col("forward_of").alias("call_id"), *(nw.col(n).alias(f"on_{n}") for n in when))
    both = collect(answered.select(*_CALL, *when).join(went_on, on=_CALL))
    # legs may lie in another engine than calls: few calls go on, and only theirs are looked at
    theirs = legs.join(on_engine_of(legs, arrow(both[_CALL].drop_duplicates(), sort=_BY_CALL)), on=_CALL)
    picked_up = collect(theirs.filter(nw.col("picked_up")).select(_CALL).unique())
    both = both.merge(picked_up, how="left", on=_CALL, indicator="own").query("own == 'left_only'")
    later_s = (both["on_local_at"] - both["local_at"]).dt.total_seconds()
    later_s += both["utc_offset_s"] - both["on_utc_offset_s"]
    same = later_s + both["on_wait_s"] == both["wait_s"]
    return len(both.loc[same, _CALL].drop_duplicates())


def _rings(by_kind: pd.DataFrame, *, rings: int) -> list[Line]:
    silent = by_kind[~by_kind["is_ring"].astype(bool)].groupby("kind")["legs"].sum()
    return _grain(
        "rings",
        ("records", int(by_kind["legs"].sum()), _RECORDS),
        [(kind, -int(silent.get(kind, 0)), meaning) for kind, meaning in _NO_PHONE.items()],
        (rings, "phones that rang: rows of the rings table"),
    )


def _steps(records: int, stages: pd.Series[Any]) -> list[Line]:
    steps = int(stages["steps"])
    parallel = "further rows of the same step: phones of a group or queue, copies of a conversation"
    return _grain(
        "steps",
        ("records", records, _RECORDS),
        [("parallel", steps - int(stages["legs"]), parallel)],
        (steps, "stages that callers went through: rows of the steps table"),
    )


def _calls(sessions: pd.Series[Any], by_call: pd.DataFrame) -> list[Line]:
    forwards, total = _of_calls(by_call)
    return _grain(
        "calls",
        ("records", int(sessions["legs"]), _RECORDS),
        [
            (
                "further_legs",
                int(sessions["sessions"] - sessions["legs"]),
                "rows after the first of the same session: one call writes a row for every stage and phone",
            ),
            ("continuations", -forwards, _GOES_ON),
        ],
        (total, "different calls: rows of the calls table that go on with no other"),
    )


def _calls_by_rings(sessions: pd.Series[Any], by_call: pd.DataFrame, *, rings: int, rang: int) -> list[Line]:
    forwards, total = _of_calls(by_call)
    return _grain(
        "calls by rings",
        ("rings", rings, "phones that rang"),
        [
            ("further_rings", rang - rings, "further phones of the same call, or the same phone again"),
            (
                "silent",
                int(sessions["sessions"]) - rang,
                "sessions in which no phone of the house rang: left in a menu, mailbox, called out",
            ),
            ("continuations", -forwards, _GOES_ON),
        ],
        (total, "different calls"),
    )


def _of_calls(by_call: pd.DataFrame) -> tuple[int, int]:
    """Calls that only go on with another one, and the others."""
    forwards = int(by_call.loc[by_call["continues"].astype(bool), "calls"].sum())
    return forwards, int(by_call["calls"].sum()) - forwards


def _callers(calls: nw.LazyFrame[Any]) -> list[Line]:
    own = calls.filter(~continues())
    ways = collect(own.group_by("direction").agg(calls=nw.len().cast(nw.Int64)))
    total = int(ways["calls"].sum())
    came = collect(own.filter(from_outside()).group_by("number").agg(calls=nw.len().cast(nw.Int64)))
    key = keyed(came["number"])  # one caller is what it is in `top_callers`
    callers, anonymous, inbound = key.nunique(), int(came.loc[key.isna(), "calls"].sum()), int(came["calls"].sum())
    named = {way: _of(ways, way) for way in ("outbound", "internal", "external")}
    return _grain(
        "callers",
        ("calls", total, "different calls"),
        [
            ("outbound", -named["outbound"], "calls to a number outside"),
            ("internal", -named["internal"], "calls between extensions"),
            ("external", -named["external"], "calls that came by a trunk and left by one"),
            ("unknown", inbound + sum(named.values()) - total, "calls whose direction is not known"),
            ("anonymous", -anonymous, "calls from outside that show no number"),
            ("repeated", callers + anonymous - inbound, "calls after the first from the same number"),
        ],
        (callers, "different numbers that called from outside"),
    )


def _answered(by_kind: pd.DataFrame, sessions: pd.Series[Any], by_call: pd.DataFrame, *, brought: int) -> list[Line]:
    answered = by_kind[by_kind["answered"].astype(bool)]
    by_nobody = answered[~answered["picked_up"].astype(bool)].groupby("kind")["legs"].sum()
    people = by_call[by_call["answered"].astype(bool)]
    going_on = int(people.loc[people["continues"].astype(bool), "calls"].sum())
    return _grain(
        "answered",
        ("answered_records", int(answered["legs"].sum()), "CDR rows with disposition ANSWERED: the PBX's number"),
        [
            *(
                (kind, -int(by_nobody.get(kind, 0)), f"answered, but by no person: {meaning}")
                for kind, meaning in _NO_PHONE.items()
            ),
            (
                "further_pickups",
                int(sessions["own"] - sessions["pickups"]),
                "further people who picked up in the same call",
            ),
            (
                "brought",
                brought,
                "calls that another session brought to a person: follow-me, picked up from park",
            ),
            ("continuations", -going_on, "the sessions that brought them, and others that go on"),
        ],
        (int(people["calls"].sum()) - going_on, "calls that a person answered"),
    )


def _grain(
    grain: str, start: tuple[str, int, str], lines: Sequence[tuple[str, int, str]], total: tuple[int, str]
) -> list[Line]:
    what, count, meaning = start
    unexplained = total[0] - count - sum(effect for _, effect, _ in lines)
    return [
        (grain, what, "start", count, count, meaning),
        *((grain, what, "more" if effect > 0 else "less", abs(effect), effect, text) for what, effect, text in lines),
        (grain, "unexplained", "unexplained", abs(unexplained), unexplained, "not accounted for; 0 if all is well"),
        (grain, grain, "total", total[0], 0, total[1]),
    ]


def _of(ways: pd.DataFrame, direction: str) -> int:
    return int(ways.loc[ways["direction"] == direction, "calls"].sum())


def _sum(name: str) -> nw.Expr:
    return nw.col(name).sum().cast(nw.Int64)
