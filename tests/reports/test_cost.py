"""The cost of calls out by a trunk: a tariff from a file, the sums a second way, and no tariff."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest

from ucm_analytics.errors import SettingError
from ucm_analytics.reports import Report, run_report
from ucm_analytics.store import Store
from ucm_analytics.tariff import EXAMPLE, read_tariff

from .by_hand import HOSTILE
from .clinic import store_of, stories

WEEK = "2026-W11"
TOML = """
currency = "EUR"
home = "1"

[[prefix]]
prefix = "1"
per_minute = 0.06
rounding_s = 60

[[prefix]]
prefix = ""
per_minute = 0.3
setup = 0.1
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return store_of(stories(date(2026, 3, 9), date(2026, 3, 15)), tmp_path_factory.mktemp("week"))


@pytest.fixture
def tariff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tariff that the settings name."""
    path = tmp_path / "tariff.toml"
    path.write_text(TOML)
    monkeypatch.setenv("UCM_TARIFF", str(path))
    return path


def cost(store: Store, period: str = WEEK) -> Report:
    return run_report("cost", store, period, locale="")


def test_the_sums_by_a_plain_loop(store: Store, tariff: Path) -> None:
    total, answered, by_caller = 0.0, 0, dict[str, float]()
    for row in store.calls(WEEK).to_dict("records"):
        if row["direction"] in ("outbound", "external") and row["outcome"] == "answered":
            digits = "".join(sign for sign in row["callee"] if sign.isdigit())
            home = not row["callee"].startswith(("+", "00")) or digits.startswith(("1", "001"))
            talk = int(row["talk_s"])
            one = 0.06 * math.ceil(talk / 60) if home else 0.1 + 0.3 * talk / 60
            total, answered = total + one, answered + 1
            by_caller[row["caller"]] = by_caller.get(row["caller"], 0) + one
    report = cost(store)
    table = report.sections[0].table
    assert table["cost"].sum() == pytest.approx(total)
    assert table["calls"].sum() == answered > 20
    assert f": {answered} calls out by a trunk cost {total:.2f} EUR; most of it, " in report.headline
    callers = report.sections[1].table.groupby("caller")["cost"].sum()
    assert sorted(callers) == pytest.approx(sorted(by_caller.values()))
    dearest = max(by_caller, key=by_caller.__getitem__)
    assert report.sections[1].sentence.startswith(
        f"Calls of {callers.idxmax()} cost most, {by_caller[dearest]:.2f} EUR"
    )
    assert callers.idxmax().partition(" ")[0] == dearest
    assert any(name in label for name in HOSTILE for label in callers.index)
    assert [column.label for column in report.sections[0].columns][4:] == ["Cost [EUR]", "Share"]
    assert report.sections[0].figure.layout.xaxis.title.text == "cost [EUR]"


def test_without_a_tariff_it_says_how_to_give_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UCM_TARIFF", raising=False)
    report = cost(store)
    (section,) = report.sections
    calls = store.calls(WEEK)
    out = calls[calls["direction"].isin(["outbound", "external"])]
    answered = int((out["outcome"] == "answered").sum())
    assert len(out) > answered > 20
    assert section.sentence.startswith(
        f"no tariff is set, so the cost of {answered} answered calls out by a trunk is not known"
    )
    assert section.table["calls"].sum() == answered
    assert section.reading.endswith(EXAMPLE)
    assert "UCM_TARIFF" in report.to_html()


def test_days_without_calls_out(store: Store, tariff: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = cost(store, "2025-07")
    nothing = "no call out by a trunk was answered, so none cost anything."
    assert report.sections[0].sentence == nothing
    assert report.sections[1].sentence == "No call cost anything."
    assert not len(report.sections[0].table)
    assert report.to_html()
    monkeypatch.delenv("UCM_TARIFF")
    assert cost(store, "2025-07").sections[0].sentence == nothing


def test_the_example_is_a_tariff(tmp_path: Path) -> None:
    path = tmp_path / "tariff.csv"
    path.write_text(EXAMPLE)
    read = read_tariff(path)
    assert read.table.to_dict("list") == {
        "prefix": ["+44", "+1", ""],
        "per_minute": [0.02, 0.01, 0.25],
        "setup": [0, 0, 0.05],
        "rounding_s": [60, 1, 60],
    }
    assert (read.currency, read.home) == ("", "")


def test_what_a_toml_leaves_out_is_nothing_and_a_second(tariff: Path) -> None:
    read = read_tariff(tariff)
    assert read.table.to_dict("records") == [
        {"prefix": "1", "per_minute": 0.06, "setup": 0.0, "rounding_s": 60},
        {"prefix": "", "per_minute": 0.3, "setup": 0.1, "rounding_s": 1},
    ]
    assert (read.currency, read.home) == ("EUR", "1")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none.csv", None),
        ("tariff.csv", "prefix,price\n1,2\n"),
        ("tariff.csv", "prefix,per_minute,setup,rounding_s\n1,cheap,0,60\n"),
        ("tariff.csv", ""),
        ("tariff.toml", "currency = "),
        ("tariff.toml", 'currency = "EUR"'),
        ("tariff.toml", "prefix = 1"),
        ("tariff.toml", "[[prefix]]\nprefix = '1'"),
    ],
)
def test_what_is_no_tariff(tmp_path: Path, name: str, text: str | None) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingError, match="cannot read the tariff") as caught:
        read_tariff(path)
    assert "prefix, per_minute, setup, rounding_s" in str(caught.value.hint)
