"""Menus: the ways that callers take, where they leave, what they choose."""

from __future__ import annotations

import textwrap
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import (
    CERTAINTY_COLORS,
    KIND_COLORS,
    MENU_COLORS,
    NOT_ANSWERED,
    OTHER_KIND,
    OTHERS,
    OUTCOME_COLORS,
    chart,
    figure,
    node,
    ordered,
    without,
)

_TOP_PATHS: Final = 15
_TOP_NODES: Final = 5
_KEPT_KINDS: Final = ("end", "ivr", "queue")
_TOP_CHOICES: Final = 25
_PATH_CHARS: Final = 62
_LINE_PX: Final = 15
_ROW_PX: Final = 26
_BACK: Final = "back>"


@chart
def ivr_paths(paths: pd.DataFrame) -> go.Figure:
    """Draw the most frequent ways through the menus as bars.

    Parameters
    ----------
    paths : pandas.DataFrame
        Result of `ucm_analytics.analyses.ivr_paths`.

    Returns
    -------
    plotly.graph_objects.Figure
        The first 15 rows, x [calls]: those that a person answered, and the others.

    Raises
    ------
    WrongColumns
        `paths` is not such a result.
    """
    if not paths["calls"].sum():
        return without("no calls went through a menu", "Ways through the menus")
    top = paths.head(_TOP_PATHS)
    more = f"the {len(top)} most frequent of {len(paths)}" if len(paths) > len(top) else ""
    labels = [_path(path) for path in top["path"]]
    lines = [label.count("<br>") + 1 for label in labels]
    # A label stands above its bar, where a long path has the whole width; y is counted in lines of text.
    below = [sum(lines[: n + 1]) + 1.4 * n for n in range(len(top))]
    drawn = figure(
        "Ways through the menus",
        more,
        x="calls",
        barmode="stack",
        height=max(240, 150 + round(_LINE_PX * (below[-1] + 1.4))),
    )
    others = top["calls"] - top["answered"]
    for name, values, color in (
        ("a person answered", top["answered"], OUTCOME_COLORS["answered"]),
        ("nobody answered", others, NOT_ANSWERED),
    ):
        drawn.add_bar(
            x=values,
            y=[at + 0.5 for at in below],
            width=0.8,
            orientation="h",
            name=name,
            marker={"color": color, "line": {"width": 0}},
            customdata=list(zip(labels, top["calls"], top["share"], top["median_wait_s"], strict=True)),
            hovertemplate=f"%{{customdata[0]}}<br>%{{x}} of %{{customdata[1]}} calls: {name}<br>"
            "%{customdata[2]:.1%} of all calls in menus<br>median wait %{customdata[3]:.0f} s<extra></extra>",
        )
    for label, at, calls in zip(labels, below, top["calls"], strict=True):
        drawn.add_annotation(
            text=f"{label} ({calls})", x=0, xanchor="left", y=at, yanchor="bottom", align="left", showarrow=False
        )
    drawn.update_xaxes(rangemode="tozero", zeroline=False)
    drawn.update_yaxes(range=[below[-1] + 1.4, 0], showticklabels=False, showgrid=False, zeroline=False)
    return drawn


@chart
def ivr_transitions(transitions: pd.DataFrame) -> go.Figure:
    """Draw the moves from step to step as a Sankey diagram.

    Parameters
    ----------
    transitions : pandas.DataFrame
        Result of `ucm_analytics.analyses.ivr_transitions`.

    Returns
    -------
    plotly.graph_objects.Figure
        All moves, width [passes]. Menus, queues and ends are drawn each; of the other places the five
        that are passed most, the rest of each kind together. A place that follows itself is no link; its
        label says how often that happened. A way back to an earlier place leads to a mark of its own.

    Raises
    ------
    WrongColumns
        `transitions` is not such a result.
    """
    if not transitions["passes"].sum():
        return without("no calls went through a menu", "Moves through the menus")
    steps = _few_places(transitions.astype({"from": "str", "to": "str"}))
    again = steps[steps["from"] == steps["to"]].set_index("from")["passes"]
    moves = _forward(steps[steps["from"] != steps["to"]])
    names = list(dict.fromkeys([*moves["from"], *moves["to"], *again.index]))
    place = {name: position for position, name in enumerate(names)}
    drawn = figure("Moves through the menus", height=max(420, 60 + 26 * len(names)))
    # plotly draws the links of a Sankey diagram beside its nodes when a title moves the margin afterwards.
    drawn.update_layout(title_automargin=False, margin={"t": 72, "b": 24})
    drawn.add_trace(
        go.Sankey(
            arrangement="snap",
            node={
                "label": [_place(n) + (f" (again {again[n]} times)" if n in again.index else "") for n in names],
                "color": [KIND_COLORS.get(n.removeprefix(_BACK).partition(":")[0], OTHER_KIND) for n in names],
                "pad": 24,
                "thickness": 14,
                "line": {"width": 0},
                "hovertemplate": "%{label}<br>%{value} passes<extra></extra>",
            },
            link={
                "source": [place[name] for name in moves["from"]],
                "target": [place[name] for name in moves["to"]],
                "value": moves["passes"],
                "color": "rgba(120, 120, 120, 0.28)",
                "customdata": moves["more"],
                "hovertemplate": "%{source.label} → %{target.label}<br>%{value} passes%{customdata}<extra></extra>",
            },
            textfont={"size": 12, "color": "#222222"},
            valueformat=",d",
        )
    )
    return drawn


@chart
def ivr_dropoff(dropoff: pd.DataFrame) -> go.Figure:
    """Draw what became of the passes of each menu, as stacked bars.

    Parameters
    ----------
    dropoff : pandas.DataFrame
        Result of `ucm_analytics.analyses.ivr_dropoff`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per menu, x [passes]: went on and answered, went on and not answered, repeated, hung up, timed
        out, other.

    Raises
    ------
    WrongColumns
        `dropoff` is not such a result.
    """
    title = "What became of callers in each menu"
    if not dropoff["passes"].sum():
        return without("no calls went through a menu", title)
    menus = "menu " + dropoff["menu"].astype(str)
    if dropoff["pbx"].nunique() > 1:
        menus = menus + " @ " + dropoff["pbx"].astype(str)
    parts = {
        "answered": dropoff["answered"],
        "went on, not answered": dropoff["went_on"] - dropoff["answered"],
        "repeated": dropoff["repeated"],
        "hung up": dropoff["hung_up"],
        "timed out": dropoff["timed_out"],
        "other": dropoff["other"],
    }
    drawn = figure(title, x="passes: stays in the menu", barmode="stack", height=max(240, 150 + _ROW_PX * len(dropoff)))
    for name, passes in parts.items():
        if not passes.sum():
            continue
        drawn.add_bar(
            x=passes,
            y=menus,
            orientation="h",
            name=name,
            marker={"color": MENU_COLORS[name], "line": {"width": 0}},
            customdata=dropoff[["passes", "median_dwell_s", "p90_dwell_s"]],
            hovertemplate=f"%{{y}}<br>%{{x}} of %{{customdata[0]}} passes: {name}<br>"
            "time in the menu: median %{customdata[1]:.0f} s, p90 %{customdata[2]:.0f} s<extra></extra>",
        )
    drawn.update_xaxes(rangemode="tozero")
    drawn.update_yaxes(autorange="reversed", dtick=1, showgrid=False)
    return drawn


@chart
def ivr_choices(choices: pd.DataFrame) -> go.Figure:
    """Draw which keys callers seem to have pressed, and how certain that is.

    Parameters
    ----------
    choices : pandas.DataFrame
        Result of `ucm_analytics.analyses.ivr_choices`.

    Returns
    -------
    plotly.graph_objects.Figure
        The 25 most frequent rows, in the order of the menus, x [passes], colour the certainty.

    Raises
    ------
    WrongColumns
        `choices` is not such a result.
    """
    title = "Choices in each menu, by key"
    if not choices["passes"].sum():
        return without("no choice was made in a menu", title)
    note = "inferred from where callers went"
    if len(choices) > _TOP_CHOICES:
        note += f": the {_TOP_CHOICES} most frequent of {len(choices)}"
        choices = choices.loc[choices["passes"].nlargest(_TOP_CHOICES).index.sort_values()]
    several = choices["pbx"].nunique() > 1
    places = [
        "menu " + menu + (f" @ {pbx}" if several else "")
        for menu, pbx in zip(choices["menu"], choices["pbx"], strict=True)
    ]
    keys = ["?" if pd.isna(key) else key if key.isalpha() else f"key {key}" for key in choices["key"]]
    labels = [f"{place}, {key} → {node(to)}" for place, key, to in zip(places, keys, choices["to"], strict=True)]
    drawn = figure(
        title,
        note,
        x="passes: stays in the menu",
        barmode="stack",
        height=max(240, 150 + _ROW_PX * len(choices)),
    )
    for certainty in ordered(choices["certainty"], CERTAINTY_COLORS):
        rows = [n for n, value in enumerate(choices["certainty"]) if value == certainty]
        some = choices.iloc[rows]
        drawn.add_bar(
            x=some["passes"],
            y=rows,
            orientation="h",
            name=certainty,
            marker={"color": CERTAINTY_COLORS[certainty], "line": {"width": 0}},
            customdata=[[labels[n], choices["calls"].iloc[n], choices["share"].iloc[n]] for n in rows],
            hovertemplate=f"%{{customdata[0]}}<br>%{{x}} passes of %{{customdata[1]}} calls ({certainty})<br>"
            "%{customdata[2]:.1%} of the choices in the menu<extra></extra>",
        )
    drawn.update_xaxes(rangemode="tozero")
    drawn.update_yaxes(
        autorange="reversed", tickvals=list(range(len(choices))), ticktext=labels, showgrid=False, tickfont_size=11
    )
    return drawn


def _few_places(moves: pd.DataFrame) -> pd.DataFrame:
    """Moves between few enough places to read: the rare ones of each kind become one."""
    ways = pd.concat([moves.set_index(end)["passes"] for end in ("from", "to")]).groupby(level=0).sum()
    rare = ways[~ways.index.str.partition(":").get_level_values(0).isin(_KEPT_KINDS)]
    rare = rare.sort_values(ascending=False, kind="stable").iloc[_TOP_NODES:].index
    others = {name: f"{name.partition(':')[0]}:{OTHERS}" for name in rare}
    more = [
        f" of {calls:,} calls<br>median {dwell:.0f} s before the move" if {a, b}.isdisjoint(rare) else ""
        for a, b, calls, dwell in zip(moves["from"], moves["to"], moves["calls"], moves["median_dwell_s"], strict=True)
    ]
    renamed = moves.assign(more=more)
    renamed[["from", "to"]] = moves[["from", "to"]].replace(others)
    merged = renamed.groupby(["from", "to"], sort=False, as_index=False).agg({"passes": "sum", "more": "first"})
    return merged.sort_values("passes", ascending=False, kind="stable", ignore_index=True)


def _forward(moves: pd.DataFrame) -> pd.DataFrame:
    """Moves without circles, which a Sankey diagram draws as empty loops: rarer ways back end in `back to`."""
    after: dict[str, set[str]] = {}
    ends = []
    for place, following in zip(moves["from"], moves["to"], strict=True):
        circle = _reaches(after, following, place)
        ends.append(f"{_BACK}{following}" if circle else following)
        after.setdefault(place, set()).add(ends[-1])
    return moves.assign(to=ends)


def _reaches(after: dict[str, set[str]], first: str, last: str) -> bool:
    seen, left = set(), {first}
    while left:
        place = left.pop()
        seen.add(place)
        left |= after.get(place, set()) - seen
    return last in seen


def _place(name: str) -> str:
    return f"back to {node(name.removeprefix(_BACK))}" if name.startswith(_BACK) else node(name)


def _path(path: str) -> str:
    """Path in words, on as many lines as it needs."""
    steps = " → ".join(node(step).replace(" ", "\u00a0") for step in path.split(" > "))
    return "<br>".join(textwrap.wrap(steps, _PATH_CHARS, break_long_words=False, break_on_hyphens=False))
