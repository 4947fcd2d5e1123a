"""The pictures of graphs: every number has its place, and nothing lies over anything else."""

import io
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from tests.loops import for_each

from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.drawing import format_values, spread
from glassnet.graph.figure import Curve, Shape, Text, make_path
from glassnet.graph.neuron_drawing import find_corners, overlap
from glassnet.graph.notation import number
from glassnet.nn.activations import ACTIVATIONS, Activation
from glassnet.nn.network import Network

LARGE = [784, 256, 128, 10]
NORMALISED = {"batch_norm": True, "dropout": 0.5}
DRAWN = [
    ([3, 2, 1], {"level": "operations"}),
    ([4, 3, 2], {"level": "operations"}),
    ([3, 2, 1], {"level": "neurons"}),
    ([4, 4, 3, 3], {"level": "neurons"}),
    (LARGE, {"level": "neurons"}),
    ([3, 2, 1], {"level": "matrices"}),
    (LARGE, {"level": "matrices"}),
    ([3, 2, 1], {"path": ()}),
    (LARGE, {"path": ()}),
    ([3, 2, 1], {"neuron": (1, 1)}),
    (LARGE, {"neuron": (1, 3)}),
    (LARGE, {"neuron": (2, 3)}),
    (LARGE, {"neuron": (3, 3)}),
    ([1, 1], {"level": "operations"}),
    ([2, 3, 2], {"level": "operations", "loss": "huber", "output_scale": 0.3, "output_activation": "leaky_relu"}),
    ([2, 3, 2], {"level": "matrices", "loss": "huber", "output_scale": 0.3, "output_activation": "leaky_relu"}),
    ([2, 3, 2], {"level": "neurons", "loss": "huber", "output_scale": 0.3, "output_activation": "leaky_relu"}),
    ([4, 1, 2, 2], {"level": "operations", "activation": "identity"}),
    *(([3, 2, 2, 1], {"level": level, **NORMALISED}) for level in ("operations", "neurons", "matrices")),
    ([1, 1, 2], {"level": "operations", **NORMALISED}),
    ([784, 256, 10], {"path": (), **NORMALISED}),
    ([784, 256, 10], {"neuron": (1, 3), **NORMALISED}),
]
LEFT, TOP, RIGHT, BOTTOM = range(4)


CASES = {f"{case} n={n}": (n, case) for n in (1, 3) for case in DRAWN}
BY_NODE = [name for name, (_, (_, options)) in CASES.items() if options.get("level") != "neurons"]
BY_NEURON = [name for name in CASES if name not in BY_NODE]


@pytest.fixture(scope="module")
def drawings(graph_of):
    return {name: graph_of(layers, n=n, **options) for name, (n, (layers, options)) in CASES.items()}


def marks(graph, kind):
    return [mark for mark in graph.figure.marks if isinstance(mark, kind)]


def smaller(box, by=0.5):
    """Half a pixel may be lost in rounding."""
    return box[LEFT] + by, box[TOP] + by, box[RIGHT] - by, box[BOTTOM] - by


def shrunk(corners, by=0.5):
    """The corners of a box, which may be turned, a little nearer to its middle."""
    corners = np.array(corners)
    inwards = corners.mean(axis=0) - corners
    return corners + by * np.sqrt(2) * inwards / np.linalg.norm(inwards, axis=1, keepdims=True)


def collisions(graph):
    """Which texts lie over each other, over the shape of another node, and which shapes over each other."""
    texts, shapes = marks(graph, Text), marks(graph, Shape)
    name = {None: "legend"} | {index: str(node.name) for index, node in enumerate(graph.nodes)}
    both = [*texts, *shapes]
    corners = np.array([shrunk(find_corners(mark)) for mark in both])
    least, most = corners.min(axis=1), corners.max(axis=1)
    near = np.triu((least[:, None] < most).all(axis=2) & (least < most[:, None]).all(axis=2), 1)
    return [
        [(name[mark.node], getattr(mark, "content", "shape")) for mark in (both[one], both[other])]
        for one, other in np.argwhere(near)
        if type(both[one]) is type(both[other]) or both[one].node != both[other].node
        if overlap(corners[one], corners[other])
    ]


@for_each("name", CASES)
def test_nothing_lies_over_anything_else(drawings, name):
    graph = drawings[name]
    assert not collisions(graph)


@settings(max_examples=60)
@given(data=st.data())
def test_nothing_lies_over_anything_else_in_any_network(problem, views_of, data):
    layers = data.draw(st.lists(st.integers(1, 4) | st.integers(1, 12), min_size=2, max_size=5))
    names = st.sampled_from(sorted(ACTIVATIONS))
    activations, last = [data.draw(names) for _ in layers[1:-1]], data.draw(names)
    scale, seed = data.draw(st.sampled_from([1.0, 0.3, 10.0])), data.draw(st.integers(0, 1000))
    n = data.draw(st.sampled_from([1, 3]))
    options = {"output_activation": last, "output_scale": scale}
    options["batch_norm"] = [data.draw(st.booleans()) for _ in layers[1:-1]]
    options["dropout"] = [data.draw(st.sampled_from([0, 0.5])) for _ in layers[:-1]]
    network, X, y = problem(layers, activations, "half_squared_error", n, seed, **options)
    network.theta *= data.draw(st.sampled_from([1.0, 1e-6, -1e3]))
    with np.errstate(all="ignore"):
        assume(np.abs(network.forward(X).outputs).max() < 1e100)
    views = views_of(layers, np.random.default_rng(seed))
    assert not collisions(ComputationGraph(network, X, y, **data.draw(st.sampled_from(views))))


def points_of(curve):
    """Points along a curve, close to each other."""
    at, points = None, []
    t = np.linspace(0, 1, 80)[:, None]
    steps = iter(make_path(curve))
    for command, x, y in steps:
        if command == "L":
            points.append((1 - t) * at + t * np.array([x, y]))
        if command == "C":
            b, c, d = (np.array(p) for p in ((x, y), next(steps)[1:], next(steps)[1:]))
            points.append((1 - t) ** 3 * at + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)
            at = d
        else:
            at = np.array([x, y])
    return np.concatenate(points)


@for_each("name", BY_NODE)
def test_no_line_goes_through_a_node_that_it_does_not_join(drawings, name):
    graph = drawings[name]
    shapes = marks(graph, Shape)
    boxes = np.array([smaller(shape.extent) for shape in shapes])[:, None]
    for curve in marks(graph, Curve):
        points = points_of(curve)
        inside = (points > boxes[..., :2]).all(axis=2) & (points < boxes[..., 2:]).all(axis=2)
        crossed = {shapes[k].node for k in np.flatnonzero(inside.any(axis=1))} - {*curve.nodes}
        assert not crossed, [str(graph.nodes[index].name) for index in (*curve.nodes, *crossed)]


@for_each("name", CASES)
def test_every_line_touches_the_nodes_that_it_joins(drawings, name):
    graph = drawings[name]
    boxes = {shape.node: shape.extent for shape in marks(graph, Shape)}
    for curve in marks(graph, Curve):
        for index, (x, y) in zip(curve.nodes, (curve.points[0], curve.points[-1]), strict=True):
            box = smaller(boxes[index], -1)
            assert box[LEFT] <= x <= box[RIGHT]
            assert box[TOP] <= y <= box[BOTTOM]


@for_each("name", CASES)
def test_lines_lead_from_left_to_right(drawings, name):
    """But for weights and the like, which stand above their products, and targets, which stand behind the loss."""
    graph = drawings[name]
    for curve in marks(graph, Curve):
        source, node = (graph.nodes[index] for index in curve.nodes)
        (x1, _), (x2, _) = curve.points[0], curve.points[-1]
        if source.kind == "target":
            assert x1 > x2
        elif source.kind in ("weight", "constant", "bias", "scale", "mask"):
            assert x1 <= x2
        else:
            assert x1 < x2, (source.name, node.name)


@for_each("name", CASES)
def test_every_mark_is_on_the_sheet(drawings, name):
    graph = drawings[name]
    figure = graph.figure
    for mark in marks(graph, Text | Shape):
        left, top, right, bottom = mark.extent
        assert 0 <= left <= right <= figure.width
        assert 0 <= top <= bottom <= figure.height
    for curve in marks(graph, Curve):
        assert all(0 <= x <= figure.width and 0 <= y <= figure.height for x, y in points_of(curve))


@for_each("name", CASES)
def test_numbers_of_nodes_are_those_of_the_graph(drawings, name):
    graph = drawings[name]
    numbers = range(len(graph.nodes))
    legend = [mark for mark in marks(graph, Text) if mark.node is None]
    signs = ["●", "●", "δ", "━", "━"]
    assert [str(mark.content[0])[:1] for mark in legend] == signs[: 5 if graph.view.level == "neurons" else 3]
    for mark in marks(graph, Text | Shape):
        assert mark.node in numbers or mark in legend
    for curve in marks(graph, Curve):
        assert set(curve.nodes) <= set(numbers)
    shapes = [shape.node for shape in marks(graph, Shape)]
    assert len(set(shapes)) == len(shapes)
    assert graph.figure.descriptions.keys() == set(shapes)


@for_each("name", BY_NODE)
def test_node_by_node_every_node_and_every_edge_is_drawn(drawings, name):
    graph = drawings[name]
    assert {shape.node for shape in marks(graph, Shape)} == set(range(len(graph.nodes)))
    place = {node: index for index, node in enumerate(graph.nodes)}
    edges = [
        (place[source], place[node])
        for node in graph.nodes
        for source in node.inputs
        for _ in (source.inputs if source.kind == "softmax" else [0])  # a line at the height of each output
    ]
    assert sorted(curve.nodes for curve in marks(graph, Curve)) == sorted(edges)


@for_each("name", BY_NEURON)
def test_neuron_by_neuron_every_unit_and_every_connection_is_drawn(drawings, name):
    graph = drawings[name]
    shown_units = [min(d, 6) if d > 10 else d for d in graph.network.layers]
    softmax = sum(node.kind == "softmax" for node in graph.nodes)
    assert len(marks(graph, Shape)) == sum(shown_units) + softmax + 1
    lines = sum(a * b for a, b in pairwise(shown_units)) + (1 + softmax) * shown_units[-1]
    assert len(marks(graph, Curve)) == lines


@for_each("name", CASES)
def test_values_are_green_gradients_are_red_and_known_at_their_time(drawings, name):
    graph = drawings[name]
    traversal, figure = graph.traversal, graph.figure
    for text in marks(graph, Text):
        if text.colour in ("value", "gradient", "delta") and text.time:
            assert 1 <= text.time <= len(traversal.steps)
            forwards = text.time <= len(traversal.steps) // 2
            assert forwards == (text.colour == "value"), text
    assert any(text.colour == "value" for text in marks(graph, Text))
    assert figure.title.startswith("Computation graph of a network ")


@pytest.mark.parametrize(("layers", "options"), DRAWN[:2], ids=str)
def test_the_value_and_the_gradient_of_every_operation_are_written_beside_it(graph_of, layers, options):
    graph = graph_of(layers, **options)
    for index, node in enumerate(graph.nodes):
        own = [mark for mark in marks(graph, Text) if mark.node == index]
        said = {(mark.colour, mark.content[-1:]) for mark in own}
        if node.kind == "softmax":
            assert_probabilities_are_written(node, said)
            continue
        times = {mark.colour: mark.time for mark in own}
        if node.operation is not None:
            assert ("value", format_values(node, node.value)) in said
            red = "delta" if node.kind == "adder" else "gradient"
            assert (red, format_values(node, node.gradient)) in said
            assert times["value"] == graph.traversal.value[node]
        elif node.kind in ("target", "constant"):
            assert ("ink", format_values(node, node.value)) in said
        else:
            assert {
                ("ink", format_values(node, node.value)),
                ("gradient", format_values(node, node.gradient)),
            } <= said
            assert times["gradient"] == graph.traversal.gradient[node]


def test_a_weights_numbers_stand_along_its_line_where_no_other_line_is(graph_of):
    graph = graph_of([3, 2, 1], level="neurons")
    lines = [curve for curve in marks(graph, Curve) if curve.colour in ("positive", "negative")]
    turned = [text for text in marks(graph, Text) if text.angle]
    assert len(turned) >= 12
    for text in turned:
        beside = [curve for curve in lines if overlap(shrunk(text.corners), curve.points)]
        assert beside == []
        distances = {}
        for line in lines:
            (x1, y1), (x2, y2) = line.points
            away = abs((x1 - text.x) * (y2 - text.y) - (x2 - text.x) * (y1 - text.y)) / np.hypot(x2 - x1, y2 - y1)
            distances[away] = np.degrees(np.arctan2(y2 - y1, x2 - x1))
        assert min(distances) < 14
        assert text.angle == pytest.approx(distances[min(distances)])


def assert_probabilities_are_written(node, said):
    for unit in range(node.value.shape[1]):
        assert ("value", (number(node.value[0, unit], 3),)) in said
        assert ("gradient", (number(node.gradient[0, unit], 3),)) in said


def test_the_numbers_of_a_small_networks_neurons_are_all_written(graph_of):
    graph = graph_of([3, 2, 1], level="neurons")
    written = {(mark.colour, mark.content[-1:]) for mark in marks(graph, Text)}
    for node in graph.nodes:
        if node.kind == "weight":
            assert {
                ("value", format_values(node, node.value)),
                ("gradient", format_values(node, node.gradient)),
            } <= written
        if node.kind == "adder":
            assert ("delta", format_values(node, node.gradient)) in written
        if node.kind in ("function", "loss", "input", "bias"):
            assert ("value", format_values(node, node.value)) in written


def test_a_number_is_shown_short_and_a_matrix_as_its_length(graph_of):
    graph = graph_of([2, 2, 1], n=2, level="matrices")
    node = graph.nodes[0]
    assert format_values(node, np.array([[3.0, -4.0]])) == ("‖", node.name, "‖ = ", "5")
    assert format_values(node, np.array([[3.0, -4.0]]), "∂L/∂")[0] == "‖∂L/∂"
    assert format_values(node, np.array([[-0.123456]])) == ("−0.123",)
    alone = graph_of([2, 2, 1], n=2, level="operations").nodes[0]
    assert format_values(alone, np.array([[0.5], [0.25]])) == ("0.5", " …")


def test_heights_are_spread_around_the_middle():
    assert spread(1, 10) == [0]
    assert spread(4, 10) == [-15, -5, 5, 15]
    assert spread(3, 2.5) == [-2.5, 0, 2.5]


# The picture as a file


@for_each("name", CASES)
def test_the_picture_is_xml_and_the_same_again(drawings, name):
    graph = drawings[name]
    again = ComputationGraph(graph.network, graph.X, graph.targets, **choice(graph))
    for interactive in (False, True):
        svg = graph.figure.svg(interactive=interactive)
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert again.figure.svg(interactive=interactive) == svg


def choice(graph):
    """Options that ask for the same view."""
    if graph.view.level != "operations":
        return {"level": graph.view.level}
    if all(len(units) == d for units, d in zip(graph.view.alone, graph.network.layers, strict=True)):
        return {"level": "operations"}
    if all(len(units) == 1 for units in graph.view.alone):
        return {"path": [unit for (unit,) in graph.view.alone]}
    layer = next(at for at in reversed(range(len(graph.view.alone))) if graph.view.alone[at])
    return {"neuron": (layer, graph.view.alone[layer][0])}


@pytest.mark.parametrize(("layers", "options"), [DRAWN[0], DRAWN[3], DRAWN[8]], ids=str)
def test_the_picture_can_be_opened_as_png(graph_of, layers, options):
    figure = graph_of(layers, **options).figure
    image = imread(io.BytesIO(figure.write("png", 1)))
    assert image.shape[:2] == (figure.height, figure.width)
    assert image.std() > 0.05


@pytest.mark.parametrize("level", ["operations", "neurons", "matrices"])
@pytest.mark.parametrize("name", ["a<b&c", "$\\frac$", "]]>", '"quoted"'])
def test_activations_may_have_any_name(graph_of, level, name):
    own = Activation(name, np.tanh, lambda z, h: 1 - h * h)
    figure = graph_of([2, 2, 1], own, level=level).figure
    texts = ["".join(text.itertext()) for text in ElementTree.fromstring(figure.svg()).iter()]
    assert (name in texts) == (level != "neurons")
    assert figure.write("png", 1).startswith(b"\x89PNG")


def test_the_colour_and_the_strength_of_a_line_are_those_of_its_weight():
    network = Network([2, 1], loss="half_squared_error", initializer=np.array([0.5, -1.5, 0.0]))
    figure = ComputationGraph(network, [[1.0, 1.0]], [0.0], level="neurons").figure
    lines = {mark.colour: mark.width for mark in figure.marks if isinstance(mark, Curve) and mark.colour != "line"}
    assert set(lines) == {"positive", "negative"}
    assert lines["positive"] < lines["negative"]
