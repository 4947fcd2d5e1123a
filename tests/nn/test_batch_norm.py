"""Batch normalisation against its definitions, numbers worked out on paper, and the derivative of what it does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.nn.batch_norm import (
    EPSILON,
    MOMENTUM,
    backward,
    inverse_std,
    normalise,
    normalise_by,
    track,
)
from glassnet.nn.dropout import mask_keys
from glassnet.nn.network import Network


def noise(*shape, seed=5):
    return np.random.default_rng(seed).normal(size=shape)


A = noise(9, 4) * [1, 10, 0.1, 3] + [0, -4, 2, 100]
GAMMA, BETA = noise(2, 4, seed=6)
KEYS = mask_keys(0, np.array([1]), 3)[0]


# Forwards


def test_two_rows_by_hand():
    """Columns (1, 3) and (5, 5): means 2 and 5, variances 1 and 0."""
    normalised = normalise(np.array([[1.0, 5], [3, 5]]))
    assert (normalised.mean.tolist(), normalised.variance.tolist()) == ([2, 5], [1, 0])
    s = 1 / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(normalised.X_hat, [[-s, 0], [s, 0]], rtol=1e-15)
    np.testing.assert_allclose(normalised.inverse_std, [s, 1 / np.sqrt(1e-5)], rtol=1e-15)
    assert normalised.of_batch
    assert (EPSILON, MOMENTUM) == (1e-5, 0.9)


def test_columns_get_mean_zero_and_variance_one_but_for_epsilon():
    normalised = normalise(A)
    variance = A.var(axis=0)
    np.testing.assert_allclose(normalised.mean, A.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(normalised.variance, variance, rtol=1e-12)
    np.testing.assert_allclose(normalised.X_hat.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(normalised.X_hat.var(axis=0), variance / (variance + EPSILON), rtol=1e-12)


@given(st.floats(-100, 100), st.floats(0.5, 100))
def test_neither_a_shift_nor_a_scale_of_the_units_shows(shift, scale):
    """With the scale, epsilon is scale^2 times less: at a variance near 1 that is 1e-5 of X^ at most."""
    batch = normalise(A[:, [0, 3]])
    moved = normalise(A[:, [0, 3]] + shift)
    np.testing.assert_allclose(moved.X_hat, batch.X_hat, atol=1e-9)
    scaled = normalise(scale * A[:, [0, 3]])
    np.testing.assert_allclose(scaled.X_hat, batch.X_hat, atol=1e-4)
    flipped = normalise(-A)
    np.testing.assert_array_equal(flipped.X_hat, -normalise(A).X_hat)


def test_a_single_row_is_its_own_mean():
    normalised = normalise(A[:1])
    assert not normalised.X_hat.any()
    assert not normalised.variance.any()
    dA, dgamma = backward(np.ones((1, 4)), GAMMA, normalised)
    assert not dA.any()
    assert not dgamma.any()


def test_rows_alone_are_normalised_by_statistics_of_before():
    normalised = normalise_by(np.array([[3.0], [5]]), np.array([1.0]), np.array([4.0]))
    np.testing.assert_allclose(normalised.X_hat, np.array([[2], [4]]) / np.sqrt(4 + 1e-5), rtol=1e-15)
    assert not normalised.of_batch
    mine = normalise(A)
    np.testing.assert_array_equal(normalise_by(A, mine.mean, mine.variance).X_hat, mine.X_hat)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_has_the_dtype_of_the_batch(dtype):
    normalised = normalise(A.astype(dtype))
    dA, dgamma = backward(normalised.X_hat, GAMMA.astype(dtype), normalised)
    arrays = (normalised.X_hat, normalised.mean, normalised.variance, normalised.inverse_std, dA, dgamma)
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


# Backwards


def loss(A, gamma, weights):
    """A number that depends on Z = gamma X^ + beta, and its slope dL/dZ."""
    Z = gamma * normalise(A).X_hat + BETA
    return (weights * np.sin(Z)).sum(), weights * np.cos(Z)


def test_the_slopes_by_hand():
    """Rows 0 and 2 without epsilon: X^ = -1, 1, s = 1. Z = 3 X^, delta = (1, 2): delta - mean = -1/2, 1/2, and

    X^ times the mean of delta X^ = 1/2 is the same: nothing is left, as two rows are -1 and 1 wherever they are.
    """
    normalised = normalise(np.array([[0.0], [2]]))
    dA, dgamma = backward(np.array([[1.0], [2]]), np.array([3.0]), normalised)
    np.testing.assert_allclose(dgamma, [1], rtol=1e-4)
    np.testing.assert_allclose(dA, 0, atol=1e-4)
    # rows -1, 0, 1: variance 2/3, s^2 = 3/2, X^ = s (-1, 0, 1); delta = (0, 3, 0): dL/dA = gamma s (-1, 2, -1)
    normalised = normalise(np.array([[-1.0], [0], [1]]))
    dA, dgamma = backward(np.array([[0.0], [3], [0]]), np.array([2.0]), normalised)
    assert dgamma.tolist() == [0]
    np.testing.assert_allclose(dA[:, 0], 2 * np.sqrt(1.5) * np.array([-1, 2, -1]), rtol=1e-4)


@pytest.mark.parametrize("n", [2, 3, 9])
def test_the_slopes_are_the_derivatives(n):
    weights, X = noise(n, 4, seed=7), A[:n]
    dA, dgamma = backward(loss(X, GAMMA, weights)[1], GAMMA, normalise(X))
    for place in np.ndindex(n, 4):
        step = np.zeros((n, 4), complex)
        step[place] = 1e-30j
        assert loss(X + step, GAMMA, weights)[0].imag / 1e-30 == pytest.approx(dA[place], rel=1e-11, abs=1e-13)
        step = step.real.copy()
        step[place] = h = 1e-5
        central = (loss(X + step, GAMMA, weights)[0] - loss(X - step, GAMMA, weights)[0]) / (2 * h)
        assert central == pytest.approx(dA[place], rel=1e-3, abs=1e-6)
    for unit in range(4):
        step = 1e-30j * (np.arange(4) == unit)
        assert loss(X, GAMMA + step, weights)[0].imag / 1e-30 == pytest.approx(dgamma[unit], rel=1e-12)


def test_no_slope_points_where_the_loss_cannot_see():
    """A shift of a column changes nothing, so the columns of dL/dA sum to 0; nor does its scale, but for epsilon.

    dL/dA . X^ = gamma s sum(delta X^) (1 - mean of X^^2), and that mean is v / (v + epsilon).
    """
    delta, normalised = noise(9, 4, seed=7), normalise(A)
    dA, dgamma = backward(delta, GAMMA, normalised)
    np.testing.assert_allclose(dA.sum(axis=0), 0, atol=1e-11)
    missing = EPSILON / (normalised.variance + EPSILON)
    expected = GAMMA * normalised.inverse_std * dgamma * missing
    np.testing.assert_allclose((dA * normalised.X_hat).sum(axis=0), expected, atol=1e-11)
    assert np.abs(dA).max(axis=0).min() > 1e-3


def test_where_statistics_are_those_of_before_each_row_is_by_itself():
    delta, mean, variance = noise(9, 4, seed=7), noise(4, seed=8), np.array([1.0, 2, 3, 4])
    normalised = normalise_by(A, mean, variance)
    dA, dgamma = backward(delta, GAMMA, normalised)
    np.testing.assert_allclose(dA, delta * GAMMA / np.sqrt(variance + 1e-5), rtol=1e-14)
    np.testing.assert_allclose(dgamma, (delta * (A - mean)).sum(axis=0) / np.sqrt(variance + 1e-5), rtol=1e-12)


def test_the_batch_its_slopes_and_gamma_are_left_alone():
    X, delta, gamma = A.copy(), A[::-1].copy(), GAMMA.copy()
    backward(delta, gamma, normalise(X))
    np.testing.assert_array_equal(X, A)
    np.testing.assert_array_equal(delta, A[::-1])
    np.testing.assert_array_equal(gamma, GAMMA)


# Running statistics


def test_running_statistics_by_hand():
    """Rows 1 and 3: mean 2, variance of a sample 2. 0.9 0 + 0.1 2 and 0.9 1 + 0.1 2; then again."""
    mean, variance = np.zeros(1), np.ones(1)
    track(mean, variance, normalise(np.array([[1.0], [3]])))
    np.testing.assert_allclose([mean[0], variance[0]], [0.2, 1.1], rtol=1e-15)
    track(mean, variance, normalise(np.array([[1.0], [3]])), momentum=0.5)
    np.testing.assert_allclose([mean[0], variance[0]], [1.1, 1.55], rtol=1e-15)


def test_running_statistics_forget_by_a_tenth_a_batch():
    mean, variance = np.zeros(4), np.ones(4)
    batches = [noise(n, 4) * 3 + 1 for n in (5, 8, 2, 30)]
    for batch in batches:
        track(mean, variance, normalise(batch))
    shares = [0.1 * 0.9**3, 0.1 * 0.9**2, 0.1 * 0.9, 0.1]
    np.testing.assert_allclose(mean, sum(s * X.mean(axis=0) for s, X in zip(shares, batches, strict=True)))
    expected = 0.9**4 + sum(s * X.var(axis=0, ddof=1) for s, X in zip(shares, batches, strict=True))
    np.testing.assert_allclose(variance, expected)


def test_a_batch_of_one_row_has_no_variance_and_moves_nothing():
    mean, variance = np.zeros(4), np.ones(4)
    track(mean, variance, normalise(A[:1]))
    np.testing.assert_array_equal([mean, variance], [np.zeros(4), np.ones(4)])


# In a network


def build(batch_norm=True, **options):
    options |= {"batch_norm": batch_norm, "dtype": "float64", "initializer": "normal"}
    network = Network([3, 6, 5, 2], "tanh", **options)
    for gamma in network.gamma:
        if gamma is not None:
            gamma[:] = np.linspace(0.5, 2, len(gamma))
    return network


def data(n=8):
    return noise(n, 3), np.eye(2)[np.arange(n) % 2]


def test_a_layer_normalises_scales_shifts_and_then_bends():
    network, (X, _) = build([False, True], bias_initializer="normal"), data()
    trace = network.forward(X, KEYS)
    np.testing.assert_array_equal(trace.Z[0], X @ network.W[0] + network.b[0])
    A = trace.H[1] @ network.W[1]
    hat = (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + 1e-5)
    np.testing.assert_allclose(trace.normalised[1].X_hat, hat, rtol=1e-12)
    np.testing.assert_allclose(trace.Z[1], network.gamma[1] * hat + network.b[1], rtol=1e-12)
    np.testing.assert_array_equal(trace.H[2], np.tanh(trace.Z[1]))
    assert trace.normalised[0] is None
    assert trace.normalised[2] is None


def test_prediction_takes_the_running_statistics():
    network, (X, _) = build(), data()
    network.parameters.mean[0][:] = np.arange(6)
    network.parameters.variance[0][:] = np.arange(1, 7)
    trace = network.forward(X)
    hat = (X @ network.W[0] - np.arange(6)) / np.sqrt(np.arange(1, 7) + 1e-5)
    np.testing.assert_allclose(trace.Z[0], network.gamma[0] * hat + network.b[0], rtol=1e-12)
    np.testing.assert_allclose(network.forward(X[3:4]).Z[0], trace.Z[0][3:4], rtol=1e-12)  # alone as among others


def test_only_tracking_moves_the_running_statistics():
    network, (X, targets) = build([True, False]), data()
    network.backward(trace := network.forward(X, KEYS), targets)
    network.forward(X)
    network.outputs(X)
    assert network.parameters.statistics.tolist() == [0] * 6 + [1] * 6
    network.track(trace)
    A = X @ network.W[0]
    np.testing.assert_allclose(network.parameters.mean[0], 0.1 * A.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(network.parameters.variance[0], 0.9 + 0.1 * A.var(axis=0, ddof=1), rtol=1e-12)


def test_measured_statistics_are_those_of_the_rows():
    network, (X, _) = build(dropout=0.4), data(30)
    network.parameters.statistics[:] = 77
    theta = network.theta.copy()
    network.measure_statistics(X)
    H = X
    for layer in (0, 1):
        A = H @ network.W[layer]
        np.testing.assert_allclose(network.parameters.mean[layer], A.mean(axis=0), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(network.parameters.variance[layer], A.var(axis=0, ddof=1), rtol=1e-10)
        hat = (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + 1e-5)
        H = np.tanh(network.gamma[layer] * hat + network.b[layer])  # of all units: nothing is dropped
    np.testing.assert_array_equal(network.theta, theta)


def test_measured_statistics_of_bytes_are_those_of_their_shares_of_255():
    network, other = (Network([4, 3, 2], batch_norm=True, dtype="float64") for _ in range(2))
    X = np.random.default_rng(0).integers(0, 256, size=(10, 2, 2), dtype=np.uint8)
    network.measure_statistics(X)
    other.measure_statistics(X.reshape(10, 4) / 255)
    np.testing.assert_allclose(network.parameters.statistics, other.parameters.statistics, rtol=1e-12)


@pytest.mark.parametrize("before", [np.array([5.0, -3, 100, 0, 0.5, 7]), 3.0])
def test_a_bias_before_the_normalisation_would_have_no_effect(before):
    """Inputs with one more column that is always 1: its weights are such a bias, and their slope is 0."""
    X, targets = data()
    network = Network([4, 6, 2], "tanh", batch_norm=True, initializer="normal", dtype="float64")
    X = np.hstack([X, np.ones((8, 1))])
    plain = network.backward(network.forward(X, KEYS), targets)
    np.testing.assert_allclose(network.dW[0][3], 0, atol=1e-14)
    network.W[0][3] += before
    assert network.backward(network.forward(X, KEYS), targets) == pytest.approx(plain, rel=1e-11)


def test_the_scale_of_the_weights_has_no_effect_and_their_slope_shrinks_with_it():
    """L(c W) = L(W), so dL/dW at c W is 1 / c of that at W, and stands upright on W, but for epsilon."""
    network, (X, targets) = build(), data()
    plain = network.backward(network.forward(X, KEYS), targets)
    slope = network.dW[0].copy()
    np.testing.assert_allclose((network.W[0] * slope).sum(axis=0), 0, atol=5e-5)
    network.W[0] *= 7
    assert network.backward(network.forward(X, KEYS), targets) == pytest.approx(plain, rel=1e-4)
    np.testing.assert_allclose(7 * network.dW[0], slope, atol=1e-4)


def test_a_gradient_through_the_running_statistics_is_right_too():
    network, (X, targets) = build(bias_initializer="normal"), data()
    network.parameters.statistics[:] = np.random.default_rng(0).uniform(0.5, 2, size=22)
    network.backward(network.forward(X), targets)
    probe = network.astype(np.complex128)
    for index in range(len(network.theta)):
        probe.theta[:] = network.theta
        probe.theta[index] += 1e-30j
        value, _ = network.loss.value_and_delta(probe.forward(X.astype(complex)).outputs, targets)
        assert value.imag / 1e-30 == pytest.approx(network.gradient[index], rel=1e-10, abs=1e-14)


def test_the_inverse_of_a_deviation_of_nothing_is_finite():
    assert inverse_std(np.zeros(1, np.float32)) == pytest.approx(1 / np.sqrt(1e-5), rel=1e-6)
