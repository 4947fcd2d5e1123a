"""The proof of every hand-derived gradient, and the proof that the proof would notice.

Activations and losses come from their registries: a new one is tested by existing.
"""

import functools
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.loops import for_each

from glassnet.errors import DataError, UsageError
from glassnet.nn import backpropagation, batch_norm
from glassnet.nn.activations import ACTIVATIONS, Activation
from glassnet.nn.dropout import keep_mask, mask_keys
from glassnet.nn.gradient_check import EVERY_ENTRY_UP_TO, TOLERANCES, gradient_check, numerical_derivatives
from glassnet.nn.losses import LOSSES, REDUCTIONS, Loss
from glassnet.nn.network import Network

ALL_ACTIVATIONS, ALL_LOSSES = sorted(ACTIVATIONS), sorted(LOSSES)
FREE_LOSSES = [name for name in ALL_LOSSES if LOSSES.resolve(name).output is None]

SMALL, LARGE = [3, 4, 4, 2], [40, 30, 30, 5]
SIZES = pytest.mark.parametrize("layers", [SMALL, LARGE], ids=["every entry", "directions"])
METHODS = pytest.mark.parametrize("method", ["central", "complex"])

# Unequal widths, so that no wrong transpose fits; 0 to 3 hidden layers.
DEPTHS = [[3, 2], [3, 4, 2], [2, 5, 3, 4], [4, 3, 5, 2, 3]]


@pytest.fixture(autouse=True)
def masks(monkeypatch):
    """A mask is a function of its arguments: it is made once, not for each of the thousands of losses."""
    monkeypatch.setattr(backpropagation, "keep_mask", functools.cache(keep_mask))


def problem(layers, activation, loss, n=4, seed=0, **options):
    """A network with nonzero biases, and rows and targets that suit its loss."""
    rng = np.random.default_rng(seed)
    network = Network(
        layers, activation, loss=loss, bias_initializer="normal(0, 0.5)", seed=seed, dtype="float64", **options
    )
    X, y = rng.normal(size=(n, layers[0])), rng.normal(size=(n, layers[-1]))
    if network.loss.output == "softmax":
        y = rng.integers(layers[-1], size=n)
    if network.loss.output == "sigmoid":
        y = rng.uniform(size=(n, layers[-1]))
    return network, X, y


def kinked(network):
    return bool(network.loss.kinks or any(activation.kinks for activation in network.activations))


def assert_right(network, X, y, methods=("central", "complex")):
    for method in methods:
        check = gradient_check(network, X, y, method)
        assert check.max_relative_error <= TOLERANCES[method], check
        assert check.checked + check.left_out == len(network.theta)
        assert check.left_out <= (0.1 * len(network.theta) if kinked(network) else 0)


def test_the_tolerances_are_the_promised_ones():
    assert TOLERANCES == {"central": 1e-7, "complex": 1e-12}


@pytest.mark.parametrize("activation", ALL_ACTIVATIONS)
@for_each("loss, layers", product(ALL_LOSSES, DEPTHS))
def test_every_activation_with_every_loss_at_every_depth(activation, loss, layers):
    assert_right(*problem(layers, activation, loss))


@for_each("name, reduction", product(ALL_LOSSES, REDUCTIONS))
def test_both_reductions(name, reduction):
    assert_right(*problem([3, 4, 2], "tanh", f"{name}(reduction={reduction})", n=5))


@for_each("loss, output_activation, scale", product(FREE_LOSSES, ALL_ACTIVATIONS, [0.3, 1, 7.5]))
def test_every_output_activation_at_every_output_scale(loss, output_activation, scale):
    assert_right(*problem([3, 4, 2], "silu", loss, output_activation=output_activation, output_scale=scale))


def test_a_different_activation_in_every_layer():
    assert_right(*problem([3, 4, 5, 2], ["gelu", "elu"], "huber(0.5)", output_activation="tanh"))


@settings(max_examples=60)
@given(
    layers=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    activation=st.sampled_from(ALL_ACTIVATIONS),
    loss=st.sampled_from(ALL_LOSSES),
    reduction=st.sampled_from(REDUCTIONS),
    n=st.integers(1, 7),
    seed=st.integers(0, 100),
)
@example([2, 2, 2], "relu3", "cross_entropy", "mean", 6, 14)  # too steep for the longest step
@example([2, 3, 5, 3, 3], "relu3", "half_squared_error", "sum", 4, 56)
@example([3, 4, 4], "tanh", "absolute_error", "sum", 4, 37)
def test_any_network(layers, activation, loss, reduction, n, seed):
    if loss == "cross_entropy":
        layers = [*layers[:-1], layers[-1] + 1]  # two classes at least
    network, X, y = problem(layers, activation, f"{loss}(reduction={reduction})", n, seed)
    # cubes of cubes reach logits of hundreds, where softmax and sigmoid are steps to any difference
    assume(np.abs(network.forward(X).outputs).max() < 50)
    check = gradient_check(network, X, y)
    assert check.max_relative_error <= 1e-7, check


# What training adds

#: Of the layers 3-4-3-2: which of the two hidden ones normalise, what is left out of the inputs of the three.
NORMALISED, DROPPED = [False, True, [False, True]], [0.0, 0.3, [0.2, 0.4, 0.1]]
ADDED = [(normalised, dropped) for normalised in NORMALISED for dropped in DROPPED][1:]


def scaled(network, seed=3):
    """Give the scales of batch normalisation other values than 1, of both signs."""
    rng = np.random.default_rng(seed)
    for gamma in network.gamma:
        if gamma is not None:
            gamma[:] = rng.choice([-1, 1], len(gamma)) * rng.uniform(0.5, 1.5, len(gamma))
    return network


@pytest.mark.parametrize("activation", ALL_ACTIVATIONS)
@for_each("loss, added", product(ALL_LOSSES, ADDED))
def test_batch_normalisation_and_dropout_with_every_activation_and_loss(activation, loss, added):
    normalised, dropped = added
    # seed 0 makes relu3 twice too steep for central differences: they miss 1e-7 by their own error
    network, X, y = problem([3, 4, 3, 2], activation, loss, n=8, seed=1, batch_norm=normalised, dropout=dropped)
    # a bias that goes straight into the next normalisation has a slope of 0 but for rounding: nothing to compare
    straight = activation == "identity" and (normalised, dropped) == (True, 0.0)
    assert_right(scaled(network), X, y, methods=("central",) if straight else ("central", "complex"))


@METHODS
@SIZES
@for_each("normalised, dropped", ADDED)
def test_batch_normalisation_and_dropout_in_networks_of_both_sizes(layers, method, normalised, dropped):
    network, X, y = problem(layers, ["tanh", "silu"], "cross_entropy", n=9, batch_norm=normalised, dropout=dropped)
    check = gradient_check(scaled(network), X, y, method)
    assert check.max_relative_error <= TOLERANCES[method], check
    assert check.left_out == 0


@for_each("loss, scale, reduction", product(FREE_LOSSES, [0.3, 7.5], REDUCTIONS))
def test_what_training_adds_with_an_output_function_and_scale(loss, scale, reduction):
    network, X, y = problem(
        [3, 4, 3, 2], "gelu", f"{loss}(reduction={reduction})", n=6, batch_norm=True, dropout=[0.3, 0.2, 0.4],
        output_activation="tanh", output_scale=scale,
    )  # fmt: skip
    assert_right(scaled(network), X, y)


@for_each("layers, options", [([3, 2], {"dropout": [0.4]}), ([3, 1, 2], {"batch_norm": True})])
def test_what_training_adds_in_the_smallest_networks(layers, options):
    assert_right(*problem(layers, "tanh", "half_squared_error", n=5, **options))


def test_a_batch_of_one_row_is_its_own_mean():
    """No weight before the normalisation moves anything; the rest is as ever."""
    network, X, y = problem([3, 4, 2], "tanh", "half_squared_error", n=1, batch_norm=True)
    assert_right(network, X, y)
    network.backward(network.forward(X, mask_keys(0, np.array([1]), 2)[0]), network.encode(y))
    assert not network.dW[0].any()
    assert not network.parameters.dgamma[0].any()
    assert network.db[0].all()


def test_the_masks_are_those_of_a_first_step():
    """Were others checked than those that the seed draws first, these weights' slopes would not all be 0."""
    network, X, y = problem([3, 30, 2], "tanh", "half_squared_error", n=1, dropout=0.5)
    found = numerical_derivatives(network, X, network.encode(y), dropout_keys=mask_keys(0, np.array([1]), 2)[0])
    trace = network.forward(X, mask_keys(network.seed, np.array([1]), 2)[0])
    out = np.flatnonzero(trace.masks[1][0] == 0)
    assert 5 < len(out) < 25
    still = {derivative.parameter for derivative in found if derivative.value == 0}
    assert still == {f"W1[{i}, {j}]" for i in range(3) for j in out} | {f"b1[{j}]" for j in out} | {
        f"W2[{j}, {k}]" for j in out for k in range(2)
    }
    assert gradient_check(network, X, y).max_relative_error <= 1e-7


@for_each("loss, added", product(ALL_LOSSES, ADDED))
def test_weights_of_rows_are_in_the_gradient(loss, added):
    """The complex step on the weighted loss."""
    normalised, dropped = added
    network, X, y = problem([3, 4, 3, 2], "tanh", loss, n=6, batch_norm=normalised, dropout=dropped)
    weights, targets = np.array([0.0, 2, 0.5, 1, 3, 0.1]), network.encode(y)
    keys = mask_keys(0, np.array([1]), 3)[0]
    network.backward(network.forward(X, keys), targets, weights)
    probe = network.astype(np.complex128)
    for index in range(len(network.theta)):
        probe.theta[:] = network.theta
        probe.theta[index] += 1e-30j
        value, _ = probe.loss.value_and_delta(probe.forward(X.astype(complex), keys).outputs, targets, weights)
        assert value.imag / 1e-30 == pytest.approx(network.gradient[index], rel=1e-10, abs=1e-14)


@for_each(
    "activation, loss, options",
    product(ALL_ACTIVATIONS, ALL_LOSSES, [{}, {"batch_norm": True, "dropout": [0.1, 0.2, 0.3]}]),
)
def test_the_float32_gradient_agrees_with_float64(activation, loss, options):
    network, X, y = problem([4, 6, 5, 3], activation, loss, n=7, **options)
    single = network.astype(np.float32)
    double = single.astype(np.float64)
    X, keys = X.astype(np.float32), mask_keys(0, np.array([1]), 3)[0]
    for net in (single, double):
        net.backward(net.forward(net.input_batch(X), keys), net.encode(y))
    assert single.gradient.dtype == np.float32
    for block in single.parameters.blocks.values():
        expected = double.gradient[block]
        np.testing.assert_allclose(single.gradient[block], expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@for_each("loss", ALL_LOSSES)
def test_the_order_of_rows_changes_the_gradient_by_rounding_only(loss):
    network, X, y = problem([3, 4, 2], "tanh", loss, n=6)
    order = np.array([5, 2, 0, 4, 1, 3])
    value = network.backward(network.forward(X), network.encode(y))
    gradient = network.gradient.copy()
    assert network.backward(network.forward(X[order]), network.encode(y[order])) == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(network.gradient, gradient, rtol=1e-12, atol=1e-15)


@for_each("loss", ALL_LOSSES)
def test_a_row_given_twice_counts_twice(loss):
    summed = LOSSES.resolve(loss).spec.replace("mean", "sum")
    network, X, y = problem([3, 4, 2], "tanh", summed, n=3)
    value = network.backward(network.forward(X), network.encode(y))
    gradient = network.gradient.copy()
    double = network.backward(network.forward(np.tile(X, (2, 1))), network.encode(np.concatenate([y, y])))
    assert double == pytest.approx(2 * value)
    np.testing.assert_allclose(network.gradient, 2 * gradient, rtol=1e-12)


# The check itself: planted errors


def bent(name, factor=1.0001):
    right = ACTIVATIONS.resolve(name)
    return Activation("bent", right.f, lambda z, h: factor * right.f_prime(z, h), right.kinks)


@METHODS
@SIZES
def test_right_networks_of_both_sizes_pass(layers, method):
    assert (
        gradient_check(*problem(layers, "tanh", "cross_entropy"), method).max_relative_error <= TOLERANCES[method]
    )


@METHODS
@SIZES
@for_each("name", ALL_ACTIVATIONS)
def test_a_bent_derivative_is_found_in_front_of_its_layer(name, layers, method):
    check = gradient_check(*problem(layers, ["tanh", bent(name)], "half_squared_error"), method)
    assert 5e-5 < check.max_relative_error < 2e-4
    assert check.parameter[:2] in {"W1", "b1", "W2", "b2"}


@METHODS
@SIZES
@for_each("name", ALL_LOSSES)
def test_a_bent_slope_of_the_loss_is_found(name, layers, method):
    right = LOSSES.resolve(name)

    def formula(outputs, targets):
        rows, slope = right.formula(outputs, targets)
        return rows, 1.0001 * slope

    loss = Loss("bent", formula, right.output, right.kinks)
    assert 5e-5 < gradient_check(*problem(layers, "tanh", loss), method).max_relative_error < 2e-4


def plant(monkeypatch, fault):
    """Let `fault` spoil the gradient after every right backward pass."""
    right = backpropagation.backward

    def backward(trace, targets, loss, parameters, *rest):
        value = right(trace, targets, loss, parameters, *rest)
        fault(parameters, trace)
        return value

    monkeypatch.setattr(backpropagation, "backward", backward)


def scaled_bias(p, trace):
    p.db[1] *= 1.0001


def wrong_transpose(p, trace):
    p.dW[1][:] = p.dW[1].T.copy()


def flipped_sign(p, trace):
    p.dW[2] *= -1


def one_row_forgotten(p, trace):
    p.db[0] -= trace.delta[0][-1]


def input_of_the_wrong_layer(p, trace):
    p.dW[1][:] = trace.Z[0].T @ trace.delta[1]


@METHODS
@SIZES
@pytest.mark.parametrize(
    ("fault", "block", "at_least"),
    [
        (scaled_bias, "b2", 5e-5),
        (wrong_transpose, "W2", 0.5),
        (flipped_sign, "W3", 1),
        (one_row_forgotten, "b1", 0.05),
        (input_of_the_wrong_layer, "W2", 0.05),
    ],
)
def test_a_planted_fault_is_found_in_its_block(monkeypatch, fault, block, at_least, layers, method):
    network, X, y = problem(layers, "sigmoid", "half_squared_error")
    plant(monkeypatch, fault)
    check = gradient_check(network, X, y, method)
    assert check.max_relative_error >= at_least
    assert check.parameter.startswith(block)


def wrong_sign_of_the_mean(delta, gamma, normalised):
    dA, dgamma = BATCH_NORM_BACKWARD(delta, gamma, normalised)
    return dA + 2 * gamma * normalised.inverse_std * delta.mean(axis=0), dgamma


def mean_and_variance_as_constants(delta, gamma, normalised):
    return gamma * normalised.inverse_std * delta, BATCH_NORM_BACKWARD(delta, gamma, normalised)[1]


def variance_as_a_constant(delta, gamma, normalised):
    dgamma = BATCH_NORM_BACKWARD(delta, gamma, normalised)[1]
    return gamma * normalised.inverse_std * (delta - delta.mean(axis=0)), dgamma


def scale_forgotten(delta, gamma, normalised):
    return BATCH_NORM_BACKWARD(delta, np.ones_like(gamma), normalised)


def wrong_sign_of_the_scale(delta, gamma, normalised):
    dA, dgamma = BATCH_NORM_BACKWARD(delta, gamma, normalised)
    return dA, -dgamma


BATCH_NORM_BACKWARD = batch_norm.backward


@METHODS
@SIZES
@pytest.mark.parametrize(
    ("fault", "blocks"),
    [
        (wrong_sign_of_the_mean, {"W1", "W2", "b1", "g1"}),
        (mean_and_variance_as_constants, {"W1", "W2", "b1", "g1"}),
        (variance_as_a_constant, {"W1", "W2", "b1", "g1"}),
        (scale_forgotten, {"W1", "W2", "b1", "g1"}),
        (wrong_sign_of_the_scale, {"g1", "g2"}),
    ],
)
def test_a_fault_in_batch_normalisation_is_found(monkeypatch, fault, blocks, layers, method):
    network, X, y = problem(layers, "sigmoid", "half_squared_error", n=6, batch_norm=True)
    monkeypatch.setattr(batch_norm, "backward", fault)
    check = gradient_check(scaled(network), X, y, method)
    assert check.max_relative_error > 0.01
    assert check.parameter[:2] in blocks


def no_mask_on_the_way_back(trace):
    trace.masks = [None] * 3


def what_was_before_dropout(trace):
    trace.inputs = trace.H[:-1]


def mask_of_another_layer(trace):
    trace.masks[2] = trace.masks[1]


@METHODS
@SIZES
@pytest.mark.parametrize(
    ("fault", "blocks"),
    [
        (no_mask_on_the_way_back, {"W1", "b1", "W2", "b2"}),
        (what_was_before_dropout, {"W1", "W2", "W3"}),
        (mask_of_another_layer, {"W1", "b1", "W2", "b2"}),
    ],
)
def test_a_fault_in_dropout_is_found(monkeypatch, fault, blocks, layers, method):
    network, X, y = problem(layers, "sigmoid", "half_squared_error", n=6, dropout=[0.2, 0.3, 0.4])
    right = backpropagation.backward

    def backward(trace, *rest):
        fault(trace)
        return right(trace, *rest)

    monkeypatch.setattr(backpropagation, "backward", backward)
    check = gradient_check(network, X, y, method)
    assert check.max_relative_error > 0.01
    assert check.parameter[:2] in blocks


def test_a_single_wrong_entry_is_named_with_both_derivatives(monkeypatch):
    network, X, y = problem(SMALL, "tanh", "cross_entropy")
    network.backward(network.forward(X), network.encode(y))
    right = network.dW[1][2, 3]

    def fault(p, trace):
        p.dW[1][2, 3] += 0.01

    plant(monkeypatch, fault)
    check = gradient_check(network, X, y)
    assert check.parameter == "W2[2, 3]"
    assert check.analytic == pytest.approx(right + 0.01, rel=1e-12)
    assert check.numeric == pytest.approx(right, rel=1e-7)
    assert check.max_relative_error == pytest.approx(0.01 / max(abs(right), abs(right + 0.01)), rel=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_wrong(monkeypatch, wrong):
    network, X, y = problem(SMALL, "tanh", "cross_entropy")

    def fault(p, trace):
        p.dW[0][1, 1] = wrong

    plant(monkeypatch, fault)
    check = gradient_check(network, X, y)
    assert (check.max_relative_error, check.parameter) == (np.inf, "W1[1, 1]")


def test_a_thousand_parameters_are_checked_one_by_one_and_more_along_directions():
    assert EVERY_ENTRY_UP_TO == 1000
    thousand = gradient_check(*problem([9, 100], "tanh", "half_squared_error", n=2))
    assert (thousand.checked, thousand.max_relative_error <= 1e-7) == (1000, True)
    more = gradient_check(*problem([142, 7], "tanh", "half_squared_error", n=2))
    assert (more.checked, more.parameter in {"W1", "b1"}) == (2 * 3, True)


def test_directions_have_unit_length(monkeypatch):
    """Where all 1000 slopes of W1 are 3, a random unit direction has a slope of about 3, not 3 sqrt(1000)."""
    network = Network([1000, 1], loss="half_squared_error", initializer=np.zeros(1001), dtype="float64")

    def doubled_weights(p, trace):
        p.dW[0] *= 2

    plant(monkeypatch, doubled_weights)
    check = gradient_check(network, np.ones((1, 1000)), np.array([-3.0]))
    assert (check.checked, check.parameter) == (6, "W1")
    assert check.analytic == pytest.approx(2 * check.numeric, rel=1e-7)
    assert 0 < abs(check.numeric) < 5 * 3


def test_the_directions_follow_from_the_seed():
    network, X, y = problem(LARGE, "tanh", "cross_entropy", seed=3)
    assert gradient_check(network, X, y) == gradient_check(network, X, y)


@METHODS
def test_the_network_and_the_data_are_left_alone(method):
    network, X, y = problem(SMALL, "relu", "cross_entropy")
    network.gradient[:] = 7
    before = network.theta.copy(), X.copy(), y.copy()
    gradient_check(network, X, y, method)
    for kept, copied in zip((network.theta, X, y), before, strict=True):
        np.testing.assert_array_equal(kept, copied)
    assert (network.gradient == 7).all()


def test_float32_networks_bytes_and_labels_are_checked_in_float64():
    network = Network([4, 3, 2], "tanh")
    X = np.array([[0, 50, 100, 255], [9, 1, 200, 3]], np.uint8)
    assert gradient_check(network, X, np.array([0, 1])).max_relative_error <= 1e-7
    assert network.theta.dtype == np.float32


@METHODS
@SIZES
def test_the_derivatives_that_are_compared_can_be_had_one_by_one(layers, method):
    network, X, y = problem(layers, "tanh", "cross_entropy")
    targets = network.encode(y)
    network.backward(network.forward(X), targets)
    found = list(numerical_derivatives(network, X, targets, method))
    check = gradient_check(network, X, y, method)
    compared = [derivative.compare(network.gradient) for derivative in found]
    assert (check.checked, check.left_out) == (len(found), 0)
    worst = max(range(len(found)), key=lambda k: compared[k][1])
    assert (check.analytic, check.max_relative_error) == compared[worst]
    assert (check.parameter, check.numeric) == (found[worst].parameter, found[worst].value)
    for derivative in found:
        assert np.linalg.norm(derivative.direction) == pytest.approx(1)
        assert derivative.parameter.partition("[")[0] in network.parameters.blocks


def test_a_derivative_that_would_cross_a_kink_has_no_value():
    found = list(numerical_derivatives(relu_at(0.0), np.ones((1, 2)), np.array([[4.0]])))
    assert [derivative.parameter for derivative in found if derivative.value is None] == [
        "W1[0, 0]",
        "W1[1, 0]",
        "b1[0]",
    ]


# Kinks


def relu_at(z, *, n_in=2):
    """A 2-2-1 relu network whose first hidden unit has the pre-activation z on the row (1, 1)."""
    theta = np.array([0.5, 0.8, -0.5, 0.7, z, 0.3, 1.5, -2.0, 0.1])
    return Network([n_in, 2, 1], "relu", loss="half_squared_error", initializer=theta, dtype="float64")


@for_each("z", [1e-6, -1e-6, 0.0])
def test_points_near_a_kink_are_left_out_and_counted(z):
    check = gradient_check(relu_at(z), np.ones((1, 2)), np.array([4.0]))
    assert (check.checked, check.left_out) == (6, 3)  # left out: the two weights and the bias of that unit
    assert check.max_relative_error <= 1e-7


@for_each("z", [5e-4, -5e-4, 5e-5])
def test_a_kink_a_little_away_is_passed_with_a_shorter_step(z):
    check = gradient_check(relu_at(z), np.ones((1, 2)), np.array([4.0]))
    assert (check.checked, check.left_out) == (9, 0)
    assert check.max_relative_error <= 1e-7


def test_the_complex_step_leaves_out_only_what_stands_on_a_kink():
    on, near = (gradient_check(relu_at(z), np.ones((1, 2)), np.array([4.0]), "complex") for z in (0.0, 1e-6))
    assert (on.checked, on.left_out) == (6, 3)
    assert (near.checked, near.left_out) == (9, 0)
    assert max(on.max_relative_error, near.max_relative_error) <= 1e-12


def test_a_unit_that_rests_on_its_kink_is_checked_where_nothing_moves_it():
    """With no input at all the weights' derivative is 0 on either side; only the biases cross."""
    check = gradient_check(relu_at(0.0), np.zeros((1, 2)), np.array([4.0]))
    assert (check.checked, check.left_out) == (8, 1)
    assert check.max_relative_error <= 1e-7


@for_each("residual, left_out", [(0.5, 2), (0.5 - 1e-6, 2), (-0.5, 2), (0.2, 0), (0.0, 0)])
def test_the_kinks_of_the_loss_count_too(residual, left_out):
    network = Network([1, 2], loss="huber(0.5)", initializer=np.zeros(4), dtype="float64")
    check = gradient_check(network, np.ones((1, 1)), np.array([[-residual, 3.0]]))
    assert (check.checked, check.left_out) == (4 - left_out, left_out)
    assert check.max_relative_error <= 1e-7


@METHODS
def test_nothing_left_to_check_is_an_error(method):
    network = Network([1, 1], loss="absolute_error", initializer=np.zeros(2), dtype="float64")
    with pytest.raises(DataError, match="every derivative would cross a kink"):
        gradient_check(network, np.ones((1, 1)), np.zeros(1), method)


# Arguments


def test_an_unknown_method_is_refused():
    with pytest.raises(UsageError, match="method: must be central or complex, got 'forward'"):
        gradient_check(Network([2, 2]), np.eye(2), np.array([0, 1]), "forward")


def test_data_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="the data have 3 columns"):
        gradient_check(Network([2, 2]), np.eye(3), np.array([0, 1, 0]))
    with pytest.raises(DataError, match="outside the classes"):
        gradient_check(Network([2, 2]), np.eye(2), np.array([0, 2]))


def test_a_check_wants_a_target_for_each_row():
    """One label for three rows would broadcast, and check another loss."""
    with pytest.raises(DataError, match=r"^y: 1 targets for 3 rows of X"):
        gradient_check(Network([3, 2]), np.eye(3), np.array([0]))
