"""What a model predicts: classes exactly as the user wrote them, or numbers in their own units.

A `TargetSchema` is learned from the targets that a user gives. It turns targets into what a network takes, and
what a network says back into the user's own classes and numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from glassnet.data.column_values import measure_numbers
from glassnet.data.remarks import Remark
from glassnet.data.scaling import ScalingName
from glassnet.data.target_classes import Class, as_array, find_labels
from glassnet.data.target_learning import Hints, learn_column, learn_columns
from glassnet.data.target_values import (
    MOST_DECIMALS,
    find_not_one_hot,
    find_other,
    find_unsummed,
    list_values,
    name_row,
    name_target,
    take_numbers,
    take_values,
)
from glassnet.errors import DataError, UsageError, unknown_name
from glassnet.nn.activations import Array
from glassnet.nn.targets import decode
from glassnet.runtime.records import adapter_of, explain

#: What is asked of a network. Ordinal: classes in an order; multi-label: any number of labels for a row.
TASKS = ("multi-class", "binary", "multi-label", "ordinal", "regression")


@dataclass(frozen=True)
class TargetSchema:
    """What the targets of a data set mean.

    Attributes
    ----------
    task : str
        "multi-class", "binary", "multi-label", "ordinal" or "regression".
    names : tuple of str
        Names of the columns of y; empty where they have none.
    classes : tuple of bool, int, float or str
        The classes in label order, exactly as written: sorted, or in the order of given class names. For
        "multi-label" the two values that stand for without and with a label; empty for regression.
    class_names : tuple of str
        What the classes are called where they are shown; empty for "multi-label" and regression.
    form : str
        "labels": one value a row, or several numbers; "one-hot": classes were given as rows with a single 1;
        "soft": as rows of shares that sum to 1.
    width : int
        Number of columns of y. Arrays of one column have the shape (n,).
    mean, std : tuple of float
        Of regressed numbers: what each column is scaled by; empty where it is not.
    decimals : int or None
        Of regressed numbers: how many decimals those of training have at most; None: more than are worth printing.
    """

    task: str
    names: tuple[str, ...] = ()
    classes: tuple[Class, ...] = ()
    class_names: tuple[str, ...] = ()
    form: Literal["labels", "one-hot", "soft"] = "labels"
    width: int = 1
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    decimals: int | None = None

    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        least, most = {"regression": (0, 0), "multi-label": (2, 2), "binary": (2, 2)}.get(self.task, (2, math.inf))
        one_kind = len({type(one) for one in self.classes}) < 2 and len(set(self.classes)) == len(self.classes)
        if self.task not in TASKS or not (least <= len(self.classes) <= most and one_kind):
            raise ValueError(f"target: the task {self.task!r} with classes that do not fit it")
        if self.task == "multi-label" and tuple(map(float, self.classes)) != (0.0, 1.0):
            raise ValueError("target: multi-label with other values than 0 and 1")
        if len(self.class_names) != (self.n_classes or 0):
            raise ValueError(f"target: {len(self.class_names)} class names for {self.n_classes or 0} classes")
        if (self.form != "labels" and not self.n_classes) or (self.soft and self.task != "multi-class"):
            raise ValueError(f"target: {self.form} rows for the task {self.task!r}")
        if self.width < 1 or (self.n_classes and self.width > 1) or len(self.names) not in (0, self.width):
            raise ValueError(f"target: {len(self.names)} names for {self.width} columns, and {self.task!r}")
        scaled = len(self.mean) == len(self.std) == self.width and self.task == "regression"
        if not (scaled or not (self.mean or self.std)) or not all(std > 0 for std in self.std):
            raise ValueError("target: a scale that does not fit it")
        if self.decimals is not None and not (self.task == "regression" and 0 <= self.decimals <= MOST_DECIMALS):
            raise ValueError(f"target: {self.decimals} decimals")

    @property
    def n_classes(self) -> int | None:
        """Number of classes; None for regression and "multi-label"."""
        return len(self.classes) if self.task not in ("regression", "multi-label") else None

    @property
    def soft(self) -> bool:
        """Whether the targets are rows of shares that sum to 1."""
        return self.form == "soft"

    @property
    def scaled(self) -> bool:
        """Whether numbers are brought to mean 0 and standard deviation 1 for the network."""
        return bool(self.std)

    @classmethod
    def learn(
        cls,
        y: Any,
        *,
        task: str | None = None,
        names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        classes: Sequence[Any] = (),
        spelling: Mapping[Class, Class] | None = None,
        pictures: bool = False,
        scale_by: Any = None,
    ) -> tuple[TargetSchema, tuple[str, ...]]:
        """Learn what targets mean, and return it with remarks on what was guessed or recognised.

        Parameters
        ----------
        y : array_like of shape (n,), (n, 1) or (n, k)
            Classes of any kind, numbers, one-hot rows, rows of shares (soft labels), or columns of 0 and 1.
        task : str, optional
            One of `TASKS`: it is obeyed whatever the type of y. By default it is guessed: text, true and false,
            and whole numbers with at most 20 distinct values are classes, other numbers are regressed.
        names : sequence of str, optional
            Names of the columns of y; for one-hot and soft rows they are the classes.
        class_names : sequence of str, optional
            What the classes are called; the whole numbers 0, 1, ... are places in it. Classes of text are found in
            it by their word, and take its order.
        classes : sequence, optional
            All classes, as values or as text, in the order that they have instead of being sorted.
        spelling : mapping, optional
            What to call a value of y as a class, where a file writes it otherwise: ``{True: "TRUE"}``.
        pictures : bool, default False
            Whether the rows are pictures: whole numbers are classes then, however many.
        scale_by : array_like, optional
            Regressed numbers of the training rows: numbers are scaled by their mean and standard deviation.

        Raises
        ------
        DataError
            If values are missing, of several kinds, all alike, or cannot be what `task` says.
        UsageError
            If `task` is unknown, `names` or `class_names` do not fit, or `classes` lacks a class.

        Examples
        --------
        >>> schema, remarks = TargetSchema.learn(["no", "yes", "no", "no"])
        >>> remarks
        ('target: 2 classes (no, yes), so binary',)
        >>> schema.encode(["yes", "no"]), schema.decode(np.array([1, 1]))
        (array([1, 0]), array(['yes', 'yes'], dtype='<U3'))
        """
        if task is not None and task not in TASKS:
            raise unknown_name("task", task, TASKS)
        given = () if names is None else tuple(map(str, names))
        words = None if class_names is None else tuple(map(str, class_names))
        what = name_target(given)
        values = take_values(y, what)
        if not values.size:
            raise DataError(f"{what}: no values")
        remarks: list[str] = []
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
            remarks.append(Remark("noticed.shape", what=what, count=len(values)))
        if len(given) not in (0, width := 1 if values.ndim == 1 else values.shape[1]):
            raise UsageError("target_names", f"{len(given)} names for the {width} columns of y")
        hints = Hints(task, given, words, classes, spelling or {}, pictures)
        learn = learn_column if values.ndim == 1 else learn_columns
        return _scale(cls(**learn(values, hints, remarks)), values, scale_by), tuple(remarks)

    def scale(self, y: Any, name: ScalingName) -> TargetSchema:
        """Return the schema with the scale of regressed training numbers, or without one; others as they are."""
        if name == "none":
            return replace(self, mean=(), std=())
        if self.scaled:
            return self
        return _scale(self, take_values(y, name_target(self.names)), y) if self.task == "regression" else self

    def encode(self, y: Any) -> Array:
        """Return targets as a network takes them.

        Classes become labels (int64) 0..k-1; equal values of other types count as the class: the text "1" and the
        float 1.0 as the whole number 1. A schema of one-hot or soft rows takes such rows too, and soft ones become
        float64 rows. Several labels become int64 rows of 0 and 1; numbers float64, scaled as those of training.
        `DataError` names the row and the value that training did not have.
        """
        what = name_target(self.names)
        values = take_values(self.order_columns(y), what)
        if values.ndim == 2 and values.shape[1] == 1 == self.width:
            values = values[:, 0]
        if self.n_classes is not None and (values.ndim == 1 or self.form == "labels"):
            if values.ndim != 1:
                raise DataError(f"{what}: expected one class a row, as in training, got {values.shape[1]} values")
            labels = find_labels(values, self.classes, self.class_names, what)
            return np.eye(self.n_classes)[labels] if self.soft else labels
        columns = self.n_classes or self.width
        if (values.shape[1] if values.ndim == 2 else 1) != columns:
            raise DataError(
                f"{what}: expected {columns} values a row, as in training, got the shape {values.shape}"
            )
        if self.n_classes is not None:
            return self._take_rows(values, what)
        numbers = take_numbers(values, what)
        if self.task == "multi-label":
            if (row := find_other(numbers)) is not None:
                raise DataError(f"{what}: {name_row(row, what)} is {values[row]}; expected 0 and 1")
            return numbers.astype(np.int64)
        if not self.scaled:
            return numbers
        with np.errstate(over="ignore"):
            scaled = (numbers - _flat(self.mean)) / _flat(self.std)
        if not np.isfinite(scaled).all():
            row = int(np.argwhere(~np.isfinite(scaled))[0, 0])
            raise DataError(f"{what}: {name_row(row, what)} is {values[row]}, too large beside the training rows")
        return scaled

    def order_columns(self, y: Any) -> Any:
        """Return the columns of a table of targets in the order of training; other things as they are.

        `DataError` is raised if they have other names than in training.
        """
        ours = [str(name) for name in self.names or (self.classes if self.form != "labels" else ())]
        if not (theirs := name_columns(y)) or len(ours) < 2:
            return y
        if sorted(theirs) != sorted(ours):
            raise DataError(
                f"target: the columns {list_values(theirs)}, where training had {list_values(tuple(ours))}"
            )
        return np.asarray(y)[:, [theirs.index(name) for name in ours]]

    def _take_rows(self, values: Array, what: str) -> Array:
        """Return one-hot rows as labels, soft ones as they are."""
        numbers = take_numbers(values, what)
        wrong = find_unsummed(numbers) if self.soft else find_not_one_hot(numbers)
        if wrong is not None:
            expected = "shares that sum to 1" if self.soft else "a single 1 among zeros"
            raise DataError(f"{what}: {name_row(wrong, what)} is {values[wrong]}; expected {expected}")
        return numbers if self.soft else numbers.argmax(axis=1).astype(np.int64)

    def decode(self, outputs: Any) -> Array:
        """Return labels as the classes they stand for, and numbers in their own units.

        Classes come as an array of bools, whole numbers, floats or text, as they were written. A schema of soft
        rows also takes rows of shares, and returns the class with the largest.
        """
        values = np.asarray(outputs)
        if self.task == "regression":
            numbers = values.astype(np.float64)
            return numbers * _flat(self.std) + _flat(self.mean) if self.scaled else numbers
        if self.form != "labels" and values.ndim == 2 and values.shape[1] == self.n_classes:
            values = values.argmax(axis=1)
        if values.size == 0:
            values = values.astype(np.int64)
        k = len(self.classes)
        if values.dtype.kind not in "biu" or (values.size and not 0 <= values.min() <= values.max() < k):
            raise DataError(f"{name_target(self.names)}: expected labels 0..{k - 1}")
        return as_array(self.classes)[values.astype(np.intp)]

    def answer(self, outputs: Array) -> Array:
        """Return what a network's outputs, of shape (n, d_L), say: a class or a number a row, or several.

        Outputs are those of `Network.outputs`: probabilities where there are any.
        """
        if self.task == "regression":
            return self.decode(outputs[:, 0] if self.width == 1 else outputs)
        if self.task == "multi-label":
            return self.decode((outputs >= 0.5).astype(np.int64))
        return self.decode(decode(outputs, self.n_classes))

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain values that JSON can hold."""
        return json.loads(json.dumps(asdict(self), allow_nan=False))

    @classmethod
    def from_dict(cls, values: object) -> TargetSchema:
        """Return the schema that `to_dict` wrote; `DataError` is raised if the values are of no such schema."""
        try:
            schema: TargetSchema = adapter_of(TargetSchema).validate_json(json.dumps(values, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise DataError(f"no schema of a target: {explain(error)}") from None
        return schema


def _scale(schema: TargetSchema, values: Array, scale_by: Any) -> TargetSchema:
    """Return the schema with the scale of the training numbers, where one is asked for; refuse a constant."""
    if schema.task != "regression":
        return schema
    what = name_target(schema.names)
    numbers = take_numbers(values, what)
    if (numbers == numbers[0]).all():
        raise DataError(f"{what}: one value only, {values[0]}; there is nothing to learn")
    if scale_by is None:
        return schema
    numbers = take_numbers(take_values(scale_by, what), what).reshape(-1, schema.width)
    measured = [measure_numbers(np.ascontiguousarray(column)) for column in numbers.T]
    if all(std == 0 for _, std, _ in measured):
        raise DataError(
            f"{what}: one value only, {measured[0][0]}, in the training rows; there is nothing to learn"
        )
    mean, std = (tuple(found[place] for found in measured) for place in (0, 1))
    return replace(schema, mean=mean, std=tuple(one or 1.0 for one in std))


def name_columns(y: Any) -> tuple[str, ...]:
    """Return the names of a table of two or more targets, none where it is no table or only counts its columns."""
    names = list(y.columns) if hasattr(y, "columns") and len(getattr(y, "shape", ())) == 2 else []
    named = len(names) > 1 and all(isinstance(name, str) for name in names)
    return tuple(name.strip() for name in names) if named else ()


def _flat(numbers: tuple[float, ...]) -> Any:
    """Return a scale that goes with arrays of shape (n,), or of one column for each number."""
    return numbers[0] if len(numbers) == 1 else np.array(numbers)
