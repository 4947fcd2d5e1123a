"""Products H W whose rows have the same bits alone as among others.

BLAS adds up in an order that depends on the shape of the product, on the order in memory, and on a row's place
among many. So a product is made of tiles: always the same number of rows times the same columns of W.

Where OpenBLAS uses vectors of 512 bits, each number of a tile is one chain of fused multiply-adds. So it is in the
compiled product of `glassnet.runtime.products`, which is faster. It takes over, with the same bits, as soon as a
process has multiplied for so long that loading it pays.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

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

#: A prime: arrays that are filled with so many numbers, again and again, have no two rows alike.
PRIME = 4099

#: Seconds of the processor's time, in products of many rows, after which a process loads the compiled one. The
#: first time on a machine it is compiled, which takes about a second.
LOADED_AFTER = 0.5

#: For each dtype: how long products took, and the compiled one, None where there is none.
_spent: defaultdict[str, float] = defaultdict(float)
_own: dict[str, Callable[[Array, Array, Array], None] | None] = {}
_loading = threading.Lock()


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
    if _own.get(kind) and 2 * d_out * H.itemsize >= VECTOR and _compiled_agrees(d_in, d_out, kind):
        return _multiply_compiled(H, W)
    began = time.thread_time()
    Z = _multiply_tiles(H, W)
    if n > ROWS:
        _spend(H.dtype, time.thread_time() - began)
    return Z


def _spend(dtype: np.dtype[Any], seconds: float) -> None:
    """Take note of the time of a product of many rows, and load the compiled one where it has become worth it."""
    _spent[dtype.char] += seconds
    if _spent[dtype.char] >= LOADED_AFTER and dtype.char not in _own and _loading.acquire(blocking=False):
        try:
            _own[dtype.char] = _load(dtype)
        finally:
            _loading.release()


def _load(dtype: np.dtype[Any]) -> Callable[[Array, Array, Array], None] | None:
    """Return the compiled product; None where it would give other bits, or cannot be compiled."""
    from glassnet.runtime.compilation import numba_version
    from glassnet.runtime.products import compile_product

    try:
        return compile_product(dtype) if _makes_chains() and numba_version() else None
    except Exception:  # Numba has many; without it, prediction is slower and the same
        return None


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


def _multiply_compiled(H: Array, W: Array) -> Array:
    Z = np.empty((len(H), W.shape[1]), H.dtype)
    multiply = _own[H.dtype.char]
    assert multiply is not None
    multiply(np.ascontiguousarray(H), np.ascontiguousarray(W), Z)
    return Z


def _multiply_tiles(H: Array, W: Array, rows: int = ROWS) -> Array:
    """Return H W, made of tiles of so many rows."""
    (n, d_in), d_out = H.shape, W.shape[1]
    tiles = fill_up(np.ascontiguousarray(H), rows).reshape(-1, rows, d_in)
    Z = np.empty((len(tiles), rows, d_out), H.dtype)
    for columns in _slice_columns(d_in, d_out, VECTOR // H.itemsize):
        np.matmul(tiles, W[:, columns], out=Z[..., columns])
    return Z.reshape(-1, d_out)[:n]


@functools.lru_cache
def _slice_columns(d_in: int, d_out: int, vector: int) -> list[slice]:
    """Return the columns of each tile. What is left over at the end goes with columns that others have, too."""
    widest = max(vector, _limit_product(ROWS * d_in * d_out) // (ROWS * d_in) // vector * vector)
    whole = d_out if d_out < vector or d_out % vector > vector // 2 else d_out // vector * vector
    slices = [slice(first, min(first + widest, whole)) for first in range(0, whole, widest)]
    return slices if whole == d_out else [*slices, slice(d_out - vector, d_out)]


@functools.lru_cache
def _choose_for_few(d_in: int, d_out: int, dtype: str) -> Callable[[Array, Array], Array]:
    """Return the fastest way to multiply a few rows that has the bits of usual tiles.

    What holds for these numbers holds for all: the order of the sums depends on the shape alone.
    """
    H, W = _make_numbers(d_in, d_out, dtype)
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
    return CHAIN_PRODUCT if size > SMALL_PRODUCT and _makes_chains() else SMALL_PRODUCT


@functools.lru_cache
def _compiled_agrees(d_in: int, d_out: int, dtype: str) -> bool:
    """Whether the compiled product has the bits of tiles."""
    H, W = _make_numbers(d_in, d_out, dtype)
    return all(np.array_equal(_multiply_compiled(H[:n], W), _multiply_tiles(H[:n], W)) for n in (1, ROWS))


@functools.cache
def _makes_chains() -> bool:
    """Whether BLAS makes the numbers of a tile as chains of fused multiply-adds, rounded once a step."""
    H, W = _make_numbers(64, VECTOR, "f")
    Z = np.zeros((ROWS, VECTOR))
    for k in range(64):
        Z = (Z + H[:, k : k + 1].astype(np.float64) * W[k]).astype(np.float32)
    return np.array_equal(Z, H @ W)


def _make_numbers(d_in: int, d_out: int, dtype: str) -> tuple[Array, Array]:
    """Return a tile's rows and columns of which no two are alike."""
    numbers = np.random.default_rng(0).normal(size=PRIME).astype(dtype)
    return np.resize(numbers, (ROWS, d_in)), np.resize(numbers[::-1], (d_in, d_out))
