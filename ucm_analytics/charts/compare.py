"""This period against earlier ones, with what is only noise called noise."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import VERDICT_COLORS, chart, figure, without

_MEASURES: Final = {
    "calls": "calls a day",
    "answered_rate": "answered rate",
    "wait_s": "mean wait",
    "talk_s": "mean talk",
}
_AGAINST: Final = {"previous": "the period before", "last_year": "last year"}
_VERDICTS: Final = {"noise": "no more than chance", "unknown": "too few days to tell"}
_ROW_PX: Final = 34


@chart
def compare(changes: pd.DataFrame) -> go.Figure:
    """Draw how much each measure changed, with its interval and the verdict.

    Parameters
    ----------
    changes : pandas.DataFrame
        Result of `ucm_analytics.analyses.compare`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per measure and period compared with, x [relative change] with 95 % interval; grey is noise.

    Raises
    ------
    WrongColumns
        `changes` is not such a result.
    """
    title = "Change against earlier periods"
    if not changes["calls"].sum():
        return without("no calls in the period", title)
    lacking = [a for a in _AGAINST if changes.loc[changes["against"].astype(str) == a, "change"].isna().all()]
    if len(lacking) < len(_AGAINST):
        changes = changes[~changes["against"].astype(str).isin(lacking)]
    rows = [_MEASURES[measure] for measure in changes["measure"]]
    if len(lacking) == 1:
        title = f"Change against {next(_AGAINST[a] for a in _AGAINST if a not in lacking)}"
    else:
        rows = [f"{row}, against {_AGAINST[a]}" for row, a in zip(rows, changes["against"], strict=True)]
    note = f"{_AGAINST[lacking[0]]}: nothing to compare with" if len(lacking) == 1 else ""
    drawn = figure(title, note, x="change", height=170 + _ROW_PX * len(changes))
    for verdict, color in VERDICT_COLORS.items():
        some = (changes["verdict"].astype(str) == verdict) & changes["change"].notna()
        if not some.any():
            continue
        part = changes[some]
        drawn.add_scatter(
            x=part["change"],
            y=[row for row, shown in zip(rows, some, strict=True) if shown],
            name=_VERDICTS.get(verdict, verdict),
            mode="markers",
            marker={"size": 10, "color": color},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": part["high"] - part["change"],
                "arrayminus": part["change"] - part["low"],
                "thickness": 1.5,
                "color": color,
            },
            customdata=part[["value", "before", "calls", "calls_before"]],
            hovertemplate="%{y}<br>%{x:+.1%}<br>%{customdata[0]:.3g} after %{customdata[1]:.3g}<br>"
            "%{customdata[2]} and %{customdata[3]} calls<extra></extra>",
        )
    blank = [row for row, change in zip(rows, changes["change"], strict=True) if pd.isna(change)]
    drawn.add_scatter(
        x=[0] * len(blank),
        y=blank,
        mode="text",
        text=["nothing to compare with"] * len(blank),
        textposition="middle right",
        textfont_color="#777777",
        showlegend=False,
        hovertemplate="%{y}<extra></extra>",
    )
    drawn.add_vline(x=0, line_color="#888888")
    drawn.update_xaxes(tickformat="+.0%", zeroline=False)
    drawn.update_yaxes(type="category", categoryarray=rows, categoryorder="array", dtick=1)
    drawn.update_yaxes(range=[len(rows) - 0.5, -0.5])
    drawn.update_layout(showlegend=True)
    return drawn
