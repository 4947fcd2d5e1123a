"""Batch normalisation and dropout in the graph: local derivatives against the recursion, by hand, and its laws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.loops import for_each

from glassnet.graph.building import build
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.gradient_agreement import check_gradients
from glassnet.graph.nodes import Normalisation
from glassnet.graph.views import choose_view
from glassnet.nn.batch_norm import EPSILON
from glassnet.nn.dropout import mask_keys
from glassnet.nn.gradient_check import gradient_check
from glassnet.nn.losses import LOSSES

BOTH = {"batch_norm": True, "dropout": 0.5}


def keys(network):
    return mask_keys(network.seed, np.array([1]), len(network.W))[0]


def trained(network, X, y):
    """The trace and the gradient of a step of training by the recursion."""
    trace = network.forward(X, keys(network))
    network.backward(trace, network.encode(y))
    return trace, network.gradient.copy()


def nodes_of(graph, kind):
    return [node for node in graph.nodes if node.kind == kind]


def scaled(network, seed=0):
    """Scales and running statistics as training might have left them."""
    rng = np.random.default_rng(seed)
    for gamma, mean, variance in zip(
        network.gamma, network.parameters.mean, network.parameters.variance, strict=True
    ):
        if gamma is not None:
            gamma[:], mean[:] = rng.uniform(-1.5, 1.5, gamma.shape), rng.normal(size=mean.shape)
            variance[:] = rng.uniform(0.5, 2, variance.shape)
    return network


# The operation


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 1), (5, 3)])
@pytest.mark.parametrize("by_batch", [True, False])
def test_normalisation_passes_on_what_its_definition_says(n, d, by_batch):
    """Against the complex step, row by row: mean and variance are made of complex numbers as well."""
    rng = np.random.default_rng(n)
    A, G = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    running = None if by_batch else (rng.normal(size=(1, d)), rng.uniform(0.5, 2, (1, d)))
    operation, numeric = Normalisation(running), np.empty_like(A)
    for place in np.ndindex(A.shape):
        moved = A.astype(complex)
        moved[place] += 1e-30j
        numeric[place] = (G * operation.forward(moved)).sum().imag / 1e-30
    (passed,) = operation.backward(G, operation.forward(A), A)
    np.testing.assert_allclose(passed, numeric, rtol=1e-9, atol=1e-13)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 6), d=st.integers(1, 4))
def test_what_comes_back_cannot_shift_or_stretch_a_unit(seed, n, d):
    """Columns of dL/dA add up to 0; along X^ there is left s sum(G X^) epsilon / (v + epsilon)."""
    rng = np.random.default_rng(seed)
    A, G, operation = rng.normal(2, 3, (n, d)), rng.normal(size=(n, d)), Normalisation()
    X_hat = operation.forward(A)
    (passed,) = operation.backward(G, X_hat, A)
    v = A.var(axis=0)
    size = np.abs(G).sum(axis=0) / np.sqrt(v + EPSILON)
    assert (np.abs(passed.sum(axis=0)) <= 1e-13 * size).all()
    left = (G * X_hat).sum(axis=0) / np.sqrt(v + EPSILON) * EPSILON / (v + EPSILON)
    assert (np.abs((passed * X_hat).sum(axis=0) - left) <= 1e-12 * size).all()


def test_two_rows_of_a_unit_worked_by_hand(monkeypatch):
    """A = (1, 3): mu = 2, v = 1, X^ = (-1, 1) / sqrt(1 + epsilon); with epsilon = 3 that is (-1/2, 1/2).

    G = (2, 6): by v, dL/dv = -1/2 4^(-3/2) (2 (-1) + 6 1) = -1/4; by mu, dL/dmu = -(2 + 6) / 2 = -4.
    dL/dA = (2 / 2 - 4 / 2 - 1/4 2 (-1) / 2, 6 / 2 - 4 / 2 - 1/4 2 (1) / 2) = (-3/4, 3/4).
    """
    monkeypatch.setattr("glassnet.graph.nodes.EPSILON", 3.0)
    A, G = np.array([[1.0], [3.0]]), np.array([[2.0], [6.0]])
    X_hat = Normalisation().forward(A)
    np.testing.assert_allclose(X_hat, [[-0.5], [0.5]], rtol=1e-15)
    np.testing.assert_allclose(Normalisation().backward(G, X_hat, A)[0], [[-0.75], [0.75]], rtol=1e-15)
    running = (np.array([[1.0]]), np.array([[6.0]]))
    np.testing.assert_allclose(Normalisation(running).forward(A), [[0.0], [2 / 3]], rtol=1e-15)
    np.testing.assert_allclose(Normalisation(running).backward(G, X_hat, A)[0], [[2 / 3], [2.0]], rtol=1e-15)


def test_a_unit_that_is_the_same_on_all_rows_is_0_and_passes_on_what_differs():
    A, G = np.full((3, 1), 7.0), np.array([[1.0], [2.0], [6.0]])
    assert (Normalisation().forward(A) == 0).all()
    (passed,) = Normalisation().backward(G, np.zeros((3, 1)), A)
    np.testing.assert_allclose(passed, (G - 3) / np.sqrt(EPSILON), rtol=1e-12)


# The gradient, three ways


@for_each(
    "batch_norm, dropout, activation, loss",
    product(
        [True, [True, False], [False, True], False],
        [0, 0.4, [0.3, 0, 0.5]],
        ["tanh", "relu", "gelu", ["sigmoid", "leaky_relu"]],
        sorted(LOSSES),
    ),
)
def test_the_graph_of_a_step_of_training_is_the_recursion(
    problem, views_of, batch_norm, dropout, activation, loss
):
    options = {"batch_norm": batch_norm, "dropout": dropout}
    network, X, y = problem([4, 3, 5, 2], activation, loss, n=5, seed=1, **options)
    scaled(network)
    trace, gradient = trained(network, X, y)
    views = views_of(network.layers, np.random.default_rng(0))
    assert views[0] == {"level": "operations"}
    for view in views[1:]:  # the neurons are the same operations
        graph = ComputationGraph(network, X, y, **view, training=True)
        assert graph.loss == pytest.approx(network.loss_value(trace, network.encode(y)), rel=1e-13)
        for block in network.parameters.blocks.values():
            floor = 1e-3 * np.abs(gradient).max()
            np.testing.assert_allclose(graph.gradient[block], gradient[block], rtol=1e-12, atol=1e-12 * floor)


@settings(max_examples=60)
@given(data=st.data(), seed=st.integers(0, 10_000))
def test_any_network_in_either_mode_and_any_view(problem, views_of, data, seed):
    layers = data.draw(st.lists(st.integers(1, 5) | st.just(11), min_size=2, max_size=5))
    depth, n = len(layers) - 2, data.draw(st.integers(1, 6))
    options = {
        "batch_norm": [data.draw(st.booleans()) for _ in range(depth)],
        "dropout": [data.draw(st.sampled_from([0, 0.2, 0.6])) for _ in range(depth + 1)],
    }
    network, X, y = problem(layers, "tanh", "half_squared_error", n=n, seed=seed, **options)
    scaled(network, seed)
    training = data.draw(st.booleans())
    trace = network.forward(X, keys(network) if training else None)
    network.backward(trace, network.encode(y))
    # where sums cancel, rounding is that of what they are made of: what a layer that divides by little gets
    scales = [1.0, *(found.inverse_std.max() for found in trace.normalised if found is not None)]
    size = np.prod(np.maximum(scales, 1)) * max(1.0, float(np.abs(trace.delta[-1]).sum()))
    for view in views_of(network.layers, np.random.default_rng(seed)):
        graph = ComputationGraph(network, X, y, **view, training=training)
        np.testing.assert_allclose(graph.gradient, network.gradient, rtol=1e-11, atol=1e-13 * size)
        for node in graph.nodes:
            assert node.gradient.shape == node.value.shape


@pytest.mark.parametrize("view", [{"level": "operations"}, {"level": "matrices"}, {"path": ()}], ids=str)
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_a_step_of_training_is_proved(problem, loss, view):
    network, X, y = problem([3, 4, 2], "tanh", loss, n=5, **BOTH)
    agreement = check_gradients(ComputationGraph(scaled(network), X, y, **view))
    assert [block.block for block in agreement.blocks] == ["W1", "b1", "g1", "W2", "b2"]
    assert agreement.graph_difference <= 1e-12
    assert agreement.numeric_difference <= 1e-7
    assert sum(block.checked for block in agreement.blocks) >= 20
    assert gradient_check(network, X, y).max_relative_error == agreement.numeric_difference


def test_a_bias_that_the_next_layer_takes_away_is_proved(problem):
    """Through the identity, b1 moves all rows alike: its gradient is 0 but for rounding, on each way another."""
    network, X, y = problem([3, 3, 2, 1], ["identity", "tanh"], n=5, batch_norm=[False, True])
    agreement = check_gradients(ComputationGraph(network, X, y, level="operations"))
    assert agreement.blocks[1].block == "b1"
    assert agreement.blocks[1].largest < 1e-15
    assert agreement.graph_difference <= 1e-12
    assert agreement.numeric_difference <= 1e-7


@pytest.mark.parametrize("forgotten", ["mean", "variance"])
def test_the_proof_notices_a_normalisation_that_forgets_one_of_the_three_ways(problem, monkeypatch, forgotten):
    def backward(self, G, value, *inputs):
        lost = G.mean(axis=0) if forgotten == "variance" else value * (G * value).mean(axis=0)
        return ((G - lost) / np.sqrt(self.statistics(inputs[0])[1] + EPSILON),)

    monkeypatch.setattr(Normalisation, "backward", backward)
    network, X, y = problem([3, 4, 2], "tanh", n=5, **BOTH)
    agreement = check_gradients(ComputationGraph(scaled(network), X, y, level="matrices"))
    wrong = {block.block for block in agreement.blocks if block.graph_difference > 1e-3}
    assert wrong == {"W1"}


# What there is of it


def table(network, X, y, **choice):
    targets, training = network.encode(y), keys(network)
    nodes = build(network, X, targets, choose_view(network, X, targets, **choice), training)
    return [
        (str(node.name), node.kind, node.layer, [str(source.name) for source in node.inputs]) for node in nodes
    ]


def test_the_operations_of_a_unit_with_both(problem):
    assert table(*problem([1, 1, 1], "tanh", n=2, batch_norm=True, dropout=[0.2, 0.5]), level="operations") == [
        ("x[0]", "input", 0, []),
        ("m0[0]", "mask", 0, []),
        ("x~[0]", "multiplier", 0, ["x[0]", "m0[0]"]),
        ("w1[0, 0]", "weight", 1, []),
        ("u1[0, 0]", "multiplier", 1, ["x~[0]", "w1[0, 0]"]),
        ("a1[0]", "sum", 1, ["u1[0, 0]"]),
        ("x^1[0]", "normalisation", 1, ["a1[0]"]),
        ("g1[0]", "scale", 1, []),
        ("u1[0]", "multiplier", 1, ["x^1[0]", "g1[0]"]),
        ("b1[0]", "bias", 1, []),
        ("z1[0]", "adder", 1, ["u1[0]", "b1[0]"]),
        ("h1[0]", "function", 1, ["z1[0]"]),
        ("m1[0]", "mask", 1, []),
        ("h~1[0]", "multiplier", 1, ["h1[0]", "m1[0]"]),
        ("w2[0, 0]", "weight", 2, []),
        ("u2[0, 0]", "multiplier", 2, ["h~1[0]", "w2[0, 0]"]),
        ("b2[0]", "bias", 2, []),
        ("z2[0]", "adder", 2, ["u2[0, 0]", "b2[0]"]),
        ("y[0]", "target", 3, []),
        ("L", "loss", 3, ["z2[0]", "y[0]"]),
    ]


def test_the_matrices_of_a_network_with_both(problem):
    names = [name for name, *_ in table(*problem([3, 4, 2], "tanh", n=3, **BOTH), level="matrices")]
    layer_1 = ["W1", "A1", "X^1", "g1", "U1", "b1", "Z1", "H1", "M1", "H~1"]
    assert names == ["X", *layer_1, "W2", "U2", "b2", "Z2", "P", "Y", "L"]


def test_values_are_those_of_the_forward_pass(problem):
    network, X, y = problem([3, 4, 2], "tanh", n=5, batch_norm=True, dropout=[0.3, 0.5])
    trace, _ = trained(scaled(network), X, y)
    graph = ComputationGraph(network, X, y, level="neurons")
    wanted = {
        "x~": trace.inputs[0],
        "x^": trace.normalised[0].X_hat,
        "z": trace.Z[0],
        "h": trace.H[1],
        "h~": trace.inputs[1],
        "m": trace.masks[1],
    }
    for letter, values in wanted.items():
        found = [n for n in graph.nodes if n.name.letter == letter and n.layer == (letter != "x~")]
        assert len(found) == values.shape[1], letter
        for node in found:
            np.testing.assert_allclose(node.value, values[:, node.units], rtol=1e-12, err_msg=letter)


# The mode


@pytest.mark.parametrize(
    ("options", "n", "given_mode", "is_training"),
    [
        (BOTH, 1, None, False),
        (BOTH, 2, None, True),
        ({"dropout": 0.5}, 2, None, True),
        ({"batch_norm": True}, 2, None, True),
        ({"batch_norm": [True, False]}, 2, None, True),
        ({}, 2, None, False),
        (BOTH, 2, False, False),
        (BOTH, 1, True, True),
    ],
    ids=str,
)
def test_several_rows_are_training_and_one_is_prediction_unless_it_is_said(
    problem, options, n, given_mode, is_training
):
    network, X, y = problem([3, 4, 4, 2], "tanh", n=n, **options)
    scaled(network)
    graph = ComputationGraph(network, X, y, level="matrices", training=given_mode)
    assert (graph.training is not None) == is_training
    masks = nodes_of(graph, "mask")
    assert len(masks) == (2 if is_training and "dropout" in options else 0)
    trace = network.forward(X, keys(network) if is_training else None)
    assert graph.loss == pytest.approx(network.loss_value(trace, network.encode(y)), rel=1e-13)


def test_a_network_in_float32_has_the_same_masks(problem):
    network, X, y = problem([3, 8, 2], "tanh", n=4, dtype="float32", dropout=0.5)
    (mask,) = nodes_of(ComputationGraph(network, X, y, level="matrices"), "mask")
    np.testing.assert_array_equal(mask.value, network.forward(X.astype(np.float32), keys(network)).masks[1])
    assert set(np.unique(mask.value)) == {0.0, 2.0}


def test_the_network_and_its_statistics_are_left_as_they_were(problem):
    network, X, y = problem([3, 4, 2], "tanh", n=4, **BOTH)
    before = network.theta.copy(), network.parameters.statistics.copy()
    check_gradients(ComputationGraph(network, X, y))
    assert (network.theta == before[0]).all()
    assert (network.parameters.statistics == before[1]).all()
