"""`connect` with a person at a terminal: a real pseudo-terminal, a real PBX over TLS."""

from __future__ import annotations

import os
import pty
import re
import select
import time
import tomllib
from pathlib import Path

from tests.command import COMMAND
from ucm_analytics.simulator import Simulator, User
from ucm_analytics.simulator.status import SERIAL


def talk(words: list[str], answers: list[tuple[str, str]], env: dict[str, str]) -> tuple[int, str]:
    """Run a command at a terminal and answer its questions; its exit code and all it showed."""
    # in a terminal of its own, so the process is forked here and not by subprocess
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(COMMAND, [COMMAND, *words], env)
    shown, until = "", time.monotonic() + 60
    pending = list(answers)
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:  # the other side has gone
            break
        if pending and pending[0][0] in shown:
            time.sleep(0.3)  # a hidden prompt drops what was typed before it was ready
            os.write(terminal, f"{pending.pop(0)[1]}\n".encode())
    os.close(terminal)
    assert not pending, f"never asked: {pending}\n{shown}"
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UCM_")}
    return {
        **kept,
        "UCM_CONFIG": str(folder / "config.toml"),
        "UCM_DATA": str(folder / "store"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "TERM": "dumb",
    }


def test_confirm_and_password(tmp_path: Path) -> None:
    with Simulator(users={"cdrapi": User("canary-9")}) as pbx:
        code, shown = talk(
            ["connect", pbx.url, "--name", "clinic"],
            [
                ("Is this your PBX", "y"),
                ("Password of API user cdrapi", "canary-9"),
                ("Time zone of the PBX", "Europe/Berlin"),
                ("keyring?", "n"),
            ],
            environment(tmp_path),
        )
        assert code == 0, shown
        assert pbx.fingerprint in shown
        assert "canary" not in shown, "the password is not echoed"
        settings = tomllib.loads((tmp_path / "config.toml").read_text())["pbx"]["clinic"]
        assert settings == {
            "url": pbx.url,
            "fingerprint": pbx.fingerprint,
            "timezone": "Europe/Berlin",
            "serial": SERIAL,
        }

        # a second time nothing is asked but the password
        code, shown = talk(["sync", "--since", "2026-03-10"], [("Password of", "canary-9")], environment(tmp_path))
        assert code == 0, shown
        assert re.search(r"clinic: \d+ days asked", shown)


def test_saying_no_trusts_nothing(tmp_path: Path) -> None:
    with Simulator(users={"cdrapi": User("canary-9")}) as pbx:
        code, shown = talk(["connect", pbx.url], [("Is this your PBX", "n")], environment(tmp_path))
        assert code == 1
        assert "FAIL  certificate" in shown
        assert not (tmp_path / "config.toml").exists()
        assert [action for action, _ in pbx.requests if action == "login"] == []
