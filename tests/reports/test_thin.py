"""Reports on stores that hold next to nothing; `tests/soak/test_thin.py` has the whole matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from ucm_analytics import reports
from ucm_analytics.reports import names, run_report

from .thin import analyses_on, period_of, reports_on, store_of

SOME = [("last week only", "plain"), ("one day has calls", "clinic")]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "site"), SOME)
def test_nothing_crashes_or_makes_no_sense(case: str, site: str, tmp_path: Path) -> None:
    store = store_of(case, site, tmp_path)
    trials = [
        *analyses_on(store),
        *reports_on(store, period_of(case), sorted(set(names()) - {"summary"})),
    ]
    print(f"{len(trials)} reports and analyses on {case}, {site}")
    assert [(trial.of, trial.wrong) for trial in trials if trial.wrong] == []


def test_few_calls_give_no_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "names", lambda: ["summary"])  # without its chapters
    store = store_of("6 calls", "plain", tmp_path)
    calls, answered, back, wait, busiest = (card.action for card in run_report("summary", store, "2026-03").cards)
    assert calls == "Fewer than 20 calls are too few to plan by."
    assert answered == "No hour of the week has 5 callers who reached nobody: too few to say when to add people."
    assert back == "Nothing to do: every caller with a number was reached."
    assert wait == "No hour has 20 waits: too few to say when to add people."
    assert busiest == "Too few calls come in then to plan by."


@pytest.mark.parametrize("case", ["first week only", "last week only", "one day has calls"])
def test_one_week_does_not_tell_what_is_usual(case: str, tmp_path: Path) -> None:
    store = store_of(case, "plain", tmp_path)
    unusual, ahead = (run_report(name, store, "2026-03") for name in ("anomalies", "forecast"))
    assert unusual.answer == "No day can be judged: it takes two other weeks of calls to know what is usual."
    assert ahead.answer.startswith("No forecast by day: calls in ")
    assert len(ahead.sections) == 1
