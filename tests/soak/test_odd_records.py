"""Thousands of odd records: none of them keeps good ones from becoming calls.

Not part of `make test`: some minutes. It prints the table of what was tried.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.store.odd import assert_never_blocked, drawn, good, numbered, put
from ucm_analytics.legs import legs_table
from ucm_analytics.store import Store

RECORDS, BATCH = 2_500, 250


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("own_session", [True, False], ids=["own sessions", "sessions of good calls"])
def test_any_record(own_session: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    touched = () if own_session else [good(number)["session"] for number in range(10)]
    tried = Counter[str]()
    for batch in range(RECORDS // BATCH):
        odd = numbered(drawn(BATCH, seed=batch + RECORDS * own_session), own_session=own_session)
        assert_never_blocked(odd, tmp_path / str(batch), touched=touched)
        reasons = legs_table(odd, pbx="clinic")["set_aside"].to_pylist()
        tried.update(reason or "none: a call is made of it" for reason in reasons)
    with capsys.disabled():
        print(f"\nodd records in {'sessions of their own' if own_session else 'sessions of good calls'}")
        for reason, count in tried.most_common():
            print(f"  {count:6,} set aside for: {reason}")
        print(f"  {tried.total():6,} records tried, blocked 0")


@pytest.mark.timeout(3600)
def test_a_month_of_long_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("src", "dst", "clid", "lastdata", "caller_name", "recordfiles", "dstanswer", "action_type", "new_src")
    store = Store(tmp_path)
    for begin in range(0, 3_000, 1_000):
        numbers = range(begin, begin + 1_000)
        put(store, [{**good(n), **dict.fromkeys(names, f"{n:04}" * 1000)} for n in numbers])
    with capsys.disabled():
        print(f"\n{len(store.calls()):,} calls whose texts have 4,000 bytes each")
    assert len(store.calls()) == 3_000
