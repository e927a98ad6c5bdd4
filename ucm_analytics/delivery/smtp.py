"""The site's own SMTP server: where it is, and how to hand a message in.

The password comes from `UCM_SMTP_PASSWORD` or the keyring, and crosses the network only inside TLS.
"""

from __future__ import annotations

import os
import re
import smtplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, get_args

from ucm_analytics.config import config_path
from ucm_analytics.errors import LoginRefused, SettingError, TLSError, UnexpectedAnswer, Unreachable
from ucm_analytics.settings_file import Kind, check_kinds, read_settings

Security = Literal["starttls", "ssl", "none"]
PORTS: Final[dict[Security, int]] = {"starttls": 587, "ssl": 465, "none": 25}
PASSWORD: Final = "UCM_SMTP_PASSWORD"  # noqa: S105 the name of the variable
_VARIABLES: Final = {
    "host": "UCM_SMTP_HOST",
    "port": "UCM_SMTP_PORT",
    "security": "UCM_SMTP_SECURITY",
    "user": "UCM_SMTP_USER",
    "sender": "UCM_SMTP_FROM",
    "ca": "UCM_SMTP_CA",
    "to": "UCM_MAIL_TO",
}
_KINDS: Final[dict[str, Kind]] = {**dict.fromkeys(_VARIABLES, "text"), "port": "number", "to": "texts"}
_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True)
class MailServer:
    """The site's SMTP server, and who gets the reports.

    In the settings file::

        [mail]
        host = "smtp.example.org"
        user = "reports"
        sender = "reports@example.org"
        to = ["manager@example.org"]

    Attributes
    ----------
    host : str
        Its name.
    port : int
        0 for the usual port: 587 with starttls, 465 with ssl, 25 with none.
    security : {'starttls', 'ssl', 'none'}
        How the connection is secured; `none` only for a server that wants no login.
    user : str
        For the login; empty for none.
    sender : str
        Address that the reports come from.
    to : tuple of str
        Addresses that get them.
    ca : str
        PEM file of the authority behind the server's certificate, if this computer does not know it.
    """

    host: str
    sender: str
    to: tuple[str, ...] = ()
    port: int = 0
    security: Security = "starttls"
    user: str = ""
    ca: str = ""

    def __post_init__(self) -> None:
        if self.security not in get_args(Security):
            raise SettingError(
                f"{self.security!r} is no way to secure a connection to a mail server",
                hint=f"use {', '.join(get_args(Security))} (UCM_SMTP_SECURITY)",
            )
        if self.security == "none" and self.user:
            raise SettingError(
                f"the password of {self.user!r} would cross the network unprotected",
                hint="use starttls or ssl, or leave the user empty if the server wants no login",
            )
        if not self.host:
            raise SettingError(
                "no mail server is named", hint="set UCM_SMTP_HOST, or host under [mail] in the settings"
            )
        try:
            self.host.encode("idna")
        except UnicodeError:
            raise SettingError(
                f"{self.host!r} is no name of a mail server", hint="write it as smtp.example.org (UCM_SMTP_HOST)"
            ) from None
        if not self.user.isascii():
            raise SettingError(
                f"the user {self.user!r} has letters that this way of login cannot carry",
                hint="take one with a name of ASCII characters (UCM_SMTP_USER)",
            )
        for address in (self.sender, *self.to):
            check_address(address)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port or PORTS[self.security]}"

    @classmethod
    def load(cls, *, to: Sequence[str] = ()) -> MailServer:
        """The mail server of the settings: file < environment < argument.

        Raises
        ------
        SettingError
            Something is missing or cannot be used.
        """
        values = _from_file(config_path())
        values |= {name: os.environ[variable] for name, variable in _VARIABLES.items() if os.environ.get(variable)}
        recipients = to or values.get("to") or ()
        if isinstance(recipients, str):
            recipients = recipients.split(",")
        port = str(values.get("port", 0))
        if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
            raise SettingError(f"{port!r} is no port", hint="write a number such as 587 (UCM_SMTP_PORT)")
        return cls(
            host=str(values.get("host", "")),
            sender=str(values.get("sender", "")),
            to=tuple(str(each).strip() for each in recipients),
            port=int(port),
            security=values.get("security", "starttls"),
            user=str(values.get("user", "")),
            ca=str(values.get("ca", "")),
        )


def smtp_password(server: MailServer) -> str:
    """Password of the mail server's user, from `UCM_SMTP_PASSWORD` or the keyring.

    Raises
    ------
    SettingError
        It is in neither.
    """
    if known := os.environ.get(PASSWORD):
        return known
    found = None
    with suppress(ImportError):
        import keyring
        from keyring.errors import KeyringError

        with suppress(KeyringError):
            found = keyring.get_password("ucm-analytics", f"smtp:{server.user}@{server.host}")
    if not found:
        raise SettingError(
            f"there is no password for {server.user!r} at the mail server {server.host}",
            hint=f"set {PASSWORD}, or keep it in the keyring: keyring set ucm-analytics "
            f'"smtp:{server.user}@{server.host}"',
        )
    return found


def send(
    message: EmailMessage,
    server: MailServer,
    *,
    to: Sequence[str],
    password: Callable[[], str] | None = None,
    ready: Callable[[], object] = lambda: None,
) -> dict[str, str]:
    """Hand a message in at the server.

    `ready` is called when the server has let us in, just before the message is handed over.

    Returns
    -------
    dict
        Addresses that the server did not take while it took others, with its reason.

    Raises
    ------
    SettingError, Unreachable, TLSError, LoginRefused, UnexpectedAnswer
        As for `mail`.
    """
    secret = (password() if password else smtp_password(server)) if server.user else ""
    if not secret.isascii():
        raise SettingError(
            f"the password of {server.user!r} has letters that this way of login cannot carry",
            hint="give the user a password of ASCII characters",
        )
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, secret)
            ready()
            refused = connection.send_message(message, from_addr=server.sender, to_addrs=list(to))
    except (smtplib.SMTPException, OSError) as error:
        _explain(error, server, secret)
    return {address: _said(reply, secret) for address, (_, reply) in refused.items()}


def _connected(server: MailServer) -> smtplib.SMTP:
    port = server.port or PORTS[server.security]
    if server.security == "ssl":
        return smtplib.SMTP_SSL(server.host, port, timeout=_TIMEOUT_S, context=_context(server))
    connection = smtplib.SMTP(server.host, port, timeout=_TIMEOUT_S)
    try:
        if server.security == "starttls":
            connection.starttls(context=_context(server))
    except BaseException:
        connection.close()
        raise
    return connection


def _context(server: MailServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.ca or None)
    except OSError as error:
        raise SettingError(
            f"cannot read the authority of the mail server {server.ca} ({error.strerror})",
            hint="name a PEM file (UCM_SMTP_CA)",
        ) from error


def _explain(error: Exception, server: MailServer, secret: str) -> NoReturn:
    """Say in the reader's words what went wrong; the cause is left out, because it may hold what was sent."""
    place = f"the mail server {server.address}"
    match error:
        case ssl.SSLCertVerificationError():
            raise TLSError(
                f"the certificate of {place} is not trusted ({error.verify_message})",
                hint="name the PEM file of its authority: UCM_SMTP_CA, or ca under [mail]",
            ) from None
        case ssl.SSLError():
            raise TLSError(
                f"{place} does not speak TLS on this port", hint="use starttls with port 587, or ssl with port 465"
            ) from None
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            raise LoginRefused(
                f"{place} refused the login of {server.user!r} ({_said(error.smtp_error, secret)})",
                hint=f"check the user, and the password in {PASSWORD} or the keyring",
                status=code,
            ) from None
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            reasons = "; ".join(f"{address}: {_said(reply, secret)}" for address, (_, reply) in refused.items())
            raise SettingError(f"{place} refused every address ({reasons})", hint="check the addresses") from None
        case smtplib.SMTPSenderRefused(smtp_code=code):
            raise SettingError(
                f"{place} refused the sender {server.sender} ({code} {_said(error.smtp_error, secret)})",
                hint="use an address that it lets this user send from (UCM_SMTP_FROM), or set a user (UCM_SMTP_USER)",
            ) from None
        case smtplib.SMTPNotSupportedError() if server.user and "AUTH" in str(error):
            raise SettingError(f"{place} takes no login", hint="leave the user empty (UCM_SMTP_USER)") from None
        case smtplib.SMTPNotSupportedError():
            raise TLSError(
                f"{place} offers no STARTTLS", hint="use ssl with port 465, or another server (UCM_SMTP_SECURITY)"
            ) from None
        case smtplib.SMTPResponseException(smtp_code=code):
            raise UnexpectedAnswer(
                f"{place} did not take the mail ({code} {_said(error.smtp_error, secret)})",
                hint="ask who runs it; a mail may be too large for it",
                status=code,
            ) from None
        case _:
            raise Unreachable(
                f"{place} does not answer ({_said(str(error), secret) or type(error).__name__})",
                hint="check its name and port (UCM_SMTP_HOST, UCM_SMTP_PORT), the network, and starttls or ssl",
            ) from None


def _said(reply: bytes | str, secret: str) -> str:
    """What a server said, on one line, without the password if it should be in there."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    text = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    return text.replace(secret, "***") if secret else text


def check_address(address: str) -> None:
    """Refuse what is no plain mail address.

    Raises
    ------
    SettingError
        It is none, or it could steer a header.
    """
    if not re.fullmatch(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+", address) or not address.isascii():
        raise SettingError(f"{address!r} is no mail address", hint="write it as name@example.org")


def _from_file(path: Path) -> dict[str, Any]:
    table = read_settings(path).get("mail", {})
    if not isinstance(table, dict) or not set(table) <= set(_VARIABLES):
        raise SettingError(
            f"[mail] in the settings file {path} is not understood", hint=f"it may hold {', '.join(_VARIABLES)}"
        )
    check_kinds(f"[mail] in the settings file {path}", table, _KINDS)
    return dict(table)
