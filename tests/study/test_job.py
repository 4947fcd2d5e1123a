"""A run of a study, in this process."""

import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
from tests.study.studies import done, points, small, timeless

from glassnet.data.registry import load_dataset
from glassnet.data.splits import Split
from glassnet.errors import FileError, HealthWarning
from glassnet.nn.optimizers import OPTIMIZERS
from glassnet.runtime.files import lock_file
from glassnet.study import job as study_job
from glassnet.study.design import change_config
from glassnet.study.fairness import split_fingerprint
from glassnet.study.job import Job, TimeLimit, perform
from glassnet.study.likeness import Beginning
from glassnet.study.results import read_row
from glassnet.training.callbacks import Callback
from glassnet.training.config import load_config
from glassnet.training.health.diagnosis import Diagnosis
from glassnet.training.history import EpochRecord, History
from glassnet.training.metrics import predict_rows, pseudo_values
from glassnet.training.model_file import load_model
from glassnet.training.run import run

pytestmark = pytest.mark.filterwarnings("error")

DIGITS = load_dataset("digits")


@pytest.fixture
def job(tmp_path):
    """``job(**changes)``: a run of the base with other values for dotted keys."""
    (tmp_path / "rows").mkdir()

    def make(seconds=None, **changes):
        config = change_config(small().base, {key.replace("__", "."): value for key, value in changes.items()})
        config = config.model_copy(update={"seed": 1})
        return Job("base", {"optimizer": "adam"}, 1, config, tmp_path, "base_seed-1", "train_loss", seconds)

    return make


class Cut(Callback):
    """Stops a run after its first epoch, as a power cut would."""

    def on_epoch_end(self, run):
        raise RuntimeError("cut")


def test_a_factor_of_learning_rates_reaches_the_runs(tmp_path):
    study = small(factors={"learning_rate": {"levels": [0.01, 0.1]}}, seeds=1)
    done(study, tmp_path)
    configs = [load_config(path / "config.toml") for path in sorted((tmp_path / "runs").iterdir())]
    rates = [OPTIMIZERS.resolve(config.training.optimizer).learning_rate for config in configs]
    assert rates == [0.01, 0.1]


def test_a_row_says_what_the_run_says(job):
    one = job()
    row = perform(one, DIGITS)
    same = run(one.config, DIGITS, progress=False)
    last = same.history.last
    assert read_row(one.row_path) == row
    assert (row.variant, row.levels, row.seed, row.status) == ("base", {"optimizer": "adam"}, 1, "finished")
    assert row.measures == {
        "train_loss": last.train_loss,
        "train_accuracy": last.train_accuracy,
        "validation_loss": last.validation_loss,
        "validation_accuracy": last.validation_accuracy,
    }
    begin = Beginning.of_run(one.config, DIGITS)
    assert (row.weights, row.order, row.masks) == (begin.weight_hash, begin.order_hash, begin.mask_hash)
    assert len({row.weights, row.order, row.masks, ""}) == 4
    assert row.parameters == 64 * 12 + 12 + 12 * 10 + 10
    assert row.flops == 2 * 1318 * (4 * 64 * 12 + 6 * 12 * 10)
    assert row.seconds > 0
    assert row.folder == "runs/base_seed-1"
    assert row.problem == ""
    assert load_model(one.folder / row.folder).network.fingerprint() == same.network.fingerprint()


def test_measures_are_those_of_the_epoch_that_was_chosen(job):
    one = job(training__epochs=12, training__optimizer="sgd(2.0)", training__early_stopping="patience(3)")
    row = perform(one, DIGITS)
    with warnings.catch_warnings(action="ignore"):
        same = run(one.config, DIGITS, progress=False)
    assert same.best_epoch < len(same.history)
    assert row.measures["validation_loss"] == min(same.history["validation_loss"])
    assert row.flops == len(same.history) * 1318 * (4 * 64 * 12 + 6 * 12 * 10)


def test_a_finished_run_is_not_repeated(job):
    one = job()
    row = perform(one, DIGITS)
    model = one.run_dir / "model.safetensors"
    one.row_path.unlink()
    assert perform(one, DIGITS, [Cut()]) == row  # no epoch is told of
    assert read_row(one.row_path) == row
    assert model.exists()


def test_a_run_that_was_cut_goes_on(job):
    one = job(training__epochs=4)
    with pytest.raises(RuntimeError, match="cut"):
        perform(one, DIGITS, [Cut()])
    assert not one.row_path.exists()
    told = []

    class Count(Callback):
        def on_epoch_end(self, run):
            told.append(run.history.last.epoch)

    row = perform(one, DIGITS, [Count()])
    assert told == [2, 3, 4]
    theta = load_model(one.run_dir).network.theta
    shutil.rmtree(one.run_dir)
    assert timeless([perform(one, DIGITS)]) == timeless([row])
    assert np.array_equal(load_model(one.run_dir).network.theta, theta)


def test_a_run_that_is_to_begin_anew_does(job):
    one = job()
    with pytest.raises(RuntimeError, match="cut"):
        perform(one, DIGITS, [Cut()])
    (one.run_dir / "checkpoint.safetensors").write_bytes(b"nonsense")
    with pytest.raises(FileError):
        perform(one, DIGITS)
    assert perform(one, DIGITS, restart=True).status == "finished"


def test_a_folder_without_a_run_is_thrown_away(job):
    one = job()
    one.run_dir.mkdir(parents=True)
    (one.run_dir / "model.safetensors").write_bytes(b"half of")
    assert perform(one, DIGITS).status == "finished"


def test_a_folder_that_is_held_is_waited_for(job, monkeypatch):
    one = job()
    perform(one, DIGITS)
    monkeypatch.setattr(study_job, "LOCK_SECONDS", 0.2)
    with lock_file(one.run_dir / ".lock"), pytest.raises(FileError, match="is in use"):
        perform(one, DIGITS)


def test_divergence_is_a_row_with_its_health(job):
    one = job(training__optimizer="sgd(1e38)", network__activation="identity", network__loss="half_squared_error")
    row = perform(one, DIGITS)
    assert row.status == "diverged"
    assert "divergence" in [found["kind"] for found in row.health]
    assert row.problem.startswith("epoch 1, step ")
    assert row.weights == Beginning.of_run(one.config, DIGITS).weight_hash
    assert read_row(one.row_path) == row


def test_warnings_are_in_the_row(job):
    class Warn(Callback):
        def on_epoch_end(self, run):
            warnings.warn("the disk\n is nearly full", stacklevel=1)
            warnings.warn("dead", HealthWarning, stacklevel=1)

    row = perform(job(), DIGITS, [Warn()])
    warned = [found for found in map(Diagnosis.from_dict, row.health) if found.kind == "warning"]
    assert [(found.sick, str(found.cause)) for found in warned] == [(False, "the disk is nearly full")]


def test_a_sick_run_says_so_without_a_warning(job):
    row = perform(job(network__initializer="zeros", training__epochs=12), DIGITS)
    assert row.health[0]["kind"] == "duplicated-units"
    assert row.health[0]["sick"] is True


def test_a_budget_of_seconds_ends_with_the_epoch(job):
    row = perform(job(seconds=1e-9, training__epochs=50), DIGITS)
    assert row.status == "finished"
    assert row.flops == 1318 * (4 * 64 * 12 + 6 * 12 * 10)
    limit, history, asked = TimeLimit(3.0), History(), []
    for epoch, seconds in enumerate((1.0, 1.5, 0.5), start=1):
        history.append(EpochRecord(epoch, 0.5, None, None, None, 0.1, seconds, 1))
        asked.append(limit.on_epoch_end(type("Run", (), {"history": history})))
    assert asked == [None, None, "3 seconds"]


def test_an_end_that_is_not_saved_is_no_row(job, monkeypatch):
    one = job()
    perform(one, DIGITS)
    one.row_path.unlink()
    unsaved = replace(run(one.config, DIGITS, progress=False), unsaved=FileError("model", "cannot be written"))
    monkeypatch.setattr(study_job, "resume", lambda *arguments, **options: unsaved)
    with pytest.raises(FileError, match="model: cannot be written"):
        perform(one, DIGITS)
    assert not one.row_path.exists()


def test_the_test_rows_are_not_touched(job):
    class Closed:
        def __getattr__(self, *names):
            raise AssertionError("the test rows were looked at")

        __iter__ = __len__ = __getitem__ = __array__ = __getattr__

    closed = replace(DIGITS, test=Split(Closed(), Closed()))
    for look in (lambda: closed.encoded.test, lambda: len(closed.test.y), lambda: closed.test.take(0)):
        with pytest.raises(AssertionError, match="looked at"):
            look()
    assert perform(job(), closed).status == "finished"


def test_a_row_knows_what_it_was_judged_on(job):
    """Groups of the validation rows and the constant answer, by the network as it was saved."""
    plan = replace(job(training__ema=0.9), measure="validation_accuracy")
    row = perform(plan, DIGITS)
    assert (row.training_rows, row.validation_rows) == (1318, 120)
    assert row.split == split_fingerprint(DIGITS) != split_fingerprint(load_dataset("digits", split_seed=1))
    predictions = predict_rows(load_model(plan.run_dir).network, DIGITS.validation)
    assert row.groups == {"validation_accuracy": pseudo_values(predictions, "accuracy")}
    assert np.mean(row.groups["validation_accuracy"]) == pytest.approx(row.measures["validation_accuracy"])
    most = np.bincount(DIGITS.train.y).argmax()
    assert row.constant == {"validation_accuracy": pytest.approx(np.mean(DIGITS.validation.y == most))}


def test_measures_of_training_rows_have_no_groups(job):
    row = perform(job(), DIGITS)
    assert (row.groups, row.constant) == ({}, {})


def test_the_constant_answer_of_numbers_is_their_mean(tmp_path):
    data = load_dataset("diabetes")
    base = {"data": {"dataset": "diabetes", "split_seed": 0}, "training": {"epochs": 1, "kernels": "numpy"}}
    factors = {"optimizer": {"levels": ["adam", "sgd(0.1)"]}}
    study = small(base=base, factors=factors, measure="validation_r2", seeds=1)
    row = done(study, tmp_path)[0]
    apart = data.validation.y - np.mean(data.train.y)
    expected = 1 - (apart**2).sum() / ((data.validation.y - data.validation.y.mean()) ** 2).sum()
    assert row.constant["validation_r2"] == pytest.approx(expected, abs=1e-5)
    assert len(row.groups["validation_r2"]) == 20


def test_a_measure_that_needs_all_groups_leaves_them_out(tmp_path):
    """The AUC needs rows of every class, and here each class has one validation row."""
    base = {"data": {"dataset": points(tmp_path), "validation": 10}, "training": {"epochs": 1, "kernels": "numpy"}}
    study = small(base=base, measure="validation_auc", seeds=1)
    row = done(study, tmp_path / "study")[0]
    assert (row.status, row.groups, row.constant) == ("finished", {}, {"validation_auc": 0.5})


def test_a_run_that_pauses_goes_on_as_if_it_had_not(job, tmp_path):
    """After its first epoch, with an average, a schedule and dropout; its row tells of the averaged network."""
    made = job(training__epochs=3, training__ema=0.9, training__schedule="one_cycle")
    first = perform(replace(made, until=1, measure="validation_accuracy"), DIGITS)
    assert (first.status, len(first.groups["validation_accuracy"])) == ("finished", 20)
    assert np.mean(first.groups["validation_accuracy"]) == pytest.approx(first.measures["validation_accuracy"])
    assert first.flops == pytest.approx(perform(replace(made, until=2), DIGITS).flops / 2)
    last = perform(made, DIGITS)
    whole = run(made.config, DIGITS, run_dir=tmp_path / "whole", progress=False)
    model = "model.safetensors"
    assert (made.run_dir / model).read_bytes() == (tmp_path / "whole" / model).read_bytes()
    assert last.measures["validation_loss"] == whole.history.last.validation_loss
    assert sorted(path.name for path in (tmp_path / "rows").iterdir()) == [
        "base_seed-1.json",
        "base_seed-1_epochs-1.json",
        "base_seed-1_epochs-2.json",
    ]


def test_a_run_beyond_its_pause_without_a_row_gets_the_row_of_the_pause(job):
    paused = replace(job(training__epochs=3, training__ema=0.9, training__schedule="one_cycle"), until=1)
    row = perform(paused, DIGITS)
    for further in (paused, replace(paused, until=None)):
        perform(further, DIGITS)
        paused.row_path.unlink()
        assert timeless([perform(paused, DIGITS)]) == timeless([row])
