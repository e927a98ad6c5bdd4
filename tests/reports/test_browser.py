"""Pages in a real browser: no network, no error, every chart drawn, also on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser

from ucm_analytics.reports import write_all

from .by_hand import HOSTILE, card, report, section

View = tuple[int, Literal["light", "dark"]]
"""Width of the window in pixels, and the scheme of colours that the reader likes."""
DRAWN = "html[data-charts=drawn]"
PAPER = "getComputedStyle(document.querySelector('.chart svg.main-svg')).backgroundColor"


@dataclass
class Seen:
    """What a browser saw of a page."""

    complaints: list[str]
    requests: list[str]
    charts: int
    width: int
    paper: str
    title: str
    texts: str
    csv: bytes


def look(browser: Browser, path: Path, *views: View) -> list[Seen]:
    """A page from disk in each view, when its charts are drawn; from view to view the scheme changes."""
    width, scheme = views[0]
    page = browser.new_page(viewport={"width": width, "height": 900}, accept_downloads=True, color_scheme=scheme)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector(DRAWN)
    seen = []
    for n, (width, scheme) in enumerate(views):
        if n:
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate("delete document.documentElement.dataset.charts")
            page.emulate_media(color_scheme=scheme)
            page.wait_for_selector(DRAWN)
        with page.expect_download() as download:
            page.locator("a.download").first.click()
        seen.append(
            Seen(
                complaints=complaints,
                requests=[url for url in requests if not url.startswith(("data:", "blob:"))],
                charts=page.locator(".chart:has(svg.main-svg)").count(),
                width=page.evaluate("document.documentElement.scrollWidth"),
                paper=page.locator(".chart svg.main-svg").first.evaluate(
                    "svg => getComputedStyle(svg).backgroundColor"
                ),
                title=page.title(),
                texts=" ".join(page.locator(".chart text").all_text_contents()),
                csv=Path(download.value.path()).read_bytes(),
            )
        )
    page.close()
    return seen


def test_hostile_names_are_drawn_as_text(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report(section(HOSTILE), section(HOSTILE, title="Again")).to_html(path)
    views: list[View] = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")]
    paper = {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 25, 30)"}
    for (width, scheme), seen in zip(views, look(browser, path, *views), strict=True):
        assert seen.paper == paper[scheme]
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
    page.wait_for_selector(DRAWN)
    assert page.title() == "Callers, March 2026"
    page.close()


def test_a_page_follows_the_reader_into_the_dark_and_back_to_paper(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report(section(["Anna"])).to_html(path)
    page = browser.new_page(color_scheme="light")
    page.goto(path.as_uri())
    page.wait_for_selector(DRAWN)
    body = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(PAPER) == page.evaluate(body) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert page.evaluate(PAPER) == page.evaluate(body) == "rgb(21, 25, 30)"
    page.evaluate("charts.onPaper()")
    assert page.evaluate(PAPER) == "rgb(255, 255, 255)"
    assert page.evaluate("document.querySelector('.chart svg.main-svg').width.baseVal.value * .85") == 680
    page.close()


def test_a_browser_that_cannot_unpack_says_so(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report(section(["Anna"])).to_html(path)
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(path.as_uri())
    page.wait_for_selector("#undrawn:not([hidden])")
    assert page.locator("table").count() == 1
    page.close()


def test_the_first_page_leads_everywhere(browser: Browser, tmp_path: Path) -> None:
    reports: Sequence[str] = ["callers", "others"]
    sections = section(["Anna"], cards=(card(),)), section(["Ben"], title="By friend")
    write_all([report(*sections, name=name) for name in reports], tmp_path)
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto((tmp_path / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator(".cards .value").all_text_contents() == ["381"]
    for name, other in (reports, reversed(reports)):
        page.locator(f"main .reports a[href='{name}.html'], .reports-nav a[href='{name}.html']").click()
        page.wait_for_selector(DRAWN)
        page.locator("nav[aria-label=Sections] a").first.click()
        assert page.url.endswith(f"{name}.html#calls-by-caller")
        page.get_by_role("link", name="Callers").nth(1 if name == "callers" else 0).click()
        page.wait_for_selector(DRAWN)
        assert page.url.endswith(f"{other}.html")
        page.get_by_role("link", name="First page").click()
        assert page.url.endswith("index.html")
    page.close()
