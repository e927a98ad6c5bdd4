"""Telephone numbers: the column that shows them, their digits with country code, and where they lie."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

import narwhals.stable.v2 as nw
import pandas as pd
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from ucm_analytics.analyses.frames import as_narwhals
from ucm_analytics.errors import SettingError
from ucm_analytics.schema import Column

OPTIONAL: Final = {
    name: Column(name, "string", "number in international form") for name in ("caller_number", "callee_number")
}
"""Columns that an analysis reads where a calls table has them."""

WRITTEN: Final = r"^[+0-9\s()./-]+$"
"""What a number is written with; a withheld one and a name are not."""
_CODES: Final = {str(code): regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}
_NETWORKS: Final = {
    "1": "North America",
    "800": "international freephone",
    "808": "international shared cost",
    "870": "Inmarsat",
    "878": "personal numbers",
    "881": "satellite networks",
    "882": "international networks",
    "883": "international networks",
    "888": "disaster relief",
    "979": "international premium rate",
}
"""Codes that lead to no one country."""


def optional(calls: Any, *names: str) -> tuple[Column, ...]:
    """The columns among `names` that the frame has."""
    found = set(as_narwhals(calls, "calls").columns)
    return tuple(OPTIONAL[name] for name in names if name in found)


def number(side: str, columns: Iterable[Column]) -> nw.Expr:
    """The number of ``caller`` or ``callee``: in international form where the frame has that."""
    if f"{side}_number" in {column.name for column in columns}:
        return nw.coalesce(f"{side}_number", side)
    return nw.col(side)


def checked_home(home: str) -> None:
    """Refuse a country code that there is not.

    Raises
    ------
    SettingError
        There is no such country code.
    """
    if home and home not in _CODES:
        raise SettingError(f"home={home!r} is no country code", hint="give its digits, such as 49, or leave it empty")


def in_full(numbers: pd.Series[str], home: str, *, shortest: int = 10) -> pd.Series[str]:
    """Digits of each number with its country code.

    NA for what is internal, withheld or a name, and for a national number where `home` is not given. What has neither
    a plus nor the prefix for calls abroad is taken as it is from `shortest` digits on.
    """
    exits, trunk, lengths = _dialling(home)
    written = numbers.where(numbers.str.contains(WRITTEN, na=False))
    plain = written.str.replace("[^0-9]", "", regex=True)
    length, zero = plain.str.len(), plain.str.startswith("0", na=False)
    full = plain.where((length >= shortest) & ~zero)
    if home:
        bare = length.isin(lengths) & (trunk != "0") & (~zero | (trunk == ""))
        begun = plain.str.startswith(trunk, na=False) & ((trunk == "0") | (length - len(trunk)).isin(lengths))
        full = full.mask(bare, home + plain)
        full = full.mask(begun, home + plain.str.slice(len(trunk))) if trunk else full
    full = full.mask(plain.str.contains(exits, na=False), plain.str.replace(exits, "", regex=True))
    full = full.mask(written.str.strip().str.startswith("+", na=False), plain)
    return full.where(full != "")


def codes(full: pd.Series[str]) -> pd.Series[str]:
    """Country code that each number `in_full` begins with, NA if there is no such code. No code begins another."""
    heads = full.str.slice(0, 3)
    known = {head: next((head[:n] for n in (1, 2, 3) if head[:n] in _CODES), None) for head in heads.dropna().unique()}
    return heads.map(known).astype("str")


def areas(codes: pd.Series[str]) -> pd.Series[str]:
    """Name of each country code, such as ``+49 Germany``."""
    return codes.map({code: f"+{code} {_name(code)}" for code in codes.dropna().unique()}).astype("str")


def _name(code: str) -> str:
    if code in _NETWORKS:
        return _NETWORKS[code]
    main, *others = _CODES[code]
    return _countries().get(main, main) + (" and others" if others else "")


@cache
def _countries() -> dict[str, str]:
    """Usual English name of each region; `phonenumbers` has them too, but loads 190 MB of places with them."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in table.splitlines() if not line.startswith("#"))


def _dialling(home: str) -> tuple[str, str, tuple[int, ...]]:
    """How one dials in a country: abroad, as a pattern; within it, and how many digits follow."""
    if not home:
        return "^00", "", ()
    main = _CODES[home][0]
    plan: Any = PhoneMetadata.metadata_for_region_or_calling_code(int(home), main)
    abroad = f"{plan.international_prefix}|00" if plan.international_prefix else "00"
    return f"^(?:{abroad})", plan.national_prefix or "", tuple(plan.general_desc.possible_length)
