"""Faults that can be switched on by name, each for chosen requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ucm_analytics.errors import SettingError

FAULTS: Final[dict[str, int]] = {
    "expire-cookie": 1,
    "reset": 1,
    "http-500": 1,
    "html": 1,
    "slow": 1,
    "truncated": 1,
    "repeat-page": 0,
    "drift": 0,
    "clock-jump": 1,
}
"""Names, and how many requests go through unharmed before the fault fires once.

``expire-cookie``: every cookie is forgotten. ``reset``: the connection is reset in the middle of the body.
``http-500``: status 500. ``html``: the login page instead of JSON. ``slow``: the answer waits.
``truncated``: the JSON ends in its middle. ``repeat-page``: a request with an offset gets the page before
again. ``drift``: a record that a first page did not show stands before the others when the next page is
asked. ``clock-jump``: the PBX's clock goes forward by an hour.

The requests counted are those of `cdrapi`; for ``repeat-page`` those with an offset, for ``drift`` those
without one that match two records or more.
"""


@dataclass(slots=True)
class _Armed:
    after: int
    times: int | None
    action: str | None


class Faults:
    """The faults of one simulator.

    Parameters
    ----------
    names : iterable of str
        Faults to arm as `FAULTS` says: once.

    Raises
    ------
    SettingError
        There is no fault of this name.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._armed: dict[str, _Armed] = {}
        for name in names:
            self.arm(name)

    def arm(self, name: str, *, after: int | None = None, times: int | None = 1, action: str | None = "cdrapi") -> None:
        """Let a fault fire on the `times` requests that come after the next `after` ones.

        Parameters
        ----------
        after : int, optional
            Requests that go through unharmed, counted from now; as `FAULTS` says if not given.
        times : int, optional
            How often it fires; None means on every request from then on.
        action : str, optional
            The action whose requests count; None means any.
        """
        if name not in FAULTS:
            raise SettingError(f"no fault is called {name!r}", hint=f"choose from {', '.join(FAULTS)}")
        with self._lock:
            self._armed[name] = _Armed(FAULTS[name] if after is None else after, times, action)

    def disarm(self, name: str) -> None:
        """Switch a fault off."""
        with self._lock:
            self._armed.pop(name, None)

    def fires(self, name: str, action: str) -> bool:
        """Count a request; whether the fault fires on it."""
        with self._lock:
            armed = self._armed.get(name)
            if armed is None or armed.action not in (None, action):
                return False
            if armed.after > 0:
                armed.after -= 1
                return False
            if armed.times is not None:
                armed.times -= 1
                if armed.times <= 0:
                    del self._armed[name]
            return True
