from __future__ import annotations

from pathlib import Path

import pytest

from ucm_analytics.config import FIELDS, Settings, check_name, zone
from ucm_analytics.errors import SettingError


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "config.toml"
    monkeypatch.setenv("UCM_CONFIG", str(path))
    for variable in FIELDS.values():
        monkeypatch.delenv(variable, raising=False)
    return path


def test_defaults() -> None:
    settings = Settings.load()
    assert (settings.pbx, settings.user, settings.data, settings.url) == ("pbx", "cdrapi", "data/store", "")
    assert settings.sources["user"] == "default"


def test_file_then_environment_then_argument(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Settings("clinic", url="https://192.0.2.10:8089", user="a", timezone="Europe/Berlin").save()
    assert Settings.load().url == "https://192.0.2.10:8089"
    assert Settings.load().sources["url"] == str(own_file)
    monkeypatch.setenv("UCM_USER", "b")
    assert Settings.load().user == "b"
    settings = Settings.load(user="c")
    assert settings.user == "c"
    assert settings.sources["user"] == "argument"
    assert "https://192.0.2.10:8089" in settings.explain()


def test_several_pbxs_need_a_name() -> None:
    Settings("clinic", url="https://192.0.2.10:8089").save()
    Settings("school", url="https://192.0.2.11:8089").save()
    assert Settings.load("school").url == "https://192.0.2.11:8089"
    with pytest.raises(SettingError, match="--pbx"):
        Settings.load()


def test_no_password_is_ever_written(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UCM_PASSWORD", "canary-secret")
    Settings.load("clinic", url="https://192.0.2.10").save()
    assert "canary" not in own_file.read_text()


def test_broken_file(own_file: Path) -> None:
    own_file.parent.mkdir()
    own_file.write_text("[pbx")
    with pytest.raises(SettingError, match="mend"):
        Settings.load()


def test_unwritable_folder(own_file: Path) -> None:
    own_file.parent.write_text("a file where the folder should be")
    with pytest.raises(SettingError, match="UCM_CONFIG"):
        Settings("clinic", url="https://192.0.2.10").save()


def test_unknown_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UCM_TIMEZONE", "Europe/Nowhere")
    with pytest.raises(SettingError, match="IANA"):
        Settings.load()
    assert zone("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "-x"])
def test_names_that_no_folder_carries(name: str) -> None:
    with pytest.raises(SettingError, match="cannot name"):
        check_name(name)
    assert check_name("clinic-1.a_b") == "clinic-1.a_b"
