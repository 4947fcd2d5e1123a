"""The loops written from formulas, run by Python: they compute what NumPy computes, here bit for bit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.compiled.loops import Loop
from glassnet.compiled.tracing import array, row, scalar, trace
from glassnet.nn.activations import gelu
from glassnet.nn.losses import softmax_cross_entropy


def arrays(*names, dtype="float64"):
    return [array(name, dtype) for name in names]


def noise(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


# Stores, adds, results, options, scalars


def test_a_loop_stores_adds_and_returns(run_loop):
    x, y = arrays("x", "y")
    loop = Loop("f", ["x", "y", "out", "total"], {"out": x - y}, {"total": x * y}, (x / y).sum(axis=1))
    X, Y = np.array([[6.0, 8], [1, 9]]), np.array([[3.0, 2], [4, -3]])
    out, total = np.full((2, 2), 7.0), np.array([[100.0, 200], [300, 400]])
    assert run_loop(loop, [X, Y, out, total]) == [6, -2.75]
    assert out.tolist() == [[3, 6], [-3, 12]]
    assert total.tolist() == [[118, 216], [304, 373]]


def test_what_is_stored_was_loaded_before(run_loop):
    x, y = arrays("x", "y")
    loop = Loop("f", ["x", "y"], {"x": y, "y": x - x.max(axis=1, keepdims=True)}, {})
    X, Y = np.array([[1.0, 5, 3]]), np.array([[10.0, 20, 30]])
    run_loop(loop, [X, Y])
    assert X.tolist() == [[10, 20, 30]]
    assert Y.tolist() == [[-4, 0, -2]]


def test_the_first_array_says_how_long_the_row_is(run_loop):
    x = array("x", "float64")
    loop = Loop("f", ["x", "y"], {"y": x}, result=x.sum(axis=1))
    Y = np.full((1, 3), 9.0)
    assert run_loop(loop, [np.array([[1.0, 2]]), Y]) == [3]
    assert Y.tolist() == [[1, 2, 9]]


def test_an_option_is_a_number_of_the_call(run_loop):
    x, scale = array("x", "float64"), row("scale", "float64")
    loop = Loop(
        "f", ["x", "out"], {"out": scale * x}, result=scale * x.sum(axis=1, keepdims=True), options=["scale"]
    )
    out = np.zeros((1, 2))
    assert run_loop(loop, [np.array([[1.0, 2]]), out], options=[10.0]) == [30]
    assert out.tolist() == [[10, 20]]
    assert loop.scalars == []


def test_scalars_are_worked_out_before_the_loop_and_rounded_once(run_loop):
    theta, g = arrays("theta", "g", dtype="float32")
    t, eta, beta = (scalar(name, "float32") for name in ("t", "eta", "beta"))
    loop = Loop("f", ["theta", "g"], {"theta": theta - eta * (g / (1 - beta**t)) - 1 / 3})
    X, G = noise(2, 1, 5, dtype="float32")
    expected = X - 0.1 * (G / (1 - 0.999**3)) - 1 / 3
    run_loop(loop, [X, G], values={"t": 3, "eta": 0.1, "beta": 0.999})
    np.testing.assert_array_equal(X, expected)
    assert [symbol.operation for symbol in loop.scalars] == ["input", "subtract"]  # eta, 1 - beta^t


def test_scalars_constants_and_truths_may_be_stored_as_they_are(run_loop):
    x, t = array("x", "float64"), scalar("t", "float64")
    (one,) = trace(lambda x: (np.ones_like(x),), x)
    names = ["x", "a", "b", "c", "d"]
    loop = Loop("f", names, {"a": one, "b": 2 * t, "c": x > 1, "d": t > 1}, {"x": x > 1})
    table = np.array([[[0.0, 3]], *np.zeros((4, 1, 2))])
    run_loop(loop, list(table), values={"t": 5.0})
    assert table[:, 0].tolist() == [[0, 4], [1, 1], [10, 10], [0, 1], [1, 1]]


def test_a_scalar_condition_may_meet_a_condition_of_the_element(run_loop):
    x, t = array("x", "float64"), scalar("t", "float64")
    loop = Loop("f", ["x"], {"x": np.where(np.logical_and(t > 2, x > 0), 5 * x, x)})
    for steps, expected in ((1.0, [[-1, 2]]), (3.0, [[-1, 10]])):
        X = np.array([[-1.0, 2]])
        run_loop(loop, [X], values={"t": steps})
        assert X.tolist() == expected


def test_a_row_value_reaches_every_element(run_loop):
    x = array("x", "float64")
    total = x.sum(axis=1, keepdims=True)
    loop = Loop("f", ["x", "out", "sums"], {"out": total}, {"sums": total * total}, total)
    X, out, sums = np.array([[1.0, 2, 4]]), np.zeros((1, 3)), np.ones((1, 3))
    assert run_loop(loop, [X, out, sums]) == [7]
    assert out.tolist() == [[7, 7, 7]]
    assert sums.tolist() == [[50, 50, 50]]


def test_reductions_without_anything_stored(run_loop):
    x = array("x", "float64")
    loop = Loop("f", ["x"], {}, result=(x - x.min(axis=1, keepdims=True)).max(axis=1))
    assert run_loop(loop, [np.array([[3.0, -1, 4], [2, 2, 2]])]) == [5, 0]


def test_the_extremes_of_a_row_with_nan_are_nan(run_loop):
    x = array("x", "float64")
    for name in ("max", "min", "sum"):
        loop = Loop("f", ["x"], {}, result=getattr(x, name)(axis=1))
        rows = np.array([[np.nan, 1, 2], [1, np.nan, 2], [1, 2, np.nan], [-np.inf, -np.inf, -np.inf]])
        values = run_loop(loop, [rows])
        assert [math.isnan(value) for value in values] == [True, True, True, False]
        assert values[3] == -math.inf


# How it is written


def test_each_stage_is_one_loop_and_what_is_dear_is_computed_once():
    logits, targets = arrays("z", "targets")
    value, slope = trace(softmax_cross_entropy, logits, targets)
    loop = Loop("output", ["z", "targets", "slope"], {"slope": slope}, {}, value)
    text = loop.source()
    assert text.count("for j") == 3  # the largest logit; the sum of the exponentials; value and slope
    assert text.count("exp(") == text.count("log(") == 1
    assert loop.scratch_rows == 1
    assert text.count("scratch[0, j]") == 2  # written, read
    plain = Loop("plain", ["z", "h"], {"h": trace(gelu, array("z", "float64"))})
    assert plain.source().count("for j") == 1
    assert "scratch[" not in plain.source()
    assert plain.scratch_rows == 0


def test_what_several_results_share_is_computed_once():
    z, h = arrays("z", "h")
    both = np.tanh(z + h)
    text = Loop("f", ["z", "h"], {"z": both, "h": 1 - both * both}).source()
    assert text.count("tanh(") == text.count("z[j]") - 1 == text.count("h[j]") - 1 == 1


def test_a_whole_power_is_a_product():
    z = array("z", "float64")
    texts = [Loop("f", ["z"], {"z": z**power}).source() for power in (1, 2, 3, 4, 5, 1.5, -1)]
    assert ["**" in text for text in texts] == [False] * 4 + [True] * 3


def test_a_text_is_written_twice_the_same():
    z, t = array("z", "float64"), scalar("t", "float64")
    loop = Loop("f", ["z"], {"z": t * np.exp(z - z.max(axis=1, keepdims=True))})
    first = loop.source()
    assert loop.source() == first
    assert len(loop.scalars) == loop.scratch_rows + 1 == 1


def test_odd_constants_are_written_down(run_loop):
    z = array("z", "float64")
    for number in (np.nan, np.inf, -np.inf, 1e-310, 1e308, 0.1, -0.0, -2.5, 1 / 3, 7):
        out = np.zeros((1, 1))
        run_loop(Loop("f", ["z"], {"z": z + number}), [out])
        np.testing.assert_array_equal(out, [[float(number)]])
        run_loop(Loop("f", ["z"], {"z": np.where(z == z, number, 1)}), [out := np.zeros((1, 1))])
        np.testing.assert_array_equal(out, [[float(number)]])


def test_a_very_long_formula_is_written():
    z = array("z", "float64")

    def long(z):
        for _ in range(3000):
            z = z * z + 1
        return z

    text = Loop("f", ["z"], {"z": trace(long, z)}).source()
    assert text.count(" * ") >= 3000
    assert compile(text, "<long>", "exec").co_names == ("f",)


# Formulas of several stages


def log_sum_exp_of_deviations(a, y):
    """Reductions in a row: the mean, the largest deviation, the sum, and one more of what came of them."""
    deviation = a - a.sum(axis=1, keepdims=True) / 5
    largest = deviation.max(axis=1, keepdims=True)
    total = np.exp(deviation - largest).sum(axis=1, keepdims=True)
    weights = np.exp(deviation - largest) / total
    spread = (weights * np.sqrt(np.abs(y - deviation))).sum(axis=1, keepdims=True)
    rows = (weights * (y - spread) * np.log(total)).sum(axis=1) + np.sqrt((deviation * deviation).sum(axis=1))
    return rows, weights * spread + np.tanh(deviation) * weights.max(axis=1, keepdims=True) - y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("formula", [softmax_cross_entropy, log_sum_exp_of_deviations])
def test_a_formula_of_several_stages(formula, dtype, run_loop):
    A, Y = noise(2, 40, 5, dtype=dtype)
    A[:3] = [1000, -1000, 0, 999, 1000], [0, 0, 0, 0, 0], [-80, -90, -100, 3e4, 1]
    value, slope = trace(formula, *arrays("a", "y", dtype=dtype))
    loop = Loop("f", ["a", "y", "out"], {"out": slope}, {}, value)
    out = np.full_like(A, np.nan)
    values = run_loop(loop, [A.copy(), Y.copy(), out])
    with np.errstate(all="ignore"):
        rows, slopes = formula(A, Y)
    np.testing.assert_array_equal(out, slopes)
    np.testing.assert_array_equal(values, rows)


# Any formula: a list of operations on earlier values, worked out by symbols and by arrays

#: Zeros lose their sign where it would be up to NumPy which of 0 and -0 is the larger.
BINARY = [
    np.add,
    np.subtract,
    np.multiply,
    np.divide,
    lambda a, b: np.maximum(a + 0.0, b + 0.0),
    lambda a, b: np.minimum(a + 0.0, b + 0.0),
]
UNARY = [np.exp, np.tanh, np.sqrt, np.log1p, np.abs, np.square, np.negative, np.sign, np.reciprocal]
CHOICES = [
    lambda a, b: np.maximum(a, b) + 0.0,
    lambda a, b: np.minimum(a, b) + 0.0,
    lambda a, b: np.where(a > b, a, 0.5),
    lambda a, b: np.where(np.logical_or(a <= b, np.logical_not(b < 1)), b, a),
    lambda a, b: (a >= b).astype(a.dtype) * b,
    lambda a, b: np.where(np.logical_and(a != b, a > 0.1), a < b, b > 0) * a,
    lambda a, b: np.clip(a + 0.0, -1, b + 0.0),
    lambda a, b: np.heaviside(a, 0.25) * b,
]
REDUCED = [
    lambda a: a.sum(axis=1, keepdims=True),
    lambda a: np.max(a + 0.0, axis=-1, keepdims=True),
    lambda a: (a + 0.0).min(axis=1, keepdims=True),
]

place = st.integers(0, 30)
step = (
    st.tuples(st.sampled_from(BINARY), place, place)
    | st.tuples(st.sampled_from(CHOICES), place, place)
    | st.tuples(st.sampled_from(UNARY), place)
    | st.tuples(st.sampled_from(REDUCED), place)
    | st.tuples(st.floats(-3, 3, width=32), place)
)


def results(steps, x, y, t):
    """Four values of the elements, and one of the row, that come of the steps."""
    elements, everything = [x, y], [x, y]
    for operation, *places in steps:
        if operation in REDUCED:
            everything.append(operation(elements[places[0] % len(elements)]))
            continue
        parts = [everything[place % len(everything)] for place in places]
        if isinstance(operation, float):
            value = parts[0] * (operation + t) - operation * x
        else:
            value = operation(*parts)
            value = value if value.__class__ is not np.ndarray else value.astype(x.dtype)
        everything.append(value)
        if any(part is element for part in parts for element in elements):
            elements.append(value)
    *first, last = elements[-3:]
    return last, first[0] * y, first[-1], last - x, (elements[-1] * elements[len(elements) // 2]).sum(axis=1)


@given(
    st.lists(step, min_size=1, max_size=14),
    st.sampled_from(["float32", "float64"]),
    st.integers(1, 7),
    st.integers(0, 3),
)
def test_any_formula(run_loop, steps, dtype, width, seed):
    X, Y = noise(2, 4, width, dtype=dtype, seed=seed)
    X[0], Y[1, 0] = 0, 0
    X[2, 0], Y[3, -1] = (np.nan, np.inf) if seed == 3 else (2, -2)
    with np.errstate(all="ignore"):
        *expected, rows = results(steps, X, Y, 0.7)
        expected[2] = 1 + expected[2]
    *graph, result = results(steps, *arrays("x", "y", dtype=dtype), scalar("t", dtype))
    names = ["y", "x", "added", "out"]  # the first two are inputs as well
    stores = {name: graph[number] for number, name in enumerate(names) if name != "added"}
    loop = Loop("f", ["x", "y", "added", "out"], stores, {"added": graph[2]}, result)
    table = {"x": X.copy(), "y": Y.copy(), "added": np.ones_like(X), "out": np.full_like(X, np.nan)}
    values = run_loop(loop, [table[name] for name in loop.arrays], values={"t": 0.7})
    for number, name in enumerate(names):
        np.testing.assert_array_equal(table[name], expected[number], err_msg=name)
    np.testing.assert_array_equal(values, rows)
