"""The pre-flight passes what is fit to be trained, and says what is not."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars
import pytest

import glassnet as gn
from glassnet.data.arrays import as_dataset
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.errors import DataError, UsageError
from glassnet.locales.catalogue import Message
from glassnet.nn.losses import LOSSES
from glassnet.training.health import preflight as module
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.health.preflight import Check, Preflight
from glassnet.training.health.remedies import set_options
from glassnet.training.sampling import evenly_spread


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


# What it says, without training.

FOUND = Diagnosis("dead-units", True, Message("none"), layer=2, remedy=set_options("x", "network", {"a": 1}))


def checked(*failed_ones):
    keys = {"the-first-loss": {}, "few-rows": {"n": 32}, "learning-rate": {}}
    titles = [Message(f"checks.{key}", **values) for key, values in keys.items()]
    return tuple(Check(title, str(title) not in failed_ones, Message("checks.fit")) for title in titles)


@pytest.mark.parametrize(
    ("failed_ones", "diagnoses", "rate", "sound", "said"),
    [
        ((), (), 0.01, True, "fit to be trained as it is"),
        (("learning rate",), (), 0.0123, False, "train with learning_rate 0.012"),
        (("learning rate",), (), None, False, "not fit to be trained: see learning rate"),
        (("first loss", "learning rate"), (), 0.01, False, "not fit to be trained: see first loss, learning rate"),
        (("first loss",), (FOUND,), 0.01, False, "dead-units in layer 2; try a 1"),
        ((), (replace(FOUND, layer=None, remedy=None),), 0.01, False, "dead-units"),
    ],
)
def test_the_conclusion_is_that_of_checks_and_diagnoses(failed_ones, diagnoses, rate, sound, said):
    found = Preflight(checked(*failed_ones), diagnoses, rate)
    assert (found.sound, str(found.conclusion)) == (sound, said)
    assert (found.to_dict()["sound"], found.to_dict()["conclusion"]) == (sound, said)


@pytest.fixture
def stand_ins(monkeypatch):
    """``stand_ins(losses, pick, limit)``: what learning by heart and the range test find, instead of doing it."""
    asked = []

    def put(losses=(1.0, 0.0), pick=0.01, limit=0.1):
        def fit(network, data, **options):
            asked.append((network, data, options))
            return SimpleNamespace(history={"train_loss": list(losses)})

        monkeypatch.setattr(module, "fit", fit)
        found = SimpleNamespace(pick=pick, highest_stable=limit)
        monkeypatch.setattr(module, "find_learning_rate", lambda *_, **options: asked.append(options) or found)
        return asked

    return put


def regression(offset=0.0, **options):
    X = np.random.default_rng(0).normal(size=(200, 2))
    net = gn.Network([2, 4, 1], loss="half_squared_error", **options)
    return net, gn.Dataset.from_arrays(X, X[:, 0] + offset, validation=0)


@pytest.mark.parametrize(
    ("rate", "passed"),
    [
        ("0.0001", True),
        ("0.000099", False),
        ("0.1", True),
        ("0.101", False),
        ("1, update_scale=0.1", True),
        ("1, update_scale=0.11", False),
    ],
)
def test_the_rate_lies_between_a_hundredth_of_the_pick_and_where_the_loss_rises(stand_ins, rate, passed):
    stand_ins(pick=0.01, limit=0.1)
    found = gn.preflight(*regression(), optimizer=f"sgd({rate})")
    check = found.checks[2]
    assert (check.name, check.passed, found.learning_rate) == ("learning rate", passed, 0.01)
    value = float(np.prod([float(part.split("=")[-1]) for part in rate.split(",")]))
    assert str(check.finding) == f"{value:g}; a range test picks 0.01, the loss rises beyond 0.1"


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("left", "passed"), [(0.0999, True), (0.1001, False)])
def test_few_rows_are_learned_by_heart_where_a_tenth_is_left(stand_ins, reduction, left, passed):
    net, data = regression()
    net.loss = LOSSES.resolve(f"half_squared_error({reduction})")
    rows = data.train.y[evenly_spread(len(data.train.y), 32)]
    each = 32 if reduction == "sum" else 1
    last = left * rows.var() / 2
    stand_ins([each * 2.5, each * 1.25, each * last])
    check = gn.preflight(net, data).checks[1]
    assert check.passed == passed
    said = f"loss 2.5 to {last:.2g} in 300 steps" + ("" if passed else ": not learned by heart")
    assert str(check.finding) == said


def test_uncertain_targets_need_not_be_learned_beyond_their_floor(stand_ins):
    X, y = np.random.default_rng(0).normal(size=(100, 2)), np.array([[0.9, 0.1], [0.1, 0.9]] * 50)
    floor, constant = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1)), np.log(2)
    for left, passed in ((0.09, True), (0.11, False)):
        stand_ins([1.0, floor + left * (constant - floor)])
        check = gn.preflight(gn.Network([2, 4, 2]), (X, y)).checks[1]
        assert check.passed == passed


@pytest.mark.parametrize(
    ("loss", "optimizer", "scale"),
    [
        ("half_squared_error", "sgd(0.1)", 1),
        ("half_squared_error(sum)", "sgd(0.1)", 2),
        ("half_squared_error(sum)", "adam(0.1)", 1),
        ("half_squared_error(sum)", "gd(0.1)", 5),  # which takes all 160
    ],
)
def test_steps_on_few_rows_are_as_large_as_on_a_batch(stand_ins, loss, optimizer, scale):
    """A sum over 32 rows has half the slope of one over 64, and Adam's steps do not depend on it."""
    asked = stand_ins()
    net, data = regression()
    net.loss = LOSSES.resolve(loss)
    gn.preflight(net, data, optimizer=optimizer, batch_size=None if optimizer.startswith("gd") else 64)
    network, few, options = asked[0]
    assert options["optimizer"].update_scale == scale
    assert (options["epochs"], len(few.train.y), len(few.validation.y)) == (300, 32, 0)
    assert network.dropout == (0.0, 0.0)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("loss", "passed"), [(12.4, True), (12.6, False)])
def test_a_first_loss_of_numbers_may_be_that_of_answers_far_beyond_them(stand_ins, reduction, loss, passed):
    """Twice the square of the farthest, -2.5; the answer b costs (b^2 + 2.15625) / 2."""
    stand_ins()
    X, y = np.random.default_rng(0).normal(size=(128, 2)), np.tile([-2.5, 0.5, 1.25, 0.75], 32)
    parts = Split(X, y), Split(X[:0], y[:0]), Split(X[:0], y[:0])
    start = np.array([0, 0, np.sqrt(2 * loss - 2.15625)])
    net = gn.Network([2, 1], loss=f"half_squared_error({reduction})", initializer=start)
    check = gn.preflight(net, gn.Dataset("made", *parts, Schema.learn(X, y))).checks[0]
    assert str(check.finding) == f"{loss}; the best constant answer costs 1.078"
    assert check.passed == passed


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("share", "passed"), [(1.99, True), (2.01, False)])
def test_a_first_loss_of_classes_is_at_most_twice_the_best_constants(stand_ins, reduction, share, passed):
    """Of two even classes, with logits a and 0: a / 2 + ln(1 + e^-a), beside ln 2."""
    stand_ins()
    a = np.linspace(0, 9, 90_001)
    a = a[np.searchsorted(a / 2 + np.log1p(np.exp(-a)), share * np.log(2))]
    start = np.array([0, 0, 0, 0, a, 0])
    net = gn.Network([2, 2], loss=f"cross_entropy({reduction})", initializer=start)
    X, y = np.random.default_rng(0).normal(size=(128, 2)), np.arange(128) % 2
    parts = Split(X, y), Split(X[:0], y[:0]), Split(X[:0], y[:0])
    assert gn.preflight(net, gn.Dataset("made", *parts, Schema.learn(X, y))).checks[0].passed == passed


def test_the_first_loss_is_of_rows_from_the_first_to_the_last(stand_ins):
    stand_ins()
    X, y = np.random.default_rng(0).normal(size=(600, 2)), np.arange(600) / 100
    parts = Split(X, y), Split(X[:0], y[:0]), Split(X[:0], y[:0])
    net = gn.Network([2, 1], loss="half_squared_error", initializer=np.zeros(3))
    check = gn.preflight(net, gn.Dataset("made", *parts, Schema.learn(X, y))).checks[0]
    rows = y[evenly_spread(600, 128)]
    assert str(check.finding) == f"{(rows**2).mean() / 2:.4g}; the best constant answer costs {y.var() / 2:.4g}"


def test_remarks_are_none_of_the_pre_flights_business(stand_ins):
    stand_ins()
    _, data = regression()
    data = gn.Dataset.from_arrays(np.c_[data.train.X, data.train.y], data.train.y)  # a leak
    assert not gn.preflight(gn.Network([3, 4, 1], loss="half_squared_error"), data).diagnoses


def test_a_sum_over_rows_is_found_as_sound_as_their_mean(digits):
    mean = gn.preflight(gn.Network([64, 32, 10]), digits, optimizer="sgd(0.1)", batch_size=64)
    summed = gn.Network([64, 32, 10], loss="cross_entropy(sum)")
    found = gn.preflight(summed, digits, optimizer=f"sgd({0.1 / 64})", batch_size=64)
    for one, other in zip(mean.checks[:2], found.checks[:2], strict=True):
        assert one.passed
        assert str(one.finding) == str(other.finding)
    assert 0.5 < 64 * found.learning_rate / mean.learning_rate < 2
    assert found.sound
