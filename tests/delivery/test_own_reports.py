"""A report of one's own: one file dropped into a folder is a report like the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ucm_analytics.errors import SettingError
from ucm_analytics.reports import names, report_module, run_report
from ucm_analytics.store import Store

BUSIEST = '''
"""Who called most?"""

from dataclasses import dataclass

import plotly.graph_objects as go

from ucm_analytics.reports import Section, TableColumn

TITLE = "Busiest caller"
QUESTION = "Who called most?"


@dataclass
class Top:
    caller: str
    calls: int


def build(context):
    calls = context.store.calls(context.period, pbx=context.pbx, columns=["caller", "direction"])
    inbound = calls[calls["direction"] == "inbound"]
    table = inbound.groupby("caller", as_index=False).agg(calls=("direction", "size"))
    table = table.sort_values(["calls", "caller"], ascending=[False, True])
    top = Top(table.iloc[0]["caller"], int(table.iloc[0]["calls"]))
    return [
        Section(
            title="Callers",
            sentence=f"{top.caller} called most, {top.calls} times.",
            figure=go.Figure(go.Bar(x=table["caller"].head(), y=table["calls"].head())),
            table=table,
            columns=(TableColumn("caller", "Caller"), TableColumn("calls", "Calls", "count")),
            formula="calls = calls from outside by caller",
            reading="A number may be shared by many people.",
        )
    ]
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that `UCM_REPORTS` names."""
    made = tmp_path / "own"
    made.mkdir()
    monkeypatch.setenv("UCM_REPORTS", str(made))
    return made


def test_a_file_dropped_into_the_folder_is_a_report(folder: Path, store: Store) -> None:
    before = names()
    (folder / "busiest_caller.py").write_text(BUSIEST)
    (folder / "_shared.py").write_text("raise SystemExit")
    assert set(names()) - set(before) == {"busiest-caller"}
    assert [name for name in names() if name != "busiest-caller"] == before
    assert report_module("busiest-caller").QUESTION == "Who called most?"
    calls = store.calls("2026-W11", columns=["caller", "direction"])
    most: dict[str, int] = {}
    for caller, direction in zip(calls["caller"], calls["direction"], strict=True):
        if direction == "inbound":
            most[caller] = most.get(caller, 0) + 1
    report = run_report("busiest-caller", store, "2026-W11")
    assert report.title == "Busiest caller"
    assert f"called most, {max(most.values())} times" in report.headline
    assert "Busiest caller" in report.to_html()


def test_a_file_that_changes_is_read_again(folder: Path) -> None:
    file = folder / "mine.py"
    file.write_text("TITLE = QUESTION = 'first?'\ndef build(context): ...\n")
    assert report_module("mine").TITLE == "first?"
    file.write_text("TITLE = QUESTION = 'the second?'\ndef build(context): ...\n")
    assert report_module("mine").TITLE == "the second?"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("durations", "", "two reports are called 'durations'"),
        ("My Report", "", "cannot be a report by this name"),
        ("broken", "1 / 0", r"broken.py does not run \(ZeroDivisionError: division by zero\)"),
        ("typo", "def build(:", r"typo.py does not run \(SyntaxError"),
        ("bare", "TITLE = 'x'", "bare.py is not complete"),
    ],
)
def test_a_file_that_cannot_be_a_report_is_named(
    folder: Path, store: Store, name: str, text: str, message: str
) -> None:
    (folder / f"{name}.py").write_text(text)
    with pytest.raises(SettingError, match=message) as caught:
        run_report(name, store, "2026-W11")
    assert caught.value.hint


def test_a_folder_that_is_not_there(folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(SettingError, match=r"the folder of reports .* is not there"):
        names()
