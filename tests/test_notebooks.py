"""Every notebook runs from a fresh kernel and still prints what is committed."""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from notebooks.make import executed

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def texts(book: Any) -> list[str]:
    """What the cells print, without pictures."""
    return [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "application/vnd.plotly.v1+json" not in output.get("data", {})
    ]


def charts(book: Any) -> list[Any]:
    """Data of the charts that the cells show."""
    return [
        output["data"]["application/vnd.plotly.v1+json"]["data"]
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "application/vnd.plotly.v1+json" in output.get("data", {})
    ]


def near(made: Any, kept: Any) -> bool:
    """Whether both are the same but for the last digits of their floats, which differ from processor to processor."""
    if isinstance(kept, dict) and "bdata" in kept:
        return isinstance(made, dict) and near(*(_unpacked(each) if "bdata" in each else each for each in (made, kept)))
    if isinstance(kept, dict):
        return isinstance(made, dict) and made.keys() == kept.keys() and all(near(made[key], kept[key]) for key in kept)
    if isinstance(kept, list):
        return isinstance(made, list) and len(made) == len(kept) and all(map(near, made, kept))
    if isinstance(kept, float):
        return bool(made == pytest.approx(kept, rel=1e-9, nan_ok=True))
    if isinstance(kept, str) and isinstance(made, str):
        numbers = [[float(number) for number in _FRACTION.findall(each)] for each in (made, kept)]
        plain = [_FRACTION.sub("", each) for each in (made, kept)]
        return plain[0] == plain[1] and numbers[0] == pytest.approx(numbers[1], rel=1e-5)
    return bool(made == kept)


_FRACTION = re.compile(r"\d+\.\d+")


def _unpacked(packed: dict[str, str]) -> list[Any]:
    values = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    return [packed["dtype"], packed.get("shape"), *values.tolist()]


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")  # of the Jupyter packages
def test_runs_and_prints_what_is_committed(path: Path) -> None:
    kept, made = nbformat.read(path, as_version=4), executed(path, renderer="plotly_mimetype")
    assert near(texts(made), texts(kept)), "run python -m notebooks.make"
    assert near(charts(made), charts(kept)), "run python -m notebooks.make"


def test_near_sees_what_another_processor_does_not_do() -> None:
    def packed(*values: float) -> dict[str, str]:
        return {"dtype": "f8", "bdata": base64.b64encode(np.array(values)).decode()}

    kept = [{"y": packed(0.1, np.nan), "x": [0.3, "Mon"]}]
    assert near([{"y": packed(0.1 * (1 + 1e-15), np.nan), "x": [0.1 + 0.2, "Mon"]}], kept)
    assert not near([{"y": packed(0.1001, np.nan), "x": [0.3, "Mon"]}], kept)
    assert not near([{"y": packed(0.1, 0.0), "x": [0.3, "Mon"]}], kept)
    assert not near([{"y": packed(0.1), "x": [0.3, "Mon"]}], kept)
    assert not near([{"y": packed(0.1, np.nan), "x": [0.3, "Tue"]}], kept)
    assert near(["rate 0.534188", "12 calls"], ["rate 0.534189", "12 calls"])
    assert not near(["rate 0.534188", "12 calls"], ["rate 0.534188", "13 calls"])
    assert not near(["rate 0.534188"], ["rate 0.544188"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_small_and_simple(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    assert path.stat().st_size < 1_000_000
    assert book.cells[0].cell_type == "markdown"
    assert re.match(r"# .*\?\n", book.cells[0].source), "the title asks the question"
    assert "You will learn" in book.cells[0].source
    assert book.cells[1].cell_type == "code"
    assert "import ucm_analytics as ucm" in book.cells[1].source
    assert "ucm.Store()" in path.read_text(), "how to switch to one's own PBX"
    for cell in book.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 8
            assert "def " not in cell.source
            assert "password" not in cell.source.lower()
    assert "/home/" not in path.read_text()
    assert "/root/" not in path.read_text()
    assert not [text for text in texts(book) if tempfile.gettempdir() in text or str(ROOT) in text]


def test_there_are_notebooks() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, 10)]


def test_prose_says_share_only_of_shares_and_number_only_of_counts() -> None:
    """Where the text above a chart says what a bar is, the axis says the same."""
    said = []
    for path in NOTEBOOKS:
        prose = ""
        for cell in nbformat.read(path, as_version=4).cells:
            prose = cell.source if cell.cell_type == "markdown" else prose
            for output in cell.get("outputs", []):
                drawn = output.get("data", {}).get("application/vnd.plotly.v1+json")
                found = re.search(r"\b[Bb]ar is the (share|number) of", prose)
                if drawn and found:
                    axes = [axis for name, axis in drawn["layout"].items() if re.match(r"[xy]axis", name)]
                    shares = any("%" in axis.get("tickformat", "") for axis in axes)
                    assert shares == (found[1] == "share"), (path.stem, found[0])
                    said.append(path.stem)
    assert said
