"""Logins, cookies, permissions, lock-outs and bursts."""

from __future__ import annotations

import re

import pytest

from tests.simulator.pbx import Asker, connected
from ucm_analytics.simulator import LoginRules, Simulator, User
from ucm_analytics.simulator.access import token_of


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_771_597_757.0

    def __call__(self) -> float:
        return self.now


def test_token_of_the_published_example() -> None:
    assert token_of("0000000891268968", "cdrapi123") == "f6cbb7818d08cbcd09549a382a3f14f9"


def test_challenge_and_cookie_have_the_shape_of_the_device() -> None:
    with Simulator(clock=Time()) as pbx:
        asker = Asker(pbx)
        challenge = asker.ask("challenge", user="cdrapi", version="1.0")
        assert re.fullmatch(r"\d{16}", challenge["response"]["challenge"])
        assert list(challenge) == ["response", "status"]
        cookie = asker.login()["response"]["cookie"]
        assert re.fullmatch(r"sid\d+-1771597757", cookie)
        asker.connection.close()


def test_a_challenge_is_used_once_and_belongs_to_its_user() -> None:
    users = {"one": User("first"), "two": User("second")}
    with Simulator(users=users) as pbx:
        asker = Asker(pbx)
        of_one = asker.ask("challenge", user="one")["response"]["challenge"]
        asker.ask("challenge", user="two")
        assert asker.status("login", user="two", token=token_of(of_one, "second")) == -37
        assert asker.status("login", user="one", token=token_of(of_one, "first")) == 0
        assert asker.status("login", user="one", token=token_of(of_one, "first")) == -37
        asker.connection.close()


def test_a_missing_cookie_and_an_unknown_one() -> None:
    with Simulator() as pbx:
        asker = Asker(pbx)
        assert asker.ask("getSystemStatus") == {"response": {}, "status": -5}
        assert asker.status("getSystemStatus", cookie="sid1-1") == -6
        asker.connection.close()


def test_logout_ends_the_session_and_others_go_on() -> None:
    pbx = Simulator()
    with connected(pbx) as asker:
        first = asker.cookie
        asker.login()
        assert asker.status("logout", cookie=first) == 0
        assert asker.status("getSystemStatus", cookie=first) == -6
        assert asker.status("getSystemStatus") == 0
        pbx.expire_sessions()
        assert asker.status("getSystemStatus") == -6


@pytest.mark.parametrize(("timeout", "statuses"), [("absolute", [0, 0, -6]), ("sliding", [0, 0, 0])])
def test_cookie_times_out_after_ten_minutes(timeout: str, statuses: list[int]) -> None:
    clock = Time()
    with connected(Simulator(clock=clock, cookie_timeout=timeout)) as asker:  # type: ignore[arg-type]
        seen = []
        for elapsed in (300, 299, 1):
            clock.now += elapsed
            seen.append(asker.status("getSystemStatus"))
        assert seen == statuses
        clock.now += 600
        assert asker.status("getSystemStatus") == -6


def test_wrong_passwords_lock_the_address_and_time_frees_it() -> None:
    clock = Time()
    with Simulator(clock=clock, login_rules=LoginRules(attempts=3, lock_s=60)) as pbx:
        asker = Asker(pbx)
        wrong = [asker.login(password="guess") for _ in range(3)]
        assert [answer["status"] for answer in wrong] == [-37, -37, -37]
        assert [answer["response"] for answer in wrong] == [
            {"remain_num": 2, "remain_time": 0},
            {"remain_num": 1, "remain_time": 0},
            {"remain_num": 0, "remain_time": 60},
        ]
        clock.now += 20
        assert asker.ask("challenge", user="cdrapi") == {
            "response": {"remain_num": 0, "remain_time": 40},
            "status": -68,
        }
        assert [asker.status("login", user="cdrapi", token="") for _ in range(3)] == [-68, -68, -70]
        clock.now += 59
        assert asker.login()["status"] == -70
        clock.now += 1
        assert asker.login()["status"] == 0
        asker.connection.close()


def test_a_good_login_forgets_the_wrong_ones() -> None:
    with Simulator(login_rules=LoginRules(attempts=2)) as pbx:
        asker = Asker(pbx)
        statuses = [asker.login(password=word)["status"] for word in ("no", "cdrapi123", "no", "cdrapi123")]
        assert statuses == [-37, 0, -37, 0]
        asker.connection.close()


def test_unknown_user() -> None:
    with Simulator() as pbx:
        asker = Asker(pbx)
        assert asker.status("challenge", user="nobody") == -71
        assert asker.status("login", user="nobody", token="x") == -71
        asker.connection.close()


def test_permissions_and_unknown_actions() -> None:
    users = {"cdrapi": User("cdrapi123", permissions=frozenset({"listAccount"}))}
    with connected(Simulator(users=users)) as asker:
        assert asker.status("listAccount") == 0
        assert asker.status("cdrapi", format="csv") == -47
        assert asker.status("noSuchAction") == -47
        assert asker.status("logout") == 0
    with connected(Simulator()) as asker:
        assert asker.status("noSuchAction") == -47


@pytest.mark.parametrize(
    ("permitted", "status"),
    [(["192.0.2.0/24"], 403), (["192.0.2.7/255.255.255.255", "127.0.0.0/8"], 200), ([], 403)],
)
def test_permitted_addresses(permitted: list[str], status: int) -> None:
    with Simulator(permitted=permitted) as pbx:
        asker = Asker(pbx)
        code, page = asker.send(b'{"request":{"action":"challenge","user":"cdrapi"}}')
        assert code == status
        assert (b"403 Forbidden" in page) == (status == 403)
        asker.connection.close()


def test_api_switched_off() -> None:
    with Simulator(enabled=False) as pbx:
        asker = Asker(pbx)
        assert asker.status("challenge", user="cdrapi") == -1
        asker.connection.close()


def test_bursts_are_told_to_wait() -> None:
    clock = Time()
    pbx = Simulator(clock=clock, burst=(3, 10))
    with connected(pbx) as asker:  # challenge and login are the first two
        assert [asker.status("getSystemStatus") for _ in range(5)] == [0, -45, -45, -45, -57]
        clock.now += 10
        assert asker.status("getSystemStatus") == 0
