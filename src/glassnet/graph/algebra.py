"""Formulas in mathematical notation, with letters and with numbers.

What is shown is what is computed: a formula of the package, or of a user, is called with symbols
(`glassnet.compiled.tracing`), and what it did with them is written as MathML. Some formulas are written in code
so that they cannot overflow; for these the form of the textbooks stands in `TEXTBOOK`, and a test holds both
together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial as bound
from typing import Any

import numpy as np

from glassnet.compiled.tracing import REDUCTIONS, Symbol, UntraceableError, array, evaluate, trace
from glassnet.graph.nodes import cross_entropy
from glassnet.graph.notation import (
    ATOM,
    LOGIC,
    MINUS,
    POWER,
    PRODUCT,
    SUM,
    Shown,
    brackets,
    find_tightness,
    fraction,
    hold,
    identifier,
    numeral,
    row,
    sign,
)
from glassnet.graph.traced import plain
from glassnet.nn import activations, losses
from glassnet.nn.activations import Activation, Array
from glassnet.nn.losses import Loss

#: More terms than these are cut: the largest are shown.
MOST_TERMS = 4

A, B = activations.GELU_A, activations.GELU_B
C, D = activations.SELU_SCALE, activations.SELU_ALPHA


def _softmax(z: Any) -> Any:
    """Return the softmax as textbooks have it."""
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


#: The form of the textbooks, where the code has another one.
TEXTBOOK: dict[Callable[..., Any], Callable[..., Any]] = {
    activations.sigmoid: lambda z: 1 / (1 + np.exp(-z)),
    activations.relu_prime: lambda z, h: np.where(z > 0, 1.0, 0.0),
    activations.relu3: lambda z: np.maximum(z, 0) ** 3,
    activations.relu3_prime: lambda z, h: 3 * np.maximum(z, 0) ** 2,
    activations.leaky_relu_prime: lambda z, h: np.where(z > 0, 1.0, 0.01),
    activations.elu: lambda z: np.where(z > 0, z, np.exp(z) - 1),
    activations.gelu: lambda z: 0.5 * z * (1 + np.tanh(A * (z + B * z**3))),
    activations.gelu_prime: lambda z, h: (
        0.5 * (1 + np.tanh(A * (z + B * z**3)))
        + 0.5 * z * (1 - np.tanh(A * (z + B * z**3)) ** 2) * A * (1 + 3 * B * z**2)
    ),
    activations.silu: lambda z: z / (1 + np.exp(-z)),
    activations.silu_prime: lambda z, h: h + (1 - h) / (1 + np.exp(-z)),
    activations.softplus: lambda z: np.log(1 + np.exp(z)),
    activations.softplus_prime: lambda z, h: 1 / (1 + np.exp(-z)),
    activations.selu: lambda z: C * np.where(z > 0, z, D * (np.exp(z) - 1)),
    activations.selu_prime: lambda z, h: C * np.where(z > 0, 1.0, D * np.exp(z)),
    activations.mish: lambda z: z * np.tanh(np.log(1 + np.exp(z))),
    activations.mish_prime: lambda z, h: (
        np.tanh(np.log(1 + np.exp(z))) + z * (1 - np.tanh(np.log(1 + np.exp(z))) ** 2) / (1 + np.exp(-z))
    ),
    losses.half_squared_error: lambda a, y: (0.5 * ((a - y) ** 2).sum(axis=1), a - y),
    losses.absolute_error: lambda a, y: (np.abs(a - y).sum(axis=1), np.sign(a - y)),
    losses.huber_loss: lambda a, y, delta: (
        np.where(np.abs(a - y) <= delta, 0.5 * (a - y) ** 2, delta * (np.abs(a - y) - 0.5 * delta)).sum(axis=1),
        np.where(np.abs(a - y) <= delta, a - y, delta * np.sign(a - y)),
    ),
    cross_entropy: lambda p, y: (-(y * np.log(p)).sum(axis=1), -y / p),
    losses.softmax_cross_entropy: lambda a, y: (-(y * np.log(_softmax(a))).sum(axis=1), _softmax(a) - y),
    losses.sigmoid_cross_entropy: lambda a, y: (
        (np.log(1 + np.exp(a)) - y * a).sum(axis=1),
        1 / (1 + np.exp(-a)) - y,
    ),
}


def choose_form(formula: Callable[..., Any]) -> Callable[..., Any]:
    """Return the form in which a formula is shown."""
    if isinstance(formula, bound):
        return bound(choose_form(formula.func), *formula.args, **formula.keywords)
    return TEXTBOOK.get(formula, formula) if isinstance(formula, Hashable) else formula


def trace_activation(activation: Activation) -> tuple[Symbol | None, Symbol | None]:
    """Return f of the symbol z, and f' of z and h; None for one that cannot be traced."""
    z, h = array("z", np.float64), array("h", np.float64)
    return _trace(choose_form(activation.f), z), _trace(choose_form(activation.f_prime), z, h)


def trace_softmax() -> Symbol:
    """Return softmax of the symbol a."""
    traced: Symbol = trace(_softmax, array("a", np.float64))
    return traced


def trace_loss(loss: Loss, values: Mapping[str, Array] | None = None) -> tuple[Symbol | None, Symbol | None]:
    """Return a row's loss and its slope, of the symbols a and y; None for what cannot be traced.

    For `values` of which the form of the textbooks is not true (it overflows, or takes targets for granted that
    sum to 1), it is the form of the code.
    """
    a, y = array("a", np.float64), array("y", np.float64)
    pair = _trace(choose_form(loss.formula), a, y)
    if pair and values:
        with np.errstate(all="ignore"):
            shown, true = (evaluate(part, dict(values)) for part in pair), loss.formula(values["a"], values["y"])
            if not all(np.allclose(one, other) for one, other in zip(shown, true, strict=True)):
                pair = _trace(loss.formula, a, y)
    return pair or (None, None)


def _trace(formula: Callable[..., Any], *symbols: Symbol) -> Any:
    try:
        return trace(formula, *symbols)
    except UntraceableError:
        return None


Written = tuple[str, int]

FUNCTIONS = {"log": "ln", "sign": "sgn", "heaviside": "H", "maximum": "max", "minimum": "min"}
RELATIONS = {"greater": ">", "greater_equal": "≥", "less": "<", "less_equal": "≤", "equal": "=", "not_equal": "≠"}
JOINTS = {"logical_and": "∧", "logical_or": "∨"}


#: MathML for an input, at the place of a row that an index says; None where the formula is of one number.
Names = Mapping[str, Callable[[str | None], str]]


def write_formula(symbol: Symbol, names: Mapping[str, str], *, as_factor: bool = False) -> str:
    """Return a formula from `trace_activation` in MathML; `names` is the MathML of each input, a name or a number.

    As a factor, a sum stands in brackets.
    """
    writer = _Writer({label: _name_always(text) for label, text in names.items()})
    return writer.write(symbol, PRODUCT if as_factor else LOGIC)


def write_row_formula(symbol: Symbol, names: Names, index: str | None = None) -> str:
    """Return the formula of a row's loss, or of its slope at the output that `index` says, in MathML."""
    return _Writer(names, index).write(symbol)


def write_with_numbers(symbol: Symbol, values: Mapping[str, Array], column: int | None = None) -> str:
    """Return the formula of a row's loss, or of its slope at the output `column`, with numbers instead of letters.

    `values` holds an array of shape (1, d) for each input. A sum is written out, its largest terms at least; a sum
    within another is replaced by what it amounts to.
    """
    return _NumberWriter(values, column).write(symbol)


def _name_always(text: str) -> Callable[[str | None], str]:
    return lambda index: text


class _Writer:
    def __init__(self, names: Names, index: str | None = None) -> None:
        self.names, self.index = names, index

    def write(self, symbol: Symbol, at_least: int = LOGIC) -> str:
        """Write an expression, in brackets where it must hold together more tightly than it does."""
        text, holds = self.expression(symbol)
        if isinstance(text, Shown):
            return hold(text, at_least) if at_least else text
        return text if holds >= at_least else brackets(text)

    def expression(self, symbol: Symbol) -> Written:
        operation, inputs = symbol.operation, symbol.inputs
        if operation in ("input", "constant"):
            text = self.names[symbol.label](self.index) if operation == "input" else numeral(float(symbol.label))
            return text, find_tightness(text)
        if operation in REDUCTIONS:
            return self.reduction(symbol)
        if operation in RELATIONS:
            return row(sign("["), self.relate(symbol), sign("]")), ATOM
        if operation in JOINTS:
            return sign(JOINTS[operation]).join(self.write(part, PRODUCT) for part in inputs), LOGIC
        if operation == "where":
            return self.cases(*inputs), LOGIC
        if operation in OPERATIONS:
            return OPERATIONS[operation](self, *inputs)
        arguments = sign(",").join(self.write(part) for part in inputs)
        return row(identifier(FUNCTIONS.get(operation, operation)), brackets(arguments)), ATOM

    def reduction(self, symbol: Symbol) -> Written:
        name, holds = (sign("∑"), PRODUCT) if symbol.operation == "sum" else (identifier(symbol.operation), LOGIC)
        index = "j" if self.index is None else "k"
        inner = _Writer(self.names, index).write(symbol.inputs[0], PRODUCT)
        return row(f"<munder>{name}{identifier(index)}</munder>", inner), holds

    def cases(self, condition: Symbol, yes: Symbol, no: Symbol) -> str:
        when = row(self.relate(condition)) if condition.operation in RELATIONS else self.write(condition)
        lines = (self.write(yes), "if", when), (self.write(no), "else", "")
        table = "".join(
            f"<mtr><mtd>{value}</mtd><mtd><mtext>{word}</mtext><mspace width='0.3em'/>{when}</mtd></mtr>"
            for value, word, when in lines
        )
        return row(sign("{"), f"<mtable>{table}</mtable>")

    def relate(self, relation: Symbol) -> str:
        return sign(RELATIONS[relation.operation]).join(self.write(part, SUM) for part in relation.inputs)

    def sum(self, a: Symbol, b: Symbol) -> Written:
        text, _ = self.expression(b)
        second = hold(text, PRODUCT) if isinstance(text, Shown) else self.write(b, SUM)
        return self.write(a, SUM) + sign("+") + (brackets(second) if second.startswith(MINUS) else second), SUM

    def multiply(self, a: Symbol, b: Symbol) -> Written:
        if a is b:
            return self.raise_to(a, numeral(2))
        return self.write(a, PRODUCT) + sign("·") + self.write(b, PRODUCT), PRODUCT

    def raise_to(self, a: Symbol, exponent: str) -> Written:
        base = self.write(a, ATOM)
        single = base.startswith(("<mi>", "<mn>")) and base.count("</") == 1  # as a base of a power has to be
        return f"<msup>{base if single else row(base)}{exponent}</msup>", POWER


#: How an operation is written by a writer w, and how tightly the result holds together.
OPERATIONS: dict[str, Callable[..., Written]] = {
    "add": _Writer.sum,
    "subtract": lambda w, a, b: (w.write(a, SUM) + sign("−") + w.write(b, PRODUCT), SUM),
    "negative": lambda w, a: (MINUS + w.write(a, PRODUCT), SUM),
    "positive": lambda w, a: w.expression(a),
    "multiply": _Writer.multiply,
    "divide": lambda w, a, b: (fraction(w.write(a), w.write(b)), POWER),
    "reciprocal": lambda w, a: (fraction(numeral(1), w.write(a)), POWER),
    "square": lambda w, a: w.raise_to(a, numeral(2)),
    "power": lambda w, a, b: w.raise_to(a, row(w.write(b))),
    "exp": lambda w, a: (f"<msup>{identifier('e')}{row(w.write(a))}</msup>", POWER),
    "expm1": lambda w, a: (OPERATIONS["exp"](w, a)[0] + sign("−") + numeral(1), SUM),
    "log1p": lambda w, a: (row(identifier("ln"), brackets(numeral(1) + sign("+") + w.write(a, PRODUCT))), ATOM),
    "sqrt": lambda w, a: (f"<msqrt>{w.write(a)}</msqrt>", ATOM),
    "absolute": lambda w, a: (row(sign("|"), w.write(a), sign("|")), ATOM),
}


class _NumberWriter(_Writer):
    """Writes the numbers of one output; the first sum that it meets is written out over all of them."""

    def __init__(self, values: Mapping[str, Array], column: int | None) -> None:
        self.values, self.column = values, column
        at = 0 if column is None else column
        super().__init__({label: _name_always(numeral(numbers[0, at])) for label, numbers in values.items()})

    def reduction(self, symbol: Symbol) -> Written:
        whole = evaluate(symbol, dict(self.values))
        if self.column is not None or symbol.operation != "sum":
            amount = numeral(whole[0, 0] if np.ndim(plain(whole)) == 2 else whole[0])
            return amount, find_tightness(amount)
        inner = symbol.inputs[0]
        shape = next(iter(self.values.values())).shape
        terms = np.broadcast_to(plain(evaluate(inner, dict(self.values))), shape)[0]
        texts = [_NumberWriter(self.values, column).write(inner, PRODUCT) for column in range(len(terms))]
        return join_terms(texts, terms), SUM if len(terms) > 1 else PRODUCT


def join_terms(texts: list[str], values: Array) -> str:
    """Return terms with plus signs between them; of many only the largest, and dots."""
    if len(texts) <= MOST_TERMS:
        return sign("+").join(texts)
    kept = set(np.argsort(-np.abs(plain(values)), kind="stable")[: MOST_TERMS - 1])
    return sign("+").join(
        text if k in kept else sign("⋯")
        for k, text in enumerate(texts)
        if k in kept or k == 0 or k - 1 in kept  # dots once, where terms begin to be left out
    )
