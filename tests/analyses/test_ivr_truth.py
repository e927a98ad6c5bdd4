"""The keys that callers really pressed against those that are inferred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from ucm_analytics import analyses
from ucm_analytics.simulator import Simulator, User
from ucm_analytics.simulator.traffic import Story, clinic, generate
from ucm_analytics.sources.ucm import UCM
from ucm_analytics.store import Store

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 8)


@pytest.fixture(scope="module", params=["f32", "newest"])
def week(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[Story]]:
    """A busy week as the PBX reports it, with its own key tables, and the truth about it."""
    site = clinic()
    stories = list(generate(site, first=FIRST, last=LAST, calls_per_day=250, seed=5))
    store = Store(tmp_path_factory.mktemp("week") / "store")
    with (
        Simulator((s.call for s in stories), site=site, profile=request.param, users={"cdrapi": User("pw")}) as pbx,
        UCM(pbx.url, "cdrapi", "pw", fingerprint=pbx.fingerprint) as ucm,
    ):
        now, zone = datetime(2026, 3, 20, tzinfo=UTC), ZoneInfo(site.timezone)
        store.sync(ucm, pbx="clinic", since=FIRST, until=LAST, zone=zone, now=now, progress=False)
    return store, stories


def pressed(story: Story) -> list[tuple[str, str]]:
    """Menu and the last key, for each stay in a menu in which a key was pressed."""
    stays = groupby(story.truth.keys, key=lambda key: key[0])
    return [(menu, [key for _, key in keys][-1]) for menu, keys in stays]


def moves(store: Store, stories: list[Story]) -> Iterator[tuple[str, str, str]]:
    """Menu, step that followed it, and the key that really led there."""
    truth = {story.truth.session: pressed(story) for story in stories}
    columns = ["call_id", "step_no", "kind", "target"]
    for call_id, steps in store.steps(columns=columns).astype(object).groupby("call_id"):
        way = list(steps.sort_values("step_no")[["kind", "target"]].itertuples(index=False))
        stays = [(here, after) for here, after in zip(way, [*way[1:], None], strict=True) if here.kind == "ivr"]
        # only the last menu of a call can be left without a key
        for (here, after), (menu, key) in zip(stays, truth[str(call_id)], strict=False):
            assert here.target == menu
            if after is not None:
                yield menu, f"{after.kind}:{after.target}", key


def test_what_is_called_certain_is_right_and_the_truth_is_among_the_rest(week: tuple[Store, list[Story]]) -> None:
    store, stories = week
    choices = analyses.ivr_choices(store.steps(), store.directory("ivr")).astype(object)
    inferred = {(c.menu, c.to): (c.key, c.certainty) for c in choices.itertuples()}
    seen: Counter[str] = Counter()
    counted: Counter[tuple[str, str]] = Counter()
    for menu, to, key in moves(store, stories):
        names, certainty = inferred[menu, to]
        really = key if len(key) == 1 else "dial"
        assert really in names.split("/"), (menu, to, key, names)
        assert certainty == ("certain" if names == really else "ambiguous")
        if really == "dial":
            assert to.endswith(f":{key}")
        seen[certainty] += 1
        counted[menu, to] += 1
    # every move that is counted was looked at, and in each something was pressed
    assert {(c.menu, c.to): c.passes for c in choices.itertuples()} == dict(counted)
    assert set(seen) == {"certain", "ambiguous"}
    assert seen.total() > 300
    assert seen["certain"] > 0.4 * seen.total()


def test_an_extension_that_was_dialled_is_no_key(week: tuple[Store, list[Story]]) -> None:
    """1004 lies behind key 1 of the menu 7001; in 7000 it can only have been dialled."""
    store, _ = week
    choices = analyses.ivr_choices(store.steps(), store.directory("ivr")).astype(object)
    found = choices[choices["to"] == "extension:1004"].set_index("menu")
    assert found.loc["7001", ["key", "certainty"]].tolist() == ["1/dial", "ambiguous"]
    dialled = choices[(choices["menu"] == "7000") & choices["to"].str.startswith("extension:")]
    assert len(dialled) > 5
    assert set(dialled["key"]) == {"dial"}


def test_a_table_without_dialling_says_that_it_does_not_know(week: tuple[Store, list[Story]]) -> None:
    store, _ = week
    table = store.directory("ivr")
    choices = analyses.ivr_choices(store.steps(), table[table["key"] != "dial"]).astype(object)
    unknown = choices[choices["certainty"] == "unknown"]
    assert set(unknown["menu"]) == {"7000"}
    assert unknown["to"].str.match(r"extension:|voicemail:").all()
    assert pd.isna(unknown["key"]).all()
