"""The mathematics of a node of batch normalisation in MathML, with letters and with numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glassnet.graph.equations import (
    Line,
    difference,
    entry,
    entry_name,
    equation,
    find_largest,
    mean_of,
    mean_over_rows,
    product,
    square,
)
from glassnet.graph.nodes import Node, Normalisation
from glassnet.graph.notation import Name, brackets, factor, fraction, numeral, row, sign
from glassnet.nn.batch_norm import EPSILON


def write_normalisation_lines(node: Node, operation: Normalisation) -> list[Line]:
    """Return the mean and the variance, where they are those of the batch, and then what is made with them."""
    at, u = find_largest(node.value), node.inputs[0]
    letters, entries = _name_statistics(node), _name_statistics(node, at)
    mean, variance = (float(statistic[0, at]) for statistic in operation.statistics(u.value))
    centred = difference(numeral(entry(u.value, at)), factor(mean))
    made = Line(
        equation(letters.x_hat, fraction(difference(letters.a, letters.mu), _write_root(letters.v))),
        equation(entries.x_hat, fraction(centred, _write_root(numeral(variance))), numeral(entry(node.value, at))),
    )
    if operation.running is not None:
        return [made]
    column = u.value[:, at]
    squares = [square(brackets(numeral(float(c)))) for c in column - mean]
    deviation = square(brackets(difference(letters.a, letters.mu)))
    return [
        Line(
            equation(letters.mu, mean_over_rows(node, letters.a)),
            equation(entries.mu, mean_of([factor(float(a)) for a in column], column), numeral(mean)),
        ),
        Line(
            equation(letters.v, mean_over_rows(node, deviation)),
            equation(entries.v, mean_of(squares, (column - mean) ** 2), numeral(variance)),
        ),
        made,
    ]


class _Names(NamedTuple):
    """MathML of mean, variance, sum and normalised sum; of a matrix, or of one unit in it."""

    mu: str
    v: str
    a: str
    x_hat: str


def _name_statistics(node: Node, at: int | None = None) -> _Names:
    whole = at is None or not node.is_matrix or node.value.shape[1] == 1
    places = node.name.places if whole else (node.units[at or 0],)
    a = node.inputs[0].name.mathml if at is None else entry_name(node.inputs[0], at)
    x_hat = node.name.mathml if at is None else entry_name(node, at)
    return _Names(Name("mu", node.layer, places).mathml, Name("v", node.layer, places).mathml, a, x_hat)


def _write_root(variance: str) -> str:
    return f"<msqrt>{variance}{sign('+')}{numeral(EPSILON)}</msqrt>"


def write_normalisation_slope(node: Node, operation: Normalisation, at: int) -> tuple[Line, Line]:
    """Return how the normalised number of a row moves with that row's own sum: the mean and variance move, too."""
    names, n = _name_statistics(node), len(node.value)
    variance = float(operation.statistics(node.inputs[0].value)[1][0, at])
    letters, numbers = (fraction(numeral(1), _write_root(v)) for v in (names.v, numeral(variance)))
    slope = 1 / np.sqrt(variance + EPSILON)
    if operation.running is None:
        share, x_hat = fraction(numeral(1), numeral(n)), entry(node.value, at)
        slope *= 1 - 1 / n - x_hat**2 / n
        letters, numbers = (
            product(text, brackets(difference(numeral(1), share, fraction(square(x), numeral(n)))))
            for text, x in ((letters, row(names.x_hat)), (numbers, brackets(numeral(x_hat))))
        )
    return Line(letters, equation(numbers, numeral(float(slope)))), Line(letters, numbers)


def write_normalisation_back(node: Node, operation: Normalisation, at: int, called: str) -> Line:
    """Return what the sums get: directly, and on the ways by the mean and by the variance."""
    names, G, x_hat = _name_statistics(node), node.gradient[:, at], node.value[:, at]
    variance = float(operation.statistics(node.inputs[0].value)[1][0, at])
    letters, numbers = called, factor(float(G[0]))
    if operation.running is None:
        by_mean = mean_over_rows(node, called)
        by_variance = product(names.x_hat, mean_over_rows(node, product(called, names.x_hat)))
        letters = brackets(difference(called, by_mean, by_variance))
        ways = product(factor(float(x_hat[0])), factor(float((G * x_hat).mean())))
        numbers = brackets(difference(numeral(float(G[0])), factor(float(G.mean())), ways))
    scale = (fraction(numeral(1), _write_root(v)) for v in (names.v, numeral(variance)))
    return Line(*(product(s, text) for s, text in zip(scale, (letters, numbers), strict=True)))
