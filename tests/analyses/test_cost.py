"""What calls cost: by hand and by a plain loop."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.analyses.by_loop import international, number_outside
from tests.analyses.frames import TARIFF, as_arrow, calls, random_calls, sent_out
from ucm_analytics import analyses
from ucm_analytics.errors import SettingError, WrongColumns
from ucm_analytics.period import Period

RUNS = {"cost": {"tariff": TARIFF}, "cost by": {"tariff": TARIFF, "by": "caller", "home": "49"}}
COLUMNS = "local_at direction caller callee outcome talk_s is_forward"


def outbound(
    callee: str | None, talk_s: int | None, outcome: str = "answered", caller: str = "1004"
) -> tuple[Any, ...]:
    return ("2026-03-02 09:00:00", "outbound", caller, callee, outcome, talk_s, False)


def prices(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["prefix", "per_minute", "setup", "rounding_s"])


def found(*rows: tuple[Any, ...], tariff: Any = TARIFF, **arguments: Any) -> dict[Any, tuple[Any, ...]]:
    result = analyses.cost(calls(COLUMNS, *rows), tariff, **arguments)
    values = zip(result["prefix"], result["calls"], result["billed_s"], result["cost"], strict=True)
    return {prefix if isinstance(prefix, str) else None: rest for prefix, *rest in values}  # type: ignore[misc]


def test_the_longest_prefix_prices_the_call() -> None:
    result = found(
        outbound("+442079460142", 61),  # 4420: 2 minutes * 0.3 + 0.1
        outbound("00442079460142", 60),  # 4420: 1 minute * 0.3 + 0.1
        outbound("+441610000000", 90),  # 44: 90 s * 0.6 / 60
        outbound("12025550142", 30),  # 1: 30 s * 0.01 / 60
        outbound("+881655501", 30),  # none
        outbound("12025550142", 999, "no_answer"),
    )
    assert result["4420"] == [2, 180, pytest.approx(1.1)]
    assert result["44"] == [1, 90, pytest.approx(0.9)]
    assert result["1"] == [1, 30, pytest.approx(0.005)]
    calls_without, billed, cost = result[None]
    assert calls_without == 1
    assert pd.isna(billed)
    assert pd.isna(cost)


def test_national_numbers_need_the_country() -> None:
    tariff = prices(("0", 0.06, 0, 1), ("0049 30", 0.03, 0, 1), ("", 1, 0, 1))
    assert found(outbound("0305550142", 60), outbound("0895550142", 60), tariff=tariff, home="49") == {
        "49": [1, 60, pytest.approx(0.06)],
        "4930": [1, 60, pytest.approx(0.03)],
    }
    everything = prices(("", 0.5, 0, 1))
    assert found(outbound("0305550142", 60), outbound(None, 60), tariff=everything) == {"": [2, 120, pytest.approx(1)]}


def test_a_call_without_talk_pays_the_setup_only() -> None:
    assert found(outbound("+442079460142", 0), outbound("+442079460142", None))["4420"] == [2, 0, pytest.approx(0.2)]


def test_split_by_caller_and_by_day() -> None:
    made = calls(
        COLUMNS,
        outbound("+442079460142", 60),
        outbound("+442079460142", 60, caller="1005"),
        ("2026-03-03 09:00:00", "outbound", "1005", "+442079460142", "answered", 60, False),
        ("2026-03-03 09:30:00", "outbound", "12025550187", "+442079460142", "answered", 60, True),  # sent on outside
        ("2026-03-03 09:00:00", "inbound", "1005", "+442079460142", "answered", 60, False),
    )
    by_caller = analyses.cost(made, TARIFF, by="caller")
    assert dict(zip(by_caller["caller"], by_caller["cost"], strict=True)) == {
        "1005": pytest.approx(0.8),
        "1004": pytest.approx(0.4),
        "12025550187": pytest.approx(0.4),
    }
    by_day = analyses.cost(made, TARIFF, by="day")
    assert by_day["day"].to_list() == ["2026-03-02", "2026-03-03"]
    assert by_day["share"].to_list() == [pytest.approx(1 / 2), pytest.approx(1 / 2)]
    assert analyses.cost(made, TARIFF, period=Period.of("2026-03-03"))["calls"].to_list() == [2]


@pytest.mark.parametrize("seed", range(3))
def test_costs_equal_a_plain_loop(seed: int) -> None:
    made = sent_out(random_calls(seed))
    total, billed_s, without = 0.0, 0, 0
    for row in made.to_pylist():
        out = number_outside(row)
        if out is None or row["outcome"] != "answered":
            continue
        number = international(out, "") or ""
        for prefix, per_minute, setup, rounding in (("4420", 0.3, 0.1, 60), ("44", 0.6, 0, 1), ("1", 0.01, 0, 1)):
            if number.startswith(prefix):
                billed = math.ceil(row["talk_s"] / rounding) * rounding
                total += setup + per_minute * billed / 60
                billed_s += billed
                break
        else:
            without += 1
    result = as_arrow(analyses.cost(made, TARIFF)).to_pylist()
    assert sum(row["cost"] or 0 for row in result) == pytest.approx(total)
    assert sum(row["billed_s"] or 0 for row in result) == billed_s
    assert sum(row["calls"] for row in result if row["prefix"] is None) == without
    assert sum(row["share"] or 0 for row in result) == pytest.approx(1)


@pytest.mark.parametrize("kind", [pl.from_pandas, pa.Table.from_pandas, lambda frame: pl.from_pandas(frame).lazy()])
def test_the_tariff_may_be_any_frame(kind: Any) -> None:
    made = random_calls(1).to_pandas()
    pd.testing.assert_frame_equal(analyses.cost(made, kind(TARIFF)), analyses.cost(made, TARIFF))


def test_without_a_tariff_nothing_is_priced_and_nothing_lost() -> None:
    result = analyses.cost(calls(COLUMNS, outbound("+442079460142", 60)), prices())
    assert result["calls"].to_list() == [1]
    assert result["cost"].isna().all()
    assert result["share"].isna().all()


def test_a_wrong_tariff_is_refused() -> None:
    made = calls(COLUMNS)
    with pytest.raises(WrongColumns, match="tariff lacks the columns setup, rounding_s"):
        analyses.cost(made, TARIFF.drop(columns=["setup", "rounding_s"]))
    with pytest.raises(WrongColumns, match="columns prefix have the wrong type"):
        analyses.cost(made, TARIFF.assign(prefix=[1, 44, 4420]))
    with pytest.raises(WrongColumns, match="columns per_minute have the wrong type or gaps"):
        analyses.cost(made, TARIFF.assign(per_minute=[0.1, None, 0.2]))
    with pytest.raises(SettingError, match="prefixes 44 twice"):
        analyses.cost(made, prices(("44", 1, 0, 1), ("+44", 2, 0, 1)))
    with pytest.raises(SettingError, match="rounding below 1 s"):
        analyses.cost(made, prices(("44", 1, 0, 0)))
    with pytest.raises(SettingError, match="'UK' is no prefix"):
        analyses.cost(made, prices(("UK", 1, 0, 1)))
    with pytest.raises(SettingError, match=r"'030' is no prefix: .*national form"):
        analyses.cost(made, prices(("030", 1, 0, 1)))
    with pytest.raises(SettingError, match="cannot split by 'queue'"):
        analyses.cost(made, TARIFF, by="queue")  # type: ignore[arg-type]


def test_a_call_sent_on_outside_costs_what_that_number_costs() -> None:
    paths = ["external:12025550142 > transfer:+881655501", "external:12025550142 > transfer:1005"]
    made = calls(COLUMNS, *[outbound("12025550142", 60) for _ in paths]).assign(path=paths)
    result = analyses.cost(made, prices(("881", 5, 0, 1), ("1", 0.01, 0, 1)))
    assert dict(zip(result["prefix"], result["cost"], strict=True)) == {"881": 5, "1": pytest.approx(0.01)}
    night = made.assign(pbx="clinic", call_id=["a", "b"], utc_offset_s=0, duration_s=70)
    signs = analyses.fraud_signals(night.assign(local_at=pd.Timestamp("2026-03-02 03:00")), home="1")
    assert signs["area"].astype(str).tolist() == ["+881 satellite networks"]
