"""What the sentences of reports say of one call, of a closed Sunday, of two PBXs and in another language."""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.store.pretend import call
from ucm_analytics.errors import SilentWeekdays
from ucm_analytics.legs import legs_table
from ucm_analytics.reports import run_report
from ucm_analytics.store import Store

from .thin import plain, store_of

ONE = {
    "call-volume": [
        "1 call a day on average: 1 inbound in all.",
        "with 1 call on average",
        "the busiest 1 hour holds half of them",
    ],
    "data-quality": ["1 record is 1 different call", "Where the PBX counts 0 rows as ANSWERED"],
    "traffic": ["1 attempt in its hour of most line time"],
}


@pytest.mark.parametrize("name", ONE)
def test_one_is_singular(name: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    leg = next(plain(date(2026, 3, 10), 1)) | {"src_trunk_name": "Main"}
    store.add(legs_table([leg], pbx="shop"), pbx="shop")
    said = " ".join(section.sentence for section in run_report(name, store, "2026-03-10").sections)
    assert [words for words in ONE[name] if words not in said] == []


def test_one_placed_call(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (leg,) = call("2026-03-10 09:00:00").legs
    store.add(legs_table([leg | {"userfield": "Outbound", "dst_trunk_name": "Main"}], pbx="shop"), pbx="shop")
    assert run_report("extensions", store, "2026-03-10").answer == "No phone rang; 1 call was placed."


def test_a_week_without_calls_from_outside_on_a_weekday_is_no_reason_to_warn(tmp_path: Path) -> None:
    store = store_of("6 calls", "plain", tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SilentWeekdays)
        run_report("call-volume", store, "2026-03")


def test_numbers_in_sentences_follow_the_locale(tmp_path: Path) -> None:
    store = Store(tmp_path)
    legs = [leg for n in range(28) for leg in plain(date(2026, 3, 2) + timedelta(days=n), 40)]
    store.add(legs_table(legs, pbx="shop"), pbx="shop")
    report = run_report("data-quality", store, "2026-03-02", "2026-03-29", locale="de_DE")
    said = " ".join(section.sentence for section in report.sections)
    assert "1.120 records of 1.120 calls" in said
    assert "1,120" not in said


@pytest.mark.parametrize(("name", "nth"), [("extensions", 0)])
def test_charts_of_two_pbxs_name_them_once(name: str, nth: int, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for pbx in ("north", "south"):
        store.add(legs_table(list(plain(date(2026, 3, 10), 3)), pbx=pbx), pbx=pbx)
    figure = run_report(name, store, "2026-03-10").sections[nth].figure
    assert figure is not None
    assert list(figure.data[0].y) == ["1001 (north)", "1001 (south)"]
