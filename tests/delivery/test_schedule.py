"""Schedules, read by what would run them: systemd's own tools, a shell, an XML parser."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import time
from pathlib import Path

import pytest

from ucm_analytics.delivery.periodic import KINDS, Kind
from ucm_analytics.delivery.schedule import System, schedule
from ucm_analytics.errors import SettingError

TO = ("manager@example.org", "owner@example.org")
NS = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
REPORT = {
    "daily": ["report", "daily", "--day", "last"],
    "weekly": ["report", "weekly", "--week", "last"],
    "monthly": ["report", "monthly", "--month", "last"],
}
REST = ["--out", "all reports", "--format", "html,csv,png", "--mail", TO[0], "--mail", TO[1]]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that notes its words and the folder and password it was given, in a folder with an odd name."""
    path = tmp_path / "50% $off & more" / "ucm-analytics"
    path.parent.mkdir()
    path.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "with open('ran.jsonl', 'a') as ran:\n"
        "    print(json.dumps([os.environ.get('UCM_PASSWORD'), *sys.argv[1:]]), file=ran)\n"
        "sys.exit(1 if sys.argv[1] == 'sync' else 0)\n"
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "my calls 100%"
    folder.mkdir()
    return folder


def files(kind: Kind, system: System, program: Path, here: Path, *pbxs: str) -> dict[str, str]:
    return schedule(kind, "07:05", command=program, directory=here, system=system, to=TO, out="all reports", pbxs=pbxs)


@pytest.mark.parametrize("kind", KINDS)
def test_systemd_units_are_what_systemd_understands(kind: Kind, program: Path, here: Path, tmp_path: Path) -> None:
    made = files(kind, "systemd", program, here)
    name = f"ucm-analytics-{kind}"
    assert list(made) == ["ucm-analytics-sync.service", "ucm-analytics-sync.timer", f"{name}.service", f"{name}.timer"]
    sections = {
        ".service": {"Unit": {"Description"}, "Service": {"Type", "WorkingDirectory", "EnvironmentFile", "ExecStart"}},
        ".timer": {"Unit": {"Description"}, "Timer": {"OnCalendar", "Persistent"}, "Install": {"WantedBy"}},
    }
    for file, text in made.items():
        parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(text)
        assert {section: set(parser[section]) for section in parser.sections()} == sections[Path(file).suffix]
    assert "Persistent=true" in made[f"{name}.timer"]
    runs = re.findall(r"^ExecStart=(.*)$", made[f"{name}.service"], re.M)
    quoted = f'"{program}"'.replace("%", "%%")
    assert runs[0] == f"-{quoted} sync"
    assert runs[1].startswith(f"{quoted} report {kind} ")
    if shutil.which("systemd-analyze"):
        for file, text in made.items():
            (tmp_path / file).write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "--user", "verify", *made],
            cwd=tmp_path,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        complaints = [line for line in done.stderr.splitlines() if "ucm-analytics" in line]
        assert (done.returncode, complaints) == (0, []), done.stderr


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("daily", ["2026-03-12", "2026-03-13", "2026-03-14", "2026-03-15", "2026-03-16"]),
        ("weekly", ["2026-03-16", "2026-03-17", "2026-03-18", "2026-03-23", "2026-03-24"]),
        ("monthly", ["2026-04-01", "2026-04-02", "2026-04-03", "2026-05-01", "2026-05-02"]),
    ],
)
def test_systemd_timers_elapse_on_these_days(kind: Kind, days: list[str], program: Path, here: Path) -> None:
    found = re.search(r"OnCalendar=(.*)", files(kind, "systemd", program, here)[f"ucm-analytics-{kind}.timer"])
    assert found
    expected = {"daily": "*-*-* 07:05:00", "weekly": "Mon..Wed *-*-* 07:05:00", "monthly": "*-*-01..03 07:05:00"}
    assert found[1] == expected[kind]
    if shutil.which("systemd-analyze"):
        words = ["systemd-analyze", "calendar", "--iterations=5", "--base-time=2026-03-12 00:00:00", found[1]]
        told = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
        assert re.findall(r"(?:elapse|#\d): \w+ (\S+) 07:05:00", told) == days


@pytest.mark.parametrize(
    ("kind", "when"), [("daily", "5 7 * * *"), ("weekly", "5 7 * * 1-3"), ("monthly", "5 7 1-3 * *")]
)
def test_cron_lines_run_in_a_shell(kind: Kind, when: str, program: Path, here: Path, tmp_path: Path) -> None:
    text = files(kind, "cron", program, here)[f"ucm-analytics-{kind}.crontab"]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    parsed = [re.fullmatch(r"((?:[\d*,-]+ ){5})(.+)", line) for line in lines]
    assert [match[1].strip() for match in parsed if match] == ["35 * * * *", when]
    secrets = tmp_path / ".config" / "ucm-analytics" / "secrets.env"
    for has_password in (False, True):
        if has_password:
            secrets.parent.mkdir(parents=True)
            secrets.write_text("UCM_PASSWORD=canary\n")
        (here / "ran.jsonl").unlink(missing_ok=True)
        for match in parsed:
            assert match
            assert not re.search(r"(?<!\\)%", match[2])
            command = match[2].replace("\\%", "%")  # as cron reads it
            env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
            subprocess.run(["/bin/sh", "-c", command], env=env, cwd="/", check=False)
        ran = [json.loads(line) for line in (here / "ran.jsonl").read_text().splitlines()]
        password = "canary" if has_password else None
        assert ran == [[password, "sync"], [password, "sync"], [password, *REPORT[kind], *REST]]


def test_cron_does_nothing_where_the_folder_is_gone(program: Path, here: Path, tmp_path: Path) -> None:
    text = files("daily", "cron", program, here)["ucm-analytics-daily.crontab"]
    here.rmdir()
    command = text.splitlines()[-1].split(" ", 5)[5].replace("\\%", "%")
    done = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True)
    assert done.returncode != 0
    assert not (tmp_path / "ran.jsonl").exists()


def texts(element: ET.Element, path: str) -> list[str]:
    return [found.text or "" for found in element.findall("/".join(NS + part for part in path.split("/")))]


def tags(element: ET.Element) -> list[str]:
    return [child.tag.removeprefix(NS) for child in element]


@pytest.mark.parametrize("kind", KINDS)
def test_windows_tasks_follow_the_schema(kind: Kind, program: Path, here: Path) -> None:
    made = files(kind, "windows", program, here, "clinic", "surgery")
    assert list(made) == ["ucm-analytics-sync.xml", f"ucm-analytics-{kind}.xml"]
    pull, report = (ET.fromstring(text) for text in made.values())
    for task in (pull, report):
        assert (task.tag, task.attrib) == (f"{NS}Task", {"version": "1.2"})
        assert tags(task) == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
        (principal,) = task.iter(f"{NS}Principal")
        (actions,) = task.iter(f"{NS}Actions")
        assert principal.attrib["id"] == actions.attrib["Context"]
        assert texts(task, "Settings/StartWhenAvailable") == ["true"]
        for action in actions:
            assert tags(action) == ["Command", "Arguments", "WorkingDirectory"]
        assert set(texts(task, "Actions/Exec/Command")) == {str(program)}
        assert set(texts(task, "Actions/Exec/WorkingDirectory")) == {str(here)}
    (trigger,) = pull.iter(f"{NS}CalendarTrigger")
    assert tags(trigger) == ["StartBoundary", "Repetition", "ScheduleByDay"]
    assert texts(trigger, "Repetition/Interval") == ["PT1H"]
    assert texts(trigger, "StartBoundary") == ["2026-01-01T00:35:00"]
    assert texts(pull, "Actions/Exec/Arguments") == ["sync --pbx clinic", "sync --pbx surgery"]

    (trigger,) = report.iter(f"{NS}CalendarTrigger")
    by = {"daily": "ScheduleByDay", "weekly": "ScheduleByWeek", "monthly": "ScheduleByMonth"}[kind]
    assert tags(trigger) == ["StartBoundary", by]
    assert texts(trigger, "StartBoundary") == ["2026-01-01T07:05:00"]
    if kind == "weekly":
        assert texts(trigger, "ScheduleByWeek/WeeksInterval") == ["1"]
        (days,) = trigger.iter(f"{NS}DaysOfWeek")
        assert tags(days) == ["Monday", "Tuesday", "Wednesday"]
    if kind == "monthly":
        assert texts(trigger, "ScheduleByMonth/DaysOfMonth/Day") == ["1", "2", "3"]
        (months,) = trigger.iter(f"{NS}Months")
        assert (len(tags(months)), tags(months)[0], tags(months)[-1]) == (12, "January", "December")
    words = " ".join(REPORT[kind])
    assert texts(report, "Actions/Exec/Arguments") == [
        "sync --pbx clinic",
        "sync --pbx surgery",
        f'{words} --out "all reports" --format html,csv,png --mail {TO[0]} --mail {TO[1]}',
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "yearly"}, "no periodic report is called 'yearly'"),
        ({"system": "launchd"}, "nothing is known about 'launchd'"),
        ({"at": "7 o'clock"}, "is no time of day"),
        ({"at": "24:00"}, "is no time of day"),
        ({"kind": "daily", "at": time(5, 0)}, "at 05:00 the day before cannot be settled yet"),
        ({"to": ["manager"]}, "is no mail address"),
        ({"pbxs": ["../x"]}, "cannot name a PBX"),
        ({"out": "a\nb"}, "holds a control character"),
        ({"directory": "/srv\nExecStart=/bin/sh"}, "holds a control character"),
    ],
)
def test_what_cannot_be_scheduled(change: dict[str, object], message: str) -> None:
    words = {"kind": "weekly", "at": "07:00", "command": "/opt/ucm-analytics", "directory": "/srv", **change}
    with pytest.raises(SettingError, match=message) as caught:
        schedule(**words)  # type: ignore[arg-type]
    assert caught.value.hint
