"""The report's three failures are named with cause and remedy, and the remedy works."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from tests.training.health.made import evidence as made
from tests.training.health.made import network, vitals

import glassnet as gn
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.nn.optimizers import GD
from glassnet.training.health.diagnosis import KINDS
from glassnet.training.health.evidence import Baseline
from glassnet.training.health.rules import certain, diagnose


@pytest.fixture(scope="module")
def data(fashion_mnist_home):
    return gn.load_dataset("fashion-mnist", fashion_mnist_home, validation=0)


@pytest.fixture(scope="module")
def fail_as_reported(data):
    """``fail_as_reported(activation, k)``: the report's run, made once."""
    return functools.cache(functools.partial(report_run, data, epochs=60))


def report_run(data, activation, k, *, epochs, seed=0, changes=None):
    """Train as the report did: 600 images, one output, all weights uniform in (-1, 1)."""
    network = {
        "activation": activation, "output_activation": activation, "output_scale": k, "seed": seed,
        "initializer": "uniform(-1, 1)", "bias_initializer": "uniform(-1, 1)", "loss": "half_squared_error(sum)",
    }  # fmt: skip
    options = {"optimizer": GD(0.1, update_scale=1 / 784 / k), "epochs": epochs, "samples_per_epoch": 600}
    for section, values in (changes or {}).items():
        (network if section == "network" else options).update(values)
    try:
        return gn.fit(gn.Network([784, 256, 128, 1], **network), data, sampling="first", progress=False, **options)
    except gn.DivergenceError as error:
        return error.run


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
@pytest.mark.parametrize(
    ("activation", "k", "kind", "family"),
    [
        ("relu", 1, "exploding-signal", "initializer"),
        ("relu3", 1, "divergence", "activation"),
        ("tanh", 10, "saturated-units", "initializer"),
    ],
)
def test_the_reports_failures(data, fail_as_reported, activation, k, kind, family):
    sick = fail_as_reported(activation, k)
    found = sick.health.diagnoses[0]
    assert (found.kind, found.remedy.family) == (kind, family)
    assert "uniform(-1, 1) on 784 inputs gives pre-activations of spread 7" in str(found.cause)
    assert "inf" not in str(found.cause)
    assert "e+0" not in str(found.cause)
    assert found.remedy.changes["training"]["optimizer"].startswith("gd(")
    mended = report_run(data, activation, k, epochs=200, changes=found.remedy.changes)
    assert not mended.health.sick
    best_constant = 0.5 * data.train.y[:600].var() * 600
    assert mended.history.last.train_loss < 0.5 * best_constant


@pytest.mark.real_data
@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_a_constant_answer_explains_its_loss_exactly(data, fail_as_reported):
    """The report prints one loss in every epoch with ReLU: a constant answer's; 0 costs the sum of y^2 / 2."""
    run = fail_as_reported("relu", 1)
    constant = next(found for found in run.health.diagnoses if found.kind == "constant-output")
    assert constant.evidence["answer"] == 0
    y = data.train.y[:600].astype(float)
    assert run.history.last.train_loss == pytest.approx((y**2).sum() / 2)
    assert constant.evidence["best_answer"] == pytest.approx(y.mean())
    assert constant.evidence["constant_loss"] == pytest.approx(y.var() / 2)


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_labels_at_random_are_nothing_to_learn_and_no_illness():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6000, 10)), rng.integers(0, 2, 6000)
    parts = [Split(X[first:last], y[first:last]) for first, last in ((0, 4000), (4000, 5000), (5000, 6000))]
    data = gn.Dataset("noise", *parts, Schema.learn(X, y, class_names=("a", "b")))
    run = gn.fit(gn.Network([10, 4, 2]), data, epochs=30, progress=False)
    first = run.health.diagnoses[0]
    assert (first.kind, first.sick, first.remedy) == ("nothing-to-learn", False, None)
    assert not run.health.sick
    assert abs(first.evidence["gain"]) < 0.05


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_a_diagnosis_is_one_line_of_a_known_kind():
    data = gn.load_dataset("digits")
    run = gn.fit(gn.Network([64, 16, 10], initializer="zeros"), data, epochs=8, progress=False)
    assert run.health.sick
    for found in run.health.diagnoses:
        assert found.kind in KINDS
        assert "\n" not in str(found)
        assert str(found).startswith(f"{found.kind} (")
    assert str(run.health).splitlines() == [str(found) for found in run.health.diagnoses]


def test_rising_validation_loss_is_a_remark_where_accuracy_holds_and_nothing_with_early_stopping():
    data = gn.load_dataset("breast-cancer")
    options = {"epochs": 150, "optimizer": "adam(0.01)", "batch_size": 32, "progress": False}
    run = gn.fit(gn.Network([30, 64, 2]), data, **options)
    found = next(one for one in run.health.diagnoses if one.kind == "over-fitting")
    assert not found.sick
    assert found.remedy.changes == {"training": {"early_stopping": "patience(5)"}}
    losses = run.history["validation_loss"]
    assert found.evidence["lowest"] == pytest.approx(min(losses))
    for patience in (5, 150):  # with 150 the run goes to its end, and the loss rises as far as before
        stopped = gn.fit(gn.Network([30, 64, 2]), data, early_stopping=patience, **options)
        assert not stopped.health.diagnoses
    assert stopped.history["validation_loss"] == losses


# The order of causes, on vitals made by hand.


def found_kinds(*seen, **others):
    return [(one.kind, one.sick) for one in diagnose(made(*seen, **others))]


def test_root_causes_come_first_and_explain_what_no_other_rule_would():
    start = vitals(0, 1.0, first={"duplicated": (0, 1, 2, 3)})
    end = vitals(
        100, 0.99, first={"duplicated": (0, 1, 2, 3), "update_ratio": 1e-5}, second={"update_ratio": 1e-5}
    )
    assert found_kinds(start, vitals(60, 0.99), end) == [("duplicated-units", True)]
    assert found_kinds(vitals(0, 1.0), vitals(60, 0.99), vitals(100, 0.99)) == [("stuck-loss", True)]
    slow = [replace(one, update_ratio=1e-5) for one in end.layers]
    end = replace(end, layers=tuple(slow))
    assert found_kinds(vitals(0, 1.0), vitals(60, 0.99), end) == [("slow-learning", True)]


def test_a_remark_explains_nothing():
    seen = [vitals(step, loss, first={"dead": (0, 1)}) for step, loss in ((0, 1.0), (60, 0.99), (100, 0.99))]
    assert found_kinds(*seen, net=network("relu")) == [("stuck-loss", True), ("dead-units", False)]


def test_remarks_come_last_whatever_their_place_among_the_causes():
    end = vitals(100, 0.6, first={"dead": (0, 1)}, second={"saturated": (0, 1, 2)})
    found = found_kinds(vitals(0, 1.0), end, net=network("relu"))
    assert found == [("saturated-units", True), ("dead-units", False)]


@pytest.mark.parametrize(("step", "kinds"), [(49, [("too-early", False)]), (50, [("stuck-loss", True)])])
def test_what_needs_time_is_not_asked_before(step, kinds):
    assert found_kinds(vitals(0, 1.0), vitals(30, 0.99), vitals(step, 0.99)) == kinds


def test_a_kind_is_named_once():
    """A start that is saturated explains the units that are so at the end."""
    start = vitals(0, 1.0, first={"flat_share": 0.9})
    found = found_kinds(start, vitals(100, 0.6, second={"saturated": (0, 1, 2)}), optimizer="adam(0.001)")
    assert [kind for kind, _ in found].count("saturated-units") == 1


@pytest.mark.parametrize(
    ("steps", "dead", "kinds"),
    [
        ((0, 1, 4), 4, ["dead-units"]),
        ((0, 1), 4, []),  # the third step may bring them back
        ((0, 1, 4), 3, []),
    ],
)
def test_what_will_not_heal_is_said_as_soon_as_it_is_certain(steps, dead, kinds):
    seen = [vitals(step, 0.1, first={"dead": tuple(range(dead))}) for step in steps]
    found = certain(made(*seen, net=network("relu")))
    assert [one.kind for one in found] == kinds
    assert all(one.sick and one.remedy is None for one in found)


def test_equal_units_and_targets_out_of_reach_are_certain_too():
    start, end = (vitals(step, 0.1, first={"duplicated": (0, 1, 2, 3)}) for step in (0, 4))
    base = Baseline((0.0,), 1.0, 0.0, -5.0, 5.0)
    found = certain(made(start, end, net=network(output_activation="tanh"), baseline=base))
    assert [one.kind for one in found] == ["unreachable-targets", "duplicated-units"]
