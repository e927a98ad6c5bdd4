"""How the PBX writes its records is known in a few places: a quirk of a firmware is a line in `model/classify.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ucm_analytics
from ucm_analytics.schema import CALLS, LEGS, RINGS, STEPS

PACKAGE = Path(ucm_analytics.__file__).parent
KNOWING = (
    "schema.py",  # names the fields
    "legs.py",
    "scenario.py",  # masks them, each in its own way
    "phone_numbers.py",  # reads from them who is an extension, and who hid the number
    "quality/_checks.py",  # looks for records that are odd
    "model/classify.py",
    "model/crosscheck.py",
    "sources/ucm/",
    "simulator/",
)
OWN = {column.name for table in (STEPS, RINGS, CALLS) for column in table}
PLAIN = {"cdr", "channel", "disposition", "reason", "service", "session"}
"""Fields whose names are words of the language or the trade, and said of other things too."""
FIELDS = {column.raw for column in LEGS if column.raw == column.name} - OWN - PLAIN
VALUES = (
    *("ForkCDR", "VoiceMail", "ParkedCall", "Playback", "RINGGROUP", "PARKEDCALL", "FOLLOWME", "IVR[", "QUEUE["),
    *("NO ANSWER", "CONGESTION", "CHANUNAVAIL", "from-internal", "outbound-route", "after-outbound", "wrong-number"),
    *("trunk_.", r"o\d", "start-time="),
)
WORDS = re.compile(rf"\b({'|'.join(map(re.escape, sorted(FIELDS)))})\b|{'|'.join(map(re.escape, VALUES))}")


def files() -> list[str]:
    return [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]


def test_the_words_of_the_pbx_end_in_classify() -> None:
    found = {
        name: sorted({word[0] for word in WORDS.finditer((PACKAGE / name).read_text(encoding="utf-8"))})
        for name in files()
        if not name.startswith(KNOWING)
    }
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("place", KNOWING)
def test_no_place_is_listed_in_vain(place: str) -> None:
    texts = [(PACKAGE / name).read_text(encoding="utf-8") for name in files() if name.startswith(place)]
    assert any(WORDS.search(text) for text in texts)


def test_the_words_are_those_that_are_written() -> None:
    known = "".join((PACKAGE / "model" / name).read_text(encoding="utf-8") for name in ("classify.py", "crosscheck.py"))
    assert [word for word in VALUES if word not in known] == []
