"""One PBX as a source of legs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import partial

import pyarrow as pa

from ucm_analytics.errors import NotPermitted, RequestRejected, SettingError, UnexpectedAnswer
from ucm_analytics.legs import legs_table
from ucm_analytics.sources import Entries, Pulled
from ucm_analytics.sources.ucm import cdr, directory, lists
from ucm_analytics.sources.ucm.session import Session

log = logging.getLogger(__name__)


class UCM(Session):
    """One PBX, asked by its HTTPS API; see `Session` for the parameters, and `sources.Source`.

    Examples
    --------
    >>> from ucm_analytics.demo import pretend_pbx
    >>> with pretend_pbx() as (_, pbx):
    ...     answer = pbx.request("listQueue", page=1, item_num=10)
    ...     day = pbx.pull_day(date(2026, 3, 9), pbx="clinic", frozen_end=datetime(2026, 3, 30))
    ...     print(len(answer["queue"]), day.legs.num_rows)
    2 465
    """

    def serial(self) -> str:
        """Serial number of the PBX.

        Returns
        -------
        str
            Else its MAC address; empty where the API user may not read it.
        """
        try:
            return lists.serial_number(lists.system_status(self))
        except (NotPermitted, RequestRejected, UnexpectedAnswer) as error:
            log.debug("serial number of %s is not known: %s", self.address, type(error).__name__)
            return ""

    def firmware(self) -> str:
        """Version of the PBX's program.

        Returns
        -------
        str
            Such as ``1.0.15.13``; empty where the API user may not read it.
        """
        try:
            return str(lists.system_general_status(self).get("prog-version", ""))
        except (NotPermitted, UnexpectedAnswer) as error:
            log.debug("firmware of %s is not known: %s", self.address, type(error).__name__)
            return ""

    def clock(self) -> tzinfo:
        """The PBX's present offset from UTC, as it says itself.

        Returns
        -------
        tzinfo
            A fixed offset: it does not know when the clock changes.

        Raises
        ------
        SettingError
            It does not say.
        """
        hint = "name its time zone, for example UCM_TIMEZONE=Europe/Berlin"
        try:
            shown = str(lists.system_status(self).get("system-time", ""))
        except NotPermitted as error:
            raise SettingError(f"the API user may not read the clock of PBX {self.address}", hint=hint) from error
        match = re.search(r"UTC([+-])(\d{2}):?(\d{2})", shown)
        if not match:
            raise SettingError(f"the clock of PBX {self.address} shows no offset from UTC ({shown!r})", hint=hint)
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(offset if match[1] == "+" else -offset)

    def pull_day(self, day: date, *, pbx: str, frozen_end: datetime, known: int = 0) -> Pulled:
        """All legs of the calls that started on a day, proved complete.

        Parameters
        ----------
        day, pbx, frozen_end, known
            As for `sources.Source.pull_day`.

        Returns
        -------
        Pulled
            Legs, and what was asked for.

        Raises
        ------
        SettingError, IncompletePull, RequestRejected, APIError, Unreachable, TLSError, UnexpectedAnswer
            As for `cdr.pull_day`.
        """
        pages, receipt = cdr.pull_day(self, day, frozen_end=frozen_end, keep=partial(legs_table, pbx=pbx), known=known)
        return Pulled(
            legs=pa.concat_tables([legs_table([], pbx=pbx), *pages]).unify_dictionaries(),
            pages=receipt.pages,
            asked_from=receipt.asked_from,
            asked_to=receipt.asked_to,
            sha256=receipt.sha256,
        )

    def directory(self) -> Iterator[tuple[str, Entries | None]]:
        """Names of extensions, queues, ring groups, trunks and numbers, and the keys of the menus.

        Returns
        -------
        iterator of (str, list of dict or None)
            As for `sources.Source.directory`.
        """
        return directory.directory(self)
