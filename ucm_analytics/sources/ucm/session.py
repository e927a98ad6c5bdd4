"""A session with one PBX: challenge, login, cookie, retries; one request at a time."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from ucm_analytics.errors import (
    APIError,
    Busy,
    LockedOut,
    LoginRefused,
    SessionExpired,
    SettingError,
    UCMError,
    UnexpectedAnswer,
)
from ucm_analytics.sources.ucm.address import Address
from ucm_analytics.sources.ucm.codes import API_PAGE, CODES, HTTP_PAGE, number, raise_for
from ucm_analytics.sources.ucm.page import excerpt, loads
from ucm_analytics.sources.ucm.transport import Broken, Transport

log = logging.getLogger(__name__)

T = TypeVar("T")

_SHORT: Final = 4096
"""An answer that is a return code is shorter than this many bytes."""


@dataclass(frozen=True)
class Retries:
    """How often, and after what wait, a request is repeated.

    Attributes
    ----------
    attempts : int
        Requests at most, the first included.
    backoff_s : float
        Wait after the first failed connection [s]; doubled each time.
    jitter : float
        Share by which waits vary at random, so that several clients do not return together.
    """

    attempts: int = 4
    backoff_s: float = 1.0
    jitter: float = 0.25

    def wait_s(self, attempt: int, least_s: float = 0.0) -> float:
        """Seconds to wait after the given attempt, 1 being the first."""
        wait = least_s or self.backoff_s * 2 ** (attempt - 1)
        return wait * (1 + random.uniform(0, self.jitter))


class Session:
    """The HTTPS API of one PBX.

    Logs in when the first action needs it, and again when the PBX has forgotten the session. A
    password that the PBX refused is never sent a second time, for it locks the address out.

    Parameters
    ----------
    url : str
        ``192.0.2.10``, ``192.0.2.10:8089`` or ``https://192.0.2.10:8089``.
    user : str
        API user.
    password : str or callable
        Its password, or what gives it when it is needed.
    fingerprint : str, optional
        SHA-256 fingerprint of the PBX's certificate: this one is accepted, no other.
    ca : str or path, optional
        File of the authorities that may have signed the certificate; the system's if neither
        this nor `fingerprint` is given.
    legacy_tls : bool
        Accept the weak Diffie-Hellman group of UCM62xx units.
    timeout : tuple of float
        Longest wait for the connection, and longest silence while the PBX answers [s]; a whole answer
        may take three times as long as the latter.
    retries : Retries
        Policy for failed connections and for a PBX that is busy.

    Attributes
    ----------
    sleep : callable
        What waits; replaced where nothing may wait.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str | Callable[[], str],
        *,
        fingerprint: str | None = None,
        ca: str | Path | None = None,
        legacy_tls: bool = False,
        timeout: tuple[float, float] = (10.0, 120.0),
        retries: Retries | None = None,
    ) -> None:
        self.address = Address.of(url)
        self.user = user
        self.retries = retries or Retries()
        self.sleep: Callable[[float], object] = time.sleep
        self.time_filter_proved = False
        self._password = password
        self._cookie: str | None = None
        self._refused: APIError | None = None
        self._lock = threading.RLock()
        self._transport = Transport(
            self.address, fingerprint=fingerprint, ca=ca, legacy_tls=legacy_tls, timeout=timeout
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.address)!r}, user={self.user!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out, if logged in, and close the connection."""
        try:
            self.logout()
        except UCMError as failure:
            # The session ends by itself after ten minutes; what happened in it matters more.
            log.debug("logout from %s failed: %s", self.address, type(failure).__name__)
        finally:
            self._transport.close()

    def request(self, action: str, **params: Any) -> dict[str, Any]:
        """Answer of an action as an object.

        Parameters
        ----------
        action : str
            Name of the action, such as ``listAccount``.
        **params
            Its parameters.

        Returns
        -------
        dict
            The answer's `response`, or the whole answer where it has none.

        Raises
        ------
        APIError
            The PBX answered with a return code other than 0.
        Unreachable, TLSError, UnexpectedAnswer
            No answer, or not one of this API.
        """
        return self.ask(lambda body: self._object(action, body), action, **params)

    def raw(self, action: str, **params: Any) -> bytes:
        """Answer of an action as it came; for recordings and other formats than JSON.

        Parameters
        ----------
        action, **params
            As for `request`.

        Returns
        -------
        bytes
            The body of the answer.

        Raises
        ------
        APIError, Unreachable, TLSError, UnexpectedAnswer
            As for `request`; also when HTML comes.
        """
        return self.ask(bytes, action, **params)

    def ask(self, read: Callable[[bytes], T], action: str, **params: Any) -> T:
        """What a function makes of an action's answer; logs in once more if it has to.

        Parameters
        ----------
        read : callable
            Takes the body of the answer; what it raises as `UnexpectedAnswer` is asked for once more.
        action, **params
            As for `request`.

        Returns
        -------
        object
            What `read` returns.

        Raises
        ------
        APIError, Unreachable, TLSError, UnexpectedAnswer
            As for `request`, and what `read` raises.
        """
        with self._lock:
            self.login()
            try:
                return self._act(read, action, params)
            except (SessionExpired, UnexpectedAnswer) as error:
                log.debug("%s of %s: %s; logging in again", action, self.address, type(error).__name__)
            self._cookie = None
            self.login()
            return self._act(read, action, params)

    def challenge(self) -> str:
        """Ask for the challenge that the next login has to answer.

        Returns
        -------
        str
            The challenge.

        Raises
        ------
        APIError, Unreachable, TLSError, UnexpectedAnswer
            The API is off, or does not let this user or address in.
        """
        with self._lock:
            return self._patiently("challenge", self._challenge)

    def login(self) -> None:
        """Log in, unless a session is open.

        Raises
        ------
        LoginRefused, LockedOut
            User or password; once it was refused, without asking the PBX again.
        APIError, Unreachable, TLSError, UnexpectedAnswer
            As for `challenge`.
        """
        with self._lock:
            if self._refused is not None:
                raise type(self._refused)(
                    self._refused.message, hint=self._refused.hint, status=self._refused.status
                ) from None
            if self._cookie is not None:
                return
            try:
                self._cookie = self._patiently("login", self._login)
            except (LoginRefused, LockedOut) as error:
                self._refused = error
                raise
            log.debug("logged in to %s", self.address)

    def logout(self) -> None:
        """End the session, if one is open."""
        with self._lock:
            if self._cookie is None:
                return
            cookie, self._cookie = self._cookie, None
            try:
                self._once("logout", {"cookie": cookie})
            except Broken as error:
                raise error.told from error.__cause__

    def _challenge(self) -> str:
        return self._text("challenge", {"user": self.user, "version": "1.0"}, "challenge")

    def _login(self) -> str:
        # A challenge holds for one login: another try needs another one.
        challenge = self._challenge()
        if callable(self._password):
            self._password = self._password()
        if not self._password:
            raise SettingError(
                f"no password for user {self.user!r} of PBX {self.address}",
                hint="set UCM_PASSWORD, store it in the keyring, or answer the prompt",
            )
        # MD5 is the PBX's choice.
        token = md5((challenge + self._password).encode(), usedforsecurity=False).hexdigest()
        return self._text("login", {"user": self.user, "token": token, "url": self.address.url}, "cookie")

    def _act(self, read: Callable[[bytes], T], action: str, params: dict[str, Any]) -> T:
        request = params | {"cookie": self._cookie}
        return self._patiently(action, lambda: read(self._once(action, request)))

    def _patiently(self, action: str, ask: Callable[[], T]) -> T:
        """Repeat while the connection fails or the PBX asks to wait, as the policy allows."""
        for attempt in range(1, self.retries.attempts + 1):
            try:
                return ask()
            except Broken as error:
                if attempt == self.retries.attempts or not error.connected:
                    raise error.told from error.__cause__
                wait = self.retries.wait_s(attempt)
            except Busy as error:
                least_s = CODES[error.status].wait_s if error.status else 0.0
                if attempt == self.retries.attempts or not least_s:
                    raise
                wait = self.retries.wait_s(attempt, least_s)
            log.debug("%s of %s, attempt %d failed; again in %.1f s", action, self.address, attempt, wait)
            self.sleep(wait)
        raise SettingError("the policy for retries allows no request", hint="set attempts to 1 or more")

    def _once(self, action: str, params: dict[str, Any]) -> bytes:
        """Body of the answer to one request, which is no return code other than 0 and no HTML."""
        body = self._transport.post(action, params, in_session=self._cookie is not None)
        self._check_status(action, body)
        return body

    def _check_status(self, action: str, body: bytes) -> None:
        if len(body) > _SHORT or body.lstrip()[:1] != b"{":
            return
        try:
            answer = loads(body)
        except msgspec.DecodeError:
            return
        response = answer.get("response")
        # Where a refused login says how many tries are left differs: in `response`, or beside it.
        said = answer | response if isinstance(response, dict) else answer
        raise_for(number(answer.get("status")) or 0, action, said, str(self.address), self.user)

    def _object(self, action: str, body: bytes) -> dict[str, Any]:
        try:
            answer = loads(body)
        except msgspec.DecodeError:
            answer = None
        if not isinstance(answer, dict):
            raise UnexpectedAnswer(
                f"PBX {self.address} answered {action!r} with something that is no JSON object, "
                f"{self._shown(action, body)}",
                hint=f"check that the port is the web interface's under {HTTP_PAGE}",
            )
        response = answer.get("response", answer)
        return response if isinstance(response, dict) else answer

    def _text(self, action: str, params: dict[str, Any], name: str) -> str:
        """One value of the answer to challenge or login."""
        value = self._object(action, self._once(action, params)).get(name)
        if not isinstance(value, str) or not value:
            raise UnexpectedAnswer(
                f"PBX {self.address} answered {action!r} without a {name}",
                hint=f"check that this is a UCM63xx and that the API is enabled under {API_PAGE}",
            )
        return value

    def _shown(self, action: str, body: bytes) -> str:
        """An excerpt for a message; none of what may carry a challenge or a cookie."""
        return f"{len(body)} bytes" if action in ("challenge", "login") else f"beginning {excerpt(body)}"
