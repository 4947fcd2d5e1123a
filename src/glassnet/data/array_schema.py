"""Rows of numbers, pictures or plain: what they were in training, and how others become the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glassnet.data.standardisation import Standardisation
from glassnet.errors import DataError
from glassnet.nn.activations import Array

#: The most of training rows that are looked at for their range.
SAMPLE = 20_000

#: How far beyond the range from 0 to 1 plain numbers may go before they cannot be meant.
FAR = 10.0

#: Pictures whose largest number is no larger rarely have pixels of 0 to 255.
SMALL = 16


@dataclass(frozen=True)
class ArraySchema:
    """How rows of an array become the numbers that a network takes.

    Attributes
    ----------
    shape : tuple of int
        Of one row: (height, width), (height, width, 3) or (depth, height, width) of a picture, (d,) of d numbers.
    values : {"bytes", "numbers"}
        Bytes count as pixels from 0 to 255, and a network divides them by 255. Numbers are taken as they are.
    white : float
        The number that becomes 1: numbers are divided by it.
    low, high : float
        The smallest and largest number of the training rows.
    swapped : bool
        Whether image files hold rows and columns of their pictures the wrong way round, as those of EMNIST do.
    size : tuple of int or None
        The (height, width) that picture files are brought to; None: they have the right size.
    grey : bool
        Whether the colours of picture files are left out.
    scaling : Standardisation or None
        What brings each column to mean 0 and standard deviation 1 afterwards.

    Examples
    --------
    >>> schema, _ = ArraySchema.learn(np.array([[0, 255], [51, 102]], np.uint8))
    >>> schema.encode([[0, 255]])[0]
    array([[  0, 255]], dtype=uint8)
    >>> schema.encode(np.array([[0.0, 255.0]]))
    Traceback (most recent call last):
    glassnet.errors.DataError: X: fractions up to 255, where bytes were learned: floats count as shares from 0 to 1; give whole numbers from 0 to 255, such as X.astype(np.uint8)
    """

    shape: tuple[int, ...]
    values: str = "numbers"
    white: float = 1.0
    low: float = 0.0
    high: float = 0.0
    swapped: bool = False
    size: tuple[int, int] | None = None
    grey: bool = False
    scaling: Standardisation | None = None

    __pydantic_config__ = {"extra": "forbid", "arbitrary_types_allowed": True}  # noqa: RUF012

    @classmethod
    def learn(
        cls, X: Array, shape: tuple[int, ...] | None = None, white: float = 1.0
    ) -> tuple[ArraySchema, tuple[str, ...]]:
        """Learn what training rows X are, and say what looks odd; `shape` is that of the picture a row is."""
        some = X[:: max(1, len(X) // SAMPLE)]
        low, high = (float(some.min()), float(some.max())) if some.size else (0.0, 0.0)
        is_bytes = X.dtype == np.uint8
        schema = cls(shape or X.shape[1:], "bytes" if is_bytes else "numbers", white, low, high)
        return schema, tuple(schema._remark(X.dtype))

    def _remark(self, dtype: np.dtype[Any]) -> list[str]:
        picture = len(self.shape) > 1 and self.white == 1 and self.scaling is None
        if picture and self.values == "numbers" and self.low >= 0 and SMALL < self.high <= 255:
            return [
                f"X: pictures of {dtype} up to {self.high:g} are taken as they are; as bytes, X.astype(np.uint8), "
                "they are divided by 255 and learned better"
            ]
        return []

    @property
    def width(self) -> int:
        """How many numbers a row is to the network."""
        return int(np.prod(self.shape))

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Shape of the picture that a row is; None where it is none."""
        return self.shape if len(self.shape) > 1 else None

    @property
    def is_scaled(self) -> bool:
        """Whether each column has mean 0 and standard deviation 1 in training."""
        return self.scaling is not None

    def standardised(self, X: Array) -> ArraySchema:
        """Return the schema with a scaling measured on training rows X."""
        return replace(self, scaling=Standardisation.of(self._divide(X)))

    def encode(self, X: Any) -> tuple[Array, tuple[str, ...]]:
        """Return rows as the network takes them, and what is to be said of that."""
        rows, remarks = self.take(X)
        rows = self._divide(rows)
        return rows if self.scaling is None else self.scaling.apply(rows), remarks

    def _divide(self, X: Array) -> Array:
        return X if self.white == 1 else (X / self.white).astype(np.float32)

    def take(self, X: Any) -> tuple[Array, tuple[str, ...]]:
        """Return a user's rows in the shape and kind of those of training; refuse what cannot be meant."""
        X = self._fit_shape(_as_numbers(X))
        if self.values == "bytes":
            return self._take_bytes(X)
        unit = self.low >= 0 and 0 < self.high <= self.white
        if not unit or self.scaling is not None or not X.size:
            return X, ()
        largest = float(np.nanmax(X))
        if largest > self.white * (1 if len(self.shape) > 1 else FAR):
            raise DataError(
                f"X: numbers up to {largest:g}, where training had 0 to {self.high:g}; bring them to that range: "
                f"X / {255 if largest <= 255 else largest:g}{'' if self.white == 1 else f' * {self.white:g}'}"
            )
        if self.white > 1 and largest <= 1:
            return X, (f"X: numbers up to {largest:g} only, where training had 0 to {self.high:g}",)
        return X, ()

    def _take_bytes(self, X: Array) -> tuple[Array, tuple[str, ...]]:
        """Return rows for a network that learned from bytes: whole numbers as bytes, floats as shares of 1."""
        if X.dtype == np.uint8 or X.size == 0:
            return X, ()
        low, high = float(X.min()), float(X.max())
        if X.dtype.kind in "iu":
            if low < 0 or high > 255:
                raise DataError(f"X: whole numbers from {low:g} to {high:g}, where bytes were learned, 0 to 255")
            return X.astype(np.uint8), ()
        if X.dtype.kind == "f" and not np.isnan(high) and not 0 <= low <= high <= 1:  # the network names NaN
            raise DataError(
                f"X: fractions up to {high:g}, where bytes were learned: floats count as shares from 0 to 1; give "
                "whole numbers from 0 to 255, such as X.astype(np.uint8)"
            )
        return X, (f"X: {X.dtype} from 0 to 1 taken as shares of the 255 that training had as bytes",)

    def _fit_shape(self, X: Array) -> Array:
        """Return rows in a shape that flattens as the training rows do."""
        if X.ndim < 2:
            hint = "; for a single row give [row]" if X.shape in (self.shape, (self.width,)) else ""
            raise DataError(f"X: expected rows of shape {self.shape}, got an array of shape {X.shape}{hint}")
        inner = X.shape[1:]
        if inner in (self.shape, (self.width,)):
            return X
        if inner == (*self.shape, 1) or inner == (1, *self.shape):
            return X.reshape(len(X), *self.shape)
        if len(self.shape) == 3 and self.shape[2] == 3 and inner == (3, *self.shape[:2]):
            return np.moveaxis(X, 1, -1)
        if X.shape == self.shape:
            raise DataError(f"X: one row of shape {self.shape}; rows are expected, give [row]")
        what = "x".join(map(str, self.shape)) + (" pictures" if len(self.shape) > 1 else " numbers a row")
        raise DataError(f"X: rows of shape {inner}, where training had {what}")

    def as_read(self, X: Array) -> Array:
        """Return encoded rows as they were before they were scaled."""
        return X if self.scaling is None else self.scaling.undo(X)

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain values and arrays."""
        scaling = self.scaling
        learned = scaling and {"mean": scaling.mean, "std": scaling.std, "of_bytes": scaling.of_bytes}
        return {**vars(self), "scaling": learned}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArraySchema:
        """Return the schema that `to_dict` wrote; `DataError` is raised if these are the values of none."""
        from pydantic import TypeAdapter, ValidationError

        rest = {name: value for name, value in values.items() if name != "scaling"}
        scaling = values.get("scaling")
        try:
            schema = TypeAdapter(cls).validate_python(rest)
            found = None if scaling is None else Standardisation.from_dict(scaling)
        except (ValidationError, ValueError, TypeError) as error:
            raise DataError(f"schema: {' '.join(str(error).split())[:200]}") from None
        plain = schema.shape and min(schema.shape) > 0 and schema.values in ("bytes", "numbers")
        if not plain or not 0 < schema.white < np.inf or (found and len(found.mean) != schema.width):
            raise DataError("schema: no rows of numbers are like that")
        return replace(schema, scaling=found)

    def describe(self) -> dict[str, Any]:
        """Return the schema in a few words."""
        shape = " x ".join(map(str, self.shape))
        said: dict[str, Any] = {"rows": f"pictures of {shape}" if self.image_shape else f"{self.width} numbers"}
        by = "bytes, divided by 255" if self.values == "bytes" else f"from {self.low:g} to {self.high:g}"
        said["values"] = by if self.white == 1 else f"{by}, divided by {self.white:g}"
        if self.scaling is not None:
            said["scaling"] = "each column to mean 0 and standard deviation 1"
        if self.swapped:
            said["files"] = "rows and columns of the pictures in IDX files are swapped"
        return said


def _as_numbers(X: Any) -> Array:
    """Return rows as an array of numbers, masked ones as NaN; refuse all else."""
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(np.float64), np.nan)
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    elif hasattr(X, "toarray"):
        X = X.toarray()  # sparse rows, of which no more are given than fit into memory
    try:
        X = np.asarray(X)
    except ValueError:
        raise DataError("X: expected rows of equal length") from None
    if X.dtype.kind not in "fiub":
        raise DataError(f"X: expected rows of numbers, got the type {X.dtype}")
    return X
