"""The simulator as a program: traffic or a replay, served until a signal comes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType

from ucm_analytics.errors import SettingError
from ucm_analytics.simulator.access import User
from ucm_analytics.simulator.pbx import Simulator

Ready = Callable[[dict[str, str]], None]


def serve(
    simulator: Simulator,
    *,
    user: str,
    on_ready: Ready,
    port_file: Path | None = None,
    stop: Event | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or `stop`.

    Parameters
    ----------
    on_ready : callable
        Gets ``url``, ``user`` and ``fingerprint`` once the simulator answers.
    port_file : Path, optional
        Where to write the port, once the simulator answers.

    Raises
    ------
    SettingError
        The port is taken, or the port file cannot be written.
    """
    ended = stop or Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signals = (signal.SIGTERM, signal.SIGINT) if current_thread() is main_thread() else ()
    before = {number: signal.signal(number, end) for number in signals}
    try:
        with simulator:
            if port_file is not None:
                _write(port_file, f"{simulator.port}\n")
            on_ready({"url": simulator.url, "user": user, "fingerprint": simulator.fingerprint})
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(
    *,
    password: str,
    on_ready: Ready,
    port: int = 0,
    port_file: Path | None = None,
    profile: str = "f43",
    seed: int = 1,
    first: date | None = None,
    last: date | None = None,
    calls_per_day: int = 120,
    replay: Sequence[Path] = (),
    user: str = "cdrapi",
    faults: Sequence[str] = (),
    truth: Path | None = None,
    folder: Path | None = None,
    stop: Event | None = None,
) -> None:
    """Make the calls of a clinic, or read those of a replay, and serve them until a signal comes.

    Parameters
    ----------
    first, last : datetime.date, optional
        Days of traffic, both inclusive; four weeks that end today if not given. Calls of today show when
        they have ended.
    truth : Path, optional
        Folder to write what really happened to each caller to.
    folder : Path, optional
        Where the certificate is kept, so that it is the same the next time.

    Raises
    ------
    SettingError
        A setting that cannot be used.
    """
    users = {user: User(password)}
    if replay:
        if truth is not None:
            raise SettingError("nobody knows the truth behind a replay", hint="leave out the folder for the truth")
        simulator = Simulator(replay=replay, profile=profile, users=users, port=port, faults=faults, folder=folder)
    else:
        from ucm_analytics.simulator.traffic import clinic, generate, write_truth

        site = clinic()
        last = last or datetime.now().date()
        first = first or last - timedelta(days=27)
        calls = partial(generate, site, first=first, last=last, calls_per_day=calls_per_day, seed=seed)
        if truth is not None:
            write_truth(calls(), truth)
        simulator = Simulator(
            (story.call for story in calls()),
            site=site,
            profile=profile,
            users=users,
            port=port,
            faults=faults,
            folder=folder,
        )
    serve(simulator, user=user, on_ready=on_ready, port_file=port_file, stop=stop)


def _write(path: Path, text: str) -> None:
    """Write a file that other programs wait for: it is there with its whole text, or not at all."""
    beside = path.with_name(f"_{path.name}.writing")
    try:
        beside.write_text(text)
        beside.replace(path)
    except OSError as error:
        raise SettingError(f"cannot write {path}", hint=error.strerror or "choose another file") from error
