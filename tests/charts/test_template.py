"""The two templates, and closed hours."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.io as pio
import pytest

from tests.analyses.made import calls
from ucm_analytics import analyses, charts
from ucm_analytics.charts import _template
from ucm_analytics.charts._template import ON_DARK, on_dark
from ucm_analytics.period import Period


def light(color: str) -> float:
    """Relative luminance of a colour, 0-1, as WCAG 2 defines it."""
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1-21, as WCAG 2 defines it."""
    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_counted_right() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def test_the_dark_template_is_the_light_one_in_other_colours() -> None:
    one, other = (pio.templates[name].to_plotly_json()["layout"] for name in ("ucm", "ucm_dark"))
    assert one.keys() == other.keys()
    assert (other["paper_bgcolor"], other["font"]["color"]) == ("#15191E", "#E8EBEE")
    assert other["font"]["family"] == one["font"]["family"]
    assert contrast(other["font"]["color"], other["paper_bgcolor"]) > 7


def test_colours_of_meaning_stand_out_on_a_dark_page() -> None:
    for colors in (_template.OUTCOME_COLORS, _template.DIRECTION_COLORS, _template.RING_COLORS, _template.MENU_COLORS):
        dark = [ON_DARK.get(color, color) for color in colors.values()]
        assert len(set(dark)) == len(dark)
        assert all(contrast(color, ON_DARK["white"]) > 3 for color in dark)


def test_only_colours_are_changed() -> None:
    assert on_dark({"text": "white", "marker": {"color": ["white", "#0072B2", 3]}}) == {
        "text": "white",
        "marker": {"color": ["#15191E", "#0072B2", 3]},
    }
    scale = [light(color) for _, color in on_dark({"colorscale": _template.PALE_TO_DARK})["colorscale"]]
    assert all(dim < bright for dim, bright in pairwise(scale)), "more calls stand out more, on dark too"


def test_hours_without_a_call_are_taken_as_closed_and_it_says_so() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-03-05 23:00:00",))
    week = analyses.hour_of_week(made, period=Period.of("2026-W10"))
    figure = charts.hour_of_week(week)
    closed = np.asarray(figure.data[1].z) == 1
    assert closed.sum() == 168 - 2
    assert not closed[0, 9]
    assert not closed[3, 23]
    assert figure.layout.title.subtitle.text == "grey: no call in the whole period, taken as closed"


def test_known_opening_hours_are_grey_with_their_calls_as_text() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-03-05 23:00:00",))
    week = analyses.hour_of_week(made, period=Period.of("2026-W10"))
    figure = charts.hour_of_week(week, opening=dict.fromkeys(range(5), (8, 18)))
    closed = np.asarray(figure.data[1].z) == 1
    assert closed.sum() == 168 - 5 * 10
    assert not closed[:5, 8:18].any()
    texts = np.asarray(figure.data[1].text)
    assert texts[3, 23] == "1.0"
    assert (texts != "").sum() == 1
    assert figure.layout.title.subtitle.text == "grey: closed"


@pytest.mark.parametrize(("last", "form"), [("2026-03-14", "%a<br>%d %b"), ("2026-03-15", "%d %b\n%Y")])
def test_few_days_have_a_label_each(last: str, form: str) -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-03-05 23:00:00",))
    volume = analyses.call_volume(made, freq="1d", period=Period.of("2026-03-02", last))
    figure = charts.call_volume(volume)
    assert figure.layout.xaxis.tickformat == form
    assert figure.layout.xaxis.dtick == (86_400_000 if last == "2026-03-14" else None)


def test_the_busy_hour_is_labelled_in_the_chart() -> None:
    made = calls("local_at utc_offset_s", ("2026-03-02 09:00:00", 3600), ("2026-03-05 10:00:00", 3600))
    figure = charts.busy_hour(analyses.busy_hour(made))
    assert [list(trace.text) for trace in figure.data if trace.text is not None] == [["busy hour"]]
    assert not figure.layout.showlegend
    assert figure.layout.title.subtitle.text.startswith("bars: mean over days; diamonds: ")
