"""What Chromium draws and prints: pictures of charts, and reports as PDF. One browser serves all of a call."""

from __future__ import annotations

import asyncio
import base64
import re
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from ucm_analytics.documents.figures import figures
from ucm_analytics.documents.formats import period_name
from ucm_analytics.documents.html import page
from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    from ucm_analytics.documents.document import Document

T = TypeVar("T")

_WIDTH: Final = 1200
_HEIGHT: Final = 600
_SCALE: Final = {"png": 2, "svg": 1}
_WAIT_S: Final = 120

_EDGE: Final = "font: 7pt sans-serif; color: #5a6675; width: 100%; margin: 0 14mm; display: flex; "
_DATE: Final = re.compile(rb"/(CreationDate|ModDate) \(D:\d{14}[^)]*\)")


def pictures(reports: Sequence[Document], file_format: Literal["png", "svg"]) -> list[bytes]:
    """Every chart of the reports as a picture, in order.

    Raises
    ------
    SettingError
        There is no kaleido or no browser.
    """
    drawn = [figure for report in reports for figure in figures(report)]

    async def draw(browser: Any) -> list[bytes]:
        shape: dict[str, Any] = {"format": file_format, "width": _WIDTH, "scale": _SCALE[file_format]}
        return [
            await browser.calc_fig(figure, opts=shape | {"height": figure["layout"].get("height", _HEIGHT)})
            for figure in drawn
        ]

    return _in_browser(draw, tabs=1)


def pdfs(reports: Sequence[Document]) -> list[bytes]:
    """Every report as PDF on A4: light, a section a page or more, title and page number on each.

    The same report gives the same bytes with the same Chromium: the PDF is dated by its data.

    Raises
    ------
    SettingError
        There is no kaleido or no browser.
    """

    async def draw(browser: Any) -> list[bytes]:
        with tempfile.TemporaryDirectory(prefix="ucm-analytics-") as folder:
            return [await _printed(browser, report, Path(folder) / "report.html") for report in reports]

    return _in_browser(draw, tabs=0)


def _in_browser(draw: Callable[[Any], Coroutine[Any, Any, T]], *, tabs: int) -> T:
    try:
        import kaleido
        from choreographer import Browser
    except ImportError:
        raise SettingError(
            "pictures and PDF need the package kaleido, which is not installed",
            hint='install it with pip install "ucm-analytics[export]", or use HTML, Excel or CSV, which need none',
        ) from None

    async def run() -> T:
        # without mathjax=False every picture would wait for a download
        async with kaleido.Kaleido(n=tabs, mathjax=False) if tabs else Browser() as browser:
            return await draw(browser)

    try:
        # a thread of its own, because a notebook already runs an event loop in this one
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(asyncio.run, run()).result()
    except (RuntimeError, TimeoutError) as error:
        raise SettingError(
            f"no browser could draw the pictures ({str(error).strip().partition('. ')[0] or 'it did not answer'})",
            hint="install Chromium (Debian: apt install chromium), or set BROWSER_PATH to a Chrome or "
            "Chromium, or use HTML, Excel or CSV, which need none",
        ) from error


async def _printed(browser: Any, report: Document, file: Path) -> bytes:
    file.write_text(page(report), encoding="utf-8")
    tab = await browser.create_tab(file.as_uri())
    await _send(tab, "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    if not await _value(tab, _ON_PAPER):
        raise RuntimeError(f"the page of report {report.name} could not be drawn")
    title = escape(f"{report.title}, {period_name(report.period)}")
    made_from = escape(report.days.short)
    pdf = await _send(
        tab,
        "Page.printToPDF",
        preferCSSPageSize=True,
        printBackground=True,
        displayHeaderFooter=True,
        headerTemplate=f'<div style="{_EDGE}justify-content: space-between"><span>{title}</span>'
        f"<span>{made_from}</span></div>",
        footerTemplate=f'<div style="{_EDGE}justify-content: flex-end"><span><span class="pageNumber"></span> of '
        '<span class="totalPages"></span></span></div>',
        generateTaggedPDF=True,
        generateDocumentOutline=True,
    )
    await browser.close_tab(tab.target_id)
    return _dated(base64.b64decode(pdf["data"]), report)


_ON_PAPER: Final = "charts.ready.then(() => charts.onPaper()).then(() => true)"


async def _value(tab: Any, expression: str) -> Any:
    """Value of an expression on the page, as soon as its script has run."""
    for _ in range(_WAIT_S * 10):
        answer = await _send(tab, "Runtime.evaluate", expression="typeof charts === 'object'", returnByValue=True)
        if answer["result"].get("value"):
            break
        await asyncio.sleep(0.1)
    answer = await _send(tab, "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
    return answer["result"].get("value")


async def _send(tab: Any, command: str, **parameters: Any) -> dict[str, Any]:
    answer = await asyncio.wait_for(tab.send_command(command, params=parameters), _WAIT_S)
    if "error" in answer:
        raise RuntimeError(f"Chromium refused {command}: {answer['error'].get('message', '')}")
    result: dict[str, Any] = answer["result"]
    return result


def _dated(pdf: bytes, report: Document) -> bytes:
    """The PDF with the time of its data instead of the clock's; as many bytes, because it counts them."""
    moment = report.days.pulled[1] if report.days.pulled else report.period.end
    stamp = f"D:{moment:%Y%m%d%H%M%S}+00'00'".encode()
    return _DATE.sub(lambda found: b"/%s (%s)" % (found[1], stamp.ljust(len(found[0]) - len(found[1]) - 4)), pdf)
