"""A run that was stopped and resumed is the run that was not, bit for bit."""

import dataclasses
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import glassnet
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError, UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import SGD
from glassnet.training import trainer
from glassnet.training.archive import read_archive, write_archive
from glassnet.training.callbacks import Callback
from glassnet.training.config import load_config
from glassnet.training.fit import fit
from glassnet.training.model_file import load_model
from glassnet.training.results import DivergenceError, Interrupted
from glassnet.training.run import resume
from glassnet.training.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")

EPOCHS = 5


def images(seed=0):
    """Return 96 small images of three classes; 60 are learned from, three steps an epoch."""
    rng = np.random.default_rng(seed)
    y = np.arange(96) % 3
    X = rng.integers(0, 90, (96, 6, 6), np.uint8)
    X[np.arange(96), 1 + y, 2] = 220
    return Dataset.from_arrays(X.reshape(96, 36), y, image_shape=(6, 6), validation=16)


@pytest.fixture(scope="module")
def data():
    return images()


def network(**options):
    return Network([36, 7, 3], "tanh", seed=2, **options)


def begin(data, folder, *, net=None, **options):
    options = {"epochs": EPOCHS, "batch_size": 25, "seed": 4, "kernels": "numpy", "progress": False, **options}
    return fit(network(**(net or {})), data, run_dir=folder, **options)


class Stopping(Callback):
    """In place of the progress bar, and as a callback: stops the run somewhere.

    `at` is a number of pieces of work, each a step, after which Ctrl-C comes; or negative: an error at the end of
    that epoch, before the next.
    """

    def __init__(self, at):
        self.at, self.pieces, self.skipped = at, 0, None

    def bar(self, *_, **__):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_): ...

    def skip(self, steps):
        self.skipped = steps

    def epoch(self, record): ...

    def step(self, epoch, steps):
        self.pieces += 1
        if self.pieces == self.at:
            os.kill(os.getpid(), signal.SIGINT)

    def on_epoch_end(self, run):
        if len(run.history) == 1 - self.at:
            raise RuntimeError("killed")


@pytest.fixture
def stopped(monkeypatch):
    """``stopped(at, begin, ...)`` runs it till it is stopped."""

    def run(at, start, *arguments, **options):
        stopping = Stopping(at)
        with monkeypatch.context() as patch:
            patch.setattr(trainer, "PIECE", 0.0)
            patch.setattr(trainer, "TRIAL", 0.0)
            patch.setattr(trainer, "TrainingProgress", stopping.bar)
            with pytest.raises((Interrupted, RuntimeError)):
                start(*arguments, callbacks=[stopping], **options)
        return stopping

    return run


def exactly(value):
    """Return a state with arrays as their bytes, so that == means equal bit for bit."""
    if isinstance(value, dict):
        return {name: exactly(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exactly(part) for part in value]
    return value.tobytes() if isinstance(value, np.ndarray) else value


def all_of(run):
    """Return everything that a run is, but its time and threads."""
    checkpoint = RunFolder(run.folder).checkpoint()
    saved = load_model(run.folder).network
    return {
        "theta": run.network.theta.tobytes(),
        "statistics": run.network.parameters.statistics.tobytes(),
        "model": (saved.theta.tobytes(), saved.parameters.statistics.tobytes()),
        "state": exactly({name: checkpoint[name] for name in checkpoint if name not in ("history", "seconds")}),
        "history": [dataclasses.replace(record, seconds=0.0, threads=0) for record in run.history],
        "saved history": [record.row()["train_loss"] for record in RunFolder(run.folder).history()],
        "end": (run.stopped, run.best_epoch),
    }


OPTIMIZERS = ("sgd(0.2)", "adamw(0.02)", "muon", "kfac", "lbfgs(iterations=2)")
SCHEDULES = ("one_cycle", "plateau(patience=0, threshold=0.2)", "cosine(warmup=4)")
ENDS = (
    {"ema": 0.8, "early_stopping": "patience(4, min_delta=0.02)"},
    {"average_epochs": 5},
    {"early_stopping": "patience(2, monitor=accuracy)", "metrics": ["f1"]},
)
NETWORKS = (
    {"net": {"batch_norm": True, "dropout": 0.3}},
    {"net": {"dropout": 0.2}, "augmentation": "shift(1) + flip + erase(0.5)"},
)


def grid():
    """Yield what fits together: K-FAC knows no batch normalisation, L-BFGS no schedule and no dropout either."""
    for optimizer in OPTIMIZERS:
        quasi_newton = optimizer.startswith("lbfgs")
        for schedule in ("constant",) if quasi_newton else SCHEDULES:
            for end in ENDS[1:] if quasi_newton else ENDS:
                for kind in NETWORKS[1:] if optimizer in ("kfac",) or quasi_newton else NETWORKS:
                    options = {"optimizer": optimizer, "schedule": schedule, **end, **kind}
                    if quasi_newton:
                        options |= {"net": {}, "batch_size": None}
                    yield pytest.param(options, id=f"{optimizer} {schedule} {next(iter(end))} {[*kind][-1]}")


@pytest.mark.parametrize("options", list(grid()))
def test_a_resumed_run_is_the_run_that_was_not_stopped(data, tmp_path, stopped, options):
    expected = all_of(begin(data, tmp_path / "whole", **options))
    # In the middle of the second epoch, at its last batch, and by an error after the third.
    for at in (2, -2) if options["optimizer"].startswith("lbfgs") else (5, 6, -2):
        folder = tmp_path / f"stopped at {at}"
        stopped(at, begin, data, folder, checkpoint_every=1, **options)
        assert 0 < len(RunFolder(folder).history()) <= (3 if at == -2 else 2)
        assert all_of(resume(folder, data, progress=False)) == expected


@pytest.mark.parametrize("optimizer", ["momentum(0.1)", "adam(0.02)"])
def test_a_run_that_is_stopped_at_every_step_is_the_same(data, tmp_path, stopped, optimizer):
    options = {"optimizer": optimizer, "schedule": "one_cycle", "net": {"batch_norm": True, "dropout": 0.3}}
    options |= {"ema": 0.7, "augmentation": "shift(1)", "epochs": 3, "early_stopping": "patience(9)"}
    expected = all_of(begin(data, tmp_path / "whole", **options))
    folder = tmp_path / "run"
    assert stopped(1, begin, data, folder, **options).skipped == 0
    for step in range(1, 9):  # the ninth is the last one; a signal after it finds one more piece to interrupt
        assert stopped(1, resume, folder, data).skipped == step
    assert all_of(resume(folder, data, progress=False)) == expected


def test_weights_of_rows_and_classes_and_smoothing_go_on(data, tmp_path, stopped):
    options = {
        "sample_weight": (np.arange(len(data.train.y)) % 4).tolist(),
        "class_weight": {"0": 2.0},
        "label_smoothing": 0.1,
        "samples_per_epoch": 50,
        "clip_norm": 0.5,
        "max_norm": 1.0,
        "l1": 0.001,
        "weight_decay": 0.01,
    }
    expected = all_of(begin(data, tmp_path / "whole", **options))
    plain = begin(data, tmp_path / "plain", **options | {"sample_weight": None})
    stopped(3, begin, data, tmp_path / "run", **options)
    run = resume(tmp_path / "run", data, progress=False)
    assert all_of(run) == expected != all_of(plain)
    assert run.config.sample_weight == load_config(tmp_path / "whole" / "config.toml").sample_weight


@pytest.mark.usefixtures("compiled_code")
def test_a_compiled_run_goes_on_compiled(data, tmp_path, stopped):
    # What `test_fit_options` compiles as well, so that the session compiles it once.
    options = {"kernels": "numba", "threads": 1, "net": {"batch_norm": True, "dropout": 0.3}}
    options |= {"schedule": "one_cycle", "augmentation": "shift(1)", "ema": 0.8, "max_norm": 1.0, "clip_norm": 5.0}
    options |= {"clip_value": 0.5, "l1": 1e-4, "l2": 1e-3, "weight_decay": 0.01, "class_weight": {"0": 2.0}}
    expected = all_of(begin(data, tmp_path / "whole", **options))
    for at in (5, 6, -2):
        stopped(at, begin, data, tmp_path / str(at), checkpoint_every=1, **options)
        run = resume(tmp_path / str(at), data, progress=False)
        assert run.config.environment["kernels"] == "numba"
        assert all_of(run) == expected


@pytest.mark.usefixtures("compiled_code")
def test_the_kernels_of_auto_are_those_that_the_run_had(data, tmp_path, stopped, monkeypatch):
    from glassnet.training import engine

    expected = all_of(begin(data, tmp_path / "whole", kernels="auto"))
    stopped(4, begin, data, tmp_path / "run", kernels="auto")
    monkeypatch.setattr(engine, "WORTH_COMPILING", 0)
    run = resume(tmp_path / "run", data, progress=False)
    assert run.config.environment["kernels"] == "numpy"
    assert all_of(run) == expected


def test_a_run_that_began_compiled_is_not_resumed_where_nothing_can_be_compiled(
    data, tmp_path, stopped, monkeypatch
):
    stopped(4, begin, data, tmp_path / "run", kernels="numpy")
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text().replace('kernels = "numpy"', 'kernels = "numba"'))
    monkeypatch.setattr("glassnet.training.engine.vector_bytes", lambda: 0)
    with pytest.raises(
        FileError, match="no fused multiply-adds; the run began with compiled steps; resume it where"
    ):
        resume(tmp_path / "run", data, progress=False)


def test_callbacks_of_a_resumed_run_are_told_of_the_rest(data, tmp_path, stopped):
    seen = []

    class Noting(Callback):
        def on_train_begin(self, run):
            seen.append(("begin", len(run.history), run.folder))

        def on_epoch_end(self, run):
            seen.append(run.history.last.epoch)

        def on_train_end(self, run):
            seen.append(run.stopped)

    stopped(7, begin, data, tmp_path / "run")
    resume(tmp_path / "run", data, callbacks=[Noting()], progress=False)
    assert seen == [("begin", 2, tmp_path / "run"), 3, 4, 5, "epochs"]


def test_the_time_before_counts(data, tmp_path, stopped):
    stopped(4, begin, data, tmp_path / "run")
    checkpoint = RunFolder(tmp_path / "run").checkpoint()
    assert checkpoint["seconds"] > 0
    RunFolder(tmp_path / "run").save_checkpoint(checkpoint | {"seconds": 500.0})
    run = resume(tmp_path / "run", data, progress=False)
    assert run.history["seconds"][0] < 100
    assert 500 < run.history["seconds"][1] < 600
    assert run.history["seconds"][2] < 100


def test_a_resumed_run_that_diverges_goes_back_to_the_end_of_its_last_epoch(data, tmp_path, stopped, monkeypatch):
    two = begin(data, None, epochs=2, optimizer="sgd(0.2)")
    stopped(8, begin, data, tmp_path / "run", optimizer="sgd(0.2)")
    before = RunFolder(tmp_path / "run").checkpoint_path.read_bytes()
    monkeypatch.setattr(SGD, "rule", staticmethod(lambda theta, g, t, eta: (theta * np.nan,)))
    with pytest.raises(DivergenceError, match="The network is back at its state after epoch 2") as caught:
        resume(tmp_path / "run", data, progress=False)
    assert caught.value.run.network.fingerprint() == two.network.fingerprint()
    assert load_model(tmp_path / "run").network.fingerprint() == two.network.fingerprint()
    assert RunFolder(tmp_path / "run").checkpoint_path.read_bytes() == before  # it can be tried again


def test_resume_is_public_and_finds_its_data_itself(tmp_path, stopped):
    digits = glassnet.load_dataset("digits")
    options = {"epochs": 2, "progress": False}
    expected = fit(Network([64, 8, 10]), digits, **options)

    def start(folder, callbacks):
        fit(Network([64, 8, 10]), digits, run_dir=folder, callbacks=callbacks, epochs=2)

    stopped(3, start, tmp_path / "run")
    run = glassnet.resume(str(tmp_path / "run"), progress=False)
    assert run.network.fingerprint() == expected.network.fingerprint()
    assert run.network.class_names == digits.class_names
    assert run.network.initializer == "glorot_uniform"


# At the end, and beyond it


class Enough(Callback):
    def on_epoch_end(self, run):
        return "enough" if len(run.history) == 2 else None


ENDED = {
    "epochs": {},
    "early stopping": {"epochs": 60, "early_stopping": "patience(1, min_delta=0.5)"},
    "enough": {"callbacks": [Enough()]},
}


@pytest.mark.parametrize(("stopped_by", "options"), ENDED.items(), ids=ENDED)
def test_a_run_at_its_end_stays_as_it_is(data, tmp_path, stopped_by, options):
    average = {"ema": 0.8} if "early_stopping" in options else {"average_epochs": 2}
    run = begin(data, tmp_path / "run", **average, **options)
    assert run.stopped == stopped_by
    before, expected = RunFolder(run.folder).checkpoint_path.read_bytes(), all_of(run)
    for _ in range(2):
        again = resume(tmp_path / "run", data, progress=False)
        assert all_of(again) == expected
        assert list(again.history) == list(run.history)
        assert RunFolder(run.folder).checkpoint_path.read_bytes() == before


@pytest.mark.parametrize("options", [{}, {"early_stopping": "patience(1, min_delta=0.5)", "epochs": 60}], ids=str)
def test_a_process_that_dies_before_it_saves_the_last_model_has_not_lost_it(data, tmp_path, monkeypatch, options):
    expected = all_of(begin(data, tmp_path / "whole", **options))
    save, calls = RunFolder.save, []

    def dying(folder, network, history):
        calls.append(len(history))
        if len(calls) > 1:
            raise RuntimeError("killed")
        save(folder, network, history)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save", dying)
        with pytest.raises(RuntimeError, match="killed"):
            begin(data, tmp_path / "run", **options)
    assert len(RunFolder(tmp_path / "run").history()) == 0 < calls[1]
    assert all_of(resume(tmp_path / "run", data, progress=False)) == expected


def test_a_run_cannot_be_made_shorter_than_it_is(data, tmp_path):
    begin(data, tmp_path / "run")
    assert refused(UsageError, tmp_path / "run", data, epochs=4).startswith("epochs: the run has had 5 epochs")
    assert refused(UsageError, tmp_path / "run", data, epochs=0).startswith("epochs: ")


def test_a_run_that_was_stopped_within_an_epoch_is_not_at_the_end_of_the_one_before(data, tmp_path, stopped):
    """Its weights are those of the middle of the second epoch, and no end of the first."""
    stopped(5, begin, data, tmp_path / "run")
    assert len(RunFolder(tmp_path / "run").history()) == 1
    said = refused(UsageError, tmp_path / "run", data, epochs=1)
    assert said == "epochs: the run has had 1 epochs; ask for 2 or more"
    run = resume(tmp_path / "run", data, epochs=2, progress=False)
    assert all_of(run)["theta"] == all_of(begin(data, tmp_path / "whole", epochs=2))["theta"]


@pytest.mark.parametrize(
    "options", [{"net": {"batch_norm": True, "dropout": 0.2}}, {"ema": 0.8}, {"average_epochs": 2}], ids=str
)
def test_a_run_can_be_made_longer(data, tmp_path, stopped, options):
    """Where the schedule does not look at the end, it is then the longer run."""

    def all_but_what_was_measured_before(run):
        found, before = all_of(run), 3 if "average_epochs" in options else 0
        found["state"]["snapshots"] = run.snapshots.rows[before + 1 :].tobytes()
        return found | {"history": found["history"][before:]}

    expected = all_but_what_was_measured_before(begin(data, tmp_path / "whole", epochs=6, **options))
    begin(data, tmp_path / "finished", epochs=3, **options)
    run = resume(tmp_path / "finished", data, epochs=6, progress=False)
    assert all_but_what_was_measured_before(run) == expected
    assert run.config.training.epochs == load_config(tmp_path / "finished" / "config.toml").training.epochs == 6
    stopped(8, begin, data, tmp_path / "stopped", epochs=3, **options)
    again = resume(tmp_path / "stopped", data, epochs=6, progress=False)
    assert all_but_what_was_measured_before(again) == expected


def test_a_longer_run_that_is_stopped_goes_on_with_the_average_that_it_had(data, tmp_path, stopped):
    """The average begins once more with the longer run; that this is stopped and resumed changes nothing."""
    for name in ("whole", "cut"):
        begin(data, tmp_path / name, epochs=3, average_epochs=3)
    whole = resume(tmp_path / "whole", data, epochs=5, progress=False)
    stopped(-3, resume, tmp_path / "cut", data, epochs=5)
    assert len(RunFolder(tmp_path / "cut").history()) == 4
    assert all_of(resume(tmp_path / "cut", data, progress=False)) == all_of(whole)


def test_a_run_can_be_made_longer_and_a_schedule_is_that_of_the_longer_run(data, tmp_path):
    begin(data, tmp_path / "run", epochs=2, schedule="cosine", optimizer="sgd(0.5)")
    run = resume(tmp_path / "run", data, epochs=4, progress=False)
    # Of 12 steps, the ninth and the twelfth end the last two epochs.
    expected = [0.5 * (1 + np.cos(np.pi * (step - 1) / 12)) / 2 for step in (9, 12)]
    assert run.history["learning_rate"][2:] == pytest.approx(expected)


# What cannot be resumed


def refused(error, folder, *arguments, **options):
    before = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else None
    with pytest.raises(error) as caught:
        resume(folder, *arguments, progress=False, **options)
    assert "\n" not in str(caught.value)
    assert before is None or {path.name: path.read_bytes() for path in folder.iterdir()} == before
    return str(caught.value)


def test_other_data_are_refused_before_anything_changes(data, tmp_path, stopped):
    stopped(4, begin, data, tmp_path / "run")
    assert "X, y" in refused(DataError, tmp_path / "run", images(seed=1))
    X, y = (
        np.concatenate([split[place] for split in (data.train, data.validation, data.test)]) for place in (0, 1)
    )
    other_split = Dataset.from_arrays(X, y, validation=9)
    assert len(other_split.train.y) != len(data.train.y)
    refused(DataError, tmp_path / "run", other_split)


def test_a_standardised_run_goes_on_with_standardised_rows_only(data, tmp_path, stopped):
    folder, scaled = tmp_path / "run", data.scale("standard")
    whole = begin(scaled, tmp_path / "whole")
    stopped(4, begin, scaled, folder)
    assert 'scaling = "standard"' in refused(DataError, folder, data)
    assert load_model(folder).schema == scaled.schema != data.schema
    assert resume(folder, scaled, progress=False).network.fingerprint() == whole.network.fingerprint()


def test_arrays_of_a_program_have_to_be_given(data, tmp_path, stopped):
    stopped(4, begin, data, tmp_path / "run")
    assert "which only the Python program that made it can load" in refused(FileError, tmp_path / "run")


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "config.toml"])
@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\xff" * 9)])
def test_a_missing_or_damaged_file_is_named(data, tmp_path, stopped, name, damage):
    stopped(4, begin, data, tmp_path / "run")
    damage(tmp_path / "run" / name)
    message = refused(FileError, tmp_path / "run", data)
    missing = f"{tmp_path / 'run'}: is no run folder: it holds no config.toml"
    assert message.startswith(f"{tmp_path / 'run' / name}: ") or (name == "config.toml" and message == missing)


def test_a_folder_of_no_run_is_refused(data, tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        assert refused(FileError, folder, data) == f"{folder}: is no run folder: it holds no config.toml"


def test_a_checkpoint_of_another_run_is_refused(data, tmp_path, stopped):
    stopped(4, begin, data, tmp_path / "run", optimizer="sgd")
    stopped(4, begin, data, tmp_path / "other", optimizer="adam")
    (tmp_path / "other" / "checkpoint.safetensors").write_bytes(
        (tmp_path / "run" / "checkpoint.safetensors").read_bytes()
    )
    where = tmp_path / "other" / "checkpoint.safetensors"
    assert refused(DataError, tmp_path / "other", data) == (
        f"{where}: does not fit the run's configuration: optimizer: expected 2 vectors of memory, got 0"
    )


def without(*names):
    return lambda state: [state.pop(name) for name in names]


def both(*changes):
    return lambda state: [change(state) for change in changes]


def without_last_layer(state):
    for vitals in state["monitor"]["vitals"]:
        vitals["layers"].pop()


def setting(value, *place):
    def change(state):
        for key in place[:-1]:
            state = state[key]
        state[place[-1]] = value

    return change


BAD, ODD = "is no checkpoint of a run: ", "does not fit the run's configuration: "


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("watch"), f"{BAD}watch: is missing"),
        (setting(None, "seconds"), f"{BAD}seconds: input should be a valid number, got None"),
        (setting("1", "optimizer", "t"), f"{BAD}optimizer.t: input should be a valid integer, got '1'"),
        (
            setting(-1, "rows_done"),
            f"{BAD}rows_done: input should be greater than or equal to 0, got -1",
        ),
        (
            setting([0.5], "network", "theta"),
            f"{BAD}network.theta: input should be an instance of ndarray",
        ),
        (setting("epoch", "history"), f"{BAD}expected the columns epoch, train_loss"),
        (setting([], "monitor", "vitals"), f"{ODD}vitals: they are of another network"),
        (setting({}, "network", "config"), "describes no network: "),
        (
            setting(np.zeros(3), "average", "theta"),
            f"{ODD}average.theta: expected float32 of the shape (283,)",
        ),
        (
            setting(np.zeros((1, 283), "f"), "optimizer", "memory", 0),
            f"{ODD}optimizer.memory: expected float32",
        ),
        (
            setting(np.zeros(283), "monitor", "theta"),
            f"{ODD}theta: expected float32 of the shape (283,), got",
        ),
        (without_last_layer, f"{ODD}vitals: they are of another network"),
        (setting(np.full(283, np.nan, "f"), "average", "theta"), f"{ODD}average.theta: expected finite numbers"),
        (setting([], "best"), f"{ODD}best: expected theta and statistics"),
        (setting([np.zeros(2, "f")] * 2, "last_finite"), f"{ODD}last_finite: expected float32 of"),
        (setting({}, "generators"), f"{ODD}'shuffling'"),
        (setting({"bit_generator": "PCG64"}, "generators", "shuffling"), ODD),
        (setting(-1, "generators", "shuffling", "state", "state"), ODD),
        (setting(24, "rows_done"), f"{ODD}an epoch of 61 rows is not left after 24 of them"),
        (
            both(setting(75, "rows_done"), setting(75, "metrics", "rows")),
            f"{ODD}an epoch of 61 rows is not left after 75",
        ),
        (setting(0, "metrics", "rows"), f"{ODD}an epoch of 61 rows is not left after 25 of them"),
        (setting(99, "metrics", "correct"), f"{ODD}metrics: more predictions are right than there are"),
        (
            setting(5, "monitor", "vitals", -1, "step"),
            f"{ODD}monitor: it was examined after step 5, and has had 4",
        ),
        (setting(2, "watch", "best_epoch"), f"{ODD}watch: epoch 2 is the best of 1"),
        (setting(2, "snapshots", "every"), f"{ODD}snapshots: the last one is of epoch 2, of 1"),
        (
            setting(np.zeros((2, 9), "f"), "snapshots", "rows"),
            f"{ODD}snapshots: expected float32 of the shape (2, 283)",
        ),
        (setting(np.zeros((65, 283), "f"), "snapshots", "rows"), f"{ODD}snapshots: expected 64 at most, got 65"),
        (setting(-1.0, "schedule", "scale"), f"{ODD}schedule state: expected scale, best and waited"),
    ],
)
def test_a_checkpoint_with_another_value_is_refused_and_nothing_is_changed(data, tmp_path, stopped, change, said):
    """Whoever changes a value can write the checksum that goes with it."""
    stopped(4, begin, data, tmp_path / "run", ema=0.9, early_stopping="patience(3)", optimizer="momentum(0.1)")
    path = tmp_path / "run" / "checkpoint.safetensors"
    state = read_archive(path, "checkpoint", "")
    change(state)
    write_archive(path, "checkpoint", state)
    assert refused((FileError, DataError), tmp_path / "run", data).startswith(f"{path}: {said}")


def test_an_option_that_does_not_fit_is_said_of_the_runs_configuration(data, tmp_path, stopped):
    stopped(4, begin, data, tmp_path / "run")
    path = tmp_path / "run" / "config.toml"
    path.write_text(path.read_text().replace("batch_size = 25", "batch_size = 250"))
    said = f"{path}: batch_size: 250 is more than the 61 samples of an epoch"
    assert refused(FileError, tmp_path / "run", data) == said


def test_a_run_that_is_stopped_after_a_smaller_last_batch_is_examined_as_of_that_step(data, tmp_path, stopped):
    stopped(4, begin, data, tmp_path / "run", batch_size=16)  # 61 rows: the fourth step has 13 of them
    assert [vitals.step for vitals in RunFolder(tmp_path / "run").health().vitals] == [0, 1, 4]


# One folder, one run


SCRIPT = """
import sys
import numpy as np
import glassnet
from glassnet.training.callbacks import Callback

class Say(Callback):
    def on_epoch_end(self, run):
        print(len(run.history), flush=True)

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
data = glassnet.Dataset.from_arrays(X, np.arange(60) % 3, validation=9)
network = glassnet.Network([4, 3])
options = dict(epochs=10**6, checkpoint_every=1, callbacks=[Say()], progress=False)
glassnet.fit(network, data, run_dir=sys.argv[1], **options)
"""


class AtOnce(Callback):
    """Ends what should not have begun."""

    def on_epoch_end(self, run):
        return "at once"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_folder_is_held_against_other_processes_until_death(tmp_path, number):
    folder = tmp_path / "run"
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    data = Dataset.from_arrays(X, np.arange(60) % 3, validation=9)
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert [process.stdout.readline() for _ in range(3)] == [b"1\n", b"2\n", b"3\n"]
        with pytest.raises(FileError) as caught:
            resume(folder, data, callbacks=[AtOnce()], progress=False)
        assert str(caught.value) == f"{folder}: is in use: another process trains in it; wait until it ends"
        with pytest.raises(FileError, match="already holds files"):
            fit(Network([4, 3]), data, run_dir=folder, progress=False)
        assert process.poll() is None
        assert process.stdout.readline()  # it was not disturbed
        process.send_signal(number)
        process.stdout.read()
    done = len(RunFolder(folder).checkpoint()["history"].splitlines()) - 1
    assert done >= 3
    run = resume(folder, data, epochs=done + 2, progress=False)
    assert run.history["epoch"] == list(range(1, done + 3))


def test_a_folder_is_held_while_a_run_goes_on_and_let_go_after_it(data, tmp_path):
    said = []

    class Intruder(Callback):
        def on_epoch_end(self, run):
            with pytest.raises(FileError) as caught:
                resume(run.folder, data, epochs=9, progress=False)
            said.append(str(caught.value))

    expected = all_of(begin(data, tmp_path / "whole", epochs=2, checkpoint_every=1))
    run = begin(data, tmp_path / "run", epochs=2, checkpoint_every=1, callbacks=[Intruder()])
    assert all_of(run) == expected
    assert [text.partition(": ")[2][:10] for text in said] == ["is in use:"] * 2
    assert len(resume(run.folder, data, epochs=3, progress=False).history) == 3


def test_a_folder_of_another_version_is_refused_as_such_before_its_data_are_looked_at(tmp_path, monkeypatch):
    data = glassnet.load_dataset("digits")
    fit(Network([64, 10]), data, epochs=1, progress=False, run_dir=tmp_path / "old")
    config = tmp_path / "old" / "config.toml"
    config.write_text(config.read_text().replace("[checksums]", '[checksums]\nother = "0"'))  # data differ, too
    monkeypatch.setattr("glassnet.training.archive.FORMAT", 99)
    with pytest.raises(FileError, match="but a model file of format 5; another version made it: train again"):
        resume(tmp_path / "old", progress=False)
