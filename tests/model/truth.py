"""What the simulator knows about each caller against what the model makes of the records.

`python -m tests.model.truth` prints the table of differences for every firmware profile.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ucm_analytics.simulator import PROFILES, Simulator, User
from ucm_analytics.simulator.traffic import Story, clinic, generate
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store

EXACTLY = ("direction", "caller", "callee", "outcome", "ended_in", "answered_by", "path", "forward_of", "exact_pickup")
SECONDS = ("wait_s", "talk_s", "ring_s", "ivr_s", "queue_s", "voicemail_s", "duration_s")
TOLERANCE_S = 1
"""Of each piece that is measured; the talk of a parked call has one before the slot and one after it."""


@dataclass(frozen=True)
class Difference:
    """One field of one call on which the two disagree, and why; `why` is empty if nobody knows."""

    call_id: str
    flow: str
    field: str
    truth: Any
    found: Any
    why: str


def differences(stories: list[Story], calls: dict[str, dict[str, Any]]) -> Iterator[Difference]:
    """Every field on which truth and model disagree, call by call."""
    for story in stories:
        truth, found = story.truth, calls[story.truth.session]
        for name in EXACTLY:
            if (getattr(truth, name) or None) != (found[name] or None):
                yield _difference(truth, found, name)
        for name in SECONDS:
            pieces = 2 if (name, truth.flow) == ("talk_s", "parked") else 1
            if abs(getattr(truth, name) - found[name]) > TOLERANCE_S * pieces:
                yield _difference(truth, found, name)


def _difference(truth: Any, found: dict[str, Any], name: str) -> Difference:
    return Difference(truth.session, truth.flow, name, getattr(truth, name), found[name], _why(truth, found, name))


def _why(truth: Any, found: dict[str, Any], name: str) -> str:
    """The explanation, where the records cannot say what happened."""
    # never a longer wait, never a shorter talk than the truth: hidden ringing is counted as talk
    too_long = found[name] > getattr(truth, name) if name in SECONDS else False
    if not found["exact_pickup"] and name in ("wait_s", "talk_s", "ring_s") and too_long == (name == "talk_s"):
        return "the records hide the pick-up; the model says so (exact_pickup is false)"
    return ""


def pulled(folder: Path, stories: list[Story], profile: str, *, first: date, last: date) -> dict[str, dict[str, Any]]:
    """Calls that the whole line makes: simulator, TLS, client, parser, store, model."""
    site = clinic()
    store = Store(folder)
    with (
        Simulator((s.call for s in stories), site=site, profile=profile, users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as ucm,
    ):
        store.sync(
            ucm,
            pbx="clinic",
            since=first,
            until=last,
            zone=ZoneInfo(site.timezone),
            now=datetime(2027, 1, 10, tzinfo=UTC),
            progress=False,
        )
    frame = store.calls()
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {row["call_id"]: row for row in rows}


def table(profile: str, *, first: date, last: date, calls_per_day: int, seed: int) -> tuple[int, list[Difference]]:
    """Number of calls of a profile, and the differences."""
    stories = list(generate(clinic(), first=first, last=last, calls_per_day=calls_per_day, seed=seed))
    with tempfile.TemporaryDirectory() as folder:
        calls = pulled(Path(folder) / "store", stories, profile, first=first, last=last)
    assert set(calls) == {story.truth.session for story in stories}
    return len(stories), list(differences(stories, calls))


def main() -> None:
    """Print the table."""
    first, last = (date.fromisoformat(day) for day in (sys.argv[1:3] or ("2026-03-02", "2026-03-29")))
    for profile in PROFILES:
        count, found = table(profile, first=first, last=last, calls_per_day=120, seed=1)
        print(f"{profile}: {count} calls, {len({d.call_id for d in found})} differ in some field")
        for (name, why), number in sorted(Counter((d.field, d.why) for d in found).items()):
            print(f"  {number:5} {name:13} {why or 'NOT EXPLAINED'}")


if __name__ == "__main__":
    main()
