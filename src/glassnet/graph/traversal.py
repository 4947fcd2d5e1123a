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
