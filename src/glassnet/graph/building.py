"""From a network and a batch to the nodes of its computation graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glassnet.graph.nodes import (
    Adder,
    Columns,
    Function,
    LossFunction,
    Matmul,
    Multiplier,
    Node,
    Normalisation,
    Operation,
    Selection,
    Softmax,
    cross_entropy,
)
from glassnet.graph.notation import OTHERS, Name
from glassnet.graph.views import View
from glassnet.nn.activations import IDENTITY, Array, softmax_of_finite
from glassnet.nn.dropout import keep_mask
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.parameters import Parameters

Places = tuple[int | str, ...]
Units = Sequence[int] | Array

#: The slope -y / p of a smaller one might overflow; then the loss takes the logits.
LEAST_PROBABILITY = 1e-200

#: Letters of a name that are shown.
LONGEST_LABEL = 18

#: What a node holds before it is computed.
NOTHING = np.zeros((0, 0))


def build(
    network: Network,
    X: Array,
    targets: Array,
    view: View,
    training: Array | None = None,
    input_names: Sequence[str] = (),
) -> list[Node]:
    """Return the nodes, inputs before what is made of them, the loss last; nothing is computed yet.

    A unit that stands alone is a multiplier for each of its inputs, one adder of all products and the bias, and a
    function; the identity is no function. All other units of a layer are one matmul, one adder and one function.
    Where the layer normalises, the sum of the products comes first, then its normalisation, a multiplier by gamma,
    and the adder of the bias. What dropout leaves of an input, or of a unit, is a multiplier by the mask.

    The network is in float64; X and the targets, of shape (n, d_0) and (n, d_L), are what its `input_batch` and
    `encode` return. For a step of training, `training` holds the keys of the dropout masks, see `Network.forward`.
    """
    return _Builder(network, view, len(X), training, input_names).build(X, targets)


def make_name(letter: str, layer: int | None, places: Places) -> Name:
    """Return a name, its letter small for a unit and great for a matrix."""
    is_unit = bool(places) and places[-1] != OTHERS
    return Name(letter if is_unit else letter.upper(), layer, places)


class _Builder:
    def __init__(
        self, network: Network, view: View, n: int, training: Array | None, input_names: Sequence[str]
    ) -> None:
        self.input_names = input_names
        self.network, self.view, self.training = network, view, training
        self.by_batch = training is not None
        self.masks = [
            None if training is None or not rate else keep_mask(training[layer], n, d, rate, np.float64)
            for layer, (rate, d) in enumerate(zip(network.dropout, network.layers, strict=False))
        ]
        self.places = Parameters(network.layers, np.int64, network.parameters.batch_norm)
        self.places.theta[:] = np.arange(len(network.theta))
        self.places.statistics[:] = np.arange(len(self.places.statistics))
        self.nodes: list[Node] = []
        self.layer = Columns(())  # of the layer that was built last
        self.parts: list[Node] = []

    def build(self, X: Array, targets: Array) -> list[Node]:
        self.layer, inputs = self.add_leaves("x", "input", 0, X)
        self.parts = [self.add_dropout("x", part, name_layer=False) for part in inputs]
        for layer in range(1, len(self.network.layers)):
            columns, alone = self.group_units(layer), self.view.alone[layer]
            neurons = [self.add_neuron(layer, unit) for unit in alone]
            rest = [self.add_matrix(layer, units) for units in columns.units[len(alone) :]]
            self.layer, self.parts = columns, [*neurons, *rest]
        outputs, last, loss, made = self.parts, len(self.network.layers), self.network.loss, self.layer
        if self.shows_softmax(X, targets):
            everything = np.arange(self.network.layers[-1])
            loss, made = Loss(loss.name, cross_entropy, reduction=loss.reduction), Columns((everything,))
            operation = Softmax(self.layer)
            outputs = [self.add_operation("p", (), last, everything, operation, outputs, name_layer=False)]
        columns, wanted = self.add_leaves("y", "target", last - 1, targets)
        ending = LossFunction(loss, made, columns)
        self.add_operation("L", (), last, (), ending, [*outputs, *wanted], name_layer=False)
        return self.nodes

    def shows_softmax(self, X: Array, targets: Array) -> bool:
        """Whether softmax is a node of its own; it is not where a probability that counts is all but 0."""
        if self.network.loss.output != "softmax":
            return False
        with np.errstate(all="ignore"):  # what overflows is found when the graph is gone through
            outputs = self.network.forward(X, self.training).outputs
            return bool((softmax_of_finite(outputs)[targets > 0] > LEAST_PROBABILITY).all())

    def group_units(self, layer: int) -> Columns:
        """Return how the units of a layer are spread over its nodes: those that stand alone, then the rest."""
        alone = self.view.alone[layer]
        rest = np.setdiff1d(np.arange(self.network.layers[layer]), alone)
        return Columns((*(np.array([unit]) for unit in alone), *([rest] if len(rest) else [])))

    def matrix_places(self, layer: int) -> tuple[str, ...]:
        """Return the places of a matrix of a layer: none where it holds all units."""
        return (OTHERS,) if self.view.alone[layer] else ()

    def add_leaves(self, letter: str, kind: str, layer: int, values: Array) -> tuple[Columns, list[Node]]:
        """Add leaves for the columns of X, or of the targets: those of the units alone, and one of the rest."""
        columns = self.group_units(layer)
        at = layer if kind == "input" else layer + 1
        places: list[Places] = [*((unit,) for unit in self.view.alone[layer]), self.matrix_places(layer)]
        nodes = [
            self.add_leaf(make_name(letter, None, place), kind, at, units, values[:, units])
            for place, units in zip(places, columns.units, strict=False)
        ]
        for node in nodes:
            node.label = self.find_label(layer, node.units)
        return columns, nodes

    def find_label(self, layer: int, units: Units) -> str:
        """Return what the user calls an input, or an output, that stands alone; shortened where it is long."""
        names = {0: self.input_names, len(self.network.W): self.network.class_names or ()}.get(layer, ())
        name = names[units[0]] if len(units) == 1 and len(names) == self.network.layers[layer] else ""
        return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"

    def add_leaf(
        self, name: Name, kind: str, layer: int, units: Units, value: Array, positions: Array | None = None
    ) -> Node:
        node = Node(name, kind, layer, tuple(map(int, units)), np.array(value, float), positions=positions)
        self.nodes.append(node)
        return node

    def add_parameters(self, name: Name, kind: str, layer: int, units: Array, at: Array) -> Node:
        """Add the leaf of the parameters that stand in theta at some places."""
        return self.add_leaf(name, kind, layer, units, self.network.theta[at], at)

    def add_weights(self, places: Places, layer: int, rows: Array, units: Array) -> Node:
        """Add the leaf of the weights that lead from some units of the layer before (`rows`) to some `units`."""
        positions = self.places.W[layer - 1][np.ix_(rows, units)]
        return self.add_parameters(make_name("w", layer, places), "weight", layer, units, positions)

    def add_operation(
        self,
        letter: str,
        places: Places,
        layer: int,
        units: Units,
        operation: Operation,
        inputs: Sequence[Node],
        name_layer: bool = True,
    ) -> Node:
        """Add an operation, called by a letter and places, with the layer above the letter where that is named."""
        name = make_name(letter, layer if name_layer else None, places)
        node = Node(name, operation.kind, layer, tuple(map(int, units)), NOTHING, operation, tuple(inputs))
        self.nodes.append(node)
        return node

    def take_unit(self, layer: int, unit: int) -> Node:
        """Return the node of one unit of the layer built last, cut out of a matrix where it has none."""
        units, part = next(pair for pair in zip(self.layer.units, self.parts, strict=True) if unit in pair[0])
        if len(units) == 1:
            return part
        column = int(np.flatnonzero(units == unit)[0])
        letter = "h" if self.masks[layer] is None else "h~"
        return self.add_operation(letter, (unit,), layer, [unit], Selection(column), [part])

    def add_neuron(self, layer: int, unit: int) -> Node:
        """Add the operations of one unit, from the outputs of the layer before."""
        units, terms = np.array([unit]), []
        inputs = self.view.inputs[layer - 1]
        for i in inputs:
            source = self.take_unit(layer - 1, i)
            weight = self.add_weights((i, unit), layer, np.array([i]), units)
            terms.append(self.add_operation("u", (i, unit), layer, units, Multiplier(), [source, weight]))
        others = np.setdiff1d(np.arange(self.network.layers[layer - 1]), inputs)
        if len(others):
            terms.append(self.add_product("u", (OTHERS, unit), layer, others, units))
        if self.normalises(layer):
            terms = [self.add_operation("a", (unit,), layer, units, Adder("sum"), terms)]
        return self.add_output((unit,), layer, units, terms)

    def add_matrix(self, layer: int, units: Array) -> Node:
        """Add the units of a layer that are folded into matrices."""
        places = self.matrix_places(layer)
        everything = np.arange(self.network.layers[layer - 1])
        letter = "a" if self.normalises(layer) else "u"
        product = self.add_product(letter, places, layer, everything, units)
        return self.add_output(places, layer, units, [product])

    def normalises(self, layer: int) -> bool:
        """Whether a layer has batch normalisation."""
        return self.network.gamma[layer - 1] is not None

    def add_product(self, letter: str, places: Places, layer: int, taken: Array, units: Array) -> Node:
        """Add the product of some outputs of the layer before (`taken`) and the weights from them to `units`."""
        weights = self.add_weights(places, layer, taken, units)
        parts = [
            (own, part)
            for own, part in zip(self.layer.units, self.parts, strict=True)
            if np.isin(own, taken).any()
        ]
        operation = Matmul(Columns(tuple(own for own, _ in parts)), taken)
        inputs = [*(part for _, part in parts), weights]
        return self.add_operation(letter, places, layer, units, operation, inputs)

    def add_normalised(self, places: Places, layer: int, units: Array, terms: list[Node]) -> Node:
        """Add the batch normalisation of sums: by the batch's own mean and variance, or by the running ones."""
        mean, variance, gamma = (
            kind[layer - 1] for kind in (self.places.mean, self.places.variance, self.places.gamma)
        )
        assert mean is not None
        assert variance is not None
        assert gamma is not None
        operation, at = Normalisation(), (mean[None, units], variance[None, units])
        if not self.by_batch:
            mu, v = (self.network.parameters.statistics[one] for one in at)
            operation = Normalisation((mu, v), at)
        x_hat = self.add_operation("x^", places, layer, units, operation, terms)
        scale = self.add_parameters(Name("g", layer, places), "scale", layer, units, gamma[None, units])
        return self.add_operation("u", places, layer, units, Multiplier(), [x_hat, scale])

    def add_dropout(self, letter: str, node: Node, name_layer: bool = True) -> Node:
        """Add what dropout leaves of inputs, or of a layer's outputs."""
        mask, layer, units, places = self.masks[node.layer], node.layer, node.units, node.name.places
        if mask is None:
            return node
        leaf = self.add_leaf(make_name("m", layer, places), "mask", layer, units, mask[:, list(units)])
        return self.add_operation(f"{letter}~", places, layer, units, Multiplier(), [node, leaf], name_layer)

    def add_output(self, places: Places, layer: int, units: Array, terms: list[Node]) -> Node:
        """Add what makes an output of products: batch normalisation, bias and function, then dropout or scale."""
        if self.normalises(layer):
            terms = [self.add_normalised(places, layer, units, terms)]
        b = self.places.b[layer - 1][None, units]
        bias = self.add_parameters(Name("b", layer, places), "bias", layer, units, b)
        node = self.add_operation("z", places, layer, units, Adder(), [*terms, bias])
        activation = self.network.activations[layer - 1]
        if activation != IDENTITY:
            node = self.add_operation("h", places, layer, units, Function(activation), [node])
        if layer == len(self.network.W) and self.network.output_scale != 1:
            scale = self.add_leaf(Name("k"), "constant", layer, units, np.array([[self.network.output_scale]]))
            node = self.add_operation("a", places, layer, units, Multiplier(), [node, scale], name_layer=False)
        if layer == len(self.network.W):
            node.label = self.find_label(layer, node.units)
            return node
        return self.add_dropout("h", node)
