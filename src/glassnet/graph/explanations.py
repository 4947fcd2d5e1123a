"""What happens at each step of a traversal: what came in, the formula, what is passed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from glassnet.graph.algebra import join_terms
from glassnet.graph.equations import Line, Passed, entry, equation, gradient_name, sum_over_rows
from glassnet.graph.nodes import FORWARD, Node, Step
from glassnet.graph.notation import length, norm, number, numeral, partial
from glassnet.graph.traced import plain
from glassnet.graph.wording import list_passed, write_forward_lines
from glassnet.locales.catalogue import Message
from glassnet.nn.activations import Array

#: Lines and numbers that a step shows of many, those that matter most.
MOST_LINES = 6

#: The nodes that take a node in.
Consumers = Mapping[Node, Sequence[Node]]


class Amount(NamedTuple):
    """A number by its name in MathML; of a matrix the length of all its numbers, and its shape."""

    name: str
    text: str
    shape: str = ""


@dataclass(frozen=True)
class Explanation:
    """The text of a step: what is done, and to what; what comes in and goes on; what else is to be said."""

    title: Message
    subject: str
    lines: list[Line]
    came_in: list[Amount]
    passed_on: list[Amount]
    note: Message | None = None


def explain_step(step: Step, consumers: Consumers, most_lines: int = MOST_LINES) -> Explanation:
    """Return the text of a step through an evaluated graph; of several rows the numbers are those of the first.

    Of what is passed back, so many lines at most are shown.
    """
    last = step.nodes[-1]
    if step.phase == FORWARD:
        sources = dict.fromkeys(s for node in step.nodes for s in node.inputs if s not in step.nodes)
        came_in = [(s.name.mathml, s.value) for s in sources]
        lines, passed_on = _explain_forwards(step.nodes), [(last.name.mathml, last.value)]
    else:
        came_in = [(gradient_name(last), last.gradient)]
        passed_on = [
            (gradient_name(source), sum_over_rows(source, part))
            for node in reversed(step.nodes)
            for source, part in zip(node.inputs, node.passed, strict=True)
            if part is not None and plain(part).any() and source not in step.nodes and not source.is_given
        ]
        lines = [*_explain_collection(step, consumers), *_explain_backwards(step, consumers, most_lines)]
    note = Message("explain.softmax_delta") if last.kind == "softmax" and step.phase != FORWARD else None
    return Explanation(
        _write_title(step), last.name.mathml, lines, _list_amounts(came_in), _list_amounts(passed_on), note
    )


def list_local_derivatives(node: Node) -> list[Line]:
    """Return the derivatives of a node by each of its inputs."""
    return list(dict.fromkeys(share.local for share in list_passed(node)))[:MOST_LINES]


def list_neuron_derivatives(node: Node) -> list[Line]:
    """Return the derivatives of a neuron's function, or of its sum by all that is multiplied in it."""
    if node.kind not in ("adder", "sum"):
        return list_local_derivatives(node)
    lines = []
    for term in node.inputs:
        for k, by in enumerate(term.inputs if term.kind == "multiplier" else ()):
            other, name = term.inputs[1 - k], partial(node.name.mathml, by.name.mathml)
            value = numeral(entry(other.value, 0))
            lines.append(Line(equation(name, other.name.mathml), equation(name, value)))
    return lines


def describe_amount(name: str, values: Array) -> Amount:
    """Return a number; of a matrix its shape and the length of all its numbers."""
    if values.size == 1:
        return Amount(name, number(values[0, 0]))
    return Amount(norm(name), number(length(values)), f"{values.shape[0]}×{values.shape[1]}")


def _write_title(step: Step) -> Message:
    node, forwards = step.nodes[-1], step.phase == FORWARD
    if node.kind == "loss":
        return Message("explain.loss" if forwards else "explain.back_from_loss")
    what: str | Message = node.kind
    if len(step.nodes) > 1:
        what = Message("explain.other_neurons", n=len(node.units)) if node.is_matrix else "neuron"
    return Message("explain.forward" if forwards else "explain.backward", what=what)


def _explain_forwards(nodes: Sequence[Node]) -> list[Line]:
    """Return the lines of each operation; a neuron's products and their sum are one line."""
    by_neuron = len(nodes) > 1 and not nodes[-1].is_matrix
    summed = {term for node in nodes if by_neuron and node.kind in ("adder", "sum") for term in node.inputs}
    return [line for node in nodes if node not in summed for line in write_forward_lines(node, by_neuron)]


def _find_shares(node: Node, by_neuron: bool, consumers: Consumers) -> list[Passed]:
    """Return what a node passes back; by neuron, products pass on what their sum gets, which tells of the bias."""
    if not by_neuron:
        return list_passed(node)
    if node.kind in ("adder", "sum"):
        return [share for share in list_passed(node) if share.source.kind == "bias"]
    total = consumers[node][0] if consumers[node] else node
    is_summed = node.kind in ("multiplier", "matmul") and total.kind in ("adder", "sum")
    return list_passed(node, gradient_name(total) if is_summed else None)


def _explain_collection(step: Step, consumers: Consumers) -> list[Line]:
    """Return the sum of what came back to a node from several others: the heart of the delta recursion."""
    node, by_neuron = step.nodes[-1], len(step.nodes) > 1
    shares = [
        s for consumer in consumers[node] for s in _find_shares(consumer, by_neuron, consumers) if s.source is node
    ]
    if len(shares) < 2 or node.is_matrix:
        return []
    amounts = np.array([plain(share.amount) for share in shares])
    letters, numbers = (join_terms([share.made_of[k] for share in shares], amounts) for k in (0, 1))
    name = gradient_name(node)
    return [Line(equation(name, letters), equation(name, numbers, numeral(entry(node.gradient, 0))))]


def _explain_backwards(step: Step, consumers: Consumers, most_lines: int) -> list[Line]:
    """Return what is passed back; of a neuron's many products those that pass most."""
    shares = [
        share for node in reversed(step.nodes) for share in _find_shares(node, len(step.nodes) > 1, consumers)
    ]
    chosen = np.sort(np.argsort([-abs(plain(share.amount)) for share in shares], kind="stable")[:most_lines])
    deltas = [k for k, share in enumerate(shares) if share.source in step.nodes and share.source.kind == "adder"]
    if not {*deltas} <= {*chosen}:
        chosen = np.sort([*deltas, *chosen[:-1]])
    # an arrow where a node gets back more than one share; a selected unit goes into what is folded, too
    several = [len(consumers[share.source]) > 1 or share.source.kind == "selection" for share in shares]
    return [shares[k].line("⟵" if several[k] else "=") for k in chosen]


def _list_amounts(named: Sequence[tuple[str, Array]]) -> list[Amount]:
    """Return amounts; of many the largest."""
    order = np.argsort([-length(plain(values)) for _, values in named], kind="stable")[:MOST_LINES]
    return [describe_amount(*named[k]) for k in sorted(order)]
