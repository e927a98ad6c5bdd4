"""Notebooks with parameters become pages with charts, and tell no secret."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Browser

from ucm_analytics.delivery.notebook import run_notebook
from ucm_analytics.errors import SettingError
from ucm_analytics.store import Store

from .made import DEMO

# of the Jupyter packages
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")

CANARY = "can'ary-notebook-3"
VOLUME = """import ucm_analytics as ucm
volume = ucm.call_volume(ucm.Store(folder).calls(week), freq="1d")
ucm.charts.call_volume(volume)"""


def notebook(path: Path, *cells: str) -> Path:
    """A notebook whose first code cell holds parameters."""
    first = new_code_cell("week = '2026-W10'\nfolder: str = 'nowhere'", metadata={"tags": ["parameters"]})
    book = new_notebook(cells=[new_markdown_cell("# What came in?"), first, *map(new_code_cell, cells)])
    nbformat.write(book, path)
    return path


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UCM_PASSWORD", CANARY)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_page_with_its_charts_that_opens_without_a_network(tmp_path: Path, browser: Browser) -> None:
    path = notebook(
        tmp_path / "volume.ipynb",
        VOLUME,
        "print('calls', volume['calls'].sum())\nucm.charts.call_volume(volume)",
        "import os\nprint(os.environ.get('UCM_PASSWORD'), len(os.environ))\nopen('secret.txt').read()",
        "print(open('secret.txt').read())",
    )
    (tmp_path / "secret.txt").write_text(f"found {CANARY} here")
    before = dict(os.environ), path.read_bytes()
    page = run_notebook(path, tmp_path / "out" / "volume.html", week="2026-W11", folder=str(DEMO))
    assert (dict(os.environ), path.read_bytes()) == before
    text = page.read_text(encoding="utf-8")
    calls = int((~Store(DEMO).calls("2026-W11", columns=["is_forward"])["is_forward"]).sum())
    assert f"calls {calls}" in text
    assert len(text) < 6_000_000
    for written in (CANARY, CANARY.replace("'", "&#39;"), CANARY.replace("'", "\\'"), "ary-notebook-3"):
        assert written not in text
    assert text.count("found *** here") == 2
    assert "None " in text

    opened = browser.new_page(viewport={"width": 1000, "height": 800})
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(page.as_uri())
    opened.wait_for_function("document.querySelectorAll('.js-plotly-plot .bars path').length > 0")
    bars = [opened.locator(f"#chart-{n} .bars .point").count() for n in (1, 2)]
    opened.close()
    assert bars == [7, 7]
    assert complaints == []
    assert [url for url in asked if url != page.as_uri() and not url.startswith(("data:", "blob:"))] == []


def test_a_cell_that_fails_is_named_without_the_secret(tmp_path: Path) -> None:
    path = notebook(tmp_path / "broken.ipynb", "word = open('secret.txt').read()\nraise ValueError(word)")
    (tmp_path / "secret.txt").write_text(CANARY)
    with pytest.raises(SettingError, match=r"broken\.ipynb: cell \d+ failed \(ValueError: \*\*\*\)") as caught:
        run_notebook(path, tmp_path / "broken.html")
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert not (tmp_path / "broken.html").exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weeks": "2026-W11"}, "has no parameter 'weeks'"),
        ({"ucm_password": "x"}, "'ucm_password' would be shown"),
        ({"api_key": "x"}, "'api_key' would be shown"),
        ({"week": f"it is {CANARY}"}, "'week' would be shown"),
    ],
)
def test_parameters_that_are_refused(tmp_path: Path, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message) as caught:
        run_notebook(notebook(tmp_path / "n.ipynb"), tmp_path / "n.html", **parameters)
    assert CANARY not in str(caught.value)
    assert caught.value.hint


def test_notebooks_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot read the notebook"):
        run_notebook(tmp_path / "none.ipynb", tmp_path / "n.html")
    (tmp_path / "text.ipynb").write_text("no notebook")
    with pytest.raises(SettingError, match="cannot read the notebook"):
        run_notebook(tmp_path / "text.ipynb", tmp_path / "n.html")
