"""What happens at each step of a traversal: what came in, the formula, what is passed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glassnet.graph.algebra import sum_of
from glassnet.graph.equations import Line, Passed, collected, entry, equation, gradient_name, product
from glassnet.graph.nodes import Node
from glassnet.graph.notation import factor, length, number, numeral, partial
from glassnet.graph.traversal import FORWARD, Step
from glassnet.graph.wording import forward_lines, passed_back
from glassnet.nn.activations import Array

#: Lines and numbers that a step shows of many, those that matter most.
MOST_LINES = 6

NAMES = {"matmul": "matrix product", "sum": "the sum of products"}


@dataclass(frozen=True)
class Explanation:
    """The text of a step.

    Attributes
    ----------
    title, subject : str
        What is done; to what, in MathML.
    lines : list of Line
        Equations in MathML, with letters and with numbers.
    came_in, passed_on : list of (str, str)
        A name in MathML and its value.
    """

    title: str
    subject: str
    lines: list[Line]
    came_in: list[tuple[str, str]]
    passed_on: list[tuple[str, str]]


def explain_step(step: Step, consumers: Mapping[int, Sequence[Node]]) -> Explanation:
    """Return the text of a step through an evaluated graph; of several rows the numbers are those of the first.

    Parameters
    ----------
    step : Step
        One operation, or all of a neuron.
    consumers : mapping
        The nodes that take a node in, by its id.
    """
    last, inside = step.nodes[-1], {id(node) for node in step.nodes}
    if step.phase == FORWARD:
        sources = {id(s): s for node in step.nodes for s in node.inputs if id(s) not in inside}
        came_in = [(s.name.mathml, s.value) for s in sources.values()]
        lines, passed_on = _forwards(step.nodes), [(last.name.mathml, last.value)]
    else:
        came_in = [(gradient_name(last), last.gradient)]
        passed_on = [
            (gradient_name(source), collected(source, part))
            for node in reversed(step.nodes)
            for source, part in zip(node.inputs, node.passed, strict=True)
            if part is not None and part.any() and id(source) not in inside and not source.is_given
        ]
        lines = [*_collected(step, consumers), *_backwards(step, consumers)]
    return Explanation(_title(step), last.name.mathml, lines, _told(came_in), _told(passed_on))


def local_derivatives(node: Node) -> list[Line]:
    """Return the derivatives of a node by each of its inputs."""
    return list(dict.fromkeys(share.local for share in passed_back(node)))[:MOST_LINES]


def neuron_derivatives(node: Node) -> list[Line]:
    """Return the derivatives of a neuron's function, or of its sum by all that is multiplied in it."""
    if node.kind not in ("adder", "sum"):
        return local_derivatives(node)
    lines = []
    for term in node.inputs:
        for k, by in enumerate(term.inputs if term.kind == "multiplier" else ()):
            other, name = term.inputs[1 - k], partial(node.name.mathml, by.name.mathml)
            value = numeral(entry(other.value, 0))
            lines.append(Line(equation(name, other.name.mathml), equation(name, value)))
    return lines


def amount(values: Array) -> str:
    """Return a number; of a matrix its shape and the length of all its numbers."""
    if values.size == 1:
        return number(float(values[0, 0]))
    return f"{values.shape[0]}×{values.shape[1]}, ‖·‖ = {number(length(values))}"


def _title(step: Step) -> str:
    node, forwards = step.nodes[-1], step.phase == FORWARD
    if node.kind == "loss":
        return "The loss" if forwards else "Back from the loss"
    if len(step.nodes) == 1:
        what = NAMES.get(node.kind, node.kind)
    else:
        what = f"the {len(node.units)} other neurons" if node.is_matrix else "neuron"
    return f"{what[0].upper()}{what[1:]}" if forwards else f"Back through {what}"


def _forwards(nodes: Sequence[Node]) -> list[Line]:
    """Return the lines of each operation; a neuron's products and their sum are one line."""
    if len(nodes) == 1 or nodes[-1].is_matrix:
        return [line for node in nodes for line in forward_lines(node)]
    summed = {id(term) for node in nodes if node.kind in ("adder", "sum") for term in node.inputs}
    lines = []
    for node in nodes:
        if node.kind in ("adder", "sum"):
            lines.append(_sum_of_terms(node))
        elif id(node) not in summed and node.kind != "selection":
            lines += forward_lines(node)
    return lines


def _sum_of_terms(node: Node) -> Line:
    terms = node.inputs
    amounts = np.array([entry(term.value, 0) for term in terms])
    letters = [_factors(term, lambda node: node.name.mathml) for term in terms]
    numbers = [_factors(term, lambda node: factor(entry(node.value, 0))) for term in terms]
    name, result = node.name.mathml, numeral(entry(node.value, 0))
    return Line(equation(name, sum_of(letters, amounts)), equation(name, sum_of(numbers, amounts), result))


def _factors(term: Node, written: Callable[[Node], str]) -> str:
    return product(*map(written, term.inputs)) if term.kind == "multiplier" else written(term)


def _shares(node: Node, by_neuron: bool, consumers: Mapping[int, Sequence[Node]]) -> list[Passed]:
    """Return what a node passes back; by neuron, products pass on what their sum gets, which tells of the bias."""
    if not by_neuron:
        return passed_back(node)
    if node.kind in ("adder", "sum"):
        return [share for share in passed_back(node) if share.source.kind == "bias"]
    total = consumers[id(node)][0] if consumers[id(node)] else node
    is_summed = node.kind in ("multiplier", "matmul") and total.kind in ("adder", "sum")
    return passed_back(node, gradient_name(total) if is_summed else None)


def _collected(step: Step, consumers: Mapping[int, Sequence[Node]]) -> list[Line]:
    """Return the sum of what came back to a node from several others: the heart of the delta recursion."""
    node, by_neuron = step.nodes[-1], len(step.nodes) > 1
    shares = [
        s for consumer in consumers[id(node)] for s in _shares(consumer, by_neuron, consumers) if s.source is node
    ]
    if len(shares) < 2 or node.is_matrix:
        return []
    amounts = np.array([share.amount for share in shares])
    letters, numbers = (sum_of([share.made_of[k] for share in shares], amounts) for k in (0, 1))
    name = gradient_name(node)
    return [Line(equation(name, letters), equation(name, numbers, numeral(entry(node.gradient, 0))))]


def _backwards(step: Step, consumers: Mapping[int, Sequence[Node]]) -> list[Line]:
    """Return what is passed back; of a neuron's many products those that pass most."""
    shares = [share for node in reversed(step.nodes) for share in _shares(node, len(step.nodes) > 1, consumers)]
    chosen = np.sort(np.argsort([-abs(share.amount) for share in shares], kind="stable")[:MOST_LINES])
    deltas = [k for k, share in enumerate(shares) if share.source in step.nodes and share.source.kind == "adder"]
    if not {*deltas} <= {*chosen}:
        chosen = np.sort([*deltas, *chosen[:-1]])
    return [shares[k].line("⟵" if _one_of_several(shares[k].source, consumers) else "=") for k in chosen]


def _one_of_several(source: Node, consumers: Mapping[int, Sequence[Node]]) -> bool:
    """Whether a node gets back more than one share; a selected unit goes into what is folded, too."""
    return len(consumers[id(source)]) > 1 or source.kind == "selection"


def _told(named: Sequence[tuple[str, Array]]) -> list[tuple[str, str]]:
    """Return names and amounts; of many the largest."""
    order = np.argsort([-length(values) for _, values in named], kind="stable")[:MOST_LINES]
    return [(named[k][0], amount(named[k][1])) for k in sorted(order)]
