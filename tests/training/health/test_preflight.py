"""The pre-flight passes what is fit to be trained, and says what is not."""

import numpy as np
import polars
import pytest

import glassnet as gn
from glassnet.data.arrays import as_dataset
from glassnet.errors import DataError, UsageError


def failed(found):
    return [check.name for check in found.checks if not check.passed]


@pytest.mark.parametrize("optimizer", ["adam", "sgd(0.1)", "gd(0.1)", "lbfgs", "muon", "momentum"])
def test_what_is_sound_passes(digits, optimizer):
    found = gn.preflight(gn.Network([64, 32, 10]), digits, optimizer=optimizer)
    assert found.sound, found
    assert str(found.conclusion) == "fit to be trained as it is"
    stepped = optimizer not in ("gd(0.1)", "lbfgs")
    assert [check.name for check in found.checks] == [
        "first loss",
        "over-fit 32 rows",
        *["learning rate"] * stepped,
    ]
    assert (found.learning_rate is not None) == stepped


@pytest.mark.parametrize(
    ("network", "optimizer", "checks", "kinds"),
    [
        ({"initializer": "zeros"}, "adam", ["over-fit 32 rows", "learning rate"], ["duplicated-units"]),
        ({"initializer": "normal(0, 1)"}, "adam", ["first loss"], ["exploding-signal"]),
        ({"initializer": "uniform(-2, 2)", "activation": "tanh"}, "adam", ["first loss"], ["saturated-units"]),
        ({"bias_initializer": "uniform(-30, -29)"}, "adam", ["over-fit 32 rows"], ["dead-units"]),
        ({}, "adam(3)", ["over-fit 32 rows", "learning rate"], []),
        ({}, "adam(1e-7)", ["over-fit 32 rows", "learning rate"], []),
    ],
)
def test_what_is_not_is_said(digits, network, optimizer, checks, kinds):
    found = gn.preflight(gn.Network([64, 32, 10], **network), digits, optimizer=optimizer)
    assert not found.sound
    assert set(checks) <= set(failed(found))
    assert [one.kind for one in found.diagnoses][:1] == kinds
    if kinds:
        assert str(found.conclusion).startswith(f"{kinds[0]} in layer 1; try ")


def test_a_learning_rate_alone_is_answered_with_a_better_one(digits):
    found = gn.preflight(gn.Network([64, 32, 10]), digits, optimizer="adam(1e-5)", batch_size=32)
    assert failed(found)[-1] == "learning rate"
    assert 1e-3 < found.learning_rate < 0.2


def test_the_network_is_left_as_it_is(digits):
    network = gn.Network([64, 32, 10], dropout=0.5, batch_norm=True)
    theta, statistics = network.theta.copy(), network.parameters.statistics.copy()
    assert gn.preflight(network, digits).sound
    assert (network.theta == theta).all()
    assert (network.parameters.statistics == statistics).all()
    assert network.dropout == (0.0, 0.5)


def test_numbers_are_regressed_too():
    data = gn.load_dataset("diabetes")
    network = gn.Network([data.train.X.shape[1], 32, 1], loss="half_squared_error")
    found = gn.preflight(network, data, optimizer="adam(0.01)")
    assert not found.diagnoses


def test_what_does_not_fit_together_is_refused(digits):
    with pytest.raises(DataError, match="layers: the data have 64 columns"):
        gn.preflight(gn.Network([10, 10]), digits)


def test_an_option_that_cannot_be_used_is_named(digits):
    with pytest.raises(UsageError, match=r"^batch_size: input should be greater than or equal to 1, got 0"):
        gn.preflight(gn.Network([64, 32, 10]), digits, batch_size=0)


def test_rows_and_labels_are_taken_as_a_pair(digits):
    rows = digits.encoded.train.X[:300], digits.train.y[:300]
    pair, whole = (gn.preflight(gn.Network([64, 32, 10]), data) for data in (rows, as_dataset(rows)))
    assert pair == whole
    with pytest.raises(UsageError, match=r"^data: the labels are missing"):
        gn.preflight(gn.Network([64, 32, 10]), rows[0])


def test_classes_of_any_kind_and_tables_are_taken_as_they_are():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), np.arange(120) % 2
    X[:, 0] += 4 * y
    plain = gn.preflight(gn.Network([3, 8, 2]), (X, y))
    assert gn.preflight(gn.Network([3, 8, 2]), (X, np.array(["no", "yes"])[y])) == plain
    assert gn.preflight(gn.Network([3, 8, 2]), (X, np.array([7, 10])[y])) == plain
    table = polars.DataFrame({"a": 100 + X[:, 0], "colour": np.array(["red", "blue"])[y]})
    found = gn.preflight(gn.Network([3, 8, 2]), (table, y))
    assert [check.name for check in found.checks] == [check.name for check in plain.checks]
