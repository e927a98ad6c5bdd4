"""The page that `ucm-analytics explore` serves, in a real browser: Voilà, a kernel, charts, no network."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.command import COMMAND
from ucm_analytics.store import Store

from .stores import FORMULA, IMAGE, SCRIPT, counted, hostile_store, with_extension, with_queue

ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"
CHARTS = ".ucm-charts > .widget-output:visible"
PATIENCE_MS = 120_000
CANARY = "canary-explorer-7"
MARKS = ".points path, .heatmaplayer image, .scatterlayer path.point, .sankey-node, .point path"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return hostile_store(tmp_path_factory.mktemp("explored") / "store")


@pytest.fixture(scope="module")
def address(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is, as the command prints it."""
    folder = tmp_path_factory.mktemp("serving")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UCM_", "PLOTLY_", "JUPYTER"))}
    own = {"UCM_DATA": os.path.relpath(store.path, folder), "UCM_PASSWORD": CANARY, "HOME": str(folder)}
    with subprocess.Popen(
        [COMMAND, "explore", "--port", "0"],
        cwd=folder,
        env={**kept, **own},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")


@dataclass
class Visit:
    """A page that was opened, and what the browser had to say about it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    plotly: list[str] = field(default_factory=list)

    def note(self, url: str) -> None:
        """Take down where a request went."""
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1":
            self.outside.append(url)
        if "jupyterlab-plotly" in url:
            self.plotly.append(url)


def visit(browser: Browser, address: str, *, width: int) -> Visit:
    """Open the page and wait until it has counted and drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900}, accept_downloads=True)
    page.set_default_timeout(PATIENCE_MS)
    made = Visit(page)
    page.on("console", lambda message: made.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (made.complaints.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: made.note(request.url))
    page.on("requestfailed", lambda request: made.complaints.append(request.url))
    page.on("websocket", lambda socket: made.note(socket.url))
    page.goto(address)
    settled(page, 6)
    return made


@pytest.fixture(scope="module")
def desktop(browser: Browser, address: str) -> Iterator[Visit]:
    """The page on a screen, for what leaves it much as it was."""
    seen = visit(browser, address, width=1280)
    yield seen
    seen.page.close()


def settled(page: Page, charts: int) -> None:
    """Wait until so many charts are there and each has marks, and room for all of it."""
    expect(page.locator(f"{CHARTS}:has(svg.main-svg)")).to_have_count(charts, timeout=PATIENCE_MS)
    for number in range(charts):
        chart = page.locator(CHARTS).nth(number)
        expect(chart.locator(MARKS).first).to_be_attached(timeout=PATIENCE_MS)
    page.wait_for_function(
        """() => [...document.querySelectorAll('.ucm-charts .js-plotly-plot')].every(each => {
             const box = each.getBoundingClientRect(), drawn = each._fullLayout;
             return !box.height || Math.abs(box.height - drawn.height) < 2 && Math.abs(box.width - drawn.width) < 2;
           })"""
    )


def says(page: Page, text: str) -> None:
    """Wait until the sentence begins with a text."""
    expect(page.get_by_role("status")).to_contain_text(text, timeout=PATIENCE_MS)


def test_a_manager_explores(browser: Browser, address: str, store: Store) -> None:
    seen = visit(browser, address, width=1280)
    page, calls = seen.page, counted(store)
    says(page, f"{len(calls):,} calls, 2 to 29 March 2026")
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "explorer-desktop.png", full_page=True)
    assert page.locator("th[scope=row]").count() == 25

    page.get_by_label("Direction").select_option("inbound")
    calls = calls[calls["direction"] == "inbound"]
    says(page, f"{len(calls):,} calls")
    page.get_by_label("Extension").select_option("1001 Reception Two")
    calls = with_extension(store, calls, "1001")
    says(page, f"{len(calls):,} calls")
    page.get_by_label("Queue").select_option("6500 Reception")
    calls = with_queue(store, calls, "6500")
    says(page, f"{len(calls):,} calls")
    page.get_by_label("First day").fill("2026-03-16")
    page.get_by_label("First day").press("Tab")
    calls = calls[calls["local_at"] >= pd.Timestamp("2026-03-16")]
    says(page, f"{len(calls):,} calls, 16 to 29 March 2026")
    expect(page.get_by_label("Period")).to_have_value("Own days", timeout=PATIENCE_MS)
    settled(page, 6)
    values = page.locator(".ucm-value").all_text_contents()
    assert values[:2] == [f"{len(calls):,}", f"{100 * (calls['outcome'] == 'answered').mean():.0f} %"]

    page.get_by_role("button", name="Make a CSV file").click()
    with page.expect_download() as download:
        page.locator("a.ucm-download").click()
    assert download.value.suggested_filename == "calls-2026-03-16-2026-03-29.csv"
    rows = pd.read_csv(download.value.path(), dtype={"call_id": "str"}, encoding="utf-8-sig")
    assert set(rows["call_id"]) == set(calls["call_id"])
    assert rows["talk_s"].sum() == calls["talk_s"].sum()

    page.get_by_label("Outcome").select_option("busy")
    says(page, "No call fits this choice, 16 to 29 March 2026")
    results = page.locator(f"{CHARTS}, .ucm-cards:visible, .ucm-explorer table:visible, a.ucm-download")
    expect(results).to_have_count(0, timeout=PATIENCE_MS)
    page.screenshot(path=ARTEFACTS / "explorer-empty.png", full_page=True)
    assert (seen.complaints, seen.outside) == ([], [])
    assert len(seen.plotly) == len(set(seen.plotly)), "plotly.js is loaded once"
    page.close()


def test_a_telephone_has_room_for_it(browser: Browser, address: str) -> None:
    seen = visit(browser, address, width=390)
    page = seen.page
    page.get_by_role("button", name="Dark").click()
    expect(page.locator(".ucm-explorer.ucm-dark")).to_be_attached(timeout=PATIENCE_MS)
    page.wait_for_function(
        "[...document.querySelectorAll('.ucm-charts svg.main-svg:first-child')]"
        ".every(svg => getComputedStyle(svg).backgroundColor === 'rgb(21, 25, 30)')"
    )
    settled(page, 6)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 25, 30)"
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.ucm-controls select, .ucm-controls input, .ucm-explorer button')]
             .filter(each => each.scrollWidth > each.clientWidth + 1 || each.getBoundingClientRect().right > 390)
             .map(each => each.outerHTML)"""
    )
    assert cut == []
    page.screenshot(path=ARTEFACTS / "explorer-telephone.png", full_page=True)
    assert (seen.complaints, seen.outside) == ([], [])
    page.close()


def test_names_of_the_pbx_stay_text(desktop: Visit, store: Store) -> None:
    page = desktop.page
    assert {SCRIPT, FORMULA} <= set(page.locator(".ucm-explorer td").all_text_contents())
    page.get_by_label("Extension").select_option(f"1000 {IMAGE}")
    expect(page.locator(".ucm-charts text").filter(has_text=IMAGE).first).to_be_attached(timeout=PATIENCE_MS)
    assert page.locator(".ucm-explorer img[src=x], .ucm-explorer script").count() == 0
    page.get_by_label("Extension").select_option("1001 Reception Two")
    says(page, f"{len(with_extension(store, counted(store), '1001')):,} calls")
    page.get_by_role("button", name="Make a CSV file").click()
    with page.expect_download() as download:
        page.locator("a.ucm-download").click()
    names = pd.read_csv(download.value.path(), encoding="utf-8-sig")["caller_name"].tolist()
    assert names[:2] == [f"'{FORMULA}", SCRIPT]
    assert (desktop.complaints, desktop.outside) == ([], [])


def test_no_code_and_no_secret_is_on_the_page(desktop: Visit, address: str) -> None:
    page = desktop.page
    assert page.title() == "Calls"
    content = page.content()
    assert "import ucm_analytics" not in content
    assert CANARY not in content
    base = address.partition("?")[0]
    for path in ("voila/files/calls.ipynb", "voila/files/voila/templates/ucm/conf.json"):
        assert page.request.get(base + path).status in (403, 404)


def test_without_its_token_the_page_is_not_shown(browser: Browser, address: str) -> None:
    assert urlsplit(address).hostname == "127.0.0.1"
    base, _, token = address.partition("?token=")
    assert len(token) >= 32
    page = browser.new_context().new_page()
    page.goto(base)
    assert urlsplit(page.url).path == "/login"
    assert page.locator(".ucm-explorer").count() == 0
    page.context.close()
