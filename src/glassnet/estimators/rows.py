"""Rows and targets of scikit-learn's users, as data sets of the Trainer: numbers as they are, or by a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.array_pictures import as_pictures
from glassnet.data.array_schema import ArraySchema
from glassnet.data.arrays import is_table
from glassnet.data.dataset import Dataset
from glassnet.data.dense import as_dense
from glassnet.data.schema import Schema
from glassnet.data.splits import describe_split
from glassnet.data.target_schema import TargetSchema
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    from glassnet.data.columns import TableSchema


def describe_classes(classes: Array) -> TargetSchema:
    """Return what labels 0, 1, ... mean; a single class is a label that no row has."""
    plain = tuple(classes.tolist())
    if len(plain) == 1:
        return describe_labels(1)
    return TargetSchema("binary" if len(plain) == 2 else "multi-class", (), plain, tuple(map(str, plain)))


def describe_labels(count: int) -> TargetSchema:
    """Return what rows of `count` labels mean, each of which a row has or has not."""
    return TargetSchema("multi-label", (), (0, 1), width=count)


def join_rows(
    schema: Schema, train: tuple[Array, Array], validation: tuple[Array, Array] | None = None
) -> Dataset:
    """Return encoded rows as a data set."""
    X, y = train
    none = np.empty((0, *X.shape[1:]), X.dtype), np.empty((0, *y.shape[1:]), y.dtype)
    splits = [describe_split(*rows, schema, is_encoded=True) for rows in (train, validation or none, none)]
    return Dataset("arrays", splits[0], splits[1], splits[2], schema)


def learn_numbers(X: Array, target: TargetSchema) -> Schema:
    """Return the schema of numbers that are taken as they are."""
    return Schema(ArraySchema(X.shape[1:], "numbers", 1.0, float(X.min()), float(X.max())), target)


def learn_rows(X: Any, pieces: int = 0) -> tuple[ArraySchema | TableSchema, tuple[str, ...]]:
    """Learn what a user's rows mean, as `glassnet.fit` does: of a table each column, of bytes that they are bytes.

    Columns of numbers are cut into at most so many pieces. Returned with remarks on what was guessed or left out.
    """
    if is_table(X):
        from glassnet.data.columns import TableSchema
        from glassnet.data.table import read_table, require_polars

        require_polars()
        read = read_table(X)
        columns, said = TableSchema.learn(read.frame, None, read.formats)
        return columns.cut(read.frame, pieces), tuple(dict.fromkeys((*read.remarks, *said)))
    X = as_pictures(as_dense(X))
    rows, said = ArraySchema.learn(X)
    return rows.cut(X, pieces), said
