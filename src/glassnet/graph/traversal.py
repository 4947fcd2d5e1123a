"""The order in which a graph is gone through: forwards node by node, then backwards the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from glassnet.graph.nodes import Node

FORWARD, BACKWARD = "forward", "backward"


@dataclass(frozen=True)
class Step:
    """One move: the operations whose values (`FORWARD`), or gradients to their inputs (`BACKWARD`), are computed.

    That is one operation; or all those of a neuron, in the order in which their values are computed.
    """

    phase: str
    nodes: tuple[Node, ...]


class Traversal:
    """All steps through an evaluated graph, and at which of them each number is known; step 0 is what is given.

    ``steps[t - 1]`` is the step number t. By neuron, all operations of a neuron are one step.
    """

    def __init__(self, nodes: Sequence[Node], by_neuron: bool = False) -> None:
        operations = [node for node in nodes if node.operation is not None]
        keys = {id(node): (node.layer, node.units) if by_neuron else id(node) for node in operations}
        groups = [tuple(group) for _, group in groupby(operations, key=lambda node: keys[id(node)])]
        self.steps = [Step(FORWARD, group) for group in groups]
        self.steps += [Step(BACKWARD, group) for group in reversed(groups)]
        self._value = {id(node): 0 for node in nodes}
        self._passed: dict[int, int] = {}
        self._gradient = {id(nodes[-1]): len(groups) + 1}
        for time, step in enumerate(self.steps, start=1):
            for node in step.nodes:
                if step.phase == FORWARD:
                    self._value[id(node)] = time
                    continue
                self._passed[id(node)] = time
                for source in node.inputs:
                    self._gradient[id(source)] = time  # the last one to pass something back completes it

    def value(self, node: Node) -> int:
        """Return the step at which a node's value is known."""
        return self._value[id(node)]

    def passed(self, node: Node) -> int:
        """Return the step at which an operation passes gradients back."""
        return self._passed[id(node)]

    def gradient(self, node: Node) -> int:
        """Return the step at which a node's gradient is complete."""
        return self._gradient[id(node)]
