"""Records that no PBX should send, and whether one of them keeps a store from working."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import ucm_analytics as ucm
from tests.sources.parsing import parse_page
from tests.store.pretend import ZONE
from ucm_analytics.legs import dump_legs
from ucm_analytics.schema import KEY, LEGS
from ucm_analytics.store import Store
from ucm_analytics.store.files import read_table
from ucm_analytics.store.months import Months, WriteSummary

Leg = dict[str, Any]
FORMAT = "%Y-%m-%d %H:%M:%S"
RAW = [column.raw for column in LEGS if column.raw]


def good(number: int, day: str = "2026-03-10") -> Leg:
    """An answered call from outside, minute by minute from 08:00 UTC."""
    at = datetime.fromisoformat(f"{day} 08:00:00").replace(tzinfo=UTC) + timedelta(minutes=number)
    epoch, wall = int(at.timestamp()), at.astimezone(ZONE).replace(tzinfo=None)
    return {
        "AcctId": str(number + 1),
        "src": "12025550142",
        "dst": "1001",
        "dstchannel": f"PJSIP/1001-{number:08x}",
        "lastapp": "Dial",
        "start": wall.strftime(FORMAT),
        "answer": (wall + timedelta(seconds=9)).strftime(FORMAT),
        "end": (wall + timedelta(seconds=59)).strftime(FORMAT),
        "duration": "59",
        "billsec": "50",
        "disposition": "ANSWERED",
        "uniqueid": f"{epoch}.{number}",
        "userfield": "Inbound",
        "dstchannel_ext": "1001",
        "session": f"{epoch}{number:06d}-12025550142",
        "action_type": "DIAL",
    }


TIMELESS = "no time from 2000 to 2099"
START, ANSWER, END = (f"{what} far from the call" for what in ("start", "answer", "end"))
SESSION = "session from before 2000 or after 2099"
DURATION, BILLSEC = (f"{what} of more than 7 days" for what in ("duration", "billsec"))
TEXT = "text of more than 4,000 bytes"

ODD: dict[str, tuple[Leg, str | None]] = {
    "start in 2100": ({"start": "2100-03-10 08:03:00"}, START),
    "start in 1950": ({"start": "1950-03-10 08:03:00"}, START),
    "start in the year 1": ({"start": "0001-01-01 00:00:00"}, START),
    "start in the last second": ({"start": "9999-12-31 23:59:59"}, START),
    "start in the year 0": ({"start": "0000-01-01 00:00:00"}, None),
    "start of words": ({"start": "yesterday"}, None),
    "start nine days late": ({"start": "2026-03-19 12:00:00"}, START),
    "answer in the last second": ({"answer": "9999-12-31 23:59:59"}, ANSWER),
    "end in the last second": ({"end": "9999-12-31 23:59:59"}, END),
    "end a year later": ({"end": "2027-03-10 09:00:00"}, END),
    "end in the year 1": ({"end": "0001-01-01 00:00:00"}, END),
    "session of 2286": ({"session": "9999999999999999-1"}, SESSION),
    "session of 1970": ({"session": "0000000000999999-1"}, SESSION),
    "session of 10 MB": ({"session": "x" * 10_000_000}, TEXT),
    "session and channel of 2286": ({"session": "99999999991-1", "uniqueid": "9999999999.1"}, SESSION),
    "nothing but a start in 2100": ({"session": "", "uniqueid": "", "start": "2100-01-01 00:00:00"}, TIMELESS),
    "nothing but a start in 1999": ({"session": "", "uniqueid": "", "start": "1999-12-31 23:59:59"}, TIMELESS),
    "nothing but a start in the year 1": ({"session": "", "uniqueid": "", "start": "0001-01-01 00:00:00"}, TIMELESS),
    "nothing but the last second": ({"session": "", "uniqueid": "", "start": "9999-12-31 23:59:59"}, TIMELESS),
    "no time at all": ({"session": None, "uniqueid": "", "start": ""}, TIMELESS),
    "highest duration": ({"duration": str(2**63 - 1)}, DURATION),
    "lowest duration": ({"duration": str(-(2**63))}, DURATION),
    "duration of more than a column": ({"duration": str(2**63)}, None),
    "duration of 1,000 digits": ({"duration": "9" * 1000}, None),
    "highest billsec": ({"billsec": str(2**63 - 1)}, BILLSEC),
    "lowest billsec": ({"billsec": str(-(2**63))}, BILLSEC),
    "highest number": ({"AcctId": str(2**63 - 1)}, None),
    "lowest number": ({"AcctId": str(-(2**63))}, None),
    "caller name without end": ({"clid": "\U0001f600" * 1_001}, TEXT),
    "channel without end, which no call needs": ({"channel": "x" * 100_000}, None),
    "texts just short enough": (dict.fromkeys(("src", "dst", "clid", "action_type", "new_src"), "7" * 4000), None),
    "NUL everywhere": (dict.fromkeys(("src", "dst", "lastapp", "action_type", "start", "clid"), "\x00a\x00"), None),
    "numbers": (dict.fromkeys(("src", "dst", "session", "start", "duration", "disposition"), 10**18), None),
    "lists and objects": ({"src": {"a": [1, None]}, "session": [], "start": True, "end": 1.5}, None),
    "an undeclared field": ({"x" * 100_000: "\0", "": {"": ""}}, None),
}
"""What is odd in a record, and the reason to set it aside; None where a call can be made of it."""


def odd(number: int, name: str) -> Leg:
    """A record with one oddity, in a session of its own but for what is odd."""
    return {**good(number), **ODD[name][0]}


texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "\0", "-", '"; DROP TABLE legs', "\u202e\ufeff", "[", "IVR[", "QUEUE[6500]", "PARKEDCALL"]),
    st.sampled_from(["ForkCDR", "VoiceMail", "NO ANSWER", "Outbound", "trunk_1", "9" * 10, "1773129600.5", "1e400"]),
    st.integers(0, 12).map(lambda n: "9" * 4**n if n < 9 else "ä" * n),
)
years = st.sampled_from(["0000", "0001", "1899", "1970", "1999", "2000", "2026", "2038", "2099", "2100", "9999"])
walls = st.one_of(
    st.builds(
        "{}-{:02d}-{:02d} {:02d}:00:00".format, years, st.integers(0, 13), st.integers(0, 32), st.integers(0, 25)
    ),
    st.datetimes(datetime(2026, 2, 1), datetime(2026, 4, 30)).map(lambda at: at.strftime(FORMAT)),
    st.datetimes().map(lambda at: f"{at.year:04d}{at:-%m-%d %H:%M:%S}"),
)
numbers = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from([str(sign * 2**power + more) for sign in (1, -1) for power in (31, 53, 63) for more in (-1, 0)]),
    st.integers(0, 100_000).map(str),
)
ids = st.builds("{:010d}{}".format, st.integers(0, 2**34), st.sampled_from(["", "123456-1001", ".7", "x"]))
jsons = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=4,
)
values = st.one_of(texts, walls, numbers, ids, jsons)
fitting = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("start", "answer", "end"), walls),
        **dict.fromkeys(("duration", "billsec", "AcctId"), numbers),
        **dict.fromkeys(("session", "uniqueid"), ids),
    },
)
anything = st.dictionaries(st.one_of(st.sampled_from(RAW), st.text(max_size=8)), values, max_size=8)


records = st.tuples(st.booleans(), st.builds(lambda some, more: {**some, **more}, fitting, anything))


def drawn(count: int, seed: int) -> list[tuple[bool, Leg]]:
    """So many oddities, and whether the rest of the record is sound: any text, number or JSON in any field."""
    found: list[tuple[bool, Leg]] = []

    @hypothesis.seed(seed)
    @settings(max_examples=count, phases=[Phase.generate], database=None, deadline=None)
    @given(records)
    def draw(record: tuple[bool, Leg]) -> None:
        found.append(record)

    draw()
    return found


def numbered(oddities: Sequence[tuple[bool, Leg]], *, own_session: bool) -> list[Leg]:
    """Records with these oddities, each in a session of its own or in those of good calls."""
    made = []
    for number, (sound, changes) in enumerate(oddities):
        base = good(number, "2026-03-11") if own_session else good(number % 10)
        fields = base if sound else {"AcctId": base["AcctId"], "src": "1001", "dst": "1002"}
        made.append({**fields, **changes, **({} if own_session else {"session": base["session"]})})
    return made


def page(legs: Sequence[Leg]) -> bytes:
    """An answer with these records."""
    return json.dumps({"cdr_root": legs}).encode()


def put(store: Store, legs: Sequence[Leg]) -> WriteSummary:
    """Put the records of one answer into a store."""
    return store.add(parse_page(page(legs), pbx="clinic"), pbx="clinic", zone=ZONE, country="US")


def tables(store: Store, sessions: set[str], *period: str) -> dict[str, list[dict[str, Any]]]:
    """What a store says about these calls."""
    found = {}
    for table in ("calls", "steps", "rings"):
        rows = getattr(store, table)(*period)
        found[table] = rows[rows["call_id"].isin(sessions)].astype(object).where(rows.notna(), None).to_dict("records")
    return found


def assert_never_blocked(odd_ones: Sequence[Leg], folder: Path, *, touched: Collection[str] = ()) -> None:
    """Good records after odd ones become the same calls as without them, and everything can be read."""
    before, after = [good(number) for number in range(10)], [good(number) for number in range(10, 20)]
    clean, store = Store(folder / "clean"), Store(folder / "store")
    put(clean, before + after)
    put(store, before)
    put(store, odd_ones)
    put(store, after)
    sessions = {leg["session"] for leg in before + after} - set(touched)
    expected = tables(clean, sessions)
    assert len(expected["calls"]) == len(sessions)
    assert tables(store, sessions) == expected
    assert tables(store, sessions, "2026-03-10") == expected
    legs = store.legs()
    assert len(legs) == len(store.scan("legs").collect())
    in_calls = store.calls(columns=["legs"])["legs"].sum()
    assert in_calls == legs["set_aside"].isna().sum()
    assert_all_kept(store, odd_ones)
    for month in ("2026-03", "2026-W11", "2000-01"):
        for table in ("calls", "steps", "rings", "legs"):
            assert len(getattr(store, table)(month)) == len(store.scan(table, month).collect())
    store.coverage()
    ucm.audit(store, "2026-03")
    store.rebuild()
    assert tables(store, sessions) == expected


def assert_all_kept(store: Store, sent: Sequence[Leg]) -> None:
    """The last record of each key is stored as it came."""
    months = Months(store.path, "clinic")
    stored = {_text(leg) for month in months.names() for leg in dump_legs(read_table(months.path("legs", month)))}
    keys = parse_page(page(sent), pbx="clinic").select(KEY).to_pylist()
    last = {tuple(key.values()): leg for key, leg in zip(keys, sent, strict=True)}
    assert {_text(leg) for leg in last.values()} <= stored


def _text(leg: Leg) -> str:
    return json.dumps(leg)
