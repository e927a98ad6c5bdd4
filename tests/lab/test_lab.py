"""JupyterLab itself, in a real browser: a notebook opened, run to its end, and its charts drawn."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from ucm_analytics.store import Store

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
VOLUME, EXPLORE = "03_volume.ipynb", "09_explore.ipynb"
ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"
# every cell stays in the page, also those that are scrolled out of sight; no question about news
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
DRAWN = ".jp-OutputArea .js-plotly-plot:has(svg.main-svg)"
PATIENCE_MS = 120_000


@dataclass
class Seen:
    """What the browser saw when the notebook had run."""

    charts: int
    errors: list[str]
    prompts: list[str]
    outside: list[str]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """A running server: its address, its token, and the folder that it shows."""
    folder, runtime, token = tmp_path / "notebooks", tmp_path / "runtime", secrets.token_hex()
    folder.mkdir()
    for notebook in (VOLUME, EXPLORE):
        book = nbformat.read(NOTEBOOKS / notebook, as_version=4)
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(book, folder / notebook)
    for name, values in SETTINGS.items():
        file = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    own = {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "JUPYTER_TOKEN": token,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UCM_", "PLOTLY_", "JUPYTER"))}
    log = tmp_path / "lab.log"
    with log.open("w") as written:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", "."],
            cwd=folder,
            env={**kept, **own},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield address(runtime, server, log), token, folder
    finally:
        server.terminate()
        server.wait(timeout=30)


def address(runtime: Path, server: subprocess.Popen[bytes], log: Path) -> str:
    """Where the server listens, as soon as it does."""
    file, until = runtime / f"jpserver-{server.pid}.json", time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        if file.exists() and (text := file.read_text()):
            return str(json.loads(text)["url"])
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


def look(
    chromium: str, url: str, token: str, notebook: str, charts: int, use: Callable[[Page], None] = lambda page: None
) -> Seen:
    """Open a notebook, run all cells from the menu, save, and use what it shows."""
    cells = len(code(NOTEBOOKS / notebook))
    outside: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: outside.append(request.url))
        page.goto(f"{url}lab/tree/{notebook}?token={token}")
        run(page, notebook, cells)
        expect(page.locator(DRAWN)).to_have_count(charts, timeout=PATIENCE_MS)
        use(page)
        seen = Seen(
            charts=page.locator(DRAWN).count(),
            errors=page.locator("[data-mime-type='application/vnd.jupyter.error']").all_inner_texts(),
            prompts=page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts(),
            outside=[each for each in outside if urlsplit(each).hostname not in {"127.0.0.1", "localhost", None}],
        )
        browser.close()
    return seen


def code(path: Path) -> list[nbformat.NotebookNode]:
    """Code cells of a notebook."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def run(page: Page, notebook: str, cells: int) -> None:
    """Run All Cells, and wait until the last has its number and the file is saved."""
    page.locator(".jp-Notebook .jp-CodeCell").nth(cells - 1).wait_for(state="attached")
    # run any earlier, and JupyterLab asks which kernel it should take
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    expect(page.locator(".jp-CodeCell .jp-InputPrompt").nth(cells - 1)).to_have_text(f"[{cells}]:", timeout=PATIENCE_MS)
    with page.expect_response(lambda answer: answer.request.method == "PUT" and notebook in answer.url):
        page.keyboard.press("Control+s")


def test_a_notebook_runs_and_draws_its_charts(lab: tuple[str, str, Path], chromium: str) -> None:
    url, token, folder = lab
    cells = code(NOTEBOOKS / VOLUME)
    drawn = sum("application/vnd.plotly.v1+json" in str(cell.outputs) for cell in cells)
    # in a thread of its own: the page tests may hold Playwright's loop in this one
    with ThreadPoolExecutor(1) as thread:
        seen = thread.submit(look, chromium, url, token, VOLUME, drawn).result()
    assert seen.errors == []
    assert seen.prompts == [f"[{number}]:" for number in range(1, len(cells) + 1)]
    assert seen.charts == drawn == 5
    assert seen.outside == []
    saved = code(folder / VOLUME)
    assert [cell.execution_count for cell in saved] == list(range(1, len(cells) + 1))
    assert not [output for cell in saved for output in cell.outputs if output.output_type == "error"]


def test_the_explorer_counts_and_draws_in_a_notebook(lab: tuple[str, str, Path], chromium: str) -> None:
    url, token, _ = lab
    calls = Store(NOTEBOOKS.parent / "data" / "demo").calls("2026-03")
    internal = len(calls[(calls["direction"] == "internal") & ~calls["is_forward"]])

    def choose(page: Page) -> None:
        """Another choice than that of the notebook's last cells."""
        page.get_by_label("Queue").select_option("All queues")
        page.get_by_label("Outcome").select_option("All outcomes")
        page.get_by_label("Direction").select_option("internal")
        says = page.get_by_role("status").filter(has_text="calls,")
        expect(says).to_contain_text(f"{internal:,} calls, 2 to 29 March 2026", timeout=PATIENCE_MS)
        for chart in page.locator(".ucm-charts > .widget-output:visible").all():
            expect(chart.locator("svg.main-svg").first).to_be_attached(timeout=PATIENCE_MS)
            box = chart.bounding_box()
            assert box is not None
            assert box["height"] >= 380
        ARTEFACTS.mkdir(exist_ok=True)
        page.locator(".ucm-controls").scroll_into_view_if_needed()
        page.screenshot(path=ARTEFACTS / "explorer-lab.png")

    with ThreadPoolExecutor(1) as thread:
        # six charts of the explorer, one of the notebook's last cell
        seen = thread.submit(look, chromium, url, token, EXPLORE, 7, choose).result()
    assert seen.errors == []
    assert seen.outside == []
