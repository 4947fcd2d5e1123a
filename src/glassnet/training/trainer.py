"""The trainer: it builds the state of training, takes the steps of an epoch, evaluates after it, and finishes."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.large import release
from glassnet.errors import DataError, GlassnetError, NonFiniteError, UsageError
from glassnet.nn.activations import Array
from glassnet.nn.network import Network
from glassnet.nn.optimizers import KFAC
from glassnet.nn.targets import smooth
from glassnet.nn.update import UPDATE_OPTIONS, Update
from glassnet.runtime.blas import blas_threads
from glassnet.runtime.interrupts import GracefulInterrupts
from glassnet.training.callbacks import Callback, ask, calling
from glassnet.training.checkpointer import Checkpointer
from glassnet.training.components import Components
from glassnet.training.config import RunConfig
from glassnet.training.data_parallel import refuse_whole_batches
from glassnet.training.early_stopping import Watch
from glassnet.training.engine import make_engine
from glassnet.training.health.monitor import MEASURED_ROWS, Monitor
from glassnet.training.history import EpochRecord
from glassnet.training.memory import refuse_too_large
from glassnet.training.metrics import RunningMetrics, take_labels
from glassnet.training.options import TrainingConfig
from glassnet.training.progress import TrainingProgress
from glassnet.training.results import DivergenceError, Interrupted, Run
from glassnet.training.row_weights import weigh_rows
from glassnet.training.sampling import Sampler, evenly_spread, start_generators
from glassnet.training.snapshots import Snapshots
from glassnet.training.step_context import StepContext, find_image_size
from glassnet.training.train_state import SavedState, TrainState, copy_parameters
from glassnet.training.validation import Validation

#: Seconds of work between two looks at the clock, the progress and Ctrl-C; and to try a number of threads with.
PIECE, TRIAL = 0.03, 0.008


class Trainer:
    """Network, data and options, checked against each other before anything is changed. `open` makes one.

    `state` is all that changes from here on; `run` what comes of it, whose configuration says which engine takes
    the steps; `context` what the engine takes them with.
    """

    def __init__(
        self,
        network: Network,
        data: Dataset,
        config: RunConfig,
        components: Components,
        sample_weight: Any,
        folder: Path | None,
        use_threads: Callable[[int], None],
    ) -> None:
        self.data, self.components, self.training = data, components, config.training
        training = config.training
        self.sampler = components.sampler or Sampler.of_run(training, components.optimizer, data)
        self.total_steps = training.epochs * self.sampler.steps
        schedule = components.schedule.start()
        self._factors(np.array([1]), schedule)  # refuses a warm-up that is longer than the run
        X, targets = network.check_data(*data.encoded.train)
        self.labels = take_labels(data.encoded.train.y, data.schema.target)
        self.validation = Validation(network, data, training.metrics, components.early_stopping)
        self._check_options(network, training)
        update = Update(components.optimizer, **{name: getattr(training, name) for name in UPDATE_OPTIONS})
        refuse_too_large(network, update, self.sampler.batch_size, self.sampler.n)
        self.context = StepContext(
            network,
            update,
            update.start(network.parameters),
            X,
            smooth(targets, training.label_smoothing, network.loss.output),
            weigh_rows(data, self.sampler.n, training.class_weight, sample_weight, network.theta.dtype),
            find_image_size(data, components.augmentation),
            self.sampler.batch_size,
            config.seed,
            lambda numbers: self._factors(numbers, self.state.schedule),
        )
        self.engine = make_engine(
            self.context,
            samples=self.sampler.samples,
            kernels=training.kernels,
            threads=training.threads,
            begun=config.environment,
            use_threads=use_threads,
            group=components.group,
        )
        self.state = TrainState(
            network=network,
            average=None if training.ema is None and training.average_epochs is None else network.copy(),
            optimizer=self.context.state,
            schedule=schedule,
            generators=start_generators(config.seed),
            metrics=RunningMetrics(network),
            monitor=Monitor(
                self.context, training, data, self.sampler.n, self.sampler.steps, quiet=components.quiet
            ),
            watch=None if components.early_stopping is None else Watch(components.early_stopping),
            snapshots=Snapshots(network, wanted=not components.quiet),
            sample_weight=None if sample_weight is None else np.asarray(sample_weight, np.float64),
            planned_epochs=training.epochs,
            average_after=self._plan_average(),
        )
        used = {"kernels": self.engine.kernels, "threads": str(self.engine.shares)}
        used |= {} if components.group is None else {"processes": str(components.group.size)}
        config = config.model_copy(update={"environment": config.environment | used})
        self.run = Run(network, self.state.history, config, folder, data.schema, snapshots=self.state.snapshots)
        self.checkpointer = Checkpointer(self.run, self.state)
        self.generators = start_generators(config.seed)  # those that the present epoch draws from
        self.latest = 0  # the number of the latest step that was tried
        self.warm, self.steps, self.began = False, 1, 0.0  # of a piece of work

    @classmethod
    @contextlib.contextmanager
    def open(
        cls,
        network: Network,
        data: Dataset,
        config: RunConfig,
        components: Components,
        *,
        sample_weight: Any = None,
        folder: Path | None = None,
        saved: SavedState | None = None,
    ) -> Iterator[Trainer]:
        """Make a trainer and the folder of its run, and hold threads and folder as long as the context lasts.

        The network is trained in place; its class names become those of the data. `saved` is the state of a
        checkpoint, to continue from it; the caller then holds the folder.

        Raises `UsageError` or `DataError` if options, network and data do not fit, or the checkpoint does not:
        nothing has been changed then. Raises `FileError` if the folder cannot be made.
        """
        before, network.class_names = network.class_names, data.class_names
        scaled, network.scaled_inputs = network.scaled_inputs, data.schema.input.is_scaled
        with contextlib.ExitStack() as held:
            use_threads = held.enter_context(blas_threads())
            held.enter_context(np.errstate(all="ignore"))  # every loss is checked instead
            try:
                trainer = cls(network, data, config, components, sample_weight, folder, use_threads)
                held.enter_context(contextlib.closing(trainer.engine))
                if saved is not None:
                    trainer.load_state_dict(saved)
                held.enter_context(trainer.checkpointer.open(new=saved is None))
            except GlassnetError:
                network.class_names, network.scaled_inputs = before, scaled
                raise
            yield trainer

    def _check_options(self, network: Network, training: TrainingConfig) -> None:
        """Refuse options that do not go together."""
        stopping, optimizer = self.components.early_stopping, self.components.optimizer
        if training.ema is not None and training.average_epochs is not None:
            raise UsageError("average_epochs", "ema averages already; take one of the two")
        if stopping is not None and training.average_epochs is not None:
            raise UsageError("average_epochs", "early stopping knows no last epochs beforehand; take ema")
        if any(network.batch_norm) and self.sampler.batch_size == 1:
            raise UsageError("batch_size", "batch normalisation needs 2 rows or more in a batch")
        if self.components.group is not None:
            refuse_whole_batches(network, optimizer, training.kernels)
        if isinstance(optimizer, KFAC) and network.loss.reduction != "mean":
            raise UsageError("optimizer", "kfac needs a loss that is the mean over the rows; take adam")

    def _factors(self, numbers: Array, schedule: Any) -> Array:
        """Return what the schedule multiplies the step sizes of these steps by."""
        return self.components.schedule.factors(numbers, self.total_steps, self.sampler.steps, schedule)

    def _plan_average(self) -> int:
        """Return the epoch after which `average_epochs` begins to average, in a run of so many epochs."""
        return max(0, self.training.epochs - (self.training.average_epochs or 0))

    def load_state_dict(self, saved: SavedState) -> None:
        """Restore the state of a checkpoint; `DataError` if it does not fit the configuration."""
        state = self.state
        try:
            state.load_state_dict(saved)
            state.check_progress(self.sampler.samples, self.sampler.batch_size)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{self.checkpointer.source} does not fit the run's configuration: {error}") from None
        self.engine.load()
        done, self.latest = len(state.history), state.count_steps(self.sampler.samples, self.sampler.batch_size)
        if state.planned_epochs != self.training.epochs:  # it is to be a longer run than planned
            after = self._plan_average()
            begun = state.averaged_epochs != max(0, done - after)
            state.planned_epochs, state.average_after = self.training.epochs, max(done, after) if begun else after
        if state.ended == "epochs" and self.training.epochs > done:
            state.ended = ""
        self.run.history, self.run.stopped = state.history, state.ended

    def fit(
        self,
        callbacks: Sequence[Callback] = (),
        *,
        progress: bool = True,
        interrupts: GracefulInterrupts | None = None,
    ) -> Run:
        """Train until the epochs are done or something ends them, and say what in ``run.stopped``.

        The caller's own `interrupts` tell a thread of the signals that only the main thread receives.
        Raises `DivergenceError` if the loss becomes NaN or infinite, `Interrupted` after Ctrl-C or SIGTERM.
        """
        run, state, epochs = self.run, self.state, self.training.epochs
        if not run.stopped and self.patience_ended:  # where a callback's error kept it from being said
            run.stopped = "early stopping"
        bar = TrainingProgress(epochs, self.sampler.steps, enabled=progress)
        bar.skip(state.count_steps(self.sampler.samples, self.sampler.batch_size))
        waiting = GracefulInterrupts() if interrupts is None else contextlib.nullcontext(interrupts)
        with waiting as self.interrupts, calling(callbacks, run):
            try:
                with bar:
                    while not run.stopped and len(state.history) < epochs:
                        for steps in self.train_epoch():
                            bar.step(len(state.history) + 1, steps)
                            if self.engine.stops(self.interrupts.signal is not None):
                                self._stop_in_epoch()
                                raise Interrupted(run, self.interrupts.signal or signal.SIGINT)
                        bar.epoch(self.end_epoch())
                        run.stopped = self._ask(callbacks)
                        if not run.stopped:
                            self.checkpointer.save_if_due()
                    self._finish()
                    if self.interrupts.signal is not None:
                        raise Interrupted(run, self.interrupts.signal)
            except NonFiniteError as error:
                if state.last_finite is None:  # between two epochs: a callback's own
                    raise
                raise self._diverge(error) from None
        return run

    def train_epoch(self) -> Iterator[int]:
        """Take the steps of an epoch, from where it was left; yield how many were taken, some at a time."""
        state, size, threads = self.state, self.sampler.batch_size, self.engine.threads
        state.last_finite = state.last_finite or copy_parameters(state.eval_network)
        for purpose, generator in state.generators.items():  # these stay at the epoch's beginning
            if purpose != "augmentation" or any(self.context.image):  # else nobody draws from them
                self.generators[purpose].bit_generator.state = generator.bit_generator.state
        order = self.sampler.order(self.generators["shuffling"])
        moves = self._draw_moves(len(order))
        before = len(state.history) * self.sampler.steps
        self.began = time.perf_counter()
        while state.rows_done < len(order):
            done = before + state.rows_done // size
            part = slice(state.rows_done, state.rows_done + state.monitor.room(done, self.steps) * size)
            start = time.perf_counter()
            losses, outputs, problem = self.engine.take(order[part], None if moves is None else moves[part])
            release(self.data.encoded.train.X)
            done += len(losses)
            self.latest = done + (problem is not None)
            if problem is not None:
                raise problem
            elapsed = time.perf_counter() - start
            if self.warm and (threads.trying or not self.engine.steady):
                threads.observe(elapsed / len(losses))
            self.warm = True
            state.metrics.add(losses, outputs, self.labels[order[part]][: len(outputs)], size)
            state.rows_done += len(outputs)
            if state.monitor.wants(done):
                self.engine.store_theta()
                state.monitor.look(done)
            self.steps = max(1, int((TRIAL if threads.trying else PIECE) * len(losses) / elapsed))
            self._read_clock()
            yield len(losses)
        if self.engine.steady and not threads.trying:
            threads.observe(state.seconds / self.sampler.steps)

    def _read_clock(self) -> None:
        """Count the time since the last look."""
        now = time.perf_counter()
        self.state.seconds += now - self.began
        self.began = now

    def _draw_moves(self, n: int) -> Array | None:
        """Return how the images of n rows are moved; None without augmentation."""
        if not any(self.context.image):
            return None
        return self.components.augmentation.draw(self.generators["augmentation"], n, *self.context.image[:2])

    def end_epoch(self) -> EpochRecord:
        """Evaluate the network after an epoch, record it, and make ready for the next."""
        state, number = self.state, len(self.state.history) + 1
        self.engine.store()
        self._check_finite()
        if self.training.average_epochs is not None:
            state.averaged_epochs = max(0, number - state.average_after)
        self._update_average()
        try:
            loss, accuracy, measures = self.validation.evaluate(state.eval_network)
        except DataError:
            self._restore()
            raise
        factor = float(self._factors(np.array([state.optimizer.t]), state.schedule)[0])
        learned = state.metrics
        self.components.schedule.observe(state.schedule, learned.loss if loss is None else loss)
        self._read_clock()
        record = EpochRecord(
            number,
            learned.loss,
            learned.accuracy,
            loss,
            accuracy,
            self.components.optimizer.learning_rate * factor,
            state.seconds,
            self.engine.threads.count,
            measures,
            **state.monitor.columns(number * self.sampler.steps),
        )
        state.history.append(record)
        state.snapshots.take(number, state.eval_network)
        self._watch(record)
        state.generators, self.generators = self.generators, state.generators
        state.metrics = RunningMetrics(state.network)
        state.rows_done, state.seconds, state.last_finite = 0, 0.0, None
        return record

    def _check_finite(self) -> None:
        network = self.state.network
        if not np.isfinite(network.theta).all():
            bad = int(np.isfinite(network.theta).argmin())
            raise NonFiniteError(f"the parameter {network.parameters.name(bad)} became {network.theta[bad]}")

    def _update_average(self) -> None:
        """Bring the average of the parameters up to date, where there is one."""
        state, network = self.state, self.state.network
        if state.average is None:
            return
        moving = self.context.update.average(state.optimizer)
        theta = network.theta if moving is None else moving
        if moving is None and state.averaged_epochs > 1:
            state.average.theta += (theta - state.average.theta) / theta.dtype.type(state.averaged_epochs)
        else:
            state.average.theta[:] = theta
        state.average.parameters.statistics[:] = network.parameters.statistics
        if any(network.batch_norm) and (moving is not None or state.averaged_epochs > 1):
            rows = evenly_spread(self.sampler.n, MEASURED_ROWS)
            state.average.measure_statistics(self.context.X[rows])

    def _watch(self, record: EpochRecord) -> None:
        """Keep the parameters where they are the best so far."""
        watch = self.state.watch
        if watch is None:
            return
        value = record.row()[watch.rule.column]
        if watch.observe(record.epoch, np.nan if value is None else value):
            self.state.best = copy_parameters(self.state.eval_network)

    @property
    def patience_ended(self) -> bool:
        """Whether early stopping says that it is enough."""
        return self.state.watch is not None and self.state.watch.stop

    def _ask(self, callbacks: Sequence[Callback]) -> str:
        """Call the callbacks after an epoch, and return why training ends; empty where it goes on."""
        try:
            reasons = ask(callbacks, self.run)
        except BaseException:  # of a callback, SystemExit too; what was learned is not lost with it
            self.checkpointer.save()
            raise
        return next(filter(None, reasons), "early stopping" if self.patience_ended else "")

    def _finish(self) -> None:
        """Give the network the parameters it is to end with, the best ones or the average, and save it."""
        run, state = self.run, self.state
        run.stopped = state.ended = run.stopped or "epochs"
        self.checkpointer.save_checkpoint()  # before the network is given other parameters
        self._examine()
        if state.watch is not None and state.watch.rule.restore_best and state.best is not None:
            state.set_parameters(state.best)
            run.best_epoch = run.history.kept = state.watch.best_epoch
        else:
            state.set_parameters(copy_parameters(state.eval_network))
        self._judge(warn=True)
        self.checkpointer.save_end()

    def _stop_in_epoch(self) -> None:
        """End in the middle of an epoch, at a finite theta, and save where training is, if it is there."""
        run, state = self.run, self.state
        run.stopped = "interrupted"
        self.engine.store()
        if np.isfinite(state.network.theta).all():
            if state.averaged_epochs == 0:  # a mean over epochs stays that of whole ones
                self._update_average()
            self.checkpointer.save_checkpoint()
        else:
            self._restore()
        self._examine()
        state.set_parameters(copy_parameters(state.eval_network))
        self._judge()
        self.checkpointer.save_end()

    def _restore(self) -> None:
        """Go back to the parameters that were evaluated last."""
        if self.state.last_finite is not None:
            self.state.set_parameters(self.state.last_finite)

    def _diverge(self, error: NonFiniteError) -> DivergenceError:
        """Bring the run to its end after numbers were lost, and return the error that says so."""
        run, state, epoch = self.run, self.state, len(self.state.history) + 1
        run.stopped = "non-finite"
        state.monitor.diverged(self.latest, error.layer)
        self._judge()
        self._restore()
        self.checkpointer.save_end()
        assert run.health is not None
        first = run.health.diagnoses[0]
        step = self.latest - len(state.history) * self.sampler.steps
        return DivergenceError(
            f"epoch {epoch}, step {step}: {error}; {first.explanation}. "
            f"The network is back at its state after epoch {len(state.history)}",
            run,
        )

    def _examine(self) -> None:
        """Examine the network with theta as the latest step left it."""
        self.state.monitor.end(self.state.count_steps(self.sampler.samples, self.sampler.batch_size))

    def _judge(self, *, warn: bool = False) -> None:
        """Say how well the network is that the run ends with; warn where it is sick. A signal ends all trials.

        A quiet run is judged when its health is first asked for.
        """
        state = self.state
        if self.run.stopped != "non-finite":
            state.monitor.mend_statistics(state.network)
            state.eval_network.parameters.statistics[:] = state.network.parameters.statistics
        history = list(state.history)
        if self.components.quiet:
            self.run.judge = state.monitor.health_later(history)
            return
        judge = partial(state.monitor.health, history, state.network, warn=warn)
        self.run.health = self.interrupts.attempt(judge, partial(judge, trials=False))
