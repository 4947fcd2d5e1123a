"""The column of a table that is to be predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.column_values import blank_values
from glassnet.data.read_options import ReadOptions
from glassnet.data.remarks import Remark
from glassnet.data.target_classes import Class
from glassnet.data.target_learning import MAX_CLASSES
from glassnet.data.target_schema import TargetSchema
from glassnet.data.target_values import find_order, list_values, name_target, take_integers
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


def learn_target(
    series: pl.Series, options: ReadOptions, written: pl.Series | None = None
) -> tuple[TargetSchema, Array, tuple[str, ...]]:
    """Learn what the target of a table means; return it, the targets, and remarks.

    Classes are called as text has them, in `written`: TRUE, +1, 10%. One that is written in several ways has the
    most frequent of these. An ordered category keeps its order, unless the options say another.
    """
    series = blank_values(series, options.missing)
    y, what = take_target(series), name_target((series.name,))
    spelling, ways = _find_spelling(series, written, options)
    classes = options.classes or find_order(series)
    labels, said = TargetSchema.learn(
        y, task=options.task, names=[series.name], classes=classes, spelling=spelling
    )
    if labels.n_classes and spelling:
        words = [spelling[value] for value in y.tolist()]
        y = take_integers(words) if isinstance(words[0], int) else np.array(words, object)  # type: ignore[arg-type]
    if labels.n_classes and ways:
        said = (*said, Remark("noticed.several_ways", what=what, ways=ways))
    return labels, y, said


def _find_spelling(
    series: pl.Series, written: pl.Series | None, options: ReadOptions
) -> tuple[dict[Class, Class], str]:
    """Return how text writes each value of a column that was read as numbers, or as true and false.

    Nothing is returned where Python writes them all alike; nor where the values are no classes. The second result
    lists the values that are written in several ways.
    """
    import polars as pl

    is_read = series.dtype.is_numeric() or series.dtype == pl.Boolean
    if written is None or not is_read or options.task == "regression":
        return {}, ""
    if options.task is None and not options.classes and series.n_unique() > MAX_CLASSES:
        return {}, ""
    pairs = pl.DataFrame({"value": series, "text": written}).group_by("value", "text", maintain_order=True).len()
    ways: dict[Any, list[str]] = {}
    for value, text, _ in pairs.sort("len", descending=True, maintain_order=True).iter_rows():
        ways.setdefault(value, []).append(text)
    several = tuple(f"{first} ({', '.join(others)})" for first, *others in ways.values() if others)
    for kind in (type(next(iter(ways))), int):
        if all(str(kind(value)) == text for value, (text, *_) in ways.items()):
            return {value: kind(value) for value in ways}, list_values(several)
    return {value: text for value, (text, *_) in ways.items()}, list_values(several)
