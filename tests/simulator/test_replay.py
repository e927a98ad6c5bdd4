"""Records of real answers, served as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.pbx import call, connected, leg
from ucm_analytics.errors import SettingError
from ucm_analytics.simulator import Simulator


def row(start: str, dst: str, **fields: Any) -> dict[str, Any]:
    return {"cdr": "", "AcctId": "7", "src": "Señor", "dst": dst, "start": start, "end": "", **fields}


def write(path: Path, answer: Any) -> Path:
    path.write_text(json.dumps(answer, indent=1))
    return path


def compact(elements: Any) -> bytes:
    return json.dumps({"cdr_root": elements}, ensure_ascii=False, separators=(",", ":")).encode()


def served(*paths: Path, **params: Any) -> bytes:
    with connected(Simulator(replay=paths)) as asker:
        return asker.raw("cdrapi", format="json", **params)


FIRST, SECOND = row("2026-03-02 08:00:00", "1001"), row("2026-03-02 09:00:00", "1002")
STALE_GROUP = {
    "cdr": "",
    "main_cdr": row("2026-01-01 00:00:00", "old"),
    "sub_cdr_1": row("2026-03-02 10:00:00", "1003"),
    "sub_cdr_10": row("2026-03-02 10:30:00", "1005"),
    "sub_cdr_2": row("2026-03-02 10:10:00", "1004", new_field="", count=3, none=None),
}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda elements: {"cdr_root": elements},
        lambda elements: {"cdr": elements},
        lambda elements: {"response": {"cdr_root": elements}, "status": 0},
        lambda elements: elements,
    ],
)
def test_any_wrapper_or_none(tmp_path: Path, wrapped: Any) -> None:
    elements = [FIRST, SECOND, STALE_GROUP]
    assert served(write(tmp_path / "a.json", wrapped(elements))) == compact(elements)


def test_one_bare_element_and_a_byte_order_mark(tmp_path: Path) -> None:
    assert served(write(tmp_path / "a.json", STALE_GROUP)) == compact([STALE_GROUP])
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf" + json.dumps([FIRST]).encode())
    assert served(tmp_path / "b.json") == compact([FIRST])


def test_one_file_keeps_its_order_and_several_merge_by_start(tmp_path: Path) -> None:
    shuffled = write(tmp_path / "a.json", [SECOND, FIRST, None, "", STALE_GROUP])
    assert served(shuffled) == compact([SECOND, FIRST, None, "", STALE_GROUP])
    early, late = write(tmp_path / "b.json", [FIRST, STALE_GROUP]), write(tmp_path / "c.json", [SECOND])
    assert served(early, late) == served(late, early) == compact([FIRST, SECOND, STALE_GROUP])


def test_filters_look_at_the_first_leg_and_not_at_a_stale_main_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [SECOND, FIRST, STALE_GROUP])
    assert served(path, endTime="2026-03-01") == compact([])
    assert served(path, startTime="2026-03-02T08:00:00", endTime="2026-03-02T08:30:00") == compact([FIRST])
    assert served(path, startTime="2026-03-02T09:00:00") == compact([SECOND, STALE_GROUP])
    assert served(path, callee="1004") == compact([STALE_GROUP])
    assert served(path, numRecords=1, offset=1) == compact([FIRST])


def test_replayed_records_in_other_formats(tmp_path: Path) -> None:
    with connected(Simulator(replay=[write(tmp_path / "a.json", [FIRST, STALE_GROUP])])) as asker:
        lines = asker.raw("cdrapi", format="csv").decode().splitlines()
    assert lines[0] == "AcctId,src,dst,start,end,new_field,count,none"
    assert [line.split(",")[2] for line in lines[1:]] == ["1001", "1003", "1004", "1005"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('"\xff"', "is not JSON"),
        ('{"response":{"challenge":"0"},"status":0}', "holds no call records"),
        ("[1, 2]", "holds no call records"),
        ("7", "holds no call records"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingError, match=message):
        Simulator(replay=[path])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot read the replay file .*gone\.json: No such file"):
        Simulator(replay=[tmp_path / "gone.json"])


def test_what_a_replay_cannot_do(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", [FIRST])
    with pytest.raises(SettingError, match="cannot be paged by rows"):
        Simulator(replay=[path], offset_unit="row")
    with pytest.raises(SettingError, match="cannot be added to a replay"):
        Simulator(replay=[path]).add(call(leg("2026-03-02 08:00:00", 1)))
