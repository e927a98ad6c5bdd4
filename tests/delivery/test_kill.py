"""A run that is stopped at any step: the next one leaves the report complete, and everybody has had it once."""

from __future__ import annotations

import json
import shutil
import smtplib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.delivery.changes import DEMO, late_call
from tests.delivery.kills import ANNA, BEN, Stopped, made, post_office, server, stopping, try_each_step
from ucm_analytics.delivery import periodic as periodic_module
from ucm_analytics.delivery.folder import LOCK, alone
from ucm_analytics.delivery.mail import Mailed, mail
from ucm_analytics.delivery.manifest import Manifest, file_hash
from ucm_analytics.errors import SettingError, Unreachable
from ucm_analytics.reports import Report
from ucm_analytics.store import Store

RUN, MANIFEST, COVERAGE = (cache(getattr(periodic_module, name)) for name in ("run_report", "manifest_of", "coverage"))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """The demo store, and one in which a call of the day came later."""
    folder = tmp_path_factory.mktemp("stores")
    for name in ("before", "after"):
        shutil.copytree(DEMO, folder / name)
    late_call(Store(folder / "after"))
    return Store(folder / "before"), Store(folder / "after")


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Counter[str]]:
    """How often each address was sent something."""
    file = tmp_path / "letters"
    monkeypatch.setattr(smtplib, "SMTP", post_office(file))
    return lambda: Counter(file.read_text().split())


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at each store once, and write little: what is tried here are the steps with files."""

    def short(*arguments: Any, **options: Any) -> Report:
        report = RUN(*arguments, **options)
        return replace(report, sections=tuple(replace(each, table=each.table[:1]) for each in report.sections[:1]))

    def manifest(*arguments: Any, files: Sequence[Path], **options: Any) -> Manifest:
        hashes = {file.name: file_hash(file) for file in sorted(files)}
        return msgspec.structs.replace(MANIFEST(*arguments, files=(), **options), files=hashes)

    monkeypatch.setattr(periodic_module, "run_report", short)
    monkeypatch.setattr(periodic_module, "manifest_of", manifest)
    monkeypatch.setattr(periodic_module, "coverage", COVERAGE)


@pytest.mark.slow
def test_stop_at_every_step(
    stores: tuple[Store, Store], letters: Callable[[], Counter[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped_run(store: Store, out: Path, _: Path, stop: int, half: bool) -> bool:
        with stopping(out, stop, half=half) as clock, suppress(Stopped):
            mail(made(store, out), server(ANNA, BEN))
        return clock.left < 0

    tried = try_each_step("other data", stores, tmp_path, stopped_run)
    with capsys.disabled():
        print(f"\nreports stopped at {tried} steps: lost 0, mailed twice 0, forgotten 0")
    assert tried > 20


def test_a_run_stopped_while_it_hands_in_says_that_nobody_knows(
    stores: tuple[Store, Store],
    letters: Callable[[], Counter[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivered = made(stores[0], tmp_path)

    def stopped(*_: object, **__: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(smtplib.SMTP, "send_message", stopped)
        mail(delivered, server(ANNA))
    assert mail(made(stores[0], tmp_path), server(ANNA, BEN)) == Mailed((BEN,), unsure=(ANNA,))
    assert mail(delivered, server(ANNA), again=True).to == (ANNA,)
    assert mail(delivered, server(ANNA, BEN)) == Mailed((), before=(ANNA, BEN))
    assert letters() == {ANNA: 1, BEN: 1}


def test_a_mail_that_was_not_taken_is_tried_again(
    stores: tuple[Store, Store],
    letters: Callable[[], Counter[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivered = made(stores[0], tmp_path)

    def gone(*_: object, **__: object) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    with monkeypatch.context() as patched, pytest.raises(Unreachable):
        patched.setattr(smtplib.SMTP, "send_message", gone)
        mail(delivered, server(ANNA))
    assert mail(delivered, server(ANNA)).to == (ANNA,)


def test_notes_have_the_form_that_earlier_versions_wrote(
    stores: tuple[Store, Store], letters: Callable[[], Counter[str]], tmp_path: Path
) -> None:
    delivered = made(stores[0], tmp_path)
    mail(delivered, server(ANNA))
    note = tmp_path / "2026-03-11" / "mailed.json"
    assert [set(each) for each in json.loads(note.read_text())] == [{"data", "at", "to"}]
    assert mail(delivered, server(ANNA, BEN)) == Mailed((BEN,), before=(ANNA,))


def test_what_others_keep_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    for name in (".mine.old", ".2026.old", ".git", "2026-03-11.old", ".2026-03-11.old.txt"):
        (tmp_path / name).mkdir()
    before = set(tmp_path.iterdir())
    with alone(tmp_path):
        pass
    assert set(tmp_path.iterdir()) == {*before, tmp_path / LOCK}


def test_one_run_waits_for_another_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucm_analytics.delivery.folder.WAIT_S", 0.05)
    with alone(tmp_path), pytest.raises(SettingError, match="another run is writing"), alone(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="cannot write"), alone(tmp_path / "file" / "reports"):
        pass
