"""Stores that hold next to nothing, and what reports say of them."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from tests.analyses.runs import RUNS
from tests.store.pretend import ZONE, call
from ucm_analytics import charts
from ucm_analytics.errors import NoData, SilentWeekdays
from ucm_analytics.legs import legs_table
from ucm_analytics.period import Period
from ucm_analytics.quality import audit
from ucm_analytics.reports import Report, run_report
from ucm_analytics.simulator.traffic import clinic, generate
from ucm_analytics.store import Store
from ucm_analytics.store.files import Day
from ucm_analytics.store.months import Months

from .by_hand import Page
from .clinic import directory_of

Leg = dict[str, Any]
MONTH = Period.of("2026-03")
YEAR = Period(date(2025, 4, 1), date(2026, 3, 31))
TENTH = date(2026, 3, 10)


def by_clinic(day: date, count: int) -> Iterator[Leg]:
    """Calls of one day through menus, queues, ring groups and trunks."""
    told = generate(clinic(), first=day, last=day, calls_per_day=3 * count, seed=day.toordinal())
    for _, story in zip(range(count), told, strict=False):
        yield from story.call.legs


def plain(day: date, count: int) -> Iterator[Leg]:
    """Calls of one day from outside to one phone: no queue, menu, trunk or name; every third is not answered."""
    for n in range(count):
        (leg,) = call(f"{day} {8 + n % 10:02}:{7 * n % 60:02}:{n % 50:02}", caller="12025550142", callee="1001").legs
        missed = {} if n % 3 else {"answer": "", "billsec": "0", "disposition": "NO ANSWER", "dstanswer": ""}
        yield leg | missed | {"userfield": "Inbound", "clid": "", "channel_ext": ""}


def days_of(period: Period, per_day: Callable[[date], int]) -> dict[date, int]:
    """How many calls each day brings."""
    return {day: per_day(day) for day in period}


CASES: dict[str, dict[date, int]] = {
    "no calls": days_of(MONTH, lambda _: 0),
    "1 call": days_of(MONTH, lambda day: day == TENTH),
    "2 calls": days_of(MONTH, lambda day: day in (TENTH, date(2026, 3, 17))),
    "6 calls": days_of(MONTH, lambda day: 3 * (day in (TENTH, date(2026, 3, 11)))),
    "one day is pulled": {TENTH: 20},
    "one day has calls": days_of(MONTH, lambda day: 60 * (day == TENTH)),
    "first week only": days_of(MONTH, lambda day: 20 * (date(2026, 3, 2) <= day <= date(2026, 3, 8))),
    "last week only": days_of(MONTH, lambda day: 20 * (date(2026, 3, 23) <= day <= date(2026, 3, 29))),
    "last week only, few": days_of(MONTH, lambda day: 2 * (date(2026, 3, 23) <= day <= date(2026, 3, 29))),
    "one call a month": days_of(YEAR, lambda day: day.day == 10),
    "a year with one busy day": days_of(YEAR, lambda day: 200 * (day == TENTH)),
}
SITES: dict[str, Callable[[date, int], Iterator[Leg]]] = {"clinic": by_clinic, "plain": plain}


def store_of(case: str, site: str, folder: Path) -> Store:
    """Store in which each day of the case is settled, with few or no calls."""
    store = Store(folder)
    months = Months(folder, "shop")
    counts = CASES[case]
    legs = list(chain.from_iterable(SITES[site](day, count) for day, count in counts.items()))
    table = legs_table([leg | {"AcctId": str(n)} for n, leg in enumerate(legs, 1)], pbx="shop")
    pulled = datetime(2026, 4, 3, 6, 10, tzinfo=UTC)
    of_day = Counter(str(leg["start"])[:10] for leg in legs)
    known = {
        day: Day(state="settled", source="pbx", legs=of_day[f"{day}"], pages=1, longest_s=0, pulled_at=pulled)
        for day in counts
    }
    with months.syncing():
        for month in sorted({f"{day:%Y-%m}" for day in counts}):
            some = table.filter(pa.array([str(leg["start"])[:7] == month for leg in legs], pa.bool_()))
            months.put(some, {day: what for day, what in known.items() if f"{day:%Y-%m}" == month}, zone=ZONE.key)
        months.finish()
    if site == "clinic":
        store.save_directory("shop", directory_of(clinic()))
    return store


def period_of(case: str) -> Period:
    """Days to report on: the month, or the year if the case is about one."""
    return YEAR if len(CASES[case]) > len(MONTH) else MONTH


@dataclass(frozen=True)
class Trial:
    """What came of one report, or one analysis and its chart, on one store."""

    of: str
    seconds: float
    wrong: str


def reports_on(store: Store, period: Period, which: Iterable[str]) -> Iterator[Trial]:
    """Reports, their pages and the texts of their charts."""
    for name in which:
        yield _tried(f"report {name}", lambda name=name: words(run_report(name, store, period, locale="")))


def analyses_on(store: Store) -> Iterator[Trial]:
    """Every analysis on the stored tables, and its chart."""
    tables = {name: getattr(store, name)() for name in ("calls", "steps", "rings", "legs")}
    tables |= {"coverage": store.coverage(), "findings": audit(store).frame}
    for name, run in RUNS.items():
        draw = getattr(charts, name.partition(" ")[0])
        with warnings.catch_warnings():
            # nobody says which weekdays are meant here; a report does
            warnings.simplefilter("ignore", SilentWeekdays)
            yield _tried(f"analysis {name}", lambda run=run, draw=draw: _texts(json.loads(draw(run(tables)).to_json())))


def _tried(of: str, texts: Callable[[], Iterable[str]]) -> Trial:
    began = perf_counter()
    try:
        wrong = [text for text in texts() if NONSENSE.search(text)]
    except NoData as refusal:  # an analysis that says why it has no answer
        wrong = [] if "forecast" in of else [f"NoData: {refusal}"]
    except Exception as error:  # noqa: BLE001  # any failure is what is looked for
        wrong = [f"{type(error).__name__}: {error}"]
    return Trial(of, perf_counter() - began, "; ".join(wrong[:3]))


def words(report: Report) -> Iterator[str]:
    """All that a reader sees of a report: its page, its findings, and the texts of its charts."""
    page = Page.of(report.to_html())
    yield from (text.strip() for tag, text in page.texts if tag not in ("script", "style") and text.strip())
    yield from report.findings
    for section in report.sections:
        yield from _texts(json.loads(section.figure.to_json()))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            if key not in ("bdata", "dtype"):
                yield from _texts(each)


NONSENSE = re.compile(
    r"(?<![\w-])(nan|NaN|-?inf|[Ii]nfinity|None|NaT|<NA>)(?![\w-])"
    r"|(?<![\w.-])1 (calls|days|records|rows|hours|callers|visits|legs) |(?<![\d,(])\d{1,3}(,\d{3}){2,}|\b1970\b"
)
"""What no reader may see: values that are none, one of several, and numbers far beyond what is in the store."""
