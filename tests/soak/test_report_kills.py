"""kill -9 at every step of a periodic report with mail, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import smtplib
from pathlib import Path

import pytest

from tests.delivery.changes import DEMO, late_call
from tests.delivery.kills import killed_run, try_each_step
from ucm_analytics.store import Store


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("scenario", ["first", "made again", "other data"])
def test_kill_at_every_step(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("before", "after"):
        shutil.copytree(DEMO, tmp_path / name)
    late_call(Store(tmp_path / "after"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.delivery.kills"])
    monkeypatch.setattr(smtplib, "SMTP", smtplib.SMTP)  # put back in the end

    def stopped_run(store: Store, out: Path, letters: Path, stop: int, half: bool) -> bool:
        process = context.Process(target=killed_run, args=(store.path, out, letters, stop, half))
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        return process.exitcode != 0

    (tmp_path / "work").mkdir()
    stores = Store(tmp_path / "before"), Store(tmp_path / "after")
    tried = try_each_step(scenario, stores, tmp_path / "work", stopped_run)
    with capsys.disabled():
        print(f"\nreport {scenario}: killed at {tried} steps, lost 0, mailed twice 0, forgotten 0")
