"""The first page: its five numbers counted a second way, against the days before."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path
from statistics import median

import pandas as pd
import pytest

from ucm_analytics import reports
from ucm_analytics.documents.coverage import coverage
from ucm_analytics.documents.formats import seconds, share
from ucm_analytics.period import Period
from ucm_analytics.reports import Context, Report, run_report
from ucm_analytics.reports.summary import _longer, _points, _relative, _then, build
from ucm_analytics.store import Store

from .clinic import store_of, stories

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_of(stories(date(2026, 3, 2), date(2026, 3, 15)), tmp_path_factory.mktemp("fortnight"))


@pytest.fixture(scope="module")
def summary(store: Store) -> Report:
    return first_page(store, "2026-W11")


def first_page(store: Store, week: str) -> Report:
    """The summary without its chapters."""
    period = Period.of(week)
    sections = tuple(build(Context(store, period)))
    return Report("summary", "Summary", "What?", period, sections, coverage(store, period))


def by_hand(store: Store, week: str) -> dict[str, object]:
    """The numbers of a week by plain loops."""
    calls = store.calls(week)
    rows = [row for row in calls.to_dict("records") if not row["is_forward"]]
    inbound = [row for row in rows if row["direction"] == "inbound"]
    hours = Counter((row["local_at"].day_of_week, row["local_at"].hour) for row in inbound)
    most = max(hours.values())
    weekday, hour = min(cell for cell, n in hours.items() if n == most)
    waits = [
        row["wait_s"]
        for row in inbound
        if row["outcome"] in ("answered", "no_answer") or row["phones"] > 0 or pd.notna(row["queue"])
    ]
    return {
        "calls": len(inbound),
        "answered": sum(row["outcome"] == "answered" for row in inbound),
        "open": _open(rows),
        "wait": median(waits),
        "busiest": f"{DAYS[weekday][:3]} {hour:02d}:00",
        "days": Counter(row["local_at"].date() for row in inbound),
        "left": Counter(
            (row["local_at"].day_of_week, row["local_at"].hour) for row in inbound if row["outcome"] != "answered"
        ),
    }


def _open(rows: list[dict[str, object]]) -> int:
    """Callers with a number that were missed, and had no contact since."""
    waiting: set[object] = set()
    for row in sorted(rows, key=lambda row: (str(row["started_at"]), row["outcome"] == "answered")):
        answered = row["outcome"] == "answered"
        if row["direction"] in ("inbound", "external") and answered:
            waiting.discard(row["caller"])
        elif row["direction"] == "inbound" and sum(sign.isdigit() for sign in str(row["caller"])) > 2:
            waiting.add(row["caller"])
        elif row["direction"] == "outbound" and answered:
            waiting.discard(row["callee"])
    return len(waiting)


def test_the_five_numbers_counted_by_hand(store: Store, summary: Report) -> None:
    now, before = by_hand(store, "2026-W11"), by_hand(store, "2026-W10")
    rates = [numbers["answered"] / numbers["calls"] for numbers in (now, before)]  # type: ignore[operator]
    values = [card.value for card in summary.cards]
    assert values == [
        str(now["calls"]),
        share(rates[0]),
        str(now["open"]),
        seconds(now["wait"]),
        now["busiest"],
    ]
    assert summary.sections[0].table["before"].tolist() == [
        str(before["calls"]),
        share(rates[1]),
        str(before["open"]),
        seconds(before["wait"]),
        before["busiest"],
    ]
    change = _relative(now["calls"], before["calls"], f"{before['calls']} the week before")  # type: ignore[arg-type]
    assert summary.cards[0].change == f"{change}, within the usual ups and downs"
    report = run_report("compare", store, "2026-W11").sections[0].table
    rates_verdict = report.loc[(report["measure"] == "Answered rate") & report["against"].str.contains("Week 10")]
    assert rates_verdict["verdict"].item() == "noise"
    assert summary.cards[1].change.endswith("the week before), within the usual ups and downs")


def test_what_to_do_is_computed(store: Store, summary: Report) -> None:
    now = by_hand(store, "2026-W11")
    day, most = now["days"].most_common(1)[0]  # type: ignore[attr-defined]
    assert summary.cards[0].action == f"Plan for {most} calls from outside a day: so many came on {day:%a %Y-%m-%d}."
    left = now["left"]
    (weekday, hour), worst = min(left.items(), key=lambda item: (-item[1], item[0]))  # type: ignore[attr-defined]
    assert summary.cards[1].action.startswith(f"Add people on {DAYS[weekday]} at {hour:02d}:00, when {worst} of ")
    assert all(card.action.endswith(".") for card in summary.cards)


def test_the_headline_says_it_in_one_sentence(summary: Report) -> None:
    calls, answered, open_, *_ = (card.value for card in summary.cards)
    assert summary.headline == (
        f"Week 11 of 2026 (9 to 15 March): {calls} calls from outside, {answered} reached a person; "
        f"{open_} callers still wait for a call back."
    )
    assert summary.answer == summary.headline.partition(": ")[2]
    assert summary.findings[1].startswith(f"Calls from outside: {calls}, ")
    assert len(summary.findings) == 6


def test_the_summary_holds_every_other_report(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setattr(reports, "names", lambda: ["summary", "durations", "extensions"])
    made = run_report("summary", store, "2026-W11", locale="de_DE")
    assert [part.name for part in made.parts] == ["summary", "durations", "extensions"]
    assert {part.locale for part in made.parts} == {"de_DE"}
    assert made.sections[0].sentence == first_page(store, "2026-W11").sections[0].sentence
    assert any(re.search(r"Mon \d+\.3\.2026", card.action) for card in made.cards)


def test_a_period_with_nothing_before_it_is_not_compared(store: Store) -> None:
    first = first_page(store, "2026-W10")
    assert {card.change for card in first.cards} == {
        "not comparable: Week 9 of 2026 (23 February to 1 March) is not all in the store"
    }
    assert first.sections[0].table["before"].tolist() == ["–"] * 5


def test_a_period_with_holes_is_not_compared(tmp_path: Path) -> None:
    told = [
        story for story in stories(date(2026, 3, 2), date(2026, 3, 15)) if story.call.start.date() != date(2026, 3, 11)
    ]
    report = first_page(store_of(told, tmp_path), "2026-W11")
    assert {card.change for card in report.cards} == {"not comparable: days of the period are not in the store"}


def test_a_day_is_held_against_the_same_weekday(store: Store) -> None:
    """A Monday has more calls than the Sunday before it, which says nothing."""
    monday = Period.of("2026-03-09")
    (section,) = build(Context(store, monday))
    calls = store.calls("2026-03-02")
    before = ((calls["direction"] == "inbound") & ~calls["is_forward"]).sum()
    assert section.table["before"].iloc[0] == str(before)
    assert section.cards[0].change.endswith(f"({before} a week before)")


def test_changes_read_as_people_say_them() -> None:
    assert _relative(381, 352, "352 before") == "8 % more (352 before)"
    assert _relative(300, 400, "400 before") == "25 % fewer (400 before)"
    assert _relative(300 / 31, 280 / 28, "280 in February", a_day=True) == "3 % fewer a day (280 in February)"
    assert _relative(5, 5, "5 before") == "as many (5 before)"
    assert _relative(5, 0, "0 before") == "more (0 before)"
    assert _points(0.66, 0.68, "68 % before") == "2 points lower (68 % before)"
    assert _points(0.69, 0.68, "68 % before") == "1 point higher (68 % before)"
    assert _points(0.68, 0.68, "68 % before") == "the same (68 % before)"
    assert _points(float("nan"), 0.68, "68 % before") == "nothing to compare"
    assert _longer(21, 20, "20 s before") == "1 s longer (20 s before)"
    assert _longer(15, 80, "1 min 20 s before") == "1 min 5 s shorter (1 min 20 s before)"


@pytest.mark.parametrize(
    ("period", "name"),
    [
        ("2026-03", "in February"),
        ("2026-W11", "the week before"),
        ("2026-03-09", "a week before"),
        ("2026-03-02 2026-03-15", "in 16 February to 1 March 2026"),
    ],
)
def test_the_period_before_has_a_name(period: str, name: str) -> None:
    assert _then(Period.of(*period.split())) == name
