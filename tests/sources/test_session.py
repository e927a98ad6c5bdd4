"""Login, cookie, retries: against a simulated PBX, and one that answers as a test says."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.sources.pbxs import PASSWORD, Session, calls, session, stub
from ucm_analytics.errors import (
    Busy,
    LockedOut,
    LoginRefused,
    NotPermitted,
    PlainHTTP,
    SessionExpired,
    SettingError,
    UCMError,
    UnexpectedAnswer,
    Unreachable,
)
from ucm_analytics.simulator import LoginRules, Simulator, User
from ucm_analytics.sources.ucm import Retries
from ucm_analytics.sources.ucm.address import Address
from ucm_analytics.sources.ucm.codes import CODES


def actions(pbx: Simulator) -> list[str]:
    return [action for action, _ in pbx.requests]


@pytest.mark.parametrize(
    ("url", "host", "port", "posts_to"),
    [
        ("192.0.2.10", "192.0.2.10", 8089, "https://192.0.2.10:8089/api"),
        ("192.0.2.10:443", "192.0.2.10", 443, "https://192.0.2.10:443/api"),
        ("https://192.0.2.10:8089", "192.0.2.10", 8089, "https://192.0.2.10:8089/api"),
        ("https://pbx.example.org:8443/api/", "pbx.example.org", 8443, "https://pbx.example.org:8443/api"),
        ("https://pbx.example.org/#/login", "pbx.example.org", 8089, "https://pbx.example.org:8089/api"),
        ("[2001:db8::10]:8089", "2001:db8::10", 8089, "https://[2001:db8::10]:8089/api"),
        ("pbx.example.org/api/v1", "pbx.example.org", 8089, "https://pbx.example.org:8089/api/v1"),
    ],
)
def test_addresses(url: str, host: str, port: int, posts_to: str) -> None:
    address = Address.of(url)
    assert (address.host, address.port, address.url) == (host, port, posts_to)


@pytest.mark.parametrize(
    "url", ["", "https://", "ftp://192.0.2.10", "192.0.2.10:port", "pbx example", "192.0.2.10/cgi", "http:/x"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(SettingError):
        Address.of(url)


def test_plain_http_is_refused() -> None:
    with pytest.raises(PlainHTTP, match="HTTP Server"):
        Session("http://192.0.2.10:8089")


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(SettingError) as caught:
        Session("https://cdrapi:canary-4711@192.0.2.10")
    assert "canary" not in str(caught.value)


def test_login_once_logout_at_the_end() -> None:
    with Simulator(calls(3)) as pbx:
        with session(pbx) as ucm:
            assert ucm.request("getSystemStatus")["mac"] == "C0:74:AD:00:00:01"
            assert "cdr_root" in ucm.request("cdrapi", format="json")
            assert ucm.raw("cdrapi", format="csv").startswith(b"AcctId")
        assert actions(pbx) == ["challenge", "login", "getSystemStatus", "cdrapi", "cdrapi", "logout"]


def test_the_password_may_come_when_it_is_needed() -> None:
    asked: list[int] = []

    def supply() -> str:
        asked.append(1)
        return PASSWORD

    with Simulator() as pbx, session(pbx) as ucm:
        ucm._password = supply
        ucm.challenge()
        assert not asked
        ucm.request("getSystemStatus")
        pbx.expire_sessions()
        ucm.request("getSystemStatus")
    assert asked == [1]


def test_no_password() -> None:
    with Simulator() as pbx, session(pbx, "") as ucm, pytest.raises(SettingError, match="no password"):
        ucm.login()


def test_a_wrong_password_is_tried_once() -> None:
    with Simulator() as pbx, session(pbx, "wrong") as ucm:
        for _ in range(5):
            with pytest.raises(LoginRefused, match="4 tries left") as caught:
                ucm.request("getSystemStatus")
            assert caught.value.status == -37
        assert actions(pbx) == ["challenge", "login"]


def test_an_unknown_user() -> None:
    with Simulator() as pbx, session(pbx, user="nobody") as ucm:
        for _ in range(2):
            with pytest.raises(LoginRefused, match="user name does not exist"):
                ucm.login()
        assert actions(pbx) == ["challenge"]


def test_locked_out() -> None:
    with Simulator(login_rules=LoginRules(attempts=2, lock_s=300)) as pbx:
        for _ in range(2):
            with session(pbx, "wrong") as ucm, pytest.raises(LoginRefused):
                ucm.login()
        with session(pbx) as ucm:
            for _ in range(3):
                with pytest.raises(LockedOut, match=r"locked for (299|300) s") as caught:
                    ucm.login()
            assert "Login Restrictions" in caught.value.hint
        assert actions(pbx).count("challenge") == 3


def test_an_expired_cookie_costs_one_login() -> None:
    with Simulator() as pbx, session(pbx) as ucm:
        ucm.request("getSystemStatus")
        pbx.expire_sessions()
        ucm.request("getSystemStatus")
        assert actions(pbx) == [
            "challenge",
            "login",
            "getSystemStatus",
            "getSystemStatus",
            "challenge",
            "login",
            "getSystemStatus",
        ]


def test_a_cookie_that_never_holds_is_an_error(tmp_path: Path) -> None:
    def answer(action: str, params: Any) -> Any:
        return {"response": {}, "status": -6} if action == "listAccount" else None

    with stub(tmp_path, answer) as pbx, Session(pbx.url, fingerprint=pbx.fingerprint) as ucm:
        with pytest.raises(SessionExpired):
            ucm.request("listAccount")
        assert pbx.actions == ["challenge", "login", "listAccount"] * 2


def test_a_password_changed_in_the_middle() -> None:
    users = {"cdrapi": User(PASSWORD)}
    with Simulator(users=users) as pbx, session(pbx) as ucm:
        ucm.login()
        pbx._access.users["cdrapi"] = User("another")
        pbx.expire_sessions()
        for _ in range(3):
            with pytest.raises(LoginRefused):
                ucm.request("getSystemStatus")
        assert actions(pbx).count("login") == 2


def test_forbidden_action() -> None:
    with (
        Simulator(users={"cdrapi": User(PASSWORD, frozenset({"cdrapi"}))}) as pbx,
        session(pbx) as ucm,
        pytest.raises(NotPermitted, match="refused 'listAccount'"),
    ):
        ucm.request("listAccount")


def test_address_not_permitted() -> None:
    with (
        Simulator(permitted=["192.0.2.0/255.255.255.0"]) as pbx,
        session(pbx) as ucm,
        pytest.raises(NotPermitted, match="does not let this address in") as caught,
    ):
        ucm.login()
    assert "Permitted IP(s)" in caught.value.hint


def test_api_off() -> None:
    with Simulator(enabled=False) as pbx, session(pbx) as ucm, pytest.raises(UCMError) as caught:
        ucm.login()
    assert caught.value.status == -1


def test_busy_waits_as_the_code_says(tmp_path: Path) -> None:
    codes = [-45, -57, -46, 0]

    def answer(action: str, params: Any) -> Any:
        return {"response": {"account": []}, "status": codes.pop(0)} if action == "listAccount" else None

    with (
        stub(tmp_path, answer) as pbx,
        Session(pbx.url, fingerprint=pbx.fingerprint, retries=Retries(jitter=0.0)) as ucm,
    ):
        assert ucm.request("listAccount") == {"account": []}
    assert ucm.waits == [15.0, 60.0, 15.0]


def test_busy_login_is_repeated(tmp_path: Path) -> None:
    codes = [-45, 0]

    def answer(action: str, params: Any) -> Any:
        return {"response": {"cookie": "sid1-1"}, "status": codes.pop(0)} if action == "login" else None

    with (
        stub(tmp_path, answer) as pbx,
        Session(pbx.url, fingerprint=pbx.fingerprint, retries=Retries(jitter=0.0)) as ucm,
    ):
        ucm.login()
    assert pbx.actions == ["challenge", "login", "challenge", "login", "logout"]
    assert ucm.waits == [15.0]


def test_bursts_of_the_simulated_pbx_end_in_busy() -> None:
    with Simulator(burst=(3, 60.0), clock=lambda: 1_772_500_000.0) as pbx:
        ucm = session(pbx, retries=Retries(attempts=2, jitter=0.0))
        ucm.request("getSystemStatus")
        with pytest.raises(Busy, match="asked too often"):
            ucm.request("getSystemStatus")
        assert ucm.waits == [15.0]


def test_waits_grow_and_vary() -> None:
    policy = Retries(attempts=4, backoff_s=1.0, jitter=0.25)
    for attempt, least in ((1, 1.0), (2, 2.0), (3, 4.0)):
        waits = [policy.wait_s(attempt) for _ in range(50)]
        assert least <= min(waits) < max(waits) <= 1.25 * least
    assert 15.0 <= policy.wait_s(3, 15.0) <= 18.75


@pytest.mark.parametrize("fault", ["reset", "http-500"])
def test_retries_are_bounded(fault: str) -> None:
    with Simulator() as pbx, session(pbx) as ucm:
        pbx.faults.arm(fault, times=None, after=0, action="getSystemStatus")
        with pytest.raises(Unreachable):
            ucm.request("getSystemStatus")
        assert actions(pbx).count("getSystemStatus") == 4
        assert ucm.waits == [1.0, 2.0, 4.0]


def test_a_lasting_html_page_is_an_error_after_one_more_login() -> None:
    with Simulator() as pbx, session(pbx) as ucm:
        pbx.faults.arm("html", times=None, after=0, action="getSystemStatus")
        with pytest.raises(UnexpectedAnswer, match="HTML"):
            ucm.request("getSystemStatus")
        assert actions(pbx) == ["challenge", "login", "getSystemStatus"] * 2


@pytest.mark.parametrize("body", [b"[1,2]", b"hello", b"", b'{"response":{"mac":"C0:74'])
def test_answers_that_are_no_object(body: bytes, tmp_path: Path) -> None:
    def answer(action: str, params: Any) -> Any:
        return (200, body) if action == "getSystemStatus" else None

    with (
        stub(tmp_path, answer) as pbx,
        Session(pbx.url, fingerprint=pbx.fingerprint) as ucm,
        pytest.raises(UnexpectedAnswer, match="no JSON object"),
    ):
        ucm.request("getSystemStatus")


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, UnexpectedAnswer), (301, UnexpectedAnswer), (401, UnexpectedAnswer), (403, NotPermitted)],
)
def test_other_http_answers(status: int, error: type[UCMError], tmp_path: Path) -> None:
    with (
        stub(tmp_path, lambda action, params: (status, b"")) as pbx,
        Session(pbx.url, fingerprint=pbx.fingerprint) as ucm,
        pytest.raises(error, match=str(status)),
    ):
        ucm.login()


def test_one_request_at_a_time(tmp_path: Path) -> None:
    running, most = 0, 0
    guard = threading.Lock()

    def answer(action: str, params: Any) -> Any:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with guard:
            running -= 1
        return None

    with stub(tmp_path, answer) as pbx, Session(pbx.url, fingerprint=pbx.fingerprint) as ucm:
        threads = [threading.Thread(target=ucm.request, args=("getSystemStatus",)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most == 1
        assert pbx.actions.count("login") == 1
        assert pbx.actions.count("getSystemStatus") == 12


CANARY = "canary-pw-7f3e"
COOKIE = "sid990011223-1771599999"
CHALLENGE = "0000000099887766"
TOKEN = "a05ff7dc1ed5b5ec48bd39a2ba14bdc8"  # md5 of the two


def _everything(error: BaseException) -> str:
    """Traceback, repr, str, and attributes of an error and of all that caused it."""
    said = "".join(traceback.format_exception(error))
    seen: list[BaseException | None] = [error]
    while (last := seen[-1]) is not None:
        said += f"{last!s}{last!r}{vars(last)!r}{last.args!r}"
        request = getattr(last, "request", None)
        said += repr(getattr(request, "body", ""))
        seen.append(last.__cause__ or last.__context__)
    return said


ANSWERS: dict[str, Any] = {
    "every code": lambda n: {"response": {"error_msg": f"{COOKIE} {TOKEN}"}, "status": n},
    "html": lambda n: (200, f"<html>{COOKIE} {TOKEN} {CHALLENGE}</html>".encode()),
    "cut off": lambda n: (200, f'{{"response":{{"cookie":"{COOKIE}","challenge":"{CHALLENGE}","x":"'.encode()),
    "no cookie": lambda n: {"response": {"cooky": COOKIE}, "status": 0},
    "http 500": lambda n: (500, f"{COOKIE}".encode()),
    "http 404": lambda n: (404, f"{COOKIE} {TOKEN}".encode()),
    "nonsense": lambda n: (200, f'"{COOKIE}{TOKEN}"'.encode()),
}


@pytest.mark.parametrize("at", ["challenge", "login", "getSystemStatus", "cdrapi", "logout"])
@pytest.mark.parametrize("kind", sorted(ANSWERS))
def test_secrets_stay_secret(kind: str, at: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    statuses = sorted(CODES) if kind == "every code" else [0]
    answered = [0]

    def answer(action: str, params: Any) -> Any:
        if action == at:
            return ANSWERS[kind](answered[-1])
        usual = {"challenge": {"challenge": CHALLENGE}, "login": {"cookie": COOKIE}}
        return {"response": usual[action], "status": 0} if action in usual else None

    said = ""
    with stub(tmp_path, answer) as pbx:
        for status in statuses:
            answered.append(status)
            ucm = Session(pbx.url, CANARY, fingerprint=pbx.fingerprint, retries=Retries(attempts=2))
            asks = (ucm.login, partial(ucm.request, "getSystemStatus"), partial(ucm.raw, "cdrapi"), ucm.logout)
            for ask in asks:
                try:
                    ask()
                except UCMError as error:
                    said += _everything(error)
            said += repr(ucm)
            ucm.close()
    said += caplog.text
    assert "logged in" in caplog.text or at in ("challenge", "login")
    for secret in (CANARY, COOKIE, COOKIE[3:12], TOKEN, CHALLENGE):
        assert secret not in said


def test_secrets_stay_secret_when_the_connection_breaks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = ""
    with Simulator(users={"cdrapi": User(CANARY)}, slow_s=1.0) as pbx:
        for fault in ("reset", "http-500", "html", "truncated", "expire-cookie", "slow"):
            for action in ("challenge", "login", "getSystemStatus"):
                pbx.faults.arm(fault, times=None, after=0, action=action)
                ucm = session(pbx, CANARY, retries=Retries(attempts=2), timeout=(2.0, 0.2))
                try:
                    ucm.request("getSystemStatus")
                except UCMError as error:
                    said += _everything(error)
                    assert ucm._cookie is None or ucm._cookie not in said
                said += repr(ucm)
                pbx.faults.disarm(fault)
                ucm.close()
    assert said.count("Traceback") > 10
    assert CANARY not in said + caplog.text
    assert "sid" not in caplog.text
