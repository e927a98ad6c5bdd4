"""What all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser; one for all, because playwright runs once in a process."""
    path = os.environ.get("BROWSER_PATH") or shutil.which("chromium")
    if path is None:
        pytest.fail("the page tests need Chromium: apt install chromium, or set BROWSER_PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
