import numpy as np
import pytest

from glassnet.nn import row_products
from glassnet.nn.network import Network
from glassnet.nn.row_products import FEW_ROWS, ROWS, fill_up, multiply_rows
from glassnet.runtime import products

SHAPES = [(3, 2), (20, 100), (784, 28), (30, 49), (64, 64), (130, 10), (7, 1), (1300, 201)]


def draw(n, d_in, d_out, dtype):
    rng = np.random.default_rng([n, d_in, d_out])
    return rng.normal(size=(n, d_in)).astype(dtype), rng.normal(size=(d_in, d_out)).astype(dtype)


@pytest.fixture
def fresh(monkeypatch):
    """A process that has not multiplied yet."""
    monkeypatch.setattr(row_products, "_own", {})
    row_products._spent.clear()
    row_products._compiled_agrees.cache_clear()
    yield
    row_products._spent.clear()
    row_products._compiled_agrees.cache_clear()


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


def test_rows_are_filled_up_to_a_multiple():
    X = np.arange(6.0).reshape(3, 2)
    assert fill_up(X, 3) is X
    np.testing.assert_array_equal(fill_up(X, 4), [*X, [0, 0]])
    np.testing.assert_array_equal(fill_up(X[:1], 2), [X[0], X[0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_compiled_product_takes_over_with_the_same_bits(dtype, fresh, monkeypatch):
    pytest.importorskip("numba")
    network = Network([30, 100, 17, 8, 3], "tanh", dtype=dtype, seed=1)
    X = np.random.default_rng(0).normal(size=(100, 30))
    few = network.outputs(X[:ROWS])
    assert not row_products._spent, "a few rows wait for nothing"
    before = network.outputs(X)
    assert not row_products._own
    monkeypatch.setattr(row_products, "LOADED_AFTER", 0)
    np.testing.assert_array_equal(network.outputs(X), before)
    kind = np.dtype(dtype).char
    assert (row_products._own[kind] is not None) == row_products._makes_chains()
    for n in (1, FEW_ROWS, ROWS + 1, 100):
        np.testing.assert_array_equal(network.outputs(X[:n]), before[:n])
    np.testing.assert_array_equal(few, before[:ROWS])


def test_a_compiled_product_of_other_bits_is_not_taken(fresh, monkeypatch):
    H, W = draw(40, 50, 32, "float32")
    expected = multiply_rows(H, W)
    monkeypatch.setattr(row_products, "_own", {"f": lambda H, W, Z: np.matmul(H, W * np.float32(1.0001), out=Z)})
    np.testing.assert_array_equal(multiply_rows(H, W), expected)


def test_where_nothing_can_be_compiled_prediction_goes_on(fresh, monkeypatch):
    H, W = draw(40, 50, 32, "float32")
    expected = multiply_rows(H, W)
    asked = []

    def fail(dtype):
        asked.append(dtype)
        raise RuntimeError("no compiler")

    monkeypatch.setattr(row_products, "LOADED_AFTER", 0)
    monkeypatch.setattr(row_products, "_makes_chains", lambda: True)
    monkeypatch.setattr(products, "compile_product", fail)
    for _ in range(3):
        np.testing.assert_array_equal(multiply_rows(H, W), expected)
    assert len(asked) == 1
