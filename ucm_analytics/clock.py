"""Whether a PBX's clock did what its time zone does.

A call carries its instant twice: UTC in its session, and the wall clock in its records. The offset
between the two changes when the zone's rules say so; any other change is a clock set by hand or
another zone. A clock whose UTC itself was set back shows in the order of the records, which the PBX
numbers as calls end. UTC that was set forward, or was wrong from the first record on, shows nowhere.
"""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd

from ucm_analytics.errors import WrongColumns

_CALLS: Final = ("pbx", "call_id", "started_at", "ended_at", "local_at", "utc_offset_s", "forward_of")
_LEGS: Final = ("pbx", "call_id", "acct_id", "called_at", "duration_s")
_TOLERANCE_S: Final = 300
_CALLS_SET_BACK: Final = 3
"""Calls in a row that have to be out of order: one or two can have channels that lived on."""

_DTYPES: Final[dict[str, Any]] = {
    "pbx": "category",
    "day": "datetime64[us]",
    "from_offset_s": "Int64",
    "to_offset_s": "Int64",
    "expected": "boolean",
    "times": "int64",
    "meaning": "str",
}


def clock_changes(
    calls: pd.DataFrame, *, zone: ZoneInfo | None = None, legs: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Days on which a PBX's clock changed, or should have.

    Parameters
    ----------
    calls : pandas.DataFrame
        One row per call: ``pbx, call_id, started_at, ended_at, local_at, utc_offset_s`` [s],
        ``forward_of``.
    zone : ZoneInfo, optional
        Time zone of the PBX.
    legs : pandas.DataFrame, optional
        The legs of these calls: ``pbx, call_id, acct_id, called_at, duration_s`` [s]. Without them
        nothing is said about a clock that was set back.

    Returns
    -------
    pandas.DataFrame
        One row per PBX, day and kind of change, in order:

        ``pbx``, ``day`` (local day of the first call after the change), ``from_offset_s`` and
        ``to_offset_s`` [s] (equal where the offset stayed), ``expected`` (the zone changes like this;
        NA without a zone), ``times`` (how often on that day), ``meaning``.

    Raises
    ------
    WrongColumns
        A column is missing.

    Notes
    -----
    The difference to the zone is ``utc_offset_s`` minus the zone's offset at ``started_at``. A change is
    expected if the offset changes and the difference does not.

    A record is numbered (``AcctId``) when its leg or its call ends: not before ``called_at`` +
    ``duration_s``, not after ``ended_at`` or the end of the call that goes on with it (``forward_of``).
    Where three calls in a row ended more than five minutes before a record with a lower number can have
    been written, the clock went back. Numbers are compared within a month, as some firmware starts them
    anew each month; months in which a number occurs twice are left out, and so are calls that last from
    one month into the next.

    Examples
    --------
    >>> at = pd.to_datetime(["2026-03-28 12:00", "2026-03-29 12:00"], utc=True)
    >>> offset_s = [3600, 7200]
    >>> local_at = at.tz_localize(None) + pd.to_timedelta(offset_s, unit="s")
    >>> calls = pd.DataFrame({
    ...     "pbx": "clinic", "call_id": ["a", "b"], "started_at": at, "ended_at": at,
    ...     "local_at": local_at, "utc_offset_s": offset_s, "forward_of": None})
    >>> changes = clock_changes(calls, zone=ZoneInfo("Europe/Berlin"))
    >>> changes[["day", "from_offset_s", "to_offset_s", "expected"]]
             day  from_offset_s  to_offset_s  expected
    0 2026-03-29           3600         7200      True
    >>> changes["meaning"].tolist()
    ['the clock went forward by 1 h, as in Europe/Berlin']
    """
    calls = _chosen(calls, "calls", _CALLS)
    found = [row for pbx, own in calls.groupby("pbx", observed=True) for row in _offsets(str(pbx), own, zone)]
    if legs is not None:
        found += _set_back(_chosen(legs, "legs", _LEGS), calls)
    frame = pd.DataFrame(found, columns=[name for name in _DTYPES if name != "times"])
    keys = list(frame.columns)
    counted = frame.groupby(keys, dropna=False, sort=False, observed=True).size().reset_index(name="times")
    ordered = counted.astype(_DTYPES)[list(_DTYPES)].sort_values(["pbx", "day"], kind="stable")
    return ordered.reset_index(drop=True)


def _offsets(pbx: str, calls: pd.DataFrame, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    """Changes of the offset, or of its difference to the zone."""
    calls = calls[calls["started_at"].notna()].sort_values(["started_at", "call_id"])
    offset = calls["utc_offset_s"].astype("int64")
    # before the first call the clock is taken to have been right
    off = offset - _zone_offset(calls["started_at"], zone) if zone else offset * 0
    first = int((offset - off).iloc[0]) if len(calls) else 0
    before, off_before = offset.shift(fill_value=first), off.shift(fill_value=0)
    changed = (offset != before) | (off != off_before)
    return [
        {
            "pbx": pbx,
            "day": day,
            "from_offset_s": was,
            "to_offset_s": now,
            "expected": off_s == was_off_s if zone else None,
            "meaning": _meaning(now - was, off_s, was_off_s, zone, first=row == calls.index[0]),
        }
        for row, day, was, now, was_off_s, off_s in zip(
            calls.index[changed],
            calls["local_at"][changed].dt.normalize(),
            before[changed].tolist(),
            offset[changed].tolist(),
            off_before[changed].tolist(),
            off[changed].tolist(),
            strict=True,
        )
    ]


def _zone_offset(instants: pd.Series[Any], zone: ZoneInfo) -> pd.Series[Any]:
    local = instants.dt.tz_convert(zone).dt.tz_localize(None)
    offset: pd.Series[Any] = (local - instants.dt.tz_localize(None)) // pd.Timedelta(seconds=1)
    return offset


def _meaning(change_s: int, off_s: int, was_off_s: int, zone: ZoneInfo | None, *, first: bool) -> str:
    went = f"went {'forward' if change_s > 0 else 'back'} by {_length(abs(change_s))}"
    if zone is None:
        return f"the clock {went}; no time zone is known to compare it with"
    stands = f"{_length(abs(off_s))} {'ahead of' if off_s > 0 else 'behind'} {zone.key}"
    if off_s == was_off_s:
        return f"the clock {went}, as in {zone.key}" + (f", and stays {stands}" if off_s else "")
    if first:
        return f"the clock is {stands} from the first call on: another zone is set, or the clock is wrong"
    if off_s == 0:
        return f"the clock agrees with {zone.key} again"
    if change_s == 0:
        return f"{zone.key} changed its time and the clock did not: it is {stands}"
    return f"the clock {went}, as {zone.key} never did then: its zone was changed or it was set; it is {stands}"


def _set_back(legs: pd.DataFrame, calls: pd.DataFrame) -> list[dict[str, Any]]:
    """Calls that ended before records with a lower number can have been written."""
    calls = calls.assign(ended_s=_epoch(calls["ended_at"]))
    # the records of a parked caller are written when the call that picked the caller up ends
    onward = calls.dropna(subset=["forward_of"]).groupby(["pbx", "forward_of"]).agg(further_s=("ended_s", "max"))
    further = onward.reset_index().rename(columns={"forward_of": "call_id"})
    calls = calls.merge(further, on=["pbx", "call_id"], how="left")
    calls["ended_s"] = calls[["ended_s", "further_s"]].max(axis=1).astype("int64")
    month = calls["local_at"].dt.to_period("M")
    lasts = pd.to_timedelta(calls["ended_s"] - _epoch(calls["started_at"]), unit="s")
    whole = calls.assign(month=month)[month == (calls["local_at"] + lasts).dt.to_period("M")]
    rows = legs.dropna(subset=["acct_id", "called_at"]).merge(whole, on=["pbx", "call_id"])
    rows["not_before_s"] = _epoch(rows["called_at"]) + rows["duration_s"].fillna(0).astype("int64")
    found = []
    for (pbx, _), of_month in rows.groupby(["pbx", "month"], observed=True):
        if not of_month["acct_id"].duplicated().any():
            found += _backwards(str(pbx), of_month.sort_values("acct_id"))
    return found


def _backwards(pbx: str, rows: pd.DataFrame) -> list[dict[str, Any]]:
    reached = rows["not_before_s"].cummax().shift(fill_value=rows["not_before_s"].iloc[0])
    back = rows["ended_s"] < reached - _TOLERANCE_S
    late = rows.assign(back_s=reached - rows["ended_s"], run=(back != back.shift()).cumsum())[back]
    found = []
    for _, run in late.groupby("run"):
        if run["call_id"].nunique() < _CALLS_SET_BACK:
            continue
        first = run.iloc[0]
        found.append(
            {
                "pbx": pbx,
                "day": first["local_at"].normalize(),
                "from_offset_s": first["utc_offset_s"],
                "to_offset_s": first["utc_offset_s"],
                "expected": False,
                "meaning": f"the records are in an order that a clock set back by {_length(int(run['back_s'].max()))}"
                " or more explains, or a numbering that began anew",
            }
        )
    return found


def _epoch(instants: pd.Series[Any]) -> pd.Series[Any]:
    return (instants - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)


def _length(seconds: int) -> str:
    """Time in words: ``1 h 30 min``."""
    hours, rest = divmod(seconds, 3600)
    parts = [f"{hours} h"] * bool(hours) + [f"{round(rest / 60)} min"] * (rest >= 30)
    return " ".join(parts) or f"{seconds} s"


def _chosen(frame: pd.DataFrame, what: str, columns: tuple[str, ...]) -> pd.DataFrame:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise WrongColumns(
            f"{what} lacks the columns {', '.join(missing)}", hint=f"pass the {what} table as the store gives it"
        )
    return frame[list(columns)].astype({"pbx": "str", "call_id": "str"}).reset_index(drop=True)
