"""Rows as ONNX and C take them: all that needs a calendar or a spelling is read before."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.data.array_schema import ArraySchema
from glassnet.data.column_kinds import CategoryColumn
from glassnet.data.columns import TableSchema
from glassnet.nn.activations import Array


def read_plainly(rows: TableSchema, records: list[Any]) -> dict[str, Array]:
    """Return the columns of a table: categories as text, '' where it is missing, and all else as float64.

    Dates are days since 1970-01-01, true is 1 and false 0, and NaN stands where a value is missing.
    """
    import polars as pl

    frame = pl.DataFrame(records, infer_schema_length=None)
    found: dict[str, Array] = {}
    for column in rows.columns:
        values = rows.read_column(column, frame)
        if isinstance(column, CategoryColumn):
            found[column.name] = values.fill_null("").to_numpy().astype(object)
        else:
            found[column.name] = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found


def read_as_numbers(rows: ArraySchema | TableSchema, records: list[Any]) -> Array:
    """Return rows as a header of C takes them, categories by their places: float32, or bytes."""
    if isinstance(rows, ArraySchema):
        kind = np.uint8 if rows.values == "bytes" else np.float32
        return np.asarray(records, kind).reshape(len(records), rows.row_size)
    numbers = []
    columns = read_plainly(rows, records).values()
    for column, values in zip(rows.columns, columns, strict=True):
        if isinstance(column, CategoryColumn):
            places = {category: float(place) for place, category in enumerate(column.categories)} | {"": np.nan}
            values = np.array([places.get(value, -1.0) for value in values])
        numbers.append(values)
    with np.errstate(over="ignore"):
        return np.column_stack(numbers).astype(np.float32)
