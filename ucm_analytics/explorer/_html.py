"""The written parts of the explorer. Whatever comes from a PBX passes through autoescape."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache

import jinja2
import pandas as pd

from ucm_analytics.documents.csv import csv_text
from ucm_analytics.documents.document import TableColumn
from ucm_analytics.documents.formats import NUMERIC, show
from ucm_analytics.documents.html import Cell, style


def stylesheet() -> str:
    """Style sheet of the explorer, as an element."""
    return f"<style>{_template('style.css').render()}</style>"


def says(sentence: str, coverage: str = "", *, complete: bool = True) -> str:
    """The sentence that says what is shown, and the days behind it."""
    return _template("says.html").render(sentence=sentence, coverage=coverage, complete=complete)


def cards(numbers: Sequence[tuple[str, str, str]]) -> str:
    """The numbers that matter: label, value, note."""
    return _template("cards.html").render(numbers=numbers)


def rows(frame: pd.DataFrame, columns: Sequence[TableColumn], caption: str) -> str:
    """Table of the rows of a frame."""
    kinds = [column.kind for column in columns]
    values = frame[[column.name for column in columns]].itertuples(index=False, name=None)
    return _template("rows.html").render(
        caption=caption,
        columns=[{"label": column.label, "number": column.kind in NUMERIC} for column in columns],
        rows=[[Cell(show(value, kind), style(kind)) for value, kind in zip(row, kinds, strict=True)] for row in values],
    )


def csv_link(frame: pd.DataFrame, file: str, note: str) -> str:
    """Link that saves a frame as CSV; UTF-8 with a byte order mark, which spreadsheets need."""
    content = base64.b64encode(csv_text(frame).encode("utf-8-sig")).decode()
    return _template("csv.html").render(file=file, content=content, note=note)


def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("ucm_analytics.explorer"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
