"""Tables of the store as files for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ucm_analytics.documents.csv import csv_text
from ucm_analytics.documents.files import write
from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    import pandas as pd

    from ucm_analytics.period import Period
    from ucm_analytics.store import Store

Format = Literal["csv", "parquet", "xlsx"]

Table = Literal["calls", "legs", "steps"]

_SHEET_ROWS: Final = 1_048_575


@dataclass(frozen=True)
class Exported:
    """What was written: how many rows, and how many days of the period are not in the store."""

    rows: int
    missing_days: int


def export_table(
    store: Store, table: Table, *, period: Period, path: Path, file_format: Format = "csv", pbx: str | None = None
) -> Exported:
    """Write a table of the store into one file; see `write_table`.

    Parameters
    ----------
    store : Store
        Where the calls are.
    table : {'calls', 'legs', 'steps'}
        Which table.
    period : Period
        Its days.
    path : Path
        The file.
    file_format : {'csv', 'parquet', 'xlsx'}
        As for `write_table`.
    pbx : str, optional
        Only the calls of this PBX.

    Returns
    -------
    Exported
        A day counts as missing when it is so on any PBX.

    Raises
    ------
    NoData
        The store holds nothing at all, or not this PBX.
    SettingError
        As for `write_table`.
    """
    frame = getattr(store, table)(period, pbx=pbx)
    write_table(frame, path, file_format)
    days = store.coverage(period, pbx=pbx)
    return Exported(len(frame), days.loc[days["state"] == "missing", "day"].nunique())


def write_table(frame: pd.DataFrame, path: Path, file_format: Format) -> None:
    """Write a table into one file.

    Parameters
    ----------
    frame : pandas.DataFrame
        Calls, legs or steps.
    path : Path
        The file; its folder is made when it is not there.
    file_format : {'csv', 'parquet', 'xlsx'}
        CSV is UTF-8 with a byte order mark, and no text in it is run by a spreadsheet. Excel has no
        time zones: UTC columns are written as they are, without one.

    Raises
    ------
    SettingError
        The file cannot be written, a package is missing, or a sheet cannot hold so many rows.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if file_format == "parquet":
            frame.to_parquet(path, index=False)
        elif file_format == "xlsx":
            _write_sheet(frame, path)
        else:
            path.write_bytes(csv_text(frame).encode("utf-8-sig"))
    except OSError as error:
        raise SettingError(
            f"cannot write {path} ({error.strerror})", hint="choose another folder or free space on the disk"
        ) from error


def write_text(text: str, path: Path) -> None:
    """Write a text file; its folder is made when it is not there.

    Raises
    ------
    SettingError
        The file cannot be written.
    """
    write(path, text.encode())


def _write_sheet(frame: pd.DataFrame, path: Path) -> None:
    import pandas as pd

    try:
        import xlsxwriter  # noqa: F401
    except ImportError:
        raise SettingError(
            "Excel files need the package xlsxwriter, which is not installed",
            hint='install it with pip install "ucm-analytics[excel]", or use --format csv',
        ) from None
    if len(frame) > _SHEET_ROWS:
        raise SettingError(
            f"{len(frame):,} rows do not fit into a sheet of {_SHEET_ROWS:,}",
            hint="choose a shorter period, or --format parquet",
        )
    plain = frame.copy()
    for name in plain.columns:
        if isinstance(plain[name].dtype, pd.DatetimeTZDtype):
            plain[name] = plain[name].dt.tz_localize(None)
        elif plain[name].dtype == object:
            plain[name] = plain[name].map(str, na_action="ignore")
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        plain.to_excel(writer, index=False, sheet_name="data", freeze_panes=(1, 0))
