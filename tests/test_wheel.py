"""The wheel works where nothing of this checkout is: a clean environment, no development packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*words: str | Path, cwd: Path, **env: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("UCM_", "PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**clean, **env}, text=True, capture_output=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_wheel_in_a_clean_environment(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "ucm_analytics/py.typed" in names
    assert any(name.startswith("ucm_analytics/documents/templates/") for name in names)
    assert "ucm_analytics/explorer/page/calls.ipynb" in names
    assert any(name.startswith("ucm_analytics/explorer/page/voila/templates/") for name in names)
    assert not [name for name in names if name.startswith(("tests", "data", "notebooks"))]

    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=tmp_path)
    python = venv / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile")
    run(*pip, "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    # the same folders as a user's: none of them is the checkout
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "UCM_CONFIG": str(tmp_path / "c.toml")}
    out = run(venv / "bin" / "ucm-analytics", "demo", "--out", "demo", cwd=tmp_path, **home)
    assert "demo/index.html" in out
    code = "import ucm_analytics as u, json; s = u.demo_store(); print(json.dumps([u.__file__, len(s.calls())]))"
    file, calls = json.loads(run(python, "-c", code, cwd=tmp_path, **home))
    assert str(venv) in file
    assert calls > 2000
