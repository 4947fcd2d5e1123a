"""Rows of a file to predict or to score: read as the model's schema says, whatever the file looks like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet.data.array_files import read_array_file
from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_values import list_names
from glassnet.data.numpy_files import list_npz, read_rows
from glassnet.data.picture_files import SUFFIXES
from glassnet.data.picture_rows import read_pictures
from glassnet.data.read_options import ReadOptions
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.data.table import is_table, read_table
from glassnet.errors import DataError, FileError, UsageError

if TYPE_CHECKING:
    import polars as pl


class UserRows(NamedTuple):
    """Rows of a file: their features X, their targets y where the file holds them, and what names them.

    `table` has all columns of a table, as text where the file is text; `names` are those of picture files.
    `unscored` says why there are no targets, although the file holds something in their place.
    """

    path: Path
    X: Any
    y: Any = None
    table: pl.DataFrame | None = None
    names: tuple[str, ...] | None = None
    remarks: tuple[str, ...] = ()
    unscored: str = ""

    def labelled(self) -> Split:
        """Return rows and targets; `FileError` is raised where the file has none."""
        if self.y is None:
            raise FileError(self.path, self.unscored or "holds no targets to score answers by")
        return Split(self.X, self.y)


def read_user_rows(path: Path, schema: Schema | None, encoding: str | None = None) -> UserRows:
    """Read the rows of a file for a model; `FileError` says what file the model takes instead, if not this one.

    Text is in the encoding that was named for training, unless another one is named for this file. Targets that
    the model did not learn, or that some rows lack, do not hinder answers: a remark says that they are left out.
    """
    if encoding is not None and not is_table(path):
        raise UsageError("encoding", "goes with text, such as CSV")
    try:
        if schema is None:
            return UserRows(path, read_rows(path))
        if isinstance(schema.input, ArraySchema):
            found, y = _read_array_rows(path, schema.input, schema.reading)
        else:
            found, y = _read_table_rows(path, schema, encoding)
    except DataError as error:
        raise error if isinstance(error, FileError) else FileError(path, str(error)) from None
    if y is None:
        return found
    try:
        y = _take_targets(y, schema)
        schema.target.encode(y)
    except DataError as error:
        remark = f"answers are not scored: {error}"
        return found._replace(remarks=(*found.remarks, remark), unscored=str(error))
    return found._replace(y=y)


def _read_table_rows(path: Path, schema: Schema, encoding: str | None) -> tuple[UserRows, Any]:
    if not is_table(path):
        assert not isinstance(schema.input, ArraySchema)
        names = list_names([column.name for column in schema.input.columns], 8)
        raise FileError(
            path,
            f"is no table; the model was trained on one with the columns {names}: give a table with these names",
        )
    options = ReadOptions(**{name: value for name, value in schema.reading.items() if name != "target"})
    read = read_table(path, options, as_text=True, encoding=encoding)
    frame = read.frame
    name = schema.target.names[0] if schema.target.names else None
    column = frame[name] if name in frame.columns else None
    found = UserRows(path, frame if column is None else frame.drop(column.name), None, frame, remarks=read.remarks)
    return found, None if column is None or column.null_count() == len(column) else column


def _take_targets(y: Any, schema: Schema) -> Any:
    """Return targets as they were written; numbers in a table's text as those of training were."""
    if isinstance(y, np.ndarray):
        return y
    if y.null_count():
        row = int(y.is_null().arg_true()[0]) + 1
        raise DataError(f"column {y.name!r}: row {row} has no value, and others have; fill it, or drop the column")
    if schema.target.task != "regression" or y.dtype.is_numeric():
        return y.to_numpy()
    from glassnet.data.number_format import NumberFormat

    numbers = NumberFormat(**schema.reading.get("target", {})).parse(y)
    if numbers.null_count():
        row = int(numbers.is_null().arg_true()[0])
        raise DataError(f"column {y.name!r}: row {row + 1} is {y[row]!r}, expected a number as in training")
    return numbers.to_numpy()


def _read_array_rows(path: Path, rows: ArraySchema, reading: Mapping[str, str]) -> tuple[UserRows, Any]:
    if path.is_dir() or path.suffix.casefold() in SUFFIXES:
        if rows.image_shape is None:
            raise FileError(path, f"holds pictures, and the model takes rows of {rows.row_size} numbers")
        white = int(rows.white) if rows.white > 255 else 255
        found = read_pictures(path, rows.shape, white, rows.size, rows.grey)
        labels = None if found.labels is None else np.array(found.labels)
        return UserRows(path, found.rows, names=found.names, remarks=found.remarks), labels
    if is_table(path):
        what, give = "arrays, whose columns have no names", "NPY"
        if rows.image_shape is not None:
            what, give = "pictures", "a picture, a folder of pictures, or an array of them"
        raise FileError(path, f"is a table, and the model was trained on {what}: give {give}")
    read = read_array_file(path, _name_arrays(path, reading), alone=True)
    X, y = read.splits.get("", read.splits.get("test", (None, None)))
    if X is None:
        raise FileError(path, "holds no rows X, and no test rows")
    is_idx = not path.name.lower().endswith((".npy", ".npy.gz", ".npz"))
    X = np.swapaxes(X, 1, 2) if is_idx and rows.swapped and X.ndim == 3 else X
    return UserRows(path, X, remarks=read.remarks), y


def _name_arrays(path: Path, reading: Mapping[str, str]) -> ReadOptions:
    """Return the names of an NPZ file's arrays: those of training where it has them, or that of its only one."""
    if path.suffix.lower() != ".npz":
        return ReadOptions()
    keys = list_npz(path)
    if len(keys) == 1:
        return ReadOptions(x_key=keys[0])
    x_key, y_key = (name if (name := reading.get(key)) in keys else None for key in ("x_key", "y_key"))
    return ReadOptions(x_key=x_key, y_key=y_key)
