"""What data do to a network is named: their scale, noise, leaks, rows out of range, statistics that lag."""

import re

import numpy as np
import polars
import pytest
from tests.training.health.made import CLASSES, INPUTS, evidence, history, network, trials, vitals

import glassnet as gn
from glassnet.data.splits import Split
from glassnet.training.health.columns import DataFacts
from glassnet.training.health.data_rules import (
    find_lagging_statistics,
    find_leak,
    find_nothing_to_learn,
    find_outlying_inputs,
    find_rows_out_of_range,
    find_single_class,
    find_too_early,
    find_unscaled_inputs,
    find_unscaled_targets,
)
from glassnet.training.health.evidence import Baseline, Divergence, Lag

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
    assert mended.history["validation_loss"][-1] < run.history["validation_loss"][-1] / 10
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


# Each rule on vitals made by hand: at its threshold and just beyond.

WELL = 0.1  # a loss of which nobody is sick; `vitals` have one of 0.6, which is
LOST = Divergence(7, 1)


@pytest.mark.parametrize(
    ("scales", "expected"),
    [
        ([(0.0, 1.0)], None),
        ([(0.0, 10.0)], None),
        ([(0.0, 10.1)], (0.0, 10.1)),
        ([(0.0, 0.1)], None),
        ([(0.0, 0.099)], (0.0, 0.099)),
        ([(5.0, 1.0)], None),
        ([(5.1, 1.0)], (5.1, 1.0)),
        ([(-5.1, 1.0)], (-5.1, 1.0)),
        ([(0.0, 1.0), (3.0, 200.0)], (3.0, 200.0)),
    ],
)
def test_targets_with_an_odd_scale_or_offset(scales, expected):
    facts = DataFacts(scalings=("standard", "robust"), scales=tuple(scales))
    found = find_unscaled_targets(evidence(vitals(), facts=facts))
    assert (found and tuple(found.evidence.values())) == expected
    assert find_unscaled_targets(evidence(vitals(loss=WELL), facts=facts)) is None
    if found:
        assert (found.remedy.family, found.remedy.changes) == ("targets", {"data": {"scaling": "standard"}})
    for others in ((), ("robust",)):  # they are standardised already, or cannot be
        facts = DataFacts(scalings=others, scales=tuple(scales))
        assert find_unscaled_targets(evidence(vitals(), facts=facts)) is None


def test_odd_targets_are_told_with_mean_and_deviation_and_where_all_of_them_became_one():
    facts = DataFacts(scalings=("standard",), scales=((-1234.5, 67.89),))
    found = find_unscaled_targets(evidence(vitals(), facts=facts))
    assert str(found).startswith(
        "unscaled-targets (layer 3, from the start): the targets have mean -1234 and standard deviation "
        "67.9; outputs"
    )
    single = Baseline((0.0,), 0.0, 0.0, 0.0, 0.0)
    assert find_unscaled_targets(evidence(vitals(loss=WELL), facts=facts, baseline=single)) is not None


@pytest.mark.parametrize(
    ("rms", "options", "found"),
    [
        (0.0199, {}, True),
        (0.0201, {}, False),
        (0.0, {}, False),
        (0.0199, {"batch_norm": True}, False),
        (60, {}, True),
        (60, {"batch_norm": True}, True),
    ],
)
def test_inputs_that_are_too_small_or_too_large(rms, options, found):
    X = rms * np.sqrt(2) * INPUTS  # the rows have a root mean square of the root of a half
    assert (find_unscaled_inputs(evidence(vitals(), X=X, net=network(**options))) is not None) == found


def test_large_inputs_are_a_remark_of_a_network_that_learns_and_none_where_it_normalises():
    X = 100 * INPUTS
    assert find_unscaled_inputs(evidence(vitals(), X=X)).sick
    assert not find_unscaled_inputs(evidence(vitals(loss=WELL), X=X)).sick
    assert find_unscaled_inputs(evidence(vitals(loss=WELL), X=X, net=network(batch_norm=True))) is None
    found = find_unscaled_inputs(evidence(vitals(0, 1.0, first={"pre_activation_spread": 7.5}), vitals(), X=X))
    assert found.evidence == {"input_spread": pytest.approx(50 * np.sqrt(2)), "pre_activation_spread": 7.5}
    assert found.layer == 1


OUTLYING = DataFacts(names=("age", "pay"), outlying=((1, 5000.0), (0, 200.0)))
ROBUST = {"data": {"scaling": "robust"}}


@pytest.mark.parametrize(
    ("seen", "others", "cost", "sick"),
    [
        ({}, {}, 0.2, True),
        ({}, {}, 0.79, True),  # it gains 0.21, where 0.1 and another tenth are asked for
        ({}, {}, 0.81, False),
        ({"step": 49}, {}, 0.2, None),
        ({"step": 0}, {}, 0.2, None),
        ({"step": 49}, {"divergence": LOST}, 0.2, True),
    ],
)
def test_outlying_numbers_do_harm_where_a_trial_with_robust_scaling_learns(seen, others, cost, sick):
    known = trials(0.9, 0.2, steps=50, after=[(ROBUST, cost), ({}, 0.9)])
    found = find_outlying_inputs(evidence(vitals(**seen), facts=OUTLYING, trials=known, **others))
    assert (found and found.sick) == sick
    if found:
        assert str(found).startswith(
            "outlying-inputs (layer 1, from the start): column 'pay' has numbers up to 5000 times its usual spread"
        )
        assert found.evidence == {"times": 5000.0}


@pytest.mark.parametrize(
    ("scalings", "can"), [((), False), (("standard",), False), (("robust",), True), (("standard", "robust"), True)]
)
def test_outlying_numbers_are_mended_by_robust_scaling_where_it_could_be_asked_for(scalings, can):
    known = trials(0.9, 0.2, steps=50, after=[(ROBUST, 0.2), ({}, 0.9)])
    facts = DataFacts(scalings=scalings, outlying=((1, 5000.0),))
    found = find_outlying_inputs(evidence(vitals(), facts=facts, trials=known))
    assert found.sick
    assert (found.remedy and (found.remedy.family, found.remedy.changes)) == (("inputs", ROBUST) if can else None)


def test_outlying_numbers_are_no_harm_to_a_network_that_is_not_behind():
    known = trials(0.25, 0.2, steps=50, after=[(ROBUST, 0.0)])
    assert not find_outlying_inputs(evidence(vitals(), facts=OUTLYING, trials=known)).sick
    assert find_outlying_inputs(evidence(vitals(), facts=OUTLYING)) is None
    assert find_outlying_inputs(evidence(vitals(), trials=known)) is None


def test_lagging_statistics_are_told_with_three_losses_since_the_last_step():
    found = find_lagging_statistics(evidence(vitals(90, WELL), lag=Lag(0.125, 9.5, 0.25)))
    assert str(found).startswith(
        "lagging-statistics (since step 90): the running statistics of batch normalisation lagged behind "
        "the weights: "
        "by them the loss was 9.5, in training 0.125; they were measured again at the end, and now it is 0.25;"
    )
    assert found.evidence == {"in_training": 0.125, "before": 9.5, "after": 0.25}
    assert find_lagging_statistics(evidence(vitals())) is None


BEYOND = DataFacts(names=("age", "pay"), beyond=((1, 0.625), (0, 0.25)))


def beyond(validation_loss=1.0, *, loss=0.05, ended=None, net=None, **others):
    """The first 40 of 100 held-out rows are new; they cost so much, the others nothing."""
    known = trials(0.5, 0.2, steps=50)
    known.ended = np.r_[np.full(40, 2.0), np.zeros(60)] if ended is None else ended
    others = {"history": history([0.1], [validation_loss]), "trials": known, "net": net} | others
    return find_rows_out_of_range(evidence(vitals(90, loss), facts=BEYOND, **others))


def test_new_rows_beyond_those_of_training_are_told_with_their_share_and_column():
    assert str(beyond()) == (
        "rows-out-of-range (since step 90): 62% of the validation rows lie beyond the training rows in "
        "column 'pay': "
        "answers there are guesses"
    )
    assert beyond().evidence == {"share": 0.625}
    assert find_rows_out_of_range(evidence(vitals())) is None
    assert find_rows_out_of_range(evidence(vitals(49), facts=BEYOND)) is None


@pytest.mark.parametrize(
    ("options", "sick"),
    [
        ({}, True),
        ({"validation_loss": 0.999}, False),
        ({"lag": Lag(0.1, 0.9, 0.2)}, False),
        ({"trials": None}, False),
        ({"loss": 1.2}, False),  # it is sick by itself
        ({"ended": np.r_[np.zeros(40), np.full(60, 3.0)]}, False),  # only rows of training cost more
        ({"ended": 1.001 + np.tile([0.1, -0.1], 50)}, False),  # more by chance
        ({"validation_loss": 80.0, "net": network(loss="half_squared_error(sum)"), "new_rows": 80}, True),
        ({"validation_loss": 79.9, "net": network(loss="half_squared_error(sum)"), "new_rows": 80}, False),
    ],
)
def test_rows_out_of_range_are_sick_where_a_constant_answer_costs_less_there(options, sick):
    assert beyond(**options).sick == sick


def noise(seen=None, *, ended=1.0, reference=(1.0, 0.5), learned=200, new=40, **others):
    known = trials(1.0, reference, learned=learned, new=new)
    known.ended = np.full(100, ended) if np.ndim(ended) == 0 else ended
    return find_nothing_to_learn(evidence(vitals(90, 1.0) if seen is None else seen, trials=known, **others))


def test_nothing_to_learn_is_told_with_the_rows_that_it_was_looked_for_on():
    found = noise(reference=(0.998, 0.5))
    assert str(found).startswith("nothing-to-learn (from the start): on 100 held-out rows neither a linear model")
    assert found.evidence == {"rows": 100, "gain": pytest.approx(0.002)}
    assert not found.sick


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"seen": vitals(50, 1.0)}, True),
        ({"seen": vitals(49, 1.0)}, False),
        ({"seen": vitals(90, 0.09)}, False),
        ({"seen": vitals(90, 0.09), "history": history([0.1], [1.0])}, True),  # what was learned does not hold
        ({"seen": vitals(90, 0.09), "history": history([0.1], [0.99])}, False),
        ({"learned": 100}, True),
        ({"learned": 99}, False),
        ({"reference": 0.9}, False),
        ({"ended": np.r_[np.full(40, 0.9), np.full(60, 2.0)]}, False),  # on new rows it has found something
        ({"ended": np.r_[np.full(40, 1.0), np.full(60, 0.1)]}, True),  # of rows of training it may know noise
        ({"ended": np.full(100, 0.9), "new": 0}, False),
        ({"baseline": Baseline((0.5,), 1.0, 1.0, 0, 1)}, False),
    ],
)
def test_rows_that_tell_nothing(options, found):
    assert (noise(**options) is not None) == found


@pytest.mark.parametrize(("wrong", "found"), [(0.1, True), (0.099, False)])
def test_rare_classes_are_no_noise(wrong, found):
    base = Baseline(CLASSES.answer, 1.0, 0.0, 0.0, 1.0, wrong)
    assert (noise(vitals(90, 1.0, wrong=wrong), baseline=base) is not None) == found


def test_one_class_and_a_column_that_tells_it_and_too_few_steps():
    assert find_single_class(evidence(vitals(), baseline=Baseline((1.0,), 0.5, 0.5, 1, 1))).kind == "single-class"
    assert find_single_class(evidence(vitals())) is None
    X = np.random.default_rng(0).normal(size=(40, 2))
    seen = evidence(vitals(), X=X, facts=DataFacts(names=("age", "pay")))
    assert find_leak(seen) is None
    seen.probe.targets[:] = 3 - 2 * X[:, 1:]
    assert str(find_leak(seen).cause).startswith("column 'pay' alone tells the target")


@pytest.mark.parametrize(
    ("step", "loss", "found"),
    [(1, 0.5, True), (49, 0.5, True), (49, 0.499, False), (50, 0.5, False), (0, 1.0, False)],
)
def test_too_few_steps_are_said_where_much_is_left(step, loss, found):
    diagnosis = find_too_early(evidence(vitals(0, 1.0), vitals(step, loss)))
    assert (diagnosis is not None) == found
    if found:
        said = f"too-early (since step {step}): {step} steps are too few to say; judged from 50 on"
        assert str(diagnosis) == said
