"""The column of a table that is to be predicted: classes or numbers, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.data.column_values import (
    find_missing,
    first_row,
    list_more,
    measure_numbers,
    refuse_dates,
    take_numbers,
    take_text,
)
from glassnet.errors import DataError
from glassnet.nn.activations import Array

if TYPE_CHECKING:
    import polars as pl

#: Whole numbers with more distinct values than this are a target to regress, not classes.
MAX_CLASSES = 20

TargetKind = Literal["regression", "binary", "multi-class"]


@dataclass(frozen=True)
class Target:
    """The column to predict: its classes in label order, or the mean and std that its numbers are scaled by."""

    name: str
    kind: TargetKind
    classes: tuple[bool | int | str, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        fits = {"regression": not self.classes, "binary": len(self.classes) == 2}.get(
            self.kind, len(self.classes) > 2
        )
        alike = len({type(label) for label in self.classes}) < 2
        if not fits or not alike or self.classes != _sort_classes(self.classes) or not self.std > 0:
            raise ValueError(f"target {self.name!r}: {self.kind} with classes or a scale that do not fit it")

    def encode(self, series: pl.Series) -> Array:
        """Return labels (int64, in sorted class order), or numbers (float64, scaled as those of training)."""
        refuse_missing_target(series)
        if self.kind == "regression":
            return (take_numbers(series).to_numpy() - self.mean) / self.std
        kind = type(self.classes[0])
        values = _take_classes(series, kind is str)
        labels = {value: label for label, value in enumerate(self.classes)}
        for row, value in enumerate(values, 1):
            if value not in labels or type(value) is not kind:
                raise DataError(f"target {series.name!r}: row {row} is {value!r}, which training did not have")
        return np.array([labels[value] for value in values], np.int64)

    def decode(self, y: Array) -> Array:
        """Return labels as the classes they stand for, numbers in the units of the table."""
        y = np.asarray(y)
        if self.kind == "regression":
            return y.astype(np.float64) * self.std + self.mean
        if y.dtype.kind not in "iu" or (len(y) and not 0 <= y.min() <= y.max() < len(self.classes)):
            raise DataError(f"target {self.name!r}: expected labels 0..{len(self.classes) - 1}")
        return np.array(self.classes)[y]


def infer_target_kind(series: pl.Series) -> TargetKind:
    """Tell what there is to learn: classes, or numbers.

    Text, booleans, and whole numbers with at most `MAX_CLASSES` distinct values are classes; numbers with any
    fraction, and whole numbers with more distinct values, are regressed.
    """
    name = f"target {series.name!r}"
    series = series.drop_nulls()
    if series.is_empty():
        raise DataError(f"{name}: no values")
    if series.dtype.is_numeric():
        numbers = take_numbers(series)
        if (numbers != numbers.floor()).any() or numbers.n_unique() > MAX_CLASSES:
            return "regression"
    refuse_dates(series, name)
    text = _holds_text(series)
    distinct = len(set(_take_classes(series, text)))
    if text and 2 * distinct > len(series):
        raise DataError(f"{name}: {distinct} distinct texts in {len(series)} rows; classes must come back")
    if distinct == 1:
        raise DataError(f"{name}: one class only, {series[0]!r}; there is nothing to learn")
    return "binary" if distinct == 2 else "multi-class"


def refuse_missing_target(labels: pl.Series) -> None:
    """Refuse rows whose target is missing, by the first of them."""
    missing = find_missing(labels)
    if missing.any():
        raise DataError(
            f"target {labels.name!r}: row {first_row(missing)} has no value ({missing.sum()} missing in all); "
            "rows to learn from need one"
        )


def learn_target(series: pl.Series, labels: pl.Series, scale: bool, remarks: list[str]) -> Target:
    """Learn the classes of the target, or its scale; say which."""
    name = series.name
    refuse_missing_target(labels)
    kind = infer_target_kind(labels)
    if kind == "regression":
        mean, std, _ = measure_numbers(take_numbers(series).to_numpy())
        if std == 0:
            raise DataError(f"target {name!r}: one value only, {mean}; there is nothing to learn")
        remarks.append(f"target {name!r}: numbers, so regression")
        return Target(name, kind, mean=mean, std=std) if scale else Target(name, kind)
    classes = _sort_classes(_take_classes(labels, _holds_text(series)))
    shown = ", ".join(str(label) for label in classes[:5]) + list_more(len(classes) - 5)
    remarks.append(f"target {name!r}: {len(classes)} classes ({shown}), so {kind}")
    return Target(name, kind, classes)


def _holds_text(series: pl.Series) -> bool:
    return not series.dtype.is_numeric() and str(series.dtype) != "Boolean"


def _sort_classes(labels: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(set(labels)))


def _take_classes(series: pl.Series, text: bool) -> list[bool] | list[int] | list[str]:
    """Return the classes in a target without missing values: as text, or as they are."""
    import polars as pl

    if series.dtype == pl.Boolean and not text:
        return series.to_list()
    if text:
        return take_text(series, f"target {series.name!r}").to_list()
    numbers = take_numbers(series)
    if (broken := numbers != numbers.floor()).any():
        raise DataError(f"target {series.name!r}: row {first_row(broken)} is no whole number, as the classes are")
    return [int(number) for number in numbers]
