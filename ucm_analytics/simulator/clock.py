"""The PBX's clock."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Epoch [s] of another clock, and what it has jumped by since.

    Parameters
    ----------
    base : callable
        Epoch [s].
    """

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self._ahead_s = 0.0

    def __call__(self) -> float:
        return self._base() + self._ahead_s

    def jump(self, seconds: float) -> None:
        """Go forward, or back."""
        self._ahead_s += seconds
