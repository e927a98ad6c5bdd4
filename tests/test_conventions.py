"""House rules that a machine can check."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest

import ucm_analytics as ucm
from docs.names import STUBS, stub
from ucm_analytics import analyses, charts, schema

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = {
    **{f"ucm.{name}": getattr(ucm, name) for name in ucm.__all__ if name not in ("charts", "errors")},
    **{f"charts.{name}": getattr(charts, name) for name in charts.__all__},
}
FUNCTIONS = {name: each for name, each in PUBLIC.items() if inspect.isfunction(inspect.unwrap(each))}


def test_all_is_true() -> None:
    for module in (ucm, analyses, charts):
        assert len(module.__all__) == len(set(module.__all__))
        assert all(hasattr(module, name) for name in module.__all__)
    assert set(analyses.__all__) < set(ucm.__all__)
    assert not [name for name in analyses.__all__ if find_spec(f"ucm_analytics.{name}")], "the module would hide it"
    with pytest.raises(AttributeError, match="module 'ucm_analytics' has no attribute 'iter_modules'"):
        _ = ucm.iter_modules


@pytest.mark.parametrize("package", STUBS)
def test_type_checkers_know_what_is_there(package: str) -> None:
    assert STUBS[package].read_text(encoding="utf-8") == stub(package), "run python -m docs.names"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions(name: str) -> None:
    function: Callable[..., Any] = FUNCTIONS[name]
    signature = inspect.signature(function)
    kinds = [p.kind for p in signature.parameters.values()]
    positional = [k for k in kinds if k in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    assert len(positional) <= (4 if name == "ucm.run_report" else 2), "the rest is keyword-only"
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
    text = inspect.getdoc(function) or ""
    assert text.splitlines()[0].endswith("."), "the first line is one sentence"
    for section in ("Parameters", "Returns") if kinds else ("Returns",):
        assert re.search(rf"^{section}\n-+$", text, re.M), f"no section {section}"


def shown() -> dict[str, Callable[..., Any]]:
    """Functions and methods that the README, the pages of docs and the notebooks show, by name."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    blocks = [block for page in pages for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        blocks += [cell.source for cell in cells if cell.cell_type == "code" and not cell.source.startswith("%")]
    imports = (node for block in blocks for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom))
    named = {
        f"{node.module}.{alias.name}": getattr(import_module(node.module), alias.name)
        for node in imports
        if node.module and node.module.startswith("ucm_analytics")
        for alias in node.names
    }
    found = {}
    for name, each in (PUBLIC | named).items():
        if inspect.isclass(each):
            methods = inspect.getmembers(each, inspect.isfunction)
            found |= {f"{name}.{method}": function for method, function in methods if not method.startswith("_")}
        elif inspect.isfunction(inspect.unwrap(each)):
            found[name] = each
    return {name: each for name, each in found.items() if each.__module__.startswith("ucm_analytics")}


SHOWN = shown()


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_is_explained(name: str) -> None:
    """Arguments and result in sections of their own; an example here, with the class, or with all charts."""
    function = SHOWN[name]
    signature = inspect.signature(function)
    text = inspect.getdoc(function) or ""
    wanted = ["Parameters"] if set(signature.parameters) - {"self"} else []
    wanted += ["Returns"] if signature.return_annotation not in (None, "None") else []
    owner = getattr(import_module(function.__module__), function.__qualname__.partition(".")[0])
    classes = [owner, *owner.__subclasses__()] if inspect.isclass(owner) else []
    around = [text, *(each.__doc__ or "" for each in classes)]
    around += [charts.__doc__ or ""] if name.startswith("charts.") else []
    assert [section for section in wanted if not re.search(rf"^{section}\n-+$", text, re.M)] == []
    assert any(re.search(r"^ *Examples\n *-+$", each, re.M) for each in around)


def test_columns_follow_the_naming_rules() -> None:
    for table, columns in schema.TABLES.items():
        names = [column.name for column in columns]
        assert len(names) == len(set(names))
        for column in columns:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name), (table, column.name)
            assert column.meaning
            if column.unit == "s":
                assert column.name.endswith("_s")
            if column.dtype in ("utc", "wall"):
                assert column.name.endswith("_at")


def test_library_code_neither_prints_nor_exits() -> None:
    for file in (ROOT / "ucm_analytics").rglob("*.py"):
        code = file.read_text(encoding="utf-8")
        if file.parent.name != "cli":
            assert not re.search(r"^\s*print\(|sys\.exit\(|^\s*exit\(", code, re.M), file
        assert not re.search(r"verify\s*=\s*False|except\s*:", code), file


def test_importing_leaves_no_trace() -> None:
    code = """
import logging, os, sys
before = (set(os.listdir(".")), list(logging.root.handlers))
from ucm_analytics import errors, schema
assert (set(os.listdir(".")), list(logging.root.handlers)) == before
heavy = ("pandas", "pyarrow", "duckdb", "phonenumbers", "plotly", "requests", "narwhals", "scipy")
print([m for m in heavy if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_names_a_registry_or_a_folder_of_this_machine() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wrong = re.compile(r"--(extra-)?index-url|https?://[^ ]*/simple/|/(home|root|work)/[a-z]")
    for name in filter(None, files.split("\0")):
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".txt", ".sh", ".ipynb", ".html", "") and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert name == "tests/test_conventions.py" or not wrong.search(text), name
