import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from glassnet.data.dataset import Dataset
from glassnet.data.splits import Split
from glassnet.errors import DataError, FileError, NonFiniteError, UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import GD, SGD, Optimizer
from glassnet.runtime.seeds import stream
from glassnet.training import checkpointer, trainer, validation
from glassnet.training.config import load_config
from glassnet.training.fit import fit
from glassnet.training.health import trials
from glassnet.training.history import COLUMNS, History
from glassnet.training.metrics import evaluate, predict_rows
from glassnet.training.model_file import load_model
from glassnet.training.results import DivergenceError, Interrupted
from glassnet.training.run_folder import RunFolder
from glassnet.training.sampling import Sampler

#: A step so short that theta stays what it was, as far as any loss can tell.
STILL = SGD(1e-300)


def train(network, data, **options):
    return fit(network, data, **{"progress": False, "epochs": 1, **options})


@pytest.fixture
def batches(monkeypatch):
    """The row numbers of every batch that is taken, in order."""
    taken, original = [], Sampler.order

    def noted(self, rng):
        rows = original(self, rng)
        taken.extend(np.split(rows, range(self.batch_size, len(rows), self.batch_size)))
        taken[:] = map(list, taken)
        return rows

    monkeypatch.setattr(Sampler, "order", noted)
    return taken


# What an epoch records


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("batch_size", [32, 100, 1])
@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_an_epochs_training_loss_and_accuracy_count_every_row_once(blobs, reduction, batch_size):
    # 136 rows: 109 are not for testing, 89 not for validation; the last batch is short.
    data = blobs(136)
    assert len(data.train.y) == 89
    batch_size = min(batch_size, 89)
    network = Network([5, 4, 3], loss=f"cross_entropy({reduction})", initializer="normal", dtype="float64")
    run = train(network, data, optimizer=STILL, batch_size=batch_size)
    expected = evaluate(network, data.train)
    assert run.history.last.train_loss == pytest.approx(expected.loss, rel=1e-12)
    assert run.history.last.train_accuracy == expected.accuracy


def test_the_training_loss_is_taken_before_each_step(blobs):
    data = blobs()
    network = Network([5, 3], dtype="float64")
    before = evaluate(network, data.train).loss
    run = train(network, data, optimizer=GD(0.5), epochs=2)
    assert run.history["train_loss"][0] == pytest.approx(before, rel=1e-12)
    # The second epoch's figures are its own: those of the network after one epoch.
    one = train(Network([5, 3], dtype="float64"), data, optimizer=GD(0.5), epochs=1)
    between = evaluate(one.network, data.train)
    assert run.history["train_loss"][1] == pytest.approx(between.loss, rel=1e-12)
    assert run.history["train_accuracy"][1] == between.accuracy
    assert between.loss < before


def test_the_training_loss_is_over_the_epochs_samples_only(blobs, batches):
    data = blobs()
    network = Network([5, 3], initializer="normal", dtype="float64")
    run = train(network, data, optimizer=STILL, samples_per_epoch=33, batch_size=10)
    rows = [row for batch in batches for row in batch]
    assert len(rows) == 33
    part = evaluate(network, Split(data.train.X[rows], data.train.y[rows]))
    assert run.history.last.train_loss == pytest.approx(part.loss, rel=1e-12)
    assert run.history.last.train_accuracy == part.accuracy


def test_validation_figures_are_those_after_the_epoch(blobs):
    data = blobs()
    network = Network([5, 4, 3])
    first = train(network, data, epochs=1, optimizer="sgd", batch_size=16)
    after = evaluate(network, data.validation)
    assert first.history.last.validation_loss == after.loss
    assert first.history.last.validation_accuracy == after.accuracy
    both = train(Network([5, 4, 3]), data, epochs=2, optimizer="sgd", batch_size=16)
    assert both.history["validation_loss"][0] == after.loss
    assert both.history["validation_loss"][1] == evaluate(both.network, data.validation).loss != after.loss


def test_the_history_has_a_record_for_every_epoch(blobs):
    run = train(Network([5, 3]), blobs(), epochs=4, optimizer="momentum(0.02)")
    assert run.stopped == "epochs"
    assert len(run.history) == 4
    assert run.history["epoch"] == [1, 2, 3, 4]
    assert run.history["learning_rate"] == [0.02] * 4
    assert all(seconds > 0 for seconds in run.history["seconds"])
    assert all(len(run.history[column]) == 4 and None not in run.history[column] for column in COLUMNS[:8])


def test_without_validation_rows_nothing_is_watched(blobs):
    run = train(Network([5, 3]), blobs(validation=0), epochs=2)
    assert run.history["validation_loss"] == run.history["validation_accuracy"] == [None, None]
    assert None not in run.history["train_accuracy"]


# Which rows, in which steps


def test_a_run_is_the_same_as_a_loop_by_hand(blobs):
    data = blobs(136)
    run = train(Network([5, 4, 3], seed=2), data, optimizer=SGD(0.3), epochs=3, batch_size=20)
    network = Network([5, 4, 3], seed=2, class_names=data.class_names)
    rng, rule = stream(2, "shuffling"), SGD(0.3)
    state = rule.start(network.theta)
    targets = np.eye(3, dtype=np.float32)[data.train.y]
    for _ in range(3):
        order = rng.permutation(89)
        for rows in np.split(order, [20, 40, 60, 80]):
            network.backward(network.forward(data.train.X[rows]), targets[rows])
            rule.step(network.theta, network.gradient, state)
    assert state.t == 15
    assert run.network.fingerprint() == network.fingerprint()


def test_gd_takes_one_step_an_epoch_over_all_samples(blobs, batches):
    data = blobs()
    network = Network([5, 4, 3], dtype="float64")
    by_hand = network.copy()
    train(network, data, optimizer=GD(0.2), epochs=3)
    assert [sorted(rows) for rows in batches] == [list(range(len(data.train.y)))] * 3
    for _ in range(3):
        by_hand.backward(by_hand.forward(data.train.X.astype(float)), np.eye(3)[data.train.y])
        by_hand.theta -= 0.2 * by_hand.gradient
    np.testing.assert_allclose(network.theta, by_hand.theta, rtol=1e-9, atol=1e-12)


def test_update_scale_multiplies_the_step(blobs):
    runs = [
        train(Network([5, 3]), blobs(), optimizer=rule, epochs=2).network.fingerprint()
        for rule in (SGD(0.1, update_scale=0.5), SGD(0.05), "sgd(0.1, update_scale=0.5)", SGD(0.1))
    ]
    assert runs[0] == runs[1] == runs[2] != runs[3]


def test_first_sampling_trains_on_the_first_rows_only(blobs, batches):
    data = blobs()
    garbage = data.train.X.copy()
    garbage[30:] = 1e6
    poisoned = dataclasses.replace(data, train=Split(garbage, data.train.y))
    results = [
        train(Network([5, 3]), some, samples_per_epoch=30, sampling="first", epochs=3).network.fingerprint()
        for some in (data, poisoned)
    ]
    assert results[0] == results[1]
    assert {row for rows in batches for row in rows} == set(range(30))
    # In another order every epoch.
    assert batches[0] != batches[1] != batches[2]


def test_every_epoch_takes_every_row_once_in_an_order_of_its_own(blobs, batches):
    data = blobs()
    train(Network([5, 3]), data, epochs=2, batch_size=25)
    epochs = [[row for rows in batches[first : first + 4] for row in rows] for first in (0, 4)]
    assert [len(rows) for rows in batches] == [25, 25, 25, 9] * 2
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(84))


# What decides the result, and what does not


def test_the_seed_decides(digits):
    options = {"samples_per_epoch": 0.3, "batch_size": 32}
    fingerprints = [
        train(Network([64, 10], seed=network_seed), digits, seed=seed, **options).network.fingerprint()
        for network_seed, seed in ((0, None), (0, None), (0, 0), (0, 1), (1, 1), (1, None), (1, 0))
    ]
    first = fingerprints[0]
    assert fingerprints[:3] == [first] * 3
    assert fingerprints[4] == fingerprints[5]
    assert len({first, fingerprints[3], fingerprints[4], fingerprints[6]}) == 4


def test_networks_of_any_width_see_the_same_batches(blobs, batches):
    for layers, initializer in (([5, 3], "zeros"), ([5, 50, 20, 3], "normal")):
        train(Network(layers, initializer=initializer, seed=1), blobs(), epochs=2, batch_size=30)
    half = len(batches) // 2
    assert batches[:half] == batches[half:]


def test_two_processes_give_the_same_bits():
    script = (
        "import glassnet\n"
        "network = glassnet.Network([64, 40, 10], 'tanh', seed=5)\n"
        "run = glassnet.fit(network, glassnet.load_dataset('digits'), epochs=2, progress=False)\n"
        "said = f\"{run.network.fingerprint()} {run.history['train_loss']}\"\n"
    )
    here = {}
    exec(script, here)
    there = subprocess.check_output([sys.executable, "-c", f"{script}print(said)"], text=True)
    assert there.strip() == here["said"]
    assert len(there.split()[0]) == 64


def test_bytes_and_their_shares_of_255_train_alike():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (200, 12), np.uint8), np.arange(200) % 3
    X[:, 0] = 80 * y
    runs = [
        train(Network([12, 8, 3]), Dataset.from_arrays(rows, y), epochs=5, batch_size=20)
        for rows in (X, (X / 255).astype(np.float32))
    ]
    np.testing.assert_allclose(runs[0].network.theta, runs[1].network.theta, rtol=1e-4, atol=1e-5)
    assert runs[0].history["train_loss"] == pytest.approx(runs[1].history["train_loss"], rel=1e-5)
    assert runs[0].history.last.train_loss < runs[0].history["train_loss"][0]


def test_test_rows_are_not_touched_and_validation_rows_are_not_learned(blobs):
    data = blobs()
    broken = Split(np.full((7, 9), np.nan), np.full(7, -5))
    with pytest.raises(DataError):
        dataclasses.replace(data, test=broken).encoded.test  # noqa: B018 (it would be met)
    turned = Split(-data.validation.X, data.validation.y)
    plain, no_test, other = (
        train(Network([5, 4, 3]), some, epochs=2)
        for some in (data, dataclasses.replace(data, test=broken), dataclasses.replace(data, validation=turned))
    )
    assert plain.network.fingerprint() == no_test.network.fingerprint() == other.network.fingerprint()
    assert plain.history["validation_loss"] == no_test.history["validation_loss"]
    assert plain.history["validation_loss"] != other.history["validation_loss"]
    assert plain.history["train_loss"] == other.history["train_loss"]


def test_the_callers_data_are_left_as_they_were(blobs):
    data, again = blobs(), blobs()
    train(Network([5, 4, 3]), data, epochs=2)
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(data, split).X, getattr(again, split).X)
        np.testing.assert_array_equal(getattr(data, split).y, getattr(again, split).y)


def test_strict_arithmetic_outside_does_not_reach_the_loop_and_comes_back(blobs):
    # relu3 and a long step overflow on the way: that is met by checking the loss, not by a warning.
    data = blobs()
    with pytest.raises(NonFiniteError):
        train(Network([5, 4, 3], "relu3"), data, optimizer="sgd(1e30)", epochs=5)
    assert np.geterr()["over"] == "raise"


# Kinds of data


def test_digits_are_learned(digits):
    run = train(Network([64, 32, 10]), digits, epochs=15, batch_size=32)
    assert run.history.last.validation_accuracy > 0.9
    assert evaluate(run.network, digits.test).accuracy > 0.9
    assert run.network.class_names == digits.class_names


@pytest.mark.parametrize("outputs", [1, 2])
def test_numbers_are_regressed(outputs):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (300, 3)).astype(np.float32)
    y = (X @ rng.normal(size=(3, outputs))).squeeze()
    data = Dataset.from_arrays(X, y)
    network = Network([3, outputs], loss="half_squared_error", class_names=["stale"] * outputs)
    run = train(network, data, optimizer="adam(0.03)", epochs=40, batch_size=20)
    assert run.history.last.validation_loss < 1e-3
    assert run.history["train_accuracy"] == run.history["validation_accuracy"] == [None] * 40
    assert network.class_names is None
    assert evaluate(network, data.test).r2 > 0.99
    assert run.history.last.validation_loss == evaluate(network, data.validation).loss


def test_two_classes_are_learned_with_one_sigmoid(blobs):
    data = blobs(classes=2)
    run = train(Network([5, 1], loss="binary_cross_entropy"), data, epochs=30, optimizer="sgd(0.5)")
    assert run.history.last.train_accuracy > 0.9
    assert run.history.last.validation_accuracy == evaluate(run.network, data.validation).accuracy > 0.9


def test_a_single_amplified_output_regresses_the_class_number(digits, tmp_path):
    network = Network(
        [64, 32, 1], "sigmoid", output_activation="sigmoid", output_scale=10, loss="half_squared_error"
    )
    run = train(network, digits, epochs=60, batch_size=32, optimizer="adam(0.03)", run_dir=tmp_path / "run")
    assert run.history.last.train_loss < 0.2 * run.history["train_loss"][0]
    assert run.history.last.validation_accuracy > 0.5
    assert set(run.model.predict(digits.test.X).tolist()) == set(range(10))
    assert evaluate(load_model(tmp_path / "run"), digits.test) == evaluate(network, digits.test)
    assert np.mean(run.model.predict(digits.test.X) == digits.test.y) > 0.5


# Errors of the user's


def with_nan(split):
    X = split.X.copy()
    X[3, 1] = np.nan
    return Split(X, split.y)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": "adm"}, "optimizer: unknown name 'adm'; did you mean 'adam'?"),
        ({"optimizer": "adam(learning_rate=-1)"}, "optimizer: adam: learning_rate: must be > 0"),
        ({"epochs": 0}, "epochs: input should be greater than or equal to 1, got 0"),
        ({"epochs": 1.5}, "epochs: "),
        ({"batch_size": 0}, "batch_size: "),
        ({"batch_size": 85}, "batch_size: 85 is more than the 84 samples of an epoch"),
        ({"optimizer": "gd", "batch_size": 10}, "batch_size: gd and lbfgs take all samples"),
        ({"samples_per_epoch": 85}, "samples_per_epoch: takes a number of the 84 training rows"),
        ({"samples_per_epoch": float("inf")}, "samples_per_epoch: takes a number"),
        ({"sampling": "last"}, "sampling: input should be 'fresh' or 'first', got 'last'"),
        ({"seed": -1}, "seed: "),
    ],
)
def test_options_that_do_not_fit_change_nothing(blobs, tmp_path, options, said):
    network = Network([5, 3], class_names=["x", "y", "z"])
    before = network.fingerprint()
    with pytest.raises(UsageError) as caught:
        train(network, blobs(), run_dir=tmp_path / "run", **options)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert network.fingerprint() == before
    assert network.class_names == ("x", "y", "z")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("layers", "change", "said"),
    [
        ([4, 3], lambda data: data, "layers: the data have 5 columns, the first layer has 4 units"),
        ([5, 4], lambda data: data, "layers: the data have 3 classes, the last layer has 4 units"),
        ([5, 3], lambda d: dataclasses.replace(d, train=with_nan(d.train)), "X: row 4 (X[3]), column 2 holds nan"),
        (
            [5, 3],
            lambda d: dataclasses.replace(d, validation=with_nan(d.validation)),
            "X: row 4 (X[3]), column 2 holds",
        ),
        (
            [5, 3],
            lambda d: dataclasses.replace(d, validation=Split(d.validation.X, d.validation.y + 1)),
            "target: row 4 (y[3]) is 3, which training did not have; the classes are 0, 1, 2",
        ),
        (
            [5, 3],
            lambda d: dataclasses.replace(d, train=Split(d.train.X, d.train.y - 1)),
            "target: row 1 (y[0]) is -1, which training did not have",
        ),
    ],
)
def test_data_that_do_not_fit_change_nothing(blobs, tmp_path, layers, change, said):
    network = Network(layers, class_names=[str(i) for i in range(layers[-1])])
    before, names = network.fingerprint(), network.class_names
    data = change(blobs())
    with pytest.raises(DataError) as caught:
        train(network, data, run_dir=tmp_path / "run")
    assert str(caught.value).startswith(said)
    assert network.fingerprint() == before
    assert network.class_names == names
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_files_is_refused_before_anything_changes(blobs, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    network = Network([5, 3])
    before = network.fingerprint()
    with pytest.raises(FileError, match="already holds files"):
        train(network, blobs(), run_dir=tmp_path)
    assert network.fingerprint() == before
    assert network.class_names is None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# The run folder


def test_a_finished_run_is_saved(blobs, tmp_path):
    run = train(Network([5, 4, 3]), blobs(), epochs=3, run_dir=str(tmp_path / "run"))
    folder = RunFolder(tmp_path / "run")
    assert run.folder == folder.path
    assert load_model(run.folder).network.fingerprint() == run.network.fingerprint()
    assert load_model(run.folder).network.class_names == ("0", "1", "2")
    assert list(folder.history()) == list(run.history)
    assert folder.config() == run.config == load_config(run.folder / "config.toml")


def test_without_a_folder_nothing_is_written(blobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = train(Network([5, 3]), blobs())
    assert run.folder is None
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_says_what_was_done(blobs):
    network = Network([5, 4, 3], "tanh", seed=7)
    start = network.fingerprint()
    data = blobs(validation=20, split_seed=3)
    config = train(network, data, optimizer="sgd(0.5)", samples_per_epoch=0.5, batch_size=9, epochs=2).config
    assert config.seed == 7
    assert config.start == start != network.fingerprint()
    assert config.checksums == data.checksums
    assert (config.data.dataset, config.data.validation, config.data.split_seed) == ("arrays", 20, 3)
    assert config.network.layers == [5, 4, 3]
    assert config.network.activation == "tanh"
    assert config.training.model_dump() == {
        "optimizer": "sgd(learning_rate=0.5, update_scale=1.0)",
        "epochs": 2,
        "batch_size": 9,
        "samples_per_epoch": 0.5,
        "sampling": "fresh",
        "kernels": "auto",
        "threads": None,
        "schedule": "constant",
        "l1": 0.0,
        "l2": 0.0,
        "weight_decay": 0.0,
        "label_smoothing": 0.0,
        "clip_norm": None,
        "clip_value": None,
        "max_norm": None,
        "ema": None,
        "average_epochs": None,
        "class_weight": None,
        "augmentation": "none",
        "metrics": [],
        "early_stopping": None,
        "checkpoint_every": None,
    }
    assert config.environment["numpy"] == np.__version__
    assert (config.environment["kernels"], config.environment["threads"]) == ("numpy", "1")


class Staged(Optimizer):
    """`SGD`, until something happens at step `at`, to the weights of the network's one layer."""

    name = "staged"
    memory_vectors = 0

    def __init__(self, at, happen):
        super().__init__(0.1)
        object.__setattr__(self, "at", at)
        object.__setattr__(self, "happen", happen)

    def rule(self, theta, g, t, eta):
        (theta,) = SGD.rule(theta, g, t, eta)
        return (self.happen(theta) if t == self.at and len(theta) > 3 else theta,)  # not the biases


def failing(theta):
    raise RuntimeError("a bug")


def test_the_folder_is_created_before_training_and_saved_on_the_way(blobs, tmp_path, monkeypatch):
    data = blobs()  # 84 rows: three steps an epoch
    options = {"epochs": 5, "batch_size": 30}
    with pytest.raises(RuntimeError, match="a bug"):
        train(Network([5, 3]), data, optimizer=Staged(1, failing), run_dir=tmp_path / "a", **options)
    assert load_model(tmp_path / "a").network.fingerprint() == Network([5, 3]).fingerprint()
    assert len(RunFolder(tmp_path / "a").history()) == 0
    monkeypatch.setattr(checkpointer, "SAVE_EVERY", -1.0)
    with pytest.raises(RuntimeError, match="a bug"):
        train(Network([5, 3]), data, optimizer=Staged(8, failing), run_dir=tmp_path / "b", **options)
    two = train(Network([5, 3]), data, optimizer=SGD(0.1), batch_size=30, epochs=2)
    assert RunFolder(tmp_path / "b").history()["train_loss"] == two.history["train_loss"]
    assert load_model(tmp_path / "b").network.fingerprint() == two.network.fingerprint()


def test_saves_keep_their_distance(blobs, tmp_path, monkeypatch):
    saves, clock = [], iter(np.arange(0, 1000, 10.0).tolist())
    save = RunFolder.save
    monkeypatch.setattr(RunFolder, "save", lambda *a: (saves.append(len(a[2])), save(*a)))
    monkeypatch.setattr(checkpointer, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    # The clock moves by 10 s each time it is read: by the loop's start, every epoch's end and every save.
    train(Network([5, 3]), blobs(), epochs=9, run_dir=tmp_path / "run")
    assert saves == [0, 4, 8, 9]


# Numbers that are none


def test_an_absurd_learning_rate_is_an_error_that_says_where(digits, tmp_path):
    network = Network([64, 16, 10], seed=1)
    start = network.fingerprint()
    with pytest.raises(NonFiniteError) as caught:
        train(network, digits, optimizer="sgd(1e30)", epochs=3, run_dir=tmp_path / "run")
    message = str(caught.value)
    assert message.startswith("epoch 1, step ")
    assert "the loss became nan: it began in layer " in message
    assert "; steps are too large: learning rate 1e+30" in message
    assert message.endswith("The network is back at its state after epoch 0")
    assert "\n" not in message
    assert network.fingerprint() == start == load_model(tmp_path / "run").network.fingerprint()
    assert len(RunFolder(tmp_path / "run").history()) == 0


def broken(theta):
    theta[7] = np.nan
    return theta


def infinite(theta):
    theta[7] = np.inf
    return theta


def huge(theta):
    return np.full_like(theta, 1e38)  # finite itself, but not what comes of it


@pytest.mark.parametrize(
    ("at", "happen", "validation", "said"),
    [
        (7, broken, 20, "epoch 3, step 2: the loss became nan: it began in layer 1, Z[0, 1] = nan;"),
        (8, broken, 0, "epoch 3, step 3: the loss became nan: it began in layer 1, Z[0, 1] = nan;"),
        (9, broken, 20, "epoch 3, step 3: the parameter W1[2, 1] became nan;"),
        (9, infinite, 20, "epoch 3, step 3: the parameter W1[2, 1] became inf;"),
        (9, infinite, 0, "epoch 3, step 3: the parameter W1[2, 1] became inf;"),
        # Only the validation rows show it, after the epoch's last step.
        (9, huge, 20, "epoch 3, step 3: the loss became nan: it began in layer 1, Z["),
    ],
)
def test_the_last_finite_state_is_kept(blobs, tmp_path, at, happen, validation, said):
    data = blobs(104 if validation else 79, validation=validation)
    assert len(data.train.y) == 63
    options = {"batch_size": 30, "run_dir": tmp_path / "run"}  # three steps an epoch
    network = Network([5, 3])
    with pytest.raises(NonFiniteError) as caught:
        train(network, data, optimizer=Staged(at, happen), epochs=5, **options)
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("The network is back at its state after epoch 2")
    two = train(Network([5, 3]), data, optimizer=SGD(0.1), epochs=2, batch_size=30)
    assert network.fingerprint() == two.network.fingerprint() == load_model(tmp_path / "run").network.fingerprint()
    assert RunFolder(tmp_path / "run").history()["train_loss"] == two.history["train_loss"]
    assert len(two.history) == 2


# Interruptions


def interrupting(number):
    def happen(theta):
        os.kill(os.getpid(), number)
        return theta

    return happen


@pytest.fixture
def watchful(monkeypatch):
    """A loop that looks for signals after every batch, however short."""
    monkeypatch.setattr(trainer, "PIECE", 0.0)
    monkeypatch.setattr(trainer, "TRIAL", 0.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_batch_with_all_saved(blobs, tmp_path, watchful, number):
    data = blobs()
    before = [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)]
    network, run_dir = Network([5, 3]), tmp_path / "run"
    with pytest.raises(Interrupted) as caught:
        train(network, data, optimizer=Staged(8, interrupting(number)), epochs=5, batch_size=30, run_dir=run_dir)
    assert [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)] == before
    error = caught.value
    assert isinstance(error, KeyboardInterrupt)
    assert str(error) == f"stopped after 2 whole epochs; saved in {run_dir}"
    assert error.signal is number
    assert error.run.network is network
    assert (error.run.stopped, error.run.folder, len(error.run.history)) == ("interrupted", run_dir, 2)
    # The third epoch's second batch was finished: eight steps, of which six fill whole epochs.
    by_hand, steps = Network([5, 3], class_names=data.class_names), 0
    rng, targets = stream(0, "shuffling"), np.eye(3, dtype=np.float32)[data.train.y]
    for _ in range(3):
        for rows in np.split(rng.permutation(84), [30, 60]):
            if steps < 8:
                by_hand.backward(by_hand.forward(data.train.X[rows]), targets[rows])
                by_hand.theta -= (0.1 * by_hand.gradient).astype(np.float32)
                steps += 1
    np.testing.assert_allclose(network.theta, by_hand.theta, rtol=1e-5, atol=1e-6)
    assert load_model(run_dir).network.fingerprint() == network.fingerprint()
    assert list(RunFolder(run_dir).history()) == list(error.run.history)


def test_an_interrupted_run_without_a_folder_carries_what_was_learned(blobs):
    with pytest.raises(Interrupted) as caught:
        train(Network([5, 3]), blobs(), optimizer=Staged(1, interrupting(signal.SIGINT)), epochs=5)
    assert str(caught.value) == "stopped after 0 whole epochs"
    assert isinstance(caught.value.run.history, History)


def test_a_signal_after_the_last_batch_finds_the_run_finished(blobs, monkeypatch):
    def late(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        return predict_rows(*arguments)

    monkeypatch.setattr(validation, "predict_rows", late)
    with pytest.raises(Interrupted, match="stopped after 1 whole epoch") as caught:
        train(Network([5, 3]), blobs())
    assert (caught.value.run.stopped, len(caught.value.run.history)) == ("epochs", 1)
    # Between two epochs it is met at the next batch.
    with pytest.raises(Interrupted) as caught:
        train(Network([5, 3]), blobs(), epochs=2)
    assert (caught.value.run.stopped, len(caught.value.run.history)) == ("interrupted", 1)


@pytest.mark.parametrize(
    ("options", "optimizer", "error"),
    [
        ({"initializer": "zeros"}, "sgd(0.1)", Interrupted),
        ({"loss": "half_squared_error", "seed": 0}, "sgd(1e6)", DivergenceError),
    ],
)
@pytest.mark.filterwarnings("ignore::glassnet.HealthWarning")
def test_a_signal_ends_the_trials_of_remedies_and_all_is_saved(
    blobs, tmp_path, monkeypatch, options, optimizer, error
):
    """The network is sick, or diverges; its trials would go on for a minute."""

    def long_trial(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)

    began, folder, network = time.monotonic(), tmp_path / "run", Network([5, 8, 3], "relu", **options)
    monkeypatch.setattr(trials.Trials, "_try", long_trial)
    with pytest.raises(error) as caught, told_again(signal.SIGTERM) as told:
        train(network, blobs(), optimizer=optimizer, epochs=80, batch_size=30, run_dir=folder)
    run = caught.value.run
    assert time.monotonic() - began < 50
    assert told == [signal.SIGTERM] * (error is DivergenceError)  # nobody else has acted on it
    assert run.health.sick
    assert all(found.remedy is None for found in run.health.diagnoses)
    assert (folder / "health.json").exists()
    assert load_model(folder).network.fingerprint() == run.network.fingerprint()


@contextlib.contextmanager
def told_again(number):
    """Note the signals that reach the handler that was there before."""
    told = []
    before = signal.signal(number, lambda number, frame: told.append(number))
    try:
        yield told
    finally:
        signal.signal(number, before)


def test_a_batch_that_ends_in_nan_and_a_signal_leaves_the_last_finite_state(blobs, tmp_path, watchful):
    def both(theta):
        os.kill(os.getpid(), signal.SIGTERM)
        return infinite(theta)

    network, options = Network([5, 3]), {"epochs": 5, "batch_size": 30}
    with pytest.raises(Interrupted) as caught:
        train(network, blobs(), optimizer=Staged(5, both), run_dir=tmp_path / "run", **options)
    one = train(Network([5, 3]), blobs(), optimizer=SGD(0.1), epochs=1, batch_size=30)
    assert len(caught.value.run.history) == 1
    assert network.fingerprint() == one.network.fingerprint() == load_model(tmp_path / "run").network.fingerprint()


def test_a_run_in_another_thread_is_the_same(blobs):
    results = []
    thread = threading.Thread(target=lambda: results.append(train(Network([5, 3]), blobs(), epochs=2)))
    thread.start()
    thread.join()
    assert results[0].network.fingerprint() == train(Network([5, 3]), blobs(), epochs=2).network.fingerprint()


def test_a_real_process_is_interrupted_with_its_work_saved(tmp_path):
    """By SIGTERM; `tests/cli` sends SIGINT as well."""
    script = (
        "import sys, glassnet\n"
        "network, data = glassnet.Network([64, 32, 10]), glassnet.load_dataset('digits')\n"
        "try:\n"
        "    glassnet.fit(network, data, epochs=10_000, run_dir=sys.argv[1])\n"
        "except glassnet.Interrupted as error:\n"
        "    print(error.signal.name, len(error.run.history), error.run.network.fingerprint())\n"
        "    sys.exit(77)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline().startswith("epoch     1/10000")  # it has begun to learn
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    name, epochs, fingerprint = out.split()
    assert process.returncode == 77
    assert name == "SIGTERM"
    network, history = load_model(tmp_path / "run").network, RunFolder(tmp_path / "run").history()
    assert network.fingerprint() == fingerprint
    assert np.isfinite(network.theta).all()
    assert history["epoch"] == list(range(1, int(epochs) + 1))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        ".lock",
        "checkpoint.safetensors",
        "config.toml",
        "health.json",
        "history.csv",
        "model.safetensors",
    ]


# What a person sees


def test_progress_goes_to_stderr_and_only_where_it_is_wanted(blobs, capfd):
    fit(Network([5, 3]), blobs(), epochs=2, progress=False)
    assert capfd.readouterr() == ("", "")
    fit(Network([5, 3]), blobs(), epochs=2)
    out, err = capfd.readouterr()
    assert out == ""
    assert [line[:11] for line in err.splitlines() if line.strip()] == ["epoch 1/2  ", "epoch 2/2  "]
