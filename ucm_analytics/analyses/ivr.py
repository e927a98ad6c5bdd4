"""Menus: the ways that callers take, where they leave, what they choose.

A *pass* is one stay in a menu or one move from step to step; a call that hears a menu twice has two.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.analyses.frames import ResultColumn, analysis, arrow, collect, required, select_required
from ucm_analytics.analyses.population import counted_calls
from ucm_analytics.schema import Column

_CALL: Final = ("pbx", "call_id")
_AFTER: Final = {"next_no": "step_no", "next_kind": "kind", "next_target": "target"}
_MENUS: Final = (
    Column("pbx", "category", "name of the PBX"),
    Column("kind", "category", "ivr for a menu"),
    Column("number", "category", "number of the menu"),
    Column("key", "category", "key of the menu, timeout, invalid or dial; empty for the menu itself"),
    Column("target_kind", "category", "kind of step that the key leads to"),
    Column("target", "category", "its number"),
)


@analysis(
    ResultColumn("path", "string", "`kind:target` of every step, joined by ` > `"),
    ResultColumn("calls", "int64", "calls that took exactly this path", metric="calls"),
    ResultColumn("share", "float64", "calls / all calls that went through a menu, 0-1", metric="path_share"),
    ResultColumn("answered", "int64", "those that a person answered", metric="calls_answered"),
    ResultColumn("answered_rate", "float64", "answered / calls, 0-1", metric="path_answered_rate"),
    ResultColumn("median_wait_s", "float64", "median wait", "s", metric="quantile"),
    divides_by="calls that went through a menu (share); calls of the path (answered rate)",
)
def ivr_paths(calls: Any) -> pa.Table:
    """Count the different ways that callers take through the menus.

    Parameters
    ----------
    calls : frame
        One row per call: ``path, outcome, wait_s, is_forward``.

    Returns
    -------
    frame
        The kind that went in. One row per path that passes a menu, most frequent first: ``path``, ``calls``,
        ``share``, ``answered``, ``answered_rate``, ``median_wait_s`` [s].

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    share = calls / sum of calls; answered = calls with outcome 'answered'; the wait is that of all calls of
    the path, answered or not. Rows with ``is_forward`` are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({
    ...     "path": ["ivr:7000 > queue:6500", "ivr:7000 > queue:6500", "ivr:7000", "extension:1004"],
    ...     "outcome": ["answered", "abandoned", "abandoned", "answered"], "wait_s": [30, 90, 8, 5],
    ...     "is_forward": False})
    >>> ivr_paths(calls)[["path", "calls", "answered_rate", "median_wait_s"]]
                        path  calls  answered_rate  median_wait_s
    0  ivr:7000 > queue:6500      2            0.5           60.0
    1               ivr:7000      1            0.0            8.0
    """
    frame = counted_calls(calls, "path", "outcome", "wait_s").filter(nw.col("path").str.contains("ivr:", literal=True))
    paths = collect(
        frame.group_by("path").agg(
            calls=nw.len().cast(nw.Int64),
            answered=(nw.col("outcome") == "answered").cast(nw.Int64).sum().cast(nw.Int64),
            median_wait_s=nw.col("wait_s").median().cast(nw.Float64),
        )
    )
    paths["share"] = paths["calls"] / paths["calls"].sum()
    paths["answered_rate"] = paths["answered"] / paths["calls"]
    columns = ["path", "calls", "share", "answered", "answered_rate", "median_wait_s"]
    return arrow(paths[columns], sort=[("calls", "descending"), ("path", "ascending")])


@analysis(
    ResultColumn("from", "category", "`kind:target` of a step"),
    ResultColumn("to", "category", "`kind:target` of the step after it, or `end:<result>` where the call ended"),
    ResultColumn("calls", "int64", "different calls that made this move", metric="calls"),
    ResultColumn("passes", "int64", "how often it was made", metric="passes"),
    ResultColumn("median_dwell_s", "float64", "median time in the step before the move", "s", metric="quantile"),
)
def ivr_transitions(steps: Any) -> pa.Table:
    """Count the moves from step to step in calls that went through a menu.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, call_id, step_no, kind, target, dwell_s, result``.

    Returns
    -------
    frame
        The kind that went in. One row per pair of steps that follow each other, most frequent first:
        ``from``, ``to``, ``calls``, ``passes``, ``median_dwell_s`` [s]. A last step leads to
        ``end:<result>``.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    A step and the one with the next ``step_no`` of the same call are one pass. For every step but the first
    of a call, the passes into it equal the passes out of it.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": ["a", "a", "b", "b"], "step_no": [1, 2, 1, 2],
    ...     "kind": ["ivr", "queue", "ivr", "ivr"], "target": ["7000", "6500", "7000", "7000"],
    ...     "dwell_s": [8, 20, 10, 4], "result": ["next", "answered", "next", "hung_up"]})
    >>> ivr_transitions(steps)
             from            to  calls  passes  median_dwell_s
    0    ivr:7000   end:hung_up      1       1             4.0
    1    ivr:7000      ivr:7000      1       1            10.0
    2    ivr:7000    queue:6500      1       1             8.0
    3  queue:6500  end:answered      1       1            20.0
    """
    frame = _steps(steps)
    with_menu = frame.filter(nw.col("kind") == "ivr").select(*_CALL)
    # all steps follow one another: a window reads them once, where a join would make a table of them twice
    after = {name: nw.col(of).shift(-1).over(*_CALL, order_by="step_no") for name, of in _AFTER.items()}
    moves = frame.join(with_menu, on=list(_CALL), how="semi").with_columns(**after)
    follows = (nw.col("next_no") == nw.col("step_no") + 1).fill_null(False)  # a step left out is not jumped over
    moves = moves.with_columns(
        *(nw.when(follows).then(nw.col(name)).alias(name) for name in ("next_kind", "next_target")),
        end=nw.when(~follows).then(nw.col("result")),
    )
    result = collect(
        moves.group_by("kind", "target", "next_kind", "next_target", "end").agg(
            calls=nw.struct(*_CALL).n_unique().cast(nw.Int64),
            passes=nw.len().cast(nw.Int64),
            median_dwell_s=nw.col("dwell_s").median().cast(nw.Float64),
        )
    )
    result["from"] = _node(result["kind"], result["target"])
    result["to"] = _node(result["next_kind"], result["next_target"]).fillna("end:" + result["end"].astype("str"))
    return arrow(
        result[["from", "to", "calls", "passes", "median_dwell_s"]],
        sort=[("passes", "descending"), ("from", "ascending"), ("to", "ascending")],
    )


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("menu", "category", "number of the menu"),
    ResultColumn("calls", "int64", "different calls that heard the menu", metric="calls"),
    ResultColumn("passes", "int64", "how often it was heard", metric="passes"),
    ResultColumn("repeated", "int64", "passes after which the same menu came again", metric="menu_repeated"),
    ResultColumn("went_on", "int64", "passes after which another step came", metric="menu_went_on"),
    ResultColumn(
        "answered", "int64", "those of went_on that a person answered later in the call", metric="menu_answered"
    ),
    ResultColumn("hung_up", "int64", "passes in which the caller left", metric="menu_hung_up"),
    ResultColumn("timed_out", "int64", "passes in which the PBX ended the call", metric="menu_timed_out"),
    ResultColumn("other", "int64", "passes that ended the call in another way", metric="menu_other"),
    ResultColumn("went_on_rate", "float64", "went_on / passes, 0-1", metric="menu_rates"),
    ResultColumn("answered_rate", "float64", "answered / passes, 0-1", metric="menu_rates"),
    ResultColumn("hung_up_rate", "float64", "hung_up / passes, 0-1", metric="menu_rates"),
    ResultColumn("timed_out_rate", "float64", "timed_out / passes, 0-1", metric="menu_rates"),
    ResultColumn("median_dwell_s", "float64", "median time in the menu", "s", metric="quantile"),
    ResultColumn("p90_dwell_s", "float64", "90th percentile of it", "s", metric="quantile"),
    divides_by="passes of the menu",
)
def ivr_dropoff(steps: Any) -> pa.Table:
    """Say for each menu how many callers go on, hear it again, hang up or are let go.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, call_id, step_no, kind, target, dwell_s, result``.

    Returns
    -------
    frame
        The kind that went in. One row per menu, most heard first: ``pbx``, ``menu``, ``calls``, ``passes``,
        ``repeated``, ``went_on``, ``answered``, ``hung_up``, ``timed_out``, ``other``, ``went_on_rate``,
        ``answered_rate``, ``hung_up_rate``, ``timed_out_rate``, ``median_dwell_s`` and ``p90_dwell_s`` [s].

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    passes = repeated + went_on + hung_up + timed_out + other. A menu that follows itself is a repeat. A pass
    counts as answered if a later step of the same call has the result 'answered' and the pass went on.
    Whoever hangs up in a menu may have heard what they wanted: the records cannot tell.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": ["a", "a", "b", "b"], "step_no": [1, 2, 1, 2],
    ...     "kind": ["ivr", "queue", "ivr", "ivr"], "target": ["7000", "6500", "7000", "7000"],
    ...     "dwell_s": [8, 20, 10, 4], "result": ["next", "answered", "next", "hung_up"]})
    >>> ivr_dropoff(steps)[["menu", "calls", "passes", "repeated", "went_on", "answered", "hung_up"]]
       menu  calls  passes  repeated  went_on  answered  hung_up
    0  7000      2       3         1        1         1        1
    """
    frame = _steps(steps)
    answers = frame.filter(nw.col("result") == "answered").group_by(*_CALL).agg(answer_no=nw.col("step_no").max())
    passes = _menu_passes(frame).join(answers, on=list(_CALL), how="left")
    repeated, went_on = _repeats(), ~nw.col("next_no").is_null() & ~_repeats()
    ended = nw.col("next_no").is_null()
    result_is = {name: ended & (nw.col("result") == name) for name in ("hung_up", "timed_out")}
    answered = went_on & (nw.col("answer_no") > nw.col("step_no"))
    menu = ["pbx", "menu"]
    counts = {"repeated": repeated, "went_on": went_on, "answered": answered, **result_is}
    result = collect(
        passes.group_by(menu).agg(
            calls=nw.col("call_id").n_unique().cast(nw.Int64),
            passes=nw.len().cast(nw.Int64),
            median_dwell_s=nw.col("dwell_s").median().cast(nw.Float64),
            p90_dwell_s=nw.col("dwell_s").quantile(0.9, "linear"),
            **{name: test.fill_null(False).cast(nw.Int64).sum().cast(nw.Int64) for name, test in counts.items()},
        )
    )
    result["other"] = result["passes"] - result[["repeated", "went_on", "hung_up", "timed_out"]].sum(axis=1)
    for name in ("went_on", "answered", "hung_up", "timed_out"):
        result[f"{name}_rate"] = result[name] / result["passes"]
    return arrow(
        result[[column.name for column in ivr_dropoff.columns]],
        sort=[("passes", "descending"), ("menu", "ascending"), ("pbx", "ascending")],
    )


@analysis(
    ResultColumn("pbx", "category", "name of the PBX"),
    ResultColumn("menu", "category", "number of the menu"),
    ResultColumn(
        "key", "category", "keys that lead there, joined by `/`; also dial, timeout, invalid, repeat; NA if none"
    ),
    ResultColumn("certainty", "category", "certain, ambiguous, default or unknown"),
    ResultColumn("to", "category", "`kind:target` of the step that followed"),
    ResultColumn("calls", "int64", "different calls that went this way", metric="calls"),
    ResultColumn("passes", "int64", "how often it was taken", metric="passes"),
    ResultColumn(
        "share", "float64", "passes / all passes of the menu that went on or came again, 0-1", metric="choice_share"
    ),
    divides_by="passes of the menu that went on or came again",
)
def ivr_choices(steps: Any, menus: Any) -> pa.Table:
    """Infer which key callers pressed, from where they went.

    Parameters
    ----------
    steps : frame
        One row per step: ``pbx, call_id, step_no, kind, target, dwell_s, result``.
    menus : frame
        Key tables of the menus, as ``Store.directory()`` gives them, one row per key: ``pbx, kind, number,
        key, target_kind, target``. Rows that are no menu's key are passed over.

    Returns
    -------
    frame
        The kind of `steps`. One row per menu and step that followed it: ``pbx``, ``menu``, ``key``,
        ``certainty``, ``to``, ``calls``, ``passes``, ``share``; within a menu most frequent first.

    Raises
    ------
    WrongColumns
        A column is missing or has another type.

    Notes
    -----
    The records hold no digits. A choice is read from the menu's key table and the next step:

    - certain: exactly one key leads to the step, or only dialling its number in the menu (``dial``);
    - ambiguous: several keys lead there, a key and dialling the number, or a key and the menu's own
      fallback; ``key`` names them all. A menu that lets callers dial extensions makes every key that
      leads to an extension or a mailbox ambiguous;
    - default: no key leads there, only the menu's ``timeout`` or ``invalid`` entry, or the menu came again
      (``repeat``): the caller pressed nothing or something invalid;
    - unknown: nothing in the table leads there, for instance because it was changed since; ``key`` is NA.

    A mailbox counts as reached by a key that leads to its extension: a phone that is not registered leaves
    no step. A key that leads to a prompt, or back, leaves no step and is not seen. Passes in which the call ended
    are not choices: see `ivr_dropoff`. The table is that of today: calls from before a change are read by
    the new one.

    Examples
    --------
    >>> import pandas as pd
    >>> steps = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": ["a", "a", "b", "b"], "step_no": [1, 2, 1, 2],
    ...     "kind": ["ivr", "queue", "ivr", "extension"], "target": ["7000", "6500", "7000", "1004"],
    ...     "dwell_s": [8, 20, 10, 4], "result": ["next", "answered", "next", "hung_up"]})
    >>> menus = pd.DataFrame({
    ...     "pbx": "clinic", "kind": "ivr", "number": "7000", "key": ["1", "2", "0"],
    ...     "target_kind": ["queue", "extension", "extension"], "target": ["6500", "1004", "1004"]})
    >>> ivr_choices(steps, menus)[["menu", "key", "certainty", "to", "passes", "share"]]
       menu  key  certainty              to  passes  share
    0  7000  0/2  ambiguous  extension:1004       1    0.5
    1  7000    1    certain      queue:6500       1    0.5
    """
    keys = _keys(menus)
    onward = _menu_passes(_steps(steps)).filter(~nw.col("next_no").is_null())
    counts = {"calls": nw.col("call_id").n_unique().cast(nw.Int64), "passes": nw.len().cast(nw.Int64)}
    result = collect(onward.group_by("pbx", "menu", "next_kind", "next_target").agg(**counts))
    result["to"] = _node(result["next_kind"], result["next_target"])
    ways = ["pbx", "menu", "to"]
    found = [
        _read(_leading(keys, pbx, menu, to), repeats=to == f"ivr:{menu}")
        for pbx, menu, to in result[ways].itertuples(index=False)
    ]
    result["key"] = pd.Series([key for key, _ in found], dtype="str")
    result["certainty"] = pd.Series([certainty for _, certainty in found], dtype="str")
    result["share"] = result["passes"] / result.groupby(["pbx", "menu"])["passes"].transform("sum")
    return arrow(
        result[[column.name for column in ivr_choices.columns]],
        sort=[("pbx", "ascending"), ("menu", "ascending"), ("passes", "descending"), ("to", "ascending")],
    )


def _node(kind: pd.Series[Any], target: pd.Series[Any]) -> pd.Series[Any]:
    return kind.astype("str") + ":" + target.astype("str")


def _steps(steps: Any) -> nw.LazyFrame[Any]:
    frame = select_required(steps, "steps", required("steps", *_CALL, "step_no", "kind", "target", "dwell_s", "result"))
    return frame.with_columns(nw.col("target").fill_null(""))


def _menu_passes(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Steps in menus, with ``next_no``, ``next_kind`` and ``next_target`` of the step after; NA for the last."""
    after = frame.select(*_CALL, (nw.col("step_no") - 1).alias("step_no"), **_AFTER)
    menus = frame.filter(nw.col("kind") == "ivr").rename({"target": "menu"})
    return menus.join(after, on=[*_CALL, "step_no"], how="left")


def _repeats() -> nw.Expr:
    return ((nw.col("next_kind") == "ivr") & (nw.col("next_target") == nw.col("menu"))).fill_null(False)


def _keys(menus: Any) -> dict[tuple[str, str, str], list[str]]:
    """Keys that lead from a menu to a step: {(pbx, menu, 'kind:target'): [key, ...]}."""
    table = select_required(menus, "menus", _MENUS).filter(
        nw.col("kind") == "ivr", ~nw.col("key").is_null(), nw.col("key").cast(nw.String) != ""
    )
    rows = collect(table.select("pbx", "number", "key", to=nw.concat_str("target_kind", "target", separator=":")))
    keys: dict[tuple[str, str, str], list[str]] = {}
    for pbx, number, key, to in rows.dropna().drop_duplicates().itertuples(index=False):
        keys.setdefault((pbx, number, to), []).append(key)
    return keys


def _leading(keys: dict[tuple[str, str, str], list[str]], pbx: str, menu: str, to: str) -> set[str]:
    """Keys that lead from a menu to a step, ``dial`` where its number can be dialled there."""
    kind, _, number = to.partition(":")
    found: set[str] = set()
    for reached in (kind, "extension") if kind == "voicemail" else (kind,):
        found.update(keys.get((pbx, menu, f"{reached}:{number}"), []))
        found.update(key for key in keys.get((pbx, menu, f"{reached}:"), []) if key == "dial")
    return found


def _read(keys: set[str], *, repeats: bool) -> tuple[str | None, str]:
    """Name of what was pressed, and how certain that is."""
    fallback = {"timeout", "invalid"}
    pressed = sorted(key for key in keys if key not in fallback)
    default = sorted(key for key in keys if key in fallback) + (["repeat"] if repeats else [])
    if not pressed:
        return ("/".join(default), "default") if default else (None, "unknown")
    certainty = "certain" if len(pressed) == 1 and not default else "ambiguous"
    return "/".join([*pressed, *default]), certainty
