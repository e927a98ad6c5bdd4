"""A settings file that a person wrote says the same after a save, but for what was saved."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ucm_analytics import settings_file
from ucm_analytics.errors import SettingError
from ucm_analytics.settings_file import change_settings, read_settings

ABOVE = (
    'data = "/srv/calls" # where the calls are\n',
    "a = nan\nb = -inf\nc = 1979-05-27T07:32:00.5-07:00\nd = 07:32:00\ne = 1_000\nf = 0xFF\ng = 6.02e+23\n",
    'hours.mon = "8-17"\nhours."sat\\tand sun" = "" # closed\n',
    'text = """\n[pbx.clinic]\nurl = \'not this one\' # no comment\n"""\n',
    "path = 'C:\\calls'\nraw = '''\none\n  two'''\n",
    '"☎️ 🏥" = "👩‍⚕️"\n"" = ""\n',
    "list = [ 1,\n  2, # two\n  [ 'a', { b = 3 } ],\n]\n",
    "  # a comment that is indented\n\n\n",
)
TABLES = (
    '[mail] # the server\nhost = "smtp.example.org"\nto = ["a@example.org"]\n',
    '[mail.headers]\n"X-Site" = "Clinic" # quoted\n',
    '[[closed]]\nday = 2026-12-24\n\n[[closed]]\nday = 2026-12-25\n[closed.why]\nname = "Christmas"\n',
    "[ 'odd' . \"names.with\" . dots ]\n\tx = 1\n",
    "# about nothing\n[empty]\n",
)
PBXS = (
    '[pbx.clinic] # mine\nurl = "https://192.0.2.10:8089" # 2nd floor\nuser = "a"\n# last words\n\n',
    "[pbx.\"clinic\"]\n'url' = 'u'\nfingerprint = \"AB\"\n",
    '[pbx.clinic]\nurl = "u"\n[pbx.clinic.names]\n1001 = "Anna"\n[[pbx.clinic.days]]\nday = 2026-12-24\n',
    '[pbx.clinic.names]\n1001 = "Anna"\n[pbx.clinic]\nuser = "a"\n',
    '[pbx]\nclinic.url = "u"\nclinic.hours.mon = "8"\n# last words\n',
    '[pbx]\nclinic = { url = "u", user = "a" } # in braces\n',
    '[pbx.north]\nurl = "v"\n# about the next one\n[pbx.clinic]\n',
    "[pbx]\n",
)
PBXS_ABOVE = (
    'pbx.clinic.url = "u"\npbx.clinic.user = "a" # dotted\n',
    'pbx = { clinic = { url = "u" } }\n',
    'pbx.clinic = { user = "a" }\n',
)
WORDS = st.sampled_from(["u", "https://192.0.2.11:8089", "quotes \" and \\ 'and' 🏥 = # [x]"])
VALUES = st.fixed_dictionaries(
    {"url": WORDS},  # `connect` always has an address to write
    optional={key: st.just("") | WORDS for key in ("user", "fingerprint", "timezone")},
)
NAMES = st.sampled_from(["clinic", "north", "a.b-c_d"])
TRIED = {"documents": 0}


@st.composite
def documents(draw: st.DrawFn) -> str:
    above = draw(st.permutations(ABOVE)).copy()[: draw(st.integers(0, len(ABOVE)))]
    tables = draw(st.permutations(TABLES)).copy()[: draw(st.integers(0, len(TABLES)))]
    if draw(st.booleans()):
        above.insert(draw(st.integers(0, len(above))), draw(st.sampled_from(PBXS_ABOVE)))
    elif draw(st.booleans()):
        tables.insert(draw(st.integers(0, len(tables))), draw(st.sampled_from(PBXS)))
    text = "".join(above + tables)
    text = text.removesuffix("\n") if draw(st.booleans()) else text
    text = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return "\ufeff" * draw(st.booleans()) + text


def said(text: str) -> dict[str, Any]:
    """What a document says, numbers with a point as they are written: nan is then itself."""
    return tomllib.loads(text.removeprefix("\ufeff"), parse_float=str)


def check(file: Path, text: str, pbx: str, values: dict[str, str]) -> None:
    """Save, and compare with the document in which a plain loop has set the values."""
    TRIED["documents"] += 1
    file.write_bytes(text.encode())
    change_settings(file, pbx, values)
    new = file.read_bytes().decode()
    expected = said(text)
    table = expected.setdefault("pbx", {}).setdefault(pbx, {})
    for key, value in values.items():
        table.pop(key, None)
        if value:
            table[key] = value
    assert said(new) == expected
    assert new.startswith("\ufeff") == text.startswith("\ufeff")
    if "\n" in text:
        assert bool(re.search(r"(?<!\r)\n", new)) == bool(re.search(r"(?<!\r)\n", text))
    # lines that hold none of the values stay, in their order
    kept = [line for line in text.splitlines() if not re.search("url|user|fingerprint|timezone|pbx", line)]
    lines = iter(new.splitlines())
    assert all(any(line == other for other in lines) for line in kept)
    comments = re.findall(r"# (?:mine|2nd floor|last words|about[ a-z]*|the server|quoted|closed|in braces)", text)
    gone = 1 if values.get("url") == "" else 0  # the remark beside a line that was dropped goes with it
    assert sum(new.count(comment) for comment in set(comments)) >= len(comments) - gone
    before = file.read_bytes()
    change_settings(file, pbx, values)
    assert file.read_bytes() == before


@examples(max_examples=80, deadline=None)
@given(text=documents(), pbx=NAMES, values=VALUES)
def test_a_save_changes_nothing_else(
    text: str, pbx: str, values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    check(tmp_path_factory.getbasetemp() / "any.toml", text, pbx, values)


LEAVES = (
    st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=8)
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.booleans()
    | st.dates(date(1, 1, 1))
    | st.times()
    | st.datetimes(timezones=st.sampled_from([None, UTC]))
)
TREES = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=4),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.'\" é", max_size=3), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=5,
)


def written(value: object) -> str:
    """A value as TOML, tables in braces."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case bool():
            return str(value).lower()
        case datetime() | date() | time():
            return value.isoformat()
        case dict():
            return (
                "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)} = {written(v)}" for k, v in value.items()) + "}"
            )
        case list():
            return f"[{', '.join(map(written, value))}]"
        case _:
            return repr(value)


@examples(max_examples=50, deadline=None)
@given(tree=TREES, pbx=NAMES, values=VALUES)
def test_a_save_keeps_any_value(
    tree: dict[str, Any], pbx: str, values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tree.pop("pbx", None)
    lines = [f"{json.dumps(key, ensure_ascii=False)} = {written(value)}\n" for key, value in tree.items()]
    check(tmp_path_factory.getbasetemp() / "tree.toml", "".join(lines) + "[pbx.clinic]\nurl = 'u'\n", pbx, values)


def test_documents_tried(tmp_path: Path) -> None:
    for block in (*PBXS, *PBXS_ABOVE):
        for pbx in ("clinic", "north", "a.b-c_d"):
            for values in ({"url": "https://192.0.2.11:8089", "user": ""}, {"timezone": "Europe/Berlin"}, {}):
                check(tmp_path / "config.toml", block, pbx, values)
    print(f"documents saved: {TRIED['documents']}")


def test_tables_stay_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    text = '[pbx.a]\nurl = "u"\n[[closed]]\nday = 2026-12-24\n# about b\n[pbx.b]\nurl = "u" # 2nd\n[mail]\n'
    file.write_text(text)
    change_settings(file, "b", {"url": "v"})
    assert file.read_text() == text.replace('"u" # 2nd', '"v" # 2nd')
    file.write_bytes(b"# mine\r\n[pbx.b]")  # an end of line only above the table
    change_settings(file, "b", {"url": "v"})
    assert file.read_bytes() == b'# mine\r\n[pbx.b]\r\nurl = "v"\r\n'


def test_who_may_read_the_file_stays_and_a_new_one_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    change_settings(file, "clinic", {"url": "u"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    change_settings(file, "clinic", {"url": "v"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [entry.name for entry in file.parent.iterdir()] == ["config.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.toml").write_text("# mine\n")
    link = tmp_path / "config.toml"
    link.symlink_to("kept/mine.toml")
    change_settings(link, "clinic", {"url": "u"})
    assert link.is_symlink()
    assert (tmp_path / "kept" / "mine.toml").read_text() == '# mine\n\n[pbx.clinic]\nurl = "u"\n'


@pytest.mark.parametrize(
    "content",
    [
        b"[pbx",
        b"[pbx.clinic]\nurl = \xff",
        "﻿﻿a = 1".encode(),
        "data = 1".encode("utf-16"),
        b"a = 1\na = 2",
        b"a = " + b"[" * 100_000,
        b"a = 1" + b"0" * 5_000,
        b"pbx = 5",
        b"[pbx]\nclinic = 5",
        b"[[pbx]]\nurl = 'u'",
    ],
)
def test_a_file_that_cannot_be_changed_is_not_touched(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(SettingError, match="settings file") as caught:
        change_settings(file, "clinic", {"url": "u"})
    assert caught.value.hint
    assert file.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.toml"]


def test_what_a_library_gets_wrong_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text("# mine\n")
    monkeypatch.setattr(settings_file, "_appended", lambda text, *_: text)
    monkeypatch.setattr(settings_file, "_edited", lambda text, *_: f"{text}[pbx.clinic]\nurl = 'v'\n")
    with pytest.raises(SettingError, match="cannot be changed here") as caught:
        change_settings(file, "clinic", {"url": "u"})
    assert "[pbx.clinic]" in caught.value.hint
    assert file.read_text() == "# mine\n"


def test_a_full_disk_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text("# mine\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingError, match="No space left"):
        change_settings(file, "clinic", {"url": "u"})
    assert file.read_text() == "# mine\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.toml"]


def test_links_in_a_circle_and_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path in (tmp_path / "a", tmp_path):
        with pytest.raises(SettingError, match="cannot read the settings file"):
            read_settings(path)
