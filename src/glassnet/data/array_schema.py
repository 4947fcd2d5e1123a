"""Rows of numbers, pictures or plain: what they were in training, and how others become the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from glassnet.data.dense import find_unusable
from glassnet.data.pieces import Pieces, spell_edges
from glassnet.data.remarks import Remark
from glassnet.data.scaling import Scaling, ScalingName, unit_of
from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array
from glassnet.runtime.records import adapter_of, explain

#: The most rows of a file larger than memory that are looked at for their range.
SAMPLE = 20_000

#: Training rows whose numbers are no larger were brought to that size by someone. Plain numbers so many times as
#: large cannot be meant for the same network.
FAR = 10.0

#: The same for pictures, whose largest numbers differ less.
FAR_PICTURES = 2.0

#: Pixels whose largest is no larger are rarely bytes of 0 to 255.
SMALL = 16

#: Rows of so many numbers from 0 to 255 may well be pictures of 8 x 8 pixels or more.
PIXELS = 64


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
    scaling : Scaling or None
        What brings each column to a usual size afterwards.
    pieces : Pieces or None
        What each column of plain numbers is cut into (see `glassnet.data.pieces`).

    Examples
    --------
    >>> schema, _ = ArraySchema.learn(np.array([[0, 255], [51, 102]], np.uint8))
    >>> schema.encode([[0, 255]])[0]
    array([[  0, 255]], dtype=uint8)
    >>> schema.encode(np.array([[0.0, 255.0]]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    glassnet.errors.DataError: X: float64 up to 255, where bytes were learned: ...
    """

    shape: tuple[int, ...]
    values: str = "numbers"
    white: float = 1.0
    low: float = 0.0
    high: float = 0.0
    swapped: bool = False
    size: tuple[int, int] | None = None
    grey: bool = False
    scaling: Scaling | None = None
    pieces: Pieces | None = None

    __pydantic_config__ = {"extra": "forbid", "arbitrary_types_allowed": True}  # noqa: RUF012

    @classmethod
    def learn(
        cls, X: Array, shape: tuple[int, ...] | None = None, white: float = 1.0
    ) -> tuple[ArraySchema, tuple[str, ...]]:
        """Learn what training rows X are, and say what looks odd; `shape` is that of the picture a row is."""
        low, high = _find_range(X)
        values = "bytes" if X.dtype == np.uint8 else "numbers"
        schema = cls(shape or X.shape[1:], values, float(white), low, high)
        return schema, schema._remark(X.dtype)

    def _remark(self, dtype: np.dtype[Any]) -> tuple[str, ...]:
        if self.values == "bytes" and self.high <= SMALL:
            return (Remark("noticed.small_bytes", high=self.high),)
        pixels = len(self.shape) > 1 or (self.row_size >= PIXELS and self.low == 0 and self.high > 127)
        if pixels and self.values == "numbers" and self.white == 1 and self.low >= 0 and SMALL < self.high <= 255:
            key = "noticed.pixel_pictures" if len(self.shape) > 1 else "noticed.pixel_numbers"
            return (Remark(key, dtype=str(dtype), high=self.high),)
        return ()

    @property
    def row_size(self) -> int:
        """How many numbers a user's row has."""
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """How many numbers a row is to the network."""
        return sum(self.sizes)

    @property
    def sizes(self) -> list[int]:
        """How many numbers each number of a user's row becomes."""
        return [1] * self.row_size if self.pieces is None else self.pieces.sizes

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each number of an encoded row, where columns are cut into pieces: ``X[:, 2] from 0 to 7``."""
        if self.pieces is None:
            return ()
        names: list[str] = []
        unit = 255 if self.values == "bytes" else self.white
        for column, edges in enumerate(self.pieces.edges):
            name, texts = f"X[:, {column}]", spell_edges([edge * unit for edge in edges])
            names += [name, *(f"{name} from {low} to {high}" for low, high in pairwise(texts))]
        return tuple(names)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Shape of the picture that a row is; None where it is none."""
        return self.shape if len(self.shape) > 1 else None

    @property
    def is_scaled(self) -> bool:
        """Whether each column is scaled by figures of the training rows."""
        return self.scaling is not None

    @property
    def fixed_features(self) -> tuple[int, ...]:
        """The places of those numbers that no scaling touches: of pieces."""
        if self.pieces is None:
            return ()
        own = np.cumsum([0, *self.sizes[:-1]])
        return tuple(np.setdiff1d(np.arange(self.width), own).tolist())

    @property
    def makes_float32(self) -> bool:
        """Whether rows become float32, whatever they were."""
        return self.scaling is not None or self.pieces is not None or self.white != 1

    @property
    def limit(self) -> float:
        """The size beyond which a number can hardly be meant for a network that learned from numbers."""
        reach = max(-self.low, self.high)
        if self.white > 1:
            return max(self.white, reach)
        factor = FAR_PICTURES if len(self.shape) > 1 else FAR
        return factor * max(1.0, reach) if 0 < reach <= FAR else np.inf

    @property
    def is_bounded(self) -> bool:
        """Whether rows with numbers beyond the limit are refused."""
        return len(self.shape) > 1 or self._are_shares

    @property
    def _are_shares(self) -> bool:
        """Whether the training rows were shares of something, which cannot be larger than it."""
        return self.low >= 0 and self.high <= self.white

    def scale(self, X: Array, name: ScalingName) -> ArraySchema:
        """Return the schema with another scaling, measured on training rows X."""
        return replace(self, scaling=None if name == "none" else Scaling.measure(self._divide(X), name))

    def cut(self, X: Array, pieces: int) -> ArraySchema:
        """Return the schema with columns cut into pieces by training rows X, at most so many; 0: none."""
        if pieces and self.image_shape is not None:
            raise UsageError("pieces", "goes with columns of numbers, and the rows are pictures; leave it out")
        return replace(self, pieces=Pieces.measure(self._divide(X), pieces) if pieces else None)

    def encode(self, X: Any) -> tuple[Array, tuple[str, ...]]:
        """Return rows as the network takes them, and what is to be said of that."""
        rows, remarks = self.take(X)
        rows = self._divide(rows)
        if self.scaling is not None:
            scaled = self.scaling.apply(rows)
        elif self.pieces is None:
            return rows, remarks
        else:
            with np.errstate(over="ignore"):  # what becomes infinite no network takes
                scaled = np.divide(rows, unit_of(rows), dtype=np.float64).astype(np.float32)
        if self.pieces is None:
            return scaled, remarks
        if problem := find_unusable(rows) or find_unusable(scaled):  # by the user's column
            raise DataError(problem)
        return self.pieces.apply(rows, scaled), remarks

    def _divide(self, X: Array) -> Array:
        return X if self.white == 1 else (X / np.float32(self.white)).astype(np.float32, copy=False)

    def take(self, X: Any) -> tuple[Array, tuple[str, ...]]:
        """Return a user's rows in the shape and kind of those of training; refuse what cannot be meant."""
        named = hasattr(X, "columns")
        X = self._fit_shape(_as_numbers(X))
        if self.values == "bytes":
            X, said = self._take_bytes(X)
            said += self._remark_on_bytes(X)
        else:
            X, said = self._take_numbers(X)
        if named:
            said += ("X: columns are taken in the order they stand in: in training they had no names",)
        return X, said

    def _remark_on_bytes(self, X: Array) -> tuple[str, ...]:
        """Say that bytes seem to be of another range than those of training: of 0 to 1 or 16, or up to 255."""
        high = _find_range(X)[1] * (255 if X.dtype.kind == "f" else 1)
        if self.high <= SMALL and high > FAR_PICTURES * self.high:
            remedy = f"bring them to the range of 0 to {self.high:g}, if they were meant to be alike"
            return (f"X: bytes up to {high:g}, where training had 0 to {self.high:g}; {remedy}",)
        if X.dtype.kind != "f" and 0 < high <= SMALL < self.high / FAR_PICTURES:
            return (
                f"X: bytes up to {high:g} only, where training had 0 to {self.high:g}; if {high:g} is white, "
                f"multiply them by {255 / high:g}",
            )
        return ()

    def _take_numbers(self, X: Array) -> tuple[Array, tuple[str, ...]]:
        """Return rows as numbers; refuse them where they are much larger than those of training."""
        bytes_given = X.dtype == np.uint8
        if bytes_given:
            X = X.astype(np.float32)  # a network divides bytes by 255, and training had none
        low, high = _find_range(X)
        far, reach, picture = max(-low, high), max(-self.low, self.high), len(self.shape) > 1
        too_far = far > self.limit
        if too_far or (not picture and far > FAR * reach > 0):
            return X, (self._doubt_far(too_far, far, high),)
        if (
            picture
            and self.low >= 0
            and ((self.high >= FAR and 0 < high <= 1) or (bytes_given and self.high > 255))
        ):
            return X, (f"X: numbers up to {high:g} only, where training had {self.low:g} to {self.high:g}",)
        return X, ()

    def _doubt_far(self, too_far: bool, far: float, high: float) -> str:
        """Return what is to be said of numbers much larger than those of training, or refuse them."""
        what = f"X: numbers up to {far:g}, where training had {self.low:g} to {self.high:g}; "
        if too_far and self._are_shares:
            factor = "" if self.white == 1 else f" * {self.white:g}"
            raise DataError(f"{what}bring them to that range: X / {255 if high <= 255 else high:g}{factor}")
        if too_far and len(self.shape) > 1:
            raise DataError(f"{what}bring them to that range, as those of training were")
        if too_far:  # a row may be far from all others
            return f"{what}if those were scaled before, scale these alike"
        return f"{what}are they in the same units?"

    def _take_bytes(self, X: Array) -> tuple[Array, tuple[str, ...]]:
        """Return rows for a network that learned from bytes: whole numbers as bytes, floats as shares of 1."""
        if X.dtype == np.uint8 or X.size == 0:
            return X, ()
        if X.dtype.kind == "b":
            raise DataError("X: true and false, where bytes were learned; where true is white: np.uint8(255) * X")
        if X.dtype.kind == "f" and (missing := np.isnan(X)).any():
            row = int(np.argwhere(missing)[0, 0])
            raise DataError(
                f"X: row {row + 1} (X[{row}]) holds a missing value or NaN, where bytes were learned; replace it"
            )
        low, high = float(X.min()), float(X.max())
        if X.dtype.kind in "iu":
            if low < 0 or high > 255:
                raise DataError(f"X: whole numbers from {low:g} to {high:g}, where bytes were learned, 0 to 255")
            return X.astype(np.uint8), ()
        if 0 <= low <= high <= 1:
            return X, (f"X: {X.dtype} from 0 to 1 taken as shares of the 255 that training had as bytes",)
        if not 0 <= low <= high <= 255:
            raise DataError(
                f"X: numbers from {low:g} to {high:g}, where bytes were learned; give whole numbers of 0 to 255, "
                "or shares from 0 to 1"
            )
        raise DataError(
            f"X: {X.dtype} up to {high:g}, where bytes were learned: floats count as shares from 0 to 1; give "
            "whole numbers from 0 to 255 (X.astype(np.uint8)), or X / 255"
        )

    def _fit_shape(self, X: Array) -> Array:
        """Return rows in a shape that flattens as the training rows do."""
        if X.ndim < 2:
            hint = "; for a single row give [row]" if X.shape in (self.shape, (self.row_size,)) else ""
            raise DataError(f"X: expected rows of shape {self.shape}, got an array of shape {X.shape}{hint}")
        inner = X.shape[1:]
        if inner in (self.shape, (self.row_size,)):
            return X
        if inner in ((*self.shape, 1), (1, *self.shape)):
            return X.reshape(len(X), *self.shape)
        if len(self.shape) == 3 and self.shape[2] == 3 and inner == (3, *self.shape[:2]):
            return np.moveaxis(X, 1, -1)
        grey = len([edge for edge in inner if edge > 1]) <= 2  # several colours may stand first or last
        if len(self.shape) == 1 and grey and np.prod(inner) == self.row_size:
            return X.reshape(len(X), self.row_size)
        if X.shape == self.shape:
            raise DataError(f"X: one row of shape {self.shape}; rows are expected, give [row]")
        what = "x".join(map(str, self.shape)) + (" pictures" if len(self.shape) > 1 else " numbers a row")
        raise DataError(f"X: rows of shape {inner}, where training had {what}")

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain values and arrays."""
        scaling, pieces = self.scaling and self.scaling.to_dict(), self.pieces and self.pieces.to_dict()
        return {**vars(self), "scaling": scaling, "pieces": pieces}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArraySchema:
        """Return the schema that `to_dict` wrote; `DataError` is raised if these are the values of none."""
        try:
            rest = {name: value for name, value in values.items() if name not in ("scaling", "pieces")}
            scaling, pieces = (values.get(name) for name in ("scaling", "pieces"))
            schema: ArraySchema = adapter_of(cls).validate_python(rest)
            found = None if scaling is None else Scaling.from_dict(scaling)
            cut = None if pieces is None else Pieces.from_dict(pieces)
        except (AttributeError, ValueError, TypeError) as error:
            raise DataError(f"schema: {explain(error)}") from None
        plain = schema.shape and min(schema.shape) > 0 and schema.values in ("bytes", "numbers")
        counts = {schema.row_size, *([len(found.center)] if found else []), *([len(cut.edges)] if cut else [])}
        if not plain or not 0 < schema.white < np.inf or len(counts) > 1 or (cut and schema.image_shape):
            raise DataError("schema: no rows of numbers are like that")
        return replace(schema, scaling=found, pieces=cut)

    def describe(self) -> dict[str, Any]:
        """Return the schema in a few words."""
        shape = " x ".join(map(str, self.shape))
        said: dict[str, Any] = {"rows": f"pictures of {shape}" if self.image_shape else f"{self.row_size} numbers"}
        by = "bytes, divided by 255" if self.values == "bytes" else f"from {self.low:g} to {self.high:g}"
        said["values"] = by if self.white == 1 else f"{by}, divided by {self.white:g}"
        if self.scaling is not None:
            said["scaling"] = self.scaling.describe()
        if self.pieces is not None:
            said["pieces"] = self.pieces.describe()
        if self.swapped:
            said["files"] = "rows and columns of the pictures in IDX files are swapped"
        return said


def _as_numbers(X: Any) -> Array:
    """Return rows as an array of numbers, masked and missing ones as NaN; refuse all else."""
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(np.float64), np.nan) if np.ma.getmaskarray(X).any() else X.data
    elif hasattr(X, "to_numpy"):
        table, X = X, X.to_numpy()
        if X.dtype == object:  # numbers of several types, or missing ones
            try:
                X = np.asarray((table if hasattr(table, "astype") else X).astype(np.float64))
            except (TypeError, ValueError):
                raise DataError(
                    "X: expected a table of numbers, as in training, and some columns are not"
                ) from None
    elif hasattr(X, "toarray"):
        X = X.toarray()  # sparse rows, of which no more are given than fit into memory
    try:
        X = X if isinstance(X, np.memmap) else np.asarray(X)  # what is larger than memory is known by its type
    except ValueError:
        raise DataError("X: expected rows of equal length") from None
    if X.dtype.kind not in "fiub":
        hint = (
            "; where all are numbers, X.astype(float) makes them such" if X.dtype == object and X.ndim > 1 else ""
        )
        raise DataError(f"X: expected rows of numbers, got the type {X.dtype}{hint}")
    return X


def lies_in_file(X: Array) -> bool:
    """Whether an array is a view of a file that is mapped."""
    base: Any = X
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    return isinstance(base, np.memmap)


def _find_range(X: Array) -> tuple[float, float]:
    """Return the smallest and the largest finite number; 0 and 0 where there is none."""
    if not X.size:
        return 0.0, 0.0
    if lies_in_file(X):  # it may be larger than memory, and going through all of it would take long
        X = X[:: max(1, len(X) // SAMPLE)]
    if X.dtype.kind != "f":
        return float(X.min()), float(X.max())
    low, high = float(np.fmin.reduce(X, axis=None)), float(np.fmax.reduce(X, axis=None))
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    finite = X[np.isfinite(X)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
