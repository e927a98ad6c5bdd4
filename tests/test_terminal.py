"""What a PBX sends never steers the terminal: hostile names, values, answers and certificates, in every command."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.store.pretend import SITE, Pbx, call
from ucm_analytics import cli
from ucm_analytics.errors import SettingError, UCMError, UCMWarning, UnknownFields, printable
from ucm_analytics.simulator import api, certificate
from ucm_analytics.simulator.profiles import PROFILES
from ucm_analytics.simulator.records import Call, Extension, Queue, Trunk

STEERING = "".join(
    map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)
HOSTILE = f"x{STEERING}\x1b[2J\x1b]0;owned\x07\n\rerror: forged"
FIELD = f"new {HOSTILE}"
COMMON_NAME = "\x1b[2J\x9b1m\u202eowned\r\nerror: forged"


def hostile_call(start: str) -> Call:
    """A call whose leg holds a hostile text in every field that can hold one, and a field of a hostile name."""
    (leg,) = call(start).legs
    texts = dict.fromkeys(("clid", "caller_name", "lastapp", "dcontext", "accountcode", "userfield"), HOSTILE)
    return dataclasses.replace(call(start), legs=({**leg, **texts, FIELD: HOSTILE},))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command as its entry point does; what it printed, which must not steer."""
    monkeypatch.setattr(cli, "spare_memory", lambda: None)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    for name, value in {"UCM_DATA": tmp_path / "store", "UCM_CONFIG": tmp_path / "config.toml"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("UCM_PASSWORD", "cdrapi123")
    monkeypatch.setenv("UCM_TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["ucm-analytics", *words])
        with warnings.catch_warnings(), pytest.raises(SystemExit):
            warnings.simplefilter("always", UCMWarning)
            cli.main()
        printed = "".join(capfd.readouterr())
        assert printed
        assert not set(printed) & set(STEERING) - {"\n"}, printed
        assert not any(line.startswith("error: forged") for line in printed.splitlines()), printed
        return printed

    return run


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pbx]:
    """A PBX that puts it into its model, its certificate, its names, its records and their fields."""
    general = api.general_status
    names = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    subject = x509.Name([x509.NameAttribute(kind, COMMON_NAME) for kind in names])
    # in this module only: cryptography keeps the first Name that it meets for good
    hostile_x509 = SimpleNamespace(**{**vars(x509), "Name": lambda _: subject})
    monkeypatch.setattr(certificate, "x509", hostile_x509)
    monkeypatch.setattr(api, "general_status", lambda profile: dict.fromkeys(general(profile), HOSTILE))
    profile = dataclasses.replace(PROFILES["f43"], fields=(*PROFILES["f43"].fields, FIELD))
    monkeypatch.setitem(PROFILES, "f43", profile)
    site = dataclasses.replace(
        SITE,
        extensions=tuple(Extension(number, HOSTILE) for number in ("1001", "1002")),
        queues=(Queue("6500", HOSTILE, "ringall", ("1001", "1002")),),
        trunks=(Trunk("1", HOSTILE, "192.0.2.20"),),
    )
    with Pbx(
        [hostile_call("2026-03-09 09:00"), hostile_call("2026-03-09 10:00")], "2026-03-20 12:00", site=site
    ) as pbx:
        monkeypatch.setenv("UCM_FINGERPRINT", pbx.sim.fingerprint)
        monkeypatch.setenv("UCM_URL", pbx.sim.url)
        yield pbx


def test_commands(hostile: Pbx, shell: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "owned" in shell("connect", hostile.sim.url, "--name", "clinic")
    monkeypatch.delenv("UCM_FINGERPRINT")
    assert "owned" in shell("connect", hostile.sim.url, "--name", "other")  # nobody confirms
    monkeypatch.setenv("UCM_FINGERPRINT", hostile.sim.fingerprint)
    assert "fields that are not declared: new x" in shell(
        "sync", "--pbx", "clinic", "--since", "2026-03-09", "--until", "2026-03-09"
    )
    assert "2 records" in shell("status")
    shell("status", "--json")
    days = ("--from", "2026-03-09", "--to", "2026-03-09")
    shell("report", "--all", *days, "--format", "csv", "--out", str(tmp_path / "out"))
    shell("export", "legs", *days, "--out", str(tmp_path / "legs.csv"))
    (tmp_path / "store" / "legs" / f"pbx={STEERING.translate({0: '', 47: ''})}").mkdir()
    (tmp_path / "store" / "legs" / "pbx=clinic" / "month=\x1b[2J\n").mkdir()
    assert "is left out" in shell("status")


def test_pages_instead_of_answers(hostile: Pbx, shell: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (f"<html>{HOSTILE}", f"{HOSTILE}", '{"status": -1, "response": "' + HOSTILE + '"}'):
        monkeypatch.setattr(api, "_LOGIN_PAGE", content.encode())
        hostile.sim.faults.arm("html", after=0, times=100)
        assert "error: " in shell("sync", "--pbx", "clinic", "--since", "2026-03-09", "--until", "2026-03-09")


def test_errors_and_warnings() -> None:
    error = SettingError(HOSTILE, hint=HOSTILE)
    for text in (str(error), error.message, error.hint, *error.args, str(UnknownFields(HOSTILE))):
        assert not set(text) & set(STEERING)
        assert "\\x1b[2J" in text
    assert isinstance(error, UCMError)
    with pytest.warns(UnknownFields) as caught:
        warnings.warn(HOSTILE, UnknownFields, stacklevel=1)
    assert not set(str(caught[0].message)) & set(STEERING)


def test_what_people_write_stays_as_it_is() -> None:
    text = "Zoë Núñez, 東京, مكتب, שלום, Ελλάδα, 1\u202f234 €, 68\xa0%, e\u0301, 👩\u200d💻, C:\\x"
    assert printable(text) == text
    assert printable("a\ud800b\x00") == "a\\ud800b\\x00"
