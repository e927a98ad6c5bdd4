"""Notebooks with parameters, run from a fresh kernel into one HTML page."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ucm_analytics.documents.files import write
from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    import nbformat

Value = str | int | float | bool | None

_SECRET: Final = re.compile(r"passw|secret|token|credential|api_?key|private", re.IGNORECASE)
_PLOTLY: Final = "application/vnd.plotly.v1+json"
_MASK: Final = "***"
_SHORT: Final = 3


def run_notebook(path: str | Path, out: str | Path, **parameters: Value) -> Path:
    """Run a notebook with other values in its parameters cell, and write it as one page with its charts.

    The page asks nothing of any network. The kernel starts without the variables of the environment
    that hold secrets (`UCM_PASSWORD` and the like), and where the value of one still turns up it is
    replaced by ``***``: what a notebook shows comes from the store, not from the PBX.

    Parameters
    ----------
    path : str or Path
        The notebook; a cell with the tag ``parameters`` sets the values that can be given here.
    out : str or Path
        The HTML file.
    **parameters
        Text, numbers, true or false, or nothing, by name.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    SettingError
        There is no such notebook or parameter, a parameter is named like a secret or is one, a cell
        fails, a package is missing, or the file cannot be written.
    """
    try:
        import nbformat
        import papermill
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError
    except ImportError as error:
        raise SettingError(
            f"notebooks need the package {error.name}, which is not installed",
            hint='install them with pip install "ucm-analytics[notebook]"',
        ) from None
    path, out = Path(path), Path(out)
    try:
        known = _known(nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]
    except (OSError, ValueError, SyntaxError) as error:
        raise SettingError(f"cannot read the notebook {path} ({error})", hint="name an .ipynb file") from error
    secrets = _secrets()
    _check(parameters, known=known, path=path, secrets=secrets)
    failed = ""
    try:
        with without_secrets():
            book = papermill.execute_notebook(
                str(path),
                None,
                parameters=parameters,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=str(path.parent),
            )
    except PapermillExecutionError as error:
        failed = f"cell {error.exec_count} failed ({error.ename}: {error.evalue})"
    except DeadKernelError:
        failed = "the kernel died"
    if failed:
        raise SettingError(f"{path}: {_masked(failed, secrets)}", hint="run the notebook in JupyterLab and mend it")
    return write(out, _page(_masked(book, secrets), title=path.stem).encode())


def _known(book: nbformat.NotebookNode) -> list[str]:
    """Names that the parameters cell sets."""
    names = []
    for cell in book.cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", ()):
            for line in ast.parse(cell.source).body:
                targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
                names += [target.id for target in targets if isinstance(target, ast.Name)]
    return names


def _secrets() -> list[str]:
    """Values of the environment that must not be shown, the longest first."""
    found = {value for name, value in os.environ.items() if _SECRET.search(name) and len(value) > _SHORT}
    return sorted(found, key=len, reverse=True)


def _check(parameters: Mapping[str, Value], *, known: list[str], path: Path, secrets: list[str]) -> None:
    for name, value in parameters.items():
        if _SECRET.search(name) or (isinstance(value, str) and any(secret in value for secret in secrets)):
            raise SettingError(
                f"the parameter {name!r} would be shown in the page", hint="a notebook needs no secret: pull first"
            )
        if name not in known:
            raise SettingError(
                f"{path} has no parameter {name!r}",
                hint=f"it has {', '.join(known)}" if known else "give one of its cells the tag parameters",
            )


@contextmanager
def without_secrets() -> Iterator[None]:
    """Environment for a kernel: no secrets, and figures as data."""
    before = dict(os.environ)
    for name in before:
        if _SECRET.search(name):
            del os.environ[name]
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _masked(value: Any, secrets: list[str]) -> Any:
    """The same without secrets in any text."""
    if isinstance(value, str):
        for secret in secrets:
            for written in (secret, repr(secret)[1:-1]):
                value = value.replace(written, _MASK)
        return value
    if isinstance(value, list):
        return [_masked(each, secrets) for each in value]
    if isinstance(value, dict):
        return type(value)({key: _masked(each, secrets) for key, each in value.items()})
    return value


def _page(book: nbformat.NotebookNode, *, title: str) -> str:
    from nbconvert import HTMLExporter

    _draw(book)
    book.metadata["title"] = title
    # these would be asked of the network; nothing on the page needs them
    links = ("require_js", "mathjax", "jquery", "mermaid_js", "mermaid_layout_elk_js")
    nowhere = {f"{name}_url": "" for name in links}
    exporter = HTMLExporter(**nowhere)  # type: ignore[no-untyped-call]
    text, _ = exporter.from_notebook_node(book)
    return str(text)


def _draw(book: nbformat.NotebookNode) -> None:
    """Give every figure a form that a browser draws; nbconvert would drop them."""
    import plotly.io

    drawn = 0
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            if figure := output.get("data", {}).pop(_PLOTLY, None):
                drawn += 1
                output["data"]["text/html"] = plotly.io.to_html(
                    {"data": figure["data"], "layout": figure["layout"]},
                    include_plotlyjs=drawn == 1,
                    full_html=False,
                    div_id=f"chart-{drawn}",
                    validate=False,
                )
