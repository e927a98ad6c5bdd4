"""A report that shows and writes itself: HTML, PDF, Excel, pictures, CSV, notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ucm_analytics.documents.browser import pdfs
from ucm_analytics.documents.document import Document
from ucm_analytics.documents.excel import workbook
from ucm_analytics.documents.files import write, write_csv, write_images
from ucm_analytics.documents.html import card, card_section, page


class Report(Document):
    """One report on one period, ready to be shown or written; its data are those of `Document`."""

    def to_html(self, path: str | Path | None = None) -> str:
        """The report as one self-contained page, written to `path` when one is given.

        Raises
        ------
        SettingError
            The file cannot be written.
        """
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
        return write(Path(path), workbook(self))

    def to_image(self, folder: str | Path, *, format: Literal["png", "svg"] = "png") -> list[Path]:
        """Write every chart as a picture into `folder` and return the files; a PNG is 2400 pixels wide.

        Raises
        ------
        SettingError
            There is no kaleido or no Chromium, no such format, or the folder cannot be written.
        """
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
        return write_csv(self, Path(folder))

    def _repr_html_(self) -> str:
        return card(self)

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(HTML(card(self, sections=False)))  # type: ignore[no-untyped-call]
        for section in self.sections:
            display(HTML(card_section(section, self.locale)), section.figure)  # type: ignore[no-untyped-call]
