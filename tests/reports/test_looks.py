"""What a page looks like: no label cut off, none over another, no word broken in a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from ucm_analytics.reports import run_all
from ucm_analytics.store import Store

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"

CUT_OFF = """() => Array.from(document.querySelectorAll('.chart')).flatMap((chart) => {
  const frame = chart.querySelector('svg.main-svg').getBoundingClientRect();
  return Array.from(chart.querySelectorAll('text')).filter((text) => {
    const box = text.getBoundingClientRect();
    return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1
      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
  }).map((text) => chart.getAttribute('aria-label').slice(0, 40) + ': ' + text.textContent);
})"""
OVERLAPPING = """() => Array.from(document.querySelectorAll('.chart')).flatMap((chart) => {
  const boxes = Array.from(chart.querySelectorAll('text'))
    .map((text) => [text.getBoundingClientRect(), text.textContent]).filter(([box]) => box.width);
  return boxes.flatMap(([one, first], n) => boxes.slice(n + 1).filter(([other]) =>
    one.left < other.right - 1 && other.left < one.right - 1
    && one.top < other.bottom - 2 && other.top < one.bottom - 2
  ).map(([, second]) => chart.getAttribute('aria-label').slice(0, 40) + ': ' + first + ' / ' + second));
})"""
BROKEN = """() => Array.from(document.querySelectorAll('td, th')).flatMap((cell) => {
  const node = cell.firstChild;
  if (!node) return [];
  return Array.from(node.textContent.matchAll(/[^\\s-]+/g)).filter((word) => {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    return new Set(Array.from(range.getClientRects()).map((box) => Math.round(box.top))).size > 1;
  }).map((word) => word[0]);
})"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All reports on a week of the demo."""
    path = tmp_path_factory.mktemp("looks") / "summary.html"
    run_all(Store(DEMO), "2026-W11", locale="")[0].to_html(path)
    return path


@pytest.fixture(scope="module", params=[390, 1280])
def page(request: pytest.FixtureRequest, browser: Browser, written: Path) -> Iterator[Page]:
    """They as a phone and as a screen show them."""
    opened = browser.new_page(viewport={"width": request.param, "height": 900})
    opened.goto(written.as_uri())
    opened.wait_for_selector("html[data-charts=drawn]")
    yield opened
    opened.close()


def test_no_label_is_cut_off(page: Page) -> None:
    assert page.evaluate(CUT_OFF) == []


def test_no_label_lies_over_another(page: Page) -> None:
    assert page.evaluate(OVERLAPPING) == []


def test_no_word_is_broken_in_a_table(page: Page) -> None:
    assert page.evaluate(BROKEN) == []


def test_dates_and_numbers_stand_on_one_line(page: Page) -> None:
    lines = """() => Array.from(document.querySelectorAll('.whole, td.number')).filter((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return new Set(Array.from(range.getClientRects()).map((box) => Math.round(box.top))).size > 1;
    }).map((cell) => cell.textContent)"""
    assert page.evaluate(lines) == []
