"""What is wrong with the records of a store, how much of it, where, and what it does to which report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Final

import pandas as pd

from ucm_analytics.period import Period
from ucm_analytics.quality._checks import CHECKS, SEVERITIES, UNSEEN, Severity
from ucm_analytics.quality._measure import Source, measure, unexplained

if TYPE_CHECKING:
    from ucm_analytics.store import Store

_COLORS: Final[dict[Severity, str]] = {"error": "#D55E00", "warning": "#E69F00", "note": "#56B4E9"}


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    id, severity, title, unit, means, touches
        As in the table of checks.
    count : int
        How many, in `unit`.
    examples : tuple of str
        Up to five `call_id`, or days.
    detail : str
        More in words: which fields, which actions.
    """

    id: str
    severity: Severity
    title: str
    count: int
    unit: str
    examples: tuple[str, ...]
    detail: str
    means: str
    touches: tuple[str, ...]


@dataclass(frozen=True, repr=False, eq=False)
class Audit:
    """What was found in a store, the worst first.

    Attributes
    ----------
    findings : tuple of Finding
        What is wrong; empty if nothing is.
    checks : int
        How many things were looked for.
    days, legs, calls : int
        How much was looked at: no legs that are set aside, and no calls that only go on with another.
    reconciliation : pandas.DataFrame
        How the records become rings, calls and callers: result of `analyses.reconciliation`.
    """

    findings: tuple[Finding, ...]
    checks: int
    days: int
    legs: int
    calls: int
    reconciliation: pd.DataFrame

    @property
    def worst(self) -> Severity | None:
        """The worst severity that was found: error, warning, note, or None."""
        return self.findings[0].severity if self.findings else None

    @property
    def frame(self) -> pd.DataFrame:
        """One row a finding: `id`, `severity`, `title`, `count`, `unit`, `examples`, `detail`, `means`, `touches`."""
        rows = [
            {**vars(found), "examples": ", ".join(found.examples), "touches": ", ".join(found.touches)}
            for found in self.findings
        ]
        text = {name: "str" for name in Finding.__annotations__ if name != "count"}
        return pd.DataFrame(rows, columns=list(Finding.__annotations__)).astype({**text, "count": "int64"})

    @property
    def verdict(self) -> str:
        """One plain sentence: can the numbers be trusted."""
        return self.judged("{:,}".format)

    def judged(self, count: Callable[[int], str]) -> str:
        """The verdict, with its numbers written by `count`."""
        if not self.legs and "set_aside" not in (found.id for found in self.findings):
            return "no records are stored, so there is nothing to trust or to doubt."
        worst = [f"{found.title} ({count(found.count)})" for found in self.findings if found.severity == self.worst]
        named = "; ".join(worst[:3]) + (f"; and {len(worst) - 3} more" if len(worst) > 3 else "")
        counts = ((self.legs, "record"), (self.calls, "call"), (self.days, "day"))
        legs, calls, days = (f"{count(n)} {one}{'s' * (n != 1)}" for n, one in counts)
        looked = f"{legs} of {calls} on {days}"
        if self.worst == "error":
            return f"the numbers cannot be trusted yet: {named} ({looked})."
        if self.worst == "warning":
            return f"the numbers can be used with care: {named} ({looked})."
        notes = (
            f", and {len(worst)} {'thing' if len(worst) == 1 else 'things'} to know when reading them" if worst else ""
        )
        return f"the numbers can be trusted: {self.checks} checks found no fault{notes} ({looked})."

    def __repr__(self) -> str:
        lines = [f"Audit: {self.verdict}"]
        lines += [f"  {found.severity:8} {found.count:8,}  {found.title}" for found in self.findings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='border-left:4px solid {_COLORS[found.severity]};text-align:left'>{found.severity}</td>"
            f"<td style='text-align:right'>{found.count:,}</td>"
            f"<td style='text-align:left'>{escape(found.title)}{_bracket(found.detail)}</td>"
            f"<td style='text-align:left'>{escape(found.means)}</td>"
            f"<td style='text-align:left'>{escape(', '.join(found.touches) or '–')}</td>"
            f"<td style='text-align:left'><code>{escape(', '.join(found.examples))}</code></td></tr>"
            for found in self.findings
        )
        head = "".join(
            f"<th style='text-align:left'>{name}</th>"
            for name in ("Severity", "Count", "What", "Meaning", "Touches", "Examples")
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
        return f"<p><b>{escape(self.verdict.capitalize())}</b></p>{table}<p>{escape(UNSEEN)}</p>"


def audit(
    store: Store,
    period: str | date | Period | None = None,
    *,
    pbx: str | None = None,
) -> Audit:
    """Look for everything that makes numbers wrong: gaps, duplicates, impossible times, missing legs.

    Reads lazily, a table at a time, so that years of records fit into the memory that a store allows itself.

    Parameters
    ----------
    store : Store
        Where the records are.
    period : str, date or Period, optional
        ``2026-03``, ``2026-W11``, a day, or ``Period.of(first, last)``; without it everything stored.
    pbx : str, optional
        Only this PBX.

    Returns
    -------
    Audit
        It shows itself; ``.frame`` is the table, ``.worst`` the worst severity, ``.verdict`` one sentence.

    Raises
    ------
    NoData
        The store holds nothing at all, or not this PBX.
    SettingError
        No such period.
    DamagedFile
        A file cannot be read.

    Examples
    --------
    >>> import ucm_analytics as ucm
    >>> found = audit(ucm.demo_store(), ucm.Period.of("2026-03-02", "2026-03-29"))
    >>> found.worst
    'note'
    >>> found.frame[["id", "count"]].values.tolist()[0]
    ['clock_changed', 1]
    """
    days = None if period is None else Period.of(period)
    source = Source(store, days, pbx, store.coverage(days, pbx=pbx))
    table = source.reconciliation()
    seen = measure(source) | {"unexplained": unexplained(table)}
    ranks = list(SEVERITIES)
    findings = [
        Finding(
            id=check.id,
            severity=check.severity,
            title=check.title,
            count=seen[check.id].count,
            unit=check.unit,
            examples=seen[check.id].examples,
            detail=seen[check.id].detail,
            means=check.means,
            touches=check.touches,
        )
        for check in CHECKS
        if seen[check.id].count
    ]
    records = table.loc[table["what"] == "records", "count"]
    calls = table.loc[(table["grain"] == "calls") & (table["part"] == "total"), "count"]
    return Audit(
        findings=tuple(sorted(findings, key=lambda found: ranks.index(found.severity))),
        checks=len(CHECKS),
        days=int(source.coverage.loc[source.coverage["state"] != "missing", "day"].nunique()),
        legs=int(records.iloc[0]),
        calls=int(calls.iloc[0]),
        reconciliation=table,
    )


def _bracket(detail: str) -> str:
    return f" <small>({escape(detail)})</small>" if detail else ""
