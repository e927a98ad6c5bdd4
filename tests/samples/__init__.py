"""Genuine answers, no part of the project; where there are none, `tests/conftest.py` leaves this folder out."""

from __future__ import annotations

from pathlib import Path

SAMPLES = sorted((Path(__file__).resolve().parents[3] / "shared/samples").glob("[0-9]*.json"))
RECORDS = [path for path in SAMPLES if path.name[:2] in ("01", "20", "30")]
"""Answers of `cdrapi`."""
