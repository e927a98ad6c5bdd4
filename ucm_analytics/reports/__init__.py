"""Reports: one file of this folder is one report, found by being there.

A report module has ``TITLE``, ``QUESTION`` and ``build(context)``, which returns its sections; the first
sentence is the one that matters most. ``call_volume.py`` becomes the report ``call-volume``. Documents know
sections, not reports. Files of the folder that `UCM_REPORTS` names are reports in the same way.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ucm_analytics.config import reader_locale
from ucm_analytics.custom_reports import load_report, report_files
from ucm_analytics.documents.coverage import Coverage, coverage
from ucm_analytics.documents.document import Card, Section, TableColumn
from ucm_analytics.documents.files import FORMATS, write_all
from ucm_analytics.documents.formats import written_for
from ucm_analytics.documents.report import Report
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period
from ucm_analytics.reports._context import Context

if TYPE_CHECKING:
    from ucm_analytics.store import Store

__all__ = [
    "FIRST",
    "FORMATS",
    "Card",
    "Context",
    "Coverage",
    "Report",
    "Section",
    "TableColumn",
    "names",
    "report_module",
    "run_all",
    "run_report",
    "write_all",
]

SUMMARY = "summary"
"""The report that holds all others as chapters."""

FIRST = (SUMMARY, "missed-calls", "call-volume", "ivr-paths", "queues", "extensions", "durations")
"""The reports that most readers look for, in this order; the others follow by name."""


class ReportModule(Protocol):
    """What a file of this folder offers."""

    TITLE: str
    QUESTION: str

    def build(self, context: Context, /) -> Sequence[Section]:
        """Sections of the report, the most important first."""
        ...


def names() -> list[str]:
    """Names of all reports, those that most readers look for first.

    Examples
    --------
    >>> "call-volume" in names()
    True
    """
    return sorted([*_built_in(), *_own()], key=_rank)


def report_module(name: str) -> ReportModule:
    """The module behind a report: its title, its question, and what builds it.

    Raises
    ------
    SettingError
        No report has this name, or the file of one's own report cannot be used.
    """
    if path := _own().get(name):
        return cast(ReportModule, load_report(path))
    if name not in _built_in():
        raise SettingError(f"no report is called {name!r}", hint=f"choose one of {', '.join(names())}")
    return cast(ReportModule, importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))


def _rank(name: str) -> tuple[int, str]:
    return FIRST.index(name) if name in FIRST else len(FIRST), name


def _built_in() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return [name.replace("_", "-") for name in found if not name.startswith("_")]


def _own() -> dict[str, Path]:
    own = report_files()
    if taken := sorted(set(own) & set(_built_in())):
        raise SettingError(
            f"two reports are called {taken[0]!r}: one of the package and {own[taken[0]]}", hint="rename the file"
        )
    return own


def run_report(
    name: str,
    store: Store,
    first: str | date | Period,
    last: str | date | None = None,
    *,
    pbx: str | None = None,
    locale: str | None = None,
) -> Report:
    """One report on one period.

    Parameters
    ----------
    name : str
        One of `names()`; ``summary`` holds all the others too.
    store : Store
        Where the calls are.
    first : str, date or Period
        ``2026-03``, ``2026-W11`` or ``2026-03-31``; with `last`, the first day.
    last : str or date, optional
        The last day, included.
    pbx : str, optional
        Only the calls of this PBX.
    locale : str, optional
        Write numbers and dates as its readers do: ``de_DE``; ``""`` for 1,234.5 and 2026-03-09. By default as
        `config.reader_locale` says.

    Returns
    -------
    Report
        It shows itself in a notebook; ``.to_html()``, ``.to_pdf()``, ``.to_excel()``, ``.to_image()``,
        ``.to_csv()`` write it.

    Raises
    ------
    SettingError
        No report has this name, the period is none, or the locale is none.
    NoData
        The store holds nothing at all, or not this PBX.

    Examples
    --------
    >>> import ucm_analytics as ucm
    >>> report = ucm.run_report("callers", ucm.demo_store(), "2026-W11")
    >>> report.headline
    'Week 11 of 2026 (9 to 15 March): 293 callers made 346 calls, ...'
    """
    if name == SUMMARY:
        return run_all(store, first, last, pbx=pbx, locale=locale)[0]
    return _made([name], store, Period.of(first, last), pbx, locale)[0]


def run_all(
    store: Store,
    first: str | date | Period,
    last: str | date | None = None,
    *,
    pbx: str | None = None,
    locale: str | None = None,
) -> list[Report]:
    """All reports on one period, each made once, the summary first; see `run_report`."""
    summary, *others = _made(names(), store, Period.of(first, last), pbx, locale)
    return [replace(summary, chapters=tuple(others)), *others]


def _made(wanted: Sequence[str], store: Store, period: Period, pbx: str | None, locale: str | None) -> list[Report]:
    modules = {name: report_module(name) for name in wanted}
    days = coverage(store, period, pbx=pbx)
    # days before and after what is stored are no days without calls
    context = Context(store, days.span or period, pbx)
    written = reader_locale(pbx) if locale is None else locale
    with written_for(written):
        return [
            Report(
                name=name,
                title=module.TITLE,
                question=module.QUESTION,
                period=period,
                sections=tuple(module.build(context)),
                days=days,
                locale=written,
            )
            for name, module in modules.items()
        ]
