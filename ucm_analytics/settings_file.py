"""The settings file: TOML that a person writes too, so a change leaves everything else as it is.

What a change has made is read again before it is written: it says what it was to say, or the file stays as it was.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

Kind = Literal["text", "texts", "number"]

_BOM: Final = "\ufeff"
_EXPECTED: Final[dict[Kind, tuple[str, str]]] = {
    "text": ("text", 'in quotes on one line: {0} = "..."'),
    "texts": ("text or a list of texts", 'in quotes: {0} = ["...", "..."]'),
    "number": ("a number", "without quotes: {0} = 20"),
}


def read_settings(path: Path) -> dict[str, Any]:
    """What the file says; nothing where there is none.

    Raises
    ------
    SettingError
        It cannot be read, or is no TOML.
    """
    return _parsed(path, _text(path))


def pbx_tables(path: Path, content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Tables of the PBXs in what a file says.

    Raises
    ------
    SettingError
        Something else stands in their place.
    """
    tables = content.setdefault("pbx", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise SettingError(f"the settings file {path} holds no [pbx.NAME] tables", hint="mend or delete it")
    return tables


def check_kinds(place: str, table: Mapping[str, object], kinds: Mapping[str, Kind]) -> None:
    """Refuse values of another kind than their keys have; other keys are not looked at.

    Parameters
    ----------
    place : str
        Where the table stands, for the message.
    table : mapping
        What it holds.
    kinds : mapping
        What is expected of each key.

    Raises
    ------
    SettingError
        Names the key, what it holds, and what is expected.

    Examples
    --------
    >>> check_kinds("[mail] in the settings file config.toml", {"host": 5}, {"host": "text"})
    Traceback (most recent call last):
    ...
    ucm_analytics.errors.SettingError: host of [mail] in the settings file config.toml is a number, not text: write ...
    """
    for key, kind in kinds.items():
        if key in table and not _is(table[key], kind):
            expected, example = _EXPECTED[kind]
            raise SettingError(
                f"{key} of {place} is {_named(table[key])}, not {expected}", hint=f"write it {example.format(key)}"
            )


def change_settings(path: Path, pbx: str, values: Mapping[str, str]) -> None:
    """Set keys of the table of a PBX, and drop those whose value is empty; all else stays as it is written.

    Raises
    ------
    SettingError
        The file cannot be read, changed or written; it is as it was.
    """
    text = _text(path)
    wanted = _parsed(path, text, parse_float=str)
    table = pbx_tables(path, wanted).setdefault(pbx, {})
    for key, value in values.items():
        if value:
            table[key] = value
        else:
            table.pop(key, None)
    for change in (_appended, _edited_alone, _edited):
        try:
            new = change(text, pbx, values)
            same = tomllib.loads(new.removeprefix(_BOM), parse_float=str) == wanted
        except (ValueError, LookupError, TypeError, AttributeError):  # what tomlkit and tomllib say of what cannot be
            continue
        if same:
            _write(path, new)
            return
    raise SettingError(
        f"the settings file {path} is written in a way that cannot be changed here",
        hint=f"write PBX {pbx!r} as a table of its own: [pbx.{pbx}]",
    )


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _parsed(path: Path, text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    try:
        # an editor of Windows begins a file with a mark of its encoding
        return tomllib.loads(text.removeprefix(_BOM), parse_float=parse_float)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SettingError:
    return SettingError(f"cannot read the settings file {path} ({error})", hint="mend or delete it")


def _is(value: object, kind: Kind) -> bool:
    if isinstance(value, str):
        return not re.search(r"[\x00-\x1f\x7f]", value)
    if kind == "texts":
        return isinstance(value, list) and all(isinstance(each, str) and _is(each, "text") for each in value)
    return kind == "number" and isinstance(value, int | float) and not isinstance(value, bool)


def _named(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text with control characters"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _appended(text: str, pbx: str, values: Mapping[str, str]) -> str:
    """The file with a new table at its end, where no comment of another one comes to stand over it."""
    import tomlkit

    table = {"pbx": {pbx: {key: value for key, value in values.items() if value}}}
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return _with_line_ends(text + gap + tomlkit.dumps(table), text)


def _edited_alone(text: str, pbx: str, values: Mapping[str, str]) -> str:
    """The file with the keys changed in the lines of the table, which are all that is looked at."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    heads = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    for first, after in zip(heads, [*heads[1:], len(lines)], strict=True):
        if _opens(lines[first], pbx):
            table = _edited("".join(lines[first:after]), pbx, values)
            return _with_line_ends("".join([*lines[:first], table, *lines[after:]]), text)
    raise LookupError(pbx)


def _opens(line: str, pbx: str) -> bool:
    try:
        return tomllib.loads(line) == {"pbx": {pbx: {}}}
    except ValueError:
        return False


def _edited(text: str, pbx: str, values: Mapping[str, str]) -> str:
    """The file with the keys changed where the table stands."""
    import tomlkit
    from tomlkit.items import Table

    mark = _BOM if text.startswith(_BOM) else ""
    document = tomlkit.parse(text.removeprefix(_BOM))
    table = _table(document, pbx)
    body = table.value.body if isinstance(table, Table) else []
    # comments at the end are mostly those of the next table
    end = len(body) - len(list(takewhile(lambda entry: entry[0] is None, reversed(body))))
    rest = body[end:]
    del body[end:]
    for key, value in values.items():
        if value and table.get(key) != value:
            table[key] = value
        elif not value:
            table.pop(key, None)
    body += rest
    return _with_line_ends(mark + tomlkit.dumps(document), text)


def _table(document: TOMLDocument, pbx: str) -> Any:
    """Table of the PBX, made in the table of all where that is written in braces."""
    import tomlkit

    tables: Any = document["pbx"]
    if pbx not in tables:
        tables[pbx] = tomlkit.inline_table()
    return tables[pbx]


def _with_line_ends(new: str, old: str) -> str:
    """Lines end as they did, if all of them ended as on Windows."""
    windows = "\r\n" in old and not re.search(r"(?<!\r)\n", old)
    return re.sub(r"(?<!\r)\n", "\r\n", new) if windows else new


def _write(path: Path, text: str) -> None:
    """Replace the file, or the one that a link points to, at once; who may read it stays."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path = path.resolve()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(descriptor)
        if path.exists():
            before = path.stat()
            Path(temporary).chmod(stat.S_IMODE(before.st_mode))
            with suppress(AttributeError, PermissionError):  # no owners on Windows; only root gives files away
                os.chown(temporary, before.st_uid, before.st_gid)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise SettingError(
            f"cannot write the settings file {path} ({error.strerror})",
            hint="make the folder writable or set UCM_CONFIG to another file",
        ) from error
