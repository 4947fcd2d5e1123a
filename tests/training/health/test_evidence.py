"""What a constant answer costs, and how much of what there is to learn is left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.nn.losses import LOSSES
from glassnet.nn.network import Network
from glassnet.nn.optimizers import Adam
from glassnet.nn.targets import smooth
from glassnet.training.health.evidence import Baseline, Evidence
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
