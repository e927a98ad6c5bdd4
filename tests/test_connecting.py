"""A second PBX never touches the first: `connect` at two pretend ones that differ in their serial numbers."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ucm_analytics import connecting
from ucm_analytics.cli import app
from ucm_analytics.connecting import check_same, name_of
from ucm_analytics.errors import SettingError
from ucm_analytics.simulator import Simulator, User
from ucm_analytics.store import Store

PASSWORD = "canary-3"
CLINIC = {"clinic": {"url": "https://192.0.2.10:8089"}}
BOTH = {**CLINIC, "north": {"url": "192.0.2.11"}, "broken": {"url": "http://["}, "empty": {}}


@pytest.fixture(scope="module")
def pbxs() -> Iterator[tuple[Simulator, Simulator, Simulator]]:
    """PBX A, PBX B, and one that does not tell its serial number."""
    shy = {"cdrapi": User(PASSWORD, permissions=frozenset({"cdrapi"}))}
    with (
        Simulator(users={"cdrapi": User(PASSWORD)}, serial="20EXAMPLEA") as a,
        Simulator(users={"cdrapi": User(PASSWORD)}, serial="20EXAMPLEB") as b,
        Simulator(users=shy, serial="20EXAMPLEC") as c,
    ):
        yield a, b, c


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("UCM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UCM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("UCM_DATA", str(tmp_path / "store"))
    monkeypatch.setenv("UCM_PASSWORD", PASSWORD)
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path / "config.toml"


@pytest.fixture
def connect(file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def connected(pbx: Simulator, *words: str) -> None:
        monkeypatch.setenv("UCM_FINGERPRINT", pbx.fingerprint)
        app(["connect", pbx.url, *words], standalone_mode=False)
        monkeypatch.delenv("UCM_FINGERPRINT")

    return connected


def tables(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text())["pbx"]  # type: ignore[no-any-return]


def test_a_new_address_needs_a_name_of_its_own(
    pbxs: tuple[Simulator, ...], connect: Callable[..., None], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, _ = pbxs
    connect(a, "--name", "clinic")
    assert tables(file)["clinic"]["serial"] == "20EXAMPLEA"
    before, asked = file.read_bytes(), len(b.requests)
    with pytest.raises(SettingError, match=r"is a new address; known are clinic at https://127\.0\.0\.1") as caught:
        connect(b)
    assert f"ucm-analytics connect {b.url} --name NAME" in caught.value.hint
    assert file.read_bytes() == before
    assert len(b.requests) == asked, "B has been sent nothing, no password least of all"
    connect(a)  # its own address names it
    assert file.read_bytes() == before
    connect(b, "--name", "north")
    assert tables(file)["clinic"] == tomllib.loads(before.decode())["pbx"]["clinic"]
    assert (tables(file)["north"]["url"], tables(file)["north"]["serial"]) == (b.url, "20EXAMPLEB")


def test_a_known_name_with_another_serial_number_is_refused(
    pbxs: tuple[Simulator, ...], connect: Callable[..., None], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, _ = pbxs
    connect(a, "--name", "clinic")
    before = file.read_bytes()
    with pytest.raises(SettingError, match=r"20EXAMPLEB\) is not the one known as clinic .*20EXAMPLEA") as caught:
        connect(b, "--name", "clinic")
    assert "--replace" in caught.value.hint
    assert file.read_bytes() == before
    # at the same address, too: the unit was swapped and kept its certificate
    file.write_text(before.decode().replace("20EXAMPLEA", "20EXAMPLEOLD"))
    with pytest.raises(SettingError, match="20EXAMPLEOLD"):
        connect(a)
    file.write_bytes(before)
    capsys.readouterr()
    connect(b, "--name", "clinic", "--replace")
    told = capsys.readouterr().err
    assert f"it takes the place of {a.url}, serial number 20EXAMPLEA" in told
    assert "next: ucm-analytics sync --pbx clinic --replaced" in told
    now = tables(file)["clinic"]
    assert (now["url"], now["fingerprint"], now["serial"]) == (b.url, b.fingerprint, "20EXAMPLEB")


def test_the_pinned_certificate_guards_the_name_and_the_way_on_is_said(
    pbxs: tuple[Simulator, ...], connect: Callable[..., None], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, _ = pbxs
    connect(a, "--name", "clinic")
    before = file.read_bytes()
    assert app(["connect", b.url, "--name", "clinic"], standalone_mode=False) == 1
    told = capsys.readouterr().err
    assert "FAIL  certificate" in told
    assert "if another PBX takes the place of clinic, say --replace" in told
    assert file.read_bytes() == before


def test_a_pbx_that_moved_is_known_by_its_serial_number(
    pbxs: tuple[Simulator, ...], connect: Callable[..., None], file: Path
) -> None:
    a, _, shy = pbxs
    connect(a, "--name", "clinic")
    file.write_text(file.read_text().replace(a.url, "https://192.0.2.10:8089") + "# mine\n")
    connect(a, "--name", "clinic")
    assert tables(file)["clinic"]["url"] == a.url
    assert file.read_text().endswith("# mine\n")
    with pytest.raises(SettingError, match="it cannot be told whether"):
        connect(shy, "--name", "clinic")
    connect(shy, "--name", "shy")
    assert "serial" not in tables(file)["shy"]
    connect(shy, "--name", "shy")
    connect(shy)


def test_without_a_command_line(pbxs: tuple[Simulator, ...], file: Path, tmp_path: Path) -> None:
    a, b, _ = pbxs
    seen: list[str] = []
    with pytest.raises(SettingError, match="certificate: not trusted"):
        connecting.connect(a.url, password=lambda _: PASSWORD, confirm=lambda _: False)
    done = connecting.connect(
        a.url,
        password=lambda settings: PASSWORD * (settings.user == "cdrapi"),
        confirm=lambda shown: shown.fingerprint == a.fingerprint,
        timezone=lambda _: "Europe/Berlin",
        on_step=lambda step: seen.append(step.name),
    )
    assert (seen[0], seen[-1]) == ("reachable", "clock")
    assert (done.path, done.another, dict(done.before)) == (file, False, {})
    assert (tables(file)["pbx"]["serial"], tables(file)["pbx"]["timezone"]) == ("20EXAMPLEA", "Europe/Berlin")
    store = Store(tmp_path / "store")
    assert connecting.pull(store, password=lambda _: PASSWORD, progress=False).pbx == "pbx"
    with pytest.raises(SettingError, match="swap the two dates"):
        connecting.pull(store, password=lambda _: PASSWORD, since="2026-03-02", until="2026-03-01")
    with pytest.raises(SettingError, match="nothing is known about PBX 'north'"):
        connecting.pull(store, "north", password=lambda _: PASSWORD)
    another = connecting.connect(
        b.url, name="pbx", replaced=True, password=lambda _: PASSWORD, confirm=lambda _: True, timezone=lambda _: ""
    )
    assert another.another
    assert another.before["serial"] == "20EXAMPLEA"


@pytest.mark.parametrize(
    ("url", "name", "known", "expected"),
    [
        ("https://192.0.2.10:8089", None, {}, "pbx"),
        ("https://192.0.2.10:8089", "clinic", {}, "clinic"),
        ("192.0.2.10", None, CLINIC, "clinic"),
        ("https://192.0.2.10", None, BOTH, "clinic"),
        ("https://192.0.2.11:8089/api", None, BOTH, "north"),
        ("https://192.0.2.12", "clinic", BOTH, "clinic"),
        ("https://192.0.2.12", None, CLINIC, "is a new address; known are clinic at"),
        ("https://192.0.2.10:8443", None, CLINIC, "is a new address"),
        ("https://192.0.2.12", None, {"clinic": {}}, "known are clinic at no address"),
        ("192.0.2.11", None, {**BOTH, "twin": BOTH["north"]}, "is the address of several PBXs"),
        ("https://192.0.2.12", "a b", {}, "cannot name a PBX"),
    ],
)
def test_names(url: str, name: str | None, known: dict[str, dict[str, str]], expected: str) -> None:
    try:
        assert name_of(url, name, known) == expected
    except SettingError as error:
        assert expected in error.message


@pytest.mark.parametrize("url", ["192.0.2.10", "192.0.2.11"])
@pytest.mark.parametrize("before", ["", "A", "B"])
@pytest.mark.parametrize("serial", ["", "A"])
@pytest.mark.parametrize("was", ["", "https://192.0.2.10:8089"])
def test_who_is_the_same(url: str, before: str, serial: str, was: str) -> None:
    known = {key: value for key, value in {"url": was, "serial": before}.items() if value}
    comparable = before and serial
    same = before == serial if comparable else not was or url == "192.0.2.10"
    try:
        check_same("clinic", known, url=url, serial=serial)
    except SettingError as error:
        assert not same
        assert "--name NAME" in error.hint
        assert f"connect {url} --name clinic --replace" in error.hint
    else:
        assert same
