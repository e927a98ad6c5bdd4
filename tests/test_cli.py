"""The command line as a person, or a script, meets it: real processes, real TLS."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from tests.command import COMMAND, run

CORE = {"call-volume", "durations", "extensions", "ivr-paths"}
FIRST, LAST = "2026-03-09", "2026-03-11"


class Shell:
    """Runs the command with settings of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("UCM_")},
            "UCM_CONFIG": str(folder / "config.toml"),
            "UCM_DATA": str(folder / "store"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "COLUMNS": "100",
        }

    def __call__(self, *words: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        done = run(words, env={**self.env, **env}, folder=self.folder)
        assert done.returncode == code, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`ucm-analytics simulate` as a process of its own; what it said when it was ready."""
    folder = tmp_path_factory.mktemp("simulate")
    words = ["--from", FIRST, "--to", LAST, "--calls-per-day", "60", "--port-file", "port", "--truth", "truth"]
    with simulated(*words, folder=folder, password="canary-7") as ready:
        yield {**ready, "folder": str(folder)}


@contextmanager
def simulated(*words: str, folder: Path, password: str = "cdrapi123") -> Iterator[dict[str, str]]:
    """`ucm-analytics simulate` as a process of its own; gives what it says when it is ready."""
    with subprocess.Popen(
        [COMMAND, "simulate", *words],
        env={**os.environ, "UCM_SIM_PASSWORD": password},
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.fixture(scope="module")
def stored(pbx: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell that has connected and synced."""
    shell = Shell(tmp_path_factory.mktemp("stored"))
    secret = {"UCM_PASSWORD": "canary-7", "UCM_TIMEZONE": "Europe/Berlin"}
    shell("connect", pbx["url"], "--name", "clinic", UCM_FINGERPRINT=pbx["fingerprint"], **secret)
    shell("sync", "--since", FIRST, "--until", LAST, UCM_PASSWORD="canary-7")
    return shell


def test_ready_line_port_file_and_truth(pbx: dict[str, str]) -> None:
    assert set(pbx) == {"url", "user", "fingerprint", "folder"}
    assert pbx["url"] == f"https://127.0.0.1:{(Path(pbx['folder']) / 'port').read_text().strip()}"
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", pbx["fingerprint"])
    truth = (Path(pbx["folder"]) / "truth" / "calls.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in truth]) > 100


def test_connect_says_each_step_and_remembers(pbx: dict[str, str], shell: Shell) -> None:
    secret = {"UCM_PASSWORD": "canary-7", "UCM_FINGERPRINT": pbx["fingerprint"], "UCM_TIMEZONE": "Europe/Berlin"}
    done = shell("connect", pbx["url"], "--user", "cdrapi", "--name", "clinic", **secret)
    steps = re.findall(r"^ok +([A-Za-z ]+):", done.stderr, re.M)
    assert steps == ["reachable", "TLS", "certificate", "API", "address", "user", "password", "CDR permission", "clock"]
    assert done.stdout.startswith("connected to clinic: ")
    remembered = (shell.folder / "config.toml").read_text()
    assert pbx["fingerprint"] in remembered
    assert "Europe/Berlin" in remembered
    assert "canary" not in remembered + done.stdout + done.stderr


def test_connect_stops_at_the_first_thing_that_fails(pbx: dict[str, str], shell: Shell) -> None:
    trusted = {"UCM_FINGERPRINT": pbx["fingerprint"]}
    done = shell("connect", pbx["url"], code=1, UCM_PASSWORD="wrong-canary", **trusted)
    assert "FAIL  password" in done.stderr
    assert "API Configuration" in done.stderr
    assert "canary" not in done.stderr
    assert not (shell.folder / "config.toml").exists()


def test_an_unknown_certificate_is_not_trusted_in_silence(pbx: dict[str, str], shell: Shell) -> None:
    done = shell("connect", pbx["url"], code=1, UCM_PASSWORD="canary-7")
    assert pbx["fingerprint"] in done.stderr
    said, *_ = re.findall(r"SHA-256 ([0-9A-F:]{95})", done.stderr)
    assert "set UCM_FINGERPRINT to its SHA-256" in done.stderr
    shell("connect", pbx["url"], UCM_PASSWORD="canary-7", UCM_FINGERPRINT=said, UCM_TIMEZONE="Europe/Berlin")
    wrong = "00:" * 31 + "00"
    done = shell("connect", pbx["url"], code=1, UCM_PASSWORD="canary-7", UCM_FINGERPRINT=wrong)
    assert pbx["fingerprint"] in done.stderr
    assert wrong in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [("https://127.0.0.1:1", "hint"), ("http://127.0.0.1:8089", "https"), ("https://no.such.host.invalid", "hint")],
)
def test_connect_to_nowhere(url: str, words: str, shell: Shell) -> None:
    assert words in shell("connect", url, code=1, UCM_PASSWORD="x").stderr.lower()


def test_no_password_and_nobody_to_ask(pbx: dict[str, str], shell: Shell) -> None:
    done = shell("connect", pbx["url"], code=1, UCM_FINGERPRINT=pbx["fingerprint"])
    assert "UCM_PASSWORD" in done.stderr


def test_status(stored: Shell, shell: Shell) -> None:
    answer = json.loads(stored("status", "--json").stdout)
    clinic = answer["pbxs"]["clinic"]
    assert (clinic["first_day"], clinic["last_day"]) == (FIRST, LAST)
    assert (clinic["settled_days"], clinic["provisional_days"], clinic["missing_days"]) == (3, 0, 0)
    assert clinic["legs"] > 300
    assert f"{clinic['legs']:,} records" in stored("status").stdout
    assert "empty" in shell("status").stdout


def test_a_second_sync_asks_for_nothing_settled(stored: Shell) -> None:
    done = stored("sync", "--since", FIRST, "--until", LAST, UCM_PASSWORD="canary-7")
    assert "0 days asked" in done.stdout


def test_reports_lists_each_with_its_question(shell: Shell) -> None:
    lines = shell("reports").stdout.splitlines()
    assert {line.split()[0] for line in lines} >= CORE
    assert all(line.endswith("?") for line in lines)


def test_report(stored: Shell) -> None:
    done = stored("report", "--all", "--from", FIRST, "--to", LAST, "--out", "out", "--format", "html,csv")
    files = [Path(line) for line in done.stdout.splitlines()]
    assert all((stored.folder / file).stat().st_size for file in files)
    assert {f"{name}.html" for name in CORE | {"index"}} <= {f.name for f in files}
    assert "calls" in done.stderr


def test_several_reports_by_name(stored: Shell) -> None:
    done = stored("report", "queues", "callers", "queues", "--from", FIRST, "--to", LAST, "--out", "two")
    assert done.stdout.split() == ["two/index.html", "two/queues.html", "two/callers.html"]
    assert len(re.findall(r"^\* ", done.stderr, re.M)) == 2


def test_report_on_days_that_were_never_pulled(stored: Shell) -> None:
    done = stored("report", "durations", "--month", "2026-03", "--out", "out", code=3)
    assert "28 of 31 days" in done.stderr
    assert (stored.folder / "out" / "durations.html").exists()


def test_a_periodic_report_and_its_verification(stored: Shell) -> None:
    done = stored("report", "daily", "--day", FIRST, "--out", "daily", "--format", "html")
    assert done.stdout == f"daily/{FIRST}\n"
    assert "settled" in done.stderr
    assert (stored.folder / "daily" / FIRST / "manifest.json").exists()
    assert stored("verify", f"daily/{FIRST}").stdout == f"{FIRST}: unchanged\n"
    (stored.folder / "daily" / FIRST / "durations.html").write_text("other")
    done = stored("verify", f"daily/{FIRST}", code=3)
    assert "durations.html is not as it was written" in done.stdout


def test_an_unsettled_period_is_not_presented(stored: Shell) -> None:
    done = stored("report", "weekly", "--week", "2026-W11", "--out", "weekly", code=3)
    assert done.stdout == ""
    assert "--provisional" in done.stderr
    assert not (stored.folder / "weekly").exists()


def test_schedule(shell: Shell) -> None:
    done = shell("schedule", "weekly", "--at", "07:30", "--system", "cron", "--mail", "manager@example.org")
    (file,) = done.stdout.split()
    line = (shell.folder / file).read_text().splitlines()[-1]
    assert line.startswith("30 7 * * 1-3 ")
    assert f"{COMMAND} report weekly --week last" in line
    assert "--mail manager@example.org" in line


def test_export_scenario(stored: Shell) -> None:
    stored("export", "calls", "--from", FIRST, "--to", LAST, "--format", "parquet", "--out", "c.parquet")
    calls = pd.read_parquet(stored.folder / "c.parquet")
    call = calls[(calls["direction"] == "inbound") & (calls["outcome"] == "answered")].iloc[0]
    stored("export", "scenario", call["call_id"], "--out", "story.txt")
    story = (stored.folder / "story.txt").read_text()
    assert "outcome = answered" in story
    assert call["caller"] not in story
    assert "CALL_ID" in stored("export", "scenario", "--out", "x", code=2).stderr
    assert "no-such-call" in stored("export", "scenario", "no-such-call", "--out", "x", code=1).stderr


@pytest.mark.parametrize("table", ["calls", "legs", "steps"])
def test_export(table: str, stored: Shell) -> None:
    made = {}
    for form in ("csv", "parquet", "xlsx"):
        file = f"{table}.{form}"
        done = stored("export", table, "--from", FIRST, "--to", LAST, "--format", form, "--out", file)
        made[form] = stored.folder / file
        assert file in done.stdout
    frame = pd.read_parquet(made["parquet"])
    with made["csv"].open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(frame) > 100
    assert [row["call_id"] for row in rows] == frame["call_id"].tolist()
    with zipfile.ZipFile(made["xlsx"]) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == len(frame) + 1
    assert "<f>" not in sheet


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("report",), 2, "--all"),
        (("report", "call-volume"), 2, "--month"),
        (("report", "call-volume", "--month", "2026-03", "--week", "2026-W10"), 2, "--month"),
        (("report", "call-volume", "--from", "2026-03-01"), 2, "--to"),
        (("report", "nothing", "--month", "2026-03"), 1, "call-volume"),
        (("report", "durations", "nothing", "--month", "2026-03"), 1, "call-volume"),
        (("report", "durations", "--all", "--month", "2026-03"), 2, "--all"),
        (("report", "durations", "--mail", "a@example.org", "--month", "2026-03"), 2, "--mail"),
        (("report", "--verify", "daily"), 2, "--verify"),
        (("report", "daily", "--week", "last"), 2, "--week"),
        (("report", "weekly", "--from", FIRST, "--to", LAST), 2, "--from"),
        (("report", "--week", "2026-W11", "weekly"), 2, "right after report"),
        (("report", "weekly", "durations"), 2, "durations"),
        (("report", "monthly", "--month", "2026-W11"), 1, "monthly report"),
        (("verify", "nowhere"), 1, "manifest.json"),
        (("report", "durations", "--month", "2026-13"), 1, "2026-13"),
        (("report", "durations", "--month", "2026-03", "--format", "doc"), 2, "doc"),
        (("report", "durations", "--month", "2026-03", "--pbx", "other"), 1, "clinic"),
        (("report", "durations", "--from", FIRST, "--to", LAST, "--out", "/proc/none"), 1, "cannot write"),
        (("export", "rings", "--from", FIRST, "--to", LAST, "--out", "x"), 2, "calls"),
        (("export", "calls", "--from", LAST, "--to", FIRST, "--out", "x"), 1, "swap"),
        (("export", "calls", "--from", FIRST, "--to", LAST, "--out", "/proc/none/x.csv"), 1, "cannot write"),
        (("sync", "--since", "yesterday"), 1, "YYYY-MM-DD"),
        (("sync", "--since", LAST, "--until", FIRST), 1, "swap"),
        (("sync", "--pbx", "other"), 1, "connect"),
        (("simulate", "--profile", "f99"), 1, "f43"),
        (("simulate", "--fault", "nonsense"), 1, "reset"),
        (("simulate", "--replay", "/no/such/file"), 1, "/no/such/file"),
        (("explore", "--port", "many"), 2, "--port"),
        (("nonsense",), 2, "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_words(words: tuple[str, ...], code: int, message: str, stored: Shell) -> None:
    done = stored(*words, code=code, UCM_PASSWORD="canary-7")
    assert message in done.stderr
    assert done.stdout == ""


def test_unknown_zone_in_the_settings(stored: Shell) -> None:
    assert "IANA" in stored("sync", code=1, UCM_TIMEZONE="Mars/Base", UCM_PASSWORD="canary-7").stderr


def test_wrong_password_is_asked_once(stored: Shell) -> None:
    done = stored("sync", "--since", "2026-03-12", code=1, UCM_PASSWORD="wrong-canary")
    assert "refused" in done.stderr
    assert "canary" not in done.stderr


def test_a_broken_answer_is_asked_for_again(shell: Shell) -> None:
    words = ["--from", FIRST, "--to", LAST, "--calls-per-day", "30", "--fault", "truncated", "reset"]
    with simulated(*words, folder=shell.folder) as ready:
        env = {
            "UCM_URL": ready["url"],
            "UCM_FINGERPRINT": ready["fingerprint"],
            "UCM_PASSWORD": "cdrapi123",
            "UCM_TIMEZONE": "Europe/Berlin",
        }
        done = shell("sync", "--since", FIRST, "--until", LAST, **env)
        assert "3 days asked" in done.stdout
        assert json.loads(shell("status", "--json").stdout)["pbxs"]["pbx"]["settled_days"] == 3


def test_replay_of_several_files(shell: Shell) -> None:
    element = {
        "cdr": "",
        "AcctId": "1",
        "src": "12025550142",
        "dst": "1004",
        "channel": "PJSIP/trunk_1-00000001",
        "dstchannel": "PJSIP/1004-00000002",
        "lastapp": "Dial",
        "start": "2026-03-10 09:00:00",
        "answer": "2026-03-10 09:00:05",
        "end": "2026-03-10 09:01:05",
        "duration": "65",
        "billsec": "60",
        "disposition": "ANSWERED",
        "uniqueid": "1773129600.1",
        "userfield": "Inbound",
        "session": "1773129600123456-12025550142",
        "action_type": "DIAL",
        "src_trunk_name": "Telco",
    }
    other = {**element, "AcctId": "2", "session": "1773133200123456-12025550142", "uniqueid": "1773133200.2"}
    other |= {"start": "2026-03-10 10:00:00", "answer": "2026-03-10 10:00:05", "end": "2026-03-10 10:01:05"}
    (shell.folder / "a.json").write_text(json.dumps({"cdr_root": [element]}))
    (shell.folder / "b.json").write_text(json.dumps([other]))
    with simulated("--replay", "a.json", "b.json", folder=shell.folder) as ready:
        env = {"UCM_URL": ready["url"], "UCM_FINGERPRINT": ready["fingerprint"], "UCM_PASSWORD": "cdrapi123"}
        shell("sync", "--since", "2026-03-10", "--until", "2026-03-10", UCM_TIMEZONE="Europe/Berlin", **env)
        shell("export", "legs", "--from", "2026-03-10", "--to", "2026-03-10", "--format", "parquet", "--out", "l")
        assert pd.read_parquet(shell.folder / "l")["acct_id"].tolist() == [1, 2]


PERIODIC = [f"report {kind}" for kind in ("daily", "weekly", "monthly")]
HELP = {
    "Calls from your PBX": ["connect", "sync", "status"],
    "Reports": ["reports", "report", *PERIODIC, "verify", "schedule"],
    "Calls one by one": ["export", "explore"],
    "Without a PBX": ["demo", "simulate"],
}


def test_help_lists_all_commands_in_groups(shell: Shell) -> None:
    blocks = shell("--help").stdout.split("\n\n")[-len(HELP) :]
    listed = {head.rstrip(":"): lines for head, *lines in map(str.splitlines, blocks)}
    assert {head: [re.split(" {2,}", line)[1] for line in lines] for head, lines in listed.items()} == HELP


@pytest.mark.parametrize("command", [name for names in HELP.values() for name in names])
def test_help_ends_in_an_example_of_its_own_options(command: str, shell: Shell) -> None:
    text = shell(*command.split(), "--help").stdout
    assert "password" not in re.findall(r"--([a-z-]+)", text)
    example = text.partition("Example:")[2].split()
    words = ["ucm-analytics", *command.split()]
    assert example[: len(words)] == words
    assert {word for word in example if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", text))


def test_help_and_import_load_nothing_heavy(shell: Shell) -> None:
    heavy = ["pandas", "pyarrow", "duckdb", "plotly", "narwhals", "requests", "ipywidgets", "voila"]
    code = f"import sys, ucm_analytics, ucm_analytics.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rep", {"reports", "report", *PERIODIC}),
        ("report we", {"weekly"}),
        ("report call-volume --mo", {"--month"}),
        ("report weekly --m", {"--mail"}),
        ("schedule ", {"daily", "weekly", "monthly"}),
    ],
)
def test_completion(words: str, offered: set[str], shell: Shell) -> None:
    line = f"ucm-analytics {words}"
    asked = {"_UCM_ANALYTICS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    assert set(shell(**asked).stdout.splitlines()) == offered


def test_quiet_tells_results_and_what_is_wrong_only(pbx: dict[str, str], stored: Shell, shell: Shell) -> None:
    secret = {"UCM_PASSWORD": "canary-7", "UCM_FINGERPRINT": pbx["fingerprint"], "UCM_TIMEZONE": "Europe/Berlin"}
    done = shell("--quiet", "connect", pbx["url"], **secret)
    assert (done.stdout.startswith("connected to pbx: "), done.stderr) == (True, "")
    done = stored("--quiet", "report", "daily", "--day", FIRST, "--out", "quiet", "--format", "csv")
    assert (done.stdout, done.stderr) == (f"quiet/{FIRST}\n", "")
    done = stored("--quiet", "report", "durations", "--month", "2026-03", "--out", "quiet", code=3)
    assert done.stderr == "warning: 28 of 31 days are not in the store; run ucm-analytics sync\n"
    assert "no weekly report" in stored("--quiet", "report", "weekly", "--week", "2026-W11", code=3).stderr
    assert "error: " in stored("--quiet", "sync", "--pbx", "other", code=1).stderr


def test_there_is_nothing_to_explore_in_an_empty_store(shell: Shell) -> None:
    assert "ucm-analytics sync" in shell("explore", code=1).stderr


def test_stderr_is_quiet_when_all_is_well(stored: Shell) -> None:
    began = time.monotonic()
    assert stored("status").stderr == ""
    assert stored("reports").stderr == ""
    assert time.monotonic() - began < 60


def test_numbers_are_written_for_the_reader(shell: Shell) -> None:
    demo = {"UCM_DATA": str(Path(__file__).resolve().parents[1] / "data" / "demo")}
    words = ("report", "call-volume", "--from", FIRST, "--to", LAST)
    assert "Mon 2026-03-09" in shell(*words, **demo).stderr
    assert "Mon 9.3.2026" in shell(*words, **demo, UCM_LOCALE="de_DE").stderr
    assert "Mon 09/03/2026" in shell(*words, "--locale", "en_GB", **demo, UCM_LOCALE="de_DE").stderr
    failed = shell(*words, code=1, **demo, UCM_LOCALE="german")
    assert failed.stderr.splitlines()[0] == "error: 'german' is no locale"
    assert "UCM_LOCALE" in failed.stderr.splitlines()[1]
