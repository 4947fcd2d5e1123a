"""A remedy is printed only where a short trial shows that it helps; a run's own bits are left alone."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.training.health.made import trials as made_trials

import glassnet as gn
from glassnet.data.scaling import Scaling
from glassnet.nn.losses import LOSSES
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.health import prescriptions, trials
from glassnet.training.health.learnable import Rows, Sample
from glassnet.training.options import TrainingConfig

pytestmark = pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")


def learn(data, *, network=(), **options):
    net = gn.Network([64, 24, 10], **dict(network))
    options = {"epochs": 12, "batch_size": 32, "kernels": "numpy", "threads": 1} | options
    return gn.fit(net, data, progress=False, **options)


def test_penalties_limits_and_dropout_that_hold_a_network_back_are_named(digits):
    for options, changes in (
        ({"l2": 1.0}, {"training": {"l2": 0.0}}),
        ({"l1": 0.1}, {"training": {"l1": 0.0}}),
        ({"clip_norm": 1e-4, "optimizer": "sgd(0.1)"}, {"training": {"clip_norm": 1.0}}),
        ({"max_norm": 0.01}, {"training": {"max_norm": 3.0}}),
        ({"network": {"dropout": 0.98}}, {"network": {"dropout": 0.0}}),
    ):
        found = learn(digits, **options).health.diagnoses[0]
        assert (found.kind, found.remedy.family) == ("over-regularised", "regularisation"), options
        assert found.remedy.changes == changes
        assert found.evidence["lifted"] > found.evidence["kept"] + 0.2


def test_a_harmless_penalty_is_not_blamed(digits):
    found = learn(digits, l2=1e-5, optimizer="adam(1e-6)").health.diagnoses[0]
    assert (found.kind, found.remedy.family) == ("slow-learning", "learning rate")


def test_where_nothing_helps_there_is_no_remedy_and_it_is_said(digits, monkeypatch):
    tried = []
    monkeypatch.setattr(trials.Trials, "helps", lambda self, changes: tried.append(changes))
    found = learn(digits, network={"initializer": "zeros"}).health.diagnoses
    assert all(one.remedy is None for one in found)
    assert f"{len(tried)} remedies were tried for some steps, and none clearly helped" in str(found[0])
    assert 1 < len(tried) <= prescriptions.TRIED
    assert all(tried.count(changes) == 1 for changes in tried)
    assert {"network": {"initializer": "zeros"}} not in tried


def test_only_so_many_remedies_are_tried(digits, monkeypatch):
    tried = []
    monkeypatch.setattr(trials.Trials, "helps", lambda self, changes: tried.append(changes))
    monkeypatch.setattr(prescriptions, "TRIED", 2)
    learn(digits, network={"initializer": "zeros"})
    assert len(tried) == 2


def test_no_remedy_says_what_is_set_already(digits, monkeypatch):
    tried = []
    monkeypatch.setattr(trials.Trials, "helps", lambda self, changes: tried.append(changes))
    network = {"initializer": "he_normal", "batch_norm": True}
    learn(digits.scale("standard"), network=network, optimizer="adam(1e-7)")
    assert tried
    assert {"network": {"initializer": "he_normal"}} not in tried
    assert {"network": {"batch_norm": True}} not in tried
    assert not any("data" in changes for changes in tried)


def test_a_run_has_the_same_bits_with_and_without_trials(digits, monkeypatch):
    options = {"network": {"dropout": 0.2}, "optimizer": "adam(1e-6)"}
    with_trials = learn(digits, **options)
    assert with_trials.health.sick
    monkeypatch.setattr(trials.Trials, "_try", lambda self, changes: np.full(len(self.sample.constant), np.inf))
    assert learn(digits, **options).network.fingerprint() == with_trials.network.fingerprint()


def test_the_same_run_has_the_same_remedy(digits):
    one, other = (learn(digits, optimizer="sgd(1e-5)").health for _ in range(2))
    assert one == other
    assert one.diagnoses[0].remedy is not None


def test_a_network_that_was_given_its_parameters_is_not_told_to_draw_others(digits):
    theta = np.zeros_like(gn.Network([64, 24, 10]).theta)
    found = learn(digits, network={"initializer": theta}).health.diagnoses[0]
    assert found.sick
    assert found.remedy is None or "network" not in found.remedy.changes


def test_a_sum_over_rows_takes_as_large_steps_as_in_the_run(digits):
    """The trial has fewer rows in a step, and a summed loss the slope of them all."""
    options = {"optimizer": "gd(1e-9)", "batch_size": None, "epochs": 60}
    found = learn(digits, network={"loss": "cross_entropy(sum)"}, **options).health.diagnoses[0]
    rate = gn.nn.optimizers.OPTIMIZERS.resolve(found.remedy.changes["training"]["optimizer"]).learning_rate
    mended = learn(digits, network={"loss": "cross_entropy(sum)"}, **options | {"optimizer": f"gd({rate})"})
    assert not mended.health.sick


def test_a_run_that_only_needs_more_steps_is_unfinished_and_not_sick(digits):
    """Its dropout costs a little in a longer trial, too; but that trial learns nearly all with it."""
    options = {"network": {"dropout": 0.2}, "batch_size": 128, "ema": 0.9}
    for epochs in (6, 8):
        health = learn(digits, **options, epochs=epochs).health
        assert not health.sick
        assert [one.kind for one in health.diagnoses] == ["unfinished"]
    assert not learn(digits, **options, epochs=40).health.diagnoses


def test_a_healthy_run_is_compared_with_nothing(digits, monkeypatch):
    """References and trials cost time, and are asked for in doubt only."""
    monkeypatch.setattr(trials.Trials, "__init__", lambda *_, **__: pytest.fail("a trial was opened"))
    assert learn(digits, epochs=20).health.state == "healthy"


def test_own_activations_and_losses_need_no_name(digits):
    leaky = gn.Activation("my_leaky", lambda z: np.where(z > 0, z, 0.1 * z), lambda z, h: np.where(z > 0, 1, 0.1))
    run = learn(digits, network={"activation": leaky}, optimizer="sgd(1e-6)")
    assert run.health.diagnoses[0].remedy.family == "learning rate"


def test_what_changes_nothing_is_no_help_though_a_trial_is_better_than_the_run(digits, monkeypatch):
    opened = []
    kept = trials.Trials.__init__
    monkeypatch.setattr(
        trials.Trials, "__init__", lambda self, *args, **rest: (kept(self, *args, **rest), opened.append(self))[0]
    )
    learn(digits, network={"initializer": "zeros"})
    (found,) = opened
    found.network, found.known, found.taken = gn.Network([64, 24, 10]), {}, 100  # which learns
    found.ended = np.full_like(found.ended, np.inf)
    assert not found.helps({"training": {"l2": 0.0}})
    assert not found.helps({"training": {"l2": 0.5}})
    found.network, found.known = gn.Network([64, 24, 10], initializer="zeros"), {}
    assert found.helps({"network": {"initializer": "he_normal"}})


# Trials on a few rows, without a run.


def sample(loss="half_squared_error", *, learned=100, d=2):
    rng = np.random.default_rng(0)
    parts = []
    for n in (learned, 60):
        X = rng.normal(size=(n, d))
        parts.append(Rows(X, X[:, :1] - 2 * X[:, 1:2], np.ones(n)))
    return Sample(LOSSES.resolve(loss), *parts, 60)


def opened(optimizer="sgd(0.1)", loss="half_squared_error", *, step_rows=32, taken=0, ended=None, **options):
    net = gn.Network([2, 4, 1], "tanh", loss=loss, dtype="float64", seed=1)
    return trials.Trials(
        net, None, TrainingConfig(), OPTIMIZERS.resolve(optimizer), sample(loss, **options),
        step_rows=step_rows, taken=taken, ended=ended,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step_rows", "learned", "rows"), [(32, 100, 32), (500, 200, 128), (500, 100, 100), (1, 100, 1)]
)
def test_a_step_of_a_trial_has_so_many_rows(step_rows, learned, rows):
    assert opened(step_rows=step_rows, learned=learned).rows == rows


def test_a_trial_has_so_many_steps(monkeypatch):
    parameters = 2 * 4 + 4 + 4 + 1
    for work, steps in ((1e10, 300), (32 * parameters * 120, 120), (1.0, 50)):
        monkeypatch.setattr(trials, "WORK", work)
        assert opened().steps == steps


@pytest.mark.parametrize("learned", [100, 70, 3000])
def test_all_rows_are_taken_as_often_in_a_trial(monkeypatch, learned):
    orders = []
    engine = SimpleNamespace(take=lambda order: orders.append(order) or (None, None, None))
    monkeypatch.setattr(trials, "make_engine", lambda *_, **__: engine)
    opened(learned=learned)
    times = np.bincount(orders[0], minlength=learned)
    assert times.sum() == 300 * 32
    assert times.max() - times.min() <= 1


@pytest.mark.parametrize(
    ("optimizer", "summed"),
    [
        ("sgd(0.05)", f"sgd({0.05 / 320})"),
        ("momentum(0.01)", f"momentum({0.01 / 320})"),
        ("adam(0.01)", "adam(0.01)"),
        ("rmsprop(0.01)", "rmsprop(0.01)"),
    ],
)
def test_a_trial_of_a_sum_is_that_of_the_mean(optimizer, summed):
    """A step of the run has 320 rows, and one of the trial 100; a sum's slope is as many times that of a mean."""
    mean = opened(optimizer, step_rows=320).costs({})
    found = opened(summed, "half_squared_error(sum)", step_rows=320).costs({})
    assert found == pytest.approx(mean, rel=1e-4, abs=2e-3)
    assert found.mean() < 0.5 * opened().sample.constant.mean()


def known(before, after, *, ended=1.0, reference=0.2, taken=0, steps=300):
    changes = {"training": {"l2": 0.0}}
    found = made_trials(ended, reference, after=[({}, before), (changes, after)], taken=taken, steps=steps)
    return found.helps(changes)


@pytest.mark.parametrize(
    ("before", "after", "options", "helps"),
    [
        (1.0, 0.81, {}, False),  # it makes good 0.19 of the 0.8 that lack, and a quarter is asked for
        (1.0, 0.79, {}, True),
        (1.0, 0.79, {"reference": 0.1}, False),
        (0.79, 0.79, {}, False),  # no better than as it is
        ((1.0, 9.0), 0.79, {}, False),  # better by chance
        (1.0, (0.79, 9.0), {}, False),
        (np.inf, 0.79, {"ended": np.inf}, True),
        (1.0, np.inf, {}, False),
        (0.3, 0.3, {"taken": 301}, True),  # it fell ill later than a trial lasts: no worse is enough
        (0.3, 0.3, {"taken": 300}, False),
        (0.3, 0.4, {"taken": 301}, False),
        (1.5, 1.1, {"ended": 2.0}, False),  # a constant answer is better still
    ],
)
def test_what_helps_makes_good_a_quarter_and_is_better_than_run_and_trial(before, after, options, helps):
    assert known(before, after, **options) == helps


def test_a_gain_is_that_of_the_answers_after_a_trial():
    found = made_trials(1.0, after=[({}, 0.75)])
    assert found.gain({}) == pytest.approx(0.25)


@pytest.mark.parametrize("scaling", ["standard", "robust"])
@pytest.mark.parametrize("size", [50, 0.001])
def test_answers_of_scaled_rows_are_in_the_targets_own_units(size, scaling):
    found = opened("adam(0.02)")
    rows = found.sample.learned
    new = found.sample.held_out
    far, other = (Rows(1000 + size * x, 7000 + 6 * size * y, w) for x, y, w in (rows, new))
    found.sample, found.known = Sample(found.sample.loss, far, other, 60), {}
    scaled = found.costs({"data": {"scaling": scaling}})
    assert scaled.mean() < 0.1 * found.sample.constant.mean()
    assert found.costs({}).mean() > found.sample.constant.mean()


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_a_trial_scales_by_the_rows_that_it_learns_from_and_leaves_some_columns_alone(scaling):
    found = opened()
    rows, new = found.sample.learned, found.sample.held_out.X
    X, scaled = (Scaling.measure(rows.X, scaling).apply(part) for part in (rows.X, new))
    for fixed in ((), (1,)):
        found.fixed = fixed
        learned, others, mean, std = found._scale(scaling)
        for part, expected, before in ((learned.X, X, rows.X), (others, scaled, new)):
            assert np.array_equal(part[:, 0], expected[:, 0])
            assert np.array_equal(part[:, 1], (before if fixed else expected)[:, 1])
        assert (mean, std) == (pytest.approx(rows.targets.mean()), pytest.approx(rows.targets.std()))
        assert learned.targets * std + mean == pytest.approx(rows.targets)
    assert found._scale(None) == (rows, new, 0.0, 1.0)


def test_shares_of_classes_are_not_scaled_in_a_trial():
    found = opened()
    found.sample = Sample(LOSSES.resolve("binary_cross_entropy"), found.sample.learned, found.sample.held_out, 60)
    learned, _, mean, std = found._scale("robust")
    assert learned.targets is found.sample.learned.targets
    assert (mean, std) == (0.0, 1.0)


def test_numbers_too_large_to_scale_are_lost_in_a_trial():
    found = opened()
    found.sample.learned.X[0, 0] = np.inf
    assert np.isinf(found.costs({"data": {"scaling": "standard"}})).all()
    assert np.isinf(found.costs({"data": {"scaling": "robust"}})).all()
