"""One network trained by several processes: the result is that of one, and a death ends all."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tests.study.studies import alive, children, gone

from glassnet.data.dataset import Dataset
from glassnet.errors import GlassnetError, NonFiniteError, UsageError
from glassnet.training import data_parallel
from glassnet.training.config import RunConfig
from glassnet.training.data_parallel import Group, join_group, was_launched
from glassnet.training.model_file import load_model
from glassnet.training.results import DivergenceError
from glassnet.training.run import run
from glassnet.training.shared_rows import keep_share

MPIRUN = shutil.which("mpirun", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

#: Under CI a missing MPI is a failure.
MPI = pytest.mark.skipif(MPIRUN is None and "CI" not in os.environ, reason="there is no mpirun")


def in_threads(size, work):
    """Call ``work(group)`` in a thread for each of a group of so many; return what each returned or raised."""
    vectors, results, barrier = [None] * size, [None] * size, threading.Barrier(size, timeout=60)

    def member(rank):
        def add_up(vector):
            vectors[rank] = vector.copy()
            barrier.wait()
            vector[:] = sum(vectors)
            barrier.wait()

        try:
            results[rank] = work(Group(rank, size, size, add_up, None))
        except Exception as error:
            results[rank] = error

    threads = [threading.Thread(target=member, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def make_data(n=150):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    return Dataset.from_arrays(rng.normal(size=(n, 5)) + y[:, None], y, validation=20)


def configured(network=None, seed=0, **training):
    return RunConfig(
        seed=seed,
        data={"dataset": "arrays"},
        network={"layers": [5, 8, 6, 3], "dtype": "float64", **(network or {})},
        training={"epochs": 3, "batch_size": 16, "kernels": "numpy", **training},
    )


@pytest.mark.parametrize(
    ("size", "network", "training"),
    [
        (2, {}, {"optimizer": "sgd(0.1)"}),
        (3, {"dropout": 0.3}, {"optimizer": "adam", "l2": 0.01, "clip_norm": 0.5, "class_weight": "balanced"}),
        (2, {"loss": "cross_entropy(sum)"}, {"max_norm": 1.0, "ema": 0.9, "label_smoothing": 0.1}),
        (7, {}, {"optimizer": "gd(0.5)", "batch_size": None, "early_stopping": 2, "samples_per_epoch": 90}),
    ],
)
def test_a_group_trains_as_one_process_does(size, network, training):
    config, data = configured(network, **training), make_data()
    alone = run(config, data, progress=False)
    together = in_threads(
        size, lambda group: run(config, keep_share(data, group, config), progress=False, group=group)
    )
    for member in together:
        np.testing.assert_allclose(member.network.theta, alone.network.theta, rtol=0, atol=1e-12)
        assert member.network.fingerprint() == together[0].network.fingerprint()
        assert member.history["train_accuracy"] == alone.history["train_accuracy"]
        np.testing.assert_allclose(member.history["train_loss"], alone.history["train_loss"], rtol=1e-12)
        assert member.config.environment["processes"] == str(size)
    assert not np.array_equal(alone.network.theta, run(configured(network), data, progress=False).network.theta)


def test_rows_of_the_others_are_not_kept():
    n = 100_000
    X = np.ones((n, 250), np.float32)
    data = Dataset.from_arrays(X, np.arange(n) % 2, X[:10], np.arange(10) % 2, validation=0)
    for rank, own in enumerate((slice(0, 50_000), slice(50_000, n))):
        group = Group(rank, 2, 2, None, None)
        assert group.share(n) == own
        before = int(Path("/proc/self/statm").read_text().split()[1]) if sys.platform == "linux" else 0
        kept = keep_share(data, group, configured({"layers": [250, 3, 2]})).encoded.train.X
        assert (kept[own] == 1).all()
        assert 0.5 < (kept[:, 0] == 1).mean() < 0.56  # and those that the network is examined with
        if sys.platform == "linux":
            taken = (int(Path("/proc/self/statm").read_text().split()[1]) - before) * os.sysconf("SC_PAGE_SIZE")
            assert taken < 0.8 * X.nbytes  # its half, and at most 25 MB of pages with rows of the other


def test_a_loss_that_is_lost_in_one_process_ends_all():
    data = make_data()
    data.train.X[3] = 1e200
    config = configured({"loss": "half_squared_error", "activation": "identity"}, optimizer="sgd(1e300)")
    ended = in_threads(2, lambda group: run(config, keep_share(data, group, config), progress=False, group=group))
    assert [type(error) for error in ended] == [DivergenceError, DivergenceError]


def test_what_needs_a_whole_batch_is_refused():
    data, group = make_data(), Group(0, 1, 1, lambda vector: None, None)
    for network, training, said in (
        ({"batch_norm": True}, {}, "batch_norm: takes the mean and variance of a whole batch"),
        ({}, {"optimizer": "lbfgs", "batch_size": None}, "optimizer: lbfgs.* goes by the layers of a whole batch"),
        ({}, {"optimizer": "kfac"}, "optimizer: kfac.* goes by the layers of a whole batch"),
        ({}, {"kernels": "numba"}, "kernels: numba takes whole steps"),
    ):
        with pytest.raises(UsageError, match=said):
            run(configured(network, **training), data, progress=False, group=group)


def test_processes_that_differ_are_told():
    def drift(group):
        return run(configured(seed=group.rank), make_data(), progress=False, group=group)

    ended = in_threads(2, drift)
    assert all(isinstance(error, GlassnetError) and "same theta" in str(error) for error in ended)
    assert not any(isinstance(error, NonFiniteError) for error in ended)


def test_a_launcher_is_told_by_its_variables(monkeypatch):
    for name in data_parallel.SIZE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert not was_launched()
    monkeypatch.setenv("PMI_SIZE", "1")
    assert not was_launched()
    monkeypatch.setenv("PMI_SIZE", "2")
    assert was_launched()
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(GlassnetError, match=r"mpirun: needs mpi4py and MPI: pip install 'glassnet\[mpi\]'"):
        join_group()


def train(folder, *options, launcher=()):
    """Start ``glassnet train`` on digits."""
    command = [
        *launcher,
        sys.executable,
        "-m",
        "glassnet",
        "train",
        "digits",
        "--layers",
        "64,16,10",
        "--no-report",
    ]
    command += ["--kernels", "numpy", "--threads", "1", "--run-dir", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@MPI
def test_mpirun_trains_as_one_process_does(tmp_path):
    launcher = (MPIRUN, "-n", "2")
    options = ("--epochs", "3", "--dropout", "0.2", "--batch-size", "100")
    with train(tmp_path / "two", *options, launcher=launcher) as two, train(tmp_path / "one", *options) as one:
        said, told = two.communicate(timeout=120)
        one.communicate(timeout=120)
    assert (two.returncode, one.returncode) == (0, 0)
    assert "2 processes train together, 2 of them on this machine" in told
    assert said.count("test accuracy") == 1
    models = [load_model(tmp_path / name).network.theta for name in ("one", "two")]
    np.testing.assert_allclose(*models, rtol=0, atol=1e-5)


@MPI
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_death_or_a_signal_ends_all_and_leaves_the_checkpoint(tmp_path, number):
    options = ("--epochs", "10000", "--checkpoint-every", "1")
    process = train(tmp_path / "run", *options, launcher=(MPIRUN, "-n", "2"))
    end = time.monotonic() + 60
    history = tmp_path / "run" / "history.csv"
    while not history.exists() or history.read_text().count("\n") < 3:
        assert time.monotonic() < end
        time.sleep(0.05)
    family = children(process.pid)
    members = [pid for pid in family if b"glassnet" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
    victims = [pid for pid in members if b"mpirun" not in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(victims[-1] if number == signal.SIGKILL else process.pid, number)
    said = "".join(process.communicate(timeout=60))
    assert process.returncode != 0
    assert gone(family, 10.0), alive(family)
    assert ("TERMINATION" if number == signal.SIGKILL else "go on with: glassnet train --resume") in said
    epochs = history.read_text().count("\n") - 1
    command = [
        sys.executable,
        "-m",
        "glassnet",
        "train",
        "--resume",
        str(tmp_path / "run"),
        "--no-report",
        "--quiet",
    ]
    again = subprocess.run([*command, "--epochs", str(epochs + 2)], capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
