"""What data do to a network is named: their scale, noise, leaks, rows out of range, statistics that lag."""

import re

import numpy as np
import polars
import pytest

import glassnet as gn
from glassnet.data.splits import Split

pytestmark = pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")

OPTIMIZERS = [("adam", 64), ("adam(0.01)", 64), ("momentum(0.1)", 64), ("sgd(0.1)", 64), ("adam(0.0003)", 32)]


def kinds(run, *, sick=None):
    return [found.kind for found in run.health.diagnoses if sick in (None, found.sick)]


def regress(X, y, *, seed=0, network=(), scaling="none", **options):
    data = gn.Dataset.from_arrays(X, y)
    net = gn.Network([X.shape[1], 32, 1], loss="half_squared_error", seed=seed, **dict(network))
    options = {"epochs": 60, "optimizer": "adam(0.005)", "kernels": "numpy", "threads": 1} | options
    return gn.fit(net, data.scale(scaling), progress=False, **options)


def rows(n=800, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, 3))
    return Z, Z @ [1, -2, 0.5] + 0.1 * rng.normal(size=n)


@pytest.mark.parametrize(("optimizer", "batch_size"), OPTIMIZERS)
@pytest.mark.parametrize("ceiling", [0.5, 0.65, 0.8])
def test_a_network_at_the_ceiling_of_noisy_labels_is_not_sick(ceiling, optimizer, batch_size):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4000, 8)).astype(np.float32)
    right = X[:, 0] > 0
    y = np.where(rng.random(4000) < ceiling, right, ~right).astype(int)
    net = gn.Network([8, 16, 1], loss="binary_cross_entropy", seed=1)
    options = {"epochs": 15, "batch_size": batch_size, "optimizer": optimizer, "kernels": "numpy", "threads": 1}
    run = gn.fit(net, gn.Dataset.from_arrays(X, y), progress=False, early_stopping="patience(5)", **options)
    assert kinds(run, sick=True) == []
    assert ("nothing-to-learn" in kinds(run)) == (ceiling == 0.5)


def test_a_network_that_is_far_below_a_low_ceiling_is_sick():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 8))
    y = X[:, 0] + 0.5 * X[:, 1] + 2 * rng.normal(size=4000)  # R2 of at most 0.24
    slow, learned = (regress(X, y, optimizer=name, epochs=15) for name in ("sgd(1e-6)", "adam(0.003)"))
    assert kinds(slow, sick=True) == ["slow-learning"]
    assert kinds(learned, sick=True) == []


@pytest.mark.parametrize(("factor", "offset"), [(1, 1000), (1e-6, 0), (1e3, 0), (8e4, 2e5), (1e-300, 0)], ids=str)
def test_numbers_far_from_usual_are_to_be_standardised(factor, offset):
    X, y = rows()
    run = regress(X, factor * y + offset)
    first = run.health.diagnoses[0]
    assert (first.kind, first.layer, first.sick) == ("unscaled-targets", 2, True)
    assert first.evidence["target_std"] == pytest.approx(factor * y.std(), rel=0.1)
    assert (first.remedy.family, first.remedy.changes) == ("targets", {"data": {"scaling": "standard"}})
    mended = regress(X, factor * y + offset, scaling="standard")
    assert not mended.health.diagnoses
    assert mended.model.score(X, factor * y + offset) > 0.95


def test_a_column_that_is_far_off_centre_is_named():
    Z, y = rows()
    X = np.c_[Z, 1.7e9 + 1e4 * np.random.default_rng(1).normal(size=len(Z))]
    run = regress(X, y)
    first = run.health.diagnoses[0]
    assert (first.kind, first.layer, first.remedy.family) == ("unscaled-inputs", 1, "inputs")
    assert str(first.cause).startswith("column 3 has mean 1.7e+09 and standard deviation ")
    assert not regress(X, y, scaling="standard").health.diagnoses


def test_all_columns_alike_are_counted_instead():
    Z, y = rows()
    with pytest.raises(gn.DivergenceError) as caught:
        regress(np.tile(1e4 * Z, 3), y, optimizer="sgd(0.01)")
    first = caught.value.run.health.diagnoses[0]
    assert (first.kind, first.remedy.family) == ("unscaled-inputs", "inputs")
    assert str(first.cause).startswith("the inputs have a root mean square of ")
    assert str(first.explanation) in str(caught.value)


def test_statistics_that_lag_are_measured_again_at_the_end():
    rng = np.random.default_rng(0)
    X, y = rows(400)
    X[:, 0] = X[:, 0] * 800 + 101_325
    run = regress(X, y, network={"batch_norm": True}, epochs=30, optimizer="adam(0.01)")
    assert "lagging-statistics" in kinds(run, sick=False)
    found = next(one for one in run.health.diagnoses if one.kind == "lagging-statistics")
    assert found.evidence["before"] > 10 * found.evidence["after"]
    assert found.evidence["after"] < 2 * found.evidence["in_training"] + 0.1
    assert run.history.last.validation_loss > 10 * found.evidence["after"]
    network, train = run.network, run.config.data and gn.Dataset.from_arrays(X, y).train
    Z = train.X.astype(np.float32) @ network.W[0]
    off = np.abs(network.parameters.mean[0] - Z.mean(axis=0)) / Z.std(axis=0)
    assert off.max() < 0.5
    sound = regress(rng.normal(size=(400, 3)), y, network={"batch_norm": True}, epochs=30)
    assert "lagging-statistics" not in kinds(sound)


def test_statistics_that_do_not_lag_are_left_as_training_made_them(monkeypatch):
    from glassnet.training.health.monitor import Monitor

    X, y = rows(400)
    runs = [regress(X, y, network={"batch_norm": True}, epochs=20)]
    monkeypatch.setattr(Monitor, "mend_statistics", lambda self, network: None)
    runs.append(regress(X, y, network={"batch_norm": True}, epochs=20))
    one, other = (run.network.parameters.statistics for run in runs)
    assert (one == other).all()


def test_validation_rows_out_of_range_are_said():
    X, y = rows()
    far = X[:100] + np.array([0, 40, 0])
    data = gn.Dataset.from_arrays(X, y, validation=0).with_validation(Split(far, y[:100]))
    net = gn.Network([3, 32, 1], loss="half_squared_error")
    run = gn.fit(net, data, epochs=40, optimizer="adam(0.005)", progress=False)
    found = next(one for one in run.health.diagnoses if one.kind == "rows-out-of-range")
    assert found.sick
    assert "100% of the validation rows lie beyond the training rows in column 1" in str(found)
    near = gn.Dataset.from_arrays(X, y, validation=0).with_validation(
        Split(X[:100] + np.array([0, 0.5, 0]), y[:100])
    )
    run = gn.fit(gn.Network([3, 32, 1], loss="half_squared_error"), near, epochs=40, progress=False)
    assert "rows-out-of-range" not in kinds(run)


def test_numbers_far_from_all_others_are_named_where_they_do_harm():
    X, y = rows()
    X *= np.where(np.random.default_rng(6).random(X.shape) < 0.01, 3000, 1)
    run = regress(X, y)
    found = run.health.diagnoses[0]
    assert (found.kind, found.layer, found.sick) == ("outlying-inputs", 1, True)
    assert (found.remedy.family, found.remedy.changes) == ("inputs", {"data": {"scaling": "robust"}})
    mended = regress(X, y, scaling="robust")
    assert not mended.health.sick
    assert mended.history[-1].validation_loss < run.history[-1].validation_loss / 10
    assert re.match(r"column \d has numbers up to [\d.e+]+ times its usual spread", str(found.cause))


def test_outlying_numbers_of_a_table_are_mended_too():
    """Its columns are standardised as they are read: a few far numbers then leave nothing of the others."""
    X, y = rows()
    X[5] = 1e6
    colours = np.where(np.random.default_rng(3).random(len(X)) < 0.5, "red", "blue")
    frame = polars.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "colour": colours, "y": y})
    options = {"epochs": 40, "optimizer": "adam(0.005)", "kernels": "numpy", "progress": False}
    data = gn.load_dataset(frame, target="y")
    run = gn.fit(gn.Network([5, 32, 1], loss="half_squared_error"), data, **options)
    found = run.health.diagnoses[0]
    assert (found.kind, found.remedy.changes) == ("outlying-inputs", {"data": {"scaling": "robust"}})
    mended = gn.fit(gn.Network([5, 32, 1], loss="half_squared_error"), data.scale("robust"), **options)
    assert not mended.health.sick
    assert mended.model.score(data.test) > 0.9 > 0.5 > run.model.score(data.test)


def test_a_leak_and_too_few_steps_are_remarks():
    X, y = rows()
    leaking = regress(np.c_[X, 2 * y + 1], y)
    assert kinds(leaking) == ["leak"]
    assert "column 3 alone tells the target" in str(leaking.health)
    early = regress(X, y, epochs=1, optimizer="sgd(1e-5)")
    assert kinds(early) == ["too-early"]
    assert "5 steps are too few to say" in str(early.health)
    assert repr(early).endswith("remarks: see run.health)")


def test_no_network_is_sick_before_it_can_have_learned():
    X, y = rows()
    early = regress(X, y, network={"initializer": "zeros"}, epochs=1, optimizer="sgd(0.1)")
    assert kinds(early, sick=True) == []
    assert kinds(regress(X, y, network={"initializer": "zeros"}), sick=True)[0] == "duplicated-units"


def test_answers_worse_than_a_constant_are_sick_where_nothing_can_be_learned():
    X, noise = rows()[0], np.random.default_rng(2).normal(size=800)
    wild = regress(X, noise, network={"activation": "identity"}, optimizer="rmsprop(0.5)", epochs=20)
    assert wild.health.vitals[-1].loss > 0.6
    assert wild.health.sick


def test_a_network_far_behind_is_never_called_healthy_though_no_rule_knows_why():
    """Its steps are of a usual size, and its loss falls: it has only learned too little."""
    rng = np.random.default_rng(0)
    y = np.arange(1500) % 10
    X = rng.normal(size=(10, 10))[y] * 1.2 + rng.normal(size=(1500, 10))
    options = {"optimizer": "nesterov(0.0005)", "batch_size": 128, "epochs": 10, "kernels": "numpy"}
    run = gn.fit(gn.Network([10, 16, 10]), gn.Dataset.from_arrays(X, y), progress=False, **options)
    assert run.health.state != "healthy"
    assert run.health.sick
    assert run.health.diagnoses[0].remedy.family == "learning rate"


def test_a_single_class_is_a_remark():
    X = rows()[0]
    data = gn.Dataset.from_arrays(X, np.ones(len(X), int), X[:2], np.array([0, 1]))
    run = gn.fit(gn.Network([3, 8, 2]), data, epochs=20, progress=False)
    assert "single-class" in kinds(run, sick=False)
    assert kinds(run, sick=True) == []


def test_columns_without_any_difference_are_nothing_to_learn_from():
    y = rows()[1]
    run = regress(np.zeros((len(y), 3)), y)
    assert "nothing-to-learn" in kinds(run, sick=False)
    assert kinds(run, sick=True) == []
    assert "divided by 0" not in str(run.health)
