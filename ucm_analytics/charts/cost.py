"""What calls out by a trunk cost, by the user's own tariff."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from ucm_analytics import analyses
from ucm_analytics.charts.template import NEUTRAL, chart, figure, without

_MOST: Final = 25
_ROW_PX: Final = 22


@chart
def cost(costs: pd.DataFrame) -> go.Figure:
    """Draw what the calls to each prefix cost.

    Parameters
    ----------
    costs : pandas.DataFrame
        Result of `ucm_analytics.analyses.cost`.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar per row of the result, x [money of the tariff]; at most 25 rows.

    Raises
    ------
    WrongColumns
        `costs` is not such a result.
    """
    title = "Cost of calls out by a trunk"
    if not costs["calls"].sum():
        return without("no calls that could cost anything", title)
    by = next((str(n) for n in costs if n not in {c.name for c in analyses.cost.columns}), None)
    shown = costs.head(_MOST)
    notes = [] if len(shown) == len(costs) else [f"the {_MOST} dearest rows of {len(costs)}"]
    if costs["cost"].isna().any():
        notes.append(f"{costs.loc[costs['cost'].isna(), 'calls'].sum():,} calls have no tariff")
    rows = [_prefix(prefix) for prefix in shown["prefix"]]
    if by:
        rows = [f"{value}, {row}" for value, row in zip(shown[by], rows, strict=True)]
    drawn = figure(title, "; ".join(notes), x="cost", height=max(240, 170 + _ROW_PX * len(shown)))
    drawn.add_bar(
        x=shown["cost"].fillna(0),
        y=rows,
        orientation="h",
        name="cost",
        marker={"color": NEUTRAL, "line": {"width": 0}},
        customdata=shown[["calls", "talk_s"]],
        hovertemplate="%{y}<br>%{x:,.2f}<br>%{customdata[0]} calls, %{customdata[1]} s talked<extra></extra>",
    )
    drawn.update_xaxes(rangemode="tozero", tickformat=",.2f")
    drawn.update_yaxes(type="category", autorange="reversed", dtick=1, showgrid=False, tickfont_size=11)
    return drawn


def _prefix(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "no tariff"
    return f"+{value}" if value else "all others"
