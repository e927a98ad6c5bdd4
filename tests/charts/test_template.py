"""The two templates, and closed hours."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import plotly.io as pio
import pytest

from tests.analyses.frames import calls
from ucm_analytics import analyses, charts
from ucm_analytics.charts import template
from ucm_analytics.charts.template import ON_DARK, on_dark
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


SEEN = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""How people see colours who lack one kind of cone: Machado, Oliveira and Fernandes 2009, severity 1, linear RGB."""
_TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]


def lab(color: str, seen: str = "") -> np.ndarray:
    """CIE L*a*b* of a colour (D65), as everybody sees it or as one of `SEEN`."""
    parts = np.array([int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    if seen:
        linear = np.clip(np.array(SEEN[seen]) @ linear, 0, 1)
    xyz = np.array(_TO_XYZ) @ linear / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one: str, other: str, seen: str = "") -> float:
    """Difference of two colours, ΔE of CIE 1976; 2.3 is just noticed, 100 is black and white."""
    return float(np.linalg.norm(lab(one, seen) - lab(other, seen)))


def test_differences_are_counted_right() -> None:
    assert apart("#FFFFFF", "#000000") == pytest.approx(100, abs=0.01)
    assert lab("#FF0000").tolist() == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    # red and green of one lightness are the textbook's pair that a deutan cannot tell apart
    assert apart("#C27A00", "#8F8F00", "deutan") < apart("#C27A00", "#8F8F00") / 2


@pytest.mark.parametrize("seen", ["", *SEEN])
@pytest.mark.parametrize(
    "colors",
    [name for name in vars(template) if name.endswith("_COLORS") and name != "KIND_COLORS"],
)
def test_colours_of_one_chart_differ_for_every_eye(colors: str, seen: str) -> None:
    palette: dict[str, str] = getattr(template, colors)
    for (one, first), (other, second) in combinations(palette.items(), 2):
        assert apart(first, second, seen) > 10, f"{one} and {other}"


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
    for colors in (template.OUTCOME_COLORS, template.DIRECTION_COLORS, template.RING_COLORS, template.MENU_COLORS):
        dark = [ON_DARK.get(color, color) for color in colors.values()]
        assert len(set(dark)) == len(dark)
        assert all(contrast(color, ON_DARK["white"]) > 3 for color in dark)


def test_only_colours_are_changed() -> None:
    assert on_dark({"text": "white", "marker": {"color": ["white", "#0072B2", 3]}}) == {
        "text": "white",
        "marker": {"color": ["#15191E", "#0072B2", 3]},
    }
    scale = [light(color) for _, color in on_dark({"colorscale": template.PALE_TO_DARK})["colorscale"]]
    assert all(dim < bright for dim, bright in pairwise(scale)), "more calls stand out more, on dark too"


def test_hours_without_a_call_are_taken_as_closed_and_it_says_so() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-03-05 23:00:00",))
    week = analyses.hour_of_week(made, period=Period.of("2026-W10"), weekdays=range(7))
    figure = charts.hour_of_week(week)
    closed = np.asarray(figure.data[1].z) == 1
    assert closed.sum() == 168 - 2
    assert not closed[0, 9]
    assert not closed[3, 23]
    assert figure.layout.title.subtitle.text == "grey: no call in the whole period, taken as closed"


def test_known_opening_hours_are_grey_with_their_calls_as_text() -> None:
    made = calls("local_at", ("2026-03-02 09:00:00",), ("2026-03-05 23:00:00",))
    week = analyses.hour_of_week(made, period=Period.of("2026-W10"), weekdays=range(7))
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


def test_the_busy_hour_is_labelled_above_whiskers_and_diamonds() -> None:
    days = range(2, 9)
    made = calls(
        "local_at utc_offset_s",
        *((f"2026-03-{day:02} 09:{minute:02}:00", 3600) for day in days for minute in range(6 * (day % 3 + 1))),
        *((f"2026-03-{day:02} 10:{minute:02}:00", 3600) for day in days for minute in range(6 * (day % 4 + 1))),
    )
    hours = analyses.busy_hour(made)
    figure = charts.busy_hour(hours)
    labels = {each.text.partition(" ")[0]: each for each in figure.layout.annotations}
    near = hours[(hours["hour"] - labels["busy"].x).abs() <= 2]
    assert labels["busy"].x == hours.loc[hours["is_busy_hour"], "hour"].item()
    assert labels["busy"].y == near[["high", "peak_calls", "calls_per_day"]].max(axis=None)
    assert labels["busy"].yshift > 0
    (peak,) = labels.keys() - {"busy"}
    assert labels[peak].y == figure.layout.yaxis.range[1]
    assert labels[peak].y > 1.2 * hours[["high", "peak_calls"]].max(axis=None)
    assert not figure.layout.showlegend
    assert figure.layout.title.subtitle.text.startswith("bars: mean over days; lines: usual range; diamonds: ")
