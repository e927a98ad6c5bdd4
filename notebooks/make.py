"""Runs every notebook from a fresh kernel and keeps its output: `python -m notebooks.make`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
# interactive in JupyterLab, a picture where a notebook is only looked at
RENDERER = "plotly_mimetype+png"
LIVE = "application/vnd.jupyter.widget-view+json"
"""A widget lives as long as its kernel: what is kept of it is its text."""
WIDER = "import plotly.io\nplotly.io.renderers['png'].width = 1000"


def executed(path: Path, *, renderer: str = RENDERER) -> nbformat.NotebookNode:
    """The notebook with the output of a fresh kernel."""
    book = nbformat.read(path, as_version=4)
    before = os.environ.get("PLOTLY_RENDERER")
    os.environ["PLOTLY_RENDERER"] = renderer
    book.cells.insert(0, nbformat.v4.new_code_cell(WIDER))
    try:
        NotebookClient(
            book,
            timeout=300,
            kernel_name="python3",
            store_widget_state=False,
            resources={"metadata": {"path": HERE}},
        ).execute()
    finally:
        if before is None:
            del os.environ["PLOTLY_RENDERER"]
        else:
            os.environ["PLOTLY_RENDERER"] = before
    del book.cells[0]
    for number, cell in enumerate((cell for cell in book.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
        # on a busy machine the browser that draws the pictures complains, and draws all the same
        cell.outputs = [output for output in cell.outputs if "choreographer" not in output.get("text", "")]
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
            output.get("data", {}).pop(LIVE, None)
    for cell in book.cells:
        cell.metadata.pop("execution", None)
    return book


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        # not the user's cache: its demo store may be of an older model
        os.environ["XDG_CACHE_HOME"] = cache
        for file in sorted(HERE.glob("*.ipynb")):
            nbformat.write(executed(file), file)
