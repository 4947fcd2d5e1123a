"""Products H W whose rows have the same bits alone as among others.

BLAS adds up in an order that depends on the shape of the product, on the order in memory, and on a row's place
among many. So a product is made of tiles: always the same number of rows times the same columns of W.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from glassnet.nn.activations import Array

#: Rows of a tile: with more, some kernels of OpenBLAS treat some of them in another way.
ROWS = 8

#: Rows of a tile for a row or two, where its bits are the same. BLAS multiplies a single row in another way.
FEW_ROWS = 2

#: Bytes of a vector of the processor. Some kernels add up in another order where at most half of one is left over.
VECTOR = 64

#: Multiplications up to which OpenBLAS makes a product in one thread: its bits do not depend on their number.
#: Where it makes chains, it does so with more, and without copies.
SMALL_PRODUCT, CHAIN_PRODUCT = 2**18, 10**6


class Order(NamedTuple):
    """How the terms of a tile's numbers are added up: in blocks, and these in turn.

    A block has at most ``most`` terms. Where fewer than twice as many are left, it takes half of them, rounded up
    to a multiple of ``unit``. In a block, terms make a chain of fused multiply-adds. But where ``group`` is above
    1, every other term makes a chain of its own, as far as there are whole groups of so many terms; it is added at
    the block's end.
    """

    most: int
    unit: int
    group: int


#: Orders that are known, by dtype: one chain, as OpenBLAS makes it for vectors of 512 bits, and that of its
#: products for 256 bits (Haswell, Zen).
CHAIN = Order(2**40, 1, 1)
ORDERS = {"f": (CHAIN, Order(320, 8, 8)), "d": (CHAIN, Order(256, 4, 1))}

#: A prime: arrays that are filled with so many numbers, again and again, have no two rows alike.
PRIME = 4099


def multiply_rows(H: Array, W: Array) -> Array:
    """Return H W of shape (n, d_out), where the bits of a row do not depend on the rows beside it.

    Examples
    --------
    >>> multiply_rows(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 3.0]]))
    array([[1., 6.]])
    """
    (n, d_in), d_out, kind = H.shape, W.shape[1], H.dtype.char
    if d_out == 1:  # products with a single column are made in another way
        return _multiply_tiles(H, W, 1)
    if n == FEW_ROWS:
        return _choose_for_few(d_in, d_out, kind)(np.ascontiguousarray(H), W)
    return _multiply_tiles(H, W)


def fill_up(rows: Array, multiple: int) -> Array:
    """Return rows with others below them, so that they are a multiple of some number."""
    n = len(rows)
    if n % multiple == 0:
        return rows
    if n == 1:
        return rows.repeat(multiple, axis=0)
    filled = np.zeros((n + -n % multiple, *rows.shape[1:]), rows.dtype)
    filled[:n] = rows
    return filled


def _multiply_tiles(H: Array, W: Array, rows: int = ROWS) -> Array:
    """Return H W, made of tiles of so many rows."""
    (n, d_in), d_out, vector = H.shape, W.shape[1], VECTOR // H.itemsize
    if 1 < d_out < vector and not makes_chains():
        wide = np.zeros((d_in, vector), W.dtype)
        wide[:, :d_out] = W
        return np.ascontiguousarray(_multiply_tiles(H, wide, rows)[:, :d_out])
    tiles = fill_up(np.ascontiguousarray(H), rows).reshape(-1, rows, d_in)
    Z = np.empty((len(tiles), rows, d_out), H.dtype)
    for columns in _slice_columns(d_in, d_out, vector):
        np.matmul(tiles, W[:, columns], out=Z[..., columns])
    return Z.reshape(-1, d_out)[:n]


@functools.lru_cache
def _slice_columns(d_in: int, d_out: int, vector: int) -> list[slice]:
    """Return the columns of each tile. What is left over at the end goes with columns that others have, too."""
    widest = max(vector, _limit_product(ROWS * d_in * d_out) // (ROWS * d_in) // vector * vector)
    few = d_out < vector or (makes_chains() and d_out % vector > vector // 2)
    whole = d_out if few else d_out // vector * vector
    slices = [slice(first, min(first + widest, whole)) for first in range(0, whole, widest)]
    return slices if whole == d_out else [*slices, slice(d_out - vector, d_out)]


@functools.lru_cache
def _choose_for_few(d_in: int, d_out: int, dtype: str) -> Callable[[Array, Array], Array]:
    """Return the fastest way to multiply a few rows that has the bits of usual tiles.

    What holds for these numbers holds for all: the order of the sums depends on the shape alone.
    """
    H, W = make_numbers(d_in, d_out, dtype)
    expected = _multiply_tiles(H, W)[:FEW_ROWS]
    ways: list[Callable[[Array, Array], Array]] = [
        functools.partial(_multiply_tiles, rows=FEW_ROWS),
        _multiply_tiles,
    ]
    if (size := FEW_ROWS * d_in * d_out) <= _limit_product(size):
        ways.insert(0, np.matmul)
    return next(way for way in ways if np.array_equal(way(H[:FEW_ROWS], W), expected))


def _limit_product(size: int) -> int:
    """Return how many multiplications a product may have, of which there are so many in all."""
    return CHAIN_PRODUCT if size > SMALL_PRODUCT and makes_chains() else SMALL_PRODUCT


@functools.cache
def makes_chains() -> bool:
    """Whether BLAS makes the numbers of a tile as chains of fused multiply-adds, rounded once a step."""
    return _adds_up([range(64)])


def adds_as_known() -> bool:
    """Whether one of `ORDERS` may be that of BLAS: it makes chains, or two of every other term."""
    return makes_chains() or _adds_up([range(0, 64, 2), range(1, 64, 2)])


def _adds_up(parts: Sequence[range]) -> bool:
    """Whether BLAS makes a chain of each part of the terms, and adds these up."""
    H, W = make_numbers(64, VECTOR, "f")
    sums = np.zeros((len(parts), ROWS, VECTOR), np.float32)
    for Z, terms in zip(sums, parts, strict=True):
        for k in terms:
            Z[:] = Z + H[:, k : k + 1].astype(np.float64) * W[k]
    return np.array_equal(sums.sum(axis=0), H @ W)


def make_numbers(d_in: int, d_out: int, dtype: str) -> tuple[Array, Array]:
    """Return a tile's rows and columns of which no two are alike."""
    numbers = np.random.default_rng(0).normal(size=PRIME).astype(dtype)
    return np.resize(numbers, (ROWS, d_in)), np.resize(numbers[::-1], (d_in, d_out))
