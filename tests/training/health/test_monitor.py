"""Networks are examined when they are to be, and learn as if they were not."""

import itertools
import json
import warnings

import numpy as np
import pytest
from pydantic import ValidationError
from tests.training.health.made import layer, vitals

import glassnet as gn
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.errors import HealthWarning
from glassnet.locales.catalogue import Message
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.nn.update import Update
from glassnet.runtime.records import adapter_of
from glassnet.training.health import monitor
from glassnet.training.health.diagnosis import in_json
from glassnet.training.health.evidence import Baseline
from glassnet.training.history import History
from glassnet.training.options import TrainingConfig
from glassnet.training.run_folder import RunFolder
from glassnet.training.sampling import evenly_spread
from glassnet.training.step_context import StepContext


def fitted(data, *, seed=0, network=(), **options):
    net = gn.Network([64, 24, 16, 10], seed=seed, **dict(network))
    return gn.fit(net, data, progress=False, **{"epochs": 8, "batch_size": 32, **options})


@pytest.fixture(scope="module")
def long_run(digits):
    return fitted(digits, epochs=20)


def test_it_is_examined_early_and_then_seldom(digits, long_run):
    steps = -(-len(digits.train.y) // 32)
    rows = 64 * min(monitor.ROWS, len(digits.train.y))
    every = -(-rows // (steps * 32))
    found = [vitals.step for vitals in long_run.health.vitals]
    assert found[:5] == [0, 1, 4, 16, 64]
    ratios = [[layer.update_ratio for layer in vitals.layers] for vitals in long_run.health.vitals]
    assert ratios[0] == [None] * 3
    assert all(ratio > 0 for one in ratios[1:5] for ratio in one)  # the step before was seen as well
    assert found[-1] == 20 * steps
    late = [step for step in found[1:-1] if step not in monitor.EARLY]
    assert all(step % steps == 0 for step in late)
    assert all(second - first >= (every - 1) * steps for first, second in itertools.pairwise(late))


@pytest.mark.parametrize(
    "options", [{}, {"optimizer": "gd(0.5)", "batch_size": None}, {"optimizer": "momentum(0.05)", "ema": 0.9}]
)
def test_it_learns_the_same_bits_as_without(digits, monkeypatch, options):
    watched = fitted(digits, **options)
    monkeypatch.setattr(monitor.Monitor, "wants", lambda self, done: False)
    monkeypatch.setattr(monitor.Monitor, "room", lambda self, done, steps: steps)
    assert fitted(digits, **options).network.fingerprint() == watched.network.fingerprint()


def test_plain_and_compiled_steps_are_as_healthy(blobs, compiled_code):
    def examine(kernels):  # what test_engine.py compiles as well, so that the session compiles it once
        net = gn.Network([5, 9, 3], "tanh", dtype="float64", seed=3)
        options = {"optimizer": "sgd(0.1)", "batch_size": 30, "epochs": 6, "kernels": kernels, "threads": 1}
        return gn.fit(net, blobs(), progress=False, **options).health.vitals

    plain, compiled = examine("numpy"), examine("numba")
    assert [one.step for one in plain] == [one.step for one in compiled]
    assert [one.step for one in plain] == [0, 1, 18]
    for one, other in zip(plain, compiled, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-9)
        assert (one.update_ratio or 0) == pytest.approx(other.update_ratio or 0, rel=1e-9)


def test_update_ratios_are_of_single_steps(digits):
    """An epoch of one batch is one step: the change of W over the 16th, beside W."""
    seen = []

    class Remembering(gn.Callback):
        def on_epoch_end(self, run):
            seen.append(run.network.W[0].copy())

    net = gn.Network([64, 10], seed=0)
    options = {"optimizer": "sgd(0.1)", "epochs": 16, "samples_per_epoch": 128, "callbacks": [Remembering()]}
    run = gn.fit(net, digits, progress=False, **options)
    change = np.linalg.norm(seen[15] - seen[14]) / np.linalg.norm(seen[15])
    assert [one.step for one in run.health.vitals] == [0, 16]
    assert run.health.vitals[1].layers[0].update_ratio == pytest.approx(change, rel=1e-5)


def test_the_history_has_columns_for_it(digits, long_run):
    run = long_run
    dead = run.history["dead_units"]
    assert None in dead
    assert any(value is not None for value in dead)
    assert History.from_csv(run.history.to_csv())["update_ratio"] == run.history["update_ratio"]
    examined = [record for record in run.history if record.gradient_norm is not None]
    by_step = {vitals.step: vitals for vitals in run.health.vitals}
    steps = -(-len(digits.train.y) // 32)
    for record in examined:
        vitals = by_step[record.epoch * steps]
        assert record.gradient_norm == vitals.gradient_norm
        assert record.dead_units == sum(len(layer.dead) for layer in vitals.hidden)


def test_a_healthy_network_is_no_warning(digits):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = fitted(digits)
    assert str(run.health) == "healthy"
    assert not run.health.sick


def test_what_will_not_heal_is_said_while_it_learns(digits):
    seen = []

    class Watch(gn.Callback):
        def on_epoch_end(self, run):
            seen.append(len(caught))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net = gn.Network([64, 24, 10], initializer="zeros")
        gn.fit(net, digits, epochs=3, batch_size=32, callbacks=[Watch()], progress=False)
    assert issubclass(caught[0].category, HealthWarning)
    assert seen[0] >= 1  # at the end of the first epoch it has been said
    assert "duplicated-units (layer 1, from the start)" in str(caught[0].message)
    kinds = [str(one.message).split()[0] for one in caught]
    assert len(kinds) == len(set(kinds))  # each once


@pytest.mark.parametrize("options", [{}, {"samples_per_epoch": 5 * 32}], ids=["", "the next step is examined"])
def test_a_resumed_run_is_as_healthy(digits, tmp_path, no_waiting_for_the_disk, options):
    """After 3 epochs of 5 steps, what is known of the 16th step needs the parameters of the 15th."""
    whole = fitted(digits, **options)

    class Fail(gn.Callback):
        def on_epoch_end(self, run):
            if len(run.history) == 3:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fitted(digits, run_dir=tmp_path / "cut", checkpoint_every=1, callbacks=[Fail()], **options)
    resumed = gn.resume(tmp_path / "cut", digits, progress=False)
    assert resumed.health == whole.health
    assert resumed.history["update_ratio"] == whole.history["update_ratio"]


def test_the_folder_keeps_what_was_found(digits, tmp_path):
    run = fitted(digits, run_dir=tmp_path / "run")
    record = json.loads((tmp_path / "run" / "health.json").read_text())
    assert record == run.health.to_dict()
    assert record["sick"] is False
    assert RunFolder(tmp_path / "run").health() == run.health
    assert repr(run.health) == f"<Health: healthy, {len(run.health.vitals)} examinations>"


def test_divergence_says_layer_step_cause_and_remedy(digits):
    net = gn.Network([64, 24, 16, 10], activation="identity")
    with pytest.raises(gn.DivergenceError) as caught:
        gn.fit(net, digits, optimizer="sgd(1e4)", epochs=3, progress=False)
    found = caught.value.run.health.diagnoses[0]
    assert found.kind == "divergence"
    assert found.layer in (1, 2, 3)
    assert found.since >= 1
    assert OPTIMIZERS.resolve(found.remedy.changes["training"]["optimizer"]).learning_rate <= 0.1
    assert str(found.cause) in str(caught.value)
    assert str(found.remedy) in str(caught.value)


def test_class_weights_count_in_what_a_constant_answer_costs():
    data = gn.load_dataset("breast-cancer")
    run = gn.fit(
        gn.Network([30, 8, 2]), data, class_weight={"benign": 9, "malignant": 1}, epochs=60, progress=False
    )
    assert not run.health.sick


def test_a_record_has_none_for_what_is_not_finite_and_english_for_messages():
    found = in_json({"loss": float("nan"), "units": (1, 2), "found": Message("none")})
    assert found == {"loss": None, "units": [1, 2], "found": "none"}


# The schedule of examinations, and what a monitor keeps, without training.


def monitor_of(
    *, n=200, drawn=200, steps=10, batch_size=32, weights=None, net=None, far=0.0, validation=20, quiet=False
):
    """A monitor of a network on rows of two columns; those that no epoch draws lie far away."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 2))
    X[drawn:] += far
    y = X @ [1.0, -2.0]
    parts = Split(X, y), Split(X[:validation], y[:validation]), Split(X[:0], y[:0])
    data = gn.Dataset("made", *parts, Schema.learn(X, y))
    net = net or gn.Network([2, 4, 1], "tanh", loss="half_squared_error", dtype="float64")
    rows, targets = net.check_data(*data.encoded.train)
    update = Update(gn.Adam())
    state = update.start(net.parameters)
    context = StepContext(net, update, state, rows, targets, weights, (0, 0, 0), batch_size, 0, np.ones_like)
    return monitor.Monitor(context, TrainingConfig(), data, drawn, steps, quiet=quiet)


@pytest.mark.parametrize("steps", [1, 4, 100])
@pytest.mark.parametrize("done", [0, 1, 3, 4, 9, 10, 16, 20, 62, 63, 64, 255, 269])
def test_no_piece_of_work_passes_by_an_examination_or_the_step_before_it(done, steps):
    """An epoch has 10 steps; early ones are 1, 4, 16, 64."""
    one = monitor_of()
    room = one.room(done, steps)
    assert [step for step in range(done + 1, done + room) if one.wants(step)] == []
    assert one.wants(done + room) or room == min(steps, 10 - done % 10)


def test_a_piece_of_work_ends_before_an_early_examination():
    one = monitor_of()
    assert [one.room(done, 100) for done in (0, 1, 3, 4, 10, 60, 63, 64)] == [1, 2, 1, 6, 10, 3, 1, 6]


@pytest.mark.parametrize(
    ("steps", "batch_size", "last", "early", "late"),
    [
        (
            128,
            32,
            1600,
            monitor.EARLY,
            [512, 768, 1280, 1536],
        ),  # 256 steps of 32 rows: 64 times the 128 probed
        (128, 31, 1600, monitor.EARLY, [640, 1408]),  # 265 steps
        (100, 32, 1600, monitor.EARLY, [600, 900, 1300, 1600]),
        (3, 2, 30, [1], []),
        (1, 64, 70, [16, 64], []),  # 16 steps of 64 rows are 8 times the probe's
        (1, 63, 70, [64], []),
        (4, 2, 70, [1], []),
        (5, 2, 70, [1, 4], []),
    ],
)
def test_it_is_examined_early_and_then_once_in_so_many_rows(steps, batch_size, last, early, late):
    watched = monitor_of(steps=steps, batch_size=batch_size)
    watched.examine = lambda done: watched.vitals.append(vitals(done))
    kept = []
    for done in range(1, last + 1):
        if watched.wants(done):
            watched.look(done)
            kept += [] if watched.theta is None else [done + 1]
    assert [one.step for one in watched.vitals] == sorted([0, *early, *late])
    # before each it is known what the last step moves; what is before the first is known
    assert kept == [one.step for one in watched.vitals if one.step > 1]


def test_a_probe_is_of_the_rows_that_are_drawn_with_their_weights():
    own = np.linspace(1, 2, 300)
    watched = monitor_of(n=300, drawn=150, far=1000.0, weights=own)
    places = evenly_spread(150, monitor.ROWS)
    probe, targets = watched.probe, watched.context.targets
    assert (watched.context.X[places] == probe.X).all()
    assert (probe.targets == targets[places]).all()
    assert probe.weights == pytest.approx(own[places] / own[places].mean())
    assert watched.baseline == Baseline.of(watched.context.network.loss, targets[:150], own[:150])
    assert watched.baseline.answer != Baseline.of(watched.context.network.loss, targets[:150]).answer


def test_a_row_of_the_history_counts_hidden_layers_and_only_of_its_own_step():
    watched = monitor_of()
    layers = (
        layer(1, dead=(0, 1), saturated=(2,)),
        layer(2, saturated=(0, 1), update_ratio=0.5),
        layer(3, 1, dead=(0,)),
    )
    watched.vitals.append(vitals(40, layers=layers))
    assert watched.columns(40) == {
        "dead_units": 2,
        "saturated_units": 3,
        "gradient_norm": pytest.approx(np.sqrt(0.75)),
        "update_ratio": 0.5,
    }
    assert watched.columns(50) == {}


def test_the_end_is_examined_once_and_not_after_divergence():
    watched = monitor_of()
    watched.end(7)
    watched.end(7)
    assert [one.step for one in watched.vitals] == [0, 7]
    assert watched.vitals[-1].update_ratio is None
    watched.diverged(9, 2)
    watched.end(9)
    assert (watched.vitals[-1].step, watched.divergence) == (7, (9, 2))


def test_nobody_is_warned_so_the_network_is_examined_later(monkeypatch):
    """As it was then; and before so much of it is kept that this takes memory."""
    quiet, usual = monitor_of(quiet=True), monitor_of()
    for watched in (quiet, usual):
        theta = watched.context.network.theta
        for done in (1, 4):
            theta += 0.1
            watched.look(done - 1)
            theta += 0.1
            watched.look(done)
        watched.end(7)
        theta[:] = np.nan
    assert (quiet.vitals, quiet.examined) == ([], 7)
    found = quiet.health_later([])()
    assert found.vitals == tuple(usual.vitals)
    assert found == usual.health([], usual.context.network, warn=False, trials=False)
    assert quiet.state_dict()["vitals"] == usual.state_dict()["vitals"]
    assert quiet.columns(7) == {} != usual.columns(7)  # whatever has been examined by now
    again = monitor_of(quiet=True)
    again.load_state_dict(usual.state_dict() | {"vitals": usual.vitals})
    assert ([one.step for one in again.vitals], again.examined) == ([0, 1, 4, 7], 7)
    monkeypatch.setattr(monitor, "KEPT_BYTES", 2 * 3 * theta.nbytes)
    watched = monitor_of(quiet=True)
    for done in (1, 2, 3, 4):
        watched.examine(done)
    assert ([one.step for one in watched.vitals], watched.examined, watched.columns(4)) == ([0, 1, 2, 3], 4, {})


def lagging(*, step=50, off=100.0, **options):
    net = gn.Network([2, 4, 1], "tanh", loss="half_squared_error", dtype="float64", batch_norm=True)
    watched = monitor_of(net=net, n=300, drawn=150, far=1000.0, **options)
    watched.vitals.append(vitals(step))
    net.parameters.statistics[:] = off
    watched.mend_statistics(net)
    return watched, net


@pytest.mark.parametrize("step", [49, 50])
def test_statistics_that_lag_are_measured_on_rows_that_are_drawn(step):
    watched, net = lagging(step=step)
    assert (watched.lag is None) == (step < 50)
    if step == 50:
        mended = net.parameters.statistics.copy()
        net.measure_statistics(watched.context.X[:150])
        np.testing.assert_allclose(mended, net.parameters.statistics, rtol=1e-12)
        in_training, now = watched.probe.losses(net)
        assert (watched.lag.in_training, watched.lag.after) == (pytest.approx(in_training), pytest.approx(now))
        assert watched.lag.before > watched.lag.after
    else:
        assert (net.parameters.statistics == 100).all()


@pytest.mark.parametrize(
    ("before", "in_training", "after", "lags"),
    [
        (0.301, 0.1, 0.2, True),  # a tenth of the 2 that there is to learn
        (0.299, 0.1, 0.2, False),
        (4.41, 4.0, 0.2, True),  # a tenth of what the loss is
        (4.39, 4.0, 0.2, False),
        (0.301, 0.1, 0.302, False),
        (0.1, 0.301, 0.05, False),
    ],
)
def test_statistics_lag_where_prediction_costs_a_tenth_more(before, in_training, after, lags):
    net = gn.Network([2, 4, 1], loss="half_squared_error", dtype="float64", batch_norm=True)
    watched = monitor_of(net=net)
    watched.vitals.append(vitals(50))
    watched.baseline = Baseline((0.0,), 2.5, 0.5, -1, 1)
    kept, losses = net.parameters.statistics.copy(), iter([(in_training, before), (in_training, after)])
    watched.probe.losses = lambda network: next(losses)
    watched.mend_statistics(net)
    assert watched.lag == ((in_training, before, after) if lags else None)
    assert (net.parameters.statistics == kept).all() == (not lags)


def test_health_is_judged_by_all_that_was_seen(monkeypatch):
    seen = []
    monkeypatch.setattr(monitor, "prescribe", lambda evidence, found: seen.append(evidence) or [])
    watched = monitor_of(n=300, drawn=150, steps=5, batch_size=30, validation=24)
    watched.end(37)
    watched.health([], watched.context.network, warn=False)
    (found,) = seen
    assert (found.step_rows, found.drawn, found.rows, found.new_rows, found.epoch_steps) == (30, 150, 300, 24, 5)
    assert [one.step for one in found.vitals] == [0, 37]
    assert (found.trials.taken, found.trials.step_rows, found.trials.sample.new) == (37, 30, 24)
    assert found.trials.ended == pytest.approx(found.trials.sample.costs_of(watched.context.network))
    watched.diverged(40, None)
    watched.health([], watched.context.network, warn=False)
    assert np.isinf(seen[1].trials.ended).all()


@pytest.mark.parametrize(("steps", "right"), [((0, 1, 4), True), ((0, 4, 4), False), ((0, 4, 1), False)])
def test_examinations_of_a_record_rise_in_their_steps(steps, right):
    record = json.dumps({"diagnoses": [], "vitals": in_json([vitals(step) for step in steps])})
    if right:
        assert len(adapter_of(monitor.Health).validate_json(record, strict=True).vitals) == 3
    else:
        with pytest.raises(ValidationError, match="expected steps that rise"):
            adapter_of(monitor.Health).validate_json(record, strict=True)


def test_examinations_of_a_record_are_of_one_network():
    wider = vitals(4, layers=(layer(1, 5), layer(2), layer(3, 1)))
    record = json.dumps({"diagnoses": [], "vitals": in_json([vitals(0), wider])})
    with pytest.raises(ValidationError, match="expected the same layers and outputs at each step"):
        adapter_of(monitor.Health).validate_json(record, strict=True)
