"""Backpropagation in a network of 3, 2 and 1 units, step by step: the values and formulas of the explain page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from glassnet.assignment.latex_formulas import write_latex
from glassnet.charts.tables import Rows, Table
from glassnet.graph.computation_graph import ComputationGraph
from glassnet.graph.example_network import example_network, example_sample
from glassnet.graph.explanations import explain_step
from glassnet.graph.gradient_agreement import GradientAgreement, check_gradients
from glassnet.graph.nodes import FORWARD, Step, list_consumers
from glassnet.graph.notation import number
from glassnet.locales.catalogue import Words
from glassnet.nn.activations import Array

LAYERS = (3, 2, 1)

#: More lines than any of its steps has.
ALL_LINES = 20

#: Letters of LaTeX that leave room for the numbers in the same row.
SHORT = 60


@dataclass(frozen=True)
class WalkStep:
    """A step: what is done in words, to what as LaTeX, and its equations, with letters and then with numbers."""

    title: str
    subject: str
    equations: list[str]


@dataclass(frozen=True)
class Walk:
    """A way through the graph of one level, forwards and then backwards."""

    graph: ComputationGraph
    forward: list[WalkStep]
    backward: list[WalkStep]


@dataclass(frozen=True)
class Explanation:
    """The graph of every operation, the ways through it by neurons and by matrices, and the gradient three ways.

    `given` are sample, target and parameters, an equation each in LaTeX.
    """

    operations: ComputationGraph
    elements: Walk
    matrices: Walk
    agreement: GradientAgreement
    given: list[str]


def explain_backpropagation(words: Words) -> Explanation:
    """Go through the network and sample that ``glassnet explain 3,2,1`` shows."""
    network = example_network(LAYERS)
    X, y = example_sample(network)

    def build(level: str) -> ComputationGraph:
        return ComputationGraph(network, X, y, level=level, language=words.language)

    operations = build("operations")
    elements, matrices = (_walk(build(level), words) for level in ("neurons", "matrices"))
    given = [f"X={_write_matrix(X)}", f"y={_write_matrix(y)}"]
    for layer, (W, b) in enumerate(zip(network.W, network.b, strict=True), start=1):
        given += [f"W^{{({layer})}}={_write_matrix(W)}", f"b^{{({layer})}}={_write_matrix(b[None])}"]
    return Explanation(operations, elements, matrices, check_gradients(operations), given)


def _write_matrix(values: Array) -> str:
    """Return a matrix in LaTeX, a single number as it stands."""
    text = r" \\ ".join(" & ".join(f"{value:g}" for value in row) for row in values)
    return text if values.size == 1 else rf"\begin{{pmatrix}}{text}\end{{pmatrix}}"


def _walk(graph: ComputationGraph, words: Words) -> Walk:
    consumers = list_consumers(graph.nodes)

    def describe(step: Step) -> WalkStep:
        said = explain_step(step, consumers, ALL_LINES)
        title = words.render(said.title)
        equations = [row for line in said.lines for row in _align(*map(write_latex, line))]
        return WalkStep(title[:1].upper() + title[1:], write_latex(said.subject), equations)

    steps = graph.traversal.steps
    forward = [describe(step) for step in steps if step.phase == FORWARD]
    return Walk(graph, forward, [describe(step) for step in steps if step.phase != FORWARD])


def _align(letters: str, numbers: str) -> list[str]:
    """Return an equation with letters and with numbers: a row each, or one for both where they are short.

    The rows stand in line at their first sign of equality, or arrow.
    """
    (left, relation, right), (also, _, amount) = (
        re.split(r"(=|\\longleftarrow )", one, maxsplit=1) for one in (letters, numbers)
    )
    if left == also and len(right) < SHORT:
        return [f"{left}&{relation}{right}={amount}"]
    return [f"{left}&{relation}{right}", f"{also}&{relation}{amount}"]


def gradient_table(agreement: GradientAgreement, words: Words) -> Table:
    """Return every derivative in three ways."""
    rows: Rows = [
        [
            one.parameter,
            number(one.recursion, 6),
            number(one.graph, 6),
            "–" if one.numeric is None else number(one.numeric, 6),
        ]
        for one in agreement.derivatives
    ]
    heads = [words.say(f"explain.{key}") for key in ("parameter", "recursion", "graph", "numerical")]
    return Table(words.say("explain.proof"), heads, rows, key="gradients")
