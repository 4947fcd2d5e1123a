import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from tests.loops import for_each

from glassnet.errors import NonFiniteError, UsageError
from glassnet.nn.activations import ACTIVATIONS
from glassnet.nn.losses import LOSSES, REDUCTIONS, Loss, check_output, register_loss
from glassnet.nn.network import Network

NAMES = sorted(LOSSES)
LN2, LN3 = math.log(2), math.log(3)

# loss, outputs, targets, row losses, slopes: worked out by hand
BY_HAND = {
    "half_squared_error": ([[1, 2], [3, -1]], [[0, 2], [1, 1]], [0.5, 4], [[1, 0], [2, -2]]),
    "absolute_error": ([[1, 2], [3, -1]], [[0, 2], [1, 1.5]], [1, 4.5], [[1, 0], [1, -1]]),
    "huber": ([[1, 2], [3, -1]], [[0.5, 2], [1, 1]], [0.125, 3], [[0.5, 0], [1, -1]]),
    "huber(0.5)": ([[1, 2], [3, -1]], [[0.75, 2], [1, 1]], [0.03125, 1.75], [[0.25, 0], [0.5, -0.5]]),
    "cross_entropy": ([[0, 0], [LN3, 0]], [[1, 0], [0, 1]], [LN2, 2 * LN2], [[-0.5, 0.5], [0.75, -0.75]]),
    "binary_cross_entropy": ([[0, LN3], [-LN3, 0]], [[0, 1], [1, 1]],
                             [LN2 + math.log(4 / 3), 3 * LN2], [[0.5, -0.25], [-0.75, -0.5]]),
}  # fmt: skip


def plausible(loss, n, d, seed=0):
    """Outputs and targets that fit a loss: probabilities after a fused output, else any numbers."""
    rng = np.random.default_rng(seed)
    outputs, targets = rng.normal(scale=2, size=(2, n, d))
    if loss.output == "sigmoid":
        targets = rng.uniform(size=(n, d))
    if loss.output == "softmax":
        targets = rng.dirichlet(np.ones(d), size=n)
    return outputs, targets


@pytest.mark.parametrize("spec", sorted(BY_HAND))
def test_values_and_slopes_by_hand_in_both_reductions(spec):
    outputs, targets, rows, slopes = (np.array(part, float) for part in BY_HAND[spec])
    name, _, option = spec.rstrip(")").partition("(")
    summed = LOSSES.resolve(f"{name}({', '.join(filter(None, [option, 'reduction=sum']))})")
    value, delta = LOSSES.resolve(spec).value_and_delta(outputs, targets)
    assert value == pytest.approx(rows.sum() / 2, rel=1e-14)
    np.testing.assert_allclose(delta, slopes / 2, rtol=1e-14, atol=1e-16)
    value, delta = summed.value_and_delta(outputs, targets)
    assert value == pytest.approx(rows.sum(), rel=1e-14)
    np.testing.assert_allclose(delta, slopes, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(summed.formula(outputs, targets)[0], rows, rtol=1e-14)


def test_every_loss_has_values_by_hand():
    assert {spec.partition("(")[0] for spec in BY_HAND} == set(NAMES)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 5), d=st.integers(1, 4))
def test_row_losses_agree_with_scipy(seed, n, d):
    z, y = plausible(LOSSES.resolve("cross_entropy"), n, d, seed)
    rows = LOSSES.resolve("cross_entropy").formula(z, y)[0]
    np.testing.assert_allclose(rows, -(y * special.log_softmax(z, axis=1)).sum(axis=1), rtol=1e-12, atol=1e-14)
    z, y = plausible(LOSSES.resolve("binary_cross_entropy"), n, d, seed)
    rows = LOSSES.resolve("binary_cross_entropy").formula(z, y)[0]
    expected = -(y * special.log_expit(z) + (1 - y) * special.log_expit(-z)).sum(axis=1)
    np.testing.assert_allclose(rows, expected, rtol=1e-12, atol=1e-14)
    a, y = plausible(LOSSES.resolve("huber"), n, d, seed)
    rows = LOSSES.resolve("huber(1.3)").formula(a, y)[0]
    np.testing.assert_allclose(rows, special.huber(1.3, a - y).sum(axis=1), rtol=1e-12, atol=1e-14)


@for_each("name, reduction", product(NAMES, REDUCTIONS))
def test_delta_is_the_derivative_of_the_value(name, reduction):
    loss = LOSSES.resolve(f"{name}({reduction})") if name != "huber" else LOSSES.resolve(f"huber(1, {reduction})")
    outputs, targets = plausible(loss, 4, 3)
    _, delta = loss.value_and_delta(outputs, targets)
    for place in np.ndindex(outputs.shape):
        moved = outputs.astype(complex)
        moved[place] += 1e-30j
        assert loss.value_and_delta(moved, targets)[0].imag / 1e-30 == pytest.approx(delta[place], rel=1e-12)


@for_each("name", NAMES)
def test_the_sum_is_the_mean_times_the_rows(name):
    loss = LOSSES.resolve(name)
    summed = LOSSES.resolve(loss.spec.replace("mean", "sum"))
    outputs, targets = plausible(loss, 7, 3)
    mean, total = loss.value_and_delta(outputs, targets), summed.value_and_delta(outputs, targets)
    assert total[0] == pytest.approx(7 * mean[0])
    np.testing.assert_allclose(total[1], 7 * mean[1])


@for_each("reduction", REDUCTIONS)
def test_weights_of_rows_by_hand(reduction):
    """Row losses 0.5 and 4, slopes (1, 0) and (2, -2), with the weights 3 and 1/2; the mean is over two rows."""
    outputs, targets, _, _ = (np.array(part, float) for part in BY_HAND["half_squared_error"])
    loss, n = LOSSES.resolve(f"half_squared_error({reduction})"), 2 if reduction == "mean" else 1
    value, delta = loss.value_and_delta(outputs, targets, np.array([3, 0.5]))
    assert value == 3.5 / n
    assert delta.tolist() == [[3 / n, 0], [1 / n, -1 / n]]


@for_each("name", NAMES)
def test_a_weight_counts_a_row_so_many_times(name):
    loss = LOSSES.resolve(LOSSES.resolve(name).spec.replace("mean", "sum"))
    outputs, targets = plausible(loss, 5, 3)
    weights = np.array([2, 0, 1, 3, 1])
    repeated = np.repeat(np.arange(5), weights)
    value, delta = loss.value_and_delta(outputs, targets, weights.astype(float))
    again, slopes = loss.value_and_delta(outputs[repeated], targets[repeated])
    assert value == pytest.approx(again, rel=1e-13)
    np.testing.assert_allclose(delta[repeated], weights[repeated][:, None] * slopes, rtol=1e-13)
    assert not delta[1].any()


@for_each("name, reduction", product(NAMES, REDUCTIONS))
def test_weights_of_one_change_nothing(name, reduction):
    loss = LOSSES.resolve(LOSSES.resolve(name).spec.replace("mean", reduction))
    for dtype in (np.float32, np.float64):
        outputs, targets = (part.astype(dtype) for part in plausible(loss, 5, 3))
        value, delta = loss.value_and_delta(outputs, targets)
        weighted, slopes = loss.value_and_delta(outputs, targets, np.ones(5, dtype))
        assert weighted == value
        assert slopes.dtype == dtype
        np.testing.assert_array_equal(slopes, delta)


@for_each("name", NAMES)
def test_a_weighted_delta_is_the_derivative_of_the_weighted_value(name):
    loss = LOSSES.resolve(name)
    outputs, targets = plausible(loss, 4, 3)
    weights = np.array([0.3, 2, 0, 1.1])
    _, delta = loss.value_and_delta(outputs, targets, weights)
    for place in np.ndindex(outputs.shape):
        moved = outputs.astype(complex)
        moved[place] += 1e-30j
        value, _ = loss.value_and_delta(moved, targets, weights)
        assert value.imag / 1e-30 == pytest.approx(delta[place], rel=1e-12, abs=1e-18)


@for_each("name", NAMES)
def test_the_order_of_rows_changes_neither_value_nor_slopes(name):
    loss = LOSSES.resolve(name)
    outputs, targets = plausible(loss, 6, 3)
    order = np.array([3, 0, 5, 1, 4, 2])
    value, delta = loss.value_and_delta(outputs, targets)
    value_again, delta_again = loss.value_and_delta(outputs[order], targets[order])
    assert value_again == pytest.approx(value, rel=1e-14)
    np.testing.assert_array_equal(delta_again, delta[order])


@for_each("name", NAMES)
def test_float32_stays_float32_and_the_value_is_float64(name):
    loss = LOSSES.resolve(name)
    outputs, targets = (part.astype(np.float32) for part in plausible(loss, 5, 3))
    value, delta = loss.value_and_delta(outputs, targets)
    assert loss.formula(outputs, targets)[0].dtype == np.float32
    assert (delta.dtype, type(value)) == (np.float32, np.float64)
    exact, slopes = loss.value_and_delta(outputs.astype(float), targets.astype(float))
    assert value == pytest.approx(exact, rel=1e-6)
    np.testing.assert_allclose(delta, slopes, rtol=1e-5, atol=1e-6)


@for_each("name", NAMES)
def test_the_callers_arrays_are_left_alone(name):
    loss = LOSSES.resolve(name)
    outputs, targets = plausible(loss, 5, 3)
    before = outputs.copy(), targets.copy()
    _, delta = loss.value_and_delta(outputs, targets)
    np.testing.assert_array_equal(outputs, before[0])
    np.testing.assert_array_equal(targets, before[1])
    assert not np.shares_memory(delta, outputs)
    assert not np.shares_memory(delta, targets)


def test_row_losses_are_summed_in_float64():
    """Float32 has no 2^24 + 1: added up in float32 the two small rows would vanish."""
    outputs = np.array([[2.0**24], [1], [1]], np.float32)
    value, _ = LOSSES.resolve("absolute_error(sum)").value_and_delta(outputs, np.zeros_like(outputs))
    assert value == 2**24 + 2


# Extreme logits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("z", "y", "value", "slope"),
    [(1000, 0, 1000, 1), (-1000, 1, 1000, -1), (1000, 1, 0, 0), (-1000, 0, 0, 0), (1000, 0.25, 750, 0.75)],
)
def test_binary_cross_entropy_of_extreme_logits_is_exact(z, y, value, slope, dtype):
    loss = LOSSES.resolve("binary_cross_entropy")
    assert loss.value_and_delta(np.array([[z]], dtype), np.array([[y]], dtype)) == (value, np.array([[slope]]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_of_extreme_logits_is_exact(dtype):
    logits = np.array([[1000, 0, -1000], [1000, 0, -1000]], dtype)
    targets = np.array([[0, 1, 0], [1, 0, 0]], dtype)
    value, delta = LOSSES.resolve("cross_entropy(sum)").value_and_delta(logits, targets)
    assert value == 1000
    assert delta.tolist() == [[1, -1, 0], [0, 0, 0]]


def test_cross_entropy_at_the_ends_of_the_floats():
    value, delta = LOSSES.resolve("cross_entropy").value_and_delta(
        np.array([[1e308, -1e308, 0.0]]), np.array([[1.0, 0, 0]])
    )
    assert value == 0
    assert delta.tolist() == [[0, 0, 0]]


def test_cross_entropy_names_a_row_that_is_not_finite():
    with pytest.raises(NonFiniteError, match="row 2"):
        LOSSES.resolve("cross_entropy").value_and_delta(np.array([[0.0, 1], [np.nan, 0]]), np.eye(2))


def test_cross_entropy_of_targets_that_do_not_sum_to_one():
    """Targets (1, 1) at softmax (1/4, 3/4): log 4 + log 4/3, and the slope is 2 p - y."""
    value, delta = LOSSES.resolve("cross_entropy").value_and_delta(np.array([[0, LN3]]), np.ones((1, 2)))
    assert value == pytest.approx(math.log(16 / 3))
    np.testing.assert_allclose(delta, [[-0.5, 0.5]])


def test_huber_changes_over_exactly_at_delta():
    value, slope = LOSSES.resolve("huber(2, sum)").value_and_delta(
        np.array([[2.0], [-2.0], [2.5]]), np.zeros((3, 1))
    )
    assert value == 2 + 2 + 3
    assert slope.tolist() == [[2], [-2], [2]]


# Outputs that belong to a loss


def test_predict_applies_the_fused_output_function():
    z = np.array([[0.0, LN3]])
    np.testing.assert_allclose(LOSSES.resolve("cross_entropy").predict(z), [[0.25, 0.75]])
    np.testing.assert_allclose(LOSSES.resolve("binary_cross_entropy").predict(z), [[0.5, 0.75]])
    assert LOSSES.resolve("half_squared_error").predict(z) is z


@for_each("name", NAMES)
def test_only_pairs_of_loss_and_output_that_belong_together_pass(name):
    loss = LOSSES.resolve(name)
    for output in [*ACTIVATIONS, "softmax"]:
        right = output == loss.output if loss.output else output != "softmax"
        if right:
            check_output(loss, output)
        else:
            with pytest.raises(UsageError, match=f"output_activation: .*{name}"):
                check_output(loss, output)


# Specifications


SPECS = [
    f"{name}({option}reduction={reduction})"
    for name in NAMES
    for option in ([""] if name != "huber" else ["", "delta=0.3, ", "2.5, "])
    for reduction in REDUCTIONS
]


@pytest.mark.parametrize("spec", [*NAMES, *SPECS])
def test_a_specification_leads_back_to_the_same_loss(spec):
    loss = LOSSES.resolve(spec)
    again = LOSSES.resolve(loss.spec)
    assert (again.name, again.reduction, again.output, again.kinks, again.spec) == (
        loss.name,
        loss.reduction,
        loss.output,
        loss.kinks,
        loss.spec,
    )
    outputs, targets = plausible(loss, 4, 3)
    assert again.value_and_delta(outputs, targets)[0] == loss.value_and_delta(outputs, targets)[0]


def test_the_mean_is_what_one_gets_unasked():
    assert {LOSSES.resolve(name).reduction for name in NAMES} == {"mean"}


@pytest.mark.parametrize(
    ("name", "kinks"), [("half_squared_error", ()), ("absolute_error", (0.0,)), ("huber(0.3)", (-0.3, 0.3))]
)
def test_kinks_stand_where_the_slope_jumps(name, kinks):
    assert LOSSES.resolve(name).kinks == kinks


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("half_squared_error(product)", "reduction must be mean or sum, got 'product'"),
        ("huber(0)", "delta must be > 0, got 0"),
        ("huber(-1)", "delta must be > 0"),
        ("huber(1e999)", "delta must be > 0"),
        ("huber(wide)", "delta must be > 0, got wide"),
        ("cross_entropy(1, 2)", "does not fit cross_entropy"),
        ("mean_square", "unknown name 'mean_square'"),
        ("crossentropy", "did you mean 'cross_entropy'"),
    ],
)
def test_what_cannot_be_a_loss_is_refused_in_one_line(spec, problem):
    with pytest.raises(UsageError, match=f"loss: .*{problem}") as caught:
        LOSSES.resolve(spec)
    assert "\n" not in str(caught.value)


# Own losses


def quartic(a, y):
    r = a - y
    return 0.25 * (r**4).sum(axis=1), r**3


def test_an_own_loss_serves_a_network():
    loss = register_loss("quartic", quartic)
    assert loss == LOSSES.resolve("quartic")
    value, delta = LOSSES.resolve("quartic(sum)").value_and_delta(np.array([[3.0], [2]]), np.array([[1.0], [1]]))
    assert value == 4.25
    assert delta.tolist() == [[8], [1]]
    network = Network([1, 1], loss="quartic", initializer=np.array([3.0, 0]))
    assert network.loss_value(network.forward(np.float32([[1]])), np.float32([[1]])) == 4


@pytest.mark.parametrize("factor", [1.0001, -1, np.nan])
def test_a_wrong_slope_is_refused(factor):
    with pytest.raises(UsageError, match=r"loss: bent: at output \S+, target \S+ the slope is given as"):
        register_loss("bent", lambda a, y: (quartic(a, y)[0], quartic(a, y)[1] * np.asarray(factor, a.dtype)))
    assert "bent" not in LOSSES


def test_a_slope_that_is_wrong_in_the_last_column_only_is_refused():
    with pytest.raises(UsageError, match="lame"):
        register_loss("lame", lambda a, y: (quartic(a, y)[0], quartic(a, y)[1] * np.array([1, 1, 2], a.dtype)))


def test_the_kinks_of_a_loss_must_be_declared():
    def zigzag(a, y):
        """A zigzag with corners at every 0.05: some of the rows that are drawn lie within a step of one."""
        r = 10 * (a - y)
        distance = r - np.rint(r)
        return 0.1 * np.abs(distance).sum(axis=1), np.sign(distance)

    with pytest.raises(UsageError, match="loss: zigzag: at output"):
        register_loss("zigzag", zigzag)
    corners = tuple(0.05 * number for number in range(-160, 161))
    assert register_loss("zigzag", zigzag, kinks=corners).kinks == corners


@pytest.mark.parametrize(
    ("formula", "problem"),
    [
        (lambda a, y: (quartic(a, y)[0].sum(), quartic(a, y)[1]), "must return shapes"),
        (lambda a, y: (quartic(a, y)[0], quartic(a, y)[1][:, :1]), "must return shapes"),
        (lambda a, y: (quartic(a, y)[0], quartic(a, y)[1].astype(float)), "float32 in must give float32 out"),
        (lambda a, y: (quartic(a, y)[0].astype(float), quartic(a, y)[1]), "float32 in must give float32 out"),
    ],
)
def test_wrong_shapes_and_dtypes_are_refused(formula, problem):
    with pytest.raises(UsageError, match=f"loss: odd: {problem}"):
        register_loss("odd", formula)


@pytest.mark.parametrize(("name", "problem"), [("huber", "is taken"), ("a b", "no usable name")])
def test_a_loss_needs_a_new_usable_name(name, problem):
    with pytest.raises(UsageError, match=f"loss: .*{problem}"):
        register_loss(name, quartic)


def test_a_loss_object_checks_its_reduction():
    with pytest.raises(UsageError, match="reduction must be mean or sum, got 'max'"):
        Loss("own", quartic, reduction="max")
