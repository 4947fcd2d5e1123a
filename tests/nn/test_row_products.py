import numpy as np
import pytest

from glassnet.nn import row_products
from glassnet.nn.row_products import FEW_ROWS, ROWS, fill_up, multiply_rows

SHAPES = [(3, 2), (20, 100), (784, 28), (30, 49), (64, 64), (130, 10), (7, 1), (1300, 201), (30, 28), (9, 23)]


def draw(n, d_in, d_out, dtype):
    rng = np.random.default_rng([n, d_in, d_out])
    return rng.normal(size=(n, d_in)).astype(dtype), rng.normal(size=(d_in, d_out)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("d_in", "d_out"), SHAPES)
def test_a_row_is_the_same_alone_and_anywhere(dtype, d_in, d_out):
    H, W = draw(3 * ROWS + 5, d_in, d_out, dtype)
    Z = multiply_rows(H, W)
    np.testing.assert_allclose(
        Z, H.astype(np.float64) @ W, rtol=0, atol={"float32": 2e-4, "float64": 1e-11}[dtype]
    )
    assert Z.dtype == dtype
    for n in (1, FEW_ROWS, FEW_ROWS + 1, ROWS, ROWS + 1):
        parts = [multiply_rows(H[first : first + n], W) for first in range(0, len(H), n)]
        np.testing.assert_array_equal(np.concatenate(parts), Z)
    np.testing.assert_array_equal(multiply_rows(np.asfortranarray(H[:FEW_ROWS]), W), Z[:FEW_ROWS])


def test_a_few_rows_come_to_blas_in_one_order(monkeypatch):
    """BLAS may multiply rows in another order of memory with another kernel, and not on every machine."""
    seen = []
    monkeypatch.setattr(row_products, "_choose_for_few", lambda *_: lambda H, W: seen.append(H) or H @ W)
    H, W = draw(FEW_ROWS, 20, 8, "float32")
    multiply_rows(np.asfortranarray(H), W)
    multiply_rows(np.repeat(H, 2, axis=1)[:, ::2], W)
    assert [rows.flags.c_contiguous for rows in seen] == [True, True]


def test_rows_are_filled_up_to_a_multiple():
    X = np.arange(6.0).reshape(3, 2)
    assert fill_up(X, 3) is X
    np.testing.assert_array_equal(fill_up(X, 4), [*X, [0, 0]])
    np.testing.assert_array_equal(fill_up(X[:1], 2), [X[0], X[0]])
