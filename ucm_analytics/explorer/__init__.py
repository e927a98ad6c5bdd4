"""The calls of a store, explored by hand: choose days, direction, extension, queue; see numbers, charts and calls.

The same widget stands in a notebook and, with Voilà, on a page for people who never see Python.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ucm_analytics.documents.coverage import coverage
from ucm_analytics.documents.formats import count, period_name, plural
from ucm_analytics.documents.labels import Names
from ucm_analytics.errors import SettingError, UCMError
from ucm_analytics.explorer import _answer, _html
from ucm_analytics.explorer._choice import Choice, Chosen, chosen, held_days, periods, places
from ucm_analytics.period import Period
from ucm_analytics.schema import DIRECTIONS, OUTCOMES

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from ucm_analytics.reports import Coverage
    from ucm_analytics.store import Store

__all__ = ["Explorer"]

ROWS: Final = 25
"""Calls on one page of the table."""

CSV_ROWS: Final = 50_000
"""Calls in the CSV, which travels through the page; `ucm-analytics export` writes any number."""

_PLOTLY: Final = "application/vnd.plotly.v1+json"
_CHARTS: Final = {
    "volume": (),
    "hours": (),
    "durations": (),
    "extensions": (),
    "queues": ("ucm-wide",),
    "menus": ("ucm-wide", "ucm-flow"),
}
"""The charts in the order of the page, and how each is laid out."""

_CHART_PX: Final = 380
_OWN_DAYS: Final = "Own days"
_ALL: Final = ""
"""No choice; a dropdown with None has nothing to show."""


class Explorer:
    """Calls of a store, chosen by hand: it shows itself as the last line of a cell, in JupyterLab and Voilà.

    Every change of a control counts again in the engine, over the months and columns that are needed.

    Parameters
    ----------
    store : Store
        Where the calls are.

    Attributes
    ----------
    controls : dict
        The widgets to choose with, by name: period, first, last, pbx, direction, outcome, extension, queue, dark.

    Raises
    ------
    NoData
        The store holds no calls.
    SettingError
        There is no ipywidgets.

    Notes
    -----
    A call has to do with an extension that rang, answered or placed it, and with every queue that it went
    through. Calls that go on with another (follow-me) are counted once, as in `call_volume`.
    Answered = calls that a person answered / calls; without calls there is no rate.

    Examples
    --------
    >>> import ucm_analytics as ucm
    >>> explorer = ucm.Explorer(ucm.demo_store())
    >>> explorer.controls["direction"].value = "internal"
    >>> explorer.calls()["direction"].unique().tolist()
    ['internal']
    """

    def __init__(self, store: Store) -> None:
        self._widgets = _ipywidgets()
        self._store = store
        self._held = held_days(store)
        self._periods = periods(self._held)
        self._quiet = False
        self._page = 0
        self._found = 0
        self._sentence = ""
        self._names = Names.of(store)
        self.controls = self._make_controls()
        self._make_places()
        self._make_view()
        for name, control in self.controls.items():
            control.observe(self._changed(name), names="value")
        self._count()

    def __repr__(self) -> str:
        return f"<Explorer {self._sentence}>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options) | {"text/plain": repr(self)}

    @property
    def choice(self) -> Choice:
        """What the controls say now.

        Raises
        ------
        SettingError
            A day is missing, or the last lies before the first.
        """
        value = {name: control.value for name, control in self.controls.items()}
        if value["first"] is None or value["last"] is None:
            raise SettingError("the first or the last day is missing", hint="choose both")
        return Choice(
            period=Period(value["first"], value["last"]),
            **{name: value.get(name) or None for name in ("pbx", "direction", "outcome", "extension", "queue")},
        )

    def calls(self) -> pd.DataFrame:
        """The calls that are chosen now, to go on with in Python.

        Returns
        -------
        pandas.DataFrame
            Columns of `Store.calls`, the newest call first.
        """
        found = self._chosen()
        return found.newest(0, self._found)

    @property
    def _pbx(self) -> str | None:
        return self.controls["pbx"].value or None if "pbx" in self.controls else None

    def _chosen(self) -> Chosen:
        return chosen(self._store, self.choice)

    def _make_controls(self) -> dict[str, Any]:
        make = self._widgets
        usual = next(iter(self._periods))
        days = self._periods[usual]
        edges = {"min": self._held.first, "max": self._held.last}
        pbxs = self._store.pbxs
        controls = {
            "period": make.Dropdown(description="Period", options=[*self._periods, _OWN_DAYS], value=usual),
            "first": make.DatePicker(description="First day", value=days.first, **edges),
            "last": make.DatePicker(description="Last day", value=days.last, **edges),
        }
        if len(pbxs) > 1:
            controls["pbx"] = make.Dropdown(
                description="PBX", options=[("All PBXs", _ALL), *((name, name) for name in pbxs)]
            )
        return controls | {
            "direction": make.Dropdown(description="Direction", options=_any("All directions", DIRECTIONS)),
            "outcome": make.Dropdown(description="Outcome", options=_any("All outcomes", OUTCOMES)),
            "extension": make.Dropdown(description="Extension", options=[("All extensions", _ALL)]),
            "queue": make.Dropdown(description="Queue", options=[("All queues", _ALL)]),
            "dark": make.ToggleButton(description="Dark", value=False, tooltip="Light letters on a dark page"),
        }

    def _make_places(self) -> None:
        """Fill in the extensions and queues of the PBX that is chosen; a choice that is still among them stays."""
        pbx = self._pbx
        for kind in ("extension", "queue"):
            control, kept = self.controls[kind], self.controls[kind].value
            known = places(self._store, kind, pbx)
            control.options = [(f"All {kind}s", _ALL), *known.items()]
            control.value = kept if kept in known.values() else _ALL

    def _make_view(self) -> None:
        make = self._widgets
        self._says, self._cards, self._rows, self._csv = (make.HTML() for _ in range(4))
        self._drawn = {name: make.Output() for name in _CHARTS}
        for name, classes in _CHARTS.items():
            for each in classes:
                self._drawn[name].add_class(each)
        self._newer = make.Button(description="Newer calls")
        self._older = make.Button(description="Older calls")
        self._make_csv = make.Button(description="Make a CSV file")
        self._newer.on_click(lambda _: self._turn(-1))
        self._older.on_click(lambda _: self._turn(1))
        self._make_csv.on_click(lambda _: self._link())
        buttons = [self._newer, self._older, self._make_csv]
        self._results = [
            self._cards,
            make.Box(list(self._drawn.values())).add_class("ucm-charts"),
            self._rows,
            make.Box(buttons).add_class("ucm-buttons"),
            self._csv,
        ]
        self.widget = make.VBox(
            [
                make.HTML(_html.stylesheet()),
                make.Box(list(self.controls.values())).add_class("ucm-controls"),
                self._says,
                *self._results,
            ]
        ).add_class("ucm-explorer")

    def _changed(self, name: str) -> Callable[[Any], None]:
        def react(_: Any) -> None:
            if self._quiet:
                return
            self._quiet = True
            try:
                self._agree(name)
            finally:
                self._quiet = False
            self._count()

        return react

    def _agree(self, name: str) -> None:
        """Bring the other controls in line with the one that changed."""
        if name == "period" and (period := self._periods.get(self.controls["period"].value)):
            self.controls["first"].value, self.controls["last"].value = period.first, period.last
        if name in ("first", "last"):
            days = self.controls["first"].value, self.controls["last"].value
            named = [title for title, period in self._periods.items() if (period.first, period.last) == days]
            self.controls["period"].value = named[0] if named else _OWN_DAYS
        if name == "pbx":
            self._make_places()
            self._names = Names.of(self._store, pbx=self._pbx)
        if name == "dark":
            change = self.widget.add_class if self.controls["dark"].value else self.widget.remove_class
            change("ucm-dark")

    def _count(self) -> None:
        """Show what is chosen now."""
        self._page, self._found, self._csv.value = 0, 0, ""
        try:
            choice = self.choice
            days = coverage(self._store, choice.period, pbx=choice.pbx)
            found, period = chosen(self._store, choice), days.span or choice.period
            self._found, numbers = _answer.numbers(found, period, days)
            self._sentence = f"{_what(self._found, days)}, {period_name(choice.period)}"
            self._says.value = _html.says(self._sentence, days.line, complete=days.complete)
            self._cards.value = _html.cards(numbers)
            self._show_results()
            if self._found:
                for name, figure in _answer.figures(found, period, days, self._names):
                    self._draw(name, figure)
                self._list(found)
        except UCMError as error:
            self._sentence = str(error)
            self._says.value = _html.says(self._sentence)
            self._show_results()

    def _show_results(self) -> None:
        for part in self._results:
            part.layout.display = None if self._found else "none"

    def _draw(self, name: str, figure: go.Figure | None) -> None:
        drawn = self._drawn[name]
        drawn.layout.display = None if figure else "none"
        if figure:
            figure.update_layout(height=max(figure.layout.height or 0, _CHART_PX))
            drawn.layout.height = f"{figure.layout.height}px"
            # not a FigureWidget: each of those carries plotly.js, and JupyterLab and Voilà have it already
            data = _bundle(figure, dark=self.controls["dark"].value)
            drawn.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)

    def _list(self, found: Chosen) -> None:
        calls = found.newest(self._page * ROWS, ROWS)
        first = self._page * ROWS + 1
        caption = f"Calls {count(first)} to {count(first + len(calls) - 1)} of {count(self._found)}, newest first"
        self._rows.value = _html.rows(_answer.table(calls, self._names), _answer.COLUMNS, caption)
        self._newer.disabled = self._page == 0
        self._older.disabled = (self._page + 1) * ROWS >= self._found

    def _turn(self, pages: int) -> None:
        self._page += pages
        self._list(self._chosen())

    def _link(self) -> None:
        rows = min(self._found, CSV_ROWS)
        note = plural(rows, "call")
        if rows < self._found:
            note = f"the newest {count(rows)} of {count(self._found)} calls; ucm-analytics export calls writes all"
        period = self.choice.period
        self._csv.value = _html.csv_link(
            self._chosen().newest(0, rows), f"calls-{period.first}-{period.last}.csv", note
        )


def _what(calls: int, days: Coverage) -> str:
    if days.never_pulled:
        return "These days were never pulled from a PBX"
    return plural(calls, "call") if calls else "No call fits this choice"


def _any(every: str, kinds: dict[str, str]) -> list[tuple[str, str]]:
    return [(every, _ALL), *((kind.replace("_", " "), kind) for kind in kinds)]


def _bundle(figure: go.Figure, *, dark: bool) -> dict[str, Any]:
    """Figure as the data from which JupyterLab and Voilà draw it."""
    import plotly.io as pio

    from ucm_analytics.charts.template import on_dark

    drawn = on_dark(figure.to_plotly_json()) if dark else figure.to_plotly_json()
    config = {"displayModeBar": False, "responsive": True}
    return {_PLOTLY: {**json.loads(pio.to_json(drawn, validate=False)), "config": config}}


def _ipywidgets() -> Any:
    try:
        import ipywidgets
    except ImportError:
        raise SettingError(
            "the explorer needs the package ipywidgets, which is not installed",
            hint='install it with pip install "ucm-analytics[notebook]"',
        ) from None
    return ipywidgets
