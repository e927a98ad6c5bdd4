"""What a report is made of, and how it leaves: HTML, PDF, Excel, pictures, CSV, notebook."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ucm_analytics.errors import printable
from ucm_analytics.period import Period
from ucm_analytics.reports._format import Kind, period_name, written_for

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from ucm_analytics.reports._coverage import Coverage


@dataclass(frozen=True)
class Shown:
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
    columns : tuple of Shown
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
    columns: tuple[Shown, ...]
    formula: str
    reading: str
    cards: tuple[Card, ...] = ()

    @property
    def slug(self) -> str:
        """The title as part of a file name."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """One report on one period, ready to be shown or written.

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
    chapters : tuple of Report
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
    chapters: tuple[Report, ...] = ()
    locale: str = ""

    def __repr__(self) -> str:
        return printable(f"<Report {self.name}, {self.headline}>")

    @property
    def parts(self) -> tuple[Report, ...]:
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

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one self-contained page, written to `path` when one is given.

        Raises
        ------
        SettingError
            The file cannot be written.
        """
        from ucm_analytics.reports._files import write
        from ucm_analytics.reports._render import page

        text = page(self)
        if path is not None:
            write(Path(path), text.encode())
        return text

    def to_pdf(self, path: str | Path) -> Path:
        """Write the report as PDF on A4, printed by Chromium, and return the file.

        Raises
        ------
        SettingError
            There is no kaleido or no Chromium, or the file cannot be written.
        """
        from ucm_analytics.reports._browser import pdfs
        from ucm_analytics.reports._files import write

        return write(Path(path), pdfs([self])[0])

    def to_excel(self, path: str | Path) -> Path:
        """Write the report as an Excel workbook and return the file.

        A sheet a section: cells typed, headings frozen, a native chart where bars can show it; before them the
        headline and what the report was made from, after them how each number is computed. Seconds are numbers
        of seconds, shares are shown as per cent. No text becomes a formula or a link.

        Raises
        ------
        SettingError
            There is no xlsxwriter, or the file cannot be written.
        """
        from ucm_analytics.reports._excel import workbook
        from ucm_analytics.reports._files import write

        return write(Path(path), workbook(self))

    def to_image(self, folder: str | Path, *, format: Literal["png", "svg"] = "png") -> list[Path]:
        """Write every chart as a picture into `folder` and return the files; a PNG is 2400 pixels wide.

        Raises
        ------
        SettingError
            There is no kaleido or no Chromium, no such format, or the folder cannot be written.
        """
        from ucm_analytics.reports._files import write_images

        return write_images([self], Path(folder), format)

    def to_png(self, folder: str | Path) -> list[Path]:
        """Write every chart as a PNG; see `to_image`."""
        return self.to_image(folder)

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write every table as CSV into `folder` and return the files.

        Values are as computed: seconds, shares of 1, ISO dates, nothing for NA. Text that a
        spreadsheet would run (it begins with ``= + - @``, a tab or a line break) gets a leading
        apostrophe, phone numbers such as ``+12025550142`` too.

        Raises
        ------
        SettingError
            The folder cannot be written.
        """
        from ucm_analytics.reports._files import write_csv

        return write_csv(self, Path(folder))

    def _repr_html_(self) -> str:
        from ucm_analytics.reports._render import card

        return card(self)

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        from ucm_analytics.reports._render import card, card_section

        display(HTML(card(self, sections=False)))  # type: ignore[no-untyped-call]
        for section in self.sections:
            display(HTML(card_section(section, self.locale)), section.figure)  # type: ignore[no-untyped-call]
