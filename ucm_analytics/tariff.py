"""The user's own tariff: a CSV or TOML file with a row a prefix."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ucm_analytics.errors import SettingError
from ucm_analytics.settings_file import Kind, check_kinds

COLUMNS: Final = ("prefix", "per_minute", "setup", "rounding_s")
_KINDS: Final[dict[str, Kind]] = {"prefix": "text", "per_minute": "number", "setup": "number", "rounding_s": "number"}
EXAMPLE: Final = "prefix,per_minute,setup,rounding_s\n+44,0.02,0,60\n+1,0.01,0,1\n,0.25,0.05,60"
"""A tariff as CSV; the row without a prefix is for all other numbers."""


@dataclass(frozen=True)
class Tariff:
    """What minutes cost.

    `table` is what `analyses.cost` takes. `currency` is empty where the file names none, `home` the country code by
    which numbers in national form are priced.
    """

    table: pd.DataFrame
    currency: str = ""
    home: str = ""


def read_tariff(path: str | Path) -> Tariff:
    """Tariff of a file: CSV with a line of headings, or TOML with tables ``[[prefix]]``.

    Raises
    ------
    SettingError
        The file is not there, or is no tariff.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
        return _of_toml(text, file) if file.suffix.lower() == ".toml" else Tariff(_typed(_of_csv(file)))
    except SettingError:
        raise
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise SettingError(
            f"cannot read the tariff {file} ({error})",
            hint=f"give it the columns {', '.join(COLUMNS)}; docs/connect.md shows one (UCM_TARIFF)",
        ) from error


def _of_csv(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True)


def _of_toml(text: str, file: Path) -> Tariff:
    content = tomllib.loads(text)
    check_kinds(f"the tariff {file}", content, {"currency": "text", "home": "text"})
    rows: list[dict[str, Any]] = content.get("prefix", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError("there are no tables [[prefix]]")
    for number, row in enumerate(rows, 1):
        check_kinds(f"[[prefix]] {number} in the tariff {file}", row, _KINDS)
    table = pd.DataFrame([{"setup": 0, "rounding_s": 1, **row} for row in rows]).astype({"prefix": "str"})
    return Tariff(_typed(table), currency=content.get("currency", ""), home=content.get("home", ""))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    if missing := [name for name in COLUMNS if name not in table]:
        raise KeyError(f"there is no {', '.join(missing)}")
    numbers = {name: pd.to_numeric(table[name]).astype("float64") for name in COLUMNS[1:]}
    for name, column in numbers.items():
        if not np.isfinite(column).all():
            raise ValueError(f"{name} is not a number in every row")
    return pd.DataFrame({"prefix": table["prefix"].astype("str"), **numbers})
