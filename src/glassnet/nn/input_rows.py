"""Rows on their way into a network: taken as an array, checked, and brought to the network's dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from glassnet.errors import DataError
from glassnet.nn.activations import Array

#: Rows that are looked through, or evaluated, at a time, so that a large data set needs no float copy.
BLOCK_ROWS = 1024


def take_rows(X: Any, width: int) -> Array:
    """Return X as an array of at least one row of so many numbers, or raise `DataError`."""
    try:
        X = np.asarray(X)
    except ValueError:
        raise DataError("X: expected rows of equal length") from None
    if not X.dtype.isnative:  # compiled formulas read the processor's own order of bytes
        X = X.astype(X.dtype.newbyteorder("="))
    if X.ndim > 1 and len(X) == 0:
        raise DataError("X: holds no rows")
    if X.dtype.kind not in "fiub" or X.ndim < 2:
        raise DataError(f"X: expected rows of numbers, got the shape {X.shape} of type {X.dtype}")
    if (found := math.prod(X.shape[1:])) != width:
        raise DataError(f"layers: the data have {found} columns, the first layer has {width} units")
    return X


def refuse_non_finite(X: Array, dtype: np.dtype[Any]) -> None:
    """Raise `DataError` that names the first number in X that is no finite one of the dtype."""
    limit = np.finfo(dtype).max
    for first in range(0, len(X) if X.dtype.kind == "f" else 0, BLOCK_ROWS):
        block = X[first : first + BLOCK_ROWS].reshape(len(X[first : first + BLOCK_ROWS]), -1)
        if not (block.max() <= limit and block.min() >= -limit):  # NaN is neither
            place, column = (int(i) for i in np.argwhere(~(np.abs(block) <= limit))[0])
            row = first + place
            raise DataError(
                f"X: row {row + 1} (X[{row}]), column {column + 1} holds {block[place, column]}, which is no "
                f"finite {dtype}; replace or remove it"
            )


def as_batch(X: Array, dtype: np.dtype[Any]) -> Array:
    """Return rows as a network takes them: flat, of its dtype, bytes scaled to [0, 1]."""
    if X.ndim != 2:
        X = X.reshape(len(X), -1)
    if X.dtype == np.uint8:
        return np.divide(X, 255, dtype=dtype)
    return X.astype(dtype, copy=False)
