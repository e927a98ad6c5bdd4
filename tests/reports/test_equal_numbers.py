"""Numbers that a reader expects to be equal: they are, or words beside them say what tells them apart.

All reports on one period are rendered as one page, and every number is read off that page and its tables. What is
compared is one number of a page with another, never with what the code computes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

import ucm_analytics as ucm
from ucm_analytics.demo import PERIOD, pulled
from ucm_analytics.documents.formats import show
from ucm_analytics.reports import Report, Section, run_all
from ucm_analytics.store import Store

from .by_hand import Page

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


@dataclass(frozen=True)
class Pages:
    """The reports on a period, and the text of the page that holds them all."""

    reports: dict[str, Report]
    text: str

    def section(self, report: str, title: str) -> Section:
        return next(section for section in self.reports[report].sections if section.title == title)

    def sentence(self, report: str, title: str) -> str:
        sentence = self.section(report, title).sentence
        assert sentence in self.text, "not on the page"
        return sentence

    def card(self, label: str) -> tuple[str, str]:
        """Value and advice of one of the numbers that matter."""
        card = next(card for card in self.reports["summary"].cards if card.label == label)
        assert card.label in self.text, "not on the page"
        return card.value, card.action


Number = Callable[[Pages], str]


def said(report: str, title: str, pattern: str) -> Number:
    """What the pattern finds in the sentence of a section."""

    def read(pages: Pages) -> str:
        sentence = pages.sentence(report, title)
        found = re.search(pattern, sentence)
        assert found, f"{pattern!r} is not in {sentence!r}"
        return " ".join(found.groups())

    return read


def card(label: str, pattern: str = "") -> Number:
    """Value of a card, or what the pattern finds in its advice."""

    def read(pages: Pages) -> str:
        value, action = pages.card(label)
        return " ".join(re.search(pattern, action).groups()) if pattern else value  # type: ignore[union-attr]

    return read


def column(report: str, title: str, *labels: str, where: dict[str, str] | None = None) -> Number:
    """Sum of columns of a section's table, of the rows where others have a value."""

    def read(pages: Pages) -> str:
        section = pages.section(report, title)
        table, total = section.table, 0
        for heading, value in (where or {}).items():
            (name,) = (shown.name for shown in section.columns if shown.label == heading)
            table = table[table[name].astype(str) == value]
        for label in labels:
            shown = next(shown for shown in section.columns if shown.label == label)
            total += int(table[shown.name].sum())
        return show(total, "count")

    return read


def cell(report: str, title: str, label: str, where: dict[str, str]) -> Number:
    """The one cell of a column in the first row where others have a value, as it is written."""

    def read(pages: Pages) -> str:
        section = pages.section(report, title)
        table = section.table
        for heading, value in where.items():
            (name,) = (shown.name for shown in section.columns if shown.label == heading)
            table = table[table[name].astype(str) == value]
        shown = next(shown for shown in section.columns if shown.label == label)
        return show(table[shown.name].iloc[0], shown.kind)

    return read


def less(*numbers: Number) -> Number:
    """The first count without the others."""

    def read(pages: Pages) -> str:
        first, *others = (int(number(pages).replace(",", "")) for number in numbers)
        return show(first - sum(others), "count")

    return read


def added(*numbers: Number) -> Number:
    """Counts together."""
    return lambda pages: show(sum(int(number(pages).replace(",", "")) for number in numbers), "count")


def directions(pages: Pages) -> str:
    """Calls of all directions, whichever occur."""
    section = pages.section(*BY_WEEK)
    labels = [shown.label for shown in section.columns]
    return column(*BY_WEEK, *labels[labels.index("Answered by a person") + 1 :])(pages)


N = r"([\d,]+)"
SHARE = r"(\d+ %)"
BY_DAY = ("call-volume", "Calls by day and outcome")
BY_WEEK = ("call-volume", "Calls by week and direction")
BY_CELL = ("call-volume", "Hours of the week")
RECORDS = ("data-quality", "From records to calls")
FINDINGS = ("data-quality", "Findings")
TALK = ("durations", "Durations by direction")
OUTSIDE = "Busiest hour for calls from outside"

EQUAL: dict[str, tuple[Number, ...]] = {
    "calls": (
        said(*BY_DAY, rf"^{N} calls"),
        said(*RECORDS, rf"records are {N} different calls"),
        said(*FINDINGS, rf"records of {N} calls"),
        column(*BY_DAY, "Calls"),
        column(*BY_WEEK, "Calls"),
        directions,
        column("call-volume", "Busy hour", "Calls"),
        column("call-volume", "Hour by hour", "Calls"),
        column("traffic", "Most calls at once by hour", "Calls"),
        cell("compare", "Changes", "Calls now", {"Measure": "Calls a day"}),
    ),
    "records": (
        said(*RECORDS, rf"^{N} records"),
        said(*FINDINGS, rf"{N} records of"),
        column("data-quality", "Days in the store", "Records"),
        lambda pages: re.search(rf"{N} CDR rows", pages.reports["summary"].coverage)[1],  # type: ignore[index]
    ),
    "calls from outside": (
        card("Calls from outside"),
        said("summary", "Five numbers", rf"^{N} calls from outside"),
        said(*BY_DAY, rf"{N} of them from outside"),
        said(*BY_WEEK, rf"{N} inbound"),
        column(*BY_WEEK, "Inbound"),
        said("callers", "Where they call from", rf"{N} calls from outside"),
        column("callers", "Where they call from", "Calls"),
        column("missed-calls", "Callers who call again", "Calls"),
        added(
            said("callers", "Most frequent callers", rf"made {N} calls"),
            said("callers", "Most frequent callers", rf"{N} more showed no number"),
        ),
        cell("compare", "Changes", "Calls now", {"Measure": "Answered rate"}),
    ),
    "calls that showed a number": (
        said("callers", "Most frequent callers", rf"made {N} calls"),
        said("callers", "How much a few callers make up", rf"{N} calls that showed a number"),
        less(card("Calls from outside"), column("missed-calls", "Callers who call again", "Withheld")),
    ),
    "calls a day": (
        said(*BY_WEEK, r"^([\d.,]+) calls a day"),
        cell("compare", "Changes", "Now", {"Measure": "Calls a day"}),
    ),
    "share that reached a person": (
        card("Answered by a person"),
        said("summary", "Five numbers", rf"{SHARE} reached a person"),
        said(*BY_DAY, rf"{SHARE} of the calls from outside reached a person"),
        cell("compare", "Changes", "Now", {"Measure": "Answered rate"}),
    ),
    "calls that a person answered": (
        column(*BY_DAY, "Answered by a person"),
        said(*RECORDS, rf"a person answered {N} calls"),
        said(*TALK, rf"half of {N} conversations"),
        said("durations", "Spread of talk", rf"half of {N} calls"),
        column(*TALK, "Calls", where={"Measure": "Talking"}),
        cell("compare", "Changes", "Calls now", {"Measure": "Mean talk"}),
    ),
    "missed calls": (
        less(
            card("Calls from outside"),
            column("missed-calls", "Callers who call again", "Calls", where={"Outcome of the call": "answered"}),
        ),
        column("missed-calls", "Missed callers", "Tries"),
        added(
            said("missed-calls", "Missed callers", rf"\({N} calls\)"),
            said("missed-calls", "Missed callers", rf"{N} missed calls showed no number"),
        ),
    ),
    "callers to call back": (
        card("Callers to call back"),
        said("summary", "Five numbers", rf"{N} callers still wait"),
        said("missed-calls", "Missed callers", rf"\({N}\) are still open"),
    ),
    "callers": (
        said("callers", "Most frequent callers", rf"^{N} callers"),
        column("callers", "Where they call from", "Callers"),
        said(*RECORDS, rf"{N} numbers called from outside"),
    ),
    "median wait": (card("Median wait"), said(*TALK, r"from outside waited (.+?) or less")),
    "hour of the longest waits": (
        card("Median wait", r"at (\d\d:\d\d) first: one in ten waits (.+?) or longer"),
        said("durations", "Durations by hour", r"at (\d\d:\d\d): one in ten waits (.+?) or longer"),
    ),
    "mean wait": (
        cell("compare", "Changes", "Now", {"Measure": "Mean wait"}),
        cell(*TALK, "Mean", {"Measure": "Waiting", "Direction": "inbound"}),
    ),
    "busiest hour for calls from outside": (
        card(OUTSIDE),
        said(*BY_CELL, r"for calls from outside it is (\w{3})\w* at (\d\d:\d\d)"),
    ),
    "calls from outside in it": (
        card(OUTSIDE, r"([\d.]+) calls come in then"),
        said(*BY_CELL, r"for calls from outside it is .*, with ([\d.]+)\."),
    ),
    "calls in menus": (
        said("ivr-paths", "Ways through the menus", rf"^{N} calls went"),
        column("ivr-paths", "Ways through the menus", "Calls"),
        column(*TALK, "Calls", where={"Measure": "In menus"}),
    ),
    "choices in menus": (
        said("ivr-paths", "What callers choose", rf"Of {N} choices"),
        column("ivr-paths", "What callers choose", "Times"),
        column("ivr-paths", "Where callers leave", "Heard again", "Went on"),
    ),
    "visits to queues": (
        said("queues", "Queues", rf"^{N} visits"),
        column("queues", "Queues", "Offered"),
        said("queues", "Patience", rf"abandoned visits of {N}"),
        said("staffing", "Predicted and reached", rf"of {N} visits"),
        column("staffing", "Predicted and reached", "Offered"),
        column("staffing", "Agents needed", "Offered"),
    ),
    "answered visits": (
        column("queues", "Queues", "Answered"),
        said("queues", "How long they waited", rf"of {N} answered visits"),
        column("queues", "Agents", "Answered"),
    ),
    "abandoned visits": (
        column("queues", "Queues", "Abandoned"),
        said("queues", "How long they waited", rf"callers left {N} times"),
        said("queues", "Patience", rf"from {N} abandoned visits"),
    ),
    "answered in time": (
        said("queues", "Queues", rf"{SHARE} within \d+ s"),
        said("staffing", "Predicted and reached", rf"^{SHARE} of"),
    ),
    "service level": (
        said("queues", "Queues", rf"the service level is {SHARE}"),
        said("queues", "Service level", rf"is {SHARE} by the formula chosen"),
    ),
    "calls that phones picked up": (
        said("extensions", "Extensions", rf"picked up {N} calls"),
        column("extensions", "Extensions", "Answered"),
    ),
    "rings": (
        said(*RECORDS, rf"phones rang {N} times"),
        column("extensions", "Extensions", "Rung"),
    ),
    "calls that phones placed": (
        column("extensions", "Extensions", "Placed"),
        column(*BY_WEEK, "Outbound", "Internal"),
    ),
    "calls to expect in a week": (
        said("forecast", "Calls to expect by day", rf"^{N} calls"),
        said("forecast", "Calls to expect by half-hour", rf"^{N} calls"),
    ),
    "calls of the last two weeks": (
        column("forecast", "What such forecasts were worth", "Calls"),
        lambda pages: show(int(pages.section(*BY_WEEK).table["calls"].iloc[-2:].sum()), "count"),
    ),
    "answered calls out": (
        said("cost", "Cost by destination", rf"{N} answered calls out by a trunk"),
        column("cost", "Cost by destination", "Answered calls out by a trunk"),
    ),
    "attempts on trunks": (
        column("traffic", "Lines needed", "Attempts"),
        column("traffic", "Most lines in use by day and trunk", "Attempts"),
    ),
    "most lines in use": (
        said("traffic", "Lines needed", rf"at most {N} lines were in use at the same time, (.+)\.$"),
        said("traffic", "Most lines in use by day and trunk", rf"had {N} lines .* first on (.+?)\. "),
    ),
}

NAMED: dict[str, tuple[tuple[str, str, str], ...]] = {
    "talk of phones, talk of calls": (
        (
            "extensions",
            "Extensions",
            r"they talked .*\. A call counts at each phone that took part, an internal .* two",
        ),
        (*TALK, r"all together .*, each call counted once"),
    ),
    "picked up by phones, answered by a person": (
        ("extensions", "Extensions", r"picked up [\d,]+ calls; .* A call counts at each phone that took part"),
        (*RECORDS, r"a person answered [\d,]+ calls"),
    ),
    "busiest hour of all calls, of calls from outside, of the day, of a trunk": (
        (*BY_CELL, r"is the busiest hour of the week, with .* calls on average; for calls from outside it is"),
        ("call-volume", "Busy hour", r"hour of the day with most calls is .* over all weekdays"),
        ("traffic", "Lines needed", r"in its hour of most line time"),
        ("staffing", "Agents needed", r"in the half hour that needs most"),
    ),
    "served within 20 s, answered within 20 s": (
        ("queues", "Queues", r"\d+ % within \d+ s; .*the service level is \d+ % \(formula "),
        ("staffing", "Predicted and reached", r"visits to queues were answered within"),
    ),
    "lines of a trunk, calls of the PBX": (
        (
            "traffic",
            "Most lines in use by day and trunk",
            r"lines? in use at the same time .* A forwarded call holds a",
        ),
        (
            "traffic",
            "Most calls at once by hour",
            r"held at most \d+ calls? at the same time, .*forwarded one counted once",
        ),
    ),
    "hours with calls": (
        ("call-volume", "Hour by hour", r"^Calls began in [\d,]+ of"),
        ("traffic", "Most calls at once by hour", r"[\d,]+ hours in which a call was going on"),
    ),
    "calls from outside, calls that showed a number": (
        ("callers", "Most frequent callers", r"made [\d,]+ calls, and [\d,]+ more showed no number"),
        ("callers", "How much a few callers make up", r"calls that showed a number"),
    ),
    "waits of callers from outside, of all": (
        (*TALK, r"callers from outside waited"),
        ("durations", "Spread of waiting", r"calls of all directions"),
    ),
    "passes and calls of a menu": (
        ("ivr-paths", "Ways through the menus", r"[\d,]+ calls went through a menu"),
        ("ivr-paths", "Where callers leave", r"of [\d,]+ passes"),
    ),
    "calls, calls that are followed": (
        ("missed-calls", "Callers who call again", r"[\d,]+ calls that could be followed"),
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(shutil.copytree(DEMO, tmp_path_factory.mktemp("demo") / "store"))


@pytest.fixture(scope="module")
def pages(store: Store) -> Pages:
    summary, *others = run_all(store, PERIOD)
    texts = Page.of(summary.to_html()).texts
    return Pages({report.name: report for report in (summary, *others)}, "\n".join(text for _, text in texts))


@pytest.mark.parametrize("name", EQUAL)
def test_numbers_that_mean_the_same_are_equal(pages: Pages, name: str) -> None:
    found = [number(pages) for number in EQUAL[name]]
    assert len(found) > 1
    assert len(set(found)) == 1, found


@pytest.mark.parametrize("name", NAMED)
def test_what_tells_two_numbers_apart_stands_beside_them(pages: Pages, name: str) -> None:
    for report, title, words in NAMED[name]:
        assert re.search(words, pages.sentence(report, title)), pages.sentence(report, title)


def test_how_many_pairs_are_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = sum(len(numbers) - 1 for numbers in EQUAL.values())
    with capsys.disabled():
        print(f"\nequal numbers: {pairs} pairs, {len(NAMED)} named differences")
    assert pairs > 50


def test_the_demo_counts_calls_as_its_reports_do(pages: Pages, store: Store) -> None:
    (counts,) = _found(rf"{N} records are {N} calls", [pulled(store)])
    assert counts == (EQUAL["records"][0](pages), EQUAL["calls"][0](pages))


def test_the_explorer_counts_calls_as_the_reports_do(pages: Pages, store: Store) -> None:
    assert _found(rf"{N} calls", [repr(ucm.Explorer(store))]) == [(EQUAL["calls"][0](pages),)]


def _found(pattern: str, lines: Iterable[str]) -> list[tuple[str, ...]]:
    return [found.groups() for line in lines if (found := re.search(pattern, line))]
