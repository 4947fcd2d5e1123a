"""The picture of a graph node by node: layers from left to right, values and gradients on the edges.

The structure gives the layout: in every layer a column of products, one of adders, one of functions; a neuron's
products stand in rows under each other, its adder and function in the middle of them, and so what batch
normalisation and dropout add. Units that are folded into matrices are one row at the foot of their layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glassnet.graph.figure import Content, Curve, Figure, Points, Shape, Text, text_width
from glassnet.graph.nodes import Function, Node, Traversal, list_consumers
from glassnet.graph.notation import Name, length, number
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array

RADIUS = 14.0
LEAF_HEIGHT = 20.0
#: From one product of a neuron to the next, and the row of the bias.
ROW, BIAS_ROW, MATRIX_ROW, GAP = 66.0, 44.0, 96.0, 16.0
#: How far a weight stands above its product.
ABOVE = 36.0
#: Room for lines to fan out.
FAN = 64.0
MARGIN = 14.0

#: What stands before the name of a matrix where it is its gradient.
SLOPE = "∂L/∂"

OPERATION_SIGNS = {
    "adder": "+",
    "sum": "+",
    "multiplier": "×",
    "normalisation": "norm",
    "matmul": "×",
    "loss": "L",
    "selection": "[i]",
    "softmax": "softmax",
}

#: What may follow the sum of a unit's products, in this order; a multiplier is called by its other factor.
STAGES = ("normalisation", "scale", "adder", "function", "mask", "constant")


def format_values(node: Node, values: Array, by: str = "") -> tuple[Content, ...]:
    """Return a number of a node as it stands; of a unit in several rows the first; of a matrix its norm.

    `by` stands before the node's name in a norm, where the values are not its own.
    """
    if values.size == 1:
        return (number(values[0, 0], 3),)
    if node.is_matrix:
        return f"‖{by}", node.name, "‖ = ", number(length(values), 3)
    return number(values[0, 0], 3), " …"


def list_meanings(words: Words, *colours: str) -> list[tuple[str, str]]:
    """Return what colours of numbers and lines mean; of the gradients a delta has its letter, everywhere."""
    entries = {
        "value": ("● ", "explain.legend_value"),
        "gradient": ("● ", "explain.legend_gradient"),
        "delta": ("", "explain.legend_delta"),
        "positive": ("━ ", "explain.legend_positive"),
        "negative": ("━ ", "explain.legend_negative"),
    }
    return [(colour, entries[colour][0] + words.say(entries[colour][1])) for colour in colours]


def draw(nodes: Sequence[Node], traversal: Traversal, title: str, words: Words) -> Figure:
    """Return the figure of an evaluated graph."""
    return _Drawing(nodes, traversal, title, words).figure


class _Drawing:
    def __init__(self, nodes: Sequence[Node], traversal: Traversal, title: str, words: Words) -> None:
        self.nodes, self.traversal, self.words = nodes, traversal, words
        self.number = {node: index for index, node in enumerate(nodes)}
        self.consumers = list_consumers(nodes)
        self.place: dict[Node, tuple[float, float]] = {}
        self.bend: dict[int, float] = {}  # where the lines that leave a layer bend
        self.straight: dict[int, float] = {}  # where those that come to a layer are straight again
        self.figure = Figure(title)
        leaves = [node for node in nodes if node.kind == "input"]
        half = max(self.half_width(leaf) for leaf in leaves)
        for leaf, y in zip(leaves, spread(len(leaves), ROW), strict=True):
            self.place[leaf] = MARGIN + half, y
        x = self.place_stages(0, leaves)
        for layer in range(1, nodes[-1].layer):
            x = self.place_layer(layer, x)
        self.place_loss(x)
        for draw_part in (self.draw_edges, self.draw_shape, self.draw_labels):
            for node in nodes:
                draw_part(node)
        self.figure.fit(MARGIN)
        self.figure.add_legend(list_meanings(words, "value", "gradient", "delta"))

    def place_layer(self, layer: int, x: float) -> float:
        """Place the nodes of a layer to the right of x, and return where the numbers beside it end."""
        own = [node for node in self.nodes if node.layer == layer and node.kind != "selection"]
        products = [node for node in own if node.is_term]
        joints = list(dict.fromkeys(joint for product in products for joint in self.consumers[product]))
        selections = [node for product in products for node in product.inputs if node.kind == "selection"]
        self.bend[layer - 1] = x
        leaf = max(self.half_width(node.inputs[-1]) for node in products)
        arrival = max(leaf, *(self.passed_width(node) for node in products)) + 6
        chain = len(products) == 1 and len(products[0].inputs) == 2
        self.straight[layer] = x + (FAN / 4 if chain else FAN)
        terms = self.straight[layer] + arrival
        if selections:
            terms += 2 * RADIUS + max(self.out_width(node) for node in selections)
        numbers = max(self.out_width(node) for product in products for node in (product, product.inputs[-1]))
        add = terms + numbers + FAN / 1.5 + RADIUS
        top = -sum(map(_measure_block, joints)) / 2
        for joint in joints:
            self.place_block(joint, terms, add, top)
            top += _measure_block(joint)
        for node in selections:
            beside = self.place[self.consumers[node][0]]
            self.place[node] = self.straight[layer] + 2 * RADIUS, beside[1]
        if chain and layer == 1:  # the input was placed before it was known how high the product stands
            down = self.place[products[0]][1] - self.place[products[0].inputs[0]][1]
            for node in self.nodes:
                if node.layer == 0:
                    self.place[node] = self.place[node][0], self.place[node][1] + down
        return self.place_stages(layer, joints)

    def place_stages(self, layer: int, last: list[Node]) -> float:
        """Place what follows the last nodes of a layer, stage by stage to the right; return where it ends."""
        own = [node for node in self.nodes if node.layer == layer and node.operation and not node.is_term]
        for stage in STAGES:
            after = [
                node
                for node in own
                if node not in self.place
                if stage == (node.inputs[-1].kind if node.kind == "multiplier" else node.kind)
            ]
            if not after:
                continue
            x = max(self.right(node) for node in last)
            x += 8 + max(self.half_width(n) for node in after for n in (node, *_find_leaf_above(node)))
            last = [*(node for node in last if node.is_matrix), *after] if stage == "normalisation" else after
            for node in after:
                y = self.place[node.inputs[0]][1]
                self.place[node] = x, y
                for leaf in _find_leaf_above(node):
                    self.place[leaf] = x, y - ABOVE
        return max(self.right(node) for node in last)

    def place_block(self, joint: Node, terms: float, add: float, top: float) -> None:
        """Place the node that takes in a unit's products, and these."""
        products = [node for node in joint.inputs if node.is_term]
        y = top + ABOVE + LEAF_HEIGHT / 2
        for product in products:
            self.place[product] = terms, y
            self.place[product.inputs[-1]] = terms, y - ABOVE
            y += ROW
        if joint.is_matrix:
            self.place[joint] = add, y - ROW
            for bias in _find_leaf_above(joint):
                self.place[bias] = add, y - ROW - ABOVE
        elif joint.kind == "adder":
            self.place[joint.inputs[-1]] = terms, y - ABOVE + LEAF_HEIGHT / 2
            self.place[joint] = add, top + (_measure_block(joint) - GAP) / 2
        else:
            self.place[joint] = add, y - ROW * (len(products) + 1) / 2

    def place_loss(self, x: float) -> None:
        loss = self.nodes[-1]
        targets = [node for node in loss.inputs if node.kind == "target"]
        outputs = [node for node in loss.inputs if node.kind != "target"]
        if outputs[0].kind == "softmax":
            x, outputs = self.place_softmax(outputs[0], x), list(outputs[0].inputs)
        self.bend[loss.layer - 1] = x
        self.straight[loss.layer] = x + (FAN if len(outputs) > 1 else 6)
        x = self.straight[loss.layer] + 6 + RADIUS
        y = sum(self.place[node][1] for node in outputs) / len(outputs)
        self.place[loss] = x, y
        half = max(self.half_width(node) for node in targets)
        x += RADIUS + 30 + half + (FAN / 2 if len(targets) > 1 else 0)
        pitch = (2.1 if any(node.label for node in targets) else 1.6) * LEAF_HEIGHT
        for node, dy in zip(targets, spread(len(targets), pitch), strict=True):
            self.place[node] = x, y + dy

    def place_softmax(self, node: Node, x: float) -> float:
        """Place softmax, which reaches from the first output to the last; return where its numbers end."""
        heights = [self.place[source][1] for source in node.inputs]
        self.place[node] = x + 6 + self.half_width(node), sum(heights) / len(heights)
        widths = [self.probability_width(entry) for entry in self.entries(node)]
        return self.place[node][0] + max(widths or [self.out_width(node)])

    def entries(self, node: Node) -> list[tuple[float, tuple[Content, ...], tuple[Content, ...]]]:
        """Return, for each output that stands alone, its height, its probability and what comes back to this."""
        return [
            (
                self.place[source][1],
                (Name("p", None, source.units), " = ", *format_values(source, node.value[:, list(source.units)])),
                format_values(source, node.gradient[:, list(source.units)]),
            )
            for source in node.inputs
            if not source.is_matrix
        ]

    def probability_width(self, entry: tuple[float, tuple[Content, ...], tuple[Content, ...]]) -> float:
        """Return how far a probability reaches to the right of the middle of softmax."""
        return text_width((OPERATION_SIGNS["softmax"],)) / 2 + 10 + max(map(text_width, entry[1:]))

    def half_width(self, node: Node) -> float:
        if node.operation is None:
            return max(text_width(self.leaf_text(node)) / 2 + 7, text_width((node.label,)) / 2)
        return max(RADIUS, text_width((_choose_sign(node),)) / 2 + 4)

    def out_width(self, node: Node) -> float:
        """Return how far a node and the numbers beside it reach to the right of its middle."""
        texts = [self.gradient_text(node)]
        if node.operation is not None:
            texts.append(format_values(node, node.value))
        return self.half_width(node) + 6 + max(text_width(text) for text in texts)

    def right(self, node: Node) -> float:
        above = [leaf for leaf in _find_leaf_above(node) if self.is_above(leaf)]
        return self.place[node][0] + max(self.out_width(n) for n in (node, *above))

    def is_above(self, leaf: Node) -> bool:
        """Whether a leaf stands above what takes it in: then no line leaves it on the right."""
        return abs(self.place[leaf][0] - self.place[self.consumers[leaf][0]][0]) < 1

    def passed_width(self, product: Node) -> float:
        """Return how far what a product passes back reaches to the left of its middle."""
        passed = product.passed[0]
        if product.kind != "multiplier" or passed is None:
            return RADIUS
        return RADIUS + 5 + text_width(format_values(product.inputs[0], passed, SLOPE))

    def leaf_text(self, leaf: Node) -> tuple[Content, ...]:
        if leaf.is_matrix:
            return leaf.name, f" {_describe_shape(leaf.value)}"
        return leaf.name, " = ", *format_values(leaf, leaf.value)

    def gradient_text(self, node: Node) -> tuple[Content, ...]:
        """Return the gradient; an adder's is the delta of its layer."""
        if node.kind != "adder":
            return format_values(node, node.gradient, SLOPE)
        delta = Name("delta", node.layer, node.name.places)
        if node.is_matrix and node.gradient.size > 1:
            return "‖", delta, "‖ = ", number(length(node.gradient), 3)
        return delta, " = ", *format_values(node, node.gradient)

    def draw_shape(self, node: Node) -> None:
        x, y = self.place[node]
        index = self.number[node]
        about = {"kind": node.kind, "name": node.name, "shape": _describe_shape(node.value)}
        self.figure.descriptions[index] = self.words.say("explain.node", **about)
        width = 2 * self.half_width(node)
        if node.operation is None:
            self.figure.marks.append(Shape("box", x, y, width, LEAF_HEIGHT, "leaf", index))
            self.write(node, x, y + 4, *self.leaf_text(node), anchor="middle")
            if node.label:
                self.write(node, x, y - LEAF_HEIGHT / 2 - 5, node.label, colour="faint", anchor="middle")
            return
        square = node.kind in ("function", "normalisation", "matmul", "softmax")
        form = "square" if square else "hexagon" if node.kind == "loss" else "circle"
        height = 2 * RADIUS
        if node.kind == "softmax":
            height += self.place[node.inputs[-1]][1] - self.place[node.inputs[0]][1]
        self.figure.marks.append(Shape(form, x, y, width, height, "operation", index))
        self.write(node, x, y + 4.5, _choose_sign(node), anchor="middle")

    def draw_edges(self, node: Node) -> None:
        x, y = self.place[node]
        for k, source in enumerate(node.inputs):
            sx, sy = self.place[source]
            ends = self.number[source], self.number[node]
            if abs(sx - x) < 1:  # a weight above its product
                points: Points = ((sx, sy + LEAF_HEIGHT / 2), (x, y - RADIUS))
            elif source.kind == "softmax":
                self.figure.marks += [Curve(self.leave(source, at, x, y), nodes=ends) for at in source.inputs]
                continue
            elif sx > x:  # a target, right of the loss
                points = ((sx - self.half_width(source), sy), (x + RADIUS, y))
            else:
                points = self.route(node, source)
            self.figure.marks.append(Curve(points, nodes=ends))
            passed = node.passed[k]
            shared = len(self.consumers[source]) > 1 and node.kind not in ("matmul", "selection")
            if shared and passed is not None:
                text, time = format_values(source, passed, SLOPE), self.traversal.passed[node]
                self.write(node, x - RADIUS - 5, y + 14, *text, colour="gradient", anchor="end", time=time)

    def leave(self, softmax: Node, output: Node, x: float, y: float) -> Points:
        """Return a line from softmax, at the height of an output, to the loss."""
        start, height = self.place[softmax][0] + self.half_width(softmax), self.place[output][1]
        if abs(height - y) < 1:
            return (start, height), (x - RADIUS, y)
        layer = softmax.layer - 1
        return (start, height), (self.bend[layer], height), (self.straight[layer + 1], y), (x - RADIUS, y)

    def route(self, node: Node, source: Node) -> Points:
        """Return a line that leaves a node's numbers behind before it bends, and is straight again at its end."""
        (sx, sy), (x, y) = self.place[source], self.place[node]
        start, end = sx + self.half_width(source), x - self.half_width(node)
        if abs(sy - y) < 1 or node.kind == "softmax":
            return (start, sy), (end, sy)
        if node.kind in ("adder", "sum"):
            return (start, sy), (end - FAN / 1.5, sy), (end - 4, y), (end, y)
        return (start, sy), (self.bend[source.layer], sy), (self.straight[source.layer + 1], y), (end, y)

    def draw_labels(self, node: Node) -> None:
        """Write what comes out of a node, above its line, and what comes back to it, below."""
        x, y = self.place[node]
        value, gradient = self.traversal.value[node], self.traversal.gradient[node]
        if node.is_given:
            return
        if node.kind == "loss":
            name = node.name, " = ", *format_values(node, node.value)
            self.write(node, x, y + RADIUS + 14, *name, colour="value", anchor="middle", time=value)
            text = self.gradient_text(node)
            self.write(node, x, y + RADIUS + 28, *text, colour="gradient", anchor="middle", time=gradient)
            return
        beside, below = x + self.half_width(node) + 5, y + 14
        if node.kind == "softmax" and (entries := self.entries(node)):
            for height, probability, slope in entries:
                self.write(node, beside, height - 6, *probability, colour="value", time=value)
                self.write(node, beside, height + 14, *slope, colour="gradient", time=gradient)
            return
        if node.operation is None:
            below = y + 4 if self.is_above(node) else below
        else:
            self.write(node, beside, y - 6, *format_values(node, node.value), colour="value", time=value)
        colour = "delta" if node.kind == "adder" else "gradient"
        self.write(node, beside, below, *self.gradient_text(node), colour=colour, time=gradient)
        if node.kind in ("adder", "sum", "normalisation", "function", "selection"):
            size = f" {_describe_shape(node.value)}" if node.is_matrix else ""
            self.write(node, x, y + RADIUS + 17, node.name, size, colour="faint", anchor="middle")

    def write(self, node: Node, x: float, y: float, *content: Content, **style: Any) -> None:
        """Write a text that belongs to a node."""
        self.figure.marks.append(Text(x, y, content, node=self.number[node], **style))


def _choose_sign(node: Node) -> str:
    """Return the sign of an operation: a function's is the name of its activation."""
    if isinstance(node.operation, Function):
        return {"sigmoid": "σ"}.get(node.operation.activation.name, node.operation.activation.name)
    return OPERATION_SIGNS[node.kind]


def _find_leaf_above(node: Node) -> tuple[Node, ...]:
    """Return the leaf above a node, if there is one; only the bias of a sum of several stands below them."""
    return node.inputs[-1:] if node.kind in ("multiplier", "adder") else ()


def _describe_shape(values: Array) -> str:
    return f"{values.shape[0]}×{values.shape[1]}"


def spread(count: int, pitch: float) -> list[float]:
    """Return heights around 0."""
    return [(index - (count - 1) / 2) * pitch for index in range(count)]


def _measure_block(joint: Node) -> float:
    if joint.is_matrix:
        return MATRIX_ROW + GAP
    products = sum(node.is_term for node in joint.inputs)
    return max(products * ROW + (BIAS_ROW if joint.kind == "adder" else 0), MATRIX_ROW) + GAP
