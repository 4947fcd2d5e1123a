"""What of a network is shown one by one, and what is folded."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glassnet.errors import UsageError
from glassnet.graph.views import (
    LEVELS,
    MOST_MULTIPLIERS,
    MOST_UNITS,
    SHOWN_UNITS,
    choose_view,
    count_multipliers,
    list_readable_levels,
)


def chosen(problem, layers, n=1, seed=0, loss=None, **choice):
    network, X, y = problem(layers, "tanh", loss, n=n, seed=seed)
    return choose_view(network, X, network.encode(y), **choice)


@given(layers=st.lists(st.integers(1, 20), min_size=2, max_size=5))
@example(layers=[10, 4, 2])  # as many multipliers, and units, as can be seen
def test_a_level_is_readable_where_all_of_the_network_can_be_seen(layers):
    levels = list_readable_levels(layers)
    assert levels == [level for level in LEVELS if level in levels]
    assert ("operations" in levels) == (count_multipliers(layers) <= MOST_MULTIPLIERS)
    assert ("neurons" in levels) == (max(layers) <= MOST_UNITS)
    assert "matrices" in levels


@settings(max_examples=60)
@given(layers=st.lists(st.integers(1, 20), min_size=2, max_size=4))
def test_the_default_is_the_most_detailed_level_that_shows_the_network_whole(problem, layers):
    view = chosen(problem, layers, loss="half_squared_error")
    assert view.level == list_readable_levels(layers)[0]
    if view.level == "matrices":
        assert view.alone == view.inputs == ((),) * len(layers)
    else:
        assert view.alone == view.inputs == tuple(tuple(range(d)) for d in layers)


@pytest.mark.parametrize(
    ("layers", "refused", "instead"),
    [
        ([10, 5], "50 multipliers", "neurons or matrices"),
        ([784, 256, 128, 10], "234,752 multipliers", "matrices"),
        ([60, 1], "60 multipliers", "matrices"),
    ],
)
def test_too_many_operations_are_refused_with_what_can_be_read(problem, layers, refused, instead):
    said = (
        rf"^level: operations would draw {refused}, and 48 can be read; take {instead}, or one neuron, or a path"
    )
    with pytest.raises(UsageError, match=said) as error:
        chosen(problem, layers, level="operations")
    assert error.value.name == "level"


@pytest.mark.parametrize(
    ("choice", "parameter", "said"),
    [
        ({"level": "bits"}, "level", "must be operations, neurons or matrices, got 'bits'"),
        ({"level": ""}, "level", "must be operations, neurons or matrices, got ''"),
        ({"level": "neurons", "neuron": (1, 0)}, "level", "take one of level, neuron and path"),
        ({"level": "matrices", "path": ()}, "level", "take one of level, neuron and path"),
        ({"neuron": (1, 0), "path": ()}, "level", "take one of level, neuron and path"),
        ({"neuron": (0, 0)}, "neuron", "layer 0 does not exist; the layers with neurons are 1 to 2"),
        ({"neuron": (3, 0)}, "neuron", "layer 3 does not exist"),
        ({"neuron": (-1, 0)}, "neuron", "layer -1 does not exist"),
        ({"neuron": (1, 2)}, "neuron", "layer 1 has no unit 2; its units are 0 to 1"),
        ({"neuron": (2, -1)}, "neuron", "layer 2 has no unit -1; its units are 0 to 0"),
        ({"neuron": (1,)}, "neuron", ""),
        ({"neuron": (1, 0, 0)}, "neuron", ""),
        ({"neuron": 1}, "neuron", ""),
        ({"neuron": (1, 0.5)}, "neuron", ""),
        ({"neuron": (1.5, 0)}, "neuron", ""),
        ({"neuron": ("1", "0")}, "neuron", ""),
        ({"path": (0, 0)}, "path", "needs one unit for each of the 3 layers, got 2"),
        ({"path": (0, 0, 0, 0)}, "path", "needs one unit for each of the 3 layers, got 4"),
        ({"path": (3, 0, 0)}, "path", "layer 0 has no unit 3; its units are 0 to 2"),
        ({"path": (0, 0, -1)}, "path", "layer 2 has no unit -1"),
        ({"path": (0.5, 0, 0)}, "path", ""),
        ({"path": "000"}, "path", ""),
        ({"path": 0}, "path", ""),
    ],
)
def test_what_does_not_exist_is_refused_by_its_name(problem, choice, parameter, said):
    with pytest.raises(UsageError) as error:
        chosen(problem, [3, 2, 1], **choice)
    assert error.value.name == parameter
    assert said in error.value.problem


@given(values=st.lists(st.floats(-1, 1), min_size=11, max_size=14))
def test_of_a_large_layer_the_units_that_weigh_most_are_shown(problem, values):
    """Inputs of equal weights weigh as they are large."""
    layers = [len(values), 1]
    network, _, y = problem(layers)
    network.theta, X = 1, np.array([values])
    view = choose_view(network, X, network.encode(y), "neurons")
    shown, others = view.alone[0], set(range(len(values))) - set(view.alone[0])
    assert shown == tuple(sorted(shown))
    assert len(set(shown)) == SHOWN_UNITS
    assert min(abs(values[k]) for k in shown) >= max(abs(values[k]) for k in others)


def test_what_weighs_most_is_an_output_and_all_that_leads_on_from_it(problem):
    network, X, y = problem([12, 11, 13], "tanh", "half_squared_error", n=3)
    targets = network.encode(y)
    trace = network.forward(X)
    weights = [
        np.abs(trace.H[layer]).mean(axis=0) * np.sqrt((network.W[layer] ** 2).sum(axis=1)) for layer in (0, 1)
    ]
    weights.append(np.abs(trace.outputs - targets).mean(axis=0))
    view = choose_view(network, X, targets, "neurons")
    assert view.alone == view.inputs == tuple(tuple(sorted(np.argsort(-weight)[:5])) for weight in weights)


def test_only_large_layers_are_folded(problem):
    view = chosen(problem, [11, 10, 1, 12], level="neurons")
    assert [len(units) for units in view.alone] == [5, 10, 1, 5]
    assert view.alone[1] == tuple(range(10))


def test_a_neuron_stands_alone_with_what_it_takes_in(problem):
    assert chosen(problem, [4, 3, 2, 1], neuron=(2, 1)).alone == ((), (), (1,), ())
    assert chosen(problem, [4, 3, 2, 1], neuron=(2, 1)).inputs == ((), (0, 1, 2), (), ())
    first = chosen(problem, [4, 3, 2, 1], neuron=(1, 2))
    assert first.alone == ((0, 1, 2, 3), (2,), (), ())
    assert first.inputs == ((0, 1, 2, 3), (), (), ())
    assert first.level == "operations"


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), n=st.integers(1, 3), layer=st.integers(1, 2))
def test_of_many_inputs_of_a_neuron_those_that_add_most_are_shown(problem, seed, n, layer):
    network, X, y = problem([12, 13, 2], "tanh", n=n, seed=seed)
    view = choose_view(network, X, network.encode(y), neuron=(layer, 1))
    terms = np.abs(network.forward(X).H[layer - 1] * network.W[layer - 1][:, 1]).mean(axis=0)
    assert set(view.inputs[layer - 1]) == set(np.argsort(-terms)[:SHOWN_UNITS])


def test_a_path_is_a_unit_of_every_layer(problem):
    view = chosen(problem, [4, 3, 2], path=np.array([3, 0, 1]))
    assert view.alone == view.inputs == ((3,), (0,), (1,))
    assert all(type(unit) is int for units in view.alone for unit in units)


@settings(max_examples=60)
@given(
    layers=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    loss=st.sampled_from(["half_squared_error", "huber", "binary_cross_entropy"]),
    n=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_the_strongest_path_leads_back_from_the_output_farthest_off(problem, layers, loss, n, seed):
    """Step by step, from each unit to the one before it that adds most to its sum."""
    network, X, y = problem(layers, "tanh", loss, n=n, seed=seed)
    targets = network.encode(y)
    trace = network.forward(X)
    slopes = np.abs(network.loss.value_and_delta(trace.outputs, targets)[1]).sum(axis=0)
    path = [max(range(layers[-1]), key=lambda j: slopes[j])]
    for layer in reversed(range(len(layers) - 1)):
        adds = [
            sum(abs(h[i] * network.W[layer][i, path[0]]) for h in trace.H[layer]) for i in range(layers[layer])
        ]
        path.insert(0, max(range(layers[layer]), key=lambda i: adds[i]))
    assert choose_view(network, X, targets, path=()).alone == tuple((unit,) for unit in path)


def test_the_number_of_multipliers():
    assert count_multipliers([1, 1]) == 1
    assert count_multipliers([2, 3, 4, 5]) == 6 + 12 + 20
    assert count_multipliers([784, 256, 128, 10]) == 234752
