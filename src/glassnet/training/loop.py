"""The training loop."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

import numpy as np

from glassnet.data.augmentation import Augmentation
from glassnet.data.dataset import Dataset
from glassnet.errors import DataError, FileError, GlassnetError, NonFiniteError, UsageError
from glassnet.nn.network import Network
from glassnet.nn.optimizers import OPTIMIZERS, Optimizer
from glassnet.nn.quasi_newton import LBFGS
from glassnet.nn.schedules import SCHEDULES, Constant
from glassnet.runtime.blas import blas_threads
from glassnet.runtime.environment import environment
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.training.callbacks import Callback
from glassnet.training.checkpoint import Checkpoint
from glassnet.training.config import RunConfig, check_data, resolve_options
from glassnet.training.early_stopping import EARLY_STOPPING
from glassnet.training.health.monitor import Health
from glassnet.training.history import EpochRecord, History
from glassnet.training.keeper import Keeper
from glassnet.training.learner import Learner, Rules
from glassnet.training.model_file import network_from
from glassnet.training.option_errors import validated
from glassnet.training.options import NetworkConfig, TrainingConfig, takes_training_options
from glassnet.training.progress import TrainingProgress
from glassnet.training.row_weights import fingerprint
from glassnet.training.run_folder import RunFolder


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
        Why it ended: ``"epochs"``, ``"early stopping"``, ``"interrupted"``, ``"non-finite"``, or what a callback
        said; empty while it goes on.
    best_epoch : int or None
        The epoch whose parameters the network has, where early stopping chose it.
    unsaved : FileError or None
        Why the folder does not hold the end of the run, where it could not be written.
    health : Health or None
        What is wrong with the network, if anything; None while it learns.
    """

    network: Network
    history: History
    config: RunConfig
    folder: Path | None
    stopped: str = ""
    best_epoch: int | None = None
    unsaved: FileError | None = None
    health: Health | None = None

    @property
    def chosen(self) -> EpochRecord | None:
        """The record of the epoch whose parameters the network has, so far as one is known."""
        if self.best_epoch is not None:
            return list(self.history)[self.best_epoch - 1]
        return self.history.last


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
        where = f"; saved in {run.folder}" if run.folder and run.unsaved is None else ""
        epochs = "1 whole epoch" if len(run.history) == 1 else f"{len(run.history)} whole epochs"
        super().__init__(f"stopped after {epochs}{where}")
        self.run = run
        self.signal = signal

    def __reduce__(self) -> tuple[type[Interrupted], tuple[Run, Signals]]:
        """Pickle by the two arguments, so that a worker process can raise it."""
        return type(self), (self.run, self.signal)


@takes_training_options
def fit(
    network: Network,
    data: Dataset,
    *,
    seed: int | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[Callback] = (),
    run_dir: str | Path | None = None,
    progress: bool = True,
    **options: Any,
) -> Run:
    """Train a network, in place.

    Parameters
    ----------
    network : Network
        Its theta is where training starts; its class names become those of the data.
    data : Dataset
        Trained on ``data.train``, watched on ``data.validation`` unless that is empty; ``data.test`` is not
        touched.
    seed : int, optional
        Decides which rows and their order, the masks of dropout, and how images are moved; by default the
        network's own seed.
    sample_weight : array_like of shape (n,), optional
        How much each training row counts, see `glassnet.training.row_weights`.
    callbacks : sequence of Callback, optional
        What is told of the run; see `glassnet.training.callbacks`.
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
        If the run folder cannot be made. One that cannot be written later on is a warning, and training goes on;
        the last good checkpoint stays.
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
    training, optimizer = resolve_options(options, inspect.signature(fit).parameters)
    rules = rules_of(training, optimizer)
    described = _describe(network, data, training, network.seed if seed is None else seed, sample_weight)
    run = Run(network, History(), described, None if run_dir is None else Path(run_dir))
    return _trained(run, data, rules, sample_weight, callbacks, progress, None)


def go_on(
    folder: RunFolder,
    data: Dataset,
    *,
    epochs: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
) -> Run:
    """Go on with the run of a folder from its checkpoint; see `glassnet.resume`."""
    with folder.take_up() as config:
        return _gone_on(folder, config, data, epochs, callbacks, progress)


def _gone_on(
    folder: RunFolder,
    config: RunConfig,
    data: Dataset,
    epochs: int | None,
    callbacks: Sequence[Callback],
    progress: bool,
) -> Run:
    """Go on with the run of a folder that is held."""
    checkpoint = folder.checkpoint()
    check_data(config, data)
    if (data.validation_size, data.split_seed) != (config.data.validation, config.data.split_seed):
        own = "the data's own" if config.data.validation is None else config.data.validation
        split = f"(validation: {own}, split_seed: {config.data.split_seed})"
        raise DataError(f"the data are split otherwise than the run's {split}")
    changes = {} if epochs is None else {"epochs": epochs}
    training = validated(TrainingConfig, config.training.model_dump() | changes)
    network = network_from(folder.checkpoint_path, checkpoint.values.get("network", {}), checkpoint.arrays)
    run = Run(network, History.from_csv(checkpoint.values["history"]), config, folder.path)
    begun = len(run.history) + (checkpoint.values.get("first", 0) > 0)
    if training.epochs < begun:
        raise UsageError("epochs", f"the run has had {len(run.history)} epochs; ask for {begun} or more")
    ended = checkpoint.values.get("ended", "")
    if ended != "epochs" or training.epochs == len(run.history):
        run.stopped = ended  # what is left to do, if anything, is to save the end of it
    run.config = config.model_copy(update={"training": training})
    rules = rules_of(training, OPTIMIZERS.resolve(training.optimizer))
    weights = checkpoint.arrays.get("sample_weight")
    return _trained(run, data, rules, weights, callbacks, progress, checkpoint)


def rules_of(training: TrainingConfig, optimizer: Optimizer) -> Rules:
    """Return the objects that the specifications of a configuration stand for."""
    stopping, schedule = training.early_stopping, SCHEDULES.resolve(training.schedule)
    if isinstance(optimizer, LBFGS) and schedule != Constant():
        raise UsageError("schedule", "the line search of lbfgs decides how far a step goes; leave it out")
    return Rules(
        optimizer,
        schedule,
        Augmentation.parse(training.augmentation),
        None if stopping is None else EARLY_STOPPING.resolve(stopping),
    )


def _trained(
    run: Run,
    data: Dataset,
    rules: Rules,
    sample_weight: Any,
    callbacks: Sequence[Callback],
    progress: bool,
    checkpoint: Checkpoint | None,
) -> Run:
    """Train, from the beginning or from a checkpoint, and see to it that everything is left in order."""
    network = run.network
    before, network.class_names = network.class_names, data.class_names
    with contextlib.ExitStack() as held:
        use_threads = held.enter_context(blas_threads())
        held.enter_context(np.errstate(all="ignore"))  # every loss is checked instead
        try:
            learner = Learner(network, data, rules, run.config, sample_weight, use_threads)
            held.enter_context(contextlib.closing(learner.engine))
            if checkpoint is not None:
                learner.go_on_from(checkpoint)
            run.config = learner.config
            keeper = held.enter_context(Keeper.open(run, learner, data, new=checkpoint is None))
        except GlassnetError:
            network.class_names = before
            raise
        interrupts = held.enter_context(GracefulInterrupts())
        held.enter_context(_told(callbacks, run))
        try:
            _train(learner, run, keeper, interrupts, callbacks, progress)
        except NonFiniteError as error:
            run.stopped = "non-finite"
            run.health = learner.health(run.history, lost=error)
            learner.restore()
            keeper.settle([keeper.save_model(), keeper.save_health()])
            lost = next(found for found in run.health.diagnoses if found.kind == "divergence")
            raise DivergenceError(
                f"{learner.place}: {error}; {lost.cause}{lost.advice}. "
                f"The network is back at its state after epoch {len(run.history)}",
                run,
            ) from None
    if run.stopped == "interrupted" and interrupts.signal is not None:
        raise Interrupted(run, interrupts.signal)
    return run


@contextlib.contextmanager
def _told(callbacks: Sequence[Callback], run: Run) -> Iterator[None]:
    """Tell callbacks of the beginning, and of the end whatever happens."""
    with contextlib.ExitStack() as ends:
        for callback in callbacks:
            ends.callback(_ended, callback, run)
        for callback in callbacks:
            callback.begin(run)
        yield


def _asked(callback: Callback, run: Run) -> str | None:
    """Tell a callback of an epoch; a file or server that fails it is said, and training goes on."""
    try:
        return callback.epoch(run)
    except FileError as error:
        warnings.warn(f"{error}; training goes on", stacklevel=2)
        return None


def _ended(callback: Callback, run: Run) -> None:
    """Tell a callback of the end, likewise."""
    try:
        callback.end(run)
    except FileError as error:
        warnings.warn(f"{error}", stacklevel=2)


def _train(
    learner: Learner,
    run: Run,
    keeper: Keeper,
    interrupts: GracefulInterrupts,
    callbacks: Sequence[Callback],
    progress: bool,
) -> None:
    """Run the epochs, until they are done or something ends them, and say what in ``run.stopped``."""
    epochs, done = run.config.training.epochs, len(run.history)
    if not run.stopped and learner.patience_ended:  # where a callback's error kept it from being said
        run.stopped = "early stopping"
    with TrainingProgress(epochs, learner.sampler.steps, enabled=progress) as bar:
        bar.skip(done * learner.sampler.steps + -(-learner.first // learner.sampler.batch_size))
        for epoch in range(done + 1, done + 1 if run.stopped else epochs + 1):
            for steps in learner.epoch(epoch):
                bar.step(epoch, steps)
                if interrupts.signal is not None:
                    run.stopped = "interrupted"
                    outcome = keeper.save_checkpoint() if learner.stop() else None
                    run.health = learner.health(run.history)
                    learner.leave()
                    keeper.settle([outcome, keeper.save_model(), keeper.save_health()])
                    return
            record = learner.end_epoch(epoch)
            run.history.append(record)
            bar.epoch(record)
            try:
                reasons = [_asked(callback, run) for callback in callbacks]
            except Exception:  # of a callback; what was learned is not lost with it
                keeper.save()
                raise
            run.stopped = next(filter(None, reasons), "early stopping" if learner.patience_ended else "")
            if run.stopped:
                break
            keeper.after_epoch(epoch)
    run.stopped = run.stopped or "epochs"
    outcome = keeper.save_checkpoint(ended=run.stopped)
    run.health = learner.health(run.history, warn=True)
    learner.finish()
    if learner.watch is not None and learner.watch.rule.restore_best:
        run.best_epoch = learner.watch.best_epoch or None
    keeper.settle([outcome, keeper.save_model(), keeper.save_health()])


def _describe(
    network: Network, data: Dataset, training: TrainingConfig, seed: int, sample_weight: Any
) -> RunConfig:
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
                "standardize": data.standardisation is not None,
                **data.origin,
            },
            "network": NetworkConfig(
                **{key: value for key, value in description.items() if key in NetworkConfig.model_fields}
            ),
            "training": training,
            "checksums": data.checksums,
            "start": network.fingerprint(),
            "sample_weight": fingerprint(sample_weight),
            "environment": environment(),
        },
    )
