"""Files that let a computer pull calls and send reports by itself: systemd, cron, Windows.

Days settle by a second look some hours after their end, so calls are pulled once an hour. A report is
tried on three days (a daily one every day): while days are not settled it refuses, and once it was
mailed it is not mailed again.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import PurePath
from typing import Final, Literal, get_args

from ucm_analytics.config import check_name
from ucm_analytics.delivery.periodic import KINDS, Kind
from ucm_analytics.delivery.smtp import check_address
from ucm_analytics.errors import SettingError

System = Literal["systemd", "cron", "windows"]
_SECOND_LOOK: Final = time(6, 30)
_OPTION: Final[dict[Kind, str]] = {"daily": "--day", "weekly": "--week", "monthly": "--month"}
_SECRETS: Final = (
    "# Passwords (UCM_PASSWORD=..., UCM_SMTP_PASSWORD=...) go into ~/.config/ucm-analytics/secrets.env, mode 600."
)
_TASK: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class _Job:
    """What is to be run: pulls, and a report after another pull."""

    kind: Kind
    at: time
    syncs: list[list[str]]
    report: list[str]
    directory: str

    @property
    def name(self) -> str:
        return f"ucm-analytics-{self.kind}"

    @property
    def sync_minute(self) -> int:
        """Half an hour off the report, so that two pulls do not meet."""
        return (self.at.minute + 30) % 60


def schedule(
    kind: Kind,
    at: str | time,
    *,
    command: str | PurePath,
    directory: str | PurePath,
    system: System = "systemd",
    to: Sequence[str] = (),
    out: str | PurePath = "reports",
    formats: Sequence[str] = ("html", "csv", "png"),
    pbxs: Sequence[str] = (),
) -> dict[str, str]:
    """Files that make a computer pull every hour, and report on the last day, week or month.

    A weekly report is tried on Monday, Tuesday and Wednesday, a monthly one on the first three days.
    No file holds a password.

    Parameters
    ----------
    kind : {'daily', 'weekly', 'monthly'}
        Which periodic report.
    at : str or time
        When, on this computer's clock: ``07:00``.
    command : str or path
        The program ``ucm-analytics``, with its folder.
    directory : str or path
        Folder to run in, from which relative paths of the store and the reports count.
    system : {'systemd', 'cron', 'windows'}
        What runs it.
    to : sequence of str
        Addresses to mail the report to; none for no mail.
    out : str or path
        Folder of the reports.
    formats : sequence of str
        Formats of the report; ``png`` puts charts into the mail.
    pbxs : sequence of str
        PBXs to pull; not needed if there is one.

    Returns
    -------
    dict
        Text of each file by its name; its first lines say how to install it.

    Raises
    ------
    SettingError
        Something cannot be used, or a daily report is to come before the day can be settled.

    Examples
    --------
    >>> files = schedule("weekly", "07:00", command="/opt/ucm/ucm-analytics", directory="/srv/calls")
    >>> sorted(files)[:2]
    ['ucm-analytics-sync.service', 'ucm-analytics-sync.timer']
    """
    if kind not in KINDS:
        raise SettingError(f"no periodic report is called {kind!r}", hint=f"choose one of {', '.join(KINDS)}")
    if system not in get_args(System):
        raise SettingError(f"nothing is known about {system!r}", hint=f"choose one of {', '.join(get_args(System))}")
    when = _time(at)
    if kind == "daily" and when < _SECOND_LOOK:
        raise SettingError(
            f"at {when:%H:%M} the day before cannot be settled yet", hint=f"choose {_SECOND_LOOK:%H:%M} or later"
        )
    for address in to:
        check_address(address)
    program = str(command)
    syncs = [[program, "sync", "--pbx", check_name(pbx)] for pbx in pbxs] or [[program, "sync"]]
    report = [program, "report", kind, _OPTION[kind], "last", "--out", str(out), "--format", ",".join(formats)]
    report += [word for address in to for word in ("--mail", address)]
    job = _Job(kind, when, syncs, report, str(directory))
    for word in (*report, job.directory):
        if re.search(r"[\x00-\x1f\x7f]", word):
            raise SettingError(f"{word!r} holds a control character", hint="choose another name")
    return {"systemd": _systemd, "cron": _cron, "windows": _windows}[system](job)


def _time(at: str | time) -> time:
    if isinstance(at, time):
        return at
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at):
        raise SettingError(f"{at!r} is no time of day", hint="write it as 07:00")
    return time.fromisoformat(at)


def _systemd(job: _Job) -> dict[str, str]:
    when = {
        "daily": f"*-*-* {job.at:%H:%M}:00",
        "weekly": f"Mon..Wed *-*-* {job.at:%H:%M}:00",
        "monthly": f"*-*-01..03 {job.at:%H:%M}:00",
    }[job.kind]
    # a pull that fails leaves days unsettled, and the report then says so itself
    runs = [*(f"ExecStart=-{_unit_words(sync)}" for sync in job.syncs), f"ExecStart={_unit_words(job.report)}"]
    hourly = [f"ExecStart={_unit_words(sync)}" for sync in job.syncs]
    return {
        "ucm-analytics-sync.service": _service("Pull calls from the PBX", job, hourly),
        "ucm-analytics-sync.timer": _timer("Pull calls every hour", f"*-*-* *:{job.sync_minute:02}:00", job),
        f"{job.name}.service": _service(f"{job.kind.capitalize()} call report", job, runs),
        f"{job.name}.timer": _timer(f"{job.kind.capitalize()} call report", when, job),
    }


def _service(description: str, job: _Job, runs: list[str]) -> str:
    return "\n".join(
        [
            _SECRETS,
            "[Unit]",
            f"Description={description}",
            "",
            "[Service]",
            "Type=oneshot",
            f"WorkingDirectory={job.directory.replace('%', '%%')}",
            "EnvironmentFile=-%E/ucm-analytics/secrets.env",
            *runs,
            "",
        ]
    )


def _timer(description: str, when: str, job: _Job) -> str:
    return "\n".join(
        [
            "# Copy the four files to ~/.config/systemd/user, then:",
            f"#   systemctl --user enable --now ucm-analytics-sync.timer {job.name}.timer",
            "#   loginctl enable-linger",
            "[Unit]",
            f"Description={description}",
            "",
            "[Timer]",
            f"OnCalendar={when}",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        ]
    )


def _unit_words(words: Sequence[str]) -> str:
    """A command line as systemd splits it; it looks for variables in all words but the program."""
    program, *others = (_unit_word(word) for word in words)
    return " ".join([program, *(word.replace("$", "$$") for word in others)])


def _unit_word(word: str) -> str:
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"' if re.search(r"[^\w./:@,=+%$-]", word) or not word else text


def _cron(job: _Job) -> dict[str, str]:
    minute, hour = job.at.minute, job.at.hour
    when = {
        "daily": f"{minute} {hour} * * *",
        "weekly": f"{minute} {hour} * * 1-3",
        "monthly": f"{minute} {hour} 1-3 * *",
    }[job.kind]
    secrets = '"$HOME/.config/ucm-analytics/secrets.env"'
    begin = f"cd {shlex.quote(job.directory)} || exit; set -a; test -r {secrets} && . {secrets}; set +a"
    syncs = "; ".join(shlex.join(sync) for sync in job.syncs)
    lines = [
        "# Add these lines to the table that `crontab -e` opens.",
        _SECRETS,
        f"{job.sync_minute} * * * * {_cron_text(f'{begin}; {syncs}')}",
        f"{when} {_cron_text(f'{begin}; {syncs}; {shlex.join(job.report)}')}",
    ]
    return {f"{job.name}.crontab": "\n".join(lines) + "\n"}


def _cron_text(command: str) -> str:
    # cron takes a bare % for the end of the line
    return command.replace("%", "\\%")


def _windows(job: _Job) -> dict[str, str]:
    every_day = ET.Element("ScheduleByDay")
    ET.SubElement(every_day, "DaysInterval").text = "1"
    hourly = _trigger(f"00:{job.sync_minute:02}", every_day, every="PT1H")
    schedule = ET.Element(
        {"daily": "ScheduleByDay", "weekly": "ScheduleByWeek", "monthly": "ScheduleByMonth"}[job.kind]
    )
    if job.kind == "daily":
        ET.SubElement(schedule, "DaysInterval").text = "1"
    elif job.kind == "weekly":
        ET.SubElement(schedule, "WeeksInterval").text = "1"
        _names(schedule, "DaysOfWeek", ["Monday", "Tuesday", "Wednesday"])
    else:
        days = ET.SubElement(schedule, "DaysOfMonth")
        for day in ("1", "2", "3"):
            ET.SubElement(days, "Day").text = day
        _names(schedule, "Months", _MONTHS)
    return {
        "ucm-analytics-sync.xml": _task("Pull calls from the PBX", "ucm-analytics-sync", hourly, job.syncs, job),
        f"{job.name}.xml": _task(
            f"{job.kind.capitalize()} call report",
            job.name,
            _trigger(f"{job.at:%H:%M}", schedule),
            [*job.syncs, job.report],
            job,
        ),
    }


def _names(parent: ET.Element, tag: str, names: Sequence[str]) -> None:
    element = ET.SubElement(parent, tag)
    for name in names:
        ET.SubElement(element, name)


def _trigger(at: str, schedule: ET.Element, *, every: str = "") -> ET.Element:
    trigger = ET.Element("CalendarTrigger")
    ET.SubElement(trigger, "StartBoundary").text = f"2026-01-01T{at}:00"
    if every:
        ET.SubElement(ET.SubElement(trigger, "Repetition"), "Interval").text = every
    trigger.append(schedule)
    return trigger


def _task(description: str, name: str, trigger: ET.Element, runs: Sequence[Sequence[str]], job: _Job) -> str:
    task = ET.Element("Task", version="1.2", xmlns=_TASK)
    about = ET.SubElement(task, "RegistrationInfo")
    ET.SubElement(about, "Description").text = description
    ET.SubElement(task, "Triggers").append(trigger)
    principal = ET.SubElement(ET.SubElement(task, "Principals"), "Principal", id="Author")
    ET.SubElement(principal, "LogonType").text = "InteractiveToken"
    settings = ET.SubElement(task, "Settings")
    for setting, value in {
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "StartWhenAvailable": "true",
        "ExecutionTimeLimit": "PT2H",
    }.items():
        ET.SubElement(settings, setting).text = value
    actions = ET.SubElement(task, "Actions", Context="Author")
    for program, *words in runs:
        action = ET.SubElement(actions, "Exec")
        ET.SubElement(action, "Command").text = program
        ET.SubElement(action, "Arguments").text = subprocess.list2cmdline(words)
        ET.SubElement(action, "WorkingDirectory").text = job.directory
    ET.indent(task)
    # without a named encoding: the scheduler reads it as UTF-16 and stumbles over any other name
    return (
        '<?xml version="1.0"?>\n'
        f"<!-- schtasks /create /tn {name} /xml {name}.xml\n"
        "     Passwords: the keyring, or setx UCM_PASSWORD and setx UCM_SMTP_PASSWORD. -->\n"
        f"{ET.tostring(task, encoding='unicode')}\n"
    )
