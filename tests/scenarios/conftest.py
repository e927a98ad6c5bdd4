"""Reads call stories; the format is in README.md beside this file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

TIMES = ("start", "answer", "end")


@dataclass
class Story:
    """One file: legs in, what must come out."""

    name: str
    zone: ZoneInfo | None = None
    legs: list[dict[str, str]] = field(default_factory=list)
    steps: list[dict[str, str]] = field(default_factory=list)
    rings: list[dict[str, str]] = field(default_factory=list)
    calls: list[dict[str, str]] = field(default_factory=list)


def read_story(path: Path) -> Story:
    """Story of a file."""
    story = Story(path.stem)
    common: dict[str, str] = {}
    section, columns = "", []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        text = line.strip()
        if not text or number == 0:
            continue
        if text in ("legs", "steps", "rings", "call"):
            section, columns = text, []
            if section == "call":
                story.calls.append({})
        elif section == "call":
            name, value = (part.strip() for part in text.split("=", 1))
            story.calls[-1][name] = value
        elif section:
            cells = [cell.strip() for cell in text.split("|")]
            if not columns:
                columns = cells
                continue
            assert len(cells) == len(columns), f"{path.name}:{number + 1} has {len(cells)} cells"
            row = dict(zip(columns, cells, strict=True))
            if section == "legs":
                story.legs.append(_leg(row, common, len(story.legs) + 1))
            else:
                (story.steps if section == "steps" else story.rings).append(row)
        else:
            name, value = (part.strip() for part in text.split(":", 1))
            common[name] = value
    story.zone = ZoneInfo(common["zone"]) if "zone" in common else None
    return story


def _leg(row: dict[str, str], common: dict[str, str], number: int) -> dict[str, str]:
    day = date.fromisoformat(common["day"])
    leg = {"AcctId": str(number), **{k: v for k, v in common.items() if k not in ("zone", "day")}}
    for name, cell in row.items():
        value = "" if cell == "." else cell
        if name in TIMES and value:
            # "+1 00:01:02" is the next day
            plus, _, clock = value.rpartition(" ")
            value = f"{day + timedelta(days=int(plus or 0))} {clock}"
        leg[name] = value
    return leg
