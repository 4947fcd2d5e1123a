"""The computation graph of a network on a batch: built, gone through both ways, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.charts.painting import FORMATS
from glassnet.errors import UsageError
from glassnet.graph.building import build
from glassnet.graph.drawing import draw
from glassnet.graph.figure import Figure
from glassnet.graph.neuron_drawing import draw_neurons
from glassnet.graph.nodes import Node, Normalisation, Traversal, backward, forward
from glassnet.graph.traced import NotFollowedError, Tape, plain
from glassnet.graph.views import choose_view
from glassnet.locales.catalogue import Language, Words
from glassnet.nn.activations import Array
from glassnet.nn.dropout import mask_keys
from glassnet.nn.network import Network
from glassnet.nn.parameters import count_parameters, find_most_units
from glassnet.runtime.files import write_bytes
from glassnet.runtime.memory import available_memory

#: The most parameters of a network whose every number is gone through, and what one takes of memory.
MOST_PARAMETERS, BYTES_EACH = 4_000_000, 300


def refuse_too_large(layers: Sequence[int]) -> None:
    """Refuse a network whose graphs take too much memory, or half a minute, with the largest that does not."""
    most = min(MOST_PARAMETERS, (available_memory() or math.inf) // BYTES_EACH)
    size = count_parameters(layers)
    if size > most:
        units = find_most_units(layers, lambda fewer: count_parameters(fewer) <= most)
        raise UsageError(
            "network",
            f"has {size:,} parameters, and {most:,.0f} at most can be explained here, "
            f"as with layers of at most {units:,} units",
        )


class ComputationGraph:
    """The computation graph of a network's loss on a batch, with every value and gradient.

    Each node computes its value from those of its inputs and passes back its gradient times a local derivative;
    nothing of `Network.backward` is used. It is computed in float64.

    Parameters
    ----------
    network : Network
        It is copied, not changed.
    X, y : array_like
        Rows, and their labels or targets, as `glassnet.evaluate` takes them. A graph of one row is easiest to
        read.
    level : {"operations", "neurons", "matrices"}, optional
        What a node of the graph is: a single adder, multiplier or function; a neuron; or a whole layer. By default
        the most detailed level at which the whole network can be read. Layers of more than 10 units are folded:
        the units that matter most are shown, all others are one node.
    neuron : (layer, unit), optional
        Show the operations of this neuron, and all others as matrices. Layers count from 1, units from 0.
    path : sequence of int, optional
        Show the operations along a path: an input, then one unit of every layer; all others are matrices. ``()``
        takes the path that contributes most to the output that is farthest from its target.
    training : bool, optional
        True: a step of training, with the dropout masks that `gradient_check` uses, and batch normalisation by
        the batch's own mean and variance. False: a prediction, without dropout and with the running mean and
        variance. By default True for several rows of a network that has dropout or batch normalisation.
    language : {"en", "zh"}
        Of the few words in the picture and of its descriptions.
    input_names : sequence of str, optional
        What the inputs are called; the outputs have the network's ``class_names``.

    Attributes
    ----------
    training : ndarray or None
        The keys of the dropout masks, see `Network.forward`; None for a prediction.
    nodes : list of Node
        Each after its inputs, the loss last. A node has a ``value`` and a ``gradient``, dL/d(value).
    view : View
        The level, and the units that are shown one by one.
    loss, gradient
        The value of the loss, and dL/dtheta of shape (p,).
    figure : Figure
        The drawing; a notebook shows it.

    Raises
    ------
    UsageError
        If the choice does not exist, or could not be read; the message says what to take.
    DataError, NonFiniteError
        If the batch does not fit the network, or its loss is not finite.

    Examples
    --------
    >>> network = Network([3, 2, 1], "sigmoid", loss="half_squared_error")
    >>> graph = ComputationGraph(network, [[0.5, -1.0, 2.0]], [1.0])
    >>> len(graph.nodes), [node.kind for node in graph.nodes].count("multiplier")
    (29, 8)
    >>> X, targets = np.array([[0.5, -1.0, 2.0]], np.float32), np.array([[1.0]], np.float32)
    >>> _ = network.backward(network.forward(X), targets)
    >>> bool(np.allclose(graph.gradient, network.gradient))
    True
    """

    def __init__(
        self,
        network: Network,
        X: Any,
        y: Any,
        *,
        level: str | None = None,
        neuron: tuple[int, int] | None = None,
        path: Sequence[int] | None = None,
        training: bool | None = None,
        language: Language = "en",
        input_names: Sequence[str] = (),
    ) -> None:
        refuse_too_large(network.layers)
        self.words = Words(language)
        self.network = network.astype(np.float64)
        rows, self.targets = self.network.check_data(X, y)
        self.X = self.network.input_batch(rows)
        if training is None:
            training = len(self.X) > 1 and any((*network.batch_norm, *network.dropout))
        keys = mask_keys(network.seed, np.array([1]), len(network.W))[0]
        self.training = keys if training else None
        self.view = choose_view(self.network, self.X, self.targets, level, neuron, path, self.training)
        self.nodes: list[Node] = build(self.network, self.X, self.targets, self.view, self.training, input_names)
        forward(self.nodes)
        backward(self.nodes)

    @property
    def loss(self) -> float:
        """The value of the last node."""
        return float(plain(self.nodes[-1].value)[0, 0])

    @property
    def gradient(self) -> Array:
        """dL/dtheta of shape (p,), gathered from the leaves."""
        gradient = np.zeros_like(self.network.theta)
        for node in self.nodes:
            if node.positions is not None:
                gradient[node.positions] = plain(node.gradient)
        return gradient

    def follow(self, tape: Tape) -> None:
        """Go through the graph once more, and write on a tape how all its numbers come from those of the leaves.

        The tape's sources are "theta", "statistics", "X" and "y". `NotFollowedError` is raised where a formula,
        such as an activation of the user's, asks for what a tape cannot hold; the graph must be built again then.
        """
        before = self.loss, self.gradient
        places = {"input": np.arange(self.X.size).reshape(self.X.shape)}
        places["target"] = np.arange(self.targets.size).reshape(self.targets.shape)
        for node in self.nodes:
            if node.positions is not None:
                node.value = tape.leaf("theta", node.positions)
            elif node.kind in places:
                source = "X" if node.kind == "input" else "y"
                node.value = tape.leaf(source, places[node.kind][:, list(node.units)])
            elif isinstance(node.operation, Normalisation) and node.operation.positions is not None:
                mean, variance = node.operation.positions
                running = tape.leaf("statistics", mean), tape.leaf("statistics", variance)
                node.operation = Normalisation(running, node.operation.positions)
        try:
            forward(self.nodes)
            backward(self.nodes)
        except NotFollowedError:
            raise
        except Exception as error:  # whatever an own formula does that such arrays cannot
            raise NotFollowedError(f"{type(error).__name__}: {error}") from None
        if self.loss != before[0] or not np.array_equal(self.gradient, before[1]):
            raise NotFollowedError("a formula that tells these arrays from others")

    @cached_property
    def traversal(self) -> Traversal:
        """The order in which the graph is gone through."""
        return Traversal(self.nodes, by_neuron=self.view.level == "neurons")

    @cached_property
    def figure(self) -> Figure:
        """The picture, as a list of marks."""
        layers = "-".join(map(str, self.network.layers))
        title = self.words.say("explain.picture", layers=layers, level=self.view.level)
        drawn = draw_neurons if self.view.level == "neurons" else draw
        return drawn(self.nodes, self.traversal, title, self.words)

    def save(self, path: str | Path) -> None:
        """Write the picture, values in green and gradients in red, as SVG, PDF or PNG.

        Raises
        ------
        UsageError
            If the file's name ends otherwise.
        FileError
            If it cannot be written.
        """
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in FORMATS:
            raise UsageError("path", f"must end in .svg, .pdf or .png, got {path.name!r}")
        write_bytes(path, self.figure.write(kind))

    def _repr_svg_(self) -> str:
        """Show the picture in a notebook."""
        return self.figure.svg()

    def __repr__(self) -> str:
        shown = f"{list(self.network.layers)}, level={self.view.level!r}, {len(self.nodes)} nodes"
        return f"ComputationGraph({shown}, loss={self.loss:.6g})"
