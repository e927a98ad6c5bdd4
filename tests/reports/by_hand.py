"""A report made by hand, and a reader of HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.period import Period
from ucm_analytics.reports import Card, Coverage, Report, Section, TableColumn

HOSTILE = [
    "<script>document.title='owned'</script>",
    "</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "+12025550142",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}",
    "Zoë & Søn\u2028</style>",
]
MARCH = Period.of("2026-03")
COLUMNS = (
    TableColumn("caller", "Caller"),
    TableColumn("calls", "Calls", "count"),
    TableColumn("talk_s", "Talk", "seconds"),
    TableColumn("answered_rate", "Answered", "share"),
)


def frame(callers: list[str]) -> pd.DataFrame:
    """A table of callers: 1,000 calls and more, talk of 200 s, no answered rate."""
    n = len(callers)
    return pd.DataFrame(
        {
            "caller": pd.Series(callers, dtype="str"),
            "calls": pd.Series(range(1000, 1000 + n), dtype="int64"),
            "talk_s": pd.Series([200] * n, dtype="int64"),
            "answered_rate": pd.Series([pd.NA] * n, dtype="Float64"),
        }
    )


def card() -> Card:
    """One number that matters."""
    return Card("Calls from outside", "381", "8 % more (352 the week before)", "Plan for Mon 2026-03-16.", "others")


def section(callers: list[str], *, title: str = "Calls by caller", cards: tuple[Card, ...] = ()) -> Section:
    """A section about callers; the chart's labels are text, as those of `charts` are."""
    table = frame(callers)
    labels = [caller.replace("&", "&amp;").replace("<", "&lt;") for caller in callers]
    return Section(
        title=title,
        sentence=f"{len(callers)} callers made calls.",
        figure=go.Figure(go.Bar(x=labels, y=table["calls"].tolist())),
        table=table,
        columns=COLUMNS,
        formula="answered_rate = answered / offered [share of 1]",
        reading="A tall bar is a busy caller.",
        cards=cards,
    )


def days(*, settled: int = 31, missing: int = 0) -> Coverage:
    """Coverage of March 2026: settled days first, missing days last, provisional between."""
    every = tuple(MARCH)
    return Coverage(
        settled=every[:settled],
        provisional=every[settled : len(every) - missing],
        missing=every[len(every) - missing :],
        absent=every[len(every) - missing :],
        pbxs=("clinic",),
        span=MARCH,
        zones={},
        legs=7412,
        pulled=(pd.Timestamp("2026-04-03T06:10Z"), pd.Timestamp("2026-04-03T06:10Z")),
    )


def report(
    *sections: Section,
    coverage: Coverage | None = None,
    name: str = "callers",
    chapters: tuple[Report, ...] = (),
    locale: str = "",
) -> Report:
    """A report on March 2026."""
    return Report(
        name=name,
        title="Callers",
        question="Who calls?",
        period=MARCH,
        sections=sections,
        days=coverage or days(),
        chapters=chapters,
        locale=locale,
    )


@dataclass
class Page(HTMLParser):
    """HTML as a list of elements and their text."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, text: str) -> Page:
        """Parse a page."""
        page = cls()
        page.feed(text)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of this kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        """Text directly in every element of this kind, without empty pieces."""
        return [text.strip() for name, text in self.texts if name == tag and text.strip()]
