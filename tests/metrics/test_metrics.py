"""The registry: every number of a result is declared once, in full, from columns that exist."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from docs.make import shown_in
from ucm_analytics import analyses
from ucm_analytics.errors import SettingError
from ucm_analytics.metrics import METRICS, SERVICE_LEVELS, Metric, explain, formulas, metrics
from ucm_analytics.schema import TABLES

COLUMNS = {name: getattr(analyses, name).columns for name in analyses.__all__}
HELD = [name for name, columns in COLUMNS.items() if any(column.metric for column in columns)]
"""The analyses whose numbers the registry holds: all of one or none."""

GROUPS = {"hour", "weekday", "days", "utc_offset_s", "from_s", "to_s", "wait_s", "target_s", "short_s", "long_s"}
"""Numbers that say what a row is about, or what was asked for."""


@pytest.mark.parametrize("name", HELD)
def test_every_number_of_a_result_is_declared(name: str) -> None:
    for column in COLUMNS[name]:
        if f"{name}.{column.name}" == "service_level.service_level":
            continue  # `variant` of its row is the id
        if column.dtype in ("int64", "Int64", "float64") and column.name not in GROUPS:
            metric = METRICS[column.metric]
            share = column.name.endswith(("_rate", "_level", "share"))
            assert (metric.unit == "share of 1") == share, column.name
            if column.unit == "s":
                assert metric.unit == "s", column.name
            if metric.on_no_data == "0":
                assert column.dtype == "int64", f"{name}.{column.name} counts, so it is never NA"
            else:
                assert column.dtype != "int64" or column.name == "peak_calls", f"{name}.{column.name} has to be NA"


def test_a_number_is_declared_once() -> None:
    assert all(id == metric.id for id, metric in METRICS.items())
    assert len(HELD) >= 16
    assert shown_in(METRICS["asa"]) == ["queues.asa_s"]


@pytest.mark.parametrize("name", COLUMNS)
def test_an_analysis_says_what_it_divides_by(name: str) -> None:
    divided = [c.name for c in COLUMNS[name] if c.dtype == "float64" and not re.match(r"(median|p\d+)_", c.name)]
    assert bool(getattr(analyses, name).divides_by) == bool(divided), divided


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.id)
def test_an_entry_is_complete(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.id)
    for text in (metric.name, metric.words, metric.symbols, metric.unit, metric.source):
        assert text.strip()
        assert text == text.strip()
    for column in (*metric.numerator, *metric.denominator):
        table, _, name = column.partition(".")
        assert name in {c.name for c in TABLES[table]}, column
    assert metric.numerator or metric.denominator
    if metric.denominator or "/" in metric.words:
        assert metric.on_no_data == "NA", "a rate of nothing is NA, never 0 or 100 %"


def test_the_defined_formulas_are_there() -> None:
    ids = """sl_f1 sl_f2 sl_f3 sl_f4 sl_f5 sl_genesys abandon_rate true_abandon queue_abandon asa aht att occupancy
        answered_rate asr aloc repeat_rate fcr fcr_simple unreturned_missed time_to_callback transfer_rate
        solicitations ivr_containment ivr_ended zero_out tot_callers tot_calls concurrency traffic bhca bhcc busy_hour
        tcbh erlang_b erlang_b_extended erlang_c erlang_a patience patience_exponential concentration"""
    assert set(ids.split()) <= set(METRICS)
    assert {id: METRICS[id].symbols for id in SERVICE_LEVELS[:5]} == {
        "sl_f1": "(A≤T + AB≤T) / (A + AB)",
        "sl_f2": "A≤T / A",
        "sl_f3": "A≤T / (A + AB)",
        "sl_f4": "A≤T / (A + AB>T)",
        "sl_f5": "(A≤T + AB≤s) / (A + AB)",
    }


def test_explain_one() -> None:
    assert explain("sl_f3").splitlines() == [
        "Service level, formula 3 (sl_f3)",
        "  = answered within the target / (answered + abandoned)",
        "  = A≤T / (A + AB)",
        "  unit: share of 1; on no data: NA",
        "  counted from: steps.result, steps.wait_s / steps.result",
        "  source: ICMI and Call Centre Helper, service level formula 3; VoicePro",
    ]
    assert "on no data: 0" in explain("queue_offered")


def test_explain_service_level_explains_all_its_variants() -> None:
    text = explain("service_level")
    assert re.findall(r"\((sl_\w+)\)", text) == list(SERVICE_LEVELS)


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(SettingError, match="no metric is called 'abandonrate': did you mean abandon_rate"):
        explain("abandonrate")
    with pytest.raises(SettingError, match="lists them all"):
        formulas("xyzzy")


def test_the_table_has_a_row_per_metric() -> None:
    table = metrics()
    assert table["id"].to_list() == list(METRICS)
    assert set(table["on_no_data"]) == {"NA", "0"}
    assert table.loc[table["id"] == "sl_f4", "denominator"].item() == "steps.result, steps.wait_s"
    assert all(pd.api.types.is_string_dtype(table[column]) for column in table)


def test_a_report_prints_a_formula_a_line() -> None:
    assert formulas("asa", "abandon_rate").splitlines() == [METRICS["asa"].formula, METRICS["abandon_rate"].formula]
    assert METRICS["abandon_rate"].formula == "Abandon rate = abandoned / offered [share of 1]"
