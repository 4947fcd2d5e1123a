"""Networks are examined when they are to be, and learn as if they were not."""

import itertools
import json
import warnings

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import HealthWarning
from glassnet.locales.catalogue import Message
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.training.health import monitor
from glassnet.training.health.diagnosis import in_json
from glassnet.training.history import History
from glassnet.training.run_folder import RunFolder


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
    assert len(plain) > 4
    for one, other in zip(plain, compiled, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-9)
        assert (one.update_ratio or 0) == pytest.approx(other.update_ratio or 0, rel=1e-9)


def test_update_ratios_are_of_single_steps(digits):
    """An epoch of one batch is one step: the change of W over it, beside W."""
    net = gn.Network([64, 10], seed=0)
    before = net.W[0].copy()
    run = gn.fit(net, digits, optimizer="sgd(0.1)", epochs=1, samples_per_epoch=128, progress=False)
    change = np.linalg.norm(net.W[0] - before) / np.linalg.norm(net.W[0])
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
