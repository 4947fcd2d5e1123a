"""A gradient in three ways: by the delta recursion, by the computation graph, and numerically."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.graph.computation_graph import ComputationGraph
from glassnet.nn.activations import Array
from glassnet.nn.gradient_check import FLOOR, numerical_derivatives


@dataclass(frozen=True)
class Derivative:
    """One derivative of the loss in three ways.

    Attributes
    ----------
    parameter : str
        ``"W2[3, 1]"``; or ``"W2"`` for a direction within a block of a large network.
    recursion, graph : float
        From `Network.backward`, and from the computation graph.
    numeric : float or None
        Fourth-order central difference; None where it would cross a kink.
    error : float
        The difference of recursion and numerical derivative, relative as in `gradient_check`.
    """

    parameter: str
    recursion: float
    graph: float
    numeric: float | None
    error: float


@dataclass(frozen=True)
class BlockAgreement:
    """How well the three ways agree on a weight matrix, or a vector of biases or of scales.

    Attributes
    ----------
    block : str
        ``"W1"``, ``"b1"``, ...; ``"g1"`` is gamma.
    size : int
        Its parameters; recursion and graph are compared in all of them.
    largest : float
        The largest derivative, without its sign.
    graph_difference, numeric_difference : float
        The largest difference from the recursion, over the larger of the two derivatives, or over a thousandth of
        the largest of the whole gradient where both are smaller; the numerical one as `gradient_check` has it.
    graph_where, numeric_where : str
        The parameter where that is.
    checked, left_out : int
        Numerical derivatives that were compared, and those that would have crossed a kink.
    """

    block: str
    size: int
    largest: float
    graph_difference: float
    graph_where: str
    numeric_difference: float
    numeric_where: str
    checked: int
    left_out: int


@dataclass(frozen=True)
class GradientAgreement:
    """How well the three ways agree: what `check_gradients` returns.

    Attributes
    ----------
    blocks : list of BlockAgreement
        One for each weight matrix, and each vector of biases or scales.
    derivatives : list of Derivative
        Each derivative that was taken numerically.
    """

    blocks: list[BlockAgreement]
    derivatives: list[Derivative]

    @property
    def graph_difference(self) -> float:
        """The largest difference between recursion and graph."""
        return max(block.graph_difference for block in self.blocks)

    @property
    def numeric_difference(self) -> float:
        """The largest difference between recursion and numerical derivative."""
        return max(block.numeric_difference for block in self.blocks)


def check_gradients(graph: ComputationGraph) -> GradientAgreement:
    """Compare a computation graph's gradient with the delta recursion and with numerical derivatives, in float64.

    `gradient_check` holds two ways against each other, the recursion that training uses and numerical derivatives,
    on a network and a batch of any size. This function adds the third way: the graph of `ComputationGraph`, which
    knows nothing of the recursion and agrees with it to rounding.

    All parameters are differentiated numerically where there are at most 1,000, else three random directions in
    each block, as in `gradient_check`. In a graph of a step of training, all three use its dropout masks and the
    batch's own statistics.

    Parameters
    ----------
    graph : ComputationGraph
        Of a network and a batch.

    Returns
    -------
    GradientAgreement
        ``graph_difference`` and ``numeric_difference``, the largest relative differences from the recursion;
        ``blocks``, the same for each weight matrix and vector; ``derivatives``, each of them in three ways.

    Examples
    --------
    >>> from glassnet.nn.network import Network
    >>> graph = ComputationGraph(Network([3, 4, 2], "tanh"), np.eye(3), [0, 1, 1])
    >>> agreement = check_gradients(graph)
    >>> agreement.graph_difference < 1e-12, agreement.numeric_difference < 1e-7
    (True, True)
    """
    net = graph.network
    net.backward(net.forward(graph.X, graph.training), graph.targets)
    gradient = graph.gradient
    derivatives: dict[str, list[Derivative]] = {name: [] for name in net.parameters.blocks}
    for found in numerical_derivatives(net, graph.X, graph.targets, dropout_keys=graph.training):
        by_recursion, by_graph = (float(g[found.block] @ found.direction) for g in (net.gradient, gradient))
        error = 0.0 if found.value is None else found.compare(net.gradient)[1]
        derivatives[found.parameter.partition("[")[0]].append(
            Derivative(found.parameter, by_recursion, by_graph, found.value, error)
        )
    blocks = [
        _compare_block(graph, name, block, gradient[block], derivatives[name])
        for name, block in net.parameters.blocks.items()
    ]
    return GradientAgreement(blocks, [derivative for name in derivatives for derivative in derivatives[name]])


def _compare_block(
    graph: ComputationGraph, name: str, block: slice, by_graph: Array, derivatives: list[Derivative]
) -> BlockAgreement:
    parameters = graph.network.parameters
    by_recursion = parameters.gradient[block]
    largest = _find_largest(by_recursion)
    # before batch normalisation a whole block may be 0 but for rounding: what moves all rows alike moves nothing
    floor = max(FLOOR * _find_largest(parameters.gradient), np.finfo(float).tiny)
    with np.errstate(invalid="ignore"):
        larger = np.maximum(np.maximum(abs(by_graph), abs(by_recursion)), floor)
        differences = np.abs(by_graph - by_recursion) / larger
    differences[np.isnan(differences)] = np.inf  # a gradient that is NaN or infinite is wrong
    worst = int(np.argmax(differences))
    numeric = [(d.error, d.parameter) for d in derivatives if d.numeric is not None]
    return BlockAgreement(
        name,
        len(by_recursion),
        largest,
        float(differences[worst]),
        parameters.name(block.start + worst),
        *max(numeric, default=(0.0, "")),
        len(numeric),
        len(derivatives) - len(numeric),
    )


def _find_largest(gradient: Array) -> float:
    """Return the largest derivative without its sign, of those that are finite."""
    return float(np.abs(gradient[np.isfinite(gradient)]).max(initial=0.0))
