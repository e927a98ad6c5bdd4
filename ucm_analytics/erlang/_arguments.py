"""The arguments of Erlang's formulas: numbers or arrays, checked."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ucm_analytics.errors import SettingError

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = float | Array
"""One number, or an array of them."""


def numbers(name: str, values: Any, *, zero: bool = True) -> Array:
    """Finite numbers, 0 or more, or more than 0."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all() or (array < 0).any() or (not zero and (array == 0).any()):
        raise SettingError(f"{name} cannot be {values!r}", hint=f"use {'0 or more' if zero else 'more than 0'}")
    return array


def whole(name: str, value: Any) -> None:
    """Refuse what is no whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise SettingError(f"{name} cannot be {value!r}", hint="use a whole number, 0 or more")


def share(name: str, value: float, *, zero: bool = False) -> None:
    """Refuse what is no share between 0 and 1."""
    if not (0 < value < 1 or (zero and value == 0)):
        raise SettingError(f"{name} cannot be {value!r}", hint="use a share between 0 and 1, such as 0.01")
