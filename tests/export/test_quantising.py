"""Layers in bytes."""

import numpy as np
import pytest

from glassnet.export.portable import describe_model
from glassnet.export.quantising import measure_columns, quantise
from glassnet.nn.network import Network


def run(quantised, q, activation=lambda z: np.maximum(z, 0)):
    """What a header computes in whole numbers of bytes q; the last layer has no activation."""
    for number, layer in enumerate(quantised, start=1):
        z = layer.scale * (q.astype(np.int32) @ layer.weights.astype(np.int32)) + layer.b
        if number < len(quantised):
            q = np.clip(np.rint(activation(z) * layer.factor + layer.zero), -128, 127)
    return z


def to_bytes(X, factors):
    return np.clip(np.rint(X * factors), -128, 127)


def test_bytes_say_nearly_what_the_network_says():
    rng = np.random.default_rng(0)
    network = Network([6, 32, 16, 3], loss="half_squared_error", bias_initializer="normal(1)", seed=1)
    X = rng.normal(size=(200, 6))
    factors = measure_columns(X)
    found = run(quantise(describe_model(network).layers, X, factors), to_bytes(X, factors))
    expected = network.astype("float64").outputs(X)
    assert np.abs(found - expected).max() < 0.03 * np.ptp(expected)
    assert np.abs(found - expected).max() > 0


def test_columns_of_any_size_stand_beside_each_other():
    X = np.random.default_rng(0).normal(size=(200, 3)) * [1e-3, 1.0, 1e4]
    network = Network([3, 1], loss="half_squared_error", initializer=np.array([1e3, 1.0, 1e-4, 0.5]))
    factors = measure_columns(X)
    np.testing.assert_allclose(factors * np.abs(X).max(axis=0), 127)
    found = run(quantise(describe_model(network).layers, X, factors), to_bytes(X, factors))
    expected = network.astype("float64").outputs(X)
    assert np.abs(found - expected).max() < 0.02 * np.ptp(expected)


def test_a_column_of_zeros_has_the_factor_of_the_largest():
    assert measure_columns(np.array([[0.0, 2.0], [0.0, -4.0]])).tolist() == [127 / 4, 127 / 4]
    assert measure_columns(np.zeros((2, 2))).tolist() == [127, 127]


def test_pixels_are_bytes_without_a_loss():
    X = np.array([[0, 255, 51], [102, 0, 204]], np.uint8)
    network = Network(
        [3, 2], loss="half_squared_error", initializer=np.array([127, -127, 0, 1, 5, 127, 0.5, -0.5])
    )
    [layer] = quantise(describe_model(network).layers, X / 255, np.full(3, 255.0), -128)
    assert layer.weights.tolist() == [[127, -127], [0, 1], [5, 127]]
    found = run([layer], X.astype(np.int32) - 128)
    np.testing.assert_allclose(found, network.astype("float64").outputs(X / 255), rtol=1e-6)


@pytest.mark.parametrize(("units", "bias"), [([0.0], 0.0), ([-1.0], -3.0), ([1e-320], 0.0)])
def test_outputs_that_never_change_divide_by_nothing(units, bias):
    network = Network(
        [1, 1, 1], loss="half_squared_error", dtype="float64", initializer=np.array([*units, bias, 0.0, 2.0])
    )
    X = np.linspace(-1, 1, 9)[:, None]
    layers = quantise(describe_model(network).layers, X, measure_columns(X))
    np.testing.assert_allclose(run(layers, to_bytes(X, measure_columns(X))), 2.0)
