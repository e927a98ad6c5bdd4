"""The steps of the how-to: the first that fails is the last, and says what to change where."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sources.pbxs import PASSWORD, calls, stub
from ucm_analytics.simulator import LoginRules, Simulator, Site, User
from ucm_analytics.sources.ucm.connect import Check, diagnose
from ucm_analytics.sources.ucm.tls import Certificate

ALL = ["reachable", "TLS", "certificate", "API", "address", "user", "password", "CDR permission", "clock"]


@pytest.fixture(autouse=True)
def _no_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


def steps(
    url: str,
    *,
    user: str = "cdrapi",
    password: str = PASSWORD,
    confirm: Callable[[Certificate], bool] = lambda shown: True,
    **options: Any,
) -> list[Check]:
    walked = list(diagnose(url, user, lambda: password, confirm=confirm, timeout=(2.0, 5.0), **options))
    assert [step.name for step in walked] == ALL[: len(walked)]
    assert [step.ok for step in walked[:-1]] == [True] * (len(walked) - 1)
    return walked


def test_all_is_well() -> None:
    asked: list[Certificate] = []

    def confirm(shown: Certificate) -> bool:
        asked.append(shown)
        return True

    with Simulator(calls(2), site=Site(name="Example", timezone="Asia/Kolkata")) as pbx:
        walked = steps(pbx.url, confirm=confirm)
        assert pbx.requests[-1][0] == "logout"
    assert [step.name for step in walked] == ALL
    assert walked[-1].ok
    assert [shown.fingerprint for shown in asked] == [pbx.fingerprint]
    assert walked[2].facts == {"fingerprint": pbx.fingerprint}
    assert walked[-1].facts["utc_offset"] == "+05:30"
    assert walked[-1].facts["product"].startswith("UCM63")
    assert abs(int(walked[-1].facts["difference_s"])) <= 2
    assert not any(step.hint for step in walked)


def test_a_trusted_certificate_is_not_asked_for_again() -> None:
    def confirm(shown: Certificate) -> bool:
        raise AssertionError("asked")

    with Simulator(san=True) as pbx:
        assert len(steps(pbx.url, confirm=confirm, fingerprint=pbx.fingerprint.lower())) == len(ALL)
        assert len(steps(pbx.url, confirm=confirm, ca=pbx.ca_pem)) == len(ALL)


def test_the_password_is_asked_for_only_when_it_is_needed() -> None:
    def supply() -> str:
        raise AssertionError("asked")

    with Simulator(enabled=False) as pbx:
        walked = list(diagnose(pbx.url, "cdrapi", supply, confirm=lambda shown: True))
        assert walked[-1].name == "API"


def last(url: str, **options: Any) -> Check:
    step = steps(url, **options)[-1]
    assert not step.ok
    assert step.hint
    return step


def test_not_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in (f"127.0.0.1:{port}", "pbx.invalid", "http://192.0.2.10", "not an address"):
        assert last(url).name == "reachable"


def test_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        step = last(f"127.0.0.1:{server.getsockname()[1]}")
    assert step.name == "TLS"


def test_certificate_not_confirmed() -> None:
    with Simulator() as pbx:
        step = last(pbx.url, confirm=lambda shown: False)
        assert pbx.requests == []
    assert (step.name, step.facts) == ("certificate", {"fingerprint": pbx.fingerprint})
    assert pbx.fingerprint in step.detail


def test_certificate_changed() -> None:
    other = ":".join(["AB"] * 32)
    with Simulator() as pbx:
        step = last(pbx.url, fingerprint=other)
        assert pbx.requests == []
    assert step.name == "certificate"
    assert other in step.detail
    assert pbx.fingerprint in step.detail


def test_bad_fingerprint_and_missing_authorities(tmp_path: Path) -> None:
    with Simulator() as pbx:
        assert last(pbx.url, fingerprint="AB:CD").name == "certificate"
        assert last(pbx.url, ca=tmp_path / "missing.pem").name == "certificate"


def test_api_off() -> None:
    with Simulator(enabled=False) as pbx:
        step = last(pbx.url)
    assert step.name == "API"
    assert "HTTPS API Settings (New)" in step.hint
    assert step.facts == {"status": "-1"}


def test_address_not_permitted() -> None:
    with Simulator(permitted=["192.0.2.0/24"]) as pbx:
        step = last(pbx.url)
    assert step.name == "address"
    assert "System Settings > HTTP Server" in step.hint
    assert "Permitted IP(s)" in step.hint


def test_address_locked_out() -> None:
    with Simulator(login_rules=LoginRules(attempts=1)) as pbx:
        assert last(pbx.url, password="wrong").name == "password"
        step = last(pbx.url)
    assert step.name == "address"
    assert "Login Restrictions" in step.hint


def test_unknown_user() -> None:
    with Simulator() as pbx:
        step = last(pbx.url, user="nobody")
    assert (step.name, step.facts) == ("user", {"status": "-71"})


def test_user_that_only_login_refuses(tmp_path: Path) -> None:
    def answer(action: str, params: Any) -> Any:
        return {"response": {}, "status": -71} if action == "login" else None

    with stub(tmp_path, answer) as pbx:
        assert last(pbx.url).name == "user"


def test_wrong_password() -> None:
    with Simulator() as pbx:
        step = last(pbx.url, password="wrong")
        assert [action for action, _ in pbx.requests].count("login") == 1
    assert step.name == "password"
    assert "4 tries left" in step.detail
    assert "wrong'" not in step.detail


def test_no_permission_for_records() -> None:
    with Simulator(users={"cdrapi": User(PASSWORD, frozenset({"listAccount"}))}) as pbx:
        step = last(pbx.url)
    assert step.name == "CDR permission"
    assert "cdrapi" in step.hint


def test_clock_that_is_wrong() -> None:
    with Simulator(clock=lambda: time.time() + 3600) as pbx:
        step = last(pbx.url)
    assert step.name == "clock"
    assert 3598 <= int(step.facts["difference_s"]) <= 3602
    assert "Time Settings" in step.hint


def test_clock_that_is_not_shown() -> None:
    with Simulator(users={"cdrapi": User(PASSWORD, frozenset({"cdrapi"}))}) as pbx:
        walked = steps(pbx.url)
    assert walked[-1].name == "clock"
    assert walked[-1].ok
    assert "UCM_TIMEZONE" in walked[-1].hint


@pytest.mark.parametrize("said", ["", "soon", "31-02-2026 08:00:00 UTC+00:00"])
def test_clock_that_cannot_be_read(said: str, tmp_path: Path) -> None:
    answers: dict[str, Any] = {
        "cdrapi": {"cdr_root": []},
        "getSystemStatus": {"response": {"system-time": said}, "status": 0},
    }
    with stub(tmp_path, lambda action, params: answers.get(action)) as pbx:
        walked = steps(pbx.url)
    assert walked[-1].ok
    assert "UCM_TIMEZONE" in walked[-1].hint
    assert "utc_offset" not in walked[-1].facts
