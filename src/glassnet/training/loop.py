"""The training loop."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.large import is_mapped, release
from glassnet.errors import GlassnetError, NonFiniteError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS, Optimizer, OptimizerState
from glassnet.runtime.blas import blas_threads
from glassnet.runtime.environment import environment
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.runtime.seeds import stream
from glassnet.training.config import NetworkConfig, RunConfig, TrainingConfig, validated
from glassnet.training.engine import make_engine
from glassnet.training.history import EpochRecord, History
from glassnet.training.metrics import RunningMetrics, evaluate
from glassnet.training.progress import TrainingProgress
from glassnet.training.run_folder import RunFolder
from glassnet.training.sampling import Sampler

#: Seconds between two saves of a run in progress.
SAVE_EVERY = 30.0

#: Seconds of work between two looks at the clock, the progress and Ctrl-C; and to try a number of threads with.
PIECE, TRIAL = 0.03, 0.008


@dataclass
class Run:
    """What came of training.

    Attributes
    ----------
    network : Network
        Trained, in place.
    history : History
        One record for each epoch that was finished.
    config : RunConfig
        What would make it again.
    folder : Path or None
        Where it is saved.
    stopped : str
        Why it ended: ``"epochs"``, ``"interrupted"`` or ``"non-finite"``; empty while it goes on.
    """

    network: Network
    history: History
    config: RunConfig
    folder: Path | None
    stopped: str = ""


class DivergenceError(NonFiniteError):
    """The loss became NaN or infinite.

    Attributes
    ----------
    run : Run
        What was learned before.
    """

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple[type[DivergenceError], tuple[str, Run]]:
        """Pickle by the two arguments, so that a worker process can raise it."""
        return type(self), (str(self), self.run)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM arrived; the batch was finished and the work saved.

    Attributes
    ----------
    run : Run
        What was learned so far.
    signal : signal.Signals
        What arrived.
    """

    def __init__(self, run: Run, signal: Signals) -> None:
        where = f"; saved in {run.folder}" if run.folder else ""
        super().__init__(f"stopped after {len(run.history)} whole epochs{where}")
        self.run = run
        self.signal = signal

    def __reduce__(self) -> tuple[type[Interrupted], tuple[Run, Signals]]:
        """Pickle by the two arguments, so that a worker process can raise it."""
        return type(self), (self.run, self.signal)


def fit(
    network: Network,
    data: Dataset,
    *,
    optimizer: str | Optimizer = "adam",
    epochs: int = 10,
    batch_size: int | None = None,
    samples_per_epoch: float | None = None,
    sampling: str = "fresh",
    seed: int | None = None,
    kernels: str = "auto",
    threads: int | None = None,
    run_dir: str | Path | None = None,
    progress: bool = True,
) -> Run:
    """Train a network, in place.

    Parameters
    ----------
    network : Network
        Its theta is where training starts; its class names become those of the data.
    data : Dataset
        Trained on ``data.train``, watched on ``data.validation`` unless that is empty; ``data.test`` is not
        touched.
    optimizer : str or Optimizer, default "adam"
        A name from `OPTIMIZERS`, with options if need be, ``"momentum(0.05, momentum=0.8)"``; or an object.
    epochs : int, default 10
        Passes over the training rows, or over as many as ``samples_per_epoch`` says.
    batch_size : int, optional
        Rows of a step; 128, or all of them where there are fewer. `GD` takes all rows of an epoch at once.
    samples_per_epoch : int or float, optional
        Number of training rows an epoch takes, or a share of them up to 1.0. Default: all.
    sampling : {"fresh", "first"}
        Whether an epoch's rows are drawn afresh from all, or are always the first ones.
    seed : int, optional
        Decides which rows and their order; by default the network's own seed.
    kernels : {"auto", "numba", "numpy"}
        "numpy" evaluates the formulas as they stand, "numba" compiles them; "auto" compiles where Numba is
        installed and parameters times rows of an epoch are 2e8 or more. The two differ by rounding.
    threads : int, optional
        Threads of this run, the same from beginning to end. By default as many as are fastest, measured at the
        start and corrected when the machine becomes busy; the history says how many. Compiled, the result does
        not depend on how many of them are at work. As NumPy evaluates it, it does by rounding; there a small
        network (as above) takes one thread.
    run_dir : str or Path, optional
        Folder to save the run in; it must be new or empty. None: nothing is written.
    progress : bool, default True
        Show the progress on stderr.

    Returns
    -------
    Run
        The network, its history, and the configuration that would make them again.

    Raises
    ------
    UsageError, DataError
        If options, network and data do not fit; nothing has been changed then.
    FileError
        If the run folder cannot be written.
    DivergenceError
        If the loss becomes NaN or infinite; the message says at which epoch and step, and in which layer that
        began. The network, and the run folder, hold the state after the last whole epoch.
    Interrupted
        After Ctrl-C or SIGTERM; it is a `KeyboardInterrupt` and carries the run.

    Examples
    --------
    >>> from glassnet.data.registry import load_dataset
    >>> run = fit(Network([64, 32, 10]), load_dataset("digits"), epochs=20, progress=False)
    >>> run.history.last.validation_accuracy > 0.9
    True
    """
    rule = OPTIMIZERS.resolve(optimizer)
    options = validated(
        TrainingConfig,
        {
            "optimizer": rule.spec,
            "epochs": epochs,
            "batch_size": batch_size,
            "samples_per_epoch": samples_per_epoch,
            "sampling": sampling,
            "kernels": kernels,
            "threads": threads,
        },
    )
    config = _describe(network, data, options, network.seed if seed is None else seed)
    run = Run(network, History(), config, None if run_dir is None else Path(run_dir))
    before, network.class_names = network.class_names, data.class_names
    with blas_threads() as use_threads, np.errstate(all="ignore"):  # every loss is checked instead
        try:
            learner = _Learner(network, data, rule, config, use_threads)
            folder = RunFolder.create(run.folder, learner.config, network, data.encoder) if run.folder else None
        except GlassnetError:
            network.class_names = before
            raise
        run.config = learner.config
        with contextlib.closing(learner.engine), GracefulInterrupts() as interrupts:
            try:
                _train(learner, run, folder, interrupts, progress)
            except NonFiniteError as error:
                run.stopped = "non-finite"
                learner.restore()
                raise DivergenceError(
                    f"{learner.place}: {error}. learning_rate {rule.learning_rate:g} is probably too large; "
                    f"the network is back at its state after epoch {len(run.history)}",
                    run,
                ) from None
            finally:
                if folder and run.stopped:
                    folder.save(network, run.history)
    if run.stopped == "interrupted" and interrupts.signal is not None:
        raise Interrupted(run, interrupts.signal)
    return run


def _describe(network: Network, data: Dataset, training: TrainingConfig, seed: int) -> RunConfig:
    """Return the configuration of a run that was started from Python."""
    description = network.description()
    description["seed"] = network.seed if network.seed != seed else None
    return validated(
        RunConfig,
        {
            "seed": seed,
            "data": {
                "dataset": data.name,
                "validation": data.validation_size,
                "split_seed": data.split_seed,
                **data.origin,
            },
            "network": NetworkConfig(
                **{key: value for key, value in description.items() if key in NetworkConfig.model_fields}
            ),
            "training": training,
            "checksums": data.checksums,
            "start": network.fingerprint(),
            "environment": environment(),
        },
    )


class _Learner:
    """Network, data and optimizer, checked against each other before anything is changed."""

    def __init__(
        self,
        network: Network,
        data: Dataset,
        optimizer: Optimizer,
        config: RunConfig,
        use_threads: Callable[[int], None],
    ) -> None:
        training = config.training
        self.sampler = Sampler.plan(
            len(data.train.y),
            batch_size=training.batch_size,
            samples_per_epoch=training.samples_per_epoch,
            sampling=training.sampling,
            full_batch=optimizer.full_batch,
            in_blocks=is_mapped(data.train.X),
        )
        self.watched = len(data.validation.y) > 0
        X, targets = network.check_data(*data.train)
        if self.watched:
            network.check_data(*data.validation)
        self.network, self.data, self.optimizer = network, data, optimizer
        self.state: OptimizerState = optimizer.start(network.theta)
        self.rng = stream(config.seed, "shuffling")
        self.engine = make_engine(
            network,
            optimizer,
            self.state,
            X,
            targets,
            batch_size=self.sampler.batch_size,
            samples=self.sampler.samples,
            kernels=training.kernels,
            threads=training.threads,
            use_threads=use_threads,
        )
        used = {"kernels": self.engine.kernels, "threads": str(self.engine.threads.most)}
        self.config = config.model_copy(update={"environment": config.environment | used})
        self.last_finite = network.theta.copy()
        self.place = "before epoch 1"
        self.warm = False
        self.steps = 1

    def epoch(self, number: int) -> Iterator[tuple[Array, list[float], Array]]:
        """Take an epoch's steps; yield some rows at a time, with each step's loss and the outputs before it."""
        order, size, threads = self.sampler.order(self.rng), self.sampler.batch_size, self.engine.threads
        began = time.perf_counter()
        first = 0
        while first < len(order):
            rows = order[first : first + self.steps * size]
            start = time.perf_counter()
            losses, outputs, problem = self.engine.take(rows)
            release(self.data.train.X)
            self.place = f"epoch {number}, step {first // size + len(losses) + (problem is not None)}"
            if problem is not None:
                raise problem
            seconds = (time.perf_counter() - start) / len(losses)
            if self.warm and (threads.trying or not self.engine.steady):
                threads.observe(seconds)
            self.warm = True
            first += len(rows)
            self.steps = max(1, int((TRIAL if threads.trying else PIECE) / seconds))
            yield rows, losses, outputs
        if self.engine.steady and not threads.trying:
            threads.observe((time.perf_counter() - began) / self.sampler.steps)

    def validate(self) -> RunningMetrics | None:
        """Evaluate after an epoch, and keep theta as the last finite one."""
        self.engine.store()
        theta = self.network.theta
        bad = np.flatnonzero(~np.isfinite(theta))
        if len(bad):
            raise NonFiniteError(f"the parameter {self.network.parameters.name(bad[0])} became {theta[bad[0]]}")
        metrics = evaluate(self.network, self.data.validation) if self.watched else None
        self.last_finite[:] = theta
        return metrics

    def stop(self) -> None:
        """End in the middle of an epoch, at a finite theta."""
        self.engine.store()
        if not np.isfinite(self.network.theta).all():
            self.restore()

    def restore(self) -> None:
        """Go back to the last finite theta."""
        self.network.theta[:] = self.last_finite


def _train(
    learner: _Learner, run: Run, folder: RunFolder | None, interrupts: GracefulInterrupts, progress: bool
) -> None:
    """Run the epochs, until they are done or a signal arrives, and say which in ``run.stopped``."""
    epochs = run.config.training.epochs
    saved = time.monotonic()
    with TrainingProgress(epochs, learner.sampler.steps, enabled=progress) as bar:
        for epoch in range(1, epochs + 1):
            began = time.perf_counter()
            metrics = RunningMetrics(run.network)
            for rows, losses, outputs in learner.epoch(epoch):
                metrics.add(losses, outputs, learner.data.train.y[rows], learner.sampler.batch_size)
                bar.step(epoch, len(losses))
                if interrupts.signal is not None:
                    run.stopped = "interrupted"
                    learner.stop()
                    return
            validation = learner.validate()
            record = EpochRecord(
                epoch,
                metrics.loss,
                metrics.accuracy,
                validation.loss if validation else None,
                validation.accuracy if validation else None,
                learner.optimizer.learning_rate,
                time.perf_counter() - began,
                learner.engine.threads.count,
            )
            run.history.append(record)
            bar.epoch(record)
            if folder and time.monotonic() - saved > SAVE_EVERY:
                folder.save(run.network, run.history)
                saved = time.monotonic()
    run.stopped = "epochs"
