"""What the wording of all nodes is made of: equations, and the names and numbers in them.

Of several rows the numbers are those of the first, and what all rows share collects from all of them; of a matrix
the entry with the largest number is shown.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glassnet.graph.algebra import join_terms
from glassnet.graph.nodes import Node
from glassnet.graph.notation import Name, Number, factor, fraction, numeral, partial, row, sign
from glassnet.graph.traced import plain
from glassnet.nn.activations import Array

LOSS = Name("L").mathml

OVER_ROWS = f"<munder>{sign('∑')}<mtext>rows</mtext></munder>"


class Line(NamedTuple):
    """An equation with letters, and the same with numbers."""

    letters: str
    numbers: str


class Passed(NamedTuple):
    """What a node passes back to one of its inputs, the source: its gradient times the local derivative.

    `target` is MathML of the gradient that is passed, `entry` of the one number of it that is shown, the `amount`.
    """

    source: Node
    local: Line
    made_of: Line
    target: str
    entry: str
    amount: Number

    def line(self, relation: str) -> Line:
        """Return the equation; where others pass something to the input as well, the relation is an arrow."""
        result = equation(self.made_of.numbers, numeral(self.amount))
        return Line(self.target + sign(relation) + self.made_of.letters, self.entry + sign(relation) + result)


def pass_back(source: Node, at: int, local: Line, made_of: Line, amount: Number) -> Passed:
    """Return what an input gets, of which the number at one place is shown."""
    return Passed(source, local, made_of, gradient_name(source), gradient_name(source, at), amount)


def equation(*sides: str) -> str:
    """Return sides with equals signs between them; an empty one is left out."""
    return sign("=").join(filter(None, sides))


def product(*factors: str) -> str:
    """Return factors with dots between them."""
    return sign("·").join(factors)


def difference(*terms: str) -> str:
    """Return terms with minus signs between them."""
    return sign("−").join(terms)


def square(base: str) -> str:
    """Return the square of something that holds together."""
    return f"<msup>{base}<mn>2</mn></msup>"


def gradient_name(node: Node, at: int | None = None) -> str:
    """Return the name of a node's gradient, or of one entry of it; an adder's is a delta."""
    if node.kind == "adder":
        places = node.name.places if at is None or not node.is_matrix else (node.units[at],)
        return Name("delta", node.layer, places).mathml
    return partial(LOSS, node.name.mathml if at is None else entry_name(node, at))


def entry_name(node: Node, at: int) -> str:
    """Return the name of one unit's entry in a node."""
    if not node.is_matrix or node.value.shape[1] == 1:
        return node.name.mathml
    return Name(node.name.letter.lower(), node.name.layer, (node.units[at],)).mathml


def mean_over_rows(n: int, letters: str) -> str:
    """Return the mean of something over n rows, with letters."""
    return product(fraction(numeral(1), numeral(n)), row(OVER_ROWS, letters))


def mean_of(texts: list[str], values: Array) -> str:
    """Return the mean of numbers, a text for each."""
    return fraction(join_terms(texts, values), numeral(len(values)))


def sum_of_products(one: Array, other: Array) -> str:
    """Return the sum of the products of numbers, written out."""
    terms = [product(factor(one[k]), factor(other[k])) for k in range(len(one))]
    return join_terms(terms, one * other)


def sum_over_rows(source: Node, part: Array) -> Array:
    """Return what comes back to a node, added up over the rows where all of them share it."""
    return part.sum(axis=0, keepdims=True) if len(source.value) < len(part) else part


def find_largest(values: Array) -> int:
    """Return the column of the number that is farthest from 0."""
    return int(np.argmax(np.abs(plain(values)[0])))


def entry(values: Array, at: int) -> Number:
    """Return the number of one column; the only one where all columns share it."""
    number: Number = values[0, at if values.shape[1] > 1 else 0]
    return number
