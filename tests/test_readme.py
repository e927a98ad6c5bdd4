"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import COMMAND, run
from ucm_analytics.reports import names

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^ *```(\w*)\n(.*?)^ *```", TEXT, re.M | re.S)
VARYING = [
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"SHA-256 [0-9A-F:.]+", "SHA-256"),
    (r"valid until [\d-]+", "valid until"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+0[12]:00, -?\d+ s", "TIME"),
]


def steady(text: str) -> list[str]:
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return [line for line in text.splitlines() if line]


def fences(language: str) -> list[str]:
    return [code for name, code in FENCES if name == language]


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UCM_")}
    return {**kept, "UCM_CONFIG": str(folder / "config.toml"), "UCM_DATA": str(ROOT / "data" / "demo")}


@pytest.mark.slow
def test_demo_prints_what_the_first_screen_shows(tmp_path: Path) -> None:
    shown = fences("console")[0]
    assert shown.startswith("$ make demo\n")
    done = subprocess.run(
        [COMMAND, "demo", "--out", "demo-output"],
        cwd=tmp_path,
        env=environment(tmp_path),
        text=True,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert sorted(steady(done.stdout)) == sorted(steady(shown.partition("\n")[2]))
    pages = {"index.html", *(f"{name}.html" for name in names())}
    assert pages <= {file.name for file in (tmp_path / "demo-output").iterdir() if file.stat().st_size > 1000}


@pytest.mark.usefixtures("chromium", "cache")
def test_python_gives_the_table_and_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = fences("python")
    (table,) = fences("")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    *lines, last = code.strip().splitlines()
    defined: dict[str, object] = {}
    exec("\n".join(lines), defined)
    assert str(eval(last, defined)) == table.rstrip("\n")
    made, kept = tmp_path / "docs" / "call-volume.png", ROOT / "docs" / "call-volume.png"
    assert made.read_bytes()[:24] == kept.read_bytes()[:24], "another size than the committed picture"
    assert made.stat().st_size > 10_000


@pytest.mark.usefixtures("chromium")
def test_every_command_of_the_table_runs(tmp_path: Path) -> None:
    commands = re.findall(r"^\|[^|]+\| `(ucm-analytics [^`]+)` \|$", TEXT, re.M)
    assert len(commands) == 7
    shutil.copytree(ROOT / "data" / "demo", tmp_path / "store")
    for command in commands:
        env = {**environment(tmp_path), "UCM_DATA": str(tmp_path / "store")}
        done = run(command.split()[1:], env=env, folder=tmp_path)
        # the demo holds 28 of March's 31 days, and the commands say so
        assert done.returncode == (3 if "2026-03" in command else 0), done.stderr
        assert done.stdout


def test_commands_for_the_own_pbx_have_these_options(tmp_path: Path) -> None:
    for block in fences("console")[1:]:
        for line in re.findall(r"\$ (ucm-analytics .*)", block):
            words = line.split()
            shown = subprocess.run([COMMAND, words[1], "--help"], text=True, capture_output=True, check=True).stdout
            assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", shown))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/connect.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), target
