"""The picture of a graph neuron by neuron: a circle a unit, a line a weight.

The numbers of a weight stand along its line, the weight above it and its gradient below, where no other number is
and few other lines are. Where lines are too many, the page says the numbers of the neuron that is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby, pairwise

from glassnet.graph.drawing import MARGIN, SLOPE, format_values, list_meanings, spread
from glassnet.graph.figure import Content, Curve, Figure, Points, Shape, Text, text_width
from glassnet.graph.nodes import Node, Traversal
from glassnet.graph.notation import Name, number
from glassnet.graph.traced import find_source, plain
from glassnet.locales.catalogue import Words

RADIUS = 24.0
#: From one layer to the next, and to softmax and the loss.
COLUMN, LAST_COLUMN = 270.0, 185.0
#: From one unit to the next, without the lines of text below it.
PITCH, LINE = 84.0, 14.0
#: Where along its line a weight's numbers may stand.
PLACES = (0.28, 0.36, 0.44, 0.52, 0.6, 0.68, 0.76)
#: Lines with numbers, at most.
MOST_NUMBERS = 40


def draw_neurons(nodes: Sequence[Node], traversal: Traversal, title: str, words: Words) -> Figure:
    """Return the figure of an evaluated graph whose units stand alone, or are folded one group a layer."""
    return _Drawing(nodes, traversal, title, words).figure


#: A line between two units, and its weight; None where the line stands for several.
Link = tuple[Curve, Node | None]


class _Drawing:
    def __init__(self, nodes: Sequence[Node], traversal: Traversal, title: str, words: Words) -> None:
        self.traversal, self.words = traversal, words
        self.number = {node: index for index, node in enumerate(nodes)}
        self.figure = Figure(title)
        outputs = {(n.layer, n.units): n for n in nodes if n.operation or n.kind == "input"}  # the last of a unit
        # the pre-activation z of a unit, which inputs and the loss do not have; the one weight between two units
        self.adders = {outputs[n.layer, n.units]: n for n in nodes if n.kind == "adder"}
        self.own = {
            unit: [
                n for n in nodes if n.kind in ("bias", "scale") and (n.layer, n.units) == (unit.layer, unit.units)
            ]
            for unit in self.adders
            if not unit.is_matrix
        }
        self.weights = {
            (outputs[node.layer, node.units], node.inputs[0]): node.inputs[1]
            for node in nodes
            if node.is_term and node.kind == "multiplier"
        }
        self.layers = [
            list(layer)
            for _, layer in groupby(outputs.values(), key=lambda unit: (unit.layer, unit.kind == "loss"))
        ]
        self.place = self.place_units()
        marks = [mark for unit in outputs.values() for mark in self.draw_unit(unit)]
        links = [link for unit in outputs.values() for link in self.draw_links(unit)]
        self.figure.marks = [line for line, _ in links]
        self.lines = [line.points for line, weight in links if weight is not None]
        self.taken = [find_corners(mark) for mark in marks]
        for line, weight in links if len(links) <= MOST_NUMBERS else ():
            if weight is not None:
                self.figure.marks += self.draw_numbers(line, weight)
        self.figure.marks += marks
        self.figure.fit(MARGIN)
        signs = [(sign, words.say(f"explain.legend_{sign}")) for sign in ("positive", "negative")]
        self.figure.add_legend([*list_meanings(words), *signs])

    def place_units(self) -> dict[Node, tuple[float, float]]:
        """Return where the units stand."""
        below = max((sum(1 + has_slope(unit, leaf) for leaf in own) for unit, own in self.own.items()), default=0)
        pitch = PITCH + LINE * (1 + below + any(unit.label for layer in self.layers for unit in layer))
        place: dict[Node, tuple[float, float]] = {}
        x = 0.0
        for before, layer in pairwise([[], *self.layers]):
            if before:
                x += LAST_COLUMN if layer[0].kind in ("softmax", "loss") else COLUMN
            if layer[0].kind == "loss" and before[0].kind == "softmax":
                heights = [place[unit][1] for unit in before[0].inputs]
                place[before[0]] = place[before[0]][0], sum(heights) / len(heights)
            for unit, y in zip(layer, spread(len(layer), pitch), strict=True):
                place[unit] = x, y
        return place

    def draw_unit(self, unit: Node) -> list[Shape | Text]:
        x, y = self.place[unit]
        z = self.adders.get(unit)
        index = self.number[z or unit]
        kind = "neuron" if z else "input" if unit.layer == 0 else unit.kind
        self.figure.descriptions[index] = self.words.say("explain.neuron", kind=kind, name=unit.name)
        if unit.kind == "softmax":
            return self.draw_softmax(unit)
        form = "hexagon" if unit.kind == "loss" else "box" if unit.is_matrix else "circle"
        width = 2 * RADIUS if not unit.is_matrix else 76.0
        more = self.words.say("explain.more_units", n=len(unit.units))
        names: tuple[Content, ...] = (more,) if unit.is_matrix else (unit.name,)
        value, gradient = self.traversal.value[unit], self.traversal.gradient[unit]
        top, bottom = y - RADIUS - 6, y + RADIUS + LINE + 1
        marks: list[Shape | Text] = [
            Shape(form, x, y, width, 2 * RADIUS, "leaf" if z is None else "operation", index),
            Text(x, y + 4, names, anchor="middle", node=index),
            Text(x, top, format_values(unit, unit.value), "value", "middle", node=index, time=value),
        ]
        content, colour = format_values(unit, unit.gradient, SLOPE), "gradient"
        if z is not None:  # known once the neuron has taken in what came back
            content, colour = format_values(z, z.gradient, SLOPE), "delta"
            if not z.is_matrix:
                content = Name("delta"), " = ", *content
            gradient = self.traversal.passed[z]
        marks.append(Text(x, bottom, content, colour, "middle", node=index, time=gradient))
        if unit.label:
            marks.append(Text(x, top - LINE, (unit.label,), "faint", "middle", node=index))
        for leaf in self.own.get(unit, ()):
            bottom += LINE
            said = Name(leaf.name.letter), " = ", *format_values(leaf, leaf.value)
            marks.append(Text(x, bottom, said, "value", "middle", node=index))
            if has_slope(unit, leaf):
                bottom += LINE
                slope, time = format_values(leaf, leaf.gradient), self.traversal.gradient[leaf]
                marks.append(Text(x, bottom, slope, "gradient", "middle", node=index, time=time))
        return marks

    def draw_softmax(self, unit: Node) -> list[Shape | Text]:
        """Return a box as high as the outputs are, and beside it the probabilities of those that stand alone."""
        x, y = self.place[unit]
        index, value, gradient = self.number[unit], self.traversal.value[unit], self.traversal.gradient[unit]
        heights = [self.place[source][1] for source in unit.inputs]
        height = max(heights) - min(heights) + 2 * RADIUS
        width = text_width((unit.kind,)) + 10
        marks: list[Shape | Text] = [
            Shape("square", x, y, width, height, "operation", index),
            Text(x, y + 4, (unit.kind,), anchor="middle", node=index),
        ]
        for source in unit.inputs:
            if source.is_matrix:
                continue
            at, beside = list(source.units), (x + width / 2 + 5, self.place[source][1])
            said = Name("p", None, source.units), " = ", *format_values(source, unit.value[:, at])
            marks.append(Text(beside[0], beside[1] - 6, said, "value", node=index, time=value))
            slope = format_values(source, unit.gradient[:, at])
            marks.append(Text(beside[0], beside[1] + LINE, slope, "gradient", node=index, time=gradient))
        return marks

    def draw_links(self, unit: Node) -> list[Link]:
        """Return what leads to a unit."""
        z = self.adders.get(unit)
        sources = self.layers[unit.layer - 1] if z else [one for one in unit.inputs if one.kind != "target"]
        if unit.layer == 0:
            return []
        links = []
        for source in sources:
            weight = self.weights.get((unit, source))
            colour, width, live = "line", 1.2, ""
            if weight is not None:
                w = float(plain(weight.value)[0, 0])
                colour, width = ("positive" if w >= 0 else "negative"), min(5.0, 1 + 2 * abs(w))
                live = find_source(weight.value[0, 0])
            ends = self.number[self.adders.get(source) or source], self.number[z or unit]
            links += [(Curve(points, colour, width, ends, live), weight) for points in self.route(source, unit)]
        return links

    def route(self, source: Node, unit: Node) -> list[Points]:
        """Return the lines from one unit to another; from softmax one at the height of each output."""
        start, end = self.place[source], self.place[unit]
        if unit.kind == "softmax":
            return [(start, (end[0], start[1]))]
        if source.kind != "softmax":
            return [(start, end)]
        heights = [self.place[output][1] for output in source.inputs]
        bend = end[0] - RADIUS - 12
        return [
            ((start[0], y), end) if abs(y - end[1]) < 1 else ((start[0], y), (bend - 18, y), (bend, end[1]), end)
            for y in heights
        ]

    def draw_numbers(self, line: Curve, weight: Node) -> list[Text]:
        """Return a weight and its gradient along its line; nothing if they meet other numbers everywhere."""
        (x1, y1), (x2, y2) = line.points
        value, gradient = number(weight.value[0, 0], 3), number(weight.gradient[0, 0], 3)
        index, time, angle = line.nodes[1], self.traversal.gradient[weight], math.atan2(y2 - y1, x2 - x1)
        others = [other for other in self.lines if other != line.points]
        best: tuple[int, list[Text]] | None = None
        for share in PLACES:
            x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
            pair = [
                Text(
                    x - away * math.sin(angle), y + away * math.cos(angle), (shown,), colour, "middle",
                    node=index, time=since, angle=math.degrees(angle),
                )
                for away, shown, colour, since in ((-5, value, "value", 0), (13, gradient, "gradient", time))
            ]  # fmt: skip
            boxes = [text.corners for text in pair]
            if any(overlap(box, other) for box in boxes for other in self.taken):
                continue
            crossed = sum(overlap(box, other) for box in boxes for other in others)
            if best is None or crossed < best[0]:
                best = crossed, pair
        if best is None:
            return []
        self.taken += [text.corners for text in best[1]]
        return best[1]


def has_slope(unit: Node, leaf: Node) -> bool:
    """Whether the gradient of a unit's bias or scale is written; of one row, that of a bias is delta."""
    return len(unit.value) > 1 or leaf.kind == "scale"


def find_corners(mark: Shape | Text) -> Points:
    """Return the corners of the box around a mark."""
    if isinstance(mark, Text):
        return mark.corners
    left, top, right, bottom = mark.extent
    return (left, top), (right, top), (right, bottom), (left, bottom)


def overlap(one: Points, other: Points) -> bool:
    """Whether two convex forms, or lines, share a point: there is no direction in which they lie apart."""
    for axis in (0, 1):  # most do in one of these
        first, second = ([point[axis] for point in points] for points in (one, other))
        if max(first) <= min(second) or max(second) <= min(first):
            return False
    for form in (one, other):
        for (x1, y1), (x2, y2) in zip(form, (*form[1:], form[0]), strict=True):
            first, second = ([(y1 - y2) * x + (x2 - x1) * y for x, y in points] for points in (one, other))
            if max(first) <= min(second) or max(second) <= min(first):
                return False
    return True
