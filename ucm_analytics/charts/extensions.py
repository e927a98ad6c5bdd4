"""Extensions: what rang, who picked up, who called out."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics.charts.template import RING_COLORS, chart, figure, without

_ROW_PX: Final = 20
_NAMES: Final = {
    "answered": "answered",
    "elsewhere": "picked up elsewhere",
    "missed": "missed",
    "unreachable": "busy or not reachable",
}


@chart
def extensions(extensions: pd.DataFrame) -> go.Figure:
    """Draw what came of the calls that rang each extension, as stacked bars.

    Parameters
    ----------
    extensions : pandas.DataFrame
        Result of `ucm_analytics.analyses.extensions`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row per extension, x [calls]: answered, picked up elsewhere, missed, unreachable.

    Raises
    ------
    WrongColumns
        `extensions` is not such a result.
    """
    title = "Calls that rang each extension"
    if not extensions["offered"].sum():
        return without("no phone rang", title)
    rows = extensions["extension"].astype(str)
    if extensions["pbx"].nunique() > 1:
        rows = rows + " @ " + extensions["pbx"].astype(str)
    drawn = figure(title, x="calls", barmode="stack", height=max(240, 150 + _ROW_PX * len(extensions)))
    rate = [f"{value:.0%}" if pd.notna(value) else "–" for value in extensions["answered_rate"]]
    for name, shown in _NAMES.items():
        drawn.add_bar(
            x=extensions[name],
            y=rows,
            orientation="h",
            name=shown,
            showlegend=bool(extensions[name].sum()),
            marker={"color": RING_COLORS[name], "line": {"width": 0}},
            customdata=list(zip(extensions["offered"], rate, extensions["placed"], strict=True)),
            hovertemplate=f"extension %{{y}}<br>%{{x}} of %{{customdata[0]}} calls {shown}<br>"
            "answered rate %{customdata[1]}<br>%{customdata[2]} calls placed<extra></extra>",
        )
    drawn.update_xaxes(rangemode="tozero")
    drawn.update_yaxes(type="category", autorange="reversed", dtick=1, showgrid=False, tickfont_size=11)
    return drawn
