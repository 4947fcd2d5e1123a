"""A formula run on symbols: it is followed exactly, or refused."""

import math
import operator
import re

import numpy as np
import pytest

from glassnet.compiled.loops import Loop
from glassnet.compiled.tracing import (
    COMPARISONS,
    ELEMENT,
    OPERATIONS,
    ROW,
    SCALAR,
    Symbol,
    UntraceableError,
    array,
    evaluate,
    in_order,
    power,
    scalar,
    trace,
)


def traced(formula, dtype="float32"):
    """The graph of a formula of two arrays."""
    return trace(formula, array("z", dtype), array("h", dtype))


def shape(symbol):
    """A graph as nested tuples."""
    if symbol.operation in ("input", "constant"):
        return symbol.label
    return (symbol.operation, *map(shape, symbol.inputs))


# What symbols say


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (lambda z, h: z + h, ("add", "z", "h")),
        (lambda z, h: 1 - z, ("subtract", 1.0, "z")),
        (lambda z, h: z - 1, ("subtract", "z", 1.0)),
        (lambda z, h: 2 / z, ("divide", 2.0, "z")),
        (lambda z, h: -z * h, ("multiply", ("negative", "z"), "h")),
        (lambda z, h: 2**z, ("power", 2.0, "z")),
        (lambda z, h: abs(+z), ("absolute", ("positive", "z"))),
        (lambda z, h: np.float32(0.5) * z, ("multiply", 0.5, "z")),
        (lambda z, h: h < z, ("less", "h", "z")),
        (lambda z, h: z <= 0, ("less_equal", "z", 0.0)),
        (lambda z, h: z != h, ("not_equal", "z", "h")),
        (lambda z, h: np.where(z > 0, 1, h), ("where", ("greater", "z", 0.0), 1.0, "h")),
        (lambda z, h: np.clip(z, -1, h), ("minimum", ("maximum", "z", -1.0), "h")),
        (lambda z, h: np.sum(z, axis=1, keepdims=True) * h, ("multiply", ("sum", "z"), "h")),
        (lambda z, h: np.max(z, 1, keepdims=True) * h, ("multiply", ("max", "z"), "h")),
        (lambda z, h: np.amin(z, axis=-1, keepdims=True) * h, ("multiply", ("min", "z"), "h")),
        (lambda z, h: z.max(axis=-1, keepdims=True) * h, ("multiply", ("max", "z"), "h")),
        (lambda z, h: z.real.copy().astype(z.dtype, copy=False), "z"),
        (lambda z, h: (z > 0).astype(z.dtype), ("multiply", ("greater", "z", 0.0), 1.0)),
        (lambda z, h: np.zeros_like(z), 0.0),
        (lambda z, h: np.ones_like(z), 1.0),
        (lambda z, h: 3, 3.0),
        (lambda z, h: np.finfo(z.dtype).max, float(np.finfo("float32").max)),
    ],
)
def test_a_formula_leaves_its_operations_behind(formula, expected):
    assert shape(traced(formula)) == expected


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_is_written_as_numpy_computes_it(name, run_loop):
    function = getattr(np, name)
    places = (OPERATIONS[name].count("{2}") and 3) or (OPERATIONS[name].count("{1}") and 2) or 1
    values = np.array([0, -0.0, 1, -1, 0.5, -0.5, 3, np.nan, np.inf, -np.inf, 1, 1], dtype=np.float64)
    table = np.array(np.meshgrid(*[values] * places)).reshape(places, -1)
    if name in ("logical_and", "logical_or", "logical_not"):
        table = table[:, np.isfinite(table).all(axis=0)]
        formula = {
            1: lambda z: np.where(function(z > 0), 2, z),
            2: lambda z, h: np.where(function(z > 0, h > 0), 2, z),
        }[places]
    elif name == "where":
        formula = lambda z, h, y: function(z > 0, h, y)  # noqa: E731
    else:
        formula = function
    names = [f"x{number}" for number in range(places)]
    loop = Loop("f", [*names, "out"], {"out": trace(formula, *(array(name, "float64") for name in names))})
    out = np.zeros_like(table[:1])
    run_loop(loop, [*table[:, np.newaxis], out])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(out[0], formula(*table), rtol=1e-15)


def test_comparisons_are_true_or_false_and_the_rest_is_of_the_arrays_dtype():
    z = array("z", "float32")
    assert (z > 0).dtype == np.logical_not(z > 0).dtype == bool
    assert np.where(z > 0, z < 1, False).dtype == bool
    assert z.dtype == (2 * z).dtype == np.where(z > 0, 1, z).dtype == z.max(axis=1).dtype == np.float32
    assert set(OPERATIONS) > COMPARISONS
    for name in COMPARISONS:
        assert getattr(np, name)(*[np.ones(1)] * getattr(np, name).nin).dtype == bool


def test_levels():
    z, t = array("z", "float32"), scalar("t", "float32")
    row = z.sum(axis=1, keepdims=True)
    assert (SCALAR, ROW, ELEMENT) == (0, 1, 2)
    assert [s.level for s in (t, 1 - 0.9**t, np.ones_like(z))] == [SCALAR] * 3
    assert [s.level for s in (row, t * row, np.log(row), np.where(t > 1, row, 0))] == [ROW] * 4
    assert [s.level for s in (z, z - row, t * z, z > 0, np.where(row > 0, z, t))] == [ELEMENT] * 5


def test_several_results_and_scalars_by_name():
    def rule(theta, g, t, eta):
        return theta - eta * g, eta / t, 0.5

    new = trace(
        rule, *(array(n, "float64") for n in ("theta", "g")), **{n: scalar(n, "float64") for n in ("t", "eta")}
    )
    assert [shape(symbol) for symbol in new] == [
        ("subtract", "theta", ("multiply", "eta", "g")),
        ("divide", "eta", "t"),
        0.5,
    ]
    assert [symbol.level for symbol in new] == [ELEMENT, SCALAR, SCALAR]


def test_symbols_are_not_changed_by_being_used():
    z = array("z", "float32")
    trace(lambda z: np.maximum(z, 0) ** 2, z)
    assert (z.operation, z.inputs, z.label, z.level) == ("input", (), "z", ELEMENT)


# Values of scalars


def test_scalars_are_worked_out_in_float64_for_many_steps_at_once():
    beta, t = scalar("beta", "float32"), scalar("t", "float32")
    steps = np.arange(1.0, 5)
    value = evaluate(np.sqrt(1 - beta**t) / (1 + 0.5), {"beta": 0.999, "t": steps})
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, [math.sqrt(1 - 0.999**n) / 1.5 for n in steps], rtol=1e-14)
    assert evaluate(np.where(t > 2, t, -beta), {"beta": 0.5, "t": steps}).tolist() == [-0.5, -0.5, 3, 4]


def test_whole_hyper_parameters_are_numbers_like_others():
    k = scalar("k", "float32")
    assert evaluate(k**-k, {"k": 2}) == 0.25


def test_a_shared_part_is_worked_out_once():
    value = scalar("x", "float64")
    for _ in range(200):  # 2^200 operations, if each were
        value = value + value
    assert evaluate(value, {"x": 1.0}) == 2.0**200


# The order


def test_in_order_gives_each_symbol_once_after_its_inputs():
    x, y = array("x", "float64"), array("y", "float64")
    total = x + y
    product = total * total
    assert list(map(id, in_order([product, total, x]))) == list(map(id, (x, y, total, product)))
    assert list(map(id, in_order([y, product]))) == list(map(id, (y, x, total, product)))
    assert list(in_order([])) == []


def test_a_long_chain_and_a_wide_fan_are_ordered_too():
    chain = x = array("x", "float64")
    for _ in range(5000):
        chain = chain * chain + x
    order = list(in_order([chain]))
    assert len(order) == len(set(map(id, order))) == 10_001
    place = {id(symbol): number for number, symbol in enumerate(order)}
    assert all(place[id(part)] < place[id(symbol)] for symbol in order for part in symbol.inputs)


# What cannot be followed


class MineError(Exception):
    pass


def raising(z, h):
    raise MineError("my own")


UNTRACEABLE = {
    "a branch": lambda z, h: z if z > 0 else h,
    "and": lambda z, h: (z > 0 and h > 0) * h,
    "not": lambda z, h: (not z) * h,
    "a chain of comparisons": lambda z, h: (0 < z < 1) * h,
    "max": max,
    "a loop": lambda z, h: sum(v for v in z),
    "float": lambda z, h: float(z) * h,
    "math": lambda z, h: math.exp(z),
    "another function": lambda z, h: np.fft.fft(z),
    "another ufunc": lambda z, h: np.hypot(z, h),
    "floor": lambda z, h: np.floor(z),
    "rounding": lambda z, h: np.round(z),
    "a whole quotient": lambda z, h: z // 2,
    "a remainder": lambda z, h: z % 2,
    "fmax, which loses NaN": lambda z, h: np.fmax(z, h),
    "a turned mask": lambda z, h: ~(z > 0) * h,
    "bits": lambda z, h: ((z > 0) & (h > 0)) * h,
    "a matrix product": operator.matmul,
    "a sum over the batch": lambda z, h: z - z.sum(axis=0),
    "a sum over everything": lambda z, h: z / z.sum(),
    "a sum over everything by name": lambda z, h: z / np.sum(z),
    "a sum of sums": lambda z, h: z.sum(axis=1, keepdims=True).sum(axis=1, keepdims=True) * h,
    "a sum over axis 2": lambda z, h: z.sum(axis=2),
    "a mean": lambda z, h: z - z.mean(axis=1, keepdims=True),
    "a reduction of a ufunc": lambda z, h: np.add.reduce(z, axis=1, keepdims=True) * h,
    "an outer product": lambda z, h: np.multiply.outer(z, h),
    "indexing": lambda z, h: z[:, :1] * h,
    "assignment": lambda z, h: z.__setitem__(0, 1),
    "the shape": lambda z, h: z / z.shape[1],
    "the length": lambda z, h: z / len(z),
    "transposing": lambda z, h: z.T,
    "in place": lambda z, h: operator.iadd(z, 1),
    "in place on a mask": lambda z, h: operator.imul(z > 0, h),
    "out=": lambda z, h: np.exp(z, out=z),
    "a place for the result": lambda z, h: np.exp(z, h),
    "where=": lambda z, h: np.exp(z, where=z > 0),
    "dtype=": lambda z, h: np.add(z, h, dtype="float64"),
    "another dtype": lambda z, h: z.astype("float16"),
    "whole numbers": lambda z, h: z.astype(int) * h,
    "numbers as a mask": lambda z, h: z.astype(bool) * h,
    "a complex number": lambda z, h: (z * 1j).real,
    "a complex number of NumPy's": lambda z, h: z * np.complex64(1),
    "an array": lambda z, h: z * np.ones(4),
    "an array of one number": lambda z, h: z * np.array(2.0),
    "a list": lambda z, h: z * [1, 2, 3, 4],
    "a word": lambda z, h: z * "2",
    "a clip without a bound": lambda z, h: np.clip(z, None, 1),
    "a number too large for a float": lambda z, h: z * 10**400,
    "an exception": raising,
    "a missing argument": lambda z: z,
    "a missing result": lambda z, h: None,
    "a list as the result": lambda z, h: [z, h],
    "an array as the result": lambda z, h: np.ones(4),
    "NumPy's vectorize": np.vectorize(lambda z, h: z + h),
}


@pytest.mark.parametrize("formula", UNTRACEABLE.values(), ids=UNTRACEABLE)
def test_what_a_loop_cannot_do_is_refused(formula):
    with pytest.raises(UntraceableError):
        traced(formula)


def test_the_refusal_says_what_was_asked_for():
    for formula, said in (
        (UNTRACEABLE["another function"], "np.fft in a formula is not among what is compiled"),
        (UNTRACEABLE["a reduction of a ufunc"], "np.add.reduce in a formula is not among what is compiled"),
        (UNTRACEABLE["a sum over the batch"], "sum over axis 0"),
        (UNTRACEABLE["a branch"], "a branch that depends on the data"),
        (UNTRACEABLE["an array"], "an operand of the type ndarray"),
        (UNTRACEABLE["an exception"], "MineError: my own"),
    ):
        with pytest.raises(UntraceableError) as caught:
            traced(formula)
        assert str(caught.value) == said


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_is_no_fault_of_the_formulas_passes(error):
    def stop(z, h):
        raise error

    with pytest.raises(error):
        traced(stop)


# Never anything else than NumPy: each of these is either refused or computed as NumPy does

DUBIOUS = {
    "a number": lambda z, h: 3.0,
    "true": lambda z, h: True,
    "a mask": lambda z, h: z > 0,
    "a row value": lambda z, h: z.sum(axis=1, keepdims=True),
    "a row value times ones": lambda z, h: z.sum(axis=1, keepdims=True) * np.ones_like(z),
    "a row value of row values": lambda z, h: z.max(axis=1, keepdims=True) - h.min(axis=1, keepdims=True),
    "a row value that loses its axis": lambda z, h: z - z.max(axis=1),
    "a row value that loses its axis, by name": lambda z, h: z / np.sum(z, axis=1),
    "one axis lost, one kept": lambda z, h: h * (z.sum(axis=1) + z.max(axis=1, keepdims=True)),
    "a sum with an own start": lambda z, h: h + np.sum(z, axis=1, keepdims=True, initial=5),
    "a maximum with an own start": lambda z, h: h + np.max(z, axis=1, keepdims=True, initial=0),
    "a sum where": lambda z, h: h + np.sum(z, axis=1, keepdims=True, where=z > 0),
    "a sum of whole numbers": lambda z, h: h + np.sum(z, axis=1, keepdims=True, dtype=int),
    "a method's sum of whole numbers": lambda z, h: h + z.sum(axis=1, keepdims=True, dtype="int32"),
    "a sum in float64": lambda z, h: h + z.sum(axis=1, keepdims=True, dtype="float64"),
    "a count": lambda z, h: h * (z > 0).sum(axis=1, keepdims=True),
    "any": lambda z, h: h * (z > 0).max(axis=1, keepdims=True),
    "a truth of the row and one of the element": lambda z, h: (
        1.0 * np.logical_and((z > 0).max(axis=1, keepdims=True), h > 0)
    ),
    "mask + mask": lambda z, h: 2.0 * ((z > 0) + (h > 0)),
    "mask + mask == 2": lambda z, h: 1.0 * ((z > 0) + (h > 0) == 2),
    "mask + mask as a number": lambda z, h: ((z > 0) + (h > 0)).astype(z.dtype),
    "mask - mask": lambda z, h: 2.0 * ((z > 0) - (h > 0)),
    "mask * mask": lambda z, h: 2.0 * ((z > 0) * (h > 0)),
    "-mask": lambda z, h: -(z > 0) * h,
    "+mask": lambda z, h: +(z > 0) * h,
    "mask == mask": lambda z, h: 1.0 * ((z > 0) == (h > 0)),
    "mask < mask": lambda z, h: 1.0 * ((z > 0) < (h > 0)),
    "mask == True": lambda z, h: 1.0 * (np.equal(z > 0, True)),
    "z > mask": lambda z, h: 1.0 * (z > (h > 0)),
    "mask ** 2": lambda z, h: (z > 0) ** 2 * h,
    "mask ** -1": lambda z, h: (z > 0) ** -1.0 * h,
    "mask / 2": lambda z, h: (z > 0) / 2,
    "1 - mask": lambda z, h: (1 - (z > 0)) * h,
    "weighted masks": lambda z, h: 0.01 + 0.99 * (z > 0) - 2 * (h > 0),
    "mask to whole numbers": lambda z, h: (z > 0).astype(int) * h,
    "mask to bytes, which wrap": lambda z, h: -(z > 0).astype("uint8") * h,
    "mask to bytes, which overflow": lambda z, h: (z > 0).astype("int8") * 100 * 2 * h,
    "a difference of bytes": lambda z, h: ((z > 0).astype("uint8") - (h > 0).astype("uint8")) * h,
    "1 / whole number": lambda z, h: np.reciprocal((z > 0).astype(int) + 1) * h,
    "1 / mask": lambda z, h: np.reciprocal(z > 0) * h,
    "numbers back to a mask": lambda z, h: np.where(z > 0, 2.5, 0).astype(bool) * h,
    "the sign of a mask": lambda z, h: np.sign(z > 0) * h,
    "the larger mask": lambda z, h: np.maximum(z > 0, h > 0) * h,
    "the larger of mask and number": lambda z, h: np.maximum(z > 0, h),
    "and": lambda z, h: np.logical_and(z > 0, h > 0) * h,
    "and of numbers": lambda z, h: np.logical_and(z, h) * 2.0,
    "and of a product of masks": lambda z, h: np.logical_and((z > 0) * (z < 1), h > 0) * h,
    "and of the larger mask": lambda z, h: np.logical_and(np.maximum(z > 0, z < -1), h > 0) * h,
    "and of chosen numbers": lambda z, h: np.logical_and(np.where(z > 0, 1, 0), h > 0) * h,
    "and of a mask made a number": lambda z, h: np.logical_and((z > 0).astype(z.dtype), h > 0) * h,
    "and of ones": lambda z, h: np.logical_and(np.ones_like(z > 0), h > 0) * h,
    "or of a number": lambda z, h: np.logical_or(z > 0, 1) * h,
    "or of a truth": lambda z, h: np.logical_or(z > 0, False) * h,
    "not of numbers": lambda z, h: np.logical_not(z) * 2.0,
    "not of zeros": lambda z, h: np.logical_not(np.zeros_like(z > 0)) * h,
    "where of numbers": lambda z, h: np.where(z, h, 1),
    "where of masks": lambda z, h: np.where(z > 0, h > 0, z < -1) * 2.0,
    "where of 1 and 0": lambda z, h: np.where(z > 0, 1, 0),
    "where of numbers times": lambda z, h: np.where(z > 0, 2.5, -1) * h,
    "where of NaN and infinity": lambda z, h: np.where(z > 0, np.nan, -np.inf) + 1,
    "where of a mask and numbers": lambda z, h: np.where(z > 0, h > 0, z) * 3,
    "where of a plain truth": lambda z, h: np.where(np.True_, z, h),
    "power -1": lambda z, h: np.power(z, -1),
    "power -2": lambda z, h: z**-2,
    "power 0": lambda z, h: z**0,
    "power 0.5": lambda z, h: z**0.5,
    "power 1.5": lambda z, h: z**1.5,
    "power 3": lambda z, h: z**3,
    "power true": lambda z, h: z**True,
    "power of both": lambda z, h: z**h,
    "square of a sum": lambda z, h: (z + h) ** 4,
    "2 to a power": lambda z, h: 2**z,
    "a clip whose bounds cross": lambda z, h: np.clip(z, 1, -1),
    "a clip by an array": lambda z, h: np.clip(z, -1, h),
    "NaN found by itself": lambda z, h: np.where(np.not_equal(z, z), 0, h),
    "numbers beyond the dtype": lambda z, h: np.where(z < 1e300, z, h) + (1e300 * 1e-300),
    "a dtype for ones": lambda z, h: np.ones_like(z, bool) * h,
    "an array of a symbol": lambda z, h: np.asarray(z) * h,
    "an array of a symbol, summed": lambda z, h: np.asarray(z).sum() + h,
    "an array of a symbol, its maximum": lambda z, h: z / np.asarray(abs(z)).max(),
    "a sum over a list": lambda z, h: np.sum([z, h], axis=0),
    "a sum over all of a list": lambda z, h: np.sum([z, h]) + h,
    "a product over all of a list": lambda z, h: np.prod([z, h]) + h,
    "a sum of Python's": lambda z, h: sum([z, h]),
    "a polynomial": lambda z, h: np.polynomial.Polynomial([1, 2, 3])(z),
}


#: Why a formula is refused.
REASONS = re.compile(
    r"a value of the row without keepdims=True among others|np\.\w+ in a formula is not among what is compiled|"
    r"\w+ of (truths|whole numbers|numbers)|sum over axis 1 in (int32|float64)|where with numbers for a condition|"
    r"astype\((u?int8|bool)\) in a formula of float(32|64)|an array made within a formula"
)


@pytest.mark.parametrize("formula", DUBIOUS.values(), ids=DUBIOUS)
def test_a_formula_is_refused_or_means_what_it_means_to_numpy(formula, run_loop):
    for dtype in ("float32", "float64"):
        check(formula, dtype, run_loop)


def check(formula, dtype, run_loop):
    Z, H = np.random.default_rng(0).normal(size=(2, 12, 5)).astype(dtype)
    odd = [0, -0.0, 1, -1, 0.5, 2, np.nan, np.inf, -np.inf, 1e30]
    Z[6:8], H[8:10] = np.reshape(odd, (2, 5)), np.reshape(odd, (2, 5))
    Z[10], H[10], Z[11], H[11] = 2, 3, -2, -3
    why, out = "", np.full_like(Z, 77)
    try:
        run_loop(Loop("f", ["z", "h", "out"], {"out": traced(formula, dtype)}), [Z.copy(), H.copy(), out])
    except UntraceableError as error:
        why = str(error)
    if why:
        assert REASONS.fullmatch(why)
        return
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(formula(Z, H), Z.shape).astype(dtype)
    np.testing.assert_allclose(out, expected, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_formulas_that_everyone_writes_are_followed():
    """The test above would be content with a tracer that refuses everything."""
    for name in ("weighted masks", "where of 1 and 0", "1 - mask", "a clip by an array", "a count", "power 3"):
        assert isinstance(traced(DUBIOUS[name]), Symbol)


# Values of rows


@pytest.mark.parametrize(
    "formula",
    [
        lambda z, h: (z * h).sum(axis=1),
        lambda z, h: z.max(axis=1) - h.min(axis=1),
        lambda z, h: z - z.max(axis=1, keepdims=True),
        lambda z, h: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) - h,
        lambda z, h: (h * (z - z.min(axis=1, keepdims=True))).sum(axis=1, keepdims=True),
        lambda z, h: ((z > 0) * h).sum(axis=-1) + (z > h).sum(axis=1),
    ],
    ids=["a sum", "extremes", "an axis kept", "softmax", "a sum of differences", "sums of truths"],
)
def test_sums_and_extremes_run_over_the_elements_of_a_row(formula):
    Z, H = np.random.default_rng(0).normal(size=(2, 4, 3))
    value = evaluate(traced(formula, "float64"), {"z": Z, "h": H})
    np.testing.assert_allclose(value, formula(Z, H), rtol=1e-15)
    assert value.shape == formula(Z, H).shape


def test_powers_of_many_steps_have_the_bits_of_each_alone():
    exponents = np.array([0, 1, 2, 31, 1000, 4095, 4096, 70000])
    for some in (exponents[:-1], exponents):  # from the list, and beyond its end
        assert power(0.999, some).tolist() == [power(0.999, each) for each in some.tolist()]
