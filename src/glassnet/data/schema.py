"""What rows and targets mean: how a user's rows become a network's numbers, and its outputs the user's words.

A `Schema` is learned from the training rows, saved in the model file, and gone through by every way in and out.
Whatever is done to rows and targets is in it; the array or file at hand decides nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.target_schema import TargetSchema
from glassnet.errors import DataError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl

    from glassnet.data.columns import TableSchema


#: The most classes that a configuration lists.
MOST_SHOWN = 100


class DataWarning(UserWarning):
    """Something was converted, filled in or left out on the way to the network's numbers."""


def describe_targets(task: str, names: Sequence[str] | None) -> TargetSchema:
    """Return the targets of a set whose labels are 0, 1, ..., and have these names; or numbers of these names."""
    if task == "multi-label":
        return TargetSchema(task, tuple(names or ()), (0, 1), width=len(names or ()))
    if task == "regression":
        return TargetSchema(task, tuple(names or ()), width=max(1, len(names or ())))
    return TargetSchema(task, (), tuple(range(len(names or ()))), tuple(names or ()))


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
        Of a table's file, what was said or found of its text: ``sep``, ``encoding``, ``sheet``, and how the
        numbers of the target are written.

    Examples
    --------
    >>> schema = Schema.learn(np.array([[1.0], [2.0]]), np.array(["no", "yes"]))
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

    def encode_rows(self, X: Any) -> Array:
        """Return a user's rows as a network takes them; what was converted or filled in is a `DataWarning`.

        `DataError` is raised if they cannot be what the network was trained on.
        """
        if isinstance(self.input, ArraySchema):
            encoded, remarks = self.input.encode(X)
        else:
            encoded, remarks = self.input.encode(_as_frame(X, self.input))
        for remark in remarks:
            warnings.warn(remark, DataWarning, stacklevel=3)
        return encoded

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
            reading = dict(values["reading"])
        except (KeyError, TypeError, ValueError):
            raise DataError("schema: expected kind, input, target and reading") from None
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
        return X
    if hasattr(X, "__arrow_c_stream__"):
        return read_table(X, as_text=True).frame
    records = [X] if isinstance(X, Mapping) else X
    if isinstance(records, list) and records and all(isinstance(one, Mapping) for one in records):
        return pl.DataFrame(records, infer_schema_length=None)
    names = ", ".join(column.name for column in columns.columns[:8])
    raise DataError(
        f"X: the model takes tables with the columns {names}{', ...' * (len(columns.columns) > 8)}: give a table of "
        "pandas or Polars, a list of records, or a file; an array does not say which column is which"
    )
