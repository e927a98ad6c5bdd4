"""What the kernels of the page are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ucm_analytics.explorer.serving import _environment
from ucm_analytics.store import Store

CANARY = "canary-serving-3"


def test_kernels_know_the_store_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "UCM_PASSWORD",
        "SMTP_PASSWD",
        "My_Token",
        "API_KEY",
        "APIKEY",
        "client_secret",
        "PRIVATE",
        "CREDENTIALS",
    ):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("UCM_LOCALE", "de_DE")
    before = dict(os.environ)
    with pytest.raises(KeyboardInterrupt), _environment(Store(tmp_path / "store")):
        inside = dict(os.environ)
        raise KeyboardInterrupt
    assert dict(os.environ) == before
    assert CANARY not in inside.values()
    assert (inside["UCM_DATA"], inside["UCM_LOCALE"]) == (str(tmp_path / "store"), "de_DE")
    assert inside["PLOTLY_RENDERER"] == "plotly_mimetype"
