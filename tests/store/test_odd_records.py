"""One odd record does not stop a PBX: it is kept, set aside with its reason, and the others become calls."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

import ucm_analytics as ucm
from tests.sources.parsing import parse_page
from tests.sources.pbxs import stub
from tests.store.odd import (
    FORMAT,
    ODD,
    SESSION,
    START,
    TIMELESS,
    Leg,
    assert_all_kept,
    assert_never_blocked,
    drawn,
    fitting,
    good,
    numbered,
    odd,
    page,
    put,
)
from tests.store.pretend import ZONE, Pbx, call, daily, states
from ucm_analytics import aside
from ucm_analytics.cli import app
from ucm_analytics.errors import UnknownFields
from ucm_analytics.legs import legs_table
from ucm_analytics.model import classify
from ucm_analytics.schema import LEGS, VERSION
from ucm_analytics.store import Store
from ucm_analytics.store.files import Day, Footer, write_table
from ucm_analytics.store.months import Months

REASONS = Counter(reason for _, reason in ODD.values() if reason)
WEEK = timedelta(days=7)


@pytest.fixture
def everything() -> list[Leg]:
    """One record of each oddity."""
    return [odd(number, name) for number, name in enumerate(ODD, 20)]


@pytest.mark.parametrize("name", ODD)
def test_each_is_set_aside_with_its_reason_or_not_at_all(name: str) -> None:
    body = page([good(1), odd(2, name), good(3)])
    assert parse_page(body, pbx="clinic")["set_aside"].to_pylist() == [None, ODD[name][1], None]


def test_good_records_after_all_of_them(everything: list[Leg], tmp_path: Path) -> None:
    assert_never_blocked(everything, tmp_path)


@pytest.mark.slow
def test_any_record(tmp_path: Path) -> None:
    for own_session in (True, False):
        touched = [] if own_session else [good(number)["session"] for number in range(10)]
        legs = numbered(drawn(12, seed=own_session), own_session=own_session)
        assert_never_blocked(legs, tmp_path / str(own_session), touched=touched)
    print("24 odd records tried, blocked 0")


def why(leg: Leg) -> str | None:
    """The reason once more, from the record itself with a plain loop."""

    def instant(name: str) -> datetime | None:
        digits = str(leg.get(name, ""))[:10]
        return datetime.fromtimestamp(int(digits), UTC) if len(digits) == 10 and digits.isdecimal() else None

    def wall(name: str) -> datetime | None:
        try:
            at = datetime.strptime(str(leg.get(name, "")), FORMAT).replace(tzinfo=UTC)
        except ValueError:
            return None
        return at if f"{at.year:04d}{at:-%m-%d %H:%M:%S}" == leg[name] else None

    def count(name: str) -> int:
        text = str(leg.get(name, ""))
        number = int(text) if text.removeprefix("-").isdecimal() else 0
        return number if str(number) == text and -(2**63) <= number < 2**63 else 0

    times = [at for at in (instant("session"), instant("uniqueid"), wall("start")) if at]
    called = next((at for at in times if 2000 <= at.year < 2100), None)
    if called is None:
        return TIMELESS
    if (at := instant("session")) and not 2000 <= at.year < 2100:
        return SESSION
    for name in ("start", "answer", "end"):
        if (at := wall(name)) and not timedelta(days=-1) <= at - called <= timedelta(days=8):
            return f"{name} far from the call"
    for name in ("duration", "billsec"):
        if abs(count(name)) > WEEK.total_seconds():
            return f"{name} of more than 7 days"
    return None


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(fitting)
def test_the_reason_a_second_way(fields: Mapping[str, Any]) -> None:
    legs = [{"dst": "1001", **fields}, {**good(1), **fields}]
    assert legs_table(legs, pbx="clinic")["set_aside"].to_pylist() == [why(leg) for leg in legs]


@pytest.mark.parametrize(
    ("field", "last", "first_odd"),
    [
        ("start", "2026-03-18 08:00:00", "2026-03-18 08:00:01"),
        ("end", "2026-03-18 08:00:00", "2026-03-18 08:00:01"),
        ("answer", "2026-03-09 08:00:00", "2026-03-09 07:59:59"),
        ("duration", "604800", "604801"),
        ("billsec", "-604800", "-604801"),
        ("session", "4102444799000001-1", "4102444800000001-1"),
        ("clid", "x" * 4000, "x" * 4001),
    ],
)
def test_where_the_bounds_lie(field: str, last: str, first_odd: str) -> None:
    leg = good(0)
    within = {**leg, field: last} | ({"start": "", "answer": "", "end": ""} if field == "session" else {})
    beyond = {**within, field: first_odd}
    assert [reason is None for reason in legs_table([within, beyond], pbx="clinic")["set_aside"].to_pylist()] == [
        True,
        False,
    ]


def test_the_rules_look_at_every_text_that_the_model_reads() -> None:
    named = set(re.findall(r"\w+", re.sub("--.*", "", classify.SQL)))
    texts = {column.raw for column in LEGS if column.raw and column.is_text and column.name in named}
    assert set(aside._TEXTS.to_pylist()) == texts | {"session"}


def test_a_session_in_two_months_is_read_alike_in_both_ways(tmp_path: Path) -> None:
    store = Store(tmp_path)
    days = ("2026-02-28", "2026-03-10")
    put(store, [{**good(0, day), "session": "x", "uniqueid": "", "AcctId": day[-2:]} for day in days])
    for table in ("calls", "steps", "rings", "legs"):
        assert len(getattr(store, table)("2026-03")) == len(store.scan(table, "2026-03").collect()) == 1


def test_the_other_legs_of_a_call_tell_it(tmp_path: Path) -> None:
    queue = {**good(0), "dst": "6500", "action_type": "QUEUE[6500]", "AcctId": "7", "dstchannel": "", "billsec": "0"}
    store = Store(tmp_path)
    put(store, [{**queue, "end": "9999-12-31 23:59:59"}, good(0)])
    (called,) = store.calls("2026-03-10").to_dict("records")
    assert (called["path"], called["legs"], called["duration_s"]) == ("extension:1001", 1, 59)
    assert store.legs("2026-03-10")["set_aside"].count() == 1
    assert store.coverage()["legs"].tolist() == [1]


def test_a_sync_of_all_of_them_and_a_later_one(everything: list[Leg], tmp_path: Path) -> None:
    sent = [leg for leg in everything if len(str(leg)) < 1_000_000]
    answers = {"2026-03-10": [*(good(n) for n in range(10)), *sent], "2026-03-11": []}

    def answer(action: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        if action != "cdrapi":
            return None
        legs = answers.get(str(request.get("startTime", ""))[:10], [])
        at, size = int(request.get("offset", 0)), int(request.get("numRecords", 1000))
        return {"cdr_root": legs[at : at + size]}

    store = Store(tmp_path / "store")
    dates: dict[str, Any] = {"pbx": "clinic", "since": "2026-03-10", "zone": ZONE, "progress": False}
    with (
        stub(tmp_path / "pem", answer) as pbx,
        ucm.UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as client,
        pytest.warns(UnknownFields),
    ):
        client.time_filter_proved = True
        store.sync(client, until="2026-03-10", now=datetime(2026, 3, 11, 12, tzinfo=UTC), **dates)
        answers["2026-03-11"] = [good(n, "2026-03-11") for n in range(10)]
        later = store.sync(client, until="2026-03-11", now=datetime(2026, 3, 14, 12, tzinfo=UTC), **dates)
    assert (later.new, later.settled) == (10, 2)
    assert len(store.calls("2026-03-11")) == 10
    assert {good(n)["session"] for n in range(10)} <= set(store.calls("2026-03-10")["call_id"])
    assert_all_kept(store, sent)


def test_a_clock_that_jumped_a_year_does_not_keep_days_open(store: Store) -> None:
    jumped = call("2026-03-02 10:00")
    leg = {**jumped.legs[0], "end": "2027-03-02 10:01:00", "duration": "31536060"}
    calls = [*daily(datetime(2026, 3, 1).date(), datetime(2026, 3, 5).date()), replace(jumped, legs=(leg,))]
    with Pbx(calls, "2026-03-09 12:00") as pbx:
        pbx.sync(store, since="2026-03-01", until="2026-03-05")
    assert states(store) == {f"03-0{day}": "settled" for day in range(1, 6)}
    assert store.coverage()["legs"].sum() == len(store.calls()) == 10


def test_a_year_that_an_older_version_noted_does_not_keep_days_open(store: Store) -> None:
    with Pbx(daily(datetime(2026, 3, 1).date(), datetime(2026, 3, 5).date()), "2026-03-13 12:00") as pbx:
        pbx.sync(store, since="2026-03-01", until="2026-03-02")
        months = Months(store.path, "clinic")
        long = {
            day: Day(**{name: getattr(known, name) for name in Day.__struct_fields__} | {"longest_s": 31_536_060})
            for day, known in months.coverage(["2026-03"]).items()
        }
        months.put(legs_table([], pbx="clinic"), long)
        months.finish()
        pbx.sync(store, until="2026-03-05")
    assert states(store) == {f"03-0{day}": "settled" for day in range(1, 6)}


def test_a_store_of_an_older_version_is_read_again(tmp_path: Path) -> None:
    lone = {"session": "", "uniqueid": ""}
    stored = {
        "2026-03": [good(0), {**good(1), "duration": str(2**63 - 1)}, {**good(2), "end": "9999-12-31 23:59:59"}],
        "2286-11": [{**good(3), "session": "9999999999999999-1", "uniqueid": "9999999999.1"}],
        "9999-12": [{**good(4), **lone, "start": "9999-12-31 23:59:59"}],
        "0001-01": [{**good(5), **lone, "start": "0001-01-01 00:00:00"}],
    }
    store, months = Store(tmp_path), Months(tmp_path, "clinic")
    day = Day("provisional", "file", legs=1, pages=0, longest_s=0, pulled_at=datetime(2026, 4, 1, tzinfo=UTC))
    for month, legs in stored.items():
        days = {} if month == "2286-11" else {datetime.fromisoformat(legs[0]["start"]).date(): day}
        table = legs_table(legs, pbx="clinic").drop_columns(["set_aside"])
        old = Footer(version=VERSION - 1, id=month, days=days)
        write_table(table, months.path("legs", month), old, scratch=tmp_path / "part")
    (months._state / "unfinished").parent.mkdir(parents=True)
    (months._state / "unfinished").write_text("2286-11 2026-03", encoding="ascii")
    assert len(store.calls("2026-03")) == 1
    put(store, [good(0), *stored["2286-11"], *stored["9999-12"], *stored["0001-01"], good(9)])
    store.rebuild()
    assert len(store.calls("2026-03")) == len(store.calls()) == 2
    assert_all_kept(store, [leg for legs in stored.values() for leg in legs])
    assert len(store.legs()) == 7
    assert store.coverage()["day"].astype(str).tolist() == ["2026-03-10"]


def test_how_many_are_set_aside_is_said(everything: list[Leg], tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, [good(0), *everything])
    (found,) = [each for each in ucm.audit(store, "2026-03-10").findings if each.id == "set_aside"]
    assert (found.count, found.severity) == (REASONS.total(), "warning")
    assert all(f"{reason} {count} ×" in found.detail for reason, count in REASONS.items())
    assert all(len(example) <= 80 for example in found.examples)
    (elsewhere,) = [each for each in ucm.audit(store, "2026-04").findings if each.id == "set_aside"]
    assert elsewhere.count == REASONS[TIMELESS]
    shell = CliRunner(env={"UCM_DATA": str(store.path)})
    told = shell.invoke(app, ["status"]).stdout
    assert f"set aside: {REASONS.total()} records of which no call can be made" in told
    assert f"{START}: {REASONS[START]}" in told
    assert json.loads(shell.invoke(app, ["status", "--json"]).stdout)["pbxs"]["clinic"]["set_aside"] == REASONS


def test_a_store_without_any_says_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, [good(0)])
    shell = CliRunner(env={"UCM_DATA": str(store.path)})
    assert "set aside" not in shell.invoke(app, ["status"]).stdout
    assert json.loads(shell.invoke(app, ["status", "--json"]).stdout)["pbxs"]["clinic"]["set_aside"] == {}


def test_a_store_of_nothing_else_does_not_call_itself_empty(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, [odd(0, "end in the last second")])
    assert len(store.calls()) == len(store.calls("2026-03-10")) == 0
    assert "records of which no call can be made (1)" in ucm.audit(store).verdict
    told = CliRunner(env={"UCM_DATA": str(store.path)}).invoke(app, ["status"]).stdout
    assert "set aside: 1 record of which" in told


def test_numbers_of_records_that_are_set_aside_are_not_taken_for_extensions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    inside = {"userfield": "Internal", "channel_ext": "", "src": "12025550142", "dstchannel_ext": "1001"}
    put(store, [{**good(0), **inside}, {**good(1), "channel_ext": "12025550142", "end": "9999-12-31 23:59:59"}])
    assert store.calls()["caller_kind"].tolist() == ["number"]


def test_no_rows_have_no_reason() -> None:
    assert aside.reasons(legs_table([], pbx="clinic")).to_pylist() == []
    assert aside.in_calls(legs_table([], pbx="clinic")).num_rows == 0
    assert isinstance(aside.RULES, tuple) and len({rule.reason for rule in aside.RULES}) == len(aside.RULES)
    assert pa.types.is_dictionary(legs_table([], pbx="clinic")["set_aside"].type)


def test_reports_on_a_period_with_odd_records(everything: list[Leg], tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, [*(good(number) for number in range(10)), *everything, {**good(11), "src": "", "disposition": "BUSY"}])
    assert all("2026" in report.headline for report in ucm.run_report("summary", store, "2026-03-10").parts)
