"""Tables as CSV in which no text is run by a spreadsheet."""

from __future__ import annotations

import io

import pandas as pd

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(table: pd.DataFrame) -> str:
    """Table as CSV in which no text is run by a spreadsheet.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"caller": ["=1+1", "+12025550142"], "calls": [-1, 2]}))
    "caller,calls\\r\\n'=1+1,-1\\r\\n'+12025550142,2\\r\\n"
    """
    plain = table.copy()
    for column in plain.columns:
        if _is_text(plain[column]):
            plain[column] = plain[column].astype(object).map(_inert, na_action="ignore")
    buffer = io.StringIO()
    plain.columns = plain.columns.map(_inert)
    plain.to_csv(buffer, index=False, lineterminator="\r\n")
    return buffer.getvalue()


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value
