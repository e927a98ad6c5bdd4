"""Periodic reports by mail, each to each reader once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ucm_analytics.delivery.folder import alone
from ucm_analytics.delivery.manifest import read_manifest
from ucm_analytics.delivery.message import compose
from ucm_analytics.delivery.periodic import MAILED
from ucm_analytics.delivery.smtp import MailServer, send
from ucm_analytics.documents.files import write
from ucm_analytics.errors import NoData, SettingError, UCMError
from ucm_analytics.store.files import replace

if TYPE_CHECKING:
    from ucm_analytics.delivery.periodic import PeriodicReport


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
    unsure : tuple of str
        Addresses left out because a run was stopped while it handed the report in for them: it may have
        arrived or not.
    """

    to: tuple[str, ...]
    before: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """One line on who got it, and who had it."""
        return f"mailed to {', '.join(self.to) or 'nobody'}" + f"; had it: {', '.join(self.before)}" * bool(self.before)


class _Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mail: which data, when, to whom; `sending` until the server has answered."""

    data: str
    at: datetime
    to: list[str]
    sending: bool = False


def mail(
    delivered: PeriodicReport,
    server: MailServer,
    *,
    password: Callable[[], str] | None = None,
    now: datetime | None = None,
    again: bool = False,
) -> Mailed:
    """Mail a periodic report to everybody who has not had it.

    Whom it was sent to is noted in `mailed.json` beside the report, so that a schedule may try
    several times. It is noted before the message is handed over and once more when the server has
    answered: a run that is stopped in between leaves a note that says so, and nobody gets it twice.

    Parameters
    ----------
    delivered : PeriodicReport
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
    with alone(delivered.folder.parent):
        return _mail(delivered, delivered.folder, server, password, now or datetime.now(UTC), again)


def _mail(
    delivered: PeriodicReport,
    folder: Path,
    server: MailServer,
    password: Callable[[], str] | None,
    now: datetime,
    again: bool,
) -> Mailed:
    data = read_manifest(folder).data
    notes = _notes(folder)
    about = [note for note in notes if note.data == data and not again]
    had = {address for note in about if not note.sending for address in note.to}
    stopped = {address for note in about if note.sending for address in note.to} - had
    before = tuple(address for address in server.to if address in had)
    unsure = tuple(address for address in server.to if address in stopped)
    to = tuple(address for address in server.to if address not in had | stopped)
    if not to:
        return Mailed((), before, unsure=unsure)
    message, left_out = compose(delivered, sender=server.sender, to=to, now=now)
    note = _Note(data, now, list(to), sending=True)
    try:
        refused = send(message, server, to=to, password=password, ready=lambda: _keep(folder, [*notes, note]))
    except UCMError:
        if _notes(folder) != notes:  # it was not handed in after all
            _keep(folder, notes)
        raise
    taken = tuple(address for address in to if address not in refused)
    _keep(folder, [*notes, _Note(data, now, list(taken))])
    return Mailed(taken, before, refused, tuple(left_out), unsure)


def _keep(folder: Path, notes: list[_Note]) -> None:
    """Replace the notes at once, so that they are still there after a power cut."""
    path = folder / MAILED
    try:
        if notes:
            text = msgspec.json.format(msgspec.json.encode(notes), indent=2) + b"\n"
            replace(write(folder / f".{MAILED}", text), path)
        else:
            path.unlink()
    except OSError as error:
        raise SettingError(f"cannot write {path} ({error.strerror})", hint="make the folder writable") from error


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
