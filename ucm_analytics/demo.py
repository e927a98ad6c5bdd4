"""Four weeks of a pretend clinic: a store to try everything on, without a PBX and without a network."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from filelock import FileLock

from ucm_analytics import __version__
from ucm_analytics.errors import StoreError
from ucm_analytics.period import Period

if TYPE_CHECKING:
    from ucm_analytics.reports import Report
    from ucm_analytics.simulator import Simulator
    from ucm_analytics.sources.ucm import UCM
    from ucm_analytics.store import Store

PBX: Final = "clinic"
PERIOD: Final = Period.of("2026-03-02", "2026-03-29")
ZONE: Final = ZoneInfo("Europe/Berlin")
CALLS_PER_DAY: Final = 120
SEED: Final = 1
_PASSWORD: Final = "cdrapi123"  # noqa: S105 the pretend PBX's own, on loopback only
_NOW: Final = datetime(2026, 4, 2, 6, 0, tzinfo=UTC)


def demo_store(path: str | Path | None = None) -> Store:
    """Store with four weeks of a pretend clinic, 2 to 29 March 2026, made by the seeded simulator.

    The clock changes on the last day. The first call takes some seconds and keeps the store in the
    user's cache folder; later ones open it.

    Parameters
    ----------
    path : str or path, optional
        Another folder to keep it in.

    Returns
    -------
    Store
        One PBX, `clinic`, time zone Europe/Berlin.

    Raises
    ------
    StoreError
        The folder cannot be written, or holds something else.

    Examples
    --------
    >>> demo_store().pbxs
    ['clinic']
    """
    from ucm_analytics.store import Store

    if path is None:
        import platformdirs

        path = Path(platformdirs.user_cache_dir("ucm-analytics")) / f"demo-{__version__}"
    path = Path(path)
    store = Store(path)
    if _fresh(store):
        return store
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # beside the folder: two notebooks that start together must not remove each other's store
        with FileLock(f"{path}.lock"):
            if not _fresh(store):
                _make(store)
    except OSError as error:
        raise StoreError(f"cannot write {path} ({error.strerror})", hint="choose a folder that is writable") from error
    return store


def _make(store: Store) -> None:
    path, mark = store.path, _made_by(store.path)
    if path.exists() and any(path.iterdir()) and not mark.exists():
        raise StoreError(f"{path} holds something else than a demo store", hint="choose an empty folder")
    shutil.rmtree(path, ignore_errors=True)
    mark.parent.mkdir(parents=True)
    mark.touch()
    with pretend_pbx() as (_, ucm):
        pull(store, ucm)
    mark.write_text(_code(), encoding="ascii")


def _made_by(path: Path) -> Path:
    return path / ".state" / "demo"


def _fresh(store: Store) -> bool:
    try:
        return _made_by(store.path).read_text(encoding="ascii") == _code() and _complete(store)
    except FileNotFoundError:
        return False


def _complete(store: Store) -> bool:
    return bool((store.coverage(PERIOD.first, PERIOD.last, pbx=PBX)["state"] == "settled").all())


def _code() -> str:
    """Fingerprint of the package: a store that other code made may hold other numbers."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@contextmanager
def pretend_pbx() -> Iterator[tuple[Simulator, UCM]]:
    """Run the simulated clinic on loopback, and a client that trusts its certificate.

    Returns
    -------
    context manager of (Simulator, UCM)
        Both run until it ends.

    Examples
    --------
    >>> with pretend_pbx() as (simulator, ucm):
    ...     ucm.firmware()
    '1.0.15.13'
    """
    from ucm_analytics.simulator import Simulator, User
    from ucm_analytics.simulator.traffic import clinic, generate
    from ucm_analytics.sources.ucm import UCM

    site = clinic(ZONE.key)
    stories = generate(site, first=PERIOD.first, last=PERIOD.last, calls_per_day=CALLS_PER_DAY, seed=SEED)
    with (
        Simulator((story.call for story in stories), site=site, users={"cdrapi": User(_PASSWORD)}) as simulator,
        UCM(simulator.url, "cdrapi", _PASSWORD, fingerprint=simulator.fingerprint) as ucm,
    ):
        yield simulator, ucm


def pull(store: Store, ucm: UCM) -> None:
    """Pull the four weeks into a store."""
    store.sync(ucm, pbx=PBX, since=PERIOD.first, until=PERIOD.last, zone=ZONE, now=_NOW, progress=False)


def pulled(store: Store) -> str:
    """What was pulled, in one line; calls that only go on with another are not counted, as in the reports."""
    from ucm_analytics.analyses.population import counted_calls

    calls = len(counted_calls(store.scan("calls", PERIOD), "call_id").collect())
    legs = store.coverage(PERIOD.first, PERIOD.last)["legs"].sum()
    return f"pulled {len(PERIOD)} days: {legs:,} records are {calls:,} calls"


def run_demo(folder: Path, say: Callable[[str], None]) -> list[Report]:
    """Walk the whole way once: connect, pull, report.

    Parameters
    ----------
    folder : Path
        Where the store and the reports go: `folder/store`, `folder/*.html`.
    say : callable
        Gets one line for each thing that happens.

    Returns
    -------
    list of Report
        The reports, in the order of their names.
    """
    from ucm_analytics.reports import run_all, write_all
    from ucm_analytics.sources.ucm.connect import diagnose
    from ucm_analytics.store import Store

    with pretend_pbx() as (simulator, ucm):
        say(f"pretend PBX listening on {simulator.url}")
        for step in diagnose(
            simulator.url,
            "cdrapi",
            lambda: _PASSWORD,
            confirm=lambda shown: shown.fingerprint == simulator.fingerprint,
        ):
            say(f"  {step.name}: {step.detail}")
        store = Store(folder / "store")
        pull(store, ucm)
    say(pulled(store))
    reports = run_all(store, PERIOD)
    write_all(reports, folder)
    return reports
