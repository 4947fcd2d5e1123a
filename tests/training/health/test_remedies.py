"""A remedy is a change of settings that can be made, and a rate that gradient descent can take."""

import numpy as np
import pytest

import glassnet as gn
from glassnet.locales.catalogue import Message
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.config import configure
from glassnet.training.health.evidence import Baseline, Evidence
from glassnet.training.health.remedies import (
    Remedy,
    fitting_initializer,
    higher_rate,
    lower_rate,
    present_rate,
    usual_rate,
)
from glassnet.training.health.sharpness import largest_rate
from glassnet.training.health.vitals import Probe
from glassnet.training.options import TrainingConfig

RNG = np.random.default_rng(0)
X, TARGETS = RNG.uniform(0, 1, (128, 20)), np.eye(3)[RNG.integers(0, 3, 128)]


def evidence(optimizer="adam", step_rows=32, **network):
    net = gn.Network([20, 16, 16, 3], dtype="float64", **network)
    probe = Probe(net, X, TARGETS)
    vitals = [probe.measure(net.theta, 0)]
    training = TrainingConfig(optimizer=optimizer)
    baseline = Baseline.of(net.loss, TARGETS)
    rule = OPTIMIZERS.resolve(optimizer)
    return Evidence(net, training, rule, vitals, (), baseline, probe, step_rows, 128, 128)


@pytest.mark.parametrize(
    ("activation", "initializer"),
    [("relu", "he_normal"), ("gelu", "he_normal"), ("tanh", "glorot_uniform"), ("sigmoid", "glorot_uniform")],
)
def test_the_initializer_is_the_activations(activation, initializer):
    found = fitting_initializer(evidence(activation=activation, initializer="uniform(-1, 1)"))
    assert found.changes["network"]["initializer"] == initializer
    assert found.family == "initializer"


def test_biases_go_back_to_zero_with_it():
    found = fitting_initializer(evidence(initializer="normal(0, 1)", bias_initializer="uniform(-1, 1)"))
    assert found.changes["network"] == {"initializer": "he_normal", "bias_initializer": "zeros"}


def test_relu_takes_the_place_of_what_raises_to_a_power():
    found = fitting_initializer(evidence(activation=["relu3", "tanh"], initializer="uniform(-1, 1)"))
    assert found.changes["network"]["activation"] == ["relu", "tanh"]
    assert found.family == "activation"


def test_gradient_descent_gets_a_rate_that_it_can_take():
    found = fitting_initializer(evidence("sgd(50)", initializer="uniform(-1, 1)"))
    net = gn.Network([20, 16, 16, 3], dtype="float64", **found.changes["network"])
    rate = OPTIMIZERS.resolve(found.changes["training"]["optimizer"]).learning_rate
    limit = largest_rate(net, Probe(net, X, TARGETS), 0.0)
    assert 0.4 * limit < rate < 0.6 * limit
    assert "training" not in fitting_initializer(evidence("sgd(1e-4)", initializer="uniform(-1, 1)")).changes
    assert "training" not in fitting_initializer(evidence("adam(50)", initializer="uniform(-1, 1)")).changes


@pytest.mark.parametrize(
    ("optimizer", "lower", "higher"),
    [
        ("adam(0.5)", "adam(0.001)", "adam(5.0)"),
        ("adam(0.001)", "adam(0.0001)", "adam(0.01)"),
        ("adam(1e-07)", "adam(1e-08)", "adam(0.001)"),
        ("rmsprop(0.2, rho=0.8)", "rmsprop(0.001, rho=0.8)", "rmsprop(2.0, rho=0.8)"),
        ("adam(0.01, update_scale=10)", "adam(0.001)", "adam(1.0)"),
    ],
)
def test_rates_go_by_tens_and_back_to_what_is_usual(optimizer, lower, higher):
    seen = evidence(optimizer)
    for remedy, spec in ((lower_rate(seen), lower), (higher_rate(seen), higher)):
        changed = configure(remedy.changes, gn.RunConfig(data={"dataset": "digits"}))
        assert OPTIMIZERS.resolve(changed.training.optimizer) == OPTIMIZERS.resolve(spec)


def test_a_rate_for_a_sum_is_divided_by_its_rows():
    seen = evidence("sgd(0.1)", step_rows=50, loss="cross_entropy(sum)")
    assert usual_rate(seen) == pytest.approx(0.1 / 50)
    assert present_rate(seen) == pytest.approx(5)
    mean = evidence("sgd(0.1)", step_rows=50)
    assert seen.stable_rate == pytest.approx(mean.stable_rate, rel=1e-6)
    assert np.isnan(evidence("adam").stable_rate)


def test_two_remedies_make_both_changes():
    one = Remedy("a", Message("verbatim", text="this"), {"network": {"x": 1}})
    that = Message("verbatim", text="that")
    both = one & Remedy("b", that, {"network": {"y": 2}, "training": {"z": 3}})
    assert (both.family, str(both)) == ("a", "this and that")
    assert both.changes == {"network": {"x": 1, "y": 2}, "training": {"z": 3}}
    assert one.changes == {"network": {"x": 1}}
