import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from tests.loops import for_each

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import ACTIVATIONS, Activation, register_activation, shift_logits, softmax
from glassnet.nn.network import Network

NAMES = sorted(ACTIVATIONS)


def logistic(z):
    return 1 / (1 + math.exp(-z))


def gelu_u(z):
    return math.sqrt(8 / math.pi) * (z + 0.044715 * z**3)


def gelu_slope(z):
    s = logistic(gelu_u(z))
    return s + z * s * (1 - s) * math.sqrt(8 / math.pi) * (1 + 0.134145 * z**2)


# f and f' of one number, in other forms than the package's: a new activation needs a line here.
REFERENCE = {
    "identity": (lambda z: z, lambda z: 1),
    "sigmoid": (logistic, lambda z: 1 / (2 + math.exp(z) + math.exp(-z))),
    "tanh": (lambda z: 1 - 2 / (math.exp(2 * z) + 1), lambda z: 1 / math.cosh(z) ** 2),
    "relu": (lambda z: max(z, 0), lambda z: 1 if z > 0 else 0),
    "relu3": (lambda z: max(z, 0) ** 3, lambda z: 3 * z**2 if z > 0 else 0),
    "leaky_relu": (lambda z: max(z, z / 100), lambda z: 1 if z > 0 else 1 / 100),
    "elu": (lambda z: z if z > 0 else math.exp(z) - 1, lambda z: min(1, math.exp(z))),
    # tanh(u) = 2 sigmoid(2 u) - 1 turns the published formula into z sigmoid(2 u)
    "gelu": (lambda z: z * logistic(gelu_u(z)), gelu_slope),
    "silu": (
        lambda z: z / (1 + math.exp(-z)),
        lambda z: (1 + math.exp(-z) * (1 + z)) / (1 + math.exp(-z)) ** 2,
    ),
    "softplus": (lambda z: math.log(1 + math.exp(z)), logistic),
    "selu": (
        lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * (math.exp(z) - 1)),
        lambda z: 1.0507009873554805 * (1 if z > 0 else 1.6732632423543772 * math.exp(z)),
    ),
    # w (4 (z + 1) + 4 w^2 + w^3 + w (4 z + 6)) / (2 w + w^2 + 2)^2 with w = exp(z) (Misra 2019, eq. 3)
    "mish": (lambda z: z * math.tanh(math.log(1 + math.exp(z))), lambda z: mish_slope(z, math.exp(z))),
}


def mish_slope(z, w):
    return w * (4 * (z + 1) + 4 * w**2 + w**3 + w * (4 * z + 6)) / (2 * w + w**2 + 2) ** 2


def away_from_kinks(activation, z, distance=1e-2):
    return z[[all(abs(x - kink) > distance for kink in activation.kinks) for x in z]]


@for_each("name, z", product(NAMES, [-3.7, -0.81, -1e-3, 0.0, 1e-3, 0.5, 2.6]))
def test_f_and_its_derivative_have_the_textbook_values(name, z):
    activation = ACTIVATIONS.resolve(name)
    f, slope = REFERENCE[name]
    assert activation.f(np.array([z]))[0] == pytest.approx(f(z), rel=1e-12, abs=1e-15)
    assert activation.derivative(np.array([z]))[0] == pytest.approx(slope(z), rel=1e-12, abs=1e-15)


def test_values_that_others_published():
    """PyTorch's docs and 30-digit arithmetic: gelu(1) in tanh form, silu(1), softplus(1), elu(-1), and so on."""

    def at(name, z):
        return float(ACTIVATIONS.resolve(name).f(np.array([z]))[0])

    assert at("gelu", 1.0) == pytest.approx(0.841191990607477, abs=1e-9)
    assert at("silu", 1.0) == pytest.approx(0.731058578630004879, abs=1e-15)
    assert at("softplus", 1.0) == pytest.approx(1.313261687518222834, abs=1e-15)
    assert at("elu", -1.0) == pytest.approx(-0.632120558828557678, abs=1e-15)
    assert at("selu", -1.0) == pytest.approx(-1.111330737812562762, abs=1e-15)
    assert at("mish", 1.0) == pytest.approx(0.865098388267310346, abs=1e-15)


def test_gelu_is_close_to_z_times_the_normal_distribution_function():
    z = np.linspace(-5, 5, 201)
    # The authors' tanh form is within 5e-4 of the exact one.
    np.testing.assert_allclose(ACTIVATIONS.resolve("gelu").f(z), z * special.ndtr(z), atol=5e-4)


def test_the_derivative_at_a_kink_is_the_one_from_the_left():
    at_zero = {name: ACTIVATIONS.resolve(name).derivative(np.zeros(1))[0] for name in NAMES}
    assert (at_zero["relu"], at_zero["relu3"], at_zero["leaky_relu"], at_zero["elu"]) == (0, 0, 0.01, 1)


@for_each("name", NAMES)
def test_kinks_are_where_the_second_derivative_jumps(name):
    activation = ACTIVATIONS.resolve(name)
    expected = (0.0,) if name in ("relu", "relu3", "leaky_relu", "elu", "selu") else ()
    assert activation.kinks == expected
    # elsewhere f' is smooth: a second difference of f' over a step of 1e-3 is of the order of 1e-6
    z = away_from_kinks(activation, np.linspace(-4, 4, 801), 2e-3)
    bend = activation.derivative(z + 1e-3) - 2 * activation.derivative(z) + activation.derivative(z - 1e-3)
    assert np.abs(bend).max() < 1e-5


@for_each("name", NAMES)
def test_the_derivative_agrees_with_the_complex_step(name):
    activation = ACTIVATIONS.resolve(name)
    z = away_from_kinks(activation, np.linspace(-6, 6, 97))
    numeric = activation.f(z + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(activation.derivative(z), numeric, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
@given(z=st.floats(-20, 20))
def test_the_derivative_agrees_with_differences(name, z):
    activation = ACTIVATIONS.resolve(name)
    if any(abs(z - kink) < 1e-3 for kink in activation.kinks):
        return
    points = activation.f(np.array([z - 2e-4, z - 1e-4, z + 1e-4, z + 2e-4]))
    numeric = (points[0] - 8 * points[1] + 8 * points[2] - points[3]) / 1.2e-3
    assert activation.derivative(np.array([z]))[0] == pytest.approx(numeric, rel=1e-6, abs=1e-8)


@for_each("name, dtype", product(NAMES, ["float32", "float64"]))
def test_dtype_and_shape_are_kept(name, dtype):
    activation = ACTIVATIONS.resolve(name)
    z = np.linspace(-2, 2, 6, dtype=dtype).reshape(2, 3)
    h = activation.f(z)
    assert (h.dtype, h.shape) == (z.dtype, z.shape)
    assert (activation.derivative(z).dtype, activation.derivative(z).shape) == (z.dtype, z.shape)
    assert (z * activation.f_prime(z, h)).dtype == z.dtype  # what backpropagation does with it


@for_each("name", NAMES)
def test_float32_agrees_with_float64(name):
    activation = ACTIVATIONS.resolve(name)
    z = np.linspace(-5, 5, 100, dtype=np.float32)
    for of in (activation.f, activation.derivative):
        np.testing.assert_allclose(of(z), of(z.astype(np.float64)), rtol=2e-5, atol=2e-6)


@for_each("name", NAMES)
def test_arguments_are_neither_changed_nor_handed_out(name):
    activation = ACTIVATIONS.resolve(name)
    z = np.linspace(-2, 2, 7)
    before = z.copy()
    h = activation.f(z)
    h_before = h.copy()
    slope = activation.f_prime(z, h)
    assert not np.shares_memory(h, z)
    assert not np.shares_memory(slope, h)
    np.testing.assert_array_equal(z, before)
    np.testing.assert_array_equal(h, h_before)


@pytest.mark.parametrize(("dtype", "far"), [("float32", 1e4), ("float64", 1e4), ("float64", 1e75)])
@for_each("name", NAMES)
def test_far_arguments_overflow_nowhere(name, dtype, far):
    activation = ACTIVATIONS.resolve(name)
    z = np.array([-far, far], dtype)
    assert np.isfinite(activation.f(z)).all()
    assert np.isfinite(activation.derivative(z)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("sigmoid", 0, 1),
        ("tanh", -1, 1),
        ("softplus", 0, 1000),
        ("silu", 0, 1000),
        ("gelu", 0, 1000),
        ("elu", -1, 1000),
        ("mish", 0, 1000),
    ],
)
def test_limits_are_exact_and_silent(name, low, high, dtype):
    values = ACTIVATIONS.resolve(name).f(np.array([-1000, 1000], dtype))
    assert values.tolist() == [low, high]


@for_each("name", NAMES)
def test_an_activation_is_found_by_its_own_name(name):
    assert ACTIVATIONS.resolve(name).name == name
    assert ACTIVATIONS.resolve(ACTIVATIONS.resolve(name)) is ACTIVATIONS.resolve(name)


def test_an_activation_takes_no_arguments():
    with pytest.raises(UsageError, match=r"activation: 'relu\(1\)' does not fit relu"):
        ACTIVATIONS.resolve("relu(1)")


# Softmax


def test_softmax_by_hand():
    p = softmax(np.log([[1.0, 3.0, 4.0], [5.0, 5.0, 10.0]]))
    np.testing.assert_allclose(p, [[0.125, 0.375, 0.5], [0.25, 0.25, 0.5]], rtol=1e-14)


@pytest.mark.parametrize(("dtype", "huge"), [("float64", 1e308), ("float32", 3e38)])
def test_softmax_at_the_ends_of_the_floats(dtype, huge):
    z = np.array([[huge, -huge, 0], [-huge, -huge, -huge], [-np.inf, 0, 0]], dtype)
    p = softmax(z)
    assert p.dtype == z.dtype
    third = np.array(1, dtype) / 3
    assert p.tolist() == [[1, 0, 0], [third, third, third], [0, 0.5, 0.5]]


@given(st.lists(st.floats(-700, 700), min_size=2, max_size=6), st.floats(-1e3, 1e3))
def test_softmax_rows_sum_to_one_and_ignore_a_shift(row, shift):
    z = np.array([row])
    assert softmax(z).sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(softmax(z + shift), softmax(z), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_softmax_names_the_first_row_it_refuses(bad):
    z = np.zeros((4, 3))
    z[2, 1] = z[3, 0] = bad
    with pytest.raises(NonFiniteError, match=r"softmax: row 3 holds NaN or infinity"):
        softmax(z)


def test_shift_logits_makes_the_largest_zero():
    np.testing.assert_array_equal(shift_logits(np.array([[1.0, 4.0], [-2.0, -5.0]])), [[-3, 0], [0, -3]])


# Own activations


def test_an_own_activation_serves_a_network_with_either_form_of_derivative():
    register_activation("square", lambda z: z * z, lambda z: 2 * z)
    register_activation("exponential", np.exp, lambda z, h: h)
    assert ACTIVATIONS.resolve("square").derivative(np.array([3.0])) == [6]
    assert ACTIVATIONS.resolve("exponential").derivative(np.array([0.0])) == [1]
    network = Network(
        [1, 1, 1], activation="square", loss="half_squared_error", initializer=np.array([3.0, 1, 2, 0])
    )
    assert network.outputs([[2.0]]).tolist() == [[98]]


@pytest.mark.parametrize("f_prime", [np.cos, lambda z, shift=0: np.cos(z + shift)])
def test_only_arguments_that_must_be_given_count(f_prime):
    """A ufunc's second argument is its output: h must not be handed to it, it would be overwritten."""
    sine = register_activation("sine", np.sin, f_prime)
    z = np.array([0.5, 2.0])
    h = sine.f(z)
    np.testing.assert_allclose(sine.f_prime(z, h), [math.cos(0.5), math.cos(2)])
    np.testing.assert_allclose(h, [math.sin(0.5), math.sin(2)])


@pytest.mark.parametrize("factor", [1.0001, 0.9999, -1])
def test_a_wrong_derivative_is_refused(factor):
    with pytest.raises(
        UsageError, match=r"activation: bent: f'\(\S+\) is given as \S+, but numerically it is \S+$"
    ):
        register_activation("bent", np.tanh, lambda z, h: factor * (1 - h * h))
    assert "bent" not in ACTIVATIONS


def test_a_derivative_that_is_wrong_at_one_point_only_is_refused_there():
    with pytest.raises(UsageError, match=r"patchy: f'\(4\) is given as 0, but numerically it is 8$"):
        register_activation("patchy", lambda z: z * z, lambda z: np.where(z > 3.95, 0, 2 * z))


def test_a_derivative_that_is_nan_is_refused():
    with pytest.raises(UsageError, match="is given as nan"):
        register_activation("nowhere", lambda z: z * 1, lambda z: np.full_like(z, np.nan))


@pytest.mark.parametrize("kink", [1.0, 1.001])
def test_a_kink_must_be_declared_and_is_stepped_around(kink):
    def f(z):
        return np.maximum(z - kink, 0).astype(z.dtype)

    def f_prime(z):
        return z > kink

    with pytest.raises(UsageError, match=r"f'\(1\)"):
        register_activation("hinge", f, f_prime)
    assert register_activation("hinge", f, f_prime, kinks=(kink,)).kinks == (kink,)


@pytest.mark.parametrize(
    "f", [lambda z: z.astype(np.float64), lambda z: z.astype(np.float32), lambda z: z.sum(), lambda z: z[:-1]]
)
def test_a_change_of_shape_or_dtype_is_refused(f):
    with pytest.raises(UsageError, match=r"activation: other: f must keep shape and dtype \(float"):
        register_activation("other", f, lambda z: np.ones_like(z))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("relu", "the name 'relu' is taken"),
        ("my act", "no usable name"),
        ("2x", "no usable name"),
        ("if", "no usable"),
    ],
)
def test_a_name_is_given_once_and_can_be_typed(name, problem):
    with pytest.raises(UsageError, match=f"activation: .*{problem}"):
        register_activation(name, lambda z: z * 1, lambda z: np.ones_like(z))


def test_derivative_casts_a_boolean_to_the_dtype():
    step = Activation("step", lambda z: np.maximum(z, 0), lambda z, h: z > 0)
    assert step.derivative(np.array([2.0, -1.0], np.float32)).dtype == np.float32
