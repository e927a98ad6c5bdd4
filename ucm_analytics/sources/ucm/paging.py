"""How the pages of one reading join.

What `offset` counts differs between firmware and is not documented: elements, rows or calls. So each
page is asked for such that it begins with the last thing already known. It joins if its legs repeat
the end of what is known, leg for leg, at the place where one of the three units puts them. Everything
else means that records moved between two pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ucm_analytics.sources.ucm.page import Element

Unit = Literal["groups", "rows", "calls", "unknown"]


class Moved(Exception):
    """A reading cannot be proved: records moved, or an answer was not true."""


@dataclass
class Reading:
    """What one reading has seen.

    Attributes
    ----------
    rows : list of bytes
        Digest of each leg, in the PBX's order.
    groups, calls : list of int
        Row at which each element and each call begins.
    units : list of str
        What `offset` may count, by all answers so far.
    """

    rows: list[bytes] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    units: list[Unit] = field(default_factory=lambda: ["groups", "rows", "calls"])
    _keys: set[bytes] = field(default_factory=set)
    _call: str | None = None

    @property
    def unit(self) -> Unit:
        """What `offset` counts; groups and calls are the same but on firmware that shifts its groups."""
        return "unknown" if "rows" in self.units[1:] else self.units[0]

    def place(self, offset: int, rows: list[bytes]) -> int | None:
        """How many legs of an answer are known already; None if it lies beyond what is known.

        Keeps the units by which the answer can be what stands at `offset`.

        Raises
        ------
        Moved
            By none of them.
        """
        if not self.rows:
            return 0
        self.units = [unit for unit in self.units if self._fits(unit, offset, rows)]
        if not self.units:
            same = offset > 0 and rows[:1] == self.rows[:1]
            raise Moved(
                "the PBX gave the first page again"
                if same
                else f"the answer from {offset} on does not continue what came before"
            )
        start = self._start(self.units[0], offset)
        return None if start is None else len(self.rows) - start

    def add(self, elements: list[Element], rows: list[bytes], skip: int) -> None:
        """Take over an answer, but for its first `skip` legs, which are known."""
        at = 0
        for element in elements:
            for nth, leg in enumerate(element):
                if at >= skip:
                    call = str(leg.get("session") or leg.get("uniqueid") or "")
                    if nth == 0:
                        self.groups.append(len(self.rows))
                    if call != self._call:
                        self.calls.append(len(self.rows))
                        self._call = call
                    self.rows.append(rows[at])
                at += 1
        self._keys.update(rows)

    def total(self) -> int:
        """Items known, counted in the unit that is taken for the right one."""
        return {"rows": len(self.rows), "groups": len(self.groups)}.get(self.units[0], len(self.calls))

    def telling(self) -> int | None:
        """First offset at which the unit differs from groups; None where there is none."""
        unit = self.units[0]
        if unit == "groups":
            return None
        return next((n for n in range(self.total()) if self._start(unit, n) != self._start("groups", n)), None)

    def _start(self, unit: Unit, offset: int) -> int | None:
        """Row at which the item number `offset` begins; None if it lies beyond what is known."""
        if unit == "rows":
            return offset if offset < len(self.rows) else None
        starts = self.groups if unit == "groups" else self.calls
        return starts[offset] if offset < len(starts) else None

    def _fits(self, unit: Unit, offset: int, answer: list[bytes]) -> bool:
        """Whether an answer can be what stands at `offset`, counted in `unit`."""
        at = self._start(unit, offset)
        if at is None:
            return not answer or answer[0] not in self._keys
        repeated = min(len(self.rows) - at, len(answer))
        return repeated > 0 and self.rows[at : at + repeated] == answer[:repeated]
