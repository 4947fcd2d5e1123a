"""What rows and targets mean: how a user's rows become a network's numbers, and its outputs the user's words.

A `Schema` is learned from the training rows, saved in the model file, and gone through by every way in and out.
Whatever is done to rows and targets is in it; the array or file at hand decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_values import list_names
from glassnet.data.read_options import clean_name
from glassnet.data.scaling import ScalingName
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError
from glassnet.nn.activations import Array
from glassnet.runtime.callers import warn_caller

if TYPE_CHECKING:
    import polars as pl

    from glassnet.data.columns import TableSchema
    from glassnet.data.read_options import ReadOptions


#: The most classes that a configuration lists.
MOST_SHOWN = 100

#: What is said of a file, and stays true of those to predict.
OF_FILES = ("sep", "encoding", "sheet", "x_key", "y_key")


class DataWarning(UserWarning):
    """Something was converted, filled in or left out on the way to the network's numbers."""


def describe_targets(task: str, names: Sequence[str] | None, first: int = 0) -> TargetSchema:
    """Return the targets of a set whose labels count up from `first`, with these names; or so named numbers."""
    if task == "multi-label":
        return TargetSchema(task, tuple(names or ()), (0, 1), width=len(names or ()))
    if task == "regression":
        return TargetSchema(task, tuple(names or ()), width=max(1, len(names or ())))
    return TargetSchema(task, (), tuple(range(first, first + len(names or ()))), tuple(names or ()))


@dataclass(frozen=True)
class Schema:
    """What goes into a network, and what comes out.

    Attributes
    ----------
    input : ArraySchema or TableSchema
        How rows become numbers.
    target : TargetSchema
        How labels or numbers become targets, and outputs become answers.
    reading : dict
        Of the file, what was said of it: ``sep``, ``encoding``, ``sheet``, ``x_key``, ``y_key``; and how the
        numbers of a table's target are written.

    Examples
    --------
    >>> schema = Schema.learn(np.arange(4.0)[:, None], np.array(["no", "yes", "no", "yes"]))
    >>> schema.target.encode(["yes"]), schema.target.decode(np.array([0]))
    (array([1]), array(['no'], dtype='<U3'))
    """

    input: ArraySchema | TableSchema
    target: TargetSchema
    reading: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def learn(cls, X: Array, y: Array, **options: Any) -> Schema:
        """Learn what rows of numbers and their targets mean; the options are those of `TargetSchema.learn`."""
        rows, _ = ArraySchema.learn(np.asarray(X))
        return cls(rows, TargetSchema.learn(np.asarray(y), **options)[0])

    @property
    def scaling(self) -> ScalingName:
        """The name of what scales the columns: none, standard or robust."""
        rows = self.input
        if isinstance(rows, ArraySchema):
            return "none" if rows.scaling is None else rows.scaling.name
        return rows.scaling

    @property
    def pieces(self) -> int:
        """The most pieces that a column of numbers is cut into, 0 for none."""
        rows = self.input
        if isinstance(rows, ArraySchema):
            return 0 if rows.pieces is None else rows.pieces.most
        return rows.pieces

    def cut(self, X: Any, pieces: int) -> Schema:
        """Return the schema with columns of numbers cut into at most so many pieces by training rows."""
        return replace(self, input=self.input.cut(X, pieces))

    def scale(self, X: Any, y: Array, name: ScalingName) -> Schema:
        """Return the schema with another scaling of the columns, and of numbers to regress, by training rows."""
        return replace(self, input=self.input.scale(X, name), target=self.target.scale(y, name))

    def encode_rows(self, X: Any) -> Array:
        """Return a user's rows as a network takes them; what was converted or filled in is a `DataWarning`.

        `DataError` is raised if they cannot be what the network was trained on.
        """
        encoded, remarks = self.input.encode(self.take_rows(X))
        for remark in remarks:
            warn_caller(remark, DataWarning)
        return encoded

    def check_rows(self, X: Any, y: Any) -> tuple[str, ...]:
        """Return what is converted or filled in where rows and labels are encoded; refuse what cannot be."""
        self.target.encode(y)
        return self.input.encode(X)[1]

    def take_rows(self, X: Any) -> Any:
        """Return rows in memory as the input takes them: a table as a frame of Polars, others as they are."""
        if isinstance(self.input, ArraySchema):
            return X
        frame = _as_frame(X, self.input)
        features = {column.name for column in self.input.columns}
        return frame.drop([one for one in self.target.names if one in frame.columns and one not in features])

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain values and arrays, for `Schema.from_dict`."""
        kind = "array" if isinstance(self.input, ArraySchema) else "table"
        parts = {"input": self.input.to_dict(), "target": self.target.to_dict()}
        return {"kind": kind, **parts, "reading": self.reading}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Schema:
        """Return the schema that `to_dict` wrote; `DataError` is raised if these are the values of none."""
        try:
            kind, rows, target = (values[name] for name in ("kind", "input", "target"))
            reading = _check_reading(values["reading"])
        except (KeyError, TypeError, ValueError):
            raise DataError("schema: expected kind, input, target and reading") from None
        if kind not in ("array", "table"):
            raise DataError(f"schema: no kind of rows {kind!r}")
        if kind == "array":
            return cls(ArraySchema.from_dict(rows), TargetSchema.from_dict(target), reading)
        from glassnet.data.columns import TableSchema

        return cls(TableSchema.from_dict(rows), TargetSchema.from_dict(target), reading)

    def describe(self) -> dict[str, Any]:
        """Return what the schema says in a few words, for a configuration that people read."""
        target = self.target
        said: dict[str, Any] = {"task": target.task}
        if target.names:
            said["names"] = list(target.names)
        if target.n_classes:
            said["classes"] = list(target.class_names[:MOST_SHOWN])
        if target.scaled:
            said["scaling"] = "mean 0 and standard deviation 1 for the network, back in answers"
        return {"input": self.input.describe(), "target": said}


def _as_frame(X: Any, columns: TableSchema) -> pl.DataFrame:
    """Return a table in memory, or records of one, as a frame; refuse rows whose numbers have no names."""
    import polars as pl

    from glassnet.data.table import read_table

    if isinstance(X, pl.DataFrame):
        return _strip_names(X)
    if hasattr(X, "to_frame") and hasattr(X, "to_dict"):
        raise DataError(
            f"X: {type(X).__name__} is a single row or column; for a row of a table give [row.to_dict()]"
        )
    if isinstance(X, pl.LazyFrame):
        return _strip_names(X.collect())
    if hasattr(X, "__arrow_c_stream__"):
        try:
            return read_table(X, as_text=True).frame
        except DataError:
            if (used := _use_columns(X, columns)) is None:
                raise
            return read_table(used, as_text=True).frame
    if isinstance(X, Mapping) and X and all(isinstance(one, list | tuple | np.ndarray) for one in X.values()):
        X = [dict(zip(X, values, strict=True)) for values in _zip_columns(X)]
    records = [X] if isinstance(X, Mapping) else X
    if isinstance(records, list) and records and all(isinstance(one, Mapping) for one in records):
        filled = [{name: None if _is_missing(value) else value for name, value in one.items()} for one in records]
        try:
            return _strip_names(pl.DataFrame(filled, infer_schema_length=None))
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
            raise DataError(f"X: these records make no table: {' '.join(str(error).split())[:150]}") from None
    names = list_names([column.name for column in columns.columns], 8)
    raise DataError(
        f"X: the model takes tables with the columns {names}: give one of pandas or Polars, a list of records, "
        f"or a file; {type(X).__name__} does not say which column is which"
    )


def _is_missing(value: Any) -> bool:
    """Whether a value of a record stands for a missing one: NaN, or what pandas has in its place."""
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return type(value).__name__ in ("NAType", "NaTType")


def _use_columns(X: Any, columns: TableSchema) -> Any:
    """Return the columns of a table of pandas that a model takes, as others may hold anything; None if all are."""
    names = {column.name for column in columns.columns}
    used = [name for name in X.columns if clean_name(str(name)) in names] if hasattr(X, "loc") else []
    return X[used] if 0 < len(used) < len(X.columns) else None


def _zip_columns(X: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return columns of equal length as rows."""
    try:
        return list(zip(*(np.asarray(one, object).tolist() for one in X.values()), strict=True))
    except ValueError:
        raise DataError("X: the columns are not equally long") from None


def _strip_names(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table with names of columns as files and training have them."""
    bare = {name: clean_name(name) for name in table.columns}
    return table.rename(bare) if len(set(bare.values())) == len(bare) else table


def keep_reading(options: ReadOptions) -> dict[str, Any]:
    """Return what options say of a file that stays true of those to predict."""
    return {name: value for name in OF_FILES if (value := getattr(options, name)) is not None}


def _check_reading(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said of a file, or raise `ValueError` if it cannot be said of one."""
    reading = dict(values)
    for name, value in reading.items():
        if name == "target":
            from glassnet.data.number_format import NumberFormat

            NumberFormat(**value)
        elif name not in OF_FILES or not isinstance(value, str):
            raise ValueError(name)
    return reading
