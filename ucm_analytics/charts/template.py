"""What every chart shares: the templates, the colours and their meaning, the check of its input.

Figures are drawn with the template ``ucm``; ``figure.update_layout(template="ucm_dark")`` puts one on a dark page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

from ucm_analytics import analyses
from ucm_analytics.analyses.frames import ResultColumn
from ucm_analytics.errors import WrongColumns

P = ParamSpec("P")

# Okabe and Ito: eight colours that people with any colour vision can tell apart.
_ORANGE: Final = "#E69F00"
_SKY: Final = "#56B4E9"
_GREEN: Final = "#009E73"
_YELLOW: Final = "#F0E442"
_BLUE: Final = "#0072B2"
_RED: Final = "#D55E00"
_PURPLE: Final = "#CC79A7"
_GREY: Final = "#999999"
_DARK: Final = "#555555"

OUTCOME_COLORS: Final[dict[str, str]] = {
    "answered": _GREEN,
    "voicemail": _SKY,
    "abandoned": _RED,
    "disconnected": _PURPLE,
    "no_answer": _ORANGE,
    "busy": _YELLOW,
    "failed": _DARK,
}
DIRECTION_COLORS: Final[dict[str, str]] = {
    "inbound": _BLUE,
    "outbound": _ORANGE,
    "internal": _SKY,
    "external": _PURPLE,
    "unknown": _DARK,
}
RING_COLORS: Final[dict[str, str]] = {
    "answered": _GREEN,
    "elsewhere": _GREY,
    "missed": _RED,
    "unreachable": _DARK,
}
CONTACT_COLORS: Final[dict[str, str]] = {
    "returned": _GREEN,
    "reached": _SKY,
    "open": _RED,
    "withheld": _GREY,
}
VERDICT_COLORS: Final[dict[str, str]] = {
    "higher": _BLUE,
    "lower": _ORANGE,
    "noise": _GREY,
    "unknown": _DARK,
}
RULE_COLORS: Final[dict[str, str]] = {
    "night": _BLUE,
    "burst": _ORANGE,
    "short": _SKY,
    "long": _GREEN,
    "at_once": _PURPLE,
    "first_time": _DARK,
}
MENU_COLORS: Final[dict[str, str]] = {
    "answered": _GREEN,
    "went on, not answered": _SKY,
    "repeated": _YELLOW,
    "hung up": _RED,
    "timed out": _PURPLE,
    "other": _DARK,
}
CERTAINTY_COLORS: Final[dict[str, str]] = {
    "certain": _BLUE,
    "ambiguous": _ORANGE,
    "default": _GREY,
    "unknown": _DARK,
}
KIND_COLORS: Final[dict[str, str]] = {
    "did": _GREY,
    "ivr": _BLUE,
    "queue": _ORANGE,
    "ring_group": _YELLOW,
    "extension": _SKY,
    "voicemail": _PURPLE,
    "end": _DARK,
}
OTHER_KIND: Final = _GREY
NOT_ANSWERED: Final = _GREY
"""Calls that no person answered, where it is not said what became of them."""
_KIND_WORDS: Final = {"ivr": "menu", "did": "DID"}
NEUTRAL: Final = _BLUE
ACCENT: Final = _ORANGE
PALE_TO_DARK: Final = [[0.0, "#F7F7F7"], [0.001, "#DCEBF5"], [0.5, "#56A0CE"], [1.0, "#00395C"]]
CLOSED: Final = "#D9D9D9"
"""Hours in which nobody is there to answer."""

ON_DARK: Final[dict[str, str]] = {
    "white": "#15191E",
    "#222222": "#E8EBEE",
    "#E3E3E3": "#333A42",
    "#888888": "#8B949E",
    _DARK: "#C9CED4",
    "#F7F7F7": "#20262D",
    "#DCEBF5": "#17384F",
    "#56A0CE": "#3B87B5",
    "#00395C": "#CDE8F8",
    CLOSED: "#3D444C",
}
"""Paper, ink and pale colours of a light page, and what they are on a dark one; the others are the same on both."""

_INK: Final = "#222222"
_GRID: Final = "#E3E3E3"
_AXIS: Final[dict[str, Any]] = {
    "ticklabelstandoff": 4,
    "automargin": True,
    "gridcolor": _GRID,
    "linecolor": "#888888",
    "showline": False,
    "zerolinecolor": "#888888",
    "title": {"standoff": 8},
}

pio.templates["ucm"] = go.layout.Template(
    layout={
        "font": {"family": "Open Sans, Helvetica, Arial, sans-serif", "size": 12, "color": _INK},
        "title": {"x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 12, "t": 12, "b": 8}}
        | {"y": 1, "yref": "container", "yanchor": "top", "automargin": True, "font": {"size": 16}},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": [_BLUE, _ORANGE, _GREEN, _SKY, _PURPLE, _RED, _YELLOW, _DARK],
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container"}
        | {"yanchor": "bottom", "traceorder": "normal"},
        "margin": {"l": 12, "r": 16, "t": 48, "b": 12},
        "hoverlabel": {"align": "left"},
        "bargap": 0.15,
        "separators": ".,",
    }
)


def on_dark(part: Any, key: str = "") -> Any:
    """Part of a figure as JSON, in the colours for a dark page; only what is a colour is changed.

    Examples
    --------
    >>> on_dark({"font": {"color": "#222222"}, "title": {"text": "white"}})
    {'font': {'color': '#E8EBEE'}, 'title': {'text': 'white'}}
    """
    if isinstance(part, dict):
        return {name: on_dark(value, name) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [on_dark(value, key) for value in part]
    is_color = key.endswith(("color", "colorscale", "colorway"))
    return ON_DARK.get(part, part) if is_color and isinstance(part, str) else part


pio.templates["ucm_dark"] = go.layout.Template(on_dark(pio.templates["ucm"].to_plotly_json()))


CHARTS: Final[dict[str, Callable[..., go.Figure]]] = {}
"""Every chart by its name, which is that of its analysis."""


def chart(
    function: Callable[Concatenate[pd.DataFrame, P], go.Figure],
) -> Callable[Concatenate[pd.DataFrame, P], go.Figure]:
    """Register the chart of the analysis of its name, and check that it gets the result of that.

    Raises
    ------
    WrongColumns
        When it is called: it is not pandas, or a column of the analysis is missing or has another type.
    """
    columns = getattr(analyses, function.__name__).columns

    @wraps(function)
    def draw(frame: pd.DataFrame, /, *args: P.args, **kwargs: P.kwargs) -> go.Figure:
        _check(frame, function.__name__, columns)
        return function(frame, *args, **kwargs)

    CHARTS[function.__name__] = draw
    return draw


def _check(frame: Any, name: str, columns: Sequence[ResultColumn]) -> None:
    hint = f"pass what analyses.{name}() gives for a pandas frame"
    if not isinstance(frame, pd.DataFrame):
        raise WrongColumns(f"charts.{name} cannot draw a {type(frame).__name__}", hint=hint)
    missing = [c.name for c in columns if not c.optional and c.name not in frame]
    if missing:
        raise WrongColumns(f"charts.{name} lacks the columns {', '.join(missing)}", hint=hint)
    for column in columns:
        if column.name not in frame:
            continue
        values = frame[column.name]
        if column.dtype == "wall":
            fits = pd.api.types.is_datetime64_dtype(values)
        elif column.dtype in ("int64", "Int64", "float64", "bool"):
            fits = pd.api.types.is_numeric_dtype(values)
        else:
            fits = not pd.api.types.is_numeric_dtype(values)
        if not fits and not values.isna().all():
            raise WrongColumns(
                f"charts.{name} cannot draw {column.name} of type {values.dtype}, not {column.dtype}", hint=hint
            )


def figure(title: str, note: str = "", *, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """Empty figure with the house template, a title, a note under it and the titles of its axes."""
    made = go.Figure(layout={"template": "ucm", "title": {"text": title}, **layout})
    if note:
        made.update_layout(title_subtitle_text=note, margin_t=64)
    if x:
        made.update_xaxes(title_text=x)
    if y:
        made.update_yaxes(title_text=y)
    return made


_DAY_MS: Final = 86_400_000
NAMED: Final = 13
"""So many days, weeks or months have room for a label each."""


def over_days(drawn: go.Figure, first: Any, last: Any, *, hours: bool = False) -> go.Figure:
    """Write days under the axis of time: each of a few with its weekday, else some of them; of one day its hours."""
    start = pd.Timestamp(first).normalize()
    if hours and pd.Timestamp(last) < start + pd.Timedelta(days=1):
        drawn.update_xaxes(tickformat="%H:%M\n%a %d %b")
    elif pd.Timestamp(last) - start < pd.Timedelta(days=NAMED):
        drawn.update_xaxes(tick0=start, dtick=_DAY_MS, tickformat="%a<br>%d %b", ticklabelmode="period")
    else:
        drawn.update_xaxes(tickformat="%d %b\n%Y")
    return drawn


def over_points(drawn: go.Figure, at: pd.Series[Any], *, hours: bool) -> go.Figure:
    """`over_days` for a line: a lone point, between whose neighbours plotly would look for days, has its own label."""
    over_days(drawn, at.min(), at.max(), hours=hours)
    if len(at) == 1:
        drawn.update_xaxes(tickvals=list(at), tickformat="%a<br>%d %b", ticklabelmode="instant")
    return drawn


def without(what: str, title: str) -> go.Figure:
    """Figure that says what there is none of."""
    nothing = figure(title)
    nothing.update_xaxes(visible=False)
    nothing.update_yaxes(visible=False)
    nothing.add_annotation(text=what, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font_size=16)
    return nothing


def ordered(values: pd.Series[Any], colors: Mapping[str, str]) -> list[str]:
    """The values that occur, in the order of their colours, then the others."""
    found = set(values.dropna().astype(str))
    return [name for name in colors if name in found] + sorted(found - set(colors))


def words(name: str) -> str:
    """A name of the schema as a reader writes it: `no_answer` is `no answer`."""
    return name.replace("_", " ")


OTHERS: Final = "*"
"""Target that stands for all those of a kind that are not drawn one by one."""


def node(name: str) -> str:
    """`kind:target` as a reader writes it: `ivr:7000` is `menu 7000`."""
    kind, _, target = name.partition(":")
    if kind == "end":
        return f"end: {words(target)}"
    if target == OTHERS:
        return f"other {_KIND_WORDS.get(kind, words(kind))}s"
    return f"{_KIND_WORDS.get(kind, words(kind))} {target}".strip()
