from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ucm_analytics.config import (
    FIELDS,
    ServiceTarget,
    Settings,
    check_name,
    data_folder,
    reader_locale,
    reports_folder,
    service_target,
    tariff_file,
    zone,
)
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


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "-x", "100", "1st", "_x"])
def test_names_that_no_folder_carries(name: str) -> None:
    with pytest.raises(SettingError, match="cannot name"):
        check_name(name)
    assert check_name("clinic-1.a_b") == "clinic-1.a_b"


def test_the_data_folder_of_several_pbxs(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder() == "data/store"
    own_file.parent.mkdir()
    own_file.write_text('data = "/srv/calls"\n[pbx.clinic]\nurl = "https://192.0.2.10"\n')
    Settings.load("school", url="https://192.0.2.11:8089").save()
    assert data_folder() == "/srv/calls"  # kept when a PBX is added
    assert Settings.load("school").data == Settings.load("clinic").data == "/srv/calls"
    assert Settings.load("clinic").sources["data"] == str(own_file)
    monkeypatch.setenv("UCM_DATA", "elsewhere")
    assert (data_folder(), Settings.load("clinic").data) == ("elsewhere", "elsewhere")
    Settings.load("clinic").save()
    monkeypatch.delenv("UCM_DATA")
    assert data_folder() == "/srv/calls"


def test_a_data_folder_of_one_pbx_is_refused(own_file: Path) -> None:
    own_file.parent.mkdir()
    own_file.write_text('[pbx.clinic]\ndata = "/srv/calls"\n')
    with pytest.raises(SettingError, match="above the first"):
        data_folder()


def test_country(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Settings.load("clinic", country="de").save()
    assert Settings.load().country == "DE"
    monkeypatch.setenv("UCM_COUNTRY", "us")
    assert (Settings.load().country, Settings.load().sources["country"]) == ("US", "environment")
    monkeypatch.setenv("UCM_COUNTRY", "Germany")
    with pytest.raises(SettingError, match="two letters"):
        Settings.load()


def test_saving_a_pbx_keeps_the_mail_server_and_the_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("UCM_CONFIG", str(file))
    file.write_text(
        'data = "/srv/calls"\nreports = "/srv/reports"\n[pbx.a]\nurl = "https://192.0.2.10:8089"\n'
        '[mail]\nhost = "smtp.example.org"\nport = 587\nto = ["m@example.org"]\n'
    )
    before = tomllib.loads(file.read_text())
    Settings.load("b", url="https://192.0.2.11:8089").save()
    after = tomllib.loads(file.read_text())
    assert after == {**before, "pbx": {**before["pbx"], "b": {"url": "https://192.0.2.11:8089"}}}


def test_the_folder_of_own_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UCM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("UCM_REPORTS", raising=False)
    assert reports_folder() == ""
    (tmp_path / "config.toml").write_text('reports = "mine"\n')
    assert reports_folder() == "mine"
    monkeypatch.setenv("UCM_REPORTS", "yours")
    assert reports_folder() == "yours"


def test_the_locale_of_all_and_of_one_pbx(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader_locale() == ""
    own_file.parent.mkdir()
    own_file.write_text('locale = "de_DE"\n[pbx.clinic]\nurl = "https://192.0.2.10"\n')
    assert reader_locale() == reader_locale("clinic") == "de_DE"
    assert Settings.load().sources["locale"] == str(own_file)
    Settings.load("north", url="https://192.0.2.11:8089").save()
    assert own_file.read_text().count("de_DE") == 1  # kept where it was, not copied into the new table
    own_file.write_text(own_file.read_text().replace("[pbx.clinic]", "[pbx.clinic]\nlocale = 'fr_FR'"))
    assert (reader_locale("clinic"), reader_locale("north"), reader_locale()) == ("fr_FR", "de_DE", "de_DE")
    Settings.load("clinic").save()
    assert reader_locale("clinic") == Settings.load("clinic").locale == "fr_FR"
    monkeypatch.setenv("UCM_LOCALE", "en_US")
    assert reader_locale("clinic") == Settings.load("clinic").locale == "en_US"
    assert Settings.load("clinic").sources["locale"] == "environment"


def test_a_pbx_alone_gives_its_locale(own_file: Path) -> None:
    own_file.parent.mkdir()
    own_file.write_text('[pbx.clinic]\nlocale = "de_DE"\n')
    assert reader_locale() == "de_DE"


def test_the_tariff_of_all_and_of_one_pbx(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tariff_file() == ""
    own_file.parent.mkdir()
    own_file.write_text(
        'tariff = "all.csv"\n[pbx.clinic]\ntariff = "clinic.csv"\n[pbx.north]\nurl = "https://192.0.2.11"\n'
    )
    assert (tariff_file("clinic"), tariff_file("north"), tariff_file()) == ("clinic.csv", "all.csv", "all.csv")
    assert (Settings.load("north").tariff, Settings.load("north").sources["tariff"]) == ("all.csv", str(own_file))
    monkeypatch.setenv("UCM_TARIFF", "here.csv")
    assert tariff_file("clinic") == Settings.load("clinic").tariff == "here.csv"


def test_what_callers_in_queues_are_promised(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert service_target() == ServiceTarget("sl_f1", 20, 0.8, 5)
    own_file.parent.mkdir()
    own_file.write_text(
        'target_s = 30\ntarget_level = 0.9\n[pbx.clinic]\nservice_level = "sl_f3"\nshort_s = 10\n'
        '[pbx.north]\nurl = "https://192.0.2.11"\n'
    )
    assert service_target("clinic") == ServiceTarget("sl_f3", 30, 0.9, 10)
    assert service_target("north") == service_target() == ServiceTarget("sl_f1", 30, 0.9, 5)
    assert (Settings.load("clinic").target_level, Settings.load("clinic").sources["target_level"]) == (
        "0.9",
        str(own_file),
    )
    monkeypatch.setenv("UCM_TARGET_S", "15")
    assert service_target("clinic").target_s == 15


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UCM_SERVICE_LEVEL", "sl_f9"),
        ("UCM_TARGET_S", "0"),
        ("UCM_TARGET_S", "2.5"),
        ("UCM_TARGET_S", "soon"),
        ("UCM_TARGET_LEVEL", "80"),
        ("UCM_TARGET_LEVEL", "1"),
        ("UCM_SHORT_S", "-5"),
    ],
)
def test_a_promise_that_is_none_names_its_setting(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        service_target()
    assert repr(value) in caught.value.message
    assert name in caught.value.hint
