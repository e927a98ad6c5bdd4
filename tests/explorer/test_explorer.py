"""The explorer without a browser: what it counts, what it writes, what it says where there is nothing."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ucm_analytics as ucm
from tests.delivery.changes import DEMO, unsettled
from tests.reports.by_hand import Page
from tests.store.pretend import call
from ucm_analytics.documents.formats import seconds, share
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.explorer import CSV_ROWS, ROWS, Explorer
from ucm_analytics.explorer._choice import Place, held_days, periods
from ucm_analytics.legs import legs_table
from ucm_analytics.period import Period
from ucm_analytics.schema import DIRECTIONS, OUTCOMES
from ucm_analytics.store import Store

from .stores import FORMULA, IMAGE, SCRIPT, counted, hostile_store, waits, with_extension, with_queue


@pytest.fixture(scope="module")
def store() -> Store:
    return Store(DEMO)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    return Explorer(hostile_store(tmp_path_factory.mktemp("hostile") / "store"))


@pytest.fixture(scope="module")
def explorer(store: Store) -> Explorer:
    """One for all tests that say with `choose` what they want to see."""
    return Explorer(store)


def choose(explorer: Explorer, choice: dict[str, Any]) -> None:
    """Choose this and nothing else, and count once."""
    explorer._quiet = True
    for name, control in explorer.controls.items():
        control.value = choice.get(name, USUAL.get(name, ""))
    explorer._quiet = False
    explorer._count()


def shown(explorer: Explorer) -> dict[str, str]:
    """The numbers that are shown, by their labels."""
    texts = Page.of(explorer._cards.value).text("p")
    return dict(zip(texts[::3], texts[1::3], strict=True))


def sentence(explorer: Explorer) -> str:
    return Page.of(explorer._says.value).text("p")[0]


def visible(explorer: Explorer) -> list[str]:
    """Charts that are not hidden."""
    return [name for name, drawn in explorer._drawn.items() if drawn.layout.display != "none" and drawn.outputs]


def figure(explorer: Explorer, name: str) -> dict[str, Any]:
    (output,) = explorer._drawn[name].outputs
    return output["data"]["application/vnd.plotly.v1+json"]


def saved(explorer: Explorer) -> pd.DataFrame:
    """The CSV behind the link."""
    explorer._make_csv.click()
    (link,) = Page.of(explorer._csv.value).all("a")
    content = base64.b64decode(link["href"].partition("base64,")[2])
    return pd.read_csv(io.BytesIO(content), dtype={"call_id": "str", "caller": "str"}, encoding="utf-8-sig")


USUAL = {"period": "Last four weeks", "first": date(2026, 3, 2), "last": date(2026, 3, 29), "dark": False}
CHOICES: list[dict[str, Any]] = [
    {},
    *({"direction": direction} for direction in DIRECTIONS if direction != "unknown"),  # the demo has none
    *({"outcome": outcome} for outcome in OUTCOMES),
    {"extension": Place("clinic", "1004")},
    {"queue": Place("clinic", "6501")},
    {"first": date(2026, 3, 9), "last": date(2026, 3, 9), "direction": "inbound"},
    {"direction": "inbound", "extension": Place("clinic", "1001"), "queue": Place("clinic", "6500")},
]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_numbers_are_those_of_plain_pandas(choice: dict[str, Any], explorer: Explorer, store: Store) -> None:
    choose(explorer, choice)
    expected = counted(store, str(choice.get("first", "2026-03-02")), str(choice.get("last", "2026-03-29")))
    for name in ("direction", "outcome"):
        if name in choice:
            expected = expected[expected[name] == choice[name]]
    if "extension" in choice:
        expected = with_extension(store, expected, choice["extension"].number)
    if "queue" in choice:
        expected = with_queue(store, expected, choice["queue"].number)
    assert len(expected) > 0
    numbers = shown(explorer)
    assert numbers["Calls"] == f"{len(expected):,}"
    assert numbers["Answered by a person"] == share((expected["outcome"] == "answered").mean())
    some = waits(expected)
    assert numbers["Median wait"] == (seconds(some.median()) if len(some) else "–")
    talk = expected.loc[expected["outcome"] == "answered", "talk_s"]
    assert numbers["Median talk"] == (seconds(talk.median()) if len(talk) else "–")
    assert set(explorer.calls()["call_id"]) == set(expected["call_id"])
    assert set(saved(explorer)["call_id"]) == set(expected["call_id"])
    drawn = [sum(trace["y"]) for trace in plain(figure(explorer, "volume"))]
    assert sum(drawn) == len(expected)


def plain(drawn: dict[str, Any]) -> list[dict[str, Any]]:
    """Traces with their numbers unpacked."""
    import numpy as np

    traces = []
    for trace in drawn["data"]:
        y = trace["y"]
        if isinstance(y, dict):
            y = np.frombuffer(base64.b64decode(y["bdata"]), dtype=np.dtype(y["dtype"])).tolist()
        traces.append({**trace, "y": y})
    return traces


def test_calls_are_those_of_the_store_newest_first(store: Store) -> None:
    explorer = Explorer(store)
    expected = counted(store).sort_values(["started_at", "call_id"], ascending=False, ignore_index=True)
    made = explorer.calls()
    assert made.columns.tolist() == expected.columns.tolist()
    assert made["call_id"].tolist() == expected["call_id"].tolist()
    for name in ("wait_s", "caller", "answered_by", "is_forward", "local_at"):
        assert made[name].dtype == expected[name].dtype
        assert made[name].astype("object").where(made[name].notna(), None).tolist() == (
            expected[name].astype("object").where(expected[name].notna(), None).tolist()
        )


def test_pages_hold_every_call_once(store: Store) -> None:
    explorer = Explorer(store)
    explorer.controls["outcome"].value = "voicemail"
    total = int(shown(explorer)["Calls"])
    times = []
    for page in range(-(-total // ROWS)):
        caption, *_ = Page.of(explorer._rows.value).text("caption")
        assert caption == f"Calls {page * ROWS + 1} to {min((page + 1) * ROWS, total)} of {total}, newest first"
        times += Page.of(explorer._rows.value).text("th")[10:]
        assert explorer._newer.disabled == (page == 0)
        assert explorer._older.disabled == ((page + 1) * ROWS >= total)
        explorer._older.click()
    calls = counted(store)
    assert times == [f"{at:%a %Y-%m-%d %H:%M}" for at in explorer.calls()["local_at"]]
    assert len(times) == total == (calls["outcome"] == "voicemail").sum()


def test_names_are_shown_beside_numbers(store: Store) -> None:
    explorer = Explorer(store)
    assert ("1001 Reception Two", Place("clinic", "1001")) in explorer.controls["extension"].options
    assert ("6500 Reception", Place("clinic", "6500")) in explorer.controls["queue"].options
    assert "6500 Reception" in figure(explorer, "queues")["data"][0]["y"]
    assert "pbx" not in explorer.controls


def test_a_choice_that_nothing_fits_says_so(store: Store) -> None:
    explorer = Explorer(store)
    explorer.controls["direction"].value = "outbound"
    explorer.controls["outcome"].value = "disconnected"
    assert sentence(explorer) == "No call fits this choice, 2 to 29 March 2026"
    assert all(part.layout.display == "none" for part in explorer._results)
    assert "0 %" not in explorer._cards.value
    assert explorer.calls().empty
    explorer.controls["outcome"].value = ""
    assert all(part.layout.display is None for part in explorer._results)


def test_charts_of_kinds_that_do_not_occur_are_left_out(store: Store) -> None:
    explorer = Explorer(store)
    assert visible(explorer) == ["volume", "hours", "durations", "extensions", "queues", "menus"]
    explorer.controls["direction"].value = "outbound"
    explorer.controls["outcome"].value = "busy"
    assert visible(explorer) == ["volume", "hours", "durations"]


def test_days_that_cannot_be_are_told(store: Store) -> None:
    explorer = Explorer(store)
    explorer.controls["last"].value = date(2026, 3, 9)
    explorer.controls["first"].value = date(2026, 3, 10)
    assert "before it starts" in sentence(explorer)
    explorer.controls["first"].value = None
    assert sentence(explorer) == "the first or the last day is missing: choose both"
    with pytest.raises(SettingError, match="missing"):
        explorer.calls()
    explorer.controls["period"].value = "Last week"
    assert sentence(explorer).endswith("Week 13 of 2026 (23 to 29 March)")


def test_period_and_days_agree(store: Store) -> None:
    explorer = Explorer(store)
    controls = explorer.controls
    assert controls["period"].options == ("Last four weeks", "Last week", "Last day", "All days", "Own days")
    controls["period"].value = "Last week"
    assert (controls["first"].value, controls["last"].value) == (date(2026, 3, 23), date(2026, 3, 29))
    controls["first"].value = date(2026, 3, 24)
    assert controls["period"].value == "Own days"
    controls["first"].value = date(2026, 3, 23)
    assert controls["period"].value == "Last week"
    controls["first"].value = date(2020, 1, 1)
    assert controls["first"].value == date(2026, 3, 2), "not before the first day that is stored"


@pytest.mark.parametrize(
    ("held", "usual"),
    [
        (("2026-03-02", "2026-03-29"), ("Last four weeks", "2026-03-02", "2026-03-29")),
        (("2026-03-02", "2026-03-28"), ("All days", "2026-03-02", "2026-03-28")),
        (("2025-01-01", "2026-03-31"), ("Last four weeks", "2026-03-02", "2026-03-29")),
        (("2026-03-30", "2026-03-30"), ("All days", "2026-03-30", "2026-03-30")),
    ],
)
def test_the_usual_period_is_four_full_weeks_or_all(held: tuple[str, str], usual: tuple[str, str, str]) -> None:
    name, period = next(iter(periods(Period.of(*held)).items()))
    assert (name, str(period.first), str(period.last)) == usual
    assert all(held[0] <= str(each.first) and str(each.last) <= held[1] for each in periods(Period.of(*held)).values())


def test_provisional_and_missing_days_are_named(tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "store")
    store = Store(tmp_path / "store")
    unsettled(store, date(2026, 3, 27))
    unsettled(store, date(2026, 3, 10), missing=True)
    explorer = Explorer(store)
    text = explorer._says.value
    assert "26 of 28 days settled" in text
    assert "1 provisional, may still change (2026-03-27)" in text
    assert "1 missing, never pulled (2026-03-10)" in text
    assert "ucm-open" in text
    explorer.controls["last"].value = explorer.controls["first"].value = date(2026, 3, 10)
    assert sentence(explorer) == "These days were never pulled from a PBX, Tuesday 10 March 2026"


def test_text_from_the_pbx_stays_text(hostile: Explorer) -> None:
    page = Page.of(hostile._rows.value)
    assert [tag for tag in ("script", "img") if page.all(tag)] == []
    assert {SCRIPT, FORMULA} <= set(page.text("td"))
    labels = [label for label, _ in hostile.controls["extension"].options]
    assert f"1000 {IMAGE}" in labels, "an option is text"
    drawn = str(figure(hostile, "extensions")["data"])
    assert "&lt;img" in drawn
    assert "<img" not in drawn


def test_no_text_of_the_csv_is_run_by_a_spreadsheet(hostile: Explorer) -> None:
    rows = saved(hostile)
    assert rows["caller_name"].tolist()[:2] == [f"'{FORMULA}", SCRIPT]
    explorer_note = Page.of(hostile._csv.value).text("p")
    assert any("2,537 calls" in text for text in explorer_note)


def test_a_csv_that_would_be_too_large_says_what_it_holds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CSV_ROWS == 50_000
    monkeypatch.setattr("ucm_analytics.explorer.CSV_ROWS", 100)
    explorer = Explorer(store)
    rows = saved(explorer)
    assert rows["call_id"].tolist() == explorer.calls()["call_id"].tolist()[:100]
    assert "the newest 100 of 2,535 calls; ucm-analytics export calls writes all" in explorer._csv.value
    explorer.controls["direction"].value = "inbound"
    assert explorer._csv.value == "", "a link to what is not chosen any more"


def test_dark_has_the_colours_of_the_dark_reports(store: Store) -> None:
    explorer = Explorer(store)
    paper = [figure(explorer, "volume")["layout"]["template"]["layout"]["paper_bgcolor"]]
    explorer.controls["dark"].value = True
    paper.append(figure(explorer, "volume")["layout"]["template"]["layout"]["paper_bgcolor"])
    assert paper == ["white", "#15191E"]
    assert "ucm-dark" in explorer.widget._dom_classes
    explorer.controls["dark"].value = False
    assert "ucm-dark" not in explorer.widget._dom_classes


def test_two_pbxs_have_places_of_their_own(tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "store")
    store = Store(tmp_path / "store")
    other = [leg | {"AcctId": "1"} for leg in call("2026-03-10 09:00").legs]
    store.add(legs_table(other, pbx="annex"), pbx="annex")
    explorer = Explorer(store)
    both = len(counted(store))
    assert shown(explorer)["Calls"] == f"{both:,}"
    assert Place("annex", "1002") in dict(explorer.controls["extension"].options).values()
    explorer.controls["extension"].value = Place("annex", "1002")
    assert shown(explorer)["Calls"] == "1"
    explorer.controls["pbx"].value = "clinic"
    assert explorer.controls["extension"].value == "", "no such place on this PBX"
    assert shown(explorer)["Calls"] == f"{both - 1:,}"
    explorer.controls["pbx"].value = "annex"
    assert shown(explorer)["Calls"] == "1"
    assert "PBX annex" in explorer._says.value


def test_it_shows_itself(store: Store) -> None:
    explorer = ucm.Explorer(store)
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer) == "<Explorer 2,535 calls, 2 to 29 March 2026>"
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget.model_id


def test_every_control_has_a_name(store: Store) -> None:
    assert all(control.description for control in Explorer(store).controls.values())


def test_an_empty_store_has_nothing_to_explore(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="ucm-analytics sync"):
        Explorer(Store(tmp_path))
    with pytest.raises(NoData):
        held_days(Store(tmp_path))


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ("ipywidgets", "ucm.Explorer(ucm.Store({store!r}))"),
        ("voila", "serving.serve(ucm.Store({store!r}), port=0, on_ready=print)"),
    ],
)
def test_a_missing_package_is_named(package: str, code: str) -> None:
    lines = [
        "import sys",
        f"sys.modules[{package!r}] = None",
        "import ucm_analytics as ucm",
        "from ucm_analytics.explorer import serving",
        code.format(store=str(DEMO)),
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], text=True, capture_output=True)
    last = done.stderr.strip().splitlines()[-1]
    assert re.fullmatch(
        rf"ucm_analytics.errors.SettingError: .* needs the package {package}[.a-z]*, which is not installed: "
        r'install it with pip install "ucm-analytics\[\w+\]"',
        last,
    ), last
