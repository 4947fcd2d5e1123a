"""What each option of `fit` does, beside a loop and formulas written out here."""

import dataclasses
import os
import signal
import weakref

import numpy as np
import pytest

from glassnet.data.augmentation import Augmentation, move_images
from glassnet.data.dataset import Dataset
from glassnet.data.schema import Schema
from glassnet.data.splits import Split
from glassnet.errors import FileError, NonFiniteError, UsageError
from glassnet.nn.dropout import mask_keys
from glassnet.nn.network import Network
from glassnet.nn.optimizers import GD, OPTIMIZERS
from glassnet.nn.schedules import SCHEDULES, Cosine
from glassnet.nn.update import Update
from glassnet.runtime.seeds import stream
from glassnet.training.callbacks import Callback
from glassnet.training.early_stopping import EARLY_STOPPING, EarlyStopping
from glassnet.training.fit import fit
from glassnet.training.metrics import evaluate, measure, predict_rows
from glassnet.training.model_file import load_model
from glassnet.training.results import DivergenceError, Interrupted
from glassnet.training.run import resume
from glassnet.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def images():
    """96 small images of three classes; 61 are learned from, three steps an epoch."""
    rng = np.random.default_rng(0)
    y = np.arange(96) % 3
    X = rng.integers(0, 90, (96, 6, 6), np.uint8)
    X[np.arange(96), 1 + y, 2] = 220
    return Dataset.from_arrays(X.reshape(96, 36), y, image_shape=(6, 6), validation=16)


def train(network, data, **options):
    return fit(network, data, **{"epochs": 1, "kernels": "numpy", "progress": False, **options})


def by_hand(
    network,
    data,
    *,
    epochs,
    batch_size,
    schedule="constant",
    augmentation="none",
    seed=0,
    smoothing=0.0,
    **options,
):
    """Train as the documentation says, and return what the update remembers at the end."""
    X, y = data.train
    network.class_names = data.class_names
    rule, moving = SCHEDULES.resolve(schedule), Augmentation.parse(augmentation)
    update = Update(OPTIMIZERS.resolve(options.pop("optimizer")), **options)
    state, scheduled = update.start(network.parameters), rule.start()
    order_of, moves_of = stream(seed, "shuffling"), stream(seed, "augmentation")
    targets = network.encode(y) * network.theta.dtype.type(1 - smoothing) + network.theta.dtype.type(smoothing / 3)
    per_epoch, t = -(-len(y) // batch_size), 0
    for _ in range(epochs):
        order = order_of.permutation(len(y))
        moves = moving.draw(moves_of, len(y), 6, 6) if augmentation != "none" else None
        for first in range(0, len(y), batch_size):
            rows, t = order[first : first + batch_size], t + 1
            batch = X[rows]
            if moves is not None:
                batch = move_images(batch.reshape(-1, 6, 6), moves[first : first + batch_size])
            keys = mask_keys(seed, np.array([t]), len(network.W))[0]
            trace = network.forward(network.input_batch(batch), keys)
            network.backward(trace, targets[rows])
            network.track(trace)
            update.optimizer.observe(trace, state)
            factor = rule.factors(np.array([t]), per_epoch * epochs, per_epoch, scheduled)[0]
            update.step(network.parameters, state, float(factor))
    return update.average(state)


# Beside a loop by hand


@pytest.mark.parametrize("optimizer", ["sgd(0.2)", "adamw(0.02)", "muon", "momentum(0.1)"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [
        {"schedule": "one_cycle"},
        {"schedule": "cosine(warmup=0.2)", "l2": 0.01, "clip_norm": 0.5},
        {"schedule": "step(every=1, factor=0.5)", "l1": 0.01, "weight_decay": 0.1, "clip_value": 0.01},
        {"max_norm": 0.7, "augmentation": "shift(1) + flip + erase(0.5)"},
        {"label_smoothing": 0.2},
    ],
    ids=str,
)
def test_a_run_is_a_loop_by_hand(images, optimizer, dtype, options):
    options = {"optimizer": optimizer, "epochs": 3, "batch_size": 25, **options}
    kind = {"batch_norm": True, "dropout": 0.3, "dtype": dtype, "seed": 0}
    network, other = (Network([36, 7, 3], "tanh", **kind) for _ in range(2))
    train(network, images, **options)
    smoothing = options.pop("label_smoothing", 0.0)
    by_hand(other, images, smoothing=smoothing, **options)
    exact = smoothing == 0
    for found, expected in (
        (network.theta, other.theta),
        (network.parameters.statistics, other.parameters.statistics),
    ):
        assert found.dtype == dtype
        if exact:
            np.testing.assert_array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def after_one_step(**options):
    """Return theta before, its gradient, theta after a step of 0.5, and which entries are weights."""
    data = Dataset.from_arrays(np.random.default_rng(1).normal(size=(40, 4)), np.arange(40) % 3, validation=0)
    network = Network([4, 5, 3], "tanh", seed=3, dtype="float64", bias_initializer="normal")
    before = network.copy()
    targets = before.encode(data.train.y)
    before.backward(before.forward(data.train.X), targets)
    train(network, data, optimizer=GD(0.5), **options)
    weights = np.zeros(len(network.theta), bool)
    for name, block in network.parameters.blocks.items():
        weights[block] = name[0] == "W"
    return before.theta, before.gradient, network.theta, weights, network


STEPS = {
    "l1": (0.1, lambda theta, g, w: theta - 0.5 * (g + 0.1 * w * np.sign(theta))),
    "l2": (0.1, lambda theta, g, w: theta - 0.5 * (g + 0.1 * w * theta)),
    "weight_decay": (0.1, lambda theta, g, w: theta - 0.5 * 0.1 * w * theta - 0.5 * g),
    "clip_norm": (0.01, lambda theta, g, w: theta - 0.5 * 0.01 * g / np.sqrt((g * g).sum())),
    "clip_value": (0.01, lambda theta, g, w: theta - 0.5 * np.clip(g, -0.01, 0.01)),
}


@pytest.mark.parametrize(
    ("option", "value", "formula"), [(name, *rest) for name, rest in STEPS.items()], ids=STEPS
)
def test_what_is_done_to_gradient_and_weights(option, value, formula):
    theta, g, after, weights, _ = after_one_step(**{option: value})
    np.testing.assert_allclose(after, formula(theta, g, weights), rtol=1e-9, atol=1e-12)
    assert np.abs(after - (theta - 0.5 * g)).max() > 1e-3


def test_the_weights_into_a_hidden_unit_are_no_longer_than_max_norm():
    *_, free = after_one_step()
    *_, network = after_one_step(max_norm=0.6)
    lengths = np.linalg.norm(free.W[0], axis=0)
    assert lengths.max() > 0.7
    np.testing.assert_allclose(network.W[0], free.W[0] * np.minimum(1, 0.6 / lengths), rtol=1e-9)
    np.testing.assert_array_equal(network.W[1], free.W[1])


@pytest.mark.parametrize("schedule", ["step(every=2, factor=0.1)", Cosine(warmup=4), "one_cycle"], ids=str)
def test_the_history_has_the_learning_rate_of_each_epochs_last_step(images, schedule):
    run = train(Network([36, 3]), images, epochs=4, batch_size=25, optimizer="sgd(0.3)", schedule=schedule)
    rule = SCHEDULES.resolve(schedule)
    expected = 0.3 * rule.factors(np.array([3, 6, 9, 12]), 12, 3, rule.start())
    assert run.history["learning_rate"] == expected.tolist()
    assert len(set(run.history["learning_rate"])) > 1
    assert SCHEDULES.resolve(run.config.training.schedule) == rule


@pytest.mark.parametrize(("rows", "rates"), [(16, [0.1, 0.1, 0.05, 0.025]), (0, [0.1] * 4)])
def test_a_plateau_is_one_of_the_validation_loss_or_else_the_training_loss(images, rows, rates):
    """With false labels the validation loss only rises, while the training loss falls."""
    X, y = images.validation
    data = dataclasses.replace(images, validation=Split(X[:rows], (y[:rows] + 1) % 3))
    options = {"schedule": "plateau(patience=0, factor=0.5)", "epochs": 4, "optimizer": "sgd(0.1)"}
    run = train(Network([36, 3], initializer="zeros"), data, **options)
    assert run.history["learning_rate"] == pytest.approx(rates)
    assert (np.diff(run.history["train_loss"]) < 0).all()
    assert not rows or (np.diff(run.history["validation_loss"]) > 0).all()


def test_label_smoothing_is_for_training_only(images):
    still = {"optimizer": "sgd(1e-300)", "batch_size": 61}
    network = Network([36, 3], initializer="normal", dtype="float64")
    plain, smooth = (train(network.copy(), images, label_smoothing=s, **still).history.last for s in (0.0, 0.3))
    assert smooth.validation_loss == plain.validation_loss == evaluate(network, images.validation).loss
    assert smooth.validation_accuracy == plain.validation_accuracy
    assert smooth.train_accuracy == plain.train_accuracy
    log_p = np.log(network.outputs(images.train.X))
    own = log_p[np.arange(61), images.train.y]
    assert plain.train_loss == pytest.approx(-own.mean(), rel=1e-9)
    assert smooth.train_loss == pytest.approx(-(0.7 * own + 0.3 * log_p.mean(axis=1)).mean(), rel=1e-9)


# Weights of rows


def repeated(data, times):
    return dataclasses.replace(
        data, train=Split(np.repeat(data.train.X, times, 0), np.repeat(data.train.y, times))
    )


@pytest.mark.parametrize("optimizer", ["gd(0.5)", "lbfgs(iterations=3)"])
def test_a_weight_is_a_row_that_stands_as_often(blobs, optimizer):
    data, options = blobs(), {"optimizer": optimizer, "epochs": 3}
    times = np.arange(84) % 4
    networks = [Network([5, 4, 3], "tanh", dtype="float64") for _ in range(3)]
    weighted = train(networks[0], data, sample_weight=times, **options)
    several = train(networks[1], repeated(data, times), **options)
    np.testing.assert_allclose(networks[0].theta, networks[1].theta, rtol=1e-7, atol=1e-9)
    assert weighted.history["train_loss"] == pytest.approx(several.history["train_loss"], rel=1e-7)
    assert weighted.history["validation_loss"] == pytest.approx(several.history["validation_loss"], rel=1e-6)
    by_class = np.array([1, 3, 0])
    train(networks[2], data, class_weight={"1": 3.0, "2": 0.0}, **options)
    networks[0] = Network([5, 4, 3], "tanh", dtype="float64")
    train(networks[0], repeated(data, by_class[data.train.y]), **options)
    np.testing.assert_allclose(networks[2].theta, networks[0].theta, rtol=1e-7, atol=1e-9)


def test_weights_of_rows_multiply_the_losses_of_their_batch(blobs):
    data, weights = blobs(), np.arange(84) % 3 + 1.0
    run = train(Network([5, 3], dtype="float64"), data, sample_weight=weights, optimizer="sgd(0.2)", batch_size=30)
    other, order = Network([5, 3], dtype="float64"), stream(0, "shuffling").permutation(84)
    scaled = weights / weights.mean()
    for rows in np.split(order, [30, 60]):
        trace = other.forward(other.input_batch(data.train.X[rows]))
        other.backward(trace, other.encode(data.train.y)[rows], scaled[rows])
        other.theta -= 0.2 * other.gradient
    np.testing.assert_allclose(run.network.theta, other.theta, rtol=1e-9)


def test_with_the_first_rows_only_the_weights_are_theirs(blobs):
    data, weights = blobs(), np.where(np.arange(84) < 30, np.arange(84) % 3 + 1, 1e6)
    first = dataclasses.replace(data, train=Split(data.train.X[:30], data.train.y[:30]))
    networks = [Network([5, 3]), Network([5, 3])]
    train(networks[0], data, sample_weight=weights, samples_per_epoch=30, sampling="first", epochs=2)
    train(networks[1], first, sample_weight=weights[:30], epochs=2)
    assert networks[0].fingerprint() == networks[1].fingerprint()


# Augmentation


def test_only_what_is_learned_from_is_moved(images):
    still = {
        "optimizer": "sgd(1e-300)",
        "batch_size": 61,
        "augmentation": "erase(1.0, smallest=1.0, largest=1.0, aspect=1.0)",
    }
    network = Network([36, 3], initializer="normal", dtype="float64")
    before = images.train.X.copy()
    last = train(network, images, **still).history.last
    np.testing.assert_array_equal(images.train.X, before)
    assert last.validation_loss == evaluate(network, images.validation).loss
    black = evaluate(network, Split(np.zeros((61, 36)), images.train.y))
    assert last.train_loss == pytest.approx(black.loss, rel=1e-12)
    assert last.train_accuracy == black.accuracy


def test_no_two_epochs_are_moved_alike_and_the_seed_says_how(images):
    still = {"optimizer": "sgd(1e-300)", "batch_size": 61, "augmentation": Augmentation(shift=2), "epochs": 3}
    losses = [
        train(Network([36, 3], initializer="normal", dtype="float64"), images, seed=seed, **still).history[
            "train_loss"
        ]
        for seed in (0, 0, 1)
    ]
    assert len(set(losses[0])) == 3
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("kind", ["floats", "no images"])
def test_what_is_no_image_of_bytes_cannot_be_moved(images, kind):
    X, y = images.train.X, images.train.y
    options = {"floats": (X / 255, (6, 6)), "no images": (X, None)}
    data = Dataset.from_arrays(options[kind][0], y, image_shape=options[kind][1])
    with pytest.raises(UsageError, match=r"^augmentation: .* leave it out"):
        train(Network([36, 3]), data, augmentation="shift(1)")


# Metrics


def test_metrics_are_columns_of_the_history(images, tmp_path):
    options = {"metrics": ["auc", "f1", "loss"], "early_stopping": "patience(9, monitor=balanced_accuracy)"}
    run = train(Network([36, 3]), images, epochs=2, run_dir=tmp_path / "run", **options)
    predictions = predict_rows(run.network, images.validation)
    found = measure(predictions, ["auc", "f1", "balanced_accuracy"])
    last = run.history.last
    best = train(Network([36, 3]), images, epochs=run.best_epoch)
    record = run.history._records[run.best_epoch - 1]
    assert list(last.measures) == ["validation_auc", "validation_f1", "validation_balanced_accuracy"]
    assert record.measures == {f"validation_{name}": value for name, value in found.items()}
    assert run.network.fingerprint() == best.network.fingerprint()
    assert list(RunFolder(run.folder).history()) == list(run.history)
    assert run.history["validation_auc"][-1] == last.measures["validation_auc"]
    # They change nothing else.
    plain = train(Network([36, 3]), images, epochs=2)
    for column in ("train_loss", "validation_loss", "validation_accuracy"):
        assert plain.history[column] == run.history[column]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metrics": ["magic"]}, "metrics: "),
        ({"metrics": ["r2"]}, "metrics: "),
        ({"early_stopping": "patience(2, monitor=mae)"}, ""),
        ({"ema": 0.9, "average_epochs": 2}, "average_epochs: ema averages already; take one of the two"),
        ({"early_stopping": "patience(2)", "average_epochs": 2}, "average_epochs: early stopping knows no last"),
        ({"ema": 1.0}, "ema: "),
        ({"average_epochs": 0}, "average_epochs: "),
        ({"schedule": "magic"}, "schedule: "),
        ({"schedule": "cosine(warmup=1000)"}, "warmup: "),
        ({"schedule": "cosine", "optimizer": "lbfgs"}, "schedule: the line search of lbfgs"),
        ({"l1": 0.1, "optimizer": "lbfgs"}, "l1: lbfgs"),
        ({"label_smoothing": 1.0}, "label_smoothing: "),
        ({"class_weight": {"9": 1.0}}, "class_weight: "),
        ({"sample_weight": [1.0]}, "sample_weight: "),
        ({"augmentation": "spin"}, "augmentation: "),
        ({"early_stopping": "patience(0)"}, "early_stopping: "),
        ({"checkpoint_every": 0}, "checkpoint_every: "),
        ({"clip_norm": -1.0}, "clip_norm: "),
    ],
    ids=str,
)
def test_options_that_do_not_fit_change_nothing(images, tmp_path, options, said):
    network = Network([36, 3], class_names=["x", "y", "z"])
    before = network.fingerprint()
    with pytest.raises(UsageError) as caught:
        train(network, images, run_dir=tmp_path / "run", **options)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert (network.fingerprint(), network.class_names) == (before, ("x", "y", "z"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{"metrics": ["f1"]}, {"early_stopping": "patience(2)"}], ids=str)
def test_nothing_is_watched_without_validation_rows(blobs, options):
    with pytest.raises(UsageError, match=f"^{next(iter(options))}: .*set some aside"):
        train(Network([5, 3]), blobs(validation=0), **options)
    run = train(Network([5, 3]), blobs(validation=0), early_stopping="patience(3, monitor=train_loss)")
    assert run.best_epoch == 1


# Early stopping

WILD = {"optimizer": "sgd(2.0)", "batch_size": 20}


@pytest.mark.parametrize("restore_best", [True, False])
@pytest.mark.parametrize("averaged", [{}, {"ema": 0.5}], ids=str)
@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_early_stopping_ends_with_the_best_epochs_parameters(images, tmp_path, restore_best, averaged):
    def network():
        return Network([36, 7, 3], "tanh", batch_norm=True)

    stopping = EarlyStopping(patience=3, restore_best=restore_best)
    run = train(
        network(), images, epochs=200, early_stopping=stopping, run_dir=tmp_path / "run", **WILD, **averaged
    )
    losses = run.history["validation_loss"]
    best = int(np.argmin(losses)) + 1
    assert run.stopped == "early stopping"
    assert len(losses) == best + 3 < 200
    assert run.best_epoch == (best if restore_best else None)
    until = train(network(), images, epochs=best if restore_best else best + 3, **WILD, **averaged)
    assert run.network.fingerprint() == until.network.fingerprint() == load_model(run.folder).network.fingerprint()
    statistics = until.network.parameters.statistics
    np.testing.assert_array_equal(run.network.parameters.statistics, statistics)
    np.testing.assert_array_equal(load_model(run.folder).network.parameters.statistics, statistics)
    assert evaluate(run.network, images.validation).loss == losses[best - 1 if restore_best else -1]


@pytest.mark.filterwarnings("ignore::glassnet.errors.HealthWarning")
def test_a_run_that_patience_does_not_end_has_its_best_epoch_too(images):
    run = train(Network([36, 7, 3]), images, epochs=12, early_stopping="patience(50)", **WILD)
    assert run.stopped == "epochs"
    assert run.best_epoch == int(np.argmin(run.history["validation_loss"])) + 1
    assert evaluate(run.network, images.validation).loss == min(run.history["validation_loss"])


# Averages


class Thetas(Callback):
    """Keeps theta and the validation loss after every epoch."""

    def __init__(self):
        self.theta, self.loss = [], []

    def on_epoch_end(self, run):
        self.theta.append(run.network.theta.copy())
        self.loss.append(run.history.last.validation_loss)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_mean_of_the_last_epochs_is_evaluated_and_kept(images, tmp_path, batch_norm):
    seen, options = Thetas(), {"epochs": 5, "batch_size": 25, "optimizer": "sgd(0.3)"}
    kind = {"dtype": "float64", "batch_norm": batch_norm}
    run = train(
        Network([36, 7, 3], **kind),
        images,
        average_epochs=3,
        callbacks=[seen],
        run_dir=tmp_path / "run",
        **options,
    )
    plain = train(Network([36, 7, 3], **kind), images, **options)
    np.testing.assert_array_equal(seen.theta[-1], plain.network.theta)  # averaging does not disturb training
    np.testing.assert_allclose(run.network.theta, np.mean(seen.theta[2:], axis=0), rtol=1e-12)
    assert run.history["train_loss"] == plain.history["train_loss"]
    assert seen.loss[:3] == plain.history["validation_loss"][:3]
    averaged = run.network.copy()
    for last, loss in ((4, seen.loss[3]), (5, seen.loss[4])):
        averaged.theta = np.mean(seen.theta[2:last], axis=0)
        if batch_norm:
            averaged.measure_statistics(images.train.X)
        assert loss == pytest.approx(evaluate(averaged, images.validation).loss, rel=1e-10)
    np.testing.assert_allclose(run.network.parameters.statistics, averaged.parameters.statistics, rtol=1e-12)
    assert load_model(run.folder).network.fingerprint() == run.network.fingerprint()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_exponential_average_is_evaluated_and_kept(images, batch_norm):
    kind = {"dtype": "float64", "batch_norm": batch_norm}
    options = {"epochs": 3, "batch_size": 25, "optimizer": "sgd(0.3)"}
    run, other = train(Network([36, 7, 3], **kind), images, ema=0.6, **options), Network([36, 7, 3], **kind)
    average = by_hand(other, images, ema=0.6, **options)
    np.testing.assert_array_equal(run.network.theta, average)
    assert np.abs(average - other.theta).max() > 1e-3
    other.theta = average
    if batch_norm:
        other.measure_statistics(images.train.X)
    np.testing.assert_array_equal(run.network.parameters.statistics, other.parameters.statistics)
    assert run.history.last.validation_loss == evaluate(other, images.validation).loss


# Callbacks


class Diary(Callback):
    def __init__(self, name, pages, *, fail=None, reason=None):
        self.name, self.pages, self.fail, self.reason = name, pages, fail, reason

    def note(self, method, run):
        self.pages.append((self.name, method, len(run.history), run.stopped))
        if self.fail == (method, len(run.history)):
            raise RuntimeError("a bug of the callback's")

    def on_train_begin(self, run):
        self.note("begin", run)

    def on_epoch_end(self, run):
        self.note("epoch", run)
        return self.reason if len(run.history) == 2 else None

    def on_train_end(self, run):
        self.note("end", run)


def test_callbacks_are_told_in_order(blobs):
    pages = []
    train(Network([5, 3]), blobs(), epochs=2, callbacks=[Diary("a", pages), Diary("b", pages)])
    assert sorted(pages[-2:]) == [("a", "end", 2, "epochs"), ("b", "end", 2, "epochs")]
    assert pages[:-2] == [
        ("a", "begin", 0, ""),
        ("b", "begin", 0, ""),
        *((name, "epoch", number, "") for number in (1, 2) for name in "ab"),
    ]


def test_the_first_reason_ends_the_run_and_all_are_told(blobs, tmp_path):
    pages = []
    diaries = [Diary(name, pages, reason=reason) for name, reason in (("a", None), ("b", "enough"), ("c", "late"))]
    run = train(Network([5, 3]), blobs(), epochs=9, callbacks=diaries, run_dir=tmp_path / "run")
    two = train(Network([5, 3]), blobs(), epochs=2)
    assert (run.stopped, len(run.history)) == ("enough", 2)
    assert sorted(pages[-3:]) == [(name, "end", 2, "enough") for name in "abc"]
    assert load_model(run.folder).network.fingerprint() == run.network.fingerprint() == two.network.fingerprint()


@pytest.mark.parametrize("fail", [("begin", 0), ("epoch", 1), ("end", 2)], ids=lambda fail: fail[0])
def test_the_end_is_told_whatever_other_callbacks_do(blobs, fail):
    pages = []
    diaries = [Diary("a", pages), Diary("b", pages, fail=fail), Diary("c", pages)]
    with pytest.raises(RuntimeError, match="a bug of the callback's"):
        train(Network([5, 3]), blobs(), epochs=2, callbacks=diaries)
    ended = [name for name, method, *_ in pages if method == "end"]
    assert sorted(ended) == ["a", "b", "c"]


def test_the_end_is_told_after_ctrl_c_and_after_a_divergence(blobs):
    pages = []

    class Press(Callback):
        def on_epoch_end(self, run):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        train(Network([5, 3]), blobs(), epochs=9, callbacks=[Diary("a", pages), Press()])
    assert pages[-1] == ("a", "end", 1, "interrupted")
    with pytest.raises(DivergenceError):
        train(Network([5, 4, 3], "relu3"), blobs(), epochs=9, optimizer="sgd(1e30)", callbacks=[Diary("a", pages)])
    assert pages[-1] == ("a", "end", 0, "non-finite")


def test_nobody_is_told_of_a_run_that_does_not_begin(blobs, tmp_path):
    pages = []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError):
        train(Network([5, 3]), blobs(), callbacks=[Diary("a", pages)], run_dir=tmp_path)
    assert pages == []


def test_a_callback_sees_the_run_that_is_returned(blobs, tmp_path):
    seen = []

    class Look(Callback):
        def on_train_begin(self, run):
            seen.append(weakref.ref(run))
            assert (run.folder / "config.toml").exists()
            assert run.config.environment["kernels"] == "numpy"

    run = train(Network([5, 3]), blobs(), callbacks=[Look()], run_dir=tmp_path / "run")
    assert seen[0]() is run


# All at once

EVERYTHING = {
    "schedule": "one_cycle",
    "augmentation": "shift(1)",
    "ema": 0.8,
    "max_norm": 1.0,
    "clip_norm": 5.0,
    "clip_value": 0.5,
    "l1": 1e-4,
    "l2": 1e-3,
    "weight_decay": 0.01,
    "label_smoothing": 0.1,
    "class_weight": {"0": 2.0},
    "metrics": ["auc"],
    "early_stopping": "patience(9)",
    "batch_size": 25,
    "epochs": 4,
}


@pytest.mark.usefixtures("compiled_code")
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_compiled_and_plain_kernels_agree_with_everything_on(images, dtype):
    weights = np.arange(61) % 3 + 1
    kind = {"batch_norm": True, "dropout": 0.3, "dtype": dtype, "seed": 2}
    runs = [
        train(
            Network([36, 7, 3], "tanh", **kind),
            images,
            kernels=kernels,
            threads=1,
            sample_weight=weights,
            **EVERYTHING,
        )
        for kernels in ("numba", "numpy")
    ]
    assert [run.config.environment["kernels"] for run in runs] == ["numba", "numpy"]
    rtol = 1e-3 if dtype == "float32" else 1e-9
    for column in ("train_loss", "validation_loss", "validation_auc"):
        np.testing.assert_allclose(runs[0].history[column], runs[1].history[column], rtol=rtol)
    assert runs[0].history["learning_rate"] == runs[1].history["learning_rate"]
    np.testing.assert_allclose(runs[0].network.theta, runs[1].network.theta, rtol=rtol, atol=rtol)
    statistics = [run.network.parameters.statistics for run in runs]
    np.testing.assert_allclose(statistics[0], statistics[1], rtol=rtol, atol=rtol)


def test_the_two_precisions_agree_with_everything_on(images):
    kind = {"batch_norm": True, "dropout": 0.3, "seed": 2}
    runs = [
        train(Network([36, 7, 3], "tanh", dtype=dtype, **kind), images, **EVERYTHING)
        for dtype in ("float32", "float64")
    ]
    assert [run.network.theta.dtype for run in runs] == ["float32", "float64"]
    np.testing.assert_allclose(runs[0].history["train_loss"], runs[1].history["train_loss"], rtol=1e-3)
    np.testing.assert_allclose(runs[0].network.theta, runs[1].network.theta, rtol=1e-2, atol=1e-3)
    assert runs[0].network.fingerprint() != Network([36, 7, 3], "tanh", **kind).fingerprint()


def test_options_may_be_objects_or_their_text(images):
    objects = {"optimizer": OPTIMIZERS.resolve("adamw(0.02)"), "schedule": Cosine(warmup=3)}
    objects |= {"augmentation": Augmentation(shift=1, flip=True), "early_stopping": EarlyStopping(7)}
    texts = {"optimizer": "adamw(0.02)", "schedule": "cosine(warmup=3)", "augmentation": "shift(1) + flip"}
    texts |= {"early_stopping": "patience(7)"}
    runs = [train(Network([36, 3]), images, epochs=3, **options) for options in (objects, texts)]
    assert runs[0].network.fingerprint() == runs[1].network.fingerprint()
    written, read = (run.config.training for run in runs)
    assert SCHEDULES.resolve(written.schedule) == SCHEDULES.resolve(read.schedule)
    assert Augmentation.parse(written.augmentation) == Augmentation.parse(read.augmentation)
    assert EARLY_STOPPING.resolve(written.early_stopping) == EARLY_STOPPING.resolve(read.early_stopping)


@pytest.mark.parametrize("average", [{"average_epochs": 2}, {"ema": 0.5}], ids=str)
def test_statistics_of_an_average_are_of_rows_that_epochs_draw(average):
    """Those that no epoch draws lie far away, where the network knows nothing."""
    X = np.random.default_rng(0).normal(size=(300, 4))
    y = (X[:, 0] > 0).astype(int)
    X[100:] += 1000
    parts = Split(X, y), Split(X[:100], y[:100]), Split(X[:0], y[:0])
    data = Dataset("made", *parts, Schema.learn(X, y))
    network = Network([4, 8, 2], dtype="float64", batch_norm=True)
    drawn = {"samples_per_epoch": 100, "sampling": "first", "batch_size": 20, "optimizer": "adam(0.02)"}
    run = train(network, data, epochs=8, **drawn, **average)
    found = run.network.parameters.statistics.copy()
    run.network.measure_statistics(X[:100])
    np.testing.assert_allclose(found, run.network.parameters.statistics, rtol=1e-12)
    assert run.history.last.validation_accuracy > 0.9


# What a review found


def test_a_mean_over_more_epochs_than_there_are_leaves_the_start_out(images):
    def trained(epochs, **options):
        return fit(Network([36, 5, 3], seed=1), images, epochs=epochs, progress=False, **options).network.theta

    raw = [trained(count) for count in (1, 2, 3)]
    np.testing.assert_allclose(trained(3, average_epochs=5), np.mean(raw, axis=0), rtol=1e-5, atol=1e-7)


@pytest.mark.usefixtures("compiled_code")
def test_a_last_batch_of_one_row_moves_no_statistics():
    X = 0.1 * np.random.default_rng(0).normal(size=(12, 5))
    data = Dataset.from_arrays(X.astype(np.float32), np.arange(12) % 3, validation=0)
    for kernels in ("numpy", "numba"):  # with the formulas that test_engine.py compiles as well
        network = Network([5, 9, 3], "tanh", dtype="float64", batch_norm=True)
        options = {"optimizer": "sgd(0.1)", "batch_size": len(data.train.y) - 1, "threads": 1}
        fit(network, data, epochs=1, kernels=kernels, progress=False, **options)
        assert (network.parameters.variance[0] > 0.85).all()  # one step from 1 by a tenth, and not a second one
    with pytest.raises(UsageError, match=r"^batch_size: batch normalisation needs 2 rows"):
        fit(Network([5, 9, 3], batch_norm=True), data, batch_size=1, progress=False)


@pytest.mark.parametrize("weights", [["a"] * 4, [[1], [1, 2]]], ids=str)
def test_weights_that_are_no_numbers_are_refused_in_one_line(blobs, weights):
    with pytest.raises(UsageError, match=r"^sample_weight: expected one number for each"):
        fit(Network([5, 3]), blobs(), sample_weight=weights, progress=False)


def test_classes_may_be_weighed_by_label(blobs):
    data = blobs(class_names=["ant", "bee", "cow"])
    by_label, by_name = (Network([5, 3], seed=1) for _ in range(2))
    fit(by_label, data, class_weight={1: 5.0}, progress=False)
    fit(by_name, data, class_weight={"bee": 5.0}, progress=False)
    assert by_label.fingerprint() == by_name.fingerprint()


@pytest.mark.parametrize("average", [{"ema": 0.9}, {"average_epochs": 1}], ids=str)
def test_after_ctrl_c_the_network_is_the_one_that_is_saved(images, tmp_path, average):
    class CtrlC(Callback):
        def on_epoch_end(self, run):
            signal.raise_signal(signal.SIGINT)

    network = Network([36, 5, 3], seed=1)
    with pytest.raises(Interrupted):
        fit(network, images, epochs=5, callbacks=[CtrlC()], run_dir=tmp_path / "run", progress=False, **average)
    assert load_model(tmp_path / "run").network.fingerprint() == network.fingerprint()
    assert network.fingerprint() != Network([36, 5, 3], seed=1).fingerprint()


def test_curvature_needs_a_loss_that_is_the_mean(images):
    with pytest.raises(UsageError, match=r"^optimizer: kfac needs a loss that is the mean"):
        fit(Network([36, 3], loss="cross_entropy(sum)"), images, optimizer="kfac", progress=False)


def test_a_callback_that_loses_its_own_numbers_is_no_divergence(images, tmp_path):
    class Lost(Callback):
        def on_epoch_end(self, run):
            raise NonFiniteError("a figure of mine became nan")

    network = Network([36, 3])
    with pytest.raises(NonFiniteError, match="a figure of mine") as caught:
        fit(network, images, epochs=2, ema=0.5, callbacks=[Lost()], run_dir=tmp_path / "run", progress=False)
    assert not isinstance(caught.value, DivergenceError)
    assert len(resume(tmp_path / "run", images, progress=False).history) == 2


def test_a_callback_whose_file_fails_ends_no_run(images):
    class Full(Callback):
        def on_epoch_end(self, run):
            raise FileError("board", "cannot be written: No space left on device")

        def on_train_end(self, run):
            raise FileError("board", "is gone")

    with pytest.warns(UserWarning, match="board: ") as caught:
        run = fit(Network([36, 3]), images, epochs=2, callbacks=[Full()], progress=False)
    assert (run.stopped, len(caught)) == ("epochs", 3)
