"""Which nodes a graph has: those that its definition implies, and no others."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.graph.building import build
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.nodes import Function, Matmul, backward, forward
from glassnet.graph.views import MOST_UNITS, SHOWN_UNITS, View, choose_view, count_multipliers
from glassnet.nn.activations import ACTIVATIONS, IDENTITY

ALL_ACTIVATIONS = sorted(ACTIVATIONS)


def built(network, X, y, **choice):
    """Nodes that hold nothing yet but what is given."""
    targets = network.encode(y)
    return build(network, X, targets, choose_view(network, X, targets, **choice))


def table(nodes):
    return [
        (str(node.name), node.kind, node.layer, [str(source.name) for source in node.inputs]) for node in nodes
    ]


def test_the_operations_of_a_network_3_2_1(problem):
    assert table(built(*problem([3, 2, 1], "sigmoid"), level="operations")) == [
        ("x[0]", "input", 0, []),
        ("x[1]", "input", 0, []),
        ("x[2]", "input", 0, []),
        ("w1[0, 0]", "weight", 1, []),
        ("u1[0, 0]", "multiplier", 1, ["x[0]", "w1[0, 0]"]),
        ("w1[1, 0]", "weight", 1, []),
        ("u1[1, 0]", "multiplier", 1, ["x[1]", "w1[1, 0]"]),
        ("w1[2, 0]", "weight", 1, []),
        ("u1[2, 0]", "multiplier", 1, ["x[2]", "w1[2, 0]"]),
        ("b1[0]", "bias", 1, []),
        ("z1[0]", "adder", 1, ["u1[0, 0]", "u1[1, 0]", "u1[2, 0]", "b1[0]"]),
        ("h1[0]", "function", 1, ["z1[0]"]),
        ("w1[0, 1]", "weight", 1, []),
        ("u1[0, 1]", "multiplier", 1, ["x[0]", "w1[0, 1]"]),
        ("w1[1, 1]", "weight", 1, []),
        ("u1[1, 1]", "multiplier", 1, ["x[1]", "w1[1, 1]"]),
        ("w1[2, 1]", "weight", 1, []),
        ("u1[2, 1]", "multiplier", 1, ["x[2]", "w1[2, 1]"]),
        ("b1[1]", "bias", 1, []),
        ("z1[1]", "adder", 1, ["u1[0, 1]", "u1[1, 1]", "u1[2, 1]", "b1[1]"]),
        ("h1[1]", "function", 1, ["z1[1]"]),
        ("w2[0, 0]", "weight", 2, []),
        ("u2[0, 0]", "multiplier", 2, ["h1[0]", "w2[0, 0]"]),
        ("w2[1, 0]", "weight", 2, []),
        ("u2[1, 0]", "multiplier", 2, ["h1[1]", "w2[1, 0]"]),
        ("b2[0]", "bias", 2, []),
        ("z2[0]", "adder", 2, ["u2[0, 0]", "u2[1, 0]", "b2[0]"]),
        ("y[0]", "target", 3, []),
        ("L", "loss", 3, ["z2[0]", "y[0]"]),
    ]


def test_the_matrices_of_a_network_3_2_2(problem):
    nodes = built(*problem([3, 2, 2], "tanh", "huber", output_scale=2.0), level="matrices")
    assert table(nodes) == [
        ("X", "input", 0, []),
        ("W1", "weight", 1, []),
        ("U1", "matmul", 1, ["X", "W1"]),
        ("b1", "bias", 1, []),
        ("Z1", "adder", 1, ["U1", "b1"]),
        ("H1", "function", 1, ["Z1"]),
        ("W2", "weight", 2, []),
        ("U2", "matmul", 2, ["H1", "W2"]),
        ("b2", "bias", 2, []),
        ("Z2", "adder", 2, ["U2", "b2"]),
        ("k", "constant", 2, []),
        ("A", "multiplier", 2, ["Z2", "k"]),
        ("Y", "target", 3, []),
        ("L", "loss", 3, ["A", "Y"]),
    ]


def test_the_operations_along_a_path(problem):
    nodes = built(*problem([3, 3, 2], "tanh"), path=[1, 2, 0])
    assert table(nodes) == [
        ("x[1]", "input", 0, []),
        ("X[…]", "input", 0, []),
        ("w1[1, 2]", "weight", 1, []),
        ("u1[1, 2]", "multiplier", 1, ["x[1]", "w1[1, 2]"]),
        ("w1[…, 2]", "weight", 1, []),
        ("u1[…, 2]", "matmul", 1, ["X[…]", "w1[…, 2]"]),
        ("b1[2]", "bias", 1, []),
        ("z1[2]", "adder", 1, ["u1[1, 2]", "u1[…, 2]", "b1[2]"]),
        ("h1[2]", "function", 1, ["z1[2]"]),
        ("W1[…]", "weight", 1, []),
        ("U1[…]", "matmul", 1, ["x[1]", "X[…]", "W1[…]"]),
        ("b1[…]", "bias", 1, []),
        ("Z1[…]", "adder", 1, ["U1[…]", "b1[…]"]),
        ("H1[…]", "function", 1, ["Z1[…]"]),
        ("w2[2, 0]", "weight", 2, []),
        ("u2[2, 0]", "multiplier", 2, ["h1[2]", "w2[2, 0]"]),
        ("w2[…, 0]", "weight", 2, []),
        ("u2[…, 0]", "matmul", 2, ["H1[…]", "w2[…, 0]"]),
        ("b2[0]", "bias", 2, []),
        ("z2[0]", "adder", 2, ["u2[2, 0]", "u2[…, 0]", "b2[0]"]),
        ("W2[…]", "weight", 2, []),
        ("U2[…]", "matmul", 2, ["h1[2]", "H1[…]", "W2[…]"]),
        ("b2[…]", "bias", 2, []),
        ("Z2[…]", "adder", 2, ["U2[…]", "b2[…]"]),
        ("P", "softmax", 3, ["z2[0]", "Z2[…]"]),
        ("y[0]", "target", 3, []),
        ("Y[…]", "target", 3, []),
        ("L", "loss", 3, ["P", "y[0]", "Y[…]"]),
    ]


def test_a_neuron_takes_its_inputs_out_of_the_matrix_before_it(problem):
    nodes = built(*problem([2, 3, 2, 1], "tanh"), neuron=(2, 1))
    assert table(nodes)[6:18] == [
        ("h1[0]", "selection", 1, ["H1"]),
        ("w2[0, 1]", "weight", 2, []),
        ("u2[0, 1]", "multiplier", 2, ["h1[0]", "w2[0, 1]"]),
        ("h1[1]", "selection", 1, ["H1"]),
        ("w2[1, 1]", "weight", 2, []),
        ("u2[1, 1]", "multiplier", 2, ["h1[1]", "w2[1, 1]"]),
        ("h1[2]", "selection", 1, ["H1"]),
        ("w2[2, 1]", "weight", 2, []),
        ("u2[2, 1]", "multiplier", 2, ["h1[2]", "w2[2, 1]"]),
        ("b2[1]", "bias", 2, []),
        ("z2[1]", "adder", 2, ["u2[0, 1]", "u2[1, 1]", "u2[2, 1]", "b2[1]"]),
        ("h2[1]", "function", 2, ["z2[1]"]),
    ]


@settings(max_examples=60)
@given(data=st.data())
def test_the_number_of_operations(problem, data):
    layers = data.draw(
        st.lists(st.integers(1, 12), min_size=2, max_size=5).filter(lambda d: count_multipliers(d) <= 48)
    )
    names = [data.draw(st.sampled_from(ALL_ACTIVATIONS)) for _ in layers[1:]]
    scale = data.draw(st.sampled_from([1.0, 0.3]))
    network, X, y = problem(
        layers, names[:-1], "half_squared_error", output_activation=names[-1], output_scale=scale
    )
    counts = Counter(node.kind for node in built(network, X, y, level="operations"))
    scaled = layers[-1] * (scale != 1)
    assert counts == Counter(
        {
            "input": layers[0],
            "weight": sum(d * e for d, e in pairwise(layers)),
            "bias": sum(layers[1:]),
            "target": layers[-1],
            "constant": scaled,
            "multiplier": sum(d * e for d, e in pairwise(layers)) + scaled,
            "adder": sum(layers[1:]),
            "function": sum(d for d, name in zip(layers[1:], names, strict=True) if name != "identity"),
            "loss": 1,
        }
    )


@settings(max_examples=60)
@given(data=st.data())
def test_the_number_of_matrices(problem, data):
    layers = data.draw(st.lists(st.integers(1, 30), min_size=2, max_size=5))
    names = [data.draw(st.sampled_from(ALL_ACTIVATIONS)) for _ in layers[1:]]
    scale = data.draw(st.sampled_from([1.0, 0.3]))
    network, X, y = problem(
        layers, names[:-1], "half_squared_error", output_activation=names[-1], output_scale=scale
    )
    nodes = built(network, X, y, level="matrices")
    depth, scaled = len(layers) - 1, int(scale != 1)
    assert Counter(node.kind for node in nodes) == Counter(
        {
            **dict.fromkeys(("weight", "bias", "matmul", "adder"), depth),
            "function": sum(name != "identity" for name in names),
            **{"constant": scaled, "multiplier": scaled},
            **dict.fromkeys(("input", "target", "loss"), 1),
        }
    )
    shapes = [node.value.shape for node in nodes if node.kind == "weight"]
    assert shapes == list(pairwise(layers))


@settings(max_examples=60)
@given(data=st.data())
def test_the_number_of_operations_where_layers_are_folded(problem, data):
    """A layer of more than 10 units is 5 of them and one matrix; a neuron's inputs from it 5 and one product."""
    layers = data.draw(st.lists(st.integers(1, 14), min_size=2, max_size=4))
    nodes = built(*problem(layers, "tanh", "half_squared_error"), level="neurons")
    alone = [d if d <= MOST_UNITS else SHOWN_UNITS for d in layers]
    folded = [int(d > MOST_UNITS) for d in layers]
    products = sum(a * b for a, b in pairwise(alone))
    counts = Counter(node.kind for node in nodes)
    assert counts["multiplier"] == products
    assert counts["input"] == alone[0] + folded[0]
    assert counts["adder"] == counts["bias"] == sum(alone[1:]) + sum(folded[1:])
    assert counts["matmul"] == sum(f * b + g for (f, g), b in zip(pairwise(folded), alone[1:], strict=True))
    assert counts["weight"] == counts["multiplier"] + counts["matmul"]


def check_leaves(network, X, y, nodes):
    """Every parameter, every input and every target is in exactly one leaf."""
    places = [node.positions for node in nodes if node.kind in ("weight", "bias")]
    np.testing.assert_array_equal(
        np.sort(np.concatenate([p.ravel() for p in places])), np.arange(len(network.theta))
    )
    for node in nodes:
        if node.positions is not None:
            np.testing.assert_array_equal(node.value, network.theta[node.positions])
            assert node.positions.shape == node.value.shape
    for kind, expected in (("input", X), ("target", y)):
        leaves = [node for node in nodes if node.kind == kind]
        assert sorted(unit for node in leaves for unit in node.units) == list(range(expected.shape[1]))
        for node in leaves:
            np.testing.assert_array_equal(node.value, expected[:, node.units])


def check_order(nodes):
    """Inputs come before what is made of them, and all but the loss is taken in by something."""
    place = {node: at for at, node in enumerate(nodes)}
    taken = {source for node in nodes for source in node.inputs}
    assert len(place) == len(nodes)
    assert nodes[-1].kind == "loss"
    assert taken == set(place) - {nodes[-1]}
    for node in nodes:
        assert all(place[source] < place[node] for source in node.inputs)
        assert all(source.layer in (node.layer - 1, node.layer) for source in node.inputs)
        assert (node.operation is None) == (not node.inputs)
        assert node.operation is None or node.kind == node.operation.kind
        assert not (isinstance(node.operation, Function) and node.operation.activation == IDENTITY)


@settings(max_examples=60)
@given(data=st.data())
def test_every_graph_is_in_order_and_its_leaves_hold_everything_once(problem, views_of, data):
    layers = data.draw(st.lists(st.integers(1, 13), min_size=2, max_size=4))
    seed, n = data.draw(st.integers(0, 1000)), data.draw(st.integers(1, 3))
    activations = [data.draw(st.sampled_from(ALL_ACTIVATIONS)) for _ in layers[1:-1]]
    network, X, y = problem(layers, activations, "half_squared_error", n, seed, output_scale=2)
    targets = network.encode(y)
    for options in views_of(layers, np.random.default_rng(seed)):
        nodes = build(network, X, targets, choose_view(network, X, targets, **options))
        check_order(nodes)
        check_leaves(network, X, y, nodes)


def test_a_product_takes_in_only_the_nodes_whose_units_it_multiplies(problem, views_of):
    """An edge says that the loss depends on a value in this way."""
    network, X, y = problem([12, 11, 3], "tanh")
    for options in [*views_of([12, 11, 3], np.random.default_rng(0)), {"neuron": (1, 2)}, {"neuron": (2, 1)}]:
        for node in ComputationGraph(network, X, y, **options).nodes:
            if isinstance(node.operation, Matmul):
                assert all({*source.units} & {*node.operation.taken.tolist()} for source in node.inputs[:-1])


def test_names_are_given_once(problem, views_of):
    for layers in ([3, 2, 1], [12, 11, 3]):
        for options in views_of(layers, np.random.default_rng(0)):
            names = [str(node.name) for node in ComputationGraph(*problem(layers, "tanh"), **options).nodes]
            assert len(set(names)) == len(names)


@pytest.mark.parametrize(("layers", "letters"), [([12, 11, 2], "xX"), ([1, 1, 1], "x"), ([2, 11, 1], "x")])
def test_large_letters_are_matrices(problem, layers, letters):
    nodes = ComputationGraph(*problem(layers, "tanh"), level="neurons").nodes
    assert {node.name.letter for node in nodes if node.kind == "input"} == set(letters)
    for node in nodes:
        assert node.is_matrix == ((node.name.letter.isupper() and node.kind != "loss") or "…" in node.name.places)


def test_a_view_may_take_any_units(problem):
    """Also a rest of a single unit, and units that are not in their order."""
    network, X, y = problem([3, 3, 3], "tanh", "half_squared_error", n=2)
    view = View("operations", ((2, 0), (1,), (2, 0)), ((2, 1), (0,), ()))
    nodes = build(network, X, network.encode(y), view)
    assert [node.units for node in nodes if node.kind in ("input", "target")] == [(2,), (0,), (1,)] * 2
    forward(nodes)
    backward(nodes)
    network.backward(network.forward(X), network.encode(y))
    for node in nodes:
        if node.positions is not None:
            np.testing.assert_allclose(node.gradient, network.gradient[node.positions], rtol=1e-12)


def test_softmax_is_no_node_where_a_probability_that_counts_is_all_but_nothing(problem):
    network, _, _ = problem([1, 2])
    X, label = np.ones((1, 1)), np.array([1])
    for slope, shown in ((200.0, True), (300.0, False)):
        network.theta = [slope, -slope, 0, 0]
        graph = ComputationGraph(network, X, label, level="matrices")
        assert ("softmax" in [node.kind for node in graph.nodes]) == shown
        assert graph.loss == pytest.approx(2 * slope, rel=1e-12)
        network.backward(network.forward(X), network.encode(label))
        np.testing.assert_allclose(graph.gradient, network.gradient, rtol=1e-12, atol=1e-80)
