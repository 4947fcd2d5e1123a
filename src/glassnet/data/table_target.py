"""The column of a table that is to be predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl


def check_target(target: str | None, columns: list[str]) -> str:
    """Return the column to predict, or refuse that there is none such."""
    if target is None:
        raise UsageError("target", f"name the column to predict, for example --target {columns[-1]}")
    if target not in columns:
        raise UsageError("target", f"no column {target!r}; the table has {', '.join(columns[:12])}")
    return target


def take_target(series: pl.Series) -> Array:
    """Return the target of a table's rows as an array; refuse missing values, by their rows in the whole table."""
    missing = series.is_null() | (series.is_nan() if series.dtype.is_float() else False)
    if missing.any():
        raise DataError(
            f"target {series.name!r}: row {missing.arg_true()[0] + 1} has no value ({missing.sum()} missing in "
            "all); rows to learn from need one"
        )
    values = series.to_numpy()
    return values.astype(object) if values.dtype.kind in "OU" else values
