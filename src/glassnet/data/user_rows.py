"""Rows of a file to predict or to score: read as the model's schema says, never by what the file at hand looks like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet.data.array_files import read_array_file
from glassnet.data.array_schema import ArraySchema
from glassnet.data.numpy_files import read_rows
from glassnet.data.picture_files import SUFFIXES
from glassnet.data.picture_rows import read_pictures
from glassnet.data.read_options import ReadOptions
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.data.table import is_table, read_table
from glassnet.errors import DataError, FileError

if TYPE_CHECKING:
    import polars as pl


class UserRows(NamedTuple):
    """Rows of a file: their features X, their targets y where the file holds them, and what names them.

    `table` has all columns of a table, as text where the file is text; `names` are those of picture files.
    `unscored` says why targets that the file holds are not in y.
    """

    path: Path
    X: Any
    y: Any = None
    table: pl.DataFrame | None = None
    names: tuple[str, ...] | None = None
    remarks: tuple[str, ...] = ()
    unscored: str | None = None

    def labelled(self) -> Split:
        """Return rows and targets; `FileError` is raised where the file has none."""
        if self.y is None:
            raise FileError(self.path, self.unscored or "holds no targets to score answers by")
        return Split(self.X, self.y)


def read_user_rows(path: Path, schema: Schema | None) -> UserRows:
    """Read the rows of a file for a model; `FileError` says what file the model takes instead, if not this one."""
    try:
        if schema is None:
            return UserRows(path, read_rows(path))
        if isinstance(schema.input, ArraySchema):
            return _read_array_rows(path, schema.input)
        return _read_table_rows(path, schema)
    except DataError as error:
        raise error if isinstance(error, FileError) else FileError(path, str(error)) from None


def _read_table_rows(path: Path, schema: Schema) -> UserRows:
    if not is_table(path):
        assert not isinstance(schema.input, ArraySchema)
        names = ", ".join(column.name for column in schema.input.columns[:8])
        raise FileError(path, f"is no table; the model was trained on one with the columns {names}: give a table with these names")
    options = ReadOptions(**{name: value for name, value in schema.reading.items() if name != "target"})
    frame, _, remarks = read_table(path, options, as_text=True)
    name, y, unscored = next(iter(schema.target.names), None), None, None
    if name not in frame.columns:
        return UserRows(path, frame, None, frame, remarks=remarks)
    try:
        y = _take_targets(frame[name], schema)
    except DataError as error:
        unscored = str(error)
    return UserRows(path, frame.drop(name), y, frame, remarks=remarks, unscored=unscored)


def _take_targets(series: pl.Series, schema: Schema) -> Any:
    """Return the targets in a table as they were written; None where none are."""
    if series.null_count() == len(series):
        return None
    if series.null_count():
        row = int(series.is_null().arg_true()[0]) + 1
        raise DataError(
            f"column {series.name!r}: row {row} has no value, and others have; fill it, or drop the column"
        )
    if schema.target.task != "regression" or series.dtype.is_numeric():
        return series.to_numpy()
    from glassnet.data.number_format import NumberFormat

    numbers = NumberFormat(**schema.reading.get("target", {})).parse(series)
    if numbers.null_count():
        row = int(numbers.is_null().arg_true()[0])
        raise DataError(
            f"column {series.name!r}: row {row + 1} is {series[row]!r}, expected a number as in training"
        )
    return numbers.to_numpy()


def _read_array_rows(path: Path, rows: ArraySchema) -> UserRows:
    if path.is_dir() or path.suffix.casefold() in SUFFIXES:
        if rows.image_shape is None:
            raise FileError(path, f"holds pictures, and the model takes rows of {rows.width} numbers")
        white = int(rows.white) if rows.white > 255 else 255
        found = read_pictures(path, rows.shape, white, rows.size, rows.grey)
        y = None if found.labels is None else np.array(found.labels)
        return UserRows(path, found.rows, y, names=found.names, remarks=found.remarks)
    if is_table(path):
        raise FileError(
            path, "is a table, and the model was trained on arrays, whose columns have no names: give NPY"
        )
    read = read_array_file(path, alone=True)
    X, y = read.splits.get("", read.splits.get("test", (None, None)))
    if X is None:
        raise FileError(path, "holds no rows X, and no test rows")
    is_idx = not path.name.lower().endswith((".npy", ".npz"))
    X = np.swapaxes(X, 1, 2) if is_idx and rows.swapped and X.ndim == 3 else X
    return UserRows(path, X, y, remarks=read.remarks)
