"""Days that were never pulled are no days without calls: pages on a store with gaps, held against each other."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest

from ucm_analytics import reports
from ucm_analytics.legs import legs_table
from ucm_analytics.period import Period
from ucm_analytics.reports import Report, run_report
from ucm_analytics.store import Store

from .thin import Leg, by_clinic, plain

FIRST = date(2026, 2, 2)
WEEKS = Period(FIRST, FIRST + timedelta(days=27))
PULLED: dict[str, Callable[[int], bool]] = {
    "the last part": lambda n: n >= 9,
    "the first and the last week": lambda n: n < 7 or n >= 21,
    "no Tuesday and no Sunday": lambda n: n % 7 not in (1, 6),
}
A_DAY = 40
"""Calls of each day of the plain store, four in each hour from 08:00 to 17:59."""


def stored(folder: Path, made: dict[str, list[date]], tell: Callable[[date, int], object]) -> Store:
    store = Store(folder)
    for pbx, days in made.items():
        legs: list[Leg] = list(chain.from_iterable(tell(day, A_DAY) for day in days))  # type: ignore[arg-type]
        store.add(legs_table([leg | {"AcctId": str(n)} for n, leg in enumerate(legs, 1)], pbx=pbx), pbx=pbx)
    return store


def pulled(case: str) -> list[date]:
    return [day for n, day in enumerate(WEEKS) if PULLED[case](n)]


def said(report: Report, title: str, pattern: str) -> tuple[str, ...]:
    sentences = [section.sentence for section in report.sections if section.title.startswith(title)]
    (found,) = filter(None, (re.search(pattern, sentence) for sentence in sentences))
    return found.groups()


def table(report: Report, title: str) -> pd.DataFrame:
    return next(section.table for section in report.sections if section.title.startswith(title))


@pytest.mark.parametrize("case", PULLED)
def test_every_page_divides_by_the_days_that_were_pulled(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "names", lambda: ["summary"])  # without its chapters
    days = pulled(case)
    store = stored(tmp_path, {"shop": days}, plain)
    volume, summary = (run_report(name, store, WEEKS) for name in ("call-volume", "summary"))

    assert said(volume, "Calls by", r"^(\d+) calls a day") == (str(A_DAY),)
    assert said(volume, "Hours of the week", r"with (\d+) calls on average; .*, with (\d+)\.") == ("4", "4")
    assert said(volume, "Busy hour", r"with (\d+) a day") == ("4",)
    assert said(volume, "Hour by hour", r"in (\d+) of (\d+) hours") == (f"{10 * len(days)}", f"{24 * len(days)}")
    (advice,) = (card.action for card in summary.cards if card.label.startswith("Busiest hour"))
    assert "Have everybody there: 4 calls come in then" in advice

    by_day = table(volume, "Calls by day and outcome")
    assert by_day["local_at"].dt.date.to_list() == days
    assert set(by_day["calls"]) == {A_DAY}
    assert (by_day["low"].dropna() > A_DAY / 2).all(), "days that are not there are among the usual ones"
    cells = table(volume, "Hours of the week").set_index("hour")
    weekdays = sorted({day.weekday() for day in days})
    assert [n for n, name in enumerate(cells) if cells[name].notna().all()] == weekdays
    assert set(cells.iloc[8:18, weekdays].stack()) == {4.0}
    assert set(table(volume, "Busy hour")["calls_per_day"]) == {0.0, 4.0}


@pytest.mark.parametrize("case", PULLED)
def test_callers_a_day_are_those_of_days_that_were_pulled(case: str, tmp_path: Path) -> None:
    days = pulled(case)
    store = stored(tmp_path, {"shop": days}, by_clinic)
    of_kind = {
        "Monday to Friday": sum(day.weekday() < 5 for day in days),
        "Saturday": sum(day.weekday() == 5 for day in days),
        "Sunday": sum(day.weekday() == 6 for day in days),
    }
    for section in run_report("staffing", store, WEEKS).sections:
        rows = section.table
        assert len(rows)
        assert rows["days"].to_list() == [of_kind[kind] for kind in rows["day_type"].astype(str)]
        if "callers" in rows:
            assert rows["callers"].to_list() == (rows["offered"] / rows["days"]).to_list()


def test_a_day_that_one_of_two_pbxs_lacks_is_shown_and_counts_for_no_mean(tmp_path: Path) -> None:
    days = list(WEEKS)
    volume = run_report("call-volume", stored(tmp_path, {"shop": days, "branch": days[14:]}, plain), WEEKS)
    assert said(volume, "Calls by week", r"^(\d+) calls a day on average over the (\d+) days pulled: ([\d,]+)") == (
        str(2 * A_DAY),
        "14",
        "1,680",
    )
    assert said(volume, "Hours of the week", r"with (\d+) calls on average") == ("8",)
    assert table(volume, "Calls by day and outcome")["calls"].to_list() == [A_DAY] * 14 + [2 * A_DAY] * 14


def test_a_change_is_that_of_days_that_were_pulled(tmp_path: Path) -> None:
    days = [day for day in WEEKS if day < FIRST + timedelta(days=14) or day.weekday() in (0, 3, 6)]
    (section,) = run_report("compare", stored(tmp_path, {"shop": days}, plain), Period(*days[14::5])).sections
    assert section.table[["measure", "now", "then"]].iloc[0].to_list() == ["Calls a day", str(A_DAY), str(A_DAY)]


def test_the_first_and_the_last_month_in_which_a_call_can_be(tmp_path: Path) -> None:
    """The days before the one and after the other, which reports look at too, are none that a call can be of."""
    store = stored(tmp_path, {"shop": [date(2099, 12, 21) + timedelta(days=n) for n in range(7)]}, plain)
    for name in ("compare", "anomalies", "fraud", "forecast", "summary"):
        assert run_report(name, store, "2099-12").days.legs == len(store.legs()) == 7 * A_DAY
        assert run_report(name, store, "2000-01").days.never_pulled
    assert (
        table(run_report("call-volume", store, "2099-12"), "Calls by day and outcome")["calls"].to_list() == [A_DAY] * 7
    )
