"""The order in which a graph is gone through: nothing is used before it is known."""

import functools

import numpy as np
import pytest
from tests.loops import for_each

from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.nodes import BACKWARD, FORWARD, Traversal, list_consumers

NETWORKS = [[3, 2, 1], [1, 1], [4, 3, 2], [2, 3, 1, 4], [12, 11, 3]]
VIEWS = [{"level": "operations"}, {"level": "neurons"}, {"level": "matrices"}, {"neuron": (1, 0)}, {"path": ()}]


CASES = [(layers, view) for layers in NETWORKS for view in VIEWS if (layers, view) != ([12, 11, 3], VIEWS[0])]


WALKS = [(*case, False) for case in CASES] + [(layers, VIEWS[1], True) for layers in NETWORKS]
in_every_walk = for_each("layers, view, by_neuron", WALKS)


@pytest.fixture(scope="module")
def walk(problem):
    """``walk(layers, view, by_neuron)``: a graph, and the way through it node by node or neuron by neuron."""

    @functools.cache
    def make(case):
        layers, view, by_neuron = WALKS[case]
        graph = ComputationGraph(*problem(layers, "tanh", n=2), **view)
        return graph, Traversal(graph.nodes, by_neuron=by_neuron)

    return lambda *case: make(WALKS.index(case))


@in_every_walk
def test_every_operation_is_gone_through_once_forwards_and_once_backwards(walk, layers, view, by_neuron):
    graph, traversal = walk(layers, view, by_neuron)
    operations = [node for node in graph.nodes if node.operation is not None]
    half = len(traversal.steps) // 2
    assert [step.phase for step in traversal.steps] == [FORWARD] * half + [BACKWARD] * half
    assert [node for step in traversal.steps[:half] for node in step.nodes] == operations
    assert [step.nodes for step in traversal.steps[half:]] == [
        step.nodes for step in reversed(traversal.steps[:half])
    ]


@in_every_walk
def test_a_value_is_known_once_all_inputs_are(walk, layers, view, by_neuron):
    graph, traversal = walk(layers, view, by_neuron)
    known = {node for node in graph.nodes if node.operation is None}
    assert all(traversal.value[node] == 0 for node in graph.nodes if node in known)
    for time, step in enumerate(traversal.steps, start=1):
        if step.phase == FORWARD:
            for node in step.nodes:
                assert set(node.inputs) <= known
                assert traversal.value[node] == time
                known.add(node)
    assert len(known) == len(graph.nodes)


@in_every_walk
def test_a_gradient_is_complete_once_all_consumers_have_passed_theirs(walk, layers, view, by_neuron):
    graph, traversal = walk(layers, view, by_neuron)
    consumers, passed = list_consumers(graph.nodes), set()
    for time, step in enumerate(traversal.steps, start=1):
        if step.phase == BACKWARD:
            for node in reversed(step.nodes):
                assert set(consumers[node]) <= passed
                assert traversal.gradient[node] <= traversal.passed[node] == time
                passed.add(node)
    for node in graph.nodes[:-1]:
        assert traversal.gradient[node] == max(traversal.passed[consumer] for consumer in consumers[node])
    assert (
        traversal.gradient[graph.nodes[-1]] == traversal.passed[graph.nodes[-1]] == len(traversal.steps) // 2 + 1
    )


@in_every_walk
def test_following_the_steps_gives_the_gradients(walk, layers, view, by_neuron):
    graph, traversal = walk(layers, view, by_neuron)
    gradients = {node: np.zeros_like(node.value) for node in graph.nodes}
    gradients[graph.nodes[-1]] = np.ones((1, 1))
    for step in traversal.steps:
        for node in step.nodes if step.phase == FORWARD else reversed(step.nodes):
            values = [source.value for source in node.inputs]
            if step.phase == FORWARD:
                np.testing.assert_array_equal(node.operation.forward(*values), node.value)
                continue
            for source, part in zip(
                node.inputs, node.operation.backward(gradients[node], node.value, *values), strict=True
            ):
                if part is not None:
                    axes = tuple(a for a in (0, 1) if part.shape[a] != source.value.shape[a])
                    gradients[source] = gradients[source] + part.sum(axis=axes, keepdims=True)
    for node in graph.nodes:
        np.testing.assert_array_equal(gradients[node], node.gradient)


@pytest.mark.parametrize("options", [{}, {"output_scale": 2.0}, {"output_activation": "sigmoid"}])
@pytest.mark.parametrize("layers", NETWORKS, ids=str)
def test_a_neuron_is_one_step(problem, layers, options):
    network, X, y = problem(layers, "tanh", "half_squared_error", **options)
    graph = ComputationGraph(network, X, y, level="neurons")
    traversal, shown = graph.traversal, [min(d, 6) if d > 10 else d for d in layers[1:]]
    assert len(traversal.steps) == 2 * (sum(shown) + 1)
    for step in traversal.steps:
        assert len({(node.layer, node.units) for node in step.nodes}) == 1
        kinds = [node.kind for node in step.nodes]
        assert kinds == ["loss"] or kinds.count("adder") == 1
    assert [step.nodes[-1].kind for step in traversal.steps].count("loss") == 2


def test_node_by_node_is_the_way_of_all_other_levels(problem):
    for level in ("operations", "matrices"):
        graph = ComputationGraph(*problem([3, 2, 1]), level=level)
        assert all(len(step.nodes) == 1 for step in graph.traversal.steps)
