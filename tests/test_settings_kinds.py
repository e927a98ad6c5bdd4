"""Every key of the settings with every kind of TOML value: it is used, or an error names it; nothing else."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ucm_analytics import config
from ucm_analytics.cli import app
from ucm_analytics.config import Settings
from ucm_analytics.custom_reports import report_files
from ucm_analytics.delivery.smtp import MailServer
from ucm_analytics.errors import SettingError, UCMError
from ucm_analytics.tariff import read_tariff

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
VALUES = {
    "a number": ("5", "-5", "0", "5.5", "nan", "inf", "123456789012345678901234567890"),
    "true or false": ("true", "false"),
    "a date or time": ("1979-05-27", "07:32:00", "1979-05-27T07:32:00", "1979-05-27T07:32:00Z"),
    "a list": ("[]", "[5]", "[[1]]", "[{}]", "[nan]", '["a", 5]'),
    "a table": ("{}", "{ a = 1 }", '{ "a@example.org" = 1 }'),
    "text": ('""', '"text"', '"0.5"', "'\"'", '"🏥"', '"' + "x" * 5000 + '"', '"a..b"'),
    "text with control characters": ('"\\u0000"', '"\\u001b[31m"', '"a\\nb"'),
}
TEXT = ("url", "user", "fingerprint", "ca", "timezone", "country", "locale", "tariff", "service_level")
NUMBERS = ("target_s", "target_level", "short_s")
ABOVE = ("data", "reports", "locale", "tariff", "service_level", *NUMBERS)
MAIL = ("host", "port", "security", "user", "sender", "ca", "to")
TARIFF = ("currency", "home", "prefix", "per_minute", "setup", "rounding_s")

LOADERS: dict[str, tuple[Callable[[], object], ...]] = {
    "above": (
        Settings.load,
        config.data_folder,
        config.reports_folder,
        config.reader_locale,
        config.tariff_file,
        config.service_target,
        report_files,
    ),
    "mail": (MailServer.load,),
}
READ_IT = (["reports"], ["report", "cost", "--week", "2026-W11"], ["connect", "https://127.0.0.1:1"], ["sync"])
"""Commands that look into the settings file also where the folder of the store is named elsewhere."""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith("UCM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UCM_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("UCM_DATA", str(DEMO))
    yield tmp_path / "config.toml"


def expected(key: str, kind: str, value: str) -> bool:
    """Whether a value is of the kind that the key has, by the words of the documentation."""
    if key in (*NUMBERS, "port", "per_minute", "setup", "rounding_s"):
        return kind in ("a number", "text")
    return kind == "text" or (key == "to" and value in ("[]",))


def outcome(run: Callable[[], object]) -> str:
    """What became of it; anything but an answer and the package's own error is passed on."""
    try:
        run()
    except UCMError as error:
        assert error.hint
        return error.message
    return ""


@pytest.mark.parametrize("place", ["above", "pbx", "mail"])
def test_a_value_of_another_kind_names_its_key(place: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"above": ABOVE, "pbx": (*TEXT, *NUMBERS), "mail": MAIL}[place]
    head = {"above": "", "pbx": "[pbx.clinic]\n", "mail": "[mail]\n"}[place]
    monkeypatch.delenv("UCM_DATA")
    tried = Counter[str]()
    for key in keys:
        for kind, values in VALUES.items():
            for value in values:
                file.write_text(f"{head}{key} = {value}\n")
                for load in LOADERS["mail" if place == "mail" else "above"]:
                    said = outcome(load)
                    tried["loads"] += 1
                    if not expected(key, kind, value):
                        assert re.match(rf"{key} of .*config\.toml is {kind}, not (text|a number)", said), said
                        tried["refused"] += 1
    print(f"{place}: {tried['loads']} values loaded, {tried['refused']} of another kind refused, tracebacks: 0")


def test_commands_end_in_an_answer_or_an_error(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tried = 0
    wrong = itertools.cycle(("[5]", "true", "1979-05-27", "{ a = 1 }", '"\\u0000"'))
    lines = [f"{key} = {next(wrong)}" for key in ABOVE]
    lines += [f"[pbx.clinic]\n{key} = {next(wrong)}" for key in (*TEXT, *NUMBERS)]
    lines += ["pbx = 5", "[[pbx]]", "[pbx]\nclinic = []", "[pbx.clinic]\ndata = 'x'", "[pbx", "\ufeff\ufeff"]
    for line in lines:
        file.write_text(f"{line}\n", encoding="utf-8")
        for words in READ_IT:
            with pytest.raises(SettingError, match=r"config\.toml"):
                app(words, standalone_mode=False)
            tried += 1
    for line in [*(f"[mail]\n{key} = {next(wrong)}" for key in MAIL), "mail = 5", "[[mail]]"]:
        file.write_text(f"{line}\n")
        with pytest.raises(SettingError, match="mail"):
            app(["report", "weekly", "--week", "2026-W11", "--mail", "a@example.org"], standalone_mode=False)
        app(["status"], standalone_mode=False)
        tried += 2
    with capsys.disabled():
        print(f"\ncommands with settings of another kind: {tried}, tracebacks: 0")


@pytest.mark.parametrize("key", TARIFF)
def test_a_tariff_names_the_key_of_another_kind(key: str, tmp_path: Path) -> None:
    file = tmp_path / "tariff.toml"
    row = {"prefix": '"+49"', "per_minute": "0.02", "setup": "0", "rounding_s": "60"}
    for kind, values in VALUES.items():
        for value in values:
            head = "" if key in row else f"{key} = {value}\n"
            lines = [f"{name} = {value if name == key else usual}\n" for name, usual in row.items()]
            file.write_text(f"{head}[[prefix]]\n{''.join(lines)}")
            said = outcome(lambda: read_tariff(file))
            if not expected(key, kind, value):
                assert re.match(rf"{key} of .*tariff\.toml is {kind}, not (text|a number)", said), said
            elif value in ("nan", "inf"):
                assert f"{key} is not a number in every row" in said


@pytest.mark.parametrize("rows", ["", "prefix = 5", "prefix = []", "prefix = {}", "prefix = [5]", "prefix = 07:32:00"])
def test_a_tariff_without_rows(rows: str, tmp_path: Path) -> None:
    (tmp_path / "tariff.toml").write_text(f"{rows}\n")
    with pytest.raises(SettingError, match=r"no tables \[\[prefix\]\]"):
        read_tariff(tmp_path / "tariff.toml")
