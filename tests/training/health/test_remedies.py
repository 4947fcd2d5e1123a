"""A remedy is a change of settings that can be made, and a rate that gradient descent can take."""

import numpy as np
import pytest
from tests.training.health.made import evidence as made
from tests.training.health.made import network, vitals

import glassnet as gn
from glassnet.locales.catalogue import Message
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.config import configure
from glassnet.training.health.columns import DataFacts
from glassnet.training.health.evidence import Baseline, Evidence
from glassnet.training.health.remedies import (
    Remedy,
    fitting_initializer,
    has_large_inputs,
    higher_rate,
    lift_penalties,
    lower_rate,
    narrow_start,
    present_rate,
    rate_cause,
    unscaled_inputs,
    usual_rate,
    why_too_large,
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


# Causes and remedies of evidence that was made by hand, with every number.


@pytest.mark.parametrize(
    ("optimizer", "stable", "net", "said"),
    [
        ("sgd(0.3)", 0.25, {}, "learning rate 0.3: sgd is stable, at the start, up to 2 / sharpness = 0.25"),
        ("sgd(0.3)", 0.3, {}, "learning rate 0.3, where sgd usually takes 0.1"),
        ("sgd(0.1)", 0.3, {}, "learning rate 0.1 is more than this network can take"),
        ("adam(0.002)", np.nan, {}, "learning rate 0.002, where adam usually takes 0.001"),
        (
            "sgd(0.6, update_scale=0.5)",
            0.25,
            {},
            "learning rate 0.3: sgd is stable, at the start, up to 2 / sharpness = 0.25",
        ),
        (
            "sgd(0.01)",
            0.25,
            {"loss": "half_squared_error(sum)"},
            "learning rate 0.01 is 0.32 for the mean of 32 rows; sgd is stable, at the start, up to 2 / "
            "sharpness = 0.25",
        ),
        (
            "sgd(0.005)",
            0.25,
            {"loss": "half_squared_error(sum)"},
            "learning rate 0.005, where sgd usually takes 0.003125",
        ),
        (
            "sgd(0.003125)",
            0.25,
            {"loss": "half_squared_error(sum)"},
            "learning rate 0.003125 is more than this network can take",
        ),
        (
            "adam(0.002)",
            np.nan,
            {"loss": "half_squared_error(sum)"},
            "learning rate 0.002, where adam usually takes 0.001",
        ),
    ],
)
def test_by_what_measure_steps_are_too_large(optimizer, stable, net, said):
    seen = made(vitals(), optimizer=optimizer, stable_rate=stable, net=network(**net))
    assert str(rate_cause(seen)) == f"steps are too large: {said}"


@pytest.mark.parametrize(
    ("optimizer", "stable", "loss", "rate", "said"),
    [
        ("sgd(0.7)", 9.0, "half_squared_error", 0.07, "learning_rate 0.07"),
        ("sgd(7.0)", 9.0, "half_squared_error", 0.1, "learning_rate 0.1"),
        ("sgd(0.7)", 0.05, "half_squared_error", 0.025, "learning_rate 0.025"),
        (
            "sgd(0.7)",
            9.0,
            "half_squared_error(sum)",
            0.0031,
            "learning_rate 0.0031 (0.099 for the mean of 32 rows)",
        ),
        (
            "sgd(0.7)",
            0.064,
            "half_squared_error(sum)",
            0.001,
            "learning_rate 0.001 (0.032 for the mean of 32 rows)",
        ),
    ],
)
def test_a_lower_rate_is_told_for_a_step_and_for_a_row(optimizer, stable, loss, rate, said):
    found = lower_rate(made(vitals(), optimizer=optimizer, stable_rate=stable, net=network(loss=loss)))
    assert str(found) == said
    assert OPTIMIZERS.resolve(found.changes["training"]["optimizer"]).learning_rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("training", "net", "changes"),
    [
        ({}, {}, []),
        ({"l2": 0.1, "l1": 0.2, "weight_decay": 0.3}, {}, [{"weight_decay": 0.0}, {"l2": 0.0}, {"l1": 0.0}]),
        (
            {"clip_norm": 0.99, "clip_value": 0.5, "max_norm": 2.9},
            {},
            [{"clip_norm": 1.0}, {"clip_value": 1.0}, {"max_norm": 3.0}],
        ),
        ({"clip_norm": 1.0, "clip_value": 1.0, "max_norm": 3.0}, {}, []),
        ({"l2": 0.1}, {"dropout": 0.5}, [{"dropout": 0.0}, {"l2": 0.0}]),
    ],
)
def test_penalties_are_left_out_and_limits_set_to_usual_ones(training, net, changes):
    found = lift_penalties(made(vitals(), training=training, net=network(**net)))
    assert [next(iter(one.changes.values())) for one in found] == changes
    assert [next(iter(one.changes)) == "network" for one in found] == ["dropout" in one for one in changes]


def columns_of(n, *, far=(), d=8, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, d))
    for column, mean, std in far:
        rows[:, column] = mean + std * np.tile([1.0, -1.0], n // 2)
    return rows


@pytest.mark.parametrize(
    ("far", "said"),
    [
        ([(2, 30, 4)], "column 2 has mean 30 and standard deviation 4; networks expect about 0 and 1"),
        (
            [(2, 30, 4), (5, -300, 9)],
            "column 5 has mean -300 and standard deviation 9, column 2 has mean 30 and standard deviation 4; "
            "networks expect about 0 and 1",
        ),
        (
            [(0, 60, 9), (1, 70, 9), (2, 80, 9), (3, 90, 9)],
            "column 3 has mean 90 and standard deviation 9, column 2 has mean 80 and standard deviation 9, "
            "column 1 has mean 70 and standard deviation 9, and so on in 1 more columns; networks expect "
            "about 0 and 1",
        ),
        (
            [(0, 0, 20), (1, 0, 20), (2, 0, 20), (3, 0, 20), (4, 0, 20)],
            "the inputs have a root mean square of 15.8;",
        ),
    ],
)
def test_columns_are_named_the_farthest_first_and_counted_where_they_are_many(far, said):
    X = columns_of(20, far=far)
    found, remedy = unscaled_inputs(made(vitals(), X=X, net=network(layers=(8, 4, 4, 1))))
    assert str(found).startswith(said)
    assert remedy.family == "batch normalisation"
    standard = {"data": {"scaling": "standard"}}
    for scalings, changes in (
        (("standard", "robust"), standard),
        (("standard",), standard),
        (("robust",), remedy.changes),  # they are standardised already
    ):
        facts = DataFacts(names=tuple("abcdefgh"), scalings=scalings)
        found, other = unscaled_inputs(made(vitals(), X=X, net=network(layers=(8, 4, 4, 1)), facts=facts))
        assert ("column 'c' has" in str(found)) == ("column 2 has" in said)
        assert other.changes == changes
        assert other.family == ("inputs" if changes == standard else "batch normalisation")


@pytest.mark.parametrize(
    ("rms", "others", "found"),
    [
        (5.1, {}, True),
        (4.9, {}, False),
        (5.1, {"facts": DataFacts(outlying=((0, 200.0),))}, False),
        (5.1, {"net": network(batch_norm=True)}, False),
    ],
)
def test_inputs_that_are_large_as_a_whole(rms, others, found):
    """No single column is: their quartiles are all 0."""
    X = np.zeros((40, 2))
    X[::8] = rms * np.sqrt(8) * np.array([[1.0, 1], [-1, 1], [1, -1], [-1, -1], [1, 1]])
    seen = made(vitals(), X=X, **others)
    vars(seen)["unscaled_columns"] = []
    assert seen.probe.input_spread == pytest.approx(rms)
    assert has_large_inputs(seen) == found


@pytest.mark.parametrize(
    ("optimizer", "flat", "said"),
    [
        ("sgd(1.0)", 0.5, "glorot_uniform on 2 inputs gives"),  # ten times the usual rate
        ("sgd(1.01)", 0.5, "steps are too large"),
        ("lbfgs", 0.5, "glorot_uniform on 2 inputs gives"),
        ("lbfgs", 0.3, "the line search of lbfgs takes steps that are too large"),
        ("sgd(0.1)", 0.3, "steps are too large"),
    ],
)
def test_why_numbers_grew(optimizer, flat, said):
    start = vitals(0, 1.0, first={"flat_share": flat})
    cause, remedy = why_too_large(made(start, vitals(), optimizer=optimizer, stable_rate=9.0))
    assert str(cause).startswith(said)
    families = {"steps are too large": "learning rate"}
    assert remedy.family == families.get(said, "initializer")


def test_a_start_of_large_inputs_is_mended_by_scaling_them():
    seen = made(vitals(0, 1.0, first={"flat_share": 0.9}), vitals(), X=100 * RNG.normal(size=(40, 2)))
    assert narrow_start(seen, seen.start.layers[0]).family == "batch normalisation"


@pytest.mark.parametrize(
    ("length", "initializer"),
    [
        (2.9, "he_normal"),  # of two inputs: pre-activations of this spread
        (4.0, "glorot_uniform"),  # of 400 units as well: a fourteenth of it
        (170.0, "normal(0, 0.01)"),
    ],
)
def test_an_initializer_is_narrower_where_the_signal_would_grow(length, initializer):
    X = length * np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0], [0.0, -1.0]])
    seen = made(vitals(), X=X, net=network("relu", layers=(2, 400, 1), initializer="zeros"), stable_rate=9e9)
    assert fitting_initializer(seen).changes["network"] == {"initializer": initializer}
