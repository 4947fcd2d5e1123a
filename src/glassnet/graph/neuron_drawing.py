"""The picture of a graph neuron by neuron: a circle a unit, a line a weight.

Numbers stand where there is room for them: a weight's on its line, near the neuron that it leads to. Where lines
are too many, the page says the numbers of the neuron that is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from glassnet.graph.drawing import MARGIN, format_values, spread
from glassnet.graph.figure import Box, Content, Curve, Figure, Shape, Text
from glassnet.graph.nodes import Node, Traversal
from glassnet.graph.notation import Name, number
from glassnet.locales.catalogue import Words

RADIUS = 24.0
COLUMN, PITCH = 270.0, 92.0
#: Where along its line a weight's number may stand, the first free place being taken.
PLACES = (0.7, 0.62, 0.54, 0.46, 0.38, 0.3)
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
        self.weights = {
            (outputs[node.layer, node.units], node.inputs[0]): node.inputs[1]
            for node in nodes
            if node.is_term and node.kind == "multiplier"
        }
        self.layers = [list(layer) for _, layer in groupby(outputs.values(), key=lambda unit: unit.layer)]
        self.place = {
            unit: (layer * COLUMN, y)
            for layer, units in enumerate(self.layers)
            for unit, y in zip(units, spread(len(units), PITCH), strict=True)
        }
        marks = [mark for unit in outputs.values() for mark in self.draw_unit(unit)]
        self.taken = [mark.extent for mark in marks]
        links = [link for unit in outputs.values() for link in self.draw_links(unit)]
        self.figure.marks = [line for line, _ in links]
        for line, weight in links if len(links) <= MOST_NUMBERS else ():
            if weight is not None:
                self.figure.marks += self.draw_numbers(line, weight)
        self.figure.marks += marks
        self.figure.fit(MARGIN)

    def draw_unit(self, unit: Node) -> list[Shape | Text]:
        x, y = self.place[unit]
        z = self.adders.get(unit)
        index = self.number[z or unit]
        kind = "neuron" if z else "input" if unit.layer == 0 else unit.kind
        self.figure.descriptions[index] = self.words.say("explain.neuron", kind=kind, name=unit.name)
        form = "hexagon" if unit.kind == "loss" else "box" if unit.is_matrix else "circle"
        width = 2 * RADIUS if not unit.is_matrix else 76.0
        more = self.words.say("explain.more_units", n=len(unit.units))
        names: tuple[Content, ...] = (more,) if unit.is_matrix else (unit.name,)
        value, gradient = self.traversal.value[unit], self.traversal.gradient[unit]
        marks: list[Shape | Text] = [
            Shape(form, x, y, width, 2 * RADIUS, "leaf" if z is None else "operation", index),
            Text(x, y + 4, names, anchor="middle", node=index),
            Text(x, y - RADIUS - 6, (format_values(unit, unit.value),), "value", "middle", node=index, time=value),
        ]
        content: tuple[Content, ...] = (format_values(unit, unit.gradient),)
        colour = "gradient"
        if z is not None:  # known once the neuron has taken in what came back
            content, colour = (Name("delta"), f" = {format_values(z, z.gradient)}"), "delta"
            gradient = self.traversal.passed[z]
        marks.append(Text(x, y + RADIUS + 15, content, colour, "middle", node=index, time=gradient))
        return marks

    def draw_links(self, unit: Node) -> list[Link]:
        """Return what leads to a unit."""
        z = self.adders.get(unit)
        sources = unit.inputs[: len(unit.inputs) // 2] if z is None else self.layers[unit.layer - 1]
        if unit.layer == 0:
            return []
        links = []
        for source in sources:
            weight = self.weights.get((unit, source))
            colour, width = "line", 1.2
            if weight is not None:
                w = float(weight.value[0, 0])
                colour, width = ("positive" if w >= 0 else "negative"), min(5.0, 1 + 2 * abs(w))
            start, end = self.place[source], self.place[unit]
            ends = self.number[self.adders.get(source) or source], self.number[z or unit]
            links.append((Curve((start, end), colour, width, ends), weight))
        return links

    def draw_numbers(self, line: Curve, weight: Node) -> list[Text]:
        """Return a weight and its gradient, where they meet nothing else; nothing if there is no room."""
        (x1, y1), (x2, y2) = line.points
        value, gradient = number(float(weight.value[0, 0]), 3), number(float(weight.gradient[0, 0]), 3)
        index, time = line.nodes[1], self.traversal.gradient[weight]
        for share in PLACES:
            x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
            pair = [
                Text(x, y - 3, (value,), "value", "middle", node=index),
                Text(x, y + 10, (gradient,), "gradient", "middle", node=index, time=time),
            ]
            if not any(overlap(text.extent, box) for text in pair for box in self.taken):
                self.taken += [text.extent for text in pair]
                return pair
        return []


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a point."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
