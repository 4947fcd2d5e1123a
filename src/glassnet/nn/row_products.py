"""Products H W whose rows have the same bits alone as among others.

BLAS adds up in an order that depends on the shape of the product, on the order in memory, and on a row's place
among many. So a product is made of tiles: always the same number of rows times the same columns of W.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from glassnet.nn.activations import Array

#: Rows of a tile: with more, some kernels of OpenBLAS treat some of them in another way.
ROWS = 8

#: Rows of a tile for a few rows, where its bits are those of a larger one.
FEW_ROWS = 4

#: A vector of the processor. Some kernels add up in another order where at most half of one is left over.
VECTOR = 16

#: Multiplications in a product up to which OpenBLAS may take the weights as they lie; else it copies them first.
SMALL_PRODUCT = 10**6

#: A prime: arrays that are filled with so many numbers, again and again, have no two rows alike.
PRIME = 4099


def multiply_rows(H: Array, W: Array) -> Array:
    """Return H W of shape (n, d_out), where the bits of a row do not depend on the rows beside it.

    Examples
    --------
    >>> multiply_rows(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 3.0]]))
    array([[1., 6.]])
    """
    (n, d_in), d_out = H.shape, W.shape[1]
    if d_out == 1:  # products with a single column are made in another way
        return _multiply_tiles(H, W, 1)
    if n <= FEW_ROWS and _agrees(_multiply_few, d_in, d_out, H.dtype.char):
        return _multiply_few(H, W)
    return _multiply_tiles(H, W, ROWS)


def fill_up(rows: Array, multiple: int) -> Array:
    """Return rows with zeros below them, so that they are a multiple of some number."""
    n = len(rows)
    if n % multiple == 0:
        return rows
    filled = np.zeros((n + -n % multiple, *rows.shape[1:]), rows.dtype)
    filled[:n] = rows
    return filled


def _multiply_few(H: Array, W: Array) -> Array:
    return _multiply_tiles(H, W, FEW_ROWS)


def _multiply_tiles(H: Array, W: Array, rows: int) -> Array:
    """Return H W, made of tiles of so many rows."""
    (n, d_in), d_out = H.shape, W.shape[1]
    tiles = fill_up(np.ascontiguousarray(H), rows).reshape(-1, rows, d_in)
    Z = np.empty((len(tiles), rows, d_out), H.dtype)
    for columns in _slice_columns(d_in, d_out):
        np.matmul(tiles, W[:, columns], out=Z[..., columns])
    return Z.reshape(-1, d_out)[:n]


@functools.lru_cache
def _slice_columns(d_in: int, d_out: int) -> list[slice]:
    """Return the columns of each tile. What is left over at the end goes with columns that others have, too."""
    widest = max(VECTOR, SMALL_PRODUCT // (ROWS * d_in) // VECTOR * VECTOR)
    whole = d_out if d_out < VECTOR or d_out % VECTOR > VECTOR // 2 else d_out // VECTOR * VECTOR
    slices = [slice(first, min(first + widest, whole)) for first in range(0, whole, widest)]
    return slices if whole == d_out else [*slices, slice(d_out - VECTOR, d_out)]


@functools.lru_cache
def _agrees(multiply: Callable[[Array, Array], Array], d_in: int, d_out: int, dtype: str) -> bool:
    """Whether a way to multiply gives the bits of tiles: the order of its sums depends on the shape alone."""
    numbers = np.random.default_rng(0).normal(size=PRIME).astype(dtype)
    H, W = np.resize(numbers, (ROWS, d_in)), np.resize(numbers[::-1], (d_in, d_out))
    expected = _multiply_tiles(H, W, ROWS)
    return all(np.array_equal(multiply(H[:n], W), expected[:n]) for n in (1, ROWS))
