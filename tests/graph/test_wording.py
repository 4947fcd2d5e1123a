"""The words of each step: every equation is read again and says what the graph computed."""

from functools import cache
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.loops import for_each

from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.explanations import (
    MOST_LINES,
    describe_amount,
    explain_step,
    list_local_derivatives,
    list_neuron_derivatives,
)
from glassnet.graph.nodes import BACKWARD, FORWARD, Matmul, Normalisation, list_consumers
from glassnet.graph.notation import Name, number, numeral, partial
from glassnet.graph.wording import MOST_SLOPES, list_passed
from glassnet.nn.activations import ACTIVATIONS, Activation
from glassnet.nn.losses import LOSSES, Loss

LOSS = Name("L").mathml
WHOLE = [{"level": "operations"}, {"level": "neurons"}, {"level": "matrices"}]
#: Networks and views of them: everything shown, matrices, folded layers, a neuron, a path.
SHOWN = [
    *(([3, 2, 1], {"activation": "sigmoid", **view}) for view in WHOLE),
    *(([2, 3, 2], {"activation": "tanh", **view}) for view in WHOLE),
    *(([2, 3, 3], {"activation": "gelu", "loss": "huber(0.5)", "output_scale": 3.0, **view}) for view in WHOLE),
    *(([1, 1, 1, 1], {"activation": "softplus", "output_activation": "silu", **view}) for view in WHOLE),
    ([12, 11, 3], {"activation": "relu", "level": "neurons"}),
    ([12, 11, 13], {"activation": "elu", "loss": "binary_cross_entropy", "level": "neurons"}),
    ([12, 11, 3], {"activation": "silu", "neuron": (1, 4)}),
    ([12, 11, 3], {"activation": "leaky_relu", "neuron": (2, 1)}),
    ([4, 3, 2], {"activation": "identity", "loss": "absolute_error", "neuron": (2, 1)}),
    ([12, 11, 3], {"activation": "relu3", "path": ()}),
    ([3, 2, 2], {"activation": "tanh", "loss": "half_squared_error", "path": (1, 1, 0)}),
    *(([3, 2, 1], {"batch_norm": True, "dropout": 0.5, "n": n, **view}) for n in (1, 3, 7) for view in WHOLE),
    *(([2, 3, 2], {"activation": "tanh", "n": 4, "loss": "cross_entropy(sum)", **view}) for view in WHOLE),
    ([12, 11, 3], {"batch_norm": True, "dropout": [0.2, 0.4], "n": 4, "level": "neurons"}),
    ([12, 11, 3], {"batch_norm": True, "dropout": [0.2, 0.4], "n": 4, "neuron": (2, 1)}),
    ([12, 11, 3], {"batch_norm": True, "dropout": [0.2, 0.4], "n": 4, "path": ()}),
]


def as_written(value):
    return float(number(float(value)).replace("−", "-"))


def text_of(mathml):
    return "".join(ElementTree.fromstring(f"<math>{mathml}</math>").itertext())


def explained(graph):
    consumers = list_consumers(graph.nodes)
    return [(step, explain_step(step, consumers)) for step in graph.traversal.steps]


@pytest.fixture(scope="module")
def shown(graph_of):
    """``shown(layers, options)``: the graph of a case, its steps with their texts, the names of its numbers."""

    @cache
    def make(case):
        layers, options = SHOWN[case]
        graph = graph_of(layers, seed=2, **options)
        return graph, explained(graph), list(named(graph.nodes))

    return lambda layers, options: make(SHOWN.index((layers, options)))


@cache
def tidy(mathml):
    """MathML as `sides` gives it back, so that texts can be compared."""
    return ElementTree.tostring(ElementTree.fromstring(mathml), "unicode")


def entries(node):
    """The name of every number of a node, with its place in the matrix."""
    if not node.is_matrix or node.kind in ("constant", "loss"):
        yield node.name, (0, 0)
        return
    if node.value.size == 1 or (node.value.shape[1] == 1 and node.kind != "weight"):
        yield node.name, (0, 0)
    for i, j in np.ndindex(node.value.shape):
        if node.kind != "weight":
            yield Name(node.name.letter.lower(), node.name.layer, (node.units[j],)), (i, j)


def named(nodes):
    """(name of a number, name of its gradient, node, place) of all that an equation may hold."""
    for node in nodes:
        places = [(node, *entry) for entry in entries(node)]
        if isinstance(node.operation, Matmul):
            taken, weights = node.operation.taken, node.inputs[-1]
            for i, j in np.ndindex(weights.value.shape):
                places.append((weights, Name("w", node.layer, (int(taken[i]), node.units[j])), (i, j)))
        for owner, name, place in places:
            delta = Name("delta", owner.layer, name.places).mathml
            gradient = delta if owner.kind == "adder" else partial(LOSS, name.mathml)
            yield tidy(name.mathml), tidy(gradient), owner, place


def numbers_of(nodes):
    """What every name in an equation amounts to."""
    names = {}
    for value, gradient, node, place in named(nodes):
        if names.get(value) is None or place[0] == 0:  # of several rows the first is told
            names[value], names[gradient] = node.value[place], node.gradient[place]
        if isinstance(node.operation, Normalisation):
            for letter, values in zip(("mu", "v"), node.operation.statistics(node.inputs[0].value), strict=True):
                for unit, amount_of_unit in zip(node.units, values[0], strict=True):
                    at = (unit,) if node.is_matrix and len(node.units) > 1 else node.name.places
                    names[tidy(Name(letter, node.layer, at).mathml)] = amount_of_unit
    loss = nodes[-1]
    outputs, targets = loss.operation.join_halves([source.value for source in loss.inputs])
    names[tidy(Name("ℓ").mathml)] = loss.operation.loss.formula(outputs, targets)[0][0]
    return names


def check(graph, read, sides, uncertainty, steps=None):
    """In every equation the name has the number on the right, and so has what stands between them."""
    names = numbers_of(graph.nodes)
    for step, told in steps or explained(graph):
        passed = [part for node in step.nodes for part in node.passed if part is not None]
        for line in told.lines:
            first, *between, last = sides(line.numbers, "=", "⟵")
            result = read(last)
            meant = np.concatenate([part.ravel() for part in passed]) if "⟵" in line.letters else [names[first]]
            assert any(result == pytest.approx(as_written(value), rel=1e-9, abs=0) for value in meant)
            for side in between:
                if "⋯" not in side:
                    within = 1.1 * uncertainty(side) + 6e-4 * abs(result) + 1e-12
                    assert read(side) == pytest.approx(result, rel=0, abs=within), text_of(side)


@for_each("layers, options", SHOWN)
def test_every_equation_with_numbers_is_true(shown, read, sides, uncertainty, layers, options):
    graph, steps, _ = shown(layers, options)
    check(graph, read, sides, uncertainty, steps)


@settings(max_examples=40)
@given(data=st.data())
def test_every_equation_with_numbers_is_true_of_any_network(problem, views_of, read, sides, uncertainty, data):
    layers = data.draw(st.lists(st.integers(1, 4) | st.just(11), min_size=2, max_size=4))
    loss = data.draw(st.sampled_from(sorted(LOSSES)))
    options = {"loss": loss, "seed": data.draw(st.integers(0, 1000))}
    if loss == "cross_entropy":
        layers[-1] += 1
    if LOSSES.resolve(loss).output is None:
        options["output_activation"] = data.draw(st.sampled_from(sorted(ACTIVATIONS)))
        options["output_scale"] = data.draw(st.sampled_from([1.0, 0.3, 10.0]))
    activations = [data.draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in layers[1:-1]]
    network, X, y = problem(layers, activations, **options)
    network.theta *= data.draw(st.sampled_from([1, 1e-5, 3]))
    with np.errstate(all="ignore"):
        assume(all(np.abs(Z).max() < 20 for Z in network.forward(X).Z))
    views = views_of(layers, np.random.default_rng(options["seed"]))
    check(ComputationGraph(network, X, y, **data.draw(st.sampled_from(views))), read, sides, uncertainty)


@for_each(
    "layers, level, activation", product([[3, 2, 1], [2, 3, 2, 2]], ["operations", "neurons"], sorted(ACTIVATIONS))
)
def test_every_equation_with_letters_is_true(graph_of, read, sides, layers, level, activation):
    """Where every node is a number, each letter has one; indices that are counted through are read elsewhere."""
    graph = graph_of(layers, activation, "half_squared_error", level=level)
    names, read_again = numbers_of(graph.nodes), 0
    for step, told in explained(graph):
        for line in told.lines:
            if step.nodes[-1].kind == "loss" or "⋯" in line.letters:
                continue
            left, right = sides(line.letters, "=", "⟵")
            first, *_, last = sides(line.numbers, "=", "⟵")
            assert left == first
            value = read(right, names)
            for one, other in zip(sides(right, "+"), sides(sides(line.numbers, "=", "⟵")[1], "+"), strict=True):
                assert read(other) == pytest.approx(read(one, names), rel=2e-3, abs=1e-3)
            assert as_written(value) == pytest.approx(read(last), rel=1.1e-3)
            if "⟵" not in text_of(line.letters):
                assert value == pytest.approx(names[left], rel=5e-4)  # constants have four digits
            read_again += 1
    assert read_again >= 10


@pytest.mark.parametrize("loss", ["half_squared_error", "half_squared_error(sum)"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("level", ["operations", "neurons"])
def test_every_equation_with_letters_is_true_over_the_rows(problem, read, sides, level, training, loss):
    """With a number a row for each letter; sums over the rows are counted through."""
    network, X, y = problem([3, 2, 1], "tanh", loss, n=4, batch_norm=True, dropout=[0.3, 0.5])
    graph = ComputationGraph(network, X, y, level=level, training=training)
    columns, read_again = {}, set()
    for value, gradient, node, _ in named(graph.nodes):
        columns[value], columns[gradient] = node.value[:, 0], node.gradient[:, 0]
        if isinstance(node.operation, Normalisation):
            for letter, values in zip(("mu", "v"), node.operation.statistics(node.inputs[0].value), strict=True):
                columns[tidy(Name(letter, node.layer, node.name.places).mathml)] = values[0]
    outputs, targets = (source.value for source in graph.nodes[-1].inputs)
    columns[tidy(Name("ℓ").mathml)] = network.loss.formula(outputs, targets)[0]
    names = {name: lambda at, c=column: c[(at.get("rows") or 0) % len(c)] for name, column in columns.items()}
    for step, told in explained(graph):
        for line in told.lines:
            left, right = sides(line.letters, "=", "⟵")
            if step.nodes[-1].kind == "loss" and tidy(Name("ℓ").mathml) not in right:
                continue  # it counts outputs through as well
            result = read(sides(line.numbers, "=", "⟵")[-1])
            value = read(right, names, d=4)
            assert value == pytest.approx(result, rel=1.1e-3, abs=1e-12), text_of(line.letters)
            if "⟵" not in text_of(line.letters):
                assert value == pytest.approx(columns[left][0], rel=1e-4, abs=1e-12)
            read_again.add(text_of(left)[0])
    assert read_again >= {"a", "z", "h", "x", "δ", "∂", "L", *("μv" if training else "")}


@for_each("layers, options", SHOWN)
def test_forwards_the_last_line_is_the_value_where_it_is_largest(shown, sides, layers, options):
    _, steps, places = shown(layers, options)
    for step, told in steps:
        if step.phase == FORWARD:
            last = step.nodes[-1]
            place = (0, int(np.argmax(np.abs(last.value[0]))))
            names = {value for value, _, node, at in places if node is last and at == place}
            lines = told.lines if last.kind == "softmax" else told.lines[-1:]  # it tells several of its numbers
            assert any(sides(line.numbers, "=")[0] in names for line in lines)


@for_each("layers, options", SHOWN)
def test_backwards_every_input_is_told_what_it_gets(shown, sides, layers, options):
    """Of a neuron's many inputs, and of a loss's, some."""
    _, steps, places = shown(layers, options)
    gradients = {}
    for _, gradient, node, _ in places:
        gradients.setdefault(node, set()).add(gradient)
    for step, told in steps:
        if step.phase == BACKWARD:
            gets = {
                source
                for node in step.nodes
                for source, part in zip(node.inputs, node.passed, strict=True)
                if part is not None and not source.is_given
                if not isinstance(node.operation, Matmul) or is_taken(source, node)
            }
            lefts = {sides(line.numbers, "=", "⟵")[0] for line in told.lines}
            assert lefts <= set.union(*(gradients.get(node, set()) for node in gets | set(step.nodes)))
            if len(step.nodes) == 1 and step.nodes[0].kind != "loss" and len(gets) < MOST_LINES:
                assert all(gradients[source] & lefts for source in gets)


def is_taken(source, product):
    """Whether a matrix product takes in any unit of a source, or it is its weights."""
    return source is product.inputs[-1] or bool({*source.units} & {*product.operation.taken.tolist()})


@for_each("layers, options", SHOWN)
def test_of_many_only_what_matters_most_is_told(shown, layers, options):
    graph, steps, _ = shown(layers, options)
    for step, told in steps:
        statistics = 2 * (step.phase == FORWARD and graph.training is not None)  # the mean and the variance
        assert 1 <= len(told.lines) <= MOST_LINES + 1 + statistics  # and the sum of what came back
        assert len(told.came_in) <= MOST_LINES
        assert len(told.passed_on) <= MOST_LINES
        if step.nodes[-1].kind in ("loss", "softmax"):
            assert len(told.lines) <= MOST_SLOPES
        assert len(str(told.title)) > 3
        assert text_of(told.subject) == text_of(step.nodes[-1].name.mathml)


@pytest.mark.parametrize("loss", ["cross_entropy", "half_squared_error"])
def test_of_many_outputs_those_that_pull_most_are_told(graph_of, loss):
    graph = graph_of([2, 2, 9], loss=loss, level="matrices")
    outputs = graph.network.forward(graph.X).outputs
    slope = graph.network.loss.formula(outputs, graph.targets)[1][0].tolist()
    assert min(slope) == min(slope, key=lambda one: -abs(one))  # one below zero pulls most
    last = graph.nodes[-1]
    told = [share.amount for share in list_passed(last.inputs[0] if loss == "cross_entropy" else last)]
    assert sorted(told, key=abs) == pytest.approx(sorted(slope, key=abs)[-MOST_SLOPES:])


# What comes in and what goes on


@for_each("layers, options", SHOWN)
def test_what_came_in_is_what_was_there(shown, layers, options):
    _, steps, _ = shown(layers, options)
    for step, told in steps:
        inside = set(step.nodes)
        if step.phase == FORWARD:
            sources = {s for node in step.nodes for s in node.inputs if s not in inside}
            there = {describe_amount(tidy(source.name.mathml), source.value) for source in sources}
        else:
            node = step.nodes[-1]
            name = Name("delta", node.layer, node.name.places).mathml if node.kind == "adder" else None
            there = {describe_amount(tidy(name or partial(LOSS, node.name.mathml)), node.gradient)}
        there = {(tidy(amount.name), amount.text, amount.shape) for amount in there}
        came_in = {(tidy(amount.name), amount.text, amount.shape) for amount in told.came_in}
        assert came_in <= there
        assert len(came_in) == min(len(there), MOST_LINES)


@pytest.mark.parametrize(
    ("layers", "activation"), [([3, 2, 1], "sigmoid"), ([4, 3, 2], "gelu"), ([2, 3, 2, 1], "tanh")]
)
def test_what_is_passed_on_adds_up_to_the_gradients(graph_of, layers, activation):
    graph = graph_of(layers, activation, seed=1, level="operations")
    sums = {gradient: 0.0 for _, gradient, node, _ in named(graph.nodes)}
    for step, told in explained(graph):
        if step.phase == BACKWARD:
            for name, text, _ in told.passed_on:
                sums[tidy(name)] = sums.get(tidy(name), 0.0) + float(text.replace("−", "-"))
    for _, gradient, node, place in named(graph.nodes[:-1]):
        if node.kind == "softmax":  # it is a matrix, of which the length is told
            continue
        assert sums[gradient] == pytest.approx(node.gradient[place], rel=2e-3, abs=1e-6)


@pytest.mark.parametrize("options", WHOLE[1:], ids=str)
def test_what_is_passed_on_by_neurons_and_matrices_is_what_their_operations_pass(graph_of, options):
    graph = graph_of([4, 3, 2], "tanh", seed=1, **options)
    for step, told in explained(graph):
        inside = set(step.nodes)
        if step.phase == BACKWARD:
            parts = [
                (source, part)
                for node in step.nodes
                for source, part in zip(node.inputs, node.passed, strict=True)
                if part is not None and source not in inside
            ]
            passed_on = sorted((amount.text, amount.shape) for amount in told.passed_on)
            largest = sorted(parts, key=lambda pair: -np.linalg.norm(pair[1]))[:MOST_LINES]
            assert passed_on == sorted(describe_amount("<mi/>", part)[1:] for _, part in largest)


@pytest.mark.parametrize("level", ["operations", "neurons"])
def test_what_came_back_from_several_is_added_up_in_the_first_line(graph_of, read, sides, level):
    """dL/dh = delta_0 w_0 + delta_1 w_1 + ...: the heart of the recursion."""
    graph = graph_of([2, 3, 4, 2], "tanh", level=level)
    consumers, seen = list_consumers(graph.nodes), 0
    for step, told in explained(graph):
        node = step.nodes[-1]
        if step.phase == BACKWARD and node.kind == "function":
            name, total, result = sides(told.lines[0].numbers, "=")
            assert name == tidy(partial(LOSS, node.name.mathml))
            assert total.count("+") == len(consumers[node]) - 1
            assert read(result) == as_written(node.gradient.item())
            assert read(total) == pytest.approx(node.gradient.item(), rel=1e-3, abs=1e-3)
            letters = sides(told.lines[0].letters, "=")[1]
            assert read(letters, numbers_of(graph.nodes)) == pytest.approx(node.gradient.item(), rel=1e-12)
            assert [text_of(letters).count(letter) for letter in "δw"] == [
                len(consumers[node])
            ] * 2 or level != "neurons"
            seen += 1
    assert seen == 7


def test_of_what_came_back_from_many_the_largest_is_shown(graph_of, sides):
    graph = graph_of([2, 2, 9], "tanh", level="neurons")
    lines = [
        told.lines[0] for step, told in explained(graph) if step.phase == BACKWARD and step.nodes[-1].layer == 1
    ]
    for line in lines:
        assert sides(line.numbers, "=")[1].count("⋯") >= 1
        assert sides(line.numbers, "=")[1].count("·") == 3


def test_a_dead_unit_passes_zero_to_its_own_column(graph_of, sides):
    """A selection that gets 0 passes 0 everywhere; it still speaks of its own unit."""
    graph = graph_of([2, 3, 2, 1], "relu", neuron=(2, 1), bias_initializer="uniform(-9, -8)")
    told = {step.nodes[0].units: text for step, text in explained(graph) if step.nodes[0].kind == "selection"}
    for unit in range(3):
        (line,) = told[unit,].lines
        assert line.numbers.endswith(tidy(numeral(0)))
        assert sides(line.numbers, "⟵")[0] == tidy(partial(LOSS, Name("h", 1, (unit,)).mathml))


@pytest.mark.parametrize("options", [{}, {"output_scale": 2.0}, {"output_activation": "identity"}], ids=str)
def test_the_delta_is_told_however_much_a_neuron_passes_to_its_weights(problem, sides, options):
    network, X, y = problem([9, 1], **{"output_activation": "tanh", **options})
    network.theta *= 0.01
    graph = ComputationGraph(network, 30 * np.sign(X), y, level="neurons")
    (told,) = [told for step, told in explained(graph) if step.phase == BACKWARD and len(step.nodes) > 1]
    lefts = [text_of(sides(line.numbers, "=", "⟵")[0]) for line in told.lines]
    if options == {"output_activation": "identity"}:  # then the delta is what came in
        lefts += [text_of(amount.name) for amount in told.came_in]
    assert any(left.startswith("δ") for left in lefts)


def test_a_neuron_with_few_inputs_tells_all_of_them_and_nothing_of_its_inside(graph_of, sides):
    graph = graph_of([2, 2, 2], "tanh", level="neurons")
    gradients = {node: gradient for _, gradient, node, _ in named(graph.nodes)}
    for step, told in explained(graph):
        if step.phase == BACKWARD and step.nodes[-1].kind == "function":
            (adder,) = [node for node in step.nodes if node.kind == "adder"]
            outside = {s for node in step.nodes for s in node.inputs if s not in step.nodes}
            collected, *lefts = [sides(line.numbers, "=", "⟵")[0] for line in told.lines]
            assert collected == gradients[step.nodes[-1]]
            assert sorted(lefts) == sorted(gradients[key] for key in [adder, *outside])


# Titles, and single derivatives


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        ({"level": "operations"}, {"multiplier", "adder", "function", "the loss", "back through multiplier"}),
        ({"level": "neurons"}, {"neuron", "the loss", "back from the loss", "back through neuron"}),
        ({"level": "matrices"}, {"matrix product", "adder", "function", "back through matrix product"}),
    ],
)
def test_titles(graph_of, options, titles):
    told = {str(told.title) for _, told in explained(graph_of([3, 2, 1], **options))}
    assert titles <= told


def test_the_title_of_many_neurons_counts_them(graph_of):
    told = {str(told.title) for _, told in explained(graph_of([12, 11, 3], level="neurons"))}
    assert {"the 6 other neurons", "back through the 6 other neurons"} <= told


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_local_derivative_is_how_a_node_moves_with_its_input(graph_of, read, sides, activation):
    graph, step = graph_of([3, 2, 1], activation, seed=3, level="operations"), 1e-6
    for node in graph.nodes:
        if node.operation is None or node.kind == "loss":
            continue
        lines, values = list_local_derivatives(node), [source.value for source in node.inputs]
        shown = {sides(line.numbers, "=")[0]: read(sides(line.numbers, "=")[-1]) for line in lines}
        for k, source in enumerate(node.inputs):
            up, down = ([v + (at == k) * change for at, v in enumerate(values)] for change in (step, -step))
            slope = (node.operation.forward(*up) - node.operation.forward(*down)).item() / (2 * step)
            assert shown[tidy(partial(node.name.mathml, source.name.mathml))] == pytest.approx(
                slope, rel=1e-3, abs=1e-6
            )


@pytest.mark.parametrize("training", [True, False])
def test_the_local_derivative_of_a_normalisation_is_how_a_row_moves_with_its_own_sum(
    problem, read, sides, training
):
    graph = ComputationGraph(*problem([3, 2, 1], "tanh", n=4, batch_norm=True), training=training)
    found = [node for node in graph.nodes if isinstance(node.operation, Normalisation)]
    assert len(found) == 2
    for node in found:
        moved = node.inputs[0].value.astype(complex)
        moved[0] += 1e-30j
        (line,) = list_local_derivatives(node)
        name, *told = sides(line.numbers, "=")
        assert name == tidy(partial(node.name.mathml, node.inputs[0].name.mathml))
        slope = node.operation.forward(moved)[0, 0].imag / 1e-30
        assert [read(side) for side in told] == pytest.approx([slope, slope], rel=2e-3)


def test_a_sum_moves_with_a_neurons_inputs_as_its_weights_say(graph_of, read, sides):
    graph = graph_of([3, 2, 1], level="neurons")
    for node in graph.nodes:
        if node.kind == "adder":
            lines = list_neuron_derivatives(node)
            assert len(lines) == 2 * (len(node.inputs) - 1)
            shown = {sides(line.numbers, "=")[0]: read(sides(line.numbers, "=")[1]) for line in lines}
            for product in node.inputs[:-1]:
                for one, other in (product.inputs, reversed(product.inputs)):
                    assert shown[tidy(partial(node.name.mathml, one.name.mathml))] == as_written(
                        other.value.item()
                    )
        elif node.kind == "function":
            assert list_neuron_derivatives(node) == list_local_derivatives(node)


def test_an_amount_of_a_matrix_is_its_shape_and_length():
    z = Name("z", 1).mathml
    assert describe_amount(z, np.array([[-0.123456]])) == (z, "−0.1235", "")
    name, *amount = describe_amount(z, np.array([[3.0, -4.0]]))
    assert (text_of(name), *amount) == ("‖z(1)‖", "5", "1×2")
    assert describe_amount(z, np.zeros((1, 784)))[1:] == ("0", "1×784")


# Formulas of one's own, and numbers at their limits


def test_what_cannot_be_followed_is_named_with_its_number(graph_of, sides):
    def f(z):
        return np.interp(z, [-9, 9], [-18, 18])

    own = Activation("bent<2>", f, lambda z, h: np.interp(z, [-9, 9], [2, 2]))
    graph = graph_of([2, 1, 1], own, level="operations")
    node = next(node for node in graph.nodes if node.kind == "function")
    texts = {step.phase: told.lines[0] for step, told in explained(graph) if step.nodes[0] is node}
    z, h = number(node.inputs[0].value.item()), number(node.value.item())
    assert text_of(texts[FORWARD].letters) == "h0(1)=bent<2>(z0(1))"
    assert text_of(texts[FORWARD].numbers) == f"h0(1)=bent<2>({z})={h}"
    assert text_of(texts[BACKWARD].letters) == "δ0(1)=∂L∂h0(1)·bent<2>′(z0(1))"
    assert text_of(list_local_derivatives(node)[0].numbers) == f"∂h0(1)∂z0(1)=bent<2>′({z})=2"


def test_an_own_loss_that_cannot_be_followed_is_named_with_its_number(graph_of):
    def formula(a, y):
        r = np.interp(a - y, [-99, 99], [-99, 99])
        return 0.5 * (r * r).sum(axis=1), r

    for level in ("operations", "matrices"):
        graph = graph_of([2, 2], loss=Loss("own", formula), level=level)
        (there,) = [
            told for step, told in explained(graph) if step.phase == FORWARD and step.nodes[0].kind == "loss"
        ]
        (back,) = [
            told for step, told in explained(graph) if step.phase == BACKWARD and step.nodes[0].kind == "loss"
        ]
        assert text_of(there.lines[0].letters) == "L=own(zj(1),yj)"
        assert text_of(there.lines[0].numbers) == f"L={number(graph.loss)}"
        slopes = (graph.nodes[-1].inputs[0].gradient if level == "matrices" else None, graph.gradient[-2:])
        assert [text_of(line.numbers).split("=")[1] for line in back.lines] == [number(g) for g in slopes[1]]


@pytest.mark.parametrize("options", [*WHOLE, {"path": ()}], ids=str)
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_large_logits_are_told_without_a_warning(problem, read, sides, uncertainty, loss, options):
    """exp(800) is beyond the range of floats, the loss of such a logit is not."""
    network, _, _ = problem([1, 2], loss=loss)
    network.theta = [800.0, -800.0, 0, 0]
    check(ComputationGraph(network, np.ones((1, 1)), [[0.0, 1.0]], **options), read, sides, uncertainty)


def test_the_slope_of_softmax_is_told_for_targets_that_do_not_sum_to_1(problem, read, sides, uncertainty):
    network, X, _ = problem([2, 3], loss="cross_entropy")
    check(ComputationGraph(network, X, [[0.9, 0.3, 0.5]]), read, sides, uncertainty)


@pytest.mark.parametrize("options", WHOLE, ids=str)
def test_a_network_of_zeros_is_told(problem, read, sides, uncertainty, options):
    network, X, y = problem([3, 2, 2], "relu")
    network.theta = 0
    check(ComputationGraph(network, X, y, **options), read, sides, uncertainty)
