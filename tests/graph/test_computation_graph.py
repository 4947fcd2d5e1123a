"""The graph against the delta recursion and against the definition of a derivative: three ways, one gradient."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glassnet.errors import DataError, FileError, UsageError
from glassnet.graph import computation_graph
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.gradient_agreement import check_gradients
from glassnet.graph.nodes import Multiplier
from glassnet.nn import backpropagation
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.gradient_check import numerical_derivatives
from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network
from glassnet.nn.parameters import Parameters

ALL_ACTIVATIONS, ALL_LOSSES = sorted(ACTIVATIONS), [*sorted(LOSSES), "huber(0.3)"]


@st.composite
def networks(draw):
    """Any network of 1 to 4 layers of weights, with rows and targets that suit its loss."""
    layers = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    name, reduction = draw(st.sampled_from(ALL_LOSSES)), draw(st.sampled_from(["mean", "sum"]))
    loss = LOSSES.resolve(name)
    options = {"loss": f"{name.rstrip(')')}{', ' if '(' in name else '('}reduction={reduction})"}
    if loss.output is None:
        options["output_activation"] = draw(st.sampled_from(ALL_ACTIVATIONS))
        options["output_scale"] = draw(st.sampled_from([1, 0.3, 10]))
    if loss.output == "softmax":
        layers[-1] = max(2, layers[-1])
    activations = [draw(st.sampled_from(ALL_ACTIVATIONS)) for _ in layers[1:-1]]
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    n = draw(st.integers(1, 5))
    network = Network(
        layers, activations, bias_initializer="normal(0, 0.5)", seed=seed, dtype="float64", **options
    )
    X, y = rng.normal(size=(n, layers[0])), rng.normal(0, 2, (n, layers[-1]))
    if loss.output is not None:
        y = rng.uniform(size=(n, layers[-1]))
    if loss.output == "softmax" and draw(st.booleans()):
        y = rng.integers(layers[-1], size=n)
    return network, X, y


def moderate(network, X, largest=4.0):
    """Whether no unit is saturated: there 1 - h and p - y lose their digits, in whatever way they are computed."""
    with np.errstate(all="ignore"):
        return all(np.abs(Z).max() < largest for Z in network.forward(X).Z)


def relative(one, other, terms=0.0):
    """The largest difference, over the larger number or a thousandth of the largest of all.

    Where `terms` cancel, rounding is as large as they are.
    """
    floor = np.maximum(max(1e-3 * np.abs(one).max(), np.finfo(float).tiny), 0.01 * terms)
    return (np.abs(one - other) / np.maximum(np.maximum(np.abs(one), np.abs(other)), floor)).max()


def differs(network, gradient, other, terms):
    return max(relative(gradient[b], other[b], terms[b]) for b in network.parameters.blocks.values())


def size_of_terms(network, X, targets):
    """What the sums of the delta recursion would amount to if nothing in them cancelled."""
    size, trace = Parameters(network.layers, np.float64), network.forward(X)
    terms = network.output_scale * np.abs(network.loss.value_and_delta(trace.outputs, targets)[1])
    for layer in reversed(range(len(network.W))):
        slopes = network.activations[layer].derivative(trace.Z[layer])
        terms = terms * np.maximum(np.abs(slopes), 0.1)  # a slope may itself be a difference
        size.dW[layer][:], size.db[layer][:] = np.abs(trace.H[layer]).T @ terms, terms.sum(axis=0)
        terms = terms @ np.abs(network.W[layer]).T
    return size.gradient


def input_gradient(graph):
    gradient = np.full(graph.X.shape, np.nan)
    for node in graph.nodes:
        if node.kind == "input":
            gradient[:, list(node.units)] = node.gradient
    return gradient


# The law


@settings(max_examples=120)
@given(drawn=networks(), seed=st.integers(0, 100))
def test_the_gradient_of_the_graph_is_that_of_the_delta_recursion(views_of, drawn, seed):
    network, X, y = drawn
    assume(moderate(network, X))
    value = network.backward(network.forward(X), network.encode(y))
    inputs, terms = None, size_of_terms(network, X, network.encode(y))
    views = views_of(network.layers, np.random.default_rng(seed))
    assert {"level": "neurons"} in views  # layers this small have the same graph by operations
    for options in (view for view in views if view != {"level": "operations"}):
        graph = ComputationGraph(network, X, y, **options)
        assert graph.loss == pytest.approx(value, rel=1e-12)
        assert differs(network, network.gradient, graph.gradient, terms) <= 1e-12, options
        inputs = input_gradient(graph) if inputs is None else inputs
        assert relative(inputs, input_gradient(graph)) <= 1e-10, options
        for node in graph.nodes:
            assert node.gradient.shape == node.value.shape
            assert len(node.passed) == len(node.inputs)


@settings(max_examples=40)
@given(drawn=networks(), seed=st.integers(0, 100))
def test_the_gradient_of_the_graph_is_the_numerical_one(views_of, drawn, seed):
    network, X, y = drawn
    assume(moderate(network, X))
    views = views_of(network.layers, np.random.default_rng(seed))
    graph = ComputationGraph(network, X, y, **views[seed % len(views)])
    for found in numerical_derivatives(network, X, network.encode(y)):
        if found.value is not None:  # else it would cross a kink
            assert found.compare(graph.gradient)[1] <= 1e-6, found.parameter


@settings(max_examples=60)
@given(drawn=networks(), seed=st.integers(0, 100))
def test_the_gradient_by_the_inputs_is_the_numerical_one(views_of, drawn, seed):
    """By the complex step, which crosses no kink."""
    network, X, y = drawn
    assume(moderate(network, X))
    views = views_of(network.layers, np.random.default_rng(seed))
    graph = ComputationGraph(network, X, y, **views[seed % len(views)])
    probe, numeric = network.astype(np.complex128), np.empty_like(X)
    for place in np.ndindex(X.shape):
        moved = X.astype(complex)
        moved[place] += 1e-30j
        numeric[place] = (
            probe.loss.value_and_delta(probe.forward(moved).outputs, network.encode(y))[0].imag / 1e-30
        )
    assert relative(numeric, input_gradient(graph)) <= 1e-11


def test_a_delta_is_the_gradient_of_an_adder(problem):
    network, X, y = problem([4, 3, 5, 2], ["tanh", "silu"], n=3)
    graph = ComputationGraph(network, X, y, level="neurons")
    trace = network.forward(X)
    network.backward(trace, network.encode(y))
    adders = [node for node in graph.nodes if node.kind == "adder"]
    assert len(adders) == 10
    for node in adders:
        np.testing.assert_allclose(node.value, trace.Z[node.layer - 1][:, node.units], rtol=1e-12)
        np.testing.assert_allclose(node.gradient, trace.delta[node.layer - 1][:, node.units], rtol=1e-12)


# By hand


def test_a_network_2_2_1_worked_by_hand():
    """X = (1, 2), relu, half the squared error.

    z1 = (1 2 + 2 1 - 1, 1 (-1) + 2 3 - 7) = (3, -2), h1 = (3, 0), z2 = 3 2 + 0 5 + 1 = 7, L = (7 - 4)^2 / 2 = 4.5.
    delta2 = 7 - 4 = 3, dL/dh1 = 3 (2, 5) = (6, 15), delta1 = (6 1, 15 0) = (6, 0).
    """
    network = Network([2, 2, 1], "relu", loss="half_squared_error", dtype="float64")
    network.W[0][:], network.b[0][:] = [[2, -1], [1, 3]], [-1, -7]
    network.W[1][:], network.b[1][:] = [[2], [5]], [1]
    graph = ComputationGraph(network, [[1.0, 2.0]], [4.0], level="operations")
    assert {str(node.name): (node.value.item(), node.gradient.item()) for node in graph.nodes} == {
        "x[0]": (1, 12),  # 6 2 + 0 (-1)
        "x[1]": (2, 6),  # 6 1 + 0 3
        "w1[0, 0]": (2, 6),  # 6 1
        "w1[1, 0]": (1, 12),  # 6 2
        "b1[0]": (-1, 6),
        "u1[0, 0]": (2, 6),
        "u1[1, 0]": (2, 6),
        "z1[0]": (3, 6),
        "h1[0]": (3, 6),
        "w1[0, 1]": (-1, 0),
        "w1[1, 1]": (3, 0),
        "b1[1]": (-7, 0),
        "u1[0, 1]": (-1, 0),
        "u1[1, 1]": (6, 0),
        "z1[1]": (-2, 0),
        "h1[1]": (0, 15),
        "w2[0, 0]": (2, 9),  # 3 3
        "w2[1, 0]": (5, 0),  # 3 0
        "b2[0]": (1, 3),
        "u2[0, 0]": (6, 3),
        "u2[1, 0]": (0, 3),
        "z2[0]": (7, 3),
        "y[0]": (4, 0),
        "L": (4.5, 1),
    }
    np.testing.assert_array_equal(graph.gradient, [6, 0, 12, 0, 6, 0, 9, 0, 3])
    assert graph.loss == 4.5


def test_two_rows_worked_by_hand():
    """X = (1; 2), a = 10 (3 x - 1) = (20; 50), y = (18; 56), the mean of (2^2 / 2, 6^2 / 2) = 10.

    dL/da = (2, -6) / 2 = (1; -3), delta = 10 (1; -3), dL/dw = 10 - 60 = -50, dL/db = 10 - 30 = -20.
    """
    network = Network([1, 1], loss="half_squared_error", output_scale=10, dtype="float64")
    network.theta = [3, -1]
    graph = ComputationGraph(network, [[1.0], [2.0]], [18.0, 56.0], level="operations")
    gradients = {str(node.name): node.gradient.ravel().tolist() for node in graph.nodes}
    assert gradients == {
        "x[0]": [30, -90],
        "w1[0, 0]": [-50],
        "u1[0, 0]": [10, -30],
        "b1[0]": [-20],
        "z1[0]": [10, -30],
        "k": [2 * 1 + 5 * -3],  # k meets z = (2; 5)
        "a[0]": [1, -3],
        "y[0]": [0, 0],
        "L": [1],
    }
    assert graph.loss == 10


# The object


def test_the_network_and_the_data_are_left_alone(problem):
    network, X, y = problem([3, 4, 2], dtype="float32", n=2)
    network.gradient[:] = 7
    before = network.theta.copy(), X.copy(), y.copy()
    graph = ComputationGraph(network, X, y)
    check_gradients(graph)
    for kept, copied in zip((network.theta, X, y), before, strict=True):
        np.testing.assert_array_equal(kept, copied)
    assert (network.gradient == 7).all()
    assert all(node.value.dtype == node.gradient.dtype == np.float64 for node in graph.nodes)


def test_bytes_and_labels_are_taken_as_the_network_takes_them():
    network = Network([4, 3, 2], "tanh")
    X, y = np.array([[0, 51, 102, 255]], np.uint8), np.array([1])
    graph = ComputationGraph(network, X, y)
    np.testing.assert_allclose([node.value.item() for node in graph.nodes[:4]], [0, 0.2, 0.4, 1])
    assert [node.value.item() for node in graph.nodes if node.kind == "target"] == [0, 1]


def test_data_that_do_not_fit_are_refused(problem):
    network, X, y = problem([3, 2])
    with pytest.raises(DataError, match="the data have 2 columns"):
        ComputationGraph(network, X[:, :2], y)
    with pytest.raises(DataError, match="1 targets for 2 rows of X"):
        ComputationGraph(network, np.tile(X, (2, 1)), y)


def test_it_says_what_it_is(graph_of):
    assert repr(graph_of([3, 2, 1], level="matrices")).startswith(
        "ComputationGraph([3, 2, 1], level='matrices', 12 nodes, loss="
    )


@pytest.mark.parametrize("name", ["graph.svg", "graph.png", "graph.pdf"])
def test_the_picture_is_saved(tmp_path, graph_of, name):
    graph = graph_of([3, 2, 1])
    graph.save(tmp_path / name)
    graph.save(str(tmp_path / f"again-{name}"))
    content = (tmp_path / name).read_bytes()
    assert content == (tmp_path / f"again-{name}").read_bytes()
    assert content == graph.figure.write(name[-3:])
    assert content.startswith({"svg": b"<svg ", "png": b"\x89PNG", "pdf": b"%PDF-"}[name[-3:]])


@pytest.mark.parametrize("name", ["graph.jpg", "graph", "svg", ".png", "graph.svg.gz"])
def test_another_kind_of_picture_is_refused(tmp_path, graph_of, name):
    with pytest.raises(UsageError, match=r"^path: must end in \.svg, \.pdf or \.png, got "):
        graph_of([3, 2, 1]).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["graph.svg", "graph.png"])
def test_a_folder_that_does_not_exist_is_an_error(tmp_path, graph_of, name):
    with pytest.raises(FileError, match="nowhere"):
        graph_of([3, 2, 1]).save(tmp_path / "nowhere" / name)


def test_a_notebook_shows_the_picture(graph_of):
    graph = graph_of([3, 2, 1])
    assert graph._repr_svg_() == graph.figure.svg()


@pytest.mark.parametrize(
    "view", [{"level": "operations"}, {"level": "neurons"}, {"level": "matrices"}, {"path": ()}]
)
def test_the_same_network_gives_the_same_picture(graph_of, view):
    one, other = (graph_of([4, 3, 2], n=2, **view).figure for _ in range(2))
    assert one.svg() == other.svg()
    assert one.svg(interactive=True) == other.svg(interactive=True)


# The proof


def planted(monkeypatch, fault):
    """Let `fault` spoil the gradient after every right backward pass."""
    right = backpropagation.backward

    def backward(trace, targets, loss, parameters, *rest):
        value = right(trace, targets, loss, parameters, *rest)
        fault(parameters)
        return value

    monkeypatch.setattr(backpropagation, "backward", backward)


@pytest.mark.parametrize("loss", ["cross_entropy", "half_squared_error", "binary_cross_entropy"])
@pytest.mark.parametrize(
    "view", [{"level": "operations"}, {"level": "neurons"}, {"level": "matrices"}, {"path": ()}]
)
def test_healthy_networks_are_proved(graph_of, view, loss):
    agreement = check_gradients(graph_of([3, 4, 5, 2], ["tanh", "gelu"], loss, n=4, **view))
    assert agreement.graph_difference <= 1e-12
    assert agreement.numeric_difference <= 1e-7
    assert [block.block for block in agreement.blocks] == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert [block.size for block in agreement.blocks] == [12, 4, 20, 5, 10, 2]
    assert [block.checked for block in agreement.blocks] == [12, 4, 20, 5, 10, 2]
    assert len(agreement.derivatives) == 53
    for derivative in agreement.derivatives:
        assert derivative.recursion == pytest.approx(derivative.graph, rel=1e-9, abs=1e-15)
        assert derivative.error <= 1e-7


def test_a_proof_tells_the_derivatives_of_the_recursion(problem):
    network, X, y = problem([3, 4, 2], "tanh", n=3)
    agreement = check_gradients(ComputationGraph(network, X, y))
    network.backward(network.forward(X), network.encode(y))
    assert [d.parameter for d in agreement.derivatives] == [
        network.parameters.name(k) for k in range(len(network.theta))
    ]
    assert [d.recursion for d in agreement.derivatives] == network.gradient.tolist()
    assert [block.largest for block in agreement.blocks] == [
        np.abs(network.gradient[block]).max() for block in network.parameters.blocks.values()
    ]


def test_a_wrong_weight_of_the_recursion_is_found_by_graph_and_number(monkeypatch, graph_of):
    graph = graph_of([3, 4, 5, 2], "tanh", n=3)

    def fault(parameters):
        parameters.dW[1][2, 3] *= 1.0001

    planted(monkeypatch, fault)
    agreement = check_gradients(graph)
    for block in agreement.blocks:
        if block.block == "W2":
            assert 5e-5 < block.graph_difference < 2e-4
            assert 5e-5 < block.numeric_difference < 2e-4
            assert block.graph_where == block.numeric_where == "W2[2, 3]"
        else:
            assert block.graph_difference <= 1e-12
            assert block.numeric_difference <= 1e-7
    assert agreement.graph_difference == agreement.blocks[2].graph_difference
    assert agreement.numeric_difference == agreement.blocks[2].numeric_difference
    (worst,) = [derivative for derivative in agreement.derivatives if derivative.error > 1e-6]
    assert worst.parameter == "W2[2, 3]"
    assert worst.recursion == pytest.approx(1.0001 * worst.graph, rel=1e-12)
    assert worst.numeric == pytest.approx(worst.graph, rel=1e-7)


def test_a_wrong_local_derivative_of_the_graph_is_found_where_it_leads(monkeypatch, graph_of):
    """What a product passes to the layer before it is a little wrong: the last layer's gradient is still right."""
    right = Multiplier.backward
    monkeypatch.setattr(Multiplier, "backward", lambda *a: (1.0001 * right(*a)[0], right(*a)[1]))
    agreement = check_gradients(graph_of([3, 2, 2, 1], "tanh", n=3, level="operations"))
    found = {block.block: block.graph_difference for block in agreement.blocks}
    assert max(found["W3"], found["b3"]) <= 1e-12
    assert all(5e-5 < found[name] < 2e-4 for name in ("W2", "b2"))
    assert all(1.5e-4 < found[name] < 3e-4 for name in ("W1", "b1"))
    assert agreement.numeric_difference <= 1e-7


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("block", [0, 1])
def test_a_gradient_that_is_not_finite_is_wrong(monkeypatch, graph_of, wrong, block):
    graph = graph_of([3, 4, 2], "tanh", n=3)

    def fault(parameters):
        parameters.db[block][1] = wrong

    planted(monkeypatch, fault)
    agreement = check_gradients(graph)
    assert agreement.graph_difference == agreement.numeric_difference == np.inf
    assert agreement.blocks[2 * block + 1].graph_where == f"b{block + 1}[1]"


def test_a_large_network_is_proved_along_directions(monkeypatch, graph_of):
    graph = graph_of([40, 30, 5], "tanh", n=3, level="matrices")
    agreement = check_gradients(graph)
    assert max(agreement.graph_difference * 1e5, agreement.numeric_difference) <= 1e-7
    assert [block.checked for block in agreement.blocks] == [3] * 4
    assert [derivative.parameter for derivative in agreement.derivatives] == [
        name for name in ("W1", "b1", "W2", "b2") for _ in range(3)
    ]

    def fault(parameters):
        parameters.dW[0][17, 23] *= 1.1

    planted(monkeypatch, fault)
    agreement = check_gradients(graph)
    assert agreement.blocks[0].graph_where == "W1[17, 23]"
    assert agreement.blocks[0].graph_difference == pytest.approx(0.1 / 1.1)
    assert agreement.blocks[0].numeric_where == "W1"
    assert agreement.blocks[0].numeric_difference > 1e-6


def test_what_would_cross_a_kink_is_left_out_and_counted():
    """The first unit stands at 0, its kink; moving any of its weights crosses it."""
    theta = np.array([0.5, 0.8, -0.5, 0.7, 0.0, 0.3, 1.5, -2.0, 0.1])
    network = Network([2, 2, 1], "relu", loss="half_squared_error", initializer=theta, dtype="float64")
    agreement = check_gradients(ComputationGraph(network, np.ones((1, 2)), np.array([4.0])))
    assert [(block.checked, block.left_out) for block in agreement.blocks] == [(2, 2), (1, 1), (2, 0), (1, 0)]
    crossed = [derivative for derivative in agreement.derivatives if derivative.numeric is None]
    assert [derivative.parameter for derivative in crossed] == ["W1[0, 0]", "W1[1, 0]", "b1[0]"]
    assert agreement.numeric_difference <= 1e-7


def test_a_block_in_which_every_derivative_is_left_out_has_no_difference():
    network = Network([1, 1], loss="absolute_error", initializer=np.zeros(2), dtype="float64")
    agreement = check_gradients(ComputationGraph(network, np.ones((1, 1)), np.zeros(1)))
    assert [(block.checked, block.left_out) for block in agreement.blocks] == [(0, 1), (0, 1)]
    assert agreement.numeric_difference == agreement.graph_difference == 0
    assert agreement.blocks[0].numeric_where == ""


def test_the_largest_network_that_is_explained(monkeypatch):
    monkeypatch.setattr(computation_graph, "MOST_PARAMETERS", 11)
    computation_graph.refuse_too_large([3, 2, 1])
    with pytest.raises(UsageError, match=r"has 16 parameters, and 11 at most .* layers of at most 2 units"):
        computation_graph.refuse_too_large([3, 3, 1])
