"""A periodic report as a mail: five findings and pictures to read at once, the files attached."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.utils import format_datetime, make_msgid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import jinja2

from ucm_analytics.delivery.manifest import NAME
from ucm_analytics.delivery.periodic import PROVISIONAL
from ucm_analytics.documents.formats import period_name, written_for

if TYPE_CHECKING:
    from ucm_analytics.delivery.periodic import PeriodicReport
    from ucm_analytics.reports import Report

FINDINGS: Final = 5
CHARTS: Final = 5
ATTACHED_BYTES: Final = 10_000_000
"""Attachments of a mail [bytes]; base64 makes them a third larger, and many servers stop at 20 MB."""

_PAGES: Final = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Chart:
    """A picture in the mail, and what it shows in words."""

    cid: str
    text: str
    path: Path


@dataclass(frozen=True)
class Attached:
    """A file that goes with the mail."""

    name: str
    kind: str
    content: bytes


def compose(
    delivered: PeriodicReport, *, sender: str, to: Sequence[str], now: datetime
) -> tuple[EmailMessage, list[str]]:
    """Mail with a periodic report.

    Parameters
    ----------
    delivered : PeriodicReport
        The report; its PNG files become the pictures in the mail.
    sender : str
        Address it comes from.
    to : sequence of str
        Addresses it goes to.
    now : datetime
        Date of the mail, with a zone.

    Returns
    -------
    tuple
        The message, and the names of files that were too large to attach together with the rest.
    """
    with written_for(delivered.reports[0].locale):
        subject = _subject(delivered)
        headline, findings = _findings(delivered.reports)
        attached, left_out = _attachments(delivered)
        charts = _charts(delivered)
        notes = _notes(delivered, charts, left_out)

    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    text = [headline, "", *(f"* {finding}" for finding in findings), "", *notes]
    message.set_content("\n".join(text) + "\n", cte="quoted-printable")
    page = _template().render(subject=subject, headline=headline, findings=findings, charts=charts, notes=notes)
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    body = cast("list[MIMEPart]", message.get_payload())[1]
    for chart in charts:
        body.add_related(
            chart.path.read_bytes(),
            maintype="image",
            subtype="png",
            cid=f"<{chart.cid}>",
            disposition="inline",
            filename=chart.path.name,
        )
    for file in attached:
        maintype, _, subtype = file.kind.partition("/")
        message.add_attachment(file.content, maintype=maintype, subtype=subtype, filename=file.name)
    return message, left_out


def _subject(delivered: PeriodicReport) -> str:
    mark = f"{PROVISIONAL}: " if delivered.state == "provisional" else ""
    pbxs = ", ".join(delivered.days.pbxs)
    return _plain(f"{mark}{delivered.kind.capitalize()} call report of {pbxs}, {period_name(delivered.period)}")


def _findings(reports: Sequence[Report]) -> tuple[str, list[str]]:
    """The headline of the report that says most, and the five sentences that come next."""
    first = next((report for report in reports if report.cards), reports[0])
    sentences = [*first.findings[1:], *(report.headline for report in reports if report is not first)]
    if not first.cards:
        # a report on one subject: the headlines of the others say more than its details
        sentences = [*(report.headline for report in reports if report is not first), *first.findings[1:]]
    return _plain(first.headline), [_plain(sentence) for sentence in sentences[:FINDINGS]]


def _charts(delivered: PeriodicReport) -> list[Chart]:
    """The first picture of each report, in their order: those first that a manager looks at first."""
    there = {path.name: path for path in delivered.files}
    charts: list[Chart] = []
    for report in delivered.reports:
        for section in report.sections:
            if path := there.get(f"{report.name}-{section.slug}.png"):
                text = _plain(f"{section.title}. {section.sentence}")
                charts.append(Chart(f"chart{len(charts) + 1}@ucm-analytics", text, path))
                break
    return charts[:CHARTS]


def _attachments(delivered: PeriodicReport) -> tuple[list[Attached], list[str]]:
    """Files to attach, the ones to read first, as long as they fit; and the names of the others.

    A report that is a chapter of another comes with that one. All tables are one ZIP file.
    """
    chapters = {chapter.name for report in delivered.reports for chapter in report.chapters}
    pages = [report.name for report in delivered.reports if report.name not in chapters]
    wanted = [
        Attached(path.name, _PAGES[path.suffix], path.read_bytes())
        for path in delivered.files
        if path.stem in pages and path.suffix in _PAGES
    ]
    wanted.sort(key=lambda file: (list(_PAGES.values()).index(file.kind), file.name))
    if tables := [path for path in delivered.files if path.suffix == ".csv"]:
        wanted.append(Attached(f"{delivered.label}-tables.zip", "application/zip", _zipped(tables)))
    attached: list[Attached] = []
    left_out = []
    room = ATTACHED_BYTES
    for file in wanted:
        if len(file.content) > room:
            left_out.append(file.name)
        else:
            attached.append(file)
            room -= len(file.content)
    return attached, left_out


def _zipped(files: Sequence[Path]) -> bytes:
    """Files as one ZIP; with a fixed date, so that the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _notes(delivered: PeriodicReport, charts: Sequence[Chart], left_out: Sequence[str]) -> list[str]:
    notes = [delivered.days.line]
    if delivered.state == "provisional":
        notes.insert(0, "These numbers are provisional: days of the period may still change.")
    if not charts:
        notes.append("The charts are in the attached files.")
    if left_out:
        notes.append(f"Too large to attach: {', '.join(left_out)}.")
    if delivered.folder:
        notes.append(f"All files are in the folder {delivered.folder.name}; {NAME} names the data they were made from.")
    return [_plain(note) for note in notes]


def _plain(text: str) -> str:
    """Text on one line without characters that steer a terminal, a header or the direction of writing."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+", " ", text).strip()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ucm_analytics.delivery"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("mail.html")
