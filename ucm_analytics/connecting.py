"""Which PBX `connect` means, and whether it is the one that is known by this name."""

from __future__ import annotations

from collections.abc import Mapping

from ucm_analytics.config import check_name
from ucm_analytics.errors import SettingError, UCMError

Tables = Mapping[str, Mapping[str, str]]
"""What the settings say of each PBX."""


def name_of(url: str, name: str | None, known: Tables) -> str:
    """Name of the PBX at an address: the one that was said, else the one that is known there.

    Raises
    ------
    SettingError
        PBXs are known, and none or several of them at this address.

    Examples
    --------
    >>> name_of("192.0.2.10", None, {"clinic": {"url": "https://192.0.2.10:8089"}, "north": {}})
    'clinic'
    """
    if name:
        return check_name(name)
    if not known:
        return "pbx"
    here = [each for each, table in known.items() if _same_address(table.get("url", ""), url)]
    if len(here) != 1:
        listed = ", ".join(f"{each} at {table.get('url', 'no address')}" for each, table in sorted(known.items()))
        raise SettingError(
            f"{url} is {'the address of several PBXs' if here else 'a new address'}; known are {listed}",
            hint=f"give a new PBX a name of its own: ucm-analytics connect {url} --name NAME; "
            "or name the one that has moved there",
        )
    return here[0]


def check_same(name: str, known: Mapping[str, str], *, url: str, serial: str) -> None:
    """Refuse to write a PBX over another one.

    Parameters
    ----------
    name : str
        Name of the PBX.
    known : mapping
        What the settings say of it; empty for a new one.
    url, serial : str
        Address and serial number of the PBX that answers; the number is empty where it does not tell.

    Raises
    ------
    SettingError
        It has another serial number, or another address and none of the two numbers is there to compare.
    """
    before, was = known.get("serial", ""), known.get("url", "")
    hint = (
        f"give it a name of its own: ucm-analytics connect {url} --name NAME; "
        f"if it takes the place of {name}: ucm-analytics connect {url} --name {name} --replace"
    )
    if before and serial and before != serial:
        raise SettingError(
            f"the PBX at {url} (serial number {serial}) is not the one known as {name} "
            f"(serial number {before}, {was or 'no address'})",
            hint=hint,
        )
    if was and not _same_address(was, url) and not (before and serial):
        raise SettingError(
            f"{name} is known at {was}, and it cannot be told whether the PBX at {url} is the same one", hint=hint
        )


def _same_address(one: str, other: str) -> bool:
    from ucm_analytics.sources.ucm.address import Address

    try:
        return Address.of(one) == Address.of(other)
    except UCMError:
        return False
