"""What every analysis shares: any kind of frame goes in, and the same kind comes out.

An analysis checks its input with `select_required`, reduces it in the engine behind the frame (DuckDB for
frames that lie in memory), and returns a small Arrow table. `analysis` gives the table the
declared types and hands it back as the kind of frame that went in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time
from functools import wraps
from typing import Any, Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar, cast, overload

import duckdb
import narwhals as narwhals_main
import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from ucm_analytics.engine import IN_MEMORY
from ucm_analytics.errors import SettingError, WrongColumns
from ucm_analytics.schema import TABLES, Column, TableName

P = ParamSpec("P")
FrameT = TypeVar("FrameT")

_BUSY: Final = getattr(duckdb, "ResourceInUseException", ())  # DuckDB 1 waits

ResultDtype = Literal["category", "string", "int64", "Int64", "float64", "bool", "wall"]

_ARROW: Final[dict[ResultDtype, pa.DataType]] = {
    "category": pa.dictionary(pa.int32(), pa.string()),
    "string": pa.string(),
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "wall": pa.timestamp("us"),
}

_SPARK: Final[dict[ResultDtype, str]] = {
    "category": "string",
    "string": "string",
    "int64": "bigint",
    "Int64": "bigint",
    "float64": "double",
    "bool": "boolean",
    "wall": "timestamp_ntz",
}


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result: name, type, meaning, unit, and the id of the number in `metrics` that it holds.

    ``int64`` is never NA, ``Int64`` may be. An optional column is there only with some arguments.
    """

    name: str
    dtype: ResultDtype
    meaning: str
    unit: str = ""
    optional: bool = False
    metric: str = ""


class Analysis(Protocol[P]):
    """An analysis: pandas or a narwhals LazyFrame gives pandas, any other frame its own kind."""

    __name__: str
    columns: tuple[ResultColumn, ...]
    divides_by: str

    @overload
    def __call__(
        self, frame: pd.DataFrame | nw.LazyFrame[Any], /, *args: P.args, **kwargs: P.kwargs
    ) -> pd.DataFrame: ...
    @overload
    def __call__(self, frame: FrameT, /, *args: P.args, **kwargs: P.kwargs) -> FrameT: ...


ANALYSES: Final[dict[str, Analysis[Any]]] = {}
"""Every analysis by its name; `ucm_analytics.analyses` offers them, tests run them, docs list them."""


def analysis(
    *columns: ResultColumn, divides_by: str = ""
) -> Callable[[Callable[Concatenate[Any, P], pa.Table]], Analysis[P]]:
    """Register a function that returns an Arrow table, and make it give back the kind of frame that it got.

    The columns that the function returns beyond `columns` are those that it was asked to group by;
    they are categories. `divides_by` says in words what its rates, shares and means are divided by.
    """
    declared = {column.name: column.dtype for column in columns}

    def decorate(function: Callable[Concatenate[Any, P], pa.Table]) -> Analysis[P]:
        @wraps(function)
        def run(frame: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                table = function(frame, *args, **kwargs)
            except _BUSY as error:
                raise SettingError(
                    "another thread is reading this frame", hint="call Store.scan() once in each thread"
                ) from error
            dtypes = {name: declared.get(name, "category") for name in table.column_names}
            return _as_kind_of(frame, _typed(table, dtypes), dtypes)

        made = cast("Analysis[P]", run)
        made.columns, made.divides_by = columns, divides_by
        ANALYSES[made.__name__] = made
        return made

    return decorate


def required(table: TableName, *names: str) -> tuple[Column, ...]:
    """Columns of a table that an analysis reads."""
    declared = {column.name: column for column in TABLES[table]}
    return tuple(declared[name] for name in dict.fromkeys(names))


def select_required(frame: Any, what: str, columns: Sequence[Column]) -> nw.LazyFrame[Any]:
    """Lazy frame of exactly `columns`, checked; frames in memory run on DuckDB.

    Parameters
    ----------
    frame : pandas, Polars or PyArrow table, DuckDB relation, PySpark or narwhals frame
        The input of an analysis.
    what : str
        What to call it in an error: ``calls``.
    columns : sequence of Column
        The columns that must be there.

    Raises
    ------
    WrongColumns
        It is no frame, or a column is missing or has another type.
    """
    outer = as_narwhals(frame, what)
    names = set(outer.columns)  # the types of all columns would cost DuckDB another look at its settings
    missing = [column.name for column in columns if column.name not in names]
    if missing:
        raise WrongColumns(
            f"{what} lacks the columns {', '.join(missing)}",
            hint=f"pass the {what} table as the store gives it",
        )
    chosen = outer.select(*(column.name for column in columns))
    if isinstance(chosen, nw.DataFrame):
        chosen = in_duckdb(_repaired(_arrow(chosen, what), columns))
    schema = chosen.collect_schema()
    wrong = [f"{c.name} is {schema[c.name]}, not {c.dtype}" for c in columns if not _fits(schema[c.name], c)]
    if wrong:
        raise WrongColumns(
            f"{what} has columns of the wrong type ({'; '.join(wrong)})",
            hint=f"pass the {what} table as the store gives it",
        )
    return chosen.select(*(_normal(column, schema[column.name]) for column in columns))


def wall_time(at: datetime) -> nw.Expr:
    """A wall time, to compare columns with. A bare datetime reaches Spark by way of two time zones, not always one."""
    moment = nw.lit(at.date()).cast(nw.Datetime("us"))
    for unit, since in (("us", at.microsecond), ("s", (at - datetime.combine(at, time())).seconds)):
        moment = moment.dt.offset_by(f"{since}{unit}") if since else moment
    return moment


def with_interval_start(frame: nw.LazyFrame[Any], every: str, name: str = "local_at") -> nw.LazyFrame[Any]:
    """Frame whose column `name` is the start of the ``1m``, ``1h``, ``1d`` or ``1mo`` that ``local_at`` lies in."""
    if not frame.implementation.is_pyspark():
        return frame.with_columns(nw.col("local_at").dt.truncate(every).alias(name))
    # Spark's own date_trunc goes through the session's time zone, whose clock may skip hours that the PBX's has.
    from pyspark.sql import functions as sql

    at = sql.col("local_at")
    day = at.cast("date")
    midnight = (sql.trunc(day, "month") if every == "1mo" else day).cast("timestamp_ntz")
    minutes = {"1m": sql.hour(at) * 60 + sql.minute(at), "1h": sql.hour(at) * 60, "1d": sql.lit(0), "1mo": sql.lit(0)}
    native = frame.to_native().withColumn(name, sql.timestamp_add("MINUTE", minutes[every], midnight))
    return cast("nw.LazyFrame[Any]", nw.from_native(native))


def collect(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Reduced frame as pandas; categories as plain text."""
    return cast("pd.DataFrame", collect_arrow(frame).to_pandas())


def collect_arrow(frame: nw.LazyFrame[Any]) -> pa.Table:
    """Reduced frame as an Arrow table; text as plain text."""
    table = cast("pa.Table", frame.collect("pyarrow").to_native())
    return table.cast(pa.schema([pa.field(f.name, pa.string() if _is_text(f.type) else f.type) for f in table.schema]))


def in_duckdb(rows: pa.Table) -> nw.LazyFrame[Any]:
    """A table in memory as a lazy frame of this thread's connection."""
    return nw.from_native(IN_MEMORY.connection().from_arrow(rows))


def on_engine_of(frame: nw.LazyFrame[Any], rows: pa.Table) -> nw.LazyFrame[Any]:
    """A table in memory as a lazy frame of the engine behind `frame`, to join the two."""
    native = cast("Any", nw.to_native(frame))
    if frame.implementation.is_duckdb():  # a relation joins only those of its own connection
        return cast("nw.LazyFrame[Any]", nw.from_native(native.query("_beside", "FROM rows")))
    if frame.implementation.is_pyspark():
        return cast("nw.LazyFrame[Any]", nw.from_native(_on_spark(native.sparkSession, rows)))
    return cast("nw.LazyFrame[Any]", nw.from_native(rows).lazy(frame.implementation))


def _on_spark(session: Any, rows: pa.Table) -> Any:
    """The table as a DataFrame. Wall times travel as numbers: Spark would put them through the session's time zone."""
    from pyspark.sql import functions as sql

    walls = [field.name for field in rows.schema if pa.types.is_timestamp(field.type)]
    whole = pa.schema([pa.field(f.name, pa.int64() if f.name in walls else f.type) for f in rows.schema])
    micros = rows.cast(pa.schema([pa.field(f.name, pa.timestamp("us")) if f.name in walls else f for f in rows.schema]))
    native = session.createDataFrame(micros.cast(whole))
    epoch = sql.lit("1970-01-01 00:00:00").cast("timestamp_ntz")
    return native.withColumns({name: sql.timestamp_add("MICROSECOND", sql.col(name), epoch) for name in walls})


def _is_text(dtype: pa.DataType) -> bool:
    return any(of(dtype) for of in (pa.types.is_dictionary, pa.types.is_large_string, pa.types.is_string_view))


def arrow(frame: pd.DataFrame, *, sort: Sequence[tuple[str, Literal["ascending", "descending"]]]) -> pa.Table:
    """Arrow table of a finished pandas frame, sorted; NA come last."""
    return pa.Table.from_pandas(frame, preserve_index=False).sort_by(list(sort))


def as_narwhals(frame: Any, what: str) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    try:
        native = nw.to_native(frame, pass_through=True)
        return cast("nw.DataFrame[Any] | nw.LazyFrame[Any]", nw.from_native(native))
    except TypeError as error:
        raise WrongColumns(
            f"{what} is a {type(frame).__name__}, which is no frame",
            hint="pass a pandas, Polars, PyArrow or PySpark table, a DuckDB relation, or what Store.scan() gives",
        ) from error


def _arrow(frame: nw.DataFrame[Any], what: str) -> pa.Table:
    try:
        return frame.to_arrow()
    except pa.ArrowException as error:
        raise WrongColumns(
            f"a column of {what} mixes types ({error})", hint=f"pass the {what} table as the store gives it"
        ) from error


def _repaired(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """Undo what readers do to NA: a column of nothing else has any type, whole numbers become floats."""
    for position, column in enumerate(columns):
        values = table.column(position)
        if values.null_count == len(values):
            values = pa.nulls(len(values), _INPUT[column.dtype])
        elif pa.types.is_floating(values.type) and column.dtype in ("int64", "int32"):
            with suppress(pa.ArrowInvalid):  # a fraction: `select_required` then names the column
                values = values.cast(pa.int64())
        table = table.set_column(position, column.name, values)
    return table


_INPUT: Final[dict[str, pa.DataType]] = {
    "category": pa.string(),
    "string": pa.string(),
    "int64": pa.int64(),
    "int32": pa.int64(),
    "bool": pa.bool_(),
    "wall": pa.timestamp("us"),
}


def _fits(dtype: Any, column: Column) -> bool:
    if column.dtype in ("category", "string"):
        return dtype in (nw.String, nw.Categorical, nw.Enum)
    if column.dtype in ("int64", "int32"):
        return bool(dtype.is_integer())
    if column.dtype == "bool":
        return bool(dtype == nw.Boolean)
    return dtype == nw.Datetime and dtype.time_zone is None


def _normal(column: Column, dtype: Any) -> nw.Expr:
    """Expression that gives a column the same type in every engine."""
    expression = nw.col(column.name)
    if column.dtype in ("int64", "int32"):
        return expression.cast(nw.Int64)
    if column.dtype == "wall":
        return expression.cast(nw.Datetime("us"))
    if dtype == nw.Categorical:
        return expression.cast(nw.String)
    return expression


def _typed(table: pa.Table, dtypes: dict[str, ResultDtype]) -> pa.Table:
    return table.cast(pa.schema([pa.field(name, _ARROW[dtype]) for name, dtype in dtypes.items()]))


def _as_kind_of(frame: Any, table: pa.Table, dtypes: dict[str, ResultDtype]) -> Any:
    if isinstance(frame, narwhals_main.LazyFrame | narwhals_main.DataFrame):
        return _pandas(table, dtypes)
    outer = as_narwhals(frame, "frame")
    if outer.implementation.is_pyarrow():
        return table
    if outer.implementation.is_polars():
        import polars as pl

        result = cast("pl.DataFrame", pl.from_arrow(table))
        return result.lazy() if isinstance(outer, nw.LazyFrame) else result
    if outer.implementation.is_duckdb():
        return nw.to_native(on_engine_of(cast("nw.LazyFrame[Any]", outer), table))
    if outer.implementation.is_pyspark():
        schema = ", ".join(f"`{name}` {_SPARK[dtype]}" for name, dtype in dtypes.items())
        # an Arrow column without rows may have no chunk, which Spark cannot read
        return nw.to_native(outer).sparkSession.createDataFrame(table if len(table) else [], schema)
    return _pandas(table, dtypes)


def _pandas(table: pa.Table, dtypes: dict[str, ResultDtype]) -> pd.DataFrame:
    frame = cast("pd.DataFrame", table.to_pandas())
    nullable = {name: "Int64" for name, dtype in dtypes.items() if dtype == "Int64"}
    return frame.astype(nullable)
