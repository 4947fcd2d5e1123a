"""Columns brought to mean 0 and standard deviation 1, by the figures of the training rows alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from glassnet.errors import DataError, UsageError
from glassnet.nn.activations import Array

#: Rows that are gone through at a time: few enough for their float64 numbers to stay in the processor's cache.
BLOCK = 128


@dataclass(frozen=True, eq=False)
class Standardisation:
    """What brings each column to mean 0 and standard deviation 1.

    Inputs of that size, each with a share of its own in the first layer's gradient, make learning faster (LeCun,
    Bottou, Orr and Mueller 1998, "Efficient BackProp", section 4.3). Of n training rows x_i, column by column::

        mean     = sum_i x_i / n
        std      = sqrt(sum_i (x_i - mean)² / n)      1 where a column never changes
        apply(x) = (x - mean) / std

    That is scikit-learn's ``StandardScaler``. Bytes count as pixels, divided by 255, as they do everywhere.
    `mean` and `std` are float64 of shape (d,), all std above 0.
    """

    mean: Array
    std: Array

    __pydantic_config__ = {"arbitrary_types_allowed": True}  # noqa: RUF012

    def __eq__(self, other: object) -> bool:
        """Whether the figures are equal, bit for bit."""
        if not isinstance(other, Standardisation):
            return NotImplemented
        return np.array_equal(self.mean, other.mean) and np.array_equal(self.std, other.std)

    @classmethod
    def of(cls, X: Array) -> Standardisation:
        """Measure the means and standard deviations of training rows, in float64, some rows at a time.

        X has the shape (n, d), or (n, ...) with d numbers a row. `DataError` is raised if the rows hold no
        numbers, or a column NaN, infinity, or numbers whose squares are too large.
        """
        if X.dtype.kind not in "fiub":
            raise DataError(f"X: expected rows of numbers to standardise, got the type {X.dtype}")
        first = next(iter(_take_blocks(X)))[1][0]
        total, squares, changes = (np.zeros(len(first), dtype) for dtype in (float, float, bool))
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # said below
            for _, block in _take_blocks(X):
                total += block.sum(axis=0)
                changes |= (block != first).any(axis=0)
            mean = total / len(X)
            for _, block in _take_blocks(X):
                squares += np.square(block - mean).sum(axis=0)
            std = np.sqrt(squares / len(X))
        bad = np.flatnonzero(~np.isfinite(std))
        if len(bad):
            raise DataError(
                f"X: column {bad[0]} holds NaN, infinity or numbers too large to standardise; replace them"
            )
        return cls(mean, np.where(changes & (std > 0), std, 1.0))

    def apply(self, X: Array) -> Array:
        """Return rows of d numbers standardised by these figures, as float32 of shape (n, d)."""
        columns = int(np.prod(X.shape[1:]))
        if columns != len(self.mean):
            raise DataError(f"X: the rows have {columns} columns, those that were standardised {len(self.mean)}")
        scaled = np.empty((len(X), columns), np.float32)
        with np.errstate(over="ignore", under="ignore"):  # what becomes infinite no network takes
            for part, block in _take_blocks(X):
                scaled[part] = (block - self.mean) / self.std
        return scaled

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Standardisation:
        """Take the figures from a dict of them; `ValueError` is raised if they are no means and deviations."""
        try:
            mean, std = (np.array(values[name], np.float64) for name in ("mean", "std"))
        except (LookupError, TypeError) as error:
            raise ValueError(f"{type(error).__name__} {error}") from None
        if mean.ndim != 1 or mean.shape != std.shape:
            raise ValueError("expected as many means as std")
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
            raise ValueError("expected finite numbers, and std above 0")
        return cls(mean, std)


def _take_blocks(X: Array) -> Iterator[tuple[slice, Array]]:
    """Give rows as float64 of shape (block, d), bytes as shares of 255."""
    columns, unit = int(np.prod(X.shape[1:])), 255.0 if X.dtype == np.uint8 else 1.0
    for first in range(0, len(X), BLOCK):
        part = slice(first, min(first + BLOCK, len(X)))
        yield part, np.divide(X[part].reshape(-1, columns), unit, dtype=np.float64)


def refuse_standardised(name: str) -> NoReturn:
    """Refuse to standardise data whose columns have mean 0 and std 1 as they are, such as tables."""
    raise UsageError("standardize", f"the columns of {name} are standardised already; leave it out")
