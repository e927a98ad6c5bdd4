"""The simulator as a program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.simulator.pbx import call, connected, leg
from ucm_analytics.errors import SettingError
from ucm_analytics.simulator import Simulator, run, serve

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
from ucm_analytics.simulator import run
run(password="secret", replay=[Path(sys.argv[1])], port_file=Path(sys.argv[2]), user="analyst",
    on_ready=lambda info: print(json.dumps(info), flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_a_signal_comes(tmp_path: Path, number: signal.Signals) -> None:
    replay, port_file = tmp_path / "answer.json", tmp_path / "port"
    replay.write_text(json.dumps([{"src": "1", "dst": "2", "start": "2026-03-02 08:00:00"}]))
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, replay, port_file],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with program:
        assert program.stdout is not None
        ready = json.loads(program.stdout.readline())
        assert list(ready) == ["url", "user", "fingerprint"]
        assert ready["user"] == "analyst"
        assert ready["url"] == f"https://127.0.0.1:{port_file.read_text().strip()}"
        program.send_signal(number)
        out, err = program.communicate(timeout=20)
    assert (program.returncode, out, err) == (0, "ended\n", "")


def test_generates_traffic_and_writes_the_truth(tmp_path: Path) -> None:
    ready, stop, seen = Event(), Event(), dict[str, str]()

    def on_ready(info: dict[str, str]) -> None:
        seen.update(info)
        ready.set()

    day = date(2026, 3, 2)
    settings = {"first": day, "last": day, "calls_per_day": 40, "truth": tmp_path / "truth", "stop": stop}
    thread = Thread(target=run, kwargs={"password": "cdrapi123", "on_ready": on_ready, **settings})
    thread.start()
    try:
        assert ready.wait(20)
        assert seen["url"].startswith("https://127.0.0.1:")
        assert len((tmp_path / "truth" / "calls.jsonl").read_text().splitlines()) > 10
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_a_port_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot write .*missing"):
        serve(Simulator(), user="cdrapi", on_ready=print, port_file=tmp_path / "missing" / "port")


def test_a_replay_has_no_truth(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="nobody knows the truth behind a replay"):
        run(password="x", on_ready=print, replay=[tmp_path / "a.json"], truth=tmp_path)


def test_can_be_started_again_after_a_stop() -> None:
    pbx = Simulator([call(leg("2026-03-02 08:00:00", 5))])
    for _ in range(2):
        with connected(pbx) as asker:
            assert len(asker.records()) == 1
