"""The recordings that the records name: lists, silent WAV files, and the files of a leg."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ucm_analytics.simulator.access import Refused
from ucm_analytics.simulator.archive import Archive
from ucm_analytics.simulator.shaping import Shape

DIRECTORIES: Final = ("monitor", "queue")
_RATE: Final = 8000


class Recordings:
    """Answers of `recapi` and `getRecordInfosByCall`."""

    def __init__(self, archive: Archive, shape: Shape) -> None:
        self._archive = archive
        self._shape = shape
        self._known: tuple[int, dict[str, str]] = (-1, {})

    def answer(self, params: Mapping[str, Any], now: float) -> tuple[str, bytes]:
        """Content type and body: the directories, the files of one, or one file.

        Raises
        ------
        Refused
            -25 if there is no such directory or file, also where the name holds its month folder or an ``@``.
        """
        directory, name = str(params.get("filedir") or ""), str(params.get("filename") or "")
        if not directory and not name:
            return "text/csv;charset=UTF-8", "\n".join(["Filedir", *DIRECTORIES, ""]).encode()
        if directory and directory not in DIRECTORIES:
            raise Refused(-25)
        files = self._files(now)
        if not name:
            names = sorted(file for file, kept_in in files.items() if kept_in == directory)
            lines = ["Filedir,Filename", *(f"{directory},{file}" for file in names), ""]
            return "text/csv;charset=UTF-8", "\n".join(lines).encode()
        if files.get(name) != (directory or "monitor"):
            raise Refused(-25)
        return "audio/wav", _silence()

    def of_leg(self, params: Mapping[str, Any], now: float) -> dict[str, str]:
        """Files of the leg with an AcctId, joined by commas.

        Raises
        ------
        Refused
            -15 if the leg has none, or there is no such leg.
        """
        wanted = str(params.get("id", ""))
        for leg in self._candidates(wanted, now):
            if str(leg.get("AcctId")) == wanted and (files := _split(leg)):
                return {"recordfiles": ",".join(files)}
        raise Refused(-15)

    def _candidates(self, acct_id: str, now: float) -> Iterator[dict[str, Any]]:
        if self._shape.cuttable:
            index = self._archive.with_acct_id(int(acct_id), now) if acct_id.isdecimal() and len(acct_id) < 19 else None
            yield from self._shape.legs(self._archive.stored(index)) if index is not None else ()
        else:
            yield from self._legs(now)

    def _files(self, now: float) -> dict[str, str]:
        """Directory of each file."""
        seen = len(self._archive.started_within(float("-inf"), float("inf"), now))
        if self._known[0] != seen:
            found = {}
            for leg in self._legs(now):
                directory = "queue" if str(leg.get("action_type", "")).startswith("QUEUE") else "monitor"
                for path in _split(leg):
                    found[path.rpartition("/")[2]] = directory
            self._known = (seen, found)
        return self._known[1]

    def _legs(self, now: float) -> Iterator[dict[str, Any]]:
        for index in self._archive.started_within(float("-inf"), float("inf"), now):
            yield from self._shape.legs(self._archive.stored(index))


def _split(leg: Mapping[str, Any]) -> list[str]:
    return [path for path in str(leg.get("recordfiles") or "").split("@") if path]


def _silence() -> bytes:
    """One second of silence, 8 kHz mono, 16 bit."""
    body = io.BytesIO()
    with wave.open(body, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(bytes(2 * _RATE))
    return body.getvalue()
