"""One day on the PBX's wall clock: its instants, and how they are written in call records."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ucm_analytics.errors import SettingError

_DAY_S: Final = 86_400


@cache
def _date_text(days: int) -> str:
    return f"{date(1970, 1, 1) + timedelta(days=days)} "


@cache
def _time_text(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingError(f"{name!r} is no time zone", hint="write an IANA name such as Europe/Berlin") from error


class WallClock:
    """The wall clock of one day and the day after it.

    Parameters
    ----------
    timezone : str
        IANA name of the zone.
    day : datetime.date
        The day.

    Attributes
    ----------
    begin, end : float
        Epoch [s] of the first instant of the day and of the next day.
    switch : float or None
        Epoch [s] of a clock change within the two days.

    Raises
    ------
    SettingError
        The zone is unknown.
    """

    def __init__(self, timezone: str, day: date) -> None:
        zone = _zone(timezone)
        self.day = day
        self.begin = datetime.combine(day, datetime.min.time(), zone).timestamp()
        self.end = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone).timestamp()

        def offset(epoch: float) -> int:
            shift = datetime.fromtimestamp(epoch, zone).utcoffset()
            return int(shift.total_seconds()) if shift else 0

        self._before = offset(self.begin)
        self._after = offset(self.end + _DAY_S)
        self.switch: float | None = None
        if self._before != self._after:
            low, high = int(self.begin), int(self.end) + _DAY_S
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == self._before else (low, middle)
            self.switch = float(high)

    def _local(self, epoch: float) -> int:
        shift = self._before if self.switch is None or epoch < self.switch else self._after
        return int(epoch) + shift

    def text(self, epoch: float) -> str:
        """Wall time of an instant as call records show it, ``YYYY-MM-DD HH:MM:SS``."""
        days, seconds = divmod(self._local(epoch), _DAY_S)
        return _date_text(days) + _time_text(seconds)

    def wall(self, epoch: float) -> datetime:
        """Naive wall time of an instant, whole seconds."""
        return datetime.fromtimestamp(self._local(epoch), UTC).replace(tzinfo=None)

    def hour(self, epoch: float) -> float:
        """Hours since midnight on the wall clock; 24 and more on the next day."""
        days, seconds = divmod(self._local(epoch), _DAY_S)
        return (days - (self.day - date(1970, 1, 1)).days) * 24 + seconds / 3600
