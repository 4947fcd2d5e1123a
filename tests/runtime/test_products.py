"""Products of our own: each number is one chain of fused multiply-adds, whatever the shape, layout and vectors."""

import ctypes

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glassnet.runtime import products
from glassnet.runtime.compilation import compile_pointer
from glassnet.runtime.products import (
    ARGUMENTS,
    DEPTH,
    LINE,
    PANEL,
    TILES,
    product_address,
    product_source,
)

ROWS = TILES[LINE].rows
SIZES = st.one_of(st.integers(1, 40), st.integers(1, 1100))


def draw(n, d_in, d_out, dtype):
    rng = np.random.default_rng([n, d_in, d_out])
    return rng.normal(size=(n, d_in)).astype(dtype), rng.normal(size=(d_in, d_out)).astype(dtype)


def room_for(rows, columns, dtype, extra=0, fill=np.nan):
    """Return an array for a matrix and the room that its rows need, full of NaN, and the matrix in it."""
    line = LINE // np.dtype(dtype).itemsize
    whole = np.full((rows + 2, -(-columns // line) * line + extra), fill, dtype)
    return whole, whole[1:-1, :columns]


def multiply(A, B, *, turned=(False, False), extra=0, C=None, factor=1.0, address=None):
    """A B by the product at an address, each stored as it is or turned, rows `extra` numbers further apart."""
    (n, steps), columns, kind = A.shape, B.shape[1], A.dtype
    stored = np.ascontiguousarray(A.T if turned[0] else A)
    a_row, a_step = stored.strides[::-1] if turned[0] else stored.strides
    whole_B, inner_B = room_for(*(B.T if turned[1] else B).shape, kind, extra)
    inner_B[:] = B.T if turned[1] else B
    panel = np.full(DEPTH * PANEL // kind.itemsize, np.nan, kind)
    whole, result = room_for(n, columns, kind, extra)
    if C is not None:
        result[:] = C
    real = ctypes.c_float if kind == np.float32 else ctypes.c_double
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_ssize_t] * len(ARGUMENTS), real)(address or product_address(kind))
    function(
        n, columns, steps, stored.ctypes.data, a_row, a_step, inner_B.ctypes.data, whole_B.strides[0],
        result.ctypes.data, whole.strides[0], C is not None, panel.ctypes.data if turned[1] else 0, factor,
    )  # fmt: skip
    room = -(-columns // (LINE // kind.itemsize)) * (LINE // kind.itemsize)
    assert np.isnan(whole[[0, -1]]).all()
    assert np.isnan(whole[:, room:]).all()
    return result.copy()


def chains(A, B, C=None, factor=1.0):
    """A B, whose numbers are chains of fused multiply-adds: in float64, a product of two float32 is exact."""
    Z = np.zeros((len(A), B.shape[1]), np.float32) if C is None else C
    for k in range(len(B)):
        Z = (Z + A[:, k : k + 1].astype(np.float64) * B[k]).astype(np.float32)
    return Z * np.float32(factor)


@settings(max_examples=20)
@given(SIZES, SIZES, SIZES, st.tuples(st.booleans(), st.booleans()), st.sampled_from([0, 1, 48]))
@example(64, 784, 28, (False, False), 0)
@example(784, 128, 64, (True, True), 0)
def test_drawn_shapes_and_layouts_are_products_as_in_float64(n, steps, columns, turned, extra):
    A, B = draw(n, steps, columns, "float32")
    expected = A.astype(np.float64) @ B
    close = 1e-6 * np.sqrt(steps) * (np.abs(A).astype(np.float64) @ np.abs(B)).max()
    np.testing.assert_allclose(multiply(A, B, turned=turned, extra=extra), expected, rtol=0, atol=close)
    exact = multiply(A.astype(np.float64), B.astype(np.float64), turned=turned, extra=extra)
    np.testing.assert_allclose(exact, expected, rtol=0, atol=1e-9 * close)


SHAPES = [
    (1, 1, 1),
    (2, 2, 9),
    (ROWS + 5, DEPTH + 3, 65),
    (2 * ROWS + 3, 2 * DEPTH, 17),
    (5, 300, 200),
    (9, 63, 48),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True)])
def test_every_number_is_a_chain_of_fused_multiply_adds(shape, turned):
    A, B = draw(*shape, "float32")
    np.testing.assert_array_equal(multiply(A, B, turned=turned), chains(A, B))
    C = np.random.default_rng(0).normal(size=(shape[0], shape[2])).astype(np.float32)
    np.testing.assert_array_equal(multiply(A, B, turned=turned, C=C, factor=1.25), chains(A, B, C, 1.25))


@pytest.mark.parametrize("vector", [32, pytest.param(16, marks=pytest.mark.slow)])
def test_shorter_vectors_make_the_same_chains(vector):
    text = product_source(np.dtype("float32"), vector)
    address = compile_pointer(text, "multiply", (*ARGUMENTS, "float32"))
    for shape in SHAPES:
        A, B = draw(*shape, "float32")
        for turned in ((False, False), (True, True)):
            np.testing.assert_array_equal(multiply(A, B, turned=turned, address=address), chains(A, B))


def test_float64_is_the_same_in_pieces():
    A, B = draw(ROWS + 3, 2 * DEPTH + 7, 41, "float64")
    whole = multiply(A, B)
    np.testing.assert_allclose(whole, A @ B, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(np.concatenate([multiply(A[i : i + 1], B) for i in range(len(A))]), whole)
    np.testing.assert_array_equal(np.concatenate([multiply(A, B[:, :9]), multiply(A, B[:, 9:])], axis=1), whole)
    np.testing.assert_array_equal(multiply(A[:, 50:], B[50:], C=multiply(A[:, :50], B[:50])), whole)


def test_a_processor_without_fused_multiply_adds_has_no_product(monkeypatch):
    monkeypatch.setattr(products, "vector_bytes", lambda: 0)
    with pytest.raises(NotImplementedError, match="fused multiply-adds"):
        product_address.__wrapped__(np.dtype("float32"))
