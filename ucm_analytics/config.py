"""Settings: defaults < file < environment < argument, and where each value came from.

The file is TOML, one table a PBX; `ucm-analytics connect` writes it. It never holds a password.
`data`, the folder of all PBXs, and `reports`, the folder of one's own reports, stand above the
tables; `[mail]` names the mail server (see `delivery.smtp`). `locale`, how numbers and dates are
written, and `tariff`, the file of what minutes cost, stand above the tables too; in the table of a PBX
they are for that one. So do the four that say what callers in queues are promised: here that 90 % of those who
were answered or gave up are answered within 30 s, and that a caller who leaves within 10 s does not count as
one who gave up::

    data = "/srv/calls"
    reports = "/srv/reports"
    locale = "de_DE"
    tariff = "/srv/tariff.csv"
    service_level = "sl_f3"
    target_s = 30
    target_level = 0.9
    short_s = 10

    [pbx.clinic]
    url = "https://192.0.2.10:8089"
    user = "cdrapi"
    fingerprint = "AB:CD:..."
    timezone = "Europe/Berlin"
    country = "DE"

`serial` in the table of a PBX is the serial number that `connect` has seen there: by it another PBX is known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ucm_analytics.errors import SettingError
from ucm_analytics.metrics import SERVICE_LEVELS
from ucm_analytics.settings_file import Kind, change_settings, check_kinds, pbx_tables, read_settings

FIELDS = {
    "url": "UCM_URL",
    "user": "UCM_USER",
    "fingerprint": "UCM_FINGERPRINT",
    "ca": "UCM_CA",
    "timezone": "UCM_TIMEZONE",
    "country": "UCM_COUNTRY",
    "locale": "UCM_LOCALE",
    "tariff": "UCM_TARIFF",
    "service_level": "UCM_SERVICE_LEVEL",
    "target_s": "UCM_TARGET_S",
    "target_level": "UCM_TARGET_LEVEL",
    "short_s": "UCM_SHORT_S",
    "data": "UCM_DATA",
}
SHARED = ("locale", "tariff", "service_level", "target_s", "target_level", "short_s")
"""Written by a person only: above the tables for all PBXs, or in the table of one."""
_NUMBERS = ("target_s", "target_level", "short_s")
_KINDS: dict[str, Kind] = {key: "number" if key in _NUMBERS else "text" for key in (*FIELDS, "serial", "reports")}
OWN = ("url", "user", "fingerprint", "ca", "timezone", "country", "serial")
"""In the table of one PBX; `connect` writes them."""
DEFAULTS = {"user": "cdrapi", "data": "data/store"}


def config_path() -> Path:
    """Path of the settings file: `UCM_CONFIG`, else the user's configuration folder."""
    import platformdirs

    named = os.environ.get("UCM_CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("ucm-analytics")) / "config.toml"


def zone(name: str) -> ZoneInfo:
    """Time zone of an IANA name.

    Raises
    ------
    SettingError
        No such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingError(
            f"{name!r} is no time zone",
            hint="use an IANA name such as Europe/Berlin or America/New_York (UCM_TIMEZONE)",
        ) from None


def country_code(name: str) -> str:
    """Country of two letters, in capitals.

    Raises
    ------
    SettingError
        Not two letters.

    Examples
    --------
    >>> country_code("de")
    'DE'
    """
    if not re.fullmatch(r"[A-Za-z]{2}", name):
        raise SettingError(f"{name!r} is no country", hint="use its two letters, such as DE or US (UCM_COUNTRY)")
    return name.upper()


def data_folder() -> str:
    """Folder of the store: `UCM_DATA`, else `data` above the tables of the settings file, else ``data/store``.

    Raises
    ------
    SettingError
        The file is broken.
    """
    return os.environ.get(FIELDS["data"]) or _read(config_path()).data or DEFAULTS["data"]


def known_pbxs() -> dict[str, dict[str, str]]:
    """Tables of the PBXs in the settings file, by their names.

    Raises
    ------
    SettingError
        The file is broken.
    """
    return _read(config_path()).pbxs


def reports_folder() -> str:
    """Folder of one's own reports: `UCM_REPORTS`, else `reports` above the tables of the settings file, else empty.

    Raises
    ------
    SettingError
        The file is broken.
    """
    return os.environ.get("UCM_REPORTS") or str(_read(config_path()).others.get("reports", ""))


def reader_locale(pbx: str | None = None) -> str:
    """How readers of reports write numbers and dates, such as ``de_DE``; empty for 1,234.5 and 2026-03-09.

    `UCM_LOCALE`, else `locale` in the table of the PBX (of the only one, if none is named), else `locale` above the
    tables of the settings file.

    Raises
    ------
    SettingError
        The file is broken.
    """
    return _shared("locale", pbx)


def tariff_file(pbx: str | None = None) -> str:
    """File of what minutes cost; empty if there is none.

    `UCM_TARIFF`, else `tariff` in the table of the PBX (of the only one, if none is named), else `tariff` above the
    tables of the settings file.

    Raises
    ------
    SettingError
        The file is broken.
    """
    return _shared("tariff", pbx)


@dataclass(frozen=True)
class ServiceTarget:
    """What callers in queues are promised.

    Attributes
    ----------
    service_level : str
        Id of the formula that is the headline; one of `metrics.SERVICE_LEVELS`.
    target_s : int
        Wait within which a caller is to be answered [s].
    target_level : float
        Share of callers for whom that is to be so, 0-1.
    short_s : int
        Wait below which a caller who left did not give up [s].
    """

    service_level: str = "sl_f1"
    target_s: int = 20
    target_level: float = 0.8
    short_s: int = 5


def service_target(pbx: str | None = None) -> ServiceTarget:
    """What callers in queues are promised, by the settings of the PBX (of the only one, if none is named).

    Raises
    ------
    SettingError
        The file is broken, or a value is no such value.
    """
    values = {key: value for key in vars(ServiceTarget()) if (value := _shared(key, pbx))}
    if (formula := values.get("service_level", "sl_f1")) not in SERVICE_LEVELS:
        raise SettingError(
            f"service_level={formula!r} is no service level",
            hint=f"use one of {', '.join(SERVICE_LEVELS)} (UCM_SERVICE_LEVEL)",
        )
    return ServiceTarget(
        formula,
        int(_number("target_s", values, 20, most=3600)),
        _number("target_level", values, 0.8, most=0.999),
        int(_number("short_s", values, 5, most=3600)),
    )


def _number(key: str, values: Mapping[str, str], default: float, *, most: float) -> float:
    try:
        value = float(values.get(key, default))
    except ValueError:
        value = -1
    if not 0 < value <= most or (key.endswith("_s") and value != int(value)):
        raise SettingError(
            f"{key}={values[key]!r} cannot be used",
            hint=f"use a {'whole ' if key.endswith('_s') else ''}number above 0, up to {most:g} ({FIELDS[key]})",
        )
    return value


def _shared(key: str, pbx: str | None) -> str:
    file = _read(config_path())
    name = pbx or (next(iter(file.pbxs)) if len(file.pbxs) == 1 else "")
    return os.environ.get(FIELDS[key]) or file.pbxs.get(name, {}).get(key) or _text(file.others.get(key))


@dataclass(frozen=True)
class Settings:
    """Settings of one PBX.

    Attributes
    ----------
    pbx : str
        Name of the PBX; the folder of its data carries it.
    url, user, fingerprint, ca, timezone, country, locale, tariff, data : str
        Empty where nothing is set.
    serial : str
        Serial number of the PBX, as `connect` has seen it.
    service_level, target_s, target_level, short_s : str
        As they are written; `service_target` reads them.
    sources : dict
        For each field where its value came from.

    Examples
    --------
    >>> Settings("clinic", url="https://192.0.2.10:8089", timezone="Europe/Berlin").timezone
    'Europe/Berlin'
    """

    pbx: str
    url: str = ""
    user: str = ""
    fingerprint: str = ""
    ca: str = ""
    timezone: str = ""
    country: str = ""
    locale: str = ""
    tariff: str = ""
    service_level: str = ""
    target_s: str = ""
    target_level: str = ""
    short_s: str = ""
    data: str = ""
    serial: str = ""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, pbx: str | None = None, **arguments: str | None) -> Settings:
        """Settings of the PBX `pbx`, or of the only one in the file.

        Raises
        ------
        SettingError
            The file is broken, or it holds several PBXs and none was named.
        """
        path = config_path()
        file = _read(path)
        name = pbx or _only(file.pbxs, path)
        values: dict[str, str] = {}
        sources: dict[str, str] = {}
        layers: list[tuple[str, Mapping[str, str | None]]] = [
            ("default", DEFAULTS),
            (
                str(path),
                {"data": file.data} | {key: _text(file.others.get(key)) for key in SHARED} | file.pbxs.get(name, {}),
            ),
            ("environment", {key: os.environ.get(variable) for key, variable in FIELDS.items()}),
            ("argument", arguments),
        ]
        for source, layer in layers:
            for key, value in layer.items():
                if key in (*FIELDS, "serial") and value:
                    values[key], sources[key] = value, source
        if values.get("timezone"):
            zone(values["timezone"])
        if values.get("country"):
            values["country"] = country_code(values["country"])
        return cls(name, sources=sources, **values)

    def save(self) -> Path:
        """Write this PBX into the settings file; all else in it stays as it is written.

        Returns
        -------
        Path
            The file.
        """
        path = config_path()
        _read(path)
        values = {key: "" if self.sources.get(key) == "default" else str(getattr(self, key)) for key in OWN}
        change_settings(path, self.pbx, values)
        return path


def is_name(name: str) -> bool:
    """Whether a folder can carry the name of a PBX; see `check_name`."""
    # readers of partitioned folders take a name such as 100 for a number
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", name) is not None


def check_name(name: str) -> str:
    """The name of a PBX, if a folder can carry it.

    Raises
    ------
    SettingError
        No letter first, or other characters than letters, digits, dot, dash and underscore.
    """
    if not is_name(name):
        raise SettingError(
            f"{name!r} cannot name a PBX", hint="begin with a letter; use letters, digits, '.', '-' and '_' only"
        )
    return name


@dataclass(frozen=True)
class _File:
    data: str = ""
    pbxs: dict[str, dict[str, str]] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


def _read(path: Path) -> _File:
    content = read_settings(path)
    check_kinds(f"the settings file {path}", content, _KINDS)
    tables = pbx_tables(path, content)
    for name, table in tables.items():
        if "data" in table:
            raise SettingError(
                f"the settings file {path} names a data folder for PBX {name!r} alone",
                hint="one folder holds all PBXs: move the line `data = ...` above the first [pbx.NAME]",
            )
        check_kinds(f"[pbx.{name}] in the settings file {path}", table, _KINDS)
    pbxs = {name: {k: str(v) for k, v in table.items()} for name, table in tables.items()}
    others = {name: value for name, value in content.items() if name not in ("data", "pbx")}
    return _File(content.get("data", ""), pbxs, others)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _only(known: Mapping[str, object], path: Path) -> str:
    if len(known) > 1:
        raise SettingError(
            f"{path} holds several PBXs: {', '.join(sorted(known))}", hint="say which one with --pbx NAME"
        )
    return next(iter(known), "pbx")
