"""exp, log and tanh of the loops: as exact as promised, and right at the edges of the numbers there are.

They are taken from the text of a whole program, run by Python and compiled.
"""

import types

import numpy as np
import pytest

from glassnet.compiled.formulas import Formulas
from glassnet.nn.network import Network
from glassnet.nn.optimizers import SGD
from glassnet.nn.update import Update
from glassnet.runtime.compilation import compile_function

NAMES = ["exp", "expm1", "log", "log1p", "tanh"]
TOLERANCE = {"float32": 3e-7, "float64": 1e-15}

TABLE = """

def table(x, out):
    for i in range(len(x)):
        out[0, i] = exp(x[i])
        out[1, i] = expm1(x[i])
        out[2, i] = log(x[i])
        out[3, i] = log1p(x[i])
        out[4, i] = tanh(x[i])
"""


def source(dtype):
    network = Network([1, 1], loss="half_squared_error", dtype=dtype)
    return Formulas(network, Update(SGD())).update.text + TABLE


@pytest.fixture(scope="module", params=["python", "numba"])
def functions(request):
    """``functions(dtype)(name, x)``: a function at many points."""
    made = {}

    def make(dtype):
        if dtype not in made:
            namespace = {"fma": lambda x, y, z: x * y + z}
            if request.param == "python":
                exec(source(dtype), namespace)
            else:
                namespace["table"] = compile_function(source(dtype), "table")
            made[dtype] = namespace["table"]
        return lambda name, x: at(made[dtype], name, np.asarray(x, dtype))

    def at(table, name, x):
        out = np.empty((len(NAMES), len(x)), x.dtype)
        with np.errstate(all="ignore"):
            table(x, out)
        return out[NAMES.index(name)]

    make.count = 60_000 if request.param == "numba" else 1000
    return make


DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def around(*points, width, count):
    """Points close to some, on both sides, closer and closer."""
    steps = width * np.concatenate([-np.geomspace(1, 1e-9, count), [0], np.geomspace(1e-9, 1, count)])
    return np.concatenate([point + steps for point in points])


@DTYPES
@pytest.mark.parametrize("name", NAMES)
def test_the_relative_error_is_as_promised(functions, name, dtype):
    limits, count = np.finfo(dtype), functions.count
    least, most = np.log(float(limits.tiny)), np.log(float(limits.max))
    log_2 = np.log(2)
    everywhere = np.geomspace(1e-30, 1, count)
    grid = {
        # where n changes in x = n log 2 + r, and from end to end
        "exp": [
            np.linspace(least + 1, most - 1e-3, count),
            around(-log_2 / 2, 0, 3.5 * log_2, width=1, count=count),
        ],
        "expm1": [np.linspace(least, most - 1, count), everywhere, -everywhere, np.linspace(-2, 2, count)],
        "log": [
            np.exp(np.linspace(least + 1e-3, most - 1e-3, count)),
            around(1, 2**0.5, 2**-0.5, width=0.5, count=count),
        ],
        "log1p": [
            around(-0.5, 0, 0.5, width=0.499, count=count),
            np.geomspace(1e-30, 1e30, count),
            everywhere[-count // 2 :] * (1e-4 - 1),
        ],
        "tanh": [np.linspace(-20, 20, count), everywhere, -everywhere],
    }[name]
    x = np.concatenate(grid).astype(dtype)
    x = x[np.abs(x) >= limits.tiny] if name != "exp" else x
    exact = getattr(np, name)(x.astype(np.longdouble))
    error = np.abs(functions(dtype)(name, x) - exact)
    assert (error <= TOLERANCE[dtype] * np.abs(exact)).all()


@DTYPES
@pytest.mark.parametrize("name", NAMES)
def test_zero_nan_and_infinity(functions, name, dtype):
    x = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, -1], dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    expected[-1] = {"log1p": -np.inf, "log": np.nan}.get(name, expected[-1])
    np.testing.assert_allclose(functions(dtype)(name, x), expected, rtol=TOLERANCE[dtype])


@DTYPES
def test_exponentials_overflow_where_floats_end(functions, dtype):
    largest = np.finfo(dtype).max
    last = np.log(largest.astype(np.longdouble)).astype(dtype)  # rounded to the nearest, perhaps up
    while np.exp(last.astype(np.longdouble)) > largest:
        last = np.nextafter(last, np.dtype(dtype).type(0))
    first = np.nextafter(last, np.dtype(dtype).type(np.inf))
    x = np.array([last - 1, last - 0.3, last - 1e-3, last, first, first + 1, largest], dtype)
    for name in ("exp", "expm1"):
        y = functions(dtype)(name, x)
        np.testing.assert_allclose(y[:4], np.exp(x[:4].astype(np.longdouble)), rtol=3 * TOLERANCE[dtype])
        assert np.isposinf(y[4:]).all(), name
    assert functions(dtype)("tanh", x).tolist() == [1] * 7
    assert functions(dtype)("tanh", -x).tolist() == [-1] * 7


@DTYPES
def test_what_is_too_small_for_a_normal_number_becomes_zero(functions, dtype):
    tiny = float(np.finfo(dtype).tiny)
    edge = np.log(np.longdouble(tiny))
    y = functions(dtype)("exp", np.array([edge - 1e-2, edge - 1, 2 * edge, 100 * edge, -np.finfo(dtype).max]))
    assert y.tolist() == [0] * 5
    assert functions(dtype)("expm1", [edge, 2 * edge, -np.finfo(dtype).max]).tolist() == [-1] * 3
    x = np.array([tiny / 4, -tiny / 4, np.finfo(dtype).smallest_subnormal])
    for name in ("expm1", "log1p", "tanh"):  # as small as x itself, or 0
        assert (np.abs(functions(dtype)(name, x)) <= tiny / 3.9).all(), name
    assert functions(dtype)("exp", x).tolist() == [1] * 3
    assert functions(dtype)("log", np.abs(x)).tolist() == [-np.inf] * 3
    assert functions(dtype)("log", [tiny])[0] == pytest.approx(float(edge), rel=TOLERANCE[dtype])


@DTYPES
def test_powers_hardly_larger_than_the_smallest_normal_number_are_exact_or_zero(functions, dtype):
    edge = float(np.log(np.longdouble(np.finfo(dtype).tiny)))
    x = np.linspace(edge, edge + 1, 100).astype(dtype)
    y, exact = functions(dtype)("exp", x), np.exp(x.astype(np.longdouble))
    right = np.abs(y - exact) <= 1e-6 * exact
    assert (right | (y == 0)).all()
    assert right[x > edge + 0.75].all()  # twice as large


@DTYPES
def test_logarithms_of_negative_numbers_are_nan_and_of_the_largest_finite(functions, dtype):
    largest = float(np.finfo(dtype).max)
    assert np.isnan(functions(dtype)("log", [-1e-30, -1, -largest, -np.inf])).all()
    assert np.isnan(functions(dtype)("log1p", [-1.5, -2, -largest, -np.inf])).all()
    for name in ("log", "log1p"):
        assert functions(dtype)(name, [largest])[0] == pytest.approx(np.log(largest), rel=TOLERANCE[dtype])


@DTYPES
def test_tanh_is_odd_and_never_beyond_one(functions, dtype):
    x = np.linspace(0, 30, functions.count).astype(dtype)
    y = functions(dtype)("tanh", x)
    np.testing.assert_array_equal(functions(dtype)("tanh", -x), -y)
    assert y.max() == 1
    assert (y >= 0).all()


def test_the_functions_of_the_text_are_those_that_loops_call():
    namespace = {}
    exec(source("float32"), namespace)
    assert all(isinstance(namespace[name], types.FunctionType) for name in NAMES)
