"""What a report is made of: sections with a sentence, a chart and a table. Plain data; it knows no format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ucm_analytics.documents.coverage import Coverage
from ucm_analytics.documents.formats import Kind, period_name, written_for
from ucm_analytics.errors import printable
from ucm_analytics.period import Period

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True)
class TableColumn:
    """One column of a section's table: its name in the frame, its heading, how its values are shown."""

    name: str
    label: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Card:
    """One number that matters: what it is, its value, how it changed, and what to do about it.

    `details` is the name of the report that says more, if there is one.
    """

    label: str
    value: str
    change: str
    action: str
    details: str = ""


@dataclass(frozen=True, eq=False)
class Section:
    """One question of a report with its answer.

    Attributes
    ----------
    title : str
        Heading, unique within the report.
    sentence : str
        The answer in one plain sentence, computed from the numbers.
    figure : plotly.graph_objects.Figure
        The chart.
    table : pandas.DataFrame
        The numbers behind it.
    columns : tuple of TableColumn
        The columns to show, in order.
    formula : str
        How the numbers are computed, with symbols and units.
    reading : str
        How to read them, and one way in which they mislead.
    cards : tuple of Card
        Numbers to show large, before the chart.
    """

    title: str
    sentence: str
    figure: go.Figure
    table: pd.DataFrame
    columns: tuple[TableColumn, ...]
    formula: str
    reading: str
    cards: tuple[Card, ...] = ()

    @property
    def slug(self) -> str:
        """The title as part of a file name."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True, eq=False, repr=False)
class Document:
    """One report on one period: what it says, as plain data.

    Attributes
    ----------
    name, title, question : str
        Which report this is, and the question it answers.
    period : Period
        The days it is about.
    sections : tuple of Section
        Its parts; the first sentence is the one that matters most.
    days : Coverage
        What the store holds of the period.
    chapters : tuple of Document
        Other reports that its page, its PDF and its workbook hold after its own sections.
    locale : str
        How numbers and dates are written; empty for 1,234.5 and 2026-03-09.
    """

    name: str
    title: str
    question: str
    period: Period
    sections: tuple[Section, ...]
    days: Coverage
    chapters: tuple[Document, ...] = ()
    locale: str = ""

    def __repr__(self) -> str:
        return printable(f"<Report {self.name}, {self.headline}>")

    @property
    def parts(self) -> tuple[Document, ...]:
        """The report itself, then its chapters."""
        return (self, *self.chapters)

    @property
    def cards(self) -> tuple[Card, ...]:
        """The numbers that matter, where the report names some."""
        return tuple(card for section in self.sections for card in section.cards)

    @property
    def headline(self) -> str:
        """The one sentence that matters most, with the period that it is about."""
        name = period_name(self.period)
        if self.days.missing and not self.days.never_pulled:
            name += f" ({len(self.period) - len(self.days.missing)} of {len(self.period)} days pulled)"
        return f"{name}: {self._sentence}"

    @property
    def answer(self) -> str:
        """The headline without the period."""
        return self._sentence[:1].upper() + self._sentence[1:]

    @property
    def _sentence(self) -> str:
        if self.days.never_pulled:
            return "these days were never pulled from a PBX, so there is nothing to report."
        return self.sections[0].sentence

    @property
    def findings(self) -> list[str]:
        """The headline, then each number that matters with its change, and the sentence of every further section."""
        cards = [f"{card.label}: {card.value}, {card.change}. {card.action}" for card in self.cards]
        return [self.headline, *cards, *(section.sentence for section in self.sections[1:])]

    @property
    def coverage(self) -> str:
        """Which days are settled, provisional or missing, when they were pulled, from which PBX."""
        with written_for(self.locale):
            return self.days.line
