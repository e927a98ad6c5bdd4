"""Who may ask: users, challenges, cookies, lock-outs, bursts."""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Literal

CookieTimeout = Literal["absolute", "sliding"]

COOKIE_LIFETIME_S: Final = 600.0
ALL: Final = None
"""Permissions of a user who may run every action."""


@dataclass(frozen=True, slots=True)
class User:
    """An API user.

    Attributes
    ----------
    password : str
        Not shown in the repr.
    permissions : frozenset of str, optional
        Actions that the user may run; None means all of them.
    """

    password: str = field(repr=False)
    permissions: frozenset[str] | None = None

    def may(self, action: str) -> bool:
        """Whether the user may run an action."""
        return self.permissions is None or action in self.permissions


@dataclass(frozen=True, slots=True)
class LoginRules:
    """When the PBX locks an address out.

    Attributes
    ----------
    attempts : int
        Wrong logins in a row that lock the address (-68); as many tries again while it is locked make
        the PBX forbid it (-70), for another `lock_s`.
    lock_s : float
        How long a lock lasts [s].
    """

    attempts: int = 5
    lock_s: float = 300.0


@dataclass(slots=True)
class _Session:
    user: str
    used_at: float


@dataclass(slots=True)
class _Address:
    wrong: int = 0
    tries_locked: int = 0
    locked_until: float = 0.0
    status: int = -68


class Refused(Exception):
    """A request that the PBX answers with a return code."""

    def __init__(self, status: int, response: Mapping[str, int | str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.response = dict(response or {})


class Access:
    """Logins and cookies of one PBX."""

    def __init__(
        self,
        users: Mapping[str, User],
        *,
        clock: Callable[[], float],
        timeout: CookieTimeout,
        lifetime_s: float,
        rules: LoginRules,
    ) -> None:
        self.users = dict(users)
        self._clock = clock
        self._timeout = timeout
        self._lifetime_s = lifetime_s
        self._rules = rules
        self._random = random.Random()
        self._lock = Lock()
        self._challenges: dict[str, str] = {}
        self._sessions: dict[str, _Session] = {}
        self._addresses: dict[str, _Address] = {}

    def challenge(self, user: str, address: str) -> str:
        """Give a user a new challenge, 16 digits, in place of an older one.

        Raises
        ------
        Refused
            -71 for an unknown user, -68 or -70 for a locked address.
        """
        with self._lock:
            self._check_lock(address, counts=False)
            if user not in self.users:
                raise Refused(-71)
            challenge = f"{self._random.randrange(10**10):016d}"
            self._challenges[user] = challenge
            return challenge

    def login(self, user: str, token: str, address: str) -> str:
        """Check a token against the user's challenge, which is used up, and open a session.

        Raises
        ------
        Refused
            -37 for a wrong token, -71 for an unknown user, -68 or -70 for a locked address.
        """
        with self._lock:
            self._check_lock(address, counts=True)
            if user not in self.users:
                raise Refused(-71)
            challenge = self._challenges.pop(user, None)
            if challenge is None or token != token_of(challenge, self.users[user].password):
                raise Refused(-37, self._wrong(address))
            self._addresses.pop(address, None)
            now = self._clock()
            cookie = f"sid{self._random.randrange(10**8, 2**31)}-{int(now)}"
            self._sessions[cookie] = _Session(user, now)
            return cookie

    def logout(self, cookie: str) -> None:
        """Close a session."""
        with self._lock:
            self._sessions.pop(cookie, None)

    def user_of(self, cookie: str) -> User:
        """User of a valid cookie.

        Raises
        ------
        Refused
            -5 without a cookie, -6 for one that is unknown or too old.
        """
        if not cookie:
            raise Refused(-5)
        with self._lock:
            session = self._sessions.get(cookie)
            now = self._clock()
            if session is None or now - session.used_at >= self._lifetime_s:
                self._sessions.pop(cookie, None)
                raise Refused(-6)
            if self._timeout == "sliding":
                session.used_at = now
            return self.users[session.user]

    def expire_sessions(self) -> None:
        """Forget every cookie."""
        with self._lock:
            self._sessions.clear()

    def _check_lock(self, address: str, *, counts: bool) -> None:
        state = self._addresses.get(address)
        now = self._clock()
        if state is None or state.locked_until <= now:
            if state is not None and state.locked_until:
                del self._addresses[address]
            return
        if counts:
            state.tries_locked += 1
            if state.status == -68 and state.tries_locked >= self._rules.attempts:
                state.status = -70
                state.locked_until = now + self._rules.lock_s
        raise Refused(state.status, {"remain_num": 0, "remain_time": int(state.locked_until - now)})

    def _wrong(self, address: str) -> dict[str, int | str]:
        state = self._addresses.setdefault(address, _Address())
        state.wrong += 1
        left = max(self._rules.attempts - state.wrong, 0)
        if left == 0:
            state.locked_until = self._clock() + self._rules.lock_s
        return {"remain_num": left, "remain_time": 0 if left else int(self._rules.lock_s)}


class Bursts:
    """Refuses requests that come too fast: -45, and -57 from twice the allowed number on.

    Parameters
    ----------
    allowed : int
        Requests of one address within `window_s` [s].
    """

    def __init__(self, allowed: int, window_s: float, *, clock: Callable[[], float]) -> None:
        self._allowed = allowed
        self._window_s = window_s
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[str, deque[float]] = {}

    def check(self, address: str) -> None:
        """Count a request.

        Raises
        ------
        Refused
            -45 or -57.
        """
        with self._lock:
            now = self._clock()
            seen = self._seen.setdefault(address, deque())
            while seen and now - seen[0] >= self._window_s:
                seen.popleft()
            seen.append(now)
            if len(seen) > 2 * self._allowed:
                raise Refused(-57)
            if len(seen) > self._allowed:
                raise Refused(-45)


def token_of(challenge: str, password: str) -> str:
    """Login token: lower-case hex MD5 of challenge and password.

    >>> token_of("0000000891268968", "cdrapi123")
    'f6cbb7818d08cbcd09549a382a3f14f9'
    """
    return hashlib.md5((challenge + password).encode(), usedforsecurity=False).hexdigest()
