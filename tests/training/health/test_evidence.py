"""What a constant answer costs, and how much of what there is to learn is left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.health.made import CLASSES, history, layer, network, vitals
from tests.training.health.made import evidence as made

from glassnet.nn.activations import ACTIVATIONS, Activation
from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network
from glassnet.nn.optimizers import Adam
from glassnet.nn.targets import smooth
from glassnet.training.health.evidence import Baseline, Evidence, grows
from glassnet.training.health.vitals import Probe
from glassnet.training.options import TrainingConfig


def baseline(loss, targets, weights=None):
    return Baseline.of(LOSSES.resolve(loss), np.asarray(targets, float), weights)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_of_even_classes_it_is_ln_of_their_number(classes):
    found = baseline("cross_entropy", np.eye(classes))
    assert found.loss == pytest.approx(np.log(classes))
    assert found.answer == pytest.approx([1 / classes] * classes)
    assert found.floor == pytest.approx(0, abs=1e-9)


def test_of_uneven_classes_it_is_their_entropy():
    shares = np.array([0.7, 0.2, 0.1])
    found = baseline("cross_entropy", np.repeat(np.eye(3), [7, 2, 1], axis=0))
    assert found.loss == pytest.approx(-(shares * np.log(shares)).sum())
    single = baseline("binary_cross_entropy", [[1.0]] * 3 + [[0.0]] * 7)
    assert single.loss == pytest.approx(-(0.3 * np.log(0.3) + 0.7 * np.log(0.7)))
    assert single.answer == pytest.approx([0.3])


def test_of_numbers_it_is_half_their_variance_or_the_way_to_their_median():
    y = np.array([[0.0], [1.0], [2.0], [9.0], [10.0]])
    assert baseline("half_squared_error", y).loss == pytest.approx(y.var() / 2)
    assert baseline("half_squared_error(sum)", y).loss == pytest.approx(y.var() / 2)
    assert baseline("absolute_error", y).loss == pytest.approx(np.abs(y - 2).mean())
    assert (baseline("half_squared_error", y).low, baseline("half_squared_error", y).high) == (0, 10)


def test_the_reports_constant_answers():
    """600 images with ReLU: the same loss in every epoch is that of a constant answer; 0 costs sum of y^2 / 2."""
    y = np.random.default_rng(0).integers(0, 10, (600, 1)).astype(float)
    found = baseline("half_squared_error", y)
    assert found.loss < (y**2).mean() / 2
    assert found.answer[0] == pytest.approx(y.mean())


def test_smoothed_targets_leave_a_floor():
    targets = smooth(np.eye(4), 0.2, "softmax")
    found = baseline("cross_entropy", targets)
    row = targets[0]
    assert found.floor == pytest.approx(-(row * np.log(row)).sum())
    assert found.loss == pytest.approx(np.log(4))


@given(st.lists(st.integers(1, 3), min_size=3, max_size=8))
def test_weights_are_repetitions(times):
    y = np.arange(len(times), dtype=float)[:, None] ** 2
    weighted, repeated = baseline("half_squared_error", y, np.array(times, float)), np.repeat(y, times, axis=0)
    plain = baseline("half_squared_error", repeated)
    assert weighted.loss == pytest.approx(plain.loss)
    assert weighted.answer == pytest.approx(plain.answer)


@given(st.integers(0, 2**32 - 1))
def test_no_constant_costs_less_than_the_best(seed):
    rng = np.random.default_rng(seed)
    targets = np.eye(3)[rng.integers(0, 3, 20)]
    loss = LOSSES.resolve("cross_entropy")
    found = Baseline.of(loss, targets)
    other = np.broadcast_to(rng.normal(size=3), targets.shape)
    assert loss.formula(other, targets)[0].mean() >= found.loss - 1e-9


def evidence(network, X, targets, **others):
    probe = Probe(network, X, targets)
    return Evidence(
        network, TrainingConfig(), Adam(), [probe.measure(network.theta, 0)], (),
        Baseline.of(network.loss, targets),
        probe, len(X), len(X), len(X), **others,
    )  # fmt: skip


def test_unlearned_is_1_for_the_best_constant_and_0_for_right_answers():
    network = Network([1, 1], loss="half_squared_error", dtype="float64")
    X = np.array([[0.0], [1.0], [2.0]])
    network.W[0][:], network.b[0][:] = 0, 3
    found = evidence(network, X, 2 * X + 1)
    assert found.left == pytest.approx(1)
    network.W[0][:], network.b[0][:] = 2, 1
    found = evidence(network, X, 2 * X + 1)
    assert found.left == pytest.approx(0, abs=1e-12)


def test_since_is_the_step_from_which_on_it_was_always_so():
    network = Network([1, 1], loss="half_squared_error", dtype="float64")
    X = np.array([[0.0], [1.0]])
    probe = Probe(network, X, X)
    vitals = [probe.measure(network.theta, step) for step in (0, 1, 4, 16)]
    found = evidence(network, X, X)
    found = Evidence(**{**vars(found), "vitals": vitals})
    assert [found.since(flags) for flags in ([1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1])] == [0, 16, 4]


# What stands in evidence that was made by hand.


@pytest.mark.parametrize("weights", [None, np.array([1.0, 1.0, 3.0, 3.0])], ids=["", "weighted"])
def test_the_constant_answer_of_two_outputs_by_hand(weights):
    """Of the weighted rows the means are 5 and -1, of the others 4 and 0; the loss adds the outputs up."""
    targets = np.array([[1.0, 3.0], [3.0, 1.0], [5.0, -1.0], [7.0, -3.0]])
    found = baseline("half_squared_error", targets, weights)
    mean = (4, 0) if weights is None else (5, -1)
    rows = ((targets - mean) ** 2).sum(axis=1) / 2
    assert found.answer == pytest.approx(mean)
    assert found.loss == pytest.approx(np.average(rows, weights=weights))
    assert (found.low, found.high, found.floor, found.wrong) == (-3, 7, 0, None)


def test_the_median_is_taken_where_it_costs_less_and_never_for_classes():
    y = np.array([[0.0], [0.0], [0.0], [9.0]])
    assert baseline("absolute_error", y).answer == (0.0,)
    assert baseline("absolute_error", y).loss == pytest.approx(9 / 4)
    assert baseline("half_squared_error", y).answer == (9 / 4,)
    classes = baseline("binary_cross_entropy", y / 9)
    assert (classes.answer, classes.wrong) == (pytest.approx((0.25,)), 0.25)
    assert baseline("cross_entropy", np.eye(3)[[0, 0, 1, 2, 2, 2]]).wrong == 0.5


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_what_a_constant_answer_gets_wrong_is_of_rows_whatever_they_weigh(loss, first):
    """One row of ten is of the other class, and counts nine times: both classes weigh the same."""
    labels = np.array([first] * 9 + [1 - first])
    targets = np.eye(2)[labels] if loss == "cross_entropy" else labels[:, None].astype(float)
    found = baseline(loss, targets, np.array([1.0] * 9 + [9.0]))
    assert found.answer == pytest.approx([0.5] * len(found.answer))
    assert found.loss == pytest.approx(np.log(2))
    assert found.wrong == pytest.approx(0.1)


def test_the_median_counts_weights():
    """Six ninths lie on the third row; then half lies on the fourth, which is 3 or, in the other column, 1."""
    targets = np.array([[0.0, 9.0], [1.0, 0.0], [2.0, 4.0], [3.0, 1.0]])
    found = baseline("absolute_error", targets, np.array([1.0, 1.0, 6.0, 1.0]))
    assert found.answer == (2.0, 4.0)
    assert found.loss == pytest.approx((1 * (2 + 5) + 1 * (1 + 4) + 6 * 0 + 1 * (1 + 3)) / 9)
    assert baseline("absolute_error", targets, np.array([1.0, 1.0, 0.5, 2.6])).answer == (3.0, 1.0)


def test_a_floor_counts_the_weights_of_uncertain_rows():
    targets = np.array([[1.0, 0.0], [0.5, 0.5]])
    for weights, floor in (([1, 1], np.log(2) / 2), ([1, 3], 3 * np.log(2) / 4)):
        assert baseline("cross_entropy", targets, np.array(weights)).floor == pytest.approx(floor, abs=1e-9)


def test_the_rate_is_scaled_and_the_first_step_is_that_of_the_second_examination():
    seen = made(*[vitals(step) for step in (0, 4, 16)], optimizer="sgd(0.2, update_scale=0.25)")
    assert (seen.rate, seen.first_step) == (pytest.approx(0.05), 4)
    only = made(vitals(0), vitals(0))
    assert Evidence(**{**vars(only), "vitals": only.vitals[:1]}).first_step == 0


def test_a_loss_falls_below_a_share_of_that_after_three_fifths_of_the_steps():
    seen = made(*[vitals(step, loss) for step, loss in ((0, 9.0), (60, 1.0), (61, 8.0), (100, 0.9))])
    assert not seen.falls(0.9)
    assert seen.falls(0.901)
    seen = made(*[vitals(step, loss) for step, loss in ((0, 9.0), (40, 7.0), (59, 1.0), (100, 0.9))])
    assert not seen.falls(0.9)


def test_the_largest_update_is_of_the_latter_half_of_the_examinations_with_one():
    def largest(*ratios):
        seen = [vitals(0)]
        for place, ratio in enumerate(ratios, start=1):
            both = {} if ratio is None else {"update_ratio": ratio}
            layers = [layer(1, **{"update_ratio": None} | both), layer(2, update_ratio=None)]
            seen.append(vitals(place, layers=layers))
        return made(*seen).largest_update

    assert largest(0.9, 0.8, 0.1, 0.2) == 0.2
    assert largest(0.9, 0.3, 0.1) == 0.3
    assert largest(0.9, 0.8, 0.1, 0.2, None, None) == 0.2  # of some the step before was not seen
    assert largest(None) == 0


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_what_is_left_of_new_rows_is_that_of_their_mean(reduction):
    rows = 80 if reduction == "sum" else 1
    base = Baseline((0.0,), 1.25, 0.25, -1, 1)
    net = network(loss=f"half_squared_error({reduction})")
    seen = made(
        vitals(), net=net, baseline=base, history=history([9.0, 9.0], [rows * 0.5, rows * 0.75]), new_rows=80
    )
    assert seen.left_of_new == pytest.approx(0.5)
    assert made(vitals(), net=net, history=history([9.0])).left_of_new == 0
    assert made(vitals(), net=net).left_of_new == 0


def test_what_is_left_where_nothing_is_to_be_learned_or_all_is_lost():
    seen = made(vitals(), baseline=Baseline((0.0,), 0.5, 0.5, 1, 1))
    assert [seen.unlearned(loss) for loss in (0.5, 0.5 + 1e-10, 0.6, np.inf, np.nan)] == [0, 0, 1, np.inf, np.inf]


def test_mistakes_are_counted_beside_those_of_the_constant_answer_on_new_rows_where_there_are_any():
    options = {"net": network("relu", layers=(2, 4, 4, 2), loss="cross_entropy"), "baseline": CLASSES}
    assert made(vitals(wrong=0.1), **options).mistaken == pytest.approx(0.25)
    accuracies = {"train_accuracy": [0.5, 0.5], "validation_accuracy": [0.4, 0.7]}
    seen = made(vitals(wrong=0.1), **options, history=history([1, 1], [1, 1], **accuracies))
    assert seen.mistaken == pytest.approx(0.75)
    assert made(vitals()).mistaken == 1
    assert made(vitals(wrong=0.0), **options | {"baseline": Baseline((1, 0), 0, 0, 0, 1, 0.0)}).mistaken == 1


def test_a_layer_is_counted_from_1_at_each_examination():
    seen = made(vitals(0, second={"flat_share": 0.5}), vitals(9, second={"flat_share": 0.75}))
    assert [one.flat_share for one in seen.layer_over_time(2)] == [0.5, 0.75]
    assert [one.layer for one in seen.layer_over_time(3)] == [3, 3]


def test_powers_grow_faster_than_their_input_on_either_side():
    names = ("relu3", "relu", "tanh", "identity", "gelu")
    assert [grows(ACTIVATIONS.resolve(name)) for name in names] == [True, False, False, False, False]
    left = Activation("left", lambda z: np.where(z < 0, z**3, 0), lambda z, h: np.where(z < 0, 3 * z**2, 0))
    assert grows(left)
