r"""The nodes of a computation graph, the local derivatives of its operations, and the order of its steps.

A node holds a matrix: a row for each sample of the batch, or a single row where all samples share it (weights,
biases, the loss). Forwards, an operation makes its node's value from the values of its inputs. Backwards, a node
that holds the gradient G = dL/d(value) passes to each of its inputs G times the local derivative, and an input
adds up what comes back to it: this is the chain rule, and all of backpropagation.

    operation                   local derivatives                passes back
    adder       u + v           1, 1                             G, G
    multiplier  u v             v, u                             G v, G u
    function    f(u)            f'(u)                            G f'(u)
    matmul      U V                                              G V^T, U^T G
    softmax     p_j of all z    p_k ([j = k] - p_j)              p (G - sum over k of G_k p_k)
    loss        L(a, y)         dL/da                            G dL/da

Batch normalisation is one operation more, `Normalisation`; dropout is a multiplier whose other factor is the mask.

Nothing here knows the delta recursion of `glassnet.nn.backpropagation`: that both agree is a proof of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby
from typing import Protocol

import numpy as np

from glassnet.errors import NonFiniteError
from glassnet.graph.notation import OTHERS, Name
from glassnet.nn.activations import Activation, Array, softmax
from glassnet.nn.batch_norm import EPSILON
from glassnet.nn.losses import Loss

FORWARD, BACKWARD = "forward", "backward"


class Operation(Protocol):
    """How a value is made, and what its gradient passes to the inputs; None to those that need nothing."""

    kind: str

    def forward(self, *inputs: Array) -> Array:
        """Return the value."""

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array | None, ...]:
        """Return G times the local derivative, for each input."""


@dataclass
class Adder:
    """u + v + ...; the local derivative by each is 1.

    Its kind is ``"sum"`` where it makes the sum a of a unit's products, to which batch normalisation is applied.
    """

    kind: str = "adder"

    def forward(self, *inputs: Array) -> Array:
        """Return the sum."""
        return reduce(np.add, inputs)

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array, ...]:
        """Pass G on to every term."""
        return (G,) * len(inputs)


class Multiplier:
    """U v; the local derivative by each factor is the other factor."""

    kind = "multiplier"

    def forward(self, *inputs: Array) -> Array:
        """Return the product."""
        return inputs[0] * inputs[1]

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array, Array]:
        """Pass G on to each factor, times the other one."""
        u, v = inputs
        return G * v, G * u


@dataclass
class Function:
    """f(u), elementwise; the local derivative is f'(u)."""

    activation: Activation
    kind = "function"

    def forward(self, *inputs: Array) -> Array:
        """Return f(u)."""
        return self.activation.f(inputs[0])

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array]:
        """Pass on G f'(u)."""
        return (G * self.activation.f_prime(inputs[0], value),)


@dataclass
class Normalisation:
    r"""(u - mu) / sqrt(v + epsilon), column by column; mu and v are the mean and the variance of u over the rows.

    Then u reaches the result on three ways, directly, by mu and by v, and so the local derivatives are those of
    Ioffe and Szegedy 2015, section 3. In prediction mu and v are constants: the `running` mean and variance of
    shape (1, d), which stand at these `positions` of the network's statistics.
    """

    running: tuple[Array, Array] | None = None
    positions: tuple[Array, Array] | None = None
    kind = "normalisation"

    def statistics(self, u: Array) -> tuple[Array, Array]:
        """Return mu and v, of shape (1, d)."""
        if self.running is not None:
            return self.running
        mu = u.mean(axis=0, keepdims=True)
        return mu, ((u - mu) ** 2).mean(axis=0, keepdims=True)

    def forward(self, *inputs: Array) -> Array:
        """Return the normalised columns."""
        mu, v = self.statistics(inputs[0])
        return (inputs[0] - mu) / np.sqrt(v + EPSILON)

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array]:
        """Add up what comes back directly, by v and by mu."""
        mu, v = self.statistics(inputs[0])
        centred, std = inputs[0] - mu, np.sqrt(v + EPSILON)
        directly = G / std
        if self.running is not None:
            return (directly,)
        by_v = (G * centred).sum(axis=0) * -0.5 * std**-3
        by_mu = -directly.sum(axis=0) - by_v * 2 * centred.mean(axis=0)
        n = len(G)
        return (directly + by_v * 2 * centred / n + by_mu / n,)


@dataclass
class Matmul:
    """U V, where U is the units `taken` of a layer; all inputs but the last, V, are parts of that layer."""

    layer: Columns
    taken: Array
    kind = "matmul"

    def forward(self, *inputs: Array) -> Array:
        """Return the product of the units that are taken and V."""
        return self.layer.join(inputs[:-1])[:, self.taken] @ inputs[-1]

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array, ...]:
        """Pass G V^T back to the layer, and U^T G to V."""
        whole = self.layer.join(inputs[:-1])
        back = place_columns(G @ inputs[-1].T, self.taken, whole.shape[1])
        return (*self.layer.split(back), whole[:, self.taken].T @ G)


@dataclass
class Selection:
    """One column of a matrix; what comes back goes to that column."""

    column: int
    kind = "selection"

    def forward(self, *inputs: Array) -> Array:
        """Return the column."""
        return inputs[0][:, [self.column]]

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array]:
        """Pass G back into its column."""
        return (place_columns(G, np.array([self.column]), inputs[0].shape[1]),)


@dataclass
class Softmax:
    """exp(z_j) / sum over k of exp(z_k) in each row; the inputs are the parts of the logits.

    Each logit moves all probabilities of its row: the local derivative of p_k by z_j is p_k ([j = k] - p_j).
    """

    layer: Columns
    kind = "softmax"

    def forward(self, *inputs: Array) -> Array:
        """Return the probabilities, of shape (n, d)."""
        return softmax(self.layer.join(inputs))

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array, ...]:
        """Add up over the probabilities what comes back to each logit."""
        return self.layer.split(value * (G - (G * value).sum(axis=1, keepdims=True)))


def cross_entropy(p: Array, y: Array) -> tuple[Array, Array]:
    """-sum over the classes of y log p, and the slope -y / p; a class with y = 0 adds nothing."""
    meant = np.where(y == 0, 1.0, p)
    return -(y * np.log(meant)).sum(axis=1), -y / meant


@dataclass
class LossFunction:
    """L(a, y) of the whole batch, mean or sum over its rows; the local derivative is the formula's own slope.

    The formula includes a sigmoid that is fused with the loss. The inputs are the parts of the outputs, and then
    those of the targets.
    """

    loss: Loss
    outputs: Columns
    targets: Columns
    kind = "loss"

    def join_halves(self, inputs: Sequence[Array]) -> tuple[Array, Array]:
        """Return outputs and targets, both of shape (n, d)."""
        cut = len(self.outputs.units)
        return self.outputs.join(inputs[:cut]), self.targets.join(inputs[cut:])

    def forward(self, *inputs: Array) -> Array:
        """Return the loss, as a matrix of one number."""
        return self.loss.value_and_delta(*self.join_halves(inputs))[0] * np.ones((1, 1))

    def backward(self, G: Array, value: Array, *inputs: Array) -> tuple[Array | None, ...]:
        """Pass the slopes to the outputs, nothing to the targets."""
        _, slope = self.loss.value_and_delta(*self.join_halves(inputs))
        return (*self.outputs.split(G * slope), *[None] * len(self.targets.units))


@dataclass
class Columns:
    """How units of a layer are spread over several nodes: ``units[k]`` are those of the k-th."""

    units: tuple[Array, ...]

    def join(self, parts: Sequence[Array]) -> Array:
        """Return one matrix with the units in their order; those of no node are 0."""
        units = np.concatenate(self.units)
        return place_columns(np.concatenate(parts, axis=1), units, 1 + int(units.max()))

    def split(self, whole: Array) -> tuple[Array, ...]:
        """Return the columns of each part again."""
        return tuple(whole[:, units] for units in self.units)


def place_columns(values: Array, at: Array, width: int) -> Array:
    """Return values as columns `at` of a matrix of this width, whose other columns are 0."""
    found = np.full(width, len(at))
    found[at] = np.arange(len(at))
    return np.concatenate([values, np.zeros((len(values), 1))], axis=1)[:, found]


@dataclass(eq=False)
class Node:
    """A value in the graph, where it comes from, and how the loss changes with it.

    Attributes
    ----------
    name : Name
        The symbol of its value.
    kind : str
        Of a leaf: ``"input"``, ``"target"``, ``"weight"``, ``"bias"``, ``"scale"`` (gamma), ``"mask"``,
        ``"constant"``; else the operation's: ``"adder"``, ``"sum"``, ``"multiplier"``, ``"normalisation"``,
        ``"function"``, ``"matmul"``, ``"selection"``, ``"softmax"``, ``"loss"``.
    layer : int
        From 0, the inputs, to L; softmax, the loss and its targets stand in layer L + 1.
    units : tuple of int
        The units of the layer that it belongs to.
    value, gradient : ndarray of shape (n, d) or (1, d)
        What it holds, and dL/d(value) once the graph has been gone through backwards; of shape (1, d) where all
        rows share it.
    operation, inputs : Operation or None, tuple of Node
        The operation and what it is applied to; None in a leaf.
    passed : tuple of ndarray
        What it has passed back to each input.
    positions : ndarray of int or None
        Where its numbers stand in theta.
    label : str
        What the user calls an input or an output.
    """

    name: Name
    kind: str
    layer: int
    units: tuple[int, ...]
    value: Array
    operation: Operation | None = None
    inputs: tuple[Node, ...] = ()
    positions: Array | None = None
    label: str = ""
    gradient: Array = field(default_factory=lambda: np.zeros((0, 0)))
    passed: tuple[Array | None, ...] = ()

    @property
    def is_matrix(self) -> bool:
        """Whether it stands for several units at once, or for the weights between several."""
        places = self.name.places
        return OTHERS in places or (not places and self.kind not in ("constant", "loss"))

    @property
    def is_given(self) -> bool:
        """Whether nothing asks how the loss changes with it."""
        return self.kind in ("constant", "mask", "target")

    @property
    def is_term(self) -> bool:
        """Whether it is a product with weights: of two numbers, or of two matrices."""
        return bool(self.inputs) and self.inputs[-1].kind == "weight"

    def collect(self, part: Array) -> None:
        """Add up what comes back; what all rows, or all columns, share collects from all of them."""
        shared = tuple(axis for axis in (0, 1) if self.value.shape[axis] < part.shape[axis])
        self.gradient = self.gradient + part.sum(axis=shared, keepdims=True)


def list_consumers(nodes: Sequence[Node]) -> dict[Node, list[Node]]:
    """Return, for each node, those that take it in."""
    consumers: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for source in node.inputs:
            consumers[source].append(node)
    return consumers


def forward(nodes: Sequence[Node]) -> None:
    """Compute every value; `nodes` are in order, inputs before what is made of them, the loss last.

    `NonFiniteError` names the first node whose value is NaN or infinite.
    """
    with np.errstate(all="ignore"):  # what comes of it is checked
        for node in nodes:
            if node.operation is not None:
                node.value = node.operation.forward(*(source.value for source in node.inputs))
            if not np.isfinite(node.value).all():
                raise NonFiniteError(f"{node.name} became NaN or infinite")


def backward(nodes: Sequence[Node]) -> None:
    """Compute every gradient, the loss's own being 1; `NonFiniteError` names the first one that is not finite."""
    for node in nodes:
        node.gradient = np.zeros_like(node.value)
    nodes[-1].gradient = np.ones_like(nodes[-1].value)
    with np.errstate(all="ignore"):  # what comes of it is checked
        for node in reversed(nodes):
            if not np.isfinite(node.gradient).all():
                raise NonFiniteError(f"the gradient of {node.name} became NaN or infinite")
            if node.operation is None:
                continue
            node.passed = node.operation.backward(
                node.gradient, node.value, *(source.value for source in node.inputs)
            )
            for source, part in zip(node.inputs, node.passed, strict=True):
                if part is not None:
                    source.collect(part)


@dataclass(frozen=True)
class Step:
    """One move: the operations whose values (`FORWARD`), or gradients to their inputs (`BACKWARD`), are computed.

    That is one operation; or all those of a neuron, in the order in which their values are computed.
    """

    phase: str
    nodes: tuple[Node, ...]


class Traversal:
    """All steps through an evaluated graph, and at which of them each number is known; step 0 is what is given.

    ``steps[t - 1]`` is the step number t. By neuron, all operations of a neuron are one step. A node's value is
    known from step ``value[node]`` on, its gradient from ``gradient[node]`` on; in ``passed[node]`` it passes
    gradients back.
    """

    def __init__(self, nodes: Sequence[Node], by_neuron: bool = False) -> None:
        operations = [node for node in nodes if node.operation is not None]
        by_key = groupby(operations, key=lambda node: (node.layer, node.units) if by_neuron else node)
        groups = [tuple(group) for _, group in by_key]
        self.steps = [Step(FORWARD, group) for group in groups]
        self.steps += [Step(BACKWARD, group) for group in reversed(groups)]
        self.value = dict.fromkeys(nodes, 0)
        self.passed: dict[Node, int] = {}
        self.gradient = {nodes[-1]: len(groups) + 1}
        for time, step in enumerate(self.steps, start=1):
            for node in step.nodes:
                if step.phase == FORWARD:
                    self.value[node] = time
                    continue
                self.passed[node] = time
                for source in node.inputs:
                    self.gradient[source] = time  # the last one to pass something back completes it
