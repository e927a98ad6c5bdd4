"""What all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from tests.samples import SAMPLES

# The gate gives the same answer for the same code; `make soak` searches on, with other examples each time.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("soak", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

# tests of what is not beside this checkout are left out, rather than skipped
collect_ignore = [] if SAMPLES else ["samples"]


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: browsers, sockets and other processes are waited for much of the time."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with a browser is slow. Long files begin, or one of them would be left to the last worker alone."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    whole = Path(__file__).parent  # here lie the tests of the product as a whole
    items.sort(key=lambda item: (item.path not in slow, item.path.parent != whole))


@pytest.fixture(autouse=True)
def _no_browser_unasked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What draws a picture or a PDF has to ask for `chromium`, or it would be among the quick tests."""
    if "chromium" not in request.fixturenames:
        monkeypatch.setenv("BROWSER_PATH", "none, because the test does not ask for the fixture chromium")


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for `demo_store()` that is none of the user's, and filled but once by all who ask for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is that draws pages, pictures and PDF."""
    path = os.environ.get("BROWSER_PATH") or shutil.which("chromium")
    if path is None:
        pytest.fail("the page tests need Chromium: apt install chromium, or set BROWSER_PATH")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A real browser; one for all, because playwright runs once in a process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()
