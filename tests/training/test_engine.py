"""Training with compiled kernels beside training with NumPy's: the same history, errors and interruptions."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from glassnet.data.dataset import Dataset
from glassnet.errors import UsageError
from glassnet.nn.activations import Activation
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.optimizers import SGD, Optimizer
from glassnet.runtime import compilation
from glassnet.runtime.blas import blas_threads, libraries
from glassnet.runtime.seeds import stream
from glassnet.runtime.threads import ThreadChoice
from glassnet.training import engine, trainer
from glassnet.training.callbacks import Callback
from glassnet.training.fit import fit
from glassnet.training.health.monitor import Monitor
from glassnet.training.metrics import evaluate
from glassnet.training.model_file import load_model
from glassnet.training.results import DivergenceError, Interrupted
from glassnet.training.run import resume
from glassnet.training.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("compiled_code")


def network(**options):
    return Network([5, 9, 3], "tanh", **{"dtype": "float64", "seed": 3, **options})


def train(data, *, net=None, **options):
    """Train with batches of 30: with the blobs' 84 rows three steps an epoch, the last one short."""
    options = {
        "optimizer": SGD(0.1),
        "batch_size": 30,
        "epochs": 3,
        "kernels": "numba",
        "progress": False,
        **options,
    }
    return fit(network() if net is None else net, data, **options)


def columns(run, *names):
    return np.array([run.history[name] for name in names], float)


LOSSES = ("train_loss", "validation_loss")
ACCURACIES = ("train_accuracy", "validation_accuracy")


@pytest.fixture
def pieces(monkeypatch):
    """``pieces(seconds)``: how much work the loop does before it looks up; 0 is a single step."""

    def last(seconds):
        monkeypatch.setattr(trainer, "PIECE", seconds)
        monkeypatch.setattr(trainer, "TRIAL", seconds)

    return last


@pytest.fixture
def worthwhile(monkeypatch):
    """Nothing is too small to be compiled."""
    monkeypatch.setattr(engine, "WORTH_COMPILING", 0)


def test_a_small_network_is_examined_by_the_thread_that_it_learns_with(blobs, monkeypatch):
    counts, examine = [], Monitor.examine

    def counting(self, done):
        counts.append(libraries()[0]["threads"])
        examine(self, done)

    monkeypatch.setattr(Monitor, "examine", counting)
    with blas_threads() as use_threads:
        use_threads(2)
        train(blobs(), kernels="numpy", epochs=1)
    assert set(counts) == {1}


# The same run


@pytest.mark.parametrize("options", [{}, {"batch_size": 84}, {"samples_per_epoch": 50}], ids=str)
def test_the_history_is_that_of_numpy(blobs, options):
    compiled, plain = (train(blobs(), kernels=kernels, epochs=6, **options) for kernels in ("numba", "numpy"))
    assert (compiled.config.environment["kernels"], plain.config.environment["kernels"]) == ("numba", "numpy")
    np.testing.assert_allclose(columns(compiled, *LOSSES), columns(plain, *LOSSES), rtol=1e-11)
    np.testing.assert_array_equal(columns(compiled, *ACCURACIES), columns(plain, *ACCURACIES))
    np.testing.assert_allclose(compiled.network.theta, plain.network.theta, rtol=1e-9)
    assert compiled.network.fingerprint() != network().fingerprint()


def test_bytes_are_learned_in_float32(digits):
    data = Dataset.from_arrays((digits.encoded.train.X * 255).astype(np.uint8), digits.train.y)
    runs = [
        train(data, net=Network([64, 32, 10]), optimizer="adam", epochs=12, batch_size=32, kernels=kernels)
        for kernels in ("numba", "numpy")
    ]
    assert evaluate(runs[0].network, data).accuracy > 0.9
    np.testing.assert_allclose(columns(runs[0], *LOSSES), columns(runs[1], *LOSSES), rtol=1e-2)
    assert np.abs(columns(runs[0], *ACCURACIES) - columns(runs[1], *ACCURACIES)).max() < 0.02


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("seconds", [0, 100])
def test_an_epochs_figures_count_every_row_once(blobs, reduction, seconds, pieces):
    pieces(seconds)
    data, net = blobs(), network(loss=f"cross_entropy({reduction})")
    run = train(data, net=net, optimizer=SGD(1e-300), epochs=2)
    expected = evaluate(net, data.train)
    for record in run.history:
        assert record.train_loss == pytest.approx(expected.loss, rel=1e-12)
        assert record.train_accuracy == expected.accuracy


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_how_much_is_done_at_once_does_not_change_a_bit(blobs, pieces, kernels, reduction):
    """It is a matter of time, on which no result may depend."""
    runs = []
    for seconds in (0, 100):
        pieces(seconds)
        net = network(loss=f"cross_entropy({reduction})")
        runs.append(train(blobs(), net=net, kernels=kernels, batch_size=8))
    assert runs[0].network.fingerprint() == runs[1].network.fingerprint()
    assert [runs[0].history[name] for name in LOSSES] == [runs[1].history[name] for name in LOSSES]


# Threads


def test_the_bits_are_the_same_again_and_with_fixed_threads(blobs):
    free = train(blobs())
    shares = int(free.config.environment["threads"])
    again, fixed = train(blobs()), train(blobs(), threads=shares)
    assert free.network.fingerprint() == again.network.fingerprint() == fixed.network.fingerprint()
    assert free.history["train_loss"] == again.history["train_loss"] == fixed.history["train_loss"]
    assert fixed.history["threads"] == [shares] * 3
    assert set(free.history["threads"]) <= set(range(1, shares + 1))


def test_the_bits_do_not_depend_on_what_the_process_may_use(blobs, monkeypatch):
    free = train(blobs())
    for name in ("usual_threads", "available_cores"):
        with monkeypatch.context() as less:
            less.setattr(engine, name, lambda: 1)
            bound = train(blobs())
        assert bound.network.fingerprint() == free.network.fingerprint()
        assert bound.history["threads"] == [1] * 3


def test_a_run_may_be_resumed_with_other_cores(blobs, tmp_path, monkeypatch):
    whole = train(blobs(), epochs=4, threads=None)
    train(blobs(), epochs=2, run_dir=tmp_path / "run")
    for name in ("usual_threads", "available_cores"):
        monkeypatch.setattr(engine, name, lambda: 5)
    resumed = resume(tmp_path / "run", blobs(), epochs=4, progress=False)
    assert resumed.config.environment["threads"] == "5"
    assert resumed.network.fingerprint() == whole.network.fingerprint()


PROGRAM = """
import os, sys, joblib, numpy as np, glassnet as gn

def train(seed):
    X = np.random.default_rng(0).normal(size=(600, 9)).astype(np.float32)
    net = gn.Network([9, 40, 2], seed=seed, dropout=0.1)
    data = gn.Dataset.from_arrays(X, (X[:, 0] > 0).astype(int))
    run = gn.fit(net, data, epochs=2, kernels="numba", progress=False)
    return run.network.fingerprint(), run.history.last.validation_loss

if __name__ == "__main__":
    if "ONE_CORE" in os.environ and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(joblib.Parallel(n_jobs=2)(joblib.delayed(train)(seed) for seed in (0, 1)))
    print([train(seed) for seed in (0, 1)])
"""


@pytest.mark.slow
def test_workers_of_joblib_and_bound_processes_give_the_same_bits(tmp_path):
    path, answers = tmp_path / "program.py", []
    path.write_text(PROGRAM)
    for variables in {}, {"OMP_NUM_THREADS": "1"}, {"ONE_CORE": "yes"}:
        answer = subprocess.check_output([sys.executable, path], text=True, env=os.environ | variables)
        answers += answer.splitlines()
    assert len(answers) == 6
    assert len(set(answers)) == 1


def test_threads_may_change_at_any_step_without_changing_a_bit(blobs, pieces, monkeypatch):
    options = {"threads": 3, "batch_size": 29}  # a kind of step of its own: what is found out is remembered
    fixed, used = train(blobs(), **options), []
    pieces(0)

    def observe(self, seconds):
        used.append(self.count)
        self.count = self.count % self.most + 1

    monkeypatch.setattr(ThreadChoice, "observe", observe)
    changing = train(blobs(), **options)
    assert set(used) == {1, 2, 3}
    assert changing.network.fingerprint() == fixed.network.fingerprint()
    assert changing.history["train_loss"] == fixed.history["train_loss"]
    assert changing.history["threads"] != [3, 3, 3]


def test_more_threads_than_there_is_work(blobs):
    run = train(blobs(), threads=11)
    np.testing.assert_allclose(run.network.theta, train(blobs(), threads=1).network.theta, rtol=1e-9)
    assert run.history["threads"] == [11] * 3
    assert run.config.environment["threads"] == "11"


def test_far_too_many_threads_are_fewer_and_this_is_said(blobs, monkeypatch):
    monkeypatch.setattr(engine, "MOST_SHARES", 3)
    with pytest.warns(UserWarning, match="threads: a compiled step takes 3 at most, not 1000"):
        run = train(blobs(), threads=1000, kernels="numba")
    assert run.history["threads"] == [3] * 3


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_runs_side_by_side_do_not_disturb_each_other(blobs, kernels):
    alone = [
        train(blobs(), net=network(seed=seed), kernels=kernels, threads=2).network.fingerprint() for seed in (1, 2)
    ]
    together = [None, None]

    def work(place):
        together[place] = train(
            blobs(), net=network(seed=place + 1), kernels=kernels, threads=2
        ).network.fingerprint()

    workers = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert together == alone
    assert alone[0] != alone[1]


def test_the_threads_end_with_the_run(blobs):
    before = threading.active_count()
    train(blobs(), threads=3)
    with pytest.raises(DivergenceError):
        train(blobs(), net=explosive(), optimizer=Exploding(), threads=3)
    assert threading.active_count() == before


def blas_counts():
    return [library["threads"] for library in libraries()]


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
@pytest.mark.parametrize("threads", [1, 2, None])
def test_the_threads_of_blas_come_back(blobs, kernels, threads):
    before = blas_counts()
    options = {"kernels": kernels, "threads": threads}
    train(blobs(), **options)
    assert blas_counts() == before
    with pytest.raises(DivergenceError):
        train(blobs(), net=explosive(), optimizer=Exploding(), **options)
    assert blas_counts() == before
    with pytest.raises(UsageError):
        train(blobs(), batch_size=1000, **options)
    assert blas_counts() == before


# Numbers that are none


@dataclass(frozen=True)
class Exploding(Optimizer):
    """Descent, until one step throws theta out of all bounds, or beyond infinity."""

    learning_rate: float = 0.1
    at: int = 1
    size: float = 1e150
    name = "exploding"
    memory_vectors = 0

    @staticmethod
    def rule(theta, g, t, eta, at, size):
        return (np.where(np.equal(t, at), theta * size * size, theta - eta * g),)


def explosive(**options):
    return Network([5, 9, 3], "relu", dtype="float64", seed=3, bias_initializer="normal", **options)


@pytest.mark.parametrize(
    ("at", "size", "validation", "said"),
    [
        (1, 1e150, 20, "epoch 1, step 2: the loss became nan: it began in layer 2, "),
        (7, 1e150, 20, "epoch 3, step 2: the loss became nan: it began in layer 2, "),
        (8, 1e150, 0, "epoch 3, step 3: the loss became nan: it began in layer 2, "),
        (9, 1e150, 0, "epoch 4, step 1: the loss became nan: it began in layer 2, "),
        (9, 1e150, 20, "epoch 3, step 3: the loss became nan: it began in layer 2, "),  # of the validation rows
        (9, 1e200, 20, "epoch 3, step 3: the parameter W1[0, 0] became "),
        (9, 1e200, 0, "epoch 3, step 3: the parameter W1[0, 0] became "),
    ],
)
def test_a_divergence_is_told_as_with_numpy(blobs, tmp_path, at, size, validation, said):
    data = blobs(130 if validation else 105, validation=validation)
    assert len(data.train.y) == 84
    errors, nets = [], []
    for kernels in ("numba", "numpy"):
        nets.append(explosive())
        with pytest.raises(DivergenceError) as caught:
            train(data, net=nets[-1], optimizer=Exploding(at=at, size=size), kernels=kernels, epochs=5,
                  run_dir=tmp_path / kernels)  # fmt: skip
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
    assert errors[0].startswith(said)
    whole = 3 if said.startswith("epoch 4") else (at - 1) // 3
    assert errors[0].endswith(f"The network is back at its state after epoch {whole}")
    before = explosive()
    if whole == 3:
        before.theta[:] = nets[1].theta
    elif whole:
        train(data, net=before, optimizer=SGD(0.1), epochs=whole, kernels="numpy")
    np.testing.assert_allclose(nets[0].theta, before.theta, rtol=1e-10)
    assert nets[0].fingerprint() == load_model(tmp_path / "numba").network.fingerprint()
    assert RunFolder(tmp_path / "numba").history()["epoch"] == list(range(1, whole + 1))


# Interruptions


class Interrupting:
    """In place of the progress bar: after some pieces of work, Ctrl-C."""

    after = 0

    def __init__(self, *_, **__):
        self.pieces = 0

    def __enter__(self):
        return self

    def __exit__(self, *_): ...

    def skip(self, steps): ...

    def step(self, epoch, steps):
        self.pieces += 1
        if self.pieces == self.after:
            os.kill(os.getpid(), signal.SIGINT)

    def epoch(self, record): ...


@pytest.mark.parametrize("after", [1, 3, 8])
def test_ctrl_c_ends_after_the_step_with_all_saved(blobs, tmp_path, pieces, monkeypatch, after):
    pieces(0)
    monkeypatch.setattr(trainer, "TrainingProgress", type("At", (Interrupting,), {"after": after}))
    data, net, before = blobs(), network(), blas_counts()
    with pytest.raises(Interrupted) as caught:
        train(data, net=net, optimizer=SGD(0.1), epochs=5, run_dir=tmp_path / "run")
    assert blas_counts() == before
    assert caught.value.run.stopped == "interrupted"
    assert len(caught.value.run.history) == (after - 1) // 3
    by_hand, targets, rng, steps = (
        network(class_names=data.class_names),
        np.eye(3)[data.train.y],
        stream(3, "shuffling"),
        0,
    )
    while steps < after:
        for rows in np.split(rng.permutation(84), [30, 60])[: after - steps]:
            by_hand.backward(by_hand.forward(data.train.X[rows].astype(float)), targets[rows])
            by_hand.theta -= 0.1 * by_hand.gradient
            steps += 1
    np.testing.assert_allclose(net.theta, by_hand.theta, rtol=1e-11)
    assert load_model(tmp_path / "run").network.fingerprint() == net.fingerprint()


def test_ctrl_c_at_any_moment_leaves_a_finite_network(blobs):
    class Impatient(Callback):
        def on_epoch_end(self, run):
            if len(run.history) == 1:  # Ctrl-C ends a training gently only once it has begun
                self.timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
                self.timer.start()

    net, impatient = network(), Impatient()
    with pytest.raises(Interrupted) as caught:
        train(blobs(), net=net, epochs=10**6, threads=2, callbacks=[impatient])
    impatient.timer.join()
    assert np.isfinite(net.theta).all()
    assert caught.value.run.network is net


def test_ctrl_c_at_a_step_that_ends_in_infinity_leaves_the_last_finite_state(blobs, pieces, monkeypatch):
    pieces(0)
    monkeypatch.setattr(trainer, "TrainingProgress", type("At", (Interrupting,), {"after": 5}))
    net, one = explosive(), explosive()
    with pytest.raises(Interrupted):
        train(blobs(), net=net, optimizer=Exploding(at=5, size=1e200), epochs=5)
    train(blobs(), net=one, optimizer=Exploding(at=5), epochs=1)
    assert net.fingerprint() == one.fingerprint()


# Which kernels


def test_small_runs_are_not_compiled_and_large_ones_are(blobs, monkeypatch):
    assert train(blobs(), kernels="auto").config.environment["kernels"] == "numpy"
    work = 84 * len(network().theta)
    for limit, kernels in ((work, "numba"), (work + 1, "numpy")):
        monkeypatch.setattr(engine, "WORTH_COMPILING", limit)
        assert train(blobs(), kernels="auto").config.environment["kernels"] == kernels
    assert engine.WORTH_COMPILING > 1


def test_what_a_training_compiles_is_not_compiled_by_two_processes(blobs, monkeypatch):
    alone = []

    def note(*_, **__):
        alone.append(compilation._held.get() is not None)
        raise engine.UntraceableError("that was seen")

    monkeypatch.setattr(engine, "Program", note)
    with pytest.raises(UsageError, match="that was seen"):
        train(blobs())
    assert alone == [True]
    assert compilation._held.get() is None


UNTRACEABLE = {
    "activation": {"net": lambda: Network([5, 9, 3], Activation("sinc", np.sinc, lambda z, h: np.cos(z)), seed=3)},
    "loss": {"net": lambda: network(loss=Loss("mean", lambda a, y: (np.mean((a - y) ** 2, axis=1), a - y)))},
    "branch": {"optimizer": lambda: Switching()},
    "type": {"data": np.float16},
}


@dataclass(frozen=True)
class Switching(Optimizer):
    learning_rate: float = 0.1
    name = "switching"
    memory_vectors = 0

    @staticmethod
    def rule(theta, g, t, eta):
        return (theta - eta * g,) if t % 2 else (theta - eta * np.sign(g),)


@pytest.mark.parametrize("case", UNTRACEABLE.values(), ids=UNTRACEABLE)
def test_what_cannot_be_compiled_is_evaluated_by_numpy_with_a_warning(blobs, worthwhile, case):
    data = blobs()
    if "data" in case:
        X = data.train.X.astype(case["data"])
        data = Dataset.from_arrays(X, data.train.y, validation=10)
    options = {name: case[name] for name in ("net", "optimizer") if name in case}
    with pytest.warns(UserWarning, match=r"^kernels: numpy, because of this: ") as caught:
        run = train(data, kernels="auto", **{name: make() for name, make in options.items()})
    assert caught[0].filename == __file__
    assert "\n" not in str(caught[0].message)
    assert run.config.environment["kernels"] == "numpy"
    plain = train(data, kernels="numpy", **{name: make() for name, make in options.items()})
    assert run.network.fingerprint() == plain.network.fingerprint()
    net = options["net"]() if "net" in options else network()
    before = net.fingerprint()
    with pytest.raises(UsageError, match=r"^kernels: numba: .*; take numpy$") as caught:
        train(data, net=net, **{name: make() for name, make in options.items() if name != "net"})
    assert "\n" not in str(caught.value)
    assert net.fingerprint() == before
    assert net.class_names is None


def test_without_numba_numpy_does_all_without_a_word(blobs, worthwhile, monkeypatch):
    monkeypatch.setattr(engine, "numba_version", lambda: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = train(blobs(), kernels="auto")
    assert run.config.environment["kernels"] == "numpy"
    with pytest.raises(
        UsageError, match=r"^kernels: numba: Numba is not installed \(pip install 'glassnet\[fast\]'\)"
    ):
        train(blobs())


def test_without_fused_multiply_adds_numpy_does_all(blobs, worthwhile, monkeypatch):
    monkeypatch.setattr(engine, "vector_bytes", lambda: 0)
    with pytest.warns(UserWarning, match="the processor has no fused multiply-adds"):
        run = train(blobs(), kernels="auto")
    assert run.config.environment["kernels"] == "numpy"
    with pytest.raises(UsageError, match="the processor has no fused multiply-adds"):
        train(blobs())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kernels": "fortran"}, "kernels: input should be 'auto', 'numba' or 'numpy', got 'fortran'"),
        ({"threads": 0}, "threads: input should be greater than or equal to 1, got 0"),
        ({"threads": 1.5}, "threads: "),
    ],
)
def test_kernels_and_threads_that_do_not_exist_are_refused(blobs, options, said):
    with pytest.raises(UsageError) as caught:
        train(blobs(), **options)
    assert str(caught.value).startswith(said)


def test_runs_side_by_side_have_the_bits_of_each_alone(blobs):
    """A run has BLAS take one thread; the next one is not to think that there are no more."""
    alone = train(blobs())
    with blas_threads() as use:
        use(1)
        beside = train(blobs())
    assert beside.network.fingerprint() == alone.network.fingerprint()
    assert beside.config.environment["threads"] == alone.config.environment["threads"]
