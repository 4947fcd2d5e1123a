"""The operations of a graph: each local derivative against the definition of a derivative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import NonFiniteError
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.nodes import (
    Adder,
    Columns,
    Function,
    LossFunction,
    Matmul,
    Multiplier,
    Node,
    Selection,
    Softmax,
    backward,
    cross_entropy,
    forward,
    list_consumers,
)
from glassnet.graph.notation import Name
from glassnet.nn.activations import ACTIVATIONS, softmax
from glassnet.nn.losses import LOSSES, Loss
from glassnet.nn.network import Network

STEP = 1e-3


def leaf(value, kind="input"):
    return Node(Name("x"), kind, 0, (), np.asarray(value, float))


def collected(operation, G, *inputs):
    """The gradients that inputs end up with when an operation holds the gradient G."""
    leaves = [leaf(value) for value in inputs]
    for node, part in zip(leaves, operation.backward(G, operation.forward(*inputs), *inputs), strict=True):
        node.gradient = np.zeros_like(node.value)
        if part is not None:
            node.collect(part)
    return [node.gradient for node in leaves]


def numerical(operation, G, *inputs):
    """The derivatives of sum(G * value) by every entry of every input, by a fourth-order central difference."""

    def total(at, place, change):
        moved = [value.copy() for value in inputs]
        moved[at][place] += change
        return float((G * operation.forward(*moved)).sum())

    gradients = []
    for at, value in enumerate(inputs):
        gradient = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            near, far = (total(at, place, k * STEP) - total(at, place, -k * STEP) for k in (1, 2))
            gradient[place] = (8 * near - far) / (12 * STEP)
        gradients.append(gradient)
    return gradients


def assert_right(operation, *inputs, seed=0, given_nothing=()):
    """Gradients are as the numerical ones, and of the shape of what they belong to."""
    value = operation.forward(*inputs)
    G = np.random.default_rng(seed).normal(size=value.shape)
    for at, (mine, numeric) in enumerate(
        zip(collected(operation, G, *inputs), numerical(operation, G, *inputs), strict=True)
    ):
        assert mine.shape == inputs[at].shape
        np.testing.assert_allclose(mine, 0 if at in given_nothing else numeric, rtol=1e-8, atol=1e-8)


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("d", [1, 3])
def test_an_adder_passes_on_what_it_gets(n, d):
    product, others, bias = drawn((n, d), (n, d), (1, d))
    np.testing.assert_array_equal(Adder().forward(product, others, bias), product + others + bias)
    assert_right(Adder(), product, others, bias)


@pytest.mark.parametrize(
    ("one", "other"), [((1, 1), (1, 1)), ((4, 1), (1, 1)), ((4, 3), (1, 1)), ((1, 3), (1, 1)), ((4, 3), (4, 3))]
)
def test_a_multiplier_passes_on_the_other_factor(one, other):
    """A weight of one number may meet a column, or an output scale a matrix."""
    u, v = drawn(one, other)
    np.testing.assert_array_equal(Multiplier().forward(u, v), u * v)
    assert_right(Multiplier(), u, v)


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_function_passes_on_its_slope(name, n):
    (z,) = drawn((n, 3), seed=1)
    assert np.abs(z).min() > 2 * STEP  # away from the kinks
    operation = Function(ACTIVATIONS.resolve(name))
    np.testing.assert_array_equal(operation.forward(z), ACTIVATIONS.resolve(name).f(z))
    assert_right(operation, z)


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize(
    ("units", "taken"),
    [
        (([0, 1, 2],), [0, 1, 2]),
        (([2], [0], [1, 3]), [0, 1, 2, 3]),
        (([2], [0], [1, 3]), [1, 3]),
        (([1], [3], [0, 2, 4]), [0, 3, 4]),
        (([1], [0, 2]), [1]),
    ],
)
def test_a_matrix_product_passes_on_to_the_units_that_it_takes(units, taken, n):
    columns, taken = Columns(tuple(map(np.array, units))), np.array(taken)
    *parts, V = drawn(*((n, len(part)) for part in units), (len(taken), 2))
    whole = np.empty((n, sum(map(len, units))))
    for part, places in zip(parts, units, strict=True):
        whole[:, places] = part
    operation = Matmul(columns, taken)
    np.testing.assert_allclose(operation.forward(*parts, V), whole[:, taken] @ V, rtol=1e-14)
    assert_right(operation, *parts, V)


@pytest.mark.parametrize("n", [1, 4])
def test_a_selection_passes_back_into_its_column(n):
    (matrix,) = drawn((n, 4))
    np.testing.assert_array_equal(Selection(2).forward(matrix), matrix[:, 2:3])
    assert_right(Selection(2), matrix)
    (back,) = Selection(2).backward(np.ones((n, 1)), matrix[:, 2:3], matrix)
    np.testing.assert_array_equal(back, np.tile([0.0, 0.0, 1.0, 0.0], (n, 1)))


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_passes_on_its_slopes_in_the_order_of_its_parts(name, reduction, n):
    loss = LOSSES.resolve(f"{name}(reduction={reduction})")
    units = ([3], [1], [0, 2])
    rng = np.random.default_rng(2)
    outputs, targets = rng.normal(0, 2, (n, 4)), rng.normal(0, 2, (n, 4))
    if loss.output is not None:
        targets = rng.dirichlet(np.ones(4), n)
    for kink in loss.kinks:
        assert np.abs(outputs - targets - kink).min() > 2 * STEP
    operation = LossFunction(loss, *[Columns(tuple(map(np.array, units)))] * 2)
    parts = [values[:, places] for values in (outputs, targets) for places in units]
    value = operation.forward(*parts)
    assert value.shape == (1, 1)
    assert value[0, 0] == pytest.approx(loss.value_and_delta(outputs, targets)[0], rel=1e-14)
    assert_right(operation, *parts, given_nothing=(3, 4, 5))
    assert operation.backward(np.ones((1, 1)), value, *parts)[3:] == (None, None, None)


@pytest.mark.parametrize("n", [1, 4])
def test_softmax_passes_back_what_each_logit_adds_to_every_probability(n):
    units = ([3], [1], [0, 2])
    logits = np.random.default_rng(2).normal(0, 2, (n, 4))
    operation = Softmax(Columns(tuple(map(np.array, units))))
    parts = [logits[:, places] for places in units]
    np.testing.assert_allclose(operation.forward(*parts), softmax(logits), rtol=1e-15)
    assert_right(operation, *parts)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_softmax_and_its_loss_are_together_the_fused_loss(reduction):
    rng = np.random.default_rng(3)
    logits, targets = rng.normal(0, 3, (5, 4)), np.eye(4)[[0, 1, 3, 3, 2]]
    targets[1] = 0.2, 0.3, 0.0, 0.4
    columns = Columns((np.arange(4),))
    fused = LOSSES.resolve(f"cross_entropy(reduction={reduction})")
    probabilities = Softmax(columns).forward(logits)
    loss = LossFunction(Loss("split", cross_entropy, reduction=reduction), columns, columns)
    value = loss.forward(probabilities, targets)
    slope, _ = loss.backward(np.ones((1, 1)), value, probabilities, targets)
    (delta,) = Softmax(columns).backward(slope, probabilities, logits)
    meant = fused.value_and_delta(logits, targets)
    assert value.item() == pytest.approx(meant[0], rel=1e-13)
    np.testing.assert_allclose(delta, meant[1], rtol=1e-11, atol=1e-15)


@settings(max_examples=50)
@given(order=st.permutations(range(5)), cuts=st.sets(st.integers(1, 4)), n=st.integers(1, 3))
def test_columns_are_joined_in_their_order_and_parted_again(order, cuts, n):
    parts = np.split(np.array(order), sorted(cuts))
    columns, (whole,) = Columns(tuple(parts)), drawn((n, 5))
    parted = columns.split(whole)
    for part, units in zip(parted, parts, strict=True):
        np.testing.assert_array_equal(part, whole[:, units])
    np.testing.assert_array_equal(columns.join(parted), whole)


# Nodes


@pytest.mark.parametrize(
    ("shape", "passed"), [((1, 3), (4, 3)), ((4, 1), (4, 1)), ((1, 1), (4, 1)), ((1, 1), (4, 3))]
)
def test_what_is_shared_adds_up_all_that_comes_back(shape, passed):
    node, (one, other) = leaf(np.zeros(shape)), drawn(passed, passed)
    node.gradient = np.zeros(shape)
    node.collect(one)
    node.collect(other)
    assert node.gradient.shape == shape
    axes = tuple(axis for axis in (0, 1) if shape[axis] != passed[axis])
    np.testing.assert_allclose(node.gradient, (one + other).sum(axis=axes, keepdims=True), rtol=1e-13)


def test_a_value_used_twice_collects_from_both_and_a_second_pass_starts_anew():
    """L = x x + x at x = 3: L' = 2 x + 1 = 7."""
    x = leaf([[3.0]])
    square = Node(Name("u"), "multiplier", 1, (), np.empty((0, 0)), Multiplier(), (x, x))
    total = Node(Name("L"), "adder", 2, (), np.empty((0, 0)), Adder(), (square, x))
    nodes = [x, square, total]
    for _ in range(2):
        forward(nodes)
        backward(nodes)
        assert (total.value, total.gradient, square.gradient, x.gradient) == (12, 1, 1, 7)
    assert [part.item() for part in square.passed] == [3, 3]
    assert [part.item() for part in total.passed] == [1, 1]


def test_consumers_take_a_node_in_as_often_as_they_say():
    x = leaf([[3.0]])
    square = Node(Name("u"), "multiplier", 1, (), np.empty((0, 0)), Multiplier(), (x, x))
    total = Node(Name("L"), "adder", 2, (), np.empty((0, 0)), Adder(), (square, x))
    assert list_consumers([x, square, total]) == {
        x: [square, square, total],
        square: [total],
        total: [],
    }


@pytest.mark.parametrize(
    "options", [{"level": "operations"}, {"level": "neurons"}, {"level": "matrices"}, {"path": ()}]
)
def test_the_node_where_infinity_begins_is_named(problem, options):
    network, _, y = problem([2, 2, 1], "relu", seed=1)
    network.theta = [1e200, -1, 1, 1, 0, 0, 1e200, 1, 0]
    with pytest.raises(NonFiniteError, match=r"^[uU]2.* became NaN or infinite$"):
        ComputationGraph(network, np.array([[1.0, 1.0]]), y, **options)


def test_a_loss_alone_may_be_infinite(problem):
    network, _, y = problem([1, 1])
    network.theta = [1e200, 0]
    with pytest.raises(NonFiniteError, match=r"^L became NaN or infinite$"):
        ComputationGraph(network, np.ones((1, 1)), y)


def test_a_parameter_that_is_not_finite_is_named(problem):
    network, X, y = problem([3, 2, 1])
    network.W[0][2, 1] = np.nan
    with pytest.raises(NonFiniteError, match=r"^w1\[2, 1\] became NaN or infinite$"):
        ComputationGraph(network, X, y)


@pytest.mark.parametrize("options", [{"level": "neurons"}, {"neuron": (2, 0)}, {"path": ()}, {"path": (0, 0, 0)}])
def test_a_large_network_that_overflows_says_so_without_a_warning(problem, options):
    """Choosing what is shown looks at the network's outputs as well."""
    network, _, y = problem([12, 11, 3], "relu", "cross_entropy", initializer="uniform(0.5, 1)")
    network.theta *= 1e200
    with pytest.raises(NonFiniteError, match=r"became NaN or infinite$"):
        ComputationGraph(network, np.ones((1, 12)), y, **options)


def test_gradients_beyond_the_range_of_floats_are_no_silent_warning():
    """The loss is finite, 5e299, and the derivative by the second weight is 1e350."""
    network = Network([1, 1, 1], "identity", loss="half_squared_error", dtype="float64")
    network.theta = [1e200, 0, 1e-50, 0]
    with pytest.raises(NonFiniteError):
        ComputationGraph(network, np.ones((1, 1)), np.zeros(1))


def test_an_own_loss_that_is_not_a_number_is_found():
    def broken(a, y):
        return np.full(len(a), np.nan), np.zeros_like(a)

    network = Network([1, 1], loss=Loss("broken", broken), dtype="float64")
    with pytest.raises(NonFiniteError, match=r"^L became NaN"):
        ComputationGraph(network, np.ones((1, 1)), np.zeros(1))


@pytest.mark.parametrize(
    ("name", "kind", "matrix"),
    [
        (Name("X"), "input", True),
        (Name("x", None, (0,)), "input", False),
        (Name("W", 1, ("…",)), "weight", True),
        (Name("w", 1, ("…", 2)), "weight", True),
        (Name("w", 1, (0, 2)), "weight", False),
        (Name("k"), "constant", False),
        (Name("L"), "loss", False),
    ],
)
def test_a_node_knows_whether_it_stands_for_several_numbers(name, kind, matrix):
    assert Node(name, kind, 0, (), np.zeros((1, 1))).is_matrix == matrix
