"""Every return code of the vendor's table is one error, with a hint that names a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sources.pbxs import Session, stub
from ucm_analytics.errors import (
    APIError,
    Busy,
    LockedOut,
    LoginRefused,
    NotPermitted,
    RequestRejected,
    SessionExpired,
)
from ucm_analytics.sources.ucm import Retries
from ucm_analytics.sources.ucm.codes import CODES, raise_for

TABLE = {
    RequestRejected: [-1, -9, -15, -16, -19, -24, -25, -26, -43, -44, -50],
    SessionExpired: [-5, -6, -8],
    LoginRefused: [-37, -71],
    LockedOut: [-68, -70],
    NotPermitted: [-10, -47],
    Busy: [-7, -45, -46, -51, -57, -69, -90, -98],
}


def test_the_table_holds_the_vendors_codes() -> None:
    assert sorted(CODES) == sorted(code for codes in TABLE.values() for code in codes)
    assert {code: CODES[code].wait_s for code in CODES if CODES[code].wait_s} == {-45: 15, -46: 15, -57: 60}


@pytest.mark.parametrize(("error", "status"), [(e, status) for e, codes in TABLE.items() for status in codes])
def test_every_code_over_the_wire(error: type[APIError], status: int, tmp_path: Path) -> None:
    def answer(action: str, params: Any) -> Any:
        return {"response": {}, "status": status} if action == "listAccount" else None

    with stub(tmp_path, answer) as pbx:
        ucm = Session(pbx.url, fingerprint=pbx.fingerprint, retries=Retries(attempts=2, jitter=0.0))
        with pytest.raises(error) as caught:
            ucm.request("listAccount")
        ucm.close()
    assert type(caught.value) is error
    assert caught.value.status == status
    assert caught.value.hint
    assert f"status {status}: {CODES[status].meaning}" in caught.value.message
    assert pbx.url.removeprefix("https://") in caught.value.message
    wait = CODES[status].wait_s
    assert ucm.waits == ([wait] if wait else [])
    assert pbx.actions.count("listAccount") == (2 if wait or error is SessionExpired else 1)


def test_success_and_unknown_codes() -> None:
    raise_for(0, "cdrapi", {}, "192.0.2.10:8089", "cdrapi")
    with pytest.raises(APIError, match="status -999") as caught:
        raise_for(-999, "cdrapi", None, "192.0.2.10:8089", "cdrapi")
    assert type(caught.value) is APIError


def test_what_is_left_after_a_wrong_password() -> None:
    with pytest.raises(LoginRefused) as caught:
        raise_for(-37, "login", {"remain_num": 4, "remain_time": 0}, "192.0.2.10:8089", "cdrapi")
    assert caught.value.message == (
        "PBX 192.0.2.10:8089 refused the login of user 'cdrapi' (status -37: wrong account or password; 4 tries left)"
    )
    assert "HTTPS API Settings (New)" in caught.value.hint
    with pytest.raises(LockedOut, match="locked for 300 s"):
        raise_for(-68, "login", {"remain_num": "0", "remain_time": "300"}, "192.0.2.10:8089", "cdrapi")


@pytest.mark.parametrize("status", ["-47", -47])
def test_codes_as_text_and_beside_the_response(status: object, tmp_path: Path) -> None:
    def answer(action: str, params: Any) -> Any:
        return {"response": None, "status": status, "remain_num": 3} if action == "listAccount" else None

    with stub(tmp_path, answer) as pbx:
        ucm = Session(pbx.url, fingerprint=pbx.fingerprint)
        with pytest.raises(NotPermitted, match="3 tries left"):
            ucm.request("listAccount")
        ucm.close()
