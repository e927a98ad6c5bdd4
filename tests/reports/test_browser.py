"""Pages in a real browser: no network, no error, every chart drawn, also on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ucm_analytics.reports import write_all

from .made import HOSTILE, report, section


@dataclass
class Seen:
    """What a browser saw of a page."""

    complaints: list[str]
    requests: list[str]
    charts: int
    width: int
    title: str
    texts: str
    csv: bytes


def look(browser: Browser, path: Path, *, width: int, charts: int) -> Seen:
    """Open a page from disk and wait until its charts are drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900}, accept_downloads=True)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function(f"document.querySelectorAll('.chart .main-svg').length >= {charts}")
    with page.expect_download() as download:
        page.locator("a.download").first.click()
    seen = Seen(
        complaints=complaints,
        requests=[url for url in requests if not url.startswith(("data:", "blob:"))],
        charts=page.locator(".chart:has(svg.main-svg)").count(),
        width=page.evaluate("document.documentElement.scrollWidth"),
        title=page.title(),
        texts=" ".join(page.locator(".chart text").all_text_contents()),
        csv=Path(download.value.path()).read_bytes(),
    )
    page.close()
    return seen


@pytest.mark.parametrize("width", [360, 1280])
def test_hostile_names_are_drawn_as_text(browser: Browser, tmp_path: Path, width: int) -> None:
    path = tmp_path / "report.html"
    report(section(HOSTILE), section(HOSTILE, title="Again")).to_html(path)
    seen = look(browser, path, width=width, charts=2)
    assert seen.complaints == []
    assert seen.requests == [path.as_uri()]
    assert seen.charts == 2
    assert seen.width == width
    assert seen.title == "Callers, March 2026"
    assert "<script>document.title='owned'</script>" in seen.texts
    assert seen.csv.startswith(b"\xef\xbb\xbfcaller,calls")


def test_a_script_that_slipped_into_a_page_would_not_run(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    text = report(section(["Anna"])).to_html()
    path.write_text(text.replace("</header>", "<script>document.title='owned'</script></header>"))
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector(".chart .main-svg")
    assert page.title() == "Callers, March 2026"
    page.close()


def test_the_links_of_the_index_work(browser: Browser, tmp_path: Path) -> None:
    reports: Sequence[str] = ["callers", "others"]
    sections = section(["Anna"]), section(["Ben"], title="By friend")
    write_all([report(*sections, name=name) for name in reports], tmp_path)
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto((tmp_path / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for name in reports:
        page.locator(f"a[href='{name}.html']").click()
        page.wait_for_selector(".chart .main-svg")
        page.locator("nav a").first.click()
        assert page.url.endswith(f"{name}.html#calls-by-caller")
        page.goto((tmp_path / "index.html").as_uri())
    page.close()
