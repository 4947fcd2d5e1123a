"""Formulas in mathematical notation: what is written is what is computed."""

from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glassnet.compiled.tracing import Symbol, array, evaluate, in_order, trace
from glassnet.graph.algebra import (
    MOST_TERMS,
    TEXTBOOK,
    choose_form,
    join_terms,
    trace_activation,
    trace_loss,
    write_formula,
    write_row_formula,
    write_with_numbers,
)
from glassnet.graph.nodes import cross_entropy
from glassnet.graph.notation import Name, identifier, number, numeral, sign
from glassnet.nn import activations, losses
from glassnet.nn.activations import ACTIVATIONS, Activation, register_activation
from glassnet.nn.losses import LOSSES, Loss, register_loss

ALL_ACTIVATIONS, ALL_LOSSES = sorted(ACTIVATIONS), [*sorted(LOSSES), "huber(0.25)"]
Z = np.concatenate([np.linspace(-30, 30, 241), [1e-9, -1e-9, 0.3, -0.7]])
LETTER_Z, LETTER_H = identifier("z"), identifier("h")


def rounded(symbol):
    """The formula with its constants as they are written, with four digits."""
    label = symbol.label if symbol.operation != "constant" else as_written(float(symbol.label))
    inner = tuple(map(rounded, symbol.inputs))
    options = {"level": symbol.level, "kind": symbol.kind, "kept": symbol.kept, "number": symbol.number}
    return Symbol(symbol.operation, inner, label=label, **options)


def as_written(value):
    return float(number(value).replace("−", "-"))


def rows_for(name, n=40, d=3, seed=0):
    """Outputs and targets that suit a loss; targets of a row sum to 1."""
    rng = np.random.default_rng(seed)
    outputs, targets = rng.normal(0, 3, (n, d)), rng.normal(0, 3, (n, d))
    if LOSSES.resolve(name).output is not None:
        targets = rng.dirichlet(np.ones(d), n)
        targets[: n // 2] = np.eye(d)[rng.integers(d, size=n // 2)]
    return outputs, targets


# The form of the textbooks


@pytest.mark.parametrize("name", ALL_ACTIVATIONS)
def test_an_activation_is_shown_in_a_form_that_computes_the_same(name):
    activation = ACTIVATIONS.resolve(name)
    f, f_prime = trace_activation(activation)
    h = activation.f(Z)
    shown, slope = evaluate(f, {"z": Z}), evaluate(f_prime, {"z": Z, "h": h})
    np.testing.assert_allclose(np.broadcast_to(shown, Z.shape), h, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(np.broadcast_to(slope, Z.shape), activation.derivative(Z), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ALL_LOSSES)
def test_a_loss_is_shown_in_a_form_that_computes_the_same(name):
    loss, (outputs, targets) = LOSSES.resolve(name), rows_for(name)
    rows, slopes = loss.formula(outputs, targets)
    value, slope = (evaluate(symbol, {"a": outputs, "y": targets}) for symbol in trace_loss(loss))
    np.testing.assert_allclose(value, rows, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(slope, slopes, rtol=1e-11, atol=1e-13)


def test_every_form_of_the_textbooks_is_of_a_formula_of_the_package():
    resolved = [ACTIVATIONS.resolve(name) for name in ALL_ACTIVATIONS]
    formulas = {f for activation in resolved for f in (activation.f, activation.f_prime)}
    formulas |= {getattr(loss.formula, "func", loss.formula) for loss in map(LOSSES.resolve, ALL_LOSSES)}
    formulas.add(cross_entropy)
    assert set(TEXTBOOK) <= formulas


def test_options_of_a_formula_stay_with_it():
    shown = choose_form(partial(losses.huber_loss, delta=0.5))
    assert shown.func is TEXTBOOK[losses.huber_loss]
    assert shown.keywords == {"delta": 0.5}
    assert choose_form(activations.tanh) is activations.tanh


@pytest.mark.parametrize(
    ("name", "f", "f_prime"),
    [
        ("identity", "z", "1"),
        ("sigmoid", "11+e−z", "h·(1−h)"),
        ("tanh", "tanh(z)", "1−h2"),
        ("relu", "max(z,0)", "{1ifz>00else"),
        ("relu3", "max(z,0)3", "3·max(z,0)2"),
        ("leaky_relu", "{zifz>00.01·zelse", "{1ifz>00.01else"),
        ("elu", "{zifz>0ez−1else", "{1ifz>0h+1else"),
        ("silu", "z1+e−z", "h+1−h1+e−z"),
        ("softplus", "ln(1+ez)", "11+e−z"),
        ("mish", "z·tanh(ln(1+ez))", "tanh(ln(1+ez))+z·(1−tanh(ln(1+ez))2)1+e−z"),
    ],
)
def test_activations_read_as_in_a_textbook(name, f, f_prime):
    symbols = trace_activation(ACTIVATIONS.resolve(name))
    texts = [write_formula(symbol, {"z": LETTER_Z, "h": LETTER_H}) for symbol in symbols]
    assert [text_of(text) for text in texts] == [f, f_prime]


def text_of(mathml):
    return "".join(ElementTree.fromstring(f"<math>{mathml}</math>").itertext())


# Brackets: what is written is read again, sign by sign


@st.composite
def formulas(draw, depth=4):
    """A formula of z and h, of the operations that may be in an activation."""
    constants = [Symbol("constant", label=value, number=np.float64) for value in (2.0, -1.5, 0.5, 3.0, -1.0)]
    leaf = st.sampled_from([array("z", "float64"), array("h", "float64"), *constants])
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(leaf)
    a, b = draw(formulas(depth - 1)), draw(formulas(depth - 1))
    kind = draw(st.sampled_from(["binary", "binary", "unary", "power", "chosen", "truth", "twice"]))
    if kind == "binary":
        return draw(st.sampled_from(BINARY))(a, b)
    if kind == "unary":
        return draw(st.sampled_from(UNARY))(a)
    if kind == "power":
        return np.power(a, draw(st.sampled_from([2.0, 3.0, -1.0, 0.5])))
    if kind == "twice":
        return a * a
    condition = draw(st.sampled_from(COMPARED))(a, b)
    if draw(st.booleans()):
        c, d = draw(formulas(depth - 2 if depth > 1 else 0)), draw(leaf)
        joined = draw(st.sampled_from([np.logical_and, np.logical_or]))
        condition = joined(condition, draw(st.sampled_from(COMPARED))(c, d))
    if kind == "truth":
        return draw(st.sampled_from([np.multiply, np.add, np.subtract]))(b, condition)
    return np.where(condition, a, draw(formulas(depth - 1)))


BINARY = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.heaviside]
UNARY = [np.negative, np.positive, np.absolute, np.square, np.reciprocal, np.sqrt, np.exp, np.expm1, np.log]
UNARY += [np.log1p, np.tanh, np.sin, np.cos, np.arctan, np.sinh, np.cosh, np.sign]
COMPARED = [np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal]
NUMBERS = st.sampled_from([0.25, -0.5, 2.0, -3.0, 1.25, 0.0, 0.00005, -12500.0])


@st.composite
def traced_formulas(draw):
    """A formula that depends on z or h, and a value for each."""
    with np.errstate(all="ignore"):
        symbol = draw(formulas())
        assume(symbol.operation != "constant")
        values = {"z": draw(NUMBERS), "h": draw(NUMBERS)}
        parts = [evaluate(part, values) for part in in_order([rounded(symbol)])]
    assume(np.isfinite(np.array(parts, float)).all())
    assume(max(abs(float(part)) for part in parts) < 1e12)
    return symbol, values


def agree(read, text, names, symbol, values):
    with np.errstate(all="ignore"):
        expected = float(evaluate(rounded(symbol), values))
        assert read(text, names) == pytest.approx(expected, rel=1e-8, abs=1e-8), text_of(text)


@settings(max_examples=60)
@given(formula=traced_formulas())
def test_a_formula_with_letters_and_with_numbers_reads_as_it_is_computed(read, formula):
    symbol, values = formula
    names = {LETTER_Z: values["z"], LETTER_H: values["h"]}
    text = write_formula(symbol, {"z": LETTER_Z, "h": LETTER_H})
    agree(read, text, names, symbol, values)
    factor = write_formula(symbol, {"z": LETTER_Z, "h": LETTER_H}, as_factor=True)
    agree(read, numeral(3) + sign("·") + factor, names, 3 * symbol, values)
    numbers = write_formula(symbol, {name: numeral(value) for name, value in values.items()})
    agree(read, numbers, {}, symbol, values)


@pytest.mark.parametrize(
    ("formula", "z"),
    [
        (lambda z, h: z * z, 0.00005),
        (lambda z, h: z**3, -12500.0),
        (lambda z, h: (1 / z) ** 2, 4.0),
        (lambda z, h: np.log1p(z), -0.5),
        (lambda z, h: 0.5 + np.logical_and(z > 0, h > 0), 1.0),
        (lambda z, h: 1.0 * np.equal(np.logical_and(z > 0, h > 9), z > 1), 0.5),
        (lambda z, h: z * (-h), 2.0),
        (lambda z, h: z - (h - z), 2.0),
        (lambda z, h: z / h / z, 2.0),
        (lambda z, h: z / (h / z), 2.0),
        (lambda z, h: -(z - h), 2.0),
        (lambda z, h: (-z) ** 2, 2.0),
        (lambda z, h: -(z**2), 2.0),
        (lambda z, h: np.exp(z) ** 2, 0.5),
        (lambda z, h: np.exp(-z), -0.5),
        (lambda z, h: (z + 1) * (z + 1), 2.0),
        (lambda z, h: np.abs(np.abs(z) - h), 2.0),
        (lambda z, h: np.where(z > 0, z, h) * 2, 2.0),
        (lambda z, h: 1 - np.where(z > 0, -z, h), 2.0),
        (lambda z, h: -z + -h, 2.0),
        (lambda z, h: 2.0**z, -1.0),
        (lambda z, h: z**h, 2.0),
        (lambda z, h: z * np.expm1(h), 2.0),
        (lambda z, h: z - np.expm1(h), 2.0),
        (lambda z, h: np.where(z > 0, np.where(z > 1, 1, 2), 3.0), 0.5),
        (lambda z, h: (z > 0) * h + 0.01, 0.5),
        (lambda z, h: np.logical_not(z > 0) * h + 0.01, 0.5),
    ],
)
def test_brackets(read, formula, z):
    symbol, values = trace(formula, array("z", "float64"), array("h", "float64")), {"z": z, "h": 3.0}
    letters = write_formula(symbol, {"z": LETTER_Z, "h": LETTER_H})
    agree(read, letters, {LETTER_Z: z, LETTER_H: 3.0}, symbol, values)
    agree(read, write_formula(symbol, {"z": numeral(z), "h": numeral(3.0)}), {}, symbol, values)


def test_a_name_with_its_layer_above_is_bracketed_before_an_exponent():
    """Else (1) and 2 stand beside each other above the letter."""
    _, f_prime = trace_activation(ACTIVATIONS.resolve("tanh"))
    assert text_of(write_formula(f_prime, {"h": Name("h", 1, (0,)).mathml})) == "1−(h0(1))2"


@pytest.mark.parametrize("name", ALL_ACTIVATIONS)
def test_every_activation_reads_as_it_is_computed(read, name):
    activation = ACTIVATIONS.resolve(name)
    for z in (-2.5, -0.75, 0.5, 1.25):
        h = float(activation.f(np.float64(z)))
        values = {"z": z, "h": h}
        for symbol in trace_activation(activation):
            agree(
                read,
                write_formula(symbol, {"z": LETTER_Z, "h": LETTER_H}),
                {LETTER_Z: z, LETTER_H: h},
                symbol,
                values,
            )
            text = write_formula(symbol, {"z": numeral(z), "h": numeral(h)})
            assert read(text) == pytest.approx(float(evaluate(symbol, values)), rel=2e-3, abs=2e-4)


# Rows


def own_softmax(a, y):
    e = np.exp(a - a.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -(y * np.log(p)).sum(axis=1), p * y.sum(axis=1, keepdims=True) - y


ROWS = {
    "a product of sums": lambda a, y: a.sum(axis=1) * y.sum(axis=1),
    "a sum, then a product": lambda a, y: (a + y).sum(axis=1) * 2,
    "a product, then a sum": lambda a, y: 3 * (a - y).sum(axis=1),
    "a difference of sums": lambda a, y: a.sum(axis=1) - y.sum(axis=1),
    "minus a sum": lambda a, y: -(a - y).sum(axis=1),
    "a sum of minus": lambda a, y: (-a).sum(axis=1) + 1,
    "the square of a sum": lambda a, y: a.sum(axis=1) ** 2,
    "the exponential of a sum": lambda a, y: np.exp(a.sum(axis=1)),
    "a quotient of sums": lambda a, y: a.sum(axis=1) / (1 + (y * y).sum(axis=1)),
    "the largest": lambda a, y: a.max(axis=1) + y.min(axis=1),
    "the largest times less than 0": lambda a, y: a.max(axis=1) * -2,
    "the largest difference": lambda a, y: (a - y).max(axis=1),
    "shares of a sum": lambda a, y: (y * (a / a.sum(axis=1, keepdims=True))).sum(axis=1),
    "less the largest": lambda a, y: ((a - a.max(axis=1, keepdims=True)) * y).sum(axis=1),
    "pieces": lambda a, y: np.where(a > y, a - y, y - a).sum(axis=1),
    "pieces of sums": lambda a, y: np.where(a.sum(axis=1) > 0, a.sum(axis=1), -1.0),
    "a sum of powers": lambda a, y: ((a - y) ** 4).sum(axis=1) / 4,
    "logistic": lambda a, y: np.log1p(np.exp(-a * y)).sum(axis=1),
    "softmax, shifted": lambda a, y: own_softmax(a, y)[0],
}
A, Y = np.array([[1.25, -0.5, 2.0]]), np.array([[0.5, 1.0, -1.5]])


def indexed(letter, values):
    """A letter with an index that is counted through, and what it stands for."""
    return {Name(letter, None, (j,)).mathml: lambda at, j=j: values[0, at[j]] for j in "jk"}


@pytest.fixture(scope="session")
def letters():
    return {letter: lambda index, letter=letter: Name(letter, None, (index,)).mathml for letter in "ay"}


@pytest.mark.parametrize("formula", ROWS.values(), ids=ROWS)
def test_a_formula_of_a_row_reads_as_it_is_computed(read, letters, formula):
    symbol = trace(formula, array("a", "float64"), array("y", "float64"))
    value = float(formula(A, Y)[0])
    names = {**indexed("a", A), **indexed("y", Y)}
    assert read(write_row_formula(symbol, letters), names, d=3) == pytest.approx(value, rel=1e-9)
    assert read(write_with_numbers(symbol, {"a": A, "y": Y})) == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize("name", [*ALL_LOSSES, "own_softmax"])
def test_losses_and_their_slopes_read_as_they_are_computed(read, letters, name):
    loss = Loss(name, own_softmax) if name == "own_softmax" else LOSSES.resolve(name)
    outputs, targets = A, np.array([[0.5, 0.125, 0.375]]) if loss.output or name == "own_softmax" else Y
    value, slope = trace_loss(loss)
    (row,), slopes = loss.formula(outputs, targets)
    names, values = {**indexed("a", outputs), **indexed("y", targets)}, {"a": outputs, "y": targets}
    assert read(write_row_formula(value, letters), names, d=3) == pytest.approx(row, rel=1e-9)
    assert read(write_with_numbers(value, values)) == pytest.approx(row, rel=2e-3)
    for j in range(3):
        text = write_row_formula(slope, letters, "j")
        assert read(text, names, {"j": j}, d=3) == pytest.approx(slopes[0, j], rel=1e-9)
        assert read(write_with_numbers(slope, values, j)) == pytest.approx(slopes[0, j], rel=5e-3)


def test_a_sum_within_a_sum_has_an_index_of_its_own(letters):
    value, slope = trace_loss(LOSSES.resolve("cross_entropy"))
    assert text_of(write_row_formula(value, letters)) == "−∑jyj·ln(eaj∑keak)"
    assert text_of(write_row_formula(slope, letters, "j")) == "eaj∑keak−yj"


def test_logits_beyond_the_range_of_exp_are_shown_without_a_warning(read):
    values = {"a": np.array([[800.0, -800.0]]), "y": np.array([[0.0, 1.0]])}
    for name in ("cross_entropy", "binary_cross_entropy"):
        loss = LOSSES.resolve(name)
        (row,), (slopes,) = loss.formula(values["a"], values["y"])
        value, slope = trace_loss(loss, values)
        assert read(write_with_numbers(value, values)) == pytest.approx(row)
        assert read(write_with_numbers(slope, values, 0)) == pytest.approx(slopes[0])


@given(values=st.lists(st.floats(-100, 100), min_size=1, max_size=12))
def test_of_many_terms_the_largest_are_shown_in_their_order(values):
    texts = [f"<mn>{place}</mn>" for place in range(len(values))]
    parts = text_of(join_terms(texts, np.array(values))).split("+")
    if len(values) <= MOST_TERMS:
        assert parts == [str(place) for place in range(len(values))]
        return
    shown = [int(part) for part in parts if part != "⋯"]
    assert shown == sorted(shown)
    assert len(shown) == MOST_TERMS - 1
    left_out = set(range(len(values))) - set(shown)
    assert min(abs(values[k]) for k in shown) >= max(abs(values[k]) for k in left_out)
    gaps = [b - a > 1 for a, b in zip([-1, *shown], [*shown, len(values)], strict=True)]
    assert [part == "⋯" for part in parts] == [
        dots for k, gap in enumerate(gaps) for dots in ([True] if gap else []) + [False] * (k < len(shown))
    ]


# Formulas of one's own


def test_an_own_activation_is_shown_by_what_it_does(read):
    own = register_activation(
        "own", lambda z: z / (1 + np.abs(z)), lambda z: 1 / (1 + np.abs(z)) ** 2, kinks=(0.0,)
    )
    f, f_prime = trace_activation(own)
    assert text_of(write_formula(f, {"z": LETTER_Z})) == "z1+|z|"
    assert read(write_formula(f_prime, {"z": numeral(-3.0), "h": numeral(-0.75)})) == 1 / 16


@pytest.mark.parametrize(
    "f",
    [lambda z: np.interp(z, [-9, 9], [-9, 9]), np.vectorize(lambda z: z), lambda z: np.array([*z])],
    ids=["another function", "vectorized", "a list"],
)
def test_what_cannot_be_followed_has_no_symbol(f):
    own = Activation("own", f, lambda z, h: np.ones_like(z))
    shown, slope = trace_activation(own)
    assert shown is None
    assert text_of(write_formula(slope, {"z": LETTER_Z, "h": LETTER_H})) == "1"


def test_a_callable_without_a_hash_is_followed():
    class Square:
        def __eq__(self, other):
            return isinstance(other, Square)

        def __call__(self, z):
            return z * z

    f, _ = trace_activation(Activation("square", Square(), lambda z, h: 2 * z))
    assert text_of(write_formula(f, {"z": LETTER_Z})) == "z2"


def test_an_own_loss_is_shown_by_what_it_does(read, letters):
    def quartic(a, y):
        r = a - y
        return 0.25 * (r**4).sum(axis=1), r**3

    value, slope = trace_loss(register_loss("quartic", quartic))
    assert text_of(write_row_formula(value, letters)) == "0.25·∑j(aj−yj)4"
    assert text_of(write_row_formula(slope, letters, "j")) == "(aj−yj)3"
    assert read(write_with_numbers(slope, {"a": A, "y": Y}, 1)) == -3.375


def test_an_own_loss_that_cannot_be_followed_has_no_symbol():
    def unfollowed(a, y):
        r = np.interp(a - y, [-99, 99], [-99, 99])
        return 0.5 * (r * r).sum(axis=1), r

    assert trace_loss(Loss("own", unfollowed)) == (None, None)
