"""What `fit` takes, and what its results print."""

import inspect
import traceback
from pathlib import Path

import numpy as np
import polars
import pytest

import glassnet as gn
from glassnet.data.splits import Split
from glassnet.errors import DataError, UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import Adam, Momentum
from glassnet.nn.schedules import Cosine
from glassnet.training.early_stopping import EarlyStopping
from glassnet.training.fit import fit
from glassnet.training.history import EpochRecord, History
from glassnet.training.run import resume

X = np.random.default_rng(0).normal(size=(96, 5)).astype(np.float32)
Y = np.arange(96) % 3


def train(*arguments, layers=(5, 4, 3), **options):
    return fit(Network(list(layers)), *arguments, **{"epochs": 2, "progress": False, **options})


# Rows and labels


def test_the_three_forms_train_alike():
    data = gn.Dataset.from_arrays(X, Y, X, Y)
    forms = [(X, Y), ((X, Y),), (Split(X, Y),), (X.tolist(), Y.tolist()), (polars.DataFrame(X), Y), (data,)]
    runs = [train(*form) for form in forms]
    assert len({run.network.fingerprint() for run in runs[:3]}) == 1
    assert runs[-1].network.fingerprint() == runs[0].network.fingerprint()
    for run in runs:
        assert len(run.history) == 2
        assert run.network.class_names == ("0", "1", "2")
        assert None not in run.history["validation_loss"]
    assert runs[0].config.checksums == data.checksums


def test_validation_data_is_what_is_watched():
    run = train(X[:80], Y[:80], validation_data=(X[80:], Y[80:]))
    assert run.history["validation_loss"][-1] == gn.evaluate(run.network, Split(X[80:], Y[80:])).loss
    again = train(X[:80], Y[:80], validation_data=Split(X[80:], (Y[80:] + 1) % 3))
    assert again.network.fingerprint() == run.network.fingerprint()
    assert again.history["validation_loss"] != run.history["validation_loss"]
    weights = np.ones(80)  # one for each row: none was set apart
    assert train(X[:80], Y[:80], validation_data=(X[80:], Y[80:]), sample_weight=weights).stopped == "epochs"


def test_a_run_of_arrays_is_resumed_with_the_same_arrays(tmp_path):
    whole = train(X, Y, epochs=4)
    train(X, Y, epochs=2, run_dir=tmp_path / "run")
    assert resume(tmp_path / "run", X, Y, epochs=3, progress=False).stopped == "epochs"
    run = resume(tmp_path / "run", (X, Y), epochs=4, progress=False)
    assert run.network.fingerprint() == whole.network.fingerprint()
    with pytest.raises(DataError, match="X, y: is not the file"):
        resume(tmp_path / "run", X + 1, Y, epochs=5, progress=False)
    train(X[:80], Y[:80], validation_data=(X[80:], Y[80:]), run_dir=tmp_path / "other")
    with pytest.raises(DataError, match="validation X, y: is not the file"):
        resume(tmp_path / "other", X[:80], Y[:80], validation_data=(X[80:], Y[:16] * 0), progress=False)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((X,), UsageError, "data: the labels are missing; give rows and their labels, as X, y"),
        (("digits",), UsageError, 'data: load the data first: glassnet.load_dataset("digits")'),
        ((X, ["cat"] * 96), DataError, "arrays: target: one class only, 'cat'; there is nothing to learn"),
        (
            (X, Y + 0.5),
            DataError,
            "y: cross_entropy with 3 outputs is for classes, and these are numbers; take half_squared_error with "
            "one output, or give classes 0, 1, ... as y.astype(int)",
        ),
        ((X, Y[:9]), DataError, "arrays: 96 training rows but 9 labels"),
    ],
)
def test_a_wrong_call_is_one_helpful_line(arguments, error, said):
    with pytest.raises(error) as caught:
        train(*arguments)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("names", [[0.0, 1.0, 2.0], [-1, 7, 10], ["ant", "bee", "cow"]])
def test_classes_of_any_kind_train_alike(names):
    run, plain = train(X, np.array(names)[Y]), train(X, Y)
    assert run.network.fingerprint() == plain.network.fingerprint()
    assert run.network.class_names == tuple(map(str, names))
    answers = run.model.predict(X)
    assert answers.tolist() == [names[label] for label in plain.model.predict(X)]
    assert [type(one) for one in run.model.classes] == [type(name) for name in names]


def test_the_range_test_takes_a_pair_of_arrays_too():
    found = gn.find_learning_rate(Network([5, 16, 3]), (X + Y[:, None], Y))
    assert repr(found).startswith(f"RangeTest(pick={found.pick:.3g}, highest_stable=")
    assert str(found) == f"learning rate {found.pick:.3g}: {found.reason}"
    assert len(repr(found)) < 150


# Shorthands


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({"learning_rate": 0.05}, {"optimizer": "adam(0.05)"}),
        ({"optimizer": "sgd", "learning_rate": 0.05}, {"optimizer": "sgd(0.05)"}),
        (
            {"optimizer": "momentum(momentum=0.5)", "learning_rate": 0.05},
            {"optimizer": Momentum(0.05, momentum=0.5)},
        ),
        ({"learning_rate": None}, {}),
        ({"early_stopping": 5, "epochs": 40}, {"early_stopping": "patience(5)", "epochs": 40}),
    ],
)
def test_a_shorthand_means_the_option_in_full(options, same):
    short, full = train(X, Y, **options), train(X, Y, **same)
    assert short.network.fingerprint() == full.network.fingerprint()
    assert short.config.training.optimizer == full.config.training.optimizer
    assert short.best_epoch == full.best_epoch


@pytest.mark.parametrize("optimizer", ["adam(0.1)", "adam( .1)", "sgd(learning_rate=0.1)", Adam(0.1)])
def test_a_learning_rate_is_given_once(optimizer):
    with pytest.raises(UsageError, match=r"^learning_rate: the optimizer has one already, 0\.1"):
        train(X, Y, optimizer=optimizer, learning_rate=0.2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"learning_rate": -1.0}, "learning_rate: must be > 0"),
        ({"learning_rate": 0.1, "optimizer": "adm"}, "optimizer: unknown name 'adm'; did you mean 'adam'?"),
        ({"early_stopping": 0}, "early_stopping: patience must be a whole number >= 1, got 0"),
        ({"early_stopping": True}, "early_stopping: patience must be a whole number >= 1, got True"),
    ],
)
def test_a_shorthand_that_cannot_be_meant_is_refused(options, said):
    with pytest.raises(UsageError) as caught:
        train(X, Y, **options)
    assert str(caught.value).startswith(said)


def test_objects_are_used_as_they_are():
    objects = {"schedule": Cosine(), "early_stopping": EarlyStopping(9), "optimizer": Adam(0.02)}
    words = {"schedule": "cosine", "early_stopping": "patience(9)", "optimizer": "adam(0.02)"}
    assert train(X, Y, **objects).network.fingerprint() == train(X, Y, **words).network.fingerprint()


# The way from a call to the derivatives


def frames(monkeypatch, call):
    """Return the names of glassnet's functions between a call and the first step's backward pass."""
    seen, backward, source = [], Network.backward, str(Path(gn.__file__).parent)

    def noted(self, *arguments):
        names = [frame.name for frame in traceback.extract_stack() if frame.filename.startswith(source)]
        if not seen and names[-1] == "learn":  # else it is the health's own
            seen.extend(names)
        return backward(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Network, "backward", noted)
        call()
    return seen


def test_backward_is_five_calls_from_fit_and_from_resume(monkeypatch, tmp_path):
    options = {"kernels": "numpy", "run_dir": tmp_path / "run"}
    assert frames(monkeypatch, lambda: train(X, Y, **options)) == ["fit", "fit", "train_epoch", "take", "learn"]
    resumed = frames(monkeypatch, lambda: resume(tmp_path / "run", X, Y, epochs=3, progress=False))
    assert resumed == ["resume", "fit", "train_epoch", "take", "learn"]


# What is printed


def test_a_run_says_in_a_line_what_came_of_it(tmp_path):
    run = train(X, Y, run_dir=tmp_path / "run")
    last = run.history.last
    assert repr(run) == (
        f"Run([5, 4, 3] on arrays, epoch 2  loss {last.train_loss:.4f}  accuracy {last.train_accuracy:.4f}  "
        f"validation loss {last.validation_loss:.4f}  accuracy {last.validation_accuracy:.4f}, "
        f"ended after 2 epochs, remarks: see run.health, "
        f"saved in {tmp_path / 'run'})"
    )


def test_a_history_prints_its_epochs():
    history = History()
    assert repr(history) == "History(no epochs yet)"
    for epoch in range(1, 31):
        history.append(EpochRecord(epoch, 1 / epoch, None, None, None, 0.1, 1.0, 1))
    assert repr(history) == "History(epoch 30  loss 0.0333)"
    lines = str(history).splitlines()
    assert lines[0] == "epoch 1  loss 1.0000"
    assert lines[5] == "..."
    assert lines[-1] == "epoch 30  loss 0.0333"
    assert len(lines) == 11


@pytest.mark.parametrize("name", ["EarlyStopping", "Augmentation", "Callback", "Run"])
def test_what_one_extends_is_exported(name):
    assert inspect.isclass(getattr(gn, name))


# Weights, validation rows of one's own, and arguments in the wrong place


@pytest.mark.parametrize("table", [False, True])
def test_weights_of_all_rows_are_those_of_the_rows_that_are_drawn(table):
    weights = np.where(np.arange(96) % 5 == 0, 0.0, 1 + np.arange(96) / 96)
    rows = polars.DataFrame(X, schema=[*"abcde"]) if table else X
    run = train(rows, Y, sample_weight=weights)
    data = run.memory.data
    of_row = {tuple(row): weight for row, weight in zip(np.asarray(X).tolist(), weights, strict=True)}
    drawn = data.train.X.rows() if table else [tuple(row) for row in data.train.X.tolist()]
    taken = np.array([of_row[row] for row in drawn])
    assert len(taken) < 96
    same = train(data, sample_weight=taken)
    assert same.network.fingerprint() == run.network.fingerprint()
    assert run.network.fingerprint() != train(rows, Y).network.fingerprint()
    whole = train(X, Y, validation_data=(X[:9], Y[:9]), sample_weight=weights)
    assert len(whole.memory.data.train.y) == 96
    with pytest.raises(UsageError, match="sample_weight: expected one number for each of the 88 training rows"):
        train(X, Y, sample_weight=weights[:-1])


def test_validation_rows_are_in_the_words_of_the_training_rows():
    words = np.array(["c", "a", "b"], object)[Y]
    run = train(X[:80], words[:80], validation_data=(X[80:].tolist(), words[80:].tolist()))
    assert run.history.last.validation_accuracy == run.model.score(X[80:], words[80:])
    numbers = train(X[:80], Y[:80], validation_data=(X[80:], Y[80:, None] * 1.0))
    assert numbers.history.last.validation_accuracy == numbers.model.score(X[80:], Y[80:])
    with pytest.raises(DataError, match="'z'"):
        train(X[:80], words[:80], validation_data=(X[80:], ["z"] * 16))


def test_a_validation_row_that_is_far_beyond_is_named_and_no_learning_rate_is_blamed():
    rows, y = 100 * X, X[:, 0] * 1.0
    far = rows[:20].copy()
    far[7] *= 1e25
    network = Network([5, 4, 1], loss="mse", seed=1)
    with pytest.raises(DataError, match=r"validation rows: row 8 is too much for the network: its largest number"):
        gn.fit(network, rows, y, validation_data=(far, y[:20]), epochs=2, optimizer="sgd(1e-9)", progress=False)
    assert network.fingerprint() == Network([5, 4, 1], loss="mse", seed=1).fingerprint()


def test_a_gradient_check_names_what_is_in_the_wrong_place():
    with pytest.raises(
        UsageError, match=r"network: expected a Network, got ndarray; call gradient_check\(network"
    ):
        gn.gradient_check(X, Y, Network([5, 3]))


def test_two_classes_are_refused_for_a_single_output_whose_loss_nobody_chose():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    labels = np.where(X[:, 0] > 0, "yes", "no")
    with pytest.raises(DataError, match=r'a single output regresses a number.*loss="binary_cross_entropy"$'):
        fit(Network([3, 4, 1]), X, labels, epochs=1, progress=False)
    run = fit(Network([3, 4, 1], loss="binary_cross_entropy"), X, labels, epochs=1, progress=False)
    assert set(run.model.predict(X)) <= {"yes", "no"}
    numbers = fit(Network([3, 4, 1]), X, X[:, 0], epochs=1, kernels="numpy", progress=False)
    assert numbers.network.loss.name == "half_squared_error"
