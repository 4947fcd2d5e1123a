import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from glassnet.errors import DataError, NonFiniteError
from glassnet.nn import prediction
from glassnet.nn.activations import Activation
from glassnet.nn.network import Network

RNG = np.random.default_rng(0)


@pytest.fixture(params=[1, 3])
def threads(request, monkeypatch):
    """Small blocks, in one thread or in three."""
    monkeypatch.setattr(prediction, "BLOCK_ROWS", 8)
    monkeypatch.setattr(prediction, "_count_threads", lambda multiplications: request.param)
    return request.param


@pytest.mark.parametrize("n", [1, 7, 8, 9, 50])
@pytest.mark.parametrize("options", [{}, {"batch_norm": True}, {"loss": "mse", "output_scale": 2.5}])
def test_blocks_and_threads_change_no_bit(n, options, threads, monkeypatch):
    network, X = Network([5, 40, 3], "gelu", **options), RNG.normal(size=(n, 5))
    found = network.outputs(X)
    monkeypatch.undo()
    np.testing.assert_array_equal(found, network.outputs(X))
    expected = network.loss.predict(network.forward(network.input_batch(X)).outputs)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("row", [0, 8, 49])
def test_a_number_that_is_not_finite_is_named_before_anything_else(bad, row, threads):
    network, X = Network([5, 40, 3]), RNG.normal(size=(50, 5))
    network.theta *= 100
    X[1] = 1e38  # too much for the network, and named where nothing else is wrong
    with pytest.raises(NonFiniteError, match=r"^X: row 2 \(X\[1\]\) is too much for the network"):
        network.outputs(X)
    X[row, 3] = bad
    with pytest.raises(DataError, match=re.escape(f"X: row {row + 1} (X[{row}]), column 4 holds {bad:g}, which")):
        network.outputs(X)
    X[1] = 0
    with pytest.raises(DataError, match=rf"^X: row {row + 1} \(X\[{row}\]\), column 4 holds"):
        network.outputs(X)


def test_what_the_layers_would_hide_or_bring_about_is_found(threads):
    network, X = Network([2, 3, 2]), np.zeros((20, 2))
    network.theta = np.full(17, 1e10)
    X[9] = 0, -np.inf  # relu makes 0 of it in every unit
    with pytest.raises(DataError, match=r"^X: row 10 \(X\[9\]\), column 2 holds -inf"):
        network.outputs(X)
    X[9] = 0, 1e20  # 1e30 in the hidden layer
    with pytest.raises(NonFiniteError, match=r"^X: row 10 \(X\[9\]\) is too much for the network"):
        network.outputs(X)
    X[9] = 0, 1e10
    assert np.isfinite(network.outputs(X)).all()


def test_what_overflows_and_comes_to_nothing_is_an_answer(threads):
    network = Network([2, 2, 2], initializer=np.array([1e30, 1, -1e30, 1, 0, 0, 1, 0, 0, 1, 0, 0], np.float32))
    X = np.array([[0.0, 1e20], [0.0, 0.0]] * 10)  # the first unit of every other row is -infinity, relu makes it 0
    np.testing.assert_allclose(network.outputs(X), [[0, 1], [0.5, 0.5]] * 10)


def test_rows_of_every_type_are_the_same_rows(threads):
    network = Network([5, 40, 3])
    pixels = RNG.integers(0, 256, size=(30, 5)).astype(np.uint8)
    shares = np.divide(pixels, 255, dtype=np.float32)
    np.testing.assert_array_equal(network.outputs(pixels), network.outputs(shares))
    np.testing.assert_array_equal(network.outputs(pixels.astype(int)), network.outputs(pixels.astype(float)))
    np.testing.assert_array_equal(network.outputs(pixels.reshape(30, 1, 5)), network.outputs(pixels))
    np.testing.assert_array_equal(network.outputs(pixels > 99), network.outputs((pixels > 99).astype(np.float32)))


def test_several_may_predict_at_once(threads):
    network, rows = Network([5, 40, 3]), RNG.normal(size=(20, 30, 5))
    expected = [network.outputs(X) for X in rows]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(network.outputs, rows), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_what_an_activation_raises_is_raised(threads):
    def fail(z):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        Network([5, 4, 3], Activation("failing", fail, fail)).outputs(RNG.normal(size=(50, 5)))


def test_threads_are_as_many_as_blas_would_take_for_many_rows(monkeypatch):
    monkeypatch.setattr(prediction, "available_cores", lambda: 5)
    monkeypatch.setattr("glassnet.runtime.blas.usual_threads", lambda: 3)
    assert prediction._count_threads(prediction.WORTH_THREADS) == 3
    assert prediction._count_threads(prediction.WORTH_THREADS - 1) == 1
