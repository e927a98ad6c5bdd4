"""All reports of a day, a week or a month, in a folder of its own that says what it was made from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar, get_args

from ucm_analytics.delivery.folder import alone, replaced
from ucm_analytics.delivery.manifest import NAME, manifest_of
from ucm_analytics.documents.coverage import Coverage, coverage
from ucm_analytics.documents.document import Document
from ucm_analytics.documents.files import write
from ucm_analytics.documents.formats import period_name
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period
from ucm_analytics.reports import run_all, run_report, write_all

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ucm_analytics.documents.files import Format
    from ucm_analytics.reports import Report
    from ucm_analytics.store import Store

DocumentT = TypeVar("DocumentT", bound=Document)

Kind = Literal["daily", "weekly", "monthly"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

MAILED: Final = "mailed.json"
PROVISIONAL: Final = "PROVISIONAL"
_EXAMPLE: Final = {"daily": "2026-03-31", "weekly": "2026-W11", "monthly": "2026-03"}


@dataclass(frozen=True, eq=False)
class PeriodicReport:
    """What became of a periodic report.

    Attributes
    ----------
    state : {'final', 'provisional', 'incomplete'}
        `final` if every day is settled; `provisional` if it was made although days may still change,
        and says so everywhere; `incomplete` if it was not made, because days are not settled.
    kind : {'daily', 'weekly', 'monthly'}
        Which periodic report.
    period : Period
        The days it is about.
    label : str
        Their name: 2026-W11.
    days : Coverage
        What the store holds of them.
    folder : Path, optional
        Where the files are; None if nothing was made.
    files : tuple of Path
        The files, the manifest last.
    reports : tuple of Report
        The reports that were written.
    """

    state: Literal["final", "provisional", "incomplete"]
    kind: Kind
    period: Period
    label: str
    days: Coverage
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    reports: tuple[Report, ...] = ()

    @property
    def line(self) -> str:
        """One line on what became of it, and why."""
        name = f"{self.kind} report on {period_name(self.period)}"
        if self.state == "incomplete":
            return f"no {name} yet: {self.days.line}"
        mark = f"{PROVISIONAL} {name}" if self.state == "provisional" else name
        return f"{mark}: {self.days.line}"


def last_period(kind: Kind, today: date, which: str = "last") -> Period:
    """Period that a word means.

    Parameters
    ----------
    kind : {'daily', 'weekly', 'monthly'}
        A day, an ISO week or a month.
    today : date
        Today, on the PBX's clock.
    which : str
        ``last``: the last one that has ended; else its name, such as 2026-W11.

    Raises
    ------
    SettingError
        The word names no period of this kind.

    Examples
    --------
    >>> last_period("weekly", date(2026, 3, 16))
    Period(first=datetime.date(2026, 3, 9), last=datetime.date(2026, 3, 15))
    >>> str(last_period("monthly", date(2026, 3, 16)))
    '2026-02-01 to 2026-02-28'
    """
    _check(kind)
    if which != "last":
        period = Period.of(which)
    elif kind == "daily":
        period = Period.of(today - timedelta(days=1))
    elif kind == "weekly":
        monday = today - timedelta(days=today.weekday())
        period = Period(monday - timedelta(days=7), monday - timedelta(days=1))
    else:
        period = Period.month_of(today.replace(day=1) - timedelta(days=1))
    label_of(kind, period)
    return period


def label_of(kind: Kind, period: Period) -> str:
    """Name of a period: 2026-03-31, 2026-W11 or 2026-03.

    Raises
    ------
    SettingError
        It is not one day, one ISO week or one month.
    """
    _check(kind)
    year, week, _ = period.first.isocalendar()
    label = {"daily": f"{period.first}", "weekly": f"{year}-W{week:02}", "monthly": f"{period.first:%Y-%m}"}[kind]
    if Period.of(label) != period:
        raise SettingError(
            f"{period_name(period)} is no period of a {kind} report",
            hint=f"write it as {_EXAMPLE[kind]}, or as last",
        )
    return label


def periodic(
    store: Store,
    kind: Kind,
    *,
    period: Period | str = "last",
    folder: str | Path,
    formats: Sequence[Format] = ("html", "csv"),
    pbx: str | None = None,
    reports: Sequence[str] | None = None,
    locale: str | None = None,
    provisional_ok: bool = False,
) -> PeriodicReport:
    """Write all reports of a period into a folder of its own.

    Nothing is written while a day is not settled. The folder appears when it is complete, and takes
    the place of an earlier one. The same period, data and versions give the same bytes on processors of one
    kind; on another the last digits of a float in a chart or a table can differ.

    Parameters
    ----------
    store : Store
        Where the calls are.
    kind : {'daily', 'weekly', 'monthly'}
        Which periodic report.
    period : Period or str
        Its days, their name, or ``last``: the last that has ended on the PBX's clock; see `last_period`.
    folder : str or Path
        Holds the folders of all periods.
    formats : sequence of str
        As for `reports.write_all`.
    pbx : str, optional
        Only the calls of this PBX.
    reports : sequence of str, optional
        Names of reports; all of them if not given.
    locale : str, optional
        How numbers and dates are written; see `reports.run_report`.
    provisional_ok : bool
        Make it although days may still change; every title then begins with PROVISIONAL.

    Returns
    -------
    PeriodicReport
        `state` is `incomplete`, and nothing is written, where days are provisional or missing; with
        `provisional_ok` only where not one day was ever pulled.

    Raises
    ------
    SettingError
        The period is not of this kind, or the folder cannot be written.
    NoData
        The store holds nothing at all, or not this PBX.
    """
    if isinstance(period, str):
        period = last_period(kind, _today(store, pbx), period)
    label = label_of(kind, period)
    days = coverage(store, period, pbx=pbx)
    if days.never_pulled or not (days.complete or provisional_ok):
        return PeriodicReport("incomplete", kind, period, label, days)
    state: Literal["final", "provisional"] = "final" if days.complete else "provisional"
    if reports is None:
        made = run_all(store, period, pbx=pbx, locale=locale)
    else:
        made = [run_report(name, store, period, pbx=pbx, locale=locale) for name in reports]
    if state == "provisional":
        made = [_provisional(report) for report in made]
    parts = [label, *([pbx] if pbx else []), *([state] if state == "provisional" else [])]
    target = Path(folder) / "-".join(parts)
    files: list[Path] = []

    def make(new: Path) -> None:
        files.extend(write_all(made, new, formats=formats))
        for picture in (file for file in files if file.suffix == ".svg"):
            write(picture, _steady(picture.read_text(encoding="utf-8")).encode())
        manifest = manifest_of(store, period, kind=kind, label=label, pbx=pbx, state=state, files=files)
        write(new / NAME, manifest.encode())

    with alone(target.parent):
        # who has had the reports by mail is no part of them
        replaced(target, make, keep=MAILED)
    return PeriodicReport(
        state,
        kind,
        period,
        label,
        days,
        folder=target,
        files=tuple(target / file.name for file in [*files, target / NAME]),
        reports=tuple(made),
    )


def _today(store: Store, pbx: str | None) -> date:
    """Today on the PBX's clock; on this computer's, where no zone or several are stored."""
    zones = set(store.zones(pbx).values())
    return datetime.now(zones.pop() if len(zones) == 1 else None).date()


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise SettingError(f"no periodic report is called {kind!r}", hint=f"choose one of {', '.join(KINDS)}")


def _provisional(report: DocumentT) -> DocumentT:
    sections = tuple(
        replace(section, title=f"{PROVISIONAL}: {section.title}", figure=_marked(section.figure))
        for section in report.sections
    )
    chapters = tuple(_provisional(chapter) for chapter in report.chapters)
    return replace(report, title=f"{PROVISIONAL}: {report.title}", sections=sections, chapters=chapters)


def _marked(figure: go.Figure) -> go.Figure:
    import plotly.graph_objects as go

    marked = go.Figure(figure)
    title = marked.layout.title.text
    marked.update_layout(title_text=f"{PROVISIONAL}: {title}" if title else PROVISIONAL)
    return marked


def _steady(svg: str) -> str:
    """The picture with counted names for its parts, where plotly.js has thrown dice.

    Examples
    --------
    >>> _steady('<g class="trace bars trace0f00ba"/><defs id="topdefs-c0ffee"/><g style="fill: #c0ffee"/>')
    '<g class="trace bars trace000001"/><defs id="topdefs-000002"/><g style="fill: #c0ffee"/>'
    """
    names = dict.fromkeys(re.findall(r"(?:\btopdefs-|\btrace|\by?cb)([0-9a-f]{6})(?![0-9a-f])", svg))
    for number, name in enumerate(names, 1):
        # not in a colour, and not among the decimals of a coordinate
        svg = re.sub(rf"(?<![#0-9.]){name}", f"{number:06x}", svg)
    return svg
