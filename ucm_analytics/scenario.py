"""A stored call as a story that a test can tell: legs in, and what came out, masked.

The story says what the model says today. A person corrects what is wrong and puts the file beside
the others in ``tests/scenarios``; the format is described there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.legs import dump_legs, legs_table
from ucm_analytics.model import build
from ucm_analytics.schema import TableName, arrow_schema
from ucm_analytics.store.months import Months

if TYPE_CHECKING:
    import pyarrow as pa

    from ucm_analytics.store import Store

__all__ = ["story_of", "write_scenario"]

_DAY: Final = date(2026, 3, 10)
"""Day on which a masked call happens: no zone changes its clock around it."""

_STEPS: Final = ("kind", "target", "dwell_s", "wait_s", "talk_s", "result", "answered_by", "phones", "legs")
_RINGS: Final = ("extension", "ring_s", "talk_s", "result", "via")
_CALL: Final = (
    "direction", "caller", "caller_name", "callee", "local_at", "utc_offset_s", "outcome", "ended_in", "answered_by",
    "wait_s", "ring_s", "ivr_s", "queue_s", "talk_s", "voicemail_s", "duration_s", "path", "queue", "transfers",
    "trunk", "recordings", "exact_pickup", "forward_of", "is_forward",
)  # fmt: skip
_LEG: Final = (
    "session", "uniqueid", "userfield", "src", "dst", "dcontext", "clid", "caller_name", "channel", "channel_ext",
    "lastapp", "lastdata", "action_type", "dstchannel", "dstchannel_ext", "dstanswer", "src_trunk_name",
    "dst_trunk_name", "new_src", "start", "answer", "end", "duration", "billsec", "disposition", "recordfiles",
    "recordfiles_desc",
)  # fmt: skip
"""Fields that the model reads; no other leaves the store."""

_PUBLIC: Final = frozenset({"s", "api", "anonymous", "unknown", "private", "restricted", "unavailable"})
_WALL: Final = "%Y-%m-%d %H:%M:%S"
_ERROR_PROMPT: Final = "an-error-has-occured&vm-goodbye"


def write_scenario(store: Store, call_id: str, *, pbx: str | None = None) -> str:
    """Story of a stored call and of the sessions that go on with it.

    Numbers of six digits and more become numbers of the documentation range, the same number always
    the same one; shorter ones (extensions, menus, queues) stay. Names, trunks, channels and files are
    numbered. What the model does not read is left out. The call moves to a fixed day, at its own time
    of day; only one that happened within a day of a change of the clock keeps its date.

    Parameters
    ----------
    store : Store
        Holds the call.
    call_id : str
        Key of the call.
    pbx : str, optional
        The PBX; needed where several have a call of this key.

    Returns
    -------
    str
        The text of the file.

    Raises
    ------
    NoData
        The store has no such call.
    SettingError
        Several PBXs have a call of this key.
    DamagedFile
        A file cannot be read.
    """
    days, name, family = _family(store, call_id, pbx)
    legs = _rows(store, "legs", "call_id", family, days, name)
    return story_of(legs, zone=_zone(store, name, legs))


def story_of(legs: pa.Table, *, zone: ZoneInfo | None = None) -> str:
    """Story of the legs of one call, or of a few that belong together, masked as by `write_scenario`.

    Parameters
    ----------
    legs : pyarrow.Table
        Columns of `schema.LEGS`.
    zone : ZoneInfo, optional
        Time zone of the PBX.

    Returns
    -------
    str
        The text of the file.
    """
    mask = _Mask(*_shift(legs, zone))
    numbers = [math.inf if number is None else number for number in legs["acct_id"].to_pylist()]
    raw = sorted(zip(numbers, dump_legs(legs), strict=True), key=itemgetter(0))
    masked = [{"AcctId": str(number), **mask.leg(leg)} for number, (_, leg) in enumerate(raw, start=1)]
    return _text(masked, zone)


def _family(store: Store, call_id: str, pbx: str | None) -> tuple[tuple[date, ...], str, list[str]]:
    """Days to look at, PBX of a call, and all sessions that belong together with it."""
    near: tuple[date, ...] = ()
    if re.match(r"\d{10}", call_id):
        # what goes on with a call begins within hours; any zone is within a day of UTC
        day = datetime.fromtimestamp(int(call_id[:10]), UTC).date()
        near = (day - timedelta(days=2), day + timedelta(days=2))
    for days in (near, ()):  # a PBX whose clock is far off files its calls under another day
        found = _rows(store, "calls", "call_id", [call_id], days, pbx).to_pylist()
        if found:
            break
    else:
        raise NoData(f"the store has no call {call_id}", hint="take a call_id from `ucm-analytics export calls`")
    names = sorted({row["pbx"] for row in found})
    if len(names) > 1:
        raise SettingError(f"{', '.join(names)} all have a call {call_id}", hint="name the PBX with --pbx")
    first = found[0]["forward_of"] or call_id
    others = _rows(store, "calls", "forward_of", [first], days, names[0])["call_id"].to_pylist()
    return days, names[0], list(dict.fromkeys([first, call_id, *others]))


def _rows(
    store: Store, table: TableName, column: str, values: list[str], days: tuple[date, ...], pbx: str | None
) -> pa.Table:
    """Rows of a table with one of some values in a column."""
    import narwhals.stable.v2 as nw

    lazy = store.scan(table, *days, pbx=pbx)
    rows = lazy.filter(nw.col(column).is_in(values)).select(arrow_schema(table).names).collect("pyarrow").to_arrow()
    return rows.cast(arrow_schema(table))


def _zone(store: Store, pbx: str, legs: pa.Table) -> ZoneInfo | None:
    """Zone with which the call's month was made."""
    instants = [instant for instant in legs["called_at"].to_pylist() if instant is not None]
    return Months(store.path, pbx).zone(f"{min(instants):%Y-%m}" if instants else "undated")


def _shift(legs: pa.Table, zone: ZoneInfo | None) -> tuple[timedelta, int]:
    """What to add to wall times, and to epochs [s]."""
    walls = [wall for wall in legs["start_at"].to_pylist() if wall is not None]
    instants = [instant for instant in legs["called_at"].to_pylist() if instant is not None]
    if not walls or not instants:
        return timedelta(), 0
    days = timedelta(days=(_DAY - min(walls).date()).days)
    if zone is None:
        return days, int(days.total_seconds())
    began = min(instants).astimezone(zone)
    around = {(began + timedelta(days=day)).utcoffset() for day in (-1, 0, 1)}
    if len(around) > 1:
        return timedelta(), 0
    # the same wall time of another season is another distance from UTC
    seasons = (began.utcoffset() or timedelta()) - ((began + days).utcoffset() or timedelta())
    return days, int((days + seasons).total_seconds())


class _Mask:
    """Other people's numbers and names as numbers and names of nobody, each always the same."""

    def __init__(self, walls: timedelta, epochs: int) -> None:
        self._walls = walls
        self._epochs = epochs
        self._known: dict[tuple[str, str], str] = {}

    def leg(self, raw: Mapping[str, Any]) -> dict[str, str]:
        given = {field: str(raw.get(field) or "") for field in _LEG}
        return {
            field: _MASKS.get(field, _Mask.number)(self, value) if value else "" for field, value in given.items()
        } | {"lastdata": self._arguments(given["lastapp"], given["lastdata"])}

    def _numbered(self, what: str, text: str, made: Callable[[int], str]) -> str:
        others = sum(1 for kind, _ in self._known if kind == what)
        return self._known.setdefault((what, text), made(others))

    def number(self, text: str) -> str:
        """Number, extension, object or port; any other text is a name."""
        if re.fullmatch(r"(trunk_|o|g)\d+|[+*#\d]{1,5}", text) or text.lower() in _PUBLIC:
            return text
        if re.fullmatch(r"[+*#\d]+", text):
            return re.sub(
                r"\d{6,}", lambda found: self._numbered("number", found[0], lambda n: f"1202555{100 + n:04d}"), text
            )
        return self.name(text)

    def name(self, text: str) -> str:
        if re.fullmatch(r"[+*#\d]+", text):
            return self.number(text)
        return self._numbered("name", text, lambda n: f"Name-{n + 1}")

    def trunk(self, text: str) -> str:
        return self._numbered("trunk", text, lambda n: f"Trunk-{n + 1}")

    def label(self, text: str) -> str:
        """Text of the PBX's own: contexts, applications, actions; long numbers and names in it masked."""
        text = re.sub(r"(?<=NAME\[)(.*)(?=\]$)", lambda found: self.name(found[0]), text)
        return _one_cell(re.sub(r"\d{6,}", lambda found: self.number(found[0]), text))

    def caller_id(self, text: str) -> str:
        parts = re.fullmatch(r'"(.*)" <(.*)>', text)
        if not parts:
            return self.name(text)
        shown, number = (part and self.number(part) for part in parts.groups())
        return f'"{shown}" <{number}>'

    def channel(self, text: str) -> str:
        parts = re.fullmatch(r"(\w+)/([^-@;/]+)(.*?)(;\d)?", text)
        if not parts:
            return self.name(text)
        end = self._numbered("channel", f"{parts[2]}{parts[3]}", lambda n: f"{0xA01 + n:08x}")
        return f"{parts[1]}/{self.number(parts[2])}-{end}{parts[4] or ''}"

    def session(self, text: str) -> str:
        parts = re.fullmatch(r"(\d{10})(\d*)(?:-(.*))?", text)
        if not parts:
            return self._numbered("session", text, lambda n: f"session-{n + 1}")
        tail = f"-{self.number(parts[3])}" if parts[3] else ""
        return f"{int(parts[1]) + self._epochs}{parts[2]}{tail}"

    def uniqueid(self, text: str) -> str:
        parts = re.fullmatch(r"(\d{10})(\..*)?", text)
        if not parts:
            return self._numbered("uniqueid", text, lambda n: f"uniqueid-{n + 1}")
        return f"{int(parts[1]) + self._epochs}" + (self._sequence(parts[2]) if parts[2] else "")

    def _sequence(self, text: str) -> str:
        return self._numbered("sequence", text, lambda n: f".{17 + n}")

    def wall(self, text: str) -> str:
        try:
            return f"{datetime.strptime(text, _WALL) + self._walls:{_WALL}}"
        except (ValueError, OverflowError):
            return ""

    def count(self, text: str) -> str:
        return text if re.fullmatch(r"-?\d+", text) else ""

    def files(self, text: str) -> str:
        return "@".join(
            part and self._numbered("file", part, lambda n: f"2026-03/auto-{n + 1}.wav") for part in text.split("@")
        )

    def files_text(self, text: str) -> str:
        starts = re.findall(r"start-time=(\d{10})", text)
        return "".join(f"start-time={int(start) + self._epochs}@" for start in starts)

    def _arguments(self, app: str, text: str) -> str:
        """Only arguments that say what happened: others name contacts, addresses and prompts."""
        if app == "Playback" and "error" in text:
            return _ERROR_PROMPT
        if app == "ForkCDR" and text in ("ae", "are"):
            return text
        mailbox = re.fullmatch(r"(\d+)@default,([a-z])", text) if app == "VoiceMail" else None
        return f"{self.number(mailbox[1])}@default,{mailbox[2]}" if mailbox else ""


_MASKS: Final[dict[str, Callable[[_Mask, str], str]]] = {
    "session": _Mask.session,
    "uniqueid": _Mask.uniqueid,
    "userfield": _Mask.label,
    "dcontext": _Mask.label,
    "clid": _Mask.caller_id,
    "caller_name": _Mask.name,
    "channel": _Mask.channel,
    "dstchannel": _Mask.channel,
    "lastapp": _Mask.label,
    "action_type": _Mask.label,
    "disposition": _Mask.label,
    "src_trunk_name": _Mask.trunk,
    "dst_trunk_name": _Mask.trunk,
    "start": _Mask.wall,
    "answer": _Mask.wall,
    "end": _Mask.wall,
    "duration": _Mask.count,
    "billsec": _Mask.count,
    "recordfiles": _Mask.files,
    "recordfiles_desc": _Mask.files_text,
}
"""How a field is masked; a field that is not named here holds a number."""


def _text(legs: list[dict[str, str]], zone: ZoneInfo | None) -> str:
    """The file: what is the same on all legs first, then the tables."""
    built = build(legs_table(legs, pbx="clinic"), zone=zone)
    calls, steps, rings = (table.to_pylist() for table in (built.calls, built.steps, built.rings))
    starts = [leg["start"] for leg in legs if leg["start"]]
    day = date.fromisoformat(min(starts)[:10]) if starts else _DAY
    common = {field: legs[0][field] for field in _LEG if legs[0][field] and len({leg[field] for leg in legs}) == 1}
    for field in ("start", "answer", "end", "duration", "billsec", "disposition", "dst", "lastapp"):
        common.pop(field, None)
    columns = [field for field in _LEG if field not in common and any(leg[field] for leg in legs)]
    columns = columns or ["dst"]
    lines = [f"A stored call: {calls[0]['direction']}, {calls[0]['outcome']}; say here what happened.", ""]
    lines += [f"zone: {zone.key}"] if zone else []
    lines += [f"day: {day}", *(f"{field}: {value}" for field, value in common.items()), "", "legs"]
    lines += _table(columns, ([_leg_cell(leg, field, day) for field in columns] for leg in legs))
    lines += ["", "steps", *_table(_STEPS, ([_cell(row[name]) for name in _STEPS] for row in steps))]
    if rings:
        lines += ["", "rings", *_table(_RINGS, ([_cell(row[name]) for name in _RINGS] for row in rings))]
    for call in calls:
        lines += ["", "call", *(f"{name} = {_cell(call[name])}".rstrip() for name in _CALL)]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Iterable[list[str]]) -> list[str]:
    cells = [list(columns), *rows]
    widths = [max(len(row[number]) for row in cells) for number in range(len(columns))]
    return [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _leg_cell(leg: Mapping[str, str], field: str, day: date) -> str:
    value = leg[field]
    if field in ("start", "answer", "end") and value:
        days = (date.fromisoformat(value[:10]) - day).days
        return f"{days:+d} {value[11:]}" if days else value[11:]
    return value or "."


def _cell(value: object) -> str:
    if value is None:
        return "."
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _one_cell(str(value))


def _one_cell(text: str) -> str:
    """Text without what ends a cell or a line."""
    return " ".join(text.replace("|", "/").split())
