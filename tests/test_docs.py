"""What the pages of docs/ show is what happens, and the made ones are fresh."""

from __future__ import annotations

import ast
import re
import shutil
import struct
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from docs.make import SCREEN, definitions, weekly_reports, words
from ucm_analytics import analyses
from ucm_analytics.metrics import METRICS
from ucm_analytics.reports import run_report
from ucm_analytics.store import Store

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DEMO = ROOT / "data" / "demo"
PAGES = sorted(page.name for page in DOCS.glob("*.md"))


def python(page: str, marked: str = "python") -> list[str]:
    """The Python blocks of a page; those marked ``python spark`` are run by tests/spark."""
    return re.findall(rf"^```{marked}\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S)


def value(block: str, names: dict[str, object]) -> Any:
    """Run a block and return what its last line gives."""
    tree = ast.parse(block)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    exec(compile(tree, "page", "exec"), names)
    return eval(compile(ast.Expression(last.value), "page", "eval"), names)


def test_definitions_are_fresh() -> None:
    assert (DOCS / "definitions.md").read_text(encoding="utf-8") == definitions(), "run python -m docs.make"


def test_the_picture_of_the_weekly_report_is_fresh() -> None:
    picture = (DOCS / "weekly-report.png").read_bytes()
    assert len(picture) < 300_000
    assert struct.unpack(">II", picture[16:24]) == (SCREEN["width"], SCREEN["height"])
    assert words(weekly_reports()).encode() in picture, "run python -m docs.make"
    assert "](docs/weekly-report.png)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_definitions_hold_every_number_twice_and_every_analysis_in_rows_of_equal_width() -> None:
    parts = definitions().split("\n## ")
    for part, count, bars in zip(parts, (METRICS, METRICS, analyses.__all__), (6, 5, 4), strict=True):
        rows = [line for line in part.splitlines() if line.startswith("| ")]
        assert len(rows) == len(count) + 1
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {bars}


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_marked_so_that_one_of_the_tests_runs_them(page: str) -> None:
    marks = re.findall(r"^ *```(\w.*)$", (DOCS / page).read_text(encoding="utf-8"), re.M)
    assert {mark for mark in marks if "py" in mark} <= {"python", "python spark"}
    assert len(python(page)) + len(python(page, "python spark")) == sum("py" in mark for mark in marks)
    assert ("python spark" in marks) == (page == "scaling-out.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (DOCS / page).read_text(encoding="utf-8")):
        assert target.startswith("http") or (DOCS / target).exists(), target


def test_every_page_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if f"(docs/{page})" not in readme] == []


def test_the_report_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = python("writing-a-report.md")
    (tmp_path / "who_calls_at_night.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("UCM_REPORTS", str(tmp_path))
    store = Store(DEMO)
    report = run_report("who-calls-at-night", store, "2026-03-02", "2026-03-29")
    calls = store.calls("2026-03")
    outside = night = 0
    for at, direction, forward in zip(calls["local_at"], calls["direction"], calls["is_forward"], strict=True):
        if direction == "inbound" and not forward:
            outside += 1
            night += at.hour < 7 or at.hour >= 19
    assert report.headline == f"2 to 29 March 2026: {night} of {outside} calls from outside came at night."
    assert report.sections[0].table["calls"].sum() == night > 0
    assert "Calls at night" in report.to_html()


def test_other_tools_read_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(DEMO, tmp_path / "store")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    by_pandas, by_duckdb, by_polars, by_ucm, as_polars, several = (
        value(block, names) for block in python("scaling-out.md")
    )
    calls = Store(DEMO).calls("2026-03")
    counted = calls[~calls["is_forward"]]
    inbound = counted[counted["direction"] == "inbound"]
    assert by_pandas.to_dict() == calls.groupby("outcome", observed=True).size().to_dict()
    assert dict(by_duckdb[["direction", "calls"]].to_numpy()) == counted["direction"].value_counts().to_dict()
    assert (
        dict(by_polars.select("outcome", "calls").rows()) == inbound.groupby("outcome", observed=True).size().to_dict()
    )
    assert by_ucm["passes"].sum() == (Store(DEMO).steps("2026-03")["kind"] == "ivr").sum()
    assert as_polars["calls"].sum() == len(counted)
    pd.testing.assert_frame_equal(several, calls)


@pytest.mark.usefixtures("cache")
def test_numbers_become_keys() -> None:
    (code,) = python("privacy.md")
    names: dict[str, pd.DataFrame] = {}
    exec(code, names)
    plain = Store(DEMO).calls("2026-03", columns=["caller"])["caller"]
    keys = names["calls"]["caller"]
    assert keys.nunique() == plain.nunique()
    assert (keys.isna() == plain.isna()).all()
    assert keys.dropna().str.fullmatch("[0-9a-f]{16}").all()
    assert not set(keys.dropna()) & set(plain.dropna())
