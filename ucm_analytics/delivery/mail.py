"""Periodic reports by mail, each to each reader once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ucm_analytics.delivery.manifest import read_manifest
from ucm_analytics.delivery.message import compose
from ucm_analytics.delivery.periodic import MAILED
from ucm_analytics.delivery.smtp import MailServer, send
from ucm_analytics.errors import NoData, SettingError
from ucm_analytics.reports._files import write

if TYPE_CHECKING:
    from ucm_analytics.delivery.periodic import Delivered


@dataclass(frozen=True)
class Mailed:
    """What became of a mail.

    Attributes
    ----------
    to : tuple of str
        Addresses that the server took it for.
    before : tuple of str
        Addresses that had been sent the same report earlier, and were left out.
    refused : dict
        Addresses that the server did not take, and its reason.
    left_out : tuple of str
        Files that were too large to attach; the mail names them.
    """

    to: tuple[str, ...]
    before: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


class _Note(msgspec.Struct):
    """One mail: which data, when, to whom."""

    data: str
    at: datetime
    to: list[str]


def mail(
    delivered: Delivered,
    server: MailServer,
    *,
    password: Callable[[], str] | None = None,
    now: datetime | None = None,
    again: bool = False,
) -> Mailed:
    """Mail a periodic report to everybody who has not had it.

    Whom it was sent to is noted in `mailed.json` beside the report, so that a schedule may try
    several times.

    Parameters
    ----------
    delivered : Delivered
        What `periodic` has made.
    server : MailServer
        Where to hand it in, and who gets it.
    password : callable, optional
        Gives the password; without it `smtp.smtp_password`.
    now : datetime, optional
        The time, with a zone, instead of this machine's clock.
    again : bool
        Send it to those too who have had it.

    Returns
    -------
    Mailed
        Who got it now, who had it, whom the server refused.

    Raises
    ------
    NoData
        The report was not made, because its days are not settled.
    SettingError
        Nobody is to get it, the server refuses everybody, or there is no password.
    Unreachable, TLSError, LoginRefused, UnexpectedAnswer
        The server does not answer, cannot be trusted, refuses the login, or refuses the mail.
    """
    if delivered.folder is None:
        raise NoData(delivered.line, hint="mail it when its days are settled")
    if not server.to:
        raise SettingError("nobody is named to get the report", hint="say --mail ADDRESS, or set UCM_MAIL_TO")
    now = now or datetime.now(UTC)
    data = read_manifest(delivered.folder).data
    notes = _notes(delivered.folder)
    had = {address for note in notes if note.data == data for address in note.to}
    before = () if again else tuple(address for address in server.to if address in had)
    to = tuple(address for address in server.to if address not in before)
    if not to:
        return Mailed((), before)
    message, left_out = compose(delivered, sender=server.sender, to=to, now=now)
    refused = send(message, server, to=to, password=password)
    taken = tuple(address for address in to if address not in refused)
    notes.append(_Note(data, now, list(taken)))
    write(delivered.folder / MAILED, msgspec.json.format(msgspec.json.encode(notes), indent=2) + b"\n")
    return Mailed(taken, before, refused, tuple(left_out))


def _notes(folder: Path) -> list[_Note]:
    path = folder / MAILED
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[_Note])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingError(
            f"cannot read {path} ({error})", hint="delete it; everybody then gets the report again"
        ) from error
