"""The mathematics of a single node in MathML: with letters, and with this network's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from glassnet.graph.algebra import (
    join_terms,
    trace_activation,
    trace_loss,
    trace_softmax,
    write_formula,
    write_row_formula,
    write_with_numbers,
)
from glassnet.graph.equations import (
    LOSS,
    OVER_ROWS,
    Line,
    Passed,
    difference,
    entry,
    entry_name,
    equation,
    find_largest,
    gradient_name,
    mean_of,
    mean_over_rows,
    pass_back,
    product,
    square,
    sum_of_products,
    sum_over_rows,
)
from glassnet.graph.nodes import (
    Adder,
    Function,
    LossFunction,
    Matmul,
    Multiplier,
    Node,
    Normalisation,
    Selection,
    Softmax,
)
from glassnet.graph.notation import (
    OTHERS,
    Name,
    brackets,
    factor,
    fraction,
    identifier,
    numeral,
    partial,
    row,
    sign,
    transpose,
)
from glassnet.graph.traced import plain
from glassnet.nn.activations import Array
from glassnet.nn.batch_norm import EPSILON

MOST_SLOPES = 3

#: The loss of a row, where there are several.
ROW_LOSS = Name("ℓ").mathml


def write_forward_lines(node: Node, with_factors: bool = False) -> list[Line]:
    """Return how a node's value is made of its inputs; of what looks at all rows, first what it finds in them.

    With factors, a sum says of its products what is multiplied.
    """
    if isinstance(node.operation, LossFunction):
        return _write_loss_lines(node, node.operation)
    if isinstance(node.operation, Normalisation):
        return _write_normalisation_lines(node, node.operation)
    operation, at = node.operation, find_largest(node.value)
    if isinstance(operation, Softmax):
        return _write_softmax_lines(node, operation)
    if isinstance(operation, Adder):
        amounts = np.array([plain(entry(source.value, at)) for source in node.inputs])
        terms = [term.inputs if with_factors and term.kind == "multiplier" else (term,) for term in node.inputs]
        letters = join_terms([product(*(source.name.mathml for source in term)) for term in terms], amounts)
        numbers = join_terms(
            [product(*(factor(entry(source.value, at)) for source in term)) for term in terms], amounts
        )
    elif isinstance(operation, Multiplier):
        letters = product(*(source.name.mathml for source in node.inputs))
        numbers = product(*(factor(entry(source.value, at)) for source in node.inputs))
    elif isinstance(operation, Function):
        f, _ = trace_activation(operation.activation)
        z, called = node.inputs[0], identifier(operation.activation.name)
        letters, numbers = (
            row(called, brackets(text)) if f is None else write_formula(f, {"z": text})
            for text in (z.name.mathml, numeral(entry(z.value, at)))
        )
    elif isinstance(operation, Matmul):
        h, w = operation.layer.join([s.value for s in node.inputs[:-1]])[0, operation.taken], node.inputs[-1]
        letters = row(name_layer_before(node), w.name.mathml)
        numbers = sum_of_products(h, w.value[:, at])
    else:
        assert isinstance(operation, Selection)
        letters, numbers = row(node.inputs[0].name.mathml, sign("["), f"<mn>{node.units[0]}</mn>", sign("]")), ""
    result = numeral(entry(node.value, at))
    return [Line(equation(node.name.mathml, letters), equation(entry_name(node, at), numbers, result))]


def list_passed(node: Node, called: str | None = None) -> list[Passed]:
    """Return what a node passes back to each input that needs it.

    `called` is MathML for the node's own gradient, where it has another name than `gradient_name`.
    """
    called = called or gradient_name(node)
    operation = node.operation
    if isinstance(operation, LossFunction):
        return _list_slopes(node, operation)
    if isinstance(operation, Matmul):
        return _list_matmul_shares(node, operation, called)
    if isinstance(operation, Softmax):
        return _list_softmax_shares(node, operation)
    shares = []
    for k, source in enumerate(node.inputs):
        part = node.passed[k]
        if part is None or source.is_given:
            continue
        part = sum_over_rows(source, part)
        at = operation.column if isinstance(operation, Selection) else find_largest(part)
        local, as_factor = _write_local(node, k, at)
        by = partial(entry_name(node, at), entry_name(source, at))
        local = Line(equation(by, local.letters), equation(by, local.numbers))
        made_of = _write_returned(node, k, at, called, as_factor)
        shares.append(pass_back(source, at, local, made_of, entry(part, at)))
    return shares


def _write_returned(node: Node, k: int, at: int, called: str, as_factor: Line) -> Line:
    """Return what the k-th input gets: the gradient times the local derivative, of all rows if these share it."""
    if isinstance(node.operation, Normalisation):
        return _write_normalisation_back(node, node.operation, at, called)
    letters = product(called, as_factor.letters)
    if len(node.inputs[k].value) == len(node.gradient):
        return Line(letters, product(factor(entry(node.gradient, at)), as_factor.numbers))
    G = node.gradient[:, at]
    other = node.inputs[1 - k].value[:, at] if isinstance(node.operation, Multiplier) else np.ones_like(G)
    return Line(row(OVER_ROWS, letters), sum_of_products(G, other))


def _write_local(node: Node, k: int, at: int) -> tuple[Line, Line]:
    """Return the local derivative by the k-th input, of matrices that at one entry: as it stands, as a factor."""
    operation = node.operation
    if isinstance(operation, Multiplier):
        other = node.inputs[1 - k]
        value = entry(other.value, at)
        return Line(other.name.mathml, numeral(value)), Line(other.name.mathml, factor(value))
    if isinstance(operation, Function):
        return _write_function_slope(node, operation, at)
    if isinstance(operation, Normalisation):
        return _write_normalisation_slope(node, operation, at)
    one = Line(numeral(1), numeral(1))  # of an adder, of a selection
    return one, one


def _write_function_slope(node: Node, operation: Function, at: int) -> tuple[Line, Line]:
    source = node.inputs[0]
    z, h = entry(source.value, at), entry(node.value, at)
    _, f_prime = trace_activation(operation.activation)
    slope = numeral(entry(operation.activation.f_prime(source.value, node.value) * 1.0, at))
    if f_prime is None:  # an own formula that cannot be followed
        called = identifier(f"{operation.activation.name}′")
        letters = Line(row(called, brackets(source.name.mathml)), row(called, brackets(numeral(z))))
        return Line(letters.letters, equation(letters.numbers, slope)), letters
    names = {"z": source.name.mathml, "h": node.name.mathml}
    numbers = {"z": numeral(z), "h": numeral(h)}
    return (
        Line(write_formula(f_prime, names), equation(write_formula(f_prime, numbers), slope)),
        Line(write_formula(f_prime, names, as_factor=True), write_formula(f_prime, numbers, as_factor=True)),
    )


def _list_matmul_shares(node: Node, operation: Matmul, back: str) -> list[Passed]:
    *parts, w = node.inputs
    before = name_layer_before(node)
    whole = operation.layer.join([part.value for part in parts])[:, operation.taken]
    to_w = node.passed[-1]
    assert to_w is not None
    i, j = (int(k) for k in np.unravel_index(np.argmax(np.abs(plain(to_w))), w.value.shape))
    weight = Name("w", w.layer, (int(operation.taken[i]), node.units[j])).mathml
    to_weights = Passed(
        w,
        Line(equation(partial(node.name.mathml, w.name.mathml), before), ""),
        Line(row(transpose(before), back), sum_of_products(whole[:, i], node.gradient[:, j])),
        gradient_name(w),
        partial(LOSS, weight),
        to_w[i, j],
    )
    shares = []
    for part, returned in zip(parts, node.passed, strict=False):
        assert returned is not None
        taken = np.isin(part.units, operation.taken)
        at = int(np.argmax(np.where(taken, np.abs(plain(returned)[0]), -1)))
        weights = w.value[operation.taken == part.units[at]][0]
        local = Line(equation(partial(node.name.mathml, before), w.name.mathml), "")
        made_of = Line(row(back, transpose(w.name.mathml)), sum_of_products(node.gradient[0], weights))
        shares.append(pass_back(part, at, local, made_of, entry(returned, at)))
    return [*shares, to_weights]


def _write_loss_lines(node: Node, operation: LossFunction) -> list[Line]:
    """Return the loss of a row, and what becomes of the losses of several."""
    values, names = _take_loss_inputs(node, operation)
    formula, _ = trace_loss(operation.loss, {name: plain(rows) for name, rows in values.items()})
    losses = operation.loss.formula(values["a"], values["y"])[0]
    name, result = (LOSS if len(losses) == 1 else ROW_LOSS), numeral(losses[0])
    if formula is None:
        called = row(identifier(operation.loss.name), brackets(names["a"]("j") + sign(",") + names["y"]("j")))
        lines = [Line(equation(name, called), equation(name, result))]
    else:
        first = {name: rows[:1] for name, rows in values.items()}
        letters, numbers = write_row_formula(formula, names), write_with_numbers(formula, first)
        lines = [Line(equation(name, letters), equation(name, numbers, result))]
    if len(losses) == 1:
        return lines
    texts, total = [factor(loss) for loss in losses], numeral(entry(node.value, 0))
    if operation.loss.reduction == "sum":
        whole = Line(row(OVER_ROWS, ROW_LOSS), join_terms(texts, losses))
    else:
        whole = Line(mean_over_rows(len(losses), ROW_LOSS), mean_of(texts, losses))
    return [*lines, Line(equation(LOSS, whole.letters), equation(LOSS, whole.numbers, total))]


def _list_slopes(node: Node, operation: LossFunction) -> list[Passed]:
    """Return the largest slopes of the loss, each under the node that its output belongs to."""
    values, names = _take_loss_inputs(node, operation)
    _, formula = trace_loss(operation.loss, {name: plain(rows) for name, rows in values.items()})
    slope = operation.outputs.join([part for part in node.passed if part is not None])[0]
    by_output, first = partial(LOSS, names["a"]("j")), {name: rows[:1] for name, rows in values.items()}
    n = len(values["a"]) if operation.loss.reduction == "mean" else 1

    def average(text: str) -> str:
        return product(fraction(numeral(1), numeral(n)), brackets(text)) if n > 1 else text

    letters = by_output if formula is None else average(write_row_formula(formula, names, "j"))
    last = node.inputs[0]
    target = Name("delta", last.layer, ("j",)).mathml if last.kind == "adder" else by_output
    shares = []
    for j in sorted(int(k) for k in np.argsort(-np.abs(plain(slope)), kind="stable")[:MOST_SLOPES]):
        source = next(s for s, units in zip(node.inputs, operation.outputs.units, strict=False) if j in units)
        name = gradient_name(source, source.units.index(j))
        numbers = "" if formula is None else average(write_with_numbers(formula, first, j))
        amount = slope[j]
        local = Line(equation(by_output, letters), equation(name, numbers, numeral(amount)))
        shares.append(Passed(source, local, Line(letters, numbers), target, name, amount))
    return shares


def _write_softmax_lines(node: Node, operation: Softmax) -> list[Line]:
    """Return the largest probabilities."""
    formula, logit = trace_softmax(), node.inputs[0].name
    names = {"a": _index(logit.letter.lower(), logit.layer)}
    values = {"a": operation.layer.join([source.value for source in node.inputs])[:1]}
    letters = equation(Name("p", None, ("j",)).mathml, write_row_formula(formula, names, "j"))
    largest = sorted(int(k) for k in np.argsort(-plain(node.value)[0], kind="stable")[:MOST_SLOPES])
    return [
        Line(letters, equation(entry_name(node, at), write_with_numbers(formula, values, at), numeral(p)))
        for at, p in ((at, entry(node.value, at)) for at in largest)
    ]


def _list_softmax_shares(node: Node, operation: Softmax) -> list[Passed]:
    """Return what the logits get that get most: each is a part of every probability."""
    p, G = node.value[0], node.gradient[0]
    back = operation.layer.join([part for part in node.passed if part is not None])[0]
    p_j, p_k = (Name("p", None, (index,)).mathml for index in "jk")
    summed = row(f"<munder>{sign('∑')}{identifier('k')}</munder>", product(partial(LOSS, p_k), p_k))
    letters = product(p_j, brackets(difference(partial(LOSS, p_j), summed)))
    shares = []
    for j in sorted(int(k) for k in np.argsort(-np.abs(plain(back)), kind="stable")[:MOST_SLOPES]):
        source = next(s for s, units in zip(node.inputs, operation.layer.units, strict=True) if j in units)
        places = source.units.index(j)
        logit = entry_name(source, places)
        z_j = Name(source.name.letter.lower(), source.layer, ("j",)).mathml
        slope = product(factor(p[j]), brackets(difference(numeral(1), factor(p[j]))))
        local = Line(
            equation(partial(p_j, z_j), product(p_j, brackets(difference(numeral(1), p_j)))),
            equation(partial(entry_name(node, j), logit), slope, numeral(p[j] * (1 - p[j]))),
        )
        inner = difference(numeral(G[j]), factor((G * p).sum()))
        numbers = product(factor(p[j]), brackets(inner))
        name = gradient_name(source, places)
        target = Name("delta", source.layer, ("j",)).mathml if source.kind == "adder" else partial(LOSS, z_j)
        shares.append(Passed(source, local, Line(letters, numbers), target, name, back[j]))
    return shares


def _take_loss_inputs(
    node: Node, operation: LossFunction
) -> tuple[dict[str, Array], dict[str, Callable[[str | None], str]]]:
    """Return outputs and targets as rows, and their names at an index."""
    output = node.inputs[0].name
    a, y = operation.join_halves([source.value for source in node.inputs])
    return {"a": a, "y": y}, {"a": _index(output.letter.lower(), output.layer), "y": _index("y", None)}


def _index(letter: str, layer: int | None) -> Callable[[str | None], str]:
    return lambda index: Name(letter, layer, () if index is None else (index,)).mathml


def name_layer_before(node: Node) -> str:
    """Return the name of what a matrix product takes in: the whole layer before, or some of it."""
    layer = node.layer - 1
    some = len(node.inputs[-1].name.places) == 2  # w with (…, j) below: the other inputs of unit j
    places = (OTHERS,) if some else ()
    masked = "~" if node.inputs[0].name.letter.endswith("~") else ""
    return (Name(f"H{masked}", layer, places) if layer else Name(f"X{masked}", None, places)).mathml


def _write_normalisation_lines(node: Node, operation: Normalisation) -> list[Line]:
    """Return the mean and the variance, where they are those of the batch, and then what is made with them."""
    at, u = find_largest(node.value), node.inputs[0]
    letters, entries = _name_statistics(node), _name_statistics(node, at)
    mean, variance = (statistic[0, at] for statistic in operation.statistics(u.value))
    centred = difference(numeral(entry(u.value, at)), factor(mean))
    made = Line(
        equation(letters.x_hat, fraction(difference(letters.a, letters.mu), _write_root(letters.v))),
        equation(entries.x_hat, fraction(centred, _write_root(numeral(variance))), numeral(entry(node.value, at))),
    )
    if operation.running is not None:
        return [made]
    column = u.value[:, at]
    squares = [square(brackets(numeral(c))) for c in column - mean]
    squared_distance = square(brackets(difference(letters.a, letters.mu)))
    return [
        Line(
            equation(letters.mu, mean_over_rows(len(node.value), letters.a)),
            equation(entries.mu, mean_of([factor(a) for a in column], column), numeral(mean)),
        ),
        Line(
            equation(letters.v, mean_over_rows(len(node.value), squared_distance)),
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


def _write_normalisation_slope(node: Node, operation: Normalisation, at: int) -> tuple[Line, Line]:
    """Return how the normalised number of a row moves with that row's own sum: the mean and variance move, too."""
    names, n = _name_statistics(node), len(node.value)
    variance = operation.statistics(node.inputs[0].value)[1][0, at]
    letters, numbers = (fraction(numeral(1), _write_root(v)) for v in (names.v, numeral(variance)))
    slope = 1 / np.sqrt(variance + EPSILON)
    if operation.running is None:
        share, x_hat = fraction(numeral(1), numeral(n)), entry(node.value, at)
        slope *= 1 - 1 / n - x_hat**2 / n
        letters, numbers = (
            product(text, brackets(difference(numeral(1), share, fraction(square(x), numeral(n)))))
            for text, x in ((letters, row(names.x_hat)), (numbers, brackets(numeral(x_hat))))
        )
    return Line(letters, equation(numbers, numeral(slope))), Line(letters, numbers)


def _write_normalisation_back(node: Node, operation: Normalisation, at: int, called: str) -> Line:
    """Return what the sums get: directly, and on the ways by the mean and by the variance."""
    names, G, x_hat = _name_statistics(node), node.gradient[:, at], node.value[:, at]
    variance = operation.statistics(node.inputs[0].value)[1][0, at]
    letters, numbers = called, factor(G[0])
    if operation.running is None:
        by_mean = mean_over_rows(len(node.value), called)
        by_variance = product(names.x_hat, mean_over_rows(len(node.value), product(called, names.x_hat)))
        letters = brackets(difference(called, by_mean, by_variance))
        ways = product(factor(x_hat[0]), factor((G * x_hat).mean()))
        numbers = brackets(difference(numeral(G[0]), factor(G.mean()), ways))
    scale = (fraction(numeral(1), _write_root(v)) for v in (names.v, numeral(variance)))
    return Line(*(product(s, text) for s, text in zip(scale, (letters, numbers), strict=True)))
