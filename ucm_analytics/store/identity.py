"""Whether the PBX that answers is the one whose calls are stored under a name.

Each day names the serial number of the PBX that it came from; the day that was pulled last says which one is meant.
"""

from __future__ import annotations

import logging
from datetime import date, datetime

from ucm_analytics.errors import DamagedFile, SettingError
from ucm_analytics.sources import Source
from ucm_analytics.store.months import Months

log = logging.getLogger(__name__)


def checked_serial(months: Months, source: Source, *, replaced: bool) -> str:
    """Serial number of the PBX; empty where it does not tell, and then nothing can be compared.

    Parameters
    ----------
    months : Months
        What is stored under the name.
    source : Source
        The PBX.
    replaced : bool
        Whether this PBX took the place of the one whose calls are stored.

    Raises
    ------
    SettingError
        It is another PBX.
    """
    serial = source.serial()
    known = stored_serial(months)
    if serial and known and serial != known and not replaced:
        raise SettingError(
            f"the PBX at {source.address} (serial number {serial}) is not the one "
            f"whose calls are stored as {months.pbx} (serial number {known})",
            hint="give it a name of its own: ucm-analytics connect URL --name NAME; "
            f"if it took the place of the other one: ucm-analytics sync --pbx {months.pbx} --replaced",
        )
    return serial


def stored_serial(months: Months) -> str:
    """Serial number that the day pulled last names, of those that name one; empty without any."""
    named: list[tuple[datetime, date, str]] = []
    for month in months.names():
        try:
            days = months.coverage([month])
        except DamagedFile as error:  # who needs the month says so
            log.debug("%s", error.message)
        else:
            named += [(known.pulled_at, day, known.serial) for day, known in days.items() if known.serial]
    return max(named)[-1] if named else ""
