"""`fit_many`: each network as `fit` trains it alone, and what it refuses."""

import signal
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import HealthWarning, UsageError
from glassnet.training import many

pytestmark = pytest.mark.usefixtures("compiled_code")

X = np.random.default_rng(0).normal(size=(90, 5)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)

#: Columns of the history that do not depend on the clock, and are not measured by an examination.
COLUMNS = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate")


def make(count=3, layers=(5, 8, 3), **options):
    return [gn.Network(list(layers), seed=seed, **options) for seed in range(count)]


def train(networks, *data, **options):
    return gn.fit_many(
        networks, *(data or (X, Y)), **{"epochs": 3, "batch_size": 16, "progress": False, **options}
    )


def assert_as_alone(run, network, *data, **options):
    """The run equals that of a network of its own, bit for bit."""
    options = {"epochs": 3, "batch_size": 16, "progress": False, "kernels": "numba", **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HealthWarning)  # of a network too small to learn anything
        alone = gn.fit(network, *(data or (X, Y)), **options)
    assert alone.network.fingerprint() == run.network.fingerprint()
    assert (alone.network.parameters.statistics == run.network.parameters.statistics).all()
    assert [alone.history[column] for column in COLUMNS] == [run.history[column] for column in COLUMNS]
    assert (alone.stopped, alone.best_epoch) == (run.stopped, run.best_epoch)


# The same bits as alone


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hidden=st.lists(st.integers(1, 20), max_size=2),
    optimizer=st.sampled_from(["sgd", "adam"]),
    dropout=st.sampled_from([0.0, 0.3]),
    batch_norm=st.booleans(),
    batch_size=st.integers(2, 82),
    threads=st.sampled_from([1, 2]),
    seed=st.integers(0, 5),
)
def test_each_network_ends_with_the_bits_that_it_has_alone(
    hidden, optimizer, dropout, batch_norm, batch_size, threads, seed
):
    kind = {"layers": (5, *hidden, 3), "batch_norm": batch_norm and bool(hidden)}
    kind["dropout"] = [dropout] * (1 + len(hidden))
    options = {"optimizer": optimizer, "batch_size": batch_size}
    seeds, rates = [seed, seed + 1], [0.01, 0.1]
    runs = train(make(2, **kind), seed=seeds, learning_rate=rates, threads=threads, **options)
    for run, network, own, rate in zip(runs, make(2, **kind), seeds, rates, strict=True):
        assert_as_alone(run, network, seed=own, learning_rate=rate, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"schedule": "cosine(warmup=3)", "ema": 0.9},
        {
            "early_stopping": ["patience(1)", "patience(3, monitor=train_loss)", None],
            "epochs": 8,
            "metrics": ["auc"],
        },
        {"average_epochs": 2, "sample_weight": np.linspace(0.5, 2, 90)},
        {"epochs": [1, 3, 2], "clip_norm": 1.0},
    ],
)
def test_so_it_does_with_other_options(options):
    runs = train(make(), **options)
    for number, (run, network) in enumerate(zip(runs, make(), strict=True)):
        own = {name: value[number] if isinstance(value, list) and len(value) == 3 else value
               for name, value in options.items()}  # fmt: skip
        assert_as_alone(run, network, **own)


def test_each_network_may_have_rows_of_its_own():
    data = [
        gn.Dataset.from_arrays(X[part], Y[part], X[:9], Y[:9], validation=0) for part in (slice(80), slice(9, 90))
    ]
    runs = train(make(2), data)
    for run, network, own in zip(runs, make(2), data, strict=True):
        assert_as_alone(run, network, own)


def test_plain_numpy_trains_them_too_and_gives_the_bits_of_one_thread():
    runs = train(make(2), kernels="numpy")
    for run, network in zip(runs, make(2), strict=True):
        assert_as_alone(run, network, kernels="numpy", threads=1)


def test_a_run_has_model_and_health_and_its_configuration_makes_it_again():
    run = train(make(1))[0]
    assert run.config.training.kernels == "numba"
    assert run.config.seed == 0
    assert run.health.vitals[-1].step == run.history.last.epoch * 6
    assert run.model.score(X, Y) >= 0
    with pytest.raises(UsageError, match="from fit_many, and remembers nothing"):
        run.resume(epochs=5)


# One that fails, and Ctrl-C


@pytest.mark.filterwarnings("ignore::glassnet.NetworkWarning")
def test_a_network_whose_loss_overflows_ends_alone():
    networks = make()
    with pytest.warns(HealthWarning, match=r"network 2: epoch 1, step \d+: the loss became") as caught:
        runs = train(networks, optimizer="sgd", learning_rate=[0.1, 1e30, 0.1])
    assert len(caught) == 1
    assert list(runs.errors) == [1]
    assert isinstance(runs.errors[1], gn.DivergenceError)
    assert [run.stopped for run in runs] == ["epochs", "non-finite", "epochs"]
    assert networks[1].fingerprint() == make()[1].fingerprint()  # back at the state before the first epoch
    assert_as_alone(runs[2], make()[2], optimizer="sgd", learning_rate=0.1)


def test_ctrl_c_gives_what_is_finished(monkeypatch):
    done = many.NetworksProgress.done

    def press(self, run):
        done(self, run)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(many.NetworksProgress, "done", press)
    with pytest.raises(gn.ManyInterrupted, match="stopped with 1 of 3 networks trained") as caught:
        train(make(), threads=1)
    assert [(run.stopped, len(run.history)) for run in caught.value.runs] == [("epochs", 3), ("", 0), ("", 0)]
    assert caught.value.signal == signal.SIGINT
    assert_as_alone(caught.value.runs[0], make()[0])


def test_progress_is_told_on_stderr(capsys):
    train(make(2), progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("network 2/2  epoch 3  loss ")
    assert lines[-2].startswith("network 1/2")


# What is refused, before anything is changed


@pytest.mark.parametrize(
    ("networks", "problem"),
    [
        (gn.Network([5, 3]), "expected a list of Networks, got Network; fit trains one"),
        ([], "expected one Network or more, got none"),
        ([gn.Network([5, 3]), 7], "number 2 is a int"),
        (make(1) * 2, r"number 2 is number 1 again; give network.copy\(\)"),
        (make(1) + make(1, (5, 9, 3)), r"the layers of number 2 is \[5, 9, 3\], and of the first \[5, 8, 3\]"),
        (make(1) + make(1, dtype="float64"), "the dtype of number 2 is float64, and of the first float32"),
        (
            make(1) + make(1, activation="tanh"),
            "the activation of number 2 is tanh, identity, and of the first relu",
        ),
    ],
)
def test_networks_are_of_one_kind(networks, problem):
    with pytest.raises(UsageError, match=problem):
        train(networks)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"optimizer": ["sgd", "adam", "sgd"]}, "optimizer: the rule of network 2 is adam, and of the first sgd"),
        ({"learning_rate": [0.1, 0.2]}, "learning_rate: 2 values for 3 networks"),
        ({"callbacks": []}, "callbacks: belongs to one run"),
        ({"run_dir": "here"}, "run_dir: belongs to one run"),
        ({"optimizer": "kfac"}, "kernels: numba: KFAC has a step of its own; take numpy"),
        ({"threads": 0}, "threads: "),
        ({"threads": [1, 1, 2]}, "threads: how many networks are trained at a time; give one number"),
        ({"batch_size": [8, 8, 91]}, "batch_size: 91 is more than the "),
        ({"epoch": 3}, "epoch: "),
    ],
)
def test_options_that_do_not_fit_are_refused(options, problem):
    networks = make()
    with pytest.raises(UsageError, match=problem):
        train(networks, **options)
    assert [one.fingerprint() for one in networks] == [one.fingerprint() for one in make()]
    assert [one.class_names for one in networks] == [None] * 3


def test_data_sets_are_one_for_all_or_one_for_each():
    data = gn.Dataset.from_arrays(X, Y)
    with pytest.raises(UsageError, match="data: 2 data sets for 3 networks"):
        train(make(), [data, data])
    with pytest.raises(UsageError, match="y: belongs to one data set"):
        train(make(), [data] * 3, Y)
