from __future__ import annotations

import sys
from datetime import date

import pandas as pd
import pytest

from ucm_analytics.documents.formats import Kind, day_ranges, period_name, plural, separators, show, written_for
from ucm_analytics.errors import SettingError
from ucm_analytics.period import Period


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (2412, "count", "2,412"),
        (0, "count", "0"),
        (2.5, "number", "2.5"),
        (1234.0, "number", "1,234"),
        (0.884, "share", "88 %"),
        (0.885, "share", "89 %"),
        (0.0, "share", "0 %"),
        (0.0001, "share", "<1 %"),
        (0.9999, "share", ">99 %"),
        (1, "share", "100 %"),
        (0, "seconds", "0 s"),
        (12.54, "seconds", "12.5 s"),
        (59.97, "seconds", "1 min"),
        (60, "seconds", "1 min"),
        (200, "seconds", "3 min 20 s"),
        (3599.6, "seconds", "1 h"),
        (3725, "seconds", "1 h 2 min"),
        (3_600_000, "seconds", "1,000 h"),
        (pd.Timestamp("2026-03-09 10:15"), "day", "Mon 2026-03-09"),
        (pd.Timestamp("2026-03-09 10:15"), "time", "Mon 2026-03-09 10:15"),
        (9, "hour", "09:00"),
        (6, "weekday", "Sunday"),
        ("1004 Anna Reyes", "text", "1004 Anna Reyes"),
        (None, "text", "–"),
        (float("nan"), "seconds", "–"),
        (pd.NA, "share", "–"),
        (pd.NaT, "day", "–"),
    ],
)
def test_values_read_as_people_write_them(value: object, kind: Kind, text: str) -> None:
    assert show(value, kind) == text


@pytest.mark.parametrize(
    ("period", "text"),
    [
        (Period.of("2026-03"), "March 2026"),
        (Period.of("2028-02"), "February 2028"),
        (Period.of("2026-W11"), "Week 11 of 2026 (9 to 15 March)"),
        (Period.of("2026-W14"), "Week 14 of 2026 (30 March to 5 April)"),
        (Period.of("2026-W53"), "Week 53 of 2026 (28 December 2026 to 3 January 2027)"),
        (Period.of("2026-03-09"), "Monday 9 March 2026"),
        (Period.of("2026-03-02", "2026-03-29"), "2 to 29 March 2026"),
        (Period.of("2025-12-30", "2026-01-02"), "30 December 2025 to 2 January 2026"),
    ],
)
def test_period_names(period: Period, text: str) -> None:
    assert period_name(period) == text


def test_day_ranges_and_plurals() -> None:
    assert day_ranges([]) == ""
    assert day_ranges([date(2026, 3, 31), date(2026, 3, 1), date(2026, 4, 1)]) == (
        "2026-03-01, 2026-03-31 to 2026-04-01"
    )
    assert plural(0, "call") == "0 calls"
    assert plural(1, "day") == "1 day"
    assert plural(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("locale", "value", "kind", "text"),
    [
        ("de_DE", 2412, "count", "2.412"),
        ("de-DE", 1234.5, "number", "1.234,5"),
        ("de", 12.5, "seconds", "12,5 s"),
        ("fr_FR", 2412, "count", "2\u202f412"),
        ("en_IN", 1234567, "count", "12,34,567"),
        ("de_DE", pd.Timestamp("2026-03-09 10:15"), "time", "Mon 9.3.2026 10:15"),
        ("en_US", pd.Timestamp("2026-03-09 15:05"), "time", "Mon 3/9/2026 3:05\u202fPM"),
        ("en_GB", pd.Timestamp("2026-03-09"), "day", "Mon 09/03/2026"),
        ("en_US", 9, "hour", "9:00\u202fAM"),
        ("de_DE", None, "count", "–"),
    ],
)
def test_values_read_as_the_readers_of_a_place_write_them(locale: str, value: object, kind: Kind, text: str) -> None:
    with written_for(locale):
        assert show(value, kind) == text
    assert show(2412, "count") == "2,412"


def test_separators_and_plurals_of_a_locale() -> None:
    assert separators() == ".,"
    with written_for("de_DE"):
        assert separators() == ",."
        assert plural(2412, "call") == "2.412 calls"
        assert day_ranges([date(2026, 3, 1), date(2026, 3, 2)]) == "1.3.2026 to 2.3.2026"


@pytest.mark.parametrize("locale", ["german", "xx_YY", "d", "de_DE_x_y_z_1"])
def test_what_is_no_locale(locale: str) -> None:
    with pytest.raises(SettingError, match=f"'{locale}' is no locale"), written_for(locale):
        pass


def test_without_babel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "babel", None)
    with pytest.raises(SettingError, match="need the package Babel") as caught, written_for("de_DE"):
        pass
    assert "ucm-analytics[locale]" in str(caught.value.hint)
