"""The mathematics of a single node in MathML: with letters, and with this network's numbers.

For a graph of a single sample: values are rows of one, and of a matrix the entry with the largest number is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from glassnet.graph.algebra import (
    activation_symbols,
    loss_symbols,
    sum_of,
    written,
    written_of_row,
    written_with_numbers,
)
from glassnet.graph.nodes import Adder, Function, LossFunction, Matmul, Multiplier, Node, Selection
from glassnet.graph.notation import OTHERS, Name, brackets, factor, identifier, numeral, partial, row, sign
from glassnet.nn.activations import Array

MOST_SLOPES = 3

LOSS = Name("L").mathml


class Line(NamedTuple):
    """An equation with letters, and the same with numbers."""

    letters: str
    numbers: str


class Passed(NamedTuple):
    """What a node passes back to one of its inputs.

    Attributes
    ----------
    source : Node
        The input.
    local : Line
        The local derivative.
    made_of : Line
        What is passed, without its name: the gradient times the local derivative.
    target, entry : str
        MathML of the gradient that is passed, and of the one number of it that is shown.
    amount : float
        What they amount to.
    """

    source: Node
    local: Line
    made_of: Line
    target: str
    entry: str
    amount: float

    def line(self, relation: str) -> Line:
        """Return the equation; where others pass something to the input as well, the relation is an arrow."""
        result = equation(*filter(None, [self.made_of.numbers, numeral(self.amount)]))
        return Line(self.target + sign(relation) + self.made_of.letters, self.entry + sign(relation) + result)


def equation(*sides: str) -> str:
    """Return sides with equals signs between them."""
    return sign("=").join(sides)


def product(*factors: str) -> str:
    """Return factors with dots between them."""
    return sign("·").join(factors)


def gradient_name(node: Node, at: int | None = None) -> str:
    """Return the name of a node's gradient, or of one entry of it; an adder's is a delta."""
    if node.kind == "adder":
        places = node.name.places if at is None or not node.is_matrix else (node.units[at],)
        return Name("delta", node.layer, places).mathml
    return partial(LOSS, node.name.mathml if at is None else entry_name(node, at))


def delta_of(product: Node) -> str:
    """Return the delta of the unit that a product belongs to: the adder passes it on as it is."""
    return Name("delta", product.layer, product.name.places[-1:]).mathml


def entry_name(node: Node, at: int) -> str:
    """Return the name of one unit's entry in a node."""
    if not node.is_matrix or node.value.shape[1] == 1:
        return node.name.mathml
    return Name(node.name.letter.lower(), node.name.layer, (node.units[at],)).mathml


def forward_line(node: Node) -> Line:
    """Return how a node's value is made of its inputs."""
    operation, at = node.operation, largest(node.value)
    if isinstance(operation, LossFunction):
        return _loss_line(node, operation)
    if isinstance(operation, Adder):
        amounts = np.array([entry(source.value, at) for source in node.inputs])
        letters = sum_of([source.name.mathml for source in node.inputs], amounts)
        numbers = sum_of([factor(amount) for amount in amounts], amounts)
    elif isinstance(operation, Multiplier):
        letters = product(*(source.name.mathml for source in node.inputs))
        numbers = product(*(factor(entry(source.value, at)) for source in node.inputs))
    elif isinstance(operation, Function):
        f, _ = activation_symbols(operation.activation)
        z, called = node.inputs[0], identifier(operation.activation.name)
        letters, numbers = (
            row(called, brackets(text)) if f is None else written(f, {"z": text})
            for text in (z.name.mathml, numeral(entry(z.value, at)))
        )
    elif isinstance(operation, Matmul):
        h, w = operation.layer.joined([s.value for s in node.inputs[:-1]])[0, operation.taken], node.inputs[-1]
        letters = row(layer_before(node), w.name.mathml)
        numbers = _sum_of_products(h, w.value[:, at])
    else:
        assert isinstance(operation, Selection)
        letters, numbers = row(node.inputs[0].name.mathml, sign("["), f"<mn>{node.units[0]}</mn>", sign("]")), ""
    result = numeral(entry(node.value, at))
    return Line(
        equation(node.name.mathml, letters), equation(*filter(None, [entry_name(node, at), numbers, result]))
    )


def passed_back(node: Node, called: str | None = None) -> list[Passed]:
    """Return what a node passes back to each input that needs it.

    `called` is MathML for the node's own gradient, where it has another name than `gradient_name`.
    """
    called = called or gradient_name(node)
    operation = node.operation
    if isinstance(operation, LossFunction):
        return _slopes(node, operation)
    if isinstance(operation, Matmul):
        return _matmul_back(node, operation, called)
    shares = []
    for k, source in enumerate(node.inputs):
        part = node.passed[k]
        if part is None or source.kind == "constant":
            continue
        at = operation.column if isinstance(operation, Selection) else largest(part)
        local, as_factor = _local(node, k, at)
        by = partial(entry_name(node, at), entry_name(source, at))
        shares.append(
            Passed(
                source,
                Line(equation(by, local.letters), equation(by, local.numbers)),
                Line(
                    product(called, as_factor.letters),
                    product(factor(entry(node.gradient, at)), as_factor.numbers),
                ),
                gradient_name(source),
                gradient_name(source, at),
                entry(part, at),
            )
        )
    return shares


def _local(node: Node, k: int, at: int) -> tuple[Line, Line]:
    """Return the local derivative by the k-th input, of matrices that at one entry: as it stands, as a factor."""
    operation = node.operation
    if isinstance(operation, Multiplier):
        other = node.inputs[1 - k]
        value = entry(other.value, at)
        return Line(other.name.mathml, numeral(value)), Line(other.name.mathml, factor(value))
    if isinstance(operation, Function):
        return _slope_of_function(node, operation, at)
    one = Line(numeral(1), numeral(1))  # of an adder, of a selection
    return one, one


def _slope_of_function(node: Node, operation: Function, at: int) -> tuple[Line, Line]:
    source = node.inputs[0]
    z, h = entry(source.value, at), entry(node.value, at)
    _, f_prime = activation_symbols(operation.activation)
    slope = numeral(entry(operation.activation.derivative(source.value), at))
    if f_prime is None:  # an own formula that cannot be followed
        called = identifier(f"{operation.activation.name}′")
        letters = Line(row(called, brackets(source.name.mathml)), row(called, brackets(numeral(z))))
        return Line(letters.letters, equation(letters.numbers, slope)), letters
    names = {"z": source.name.mathml, "h": node.name.mathml}
    numbers = {"z": numeral(z), "h": numeral(h)}
    return (
        Line(written(f_prime, names), equation(written(f_prime, numbers), slope)),
        Line(written(f_prime, names, as_factor=True), written(f_prime, numbers, as_factor=True)),
    )


def _matmul_back(node: Node, operation: Matmul, back: str) -> list[Passed]:
    *parts, w = node.inputs
    before = layer_before(node)
    transposed = f"<msup>{row(w.name.mathml)}{identifier('T')}</msup>"
    before_transposed = f"<msup>{row(before)}{identifier('T')}</msup>"
    whole = operation.layer.joined([part.value for part in parts])[0, operation.taken]
    to_w = node.passed[-1]
    assert to_w is not None
    i, j = (int(k) for k in np.unravel_index(np.argmax(np.abs(to_w)), w.value.shape))
    weight = Name("w", w.layer, (int(operation.taken[i]), node.units[j])).mathml
    to_weights = Passed(
        w,
        Line(equation(partial(node.name.mathml, w.name.mathml), before), ""),
        Line(row(before_transposed, back), product(factor(float(whole[i])), factor(entry(node.gradient, j)))),
        gradient_name(w),
        partial(LOSS, weight),
        float(to_w[i, j]),
    )
    shares = []
    for part, returned in zip(parts, node.passed, strict=False):
        assert returned is not None
        taken = np.isin(part.units, operation.taken)
        at = int(np.argmax(np.where(taken, np.abs(returned[0]), -1)))
        weights = w.value[operation.taken == part.units[at]][0]
        shares.append(
            Passed(
                part,
                Line(equation(partial(node.name.mathml, before), w.name.mathml), ""),
                Line(row(back, transposed), _sum_of_products(node.gradient[0], weights)),
                gradient_name(part),
                gradient_name(part, at),
                entry(returned, at),
            )
        )
    return [*shares, to_weights]


def _loss_line(node: Node, operation: LossFunction) -> Line:
    values, names = _loss_inputs(node, operation)
    formula, _ = loss_symbols(operation.loss, values)
    result = numeral(entry(node.value, 0))
    if formula is None:
        called = row(identifier(operation.loss.name), brackets(names["a"]("j") + sign(",") + names["y"]("j")))
        return Line(equation(LOSS, called), equation(LOSS, result))
    return Line(
        equation(LOSS, written_of_row(formula, names)),
        equation(LOSS, written_with_numbers(formula, values), result),
    )


def _slopes(node: Node, operation: LossFunction) -> list[Passed]:
    """Return the largest slopes of the loss, each under the node that its output belongs to."""
    values, names = _loss_inputs(node, operation)
    _, formula = loss_symbols(operation.loss, values)
    half = len(node.inputs) // 2
    slope = operation.layer.joined([part for part in node.passed[:half] if part is not None])[0]
    by_output = partial(LOSS, names["a"]("j"))
    letters = by_output if formula is None else written_of_row(formula, names, "j")
    last = node.inputs[0]
    target = Name("delta", last.layer, ("j",)).mathml if last.kind == "adder" else by_output
    shares = []
    for j in sorted(int(k) for k in np.argsort(-np.abs(slope), kind="stable")[:MOST_SLOPES]):
        source = next(s for s, units in zip(node.inputs, operation.layer.units, strict=False) if j in units)
        name = gradient_name(source, source.units.index(j))
        numbers = "" if formula is None else written_with_numbers(formula, values, j)
        amount = float(slope[j])
        local = Line(equation(by_output, letters), equation(*filter(None, [name, numbers, numeral(amount)])))
        shares.append(Passed(source, local, Line(letters, numbers), target, name, amount))
    return shares


def _loss_inputs(
    node: Node, operation: LossFunction
) -> tuple[dict[str, Array], dict[str, Callable[[str | None], str]]]:
    """Return outputs and targets as rows, and their names at an index."""
    half = len(node.inputs) // 2
    outputs, targets = node.inputs[:half], node.inputs[half:]
    letter, layer = outputs[0].name.letter.lower(), outputs[0].name.layer
    values = {
        "a": operation.layer.joined([source.value for source in outputs]),
        "y": operation.layer.joined([source.value for source in targets]),
    }
    return values, {"a": _indexed(letter, layer), "y": _indexed("y", None)}


def _indexed(letter: str, layer: int | None) -> Callable[[str | None], str]:
    return lambda index: Name(letter, layer, () if index is None else (index,)).mathml


def layer_before(node: Node) -> str:
    """Return the name of what a matrix product takes in: the whole layer before, or some of it."""
    layer = node.layer - 1
    some = len(node.inputs[-1].name.places) == 2  # w with (…, j) below: the other inputs of unit j
    places = (OTHERS,) if some else ()
    return (Name("H", layer, places) if layer else Name("X", None, places)).mathml


def _sum_of_products(one: Array, other: Array) -> str:
    terms = [product(factor(float(a)), factor(float(b))) for a, b in zip(one, other, strict=True)]
    return sum_of(terms, one * other)


def largest(values: Array) -> int:
    """Return the column of the number that is farthest from 0."""
    return int(np.argmax(np.abs(values[0])))


def entry(values: Array, at: int) -> float:
    """Return the number of one column; the only one where all columns share it."""
    return float(values[0, at if values.shape[1] > 1 else 0])
